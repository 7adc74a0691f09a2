"""Individually agreed deadlines (domain §4.2): who signs what and when, and what the clock does then."""

import threading
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone, translation

from accounts.models import User
from accounts.refusals import Forbidden, Refused
from contracts.models import Customer
from sla import clocks, reports
from sla.models import Commitment, DeadlineProposal
from sla.sweep import sweep
from tests.factories import (
    MOSCOW,
    UserFactory,
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
    top,
)
from tests.moments import december, november, tuesday
from tickets import workflow
from tickets.models import Ticket
from tickets.tasks import lapse_deadlines
from tickets.workflow import NotAllowed

pytestmark = pytest.mark.django_db

GUARANTEED = december(1, 10)  # Tuesday 10:00 and ten working days
WANTED = december(4, 15, 30)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"), timezone.override(MOSCOW):
        yield


@pytest.fixture
def ticket() -> Ticket:
    return open_ticket(priority=3)


@pytest.fixture
def lead() -> User:
    return a_lead()


def propose(ticket: Ticket, by: User | None = None, **fields: Any) -> DeadlineProposal:
    fields = {"due_at": WANTED, "reason": "The supplier answers on Thursday", "at": tuesday(12), **fields}
    return workflow.propose_deadline(ticket, by=by or contact_of(ticket.customer), **fields)


def agree(ticket: Ticket, *, due_at: datetime = WANTED, at: datetime | None = None) -> Commitment:
    """The contact proposes and a lead accepts, at one moment."""
    at = at or tuesday(13)
    proposal = propose(ticket, due_at=due_at, at=at)
    return workflow.accept_deadline(proposal, by=a_lead(), at=at).made


def resolutions(ticket: Ticket) -> list[tuple]:
    rows = ticket.commitments.filter(kind="resolution").order_by("pk")
    return [(row.due_at, row.ending, row.agreed) for row in rows]


def running(ticket: Ticket) -> Commitment:
    return ticket.commitments.running().get(kind="resolution")


def events(ticket: Ticket) -> list[str]:
    return list(ticket.events.order_by("pk").values_list("verb", flat=True))


# The agreement


def test_the_signed_instant_is_the_deadline_and_the_old_clock_gives_way(ticket, lead):
    contact = contact_of(ticket.customer)
    proposal = propose(ticket, contact)

    accepted = workflow.accept_deadline(proposal, by=lead, at=tuesday(14))

    assert resolutions(ticket) == [(GUARANTEED, "superseded", False), (WANTED, "", True)]
    made = accepted.made
    assert (made.started_at, made.target) == (ticket.opened_at, made.calendar.between(ticket.opened_at, WANTED))
    ticket.refresh_from_db()
    assert (ticket.due_at, ticket.due_kind) == (tuesday(12), "reaction")  # the nearest still
    assert (accepted.proposed_by, accepted.proposed_at) == (contact, tuesday(12))
    assert (accepted.answered_by, accepted.answered_at) == (lead, tuesday(14))
    assert accepted.old_due == GUARANTEED


def test_the_event_keeps_all_that_a_recomputation_needs(ticket, lead):
    proposal = propose(ticket)
    workflow.accept_deadline(proposal, by=lead, at=tuesday(14))

    proposed, agreed = ticket.events.filter(verb__startswith="deadline_").order_by("pk")
    assert (proposed.verb, agreed.verb) == ("deadline_proposed", "deadline_agreed")
    assert proposed.details == {
        "proposal": proposal.pk,
        "side": "customer",
        "proposed_by": contact_of(ticket.customer).full_name,
        "proposed_at": "2026-11-17T09:00:00+00:00",
        "from": "2026-12-01T07:00:00+00:00",
        "to": "2026-12-04T12:30:00+00:00",
        "reason": "The supplier answers on Thursday",
    }
    assert agreed.details == proposed.details | {
        "answered_by": lead.full_name,
        "answered_at": "2026-11-17T11:00:00+00:00",
        "due_at": "2026-12-04T12:30:00+00:00",
        "started": "2026-11-17T07:00:00+00:00",
        "target": 13 * 9 * 3600 + int(5.5 * 3600),
        "missed": False,
    }


