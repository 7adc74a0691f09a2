"""What would be promised to a request received at a moment, and why: nothing is written (domain §4.3, §4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.apps import apps

from accounts.models import User
from contracts.models import Contract, ContractClause, PackageTerms, PromiseKind, TicketKind
from contracts.signing import moscow_day
from sla import clocks, words
from sla.explain import Explanation, explain
from sla.models import Commitment, Whom
from sla.promises import Promise, promises_of

KINDS = (PromiseKind.REACTION, PromiseKind.RESOLUTION)


@dataclass(frozen=True)
class Rung:
    """Whom the ladder would call in, and when, UTC. `within`: minutes of service time to say "I have it", or None."""

    percent: int
    whom: str
    at: datetime
    within: int | None


@dataclass(frozen=True)
class Simulated:
    """One promise: its deadline, how it is counted, and its ladder. `commitment` None: nothing is promised."""

    kind: str
    commitment: Commitment | None = None
    explanation: Explanation | None = None
    rungs: Sequence[Rung] = ()


def terms_on(package: str, at: datetime) -> PackageTerms | None:
    """The terms that a package is sold on at a moment, Moscow days; None before its first."""
    found = PackageTerms.objects.select_related("package", "calendar")
    return found.filter(package__code=package, starts_on__lte=moscow_day(at)).order_by("-starts_on").first()


def simulate(
    terms: PackageTerms, contract: Contract | None, *, kind: str, priority: int, at: datetime
) -> list[Simulated]:
    """Reaction and resolution of a request received at `at` (aware), counted as the clocks do.

    A contract's clauses in force at `at` go before its terms. A resolution is promised to incidents only (§1.5).
    """
    promises = promises_of(terms, contract, at=at)
    found = []
    for promised in KINDS:
        promise = promises.get((promised, priority))
        if promise is None or (promised == PromiseKind.RESOLUTION and kind != TicketKind.INCIDENT):
            found.append(Simulated(str(promised)))
        else:
            found.append(_simulated(promise, terms, at))
    return found


def _simulated(promise: Promise, terms: PackageTerms, at: datetime) -> Simulated:
    # A request that nobody sent, for the explanation to speak of; by name, because tickets stand above the promises.
    ticket = apps.get_model("tickets", "Ticket")(opened_at=at, terms=terms)
    commitment = clocks.prepared(
        ticket,
        promise,
        promise.calendar.version_at(at),
        clocks.ladder_steps(promise.kind, terms.package_id, promise.priority),
        at=at,
    )
    commitment.terms = terms
    rungs = [
        Rung(rung["percent"], str(Whom(rung["whom"]).label), datetime.fromisoformat(rung["at"]), rung.get("within"))
        for rung in commitment.rungs
    ]
    # Told as at the receipt: a deadline that lies in the past is no promise that was missed.
    told = explain(commitment, zone=words.MOSCOW, now=at, for_customer=False, siblings=())
    return Simulated(promise.kind, commitment, told, rungs)


def contracts_with_clauses(reader: User, at: datetime) -> list[Contract]:
    """Contracts whose clauses promise something of their own at a moment, of those that the person reads; a hundred."""
    if not reader.reads_contracts:
        return []
    clauses = ContractClause.objects.in_force(at).exclude(kind="").values("contract")
    rows = Contract.objects.visible_to(reader).filter(pk__in=clauses, signed_at__isnull=False)
    return list(rows.select_related("customer", "terms__package", "terms__calendar").order_by("customer__name")[:100])
