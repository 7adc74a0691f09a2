"""Jobs of the promises: read the clock, call one function."""

from celery import shared_task

from contracts.moment import job_now
from sla.sweep import sweep


@shared_task
def sweep_clocks() -> int:
    """Climbs the ladders that are due; safe to run twice or at once (sla/sweep.py)."""
    return sweep(job_now()).escalations
