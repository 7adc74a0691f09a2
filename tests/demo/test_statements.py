"""What the demo says about its closed months."""

from datetime import date

import pytest

from helpdesk.demo.statements import statement_answers
from sla.statements import StatementAnswer
from tests.factories import a_customer, a_manager, an_engineer, open_ticket
from tests.moments import december, november, tuesday
from tickets import months, workflow

pytestmark = pytest.mark.django_db


def test_the_last_month_waits_with_one_dispute_and_those_before_are_acknowledged():
    a_manager()
    for customer in (a_customer(), a_customer()):
        ticket = open_ticket(customer, at=tuesday(10), priority=1)
        workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 45))  # a quarter of an hour late
        months.close_month(customer, date(2026, 10, 1), at=november(1, 6))
        months.close_month(customer, date(2026, 11, 1), at=december(1, 6))

    statement_answers(december(6, 12))
    statement_answers(december(6, 12))

    said = StatementAnswer.objects.order_by("statement__month", "pk").values_list("statement__month", "what")
    assert list(said) == [
        (date(2026, 10, 1), "acknowledged"),
        (date(2026, 10, 1), "acknowledged"),
        (date(2026, 11, 1), "disputed"),
    ]
