"""The forecast of running promises: what is known of their lines now, in a constant number of statements.

Two bounded statements for any number of promises, at most every fifteen seconds of a process: the paces that a job has
counted (tickets/pace.py), the people of the lines and who of them is away; and the head of each line's queue.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.at_once import AtOnce, Prepared, moment
from accounts.models import Absence, Role, User
from contracts.kept import edition_now
from contracts.models import CatalogueEdition, PromiseKind
from sla import forecast_words, words
from sla.business_time import WorkingCalendar
from sla.forecast import Forecast, LineNow, Running, Verdict, first_there, forecast_from
from sla.kept import rules
from sla.models import Commitment
from tickets.line_hours import OFFICE, OFFICE_DAY, hours_of_line
from tickets.models import LinePace, Ticket
from tickets.pace import Pace, counted

KNOWN_FOR = timedelta(seconds=15)  # how fast people and queues change, beside what a forecast can know
HEAD = 200  # of a line's queue; what has more ahead of it has many ahead of it
LOOKED_AT = 200  # the nearest deadlines of all lines, in which the board looks for those to be missed
KINDS = (PromiseKind.REACTION, PromiseKind.RESOLUTION)

# The head of each line's queue in its one order; an index range of `ticket_line_queue` for each line.
HEADS = """
SELECT line.number, ARRAY(
    SELECT due_at FROM tickets_ticket
    WHERE line_id = line.number AND state IN ('new', 'in_progress', 'awaiting_customer')
          AND NOT clock_paused AND due_at IS NOT NULL
    ORDER BY due_at LIMIT %s
) FROM accounts_line line
"""


class Shown(NamedTuple):
    """A forecast as a page shows it: a mark for a row ("" where all is well), and the sentence.

    In the language that is active when it is asked: most rows ask for nothing more than the mark.
    """

    found: Forecast
    mark: str
    now: datetime
    zone: tzinfo

    @property
    def verdict(self) -> str:
        return self.found.verdict

    @property
    def reason(self) -> str:
        return forecast_words.reason(self.found, self.zone, self.now)

    @property
    def sentence(self) -> str:
        return forecast_words.sentence(self.found, self.zone, self.now)


@dataclass(frozen=True, slots=True)
class People:
    """Who works on the lines, and who of them is away now and until when."""

    lines: Mapping[int, set[int]]
    away: Mapping[int, datetime]

    def now(self, line: int) -> tuple[int, int, datetime | None]:
        """(people, those away, when the first of those away is back)."""
        people = self.lines.get(line, set())
        gone = [self.away[person] for person in people if person in self.away]
        return len(people), len(gone), min(gone, default=None)


class Open(NamedTuple):
    """A promise to a customer that runs and does not stand, as a forecast asks of it; `key` is the commitment's."""

    key: int
    line: int
    kind: str
    priority: int
    promise: Running


@dataclass(frozen=True, slots=True)
class Lines:
    """What is known of all lines at one moment."""

    at: datetime
    pace: Pace
    office: WorkingCalendar
    people: People
    heads: Mapping[int, Sequence[datetime]]


_known: dict[str, Lines] = {}  # of this process, "lines": the last that was read


def known_lines(now: datetime) -> Lines:
    """What is known of the lines, at most `KNOWN_FOR` old: two statements, or none; one more for a new catalogue."""
    found = _known.get("lines")
    if found is None or not timedelta(0) <= now - found.at < KNOWN_FOR:
        read = _of_lines.read(now=now)
        people = _people(read["staff"], read["away"])
        office = rules(read["editions"][0].number if read["editions"] else None).version_of(OFFICE, now)
        found = Lines(now, counted(read["paces"]), office.working_calendar(), people, queue_heads())
        _known["lines"] = found
    return found


def _reads() -> dict[str, QuerySet[Any]]:
    now: Any = moment("now")
    return {
        "paces": LinePace.objects.all(),
        "staff": _staff(),
        "away": Absence.objects.at(now).order_by("ends_at"),
        "editions": CatalogueEdition.objects.all(),
    }


_of_lines = AtOnce(_reads)


def _staff() -> QuerySet[Any]:
    """(line, person) of the engineers and leads who may sign in."""
    through: Any = User.lines.through
    return through.objects.filter(user__is_active=True, user__role__in=[Role.ENGINEER, Role.LINE_LEAD])


def _people(staff: Iterable[Any], away: Iterable[Absence]) -> People:
    lines: dict[int, set[int]] = {}
    for row in staff:
        lines.setdefault(row.line_id, set()).add(row.user_id)
    return People(lines, {row.user_id: row.ends_at for row in away})


def people_of_lines(now: datetime) -> People:
    """The people of every line, and who of ours is away now. Two statements."""
    return _people(_staff(), Absence.objects.at(now).order_by("ends_at"))


def forget_lines() -> None:
    """The next forecast reads anew what is known of the lines: for tests, which turn the time about."""
    _known.clear()


def forecasts(rows: Iterable[Commitment], now: datetime) -> dict[int, Forecast]:
    """The forecast of each promise that has one, by its key. Rows come with `ticket` and `calendar_version`."""
    return foreseen([opened(row) for row in rows if is_foreseen(row)], now)


