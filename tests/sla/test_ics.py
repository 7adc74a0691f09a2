"""Days off from an iCalendar file: what is taken, and each refusal in a sentence (RFC 5545)."""

from datetime import date
from pathlib import Path

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from sla.ics import BYTES, NotRead, read

YEARS = {2027}


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def ics(*events: str) -> bytes:
    body = "".join(
        f"BEGIN:VEVENT\r\nUID:{n}@example.com\r\n{event}\r\nEND:VEVENT\r\n" for n, event in enumerate(events)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{body}END:VCALENDAR\r\n".encode()


def day(start: str, *lines: str, name: str = "Founders' day") -> str:
    return "\r\n".join([f"DTSTART;VALUE=DATE:{start}", f"SUMMARY:{name}", *lines])


def days(*events: str, years: set[int] | None = None) -> list[str]:
    return [on.isoformat() for on, _name in read(ics(*events), years or YEARS).days]


def remark(event: str) -> str:
    (found,) = read(ics(event, day("20270101", name="New Year")), YEARS).remarks
    return found


def test_a_whole_day_is_taken_with_its_name():
    assert read(ics(day("20270301")), YEARS).days == [(date(2027, 3, 1), "Founders' day")]


def test_the_end_is_exclusive():
    assert days(day("20270301", "DTEND;VALUE=DATE:20270303")) == ["2027-03-01", "2027-03-02"]


def test_a_day_that_ends_on_itself_is_one_day():
    assert days(day("20270301", "DTEND;VALUE=DATE:20270301")) == ["2027-03-01"]


def test_a_duration_of_whole_days_counts():
    assert days(day("20270301", "DURATION:P3D")) == ["2027-03-01", "2027-03-02", "2027-03-03"]
    assert len(days(day("20270301", "DURATION:P1W"))) == 7


def test_days_of_other_years_are_left():
    proposal = read(ics(day("20261231", "DTEND;VALUE=DATE:20270102"), day("20280101")), YEARS)

    assert [on.isoformat() for on, _name in proposal.days] == ["2027-01-01"]
    assert list(proposal.remarks) == ["1 event has no day in the chosen years."]


@pytest.mark.parametrize(
    ("rule", "years", "expected"),
    [
        ("RRULE:FREQ=YEARLY", {2027, 2028}, ["2027-05-09", "2028-05-09"]),
        ("RRULE:FREQ=YEARLY;INTERVAL=2", {2027, 2028}, ["2028-05-09"]),
        ("RRULE:FREQ=YEARLY;COUNT=3", {2026, 2027}, ["2026-05-09"]),
        ("RRULE:FREQ=YEARLY;UNTIL=20270101", {2026, 2027}, ["2026-05-09"]),
        ("RRULE:FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=9", {2027}, ["2027-05-09"]),
        ("RRULE:FREQ=YEARLY\r\nEXDATE;VALUE=DATE:20270509", {2027, 2028}, ["2028-05-09"]),
    ],
)
def test_a_yearly_rule_is_expanded_within_the_years(rule, years, expected):
    assert days(day("20240509", rule), years=years) == expected


def test_the_29th_of_february_is_there_in_leap_years_only():
    assert days(day("20240229", "RRULE:FREQ=YEARLY"), years={2027, 2028}) == ["2028-02-29"]


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("DTSTART;TZID=Europe/Berlin:20270301T000000\r\nSUMMARY:Fair", "“Fair” has a time of day"),
        ("DTSTART:20270301T000000Z\r\nSUMMARY:Fair", "“Fair” has a time of day"),
        ("DTSTART:20270301T090000\r\nSUMMARY:Fair", "“Fair” has a time of day"),
        ("SUMMARY:Fair", "“Fair” has no day."),
        (day("20270301", "DTEND:20270302T090000Z"), "ends at a time of day"),
        (day("20270301", "DTEND;VALUE=DATE:20270201"), "ends before it begins"),
        (day("20270301", "DURATION:PT5H"), "is not as long as whole days"),
        (day("20270301", "DTEND;VALUE=DATE:20280301"), "is longer than a month: no holiday is"),
        (day("20270301", "RRULE:FREQ=WEEKLY"), "repeats, but not once a year on its day"),
        (day("20270301", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1MO"), "repeats, but not once a year on its day"),
        (day("20270301", "RRULE:FREQ=YEARLY;BYMONTHDAY=1,2"), "“Founders' day” cannot be understood."),
        (day("20270301", "RDATE;VALUE=DATE:20270401"), "repeats on listed days"),
        (day("20270301", "STATUS:CANCELLED"), "is cancelled"),
    ],
)
def test_what_cannot_be_taken_is_left_with_the_reason(event, words):
    assert words in remark(event)


def test_names_are_words_only_and_short():
    (found,) = read(ics(day("20270301", name="<b>A\\nB</b>\x07" + "x" * 500)), YEARS).days

    assert found[1].startswith("<b>A B</b> x") and len(found[1]) == 100


def test_remarks_do_not_grow_without_end():
    events = [day("20270301", "RRULE:FREQ=WEEKLY") for _n in range(50)]

    remarks = read(ics(day("20270101"), *events), YEARS).remarks

    assert len(remarks) == 11 and remarks[-1] == "40 more events were left out."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no BEGIN:VCALENDAR"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "no BEGIN:VCALENDAR"),
        (b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", "cannot be read as iCalendar"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\n" * 5000, "more than 1000 events"),
        (b"BEGIN:VCALENDAR\r\n" + b"BEGIN:X\r\n" * 2100, "more than 1000 events"),
        (b"BEGIN:VCALENDAR\r\n" + b"X:1\r\n" * 20_001, "more than 1000 events"),
        (ics(day("20270101")) * 2, "several calendars"),
        (b"BEGIN:VCALENDAR\r\n" + b"x" * BYTES, "larger than 1 MB"),
        (ics(), "holds no day off for the chosen years"),
        (ics(day("20280101")), "holds no day off for the chosen years"),
        (ics("DTSTART:99999999T999999\r\nSUMMARY:\xff"), "holds no day off"),
    ],
)
def test_what_is_no_calendar_of_days_off_is_refused_in_a_sentence(data, words):
    with pytest.raises(NotRead, match=words):
        read(data, YEARS)


