"""A ticket is pinned to what its contract said at the receipt (domain §2, §4)."""

from datetime import date, timedelta

import pytest

from contracts import signing
from contracts.entitlement import NotCovered
from contracts.models import ContractClause
from tests.factories import (
    TUESDAY_10,
    a_clause,
    a_contract_admin,
    a_customer,
    an_engineer,
    contact_of,
    contract_of,
    open_ticket,
)
from tests.moments import tuesday
from tickets import workflow

pytestmark = pytest.mark.django_db


def reaction_of(ticket):
    return ticket.commitments.filter(kind="reaction").latest("pk")


def test_a_clause_agreed_later_leaves_an_open_ticket_as_it_was_promised():
    customer = a_customer("business")
    before = open_ticket(customer, priority=1)
    signing.add_clause(
        ContractClause(
            contract=contract_of(customer), text_ru="Раньше", text_en="Sooner", kind="reaction", priority=1, minutes=10
        ),
        by=a_contract_admin(),
        at=tuesday(10, 5),
    )

    again = workflow.reclassify(before, by=an_engineer(), priority=2, reason="Not so bad", at=tuesday(10, 6))
    again = workflow.reclassify(again, by=an_engineer(), priority=1, reason="It is", at=tuesday(10, 7))
    after = open_ticket(customer, priority=1, at=tuesday(10, 8))

    assert reaction_of(again).due_at == TUESDAY_10 + timedelta(hours=1)
    assert reaction_of(after).due_at == tuesday(10, 18)


def test_a_clause_that_ended_keeps_its_promise_to_what_came_before():
    customer = a_customer("business")
    clause = a_clause(contract_of(customer), kind="reaction", priority=1, minutes=10)
    before = open_ticket(customer, priority=1)
    signing.end_clause(clause, by=a_contract_admin(), at=tuesday(10, 5))

    after = open_ticket(customer, priority=1, at=tuesday(10, 8))

    assert reaction_of(before).due_at == tuesday(10, 10)
    assert reaction_of(after).due_at == tuesday(11, 8)


def test_a_ticket_still_open_when_its_contract_ends_keeps_its_promises():
    customer = a_customer("premium", starts_on=date(2025, 11, 18))
    ticket = open_ticket(customer, priority=3)
    due = ticket.commitments.get(kind="resolution").due_at

    assert signing.expire(contract_of(customer), on=date(2026, 11, 18))

    workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 30))
    clock = ticket.commitments.get(kind="resolution")
    assert (clock.is_running, clock.due_at) == (True, due)


def test_a_terminated_contract_covers_its_last_day_and_no_more():
    customer = a_customer("premium")
    signing.terminate(
        contract_of(customer), by=a_contract_admin(), at=tuesday(10), reason="Both agreed", on=date(2026, 11, 18)
    )

    assert open_ticket(customer, at=tuesday(12) + timedelta(days=1)).terms.package.code == "premium"
    with pytest.raises(NotCovered):
        open_ticket(customer, by=contact_of(customer), at=tuesday(12) + timedelta(days=2))
