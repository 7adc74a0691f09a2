"""The house's own jobs."""

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore


@shared_task
def forget_sessions() -> None:
    """Deletes the sessions that are over, and what lay in them (helpdesk/unsent.py). Safe to run twice."""
    SessionStore.clear_expired()
