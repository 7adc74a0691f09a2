"""Between the four lines: hand over, accept or return, and the defect that line 4 needs (domain §3.3)."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.absences import stood_in_for_by
from accounts.models import Absence, Line, Role, User
from accounts.refusals import Forbidden
from contracts.models import PromiseKind
from sla import clocks, words
from sla.models import Escalation, Whom
from tickets import routing
from tickets.models import Defect, DefectEvent, HandOver, State, Ticket
from tickets.workflow.assignment import choose_at_once
from tickets.workflow.gates import NotAllowed, lock, needs_words, only_desk, record
from tickets.workflow.meanwhile import unchanged_since


def hand_over_waiting(ticket: Ticket) -> HandOver | None:
    return ticket.hand_overs.filter(accepted_at__isnull=True, returned_at__isnull=True).order_by("-at", "-pk").first()


def _nothing_waits(ticket: Ticket, *, by: User, at: datetime) -> str:
    """Why there is nothing to accept or return: who has accepted the last hand-over, and when, is said by name."""
    last = ticket.hand_overs.select_related("accepted_by").order_by("-at", "-pk").first()
    by_other = last is not None and last.accepted_by_id != by.pk and ticket.is_open
    if last is None or last.accepted_by is None or last.accepted_at is None or not by_other:
        return _("There is no hand-over waiting to be accepted.")
    told = {"name": last.accepted_by.full_name, "moment": words.moment(last.accepted_at, words.MOSCOW, at, "short")}
    return _("%(name)s has accepted it already (%(moment)s): talk to them, or hand it over anew.") % told


def accept_hand_over(ticket: Ticket, waiting: HandOver | None, *, by: User, at: datetime) -> None:
    """The line has it, by saying so or by working on it; nothing then waits, and its clock is met (domain §3.3)."""
    if waiting is not None:
        waiting.accepted_by = by
        waiting.accepted_at = at
        waiting.save(update_fields=["accepted_by", "accepted_at"])
        clocks.meet(ticket, PromiseKind.LINE_ACCEPTANCE, at=at, why="accepted")


def may_receive(
    ticket: Ticket, waiting: HandOver, by: User, *, lines: Collection[int], away: Iterable[User] = ()
) -> bool:
    """Whether the person accepts or returns for the line: one of its people, its lead, the support manager (§3.3).

    So do who stands in for one of them, and the person to whom a lead gave it. `lines` are the person's own; `away`
    are whom they stand in for (`stood_in_for_by`), whose lines are read where that alone decides.
    """
    if by.role == Role.SUPPORT_MANAGER or waiting.to_line_id in lines or ticket.assignee_id == by.pk:
        return True
    return any(
        one.role == Role.SUPPORT_MANAGER or any(line.pk == waiting.to_line_id for line in one.lines.all())
        for one in away
    )


def receives(ticket: Ticket, waiting: HandOver, *, by: User, at: datetime) -> bool:
    """As `may_receive`, of who is not known better."""
    lines = [line.pk for line in by.lines.all()]
    return may_receive(ticket, waiting, by, lines=lines) or may_receive(
        ticket, waiting, by, lines=lines, away=stood_in_for_by(by, at)
    )


def end_hand_over(ticket: Ticket, *, by: User, at: datetime) -> dict[str, Any]:
    """The ticket is finished while it waits for a line; what the event says of that.

    Who may receive has accepted by it. By anybody else nothing is left to accept, and the line's clock is not met.
    """
    waiting = hand_over_waiting(ticket)
    if waiting is None:
        return {}
    if receives(ticket, waiting, by=by, at=at):
        accept_hand_over(ticket, waiting, by=by, at=at)
        return {}
    clocks.cancel(ticket, at=at, why=FINISHED_ELSEWHERE, kinds=[PromiseKind.LINE_ACCEPTANCE])
    waiting.accepted_by, waiting.accepted_at = by, at
    waiting.save(update_fields=["accepted_by", "accepted_at"])
    return {"line_took_it": False}


FINISHED_ELSEWHERE = "finished elsewhere"  # why the clock of a line ends that never had the ticket
TAKEN_BACK = "taken back"


@transaction.atomic
def hand_over(
    ticket: Ticket,
    *,
    by: User,
    to_line: int,
    known: str,
    asked: str,
    at: datetime,
    tried: str = "",
    as_of: int | None = None,
) -> HandOver:
    """To another line, up or down, with a note: what is known, what was tried, what is asked (domain §3.3).

    The promises to the customer go on untouched; the receiving line's own clock (OLA) starts. Line 4 takes a ticket
    only with a defect. The third bounce between the same two lines calls their leads. `as_of` is the key of the last
    event that the person saw: handed over or taken by somebody else since, it is `ChangedMeanwhile`.
    """
    only_desk(by)
    ticket = lock(ticket)
    if ticket.state not in {State.NEW, State.IN_PROGRESS}:
        raise NotAllowed(
            _("A request that is “%(state)s” cannot be handed over.") % {"state": ticket.get_state_display()}, "3.3"
        )
    unchanged_since(ticket, as_of, "handover", by=by)
    if to_line == ticket.line_id:
        raise NotAllowed(_("The request is on line %(line)s already.") % {"line": to_line}, "3.3")
    line = Line.objects.filter(pk=to_line).first()
    if line is None:
        raise NotAllowed(_("There is no line %(line)s.") % {"line": to_line}, "3.3")
    known = needs_words(known, _("Write what is known: the next line starts from it."), "3.3")
    asked = needs_words(asked, _("Write what you ask the next line to do."), "3.3")
    if to_line == 4 and ticket.defect_id is None:
        raise NotAllowed(_("Line 4 takes a request only with a defect: attach one first."), "3.3")
    from_line = ticket.line
    clocks.cancel(ticket, at=at, why="handed over again", kinds=[PromiseKind.LINE_ACCEPTANCE])
    ticket.hand_overs.filter(accepted_at__isnull=True, returned_at__isnull=True).update(accepted_at=at, accepted_by=by)
    passed = HandOver.objects.create(
        ticket=ticket,
        from_line=from_line,
        to_line=line,
        by=by,
        at=at,
        known=known,
        tried=(tried or "").strip(),
        asked=asked,
    )
    ticket.line = line
    ticket.assignee = None
    clock = clocks.start_line_acceptance(ticket, at=at)
    bounces = _bounces(ticket, {from_line.pk, line.pk})
    details = {"from": from_line.pk, "to": line.pk, "bounces": bounces}
    if clock is not None:
        details["accept_within"] = clock.amount  # minutes: the line's target may be another one tomorrow (replay.py)
    record(ticket, "handed_over", by=by, at=at, details=details)
    if bounces and bounces % 3 == 0:
        _call_leads(ticket, {from_line.pk, line.pk}, by=by, at=at, bounces=bounces)
    choose_at_once(ticket, at=at, but=[by.pk])
    return passed


def _bounces(ticket: Ticket, lines: set[int]) -> int:
    """How often the ticket came back between two lines: passages between them, less the first."""
    between = ticket.hand_overs.filter(from_line__in=lines, to_line__in=lines)
    return max(0, between.exclude(returned_at__isnull=False, return_reason="").count() - 1)


def _call_leads(ticket: Ticket, lines: set[int], *, by: User, at: datetime, bounces: int) -> None:
    leads = User.objects.filter(role=Role.LINE_LEAD, lines__in=lines, is_active=True).order_by("pk").distinct()
    wanted: list[User | None] = [*leads] or [routing.person_for(ticket, Whom.LINE_LEAD)]
    away = {one.user_id: one.substitute for one in Absence.objects.at(at).select_related("substitute")}
    called: dict[int | None, tuple[User | None, User | None]] = {}
    for lead in wanted:
        # Who is away is stood in for by the substitute named, else called all the same (domain §4.4).
        stands_in = away.get(lead.pk) if lead else None
        here = stands_in if stands_in is not None and stands_in.is_active and stands_in.pk not in away else None
        person, instead_of = (here, lead) if here is not None else (lead, None)
        called.setdefault(person.pk if person else None, (person, instead_of))
    for person, instead_of in called.values():
        Escalation.objects.create(
            ticket=ticket,
            cause=Escalation.Cause.BOUNCES,
            whom=Whom.LINE_LEAD,
            person=person,
            instead_of=instead_of,
            raised_by=by,
            reached_at=at,
            created_at=at,
            reason=f"{' ⇄ '.join(str(number) for number in sorted(lines))} × {bounces}",
        )


@transaction.atomic
def take_back(ticket: Ticket, *, by: User, at: datetime, as_of: int | None = None) -> Ticket:
    """Who handed it over has it again before the line accepted: no return, no bounce, and no promise of the line met.

    `as_of` as for `hand_over`.
    """
    only_desk(by)
    ticket = lock(ticket)
    waiting = hand_over_waiting(ticket)
    if waiting is None or not ticket.is_open:
        raise NotAllowed(_nothing_waits(ticket, by=by, at=at), "3.3")
    unchanged_since(ticket, as_of, "taking_back", by=by)
    if waiting.by_id != by.pk:
        raise Forbidden(_("Only who handed the request over takes it back; the line gives it back."), "3.3")
    waiting.returned_at = at
    waiting.save(update_fields=["returned_at"])
    clocks.cancel(ticket, at=at, why=TAKEN_BACK, kinds=[PromiseKind.LINE_ACCEPTANCE])
    ticket.line = waiting.from_line
    ticket.assignee = by
    record(ticket, "taken_back", by=by, at=at, details={"from": waiting.to_line_id, "to": waiting.from_line_id})
    return ticket


@transaction.atomic
def return_hand_over(ticket: Ticket, *, by: User, reason: str, at: datetime, as_of: int | None = None) -> Ticket:
    """The receiving line does not accept: back to the line that it came from, with the reason (domain §3.3).

    `as_of` as for `hand_over`.
    """
    only_desk(by)
    ticket = lock(ticket)
    waiting = hand_over_waiting(ticket)
    if waiting is None or not ticket.is_open:
        raise NotAllowed(_nothing_waits(ticket, by=by, at=at), "3.3")
    unchanged_since(ticket, as_of, "return", by=by)
    if not receives(ticket, waiting, by=by, at=at):
        raise Forbidden(
            _("Line %(line)s gives this request back: somebody of the line, or the support manager.")
            % {"line": waiting.to_line_id},
            "3.3",
        )
    reason = needs_words(reason, _("Write why the line returns the request."), "3.3")
    waiting.returned_at = at
    waiting.return_reason = reason
    waiting.save(update_fields=["returned_at", "return_reason"])
    clocks.cancel(ticket, at=at, why="returned", kinds=[PromiseKind.LINE_ACCEPTANCE])
    back = HandOver.objects.create(
        ticket=ticket,
        from_line=waiting.to_line,
        to_line=waiting.from_line,
        by=by,
        at=at,
        known=reason,
    )
    ticket.line = waiting.from_line
    ticket.assignee = waiting.by
    # Whoever passed it on has it again at once: nothing is left to be accepted.
    accept_hand_over(ticket, back, by=waiting.by, at=at)
    bounces = _bounces(ticket, {waiting.from_line_id, waiting.to_line_id})
    record(
        ticket,
        "returned",
        by=by,
        at=at,
        details={"from": waiting.to_line_id, "to": waiting.from_line_id, "reason": reason, "bounces": bounces},
    )
    if bounces and bounces % 3 == 0:
        _call_leads(ticket, {waiting.from_line_id, waiting.to_line_id}, by=by, at=at, bounces=bounces)
    return ticket


@transaction.atomic
def attach_defect(
    ticket: Ticket,
    *,
    by: User,
    at: datetime,
    defect: Defect | None = None,
    title: str = "",
    steps: str = "",
    expected: str = "",
    actual: str = "",
    as_of: int | None = None,
) -> Defect:
    """Ties the ticket to a defect, a known one or a new one with steps, expected, actual and release (§3.3).

    `as_of` as for `hand_over`.
    """
    only_desk(by)
    ticket = lock(ticket)
    if not ticket.is_open:
        raise NotAllowed(_("A defect is attached to an open request."), "3.3")
    told = tuple(text.strip() for text in (title[:200], steps, expected, actual))
    had = ticket.defect
    if had and (defect == had or (defect is None and told == (had.title, had.steps, had.expected, had.actual))):
        return had  # the second click of two: it is attached already
    unchanged_since(ticket, as_of, "defect", by=by)
    if defect is None:
        defect = Defect.objects.create(
            title=needs_words(title, _("Give the defect a title."), "3.3")[:200],
            product=ticket.product,
            release=ticket.release,
            steps=needs_words(steps, _("Write the steps that show the defect."), "3.3"),
            expected=needs_words(expected, _("Write what was expected."), "3.3"),
            actual=needs_words(actual, _("Write what happened instead."), "3.3"),
            reported_by=by,
            reported_at=at,
        )
        DefectEvent.objects.create(defect=defect, verb="reported", by=by, at=at, details={"ticket": ticket.number})
    elif defect.state == Defect.State.REJECTED:
        raise NotAllowed(_("That defect is rejected: attach another, or describe a new one."), "3.3")
    ticket.defect = defect
    record(ticket, "defect_attached", by=by, at=at, details={"defect": defect.pk, "title": defect.title})
    return defect
