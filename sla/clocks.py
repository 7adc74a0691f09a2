"""Clocks: start, pause, resume, meet, cancel and supersede the promises of a ticket (domain §4.1).

What is promised stands in `promises.py`. Besides the receipt (`first_promises.py`) and the sweep, the only writer of
`Commitment`. Every function takes the moment `at` (aware) and is called inside the transaction of the verb that moved
the ticket, under the ticket's row lock; so a clock stops, and its ladder with it, in the same transaction as the move
that stopped it. Moments are stored in UTC; spans are business time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from contracts.kept import edition_now
from contracts.models import PromiseKind, TermsTarget, TicketKind
from sla.business_time import WorkingCalendar
from sla.kept import rules
from sla.ladder import Step, rung_of, step_of
from sla.models import Calendar, CalendarVersion, Commitment, Escalation
from sla.promises import Promise, promises_of

if TYPE_CHECKING:
    from tickets.models import Ticket

CUSTOMER_PROMISES = (PromiseKind.REACTION, PromiseKind.RESOLUTION)
AGREED = "another deadline agreed"  # why a clock gave way to an individually agreed one (domain §4.2)
MERGED = "merged"  # why the clocks of a ticket ended that was merged into another one (domain §4.4)
CALL_LOGGED = "call logged"  # why a reaction ended with the receipt itself (domain §4.1)


def ladder_steps(kind: str, package_id: int, priority: int) -> list[Step]:
    """The rungs of the most particular ladder, in order (domain §4.4). One statement."""
    return rules(edition_now()).steps(kind, package_id, priority)


# Arithmetic of one row: fills due, rungs and next look from start, target and pauses. Saves nothing.


def lay_out(commitment: Commitment, steps: Sequence[Step] | None = None) -> None:
    """Computes the deadline and the moment of every rung on the row's own calendar, its pauses cut out."""
    calendar = commitment.calendar
    pauses = [(span.lower, span.upper) for span in commitment.pauses]
    if steps is None:
        steps = [step_of(rung) for rung in commitment.rungs]

    percents = {100, *(step.percent for step in steps)}
    amounts = [commitment.target * percent / 100 for percent in percents]
    moments = dict(zip(percents, calendar.add_each(commitment.started_at, amounts, pauses), strict=True))
    commitment.due_at = moments[100]
    commitment.rungs = [rung_of(step, moments[step.percent]) for step in steps]
    commitment.next_check_at = next_look(commitment)


def next_look(commitment: Commitment) -> datetime | None:
    """When the sweep must look at the row again: its next rung or its deadline, whichever is first and not yet done."""
    if commitment.stopped_at or commitment.paused_at:
        return None
    moments = [datetime.fromisoformat(rung["at"]) for rung in commitment.rungs[commitment.rungs_done :]]
    if commitment.ending == Commitment.Ending.RUNNING:
        moments.append(commitment.due_at)
    return min(moments, default=None)


# Verbs


def start(
    ticket: "Ticket",
    promise: Promise | None,
    *,
    at: datetime,
    pauses: Sequence[DateTimeTZRange] = (),
    paused_at: datetime | None = None,
) -> Commitment | None:
    """Starts the clock of a promise at a moment; None where nothing is promised.

    The calendar is the version that the ticket is pinned to (domain §4), also for a clock that starts later. One that
    was over before its ticket began to wait does not stand: it was missed then, and waiting saves nothing (as `pause`).
    """
    if promise is None:
        return None
    version = pinned_version(ticket, promise.calendar)
    steps = ladder_steps(promise.kind, ticket.terms.package_id, promise.priority)
    commitment = prepared(ticket, promise, version, steps, at=at, pauses=pauses, paused_at=paused_at)
    commitment.save(force_insert=True)
    return commitment


def pinned_version(ticket: "Ticket", calendar: Calendar) -> CalendarVersion:
    """The version of a calendar that the ticket counts on: of its receipt, or a later one that was applied to it (§4).

    An applied version is known by the clocks that it recounted: clocks of a ticket that stand on a version younger than
    its receipt are there by that only. One statement.
    """
    stands_on = Commitment.objects.filter(ticket=ticket).values("calendar_version")
    version = (
        calendar.versions.filter(Q(valid_from__lte=ticket.opened_at) | Q(pk__in=stands_on))
        .order_by("-valid_from")
        .first()
    )
    return version or calendar.versions.earliest("valid_from")


