"""What the sections of the desk call attention to: counts for the rail."""

from django.utils import timezone

from accounts.models import User
from tickets.queue import glance


def desk_counts(user: User) -> dict[str, int]:
    """Overdue tickets of the person's own lines, and open escalations that wait for this person; one statement."""
    if not (user.works_at_desk or user.sees_board):
        return {"late": 0, "escalations": 0}
    seen = glance(user, timezone.now())
    return {"late": seen.late if user.works_at_desk else 0, "escalations": seen.escalations}
