"""A chip that goes on shows what a chip that is looked at anew shows (sla/chip_ahead.py)."""

from datetime import datetime, time, timedelta

import pytest
from django.utils import translation
from hypothesis import example, given
from hypothesis import strategies as st

from sla.business_time import WorkingCalendar
from sla.chip import Clock, chip
from sla.chip_ahead import ahead
from sla.words import MOSCOW

CALENDARS = [
    WorkingCalendar("Europe/Moscow", {day: [(time(9), time(18))] for day in range(5)}),
    WorkingCalendar("Europe/Moscow", {day: [(time(0), time(0))] for day in range(7)}),
    WorkingCalendar("Europe/Moscow", {day: [(time(9), time(13)), (time(13, 0, 20), time(13, 1))] for day in range(7)}),
]
WEDNESDAY = datetime(2026, 11, 18, tzinfo=MOSCOW)
HOUR = timedelta(hours=1)


def seconds(least: int, most: int) -> st.SearchStrategy[timedelta]:
    return st.integers(least, most).map(lambda amount: timedelta(seconds=amount))


SOMETIME = st.one_of(st.none(), seconds(-3 * 86400, 86400))


@given(
    at=seconds(0, 7 * 86400),
    parts=st.integers(0, 999_999),
    later=st.one_of(seconds(0, 130), seconds(0, 2 * 86400)),
    due=st.one_of(seconds(-7200, 7200), seconds(-3 * 86400, 5 * 86400)),
    target=st.sampled_from([timedelta(minutes=30), HOUR, 8 * HOUR, 45 * HOUR]),
    paused=SOMETIME,
    ending=st.sampled_from(["", "", "", "missed", "met", "cancelled"]),
    agreed=st.booleans(),
    calendar=st.sampled_from(CALENDARS),
)
@example(12 * HOUR, 0, timedelta(seconds=59), HOUR, HOUR, None, "", False, CALENDARS[0])
@example(12 * HOUR, 5, timedelta(seconds=61), 46 * timedelta(minutes=1), 8 * HOUR, None, "", False, CALENDARS[1])
def test_later_it_is_the_same_as_looked_at_then(at, parts, later, due, target, paused, ending, agreed, calendar):
    now = WEDNESDAY + at + timedelta(microseconds=parts)
    stopped = {"stopped_at": WEDNESDAY + at - HOUR} if ending in ("met", "cancelled") else {}
    clock = Clock(
        "resolution",
        WEDNESDAY + at + due,
        target,
        started_at=WEDNESDAY + at - 4 * 24 * HOUR,
        paused_at=None if paused is None or ending else WEDNESDAY + at + paused,
        ending=ending,
        agreed=agreed,
        **stopped,
    )
    with translation.override("ru"):
        going_on = ahead(clock, now, calendar, MOSCOW)

        assert going_on.chip == chip(clock, now, calendar, MOSCOW)
        then = going_on.at(now + later)
        assert then is None or then == chip(clock, now + later, calendar, MOSCOW)


def test_nothing_promised_stays_so():
    assert ahead(None, WEDNESDAY, None).at(WEDNESDAY + 900 * HOUR) == chip(None, WEDNESDAY, None)


@pytest.mark.parametrize(
    ("left", "holds"),
    [
        (timedelta(minutes=30), 60),  # "30 мин" until 29:00 are left
        (timedelta(minutes=29, seconds=20), 20),
        (timedelta(seconds=1), 1),  # then it is late
        (timedelta(0), 60),
        (-timedelta(seconds=61), 59),
    ],
)
def test_it_holds_for_the_rest_of_its_minute(left, holds):
    now = WEDNESDAY + 12 * HOUR
    going_on = ahead(Clock("reaction", now + left, 8 * HOUR), now, CALENDARS[1], MOSCOW)

    assert going_on.until - going_on.since == timedelta(seconds=holds)
    assert going_on.at(going_on.until) is None
    assert going_on.at(now - timedelta(seconds=1)) is None


def test_it_holds_no_longer_than_the_desk_is_open():
    now = WEDNESDAY + timedelta(hours=17, minutes=59, seconds=50)
    going_on = ahead(Clock("resolution", now + 48 * HOUR, 8 * HOUR), now, CALENDARS[0], MOSCOW)

    assert going_on.until == WEDNESDAY + 18 * HOUR
