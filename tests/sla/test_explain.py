"""Why a deadline is where it is, word for word in both languages (domain §4.3)."""

import io
import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from mail.event_letters import of_event
from sla.explain import Explanation, explain, explanations
from sla.hours_words import hours
from sla.models import Calendar, Commitment
from sla.way_words import AT_MOST
from tests.factories import (
    MOSCOW,
    TUESDAY_10,
    UserFactory,
    a_clause,
    a_customer,
    a_lead,
    an_engineer,
    contact_of,
    contract_of,
    open_ticket,
)
from tests.moments import november, tuesday
from tickets import workflow
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

YEKATERINBURG = ZoneInfo("Asia/Yekaterinburg")  # two hours ahead of Moscow
VLADIVOSTOK = ZoneInfo("Asia/Vladivostok")  # seven hours ahead


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def clock_of(ticket: Ticket, kind: str = "resolution") -> Commitment:
    return ticket.commitments.filter(kind=kind).latest("pk")


def why(ticket: Ticket, kind: str = "resolution", *, now: datetime = TUESDAY_10, **how) -> Explanation:
    return explain(clock_of(ticket, kind), **{"zone": MOSCOW, "now": now, **how})


def steps(explained: Explanation) -> list[str]:
    return [step.words for step in explained.steps]


# The way


def test_friday_evening_is_explained_as_the_domain_writes_it():
    ticket = open_ticket(a_customer("basic"), priority=1, at=november(20, 17, 30))

    explained = why(ticket, "reaction", now=november(20, 17, 30))

    assert (
        explained.rule
        == "Basic, “The system or a main function does not work at all”: the first answer within 4 hours."
    )
    assert explained.terms == "By the terms of the package from 1 January 2020."
    assert explained.hours == "Counted in these hours, Moscow time: Mon–Fri 09:00–18:00."
    assert steps(explained) == [
        "Received Fri 20 Nov, 17:30, counted from then on.",
        "Fri 20 Nov, 17:30 – 18:00: counted 30 minutes.",
        "Fri 20 Nov, 18:00 – Mon 23 Nov, 09:00: closed for the weekend.",
        "Mon 23 Nov, 09:00 – 12:30: counted 3 hours 30 minutes.",
        "The deadline: Mon 23 Nov, 12:30.",
    ]


def test_the_same_in_russian():
    ticket = open_ticket(a_customer("basic"), priority=1, at=november(20, 17, 30))

    explained = why(ticket, "reaction", now=november(20, 17, 30), language="ru")

    assert explained.rule == "Базовый, «Система или основная функция не работает совсем»: первый ответ за 4 часа."
    assert explained.terms == "По условиям пакета с 1 января 2020."
    assert explained.hours == "Считаем в эти часы по Москве: пн–пт 09:00–18:00."
    assert steps(explained) == [
        "Получено пт 20 ноября, 17:30, с этого времени и считаем.",
        "пт 20 ноября, 17:30 – 18:00: засчитано 30 минут.",
        "пт 20 ноября, 18:00 – пн 23 ноября, 09:00: выходные, не работаем.",
        "пн 23 ноября, 09:00 – 12:30: засчитано 3 часа 30 минут.",
        "Срок: пн 23 ноября, 12:30.",
    ]


def test_two_working_days_are_explained_step_by_step():
    ticket = open_ticket(priority=2, at=tuesday(10, 30))

    explained = why(ticket, now=tuesday(11))

    assert explained.rule == (
        "Premium, “A main function works only in another way, or an auxiliary one not at all”: "
        "the solution within 2 working days. "
        "A working day is 9 working hours, so that is 18 working hours."
    )
    assert explained.hours == "Counted in these hours, Moscow time: Mon–Fri 09:00–18:00, except public holidays."
    assert steps(explained) == [
        "Received Tue 17 Nov, 10:30, counted from then on.",
        "Tue 17 Nov, 10:30 – 18:00: counted 7 hours 30 minutes.",
        "Tue 17 Nov, 18:00 – Wed 18 Nov, 09:00: closed.",
        "Wed 18 Nov, 09:00 – 18:00: counted 9 hours.",
        "Wed 18 Nov, 18:00 – Thu 19 Nov, 09:00: closed.",
        "Thu 19 Nov, 09:00 – 10:30: counted 1 hour 30 minutes.",
        "The deadline: Thu 19 Nov, 10:30.",
    ]


