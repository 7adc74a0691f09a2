"""The managers' pages: the board's facts and ladder, the escalations, the tickets behind a number (direction §8)."""

import csv
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from contracts.kept import edition_now
from sla import reports
from sla.sweep import sweep
from tests.factories import (
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tests.moments import november, tuesday
from tickets import board, workflow
from tickets.models import Ticket
from tickets.views import manage

pytestmark = pytest.mark.django_db


def facts(now):
    return {fact.slug: fact.count for fact in board.facts(now)}


def now():
    return timezone.now()


def live(customer=None, ago=0, **fields):
    """A ticket opened so many minutes ago, by the real clock: for the pages, which read it."""
    customer = customer or a_customer()
    at = now() - timedelta(minutes=ago)
    return open_ticket(customer, at=at, by=customer.contact_at(at), **fields)


# Facts


def test_facts_count_what_is_late_soon_unassigned_called_in_and_waiting():
    customer = a_customer()
    assert facts(tuesday(10)) == {"late": 0, "soon": 0, "unassigned": 0, "management": 0, "waiting": 0}
    open_ticket(customer, priority=1)  # reaction due 10:30
    open_ticket(customer, priority=3)  # reaction due 12:00
    waiting = workflow.accept(open_ticket(customer, priority=1), by=an_engineer(), at=tuesday(10, 1))
    workflow.ask_customer(waiting, by=waiting.assignee, body="Which version?", at=tuesday(10, 2))
    done = workflow.accept(open_ticket(customer, priority=1), by=an_engineer(), at=tuesday(10, 1))
    workflow.escalate(done, by=contact_of(customer), whom="top_management", reason="Slow", at=tuesday(10, 2))
    workflow.resolve(done, by=done.assignee, body="Restarted", at=tuesday(10, 3))

    assert facts(tuesday(10, 5)) == {"late": 0, "soon": 1, "unassigned": 1, "management": 1, "waiting": 1}
    assert facts(tuesday(10, 30)) == {"late": 0, "soon": 1, "unassigned": 1, "management": 1, "waiting": 1}
    assert facts(tuesday(10, 30, 1)) == {"late": 1, "soon": 0, "unassigned": 1, "management": 1, "waiting": 1}
    assert facts(tuesday(11, 0, 1))["soon"] == 1
    assert facts(tuesday(12, 0, 1))["late"] == 2


def test_a_request_for_which_two_were_called_in_is_one_request_in_the_facts():
    customer = a_customer()
    ticket = workflow.accept(open_ticket(customer, priority=1), by=an_engineer(), at=tuesday(10, 1))
    for minute, whom in enumerate(["csm", "top_management"], 2):
        workflow.escalate(ticket, by=contact_of(customer), whom=whom, reason="Slow", at=tuesday(10, minute))

    assert facts(tuesday(10, 5))["management"] == board.facts_of("management", tuesday(10, 5)).count() == 1


def test_facts_ask_when_they_should_be_nothing_and_are_not():
    open_ticket(priority=1)

    assert {fact.slug for fact in board.facts(tuesday(11)) if fact.asks} == {"late", "unassigned"}
    assert not any(fact.asks for fact in board.facts(tuesday(11)) if fact.count == 0)


def test_departures_show_the_nearest_first_and_how_far_the_ladder_is_climbed():
    csm, boss = a_csm(), top()
    customer = a_customer(csm=csm)
    later = open_ticket(customer, priority=3)
    first = open_ticket(customer, priority=1)
    sweep(tuesday(10, 23))

    rows = board.departures(edition_now())

    assert [(row.ticket, row.cells, str(row.last and row.last.whom)) for row in rows] == [
        (first, [True, True, False, False], "line_lead"),
        (later, [False, False, False, False], "None"),
    ]
    sweep(tuesday(10, 46))
    (row, _other) = board.departures(edition_now())
    assert (row.cells, row.last.person, row.clock.due_at) == ([True] * 4, boss, tuesday(10, 30))


def test_departures_leave_out_the_clocks_that_stand_and_the_tickets_that_ended():
    customer = a_customer()
    waiting = workflow.accept(open_ticket(customer, priority=1), by=an_engineer(), at=tuesday(10, 1))
    workflow.ask_customer(waiting, by=waiting.assignee, body="Which version?", at=tuesday(10, 2))
    ended = open_ticket(customer, priority=1)
    workflow.withdraw(ended, by=contact_of(customer), at=tuesday(10, 2))

    assert board.departures(edition_now()) == []


def test_ages_count_open_tickets_by_days():
    customer = a_customer()
    for opened in (november(20, 9), november(19, 11), november(18, 11), november(16, 11), november(9, 11), november(2)):
        open_ticket(customer, at=opened)
    closed = open_ticket(customer, at=november(20, 9))
    workflow.withdraw(closed, by=contact_of(customer), at=november(20, 10))

    ages = board.ages(november(20, 12))

    assert [age.count for age in ages] == [1, 2, 1, 1, 1]
    assert [age.share for age in ages] == [50, 100, 50, 50, 50]


def test_satisfaction_lists_the_low_ones():
    customer = a_customer()
    for score in (5, 4, 1):
        ticket = workflow.accept(open_ticket(customer), by=an_engineer(), at=tuesday(10, 1))
        workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=tuesday(11))
        workflow.rate(ticket, by=contact_of(customer), score=score, at=tuesday(12))

    found = board.satisfaction(tuesday(13))

    assert (found.count, round(found.average, 2), [rating.score for rating in found.low]) == (3, 3.33, [1])
    assert board.satisfaction(tuesday(13) + timedelta(days=31)).count == 0


