"""Whether a running promise will be kept: a verdict, when it is expected, and why. Pure: no Django, no clock.

Three things are looked at, each with what is known now and nothing else: when anybody of the line is there (*hours*),
what comes before it in the line's deadline order at the line's best tempo lately (*load*), and what became of others
that had run as long as this one (*pace*). Hours and load can only make it later; the pace says how it mostly ends.
With too few others the pace is left out and said so. Moments are aware; amounts are service time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sla.business_time import NeverOpen, WorkingCalendar

ENOUGH = 12  # fewer others in all say nothing about the next one
COMPARABLE = 6  # fewer that ran as long: others are asked too that are less alike
RISK = 0.4  # two in five of those that ran this long were missed: worth a look
MISS = 0.6  # three in five were
NARROW = 0.25  # its turn comes in the last quarter of the time that is left


class Verdict(StrEnum):
    KEPT = "kept"
    AT_RISK = "at_risk"
    MISSED = "missed"


class Reason(StrEnum):
    PAST = "past"  # the deadline has passed
    NOBODY = "nobody"  # nobody of the line is there before it
    AHEAD = "ahead"  # too many come before it
    PACE = "pace"  # most that ran as long as this were missed
    SLOWEST = "slowest"  # it has run longer than all lately
    USUAL = "usual"  # as most, it ends in time
    HOURS = "hours"  # too few others: somebody is there before the deadline, and that is all that is known


class Running(NamedTuple):
    """A promise that runs: due at an instant, `target` of service time on its own calendar."""

    due_at: datetime
    target: timedelta
    calendar: WorkingCalendar
    missed: bool = False


class LineNow(NamedTuple):
    """The line that has it: its hours, its people and what comes first.

    `planned`: the hours are a plan of who is there; else only the office's, and somebody may come all the same.
    `back_at`: when the first of its people returns, where all are away now. `best_day`: the most clocks that the line
    ended in one day lately (0: it is not known), with all its people. `day`: the working time of such a day.
    """

    hours: WorkingCalendar
    people: int
    away: int = 0
    back_at: datetime | None = None
    ahead: int = 0
    best_day: int = 0
    day: timedelta = timedelta(hours=9)
    planned: bool = False

    @property
    def here(self) -> int:
        return max(self.people - self.away, 0)


class Forecast(NamedTuple):
    """What is expected. `expected`: when it ends, None where nobody can say.

    `longer` of the `seen` others ran as long as this one has, and `over` of those did not end in time.
    """

    verdict: Verdict
    reason: Reason
    expected: datetime | None = None
    somebody_from: datetime | None = None
    ahead: int = 0
    seen: int = 0
    longer: int = 0
    over: int = 0

    @property
    def is_by_hours_only(self) -> bool:
        """Whether too few others are known for the pace to say anything."""
        return self.seen < ENOUGH and self.reason != Reason.PAST


def forecast(clock: Running, line: LineNow, others: Sequence[Sequence[float]], now: datetime) -> Forecast:
    """What becomes of a promise that runs at `now`; one that stands is not to be asked about.

    `others`: how long others of its kind lately took, as parts of their targets, in order; those most like it (line,
    priority) first, then wider circles.
    """
    return forecast_from(clock, line, others, now, first_there(line, now))


def forecast_from(
    clock: Running, line: LineNow, others: Sequence[Sequence[float]], now: datetime, somebody: datetime | None
) -> Forecast:
    """The same where it is known when somebody of the line is there (`first_there`): of many promises asked once."""
    if clock.missed or now > clock.due_at:
        return Forecast(Verdict.MISSED, Reason.PAST)
    pace = by_pace(clock, others, now)
    seen = pace.seen if pace else 0
    if somebody is None or somebody >= clock.due_at:
        sure = line.planned or line.here == 0
        return Forecast(
            Verdict.MISSED if sure else Verdict.AT_RISK,
            Reason.NOBODY,
            expected=somebody,
            somebody_from=somebody,
            seen=seen,
        )
    reached = turn_comes(line, somebody)
    if reached > clock.due_at:
        return Forecast(Verdict.MISSED, Reason.AHEAD, expected=reached, ahead=line.ahead, seen=seen)
    told: dict[str, Any] = {"expected": reached, "somebody_from": somebody, "ahead": line.ahead, "seen": seen}
    if pace is not None:
        told |= {"longer": pace.longer, "over": pace.over}
        told["expected"] = None if pace.expected is None else max(pace.expected, reached)
    if reached > somebody and is_narrow(clock, reached, now) and (pace is None or pace.verdict == Verdict.KEPT):
        return Forecast(Verdict.AT_RISK, Reason.AHEAD, **told | {"expected": reached})
    if pace is None:
        return Forecast(Verdict.KEPT, Reason.HOURS, **told)
    return Forecast(pace.verdict, pace.reason, **told)


def is_narrow(clock: Running, reached: datetime, now: datetime) -> bool:
    """Whether little of the time that is left now is left still when its turn comes."""
    left = clock.calendar.between(now, clock.due_at)
    return clock.calendar.between(reached, clock.due_at) < left * NARROW


def first_there(line: LineNow, now: datetime) -> datetime | None:
    """When somebody of the line is there: now, at the next opening, or when the first of them returns; None: never."""
    if line.people == 0:
        return None
    at = now
    if line.here == 0:
        if line.back_at is None:
            return None
        at = max(now, line.back_at)
    try:
        return line.hours.next_opening(at)
    except NeverOpen:
        return None


def turn_comes(line: LineNow, somebody: datetime) -> datetime:
    """When those ahead are done, if they are more than the line did on its best day lately; else nothing is known.

    A day on which it did so many shows that it can, not that it can do no more: on most days a line does what comes. So
    only whole days of work ahead are counted, each as long as the best one, longer by the share that is away.
    """
    if not line.ahead or not line.best_day:
        return somebody
    a_day = line.best_day * (line.here or 1) / line.people  # the first one is back by then
    days = int(line.ahead / a_day)
    try:
        return line.hours.add(somebody, line.day * days)
    except (NeverOpen, OverflowError):
        return somebody


def by_pace(clock: Running, others: Sequence[Sequence[float]], now: datetime) -> Forecast | None:
    """What those say that ran as long as this one has; None where they are too few in all.

    The narrowest circle is asked in which enough ran as long, else the widest. One more of either ending is thought in
    (the rule of succession), so that few are never certain.
    """
    circles = [parts for parts in others if len(parts) >= ENOUGH]
    if not circles or not clock.target:
        return None
    used = 1 - clock.calendar.between(now, clock.due_at) / clock.target
    parts, longer = next(
        ((parts, found) for parts in circles if len(found := parts[bisect_right(parts, used) :]) >= COMPARABLE),
        (circles[-1], circles[-1][bisect_right(circles[-1], used) :]),
    )
    over = len(longer) - bisect_right(longer, 1.0)
    chance = (over + 1) / (len(longer) + 2)
    verdict = Verdict.MISSED if chance > MISS else Verdict.AT_RISK if chance >= RISK else Verdict.KEPT
    reason = Reason.USUAL if verdict == Verdict.KEPT else Reason.PACE if longer else Reason.SLOWEST
    expected = None
    if longer:
        half = longer[len(longer) // 2]
        rest = timedelta(seconds=int((clock.target * max(half - used, 0)).total_seconds()))
        expected = clock.calendar.add(now, rest)
    return Forecast(verdict, reason, expected, seen=len(parts), longer=len(longer), over=over)
