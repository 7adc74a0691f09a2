"""An edit of a calendar is applied to a running request, after a person has seen the preview (domain §4, §4.1)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from sla import clocks
from sla.calendars import only_editors
from sla.models import CalendarVersion
from tickets.models import Ticket
from tickets.workflow.gates import NotAllowed, lock, needs_words, record
from tickets.workflow.terms import told

WHY = "calendar applied"


@transaction.atomic
def apply_calendar(ticket: Ticket, version: CalendarVersion, *, by: User, at: datetime, reason: str) -> Ticket:
    """The running promises of an open request that stand on this calendar are counted by another version of it.

    Each from its true start, with all its pauses; one that is late by that is missed at once. What was missed, has
    ended, or was agreed individually stays. From now on the ticket is pinned to the version. The event keeps the old
    and the new deadline of each. Raises `NotAllowed` for a request that is not open or has no such promise (applied
    already, say), `Forbidden` for everybody but the administrator.
    """
    only_editors(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(
            _("This request is “%(state)s”: only open requests are counted by other hours.")
            % {"state": ticket.get_state_display()},
            "4",
        )
    reason = needs_words(reason, _("Write why the calendar changes: the customers read it."), "4")
    moved = clocks.change_calendar(ticket, version, at=at, why=WHY)
    if not moved:
        raise NotAllowed(
            _("No promise of this request that still runs counts by another version of this calendar."), "4"
        )
    record(
        ticket,
        "calendar_applied",
        by=by,
        at=at,
        details={
            "calendar": version.calendar.code,
            "version": version.pk,
            "since": version.valid_from.isoformat(),
            "reason": reason,
            "promises": [told(one) for one in moved],
        },
    )
    return ticket
