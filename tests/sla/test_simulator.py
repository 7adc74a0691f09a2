"""/a/sla/: a moment, a package, a priority; the deadline as the clocks count it, and why (domain §4.3)."""

from typing import Any

import pytest
from django.test import Client

from contracts.models import PackageTerms
from sla.models import Commitment
from tests.factories import (
    UserFactory,
    a_clause,
    a_contract_admin,
    a_customer,
    an_engineer,
    contract_of,
    open_ticket,
)
from tests.moments import november, tuesday

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    found = Client()
    found.force_login(an_engineer(language="en"))
    return found


def asked(client: Client, **fields: Any) -> Any:
    values = {"at": "2026-11-20T17:30", "package": "basic", "kind": "incident", "priority": "1"} | fields
    return client.get("/a/sla/", values)


def test_the_form_alone_counts_nothing(client):
    response = client.get("/a/sla/")

    assert response.status_code == 200
    assert "Say when a request is received" in response.content.decode()


def test_a_deadline_is_explained_step_by_step(client):
    text = asked(client).content.decode()

    # Friday 17:30, four hours of Mon-Fri 9:00-18:00: half an hour on Friday, the rest on Monday
    assert "Mon 23 Nov, 12:30" in text
    assert "Reaction, priority 1" in text and "weekend" in text
    assert "Resolution: nothing is promised" in text


@pytest.mark.parametrize("priority", [1, 2, 3, 4])
@pytest.mark.parametrize("package", ["basic", "business", "premium"])
def test_it_counts_as_the_clocks_do(client, package, priority):
    ticket = open_ticket(a_customer(package), priority=priority, at=november(20, 17, 30))

    found = asked(client, package=package, priority=str(priority)).context["found"]

    real = {row.kind: (row.due_at, row.rungs) for row in ticket.commitments.all()}
    assert {one.kind: (one.commitment.due_at, one.commitment.rungs) for one in found if one.commitment} == real


def test_the_rungs_stand_there_as_moments(client):
    text = asked(client, package="premium", priority="3").content.decode()

    assert "50 %" in text and "top management" in text


def test_a_question_has_no_resolution(client):
    assert "Resolution: nothing is promised" in asked(client, package="premium", kind="consultation").content.decode()


def test_the_terms_are_those_of_the_moment(client):
    old = PackageTerms.objects.get(package__code="basic")

    response = asked(client, at="2019-06-03T12:00")

    assert response.status_code == 422
    assert "it has no terms of that day" in response.content.decode()
    assert asked(client).context["terms"] == old


def test_a_contract_counts_with_its_clauses():
    client = Client()
    client.force_login(a_contract_admin(language="en"))
    contract = contract_of(a_customer())
    a_clause(contract, kind="reaction", priority=1, minutes=5, starts_at=november(1))

    response = asked(client, contract=str(contract.pk))

    (reaction, _resolution) = response.context["found"]
    assert reaction.commitment.due_at == november(20, 17, 35)
    assert contract.number in response.content.decode()


def test_contracts_are_offered_only_to_those_who_read_them(client):
    a_clause(contract_of(a_customer()), kind="reaction", priority=1, minutes=5, starts_at=november(1))

    assert 'name="contract"' not in client.get("/a/sla/").content.decode()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("at", "", "Name the moment."),
        ("at", "tomorrow", "Write the moment as 2027-01-31 17:30."),
        ("at", "9999-01-01T00:00", "Days lie between 2000 and 2100."),
        ("package", "gold", "Select a valid choice"),
        ("priority", "9", "Select a valid choice"),
        ("kind", "x", "Select a valid choice"),
    ],
)
def test_what_cannot_be_counted_is_refused_at_its_field(client, field, value, words):
    response = asked(client, **{field: value})

    assert (response.status_code, words in response.content.decode()) == (422, True)


def test_nothing_is_written(client):
    asked(client, package="premium")

    assert not Commitment.objects.exists()


def test_customers_do_not_enter():
    client = Client()
    client.force_login(UserFactory())

    assert asked(client).status_code == 403


def test_the_moment_is_moscow_time_for_everybody():
    client = Client()
    client.force_login(an_engineer(language="en", timezone="Asia/Vladivostok"))

    assert asked(client, at="2026-11-17T10:00").context["at"] == tuesday(10)