def test_a_receipt_outside_hours_says_when_they_open():
    ticket = open_ticket(a_customer("basic"), priority=1, at=november(21, 12))

    assert steps(why(ticket, "reaction", now=november(21, 12))) == [
        "Received Sat 21 Nov, 12:00, outside service hours: counted from Mon 23 Nov, 09:00.",
        "Mon 23 Nov, 09:00 – 13:00: counted 4 hours.",
        "The deadline: Mon 23 Nov, 13:00.",
    ]


def test_a_transferred_day_off_is_named_without_brackets_in_brackets():
    ticket = open_ticket(priority=2, at=datetime(2026, 12, 30, 17, tzinfo=MOSCOW))

    explained = why(ticket, now=datetime(2026, 12, 30, 17, tzinfo=MOSCOW), language="ru")

    (holiday,) = [step for step in explained.steps if step.kind == "holiday"]
    assert "чт 31 дек (Выходной, перенесено с 04.01.2026), " in holiday.words


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "Tue 3 Nov, 18:00 – Thu 5 Nov, 09:00: closed, days off among them: Wed 4 Nov (Unity Day)."),
        (
            "ru",
            "вт 3 ноября, 18:00 – чт 5 ноября, 09:00: не работаем, из них выходные дни: "
            "ср 4 ноя (День народного единства).",
        ),
    ],
)
def test_a_holiday_is_named(language, told):
    ticket = open_ticket(priority=2, at=november(3, 10))

    explained = why(ticket, now=november(3, 10), language=language)

    (holiday,) = [step for step in explained.steps if step.kind == "holiday"]
    assert (holiday.words, holiday.dates) == (told, (date(2026, 11, 4),))


def test_a_long_way_is_told_short_and_names_the_days_off():
    ticket = open_ticket(priority=4, at=datetime(2026, 12, 14, 9, tzinfo=MOSCOW))

    told = steps(why(ticket, now=datetime(2026, 12, 14, 10, tzinfo=MOSCOW)))

    assert told[1] == "Mon 14 Dec, 09:00 – Wed 30 Dec, 18:00: counted 13 working days in working hours."
    assert told[2].startswith("Wed 30 Dec, 18:00 – Mon 11 Jan 2027, 09:00: closed, days off among them: Thu 31 Dec")
    assert told[-1] == "The deadline: Tue 19 Jan 2027, 18:00."
    assert len(told) == 5


@pytest.mark.parametrize(
    ("for_customer", "language", "told"),
    [
        (True, "en", "Tue 17 Nov, 10:10 – 10:40: the clock stood, we waited for your answer."),
        (False, "en", "Tue 17 Nov, 10:10 – 10:40: the clock stood, we waited for the customer's answer."),
        (True, "ru", "вт 17 ноября, 10:10 – 10:40: часы стояли, ждали ваш ответ."),
        (False, "ru", "вт 17 ноября, 10:10 – 10:40: часы стояли, ждали ответ клиента."),
    ],
)
def test_a_pause_says_who_waited_for_whom(for_customer, language, told):
    """The peers' rule that a pause moves the deadline by its length (sla_scenarios scn-01)."""
    ticket = open_ticket(priority=1)
    workflow.ask_customer(ticket, by=an_engineer(), body="Which version?", at=tuesday(10, 10))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=tuesday(10, 40))

    explained = why(ticket, now=tuesday(11), for_customer=for_customer, language=language)

    assert [step.words for step in explained.steps if step.kind == "paused"] == [told]
    assert explained.due_at == tuesday(12, 30)
    assert [step.counted for step in explained.steps if step.kind == "counted"] == [
        timedelta(minutes=10),
        timedelta(hours=1, minutes=50),
    ]


