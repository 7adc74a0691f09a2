"""Editing a calendar makes a new version, refused in words; holidays of Russia as a proposal (domain §4, §4.1)."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import translation

from accounts.refusals import Forbidden
from sla.calendars import (
    Edit,
    NotEdited,
    Proposal,
    accept,
    as_edit,
    edit_calendar,
    holidays_of_russia,
    problems_of,
    with_range,
    withdraw,
    without_year,
)
from sla.models import Calendar, CalendarVersion
from tests.factories import MOSCOW, UserFactory, a_contract_admin, a_lead, an_engineer, open_ticket
from tests.moments import december, november, tuesday

pytestmark = pytest.mark.django_db

NINE_TO_SIX = [["09:00", "18:00"]]
WEEK = {str(day): NINE_TO_SIX for day in range(5)}


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def calendar(code: str = "working-days") -> Calendar:
    return Calendar.objects.get(code=code)


def edited(code: str = "basic-hours", *, at: datetime | None = None, by: Any = None, **fields: Any) -> CalendarVersion:
    found = calendar(code)
    values = as_edit(found.versions.latest("valid_from")).__dict__ | fields
    return edit_calendar(found, by=by or UserFactory(admin=True), at=at or tuesday(11), **values)


def refused(code: str = "basic-hours", **fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(NotEdited) as refusal:
        edited(code, **fields)
    return [(problem.field, problem.message) for problem in refusal.value.problems]


def test_an_edit_makes_a_new_version_and_leaves_the_old_one():
    before = calendar("basic-hours").versions.get()
    admin = UserFactory(admin=True)

    version = edited(by=admin, holidays=["2026-12-31"], reason="New Year's Eve")

    assert (version.valid_from, version.made_by, version.made_at, version.reason) == (
        tuesday(11),
        admin,
        tuesday(11),
        "New Year's Eve",
    )
    assert version.holidays == ["2026-12-31"]
    assert CalendarVersion.objects.get(pk=before.pk).holidays == []
    assert calendar("basic-hours").version_at(tuesday(10)) == before
    assert calendar("basic-hours").version_at(tuesday(12)) == version


def test_an_edit_alone_moves_no_ticket_and_new_tickets_count_by_it():
    old = open_ticket(priority=3)
    due = old.commitments.get(kind="resolution").due_at

    edited("working-days", holidays=["2026-11-18"])

    assert old.commitments.get(kind="resolution").due_at == due
    new = open_ticket(priority=3, at=tuesday(12))
    assert new.commitments.get(kind="resolution").calendar_version == calendar().versions.latest("valid_from")


@pytest.mark.parametrize("person", [a_contract_admin, a_lead, an_engineer])
def test_only_the_administrator_edits(person):
    with pytest.raises(Forbidden):
        edited(by=person(), holidays=["2026-12-31"])


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (
            {"timezone": "Europe/Moskau"},
            ("timezone", "There is no time zone “Europe/Moskau”; write one as Europe/Moscow."),
        ),
        (
            {"weekly_hours": {"0": [["09:00", "13:00"], ["12:00", "18:00"]]}},
            ("day_0", "Monday: the hours overlap."),
        ),
        (
            {"weekly_hours": {"4": [["18:00", "09:00"]]}},
            (
                "day_4",
                "Friday: 18:00–09:00 ends before it begins; hours over midnight are two spans, one on each day.",
            ),
        ),
        (
            {"weekly_hours": {"1": [["09:00", "25:00"]]}},
            ("day_1", "Tuesday: hours are written as 09:00–18:00, midnight at the end as 24:00."),
        ),
        ({"weekly_hours": {"0": []}}, ("day_0", "The week has no open hour: no deadline could ever be counted.")),
        (
            {"holidays": ["2026-12-31"], "overrides": {"2026-12-31": NINE_TO_SIX}},
            ("overrides", "A day off has no hours of its own; these are both: 31 Dec 2026."),
        ),
        ({"holidays": ["31.12.2026"]}, ("holidays", "These are no days; write them as 2027-01-31: 31.12.2026.")),
        ({"holidays": ["1812-09-07"]}, ("holidays", "Days lie between 2000 and 2100: 1812-09-07.")),
        (
            {"overrides": {"2026-12-31": [["09:00", "09:00"]]}},
            (
                "overrides",
                "31 Dec 2026: 09:00–09:00 ends before it begins; hours over midnight are two spans, one on each day.",
            ),
        ),
        (
            {"holidays": ["2026-12-31"], "valid_from": tuesday(10)},
            ("valid_from", "A version begins now or later: what was received already keeps its hours."),
        ),
        ({}, ("__all__", "Nothing changes: the calendar is like this already.")),
    ],
)
def test_what_cannot_be_is_refused_in_words(fields, problem):
    assert problem in refused(**fields)
    assert calendar("basic-hours").versions.count() == 1


def test_every_problem_is_told_at_once():
    fields = [
        field for field, _message in refused(timezone="Mars", holidays=["never"], weekly_hours={"0": [["9", "18"]]})
    ]

    assert fields == ["timezone", "day_0", "holidays"]


def test_a_version_begins_after_the_latest_one():
    edited(holidays=["2026-12-31"], valid_from=december(1))

    problems = refused(holidays=["2027-01-01"], valid_from=november(20))

    assert problems == [("valid_from", "The latest version begins at Tue 1 Dec, 00:00: a new one begins after it.")]


def test_midnight_is_the_end_of_a_day():
    version = edited(weekly_hours={"0": [["00:00", "24:00"]], "1": [["00:00", "06:00"]]})

    assert version.working_calendar().closing(november(23, 1)) == november(24, 6)


def test_a_week_that_is_open_on_no_future_day_is_refused_only_for_the_whole_of_time():
    assert problems_of(Edit("Europe/Moscow", {"6": NINE_TO_SIX}), calendar("basic-hours"), at=tuesday(11)) == []


def test_a_version_that_does_not_hold_yet_can_be_withdrawn():
    version = edited(holidays=["2026-12-31"], valid_from=december(1))

    withdraw(version, by=UserFactory(admin=True), at=tuesday(12))

    assert calendar("basic-hours").versions.count() == 1


def test_a_version_that_holds_is_not_withdrawn():
    version = edited(holidays=["2026-12-31"])

    with pytest.raises(NotEdited, match="holds already"):
        withdraw(version, by=UserFactory(admin=True), at=tuesday(12))


# The database


@pytest.mark.parametrize(
    "change",
    [
        {"timezone": "UTC"},
        {"weekly_hours": {}},
        {"holidays": ["2026-12-31"]},
        {"overrides": {"2026-12-31": []}},
        {"valid_from": tuesday(9)},
    ],
)
def test_the_database_itself_refuses_an_edit_of_a_version(change):
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        CalendarVersion.objects.filter(calendar__code="basic-hours").update(**change)


def test_the_database_itself_keeps_a_version_that_a_clock_counts_on():
    version = open_ticket(priority=3).commitments.get(kind="resolution").calendar_version

    with pytest.raises(DatabaseError), transaction.atomic():
        CalendarVersion.objects.filter(pk=version.pk)._raw_delete("default")
        from django.db import connection

        connection.check_constraints()


# Holidays of Russia

TRANSFERRED = {
    2024: ("2024-04-29", "2024-12-31"),
    2025: ("2025-05-02", "2025-12-31"),
    2026: ("2026-01-09", "2026-12-31"),
    2027: ("2027-02-22", "2027-11-05"),
}
WORKING_SATURDAYS = {
    2024: ["2024-04-27", "2024-11-02", "2024-12-28"],
    2025: ["2025-11-01"],
    2026: [],
    2027: ["2027-02-20"],
}


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_transferred_days_and_worked_saturdays_are_in_the_proposal(year):
    proposal = holidays_of_russia(year)

    days = {day.isoformat() for day, _name in proposal.days}
    assert set(TRANSFERRED[year]) <= days
    assert [day.isoformat() for day in proposal.working] == WORKING_SATURDAYS[year]
    assert (proposal.is_announced, list(proposal.remarks)) == (True, [])
    frozen = calendar().versions.get()
    assert days == {day for day in frozen.holidays if day.startswith(str(year))}


def test_a_year_without_its_decree_says_so():
    proposal = holidays_of_russia(2028)

    assert not proposal.is_announced
    assert list(proposal.remarks) == [
        "The transfers of 2028 are not announced yet: these are only the days that the law itself names."
    ]
    assert date(2028, 6, 12) in dict(proposal.days)


@pytest.mark.parametrize("year", [1991, 2101])
def test_other_years_are_refused(year):
    with pytest.raises(NotEdited, match="Holidays are known from 2020 to 2100"):
        holidays_of_russia(year)


def test_an_accepted_proposal_adds_days_off_and_opens_worked_saturdays():
    accepted = accept(Edit("Europe/Moscow", WEEK, ["2027-03-01"]), holidays_of_russia(2027))

    assert "2027-03-01" in accepted.edit.holidays and "2027-11-05" in accepted.edit.holidays
    assert accepted.edit.overrides == {"2027-02-20": NINE_TO_SIX}
    assert list(accepted.opened) == ["2027-02-20"]
    again = accept(accepted.edit, holidays_of_russia(2027))
    assert (list(again.added), list(again.opened), again.edit) == ([], [], accepted.edit)


def test_a_day_that_becomes_free_loses_its_own_hours():
    edit = Edit("Europe/Moscow", WEEK, [], {"2027-01-01": NINE_TO_SIX})

    assert accept(edit, Proposal([(date(2027, 1, 1), "New Year")])).edit.overrides == {}


def test_a_year_is_forgotten_whole():
    edit = accept(Edit("Europe/Moscow", WEEK, ["2026-12-31"]), holidays_of_russia(2027)).edit

    assert without_year(edit, 2027) == Edit("Europe/Moscow", WEEK, ["2026-12-31"], {})


def test_a_range_becomes_free_and_plain_again():
    edit = Edit("Europe/Moscow", WEEK, [], {"2027-07-02": NINE_TO_SIX})

    off = with_range(edit, date(2027, 7, 1), date(2027, 7, 3), off=True)

    assert (off.holidays, off.overrides) == (["2027-07-01", "2027-07-02", "2027-07-03"], {})
    assert with_range(off, date(2027, 7, 1), date(2027, 7, 2), off=False).holidays == ["2027-07-03"]


@pytest.mark.parametrize("days", [-1, 400])
def test_an_impossible_range_is_refused(days):
    first = date(2027, 7, 1)

    with pytest.raises(NotEdited):
        with_range(Edit("Europe/Moscow", WEEK), first, first + timedelta(days), off=True)


def test_zones_of_hours_are_the_calendars_own():
    version = edited(timezone="Asia/Yekaterinburg")

    assert version.working_calendar().next_opening(datetime(2026, 11, 23, 1, tzinfo=MOSCOW)) == november(23, 7)
