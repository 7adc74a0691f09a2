"""A chip that goes on: what it shows a little later, without asking the calendar again. Pure.

Until the minute that it says is over, or it turns amber or red, or the desk closes, only its seconds are other ones. A
list looks at fifty clocks for each of its readers; for most of them this is all there is to look at.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from sla.business_time import NeverOpen, WorkingCalendar
from sla.chip import TICKS_AT_MOST, ZERO, Chip, Clock, chip
from sla.words import MINUTE

LAST = datetime.max.replace(tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Ahead:
    """`chip` as it is at `since`, and until when (not including it) nothing but its seconds changes.

    `open_for`: how long the desk stays open from `since` on, a minute more than the chip ever says; 0: nothing counts.
    """

    chip: Chip
    since: datetime
    until: datetime
    open_for: timedelta = ZERO

    def at(self, now: datetime) -> Chip | None:
        """The chip at `now`; None where it has to be looked at anew."""
        if not self.since <= now < self.until:
            return None
        left = self.chip.left
        if left is None or not self.open_for:
            return self.chip
        gone = (now - self.since) // SECOND * SECOND
        return self.chip._replace(left=left - gone, open_for=min(self.open_for - gone, TICKS_AT_MOST))


def ahead(clock: Clock | None, now: datetime, calendar: WorkingCalendar | None, zone: tzinfo | None = None) -> Ahead:
    """The chip of `sla.chip.chip` with how long it holds; while the desk is closed until it opens, or the day ends."""
    drawn = chip(clock, now, calendar, zone)
    since = now.replace(microsecond=0)
    if clock is None or calendar is None or drawn.state in ("none", "met", "metlate"):
        return Ahead(drawn, since, LAST)
    stopped = clock.paused_at or clock.stopped_at
    if stopped is not None:
        stands = stopped < since and drawn.left is None and drawn.state in ("pause", "late")
        return Ahead(drawn, since, LAST if stands else since)
    if drawn.due_at is None or (drawn.state == "late" and now < drawn.due_at):
        return Ahead(drawn, since, since)
    if not calendar.is_open(now):
        due = drawn.due_at if now < drawn.due_at else LAST
        return Ahead(drawn, since, min(_opening(calendar, now), _midnight(now, zone or calendar.timezone), due))
    if drawn.left is None or not drawn.ticks:
        return Ahead(drawn, since, since)
    room = calendar.open_for(now, TICKS_AT_MOST + MINUTE)
    holds = min(room, _same_words(drawn.left), *_same_colour(drawn.left, drawn.soon_below, drawn.crit_below))
    return Ahead(drawn, since, since + holds, room)


def _opening(calendar: WorkingCalendar, now: datetime) -> datetime:
    try:
        return calendar.next_opening(now)
    except NeverOpen:
        return LAST


def _midnight(now: datetime, zone: tzinfo) -> datetime:
    """The end of the day, whose name the words may say."""
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)


def _same_words(left: timedelta) -> timedelta:
    """How long the minutes stay the same: of time left they are rounded up, of time overdue down."""
    if left > ZERO:
        return left - (-(-left // MINUTE) - 1) * MINUTE
    return MINUTE - -left % MINUTE


def _same_colour(left: timedelta, *turns: timedelta) -> list[timedelta]:
    return [left - turn for turn in turns if left > turn]
