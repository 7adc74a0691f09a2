"""When a line works: the one place that is asked for it, so that a plan of shifts can answer instead.

Without a plan the hours are those of the office, as the calendar of working days has them with its holidays; a line
that was lately seen to act at other times is taken to be on call round the clock.
"""

from datetime import datetime, time, timedelta
from typing import NamedTuple

from sla.business_time import WorkingCalendar
from sla.models import CalendarVersion

OFFICE = "working-days"  # the calendar of the office, domain §1.3
SEEN_OUTSIDE = 3  # days with work outside office hours, of those that the pace looks at: not a chance any more
ROUND_THE_CLOCK = WorkingCalendar("Europe/Moscow", {day: [(time(0), time(0))] for day in range(7)})
OFFICE_DAY = timedelta(hours=9)


def office_hours(at: datetime) -> WorkingCalendar:
    """The hours of the office as they are known at this moment. One statement."""
    versions = CalendarVersion.objects.filter(calendar__code=OFFICE).order_by("-valid_from")
    version = versions.filter(valid_from__lte=at).first() or versions.last()
    if version is None:
        raise LookupError(f"The catalogue has no calendar {OFFICE!r}.")
    return version.working_calendar()


class LineHours(NamedTuple):
    """When somebody of a line is there. `planned`: by a plan of shifts; else by what is usual."""

    calendar: WorkingCalendar
    planned: bool = False


def hours_of_line(line: int, *, office: WorkingCalendar, days_outside: int) -> LineHours:
    """The hours of a line. Asks the database nothing: `office` is `office_hours` of the moment."""
    return LineHours(ROUND_THE_CLOCK if days_outside >= SEEN_OUTSIDE else office)
