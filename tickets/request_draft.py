"""The draft of a new request: kept while it is written, gone when it was sent. Nothing of it is a ticket yet."""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from tickets import drafts
from tickets.models import RequestDraft, Ticket

FIELDS = ("subject", "kind", "impact", "no_other_way", "topic", "installation", "body")
AT_MOST = 50_000  # characters of one field, as the form takes


class Elsewhere(Refused):
    """Another window of the same person has kept something else since."""

    def __init__(self) -> None:
        super().__init__(_("There is another draft of yours, kept in another window."))


@transaction.atomic
def keep(
    person: User, given: Mapping[str, str], *, at: datetime, base: datetime | None = None, knows_base: bool = False
) -> datetime | None:
    """Keeps what was filled in, instead of what was before; the moment of it, None where nothing is kept now.

    Without words nothing is kept. Words that come late, after their request was sent with the same key, are no draft.
    With `knows_base` the window says which draft it began from; a later one of another window is not overwritten:
    `Elsewhere`.
    """
    fields = {name: str(given.get(name) or "").replace("\0", "")[:AT_MOST] for name in FIELDS}
    key = given.get("key") or ""
    if key and Ticket.objects.filter(messages__author=person, messages__idempotency_key=key[:64]).exists():
        return None
    there = RequestDraft.objects.select_for_update().filter(person=person).first()
    if knows_base and there is not None and there.fields != fields and (base is None or there.updated_at > base):
        raise Elsewhere
    if not (fields["subject"].strip() or fields["body"].strip()):
        RequestDraft.objects.filter(person=person).delete()
        return None
    RequestDraft.objects.update_or_create(person=person, defaults={"fields": fields, "updated_at": at})
    return at


def of(person: User) -> tuple[dict[str, str], datetime | None]:
    """What this person filled in and did not send, and when; nothing: empty and None."""
    draft = RequestDraft.objects.filter(person=person).first()
    if draft is None:
        return {}, None
    return {name: value for name, value in draft.fields.items() if name in FIELDS and value}, draft.updated_at


def discard(person: User) -> None:
    """Nothing of it is to be sent any more: neither the words nor the files that came in for them."""
    RequestDraft.objects.filter(person=person).delete()
    drafts.throw_away(None, person)


def forget_old(*, now: datetime) -> int:
    """Those that nobody came back to; how many there were."""
    return RequestDraft.objects.filter(updated_at__lt=now - drafts.KEPT_FOR).delete()[0]
