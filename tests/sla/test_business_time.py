"""Working-time arithmetic: the rules one by one, then the laws (`sla_properties.json`, P1-P18) on random calendars."""

import importlib.util
import random
import time as stopwatch
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.business_time import NeverOpen, Step, WorkingCalendar

MOSCOW = ZoneInfo("Europe/Moscow")
NINE_TO_SIX = [(time(9), time(18))]
ALL_DAY = [(time(0), time(0))]
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
WORKING_DAY = 9 * HOUR


def moscow(day: int, hour: int, minute: int = 0, *, month: int = 6, year: int = 2026) -> datetime:
    """A moment on Moscow's wall clock; 1 June 2026 is a Monday."""
    return datetime(year, month, day, hour, minute, tzinfo=MOSCOW)


def weekdays(**special) -> WorkingCalendar:
    return WorkingCalendar("Europe/Moscow", dict.fromkeys(range(5), NINE_TO_SIX), **special)


def every_day() -> WorkingCalendar:
    return WorkingCalendar("Europe/Moscow", dict.fromkeys(range(7), NINE_TO_SIX))


def around_the_clock(zone: str = "Europe/Moscow", **special) -> WorkingCalendar:
    return WorkingCalendar(zone, dict.fromkeys(range(7), ALL_DAY), **special)


# add


def test_add_gives_the_deadline_of_two_working_days_that_the_domain_names():
    tuesday = moscow(2, 10, 30)

    assert weekdays().add(tuesday, 2 * WORKING_DAY) == moscow(4, 10, 30)


@pytest.mark.parametrize(
    ("package", "calendar", "priority", "amount", "due"),
    [
        ("basic", weekdays(), 1, 4 * HOUR, moscow(8, 12, 30)),
        ("basic", weekdays(), 2, 8 * HOUR, moscow(8, 16, 30)),
        ("business", every_day(), 1, HOUR, moscow(6, 9, 30)),
        ("business", every_day(), 2, 4 * HOUR, moscow(6, 12, 30)),
        ("premium", around_the_clock(), 1, 30 * MINUTE, moscow(5, 18, 0)),
        ("premium", around_the_clock(), 2, 2 * HOUR, moscow(5, 19, 30)),
    ],
)
def test_add_dates_each_reaction_of_the_price_list_from_friday_half_past_five(package, calendar, priority, amount, due):
    assert calendar.add(moscow(5, 17, 30), amount) == due


def test_add_ends_at_the_closing_instant_not_at_the_next_opening():
    assert weekdays().add(moscow(5, 9), WORKING_DAY) == moscow(5, 18)


def test_add_counts_from_the_next_opening_when_closed():
    assert weekdays().add(moscow(6, 12), HOUR) == moscow(8, 10)


def test_add_of_nothing_is_the_start_even_when_closed():
    assert weekdays().add(moscow(6, 12), timedelta(0)) == moscow(6, 12)


def test_add_answers_in_utc_whatever_zone_is_asked_in():
    asked_in_tokyo = moscow(2, 10, 30).astimezone(ZoneInfo("Asia/Tokyo"))

    due = weekdays().add(asked_in_tokyo, 2 * HOUR)

    assert due.tzinfo is UTC
    assert due.isoformat() == "2026-06-02T09:30:00+00:00"


def test_add_drops_fractions_of_a_second():
    start = moscow(2, 10).replace(microsecond=999_999)

    assert weekdays().add(start, HOUR + timedelta(microseconds=5)) == moscow(2, 11)


def test_add_skips_holidays_and_counts_transferred_and_short_days():
    calendar = weekdays(
        holidays=[date(2026, 6, 12)],
        overrides={date(2026, 6, 13): NINE_TO_SIX, date(2026, 6, 11): [(time(9), time(17))]},
    )

    assert calendar.add(moscow(11, 16), 2 * HOUR) == moscow(13, 10)


def test_add_keeps_a_holiday_closed_though_an_override_opens_it():
    calendar = weekdays(holidays=[date(2026, 6, 2)], overrides={date(2026, 6, 2): NINE_TO_SIX})

    assert calendar.add(moscow(1, 17), 2 * HOUR) == moscow(3, 10)


