"""What may be done with a ticket. The one gate: portal, desk, API, mail and jobs call these verbs (domain §3).

Each verb takes who (`by`) and when (`at`, aware), locks the ticket's row, makes the move, moves the clocks and writes
the event, in one transaction. A rule that says no raises `NotAllowed` (409) or `Forbidden` (403) with words fit for
the person; nothing is changed then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any

from django.core.files import File
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from accounts.models import DESK_ROLES, Line, Role, User
from accounts.refusals import Forbidden, Refused
from contracts import entitlement, signing
from contracts.models import (
    Channel,
    Customer,
    Product,
    PromiseKind,
    Release,
    ResponsibleContact,
    TicketKind,
    Topic,
)
from sla import clocks
from sla.models import Commitment, Escalation, Whom
from tickets import routing
from tickets.models import (
    Attachment,
    Defect,
    Event,
    HandOver,
    HeldRequest,
    Message,
    Rating,
    State,
    Ticket,
)


class NotAllowed(Refused):
    """A rule of the desk refuses this move, now."""


@dataclass(frozen=True)
class Upload:
    """A file that comes with a message; `content` is open for reading from its start."""

    name: str
    content_type: str
    content: IO[bytes]
    size: int


SILENCE_CLOSES_AFTER = 5  # working days of silence close a resolved ticket (domain §3.2)
LOW_RATING = 2  # 1 or 2 opens a follow-up for the CSM (domain §4.4)
RATING_MAY_CHANGE_FOR = timedelta(days=7)
# Not the answer to an escalation: who was called in by the customer still owes it.
ENDS_WITH_THE_TICKET = (PromiseKind.REACTION, PromiseKind.RESOLUTION, PromiseKind.LINE_ACCEPTANCE)


# Gates


def lock(ticket: Ticket) -> Ticket:
    """The ticket's row, locked to the end of the transaction, as it is now.

    `no_key`: the sweep, which holds the clocks that a verb is about to stop, may still write escalations that point at
    the ticket. A full lock made the two wait for each other for ever (PostgreSQL then kills one of them).
    """
    return (
        Ticket.objects.select_for_update(of=("self",), no_key=True)
        .select_related("customer", "terms", "line")
        .get(pk=ticket.pk)
    )


def move(ticket: Ticket, name: str) -> None:
    """Makes one move of the table on the model, or says in words why it cannot be made (domain §3.2)."""
    before = ticket.get_state_display()
    try:
        getattr(ticket, name)()
    except TransitionNotAllowed as error:
        raise NotAllowed(
            _("This request is “%(state)s”: that cannot be done with it any more.") % {"state": before}
            if ticket.state in {State.CLOSED, State.DECLINED}
            else _("This request is “%(state)s”: that cannot be done with it now.") % {"state": before},
            "3.2",
        ) from error


def record(
    ticket: Ticket,
    verb: str,
    *,
    by: User | None,
    at: datetime,
    message: Message | None = None,
    details: Mapping[str, Any] | None = None,
) -> Event:
    """Saves the ticket with its nearest deadline and writes what happened; the last line of every verb."""
    ticket.due_at, ticket.due_kind = clocks.nearest(ticket)
    ticket.clock_paused = ticket.state == State.AWAITING_CUSTOMER
    ticket.changed_at = max(at, ticket.changed_at or at)
    ticket.save()
    return Event.objects.create(ticket=ticket, verb=verb, by=by, at=at, message=message, details=dict(details or {}))


def only_desk(by: User) -> None:
    if by.role not in DESK_ROLES:
        raise Forbidden(_("Only the support desk does this."))


def only_contact(ticket: Ticket, by: User, at: datetime) -> None:
    """The responsible contact speaks for the customer; colleagues observe (domain §1.7.1, §2)."""
    contact = ticket.customer.contact_at(at)
    if contact is None or contact.pk != by.pk:
        name = contact.full_name if contact else "—"
        raise Forbidden(
            _("Only the responsible contact of your company (%(name)s) does this; you can read.") % {"name": name},
            "1.7.1",
        )


def needs_words(text: str, sentence: str, section: str = "") -> str:
    text = (text or "").strip()
    if not text:
        raise NotAllowed(sentence, section)
    return text


def say(
    ticket: Ticket,
    body: str,
    *,
    by: User,
    at: datetime,
    kind: str = Message.Kind.PUBLIC,
    channel: str = "portal",
    files: Iterable[Upload] = (),
    message_id: str | None = None,
    quoted: str = "",
    key: str | None = None,
) -> Message:
    message = Message.objects.create(
        ticket=ticket,
        author=by,
        by_vendor=by.is_vendor,
        kind=kind,
        body=body,
        quoted=quoted,
        channel_id=channel,
        created_at=at,
        message_id=message_id or None,
        idempotency_key=key or None,
    )
    for upload in files:
        Attachment.objects.create(
            message=message,
            file=File(upload.content, name=upload.name),
            name=upload.name,
            content_type=upload.content_type[:127],
            size=upload.size,
        )
    return message


def said_already(ticket: Ticket, by: User, key: str | None) -> Message | None:
    """The message of an earlier click on the same button: a double click says a thing once."""
    return ticket.messages.filter(author=by, idempotency_key=key).first() if key else None


# Receipt


@transaction.atomic
def open_ticket(
    *,
    customer: Customer,
    by: User,
    subject: str,
    body: str,
    at: datetime,
    channel: str = "portal",
    kind: str | None = None,
    topic: Topic | None = None,
    priority: int | None = None,
    product: Product | None = None,
    release: Release | None = None,
    language: str = "",
    files: Iterable[Upload] = (),
    message_id: str | None = None,
    quoted: str = "",
    follows: Ticket | None = None,
    key: str | None = None,
) -> Ticket:
    """Receives a request: pins it to the contract and terms of this moment and starts its clocks (domain §3, §4).

    `by` is the responsible contact, or one of the desk who writes it down. Written down from a live channel (phone,
    chat, remote connection) it is a logged call: somebody spoke with the customer, so the reaction has ended (§4.1).
    `priority` is the answer to the impact questions (§1.6); consultations and service requests have 4 unless given.
    A repeated `key` returns the first ticket.

    Raises `Forbidden` for anybody else of the company, `entitlement.NotCovered` where the package does not include
    the channel or the topic, or no contract is in force: `hold` records such a request.
    """
    at = at.replace(microsecond=0)
    subject = needs_words(" ".join((subject or "").split()), _("Say in one line what happened."))[:200]
    contact = customer.contact_at(at)
    if by.is_vendor:
        only_desk(by)
    elif contact is None or contact.pk != by.pk:
        raise Forbidden(
            _("Requests are filed by the responsible contact of your company (%(name)s); you can read.")
            % {"name": contact.full_name if contact else "—"},
            "1.7.1",
        )
    if contact is None:
        raise NotAllowed(_("The company has no responsible contact now: name one first."), "1.7.1")
    if key and (earlier := Ticket.objects.filter(idempotency_key=key, contact=contact).first()):
        return earlier
    contract = entitlement.contract_of(customer, at=at)
    entitlement.check(contract, channel=channel, topic=topic, at=at).or_refuse()
    kind = kind or (topic.kind if topic else TicketKind.INCIDENT)
    if priority is None or kind != TicketKind.INCIDENT:
        priority = priority or 4
    is_call = by.is_vendor and Channel.objects.filter(pk=channel, is_live=True).exists()
    ticket = Ticket(
        customer=customer,
        contract=contract,
        terms=contract.terms,
        contact=contact,
        product=product,
        release=release,
        kind=kind,
        topic=topic,
        channel_id=channel,
        priority=priority,
        line=routing.first_line(topic),
        # Who took the call keeps the customer informed, whoever works on it (§3.1).
        owner=by if is_call and by.role in {Role.ENGINEER, Role.LINE_LEAD} else None,
        subject=subject,
        language=language or customer.language,
        opened_at=at,
        changed_at=at,
        follows=follows,
        idempotency_key=key or None,
    )
    try:
        with transaction.atomic():
            ticket.save(force_insert=True)
    except IntegrityError:
        # Two clicks at the same moment: the other one was first, and is committed now (`ticket_sent_once`).
        earlier = Ticket.objects.filter(idempotency_key=key, contact=contact).first() if key else None
        if earlier is None:
            raise
        return earlier
    message = say(
        ticket,
        body.strip() or subject,
        by=by,
        at=at,
        channel=channel,
        files=files,
        message_id=message_id,
        quoted=quoted,
        key=key,
    )
    clocks.start_customer_promises(ticket, at=at)
    details = {"line": ticket.line_id, "priority": priority, "kind": kind, "channel": channel}
    if is_call:
        clocks.meet_reaction(ticket, at=at, why=clocks.CALL_LOGGED)
        details["call"] = True
    record(ticket, "opened", by=by, at=at, message=message, details=details)
    return ticket


@transaction.atomic
def hold(
    *,
    reason: str,
    words: str,
    subject: str,
    body: str,
    at: datetime,
    channel: str,
    customer: Customer | None = None,
    sender: User | None = None,
    sender_address: str = "",
) -> HeldRequest:
    """Records a request that cannot become a ticket now, with what its sender was told (domain §2, §3.5)."""
    return HeldRequest.objects.create(
        customer=customer,
        sender=sender,
        sender_address=sender_address or (sender.email if sender else ""),
        channel_id=channel,
        reason=reason,
        words=words,
        subject=(" ".join(subject.split()) or _("(no subject)"))[:200],
        body=body,
        received_at=at,
    )


# The engineers' verbs


def _take(ticket: Ticket, *, by: User, at: datetime) -> None:
    """The engineer is now the assignee; the first of the first line stays the owner to the end (domain §3.1)."""
    ticket.assignee = by
    if ticket.owner_id is None:
        ticket.owner = by


@transaction.atomic
def accept(ticket: Ticket, *, by: User, at: datetime) -> Ticket:
    """An engineer takes the ticket: the reaction ends (§4.1); after a hand-over, the line's acceptance ends too."""
    only_desk(by)
    ticket = lock(ticket)
    waiting = _hand_over_waiting(ticket)
    if ticket.state == State.NEW:
        move(ticket, "accept")
    elif not ticket.is_open:
        raise NotAllowed(_("This request is not open any more: nothing is left to take."), "3.2")
    elif waiting is None and ticket.assignee_id == by.pk:
        raise NotAllowed(_("You work on this request already."), "3.2")
    was = ticket.assignee
    _take(ticket, by=by, at=at)
    _accept_hand_over(ticket, waiting, by=by, at=at)
    clocks.meet_reaction(ticket, at=at, why="accepted")
    record(ticket, "accepted", by=by, at=at, details={"line": ticket.line_id, "from": was.full_name if was else ""})
    return ticket


