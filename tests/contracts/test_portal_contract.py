"""The customer's own contract: read by the company's people only, answered by the contact only (domain §2, §6, §7)."""

from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from contracts import signing
from contracts.models import Contract, RenewalOffer
from tests.factories import (
    CustomerFactory,
    LicenceFactory,
    UserFactory,
    a_clause,
    a_contact,
    a_contract_admin,
    a_customer,
    a_manager,
    an_engineer,
    contract_of,
    package,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CONTRACT, RENEWALS = "/contract/", "/contract/renewals/"


def today() -> date:
    return signing.moscow_day(timezone.now())


def ending_in(days: int, code: str = "premium", **fields):
    ends_on = today() + days * DAY
    starts_on = ends_on.replace(year=ends_on.year - 1) + DAY
    return a_customer(code, language="en", starts_on=starts_on, ends_on=ends_on, **fields)


def contact(customer):
    return customer.contact_at(timezone.now())


def observer(customer):
    return customer.members.exclude(user=contact(customer)).get().user


@pytest.fixture
def customer():
    return ending_in(200)


@pytest.fixture
def offered():
    """A company whose contract ends in 40 days, with the offer of 60 days ahead."""
    customer = ending_in(40)
    signing.offer_renewals(at=timezone.now())
    return customer


@pytest.fixture
def offer(offered):
    return RenewalOffer.objects.get(contract__customer=offered)


def page(client, person, address: str = CONTRACT) -> str:
    client.force_login(person)
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def answered(client, to, answer: str = "accepted", **fields):
    return client.post(RENEWALS, {"offer": to.pk, "total": to.total, "answer": answer, "words": "", **fields})


# Reading


def test_contact_and_observer_read_the_whole_contract(client, customer):
    a_clause(contract_of(customer), text_en="Networks are included.")

    for person in (contact(customer), observer(customer)):
        text = page(client, person)
        assert contract_of(customer).number in text
        assert "200 days left" in text or "201 days left" in text
        assert "25\u00a0% of €100,000.00 = €25,000.00" in text
        assert "Networks are included." in text
        assert "Dedicated Customer Success Manager" in text
        assert "30 minutes" in text


def test_what_is_missing_names_the_package_that_has_it(client):
    text = page(client, contact(ending_in(200, "basic")))

    assert "Not included; it is in: Business, Premium" in text
    assert "Your package promises no time of solution." in text


def test_hours_are_told_in_the_own_zone_and_moscow(client):
    customer = ending_in(200, "business")
    person = contact(customer)
    person.timezone = "Asia/Yekaterinburg"
    person.save()

    text = page(client, person)

    assert "11:00–20:00" in text
    assert "09:00–18:00 Moscow time" in text


def test_licence_added_since_stands_with_its_own_sum(client, customer):
    first = customer.licences.get()
    added = LicenceFactory.build(
        customer=customer, product=first.product, release=first.release, cost=Decimal("10000.00"), starts_on=today()
    )
    line = signing.add_licence(added, by=a_contract_admin(), at=timezone.now())

    text = page(client, contact(customer))

    assert f"€{line.amount:,.2f}" in text
    assert "Added on" in text


def test_without_a_contract_it_is_said_with_what_to_do(client):
    customer = CustomerFactory(language="en")
    person = a_contact(customer)

    text = page(client, person)

    assert "No contract is in force today" in text
    assert reverse("portal:new") in text
    assert "There is nothing to renew" in page(client, person, RENEWALS)


def test_vendor_has_no_such_page(client):
    for person in (an_engineer(), a_manager(), a_contract_admin()):
        client.force_login(person)
        assert client.get(CONTRACT).status_code == 403
    client.logout()
    assert client.get(CONTRACT).status_code == 302


def test_person_of_no_company_finds_nothing(client):
    client.force_login(UserFactory())
    for address in (CONTRACT, RENEWALS):
        assert client.get(address).status_code == 404


# Documents


@pytest.mark.parametrize("language", ["ru", "en"])
def test_signed_document_is_downloaded_in_both_languages(client, customer, language):
    client.force_login(observer(customer))

    response = client.get(reverse("contract:document", args=[contract_of(customer).pk, language]))

    assert response["Content-Type"] == "application/pdf"
    assert contract_of(customer).number in PdfReader(BytesIO(response.content)).pages[0].extract_text()


def test_document_of_another_company_a_missing_one_and_another_language_answer_alike(client, customer):
    foreign = contract_of(ending_in(100))
    client.force_login(contact(customer))

    addresses = [
        reverse("contract:document", args=[foreign.pk, "en"]),
        reverse("contract:document", args=[999_999, "en"]),
        reverse("contract:document", args=[contract_of(customer).pk, "de"]),
    ]
    assert {client.get(address).status_code for address in addresses} == {404}


def test_draft_is_shown_once_it_is_offered_and_not_before(client, customer):
    draft = signing.renew(contract_of(customer), by=a_contract_admin(), at=timezone.now())
    client.force_login(contact(customer))
    address = reverse("contract:document", args=[draft.pk, "en"])

    assert client.get(address).status_code == 404
    RenewalOffer.objects.create(
        contract=contract_of(customer), successor=draft, days_ahead=90, offered_at=timezone.now()
    )
    assert client.get(address).status_code == 200


# What one more licence would cost


def asked(customer, **fields) -> dict[str, object]:
    product = customer.licences.get().product
    return {"product": product.pk, "deployment": "on-site", "cost": "10000", "first": today().isoformat(), **fields}


def test_calculator_counts_the_days_left_and_orders_nothing(client, customer):
    client.force_login(contact(customer))

    response = client.get(CONTRACT, asked(customer))

    part = response.context["part"]
    assert part.days == 201
    assert f"€{part.total:,.2f}" in response.content.decode()
    assert "for 201 days: €2,500.00 a year; " in response.content.decode()
    assert "days of the contract year left" in response.content.decode()
    assert customer.licences.count() == 1


@pytest.mark.parametrize(
    ("typed", "cost"),
    [("10 000,50", "10000.50"), ("10,000.50", "10000.50"), ("10000", "10000"), ("€10 000", "10000"), ("1,5", "1.5")],
)
def test_cost_is_read_as_people_write_it(client, customer, typed, cost):
    client.force_login(contact(customer))

    response = client.get(CONTRACT, asked(customer, cost=typed))

    assert response.context["form"].cleaned_data["cost"] == Decimal(cost)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"cost": "-5"}, "cost"),
        ({"cost": "10.005"}, "cost"),
        ({"cost": "a lot"}, "cost"),
        ({"cost": "NaN"}, "cost"),
        ({"cost": "9" * 30}, "cost"),
        ({"cost": ""}, "cost"),
        ({"first": "2020-01-01"}, "first"),
        ({"first": "2150-01-01"}, "first"),
        ({"first": "yesterday"}, "first"),
        ({"deployment": "on-moon"}, "deployment"),
        ({"product": "999999"}, "product"),
    ],
)
def test_calculator_says_what_is_wrong_at_the_field_and_keeps_what_was_typed(client, customer, wrong, field):
    client.force_login(contact(customer))

    response = client.get(CONTRACT, asked(customer, **wrong))

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert response.context["part"] is None


