"""Agreed deadlines on the pages and in the API: who sees what, what is kept, and what a refusal says (domain §4.2)."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from contracts.models import Customer
from sla.models import DeadlineProposal
from tests.factories import (
    MOSCOW,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
    top,
)
from tickets import workflow
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def now() -> datetime:
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def customer() -> Customer:
    return a_customer(starts_on=(now() - timedelta(days=100)).date(), language="en")


@pytest.fixture
def ticket(customer) -> Ticket:
    return open_ticket(customer, priority=3, at=now() - timedelta(minutes=5))


@pytest.fixture
def as_(client: Client) -> Callable[[Any], Client]:
    def sign_in(person: Any) -> Client:
        person.language = "en"
        person.save()
        client.force_login(person)
        return client

    return sign_in


def page(response: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(text.replace("&nbsp;", " ").split())


def contact(ticket: Ticket) -> Any:
    return contact_of(ticket.customer, now())


def wanted(ticket: Ticket, hours: int = 60) -> datetime:
    """A whole minute within working hours, some days ahead: the clock's own hours reach it."""
    clock = ticket.commitments.running().get(kind="resolution")
    ahead = clock.calendar.add(now(), timedelta(hours=hours)).replace(second=0)
    return ahead if clock.calendar.is_open(ahead - timedelta(seconds=1)) else ahead + timedelta(hours=1)


def typed(at: datetime) -> str:
    return at.astimezone(MOSCOW).strftime("%Y-%m-%dT%H:%M")


def proposed(ticket: Ticket, by: Any) -> DeadlineProposal:
    return workflow.propose_deadline(ticket, due_at=wanted(ticket), reason="The supplier is slow", by=by, at=now())


def portal(ticket: Ticket, what: str = "") -> str:
    return f"/t/{ticket.number}/{what}"


def desk(ticket: Ticket, what: str = "") -> str:
    return f"/w/t/{ticket.number}/{what}"


# The portal


def test_the_contact_proposes_and_sees_that_support_is_asked(as_, ticket):
    client = as_(contact(ticket))
    form = page(client.get(portal(ticket)))
    assert "Propose another deadline" in form
    assert "The deadline now:" in form
    assert "Mon–Fri 09:00–18:00" in form

    due = wanted(ticket)
    answer = client.post(portal(ticket, "deadline/"), {"due_at": typed(due), "reason": "We are away"})

    assert (answer.status_code, answer["location"]) == (303, portal(ticket))
    assert DeadlineProposal.objects.get().due_at == due
    shown = page(client.get(portal(ticket)))
    assert "Your company proposes another deadline" in shown
    assert "Withdraw the proposal" in shown
    assert "Agree to this deadline" not in shown
    assert "Propose another deadline" not in shown


def test_the_contact_agrees_and_the_promise_is_the_agreed_one(as_, ticket):
    lead = a_lead(full_name="Igor Gordeev")
    proposal = proposed(ticket, lead)
    client = as_(contact(ticket))
    shown = page(client.get(portal(ticket)))
    assert "Support proposes another deadline" in shown
    assert "The supplier is slow" in shown
    assert "Igor Gordeev" in shown

    client.post(portal(ticket, "deadline/acceptance/"), {"proposal": proposal.pk})

    clock = ticket.commitments.running().get(kind="resolution")
    assert (clock.agreed, clock.due_at) == (True, proposal.due_at)
    workflow.accept(ticket, by=an_engineer(), at=now())
    shown = page(client.get(portal(ticket)))
    assert "We agreed to solve it by" in shown
    assert "proposed by Igor Gordeev, line lead on" in shown


