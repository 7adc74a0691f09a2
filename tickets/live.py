"""What the watching browsers are told about tickets (direction §10), and who is told of which.

`workflow.gates.record` calls `tell` for every event; the sweep tells of missed promises and rungs (sla/sweep.py).
"""

from django.db import transaction

from sla import wire
from tickets import timeline
from tickets.models import Event, Ticket


def tell(ticket: Ticket, event: Event) -> None:
    """Tells of this event once the transaction has come through; its failure is a line of the log, no more."""
    transaction.on_commit(lambda: wire.tell([fields_of(ticket, event)]), robust=True)


def fields_of(ticket: Ticket, event: Event) -> wire.Fields:
    """The message: the ticket, its line (and the one that it left), what happened, who did it, which message.

    `customer` stands only in what the customer may know of: never for a note, an assignment, an alarm of a line.
    """
    fields: wire.Fields = {"n": ticket.number, "line": ticket.line_id, "what": event.verb, "by": event.by_id or 0}
    if event.verb in {"handed_over", "returned", "taken_back"}:
        fields["left"] = event.details.get("from", 0)
    if event.message is not None:
        fields["message"] = event.message.pk
    if concerns_customer(event):
        fields["customer"] = ticket.customer_id
    return fields


def concerns_customer(event: Event) -> bool:
    """Whether the customer's own page shows something of it."""
    if event.message is not None:
        return not event.message.is_note
    return timeline.customer_step(event) is not None


def for_customer(fields: wire.Fields, customer: int) -> wire.Fields | None:
    """What a person of that company hears of a message: that their request changed. None for everybody else's."""
    if fields.get("customer") != str(customer):
        return None
    return {name: fields[name] for name in ("n", "message") if name in fields} | {"what": "changed"}
