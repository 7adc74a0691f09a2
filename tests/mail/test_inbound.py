"""What becomes of a raw letter: ticket, reply, held, set aside; and that mail reveals nothing (domain §2, §3.5, §7)."""

import json
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from mail.inbound import receive
from mail.models import InboundLetter, OutgoingLetter
from tests.factories import (
    TUESDAY_10,
    CustomerFactory,
    UserFactory,
    a_contact,
    a_customer,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
    package,
)
from tests.raw_letters import CASES, REAL, a_letter, needs_cases, sender_of
from tickets import workflow
from tickets.models import Event, HeldRequest, Message, State, Ticket

pytestmark = pytest.mark.django_db

LATER = TUESDAY_10 + timedelta(minutes=20)

Outcome = InboundLetter.Outcome
Reason = HeldRequest.Reason


def in_thread(ticket: Ticket) -> dict[str, str]:
    return {"In_Reply_To": f"<ticket.{ticket.number}.{ticket.token}.abc@helpdesk.example>"}


# A new ticket


def test_letter_of_the_contact_becomes_a_ticket():
    contact = contact_of(a_customer("basic"))

    letter = receive(a_letter(contact.email, "Не открывается журнал звонков.\nВерсия 7.8."), at=TUESDAY_10)

    ticket = Ticket.objects.get()
    message = ticket.messages.get()
    assert (letter.outcome, letter.ticket, letter.reason) == (Outcome.TICKET, ticket, "")
    assert (ticket.subject, ticket.channel_id, ticket.contact, ticket.language) == ("Журнал", "email", contact, "ru")
    assert (message.body, message.message_id) == (
        "Не открывается журнал звонков.\nВерсия 7.8.",
        "one@customer.example",
    )


def test_new_ticket_is_an_incident_of_priority_3_received_when_the_letter_came():
    contact = contact_of(a_customer("basic"))

    receive(a_letter(contact.email), at=TUESDAY_10)

    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.priority, ticket.topic, ticket.line_id) == ("incident", 3, None, 1)
    assert ticket.opened_at == TUESDAY_10


def test_new_ticket_is_about_the_only_product_that_the_customer_owns():
    contact = contact_of(a_customer())

    receive(a_letter(contact.email), at=TUESDAY_10)

    ticket = Ticket.objects.get()
    assert (ticket.product.code, ticket.release.version) == ("sales", "7.8.4")


def test_sender_is_known_whatever_the_case_of_the_address():
    contact = contact_of(a_customer())

    letter = receive(a_letter(contact.email.upper()), at=TUESDAY_10)

    assert letter.outcome == Outcome.TICKET


def test_language_of_the_ticket_is_that_of_the_letter():
    contact = contact_of(a_customer())

    receive(a_letter(contact.email, "The import of contacts stops in the middle.", Subject="Import"), at=TUESDAY_10)

    assert Ticket.objects.get().language == "en"


def test_raw_letter_is_kept_byte_for_byte():
    raw = a_letter(contact_of(a_customer()).email)

    letter = receive(raw, at=TUESDAY_10)

    letter.refresh_from_db()
    assert bytes(letter.raw) == raw


def test_same_letter_twice_is_one_letter():
    raw = a_letter(contact_of(a_customer()).email)

    first = receive(raw, at=TUESDAY_10)
    second = receive(raw, at=LATER)

    assert (second.pk, second.outcome, second.received_at) == (first.pk, Outcome.TICKET, TUESDAY_10)
    assert Ticket.objects.count() == 1


def test_letter_without_message_id_is_known_by_its_bytes():
    raw = a_letter(contact_of(a_customer()).email).replace(b"Message-ID: <one@customer.example>\n", b"")

    receive(raw, at=TUESDAY_10)
    receive(raw, at=LATER)

    assert Ticket.objects.count() == 1
    assert InboundLetter.objects.get().message_id.startswith("sha256:")
    assert Message.objects.get().message_id is None


def test_letter_of_somebody_else_under_a_taken_message_id_is_not_lost():
    receive(a_letter("stranger@evil.example"), at=TUESDAY_10)

    letter = receive(a_letter(contact_of(a_customer()).email), at=LATER)

    assert letter.outcome == Outcome.TICKET
    assert Ticket.objects.count() == 1


def test_letter_without_a_word_becomes_a_ticket_with_its_files():
    contact = contact_of(a_customer())
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = contact.email, "", "<two@customer.example>"
    message.set_content("")
    message.add_attachment(b"\x89PNG....", maintype="image", subtype="png", filename="экран.png")

    receive(message.as_bytes(), at=TUESDAY_10)

    ticket = Ticket.objects.get()
    attachment = ticket.messages.get().attachments.get()
    assert ticket.subject
    assert (attachment.name, attachment.size, attachment.file.read()) == ("экран.png", 8, b"\x89PNG....")


