"""Acts over many tickets: fixed at the start, each done once, refusals in words, taken back where that can be."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Absence, User
from accounts.refusals import Forbidden
from tests.factories import a_customer, a_lead, a_manager, an_engineer, open_ticket
from tickets import bulk, workflow
from tickets.models import BulkItem, BulkRun, Ticket
from tickets.queue import Queue
from tickets.workflow import NotAllowed

pytestmark = pytest.mark.django_db


def some(count: int, **fields: Any) -> list[Ticket]:
    customer = a_customer()
    at = timezone.now() - timedelta(minutes=1)
    return [open_ticket(customer=customer, at=at, **fields) for _number in range(count)]


def begun(by: User, tickets: list[Ticket], act: str, key: str = "k", **said: Any) -> BulkRun:
    return bulk.start(
        by=by,
        at=timezone.now(),
        act=act,
        said=said,
        key=key,
        numbers=[ticket.number for ticket in tickets],
        queue=Queue(),
    )


def finished(run: BulkRun) -> BulkRun:
    bulk.advance(run, at=timezone.now(), seconds=None)
    run.refresh_from_db()
    return run


def assignees(tickets: list[Ticket]) -> list[User | None]:
    return [Ticket.objects.get(pk=ticket.pk).assignee for ticket in tickets]


def test_assigning_many_and_taking_it_back() -> None:
    lead, engineer, tickets = a_lead(1), an_engineer(1), some(3)

    run = finished(begun(lead, tickets, "assign", to=engineer.pk))
    there = assignees(tickets)
    back = finished(bulk.undo(run, by=lead, at=timezone.now()))

    assert there == [engineer] * 3
    assert (run.state, bulk.progress(run)) == ("done", bulk.Progress(3, 3, 0))
    assert bulk.progress(back) == bulk.Progress(3, 3, 0)
    assert assignees(tickets) == [None] * 3


def test_hand_over_and_priority_are_taken_back_too() -> None:
    lead, tickets = a_lead(1), some(1, priority=3)

    over = finished(begun(lead, tickets, "handover", key="a", to_line=2, known="It falls.", asked="Look."))
    line = Ticket.objects.get().line_id
    finished(bulk.undo(over, by=lead, at=timezone.now()))
    higher = finished(begun(lead, tickets, "priority", key="b", priority=1, reason="All are hit."))
    priority = Ticket.objects.get().priority
    finished(bulk.undo(higher, by=lead, at=timezone.now()))

    ticket = Ticket.objects.get()
    assert (line, priority) == (2, 1)
    assert (ticket.line_id, ticket.priority, ticket.assignee) == (1, 3, None)


def test_what_somebody_changed_since_stays() -> None:
    lead, engineer, tickets = a_lead(1), an_engineer(1, full_name="Pavel Klimov"), some(2)
    run = finished(begun(lead, tickets, "assign", to=engineer.pk))
    workflow.note(tickets[0], by=engineer, body="Seen.", at=timezone.now())

    back = finished(bulk.undo(run, by=lead, at=timezone.now()))

    assert assignees(tickets) == [engineer, None]
    assert bulk.progress(back) == bulk.Progress(2, 1, 1)
    assert "Pavel Klimov" in back.items.get(outcome="failed").why


def test_a_refusal_stops_no_other_and_is_kept_in_words() -> None:
    engineer, tickets = an_engineer(1, language="en"), some(2)
    workflow.resolve(tickets[0], by=engineer, body="Restarted.", at=timezone.now())

    run = finished(begun(engineer, tickets, "priority", priority=1, reason="All are hit."))

    assert [(item.outcome, item.why) for item in run.items.order_by("pk")] == [
        ("failed", "Only an open request can be classified anew."),
        ("done", ""),
    ]


def test_second_click_starts_nothing() -> None:
    engineer, tickets = an_engineer(1), some(1)

    first, second = (begun(engineer, tickets, "note", body="Same.") for _click in range(2))
    finished(first)

    assert first == second
    assert tickets[0].messages.filter(kind="note").count() == 1


def test_whole_filter_is_gathered_in_batches_and_goes_on_after_a_kill(monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "GATHERED", 2)
    engineer, tickets = an_engineer(1), some(5)
    run = bulk.start(
        by=engineer,
        at=timezone.now(),
        act="note",
        said={"body": "Same cause."},
        key="k",
        queue=Queue(),
        whole=True,
    )
    later = open_ticket(customer=tickets[0].customer, at=timezone.now())

    bulk.advance(run, at=timezone.now(), seconds=0)  # killed after its first batch
    gathered = run.items.count()
    finished(BulkRun.objects.get(pk=run.pk))

    assert gathered == 2
    assert bulk.progress(run) == bulk.Progress(5, 5, 0)
    assert [ticket.messages.filter(kind="note").count() for ticket in [*tickets, later]] == [1] * 5 + [0]


def test_failed_ones_are_tried_again() -> None:
    lead, tickets = a_lead(1), some(1)
    run = finished(begun(lead, tickets, "handover", to_line=1, known="It falls.", asked="Look."))
    failed = bulk.progress(run)
    workflow.hand_over(tickets[0], by=lead, to_line=2, known="It falls.", asked="Look.", at=timezone.now())

    bulk.try_again(run, by=lead)
    finished(run)

    assert (failed, bulk.progress(run)) == (bulk.Progress(1, 0, 1), bulk.Progress(1, 1, 0))


def test_only_who_started_it_undoes_and_a_note_is_never_undone() -> None:
    lead, tickets = a_lead(1), some(1)
    assigned = finished(begun(lead, tickets, "assign", key="a", to=lead.pk))
    noted = finished(begun(lead, tickets, "note", key="b", body="Seen."))

    with pytest.raises(Forbidden):
        bulk.undo(assigned, by=a_manager(), at=timezone.now())
    with pytest.raises(NotAllowed):
        bulk.undo(noted, by=lead, at=timezone.now())


def test_pages_of_a_run_and_of_its_form() -> None:
    lead, tickets = a_lead(1, language="en"), some(2)
    client = Client()
    client.force_login(lead)
    numbers = [str(ticket.number) for ticket in tickets]

    form = client.get("/w/bulk/new/", {"act": "note", "n": numbers})
    empty = client.post("/w/bulk/", {"act": "note", "n": numbers, "key": "k", "body": " "})
    sent = client.post("/w/bulk/", {"act": "note", "n": numbers, "key": "k", "body": "Same.", "from": "l/1/"})
    run = BulkRun.objects.get()
    stranger = Client()
    stranger.force_login(an_engineer(1))

    assert (form.status_code, empty.status_code) == (200, 422)
    assert (sent.status_code, sent["Location"]) == (303, "/w/l/1/")
    assert client.get(f"/w/bulk/{run.pk}/").status_code == 200
    assert stranger.get(f"/w/bulk/{run.pk}/").status_code == 404
    assert BulkItem.objects.filter(outcome="done").count() == 2


def test_form_over_a_whole_filter_says_exactly_how_many(monkeypatch: Any) -> None:
    monkeypatch.setattr("tickets.queue.pages.CAP", 2)
    some(4)
    client = Client()
    client.force_login(a_lead(1, language="en"))

    page = client.get("/w/bulk/new/", {"act": "note", "all": "1", "from": "l/1/"}).content.decode()

    assert "4 requests</h1>" in page
    assert ": 4</button>" in page


def test_form_over_a_whole_filter_says_which_one() -> None:
    some(1, priority=2)
    client = Client()
    client.force_login(a_lead(1, language="en"))

    asked = {"act": "question", "all": "1", "from": "l/1/?package=premium&priority=1&priority=2"}
    page = client.get("/w/bulk/new/", asked).content.decode()

    assert "<b>Line: 1; Package: Premium; Priority: 1, 2</b>" in page


def test_more_than_is_ticked_by_hand_is_refused_and_never_half_done(monkeypatch: Any) -> None:
    monkeypatch.setattr(bulk, "TICKED_AT_MOST", 2)

    with pytest.raises(NotAllowed, match="2"):
        begun(an_engineer(1), some(3), "note", body="Same.")

    assert not BulkRun.objects.exists()


def test_whole_of_a_filter_that_is_not_understood_is_refused() -> None:
    lead = a_lead(1, language="en")
    some(2)
    client = Client()
    client.force_login(lead)
    asked = {"act": "note", "all": "1", "from": "l/1/?company=Vetrolog", "body": "Same.", "key": "k"}

    form, sent = client.get("/w/bulk/new/", asked), client.post("/w/bulk/", asked)

    assert (form.status_code, sent.status_code) == (409, 409)
    assert "company=Vetrolog" in form.content.decode()
    assert not BulkRun.objects.exists()


def test_people_stand_under_their_lines_and_who_is_away_says_so() -> None:
    now = timezone.now()
    lead = a_lead(3, language="en", full_name="Lead Three")
    an_engineer(1, full_name="First One")
    an_engineer(3, full_name="Zoe There")
    away = an_engineer(3, full_name="Ann Away")
    Absence.objects.create(
        user=away, substitute=lead, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1)
    )
    [ticket] = some(1)
    workflow.hand_over(ticket, to_line=3, known="It", asked="Look", by=a_lead(1), at=now)
    client = Client()
    client.force_login(lead)

    form = client.get("/w/bulk/new/", {"act": "assign", "n": ticket.number}).context["form"]
    groups = [(group, [label for _key, label in people]) for group, people in form.fields["to"].choices if group]

    (first, names), (second, others), *_of_no_line = groups
    assert (first[:2], second[:2]) == ("3.", "1.")  # the line of the ticket before the others
    assert names[:2] == ["Lead Three", "Zoe There"]
    assert names[2].startswith("Ann Away: away until ")
    assert names[2].endswith(", Lead Three stands in")
    assert "First One" in others
