"""Customers, their licences and people in pages: who may, what is refused in words, what it costs (domain §1, §2)."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from contracts import customers, signing
from contracts.models import ContractEvent, CoverageGap, Customer, CustomerMember, Licence, Release
from contracts.views import customers as pages
from tests.contracts.conftest import TODAY
from tests.factories import (
    CustomerFactory,
    LicenceFactory,
    ReleaseFactory,
    UserFactory,
    a_contact,
    a_contract_admin,
    a_csm,
    a_customer,
    a_draft,
    a_member,
    an_engineer,
    top,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]

BEGAN = TODAY - timedelta(days=100)


@pytest.fixture(autouse=True)
def in_english(settings):
    cache.clear()
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def admin(client):
    """The contract administrator, signed in."""
    user = a_contract_admin(language="en")
    client.force_login(user)
    return user


def covered(package="business", **fields):
    """A customer whose contract of this year is in force today."""
    return a_customer(package, starts_on=BEGAN, **fields)


def without_contract(**fields):
    """A customer with a licence and no contract."""
    customer = CustomerFactory(**fields)
    LicenceFactory(customer=customer, starts_on=BEGAN)
    return customer


def url(name, *args):
    return reverse(f"contracts:{name}", args=args)


def text(response):
    """What a reader sees: without tags, spaces made one."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).replace("\u00a0", " ").split())


def licence_fields(**fields):
    release = ReleaseFactory()
    return {
        "product": release.product_id,
        "deployment": "on-site",
        "seats": 10,
        "cost": "10000.00",
        "starts_on": TODAY.isoformat(),
        "ends_on": "",
        "release": release.pk,
        **fields,
    }


def person_fields(**fields):
    return {
        "full_name": "Ирина Лебедева",
        "email": "lebedeva@example.com",
        "position": "CIO",
        "phone": "",
        "language": "ru",
        "timezone": "Europe/Moscow",
        **fields,
    }


# Who may


CHANGES = ("new_customer", "edit_customer", "new_licence", "licence_price", "new_person")


@pytest.mark.parametrize("role", ["contract_admin", "admin", "manager", "top"])
def test_who_reads_contracts_reads_all_customers(client, role):
    customer = covered()
    client.force_login(UserFactory(**{role: True}))

    assert client.get(url("customers")).status_code == 200
    assert client.get(url("customer", customer.pk)).status_code == 200
    assert client.get(url("customers_csv")).status_code == 200


@pytest.mark.parametrize("who", [lambda: a_member(CustomerFactory()), an_engineer, lambda: UserFactory(partner=True)])
def test_others_do_not_come_in(client, who):
    customer = covered()
    client.force_login(who())

    for name, args in [("customers", ()), ("customer", (customer.pk,)), ("customers_csv", ())]:
        assert client.get(url(name, *args)).status_code == 403


def test_a_csm_reads_own_customers_and_no_other_is_there(client):
    csm = a_csm()
    own, other = covered("premium", csm=csm, name="Own"), covered("premium", name="Foreign")
    client.force_login(csm)

    assert client.get(url("customer", own.pk)).status_code == 200
    assert client.get(url("customer", other.pk)).status_code == 404
    assert "Foreign" not in text(client.get(url("customers")))
    assert b"Foreign" not in b"".join(client.get(url("customers_csv")).streaming_content)
    assert client.get(url("customers"), {"after": other.pk}).status_code == 400


@pytest.mark.parametrize("who", [a_csm, top])
@pytest.mark.parametrize("name", CHANGES)
def test_only_the_contract_administrator_changes(client, who, name):
    user = who()
    customer = covered("premium", csm=user if user.role == "csm" else None)
    client.force_login(user)

    address = url(name) if name == "new_customer" else url(name, customer.pk)

    assert client.get(address).status_code == 403
    assert client.post(address, {}).status_code == 403
    assert "Add a licence" not in text(client.get(url("customer", customer.pk)))


# The list


def test_list_says_by_what_each_is_covered_and_who_speaks(client, admin):
    customer = covered(name="Covered")
    gap = without_contract(name="In a gap")
    CoverageGap.objects.create(customer=gap, starts_on=date(2026, 5, 1), noticed_at=timezone.now())
    CustomerFactory(name="New one")

    shown = text(client.get(url("customers")))

    contract = customer.contracts.get()
    assert f"{contract.number} , Business" in shown
    assert "gap since 1 May 2026" in shown
    assert "nothing to cover" in shown
    assert customer.contact_at(timezone.now()).full_name in shown


