"""What the pages of customers show: who is covered by what, what is owned, who speaks for whom (domain §1.1, §2).

Reads only. A page of rows costs the same number of statements, however many rows it has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Exists, OuterRef, Prefetch, Q

from accounts.models import User
from contracts import signing
from contracts.models import (
    ContactChange,
    Contract,
    ContractEvent,
    ContractLine,
    CoverageGap,
    Customer,
    CustomerMember,
    Licence,
    ResponsibleContact,
)
from contracts.models.customers import CustomerQuerySet

GAP, WITHOUT_CONTACT = "gap", "contact"
WORDS = 8  # of a search; more tell no company from another
AT_A_TIME = 500  # customers of an export that are in memory together
SHOWN = 200  # licences or people of one customer on its page
LOG = 30


@dataclass(frozen=True)
class Cover:
    """Whether a customer is covered on a day: by which contract and to which day, or since when it is not.

    `is_gap`: a licence is in force and no contract is (domain §1.1); `since` is None while the gap is not noticed yet.
    """

    contract: Contract | None = None
    last_day: date | None = None
    is_gap: bool = False
    since: date | None = None


@dataclass(frozen=True)
class Row:
    """One customer of the list: its cover, contact, and licences in force with their cost, EUR."""

    customer: Customer
    cover: Cover
    contact: User | None
    licences: int
    cost: Decimal


# The list


def found(customers: CustomerQuerySet, *, words: str, only: str, at: datetime) -> CustomerQuerySet:
    """The customers whose name has all the words, in any order and case; `only`: in a gap, or without a contact."""
    for word in words.split()[:WORDS]:
        customers = customers.filter(name__icontains=word)
    if only == GAP:
        customers = customers.without_cover(signing.moscow_day(at))
    if only == WITHOUT_CONTACT:
        customers = customers.filter(~Exists(ResponsibleContact.objects.holding(at).filter(customer=OuterRef("pk"))))
    return customers


def rows(customers: CustomerQuerySet, *, at: datetime) -> list[Row]:
    """The customers, in their order, with all that a row shows: a statement for each kind of thing, not each row."""
    day = signing.moscow_day(at)
    shown = customers.select_related("csm").prefetch_related(
        Prefetch("contracts", Contract.objects.in_force(day).select_related("terms__package"), to_attr="cover_now"),
        Prefetch("licences", Licence.objects.in_force(day), to_attr="owned_now"),
        Prefetch("contacts", ResponsibleContact.objects.holding(at).select_related("user"), to_attr="speaks_now"),
        Prefetch("gaps", CoverageGap.objects.filter(ended_on__isnull=True), to_attr="open_gaps"),
    )
    return [_row(customer) for customer in shown]


def _row(customer: Customer) -> Row:
    contract = next(iter(getattr(customer, "cover_now")), None)  # noqa: B009 -- mypy does not know what was prefetched
    owned: list[Licence] = getattr(customer, "owned_now")  # noqa: B009
    speaks: list[ResponsibleContact] = getattr(customer, "speaks_now")  # noqa: B009
    gaps: list[CoverageGap] = getattr(customer, "open_gaps")  # noqa: B009
    return Row(
        customer,
        _cover(contract, is_gap=bool(owned) and contract is None, gap=gaps[0] if gaps else None),
        speaks[0].user if speaks else None,
        len(owned),
        sum((licence.cost for licence in owned), Decimal(0)),
    )


def _cover(contract: Contract | None, *, is_gap: bool, gap: CoverageGap | None) -> Cover:
    if contract is not None:
        return Cover(contract, signing.last_day(contract))
    return Cover(is_gap=is_gap, since=gap.starts_on if is_gap and gap else None)


def all_rows(customers: CustomerQuerySet, *, at: datetime) -> Iterator[list[Row]]:
    """Every customer by name, some hundreds at a time: for a file that is sent while it is read."""
    after = None
    while True:
        part = customers.order_by("name") if after is None else customers.filter(name__gt=after).order_by("name")
        chunk = rows(part[:AT_A_TIME], at=at)
        if chunk:
            yield chunk
        if len(chunk) < AT_A_TIME:
            return
        after = chunk[-1].customer.name


# One customer


@dataclass(frozen=True)
class Owned:
    """A licence on the page: whether its release may be supported (§1.7.4), and the line that covers it."""

    licence: Licence
    line: ContractLine | None
    is_over: bool

    @property
    def release_state(self) -> str:
        """ "official", "unofficial" or "unknown"."""
        if self.licence.release is None:
            return "unknown"
        return "official" if self.licence.release.is_official else "unofficial"


@dataclass(frozen=True)
class People:
    """Who belongs to a customer: who speaks for it now, the rest, what is planned and asked for, what was."""

    contact: ResponsibleContact | None
    member: CustomerMember | None  # of the contact
    others: list[CustomerMember]
    planned: list[ResponsibleContact]
    past: list[ResponsibleContact]
    asked: ContactChange | None


def cover_of(customer: Customer, *, at: datetime) -> Cover:
    """The customer's cover on the day of the moment."""
    day = signing.moscow_day(at)
    contract = customer.contracts.in_force(day).select_related("terms__package").first()
    owns = contract is None and customer.licences.in_force(day).exists()
    return _cover(contract, is_gap=owns, gap=customer.gaps.filter(ended_on__isnull=True).first())