def _hand_over_waiting(ticket: Ticket) -> HandOver | None:
    return ticket.hand_overs.filter(accepted_at__isnull=True, returned_at__isnull=True).order_by("-at", "-pk").first()


def _accept_hand_over(ticket: Ticket, waiting: HandOver | None, *, by: User, at: datetime) -> None:
    """The line has it, by saying so or by working on it; nothing then waits, and its clock is met (domain §3.3)."""
    if waiting is not None:
        waiting.accepted_by = by
        waiting.accepted_at = at
        waiting.save(update_fields=["accepted_by", "accepted_at"])
        clocks.meet(ticket, PromiseKind.LINE_ACCEPTANCE, at=at, why="accepted")


@transaction.atomic
def reply(
    ticket: Ticket,
    *,
    by: User,
    body: str,
    at: datetime,
    channel: str = "portal",
    files: Iterable[Upload] = (),
    key: str | None = None,
    message_id: str | None = None,
) -> Message:
    """The desk answers in public; the reaction ends. A new ticket is thereby taken by who answers."""
    only_desk(by)
    ticket = lock(ticket)
    if earlier := said_already(ticket, by, key):
        return earlier
    body = needs_words(body, _("An empty reply says nothing: write a few words."))
    if not (ticket.is_open or ticket.state == State.RESOLVED):
        raise NotAllowed(_("This request is closed: a reply would reach nobody. Open a follow-up instead."), "3.2")
    if ticket.state == State.NEW:
        move(ticket, "accept")
        _take(ticket, by=by, at=at)
    if ticket.assignee_id == by.pk:
        _accept_hand_over(ticket, _hand_over_waiting(ticket), by=by, at=at)
    message = say(ticket, body, by=by, at=at, channel=channel, files=files, key=key, message_id=message_id)
    clocks.meet_reaction(ticket, at=at, why="replied")
    record(ticket, "replied", by=by, at=at, message=message)
    return message


