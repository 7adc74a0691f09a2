"""Calendars are edited here: the one writer of `CalendarVersion` (domain §4).

An edit makes a new version of the whole calendar from a moment on; the versions before it stay as they are, and so do
the tickets that count on them, until a person applies the edit to them (`tickets/calendar_changes.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

import holidays as public_holidays
from django.db import transaction
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.refusals import Forbidden, Refused
from contracts.price_words import day_words
from sla import words
from sla.business_time import NeverOpen
from sla.models import Calendar, CalendarVersion, Commitment

FIRST_YEAR, LAST_YEAR = 2000, 2100  # of days off and days with own hours
SPECIAL_DAYS = 2_000
SPANS_A_DAY = 8
RUSSIA_FROM = 2020
WEEK = tuple("0123456")
NAMED = 3  # days named in a sentence about many

Hours = Sequence[Sequence[str]]  # [["09:00", "13:00"], ["14:00", "24:00"]]


@dataclass(frozen=True)
class Problem:
    """Why an edit cannot stand: at which field of the form, in words."""

    field: str
    message: str


class NotEdited(Refused):
    """The edit cannot stand; `problems` are all the reasons at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems), "4.1")
        self.problems = list(problems)


@dataclass(frozen=True)
class Edit:
    """The whole of a calendar as it is to be, as plain values.

    `weekly_hours` by weekday, "0" for Monday; `overrides` by ISO date; hours as "HH:MM" of the zone's wall clock, an
    end of "24:00" is midnight. `valid_from` None: from the moment of the decision on.
    """

    timezone: str
    weekly_hours: Mapping[str, Hours]
    holidays: Sequence[str] = ()
    overrides: Mapping[str, Hours] | None = None
    valid_from: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "timezone": self.timezone,
            "weekly_hours": {day: [list(span) for span in spans] for day, spans in sorted(self.weekly_hours.items())},
            "holidays": sorted(set(self.holidays)),
            "overrides": {day: [list(span) for span in spans] for day, spans in sorted((self.overrides or {}).items())},
            "valid_from": self.valid_from.isoformat() if self.valid_from else None,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Edit":
        moment = kept.get("valid_from")
        return cls(
            timezone=kept["timezone"],
            weekly_hours=kept["weekly_hours"],
            holidays=kept["holidays"],
            overrides=kept["overrides"],
            valid_from=datetime.fromisoformat(moment) if moment else None,
        )

    def version(self, calendar: Calendar, *, at: datetime) -> CalendarVersion:
        """The version that the edit makes, decided at `at`; not saved."""
        kept = self.as_json()
        return CalendarVersion(
            calendar=calendar,
            valid_from=max(self.valid_from or at, at),
            timezone=kept["timezone"],
            weekly_hours={day: spans for day, spans in kept["weekly_hours"].items() if spans},
            holidays=kept["holidays"],
            overrides=kept["overrides"],
        )


def as_edit(version: CalendarVersion) -> Edit:
    """A version as the edit that would make it again; without its moment."""
    return Edit(version.timezone, version.weekly_hours, version.holidays, version.overrides)


def only_editors(by: User) -> None:
    """Raises `Forbidden` for everybody but the administrator (domain §7)."""
    if by.role != Role.ADMIN:
        raise Forbidden(_("Only an administrator edits calendars."))


# Verbs


@transaction.atomic
def edit_calendar(
    calendar: Calendar,
    *,
    timezone: str,
    weekly_hours: Mapping[str, Hours],
    holidays: Sequence[str] = (),
    overrides: Mapping[str, Hours] | None = None,
    valid_from: datetime | None = None,
    reason: str = "",
    by: User,
    at: datetime,
) -> CalendarVersion:
    """Makes a new version of a calendar; no ticket moves by it (domain §4).

    `valid_from` (aware) is not before `at` and after the latest version's, because tickets received in between stand on
    that one already; None means `at`. Values as in `Edit`. Raises `NotEdited` with every reason in words, `Forbidden`.
    """
    only_editors(by)
    Calendar.objects.select_for_update().get(pk=calendar.pk)
    edit = Edit(timezone, weekly_hours, holidays, overrides, valid_from)
    problems = problems_of(edit, calendar, at=at)
    if problems:
        raise NotEdited(problems)
    version = edit.version(calendar, at=at)
    version.made_by, version.made_at, version.reason = by, at, reason.strip()
    version.save(force_insert=True)
    return version