def test_add_around_the_clock_is_exact_calendar_time():
    start = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)

    assert around_the_clock("Europe/Berlin").add(start, timedelta(days=1000)) == start + timedelta(days=1000)


def test_add_over_a_day_end_at_midnight_loses_no_minute():
    calendar = WorkingCalendar("UTC", {0: [(time(22), time(0))], 1: [(time(0), time(6))]})
    monday = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)

    assert calendar.add(monday, HOUR) == monday + HOUR


def test_add_refuses_a_naive_start_in_words():
    naive = datetime(2026, 6, 1, 10)  # noqa: DTZ001

    with pytest.raises(ValueError, match="needs a datetime with a time zone"):
        weekdays().add(naive, HOUR)


def test_add_refuses_a_negative_amount():
    with pytest.raises(ValueError, match="cannot be negative"):
        weekdays().add(moscow(1, 10), -SECOND)


def test_add_refuses_years_that_no_calendar_covers():
    with pytest.raises(ValueError, match="1900 to 2199"):
        weekdays().add(datetime(9999, 1, 1, tzinfo=UTC), HOUR)


# daylight saving


@pytest.mark.parametrize(
    ("zone", "midnight", "hours"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29), 23),  # noqa: DTZ001
        ("Europe/Berlin", datetime(2026, 10, 25), 25),  # noqa: DTZ001
        ("Australia/Lord_Howe", datetime(2026, 10, 4), 23.5),  # noqa: DTZ001
        ("Australia/Lord_Howe", datetime(2026, 4, 5), 24.5),  # noqa: DTZ001
        ("Europe/Moscow", datetime(2014, 10, 26), 25),  # noqa: DTZ001
        ("Asia/Almaty", datetime(2024, 2, 29), 25),  # noqa: DTZ001
        ("Pacific/Apia", datetime(2011, 12, 29), 24),  # noqa: DTZ001
    ],
)
def test_between_counts_the_true_length_of_a_day_when_the_clocks_change(zone, midnight, hours):
    here = ZoneInfo(zone)
    start, end = midnight.replace(tzinfo=here), (midnight + timedelta(days=1)).replace(tzinfo=here)

    assert around_the_clock(zone).between(start, end) == hours * HOUR


def test_hours_inside_the_spring_gap_do_not_exist_that_day():
    calendar = WorkingCalendar("Europe/Berlin", {6: [(time(2, 15), time(2, 45))]})
    sunday = datetime(2026, 3, 29, tzinfo=UTC)

    assert calendar.between(sunday, sunday + timedelta(days=1)) == timedelta(0)
    assert calendar.next_opening(sunday) == datetime(2026, 4, 5, 0, 15, tzinfo=UTC)


def test_hours_on_the_autumn_double_hour_are_open_twice():
    calendar = WorkingCalendar("Europe/Berlin", {6: [(time(1, 30), time(2, 30))]})
    sunday = datetime(2026, 10, 24, 22, tzinfo=UTC)

    assert calendar.between(sunday, sunday + timedelta(days=1)) == 90 * MINUTE
    assert [step.counted for step in calendar.explain(sunday, 90 * MINUTE) if step.counted] == [
        60 * MINUTE,
        30 * MINUTE,
    ]


def test_an_ambiguous_start_is_taken_by_its_fold():
    berlin = ZoneInfo("Europe/Berlin")
    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=fold) for fold in (0, 1))

    assert around_the_clock("Europe/Berlin").between(first, second) == HOUR


# between, is_open, next_opening


def test_between_counts_open_time_only():
    assert weekdays().between(moscow(5, 17, 30), moscow(8, 9, 45)) == 75 * MINUTE


def test_between_is_nothing_when_the_end_is_before_the_start():
    assert weekdays().between(moscow(8, 12), moscow(5, 12)) == timedelta(0)


