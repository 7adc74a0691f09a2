"""Individually agreed deadlines: one side proposes, the other side accepts or refuses (domain §4.2, §1.5).

Only for a running resolution of priority 3 or 4. The responsible contact signs for the customer; a line lead, the
customer's own CSM or the support manager for us; an engineer reads. Each step is an event with everything that a
recomputation needs: moments as ISO 8601 in UTC, `from` the deadline that stood, `to` the proposed or agreed one.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.refusals import Forbidden
from contracts.models import PromiseKind, TicketKind
from sla import clocks, words
from sla.models import Commitment, DeadlineProposal
from tickets.models import State, Ticket
from tickets.workflow.gates import PASSED, NotAllowed, iso, lapse, lock, needs_words, only_contact, record
from tickets.workflow.meanwhile import unchanged_since
from tickets.workflow.waiting import stood_of

Side = DeadlineProposal.Side

AGREED_PRIORITIES = (3, 4)  # domain §1.5
AHEAD = timedelta(days=3 * 365)  # further off is a slip of the pen


def side_of(by: User) -> str:
    """Whose word this person's is."""
    return Side.VENDOR if by.is_vendor else Side.CUSTOMER


def signs_for_us(ticket: Ticket, by: User) -> bool:
    """Whether the person signs deadlines of this ticket for the vendor (domain §7): a CSM those of own customers."""
    if by.role == Role.CSM:
        return ticket.customer.csm_id == by.pk
    return by.role in {Role.LINE_LEAD, Role.SUPPORT_MANAGER}


def only_signatory(ticket: Ticket, by: User, at: datetime) -> str:
    """The side that this person signs for. Raises `Forbidden` for whoever signs for none."""
    if not by.is_vendor:
        only_contact(ticket, by, at)
    elif not signs_for_us(ticket, by):
        raise Forbidden(
            _("Deadlines are signed by a line lead, the customer's own CSM or the support manager; you can read."), "7"
        )
    return side_of(by)


def deadline_clock(ticket: Ticket) -> Commitment:
    """The running resolution that another deadline may be agreed for, locked. Raises `NotAllowed`, saying why none."""
    if not ticket.is_open:
        raise NotAllowed(
            _("This request is “%(state)s”: a deadline is agreed only for an open one.")
            % {"state": ticket.get_state_display()},
            "4.2",
        )
    if ticket.kind != TicketKind.INCIDENT:
        raise NotAllowed(_("Only an incident has a promised solution whose deadline can be agreed."), "1.5")
    if ticket.priority not in AGREED_PRIORITIES:
        raise NotAllowed(_("A deadline is agreed individually only for priorities 3 and 4."), "1.5")
    clock = clocks.resolution_of(ticket)
    if clock is None:
        raise NotAllowed(_("No solution is promised in this request, so there is no deadline to agree on."), "1.5")
    return clock


def _fits(clock: Commitment, due_at: datetime, at: datetime) -> None:
    """Refuses an instant that the clock could not have as its deadline, and says which it could."""
    if due_at <= at:
        raise NotAllowed(_("This moment has passed: choose a later one."), "4.2")
    if due_at > at + AHEAD:
        raise NotAllowed(_("This is more than three years ahead: check the year."), "4.2")
    if due_at == clock.due_at and clock.paused_at is None:
        raise NotAllowed(_("This is the deadline already: choose another moment."), "4.2")
    if clocks.ends_working_time(clock.calendar, due_at):
        return
    zone = timezone.get_current_timezone()
    told = {"moment": words.both_zones(due_at, zone, at, "date")}
    closing = _closing_before(clock, due_at)
    if closing > at:
        told["closing"] = words.both_zones(closing, zone, at, "date")
        raise NotAllowed(
            _(
                "%(moment)s is outside working hours, so no working time would end then. The closing time before it "
                "is %(closing)s: choose that, or a moment within working hours."
            )
            % told,
            "1.5",
        )
    told["opening"] = words.both_zones(clock.calendar.next_opening(due_at), zone, at, "date")
    raise NotAllowed(
        _("%(moment)s is outside working hours. They begin again at %(opening)s: choose a moment after that.") % told,
        "1.5",
    )


