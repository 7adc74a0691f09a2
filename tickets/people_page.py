"""What the pages about the responsible contact show: who speaks, what is planned, what is asked (domain §1.7.1, §2).

Reads only; `now` is the one moment at which the page is drawn, `zone` the reader's. Words are fit for both sides.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.db.models import F
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import ContactChange, Customer, ResponsibleContact
from sla import words

State = ContactChange.State


@dataclass(frozen=True, slots=True)
class Spoken:
    """One stretch of time of one contact, with whom they stand in for (None: nobody, they are the contact)."""

    row: ResponsibleContact
    stands_in_for: User | None

    @property
    def user(self) -> User:
        return self.row.user


@dataclass(frozen=True, slots=True)
class Told:
    """A change as a reader sees it: where it stands, in words, and what this reader may do with it."""

    change: ContactChange
    where: str
    dates: str
    may_agree: bool = False
    may_refuse: bool = False
    may_withdraw: bool = False
    withdraw_words: str = ""


def line_of_contacts(customer: Customer, *, now: datetime) -> tuple[Spoken | None, list[Spoken]]:
    """Who speaks now, and who is planned to, in order of time."""
    rows = list(
        customer.contacts.exclude(ends_at__lte=now).select_related("user", "change__user").order_by("starts_at")
    )
    if not rows:
        return None, []
    before = customer.contacts.filter(ends_at=rows[0].starts_at).select_related("user").first()
    spoken = []
    for earlier, row in zip([before, *rows], rows, strict=False):
        stood_in = earlier.user if earlier is not None and earlier.ends_at == row.starts_at else None
        spoken.append(Spoken(row, stood_in if row.is_substitution else None))
    if spoken[0].row.starts_at > now:
        return None, spoken
    return spoken[0], spoken[1:]


def told(
    change: ContactChange,
    user: User,
    contact: User | None,
    *,
    now: datetime,
    zone: tzinfo,
    stood_in: frozenset[int] = frozenset(),
) -> Told:
    """The change in words for this reader; `contact` is who speaks for its customer now.

    `stood_in` are the changes (primary keys) in which somebody stands in for the reader (`stood_in_for`). The rule of
    who takes an agreed change back is `signing.may_take_back`; here it is asked without a statement for each row.
    """
    is_ours = user.is_vendor
    if change.state != State.ASKED:
        is_theirs = user.signs_contracts or (contact is not None and contact.pk == user.pk) or change.pk in stood_in
        may = change.state == State.AGREED and _is_ahead_or_runs(change, now) and is_theirs
        said = _("End the substitution now") if change.starts_at <= now else _("Withdraw the planned change")
        return Told(
            change,
            _settled(change, now=now, zone=zone),
            dates(change, now=now, zone=zone),
            may_withdraw=may,
            withdraw_words=said if may else "",
        )
    is_asker = change.asked_by_id == user.pk
    may_answer = user.signs_contracts if is_ours else contact is not None and contact.pk == user.pk
    has_agreed = change.vendor_agreed_at if is_ours else change.customer_agreed_at
    return Told(
        change,
        _waits(change, contact),
        dates(change, now=now, zone=zone),
        may_agree=may_answer and has_agreed is None,
        may_refuse=may_answer and not is_asker,
        may_withdraw=is_asker,
        withdraw_words=_("Withdraw the change") if is_asker else "",
    )


def stood_in_for(user: User) -> frozenset[int]:
    """The changes after which this person speaks again."""
    returns = ResponsibleContact.objects.filter(user=user, change__isnull=False, starts_at=F("change__ends_at"))
    return frozenset(returns.values_list("change", flat=True))


def _is_ahead_or_runs(change: ContactChange, now: datetime) -> bool:
    return change.starts_at > now or (change.ends_at is not None and change.ends_at > now)


def _waits(change: ContactChange, contact: User | None) -> str:
    name = {"name": contact.full_name if contact else "—"}
    if change.customer_agreed_at is not None:
        return _("The customer has agreed. It waits for our contract administrator.")
    if change.vendor_agreed_at is not None:
        return _("Our contract administrator has agreed. It waits for the responsible contact, %(name)s.") % name
    return _("It waits for the responsible contact, %(name)s, and then for our contract administrator.") % name


def _settled(change: ContactChange, *, now: datetime, zone: tzinfo) -> str:
    if change.state == State.REFUSED:
        return _("Refused by %(name)s: %(words)s") % {"name": _name(change.closed_by), "words": change.words}
    if change.state == State.WITHDRAWN:
        return _("Withdrawn by %(name)s") % {"name": _name(change.closed_by)}
    if change.starts_at > now:
        return _("Agreed by both sides, planned.")
    if change.ends_at is not None and change.ends_at > now:
        return _("Agreed by both sides, in force now; it ends by itself.")
    return _("Agreed by both sides.")


def _name(person: User | None) -> str:
    return person.full_name if person else "—"


def dates(change: ContactChange, *, now: datetime, zone: tzinfo) -> str:
    """From when and until when, in the reader's zone with Moscow beside it."""
    is_at_once = change.state == State.ASKED and change.starts_at <= now
    starts = _("at once") if is_at_once else _("from %(moment)s") % {"moment": _moment(change.starts_at, zone, now)}
    if change.ends_at is None:
        return starts
    return _("%(starts)s until %(ends)s") % {"starts": starts, "ends": _moment(change.ends_at, zone, now)}


def _moment(at: datetime, zone: tzinfo, now: datetime) -> str:
    return words.both_zones(at, zone, now, "plain")


def people_to_choose(customer: Customer, *, now: datetime) -> Iterable[User]:
    """Whom a change may name: the company's people who can sign in; not who speaks now and for good."""
    people = User.objects.filter(membership__customer=customer, is_active=True, role="customer")
    for_good = customer.contacts.holding(now).filter(ends_at__isnull=True).values("user")
    return people.exclude(pk__in=for_good).order_by("full_name", "pk")
