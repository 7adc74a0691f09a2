"""The title of a page that gives a form back begins with “Error:”, whichever page it is (direction §11)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contracts import publishing
from contracts.models import ReleasePublication
from tests.factories import ProductFactory, a_lead, a_manager, contact_of, open_ticket
from tickets import workflow
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket() -> Ticket:
    return open_ticket(subject="Nobody can sign in", priority=1, at=timezone.now())


def title_of(answer: Any) -> str:
    return str(answer.content.decode().split("<title>")[1].split("</title>")[0])


@pytest.mark.parametrize("action", ["messages", "handover", "major", "defect", "resolution", "classification"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_refused_action_beside_a_ticket(client: Client, ticket: Ticket, action: str, headers: dict[str, str]) -> None:
    client.force_login(a_lead(language="ru"))

    answer = client.post(f"/w/t/{ticket.number}/{action}/", headers=headers)

    assert answer.status_code == 422
    assert title_of(answer).startswith(f"Ошибка: № {ticket.number} Nobody can sign in")


def test_move_that_a_rule_refuses(client: Client, ticket: Ticket) -> None:
    client.force_login(a_lead(language="en"))

    answer = client.post(f"/w/t/{ticket.number}/waiting/")

    assert answer.status_code == 409
    assert title_of(answer).startswith(f"Error: № {ticket.number}")


def _shift(client: Client) -> Any:
    return client.post("/w/shift/edit/2/", {"starts": "25:00"})


def _release_file(client: Client) -> Any:
    product = ProductFactory()
    made: ReleasePublication = publishing.prepare(
        product, version="9.0", kind="release", notes_ru="Новое", by=a_manager(), at=timezone.now()
    )
    return client.post(f"/w/releases/{made.pk}/files/", {})


def _escalation_answer(client: Client) -> Any:
    ticket = open_ticket(at=timezone.now())
    by = contact_of(ticket.customer, timezone.now())
    call = workflow.escalate(ticket, by=by, whom="top_management", reason="Slow", at=timezone.now())
    return client.post(f"/m/escalations/{call.pk}/answer/", {"answer": " "})


@pytest.mark.parametrize(
    ("send", "status"),
    [(_shift, 422), (_release_file, 422), (_escalation_answer, 409)],
    ids=["a shift", "a file of a release", "an answer to an escalation"],
)
def test_refused_form_of_a_page(client: Client, send: Callable[[Client], Any], status: int) -> None:
    client.force_login(a_manager(language="ru"))

    answer = send(client)

    assert answer.status_code == status
    assert title_of(answer).startswith("Ошибка: ")


def test_error_is_said_once_where_the_page_says_it_itself(client: Client) -> None:
    client.force_login(a_manager(language="ru"))

    answer = client.post("/w/releases/new/", {})

    assert title_of(answer).count("Ошибка: ") == 1


def test_what_is_done_or_only_read_is_no_error(client: Client, ticket: Ticket) -> None:
    client.force_login(a_lead(language="ru"))

    read = client.get(f"/w/t/{ticket.number}/")
    done = client.post(f"/w/t/{ticket.number}/acceptance/", headers={"HX-Request": "true"})

    assert title_of(read).startswith(f"№ {ticket.number} ")
    assert title_of(done).startswith(f"№ {ticket.number} ")
