"""Who is told what, once; and letters to a real mail server, each once (domain §4.4, §4.5; direction §16, §17)."""

import asyncio
import email
import email.policy
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.db import connection, transaction
from django.urls import resolve
from django.utils import translation

from accounts.models import Absence, User
from mail import choices, event_letters, outbound
from mail.escalation_letters import next_message_by
from mail.inbound import receive
from mail.models import OutgoingLetter
from mail.outbound import mark_history_notified, send_letters, write_letters
from mail.quoting import split_reply
from mail.tasks import deliver
from sla.models import Escalation, LadderStep
from sla.sweep import sweep
from tests.factories import (
    TUESDAY_10,
    CustomerFactory,
    a_contact,
    a_contract_admin,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
    top,
)
from tests.raw_letters import a_letter
from tickets import letter_links, workflow
from tickets.models import Event, HeldRequest, Ticket

SOON = TUESDAY_10 + timedelta(minutes=10)
LATER = TUESDAY_10 + timedelta(minutes=20)
MARKER = "Write your reply above this line, it goes into the request"


@pytest.fixture
def ticket(db: None) -> Ticket:
    """An incident of priority 1 of an English-speaking Premium customer, its receipt told of."""
    ticket = open_ticket(a_customer(language="en"), priority=1, subject="The journal does not open")
    write_letters(TUESDAY_10)
    OutgoingLetter.objects.all().delete()
    return ticket


def titles(person: User | None = None) -> list[str]:
    """What the subjects say, oldest first."""
    found = OutgoingLetter.objects.filter(person=person) if person else OutgoingLetter.objects.all()
    return [letter.subject for letter in found.order_by("pk")]


def the_letter(**of: Any) -> OutgoingLetter:
    return OutgoingLetter.objects.get(**of)


def addressees() -> set[User]:
    return {letter.person for letter in OutgoingLetter.objects.all()}


# Who is told what: the customer


def test_every_verb_of_the_workflow_stands_in_the_table():
    source = "".join(path.read_text(encoding="utf-8") for path in Path(workflow.__file__).parent.glob("*.py"))
    verbs = set(re.findall(r'record\(\s*\w+,\s*"(\w+)"', source))

    assert verbs == set(event_letters.WHO_IS_TOLD)


@pytest.mark.django_db
def test_receipt_tells_the_contact_the_promised_times():
    ticket = open_ticket(a_customer(language="en"), priority=1, subject="The journal does not open")

    written = write_letters(TUESDAY_10)

    letter = the_letter()
    assert (written, letter.person, letter.ticket) == (1, ticket.contact, ticket)
    assert letter.subject == f"[№ {ticket.number}] Request received: The journal does not open"
    assert letter.text == (
        f"""{MARKER}

№ {ticket.number}, received
The journal does not open

We answer by 10:30. 30 minutes of service time left.
We solve it by 12:00. 2 hours of service time left.

We have your request. We count the time from 10:00.

Answer in the portal: http://127.0.0.1:8000/t/{ticket.number}/

--
You get this letter as the responsible contact of {ticket.customer.name}.
Turn such letters off: http://127.0.0.1:8000{choices.address_of(ticket.contact, "status")}
"""
    )


@pytest.mark.django_db
def test_receipt_of_a_basic_customer_promises_no_solution():
    open_ticket(a_customer("basic", language="en"))

    write_letters(TUESDAY_10)

    assert "We answer" in the_letter().text
    assert "solve" not in the_letter().text


@pytest.mark.django_db
def test_times_are_in_the_zone_of_the_reader_with_moscow_beside():
    ticket = open_ticket(a_customer(language="en"), priority=1)
    ticket.contact.timezone = "Asia/Yekaterinburg"
    ticket.contact.save()

    write_letters(TUESDAY_10)

    assert "We answer by 12:30. 10:30 Moscow time. 30 minutes of service time left." in the_letter().text


@pytest.mark.django_db
def test_receipt_of_a_letter_asks_how_bad_it_is_and_answers_in_its_thread():
    contact = contact_of(a_customer(language="en"))
    receive(a_letter(contact.email, "It does not start."), at=TUESDAY_10)

    write_letters(TUESDAY_10)

    assert "nobody asked how the work suffers" in the_letter().text
    assert (the_letter().in_reply_to, the_letter().references) == ("one@customer.example", "<one@customer.example>")


