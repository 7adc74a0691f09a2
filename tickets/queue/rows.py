"""Rows of the queue: everything that `hot/row.html` shows, in words, from a ticket at hand or straight from columns.

Dates, spans and names are formatted here once; the template has no rule and no filter. A page of rows never makes
models of them: its columns and the one clock of its chip come in one statement.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Case, F, OuterRef, Subquery, When
from django.db.models.functions import Extract, JSONObject
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from accounts import at_once
from accounts.at_once import Given, Prepared
from accounts.models import User, initials
from contracts.models import PromiseKind
from sla import chip as chips
from sla import words
from sla.business_time import WorkingCalendar
from sla.forecast import Forecast, Running
from sla.models import CalendarVersion, Commitment
from sla.templatetags.clock import chip_context, clock_of
from tickets.forecasting import Open, Shown, foreseen, shown
from tickets.models import OPEN_STATES, State, Ticket, TicketQuerySet
from tickets.reading import with_unread

PROMISED = ("reaction", "resolution")


@dataclass(slots=True)
class Row:
    """A ticket in a list. `chip` is what `hot/chip.html` draws, `by` which promise that is and when, in words.

    `unread`: somebody else has written since the reader looked at it.
    """

    number: int
    pk: int
    subject: str
    language: str
    priority: int
    priority_label: str
    state: str
    state_label: str
    customer: str
    package: str
    package_code: str
    assignee_id: int | None
    assignee: str
    initials: str
    chip: Mapping[str, Any]
    by: str
    clock_paused: bool
    due_at: datetime | None
    forecast: Shown | None = None
    unread: bool = False


def shown_clock(ticket: Ticket) -> Commitment | None:
    """The customer promise with the nearest deadline; where none runs, the one that ended last. Needs `with_clocks`."""
    promises = [clock for clock in ticket.clocks if clock.kind in PROMISED]
    running = [clock for clock in promises if clock.is_running]
    if running:
        return min(running, key=lambda clock: (clock.due_at, clock.pk))
    return max(promises, key=lambda clock: (clock.stopped_at or clock.started_at, clock.pk), default=None)


def row(ticket: Ticket, now: datetime, told: Mapping[int, Forecast] | None = None, *, unread: bool = False) -> Row:
    """The row of a ticket that is at hand with its clocks (`with_clocks`); `told`: the forecasts of these, by key."""
    clock = shown_clock(ticket)
    drawn = chips.chip(clock_of(clock) if clock else None, now, clock.calendar if clock else None, words.MOSCOW)
    package = ticket.terms.package
    return Row(
        number=ticket.number,
        pk=ticket.pk,
        subject=ticket.subject,
        language=ticket.language,
        priority=ticket.priority,
        priority_label=_("Priority %(number)d") % {"number": ticket.priority},
        state=ticket.state,
        state_label=ticket.get_state_display(),
        customer=ticket.customer.name,
        package=package.name,
        package_code=package.code,
        assignee_id=ticket.assignee_id,
        assignee=ticket.assignee.full_name if ticket.assignee else "",
        initials=ticket.assignee.initials if ticket.assignee else "",
        chip=chip_context(drawn, now),
        by=_by(
            now,
            paused_since=ticket.awaiting_since if ticket.clock_paused else None,
            running=(str(PromiseKind(clock.kind).label), clock.due_at) if clock and clock.is_running else None,
            is_open=ticket.is_open,
            last=ticket.closed_at or ticket.resolved_at or ticket.changed_at,
        ),
        clock_paused=ticket.clock_paused,
        due_at=ticket.due_at,
        forecast=shown(told.get(clock.pk), now) if told and clock is not None else None,
        unread=unread,
    )


def _by(
    now: datetime,
    *,
    paused_since: datetime | None,
    running: tuple[str, datetime] | None,
    is_open: bool,
    last: datetime,
) -> str:
    if paused_since is not None:
        return _("on hold since %(moment)s") % {"moment": words.moment(paused_since, words.MOSCOW, now, "short")}
    if running is not None:
        promise, due_at = running
        return f"{promise} {words.moment(due_at, words.MOSCOW, now, 'short')}"
    if is_open:
        return _("resolution without a deadline")
    return words.moment(last, words.MOSCOW, now, "short")


# Straight from columns

COLUMNS = (
    *("number", "pk", "subject", "language", "priority", "state", "clock_paused", "due_at", "awaiting_since"),
    *("resolved_at", "closed_at", "changed_at", "line_id", "assignee_id", "assignee__full_name", "customer__name"),
    *("terms__package__code", "terms__package__name_ru", "terms__package__name_en", "clock", "unread"),
)


def _clock_of_row() -> Subquery:
    """`shown_clock` as one value of the ticket's own row: its columns as JSON, null where nothing was promised."""
    clocks = (
        Commitment.objects.filter(ticket=OuterRef("pk"), kind__in=PROMISED)
        .exclude(ending__in=["superseded", "cancelled"])
        .order_by(
            F("stopped_at").desc(nulls_first=True),
            Case(When(stopped_at__isnull=True, then=F("due_at"))).asc(nulls_last=True),
            Case(When(stopped_at__isnull=True, then=F("pk")), default=-F("pk")),
        )
    )
    return Subquery(
        clocks.values(
            one=JSONObject(
                key="pk",
                kind="kind",
                priority="priority",
                due_at="due_at",
                target=Extract("target", "epoch"),
                started_at="started_at",
                paused_at="paused_at",
                ending="ending",
                stopped_at="stopped_at",
                met_late_at="met_late_at",
                agreed="agreed",
                pauses="pauses",
                calendar="calendar_version_id",
            )
        )[:1]
    )


