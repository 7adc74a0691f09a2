"""Tickets, what is said in them and what happened to them (domain §3). Only `tickets/workflow/` changes a ticket."""

from tickets.models.broadcasts import Broadcast, BroadcastItem
from tickets.models.bulk import BulkItem, BulkRun
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
from tickets.models.drafts import (
    Draft,
    LastRead,
    PendingFile,
)
from tickets.models.held import (
    HeldFile,
    HeldRequest,
    HeldRequestQuerySet,
)
from tickets.models.lines import (
    HandOver,
)
from tickets.models.macros import (
    Macro,
    MacroQuerySet,
)
from tickets.models.major import (
    MajorAction,
    MajorChild,
    MajorIncident,
    MajorNote,
)
from tickets.models.pace import LinePace
from tickets.models.portal import RequestDraft, SolvedFirst
from tickets.models.relations import (
    TicketLink,
    TimeEntry,
    link_words,
)
from tickets.models.search import SearchDocument, SearchWord
from tickets.models.skills import Skill
from tickets.models.tally import PromiseTally, RatingTally
from tickets.models.ticket import (
    OPEN_STATES,
    WORKED_STATES,
    Priority,
    State,
    Ticket,
    TicketQuerySet,
    new_token,
)
from tickets.models.views import SavedView

__all__ = [
    "OPEN_STATES",
    "WORKED_STATES",
    "Attachment",
    "Broadcast",
    "BroadcastItem",
    "BulkItem",
    "BulkRun",
    "CalendarChange",
    "CalendarItem",
    "Defect",
    "DefectEvent",
    "DefectQuerySet",
    "Draft",
    "Event",
    "HandOver",
    "HeldFile",
    "HeldRequest",
    "HeldRequestQuerySet",
    "LastRead",
    "LinePace",
    "Macro",
    "MacroQuerySet",
    "MajorAction",
    "MajorChild",
    "MajorIncident",
    "MajorNote",
    "Message",
    "MessageQuerySet",
    "PendingFile",
    "Priority",
    "PromiseTally",
    "Rating",
    "RatingTally",
    "RequestDraft",
    "SavedView",
    "SearchDocument",
    "SearchWord",
    "Skill",
    "SolvedFirst",
    "State",
    "TermsDecision",
    "TermsItem",
    "Ticket",
    "TicketLink",
    "TicketQuerySet",
    "TimeEntry",
    "attachment_path",
    "in_language",
    "link_words",
    "new_token",
]
