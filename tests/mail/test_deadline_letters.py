"""Letters about agreed deadlines: the other side is asked, both hear what came of it, none signs (domain §4.2)."""

from datetime import timedelta
from typing import Any

import pytest

from accounts.models import User
from mail import deadline_letters, event_letters
from mail.inbound import receive
from mail.models import OutgoingLetter
from mail.outbound import write_letters
from sla.models import DeadlineProposal
from tests.factories import (
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
)
from tests.moments import december, november, tuesday
from tests.raw_letters import a_letter
from tickets import workflow
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

WANTED = december(4, 15, 30)


@pytest.fixture
def lead() -> User:
    return a_lead(full_name="Igor Gordeev", language="en")


@pytest.fixture
def ticket(lead: User) -> Ticket:
    customer = a_customer(language="en", csm=a_csm(language="en"))
    contact = contact_of(customer)
    contact.language, contact.full_name = "en", "Ivan Petrov"
    contact.save()
    ticket = open_ticket(customer, priority=3, subject="The journal does not open")
    write_letters(tuesday(10))
    OutgoingLetter.objects.all().delete()
    return ticket


def propose(ticket: Ticket, by: User | None = None, **fields: Any) -> DeadlineProposal:
    fields = {"due_at": WANTED, "reason": "The supplier is slow", "at": tuesday(12), **fields}
    return workflow.propose_deadline(ticket, by=by or contact_of(ticket.customer), **fields)


def told(at: Any = None) -> dict[User, OutgoingLetter]:
    """Who gets the letters of what happened; the outbox is empty then."""
    write_letters(at or tuesday(18))
    found = {letter.person: letter for letter in OutgoingLetter.objects.all() if letter.person is not None}
    OutgoingLetter.objects.all().delete()
    return found


def test_every_verb_of_a_deadline_is_in_one_of_the_tables():
    of_deadlines = {verb for verb in event_letters.WHO_IS_TOLD if verb.startswith("deadline_")}
    assert of_deadlines == set(deadline_letters.WHO_IS_TOLD)


def test_the_contact_is_asked_with_one_button_to_the_page(ticket, lead):
    propose(ticket, lead)

    (letter,) = told().values()

    assert letter.person == contact_of(ticket.customer)
    assert "We propose another deadline: your word is needed" in letter.subject
    assert "Nothing changes without your yes." in letter.text
    assert "The supplier is slow" in letter.text
    assert "Fri 4 December, 15:30" in letter.text or "Fri 4 Dec, 15:30" in letter.text
    assert "Igor Gordeev" in letter.text
    assert letter.text.count(f"/t/{ticket.number}/") == 1


def test_the_leads_of_the_line_and_the_csm_are_asked(ticket, lead):
    a_lead(2)
    propose(ticket)

    asked = told()

    assert set(asked) == {lead, ticket.customer.csm}
    assert "The customer proposes another deadline" in asked[lead].subject
    assert f"/w/t/{ticket.number}/" in asked[lead].text


def test_without_a_lead_and_a_csm_the_manager_is_asked(ticket, lead):
    manager = a_manager()
    lead.lines.clear()
    ticket.customer.csm = None
    ticket.customer.save()
    propose(ticket)

    assert set(told()) == {manager}


def test_what_is_answered_already_asks_nobody(ticket, lead):
    workflow.withdraw_deadline(propose(ticket, lead), by=lead, at=tuesday(12))

    (letter,) = told().values()
    assert "The proposed deadline is withdrawn" in letter.subject


@pytest.mark.parametrize("verb", ["accept", "refuse"])
def test_both_sides_and_who_works_on_it_hear_the_answer(ticket, lead, verb):
    engineer = an_engineer(language="en")
    workflow.accept(ticket, by=engineer, at=tuesday(11))
    proposal = propose(ticket)
    told()

    if verb == "accept":
        workflow.accept_deadline(proposal, by=lead, at=tuesday(13))
    else:
        workflow.refuse_deadline(proposal, words="We are faster", by=lead, at=tuesday(13))
    heard = told()

    assert set(heard) == {contact_of(ticket.customer), lead, engineer}
    for letter in heard.values():
        assert "Ivan Petrov" in letter.text
        assert "Igor Gordeev" in letter.text
        assert (
            "Another deadline is agreed" if verb == "accept" else "The proposed deadline is refused"
        ) in letter.subject
        assert ("We are faster" in letter.text) is (verb == "refuse")


def test_a_miss_is_said_in_the_agreement(ticket, lead):
    late = december(1, 11)
    workflow.accept_deadline(propose(ticket, at=late), by=lead, at=late)

    assert "had been missed: that stays on the record" in told(late)[lead].text


def test_a_proposal_that_nobody_answered_is_told_to_both(ticket, lead):
    proposal = propose(ticket, due_at=november(18, 12))
    told()
    workflow.lapse_deadline(proposal, at=november(18, 12))

    heard = told(november(18, 13))

    assert contact_of(ticket.customer) in heard
    assert lead in heard


def test_one_that_lapses_with_its_promise_is_told_by_the_other_letters(ticket, lead):
    propose(ticket)
    told()
    workflow.resolve(ticket, by=an_engineer(), body="Mended", at=tuesday(15))

    assert [letter.subject for letter in told().values()] == [f"[№ {ticket.number}] Solved: The journal does not open"]


def test_observers_hear_nothing(ticket, lead):
    workflow.accept_deadline(propose(ticket), by=lead, at=tuesday(13))

    assert observer_of(ticket.customer) not in told()


def test_an_answer_by_mail_signs_nothing(ticket, lead):
    proposal = propose(ticket, lead)
    write_letters(tuesday(12))
    ours = OutgoingLetter.objects.get(person=contact_of(ticket.customer))

    receive(
        a_letter(contact_of(ticket.customer).email, "Yes, we agree", In_Reply_To=ours.message_id),
        at=tuesday(12) + timedelta(minutes=5),
    )

    proposal.refresh_from_db()
    assert proposal.is_open
    assert ticket.messages.latest("pk").body == "Yes, we agree"
