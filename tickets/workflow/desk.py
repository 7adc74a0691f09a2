"""The engineers' verbs on one line: take, answer, ask, solve, decline; and a lead's assignment (domain §3.2, §7)."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import DESK_ROLES, Role, User
from accounts.refusals import Forbidden
from contracts.models import PromiseKind
from sla import clocks
from tickets import routing
from tickets.models import Message, State, Ticket
from tickets.workflow.conversation import Upload, nobody_wrote_since, said_already, say
from tickets.workflow.gates import ENDS_WITH_THE_TICKET, NotAllowed, lock, move, needs_words, only_desk, record
from tickets.workflow.lines import accept_hand_over, end_hand_over, hand_over_waiting, receives
from tickets.workflow.meanwhile import unchanged_since

SILENCE_CLOSES_AFTER = 5  # working days of silence close a resolved ticket (domain §3.2)


def take(ticket: Ticket, *, by: User, at: datetime) -> None:
    """The engineer is now the assignee; the first of the first line stays the owner to the end (domain §3.1)."""
    ticket.assignee = by
    if ticket.owner_id is None:
        ticket.owner = by


@transaction.atomic
def accept(
    ticket: Ticket,
    *,
    by: User,
    at: datetime,
    seen: str | None = None,
    as_of: int | None = None,
    why: Mapping[str, Any] | None = None,
) -> Ticket:
    """An engineer takes the ticket: the reaction ends (§4.1); after a hand-over, the line's acceptance ends too.

    What waits for a line is accepted only by who receives for it. `seen` is the key of the assignee whom the person
    saw, "" for nobody: of two who take it at once, one is told so. `as_of` is the key of the last event that they saw:
    handed over elsewhere since, it is `ChangedMeanwhile`. `why` this ticket was taken, where a rule chose it.
    """
    only_desk(by)
    ticket = lock(ticket)
    waiting = hand_over_waiting(ticket)
    if ticket.state == State.NEW:
        move(ticket, "accept")
    elif not ticket.is_open:
        raise NotAllowed(_("This request is not open any more: nothing is left to take."), "3.2")
    elif waiting is None and ticket.assignee_id == by.pk:
        raise NotAllowed(_("You work on this request already."), "3.2")
    if seen is not None and ticket.assignee is not None and seen != str(ticket.assignee_id):
        raise NotAllowed(
            _("%(name)s has taken this request in the meantime. Take it only if you have agreed on that.")
            % {"name": ticket.assignee.full_name},
            "3.2",
        )
    unchanged_since(ticket, as_of, "acceptance", by=by)
    if waiting is not None and not receives(ticket, waiting, by=by, at=at):
        raise Forbidden(
            _("Line %(line)s accepts this request: somebody of the line, or the support manager.")
            % {"line": waiting.to_line_id},
            "3.3",
        )
    was = ticket.assignee
    take(ticket, by=by, at=at)
    accept_hand_over(ticket, waiting, by=by, at=at)
    clocks.meet_reaction(ticket, at=at, why="accepted")
    details: dict[str, Any] = {"line": ticket.line_id, "from": was.full_name if was else ""}
    if why:
        details["why"] = dict(why)
    record(ticket, "accepted", by=by, at=at, details=details)
    return ticket


def _taken_by_words(ticket: Ticket, *, by: User, at: datetime) -> dict[str, bool]:
    """Who answers has it, unless it waits for a line that is not theirs; what the event says of that."""
    waiting = hand_over_waiting(ticket)
    took = waiting is None or receives(ticket, waiting, by=by, at=at)
    if took:
        take(ticket, by=by, at=at)
    elif ticket.owner_id is None:
        ticket.owner = by
    return {"took": took}


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
    seen: int | None = None,
) -> Message:
    """The desk answers in public; the reaction ends. A new ticket is thereby taken by who answers.

    `seen` is the key of the last message that the person saw: with a later one of somebody else it is `Meanwhile`.
    """
    only_desk(by)
    ticket = lock(ticket)
    if earlier := said_already(ticket, by, key):
        return earlier
    nobody_wrote_since(ticket, seen, by=by)
    body = needs_words(body, _("An empty reply says nothing: write a few words."))
    if not (ticket.is_open or ticket.state == State.RESOLVED):
        raise NotAllowed(_("This request is closed: a reply would reach nobody. Open a follow-up instead."), "3.2")
    details = {}
    if ticket.state == State.NEW:
        move(ticket, "accept")
        details = _taken_by_words(ticket, by=by, at=at)
    if ticket.assignee_id == by.pk:
        accept_hand_over(ticket, hand_over_waiting(ticket), by=by, at=at)
    message = say(ticket, body, by=by, at=at, channel=channel, files=files, key=key, message_id=message_id)
    clocks.meet_reaction(ticket, at=at, why="replied")
    record(ticket, "replied", by=by, at=at, message=message, details=details)
    return message


@transaction.atomic
def note(
    ticket: Ticket, *, by: User, body: str, at: datetime, files: Iterable[Upload] = (), key: str | None = None
) -> Message:
    """An internal note: the customer never sees it, and no clock hears it."""
    only_desk(by)
    ticket = lock(ticket)
    if ticket.merged_into is not None:
        raise NotAllowed(
            _("This request was merged into № %(number)s: write there.") % {"number": ticket.merged_into.number}
        )
    if earlier := said_already(ticket, by, key):
        return earlier
    body = needs_words(body, _("An empty note says nothing: write a few words."))
    message = say(ticket, body, by=by, at=at, kind=Message.Kind.NOTE, files=files, key=key)
    record(ticket, "noted", by=by, at=at, message=message)
    return message


@transaction.atomic
def ask_customer(
    ticket: Ticket,
    *,
    by: User,
    body: str,
    at: datetime,
    files: Iterable[Upload] = (),
    key: str | None = None,
    seen: int | None = None,
) -> Message:
    """A question to the customer: the resolution clock stands until they answer (domain §4.1).

    `seen` as for `reply`.
    """
    only_desk(by)
    ticket = lock(ticket)
    if earlier := said_already(ticket, by, key):
        return earlier
    nobody_wrote_since(ticket, seen, by=by)
    body = needs_words(body, _("Write what you ask the customer: the clock may stand only for a question."), "4.1")
    if ticket.state == State.NEW:
        move(ticket, "accept")
    details = _taken_by_words(ticket, by=by, at=at) if ticket.assignee_id is None else {}
    if ticket.assignee_id == by.pk:
        accept_hand_over(ticket, hand_over_waiting(ticket), by=by, at=at)
    move(ticket, "ask_customer")
    ticket.awaiting_since = at
    message = say(ticket, body, by=by, at=at, files=files, key=key)
    clocks.meet_reaction(ticket, at=at, why="replied")
    clocks.pause(ticket, at=at)
    record(ticket, "asked_customer", by=by, at=at, message=message, details=details)
    return message


@transaction.atomic
def stop_waiting(ticket: Ticket, *, by: User, at: datetime, as_of: int | None = None) -> Ticket:
    """The desk goes on without the customer's answer: the clock runs again. `as_of` as for `accept`."""
    only_desk(by)
    ticket = lock(ticket)
    if ticket.state == State.AWAITING_CUSTOMER:
        unchanged_since(ticket, as_of, "waiting", by=by)
    move(ticket, "hear_customer")
    ticket.awaiting_since = None
    clocks.resume(ticket, at=at)
    record(ticket, "stopped_waiting", by=by, at=at)
    return ticket


