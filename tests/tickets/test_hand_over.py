"""Four lines: a ticket goes from one to another with a note, and the customer's promises go on (domain §3.3)."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation
from rest_framework.test import APIClient

from accounts.models import Absence
from accounts.refusals import Forbidden
from contracts.kept import edition_now
from sla.sweep import sweep
from tests.factories import (
    UserFactory,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
)
from tests.moments import november, tuesday
from tickets import board, macros, workflow
from tickets.models import Defect, HandOver, Ticket
from tickets.queue import row, rows_of
from tickets.queue.pages import horizon
from tickets.verification import verify
from tickets.workflow import NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def in_work(customer=None, **fields):
    return workflow.accept(open_ticket(customer, **fields), by=an_engineer(), at=tuesday(10, 5))


def pass_on(ticket, to_line, at, by=None):
    return workflow.hand_over(
        ticket, by=by or an_engineer(), to_line=to_line, known="The log", tried="Restart", asked="Read it", at=at
    )


def differences_of(ticket):
    """What a replay of the ticket's events finds different from its stored clocks."""
    return list(verify(Ticket.objects.filter(pk=ticket.pk), clock=lambda: tuesday(10, 40)))


def fresh(ticket):
    return type(ticket).objects.get(pk=ticket.pk)


def test_hand_over_carries_what_is_known_tried_and_asked():
    ticket = in_work()
    owner = ticket.owner

    passed = pass_on(ticket, 2, tuesday(10, 10), by=owner)

    assert (passed.from_line_id, passed.to_line_id, passed.by, passed.at) == (1, 2, owner, tuesday(10, 10))
    assert (passed.known, passed.tried, passed.asked) == ("The log", "Restart", "Read it")
    ticket = fresh(ticket)
    assert (ticket.line_id, ticket.assignee, ticket.owner, ticket.state) == (2, None, owner, "in_progress")
    assert ticket.events.latest("pk").details == {"from": 1, "to": 2, "bounces": 0, "accept_within": 60}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"known": " "}, "Write what is known: the next line starts from it."),
        ({"asked": " "}, "Write what you ask the next line to do."),
        ({"to_line": 1}, "The request is on line 1 already."),
        ({"to_line": 5}, "There is no line 5."),
        ({"to_line": 4}, "Line 4 takes a request only with a defect: attach one first."),
    ],
)
def test_hand_over_is_refused_in_words_and_nothing_changes(words, sentence):
    ticket = in_work()

    with pytest.raises(NotAllowed) as refusal:
        workflow.hand_over(
            ticket,
            by=ticket.assignee,
            at=tuesday(10, 10),
            **{"to_line": 2, "known": "The log", "asked": "Read it", **words},
        )

    assert (refusal.value.message, refusal.value.section) == (sentence, "3.3")
    assert not HandOver.objects.exists()
    assert fresh(ticket).line_id == 1


def test_line_four_takes_a_request_with_a_defect():
    ticket = in_work(topic="database")
    for empty in ("title", "steps", "expected", "actual"):
        words = {"title": "Crash", "steps": "Save", "expected": "Saved", "actual": "Gone", empty: " "}
        with pytest.raises(NotAllowed):
            workflow.attach_defect(ticket, by=ticket.assignee, at=tuesday(10, 10), **words)
    assert not Defect.objects.exists()

    defect = workflow.attach_defect(
        ticket, by=ticket.assignee, title="Crash", steps="Save", expected="Saved", actual="Gone", at=tuesday(10, 10)
    )
    pass_on(ticket, 4, tuesday(10, 11))

    assert (fresh(ticket).line_id, fresh(ticket).defect) == (4, defect)


def test_known_defect_gathers_another_ticket():
    first, second = in_work(), in_work()
    defect = workflow.attach_defect(
        first, by=first.assignee, title="Crash", steps="Save", expected="Saved", actual="Gone", at=tuesday(10, 10)
    )

    workflow.attach_defect(second, by=second.assignee, defect=defect, at=tuesday(10, 11))

    assert set(defect.tickets.all()) == {first, second}


@pytest.mark.parametrize("state", ["new", "in_progress"])
def test_promise_to_the_customer_is_untouched(state):
    ticket = open_ticket(priority=2)
    if state == "in_progress":
        ticket = workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 5))
    before = list(ticket.commitments.order_by("pk").values())
    due_at = ticket.due_at

    pass_on(ticket, 2, tuesday(10, 10))
    pass_on(ticket, 3, tuesday(10, 20))

    kept = ticket.commitments.filter(kind__in=["reaction", "resolution"]).order_by("pk")
    assert list(kept.values()) == before
    assert fresh(ticket).due_at == due_at


