"""What is said in a ticket: the words, their files, and a thing said once for one click."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.core.files import File
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.new_rows import insert
from tickets.models import Attachment, Message, PendingFile, Ticket
from tickets.workflow.gates import NotAllowed


@dataclass(frozen=True)
class Upload:
    """A file that comes with a message; `content` is open for reading from its start."""

    name: str
    content_type: str
    content: IO[bytes]
    size: int


def say(
    ticket: Ticket,
    body: str,
    *,
    by: User,
    at: datetime,
    kind: str = Message.Kind.PUBLIC,
    channel: str = "portal",
    files: Iterable[Upload] = (),
    message_id: str | None = None,
    quoted: str = "",
    key: str | None = None,
    language: str = "",
) -> Message:
    """`language` of the words, "" for the ticket's own."""
    message = insert(
        Message(
            ticket=ticket,
            author=by,
            by_vendor=by.is_vendor,
            kind=kind,
            body=body,
            quoted=quoted,
            language=language,
            channel_id=channel,
            created_at=at,
            message_id=message_id or None,
            idempotency_key=key or None,
        )
    )
    for upload in files:
        # What a sender calls a file and its type may hold anything; PostgreSQL takes no NUL in a text.
        name = upload.name.replace("\0", "") or "file"
        Attachment.objects.create(
            message=message,
            file=File(upload.content, name=name),
            name=name,
            content_type=upload.content_type.replace("\0", "")[:127],
            size=upload.size,
        )
    return message


class Meanwhile(NotAllowed):
    """Somebody wrote while this was being written. `said` is what, oldest first; nothing was sent."""

    def __init__(self, said: list[Message]) -> None:
        super().__init__(
            _("While you were writing, %(name)s wrote too. Read it first; your text is still here.")
            % {"name": said[-1].author.full_name},
            "3.2",
        )
        self.said = said


def nobody_wrote_since(ticket: Ticket, seen: int | None, *, by: User) -> None:
    """Raises `Meanwhile` if anybody but `by` wrote after the message `seen`; None: it is not said what they saw.

    A customer's person is stopped by public words only: of a note they never hear. The ticket is locked: nobody
    writes between this look and what is said after it.
    """
    if seen is not None:
        later = ticket.messages.visible_to(by).filter(pk__gt=seen).exclude(author=by)
        said = list(later.select_related("author").order_by("pk"))
        if said:
            raise Meanwhile(said)


def adopt(message: Message, pending: Iterable[int], *, by: User, written_for: Q | None = None) -> None:
    """The message takes the files that its author uploaded while writing it; the files stay where they lie.

    `written_for` says of which rows, where the message landed in another ticket than the one it was written in.
    Refuses, with the whole message, when one of them is not there any more: nothing is sent without its file.
    """
    wanted = set(pending)
    if not wanted:
        return
    theirs = PendingFile.objects.filter(written_for or Q(ticket=message.ticket), person=by, pk__in=wanted)
    rows = list(theirs.select_for_update().order_by("pk"))
    if len(rows) != len(wanted):
        raise NotAllowed(
            _("A file of this message was taken away in another window. Look at the files and send again.")
        )
    for row in rows:
        Attachment.objects.create(
            message=message, file=row.file.name, name=row.name, content_type=row.content_type, size=row.size
        )
    PendingFile.objects.filter(pk__in=wanted).delete()


def said_already(ticket: Ticket, by: User, key: str | None) -> Message | None:
    """The message of an earlier click on the same button: a double click says a thing once."""
    return ticket.messages.filter(author=by, idempotency_key=key).first() if key else None
