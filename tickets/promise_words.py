"""The promises of a ticket in the customer's words (direction §7, §15, §16; domain §4.3).

One sentence says what the customer may count on, with an absolute time in their own zone; the arithmetic behind it is
`sla/explain.py`. Nothing here asks the clock: `now` (aware) and `zone` (the reader's) are always given. Internal
names of states and the desk's own clocks (acceptance by a line) never appear.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from django.utils.translation import gettext as _
from django.utils.translation import npgettext, pgettext

from contracts.models import PromiseKind, TicketKind
from sla import words
from sla.clocks import AGREED, CUSTOMER_PROMISES
from sla.explain import impact as impact
from sla.hours_words import hours as hours
from sla.hours_words import language_of_tables as language
from sla.hours_words import working_day_of as working_day_of
from sla.models import Commitment
from sla.promises import Promise, PromisedTimes
from sla.way_words import date_told as date_told
from tickets.models import State, Ticket


@dataclass(frozen=True, slots=True)
class Told:
    """What a customer is told about the time of a ticket: a sentence, what stands below it, and the clock behind it.

    `commitment` None: no promise runs, and the chip says so. `drawn` is whether there is a chip worth showing at all.
    `moscow` ends the sentence where the reader's clocks are others: "(08:58 по Москве)".
    """

    sentence: str
    details: tuple[str, ...] = ()
    commitment: Commitment | None = None
    drawn: bool = True
    track: bool = False
    moscow: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A promise that has ended: what came of it, in words, beside its chip."""

    commitment: Commitment
    words: str


def status(ticket: Ticket) -> str:
    """Where the request stands, as the customer would say it."""
    return {
        State.NEW: pgettext("request", "received"),
        State.IN_PROGRESS: pgettext("request", "in work"),
        State.AWAITING_CUSTOMER: pgettext("request", "waiting for you"),
        State.RESOLVED: pgettext("request", "solved, please check"),
        State.CLOSED: pgettext("request", "closed"),
        State.DECLINED: pgettext("request", "outside support"),
    }[State(ticket.state)]


def effect(priority: int) -> str:
    """The same as the end of "30 minutes, …"."""
    return {
        1: _("if the system or a main function does not work at all"),
        2: _("if a main function works only in another way, or an auxiliary one not at all"),
        3: _("if an auxiliary function works only in another way"),
        4: _("if it does not get in the way of the work"),
    }[priority]


def customer_clocks(ticket: Ticket) -> list[Commitment]:
    """The promises made to the customer, oldest first. `ticket` comes from `with_clocks()`."""
    return [clock for clock in ticket.clocks if clock.kind in CUSTOMER_PROMISES]


def leading(ticket: Ticket) -> Commitment | None:
    """The promise to speak of: the running one with the nearest deadline; of an ended request, the last resolution."""
    clocks = customer_clocks(ticket)
    running = [clock for clock in clocks if clock.is_running]
    if running:
        return min(running, key=lambda clock: (clock.due_at, clock.pk))
    if ticket.is_open:
        return None
    return next((clock for clock in reversed(clocks) if clock.kind == PromiseKind.RESOLUTION), None)


def tell(ticket: Ticket, *, now: datetime, zone: tzinfo) -> Told:
    """What to tell the customer about this ticket now. `ticket` comes from `with_clocks()`."""
    clock = leading(ticket)
    if ticket.state == State.RESOLVED:
        return Told(_("Solved. Please check it"), _tell_closing(ticket, now, zone), clock, drawn=clock is not None)
    if ticket.state == State.CLOSED:
        return Told(pgettext("request", "Closed"), _tell_ended(ticket, now, zone), clock, drawn=clock is not None)
    if ticket.state == State.DECLINED:
        return Told(
            _("Not included in support"),
            (_("The reason is in the conversation. You can contest it: we then look at the request again."),),
            drawn=False,
        )
    waiting = ticket.state == State.AWAITING_CUSTOMER
    if clock is None:
        sentence = _("We are waiting for your answer") if waiting else _no_promise(ticket)
        return Told(sentence, _next_after_reaction(ticket), None)
    if is_late(clock, now):
        other = _other(ticket, clock)
        details = [_late(other, now, zone) + "."] if other is not None and is_late(other, now) else []
        details += [_("Who knows of it: %(people)s.") % {"people": people}] if (people := _called(ticket)) else []
        details += [_("We are also waiting for your answer.")] if waiting else []
        return Told(_late(clock, now, zone), tuple(details), clock, track=True)
    if clock.paused_at is not None:
        left = words.span_long(clock.calendar.between(clock.paused_at, clock.due_at), working_day_of(clock))
        return Told(
            _("On hold: waiting for your answer"),
            (_("It goes on when you answer; %(span)s will then be left.") % {"span": left},),
            clock,
            track=True,
        )
    below, moscow = _below(ticket, clock, now, zone), _in_moscow(clock, zone)
    return Told(_promise(clock, now, zone), below, clock, track=True, moscow=moscow)


