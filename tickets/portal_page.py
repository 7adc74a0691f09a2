"""What the portal's pages show: the company and its support, rows of requests, and the way of one request.

Reads only; `now` is the one moment at which the page is drawn, `zone` the reader's. Everything here is fit for a
customer's eyes: internal notes, the desk's own clocks and internal states never come out of it (direction §16).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Role, User
from contracts import entitlement
from contracts.entitlement import CONTRACT_ZONE, NotCovered
from contracts.models import (
    Contract,
    Customer,
    CustomerMember,
    Licence,
    PromiseKind,
    ReleaseNotice,
    TicketKind,
    Topic,
)
from sla import words
from sla.models import Commitment, DeadlineProposal, Escalation
from sla.promises import promised_times, promises_of
from tickets import event_words, promise_words, routing, timeline
from tickets.models import Event, HeldRequest, Message, State, Ticket, TicketQuerySet

PHONE = "phone"  # codes of the catalogue (domain §1.2, §3.5)
PORTAL = "portal"


@dataclass(frozen=True, slots=True)
class Company:
    """The reader's company now: its responsible contact, whether the reader is that person, its contract in force."""

    customer: Customer
    contact: User | None
    may_write: bool
    contract: Contract | None
    no_contract: NotCovered | None


def company_of(user: User, *, now: datetime) -> Company | None:
    """The company of a customer's person; None for somebody who belongs to none."""
    member = CustomerMember.objects.select_related("customer__csm").filter(user=user).first()
    if member is None:
        return None
    contact = member.customer.contact_at(now)
    contract, missing = None, None
    try:
        contract = entitlement.contract_of(member.customer, at=now)
    except NotCovered as refusal:
        missing = refusal
    return Company(member.customer, contact, contact is not None and contact.pk == user.pk, contract, missing)


@dataclass(frozen=True, slots=True)
class Support:
    """The company's support in words: hours, promises, contract, people. Times are in the reader's zone."""

    package: str
    code: str
    contract: Contract
    hours: str
    moscow_hours: str
    open_now: bool
    open_words: str
    reaction: list[tuple[str, str]]
    resolution: list[tuple[str, str]]
    ends: str
    left: str
    phone: str
    phone_open: bool
    online: bool
    csm: User | None
    priority_mgmt: bool
    clauses: list[str]


def support_of(company: Company, *, now: datetime, zone: tzinfo) -> Support | None:
    """The support that the contract in force gives; None where there is none."""
    contract = company.contract
    if contract is None:
        return None
    version = contract.terms.calendar.version_at(now)
    promises = promises_of(contract.terms, contract, at=now)
    services = entitlement.services_of(contract, at=now)
    open_now = version.working_calendar().is_open(now)
    here = promise_words.hours(version, zone=zone, now=now)
    moscow = promise_words.hours(version, zone=words.MOSCOW, now=now)
    return Support(
        package=contract.terms.package.name,
        code=contract.terms.package.code,
        contract=contract,
        hours=here,
        moscow_hours=moscow if moscow != here else "",
        open_now=open_now,
        open_words=_open_words(version, open_now, now, zone),
        reaction=promise_words.targets(promises, PromiseKind.REACTION),
        resolution=promise_words.targets(promises, PromiseKind.RESOLUTION),
        ends=day_words(contract.ends_on, now),
        left=promise_words.days_left(contract.ends_on, now.astimezone(CONTRACT_ZONE).date()),
        phone=settings.SUPPORT_PHONE if "online" in services else "",
        phone_open="online" in services and open_now,
        online="online" in services,
        csm=company.customer.csm if "csm" in services else None,
        priority_mgmt="priority_mgmt" in services,
        clauses=[clause.text for clause in contract.clauses.in_force(now)],
    )


