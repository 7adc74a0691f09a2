"""`manage.py forecast`: the forecast tried on the past, and how often it was right (tickets/forecast_trial.py)."""

import json
import time
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tickets.forecast_trial import SHARES, Score, Trial, tried


class Command(BaseCommand):
    help = "What the forecast would have said at moments of the past, with what was known then, against what happened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=365, help="promises that started in so many days (default 365)")
        parser.add_argument(
            "--used",
            type=int,
            action="append",
            metavar="PERCENT",
            help=f"asked when so much of the promised time was used; several times (default {SHARES})",
        )
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["days"] < 1:
            raise CommandError("--days is a number of 1 or more.")
        percents = options["used"] or list(SHARES)
        if not all(0 < percent < 100 for percent in percents):
            raise CommandError("--used is a percent between 1 and 99.")
        now = timezone.now()
        began = time.perf_counter()
        trials = tried(now, since=now - timedelta(days=options["days"]), percents=percents)
        seconds = round(time.perf_counter() - began, 2)
        if options["json"]:
            figures = {"days": options["days"], "trials": [trial.as_json() for trial in trials], "seconds": seconds}
            self.stdout.write(json.dumps(figures, indent=2))
            return
        for trial in trials:
            self._tell(trial)
        self.stdout.write(f"{seconds} s; nothing later than each moment was looked at")

    def _tell(self, trial: Trial) -> None:
        self.stdout.write(
            f"when {trial.percent} % of the time was used: {trial.asked} promises ran still, {trial.missed} of them "
            f"were missed (base rate {share(trial.base_rate)}); {trial.by_hours_only} judged by hours and queue only"
        )
        self._score("will be missed", trial.will_be_missed)
        self._score("at risk or missed", trial.at_risk_or_missed)

    def _score(self, alarm: str, score: Score) -> None:
        self.stdout.write(
            f"  “{alarm}”: {score.hits} hits, {score.false_alarms} false alarms, {score.unforeseen} not foreseen; "
            f"precision {share(score.precision)}, recall {share(score.recall)}"
        )


def share(of: float | None) -> str:
    return "–" if of is None else f"{of:.0%}"
