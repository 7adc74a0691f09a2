"""The pages of packages: read side by side, changed from a date, previewed, decided (domain §1, §4, §7)."""

import re
from dataclasses import replace
from datetime import date

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.models import Role
from contracts import catalogue
from contracts.catalogue import as_change
from contracts.models import Package, PackageTerms
from contracts.terms import Price
from tests.factories import UserFactory, a_contract_admin, a_customer, a_draft, open_ticket, package
from tests.moments import tuesday
from tickets.models import TermsDecision, Ticket
from tickets.terms_decisions import advance
from tickets.terms_preview import begin

pytestmark = pytest.mark.django_db

READERS = {Role.CONTRACT_ADMIN, Role.ADMIN, Role.CSM, Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT}


@pytest.fixture(autouse=True)
def english():
    """Errors of a form are lazy: they are read here after the answer, in the language of the test."""
    with translation.override("en"):
        yield


@pytest.fixture
def admin():
    return UserFactory(admin=True, language="en")


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def client(admin):
    return signed_in(admin)


def typed(client: Client, code: str = "premium", **other: str) -> dict:
    """What the form holds when it is opened, with some fields typed anew."""
    form = client.get(reverse("packages:change", args=[code])).context["form"]
    held = {name: form[name].value() for name in form.fields}
    held = {name: "" if value is None else value for name, value in held.items()}
    return {**held, "starts_on": "2026-11-17", "reason": "New price list", **other}