def _open_words(version, open_now: bool, now: datetime, zone: tzinfo) -> str:
    if version.is_round_the_clock:
        return _("We answer now.")
    calendar = version.working_calendar()
    if open_now:
        return _("We answer now, until %(time)s.") % {"time": words.moment(calendar.closing(now), zone, now, "time")}
    opens = promise_words.dated(calendar.next_opening(now), zone, now)
    return _("Closed now, we open at %(moment)s. What you send now is counted from then.") % {"moment": opens}


def day_words(day: date, now: datetime) -> str:
    """A day that has no time zone: "31 марта 2027"."""
    names = words.MONTHS_LONG[promise_words.language()]
    return f"{day.day} {names[day.month - 1]} {day.year}"


def read_only_words(company: Company) -> str:
    """Why an observer sees no controls (domain §1.7.1, §2)."""
    if company.contact is None:
        return _("Your company has no responsible contact now: ask our contract administrator to name one.")
    return _(
        "The responsible contact of your company, %(name)s, files requests and replies. You can read everything."
    ) % {"name": company.contact.full_name}


LETTERS_SHOWN = 20


def waiting_letters(user: User, *, may_decide: bool) -> list[HeldRequest]:
    """Colleagues' letters that wait for the contact, oldest first; to a colleague only their own (domain §1.7.1)."""
    letters = HeldRequest.objects.for_contact().filter(customer__members__user=user)
    letters = letters if may_decide else letters.filter(sender=user)
    return list(
        letters.select_related("sender", "about")
        .prefetch_related("files")
        .order_by("received_at", "pk")[:LETTERS_SHOWN]
    )


def waiting_proposals(tickets: TicketQuerySet, *, now: datetime, zone: tzinfo) -> list[tuple[DeadlineProposal, str]]:
    """Deadlines that support proposes in these requests and that wait for the customer, each with its date."""
    waiting = DeadlineProposal.objects.open().filter(ticket__in=tickets, side=DeadlineProposal.Side.VENDOR)
    rows = waiting.select_related("ticket").order_by("pk")[:LETTERS_SHOWN]
    return [(row, words.both_zones(row.due_at, zone, now, "date")) for row in rows]


# Lists


@dataclass(frozen=True, slots=True)
class Row:
    """A request in a list: where it stands and what is promised."""

    ticket: Ticket
    told: promise_words.Told
    said: str
    status: str
    where: str


def with_calls(tickets: TicketQuerySet) -> TicketQuerySet:
    """The requests of a list with everything that their rows show, in a constant number of statements."""
    return tickets.with_clocks().prefetch_related(
        Prefetch(
            "escalations",
            queryset=Escalation.objects.open().filter(whom__in=timeline.SHOWN_TO_CUSTOMERS),
            to_attr="calls",
        )
    )


def rows(tickets: Iterable[Ticket], *, now: datetime, zone: tzinfo) -> list[Row]:
    """The requests as rows: what is promised, or for the ended ones, whose state is told already, when they ended."""
    found = []
    for ticket in tickets:
        told = promise_words.tell(ticket, now=now, zone=zone)
        said = told.sentence
        if ticket.state in {State.CLOSED, State.DECLINED}:
            said = words.moment(ticket.closed_at or ticket.changed_at, zone, now, "date")
        found.append(Row(ticket, told, said, promise_words.status(ticket), where_words(ticket)))
    return found


def where_words(ticket: Ticket) -> str:
    """Which line works on it, and whether somebody above the line knows."""
    if not ticket.is_open:
        return ""
    line = line_words(ticket.line.name)
    if ticket.calls:  # type: ignore[attr-defined]
        return _("%(line)s and the management of support") % {"line": line[0].lower() + line[1:]}
    return line[0].lower() + line[1:]


def line_words(name: str) -> str:
    return pgettext("line of support", "%(name)s line") % {"name": name}


def last_questions(tickets: Sequence[Ticket]) -> dict[int, Message]:
    """What we asked last in each of these requests, by the ticket's primary key."""
    messages = Message.objects.filter(ticket__in=tickets, by_vendor=True, kind=Message.Kind.PUBLIC)
    messages = messages.order_by("ticket_id", "-created_at", "-pk").distinct("ticket_id").select_related("author")
    return {message.ticket_id: message for message in messages}


