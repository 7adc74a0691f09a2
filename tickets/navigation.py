"""What the sections of the desk call attention to: counts for the rail."""

from django.db.models import Count, Q
from django.utils import timezone

from accounts.models import BOARD_ROLES, User
from sla.models import Escalation
from tickets.models import Ticket


def desk_counts(user: User) -> dict[str, int]:
    """Overdue tickets of the person's own lines, and open escalations that wait for this person."""
    counts = {"late": 0, "escalations": 0}
    if user.works_at_desk:
        late = Ticket.objects.open().filter(due_at__lt=timezone.now(), clock_paused=False)
        lines = [line.pk for line in user.lines.all()]
        if lines:
            late = late.filter(line__in=lines)
        counts["late"] = late.count()
    if user.role in BOARD_ROLES:
        counts["escalations"] = Escalation.objects.filter(
            Q(person=user) | Q(person__isnull=True, whom=user.role), state=Escalation.State.OPEN
        ).aggregate(n=Count("pk"))["n"]
    return counts
