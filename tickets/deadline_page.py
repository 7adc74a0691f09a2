"""What the pages show of individually agreed deadlines: what waits for whom, and what was signed (domain §4.2).

Reads only. The portal and the desk show the same facts, each in its own zone; `now` and `zone` are always given.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import PromiseKind
from sla import words
from sla.models import Commitment, DeadlineProposal
from tickets import promise_words, workflow
from tickets.models import Ticket

SHOWN = 20  # of a ticket's proposals; nobody haggles longer


@dataclass(frozen=True, slots=True)
class Signed:
    """An accepted deadline: both signatures and what it replaced, as one sentence."""

    proposal: DeadlineProposal
    said: str


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The part of a ticket's page about another deadline. `waiting` is the proposal that waits for an answer."""

    waiting: DeadlineProposal | None
    waiting_due: str
    waiting_old: str
    waiting_by: str
    may_answer: bool
    may_withdraw: bool
    may_propose: bool
    hint: str
    signed: list[Signed]
    refused: DeadlineProposal | None

    @property
    def shown(self) -> bool:
        """Whether there is anything to show besides the form."""
        return self.waiting is not None or bool(self.signed) or self.refused is not None


def of_ticket(ticket: Ticket, user: User, *, signs: bool, now: datetime, zone: tzinfo) -> Deadlines:
    """One statement. `ticket` comes from `with_clocks()`; `signs`: the person signs for their side."""
    rows = ticket.deadline_proposals.select_related("proposed_by", "answered_by").order_by("-proposed_at", "-pk")
    return deadlines_of(ticket, user, rows[:SHOWN], signs=signs, now=now, zone=zone)


def deadlines_of(
    ticket: Ticket, user: User, proposals: Iterable[DeadlineProposal], *, signs: bool, now: datetime, zone: tzinfo
) -> Deadlines:
    """As `of_ticket`, of proposals that are at hand, the newest first, with their people."""
    rows = list(proposals)[:SHOWN]
    clock = running_resolution(ticket.clocks)
    waiting = next((row for row in rows if row.is_open and row.due_at > now), None)
    offered = workflow.offers_deadline(ticket, clock)
    own = waiting is not None and waiting.side == workflow.side_of(user)
    latest = rows[0] if rows else None

    def told(at: datetime) -> str:
        return words.both_zones(at, zone, now, "date")

    return Deadlines(
        waiting=waiting,
        waiting_due=told(waiting.due_at) if waiting else "",
        waiting_old=told(waiting.old_due) if waiting else "",
        waiting_by=_by(waiting.proposed_by) if waiting else "",
        may_answer=signs and offered and waiting is not None and not own,
        may_withdraw=signs and waiting is not None and own,
        may_propose=signs and offered and waiting is None,
        hint=hint(clock, now=now, zone=zone) if clock is not None and offered else "",
        signed=[Signed(row, _signed(row, now, zone)) for row in rows if row.state == DeadlineProposal.State.ACCEPTED],
        refused=latest if latest is not None and latest.state == DeadlineProposal.State.REFUSED else None,
    )


def running_resolution(rows: Iterable[Commitment]) -> Commitment | None:
    """The resolution clock that runs, of rows fetched already."""
    return next((row for row in rows if row.kind == PromiseKind.RESOLUTION and row.is_running), None)


def clock_of(ticket: Ticket) -> Commitment | None:
    """The same of a ticket; asks the database only where `with_clocks()` did not."""
    if hasattr(ticket, "clocks"):
        return running_resolution(ticket.clocks)
    return running_resolution(ticket.commitments.running().select_related("calendar_version"))


def hint(clock: Commitment, *, now: datetime, zone: tzinfo) -> str:
    """What stands at the field of the new deadline: the present one and the hours, in the zone that is written in."""
    hours = promise_words.hours(clock.calendar_version, zone=zone, now=now)
    shown = {"due": words.moment(clock.due_at, zone, now, "date"), "hours": hours}
    said = _("The deadline now: %(due)s. Choose a moment within working hours: %(hours)s.") % shown
    if now.astimezone(zone).utcoffset() == now.astimezone(words.MOSCOW).utcoffset():
        return said + " " + _("Moscow time.")
    return said + " " + _("On your clocks.")


def _by(person: User) -> str:
    return f"{person.full_name}, {person.get_role_display()}" if person.is_vendor else person.full_name


def _signed(row: DeadlineProposal, now: datetime, zone: tzinfo) -> str:
    assert row.answered_by is not None and row.answered_at is not None
    return _(
        "Agreed for %(due)s: proposed by %(proposer)s on %(proposed)s, accepted by %(accepter)s on %(accepted)s. "
        "The deadline before: %(old)s."
    ) % {
        "due": words.both_zones(row.due_at, zone, now, "date"),
        "proposer": _by(row.proposed_by),
        "proposed": words.moment(row.proposed_at, zone, now, "date"),
        "accepter": _by(row.answered_by),
        "accepted": words.moment(row.answered_at, zone, now, "date"),
        "old": words.both_zones(row.old_due, zone, now, "date"),
    }
