"""What the pages of renewals and gaps show: contracts that end, what was offered, who is not covered (domain §1.1, §2).

Reads only. A page of rows costs the same number of statements, however many rows it has.
"""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    F,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Window,
)
from django.db.models.functions import RowNumber, TruncMonth

from accounts.models import User
from contracts import pricing, terms
from contracts.models import (
    Contract,
    ContractLine,
    CoverageGap,
    Customer,
    Licence,
    Package,
    PackageTerms,
    RenewalOffer,
)
from contracts.pricing import PricingError
from contracts.signing import prices_of
from contracts.signing.renewals import STEPS

AHEAD = timedelta(days=180)  # of the list of contracts that end
MONTHS = 12
OF_A_MONTH = 20  # entries of one month of the calendar; the list has the rest
AT_A_TIME = 500  # rows of an export that are in memory together

# What is to be done next about a contract that ends.
SIGNED, SIGN, TALK, WAITS, OFFER, PREPARE = "signed", "sign", "talk", "waits", "offer", "prepare"


@dataclass(frozen=True)
class Ending:
    """A contract that ends: the yearly prices before and after, EUR, the offers made, and what is to be done next."""

    contract: Contract
    left: int  # days to the last day; negative: over since
    yearly: Decimal | None
    successor: Contract | None
    yearly_next: Decimal | None
    steps: tuple[tuple[int, RenewalOffer | None], ...]
    answered: RenewalOffer | None
    step: str
    first_offer_on: date

    @property
    def overdue(self) -> int:
        return -self.left


def ending(by: User, *, today: date, month: date | None = None) -> QuerySet[Contract]:
    """The contracts whose end this person has to know: of the next 180 days, and those over without a successor.

    `month` (its first day): all that end in that month instead.
    """
    rows = Contract.objects.visible_to(by)
    if month is not None:
        return rows.filter(
            state__in=[Contract.State.ACTIVE, Contract.State.EXPIRED],
            ends_on__gte=month,
            ends_on__lt=_month_after(month),
        )
    later = Contract.objects.filter(
        customer=OuterRef("customer"), signed_at__isnull=False, starts_on__gt=OuterRef("ends_on")
    )
    in_use = Licence.objects.in_force(today).filter(customer=OuterRef("customer"))
    return rows.filter(
        Q(state=Contract.State.ACTIVE, ends_on__lte=today + AHEAD)
        | (Q(state=Contract.State.EXPIRED) & ~Exists(later) & Exists(in_use))
    )


def with_prices(contracts: QuerySet[Contract]) -> QuerySet[Contract]:
    """The contracts with all that `rows` reads."""
    lines = ContractLine.objects.filter(contract=OuterRef("pk"), is_added=False).order_by()
    yearly = Subquery(
        lines.values("contract").annotate(together=Sum("amount")).values("together"), output_field=DecimalField()
    )
    following = Contract.objects.annotate(yearly=yearly).select_related("terms__package")
    return (
        contracts.select_related("customer", "terms__package")
        .annotate(yearly=yearly, followed_by=_following_number(), followed_by_pk=_following_number("pk"))
        .prefetch_related(
            Prefetch("successor", queryset=following),
            Prefetch("offers", queryset=RenewalOffer.objects.select_related("answered_by").order_by("-days_ahead")),
        )
    )


def _following_number(field: str = "number") -> Subquery:
    """A signed contract that follows, whether it was drafted as the successor or by itself."""
    rows = Contract.objects.filter(
        customer=OuterRef("customer"), signed_at__isnull=False, starts_on__gt=OuterRef("ends_on")
    ).exclude(state=Contract.State.TERMINATED)
    return Subquery(rows.order_by("starts_on").values(field)[:1])


def rows(contracts: Iterable[Contract], *, today: date) -> list[Ending]:
    """The rows of the list; `contracts` come from `with_prices`."""
    return [_row(contract, today) for contract in contracts]


def _row(contract: Contract, today: date) -> Ending:
    successor = getattr(contract, "successor", None)
    if successor is not None and successor.state == Contract.State.TERMINATED:
        successor = None
    offers = {offer.days_ahead: offer for offer in contract.offers.all()}
    made = [offer for offer in contract.offers.all() if successor is not None and offer.successor_id == successor.pk]
    last = made[-1] if made else None
    if getattr(contract, "followed_by", None):
        step = SIGNED
    elif successor is None:
        step = PREPARE
    elif last is None:
        step = OFFER
    else:
        step = {"accepted": SIGN, "declined": TALK, "": WAITS}[last.answer]
    return Ending(
        contract=contract,
        left=(contract.ends_on - today).days,
        yearly=getattr(contract, "yearly", None),
        successor=successor,
        yearly_next=getattr(successor, "yearly", None),
        steps=tuple((days, offers.get(days)) for days in STEPS),
        answered=last if last is not None and last.answer else None,
        step=step,
        first_offer_on=contract.ends_on - timedelta(days=max(STEPS)),
    )


