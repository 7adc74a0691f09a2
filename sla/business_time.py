"""Working-time arithmetic. Pure: plain values in, plain values out; it never asks the clock or the database.

A `WorkingCalendar` says when the desk is open. Hours are wall-clock times of the calendar's own zone, so an instant is
inside the hours exactly when a clock on the wall there shows an open minute: an hour that spring skips is never open,
an hour that autumn repeats is open twice. Answers are UTC, in whole seconds; a fraction of a second is dropped.

How it is fast: the opening spells of a stretch of years are laid out once as sorted UTC seconds beside the working
seconds that lie before each. Every question is then a few binary searches, however far away the answer is.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import NamedTuple
from zoneinfo import ZoneInfo

Pair = tuple[time, time]
Pause = tuple[datetime, datetime]
Spells = list[tuple[int, int]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1900, 2199
DAY = 86_400

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class NeverOpen(ValueError):
    """The calendar has no (or not enough) open time after the asked moment, as far as it is laid out."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of the way from a start to a deadline (domain §4.3).

    `kind` is "counted" (open hours that used up `counted` of the amount), "closed" (a night or a weekend), "holiday"
    (closed hours with the days off in `dates` among them) or "paused" (cut out by a pause). Times are UTC.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime
    counted: timedelta = timedelta(0)
    dates: tuple[date, ...] = ()


class _Index(NamedTuple):
    """Opening spells between two UTC seconds; replaced whole, never changed, so threads may share a calendar."""

    first: int
    last: int
    starts: list[int]
    ends: list[int]
    before: list[int]  # working seconds between `first` and each spell's start
    total: int  # working seconds between `first` and `last`