def test_support_proposes_and_the_contact_accepts(ticket, lead):
    proposal = propose(ticket, lead)

    workflow.accept_deadline(proposal, by=contact_of(ticket.customer), at=tuesday(14))

    assert running(ticket).due_at == WANTED


def test_an_earlier_deadline_can_be_agreed_too(ticket):
    agree(ticket, due_at=november(19, 12))

    assert running(ticket).due_at == november(19, 12)


def test_a_second_agreement_replaces_the_first_and_both_stay_on_the_record(ticket):
    agree(ticket)
    agree(ticket, due_at=december(8, 12), at=tuesday(15))

    assert resolutions(ticket) == [
        (GUARANTEED, "superseded", False),
        (WANTED, "superseded", True),
        (december(8, 12), "", True),
    ]
    assert list(ticket.deadline_proposals.order_by("pk").values_list("old_due", "due_at")) == [
        (GUARANTEED, WANTED),
        (WANTED, december(8, 12)),
    ]


def test_percents_of_the_ladder_are_of_the_agreed_time(ticket):
    made = agree(ticket)

    assert [(rung["percent"], rung["whom"]) for rung in made.rungs] == [
        (50, "assignee"),
        (75, "line_lead"),
        (90, "csm"),
        (100, "csm"),
        (100, "support_manager"),
        (125, "top_management"),
    ]
    for rung in made.rungs:
        worked = made.calendar.between(made.started_at, datetime.fromisoformat(rung["at"]))
        assert worked == made.target * rung["percent"] / 100
    assert made.next_check_at == datetime.fromisoformat(made.rungs[0]["at"])


def test_a_rung_that_was_called_is_not_called_again_by_the_agreed_clock(ticket):
    old = running(ticket)
    half = datetime.fromisoformat(old.rungs[0]["at"])  # 24 November, 10:00
    sweep(half)
    assert ticket.escalations.filter(commitment=old).count() == 1

    agree(ticket, due_at=november(26, 18), at=november(26, 9))  # half of the agreed time is long over, and so is 75 %
    sweep(november(26, 9, 1))

    assert running(ticket).rungs_done == 2  # 50 % called by the old clock, 75 % by the new one
    called = ticket.escalations.filter(commitment__kind="resolution")
    assert sorted(called.values_list("percent", flat=True)) == [50, 75]


# Who signs


@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("contact", True),
        ("observer", False),
        ("contact of another company", False),
        ("engineer", False),
        ("lead", True),
        ("lead of another line", True),
        ("own csm", True),
        ("csm of others", False),
        ("manager", True),
        ("top", False),
        ("contract admin", False),
        ("admin", False),
    ],
)
@pytest.mark.parametrize("verb", ["propose", "accept", "refuse", "withdraw"])
def test_who_signs(ticket, who, may, verb):
    people = {
        "contact": lambda: contact_of(ticket.customer),
        "observer": lambda: observer_of(ticket.customer),
        "contact of another company": lambda: contact_of(a_customer("basic")),
        "engineer": an_engineer,
        "lead": a_lead,
        "lead of another line": lambda: a_lead(3),
        "own csm": lambda: ticket.customer.csm,
        "csm of others": a_csm,
        "manager": a_manager,
        "top": top,
        "contract admin": a_contract_admin,
        "admin": lambda: UserFactory(admin=True),
    }
    by = people[who]()
    # The open proposal is of the person's own side to be withdrawn, of the other side to be answered.
    of_vendor = by.is_vendor == (verb == "withdraw")
    proposal = None if verb == "propose" else propose(ticket, a_lead() if of_vendor else None)
    before = events(ticket)

    def act() -> Any:
        if proposal is None:
            return propose(ticket, by)
        if verb == "refuse":
            return workflow.refuse_deadline(proposal, words="Too late for us", by=by, at=tuesday(13))
        call = workflow.accept_deadline if verb == "accept" else workflow.withdraw_deadline
        return call(proposal, by=by, at=tuesday(13))

    if may:
        act()
        assert len(events(ticket)) == len(before) + 1
    else:
        with pytest.raises(Forbidden):
            act()
        assert events(ticket) == before


