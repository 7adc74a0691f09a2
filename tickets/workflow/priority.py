"""The priority machine: restore, contest the restore, reclassify, set by the customer (domain §3.4)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts import entitlement
from contracts.models import PromiseKind, TicketKind
from sla import clocks
from tickets.models import State, Ticket
from tickets.workflow.conversation import say
from tickets.workflow.gates import NotAllowed, iso, lock, move, needs_words, only_contact, only_desk, record
from tickets.workflow.meanwhile import unchanged_since
from tickets.workflow.waiting import stood_of


@transaction.atomic
def restore(
    ticket: Ticket, *, by: User, workaround: str, at: datetime, to_priority: int = 3, as_of: int | None = None
) -> Ticket:
    """Service is back: 1 or 2 becomes 3 or 4; the old resolution promise is met, a new one starts (domain §3.4).

    `as_of` is the key of the last event that the person saw: with what matters since, it is `ChangedMeanwhile`.
    """
    only_desk(by)
    ticket = lock(ticket)
    if not ticket.is_open or ticket.state == State.NEW:
        raise NotAllowed(_("Only a request in work can be restored: take it first."), "3.4")
    unchanged_since(ticket, as_of, "restoration", by=by)
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
    event = ticket.events.filter(verb__in=["restored", "restore_contested"]).order_by("-at", "-pk").first()
    if not ticket.is_open or event is None or event.verb != "restored":
        raise NotAllowed(_("Nothing was restored in this request that could be contested now."), "3.4")
    # What this restore met, not one before it: of what was no incident then it met nothing.
    restored = ticket.commitments.filter(kind=PromiseKind.RESOLUTION, why="restored", stopped_at=event.at).first()
    void = void_agreement(ticket)
    lowered_to = ticket.priority
    ticket.priority = event.details["from"]
    if restored is None:
        clocks.retime(ticket, at=at, why="restore contested", stood=stood_of(ticket))
    else:
        for newer in clocks.running(ticket, PromiseKind.RESOLUTION):
            clocks.supersede(newer, at=at, why="restore contested")
        # A request that was found to be no incident since then has no resolution promise to go on with (§1.5).
        if ticket.kind == TicketKind.INCIDENT:
            clocks.reinstate(restored, at=at, why="restore contested", stood=stood_of(ticket))
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
        details={"from": lowered_to, "to": ticket.priority, "reason": reason, **void},
    )
    return ticket


@transaction.atomic
def reclassify(
    ticket: Ticket,
    *,
    by: User,
    reason: str,
    at: datetime,
    priority: int | None = None,
    kind: str | None = None,
    as_of: int | None = None,
) -> Ticket:
    """The classification was wrong: the clocks are counted anew from the opening (domain §3.4).

    `as_of` as for `restore`.
    """
    only_desk(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("Only an open request can be classified anew."), "3.4")
    unchanged_since(ticket, as_of, "classification", by=by)
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
    details |= void_agreement(ticket)
    clocks.retime(ticket, at=at, why="reclassified", stood=stood_of(ticket))
    record(ticket, "reclassified", by=by, at=at, details=details)
    return ticket


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
    if not entitlement.includes(ticket.contract, "priority_mgmt", at=ticket.opened_at):
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
    void = void_agreement(ticket)
    clocks.retime(ticket, at=at, why="priority set by the customer", stood=stood_of(ticket))
    record(
        ticket,
        "priority_set",
        by=by,
        at=at,
        message=message,
        details={"from": was, "to": priority, "reason": reason, **void},
    )
    return ticket


def void_agreement(ticket: Ticket) -> dict[str, str]:
    """What an event says of an individually agreed deadline that ends with its priority: what it was (domain §4.2)."""
    clock = clocks.resolution_of(ticket)
    return {"agreed_void": iso(clock.due_at)} if clock is not None and clock.agreed else {}