@pytest.mark.parametrize(("only", "names"), [("gap", ["In a gap"]), ("contact", ["In a gap", "New one"])])
def test_list_is_filtered(client, admin, only, names):
    covered(name="Covered")
    without_contract(name="In a gap")
    CustomerFactory(name="New one")

    response = client.get(url("customers"), {"only": only})

    assert [row.customer.name for row in response.context["rows"]] == names


@pytest.mark.parametrize("words", ["ромашка", "РОМАШ", "ооо ромаш", "маш"])
def test_search_finds_any_part_in_any_case(client, admin, words):
    CustomerFactory(name="ООО «Ромашка»")
    CustomerFactory(name="ООО «Василёк»")

    response = client.get(url("customers"), {"q": words})

    assert [row.customer.name for row in response.context["rows"]] == ["ООО «Ромашка»"]


def test_search_takes_signs_of_patterns_for_themselves(client, admin):
    CustomerFactory(name="100 % Plus")
    CustomerFactory(name="Another")

    response = client.get(url("customers"), {"q": "%"})

    assert [row.customer.name for row in response.context["rows"]] == ["100 % Plus"]


def test_pages_go_on_and_back_without_gap_or_repeat(client, admin, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    for letter in "ABCDE":
        CustomerFactory(name=letter)

    first = client.get(url("customers"))
    second = client.get(first.context["older"])
    third = client.get(second.context["older"])
    back = client.get(third.context["newer"])

    names = [[row.customer.name for row in page.context["rows"]] for page in (first, second, third, back)]
    assert names == [["A", "B"], ["C", "D"], ["E"], ["C", "D"]]
    assert (first.context["newer"], third.context["older"]) == ("", "")


@pytest.mark.parametrize("asked", [{"after": "x"}, {"before": "1" * 30}, {"after": 987654321}])
def test_a_broken_address_is_said_to_be_so(client, admin, asked):
    assert client.get(url("customers"), asked).status_code == 400


def test_list_costs_the_same_for_one_and_for_three(client, admin, django_assert_num_queries):
    covered()
    client.get(url("customers"))
    with django_assert_num_queries(9):
        client.get(url("customers"))
    covered()
    without_contract()

    with django_assert_num_queries(9):
        client.get(url("customers"))


def test_csv_has_all_that_are_asked_for_and_runs_nothing(client, admin):
    covered(name='=HYPERLINK("http://evil.example")')
    without_contract(name="In a gap", city="Тверь")

    sent = b"".join(client.get(url("customers_csv")).streaming_content).decode()
    only_gap = b"".join(client.get(url("customers_csv"), {"only": "gap"}).streaming_content).decode()

    assert sent.startswith("\ufeffCompany;City;Contract;")
    assert "'=HYPERLINK" in sent
    assert "In a gap;Тверь;;;;yes;;;;1;100000.00" in sent
    assert len(only_gap.splitlines()) == 2


# One customer


def test_page_says_the_cover_in_a_sentence(client, admin):
    customer = covered(name="Covered")
    contract = customer.contracts.get()
    gap = without_contract()
    CoverageGap.objects.create(customer=gap, starts_on=date(2026, 5, 1), noticed_at=timezone.now())

    assert f"Covered by {contract.number} , Business, to " in text(client.get(url("customer", customer.pk)))
    shown = client.get(url("customer", gap.pk))
    assert "Uses the software without a contract since 1 May 2026: support is mandatory (§1.1)." in text(shown)
    assert f"{url('new_contract')}?customer={gap.pk}" in shown.content.decode()


def test_page_marks_releases_that_support_is_not_bought_for(client, admin):
    customer = without_contract()
    beta = ReleaseFactory(version="9.0-beta", is_official=False)
    LicenceFactory(customer=customer, release=beta)
    LicenceFactory(customer=customer, release=None, product=beta.product)

    shown = text(client.get(url("customer", customer.pk)))

    assert "9.0-beta, not official" in shown
    assert "not known" in shown


def test_page_costs_the_same_for_one_and_for_three(client, admin):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    customer = covered()
    client.get(url("customer", customer.pk))
    with CaptureQueriesContext(connection) as one:
        client.get(url("customer", customer.pk))
    for number in range(2):
        LicenceFactory(customer=customer, release=ReleaseFactory(version=f"9.{number}"))
        a_member(customer)
        signing.record("terminated", customer=customer, by=admin, at=timezone.now(), on=TODAY, reason="x")
        CoverageGap.objects.create(
            customer=customer,
            starts_on=date(2020 + number, 1, 1),
            ended_on=date(2020 + number, 2, 1),
            noticed_at=timezone.now(),
        )
    with CaptureQueriesContext(connection) as three:
        client.get(url("customer", customer.pk))

    assert len(three) == len(one)


# New and changed customers


def test_a_customer_is_written_down_and_put_on_record(client, admin):
    response = client.post(
        url("new_customer"),
        {"name": "  ООО   «Вектор» ", "city": "Тверь", "timezone": "yekaterinburg", "language": "ru", "csm": ""},
    )

    made = Customer.objects.get()
    assert response.status_code == 303
    assert (made.name, made.timezone) == ("ООО «Вектор»", "Asia/Yekaterinburg")
    assert list(made.contract_events.values_list("verb", "by")) == [("customer_written", admin.pk)]


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"name": ""}, "name", "Write the name of the company."),
        ({"name": "x" * 161}, "name", "A name is at most 160 characters."),
        ({"name": "ооо «ВЕКТОР»"}, "name", "There is a customer “ООО «Вектор»” already."),
        ({"timezone": "Mars/Base"}, "timezone", "There is no time zone named “Mars/Base”."),
        ({"timezone": ""}, "timezone", "Choose the time zone."),
        ({"language": "fr"}, "language", "Choose the language."),
        ({"csm": "999999"}, "csm", "Choose a Customer Success Manager who can sign in."),
    ],
)
def test_a_wrong_customer_is_refused_at_the_field_and_nothing_typed_is_lost(client, admin, fields, name, words):
    CustomerFactory(name="ООО «Вектор»")
    typed = {"name": "New", "city": "Псков", "timezone": "Europe/Moscow", "language": "ru", "csm": "", **fields}

    response = client.post(url("new_customer"), typed)

    assert response.status_code == 422
    assert response.context["form"].errors == {name: [words]}
    assert "Псков" in response.content.decode()
    assert Customer.objects.count() == 1


