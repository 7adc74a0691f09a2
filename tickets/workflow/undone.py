"""Taking back one's own bulk assignment: the ticket is again whose it was (direction §5)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.models import Ticket
from tickets.workflow.gates import NotAllowed, lock, only_desk, record


@transaction.atomic
def put_back_assignee(ticket: Ticket, *, by: User, to: User | None, owner: User | None, at: datetime) -> Ticket:
    """The assignee, and the owner, as they were before: also nobody, which no other verb gives back.

    The state and the clocks stay: a reaction that was met is met.
    """
    only_desk(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("Only an open request can be assigned."), "3.2")
    was = ticket.assignee
    if ticket.assignee == to and ticket.owner == owner:
        return ticket
    ticket.assignee, ticket.owner = to, owner
    details = {
        "from": was.full_name if was else "",
        "to": to.full_name if to else "",
        "assignee": to.pk if to else None,
    }
    record(ticket, "assignment_undone", by=by, at=at, details=details)
    return ticket