# The new request


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer to the question of impact, with what is promised, also where there is no other way (§1.6)."""

    value: str
    label: str
    hint: str
    offer: promise_words.Offer
    worse: promise_words.Offer | None


def choices_of(contract: Contract, *, now: datetime, zone: tzinfo) -> list[Choice]:
    """What each effect would be promised if it were sent at `now`; counted anew each time the page is drawn."""
    offers = {
        times.priority: promise_words.offer(times, now=now, zone=zone)
        for times in promised_times(contract, at=now, kind=TicketKind.INCIDENT)
    }
    other_way = _("There is another way to do it")
    return [
        Choice("1", _("The system does not work at all"), "", offers[1], None),
        Choice("2", _("Main functions do not work"), other_way, offers[2], offers[1]),
        Choice("3", _("Auxiliary functions do not work"), other_way, offers[3], offers[2]),
        Choice("4", _("It does not get in the way of the work"), _("A misprint, an inconvenience"), offers[4], None),
    ]


def question_offer(contract: Contract, *, now: datetime, zone: tzinfo) -> promise_words.Offer:
    """What a question, a service request or a wish is promised: an answer, never a solution (domain §3.4)."""
    (times,) = promised_times(contract, at=now, kind=TicketKind.CONSULTATION, priorities=(4,))
    return promise_words.offer(times, now=now, zone=zone)


def topics_of(contract: Contract, *, at: datetime) -> list[tuple[Topic, str]]:
    """Every topic with the reason why it is not included, "" for the included: all can be seen and chosen."""
    return entitlement.reasons(contract, Topic.objects.select_related("service"), at=at)


def licences_of(customer: Customer, *, now: datetime) -> list[Licence]:
    """What the company uses now, one row for each product and release."""
    day = now.astimezone(CONTRACT_ZONE).date()
    found: dict[tuple[int, int | None], Licence] = {}
    for licence in Licence.objects.in_force(day).filter(customer=customer).select_related("product", "release"):
        found.setdefault((licence.product_id, licence.release_id), licence)
    return list(found.values())


# One request


@dataclass(frozen=True, slots=True)
class Point:
    """A stop of the way of a request: done, pause, now or next."""

    place: str
    when: str
    what: str
    more: str = ""
    link: str = ""


@dataclass(slots=True)
class Talk:
    """The conversation: the older part folded, the newer shown."""

    older: list[Message] = field(default_factory=list)
    newer: list[Message] = field(default_factory=list)


UNFOLDED = 5
ENDS_A_QUESTION = frozenset(
    {"customer_replied", "stopped_waiting", "restored", "restore_contested", "resolved", "reopened", "withdrawn"}
)


def talk_of(ticket: Ticket, user: User) -> Talk:
    """What was said in public, oldest first; all but the last five is folded."""
    messages = list(ticket.messages.visible_to(user).select_related("author").prefetch_related("attachments"))
    return Talk(messages[:-UNFOLDED], messages[-UNFOLDED:])


@dataclass(frozen=True, slots=True)
class Call:
    """A call to the management made by the customer: whom, why, and by when they answer, or when they did."""

    escalation: Escalation
    whom: str
    due: str
    answered: str


def calls_of(escalations: Iterable[Escalation], *, now: datetime, zone: tzinfo) -> list[Call]:
    """The customer's own calls, newest first; a low rating's follow-up is not one of them (it has no answer clock)."""
    return [
        Call(
            row,
            whom_words(row),
            promise_words.dated(row.answer_clock.due_at, zone, now) if row.answer_clock else "",
            words.moment(row.closed_at, zone, now, "date") if row.closed_at else "",
        )
        for row in escalations
        if row.raised_by_id is not None and row.raised_by.role == Role.CUSTOMER and row.answer_clock_id  # type: ignore[union-attr]
    ]


def whom_words(escalation: Escalation) -> str:
    """Who was called in, by name where it is one person."""
    if escalation.person is None:
        return event_words.whom(escalation.whom)
    return person_words(escalation.person)


def person_words(person: User) -> str:
    """ "Ольга Белова, Customer Success Manager"."""
    return f"{person.full_name}, {person.get_role_display()}"


def escalations_of(ticket: Ticket) -> list[Escalation]:
    return list(
        ticket.escalations.select_related("person", "raised_by", "answer_clock", "closed_by").order_by(
            "-reached_at", "-pk"
        )
    )


def open_calls(escalations: Iterable[Escalation]) -> list[Escalation]:
    """Those of the calls that wait for an answer and that a customer is told of."""
    return [
        row for row in escalations if row.state != Escalation.State.CLOSED and row.whom in timeline.SHOWN_TO_CUSTOMERS
    ]


def way_of(
    ticket: Ticket,
    events: Sequence[Event],
    escalations: Sequence[Escalation],
    *,
    now: datetime,
    zone: tzinfo,
) -> list[Point]:
    """What happened, what happens now, and the promised stops ahead, oldest first."""
    points = _past(ticket, events, escalations, now, zone, publications_for(ticket, events))
    points += _present(ticket)
    return points + _ahead(ticket, escalations, now, zone)


def publications_for(ticket: Ticket, events: Iterable[Event]) -> set[int]:
    """Which of the releases that these events speak of are the company's own to read; asks only where one does."""
    spoken = {event.details.get("publication") for event in events if event.verb == "defect_released"} - {None}
    if not spoken:
        return set()
    own = ReleaseNotice.objects.filter(customer=ticket.customer_id, publication__in=spoken)
    return set(own.values_list("publication", flat=True))


