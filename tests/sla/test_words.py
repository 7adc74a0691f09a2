"""Durations and moments in words (`sla/words.py`), Russian from the tables and English by default."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from contracts.terms import WORKING_DAY
from sla import words

MOSCOW = ZoneInfo("Europe/Moscow")
YEKATERINBURG = ZoneInfo("Asia/Yekaterinburg")
MINSK = ZoneInfo("Europe/Minsk")
VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")

NOW = datetime(2026, 11, 18, 13, 28, tzinfo=MOSCOW)  # A Wednesday.


def at(
    day: int, hour: int = 0, minute: int = 0, zone: ZoneInfo = MOSCOW, month: int = 11, year: int = 2026
) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=zone)


def hours(hours: float = 0, minutes: float = 0) -> timedelta:
    return timedelta(hours=hours, minutes=minutes)


@pytest.mark.parametrize(
    ("length", "working_day", "russian", "english"),
    [
        (hours(0), None, "0 мин", "0 min"),
        (timedelta(seconds=59), None, "0 мин", "0 min"),
        (hours(minutes=27), None, "27 мин", "27 min"),
        (-hours(minutes=42), None, "42 мин", "42 min"),
        (hours(2), None, "2 ч", "2 h"),
        (hours(3, 40), None, "3 ч 40 мин", "3 h 40 min"),
        (hours(23, 59), None, "23 ч 59 мин", "23 h 59 min"),
        (hours(24), None, "1 дн", "1 d"),
        (hours(28, 50), None, "1 дн 4 ч", "1 d 4 h"),
        (hours(8, 59), WORKING_DAY, "8 ч 59 мин", "8 h 59 min"),
        (hours(9), WORKING_DAY, "1 р.д.", "1 w.d."),
        (hours(13, 8), WORKING_DAY, "1 р.д. 4 ч", "1 w.d. 4 h"),
        (hours(18), WORKING_DAY, "2 р.д.", "2 w.d."),
    ],
)
def test_span_counts_in_minutes_hours_and_the_days_of_its_calendar(length, working_day, russian, english):
    with translation.override("ru"):
        assert words.span(length, working_day) == russian
    with translation.override("en"):
        assert words.span(length, working_day) == english


@pytest.mark.parametrize(
    ("length", "working_day", "russian", "english"),
    [
        (hours(7, 42), None, "7 часов 42 минуты", "7 hours 42 minutes"),
        (hours(1, 1), None, "1 час 1 минута", "1 hour 1 minute"),
        (hours(minutes=5), None, "5 минут", "5 minutes"),
        (hours(0), None, "0 минут", "0 minutes"),
        (hours(22), None, "22 часа", "22 hours"),
        (hours(24 * 11), None, "11 дней", "11 days"),
        (hours(24 * 21 + 2), None, "21 день 2 часа", "21 days 2 hours"),
        (hours(13), WORKING_DAY, "1 рабочий день 4 часа", "1 working day 4 hours"),
        (hours(18), WORKING_DAY, "2 рабочих дня", "2 working days"),
        (hours(45), WORKING_DAY, "5 рабочих дней", "5 working days"),
    ],
)
def test_span_long_has_the_plurals_of_the_language(length, working_day, russian, english):
    with translation.override("ru"):
        assert words.span_long(length, working_day) == russian
    with translation.override("en"):
        assert words.span_long(length, working_day) == english


def test_span_long_leaves_out_minutes_of_days_unless_it_is_to_be_exact():
    length = hours(22, 17)

    with translation.override("en"):
        assert words.span_long(length, WORKING_DAY) == "2 working days 4 hours"
        assert words.span_long(length, WORKING_DAY, exact=True) == "2 working days 4 hours 17 minutes"
        assert words.span_long(hours(9), WORKING_DAY, exact=True) == "1 working day"


@pytest.mark.parametrize(
    ("amount", "unit", "short", "long"),
    [
        (30, "minutes", "30 мин", "30 минут"),
        (120, "minutes", "2 ч", "2 часа"),
        (480, "minutes", "8 ч", "8 часов"),
        (2, "working_days", "2 р.д.", "2 рабочих дня"),
        (20, "working_days", "20 р.д.", "20 рабочих дней"),
    ],
)
def test_target_says_what_the_package_promises(amount, unit, short, long):
    with translation.override("ru"):
        assert words.target(amount, unit) == short
        assert words.target_long(amount, unit) == long


@pytest.mark.parametrize(
    ("moment", "style", "russian", "english"),
    [
        (at(18, 14, 10), "full", "14:10", "14:10"),
        (at(19, 14, 10), "full", "чт 19 ноября, 14:10", "Thu 19 Nov, 14:10"),
        (at(18, 14, 10), "date", "ср 18 ноября, 14:10", "Wed 18 Nov, 14:10"),
        (at(18, 14, 10), "plain", "18 ноября, 14:10", "18 Nov, 14:10"),
        (at(1, 9, 5, month=5, year=2027), "full", "сб 1 мая 2027, 09:05", "Sat 1 May 2027, 09:05"),
        (at(18, 9), "short", "09:00", "09:00"),
        (at(24, 9), "short", "вт 09:00", "Tue 09:00"),
        (at(12, 9), "short", "чт 09:00", "Thu 09:00"),
        (at(25, 9), "short", "ср 25 ноя, 09:00", "Wed 25 Nov, 09:00"),
        (at(18, 9), "weekday", "ср 09:00", "Wed 09:00"),
        (at(24, 9), "weekday", "вт 09:00", "Tue 09:00"),
        (at(27, 18), "day", "пт 27 ноя", "Fri 27 Nov"),
        (at(8, 18, month=1, year=2027), "day", "пт 8 янв 2027", "Fri 8 Jan 2027"),
        (at(27, 18), "time", "18:00", "18:00"),
        (at(27, 18), "seconds", "18:00:00", "18:00:00"),
        (at(19, 14, 10), "audit", "19 ноября 2026, 14:10:00 МСК", "19 November 2026, 14:10:00 MSK"),
    ],
)
def test_moment_is_written_as_people_write_it(moment, style, russian, english):
    with translation.override("ru"):
        assert words.moment(moment, MOSCOW, NOW, style) == russian
    with translation.override("en"):
        assert words.moment(moment, MOSCOW, NOW, style) == english


def test_moment_today_is_today_in_the_zone_of_the_reader():
    late = datetime(2026, 11, 18, 20, tzinfo=UTC)

    with translation.override("ru"):
        assert words.moment(late, MOSCOW, NOW) == "23:00"
        assert words.moment(late, VLADIVOSTOK, NOW) == "чт 19 ноября, 06:00"


def test_moment_for_the_history_names_a_zone_that_is_not_moscow():
    with translation.override("ru"):
        assert words.moment(at(19, 12), YEKATERINBURG, NOW, "audit") == "19 ноября 2026, 14:00:00 UTC+5"
        assert words.moment(at(19, 12), ZoneInfo("America/St_Johns"), NOW, "audit") == (
            "19 ноября 2026, 05:30:00 UTC−3:30"
        )


@pytest.mark.parametrize(
    ("moment", "zone", "russian", "english"),
    [
        (
            at(19, 12, 10),
            YEKATERINBURG,
            "чт 19 ноября, 14:10 (12:10 по Москве)",
            "Thu 19 Nov, 14:10 (12:10 Moscow time)",
        ),
        (at(19, 12, 10), MOSCOW, "чт 19 ноября, 12:10", "Thu 19 Nov, 12:10"),
        (at(19, 12, 10), MINSK, "чт 19 ноября, 12:10", "Thu 19 Nov, 12:10"),
        (
            at(19, 23, 10),
            YEKATERINBURG,
            "пт 20 ноября, 01:10 (чт 23:10 по Москве)",
            "Fri 20 Nov, 01:10 (Thu 23:10 Moscow time)",
        ),
    ],
)
def test_both_zones_says_one_time_where_both_clocks_agree(moment, zone, russian, english):
    with translation.override("ru"):
        assert words.both_zones(moment, zone, NOW) == russian
    with translation.override("en"):
        assert words.both_zones(moment, zone, NOW) == english


@pytest.mark.parametrize(
    ("moment", "russian", "english"),
    [
        (at(18, 14, 10), "до 14:10", "by 14:10"),
        (at(19, 14, 10), "до четверга, 19 ноября, 14:10", "by Thursday, 19 November, 14:10"),
        (at(24, 9), "до вторника, 24 ноября, 09:00", "by Tuesday, 24 November, 09:00"),
        (at(3, 9, month=3, year=2027), "до среды, 3 марта 2027, 09:00", "by Wednesday, 3 March 2027, 09:00"),
    ],
)
def test_until_ends_a_sentence_in_the_genitive(moment, russian, english):
    with translation.override("ru"):
        assert words.until(moment, MOSCOW, NOW) == russian
    with translation.override("en"):
        assert words.until(moment, MOSCOW, NOW) == english


def test_every_weekday_and_month_has_its_word_in_both_languages():
    assert {len(names) for table in (words.WEEKDAYS, words.WEEKDAYS_LONG) for names in table.values()} == {7}
    assert {len(names) for table in (words.MONTHS_SHORT, words.MONTHS_LONG) for names in table.values()} == {12}


def test_moment_refuses_a_naive_datetime():
    with pytest.raises(ValueError, match="naive"):
        words.moment(datetime(2026, 11, 18, 9), MOSCOW, NOW)  # noqa: DTZ001


def test_units_are_what_span_says():
    with translation.override("ru"):
        assert words.units() == "ч|мин|р.д.|дн|срок вышел"
    with translation.override("en"):
        assert words.units() == "h|min|w.d.|d|time is up"