# The renewal


def test_contact_sees_the_price_and_accepts(client, offered, offer):
    text = page(client, contact(offered), RENEWALS)
    assert "Accept for €25,000.00" in text
    assert "€25,000.00 → €25,000.00" in text

    response = answered(client, offer)

    assert (response.status_code, response["Location"]) == (303, RENEWALS)
    offer.refresh_from_db()
    assert (offer.answer, offer.answered_by) == ("accepted", contact(offered))
    assert "It waits for the signature" in page(client, contact(offered), RENEWALS)
    assert offer.successor.state == Contract.State.DRAFT


def test_pressing_twice_is_one_answer(client, offered, offer):
    client.force_login(contact(offered))

    assert [answered(client, offer).status_code for _ in range(2)] == [303, 303]
    assert offered.contract_events.filter(verb="renewal_accepted").count() == 1


def test_no_without_words_is_refused_at_the_field(client, offered, offer):
    client.force_login(contact(offered))

    response = answered(client, offer, "declined")

    assert response.status_code == 409
    assert "Write why, or what you would like instead" in response.content.decode()
    assert answered(client, offer, "declined", words="Business, please").status_code == 303
    offer.refresh_from_db()
    assert (offer.answer, offer.words) == ("declined", "Business, please")


def test_words_that_are_refused_are_kept(client, offered, offer):
    client.force_login(contact(offered))

    response = answered(client, offer, words="We agree, see you", total="1.00")

    assert response.status_code == 409
    assert "We agree, see you" in response.content.decode()
    assert "The price has changed" in response.content.decode()