# The line's own clock (OLA): 30 min, 1, 2 and 4 hours in the package's service hours


@pytest.mark.parametrize(
    ("package", "to_line", "moment", "due_at"),
    [
        ("premium", 2, tuesday(10, 10), tuesday(11, 10)),
        ("premium", 3, tuesday(23), november(18, 1)),
        ("basic", 2, tuesday(17, 30), november(18, 9, 30)),
        ("basic", 3, november(20, 17), november(23, 10)),  # Friday: an hour, the other on Monday
    ],
)
def test_receiving_line_has_its_own_clock_to_accept(package, to_line, moment, due_at):
    ticket = in_work(a_customer(package))

    pass_on(ticket, to_line, moment)

    (clock,) = ticket.commitments.filter(kind="line_acceptance")
    assert (clock.started_at, clock.due_at, clock.ending) == (moment, due_at, "")


@pytest.mark.parametrize(
    ("package", "says", "accepted"),
    [
        ("business", "line acceptance 11:10", "resolution without a deadline"),  # no promise runs: the line's own
        ("premium", "resolution Tue 1 Dec, 10:00", "resolution Tue 1 Dec, 10:00"),
    ],
)
def test_row_of_the_queue_counts_to_the_acceptance_where_no_promise_to_the_customer_runs(package, says, accepted):
    ticket, engineer = in_work(a_customer(package), priority=3), an_engineer(2)

    def by(at):
        there = Ticket.objects.with_clocks().get(pk=ticket.pk)
        (drawn,) = rows_of([ticket.pk], engineer, at, with_forecasts=True).values()
        assert (drawn.by, drawn.chip) == (row(there, at).by, row(there, at).chip)
        return drawn.by

    pass_on(ticket, 2, tuesday(10, 10))
    waiting = by(tuesday(10, 20))
    workflow.accept(ticket, by=engineer, at=tuesday(10, 30))

    assert (waiting, by(tuesday(10, 40))) == (says, accepted)


def test_queue_stands_by_the_acceptance_where_no_promise_to_the_customer_runs():
    ticket = in_work(a_customer("business"))
    assert (fresh(ticket).due_at, fresh(ticket).due_kind) == (None, "")

    pass_on(ticket, 2, tuesday(10, 10))

    waiting = fresh(ticket)
    assert (waiting.due_at, waiting.due_kind) == (tuesday(11, 10), "line_acceptance")
    assert [horizon(waiting, at) for at in (tuesday(10, 20), tuesday(11, 11))] == ["today", "late"]
    (departure,) = board.departures(edition_now())
    assert (departure.ticket, departure.clock.kind) == (ticket, "line_acceptance")
    workflow.accept(waiting, by=an_engineer(2), at=tuesday(10, 30))
    assert (fresh(ticket).due_at, fresh(ticket).due_kind) == (None, "")


def test_customer_hears_nothing_of_the_lines_own_deadline():
    ticket = in_work(a_customer("business"))
    pass_on(ticket, 2, tuesday(10, 10))

    assert macros.values_of(fresh(ticket), by=an_engineer(), now=tuesday(10, 20))["due"] == ""
    for reader, hears in ((ticket.contact, False), (an_engineer(2), True)):
        api = APIClient()
        api.force_login(reader)
        assert bool(api.get(f"/api/tickets/{ticket.number}/").json()["due_at"]) is hears


def test_promise_to_the_customer_goes_before_the_acceptance():
    ticket = in_work(priority=1)
    promised = fresh(ticket).due_at

    pass_on(ticket, 2, tuesday(10, 10))

    assert (fresh(ticket).due_at, fresh(ticket).due_kind) == (promised, "resolution")


@pytest.mark.parametrize(("moment", "ending"), [(tuesday(11, 10), "met"), (tuesday(11, 10, 1), "missed")])
def test_acceptance_meets_the_clock_of_the_line(moment, ending):
    ticket = in_work()
    owner = ticket.owner
    passed = pass_on(ticket, 2, tuesday(10, 10))
    engineer = an_engineer(2)

    ticket = workflow.accept(ticket, by=engineer, at=moment)

    passed.refresh_from_db()
    assert (passed.accepted_by, passed.accepted_at) == (engineer, moment)
    assert (ticket.assignee, ticket.owner) == (engineer, owner)
    assert ticket.commitments.get(kind="line_acceptance").ending == ending