@transaction.atomic
def note(
    ticket: Ticket, *, by: User, body: str, at: datetime, files: Iterable[Upload] = (), key: str | None = None
) -> Message:
    """An internal note: the customer never sees it, and no clock hears it."""
    only_desk(by)
    ticket = lock(ticket)
    if earlier := said_already(ticket, by, key):
        return earlier
    body = needs_words(body, _("An empty note says nothing: write a few words."))
    message = say(ticket, body, by=by, at=at, kind=Message.Kind.NOTE, files=files, key=key)
    record(ticket, "noted", by=by, at=at, message=message)
    return message


@transaction.atomic
def ask_customer(
    ticket: Ticket, *, by: User, body: str, at: datetime, files: Iterable[Upload] = (), key: str | None = None
) -> Message:
    """A question to the customer: the resolution clock stands until they answer (domain §4.1)."""
    only_desk(by)
    ticket = lock(ticket)
    if earlier := said_already(ticket, by, key):
        return earlier
    body = needs_words(body, _("Write what you ask the customer: the clock may stand only for a question."), "4.1")
    if ticket.state == State.NEW:
        move(ticket, "accept")
    if ticket.assignee_id is None:
        _take(ticket, by=by, at=at)
    if ticket.assignee_id == by.pk:
        _accept_hand_over(ticket, _hand_over_waiting(ticket), by=by, at=at)
    move(ticket, "ask_customer")
    ticket.awaiting_since = at
    message = say(ticket, body, by=by, at=at, files=files, key=key)
    clocks.meet_reaction(ticket, at=at, why="replied")
    clocks.pause(ticket, at=at)
    record(ticket, "asked_customer", by=by, at=at, message=message)
    return message


@transaction.atomic
def stop_waiting(ticket: Ticket, *, by: User, at: datetime) -> Ticket:
    """The desk goes on without the customer's answer: the clock runs again."""
    only_desk(by)
    ticket = lock(ticket)
    move(ticket, "hear_customer")
    ticket.awaiting_since = None
    clocks.resume(ticket, at=at)
    record(ticket, "stopped_waiting", by=by, at=at)
    return ticket


@transaction.atomic
def hand_over(
    ticket: Ticket, *, by: User, to_line: int, known: str, asked: str, at: datetime, tried: str = ""
) -> HandOver:
    """To another line, up or down, with a note: what is known, what was tried, what is asked (domain §3.3).

    The promises to the customer go on untouched; the receiving line's own clock (OLA) starts. Line 4 takes a ticket
    only with a defect. The third bounce between the same two lines calls their leads.
    """
    only_desk(by)
    ticket = lock(ticket)
    if ticket.state not in {State.NEW, State.IN_PROGRESS}:
        raise NotAllowed(
            _("A request that is “%(state)s” cannot be handed over.") % {"state": ticket.get_state_display()}, "3.3"
        )
    if to_line == ticket.line_id:
        raise NotAllowed(_("The request is on line %(line)s already.") % {"line": to_line}, "3.3")
    line = Line.objects.filter(pk=to_line).first()
    if line is None:
        raise NotAllowed(_("There is no line %(line)s.") % {"line": to_line}, "3.3")
    known = needs_words(known, _("Write what is known: the next line starts from it."), "3.3")
    asked = needs_words(asked, _("Write what you ask the next line to do."), "3.3")
    if to_line == 4 and ticket.defect_id is None:
        raise NotAllowed(_("Line 4 takes a request only with a defect: attach one first."), "3.3")
    from_line = ticket.line
    clocks.cancel(ticket, at=at, why="handed over again", kinds=[PromiseKind.LINE_ACCEPTANCE])
    ticket.hand_overs.filter(accepted_at__isnull=True, returned_at__isnull=True).update(accepted_at=at, accepted_by=by)
    passed = HandOver.objects.create(
        ticket=ticket,
        from_line=from_line,
        to_line=line,
        by=by,
        at=at,
        known=known,
        tried=(tried or "").strip(),
        asked=asked,
    )
    ticket.line = line
    ticket.assignee = None
    clocks.start_line_acceptance(ticket, at=at)
    bounces = _bounces(ticket, {from_line.pk, line.pk})
    record(ticket, "handed_over", by=by, at=at, details={"from": from_line.pk, "to": line.pk, "bounces": bounces})
    if bounces and bounces % 3 == 0:
        _call_leads(ticket, {from_line.pk, line.pk}, by=by, at=at, bounces=bounces)
    return passed