def is_foreseen(row: Commitment) -> bool:
    """Whether a forecast is made: for a promise to a customer that runs and does not stand."""
    return row.kind in KINDS and row.is_running and row.paused_at is None


def opened(row: Commitment) -> Open:
    missed = row.ending == Commitment.Ending.MISSED
    promise = Running(row.due_at, row.target, row.calendar, missed=missed)
    return Open(row.pk, row.ticket.line_id, row.kind, row.priority, promise)


def foreseen(rows: Sequence[Open], now: datetime) -> dict[int, Forecast]:
    """The forecast of each promise, by its key."""
    if not rows:
        return {}
    lines = known_lines(now)
    found = {}
    alone: dict[int, tuple[LineNow, datetime | None]] = {}  # each line with nothing ahead, and when somebody is there
    behind: dict[tuple[int, int], LineNow] = {}  # each with so many ahead
    for row in rows:
        if row.line not in alone:
            line = line_now(row.line, lines.pace, lines.office, lines.people, ahead=0)
            alone[row.line] = line, first_there(line, now)
        line, somebody = alone[row.line]
        ahead = bisect_left(lines.heads.get(row.line, []), row.promise.due_at)
        if (row.line, ahead) not in behind:
            behind[row.line, ahead] = line._replace(ahead=ahead)
        others = lines.pace.of(row.line, row.kind, row.priority)
        found[row.key] = forecast_from(row.promise, behind[row.line, ahead], others, now, somebody)
    return found


def line_now(number: int, pace: Pace, office: WorkingCalendar, people: People, *, ahead: int) -> LineNow:
    """What is known of a line at this moment. Asks the database nothing."""
    all_of_it, away, back_at = people.now(number)
    hours = hours_of_line(number, office=office, days_outside=pace.days_outside.get(number, 0))
    return LineNow(
        hours=hours.calendar,
        planned=hours.planned,
        people=all_of_it,
        away=away,
        back_at=back_at if all_of_it and away == all_of_it else None,
        ahead=ahead,
        best_day=pace.best_day.get(number, 0),
        day=OFFICE_DAY,
    )


def queue_heads() -> dict[int, list[datetime]]:
    """The nearest deadlines of each line in order, at most `HEAD` of each."""
    with connection.cursor() as cursor:
        cursor.execute(HEADS, [HEAD])
        return dict(cursor.fetchall())


def shown(found: Forecast | None, now: datetime, zone: tzinfo = words.MOSCOW) -> Shown | None:
    """A forecast in the active language; None where there is none."""
    if found is None:
        return None
    return Shown(found, forecast_words.mark(found), now, zone)


@dataclass(frozen=True, slots=True)
class Missing:
    """A promise that will be missed though its time is not over: what the board shows of it."""

    clock: Commitment
    forecast: Shown


def _nearest_promises() -> Prepared:
    """The promises among the nearest deadlines, for `_heads` to run."""
    now: Any = moment("now")
    # Every open ticket has its nearest promise in `ticket_queue`: so many promises lie before its so-manieth deadline.
    # Without that border PostgreSQL, who takes running promises for rare, reads and sorts them all.
    queue = Ticket.objects.open().filter(clock_paused=False, due_at__gte=now).order_by("due_at", "pk")
    border = Coalesce(
        Subquery(queue.values("due_at")[LOOKED_AT : LOOKED_AT + 1]), Value(datetime.max.replace(tzinfo=UTC))
    )
    running = Commitment.objects.running().filter(
        kind__in=KINDS, paused_at__isnull=True, ending=Commitment.Ending.RUNNING, due_at__gte=now, due_at__lte=border
    )
    return Prepared(
        running.order_by("due_at", "pk").values_list(
            "pk", "ticket__line", "kind", "priority", "due_at", "target", "calendar_version"
        )[:LOOKED_AT]
    )


_heads = cache(_nearest_promises)  # compiled once in a process


def will_be_missed(
    now: datetime, at_most: int | None = None, edition: int | None = None
) -> tuple[Sequence[Missing], int, int]:
    """The promises to be missed among the nearest deadlines, in their order (the first `at_most`; None: all).

    And how many they are, and among how many one looked. `commitment_running_due` is the index of its query. What is
    overdue already is another list. Only what is shown is read whole. `edition` of the catalogue, where it is known.
    """
    heads = _heads().rows(now=now)
    ours = rules(edition if edition is not None else edition_now())
    calendars = {key: ours.version(key).working_calendar() for key in {version for *_rest, version in heads}}
    rows = [
        Open(pk, line, kind, priority, Running(due_at, target, calendars[version], missed=False))
        for pk, line, kind, priority, due_at, target, version in heads
    ]
    missed = {key: told for key, told in foreseen(rows, now).items() if told.verdict == Verdict.MISSED}
    wanted = list(missed)[:at_most]
    whole = Commitment.objects.select_related("ticket__customer", "ticket__terms__package", "ticket__assignee")
    clocks = {clock.pk: clock for clock in whole.filter(pk__in=wanted)} if wanted else {}
    found = []
    for key in wanted:
        if key in clocks and (said := shown(missed[key], now)) is not None:
            found.append(Missing(clocks[key], said))
    return found, len(missed), len(rows)