def test_an_edit_is_on_record_with_what_changed(client, admin):
    customer = covered(city="Тверь")
    fields = {"name": customer.name, "city": "Псков", "timezone": "Europe/Moscow", "language": "ru", "csm": ""}

    client.post(url("edit_customer", customer.pk), fields)
    client.post(url("edit_customer", customer.pk), fields)

    event = ContractEvent.objects.get(customer=customer, verb="customer_changed")
    assert event.details == {"changes": {"city": ["Тверь", "Псков"]}}
    assert "Customer changed: city: Тверь → Псков" in text(client.get(url("customer", customer.pk)))


# Added licences


def test_the_price_is_told_before_with_its_arithmetic(client, admin):
    customer = covered()
    contract = customer.contracts.get()

    shown = text(client.post(url("licence_price", customer.pk), licence_fields()))

    line, _part = signing.prorated_line(
        contract, Licence(customer=customer, deployment="on-site", cost=Decimal(10000), starts_on=TODAY)
    )
    assert f"€{line.amount:,.2f}" in shown
    assert "20 % of €10,000.00 = €2,000.00" in shown
    assert "days of the contract year left" in shown
    assert "The minimum is not applied again" in shown
    assert customer.licences.count() == 1


def test_the_price_can_be_asked_for_without_a_script(client, admin):
    customer = covered()

    response = client.post(url("new_licence", customer.pk), {**licence_fields(seats=""), "recalculate": "1"})

    assert response.status_code == 200
    assert "20 % of €10,000.00 = €2,000.00" in text(response)
    assert 'value="10000.00"' in response.content.decode()
    assert customer.licences.count() == 1


def test_without_a_contract_the_next_draft_counts_it(client, admin):
    customer = without_contract()

    assert "it will be in the next draft's quote" in text(
        client.post(url("licence_price", customer.pk), licence_fields())
    ).replace("&#x27;", "'")

    a_draft(customer, starts_on=TODAY + timedelta(days=10))
    assert "it is counted in draft" in text(client.post(url("licence_price", customer.pk), licence_fields()))


