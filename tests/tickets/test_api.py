"""The API (`tickets/api.py`): the same verbs as the pages, the same refusals (style: Errors)."""

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from contracts import signing
from tests.factories import (
    ReleaseFactory,
    UserFactory,
    a_contract_admin,
    a_csm,
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
from tickets.models import HeldRequest, Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    """Calls the API as a person, in English."""

    def sign_in(person):
        person.language = "en"
        person.save()
        client = APIClient(headers={"accept-language": "en"})
        client.force_login(person)
        client.defaults["format"] = "json"
        return client

    return sign_in


def post(client, path, **words):
    return client.post(f"/api/tickets/{path}", words, format="json")


def now():
    return timezone.now()


def opened(customer=None, **fields):
    customer = customer or a_customer()
    return open_ticket(customer, at=now(), by=customer.contact_at(now()), **fields)


def in_work(**fields):
    return workflow.accept(opened(**fields), by=an_engineer(), at=now())


# Filing


def test_contact_files_a_request(api):
    customer = a_customer()
    release = ReleaseFactory()

    answer = post(
        api(contact_of(customer)),
        "",
        subject="Nothing works",
        body="White page.",
        kind="incident",
        priority=1,
        topic="database",
        product="sales",
        release=release.pk,
    )

    ticket = Ticket.objects.get()
    assert answer.status_code == 201
    body = answer.json()
    assert (body["number"], body["state"], body["line"], body["channel"]) == (ticket.number, "new", 2, "api")
    assert (body["kind"], body["priority"], body["topic"]) == ("incident", 1, "database")
    assert [(row["kind"], row["target_seconds"], row["ending"]) for row in body["promises"]] == [
        ("reaction", 1800, ""),
        ("resolution", 7200, ""),
    ]
    assert [message["body"] for message in body["messages"]] == ["White page."]
    assert (ticket.product.code, ticket.release) == ("sales", release)


def test_same_key_twice_is_one_ticket(api):
    client = api(contact_of(a_customer()))

    first, again = (post(client, "", subject="Nothing works", body="White page.", key="k-1") for _twice in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["number"] == again.json()["number"] == Ticket.objects.get().number
    assert Message.objects.count() == 1


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({}, "subject"),
        ({"subject": " ", "body": "x"}, "subject"),
        ({"subject": "x" * 201, "body": "x"}, "subject"),
        ({"subject": "x", "body": ""}, "body"),
        ({"subject": "x", "body": "a\x00b"}, "body"),
        ({"subject": "x", "body": "x", "priority": 5}, "priority"),
        ({"subject": "x", "body": "x", "priority": "high"}, "priority"),
        ({"subject": "x", "body": "x", "kind": "riddle"}, "kind"),
        ({"subject": "x", "body": "x", "topic": "weather"}, "topic"),
        ({"subject": "x", "body": "x", "product": "ours"}, "product"),
        ({"subject": "x", "body": "x", "release": 0}, "release"),
        ({"subject": "x", "body": "x", "key": "x" * 65}, "key"),
        ({"subject": ["x"], "body": "x"}, "subject"),
    ],
)
def test_bad_input_is_400_and_names_the_field(api, words, field):
    answer = post(api(contact_of(a_customer())), "", **words)

    assert answer.status_code == 400
    assert field in answer.json()
    assert not Ticket.objects.exists()


def test_what_is_no_json_is_400(api):
    client = api(contact_of(a_customer()))

    assert client.post("/api/tickets/", "{", content_type="application/json").status_code == 400


@pytest.mark.parametrize("who", ["observer", "engineer", "top management"])
def test_filing_is_for_the_contact(api, who):
    customer = a_customer()
    person = {"observer": lambda: observer_of(customer), "engineer": an_engineer, "top management": top}[who]()

    answer = post(api(person), "", subject="Nothing works", body="White page.")

    assert answer.status_code == 403
    assert set(answer.json()) == {"detail", "section"}
    assert not Ticket.objects.exists()


