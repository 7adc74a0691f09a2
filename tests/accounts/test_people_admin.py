"""The back room: one door, and each role its own part of it (domain §7)."""

import pytest
from django.contrib import admin
from django.urls import reverse

from accounts.models import Role, User
from contracts.models import Contract
from sla.models import Calendar, CalendarVersion, Commitment, Escalation
from tests.factories import (
    TUESDAY_10,
    UserFactory,
    a_contract_admin,
    a_customer,
    an_engineer,
    contact_of,
    contract_of,
    open_ticket,
)
from tickets import workflow

pytestmark = pytest.mark.django_db

OWN_APPS = ("accounts", "contracts", "sla", "tickets", "mail")
MODELS = [model for model in admin.site._registry if model._meta.app_label in OWN_APPS]


def page(model, name: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@pytest.fixture
def house():
    """A bit of everything, so that every list has rows."""
    ticket = open_ticket(a_customer("premium"), priority=1)
    workflow.escalate(ticket, by=contact_of(ticket.customer), whom="csm", reason="Остановлены продажи.", at=TUESDAY_10)
    workflow.accept(ticket, by=an_engineer(), at=TUESDAY_10)
    return ticket


# The door


def test_the_admin_has_no_door_of_its_own(client):
    answer = client.get("/dj-admin/", follow=True)

    assert answer.redirect_chain[-1][0].startswith("/account/login/?next=")
    assert answer.status_code == 200


def test_who_signed_in_and_has_no_business_there_is_refused(client):
    client.force_login(an_engineer())

    assert client.get("/dj-admin/login/").status_code == 403


def test_signing_in_leads_back_to_the_admin(client):
    admin_person = UserFactory(admin=True, password="a long password")

    answer = client.post(
        "/account/login/?next=/dj-admin/", {"login": admin_person.email, "password": "a long password"}, follow=True
    )

    assert answer.redirect_chain[-1] == ("/dj-admin/", 302)


# Who sees what


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_the_administrator_opens_every_list_and_row(client, house, model):
    client.force_login(UserFactory(role=Role.ADMIN, is_staff=True))

    assert client.get(page(model, "changelist")).status_code == 200
    row = model._default_manager.order_by("pk").first()
    if row is not None:
        assert client.get(page(model, "change", row.pk)).status_code == 200
    assert client.get(page(model, "add")).status_code in (200, 403)


def names(client) -> set[str]:
    return {
        model["object_name"]
        for app in client.get("/dj-admin/").context["app_list"]
        if app["app_label"] in OWN_APPS
        for model in app["models"]
    }


def test_the_contract_administrator_sees_customers_contracts_and_the_catalogue(client, house):
    client.force_login(a_contract_admin())

    assert names(client) == {
        *("User", "Line", "Service", "Channel", "Topic", "Package", "PackageTerms"),
        *("Product", "Customer", "Contract", "HeldRequest"),
    }
    assert client.get(page(Commitment, "changelist")).status_code == 403


def test_a_role_without_business_there_sees_nothing_even_with_the_key(client):
    client.force_login(UserFactory(engineer=True, is_staff=True))

    assert names(client) == set()


@pytest.mark.parametrize("model", [Commitment, Escalation])
def test_promises_are_only_looked_at(client, house, model):
    client.force_login(UserFactory(admin=True))
    row = model.objects.first()

    assert client.post(page(model, "change", row.pk), {}).status_code == 403
    assert client.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert client.get(page(model, "add")).status_code == 403


def test_nobody_reads_the_conversation_there(client, house):
    client.force_login(UserFactory(admin=True))
    seen = "".join(
        client.get(page(model, "change", row.pk)).content.decode()
        for model in MODELS
        if model._meta.app_label in ("tickets", "sla", "mail")
        for row in model.objects.all()[:5]
    )

    assert house.subject not in seen.replace(str(house), "")
    assert house.messages.get().body not in seen
    assert "Остановлены продажи" not in seen


# People


def test_the_administrator_adds_an_engineer(client):
    client.force_login(UserFactory(admin=True))
    fields = {
        "email": "Ilya@Example.com", "full_name": "Илья Носов", "role": "engineer", "lines": ["1", "2"],
        "language": "ru", "timezone": "Europe/Moscow", "usable_password": "false",
    }  # fmt: skip

    answer = client.post(page(User, "add"), fields)

    assert answer.status_code == 302
    person = User.objects.get(email="ilya@example.com")
    assert (person.role, [line.pk for line in person.lines.all()], person.has_usable_password()) == (
        "engineer",
        [1, 2],
        False,
    )


def test_the_contract_administrator_gives_nobody_a_role(client):
    client.force_login(a_contract_admin())
    fields = {
        "email": "mia@example.com", "full_name": "Mia Berg", "role": "admin", "is_staff": "on", "is_superuser": "on",
        "language": "en", "timezone": "Europe/Berlin", "usable_password": "false",
    }  # fmt: skip

    client.post(page(User, "add"), fields)
    person = User.objects.get(email="mia@example.com")
    client.post(page(User, "change", person.pk), {**fields, "is_active": "on", "theme": "auto"})

    person.refresh_from_db()
    assert (person.role, person.is_staff, person.is_superuser, person.language) == ("customer", False, False, "en")


def test_the_contract_administrator_does_not_reach_the_vendors_people(client):
    client.force_login(a_contract_admin())
    boss, customer = UserFactory(admin=True), contact_of(a_customer("basic"))

    assert client.get(page(User, "change", customer.pk)).status_code == 200
    assert client.get(page(User, "change", boss.pk)).status_code == 302  # as one that is not there
    assert client.post(f"/dj-admin/accounts/user/{boss.pk}/password/", {}).status_code in (302, 404)
    boss.refresh_from_db()
    assert boss.is_active


# Calendars


def version_fields(calendar, **fields) -> dict:
    return {
        "code": calendar.code, "name_ru": calendar.name_ru, "name_en": calendar.name_en,
        "versions-TOTAL_FORMS": "1", "versions-INITIAL_FORMS": "0", "versions-MIN_NUM_FORMS": "0",
        "versions-MAX_NUM_FORMS": "1000",
        "versions-0-valid_from_0": "2027-01-01", "versions-0-valid_from_1": "00:00:00",
        "versions-0-timezone": "Europe/Moscow", "versions-0-weekly_hours": '{"0": [["10:00", "19:00"]]}',
        "versions-0-holidays": "[]", "versions-0-overrides": "{}",
        **{f"versions-0-{name}": value for name, value in fields.items()},
    }  # fmt: skip


def test_a_calendar_gets_a_new_version_and_keeps_the_old_one(client):
    client.force_login(UserFactory(admin=True))
    calendar = Calendar.objects.get(code="basic-hours")
    before = CalendarVersion.objects.filter(calendar=calendar).values().get()

    answer = client.post(page(Calendar, "change", calendar.pk), version_fields(calendar))

    assert answer.status_code == 302
    versions = CalendarVersion.objects.filter(calendar=calendar).order_by("valid_from")
    assert versions.values()[0] == before
    assert versions[1].weekly_hours == {"0": [["10:00", "19:00"]]}


@pytest.mark.parametrize(
    "fields",
    [
        {"weekly_hours": '{"7": [["10:00", "19:00"]]}'},
        {"weekly_hours": '{"0": [["19:00", "10:00"]]}'},
        {"weekly_hours": '{"0": []}'},
        {"holidays": '["1 January"]'},
        {"overrides": '{"2026-12-31": "closed"}'},
        {"timezone": "Moscow"},
    ],
)
def test_hours_that_make_no_calendar_are_refused(client, fields):
    client.force_login(UserFactory(admin=True))
    calendar = Calendar.objects.get(code="basic-hours")

    answer = client.post(page(Calendar, "change", calendar.pk), version_fields(calendar, **fields))

    assert answer.status_code == 200 and answer.context["errors"]
    assert calendar.versions.count() == 1


def test_the_contract_of_the_house_is_active(house):
    assert contract_of(house.customer).state == Contract.State.ACTIVE