# The calendar


@dataclass(frozen=True)
class Day:
    """A cell of a month: None is a day of another month; how many contracts end on it."""

    day: date | None
    count: int


@dataclass(frozen=True)
class Month:
    """A month of the calendar: its weeks from Monday, its first entries, and how many contracts end in it."""

    first: date
    weeks: tuple[tuple[Day, ...], ...]
    entries: tuple[Contract, ...]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.entries)

    @property
    def key(self) -> str:
        return f"{self.first:%Y-%m}"


def in_calendar(by: User, *, today: date) -> QuerySet[Contract]:
    """The contracts in force that end in the twelve months from the current one on."""
    first = today.replace(day=1)
    return Contract.objects.visible_to(by).filter(
        state=Contract.State.ACTIVE, ends_on__gte=first, ends_on__lt=first.replace(year=first.year + 1)
    )


def months(by: User, *, today: date) -> list[Month]:
    """Twelve months of renewals. Three statements, however many contracts."""
    found = in_calendar(by, today=today)
    counts = dict(found.order_by().values_list("ends_on").annotate(count=Count("pk")))
    numbered = found.annotate(
        place=Window(RowNumber(), partition_by=[TruncMonth("ends_on")], order_by=[F("ends_on").asc(), F("pk").asc()])
    )
    shown = numbered.filter(place__lte=OF_A_MONTH).select_related("customer", "terms__package")
    by_month: dict[date, list[Contract]] = {}
    for contract in shown.annotate(followed_by=_following_number()).order_by("ends_on", "pk"):
        by_month.setdefault(contract.ends_on.replace(day=1), []).append(contract)
    first, made = today.replace(day=1), []
    for _ in range(MONTHS):
        weeks = tuple(
            tuple(Day(day if day.month == first.month else None, counts.get(day, 0)) for day in week)
            for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
        )
        count = sum(day.count for week in weeks for day in week if day.day is not None)
        made.append(Month(first, weeks, tuple(by_month.get(first, [])), count))
        first = _month_after(first)
    return made


def _month_after(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


# Coverage gaps


@dataclass(frozen=True)
class Uncovered:
    """A gap with what it stands for: the licences' cost and what a contract would cost a year, EUR."""

    gap: CoverageGap
    days: int
    cost: Decimal
    package: Package | None  # the last one the customer had, if it is sold; else the cheapest
    yearly: Decimal | None
    had: bool


def gaps(by: User) -> QuerySet[CoverageGap]:
    """The gaps of the customers whose contracts this person may read."""
    return CoverageGap.objects.filter(customer__in=Customer.objects.visible_to(by)).select_related("customer")


def uncovered(found: Sequence[CoverageGap], *, today: date) -> list[Uncovered]:
    """The open gaps with their figures: five statements for all of them."""
    customers = [gap.customer_id for gap in found]
    costs: dict[int, dict[terms.Deployment, Decimal]] = {}
    in_use = Licence.objects.in_force(today).filter(customer__in=customers).order_by()
    for customer, deployment, cost in in_use.values_list("customer", "deployment").annotate(together=Sum("cost")):
        costs.setdefault(customer, {})[terms.Deployment(deployment)] = cost
    signed = Contract.objects.filter(customer__in=customers, signed_at__isnull=False)
    last = dict(signed.order_by("customer_id", "starts_on").values_list("customer_id", "terms__package_id"))
    sold = _sold(today)
    return [_uncovered(gap, costs.get(gap.customer_id, {}), last.get(gap.customer_id), sold, today) for gap in found]


def _sold(today: date) -> list[PackageTerms]:
    """The terms on which each package is sold today."""
    rows = PackageTerms.objects.filter(package__is_sold=True, starts_on__lte=today)
    rows = rows.order_by("package_id", "-starts_on").distinct("package_id").select_related("package")
    return list(rows.prefetch_related("prices"))


def _uncovered(
    gap: CoverageGap,
    costs: dict[terms.Deployment, Decimal],
    last: int | None,
    sold: list[PackageTerms],
    today: date,
) -> Uncovered:
    priced: list[tuple[Decimal, PackageTerms]] = []
    for offered in sold:
        try:
            priced.append((pricing.yearly_price(prices_of(offered), costs), offered))
        except PricingError:
            continue  # this package has no price for what the customer owns
    chosen = next(((price, one) for price, one in priced if one.package_id == last), None)
    had = chosen is not None
    if chosen is None and priced:
        chosen = min(priced, key=lambda pair: (pair[0], pair[1].package.position))
    return Uncovered(
        gap=gap,
        days=(today - gap.starts_on).days + 1,
        cost=sum(costs.values(), Decimal(0)),
        package=chosen[1].package if chosen else None,
        yearly=chosen[0] if chosen else None,
        had=had,
    )
