"""The pages of the one responsible contact: asked, agreed, taken back; tickets go and come back (§1.7.1, §2, §7)."""

import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contracts.models import ContactChange, Customer, ResponsibleContact
from tests.factories import (
    MOSCOW,
    UserFactory,
    a_contract_admin,
    a_csm,
    a_customer,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
)
from tests.moments import december, tuesday
from tickets import workflow
from tickets.models import Ticket
from tickets.views import people as pages
from tickets.workflow import follow_contact

pytestmark = pytest.mark.django_db
State = ContactChange.State
PEOPLE, CHANGES = "/contract/people/", "/c/changes/"


def a_company(**fields: Any) -> Customer:
    return a_customer(starts_on=(timezone.now() - timedelta(days=100)).date(), language="en", **fields)


def the(customer: Customer, *, observer: bool = False) -> Any:
    return observer_of(customer, timezone.now()) if observer else contact_of(customer, timezone.now())


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).replace("&nbsp;", " ").split())


def local(at: datetime) -> str:
    """As the browser's own choice of a moment sends it, in Moscow time."""
    return at.astimezone(MOSCOW).strftime("%Y-%m-%dT%H:%M")


def sent(customer: Customer, **fields: Any) -> dict[str, Any]:
    ahead = timezone.now() + timedelta(days=7)
    return {
        "user": observer_of(customer, timezone.now()).pk,
        "starts_at": local(ahead),
        "ends_at": local(ahead + timedelta(days=14)),
        "reason": "A holiday",
        **fields,
    }


def asked(customer: Customer, *, by: Any = None, **fields: Any) -> ContactChange:
    now = timezone.now()
    values = {"user": the(customer, observer=True), "starts_at": now + timedelta(days=7), "reason": "A holiday"}
    return workflow.ask_contact_change(customer, by=by or the(customer), at=now, **{**values, **fields})


# The customer


def test_the_contact_asks_for_a_substitution_and_the_page_says_what_it_waits_for(client):
    customer = a_company()
    client.force_login(the(customer))

    fields = sent(customer)
    response = client.post(f"{PEOPLE}changes/", fields)
    assert response.status_code == 303

    change = ContactChange.objects.get()
    assert change.starts_at == datetime.strptime(fields["starts_at"], "%Y-%m-%dT%H:%M").replace(tzinfo=MOSCOW)
    page = text(client.get(PEOPLE))
    assert "The customer has agreed. It waits for our contract administrator." in page
    assert "Withdraw the change" in page
    assert "Ask for another contact" not in page


def test_a_colleague_asks_and_the_contact_agrees(client):
    customer = a_company()
    observer = the(customer, observer=True)
    client.force_login(observer)
    client.post(f"{PEOPLE}changes/", sent(customer, starts_at="", ends_at=""))
    change = ContactChange.objects.get()
    assert f"It waits for the responsible contact, {the(customer).full_name}" in text(client.get(PEOPLE))
    assert client.post(f"{PEOPLE}changes/{change.pk}/agreement/").status_code == 403

    client.force_login(the(customer))
    assert "Agree for the company" in text(client.get(PEOPLE))
    assert client.post(f"{PEOPLE}changes/{change.pk}/agreement/").status_code == 303

    change.refresh_from_db()
    assert (change.customer_agreed_by, change.state) == (the(customer), State.ASKED)


def test_bad_input_is_said_at_the_field_and_stays_typed(client):
    customer = a_company()
    client.force_login(the(customer))
    ahead = timezone.now() + timedelta(days=7)
    for fields, words in [
        ({"user": ""}, "Choose who takes over"),
        ({"user": the(a_company()).pk}, "Choose one of the company's people from the list"),
        ({"reason": " "}, "Write why the contact changes"),
        ({"reason": "x" * 201}, "The reason is at most 200 characters"),
        ({"starts_at": "31.31.2026"}, "Write a day and an hour"),
        ({"starts_at": "2020-01-01T09:00"}, "This moment has passed"),
        ({"ends_at": local(ahead - timedelta(days=1))}, "The end must be after the beginning"),
        ({"ends_at": "9999-12-31T23:59"}, "more than three years ahead"),
        ({"starts_at": "0001-01-01T00:00"}, "This moment has passed"),
    ]:
        response = client.post(f"{PEOPLE}changes/", sent(customer, **fields))
        page = unescape(response.content.decode())
        assert response.status_code == 422, fields
        assert page.count(words) >= 2, fields  # in the summary and at the field
        for typed in (value for value in fields.values() if isinstance(value, str) and value.strip()):
            assert typed in page
    assert not ContactChange.objects.exists()