def _bounces(ticket: Ticket, lines: set[int]) -> int:
    """How often the ticket came back between two lines: passages between them, less the first."""
    return max(0, ticket.hand_overs.filter(from_line__in=lines, to_line__in=lines).count() - 1)


def _call_leads(ticket: Ticket, lines: set[int], *, by: User, at: datetime, bounces: int) -> None:
    leads = User.objects.filter(role=Role.LINE_LEAD, lines__in=lines, is_active=True).order_by("pk").distinct()
    called: list[User | None] = [*leads]
    for lead in called or [routing.person_for(ticket, Whom.LINE_LEAD)]:
        Escalation.objects.create(
            ticket=ticket,
            cause=Escalation.Cause.BOUNCES,
            whom=Whom.LINE_LEAD,
            person=lead,
            raised_by=by,
            reached_at=at,
            created_at=at,
            reason=f"{' ⇄ '.join(str(number) for number in sorted(lines))} × {bounces}",
        )


@transaction.atomic
def return_hand_over(ticket: Ticket, *, by: User, reason: str, at: datetime) -> Ticket:
    """The receiving line does not accept: back to the line that it came from, with the reason (domain §3.3)."""
    only_desk(by)
    ticket = lock(ticket)
    waiting = _hand_over_waiting(ticket)
    if waiting is None or not ticket.is_open:
        raise NotAllowed(_("There is no hand-over waiting to be accepted."), "3.3")
    reason = needs_words(reason, _("Write why the line returns the request."), "3.3")
    waiting.returned_at = at
    waiting.return_reason = reason
    waiting.save(update_fields=["returned_at", "return_reason"])
    clocks.cancel(ticket, at=at, why="returned", kinds=[PromiseKind.LINE_ACCEPTANCE])
    back = HandOver.objects.create(
        ticket=ticket,
        from_line=waiting.to_line,
        to_line=waiting.from_line,
        by=by,
        at=at,
        known=reason,
        asked=_("Returned: see the reason."),
    )
    ticket.line = waiting.from_line
    ticket.assignee = waiting.by
    # Whoever passed it on has it again at once: nothing is left to be accepted.
    _accept_hand_over(ticket, back, by=waiting.by, at=at)
    bounces = _bounces(ticket, {waiting.from_line_id, waiting.to_line_id})
    record(
        ticket,
        "returned",
        by=by,
        at=at,
        details={"from": waiting.to_line_id, "to": waiting.from_line_id, "reason": reason, "bounces": bounces},
    )
    if bounces and bounces % 3 == 0:
        _call_leads(ticket, {waiting.from_line_id, waiting.to_line_id}, by=by, at=at, bounces=bounces)
    return ticket


@transaction.atomic
def attach_defect(
    ticket: Ticket,
    *,
    by: User,
    at: datetime,
    defect: Defect | None = None,
    title: str = "",
    steps: str = "",
    expected: str = "",
    actual: str = "",
) -> Defect:
    """Ties the ticket to a defect, a known one or a new one with steps, expected, actual and release (§3.3)."""
    only_desk(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("A defect is attached to an open request."), "3.3")
    if defect is None:
        defect = Defect.objects.create(
            title=needs_words(title, _("Give the defect a title."), "3.3")[:200],
            product=ticket.product,
            release=ticket.release,
            steps=needs_words(steps, _("Write the steps that show the defect."), "3.3"),
            expected=needs_words(expected, _("Write what was expected."), "3.3"),
            actual=needs_words(actual, _("Write what happened instead."), "3.3"),
            reported_by=by,
            reported_at=at,
        )
    ticket.defect = defect
    record(ticket, "defect_attached", by=by, at=at, details={"defect": defect.pk, "title": defect.title})
    return defect


@transaction.atomic
def restore(ticket: Ticket, *, by: User, workaround: str, at: datetime, to_priority: int = 3) -> Ticket:
    """Service is back: 1 or 2 becomes 3 or 4; the old resolution promise is met, a new one starts (domain §3.4)."""
    only_desk(by)
    ticket = lock(ticket)
    if not ticket.is_open or ticket.state == State.NEW:
        raise NotAllowed(_("Only a request in work can be restored: take it first."), "3.4")
    if ticket.priority not in {1, 2} or to_priority not in {3, 4}:
        raise NotAllowed(_("Restoring lowers priority 1 or 2 to 3 or 4."), "3.4")
    workaround = needs_words(workaround, _("Name the workaround: it is the evidence that service is back."), "3.4")
    was = ticket.priority
    if ticket.state == State.AWAITING_CUSTOMER:
        move(ticket, "hear_customer")
        ticket.awaiting_since = None
        clocks.resume(ticket, at=at)
    ticket.priority = to_priority
    ticket.workaround = workaround
    clocks.meet(ticket, PromiseKind.RESOLUTION, at=at, why="restored", evidence=workaround)
    if ticket.kind == TicketKind.INCIDENT:
        clocks.start_resolution(ticket, at=at)
    message = say(ticket, workaround, by=by, at=at)
    clocks.meet_reaction(ticket, at=at, why="replied")
    record(
        ticket,
        "restored",
        by=by,
        at=at,
        message=message,
        details={"from": was, "to": to_priority, "workaround": workaround},
    )
    return ticket