def test_a_wait_over_a_night_and_a_weekend_is_one_stretch():
    """Only its working time is cut out (sla_scenarios scn-24)."""
    ticket = open_ticket(priority=2, at=november(19, 17))
    workflow.ask_customer(ticket, by=an_engineer(), body="Which version?", at=november(19, 17, 30))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=november(23, 12, 30))

    assert steps(why(ticket, now=november(23, 13))) == [
        "Received Thu 19 Nov, 17:00, counted from then on.",
        "Thu 19 Nov, 17:00 – 17:30: counted 30 minutes.",
        "Thu 19 Nov, 17:30 – Mon 23 Nov, 12:30: the clock stood, we waited for your answer.",
        "Mon 23 Nov, 12:30 – 18:00: counted 5 hours 30 minutes.",
        "Mon 23 Nov, 18:00 – Tue 24 Nov, 09:00: closed.",
        "Tue 24 Nov, 09:00 – 18:00: counted 9 hours.",
        "Tue 24 Nov, 18:00 – Wed 25 Nov, 09:00: closed.",
        "Wed 25 Nov, 09:00 – 12:00: counted 3 hours.",
        "The deadline: Wed 25 Nov, 12:00.",
    ]


def test_a_clock_that_stands_says_where_an_answer_now_would_bring_it():
    ticket = open_ticket(priority=1)
    workflow.ask_customer(ticket, by=an_engineer(), body="Which version?", at=tuesday(11))

    explained = why(ticket, now=tuesday(13))

    assert steps(explained)[-1] == "The clock stands; if it went on now, the deadline would be Tue 17 Nov, 14:00."
    assert explained.due_at == tuesday(14)


def test_time_as_solved_is_told_apart_from_waiting_for_an_answer():
    ticket = open_ticket(priority=1)
    workflow.resolve(ticket, by=an_engineer(), body="Restarted", at=tuesday(10, 30))
    workflow.reopen(ticket, by=contact_of(ticket.customer), reason="Still", at=tuesday(11, 30))

    first, again = [one for one in explanations(ticket, zone=MOSCOW, now=tuesday(12)) if one.kind == "resolution"]

    assert first.outcome == (
        "It had ended Tue 17 Nov, 10:30; then the request was reopened, and it goes on as another promise.",
        "In its place: priority 1, 2 hours, deadline Tue 17 Nov, 13:00.",
    )
    assert steps(again)[2] == ("Tue 17 Nov, 10:30 – 11:30: the clock stood, it was solved and we waited for your word.")


def test_minutes_add_up_whatever_the_seconds_are():
    ticket = open_ticket(priority=2, at=tuesday(10, 30, 40))
    workflow.ask_customer(ticket, by=an_engineer(), body="Which version?", at=tuesday(11, 0, 20))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=tuesday(12, 0, 50))

    told = [step.words.rpartition("counted ")[2] for step in why(ticket, now=tuesday(13)).steps if step.counted]

    assert told == ["29 minutes.", "5 hours 59 minutes.", "9 hours.", "2 hours 32 minutes."]


def test_days_drawn_together_are_told_to_the_minute():
    ticket = open_ticket(priority=3)
    workflow.ask_customer(ticket, by=an_engineer(), body="Which version?", at=november(18, 10, 24))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=november(18, 12))

    told = [step.words.rpartition("counted ")[2] for step in why(ticket, now=november(19)).steps if step.counted]

    assert told == ["1 working day 24 minutes in working hours.", "8 working days 8 hours 36 minutes in working hours."]


