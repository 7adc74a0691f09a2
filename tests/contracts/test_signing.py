import pytest
from tests.factories import *

pytestmark = pytest.mark.django_db


def test_smoke():
    t = open_ticket(priority=1, topic="defect")
    print(t, t.commitments.all(), contract_of(t.customer).lines.all()[0].arithmetic, contract_of(t.customer).number)
    for p in ("basic", "business"):
        open_ticket(a_customer(p))
    print(UserFactory(engineer=True, lines=[1, 2]).lines.all())
    TicketFactory.create_batch(2)
    assert 0


def test_tx(catalogue_again):
    open_ticket(priority=1)


def test_tx2(catalogue_again):
    open_ticket(priority=1)