def test_filing_what_is_not_in_the_package_is_409(api):
    answer = post(
        api(contact_of(a_customer("basic"))), "", subject="Write me a plug-in", body="Please", topic="development"
    )

    assert answer.status_code == 409
    assert answer.json() == {
        "detail": "“Consulting on configuration and development on the platform” is not in your package (Basic). "
        "It is in: Business, Premium.",
        "section": "1.2",
    }
    assert not HeldRequest.objects.exists()


def test_filing_without_a_contract_is_409_and_recorded(api):
    customer = a_customer("basic")
    contact = contact_of(customer)
    signing.terminate(contract_of(customer), by=a_contract_admin(), at=now() - timedelta(days=2), reason="They left")

    answer = post(api(contact), "", subject="Nothing works", body="White page.")

    assert (answer.status_code, answer.json()["section"]) == (409, "2")
    held = HeldRequest.objects.get()
    assert (held.reason, held.customer, held.sender, held.subject, held.body) == (
        "no_contract",
        customer,
        contact,
        "Nothing works",
        "White page.",
    )
    assert held.words == answer.json()["detail"]
    assert not Ticket.objects.exists()


# Working


def test_whole_life_of_a_ticket(api):
    ticket = opened(priority=1)
    contact, desk = api(contact_of(ticket.customer)), api(UserFactory(engineer=True, lines=[1, 3]))
    path = f"{ticket.number}/"

    def state(answer):
        assert answer.status_code == 200, answer.json()
        return answer.json()["state"]

    assert state(post(desk, path + "acceptance/")) == "in_progress"
    assert state(post(desk, path + "replies/", body="Looking at it")) == "in_progress"
    assert state(post(desk, path + "notes/", body="It is their proxy")) == "in_progress"
    assert state(post(desk, path + "questions/", body="Which version?")) == "awaiting_customer"
    assert state(post(desk, path + "waiting/")) == "in_progress"
    assert state(post(desk, path + "questions/", body="Which version?")) == "awaiting_customer"
    assert state(post(contact, path + "replies/", body="7.8.4")) == "in_progress"
    assert post(desk, path + "handover/", to_line=3, known="The log", asked="Read it").json()["line"] == 3
    assert post(desk, path + "handover/return/", reason="Not ours").json()["line"] == 1
    assert state(post(desk, path + "defect/", title="t", steps="s", expected="e", actual="a")) == "in_progress"
    assert post(desk, path + "restoration/", workaround="Use the mirror").json()["priority"] == 3
    assert post(contact, path + "restoration/contest/", reason="It is not back").json()["priority"] == 1
    assert post(desk, path + "classification/", priority=2, reason="Some of it works").json()["priority"] == 2
    assert post(contact, path + "priority/", priority=1, reason="None of it works").json()["priority"] == 1
    assert state(post(contact, path + "escalations/", whom="top_management", reason="Slow")) == "in_progress"
    assert state(post(desk, path + "decline/", reason="Networks")) == "declined"
    assert state(post(contact, path + "decline/contest/", reason="It is your service")) == "in_progress"
    assert state(post(desk, path + "resolution/", body="Restarted")) == "resolved"
    assert state(post(contact, path + "reopening/", reason="It is back")) == "in_progress"
    assert state(post(desk, path + "resolution/", body="Replaced the disk")) == "resolved"
    assert state(post(contact, path + "confirmation/")) == "closed"
    assert state(post(contact, path + "rating/", score=5)) == "closed"
    assert ticket.events.count() == 23


def test_reply_to_a_closed_request_answers_with_the_follow_up(api):
    ticket = opened()
    contact = contact_of(ticket.customer)
    workflow.withdraw(ticket, by=contact, at=now())

    answer = post(api(contact), f"{ticket.number}/replies/", body="After all")

    assert answer.status_code == 200
    assert answer.json()["number"] != ticket.number
    assert Ticket.objects.get(number=answer.json()["number"]).follows == ticket


