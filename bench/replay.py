"""What it costs to verify commitments: `python bench/replay.py` prints JSON. Needs no running server of yours.

In a database of its own (made and dropped here) stand a few tickets with a long story each (questions, hand-overs,
restores, reopenings) and their copies. All of them are verified as `manage.py verify_commitments` does it: every
commitment recomputed from the ticket's events and compared with its row. There must be no difference.
"""

import argparse
import json
import logging
import os
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from tests.servers import start  # noqa: E402  a PostgreSQL of its own, unless DATABASE_URL names one

# Copies of one table's rows: of the tickets first, then what hangs on each, copy number n beside copy number n.
TICKETS = """
INSERT INTO tickets_ticket ({columns})
SELECT {values} FROM tickets_ticket model, generate_series(1, %s) n WHERE model.id <= %s ORDER BY n, model.id
"""
ROWS = """
INSERT INTO {table} ({columns})
SELECT {values} FROM {table} model, generate_series(1, %s) n WHERE model.ticket_id <= %s ORDER BY n, model.id
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--tickets", type=int, default=20_000, help="about how many tickets are verified")
    options = asked.parse_args()
    with ExitStack() as stack:
        start(stack)
        import django

        logging.disable(logging.INFO)
        django.setup()
        found = measure(options.tickets)
        print(json.dumps(found, indent=2))
    sys.exit(1 if found["differences"] else 0)


def measure(tickets: int) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext, setup_databases, teardown_databases
    from django.utils import timezone

    from tickets.models import Ticket
    from tickets.replay import CHUNK
    from tickets.verification import Verified, verify

    made = setup_databases(verbosity=0, interactive=False)
    try:
        told = tell_stories()
        copy(told, max(1, tickets // told))
        verified = Verified()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.perf_counter()
        differences = sum(1 for _difference in verify(Ticket.objects.all(), clock=timezone.now, verified=verified))
        seconds = time.perf_counter() - began
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        with CaptureQueriesContext(connection) as statements:
            list(verify(Ticket.objects.filter(pk__lte=CHUNK), clock=timezone.now))
        return {
            "tickets": verified.tickets,
            "commitments": verified.commitments,
            "differences": differences,
            "seconds": round(seconds, 2),
            "commitments_per_second": round(verified.commitments / seconds),
            "tickets_per_second": round(verified.tickets / seconds),
            "statements_for_500_tickets": len(statements),
            "memory_grown_mb": round(grown / 1024, 1),
        }
    finally:
        teardown_databases(made, verbosity=0)


def tell_stories() -> int:
    """Tickets with long stories, made by the verbs; how many there are."""
    from tests.factories import a_customer, a_lead, a_manager, an_engineer, contact_of, open_ticket, top
    from tests.moments import november, tuesday
    from tickets import workflow

    lead, manager = a_lead(2), a_manager()
    top()
    first, second = an_engineer(1), an_engineer(2)
    for code in ("premium", "business", "basic"):
        customer = a_customer(code)
        contact = contact_of(customer)

        ticket = open_ticket(customer, priority=2)  # asked, handed over, solved, reopened, solved
        workflow.accept(ticket, by=first, at=tuesday(10, 20))
        workflow.ask_customer(ticket, by=first, body="Which version?", at=tuesday(11))
        workflow.customer_reply(ticket, by=contact, body="7.8", at=tuesday(15))
        workflow.hand_over(ticket, by=first, to_line=2, known="It falls", asked="Look", at=tuesday(15, 30))
        workflow.assign(ticket, by=lead, to=second, at=tuesday(15, 40))
        workflow.reply(ticket, by=second, body="Seen", at=tuesday(15, 50))
        workflow.resolve(ticket, by=second, body="Restarted", at=november(18, 10))
        workflow.reopen(ticket, by=contact, reason="Still", at=november(18, 16))
        workflow.resolve(ticket, by=second, body="Rebuilt", at=november(19, 12))
        workflow.confirm(ticket, by=contact, at=november(19, 13))

        ticket = open_ticket(customer, priority=1)  # restored, contested, classified anew, escalated
        workflow.accept(ticket, by=first, at=tuesday(10, 10))
        workflow.restore(ticket, by=first, workaround="Mirror", at=tuesday(11))
        workflow.contest_restore(ticket, by=contact, reason="No", at=tuesday(11, 30))
        call = workflow.escalate(ticket, by=contact, whom="top_management", reason="Again", at=tuesday(11, 40))
        workflow.answer_escalation(call, by=manager, answer="We see to it", at=tuesday(12))
        workflow.reclassify(ticket, by=first, reason="Misread", priority=3, at=tuesday(14))
        workflow.resolve(ticket, by=first, body="Fixed", at=november(20, 12))

        ticket = open_ticket(customer, priority=3)  # declined, contested, withdrawn
        workflow.decline(ticket, by=first, reason="Networks", at=tuesday(12))
        workflow.contest(ticket, by=contact, reason="Yours", at=tuesday(15))
        workflow.withdraw(ticket, by=contact, at=november(18, 9))
    from tickets.models import Ticket

    return Ticket.objects.count()


def copy(told: int, times: int) -> None:
    """Each story so many times more, with its events and commitments."""
    from django.db import connection

    from sla.models import Commitment
    from tickets.models import Event, Ticket

    # The stories are tickets 1 to `told` of a fresh database, so copy n of ticket i is ticket n × told + i.
    number = f"model.number + n * {told}"
    own = {"number": number, "token": "left(md5(random()::text), 16)", "idempotency_key": "NULL"}
    hangs_on = {"ticket_id": f"model.ticket_id + n * {told}", "message_id": "NULL"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id), min(id) FROM tickets_ticket")
        assert cursor.fetchone() == (told, 1)
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(TICKETS.format(**columns(Ticket, own)), [times - 1, told])
        for model in (Event, Commitment):
            statement = ROWS.format(table=model._meta.db_table, **columns(model, hangs_on))
            cursor.execute(statement, [times - 1, told])
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE tickets_ticket, tickets_event, sla_commitment")


def columns(model: Any, own: dict[str, str]) -> dict[str, str]:
    names = [field.column for field in model._meta.concrete_fields if field.column != "id"]
    return {
        "columns": ", ".join(f'"{name}"' for name in names),
        "values": ", ".join(own.get(name, f'model."{name}"') for name in names),
    }


if __name__ == "__main__":
    main()
