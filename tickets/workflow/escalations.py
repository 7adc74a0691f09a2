"""Calling in the CSM or top management: the customer or a colleague escalates, who is called in answers (§4.4)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.absences import stood_in_for_by
from accounts.models import Role, User
from accounts.refusals import Forbidden
from sla import clocks
from sla.models import Commitment, Escalation, Whom
from tickets import routing
from tickets.models import State, Ticket
from tickets.workflow.conversation import say
from tickets.workflow.gates import NotAllowed, lock, needs_words, only_contact, only_desk, record


@transaction.atomic
def escalate(ticket: Ticket, *, by: User, whom: str, reason: str, at: datetime) -> Escalation:
    """The customer calls in the CSM or top management, any time, with a reason; the answer has its clock (§4.4)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    if whom not in {Whom.CSM, Whom.TOP_MANAGEMENT}:
        raise NotAllowed(_("A customer escalates to the Customer Success Manager or to top management."), "4.4")
    reason = needs_words(reason, _("Write why: the person you call in reads it first."), "4.4")
    if ticket.state in {State.CLOSED, State.DECLINED} and ticket.closed_at and at - ticket.closed_at > timedelta(30):
        raise NotAllowed(_("This request was closed long ago: open a follow-up and escalate that."), "4.4")
    again = ticket.escalations.open().filter(raised_by=by, whom=whom).first()
    if again is not None:
        raise NotAllowed(_("They were called in already and owe you an answer; it is shown in the request."), "4.4")
    called = routing.person_here(ticket, whom, at)
    clock = clocks.start_escalation_answer(ticket, at=at)
    escalation = _raised(ticket, Escalation.Cause.CUSTOMER, whom, called, by, reason, at, answer_clock=clock)
    record(
        ticket,
        "escalated",
        by=by,
        at=at,
        details={
            "whom": whom,
            "reason": reason,
            "escalation": escalation.pk,
            "due_at": clock.due_at.isoformat() if clock else "",
        },
    )
    return escalation


CALLED_BY_DESK = (Whom.LINE_LEAD, Whom.CSM, Whom.SUPPORT_MANAGER, Whom.TOP_MANAGEMENT)


@transaction.atomic
def call_in(ticket: Ticket, *, by: User, whom: str, reason: str, at: datetime) -> Escalation:
    """One of the desk calls in somebody above, before a rung does, with a reason that only we read (direction §6.1).

    The answer has no clock: that promise is the customer's (§4.4). Who called gets it by letter, not the customer, who
    is told as of a rung that somebody was called in.
    """
    only_desk(by)
    ticket = lock(ticket)
    if whom not in CALLED_BY_DESK:
        raise NotAllowed(_("Choose who is needed."), "4.4")
    reason = needs_words(reason, _("Write why: the person you call in reads it first."), "4.4")
    if not ticket.is_open:
        raise NotAllowed(_("This request has ended: nobody is called in for it."), "4.4")
    waits = ticket.escalations.open().filter(raised_by__isnull=False, whom=whom).first()
    if waits is not None:
        raise NotAllowed(
            _("%(whom)s was called in already and has not answered yet.") % {"whom": _called(waits)}, "4.4"
        )
    called = routing.person_here(ticket, whom, at)
    if called[0] == by:
        raise NotAllowed(_("That is you: call in somebody else."), "4.4")
    escalation = _raised(ticket, Escalation.Cause.COLLEAGUE, whom, called, by, reason, at)
    record(ticket, "called_in", by=by, at=at, details={"whom": whom, "reason": reason, "escalation": escalation.pk})
    return escalation


def _raised(
    ticket: Ticket,
    cause: str,
    whom: str,
    called: tuple[User | None, User | None],
    by: User,
    reason: str,
    at: datetime,
    answer_clock: Commitment | None = None,
) -> Escalation:
    """An escalation that a person makes. `called`: who is called, and in whose stead (`routing.person_here`)."""
    person, instead_of = called
    return Escalation.objects.create(
        ticket=ticket,
        cause=cause,
        whom=whom,
        person=person,
        instead_of=instead_of,
        raised_by=by,
        reason=reason,
        reached_at=at,
        created_at=at,
        answer_clock=answer_clock,
    )


def _called(escalation: Escalation) -> str:
    """The person called in, or the role where nobody has it; as a sentence begins."""
    if escalation.person is not None:
        return escalation.person.full_name
    role = str(escalation.get_whom_display())
    return role[:1].upper() + role[1:]


