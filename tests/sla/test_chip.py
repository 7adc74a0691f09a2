"""The deadline chip and the track (`sla/chip.py`): every state, its threshold and its words (direction §7)."""

from datetime import datetime, time, timedelta

import pytest
from django.utils import translation

from contracts.terms import WORKING_DAY
from sla.business_time import WorkingCalendar
from sla.chip import ICONS, Clock, Part, chip, track
from sla.words import MOSCOW

WORKDAYS = WorkingCalendar("Europe/Moscow", {day: [(time(9), time(18))] for day in range(5)})
ALWAYS = WorkingCalendar("Europe/Moscow", {day: [(time(0), time(0))] for day in range(7)})


def at(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A moment of November 2026 in Moscow; the 18th is a Wednesday."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=MOSCOW)


NOW = at(18, 13, 28)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def clock(due_at: datetime | None, target: timedelta = 8 * HOUR, **fields) -> Clock:
    return Clock(fields.pop("kind", "reaction"), due_at, target, fields.pop("started_at", at(17, 9)), **fields)


@pytest.fixture(autouse=True)
def russian():
    with translation.override("ru"):
        yield


def test_none_where_nothing_is_promised():
    for nothing in (None, clock(None)):
        drawn = chip(nothing, NOW, WORKDAYS)

        assert (drawn.state, drawn.value, drawn.due_at, drawn.left) == ("none", "нет срока", None, None)


@pytest.mark.parametrize("ending", ["cancelled", "superseded"])
def test_none_where_the_promise_no_longer_counts(ending):
    drawn = chip(clock(at(18, 12), ending=ending, stopped_at=at(18, 11)), NOW, WORKDAYS)

    assert (drawn.state, drawn.value) == ("none", "срок снят")


def test_ok_shows_business_time_left_and_keeps_the_instant():
    drawn = chip(clock(at(19, 12, 10), 2 * WORKING_DAY, kind="resolution"), NOW, WORKDAYS)

    assert (drawn.state, drawn.value) == ("ok", "7 ч 42 мин")
    assert drawn.spoken == "Решение: осталось 7 ч 42 мин"
    assert drawn.due_at == at(19, 12, 10)
    assert drawn.left == timedelta(hours=7, minutes=42)


def test_time_left_is_rounded_up_so_that_it_agrees_with_the_wall_clock():
    assert chip(clock(at(18, 17, 8)), at(18, 13, 28, 4), WORKDAYS).value == "3 ч 40 мин"
    assert chip(clock(at(18, 13, 29)), at(18, 13, 28, 59), WORKDAYS).value == "1 мин"


@pytest.mark.parametrize(
    ("target", "left", "state"),
    [
        # 25 % of 4 h is an hour, 10 % is 24 min: neither limit counts.
        (4 * HOUR, 61 * MINUTE, "ok"),
        (4 * HOUR, 60 * MINUTE, "soon"),
        (4 * HOUR, 25 * MINUTE, "soon"),
        (4 * HOUR, 24 * MINUTE, "crit"),
        # A short target: never later than 45 and 15 minutes before.
        (30 * MINUTE, 30 * MINUTE, "soon"),
        (30 * MINUTE, 16 * MINUTE, "soon"),
        (30 * MINUTE, 15 * MINUTE, "crit"),
        (2 * HOUR, 46 * MINUTE, "ok"),
        (2 * HOUR, 45 * MINUTE, "soon"),
        # A long target: never earlier than 9 and 2 business hours before.
        (20 * WORKING_DAY, 9 * HOUR + MINUTE, "ok"),
        (20 * WORKING_DAY, 9 * HOUR, "soon"),
        (20 * WORKING_DAY, 2 * HOUR + MINUTE, "soon"),
        (20 * WORKING_DAY, 2 * HOUR, "crit"),
        (20 * WORKING_DAY, timedelta(seconds=1), "crit"),
    ],
)
def test_soon_and_crit_begin_at_a_share_of_the_target_within_limits(target, left, state):
    assert chip(clock(WORKDAYS.add(NOW, left), target), NOW, WORKDAYS).state == state


def test_late_counts_business_time_past_the_deadline():
    drawn = chip(clock(at(17, 9, 20), ending="missed", kind="resolution"), NOW, WORKDAYS)

    assert (drawn.state, drawn.value) == ("late", "−1 р.д. 4 ч")
    assert drawn.spoken == "Решение: просрочено на 1 р.д. 4 ч"
    assert drawn.left == -(13 * HOUR + 8 * MINUTE)


def test_late_from_the_very_instant_even_before_the_sweep_has_seen_it():
    assert chip(clock(NOW), NOW, WORKDAYS).state == "late"
    assert chip(clock(NOW), NOW, WORKDAYS).value == "срок вышел"
    assert chip(clock(at(18, 12, 46), round_the_clock=True), NOW, ALWAYS).value == "−42 мин"


def test_late_over_a_closed_night_does_not_grow():
    drawn = chip(clock(at(18, 18), ending="missed"), at(18, 23), WORKDAYS)

    assert (drawn.state, drawn.value, drawn.ticks) == ("late", "срок вышел", False)


def test_pause_shows_what_will_be_left():
    drawn = chip(clock(at(18, 16, 15), paused_at=at(18, 11, 5), kind="resolution"), NOW, WORKDAYS)

    assert (drawn.state, drawn.value, drawn.ticks) == ("pause", "5 ч 10 мин", False)
    assert drawn.spoken == "Решение: пауза, ждём ответа, останется 5 ч 10 мин"


def test_pause_outlasts_the_old_deadline():
    assert chip(clock(at(18, 12), paused_at=at(18, 11, 5)), NOW, WORKDAYS).state == "pause"


def test_late_stays_late_and_stands_still_while_paused():
    drawn = chip(clock(at(18, 11), ending="missed", paused_at=at(18, 11, 30)), NOW, WORKDAYS)

    assert (drawn.state, drawn.value, drawn.left) == ("late", "−30 мин", None)


def test_sleep_says_when_the_clock_goes_on():
    drawn = chip(clock(at(19, 12)), at(18, 19), WORKDAYS)

    assert (drawn.state, drawn.value) == ("sleep", "с чт 09:00")
    assert chip(clock(at(19, 12)), at(19, 7), WORKDAYS).value == "с 09:00"


def test_sleep_never_comes_round_the_clock():
    assert chip(clock(at(19, 12), round_the_clock=True), at(18, 23), ALWAYS).state == "ok"


def test_met_says_in_how_much_business_time_without_the_pauses():
    drawn = chip(
        clock(
            at(19, 12),
            kind="resolution",
            started_at=at(17, 17),
            ending="met",
            stopped_at=at(18, 11),
            pauses=((at(18, 9, 30), at(18, 10)),),
        ),
        NOW,
        WORKDAYS,
    )

    assert (drawn.state, drawn.value, drawn.spoken) == ("met", "за 2 ч 30 мин", "Решение: выполнено за 2 ч 30 мин")


def test_met_at_once_took_a_minute():
    assert chip(clock(at(18, 17), started_at=at(18, 9), ending="met", stopped_at=at(18, 9)), NOW, WORKDAYS).value == (
        "за 1 мин"
    )


def test_metlate_says_how_late():
    drawn = chip(clock(at(18, 11), ending="missed", stopped_at=at(18, 11, 8), met_late_at=at(18, 11, 8)), NOW, WORKDAYS)

    assert (drawn.state, drawn.value) == ("metlate", "+8 мин")
    assert drawn.spoken == "Реакция: выполнено с опозданием на 8 мин"


def test_agreed_shows_the_day_until_it_draws_near():
    promise = clock(at(27, 18), 10 * WORKING_DAY, kind="resolution", agreed=True)

    assert (chip(promise, NOW, WORKDAYS).state, chip(promise, NOW, WORKDAYS).value) == ("agreed", "пт 27 ноя")
    assert chip(promise, NOW, WORKDAYS).spoken == "Решение: согласовано отдельно: пт 27 ноября, 18:00"
    assert chip(promise, at(18, 22), WORKDAYS).state == "agreed"
    assert chip(promise, at(27, 10), WORKDAYS).state == "soon"
    assert chip(promise, at(27, 17), WORKDAYS).state == "crit"
    assert chip(promise, at(30, 10), WORKDAYS).state == "late"


def test_the_browser_may_count_until_service_closes_and_no_further():
    assert chip(clock(at(19, 12)), at(18, 17, 30), WORKDAYS).open_for == 30 * MINUTE
    assert chip(clock(at(18, 12), ending="missed"), at(18, 17, 30), WORKDAYS).open_for == 30 * MINUTE
    assert chip(clock(at(20, 12), round_the_clock=True), NOW, ALWAYS).open_for == 12 * HOUR


def test_moments_are_written_in_the_zone_that_is_asked_for():
    from zoneinfo import ZoneInfo

    assert chip(clock(at(19, 12)), at(18, 19), WORKDAYS, ZoneInfo("Asia/Yekaterinburg")).value == "с чт 11:00"


def test_every_state_has_an_icon_of_the_sprite():
    from tickets.templatetags.tickets import icon_names

    assert set(ICONS) == {
        "none", "ok", "soon", "crit", "late", "pause", "sleep", "met", "metlate", "agreed", "stale",
    }  # fmt: skip
    assert set(ICONS.values()) <= icon_names()


# The track


def test_track_of_a_running_clock_shows_what_is_used_and_where_it_stands():
    drawn = track(clock(at(18, 17), started_at=at(18, 9)), at(18, 11), WORKDAYS)

    assert drawn.parts == [Part("used", 0.0, 25.0)]
    assert (drawn.now, drawn.due) == (25.0, None)
    assert drawn.spoken == "использовано 2 ч из 8 ч"


def test_track_hatches_pauses_by_the_business_time_they_took():
    drawn = track(
        clock(at(18, 12), started_at=at(17, 9), pauses=((at(17, 11), at(17, 13)), (at(17, 20), at(17, 21)))),
        at(17, 15),
        WORKDAYS,
    )

    assert drawn.parts == [Part("used", 0.0, 16.67), Part("held", 16.67, 16.67), Part("used", 33.33, 16.67)]
    assert drawn.spoken == "использовано 4 ч из 8 ч, пауза 2 ч"


def test_track_of_a_clock_that_stands_keeps_what_is_left():
    drawn = track(clock(at(18, 17), started_at=at(18, 9), paused_at=at(18, 11)), at(18, 13), WORKDAYS)

    assert drawn.parts == [Part("used", 0.0, 20.0), Part("held", 20.0, 20.0)]
    assert drawn.now is None


def test_track_past_the_deadline_marks_it():
    drawn = track(clock(at(18, 12), 3 * HOUR, started_at=at(18, 9), ending="missed"), at(18, 13), WORKDAYS)

    assert drawn.parts == [Part("used", 0.0, 75.0), Part("over", 75.0, 25.0)]
    assert (drawn.due, drawn.now) == (75.0, None)


def test_track_of_a_kept_promise_leaves_the_rest_empty():
    drawn = track(clock(at(18, 17), started_at=at(18, 9), ending="met", stopped_at=at(18, 13)), at(20, 13), WORKDAYS)

    assert drawn.parts == [Part("used", 0.0, 50.0)]
    assert drawn.now is None
