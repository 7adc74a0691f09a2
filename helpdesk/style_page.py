"""`/a/style/`: every state and component of the look on one page, for eyes, axe and screenshots."""

from datetime import datetime, time, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import only
from accounts.models import STAFF_ROLES, Role, User
from contracts.terms import WORKING_DAY
from sla import chip as chips
from sla import words
from sla.business_time import WorkingCalendar
from sla.templatetags.clock import chip_context, lane_context, track_context

WORKDAYS = WorkingCalendar("Europe/Moscow", {day: [(time(9), time(18))] for day in range(5)})
ALWAYS = WorkingCalendar("Europe/Moscow", {day: [(time(0), time(0))] for day in range(7)})

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def moment(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, Moscow time."""
    return datetime(2026, 11, day, hour, minute, tzinfo=words.MOSCOW)


NOW = moment(18, 13, 28)  # A Wednesday.


def states() -> list[tuple[str, str, chips.Clock, datetime]]:
    """One clock for each state of the chip: (state, what it means, the clock, the moment at which it is drawn)."""

    def clock(due_at: datetime, target: timedelta, **fields) -> chips.Clock:
        return chips.Clock("reaction", due_at, target, started_at=moment(17, 10, 12), **fields)

    return [
        ("none", _("The package promises no time"), chips.Clock("resolution"), NOW),
        ("ok", _("The clock runs"), clock(moment(18, 17, 8), 8 * HOUR), NOW),
        ("soon", _("Soon: a quarter of the time is left"), clock(moment(18, 13, 55), 4 * HOUR), NOW),
        ("crit", _("Burning: a tenth of the time is left"), clock(moment(18, 13, 39), HOUR), NOW),
        ("late", _("Overdue, and by how much"), clock(moment(18, 12, 46), 2 * HOUR, ending="missed"), NOW),
        (
            "pause",
            _("On hold: we wait for the customer"),
            clock(moment(18, 16, 15), 2 * WORKING_DAY, paused_at=moment(18, 11, 5)),
            NOW,
        ),
        ("sleep", _("Outside service hours"), clock(moment(19, 12), 8 * HOUR), moment(18, 19)),
        ("met", _("Kept"), clock(moment(17, 10, 42), HOUR, ending="met", stopped_at=moment(17, 10, 26)), NOW),
        (
            "metlate",
            _("Kept late"),
            clock(
                moment(17, 11, 12), HOUR, ending="missed", stopped_at=moment(17, 11, 20), met_late_at=moment(17, 11, 20)
            ),
            NOW,
        ),
        (
            "agreed",
            _("The deadline is agreed with the customer"),
            clock(moment(27, 18), 10 * WORKING_DAY, agreed=True),
            NOW,
        ),
    ]


@require_safe
@only(STAFF_ROLES)
def style(request: HttpRequest) -> HttpResponse:
    """The page of the look. It keeps nothing: its people and clocks exist only here."""
    messages.success(request, _("Handed over to line 2"))
    messages.error(request, _("Not done: another engineer has accepted this request"))
    drawn = [
        {
            "name": name,
            "means": means,
            **chip_context(chips.chip(clock, now, WORKDAYS, words.MOSCOW)._replace(left=None), now),
        }
        for name, means, clock, now in states()
    ]
    stale = chips.Chip("stale", "13:21", _("data of 13:21"))
    drawn.append({"name": "stale", "means": _("No connection: the time of the last data"), **chip_context(stale, NOW)})
    reaction = chips.Clock(
        "reaction",
        moment(18, 11, 16),
        30 * MINUTE,
        moment(18, 10, 46),
        ending="met",
        stopped_at=moment(18, 11),
        round_the_clock=True,
    )
    late = chips.Clock(
        "resolution", moment(18, 12, 46), 2 * HOUR, moment(18, 10, 46), ending="missed", round_the_clock=True
    )
    held = chips.Clock(
        "resolution", moment(19, 12, 10), 2 * WORKING_DAY, moment(17, 9), pauses=((moment(17, 15), moment(17, 18, 10)),)
    )
    lanes = [
        lane_context(reaction, NOW, ALWAYS, words.MOSCOW, words.target(30, "minutes")),
        lane_context(late, NOW, ALWAYS, words.MOSCOW, words.target(120, "minutes")),
        lane_context(held, NOW, WORKDAYS, words.MOSCOW, words.target(2, "working_days")),
        {"label": words.promise("resolution"), "package": "Business"},
    ]
    for lane in lanes:
        if "chip" in lane:
            lane["chip"] = lane["chip"]._replace(left=None)
    now = timezone.now()
    ticking = chips.Clock(
        "reaction", now + timedelta(minutes=5), HOUR, now - timedelta(minutes=55), round_the_clock=True
    )
    return render(
        request,
        "style.html",
        {
            "states": drawn,
            "lanes": lanes,
            "held": track_context(held, NOW, WORKDAYS, big=True),
            "ticking": chip_context(chips.chip(ticking, now, ALWAYS, words.MOSCOW), now, big=True),
            "person": User(full_name="Павел Климов", role=Role.ENGINEER, email="klimov@helpdesk.example"),
            "moments": [
                (style, words.moment(moment(19, 14, 10), words.MOSCOW, NOW, style))
                for style in ("full", "short", "day", "time", "audit")
            ],
        },
    )
