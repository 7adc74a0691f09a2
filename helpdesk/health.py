"""Whether this process is up (`/healthz`) and whether it can work (`/readyz`). Words for machines, not translated."""

import logging

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from contracts.moment import WRONG, database_now
from helpdesk.cache import DispensableCache
from sla.sweep import late_since

log = logging.getLogger(__name__)


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as soon as the process answers; asks nothing of anybody, so a database outage restarts no web server."""
    return HttpResponse("up\n", content_type="text/plain")


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if the database and Redis answer, else 503; one line for each part. The reasons go to the log only."""
    parts = {"database": database_answers(), "redis": redis_answers()}
    text = "".join(f"{part}: {'ok' if answers else 'does not answer'}\n" for part, answers in parts.items())
    return HttpResponse(text, content_type="text/plain", status=200 if all(parts.values()) else 503)


@never_cache
def clockz(request: HttpRequest) -> HttpResponse:
    """200 while the promises are watched and this machine's clock is right; else 503 with what is wrong.

    The alarm for an operator's monitor. Right is what the database's clock says (contracts/moment.py).
    """
    try:
        now = database_now()
        since = late_since(now)
    except DatabaseError as problem:
        log.warning("clockz: the database does not answer: %s", problem)
        return HttpResponse("clocks: the database does not answer\n", content_type="text/plain", status=503)
    off = timezone.now() - now
    if abs(off) > WRONG:
        text = f"clocks: this machine's is off by {off.total_seconds():+.0f} s against the database's\n"
        return HttpResponse(text, content_type="text/plain", status=503)
    if since is None:
        return HttpResponse("clocks: ok\n", content_type="text/plain")
    text = f"clocks: not looked at since {since.isoformat(timespec='seconds')}\n"
    return HttpResponse(text, content_type="text/plain", status=503)


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as problem:
        log.warning("readyz: the database does not answer: %s", problem)
        return False
    return True


def redis_answers() -> bool:
    cache = caches["default"]
    return isinstance(cache, DispensableCache) and cache.answers()
