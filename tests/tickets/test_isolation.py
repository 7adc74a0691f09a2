"""A foreign company's address answers exactly as a missing one, and a wrong role is told so (domain §7)."""

import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from contracts import publishing
from contracts.models import Customer, ImportRun
from mail.models import OutgoingLetter
from sla.statements import StatementAnswer, StatementCorrection
from success import webinars
from success.models import Registration
from tests.factories import (
    ReleaseFactory,
    UserFactory,
    a_clause,
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
    top,
)
from tests.moments import december, tuesday
from tickets import month_answers, months, workflow
from tickets.api import TicketViewSet
from tickets.models import Attachment, MajorAction, MajorIncident, Ticket

pytestmark = pytest.mark.django_db

MISSING = 999_999
READS = ["portal:ticket", "portal:escalate", "portal:rate"]
WRITES = [
    "portal:replies",
    "portal:confirmation",
    "portal:reopening",
    "portal:withdrawal",
    "portal:contest",
    "portal:priority",
    "portal:escalations",
    "portal:rating",
    "portal:deadline",
    "portal:deadline_acceptance",
    "portal:deadline_refusal",
    "portal:deadline_withdrawal",
]
API_READS = ["explanation"]
API_ACTIONS = [
    "acceptance",
    "replies",
    "notes",
    "questions",
    "waiting",
    "handover",
    "handover/return",
    "defect",
    "restoration",
    "restoration/contest",
    "classification",
    "resolution",
    "decline",
    "decline/contest",
    "withdrawal",
    "confirmation",
    "reopening",
    "priority",
    "escalations",
    "rating",
    "deadline",
    "deadline/acceptance",
    "deadline/refusal",
    "deadline/withdrawal",
]


@pytest.fixture
def foreign():
    """A ticket of another company, with a note, an escalation and a file's worth of talk."""
    ticket = workflow.accept(open_ticket(subject="Secret of the other company"), by=an_engineer(), at=tuesday(10, 5))
    workflow.note(ticket, by=ticket.assignee, body="Note of the other company", at=tuesday(10, 6))
    return ticket


@pytest.fixture
def stranger(client):
    person = contact_of(a_customer())
    client.force_login(person)
    return person


@pytest.mark.parametrize("name", READS)
def test_foreign_page_reads_as_a_missing_one(client, stranger, foreign, name):
    answer = client.get(reverse(name, args=[foreign.number]))
    missing = client.get(reverse(name, args=[MISSING]))

    assert (answer.status_code, missing.status_code) == (404, 404)
    assert b"Secret" not in answer.content


@pytest.mark.parametrize("name", WRITES)
def test_foreign_page_is_written_to_as_to_a_missing_one(client, stranger, foreign, name):
    before = list(Ticket.objects.filter(pk=foreign.pk).values()), foreign.events.count()

    answer = client.post(reverse(name, args=[foreign.number]), {"body": "Hello", "reason": "Hello", "score": "1"})
    missing = client.post(reverse(name, args=[MISSING]), {"body": "Hello", "reason": "Hello", "score": "1"})

    assert (answer.status_code, missing.status_code) == (404, 404)
    assert (list(Ticket.objects.filter(pk=foreign.pk).values()), foreign.events.count()) == before


def test_foreign_ticket_reads_in_the_api_as_a_missing_one(client, stranger, foreign):
    answer = client.get(f"/api/tickets/{foreign.number}/")
    missing = client.get(f"/api/tickets/{MISSING}/")

    assert answer.status_code == 404
    assert answer.content == missing.content


@pytest.mark.parametrize("action", API_ACTIONS)
def test_foreign_ticket_is_written_to_in_the_api_as_a_missing_one(client, stranger, foreign, action):
    answer = client.post(f"/api/tickets/{foreign.number}/{action}/", {}, "application/json")
    missing = client.post(f"/api/tickets/{MISSING}/{action}/", {}, "application/json")

    assert answer.status_code == 404
    assert answer.content == missing.content