@transaction.atomic
def contest_restore(ticket: Ticket, *, by: User, reason: str, at: datetime) -> Ticket:
    """The customer says that service is not back: the restore is undone, the old clock goes on (domain §3.4)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    reason = needs_words(reason, _("Write what still does not work."), "3.4")
    restored = ticket.commitments.filter(kind=PromiseKind.RESOLUTION, why="restored").order_by("-stopped_at").first()
    event = ticket.events.filter(verb__in=["restored", "restore_contested"]).order_by("-at", "-pk").first()
    if not ticket.is_open or event is None or event.verb != "restored":
        raise NotAllowed(_("Nothing was restored in this request that could be contested now."), "3.4")
    for newer in clocks.running(ticket, PromiseKind.RESOLUTION):
        clocks.supersede(newer, at=at, why="restore contested")
    # A request that was found to be no incident since then has no resolution promise to go on with (§1.5).
    if restored is not None and ticket.kind == TicketKind.INCIDENT:
        clocks.reinstate(restored, at=at, why="restore contested", stood=_stood(ticket))
    lowered_to = ticket.priority
    ticket.priority = event.details["from"]
    ticket.workaround = ""
    if ticket.state == State.AWAITING_CUSTOMER:
        move(ticket, "hear_customer")
        ticket.awaiting_since = None
    message = say(ticket, reason, by=by, at=at)
    record(
        ticket,
        "restore_contested",
        by=by,
        at=at,
        message=message,
        details={"from": lowered_to, "to": ticket.priority, "reason": reason},
    )
    return ticket


@transaction.atomic
def reclassify(
    ticket: Ticket, *, by: User, reason: str, at: datetime, priority: int | None = None, kind: str | None = None
) -> Ticket:
    """The classification was wrong: the clocks are counted anew from the opening (domain §3.4)."""
    only_desk(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("Only an open request can be classified anew."), "3.4")
    reason = needs_words(reason, _("Write why the classification was wrong."), "3.4")
    new_priority = priority or ticket.priority
    new_kind = kind or ticket.kind
    if new_priority not in {1, 2, 3, 4}:
        raise NotAllowed(_("There are priorities 1 to 4."), "1.6")
    if new_kind not in TicketKind.values:
        raise NotAllowed(_("There is no such kind of request."), "3.1")
    if (new_priority, new_kind) == (ticket.priority, ticket.kind):
        raise NotAllowed(_("Nothing changes: choose another priority or kind."), "3.4")
    details = {"from": ticket.priority, "to": new_priority, "reason": reason}
    if new_kind != ticket.kind:
        details |= {"kind_from": ticket.kind, "kind_to": new_kind}
    ticket.priority = new_priority
    ticket.kind = new_kind
    ticket.proposed_priority = None
    clocks.retime(ticket, at=at, why="reclassified", stood=_stood(ticket))
    record(ticket, "reclassified", by=by, at=at, details=details)
    return ticket


# What makes a resolution clock stand, and what sets it going again (domain §4.1).
STANDS = {"asked_customer", "resolved"}
GOES_ON = {"customer_replied", "stopped_waiting", "restored", "restore_contested", "reopened"}


def _stood(ticket: Ticket) -> clocks.Stood:
    """When the request waited for its customer, by its events: also while no clock ran that could have stood."""
    spans = []
    since = None
    for verb, at in ticket.events.filter(verb__in=STANDS | GOES_ON).order_by("at", "pk").values_list("verb", "at"):
        if verb in STANDS:
            since = since or at
        elif since is not None:
            if at > since:
                spans.append(DateTimeTZRange(since, at))
            since = None
    return clocks.Stood(spans, since)


@transaction.atomic
def set_priority(ticket: Ticket, *, by: User, priority: int, reason: str, at: datetime) -> Ticket:
    """The customer asks for another priority: applied with `priority_mgmt`, else recorded as a proposal (§3.4)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    if not ticket.is_open:
        raise NotAllowed(_("Only the priority of an open request can be changed."), "3.4")
    if priority not in {1, 2, 3, 4} or priority == ticket.priority:
        raise NotAllowed(_("Choose another priority, 1 to 4."), "3.4")
    reason = needs_words(reason, _("Write what has changed: the engineer reads it."), "3.4")
    was = ticket.priority
    message = say(ticket, reason, by=by, at=at)
    if not entitlement.includes(ticket.contract, "priority_mgmt"):
        ticket.proposed_priority = priority
        record(
            ticket,
            "priority_proposed",
            by=by,
            at=at,
            message=message,
            details={"from": was, "to": priority, "reason": reason},
        )
        return ticket
    ticket.priority = priority
    clocks.retime(ticket, at=at, why="priority set by the customer", stood=_stood(ticket))
    record(
        ticket,
        "priority_set",
        by=by,
        at=at,
        message=message,
        details={"from": was, "to": priority, "reason": reason},
    )
    return ticket