# Pages


def test_board_shows_its_numbers_as_links(client):
    live(ago=40, priority=1, subject="Nothing works")
    client.force_login(a_manager(language="en"))

    page = client.get(reverse("manage:board")).content.decode()

    assert "Nothing works" in page
    for slug, _label, _asks in board.FACTS:
        assert reverse("manage:tickets", args=[slug]) in page


def table_of(client, name):
    answer = client.get(reverse("manage:table", args=[name]))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return answer, list(csv.reader(StringIO(text), delimiter=";"))


def test_charts_of_the_board_are_there_as_tables_with_exact_numbers(client, monkeypatch):
    manager = a_manager(language="en")
    client.force_login(manager)
    customer = a_customer()
    workflow.accept(live(customer, ago=5, priority=1), by=an_engineer(), at=now())
    live(customer, ago=60 * 26)

    answer, ages = table_of(client, "age")
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert ages[0] == ["Age", "Open requests"]
    assert [row[1] for row in ages[1:]] == ["1", "1", "0", "0", "0"]

    _answer, packages = table_of(client, "kept-by-package")
    assert packages[0] == ["Priority", "Package", "Promises", "Kept in time", "Missed", "Kept, %"]
    assert len(packages) == 1 + 4 * 3
    assert ["1", "Premium", "1", "1", "0", "100"] in packages
    assert ["4", "Premium", "0", "0", "0", ""] in packages

    _answer, lines = table_of(client, "kept-by-line")
    assert len(lines) == 1 + 12 * 4
    assert [row[1:] for row in lines if row[2] != "0"][1:] == [["1", "1", "1", "0", "100"]]

    page = client.get(reverse("manage:board")).content.decode()
    for name in ("age", "kept-by-package", "kept-by-line"):
        assert f'href="{reverse("manage:table", args=[name])}" download' in page
    assert client.get("/m/table/other.csv").status_code == 404


def test_weeks_of_a_line_are_grey_where_few_underlined_below_the_goal_and_a_single_one_is_a_dot(client, monkeypatch):
    client.force_login(a_manager(language="en"))
    workflow.accept(live(ago=60 * 3, priority=4), by=an_engineer(), at=now())

    few = client.get(reverse("manage:board")).content.decode()
    monkeypatch.setattr(reports, "FEW", 1)
    enough = client.get(reverse("manage:board")).content.decode()

    assert '<td class="muted"><b>0%</b><small>1</small></td>' in few
    assert '<td class="bad"><b>0%</b><small>1</small></td>' in enough
    assert re.search(r'points="(\S+) \1"', few)


