"""Links between tickets, of one customer or of two: the desk's own knowledge (domain §3.1, §7)."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from tickets.models import Ticket, TicketLink
from tickets.workflow.gates import NotAllowed, lock, only_desk, record


def lock_both(one: Ticket, other: Ticket) -> tuple[Ticket, Ticket]:
    """Both rows locked, the older first whoever asks: two people who tie the same two never wait for each other."""
    rows = {ticket.pk: lock(ticket) for ticket in sorted((one, other), key=lambda ticket: ticket.pk)}
    return rows[one.pk], rows[other.pk]


@transaction.atomic
def link(ticket: Ticket, *, to: Ticket, kind: str, by: User, at: datetime) -> TicketLink:
    """Says that a ticket has to do with another one: "`ticket` repeats `to`". Once for a pair, whichever way round.

    Said again it changes nothing. Raises `NotAllowed` for a link to itself and for a kind that a person cannot choose,
    `Forbidden` for anybody but the desk.
    """
    only_desk(by)
    if ticket.pk == to.pk:
        raise NotAllowed(_("A request cannot be linked to itself."))
    if kind not in TicketLink.CHOSEN:
        raise NotAllowed(_("Choose how the two requests have to do with each other."))
    ticket, to = lock_both(ticket, to)
    earlier = of_pair(ticket, to).filter(kind=kind).first()
    if earlier is not None and (earlier.source_id == ticket.pk or kind == TicketLink.Kind.RELATES):
        return earlier  # the second click of two
    if earlier is not None:
        raise NotAllowed(
            _("№ %(number)s is linked to this request the other way round: remove that link first.")
            % {"number": to.number}
        )
    return tie(ticket, to, kind, by=by, at=at)


def tie(source: Ticket, target: Ticket, kind: str, *, by: User, at: datetime) -> TicketLink:
    """Writes the link and both events; both rows are locked."""
    made = TicketLink.objects.create(source=source, target=target, kind=kind, by=by, at=at)
    for ticket, other, is_source in ((source, target, True), (target, source, False)):
        details = {"kind": kind, "number": other.number, "source": is_source}
        record(ticket, "linked", by=by, at=at, details=details)
    return made


def of_pair(one: Ticket, other: Ticket):
    return TicketLink.objects.filter(Q(source=one, target=other) | Q(source=other, target=one))


@transaction.atomic
def unlink(made: TicketLink, *, by: User, at: datetime) -> None:
    """Takes a link away, in both timelines; one that is gone already changes nothing.

    Raises `NotAllowed` for a link that says where a ticket came from (split), `Forbidden` for anybody but the desk.
    """
    only_desk(by)
    source, target = lock_both(made.source, made.target)
    if not TicketLink.objects.filter(pk=made.pk).exists():
        return
    if made.kind not in TicketLink.CHOSEN:
        raise NotAllowed(_("This link is a fact of both requests: it stays."))
    kind = made.kind
    made.delete()
    for ticket, other, is_source in ((source, target, True), (target, source, False)):
        details = {"kind": kind, "number": other.number, "source": is_source}
        record(ticket, "unlinked", by=by, at=at, details=details)
