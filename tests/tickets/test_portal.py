"""The portal: who may come in, what is promised before sending, and every change with its refusals.

Pages read the clock, so the companies here have contracts that are in force today. They read English, whose words are
the msgids.
"""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from contracts.models import Customer
from sla.models import Escalation
from tests.factories import (
    CustomerFactory,
    UserFactory,
    a_contact,
    a_customer,
    a_manager,
    an_engineer,
    contact_of,
    contract_of,
    observer_of,
    open_ticket,
    top,
)
from tickets import workflow
from tickets.models import Event, HeldRequest, Message, Rating, Ticket

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return timezone.now()


def ago(**span: float) -> datetime:
    return now() - timedelta(**span)


def a_company(package: str = "premium", **fields: Any) -> Customer:
    """A company with a contract in force today."""
    return a_customer(package, starts_on=ago(days=100).date(), language="en", **fields)


@pytest.fixture
def signed_in(client: Client) -> Callable[[Any], Client]:
    def sign_in(person: Any) -> Client:
        client.force_login(person)
        return client

    return sign_in


def person(customer: Customer, *, observer: bool = False) -> Any:
    return observer_of(customer, now()) if observer else contact_of(customer, now())


def page(response: Any) -> str:
    """The page's text, with spaces as one: what a person reads."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(text.replace("&nbsp;", " ").split())


def in_work(customer: Customer, **fields: Any) -> Ticket:
    ticket = open_ticket(customer, **{"at": ago(minutes=30), **fields})
    return workflow.accept(ticket, by=an_engineer(), at=ago(minutes=25))


def resolved(customer: Customer, **fields: Any) -> Ticket:
    ticket = in_work(customer, **fields)
    return workflow.resolve(ticket, by=ticket.assignee, body="It is mended.", at=ago(minutes=20))


def url(ticket: Ticket, what: str = "") -> str:
    return f"/t/{ticket.number}/{what}"


# Who may come in


PAGES = ["", "escalate/", "withdrawal/", "rate/"]
RESOURCES = [
    "replies/",
    "confirmation/",
    "reopening/",
    "withdrawal/",
    "contest/",
    "priority/",
    "escalations/",
    "rating/",
]


@pytest.mark.parametrize("address", ["/", "/t/", "/t/new/", "/t/10001/", "/t/10001/rate/", "/t/new/promises/"])
def test_a_stranger_is_asked_to_sign_in(client, address):
    response = client.get(address)

    assert response.status_code == 302
    assert response["Location"].startswith("/account/login/")


@pytest.mark.parametrize("what", PAGES)
def test_another_companys_ticket_answers_exactly_as_a_missing_one(signed_in, what):
    foreign = resolved(a_company())
    client = signed_in(person(a_company()))

    here, missing = client.get(url(foreign, what)), client.get(f"/t/{foreign.number + 999}/{what}")

    assert (here.status_code, missing.status_code) == (404, 404)
    text, missing_text = (re.sub(r"\d\d:\d\d", "", page(answer)) for answer in (here, missing))
    assert text == missing_text


@pytest.mark.parametrize("what", RESOURCES)
def test_another_companys_ticket_cannot_be_changed(signed_in, what):
    foreign = in_work(a_company())
    client = signed_in(person(a_company()))

    response = client.post(url(foreign, what), {"body": "hello", "reason": "why"})

    assert response.status_code == 404
    assert foreign.messages.count() == 1


def test_a_foreign_file_is_404(signed_in):
    foreign = a_company()
    upload = workflow.Upload("a.txt", "text/plain", SimpleUploadedFile("a.txt", b"secret"), 6)
    ticket = open_ticket(foreign, at=ago(minutes=5), files=[upload])
    attachment = ticket.messages.get().attachments.get()

    response = signed_in(person(a_company())).get(url(ticket, f"files/{attachment.pk}/"))

    assert response.status_code == 404


def test_an_own_file_is_a_download(signed_in):
    company = a_company()
    upload = workflow.Upload("a.txt", "text/plain", SimpleUploadedFile("a.txt", b"the log"), 7)
    ticket = open_ticket(company, at=ago(minutes=5), files=[upload])
    attachment = ticket.messages.get().attachments.get()

    response = signed_in(person(company)).get(url(ticket, f"files/{attachment.pk}/"))

    assert response["Content-Disposition"] == 'attachment; filename="a.txt"'
    assert b"".join(response.streaming_content) == b"the log"


def test_an_engineer_is_led_to_the_desks_page_of_the_ticket(signed_in):
    ticket = open_ticket(a_company(), at=ago(minutes=5))

    response = signed_in(an_engineer()).get(url(ticket))

    assert (response.status_code, response["Location"]) == (302, f"/w/t/{ticket.number}/")


@pytest.mark.parametrize("address", ["/t/", "/t/new/", "/t/999999/", "/t/999999/rate/"])
def test_an_engineer_has_no_portal(signed_in, address):
    assert signed_in(an_engineer()).get(address).status_code == 404


@pytest.mark.parametrize("role", ["partner", "contract_admin", "admin", "top"])
def test_who_reads_no_tickets_gets_404(signed_in, role):
    ticket = open_ticket(a_company(), at=ago(minutes=5))

    assert signed_in(UserFactory(**{role: True})).get(url(ticket)).status_code == 404


def test_a_customers_person_without_a_company_is_told_so(signed_in):
    response = signed_in(UserFactory(language="en")).get("/")

    assert response.status_code == 200
    assert "You do not belong to a company yet" in page(response)


# Home


def test_home_shows_what_waits_for_the_customer_first(signed_in):
    company = a_company()
    ticket = in_work(company, subject="The import doubles contacts")
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which file?", at=ago(minutes=10))

    text = page(signed_in(person(company)).get("/"))

    assert "We are waiting for your answer The import doubles contacts" in text
    assert f"{ticket.assignee.short_name} asked:" in text


@pytest.mark.parametrize(("package", "stands"), [("premium", True), ("business", False)])
def test_a_clock_is_said_to_stand_only_where_one_runs(signed_in, package, stands):
    company = a_company(package)
    ticket = in_work(company)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which file?", at=ago(minutes=10))
    client = signed_in(person(company))

    assert ("The solution clock is on hold" in page(client.get("/"))) is stands
    assert ("the solution clock is on hold" in page(client.get(url(ticket)))) is stands


def test_home_shows_the_promise_of_each_open_request(signed_in):
    company = a_company()
    in_work(company, subject="Labels are not printed", priority=1)

    text = page(signed_in(person(company)).get("/"))

    assert "Labels are not printed" in text
    assert "We will solve it by" in text


def test_home_has_the_search_in_the_articles(signed_in):
    response = signed_in(person(a_company())).get("/")

    assert '<form class="row flat" role="search" method="get" action="/kb/">' in response.content.decode()


def test_home_of_premium_shows_the_package_and_the_manager(signed_in):
    company = a_company()
    text = page(signed_in(person(company)).get("/"))

    assert "Your support Premium" in text
    assert "30 minutes – if the system or a main function does not work at all" in text
    assert contract_of(company).number in text
    assert f"Your manager {company.csm.initials} {company.csm.full_name}" in text


def test_home_of_basic_shows_no_phone_no_manager_and_no_solution_time(signed_in):
    company = a_company("basic", csm=None)
    in_work(company, priority=1)

    text = page(signed_in(person(company)).get("/"))

    assert settings.SUPPORT_PHONE not in text
    assert "Your manager" not in text
    assert "Solution within" not in text
    assert "We will solve" not in text
    assert "no promise" in text


def test_the_manager_of_support_is_not_shown_as_a_csm(signed_in):
    a_manager(full_name="Maria Manager")

    assert "Maria Manager" not in page(signed_in(person(a_company("business"))).get("/"))


def test_an_observer_reads_and_sees_why_there_are_no_controls(signed_in):
    company = a_company()
    ticket = in_work(company, subject="Labels are not printed")
    client = signed_in(person(company, observer=True))
    contact = person(company).full_name
    why = f"The responsible contact of your company, {contact}, files requests and replies. You can read everything."

    home, shown = client.get("/"), client.get(url(ticket))

    for response in (home, shown):
        assert "Labels are not printed" in page(response)
        assert why in page(response)
    assert "/t/new/" not in home.content.decode()
    assert "<textarea" not in shown.content.decode()
    assert "escalate" not in shown.content.decode()


def test_without_a_contract_home_says_so(signed_in):
    company = CustomerFactory(language="en")
    contact = a_contact(company)

    text = page(signed_in(contact).get("/"))

    assert "Your company has no support contract in force" in text


@pytest.mark.parametrize("address", ["/", "/t/"])
def test_three_requests_cost_as_many_statements_as_one(signed_in, django_assert_max_num_queries, address):
    company = a_company()
    client = signed_in(person(company))

    def a_request() -> None:
        ticket = in_work(company)
        workflow.ask_customer(ticket, by=ticket.assignee, body="Which file?", at=ago(minutes=10))

    def statements() -> int:
        with django_assert_max_num_queries(30) as counted:
            client.get(address)
        return len(counted.captured_queries)

    a_request()
    statements()  # the calendar's versions are kept by the process
    one = statements()
    a_request()
    a_request()

    assert statements() == one


def test_a_long_conversation_costs_as_many_statements_as_a_short_one(signed_in, django_assert_max_num_queries):
    company = a_company()
    ticket = in_work(company)
    client = signed_in(person(company))

    def statements() -> int:
        with django_assert_max_num_queries(30) as counted:
            client.get(url(ticket))
        return len(counted.captured_queries)

    statements()
    short = statements()
    for number in range(6):
        workflow.reply(ticket, by=ticket.assignee, body=f"News {number}", at=ago(minutes=10 - number))

    assert statements() == short


# The company's list


def test_the_list_pages_by_number_without_losing_or_repeating_any(signed_in, monkeypatch):
    monkeypatch.setattr("tickets.views.company.PAGE", 2)
    company = a_company()
    numbers = [open_ticket(company, at=ago(minutes=50 - step)).number for step in range(5)]
    client = signed_in(person(company))

    def shown(address: str) -> list[int]:
        return [int(found) for found in re.findall(r'href="/t/(\d+)/"', client.get(address).content.decode())]

    newest_first = numbers[::-1]
    assert shown("/t/") == newest_first[:2]
    assert shown(f"/t/?before={newest_first[1]}") == newest_first[2:4]
    assert shown(f"/t/?before={newest_first[3]}") == newest_first[4:]
    assert shown(f"/t/?after={newest_first[2]}") == newest_first[:2]


def test_the_list_is_filtered_by_state_in_the_query(signed_in):
    company = a_company()
    in_work(company, subject="Still open")
    resolved(company, subject="Already solved")

    text = page(signed_in(person(company)).get("/t/?state=solved"))

    assert "Already solved" in text
    assert "Still open" not in text


def test_an_empty_list_says_which_emptiness_it_is(signed_in):
    client = signed_in(person(a_company()))

    assert "Your company has not asked anything yet" in page(client.get("/t/"))
    assert "Nothing fits all these filters" in page(client.get("/t/?state=solved"))


# The new request


def filled(**fields: Any) -> dict[str, Any]:
    return {
        "key": "a" * 32,
        "subject": "Labels are not printed",
        "kind": "incident",
        "impact": "2",
        "body": "The report service answers 503.",
        **fields,
    }


def test_every_choice_shows_its_promise_before_sending(signed_in):
    text = page(signed_in(person(a_company())).get("/t/new/"))

    assert text.count("we reply by") == 7  # four effects, two without another way, and a question
    assert text.count("we solve it by") == 6


@pytest.mark.parametrize("package", ["basic", "business"])
def test_without_promised_solutions_only_the_answer_is_shown(signed_in, package):
    text = page(signed_in(person(a_company(package))).get("/t/new/"))

    assert "we reply by" in text
    assert "we solve it by" not in text
    assert f"The package {package.capitalize()} promises the time of the first answer, not of the solution." in text


def test_basic_is_shown_no_phone(signed_in):
    response = signed_in(person(a_company("basic"))).get("/t/new/")

    assert settings.SUPPORT_PHONE not in page(response)
    assert "phone" not in page(response).lower()


def test_premium_is_told_to_call_when_nothing_works(signed_in):
    assert f"Better call as well: {settings.SUPPORT_PHONE}" in page(signed_in(person(a_company())).get("/t/new/"))


def test_a_sent_request_is_a_ticket_with_its_promises(signed_in):
    company = a_company()

    response = signed_in(person(company)).post("/t/new/", filled(), follow=True)

    ticket = Ticket.objects.get()
    assert response.redirect_chain == [(url(ticket), 303)]
    assert (ticket.priority, ticket.kind, ticket.channel_id) == (2, "incident", "portal")
    assert ticket.contact == person(company)
    assert f"Request № {ticket.number} is received. We will reply by" in page(response)


@pytest.mark.parametrize(
    ("impact", "no_other_way", "priority"),
    [
        ("1", "", 1),
        ("2", "", 2),
        ("3", "", 3),
        ("4", "", 4),
        ("1", "on", 1),
        ("2", "on", 1),
        ("3", "on", 2),
        ("4", "on", 4),
    ],
)
def test_the_effect_gives_the_priority(signed_in, impact, no_other_way, priority):
    sent = filled(impact=impact, **({"no_other_way": no_other_way} if no_other_way else {}))

    signed_in(person(a_company())).post("/t/new/", sent)

    assert Ticket.objects.get().priority == priority


def test_a_question_is_not_asked_for_its_effect(signed_in):
    signed_in(person(a_company())).post("/t/new/", filled(kind="consultation", impact=""))

    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.priority) == ("consultation", 4)
    assert [clock.kind for clock in ticket.commitments.all()] == ["reaction"]


def test_product_and_version_come_from_the_licence(signed_in):
    company = a_company()
    licence = company.licences.get()
    client = signed_in(person(company))

    assert f'<option value="{licence.pk}" selected>' in client.get("/t/new/").content.decode()
    client.post("/t/new/", filled(installation=licence.pk))

    ticket = Ticket.objects.get()
    assert (ticket.product, ticket.release) == (licence.product, licence.release)


def test_files_come_with_the_request(signed_in):
    files = [SimpleUploadedFile("one.log", b"1"), SimpleUploadedFile("two.log", b"22")]

    signed_in(person(a_company())).post("/t/new/", filled(files=files))

    names = [attachment.name for attachment in Message.objects.get().attachments.order_by("pk")]
    assert names == ["one.log", "two.log"]


def test_sent_twice_it_is_one_ticket(signed_in):
    client = signed_in(person(a_company()))

    first, second = client.post("/t/new/", filled()), client.post("/t/new/", filled())

    assert Ticket.objects.count() == 1
    assert first["Location"] == second["Location"]


def test_sent_again_after_going_back_it_is_one_ticket(signed_in):
    client = signed_in(person(a_company()))

    first = client.post("/t/new/", filled())
    again = client.post("/t/new/", filled(key="b" * 32), follow=True)  # the form drawn anew has another key

    assert Ticket.objects.count() == 1
    assert again.redirect_chain == [(first["Location"], 303)]
    assert f"You sent this already: it is request № {Ticket.objects.get().number}." in again.content.decode()


def test_other_words_or_another_file_are_another_request(signed_in):
    client = signed_in(person(a_company()))

    client.post("/t/new/", filled())
    client.post("/t/new/", filled(key="b" * 32, body="It happens on the second server, too."))
    client.post("/t/new/", filled(key="c" * 32, files=[SimpleUploadedFile("new.log", b"1")]))

    assert Ticket.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_the_same_instant_are_one_ticket(catalogue_again):
    contact = person(a_company())

    def click(_number: int) -> str:
        client = Client()
        client.force_login(contact)
        try:
            return client.post("/t/new/", filled())["Location"]
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        addresses = set(both.map(click, range(2)))

    assert addresses == {url(Ticket.objects.get())}


def test_what_is_missing_is_said_on_top_and_at_the_field_and_nothing_typed_is_lost(signed_in):
    response = signed_in(person(a_company())).post("/t/new/", filled(subject="", topic="database", no_other_way="on"))

    html = response.content.decode()
    assert response.status_code == 422
    assert "<title>Error: New request" in html
    assert html.count("Write in one line what happened") == 2
    assert '<a href="#id_subject">' in html
    assert "The report service answers 503." in html
    assert '<option value="database" selected>' in html
    assert re.search(r'name="impact" value="2" id="impact-2" checked', html)
    assert re.search(r'id="id_no_other_way" checked', html)
    assert 'value="' + "a" * 32 + '"' in html


def test_files_of_a_refused_form_wait_for_the_next_try(signed_in):
    sent = filled(subject="", files=[SimpleUploadedFile("one.log", b"1")])

    response = signed_in(person(a_company())).post("/t/new/", sent)

    assert "one.log" in page(response)
    assert 'name="pending"' in response.content.decode()


def test_an_effect_must_be_chosen_for_an_incident(signed_in):
    response = signed_in(person(a_company())).post("/t/new/", filled(impact=""))

    assert response.status_code == 422
    assert response.content.decode().count("Choose how it gets in the way of the work") == 2


def test_what_is_not_included_is_said_before_sending(signed_in):
    client = signed_in(person(a_company("basic")))

    html = client.get("/t/new/").content.decode()
    said = page(client.get("/t/new/entitlement/?topic=development"))

    assert '<optgroup label="Not in your package (Basic)">' in html
    assert '<optgroup label="Outside support">' in html
    assert "is not in your package (Basic). It is in: Business, Premium." in said


def test_an_included_topic_needs_no_words(signed_in):
    response = signed_in(person(a_company())).get("/t/new/entitlement/?topic=development")

    assert response.content.decode().strip() == ""


def test_a_request_that_is_not_included_is_refused_with_everything_kept(signed_in):
    response = signed_in(person(a_company("basic"))).post("/t/new/", filled(topic="network_os"))

    assert response.status_code == 409
    assert "is outside support, unless the contract says otherwise: yours does not." in page(response).replace(
        "&#x27;", "'"
    )
    assert "§1.7.2" in page(response)
    assert "The report service answers 503." in response.content.decode()
    assert "Record it anyway as a question" in page(response)
    assert (Ticket.objects.count(), HeldRequest.objects.count()) == (0, 0)


def test_it_is_recorded_anyway_when_the_customer_wants_so_and_only_once(signed_in):
    company = a_company("basic")
    client = signed_in(person(company))

    client.post("/t/new/", filled(topic="network_os", hold="1"))
    response = client.post("/t/new/", filled(topic="network_os", hold="1"), follow=True)

    held = HeldRequest.objects.get()
    assert response.redirect_chain == [("/", 303)]
    assert (held.customer, held.sender, held.subject) == (company, person(company), "Labels are not printed")
    assert "We have recorded “Labels are not printed”." in page(response)
    assert Ticket.objects.count() == 0


def test_without_a_contract_the_request_is_recorded_and_said_so(signed_in):
    company = CustomerFactory(language="en")
    client = signed_in(a_contact(company))

    shown = client.get("/t/new/")
    response = client.post("/t/new/", {"subject": "Nothing works", "body": "At all."}, follow=True)

    assert "no support contract in force" in page(shown)
    held = HeldRequest.objects.get()
    assert (held.reason, held.subject, held.body) == ("no_contract", "Nothing works", "At all.")
    assert "We have recorded “Nothing works”." in page(response)


def test_an_observer_cannot_file(signed_in):
    client = signed_in(person(a_company(), observer=True))

    assert client.get("/t/new/").status_code == 403
    assert client.post("/t/new/", filled()).status_code == 403
    assert Ticket.objects.count() == 0


def test_an_open_page_gets_its_times_anew(signed_in):
    response = signed_in(person(a_company())).get("/t/new/promises/")

    ids = re.findall(r'id="(by-\w+)" hx-swap-oob="true"', response.content.decode())
    assert ids == ["by-1", "by-2", "by-3", "by-4", "by-question"]


# The page of a ticket


def test_the_page_shows_the_promise_its_arithmetic_and_the_way(signed_in):
    company = a_company()
    ticket = in_work(company, priority=1)

    text = page(signed_in(person(company)).get(url(ticket)))

    assert "Priority 1: the system or a main function does not work at all" in text
    assert "We will solve it by" in text
    assert "How the time was counted" in text
    assert (
        "the solution within 2 hours. By the terms of the package from 1 January 2020. "
        "Counted round the clock, without days off."
    ) in text
    assert f"In the hands of {ticket.assignee.full_name}" in text
    assert "First line works on it" in text
    assert "after the solution Your rating" in text


def test_basic_sees_no_phone_no_priority_and_no_resolution(signed_in):
    company = a_company("basic")
    ticket = in_work(company, priority=1)

    response = signed_in(person(company)).get(url(ticket))

    html, text = response.content.decode(), page(response)
    assert settings.SUPPORT_PHONE not in text
    assert "priority" not in html.lower().replace("priority 1", "")
    assert "We will solve" not in text
    assert "your package promises no time for the solution" in text


def test_internal_notes_are_never_shown(signed_in):
    company = a_company()
    ticket = in_work(company)
    workflow.note(ticket, by=ticket.assignee, body="The customer is wrong here", at=ago(minutes=5))

    assert "The customer is wrong here" not in page(signed_in(person(company)).get(url(ticket)))


def test_older_messages_are_folded_beyond_five(signed_in):
    company = a_company()
    ticket = in_work(company)
    for number in range(6):
        workflow.reply(ticket, by=ticket.assignee, body=f"News {number}", at=ago(minutes=10 - number))

    text = page(signed_in(person(company)).get(url(ticket)))

    assert "Show 2 earlier messages" in text


def test_what_the_customer_wrote_is_text_and_never_markup(signed_in):
    company = a_company()
    ticket = open_ticket(company, at=ago(minutes=5), subject="<b>bold</b>", body="<script>alert(1)</script>")

    html = signed_in(person(company)).get(url(ticket)).content.decode()

    assert "<script>alert" not in html
    assert "<b>bold</b>" not in html


def test_a_reload_of_a_resource_leads_back_to_the_ticket(signed_in):
    company = a_company()
    ticket = in_work(company)

    response = signed_in(person(company)).get(url(ticket, "replies/"))

    assert (response.status_code, response["Location"]) == (303, url(ticket))


# Changes


def test_a_reply_wakes_the_clock_and_is_said(signed_in):
    company = a_company()
    ticket = in_work(company)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which file?", at=ago(minutes=10))

    response = signed_in(person(company)).post(url(ticket, "replies/"), {"body": "This one.", "key": "k1"}, follow=True)

    assert response.redirect_chain == [(url(ticket), 303)]
    assert "Your answer is sent." in page(response)
    assert Ticket.objects.get().state == "in_progress"


def test_a_reply_sent_twice_is_said_once(signed_in):
    company = a_company()
    ticket = in_work(company)
    client = signed_in(person(company))

    for _click in range(2):
        client.post(url(ticket, "replies/"), {"body": "This one.", "key": "k1"})

    assert ticket.messages.filter(body="This one.").count() == 1


def test_an_empty_reply_is_422_at_its_field(signed_in):
    company = a_company()
    ticket = in_work(company)

    response = signed_in(person(company)).post(url(ticket, "replies/"), {"body": " "})

    assert response.status_code == 422
    assert response.content.decode().count("Write a few words: an empty answer says nothing") == 2
    assert '<a href="#reply_body">' in response.content.decode()


def test_a_reply_to_a_closed_request_opens_its_follow_up(signed_in):
    company = a_company()
    ticket = resolved(company)
    workflow.confirm(ticket, by=person(company), at=ago(minutes=10))

    response = signed_in(person(company)).post(
        url(ticket, "replies/"), {"body": "It is back.", "key": "k1"}, follow=True
    )

    follow_up = Ticket.objects.get(follows=ticket)
    assert response.redirect_chain == [(url(follow_up), 303)]
    assert f"we opened № {follow_up.number}" in page(response)
    assert f"Follows № {ticket.number}" in page(response)
    assert f"Followed by № {follow_up.number}" in page(signed_in(person(company)).get(url(ticket)))


@pytest.mark.parametrize("what", ["replies/", "reopening/", "withdrawal/", "priority/", "escalations/"])
def test_an_observers_change_is_403_and_changes_nothing(signed_in, what):
    company = a_company()
    ticket = in_work(company)
    sent = {"body": "Hello", "reason": "Because it hurts", "priority": 1, "why": "slow", "whom": "csm"}

    response = signed_in(person(company, observer=True)).post(url(ticket, what), sent)

    assert response.status_code == 403
    assert "you can read" in page(response)
    assert Event.objects.filter(ticket=ticket).count() == 2


def test_confirming_closes_and_asks_for_the_rating(signed_in):
    company = a_company()
    ticket = resolved(company)

    response = signed_in(person(company)).post(url(ticket, "confirmation/"), follow=True)

    assert response.redirect_chain == [(url(ticket, "rate/"), 303)]
    assert Ticket.objects.get().state == "closed"


def test_confirming_what_is_not_solved_is_409_with_the_rule(signed_in):
    company = a_company()
    ticket = in_work(company)

    response = signed_in(person(company)).post(url(ticket, "confirmation/"))

    assert response.status_code == 409
    assert "<title>Error:" in response.content.decode()
    assert "cannot be done with it now. §3.2" in page(response)


def test_not_solved_takes_it_into_work_again(signed_in):
    company = a_company()
    ticket = resolved(company)

    signed_in(person(company)).post(url(ticket, "reopening/"), {"reason": "Still the same"})

    assert Ticket.objects.get().state == "in_progress"


def test_a_refused_reopening_keeps_the_words(signed_in):
    company = a_company()
    ticket = in_work(company)

    response = signed_in(person(company)).post(url(ticket, "reopening/"), {"reason": "Still the same on every desk"})

    assert response.status_code == 409
    assert "Still the same on every desk" in response.content.decode()


def test_a_reopening_without_words_is_422_and_opens_its_form(signed_in):
    company = a_company()
    ticket = resolved(company)

    response = signed_in(person(company)).post(url(ticket, "reopening/"), {"reason": ""})

    assert response.status_code == 422
    assert '<a href="#reopening_reason">Write what still does not work</a>' in response.content.decode()
    assert '<details class="why" open>' in response.content.decode()


def test_withdrawing_asks_first(signed_in):
    company = a_company()
    ticket = in_work(company)
    client = signed_in(person(company))

    asked = client.get(url(ticket, "withdrawal/"))
    assert "Withdraw the request?" in page(asked)
    assert Ticket.objects.get().state == "in_progress"

    client.post(url(ticket, "withdrawal/"), {"reason": "It went away"})
    assert Ticket.objects.get().state == "closed"


def test_a_declined_request_can_be_contested(signed_in):
    company = a_company()
    ticket = in_work(company)
    workflow.decline(ticket, by=ticket.assignee, reason="Printers are outside.", at=ago(minutes=10))
    client = signed_in(person(company))

    assert "Contest the decision" in page(client.get(url(ticket)))
    client.post(url(ticket, "contest/"), {"reason": "It is your driver"})

    assert Ticket.objects.get().state == "in_progress"


def test_a_restore_is_shown_and_can_be_contested(signed_in):
    company = a_company()
    ticket = in_work(company, priority=1)
    workflow.restore(ticket, by=ticket.assignee, workaround="Use the second node.", at=ago(minutes=10))
    client = signed_in(person(company))

    text = page(client.get(url(ticket)))
    assert "Service restored, promised within 2 hours" in text
    assert "Service is back" in text
    assert "Use the second node." in text
    client.post(url(ticket, "contest/"), {"reason": "The second node is down too"})

    assert Ticket.objects.get().priority == 1


def test_premium_sets_the_priority(signed_in):
    company = a_company()
    ticket = in_work(company, priority=3)
    client = signed_in(person(company))

    assert "Change the priority" in page(client.get(url(ticket)))
    response = client.post(url(ticket, "priority/"), {"priority": 1, "reason": "Now everything stands"}, follow=True)

    assert Ticket.objects.get().priority == 1
    assert "The priority is changed, the promised times are counted anew." in page(response)


def test_without_priority_management_a_priority_is_only_a_proposal(signed_in):
    company = a_company("business")
    ticket = in_work(company, priority=3)

    response = signed_in(person(company)).post(
        url(ticket, "priority/"), {"priority": 1, "reason": "Now everything stands"}, follow=True
    )

    ticket = Ticket.objects.get()
    assert (ticket.priority, ticket.proposed_priority) == (3, 1)
    assert "We passed it on: an engineer decides" in page(response)


def test_a_priority_without_words_is_422(signed_in):
    company = a_company()
    ticket = in_work(company, priority=3)

    response = signed_in(person(company)).post(url(ticket, "priority/"), {"priority": 1, "reason": ""})

    assert response.status_code == 422
    assert response.content.decode().count("Write what has changed: the engineer reads it") == 2


# Escalation


def test_escalating_says_who_sees_it_and_by_when_they_answer(signed_in):
    company = a_company()
    top(full_name="Tom Top")
    text = page(signed_in(person(company)).get(url(in_work(company), "escalate/")))

    assert f"Your Customer Success Manager {company.csm.full_name}" in text
    assert "Top management Tom Top" in text
    assert "You will have an answer by" in text


def test_without_a_csm_the_support_manager_stands_in(signed_in):
    a_manager(full_name="Maria Manager")
    company = a_company("basic")

    text = page(signed_in(person(company)).get(url(in_work(company), "escalate/")))

    assert "The support manager Maria Manager. Your package has no Customer Success Manager of its own" in text


def test_an_escalation_reaches_the_person_and_shows_when_the_answer_comes(signed_in):
    company = a_company()
    ticket = in_work(company)

    response = signed_in(person(company)).post(
        url(ticket, "escalations/"), {"why": "slow", "reason": "We wait since Monday", "whom": "csm"}, follow=True
    )

    called = Escalation.objects.get()
    assert (called.person, called.reason) == (company.csm, "It takes too long. We wait since Monday")
    assert f"Passed on to: {company.csm.full_name}" in page(response)
    assert "You will have an answer by" in page(response)


def test_an_answer_of_the_management_is_the_first_answer_and_the_way_says_what_is_waited_for(signed_in):
    company = a_company()
    ticket = open_ticket(company, at=ago(minutes=10))
    client = signed_in(person(company))
    assert "Waits for the first answer" in page(client.get(url(ticket)))

    called = workflow.escalate(ticket, by=person(company), whom="csm", reason="Slow", at=ago(minutes=5))
    workflow.answer_escalation(called, by=company.csm, answer="I look at it myself.", at=ago(minutes=1))

    text = page(client.get(url(ticket)))
    assert "Waits for an engineer" in text
    assert "Waits for the first answer" not in text


def test_an_escalation_without_words_is_422_with_the_rest_kept(signed_in):
    company = a_company()
    ticket = in_work(company)

    response = signed_in(person(company)).post(
        url(ticket, "escalations/"), {"why": "harm", "reason": "", "whom": "top_management"}
    )

    html = response.content.decode()
    assert response.status_code == 422
    assert html.count("Write in your words what is wrong") == 2
    assert re.search(r'name="why" value="harm" checked', html)
    assert re.search(r'name="whom" value="top_management" checked', html)


def test_calling_in_the_same_person_twice_is_409_and_keeps_the_words(signed_in):
    company = a_company()
    ticket = in_work(company)
    client = signed_in(person(company))
    sent = {"why": "slow", "reason": "We wait since Monday", "whom": "csm"}
    client.post(url(ticket, "escalations/"), sent)

    response = client.post(url(ticket, "escalations/"), {**sent, "reason": "And still we wait"})

    assert response.status_code == 409
    assert "§4.4" in page(response)
    assert "And still we wait" in response.content.decode()


# Rating


def test_a_solved_request_is_rated(signed_in):
    company = a_company()
    ticket = resolved(company)

    response = signed_in(person(company)).post(url(ticket, "rating/"), {"score": 5, "comment": "Quick"}, follow=True)

    rating = Rating.objects.get()
    assert (rating.score, rating.comment) == (5, "Quick")
    assert "You rated the work 5 of 5." in page(response)


def test_a_low_rating_is_told_what_happens(signed_in):
    company = a_company()
    ticket = resolved(company)

    response = signed_in(person(company)).post(url(ticket, "rating/"), {"score": 1}, follow=True)

    assert "A manager has your words and will write to you." in page(response)


def test_a_rating_can_be_changed_and_its_page_says_until_when(signed_in):
    company = a_company()
    ticket = resolved(company)
    workflow.rate(ticket, by=person(company), score=2, comment="Slow", at=ago(minutes=5))
    client = signed_in(person(company))

    shown = client.get(url(ticket, "rate/"))
    assert "You can change it until" in page(shown)
    assert re.search(r'value="2" checked', shown.content.decode())
    client.post(url(ticket, "rating/"), {"score": 4, "comment": "Better"})

    assert Rating.objects.get().score == 4


def test_after_seven_days_a_rating_stays(signed_in):
    company = a_company()
    ticket = resolved(company, at=ago(days=9))
    workflow.rate(ticket, by=person(company), score=2, at=ago(days=8))

    response = signed_in(person(company)).post(
        url(ticket, "rating/"), {"score": 5, "comment": "Never mind, it is fine"}
    )

    assert response.status_code == 409
    assert "Never mind, it is fine" in response.content.decode()


def test_a_rating_without_a_number_is_422(signed_in):
    company = a_company()
    ticket = resolved(company)

    response = signed_in(person(company)).post(url(ticket, "rating/"), {"comment": "Hm"})

    assert response.status_code == 422
    assert response.content.decode().count("Choose a number from 1 to 5") == 2
    assert "Hm" in response.content.decode()


def test_an_open_request_has_no_rating_yet(signed_in):
    company = a_company()
    ticket = in_work(company)
    client = signed_in(person(company))

    assert client.get(url(ticket, "rate/")).status_code == 303
    assert client.post(url(ticket, "rating/"), {"score": 5}).status_code == 409