def test_number_leads_to_as_many_tickets_as_it_says(client):
    customer = a_customer()
    withdrawn = live(customer, priority=1)
    contact = contact_of(customer, now())
    workflow.escalate(withdrawn, by=contact, whom="csm", reason="Slow", at=now())
    workflow.withdraw(withdrawn, by=contact, at=now())  # every clock of its own is cancelled: it is shown all the same
    live(customer, ago=40, priority=1)
    live(customer, priority=1)
    client.force_login(a_manager(language="en"))

    for fact in board.facts(now()):
        answer = client.get(reverse("manage:tickets", args=[fact.slug]))
        assert answer.status_code == 200
        assert answer.content.decode().count('class="bt__s"') == fact.count


def test_tickets_of_a_number_are_paged_by_deadline(client, monkeypatch):
    monkeypatch.setattr(manage, "PAGE", 2)
    customer = a_customer()
    expected = [live(customer, ago=ago, priority=1).number for ago in (50, 40, 45)]
    expected = [expected[0], expected[2], expected[1]]
    client.force_login(a_manager(language="en"))

    first = client.get(reverse("manage:tickets", args=["late"]))
    second = client.get(reverse("manage:tickets", args=["late"]) + first.context["older"])

    shown = [[row.ticket.number for row in answer.context["departures"]] for answer in (first, second)]
    assert shown == [expected[:2], expected[2:]]
    assert second.context["older"] == ""


@pytest.mark.parametrize("address", ["/m/nothing/", "/m/t/999999/"])
def test_missing_page_of_the_board_is_404(client, address):
    client.force_login(top())

    assert client.get(address).status_code == 404


@pytest.mark.parametrize("address", ["/m/late/?after=x", "/m/late/?after=999999", "/m/escalations/?before=x"])
def test_incomplete_address_is_400(client, address):
    client.force_login(top())

    assert client.get(address).status_code == 400


def test_top_management_reads_a_ticket_and_the_desk_goes_to_its_own_page(client):
    ticket = live(subject="Nothing works")
    workflow.note(ticket, by=an_engineer(), body="It is their proxy", at=now())
    client.force_login(top(language="en"))

    page = client.get(reverse("manage:ticket", args=[ticket.number]))

    assert page.status_code == 200
    assert "Nothing works" in page.content.decode()
    assert "It is their proxy" in page.content.decode()
    client.force_login(a_lead())
    answer = client.get(reverse("manage:ticket", args=[ticket.number]))
    assert (answer.status_code, answer.url) == (302, reverse("desk:ticket", args=[ticket.number]))


# Escalations


def called_in(whom="top_management", customer=None):
    ticket = live(customer, priority=1)
    contact = ticket.customer.contact_at(now())
    return workflow.escalate(ticket, by=contact, whom=whom, reason="The warehouse stands still", at=now())


def test_escalations_show_what_waits_for_me_first(client):
    boss = top(language="en")
    mine, csms = called_in(), called_in("csm")
    client.force_login(boss)

    answer = client.get(reverse("manage:escalations"))

    assert (answer.context["mine"], answer.context["others"]) == ([mine], [(csms, True)])
    assert "The warehouse stands still" in answer.content.decode()
    assert [call.pk for call in answer.context["log"]] == [csms.pk, mine.pk]


def test_reminders_of_the_ladder_wait_for_nobody_but_are_in_the_log(client):
    ticket = live(ago=16, priority=1)
    sweep(now())
    client.force_login(a_manager(language="en"))

    answer = client.get(reverse("manage:escalations"))

    assert (answer.context["mine"], answer.context["others"]) == ([], [])
    assert [(call.ticket, call.percent) for call in answer.context["log"]] == [(ticket, 50)]
    assert "<td>50%<small>reaction</small></td>" in answer.content.decode()


@pytest.mark.parametrize("name", ["board", "escalations", "statements", "missing", "set_aside"])
def test_managers_pages_lead_to_one_another(client, name):
    client.force_login(a_manager(language="en"))

    page = client.get(reverse(f"manage:{name}")).content.decode()

    below = page[page.index('class="sub"') :]
    links = re.findall(r'<a href="/m/([a-z]*)/?"(?: aria-current="page")?>([^<]+)</a>', below)
    assert links[:3] == [
        ("", "Now" if name == "board" else "Board"),
        ("escalations", "Escalations"),
        ("statements", "Monthly statements"),
    ]


