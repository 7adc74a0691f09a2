"""/a/calendars/: when the desk is open, day by day, and the versions of each calendar (domain §4.1, §7)."""

import calendar as months
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dates import MONTHS
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import only, person
from accounts.models import STAFF_ROLES, Role
from sla import words
from sla.business_time import NeverOpen
from sla.calendars import FIRST_YEAR, LAST_YEAR, WEEK, minute_of, range_words, ranges, spans_words, weekday
from sla.hours_words import holiday_name, language_of_tables
from sla.models import Calendar, CalendarVersion

NEXT_DAYS = 3
VERSIONS = 20  # of one calendar on its page
CHANGES = 10
MINUTES = 24 * 60

staff_only = only(STAFF_ROLES)


# All calendars


@dataclass(frozen=True)
class DayBar:
    """A day of the week: its name, its hours in words ("" closed), and for the drawing (start, length) in minutes."""

    name: str
    hours: str
    bars: list[tuple[int, int]]


@dataclass(frozen=True)
class Card:
    """A calendar as the list shows it, by the version that holds now."""

    calendar: Calendar
    version: CalendarVersion
    week: list[DayBar]
    is_open: bool
    until: datetime | None  # when it closes or opens next; None: it never does
    next_days: list[str]
    versions: int
    planned: CalendarVersion | None


def week_of(version: CalendarVersion) -> list[DayBar]:
    """Monday to Sunday of a version, for pages."""
    found = []
    for day in WEEK:
        spans = version.weekly_hours.get(day) or []
        pairs = [(minute_of(start) or 0, minute_of(end) or MINUTES) for start, end in spans]
        found.append(DayBar(weekday(int(day)), spans_words(spans), [(start, end - start) for start, end in pairs]))
    return found


def now_of(version: CalendarVersion, now: datetime) -> tuple[bool, datetime | None]:
    """Whether the desk is open, and until when it is so; None where that never ends."""
    calendar = version.working_calendar()
    try:
        if not calendar.is_open(now):
            return False, calendar.next_opening(now)
        return True, None if version.is_round_the_clock else calendar.closing(now)
    except NeverOpen:
        return False, None


def named_days(version: CalendarVersion, days: Iterable[str]) -> list[str]:
    """Days off as ranges with their names: "4 Nov 2026, Unity Day"."""
    told = []
    for first, last in ranges(days):
        name = holiday_name(date.fromisoformat(first), version) if first == last else ""
        told.append(", ".join(part for part in (range_words(first, last), name) if part))
    return told


def _card(calendar: Calendar, now: datetime) -> Card:
    versions = list(calendar.versions.all())  # newest first
    version = next((one for one in versions if one.valid_from <= now), versions[-1])
    is_open, until = now_of(version, now)
    today = now.astimezone(version.zone).date().isoformat()
    ahead = [day for day in sorted(version.holidays) if day >= today]
    return Card(
        calendar,
        version,
        week_of(version),
        is_open,
        until,
        named_days(version, ahead[:20])[:NEXT_DAYS],
        len(versions),
        versions[0] if versions[0].valid_from > now else None,
    )


@staff_only
@require_safe
def calendars(request: HttpRequest) -> HttpResponse:
    """Every calendar: zone, week, open now or when next, the next days off, versions."""
    now = timezone.now()
    newest_first = Prefetch("versions", queryset=CalendarVersion.objects.order_by("-valid_from"))
    rows = Calendar.objects.prefetch_related(newest_first).order_by("pk")
    context = {"tab": "calendars", "now": now, "cards": [_card(row, now) for row in rows]}
    return render(request, "sla/calendars.html", context)


# One calendar


@dataclass(frozen=True)
class Day:
    """A day of the year view. `kind`: "" plain, "closed" by the week, "off", "own" hours, "worked" though closed."""

    number: int
    kind: str
    words: str
    is_today: bool


@dataclass
class Month:
    """A month as weeks of seven days, None outside of it; `told` are its special days in words."""

    name: str
    weeks: list[list[Day | None]]
    told: list[str] = field(default_factory=list)


def year_of(version: CalendarVersion, year: int, today: date) -> list[Month]:
    """The twelve months of a year by a version, with what is special in words."""
    off = set(version.holidays)
    found = []
    for number in range(1, 13):
        weeks = [
            [_day(version, day, off, today) if day.month == number else None for day in week]
            for week in months.Calendar().monthdatescalendar(year, number)
        ]
        prefix = f"{year:04d}-{number:02d}-"
        told = named_days(version, (day for day in version.holidays if day.startswith(prefix)))
        told += [
            f"{range_words(day, day)}: {spans_words(spans) or _('closed')}"
            for day, spans in sorted(version.overrides.items())
            if day.startswith(prefix)
        ]
        found.append(Month(str(MONTHS[number]), weeks, told))
    return found


def _day(version: CalendarVersion, day: date, off: set[str], today: date) -> Day:
    key = day.isoformat()
    usual = version.weekly_hours.get(str(day.weekday())) or []
    is_today = day == today
    if key in off:
        name = holiday_name(day, version)
        return Day(day.day, "off", ", ".join(part for part in (_("day off"), name) if part), is_today)
    if key in version.overrides:
        hours = spans_words(version.overrides[key])
        if not hours:
            return Day(day.day, "off", _("day off"), is_today)
        if not usual:
            return Day(day.day, "worked", _("worked, %(hours)s") % {"hours": hours}, is_today)
        return Day(day.day, "own", _("own hours, %(hours)s") % {"hours": hours}, is_today)
    return Day(day.day, "" if usual else "closed", "" if usual else _("closed"), is_today)


@staff_only
@require_safe
def calendar(request: HttpRequest, code: str) -> HttpResponse:
    """A calendar's year, day by day, by the version that holds or the one chosen; its versions and its edits."""
    found = get_object_or_404(Calendar, code=code)
    now = timezone.now()
    versions = list(found.versions.select_related("made_by").order_by("-valid_from")[: VERSIONS + 1])
    in_force = next((one for one in versions if one.valid_from <= now), versions[-1])
    version = in_force
    if chosen := request.GET.get("version", ""):
        version = get_object_or_404(found.versions, pk=_number(chosen))
    today = now.astimezone(version.zone).date()
    year = _number(request.GET.get("year") or str(today.year))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadRequest(_("Days lie between %(first)d and %(last)d.") % {"first": FIRST_YEAR, "last": LAST_YEAR})
    is_open, until = now_of(in_force, now)
    context: dict[str, Any] = {
        "tab": "calendars",
        "now": now,
        "calendar": found,
        "version": version,
        "in_force": in_force,
        "is_open": is_open,
        "until": until,
        "week": week_of(version),
        "weekdays": list(
            zip(words.WEEKDAYS[language_of_tables()], (bar.name for bar in week_of(version)), strict=True)
        ),
        "year": year,
        "before": year - 1 if year > FIRST_YEAR else None,
        "after": year + 1 if year < LAST_YEAR else None,
        "months": year_of(version, year, today),
        "is_unknown": bool(version.holidays) and not any(day.startswith(f"{year:04d}-") for day in version.holidays),
        "versions": versions[:VERSIONS],
        "more_versions": len(versions) > VERSIONS,
        "changes": found.changes.select_related("made_by").order_by("-pk")[:CHANGES],
        "may_edit": person(request).role == Role.ADMIN,
    }
    return render(request, "sla/calendar.html", context)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(_("This address is not complete."))
    return int(text)