def columns(tickets: TicketQuerySet, user: User) -> list[dict[str, Any]]:
    """The columns of rows as this person sees them, in one statement, in the order of the queryset."""
    return named(values_of(tickets, user))


def values_of(tickets: TicketQuerySet, person: User | Given) -> Any:
    """The same as a `values_list`, for a person at hand or one that is given when it is run."""
    return with_unread(tickets, person).annotate(clock=_clock_of_row()).values_list(*COLUMNS)


def named(rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, values, strict=True)) for values in rows]


class Hours(NamedTuple):
    """A version of a calendar, as rows ask of it."""

    calendar: WorkingCalendar
    round_the_clock: bool


_hours: dict[int, Hours] = {}  # by the version's key for the life of the process: a version never changes


def _calendars_of(found: Iterable[Mapping[str, Any]]) -> None:
    missing = {one["clock"]["calendar"] for one in found if one["clock"]} - _hours.keys()
    for key, version in (CalendarVersion.objects.in_bulk(missing) if missing else {}).items():
        _hours[key] = Hours(version.working_calendar(), version.is_round_the_clock)


@cache
def _by_keys() -> Prepared:
    wanted = Ticket.objects.filter(at_once.OneOf(F("pk"), at_once.keys("keys")))
    return Prepared(values_of(wanted, at_once.key("me")))


def rows_of(keys: Sequence[int], user: User, now: datetime, *, with_forecasts: bool = False) -> dict[int, Row]:
    """The rows of these tickets, by key, for somebody of the desk, who sees every ticket. One statement."""
    found = named(_by_keys().rows(keys=list(keys), me=user.pk))
    return {row.pk: row for row in drawn(found, now, with_forecasts=with_forecasts)}


def drawn(found: list[dict[str, Any]], now: datetime, *, with_forecasts: bool = True) -> list[Row]:
    """The rows of `columns`, in the active language."""
    _calendars_of(found)
    english = (get_language() or "ru").startswith("en")
    states = {code: str(label) for code, label in State.choices}
    priorities = {number: _("Priority %(number)d") % {"number": number} for number in (1, 2, 3, 4)}
    promises = {kind.value: str(kind.label) for kind in PromiseKind}
    told = foreseen([_open(one) for one in found if with_forecasts and _runs(one["clock"])], now)
    marked: dict[Forecast, Shown | None] = {}  # most rows of a page have the same one
    rows = []
    for one in found:
        clock = _clock(one["clock"]) if one["clock"] else None
        calendar = _hours[one["clock"]["calendar"]].calendar if one["clock"] else None
        name = one["assignee__full_name"] or ""
        runs = clock is not None and clock.stopped_at is None and clock.due_at is not None
        forecast = told.get(one["clock"]["key"]) if one["clock"] else None
        if forecast is not None and forecast not in marked:
            marked[forecast] = shown(forecast, now)
        rows.append(
            Row(
                number=one["number"],
                pk=one["pk"],
                subject=one["subject"],
                language=one["language"],
                priority=one["priority"],
                priority_label=priorities[one["priority"]],
                state=one["state"],
                state_label=states[one["state"]],
                customer=one["customer__name"],
                package=one["terms__package__name_en" if english else "terms__package__name_ru"],
                package_code=one["terms__package__code"],
                assignee_id=one["assignee_id"],
                assignee=name,
                initials=initials(name) if name else "",
                chip=chip_context(chips.chip(clock, now, calendar, words.MOSCOW), now),
                by=_by(
                    now,
                    paused_since=one["awaiting_since"] if one["clock_paused"] else None,
                    running=(promises[clock.kind], clock.due_at) if runs and clock and clock.due_at else None,
                    is_open=one["state"] in OPEN_STATES,
                    last=one["closed_at"] or one["resolved_at"] or one["changed_at"],
                ),
                clock_paused=one["clock_paused"],
                due_at=one["due_at"],
                forecast=marked[forecast] if forecast is not None else None,
                unread=one["unread"],
            )
        )
    return rows


def _runs(told: Mapping[str, Any] | None) -> bool:
    return told is not None and told["stopped_at"] is None and told["paused_at"] is None


def _open(one: Mapping[str, Any]) -> Open:
    """The running promise of a row, as a forecast asks of it."""
    told = one["clock"]
    promise = Running(
        datetime.fromisoformat(told["due_at"]),
        timedelta(seconds=float(told["target"])),
        _hours[told["calendar"]].calendar,
        missed=told["ending"] == Commitment.Ending.MISSED,
    )
    return Open(told["key"], one["line_id"], told["kind"], told["priority"], promise)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_SPAN = re.compile(r'^[\[(]"?([^",]+)"?,"?([^",]+)"?[\])]$')


def _clock(told: Mapping[str, Any]) -> chips.Clock:
    pauses = []
    for text in told["pauses"]:
        found = _SPAN.match(text)
        if found is not None:
            pauses.append((datetime.fromisoformat(found[1]), datetime.fromisoformat(found[2])))
    return chips.Clock(
        kind=told["kind"],
        due_at=_moment(told["due_at"]),
        target=timedelta(seconds=float(told["target"])),
        started_at=_moment(told["started_at"]),
        paused_at=_moment(told["paused_at"]),
        ending=told["ending"],
        stopped_at=_moment(told["stopped_at"]),
        met_late_at=_moment(told["met_late_at"]),
        agreed=told["agreed"],
        round_the_clock=_hours[told["calendar"]].round_the_clock,
        pauses=tuple(pauses),
    )


def row_words() -> dict[str, str]:
    """The words around every row, looked up once for a page."""
    return {
        "assignee": _("Assignee"),
        "nobody": _("Nobody assigned"),
        "unread": _("Unread"),
        "select": pgettext("queue", "Select"),
    }
