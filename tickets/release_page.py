"""What a release's page says of the requests whose defects it fixes: who hears of it, and who cannot have it.

Reads only, in a constant number of statements.
"""

from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import QuerySet

from contracts import publishing
from contracts.models import ReleasePublication
from tickets.event_words import beyond_words
from tickets.models import Defect, Ticket, TicketQuerySet

SHOWN = 50


class Unreached(NamedTuple):
    """A request that hears of the fix while its customer is not told of the release, and why."""

    ticket: Ticket
    why: str


def that_hear(publication: ReleasePublication) -> TicketQuerySet:
    """The requests of the defects whose fix the release brings, which its publication tells or told (domain §3.3)."""
    state = Defect.State.FIXED if publication.published_at is None else Defect.State.RELEASED
    return Ticket.objects.filter(defect__fixed_in=publication.release_id, defect__state=state)


def unreached(publication: ReleasePublication, *, at: datetime) -> tuple[list[Unreached], int]:
    """Those of them whose customers the release does not concern, the first fifty, and how many there are."""
    concerned: QuerySet[Any, Any] = publication.notices.values("customer")
    if publication.published_at is None:
        concerned = publishing.audience(publication, at=at).values("pk")
    found = that_hear(publication).exclude(customer__in=concerned)
    tickets = list(found.select_related("customer").order_by("pk")[:SHOWN])
    why = publishing.beyond(publication, {ticket.customer_id for ticket in tickets}, at=at)
    rows = [
        Unreached(ticket, beyond_words(why[ticket.customer_id].why, why[ticket.customer_id].versions))
        for ticket in tickets
    ]
    return rows, found.count() if len(rows) == SHOWN else len(rows)
