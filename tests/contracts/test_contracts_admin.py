"""The catalogue, customers and contracts in the back room: it edits what may be edited, and the verbs do the rest."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from contracts import catalogue, signing
from contracts.models import Contract, Customer, PackageTerms, ResponsibleContact
from tests.contracts.conftest import TODAY
from tests.factories import (
    FIRST_DAY,
    TUESDAY_10,
    CustomerFactory,
    LicenceFactory,
    ReleaseFactory,
    UserFactory,
    a_contract_admin,
    a_customer,
    a_draft,
    a_member,
    contact_of,
    contract_of,
    observer_of,
    package,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("today")]

DAY = timedelta(days=1)


@pytest.fixture
def admin(client):
    person = UserFactory(admin=True, language="en")
    client.force_login(person)
    return person


@pytest.fixture
def contract_admin(client):
    person = a_contract_admin(language="en")
    client.force_login(person)
    return person


def page(model, name: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def act(client, model, action: str, rows, **fields) -> list[str]:
    """Runs an action of the list; the messages that follow."""
    answer = client.post(
        page(model, "changelist"),
        {"action": action, "_selected_action": [row.pk for row in rows], **fields},
        follow=True,
    )
    return [str(message) for message in answer.context["messages"]]


def empty(prefix: str) -> dict[str, str]:
    return {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}


# The catalogue


def test_terms_that_were_signed_are_only_looked_at_and_say_why(client, admin):
    terms = contract_of(a_customer("basic")).terms

    answer = client.get(page(PackageTerms, "change", terms.pk))
    refused = client.post(page(PackageTerms, "change", terms.pk), {"starts_on": "2026-02-02"})

    assert "No: 1 contract was signed on these terms and keeps them (§1.1)" in answer.content.decode()
    assert 'name="_save"' not in answer.content.decode()
    assert refused.status_code == 403
    assert client.post(page(PackageTerms, "delete", terms.pk), {"post": "yes"}).status_code == 403


def test_terms_that_nobody_signed_are_edited(client, admin):
    terms = package("premium").terms_on(FIRST_DAY)
    a_draft(CustomerFactory(), "premium")
    price = terms.prices.get(deployment="on-demand")

    answer = client.post(
        page(PackageTerms, "change", terms.pk),
        {
            "starts_on": "2020-02-01",
            "calendar": terms.calendar_id,
            "services": ["offline", "portal"],
            "prices-TOTAL_FORMS": "1",
            "prices-INITIAL_FORMS": "1",
            "prices-0-id": price.pk,
            "prices-0-terms": terms.pk,
            "prices-0-deployment": "on-demand",
            "prices-0-percent": "16",
            "prices-0-minimum": "9000",
            **empty("targets"),
        },
    )

    assert answer.status_code == 302
    terms.refresh_from_db()
    price.refresh_from_db()
    assert (terms.starts_on, price.percent, price.minimum) == (date(2020, 2, 1), Decimal("16.00"), Decimal("9000.00"))


def test_new_terms_are_a_copy_that_may_be_edited(client, admin):
    old = contract_of(a_customer("premium")).terms

    said = act(client, type(old.package), "new_terms", [old.package])

    new = old.package.terms.latest("starts_on")
    assert new.starts_on == TODAY + DAY
    assert said == [f"Made: Premium from {new.starts_on}. Edit them, their date too."]
    assert not catalogue.is_signed(new)
    assert [set(new.services.all()), new.prices.count(), new.targets.count()] == [set(old.services.all()), 2, 12]
    assert old.package.terms_on(TODAY) == old


def test_the_contract_administrator_does_not_edit_the_catalogue(client, contract_admin):
    terms = package("premium").terms_on(FIRST_DAY)

    assert client.get(page(PackageTerms, "change", terms.pk)).status_code == 200
    assert client.post(page(PackageTerms, "change", terms.pk), {}).status_code == 403


# Customers


def customer_fields(customer: Customer, **fields) -> dict:
    return {
        "name": customer.name, "timezone": customer.timezone, "language": customer.language,
        **empty("members"), **empty("contacts"), **empty("licences"), **fields,
    }  # fmt: skip


def new_contact(person, at, reason="Отпуск.") -> dict:
    return {
        "contacts-TOTAL_FORMS": "1", "contacts-0-user": person.pk, "contacts-0-starts_at_0": f"{at:%Y-%m-%d}",
        "contacts-0-starts_at_1": f"{at:%H:%M:%S}", "contacts-0-reason": reason,
    }  # fmt: skip


def test_a_new_contact_ends_the_one_before(client, contract_admin):
    customer = a_customer("basic")
    old, new = contact_of(customer), observer_of(customer)

    answer = client.post(
        page(Customer, "change", customer.pk), customer_fields(customer, **new_contact(new, TUESDAY_10))
    )

    assert answer.status_code == 302, answer.context["errors"]
    assert [customer.contact_at(at) for at in (TUESDAY_10 - DAY, TUESDAY_10)] == [old, new]
    assert client.get(page(Customer, "change", customer.pk)).status_code == 200


def test_a_contact_that_the_verb_refuses_is_an_error_of_the_form(client, contract_admin):
    customer = a_customer("basic")

    answer = client.post(
        page(Customer, "change", customer.pk),
        customer_fields(customer, **new_contact(observer_of(customer), TUESDAY_10, reason="")),
    )

    assert answer.status_code == 200
    assert "Write why the contact changes (illness, leaving, a planned date). (§2)" in answer.content.decode()
    assert ResponsibleContact.objects.count() == 1


def test_a_stranger_cannot_be_chosen_as_the_contact(client, contract_admin):
    customer, other = a_customer("basic"), a_customer("basic")

    answer = client.post(
        page(Customer, "change", customer.pk), customer_fields(customer, **new_contact(contact_of(other), TUESDAY_10))
    )

    assert answer.status_code == 200 and answer.context["errors"]


def test_a_licence_that_is_added_joins_the_contract(client, contract_admin):
    customer = a_customer("basic", starts_on=TODAY - 100 * DAY)
    release = ReleaseFactory()

    answer = client.post(
        page(Customer, "change", customer.pk),
        customer_fields(
            customer,
            **{
                "licences-TOTAL_FORMS": "1", "licences-0-product": release.product_id,
                "licences-0-deployment": "on-site", "licences-0-seats": "5", "licences-0-cost": "1000",
                "licences-0-starts_on": f"{TODAY:%Y-%m-%d}", "licences-0-release": release.pk,
            },
        ),
        follow=True,
    )  # fmt: skip

    contract = contract_of(customer)
    line = contract.lines.latest("pk")
    assert contract.lines.count() == 2
    assert next(str(message) for message in answer.context["messages"]) == (
        f"{line.licence} joins contract {contract.number}: {line.arithmetic}."
    )


def test_coverage_gaps_can_be_listed(client, contract_admin):
    covered = a_customer("basic", starts_on=TODAY)
    gap = LicenceFactory().customer

    answer = client.get(page(Customer, "changelist"), {"cover": "gap"})

    assert gap.name in answer.content.decode()
    assert covered.name not in answer.content.decode()


# Contracts


def test_a_draft_is_written(client, contract_admin):
    customer = LicenceFactory().customer

    answer = client.post(
        page(Contract, "add"), {"customer": customer.pk, "package": package("basic").pk, "starts_on": "2026-01-01"}
    )

    assert answer.status_code == 302, answer.context["errors"]
    draft = customer.contracts.get()
    assert (draft.state, draft.ends_on, draft.number) == ("draft", date(2026, 12, 31), f"2026-{customer.pk:04}-1")
    assert [str(line.amount) for line in draft.lines.all()] == ["15000.00"]
    shown = client.get(page(Contract, "change", draft.pk)).content.decode()
    assert "The customer has no responsible contact" in shown
    assert "€15,000.00 a year, €15,000.00 for the term" in shown


def test_a_draft_that_the_verb_refuses_is_an_error_of_the_form(client, contract_admin):
    customer = CustomerFactory()

    answer = client.post(
        page(Contract, "add"),
        {
            "customer": customer.pk,
            "package": package("basic").pk,
            "starts_on": "2026-01-01",
            "ends_on": "2026-12-30",
        },
    )

    assert answer.status_code == 200
    assert "from 01.01.2026 to 31.12.2026 or later. (§1.7.3)" in answer.content.decode()
    assert not customer.contracts.exists()


def test_a_term_is_edited_while_it_is_a_draft(client, contract_admin):
    draft = a_draft(LicenceFactory().customer, "basic")
    fields = {"number": draft.number, "starts_on": "2026-01-01", **empty("lines"), **empty("clauses")}

    short = client.post(page(Contract, "change", draft.pk), {**fields, "ends_on": "2026-12-30"})
    longer = client.post(page(Contract, "change", draft.pk), {**fields, "ends_on": "2027-12-31"})

    assert short.status_code == 200
    assert "A contract runs at least one year (domain §1.7.3)." in short.content.decode()
    assert longer.status_code == 302
    draft.refresh_from_db()
    assert (draft.ends_on, draft.state) == (date(2027, 12, 31), "draft")


def test_activate_shows_every_reason(client, contract_admin):
    draft = a_draft(CustomerFactory(), "basic", starts_on=TODAY)

    said = act(client, Contract, "activate", [draft])

    assert said == [
        f"{draft.number}: The customer has no responsible contact: "
        "all consultations go to exactly one person. (§1.7.1)",
        f"{draft.number}: The customer has no licence in force on {TODAY:%d.%m.%Y}: "
        "there is nothing to support. (§1.7.3)",
    ]


def test_activate_renew_and_terminate_call_the_verbs(client, contract_admin):
    customer = a_customer("basic", starts_on=TODAY - 400 * DAY)
    first = contract_of(customer)
    signing.expire(first, on=TODAY)
    draft = a_draft(customer, "business", starts_on=TODAY)

    assert act(client, Contract, "activate", [draft]) == [f"{draft.number} is in force."]
    draft = Contract.objects.get(pk=draft.pk)
    assert (draft.state, draft.signed_by) == ("active", contract_admin)
    said = act(client, Contract, "renew", [draft])
    following = Contract.objects.get(predecessor=draft)
    assert said == [f"{draft.number}: the draft {following.number} renews it."]
    assert act(client, Contract, "terminate", [draft]) == [
        f"{draft.number}: Write why the contract ends: the customer will ask. (§2)"
    ]
    assert act(client, Contract, "terminate", [draft], reason="Уходит.") == [f"{draft.number} is terminated."]
    assert Contract.objects.get(pk=draft.pk).termination_reason == "Уходит."


def test_a_signed_contract_is_not_edited_nor_deleted(client, contract_admin):
    contract = contract_of(a_customer("basic"))

    client.post(
        page(Contract, "change", contract.pk),
        {"number": "X", "state": "draft", "ends_on": "2030-01-01", **empty("lines"), **empty("clauses")},
    )

    fresh = Contract.objects.get(pk=contract.pk)
    assert (fresh.number, fresh.state, fresh.ends_on) == (contract.number, "active", contract.ends_on)
    assert client.post(page(Contract, "delete", contract.pk), {"post": "yes"}).status_code == 403


def test_a_member_who_speaks_for_the_customer_stays_known(client, contract_admin):
    customer = a_customer("basic")
    person = a_member(customer)

    assert person.full_name in client.get(page(Customer, "change", customer.pk)).content.decode()
