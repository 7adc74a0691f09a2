"""Random walks through the verbs at random moments: what must hold after every step, whatever came before (domain §4).

Seeded, so that a walk that fails is walked again with `WALK=<number>`; `WALKS=2000` walks further. Each walk opens one
ticket, makes legal moves of the desk, the customer and the sweep, and looks at every row after each of them. What a
clock should have paused for is written down beside the walk, from the states alone, and compared.
"""

import itertools
import os
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from accounts.refusals import Refused
from contracts.models import Customer
from sla.explain import explanations, how_it_ended
from sla.models import Commitment
from sla.sweep import sweep
from tests.factories import (
    MOSCOW,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tests.moments import december, november, tuesday
from tickets import workflow
from tickets.models import State, Ticket
from tickets.verification import verify

pytestmark = pytest.mark.django_db

WALKS = int(os.environ.get("WALKS", "60"))
STEPS = 6
# Daylight hours, one minute before closing, a Friday evening, a Saturday, the eve and the day of a holiday, New Year.
BEGINNINGS = (
    tuesday(10),
    tuesday(17, 59),
    november(20, 17, 30),
    november(21, 12),
    november(3, 17, 59, 30),
    november(4, 11),
    december(31, 23, 30),
)
PAUSES_IN = {State.AWAITING_CUSTOMER, State.RESOLVED}  # and in nothing else (domain §4.1)
ENDED = {State.CLOSED, State.DECLINED}
LINE, ANSWER = "line_acceptance", "escalation_answer"
CUSTOMER_KINDS = {"reaction", "resolution"}


@dataclass
class Cast:
    """Who walks: made once, because customers and contracts cost more than tickets."""

    customers: list[Customer]
    engineers: list[User]
    lead: User
    manager: User


@dataclass
class Walk:
    ticket: Ticket
    now: datetime
    contact: User
    done: list[str] = field(default_factory=list)
    states: list[tuple[datetime, str]] = field(default_factory=list)  # since when it is in which state


@pytest.fixture
def cast() -> Cast:
    lead, manager = a_lead(1), a_manager()
    top()
    customers = [a_customer(code, starts_on=date(2026, 1, 1), ends_on=date(2027, 12, 31)) for code in CODES]
    return Cast(customers, [an_engineer(line) for line in (1, 2, 3, 4)], lead, manager)


CODES = ("premium", "premium", "premium", "business", "basic")


def a_later_moment(walk: Walk, random: Random) -> datetime:
    """A second, an hour, a night or a weekend on; often a deadline or a rung itself, or the second after it."""
    marks = []
    for clock in walk.ticket.commitments.filter(stopped_at__isnull=True):
        rungs = [datetime.fromisoformat(rung["at"]) for rung in clock.rungs]
        marks += [mark for mark in (clock.due_at, *rungs) if mark > walk.now]
    if marks and random.random() < 0.4:
        return random.choice(marks) + timedelta(seconds=random.choice((0, 0, 1, -1, 60)))
    minutes = random.choice((0, 0, 1, 5, 20, 45, 130, 500, 60 * 17, 60 * 24 * 3, 60 * 24 * 8))
    return walk.now + timedelta(minutes=minutes, seconds=random.choice((0, 1, 30)))


def moves(walk: Walk, cast: Cast, random: Random) -> dict[str, Any]:
    """Every verb with words of its own; which of them are legal now, the verbs decide."""
    ticket, at, mine = walk.ticket, walk.now, walk.contact
    by = random.choice(cast.engineers)
    priority = random.choice((1, 2, 3, 4))

    def propose() -> Any:
        clock = ticket.commitments.running().filter(kind="resolution").select_related("calendar_version").first()
        hours = random.randint(1, 120)
        due_at = clock.calendar.add(at + timedelta(seconds=1), timedelta(hours=hours)) if clock else at
        return workflow.propose_deadline(
            ticket, by=random.choice((mine, cast.lead)), due_at=due_at, reason="A supplier", at=at
        )

    def answer_proposal() -> Any:
        waiting = ticket.deadline_proposals.open().select_related("ticket").first()
        if waiting is None:
            raise workflow.NotAllowed("Nothing waits.")
        verb = random.choice((workflow.accept_deadline,) * 3 + (workflow.refuse_deadline, workflow.withdraw_deadline))
        words = {"words": "No"} if verb is workflow.refuse_deadline else {}
        ours = waiting.is_by_vendor == (verb is workflow.withdraw_deadline)
        return verb(waiting, by=cast.lead if ours else mine, at=at, **words)

    def lapse() -> Any:
        waiting = ticket.deadline_proposals.open().select_related("ticket").first()
        if waiting is None or not workflow.lapse_deadline(waiting, at=at):
            raise workflow.NotAllowed("Nothing lapses.")

    def defect() -> Any:
        return workflow.attach_defect(
            ticket, by=by, title="Pool", steps="Open", expected="Opens", actual="Does not", at=at
        )

    return {
        "accept": lambda: workflow.accept(ticket, by=by, at=at),
        "reply": lambda: workflow.reply(ticket, by=by, body="We look into it", at=at),
        "ask_customer": lambda: workflow.ask_customer(ticket, by=by, body="Which version?", at=at),
        "stop_waiting": lambda: workflow.stop_waiting(ticket, by=by, at=at),
        "hand_over": lambda: workflow.hand_over(
            ticket, by=by, to_line=random.choice((1, 2, 3, 4)), known="It falls", asked="Look", at=at
        ),
        "return_hand_over": lambda: workflow.return_hand_over(ticket, by=by, reason="Not ours", at=at),
        "attach_defect": defect,
        "restore": lambda: workflow.restore(
            ticket, by=by, workaround="Use the mirror", to_priority=random.choice((3, 4)), at=at
        ),
        "contest_restore": lambda: workflow.contest_restore(ticket, by=mine, reason="It is not back", at=at),
        "reclassify": lambda: workflow.reclassify(ticket, by=by, reason="Misread", priority=priority, at=at),
        "reclassify_kind": lambda: workflow.reclassify(
            ticket, by=by, reason="Misread", kind=random.choice(("incident", "incident", "consultation")), at=at
        ),
        "set_priority": lambda: workflow.set_priority(ticket, by=mine, priority=priority, reason="Worse", at=at),
        "resolve": lambda: workflow.resolve(ticket, by=by, body="Restarted", at=at),
        "decline": lambda: workflow.decline(ticket, by=by, reason="Networks", at=at),
        "customer_reply": lambda: workflow.customer_reply(ticket, by=mine, body="Here it is", at=at),
        "reopen": lambda: workflow.reopen(ticket, by=mine, reason="Again", at=at),
        "confirm": lambda: workflow.confirm(ticket, by=mine, at=at),
        "withdraw": lambda: workflow.withdraw(ticket, by=mine, at=at),
        "contest": lambda: workflow.contest(ticket, by=mine, reason="It is yours", at=at),
        "escalate": lambda: workflow.escalate(
            ticket, by=mine, whom=random.choice(("csm", "top_management")), reason="Nobody answers", at=at
        ),
        "answer": lambda: workflow.answer_escalation(
            ticket.escalations.open().earliest("pk"), by=cast.manager, answer="We see to it", at=at
        ),
        "assign": lambda: workflow.assign(ticket, by=cast.lead, to=by, at=at),
        "rate": lambda: workflow.rate(ticket, by=mine, score=random.choice((1, 5)), at=at),
        "propose_deadline": propose,
        "answer_proposal": answer_proposal,
        "lapse": lapse,
        "sweep": lambda: sweep(at),
        "close_silent": lambda: workflow.close_silent(ticket, at=at),
    }


# Those that end the walk are rare, those that clocks hear are common.
SELDOM = {"withdraw", "confirm", "close_silent", "rate", "attach_defect", "answer", "assign"}
OFTEN = {"ask_customer", "customer_reply", "restore", "contest_restore", "reopen", "resolve", "reclassify", "sweep"}
OFTEN |= {"propose_deadline", "answer_proposal"}
IN_STATE = {
    "new": {"accept", "reply", "ask_customer", "hand_over", "reclassify", "set_priority", "resolve", "decline"},
    "awaiting_customer": {"stop_waiting", "customer_reply", "restore", "reclassify", "reclassify_kind", "resolve"},
    "resolved": {"customer_reply", "reopen", "confirm", "rate", "close_silent", "sweep"},
    "declined": {"contest", "customer_reply", "sweep"},
}


def step(walk: Walk, cast: Cast, random: Random) -> None:
    """One legal move at a later moment; a refused one changes nothing, and another is tried at the same moment."""
    walk.now = max(walk.now, a_later_moment(walk, random))
    legal = moves(walk, cast, random)
    weights = {
        name: (0.3 if name in SELDOM else 3 if name in OFTEN else 1)
        * (4 if name in IN_STATE.get(walk.ticket.state, ()) else 1)
        for name in legal
    }
    for _attempt in range(8):
        name = random.choices(list(legal), [weights[name] for name in legal])[0]
        if name == "answer" and not walk.ticket.escalations.open().exists():
            continue
        try:
            legal[name]()
        except Refused:
            weights[name] = 0
            continue
        walk.done.append(f"{walk.now:%d.%m %H:%M:%S} {name}")
        break
    walk.ticket.refresh_from_db()
    if walk.states[-1][1] != walk.ticket.state:
        walk.states.append((walk.now, walk.ticket.state))


def should_pause(walk: Walk, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The spans of [start, end) in which the ticket waited or was solved, by its states alone."""
    until = [since for since, _state in walk.states[1:]] + [end]
    spans: list[tuple[datetime, datetime]] = []
    for (since, state), left in zip(walk.states, until, strict=True):
        first, last = max(since, start), min(left, end)
        if state not in PAUSES_IN or first >= last:
            continue
        if spans and spans[-1][1] == first:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans


def merged(pauses: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    spans: list[tuple[datetime, datetime]] = []
    for first, last in sorted(pauses):
        if spans and spans[-1][1] == first:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans


def check(walk: Walk) -> None:
    ticket, now = walk.ticket, walk.now
    clocks = list(ticket.commitments.select_related("calendar_version").order_by("pk"))
    running = [clock for clock in clocks if clock.stopped_at is None]

    # One running clock per kind; none but the answer that is owed once the ticket is over.
    kinds = [clock.kind for clock in running if clock.kind != ANSWER]
    assert len(kinds) == len(set(kinds))
    if ticket.state in ENDED:
        assert kinds == []
    if ticket.state == State.RESOLVED:
        assert not {"reaction", "resolution", LINE} & set(kinds)
    if ticket.kind != "incident":
        assert "resolution" not in kinds

    # The ticket repeats its nearest deadline: to the customer, else of its line to accept it.
    to_customer = [clock for clock in running if clock.kind in CUSTOMER_KINDS]
    of_line = [clock for clock in running if clock.kind == LINE]
    nearest = min(to_customer or of_line, key=lambda clock: clock.due_at, default=None)
    assert (ticket.due_at, ticket.due_kind) == ((nearest.due_at, nearest.kind) if nearest else (None, ""))
    assert ticket.clock_paused == (ticket.state == State.AWAITING_CUSTOMER)

    escalations = list(ticket.escalations.filter(commitment__isnull=False).order_by("pk"))
    for clock in clocks:
        check_clock(walk, clock)
        called = [row for row in escalations if row.commitment_id == clock.pk]
        positions = [row.position for row in called]
        assert len(positions) == len(set(positions)) <= len(clock.rungs)
        assert all(position < clock.rungs_done for position in positions)
        assert positions == sorted(positions)
        for row in called:
            assert clock.started_at <= row.reached_at <= row.created_at <= now
        if clock.stopped_at is not None:
            assert not [row for row in called if row.state != "closed"]

    # A proposal waits only for a clock that runs; what was agreed is the deadline until the customer is waited for.
    assert not ticket.deadline_proposals.open().filter(commitment__stopped_at__isnull=False).exists()
    for proposal in ticket.deadline_proposals.filter(state="accepted").select_related("made__calendar_version"):
        made = proposal.made
        later = [span for span in made.pauses if span.lower >= proposal.answered_at]
        assert made.agreed and made.started_at <= proposal.answered_at < proposal.due_at
        assert made.due_at == proposal.due_at or (later and made.due_at > proposal.due_at)

    # What happened is in the order of the moments.
    moments = list(ticket.events.order_by("pk").values_list("at", flat=True))
    assert moments == sorted(moments)

    # The route and the line are the same story.
    route = list(ticket.hand_overs.order_by("at", "pk"))
    if route:
        assert route[-1].to_line_id == ticket.line_id
    assert all(before.to_line_id == after.from_line_id for before, after in itertools.pairwise(route))
    waiting = [row for row in route if row.accepted_at is None and row.returned_at is None]
    assert len(waiting) <= 1
    if ticket.is_open:
        assert bool(waiting) == (LINE in kinds)
    if waiting:
        assert waiting[0] == route[-1]


def check_clock(walk: Walk, clock: Commitment) -> None:
    now = walk.now
    pauses = [(span.lower, span.upper) for span in clock.pauses]
    calendar = clock.calendar

    # Its life: from the receipt or a move on, to one ending.
    assert walk.states[0][0] <= clock.started_at <= (clock.stopped_at or now) <= now
    assert (clock.ending == "") == (clock.stopped_at is None and clock.ending != "missed")
    if clock.ending == "met":
        assert clock.stopped_at is not None and clock.stopped_at <= clock.due_at
    if clock.ending == "missed":
        assert (clock.met_late_at or clock.stopped_at or now) > clock.due_at

    # Pauses: inside its life, apart from each other, and none that is not the customer's turn.
    assert pauses == sorted(pauses)
    assert all(first < last for first, last in pauses)
    assert all(end <= start for (_first, end), (start, _last) in itertools.pairwise(pauses))
    if pauses:
        assert clock.started_at <= pauses[0][0] and pauses[-1][1] <= (clock.stopped_at or now)
    if clock.kind != "resolution":
        assert (pauses, clock.paused_at) == ([], None)
    elif clock.ending not in {"missed"} and clock.due_at >= now and clock.stopped_at is None:
        stands = [*pauses, (clock.paused_at, now)] if clock.paused_at and clock.paused_at < now else pauses
        assert merged(stands) == should_pause(walk, clock.started_at, now)
        assert (clock.paused_at is not None) == (walk.ticket.state == State.AWAITING_CUSTOMER)

    # The deadline and every rung are that much business time after the start, the pauses cut out.
    assert calendar.between_with_pauses(clock.started_at, clock.due_at, pauses) == clock.target
    before = clock.started_at
    for rung in clock.rungs:
        at = datetime.fromisoformat(rung["at"])
        assert at >= before
        worked = calendar.between_with_pauses(clock.started_at, at, pauses)
        assert worked == clock.target * rung["percent"] / 100
        assert (at == clock.due_at) if rung["percent"] == 100 else (at < clock.due_at) == (rung["percent"] < 100)
        before = at

    # The sweep's next look: at the nearest of what is to come, while it runs.
    if clock.stopped_at is not None or clock.paused_at is not None:
        assert clock.next_check_at is None
    elif clock.ending == "":
        assert clock.next_check_at is not None
    if walk.done and walk.done[-1].endswith(" sweep"):
        assert clock.next_check_at is None or clock.next_check_at > now
        if clock.ending == "":
            assert clock.paused_at is not None or clock.due_at >= now


def check_words(walk: Walk) -> None:
    """Every promise can be explained, adds up, and ends in words that are no code of ours (domain §4.3)."""
    stored = {clock.pk: clock for clock in walk.ticket.commitments.all()}
    told = explanations(walk.ticket, zone=MOSCOW, now=walk.now, language="en", for_customer=False)
    assert [one.commitment for one in told] == sorted(stored)
    for one in told:
        clock = stored[one.commitment]
        assert sum((step.counted for step in one.steps), timedelta(0)) == clock.target
        assert clock.paused_at is not None or one.due_at == clock.due_at
        assert not clock.why or how_it_ended(clock) != clock.why


def take(number: int, cast: Cast) -> None:
    random = Random(number)
    customer = random.choice(cast.customers)
    at = random.choice(BEGINNINGS)
    ticket = open_ticket(customer, at=at, priority=random.choice((1, 1, 2, 3, 4)))
    walk = Walk(ticket, at, contact_of(customer, at), [f"{at:%d.%m %H:%M:%S} open"], [(at, ticket.state)])
    walk.ticket.refresh_from_db()
    try:
        check(walk)
        for _step in range(STEPS):
            step(walk, cast, random)
            check(walk)
            if walk.ticket.state == State.CLOSED:
                break
        # All of it can be told again from the events alone (domain §4.3).
        told_again = verify(Ticket.objects.filter(pk=ticket.pk), clock=lambda: walk.now)
        assert [difference.words() for difference in told_again] == []
        check_words(walk)
    except Exception as error:
        error.add_note(f"WALK={number}, {customer.contracts.get().terms.package.code}: " + "; ".join(walk.done))
        raise


def test_whatever_is_done_in_whatever_order_the_promises_stay_true(cast):
    numbers = [int(os.environ["WALK"])] if "WALK" in os.environ else range(WALKS)
    for number in numbers:
        with transaction.atomic():
            take(number, cast)
            transaction.set_rollback(True)  # the sweep of the next walk has its own ticket only
