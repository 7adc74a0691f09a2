"""Jobs of the tickets: read the clock, call one verb for each."""

import logging

from celery import shared_task
from django.db.models import Exists, OuterRef
from django.utils import timezone

from contracts.models import ResponsibleContact
from tickets import workflow
from tickets.models import State, Ticket

log = logging.getLogger(__name__)


@shared_task
def close_silent() -> int:
    """Closes solved tickets whose customers were silent for five working days (domain §3.2)."""
    now = timezone.now()
    due = Ticket.objects.filter(state=State.RESOLVED, closes_at__lte=now).order_by("closes_at")
    return sum(workflow.close_silent(ticket, at=now) for ticket in due.iterator(chunk_size=500))


@shared_task
def follow_contacts() -> int:
    """Open tickets follow a change of the responsible contact whose moment has come (domain §2)."""
    now = timezone.now()
    left_behind = (
        Ticket.objects.exclude(state__in=[State.CLOSED, State.DECLINED])
        .filter(customer=OuterRef("customer"))
        .exclude(contact=OuterRef("user"))
    )
    moved = ResponsibleContact.objects.holding(now).filter(Exists(left_behind)).select_related("customer")
    return sum(len(workflow.follow_contact(row.customer, by=None, at=now)) for row in moved.order_by("pk"))
