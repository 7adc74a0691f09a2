"""The one clock of the jobs is the database's: many machines work, one says what time it is.

A worker whose own clock runs an hour ahead would call people in, end contracts and give letters up an hour early; one
that runs behind, late. So jobs ask the database for the moment they act at, and a wrong clock is named in the log and
by `/clockz` instead of being believed.
"""

import logging
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

log = logging.getLogger(__name__)

WRONG = timedelta(seconds=30)


def database_now() -> datetime:
    """The moment by the database's clock, aware, UTC. Raises `DatabaseError` where it does not answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def job_now() -> datetime:
    """The moment a job acts at: the database's; a clock of this machine that is wrong is logged. Aware, UTC."""
    now = database_now()
    off = timezone.now() - now
    if abs(off) > WRONG:
        log.error("the clock of this machine is off by %s; the job goes by the database's", off)
    return now
