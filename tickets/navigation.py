"""What the frame of the vendor's pages asks of the desk: counts for the rail, the edition of the catalogue."""

from django.utils import timezone

from accounts.models import User
from contracts.kept import edition_now
from tickets.queue import glance


def desk_counts(user: User) -> dict[str, int]:
    """Overdue tickets of the person's own lines, and open escalations that wait for this person; one statement."""
    if not (user.works_at_desk or user.sees_board):
        return {"late": 0, "escalations": 0}
    seen = glance(user, timezone.now())
    return {"late": seen.late if user.works_at_desk else 0, "escalations": seen.escalations}


def edition_for(user: User) -> int | None:
    """The edition of the catalogue: known already to who has a desk or a board; for others one statement."""
    if user.works_at_desk or user.sees_board:
        return glance(user, timezone.now()).edition
    return edition_now()
