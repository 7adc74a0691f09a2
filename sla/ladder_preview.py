"""What a proposed ladder would have called for the promises of some days, beside what was called. Writes nothing.

The promises are those that *began* in these days and that this very ladder would have served; each is followed to its
end (or to now). `rehearsal.py` says which rungs it would have reached. Known limits, all of them for a person to weigh:
acknowledgements are taken as they were made; a promise that was reopened is looked at from its first end on; whether a
louder ladder would have made people quicker, nobody can know.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import Q

from contracts.models import Package
from sla.ladder import MOSCOW, Step
from sla.models import CalendarVersion, Commitment, Escalation, Ladder, Whom
from sla.rehearsal import Call, Heard, Ran, is_night, rehearse, rungs_of, taken_over

CHUNK = 2_000
PRIORITIES = (1, 2, 3, 4)
# Why a promise gave way to one that is counted anew, whose ladder begins at its foot (`clocks.retime`,
# `clocks.change_terms`); and to one that goes on, rungs and all (`clocks.reinstate`). Any other successor (agreed,
# recounted) takes over the rungs that are behind it too.
COUNTED_ANEW = frozenset({"reclassified", "priority set by the customer", "terms applied"})
GOES_ON = frozenset({"reopened", "restore contested", "decline contested"})


class Scope(NamedTuple):
    """What a ladder serves: a kind of promise, of one package or any (None), of one priority or any (None)."""

    kind: str
    package: int | None = None
    priority: int | None = None


def scope_of(ladder: Ladder) -> Scope:
    return Scope(ladder.kind, ladder.package_id, ladder.priority)


def served(scope: Scope) -> list[tuple[int, int]]:
    """The (package, priority) that a ladder of this scope serves: those for which no more particular one is there.

    The same order of precedence as `clocks.ladder_steps`: package and priority, package, priority, general.
    """
    others = {Scope(*row) for row in Ladder.objects.filter(kind=scope.kind).values_list("kind", "package", "priority")}
    found = []
    for package in Package.objects.order_by("pk").values_list("pk", flat=True):
        for priority in PRIORITIES:
            order = [(package, priority), (package, None), (None, priority), (None, None)]
            best = next(key for key in order if Scope(scope.kind, *key) in others | {scope})
            if best == scope[1:]:
                found.append((package, priority))
    return found


def last_month(now: datetime) -> tuple[date, date]:
    """The first and the last day of the last whole month, Moscow."""
    last = now.astimezone(MOSCOW).date().replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


@dataclass(frozen=True)
class Row:
    """How often somebody was called in, and would have been."""

    whom: str
    was: int
    would: int

    @property
    def label(self) -> str:
        return str(Whom(self.whom).label)

    @property
    def difference(self) -> int:
        return self.would - self.was


@dataclass(frozen=True)
class Preview:
    """What the days [first, last] would have been. Calls a day are rounded to a tenth of a call."""

    first: date
    last: date
    promises: int
    rows: Sequence[Row]
    woke_was: int
    wakes: int
    early: int

    @property
    def was(self) -> int:
        return sum(row.was for row in self.rows)

    @property
    def would(self) -> int:
        return sum(row.would for row in self.rows)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def a_day_was(self) -> float:
        return round(self.was / self.days, 1)

    @property
    def a_day(self) -> float:
        return round(self.would / self.days, 1)

    @property
    def top(self) -> Row:
        return next(row for row in self.rows if row.whom == Whom.TOP_MANAGEMENT)


def preview(scope: Scope, steps: Sequence[Step], *, first: date, last: date, now: datetime) -> Preview:
    """How often each would have been called for the promises that began on these days of Moscow, and was.

    Two statements for each two thousand promises and three besides; one pass over the promises in the order of their
    keys, however many there are (there is no index of their start: every index makes the sweep slower).
    """
    was: Counter[str] = Counter()
    would: Counter[str] = Counter()
    promises = woke = wakes = early = 0
    for calls, made in rehearsed(scope, steps, first=first, last=last, now=now):
        promises += 1
        for escalation in made:
            was[escalation.whom] += 1
            woke += is_night(escalation.reached_at) and escalation.letter_after is None
        for call in calls:
            would[call.step.whom] += 1
            wakes += call.wakes
            early += call.is_early
    rows = [Row(whom, was[whom], would[whom]) for whom in Whom.values]
    return Preview(first, last, promises, rows, woke, wakes, early)


def rehearsed(
    scope: Scope, steps: Sequence[Step], *, first: date, last: date, now: datetime
) -> Iterator[tuple[list[Call], list[Escalation]]]:
    """Of each promise: the calls that it would have had, and those it had. In chunks, oldest first."""
    pairs = served(scope)
    if not pairs:
        return
    mine = Q()
    for package in {package for package, _priority in pairs}:
        mine |= Q(terms__package=package, priority__in=[number for other, number in pairs if other == package])
    rows = Commitment.objects.filter(
        mine,
        kind=scope.kind,
        started_at__gte=datetime.combine(first, time(0), MOSCOW),
        started_at__lt=datetime.combine(last + timedelta(days=1), time(0), MOSCOW),
    ).order_by("pk")
    versions = CalendarVersion.objects.in_bulk()
    # (ticket, start) of a promise that gave way: its last row, and how many rungs that had called.
    before: dict[tuple[int, datetime], tuple[Commitment, int]] = {}
    after = 0
    while chunk := list(rows.filter(pk__gt=after)[:CHUNK]):
        after = chunk[-1].pk
        made: dict[int, list[Escalation]] = {}
        of_ladder = Escalation.objects.filter(commitment__in=[row.pk for row in chunk], position__isnull=False)
        for escalation in of_ladder.order_by("pk"):
            made.setdefault(escalation.commitment_id or 0, []).append(escalation)
        for row in chunk:
            called = made.get(row.pk, [])
            older, done = before.get((row.ticket_id, row.started_at), (None, 0))
            ran = _as_ran(row, versions[row.calendar_version_id], called, older)
            if older is None or older.why in COUNTED_ANEW:
                done = 0
            elif older.why not in GOES_ON:
                done = taken_over(ran, steps, done)
            calls = rehearse(ran, steps, now, called_before=done)
            if row.stopped_at is not None:
                before[row.ticket_id, row.started_at] = row, calls[-1].position + 1 if calls else done
            yield calls, called


def _as_ran(row: Commitment, version: CalendarVersion, called: Sequence[Escalation], older: Commitment | None) -> Ran:
    return Ran(
        key=row.pk,
        calendar=version.working_calendar(),
        priority=row.priority,
        started_at=row.started_at,
        target=row.target,
        pauses=[(span.lower, span.upper) for span in row.pauses],
        paused_at=row.paused_at,
        stopped_at=row.stopped_at,
        looked_at_from=older.stopped_at if older is not None else None,
        rungs=rungs_of(row.rungs),
        heard=[
            Heard(escalation.percent or 0, escalation.whom, escalation.acknowledged_at)
            for escalation in called
            if escalation.acknowledged_at is not None
        ],
    )