# The receiving line accepts or returns: its people, its lead, the support manager, and who stands in for them


def stand_in_for(person):
    other = an_engineer(1)
    Absence.objects.create(user=person, starts_at=tuesday(9), ends_at=tuesday(18), substitute=other)
    return other


RECEIVERS = {
    "an engineer of the line": lambda: an_engineer(2),
    "its lead": lambda: a_lead(2),
    "the support manager": a_manager,
    "who stands in for one of the line": lambda: stand_in_for(an_engineer(2)),
    "who stands in for the manager": lambda: stand_in_for(a_manager()),
    "who works on both lines": lambda: UserFactory(engineer=True, lines=[1, 2]),
}


@pytest.mark.parametrize("who", RECEIVERS)
def test_hand_over_is_accepted_or_returned_by(who):
    for verb in ("accept", "return_hand_over"):
        ticket, person = in_work(), RECEIVERS[who]()
        pass_on(ticket, 2, tuesday(10, 10))
        words = {"reason": "Not ours"} if verb == "return_hand_over" else {}

        getattr(workflow, verb)(ticket, by=person, at=tuesday(10, 20), **words)

        assert ticket.commitments.get(kind="line_acceptance").ending == ("cancelled" if words else "met")


@pytest.mark.parametrize("make", [an_engineer, a_csm, lambda: a_lead(3)])
def test_others_neither_accept_nor_return_for_the_line(make):
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10), by=ticket.assignee)

    with pytest.raises(Forbidden, match="Line 2 accepts this request"):
        workflow.accept(ticket, by=make(), at=tuesday(10, 20))
    with pytest.raises(Forbidden, match="Line 2 gives this request back"):
        workflow.return_hand_over(ticket, by=ticket.owner, reason="Not theirs", at=tuesday(10, 20))

    assert ticket.hand_overs.get().accepted_at is None
    assert ticket.commitments.get(kind="line_acceptance").ending == ""


def test_who_a_lead_gave_it_to_accepts_it_wherever_they_work():
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10))
    helper = an_engineer(3)
    workflow.assign(ticket, by=a_lead(2), to=helper, at=tuesday(10, 15))

    assert workflow.accept(ticket, by=helper, at=tuesday(10, 20)).assignee == helper


@pytest.mark.parametrize("verb", ["ask_customer", "resolve", "reply", "decline"])
@pytest.mark.parametrize("state", ["new", "in_progress"])
def test_words_of_another_line_accept_nothing_for_the_line(verb, state):
    ticket = open_ticket() if state == "new" else in_work()
    pass_on(ticket, 2, tuesday(10, 10))
    words = {"reason": "Networks"} if verb == "decline" else {"body": "Restarted"}

    getattr(workflow, verb)(ticket, by=an_engineer(), at=tuesday(10, 20), **words)

    (clock,) = ticket.commitments.filter(kind="line_acceptance")
    if verb in {"ask_customer", "reply"}:
        assert (clock.ending, fresh(ticket).assignee, ticket.hand_overs.get().accepted_at) == ("", None, None)
    else:
        assert (clock.ending, clock.why) == ("cancelled", "finished elsewhere")
    assert differences_of(ticket) == []


def test_sender_takes_the_hand_over_back_and_no_promise_of_the_line_is_met():
    ticket = in_work()
    giver = ticket.assignee
    passed = pass_on(ticket, 2, tuesday(10, 10), by=giver)

    ticket = workflow.take_back(ticket, by=giver, at=tuesday(10, 20))

    passed.refresh_from_db()
    assert (passed.was_taken_back, passed.accepted_at, passed.return_reason) == (True, None, "")
    assert (ticket.line_id, ticket.assignee) == (1, giver)
    clock = ticket.commitments.get(kind="line_acceptance")
    assert (clock.ending, clock.why) == ("cancelled", "taken back")
    assert ticket.events.latest("pk").details == {"from": 2, "to": 1}
    assert differences_of(ticket) == []
    assert pass_on(ticket, 2, tuesday(10, 30), by=giver).ticket.events.latest("pk").details["bounces"] == 0


