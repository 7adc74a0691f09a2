"""Taking the most urgent: two who press at once get two requests (direction §5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from sla import words
from tickets import urgency
from tickets.models import Ticket, TicketQuerySet
from tickets.workflow.desk import accept
from tickets.workflow.gates import NotAllowed, only_desk


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
            if ticket is not None:
                return Taken(accept(ticket, by=by, at=at), one.why(at=at))
    raise NotAllowed(_emptiness(among, at))


def _emptiness(among: TicketQuerySet, at: datetime) -> str:
    if not among.open().exists():
        return _("There is no open request here.")
    running = among.open().filter(clock_paused=False, due_at__isnull=False).by_deadline().values_list("due_at").first()
    if running is None or running[0] is None:
        return _("Somebody works on every request here.")
    nearest = words.moment(running[0], words.MOSCOW, at, "short")
    return _("Somebody works on every request here. The nearest deadline: %(moment)s.") % {"moment": nearest}
