"""Rows of the queue: everything that `hot/row.html` shows, in words, from a ticket at hand or straight from columns.

Dates, spans and names are formatted here once; the template has no rule and no filter. A page of rows never makes
models of them: its columns and the one clock of its chip come in one statement.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db.models import Case, F, Func, OuterRef, Q, Subquery, TextField, When
from django.db.models.functions import Extract
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from accounts import at_once
from accounts.at_once import Given, Prepared
from accounts.models import User, initials
from contracts.models import PromiseKind
from sla import chip as chips
from sla import words
from sla.business_time import WorkingCalendar
from sla.chip_ahead import Ahead, ahead
from sla.forecast import Forecast, Running
from sla.models import CalendarVersion, Commitment
from sla.templatetags.clock import chip_context, clock_of
from tickets.forecasting import Open, Shown, foreseen, shown
from tickets.models import OPEN_STATES, State, Ticket, TicketQuerySet
from tickets.reading import with_unread

PROMISED = ("reaction", "resolution")
SHOWN = (*PROMISED, "line_acceptance")  # what is handed over waits for its line by a clock of its own (domain §3.3)


@dataclass(slots=True)
class Facts:
    """What a row says of its ticket, whatever the hour: its columns in the words of one language.

    `unread`: somebody else has written since the reader looked at it. `clock`, on the hours of `calendar`, is the one
    promise of the row; `running` the same as a forecast asks of it, None where nothing counts. `last`: when something
    happened last, for a row in which nothing runs. `ahead`, `said` and `pictures` are kept here as long as the facts
    are: the chip while it goes on, words that differ from day to day, and what is drawn of the row in one list and
    another (templatetags/queue.py).
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
    clock_paused: bool
    due_at: datetime | None
    awaiting_since: datetime | None
    last: datetime
    clock: chips.Clock | None
    calendar: WorkingCalendar | None
    running: Open | None = None
    unread: bool = False
    ahead: Ahead | None = field(default=None, compare=False)
    said: dict[date, str] = field(default_factory=dict, compare=False)
    pictures: dict[Any, Any] = field(default_factory=dict, compare=False)

    def by(self, now: datetime) -> str:
        """Which promise the row counts and when it is due, or what happened last."""
        today = now.astimezone(words.MOSCOW).date()
        said = self.said.get(today)
        if said is None:
            said = self._by(now)
            self.said.clear()
            self.said[today] = said
        return said

    def _by(self, now: datetime) -> str:
        if self.clock_paused and self.awaiting_since is not None:
            return _("on hold since %(moment)s") % {"moment": _short(self.awaiting_since, now)}
        clock = self.clock
        if clock is not None and clock.stopped_at is None and clock.due_at is not None:
            return f"{PromiseKind(clock.kind).label} {_short(clock.due_at, now)}"
        if self.state in OPEN_STATES:
            return _("resolution without a deadline")
        return _short(self.last, now)


def _short(moment: datetime, now: datetime) -> str:
    return words.moment(moment, words.MOSCOW, now, "short")


@dataclass(slots=True)
class Row:
    """A ticket in a list at one moment; what its `facts` tell it tells, too.

    `chip` is what `hot/chip.html` draws, `by` which promise that is and when, in words.
    """

    facts: Facts
    chip: Mapping[str, Any]
    by: str
    forecast: Shown | None = None

    def __getattr__(self, name: str) -> Any:
        if name == "facts":  # of a row that is being made
            raise AttributeError(name)
        return getattr(self.facts, name)


def running_of(ticket: Ticket) -> list[Commitment]:
    """The promises to the customer that run, or where none does, its line's own clock: as `sla.clocks.nearest`."""
    running = [clock for clock in ticket.clocks if clock.is_running]
    return [clock for clock in running if clock.kind in PROMISED] or [
        clock for clock in running if clock.kind == PromiseKind.LINE_ACCEPTANCE
    ]


def shown_clock(ticket: Ticket) -> Commitment | None:
    """The customer promise with the nearest deadline; where none runs, the line's own to accept, or what ended last.

    Needs `with_clocks`.
    """
    if running := running_of(ticket):
        return min(running, key=lambda clock: (clock.due_at, clock.pk))
    promises = [clock for clock in ticket.clocks if clock.kind in PROMISED]
    return max(promises, key=lambda clock: (clock.stopped_at or clock.started_at, clock.pk), default=None)


