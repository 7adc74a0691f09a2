"""Who may ask about what, through which channel: the table of 3 packages × 7 channels × 16 topics (§1.2, §3.5)."""

from datetime import datetime, timedelta

import pytest

from contracts import entitlement
from contracts.models import Channel, Contract, Topic
from tests.factories import (
    MOSCOW,
    TUESDAY_10,
    CustomerFactory,
    LicenceFactory,
    ProductFactory,
    ReleaseFactory,
    a_clause,
    a_contract_admin,
    a_customer,
    a_draft,
    an_engineer,
    contact_of,
    contract_of,
    observer_of,
    topic,
)

pytestmark = pytest.mark.django_db

SATURDAY_NOON = datetime(2026, 11, 21, 12, 0, tzinfo=MOSCOW)
TUESDAY_20 = datetime(2026, 11, 17, 20, 0, tzinfo=MOSCOW)

CHANNELS = ("portal", "email", "community", "api", "chat", "phone", "remote")
EVERYBODYS = (
    "how_to", "service_request", "access", "database", "web_server", "installation", "upgrade", "import_export",
    "report_setup", "process_setup", "defect", "wish",
)  # fmt: skip

# A letter for each channel, in the order of CHANNELS: + allowed, – not in this package, ! outside support.
TABLE = {
    ("basic", EVERYBODYS): "++++–––",
    ("basic", ("remote_connection", "development", "integration")): "–––––––",
    ("basic", ("network_os",)): "!!!!!!!",
    ("business", EVERYBODYS): "+++++++",
    ("business", ("remote_connection", "development", "integration")): "+++++++",
    ("business", ("network_os",)): "!!!!!!!",
    ("premium", EVERYBODYS): "+++++++",
    ("premium", ("remote_connection", "development", "integration")): "+++++++",
    ("premium", ("network_os",)): "!!!!!!!",
}
SIGNS = {"": "+", "not_in_package": "–", "outside_support": "!"}
ROWS = [(package, code, signs) for (package, codes), signs in TABLE.items() for code in codes]


