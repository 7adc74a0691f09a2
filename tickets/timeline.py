"""What happened to a ticket, in words, and its way through the lines. Pure over rows that were fetched already.

One set of words for the desk, which names people, rungs and clocks, and one for customers, which names what it means
for them and never an internal state (direction §16). Fetch events with `by`, hand-overs with `by`, escalations with
`person`; nothing here asks the database or the clock.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Line, User
from contracts.models import TicketKind
from contracts.price_words import day_words
from sla import words
from sla.clocks import CUSTOMER_PROMISES
from sla.models import Escalation, Whom
from tickets import choosing
from tickets.durations import spent_words
from tickets.models import Event, HandOver, Message, Ticket, link_words

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


def to_line(number: int) -> str:
    """«на вторую линию»: where a request goes."""
    return {
        1: _("to the first line"),
        2: _("to the second line"),
        3: _("to the third line"),
        4: _("to the fourth line"),
    }[number]


def whom(code: str) -> str:
    """Whom an escalation calls in, as the label of the role."""
    return str(Whom(code).label) if code in Whom.values else code


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


# The desk's words


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
    """An event in an engineer's words. An unknown verb is shown by its name rather than hidden."""
    what, more = _desk_words(event.verb, event.details, event.by)
    if event.verb == "assigned":
        more = why_assigned(event)
    return Step(event.verb, event.at, event.by, what, more)


def why_assigned(event: Event) -> str:
    """Why this person, in one line; "" where a person chose without being offered anybody."""
    away, why = _text(event.details.get("away")), event.details.get("why")
    said = [_("%(name)s is away") % {"name": away}] if away else []
    return "; ".join([*said, *(choosing.reasons(why, at=event.at) if why else [])])


def _desk_words(verb: str, details: dict, by: User | None) -> tuple[str, str]:
    who = {"name": by.short_name if by else _("the system")}
    change = {"from": details.get("from", ""), "to": details.get("to", "")}
    reason = _text(details.get("reason"))
    if verb == "opened":
        entered = {**who, "line": details.get("line", ""), "priority": details.get("priority", "")}
        if details.get("call"):
            return _("%(name)s spoke with the customer and wrote it down, line %(line)s, priority %(priority)s") % (
                entered
            ), ""
        return _("received, line %(line)s, priority %(priority)s") % entered, ""
    if verb == "accepted":
        return _("taken by %(name)s") % who, ""
    if verb == "assigned":
        by_itself = _("chosen by the system: %(to)s") if details.get("automatic") else _("assigned to %(to)s")
        return by_itself % change, ""
    if verb == "assignment_undone":
        return (_("assignment taken back: %(to)s") if change["to"] else _("assignment taken back: nobody")) % change, ""
    if verb == "asked_customer":
        return _("asked the customer, waiting for the answer"), ""
    if verb == "stopped_waiting":
        return _("not waiting for the answer any more"), ""
    if verb == "handed_over":
        return _("line %(from)s → %(to)s") % change, _bounces(details)
    if verb == "returned":
        return _("returned, line %(from)s → %(to)s") % change, reason
    if verb == "defect_attached":
        return _("defect attached"), _text(details.get("title"))
    if verb == "defect_released":
        return _("the fix of the defect is out: %(release)s") % {"release": details.get("release", "")}, ""
    if verb == "major_declared":
        return _("declared a major incident by %(name)s") % who, _text(details.get("title"))
    if verb == "major_linked":
        return _("linked to a major incident"), _text(details.get("title"))
    if verb == "major_left":
        return _("taken out of the major incident"), _text(details.get("title"))
    if verb == "restored":
        return _("service restored, priority %(from)s → %(to)s") % change, _text(details.get("workaround"))
    if verb == "restore_contested":
        return _("the customer says service is not back, priority %(from)s → %(to)s") % change + _void(
            details, words.MOSCOW
        ), reason
    if verb == "reclassified":
        return _reclassified(details), reason
    if verb in DEADLINES:
        return _deadline(verb, details, words.MOSCOW)
    if verb == "terms_applied":
        what = _("terms of the package from %(day)s applied") % {"day": _day(details.get("to"))}
        return "; ".join([what, *_terms_moved(details, words.MOSCOW)]), reason
    if verb == "calendar_applied":
        return "; ".join([_("counted by the changed calendar"), *_terms_moved(details, words.MOSCOW)]), reason
    if verb == "priority_set":
        return _("the customer set priority %(from)s → %(to)s") % change + _void(details, words.MOSCOW), reason
    if verb == "priority_proposed":
        return _("the customer asks for priority %(to)s") % change, reason
    if verb == "resolved":
        return _("solved by %(name)s") % who, ""
    if verb == "reopened":
        return _("in work again"), ""
    if verb == "contact_changed":
        return _("responsible contact: %(from)s → %(to)s") % change, reason
    if verb in RELATIONS:
        return _related(verb, details)
    if verb == "confirmed":
        return _("the customer confirmed the solution: closed"), ""
    if verb == "closed_silent":
        return _("closed after five working days of silence"), ""
    if verb == "withdrawn":
        return _("withdrawn by the customer"), ""
    if verb == "declined":
        return _("declined: outside support (§%(clause)s)") % {"clause": details.get("clause", "1.7.2")}, ""
    if verb == "contested":
        return _("the customer contests the decline"), ""
    if verb == "escalated":
        return _("the customer called in: %(whom)s") % {"whom": whom(_text(details.get("whom")))}, reason
    if verb == "acknowledged":
        return _("%(name)s has the escalation") % who, ""
    if verb == "escalation_answered":
        return _("%(name)s answered the escalation") % who, ""
    if verb == "undelivered":
        told = _("the letter “%(subject)s” did not reach %(address)s") % {
            "subject": _text(details.get("subject")),
            "address": _text(details.get("address")),
        }
        return told, _text(details.get("said"))
    if verb == "rated":
        return _("rated %(score)s of 5") % {"score": details.get("score", "")}, _text(details.get("comment"))
    return verb, reason


