"""Tags that draw promises: the chip, the lane, the track, and moments and spans in words.

The vendor's people read Moscow time everywhere, customers their own (direction §15); `_zone` is that rule.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markupsafe import Markup

from accounts.addresses import sprite
from accounts.fragments import fragment, macros
from contracts.terms import WORKING_DAY
from sla import chip as chips
from sla import words
from sla.business_time import WorkingCalendar
from sla.models import Commitment

register = template.Library()


def clock_of(commitment: Commitment) -> chips.Clock:
    """The plain clock of a row. Reads `calendar_version`: fetch it with the row."""
    return chips.Clock(
        kind=commitment.kind,
        due_at=commitment.due_at,
        target=commitment.target,
        started_at=commitment.started_at,
        paused_at=commitment.paused_at,
        ending=commitment.ending,
        stopped_at=commitment.stopped_at,
        met_late_at=commitment.met_late_at,
        agreed=commitment.agreed,
        round_the_clock=commitment.calendar_version.is_round_the_clock,
        pauses=tuple((pause.lower, pause.upper) for pause in commitment.pauses),
    )


def chip_of(commitment: Commitment | None, now: datetime, zone: tzinfo) -> chips.Chip:
    """The chip of a row, or of no promise at all (None)."""
    if commitment is None:
        return chips.chip(None, now, None)
    return chips.chip(clock_of(commitment), now, commitment.calendar, zone)


@register.inclusion_tag("sla/_chip.html", takes_context=True)
def chip(
    context: template.Context, commitment: Commitment | None, now: datetime | None = None, big: bool = False
) -> dict:
    """The deadline chip of a commitment; None draws "no promise". `now` is the frame's where it is left out."""
    now = now or _now(context)
    return chip_context(chip_of(commitment, now, _zone(context)), now, big=big)


def chip_context(drawn: chips.Chip, now: datetime, *, big: bool = False) -> dict:
    """What `hot/chip.html` needs: the chip, and for the browser the seconds left and how long it may count."""
    seconds = None if drawn.left is None else int(drawn.left.total_seconds())
    return {
        "chip": drawn,
        "big": big,
        "at": int(now.timestamp()),
        "left": seconds,
        "open_for": int(drawn.open_for.total_seconds()),
        "soon": int(drawn.soon_below.total_seconds()),
        "crit": int(drawn.crit_below.total_seconds()),
        "day": int((drawn.working_day or timedelta(0)).total_seconds()),
    }


@lru_cache(maxsize=4096)  # some 1 KB each
def _around_seconds(state: str, value: str, spoken: str, due_at: datetime | None, *of: Any) -> tuple[str, str, str]:
    """The chip before and after the seconds that it counts from, and how those are written; its words are its own."""
    drawn = macros("chip")
    ticks, big, soon, crit, day, icons = of
    told = {"state": state, "big": big, "ticks": ticks, "soon": soon, "crit": crit, "day": day, "value": value}
    told |= {"spoken": spoken, "due_at": due_at, "icon": chips.ICONS[state]}
    seconds = str(drawn.seconds("%d", "%d", "%d")) if ticks else ""
    return str(drawn.first(told)), str(drawn.last(told, icons)), seconds


def chip_drawn(told: Mapping[str, Any], icons: str) -> Markup:
    """The chip of `chip_context`, as `hot/chip.html` draws it: from second to second only its numbers are new."""
    chip = told["chip"]
    first, last, seconds = _around_seconds(
        *chip[:4], chip.ticks, told["big"], told["soon"], told["crit"], told["day"], str(icons)
    )
    return Markup(first + seconds % (told["left"], told["at"], told["open_for"]) + last if seconds else first + last)


CHIP = ("chip", "big", "left", "at", "open_for", "soon", "crit", "day")
LANE = (*CHIP, "label", "due", "in_moscow", "target", "agreed", "track", "met", "package", "forecast")


@register.simple_tag(takes_context=True)
def draw_chip(context: template.Context) -> SafeString:
    """The chip of `chip_context`, whose values stand in the context; `hot/chip.html` has its only markup."""
    return mark_safe(chip_drawn({name: context.get(name) for name in CHIP}, sprite()))  # of what the engine has escaped


@register.simple_tag(takes_context=True)
def draw_lane(context: template.Context) -> SafeString:
    """The lane of `lane_context`, whose values stand in the context; `hot/lane.html` has its only markup."""
    return _drawn("lane", {name: context.get(name) for name in LANE})


def _drawn(name: str, told: dict[str, Any]) -> SafeString:
    return fragment(name, {"of": told, "icons": sprite()})