def test_a_side_does_not_answer_its_own_proposal(ticket, lead):
    proposal = propose(ticket, lead)

    for verb in (workflow.accept_deadline, workflow.refuse_deadline):
        words = {"words": "No"} if verb is workflow.refuse_deadline else {}
        with pytest.raises(NotAllowed, match="own side"):
            verb(proposal, by=a_manager(), at=tuesday(13), **words)
    with pytest.raises(NotAllowed, match="other side's"):
        workflow.withdraw_deadline(proposal, by=contact_of(ticket.customer), at=tuesday(13))


# When


def waiting(ticket: Ticket) -> None:
    workflow.ask_customer(ticket, by=an_engineer(), body="Which version?", at=tuesday(11))


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda customer: open_ticket(customer, priority=1), "priorities 3 and 4"),
        (lambda customer: open_ticket(customer, priority=2), "priorities 3 and 4"),
        (lambda customer: open_ticket(customer, priority=3), ""),
        (lambda customer: open_ticket(customer, priority=4), ""),
        (lambda customer: open_ticket(customer, kind="consultation", priority=3), "Only an incident"),
    ],
)
def test_only_a_resolution_of_priority_3_or_4(made, words):
    ticket = made(a_customer())
    if not words:
        assert propose(ticket).is_open
        return
    with pytest.raises(NotAllowed, match=words):
        propose(ticket)


def test_without_a_promised_resolution_there_is_nothing_to_agree():
    with pytest.raises(NotAllowed, match="No solution is promised"):
        propose(open_ticket(a_customer("business"), priority=3))


@pytest.mark.parametrize(
    ("state", "may"),
    [
        ("new", True),
        ("in_progress", True),
        ("awaiting_customer", True),
        ("resolved", False),
        ("closed", False),
        ("declined", False),
    ],
)
def test_only_while_the_request_is_open(ticket, state, may):
    by = an_engineer()
    if state != "new":
        workflow.accept(ticket, by=by, at=tuesday(11))
    if state == "awaiting_customer":
        waiting(ticket)
    if state == "resolved":
        workflow.resolve(ticket, by=by, body="Mended", at=tuesday(11))
    if state == "closed":
        workflow.withdraw(ticket, by=contact_of(ticket.customer), at=tuesday(11))
    if state == "declined":
        workflow.decline(ticket, by=by, reason="Networks", at=tuesday(11))

    if may:
        assert propose(ticket).is_open
    else:
        with pytest.raises(NotAllowed):
            propose(ticket)


@pytest.mark.parametrize(
    ("due_at", "words"),
    [
        (november(20, 18), ""),  # closing time is the last instant
        (november(20, 9, 0, 1), ""),
        (november(20, 18, 0, 1), r"closing time before it is Fri 20 Nov, 18:00"),
        (november(20, 9), r"closing time before it is Thu 19 Nov, 18:00"),  # no working time ends at opening
        (november(21, 12), r"closing time before it is Fri 20 Nov, 18:00"),
        (november(23, 3), r"closing time before it is Fri 20 Nov, 18:00"),
        (tuesday(20), r"closing time before it is Tue 17 Nov, 18:00"),
        (tuesday(11), "has passed"),
        (tuesday(12), "has passed"),
        (GUARANTEED, "the deadline already"),
        (datetime(2031, 1, 9, 12, tzinfo=MOSCOW), "check the year"),
    ],
)
def test_only_an_instant_that_the_clock_can_reach(ticket, due_at, words):
    if not words:
        assert propose(ticket, due_at=due_at).due_at == due_at
        return
    with pytest.raises(NotAllowed, match=words):
        propose(ticket, due_at=due_at)
    assert not DeadlineProposal.objects.exists()


