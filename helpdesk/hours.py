"""Which packages are served right now, in words, for the header of the desk."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.said_once import said_once
from contracts.kept import Catalogue, catalogue
from contracts.models import PackageTerms
from sla.kept import rules
from sla.models import CalendarVersion

MOSCOW = ZoneInfo("Europe/Moscow")


def hours_line(now: datetime, edition: int | None) -> str:
    """“Premium 24×7 · Business until 18:00 · Basic from Mon 09:00”, Moscow time; of this edition of the catalogue."""
    return _line_of(now.replace(second=0, microsecond=0), edition)  # hours begin and end with a minute


@said_once(16)
def _line_of(now: datetime, edition: int | None) -> str:
    ours = rules(edition)
    sold = _sold_now(catalogue(edition), now)
    return " · ".join(_words(terms, ours.version_at(terms.calendar_id, now), now) for terms in sold)


def _sold_now(known: Catalogue, now: datetime) -> list[PackageTerms]:
    day = now.astimezone(MOSCOW).date()
    latest: dict[int, PackageTerms] = {}
    for terms in sorted(known.terms.values(), key=lambda terms: terms.starts_on):
        if terms.starts_on <= day and terms.package.is_sold:
            latest[terms.package_id] = terms
    return sorted(latest.values(), key=lambda terms: -terms.package.position)


def _words(terms: PackageTerms, version: CalendarVersion, now: datetime) -> str:
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