def test_observer_reads_and_does_not_answer(client, offered, offer):
    text = page(client, observer(offered), RENEWALS)
    assert "Accept for" not in text
    assert contact(offered).full_name in text

    assert answered(client, offer).status_code == 403
    offer.refresh_from_db()
    assert offer.answer == ""


def test_offer_of_another_company_answers_as_a_missing_one(client, offered, offer):
    client.force_login(contact(ending_in(40)))

    foreign = answered(client, offer)
    missing = client.post(RENEWALS, {"offer": 999_999, "answer": "accepted"})

    assert (foreign.status_code, missing.status_code) == (404, 404)
    offer.refresh_from_db()
    assert offer.answer == ""


@pytest.mark.parametrize("broken", [{"offer": "x"}, {"answer": "maybe"}, {"total": "much"}, {"words": "x" * 501}])
def test_broken_answer_is_said_and_changes_nothing(client, offered, offer, broken):
    client.force_login(contact(offered))

    assert answered(client, offer, **broken).status_code == 422
    offer.refresh_from_db()
    assert offer.answer == ""


def test_vendor_does_not_answer_for_the_customer(client, offer):
    client.force_login(a_contract_admin())

    assert answered(client, offer).status_code == 403


def test_signed_successor_is_told(client, offered, offer):
    signing.activate(offer.successor, by=a_contract_admin(), at=timezone.now())

    text = page(client, contact(offered), RENEWALS)

    assert "it is signed" in text
    assert "Accept for" not in text


def test_withdrawn_offer_is_told(client, offered, offer):
    signing.terminate(offer.successor, by=a_contract_admin(), at=timezone.now(), reason="Mistake")

    assert "The offer was withdrawn" in page(client, contact(offered), RENEWALS)


def test_another_package_says_what_changes(client, offered, offer):
    successor = offer.successor
    signing.change_draft(
        successor,
        package=package("business"),
        starts_on=successor.starts_on,
        ends_on=successor.ends_on,
        by=a_contract_admin(),
        at=timezone.now(),
    )

    text = page(client, contact(offered), RENEWALS)

    assert "Another package: Business instead of Premium." in text
    assert "Accept for €20,000.00" in text


@pytest.mark.parametrize("address", [CONTRACT, RENEWALS])
def test_more_licences_cost_no_statements_of_their_own(client, offered, address, django_assert_max_num_queries):
    def with_licences(count: int):
        customer = CustomerFactory(language="en")
        person = a_contact(customer, since=timezone.now() - 400 * DAY)
        starts_on = today() - 330 * DAY
        for _ in range(count):
            LicenceFactory(customer=customer, starts_on=starts_on)
        admin, at = a_contract_admin(), timezone.now() - 330 * DAY
        contract = signing.draft(customer, package=package("premium"), by=admin, starts_on=starts_on, at=at)
        signing.activate(contract, by=admin, at=at)
        signing.offer_renewals(at=timezone.now())
        return person

    page(client, with_licences(1), address)
    client.force_login(with_licences(1))
    with django_assert_max_num_queries(60) as one:
        client.get(address)
    client.force_login(with_licences(3))
    with django_assert_max_num_queries(len(one.captured_queries)):
        client.get(address)
