"""What is tied to a ticket, as the desk reads it: links both ways, merged ones, follow-ups, time (direction §6.7)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from accounts.models import User
from sla import clocks, words
from sla.models import Commitment
from tickets.durations import spent_words
from tickets.models import Message, Ticket, TicketLink, TimeEntry
from tickets.workflow import may_correct


@dataclass(frozen=True)
class Tied:
    """A link as read from the ticket; `link` is there where the link can be taken away."""

    words: str
    ticket: Ticket
    link: TicketLink | None = None


@dataclass(frozen=True)
class Spent:
    entry: TimeEntry
    words: str
    may_correct: bool


@dataclass
class Relations:
    links: list[Tied] = field(default_factory=list)
    merged: list[Ticket] = field(default_factory=list)
    follow_ups: list[Ticket] = field(default_factory=list)
    spent: list[Spent] = field(default_factory=list)

    @property
    def total(self) -> str:
        """The time on the ticket in words, "" for none."""
        minutes = sum(one.entry.minutes for one in self.spent)
        return spent_words(minutes) if minutes else ""


def relations_of(ticket: Ticket, user: User) -> Relations:
    """Three statements, whatever there is."""
    links = TicketLink.objects.filter(Q(source=ticket) | Q(target=ticket))
    around = list(Ticket.objects.filter(Q(merged_into=ticket) | Q(follows=ticket)).order_by("number"))
    return tied(
        ticket,
        user,
        links=links.select_related("source__customer", "target__customer"),
        merged=[one for one in around if one.merged_into_id == ticket.pk],
        follow_ups=[one for one in around if one.follows_id == ticket.pk],
        time=ticket.time_entries.select_related("person"),
    )


def tied(
    ticket: Ticket,
    user: User,
    *,
    links: Iterable[TicketLink],
    merged: list[Ticket],
    follow_ups: list[Ticket],
    time: Iterable[TimeEntry],
) -> Relations:
    """The relations of rows that are at hand with their tickets and people. Asks the database nothing."""
    return Relations(
        [
            Tied(str(row.words(ticket)), row.other(ticket), row if row.kind in TicketLink.CHOSEN else None)
            for row in links
        ],
        merged,
        follow_ups,
        [Spent(entry, spent_words(entry.minutes), may_correct(entry, user)) for entry in time],
    )


@dataclass(frozen=True)
class Lane:
    """One promise as merging leaves it: which of the two goes on, and until when."""

    promise: str
    ours: str
    theirs: str
    goes_on: str


def lanes_after(ticket: Ticket, into: Ticket, now: datetime) -> list[Lane]:
    """What merging does to the running promises of both, as `clocks.carry_over` will decide it. Two statements."""

    def running(one: Ticket) -> list[Commitment]:
        rows = Commitment.objects.running().filter(ticket=one, kind__in=clocks.CUSTOMER_PROMISES)
        return list(rows.select_related("calendar_version").order_by("started_at", "pk"))

    theirs, ours = running(ticket), running(into)
    carried = clocks.carried_of(theirs, ours, at=now)
    lanes = []
    for kind in clocks.CUSTOMER_PROMISES:
        from_it = next((clock for clock in theirs if clock.kind == kind), None)
        own = next((clock for clock in ours if clock.kind == kind), None)
        last = from_it if from_it in carried else own
        if from_it is not None or own is not None:
            lanes.append(Lane(words.promise(kind), _due(own, now), _due(from_it, now), _due(last, now)))
    return lanes


def _due(clock: Commitment | None, now: datetime) -> str:
    return words.moment(clocks.due_from_now(clock, now), words.MOSCOW, now) if clock is not None else "—"


def alike(ticket: Ticket) -> list[Ticket]:
    """The customer's other open tickets, newest first: what a ticket may be merged into. One statement, at most 20."""
    others = Ticket.objects.open().filter(customer=ticket.customer_id).exclude(pk=ticket.pk)
    return list(others.select_related("product").order_by("-number")[:20])


def messages_to_split(ticket: Ticket) -> list[Message]:
    """Everything said in the ticket, oldest first, with its files. Two statements."""
    return list(ticket.messages.select_related("author").prefetch_related("attachments").order_by("created_at", "pk"))
