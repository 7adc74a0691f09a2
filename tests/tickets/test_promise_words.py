"""The promises in the customer's words: the sentence of every state, the arithmetic behind it, hours and targets."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from sla.promises import promised_times, promises_of
from tests.factories import MOSCOW, TUESDAY_10, a_csm, a_customer, an_engineer, contact_of, contract_of, open_ticket
from tickets import promise_words, workflow
from tickets.models import State, Ticket

pytestmark = pytest.mark.django_db

YEKATERINBURG = ZoneInfo("Asia/Yekaterinburg")  # two hours ahead of Moscow
VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")  # seven hours ahead


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def seen(ticket: Ticket) -> Ticket:
    return Ticket.objects.with_clocks().get(pk=ticket.pk)


def told(ticket: Ticket, at: datetime, zone: ZoneInfo = MOSCOW) -> promise_words.Told:
    return promise_words.tell(seen(ticket), now=at, zone=zone)


def test_a_new_incident_is_promised_the_reply_and_then_the_solution():
    ticket = open_ticket(priority=1)

    answer = told(ticket, TUESDAY_10)

    assert answer.sentence == "We will reply by 10:30"
    assert answer.details == ("30 minutes left. We will solve it by 12:00.",)


def test_once_answered_the_solution_is_spoken_of():
    ticket = open_ticket(priority=2)
    workflow.accept(ticket, by=an_engineer(), at=TUESDAY_10 + hours(1))

    answer = told(ticket, TUESDAY_10 + hours(1))

    assert answer.sentence == "We will solve it by Thursday, 19 November, 10:00"
    assert answer.details == ("1 working day 8 hours left.",)


def test_the_readers_zone_comes_first_and_moscow_second():
    ticket = open_ticket(priority=2)
    workflow.accept(ticket, by=an_engineer(), at=TUESDAY_10 + hours(1))

    answer = told(ticket, TUESDAY_10 + hours(1), YEKATERINBURG)

    assert f"{answer.sentence} {answer.moscow}" == (
        "We will solve it by Thursday, 19 November, 12:00 (10:00 Moscow time)"
    )
    assert answer.details == ("1 working day 8 hours left.",)


def test_the_promise_that_follows_is_told_by_moscows_clocks_too():
    answer = told(open_ticket(priority=1), TUESDAY_10, YEKATERINBURG)

    assert f"{answer.sentence} {answer.moscow}" == "We will reply by 12:30 (10:30 Moscow time)"
    assert answer.details == ("30 minutes left. We will solve it by 14:00 (12:00 Moscow time).",)


def test_outside_hours_it_says_when_the_clock_goes_on():
    ticket = open_ticket(a_customer("basic"), at=TUESDAY_10 + hours(10))

    answer = told(ticket, TUESDAY_10 + hours(10))

    assert answer.sentence == "We will reply by Wednesday, 18 November, 17:00"
    assert answer.details == (
        "8 hours of working time left. Outside service hours the clock does not run: it goes on at Wed 18 Nov, 09:00.",
    )


def test_a_broken_promise_is_said_as_such():
    ticket = open_ticket(priority=1)

    answer = told(ticket, TUESDAY_10 + timedelta(minutes=40))

    assert answer.sentence == "We promised to reply by 10:30 and did not make it"


def test_a_broken_promise_names_who_knows_of_it():
    ticket = open_ticket(priority=1)
    workflow.escalate(ticket, by=contact_of(ticket.customer), whom="top_management", reason="…", at=TUESDAY_10)
    row = seen(ticket)
    row.calls = list(ticket.escalations.all())

    answer = promise_words.tell(row, now=TUESDAY_10 + hours(1), zone=MOSCOW)

    assert answer.details == ("Who knows of it: top management.",)


def test_while_we_wait_for_the_customer_the_clock_stands():
    ticket = open_ticket(priority=2)
    workflow.ask_customer(ticket, by=an_engineer(), body="Какая версия?", at=TUESDAY_10 + hours(1))

    answer = told(ticket, TUESDAY_10 + hours(5))

    assert answer.sentence == "On hold: waiting for your answer"
    assert answer.details == ("It goes on when you answer; 1 working day 8 hours will then be left.",)


def test_a_package_without_resolution_promises_none():
    ticket = open_ticket(a_customer("business"))
    workflow.accept(ticket, by=an_engineer(), at=TUESDAY_10 + hours(1))

    answer = told(ticket, TUESDAY_10 + hours(2))

    assert answer.sentence == "We are working on it; your package promises no time for the solution"
    assert answer.commitment is None


def test_a_question_is_promised_no_solution_in_any_package():
    ticket = open_ticket(topic="how_to")
    workflow.accept(ticket, by=an_engineer(), at=TUESDAY_10 + hours(1))

    answer = told(ticket, TUESDAY_10 + hours(2))

    assert answer.sentence == (
        "We are working on it; a time for the solution is promised only where something is broken"
    )


def test_a_solved_request_says_when_it_closes_by_itself():
    ticket = open_ticket(priority=3)
    workflow.resolve(ticket, by=an_engineer(), body="Исправлено.", at=TUESDAY_10 + hours(1))

    answer = told(ticket, TUESDAY_10 + hours(2))

    assert answer.sentence == "Solved. Please check it"
    assert answer.details == ("If we hear nothing until Tue 24 Nov, 11:00, we will close the request ourselves.",)


def test_an_ended_request_speaks_of_its_end():
    ticket = open_ticket(priority=3)
    workflow.withdraw(ticket, by=contact_of(ticket.customer), at=TUESDAY_10 + hours(1))

    assert told(ticket, TUESDAY_10 + hours(2)).sentence == "Closed"


@pytest.mark.parametrize("state", State.values)
def test_internal_names_of_states_are_never_said(state):
    ticket = Ticket(state=state)

    assert (
        promise_words.status(ticket)
        == {
            "new": "received",
            "in_progress": "in work",
            "awaiting_customer": "waiting for you",
            "resolved": "solved, please check",
            "closed": "closed",
            "declined": "outside support",
        }[state]
    )


def test_the_clock_of_a_line_is_never_told():
    ticket = open_ticket(a_customer("basic"))
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=TUESDAY_10)
    workflow.hand_over(ticket, by=engineer, to_line=2, known="…", asked="…", at=TUESDAY_10)

    assert [clock.kind for clock in promise_words.customer_clocks(seen(ticket))] == ["reaction"]


def test_a_restore_shows_as_kept_beside_the_new_promise():
    ticket = open_ticket(priority=1)
    workflow.accept(ticket, by=an_engineer(), at=TUESDAY_10 + timedelta(minutes=5))
    workflow.restore(ticket, by=an_engineer(), workaround="Резервный узел.", at=TUESDAY_10 + hours(1))

    row = seen(ticket)

    assert [(promise.commitment.ending, promise.words) for promise in promise_words.kept(row)] == [
        ("met", "First answer, promised within 30 minutes"),
        ("met", "Service restored, promised within 2 hours"),
    ]
    assert told(ticket, TUESDAY_10 + hours(1)).sentence == "We will solve it by Tuesday, 1 December, 11:00"


@pytest.mark.parametrize(
    ("package", "kind", "told"),
    [
        (
            "basic",
            "reaction",
            [("4 hours", "if the system or a main function does not work at all"), ("8 hours", "in all other cases")],
        ),
        (
            "premium",
            "reaction",
            [
                ("30 minutes", "if the system or a main function does not work at all"),
                ("2 hours", "in all other cases"),
            ],
        ),
        ("business", "resolution", []),
        (
            "premium",
            "resolution",
            [
                ("2 hours", "if the system or a main function does not work at all"),
                ("2 working days", "if a main function works only in another way, or an auxiliary one not at all"),
                ("10 working days", "if an auxiliary function works only in another way"),
                ("20 working days", "if it does not get in the way of the work"),
            ],
        ),
    ],
)
def test_targets_are_told_by_their_effect(package, kind, told):
    contract = contract_of(a_customer(package))

    assert promise_words.targets(promises_of(contract.terms, contract, at=TUESDAY_10), kind) == told


def test_an_offer_shows_both_times_and_a_date_unless_it_is_today():
    contract = contract_of(a_customer("premium", csm=a_csm()))
    first, second, *_rest = promised_times(contract, at=TUESDAY_10)

    assert promise_words.offer(first, now=TUESDAY_10, zone=MOSCOW) == promise_words.Offer(
        1, "we reply by 10:30", "we solve it by 12:00"
    )
    assert promise_words.offer(second, now=TUESDAY_10, zone=MOSCOW) == promise_words.Offer(
        2, "we reply by 12:00", "we solve it by Thu 19 Nov, 10:00"
    )


def test_a_package_without_resolution_offers_only_the_reply():
    (first, *_rest) = promised_times(contract_of(a_customer("basic")), at=TUESDAY_10)

    assert promise_words.offer(first, now=TUESDAY_10, zone=MOSCOW).solution == ""