@transaction.atomic
def resolve(ticket: Ticket, *, by: User, body: str, at: datetime, key: str | None = None) -> Ticket:
    """The desk says that it is solved, and how. Five working days of silence then close it (domain §3.2)."""
    only_desk(by)
    ticket = lock(ticket)
    if said_already(ticket, by, key):
        return ticket
    body = needs_words(body, _("Write how it was solved: the customer confirms it by that."), "3.2")
    if ticket.state == State.NEW:
        move(ticket, "accept")
    if ticket.state == State.AWAITING_CUSTOMER:
        clocks.resume(ticket, at=at)
    move(ticket, "resolve")
    ticket.awaiting_since = None
    ticket.resolved_at = at
    ticket.closes_at = routing.working_days_after(at, SILENCE_CLOSES_AFTER)
    if ticket.assignee_id is None:
        _take(ticket, by=by, at=at)
    _accept_hand_over(ticket, _hand_over_waiting(ticket), by=by, at=at)
    message = say(ticket, body, by=by, at=at, key=key)
    clocks.meet_reaction(ticket, at=at, why="replied")
    clocks.meet(ticket, PromiseKind.RESOLUTION, at=at, why="resolved")
    record(ticket, "resolved", by=by, at=at, message=message)
    return ticket


@transaction.atomic
def decline(ticket: Ticket, *, by: User, reason: str, at: datetime, clause: str = "1.7.2") -> Ticket:
    """Outside support, with the condition named; the customer can contest it (domain §1.7.2, §3.2)."""
    only_desk(by)
    ticket = lock(ticket)
    reason = needs_words(reason, _("Name the condition that puts the request outside support."), "3.2")
    move(ticket, "decline")
    _accept_hand_over(ticket, _hand_over_waiting(ticket), by=by, at=at)
    message = say(ticket, reason, by=by, at=at)
    clocks.meet_reaction(ticket, at=at, why="replied")
    clocks.cancel(ticket, at=at, why="declined", kinds=ENDS_WITH_THE_TICKET)
    record(ticket, "declined", by=by, at=at, message=message, details={"reason": reason, "clause": clause})
    return ticket


# The customer's verbs


@transaction.atomic
def customer_reply(
    ticket: Ticket,
    *,
    by: User,
    body: str,
    at: datetime,
    channel: str = "portal",
    files: Iterable[Upload] = (),
    key: str | None = None,
    message_id: str | None = None,
    quoted: str = "",
) -> Message:
    """The contact writes: a standing clock goes on, a solved ticket reopens, a closed one gets a follow-up (§3.2).

    Returns the message; `message.ticket` is the follow-up where one was made.
    """
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    if earlier := said_already(ticket, by, key):
        return earlier
    body = needs_words(body, _("An empty reply says nothing: write a few words."))
    if ticket.state == State.CLOSED:
        follow_up = open_ticket(
            customer=ticket.customer,
            by=by,
            subject=ticket.subject,
            body=body,
            at=at,
            channel=channel,
            kind=ticket.kind,
            topic=ticket.topic,
            priority=ticket.priority,
            product=ticket.product,
            release=ticket.release,
            language=ticket.language,
            files=files,
            message_id=message_id,
            quoted=quoted,
            follows=ticket,
            key=key,
        )
        return follow_up.messages.earliest("pk")
    if ticket.state == State.DECLINED:
        contested = contest(
            ticket, by=by, reason=body, at=at, channel=channel, files=files, message_id=message_id, key=key
        )
        return contested.messages.latest("pk")
    message = say(
        ticket, body, by=by, at=at, channel=channel, files=files, message_id=message_id, quoted=quoted, key=key
    )
    if ticket.state == State.AWAITING_CUSTOMER:
        move(ticket, "hear_customer")
        ticket.awaiting_since = None
        clocks.resume(ticket, at=at)
    elif ticket.state == State.RESOLVED:
        _reopen(ticket, at=at)
        record(ticket, "reopened", by=by, at=at, message=message)
        return message
    record(ticket, "customer_replied", by=by, at=at, message=message)
    return message


def _reopen(ticket: Ticket, *, at: datetime) -> None:
    move(ticket, "reopen")
    stood = _stood(ticket)
    ended = (
        ticket.commitments.filter(kind=PromiseKind.RESOLUTION, why="resolved").order_by("-stopped_at", "-pk").first()
    )
    if ended is not None:
        clocks.reinstate(ended, at=at, why="reopened", stood=stood)
    ticket.resolved_at = None
    ticket.closes_at = None


@transaction.atomic
def reopen(ticket: Ticket, *, by: User, reason: str, at: datetime) -> Ticket:
    """Not solved after all: the clock goes on, the time as solved does not count (domain §3.2, §4.1)."""
    ticket = lock(ticket)
    if by.is_vendor:
        only_desk(by)
    else:
        only_contact(ticket, by, at)
    reason = needs_words(reason, _("Write what still does not work."), "3.2")
    _reopen(ticket, at=at)
    message = say(ticket, reason, by=by, at=at)
    record(ticket, "reopened", by=by, at=at, message=message)
    return ticket


