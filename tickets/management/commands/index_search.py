"""`manage.py index_search`: reads the tickets from before the search; `--again` reads all of them once more.

In batches, each a transaction of its own: it may be stopped at any time and goes on where it was.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from tickets.search_index import learn_words, read_tickets


class Command(BaseCommand):
    help = "Makes the search's documents of tickets that have none, and learns their words."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", type=int, default=500, help="tickets of one transaction")
        parser.add_argument("--again", action="store_true", help="also those read before (a customer was renamed)")
        parser.add_argument("--after", type=int, default=0, help="begin after this ticket's key, as printed")

    def handle(self, *args: Any, batch: int, again: bool, after: int, **options: Any) -> None:
        read = learned = words = 0
        for once_more in (True, False) if again else (False,):
            last = after
            while keys := read_tickets(last, batch, again=once_more):
                read, last = read + len(keys), keys[-1]
                self.stdout.write(f"read {read}, up to {last}")
        while (found := learn_words(batch))[0]:
            learned, words = learned + found[0], words + found[1]
        self.stdout.write(f"{read} tickets read, {words} new words of {learned} tickets")
