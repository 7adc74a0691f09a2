"""Days, moments, times and hours in the words of a contract, in the active language."""

from datetime import date, datetime
from typing import Any

from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from contracts.entitlement import CONTRACT_ZONE
from contracts.models import TermsTarget
from contracts.price_words import day_words as day


def day_short(value: date) -> str:
    """A day for a column of a table: “18 Nov 2026”, “18.11.2026”."""
    return day(value) if is_english() else f"{value:%d.%m.%Y}"


def moscow_moment(at: datetime) -> str:
    """“18 November 2026, 14:10 Moscow time (UTC+03:00)”."""
    there = at.astimezone(CONTRACT_ZONE)
    offset = f"{there:%z}"
    return _("%(day)s, %(time)s Moscow time (UTC%(offset)s)") % {
        "day": day(there.date()),
        "time": f"{there:%H:%M}",
        "offset": f"{offset[:3]}:{offset[3:]}",
    }


def duration(minutes: int) -> str:
    """“30 minutes”, “4 hours”, “1 hour 30 minutes”; never days, whose length depends on the calendar."""
    hours, rest = divmod(minutes, 60)
    words = []
    if hours:
        words.append(ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours})
    if rest:
        words.append(ngettext("%(count)d minute", "%(count)d minutes", rest) % {"count": rest})
    return " ".join(words)


def target_words(target: TermsTarget) -> str:
    """A promised time in words: “30 minutes”, “2 working days”."""
    if target.unit == TermsTarget.Unit.WORKING_DAYS:
        return ngettext("%(count)d working day", "%(count)d working days", target.amount) % {"count": target.amount}
    return duration(target.amount)


def hours_words(version: Any) -> str:
    """The hours of a `sla.CalendarVersion` in its own time zone: “Mon–Fri 09:00–18:00, Moscow time (UTC+03:00)”."""
    if version.is_round_the_clock:
        return _("round the clock, every day of the year")
    groups: list[tuple[int, int, str]] = []
    for weekday in range(7):
        times = ", ".join(f"{start}–{end}" for start, end in version.weekly_hours.get(str(weekday), []))
        if groups and groups[-1][1:] == (weekday - 1, times):
            groups[-1] = (groups[-1][0], weekday, times)
        else:
            groups.append((weekday, weekday, times))
    told = "; ".join(f"{_weekdays(first, last)} {times}" for first, last, times in groups if times)
    zone = _("Moscow time (UTC+03:00)") if version.timezone == CONTRACT_ZONE.key else version.timezone
    if version.holidays:
        return _("%(hours)s, %(zone)s, except public holidays, with the working days transferred by law") % {
            "hours": told,
            "zone": zone,
        }
    return f"{told}, {zone}"


def _weekdays(first: int, last: int) -> str:
    names = [str(WEEKDAYS_ABBR[weekday]) for weekday in (first, last)]
    if not is_english():
        names = [name.lower() for name in names]
    return names[0] if first == last else "–".join(names)


def is_english() -> bool:
    return (get_language() or "ru").startswith("en")