def test_only_the_sender_takes_a_hand_over_back():
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10), by=ticket.assignee)

    with pytest.raises(Forbidden, match="Only who handed the request over takes it back"):
        workflow.take_back(ticket, by=an_engineer(), at=tuesday(10, 20))
    receiver = an_engineer(2, full_name="Anna First")
    workflow.accept(ticket, by=receiver, at=tuesday(10, 30))
    with pytest.raises(NotAllowed, match=r"Anna First has accepted it already \(10:30\): talk to them"):
        workflow.take_back(ticket, by=ticket.assignee, at=tuesday(10, 40))


def test_page_offers_accept_to_the_line_and_taking_back_to_the_sender(client):
    sender, other, taker = an_engineer(), an_engineer(), an_engineer(2, language="en")
    now = timezone.now()
    ticket = workflow.accept(open_ticket(at=now), by=sender, at=now)
    pass_on(ticket, 2, now, by=sender)

    offered = {}
    for person in (sender, other, taker):
        client.force_login(person)
        may = client.get(reverse("desk:ticket", args=[ticket.number])).context["may"]
        offered[person] = may & {"acceptance", "return", "taking_back"}
    done = client.post(reverse("desk:acceptance", args=[ticket.number]), follow=True)

    assert offered == {sender: {"taking_back"}, other: set(), taker: {"acceptance", "return"}}
    assert [str(message) for message in done.context["messages"]] == ["Hand-over accepted: the request is yours"]


@pytest.mark.parametrize("verb", ["ask_customer", "resolve"])
def test_answering_in_its_place_accepts_it_too(verb):
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10))
    engineer = an_engineer(2)

    getattr(workflow, verb)(ticket, by=engineer, body="Restarted", at=tuesday(10, 20))

    assert ticket.hand_overs.get().accepted_by == engineer
    assert ticket.commitments.get(kind="line_acceptance").ending == "met"


@pytest.mark.parametrize("verb", ["reply", "ask_customer", "resolve"])
def test_answering_by_who_was_assigned_accepts_it_too(verb):
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10))
    engineer = an_engineer(2)
    workflow.assign(ticket, by=a_lead(2), to=engineer, at=tuesday(10, 15))

    getattr(workflow, verb)(ticket, by=engineer, body="Restarted", at=tuesday(10, 20))

    assert ticket.hand_overs.get().accepted_by == engineer
    assert ticket.commitments.get(kind="line_acceptance").ending == "met"


def test_reply_of_the_owner_accepts_nothing_for_the_other_line():
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10))

    workflow.reply(ticket, by=ticket.owner, body="The second line has it", at=tuesday(10, 20))

    assert ticket.hand_overs.get().accepted_at is None
    assert ticket.commitments.get(kind="line_acceptance").ending == ""


def test_declining_leaves_nothing_to_accept_when_it_is_contested():
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10))
    engineer = an_engineer(2)
    workflow.decline(ticket, by=engineer, reason="Networks are outside support", at=tuesday(10, 20))

    workflow.contest(ticket, by=contact_of(ticket.customer), reason="It is your service", at=tuesday(10, 30))

    assert ticket.hand_overs.get().accepted_by == engineer
    assert ticket.commitments.get(kind="line_acceptance").ending == "met"


def test_passing_it_on_again_cancels_the_clock_of_the_line_in_between():
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10))
    pass_on(ticket, 3, tuesday(10, 20))

    assert list(
        ticket.commitments.filter(kind="line_acceptance").order_by("pk").values_list("ending", "started_at")
    ) == [("cancelled", tuesday(10, 10)), ("", tuesday(10, 20))]


# Returning


def test_returning_gives_it_back_with_the_reason():
    ticket = in_work()
    giver, taker = ticket.assignee, an_engineer(2)
    passed = pass_on(ticket, 2, tuesday(10, 10), by=giver)

    ticket = workflow.return_hand_over(ticket, by=taker, reason="The log is not there", at=tuesday(10, 30))

    passed.refresh_from_db()
    assert (passed.returned_at, passed.return_reason, passed.accepted_at) == (
        tuesday(10, 30),
        "The log is not there",
        None,
    )
    assert (ticket.line_id, ticket.assignee) == (1, giver)
    assert ticket.commitments.get(kind="line_acceptance").ending == "cancelled"
    event = ticket.events.latest("pk")
    assert (event.verb, event.details) == (
        "returned",
        {"from": 2, "to": 1, "reason": "The log is not there", "bounces": 1},
    )