def test_answer_is_told_with_the_words_that_it_answers(ticket: Ticket):
    engineer = an_engineer(full_name="Pavel Klimov", language="en")
    workflow.reply(ticket, by=engineer, body="Restart the service <first>.", at=SOON)

    write_letters(SOON)

    letter = the_letter()
    assert letter.subject == f"[№ {ticket.number}] Answer: The journal does not open"
    assert "Pavel Klimov, support engineer, 10:10:\n\nRestart the service <first>.\n" in letter.text
    assert "You wrote, 10:00:\n> При открытии карточки появляется пустая страница.\n" in letter.text
    assert "Restart the service &lt;first&gt;." in letter.html
    assert engineer.email not in letter.text + letter.html


def test_question_says_that_we_wait_and_that_the_time_stands(ticket: Ticket):
    workflow.ask_customer(ticket, by=an_engineer(), body="How much room is there?", at=SOON)

    write_letters(SOON)

    assert titles() == [f"[№ {ticket.number}] We need your answer: The journal does not open"]
    assert f"№ {ticket.number}, waiting for your answer" in the_letter().text
    assert "The time to solve it stands. It goes on when you answer." in the_letter().text
    assert f"pass the question to the management http://127.0.0.1:8000/t/{ticket.number}/escalate/" in the_letter().text


def test_solution_asks_for_a_rating(ticket: Ticket):
    workflow.resolve(ticket, by=an_engineer(), body="The index was rebuilt.", at=SOON)

    write_letters(SOON)

    # The signature holds the second in which it was made, so the address is read and not compared.
    link = re.search(r"Rate the work, 1 to 5: http://127\.0\.0\.1:8000(/t/rate/\S+)", the_letter().text)
    assert link, the_letter().text
    assert letter_links.read_rating(resolve(link[1]).kwargs["token"]) == (ticket, ticket.contact)
    assert "If we hear nothing by Tuesday, 24 November, 10:10, the request closes by itself." in the_letter().text


@pytest.mark.parametrize(
    ("verb", "title"),
    [
        ("restore", "Service is back"),
        ("decline", "Outside support"),
        ("reclassify", "Other times"),
        ("reopen", "Open again"),
        ("close_silent", "Closed"),
    ],
)
def test_contact_is_told(ticket: Ticket, verb: str, title: str):
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=TUESDAY_10)
    if verb in {"reopen", "close_silent"}:
        workflow.resolve(ticket, by=engineer, body="Done.", at=TUESDAY_10)
        ticket.refresh_from_db()
    mark_history_notified(TUESDAY_10 + timedelta(seconds=1))
    {
        "restore": lambda: workflow.restore(ticket, by=engineer, workaround="Use the old form.", at=SOON),
        "decline": lambda: workflow.decline(ticket, by=engineer, reason="Networks are not included.", at=SOON),
        "reclassify": lambda: workflow.reclassify(ticket, by=engineer, reason="secret", priority=3, at=SOON),
        "reopen": lambda: workflow.reopen(ticket, by=engineer, reason="We looked again.", at=SOON),
        "close_silent": lambda: workflow.close_silent(ticket, at=ticket.closes_at),
    }[verb]()

    write_letters(SOON)

    assert titles(ticket.contact) == [f"[№ {ticket.number}] {title}: The journal does not open"]
    assert "secret" not in the_letter(person=ticket.contact).text


def test_internal_note_is_told_to_nobody(ticket: Ticket):
    workflow.note(ticket, by=an_engineer(), body="They did it themselves.", at=SOON)

    assert write_letters(SOON) == 0
    assert not Event.objects.filter(notified_at__isnull=True).exists()


def test_new_contact_hears_of_an_old_request(ticket: Ticket):
    old = ticket.customer.contacts.get()
    old.ends_at = SOON
    old.save()
    new = a_contact(ticket.customer, since=SOON)
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=LATER)

    write_letters(LATER)

    assert addressees() == {new}


