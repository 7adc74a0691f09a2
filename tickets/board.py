"""What the managers' board shows: five facts, the nearest deadlines with their ladder, age, ratings (direction §8).

Every function costs a fixed number of statements, and none reads more for more tickets: counts stop at a cap, lists are
the head of an index, periods are read from the ledgers (tickets/tally.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.at_once import AtOnce, Counts, moment
from sla.models import Commitment, Escalation, Whom
from sla.words import MOSCOW
from tickets import tally
from tickets.around import clocks_of_a_list, of_a_list, with_catalogue
from tickets.models import Rating, State, Ticket, TicketQuerySet
from tickets.queue.glance import capped
from tickets.queue.rows import running_of

# The four cells of a ladder, in the order in which people are called in.
CELLS = (
    (_("engineer"), {Whom.LINE_QUEUE, Whom.ASSIGNEE}),
    (_("line lead"), {Whom.LINE_LEAD}),
    (_("CSM"), {Whom.CSM, Whom.SUPPORT_MANAGER}),
    (_("top management"), {Whom.TOP_MANAGEMENT}),
)
FACT_CAP = 499  # who leads wants more of a number than a tab says
AGE_CAP = 999  # open tickets of one age are counted no further
DEPARTURES = 12  # rows of the timetable
LOW = 2  # a rating of 1 or 2 is a piece of work (domain §4.4)


@dataclass(frozen=True)
class Fact:
    """A number that is a link; `asks` when it is not nothing and should be."""

    slug: str
    label: str | Promise
    count: int
    asks: bool

    @property
    def words(self) -> str:
        """The number, "499+" past the cap."""
        return capped(self.count, FACT_CAP)


def facts_of(slug: str, now: datetime) -> TicketQuerySet:
    """The tickets behind one of the five facts. Raises `KeyError` for another slug."""
    return _behind(now, now + timedelta(hours=1))[slug]


def _behind(now: Any, in_an_hour: Any) -> dict[str, TicketQuerySet]:
    tickets = Ticket.objects.open()
    return {
        "late": tickets.filter(due_at__lt=now, clock_paused=False),
        "soon": tickets.filter(due_at__gte=now, due_at__lt=in_an_hour, clock_paused=False),
        "unassigned": tickets.filter(priority=1, assignee__isnull=True),
        "management": Ticket.objects.filter(
            pk__in=Escalation.objects.open().filter(whom__in=[Whom.CSM, Whom.TOP_MANAGEMENT]).values("ticket")
        ),
        # The clocks of who waits stand (`Ticket.clock_paused`): a range of `ticket_queue`.
        "waiting": tickets.filter(state=State.AWAITING_CUSTOMER, clock_paused=True),
    }


FACTS = (
    ("late", _("overdue"), True),
    ("soon", _("due within an hour"), False),
    ("unassigned", _("priority 1 without an engineer"), True),
    ("management", _("escalated to CSM or management"), False),
    ("waiting", _("waiting for the customer"), False),
)
FACT_LABELS = {slug: label for slug, label, _asks in FACTS}


def facts(now: datetime) -> list[Fact]:
    """Each counted up to `FACT_CAP`. One statement."""
    counts = _facts.read(now=now, in_an_hour=now + timedelta(hours=1))
    return [Fact(slug, label, counts[slug], asks and counts[slug] > 0) for slug, label, asks in FACTS]


def _counted_facts() -> dict[str, QuerySet[Any]]:
    # Counted where they stand, in `escalation_not_closed`: no ticket is read for it.
    called: Any = Escalation.objects.open().filter(whom__in=[Whom.CSM, Whom.TOP_MANAGEMENT])
    return {
        **_behind(moment("now"), moment("in_an_hour")),
        "management": called.values("ticket").distinct(),
    }


_facts = Counts(_counted_facts, FACT_CAP)


@dataclass
class Departure:
    """One row of the timetable: a ticket, its nearest clock, and how far its ladder has been climbed."""

    ticket: Ticket
    clock: Commitment | None  # none where every clock was cancelled: closed, but an answer is still owed
    cells: list[bool]
    last: Escalation | None
    last_label: str | Promise = ""  # of the cell of `last`: fits where the name of the role does not


def departures(edition: int | None) -> list[Departure]:
    """The tickets with the nearest deadlines, those already past first: the head of `ticket_queue`.

    `edition` is that of the catalogue. One statement.
    """
    read = _nearest.read()
    clocks: dict[int, list[Commitment]] = {}
    for clock in read["clocks"]:
        clocks.setdefault(clock.ticket_id, []).append(clock)
    for ticket in read["tickets"]:
        ticket.clocks = clocks.get(ticket.pk, [])
    return _laddered(with_catalogue(read["tickets"], edition), read["rungs"])


def _reads() -> dict[str, QuerySet[Any]]:
    nearest = Ticket.objects.open().filter(due_at__isnull=False, clock_paused=False).order_by("due_at", "pk")
    nearest = nearest[:DEPARTURES]
    keys = nearest.values("pk")
    return {
        "tickets": of_a_list(nearest),
        "clocks": clocks_of_a_list().filter(ticket__in=keys),
        "rungs": _rungs(keys),
    }


_nearest = AtOnce(_reads)


def _rungs(tickets: Any) -> QuerySet[Escalation]:
    return Escalation.objects.filter(ticket__in=tickets).select_related("person").order_by("reached_at", "pk")


def with_ladders(tickets: Iterable[Ticket]) -> list[Departure]:
    """Adds to tickets (fetched `with_clocks`) the ladder of each, in one statement for all."""
    tickets = list(tickets)
    return _laddered(tickets, _rungs(tickets))


def _laddered(tickets: list[Ticket], rungs: Iterable[Escalation]) -> list[Departure]:
    climbed: dict[int, list[Escalation]] = {}
    for escalation in rungs:
        climbed.setdefault(escalation.ticket_id, []).append(escalation)
    rows = []
    for ticket in tickets:
        running = running_of(ticket)
        clock = min(running, key=lambda clock: clock.due_at, default=ticket.clocks[-1] if ticket.clocks else None)
        calls = climbed.get(ticket.pk, [])
        reached = {escalation.whom for escalation in calls if escalation.commitment_id in {c.pk for c in running}}
        reached |= {escalation.whom for escalation in calls if escalation.state != Escalation.State.CLOSED}
        cells = [bool(reached & whoms) for _label, whoms in CELLS]
        rank: dict[str, int] = {whom: number for number, (_label, whoms) in enumerate(CELLS) for whom in whoms}
        last = max(
            (escalation for escalation in calls if escalation.whom in reached),
            key=lambda escalation: (rank[escalation.whom], escalation.reached_at),
            default=None,
        )
        rows.append(Departure(ticket, clock, cells, last, CELLS[rank[last.whom]][0] if last else ""))
    return rows


AGES = (
    (_("up to 1 day"), timedelta(0), timedelta(days=1)),
    (_("1–3 days"), timedelta(days=1), timedelta(days=3)),
    (_("3–7 days"), timedelta(days=3), timedelta(days=7)),
    (_("7–14 days"), timedelta(days=7), timedelta(days=14)),
    (_("more than 14"), timedelta(days=14), None),
)


@dataclass(frozen=True)
class Age:
    label: str | Promise
    count: int
    share: float  # percent of the longest bar

    @property
    def words(self) -> str:
        return capped(self.count, AGE_CAP)


def ages(now: datetime) -> list[Age]:
    """Open tickets by how long ago they were received, each span counted up to a cap in `ticket_age`. One statement."""
    counts = [
        *_ages.read(**{f"since_{place}": now - since for place, (_label, since, _until) in enumerate(AGES)}).values()
    ]
    longest = max(counts) or 1
    return [
        Age(label, count, count * 100 / longest) for (label, _since, _until), count in zip(AGES, counts, strict=True)
    ]


def exact_ages(now: datetime) -> list[tuple[str | Promise, int]]:
    """As `ages`, counted to the end: for who takes the table along."""
    aged = _aged([now - since for _label, since, _until in AGES])
    return [(label, tickets.count()) for (label, _since, _until), tickets in zip(AGES, aged, strict=True)]


def _counted_ages() -> dict[str, QuerySet[Any]]:
    aged = _aged([moment(f"since_{place}") for place in range(len(AGES))])
    return {str(place): tickets for place, tickets in enumerate(aged)}


def _aged(since: list[Any]) -> list[TicketQuerySet]:
    """The open tickets of each age, which begins where the one before it ends."""
    spans = [Q(opened_at__lte=one) & Q(opened_at__gt=until) for one, until in pairwise(since)]
    return [Ticket.objects.open().filter(span) for span in [*spans, Q(opened_at__lte=since[-1])]]


_ages = Counts(_counted_ages, AGE_CAP)


@dataclass(frozen=True)
class Satisfaction:
    average: float | None
    count: int
    low: list[Rating]


def satisfaction(now: datetime) -> Satisfaction:
    """The ratings of the last thirty days, with the newest low ones as work to be done. Two statements."""
    count, score = tally.rated(now)
    since = datetime.combine(tally.first_day(now), time(), MOSCOW)
    return Satisfaction(score / count if count else None, count, _low.read(since=since)["low"])


def _low_ratings() -> dict[str, QuerySet[Any]]:
    since: Any = moment("since")
    low = Rating.objects.filter(at__gte=since, score__lte=LOW).select_related("ticket__customer").order_by("-at")[:8]
    return {"low": low}


_low = AtOnce(_low_ratings)


def calls() -> QuerySet[Escalation]:
    """Escalations with everything that a page says of one."""
    return Escalation.objects.select_related(
        "ticket__customer",
        "ticket__terms__package",
        "person",
        "instead_of",
        "raised_by",
        "acknowledged_by",
        "commitment__calendar_version",
        "answer_clock__calendar_version",
    )


def waiting_calls(now: datetime) -> QuerySet[Escalation]:
    """Escalations that wait for somebody: not closed, the oldest first."""
    return (
        calls()
        .exclude(state=Escalation.State.CLOSED)
        .order_by("state", F("answer_clock__due_at").asc(nulls_last=True), "reached_at", "pk")
    )
