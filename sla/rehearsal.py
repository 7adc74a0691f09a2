"""Which rungs a ladder would have called for promises that ran: the sweep played again over plain values. Pure.

Looks at a promise at the very moments at which the sweep would have (`sla/sweep.py`), so that the answer is the rows it
would have written (`tests/sla/test_ladder_preview.py` holds the two equal). Moments are aware; spans are business time.

What is known of the past only as it was is taken as it was: an acknowledgement counts where the proposed rung calls the
same place and had been called by then; who was never called did not say “I have it”.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sla.business_time import WorkingCalendar
from sla.ladder import MOSCOW, Reached, Step, letter_after, next_rungs, rung_of

SECOND = timedelta(seconds=1)
ON_TIME = timedelta(minutes=5)  # as the sweep has it: a rung written later is waited for from then on
NIGHT = (22, 8)  # hours of Moscow, [from, until), over midnight


class Heard(NamedTuple):
    """Somebody said “I have it”, to a rung of so many percent."""

    percent: int
    whom: str
    at: datetime


class Ran(NamedTuple):
    """A promise as it ran. `stopped_at` None: it still does; `paused_at`: since when it stands now.

    `looked_at_from`: from when on it was looked at; its start, or when it took over from another row. `rungs` are the
    (percent, whom) that its own ladder had; `heard` what was acknowledged of them.
    """

    key: int
    calendar: WorkingCalendar
    priority: int
    started_at: datetime
    target: timedelta
    pauses: Sequence[tuple[datetime, datetime]] = ()
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    looked_at_from: datetime | None = None
    rungs: frozenset[tuple[int, str]] = frozenset()
    heard: Sequence[Heard] = ()


class Call(NamedTuple):
    """A rung that would have been called. `wakes`: at night, and its letter does not wait for the morning."""

    key: int
    position: int
    step: Step
    at: datetime
    is_early: bool
    wakes: bool


def taken_over(ran: Ran, steps: Sequence[Step], called: int) -> int:
    """Of the first rungs that the row before has called: how many are behind this row too (`clocks.agree`)."""
    since = ran.looked_at_from or ran.started_at
    behind = 0
    for step in steps[:called]:
        if _moment(ran, step.percent) > since:
            break
        behind += 1
    return behind


def rehearse(ran: Ran, steps: Sequence[Step], now: datetime, *, called_before: int = 0) -> list[Call]:
    """The calls of this promise with these rungs, in order, up to its end, its present pause, or `now`.

    `called_before`: how many of the first rungs another row of the same promise has called already.
    """
    rungs = [rung_of(step, _moment(ran, step.percent)) for step in steps]
    own = [datetime.fromisoformat(rung["at"]) for rung in rungs]
    due = _moment(ran, 100)
    ends = min(moment for moment in (ran.stopped_at, ran.paused_at, now) if moment is not None)
    calls: list[Call] = []
    done, missed = called_before, False
    waits: datetime | None = None  # by when the last rung is to be acknowledged
    look: datetime | None = max(min([*own[done:], due]), ran.looked_at_from or ran.started_at)
    while look is not None and look <= ends:
        resumes = next((upper for lower, upper in ran.pauses if lower < look < upper), None)
        if resumes is not None:  # a clock that stands is not looked at; then by its rungs alone
            look = min([*own[done:], *([] if missed else [due])], default=None)
            look = max(look, resumes) if look is not None else None
            continue
        if waits is not None and _is_heard(ran, calls[-1], look):
            waits = None
        unheard = waits if waits is not None and waits <= look else None
        reached, following = next_rungs(rungs, done, look, unheard_since=unheard)
        calls += [_call(ran, rung, look) for rung in reached]
        done += len(reached)
        moments: list[datetime | None] = [following]
        if not missed and look > due:
            missed = True
        elif not missed:
            moments.append(due)
        if reached:
            waits = _acknowledge_by(ran, reached[-1], look)
        if done < len(rungs) and (reached or unheard is None):
            moments.append(waits)
        following_look = min((moment for moment in moments if moment is not None), default=None)
        look = max(following_look, look + SECOND) if following_look is not None else None
    return calls


def _moment(ran: Ran, percent: int) -> datetime:
    """As `clocks.lay_out` has it."""
    return ran.calendar.add_with_pauses(ran.started_at, ran.target * percent / 100, ran.pauses)


def _call(ran: Ran, rung: Reached, look: datetime) -> Call:
    wakes = is_night(rung.at) and letter_after(rung.step, ran.priority, look) is None
    return Call(ran.key, rung.position, rung.step, rung.at, rung.is_early, wakes)


def _acknowledge_by(ran: Ran, rung: Reached, look: datetime) -> datetime | None:
    if rung.step.within is None:
        return None
    since = rung.at if look - rung.at <= ON_TIME else look
    return ran.calendar.add(since, timedelta(minutes=rung.step.within))


def _is_heard(ran: Ran, call: Call, by: datetime) -> bool:
    """Whether somebody of that place had said “I have it” by this moment, to this rung or, of the old ladder, any."""
    step = call.step
    known = (step.percent, step.whom) in ran.rungs
    return any(
        heard.whom == step.whom and call.at <= heard.at <= by and (not known or heard.percent >= step.percent)
        for heard in ran.heard
    )


def is_night(at: datetime) -> bool:
    """Whether a moment lies between ten in the evening and eight in the morning, Moscow."""
    hour = at.astimezone(MOSCOW).hour
    return hour >= NIGHT[0] or hour < NIGHT[1]


def rungs_of(kept: Sequence[Any]) -> frozenset[tuple[int, str]]:
    """The (percent, whom) of rungs as a commitment keeps them; a row that cannot be read (sweep, poison) has none."""
    return frozenset(
        (rung["percent"], rung["whom"]) for rung in kept if isinstance(rung, dict) and {"percent", "whom"} <= set(rung)
    )