@transaction.atomic
def confirm(ticket: Ticket, *, by: User, at: datetime, body: str = "") -> Ticket:
    """The contact agrees that it is solved, with a word or without: closed (domain §3.2)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    move(ticket, "close")
    message = say(ticket, body.strip(), by=by, at=at) if body.strip() else None
    _close(ticket, at=at)
    record(ticket, "confirmed", by=by, at=at, message=message)
    return ticket


def _close(ticket: Ticket, *, at: datetime) -> None:
    ticket.closed_at = at
    ticket.closes_at = None
    ticket.awaiting_since = None
    clocks.cancel(ticket, at=at, why="closed", kinds=ENDS_WITH_THE_TICKET)


@transaction.atomic
def close_silent(ticket: Ticket, *, at: datetime) -> bool:
    """Closes a solved ticket whose customer was silent for five working days; whether it did (domain §3.2)."""
    ticket = lock(ticket)
    if ticket.state != State.RESOLVED or ticket.closes_at is None or ticket.closes_at > at:
        return False
    move(ticket, "close")
    _close(ticket, at=at)
    record(ticket, "closed_silent", by=None, at=at)
    return True


@transaction.atomic
def withdraw(ticket: Ticket, *, by: User, at: datetime, reason: str = "") -> Ticket:
    """The customer does not need it any more: closed, its clocks cancelled (domain §3.2)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    move(ticket, "withdraw")
    message = say(ticket, reason.strip(), by=by, at=at) if reason.strip() else None
    _close(ticket, at=at)
    record(ticket, "withdrawn", by=by, at=at, message=message)
    return ticket


@transaction.atomic
def contest(
    ticket: Ticket,
    *,
    by: User,
    reason: str,
    at: datetime,
    channel: str = "portal",
    files: Iterable[Upload] = (),
    message_id: str | None = None,
    key: str | None = None,
) -> Ticket:
    """The customer contests a decline: in work again, and the time as declined counts too (domain §3.2, §4.1)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    reason = needs_words(reason, _("Write why the request is inside support."), "3.2")
    move(ticket, "contest")
    message = say(ticket, reason, by=by, at=at, channel=channel, files=files, message_id=message_id, key=key)
    cancelled = (
        ticket.commitments.filter(kind=PromiseKind.RESOLUTION, why="declined").order_by("-stopped_at", "-pk").first()
    )
    if cancelled is not None:
        clocks.reinstate(cancelled, at=at, why="decline contested", stood=_stood(ticket))
    record(ticket, "contested", by=by, at=at, message=message, details={"reason": reason})
    return ticket


@transaction.atomic
def escalate(ticket: Ticket, *, by: User, whom: str, reason: str, at: datetime) -> Escalation:
    """The customer calls in the CSM or top management, any time, with a reason; the answer has its clock (§4.4)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    if whom not in {Whom.CSM, Whom.TOP_MANAGEMENT}:
        raise NotAllowed(_("A customer escalates to the Customer Success Manager or to top management."), "4.4")
    reason = needs_words(reason, _("Write why: the person you call in reads it first."), "4.4")
    if ticket.state in {State.CLOSED, State.DECLINED} and ticket.closed_at and at - ticket.closed_at > timedelta(30):
        raise NotAllowed(_("This request was closed long ago: open a follow-up and escalate that."), "4.4")
    again = ticket.escalations.open().filter(raised_by=by, whom=whom).first()
    if again is not None:
        raise NotAllowed(_("They were called in already and owe you an answer; it is shown in the request."), "4.4")
    person = routing.person_for(ticket, whom)
    clock = clocks.start_escalation_answer(ticket, at=at)
    escalation = Escalation.objects.create(
        ticket=ticket,
        cause=Escalation.Cause.CUSTOMER,
        whom=whom,
        person=person,
        raised_by=by,
        reason=reason,
        reached_at=at,
        created_at=at,
        answer_clock=clock,
    )
    record(
        ticket,
        "escalated",
        by=by,
        at=at,
        details={
            "whom": whom,
            "reason": reason,
            "escalation": escalation.pk,
            "due_at": clock.due_at.isoformat() if clock else "",
        },
    )
    return escalation


ALARMS_OF_THE_LINE = frozenset({Whom.LINE_QUEUE, Whom.ASSIGNEE, Whom.LINE_LEAD})
MAY_ANSWER = {
    Role.ENGINEER: frozenset({Whom.LINE_QUEUE, Whom.ASSIGNEE}),
    Role.LINE_LEAD: ALARMS_OF_THE_LINE,
    Role.CSM: ALARMS_OF_THE_LINE | {Whom.CSM},
    Role.SUPPORT_MANAGER: frozenset(Whom),
    Role.TOP_MANAGEMENT: frozenset(Whom),
}


def may_answer(escalation: Escalation, by: User) -> bool:
    """Who was called in, or who stands above them: the support manager and top management answer everything (§7)."""
    return escalation.person_id == by.pk or escalation.whom in MAY_ANSWER.get(Role(by.role), frozenset())


def _only_who_may_answer(escalation: Escalation, by: User) -> None:
    if not may_answer(escalation, by):
        raise Forbidden(_("This escalation waits for somebody else."), "4.4")


@transaction.atomic
def acknowledge(escalation: Escalation, *, by: User, at: datetime) -> Escalation:
    """“I have it”: the person called in says so; the first one counts (domain §4.4)."""
    ticket = lock(escalation.ticket)
    escalation = Escalation.objects.select_for_update().get(pk=escalation.pk)
    _only_who_may_answer(escalation, by)
    if escalation.state != Escalation.State.OPEN:
        raise NotAllowed(_("Somebody has acknowledged this escalation already."), "4.4")
    escalation.state = Escalation.State.ACKNOWLEDGED
    escalation.acknowledged_at = at
    escalation.acknowledged_by = by
    escalation.save(update_fields=["state", "acknowledged_at", "acknowledged_by"])
    record(ticket, "acknowledged", by=by, at=at, details={"escalation": escalation.pk, "whom": escalation.whom})
    return escalation


