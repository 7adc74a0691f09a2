"""The timeline in the desk's words and in the customer's, the conversation in order, the route through the lines."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from accounts.models import Line, User
from sla.models import Escalation
from tests.factories import TUESDAY_10, a_csm, a_customer, an_engineer, open_ticket
from tickets import timeline, workflow
from tickets.models import Event, HandOver, Ticket

ANNA = User(full_name="Anna Guseva")
AT = TUESDAY_10


PROPOSED = {
    "proposed_by": "Ivan Petrov",
    "from": "2026-12-01T07:00:00+00:00",
    "to": "2026-12-04T12:30:00+00:00",
}


def event(verb: str, **details: Any) -> Event:
    return Event(verb=verb, by=ANNA, at=AT, details=details)


@pytest.fixture(autouse=True)
def english() -> Any:
    with translation.override("en"):
        yield


@pytest.mark.parametrize(
    ("happened", "desk", "customer"),
    [
        (event("opened", line=1, priority=2), "received, line 1, priority 2", "Received"),
        (
            event("opened", line=1, priority=2, call=True),
            "A. Guseva spoke with the customer and wrote it down, line 1, priority 2",
            "Anna Guseva spoke with you and wrote it down",
        ),
        (event("accepted"), "taken by A. Guseva", "In the hands of Anna Guseva"),
        (event("assigned", to="Pavel Klimov"), "assigned to Pavel Klimov", None),
        (event("asked_customer"), "asked the customer, waiting for the answer", "We are waiting for your answer"),
        (event("stopped_waiting"), "not waiting for the answer any more", "We go on without waiting"),
        (event("handed_over", **{"from": 1, "to": 2}), "line 1 → 2", "Passed to the second line"),
        (event("returned", **{"from": 2, "to": 1}), "returned, line 2 → 1", "Given back to the first line"),
        (event("defect_attached", title="Pool falls"), "defect attached", "Recorded as a defect of the product"),
        (
            event("restored", **{"from": 1, "to": 3}),
            "service restored, priority 1 → 3",
            "Service is back, priority 1 → 3",
        ),
        (
            event("restore_contested", **{"from": 3, "to": 1}),
            "the customer says service is not back, priority 3 → 1",
            "You wrote that service is not back: priority 1 again",
        ),
        (event("reclassified", **{"from": 1, "to": 2}), "priority 1 → 2", "Priority 1 → 2"),
        (
            event("reclassified", **{"from": 4, "to": 4, "kind_from": "incident", "kind_to": "wish"}),
            "now: improvement wish",
            None,
        ),
        (
            event(
                "terms_applied",
                **{"from": "2020-01-01", "to": "2026-11-01"},
                reason="Agreed with all customers",
                promises=[
                    {
                        "kind": "reaction",
                        "from": "2026-11-17T09:00:00+00:00",
                        "to": "2026-11-17T08:00:00+00:00",
                        "missed": False,
                    }
                ],
            ),
            "terms of the package from 1 Nov 2026 applied; Reaction: Tue 17 Nov, 12:00 → Tue 17 Nov, 11:00",
            "The promised times are counted by other terms; Reaction: Tue 17 Nov, 12:00 → Tue 17 Nov, 11:00",
        ),
        (event("priority_set", **{"from": 3, "to": 1}), "the customer set priority 3 → 1", "You set priority 3 → 1"),
        (
            event("priority_proposed", **{"from": 3, "to": 1}),
            "the customer asks for priority 1",
            "You asked for priority 1: an engineer decides",
        ),
        (
            event("deadline_proposed", **PROPOSED, reason="A supplier"),
            "Ivan Petrov proposed another deadline: Tue 1 Dec, 10:00 → Fri 4 Dec, 15:30",
            "Ivan Petrov proposed another deadline: Tue 1 Dec, 10:00 → Fri 4 Dec, 15:30",
        ),
        (
            event("deadline_agreed", **PROPOSED, answered_by="Anna Guseva", missed=True),
            "another deadline agreed, Tue 1 Dec, 10:00 → Fri 4 Dec, 15:30: proposed by Ivan Petrov, accepted by "
            "Anna Guseva; the deadline before had been missed and stays so",
            "Another deadline agreed, Tue 1 Dec, 10:00 → Fri 4 Dec, 15:30: proposed by Ivan Petrov, accepted by "
            "Anna Guseva; the deadline before had been missed and stays so",
        ),
        (
            event("deadline_refused", **PROPOSED, answered_by="Anna Guseva", words="Too late"),
            "Anna Guseva did not agree to the deadline Fri 4 Dec, 15:30",
            "Anna Guseva did not agree to the deadline Fri 4 Dec, 15:30",
        ),
        (
            event("deadline_withdrawn", **PROPOSED, answered_by="Ivan Petrov"),
            "Ivan Petrov withdrew the proposed deadline Fri 4 Dec, 15:30",
            "Ivan Petrov withdrew the proposed deadline Fri 4 Dec, 15:30",
        ),
        (
            event("deadline_lapsed", **PROPOSED, why="passed"),
            "nobody answered the proposed deadline Fri 4 Dec, 15:30 in time: it lapsed",
            "Nobody answered the proposed deadline Fri 4 Dec, 15:30 in time: it lapsed",
        ),
        (
            event("deadline_lapsed", **PROPOSED, why="promise over"),
            "the proposed deadline Fri 4 Dec, 15:30 lapsed with the promise that it was for",
            "The proposed deadline Fri 4 Dec, 15:30 lapsed with the promise that it was for",
        ),
        (
            event("reclassified", **{"from": 3, "to": 4}, agreed_void="2026-12-04T12:30:00+00:00"),
            "priority 3 → 4; the agreed deadline Fri 4 Dec, 15:30 no longer holds",
            "Priority 3 → 4; the agreed deadline Fri 4 Dec, 15:30 no longer holds",
        ),
        (event("resolved"), "solved by A. Guseva", "Solved"),
        (event("reopened"), "in work again", "In work again"),
        (
            event("contact_changed", **{"from": "Ivan Petrov", "to": "Nina Orlova"}),
            "responsible contact: Ivan Petrov → Nina Orlova",
            "Nina Orlova speaks for your company from now on",
        ),
        (event("confirmed"), "the customer confirmed the solution: closed", "You confirmed the solution"),
        (
            event("closed_silent"),
            "closed after five working days of silence",
            "Closed: nothing was heard for five working days",
        ),
        (event("withdrawn"), "withdrawn by the customer", "You withdrew the request"),
        (event("declined", clause="1.7.2"), "declined: outside support (§1.7.2)", "Outside support"),
        (event("contested"), "the customer contests the decline", "You contested that: in work again"),
        (
            event("escalated", whom="csm"),
            "the customer called in: the Customer Success Manager",
            "You called in: the Customer Success Manager",
        ),
        (event("acknowledged"), "A. Guseva has the escalation", "Anna Guseva looks into your escalation"),
        (
            event("escalation_answered"),
            "A. Guseva answered the escalation",
            "Anna Guseva answered your escalation",
        ),
        (event("rated", score=5), "rated 5 of 5", "You rated the work 5 of 5"),
        (
            event("undelivered", address="a@b.example", subject="An answer", said="550 no such user"),
            "the letter “An answer” did not reach a@b.example",
            None,
        ),
    ],
)
def test_words_of_every_event(happened: Event, desk: str, customer: str | None) -> None:
    told = timeline.customer_step(happened)

    assert timeline.desk_step(happened).what == desk
    assert (told.what if told else None) == customer


def test_letter_that_did_not_arrive_is_not_folded_away() -> None:
    happened = [event("accepted"), event("undelivered"), event("rated", score=5), event("confirmed")]

    entries = timeline.conversation([], [timeline.desk_step(one) for one in happened])

    assert [[step.verb for step in entry.steps] for entry in entries] == [
        ["accepted"],
        ["undelivered"],
        ["rated", "confirmed"],
    ]
    assert [entry.is_loud for entry in entries] == [False, True, False]


def test_customer_hears_of_escalations_only_when_they_made_them_or_they_left_the_line() -> None:
    events = [
        event("escalated", whom="csm", escalation=7),
        event("acknowledged", whom="csm", escalation=7),
        event("acknowledged", whom="line_lead", escalation=8),
    ]
    rungs = [Escalation(whom=whom, reached_at=AT, percent=75) for whom in ("line_lead", "assignee", "top_management")]

    told = [step.what for step in timeline.customer_steps(events, rungs)]

    assert told == [
        "You called in: the Customer Success Manager",
        "Anna Guseva looks into your escalation",
        "We called in: top management",
    ]


def test_desk_hears_of_every_rung() -> None:
    rung = Escalation(whom="line_lead", person=ANNA, reached_at=AT, percent=75)

    [step] = timeline.desk_steps([], [rung])

    assert (step.what, step.more) == ("75% of the time: the line lead", "A. Guseva")


@pytest.mark.django_db
def test_conversation_folds_what_lies_between_two_messages() -> None:
    ticket = open_ticket(topic=None)
    anna = an_engineer(1, full_name="Anna Guseva")
    workflow.accept(ticket, by=anna, at=AT + timedelta(minutes=1))
    workflow.reply(ticket, by=anna, body="We look into it.", at=AT + timedelta(minutes=2))
    workflow.hand_over(ticket, by=anna, to_line=2, known="A", asked="B", at=AT + timedelta(minutes=3))

    entries = timeline.conversation(
        ticket.messages.all(), timeline.desk_steps(ticket.events.select_related("by")), ticket.hand_overs.all()
    )

    assert [(bool(entry.message), bool(entry.hand_over), len(entry.steps)) for entry in entries] == [
        (True, False, 0),
        (False, False, 2),
        (True, False, 0),
        (False, True, 0),
    ]
    assert entries[1].summary == "2 events: received, line 1, priority 3, taken by A. Guseva"


def lines() -> list[Line]:
    return [Line(number=number, name_en=f"Line {number}") for number in (1, 2, 3, 4)]


def stops(ticket: Ticket, passages: list[HandOver]) -> list[tuple[int, str, int]]:
    return [(stop.number, stop.place, stop.visits) for stop in timeline.route(ticket, lines(), passages)]


def passage(number: int, to_number: int, minutes: int) -> HandOver:
    return HandOver(pk=minutes, from_line_id=number, to_line_id=to_number, by=ANNA, at=AT + timedelta(minutes=minutes))


def test_route_of_a_new_ticket_is_its_line() -> None:
    assert stops(Ticket(line_id=2, opened_at=AT, state="new"), []) == [
        (1, "next", 0),
        (2, "now", 1),
        (3, "next", 0),
        (4, "next", 0),
    ]


def test_route_counts_a_return_as_a_second_visit() -> None:
    ticket = Ticket(line_id=2, opened_at=AT, state="in_progress")

    passed = stops(ticket, [passage(1, 2, 10), passage(2, 1, 20), passage(1, 2, 30)])

    assert passed == [(1, "done", 2), (2, "now", 2), (3, "next", 0), (4, "next", 0)]


def test_route_says_a_hand_over_to_a_line_before_as_a_step_back_with_the_count() -> None:
    ticket = Ticket(line_id=2, opened_at=AT, state="in_progress")

    def back(*passages: HandOver) -> list[str]:
        with translation.override("en"):
            return [stop.back_words for stop in timeline.route(ticket, lines(), passages)]

    once, again = (passage(1, 3, 10), passage(3, 2, 20)), (passage(2, 3, 30), passage(3, 2, 40))
    assert back(*once) == ["", "back from line 3", "", ""]
    assert back(*once, *again) == ["", "back from line 3 × 2", "", ""]


def test_route_says_who_was_there_and_when() -> None:
    ticket = Ticket(line_id=2, opened_at=AT, state="in_progress", assignee=User(full_name="Pavel Klimov"))

    first, second, *_rest = timeline.route(ticket, lines(), [passage(1, 2, 10)], [event("accepted")])

    assert (first.since, first.until, first.who) == (AT, AT + timedelta(minutes=10), ANNA)
    assert second.who is not None
    assert (second.since, second.until, second.who.full_name) == (AT + timedelta(minutes=10), None, "Pavel Klimov")


def test_route_of_a_finished_ticket_stands_nowhere() -> None:
    ticket = Ticket(line_id=1, opened_at=AT, state="closed", closed_at=AT + timedelta(hours=1))

    assert stops(ticket, [])[0] == (1, "done", 1)


@pytest.mark.django_db
def test_last_stop_names_each_person_once_and_the_highest_last() -> None:
    ticket = open_ticket(a_customer(csm=a_csm(full_name="Olga Belova")))
    csm = ticket.customer.csm
    rungs = [
        Escalation(pk=1, whom="line_lead", reached_at=AT),
        Escalation(pk=2, whom="csm", person=csm, reached_at=AT + timedelta(minutes=1)),
        Escalation(pk=3, whom="csm", person=csm, reached_at=AT + timedelta(minutes=2)),
        Escalation(pk=4, whom="top_management", reached_at=AT + timedelta(minutes=3)),
    ]

    assert [call.pk for call in timeline.called_in(rungs)] == [2, 4]