def test_in_the_evening_the_next_opening_is_offered(ticket):
    with pytest.raises(NotAllowed, match="begin again at Wed 18 Nov, 09:00"):
        propose(ticket, due_at=tuesday(21), at=tuesday(19))


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_proposal_needs_a_reason_and_a_refusal_words(ticket, lead, reason):
    with pytest.raises(NotAllowed, match="Write why"):
        propose(ticket, reason=reason)
    proposal = propose(ticket)
    with pytest.raises(NotAllowed, match="Write why not"):
        workflow.refuse_deadline(proposal, words=reason, by=lead, at=tuesday(13))
    proposal.refresh_from_db()
    assert proposal.is_open


# Answered once


ANSWERS: dict[str, Any] = {
    "accepted": lambda proposal, ours, theirs: workflow.accept_deadline(proposal, by=ours, at=tuesday(13)),
    "refused": lambda proposal, ours, theirs: workflow.refuse_deadline(proposal, words="No", by=ours, at=tuesday(13)),
    "withdrawn": lambda proposal, ours, theirs: workflow.withdraw_deadline(proposal, by=theirs, at=tuesday(13)),
}


@pytest.mark.parametrize("first", ANSWERS)
@pytest.mark.parametrize("second", ANSWERS)
def test_whoever_comes_second_is_told_what_happened_and_a_double_click_is_once(ticket, lead, first, second):
    contact = contact_of(ticket.customer)
    proposal = propose(ticket, contact)
    ANSWERS[first](proposal, lead, contact)
    before = events(ticket)

    if first == second:
        ANSWERS[second](proposal, lead, contact)
    else:
        with pytest.raises(NotAllowed, match=f"has {first} this proposal"):
            ANSWERS[second](proposal, lead, contact)

    proposal.refresh_from_db()
    assert (proposal.state, events(ticket)) == (first, before)


def test_the_same_proposal_twice_is_one_and_another_waits(ticket, lead):
    contact = contact_of(ticket.customer)
    assert propose(ticket, contact) == propose(ticket, contact)

    with pytest.raises(NotAllowed, match="withdraw that proposal before"):
        propose(ticket, contact, due_at=december(7, 12))
    with pytest.raises(NotAllowed, match="waits for your answer"):
        propose(ticket, lead, due_at=december(7, 12))
    assert DeadlineProposal.objects.count() == 1


def test_after_a_refusal_the_deadline_stands_and_the_other_side_may_propose(ticket, lead):
    workflow.refuse_deadline(propose(ticket), words="We need less", by=lead, at=tuesday(13))

    assert resolutions(ticket) == [(GUARANTEED, "", False)]
    assert propose(ticket, lead, due_at=november(27, 12), at=tuesday(14)).is_open