def _bounces(details: dict) -> str:
    times = details.get("bounces") or 0
    return ngettext("came back %(count)d time", "came back %(count)d times", times) % {"count": times} if times else ""


def _reclassified(details: dict) -> str:
    parts = []
    if details.get("from") != details.get("to"):
        parts.append(_("priority %(from)s → %(to)s") % {"from": details.get("from"), "to": details.get("to")})
    if details.get("kind_to") in TicketKind.values:
        parts.append(_("now: %(kind)s") % {"kind": TicketKind(details["kind_to"]).label})
    return (", ".join(parts) or _("classified anew")) + _void(details, words.MOSCOW)


# Individually agreed deadlines (domain §4.2): the same words for both sides, each in its own zone.
DEADLINES = frozenset(
    {"deadline_proposed", "deadline_agreed", "deadline_refused", "deadline_withdrawn", "deadline_lapsed"}
)


def _deadline(verb: str, details: dict, zone: tzinfo) -> tuple[str, str]:
    change = {
        "name": _text(details.get("proposed_by")),
        "other": _text(details.get("answered_by")),
        "from": _moment(details.get("from"), zone),
        "to": _moment(details.get("to"), zone),
    }
    if verb == "deadline_proposed":
        return _("%(name)s proposed another deadline: %(from)s → %(to)s") % change, _text(details.get("reason"))
    if verb == "deadline_agreed":
        what = _("another deadline agreed, %(from)s → %(to)s: proposed by %(name)s, accepted by %(other)s") % change
        if details.get("missed"):
            what += "; " + _("the deadline before had been missed and stays so")
        return what + _by_letter(details), _text(details.get("reason"))
    if verb == "deadline_refused":
        what = _("%(other)s did not agree to the deadline %(to)s") % change
        return what + _by_letter(details), _text(details.get("words"))
    if verb == "deadline_withdrawn":
        return _("%(other)s withdrew the proposed deadline %(to)s") % change, ""
    if details.get("why") == "passed":
        return _("nobody answered the proposed deadline %(to)s in time: it lapsed") % change, ""
    return _("the proposed deadline %(to)s lapsed with the promise that it was for") % change, ""


def _by_letter(details: dict) -> str:
    return "; " + _("signed by the link of the letter") if details.get("by_letter") else ""


# Links, merging, time spent: the desk's own, but that two requests became one.
RELATIONS = frozenset({"linked", "unlinked", "merged", "merged_in", "time_logged", "time_corrected"})


def _related(verb: str, details: dict) -> tuple[str, str]:
    number = {"number": details.get("number", "")}
    if verb in {"linked", "unlinked"}:
        said = link_words(details["kind"], is_source=details["source"]) if details.get("kind") else ""
        what = _("link: %(kind)s № %(number)s") if verb == "linked" else _("no longer linked: %(kind)s № %(number)s")
        return what % {**number, "kind": said}, ""
    if verb == "merged":
        return _("merged into № %(number)s: the conversation goes on there") % number, ""
    if verb == "merged_in":
        what = _("№ %(number)s merged into this request") % number
        for one in details.get("promises", ()):
            what += "; " + _("%(promise)s: %(from)s → %(to)s") % {
                "promise": words.promise(one["kind"]),
                "from": _moment(one["from"], words.MOSCOW),
                "to": _moment(one["to"], words.MOSCOW),
            }
        return what, _text(details.get("subject"))
    if verb == "time_logged":
        return _("time spent: %(time)s") % {"time": spent_words(details.get("minutes", 0))}, _text(details.get("note"))
    change = {"whose": details.get("whose", ""), "from": details.get("from", 0), "to": details.get("to", 0)}
    change |= {side: spent_words(change[side]) for side in ("from", "to")}
    return _("time of %(whose)s corrected: %(from)s → %(to)s") % change, _text(details.get("note"))


