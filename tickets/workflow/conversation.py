"""What is said in a ticket: the words, their files, and a thing said once for one click."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.core.files import File

from accounts.models import User
from tickets.models import Attachment, Message, Ticket


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
    message = Message.objects.create(
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


def said_already(ticket: Ticket, by: User, key: str | None) -> Message | None:
    """The message of an earlier click on the same button: a double click says a thing once."""
    return ticket.messages.filter(author=by, idempotency_key=key).first() if key else None
