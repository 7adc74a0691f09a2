"""What happened to a ticket, in order, and its way through the lines. Pure over rows that were fetched already.

The words of each event stand in `event_words`: the desk's, and the customer's. Fetch events with `by`, hand-overs with
`by`, escalations with `person`; nothing here asks the database or the clock.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Line, User
from sla.models import Escalation, Whom
from tickets import event_words
from tickets.models import Event, HandOver, Message, Ticket

# The message beside it says it all: no line of its own.
SAID = frozenset({"replied", "told", "noted", "customer_replied"})
# The desk sees the hand-over's note as a card.
CARDS = frozenset({"handed_over", "returned"})
# What is not folded away between two messages: somebody has to do something about it.
LOUD = frozenset({"undelivered"})
# Whom the customer is told about when the ladder calls them in; what goes on inside a line is the desk's own.
SHOWN_TO_CUSTOMERS = frozenset({Whom.CSM, Whom.SUPPORT_MANAGER, Whom.TOP_MANAGEMENT})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: `what` in a few words, `more` the reason or text that came with it ("" for none)."""

    verb: str
    at: datetime
    by: User | None
    what: str
    more: str = ""
    publication: int = 0  # of the release that the step speaks of, where the customer may look at it


# What the desk is told


def desk_steps(
    events: Iterable[Event], escalations: Iterable[Escalation] = (), *, ticket: Ticket | None = None
) -> list[Step]:
    """Everything that the desk is told outside messages and hand-over cards, oldest first.

    With `ticket`, the events of others (merged into it, fetched with `ticket`) say their number; their hand-overs have
    no card there and are told as steps.
    """
    steps = []
    for event in events:
        if ticket is not None and event.ticket_id != ticket.pk:
            if event.verb not in SAID | {"merged"}:
                step = desk_step(event)
                steps.append(replace(step, what=f"№ {event.ticket.number}: {step.what}"))
        elif event.verb not in SAID | CARDS:
            steps.append(desk_step(event))
    steps += [rung_step(escalation) for escalation in escalations if escalation.raised_by_id is None]
    return sorted(steps, key=lambda step: step.at)


def desk_step(event: Event) -> Step:
    """An event in an engineer's words."""
    return Step(event.verb, event.at, event.by, *event_words.for_desk(event))


def rung_step(escalation: Escalation) -> Step:
    """A rung of the ladder: who was called in and at how many percent of the promised time."""
    what = _("%(percent)s%% of the time: %(whom)s") % {
        "percent": escalation.percent or 0,
        "whom": event_words.whom(escalation.whom),
    }
    return Step(
        "called_in", escalation.reached_at, None, what, escalation.person.short_name if escalation.person else ""
    )


def called_in(escalations: Iterable[Escalation]) -> list[Escalation]:
    """The last stop of the route: each person above the lines once, with the first call, the two highest last."""
    first: dict[object, Escalation] = {}
    for escalation in sorted(escalations, key=lambda row: (row.reached_at, row.pk)):
        if escalation.whom in SHOWN_TO_CUSTOMERS:
            first.setdefault(escalation.person_id or escalation.whom, escalation)
    return list(first.values())[-2:]


# What customers are told


def customer_steps(
    events: Sequence[Event], escalations: Iterable[Escalation] = (), *, publications: Collection[int] = ()
) -> list[Step]:
    """What the customer is told outside the messages, oldest first; what is the desk's own is left out.

    `publications` are the releases (their keys) that the customer may have: of those nothing stands in the way.
    """
    own = {event.details.get("escalation") for event in events if event.verb == "escalated"}
    steps = []
    for event in events:
        if event.verb in {"acknowledged", "escalation_answered"} and event.details.get("escalation") not in own:
            continue
        step = customer_step(event)
        if step is not None and event.details.get("publication") in publications:
            step = replace(step, more="", publication=event.details["publication"])
        if step is not None:
            steps.append(step)
    steps += [
        Step("called_in", row.reached_at, None, _("We called in: %(whom)s") % {"whom": event_words.whom(row.whom)})
        for row in escalations
        if (row.raised_by_id is None or row.cause == Escalation.Cause.COLLEAGUE) and row.whom in SHOWN_TO_CUSTOMERS
    ]
    return sorted(steps, key=lambda step: step.at)


def customer_step(event: Event) -> Step | None:
    """An event in words for the customer; None for what is none of theirs (notes, assignments, line alarms)."""
    told = event_words.for_customer(event)
    return Step(event.verb, event.at, event.by, *told) if told is not None else None


# The conversation: messages, hand-over cards, and what happened between them folded in one line


@dataclass(slots=True)
class Entry:
    """One piece of the conversation: a message, a hand-over's card, or the steps between two of them."""

    at: datetime
    message: Message | None = None
    hand_over: HandOver | None = None
    is_return: bool = False  # the hand-over that gave it back: its words are the reason
    steps: list[Step] = field(default_factory=list)

    @property
    def is_loud(self) -> bool:
        """Whether it stands by itself, in sight."""
        return bool(self.steps) and self.steps[0].verb in LOUD

    @property
    def summary(self) -> str:
        """«3 события: принято, линия 1 → 2, …» as one line; a single step is said as it is."""
        words = ", ".join(step.what for step in self.steps)
        if len(self.steps) < 2:
            return words
        return ngettext("%(count)d event: %(words)s", "%(count)d events: %(words)s", len(self.steps)) % {
            "count": len(self.steps),
            "words": words,
        }


