"""Tickets, what is said in them and what happened to them (domain §3). Only `tickets/workflow/` changes a ticket."""

from tickets.models.broadcasts import Broadcast, BroadcastItem
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
from tickets.models.defects import (
    Defect,
    DefectEvent,
    DefectQuerySet,
    in_language,
)
from tickets.models.held import (
    HeldFile,
    HeldRequest,
    HeldRequestQuerySet,
)
from tickets.models.lines import (
    HandOver,
)
from tickets.models.major import (
    MajorAction,
    MajorChild,
    MajorIncident,
    MajorNote,
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
    "Broadcast",
    "BroadcastItem",
    "CalendarChange",
    "CalendarItem",
    "Defect",
    "DefectEvent",
    "DefectQuerySet",
    "Event",
    "HandOver",
    "HeldFile",
    "HeldRequest",
    "HeldRequestQuerySet",
    "MajorAction",
    "MajorChild",
    "MajorIncident",
    "MajorNote",
    "Message",
    "MessageQuerySet",
    "Priority",
    "Rating",
    "State",
    "TermsDecision",
    "TermsItem",
    "Ticket",
    "TicketQuerySet",
    "attachment_path",
    "in_language",
    "new_token",
]