@pytest.mark.django_db(transaction=True)
def test_yes_and_withdrawal_at_the_same_instant_are_one_of_the_two(catalogue_again):
    ticket = open_ticket(priority=3)
    contact, lead = contact_of(ticket.customer), a_lead()
    proposal = propose(ticket, contact)
    told: list[str] = []
    start = threading.Barrier(4)

    def answer(verb: Any, by: User) -> None:
        start.wait()
        try:
            with translation.override("en"):
                verb(proposal, by=by, at=tuesday(13))
            told.append("done")
        except Refused:
            told.append("refused")
        finally:
            connection.close()

    people = [(workflow.accept_deadline, lead), (workflow.withdraw_deadline, contact)] * 2
    threads = [threading.Thread(target=answer, args=pair) for pair in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    proposal.refresh_from_db()
    assert sorted(told) == ["done", "done", "refused", "refused"]  # the winner's second click changes nothing
    assert proposal.state in {"accepted", "withdrawn"}
    assert len([verb for verb in events(ticket) if verb in {"deadline_agreed", "deadline_withdrawn"}]) == 1
    assert Commitment.objects.filter(agreed=True).count() == (proposal.state == "accepted")


def test_the_database_refuses_a_second_open_proposal_and_half_an_answer(ticket):
    proposal = propose(ticket)
    with pytest.raises(IntegrityError, match="deadline_one_open"), transaction.atomic():
        proposal.pk = None
        proposal.save(force_insert=True)
    for wrong in ({"state": "accepted"}, {"state": "refused"}, {"answered_at": tuesday(13)}, {"reason": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            DeadlineProposal.objects.update(**wrong)


# A miss stays a miss


@pytest.mark.parametrize("swept", [True, False])
def test_an_agreement_after_the_deadline_undoes_no_miss(ticket, lead, swept):
    late = december(1, 11)
    if swept:
        sweep(late)
    proposal = propose(ticket, lead, at=late)
    workflow.accept_deadline(proposal, by=contact_of(ticket.customer), at=late)

    assert resolutions(ticket) == [(GUARANTEED, "missed", False), (WANTED, "", True)]
    assert ticket.events.get(verb="deadline_agreed").details["missed"] is True
    missed = ticket.commitments.get(kind="resolution", ending="missed")
    assert (missed.stopped_at, missed.met_late_at, missed.why) == (late, None, clocks.AGREED)

    workflow.resolve(ticket, by=an_engineer(), body="Mended", at=december(4, 12))
    assert resolutions(ticket) == [(GUARANTEED, "missed", False), (WANTED, "met", True)]


def test_a_proposal_made_in_time_and_accepted_too_late_undoes_no_miss(ticket, lead):
    proposal = propose(ticket)

    workflow.accept_deadline(proposal, by=lead, at=december(1, 10, 0, 1))

    assert resolutions(ticket)[0] == (GUARANTEED, "missed", False)


def test_at_the_deadlines_own_instant_it_is_not_late(ticket, lead):
    workflow.accept_deadline(propose(ticket), by=lead, at=GUARANTEED)

    assert resolutions(ticket)[0] == (GUARANTEED, "superseded", False)


def test_an_agreed_deadline_is_missed_like_any_other(ticket):
    agree(ticket)
    sweep(december(4, 15, 31))

    assert resolutions(ticket)[1] == (WANTED, "missed", True)


def test_reports_count_agreed_deadlines_apart(ticket):
    agree(ticket)
    workflow.resolve(ticket, by=an_engineer(), body="Mended", at=december(2, 12))
    other = open_ticket(ticket.customer, priority=3)
    workflow.resolve(other, by=an_engineer(), body="Mended", at=december(1, 9, 30))
    late = open_ticket(ticket.customer, priority=3)
    agree(late, at=december(1, 11))  # after its deadline
    workflow.resolve(late, by=an_engineer(), body="Mended", at=december(4, 16))

    def kept(**of: Any) -> tuple[int, int]:
        rows = reports.ended(december(1), december(31), **of).filter(kind="resolution")
        return rows.filter(ending="met").count(), rows.filter(ending="missed").count()

    assert kept() == (1, 1)  # the other one met; the late one missed its guaranteed deadline
    assert kept(agreed=True) == (1, 1)
    assert reports.agreed(december(1), december(31)) == reports.Attainment(1, 1)


# Pauses


def test_the_agreed_deadline_moves_by_the_working_time_that_we_wait_for_the_customer(ticket):
    agree(ticket)
    by = an_engineer()
    workflow.ask_customer(ticket, by=by, body="Which version?", at=november(18, 17))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=november(19, 11))  # 1 h + 2 h

    assert running(ticket).due_at == december(7, 9, 30)  # Friday 15:30 and 3 h


def test_it_moves_by_no_closed_hours(ticket):
    agree(ticket)
    workflow.ask_customer(ticket, by=an_engineer(), body="Which version?", at=november(18, 18))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=november(19, 9))

    assert running(ticket).due_at == WANTED


def test_signed_while_we_wait_it_stands_from_the_signature_on(ticket, lead):
    workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 30))
    waiting(ticket)  # since 11:00
    proposal = propose(ticket, lead, at=tuesday(12))
    workflow.accept_deadline(proposal, by=contact_of(ticket.customer), at=tuesday(14))

    clock = running(ticket)
    assert (clock.due_at, clock.paused_at, clock.next_check_at) == (WANTED, tuesday(14), None)
    assert [(span.lower, span.upper) for span in clock.pauses] == [(tuesday(11), tuesday(14))]

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=tuesday(15))
    assert running(ticket).due_at == december(4, 16, 30)  # the hour after the signature, not the three before


