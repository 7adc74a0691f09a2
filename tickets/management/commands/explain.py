"""`manage.py explain TICKET`: how the deadlines of a ticket were counted, in words, for operators (domain §4.3)."""

import json
from argparse import ArgumentParser
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from sla.explain import explanations
from sla.words import MOSCOW
from tickets.models import Ticket


class Command(BaseCommand):
    help = "Explains every promise of a ticket step by step: where it comes from, what counted, what became of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("ticket", type=int, metavar="TICKET", help="the number of the ticket")
        parser.add_argument("--language", choices=[code for code, _name in settings.LANGUAGES], default="ru")
        parser.add_argument("--zone", default=MOSCOW.key, help="the reader's time zone; Europe/Moscow, if not given")
        parser.add_argument("--customer", action="store_true", help="in the words that the customer reads")
        parser.add_argument("--json", action="store_true", help="values and words as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["zone"] not in available_timezones():
            raise CommandError(f"There is no time zone {options['zone']}.")
        ticket = Ticket.objects.filter(number=options["ticket"]).first()
        if ticket is None:
            raise CommandError(f"There is no ticket {options['ticket']}.")
        found = explanations(
            ticket,
            zone=ZoneInfo(options["zone"]),
            now=timezone.now(),
            language=options["language"],
            for_customer=options["customer"],
        )
        if options["json"]:
            self.stdout.write(json.dumps([one.as_json() for one in found], ensure_ascii=False, indent=2))
            return
        for one in found:
            self.stdout.write(f"\n{one.title}")
            for line in one.lines:
                self.stdout.write(f"  {line}")
