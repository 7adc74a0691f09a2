"""Shifts as spans of time: patterns, changes of single days, absences and substitutes."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import planning, roster
from accounts.models import Absence, Line
from accounts.roster import Away, Extra, Hours, Off, Span, Weekly
from tests.factories import a_manager, an_engineer
from tests.moments import november

SINCE = date(2026, 11, 2)  # a Monday
OFFICE = [Weekly(1, 2, weekday, 540, 1080, SINCE) for weekday in range(5)]
NIGHT = [Weekly(2, 2, 1, 1320, 1440, SINCE), Weekly(2, 2, 2, 0, 480, SINCE, morning=True)]  # Tuesday 22:00 to 8:00


def on(patterns, at, exceptions=(), absences=()):
    return [
        (one.person, one.line, one.starts_at, one.ends_at, one.instead_of)
        for one in roster.on_shift(patterns, exceptions, absences, at)
    ]


@pytest.mark.parametrize(
    ("at", "there"),
    [
        (november(17, 8, 59), []),
        (november(17, 9), [(1, 2, november(17, 9), november(17, 18), None)]),
        (november(17, 17, 59), [(1, 2, november(17, 9), november(17, 18), None)]),
        (november(17, 18), []),
        (november(21, 12), []),  # Saturday
        (november(4, 12), [(1, 2, november(4, 9), november(4, 18), None)]),  # a holiday: shifts stand as planned
    ],
)
def test_shift_holds_from_its_beginning_to_before_its_end(at, there):
    assert on(OFFICE, at) == there


@pytest.mark.parametrize("at", [november(17, 22), november(18, 0), november(18, 7, 59)])
def test_shift_past_midnight_is_one_shift(at):
    assert on(NIGHT, at) == [(2, 2, november(17, 22), november(18, 8), None)]


def test_pattern_holds_on_its_first_and_last_day_only():
    patterns = [Weekly(1, 2, 1, 540, 1080, date(2026, 11, 10), date(2026, 11, 17))]

    assert [bool(on(patterns, november(day, 12))) for day in (3, 10, 17, 24)] == [False, True, True, False]


def test_day_off_takes_the_whole_shift_that_begins_on_it():
    off = [Off(2, date(2026, 11, 17))]

    assert on(NIGHT, november(17, 23), off) == []
    assert on(NIGHT, november(18, 7), off) == []
    assert on(NIGHT, november(25, 7), off) == [(2, 2, november(24, 22), november(25, 8), None)]


def test_extra_shift_stands_beside_the_pattern():
    extra = [Extra(3, 2, november(21, 10), november(21, 14))]

    assert on(OFFICE, november(21, 12), extra) == [(3, 2, november(21, 10), november(21, 14), None)]


def test_absence_is_cut_out_and_the_substitute_takes_over():
    away = [Away(1, november(17, 12), november(18, 0), substitute=9)]

    assert on(OFFICE, november(17, 11), (), away) == [(1, 2, november(17, 9), november(17, 12), None)]
    assert on(OFFICE, november(17, 13), (), away) == [(9, 2, november(17, 12), november(17, 18), 1)]


def test_substitute_who_is_away_too_takes_over_nothing():
    away = [Away(1, november(17), november(18), substitute=9), Away(9, november(17), november(18), substitute=1)]

    assert on(OFFICE, november(17, 13), (), away) == []


def test_substitute_on_the_line_already_is_there_once():
    patterns = [*OFFICE, Weekly(9, 2, 1, 540, 900, SINCE)]
    away = [Away(1, november(17), november(18), substitute=9)]

    assert on(patterns, november(17, 13), (), away) == [(9, 2, november(17, 9), november(17, 15), None)]
    assert on(patterns, november(17, 16), (), away) == [(9, 2, november(17, 15), november(17, 18), 1)]


def test_gaps_are_the_times_of_nobody():
    found = roster.spans(OFFICE, [], [], november(17), november(19))

    assert roster.gaps(found, 2, november(17), november(19)) == [
        (november(17), november(17, 9)),
        (november(17, 18), november(18, 9)),
        (november(18, 18), november(19)),
    ]
    assert roster.gaps(found, 3, november(17), november(19)) == [(november(17), november(19))]


def test_hours_count_the_people_of_each_time():
    patterns = [Weekly(1, 2, 1, 540, 1080, SINCE), Weekly(2, 2, 1, 720, 1440, SINCE)]
    found = roster.spans(patterns, [], [], november(17), november(18))

    assert roster.hours(found, 2, november(17), november(18)) == [
        Hours(november(17, 9), november(17, 12), 1),
        Hours(november(17, 12), november(17, 18), 2),
        Hours(november(17, 18), november(18), 1),
    ]


PEOPLE = st.integers(1, 4)
HOURS = st.integers(0, 7 * 24)
WEEKS = st.builds(
    lambda person, line, weekday, start, length: Weekly(
        person, line, weekday, start * 60, min(1440, (start + length) * 60), SINCE
    ),
    PEOPLE,
    st.integers(1, 2),
    st.integers(0, 6),
    st.integers(0, 23),
    st.integers(1, 12),
)
ABSENCES = st.builds(
    lambda person, start, length, substitute: Away(
        person,
        november(16) + timedelta(hours=start),
        november(16) + timedelta(hours=start + length),
        substitute if substitute != person else None,
    ),
    PEOPLE,
    HOURS,
    st.integers(1, 72),
    st.none() | PEOPLE,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WEEKS, max_size=8), st.lists(ABSENCES, max_size=4), HOURS)
def test_nobody_who_is_away_is_on_shift(patterns, absences, hour):
    at = november(16) + timedelta(hours=hour)

    there = roster.on_shift(patterns, [], absences, at)

    away = {one.person for one in absences if one.starts_at <= at < one.ends_at}
    assert away.isdisjoint(span.person for span in there)
    assert len({(span.person, span.line, span.instead_of) for span in there}) == len(there)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WEEKS, max_size=8), st.lists(ABSENCES, max_size=4))
def test_gaps_and_hours_of_a_line_fill_the_week_without_a_rest(patterns, absences):
    since, until = november(16), november(23)
    found = roster.spans(patterns, [], absences, since, until)

    empty = roster.gaps(found, 1, since, until)
    staffed = [(row.starts_at, row.ends_at) for row in roster.hours(found, 1, since, until)]

    parts = sorted(empty + staffed)
    assert sum((end - start for start, end in parts), timedelta()) == until - since
    assert all(before[1] == after[0] for before, after in pairwise(parts))


# From the database


@pytest.mark.django_db
def test_line_hours_and_who_comes_next_are_read_from_the_database():
    manager, engineer, colleague = a_manager(), an_engineer(2), an_engineer(2)
    line = Line.objects.get(pk=2)
    planning.plan_shift(
        engineer, line=line, weekdays=[1], starts=540, ends=1080, since=SINCE, by=manager, at=november(2)
    )
    planning.plan_shift(
        colleague, line=line, weekdays=[1], starts=1200, ends=480, since=SINCE, by=manager, at=november(2)
    )
    Absence.objects.create(user=engineer, starts_at=november(17, 12), ends_at=november(17, 15))

    assert roster.line_hours(2, date(2026, 11, 17)) == [
        Hours(november(17, 9), november(17, 12), 1),
        Hours(november(17, 15), november(17, 18), 1),
        Hours(november(17, 20), november(18), 1),
    ]
    assert roster.line_hours(line, date(2026, 11, 18)) == [Hours(november(18), november(18, 8), 1)]
    assert roster.next_on_shift(line, november(17, 9)) == Span(november(17, 15), november(17, 18), 2, engineer.pk)
    assert roster.next_on_shift(3, november(17, 9)) is None


@pytest.mark.django_db
def test_roster_costs_the_same_for_one_person_and_for_three(django_assert_num_queries):
    manager, line = a_manager(), Line.objects.get(pk=2)
    for count in (1, 3):
        for _number in range(count):
            person = an_engineer(2)
            planning.plan_shift(
                person, line=line, weekdays=[0, 1], starts=540, ends=480, since=SINCE, by=manager, at=november(2)
            )
            Absence.objects.create(user=person, starts_at=november(17, 12), ends_at=november(17, 15))
        with django_assert_num_queries(1):
            roster.read_at(november(17, 10))