@transaction.atomic
def withdraw(version: CalendarVersion, *, by: User, at: datetime) -> None:
    """A version that is still to come, and on which nothing counts, is taken back. Raises `NotEdited`, `Forbidden`."""
    only_editors(by)
    Calendar.objects.select_for_update().get(pk=version.calendar_id)
    if version.valid_from <= at:
        raise NotEdited([Problem("valid_from", _("This version holds already: edit the calendar instead."))])
    if is_counted_on(version):
        raise NotEdited([Problem("valid_from", _("It was applied to open requests, which count on it."))])
    version.delete()


def is_counted_on(version: CalendarVersion) -> bool:
    """Whether any clock stands on the version."""
    return Commitment.objects.filter(calendar_version=version).exists()


# What cannot be, in words


def problems_of(edit: Edit, calendar: Calendar, *, at: datetime) -> list[Problem]:
    """Everything that is wrong with an edit, in the order of the form; [] for nothing. Writes nothing."""
    problems: list[Problem] = []
    if edit.timezone not in available_timezones():
        problems.append(
            Problem(
                "timezone",
                _("There is no time zone “%(name)s”; write one as Europe/Moscow.") % {"name": edit.timezone[:80]},
            )
        )
    problems += _problems_of_week(edit.weekly_hours)
    days_off, wrong = _days(edit.holidays)
    problems += [Problem("holidays", message) for message in wrong]
    own, wrong = _days(edit.overrides or {})
    problems += [Problem("overrides", message) for message in wrong]
    for day, spans in (edit.overrides or {}).items():
        named = day_words(date.fromisoformat(day)) if day in own else day
        problems += [Problem("overrides", message) for message in _problems_of_hours(spans, named)]
    if both := sorted(days_off & own):
        told = _some(both)
        problems.append(
            Problem("overrides", _("A day off has no hours of its own; these are both: %(days)s.") % {"days": told})
        )
    problems += _problems_of_moment(edit, calendar, at)
    if not problems:
        problems += _problems_of_whole(edit, calendar, at)
    return problems


def _problems_of_week(week: Mapping[str, Hours]) -> list[Problem]:
    problems = []
    for day, spans in week.items():
        if day not in WEEK:
            problems.append(Problem("week", _("A weekday is a number from 0 (Monday) to 6 (Sunday).")))
            continue
        named = weekday(int(day))
        problems += [Problem(f"day_{day}", message) for message in _problems_of_hours(spans, named)]
    if not any(week.values()):
        problems.append(Problem("day_0", _("The week has no open hour: no deadline could ever be counted.")))
    return problems


def _is_english() -> bool:
    return (get_language() or "ru").startswith("en")