def test_file_over_the_limit_is_left_out_and_the_message_says_so(settings: Any):
    settings.ATTACHMENT_MAX_BYTES = 1000
    contact = contact_of(a_customer(language="en"))
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = contact.email, "Log", "<three@customer.example>"
    message["Date"] = "Tue, 17 Nov 2026 09:59:58 +0300"
    message.set_content("Here is the log of the server, see the end of it.")
    message.add_attachment(b"x" * 1001, maintype="text", subtype="plain", filename="big.log")
    message.add_attachment(b"x" * 1000, maintype="text", subtype="plain", filename="small.log")

    letter = receive(message.as_bytes(), at=TUESDAY_10)

    said = Message.objects.get()
    sentence = "The file “big.log” (1001\xa0bytes) is larger than 1000\xa0bytes and was left out."
    assert said.body == f"Here is the log of the server, see the end of it.\n\n{sentence}"
    assert [attachment.name for attachment in said.attachments.all()] == ["small.log"]
    assert letter.reason == sentence


# A reply


@pytest.mark.parametrize("by", ["message-id", "address", "subject"])
def test_reply_finds_its_ticket_by_our_message_id_our_address_or_the_number(by: str):
    ticket = open_ticket()
    headers = {
        "message-id": in_thread(ticket),
        "address": {"To": f"support+{ticket.number}.{ticket.token.upper()}@helpdesk.example"},
        "subject": {"Subject": f"Re: [№ {ticket.number}] Журнал"},
    }[by]

    letter = receive(a_letter(ticket.contact.email, "Свободно 4 ГБ.", **headers), at=LATER)

    assert (letter.outcome, letter.ticket) == (Outcome.REPLY, ticket)
    assert ticket.messages.latest("pk").body == "Свободно 4 ГБ."


def test_reply_keeps_what_it_quotes_apart():
    ticket = open_ticket()
    text = "Свободно 4 ГБ.\n\n-- reply above this line / ответ выше этой строки --\n\nСколько места на диске?\n"

    receive(a_letter(ticket.contact.email, text, **in_thread(ticket)), at=LATER)

    message = ticket.messages.latest("pk")
    assert message.body == "Свободно 4 ГБ."
    assert "Сколько места на диске?" in message.quoted


def test_reply_to_a_question_lets_the_clock_go_on():
    ticket = open_ticket(priority=1)
    workflow.ask_customer(ticket, by=an_engineer(), body="Сколько места?", at=TUESDAY_10 + timedelta(minutes=5))

    receive(a_letter(ticket.contact.email, "4 ГБ", **in_thread(ticket)), at=LATER)

    ticket.refresh_from_db()
    assert (ticket.state, ticket.clock_paused) == (State.IN_PROGRESS, False)


def test_reply_to_a_closed_ticket_makes_a_follow_up():
    ticket = open_ticket()
    workflow.withdraw(ticket, by=ticket.contact, at=TUESDAY_10 + timedelta(minutes=5))

    letter = receive(a_letter(ticket.contact.email, "Опять то же.", **in_thread(ticket)), at=LATER)

    assert letter.outcome == Outcome.TICKET
    assert letter.ticket.follows == ticket


def test_wrong_token_is_no_claim():
    ticket = open_ticket()
    forged = {"In_Reply_To": f"<ticket.{ticket.number}.0000000000000000.abc@helpdesk.example>"}

    letter = receive(a_letter(ticket.contact.email, **forged), at=LATER)

    assert letter.outcome == Outcome.TICKET
    assert letter.ticket != ticket


@pytest.mark.parametrize("by", ["message-id", "subject"])
def test_other_company_never_reaches_the_ticket_even_with_its_token(by: str):
    ticket = open_ticket()
    other = contact_of(a_customer("basic"))
    headers = in_thread(ticket) if by == "message-id" else {"Subject": f"Re: [№ {ticket.number}]"}

    letter = receive(a_letter(other.email, **headers), at=LATER)

    assert (letter.outcome, letter.ticket.customer) == (Outcome.TICKET, other.membership.customer)
    assert ticket.messages.count() == 1


# Held for a person