def _closing_before(clock: Commitment, at: datetime) -> datetime:
    """When the desk closed last before this instant, which lies outside its hours."""
    since = at - timedelta(days=31)
    return clock.calendar.add(since, clock.calendar.between(since, at))


@transaction.atomic
def propose_deadline(
    ticket: Ticket, *, due_at: datetime, reason: str, by: User, at: datetime, as_of: int | None = None
) -> DeadlineProposal:
    """One side proposes another deadline for the solution, with a reason; the other side is asked (domain §4.2).

    `due_at` is an aware instant that the clock's own hours reach: a moment of the night is refused with the closing
    time before it. One proposal waits at a time; the same one sent twice is one. Raises `NotAllowed`, `Forbidden`; and
    `ChangedMeanwhile` where others changed the deadline or the priority after the event `as_of`.
    """
    ticket = lock(ticket)
    side = only_signatory(ticket, by, at)
    clock = deadline_clock(ticket)
    reason = needs_words(reason, _("Write why: the other side decides by it."), "4.2")
    due_at = due_at.replace(microsecond=0).astimezone(UTC)
    waiting = ticket.deadline_proposals.open().select_related("proposed_by").first()
    if waiting is not None and waiting.due_at <= at:
        lapse(ticket, waiting, at=at, why=PASSED)
        waiting = None
    if waiting is not None:
        if (waiting.proposed_by_id, waiting.due_at, waiting.reason) == (by.pk, due_at, reason):
            return waiting  # the second click of two
        raise NotAllowed(
            _("%(name)s has proposed a deadline already: withdraw that proposal before you make another one.")
            % {"name": waiting.proposed_by.full_name}
            if waiting.side == side
            else _("%(name)s has proposed a deadline, and it waits for your answer: accept or refuse it first.")
            % {"name": waiting.proposed_by.full_name},
            "4.2",
        )
    unchanged_since(ticket, as_of, "deadline", by=by)
    _fits(clock, due_at, at)
    proposal = DeadlineProposal.objects.create(
        ticket=ticket,
        commitment=clock,
        side=side,
        proposed_by=by,
        proposed_at=at,
        due_at=due_at,
        old_due=clock.due_at,
        reason=reason,
    )
    record(ticket, "deadline_proposed", by=by, at=at, details=_details(proposal))
    return proposal


@transaction.atomic
def accept_deadline(proposal: DeadlineProposal, *, by: User, at: datetime, by_letter: bool = False) -> DeadlineProposal:
    """The other side accepts: the signed instant is the deadline from now on (domain §4.2).

    `by_letter`: signed by the link of the letter, without a sign-in; the record says so. A deadline that has passed by
    then stays missed; the agreed one then runs beside the record of the miss. Accepted twice by one person it is
    accepted once. Raises `NotAllowed`, `Forbidden`.
    """
    ticket, proposal = _locked(proposal)
    side = only_signatory(ticket, by, at)
    if proposal.state == DeadlineProposal.State.ACCEPTED and proposal.answered_by_id == by.pk:
        return proposal
    only_open(proposal)
    _only_other_side(proposal, side)
    if proposal.due_at <= at:
        raise NotAllowed(_("The proposed moment has passed: propose a later one."), "4.2")
    clock = deadline_clock(ticket)
    made = clocks.agree(clock, proposal.due_at, at=at, stood=stood_of(ticket))
    proposal.state = DeadlineProposal.State.ACCEPTED
    proposal.answered_by = by
    proposal.answered_at = at
    proposal.old_due = clock.due_at
    proposal.made = made
    proposal.save()
    record(
        ticket,
        "deadline_agreed",
        by=by,
        at=at,
        details=_details(proposal)
        | _signed_by_letter(by_letter)
        | {
            "due_at": iso(made.due_at),
            "started": iso(made.started_at),
            "target": int(made.target.total_seconds()),
            "missed": clock.ending == Commitment.Ending.MISSED,
        },
    )
    return proposal


