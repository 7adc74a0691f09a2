"""A letter about a ticket did not reach the customer: told in the conversation, where somebody sees it (direction §15).

The customer's answer may never come, and the promise that our answer kept was kept only on paper: whoever works on the
ticket is to call or write by another way.
"""

from datetime import datetime

from django.db import transaction

from tickets.models import Event, Ticket
from tickets.workflow.gates import lock, record

MAX_SAID = 300


@transaction.atomic
def note_undelivered(ticket: Ticket, *, address: str, subject: str, said: str, at: datetime) -> Event:
    """The letter of that subject to this address came back; `said` is the mail server's own reason, "" for none.

    Changes neither state nor clocks, in any state. The caller says it once a letter. Customers are not told: the desk
    knows what to do about it.
    """
    details = {"address": address, "subject": subject[:MAX_SAID], "said": said[:MAX_SAID]}
    return record(lock(ticket), "undelivered", by=None, at=at, details=details)