def row(ticket: Ticket, now: datetime, told: Mapping[int, Forecast] | None = None, *, unread: bool = False) -> Row:
    """The row of a ticket that is at hand with its clocks (`with_clocks`); `told`: the forecasts of these, by key."""
    clock = shown_clock(ticket)
    package, assignee = ticket.terms.package, ticket.assignee
    facts = Facts(
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
        assignee=assignee.full_name if assignee else "",
        initials=assignee.initials if assignee else "",
        clock_paused=ticket.clock_paused,
        due_at=ticket.due_at,
        awaiting_since=ticket.awaiting_since,
        last=ticket.closed_at or ticket.resolved_at or ticket.changed_at,
        clock=clock_of(clock) if clock else None,
        calendar=clock.calendar if clock else None,
        unread=unread,
    )
    return _at(facts, now, shown(told.get(clock.pk), now) if told and clock is not None else None)


def _at(facts: Facts, now: datetime, forecast: Shown | None) -> Row:
    kept = facts.ahead
    chip = kept.at(now) if kept is not None else None
    if chip is None:
        # Held here, too: another thread may put another moment's there.
        going_on = facts.ahead = ahead(facts.clock, now, facts.calendar, words.MOSCOW)
        chip = going_on.chip
    return Row(facts, chip_context(chip, now), facts.by(now), forecast)


# Straight from columns

COLUMNS = (
    *("number", "pk", "subject", "language", "priority", "state", "clock_paused", "due_at", "awaiting_since"),
    *("resolved_at", "closed_at", "changed_at", "line_id", "assignee_id", "assignee__full_name", "customer__name"),
    *("terms__package__code", "terms__package__name_ru", "terms__package__name_en", "clock", "unread"),
)


# What a row asks of its clock, each with its column.
CLOCK = {
    "key": F("pk"),
    "kind": F("kind"),
    "priority": F("priority"),
    "due_at": F("due_at"),
    "target": Extract("target", "epoch"),
    "started_at": F("started_at"),
    "paused_at": F("paused_at"),
    "ending": F("ending"),
    "stopped_at": F("stopped_at"),
    "met_late_at": F("met_late_at"),
    "agreed": F("agreed"),
    "pauses": F("pauses"),
    "calendar": F("calendar_version_id"),
}


def _clock_of_row() -> Subquery:
    """`shown_clock` as one value of the ticket's own row: `CLOCK` as JSON, null where nothing was promised.

    As text, so that a row is what it was before as long as its columns are (`_kept`).
    """
    clocks = (
        Commitment.objects.filter(
            Q(kind__in=PROMISED) | Q(stopped_at__isnull=True), ticket=OuterRef("pk"), kind__in=SHOWN
        )
        .exclude(ending__in=["superseded", "cancelled"])
        .order_by(
            F("stopped_at").desc(nulls_first=True),
            Case(When(kind__in=PROMISED, then=0), default=1),
            Case(When(stopped_at__isnull=True, then=F("due_at"))).asc(nulls_last=True),
            Case(When(stopped_at__isnull=True, then=F("pk")), default=-F("pk")),
        )
    )
    return Subquery(clocks.values(one=_JSONArray(*CLOCK.values(), output_field=TextField()))[:1])


class _JSONArray(Func):
    """Django's JSONArray and JSONObject make jsonb, which costs more of the database than all other values of a row."""

    function = "json_build_array"
    template = "%(function)s(%(expressions)s)::text"


def columns(tickets: TicketQuerySet, user: User) -> list[tuple[Any, ...]]:
    """The columns of rows as this person sees them, in one statement, in the order of the queryset."""
    return list(values_of(tickets, user))


def values_of(tickets: TicketQuerySet, person: User | Given) -> Any:
    """The same as a `values_list`, for a person at hand or one that is given when it is run."""
    return with_unread(tickets, person).annotate(clock=_clock_of_row()).values_list(*COLUMNS)


class Hours(NamedTuple):
    """A version of a calendar, as rows ask of it."""

    calendar: WorkingCalendar
    round_the_clock: bool


