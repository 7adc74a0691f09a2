"""The sweep: every promise whose next look has come climbs its ladder (domain §4.4, §4.5).

Asks one index range, never the open tickets. Each batch is one transaction: locked with SKIP LOCKED, looked at again,
escalations and next looks written in bulk. Any number of sweeps may run at once; a killed one leaves nothing half done
and repeats nothing (row locks, and `escalation_once_a_rung`). After an outage the missed rungs come in order.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction

from accounts.models import Role, User
from contracts.models import ContractClause, PackageTerms
from sla.models import Commitment, Escalation, SweepTrouble, Whom

log = logging.getLogger(__name__)

BATCH = 500
SET_ASIDE_FOR = timedelta(hours=1)
MISSED = 100  # percent: the rung of the deadline itself is reached only after it ("at most" holds to its instant)


@dataclass(frozen=True)
class Reached:
    """One rung that has been reached: its place in the ladder, percent, whom it calls, and when it fell due."""

    position: int
    percent: int
    whom: str
    at: datetime


@dataclass
class Swept:
    """What a sweep did, for the log and for operators."""

    looked_at: int = 0
    missed: int = 0
    escalations: int = 0
    set_aside: int = 0


def next_rungs(rungs: Sequence[dict], done: int, now: datetime) -> tuple[list[Reached], datetime | None]:
    """Pure: the rungs reached by now and not yet done, in order, and the moment of the next one (None: no more)."""
    reached: list[Reached] = []
    for position, rung in enumerate(rungs[done:], start=done):
        at = datetime.fromisoformat(rung["at"])
        if at > now or (rung["percent"] >= MISSED and at == now):
            return reached, at
        reached.append(Reached(position, rung["percent"], rung["whom"], at))
    return reached, None


def sweep(now: datetime, *, batch: int = BATCH) -> Swept:
    """Looks at every commitment whose next look has come by now, in batches, oldest first, until none is left."""
    swept = Swept()
    while True:
        try:
            found = _sweep_batch(now, batch, swept)
        except DatabaseError:
            log.exception("sweep: a batch failed, its rows are tried one by one")
            found = _sweep_one_by_one(now, batch, swept)
        if not found:
            break
    if swept.looked_at:
        log.info(
            "sweep: %s looked at, %s missed, %s escalations, %s set aside",
            swept.looked_at,
            swept.missed,
            swept.escalations,
            swept.set_aside,
        )
    return swept


def _locked(now: datetime, limit: int) -> list[Commitment]:
    return list(
        Commitment.objects.due_for_check(now)
        .select_related("ticket__customer__csm")
        .select_for_update(of=("self",), skip_locked=True)[:limit]
    )


def _sweep_batch(now: datetime, limit: int, swept: Swept) -> int:
    with transaction.atomic():
        due = _locked(now, limit)
        if not due:
            return 0
        poison = _climb(due, now, swept)
    for commitment, error in poison:
        _set_aside(commitment, now, error, swept)
    return len(due)


def _sweep_one_by_one(now: datetime, limit: int, swept: Swept) -> int:
    keys = list(Commitment.objects.due_for_check(now).values_list("pk", flat=True)[:limit])
    for key in keys:
        try:
            with transaction.atomic():
                row = (
                    Commitment.objects.due_for_check(now)
                    .select_related("ticket__customer__csm")
                    .select_for_update(of=("self",), skip_locked=True)
                    .filter(pk=key)
                    .first()
                )
                if row is not None:
                    poison = _climb([row], now, swept)
                    if poison:
                        raise DatabaseError(poison[0][1])
        except DatabaseError as error:
            _set_aside(Commitment(pk=key), now, str(error), swept)
    return len(keys)


def _climb(due: Sequence[Commitment], now: datetime, swept: Swept) -> list[tuple[Commitment, str]]:
    """Applies the ladder to locked rows; returns those that could not be understood, with the reason."""
    people = _People(due)
    escalations: list[Escalation] = []
    poison: list[tuple[Commitment, str]] = []
    fine: list[Commitment] = []
    for commitment in due:
        try:
            reached, next_at = next_rungs(commitment.rungs, commitment.rungs_done, now)
            called = [people.escalation(commitment, rung, now) for rung in reached]
        except (KeyError, TypeError, ValueError) as error:
            log.exception("sweep: commitment %s could not be read and is set aside", commitment.pk)
            poison.append((commitment, repr(error)))
            continue
        commitment.rungs_done += len(reached)
        if commitment.ending == Commitment.Ending.RUNNING:
            if now > commitment.due_at:
                commitment.ending = Commitment.Ending.MISSED
                swept.missed += 1
            else:
                next_at = min(next_at or commitment.due_at, commitment.due_at)
        # A rung or deadline that falls on this very second is looked at again just after it.
        commitment.next_check_at = next_at if next_at is None or next_at > now else now + timedelta(seconds=1)
        escalations += called
        fine.append(commitment)
    Escalation.objects.bulk_create(escalations, ignore_conflicts=True)
    Commitment.objects.bulk_update(fine, ["ending", "rungs_done", "next_check_at"])
    swept.looked_at += len(fine)
    swept.escalations += len(escalations)
    return poison


def _set_aside(commitment: Commitment, now: datetime, error: str, swept: Swept) -> None:
    """A row that fails alone neither stops the rest nor comes first every minute: looked at again in an hour."""
    with transaction.atomic():
        # Unless a verb has stopped it in between: then nobody looks at it again anyhow.
        Commitment.objects.running().filter(pk=commitment.pk, paused_at__isnull=True).update(
            next_check_at=now + SET_ASIDE_FOR
        )
        trouble, new = SweepTrouble.objects.get_or_create(
            commitment_id=commitment.pk, defaults={"happened_at": now, "error": error}
        )
        if not new:
            trouble.happened_at, trouble.error, trouble.times = now, error, trouble.times + 1
            trouble.save()
    swept.set_aside += 1


class _People:
    """Whom the rungs of one batch call in, read once for the batch."""

    def __init__(self, due: Iterable[Commitment]) -> None:
        staff = (
            User.objects.filter(is_active=True, role__in=[Role.LINE_LEAD, Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT])
            .order_by("pk")
            .prefetch_related("lines")
        )
        self.leads: dict[int, User] = {}
        self.first: dict[str, User] = {}
        # The dedicated CSM is a service of the package (domain §1.2), or of a clause.
        self.terms_with_csm = set(PackageTerms.objects.filter(services="csm").values_list("pk", flat=True))
        self.contracts_with_csm = set(
            ContractClause.objects.filter(
                service="csm", contract__in={commitment.ticket.contract_id for commitment in due}
            ).values_list("contract", flat=True)
        )
        for person in staff:
            self.first.setdefault(person.role, person)
            if person.role == Role.LINE_LEAD:
                for line in person.lines.all():
                    self.leads.setdefault(line.pk, person)

    def person(self, commitment: Commitment, whom: str) -> int | None:
        """Where the package has no dedicated CSM, or the line no lead, the support manager stands in (§4.4)."""
        ticket = commitment.ticket
        manager = self.first.get(Role.SUPPORT_MANAGER)
        if whom == Whom.ASSIGNEE:
            return ticket.assignee_id
        if whom == Whom.LINE_LEAD:
            lead = self.leads.get(ticket.line_id) or manager
            return lead.pk if lead else None
        if whom == Whom.CSM:
            csm = ticket.customer.csm
            dedicated = ticket.terms_id in self.terms_with_csm or ticket.contract_id in self.contracts_with_csm
            person = csm if dedicated and csm is not None and csm.is_active else manager
            return person.pk if person else None
        if whom == Whom.SUPPORT_MANAGER:
            return manager.pk if manager else None
        if whom == Whom.TOP_MANAGEMENT:
            top = self.first.get(Role.TOP_MANAGEMENT)
            return top.pk if top else None
        if whom == Whom.LINE_QUEUE:
            return None
        raise ValueError(f"unknown rung: {whom}")

    def escalation(self, commitment: Commitment, rung: Reached, now: datetime) -> Escalation:
        return Escalation(
            ticket_id=commitment.ticket_id,
            commitment=commitment,
            position=rung.position,
            percent=rung.percent,
            whom=rung.whom,
            person_id=self.person(commitment, rung.whom),
            reached_at=rung.at,
            created_at=now,
        )