def _promise(clock: Commitment, now: datetime, zone: tzinfo) -> str:
    until = {"until": words.until(clock.due_at, zone, now)}
    if clock.kind == PromiseKind.REACTION:
        return _("We will reply %(until)s") % until
    if clock.agreed:
        return _("We agreed to solve it %(until)s") % until
    return _("We will solve it %(until)s") % until


def _in_moscow(clock: Commitment, zone: tzinfo) -> str:
    """The same deadline by Moscow's clocks, behind the promise (direction §15); "" where the reader's agree."""
    moscow = moscow_clock(clock.due_at, zone)
    return pgettext("deadline", "(%(clock)s Moscow time)") % {"clock": moscow} if moscow else ""


def _late(clock: Commitment, now: datetime, zone: tzinfo) -> str:
    moment = {"moment": words.moment(clock.due_at, zone, now)}
    if clock.kind == PromiseKind.REACTION:
        return _("We promised to reply by %(moment)s and did not make it") % moment
    return _("We promised to solve it by %(moment)s and did not make it") % moment


def _called(ticket: Ticket) -> str:
    """Whom the ladder or the customer has called in: the open calls that came with the row (`portal_page`)."""
    calls = sorted({str(call.get_whom_display()) for call in getattr(ticket, "calls", [])})
    return ", ".join(calls)


def is_late(clock: Commitment, now: datetime) -> bool:
    """As the chip has it: late from the very instant it is due; a standing clock is looked at as it stood."""
    return clock.ending == Commitment.Ending.MISSED or min(now, clock.paused_at or now) >= clock.due_at


