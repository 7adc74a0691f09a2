"""Jobs of the contracts: read the clock, call one verb for each."""

import logging

from celery import shared_task
from django.utils import timezone

from contracts import signing
from contracts.models import Contract
from contracts.pricing import PricingError

log = logging.getLogger(__name__)


@shared_task
def expire_contracts() -> int:
    """Ends the contracts whose last day is over, by the Moscow calendar; how many (domain §2). Safe to run twice."""
    today = signing.moscow_day(timezone.now())
    over = Contract.objects.filter(state=Contract.State.ACTIVE, ends_on__lt=today).order_by("ends_on", "pk")
    return sum(signing.expire(contract, on=today) for contract in over)


@shared_task
def cover_added_licences() -> int:
    """Adds the lines of licences that began after the signing; how many (domain §1.7.5). Safe to run twice."""
    today = signing.moscow_day(timezone.now())
    added = 0
    for contract in Contract.objects.in_force(today).order_by("pk"):
        try:
            added += len(signing.cover_added_licences(contract, on=today))
        except PricingError:
            log.exception("contract %s: an added licence could not be priced", contract.number)
    return added