def test_the_contact_refuses_with_words(as_, ticket):
    proposal = proposed(ticket, a_lead())
    client = as_(contact(ticket))

    empty = client.post(portal(ticket, "deadline/refusal/"), {"proposal": proposal.pk, "words": ""})
    assert empty.status_code == 422
    assert "Write why not: the other side reads it." in page(empty)

    client.post(portal(ticket, "deadline/refusal/"), {"proposal": proposal.pk, "words": "We need it sooner"})
    proposal.refresh_from_db()
    assert (proposal.state, proposal.words) == ("refused", "We need it sooner")
    assert "The proposal of support was refused: We need it sooner" in page(client.get(portal(ticket)))


def test_a_moment_outside_working_hours_is_refused_in_words_and_everything_typed_is_kept(as_, ticket):
    due = (wanted(ticket).astimezone(MOSCOW) + timedelta(days=1)).replace(hour=3, minute=15)

    answer = as_(contact(ticket)).post(
        portal(ticket, "deadline/"), {"due_at": typed(due), "reason": "We are away then"}
    )

    assert answer.status_code == 409
    assert "is outside working hours" in page(answer)
    assert "The closing time before it is" in page(answer)
    assert f'value="{typed(due)}"' in answer.content.decode()
    assert "We are away then" in answer.content.decode()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({}, "Choose a day and an hour"),
        ({"due_at": "soon"}, "Write a day and an hour"),
        ({"due_at": "2026-12-07T09:30"}, "Write why: the other side decides by it."),
        ({"due_at": "2026-12-07T09:30", "reason": "x\0y"}, "Null characters"),
        ({"due_at": "99999-12-07T09:30", "reason": "x"}, "Write a day and an hour"),
    ],
)
def test_what_is_missing_or_misspelt_is_said_at_its_field(as_, ticket, sent, words):
    for person, address in ((contact(ticket), portal(ticket, "deadline/")), (a_lead(), desk(ticket, "deadline/"))):
        answer = as_(person).post(address, sent)
        assert answer.status_code == 422
        assert words in page(answer)


def test_an_observer_sees_and_signs_nothing(as_, ticket):
    proposal = proposed(ticket, a_lead())
    client = as_(observer_of(ticket.customer, now()))

    shown = page(client.get(portal(ticket)))
    assert "It waits for the answer of your company's responsible contact." in shown.replace("&#x27;", "'")
    assert "Agree to this deadline" not in shown
    for what, sent in (
        ("", {"due_at": "2026-12-07T09:30", "reason": "x"}),
        ("acceptance/", {"proposal": proposal.pk}),
        ("refusal/", {"proposal": proposal.pk, "words": "No"}),
        ("withdrawal/", {"proposal": proposal.pk}),
    ):
        assert client.post(portal(ticket, f"deadline/{what}"), sent).status_code == 403
    proposal.refresh_from_db()
    assert proposal.is_open


def test_a_proposal_of_another_request_is_404(as_, ticket, customer):
    other = proposed(open_ticket(customer, priority=4, at=now() - timedelta(minutes=5)), a_lead())

    for address in (portal(ticket, "deadline/acceptance/"), portal(ticket, "deadline/withdrawal/")):
        assert as_(contact(ticket)).post(address, {"proposal": other.pk}).status_code == 404
    assert as_(a_lead()).post(desk(ticket, "deadline/acceptance/"), {"proposal": other.pk}).status_code == 404


def test_another_companys_deadline_is_404(as_, ticket):
    stranger = a_customer("basic", starts_on=(now() - timedelta(days=100)).date())
    proposal = proposed(ticket, a_lead())

    for what in ("", "acceptance/", "refusal/", "withdrawal/"):
        answer = as_(contact_of(stranger, now())).post(portal(ticket, f"deadline/{what}"), {"proposal": proposal.pk})
        assert answer.status_code == 404


def test_a_withdrawn_proposal_cannot_be_agreed_to_from_an_old_page(as_, ticket):
    lead = a_lead()
    proposal = proposed(ticket, lead)
    workflow.withdraw_deadline(proposal, by=lead, at=now())

    answer = as_(contact(ticket)).post(portal(ticket, "deadline/acceptance/"), {"proposal": proposal.pk})

    assert answer.status_code == 409
    assert "has withdrawn this proposal" in page(answer)


