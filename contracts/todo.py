"""What is to be done about contracts: the first page of the contract administrator (domain §1.1, §2).

Each pile is counted and shows its first rows; the number of statements does not depend on how many rows there are.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from contracts.models import ContactChange, Contract, CoverageGap, Customer, Licence, RenewalOffer
from contracts.signing import moscow_day, what_fails

SHOWN = 5
WHOLE = 200  # a pile that has no list of its own is shown whole on this page, so far
ENDS_WITHIN = timedelta(days=90)


@dataclass
class Row:
    """One thing that waits, and its number: conditions that fail, days left, or days that it lasts already."""

    what: Any
    number: int = 0


@dataclass
class Pile:
    """One kind of work: how many there are, and the first of them."""

    count: int
    rows: list[Row] = field(default_factory=list)

    @property
    def has_more(self) -> bool:
        return self.count > len(self.rows)


@dataclass
class Todo:
    """All the piles, each in the order in which it presses."""

    drafts: Pile
    answered: Pile
    ending: Pile
    gaps: Pile
    changes: Pile
    uncovered: Pile

    @property
    def is_settled(self) -> bool:
        return not any(
            pile.count for pile in (self.drafts, self.answered, self.ending, self.gaps, self.changes, self.uncovered)
        )


def todo(by: User, *, at: datetime, whole: str = "") -> Todo:
    """What this person sees as waiting at this moment; `whole` names the pile that is shown to its end."""
    today = moscow_day(at)
    mine = Customer.objects.visible_to(by)

    def pile(name: str, rows: QuerySet) -> Pile:
        return Pile(rows.count(), [Row(row) for row in rows[: WHOLE if whole == name else SHOWN]])

    found = Todo(
        drafts=pile("drafts", drafts_of(mine)),
        answered=pile("answered", answered_of(mine)),
        ending=pile("ending", ending_of(mine, today)),
        gaps=pile("gaps", gaps_of(mine)),
        changes=pile("changes", changes_of(mine)),
        uncovered=pile("uncovered", uncovered_of(mine, today)),
    )
    failing = what_fails([row.what for row in found.drafts.rows], at=at)
    for row in found.drafts.rows:
        row.number = len(failing[row.what.pk])
    for row in found.ending.rows:
        row.number = (row.what.ends_on - today).days + 1  # today is covered too
    for row in found.gaps.rows:
        row.number = (today - row.what.starts_on).days + 1
    return found


def drafts_of(customers: QuerySet[Customer]) -> QuerySet[Contract]:
    """Drafts, those that begin first first."""
    drafts = Contract.objects.filter(state=Contract.State.DRAFT, customer__in=customers)
    return drafts.select_related("customer", "terms__package").order_by("starts_on", "pk")


def answered_of(customers: QuerySet[Customer]) -> QuerySet[RenewalOffer]:
    """The last answer of each customer to an offer whose successor still waits, the oldest first."""
    later = RenewalOffer.objects.filter(contract=OuterRef("contract"), answered_at__gt=OuterRef("answered_at"))
    offers = RenewalOffer.objects.filter(
        ~Exists(later),
        answered_at__isnull=False,
        successor__state=Contract.State.DRAFT,
        contract__customer__in=customers,
    )
    return offers.select_related("contract__customer", "successor", "answered_by").order_by("answered_at", "pk")


def ending_of(customers: QuerySet[Customer], today: date) -> QuerySet[Contract]:
    """Contracts in force that end within 90 days, and nothing signed follows."""
    follows = Contract.objects.filter(
        customer=OuterRef("customer"), signed_at__isnull=False, starts_on__gt=OuterRef("ends_on")
    ).exclude(state=Contract.State.TERMINATED)
    ending = Contract.objects.filter(
        ~Exists(follows),
        state=Contract.State.ACTIVE,
        ends_on__gte=today,
        ends_on__lte=today + ENDS_WITHIN,
        customer__in=customers,
    )
    return ending.select_related("customer", "terms__package", "successor").order_by("ends_on", "pk")


def gaps_of(customers: QuerySet[Customer]) -> QuerySet[CoverageGap]:
    """Customers who use the software without a contract, the longest first (domain §1.1)."""
    gaps = CoverageGap.objects.filter(ended_on__isnull=True, customer__in=customers)
    return gaps.select_related("customer").order_by("starts_on", "pk")


def changes_of(customers: QuerySet[Customer]) -> QuerySet[ContactChange]:
    """Changes of the responsible contact that wait for a yes, the oldest first."""
    changes = ContactChange.objects.filter(state=ContactChange.State.ASKED, customer__in=customers)
    return changes.select_related("customer", "user").order_by("asked_at", "pk")


def uncovered_of(customers: QuerySet[Customer], today: date) -> QuerySet[Licence]:
    """Licences in force that the customer's contract of today does not cover: the package has no price for them."""
    holding = Contract.objects.in_force(today).filter(customer=OuterRef("customer"))
    covering = Contract.objects.in_force(today).filter(lines__licence=OuterRef("pk"))
    licences = Licence.objects.in_force(today).filter(Exists(holding), ~Exists(covering), customer__in=customers)
    return licences.select_related("customer", "product").order_by("starts_on", "pk")
