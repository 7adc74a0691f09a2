"""The clocks of a receipt: laid out before the ticket is saved, saved with it, in one statement (domain §3, §4).

The one place besides `clocks.py` and the sweep that writes `Commitment`, for the hottest way into the house: what it
asks of the catalogue, the process keeps. From then on the clocks are those of `clocks.py`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from accounts.new_rows import insert
from contracts.entitlement import Standing
from contracts.models import PromiseKind, TicketKind
from sla.clocks import CUSTOMER_PROMISES, prepared
from sla.kept import rules
from sla.models import Commitment
from sla.promises import by_kind, with_clauses

if TYPE_CHECKING:
    from tickets.models import Ticket


def first_promises(ticket: "Ticket", standing: Standing, *, at: datetime) -> list[Commitment]:
    """The clocks of a receipt, not saved: reaction always, resolution for an incident promised one (§1.4, §1.5).

    `standing` is the customer's at the receipt. Asks the database nothing that the process does not keep.
    """
    kept, ours = standing.catalogue, rules(standing.edition)
    promises = with_clauses(
        by_kind(kept.targets.get(ticket.terms_id, ())),
        ticket.terms.calendar,
        [clause for clause in standing.clauses if clause.kind],
    )
    kinds = CUSTOMER_PROMISES if ticket.kind == TicketKind.INCIDENT else (PromiseKind.REACTION,)
    found = []
    for kind in kinds:
        promise = promises.get((kind, ticket.priority))
        if promise is not None:
            version = ours.version_at(promise.calendar.pk, ticket.opened_at)
            steps = ours.steps(kind, ticket.terms.package_id, ticket.priority)
            found.append(prepared(ticket, promise, version, steps, at=at))
    return found


def start_at_receipt(ticket: "Ticket", rows: Sequence[Commitment]) -> None:
    """Saves the clocks of `first_promises`, with the ticket that they are of. One statement."""
    for row in rows:
        row.ticket = ticket
    if rows:
        insert(*rows)


def nearest_of(rows: Iterable[Commitment]) -> tuple[datetime | None, str]:
    """As `clocks.nearest`, of clocks that are all at hand in the order in which they were started. Pure."""
    first = min((row for row in rows if row.is_running), key=lambda row: row.due_at, default=None)
    return (None, "") if first is None else (first.due_at, first.kind)
