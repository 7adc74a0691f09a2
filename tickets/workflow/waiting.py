"""When a ticket waited for its customer, by its own history: what its clocks pause for (domain §4.1)."""

from collections.abc import Iterable
from datetime import datetime

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from sla import clocks
from tickets.models import Ticket

# What makes a resolution clock stand, and what sets it going again (domain §4.1).
STANDS = {"asked_customer", "resolved"}

GOES_ON = {"customer_replied", "stopped_waiting", "restored", "restore_contested", "reopened"}


def stood_of(ticket: Ticket) -> clocks.Stood:
    """When the request waited for its customer, by its events: also while no clock ran that could have stood."""
    events = ticket.events.filter(verb__in=STANDS | GOES_ON).order_by("at", "pk")
    return stood_by(events.values_list("verb", "at"))


def stood_by(events: Iterable[tuple[str, datetime]]) -> clocks.Stood:
    """The same from (verb, moment) of the events, oldest first. Pure."""
    spans = []
    since = None
    for verb, at in events:
        if verb in STANDS:
            since = since or at
        elif since is not None:
            if at > since:
                spans.append(DateTimeTZRange(since, at))
            since = None
    return clocks.Stood(spans, since)