def test_colleague_is_answered_who_files_requests():
    customer = a_customer(language="en")
    observer = observer_of(customer)

    letter = receive(a_letter(observer.email, "It does not start."), at=TUESDAY_10)

    held = HeldRequest.objects.get()
    assert (letter.outcome, letter.held, held.reason) == (Outcome.HELD, held, Reason.NOT_CONTACT)
    assert (held.customer, held.sender, held.body) == (customer, observer, "It does not start.")
    assert held.words == (
        f"Requests are filed by the responsible contact of your company ({contact_of(customer).full_name}); you can "
        "read. Your letter is recorded and passed on to them."
    )
    assert not Ticket.objects.exists()


def test_colleague_does_not_reply_either():
    ticket = open_ticket()

    letter = receive(a_letter(observer_of(ticket.customer).email, **in_thread(ticket)), at=LATER)

    assert (letter.outcome, letter.held.reason) == (Outcome.HELD, Reason.NOT_CONTACT)
    assert ticket.messages.count() == 1


def test_stranger_is_recorded_and_told_nothing_about_anybody():
    open_ticket()

    letter = receive(a_letter("somebody@else.example", "Please help us with the import of data."), at=TUESDAY_10)

    held = HeldRequest.objects.get()
    assert (letter.outcome, held.reason, held.customer, held.sender) == (
        Outcome.HELD,
        Reason.UNKNOWN_SENDER,
        None,
        None,
    )
    assert (held.sender_address, held.notified_at) == ("somebody@else.example", None)
    assert held.words == (
        "We do not know the address that you wrote from, so no request was opened. Requests are filed by the "
        "responsible contact of a company with a support contract, from the address that we know or in the portal."
    )


def test_stranger_with_the_token_of_a_ticket_gets_the_same_answer():
    ticket = open_ticket()

    plain = receive(a_letter("somebody@else.example", Message_ID="<a@else.example>"), at=LATER)
    claiming = receive(a_letter("somebody@else.example", Message_ID="<b@else.example>", **in_thread(ticket)), at=LATER)

    assert claiming.held.words == plain.held.words
    assert ticket.messages.count() == 1


def test_dotless_i_is_not_an_i():
    contact = contact_of(a_customer())
    contact.email = "mike@customer.example"
    contact.save()
    raw = "From: m\u0131ke@customer.example\nSubject: x\nMessage-ID: <i@customer.example>\n\nx".encode()

    letter = receive(raw, at=LATER)

    assert (letter.outcome, letter.from_address) == (Outcome.HELD, "m\u0131ke@customer.example")


def test_company_without_a_contract_is_recorded_and_told_so():
    customer = CustomerFactory(language="en")
    contact = a_contact(customer)

    letter = receive(a_letter(contact.email), at=TUESDAY_10)

    held = HeldRequest.objects.get()
    assert (letter.outcome, held.reason, held.customer) == (Outcome.HELD, Reason.NO_CONTRACT, customer)
    assert held.words == (
        "Your company has no support contract in force today. The request is recorded and put before our contract "
        "administrator, who will write to you."
    )


def test_package_without_mail_is_told_which_package_has_it():
    package("basic").terms.get().services.remove("offline")
    customer = a_customer("basic", language="en")

    receive(a_letter(contact_of(customer).email), at=TUESDAY_10)

    held = HeldRequest.objects.get()
    assert held.reason == Reason.NOT_IN_PACKAGE
    assert held.words == (
        "“Offline support: e-mail, Customer Success Portal, Community” is not in your package (Basic). It is in: "
        "Business, Premium."
    )


def test_letter_in_the_name_of_an_engineer_never_becomes_our_answer():
    ticket = open_ticket()
    engineer = an_engineer(language="en")

    letter = receive(a_letter(engineer.email, "We will refund you.", **in_thread(ticket)), at=LATER)

    assert (letter.outcome, letter.held.reason, letter.held.sender) == (Outcome.HELD, Reason.NOT_CONTACT, engineer)
    assert letter.held.words.endswith("Sign in and answer at the desk.")
    assert ticket.messages.count() == 1


def test_letter_that_its_domain_disowns_is_held_and_nobody_is_answered():
    contact = contact_of(a_customer())
    verdict = {"Authentication_Results": "mx.helpdesk.example; spf=fail; dmarc=fail header.from=example.com"}

    letter = receive(a_letter(contact.email, **verdict), at=TUESDAY_10)

    assert (letter.outcome, letter.held.reason, letter.held.notified_at) == (
        Outcome.HELD,
        Reason.UNKNOWN_SENDER,
        TUESDAY_10,
    )
    assert not Ticket.objects.exists()