def test_between_of_a_calendar_that_never_opens_is_nothing():
    assert WorkingCalendar("UTC", {}).between(moscow(1, 0), moscow(30, 0)) == timedelta(0)


def test_between_refuses_a_naive_end():
    with pytest.raises(ValueError, match="needs a datetime with a time zone"):
        weekdays().between(moscow(1, 10), datetime(2026, 6, 1, 12))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (moscow(1, 9) - SECOND, False),
        (moscow(1, 9), True),
        (moscow(1, 18) - SECOND, True),
        (moscow(1, 18), False),
        (moscow(6, 12), False),
    ],
)
def test_is_open_from_the_opening_up_to_but_not_at_the_closing(at, expected):
    assert weekdays().is_open(at) is expected


def test_next_opening_is_now_while_open_and_the_next_working_morning_otherwise():
    calendar = weekdays(holidays=[date(2026, 6, 8)])

    assert calendar.next_opening(moscow(5, 17, 59)) == moscow(5, 17, 59)
    assert calendar.next_opening(moscow(5, 18)) == moscow(9, 9)


# pauses


def test_a_pause_moves_the_deadline_by_its_working_time_only():
    pause = (moscow(5, 17), moscow(8, 10))

    assert weekdays().add_with_pauses(moscow(5, 16), 3 * HOUR, [pause]) == moscow(8, 12)


def test_overlapping_pauses_in_any_order_count_once():
    pauses = [(moscow(1, 11), moscow(1, 12)), (moscow(1, 10), moscow(1, 11, 30)), (moscow(1, 10), moscow(1, 10))]

    assert weekdays().add_with_pauses(moscow(1, 9), 2 * HOUR, pauses) == moscow(1, 13)
    assert weekdays().between_with_pauses(moscow(1, 9), moscow(1, 13), pauses) == 2 * HOUR


def test_pauses_before_the_start_or_from_the_deadline_on_change_nothing():
    pauses = [(moscow(1, 8), moscow(1, 9)), (moscow(1, 12), moscow(1, 15))]

    assert weekdays().add_with_pauses(moscow(1, 10), 2 * HOUR, pauses) == moscow(1, 12)


def test_a_pause_without_an_end_is_refused():
    with pytest.raises(ValueError, match="while it runs there is no deadline yet"):
        weekdays().add_with_pauses(moscow(1, 9), HOUR, [(moscow(1, 10), None)])


# explain


def test_explain_tells_the_way_over_a_weekend():
    assert weekdays().explain(moscow(5, 17, 30), 2 * HOUR) == [
        Step("counted", moscow(5, 17, 30), moscow(5, 18), counted=30 * MINUTE),
        Step("closed", moscow(5, 18), moscow(8, 9)),
        Step("counted", moscow(8, 9), moscow(8, 10, 30), counted=90 * MINUTE),
    ]


def test_explain_names_the_days_off_that_would_have_been_open():
    calendar = weekdays(holidays=[date(2026, 6, 12), date(2026, 6, 14)], overrides={date(2026, 6, 15): []})

    assert calendar.explain(moscow(11, 18), HOUR) == [
        Step("holiday", moscow(11, 18), moscow(16, 9), dates=(date(2026, 6, 12), date(2026, 6, 15))),
        Step("counted", moscow(16, 9), moscow(16, 10), counted=HOUR),
    ]


def test_explain_shows_pauses_where_they_cut_the_time():
    assert weekdays().explain(moscow(1, 9), 2 * HOUR, [(moscow(1, 10), moscow(1, 12))]) == [
        Step("counted", moscow(1, 9), moscow(1, 10), counted=HOUR),
        Step("paused", moscow(1, 10), moscow(1, 12)),
        Step("counted", moscow(1, 12), moscow(1, 13), counted=HOUR),
    ]


def test_explain_of_nothing_has_no_steps():
    assert weekdays().explain(moscow(6, 12), timedelta(0)) == []


# calendars that cannot be, or never open


