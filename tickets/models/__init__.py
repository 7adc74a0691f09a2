"""Tickets, what is said in them and what happened to them (domain §3). Only `tickets/workflow/` changes a ticket."""

from tickets.models.changes import (
    CalendarChange,
    CalendarItem,
    TermsDecision,
    TermsItem,
)
from tickets.models.conversation import (
    Attachment,
    Event,
    Message,
    MessageQuerySet,
    Rating,
    attachment_path,
)
from tickets.models.held import (
    HeldFile,
    HeldRequest,
    HeldRequestQuerySet,
)
from tickets.models.lines import (
    Defect,
    HandOver,
)
from tickets.models.relations import (
    TicketLink,
    TimeEntry,
    link_words,
)
from tickets.models.ticket import (
    OPEN_STATES,
    WORKED_STATES,
    Priority,
    State,
    Ticket,
    TicketQuerySet,
    new_token,
)

__all__ = [
    "OPEN_STATES",
    "WORKED_STATES",
    "Attachment",
    "CalendarChange",
    "CalendarItem",
    "Defect",
    "Event",
    "HandOver",
    "HeldFile",
    "HeldRequest",
    "HeldRequestQuerySet",
    "Message",
    "MessageQuerySet",
    "Priority",
    "Rating",
    "State",
    "TermsDecision",
    "TermsItem",
    "Ticket",
    "TicketLink",
    "TicketQuerySet",
    "TimeEntry",
    "attachment_path",
    "link_words",
    "new_token",
]
