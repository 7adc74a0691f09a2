"""The daily digest: who gets it, at nine where they are, once, and only of what happened (direction §17)."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from contracts.models import Customer
from mail.digests import send_digests
from mail.models import Digest, MailChoices, OutgoingLetter
from sla.sweep import sweep
from tests.factories import TUESDAY_10, a_customer, an_engineer, contact_of, observer_of, open_ticket
from tickets import workflow

pytestmark = pytest.mark.django_db
NINE = TUESDAY_10 + timedelta(hours=23)  # Wednesday, 9:00 in Moscow
MONTHS_AGO = TUESDAY_10 - timedelta(days=60)


@pytest.fixture
def company() -> Customer:
    return a_company()


def a_company() -> Customer:
    company = a_customer(language="en")
    User.objects.filter(membership__customer=company).update(joined_at=MONTHS_AGO)
    return company


def digests() -> list[OutgoingLetter]:
    return list(OutgoingLetter.objects.filter(kind="digest").order_by("pk"))


def chosen(person: User, **of: Any) -> MailChoices:
    return MailChoices.objects.create(person=person, **{"changed_at": MONTHS_AGO, **of})


def test_observer_reads_what_happened_in_the_companys_requests(company: Customer):
    ticket = open_ticket(company, priority=1, subject="The journal does not open")
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=TUESDAY_10 + timedelta(minutes=5))
    workflow.note(ticket, by=an_engineer(), body="They did it themselves.", at=TUESDAY_10 + timedelta(minutes=6))
    open_ticket(a_company(), subject="A secret of others")

    assert send_digests(NINE) == 2  # the other company's observer has their own

    letter = OutgoingLetter.objects.get(person=observer_of(company))
    assert letter.subject == f"The day in your requests: {company.name}: news of 1 request"
    assert f"№ {ticket.number} The journal does not open: Received; we answered. Now: in work." in letter.text
    assert "A secret of others" not in letter.text
    assert "themselves" not in letter.text
    assert "All requests of the company: http://127.0.0.1:8000/t/" in letter.text
    assert not OutgoingLetter.objects.filter(person=contact_of(company)).exists()


def test_missed_promise_stands_in_it(company: Customer):
    open_ticket(company, priority=1)
    sweep(TUESDAY_10 + timedelta(hours=5))

    send_digests(NINE)

    assert "a promised time was missed" in digests()[0].text


def test_nothing_is_sent_when_nothing_happened(company: Customer):
    assert send_digests(NINE) == 0
    assert (digests(), Digest.objects.get().letter) == ([], None)


def test_nothing_is_sent_before_nine(company: Customer):
    open_ticket(company)

    assert send_digests(NINE - timedelta(minutes=1)) == 0
    assert not Digest.objects.exists()


def test_nine_is_of_the_readers_own_zone(company: Customer):
    open_ticket(company)
    User.objects.filter(pk=observer_of(company).pk).update(timezone="Asia/Yekaterinburg")

    assert send_digests(NINE - timedelta(hours=2, minutes=1)) == 0
    assert send_digests(NINE - timedelta(hours=2)) == 1
    assert Digest.objects.get().until_at == NINE - timedelta(hours=2)


def test_it_comes_once_a_day_and_goes_on_where_the_last_one_ended(company: Customer):
    ticket = open_ticket(company, subject="The first")

    first = [send_digests(NINE), send_digests(NINE + timedelta(hours=3))]
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=NINE + timedelta(minutes=1))
    after_an_outage = send_digests(NINE + timedelta(days=2, hours=5))

    assert (first, after_an_outage) == ([1, 0], 1)
    last = digests()[-1].text
    assert "We answered. Now:" in last
    assert "Received" not in last
    assert Digest.objects.filter(since_at=NINE, until_at=NINE + timedelta(days=2)).exists()


def test_contact_gets_it_when_they_chose_it_or_something_waits_for_it(company: Customer):
    contact = contact_of(company)
    chosen(observer_of(company), digest="never")
    open_ticket(company)
    assert send_digests(NINE) == 0

    row = chosen(contact, answers="digest")
    assert send_digests(NINE) == 1

    Digest.objects.all().delete()
    row.answers, row.digest = "now", "digest"
    row.save()
    assert send_digests(NINE + timedelta(minutes=5)) == 1
    assert {letter.person for letter in digests()} == {contact}


def test_who_chooses_it_after_nine_has_the_first_one_tomorrow(company: Customer):
    open_ticket(company)
    chosen(observer_of(company), digest="digest", changed_at=NINE + timedelta(hours=1))

    assert send_digests(NINE + timedelta(hours=2)) == 0
    workflow.reply(company.tickets.get(), by=an_engineer(), body="Hm.", at=NINE + timedelta(hours=1))
    assert send_digests(NINE + timedelta(days=1)) == 1


def test_who_may_not_sign_in_gets_none(company: Customer):
    open_ticket(company)
    User.objects.filter(pk=observer_of(company).pk).update(is_active=False)

    assert send_digests(NINE) == 0


def test_three_requests_cost_as_many_statements_as_one(company: Customer, django_assert_max_num_queries: Any):
    def statements(now: datetime) -> int:
        with django_assert_max_num_queries(60) as counted:
            assert send_digests(now) == 1
        return len(counted.captured_queries)

    open_ticket(company)
    statements(NINE)
    day = timedelta(days=1)
    open_ticket(company, at=NINE + timedelta(hours=2))
    one = statements(NINE + day)
    for _number in range(3):
        open_ticket(company, at=NINE + day + timedelta(hours=2))

    assert statements(NINE + 2 * day) == one


def test_database_keeps_one_a_person_and_day(company: Customer):
    open_ticket(company)
    send_digests(NINE)
    made = Digest.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        Digest.objects.create(person=made.person, day=made.day, since_at=made.since_at, until_at=made.until_at)


@pytest.mark.django_db(transaction=True)
def test_two_jobs_at_once_write_each_digest_once(catalogue_again: None):
    companies = [a_company() for _number in range(4)]
    for company in companies:
        open_ticket(company)
    start = threading.Barrier(3)
    trouble: list[Exception] = []
    written: list[int] = []

    def job() -> None:
        try:
            start.wait()
            written.append(send_digests(NINE))
        except Exception as error:
            trouble.append(error)
        finally:
            connection.close()

    jobs = [threading.Thread(target=job) for _number in range(3)]
    for one in jobs:
        one.start()
    for one in jobs:
        one.join()

    assert trouble == []
    assert sum(written) == 4
    assert (Digest.objects.count(), len(digests())) == (4, 4)
    assert {letter.person for letter in digests()} == {observer_of(company) for company in companies}