def test_an_agreed_deadline_names_who_signed_it_also_once_the_request_was_reopened():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10, 20))
    contact, lead = contact_of(ticket.customer), a_lead(1)
    proposal = workflow.propose_deadline(
        ticket, by=contact, due_at=november(27, 12), reason="A supplier", at=tuesday(10, 30)
    )
    workflow.accept_deadline(proposal, by=lead, at=tuesday(11))
    ticket.refresh_from_db()
    signed = (
        f"Proposed by {contact.full_name}, Tue 17 Nov, 10:30; accepted by {lead.full_name}, Tue 17 Nov, 11:00. "
        "Before it was Tue 1 Dec, 10:00."
    )
    assert why(ticket).terms == signed
    workflow.resolve(ticket, by=ticket.assignee, body="Done", at=tuesday(12))
    workflow.reopen(ticket, by=contact, reason="Again", at=tuesday(13))

    told = explanations(ticket, zone=MOSCOW, now=tuesday(14))

    assert [one.terms for one in told if one.origin == "agreed"] == [signed, signed]
    assert why(ticket).terms == signed


def test_however_often_it_stood_the_way_stays_bounded():
    ticket = open_ticket(priority=3)
    clock = clock_of(ticket)
    starts = [TUESDAY_10 + timedelta(minutes=10 * n) for n in range(1, 45)]
    clock.pauses = [_Span(start, start + timedelta(minutes=5)) for start in starts]

    explained = explain(clock, zone=MOSCOW, now=tuesday(18))

    assert len(explained.steps) == AT_MOST + 3  # the start, the middle drawn together, the deadline
    (middle,) = [step for step in explained.steps if step.kind == "more"]
    assert "it stood and went on several times, counted " in middle.words
    assert sum((step.counted for step in explained.steps), timedelta(0)) == clock.target


class _Span:
    def __init__(self, lower: datetime, upper: datetime) -> None:
        self.lower, self.upper = lower, upper


def test_the_readers_zone_comes_first():
    ticket = open_ticket(priority=1)

    assert steps(why(ticket, zone=YEKATERINBURG))[-1] == "The deadline: Tue 17 Nov, 14:00 (12:00 Moscow time)."


# Where it comes from


def test_a_clause_of_the_contract_is_named():
    customer = a_customer()
    a_clause(contract_of(customer), kind="reaction", priority=3, minutes=5, text_en="We answer in 5 minutes.")
    ticket = open_ticket(customer, priority=3)

    explained = why(ticket, "reaction")

    assert (explained.origin, explained.terms) == (
        "clause",
        "Your contract has its own condition: We answer in 5 minutes.",
    )
    assert why(ticket, "reaction", for_customer=False).terms == (
        "The contract has its own condition: We answer in 5 minutes."
    )


def test_the_clock_of_a_line_is_the_desks_own():
    ticket = open_ticket()
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=TUESDAY_10)
    workflow.hand_over(ticket, by=engineer, to_line=2, known="…", asked="…", at=TUESDAY_10)

    inside = explanations(ticket, zone=MOSCOW, now=TUESDAY_10, for_customer=False)

    assert [one.kind for one in explanations(ticket, zone=MOSCOW, now=TUESDAY_10)] == ["reaction", "resolution"]
    assert (inside[-1].origin, inside[-1].rule) == (
        "line",
        "Between the lines: a request that is handed over is accepted within 1 hour.",
    )


# What became of it


def test_a_kept_promise_says_by_what():
    ticket = workflow.accept(open_ticket(priority=1), by=an_engineer(), at=tuesday(10, 20))

    assert why(ticket, "reaction").ended == "Kept, Tue 17 Nov, 10:20: an engineer took the request."
    assert why(ticket, "reaction", language="ru").ended == "Выполнено вт 17 ноября, 10:20: инженер взял обращение."


def test_a_late_one_says_how_late():
    ticket = workflow.accept(open_ticket(priority=1), by=an_engineer(), at=tuesday(10, 45))

    assert why(ticket, "reaction").ended == (
        "Missed. Fulfilled late, Tue 17 Nov, 10:45 (15 minutes of counted time after the deadline): "
        "an engineer took the request."
    )


