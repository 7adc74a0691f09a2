"""Taking the most urgent: two who press at once get two requests (direction §5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from sla import words
from tickets import urgency
from tickets.models import Skill, Ticket, TicketQuerySet
from tickets.workflow.desk import accept
from tickets.workflow.gates import NotAllowed, only_desk
from tickets.workflow.lines import hand_over_waiting, receives


@dataclass(frozen=True)
class Taken:
    """The ticket that is theirs now, and in words why this one."""

    ticket: Ticket
    why: str


@transaction.atomic
def take_most_urgent(*, by: User, at: datetime, among: TicketQuerySet, lines: Sequence[int] = ()) -> Taken:
    """Accepts the most urgent of these tickets that nobody works on. `NotAllowed` says which emptiness there is.

    `lines` are those of the tickets, where lines say which these are (`urgency.heads`).

    A row that somebody else is taking right now is passed over (SKIP LOCKED), and one that they have taken in the
    meantime is no longer waiting.
    """
    only_desk(by)
    tried: set[int] = set()
    while ranked := [one for one in urgency.most_urgent(among, by, lines) if one.waiting.pk not in tried]:
        for one in ranked:
            tried.add(one.waiting.pk)
            free = among.filter(urgency.is_waiting(by.pk), pk=one.waiting.pk).order_by()
            ticket = free.select_for_update(skip_locked=True, of=("self",), no_key=True).first()
            if ticket is not None and _may_take(ticket, by=by, at=at):
                known = Skill.objects.filter(user=by, product=ticket.product_id).values_list("level", flat=True)
                why = one.facts(known.first() or 0)
                return Taken(accept(ticket, by=by, at=at, why=why), one.why(at=at))
    raise NotAllowed(_emptiness(among, at))


def _may_take(ticket: Ticket, *, by: User, at: datetime) -> bool:
    """What was handed over to a line waits for its own people; all else that nobody has is anybody's."""
    waiting = hand_over_waiting(ticket)
    return waiting is None or receives(ticket, waiting, by=by, at=at)


def _emptiness(among: TicketQuerySet, at: datetime) -> str:
    if not among.open().exists():
        return _("There is no open request here.")
    running = among.open().filter(clock_paused=False, due_at__isnull=False).by_deadline().values_list("due_at").first()
    if running is None or running[0] is None:
        return _("Somebody works on every request here.")
    nearest = words.moment(running[0], words.MOSCOW, at, "short")
    return _("Somebody works on every request here. The nearest deadline: %(moment)s.") % {"moment": nearest}