@register.simple_tag(takes_context=True)
def lane(
    context: template.Context,
    commitment: Commitment | None,
    now: datetime | None = None,
    kind: str = "resolution",
    package: str = "",
    forecast: Any = None,
    of_number: int | None = None,
) -> SafeString:
    """One promise as a row: its name, chip, track, promised instant and target; under it the sentence of its forecast.

    `of_number`: of the request that was merged into this one, from which the promise came.

    Without a commitment it says that nothing is promised: `kind` names what, `package` whose terms.
    """
    if commitment is None:
        return _drawn("lane", dict.fromkeys(LANE) | {"label": words.promise(kind), "package": package})
    target = words.target(commitment.amount, commitment.unit)
    drawn = lane_context(clock_of(commitment), now or _now(context), commitment.calendar, _zone(context), target)
    if of_number is not None:
        drawn["label"] = f"{drawn['label']}, № {of_number}"
    return _drawn("lane", dict.fromkeys(LANE) | drawn | {"forecast": forecast})


def lane_context(clock: chips.Clock, now: datetime, calendar: WorkingCalendar, zone: tzinfo, target: str) -> dict:
    """What `hot/lane.html` needs; `target` is the promised amount in words."""
    return {
        "label": words.promise(clock.kind),
        "due": words.moment(clock.due_at, zone, now, "short") if clock.due_at else "",
        "in_moscow": zone is words.MOSCOW,
        "target": target,
        "agreed": clock.agreed,
        **chip_context(chips.chip(clock, now, calendar, zone), now),
        **track_context(clock, now, calendar),
    }


@register.inclusion_tag("sla/_track.html", takes_context=True)
def track(context: template.Context, commitment: Commitment, now: datetime | None = None, big: bool = False) -> dict:
    """Only the bar of a promise; `big` for the promise box of the portal."""
    return track_context(clock_of(commitment), now or _now(context), commitment.calendar, big=big)


def track_context(clock: chips.Clock, now: datetime, calendar: WorkingCalendar, *, big: bool = False) -> dict:
    """What `hot/track.html` needs."""
    return {"track": chips.track(clock, now, calendar), "met": clock.ending == "met", "big": big}


@register.simple_tag(takes_context=True)
def when(
    context: template.Context, at: datetime | None, style: str = "full", now: datetime | None = None
) -> SafeString:
    """A moment as `<time>`, in the reader's zone; styles as `words.moment` has them, and "both" and "until"."""
    if at is None:
        return SafeString("")
    now, zone = now or _now(context), _zone(context)
    if style == "both":
        text = words.both_zones(at, zone, now)
    elif style == "until":
        text = words.until(at, zone, now)
    else:
        text = words.moment(at, zone, now, style)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(timespec="seconds"), text)


@register.filter
def moment(at: datetime | None, style: str = "full") -> str:
    """A moment in words, in the active time zone: `{{ at|moment }}`, `{{ at|moment:"short" }}`; "" for none."""
    return words.moment(at, timezone.get_current_timezone(), timezone.now(), style) if at else ""


@register.filter
def moscow(at: datetime | None, style: str = "full") -> str:
    """A moment in words, in Moscow time, by which the workspace lives."""
    return words.moment(at, words.MOSCOW, timezone.now(), style) if at else ""


@register.filter
def both_zones(at: datetime | None) -> str:
    """In the active time zone and then in Moscow: "чт 19 ноября, 14:10 (12:10 по Москве)"."""
    return words.both_zones(at, timezone.get_current_timezone(), timezone.now()) if at else ""


@register.filter
def until(at: datetime | None) -> str:
    """The end of a promise's sentence: "до четверга, 19 ноября, 14:10"."""
    return words.until(at, timezone.get_current_timezone(), timezone.now()) if at else ""


@register.filter
def span(length: timedelta | None, round_the_clock: bool = True) -> str:
    """A duration in short; `{{ left|span:False }}` counts in working days of nine hours."""
    return "" if length is None else words.span(length, None if round_the_clock else WORKING_DAY)


@register.filter
def span_long(length: timedelta | None, round_the_clock: bool = True) -> str:
    """A duration in full words, for sentences."""
    return "" if length is None else words.span_long(length, None if round_the_clock else WORKING_DAY)


@register.simple_tag
def clock_units() -> str:
    """The units of durations, for the browser's ticking."""
    return words.units()


def _now(context: template.Context) -> datetime:
    """The one moment at which the whole page was drawn."""
    frame = context.get("frame") or {}
    return frame["now"] if "now" in frame else timezone.now()


def _zone(context: template.Context) -> tzinfo:
    # A fragment included with `only` has lost `user`, but not the request.
    user = context.get("user") or getattr(getattr(context, "request", None), "user", None)
    return words.MOSCOW if getattr(user, "is_vendor", False) else timezone.get_current_timezone()