def test_earlier_pauses_are_kept_and_the_signed_instant_holds(ticket):
    workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 30))
    waiting(ticket)
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=tuesday(16))
    made = agree(ticket, at=tuesday(17))

    assert made.due_at == WANTED
    assert made.target == made.calendar.between(ticket.opened_at, WANTED) - timedelta(hours=5)


def test_reopened_it_goes_on_agreed_and_later_by_the_time_as_solved(ticket):
    agree(ticket)
    workflow.resolve(ticket, by=an_engineer(), body="Mended", at=november(18, 10))
    workflow.reopen(ticket, by=contact_of(ticket.customer), reason="Again", at=november(18, 12))

    clock = running(ticket)
    assert (clock.agreed, clock.due_at) == (True, december(4, 17, 30))


def test_whatever_is_agreed_the_deadline_is_the_signed_instant():
    """Property: any reachable instant, any pauses before, signed while waiting or not."""
    random = Random(4)
    customer, lead, by = a_customer(), a_lead(), an_engineer()
    contact = contact_of(customer)
    for _try in range(25):
        at = november(random.randint(9, 20), random.randint(0, 23), random.randint(0, 59), random.randint(0, 59))
        ticket = open_ticket(customer, priority=random.choice((3, 4)), at=at)
        workflow.accept(ticket, by=by, at=at)
        for _pause in range(random.randint(0, 3)):
            at += timedelta(minutes=random.randint(1, 3000), microseconds=random.randint(0, 999_999))
            workflow.ask_customer(ticket, by=by, body="?", at=at)
            at += timedelta(minutes=random.randint(0, 3000), microseconds=random.randint(0, 999_999))
            workflow.customer_reply(ticket, by=contact, body="!", at=at)
        if random.random() < 0.4:
            workflow.ask_customer(ticket, by=by, body="?", at=at)
            at += timedelta(minutes=random.randint(0, 3000), microseconds=random.randint(0, 999_999))
        calendar = running(ticket).calendar
        signed = calendar.add(at, timedelta(seconds=random.randint(2, 400 * 3600)))
        try:
            proposal = propose(ticket, lead, due_at=signed, at=at)
        except NotAllowed as refusal:
            assert "deadline already" in refusal.message
            continue
        made = workflow.accept_deadline(proposal, by=contact, at=at).made
        again = Commitment.objects.get(pk=made.pk)
        assert (again.due_at, made.due_at) == (signed, signed)
        assert again.due_at.astimezone(UTC).microsecond == 0


# What ends an agreement, and a proposal


@pytest.mark.parametrize("how", ["priority", "kind", "customer"])
def test_another_classification_makes_the_agreement_void_and_says_so(ticket, how):
    agree(ticket)
    by = an_engineer()
    if how == "customer":
        workflow.set_priority(ticket, by=contact_of(ticket.customer), priority=4, reason="Less", at=tuesday(15))
    elif how == "kind":
        workflow.reclassify(ticket, by=by, reason="A question", kind="consultation", at=tuesday(15))
    else:
        workflow.reclassify(ticket, by=by, reason="Less", priority=4, at=tuesday(15))

    assert not ticket.commitments.running().filter(agreed=True).exists()
    if how != "kind":
        assert running(ticket).due_at == december(15, 10)  # twenty working days from the receipt
    event = ticket.events.get(verb="priority_set" if how == "customer" else "reclassified")
    assert event.details["agreed_void"] == "2026-12-04T12:30:00+00:00"


def test_a_contested_restore_ends_the_agreement_of_the_lower_priority():
    ticket = open_ticket(priority=1)
    by = an_engineer()
    workflow.accept(ticket, by=by, at=tuesday(10, 10))
    workflow.restore(ticket, by=by, workaround="Mirror", at=tuesday(11))
    agree(ticket, at=tuesday(12))

    workflow.contest_restore(ticket, by=contact_of(ticket.customer), reason="No", at=tuesday(12, 30))

    clock = running(ticket)
    assert (clock.agreed, clock.priority) == (False, 1)
    assert ticket.events.get(verb="restore_contested").details["agreed_void"] == "2026-12-04T12:30:00+00:00"


