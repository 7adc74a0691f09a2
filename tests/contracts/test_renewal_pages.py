"""The pages of renewals and gaps: what ends, what was offered, who is not covered (domain §1.1, §2, §7)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from contracts import signing
from contracts.models import CoverageGap, RenewalOffer
from tests.factories import (
    CustomerFactory,
    LicenceFactory,
    UserFactory,
    a_contact,
    a_contract_admin,
    a_csm,
    a_customer,
    a_manager,
    an_engineer,
    contact_of,
    contract_of,
    top,
)

pytestmark = pytest.mark.django_db

PAGES = ["renewals", "renewals_calendar", "gaps", "renewals_csv", "renewals_ics"]
DAY = timedelta(days=1)


def today() -> date:
    return signing.moscow_day(timezone.now())


def ending_in(days: int, package: str = "premium", **fields):
    """A customer whose contract of one year ends in so many days."""
    ends_on = today() + days * DAY
    return a_customer(package, starts_on=ends_on.replace(year=ends_on.year - 1) + DAY, ends_on=ends_on, **fields)


def uncovered(**fields):
    customer = CustomerFactory(**fields)
    LicenceFactory(customer=customer, starts_on=today() - 10 * DAY, cost=Decimal("13900.00"))
    return customer


def text_of(response) -> str:
    return b"".join(response).decode() if response.streaming else response.content.decode()


@pytest.fixture
def admin(client):
    person = a_contract_admin(language="en")
    client.force_login(person)
    return person


# Who


@pytest.mark.parametrize("page", PAGES)
def test_readers_of_contracts_come_in_and_nobody_else(client, page):
    address = reverse(f"contracts:{page}")
    for person in (a_contract_admin(), a_csm(), a_manager(), top(), UserFactory(admin=True)):
        client.force_login(person)
        assert client.get(address).status_code == 200, person.role
    for person in (an_engineer(), contact_of(a_customer()), UserFactory(partner=True)):
        client.force_login(person)
        assert client.get(address).status_code == 403, person.role
    client.logout()
    assert client.get(address).status_code == 302


@pytest.mark.parametrize("page", PAGES)
def test_csm_sees_the_own_customers_only(client, page):
    csm = a_csm(language="en")
    own, foreign = ending_in(40, csm=csm), ending_in(40)
    bare, strange = uncovered(csm=csm), uncovered()
    signing.notice_gaps(at=timezone.now())
    client.force_login(csm)

    text = text_of(client.get(reverse(f"contracts:{page}"))).replace("\r\n ", "")

    mine, theirs = (bare, strange) if page == "gaps" else (own, foreign)
    assert contract_of(own).number in text or mine.name in text
    assert theirs.name not in text
    if page != "gaps":
        assert contract_of(foreign).number not in text


def test_reader_who_does_not_sign_is_offered_no_act(client):
    client.force_login(a_manager(language="en"))
    ending_in(40)
    uncovered()
    signing.notice_gaps(at=timezone.now())

    assert "Prepare a draft" not in text_of(client.get(reverse("contracts:renewals")))
    assert "Draft a contract" not in text_of(client.get(reverse("contracts:gaps")))


# The list


def test_list_holds_the_next_half_year_and_what_is_over_without_a_successor(client, admin):
    soon, later, over = ending_in(180), ending_in(181), ending_in(-3)
    gone = ending_in(-5)
    gone.licences.update(ends_on=today() - 4 * DAY)
    for customer in (over, gone):
        signing.expire(contract_of(customer), on=today())

    text = text_of(client.get(reverse("contracts:renewals")))

    assert soon.name in text
    assert over.name in text
    assert "over for 3 days" in text
    assert later.name not in text
    assert gone.name not in text


def test_row_shows_the_price_before_and_after_the_offers_and_the_next_step(client, admin):
    customer = ending_in(40)
    signing.offer_renewals(at=timezone.now())

    text = text_of(client.get(reverse("contracts:renewals")))

    assert text.count("€25,000.00") == 2
    assert text.count('<span class="sr">offered</span>') == 1
    assert "Waits for the customer" in text

    offer = RenewalOffer.objects.get()
    signing.answer_renewal(
        offer, accepted=False, words="<b>Too dear</b>", by=customer.contact_at(timezone.now()), at=timezone.now()
    )
    text = text_of(client.get(reverse("contracts:renewals")))
    assert "&lt;b&gt;Too dear&lt;/b&gt;" in text
    assert "Change the draft" in text


def test_accepted_offer_leads_to_the_signature_and_a_signed_one_is_settled(client, admin):
    customer = ending_in(40)
    signing.offer_renewals(at=timezone.now())
    offer = RenewalOffer.objects.get()
    signing.answer_renewal(offer, accepted=True, words="", by=customer.contact_at(timezone.now()), at=timezone.now())

    assert "To the signature" in text_of(client.get(reverse("contracts:renewals")))
    signing.activate(offer.successor, by=admin, at=timezone.now())
    assert f"Signed: {offer.successor.number}" in text_of(client.get(reverse("contracts:renewals")))


def test_pages_are_turned_by_key(client, admin, monkeypatch):
    monkeypatch.setattr("contracts.views.renewals.PAGE", 2)
    customers = [ending_in(days) for days in (10, 20, 20, 30, 40)]

    seen, address = [], reverse("contracts:renewals")
    while address:
        response = client.get(address)
        seen.append([row.contract.customer for row in response.context["rows"]])
        older, newer = response.context["older"], response.context["newer"]
        address = reverse("contracts:renewals") + older if older else ""

    assert [len(page) for page in seen] == [2, 2, 1]
    assert [customer for page in seen for customer in page] == customers
    back = client.get(reverse("contracts:renewals") + newer)
    assert [row.contract.customer for row in back.context["rows"]] == seen[1]


@pytest.mark.parametrize(
    "query", ["after=x", "before=2026-01-01_x", "month=2026-13", "month=9999-12", "after=2026-01-01", "month=x"]
)
def test_address_that_is_broken_is_a_bad_request(client, admin, query):
    assert client.get(f"{reverse('contracts:renewals')}?{query}").status_code == 400


@pytest.mark.parametrize("page", ["renewals", "renewals_calendar", "gaps"])
def test_rows_cost_no_statements_of_their_own(client, admin, page, django_assert_max_num_queries):
    def more() -> None:
        ending_in(40)
        uncovered()
        signing.offer_renewals(at=timezone.now())
        signing.notice_gaps(at=timezone.now())

    more()
    client.get(reverse(f"contracts:{page}"))
    with django_assert_max_num_queries(30) as one:
        client.get(reverse(f"contracts:{page}"))
    more()
    more()
    with django_assert_max_num_queries(len(one.captured_queries)):
        client.get(reverse(f"contracts:{page}"))


# The calendar and the files


def test_calendar_has_twelve_months_with_the_day_of_each_contract(client, admin):
    customer, past = ending_in(100), ending_in(400)

    response = client.get(reverse("contracts:renewals_calendar"))

    months = response.context["months"]
    assert (len(months), months[0].first) == (12, today().replace(day=1))
    ends_on = contract_of(customer).ends_on
    (month,) = [month for month in months if month.count]
    assert month.first == ends_on.replace(day=1)
    assert [cell.day for week in month.weeks for cell in week if cell.day and cell.count] == [ends_on]
    assert past.name not in text_of(response)


def test_month_with_many_contracts_shows_the_first_and_leads_to_the_rest(client, admin, monkeypatch):
    monkeypatch.setattr("contracts.expiring.OF_A_MONTH", 1)
    customers = [ending_in(100) for _ in range(3)]

    text = text_of(client.get(reverse("contracts:renewals_calendar")))
    assert "2 more" in text

    month = f"{contract_of(customers[0]).ends_on:%Y-%m}"
    listed = client.get(f"{reverse('contracts:renewals')}?month={month}").context["rows"]
    assert [row.contract.customer for row in listed] == customers


def test_calendar_file_holds_all_day_events(client, admin):
    customer = ending_in(100, name="Ёлка; «Сыр, молоко»\\n")

    response = client.get(reverse("contracts:renewals_ics"))

    assert response["Content-Type"].startswith("text/calendar")
    (event,) = Calendar.from_ical(response.content).walk("VEVENT")
    contract = contract_of(customer)
    assert (event["dtstart"].dt, event["dtend"].dt) == (contract.ends_on, contract.ends_on + DAY)
    assert customer.name in str(event["summary"])
    assert str(event["url"]).endswith(f"/c/contracts/{contract.pk}/")


def test_csv_holds_every_row_and_no_formula(client, admin, monkeypatch):
    monkeypatch.setattr("contracts.expiring.AT_A_TIME", 2)
    for days in (10, 20, 20, 30):
        ending_in(days)
    ending_in(50, name="=SUM(A1)")

    lines = text_of(client.get(reverse("contracts:renewals_csv"))).strip().splitlines()

    assert len(lines) == 6
    assert "Last day" in lines[0]
    assert "'=SUM(A1)" in lines[-1]
    assert "25000.00" in lines[1]


# Gaps


def test_gap_shows_what_the_licences_cost_and_the_cheapest_contract(client, admin):
    customer = uncovered(name="Uncovered Ltd")
    signing.notice_gaps(at=timezone.now())

    text = text_of(client.get(reverse("contracts:gaps")))

    assert "Uncovered Ltd" in text
    assert "11 days" in text
    assert "€13,900.00" in text
    assert "€2,085.00<small>Basic, the cheapest" in text
    assert f"{reverse('contracts:new_contract')}?customer={customer.pk}" in text


def test_gap_of_a_former_customer_is_priced_by_the_last_package(client, admin):
    customer = ending_in(30, "business")
    signing.terminate(contract_of(customer), by=admin, at=timezone.now(), reason="Ends")
    signing.notice_gaps(at=timezone.now() + DAY)

    row = client.get(reverse("contracts:gaps")).context["rows"][0]
    assert (row.package.code, row.had, row.yearly) == ("business", True, Decimal("20000.00"))


def test_ended_gaps_stand_below(client, admin):
    customer = uncovered()
    signing.notice_gaps(at=timezone.now())
    a_contact(customer)
    customer.licences.update(ends_on=today() - DAY)
    signing.notice_gaps(at=timezone.now())

    response = client.get(reverse("contracts:gaps"))

    assert CoverageGap.objects.get().ended_on == today() - DAY
    assert response.context["rows"] == []
    assert [days for _gap, days in response.context["ended"]] == [10]
    assert "Everybody is covered" in text_of(response)
