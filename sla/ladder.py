"""The ladder as plain values: its rungs, which of them are reached, and when their letters may go. Pure (domain §4.4).

A rung is kept in its commitment as {"percent", "whom", "at", "within", "quiet"}: what the ladder said when the clock
started, with the moment of the rung. Moments are aware; percents are of business time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")  # the hours of the vendor's people
MISSED = 100  # percent: the rung of the deadline itself is reached only after it ("at most" holds to its instant)


class Step(NamedTuple):
    """A rung as the ladder says it: at `percent` of the business time `whom` is called in.

    `within`: minutes of service time in which somebody acknowledges it, else the next rung is called; None: nobody
    waits for that. `quiet`: the hours of the day, Moscow time, in which its letter waits.
    """

    percent: int
    whom: str
    within: int | None = None
    quiet: tuple[time, time] | None = None


class Reached(NamedTuple):
    """A rung that has been reached: its place in the ladder, what it says, and when it fell due.

    `is_early`: before its own moment, because nobody acknowledged the rung below in its time.
    """

    position: int
    step: Step
    at: datetime
    is_early: bool = False


def rung_of(step: Step, at: datetime) -> dict[str, Any]:
    """The rung as a commitment keeps it, with its moment; what a step does not have is left out."""
    rung: dict[str, Any] = {"percent": step.percent, "whom": step.whom, "at": at.isoformat()}
    if step.within is not None:
        rung["within"] = step.within
    if step.quiet is not None:
        rung["quiet"] = [f"{hour:%H:%M}" for hour in step.quiet]
    return rung


def step_of(rung: Mapping[str, Any]) -> Step:
    """The step that a kept rung was laid out from. Raises `KeyError` or `ValueError` for what is no rung."""
    quiet = rung.get("quiet")
    return Step(
        rung["percent"],
        rung["whom"],
        rung.get("within"),
        (time.fromisoformat(quiet[0]), time.fromisoformat(quiet[1])) if quiet else None,
    )


def next_rungs(
    rungs: Sequence[Mapping[str, Any]], done: int, now: datetime, *, unheard_since: datetime | None = None
) -> tuple[list[Reached], datetime | None]:
    """The rungs reached by now and not yet done, in order, and the moment of the next one (None: no more).

    `unheard_since` is when the time to acknowledge the last rung ran out: then the one above is reached as well.
    """
    reached: list[Reached] = []
    for position, rung in enumerate(rungs[done:], start=done):
        at = datetime.fromisoformat(rung["at"])
        if at > now or (rung["percent"] >= MISSED and at == now):
            if unheard_since is not None and not reached:
                reached.append(Reached(position, step_of(rung), unheard_since, is_early=True))
                continue
            return reached, at
        reached.append(Reached(position, step_of(rung), at))
    return reached, None


def letter_after(step: Step, priority: int, now: datetime) -> datetime | None:
    """When the letter of a rung reached now may go: the end of its quiet hours; None: at once.

    Quiet hours hold back warnings: priority 1 and a missed promise wake people always, and the customer hears of a
    miss at once. They are the vendor's hours, Moscow time, and may run over midnight.
    """
    if step.quiet is None or priority == 1 or step.percent >= MISSED:
        return None
    starts, ends = step.quiet
    local = now.astimezone(MOSCOW)
    clock = local.time()
    within = starts <= clock < ends if starts < ends else clock >= starts or clock < ends
    if not within:
        return None
    day = local.date() if clock < ends else local.date() + timedelta(days=1)
    return datetime.combine(day, ends, MOSCOW)
