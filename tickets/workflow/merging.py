"""Two tickets of one customer become one conversation (domain §4.4 "merged").

*Decisions*. Merging cannot be undone, so a page shows before what it does. The merged ticket is closed with a pointer
to the other, which is always the last one: its address, its mail and its files lead there. Its conversation and the
time spent on it move, with what anybody is still writing there, its events and hand-overs stay where they happened.

A promise is not lost by merging, and none is made twice. Of the two running promises of a kind the stricter goes on in
the remaining ticket: the one whose deadline comes first, counted as if a clock that stands went on now. Where only the
merged ticket had one running, it goes on there too: merging answers nobody, so it meets no reaction. What was missed
already stays on the merged ticket's record and is not carried over, or one miss would be counted twice. An escalation
of the customer is still answered where it was made.
"""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from sla import clocks
from sla.clocks import Carried
from tickets import drafts, reading
from tickets.models import Message, State, Ticket, TimeEntry
from tickets.workflow.gates import ENDS_WITH_THE_TICKET, NotAllowed, iso, lock, move, only_desk, record
from tickets.workflow.relations import lock_both


def may_merge(ticket: Ticket, into: Ticket) -> None:
    """Raises `NotAllowed` with the reason where these two cannot be merged."""
    if ticket.pk == into.pk:
        raise NotAllowed(_("A request cannot be merged into itself."))
    if ticket.customer_id != into.customer_id:
        raise NotAllowed(
            _(
                "№ %(number)s is a request of another customer. Only requests of one customer can be merged: each "
                "company reads its own conversation. Link the two instead."
            )
            % {"number": into.number},
            "7",
        )
    if not ticket.is_open:
        raise NotAllowed(_("Only an open request can be merged into another one."), "3.2")
    if not into.is_open:
        raise NotAllowed(
            _("№ %(number)s is “%(state)s”: merge into an open request, or reopen that one first.")
            % {"number": into.number, "state": into.get_state_display()},
            "3.2",
        )


@transaction.atomic
def merge(ticket: Ticket, *, into: Ticket, by: User, at: datetime) -> Ticket:
    """Closes a ticket as merged into another one of its customer; returns that one, as it is then.

    Merging again into the same one returns it. Raises as `may_merge`; `Forbidden` for anybody but the desk.
    """
    only_desk(by)
    if ticket.pk == into.pk:
        may_merge(ticket, into)
    ticket, into = lock_both(ticket, into)
    if ticket.merged_into_id == into.pk:
        return into  # the second click of two
    may_merge(ticket, into)
    move(ticket, "merge")
    carried = clocks.carry_over(ticket, into, at=at, why=clocks.MERGED, stands=into.state == State.AWAITING_CUSTOMER)
    clocks.cancel(ticket, at=at, why=clocks.MERGED, kinds=ENDS_WITH_THE_TICKET)
    reading.follow(ticket, into)
    drafts.follow(ticket, into)
    # Keys of clicks are of their ticket: those of the other one could be the same.
    Message.objects.filter(ticket=ticket).update(ticket=into, idempotency_key=None)
    TimeEntry.objects.filter(ticket=ticket).update(ticket=into, idempotency_key=None)
    Ticket.objects.filter(merged_into=ticket).update(merged_into=into)
    into.defect = into.defect or ticket.defect
    ticket.merged_into = into
    ticket.closed_at = at
    ticket.closes_at = ticket.awaiting_since = None
    details = {"number": into.number, "carried": [one.new.kind for one in carried]}
    record(ticket, "merged", by=by, at=at, details=details)
    came = {"number": ticket.number, "subject": ticket.subject, "promises": [_told(one) for one in carried]}
    record(into, "merged_in", by=by, at=at, details=came)
    return into


def _told(carried: Carried) -> dict[str, Any]:
    """A promise that came along, whole: replay has nothing else to know it by (domain §4.3)."""
    new = carried.new
    return {
        "clock": new.pk,
        "kind": new.kind,
        "priority": new.priority,
        "amount": new.amount,
        "unit": new.unit,
        "seconds": new.target.total_seconds(),
        "terms": new.terms_id,
        "clause": new.clause_id,
        "version": new.calendar_version_id,
        "started": iso(new.started_at),
        "pauses": [[iso(span.lower), iso(span.upper)] for span in new.pauses],
        "agreed": new.agreed,
        "from": iso(carried.old_due),
        "to": iso(new.due_at),
    }


def remaining(ticket: Ticket) -> Ticket:
    """Where what is said to this ticket goes: itself, or the one that it was merged into, locked."""
    return lock(ticket.merged_into) if ticket.merged_into is not None else ticket
