"""Jobs of the mail: read the clock, call two functions."""

from celery import shared_task

from contracts.moment import job_now
from mail import digests, outbound


@shared_task
def deliver() -> dict[str, int]:
    """Writes the letters of what has happened and sends those that are due; safe to run twice or at once."""
    return {"written": outbound.write_letters(job_now()), "sent": outbound.send_letters(job_now())}


@shared_task
def send_digests() -> int:
    """Writes the daily digests whose nine o'clock has come; safe to run twice or at once."""
    return digests.send_digests(job_now())
