"""Promises kept (`sla/reports.py`): attainment = met / (met + missed) of what ended or was missed (domain §4.6)."""

import pytest
from django.utils import timezone

from sla import reports
from sla.reports import Attainment
from sla.sweep import sweep
from tests.factories import a_customer, an_engineer, contact_of, open_ticket
from tests.moments import november, tuesday
from tickets import workflow

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("met", "missed", "percent"),
    [(0, 0, None), (1, 0, 100), (0, 1, 0), (2, 1, 66), (199, 1, 99), (95, 5, 95), (94, 6, 94)],
)
def test_attainment_is_rounded_down_so_that_a_miss_never_shows_as_100(met, missed, percent):
    assert Attainment(met, missed).percent == percent


def test_attainment_below_the_goal_and_of_few():
    assert [Attainment(met, 100 - met).is_below for met in (94, 95)] == [True, False]
    assert [Attainment(met).is_few for met in (19, 20)] == [True, False]
    assert not Attainment().is_below


def accepted(customer, *, opened, accepted_at, priority=1, topic=None):
    ticket = open_ticket(customer, priority=priority, at=opened, topic=topic, kind="incident")
    return workflow.accept(ticket, by=an_engineer(), at=accepted_at)


def test_attainment_counts_the_met_by_their_end_and_the_missed_by_their_deadline():
    customer = a_customer("business")  # priority 1: one hour, no resolution promise
    accepted(customer, opened=tuesday(10), accepted_at=tuesday(10, 30))
    accepted(customer, opened=tuesday(11), accepted_at=tuesday(12))  # at its instant: met
    accepted(customer, opened=tuesday(12), accepted_at=tuesday(13, 30))  # missed at 13:00
    open_ticket(customer, priority=1, at=tuesday(13))  # missed at 14:00, nobody has come yet
    open_ticket(customer, priority=1, at=tuesday(16, 30))  # runs
    withdrawn = open_ticket(customer, priority=1, at=tuesday(14))
    workflow.withdraw(withdrawn, by=contact_of(customer), at=tuesday(14, 30))  # cancelled
    sweep(tuesday(17))

    def kept(since, until):
        return reports.by_package_and_priority(since, until)

    assert kept(tuesday(9), tuesday(18)) == {("business", 1): Attainment(2, 2)}
    assert kept(tuesday(9), tuesday(12)) == {("business", 1): Attainment(1, 0)}  # half-open: 12:00 is the next span's
    assert kept(tuesday(12), tuesday(13)) == {("business", 1): Attainment(1, 0)}
    assert kept(tuesday(13), tuesday(14)) == {("business", 1): Attainment(0, 1)}
    assert kept(november(18), november(19)) == {}


def test_attainment_is_by_package_and_the_priority_that_was_promised():
    premium, basic = a_customer("premium"), a_customer("basic")
    ticket = accepted(premium, opened=tuesday(10), accepted_at=tuesday(10, 10))
    workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=tuesday(11))  # keeps priority 1's
    workflow.resolve(ticket, by=ticket.assignee, body="Mended", at=tuesday(15))  # keeps priority 3's
    accepted(basic, opened=tuesday(10), accepted_at=tuesday(15), priority=1)  # four hours: missed

    assert reports.by_package_and_priority(tuesday(0), november(18)) == {
        ("premium", 1): Attainment(2, 0),
        ("premium", 3): Attainment(1, 0),
        ("basic", 1): Attainment(0, 1),
    }


def test_internal_clocks_are_not_promises_to_customers():
    ticket = accepted(a_customer("business"), opened=tuesday(10), accepted_at=tuesday(10, 10))
    workflow.hand_over(ticket, by=ticket.assignee, to_line=2, known="The log", asked="Read it", at=tuesday(11))
    workflow.accept(ticket, by=an_engineer(2), at=tuesday(11, 10))
    call = workflow.escalate(ticket, by=contact_of(ticket.customer), whom="csm", reason="Slow", at=tuesday(11, 20))
    sweep(tuesday(13))
    assert call.answer_clock.kind == "escalation_answer"

    assert reports.by_package_and_priority(tuesday(0), november(18)) == {("business", 1): Attainment(1, 0)}


def test_weeks_begin_on_monday_and_an_empty_one_is_there():
    customer = a_customer("business")
    accepted(customer, opened=november(2, 10), accepted_at=november(2, 10, 30))  # Monday, week of 2 November
    accepted(customer, opened=november(8, 10), accepted_at=november(8, 12))  # Sunday of that week: missed at 11:00
    accepted(customer, opened=tuesday(10), accepted_at=tuesday(10, 30))  # week of 16 November
    accepted(customer, opened=tuesday(10), accepted_at=tuesday(10, 30), topic="database")  # on line 2

    with timezone.override("Europe/Moscow"):
        weeks = reports.by_line_and_week(tuesday(18), 4)

    assert weeks == {
        1: [Attainment(), Attainment(1, 1), Attainment(), Attainment(1, 0)],
        2: [Attainment(), Attainment(), Attainment(), Attainment(1, 0)],
    }


def test_week_of_a_kept_promise_is_that_of_its_end_also_when_its_deadline_lies_ahead():
    ticket = open_ticket(priority=4, at=november(9, 10))  # due four weeks later
    workflow.resolve(ticket, by=an_engineer(), body="Mended", at=november(9, 11))

    with timezone.override("Europe/Moscow"):
        assert reports.by_line_and_week(tuesday(18), 2) == {1: [Attainment(2, 0), Attainment()]}


def test_reports_cost_the_same_for_one_and_three(django_assert_num_queries):
    customer = a_customer("business")
    for _number in range(2):
        with django_assert_num_queries(2):
            reports.by_package_and_priority(tuesday(0), november(18))
            reports.by_line_and_week(november(18), 12)
        for _more in range(3):
            accepted(customer, opened=tuesday(10), accepted_at=tuesday(10, 30))