@pytest.mark.parametrize(
    ("action", "words", "detail", "section"),
    [
        ("confirmation", {}, "This request is “new”: that cannot be done with it now.", "3.2"),
        ("reopening", {"reason": "x"}, "This request is “new”: that cannot be done with it now.", "3.2"),
        ("rating", {"score": 5}, "A request is rated once it is solved.", "6"),
        ("priority", {"priority": 3, "reason": "x"}, "Choose another priority, 1 to 4.", "3.4"),
        (
            "restoration/contest",
            {"reason": "x"},
            "Nothing was restored in this request that could be contested now.",
            "3.4",
        ),
    ],
)
def test_illegal_move_of_the_contact_is_409_with_the_rule(api, action, words, detail, section):
    ticket = opened()

    answer = post(api(contact_of(ticket.customer)), f"{ticket.number}/{action}/", **words)

    assert (answer.status_code, answer.json()) == (409, {"detail": detail, "section": section})


@pytest.mark.parametrize(
    ("action", "words", "section"),
    [
        ("acceptance", {}, "3.2"),
        ("questions", {"body": "x"}, "3.2"),
        ("waiting", {}, "3.2"),
        ("handover", {"to_line": 2, "known": "x", "asked": "x"}, "3.3"),
        ("handover/return", {"reason": "x"}, "3.3"),
        ("restoration", {"workaround": "x"}, "3.4"),
        ("classification", {"priority": 1, "reason": "x"}, "3.4"),
        ("resolution", {"body": "x"}, "3.2"),
        ("decline", {"reason": "x"}, "3.2"),
        ("replies", {"body": "x"}, "3.2"),
    ],
)
def test_illegal_move_of_the_desk_is_409_with_the_rule(api, action, words, section):
    ticket = opened()
    workflow.withdraw(ticket, by=contact_of(ticket.customer), at=now())

    answer = post(api(an_engineer()), f"{ticket.number}/{action}/", **words)

    assert (answer.status_code, answer.json()["section"]) == (409, section)
    assert answer.json()["detail"].endswith(".")


@pytest.mark.parametrize("action", ["acceptance", "notes", "questions", "resolution", "decline", "handover"])
def test_contact_does_not_do_the_desks_work(api, action):
    ticket = opened()
    words = {"body": "x", "reason": "x", "to_line": 2, "known": "x", "asked": "x"}

    answer = post(api(contact_of(ticket.customer)), f"{ticket.number}/{action}/", **words)

    assert (answer.status_code, answer.json()["detail"]) == (403, "Only the support desk does this.")


@pytest.mark.parametrize("action", ["confirmation", "escalations", "rating", "priority", "withdrawal"])
@pytest.mark.parametrize("who", ["engineer", "observer"])
def test_only_the_contact_speaks_for_the_company(api, action, who):
    ticket = opened()
    person = an_engineer() if who == "engineer" else observer_of(ticket.customer)
    words = {"whom": "csm", "reason": "x", "score": 5, "priority": 1}

    answer = post(api(person), f"{ticket.number}/{action}/", **words)

    assert (answer.status_code, answer.json()["section"]) == (403, "1.7.1")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("rating", {"score": 6}),
        ("rating", {"score": "many"}),
        ("escalations", {"whom": "line_lead", "reason": "x"}),
        ("escalations", {"whom": "csm"}),
        ("priority", {"priority": 9, "reason": "x"}),
        ("replies", {"body": ""}),
    ],
)
def test_bad_words_are_400(api, action, words):
    ticket = opened()

    assert post(api(contact_of(ticket.customer)), f"{ticket.number}/{action}/", **words).status_code == 400


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("handover", {"to_line": 5, "known": "x", "asked": "x"}),
        ("handover", {"to_line": 2, "known": "x"}),
        ("restoration", {"workaround": "x", "to_priority": 2}),
        ("classification", {"reason": "x", "priority": 0}),
        ("defect", {"title": "x", "steps": "x", "expected": "x"}),
    ],
)
def test_bad_words_of_the_desk_are_400(api, action, words):
    ticket = in_work(priority=1)

    assert post(api(an_engineer()), f"{ticket.number}/{action}/", **words).status_code == 400