def test_a_running_one_has_not_ended_and_a_passed_one_is_missed():
    ticket = open_ticket(priority=1)

    assert why(ticket, "reaction", now=tuesday(10, 30)).outcome == ()
    assert why(ticket, "reaction", now=tuesday(10, 31)).outcome == ("Missed: the deadline has passed.",)


def test_a_superseded_promise_says_why_and_by_what():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10, 20))
    workflow.reclassify(ticket, by=ticket.assignee, reason="Misread", priority=1, at=tuesday(10, 40))

    first, second = [one for one in explanations(ticket, zone=MOSCOW, now=tuesday(11)) if one.kind == "resolution"]

    assert first.outcome == (
        "Another promise took its place, Tue 17 Nov, 10:40: the request was classified anew.",
        "In its place: priority 1, 2 hours, deadline Tue 17 Nov, 12:00.",
    )
    assert (second.outcome, second.title) == ((), "Resolution, priority 1")


def test_what_was_promised_no_more_has_nothing_in_its_place():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10, 20))
    workflow.reclassify(ticket, by=ticket.assignee, reason="A question", kind="consultation", at=tuesday(10, 40))

    assert why(ticket).successor == "Nothing is promised in its place."


def test_a_promise_that_went_along_when_two_requests_became_one_says_where_it_goes_on():
    customer = a_customer()
    older = open_ticket(customer, priority=3)
    younger = open_ticket(customer, priority=2, at=tuesday(10, 20))
    workflow.merge(younger, into=older, by=an_engineer(), at=tuesday(10, 30))
    younger.refresh_from_db()

    assert why(younger).outcome == (
        "Another promise took its place, Tue 17 Nov, 10:30: the request was merged with another one.",
        f"It goes on in request № {older.number}.",
    )
    given_way, goes_on = [one for one in explanations(older, zone=MOSCOW, now=tuesday(11)) if one.kind == "resolution"]
    assert given_way.successor == "In its place: priority 2, 2 working days, deadline Thu 19 Nov, 10:20."
    assert goes_on.outcome == ()


def test_the_answers_to_two_escalations_are_each_replaced_by_their_own():
    ticket = open_ticket(priority=3)
    contact = contact_of(ticket.customer)
    for minute, whom in ((5, "csm"), (10, "top_management")):
        workflow.escalate(ticket, by=contact, whom=whom, reason="Nobody answers", at=tuesday(10, minute))
    first, _second = ticket.commitments.filter(kind="escalation_answer").order_by("pk")
    calendar = first.calendar_version.calendar
    version = calendar.versions.create(
        valid_from=tuesday(10, 20), weekly_hours=first.calendar_version.weekly_hours, holidays=["2026-11-18"]
    )
    workflow.apply_calendar(ticket, version, by=UserFactory(admin=True), reason="A day off", at=tuesday(10, 30))

    told = [one for one in explanations(ticket, zone=MOSCOW, now=tuesday(11)) if one.kind == "escalation_answer"]

    assert [one.successor for one in told] == [
        "In its place: priority 3, 4 hours, deadline Tue 17 Nov, 14:05.",
        "In its place: priority 3, 4 hours, deadline Tue 17 Nov, 14:10.",
        "",
        "",
    ]


def test_a_withdrawn_request_owes_nothing():
    ticket = open_ticket(priority=3)
    workflow.withdraw(ticket, by=contact_of(ticket.customer), at=tuesday(10, 40))

    assert why(ticket).ended == "Not owed any more, Tue 17 Nov, 10:40: the request was closed."


# Hours


