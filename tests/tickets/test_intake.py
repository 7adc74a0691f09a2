"""A call is written down: who calls, who may ask, and what becomes of it (§1.7.1, direction §4)."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contracts.models import CustomerMember
from tests.factories import a_customer, a_member, an_engineer, contact_of, observer_of, open_ticket
from tests.moments import tuesday
from tickets import callers, customer_card, workflow
from tickets.models import HeldRequest, Ticket
from tickets.similar import similar_to

pytestmark = pytest.mark.django_db

CALL = {"channel": "phone", "subject": "Nobody can sign in", "body": "Since nine.", "priority": "2", "key": "call-1"}


@pytest.fixture
def desk(client):
    """An engineer at the desk, in English."""
    client.force_login(an_engineer(language="en"))
    return client


def asked(person) -> str:
    return f"{reverse('desk:intake')}?caller={person.pk}"


# Who calls


@pytest.mark.parametrize(
    "typed", ["8 (495) 123-45-67", "+7 495 123 45 67", "1234567", "Olga Callin", "olga callin", "o.callin@example.com"]
)
def test_caller_is_found_by_phone_name_and_address(typed):
    customer = a_customer()
    person = a_member(customer, full_name="Olga Callin", phone="+7 495 123-45-67", email="o.callin@example.com")

    found = callers.callers(typed, tuesday(10))

    assert [(one.member.user, one.is_contact) for one in found] == [(person, False)]


def test_company_contract_and_number_find_its_people_with_the_contact_first():
    ticket = open_ticket()
    people = [(contact_of(ticket.customer), True), (observer_of(ticket.customer), False)]

    for typed in (ticket.customer.name, ticket.contract.number, str(ticket.number)):
        assert [(one.member.user, one.is_contact) for one in callers.callers(typed, tuesday(10))] == people


@pytest.mark.parametrize("typed", ["", "x", "123", "nobody at all", "%", "\0\0"])
def test_what_fits_nobody_finds_nobody(typed):
    a_customer()

    assert callers.callers(typed, tuesday(10)) == []


def test_who_has_left_does_not_call():
    person = a_member(a_customer(), full_name="Olga Callin", is_active=False)

    assert callers.callers("Olga Callin", tuesday(10)) == []
    assert callers.caller_of(person.pk) is None


# What becomes of the call


def test_call_of_the_contact_is_a_request_with_its_time(desk):
    contact = contact_of(a_customer())

    answer = desk.post(asked(contact), {**CALL, "minutes": "12"})

    ticket = Ticket.objects.get()
    assert (answer.status_code, answer.url) == (303, reverse("desk:ticket", args=[ticket.number]))
    assert (ticket.channel_id, ticket.priority, ticket.contact) == ("phone", 2, contact)
    assert ticket.subject == CALL["subject"]
    assert list(ticket.time_entries.values_list("minutes", flat=True)) == [12]
    assert ticket.commitments.get(kind="reaction").ending == "met"  # somebody spoke with them (§4.1)


def test_second_click_opens_once(desk):
    contact = contact_of(a_customer())

    answers = [desk.post(asked(contact), {**CALL, "minutes": "5"}) for _click in range(2)]

    assert [answer.url for answer in answers] == [reverse("desk:ticket", args=[Ticket.objects.get().number])] * 2
    assert Ticket.objects.get().time_entries.count() == 1


def test_page_warns_that_the_caller_is_not_the_contact(desk):
    customer = a_customer()
    words = f"Not the responsible contact: requests come from {contact_of(customer).full_name}."

    of_the_contact, of_the_observer = (
        desk.get(asked(person)).content.decode() for person in (contact_of(customer), observer_of(customer))
    )

    assert words in of_the_observer
    assert "Not the responsible contact" not in of_the_contact


def test_call_of_a_colleague_waits_for_the_contact(desk):
    customer = a_customer()

    answers = [desk.post(asked(observer_of(customer)), CALL) for _click in range(2)]

    held = HeldRequest.objects.get()
    assert [answer.url for answer in answers] == [reverse("desk:customer", args=[customer.pk])] * 2
    assert (held.customer, held.sender, held.subject, held.reason) == (
        customer,
        observer_of(customer),
        CALL["subject"],
        HeldRequest.Reason.NOT_CONTACT,
    )
    assert not Ticket.objects.exists()


def test_call_without_a_contract_is_recorded_with_what_was_said(desk):
    customer = a_customer(starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    contact = customer.contact_at(tuesday(10))

    answer = desk.post(asked(contact), CALL)

    held = HeldRequest.objects.get()
    assert (answer.status_code, held.reason) == (303, HeldRequest.Reason.NO_CONTRACT)
    assert held.words
    assert not Ticket.objects.exists()


def test_what_is_missing_is_named_and_what_was_typed_stays(desk):
    answer = desk.post(asked(contact_of(a_customer())), {**CALL, "subject": "", "minutes": "soon"})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Say in one line what happened." in page
    assert "Write the time as 12, 1:30 or 1 h 20 min." in page
    assert "Since nine." in page


def test_closed_request_goes_on_in_a_new_one(desk):
    closed = open_ticket(subject="Slow report")
    contact = contact_of(closed.customer)
    workflow.withdraw(closed, by=contact, at=tuesday(11))
    address = f"{reverse('desk:intake')}?follows={closed.number}"

    page = desk.get(address).content.decode()
    answer = desk.post(address, CALL)

    made = Ticket.objects.get(follows=closed)
    assert "Slow report" in page
    assert answer.url == reverse("desk:ticket", args=[made.number])


def test_open_request_and_a_caller_of_another_company_do_not_go_on(desk):
    running = open_ticket()
    closed = open_ticket()
    workflow.withdraw(closed, by=contact_of(closed.customer), at=tuesday(11))
    stranger = contact_of(a_customer())

    for query in (f"follows={running.number}", f"follows={closed.number}&caller={stranger.pk}", "caller=999999"):
        assert desk.get(f"{reverse('desk:intake')}?{query}").status_code == 404
    assert desk.get(f"{reverse('desk:intake')}?caller=one").status_code == 400


@pytest.mark.parametrize("who", [contact_of, observer_of])
def test_customers_write_no_calls_down_and_read_no_card(client, who):
    customer = a_customer()
    client.force_login(who(customer))

    assert client.post(asked(contact_of(customer)), CALL).status_code == 403
    assert client.get(reverse("desk:customer", args=[customer.pk])).status_code == 403


# The card


def test_card_names_people_contract_and_what_runs(desk):
    ticket = open_ticket(subject="Slow report")
    workflow.log_time(ticket, minutes=90, by=an_engineer(), at=tuesday(11))

    page = desk.get(reverse("desk:customer", args=[ticket.customer_id])).content.decode()

    for words in (ticket.customer.name, ticket.contract.number, contact_of(ticket.customer).full_name, "Slow report"):
        assert words in page
    assert customer_card.record_of(ticket.customer, tuesday(12)).time == "1 ч 30 мин"


def test_card_costs_the_same_with_one_and_with_three_of_everything(desk):
    customer = a_customer()
    address = reverse("desk:customer", args=[customer.pk])

    def statements() -> int:
        desk.get(address)
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(address).status_code == 200
        return len(captured)

    def one_more() -> None:
        open_ticket(customer)
        over = open_ticket(customer)
        workflow.withdraw(over, by=contact_of(customer), at=tuesday(11))
        a_member(customer)

    one_more()
    one = statements()
    one_more()
    one_more()

    assert statements() == one
    assert CustomerMember.objects.filter(customer=customer).count() == 5


# How the like was solved


def solved(subject: str, how: str, **fields) -> Ticket:
    ticket = open_ticket(subject=subject, **fields)
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=tuesday(10, 5))
    return workflow.resolve(ticket, by=engineer, body=how, at=tuesday(11))


def test_similar_are_solved_ones_of_any_customer_with_how_and_in_what_time():
    like = solved("The letter with the code does not arrive", "Allowed the sender")
    solved("Wrong button", "Changed it")
    open_ticket(subject="The letter with the code does not arrive either")
    asking = open_ticket(subject="Letter with the code does not arrive again")

    found = similar_to(asking)

    assert [(one.ticket, one.how, one.score) for one in found] == [(like, "Allowed the sender", None)]
    assert found[0].within


def test_similar_of_another_topic_are_left_out():
    solved("The letter with the code does not arrive", "Allowed the sender")
    asking = open_ticket(subject="The letter with the code does not arrive", topic="database")

    assert similar_to(asking) == []


def test_table_of_what_is_promised_comes_with_its_style_sheet(desk):
    page = desk.get(asked(contact_of(a_customer()))).content.decode()

    assert '<table class="cut relt">' in page
    assert "contracts.css" in page.split("</head>")[0]
