"""The hours and days off of a calendar in words: when the service is there, and what a day off is called (domain §1.3).

The zone of the reader and `now` are given; words are in the active language.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from functools import lru_cache

from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.refusals import Refused
from accounts.said_once import said_once
from contracts.terms import WORKING_DAY
from sla import words
from sla.calendars import holidays_of_russia
from sla.models import CalendarVersion, Commitment

NAMED_SPANS = 8  # of days off in one closed stretch


def hours(version: CalendarVersion, *, zone: tzinfo, now: datetime) -> str:
    """Service hours in the reader's zone: "пн–пт 09:00–18:00", "ежедневно 11:00–20:00", "круглосуточно"."""
    if version.is_round_the_clock:
        return _("round the clock, every day")
    week = tuple((int(day), tuple((start, end) for start, end in pairs)) for day, pairs in version.weekly_hours.items())
    today = now.astimezone(version.zone).date()
    return _hours(tuple(sorted(week)), version.zone, zone, today, bool(version.holidays))


Week = tuple[tuple[int, tuple[tuple[str, str], ...]], ...]


@said_once(256)
def _hours(week: Week, there: tzinfo, zone: tzinfo, today: date, has_holidays: bool) -> str:
    days = _local_hours(week, there, zone, today)
    groups: list[tuple[int, int, str]] = []
    for day in range(7):
        if not days[day]:
            continue
        if groups and groups[-1][1] == day - 1 and groups[-1][2] == days[day]:
            groups[-1] = (groups[-1][0], day, days[day])
        else:
            groups.append((day, day, days[day]))
    told = ", ".join(f"{_days(first, last)} {times}" for first, last, times in groups)
    if has_holidays:
        return _("%(hours)s, except public holidays") % {"hours": told}
    return told


def _local_hours(week: Week, there: tzinfo, zone: tzinfo, today: date) -> list[str]:
    """The hours of Monday to Sunday as the reader's clocks show them this week."""
    monday = today - timedelta(days=today.weekday())
    told: list[list[str]] = [[] for _day in range(7)]
    for day, pairs in week:
        for start, end in pairs:
            opens = _at(there, monday + timedelta(days=day), start).astimezone(zone)
            closes = _at(there, monday + timedelta(days=day), end).astimezone(zone)
            told[opens.weekday()].append(f"{opens:%H:%M}–{closes:%H:%M}")
    return [", ".join(times) for times in told]


def _at(there: tzinfo, day: date, clock: str) -> datetime:
    hour, minute = (int(part) for part in clock.split(":")[:2])
    return datetime(day.year, day.month, day.day, tzinfo=there) + timedelta(hours=hour, minutes=minute)


def _days(first: int, last: int) -> str:
    names = words.WEEKDAYS[language_of_tables()]
    if (first, last) == (0, 6):
        return _("every day")
    return names[first] if first == last else f"{names[first]}–{names[last]}"


def language_of_tables() -> str:
    """The language that the tables of `sla.words` are read in."""
    return "en" if (get_language() or "ru").startswith("en") else "ru"


def working_day_of(clock: Commitment) -> timedelta | None:
    """The business time of a working day on the clock's calendar; None where it never closes."""
    return None if clock.calendar_version.is_round_the_clock else WORKING_DAY


def days_off(dates: Sequence[date], version: CalendarVersion, now: datetime) -> str:
    """Days off with their names, those of one name in a row drawn together: "ср 4 ноя (День народного единства)"."""
    groups: list[tuple[date, date, str]] = []
    for day in dates:
        name = holiday_name(day, version)
        if groups and groups[-1][2] == name and (name or (day - groups[-1][1]).days == 1):
            groups[-1] = (groups[-1][0], day, name)
        else:
            groups.append((day, day, name))
    told = []
    for first, last, name in groups[:NAMED_SPANS]:
        span = _day_told(first, now) if first == last else f"{_day_told(first, now)} – {_day_told(last, now)}"
        told.append(f"{span} ({name})" if name else span)
    if len(groups) > NAMED_SPANS:
        told.append(_("and more"))
    return ", ".join(told)


def _day_told(day: date, now: datetime) -> str:
    return words.moment(datetime(day.year, day.month, day.day, 12, tzinfo=words.MOSCOW), words.MOSCOW, now, "day")


def holiday_name(day: date, version: CalendarVersion) -> str:
    """What a day off of a Moscow calendar is called, in the active language; "" for one that only the house has."""
    if version.timezone != words.MOSCOW.key:
        return ""
    return _holiday_names(day.year, language_of_tables()).get(day, "")


@lru_cache(maxsize=64)
def _holiday_names(year: int, language: str) -> dict[date, str]:
    """By day; what the library puts in brackets follows a comma, since names stand in brackets themselves."""
    try:
        with translation.override(language):
            named = holidays_of_russia(year).days
        return {day: name.replace(" (", ", ").rstrip(")") for day, name in named}
    except Refused:  # a year that the library does not know: its days off have no names
        return {}