def test_missed_promise_is_told_once_with_who_is_called_in(ticket: Ticket):
    a_manager()
    top()
    after_all = TUESDAY_10 + timedelta(hours=4)
    sweep(after_all)

    write_letters(after_all)

    told = list(OutgoingLetter.objects.filter(person=ticket.contact).order_by("pk"))
    assert [letter.subject for letter in told] == [f"[№ {ticket.number}] Not in time: The journal does not open"] * 2
    assert "We promised to answer by 10:30 and did not." in told[0].text
    assert "We promised to solve it by 12:00 and did not." in told[1].text
    assert "Called in: the Customer Success Manager, top management." in told[0].text
    called = "the Customer Success Manager, the support manager, top management"
    assert f"We go on working on it; called in: {called}." in told[1].text


def test_missed_promise_says_when_the_next_message_comes_and_so_do_we_to_ourselves(ticket: Ticket):
    manager = a_manager(language="en")
    ticket.contact.timezone = "Asia/Yekaterinburg"
    ticket.contact.save()
    due = TUESDAY_10 + timedelta(hours=2, seconds=1)
    sweep(due)

    write_letters(due)

    told = OutgoingLetter.objects.filter(person=ticket.contact).order_by("pk").last()
    assert "We promised to solve it by 14:00 and did not." in told.text
    assert "Next message from us by 15:00. 13:00 Moscow time." in told.text
    ours = OutgoingLetter.objects.filter(person=manager, subject__contains="Resolution is overdue").first()
    assert "Promised to the customer: the next message by 13:00" in ours.text


@pytest.mark.django_db
def test_next_message_is_counted_in_the_hours_of_the_service():
    clock = open_ticket(a_customer("business"), priority=3).commitments.get(kind="reaction")
    evening = TUESDAY_10 + timedelta(hours=7)  # 17:00

    by = next_message_by(clock, evening)

    assert not clock.calendar_version.is_round_the_clock
    assert clock.calendar.between(evening, by) == timedelta(hours=4)
    assert by.astimezone(evening.tzinfo).date() > evening.date()


def test_customer_hears_of_a_missed_promise_in_our_quiet_hours_too(ticket: Ticket):
    manager = a_manager(language="en")
    due = TUESDAY_10 + timedelta(hours=2, seconds=1)
    sweep(due)
    Escalation.objects.update(letter_after=due + timedelta(hours=8))

    write_letters(due)
    write_letters(due + timedelta(minutes=1))
    quiet = addressees()
    write_letters(due + timedelta(hours=8))

    assert quiet == {ticket.contact}
    assert titles(ticket.contact) == [f"[№ {ticket.number}] Not in time: The journal does not open"] * 2
    assert not Escalation.objects.filter(notified_at__isnull=True).exists()
    ours = OutgoingLetter.objects.filter(person=manager, subject__contains="Resolution is overdue").first()
    assert "Promised to the customer: the next message by 13:00" in ours.text  # as the customer was told, long ago


def test_promise_that_still_runs_is_told_to_nobody_of_the_customer(ticket: Ticket):
    sweep(TUESDAY_10 + timedelta(minutes=29))

    write_letters(TUESDAY_10 + timedelta(minutes=29))

    assert titles(ticket.contact) == []


# Who is told what: our people


def test_customers_reply_is_told_to_the_assignee_only(ticket: Ticket):
    engineer = an_engineer(language="en")
    an_engineer()
    workflow.accept(ticket, by=engineer, at=SOON)
    workflow.customer_reply(ticket, by=ticket.contact, body="There are 4 GB.", at=LATER)

    write_letters(LATER)

    letter = the_letter()
    assert letter.person == engineer
    assert letter.text.startswith(f"№ {ticket.number}, priority 1, line 1, in progress. {ticket.customer.name}\n")
    assert f"http://127.0.0.1:8000/w/t/{ticket.number}/" in letter.text
    assert (MARKER in letter.text, ticket.token in letter.message_id) == (False, False)


def test_hand_over_is_told_to_the_receiving_line(ticket: Ticket):
    engineer, second, lead = an_engineer(), an_engineer(2, language="en"), a_lead(2)
    an_engineer(3)
    workflow.accept(ticket, by=engineer, at=SOON)
    workflow.hand_over(
        ticket, by=engineer, to_line=2, known="The index is broken", tried="Restart", asked="Rebuild it", at=LATER
    )

    write_letters(LATER)

    assert addressees() == {second, lead}
    assert "Known: The index is broken\n\nTried: Restart\n\nAsked: Rebuild it\n" in the_letter(person=second).text