def test_top_management_takes_and_answers_and_the_customer_reads_it(client):
    boss = top(language="en")
    escalation = called_in()
    client.force_login(boss)

    taken = client.post(reverse("manage:acknowledgement", args=[escalation.pk]))
    assert (taken.status_code, taken.url) == (302, reverse("manage:escalations"))
    escalation.refresh_from_db()
    assert (escalation.state, escalation.acknowledged_by) == ("acknowledged", boss)

    answered = client.post(reverse("manage:answer", args=[escalation.pk]), {"answer": "A crew is on its way"})
    assert answered.status_code == 302
    client.force_login(escalation.raised_by)
    assert "A crew is on its way" in client.get(f"/api/tickets/{escalation.ticket.number}/").content.decode()


@pytest.mark.parametrize("words", ["", "  "])
def test_empty_answer_is_409_on_the_same_page(client, words):
    escalation = called_in()
    client.force_login(top(language="en"))

    answer = client.post(reverse("manage:answer", args=[escalation.pk]), {"answer": words})

    assert answer.status_code == 409
    assert "Write the answer: the customer sees it." in answer.content.decode()


def test_refused_answer_keeps_what_was_typed_where_it_can_be_copied(client):
    manager = a_manager(language="en")
    escalation = called_in()
    workflow.answer_escalation(escalation, by=manager, answer="On it", at=now())
    client.force_login(manager)

    answer = client.post(reverse("manage:answer", args=[escalation.pk]), {"answer": "A crew is on its way"})

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "This escalation is answered already." in page
    assert "A crew is on its way" in page


def test_line_lead_does_not_answer_for_top_management(client):
    escalation = called_in()
    client.force_login(a_lead(language="en"))

    for name in ("acknowledgement", "answer"):
        answer = client.post(reverse(f"manage:{name}", args=[escalation.pk]), {"answer": "A crew is on its way"})
        assert answer.status_code == 403
        assert "This escalation waits for somebody else." in answer.content.decode()
    escalation.refresh_from_db()
    assert escalation.state == "open"


def test_csm_is_offered_the_escalations_of_other_csms(client):
    csm = a_csm(language="en")
    of_another, of_management = called_in("csm"), called_in()
    client.force_login(csm)

    page = client.get(reverse("manage:escalations")).content.decode()

    assert reverse("manage:answer", args=[of_another.pk]) in page
    assert reverse("manage:answer", args=[of_management.pk]) not in page


@pytest.mark.parametrize("make", [an_engineer, lambda: contact_of(a_customer(), now())])
def test_acting_on_escalations_is_for_the_board(client, make):
    escalation = called_in()
    client.force_login(make())

    for name in ("acknowledgement", "answer"):
        assert client.post(reverse(f"manage:{name}", args=[escalation.pk]), {"answer": "On it"}).status_code == 403


def test_missing_escalation_is_404_and_a_get_is_405(client):
    escalation = called_in()
    client.force_login(top())

    assert client.post(reverse("manage:answer", args=[999_999]), {"answer": "x"}).status_code == 404
    assert client.get(reverse("manage:answer", args=[escalation.pk])).status_code == 405


def test_log_is_paged_by_keyset(client, monkeypatch):
    monkeypatch.setattr(manage, "PAGE", 2)
    customer = a_customer()
    calls = [called_in(customer=customer).pk for _number in range(5)][::-1]
    client.force_login(top())
    seen, query = [], ""

    while True:
        answer = client.get(reverse("manage:escalations") + query)
        seen.append([call.pk for call in answer.context["log"]])
        query = answer.context["older"].split("#")[0]
        if not query:
            break

    assert seen == [calls[:2], calls[2:4], calls[4:]]


# Constant cost


@pytest.mark.parametrize("name", ["manage:board", "manage:escalations", "manage:tickets"])
def test_page_costs_the_same_for_one_and_three(client, django_assert_max_num_queries, name):
    customer = a_customer(csm=a_csm())
    address = reverse(name, args=["late"] if name == "manage:tickets" else [])
    client.force_login(a_manager())
    costs = []
    for more in (1, 2):
        for _number in range(more):
            ticket = live(customer, ago=70, priority=1)
            workflow.escalate(ticket, by=customer.contact_at(now()), whom="csm", reason="Slow", at=now())
        sweep(now())
        client.get(address)
        with django_assert_max_num_queries(32) as statements:
            assert client.get(address).status_code == 200
        costs.append(len(statements))

    assert Ticket.objects.count() == 3
    assert costs[0] == costs[1]
