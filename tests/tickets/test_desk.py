"""The desk: who enters, what the queue shows, and each action with its refusals."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.factories import (
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tickets import workflow
from tickets.models import Message, State, Ticket

pytestmark = pytest.mark.django_db


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def engineer() -> User:
    return an_engineer(1, language="en", full_name="Pavel Klimov")


@pytest.fixture
def desk(engineer: User) -> Client:
    return signed_in(engineer)


def a_ticket(**fields: Any) -> Ticket:
    """A request received a moment ago: its clocks run now."""
    return open_ticket(**{"at": timezone.now() - timedelta(minutes=1), **fields})


def address(name: str, ticket: Ticket, query: str = "") -> str:
    return reverse(f"desk:{name}", args=[ticket.number]) + query


def without_tokens(answer: HttpResponse, number: int) -> str:
    """The page without what differs in any two pages: the form tokens and its own number."""
    text = re.sub(r'(value|"X-CSRFToken":) ?="?[A-Za-z0-9]{64}"|"[A-Za-z0-9]{64}"', "", answer.content.decode())
    return text.replace(str(number), "")


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


# Who enters


@pytest.mark.parametrize("make", [an_engineer, a_lead, a_csm, a_manager])
def test_queue_and_ticket_open_for_the_desk(make: Any) -> None:
    ticket = a_ticket()
    client = signed_in(make())

    answers = [client.get(page).status_code for page in ("/w/", "/w/my/", "/w/l/1/", address("ticket", ticket))]

    assert answers == [200, 200, 200, 200]


@pytest.mark.parametrize("make", [top, a_contract_admin, lambda: contact_of(a_customer())])
def test_queue_is_forbidden_for_others(make: Any) -> None:
    ticket = a_ticket()
    client = signed_in(make())

    answers = [client.get(page).status_code for page in ("/w/", "/w/my/", "/w/l/1/", address("ticket", ticket))]

    assert answers == [403, 403, 403, 403]


def test_customer_is_answered_alike_whether_a_ticket_exists_or_not() -> None:
    foreign = a_ticket()
    client = signed_in(contact_of(a_customer()))

    there = client.get(address("ticket", foreign))
    missing = client.get(reverse("desk:ticket", args=[foreign.number + 1000]))
    posted = [
        client.post(reverse("desk:acceptance", args=[number])).status_code
        for number in (foreign.number, foreign.number + 1000)
    ]

    assert (there.status_code, missing.status_code) == (403, 403)
    assert posted == [403, 403]
    assert without_tokens(there, foreign.number) == without_tokens(missing, foreign.number + 1000)


def test_visitor_is_asked_to_sign_in() -> None:
    answer = Client().get("/w/")

    assert answer.status_code == 302
    assert answer["Location"] == "/account/login/?next=/w/"


def test_unknown_number_and_unknown_line_are_404(desk: Client) -> None:
    answers = [desk.get("/w/t/99999999/"), desk.post("/w/t/99999999/acceptance/"), desk.get("/w/l/5/")]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