def test_a_calendar_that_never_opens_says_so_at_once():
    for closed in (WorkingCalendar("UTC", {}), WorkingCalendar("Europe/Berlin", {0: []})):
        started = stopwatch.thread_time()

        with pytest.raises(NeverOpen, match="is never open for 1:00:00 between 2026-06-01 06:00 UTC"):
            closed.add(moscow(1, 9), HOUR)
        with pytest.raises(NeverOpen):
            closed.next_opening(moscow(1, 9))

        assert stopwatch.thread_time() - started < 1


def test_a_calendar_of_dated_hours_only_ends_after_its_last_date():
    calendar = WorkingCalendar("Europe/Moscow", {}, overrides={date(2026, 6, 6): NINE_TO_SIX})

    assert calendar.add(moscow(1, 9), 9 * HOUR) == moscow(6, 18)
    with pytest.raises(NeverOpen):
        calendar.add(moscow(1, 9), 9 * HOUR + SECOND)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: WorkingCalendar("Europe/Atlantis", {}), "There is no time zone 'Europe/Atlantis'"),
        (lambda: WorkingCalendar("UTC", {7: NINE_TO_SIX}), "A weekday is a number from 0"),
        (
            lambda: WorkingCalendar("UTC", {0: [(time(18), time(9))]}),
            "Monday: 18:00-09:00 does not end after its start",
        ),
        (lambda: WorkingCalendar("UTC", {0: [(time(9), time(9))]}), "Monday: 09:00-09:00 does not end after its start"),
        (lambda: WorkingCalendar("UTC", {0: [(time(9, tzinfo=UTC), time(18))]}), "without a zone of their own"),
        (lambda: WorkingCalendar("UTC", {}, holidays=["2026-01-01"]), "A special day is a date, not '2026-01-01'"),
        (lambda: WorkingCalendar("UTC", {}, overrides={moscow(1, 9): []}), "A special day is a date, not "),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_in_words(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_far_deadlines_cost_what_near_ones_cost():
    calendar = weekdays()
    calendar.prepare(2024, 2036)

    def cost(amount):
        def once():
            started = stopwatch.perf_counter()
            for _ in range(1000):
                calendar.add(moscow(1, 10), amount)
            return stopwatch.perf_counter() - started

        return min(once() for _ in range(5))

    assert cost(494 * WORKING_DAY) < 3 * cost(2 * HOUR)


def test_add_of_a_hundred_thousand_minutes_is_quick_even_on_a_fresh_calendar():
    def once():
        started = stopwatch.perf_counter()
        weekdays().add(moscow(1, 10), 100_000 * MINUTE)
        return stopwatch.perf_counter() - started

    assert min(once() for _ in range(5)) < 0.05


def test_answers_do_not_depend_on_which_years_were_asked_about_before():
    fresh, asked_later, asked_earlier = weekdays(), weekdays(), weekdays()
    asked_later.is_open(moscow(1, 9, year=2040))
    asked_earlier.is_open(moscow(1, 9, year=1990))
    asked_earlier.is_open(moscow(1, 9, year=2050))

    for calendar in (asked_later, asked_earlier):
        assert calendar.add(moscow(1, 10), 600 * WORKING_DAY) == fresh.add(moscow(1, 10), 600 * WORKING_DAY)
        assert calendar.between(moscow(1, 1), moscow(1, 1, year=2028)) == fresh.between(
            moscow(1, 1), moscow(1, 1, year=2028)
        )


# The laws. Calendars are drawn around moments where a zone does something odd.

ODD_MOMENTS = {
    "UTC": datetime(2026, 6, 1, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 3, 29, tzinfo=UTC),
    "America/Sao_Paulo": datetime(2018, 11, 4, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 4, tzinfo=UTC),
    "Pacific/Apia": datetime(2011, 12, 30, tzinfo=UTC),
    "Europe/Moscow": datetime(2014, 10, 25, tzinfo=UTC),
    "Asia/Almaty": datetime(2024, 2, 29, tzinfo=UTC),
    "America/St_Johns": datetime(2026, 11, 1, tzinfo=UTC),
    "Africa/Casablanca": datetime(2026, 2, 15, tzinfo=UTC),
}
WEEKS = [
    {key: [("09:00", "18:00")] for key in range(5)},
    {key: [("00:00", "24:00")] for key in range(7)},
    {key: [("09:00", "12:00"), ("12:00", "18:00")] for key in range(7)},
    {key: [("08:00", "12:00"), ("13:00", "17:30")] for key in range(7)},
    {key: [("00:00", "06:00"), ("22:00", "24:00")] for key in range(7)},
    {4: [("12:00", "12:01")], 6: [("02:15", "02:45"), ("01:30", "02:30")]},
    {0: [("23:59", "24:00")], 1: [("00:00", "00:01")], 5: [("00:00", "24:00")]},
]
DAY_NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

seconds_off = st.integers(-8 * 86_400, 8 * 86_400)
amounts = st.integers(1, 60 * 3600)


def pairs(listed):
    return [(time.fromisoformat(a), time(0) if b == "24:00" else time.fromisoformat(b)) for a, b in listed]


@st.composite
def described_calendars(draw):
    """A calendar in the words of the cases (which the slow oracle reads), and the odd moment it is drawn around."""
    zone = draw(st.sampled_from(sorted(ODD_MOMENTS)))
    near = st.integers(-6, 6).map(lambda days: (ODD_MOMENTS[zone] + timedelta(days=days)).date().isoformat())
    hours = st.sampled_from([[], [("10:00", "14:00")], [("00:00", "24:00")], [("01:15", "03:10"), ("03:00", "04:00")]])
    return {
        "timezone": zone,
        "week": draw(st.sampled_from(WEEKS)),
        "holidays": draw(st.lists(near, max_size=3)),
        "overrides": draw(st.dictionaries(near, hours, max_size=3)),
    }


def working(described, **changes) -> WorkingCalendar:
    described = described | changes
    return WorkingCalendar(
        described["timezone"],
        {day: pairs(listed) for day, listed in described["week"].items()},
        holidays=map(date.fromisoformat, described["holidays"]),
        overrides={date.fromisoformat(on): pairs(listed) for on, listed in described["overrides"].items()},
    )


def moment(described, offset: int) -> datetime:
    return ODD_MOMENTS[described["timezone"]] + timedelta(seconds=offset)


@st.composite
def spans(draw, described):
    first, last = sorted((draw(seconds_off), draw(seconds_off)))
    return moment(described, first), moment(described, last)


law = settings(max_examples=60, deadline=None)


@law
@given(st.data(), described_calendars(), seconds_off, amounts)
def test_laws_of_adding(data, described, offset, count):
    calendar, start, amount = working(described), moment(described, offset), timedelta(seconds=count)

    due = calendar.add(start, amount)

    assert calendar.between(start, due) == amount  # P1
    assert due > start and calendar.is_open(due - SECOND)  # P6
    more = timedelta(seconds=data.draw(amounts))
    assert calendar.add(due, more) == calendar.add(start, amount + more)  # P3, exact for our convention
    assert due <= calendar.add(start, amount + more)  # P5
    later = start + timedelta(seconds=data.draw(st.integers(0, 5 * 86_400)))
    assert due <= calendar.add(later, amount)  # P4
    if not calendar.between(start, later):
        assert due == calendar.add(later, amount)  # P13
    assert due == calendar.add(start.astimezone(ZoneInfo("Asia/Kathmandu")), amount)  # P9
    holidays = [*described["holidays"], due.date().isoformat()]
    assert due <= working(described, holidays=holidays).add(start, amount)  # P10
    steps = calendar.explain(start, amount)
    assert [step.starts_at for step in steps] + [due] == [start] + [step.ends_at for step in steps]
    first = steps[0]
    assert calendar.open_for(start, amount) == (first.ends_at - start if first.kind == "counted" else timedelta(0))
    assert sum((step.counted for step in steps), timedelta(0)) == amount


@law
@given(st.data(), described_calendars())
def test_laws_of_between(data, described):
    calendar = working(described)
    a, c = data.draw(spans(described))
    b = a + timedelta(seconds=data.draw(st.integers(0, int((c - a).total_seconds()))))

    assert calendar.between(a, c) == calendar.between(a, b) + calendar.between(b, c)  # P2
    assert timedelta(0) <= calendar.between(a, c) <= c - a  # P7
    assert around_the_clock(described["timezone"]).between(a, c) == c - a  # P7, equality
    assert calendar.between(c, a) == timedelta(0)  # P8
    holidays = [*described["holidays"], b.date().isoformat()]
    assert working(described, holidays=holidays).between(a, c) <= calendar.between(a, c)  # P10
    shuffled = {day: list(reversed(listed)) for day, listed in reversed(described["week"].items())}
    assert working(described, week=shuffled).between(a, c) == calendar.between(a, c)  # P18


@law
@given(st.data(), described_calendars(), seconds_off, amounts)
def test_laws_of_pauses(data, described, offset, count):
    calendar, start, amount = working(described), moment(described, offset), timedelta(seconds=count)
    due = calendar.add(start, amount)
    length = int((due - start).total_seconds())
    first = start + timedelta(seconds=data.draw(st.integers(0, length - 1)))
    pause = (first, first + timedelta(seconds=data.draw(st.integers(0, 3 * 86_400))))

    moved = calendar.add_with_pauses(start, amount, [pause])

    assert moved == calendar.add(due, calendar.between(*pause))  # P11, and P12 when the pause lies outside hours
    assert calendar.between_with_pauses(start, moved, [pause]) == amount
    pauses = [data.draw(spans(described)) for _ in range(3)] + [pause]
    due = calendar.add_with_pauses(start, amount, pauses)
    random.Random(count).shuffle(pauses)
    assert calendar.add_with_pauses(start, amount, pauses) == due  # P18
    assert calendar.between_with_pauses(start, due, pauses) == amount
    steps = calendar.explain(start, amount, pauses)
    assert steps[-1].ends_at == due
    assert sum((step.counted for step in steps), timedelta(0)) == amount


def test_split_hours_are_the_same_as_whole_hours():  # P14
    split = WorkingCalendar("Europe/Moscow", {key: [(time(12), time(18)), (time(9), time(12))] for key in range(5)})

    for offset in range(0, 14 * 24, 5):
        start = moscow(1, 0) + offset * HOUR
        assert split.add(start, 13 * HOUR) == weekdays().add(start, 13 * HOUR)
        assert split.explain(start, 13 * HOUR) == weekdays().explain(start, 13 * HOUR)


# The slow oracle, written apart from this code, steps minute by minute.

ORACLE = Path(__file__).resolve().parents[3] / "shared" / "cases" / "tools" / "sla_oracle.py"


def slow_oracle(described):
    spec = importlib.util.spec_from_file_location("sla_oracle", ORACLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Oracle(described | {"hours": {DAY_NAMES[day]: listed for day, listed in described["week"].items()}})


@pytest.mark.skipif(not ORACLE.is_file(), reason="the slow oracle (../shared/cases/tools/sla_oracle.py) is not here")
@settings(max_examples=40, deadline=None)
@given(st.data(), described_calendars(), st.integers(1, 3600))
def test_every_answer_is_the_slow_oracles(data, described, count):
    calendar, oracle = working(described), slow_oracle(described)
    start, end = data.draw(spans(described))
    pauses = [data.draw(spans(described)) for _ in range(data.draw(st.integers(0, 2)))]

    assert calendar.between_with_pauses(start, end, pauses).total_seconds() == oracle.between(start, end, pauses)
    amounts = [timedelta(minutes=count), timedelta(0), timedelta(minutes=count) / 2]
    assert calendar.add_each(start, amounts, pauses) == [calendar.add_with_pauses(start, a, pauses) for a in amounts]
    assert calendar.add_each(start, amounts) == [calendar.add(start, amount) for amount in amounts]
    expected = oracle.add(start, count, pauses, limit_days=30)
    if expected is not None:
        assert calendar.add_with_pauses(start, timedelta(seconds=count), pauses) == expected
