"""How the like was solved before: solved tickets about the same product and topic, the likest subjects first (§6.7).

The candidates are the newest few hundred of `ticket_solved_like`, so the cost does not grow with the desk's history.
"""

from dataclasses import dataclass

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import OuterRef, Subquery

from sla import words
from tickets.models import Event, State, Ticket

CANDIDATES = 400
SHOWN = 5
LIKE_ENOUGH = 0.12  # trigrams of two subjects in common; below it is chance


@dataclass(frozen=True)
class Similar:
    """A solved ticket, how it was solved, in what time, and the customer's rating (None: not rated)."""

    ticket: Ticket
    how: str
    within: str
    score: int | None


def similar_to(ticket: Ticket) -> list[Similar]:
    """At most five solved tickets like this one, of any customer: for the desk alone. One statement."""
    solved = [State.RESOLVED, State.CLOSED]
    newest = (
        Ticket.objects.filter(state__in=solved, merged_into__isnull=True, **_about(ticket))
        .exclude(pk=ticket.pk)
        .order_by("-pk")
        .values("pk")[:CANDIDATES]
    )
    how = Event.objects.filter(ticket=OuterRef("pk"), verb="resolved", message__isnull=False).order_by("-at", "-pk")
    rows = (
        Ticket.objects.filter(pk__in=newest)
        .annotate(near=TrigramSimilarity("subject", ticket.subject), how=Subquery(how.values("message__body")[:1]))
        .filter(near__gte=LIKE_ENOUGH, how__isnull=False)
        .select_related("customer", "rating")
        .order_by("-near", "-pk")[:SHOWN]
    )
    return [
        Similar(
            row,
            row.how,
            words.span(row.resolved_at - row.opened_at) if row.resolved_at else "",
            row.rating.score if hasattr(row, "rating") else None,
        )
        for row in rows
    ]


def _about(ticket: Ticket) -> dict[str, object]:
    """The same product and topic, also where either is not named: then nobody named it there."""
    about = {"product": ticket.product_id, "topic": ticket.topic_id}
    return {(name if value is not None else f"{name}__isnull"): value or True for name, value in about.items()}