def _below(ticket: Ticket, clock: Commitment, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    said = []
    left = words.span_long(rounded_up(clock.calendar.between(now, clock.due_at)), working_day_of(clock))
    whole_days = clock.calendar.between(now, clock.due_at) >= (working_day_of(clock) or timedelta(0))
    if clock.calendar_version.is_round_the_clock or whole_days:
        said.append(pgettext("time", "%(span)s left.") % {"span": left})
    else:
        said.append(_("%(span)s of working time left.") % {"span": left})
    if not clock.calendar.is_open(now):
        opens = words.moment(clock.calendar.next_opening(now), zone, now)
        said.append(_("Outside service hours the clock does not run: it goes on at %(moment)s.") % {"moment": opens})
    other = _other(ticket, clock)
    if other is not None and not is_late(other, now):
        said.append(" ".join(filter(None, (_promise(other, now, zone), _in_moscow(other, zone)))) + ".")
    return (" ".join(said),)


def _other(ticket: Ticket, clock: Commitment) -> Commitment | None:
    """The other promise that runs beside this one."""
    return next((row for row in customer_clocks(ticket) if row.is_running and row.pk != clock.pk), None)


def _no_promise(ticket: Ticket) -> str:
    if ticket.kind == TicketKind.INCIDENT:
        return _("We are working on it; your package promises no time for the solution")
    return _("We are working on it; a time for the solution is promised only where something is broken")


def _next_after_reaction(ticket: Ticket) -> tuple[str, ...]:
    return (_("We will write when there is news. You can write too, at any time."),)


def _tell_closing(ticket: Ticket, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    if ticket.closes_at is None:
        return ()
    return (
        _("If we hear nothing until %(moment)s, we will close the request ourselves.")
        % {"moment": words.moment(ticket.closes_at, zone, now, "date")},
    )


def _tell_ended(ticket: Ticket, now: datetime, zone: tzinfo) -> tuple[str, ...]:
    if ticket.closed_at is None:
        return ()
    return (
        _("%(moment)s. If the question comes back, write here: we will open a new request that follows this one.")
        % {"moment": words.moment(ticket.closed_at, zone, now, "date")},
    )


def kept(ticket: Ticket) -> list[Kept]:
    """The promises of the ticket that have ended, oldest first: kept or missed, both are said."""
    return [Kept(clock, _came_of(clock)) for clock in customer_clocks(ticket) if not clock.is_running]


def _came_of(clock: Commitment) -> str:
    promised = {"target": words.target_long(clock.amount, clock.unit)}
    if clock.kind == PromiseKind.REACTION:
        return _("First answer, promised within %(target)s") % promised
    if clock.why == "restored":
        return _("Service restored, promised within %(target)s") % promised
    if clock.agreed:
        return _("Solution, by the deadline that we agreed on")
    if clock.why == AGREED:
        return _("Solution, promised within %(target)s; then another deadline was agreed") % promised
    return _("Solution, promised within %(target)s") % promised


# The track's captions


def pauses_told(commitment: Commitment, *, now: datetime) -> str:
    """How long the clock waited for the customer, in working time: "ждали вас 3 ч 10 мин"; "" for not at all."""
    held = [(pause.lower, pause.upper) for pause in commitment.pauses]
    if commitment.paused_at is not None:
        held.append((commitment.paused_at, now))
    length = sum((commitment.calendar.between(start, end) for start, end in held), timedelta(0))
    if length < words.MINUTE:
        return ""
    return _("waited for you %(span)s") % {"span": words.span(length, working_day_of(commitment))}


def started_told(commitment: Commitment, *, now: datetime, zone: tzinfo) -> str:
    """When the clock began to run: at the receipt, or with the next opening."""
    began = commitment.calendar.next_opening(commitment.started_at)
    return _("%(moment)s, the clock started") % {"moment": words.moment(began, zone, now, "short")}


# What the package promises


def targets(promises: Mapping[tuple[str, int], Promise], kind: str) -> list[tuple[str, str]]:
    """What is promised for each effect, equal times drawn together: [("30 минут", "если система не работает"), …].

    The last group, if it is not the only one, is "in all other cases". Empty where the package promises nothing.
    """
    by_priority = [(priority, promises[kind, priority]) for priority in (1, 2, 3, 4) if (kind, priority) in promises]
    groups: list[tuple[str, list[int]]] = []
    for priority, promise in by_priority:
        told = words.target_long(promise.amount, promise.unit)
        if groups and groups[-1][0] == told:
            groups[-1][1].append(priority)
        else:
            groups.append((told, [priority]))
    if len(groups) == 1:
        return [(groups[0][0], _("in every case"))]
    return [
        (told, _("in all other cases") if len(members) > 1 and members[-1] == 4 else effect(members[0]))
        for told, members in groups
    ]


@dataclass(frozen=True, slots=True)
class Offer:
    """What a choice of the new request would be promised; "" where nothing is."""

    priority: int
    reply: str
    solution: str


def offer(times: PromisedTimes, *, now: datetime, zone: tzinfo) -> Offer:
    """The promised times of one choice before it is sent: "ответим до 15:58", "решим до пт 20 ноя, 15:28"."""
    reply = solution = ""
    if times.reaction_due is not None:
        reply = _("we reply by %(moment)s") % {"moment": dated(times.reaction_due, zone, now)}
    if times.resolution_due is not None:
        solution = _("we solve it by %(moment)s") % {"moment": dated(times.resolution_due, zone, now)}
    return Offer(times.priority, reply, solution)


def dated(at: datetime, zone: tzinfo, now: datetime) -> str:
    """A coming moment in short, never without its date unless it is today: "15:58", "пт 20 ноя, 15:28"."""
    time = words.moment(at, zone, now, "time")
    if at.astimezone(zone).date() == now.astimezone(zone).date():
        return time
    return f"{words.moment(at, zone, now, 'day')}, {time}"


def moscow_clock(at: datetime, zone: tzinfo) -> str:
    """The same moment on Moscow's clocks, "12:10" or "ср 23:10"; "" where the reader's clocks agree with them."""
    there, moscow = at.astimezone(zone), at.astimezone(words.MOSCOW)
    if there.utcoffset() == moscow.utcoffset():
        return ""
    clock = words.moment(moscow, words.MOSCOW, moscow, "time")
    if moscow.date() != there.date():
        return f"{words.WEEKDAYS[language()][moscow.weekday()]} {clock}"
    return clock


def days_left(ends_on, today) -> str:
    """How long a contract still runs, both days counted: "осталось 133 дня"."""
    days = (ends_on - today).days + 1
    return npgettext("contract", "%(count)d day left", "%(count)d days left", days) % {"count": days}


def rounded_up(length: timedelta) -> timedelta:
    return -(-length // words.MINUTE) * words.MINUTE