def test_ladder_tells_the_line_then_the_lead_then_the_csm_then_top_management(ticket: Ticket):
    first, second, lead, head = an_engineer(), an_engineer(), a_lead(), top()
    an_engineer(2)
    csm = ticket.customer.csm
    told = []

    for minutes in (15, 23, 31, 46):
        now = TUESDAY_10 + timedelta(minutes=minutes)
        sweep(now)
        write_letters(now)
        told.append(addressees() - {ticket.contact})
        OutgoingLetter.objects.all().delete()

    assert told == [{first, second, lead}, {lead}, {csm}, {head}]


def test_call_names_the_clock_the_step_and_one_button(ticket: Ticket):
    csm = ticket.customer.csm
    csm.language = "en"
    csm.save()
    now = TUESDAY_10 + timedelta(minutes=31)
    sweep(now)

    write_letters(now)

    letter = the_letter(person=csm)
    call = ticket.escalations.get(whom="csm")
    assert letter.subject == f"[№ {ticket.number}] Reaction is overdue: The journal does not open"
    assert "Promise: Reaction within 30 minutes, due 10:30\n" in letter.text
    assert "Step: 100% of the time: the Customer Success Manager\n" in letter.text
    assert f"I have it: http://127.0.0.1:8000/m/escalations/{call.pk}/\n" in letter.text


def test_call_whose_clock_has_stopped_is_told_to_nobody(ticket: Ticket):
    engineer = an_engineer()
    sweep(TUESDAY_10 + timedelta(minutes=16))
    workflow.resolve(ticket, by=engineer, body="Done.", at=TUESDAY_10 + timedelta(minutes=17))

    write_letters(TUESDAY_10 + timedelta(minutes=17))

    assert addressees() == {ticket.contact}


def test_warning_waits_for_the_end_of_quiet_hours_and_is_told_once(ticket: Ticket):
    lead = a_lead()
    LadderStep.objects.filter(percent=75).update(quiet_from=time(22), quiet_to=time(8))
    late = open_ticket(priority=2, at=TUESDAY_10.replace(hour=21))  # Premium answers in 2 hours: 75 % at 22:30
    write_letters(late.opened_at)
    OutgoingLetter.objects.all().delete()

    told = []
    for hour, minute in ((22, 30), (22, 31), (31, 59), (32, 0), (32, 1)):
        now = TUESDAY_10.replace(hour=0) + timedelta(hours=hour, minutes=minute)
        if hour == 22:
            sweep(now)
        write_letters(now)
        told.append(OutgoingLetter.objects.filter(person=lead, ticket=late).count())

    assert told == [1, 1, 1, 2, 2]  # the line's queue at once, the lead's own warning at 8:00


def test_who_stands_in_reads_for_whom_and_by_when_to_take_it(ticket: Ticket):
    lead, other = a_lead(full_name="Anna Lead", language="en"), a_lead(full_name="Otto Other", language="en")
    Absence.objects.create(user=lead, starts_at=TUESDAY_10, ends_at=LATER + timedelta(days=1))
    LadderStep.objects.filter(percent=75).update(within=15)
    late = open_ticket(priority=1)
    now = TUESDAY_10 + timedelta(minutes=23)
    sweep(now)

    write_letters(now)

    letter = OutgoingLetter.objects.get(person=other, ticket=late, text__contains="75%")
    assert "You stand in for: Anna Lead\n" in letter.text
    assert "Say “I have it” by: " in letter.text


def test_customers_escalation_is_told_to_the_csm_with_reason_and_time_and_the_answer_to_the_customer(ticket: Ticket):
    csm = ticket.customer.csm
    csm.language = "en"
    csm.save()
    call = workflow.escalate(ticket, by=ticket.contact, whom="csm", reason="We lose a day.", at=SOON)
    write_letters(SOON)
    workflow.answer_escalation(call, by=csm, answer="Two engineers work on it.", at=LATER)

    write_letters(LATER)

    call_letter, answer = OutgoingLetter.objects.order_by("pk")
    assert (call_letter.person, answer.person) == (csm, ticket.contact)
    assert "Answer due: 11:10\n" in call_letter.text
    assert "Reason: We lose a day.\n" in call_letter.text
    assert answer.subject == f"[№ {ticket.number}] Answer of the management: The journal does not open"
    assert "Two engineers work on it." in answer.text