def test_a_rule_that_refuses_keeps_what_was_typed(client):
    customer = a_company()
    asked(customer, reason="Another")
    client.force_login(the(customer))

    response = client.post(f"{PEOPLE}changes/", sent(customer, reason="My own words"))

    assert response.status_code == 409
    assert "waits for its answer already" in text(response)


def test_a_double_click_asks_once(client):
    customer = a_company()
    client.force_login(the(customer))
    form = sent(customer)

    assert [client.post(f"{PEOPLE}changes/", form).status_code for _ in range(2)] == [303, 303]
    assert ContactChange.objects.count() == 1


def test_refusing_asks_for_words_and_withdrawing_takes_it_back(client):
    customer = a_company()
    change = asked(customer, by=the(customer, observer=True))
    client.force_login(the(customer))
    empty = client.post(f"{PEOPLE}changes/{change.pk}/refusal/", {"words": ""})
    assert (empty.status_code, "Write why not: who asked for it reads that" in text(empty)) == (422, True)
    assert client.post(f"{PEOPLE}changes/{change.pk}/refusal/", {"words": "Not now"}).status_code == 303
    assert "Not now" in text(client.get(PEOPLE))

    mine = asked(customer)
    assert client.post(f"{PEOPLE}changes/{mine.pk}/withdrawal/").status_code == 303
    mine.refresh_from_db()
    assert mine.state == State.WITHDRAWN


def test_a_get_of_a_step_leads_to_the_page_and_changes_nothing(client):
    customer = a_company()
    change = asked(customer, by=the(customer, observer=True))
    client.force_login(the(customer))

    for step in ("agreement", "refusal", "withdrawal"):
        assert client.get(f"{PEOPLE}changes/{change.pk}/{step}/")["Location"] == PEOPLE
    change.refresh_from_db()
    assert (change.state, change.customer_agreed_at) == (State.ASKED, None)


@pytest.mark.parametrize("observer", [False, True])
def test_another_companys_change_answers_exactly_as_a_missing_one(client, observer):
    change = asked(a_company())
    client.force_login(the(a_company(), observer=observer))

    for step in ("agreement", "refusal", "withdrawal"):
        here = client.post(f"{PEOPLE}changes/{change.pk}/{step}/", {"words": "x"})
        missing = client.post(f"{PEOPLE}changes/{change.pk + 999}/{step}/", {"words": "x"})
        assert (here.status_code, missing.status_code) == (404, 404)
    assert client.get(f"{PEOPLE}?before={change.customer.contacts.get().pk}").status_code == 404


def test_a_person_without_a_company_and_our_own_people_have_no_such_page(client):
    client.force_login(UserFactory(language="en"))
    assert "do not belong to a company" in text(client.get(PEOPLE))
    client.force_login(a_contract_admin())
    assert client.get(PEOPLE).status_code == 404


def test_the_page_tells_a_substitution_that_runs_and_ends_it(client):
    customer = a_company()
    was, to, admin = the(customer), the(customer, observer=True), a_contract_admin()
    ago = timezone.now() - timedelta(hours=2)
    change = workflow.ask_contact_change(
        customer, user=to, starts_at=ago, ends_at=ago + timedelta(days=9), reason="Ill", by=was, at=ago
    )
    workflow.agree_contact_change(change, by=admin, at=ago)
    client.force_login(was)
    page = text(client.get(PEOPLE))
    assert f"Stands in for {was.full_name}" in page
    assert "End the substitution now" in page

    assert client.post(f"{PEOPLE}changes/{change.pk}/withdrawal/").status_code == 303

    assert the(customer) == was
    assert f"{to.full_name}" in text(client.get(PEOPLE))


