"""What the deadline chip and the lane of a promise show. Pure: plain values in, plain values out.

The chip is the one place that turns a clock into a colour (direction §7): every list, page and board asks it. Time left
is business time on the clock's own calendar, and so is time overdue: a closed night is no delay of ours.
Time left is rounded up to the minute and time overdue down, so that "11 мин" agrees with the clock on the wall.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from django.utils.translation import gettext as _

from accounts.said_once import said_once
from contracts.terms import WORKING_DAY
from sla import words
from sla.business_time import NeverOpen, WorkingCalendar

# A clock turns amber or red at this share of its target, but never earlier or later than the two limits.
SOON = (0.25, timedelta(minutes=45), timedelta(hours=9))
CRITICAL = (0.10, timedelta(minutes=15), timedelta(hours=2))

# How far ahead the browser may count on its own; then it shows the last number it knows to be true.
TICKS_AT_MOST = timedelta(hours=12)

ZERO = timedelta(0)

ICONS = {
    "none": "minus",
    "ok": "clock",
    "soon": "clock-alert",
    "crit": "timer",
    "late": "siren",
    "pause": "pause",
    "sleep": "moon",
    "met": "check",
    "metlate": "clock-fading",
    "agreed": "handshake",
    "stale": "cloud-off",
}


class Clock(NamedTuple):
    """One promise as plain values. `due_at` None: the package promises no time. `target` is business time.

    `pauses` are the closed pauses, [start, end); `paused_at` is the start of the one that goes on. `ending` is "" while
    the clock runs, else met, missed, cancelled or superseded; a missed clock runs on until `met_late_at`.
    """

    kind: str
    due_at: datetime | None = None
    target: timedelta = ZERO
    started_at: datetime | None = None
    paused_at: datetime | None = None
    ending: str = ""
    stopped_at: datetime | None = None
    met_late_at: datetime | None = None
    agreed: bool = False
    round_the_clock: bool = False
    pauses: tuple[tuple[datetime, datetime], ...] = ()

    @property
    def working_day(self) -> timedelta | None:
        """The day in which `words.span` counts: 9 hours, or None (24 hours) where the calendar never closes."""
        return None if self.round_the_clock else WORKING_DAY


class Chip(NamedTuple):
    """What to draw. `left` is signed business time while the clock counts, `open_for` how long it goes on counting."""

    state: str
    value: str
    spoken: str
    due_at: datetime | None = None
    left: timedelta | None = None
    open_for: timedelta = ZERO
    soon_below: timedelta = ZERO
    crit_below: timedelta = ZERO
    working_day: timedelta | None = None
    promise: str = ""

    @property
    def icon(self) -> str:
        return ICONS[self.state]

    @property
    def ticks(self) -> bool:
        return self.left is not None and self.open_for > ZERO


def chip(clock: Clock | None, now: datetime, calendar: WorkingCalendar | None, zone: tzinfo | None = None) -> Chip:
    """The chip of a clock at `now` (aware). `calendar` is the clock's own; it may be None only where nothing is due.

    `zone` is whose wall clock the two states with a date use (default: the calendar's). A clock is late from the very
    instant it is due, also while it is paused after that; an agreed deadline looks agreed until it draws near.
    """
    if clock is None or clock.due_at is None or calendar is None:
        return _still("none", _("no promise"), clock)
    if clock.ending in ("cancelled", "superseded"):
        return _still("none", _("no longer due"), clock)
    if clock.ending == "met":
        return _met(clock, calendar)
    if clock.met_late_at is not None:
        over = _up(calendar.between(clock.due_at, clock.met_late_at))
        return _still(
            "metlate",
            "+" + words.span(over, clock.working_day),
            clock,
            _("kept %(span)s late") % {"span": words.span(over, clock.working_day)},
        )
    return _running(clock, now, calendar, zone or calendar.timezone)


def _running(clock: Clock, now: datetime, calendar: WorkingCalendar, zone: tzinfo) -> Chip:
    due_at = clock.due_at
    assert due_at is not None
    # A clock that stands, or that stopped without being met, is looked at as it stood then.
    at = min(now, clock.paused_at or now, clock.stopped_at or now)
    stands = at < now
    if clock.ending == "missed" or at >= due_at:
        over = calendar.between(due_at, at)
        told = _told_late(clock.kind, _down(over), clock.working_day)
        return _counting("late", told, clock, None if stands else -over, at, calendar)
    left = calendar.between(at, due_at)
    if clock.paused_at is not None:
        value = words.span(_up(left), clock.working_day)
        return _still("pause", value, clock, _("on hold: waiting for an answer, then %(span)s left") % {"span": value})
    soon, critical = _clamped(clock.target, SOON), _clamped(clock.target, CRITICAL)
    counts = calendar.is_open(at)
    if clock.agreed and (left > soon or not counts):
        day = words.moment(due_at, zone, now, "day")
        full = words.moment(due_at, zone, now, "date")
        return _still("agreed", day, clock, _("agreed individually: %(moment)s") % {"moment": full})
    if not counts:
        try:
            opens = calendar.next_opening(at)
        except NeverOpen:
            return _still("sleep", _("closed"), clock, _("the clock stands: the desk does not open again"))
        told = _told_asleep(clock.kind, opens, zone, now.astimezone(zone).date())
        return Chip("sleep", told.value, told.spoken, due_at, working_day=clock.working_day, promise=told.promise)
    state = "crit" if left <= critical else "soon" if left <= soon else "ok"
    return _counting(state, _told_left(clock.kind, _up(left), clock.working_day), clock, left, at, calendar)


class Told(NamedTuple):
    """What a chip says: its value, the same for those who hear the page, and the name of the promise."""

    value: str
    spoken: str
    promise: str


@said_once(4096)
def _told_late(kind: str, over: timedelta, working_day: timedelta | None) -> Told:
    if over < words.MINUTE:
        return _told(kind, _("time is up"), _("overdue"))
    span = words.span(over, working_day)
    return _told(kind, "−" + span, _("overdue by %(span)s") % {"span": span})


@said_once(4096)
def _told_left(kind: str, left: timedelta, working_day: timedelta | None) -> Told:
    span = words.span(left, working_day)
    return _told(kind, span, _("%(span)s left") % {"span": span})


@said_once(256)
def _told_asleep(kind: str, opens: datetime, zone: tzinfo, today: date) -> Told:
    moment = words.moment(opens, zone, datetime.combine(today, time(), zone), "short")
    spoken = _("outside service hours, the clock goes on from %(moment)s") % {"moment": moment}
    return _told(kind, _("from %(moment)s") % {"moment": moment}, spoken)


def _told(kind: str, value: str, spoken: str) -> Told:
    promise = words.promise(kind)
    return Told(value, _spoken(promise, spoken), promise)


def _met(clock: Clock, calendar: WorkingCalendar) -> Chip:
    assert clock.started_at is not None and clock.stopped_at is not None
    used = _up(calendar.between_with_pauses(clock.started_at, clock.stopped_at, clock.pauses))
    value = words.span(max(used, words.MINUTE), clock.working_day)
    return _still("met", _("in %(span)s") % {"span": value}, clock, _("kept, in %(span)s") % {"span": value})


def _still(state: str, value: str, clock: Clock | None, spoken: str = "") -> Chip:
    promise = words.promise(clock.kind) if clock else ""
    return Chip(
        state=state,
        value=value,
        spoken=_spoken(promise, spoken or value),
        due_at=clock.due_at if clock else None,
        working_day=clock.working_day if clock else None,
        promise=promise,
    )


def _counting(
    state: str, told: Told, clock: Clock, left: timedelta | None, at: datetime, calendar: WorkingCalendar
) -> Chip:
    open_for = ZERO if left is None else calendar.open_for(at, TICKS_AT_MOST)
    return Chip(
        state=state,
        value=told.value,
        spoken=told.spoken,
        due_at=clock.due_at,
        left=left,
        open_for=open_for,
        soon_below=_clamped(clock.target, SOON),
        crit_below=_clamped(clock.target, CRITICAL),
        working_day=clock.working_day,
        promise=told.promise,
    )


def _spoken(promise: str, what: str) -> str:
    return _("%(promise)s: %(what)s") % {"promise": promise, "what": what} if promise else what


@lru_cache(maxsize=256)  # the targets of the catalogue are few
def _clamped(target: timedelta, limits: tuple[float, timedelta, timedelta]) -> timedelta:
    share, least, most = limits
    return min(max(target * share, least), most)


def _up(length: timedelta) -> timedelta:
    return -(-length // words.MINUTE) * words.MINUTE


def _down(length: timedelta) -> timedelta:
    return length // words.MINUTE * words.MINUTE


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the track in percent of its length: `kind` used, held (a pause) or over (after the deadline)."""

    kind: str
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Track:
    """The bar of a lane. `due` is where the deadline stands once it has passed, `now` where a running clock stands."""

    parts: list[Part] = field(default_factory=list)
    due: float | None = None
    now: float | None = None
    spoken: str = ""


def track(clock: Clock, now: datetime, calendar: WorkingCalendar) -> Track:
    """The bar of a promise: its length is the target, the pauses and what is overdue, all in business time.

    Pauses that lie outside service hours have no length: they held nothing up.
    """
    if clock.due_at is None or clock.started_at is None:
        return Track()
    end = min(now, clock.stopped_at or now) if clock.met_late_at is None else clock.met_late_at
    ongoing = [(clock.paused_at, end)] if clock.paused_at is not None and clock.paused_at < end else []
    pauses = sorted((max(a, clock.started_at), min(b, end)) for a, b in [*clock.pauses, *ongoing])
    lengths: list[tuple[str, timedelta]] = []
    at = clock.started_at
    for start, stop in [*((a, b) for a, b in pauses if a < b), (end, end)]:
        start = max(start, at)
        on_time = min(start, max(at, clock.due_at))
        lengths.append(("used", calendar.between(at, on_time)))
        lengths.append(("over", calendar.between(on_time, start)))
        if stop > start:
            lengths.append(("held", calendar.between(start, stop)))
        at = max(at, stop)
    done = sum((length for _kind, length in lengths), ZERO)
    # While the clock stands, its old deadline is not the coming one: what was left then is still left.
    since = clock.paused_at if clock.paused_at is not None else end
    left = calendar.between(since, clock.due_at)
    whole = done + left
    if not whole:
        return Track()
    parts: list[Part] = []
    place, due = 0.0, None
    for kind, length in lengths:
        width = 100 * (length / whole)
        if kind == "over" and length and due is None:
            due = round(place, 2)
        if length:
            parts.append(Part(kind, round(place, 2), round(width, 2)))
        place += width
    running = clock.ending == "" and clock.paused_at is None and left > ZERO
    used = _up(sum((length for kind, length in lengths if kind == "used"), ZERO))
    held = sum((length for kind, length in lengths if kind == "held"), ZERO)
    return Track(parts, due, round(place, 2) if running else None, _track_spoken(clock, used, held))


def _track_spoken(clock: Clock, used: timedelta, held: timedelta) -> str:
    spans = {
        "used": words.span(used, clock.working_day),
        "target": words.span(clock.target, clock.working_day),
        "held": words.span(held, clock.working_day),
    }
    if held:
        return _("%(used)s used of %(target)s, on hold for %(held)s") % spans
    return _("%(used)s used of %(target)s") % spans