def _past(
    ticket: Ticket,
    events: Sequence[Event],
    escalations: Sequence[Escalation],
    now: datetime,
    zone: tzinfo,
    publications: Collection[int],
) -> list[Point]:
    reaction = next(
        (
            clock
            for clock in promise_words.customer_clocks(ticket)
            if clock.kind == PromiseKind.REACTION and clock.stopped_at and clock.ending in {"met", "missed"}
        ),
        None,
    )
    first_answer = False
    points = []
    called: set[str] = set()
    for step in timeline.customer_steps(events, escalations, publications=publications):
        if step.verb == "called_in":
            if step.what in called:
                continue  # two promises may call in the same person: once is told
            called.add(step.what)
        when, what, more, place = words.moment(step.at, zone, now, "date"), step.what, step.more, "done"
        if step.verb == "asked_customer":
            ended = next((event.at for event in events if event.at > step.at and event.verb in ENDS_A_QUESTION), None)
            if ended is None:
                continue  # it is what happens now
            place, what = "pause", _("Paused: we waited for your answer")
            when = f"{when} – {promise_words.date_told(ended, zone, now, step.at)}"
        if reaction is not None and not first_answer and step.at == reaction.stopped_at:
            first_answer = True
            more = " · ".join(part for part in (more, first_answer_words(reaction)) if part)
        link = reverse("releases:release", args=[step.publication]) if step.publication else ""
        points.append(Point(place, when, what, more, link))
        if step.verb == "opened" and reaction is not None and reaction.stopped_at is not None:
            apart = all(event.at != reaction.stopped_at or event.verb in timeline.SAID for event in events)
            if apart:
                first_answer = True
                at = words.moment(reaction.stopped_at, zone, now, "date")
                points.append(Point("done", at, _("First answer"), first_answer_words(reaction)))
    return points


def first_answer_words(reaction: Commitment) -> str:
    """ "за 37 минут, обещали за 2 часа": in the clock's own working time."""
    assert reaction.stopped_at is not None
    took = reaction.calendar.between(reaction.started_at, reaction.stopped_at)
    day = promise_words.working_day_of(reaction)
    return _("answered in %(span)s, promised within %(target)s") % {
        "span": words.span(max(promise_words.rounded_up(took), words.MINUTE), day),
        "target": words.target_long(reaction.amount, reaction.unit),
    }


