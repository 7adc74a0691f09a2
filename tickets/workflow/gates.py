"""What every verb goes through: the lock, the table of moves, the record of what happened, and who may do it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _
from django_fsm import TransitionNotAllowed

from accounts.models import DESK_ROLES, User
from accounts.new_rows import insert
from accounts.refusals import Forbidden, Refused
from contracts.models import PromiseKind
from sla import clocks
from sla.models import DeadlineProposal
from tickets import live
from tickets.models import Event, Message, State, Ticket


class NotAllowed(Refused):
    """A rule of the desk refuses this move, now."""


def lock(ticket: Ticket) -> Ticket:
    """The ticket's row, locked to the end of the transaction, as it is now.

    `no_key`: the sweep, which holds the clocks that a verb is about to stop, may still write escalations that point at
    the ticket. A full lock made the two wait for each other for ever (PostgreSQL then kills one of them).
    """
    locked = (
        Ticket.objects.select_for_update(of=("self",), no_key=True)
        .select_related("customer", "terms", "line")
        .get(pk=ticket.pk)
    )
    locked.__dict__["_locked"] = _values(locked)
    return locked


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
    _save_changed(ticket)
    event = happened(ticket, verb, by=by, at=at, message=message, details=details)
    # A proposal of another deadline ends with the clock that it was made for (domain §4.2).
    left_behind = ticket.deadline_proposals.open().filter(commitment__stopped_at__isnull=False)
    for proposal in left_behind.select_related("proposed_by"):
        lapse(ticket, proposal, at=at, why=PROMISE_OVER)
    return event


def happened(
    ticket: Ticket,
    verb: str,
    *,
    by: User | None,
    at: datetime,
    message: Message | None = None,
    details: Mapping[str, Any] | None = None,
) -> Event:
    """Writes what happened to a ticket that is saved already, and tells the watching browsers. One statement."""
    event = insert(Event(ticket=ticket, verb=verb, by=by, at=at, message=message, details=dict(details or {})))
    live.tell(ticket, event)
    return event


def _values(ticket: Ticket) -> dict[str, Any]:
    return {field.attname: getattr(ticket, field.attname) for field in Ticket._meta.concrete_fields}


def _save_changed(ticket: Ticket) -> None:
    """Saves what differs from the row that was locked; of a ticket that did not come through `lock`, all of it."""
    locked: dict[str, Any] | None = ticket.__dict__.get("_locked")
    now = _values(ticket)
    if locked is None:
        ticket.save()
    else:
        changed = [name for name, value in now.items() if locked[name] != value]
        if changed:
            ticket.save(update_fields=changed)
    ticket.__dict__["_locked"] = now


PASSED = "passed"  # why a proposal lapsed: nobody answered before its moment
PROMISE_OVER = "promise over"  # or the clock that it was made for has ended


def lapse(ticket: Ticket, proposal: DeadlineProposal, *, at: datetime, why: str) -> None:
    """An open proposal of a deadline is over without an answer; the ticket is locked (domain §4.2)."""
    proposal.state = DeadlineProposal.State.LAPSED
    proposal.answered_at = at
    proposal.save(update_fields=["state", "answered_at"])
    record(
        ticket,
        "deadline_lapsed",
        by=None,
        at=at,
        details={
            "proposal": proposal.pk,
            "side": proposal.side,
            "proposed_by": proposal.proposed_by.full_name,
            "proposed_at": iso(proposal.proposed_at),
            "from": iso(proposal.old_due),
            "to": iso(proposal.due_at),
            "why": why,
        },
    )


def iso(at: datetime | None) -> str:
    """A moment as events keep it: ISO 8601 in UTC; "" for none."""
    return at.astimezone(UTC).isoformat() if at else ""


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


# Not the answer to an escalation: who was called in by the customer still owes it.
ENDS_WITH_THE_TICKET = (PromiseKind.REACTION, PromiseKind.RESOLUTION, PromiseKind.LINE_ACCEPTANCE)
