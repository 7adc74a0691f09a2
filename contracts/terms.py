"""What a package promises, as plain values (domain §1). Pure: no Django, no database, no clock.

`Terms` is one dated edition of a package: its services, its prices and its targets. The catalogue's rows build it
(`code="premium"`), pricing and the clocks read it. The validation functions return every problem, never only the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

WORKING_DAY = timedelta(hours=9)  # domain §1.5: "N working days" = N × 9 working hours
PRIORITIES = (1, 2, 3, 4)
CENTS = 2


class Deployment(StrEnum):
    """Where the licensed software runs; each has its own percent (domain §1.1)."""

    ON_SITE = "on-site"
    ON_DEMAND = "on-demand"


class Kind(StrEnum):
    """What a target is for (domain §4.1)."""

    REACTION = "reaction"
    RESOLUTION = "resolution"
    LINE_ACCEPTANCE = "line_acceptance"
    ESCALATION_ANSWER = "escalation_answer"


class Unit(StrEnum):
    """What a target's amount counts: minutes of service time, or working days of 9 working hours."""

    MINUTES = "minutes"
    WORKING_DAYS = "working_days"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a value cannot stand: the field, the rule's short name, and a sentence fit for a person."""

    field: str
    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class Price:
    """Support costs `percent` of the licence cost a year, in EUR, and at least `minimum` (domain §1.1)."""

    percent: Decimal
    minimum: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Target:
    """How soon: `amount` of `unit` for one kind of promise at one priority (domain §1.4, §1.5).

    `calendar` is the code of the calendar that it is counted on; empty means the package's service hours.
    """

    kind: Kind
    priority: int
    amount: int
    unit: Unit = Unit.MINUTES
    calendar: str = ""

    def business_time(self) -> timedelta:
        """The amount as working time on its calendar: a working day is 9 working hours (domain §1.5)."""
        if self.unit == Unit.WORKING_DAYS:
            return self.amount * WORKING_DAY
        return timedelta(minutes=self.amount)


@dataclass(frozen=True, slots=True)
class Terms:
    """One dated edition of a package: what it entitles to, what it costs, how soon it promises (domain §1)."""

    code: str
    services: frozenset[str]
    prices: Mapping[Deployment, Price]
    targets: tuple[Target, ...] = ()

    def __post_init__(self) -> None:
        # Frozen all the way down: what was signed must not change under a caller's hands.
        object.__setattr__(self, "services", frozenset(self.services))
        object.__setattr__(self, "prices", MappingProxyType(dict(self.prices)))
        object.__setattr__(self, "targets", tuple(self.targets))

    def includes(self, service: str) -> bool:
        """Whether the package entitles to the service with this code (domain §1.2)."""
        return service in self.services

    def target(self, kind: Kind, priority: int) -> Target | None:
        """The promise of this kind at this priority, None when the package makes none."""
        return next((t for t in self.targets if t.kind == kind and t.priority == priority), None)

    def reaction(self, priority: int) -> Target | None:
        """How soon somebody reacts (domain §1.4)."""
        return self.target(Kind.REACTION, priority)

    def resolution(self, priority: int) -> Target | None:
        """By when an incident is resolved; None where the package guarantees nothing (domain §1.5)."""
        return self.target(Kind.RESOLUTION, priority)

    def escalation_answer(self, priority: int) -> Target | None:
        """How soon the customer's own escalation is answered (domain §4.4)."""
        return self.target(Kind.ESCALATION_ANSWER, priority)


def price_problems(price: Price, field: str = "price") -> list[Problem]:
    """Everything wrong with a price: percent from 0 to 100, a minimum in whole cents that is not negative (§1.1)."""
    problems = []
    if not price.percent.is_finite() or not 0 <= price.percent <= 100:
        problems.append(Problem(f"{field}.percent", "percent_range", "The percent lies between 0 and 100 (§1.1)."))
    if not price.minimum.is_finite() or price.minimum < 0:
        problems.append(Problem(f"{field}.minimum", "minimum_negative", "The minimum is not negative (§1.1)."))
    elif not in_whole_cents(price.minimum):
        problems.append(Problem(f"{field}.minimum", "minimum_cents", "The minimum is in whole cents (§1.1)."))
    return problems


def target_problems(target: Target, field: str = "target") -> list[Problem]:
    """Everything wrong with one target: known kind and unit, priority 1 to 4, a positive whole amount (§1.4, §1.5)."""
    problems = []
    if target.kind not in list(Kind):
        problems.append(Problem(f"{field}.kind", "kind_unknown", f"There is no promise of the kind {target.kind!r}."))
    if target.unit not in list(Unit):
        problems.append(Problem(f"{field}.unit", "unit_unknown", f"Targets are not counted in {target.unit!r}."))
    if target.priority not in PRIORITIES:
        problems.append(Problem(f"{field}.priority", "priority_range", "A priority is 1, 2, 3 or 4 (§1.6)."))
    if not isinstance(target.amount, int) or target.amount <= 0:
        problems.append(
            Problem(f"{field}.amount", "amount_positive", "A target is a whole number of 1 or more (§1.4, §1.5).")
        )
    return problems


def terms_problems(terms: Terms) -> list[Problem]:
    """Everything wrong with an edition of a package, its prices and targets included."""
    problems = []
    if not terms.code:
        problems.append(Problem("code", "code_missing", "A package has a code."))
    if not terms.services:
        problems.append(Problem("services", "services_missing", "A package entitles to one service at least (§1.2)."))
    for deployment in Deployment:
        if deployment not in terms.prices:
            problems.append(
                Problem(
                    f"prices.{deployment}", "price_missing", f"The price of {deployment} support is missing (§1.1)."
                )
            )
    for deployment, price in terms.prices.items():
        problems += price_problems(price, f"prices.{deployment}")
    for number, target in enumerate(terms.targets):
        problems += target_problems(target, f"targets.{number}")
    return problems + _coverage_problems(terms.targets)


def _coverage_problems(targets: Iterable[Target]) -> list[Problem]:
    promised = Counter((target.kind, target.priority) for target in targets)
    problems = [
        Problem(
            "targets", "target_twice", f"There are {count} targets for {kind} of priority {priority}: one is meant."
        )
        for (kind, priority), count in promised.items()
        if count > 1
    ]
    return problems + [
        Problem("targets", "reaction_missing", f"The reaction of priority {priority} is missing (§1.4).")
        for priority in PRIORITIES
        if (Kind.REACTION, priority) not in promised
    ]


def in_whole_cents(amount: Decimal) -> bool:
    """Whether an amount of EUR has no part smaller than a cent ("10.500" has none, "10.505" has)."""
    _, digits, exponent = amount.as_tuple()
    return isinstance(exponent, int) and (exponent >= -CENTS or not any(digits[exponent + CENTS :]))
