"""Who speaks for the customer changes, and the tickets follow (domain §2)."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from contracts import signing
from contracts.models import ContactChange, Customer, ResponsibleContact
from tickets.models import State, Ticket
from tickets.workflow.gates import lock, record


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


# The change as a process (contracts/signing/contact_changes.py), with the tickets in the same transaction. What is
# planned, its beginning and its end alike, the tickets follow by the job of every minute (`tickets.tasks`).


@transaction.atomic
def ask_contact_change(
    customer: Customer,
    *,
    user: User,
    starts_at: datetime,
    ends_at: datetime | None = None,
    reason: str,
    by: User,
    at: datetime,
    evidence: str = "",
) -> ContactChange:
    """Asks for a change; where it is agreed with that already, the tickets follow. As `signing.ask_contact_change`."""
    change = signing.ask_contact_change(
        customer, user=user, starts_at=starts_at, ends_at=ends_at, reason=reason, by=by, at=at, evidence=evidence
    )
    _follow(change, by=by, at=at)
    return change


@transaction.atomic
def agree_contact_change(change: ContactChange, *, by: User, at: datetime, evidence: str = "") -> ContactChange:
    """One side says yes; with the second yes the tickets follow. As `signing.agree_contact_change`."""
    change = signing.agree_contact_change(change, by=by, at=at, evidence=evidence)
    _follow(change, by=by, at=at)
    return change


@transaction.atomic
def withdraw_contact_change(change: ContactChange, *, by: User, at: datetime) -> ContactChange:
    """Takes a change back; the tickets of a substitution that ends by that go back. As `signing` has it."""
    change = signing.withdraw_contact_change(change, by=by, at=at)
    _follow(change, by=by, at=at)
    return change


def _follow(change: ContactChange, *, by: User, at: datetime) -> None:
    if change.rows.exists():
        follow_contact(change.customer, by=by, at=at)