@pytest.mark.django_db
def test_a_colleagues_call_is_told_to_who_is_called_and_the_answer_to_the_colleague_alone(ticket: Ticket):
    csm, engineer = ticket.customer.csm, an_engineer(language="en")
    csm.language = "en"
    csm.save()
    call = workflow.call_in(ticket, by=engineer, whom="csm", reason="They want a date.", at=SOON)
    write_letters(SOON)
    workflow.answer_escalation(call, by=csm, answer="I call them at noon.", at=LATER)

    write_letters(LATER)

    call_letter, answer = OutgoingLetter.objects.order_by("pk")
    assert (call_letter.person, answer.person) == (csm, engineer)
    assert "Why: a colleague calls\n" in call_letter.text
    assert f"Called by: {engineer.full_name}\n" in call_letter.text
    assert "Reason: They want a date.\n" in call_letter.text
    assert "Answer: I call them at noon.\n" in answer.text
    assert answer.subject == f"[№ {ticket.number}] Your escalation is answered: The journal does not open"


@pytest.mark.django_db
def test_held_request_without_a_contract_is_told_to_the_sender_and_the_contract_administrator():
    customer = CustomerFactory(language="en")
    contact, admin = a_contact(customer), a_contract_admin(language="en")
    receive(a_letter(contact.email, "It does not start."), at=TUESDAY_10)

    write_letters(TUESDAY_10)

    assert addressees() == {contact, admin}
    assert "Your company has no support contract in force today." in the_letter(person=contact).text
    assert the_letter(person=contact).in_reply_to == "one@customer.example"
    assert "It does not start." in the_letter(person=admin).text


@pytest.mark.django_db
def test_letter_of_a_colleague_is_told_to_the_contact_who_can_file_it():
    customer = a_customer(language="en")
    receive(a_letter(observer_of(customer).email, "It does not start."), at=TUESDAY_10)

    write_letters(TUESDAY_10)

    assert addressees() == {contact_of(customer), observer_of(customer)}
    assert "It does not start." in the_letter(person=contact_of(customer)).text
    assert "It does not start." not in the_letter(person=observer_of(customer)).text


@pytest.mark.django_db
def test_stranger_is_answered_three_times_a_day_at_most_and_never_with_their_own_words():
    for number in range(5):
        raw = a_letter("who@else.example", "Buy https://evil.example", Message_ID=f"<{number}@x>", Subject="Buy")
        receive(raw, at=TUESDAY_10)

    write_letters(TUESDAY_10)

    found = list(OutgoingLetter.objects.all())
    assert [(letter.person, letter.address) for letter in found] == [(None, "who@else.example")] * 3
    assert not any("Buy" in letter.subject + letter.text for letter in found)
    assert not HeldRequest.objects.filter(notified_at__isnull=True).exists()


# The outbox: once


def test_second_round_writes_nothing(ticket: Ticket):
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)

    assert (write_letters(SOON), write_letters(LATER)) == (1, 0)


def test_occasion_is_written_once_even_if_it_is_drained_again(ticket: Ticket):
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)
    Event.objects.filter(verb="replied").update(notified_at=None)

    assert write_letters(LATER) == 0
    assert OutgoingLetter.objects.count() == 1


def test_row_that_cannot_be_told_stops_nobody_and_waits(ticket: Ticket):
    broken = Event.objects.create(ticket=ticket, verb="priority_set", at=SOON, details={})
    Ticket.objects.filter(pk=ticket.pk).update(assignee=an_engineer())
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)

    assert write_letters(SOON) == 1

    broken.refresh_from_db()
    assert broken.notified_at is None


def test_history_is_marked_without_letters(ticket: Ticket):
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    workflow.reply(ticket, by=an_engineer(), body="And again.", at=LATER)

    marked = mark_history_notified(LATER)

    assert (marked, write_letters(LATER)) == (1, 1)
    assert "And again." in the_letter().text


@pytest.mark.django_db(transaction=True)
def test_history_that_another_process_has_in_hand_is_not_waited_for(catalogue_again: None, ticket: Ticket):
    for minute in range(2):
        workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON + timedelta(minutes=minute))
    first, _second = Event.objects.filter(notified_at__isnull=True).order_by("pk").values_list("pk", flat=True)

    def elsewhere() -> int:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '2s'")
                return mark_history_notified(LATER)
        finally:
            connection.close()

    with transaction.atomic(), ThreadPoolExecutor(1) as other:
        Event.objects.select_for_update().get(pk=first)
        assert other.submit(elsewhere).result(timeout=30) == 1
    assert list(Event.objects.filter(notified_at__isnull=True).values_list("pk", flat=True)) == [first]
    assert mark_history_notified(LATER) == 1


