"""Where connections stay, PostgreSQL keeps the plans of the desk's statements: the pages are the same (at_once.py)."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.factories import a_customer, a_manager, an_engineer, contact_of, open_ticket
from tests.tickets.test_desk import without_tokens
from tickets import workflow

pytestmark = pytest.mark.django_db

KEY = re.compile(r'name="key" value="[^"]+"')  # of the next message: a new one each time
GENERIC_AFTER = 6  # asked so often with plans of their own, then PostgreSQL may plan without the values


def signed_in(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def asked_for() -> list[tuple[Client, str, int]]:
    """Pages of the desk and of the portal, each with its reader; the number of the request on them."""
    company = a_customer(starts_on=(timezone.now() - timedelta(days=100)).date())
    ticket = open_ticket(company, subject="Печать счёта", at=timezone.now() - timedelta(minutes=9))
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=timezone.now() - timedelta(minutes=5))
    workflow.reply(ticket, by=engineer, body="Смотрим.", at=timezone.now() - timedelta(minutes=4))
    desk, manager, portal = signed_in(engineer), signed_in(a_manager()), signed_in(contact_of(company, timezone.now()))
    number = ticket.number
    return [
        *((desk, address, number) for address in ("/w/", "/w/my/", "/w/l/1/", f"/w/?customer={company.pk}&priority=3")),
        *((desk, address, number) for address in (f"/w/t/{number}/", "/w/search/?q=счёт")),
        *((manager, address, number) for address in ("/m/", "/m/escalations/", "/m/forecast/")),
        *((portal, address, number) for address in ("/", "/t/", f"/t/{number}/", "/t/new/")),
    ]


def test_pages_are_the_same_when_their_statements_are_prepared(
    asked_for: list[tuple[Client, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pages() -> list[tuple[int, str]]:
        answers = [(client.get(address), number) for client, address, number in asked_for]
        return [(answer.status_code, KEY.sub("", without_tokens(answer, number))) for answer, number in answers]

    with time_machine.travel(timezone.now(), tick=False):  # a page tells what is left of a promise
        pages()  # what was read is marked, what a process keeps is kept
        plain = pages()
        monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
        for _turn in range(GENERIC_AFTER):
            prepared = pages()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE generic_plans + custom_plans >= 5")
        assert cursor.fetchone()[0] > 5
    for (_client, address, _number), before, after in zip(asked_for, plain, prepared, strict=True):
        assert (before[0], before) == (200, after), address
