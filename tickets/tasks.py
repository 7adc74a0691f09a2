"""Jobs of the tickets: read the clock, call one verb for each."""

import logging

from celery import shared_task
from django.utils import timezone

from tickets import workflow
from tickets.models import State, Ticket

log = logging.getLogger(__name__)


@shared_task
def close_silent() -> int:
    """Closes solved tickets whose customers were silent for five working days (domain §3.2)."""
    now = timezone.now()
    due = Ticket.objects.filter(state=State.RESOLVED, closes_at__lte=now).order_by("closes_at")
    return sum(workflow.close_silent(ticket, at=now) for ticket in due.iterator(chunk_size=500))