def test_returning_needs_a_reason_and_something_to_return():
    ticket = in_work()
    with pytest.raises(NotAllowed, match="There is no hand-over waiting"):
        workflow.return_hand_over(ticket, by=an_engineer(2), reason="Not ours", at=tuesday(10, 30))
    pass_on(ticket, 2, tuesday(10, 10))
    with pytest.raises(NotAllowed, match="Write why the line returns"):
        workflow.return_hand_over(ticket, by=an_engineer(2), reason=" ", at=tuesday(10, 30))
    receiver = an_engineer(2, full_name="Anna First")
    workflow.accept(ticket, by=receiver, at=tuesday(10, 31))
    with pytest.raises(NotAllowed, match="There is no hand-over waiting"):
        workflow.return_hand_over(ticket, by=receiver, reason="Not ours", at=tuesday(10, 32))
    with pytest.raises(NotAllowed, match="Anna First has accepted it already"):
        workflow.return_hand_over(ticket, by=an_engineer(2), reason="Not ours", at=tuesday(10, 32))


def test_nothing_is_returned_once_the_ticket_has_ended():
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10))
    workflow.withdraw(ticket, by=contact_of(ticket.customer), at=tuesday(10, 20))

    with pytest.raises(NotAllowed, match="There is no hand-over waiting"):
        workflow.return_hand_over(ticket, by=an_engineer(2), reason="Not ours", at=tuesday(10, 30))

    assert (fresh(ticket).line_id, fresh(ticket).state) == (2, "closed")


# Bounces


def test_third_bounce_between_two_lines_calls_both_leads():
    first, second, third = a_lead(line=1), a_lead(line=2), a_lead(line=3)
    ticket = in_work()

    for number, line in enumerate((2, 1, 2)):  # there, and two bounces
        pass_on(ticket, line, tuesday(10, 10 + number))
    assert not ticket.escalations.exists()
    pass_on(ticket, 1, tuesday(10, 20))

    assert list(ticket.escalations.order_by("person").values_list("whom", "person", "cause", "reason")) == [
        ("line_lead", first.pk, "bounces", "1 ⇄ 2 × 3"),
        ("line_lead", second.pk, "bounces", "1 ⇄ 2 × 3"),
    ]
    assert third.called_in.count() == 0


def test_returns_bounce_too():
    lead = a_lead(line=1)
    ticket = in_work()
    pass_on(ticket, 2, tuesday(10, 10))
    workflow.return_hand_over(ticket, by=an_engineer(2), reason="Not ours", at=tuesday(10, 20))  # one
    pass_on(ticket, 2, tuesday(10, 30))  # two
    assert not ticket.escalations.exists()

    workflow.return_hand_over(ticket, by=an_engineer(2), reason="Not ours", at=tuesday(10, 40))  # three

    assert ticket.escalations.get().person == lead


def test_bounces_without_leads_call_the_support_manager():
    manager = a_manager()
    ticket = in_work()

    for number, line in enumerate((2, 1, 2, 1)):
        pass_on(ticket, line, tuesday(10, 10 + number))

    assert ticket.escalations.get().person == manager


def test_going_on_to_a_third_line_is_no_bounce():
    ticket = in_work()

    for number, line in enumerate((2, 3, 2, 1, 3)):
        pass_on(ticket, line, tuesday(10, 10 + number))

    assert [event.details["bounces"] for event in ticket.events.filter(verb="handed_over")] == [0, 0, 1, 1, 0]


def test_route_of_a_hand_over_survives_the_sweep():
    ticket = in_work(priority=1)
    pass_on(ticket, 2, tuesday(10, 10))
    sweep(tuesday(11, 10, 1))

    workflow.accept(ticket, by=an_engineer(2), at=tuesday(11, 20))

    clock = ticket.commitments.get(kind="line_acceptance")
    assert (clock.ending, clock.met_late_at) == ("missed", tuesday(11, 20))
    assert set(ticket.escalations.filter(commitment=clock).values_list("state", flat=True)) == {"closed"}


def test_database_refuses_a_hand_over_to_the_same_line_and_two_endings():
    ticket = in_work()
    passed = pass_on(ticket, 2, tuesday(10, 10))

    with pytest.raises(IntegrityError, match="handover_to_another_line"), transaction.atomic():
        HandOver.objects.filter(pk=passed.pk).update(to_line=1)
    with pytest.raises(IntegrityError, match="handover_one_ending"), transaction.atomic():
        HandOver.objects.filter(pk=passed.pk).update(accepted_at=tuesday(11), returned_at=tuesday(11))
