"""The forecast tried on the past: what it would have said at moments gone by, against what happened.

At each moment only what was known then is used: promises that had ended by then, the deadline as it stood with the
pauses that were over, the queue of the line as it was. Promises that were cancelled, superseded or run still have no
ending to compare with and are left out. Who works on which line has no history: those of today are taken.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from accounts.models import Absence
from contracts.models import PromiseKind
from sla.business_time import WorkingCalendar
from sla.forecast import Forecast, Running, Verdict, forecast
from sla.models import CalendarVersion, Commitment
from tickets.forecasting import KINDS, People, line_now, people_of_lines
from tickets.line_hours import OFFICE
from tickets.models import HandOver
from tickets.pace import Ended, Lately

SHARES = (50, 75, 90)  # percent of the promised time that is used at the moment of the forecast
Pause = tuple[datetime, datetime]


class Life(NamedTuple):
    """One promise as it went. `born`: when its row came to be, later than its start where it took over from another."""

    pk: int
    ticket: int
    kind: str
    priority: int
    calendar: WorkingCalendar
    target: timedelta
    started_at: datetime
    born: datetime
    pauses: Sequence[Pause]
    paused_at: datetime | None
    stopped_at: datetime | None
    missed: bool | None  # None: nobody knows yet, or ever
    fulfilled: bool  # in time or late: then it says how long such a promise takes

    def runs(self, at: datetime) -> bool:
        """Whether it ran at a moment and did not stand."""
        if at < self.born or (self.stopped_at is not None and at >= self.stopped_at):
            return False
        if self.paused_at is not None and at >= self.paused_at:
            return False
        return not any(since <= at < until for since, until in self.pauses)

    def due(self, at: datetime) -> datetime:
        """Its deadline as it stood at a moment: what paused later moved it later."""
        known = [pause for pause in self.pauses if pause[1] <= at]
        return self.calendar.add_with_pauses(self.started_at, self.target, known)

    def moment(self, percent: int) -> datetime:
        """When so much of its time was used."""
        return self.calendar.add_with_pauses(self.started_at, self.target * percent / 100, self.pauses)


@dataclass
class Score:
    """How an alarm did: `hits` were missed indeed, `false_alarms` kept, `unforeseen` missed without an alarm."""

    hits: int = 0
    false_alarms: int = 0
    unforeseen: int = 0
    quiet: int = 0

    def add(self, *, alarm: bool, missed: bool) -> None:
        self.hits += alarm and missed
        self.false_alarms += alarm and not missed
        self.unforeseen += missed and not alarm
        self.quiet += not missed and not alarm

    @property
    def precision(self) -> float | None:
        """Of the alarms, the share that was right; None without an alarm."""
        alarms = self.hits + self.false_alarms
        return round(self.hits / alarms, 3) if alarms else None

    @property
    def recall(self) -> float | None:
        """Of the missed, the share that was foreseen; None where none was missed."""
        missed = self.hits + self.unforeseen
        return round(self.hits / missed, 3) if missed else None

    def as_json(self) -> dict[str, Any]:
        return {
            "hits": self.hits,
            "false_alarms": self.false_alarms,
            "unforeseen": self.unforeseen,
            "quiet": self.quiet,
            "precision": self.precision,
            "recall": self.recall,
        }


@dataclass
class Trial:
    """What the forecast said when `percent` of the time was used; `by_hours_only`: too few others were known."""

    percent: int
    asked: int = 0
    missed: int = 0
    by_hours_only: int = 0
    will_be_missed: Score = field(default_factory=Score)
    at_risk_or_missed: Score = field(default_factory=Score)

    @property
    def base_rate(self) -> float | None:
        """The share of those that were missed: what a forecast that always cries would have as its precision."""
        return round(self.missed / self.asked, 3) if self.asked else None

    def as_json(self) -> dict[str, Any]:
        return {
            "used_percent": self.percent,
            "asked": self.asked,
            "missed": self.missed,
            "base_rate": self.base_rate,
            "by_hours_only": self.by_hours_only,
            "will_be_missed": self.will_be_missed.as_json(),
            "at_risk_or_missed": self.at_risk_or_missed.as_json(),
        }


class Past:
    """The past as it can be asked for at any moment, read in seven statements."""

    def __init__(self, now: datetime, since: datetime) -> None:
        self.lives = list(lives(now, since))
        self.routes = routes(since)
        versions = CalendarVersion.objects.filter(calendar__code=OFFICE).order_by("valid_from")
        self.offices = [(version.valid_from, version.working_calendar()) for version in versions]
        self.people = people_of_lines(now).lines
        self.absences = list(Absence.objects.values_list("user_id", "starts_at", "ends_at"))
        self.lately = Lately(self.office(now))
        for ended in sorted(self._ended(), key=lambda ended: ended.at):
            self.lately.add(ended)

    def _ended(self) -> Iterator[Ended]:
        for life in self.lives:
            if life.stopped_at is not None and life.fulfilled:
                used = life.calendar.between_with_pauses(life.started_at, life.stopped_at, life.pauses)
                at = life.started_at if life.kind == PromiseKind.REACTION else life.stopped_at
                part = used / life.target if life.target else 0.0
                yield Ended(self.line(life.ticket, at), life.kind, life.priority, part, life.stopped_at)

    def line(self, ticket: int, at: datetime) -> int:
        """Which line had a ticket at a moment."""
        route = self.routes[ticket]
        return next(line for since, line in reversed(route) if since is None or since <= at)

    def office(self, at: datetime) -> WorkingCalendar:
        known = [calendar for since, calendar in self.offices if since <= at]
        return known[-1] if known else self.offices[0][1]

    def away(self, at: datetime) -> dict[int, datetime]:
        return {user: until for user, since, until in self.absences if since <= at < until}


def tried(now: datetime, *, since: datetime, percents: Sequence[int] = SHARES) -> list[Trial]:
    """The trial of all promises to customers that started in [since, now) and whose end is known."""
    past = Past(now, since)
    found = []
    for percent in percents:
        trial = Trial(percent)
        asked = [(life.moment(percent), life) for life in past.lives if life.missed is not None]
        _ask(past, trial, sorted((pair for pair in asked if pair[1].runs(pair[0])), key=lambda pair: pair[0]))
        found.append(trial)
    return found


def _ask(past: Past, trial: Trial, asked: Iterable[tuple[datetime, Life]]) -> None:
    """Asks for each at its moment, in the order of the moments; `running` are those whose rows are there by then."""
    to_come = sorted(past.lives, key=lambda life: life.born, reverse=True)
    running: dict[int, Life] = {}
    for at, life in asked:
        while to_come and to_come[-1].born <= at:
            born = to_come.pop()
            running[born.pk] = born
        running = {pk: one for pk, one in running.items() if one.stopped_at is None or one.stopped_at > at}
        said = _said(past, life, running, at)
        assert life.missed is not None
        trial.asked += 1
        trial.missed += life.missed
        trial.by_hours_only += said.is_by_hours_only
        trial.will_be_missed.add(alarm=said.verdict == Verdict.MISSED, missed=life.missed)
        trial.at_risk_or_missed.add(alarm=said.verdict != Verdict.KEPT, missed=life.missed)


def _said(past: Past, life: Life, running: Mapping[int, Life], at: datetime) -> Forecast:
    line, due = past.line(life.ticket, at), life.due(at)
    ahead = {
        one.ticket
        for one in running.values()
        if one.ticket != life.ticket and past.line(one.ticket, at) == line and one.runs(at) and one.due(at) < due
    }
    pace = past.lately.pace(at)
    people = People(past.people, past.away(at))
    of_line = line_now(line, pace, past.office(at), people, ahead=len(ahead))
    clock = Running(due, life.target, life.calendar)
    return forecast(clock, of_line, pace.of(line, life.kind, life.priority), at)


def lives(now: datetime, since: datetime) -> Iterator[Life]:
    """The promises to customers that started in [since, now), oldest rows first."""
    rows = Commitment.objects.filter(kind__in=KINDS, started_at__gte=since, started_at__lt=now)
    last: dict[tuple[int, str], datetime | None] = {}
    for row in rows.select_related("calendar_version").order_by("pk").iterator(chunk_size=2000):
        before = last.get((row.ticket_id, row.kind))
        last[row.ticket_id, row.kind] = row.stopped_at
        missed = None
        if row.ending == Commitment.Ending.MET:
            missed = False
        elif row.ending == Commitment.Ending.MISSED:
            missed = True
        yield Life(
            row.pk,
            row.ticket_id,
            row.kind,
            row.priority,
            row.calendar,
            row.target,
            row.started_at,
            max(row.started_at, before) if before else row.started_at,
            [(span.lower, span.upper) for span in row.pauses],
            row.paused_at,
            row.met_late_at or row.stopped_at,
            missed,
            row.ending == Commitment.Ending.MET or row.met_late_at is not None,
        )


def routes(since: datetime) -> dict[int, list[tuple[datetime | None, int]]]:
    """By ticket: the lines that had it, each with its moment; None for the first."""
    found: dict[int, list[tuple[datetime | None, int]]] = {}
    tickets = Commitment.objects.filter(started_at__gte=since).values_list("ticket_id", "ticket__line_id").distinct()
    now_at = dict(tickets)
    passed = HandOver.objects.filter(ticket__in=list(now_at)).order_by("at", "pk")
    for ticket, start, end, at, returned in passed.values_list(
        "ticket_id", "from_line_id", "to_line_id", "at", "returned_at"
    ):
        route = found.setdefault(ticket, [(None, start)])
        route.append((at, end))
        if returned is not None:
            route.append((returned, start))
    return {ticket: found.get(ticket, [(None, line)]) for ticket, line in now_at.items()}
