"""A company's requests: filters that add up and live in the address, and exactly the same list as a file (§6)."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from contracts.models import Customer
from tests.factories import (
    LicenceFactory,
    ProductFactory,
    ReleaseFactory,
    a_customer,
    a_member,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
)
from tickets import workflow
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def ago(**span: float) -> datetime:
    return timezone.now() - timedelta(**span)


@pytest.fixture
def company() -> Customer:
    return a_customer("premium", starts_on=ago(days=100).date(), language="en")


@pytest.fixture
def enter(client: Client) -> Callable[[Any], Client]:
    def sign_in(person: Any) -> Client:
        client.force_login(person)
        return client

    return sign_in


@pytest.fixture
def contact(company: Customer, enter: Any) -> Client:
    return enter(contact_of(company, timezone.now()))


def a_request(company: Customer, subject: str, **fields: Any) -> Ticket:
    return open_ticket(company, **{"at": ago(minutes=30), "subject": subject, **fields})


def listed(client: Client, query: str = "") -> list[int]:
    return [int(found) for found in re.findall(r'class="pt__m"><a href="/t/(\d+)/"', text(client.get(f"/t/{query}")))]


def text(response: Any) -> str:
    return response.content.decode()


def rows_of(client: Client, query: str = "") -> list[list[str]]:
    sent = b"".join(client.get(f"/t/export.csv{query}").streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(sent), delimiter=";"))


def test_filters_add_up(company: Customer, contact: Client):
    both = a_request(company, "The journal does not print", priority=2)
    a_request(company, "The journal is slow", priority=3)
    answered = a_request(company, "The journal does not print either", priority=2)
    answered = workflow.accept(answered, by=an_engineer(), at=ago(minutes=20))
    workflow.ask_customer(answered, by=answered.assignee, body="Which one?", at=ago(minutes=10))

    assert listed(contact, "?q=print") == [answered.number, both.number]
    assert listed(contact, "?q=print&priority=2&state=ours") == [both.number]
    assert listed(contact, "?q=print&priority=2&state=waiting") == [answered.number]
    assert listed(contact, f"?q={both.number}") == [both.number]
    assert listed(contact, "?q=...") == []


def test_filter_by_product(company: Customer, contact: Client):
    release = ReleaseFactory(product=ProductFactory(code="warehouse", name="Warehouse"))
    LicenceFactory(customer=company, release=release)
    on_it = a_request(company, "Stock is wrong", product=release.product)
    a_request(company, "Sales are wrong", product=company.licences.exclude(product=release.product).get().product)

    assert listed(contact, "?product=warehouse") == [on_it.number]
    assert "Product: Warehouse" in text(contact.get("/t/?product=warehouse"))
    assert listed(contact, "?product=unheard-of") == []


def test_filter_by_who_asked_goes_by_the_first_words(company: Customer, contact: Client):
    colleague = a_member(company, full_name="Ada Colleague")
    by_contact = a_request(company, "From the contact")
    by_colleague = a_request(company, "From a colleague")
    by_colleague.messages.update(author=colleague)

    assert listed(contact, f"?by={colleague.pk}") == [by_colleague.number]
    assert listed(contact, f"?by={by_contact.contact.pk}") == [by_contact.number]
    assert [row[7] for row in rows_of(contact, f"?by={colleague.pk}")[1:]] == ["Ada Colleague"]


def test_period_is_of_days_in_the_readers_zone(company: Customer, contact: Client):
    zone = timezone.get_default_timezone()
    old, new = (a_request(company, name, at=ago(days=days)) for name, days in (("Old", 9), ("New", 2)))
    day = new.opened_at.astimezone(zone).date()

    assert listed(contact, f"?since={day}") == [new.number]
    assert listed(contact, f"?until={day - timedelta(days=1)}") == [old.number]
    assert listed(contact, f"?since={day}&until={day}") == [new.number]
    assert listed(contact, "?since=31.12.2026&until=0001-01-01") == [new.number, old.number]


def test_pages_keep_the_filters(company: Customer, contact: Client, monkeypatch: Any):
    monkeypatch.setattr("tickets.views.company.PAGE", 2)
    numbers = [a_request(company, f"Journal {step}", priority=2).number for step in range(5)]
    a_request(company, "Journal of another kind", priority=3)
    address, seen = "?q=journal&priority=2", []

    while address:
        shown = text(contact.get(f"/t/{address}"))
        seen += [int(found) for found in re.findall(r'class="pt__m"><a href="/t/(\d+)/"', shown)]
        following = re.search(r'href="/t/(\?[^"]+)" rel="next"', shown)
        address = following[1].replace("&amp;", "&") if following else ""

    assert seen == numbers[::-1]


def test_emptiness_says_which_it_is(company: Customer, contact: Client):
    assert "Your company has not asked anything yet" in text(contact.get("/t/"))

    a_request(company, "One")

    assert "Nothing fits all these filters" in text(contact.get("/t/?priority=1&q=two"))
    assert "Nothing more on this side" in text(contact.get("/t/?before=1"))


def test_file_is_exactly_the_filtered_list(company: Customer, contact: Client):
    late = workflow.accept(a_request(company, "=1+1", priority=1, at=ago(hours=9)), by=an_engineer(), at=ago(hours=1))
    a_request(company, "Another", priority=3)

    first, *found = rows_of(contact, "?priority=1")
    book = load_workbook(io.BytesIO(contact.get("/t/export.xlsx?priority=1").content)).active

    assert [row[0] for row in found] == [str(late.number)]
    assert found[0][1] == "'=1+1"
    assert found[0][10] in {"not in time", "in time"}
    cells = [list(row) for row in book.iter_rows(values_only=True)]
    assert cells[0] == first
    assert [(row[0], row[1]) for row in cells[1:]] == [(late.number, "'=1+1")]
    assert isinstance(cells[1][8], datetime)


def test_file_has_every_page_of_the_list(company: Customer, contact: Client, monkeypatch: Any):
    monkeypatch.setattr("tickets.company_export.CHUNK", 2)
    numbers = [a_request(company, f"Journal {step}").number for step in range(4)]

    assert [int(row[0]) for row in rows_of(contact)[1:]] == numbers[::-1]


def test_workbook_that_would_be_too_big_is_refused_in_words(company: Customer, contact: Client, monkeypatch: Any):
    monkeypatch.setattr("tickets.company_export.MOST_IN_A_WORKBOOK", 1)
    a_request(company, "One")
    a_request(company, "Two")

    answer = contact.get("/t/export.xlsx")

    assert answer.status_code == 409
    assert "An XLSX file holds 1 requests at most." in text(answer)
    assert len(rows_of(contact)) == 3


def test_observer_has_the_same_list_and_file(company: Customer, enter: Any):
    a_request(company, "One")
    observer = enter(observer_of(company, timezone.now()))

    assert len(listed(observer)) == 1
    assert len(rows_of(observer)) == 2


@pytest.mark.parametrize("address", ["/t/export.csv", "/t/export.xlsx"])
def test_file_is_nobody_elses(company: Customer, client: Client, address: str):
    assert client.get(address).status_code == 302

    client.force_login(an_engineer())

    assert client.get(address).status_code == 404


def test_another_companys_contact_finds_nothing_of_it(company: Customer, enter: Any):
    mine = a_request(company, "Secret of the company", priority=1)
    stranger = enter(contact_of(a_customer(starts_on=ago(days=100).date(), language="en"), timezone.now()))

    for query in ("", "?q=secret", f"?q={mine.number}", f"?by={mine.contact.pk}", "?priority=1"):
        answer = text(stranger.get(f"/t/{query}"))
        assert "Secret of the company" not in answer
        assert mine.contact.full_name not in answer
        assert len(rows_of(stranger, query)) == 1


@pytest.mark.parametrize("query", ["", "?q=journal&priority=2&state=open&since=2020-01-01"])
def test_three_rows_cost_as_many_statements_as_one(company: Customer, contact: Client, query: str):
    def statements(address: str) -> int:
        with CaptureQueriesContext(connection) as counted:
            answer = contact.get(address + query)
            if answer.streaming:
                b"".join(answer.streaming_content)
        return len(counted)

    addresses = ("/t/", "/t/export.csv", "/t/export.xlsx")
    a_request(company, "Journal 1", priority=2)
    [statements(address) for address in addresses]  # the calendar's versions are kept by the process
    one = [statements(address) for address in addresses]
    a_request(company, "Journal 2", priority=2)
    a_request(company, "Journal 3", priority=2)

    assert [statements(address) for address in addresses] == one