class WorkingCalendar:
    """When the desk is open: weekly hours in one time zone, less holidays, with dates that have hours of their own.

    `timezone` is a zone name or `ZoneInfo`. `weekly_hours` maps weekday 0 (Monday) to 6 onto (start, end) pairs of
    `time`; an end of `time(0, 0)` means 24:00, so (00:00, 00:00) is the whole day. `holidays` are closed dates.
    `overrides` maps a date onto the pairs that replace that day's hours (a transferred working day, a short day, a day
    off when empty); a date that is also a holiday stays closed. Overlapping pairs count once.

    Raises `ValueError`, in words, for a weekday, pair or date that cannot be.
    """

    def __init__(
        self,
        timezone: str | ZoneInfo,
        weekly_hours: Mapping[int, Iterable[Pair]],
        holidays: Iterable[date] = (),
        overrides: Mapping[date, Iterable[Pair]] | None = None,
    ) -> None:
        self.timezone = _zone(timezone)
        unknown = [key for key in weekly_hours if key not in range(7)]
        if unknown:
            raise ValueError(f"A weekday is a number from 0 (Monday) to 6 (Sunday), not {unknown[0]!r}.")
        self._weekly = [_spells(weekly_hours.get(day, ()), WEEKDAYS[day]) for day in range(7)]
        self._dated = {_day(on): _spells(pairs, f"{on}") for on, pairs in (overrides or {}).items()}
        self._dated.update((_day(on), []) for on in holidays)
        self._index: _Index | None = None

    def __repr__(self) -> str:
        return f"<WorkingCalendar {self.timezone.key}, {len(self._dated)} special dates>"

    def add(self, start: datetime, amount: timedelta) -> datetime:
        """The earliest instant by which `amount` of working time has passed since `start`: UTC, whole seconds.

        A deadline at closing time is the closing instant. Nothing to add gives the start itself, open or not.
        Raises `ValueError` for a naive start or a negative amount, `NeverOpen` when the calendar never gets there.
        """
        try:
            since = start - EPOCH
        except TypeError:
            raise _naive(start) from None
        at = since.days * DAY + since.seconds
        wanted = amount.days * DAY + amount.seconds
        if self._index is None or wanted <= 0:
            return self._due(at, wanted)
        first, _, starts, ends, before, total = self._index
        spell = bisect_right(starts, at) - 1
        if at < first or spell < 0:
            return self._due(at, wanted)
        end = ends[spell]
        target = before[spell] + (at if at < end else end) - starts[spell] + wanted
        if target > total:  # also when `at` lies beyond the index: nothing is open there yet
            return self._due(at, wanted)
        spell = bisect_left(before, target) - 1
        return EPOCH + timedelta(0, starts[spell] + target - before[spell])

    def add_with_pauses(self, start: datetime, amount: timedelta, pauses: Iterable[Pause]) -> datetime:
        """Like `add`, with the working time inside each pause [start, end) cut out.

        Pauses may come in any order and overlap; what lies before the start or after the deadline changes nothing, and
        so does a pause outside hours. Raises as `add` does, and `ValueError` for a pause without an end.
        """
        if not pauses:  # most promises: nobody waited, and `add` has the short way
            return self.add(start, amount)
        return self._due(_seconds(start), _amount(amount), _merged(pauses))

    def add_each(self, start: datetime, amounts: Iterable[timedelta], pauses: Iterable[Pause] = ()) -> list[datetime]:
        """`add_with_pauses` for several amounts from one start, a deadline and its rungs: the start is looked up once.

        Raises as `add_with_pauses` does.
        """
        at, cut = _seconds(start), _merged(pauses)
        index = self._covering(at, max(at + 1, cut[-1][1] if cut else 0))
        _, _, starts, _, before, total = index
        base = _position(index, at)
        # Each pause by the working time from the start to it, and the working time that it cuts out.
        gaps = [
            (_position(index, max(first, at)) - base, _position(index, last) - _position(index, max(first, at)))
            for first, last in cut
            if last > at
        ]
        found = []
        for amount in amounts:
            wanted = asked = amount.days * DAY + amount.seconds
            for worked, length in gaps:
                if worked >= wanted:
                    break
                wanted += length
            target = base + wanted
            if asked <= 0 or target > total:
                found.append(self._due(at, asked, cut))
                continue
            spell = bisect_left(before, target) - 1
            found.append(EPOCH + timedelta(0, starts[spell] + target - before[spell]))
        return found

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time in [start, end), in whole seconds; 0 when the end is not after the start.

        Raises `ValueError` for naive datetimes.
        """
        first, last = _seconds(start), _seconds(end)
        return timedelta(0, self._worked(first, last))

    def between_with_pauses(self, start: datetime, end: datetime, pauses: Iterable[Pause]) -> timedelta:
        """Like `between`, less the working time inside each pause. Raises as `between` does."""
        first, last = _seconds(start), _seconds(end)
        cut = sum(self._worked(max(first, a), min(last, b)) for a, b in _merged(pauses))
        return timedelta(0, self._worked(first, last) - cut)

    def is_open(self, at: datetime) -> bool:
        """Whether the desk is open at this instant; at closing time it no longer is. Raises `ValueError` when naive."""
        second = _seconds(at)
        index = self._covering(second, second + 1)
        spell = bisect_right(index.starts, second) - 1
        return spell >= 0 and second < index.ends[spell]

    def next_opening(self, at: datetime) -> datetime:
        """The first open instant from `at` on: `at` itself (UTC, whole seconds) while the desk is open.

        Raises `ValueError` when naive, `NeverOpen` when the calendar does not open again.
        """
        second = _seconds(at)
        index = self._index_reaching(second, 1)
        spell = bisect_right(index.starts, second) - 1
        if spell >= 0 and second < index.ends[spell]:
            return _utc(second)
        return _utc(index.starts[spell + 1])

    def open_for(self, at: datetime, at_most: timedelta) -> timedelta:
        """How long the desk stays open from this instant on, in whole seconds; 0 while closed. Raises as `is_open`."""
        second, most = _seconds(at), _amount(at_most)
        index = self._covering(second, second + most)
        spell = bisect_right(index.starts, second) - 1
        if spell < 0 or second >= index.ends[spell]:
            return timedelta(0)
        return timedelta(0, min(index.ends[spell] - second, most))

    def closing(self, at: datetime) -> datetime:
        """When the desk closes that is open at this instant (UTC). For calendars that do close: one that is open round
        the clock answers the end of the years laid out so far. Raises `ValueError` when naive, or closed at `at`.
        """
        second = _seconds(at)
        index = self._covering(second, second + 1)
        spell = bisect_right(index.starts, second) - 1
        if spell < 0 or second >= index.ends[spell]:
            raise ValueError(f"The desk is closed at {at.isoformat()}: it has no closing time there.")
        return _utc(index.ends[spell])

    def explain(self, start: datetime, amount: timedelta, pauses: Iterable[Pause] = ()) -> list[Step]:
        """The way from `start` to the deadline as steps without gaps, in order (domain §4.3).

        Nights and weekends in a row are one "closed" step, "holiday" when they hold days that would have been open
        otherwise. The last step ends at the deadline; no amount, no steps. Raises as `add_with_pauses` does.
        """
        at, wanted, cut = _seconds(start), _amount(amount), _merged(pauses)
        due = _seconds(self._due(at, wanted, cut))
        steps: list[Step] = []
        for first, last in cut:
            if first >= due:
                break
            if last <= at:
                continue
            first = max(first, at)
            steps += self._steps(at, first)
            steps.append(Step("paused", _utc(first), _utc(last)))
            at = last
        return steps + self._steps(at, due)

    def prepare(self, first_year: int, last_year: int) -> None:
        """Lay out these years (both included) now, so that the first question does not pay for it."""
        self._covering(_year(first_year), _year(last_year + 1))

    # Inside: everything below counts in whole UTC seconds since 1970.

    def _due(self, at: int, wanted: int, pauses: Spells | tuple[()] = ()) -> datetime:
        if wanted < 0:
            raise ValueError("An amount of working time cannot be negative.")
        if wanted == 0:
            return _utc(at)
        for first, last in pauses:
            first = max(first, at)
            if last <= first:
                continue
            # Only differences within one index count: another thread may have grown it to the left meanwhile.
            index = self._covering(at, last)
            if _position(index, first) - _position(index, at) >= wanted:
                break
            wanted += _position(index, last) - _position(index, first)
        index = self._index_reaching(at, wanted)
        target = _position(index, at) + wanted
        spell = bisect_left(index.before, target) - 1
        return _utc(index.starts[spell] + target - index.before[spell])

    def _worked(self, first: int, last: int) -> int:
        if last <= first:
            return 0
        index = self._covering(first, last)
        return _position(index, last) - _position(index, first)

    def _steps(self, at: int, end: int) -> list[Step]:
        index = self._covering(at, end) if at < end else None
        steps: list[Step] = []
        while index and at < end:
            spell = bisect_right(index.starts, at) - 1
            if spell >= 0 and at < index.ends[spell]:
                until = min(end, index.ends[spell])
                steps.append(Step("counted", _utc(at), _utc(until), counted=timedelta(0, until - at)))
            else:
                until = min(end, index.starts[spell + 1]) if spell + 1 < len(index.starts) else end
                dates = self._days_off(at, until)
                steps.append(Step("holiday" if dates else "closed", _utc(at), _utc(until), dates=dates))
            at = until
        return steps

    def _days_off(self, first: int, last: int) -> tuple[date, ...]:
        """Dates touched by [first, last) that the week would have open but a holiday or an empty override closes."""
        on = datetime.fromtimestamp(first, self.timezone).date()
        until = datetime.fromtimestamp(last - 1, self.timezone).date()
        found = []
        while on <= until:
            if self._dated.get(_day(on)) == [] and self._weekly[on.weekday()]:
                found.append(on)
            on += timedelta(1)
        return tuple(found)

    def _index_reaching(self, at: int, wanted: int) -> _Index:
        """An index that holds `at` and at least `wanted` working seconds after it."""
        index = self._covering(at, at + 1)
        years = 2
        while index.total - _position(index, at) < wanted:
            if index.last >= _year(LAST_YEAR + 1):
                raise NeverOpen(
                    f"The calendar ({self.timezone.key}) is never open for {timedelta(0, wanted)} "
                    f"between {_utc(at):%Y-%m-%d %H:%M} UTC and the end of {LAST_YEAR}."
                )
            index = self._covering(at, _year(min(_utc(index.last).year + years, LAST_YEAR + 1)))
            years *= 2
        return index

    def _covering(self, first: int, last: int) -> _Index:
        """The index, grown by whole years where it does not reach from `first` to `last` yet."""
        index = self._index
        if index is not None and index.first <= first and last <= index.last:
            return index
        # A bound, because a proposed date in the year 9999 must be refused, not laid out day by day.
        if first < _year(FIRST_YEAR) or last > _year(LAST_YEAR + 1):
            raise ValueError(f"Calendars count working time in the years {FIRST_YEAR} to {LAST_YEAR} only.")
        low = _year(_utc(first).year)
        high = _year(min(_utc(last).year + 2, LAST_YEAR + 1))
        if index is None:
            index = _joined(None, low, high, self._open_spells(low, high))
        if low < index.first:
            index = _joined(index, low, index.first, self._open_spells(low, index.first))
        if high > index.last:
            index = _joined(index, index.last, high, self._open_spells(index.last, high))
        self._index = index
        return index

    def _open_spells(self, first: int, last: int) -> Spells:
        """The open spells of [first, last), adjacent ones made one."""
        weekly, dated = self._weekly, self._dated
        found: Spells = []
        tail = None  # end of the last spell
        for start, end, offset in self._offsets(first, last):
            for day in range((start + offset) // DAY, (end + offset - 1) // DAY + 1):
                spells = dated.get(day)
                if spells is None:
                    spells = weekly[(day + 3) % 7]  # day 0, 1 January 1970, was a Thursday
                midnight = day * DAY - offset
                for opens, closes in spells:
                    a, b = midnight + opens, midnight + closes
                    # The wall clock jumps at the edges of [start, end): what lies beyond belongs to the next offset.
                    if a < start:
                        a = start
                    if b > end:
                        b = end
                    if a >= b:
                        continue
                    if a == tail:
                        found[-1] = (found[-1][0], b)
                    else:
                        found.append((a, b))
                    tail = b
        return found

    def _offsets(self, first: int, last: int) -> list[tuple[int, int, int]]:
        """[first, last) cut where the zone changes its offset from UTC: (start, end, offset in seconds)."""
        zone = self.timezone

        def offset(second: int) -> int:
            shift = datetime.fromtimestamp(second, zone).utcoffset() or timedelta(0)
            return shift.days * DAY + shift.seconds

        pieces = []
        start, current = first, offset(first)
        # Looking once a day finds every change: no zone ever left an offset and came back to it within a day.
        for second in range(first + DAY, last + DAY, DAY):
            after = offset(min(second, last - 1))
            if after == current:
                continue
            low, high = second - DAY, min(second, last - 1)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == current else (low, middle)
            pieces.append((start, high, current))
            start, current = high, offset(high)
        pieces.append((start, last, current))
        return pieces


def _position(index: _Index, second: int) -> int:
    """Working seconds from the beginning of the index to this second."""
    spell = bisect_right(index.starts, second) - 1
    if spell < 0:
        return 0
    return index.before[spell] + min(second, index.ends[spell]) - index.starts[spell]


def _joined(index: _Index | None, first: int, last: int, spells: Spells) -> _Index:
    """The index with the spells of the neighbouring stretch [first, last) put before or behind its own."""
    starts, ends = [a for a, _ in spells], [b for _, b in spells]
    if index is not None:
        first, last = min(first, index.first), max(last, index.last)
        if starts and starts[0] < index.first:
            starts, ends = starts + index.starts, ends + index.ends
        else:
            starts, ends = index.starts + starts, index.ends + ends
        seam = next((i for i in range(1, len(starts)) if starts[i] == ends[i - 1]), None)
        if seam is not None:
            del starts[seam], ends[seam - 1]
    lengths = [end - start for start, end in zip(starts, ends, strict=True)]
    before = list(accumulate(lengths, initial=0))
    return _Index(first, last, starts, ends, before[:-1], before[-1])


def _zone(timezone: str | ZoneInfo) -> ZoneInfo:
    if isinstance(timezone, ZoneInfo):
        return timezone
    try:
        return ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"There is no time zone {timezone!r}.") from None


def _spells(pairs: Iterable[Pair], day: str) -> Spells:
    """One day's pairs as sorted, disjoint seconds since its midnight."""
    found: Spells = []
    for start, end in pairs:
        if start.tzinfo is not None or end.tzinfo is not None:
            raise ValueError(f"{day}: hours are times of the calendar's own zone, without a zone of their own.")
        opens = start.hour * 3600 + start.minute * 60 + start.second
        closes = end.hour * 3600 + end.minute * 60 + end.second or DAY
        if closes <= opens:
            raise ValueError(
                f"{day}: {start:%H:%M}-{end:%H:%M} does not end after its start; "
                "hours over midnight are two pairs, one on each day."
            )
        found.append((opens, closes))
    return _merged_seconds(found)


