"""What a package and the clauses of a contract promise, before any clock runs (domain §1.4, §1.5, §2). Writes nothing.

Moments are aware and stored in UTC; spans are business time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.models import Contract, ContractClause, PackageTerms, PromiseKind, TermsTarget, TicketKind
from contracts.terms import WORKING_DAY
from sla.models import Calendar, CalendarVersion


@dataclass(frozen=True)
class Promise:
    """What is promised: an amount of business time on a calendar, and the clause if the contract has its own."""

    kind: str
    priority: int
    amount: int
    unit: str
    calendar: Calendar
    clause: ContractClause | None = None

    @property
    def target(self) -> timedelta:
        """Business time: a working day is nine hours of it (domain §1.5)."""
        return self.amount * (WORKING_DAY if self.unit == TermsTarget.Unit.WORKING_DAYS else timedelta(minutes=1))


@dataclass(frozen=True)
class PromisedTimes:
    """What a request of this priority, received at this moment, is promised; None where the package promises none."""

    priority: int
    reaction_due: datetime | None
    resolution_due: datetime | None
    reaction: Promise | None
    resolution: Promise | None


def promises_of(terms: PackageTerms, contract: Contract | None, *, at: datetime) -> dict[tuple[str, int], Promise]:
    """Every promise of these terms by (kind, priority), a clause of the contract before the package (domain §2).

    The clauses are those in force at `at`: for a ticket the moment of its receipt, whatever was agreed later (§4).
    """
    clauses = contract.clauses.in_force(at).exclude(kind="") if contract else ContractClause.objects.none()
    return with_clauses(promises_of_package(terms), terms.calendar, clauses)


def promises_of_package(terms: PackageTerms) -> dict[tuple[str, int], Promise]:
    """Every promise of these terms by (kind, priority), whatever a contract says."""
    return by_kind(terms.targets.select_related("calendar"))


def by_kind(targets: Iterable[TermsTarget]) -> dict[tuple[str, int], Promise]:
    """The targets of a package as promises, by (kind, priority). Pure."""
    return {
        (target.kind, target.priority): Promise(
            target.kind, target.priority, target.amount, target.unit, target.calendar
        )
        for target in targets
    }


def with_clauses(
    package: Mapping[tuple[str, int], Promise], hours: Calendar, clauses: Iterable[ContractClause]
) -> dict[tuple[str, int], Promise]:
    """The promises of a package with those of a contract's clauses before them; `hours` are the package's (§2)."""
    found = dict(package)
    for clause in clauses:
        if clause.priority is None or clause.minutes is None:  # `clause_target_whole` never lets it come to this
            continue
        key = (clause.kind, clause.priority)
        calendar = found[key].calendar if key in found else hours
        found[key] = Promise(clause.kind, clause.priority, clause.minutes, TermsTarget.Unit.MINUTES, calendar, clause)
    return found


def promised_times(
    contract: Contract, *, at: datetime, kind: str = TicketKind.INCIDENT, priorities: Iterable[int] = (1, 2, 3, 4)
) -> list[PromisedTimes]:
    """What would be promised to a request received at this moment, for each priority: shown before it is sent."""
    promises = promises_of(contract.terms, contract, at=at)
    versions: dict[int, CalendarVersion] = {}

    def due(promise: Promise | None) -> datetime | None:
        if promise is None:
            return None
        if promise.calendar.pk not in versions:
            versions[promise.calendar.pk] = promise.calendar.version_at(at)
        return versions[promise.calendar.pk].working_calendar().add(at, promise.target)

    times = []
    for priority in priorities:
        reaction = promises.get((PromiseKind.REACTION, priority))
        resolution = promises.get((PromiseKind.RESOLUTION, priority)) if kind == TicketKind.INCIDENT else None
        times.append(PromisedTimes(priority, due(reaction), due(resolution), reaction, resolution))
    return times