def test_history_is_paged_by_keyset(client, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    customer, admin = a_company(), a_contract_admin()
    first = the(customer)
    start = timezone.now() - timedelta(days=50)
    for day, to in enumerate([a_member(customer, full_name=f"Person Number{n}", language="en") for n in range(4)]):
        workflow.hand_over_contact(customer, to=to, by=admin, at=start + timedelta(days=day), reason=f"Why {day}")
    client.force_login(the(customer))

    page = client.get(PEOPLE).content.decode()
    further = re.search(r'href="(\?before=\d+)#history" rel="next"', page)
    second = client.get(PEOPLE + further.group(1)).content.decode()

    past = [re.findall(r"<li><b>([^<]+)</b> <span class=\"muted\"><time", one) for one in (page, second)]
    assert past == [["Person Number2", "Person Number1"], ["Person Number0", first.full_name]]


def test_the_page_costs_the_same_for_one_and_three_of_everything(client):
    customer, admin = a_company(), a_contract_admin()
    to = the(customer, observer=True)
    client.force_login(to)
    workflow.hand_over_contact(customer, to=to, by=admin, at=timezone.now() - timedelta(days=5), reason="Left")
    client.get(PEOPLE)

    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(PEOPLE)
        return len(captured)

    workflow.agree_contact_change(
        asked(customer, user=a_member(customer), ends_at=timezone.now() + timedelta(days=8)),
        by=admin,
        at=timezone.now(),
    )
    one = cost()
    for week in (3, 5):
        at = timezone.now() + timedelta(weeks=week)
        change = asked(
            customer, user=a_member(customer), starts_at=at, ends_at=at + timedelta(days=3), reason=f"{week}"
        )
        workflow.agree_contact_change(change, by=admin, at=timezone.now())
    assert cost() <= one


# The contract administrator


def test_what_waits_stands_oldest_first_and_our_yes_makes_the_change(client):
    older, newer = a_company(), a_company()
    change = asked(older)
    asked(newer, by=the(newer, observer=True))
    client.force_login(a_contract_admin(language="en"))

    page = text(client.get(CHANGES))
    assert page.index(older.name) < page.index(newer.name)
    assert client.post(f"{CHANGES}{change.pk}/agreement/").status_code == 303
    assert client.post(f"{CHANGES}{change.pk}/agreement/").status_code == 303  # a double click

    change.refresh_from_db()
    assert change.state == State.AGREED
    assert ResponsibleContact.objects.filter(customer=older).count() == 2


def test_the_companys_yes_is_recorded_with_its_evidence(client):
    customer = a_company()
    change = asked(customer, by=the(customer, observer=True))
    client.force_login(a_contract_admin(language="en"))

    empty = client.post(f"{CHANGES}{change.pk}/agreement/", {"words": " "})
    assert (empty.status_code, text(empty).count("Name the paper or letter")) == (422, 2)
    assert client.post(f"{CHANGES}{change.pk}/agreement/", {"words": "Letter 12"}).status_code == 303

    change.refresh_from_db()
    assert (change.state, change.customer_evidence, change.customer_agreed_by) == (State.AGREED, "Letter 12", None)
    assert "Letter 12" in text(client.get(CHANGES))


def test_refusing_needs_words_and_the_second_administrator_reads_one_sentence(client):
    change = asked(a_company())
    client.force_login(a_contract_admin(language="en"))
    assert client.post(f"{CHANGES}{change.pk}/refusal/", {"words": ""}).status_code == 422
    assert client.post(f"{CHANGES}{change.pk}/refusal/", {"words": "No paper"}).status_code == 303

    client.force_login(a_contract_admin(language="en"))
    late = client.post(f"{CHANGES}{change.pk}/agreement/")

    assert (late.status_code, "This change is settled already: refused." in text(late)) == (409, True)


def test_the_administrator_names_another_contact_by_the_companys_name(client):
    customer = a_company()
    client.force_login(a_contract_admin(language="en"))
    assert customer.name in text(client.get(f"{CHANGES}new/", {"q": customer.name[-8:-1]}))
    assert "No company has this" in text(client.get(f"{CHANGES}new/", {"q": "zzz"}))

    address = f"{CHANGES}new/{customer.pk}/"
    assert client.get(address).status_code == 200
    assert client.post(address, sent(customer, reason="")).status_code == 422
    assert client.post(address, sent(customer, starts_at="", ends_at="", evidence="Letter 3")).status_code == 303

    assert ContactChange.objects.get().state == State.AGREED
    assert client.get(f"{CHANGES}new/{customer.pk + 999}/").status_code == 404


def test_roles(client):
    csm = a_csm(language="en")
    own, foreign = a_company(csm=csm), a_company()
    mine = asked(own)
    asked(foreign)
    steps = [f"{CHANGES}{mine.pk}/{step}/" for step in ("agreement", "refusal", "withdrawal")]
    for person, reads in [(csm, True), (a_manager(language="en"), True), (an_engineer(), False), (the(own), False)]:
        client.force_login(person)
        assert client.get(CHANGES).status_code == (200 if reads else 403)
        assert {client.post(step, {"words": "x"}).status_code for step in steps} == {403}
        assert client.get(f"{CHANGES}new/{own.pk}/").status_code == 403
    client.force_login(csm)
    page = text(client.get(CHANGES))
    assert (own.name in page, foreign.name in page, "Agree" in page) == (True, False, False)


def test_the_lists_are_paged_and_cost_the_same(client, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    client.force_login(a_contract_admin(language="en"))
    companies = [a_company(csm=a_csm()) for _ in range(4)]
    asked(companies[0])
    client.get(CHANGES)
    with CaptureQueriesContext(connection) as one:
        client.get(CHANGES)
    for company in companies[1:]:
        asked(company)
    with CaptureQueriesContext(connection) as more:
        first = client.get(CHANGES).content.decode()

    assert len(more) == len(one)
    assert [company.name in first for company in companies] == [True, True, False, False]
    further = re.search(r'href="(\?after=\d+)" rel="next"', first)
    second = client.get(CHANGES + further.group(1)).content.decode()
    assert [company.name in second for company in companies] == [False, False, True, True]
    assert client.get(f"{CHANGES}?after=999999999&before=zzz").status_code == 200


# The tickets go, and come back


def test_tickets_follow_a_substitution_at_its_start_and_come_back_at_its_end():
    customer = a_customer()
    was, to, admin = contact_of(customer), observer_of(customer), a_contract_admin()
    ticket = open_ticket(customer)
    change = workflow.ask_contact_change(
        customer, user=to, starts_at=december(1), ends_at=december(14), reason="A holiday", by=was, at=tuesday(11)
    )
    workflow.agree_contact_change(change, by=admin, at=tuesday(12))

    def contact(at: datetime) -> Any:
        follow_contact(customer, by=None, at=at)
        return Ticket.objects.get(pk=ticket.pk).contact

    assert contact(tuesday(12)) == was
    assert contact(december(1)) == to
    assert contact(december(1)) == to  # the job of the next minute changes nothing
    assert contact(december(14)) == was
    assert ticket.events.filter(verb="contact_changed").count() == 2


def test_tickets_follow_at_once_with_the_second_yes_and_with_the_early_end():
    customer = a_customer()
    was, to = contact_of(customer), observer_of(customer)
    ticket = open_ticket(customer)
    change = workflow.ask_contact_change(
        customer, user=to, starts_at=tuesday(11), ends_at=december(14), reason="Ill", by=was, at=tuesday(11)
    )
    workflow.agree_contact_change(change, by=a_contract_admin(), at=tuesday(12))
    ticket.refresh_from_db()
    assert ticket.contact == to

    workflow.withdraw_contact_change(change, by=was, at=tuesday(15))

    ticket.refresh_from_db()
    assert ticket.contact == was