def page(client: Client, *route: object, **query: str) -> str:
    answer = client.get(reverse(f"packages:{route[0]}", args=route[1:]), query)
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def a_decision(admin, code: str = "premium") -> TermsDecision:
    change = as_change(package(code).terms.get(), starts_on=date(2026, 11, 17))
    targets = tuple(replace(target, amount=max(target.amount // 2, 1)) for target in change.targets)
    prices = {where: Price(price.percent + 1, price.minimum) for where, price in change.prices.items()}
    decision = begin(
        replace(change, targets=targets, prices=prices), reason="New price list", by=admin, at=tuesday(11, 1)
    )
    advance(decision, at=tuesday(11, 1), seconds=None)
    return decision


# Reading


@pytest.mark.parametrize("role", Role)
def test_who_reads_the_packages(role):
    client = signed_in(UserFactory(role=role))

    expected = 200 if role in READERS else 403
    assert client.get(reverse("packages:packages")).status_code == expected
    assert client.get(reverse("packages:package", args=["premium"])).status_code == expected


@pytest.mark.parametrize("role", Role)
def test_who_changes_and_who_sees_the_preview(role, admin):
    decision = a_decision(admin)
    client = signed_in(UserFactory(role=role))

    edits = 200 if role == Role.ADMIN else 403
    reads = 200 if role in {Role.ADMIN, Role.CONTRACT_ADMIN} else 403
    assert client.get(reverse("packages:change", args=["premium"])).status_code == edits
    assert client.get(reverse("packages:decision", args=[decision.pk])).status_code == reads
    posted = client.post(reverse("packages:decision", args=[decision.pk]), {"go": "apply", "scope": "new"})
    assert posted.status_code == (302 if role == Role.ADMIN else 403)


def test_nobody_comes_in_without_signing_in():
    assert Client().get(reverse("packages:packages")).status_code == 302


def test_the_price_list_stands_side_by_side(client):
    text = page(client, "packages")

    assert "25 %, at least €10,000.00" in text
    assert "Mon–Fri 09:00–18:00" in text
    assert "20 working days" in text


def test_a_package_tells_its_terms_by_date_and_what_each_changed(client, admin):
    a_customer()
    change = as_change(package("premium").terms.get(), starts_on=date(2099, 1, 1))
    catalogue.apply_change(replace(change, services=change.services - {"csm"}), by=admin, at=tuesday(10))

    text = page(client, "package", "premium")

    assert "From 1 Jan 2099 planned" in text
    assert "Dedicated Customer Success Manager included not included" in text
    assert "From 1 Jan 2020 in force now 1 signed contract" in text


def test_the_list_asks_as_many_statements_for_more_terms(client, admin):
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("packages:packages"))
            client.get(reverse("packages:package", args=["premium"]))
        return len(asked)

    statements()
    one = statements()
    for year in (2097, 2098, 2099):
        a_draft(a_customer(), starts_on=date(2027, 1, 1))
        change = as_change(package("premium").terms.first(), starts_on=date(year, 1, 1))
        prices = {where: Price(price.percent + 1, price.minimum) for where, price in change.prices.items()}
        terms = catalogue.apply_change(replace(change, prices=prices), by=admin, at=tuesday(10))
        terms.contracts.model.objects.filter(state="draft").update(terms=terms)

    assert package("premium").terms.count() == 4
    statements()  # the new edition of the catalogue is read once
    assert statements() == one


def test_an_unknown_package_is_missing(client):
    assert client.get(reverse("packages:package", args=["gold"])).status_code == 404
    assert client.get(reverse("packages:change", args=["gold"])).status_code == 404


# The form


def test_the_form_is_filled_in_from_the_latest_terms(client):
    found = typed(client)

    assert (found["price_on-site_percent"], found["price_on-site_minimum"]) == ("25", "10000")
    assert (found["target_reaction_1_amount"], found["target_reaction_1_unit"]) == (30, "minutes")
    assert (found["target_reaction_2_amount"], found["target_reaction_2_unit"]) == (2, "hours")
    assert (found["target_resolution_3_amount"], found["target_resolution_3_unit"]) == (10, "working_days")
    assert len(found["services"]) == 13


def test_a_change_becomes_a_preview_and_writes_no_terms(client):
    answer = client.post(
        reverse("packages:change", args=["premium"]), typed(client, **{"price_on-site_percent": "27,5"})
    )

    decision = TermsDecision.objects.get()
    assert answer.url == reverse("packages:decision", args=[decision.pk])
    assert decision.change["prices"]["on-site"] == ["27.5", "10000"]
    assert PackageTerms.objects.count() == Package.objects.count()
    assert "27.5 %, at least €10,000.00" in page(client, "decision", decision.pk)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("starts_on", "", "Name the first day."),
        ("starts_on", "tomorrow", "Write the day as 2027-01-31."),
        ("starts_on", "2020-01-01", "choose a later day"),
        ("reason", " ", "Write why the terms change"),
        ("price_on-site_percent", "130", "The percent lies between 0 and 100"),
        ("price_on-site_percent", "12.345", "at most two decimals"),
        ("price_on-site_percent", "a lot", "Write a number like 12.5."),
        ("price_on-demand_minimum", "-1", "The minimum is not negative"),
        ("price_on-demand_minimum", "1.005", "whole cents"),
        ("price_on-demand_minimum", "9" * 40, "more than any contract"),
        ("target_reaction_1_amount", "", "The reaction is promised at every priority"),
        ("target_reaction_1_amount", "0", "whole number of 1 or more"),
        ("target_reaction_1_amount", "soon", "Reaction, priority 1: write a whole number."),
        ("target_resolution_1_amount", "9" * 30, "longer than any promise"),
        ("calendar", "nowhere", "nowhere"),
        ("target_resolution_1_unit", "years", "years"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_what_was_typed_is_kept(client, field, value, words):
    answer = client.post(reverse("packages:change", args=["premium"]), typed(client, **{field: value}))

    form = answer.context["form"]
    assert answer.status_code == 422
    assert words in " ".join(form.errors[field])
    assert form[field].value() == value
    assert 'role="alert"' in answer.content.decode()
    assert not TermsDecision.objects.exists()


def test_everything_wrong_is_told_at_once(client):
    answer = client.post(
        reverse("packages:change", args=["premium"]),
        typed(client, starts_on="", **{"price_on-site_percent": "130", "target_reaction_1_amount": ""}),
    )

    assert set(answer.context["form"].errors) == {"starts_on", "price_on-site_percent", "target_reaction_1_amount"}


def test_a_change_without_a_change_is_told(client):
    answer = client.post(reverse("packages:change", args=["premium"]), typed(client))

    assert answer.context["form"].non_field_errors() == ["Nothing changes: these are the terms from 1 Jan 2020."]


def test_the_values_come_back_from_a_preview(client, admin):
    decision = a_decision(admin)

    form = client.get(reverse("packages:change", args=["premium"]), {"from": decision.pk}).context["form"]

    assert (form["price_on-site_percent"].value(), form["reason"].value()) == ("26", "New price list")
    assert form["starts_on"].value() == date(2026, 11, 17)


# The preview and the decision


def test_the_preview_says_what_moves(client, admin):
    open_ticket(a_customer(name="Ветролог"), priority=1)
    a_draft(a_customer(), starts_on=date(2027, 1, 1))
    decision = a_decision(admin)

    text = page(client, "decision", decision.pk)
    assert "2 deadlines move, 1 becomes missed" in text
    assert "Ветролог" in text
    assert "Signed contracts keep their terms, whatever you decide." in text
    assert "€25,000.00 → €26,000.00" in page(client, "decision", decision.pk, list="drafts")


def test_the_contract_administrator_reads_the_preview_without_buttons(admin):
    open_ticket(priority=3)
    decision = a_decision(admin)
    client = signed_in(a_contract_admin(language="en"))

    content = client.get(reverse("packages:decision", args=[decision.pk])).content.decode()

    assert 'value="apply"' not in content and 'name="chosen"' not in content
    refused = client.post(reverse("packages:decision", args=[decision.pk]), {"go": "all"})
    assert refused.status_code == 403


def test_the_statements_of_a_preview_do_not_grow(client, admin):
    customer = a_customer()
    open_ticket(customer, priority=3)
    few = a_decision(admin)
    for number in range(4):
        open_ticket(customer, priority=3, subject=f"№ {number}")
    many = a_decision(admin)

    def statements(decision: TermsDecision) -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("packages:decision", args=[decision.pk]))
        return len(asked)

    statements(few)
    assert statements(many) == statements(few)


def test_the_list_is_paged_and_the_choice_is_kept_from_page_to_page(client, admin, monkeypatch):
    monkeypatch.setattr("tickets.views.packages.PAGE", 2)
    customer = a_customer()
    for number in range(5):
        open_ticket(customer, priority=3, subject=f"№ {number}")
    decision = a_decision(admin)
    address = reverse("packages:decision", args=[decision.pk])
    seen, query, after = [], {}, True
    while after:
        context = client.get(address, query).context
        keys = [item.pk for item, _moves in context["rows"]]
        seen += keys
        after = context["after"]
        go = f"after:{after}" if after else "keep"
        answer = client.post(address, {"go": go, "list": "tickets", "shown": keys, "chosen": keys[:1]})
        query = dict(re.findall(r"(list|after)=([\w-]+)", answer.url))

    assert sorted(seen) == sorted(decision.items.values_list("pk", flat=True))
    assert decision.items.filter(chosen=True).count() == 3


def test_chosen_ones_are_applied_and_the_result_says_so(client, admin):
    ticket = open_ticket(a_customer(name="Ветролог"), priority=3)
    decision = a_decision(admin)
    address = reverse("packages:decision", args=[decision.pk])
    client.post(address, {"go": "again"})  # as of now: what the preview shows must still hold when it is applied
    key = decision.items.get().pk

    answer = client.post(address, {"go": "apply", "scope": "chosen", "shown": [key], "chosen": [key]})

    assert answer.url == address
    assert "1 applied" in page(client, "decision", decision.pk)
    assert "Ветролог" in page(client, "decision", decision.pk)
    assert Ticket.objects.get(pk=ticket.pk).terms.starts_on == date(2026, 11, 17)


def test_what_is_left_is_shown_with_the_reason(client, admin):
    ticket = open_ticket(priority=3)
    decision = a_decision(admin)
    Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=tuesday(11, 2))

    client.post(reverse("packages:decision", args=[decision.pk]), {"go": "apply", "scope": "dated"})

    assert "It was closed since the preview." in page(client, "decision", decision.pk)


def test_new_contracts_only_says_that_nothing_older_was_touched(client, admin):
    decision = a_decision(admin)

    client.post(reverse("packages:decision", args=[decision.pk]), {"go": "apply", "scope": "new"})

    assert "Nothing older was touched" in page(client, "decision", decision.pk)


def test_a_refused_decision_says_why_and_changes_nothing(client, admin):
    open_ticket(priority=3)
    decision = a_decision(admin)
    address = reverse("packages:decision", args=[decision.pk])

    answer = client.post(address, {"go": "apply", "scope": "chosen"})

    assert answer.status_code == 409
    assert "Nothing is chosen" in answer.content.decode()
    assert PackageTerms.objects.count() == 3


def test_a_decided_change_is_not_decided_again(client, admin):
    decision = a_decision(admin)
    address = reverse("packages:decision", args=[decision.pk])
    client.post(address, {"go": "apply", "scope": "new"})

    answer = client.post(address, {"go": "apply", "scope": "dated"})

    assert answer.status_code == 409
    assert package("premium").terms.count() == 2


def test_a_preview_that_is_being_counted_says_so(client, admin):
    open_ticket(priority=3)
    change = as_change(package("premium").terms.get(), starts_on=date(2026, 11, 17))
    decision = begin(replace(change, services=frozenset({"online"})), reason="Less", by=admin, at=tuesday(11))

    assert "What moves is being counted" in page(client, "decision", decision.pk)


@pytest.mark.parametrize(
    "query",
    [{"after": "x"}, {"after": "1-"}, {"after": "9" * 40}, {"after": "²-1"}],
)
def test_an_address_that_is_not_complete_is_refused(client, admin, query):
    open_ticket(priority=3)
    decision = a_decision(admin)

    assert client.get(reverse("packages:decision", args=[decision.pk]), query).status_code == 400


def test_terms_are_previewed_for_more(client, admin):
    open_ticket(priority=3)
    decision = a_decision(admin)
    client.post(reverse("packages:decision", args=[decision.pk]), {"go": "apply", "scope": "new"})
    decision.refresh_from_db()
    address = reverse("packages:more", args=[decision.terms_id])

    assert client.post(address, {"reason": "  "}).url == reverse("packages:package", args=["premium"])
    answer = client.post(address, {"reason": "Asked for"})

    later = TermsDecision.objects.latest("pk")
    assert answer.url == reverse("packages:decision", args=[later.pk])
    assert (later.terms, later.items.count()) == (decision.terms, 1)


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_page_is_there_in_both_languages(language):
    person = UserFactory(admin=True, language=language)
    client = signed_in(person)
    open_ticket(priority=3)
    a_draft(a_customer(), starts_on=date(2027, 1, 1))
    decision = a_decision(person)

    for route in (("packages",), ("package", "premium"), ("change", "premium"), ("decision", decision.pk)):
        assert page(client, *route)