def weekday(number: int) -> str:
    """The name of a weekday as a label, 0 for Monday; `sla.words` has the Russian ones in the genitive only."""
    return [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")][number]


def minute_of(clock: str) -> int | None:
    """Minutes since midnight of "HH:MM", 1440 for "24:00"; None for anything else."""
    if clock == "24:00":
        return 24 * 60
    if len(clock) != 5 or clock[2] != ":":
        return None
    try:
        at = time.fromisoformat(clock)
    except ValueError:
        return None
    return at.hour * 60 + at.minute


def _problems_of_hours(spans: Hours, named: str) -> list[str]:
    problems = []
    found: list[tuple[int, int]] = []
    if len(spans) > SPANS_A_DAY:
        return [_("%(day)s: at most %(n)d spans of hours a day.") % {"day": named, "n": SPANS_A_DAY}]
    for span in spans:
        minutes = [minute_of(clock) for clock in span] if len(span) == 2 else [None]
        first, last = (minutes[0], minutes[1]) if len(minutes) == 2 else (None, None)
        if first is None or last is None:
            problems.append(
                _("%(day)s: hours are written as 09:00–18:00, midnight at the end as 24:00.") % {"day": named}
            )
        elif first >= last:
            problems.append(
                _("%(day)s: %(from)s–%(to)s ends before it begins; hours over midnight are two spans, one on each day.")
                % {"day": named, "from": span[0], "to": span[1]}
            )
        else:
            found.append((first, last))
    found.sort()
    if any(after[0] < before[1] for before, after in pairwise(found)):
        problems.append(_("%(day)s: the hours overlap.") % {"day": named})
    return problems


def _days(written: Iterable[str]) -> tuple[set[str], list[str]]:
    """ISO days that can be, and what is wrong with the others."""
    found: set[str] = set()
    wrong, outside = [], []
    for day in written:
        try:
            on = date.fromisoformat(day)
        except ValueError:
            wrong.append(day)
            continue
        if FIRST_YEAR <= on.year <= LAST_YEAR:
            found.add(on.isoformat())
        else:
            outside.append(day)
    problems = []
    if wrong:
        told = ", ".join(day[:40] for day in wrong[:NAMED])
        problems.append(_("These are no days; write them as 2027-01-31: %(days)s.") % {"days": told})
    if outside:
        told = ", ".join(outside[:NAMED])
        problems.append(
            _("Days lie between %(first)d and %(last)d: %(days)s.")
            % {"first": FIRST_YEAR, "last": LAST_YEAR, "days": told}
        )
    if len(found) > SPECIAL_DAYS:
        problems.append(_("At most %(n)d days: forget years that are over.") % {"n": SPECIAL_DAYS})
    return found, problems


def _some(days: Sequence[str]) -> str:
    told = ", ".join(day_words(date.fromisoformat(day)) for day in days[:NAMED])
    more = len(days) - NAMED
    return told + (", " + ngettext("and %(n)d more", "and %(n)d more", more) % {"n": more} if more > 0 else "")


def _problems_of_moment(edit: Edit, calendar: Calendar, at: datetime) -> list[Problem]:
    latest = calendar.versions.order_by("-valid_from").first()
    since = edit.valid_from or at
    if since < at:
        return [Problem("valid_from", _("A version begins now or later: what was received already keeps its hours."))]
    if latest is not None and since <= latest.valid_from:
        day = words.moment(latest.valid_from, words.MOSCOW, at, "full")
        return [
            Problem(
                "valid_from",
                _("The latest version begins at %(moment)s: a new one begins after it.") % {"moment": day},
            )
        ]
    return []


def _problems_of_whole(edit: Edit, calendar: Calendar, at: datetime) -> list[Problem]:
    latest = calendar.versions.order_by("-valid_from").first()
    plain = replace(edit, valid_from=None).version(calendar, at=at)
    if latest is not None and as_edit(latest).as_json() == as_edit(plain).as_json():
        return [Problem("__all__", _("Nothing changes: the calendar is like this already."))]
    try:
        plain.working_calendar().next_opening(at)
    except NeverOpen:
        return [Problem("week", _("The calendar never opens again: no deadline could be counted."))]
    return []


# Proposals


@dataclass(frozen=True)
class Proposal:
    """Days off that a person may accept: (day, name), and weekend days that are worked instead.

    `is_announced`: false where the year's transfers are not decreed yet and only the law's own days are known.
    """

    days: Sequence[tuple[date, str]]
    working: Sequence[date] = ()
    is_announced: bool = True
    remarks: Sequence[str] = ()


def holidays_of_russia(year: int) -> Proposal:
    """The public holidays of Russia with transferred days, from the kept library. Raises `NotEdited` outside its years.

    A proposal: nothing is written. Years whose transfers are not decreed yet have the law's own days only.
    """
    if not RUSSIA_FROM <= year <= LAST_YEAR:
        problem = _("Holidays are known from %(first)d to %(last)d.") % {"first": RUSSIA_FROM, "last": LAST_YEAR}
        raise NotEdited([Problem("year", problem)])
    found = public_holidays.country_holidays("RU", years=year, language="en_US" if _is_english() else "ru")
    decreed = set(found.special_public_holidays) | set(getattr(found, "special_public_holidays_observed", {}))
    announced = year in decreed
    remarks = []
    if not announced:
        remarks.append(
            _("The transfers of %(year)d are not announced yet: these are only the days that the law itself names.")
            % {"year": year}
        )
    return Proposal(
        days=sorted((day, name) for day, name in found.items() if day.year == year),
        working=sorted(day for day in found.weekend_workdays if day.year == year),
        is_announced=announced,
        remarks=remarks,
    )


@dataclass(frozen=True)
class Accepted:
    """An edit with a proposal in it, and what came in by it."""

    edit: Edit
    added: Sequence[str]
    opened: Sequence[str]


def accept(edit: Edit, proposal: Proposal) -> Accepted:
    """The edit with the proposed days in it; what was there stays. A day that becomes free loses its own hours.

    A weekend day that is worked instead gets Monday's hours, where the week has it closed. Pure.
    """
    days_off = set(edit.holidays)
    added = [day.isoformat() for day, _name in proposal.days if day.isoformat() not in days_off]
    overrides = {day: spans for day, spans in (edit.overrides or {}).items() if day not in added}
    hours = edit.weekly_hours.get("0") or ()
    opened = []
    for day in proposal.working:
        key = day.isoformat()
        if hours and key not in overrides and key not in days_off and not edit.weekly_hours.get(str(day.weekday())):
            overrides[key] = hours
            opened.append(key)
    return Accepted(replace(edit, holidays=sorted(days_off | set(added)), overrides=overrides), added, opened)


def without_year(edit: Edit, year: int) -> Edit:
    """The edit without the days off and the own hours of a year. Pure."""
    return replace(
        edit,
        holidays=[day for day in edit.holidays if not day.startswith(f"{year:04d}-")],
        overrides={day: spans for day, spans in (edit.overrides or {}).items() if not day.startswith(f"{year:04d}-")},
    )


def with_range(edit: Edit, first: date, last: date, *, off: bool) -> Edit:
    """The edit with every day of [first, last] a day off, or none of them special any more. Pure.

    Raises `NotEdited` for a range that ends before it begins or is longer than a year.
    """
    if last < first:
        raise NotEdited([Problem("last", _("The last day lies before the first."))])
    if (last - first).days > 366:
        raise NotEdited([Problem("last", _("At most a year at once."))])
    days = {(first + timedelta(number)).isoformat() for number in range((last - first).days + 1)}
    days_off = set(edit.holidays) | days if off else set(edit.holidays) - days
    overrides = {day: spans for day, spans in (edit.overrides or {}).items() if day not in days}
    return replace(edit, holidays=sorted(days_off), overrides=overrides)


# What differs, in words


def spans_words(spans: Hours) -> str:
    """Hours as people write them: "09:00–13:00, 14:00–18:00"; "" for none."""
    return ", ".join(f"{start}–{end}" for start, end in spans)


def ranges(days: Iterable[str]) -> list[tuple[str, str]]:
    """ISO days as ranges of days in a row: [(first, last)], in order."""
    found: list[tuple[str, str]] = []
    for day in sorted(set(days)):
        if found and date.fromisoformat(day) - date.fromisoformat(found[-1][1]) == timedelta(1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def range_words(first: str, last: str) -> str:
    """A range of days in words: "1 Jan 2027 – 8 Jan 2027"; a single day alone."""
    one, other = day_words(date.fromisoformat(first)), day_words(date.fromisoformat(last))
    return one if first == last else f"{one} – {other}"


@dataclass(frozen=True)
class Difference:
    """One thing that an edit changes; `old` and `new` are "" for what is not there."""

    what: str
    old: str
    new: str


SHOWN_RANGES = 40  # of days, in a list of differences


def differences(before: Edit, after: Edit) -> list[Difference]:
    """What an edit changes against the version before it, in the order of the form."""
    found = []
    if before.timezone != after.timezone:
        found.append(Difference(_("Time zone"), before.timezone, after.timezone))
    for day in WEEK:
        was, now = (spans_words(one.weekly_hours.get(day) or ()) for one in (before, after))
        if was != now:
            found.append(Difference(weekday(int(day)), was or _("closed"), now or _("closed")))
    was_off, is_off = set(before.holidays), set(after.holidays)
    if gone := was_off - is_off:
        found.append(Difference(_("No days off any more"), _ranges_words(gone), ""))
    if new := is_off - was_off:
        found.append(Difference(_("New days off"), "", _ranges_words(new)))
    was_own, is_own = before.overrides or {}, after.overrides or {}
    for key in sorted(set(was_own) | set(is_own))[:SHOWN_RANGES]:
        was, now = (
            (spans_words(one[key]) or _("closed")) if key in one else _("as every week") for one in (was_own, is_own)
        )
        if was != now:
            found.append(Difference(day_words(date.fromisoformat(key)), was, now))
    return found


def _ranges_words(days: Iterable[str]) -> str:
    told = [range_words(first, last) for first, last in ranges(days)]
    more = len(told) - SHOWN_RANGES
    return ", ".join(told[:SHOWN_RANGES]) + (" …" if more > 0 else "")
