"""`manage.py demo`: a year of a support desk, made by the verbs of the house (helpdesk/demo)."""

import logging
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from helpdesk.demo.company import company, expire_past_contracts
from helpdesk.demo.year import year
from tickets.models import Ticket

TICKETS = 600
SEED = 1


class Command(BaseCommand):
    help = "Load the demo: 12 customers, the desk's people and a year of tickets. Run it again for more tickets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tickets", type=int, default=TICKETS, help=f"how many (default {TICKETS})")
        parser.add_argument("--seed", type=int, default=SEED, help="another seed tells other stories")
        parser.add_argument("--once", action="store_true", help="only where there is no ticket yet")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"] and Ticket.objects.exists():
            self.stdout.write("demo data: already there")
            return
        logging.getLogger("sla.sweep").setLevel(logging.WARNING)  # a year of sweeps is no news
        now = timezone.now()
        self.stdout.write("demo data: people, products, customers, contracts")
        made = company(timezone.localdate())
        for progress in year(made, now=now, tickets=options["tickets"], seed=options["seed"]):
            if progress.made % 100 == 0 or progress.made == progress.of:
                self.stdout.write(f"demo data: {progress.made} of {progress.of} tickets")
                self.stdout.flush()
        expire_past_contracts()
        if sys.stdout.isatty():
            self.stdout.write(self.style.SUCCESS("demo data: done"))
