"""Jobs of the tickets: read the clock, call one verb for each."""

import logging
import time

from celery import shared_task
from django.db.models import Exists, OuterRef

from contracts.models import ResponsibleContact
from contracts.moment import job_now
from sla.models import DeadlineProposal
from tickets import (
    broadcasts,
    bulk,
    calendar_changes,
    drafts,
    months,
    pace,
    request_draft,
    tally,
    terms_decisions,
    workflow,
)
from tickets.models import State, Ticket
from tickets.search_index import learn_words, read_tickets

log = logging.getLogger(__name__)

SECONDS_OF_A_RUN = 12.0  # less than the 15 s between two runs: one worker is enough for any change of terms


@shared_task
def close_silent() -> int:
    """Closes solved tickets whose customers were silent for five working days (domain §3.2)."""
    now = job_now()
    due = Ticket.objects.filter(state=State.RESOLVED, closes_at__lte=now).order_by("closes_at")
    return sum(workflow.close_silent(ticket, at=now) for ticket in due.iterator(chunk_size=500))


@shared_task
def follow_contacts() -> int:
    """Open tickets follow a change of the responsible contact whose moment has come (domain §2)."""
    now = job_now()
    left_behind = (
        Ticket.objects.exclude(state__in=[State.CLOSED, State.DECLINED])
        .filter(customer=OuterRef("customer"))
        .exclude(contact=OuterRef("user"))
    )
    moved = ResponsibleContact.objects.holding(now).filter(Exists(left_behind)).select_related("customer")
    return sum(len(workflow.follow_contact(row.customer, by=None, at=now)) for row in moved.order_by("pk"))


@shared_task
def apply_terms_changes() -> int:
    """Goes on with the changes of terms that are being counted or applied, for a while; the next run does the rest."""
    found = list(terms_decisions.at_work()[:20])
    for decision in found:
        terms_decisions.advance(decision, at=job_now(), seconds=SECONDS_OF_A_RUN / len(found))
    return len(found)


@shared_task
def lapse_deadlines() -> int:
    """Proposals of another deadline that nobody answered before their moment are over (domain §4.2)."""
    now = job_now()
    passed = DeadlineProposal.objects.open().filter(due_at__lte=now).select_related("ticket")
    return sum(workflow.lapse_deadline(row, at=now) for row in passed.order_by("due_at", "pk").iterator(chunk_size=500))


@shared_task
def apply_calendar_changes() -> int:
    """Goes on with edits of calendars that are being counted or applied, for a while; the next run does the rest."""
    found = list(calendar_changes.at_work()[:20])
    for change in found:
        calendar_changes.advance(change, at=job_now(), seconds=SECONDS_OF_A_RUN / len(found))
    return len(found)


@shared_task
def forget_drafts() -> int:
    """Drafts and their files that nobody came back to for thirty days are deleted (direction §6.6)."""
    return drafts.forget_old(now=job_now()) + request_draft.forget_old(now=job_now())


@shared_task
def close_months() -> int:
    """Freezes the months that are over, for each customer once (domain §4.6)."""
    return months.close_months(at=job_now())


@shared_task
def check_months() -> int:
    """Writes down what has changed in closed months since: a row beside figures that never change (domain §4.6)."""
    return months.check_months(at=job_now())


@shared_task
def advance_bulk_runs() -> int:
    """Goes on with bulk runs, for a while; the next run, or another worker, does the rest (direction §5)."""
    found = list(bulk.at_work()[:20])
    for run in found:
        bulk.advance(run, at=job_now(), seconds=SECONDS_OF_A_RUN / len(found))
    return len(found)


@shared_task
def measure_pace() -> int:
    """Counts how fast the lines lately were, for the forecasts (tickets/pace.py)."""
    return pace.measure(job_now())


@shared_task
def index_search() -> int:
    """Reads tickets from before the search and words that its vocabulary lacks; the rest comes with the next run."""
    until, done = time.monotonic() + SECONDS_OF_A_RUN, 0
    last = 0
    while time.monotonic() < until and (keys := read_tickets(last, 200)):
        done, last = done + len(keys), keys[-1]
    while time.monotonic() < until and learn_words(200)[0]:
        pass
    return done


@shared_task
def send_to_many() -> int:
    """Goes on with messages to many requests, for a while; the next run does the rest (domain §3.3)."""
    found = list(broadcasts.at_work()[:20])
    for broadcast in found:
        broadcasts.advance(broadcast, at=job_now(), seconds=SECONDS_OF_A_RUN / len(found))
    return len(found)


@shared_task
def fold_tally() -> None:
    """Puts the steps of the board's ledgers together."""
    tally.fold()