def test_without_a_mail_server_letters_are_written_and_never_sent(ticket: Ticket, settings: Any):
    settings.EMAIL_HOST = ""
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)

    assert send_letters(LATER) == 0
    assert (the_letter().sent_at, the_letter().next_try_at) == (None, None)


def test_letter_fits_both_languages(ticket: Ticket):
    """Every wording renders in Russian too: no placeholder is broken by its translation."""
    engineer = an_engineer(language="ru")
    ticket.contact.language = "ru"
    ticket.contact.save()
    workflow.ask_customer(ticket, by=engineer, body="Сколько места?", at=SOON)
    workflow.customer_reply(ticket, by=ticket.contact, body="4 ГБ", at=LATER)
    with translation.override("en"):
        written = write_letters(LATER)

    assert written == 2
    assert '<html lang="ru">' in the_letter(person=engineer).html


# A real mail server


class Postman:
    """Takes every letter, except what `refuse` says; counts them."""

    def __init__(self) -> None:
        self.took: list[tuple[str, bytes]] = []
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(0.01)  # long enough for two senders to meet
        self.took.append((envelope.rcpt_tos[0], envelope.content))
        return "250 OK"

    @property
    def letters(self) -> list[email.message.EmailMessage]:
        return [email.message_from_bytes(raw, policy=email.policy.default) for _to, raw in self.took]  # type: ignore[misc]


@pytest.fixture
def postman(settings: Any) -> Iterator[Postman]:
    taker = Postman()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(taker, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    yield taker
    server.stop()


def test_letter_reaches_the_server_with_the_headers_of_its_thread(ticket: Ticket, postman: Postman):
    workflow.reply(ticket, by=an_engineer(), body="Перезапустите службу.", at=SOON)
    write_letters(SOON)

    assert send_letters(SOON) == 1

    (came,) = postman.letters
    row = the_letter()
    assert (row.sent_at, row.tries, row.error) == (SOON, 1, "")
    assert came["To"] == ticket.contact.email
    assert came["Message-ID"] == f"<{row.message_id}>"
    assert row.message_id.startswith(f"ticket.{ticket.number}.{ticket.token}.")
    assert came["Subject"] == row.subject
    assert came["Auto-Submitted"] is None
    assert came.get_body(("plain",)).get_content().replace("\r\n", "\n") == row.text
    assert "Перезапустите службу." in came.get_body(("html",)).get_content()


def test_answer_to_our_letter_comes_back_to_its_ticket(ticket: Ticket, postman: Postman):
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)
    send_letters(SOON)
    ours = postman.letters[0]["Message-ID"]

    letter = receive(a_letter(ticket.contact.email, "Done, it works.", In_Reply_To=ours), at=LATER)

    assert (letter.outcome, letter.ticket) == ("reply", ticket)


def test_second_letter_answers_in_the_thread_of_the_first(ticket: Ticket, postman: Postman):
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    workflow.reply(ticket, by=an_engineer(), body="And again.", at=LATER)
    write_letters(LATER)
    send_letters(LATER)

    first, second = postman.letters
    assert second["In-Reply-To"] == first["Message-ID"]
    assert second["References"] == first["Message-ID"]


@pytest.mark.parametrize("sentence", [MARKER, "Напишите ответ выше этой строки, он попадёт в обращение"])
def test_what_stands_below_our_first_line_is_a_quote(sentence: str):
    assert split_reply(f"Done.\n\n{sentence}\n\nRestart it.\n") == ("Done.", f"{sentence}\n\nRestart it.")


def test_letter_of_a_machine_says_so(ticket: Ticket, postman: Postman):
    workflow.decline(ticket, by=an_engineer(), reason="Networks are not included.", at=SOON)
    write_letters(SOON)
    send_letters(SOON)

    assert postman.letters[0]["Auto-Submitted"] == "auto-generated"


