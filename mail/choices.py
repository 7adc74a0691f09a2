"""Which letters a customer's person wants: kinds, what is left out, and the signed link that turns a kind off.

The contract's own letters have no kind and always come: a missed promise, the answer to an escalation, a statement, our
question that stops the clock, a refusal that may be contested, a deadline that waits for a signature, a critical patch.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.core import signing
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from accounts.models import Role, User
from contracts.models import ResponsibleContact
from mail.models import LetterKind, MailChoices, When

if TYPE_CHECKING:
    from mail.letters import Draft

SALT = "mail.off"
KINDS = (LetterKind.ANSWERS, LetterKind.STATUS, LetterKind.PROMISES, LetterKind.RELEASES)  # besides the digest
MAY_BE_TURNED_OFF = frozenset(LetterKind) - {LetterKind.PROMISES}

KIND_OF: dict[str, LetterKind] = {
    "replied": LetterKind.ANSWERS,
    "told": LetterKind.ANSWERS,
    "opened": LetterKind.STATUS,
    "restored": LetterKind.STATUS,
    "resolved": LetterKind.STATUS,
    "reopened": LetterKind.STATUS,
    "closed_silent": LetterKind.STATUS,
    "merged_in": LetterKind.STATUS,
    "defect_released": LetterKind.STATUS,
    "reclassified": LetterKind.PROMISES,
    "terms_applied": LetterKind.PROMISES,
    "calendar_applied": LetterKind.PROMISES,
    "deadline_agreed": LetterKind.PROMISES,
    "deadline_refused": LetterKind.PROMISES,
    "deadline_withdrawn": LetterKind.PROMISES,
    "deadline_lapsed": LetterKind.PROMISES,
}


class Altered(Exception):
    """The link is not one of ours."""


def kind_of(verb: str, person: User) -> str:
    """The kind of the letter about an event to this person; "" where it always comes. Our people choose nothing."""
    return KIND_OF.get(verb, "") if person.role == Role.CUSTOMER else ""


def wanted(drafts: "Iterable[Draft]") -> "list[Draft]":
    """Those that go out at once. What waits for the digest is told there, from what happened. One statement at most."""
    drafts = list(drafts)
    people = {draft.reader.person.pk for draft in drafts if draft.kind and draft.reader.person is not None}
    chosen = {row.person_id: row for row in MailChoices.objects.filter(person__in=people)} if people else {}

    def comes(draft: "Draft") -> bool:
        row = chosen.get(draft.reader.person.pk) if draft.kind and draft.reader.person is not None else None
        if row is None or draft.kind == LetterKind.DIGEST:  # who gets a digest is decided where it is made
            return True
        return bool(getattr(row, draft.kind) == When.AT_ONCE)

    return [draft for draft in drafts if comes(draft)]


def of(person: User) -> MailChoices:
    """The person's choices, as they are or as they begin; not saved."""
    return MailChoices.objects.filter(person=person).first() or MailChoices(person=person)


def with_digest(people: QuerySet[User], *, now: datetime) -> QuerySet[User]:
    """Those to whom a digest comes: chosen, or needed by what waits for it, or not chosen by an observer."""
    is_contact = Exists(ResponsibleContact.objects.holding(now).filter(user=OuterRef("pk")))
    waits = Q(pk__in=[])
    for kind in KINDS:
        waits |= Q(**{f"mail_choices__{kind}": When.DIGEST})
    unsaid = Q(mail_choices__isnull=True) | Q(mail_choices__digest="")
    return people.filter(Q(mail_choices__digest=When.DIGEST) | unsaid & (waits | ~is_contact))


@transaction.atomic
def turn_off(person: User, kind: str, *, at: datetime) -> None:
    """No more letters of this kind. Without the digest, what waited for it comes at once or, if it may, not at all."""
    User.objects.select_for_update().get(pk=person.pk)  # two clicks at once: one row
    row = of(person)
    setattr(row, kind, When.NEVER)
    if kind == LetterKind.DIGEST:
        for other in KINDS:
            if getattr(row, other) == When.DIGEST:
                setattr(row, other, When.NEVER if other in MAY_BE_TURNED_OFF else When.AT_ONCE)
    row.changed_at = at
    row.save()


def address_of(person: User, kind: str) -> str:
    """The path that turns this kind off for this person, without a sign-in and for good: it only quiets us."""
    return reverse("mail_off", args=[signing.Signer(salt=SALT).sign_object([person.pk, str(kind)])])


def read(token: str) -> tuple[User, LetterKind]:
    """Whom and what a link means. Raises `Altered`."""
    try:
        person, kind = signing.Signer(salt=SALT).unsign_object(token)
        if kind not in MAY_BE_TURNED_OFF:
            raise Altered
        return User.objects.get(pk=person, is_active=True), LetterKind(kind)
    except (signing.BadSignature, ValueError, TypeError, User.DoesNotExist) as error:
        raise Altered from error
