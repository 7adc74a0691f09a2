"""`manage.py verify_commitments`: every promise recomputed from the events and compared with its row (domain §4.3)."""

import json
import time
from argparse import ArgumentParser
from datetime import date, datetime
from datetime import time as clock_time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sla.words import MOSCOW
from tickets.models import Ticket
from tickets.verification import Verified, verify


class Command(BaseCommand):
    help = "Recomputes commitments from the tickets' events and prints each difference; exit code 1 if there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ticket", type=int, metavar="NUMBER", help="this ticket only")
        parser.add_argument("--since", metavar="DATE", help="tickets received from this day on (Moscow time)")
        parser.add_argument("--limit", type=int, metavar="N", help="stop after so many differences")
        parser.add_argument("--json", action="store_true", help="one JSON object a line, the summary last")

    def handle(self, *args: Any, **options: Any) -> None:
        limit = options["limit"]
        if limit is not None and limit < 1:
            raise CommandError("--limit is a number of 1 or more.")
        tickets = Ticket.objects.all()
        if options["ticket"] is not None:
            tickets = tickets.filter(number=options["ticket"])
            if not tickets.exists():
                raise CommandError(f"There is no ticket {options['ticket']}.")
        if options["since"] is not None:
            tickets = tickets.filter(opened_at__gte=first_moment(options["since"]))
        verified = Verified()
        began = time.perf_counter()
        found = 0
        # One difference more than the limit is asked for, so that the last line can say that there are more.
        for difference in verify(tickets, clock=timezone.now, verified=verified):
            if limit is not None and found == limit:
                verified.stopped = True
                break
            found += 1
            self.stdout.write(
                json.dumps(difference.as_json(), ensure_ascii=False) if options["json"] else difference.words()
            )
        self._sum_up(verified, found, time.perf_counter() - began, as_json=options["json"])
        if found:
            raise CommandError("The stored commitments and the events differ.", returncode=1)

    def _sum_up(self, verified: Verified, found: int, seconds: float, *, as_json: bool) -> None:
        rate = round(verified.commitments / seconds) if seconds else 0
        if as_json:
            counts = {
                "tickets": verified.tickets,
                "commitments": verified.commitments,
                "wait_for_the_sweep": verified.unswept,
                "differences": found,
                "stopped_at_the_limit": verified.stopped,
                "seconds": round(seconds, 2),
                "commitments_per_second": rate,
            }
            self.stdout.write(json.dumps(counts))
            return
        self.stdout.write(
            f"{verified.tickets} tickets, {verified.commitments} commitments: {found} differences"
            f"{' and more (--limit)' if verified.stopped else ''}; "
            f"{verified.unswept} wait for the sweep; {seconds:.1f} s, {rate} commitments a second"
        )


def first_moment(words: str) -> datetime:
    """The beginning of the day in Moscow. Raises `CommandError` for what is no date."""
    try:
        day = date.fromisoformat(words)
    except ValueError as error:
        raise CommandError(f"--since {words} is not a date: write it as 2026-11-17.") from error
    return datetime.combine(day, clock_time(), tzinfo=MOSCOW)
