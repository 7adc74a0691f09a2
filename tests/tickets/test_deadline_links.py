"""A proposed deadline is answered by the link of its letter, without a sign-in (domain §4.2)."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from mail.models import OutgoingLetter
from mail.outbound import write_letters
from sla.models import DeadlineProposal
from tests.factories import a_csm, a_customer, a_lead, an_engineer, contact_of, observer_of, open_ticket
from tickets import letter_links, workflow
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

State = DeadlineProposal.State


@pytest.fixture
def lead() -> User:
    return a_lead(full_name="Igor Gordeev", language="en")


@pytest.fixture
def ticket(lead: User) -> Ticket:
    customer = a_customer(language="en", csm=a_csm(language="en"))
    contact = contact_of(customer)
    contact.language, contact.full_name = "en", "Ivan Petrov"
    contact.save()
    return open_ticket(customer, priority=3, at=timezone.now() - timedelta(hours=2))


def propose(ticket: Ticket, by: User) -> DeadlineProposal:
    clock = ticket.commitments.get(kind="resolution")
    due_at = clock.calendar.add(clock.due_at, timedelta(hours=9))
    return workflow.propose_deadline(ticket, due_at=due_at, reason="The supplier is slow", by=by, at=timezone.now())


def letter_to(person: User) -> OutgoingLetter:
    write_letters(timezone.now())
    return OutgoingLetter.objects.filter(person=person).latest("pk")


def link_in(letter: OutgoingLetter) -> str:
    found = re.search(r"Agree or refuse: http://127\.0\.0\.1:8000(/t/deadline/\S+)", letter.text)
    assert found, letter.text
    return found[1]


def test_the_contact_signs_from_the_letter_once_and_only_by_the_button(client, ticket, lead):
    proposal = propose(ticket, lead)
    address = link_in(letter_to(contact_of(ticket.customer)))

    page = client.get(address).content.decode()
    assert "You answer as Ivan Petrov. Nothing changes without your yes." in page
    assert "The supplier is slow" in page
    proposal.refresh_from_db()
    assert proposal.is_open

    answers = [client.post(address, {"answer": "yes"}) for _click in (1, 2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    proposal.refresh_from_db()
    assert (proposal.state, proposal.answered_by) == (State.ACCEPTED, contact_of(ticket.customer))
    (event,) = ticket.events.filter(verb="deadline_agreed")
    assert event.details["by_letter"] is True
    page = client.get(answers[0]["Location"]).content.decode()
    assert "Your answer is written down" in page
    assert "accepted by Ivan Petrov" in page


def test_the_lead_signs_from_the_letter(client, ticket, lead):
    proposal = propose(ticket, contact_of(ticket.customer))

    client.post(link_in(letter_to(lead)), {"answer": "yes"})

    proposal.refresh_from_db()
    assert (proposal.state, proposal.answered_by) == (State.ACCEPTED, lead)


def test_a_refusal_needs_words_and_keeps_them(client, ticket, lead):
    proposal = propose(ticket, lead)
    address = link_in(letter_to(contact_of(ticket.customer)))

    page = client.post(address, {"answer": "no", "words": " "})
    assert page.status_code == 422
    assert "Write why not" in page.content.decode()

    page = client.post(address, {"answer": "no", "words": "We wait no longer"}, follow=True).content.decode()

    proposal.refresh_from_db()
    assert (proposal.state, proposal.words) == (State.REFUSED, "We wait no longer")
    assert "You did not agree: the deadline stays as it was" in page


def test_both_pages_of_the_request_say_that_it_was_signed_by_letter(client, ticket, lead):
    propose(ticket, lead)
    contact = contact_of(ticket.customer)
    client.post(link_in(letter_to(contact)), {"answer": "yes"})

    for person, address in ((contact, f"/t/{ticket.number}/"), (lead, f"/w/t/{ticket.number}/")):
        client.force_login(person)
        assert "signed by the link of the letter" in client.get(address).content.decode()


def test_what_is_answered_otherwise_meanwhile_is_said(client, ticket, lead):
    proposal = propose(ticket, lead)
    address = link_in(letter_to(contact_of(ticket.customer)))
    workflow.withdraw_deadline(proposal, by=lead, at=timezone.now())

    assert "Igor Gordeev has withdrawn this proposal." in client.get(address).content.decode()
    page = client.post(address, {"answer": "yes"})

    assert page.status_code == 409
    proposal.refresh_from_db()
    assert proposal.state == State.WITHDRAWN


def test_the_other_contact_of_today_signs_and_not_the_one_of_the_letter(client, ticket, lead):
    proposal = propose(ticket, lead)
    address = letter_links.deadline_address(proposal.pk, observer_of(ticket.customer))

    for answer in (client.get(address), client.post(address, {"answer": "yes"})):
        assert answer.status_code == 403
        assert "The supplier is slow" not in answer.content.decode()
    proposal.refresh_from_db()
    assert proposal.is_open


def test_an_engineer_signs_for_nobody(client, ticket):
    proposal = propose(ticket, contact_of(ticket.customer))
    address = letter_links.deadline_address(proposal.pk, an_engineer())

    assert client.post(address, {"answer": "yes"}).status_code == 403


def test_who_proposed_answers_nothing_by_a_link(client, ticket, lead):
    proposal = propose(ticket, lead)
    address = letter_links.deadline_address(proposal.pk, lead)

    assert "Agree to this deadline" not in client.get(address).content.decode()
    assert client.post(address, {"answer": "yes"}).status_code == 409


def test_somebody_who_left_answers_nothing(client, ticket, lead):
    address = letter_links.deadline_address(propose(ticket, lead).pk, contact_of(ticket.customer))
    User.objects.filter(pk=contact_of(ticket.customer).pk).update(is_active=False)

    assert client.get(address).status_code == 404
    assert client.post(address, {"answer": "yes"}).status_code == 404


def test_an_altered_link_and_one_of_a_rating_open_nothing(client, ticket, lead):
    proposal = propose(ticket, lead)
    contact = contact_of(ticket.customer)
    address = letter_links.deadline_address(proposal.pk, contact)
    rating = letter_links.rating_address(ticket, contact).replace("/rate/", "/deadline/")

    for wrong in (address[:-3] + "xx/", rating):
        assert client.post(wrong, {"answer": "yes"}).status_code == 404
    proposal.refresh_from_db()
    assert proposal.is_open
