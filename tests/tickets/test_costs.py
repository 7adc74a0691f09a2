"""What the desk costs in statements and in what PostgreSQL reads: bounded, whatever there is (issue 5)."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from sla.models import Commitment
from sla.sweep import sweep
from tests.copies import CLOCKS, TICKETS, copied
from tests.factories import a_csm, a_customer, a_lead, a_manager, an_engineer, contact_of, open_ticket
from tickets import workflow
from tickets.models import Draft, HandOver, PendingFile, Ticket
from tickets.workflow import Upload

pytestmark = pytest.mark.django_db

PAGE, RECEIPT = 10, 5


def statements_of(client: Any, address: str, **headers: Any) -> list[str]:
    """Of a page that was asked for before, so that the process knows the catalogue and the lines."""
    client.get(address, **headers)
    with CaptureQueriesContext(connection) as found:
        assert client.get(address, **headers).status_code == 200
    return [one["sql"] for one in found]


def say(ticket: Ticket, by: User, contact: User, number: int) -> None:
    """One more of everything that a page of a ticket shows."""
    now = timezone.now()
    file = Upload(f"log{number}.txt", "text/plain", BytesIO(b"x"), 1)
    workflow.reply(ticket, by=by, body=f"Reply {number}", at=now, files=[file])
    workflow.note(ticket, by=an_engineer(), body=f"Note {number}", at=now)
    workflow.customer_reply(ticket, by=contact, body="Thanks", at=now)
    workflow.link(ticket, to=open_ticket(), kind="relates", by=an_engineer(), at=now)
    workflow.log_time(ticket, by=by, minutes=5, on_day=now.date(), at=now)
    HandOver.objects.create(
        ticket=ticket, from_line_id=1, to_line_id=2, by=an_engineer(), at=now, known="x", asked="y", accepted_by=by,
        accepted_at=now,
    )  # fmt: skip
    PendingFile.objects.create(ticket=ticket, person=by, file="x", name="x", size=1, created_at=now)
    merged = open_ticket(ticket.customer)
    workflow.merge(merged, into=ticket, by=by, at=now)


@pytest.mark.parametrize("who", [an_engineer, a_csm])
def test_page_of_a_ticket_costs_ten_statements_whatever_is_around_it(client, who):
    reader = who()
    now = timezone.now()
    customer = a_customer("premium", csm=a_csm(), starts_on=(now - timedelta(days=30)).date())
    contact = contact_of(customer, now)
    ticket = workflow.accept(
        open_ticket(customer, at=now - timedelta(hours=2), priority=1), by=an_engineer(), at=now - timedelta(hours=1)
    )
    sweep(now)
    Draft.objects.create(ticket=ticket, person=reader, kind="note", body="…", updated_at=now)
    client.force_login(reader)
    address = reverse("desk:ticket", args=[ticket.number])
    found = []
    for more in (1, 2):
        for number in range(more):
            say(ticket, reader, contact, number)
        found.append(statements_of(client, address))

    assert len(found[0]) == len(found[1]) <= PAGE
    pane = statements_of(client, address, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="pane")
    assert len(pane) < len(found[0])


def test_first_visit_and_first_page_of_a_process_cost_ten_statements_too(client):
    now = timezone.now()
    ticket = open_ticket(at=now)
    client.force_login(an_engineer())
    client.get(reverse("desk:queue"))

    with CaptureQueriesContext(connection) as found:
        client.get(reverse("desk:ticket", args=[ticket.number]))

    assert len(found) <= PAGE


def test_lead_pays_for_the_ranking_only(client):
    ticket = open_ticket(at=timezone.now())
    client.force_login(a_lead())

    assert len(statements_of(client, reverse("desk:ticket", args=[ticket.number]))) <= PAGE + 3


def test_receiving_a_request_costs_five_statements():
    now = timezone.now()
    customer = a_customer("premium", starts_on=(now - timedelta(days=30)).date())
    contact = contact_of(customer, now)
    said: dict[str, Any] = {"customer": customer, "by": contact, "subject": "S", "body": "B", "kind": "incident"}
    workflow.open_ticket(**said, at=now, priority=1)

    with transaction.atomic(), CaptureQueriesContext(connection) as found:
        workflow.open_ticket(**said, at=now, priority=1)

    assert len([one for one in found if "SAVEPOINT" not in one["sql"]]) == RECEIPT


def test_a_verb_writes_only_what_it_changed():
    ticket = open_ticket()

    with CaptureQueriesContext(connection) as found:
        workflow.note(ticket, by=an_engineer(), body="Note", at=ticket.opened_at + timedelta(minutes=5))

    (update,) = [one["sql"] for one in found if one["sql"].startswith('UPDATE "tickets_ticket"')]
    assert "changed_at" in update
    assert "subject" not in update


# The board: as much is read for ten times the requests


def rows_read(plan: dict[str, Any]) -> float:
    """The rows that PostgreSQL looked at in the scans of a plan, those that it threw away too."""
    own = 0.0
    if "Scan" in plan["Node Type"] and "Alias" in plan:
        own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return own + sum(rows_read(child) for child in plan.get("Plans", ()))


def read_by(client: Any, address: str) -> float:
    """The rows read by all statements of a page."""
    total = 0.0

    def explained(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal total
        if sql.lstrip().startswith(("SELECT", "WITH")) and "FOR UPDATE" not in sql:
            with connection.connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                told = cursor.fetchone()[0]
                total += rows_read((told if isinstance(told, list) else json.loads(told))[0]["Plan"])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        assert client.get(address).status_code == 200
    return total


def copies(ticket: Ticket, count: int) -> None:
    """So many more tickets like this one with their clocks, over all lines, due one after another from now on."""
    own = {
        "number": "nextval('tickets_ticket_number')",
        "token": "left(md5(random()::text), 16)",
        "line_id": "1 + mod(n, 4)",
        "opened_at": "model.opened_at - n * interval '4 minutes'",
        "due_at": "now() + n * interval '1 minute'",
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # the search need not read them
        cursor.execute("SELECT max(id) FROM tickets_ticket")
        last = cursor.fetchone()[0]
        cursor.execute(
            TICKETS.format(**copied(Ticket, own)).replace("%", "%%").replace("%%s", "%s"), [count, ticket.pk]
        )
        for clock in Commitment.objects.filter(ticket=ticket):
            parts = copied(Commitment, {"ticket_id": "ticket.id", "due_at": "ticket.due_at"})
            cursor.execute(CLOCKS.format(**parts), [clock.pk, last])
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE tickets_ticket; ANALYZE sla_commitment")


def test_board_reads_no_more_for_four_times_the_requests(client):
    now = timezone.now()
    ticket = open_ticket(a_customer("premium", starts_on=(now - timedelta(days=30)).date()), at=now, priority=2)
    client.force_login(a_manager())
    address = reverse("manage:board")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a table that fits a few pages is cheaper read whole
    read = []
    for more in (8000, 24000):
        copies(ticket, more)
        client.get(address)
        read.append(read_by(client, address))

    # Past the caps of the counts nothing is left that grows.
    assert read[1] <= 1.4 * read[0]
    assert read[1] < 20_000
