"""A customer with a licence in force and no contract in force is a coverage gap, from a day to a day (domain §1.1)."""

import threading
from datetime import date, datetime, timedelta

import pytest
from django.db import connection

from contracts import signing
from contracts.models import Contract, ContractEvent, CoverageGap
from contracts.signing.coverage import Span, first_uncovered_day, last_uncovered_day
from tests.factories import (
    MOSCOW,
    CustomerFactory,
    LicenceFactory,
    a_contact,
    a_contract_admin,
    a_customer,
    a_draft,
    contract_of,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 12, tzinfo=MOSCOW)


def days(first: str, last: str | None = None) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last) if last else None)


@pytest.fixture
def uncovered():
    """A licence since 1 January 2026, never a contract."""
    customer = CustomerFactory()
    a_contact(customer)
    LicenceFactory(customer=customer)
    return customer


# The days


@pytest.mark.parametrize(
    ("licences", "contracts", "first"),
    [
        ([days("2026-01-01")], [], "2026-01-01"),
        ([days("2026-01-01")], [days("2026-01-01", "2026-06-30")], None),
        ([days("2026-01-01")], [days("2025-01-01", "2026-02-28")], "2026-03-01"),
        ([days("2026-04-01")], [days("2025-01-01", "2026-02-28")], "2026-04-01"),
        ([days("2026-01-01", "2026-05-31")], [], None),
        # One licence after another is one gap; with a day without any between them it is not.
        ([days("2026-01-01", "2026-03-31"), days("2026-04-01")], [], "2026-01-01"),
        ([days("2026-01-01", "2026-03-30"), days("2026-04-01")], [], "2026-04-01"),
        ([days("2026-07-01")], [], None),
        # What comes later covers nothing yet.
        ([days("2026-01-01")], [days("2026-07-01", "2027-06-30")], "2026-01-01"),
    ],
)
def test_gap_begins_on_the_later_of_licence_and_last_covered_day(licences, contracts, first):
    found = first_uncovered_day(licences, contracts, date(2026, 6, 15))

    assert found == (date.fromisoformat(first) if first else None)


@pytest.mark.parametrize(
    ("licences", "contracts", "last"),
    [
        ([days("2026-01-01")], [], "2026-06-15"),
        ([days("2026-01-01")], [days("2026-06-01", "2027-05-31")], "2026-05-31"),
        ([days("2026-01-01", "2026-05-10")], [], "2026-05-10"),
        ([days("2026-01-01", "2026-05-10")], [days("2026-04-01", "2027-03-31")], "2026-03-31"),
        # Signed for the very first day: there was no gap.
        ([days("2026-01-01")], [days("2026-03-01", "2027-02-28")], "2026-02-28"),
        ([], [], "2026-02-28"),
        ([days("2026-01-01")], [days("2025-01-01", "2026-02-28")], "2026-06-15"),
        ([days("2026-01-01")], [days("2026-07-01", "2027-06-30")], "2026-06-15"),
    ],
)
def test_gap_ends_before_a_contract_or_with_the_licences(licences, contracts, last):
    found = last_uncovered_day(licences, contracts, date(2026, 3, 1), date(2026, 6, 15))

    assert found == date.fromisoformat(last)


# The rows


def test_gap_is_opened_once_and_said(uncovered):
    assert signing.notice_gaps(at=noon(2026, 6, 15)) == (1, 0)
    assert signing.notice_gaps(at=noon(2026, 6, 15)) == (0, 0)

    gap = CoverageGap.objects.get()
    assert (gap.customer, gap.starts_on, gap.ended_on) == (uncovered, date(2026, 1, 1), None)
    event = ContractEvent.objects.get(verb="gap_opened")
    assert (event.customer, event.details) == (uncovered, {"starts_on": "2026-01-01"})


def test_covered_customer_has_no_gap():
    a_customer()

    assert signing.notice_gaps(at=noon(2026, 6, 15)) == (0, 0)


def test_gap_begins_in_the_hour_after_the_last_covered_day_by_moscow():
    a_customer()

    assert signing.notice_gaps(at=datetime(2026, 12, 31, 23, 59, tzinfo=MOSCOW)) == (0, 0)
    assert signing.notice_gaps(at=datetime(2027, 1, 1, 0, 1, tzinfo=MOSCOW)) == (1, 0)
    assert CoverageGap.objects.get().starts_on == date(2027, 1, 1)


def test_gap_after_a_termination_begins_the_day_after():
    customer = a_customer()
    signing.terminate(
        contract_of(customer), by=a_contract_admin(), at=noon(2026, 5, 1), reason="Уходит", on=date(2026, 5, 31)
    )

    signing.notice_gaps(at=noon(2026, 6, 15))

    assert CoverageGap.objects.get().starts_on == date(2026, 6, 1)


