"""The draft of a new request: kept while it is written, gone when it was sent. Nothing of it is a ticket yet."""

from collections.abc import Mapping
from datetime import datetime

from accounts.models import User
from tickets import drafts
from tickets.models import RequestDraft, Ticket

FIELDS = ("subject", "kind", "impact", "no_other_way", "topic", "installation", "body")
AT_MOST = 50_000  # characters of one field, as the form takes


def keep(person: User, given: Mapping[str, str], *, at: datetime) -> bool:
    """Keeps what was filled in, instead of what was before; whether anything is kept now.

    Without words nothing is kept. Words that come late, after their request was sent with the same key, are no draft.
    """
    fields = {name: str(given.get(name) or "").replace("\0", "")[:AT_MOST] for name in FIELDS}
    key = given.get("key") or ""
    if key and Ticket.objects.filter(messages__author=person, messages__idempotency_key=key[:64]).exists():
        return False
    if not (fields["subject"].strip() or fields["body"].strip()):
        RequestDraft.objects.filter(person=person).delete()
        return False
    RequestDraft.objects.update_or_create(person=person, defaults={"fields": fields, "updated_at": at})
    return True


def of(person: User) -> dict[str, str]:
    """What this person filled in and did not send; empty for nothing."""
    draft = RequestDraft.objects.filter(person=person).first()
    return {name: value for name, value in draft.fields.items() if name in FIELDS and value} if draft else {}


def discard(person: User) -> None:
    """Nothing of it is to be sent any more: neither the words nor the files that came in for them."""
    RequestDraft.objects.filter(person=person).delete()
    drafts.throw_away(None, person)


def forget_old(*, now: datetime) -> int:
    """Those that nobody came back to; how many there were."""
    return RequestDraft.objects.filter(updated_at__lt=now - drafts.KEPT_FOR).delete()[0]
