"""A letter of ours that did not arrive: kept on its row, and told in the conversation of its ticket."""

from datetime import datetime

from accounts.models import User
from mail.models import OutgoingLetter
from tickets import workflow


def tell_the_desk(letter: OutgoingLetter, said: str, *, at: datetime) -> None:
    """Notes in the ticket that this letter did not reach its customer. `at`: when we learned of it, aware.

    A letter to one of our own people, or about no ticket, is noted on its row alone.
    """
    person: User | None = letter.person
    if letter.ticket is None or person is None or person.is_vendor:
        return
    workflow.note_undelivered(letter.ticket, address=letter.address, subject=letter.subject, said=said, at=at)