@transaction.atomic
def resolve(
    ticket: Ticket,
    *,
    by: User,
    body: str,
    at: datetime,
    files: Iterable[Upload] = (),
    key: str | None = None,
    seen: int | None = None,
    as_of: int | None = None,
) -> Ticket:
    """The desk says that it is solved, and how. Five working days of silence then close it (domain §3.2).

    `seen` as for `reply`, `as_of` as for `accept`.
    """
    only_desk(by)
    ticket = lock(ticket)
    if said_already(ticket, by, key):
        return ticket
    nobody_wrote_since(ticket, seen, by=by)
    if ticket.is_open:
        unchanged_since(ticket, as_of, "resolution", by=by)
    body = needs_words(body, _("Write how it was solved: the customer confirms it by that."), "3.2")
    if ticket.state == State.NEW:
        move(ticket, "accept")
    if ticket.state == State.AWAITING_CUSTOMER:
        clocks.resume(ticket, at=at)
    move(ticket, "resolve")
    ticket.awaiting_since = None
    ticket.resolved_at = at
    ticket.closes_at = routing.working_days_after(at, SILENCE_CLOSES_AFTER)
    details = end_hand_over(ticket, by=by, at=at)
    if ticket.assignee_id is None:
        take(ticket, by=by, at=at)
        details["took"] = True
    message = say(ticket, body, by=by, at=at, files=files, key=key)
    clocks.meet_reaction(ticket, at=at, why="replied")
    clocks.meet(ticket, PromiseKind.RESOLUTION, at=at, why="resolved")
    record(ticket, "resolved", by=by, at=at, message=message, details=details)
    return ticket


@transaction.atomic
def decline(
    ticket: Ticket, *, by: User, reason: str, at: datetime, clause: str = "1.7.2", as_of: int | None = None
) -> Ticket:
    """Outside support, with the condition named; the customer can contest it (domain §1.7.2, §3.2).

    `as_of` as for `accept`.
    """
    only_desk(by)
    ticket = lock(ticket)
    reason = needs_words(reason, _("Name the condition that puts the request outside support."), "3.2")
    move(ticket, "decline")
    unchanged_since(ticket, as_of, "decline", by=by)
    details = end_hand_over(ticket, by=by, at=at)
    message = say(ticket, reason, by=by, at=at)
    clocks.meet_reaction(ticket, at=at, why="replied")
    clocks.cancel(ticket, at=at, why="declined", kinds=ENDS_WITH_THE_TICKET)
    details |= {"reason": reason, "clause": clause}
    record(ticket, "declined", by=by, at=at, message=message, details=details)
    return ticket


@transaction.atomic
def assign(ticket: Ticket, *, by: User, to: User, at: datetime, as_of: int | None = None) -> Ticket:
    """A lead or manager gives the ticket to an engineer; the reaction waits for that person (domain §7).

    `as_of` as for `accept`.
    """
    only_desk(by)
    if by.role not in {Role.LINE_LEAD, Role.SUPPORT_MANAGER} and by.pk != to.pk:
        raise Forbidden(_("A line lead or the support manager assigns; you can take the request yourself."))
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("Only an open request can be assigned."), "3.2")
    if to.role not in DESK_ROLES:
        raise NotAllowed(_("%(name)s does not work at the desk.") % {"name": to.full_name}, "7")
    if ticket.assignee_id == to.pk:
        return ticket  # the second click of two: nobody is told twice
    unchanged_since(ticket, as_of, "assignment", by=by)
    was = ticket.assignee
    ticket.assignee = to
    if ticket.owner_id is None:
        ticket.owner = to
    details = {"from": was.full_name if was else "", "to": to.full_name, "assignee": to.pk}
    record(ticket, "assigned", by=by, at=at, details=details)
    return ticket
