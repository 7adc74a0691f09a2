"""How fast the lines lately were: counted by a job every few minutes, read by every forecast.

`Lately` is pure: what ended before a moment, and what that says of a line at the moment. The job fills it from the
database, the back-test moment by moment, so that both mean the same.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import F, OuterRef, Subquery

from accounts.models import Line
from contracts.models import PromiseKind
from sla.business_time import WorkingCalendar
from sla.models import Commitment
from sla.words import MOSCOW
from tickets.line_hours import office_hours
from tickets.models import HandOver, LinePace

KINDS = (PromiseKind.REACTION, PromiseKind.RESOLUTION)
WINDOW = timedelta(weeks=12)
LATEST = 200  # of a line, promise and priority; older ones say less
READ_AT_MOST = 20_000  # rows of one count, the latest first: a large desk has its window full in days
LONGEST = 99.0  # targets; what took longer is not told apart


class Ended(NamedTuple):
    """A promise that was fulfilled, in time or late: by which line, when, and after which part of its target."""

    line: int
    kind: str
    priority: int
    part: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Pace:
    """What is known of the lines at one moment."""

    parts: Mapping[tuple[int, str, int], Sequence[float]]
    best_day: Mapping[int, int]
    days_outside: Mapping[int, int]
    _circles: dict[tuple[int, str, int], list[Sequence[float]]] = field(default_factory=dict, compare=False)

    def of(self, line: int, kind: str, priority: int) -> list[Sequence[float]]:
        """The parts of others: of this line and priority, of this line, of all lines. Sorted once, not for each row."""
        key = line, kind, priority
        if key not in self._circles:
            self._circles[key] = [self.parts.get(key, ()), self._pooled(kind, line), self._pooled(kind)]
        return self._circles[key]

    def _pooled(self, kind: str, line: int | None = None) -> Sequence[float]:
        found = (
            parts for (of_line, of_kind, _p), parts in self.parts.items() if of_kind == kind and line in {None, of_line}
        )
        return sorted(part for parts in found for part in parts)


class Lately:
    """Ended promises in the order of their ends, and what they say of the window before a moment."""

    def __init__(self, office: WorkingCalendar) -> None:
        self.office = office
        self._ends: dict[tuple[int, str, int], list[datetime]] = defaultdict(list)
        self._parts: dict[tuple[int, str, int], list[float]] = defaultdict(list)
        self._days: dict[int, Counter[date]] = defaultdict(Counter)
        self._outside: dict[int, set[date]] = defaultdict(set)

    def add(self, ended: Ended) -> None:
        key = (ended.line, ended.kind, ended.priority)
        self._ends[key].append(ended.at)
        self._parts[key].append(ended.part)
        day = ended.at.astimezone(MOSCOW).date()
        self._days[ended.line][day] += 1
        if not self.office.is_open(ended.at):
            self._outside[ended.line].add(day)

    def pace(self, at: datetime) -> Pace:
        """What ended in the window before `at`, and nothing that came later."""
        first, last = (at - WINDOW).astimezone(MOSCOW).date(), at.astimezone(MOSCOW).date()
        parts = {}
        for key, ends in self._ends.items():
            since, until = bisect_left(ends, at - WINDOW), bisect_right(ends, at)
            if latest := self._parts[key][max(since, until - LATEST) : until]:
                parts[key] = sorted(latest)
        return Pace(
            parts,
            {
                line: max((n for day, n in days.items() if first <= day < last), default=0)
                for line, days in self._days.items()
            },
            {line: sum(first <= day < last for day in days) for line, days in self._outside.items()},
        )


def ended_between(since: datetime, until: datetime) -> Iterator[Ended]:
    """Promises fulfilled in [since, until), the oldest first, at most `READ_AT_MOST` of the latest. One statement.

    A reaction is the line's that received the request, a solution the line's that has it at the end.
    """
    received_by = HandOver.objects.filter(ticket=OuterRef("ticket")).order_by("at", "pk").values("from_line")[:1]
    rows = (
        Commitment.objects.filter(kind__in=KINDS, stopped_at__gte=since, stopped_at__lt=until)
        .filter(ending__in=[Commitment.Ending.MET, Commitment.Ending.MISSED])
        .exclude(ending=Commitment.Ending.MISSED, met_late_at__isnull=True)
        .select_related("calendar_version")
        .annotate(first_line=Subquery(received_by), last_line=F("ticket__line"))
        .order_by("-stopped_at", "-pk")[:READ_AT_MOST]
    )
    for row in reversed(list(rows)):
        if row.stopped_at is not None:
            line = row.first_line if row.kind == PromiseKind.REACTION and row.first_line else row.last_line
            yield Ended(line, row.kind, row.priority, part_used(row, row.stopped_at), row.stopped_at)


def part_used(row: Commitment, at: datetime) -> float:
    """Which part of its target a promise has used at a moment, its closed pauses left out."""
    pauses = [(span.lower, span.upper) for span in row.pauses]
    if not row.target or at <= row.started_at:
        return 0.0
    return round(min(row.calendar.between_with_pauses(row.started_at, at, pauses) / row.target, LONGEST), 4)


def measure(at: datetime) -> int:
    """Counts the pace of every line anew, as of `at`; how many promises that is. Four statements."""
    lately = Lately(office_hours(at))
    count = 0
    for ended in ended_between(at - WINDOW, at):
        lately.add(ended)
        count += 1
    pace = lately.pace(at)
    rows = [
        LinePace(
            line_id=line,
            parts={f"{kind}:{priority}": parts for (of, kind, priority), parts in pace.parts.items() if of == line},
            best_day=pace.best_day.get(line, 0),
            days_outside=pace.days_outside.get(line, 0),
            counted_at=at,
        )
        for line in Line.objects.order_by("number").values_list("number", flat=True)
    ]
    LinePace.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["line"],
        update_fields=["parts", "best_day", "days_outside", "counted_at"],
    )
    return count


def counted(rows: Iterable[LinePace]) -> Pace:
    """What the job has counted, as the forecast reads it."""
    rows = list(rows)
    parts = {}
    for row in rows:
        for key, found in row.parts.items():
            kind, _mark, priority = key.partition(":")
            parts[row.line_id, kind, int(priority)] = found
    return Pace(parts, {row.line_id: row.best_day for row in rows}, {row.line_id: row.days_outside for row in rows})