_hours: dict[int, Hours] = {}  # by the version's key for the life of the process: a version never changes


def _calendars_of(clocks: Iterable[Mapping[str, Any] | None]) -> None:
    missing = {clock["calendar"] for clock in clocks if clock} - _hours.keys()
    for key, version in (CalendarVersion.objects.in_bulk(missing) if missing else {}).items():
        _hours[key] = Hours(version.working_calendar(), version.is_round_the_clock)


@cache
def _by_keys() -> Prepared:
    wanted = Ticket.objects.filter(at_once.OneOf(F("pk"), at_once.keys("keys")))
    return Prepared(values_of(wanted, at_once.key("me")))


def rows_of(keys: Sequence[int], user: User, now: datetime, *, with_forecasts: bool = False) -> dict[int, Row]:
    """The rows of these tickets, by key, for somebody of the desk, who sees every ticket. One statement."""
    found = _by_keys().rows(keys=list(keys), me=user.pk)
    return {row.facts.pk: row for row in drawn(found, now, with_forecasts=with_forecasts)}


_kept: dict[tuple[Any, ...], Facts] = {}  # by language and columns: a row that nothing happened to is looked at often
ROWS_KEPT = 4096  # some 4 KB each


def facts_of(found: Sequence[tuple[Any, ...]]) -> list[Facts]:
    """The facts of rows of `columns`, in the active language. Whatever of the columns changes, other facts come.

    What is given back is held here: another thread may make room in between.
    """
    language = get_language() or "ru"
    facts = {values: _kept.get((language, *values)) for values in found}
    new = [values for values, kept in facts.items() if kept is None]
    if new:
        if len(_kept) + len(new) > ROWS_KEPT:
            _kept.clear()
        for values, read in _read(new, language):
            facts[values] = _kept[language, *values] = read
    return [kept for values in found if (kept := facts[values]) is not None]


def _read(new: Iterable[tuple[Any, ...]], language: str) -> Iterator[tuple[tuple[Any, ...], Facts]]:
    named = [(values, dict(zip(COLUMNS, values, strict=True))) for values in new]
    for _values, one in named:
        one["clock"] = dict(zip(CLOCK, json.loads(one["clock"]), strict=True)) if one["clock"] else None
    _calendars_of(one["clock"] for _values, one in named)
    package = "terms__package__name_en" if language.startswith("en") else "terms__package__name_ru"
    for values, one in named:
        told, name = one["clock"], one["assignee__full_name"] or ""
        yield (
            values,
            Facts(
                number=one["number"],
                pk=one["pk"],
                subject=one["subject"],
                language=one["language"],
                priority=one["priority"],
                priority_label=_("Priority %(number)d") % {"number": one["priority"]},
                state=one["state"],
                state_label=str(State(one["state"]).label),
                customer=one["customer__name"],
                package=one[package],
                package_code=one["terms__package__code"],
                assignee_id=one["assignee_id"],
                assignee=name,
                initials=initials(name) if name else "",
                clock_paused=one["clock_paused"],
                due_at=one["due_at"],
                awaiting_since=one["awaiting_since"],
                last=one["closed_at"] or one["resolved_at"] or one["changed_at"],
                clock=_clock(told) if told else None,
                calendar=_hours[told["calendar"]].calendar if told else None,
                running=_open(one) if _runs(told) else None,
                unread=one["unread"],
            ),
        )


def drawn(found: Sequence[tuple[Any, ...]], now: datetime, *, with_forecasts: bool = True) -> list[Row]:
    """The rows of `columns`, in the active language."""
    facts = facts_of(found)
    told = foreseen([one.running for one in facts if one.running], now) if with_forecasts else {}
    marked: dict[Forecast | None, Shown | None] = {None: None}  # most rows of a page have the same one
    rows = []
    for one in facts:
        forecast = told.get(one.running.key) if one.running else None
        if forecast not in marked:
            marked[forecast] = shown(forecast, now)
        rows.append(_at(one, now, marked[forecast]))
    return rows


def _runs(told: Mapping[str, Any] | None) -> bool:
    return told is not None and told["kind"] in PROMISED and told["stopped_at"] is None and told["paused_at"] is None


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
