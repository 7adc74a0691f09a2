"""Days off from an iCalendar file (.ics): whole days only, as a proposal that a person accepts (RFC 5545).

The file is a stranger's: its size, its events and its lines are bounded before anything is parsed, and whatever cannot
be taken is said in a sentence. Nothing is written here.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

import icalendar
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.refusals import Refused
from contracts.price_words import day_words
from sla.calendars import Proposal

BYTES = 1_000_000
EVENTS = 1_000
LINES = 20_000
LONGEST = 31  # days of one event
NAME = 100  # characters of an event's name
REMARKS = 10
YEARLY = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY"}


class NotRead(Refused):
    """The file cannot be read as a calendar of days off."""


class _Left(Exception):
    """One event is left out; the message is the reason, in words."""


def read(data: bytes, years: Collection[int]) -> Proposal:
    """The days off of these years in the file, each with its name; what was left out is in `remarks`.

    All-day events, with DTEND (exclusive) or DURATION; a yearly RRULE is expanded within the years. Events with a time
    of day, other rules, or longer than a month are left out with the reason. Raises `NotRead` for what is no calendar,
    is too large, or holds no day of these years.
    """
    _bounded(data)
    try:
        calendar = icalendar.Calendar.from_ical(data)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
        raise NotRead(_("The file cannot be read as iCalendar.")) from error
    days: dict[date, str] = {}
    remarks: list[str] = []
    outside = 0
    for event in calendar.walk("VEVENT"):
        try:
            found, name = _days_of(event, years)
        except _Left as left:
            remarks.append(str(left))
            continue
        outside += not found
        for day in found:
            days.setdefault(day, name)
    if outside:
        remarks.append(
            ngettext(
                "%(n)d event has no day in the chosen years.", "%(n)d events have no day in the chosen years.", outside
            )
            % {"n": outside}
        )
    if len(remarks) > REMARKS:
        more = len(remarks) - REMARKS
        remarks = remarks[:REMARKS]
        remarks.append(
            ngettext("%(n)d more event was left out.", "%(n)d more events were left out.", more) % {"n": more}
        )
    if not days:
        told = " ".join([_("The file holds no day off for the chosen years."), *remarks])
        raise NotRead(told)
    return Proposal(days=sorted(days.items()), remarks=remarks)


def _bounded(data: bytes) -> None:
    if len(data) > BYTES:
        raise NotRead(_("The file is larger than 1 MB: export the holidays alone."))
    head = data.upper()
    if b"BEGIN:VCALENDAR" not in head:
        raise NotRead(_("This is no iCalendar file: it has no BEGIN:VCALENDAR."))
    if head.count(b"BEGIN:VCALENDAR") > 1:
        raise NotRead(_("The file holds several calendars: send them one by one."))
    if head.count(b"BEGIN:VEVENT") > EVENTS or head.count(b"BEGIN:") > 2 * EVENTS or data.count(b"\n") > LINES:
        raise NotRead(_("The file has more than %(n)d events: export the holidays alone.") % {"n": EVENTS})


def _days_of(event: Any, years: Collection[int]) -> tuple[list[date], str]:
    name = _name(event)
    try:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            raise _Left(_("“%(name)s” is cancelled.") % {"name": name})
        start = _start(event, name)
        length = _length(event, start, name)
        skipped = _dates(event, "EXDATE")
        if event.get("RDATE") is not None:
            raise _Left(_("“%(name)s” repeats on listed days: add them by hand.") % {"name": name})
        starts = _starts(event, start, years, name)
        days = [day + timedelta(number) for day in starts if day not in skipped for number in range(length)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise _Left(_("“%(name)s” cannot be understood.") % {"name": name}) from error
    return [day for day in days if day.year in years], name


def _name(event: Any) -> str:
    summary = event.get("SUMMARY", "")
    text = str(summary[0] if isinstance(summary, list) and summary else summary)
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text[:NAME] or _("without a name")


def _start(event: Any, name: str) -> date:
    given = event.get("DTSTART")
    if given is None:
        raise _Left(_("“%(name)s” has no day.") % {"name": name})
    if isinstance(given, list):
        raise _Left(_("“%(name)s” begins more than once.") % {"name": name})
    start = given.dt
    if isinstance(start, datetime) or not isinstance(start, date):
        raise _Left(
            _("“%(name)s” has a time of day: in another time zone it would be another day. Only whole days are taken.")
            % {"name": name}
        )
    return start


def _length(event: Any, start: date, name: str) -> int:
    """Days of the event; its end is exclusive, and an event without an end is one day (RFC 5545 §3.6.1)."""
    end, duration = event.get("DTEND"), event.get("DURATION")
    days = 1
    if end is not None:
        if isinstance(end.dt, datetime) or not isinstance(end.dt, date):
            raise _Left(_("“%(name)s” ends at a time of day. Only whole days are taken.") % {"name": name})
        # Some programs write the day itself as its own end.
        days = max((end.dt - start).days, 0) or (1 if end.dt == start else 0)
    elif duration is not None:
        length = duration.dt
        if not isinstance(length, timedelta) or length % timedelta(days=1):
            raise _Left(_("“%(name)s” is not as long as whole days.") % {"name": name})
        days = length.days
    if days < 1:
        raise _Left(_("“%(name)s” ends before it begins.") % {"name": name})
    if days > LONGEST:
        raise _Left(
            _("“%(name)s” on %(day)s is longer than a month: no holiday is.") % {"name": name, "day": day_words(start)}
        )
    return days


def _dates(event: Any, field: str) -> set[date]:
    given = event.get(field)
    if given is None:
        return set()
    lists = given if isinstance(given, list) else [given]
    found = {one.dt for many in lists for one in many.dts}
    return {day for day in found if isinstance(day, date) and not isinstance(day, datetime)}


def _starts(event: Any, start: date, years: Collection[int], name: str) -> list[date]:
    """The first days of the event in and around the years: one, or by a yearly rule one a year."""
    rule = event.get("RRULE")
    if rule is None:
        return [start]
    other = _Left(_("“%(name)s” repeats, but not once a year on its day: add it by hand.") % {"name": name})
    if isinstance(rule, list) or str(_one(rule, "FREQ", "")).upper() != "YEARLY" or set(map(str.upper, rule)) - YEARLY:
        raise other
    if _one(rule, "BYMONTH", start.month) != start.month or _one(rule, "BYMONTHDAY", start.day) != start.day:
        raise other
    step, count, until = int(_one(rule, "INTERVAL", 1)), _one(rule, "COUNT", None), _one(rule, "UNTIL", None)
    if step < 1 or (count is not None and int(count) < 1):
        raise other
    last = until.date() if isinstance(until, datetime) else until
    found: list[date] = []
    met = 0
    # An event of the last days of a year may reach into the next one. The end is that of the years asked for.
    for year in range(start.year, max(years, default=start.year) + 1, step):
        try:
            day = start.replace(year=year)
        except ValueError:  # 29 February
            continue
        if (last is not None and day > last) or (count is not None and met >= int(count)):
            break
        met += 1
        found.append(day)
    return found


def _one(rule: Any, key: str, default: Any) -> Any:
    values = rule.get(key)
    if values is None:
        return default
    if not isinstance(values, list):
        return values
    if len(values) != 1:
        raise ValueError(key)
    return values[0]
