"""Who hears of a change of the responsible contact, and of a letter that waits for the contact (domain §1.7.1, §2)."""

from typing import Any

import pytest

from accounts.models import User
from contracts import signing
from contracts.models import Customer
from mail.inbound import receive
from mail.models import OutgoingLetter
from mail.outbound import write_letters
from tests.factories import a_contract_admin, a_customer, a_member, contact_of, observer_of, open_ticket
from tests.moments import december, tuesday
from tests.raw_letters import a_letter
from tickets import workflow

pytestmark = pytest.mark.django_db
NOW = tuesday(10)


@pytest.fixture
def admin(db: None) -> User:
    return a_contract_admin(language="en")


@pytest.fixture
def customer(admin: User) -> Customer:
    customer = a_customer(language="en")
    customer.contract_events.update(notified_at=NOW)
    return customer


def letters() -> dict[User | None, OutgoingLetter]:
    """What has been written since the last call, by reader."""
    found = {letter.person: letter for letter in OutgoingLetter.objects.all()}
    assert len(found) == OutgoingLetter.objects.count()
    OutgoingLetter.objects.all().delete()
    return found


def admins() -> set[User]:
    return set(User.objects.filter(role="contract_admin"))


def ask(customer: Customer, **fields: Any) -> Any:
    values = {
        "user": observer_of(customer),
        "starts_at": december(1, 9),
        "ends_at": december(14, 9),
        "reason": "A holiday",
        "by": contact_of(customer),
        "at": NOW,
    }
    return workflow.ask_contact_change(customer, **{**values, **fields})


def test_asked_by_the_contact_our_administrators_are_asked(customer, admin):
    ask(customer)

    write_letters(NOW)

    written = letters()
    assert set(written) == admins()
    assert written[admin].subject == f"Another responsible contact: your word is needed: {customer.name}"
    assert "The customer's side has agreed." in written[admin].text
    assert "From: Tue 1 Dec, 09:00" in written[admin].text
    assert "/c/changes/" in written[admin].text


def test_asked_by_a_colleague_the_contact_is_asked_and_then_we(customer, admin):
    change = ask(customer, by=observer_of(customer))
    write_letters(NOW)
    first = letters()
    workflow.agree_contact_change(change, by=contact_of(customer), at=tuesday(11))
    write_letters(tuesday(11))

    assert set(first) == {contact_of(customer)}
    assert "/contract/people/" in first[contact_of(customer)].text
    assert set(letters()) == admins()


def test_asked_and_agreed_within_one_round_asks_us_once(customer):
    change = ask(customer, by=observer_of(customer))
    workflow.agree_contact_change(change, by=contact_of(customer), at=tuesday(11))

    write_letters(tuesday(11))

    assert set(letters()) == admins()


def test_both_persons_hear_of_the_agreed_change(customer, admin):
    change = ask(customer)
    write_letters(NOW)
    letters()
    workflow.agree_contact_change(change, by=admin, at=tuesday(11))

    write_letters(tuesday(11))

    written = letters()
    assert set(written) == {contact_of(customer), observer_of(customer)}
    assert "You file requests and answer for your company then" in written[observer_of(customer)].text
    assert "Open requests follow the responsible contact." in written[contact_of(customer)].text
    assert "ends by itself" in written[contact_of(customer)].text


def test_who_asked_hears_the_refusal_with_its_words(customer, admin):
    change = ask(customer)
    write_letters(NOW)
    letters()
    signing.refuse_contact_change(change, by=admin, at=tuesday(11), words="No power of attorney")

    write_letters(tuesday(11))

    written = letters()
    assert set(written) == {contact_of(customer)}
    assert "Why not: No power of attorney" in written[contact_of(customer)].text


def test_a_change_settled_before_the_letters_asks_nobody(customer):
    signing.withdraw_contact_change(ask(customer), by=contact_of(customer), at=tuesday(11))

    write_letters(tuesday(11))

    assert all("your word is needed" not in letter.subject for letter in letters().values())


def test_a_substitution_ended_early_is_told_to_the_other(customer, admin):
    was, to = contact_of(customer), observer_of(customer)
    change = workflow.agree_contact_change(ask(customer), by=admin, at=NOW)
    write_letters(NOW)
    letters()
    workflow.withdraw_contact_change(change, by=was, at=december(5))

    write_letters(december(5))

    written = letters()
    assert to in written and was not in written
    assert "has ended. Open requests go back." in written[to].text
    assert f"Responsible contact now: {was.full_name}" in written[to].text


def test_a_change_made_by_hand_is_told_to_both(customer, admin):
    was, to = contact_of(customer), observer_of(customer)
    workflow.hand_over_contact(customer, to=to, by=admin, at=NOW, reason="Left")

    write_letters(NOW)

    assert set(letters()) == {was, to}


# A letter that waits


def test_the_contact_gets_the_words_and_one_button(customer):
    held = receive(a_letter(observer_of(customer).email, "It does not start."), at=NOW).held

    write_letters(NOW)

    written = letters()
    assert set(written) == {contact_of(customer), observer_of(customer)}
    mine = written[contact_of(customer)]
    assert mine.subject == "Waits for your confirmation: Журнал"
    assert "It does not start." in mine.text
    assert f"Read and confirm: http://127.0.0.1:8000/t/held/{held.pk}/\n" in mine.text
    assert written[observer_of(customer)].subject == "Waits for confirmation: Журнал"


def test_the_colleague_hears_which_request_it_became(customer):
    held = receive(a_letter(observer_of(customer).email, "It does not start."), at=NOW).held
    write_letters(NOW)
    letters()
    ticket = workflow.confirm_held(held, by=contact_of(customer), at=tuesday(11))

    write_letters(tuesday(11))

    written = letters()
    assert set(written) == {contact_of(customer), observer_of(customer)}
    assert f"it is request № {ticket.number} now." in written[observer_of(customer)].text
    assert "Request received" in written[contact_of(customer)].subject


def test_the_colleague_hears_that_it_became_an_answer(customer):
    ticket = open_ticket(customer, at=tuesday(9))
    raw = a_letter(observer_of(customer).email, "7.8.4", Subject=f"Re: [№ {ticket.number}] x")
    held = receive(raw, at=NOW).held
    workflow.confirm_held(held, by=contact_of(customer), at=tuesday(11))

    write_letters(tuesday(11))

    text = OutgoingLetter.objects.get(person=observer_of(customer)).text
    assert f"it is an answer in request № {ticket.number} now." in text


def test_the_colleague_hears_why_it_is_not_needed_once(customer):
    held = receive(a_letter(observer_of(customer).email, "It does not start."), at=NOW).held
    write_letters(NOW)
    letters()
    workflow.drop_held(held, by=contact_of(customer), at=tuesday(11), words="We know it already")

    write_letters(tuesday(11))
    write_letters(tuesday(12))

    written = letters()
    assert set(written) == {observer_of(customer)}
    assert "We know it already" in written[observer_of(customer)].text
    assert written[observer_of(customer)].in_reply_to == "one@customer.example"


def test_after_a_handover_the_new_contact_gets_the_letter_that_is_not_told_yet(customer, admin):
    receive(a_letter(observer_of(customer).email, "It does not start."), at=NOW)
    new = a_member(customer)
    workflow.hand_over_contact(customer, to=new, by=admin, at=NOW, reason="Ill")

    write_letters(NOW)

    assert OutgoingLetter.objects.filter(person=new, subject__startswith="Waits for your confirmation").exists()
