"""`manage.py demo`: a year of a support desk, made by the verbs of the house (helpdesk/demo)."""

import logging
import multiprocessing
import os
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils import timezone

from helpdesk.demo.casting import Part, year
from helpdesk.demo.company import Company, company, contract_life, expire_past_contracts
from helpdesk.demo.desk_tools import desk_tools
from helpdesk.demo.line_four import line_four
from helpdesk.demo.shifts import shifts
from helpdesk.demo.statements import statement_answers
from helpdesk.demo.webinars import plan_webinars
from helpdesk.demo.year import is_finished, play, play_held
from mail import outbound
from tickets import months, pace

TICKETS = 600
SEED = 1
WORTH_FORKING = 100  # fewer tickets are played in one process


class Command(BaseCommand):
    help = "Load the demo: 12 customers, the desk's people and a year of tickets. Run it again for more tickets."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tickets", type=int, default=TICKETS, help=f"how many (default {TICKETS})")
        parser.add_argument("--seed", type=int, default=SEED, help="another seed tells other stories")
        parser.add_argument("--once", action="store_true", help="only where it was not loaded yet")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"] and is_finished():
            shifts(timezone.localdate(), timezone.now())
            plan_webinars(timezone.now())
            self.stdout.write("demo data: already there")
            return
        logging.getLogger("sla.sweep").setLevel(logging.WARNING)  # a year of sweeps is no news
        now = timezone.now()
        self.stdout.write("demo data: people, products, customers, contracts")
        today = timezone.localdate()
        made = company(today)
        parts = year(today, now=now, tickets=options["tickets"], seed=options["seed"])
        self._play(parts, made, now, options["seed"], options["once"])
        play_held(made, now=now, seed=options["seed"])
        expire_past_contracts()
        contract_life(made, now)
        line_four(made, now)
        desk_tools(made, now)
        plan_webinars(now)
        shifts(today, now)
        for month in months.finished(now):
            months.close_months(at=months.closing(month))  # as the job would have closed it then
        statement_answers(now)
        outbound.mark_history_notified(now)
        pace.measure(timezone.now())  # so that the first page has its forecasts

    def _play(self, parts: list[Part], made: Company, now: datetime, seed: int, go_on: bool) -> None:
        """Plays the parts in as many processes as there are cores; tickets are independent of one another."""
        hands = min(os.cpu_count() or 1, 4) if len(parts) >= WORTH_FORKING and hasattr(os, "fork") else 1
        if hands == 1:
            for part in play(parts, made, now=now, seed=seed, go_on=go_on):
                self._tell(part.number, len(parts))
            return
        connections.close_all()  # a connection must not be shared with a child
        context = multiprocessing.get_context("fork")
        children = [
            context.Process(target=self._hand, args=(parts[first::hands], len(parts), made, now, seed, go_on))
            for first in range(hands)
        ]
        for child in children:
            child.start()
        for child in children:
            child.join()
        if any(child.exitcode for child in children):
            raise CommandError("A part of the demo could not be played; the reason is above.")

    def _hand(self, parts: list[Part], of: int, made: Company, now: datetime, seed: int, go_on: bool) -> None:
        for part in play(parts, made, now=now, seed=seed, go_on=go_on):
            self._tell(part.number, of)
        connections.close_all()

    def _tell(self, number: int, of: int) -> None:
        if number % 100 == 0 or number == of:
            self.stdout.write(f"demo data: {number} of {of} tickets")
            self.stdout.flush()