def test_empty_reply_is_answered_with_the_rule():
    ticket = open_ticket(customer=a_customer(language="en"))

    letter = receive(a_letter(ticket.contact.email, "", **in_thread(ticket)), at=LATER)

    assert (letter.outcome, letter.held.words) == (Outcome.HELD, "An empty reply says nothing: write a few words.")


# Machines


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"Subject": "Автоответ: отпуск"},
        {"X_Auto_Response_Suppress": "All"},
    ],
)
def test_automatic_letter_is_set_aside_and_moves_no_clock(headers: dict[str, str]):
    ticket = open_ticket(priority=1)
    workflow.ask_customer(ticket, by=an_engineer(), body="Сколько места?", at=TUESDAY_10 + timedelta(minutes=5))
    events = Event.objects.count()

    letter = receive(a_letter(ticket.contact.email, **(in_thread(ticket) | headers)), at=LATER)

    ticket.refresh_from_db()
    assert (letter.outcome, ticket.state) == (Outcome.IGNORED, State.AWAITING_CUSTOMER)
    assert (Event.objects.count(), HeldRequest.objects.count()) == (events, 0)


def test_our_own_letter_is_set_aside():
    letter = receive(a_letter("Support+1.abcdef@helpdesk.example"), at=TUESDAY_10)

    assert (letter.outcome, HeldRequest.objects.count()) == (Outcome.IGNORED, 0)


def a_bounce(message_id: str, fields: str = "Action: failed", number: int = 1) -> bytes:
    """What the server of the customer sends back about a letter of ours."""
    return (
        "From: MAILER-DAEMON@mx.example\nTo: support@helpdesk.example\nSubject: Undelivered Mail Returned to Sender\n"
        f"Message-ID: <bounce{number}@mx.example>\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThe mailbox is full.\n"
        f"--b\nContent-Type: message/delivery-status\n\n{fields}\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{message_id}>\n--b--\n"
    ).encode()


def a_sent_letter(ticket: Ticket, person: User) -> OutgoingLetter:
    return OutgoingLetter.objects.create(
        occasion=f"event:{ticket.events.get(verb='opened').pk}",
        person=person,
        ticket=ticket,
        address=person.email,
        message_id=f"ticket.{ticket.number}.{ticket.token}.0123@helpdesk.example",
        subject=f"[№ {ticket.number}] Ответ",
        text="…",
        written_at=TUESDAY_10,
        sent_at=TUESDAY_10,
    )


def test_bounce_is_noted_on_the_letter_and_told_once_in_the_conversation():
    ticket = open_ticket(a_customer())
    sent = a_sent_letter(ticket, contact_of(ticket.customer))
    fields = "Action: failed\nDiagnostic-Code: smtp; 552 5.2.2 The mailbox\n is full"

    letters = [receive(a_bounce(sent.message_id, fields, number), at=LATER) for number in (1, 2)]

    sent.refresh_from_db()
    told = ticket.events.get(verb="undelivered")
    assert [letter.outcome for letter in letters] == [Outcome.IGNORED, Outcome.IGNORED]
    assert "The mailbox is full." in sent.error
    assert (told.details["address"], told.details["said"]) == (sent.address, "552 5.2.2 The mailbox is full")
    assert told.at == LATER


def test_bounce_is_in_sight_on_the_page_of_the_desk_and_not_on_the_customers(client: Client):
    ticket = open_ticket(a_customer())
    sent = a_sent_letter(ticket, contact_of(ticket.customer))
    receive(a_bounce(sent.message_id, "Action: failed\nDiagnostic-Code: smtp; 550 No such user"), at=LATER)

    client.force_login(an_engineer())
    desk = client.get(f"/w/t/{ticket.number}/").content.decode()
    client.force_login(contact_of(ticket.customer))
    portal = client.get(f"/t/{ticket.number}/").content.decode()

    assert "550 No such user" in desk
    assert sent.address in desk
    assert "550 No such user" not in portal


def test_letter_that_a_server_still_tries_to_deliver_is_no_news():
    ticket = open_ticket(a_customer())
    sent = a_sent_letter(ticket, contact_of(ticket.customer))

    letter = receive(a_bounce(sent.message_id, "Action: delayed"), at=LATER)

    sent.refresh_from_db()
    assert (letter.outcome, sent.error) == (Outcome.IGNORED, "")
    assert not ticket.events.filter(verb="undelivered").exists()


def test_bounce_of_a_letter_to_our_own_people_stays_out_of_the_conversation():
    ticket = open_ticket(a_customer())
    sent = a_sent_letter(ticket, an_engineer())

    receive(a_bounce(sent.message_id), at=LATER)

    sent.refresh_from_db()
    assert "The mailbox is full." in sent.error
    assert not ticket.events.filter(verb="undelivered").exists()