def _merged_seconds(spells: Spells) -> Spells:
    merged: Spells = []
    for first, last in sorted(spells):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _merged(pauses: Iterable[Pause]) -> Spells:
    """Pauses as sorted, disjoint UTC seconds; reversed and empty ones dropped."""
    found: Spells = []
    for start, end in pauses:
        if start is None or end is None:
            raise ValueError("A pause needs a start and an end; while it runs there is no deadline yet.")
        first, last = _seconds(start), _seconds(end)
        if first < last:
            found.append((first, last))
    return _merged_seconds(found)


def _day(on: date) -> int:
    """Days since 1 January 1970."""
    if isinstance(on, datetime) or not isinstance(on, date):
        raise ValueError(f"A special day is a date, not {on!r}.")
    return on.toordinal() - 719_163


def _year(year: int) -> int:
    return (date(year, 1, 1).toordinal() - 719_163) * DAY


def _amount(amount: timedelta) -> int:
    return amount.days * DAY + amount.seconds


def _seconds(at: datetime) -> int:
    """Whole seconds since 1970 UTC."""
    try:
        since = at - EPOCH
    except TypeError:
        raise _naive(at) from None
    return since.days * DAY + since.seconds


def _utc(second: int) -> datetime:
    return EPOCH + timedelta(0, second)


def _naive(at: object) -> ValueError:
    return ValueError(f"Working time needs a datetime with a time zone, not {at!r}.")
