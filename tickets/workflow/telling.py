"""What is said to the customers of many requests at once: in public, by a person, taking none of the requests."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from sla import clocks
from tickets.models import Message, State, Ticket
from tickets.workflow.conversation import said_already, say
from tickets.workflow.gates import NotAllowed, lock, needs_words, only_desk, record


@transaction.atomic
def tell(ticket: Ticket, *, by: User, body: str, at: datetime, language: str = "", key: str | None = None) -> Message:
    """A public message to one customer among many. The reaction ends: a person replied in public (domain §4.1).

    Unlike `reply` it neither takes a new request nor accepts a hand-over: who speaks for a defect or a major incident
    does not work on each of its requests, and the queue still shows that nobody does. `language` of the words, where
    it is not the ticket's own.
    """
    only_desk(by)
    ticket = lock(ticket)
    if earlier := said_already(ticket, by, key):
        return earlier
    body = needs_words(body, _("An empty reply says nothing: write a few words."))
    if not (ticket.is_open or ticket.state == State.RESOLVED):
        raise NotAllowed(_("This request is closed: a reply would reach nobody. Open a follow-up instead."), "3.2")
    message = say(ticket, body, by=by, at=at, key=key, language=language if language != ticket.language else "")
    clocks.meet_reaction(ticket, at=at, why="replied")
    record(ticket, "told", by=by, at=at, message=message)
    return message
