"""Run as a program in a database of its own: `python tests/runtime/due_clocks.py COUNT HOURS`.

Makes one ticket by the verbs and COUNT - 1 copies of it; each has one clock with two rungs that have come since, spread
over the last HOURS hours, and a third that comes in half an hour. Everything before is marked as told, so that every
letter written afterwards is a letter of these rungs.
"""

import json
import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from mail.outbound import mark_history_notified  # noqa: E402
from sla.models import Commitment  # noqa: E402
from tests.copies import CLOCKS, TICKETS, copied  # noqa: E402
from tests.factories import a_customer, a_lead, a_manager, open_ticket  # noqa: E402
from tickets.models import Ticket  # noqa: E402


def due_clocks(count: int, hours: float) -> None:
    now = timezone.now()
    a_manager()
    for line in (1, 2, 3, 4):
        a_lead(line)
    model = open_ticket(a_customer("business"), priority=2)
    mark_history_notified(now)
    clock = model.commitments.get(kind="reaction")
    ticket_own = {
        "number": "nextval('tickets_ticket_number')",
        "token": "left(md5(random()::text), 16)",
        "idempotency_key": "NULL",
    }
    with connection.cursor() as cursor:
        cursor.execute(TICKETS.format(**copied(Ticket, ticket_own)), [count - 1, model.pk])
        cursor.execute(CLOCKS.format(**copied(Commitment, {"ticket_id": "ticket.id"})), [clock.pk, model.pk])
    for number, row in enumerate(Commitment.objects.filter(kind="reaction").order_by("pk")):
        first = now - timedelta(hours=hours) * (1 - number / count) - timedelta(seconds=2)
        moments = [first, first + (now - first) / 2, now + timedelta(minutes=30)]
        row.rungs = [
            {"percent": percent, "whom": "line_lead", "at": at.isoformat()}
            for percent, at in zip((50, 75, 90), moments, strict=True)
        ]
        row.rungs_done, row.next_check_at, row.due_at = 0, first, now + timedelta(hours=1)
        row.save(update_fields=["rungs", "rungs_done", "next_check_at", "due_at"])
    print(json.dumps({"now": now.isoformat()}))


if __name__ == "__main__":
    due_clocks(int(sys.argv[1]), float(sys.argv[2]))