def test_line_break_in_a_subject_adds_no_header(ticket: Ticket, postman: Postman):
    Ticket.objects.filter(pk=ticket.pk).update(subject="Hi\r\nBcc: all@victims.example")
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)
    send_letters(SOON)

    (came,) = postman.letters
    assert came["Bcc"] is None
    assert came["Subject"].endswith("Hi Bcc: all@victims.example")
    assert [to for to, _raw in postman.took] == [ticket.contact.email]


def test_address_refused_for_good_is_kept_with_the_reason_and_not_tried_again(ticket: Ticket, postman: Postman):
    postman.refuse[ticket.contact.email] = "550 5.1.1 No such user"
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)

    assert send_letters(SOON) == 0

    row = the_letter()
    assert (row.sent_at, row.next_try_at, row.error) == (None, None, "550 5.1.1 No such user")
    told = ticket.events.get(verb="undelivered")
    assert (told.details["address"], told.details["said"]) == (row.address, row.error)


def test_address_refused_for_now_is_tried_again_ever_less_often(ticket: Ticket, postman: Postman):
    postman.refuse[ticket.contact.email] = "451 Try later"
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)
    moment, waits = SOON, []
    for _try in range(11):
        send_letters(moment)
        waits.append((the_letter().next_try_at - moment) // timedelta(minutes=1))
        moment = the_letter().next_try_at
    postman.refuse.clear()

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]
    assert send_letters(moment) == 1
    assert the_letter().error == ""


def test_letter_is_given_up_after_five_days(ticket: Ticket, postman: Postman):
    postman.refuse[ticket.contact.email] = "451 Try later"
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)

    send_letters(SOON + timedelta(days=5))

    assert (the_letter().next_try_at, the_letter().error) == (None, "451 Try later")


def test_refused_letter_does_not_stop_the_others(ticket: Ticket, postman: Postman):
    postman.refuse[ticket.contact.email] = "550 No such user"
    engineer = an_engineer()
    workflow.reply(ticket, by=engineer, body="Restart it.", at=SOON)
    workflow.customer_reply(ticket, by=ticket.contact, body="Done.", at=LATER)
    write_letters(LATER)

    assert send_letters(LATER) == 1
    assert [to for to, _raw in postman.took] == [engineer.email]


def test_server_that_is_down_costs_a_letter_no_patience(ticket: Ticket, settings: Any, postman: Postman):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)

    assert send_letters(SOON) == 0
    assert the_letter().next_try_at == SOON

    settings.EMAIL_PORT = port
    assert send_letters(SOON) == 1


def test_letter_whose_sender_died_is_nobody_elses_for_a_while_then_goes_out_under_its_name(
    ticket: Ticket, postman: Postman, caplog: pytest.LogCaptureFixture
):
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    write_letters(SOON)
    held = outbound._take_in_hand(SOON, SOON)  # and here its sender is killed

    assert held is not None
    assert send_letters(SOON) == 0
    assert send_letters(SOON + outbound.IN_HAND - timedelta(seconds=1)) == 0
    assert "may come twice" not in caplog.text

    assert send_letters(SOON + outbound.IN_HAND) == 1
    assert [letter["Message-ID"] for letter in postman.letters] == [f"<{held.message_id}>"]
    assert (the_letter().tries, the_letter().error) == (2, "")
    assert f"letter {held.message_id}: its sender ended before it noted an answer" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_two_rounds_at_once_write_and_send_each_letter_once(
    catalogue_again: None, postman: Postman, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outbound, "BATCH", 3)
    customer = a_customer()
    tickets = [open_ticket(customer, subject=f"Обращение {number}") for number in range(12)]
    engineer = an_engineer()
    for ticket in tickets:
        workflow.reply(ticket, by=engineer, body="Перезапустите службу.", at=SOON)
    start = threading.Barrier(3)
    trouble: list[Exception] = []

    def round_of_post() -> None:
        try:
            start.wait()
            deliver()
        except Exception as error:
            trouble.append(error)
        finally:
            connection.close()

    rounds = [threading.Thread(target=round_of_post) for _number in range(3)]
    for one in rounds:
        one.start()
    for one in rounds:
        one.join()
    deliver()

    assert trouble == []
    assert OutgoingLetter.objects.count() == 24
    assert not OutgoingLetter.objects.filter(sent_at=None).exists()
    ids = [str(letter["Message-ID"]) for letter in postman.letters]
    assert (len(ids), len(set(ids))) == (24, 24)