@pytest.mark.parametrize("number", ["999999", "9" * 40, "0"])
def test_missing_ticket_is_404(api, number):
    assert api(an_engineer()).get(f"/api/tickets/{number}/").status_code == 404


def test_get_of_an_action_is_405(api):
    ticket = opened()

    assert api(an_engineer()).get(f"/api/tickets/{ticket.number}/acceptance/").status_code == 405


# Reading


def test_customer_never_gets_internal_notes_or_the_lines_own_clocks(api):
    ticket = in_work(priority=1)
    workflow.note(ticket, by=ticket.assignee, body="It is their proxy", at=now())
    workflow.hand_over(ticket, by=ticket.assignee, to_line=2, known="The proxy", asked="Look", at=now())

    def seen(person):
        body = api(person).get(f"/api/tickets/{ticket.number}/").json()
        return {row["kind"] for row in body["messages"]}, {row["kind"] for row in body["promises"]}

    assert seen(contact_of(ticket.customer)) == ({"public"}, {"reaction", "resolution"})
    assert seen(ticket.assignee) == ({"public", "note"}, {"reaction", "resolution", "line_acceptance"})


def test_list_is_newest_first_filtered_and_paged(api):
    customer = a_customer()
    numbers = [opened(customer, priority=priority).number for priority in (1, 2, 3)]
    client = api(a_manager())

    def listed(query=""):
        return [row["number"] for row in client.get(f"/api/tickets/{query}").json()["results"]]

    assert listed() == numbers[::-1]
    assert listed("?priority=2") == numbers[1:2]
    assert listed("?state=closed") == []
    assert client.get("/api/tickets/?state=gone").status_code == 400
    assert client.get("/api/tickets/?cursor=%00nonsense").status_code in {400, 404}


@pytest.mark.parametrize("of", ["list", "ticket"])
def test_reading_costs_the_same_for_one_and_three(api, django_assert_max_num_queries, of):
    customer = a_customer(csm=a_csm())
    client = api(a_manager())
    costs = []
    for more in (2, 0):
        ticket = workflow.accept(opened(customer, priority=1), by=an_engineer(), at=now())
        for number in range(2 * len(costs) + 1):
            workflow.reply(ticket, by=an_engineer(), body=f"Reply {number}", at=now())
        with django_assert_max_num_queries(12) as statements:
            path = "/api/tickets/" if of == "list" else f"/api/tickets/{ticket.number}/"
            assert client.get(path).status_code == 200
        costs.append(len(statements))
        for _number in range(more):
            opened(customer, priority=2)

    assert costs[0] == costs[1]


def test_token_opens_it_too():
    ticket = opened()
    token = Token.objects.create(user=contact_of(ticket.customer))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.key}")

    assert client.get(f"/api/tickets/{ticket.number}/").status_code == 200


def test_schema_is_whole(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))

    schema = (tmp_path / "schema.yml").read_text()
    assert "/api/tickets/{number}/restoration/contest/:" in schema


@pytest.mark.django_db(transaction=True)
def test_double_click_is_one_ticket(catalogue_again, api):
    contact = contact_of(a_customer())
    clients = [api(contact) for _number in range(2)]
    barrier = threading.Barrier(2)
    codes = []

    def click(client):
        barrier.wait(timeout=30)
        try:
            codes.append(post(client, "", subject="Nothing works", body="White page.", key="k").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert codes == [201, 201]
    assert Ticket.objects.count() == 1
