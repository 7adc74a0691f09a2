"""Who is next, as verbs: the best of the shift is assigned, by a lead or by itself, and who is away is relieved (§3.3).

Assigning is not accepting: the reaction waits for the person. The event keeps the reasons.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import DESK_ROLES, Absence, Choosing, Role, User
from accounts.refusals import Forbidden
from tickets.models import Ticket
from tickets.next_engineer import who_is_next
from tickets.workflow.gates import NotAllowed, lock, record

ASSIGNERS = frozenset({Role.LINE_LEAD, Role.SUPPORT_MANAGER})
OTHERS_KEPT = 5  # of those who were not chosen, as many are kept beside the reasons


def only_assigners(by: User | None) -> None:
    """A lead, the support manager, or the desk itself (None)."""
    if by is not None and by.role not in ASSIGNERS:
        raise Forbidden(_("A line lead or the support manager assigns; you can take the request yourself."))


@transaction.atomic
def assign_next(ticket: Ticket, *, by: User | None, at: datetime) -> Ticket:
    """Assigns the best of who is on the line's shift; `by` None is the desk itself. Nobody there: `NotAllowed` says so.

    Who has it already may stay: then nothing happens.
    """
    only_assigners(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("Only an open request can be assigned."), "3.2")
    if not _assign_best(ticket, by=by, at=at):
        raise NotAllowed(who_is_next(ticket, at=at).nobody, "3.3")
    return ticket


def choose_at_once(ticket: Ticket, *, at: datetime, but: Iterable[int] = ()) -> None:
    """At the receipt and at a hand-over, under the ticket's lock: where the line has it so, the next engineer gets it.

    Nobody on shift: nobody is assigned, and the ticket's page says when somebody comes.
    """
    if ticket.line.choosing == Choosing.ASSIGN and ticket.assignee_id is None:
        _assign_best(ticket, by=None, at=at, but=but)


def _assign_best(
    ticket: Ticket, *, by: User | None, at: datetime, but: Iterable[int] = (), more: dict[str, Any] | None = None
) -> bool:
    found = who_is_next(ticket, at=at, but=but)
    if found.best is None:
        return False
    why, *others = found.facts()
    to = User.objects.get(pk=found.best.candidate.person)
    if ticket.assignee_id != to.pk:
        _assign(ticket, to, by=by, at=at, details={"why": why, "others": others[:OTHERS_KEPT], **(more or {})})
    return True


def _assign(ticket: Ticket, to: User, *, by: User | None, at: datetime, details: dict[str, Any]) -> None:
    was = ticket.assignee
    ticket.assignee = to
    if by is not None and ticket.owner_id is None:  # as a lead's own choice; by itself the owner is who accepts
        ticket.owner = to
    kept = {"from": was.full_name if was else "", "to": to.full_name, "assignee": to.pk, "automatic": by is None}
    record(ticket, "assigned", by=by, at=at, details={**kept, **details})


@transaction.atomic
def relieve(ticket: Ticket, *, by: User, at: datetime) -> Ticket:
    """The assignee is away: their stand-in gets the ticket, else the best of the line's shift (domain §4.4)."""
    only_assigners(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("Only an open request can be assigned."), "3.2")
    away = Absence.objects.at(at).filter(user=ticket.assignee_id).select_related("user", "substitute").first()
    if away is None:
        raise NotAllowed(_("Its assignee is not away."), "4.4")
    stands_in = away.substitute
    name = away.user.full_name
    if stands_in is not None and _works(stands_in, at):
        _assign(ticket, stands_in, by=by, at=at, details={"away": name})
        return ticket
    if not _assign_best(ticket, by=by, at=at, more={"away": name}):
        raise NotAllowed(who_is_next(ticket, at=at).nobody, "3.3")
    return ticket


def _works(person: User, at: datetime) -> bool:
    return person.is_active and person.role in DESK_ROLES and not Absence.objects.at(at).filter(user=person.pk).exists()