def test_an_added_licence_joins_the_contract_with_its_line(client, admin):
    customer = covered()
    contract = customer.contracts.get()

    response = client.post(url("new_licence", customer.pk), licence_fields(cost="10 000,00"), follow=True)

    line = contract.lines.get(is_added=True)
    assert line.licence.cost == Decimal("10000.00")
    assert f"joined contract {contract.number}: €{line.amount:,.2f}" in text(response)


def test_a_licence_without_a_contract_is_written_down(client, admin):
    customer = without_contract()

    response = client.post(url("new_licence", customer.pk), licence_fields(release=""), follow=True)

    assert customer.licences.count() == 2
    assert "no contract is in force, the next draft counts it" in text(response)


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"cost": "10000.005"}, "cost", "more than two decimals"),
        ({"cost": "-1"}, "cost", "is negative"),
        ({"cost": "much"}, "cost", "is not an amount"),
        ({"cost": ""}, "cost", "Write what the licence cost"),
        ({"cost": "99999999999999"}, "cost", "more than the register holds"),
        ({"seats": "0"}, "seats", "at least one user"),
        ({"seats": "many"}, "seats", "a whole number from 1"),
        ({"starts_on": ""}, "starts_on", "Write the first day."),
        ({"starts_on": "31.02.2026"}, "starts_on", "not a day of the calendar"),
        ({"starts_on": "0206-01-01"}, "starts_on", "not the year of a licence"),
        ({"ends_on": (TODAY - timedelta(days=1)).isoformat()}, "ends_on", "The last day is before the first"),
        ({"starts_on": (BEGAN + timedelta(days=500)).isoformat()}, "starts_on", "none follows it yet"),
        ({"release": ""}, "release", "(§1.7.4)"),
        ({"release": "999999"}, "release", "from the list"),
        ({"product": ""}, "product", "Choose the product."),
        ({"deployment": "cloud"}, "deployment", "Choose the deployment."),
    ],
)
def test_a_wrong_licence_is_refused_at_the_field_and_nothing_typed_is_lost(client, admin, fields, name, words):
    customer = covered()
    typed = licence_fields(**{"seats": "4321", **fields})

    response = client.post(url("new_licence", customer.pk), typed)

    assert response.status_code == 422
    assert list(response.context["form"].errors) == [name]
    assert words in response.context["form"].errors[name][0]
    assert str(typed["seats"]) in response.content.decode()
    assert customer.licences.count() == 1


def test_a_release_that_is_not_official_is_refused_by_the_rule(client, admin):
    customer = covered()
    beta = ReleaseFactory(version="9.0-beta", is_official=False)

    response = client.post(url("new_licence", customer.pk), licence_fields(release=beta.pk))

    assert "is not an official release" in response.context["form"].errors["release"][0]
    assert "§1.7.4" in response.context["form"].errors["release"][0]


def test_a_release_of_another_product_is_refused(client, admin):
    customer = covered()
    other = ReleaseFactory(product__code="service", product__name="Service", version="1.0")

    response = client.post(url("new_licence", customer.pk), licence_fields(release=other.pk))

    assert response.context["form"].errors == {"release": ["Service 1.0 is a release of another product."]}


def test_a_package_without_a_price_for_the_deployment_is_named(client, admin):
    customer = covered()
    contract = customer.contracts.get()
    from django.db import connection

    with connection.cursor() as cursor:  # as terms of another vendor are: signed ones are not edited
        cursor.execute("SET session_replication_role = replica")
        contract.terms.prices.filter(deployment="on-demand").delete()
        cursor.execute("SET session_replication_role = DEFAULT")

    response = client.post(url("new_licence", customer.pk), licence_fields(deployment="on-demand"))

    assert response.status_code == 422
    assert response.context["form"].errors == {
        "deployment": ["The package Business has no price for on-demand licences: a part is not sold (§1.7.3)."]
    }


def test_two_clicks_on_one_form_add_one_licence(client, admin):
    customer = covered()
    fields = licence_fields(key="one-form")

    client.post(url("new_licence", customer.pk), fields)
    again = client.post(url("new_licence", customer.pk), fields, follow=True)

    assert customer.licences.count() == 2
    assert "nothing was added twice" in text(again)


def test_the_same_licence_from_a_new_form_is_asked_about(client, admin):
    customer = covered()
    client.post(url("new_licence", customer.pk), licence_fields(key="first"))

    asked = client.post(url("new_licence", customer.pk), licence_fields(key="second"))
    assert asked.status_code == 409
    assert "Just such a licence was written down a moment ago" in text(asked)
    assert customer.licences.count() == 2

    client.post(url("new_licence", customer.pk), licence_fields(key="second", another="on"))
    assert customer.licences.count() == 3