def test_bounce_of_an_unknown_letter_tells_nobody():
    ticket = open_ticket(a_customer())
    a_sent_letter(ticket, contact_of(ticket.customer))

    receive(a_bounce(f"ticket.{ticket.number}.guessed.0123@helpdesk.example"), at=LATER)

    assert not ticket.events.filter(verb="undelivered").exists()


# Trouble


def test_unexpected_failure_keeps_the_letter_and_a_second_try_deals_with_it(settings: Any, tmp_path: Path):
    contact = contact_of(a_customer())
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = contact.email, "Экран", "<four@customer.example>"
    message.set_content("Смотрите снимок экрана.")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="a.png")
    (tmp_path / "full").write_text("a file where the folder should be")
    settings.MEDIA_ROOT = tmp_path / "full"

    failed = receive(message.as_bytes(), at=TUESDAY_10)

    assert (failed.outcome, Ticket.objects.count()) == (Outcome.FAILED, 0)
    assert failed.reason

    settings.MEDIA_ROOT = tmp_path / "media"
    again = receive(message.as_bytes(), at=LATER)

    assert (again.pk, again.outcome, again.ticket.opened_at) == (failed.pk, Outcome.TICKET, TUESDAY_10)


# Real letters and attacks


@needs_cases
@pytest.mark.parametrize("name", REAL)
def test_real_letter_of_a_contact_becomes_one_ticket(name: str):
    raw = (CASES / "mail" / name).read_bytes()
    customer = a_customer("basic")
    contact = contact_of(customer)
    contact.email = sender_of(raw)
    contact.save()

    first, second = receive(raw, at=TUESDAY_10), receive(raw, at=LATER)

    ticket = Ticket.objects.get()
    assert (first.outcome, first.ticket, second.pk) == (Outcome.TICKET, ticket, first.pk)
    assert ticket.subject
    assert ticket.messages.get().body


@needs_cases
def test_no_attack_opens_a_ticket_answers_one_or_fails():
    folder = CASES / "attack_mail"
    ticket = open_ticket()

    became = {
        message["file"]: receive((CASES / message["file"]).read_bytes(), at=LATER).outcome
        for message in json.loads((folder / "manifest.json").read_text())["messages"]
    }

    set_aside = {"attack_mail/null-sender.eml", "attack_mail/vacation.eml"}
    assert {name for name, outcome in became.items() if outcome == Outcome.IGNORED} >= set_aside
    assert set(became.values()) == {Outcome.IGNORED, Outcome.HELD}
    assert (list(Ticket.objects.all()), ticket.messages.count()) == ([ticket], 1)


ATTACKS = {
    # file                     who is a known person, and what it becomes then
    "stranger-references": ("stranger@evil.example", None, Outcome.HELD),
    "plus-address-token-guess": ("stranger@evil.example", "contact", Outcome.TICKET),
    "two-from": ("a@customer.example", "contact", Outcome.HELD),
    "crlf-subject": ("a@b.example", "contact", Outcome.TICKET),
    "no-message-id": ("a@customer.example", "contact", Outcome.TICKET),
    "agent-token-forgery": ("agent@desk.example", "engineer", Outcome.HELD),
    "cc-spoof": ("victim@customer.example", "contact", Outcome.HELD),
    "product-headers": ("a@b.example", "contact", Outcome.TICKET),
    "smtputf8-homoglyph": ("admin@desk.example", "engineer", Outcome.HELD),
    "vacation": ("v@customer.example", "contact", Outcome.IGNORED),
    "filename-traversal": (None, "contact", Outcome.TICKET),
    "nul-bytes": (None, "contact", Outcome.TICKET),
    "surrogates": (None, "contact", Outcome.TICKET),
    "svg-as-jpeg": (None, "contact", Outcome.TICKET),
}


@needs_cases
@pytest.mark.parametrize("name", ATTACKS)
def test_attack_in_the_name_of_somebody_we_know(name: str):
    raw = (CASES / "attack_mail" / f"{name}.eml").read_bytes()
    address, role, outcome = ATTACKS[name]
    address = address or sender_of(raw)
    bystander = open_ticket()
    if role == "contact":
        person = contact_of(a_customer("basic"))
        person.email = address
        person.save()
    elif role == "engineer":
        UserFactory(engineer=True, email=address)

    letter = receive(raw, at=LATER)

    assert letter.outcome == outcome, letter.reason
    assert bystander.messages.count() == 1
    if letter.ticket:
        assert "\n" not in letter.ticket.subject
        assert letter.ticket.priority == 3