def prepared(
    ticket: "Ticket",
    promise: Promise,
    version: CalendarVersion,
    steps: Sequence[Step],
    *,
    at: datetime,
    pauses: Sequence[DateTimeTZRange] = (),
    paused_at: datetime | None = None,
) -> Commitment:
    """The row that `start` saves, with its deadline; asks the database nothing, so that a preview can count with it."""
    commitment = Commitment(
        ticket=ticket,
        kind=promise.kind,
        priority=promise.priority,
        terms_id=ticket.terms_id,
        clause=promise.clause,
        calendar_version=version,
        target=promise.target,
        amount=promise.amount,
        unit=promise.unit,
        started_at=at,
        pauses=list(pauses),
        paused_at=paused_at,
    )
    lay_out(commitment, steps)
    if commitment.paused_at is not None and commitment.due_at < commitment.paused_at:
        commitment.paused_at = None
        commitment.next_check_at = next_look(commitment)
    return commitment


def start_resolution(ticket: "Ticket", *, at: datetime) -> Commitment | None:
    """A new resolution clock for the ticket's priority as it is now, from this moment (after a restore, §3.4)."""
    promises = promises_of(ticket.terms, ticket.contract, at=ticket.opened_at)
    return start(ticket, promises.get((PromiseKind.RESOLUTION, ticket.priority)), at=at)


