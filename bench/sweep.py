"""What the sweep costs beside its floor: `python bench/sweep.py` prints JSON. Needs no running server of yours.

In a database of its own (made and dropped here) stand 10,000, 100,000 and 1,000,000 open commitments; 1,000 of them
fall due. Measured in one run, by turns: the sweep, and the *floor*, one hand-written statement that claims, updates and
writes the same rows. Then a pass that finds nothing due, and 100,000 due at once: in one process, and with four workers
of which one is killed.
"""

import argparse
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from tests.copies import CLOCKS, TICKETS, copied  # noqa: E402
from tests.servers import start  # noqa: E402  a PostgreSQL of its own, unless DATABASE_URL names one

NOW = datetime(2026, 11, 17, 7, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=90)
DUE = 1_000
ROUNDS = 5

RIPEN = """
UPDATE sla_commitment SET next_check_at = %s, rungs_done = 0, ending = ''
WHERE id IN (SELECT id FROM sla_commitment WHERE next_check_at > %s ORDER BY random() LIMIT %s)
"""
FLOOR = """
WITH due AS (
    SELECT id, ticket_id, rungs_done FROM sla_commitment WHERE next_check_at <= %s
    ORDER BY next_check_at, id LIMIT 1000 FOR UPDATE SKIP LOCKED
), climbed AS (
    UPDATE sla_commitment SET ending = '', rungs_done = sla_commitment.rungs_done + 1, next_check_at = %s
    FROM due WHERE due.id = sla_commitment.id
)
INSERT INTO sla_escalation (ticket_id, commitment_id, position, percent, whom, is_early, reached_at, created_at,
                            cause, reason, state, answer)
SELECT ticket_id, id, rungs_done, 50, 'line_lead', false, %s, %s, 'ladder', '', 'open', '' FROM due
ON CONFLICT DO NOTHING
"""
FORGET = "DELETE FROM sla_escalation"
NO_MORE_DUE = "UPDATE sla_commitment SET next_check_at = %s, rungs_done = 0 WHERE next_check_at <= %s OR rungs_done > 0"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sizes", default="10000,100000,1000000", help="how many open commitments stand")
    asked.add_argument("--flood", type=int, default=100_000, help="how many fall due at once")
    asked.add_argument("--worker", metavar="DATABASE", help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.worker:
        in_django(options.worker)
        work()
        return
    with ExitStack() as stack:
        start(stack)
        in_django()
        print(json.dumps(measure([int(size) for size in options.sizes.split(",")], options.flood), indent=2))


def in_django(database: str = "") -> None:
    import django
    from django.conf import settings

    if database:
        settings.DATABASES["default"]["NAME"] = database
    logging.disable(logging.INFO)
    django.setup()


def work() -> None:
    """One worker of the flood, up like a worker of Celery is: at the word it sweeps until nothing is due."""
    from django.db import connection

    from sla.sweep import sweep

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    print(sweep(NOW).escalations, flush=True)


def measure(sizes: list[int], flood: int) -> dict[str, Any]:
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases  # the way a test run makes its own database

    made = setup_databases(verbosity=0, interactive=False)
    base = connection.settings_dict["NAME"]
    copies = {size: f"{base}_{size}" for size in sizes}
    try:
        model = a_due_ticket()
        found: dict[str, Any] = {"due": DUE}
        for size, copy in copies.items():
            fill(model, size)
            administration(f"CREATE DATABASE {copy} TEMPLATE {base}")
        found["sizes"] = beside_the_floor(copies)
        largest, smallest = (found["sizes"][str(size)]["sweep_ms"] for size in (sizes[-1], sizes[0]))
        found["largest_by_smallest"] = round(largest / smallest, 2)
        at_database(copies[sizes[-1]])
        found["idle"] = idle()
        if flood:
            found["flood"] = one_process(flood)
            found["flood_of_four_one_killed"] = four_workers(flood, connection.settings_dict["NAME"])
        return found
    finally:
        at_database(base)
        for copy in copies.values():
            administration(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
        teardown_databases(made, verbosity=0)


def administration(sql: str) -> None:
    from django.db import connection

    connection.close()  # a database that somebody is in is not copied
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(sql)


def at_database(name: str) -> None:
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = name


def a_due_ticket() -> Any:
    """One real ticket with its clocks, opened by the verb; the others are its copies."""
    from tests.factories import a_customer, a_lead, a_manager, open_ticket

    a_manager()
    for line in (1, 2, 3, 4):
        a_lead(line)
    return open_ticket(a_customer("business"), priority=2)


def fill(model: Any, size: int) -> None:
    """Copies the ticket and its clock until so many stand.

    Every clock has four rungs to come, in the shape that `clocks.lay_out` writes, looked at next in three months.
    """
    from django.db import connection

    from sla.models import Commitment
    from tickets.models import Ticket

    clock = model.commitments.get(kind="reaction")
    # The model never falls due: it is no clock that is counted, only the one that the others are copied from.
    model.commitments.update(next_check_at=None)
    standing = Commitment.objects.filter(next_check_at__isnull=False).count()
    last = Ticket.objects.order_by("-pk").values_list("pk", flat=True)[0]
    next_number = "model.number + (SELECT max(number) FROM tickets_ticket) + n"
    ticket_own = {"number": next_number, "token": "left(md5(random()::text), 16)", "idempotency_key": "NULL"}
    rungs = [
        {"percent": 50 + n, "whom": "line_lead", "at": (NOW + n * timedelta(days=1) - timedelta(seconds=1)).isoformat()}
        for n in range(4)
    ]
    clock_own = {
        "ticket_id": "ticket.id",
        "next_check_at": f"'{LATER.isoformat()}'::timestamptz + ticket.id * interval '1 second'",
        "rungs": f"'{json.dumps(rungs)}'::jsonb",
        "due_at": f"'{LATER.isoformat()}'::timestamptz",
        "rungs_done": "0",
    }
    with connection.cursor() as cursor:
        # The triggers (search entries, counts) are not what is measured, and a million copies run half an hour through
        # them; the keys that the copies point at stand, they are the model's.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(TICKETS.format(**copied(Ticket, ticket_own)), [size - standing, model.pk])
        cursor.execute(CLOCKS.format(**copied(Commitment, clock_own)), [clock.pk, last])
        cursor.execute("RESET session_replication_role")
        cursor.execute("VACUUM ANALYZE sla_commitment, sla_escalation, tickets_ticket")


def ripe(due: int) -> None:
    """So many fall due, spread over the table; nothing else is."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(NO_MORE_DUE, [LATER, NOW])
        cursor.execute(FORGET)
        cursor.execute(RIPEN, [NOW - timedelta(seconds=1), NOW, due])
        cursor.execute("VACUUM ANALYZE sla_commitment, sla_escalation")


def beside_the_floor(databases: dict[int, str]) -> dict[str, Any]:
    """Milliseconds for 1,000 due, best and middle of the rounds: at each size, and the sweep and the floor, by turns.

    A machine that slows down in the middle slows down all of them.
    """
    ours: dict[int, list[float]] = {size: [] for size in databases}
    floors: dict[int, list[float]] = {size: [] for size in databases}
    for _round in range(ROUNDS):
        for size, database in databases.items():
            at_database(database)
            floors[size].append(floor())
            ours[size].append(swept())
    found = {}
    for size, database in databases.items():
        at_database(database)
        sweep_ms, floor_ms = median(ours[size]) * 1e3, median(floors[size]) * 1e3
        found[str(size)] = {
            "sweep_ms": round(sweep_ms, 1),
            "floor_ms": round(floor_ms, 1),
            "times_the_floor": round(sweep_ms / floor_ms, 2),
            "best_ms": [round(min(ours[size]) * 1e3, 1), round(min(floors[size]) * 1e3, 1)],
            **said(),
        }
    return found


def floor() -> float:
    """Seconds of the hand-written statement."""
    from django.db import connection

    ripe(DUE)
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(FLOOR, [NOW, LATER, NOW, NOW])
    return time.perf_counter() - began


def swept() -> float:
    """Seconds of the sweep."""
    from sla.sweep import sweep

    ripe(DUE)
    began = time.perf_counter()
    found = sweep(NOW)
    seconds = time.perf_counter() - began
    assert found.escalations == DUE, found
    return seconds


def said() -> dict[str, int]:
    """How much it says to the database."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from sla.sweep import sweep

    ripe(DUE)
    with CaptureQueriesContext(connection) as statements:
        sweep(NOW)
    return {
        "statements": sum(not query["sql"].startswith(("BEGIN", "COMMIT")) for query in statements.captured_queries),
        "commits": sum(query["sql"].startswith("COMMIT") for query in statements.captured_queries),
    }


def idle() -> dict[str, Any]:
    """What a pass costs that finds nothing due."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from sla.sweep import sweep

    ripe(0)
    with CaptureQueriesContext(connection) as statements:
        sweep(NOW)
    (asked,) = statements.captured_queries
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + asked["sql"].replace("%", "%%"))
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    began = time.perf_counter()
    for _pass in range(100):
        sweep(NOW)
    return {
        "pass_ms": round((time.perf_counter() - began) * 10, 2),
        "database_ms": round(plan[0]["Execution Time"], 3),
        "buffers": plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"],
    }


def exactly_once(due: int) -> dict[str, Any]:
    """How many escalations there are of those due, and how many twice."""
    from sla.models import Commitment, Escalation

    written = Escalation.objects.count()
    return {
        "written": written,
        "missing": due - written,
        "doubled": written - Escalation.objects.values("commitment", "position").distinct().count(),
        "left_due": Commitment.objects.filter(next_check_at__lte=NOW).count(),
    }


def one_process(due: int) -> dict[str, Any]:
    from sla.sweep import sweep

    ripe(due)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    sweep(NOW)
    seconds = time.perf_counter() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"due": due, "seconds": round(seconds, 2), "memory_grown_mb": round(grown / 1024, 1), **exactly_once(due)}


def four_workers(due: int, database: str) -> dict[str, Any]:
    """Four processes sweep at once; one is killed in the middle."""
    from django.db import connection

    ripe(due)
    connection.close()
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, "--worker", database],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _number in range(4)
    ]
    for worker in workers:
        assert worker.stdout is not None and worker.stdout.readline() == b"ready\n"
    began = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"go\n")
        worker.stdin.flush()
    while not escalations_so_far():
        time.sleep(0.02)
    workers[0].send_signal(signal.SIGKILL)
    codes = [worker.wait() for worker in workers]
    seconds = time.perf_counter() - began
    return {"due": due, "seconds": round(seconds, 2), "exit_codes": codes, **exactly_once(due)}


def escalations_so_far() -> bool:
    from sla.models import Escalation

    return Escalation.objects.exists()


if __name__ == "__main__":
    main()