def test_gap_is_closed_with_the_day_before_the_contract(uncovered):
    signing.notice_gaps(at=noon(2026, 6, 1))
    admin = a_contract_admin()
    draft = a_draft(uncovered, by=admin, starts_on=date(2026, 6, 10))
    signing.activate(draft, by=admin, at=noon(2026, 6, 5))

    assert signing.notice_gaps(at=noon(2026, 6, 9)) == (0, 0)
    assert signing.notice_gaps(at=noon(2026, 6, 10)) == (0, 1)

    assert CoverageGap.objects.get().ended_on == date(2026, 6, 9)
    assert ContractEvent.objects.get(verb="gap_closed").details == {
        "starts_on": "2026-01-01",
        "ended_on": "2026-06-09",
    }


def test_gap_that_a_contract_signed_for_its_first_day_covers_never_was(uncovered):
    signing.notice_gaps(at=noon(2026, 6, 1))
    admin = a_contract_admin()
    signing.activate(a_draft(uncovered, by=admin), by=admin, at=noon(2026, 6, 5))

    assert signing.notice_gaps(at=noon(2026, 6, 5)) == (0, 1)
    assert not CoverageGap.objects.exists()
    assert ContractEvent.objects.get(verb="gap_closed").details == {"starts_on": "2026-01-01"}


def test_gap_is_closed_with_the_last_licence(uncovered):
    signing.notice_gaps(at=noon(2026, 6, 1))
    uncovered.licences.update(ends_on=date(2026, 6, 20))

    assert signing.notice_gaps(at=noon(2026, 6, 20)) == (0, 0)
    assert signing.notice_gaps(at=noon(2026, 6, 21)) == (0, 1)
    assert CoverageGap.objects.get().ended_on == date(2026, 6, 20)


def test_contract_that_came_and_went_while_the_job_was_down_parts_two_gaps(uncovered):
    signing.notice_gaps(at=noon(2026, 2, 1))
    admin = a_contract_admin()
    contract = signing.activate(a_draft(uncovered, by=admin, starts_on=date(2026, 3, 1)), by=admin, at=noon(2026, 3, 1))
    signing.terminate(contract, by=admin, at=noon(2026, 4, 1), reason="Уходит", on=date(2026, 4, 10))

    assert signing.notice_gaps(at=noon(2026, 6, 1)) == (1, 1)
    spans = list(CoverageGap.objects.values_list("starts_on", "ended_on"))
    assert spans == [(date(2026, 1, 1), date(2026, 2, 28)), (date(2026, 4, 11), None)]


def test_given_up_draft_covers_nothing(uncovered):
    admin = a_contract_admin()
    draft = a_draft(uncovered, by=admin)
    signing.terminate(draft, by=admin, at=noon(2026, 2, 1), reason="Ошибка")
    assert draft.state != Contract.State.ACTIVE

    assert signing.notice_gaps(at=noon(2026, 6, 1)) == (1, 0)


def test_thirty_customers_cost_as_many_statements_as_one(django_assert_num_queries):
    def uncovered_customers(count: int) -> None:
        for _ in range(count):
            LicenceFactory(customer=CustomerFactory())

    uncovered_customers(1)
    with django_assert_num_queries(40, exact=False) as opening:
        assert signing.notice_gaps(at=noon(2026, 6, 1)) == (1, 0)
    uncovered_customers(30)
    signing.notice_gaps(at=noon(2026, 6, 1))
    CoverageGap.objects.all().delete()
    with django_assert_num_queries(len(opening.captured_queries)):
        assert signing.notice_gaps(at=noon(2026, 6, 1)) == (31, 0)

    licences = CoverageGap.objects.get(customer=CoverageGap.objects.first().customer).customer.licences
    licences.update(ends_on=date(2026, 6, 2))
    with django_assert_num_queries(40, exact=False) as closing:
        assert signing.notice_gaps(at=noon(2026, 6, 4)) == (0, 1)
    for gap in CoverageGap.objects.all():
        gap.customer.licences.update(ends_on=date(2026, 6, 2))
    with django_assert_num_queries(len(closing.captured_queries)):
        assert signing.notice_gaps(at=noon(2026, 6, 4)) == (0, 30)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue_again")
def test_jobs_at_once_open_and_close_once():
    for _ in range(5):
        LicenceFactory(customer=CustomerFactory())
    results, troubles = [], []

    def run(at: datetime, start: threading.Barrier) -> None:
        try:
            start.wait()
            results.append(signing.notice_gaps(at=at))
        except Exception as trouble:  # told below
            troubles.append(trouble)
        finally:
            connection.close()

    def together(at: datetime) -> tuple[int, int]:
        results.clear()
        start = threading.Barrier(3)
        threads = [threading.Thread(target=run, args=(at, start)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(opened for opened, _ in results), sum(closed for _, closed in results)

    assert together(noon(2026, 6, 1)) == (5, 0)
    for gap in CoverageGap.objects.all():
        gap.customer.licences.update(ends_on=date(2026, 6, 2))
    assert together(noon(2026, 6, 10)) == (0, 5)
    assert troubles == []
    assert ContractEvent.objects.filter(verb="gap_opened").count() == 5
    assert ContractEvent.objects.filter(verb="gap_closed").count() == 5