@pytest.mark.parametrize("action", API_READS)
def test_foreign_ticket_is_not_read_by_the_api(client, stranger, foreign, action):
    answers = [client.get(f"/api/tickets/{number}/{action}/") for number in (foreign.number, MISSING)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_every_action_of_the_api_is_in_the_list_above():
    assert sorted(action.url_path for action in TicketViewSet.get_extra_actions()) == sorted([*API_ACTIONS, *API_READS])


def test_lists_hold_the_own_company_only(client, stranger, foreign):
    own = open_ticket(stranger.membership.customer)

    answer = client.get("/api/tickets/")

    assert [row["number"] for row in answer.json()["results"]] == [own.number]
    for name in ("home", "portal:company"):
        page = client.get(reverse(name))
        assert page.status_code == 200
        assert foreign.subject not in page.content.decode()


def test_colleague_of_the_company_reads_the_same(client):
    ticket = open_ticket()
    client.force_login(observer_of(ticket.customer))

    assert client.get(f"/api/tickets/{ticket.number}/").status_code == 200
    assert client.get(reverse("portal:ticket", args=[ticket.number])).status_code == 200


@pytest.mark.parametrize("make", [a_contract_admin, lambda: UserFactory(partner=True), lambda: UserFactory(admin=True)])
def test_who_has_no_part_in_tickets_sees_none(make, foreign):
    assert list(Ticket.objects.visible_to(make())) == []


@pytest.mark.parametrize("make", [an_engineer, a_lead, a_csm, a_manager, top])
def test_the_vendors_people_see_all(make, foreign):
    assert list(Ticket.objects.visible_to(make())) == [foreign]


def test_person_without_a_company_sees_none(foreign):
    assert list(Ticket.objects.visible_to(UserFactory())) == []


ALL = {
    "contact": lambda: contact_of(a_customer()),
    "observer": lambda: a_member(a_customer()),
    "partner": lambda: UserFactory(partner=True),
    "engineer": an_engineer,
    "line lead": a_lead,
    "csm": a_csm,
    "support manager": a_manager,
    "top management": top,
    "contract administrator": a_contract_admin,
}
BOARD = {"line lead", "csm", "support manager", "top management"}
DESK = {"engineer", "line lead", "csm", "support manager"}


@pytest.mark.parametrize("who", ALL)
@pytest.mark.parametrize(
    ("name", "args", "able"),
    [
        ("manage:board", [], BOARD),
        ("manage:escalations", [], BOARD),
        ("manage:missing", [], BOARD),
        ("manage:tickets", ["late"], BOARD),
        ("desk:queue", [], DESK),
        ("desk:my", [], DESK),
    ],
)
def test_wrong_role_is_403(client, who, name, args, able):
    client.force_login(ALL[who]())

    assert client.get(reverse(name, args=args)).status_code == (200 if who in able else 403)


@pytest.mark.parametrize("name", ["manage:board", "manage:escalations", "desk:queue", "home", "portal:company"])
def test_nobody_signed_in_is_sent_to_the_door(client, name):
    answer = client.get(reverse(name))

    assert (answer.status_code, answer.url.split("?")[0]) == (302, reverse("account_login"))


def test_nobody_signed_in_gets_nothing_from_the_api(client, foreign):
    for path in ("/api/tickets/", f"/api/tickets/{foreign.number}/"):
        assert client.get(path).status_code in {401, 403}


# The whole house: every address that stands in the URL configuration, so that a new one cannot be forgotten.

VALUES = {
    "number": "{number}",
    "pk": "{pk}",
    "slug": "late",
    "chart": "age",
    "line": "1",
    "uidb36": "1",
    "key": "1",
    "clause": "{clause}",
    "licence": "{licence}",
    "user": "{user}",
    "language": "ru",
    "code": "basic",
    "kind": "customers",
    "form": "csv",
    "month": "2026-11",
    "position": "1",
    "said": "{said}",
    "app_label": "tickets",
    "defect": "{defect}",
    "major": "{major}",
    "action": "{action}",
    "release": "{release}",
    "file": "{file}",
}


def addresses(patterns=None, before="/"):
    """Every address but the admin's, as a template: `{number}` a ticket's number, `{pk}` what belongs to it."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        route = before + re.sub(r"^\^|\$$|\\Z$", "", str(entry.pattern))
        if isinstance(entry, URLResolver):
            if entry.app_name != "admin":
                yield from addresses(entry.url_patterns, route)
            continue
        yield template_of(route)


def template_of(route):
    """A route of the URL configuration as addresses.txt writes it."""
    named = re.sub(
        r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^()]*\)",
        lambda found: VALUES.get(found[1] or found[2], "1"),
        route,
    )
    return named.replace("\\.", ".")  # of an expression; with the stroke left in, nothing would be found there


def filled(address, ticket, *, letter):
    """The address of this ticket and of the things that belong to it, its customer and its contract."""
    customer, contract = ticket.customer, ticket.contract
    of_whom = {
        "/files/": lambda: Attachment.objects.get(message__ticket=ticket),
        "escalations/": ticket.escalations.get,
        "/outbox/": lambda: letter,
        "/changes/new/": lambda: customer,
        "/people/changes/": customer.contact_changes.get,
        "/c/changes/": customer.contact_changes.get,
        "/c/held/": customer.held.get,
        "/c/import/": ImportRun.objects.get,
        "/c/customers/": lambda: customer,
        "/c/contracts/": lambda: contract,
        "/contract/": lambda: contract,
        "/m/statements/": customer.statements.get,
        "/webinars/": customer.webinars.get,
    }
    pk = next((find().pk for part, find in of_whom.items() if part in address), 0)
    return address.format(
        number=ticket.number,
        pk=pk,
        clause=contract.clauses.get().pk,
        licence=customer.licences.get().pk,
        user=observer_of(customer).pk,
        said=customer.statements.get().answers.get().pk,
        defect=ticket.defect.pk,
        major=MajorIncident.objects.get().pk,
        action=MajorAction.objects.get().pk,
        release=customer.release_notices.get().publication_id,
        file=customer.release_notices.get().publication.files.get().pk,
    )


@pytest.fixture
def letter():
    """Somebody's letter."""
    return OutgoingLetter.objects.create(
        occasion="of:the test",
        person=an_engineer(),
        address="of@example.com",
        message_id="<secret@example.com>",
        subject="Secret letter",
        text="Secret",
        written_at=tuesday(10),
    )


@pytest.fixture
def talked_about(foreign):
    """The foreign ticket with everything that has an address: a file in a note, an escalation."""
    upload = workflow.Upload("secret.txt", "text/plain", BytesIO(b"Secret"), 6)
    workflow.note(foreign, by=foreign.assignee, body="Secret with a file", at=tuesday(10, 7), files=[upload])
    contact = contact_of(foreign.customer)
    workflow.escalate(foreign, by=contact, whom="csm", reason="Secret of an escalation", at=tuesday(10, 8))
    a_clause(foreign.contract, service_id="online", text_ru="Secret clause", text_en="Secret clause")
    customer, admin = foreign.customer, a_contract_admin()
    workflow.ask_contact_change(
        customer, user=observer_of(customer), starts_at=tuesday(12), reason="Secret", by=contact, at=tuesday(10, 9)
    )
    workflow.hold(
        reason="not_contact",
        words="Held",
        subject="Secret letter",
        body="Secret",
        channel="email",
        at=tuesday(10, 9),
        customer=customer,
        sender=observer_of(customer),
    )
    statement = months.close_month(customer, date(2026, 11, 1), at=december(1, 6))
    month_answers.dispute(statement, statement.lines.get(position=1), words="Secret", by=contact, at=december(1, 7))
    _line_four(foreign)
    _webinar(customer)
    ImportRun.objects.create(
        kind="customers", file_name="secret.csv", checked_by=admin, checked_at=tuesday(10), state="checked"
    )
    return foreign


def _line_four(foreign):
    """A defect, a major incident with its review, a published release: all of the other company."""
    lead = a_lead(4)
    workflow.attach_defect(
        foreign, by=lead, title="Secret defect", steps="Secret", expected="Secret", actual="Secret", at=tuesday(10, 9)
    )
    head = open_ticket(foreign.customer, priority=1, subject="Secret head")
    incident = workflow.declare_major(head, by=lead, title="Secret major", reason="Secret", at=tuesday(10, 9))
    workflow.resolve(head, by=lead, body="Secret", at=tuesday(10, 10))
    workflow.end_major(incident, by=lead, what_happened="Secret", at=tuesday(11))
    workflow.add_major_action(incident, by=lead, text="Secret", owner=lead, due_on=date(2026, 12, 1), at=tuesday(11))
    release = publishing.prepare(
        ReleaseFactory().product, version="9.0", kind="release", notes_ru="Secret", by=lead, at=tuesday(10)
    )
    publishing.add_file(release, kind="program", name="Secret", content=BytesIO(b"Secret"), by=lead)
    publishing.publish(release, by=lead, at=tuesday(11))
    foreign.refresh_from_db()


def _webinar(customer):
    """A webinar of the other company alone, that is still to come."""
    now, host = timezone.now(), an_engineer()
    told = webinars.Plan(
        title="Secret webinar", about="Secret", starts_at=now + timedelta(days=1), minutes=60, host=host,
        customer=customer, join_url="https://example.com/Secret",
    )  # fmt: skip
    webinar = webinars.plan(told, by=a_manager(), at=now)
    webinars.sign_up(webinar, by=contact_of(customer), at=now)


WITHOUT_PART = {
    "nobody": lambda: None,
    "contact": ALL["contact"],
    "observer": ALL["observer"],
    "partner": ALL["partner"],
    "person without a company": UserFactory,
}
WORDS = {"body": "Hello", "reason": "Hello", "score": "1", "answer": "Hello", "whom": "csm", "kind": "reply", "to": "1"}


def state_of(ticket):
    counts = [getattr(ticket, name).count() for name in ("events", "messages", "escalations", "hand_overs")]
    customer = ticket.customer
    of_customer = [
        list(rows.order_by("pk").values())
        for rows in (
            Customer.objects.filter(pk=customer.pk),
            customer.contracts,
            customer.licences,
            customer.contacts,
            customer.contact_changes,
            customer.contract_events,
            customer.held,
            ticket.contract.clauses,
            customer.release_notices,
            MajorIncident.objects,
            customer.statements,
            StatementAnswer.objects.filter(statement__customer=customer),
            StatementCorrection.objects.filter(statement__customer=customer),
            ImportRun.objects,
            customer.webinars,
            Registration.objects,
        )
    ]
    return Ticket.objects.filter(pk=ticket.pk).values().get(), counts, list(ticket.escalations.values()), of_customer


def test_walk_of_the_addresses_finds_those_of_every_part():
    found = set(addresses())

    assert {
        "/",
        "/t/{number}/",
        "/w/t/{number}/files/{pk}/",
        "/m/escalations/{pk}/answer/",
        "/outbox/{pk}/",
        "/api/tickets/{number}/handover/return/",
        "/healthz",
    } <= found


@pytest.mark.parametrize("who", WITHOUT_PART)
def test_no_address_shows_or_changes_anothers_ticket(client, who, talked_about, letter):
    person = WITHOUT_PART[who]()
    if person is not None:
        client.force_login(person)
    before = state_of(talked_about)
    wrong = []

    for address in addresses():
        path = filled(address, talked_about, letter=letter)
        for ask in (client.get, lambda path: client.post(path, WORDS)):
            answer = ask(path)
            of_a_thing = "{" in address and not address.startswith("/account/")
            refused = answer.status_code in {403, 404, 405} or answer.get("Location", "").startswith("/account/login/")
            told = b"Secret" in (b"".join(answer.streaming_content) if answer.streaming else answer.content)
            if (answer.status_code >= 500 and address != "/clockz") or told or (of_a_thing and not refused):
                wrong.append((answer.request["REQUEST_METHOD"], path, answer.status_code))
            if person is not None and not address.startswith("/account/"):
                client.force_login(person)

    assert wrong == []
    assert state_of(talked_about) == before


OTHER_METHODS = ("put", "delete", "patch")
WITH_A_PART = ("contact", "line lead", "csm", "support manager", "top management")


@pytest.mark.parametrize("who", WITH_A_PART)
def test_no_address_knows_other_methods_than_get_and_post(client, who, talked_about, letter):
    """Those of Django REST framework say 405 themselves; what a person may not see stays 403 or 404.

    Everybody asks at every address, and every address is asked for each method by somebody: the methods take turns.
    """
    client.force_login(ALL[who]() if who != "contact" else contact_of(talked_about.customer))
    before = state_of(talked_about)
    taken = []

    for turn, address in enumerate(addresses(), start=WITH_A_PART.index(who)):
        method, path = OTHER_METHODS[turn % len(OTHER_METHODS)], filled(address, talked_about, letter=letter)
        status = getattr(client, method)(path).status_code
        if status not in {403, 404, 405} and not path.startswith(("/account/", "/healthz", "/readyz", "/clockz")):
            taken.append((method, path, status))

    assert taken == []
    assert state_of(talked_about) == before