def _present(ticket: Ticket) -> list[Point]:
    now_words = pgettext("timeline", "now")
    line = line_words(ticket.line.name)
    if ticket.state == State.NEW:
        unanswered = any(clock.kind == PromiseKind.REACTION and clock.is_running for clock in ticket.clocks)
        what = _("Waits for the first answer") if unanswered else _("Waits for an engineer")
        return [Point("now", now_words, what, line)]
    if ticket.state == State.IN_PROGRESS:
        who = ticket.assignee.full_name if ticket.assignee else _("being taken over")
        return [Point("now", now_words, _("%(line)s works on it") % {"line": line}, who)]
    if ticket.state == State.AWAITING_CUSTOMER:
        stands = _("the solution clock is on hold") if ticket.due_at else ""
        return [Point("now", now_words, _("We are waiting for your answer"), stands)]
    if ticket.state == State.RESOLVED:
        return [Point("now", now_words, _("Waits for your check"), _("confirm it, or write what is wrong"))]
    return []


def _ahead(ticket: Ticket, escalations: Sequence[Escalation], now: datetime, zone: tzinfo) -> list[Point]:
    stops: list[tuple[datetime, Point]] = []
    for clock in promise_words.customer_clocks(ticket):
        if not clock.is_running or clock.paused_at is not None or promise_words.is_late(clock, now):
            continue
        what = _("First answer") if clock.kind == PromiseKind.REACTION else _("Solution")
        stops.append((clock.due_at, _stop(clock.due_at, what, now, zone)))
    for row in escalations:
        answer = row.answer_clock
        if answer is not None and answer.is_running and answer.due_at > now:
            stops.append((answer.due_at, _stop(answer.due_at, _("Answer of the management"), now, zone)))
    points = [point for _at, point in sorted(stops, key=lambda stop: stop[0])]
    if ticket.is_open:
        points.append(Point("next", _("after the solution"), _("Your rating")))
    return points


def _stop(due: datetime, what: str, now: datetime, zone: tzinfo) -> Point:
    moscow = promise_words.moscow_clock(due, zone)
    more = _("%(clock)s Moscow time") % {"clock": moscow} if moscow else ""
    when = pgettext("deadline", "by %(moment)s") % {"moment": promise_words.dated(due, zone, now)}
    return Point("next", when, what, more)


# Escalation


@dataclass(frozen=True, slots=True)
class Callee:
    """Whom the customer may call in: the value, the words, and who that is."""

    value: str
    label: str
    hint: str


def callees_of(ticket: Ticket) -> list[Callee]:
    """The CSM, or the support manager who stands in, and top management (domain §4.4)."""
    person = routing.person_for(ticket, "csm")
    if person is not None and person.role == Role.CSM:
        first = Callee("csm", _("Your Customer Success Manager"), person.full_name)
    else:
        name = person.full_name if person else ""
        first = Callee(
            "csm",
            _("The support manager"),
            _("%(name)s. Your package has no Customer Success Manager of its own, the support manager stands in.")
            % {"name": name}
            if name
            else _("Your package has no Customer Success Manager of its own, the support manager stands in."),
        )
    top = routing.person_for(ticket, "top_management")
    return [first, Callee("top_management", _("Top management"), top.full_name if top else "")]


def answer_due(ticket: Ticket, *, now: datetime, zone: tzinfo) -> str:
    """By when a call made now would be answered, with Moscow time second; "" where the terms promise none."""
    promise = promises_of(ticket.terms, ticket.contract, at=ticket.opened_at).get(
        (PromiseKind.ESCALATION_ANSWER, ticket.priority)
    )
    if promise is None:
        return ""
    calendar = promise.calendar.version_at(ticket.opened_at).working_calendar()
    return words.both_zones(calendar.add(now, promise.target), zone, now)