def owned(customer: Customer, cover: Cover, *, at: datetime) -> list[Owned]:
    """Licences in force and to come, then those that are over; with the line of the contract, or of a draft."""
    day = signing.moscow_day(at)
    licences = customer.licences.select_related("product", "release__product")
    current = list(licences.filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day)).order_by("starts_on", "pk")[:SHOWN])
    over = list(licences.filter(ends_on__lt=day).order_by("-ends_on", "-pk")[: SHOWN - len(current)])
    covering = Q(contract__state=Contract.State.DRAFT)
    if cover.contract is not None:
        covering |= Q(contract=cover.contract)
    lines: dict[int, ContractLine] = {}
    of_shown = ContractLine.objects.filter(covering, licence__in=[*current, *over], contract__customer=customer)
    for line in of_shown.select_related("contract").order_by("contract__starts_on", "pk"):
        kept = lines.get(line.licence_id)
        if kept is None or (kept.contract.state == Contract.State.DRAFT and line.contract == cover.contract):
            lines[line.licence_id] = line
    return [
        Owned(row, lines.get(row.pk), is_over) for part, is_over in ((current, False), (over, True)) for row in part
    ]


def people(customer: Customer, *, at: datetime) -> People:
    """The customer's people; those who cannot sign in any more come last."""
    spoken = list(customer.contacts.select_related("user").order_by("-starts_at")[:SHOWN])
    contact = next((row for row in spoken if row.starts_at <= at and (row.ends_at is None or row.ends_at > at)), None)
    members = list(
        customer.members.select_related("user").order_by("-user__is_active", "user__full_name", "pk")[:SHOWN]
    )
    return People(
        contact,
        next((row for row in members if contact and row.user_id == contact.user_id), None),
        [row for row in members if not contact or row.user_id != contact.user_id],
        [row for row in reversed(spoken) if row.starts_at > at],
        [row for row in spoken if row.ends_at is not None and row.ends_at <= at],
        customer.contact_changes.filter(state="asked").select_related("user").first(),
    )


def log(customer: Customer, *, before: int | None = None) -> tuple[list[ContractEvent], int | None]:
    """What happened, newest first; with it the number to ask on with, where there is more.

    `before` is such a number; one of another customer finds nothing.
    """
    events = customer.contract_events.select_related("by", "contract")
    if before is not None:
        anchor = customer.contract_events.filter(pk=before).first()
        if anchor is None:
            return [], None
        events = events.filter(Q(at__lt=anchor.at) | Q(at=anchor.at, pk__lt=anchor.pk))
    page = list(events.order_by("-at", "-pk")[: LOG + 1])
    return page[:LOG], page[LOG - 1].pk if len(page) > LOG else None
