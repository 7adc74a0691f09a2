"""`manage.py sweep`: one sweep by hand, for operators: after an outage, or as of a moment.

It does what a sweep at that moment does, in earnest: as of tomorrow it calls the rungs of today and tomorrow now.
"""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from sla import troubles
from sla.sweep import sweep


class Command(BaseCommand):
    help = "Climbs the ladders of the promises that are due, as the job of the timetable does every second."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--at",
            metavar="ISO",
            help="as of this moment (2026-11-17T10:30:00+03:00; without an offset: Moscow time); now, if not given",
        )

    def handle(self, *args: Any, at: str | None = None, **options: Any) -> None:
        swept = sweep(moment(at))
        self.stdout.write(
            f"looked at {swept.looked_at}, missed {swept.missed}, "
            f"called in {swept.escalations}, set aside {swept.set_aside}"
        )
        for trouble in troubles.standing().order_by("happened_at", "pk"):
            self.stdout.write(
                f"set aside: commitment {trouble.commitment_id}, {trouble.times}×, "
                f"last at {trouble.happened_at.isoformat()}: {trouble.error}"
            )


def moment(words: str | None) -> datetime:
    """The moment asked for, aware; now for None. Raises `CommandError` for what is no moment."""
    if words is None:
        return timezone.now()
    try:
        parsed = parse_datetime(words)
    except ValueError as error:
        raise CommandError(f"--at {words}: there is no such moment ({error}).") from error
    if parsed is None:
        raise CommandError(f"--at {words} is not a moment: write it as 2026-11-17T10:30:00+03:00.")
    return parsed if timezone.is_aware(parsed) else timezone.make_aware(parsed)
