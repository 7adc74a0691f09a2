"""What somebody is writing in a ticket: kept on the server, shown to nobody else (direction §6.6, trap 8).

Not a part of the ticket: no event is written and no clock moves, so nothing here goes through `workflow`. Sending does
(`workflow.send`, and `workflow.send_reply` for the customer), and ends the draft in its own transaction. The files of a
request that is not filed yet have no ticket.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import OuterRef, Q, Subquery
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from tickets import files
from tickets.models import Draft, LastRead, Macro, Message, PendingFile, Ticket, TicketQuerySet

KEPT_FOR = timedelta(days=30)  # drafts and their files that nobody came back to
FILES_AT_MOST = 20  # in one composer
BODY_AT_MOST = 200_000  # characters, as a message


class Elsewhere(Refused):
    """Another window of the same person has kept other words since. `draft` is that one."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(_("There is another draft of yours, kept in another window."))
        self.draft = draft


@dataclass(frozen=True)
class Composing:
    """What a person has in the composer of a ticket; `read_upto` is the last message that they read, None: none yet.

    `macro` is the key of the macro that the words came with.
    """

    kind: str = ""
    body: str = ""
    updated_at: datetime | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    read_upto: int | None = None
    macro: int | None = None


def beside(tickets: TicketQuerySet, user: User) -> TicketQuerySet:
    """The tickets with what this person is writing there, within the same statement; `composing_of` reads it."""
    mine = {"ticket": OuterRef("pk"), "person": user}
    draft = Draft.objects.filter(**mine).values(it=JSONObject(kind="kind", body="body", updated_at="updated_at"))
    pending = PendingFile.objects.filter(**mine).order_by("pk").values(it=JSONObject(pk="pk", name="name", size="size"))
    return tickets.annotate(
        my_draft=Subquery(draft[:1]),
        my_files=ArraySubquery(pending),
        my_reading=Subquery(LastRead.objects.filter(**mine).values("upto")[:1]),
    )


def composing_of(ticket: Ticket) -> Composing:
    """Of a ticket that came through `beside`."""
    row: Any = ticket
    draft = row.my_draft or {}
    return Composing(
        draft.get("kind", ""),
        draft.get("body", ""),
        datetime.fromisoformat(draft["updated_at"]) if draft else None,
        row.my_files,
        row.my_reading,
    )


def written_in(ticket: Ticket) -> Q:
    """Where a message is that was written on the page of this ticket: in it, in what follows it or took it in."""
    return Q(ticket=ticket) | Q(ticket__follows=ticket) | Q(ticket=ticket.merged_into_id)


@transaction.atomic
def keep(
    ticket: Ticket,
    *,
    person: User,
    kind: str,
    body: str,
    at: datetime,
    key: str = "",
    base: datetime | None = None,
    knows_base: bool = False,
    macro: Macro | None = None,
) -> Draft | None:
    """Keeps the words of an unsent message, instead of the ones before; no words: nothing is kept any more.

    `key` is the one that the message will be sent with: words that come late, after their message, are no draft.
    With `knows_base` the window says which draft it began from; a later one of another window is not overwritten:
    `Elsewhere`. The ticket is locked for it, so that a message that is being sent right now is waited for.
    """
    ticket = Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=ticket.pk)
    if key and Message.objects.filter(written_in(ticket), author=person, idempotency_key=key).exists():
        return None
    there = Draft.objects.filter(ticket=ticket, person=person).first()
    if knows_base and there is not None and there.body != body and (base is None or there.updated_at > base):
        raise Elsewhere(there)
    if not body.strip():
        if there is not None:
            there.delete()
        return None
    draft = there or Draft(ticket=ticket, person=person)
    draft.kind, draft.body, draft.updated_at = kind, body.replace("\0", "")[:BODY_AT_MOST], at
    draft.macro = macro
    draft.save()
    return draft