def test_the_attack_on_calendars_is_refused():
    letter = Path(__file__).resolve().parents[3] / "shared" / "cases" / "attack_mail" / "ical-payload.eml"
    if not letter.exists():
        pytest.skip("the collected attacks (../shared/cases) are not here")
    data = letter.read_bytes()

    with pytest.raises(NotRead):
        read(data[data.index(b"BEGIN:VCALENDAR") :] if b"BEGIN:VCALENDAR" in data else data, YEARS)


LINES = st.sampled_from(
    [
        "BEGIN:VEVENT", "END:VEVENT", "DTSTART;VALUE=DATE:20270301", "DTSTART;VALUE=DATE:20271399", "DTSTART:x",
        "DTEND;VALUE=DATE:00010101", "DURATION:-P1D", "DURATION:P99999999999D", "RRULE:FREQ=YEARLY;INTERVAL=0",
        "RRULE:FREQ=YEARLY;COUNT=-1", "RRULE:", "RRULE:FREQ=YEARLY;UNTIL=20300101T000000Z", "EXDATE:20270301T000000Z",
        "SUMMARY:\x00\x07", " folded", "BEGIN:VTIMEZONE", "TZID:x", "END:VTIMEZONE", ";;;", ":",
        "DTSTART;TZID=../../x:20270301T000000",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(LINES, max_size=12))
def test_no_file_breaks_the_reader(lines):
    data = "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""]).encode()

    try:
        proposal = read(data, YEARS)
    except NotRead as refusal:
        assert refusal.message
    else:
        assert all(on.year == 2027 for on, _name in proposal.days)