ENDINGS: dict[str, Any] = {
    "resolve": lambda ticket, by: workflow.resolve(ticket, by=by, body="Mended", at=tuesday(15)),
    "decline": lambda ticket, by: workflow.decline(ticket, by=by, reason="Networks", at=tuesday(15)),
    "withdraw": lambda ticket, by: workflow.withdraw(ticket, by=contact_of(ticket.customer), at=tuesday(15)),
    "reclassify": lambda ticket, by: workflow.reclassify(ticket, by=by, reason="x", priority=4, at=tuesday(15)),
    "set_priority": lambda ticket, by: workflow.set_priority(
        ticket, by=contact_of(ticket.customer), priority=2, reason="x", at=tuesday(15)
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_proposal_lapses_with_its_clock(ticket, ending):
    proposal = propose(ticket)

    ENDINGS[ending](ticket, an_engineer())

    proposal.refresh_from_db()
    assert (proposal.state, proposal.answered_by, proposal.answered_at) == ("lapsed", None, tuesday(15))
    event = ticket.events.get(verb="deadline_lapsed")
    assert (event.at, event.by, event.details["why"]) == (tuesday(15), None, "promise over")
    with pytest.raises(NotAllowed, match="lapsed"):
        workflow.accept_deadline(proposal, by=a_lead(), at=tuesday(16))


def test_a_proposal_waits_on_while_the_request_waits_or_is_handed_over(ticket):
    proposal = propose(ticket)
    by = an_engineer()
    workflow.accept(ticket, by=by, at=tuesday(13))
    workflow.hand_over(ticket, by=by, to_line=2, known="It falls", asked="Look", at=tuesday(14))
    workflow.ask_customer(ticket, by=by, body="?", at=tuesday(15))

    proposal.refresh_from_db()
    assert proposal.is_open


def test_a_proposal_whose_moment_passes_lapses_by_itself(ticket, lead):
    proposal = propose(ticket, due_at=november(18, 12))
    with pytest.raises(NotAllowed, match="has passed"):
        workflow.accept_deadline(proposal, by=lead, at=november(18, 12))

    assert not workflow.lapse_deadline(proposal, at=november(18, 11, 59))
    assert workflow.lapse_deadline(proposal, at=november(18, 12))
    assert not workflow.lapse_deadline(proposal, at=november(18, 13))

    assert ticket.events.get(verb="deadline_lapsed").details["why"] == "passed"
    assert resolutions(ticket) == [(GUARANTEED, "", False)]


def test_one_that_has_passed_does_not_stand_in_the_way_of_another(ticket):
    first = propose(ticket, due_at=november(18, 12))

    second = propose(ticket, due_at=november(20, 12), at=november(18, 12))

    first.refresh_from_db()
    assert (first.state, second.is_open) == ("lapsed", True)
    assert events(ticket)[-2:] == ["deadline_lapsed", "deadline_proposed"]


def test_the_job_lets_them_lapse(ticket):
    now = timezone.now()
    fresh = open_ticket(a_customer(starts_on=(now - timedelta(days=100)).date()), priority=3, at=now)
    ahead = running(fresh).calendar.add(now, timedelta(hours=20))
    waits = propose(fresh, contact_of(fresh.customer, now), due_at=ahead, at=now)
    passed = propose(ticket, due_at=tuesday(13))

    assert lapse_deadlines() == 1
    assert lapse_deadlines() == 0
    assert {row.pk: row.state for row in DeadlineProposal.objects.all()} == {passed.pk: "lapsed", waits.pk: "open"}


def test_a_new_contact_answers_what_support_proposed_to_the_old_one(ticket, lead):
    customer: Customer = ticket.customer
    proposal = propose(ticket, lead)
    successor = observer_of(customer)
    workflow.hand_over_contact(customer, to=successor, by=a_contract_admin(), at=tuesday(13), reason="Leaves")

    workflow.accept_deadline(proposal, by=successor, at=tuesday(14))

    assert running(ticket).due_at == WANTED
