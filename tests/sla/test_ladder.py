"""The ladder as plain values: what is reached, what is called early, when a letter may go (domain §4.4)."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from sla.ladder import Step, letter_after, next_rungs, rung_of, step_of

MOSCOW = ZoneInfo("Europe/Moscow")
NIGHT = (time(22), time(8))
LUNCH = (time(13), time(14))


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW)


@pytest.mark.parametrize(
    "step",
    [Step(50, "assignee"), Step(75, "line_lead", 30), Step(100, "csm", None, NIGHT), Step(100, "csm", 15, LUNCH)],
)
def test_a_rung_is_kept_as_its_step_says(step):
    assert step_of(rung_of(step, moscow(17, 10))) == step


def test_a_plain_rung_keeps_nothing_that_it_does_not_say():
    assert rung_of(Step(50, "assignee"), moscow(17, 10)) == {
        "percent": 50,
        "whom": "assignee",
        "at": "2026-11-17T10:00:00+03:00",
    }


RUNGS = [
    rung_of(Step(50, "assignee", 15), moscow(17, 11)),
    rung_of(Step(75, "line_lead", 15), moscow(17, 12)),
    rung_of(Step(100, "csm"), moscow(17, 13)),
]


def test_an_unheard_rung_calls_the_next_before_its_time():
    found, following = next_rungs(RUNGS, 1, moscow(17, 11, 15), unheard_since=moscow(17, 11, 15))

    assert [(rung.position, rung.at, rung.is_early) for rung in found] == [(1, moscow(17, 11, 15), True)]
    assert following == moscow(17, 13)


def test_a_rung_whose_own_moment_came_is_not_early():
    found, _following = next_rungs(RUNGS, 1, moscow(17, 12, 30), unheard_since=moscow(17, 11, 15))

    assert [(rung.position, rung.at, rung.is_early) for rung in found] == [(1, moscow(17, 12), False)]


def test_nothing_stands_above_the_last_rung():
    assert next_rungs(RUNGS, 3, moscow(17, 14), unheard_since=moscow(17, 13, 30)) == ([], None)


@pytest.mark.parametrize(
    ("quiet", "now", "goes"),
    [
        (NIGHT, moscow(17, 21, 59), None),
        (NIGHT, moscow(17, 22), moscow(18, 8)),
        (NIGHT, moscow(18, 0), moscow(18, 8)),
        (NIGHT, moscow(18, 7, 59), moscow(18, 8)),
        (NIGHT, moscow(18, 8), None),
        (LUNCH, moscow(17, 13, 30), moscow(17, 14)),
        (LUNCH, moscow(17, 14), None),
        (None, moscow(17, 3), None),
    ],
)
def test_a_letter_waits_for_the_end_of_quiet_hours(quiet, now, goes):
    assert letter_after(Step(75, "csm", quiet=quiet), 2, now) == goes


def test_priority_1_wakes_people_always():
    assert letter_after(Step(75, "csm", quiet=NIGHT), 1, moscow(18, 3)) is None


def test_a_missed_promise_wakes_people_always():
    assert letter_after(Step(100, "csm", quiet=NIGHT), 3, moscow(18, 3)) is None