def test_the_releases_are_those_of_the_chosen_product_official_first(client, admin):
    customer = covered()
    ReleaseFactory(version="9.0-beta", is_official=False, released_on=date(2026, 10, 1))
    ReleaseFactory(product__code="service", product__name="Service", version="1.0")

    shown = client.get(
        url("licence_releases", customer.pk), {"product": Release.objects.get(version="7.8.4").product_id}
    )

    found = re.findall(r"<option[^>]*>([^<]*)</option>", shown.content.decode())
    assert found == ["Choose…", "7.8.4", "9.0-beta — not official"]


# Licences that are there


def test_of_a_signed_licence_only_release_users_and_last_day_change(client, admin):
    customer = covered()
    licence = customer.licences.get()
    address = url("edit_licence", customer.pk, licence.pk)

    assert list(client.get(address).context["form"].fields) == ["release", "seats", "ends_on"]
    client.post(address, {"release": licence.release_id, "seats": 7, "ends_on": "", "cost": "1.00"})

    licence.refresh_from_db()
    assert (licence.seats, licence.cost) == (7, Decimal("100000.00"))
    assert "Licence changed:" in text(client.get(url("customer", customer.pk)))


def test_a_draft_is_counted_anew_when_its_licence_changes(client, admin):
    customer = without_contract()
    draft = a_draft(customer, "business", starts_on=TODAY)
    licence = customer.licences.get()
    fields = licence_fields(cost="200000.00", starts_on=licence.starts_on.isoformat())

    client.post(url("edit_licence", customer.pk, licence.pk), fields)

    assert draft.lines.get().amount == Decimal("40000.00")


def test_the_installed_release_is_written_from_the_customers_page(client, admin):
    customer = covered()
    licence = customer.licences.get()
    newer = ReleaseFactory(version="7.9")

    response = client.post(url("licence_release", customer.pk, licence.pk), {"release": newer.pk}, follow=True)

    licence.refresh_from_db()
    assert licence.release == newer
    assert "7.9 is installed." in text(response)


def test_a_licence_that_was_signed_for_meanwhile_stays_as_it_was_signed(admin):
    customer = without_contract()
    licence = customer.licences.get()
    licence.cost = Decimal("1.00")
    a_contact(customer)
    signing.activate(a_draft(customer, starts_on=TODAY), by=admin, at=timezone.now())

    with pytest.raises(customers.NotWritten):
        customers.change_licence(licence, by=admin, at=timezone.now())

    licence.refresh_from_db()
    assert licence.cost == Decimal("100000.00")


@pytest.mark.parametrize("chosen", ["x", "999999", "other"])
def test_a_release_that_is_not_of_the_product_is_not_installed(client, admin, chosen):
    customer = covered()
    licence = customer.licences.get()
    other = ReleaseFactory(product__code="service", product__name="Service", version="1.0")

    response = client.post(
        url("licence_release", customer.pk, licence.pk), {"release": other.pk if chosen == "other" else chosen}
    )

    assert response.status_code == 422
    licence.refresh_from_db()
    assert licence.release.version == "7.8.4"


def test_a_licence_of_another_customer_is_not_there(client, admin):
    customer, other = covered(), covered()

    assert client.get(url("edit_licence", customer.pk, other.licences.get().pk)).status_code == 404


# People


def test_a_person_is_added_and_gets_the_letter(client, admin, settings):
    settings.EMAIL_HOST, settings.EMAIL_BACKEND = "mail.example", "django.core.mail.backends.locmem.EmailBackend"
    customer = covered()

    response = client.post(url("new_person", customer.pk), person_fields(email="Lebedeva@Example.com"))

    person = User.objects.get(email="lebedeva@example.com")
    assert response.status_code == 303
    assert (person.role, person.has_usable_password(), person.membership.position) == ("customer", False, "CIO")
    assert customer.contact_at(timezone.now()) != person
    assert [letter.to for letter in mail.outbox] == [["lebedeva@example.com"]]
    link = re.search(r"http://testserver(/\S+)", mail.outbox[0].body)[1]
    assert client.get(link, follow=True).status_code == 200