def start_line_acceptance(ticket: "Ticket", *, at: datetime) -> Commitment | None:
    """The receiving line's internal clock to accept a hand-over, on the hours of the ticket's package (§3.3)."""
    minutes = int(ticket.line.accept_within.total_seconds() // 60)
    return start(
        ticket,
        Promise(PromiseKind.LINE_ACCEPTANCE, ticket.priority, minutes, TermsTarget.Unit.MINUTES, ticket.terms.calendar),
        at=at,
    )


def start_escalation_answer(ticket: "Ticket", *, at: datetime) -> Commitment | None:
    """The clock of the answer to an escalation made by the customer (domain §4.4)."""
    promises = promises_of(ticket.terms, ticket.contract, at=ticket.opened_at)
    return start(ticket, promises.get((PromiseKind.ESCALATION_ANSWER, ticket.priority)), at=at)


def running(ticket: "Ticket", *kinds: str) -> list[Commitment]:
    """The ticket's clocks that still matter, locked, oldest first."""
    rows = Commitment.objects.running().filter(ticket=ticket).select_related("calendar_version")
    if kinds:
        rows = rows.filter(kind__in=kinds)
    return list(rows.order_by("started_at", "pk").select_for_update(of=("self",)))


def fulfil(commitment: Commitment, *, at: datetime, why: str, evidence: str = "") -> None:
    """The promise was kept, or, after its deadline, fulfilled late: then it stays missed (domain §4.1).

    "At most 30 minutes" holds to the deadline's own instant.
    """
    late = commitment.ending == Commitment.Ending.MISSED or at > commitment.due_at
    if late:
        commitment.ending = Commitment.Ending.MISSED
        commitment.met_late_at = at
    else:
        commitment.ending = Commitment.Ending.MET
    _stop(commitment, at=at, why=why, evidence=evidence)


def _stop(commitment: Commitment, *, at: datetime, why: str, evidence: str = "", calls_kept: int = 0) -> None:
    if commitment.paused_at is not None:
        _end_pause(commitment, at=at)  # so that the deadline on the record is that of the pauses on the record
    commitment.stopped_at = at
    commitment.why = why
    commitment.evidence = evidence
    commitment.next_check_at = None
    commitment.save()
    # The ladder stops in this transaction too (domain §4.4): whom it has called in, nobody needs any more; but for the
    # first rungs that a successor takes over.
    calls = commitment.escalations.open().filter(raised_by__isnull=True, position__gte=calls_kept)
    calls.update(state=Escalation.State.CLOSED, closed_at=at)


def meet(ticket: "Ticket", kind: str, *, at: datetime, why: str, evidence: str = "") -> list[Commitment]:
    """Fulfils the running clocks of one kind; a paused one has not used its pause."""
    met = running(ticket, kind)
    for commitment in met:
        if commitment.paused_at is not None:
            _end_pause(commitment, at=at)
        fulfil(commitment, at=at, why=why, evidence=evidence)
    return met


def meet_reaction(ticket: "Ticket", *, at: datetime, why: str) -> None:
    """A person accepted, replied in public or logged a call: the reaction ends (domain §4.1)."""
    meet(ticket, PromiseKind.REACTION, at=at, why=why)


def cancel(ticket: "Ticket", *, at: datetime, why: str, kinds: Sequence[str] = ()) -> None:
    """Clocks that no longer matter (withdrawn, declined): a running one is cancelled, a missed one stays missed."""
    for commitment in running(ticket, *kinds):
        if commitment.paused_at is None and commitment.ending == "" and at > commitment.due_at:
            commitment.ending = Commitment.Ending.MISSED
        elif commitment.ending == "":
            commitment.ending = Commitment.Ending.CANCELLED
        _stop(commitment, at=at, why=why)


def supersede(commitment: Commitment, *, at: datetime, why: str, calls_kept: int = 0) -> None:
    """Another clock takes over. A promise already missed stays on the record as missed.

    Whom the ladder called in is let go, but for the first `calls_kept` rungs: those the successor takes over.
    """
    if commitment.paused_at is None and commitment.ending == "" and at > commitment.due_at:
        commitment.ending = Commitment.Ending.MISSED
    elif commitment.ending == "":
        commitment.ending = Commitment.Ending.SUPERSEDED
    _stop(commitment, at=at, why=why, calls_kept=calls_kept)


def pause(ticket: "Ticket", *, at: datetime) -> None:
    """The resolution stands while the customer is asked (domain §4.1). A missed promise has no time left to save."""
    for commitment in running(ticket, PromiseKind.RESOLUTION):
        if commitment.paused_at is None and commitment.ending == "" and at <= commitment.due_at:
            commitment.paused_at = at
            commitment.next_check_at = None
            commitment.save(update_fields=["paused_at", "next_check_at"])


def _end_pause(commitment: Commitment, *, at: datetime) -> None:
    assert commitment.paused_at is not None
    if at > commitment.paused_at:
        commitment.pauses = [*commitment.pauses, DateTimeTZRange(commitment.paused_at, at)]
    commitment.paused_at = None
    lay_out(commitment)


def resume(ticket: "Ticket", *, at: datetime) -> None:
    """The customer answered: the clock goes on, its deadline later by the business time that it stood.

    So does the time in which its last rung is to be acknowledged: nobody was needed while it stood.
    """
    for commitment in running(ticket, PromiseKind.RESOLUTION):
        if commitment.paused_at is not None:
            stood_since = commitment.paused_at
            _end_pause(commitment, at=at)
            call = unheard_call(commitment)
            if call is not None and call.acknowledge_by is not None and call.acknowledge_by > stood_since:
                left = commitment.calendar.between(stood_since, call.acknowledge_by)
                call.acknowledge_by = commitment.calendar.add(at, left)
                call.save(update_fields=["acknowledge_by"])
            _look_at_call(commitment, call)
            commitment.save()


def unheard_call(commitment: Commitment) -> Escalation | None:
    """The rung that was called last, where it waits to be acknowledged still; locked. One statement at most."""
    if not commitment.rungs_done:
        return None
    calls = commitment.escalations.filter(position__isnull=False).order_by("-position").select_for_update(of=("self",))
    latest = calls.first()
    waits = latest is not None and latest.state == Escalation.State.OPEN and latest.acknowledge_by is not None
    return latest if waits else None


def _look_at_call(commitment: Commitment, call: Escalation | None) -> None:
    """The next look, where a rung that was called waits to be acknowledged: then too, if another is left to call."""
    if call is None or commitment.next_check_at is None or commitment.rungs_done >= len(commitment.rungs):
        return
    if call.acknowledge_by is not None:
        commitment.next_check_at = min(commitment.next_check_at, call.acknowledge_by)


@dataclass(frozen=True)
class Stood:
    """When a ticket waited for its customer, by its own history: closed spans, and since when it waits now."""

    spans: Sequence[DateTimeTZRange] = ()
    since: datetime | None = None

    def within(self, start: datetime, end: datetime | None = None) -> list[DateTimeTZRange]:
        """The closed spans from `start` on; up to `end`, the wait that still goes on included, where it is given."""
        spans = [(span.lower, span.upper) for span in self.spans]
        if end is not None and self.since is not None:
            spans.append((self.since, end))
        cut = [(max(lower, start), min(upper, end) if end else upper) for lower, upper in spans]
        return [DateTimeTZRange(lower, upper) for lower, upper in cut if lower < upper]


@dataclass(frozen=True)
class Succession:
    """One clock gives way to another. No `old`: a promise appears; no `promise`: it is not made any more."""

    old: Commitment | None
    promise: Promise | None
    began: datetime
    pauses: Sequence[DateTimeTZRange] = ()
    paused_at: datetime | None = None


def successions(
    ticket: "Ticket",
    old: Sequence[Commitment],
    before: Commitment | None,
    promises: Mapping[tuple[str, int], Promise],
    *,
    stood: Stood,
) -> list[Succession]:
    """What gives way to what when the running customer promises `old` are counted anew from their true start (§3.4).

    Their pauses are all the times that the ticket `stood`, also while no clock ran that could have stood: a promise
    that is missed does not stand any more (`pause`), yet its successor did not use that time. A promise that was
    already kept stays kept. Where no resolution runs (it was no incident, or none was promised) one begins at the
    receipt, unless the last one, `before`, has ended. Pure: for a preview too.
    """

    def resolution(commitment: Commitment | None, began: datetime) -> Succession:
        promise = (
            promises.get((PromiseKind.RESOLUTION, ticket.priority)) if ticket.kind == TicketKind.INCIDENT else None
        )
        since = max(stood.since, began) if stood.since else None
        return Succession(commitment, promise, began, stood.within(began), since)

    found = []
    for commitment in old:
        if commitment.kind == PromiseKind.REACTION:
            promise = promises.get((PromiseKind.REACTION, ticket.priority))
            found.append(Succession(commitment, promise, commitment.started_at))
        else:
            found.append(resolution(commitment, commitment.started_at))
    if ticket.kind != TicketKind.INCIDENT or any(commitment.kind == PromiseKind.RESOLUTION for commitment in old):
        return found
    # It became an incident (again), or came to a promise. A promise that has ended is not made anew.
    if before is None or before.ending == Commitment.Ending.SUPERSEDED:
        anew = resolution(None, before.started_at if before else ticket.opened_at)
        if anew.promise is not None:
            found.append(anew)
    return found


def retime(ticket: "Ticket", *, at: datetime, why: str, stood: Stood) -> None:
    """The classification was wrong: running customer promises are counted anew from their true start (§3.4).

    What gives way to what is in `successions`.
    """
    promises = promises_of(ticket.terms, ticket.contract, at=ticket.opened_at)
    for step in successions(
        ticket, running(ticket, *CUSTOMER_PROMISES), last_resolution(ticket), promises, stood=stood
    ):
        if step.old is not None:
            supersede(step.old, at=at, why=why)
        start(ticket, step.promise, at=step.began, pauses=step.pauses, paused_at=step.paused_at)


def last_resolution(ticket: "Ticket") -> Commitment | None:
    """The resolution clock that was made last, however it ended.

    By its row, not by its start: one that goes on after a contested restore is younger than the one which the restore
    had started, and began earlier.
    """
    return ticket.commitments.filter(kind=PromiseKind.RESOLUTION).order_by("-pk").first()


def is_same_promise(commitment: Commitment, promise: Promise | None) -> bool:
    """Whether the clock already runs on this very promise, so that other terms do not touch it (domain §4)."""
    return promise is not None and (
        commitment.priority,
        commitment.amount,
        commitment.unit,
        commitment.calendar_version.calendar_id,
        commitment.clause_id,
    ) == (
        promise.priority,
        promise.amount,
        promise.unit,
        promise.calendar.pk,
        promise.clause.pk if promise.clause else None,
    )


def moved_by(steps: Iterable[Succession]) -> list[Succession]:
    """The successions that other terms bring: a promise that stays as it is goes on, an agreed one too (§4.2)."""
    return [
        step for step in steps if step.old is None or not (step.old.agreed or is_same_promise(step.old, step.promise))
    ]


@dataclass(frozen=True)
class Moved:
    """What other terms do to one promise: its deadline before and after (None: none), and whether that makes it missed.

    The deadline of a clock that stands is the one without the pause that goes on, before and after alike.
    """

    kind: str
    old_due: datetime | None
    new_due: datetime | None
    missed: bool


def change_terms(ticket: "Ticket", *, at: datetime, why: str, stood: Stood) -> list[Moved]:
    """The ticket stands on other terms now: each running customer promise that differs is counted anew (domain §4).

    From its true start, with all pauses, as `successions` has it. A clock that is late at once is missed at once, and
    its ladder climbs at the next sweep. Ended clocks are never touched. Returns what moved.
    """
    promises = promises_of(ticket.terms, ticket.contract, at=ticket.opened_at)
    moved: list[Moved] = []
    steps = successions(ticket, running(ticket, *CUSTOMER_PROMISES), last_resolution(ticket), promises, stood=stood)
    for step in moved_by(steps):
        due, was_late = (step.old.due_at, is_late(step.old, at)) if step.old else (None, False)
        if step.old is not None:
            supersede(step.old, at=at, why=why)
        new = start(ticket, step.promise, at=step.began, pauses=step.pauses, paused_at=step.paused_at)
        if new is not None and is_late(new, at):
            new.ending = Commitment.Ending.MISSED
            new.next_check_at = next_look(new)
            new.save(update_fields=["ending", "next_check_at"])
        moved.append(moved_to(step, due, was_late, new, at=at))
    return moved


def moved_to(step: Succession, due: datetime | None, was_late: bool, new: Commitment | None, *, at: datetime) -> Moved:
    """What the succession does, by the old clock's deadline and lateness before it was stopped. For a preview too."""
    kind = step.old.kind if step.old is not None else PromiseKind.RESOLUTION
    return Moved(kind, due, new.due_at if new else None, new is not None and is_late(new, at) and not was_late)


# Another version of a calendar (domain §4.1)


def recounted(old: Commitment, version: CalendarVersion, *, at: datetime) -> Commitment:
    """The same running promise on another version of its calendar: the row that `change_calendar` saves. Pure.

    It begins where the old one began and keeps all its pauses. The ladder is the old one's: rungs that were called and
    whose new moment has passed stay called, the others will be again. One that was over before its ticket began to wait
    does not stand (as `prepared`).
    """
    new = Commitment(
        ticket_id=old.ticket_id,
        kind=old.kind,
        priority=old.priority,
        terms_id=old.terms_id,
        clause_id=old.clause_id,
        calendar_version=version,
        target=old.target,
        amount=old.amount,
        unit=old.unit,
        started_at=old.started_at,
        pauses=list(old.pauses),
        paused_at=old.paused_at,
        rungs=old.rungs,
    )
    lay_out(new)
    if new.paused_at is not None and new.due_at < new.paused_at:
        new.paused_at = None
    for rung in new.rungs[: old.rungs_done]:
        if datetime.fromisoformat(rung["at"]) > at:
            break
        new.rungs_done += 1
    if is_late(new, at):
        new.ending = Commitment.Ending.MISSED
    new.next_check_at = next_look(new)
    return new


def recountable(calendar: Calendar, version: CalendarVersion | None, *, at: datetime) -> Q:
    """Clocks that an edit of this calendar recounts: those that run and are not late at this moment.

    What is missed stays missed, whatever is decided later; an individually agreed deadline names its day (§4.2).
    `version`: what the edit was made into, whose clocks are counted already; None for a preview.
    """
    found = Q(stopped_at__isnull=True, ending=Commitment.Ending.RUNNING, agreed=False)
    found &= Q(calendar_version__calendar=calendar) & (Q(paused_at__isnull=False) | Q(due_at__gte=at))
    return found & ~Q(calendar_version=version) if version is not None else found


def change_calendar(ticket: "Ticket", version: CalendarVersion, *, at: datetime, why: str) -> list[Moved]:
    """The ticket counts on another version of a calendar: its `recountable` promises are counted anew (domain §4.1).

    All kinds, the line's and the escalation answer's too. A clock that is late by that is missed at once, and its
    ladder climbs at the next sweep. Returns what became of each, also of those whose deadline stays.
    """
    moved: list[Moved] = []
    rows = Commitment.objects.filter(recountable(version.calendar, version, at=at), ticket=ticket)
    for old in rows.order_by("started_at", "pk").select_for_update(of=("self",)):
        new, due = recounted(old, version, at=at), old.due_at
        supersede(old, at=at, why=why, calls_kept=new.rungs_done)
        new.save(force_insert=True)
        old.escalations.filter(raised_by__isnull=True, position__lt=new.rungs_done).update(commitment=new)
        if (call := unheard_call(new)) is not None:
            _look_at_call(new, call)
            new.save(update_fields=["next_check_at"])
        Escalation.objects.filter(answer_clock=old).update(answer_clock=new)
        moved.append(recounted_to(new, due))
    return moved


def recounted_to(new: Commitment, due: datetime) -> Moved:
    """What the recount does to a clock whose deadline was `due`. For a preview too."""
    return Moved(new.kind, due, new.due_at, new.ending == Commitment.Ending.MISSED)


def is_late(commitment: Commitment, at: datetime) -> bool:
    """Whether the deadline of a clock has passed and it does not stand; "at most" holds to its own instant (§4.1)."""
    return commitment.ending == Commitment.Ending.MISSED or (commitment.paused_at is None and at > commitment.due_at)


def reinstate(commitment: Commitment, *, at: datetime, why: str, stood: Stood) -> Commitment:
    """What ended a promise was undone (reopened, a restore or a decline contested): the clock goes on from its start.

    Of the time since it ended, what the ticket `stood` (waited for the customer, or was solved) is a pause; all else
    counts, because a clock pauses in nothing else (domain §4.1). A kept promise is superseded by a new row; one that
    was missed stays missed, and only its fulfilment is taken back.
    """
    assert commitment.stopped_at is not None
    pauses = [*commitment.pauses, *stood.within(commitment.stopped_at, at)]
    if commitment.ending == Commitment.Ending.MISSED:
        commitment.met_late_at = None
        commitment.stopped_at = None
        commitment.why = why
        # They lie after the deadline: they move only the rungs that are still to come.
        commitment.pauses = pauses
        lay_out(commitment)
        commitment.save()
        return commitment
    again = Commitment(
        ticket=commitment.ticket,
        kind=commitment.kind,
        priority=commitment.priority,
        terms=commitment.terms,
        clause=commitment.clause,
        calendar_version=commitment.calendar_version,
        target=commitment.target,
        amount=commitment.amount,
        unit=commitment.unit,
        started_at=commitment.started_at,
        pauses=pauses,
        agreed=commitment.agreed,
        rungs=commitment.rungs,
        rungs_done=commitment.rungs_done,
    )
    commitment.ending = Commitment.Ending.SUPERSEDED
    commitment.why = why
    commitment.save()
    lay_out(again)
    again.save(force_insert=True)
    return again


# Two tickets become one (domain §4.4)


@dataclass(frozen=True)
class Carried:
    """A promise that goes on in another ticket as `new`; `old_due` is the deadline there before, None for none."""

    new: Commitment
    old_due: datetime | None


def due_from_now(commitment: Commitment, at: datetime) -> datetime:
    """The deadline as it would be if a clock that stands went on at this moment. Pure."""
    if commitment.paused_at is None:
        return commitment.due_at
    pauses = [(span.lower, span.upper) for span in commitment.pauses]
    if at > commitment.paused_at:
        pauses.append((commitment.paused_at, at))
    return commitment.calendar.add_with_pauses(commitment.started_at, commitment.target, pauses)


def carried_of(theirs: Sequence[Commitment], ours: Sequence[Commitment], *, at: datetime) -> list[Commitment]:
    """Which running promises of a ticket go on in the one that it is merged into: the stricter ones. Pure.

    A promise that is late stays a miss of its own ticket.
    """
    return [
        clock
        for clock in theirs
        if clock.kind in CUSTOMER_PROMISES
        and not is_late(clock, at)
        and all(due_from_now(clock, at) < due_from_now(one, at) for one in ours if one.kind == clock.kind)
    ]


def carry_over(source: "Ticket", target: "Ticket", *, at: datetime, why: str, stands: bool) -> list[Carried]:
    """The stricter promises of a merged ticket go on in the other one, from their true start (domain §4.4).

    The target's own clock of that kind gives way. Rungs that were called stay called, and their calls go along.
    `stands`: the target waits for its customer, so a resolution stands there too.
    """
    ours = running(target, *CUSTOMER_PROMISES)
    found = []
    for old in carried_of(running(source, *CUSTOMER_PROMISES), ours, at=at):
        supersede(old, at=at, why=why, calls_kept=old.rungs_done)
        gives_way = next((clock for clock in ours if clock.kind == old.kind), None)
        if gives_way is not None:
            supersede(gives_way, at=at, why=why)
        new = Commitment(
            ticket=target,
            kind=old.kind,
            priority=old.priority,
            terms_id=old.terms_id,
            clause_id=old.clause_id,
            calendar_version=old.calendar_version,
            target=old.target,
            amount=old.amount,
            unit=old.unit,
            started_at=old.started_at,
            pauses=list(old.pauses),
            paused_at=at if stands and old.kind == PromiseKind.RESOLUTION else None,
            agreed=old.agreed,
            rungs=old.rungs,
            rungs_done=old.rungs_done,
        )
        lay_out(new)
        new.save(force_insert=True)
        calls = old.escalations.filter(raised_by__isnull=True, position__lt=old.rungs_done)
        calls.update(commitment=new, ticket=target)
        found.append(Carried(new, gives_way.due_at if gives_way is not None else None))
    return found


class NoWorkingTime(ValueError):
    """No working time ends at this instant, so no clock can have it as its deadline."""


def resolution_of(ticket: "Ticket") -> Commitment | None:
    """The resolution clock that still matters, locked; None where none runs."""
    return next(iter(running(ticket, PromiseKind.RESOLUTION)), None)


def ends_working_time(calendar: WorkingCalendar, at: datetime) -> bool:
    """Whether a deadline can fall on this instant: the desk is open right before it (closing time is the last)."""
    return calendar.is_open(at - timedelta(seconds=1))


def agree(commitment: Commitment, due_at: datetime, *, at: datetime, stood: Stood) -> Commitment:
    """Both sides have signed another deadline: the new clock's deadline is that very instant (domain §4.2).

    The old clock is superseded, and stays missed where its deadline has passed: the signature undoes no miss. The new
    one starts when the old one did; its target is the business time from there to the signed instant, less all that
    the ticket `stood` until now, so that the percents of the ladder and the replay are those of any clock. What the
    ticket stands after the signature moves the deadline as it moves any resolution (§4.1). A rung that the old clock
    has called already and that the new one has passed too is not called again.

    Raises `NoWorkingTime` for an instant outside the calendar's hours, or not after `at`.
    """
    calendar = commitment.calendar
    if due_at <= at or not ends_working_time(calendar, due_at):
        raise NoWorkingTime(f"No working time of {calendar!r} ends at {due_at.isoformat()}.")
    supersede(commitment, at=at, why=AGREED)
    # A ticket that stands stands on: until now before the signature, which knew of it, and from now after it.
    pauses = stood.within(commitment.started_at, at)
    steps = ladder_steps(commitment.kind, commitment.ticket.terms.package_id, commitment.priority)
    spans = [(span.lower, span.upper) for span in pauses]
    new = Commitment(
        ticket=commitment.ticket,
        kind=commitment.kind,
        priority=commitment.priority,
        terms_id=commitment.terms_id,
        clause_id=commitment.clause_id,
        calendar_version=commitment.calendar_version,
        target=calendar.between_with_pauses(commitment.started_at, due_at, spans),
        amount=commitment.amount,
        unit=commitment.unit,
        started_at=commitment.started_at,
        pauses=pauses,
        paused_at=at if stood.since is not None else None,
        agreed=True,
    )
    lay_out(new, steps)
    new.rungs_done = _called_already(commitment, new, at)
    new.next_check_at = next_look(new)
    new.save(force_insert=True)
    return new


def _called_already(old: Commitment, new: Commitment, at: datetime) -> int:
    """How many of the new clock's first rungs are behind it and were called by the old one."""
    done = 0
    for called, rung in zip(old.rungs[: old.rungs_done], new.rungs, strict=False):
        same = (called["percent"], called["whom"]) == (rung["percent"], rung["whom"])
        if not same or datetime.fromisoformat(rung["at"]) > at:
            break
        done += 1
    return done


def nearest(ticket: "Ticket") -> tuple[datetime | None, str]:
    """The next deadline of the ticket's customer promises and what it is of; (None, "") when nothing runs.

    Where no promise to the customer runs, that of its line to accept it (domain §3.3): what was handed over is in time
    or late by something in every queue.
    """
    rows = (
        Commitment.objects.running()
        .filter(ticket=ticket, kind__in=(*CUSTOMER_PROMISES, PromiseKind.LINE_ACCEPTANCE))
        .order_by("due_at", "pk")
        .values_list("due_at", "kind")
    )
    return min(rows, key=lambda row: row[1] not in CUSTOMER_PROMISES, default=(None, ""))
