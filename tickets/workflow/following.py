"""A closed ticket is not reopened: it goes on in a new one, linked as its follow-up (domain §3.2)."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.models import State, Ticket
from tickets.workflow.gates import NotAllowed, lock, needs_words, only_desk
from tickets.workflow.receipt import open_ticket


def may_follow_up(ticket: Ticket) -> bool:
    """Whether the desk goes on in another ticket: of one that is closed, and not merged into an open one."""
    return ticket.state == State.CLOSED and ticket.merged_into_id is None


@transaction.atomic
def follow_up(ticket: Ticket, *, by: User, subject: str, body: str, at: datetime, key: str | None = None) -> Ticket:
    """Opens the follow-up of a closed ticket: the same customer, product and topic; the contact reads `body`.

    It has promises of its own from now on. A repeated `key` returns the first one. Raises `NotAllowed`, and
    `entitlement.NotCovered` where no contract is in force.
    """
    only_desk(by)
    ticket = lock(ticket)
    if not may_follow_up(ticket):
        raise NotAllowed(_("Only a closed request is followed up: in this one you can go on."), "3.2")
    body = needs_words(body, _("Write what the follow-up is about: the customer reads it."), "3.2")
    return open_after(ticket, by=by, subject=subject, body=body, at=at, key=key)


def open_after(ticket: Ticket, **said: Any) -> Ticket:
    """Opens the ticket that goes on from this one, whoever asks for it; `said` as for `open_ticket`."""
    return open_ticket(
        customer=ticket.customer,
        kind=ticket.kind,
        topic=ticket.topic,
        priority=ticket.priority,
        product=ticket.product,
        release=ticket.release,
        language=ticket.language,
        follows=ticket,
        **said,
    )