@pytest.fixture(scope="module")
def contracts(django_db_setup, django_db_blocker):
    """One signed contract of each package for the whole table; made once, and gone after it."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield {code: contract_of(a_customer(code)) for code in ("basic", "business", "premium")}
        transaction.set_rollback(True)


@pytest.mark.parametrize(("package", "code", "signs"), ROWS)
def test_a_row_of_the_table(contracts, package, code, signs):
    subject = topic(code)

    found = [
        entitlement.check(contracts[package], channel=channel, topic=subject, at=TUESDAY_10) for channel in CHANNELS
    ]

    assert "".join(SIGNS[answer.reason] for answer in found) == signs
    assert [answer.allowed for answer in found] == [sign == "+" for sign in signs]


def test_the_table_is_whole():
    assert sorted((package, code) for package, code, _signs in ROWS) == sorted(
        (package, code)
        for package in ("basic", "business", "premium")
        for code in Topic.objects.values_list("pk", flat=True)
    )
    assert sorted(CHANNELS) == sorted(Channel.objects.values_list("pk", flat=True))
    assert {len(signs) for signs in TABLE.values()} == {len(CHANNELS)}


def test_what_is_not_in_the_package_names_the_service_and_who_has_it():
    answer = entitlement.check(
        contract_of(a_customer("basic")), channel="portal", topic=topic("development"), at=TUESDAY_10
    )

    assert (answer.reason, answer.section, answer.service.code) == ("not_in_package", "1.2", "config_dev")
    assert [package.code for package in answer.packages] == ["business", "premium"]
    assert answer.service.name in answer.words


def test_a_request_without_a_topic_needs_its_channel_only():
    contract = contract_of(a_customer("basic"))

    assert entitlement.check(contract, channel="email", topic=None, at=TUESDAY_10).allowed
    assert entitlement.check(contract, channel="phone", topic=None, at=TUESDAY_10).reason == "not_in_package"


@pytest.mark.parametrize(
    ("package", "at", "phone", "portal"),
    [
        ("business", TUESDAY_10, "", ""),
        ("business", TUESDAY_20, "closed_now", ""),
        ("business", SATURDAY_NOON, "", ""),
        ("premium", TUESDAY_20, "", ""),
        ("basic", TUESDAY_20, "not_in_package", ""),
        ("basic", SATURDAY_NOON, "not_in_package", ""),
    ],
)
def test_live_channels_need_open_hours(package, at, phone, portal):
    contract = contract_of(a_customer(package))

    assert entitlement.check(contract, channel="phone", topic=topic("how_to"), at=at).reason == phone
    assert entitlement.check(contract, channel="portal", topic=topic("how_to"), at=at).reason == portal


def test_a_closed_channel_says_when_it_opens():
    answer = entitlement.check(contract_of(a_customer("business")), channel="chat", topic=None, at=TUESDAY_20)

    assert "18.11.2026" in answer.words and "09:00" in answer.words


def test_a_clause_of_the_contract_includes_what_is_outside_support_and_says_so():
    contract = contract_of(a_customer("basic"))
    a_clause(contract, topic=topic("network_os"), text_ru="Сети включены.", text_en="Networks are included.")

    answer = entitlement.check(contract, channel="portal", topic=topic("network_os"), at=TUESDAY_10)

    assert (answer.allowed, answer.clause) == (True, "Сети включены.")


def test_a_clause_of_the_contract_adds_a_service():
    contract = contract_of(a_customer("basic"))
    a_clause(contract, service_id="online", text_ru="Телефон.", text_en="Phone.")

    assert entitlement.check(contract, channel="phone", topic=topic("how_to"), at=TUESDAY_10).allowed


def test_a_refusal_is_raised_where_one_is_wanted():
    answer = entitlement.check(contract_of(a_customer("basic")), channel="phone", topic=None, at=TUESDAY_10)

    with pytest.raises(entitlement.NotCovered) as refusal:
        answer.or_refuse()

    assert (refusal.value.reason, refusal.value.section, refusal.value.status) == ("not_in_package", "1.2", 409)


def test_the_contract_of_a_moment_goes_by_the_day_in_moscow():
    customer = a_customer("basic")
    last_minute = datetime(2026, 12, 31, 20, 59, tzinfo=datetime.fromisoformat("2026-01-01T00:00+00:00").tzinfo)

    assert entitlement.contract_of(customer, at=last_minute) == contract_of(customer)
    with pytest.raises(entitlement.NotCovered) as refusal:
        entitlement.contract_of(customer, at=datetime(2027, 1, 1, 0, 0, tzinfo=MOSCOW))
    assert refusal.value.reason == "no_contract"


def test_a_draft_covers_nothing():
    customer = CustomerFactory()
    draft = a_draft(customer, "basic", by=a_contract_admin())

    assert draft.state == Contract.State.DRAFT
    with pytest.raises(entitlement.NotCovered):
        entitlement.contract_of(customer, at=TUESDAY_10)


def test_packages_with_a_service_come_in_their_order():
    assert [package.code for package in entitlement.packages_with("offline", TUESDAY_10)] == [
        "basic",
        "business",
        "premium",
    ]
    assert [package.code for package in entitlement.packages_with("csm", TUESDAY_10)] == ["premium"]


# Who asks, and about which product (domain §1.7.1, §1.7.3)


def another_product():
    return ProductFactory(code="service", name="Service")


def asked(customer, **said):
    return entitlement.check(
        contract_of(customer), **{"channel": "portal", "topic": topic("how_to"), "at": TUESDAY_10, **said}
    )


def test_only_the_contact_of_that_moment_asks_and_a_colleague_hears_who():
    customer = a_customer("premium")
    answer = asked(customer, person=observer_of(customer))

    assert asked(customer, person=contact_of(customer)).allowed
    assert (answer.allowed, answer.reason, answer.section) == (False, "not_contact", "1.7.1")
    assert contact_of(customer).full_name in answer.words


def test_the_contact_of_another_company_does_not_ask():
    assert asked(a_customer("premium"), person=contact_of(a_customer("premium"))).reason == "not_contact"


def test_one_of_the_desk_asks_for_the_contact():
    assert asked(a_customer("premium"), person=an_engineer()).allowed


def test_a_product_that_the_customer_does_not_own_is_outside_support():
    customer = a_customer("premium")
    own, other = customer.licences.get().product, another_product()

    assert asked(customer, product=own).allowed
    answer = asked(customer, product=other)
    assert (answer.reason, answer.section) == ("outside_support", "1.7.3")
    assert str(other) in answer.words
    assert contract_of(customer).number in answer.words


def test_a_licence_bought_today_is_covered_before_its_line_is_written():
    customer = a_customer("premium")
    bought = LicenceFactory(
        customer=customer, release=ReleaseFactory(product=another_product()), starts_on=TUESDAY_10.date()
    )

    assert asked(customer, product=bought.product).allowed
    assert asked(customer, product=bought.product, at=TUESDAY_10 - timedelta(days=1)).reason == "outside_support"
