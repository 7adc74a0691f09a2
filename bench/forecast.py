"""How often the forecast is right: `python bench/forecast.py` prints JSON. Needs no running server of yours.

In a database of its own (made and dropped here) a demo year is told; then every promise of it is asked about at moments
of its past with what was known then, as `manage.py forecast` does. Last, what the forecasts of a page cost.
"""

import argparse
import json
import logging
import os
import sys
import time
from contextlib import ExitStack
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from tests.servers import start  # noqa: E402  a PostgreSQL of its own, unless DATABASE_URL names one

PAGE = 50
ROUNDS = 20


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--tickets", type=int, default=600, help="of the demo year (default 600)")
    asked.add_argument("--seed", type=int, default=1, help="another seed tells another year")
    options = asked.parse_args()
    with ExitStack() as stack:
        start(stack)
        import django

        logging.disable(logging.INFO)
        django.setup()
        print(json.dumps(measure(options.tickets, options.seed), indent=2))


def measure(tickets: int, seed: int) -> dict[str, Any]:
    from django.core.management import CommandError, call_command
    from django.test.utils import setup_databases, teardown_databases
    from django.utils import timezone

    from sla.models import DeadlineProposal
    from tickets.forecast_trial import tried

    made = setup_databases(verbosity=0, interactive=False)
    try:
        call_command("demo", tickets=tickets, seed=seed, stdout=StringIO())
        now = timezone.now()
        began = time.perf_counter()
        trials = tried(now, since=now - timedelta(days=365))
        seconds = time.perf_counter() - began
        try:
            call_command("verify_commitments", stdout=StringIO())
            verified = True
        except CommandError:
            verified = False
        states = DeadlineProposal.objects.values_list("state", flat=True)
        return {
            "tickets": tickets,
            "seed": seed,
            "trials": [trial.as_json() for trial in trials],
            "trial_seconds": round(seconds, 2),
            "page": page(now),
            "demo_verifies": verified,
            "proposals": {state: list(states).count(state) for state in sorted(set(states))},
        }
    finally:
        teardown_databases(made, verbosity=0)


def page(now: Any) -> dict[str, Any]:
    """What the forecasts of one page of the queue cost."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from sla.models import Commitment
    from tickets.forecasting import KINDS, forecasts

    rows = list(
        Commitment.objects.running()
        .filter(kind__in=KINDS, paused_at__isnull=True)
        .select_related("ticket", "calendar_version")
        .order_by("due_at")[:PAGE]
    )
    with CaptureQueriesContext(connection) as statements:
        forecasts(rows, now)
    times = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        forecasts(rows, now)
        times.append(time.perf_counter() - began)
    return {"promises": len(rows), "statements": len(statements), "best_ms": round(min(times) * 1e3, 2)}


if __name__ == "__main__":
    main()