@transaction.atomic
def answer_escalation(escalation: Escalation, *, by: User, answer: str, at: datetime) -> Escalation:
    """Closes an escalation with an answer; one that the customer made is answered to the customer (domain §4.4)."""
    ticket = lock(escalation.ticket)
    escalation = Escalation.objects.select_for_update(of=("self",)).select_related("answer_clock").get(pk=escalation.pk)
    _only_who_may_answer(escalation, by)
    if escalation.state == Escalation.State.CLOSED:
        raise NotAllowed(_("This escalation is answered already."), "4.4")
    from_customer = escalation.raised_by is not None and not escalation.raised_by.is_vendor
    answer = needs_words(
        answer,
        _("Write the answer: the customer sees it.") if from_customer else _("Write what was done."),
        "4.4",
    )
    if escalation.acknowledged_at is None:
        escalation.acknowledged_at = at
        escalation.acknowledged_by = by
    escalation.state = Escalation.State.CLOSED
    escalation.answer = answer
    escalation.closed_at = at
    escalation.closed_by = by
    escalation.save()
    if escalation.answer_clock_id:
        clock = Commitment.objects.select_for_update(of=("self",)).get(pk=escalation.answer_clock_id)
        if clock.is_running:
            clocks.fulfil(clock, at=at, why="answered")
    record(
        ticket,
        "escalation_answered",
        by=by,
        at=at,
        message=say(ticket, answer, by=by, at=at) if from_customer else None,
        details={"escalation": escalation.pk, "whom": escalation.whom},
    )
    return escalation


@transaction.atomic
def rate(ticket: Ticket, *, by: User, score: int, at: datetime, comment: str = "") -> Rating:
    """1–5 and a comment, after resolution; changed for seven days. A 1 or 2 opens a follow-up of the CSM (§4.4, §6)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    if ticket.state not in {State.RESOLVED, State.CLOSED}:
        raise NotAllowed(_("A request is rated once it is solved."), "6")
    if score not in {1, 2, 3, 4, 5}:
        raise NotAllowed(_("A rating is a number from 1 to 5."), "6")
    rating = Rating.objects.filter(ticket=ticket).first()
    if rating is not None and at - rating.at > RATING_MAY_CHANGE_FOR:
        raise NotAllowed(_("A rating can be changed for seven days."), "6")
    was = rating.score if rating else None
    if rating is None:
        rating = Rating(ticket=ticket, at=at)
    rating.score = score
    rating.comment = comment.strip()
    rating.by = by
    rating.save()
    record(ticket, "rated", by=by, at=at, details={"score": score, "was": was, "comment": rating.comment})
    if score <= LOW_RATING and (was is None or was > LOW_RATING):
        Escalation.objects.create(
            ticket=ticket,
            cause=Escalation.Cause.LOW_RATING,
            whom=Whom.CSM,
            person=routing.person_for(ticket, Whom.CSM),
            raised_by=by,
            reached_at=at,
            created_at=at,
            reason=rating.comment,
        )
    return rating


# Leads


@transaction.atomic
def assign(ticket: Ticket, *, by: User, to: User, at: datetime) -> Ticket:
    """A lead or manager gives the ticket to an engineer; the reaction waits for that person (domain §7)."""
    only_desk(by)
    if by.role not in {Role.LINE_LEAD, Role.SUPPORT_MANAGER} and by.pk != to.pk:
        raise Forbidden(_("A line lead or the support manager assigns; you can take the request yourself."))
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("Only an open request can be assigned."), "3.2")
    if to.role not in DESK_ROLES:
        raise NotAllowed(_("%(name)s does not work at the desk.") % {"name": to.full_name}, "7")
    was = ticket.assignee
    ticket.assignee = to
    if ticket.owner_id is None:
        ticket.owner = to
    record(ticket, "assigned", by=by, at=at, details={"from": was.full_name if was else "", "to": to.full_name})
    return ticket


# The responsible contact


@transaction.atomic
def hand_over_contact(
    customer: Customer, *, to: User, by: User, at: datetime, reason: str, starts_at: datetime | None = None
) -> ResponsibleContact:
    """Another person speaks for the customer from now, or from a planned moment on; open tickets follow (domain §2).

    Those of a planned change follow when its moment comes (`follow_contact`). Raises as `signing.hand_over_contact`.
    """
    contact = signing.hand_over_contact(customer, to=to, by=by, at=starts_at or at, reason=reason)
    follow_contact(customer, by=by, at=at)
    return contact


@transaction.atomic
def follow_contact(customer: Customer, *, by: User | None, at: datetime) -> list[Ticket]:
    """The customer's tickets that are not over get the responsible contact of this moment; those that changed (§2)."""
    row = customer.contacts.holding(at).select_related("user").first()
    if row is None:
        return []
    followed = []
    for ticket in customer.tickets.exclude(state__in=[State.CLOSED, State.DECLINED]).order_by("pk"):
        ticket = lock(ticket)
        if ticket.contact_id == row.user_id:
            continue
        was = ticket.contact
        ticket.contact = row.user
        record(
            ticket,
            "contact_changed",
            by=by,
            at=at,
            details={"from": was.full_name, "to": row.user.full_name, "reason": row.reason},
        )
        followed.append(ticket)
    return followed