ALARMS_OF_THE_LINE = frozenset({Whom.LINE_QUEUE, Whom.ASSIGNEE, Whom.LINE_LEAD})

MAY_ANSWER = {
    Role.ENGINEER: frozenset({Whom.LINE_QUEUE, Whom.ASSIGNEE}),
    Role.LINE_LEAD: ALARMS_OF_THE_LINE,
    Role.CSM: ALARMS_OF_THE_LINE | {Whom.CSM},
    Role.SUPPORT_MANAGER: frozenset(Whom),
    Role.TOP_MANAGEMENT: frozenset(Whom),
}


def may_answer(escalation: Escalation, by: User, *, away: Iterable[User] = ()) -> bool:
    """Who was called in, or who stands above them: the support manager and top management answer everything (§7).

    `away`: the people whom `by` stands in for (`stood_in_for_by`), who may answer what these may (§4.4).
    """
    return any(
        escalation.person_id == person.pk or escalation.whom in MAY_ANSWER.get(Role(person.role), frozenset())
        for person in (by, *away)
    )


def _only_who_may_answer(escalation: Escalation, by: User, at: datetime) -> None:
    if not may_answer(escalation, by) and not may_answer(escalation, by, away=stood_in_for_by(by, at)):
        raise Forbidden(_("This escalation waits for somebody else."), "4.4")


@transaction.atomic
def acknowledge(escalation: Escalation, *, by: User, at: datetime) -> Escalation:
    """“I have it”: the person called in says so; the first one counts (domain §4.4).

    The lower rungs of the same promise that wait still are acknowledged with it: somebody who stands higher has it.
    """
    ticket = lock(escalation.ticket)
    escalation = Escalation.objects.select_for_update().get(pk=escalation.pk)
    _only_who_may_answer(escalation, by, at)
    if escalation.state != Escalation.State.OPEN:
        raise NotAllowed(_("Somebody has acknowledged this escalation already."), "4.4")
    taken = [escalation]
    if escalation.position is not None:
        lower = Escalation.objects.select_for_update().filter(
            commitment=escalation.commitment_id, position__lt=escalation.position, state=Escalation.State.OPEN
        )
        taken += lower.order_by("position")
    for one in taken:
        one.state = Escalation.State.ACKNOWLEDGED
        one.acknowledged_at = at
        one.acknowledged_by = by
    Escalation.objects.bulk_update(taken, ["state", "acknowledged_at", "acknowledged_by"])
    record(ticket, "acknowledged", by=by, at=at, details={"escalation": escalation.pk, "whom": escalation.whom})
    return escalation


@transaction.atomic
def answer_escalation(escalation: Escalation, *, by: User, answer: str, at: datetime) -> Escalation:
    """Closes an escalation with an answer; one that the customer made is answered to the customer (domain §4.4)."""
    ticket = lock(escalation.ticket)
    escalation = Escalation.objects.select_for_update(of=("self",)).select_related("answer_clock").get(pk=escalation.pk)
    _only_who_may_answer(escalation, by, at)
    if escalation.state == Escalation.State.CLOSED:
        raise NotAllowed(_("This escalation is answered already."), "4.4")
    from_customer = escalation.raised_by is not None and not escalation.raised_by.is_vendor
    answer = needs_words(
        answer,
        _("Write the answer: the customer sees it.") if from_customer else _("Write what was done."),
        "4.4",
    )
    if escalation.acknowledged_at is None:
        escalation.acknowledged_at = at
        escalation.acknowledged_by = by
    escalation.state = Escalation.State.CLOSED
    escalation.answer = answer
    escalation.closed_at = at
    escalation.closed_by = by
    escalation.save()
    if escalation.answer_clock_id:
        clock = Commitment.objects.select_for_update(of=("self",)).get(pk=escalation.answer_clock_id)
        if clock.is_running:
            clocks.fulfil(clock, at=at, why="answered")
    details: dict[str, object] = {"escalation": escalation.pk, "whom": escalation.whom}
    message = None
    if from_customer:
        message = say(ticket, answer, by=by, at=at)
        # A person replied in public: the reaction ends, whoever it was (domain §4.1).
        clocks.meet_reaction(ticket, at=at, why="replied")
        details["in_public"] = True
    elif escalation.cause == Escalation.Cause.COLLEAGUE:
        details |= {"answer": answer, "asked_by": escalation.raised_by_id}
    record(ticket, "escalation_answered", by=by, at=at, message=message, details=details)
    return escalation