@pytest.mark.parametrize("priority", [1, 2])
def test_other_priorities_offer_nothing(as_, customer, priority):
    ticket = open_ticket(customer, priority=priority, at=now() - timedelta(minutes=5))

    assert "Propose another deadline" not in page(as_(contact(ticket)).get(portal(ticket)))
    assert 'id="act-deadline"' not in as_(a_lead()).get(desk(ticket)).content.decode()


def test_the_zone_of_the_customer_is_the_zone_of_the_form(as_, ticket):
    person = contact(ticket)
    person.timezone = "Asia/Yekaterinburg"
    person.save()
    due = wanted(ticket)
    there = (due.astimezone(MOSCOW) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")

    client = as_(person)
    assert "11:00–20:00" in page(client.get(portal(ticket)))
    client.post(portal(ticket, "deadline/"), {"due_at": there, "reason": "We are away"})

    assert DeadlineProposal.objects.get().due_at == due


# The desk


@pytest.mark.parametrize(
    ("who", "signs"),
    [(an_engineer, False), (a_lead, True), (a_csm, False), (a_manager, True), ("own csm", True)],
)
def test_who_signs_has_the_buttons_and_everybody_of_the_desk_sees(as_, ticket, who, signs):
    by = ticket.customer.csm if who == "own csm" else who()
    proposal = proposed(ticket, contact(ticket))
    client = as_(by)

    shown = page(client.get(desk(ticket)))
    assert "The customer proposes another deadline" in shown
    assert "The supplier is slow" in shown
    assert ("Agree to this deadline" in shown) is signs

    answer = client.post(desk(ticket, "deadline/acceptance/"), {"proposal": proposal.pk})
    proposal.refresh_from_db()
    assert (answer.status_code, proposal.state) == ((303, "accepted") if signs else (403, "open"))


def test_the_desk_proposes_in_moscow_time_and_the_queue_shows_the_agreed_chip(as_, ticket):
    lead = a_lead()
    lead.timezone = "Asia/Yekaterinburg"
    lead.save()
    client, due = as_(lead), wanted(ticket)
    assert 'id="act-deadline"' in client.get(desk(ticket)).content.decode()

    client.post(desk(ticket, "deadline/"), {"due_at": typed(due), "reason": "A supplier"})
    proposal = DeadlineProposal.objects.get()
    assert (proposal.due_at, proposal.side) == (due, "vendor")
    shown = page(client.get(desk(ticket)))
    assert "We propose another deadline" in shown
    assert "Withdraw the proposal" in shown

    workflow.accept_deadline(proposal, by=contact(ticket), at=now())
    workflow.accept(ticket, by=an_engineer(), at=now())  # the reaction is met: the resolution is the nearest
    queue = client.get("/w/").content.decode()
    assert "sla--agreed" in queue
    assert "#handshake" in queue
    shown = client.get(desk(ticket)).content.decode()
    assert "agreed for" in shown
    assert "accepted by" in shown


def test_the_desk_refuses_with_words_and_what_was_typed_is_kept(as_, ticket):
    proposal = proposed(ticket, contact(ticket))
    workflow.withdraw_deadline(proposal, by=contact(ticket), at=now())
    client = as_(a_lead())

    answer = client.post(desk(ticket, "deadline/refusal/"), {"proposal": proposal.pk, "words": "Too late for us"})
    assert answer.status_code == 409
    assert "Too late for us" in answer.content.decode()

    again = proposed(ticket, contact(ticket))
    client.post(desk(ticket, "deadline/refusal/"), {"proposal": again.pk, "words": "Too late for us"})
    again.refresh_from_db()
    assert (again.state, again.words) == ("refused", "Too late for us")


def statements(act: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as found:
        act()
    return len(found)


def test_three_proposals_cost_as_many_statements_as_one(as_, ticket):
    lead = a_lead()
    proposed(ticket, lead)
    for person, address in ((contact(ticket), portal(ticket)), (lead, desk(ticket))):
        client = as_(person)
        client.get(address)
        first = statements(partial(client.get, address))
        for _time in range(2):
            waiting = ticket.deadline_proposals.open().first()
            workflow.refuse_deadline(waiting, words="No", by=contact(ticket), at=now())
            proposed(ticket, lead)
        assert statements(partial(client.get, address)) <= first


@pytest.fixture
def connection_count() -> Callable[[Callable[[], Any]], int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(act: Callable[[], Any]) -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            act()
        return len(found)

    return count


def test_the_board_counts_agreed_deadlines_apart(as_, ticket):
    manager = a_manager()
    assert "counted apart" not in page(as_(manager).get("/m/"))
    workflow.accept_deadline(proposed(ticket, a_lead()), by=contact(ticket), at=now())
    workflow.resolve(ticket, by=an_engineer(), body="Mended", at=now())

    board = page(as_(manager).get("/m/"))

    assert "Agreed individually and counted apart: 1 of 1 deadline kept." in board
    assert "Solution, by the deadline that we agreed on" in page(as_(contact(ticket)).get(portal(ticket)))


# The API


def api(person: Any) -> APIClient:
    person.language = "en"
    person.save()
    client = APIClient(headers={"accept-language": "en"})
    client.force_login(person)
    client.defaults["format"] = "json"
    return client


def test_the_api_proposes_and_agrees(ticket):
    due = wanted(ticket)
    asked = api(contact(ticket)).post(
        f"/api/tickets/{ticket.number}/deadline/", {"due_at": due.isoformat(), "reason": "We are away"}
    )
    assert asked.status_code == 200
    (proposal,) = asked.json()["deadline_proposals"]
    assert (proposal["side"], proposal["state"], proposal["reason"]) == ("customer", "open", "We are away")

    agreed = api(a_lead()).post(f"/api/tickets/{ticket.number}/deadline/acceptance/", {"proposal": proposal["id"]})

    assert agreed.status_code == 200
    assert agreed.json()["deadline_proposals"][0]["state"] == "accepted"
    (resolution,) = [row for row in agreed.json()["promises"] if row["kind"] == "resolution"]
    assert resolution["agreed"] is True
    assert datetime.fromisoformat(resolution["due_at"]) == due


def test_the_api_refuses_in_words(ticket):
    address = f"/api/tickets/{ticket.number}/deadline/"
    lead = a_lead()
    proposal = proposed(ticket, lead)

    assert api(an_engineer()).post(address, {"due_at": "2026-12-07T09:30Z", "reason": "x"}).status_code == 403
    assert api(top()).post(f"{address}acceptance/", {"proposal": proposal.pk}).status_code == 403
    own = api(a_manager()).post(f"{address}acceptance/", {"proposal": proposal.pk})
    assert (own.status_code, "own side" in own.json()["detail"]) == (409, True)
    assert api(contact(ticket)).post(f"{address}acceptance/", {"proposal": 10**9}).status_code == 404
    assert api(contact(ticket)).post(f"{address}acceptance/", {"proposal": "x"}).status_code == 400
    assert api(contact(ticket)).post(f"{address}refusal/", {"proposal": proposal.pk}).status_code == 400
    refused = api(contact(ticket)).post(f"{address}refusal/", {"proposal": proposal.pk, "words": "No"})
    assert refused.json()["deadline_proposals"][0]["words"] == "No"


def test_the_api_withdraws(ticket):
    lead = a_lead()
    proposal = proposed(ticket, lead)

    answer = api(lead).post(f"/api/tickets/{ticket.number}/deadline/withdrawal/", {"proposal": proposal.pk})

    assert answer.json()["deadline_proposals"][0]["state"] == "withdrawn"