@transaction.atomic
def upload(ticket: Ticket | None, file: UploadedFile, *, person: User, at: datetime) -> PendingFile:
    """Takes in a file for the message that is being written. Raises `Refused` with the sentence of every other form."""
    if words := files.refused_words(file.name or "", file.size or 0):
        raise Refused(words)
    if PendingFile.objects.filter(ticket=ticket, person=person).count() >= FILES_AT_MOST:
        raise Refused(
            _("A message takes at most %(count)d files: put them into an archive.") % {"count": FILES_AT_MOST}
        )
    head = file.read(16)
    file.seek(0)
    name = (file.name or "file").replace("\0", "")[-160:] or "file"
    return PendingFile.objects.create(
        ticket=ticket,
        person=person,
        file=file,
        name=name,
        # A picture by its first bytes; what the sender calls one without them is a file like any other.
        content_type=files.raster_type(head) or "application/octet-stream",
        size=file.size or 0,
        created_at=at,
    )


def files_of(ticket: Ticket | None, person: User) -> list[PendingFile]:
    """The files that came in for what this person is writing there, as they were added."""
    return list(PendingFile.objects.filter(ticket=ticket, person=person).order_by("pk"))


def keep_files(ticket: Ticket | None, given: Iterable[UploadedFile], *, person: User, at: datetime) -> None:
    """Keeps the files of a form that could not be sent, so that nobody chooses them again; refused ones stay out."""
    for file in given:
        try:
            upload(ticket, file, person=person, at=at)
        except Refused:
            continue  # the form says it in the same words


def as_uploads(ticket: Ticket | None, keys: Iterable[int], *, person: User) -> list[files.Upload]:
    """The files of these keys, to be copied by who takes them; the rows stay until `throw_away`."""
    rows = PendingFile.objects.filter(ticket=ticket, person=person, pk__in=list(keys)).order_by("pk")
    return [files.Upload(row.name, row.content_type, row.file.open("rb"), row.size) for row in rows]


@transaction.atomic
def throw_away(ticket: Ticket | None, person: User) -> None:
    """The words and the files that this person has there are not to be sent."""
    Draft.objects.filter(ticket=ticket, person=person).delete()
    forget_files(list(PendingFile.objects.select_for_update().filter(ticket=ticket, person=person)))


@transaction.atomic
def take_away(pending: PendingFile) -> None:
    """The file is not to be sent. One that its message has adopted meanwhile stays with the message."""
    row = PendingFile.objects.select_for_update().filter(pk=pending.pk).first()
    if row is not None:
        forget_files([row])


def follow(ticket: Ticket, into: Ticket) -> None:
    """What anybody is writing in `ticket` goes on in `into`, which it is merged into (direction §6.6, trap 8).

    Who was writing in both finds one text there, under the one they had; of a reply and a note a note is made, which
    no customer reads, and no macro does anything unasked. Both tickets are locked by who calls.
    """
    there = {draft.person_id: draft for draft in Draft.objects.filter(ticket=into)}
    for draft in Draft.objects.filter(ticket=ticket):
        kept = there.get(draft.person_id)
        if kept is None:
            draft.ticket = into
            draft.save(update_fields=["ticket"])
            continue
        kept.body = f"{kept.body}\n\n{draft.body}"[:BODY_AT_MOST]
        kept.kind = kept.kind if kept.kind == draft.kind else "note"
        kept.updated_at = max(kept.updated_at, draft.updated_at)
        kept.macro = None
        kept.save(update_fields=["body", "kind", "updated_at", "macro"])
        draft.delete()
    PendingFile.objects.filter(ticket=ticket).update(ticket=into)


def forget_files(rows: Iterable[PendingFile]) -> None:
    """Deletes rows that are locked, and after the commit what they hold."""
    for row in rows:
        storage, name = row.file.storage, row.file.name
        row.delete()
        transaction.on_commit(lambda storage=storage, name=name: storage.delete(name))  # type: ignore[misc]


def forget_old(*, now: datetime) -> int:
    """Drafts and files that nobody came back to within `KEPT_FOR`; how many there were. Safe to run at once twice."""
    gone, _rows = Draft.objects.filter(updated_at__lt=now - KEPT_FOR).delete()
    while True:
        with transaction.atomic():
            old = PendingFile.objects.select_for_update(skip_locked=True).filter(created_at__lt=now - KEPT_FOR)
            rows = list(old.order_by("created_at")[:200])
            forget_files(rows)
        gone += len(rows)
        if not rows:
            return gone
