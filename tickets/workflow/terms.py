"""A change of a package's terms is applied to a running request, after a person has seen the preview (domain §4)."""

from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.catalogue import only_editors
from contracts.models import PackageTerms
from sla import clocks
from tickets.models import Ticket
from tickets.workflow.gates import NotAllowed, lock, needs_words, record
from tickets.workflow.waiting import stood_of


@transaction.atomic
def apply_terms(ticket: Ticket, terms: PackageTerms, *, by: User, at: datetime, reason: str) -> Ticket:
    """An open request goes over to other terms of its own package (domain §4); its contract keeps those it has.

    Each running promise that differs is counted anew from its true start with all its pauses; one that is late by that
    is missed at once. What has ended stays. The event keeps the old and the new deadlines. Raises `NotAllowed` for a
    request that is not open, is of another package or stands on these terms already; `Forbidden` for everybody but the
    administrator.
    """
    only_editors(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(
            _("This request is “%(state)s”: only open requests go over to other terms.")
            % {"state": ticket.get_state_display()},
            "4",
        )
    was = ticket.terms
    if was.package_id != terms.package_id:
        raise NotAllowed(_("This request is of another package."), "4")
    if was.pk == terms.pk:
        raise NotAllowed(_("This request stands on these terms already."), "4")
    reason = needs_words(reason, _("Write why the terms change: the customers read it."), "4")
    ticket.terms = terms
    moved = clocks.change_terms(ticket, at=at, why="terms applied", stood=stood_of(ticket))
    record(
        ticket,
        "terms_applied",
        by=by,
        at=at,
        details={
            "package": terms.package.code,
            "from": was.starts_on.isoformat(),
            "to": terms.starts_on.isoformat(),
            "reason": reason,
            "promises": [told(one) for one in moved],
        },
    )
    return ticket


def told(moved: clocks.Moved) -> dict[str, Any]:
    """What became of one promise, as it is kept: deadlines as ISO 8601 in UTC, null for none."""
    return {
        "kind": str(moved.kind),
        "from": moved.old_due.astimezone(UTC).isoformat() if moved.old_due else None,
        "to": moved.new_due.astimezone(UTC).isoformat() if moved.new_due else None,
        "missed": moved.missed,
    }