def test_without_a_mail_server_no_letter_goes_out_and_the_page_says_so(client, admin, settings):
    settings.EMAIL_HOST = ""
    customer = covered()

    response = client.post(url("new_person", customer.pk), person_fields(), follow=True)

    assert mail.outbox == []
    assert "No letter went out" in text(response)


def test_the_first_contact_is_named_with_the_person(client, admin):
    customer = CustomerFactory()

    client.post(url("new_person", customer.pk), person_fields(as_contact="on"))

    assert customer.contact_at(timezone.now()).email == "lebedeva@example.com"
    assert list(customer.contract_events.order_by("pk").values_list("verb", flat=True)) == [
        "person_added",
        "contact_changed",
    ]
    assert client.get(url("customer", customer.pk)).status_code == 200


def test_a_second_contact_is_never_named_here(client, admin):
    customer = covered()
    member = customer.members.last().user
    speaks = customer.contact_at(timezone.now())

    client.post(url("new_person", customer.pk), person_fields(as_contact="on"))
    response = client.post(url("first_contact", customer.pk, member.pk))

    assert response.status_code == 409
    assert "agreed by both sides" in text(response)
    assert customer.contact_at(timezone.now()) == speaks


def test_one_of_the_people_is_named_where_nobody_speaks(client, admin):
    customer = CustomerFactory()
    member = a_member(customer)

    client.post(url("first_contact", customer.pk, member.pk))

    assert customer.contact_at(timezone.now()) == member


@pytest.mark.parametrize(
    ("fields", "name", "words"),
    [
        ({"full_name": ""}, "full_name", "Write the person's name."),
        ({"email": ""}, "email", "Write the e-mail address."),
        ({"email": "nobody"}, "email", "This is not an e-mail address."),
        ({"email": "TAKEN@example.com"}, "email", "This address belongs to somebody else."),
        ({"timezone": "Nowhere"}, "timezone", "There is no time zone named “Nowhere”."),
        ({"phone": "1" * 41}, "phone", "A phone number is at most 40 characters."),
    ],
)
def test_a_wrong_person_is_refused_at_the_field(client, admin, fields, name, words):
    a_member(CustomerFactory(name="Another company"), email="taken@example.com", full_name="Known Elsewhere")
    customer = covered()
    people = User.objects.count()

    response = client.post(url("new_person", customer.pk), person_fields(**fields))

    assert response.status_code == 422
    assert response.context["form"].errors == {name: [words]}
    assert "Known Elsewhere" not in text(response)
    assert User.objects.count() == people


def test_a_person_is_changed_but_not_the_address(client, admin):
    customer = covered()
    member = customer.members.last()
    fields = person_fields(full_name="Новая Фамилия", email="other@example.com")

    client.post(url("edit_person", customer.pk, member.user_id), fields)

    user = User.objects.get(pk=member.user_id)
    assert (user.full_name, user.email) == ("Новая Фамилия", member.user.email)
    assert "Person changed: Новая Фамилия" in text(client.get(url("customer", customer.pk)))


def test_who_has_left_signs_in_no_more_and_may_come_back(client, admin):
    customer = covered()
    user = customer.members.last().user

    client.post(url("person_leaving", customer.pk, user.pk))
    user.refresh_from_db()
    assert not user.is_active
    assert "has left" in text(client.get(url("customer", customer.pk)))

    client.post(url("person_leaving", customer.pk, user.pk), {"back": "1"})
    user.refresh_from_db()
    assert user.is_active


def test_the_responsible_contact_does_not_leave(client, admin):
    customer = covered()
    speaks = customer.contact_at(timezone.now())

    response = client.post(url("person_leaving", customer.pk, speaks.pk))

    assert response.status_code == 409
    assert "hand that over first" in text(response)
    speaks.refresh_from_db()
    assert speaks.is_active


def test_who_is_planned_to_speak_does_not_leave(client, admin):
    customer = CustomerFactory()
    planned = a_contact(customer, since=timezone.now() + timedelta(days=30))

    assert client.post(url("person_leaving", customer.pk, planned.pk)).status_code == 409


def test_a_person_of_another_customer_is_not_there(client, admin):
    customer, other = covered(), covered()
    user = other.members.last().user

    for name in ("edit_person", "person_leaving", "first_contact"):
        assert client.post(url(name, customer.pk, user.pk)).status_code == 404
    assert CustomerMember.objects.get(user=user).customer == other