def _void(details: dict, zone: tzinfo) -> str:
    """What a change of the priority did to an agreed deadline; "" where there was none."""
    if not details.get("agreed_void"):
        return ""
    return "; " + _("the agreed deadline %(moment)s no longer holds") % {
        "moment": _moment(details["agreed_void"], zone)
    }


def _day(written: object) -> str:
    return day_words(date.fromisoformat(written)) if isinstance(written, str) and written else ""


def _terms_moved(details: dict, zone: tzinfo, only: Collection[str] | None = None) -> list[str]:
    """“reaction Thu 19 Nov, 14:10 → Thu 19 Nov, 12:10” for each deadline that other terms or hours moved (§4)."""
    found = []
    for one in details.get("promises", ()):
        if only is not None and one["kind"] not in only:
            continue
        old, new = (_moment(one[side], zone) for side in ("from", "to"))
        if old != new:
            change = {"promise": words.promise(one["kind"]), "from": old, "to": new}
            found.append(_("%(promise)s: %(from)s → %(to)s") % change)
    return found


def _moment(written: str | None, zone: tzinfo) -> str:
    if not written:
        return _("no deadline")
    at = datetime.fromisoformat(written)
    return words.moment(at, zone, at, "date")


def rung_step(escalation: Escalation) -> Step:
    """A rung of the ladder: who was called in and at how many percent of the promised time."""
    what = _("%(percent)s%% of the time: %(whom)s") % {
        "percent": escalation.percent or 0,
        "whom": whom(escalation.whom),
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


# The customer's words


def customer_steps(events: Sequence[Event], escalations: Iterable[Escalation] = ()) -> list[Step]:
    """What the customer is told outside the messages, oldest first; what is the desk's own is left out."""
    own = {event.details.get("escalation") for event in events if event.verb == "escalated"}
    steps = []
    for event in events:
        if event.verb in {"acknowledged", "escalation_answered"} and event.details.get("escalation") not in own:
            continue
        step = customer_step(event)
        if step is not None:
            steps.append(step)
    steps += [
        Step("called_in", row.reached_at, None, _("We called in: %(whom)s") % {"whom": whom(row.whom)})
        for row in escalations
        if row.raised_by_id is None and row.whom in SHOWN_TO_CUSTOMERS
    ]
    return sorted(steps, key=lambda step: step.at)


def customer_step(event: Event) -> Step | None:
    """An event in words for the customer; None for what is none of theirs (notes, assignments, line alarms)."""
    words = _customer_words(event.verb, event.details, event.by)
    return Step(event.verb, event.at, event.by, *words) if words is not None else None


def _customer_words(verb: str, details: dict, by: User | None) -> tuple[str, str] | None:
    zone = timezone.get_current_timezone()
    who = {"name": by.full_name if by else ""}
    change = {"from": details.get("from", ""), "to": details.get("to", "")}
    reason = _text(details.get("reason"))
    if verb == "opened":
        return _("%(name)s spoke with you and wrote it down") % who if details.get("call") else _("Received"), ""
    if verb == "accepted":
        return _("In the hands of %(name)s") % who, ""
    if verb == "asked_customer":
        return _("We are waiting for your answer"), ""
    if verb == "stopped_waiting":
        return _("We go on without waiting"), ""
    if verb in {"handed_over", "returned"} and details.get("to") in {1, 2, 3, 4}:
        line = to_line(details["to"])
        return (_("Passed %(line)s") if verb == "handed_over" else _("Given back %(line)s")) % {"line": line}, ""
    if verb == "defect_attached":
        return _("Recorded as a defect of the product"), ""
    if verb == "defect_released":
        return _("The defect is fixed in %(release)s") % {"release": details.get("release", "")}, ""
    if verb == "restored":
        return _("Service is back, priority %(from)s → %(to)s") % change, ""
    if verb == "restore_contested":
        return _("You wrote that service is not back: priority %(to)s again") % change + _void(details, zone), ""
    if verb == "reclassified" and (details.get("from") != details.get("to") or details.get("agreed_void")):
        moved = details.get("from") != details.get("to")
        what = _("Priority %(from)s → %(to)s") % change if moved else _("Classified anew")
        return what + _void(details, zone), ""
    if verb in DEADLINES:
        what, more = _deadline(verb, details, zone)
        return what[:1].upper() + what[1:], more
    if verb == "terms_applied":
        moved = _terms_moved(details, timezone.get_current_timezone())
        return ("; ".join([_("The promised times are counted by other terms"), *moved]), reason) if moved else None
    if verb == "calendar_applied":
        moved = _terms_moved(details, timezone.get_current_timezone(), only=CUSTOMER_PROMISES)
        return ("; ".join([_("The promised times are counted by other hours"), *moved]), reason) if moved else None
    if verb == "priority_set":
        return _("You set priority %(from)s → %(to)s") % change + _void(details, zone), reason
    if verb == "priority_proposed":
        return _("You asked for priority %(to)s: an engineer decides") % change, reason
    if verb == "resolved":
        return _("Solved"), ""
    if verb == "reopened":
        return _("In work again"), ""
    if verb == "contact_changed":
        return _("%(to)s speaks for your company from now on") % change, ""
    if verb == "merged":
        return _("Merged into № %(number)s") % {"number": details.get("number", "")}, ""
    if verb == "merged_in":
        return _("№ %(number)s was merged into this request") % {"number": details.get("number", "")}, ""
    if verb == "confirmed":
        return _("You confirmed the solution"), ""
    if verb == "closed_silent":
        return _("Closed: nothing was heard for five working days"), ""
    if verb == "withdrawn":
        return _("You withdrew the request"), ""
    if verb == "declined":
        return _("Outside support"), ""
    if verb == "contested":
        return _("You contested that: in work again"), ""
    if verb == "escalated":
        return _("You called in: %(whom)s") % {"whom": whom(_text(details.get("whom")))}, reason
    if verb == "acknowledged":
        return _("%(name)s looks into your escalation") % who, ""
    if verb == "escalation_answered":
        return _("%(name)s answered your escalation") % who, ""
    if verb == "rated":
        return _("You rated the work %(score)s of 5") % {"score": details.get("score", "")}, _text(
            details.get("comment")
        )
    return None


# The conversation: messages, hand-over cards, and what happened between them folded in one line


@dataclass(slots=True)
class Entry:
    """One piece of the conversation: a message, a hand-over's card, or the steps between two of them."""

    at: datetime
    message: Message | None = None
    hand_over: HandOver | None = None
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
    rows += [(passed.at, 1, Entry(passed.at, hand_over=passed)) for passed in hand_overs]
    rows += [(step.at, 2, Entry(step.at, steps=[step])) for step in steps]
    entries: list[Entry] = []
    for _at, _order, entry in sorted(rows, key=lambda row: row[:2]):
        is_quiet = bool(entry.steps) and not entry.is_loud
        if is_quiet and entries and entries[-1].steps and not entries[-1].is_loud:
            entries[-1].steps.extend(entry.steps)
        else:
            entries.append(entry)
    return entries


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
    back_from: int | None = None  # the line that gave it back to here, the last time it came

    @property
    def is_now(self) -> bool:
        return self.place == "now"


def route(
    ticket: Ticket, lines: Iterable[Line], hand_overs: Sequence[HandOver], events: Iterable[Event] = ()
) -> list[Stop]:
    """The stops of all lines, 1 to 4, with when the ticket was there and who had it (domain §3.3).

    A finished ticket stands nowhere: its last line is done too.
    """
    stops = {line.pk: Stop(line.pk, line.name, "next") for line in lines}
    taken = [event for event in events if event.verb == "accepted" and event.by is not None]
    passages = sorted(hand_overs, key=lambda passed: (passed.at, passed.pk))
    visits: list[tuple[int, datetime, datetime | None, User | None]] = []
    number, since = (passages[0].from_line_id if passages else ticket.line_id), ticket.opened_at
    for passed in passages:
        visits.append((number, since, passed.at, passed.by))
        number, since = passed.to_line_id, passed.at
    given_back = {(passed.to_line_id, passed.returned_at) for passed in passages if passed.returned_at is not None}
    for passed in passages:
        came_back = (passed.from_line_id, passed.at) in given_back
        stops[passed.to_line_id].back_from = passed.from_line_id if came_back else None
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
    return max(0, sum({passed.from_line_id, passed.to_line_id} == between for passed in hand_overs) - 1)
