"""Which event of a ticket tells whom, and in what words (direction §16).

The table names every verb of `tickets/workflow/`. Escalations and missed promises stand in `escalation_letters.py`,
agreed deadlines in `deadline_letters.py`; held requests and changes of the contact have a file each
(`held_letters.py`, `contact_letters.py`).
"""

from datetime import datetime
from functools import partial

from mail import choices, customer_letters, desk_letters
from mail.audiences import (
    caller,
    colleague,
    contact,
    contact_of_ours,
    contact_whose_dates_move,
    contact_whose_promises_move,
    named_coordinator,
    receiving_line,
    worker,
)
from mail.letters import Audience, Draft, Wording, drafts_to
from tickets.models import Event

# Written by a person in this very moment; everything else says that a machine generated it (RFC 3834).
BY_A_PERSON = frozenset({"replied", "asked_customer"})

WHO_IS_TOLD: dict[str, tuple[tuple[Audience, Wording], ...]] = {
    # what happened         who is told         in what words
    "opened": ((contact, customer_letters.received), (colleague, customer_letters.confirmed)),
    "replied": ((contact_of_ours, customer_letters.answered),),
    "told": ((contact_of_ours, customer_letters.answered),),
    "asked_customer": ((contact_of_ours, customer_letters.asked),),
    "restored": ((contact_of_ours, customer_letters.restored),),
    "reclassified": ((contact_of_ours, customer_letters.classified),),
    "terms_applied": ((contact_whose_dates_move, customer_letters.terms_changed),),
    "calendar_applied": ((contact_whose_promises_move, customer_letters.calendar_changed),),
    "resolved": ((contact_of_ours, customer_letters.solved),),
    "defect_released": ((contact_of_ours, customer_letters.fix_is_out),),
    "declined": ((contact_of_ours, customer_letters.declined),),
    "closed_silent": ((contact_of_ours, customer_letters.closed_silent),),
    "merged_in": ((contact_of_ours, customer_letters.merged),),
    "reopened": (
        (worker, desk_letters.reopened),
        (contact_of_ours, customer_letters.reopened_by_us),
        (colleague, customer_letters.confirmed),
    ),
    "customer_replied": ((worker, desk_letters.customer_wrote), (colleague, customer_letters.confirmed)),
    "contested": ((worker, desk_letters.contested), (colleague, customer_letters.confirmed)),
    "restore_contested": ((worker, desk_letters.restore_contested),),
    "withdrawn": ((worker, desk_letters.withdrawn),),
    "priority_proposed": ((worker, desk_letters.priority_asked),),
    "priority_set": ((worker, desk_letters.priority_asked),),
    "assigned": ((worker, desk_letters.assigned),),
    "handed_over": ((receiving_line, desk_letters.handed_over),),
    "returned": ((worker, desk_letters.returned),),
    "major_coordinator": ((named_coordinator, desk_letters.coordinates),),
    # Both sides of an agreement: `deadline_letters.py` has the table.
    "deadline_proposed": (),
    "deadline_agreed": (),
    "deadline_refused": (),
    "deadline_withdrawn": (),
    "deadline_lapsed": (),
    # Nobody: they are on the pages, or an Escalation of its own tells whom they concern.
    "accepted": (),
    "assignment_undone": (),
    "taken_back": (),
    "noted": (),
    "stopped_waiting": (),
    "defect_attached": (),
    "major_declared": (),
    "major_linked": (),
    "major_left": (),
    "confirmed": (),
    "contact_changed": (),
    "escalated": ((worker, desk_letters.escalated),),
    "called_in": (),
    "acknowledged": (),
    "escalation_answered": ((caller, desk_letters.call_answered),),  # the customer's own in public: see of_event
    "rated": (),
    "merged": (),  # told by the event of the request that remains
    "linked": (),
    "unlinked": (),
    "time_logged": (),
    "time_corrected": (),
}


def of_event(event: Event, now: datetime) -> list[Draft]:
    """The letters about an event; none for a verb that the table does not know."""
    told = WHO_IS_TOLD.get(event.verb, ())
    if event.verb == "escalation_answered" and event.message is not None:
        told = ((contact_of_ours, customer_letters.escalation_answered),)
    return [draft for audience, wording in told for draft in drafts_of(event, audience, wording, now)]


def drafts_of(event: Event, audience: Audience, wording: Wording, now: datetime) -> list[Draft]:
    """The letters of one row of a table: an event, whom it concerns, in what words."""
    return drafts_to(
        audience(event, now),
        f"event:{event.pk}",
        partial(wording, event),
        now=now,
        ticket=event.ticket,
        kind=partial(choices.kind_of, event.verb),
    )