def conversation(
    messages: Iterable[Message], steps: Iterable[Step], hand_overs: Iterable[HandOver] = ()
) -> list[Entry]:
    """Everything in order of time; neighbouring steps are folded together. At one instant words come before facts."""
    rows = [(message.created_at, 0, Entry(message.created_at, message=message)) for message in messages]
    passages = list(hand_overs)
    given_back = _given_back(passages)
    rows += [
        (passed.at, 1, Entry(passed.at, hand_over=passed, is_return=(passed.from_line_id, passed.at) in given_back))
        for passed in passages
    ]
    rows += [(step.at, 2, Entry(step.at, steps=[step])) for step in steps]
    entries: list[Entry] = []
    for _at, _order, entry in sorted(rows, key=lambda row: row[:2]):
        is_quiet = bool(entry.steps) and not entry.is_loud
        if is_quiet and entries and entries[-1].steps and not entries[-1].is_loud:
            entries[-1].steps.extend(entry.steps)
        else:
            entries.append(entry)
    return entries


def _given_back(hand_overs: Iterable[HandOver]) -> set[tuple[int, datetime]]:
    """The line that gave a ticket back, and when: the passage from there at that moment is the return."""
    return {(one.to_line_id, one.returned_at) for one in hand_overs if one.returned_at and not one.was_taken_back}


# The route through the lines


@dataclass(slots=True)
class Stop:
    """A line on the way of a ticket. `place` is done, now or next; `visits` how often the ticket came to it.

    `since` and `until` are those of the last visit; `until` is None where the ticket still is.
    """

    number: int
    name: str
    place: str
    since: datetime | None = None
    until: datetime | None = None
    who: User | None = None
    visits: int = 0
    back_from: int | None = None  # the line from which it came back to here, the last time it came
    steps_back: int = 0

    @property
    def is_now(self) -> bool:
        return self.place == "now"

    @property
    def back_words(self) -> str:
        """“back from line 3”, from the second time on with the count; "" where it came forward."""
        if self.back_from is None:
            return ""
        said = _("back from line %(line)s") % {"line": self.back_from}
        return said if self.steps_back < 2 else f"{said} × {self.steps_back}"

    @property
    def times(self) -> str:
        """How often, after the rest of the words; "" for once."""
        if self.visits < 2:
            return ""
        return ngettext(", %(times)s time", ", %(times)s times", self.visits) % {"times": self.visits}


def route(
    ticket: Ticket, lines: Iterable[Line], hand_overs: Sequence[HandOver], events: Iterable[Event] = ()
) -> list[Stop]:
    """The stops of all lines, 1 to 4, with when the ticket was there and who had it (domain §3.3).

    A finished ticket stands nowhere: its last line is done too.
    """
    stops = {line.pk: Stop(line.pk, line.name, "next") for line in lines}
    taken = [event for event in events if event.verb == "accepted" and event.by is not None]
    # What was taken back before the line accepted it was never there.
    passages = sorted((one for one in hand_overs if not one.was_taken_back), key=lambda passed: (passed.at, passed.pk))
    visits: list[tuple[int, datetime, datetime | None, User | None]] = []
    number, since = (passages[0].from_line_id if passages else ticket.line_id), ticket.opened_at
    for passed in passages:
        visits.append((number, since, passed.at, passed.by))
        number, since = passed.to_line_id, passed.at
    given_back = _given_back(passages)
    for passed in passages:
        # Given back, or handed down to a line that stands before: a step back, whose dates are the later ones.
        came_back = (passed.from_line_id, passed.at) in given_back or passed.to_line_id < passed.from_line_id
        stop = stops[passed.to_line_id]
        stop.back_from = passed.from_line_id if came_back else None
        stop.steps_back += came_back
    visits.append((number, since, ticket.closed_at or ticket.resolved_at, ticket.assignee))
    for number, since, until, who in visits:
        there = [event.by for event in taken if since <= event.at and (until is None or event.at <= until)]
        stop = stops[number]
        stop.place, stop.since, stop.until, stop.visits = "done", since, until, stop.visits + 1
        stop.who = who if until is None else (there[-1] if there else who)
    if ticket.is_open:
        stops[ticket.line_id].place = "now"
    return [stops[number] for number in sorted(stops)]


def bounces(hand_overs: Iterable[HandOver], line: int, other: int) -> int:
    """How often the ticket came back between two lines: passages between them, less the first (domain §3.3)."""
    between = {line, other}
    passages = [one for one in hand_overs if not one.was_taken_back]
    return max(0, sum({one.from_line_id, one.to_line_id} == between for one in passages) - 1)
