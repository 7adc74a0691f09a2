"""Who is on which line when: weekly patterns, changes of single days and absences as spans of time (domain §3.3, §4.4).

Pure functions over plain values first, and below them what reads the values from the database. Everything is half-open,
[from, to); moments are aware, wall clocks are Moscow's. A substitute named takes over the shifts of who is away.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts import at_once
from accounts.models import Absence, Line
from accounts.shifts import DayOff, ExtraShift, Shift

MOSCOW = ZoneInfo("Europe/Moscow")
ONE_DAY = timedelta(days=1)
AROUND = timedelta(days=2)  # a shift lasts a day at most, and two may follow one another
HORIZON = timedelta(days=35)  # as far as anybody asks who comes next


@dataclass(frozen=True, slots=True)
class Weekly:
    """A row of the pattern: minutes of the day of this weekday (0 is Monday), on days from `since` to `until`, both in.

    `morning`: it is the part after midnight of a shift that began the day before.
    """

    person: int
    line: int
    weekday: int
    starts: int
    ends: int
    since: date
    until: date | None = None
    morning: bool = False


@dataclass(frozen=True, slots=True)
class Off:
    """The person's shifts of the pattern that begin on this day are not worked by them."""

    person: int
    on: date


@dataclass(frozen=True, slots=True)
class Extra:
    """A shift of one day beside the pattern."""

    person: int
    line: int
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Away:
    """The person is away; their shifts are the substitute's, where one is named and is not away too."""

    person: int
    starts_at: datetime
    ends_at: datetime
    substitute: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The person is on this line's shift in [starts_at, ends_at); `instead_of`: stands in for somebody away."""

    starts_at: datetime
    ends_at: datetime
    line: int
    person: int
    instead_of: int | None = None

    def holds(self, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at

    @property
    def place(self) -> tuple[datetime, datetime, int, int, int]:
        """What spans are put in order by."""
        return self.starts_at, self.ends_at, self.line, self.person, self.instead_of or 0


@dataclass(frozen=True, slots=True)
class Hours:
    """In [starts_at, ends_at) so many people are on the line."""

    starts_at: datetime
    ends_at: datetime
    people: int


def spans(
    patterns: Iterable[Weekly],
    exceptions: Iterable[Off | Extra],
    absences: Iterable[Away],
    since: datetime,
    until: datetime,
) -> list[Span]:
    """Every shift that touches [since, until), whole, in order of its beginning."""
    exceptions = list(exceptions)
    off = {(one.person, one.on) for one in exceptions if isinstance(one, Off)}
    extra = [Span(one.starts_at, one.ends_at, one.line, one.person) for one in exceptions if isinstance(one, Extra)]
    planned = _joined([*_of_patterns(patterns, off, since, until), *extra])
    found = _stood_in(planned, list(absences))
    return sorted((one for one in found if one.starts_at < until and one.ends_at > since), key=lambda one: one.place)


def on_shift(
    patterns: Iterable[Weekly], exceptions: Iterable[Off | Extra], absences: Iterable[Away], at: datetime
) -> list[Span]:
    """Who is on which line at this moment, with the end of their shift."""
    return [span for span in spans(patterns, exceptions, absences, at - AROUND, at + AROUND) if span.holds(at)]


def next_of(found: Sequence[Span], line: int, at: datetime) -> Span | None:
    """Who comes to the line next after this moment; None within what was read. `found` in order."""
    return next((span for span in found if span.line == line and span.starts_at > at), None)


def gaps(found: Iterable[Span], line: int, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """When nobody is on the line within [since, until)."""
    left, empty = since, []
    for span in sorted((one for one in found if one.line == line), key=lambda one: one.place):
        if span.starts_at > left:
            empty.append((left, min(span.starts_at, until)))
        left = max(left, span.ends_at)
        if left >= until:
            return empty
    return [*empty, (left, until)]


def hours(found: Iterable[Span], line: int, since: datetime, until: datetime) -> list[Hours]:
    """How many people are on the line in [since, until), a row for each change; times of nobody are left out."""
    steps: dict[datetime, int] = defaultdict(int)
    for span in found:
        if span.line == line and span.starts_at < until and span.ends_at > since:
            steps[max(span.starts_at, since)] += 1
            steps[min(span.ends_at, until)] -= 1
    rows: list[Hours] = []
    people = 0
    moments = sorted(steps)
    for moment, following in pairwise(moments):
        people += steps[moment]
        if people and rows and rows[-1].ends_at == moment and rows[-1].people == people:
            rows[-1] = replace(rows[-1], ends_at=following)
        elif people:
            rows.append(Hours(moment, following, people))
    return rows


def _of_patterns(
    patterns: Iterable[Weekly], off: set[tuple[int, date]], since: datetime, until: datetime
) -> Iterable[Span]:
    first, last = (moment.astimezone(MOSCOW).date() for moment in (since, until))
    by_weekday: dict[int, list[Weekly]] = defaultdict(list)
    for row in patterns:
        by_weekday[row.weekday].append(row)
    day = first - ONE_DAY
    while day <= last + ONE_DAY:
        for row in by_weekday[day.weekday()]:
            began = day - ONE_DAY if row.morning else day
            in_force = row.since <= day and (row.until is None or day <= row.until)
            if in_force and (row.person, began) not in off:
                yield Span(_wall(day, row.starts), _wall(day, row.ends), row.line, row.person)
        day += ONE_DAY


def _wall(day: date, minute: int) -> datetime:
    return datetime.combine(day + timedelta(days=minute // 1440), time(minute // 60 % 24, minute % 60), tzinfo=MOSCOW)


def _joined(found: Iterable[Span]) -> list[Span]:
    """Neighbouring spans of one person on one line as one: an evening and its morning."""
    joined: list[Span] = []
    for span in sorted(found, key=lambda one: (one.person, one.line, one.instead_of or 0, *one.place)):
        before = joined[-1] if joined else None
        if (
            before is not None
            and (before.person, before.line, before.instead_of) == (span.person, span.line, span.instead_of)
            and before.ends_at >= span.starts_at
        ):
            joined[-1] = replace(before, ends_at=max(before.ends_at, span.ends_at))
        else:
            joined.append(span)
    return joined


def _stood_in(planned: Sequence[Span], absences: Sequence[Away]) -> list[Span]:
    """The absences cut out, and what was cut out given to the substitute, who may be away or there already."""
    away: dict[int, list[Away]] = defaultdict(list)
    for absence in absences:
        away[absence.person].append(absence)
    own = [left for span in planned for left in _without(span, away[span.person])]
    there: dict[tuple[int, int], list[Span]] = defaultdict(list)
    for span in own:
        there[span.person, span.line].append(span)
    stands: list[Span] = []
    for span in planned:
        for absence in away[span.person]:
            starts_at, ends_at = max(span.starts_at, absence.starts_at), min(span.ends_at, absence.ends_at)
            if absence.substitute is None or starts_at >= ends_at:
                continue
            taken = Span(starts_at, ends_at, span.line, absence.substitute, span.person)
            for left in _without(taken, away[absence.substitute]):
                stands += _without(left, there[left.person, left.line])
    return own + _joined(stands)


def _without(span: Span, cuts: Iterable[Away | Span]) -> list[Span]:
    left, parts = span.starts_at, []
    for cut in sorted(cuts, key=lambda cut: cut.starts_at):
        if cut.ends_at <= left or cut.starts_at >= span.ends_at:
            continue
        if cut.starts_at > left:
            parts.append(replace(span, starts_at=left, ends_at=cut.starts_at))
        left = max(left, cut.ends_at)
    return [*parts, replace(span, starts_at=left)] if left < span.ends_at else parts


# From the database


@dataclass(frozen=True)
class Roster:
    """The shifts of all lines that touch a time, read in one statement; `absences` are those of the same time."""

    found: list[Span]
    absences: list[Away]

    def at(self, at: datetime, line: int | None = None) -> list[Span]:
        return [span for span in self.found if span.holds(at) and line in {None, span.line}]

    def comes_next(self, line: int, at: datetime) -> Span | None:
        return next_of(self.found, line, at)

    def away(self, at: datetime) -> dict[int, Away]:
        """Who is away at this moment, by person."""
        return {one.person: one for one in self.absences if one.starts_at <= at < one.ends_at}


def weekly(row: Shift) -> Weekly:
    """A row of the pattern as a plain value."""
    morning = row.evening_id is not None
    return Weekly(row.user_id, row.line_id, row.weekday, row.starts, row.ends, row.since, row.until, morning)


def _reads() -> dict[str, QuerySet[Any]]:
    """The rows around a time: shifts of the pattern in force, days off, extra shifts, absences."""
    first, last = at_once.day("first"), at_once.day("last")
    since, until = at_once.moment("since"), at_once.moment("until")
    near = {"ends_at__gt": since, "starts_at__lt": until}
    in_force = Shift.objects.filter(Q(until__isnull=True) | Q(until__gte=first), since__lte=last)
    return {
        "patterns": in_force.filter(user__is_active=True),
        "off": DayOff.objects.filter(on__gte=first, on__lte=last),
        "extra": ExtraShift.objects.filter(user__is_active=True, **near),
        "absences": Absence.objects.filter(**near),
    }


_all = at_once.AtOnce(_reads)


def read(since: datetime, until: datetime) -> Roster:
    """The roster of all lines for [since, until). One statement."""
    first, last = (at.astimezone(MOSCOW).date() for at in (since - AROUND, until + AROUND))
    rows = _all.read(first=first, last=last, since=since - AROUND, until=until + AROUND)
    off = [Off(row.user_id, row.on) for row in rows["off"]]
    extra = [Extra(row.user_id, row.line_id, row.starts_at, row.ends_at) for row in rows["extra"]]
    absences = [Away(row.user_id, row.starts_at, row.ends_at, row.substitute_id) for row in rows["absences"]]
    return Roster(spans(map(weekly, rows["patterns"]), [*off, *extra], absences, since, until), absences)


def read_at(at: datetime) -> Roster:
    """The roster around a moment, far enough to say who comes next."""
    return read(at, at + HORIZON)


def line_hours(line: Line | int, day: date) -> list[Hours]:
    """When the line is staffed on this day of Moscow and by how many, in order; times of nobody are left out.

    For forecasts: `sum(row.people * (row.ends_at - row.starts_at) for row in …)` are the person-hours of the day.
    Holidays change nothing: shifts stand as planned. Absences and their substitutes count.
    """
    since = _wall(day, 0)
    until = since + ONE_DAY
    return hours(read(since, until).found, line.pk if isinstance(line, Line) else line, since, until)


def next_on_shift(line: Line | int, at: datetime) -> Span | None:
    """Who comes to the line next, strictly after this moment, and when; None where nobody is planned for five weeks."""
    return read_at(at).comes_next(line.pk if isinstance(line, Line) else line, at)