@pytest.mark.parametrize(
    ("code", "zone", "words"),
    [
        ("basic-hours", MOSCOW, "Mon–Fri 09:00–18:00"),
        ("basic-hours", YEKATERINBURG, "Mon–Fri 11:00–20:00"),
        ("business-hours", YEKATERINBURG, "every day 11:00–20:00"),
        ("business-hours", VLADIVOSTOK, "every day 16:00–01:00"),
        ("basic-hours", ZoneInfo("America/Los_Angeles"), "Mon–Thu 22:00–07:00, Sun 22:00–07:00"),
        ("round-the-clock", VLADIVOSTOK, "round the clock, every day"),
        ("working-days", MOSCOW, "Mon–Fri 09:00–18:00, except public holidays"),
    ],
)
def test_hours_are_told_in_the_readers_zone(code, zone, words):
    version = Calendar.objects.get(code=code).version_at(TUESDAY_10)

    assert hours(version, zone=zone, now=TUESDAY_10) == words


# Where it is read


def read(client: Client, person: User, ticket: Ticket) -> list[dict]:
    client.force_login(person)
    answer = client.get(f"/api/tickets/{ticket.number}/explanation/", headers={"accept-language": "en"})
    assert answer.status_code == 200
    return answer.json()


def test_the_api_explains_the_customers_promises_to_the_customer(client):
    ticket = workflow.accept(open_ticket(priority=1), by=an_engineer(), at=tuesday(10, 5))
    workflow.hand_over(ticket, by=ticket.assignee, to_line=2, known="…", asked="…", at=tuesday(10, 6))

    told = read(client, contact_of(ticket.customer), ticket)

    assert [one["kind"] for one in told] == ["reaction", "resolution"]
    assert told[1]["due_at"] == "2026-11-17T09:00:00+00:00"
    assert [(step["kind"], step["counted_seconds"]) for step in told[1]["steps"]] == [
        ("start", 0),
        ("counted", 7200),
        ("deadline", 0),
    ]
    assert [one["kind"] for one in read(client, an_engineer(), ticket)] == ["reaction", "resolution", "line_acceptance"]


def test_the_api_tells_nobody_of_another_customers_request(client):
    ticket = open_ticket()
    client.force_login(contact_of(a_customer()))

    assert client.get(f"/api/tickets/{ticket.number}/explanation/").status_code == 404


def test_the_engineers_page_explains_each_promise(client):
    ticket = open_ticket(priority=1)
    client.force_login(an_engineer(language="en"))

    page = client.get(reverse("desk:ticket", args=[ticket.number])).content.decode()

    assert "How the times were counted" in page
    assert "The deadline: Tue 17 Nov, 12:00." in page


def test_the_letter_of_another_classification_explains_the_new_times():
    ticket = workflow.accept(open_ticket(a_customer(language="en"), priority=3), by=an_engineer(), at=tuesday(10, 5))
    workflow.reclassify(ticket, by=ticket.assignee, reason="Misread", priority=1, at=tuesday(10, 10))

    (draft,) = of_event(ticket.events.latest("pk"), tuesday(10, 11))

    assert draft.letter.facts == [
        (
            "Resolution, priority 1",
            "Received Tue 17 Nov, 10:00, counted from then on. Tue 17 Nov, 10:00 – 12:00: counted 2 hours. "
            "The deadline: Tue 17 Nov, 12:00.",
        )
    ]


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("explain", *words, stdout=out)
    return out.getvalue()


def test_the_command_explains_in_words_and_in_json():
    ticket = open_ticket(priority=1)

    told = run(str(ticket.number), "--language", "en").splitlines()
    assert told[1] == "Reaction, priority 1"
    assert "  Tue 17 Nov, 10:00 – 10:30: counted 30 minutes." in told
    assert [one["kind"] for one in json.loads(run(str(ticket.number), "--json"))] == ["reaction", "resolution"]
    assert "  Срок: вт 17 ноября, 17:00 (10:00 по Москве)." not in told


@pytest.mark.parametrize(
    ("words", "message"), [(("1",), "There is no ticket 1."), (("1", "--zone", "Mars"), "There is no time zone Mars.")]
)
def test_the_command_refuses_what_it_cannot_do(words, message):
    with pytest.raises(CommandError, match=message):
        run(*words)