@transaction.atomic
def refuse_deadline(
    proposal: DeadlineProposal, *, words: str, by: User, at: datetime, by_letter: bool = False
) -> DeadlineProposal:
    """The other side refuses, with words: the deadline stays as it is (domain §4.2). As `accept_deadline`."""
    ticket, proposal = _locked(proposal)
    side = only_signatory(ticket, by, at)
    if proposal.state == DeadlineProposal.State.REFUSED and proposal.answered_by_id == by.pk:
        return proposal
    only_open(proposal)
    _only_other_side(proposal, side)
    words = needs_words(words, _("Write why not: the other side reads it."), "4.2")
    proposal.state = DeadlineProposal.State.REFUSED
    proposal.answered_by = by
    proposal.answered_at = at
    proposal.words = words
    proposal.save()
    details = _details(proposal) | _signed_by_letter(by_letter) | {"words": words}
    record(ticket, "deadline_refused", by=by, at=at, details=details)
    return proposal


@transaction.atomic
def withdraw_deadline(proposal: DeadlineProposal, *, by: User, at: datetime) -> DeadlineProposal:
    """The side that proposed takes it back before it is answered. Raises as `accept_deadline`."""
    ticket, proposal = _locked(proposal)
    side = only_signatory(ticket, by, at)
    if proposal.state == DeadlineProposal.State.WITHDRAWN and proposal.answered_by_id == by.pk:
        return proposal
    only_open(proposal)
    if proposal.side != side:
        raise NotAllowed(_("This is the other side's proposal: accept or refuse it."), "4.2")
    proposal.state = DeadlineProposal.State.WITHDRAWN
    proposal.answered_by = by
    proposal.answered_at = at
    proposal.save()
    record(ticket, "deadline_withdrawn", by=by, at=at, details=_details(proposal))
    return proposal


@transaction.atomic
def lapse_deadline(proposal: DeadlineProposal, *, at: datetime) -> bool:
    """Lets a proposal lapse whose moment has passed without an answer; whether it did."""
    ticket, proposal = _locked(proposal)
    if not proposal.is_open or proposal.due_at > at:
        return False
    lapse(ticket, proposal, at=at, why=PASSED)
    return True


def _locked(proposal: DeadlineProposal) -> tuple[Ticket, DeadlineProposal]:
    """The ticket's row first, as in every verb, then the proposal as it is now."""
    ticket = lock(proposal.ticket)
    found = DeadlineProposal.objects.select_for_update(of=("self",)).select_related("proposed_by", "answered_by")
    return ticket, found.get(pk=proposal.pk)


def _signed_by_letter(by_letter: bool) -> dict[str, bool]:
    return {"by_letter": True} if by_letter else {}


def only_open(proposal: DeadlineProposal) -> None:
    """Raises `NotAllowed` for a proposal that waits no more, saying what came of it."""
    if proposal.is_open:
        return
    name = proposal.answered_by.full_name if proposal.answered_by else ""
    said = {
        DeadlineProposal.State.ACCEPTED: _("%(name)s has accepted this proposal already."),
        DeadlineProposal.State.REFUSED: _("%(name)s has refused this proposal already."),
        DeadlineProposal.State.WITHDRAWN: _("%(name)s has withdrawn this proposal."),
        DeadlineProposal.State.LAPSED: _("This proposal has lapsed: its moment or its promise is over."),
    }[DeadlineProposal.State(proposal.state)]
    raise NotAllowed(said % {"name": name}, "4.2")


def _only_other_side(proposal: DeadlineProposal, side: str) -> None:
    if proposal.side == side:
        raise NotAllowed(_("This is a proposal of your own side: the other side answers it."), "4.2")


def _details(proposal: DeadlineProposal) -> dict[str, Any]:
    """What an event keeps of a proposal: both names, both moments, the old deadline and the other one."""
    answered = proposal.answered_by
    return {
        "proposal": proposal.pk,
        "side": proposal.side,
        "proposed_by": proposal.proposed_by.full_name,
        "proposed_at": iso(proposal.proposed_at),
        **({"answered_by": answered.full_name, "answered_at": iso(proposal.answered_at)} if answered else {}),
        "from": iso(proposal.old_due),
        "to": iso(proposal.due_at),
        "reason": proposal.reason,
    }


def offers_deadline(ticket: Ticket, clock: Commitment | None) -> bool:
    """Whether another deadline could be proposed now, for offering only. `clock`: the running resolution."""
    return (
        clock is not None
        and clock.is_running
        and clock.kind == PromiseKind.RESOLUTION
        and ticket.priority in AGREED_PRIORITIES
        and ticket.state in {State.NEW, State.IN_PROGRESS, State.AWAITING_CUSTOMER}
    )
