"""A colleague's letter waits for the contact, and one click makes it a request (domain §1.7.1, §2, §3.5)."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.refusals import Forbidden
from contracts.entitlement import NotCovered
from contracts.models import Customer
from mail.inbound import receive
from tests.factories import (
    CustomerFactory,
    a_contact,
    a_contract_admin,
    a_customer,
    a_member,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
)
from tests.moments import tuesday
from tests.raw_letters import a_letter
from tickets import workflow
from tickets.models import Attachment, HeldFile, HeldRequest, State, Ticket
from tickets.views import held as pages
from tickets.workflow import NotAllowed

pytestmark = pytest.mark.django_db

WROTE, CONFIRMED = tuesday(10), tuesday(14)
Outcome = HeldRequest.Outcome


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def customer(db: None) -> Customer:
    return a_customer(language="en")


def a_letter_with_file(sender: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "support@helpdesk.example", "The journal"
    message["Message-ID"] = "<with-file@customer.example>"
    message["Date"] = "Tue, 17 Nov 2026 09:59:58 +0300"
    message.set_content("It does not open.")
    message.add_attachment(b"what I see", maintype="text", subtype="plain", filename="screen.txt")
    return message.as_bytes()


def held_of(customer: Customer, text: str = "It does not open.", **headers: str) -> HeldRequest:
    letter = receive(a_letter(observer_of(customer).email, text, **headers), at=WROTE)
    assert letter.held is not None
    return letter.held


# Yes


def test_one_click_opens_a_request_of_the_contact_in_the_words_of_the_colleague(customer):
    held = held_of(customer, Subject="The journal")
    contact, colleague = contact_of(customer), observer_of(customer)

    ticket = workflow.confirm_held(held, by=contact, at=CONFIRMED)

    message = ticket.messages.get()
    assert (ticket.contact, ticket.subject, ticket.channel_id) == (contact, "The journal", "email")
    assert (ticket.priority, ticket.kind, ticket.product.code) == (3, "incident", "sales")
    assert (message.author, message.body, message.by_vendor) == (colleague, "It does not open.", False)
    assert message.message_id == "one@customer.example"
    held.refresh_from_db()
    assert (held.ticket, held.outcome, held.settled_by, held.settled_at) == (
        ticket,
        Outcome.CONFIRMED,
        contact,
        CONFIRMED,
    )
    assert ticket.events.get(verb="opened").details["colleague"] == colleague.full_name


def test_the_clocks_start_with_the_confirmation(customer):
    ticket = workflow.confirm_held(held_of(customer), by=contact_of(customer), at=CONFIRMED)

    assert ticket.opened_at == CONFIRMED
    assert {clock.started_at for clock in ticket.commitments.all()} == {CONFIRMED}


def test_files_move_into_the_request(customer):
    held = receive(a_letter_with_file(observer_of(customer).email), at=WROTE).held
    kept = held.files.get()
    assert (kept.name, kept.size) == ("screen.txt", 10)

    ticket = workflow.confirm_held(held, by=contact_of(customer), at=CONFIRMED)

    attachment = Attachment.objects.get(message__ticket=ticket)
    assert (attachment.name, attachment.file.read(), attachment.size) == ("screen.txt", b"what I see", 10)
    assert not HeldFile.objects.exists()


def test_the_held_copy_of_a_file_is_removed_once_the_request_is_there(customer, django_capture_on_commit_callbacks):
    held = receive(a_letter_with_file(observer_of(customer).email), at=WROTE).held
    kept = held.files.get().file

    with django_capture_on_commit_callbacks(execute=True):
        ticket = workflow.confirm_held(held, by=contact_of(customer), at=CONFIRMED)

    assert not kept.storage.exists(kept.name)
    assert Attachment.objects.get(message__ticket=ticket).file.read() == b"what I see"


def test_the_second_click_leads_to_the_same_request(customer):
    held, contact = held_of(customer), contact_of(customer)

    first = workflow.confirm_held(held, by=contact, at=CONFIRMED)
    second = workflow.confirm_held(held, by=contact, at=CONFIRMED + timedelta(seconds=1))

    assert first == second
    assert Ticket.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_moment_open_one_request():
    customer = a_customer(language="en")
    held, contact = held_of(customer), contact_of(customer)

    def click(_number: int) -> int:
        try:
            return workflow.confirm_held(held, by=contact, at=CONFIRMED).number
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        numbers = set(pool.map(click, range(2)))

    assert (len(numbers), Ticket.objects.count()) == (1, 1)


def test_a_colleagues_answer_goes_into_the_request_that_it_answers(customer):
    ticket = open_ticket(customer, at=tuesday(9))
    engineer = an_engineer()
    workflow.ask_customer(ticket, by=engineer, body="Which version?", at=tuesday(9, 30))
    letter = "7.8.4\n\nOn Tue, 17 Nov 2026 at 09:30 Support <support@helpdesk.example> wrote:\n> Which version?"
    held = held_of(customer, letter, Subject=f"Re: [№ {ticket.number}] The journal")
    assert held.about == ticket

    answered = workflow.confirm_held(held, by=contact_of(customer), at=CONFIRMED)

    assert answered == ticket
    ticket.refresh_from_db()
    message = ticket.messages.latest("pk")
    assert (message.author, message.body, ticket.state) == (observer_of(customer), "7.8.4", State.IN_PROGRESS)
    assert "Which version?" in message.quoted
    assert Ticket.objects.count() == 1


def test_the_contact_of_the_moment_decides_whoever_it_was_when_the_letter_came(customer):
    held, was = held_of(customer), contact_of(customer)
    new = a_member(customer)
    workflow.hand_over_contact(customer, to=new, by=a_contract_admin(), at=tuesday(12), reason="Ill")

    with pytest.raises(Forbidden):
        workflow.confirm_held(held, by=was, at=CONFIRMED)

    assert workflow.confirm_held(held, by=new, at=CONFIRMED).contact == new


def test_nobody_else_decides(customer):
    held = held_of(customer)
    for person in (observer_of(customer), contact_of(a_customer()), an_engineer(), a_contract_admin()):
        with pytest.raises(Forbidden):
            workflow.confirm_held(held, by=person, at=CONFIRMED)
        with pytest.raises(Forbidden):
            workflow.drop_held(held, by=person, at=CONFIRMED, words="No")
    assert not Ticket.objects.exists()


def test_what_the_contract_does_not_cover_is_refused_and_goes_before_the_administrator():
    customer = CustomerFactory(language="en")
    contact = a_contact(customer)
    colleague = a_member(customer)
    held = receive(a_letter(colleague.email), at=WROTE).held

    with pytest.raises(NotCovered):
        workflow.confirm_held(held, by=contact, at=CONFIRMED)
    held.refresh_from_db()
    assert held.waits_for_contact
    workflow.put_before_administrator(held, by=contact, at=CONFIRMED, words="No contract.")

    held.refresh_from_db()
    assert (held.reason, held.notified_at, held.waits_for_contact) == (HeldRequest.Reason.NO_CONTRACT, None, False)


# No


def test_not_needed_has_words_for_the_colleague(customer):
    held, contact = held_of(customer), contact_of(customer)
    with pytest.raises(NotAllowed, match="Write to your colleague"):
        workflow.drop_held(held, by=contact, at=CONFIRMED, words=" ")

    held = workflow.drop_held(held, by=contact, at=CONFIRMED, words="We know it already")

    assert (held.outcome, held.settled_words, held.notified_at) == (Outcome.DROPPED, "We know it already", None)
    with pytest.raises(NotAllowed, match="does not wait any more"):
        workflow.confirm_held(held, by=contact, at=CONFIRMED)
    assert workflow.drop_held(held, by=contact, at=CONFIRMED, words="Again").settled_words == "We know it already"


# Settled by us


def test_the_contract_administrator_settles_what_waits_for_us_and_not_what_waits_for_the_contact(customer):
    admin = a_contract_admin()
    stranger = receive(a_letter("somebody@else.example", Message_ID="<s@else.example>"), at=WROTE).held
    with pytest.raises(NotAllowed, match="waits for the responsible contact"):
        workflow.settle_held(held_of(customer), by=admin, at=CONFIRMED, outcome=Outcome.ANSWERED, words="Rang")
    with pytest.raises(NotAllowed, match="Write how"):
        workflow.settle_held(stranger, by=admin, at=CONFIRMED, outcome=Outcome.ANSWERED, words="")
    with pytest.raises(NotAllowed, match="Choose how"):
        workflow.settle_held(stranger, by=admin, at=CONFIRMED, outcome=Outcome.CONFIRMED, words="Rang")
    with pytest.raises(Forbidden):
        workflow.settle_held(stranger, by=an_engineer(), at=CONFIRMED, outcome=Outcome.ANSWERED, words="Rang")

    stranger = workflow.settle_held(stranger, by=admin, at=CONFIRMED, outcome=Outcome.ANSWERED, words="Rang them")

    assert (stranger.outcome, stranger.settled_words, stranger.settled_by) == (Outcome.ANSWERED, "Rang them", admin)


# The pages


def now_company() -> Customer:
    return a_customer(starts_on=(timezone.now() - timedelta(days=100)).date(), language="en")


def waiting(customer: Customer, number: int = 1, **headers: str) -> HeldRequest:
    now = timezone.now()
    observer = observer_of(customer, now)
    raw = a_letter(observer.email, "It <b>does</b> not open.", Message_ID=f"<{number}@c.example>", **headers)
    held = receive(raw, at=now - timedelta(hours=3)).held
    assert held is not None
    return held


def the(customer: Customer, *, observer: bool = False) -> Any:
    return observer_of(customer, timezone.now()) if observer else contact_of(customer, timezone.now())


def test_first_page_shows_the_contact_what_waits_and_one_click_confirms_it(client):
    customer = now_company()
    held = waiting(customer, Subject="The journal")
    client.force_login(the(customer))

    page = client.get("/").content.decode()
    assert "Awaiting your confirmation" in page and "The journal" in page
    response = client.post(f"/t/held/{held.pk}/confirmation/")

    ticket = Ticket.objects.get()
    assert (response.status_code, response["Location"]) == (303, f"/t/{ticket.number}/")
    again = client.post(f"/t/held/{held.pk}/confirmation/")
    assert again["Location"] == f"/t/{ticket.number}/"
    assert "Awaiting your confirmation" not in client.get("/").content.decode()
    assert client.get(f"/t/held/{held.pk}/")["Location"] == f"/t/{ticket.number}/"


@pytest.mark.parametrize("address", ["", "confirmation/", "refusal/"])
def test_a_get_changes_nothing_so_that_scanners_of_mail_open_no_request(client, address):
    customer = now_company()
    held = waiting(customer)

    assert client.get(f"/t/held/{held.pk}/{address}").status_code == 302  # asked to sign in
    client.force_login(the(customer))
    client.get(f"/t/held/{held.pk}/{address}")
    client.head(f"/t/held/{held.pk}/{address}")

    assert not Ticket.objects.exists()
    held.refresh_from_db()
    assert held.waits_for_contact


def test_not_needed_asks_why_and_keeps_the_letter_until_it_knows(client):
    customer = now_company()
    held = waiting(customer)
    client.force_login(the(customer))

    empty = client.post(f"/t/held/{held.pk}/refusal/", {"words": ""})
    assert empty.status_code == 422
    assert empty.content.decode().count("Write to your colleague why it is not needed") == 2
    assert client.post(f"/t/held/{held.pk}/refusal/", {"words": "Known"}).status_code == 303

    held.refresh_from_db()
    assert held.outcome == Outcome.DROPPED
    assert "decided that it is not needed: Known" in client.get(f"/t/held/{held.pk}/").content.decode()


def test_the_colleague_sees_that_it_waits_and_has_no_button(client):
    customer = now_company()
    held = waiting(customer)
    client.force_login(the(customer, observer=True))

    assert "Your letters that wait for confirmation" in client.get("/").content.decode()
    page = client.get(f"/t/held/{held.pk}/").content.decode()
    assert "It waits for the responsible contact" in page
    assert "/confirmation/" not in page
    assert client.post(f"/t/held/{held.pk}/confirmation/").status_code == 403
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("who", ["foreign contact", "foreign observer", "another observer"])
def test_another_companys_letter_answers_exactly_as_a_missing_one(client, who):
    customer, other = now_company(), now_company()
    held = waiting(customer)
    client.force_login(
        {"foreign contact": the(other), "foreign observer": the(other, observer=True)}.get(who) or a_member(customer)
    )

    for address in ("", "confirmation/", "refusal/", "files/1/"):
        here = client.get(f"/t/held/{held.pk}/{address}")
        missing = client.get(f"/t/held/{held.pk + 999}/{address}")
        assert (here.status_code, missing.status_code) == (404, 404)
        assert client.post(f"/t/held/{held.pk}/{address}", {"words": "x"}).status_code in {404, 405}
    assert not Ticket.objects.exists()


def test_a_file_that_waits_is_a_download_for_the_contact_only(client):
    customer = now_company()
    held = receive(a_letter_with_file(the(customer, observer=True).email), at=timezone.now()).held
    address = f"/t/held/{held.pk}/files/{held.files.get().pk}/"
    client.force_login(the(customer))

    response = client.get(address)

    assert b"".join(response.streaming_content) == b"what I see"
    assert response["Content-Disposition"].startswith("attachment")
    client.force_login(the(now_company()))
    assert client.get(address).status_code == 404


def test_first_page_costs_the_same_for_one_and_three_letters(client):
    customer = now_company()
    client.force_login(the(customer))
    waiting(customer, 1)
    client.get("/")
    with CaptureQueriesContext(connection) as one:
        client.get("/")
    waiting(customer, 2)
    waiting(customer, 3)
    with CaptureQueriesContext(connection) as three:
        client.get("/")
    assert len(three) == len(one)


def test_the_list_of_what_waits_for_us_is_paged_and_settled(client, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    admin = a_contract_admin(language="en")
    client.force_login(admin)
    for number in range(3):
        receive(
            a_letter(f"s{number}@else.example", f"Words {number}", Message_ID=f"<{number}@else.example>"),
            at=tuesday(10, number),
        )
    first = client.get("/c/held/").content.decode()
    assert ("Words 0" in first, "Words 1" in first, "Words 2" in first) == (True, True, False)
    further = re.search(r'href="(\?after=\d+)" rel="next"', first)
    second = client.get("/c/held/" + further.group(1)).content.decode()
    assert ("Words 1" in second, "Words 2" in second) == (False, True)

    pk = HeldRequest.objects.earliest("pk").pk
    refused = client.post(f"/c/held/{pk}/settlement/", {"outcome": "answered", "words": ""})
    assert refused.status_code == 422
    assert client.post(f"/c/held/{pk}/settlement/", {"outcome": "answered", "words": "Rang"}).status_code == 303
    assert "Rang" in client.get("/c/held/?state=settled").content.decode()
    again = client.post(f"/c/held/{pk}/settlement/", {"outcome": "by_hand", "words": "Twice"})
    assert (again.status_code, "settled already" in again.content.decode()) == (409, True)


def test_words_of_a_colleague_that_wait_for_the_contact_are_not_shown_to_us(client):
    waiting(now_company(), Subject="The journal")
    client.force_login(a_contract_admin(language="en"))

    page = client.get("/c/held/").content.decode()

    assert "The journal" in page
    assert "It &lt;b&gt;does" not in page
    assert "the words are theirs" in page


def test_only_signers_see_what_is_held(client):
    for person in (an_engineer(), contact_of(a_customer())):
        client.force_login(person)
        assert client.get("/c/held/").status_code == 403
        assert client.post("/c/held/1/settlement/").status_code == 403
