"""Jobs of the contracts: read the clock, call one verb for each."""

import logging

from celery import shared_task

from contracts import signing
from contracts.models import Contract
from contracts.moment import job_now
from contracts.pricing import PricingError
from contracts.signing.documents import LANGUAGES, document_of, without_documents

log = logging.getLogger(__name__)


@shared_task
def expire_contracts() -> int:
    """Ends the contracts whose last day is over, by the Moscow calendar; how many (domain §2). Safe to run twice."""
    today = signing.moscow_day(job_now())
    over = Contract.objects.filter(state=Contract.State.ACTIVE, ends_on__lt=today).order_by("ends_on", "pk")
    return sum(signing.expire(contract, on=today) for contract in over)


@shared_task
def cover_added_licences() -> int:
    """Adds the lines of licences that began after the signing; how many (domain §1.7.5). Safe to run twice."""
    today = signing.moscow_day(job_now())
    added = 0
    for contract in Contract.objects.in_force(today).order_by("pk"):
        try:
            added += len(signing.cover_added_licences(contract, on=today))
        except PricingError:
            log.exception("contract %s: an added licence could not be priced", contract.number)
    return added


@shared_task
def offer_renewals() -> int:
    """Offers the successors of contracts that end within 90 days; how many offers (domain §2). Safe to run twice."""
    return signing.offer_renewals(at=job_now())


@shared_task
def notice_gaps() -> dict[str, int]:
    """Opens and closes coverage gaps by the Moscow calendar; how many of each (domain §1.1). Safe to run twice."""
    opened, closed = signing.notice_gaps(at=job_now())
    return {"opened": opened, "closed": closed}


@shared_task
def keep_documents() -> int:
    """Makes the documents of contracts signed since the last round, in each language; how many. Safe to run twice."""
    made = 0
    for contract in without_documents(job_now()):
        try:
            for language in LANGUAGES:
                document_of(contract, language=language)
                made += 1
        except Exception:  # one document that cannot be made never stops the rest; the reader would be told
            log.exception("contract %s: its document could not be made", contract.number)
    return made
