"""Which packages are served right now, in words, for the header of the desk."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from contracts.models import PackageTerms

MOSCOW = ZoneInfo("Europe/Moscow")


def hours_line(now: datetime) -> str:
    """“Premium 24×7 · Business until 18:00 · Basic from Mon 09:00”, Moscow time; kept for a minute."""
    key = f"hours:{get_language()}:{int(now.timestamp()) // 60}"
    line = cache.get(key)
    if line is None:
        line = " · ".join(_words(terms, now) for terms in _sold_now(now))
        cache.set(key, line, 60)
    return line


def _sold_now(now: datetime) -> list[PackageTerms]:
    day = now.astimezone(MOSCOW).date()
    latest: dict[int, PackageTerms] = {}
    rows = PackageTerms.objects.filter(starts_on__lte=day, package__is_sold=True).select_related("package", "calendar")
    for terms in rows.order_by("starts_on"):
        latest[terms.package_id] = terms
    return sorted(latest.values(), key=lambda terms: -terms.package.position)


def _words(terms: PackageTerms, now: datetime) -> str:
    version = terms.calendar.version_at(now)
    name = terms.package.name
    if version.is_round_the_clock:
        return _("%(package)s 24×7") % {"package": name}
    calendar = version.working_calendar()
    if calendar.is_open(now):
        closes = calendar.closing(now).astimezone(MOSCOW)
        return _("%(package)s until %(time)s") % {"package": name, "time": f"{closes:%H:%M}"}
    opens = calendar.next_opening(now).astimezone(MOSCOW)
    days = [_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")]
    day = "" if opens.date() == now.astimezone(MOSCOW).date() else days[opens.weekday()] + " "
    return _("%(package)s from %(day)s%(time)s") % {"package": name, "day": day, "time": f"{opens:%H:%M}"}
