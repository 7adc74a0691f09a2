"""Words for durations and moments, in the active language. They never ask the clock: `now` is always given.

Minutes are the smallest unit people see.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.days import MONTHS_LONG, MONTHS_SHORT, WEEKDAYS, WEEKDAYS_LONG, day_and_month
from accounts.days import names as _names
from accounts.said_once import said_once

MOSCOW = ZoneInfo("Europe/Moscow")  # All service hours are defined here (domain §1.3).
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@said_once(4096)
def span(length: timedelta, working_day: timedelta | None = None) -> str:
    """A duration in short: "27 мин", "3 ч 40 мин"; from a day on "1 р.д. 4 ч" or, round the clock, "1 дн 4 ч".

    `length` is business time; its sign is dropped and so are seconds. `working_day` is the business time of one
    working day on the clock's calendar; None means a calendar that never closes, whose day has 24 hours.
    """
    minutes = abs(length) // MINUTE
    day = (working_day or DAY) // MINUTE
    if minutes >= day:
        days, hours = minutes // day, minutes % day // 60
        if working_day:
            if hours:
                return _("%(days)d w.d. %(hours)d h") % {"days": days, "hours": hours}
            return _("%(days)d w.d.") % {"days": days}
        if hours:
            return _("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
        return _("%(days)d d") % {"days": days}
    hours, minutes = divmod(minutes, 60)
    if hours and minutes:
        return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": minutes}
    if hours:
        return _("%(hours)d h") % {"hours": hours}
    return _("%(minutes)d min") % {"minutes": minutes}


def span_long(length: timedelta, working_day: timedelta | None = None, *, exact: bool = False) -> str:
    """The same duration in full words, for sentences: "7 часов 42 минуты", "2 рабочих дня".

    From a day on minutes are left out, unless it is to be `exact`: "2 рабочих дня 3 минуты".
    """
    minutes = abs(length) // MINUTE
    day = (working_day or DAY) // MINUTE
    if minutes >= day:
        days, hours = minutes // day, minutes % day // 60
        if working_day:
            words = [ngettext("%(count)d working day", "%(count)d working days", days) % {"count": days}]
        else:
            words = [ngettext("%(count)d day", "%(count)d days", days) % {"count": days}]
        if hours:
            words.append(ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours})
        if exact and (left := minutes % day % 60):
            words.append(ngettext("%(count)d minute", "%(count)d minutes", left) % {"count": left})
        return " ".join(words)
    hours, minutes = divmod(minutes, 60)
    words = []
    if hours:
        words.append(ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours})
    if minutes or not hours:
        words.append(ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes})
    return " ".join(words)


def target(amount: int, unit: str) -> str:
    """What the package promises, in short: `unit` "minutes" gives "2 ч", "working_days" gives "2 р.д."."""
    if unit == "working_days":
        return _("%(days)d w.d.") % {"days": amount}
    return span(timedelta(minutes=amount))


def target_long(amount: int, unit: str) -> str:
    """What the package promises, in full words: "30 минут", "2 рабочих дня"."""
    if unit == "working_days":
        return ngettext("%(count)d working day", "%(count)d working days", amount) % {"count": amount}
    return span_long(timedelta(minutes=amount))


def moment(at: datetime, zone: tzinfo, now: datetime, style: str = "full") -> str:
    """A moment as people in `zone` write it; the year only when it is not the year of `now`. `at`, `now`: aware.

    Styles: "full" "чт 19 ноября, 14:10", today "14:10" · "date" the same, today too ·
    "plain" without the weekday, for sentences ("с 19 ноября, 14:10") · "short" "чт 14:10" within six
    days, else "пт 27 ноя, 14:10" · "weekday" the same, today too "чт 14:10" · "day" "пт 27 ноя" · "time" "14:10" ·
    "seconds" "14:10:05" · "audit" "19 ноября 2026, 14:10:05 МСК", for histories. Raises `ValueError` for a
    naive datetime and `KeyError` for another style.
    """
    there, today = _in_zone(at, zone), _in_zone(now, zone)
    return STYLES[style](there, today)


def both_zones(at: datetime, zone: tzinfo, now: datetime, style: str = "full") -> str:
    """The moment in `zone` and then in Moscow: "чт 19 ноября, 14:10 (12:10 по Москве)"; once where both agree."""
    there, moscow = _in_zone(at, zone), _in_zone(at, MOSCOW)
    words = moment(at, zone, now, style)
    if there.utcoffset() == moscow.utcoffset():
        return words
    clock = _time(moscow, moscow)
    if moscow.date() != there.date():
        clock = f"{_weekday(moscow)} {clock}"
    return _("%(moment)s (%(clock)s Moscow time)") % {"moment": words, "clock": clock}


def until(at: datetime, zone: tzinfo, now: datetime) -> str:
    """The end of a sentence that promises: "до четверга, 19 ноября, 14:10", today "до 14:10"."""
    there, today = _in_zone(at, zone), _in_zone(now, zone)
    if there.date() == today.date():
        return pgettext("deadline", "by %(moment)s") % {"moment": _time(there, today)}
    return pgettext("deadline", "by %(moment)s") % {"moment": _sentence(there, today)}


@said_once(16)
def promise(kind: str) -> str:
    """What a clock counts, as its label: "Реакция", "Решение"."""
    if kind == "reaction":
        return pgettext("promise", "Reaction")
    if kind == "resolution":
        return pgettext("promise", "Resolution")
    return {
        "line_acceptance": pgettext("promise", "Acceptance by the line"),
        "escalation_answer": pgettext("promise", "Answer to the escalation"),
    }[kind]


def units() -> str:
    """The units for the browser, which only ticks: hour, minute, working day, day, and "no time left"."""
    return "|".join((_("h"), _("min"), _("w.d."), pgettext("short", "d"), _("time is up")))


def _in_zone(at: datetime, zone: tzinfo) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"A moment needs its time zone: {at!r} is naive.")
    return at.astimezone(zone)


def _weekday(at: datetime) -> str:
    return _names(WEEKDAYS)[at.weekday()]


def _year(at: datetime, now: datetime) -> str:
    return "" if at.year == now.year else f" {at.year}"


def _time(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M}"


def _seconds(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M:%S}"


def _day(at: datetime, now: datetime) -> str:
    return f"{_weekday(at)} {at.day} {_names(MONTHS_SHORT)[at.month - 1]}{_year(at, now)}"


def _date(at: datetime, now: datetime) -> str:
    return f"{_weekday(at)} {_plain(at, now)}"


def _plain(at: datetime, now: datetime) -> str:
    return f"{day_and_month(at)}{_year(at, now)}, {at:%H:%M}"


def _full(at: datetime, now: datetime) -> str:
    return _time(at, now) if at.date() == now.date() else _date(at, now)


def _short(at: datetime, now: datetime) -> str:
    if at.date() == now.date():
        return _time(at, now)
    if abs((at.date() - now.date()).days) <= 6:
        return f"{_weekday(at)} {at:%H:%M}"
    return f"{_day(at, now)}, {at:%H:%M}"


def _weekday_too(at: datetime, now: datetime) -> str:
    return f"{_weekday(at)} {at:%H:%M}" if at.date() == now.date() else _short(at, now)


def _sentence(at: datetime, now: datetime) -> str:
    weekday, month = _names(WEEKDAYS_LONG)[at.weekday()], _names(MONTHS_LONG)[at.month - 1]
    return f"{weekday}, {at.day} {month}{_year(at, now)}, {at:%H:%M}"


def _audit(at: datetime, now: datetime) -> str:
    return f"{at.day} {_names(MONTHS_LONG)[at.month - 1]} {at.year}, {at:%H:%M:%S} {_zone_mark(at)}"


def _zone_mark(at: datetime) -> str:
    offset = at.utcoffset() or timedelta(0)
    if offset == at.astimezone(MOSCOW).utcoffset():
        return _("MSK")
    sign, minutes = ("−" if offset < timedelta(0) else "+"), abs(offset) // MINUTE
    hours, rest = divmod(minutes, 60)
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


STYLES: Mapping[str, Callable[[datetime, datetime], str]] = {
    "full": _full,
    "date": _date,
    "plain": _plain,
    "short": _short,
    "weekday": _weekday_too,
    "day": _day,
    "time": _time,
    "seconds": _seconds,
    "audit": _audit,
}
