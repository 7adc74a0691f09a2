"""`manage.py prorate`: what a licence added to a running contract costs, from a terminal or a script (domain §1.1)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from contracts import pricing
from contracts.management import price_arguments as asked
from contracts.terms import Deployment


class Command(BaseCommand):
    help = (
        "Prices a licence added to a contract, for the days left to the contract's end, on the terms that the package "
        "had on the contract's first day. “yearly” is the price of a year of this licence alone, without the minimum, "
        "which is not applied again; “total” is the part for the days left. " + asked.FOR_SCRIPTS
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--deployment", required=True, choices=[str(each) for each in Deployment], help="of the added licence"
        )
        parser.add_argument("--cost", required=True, metavar="EUR", help="cost of the added licence: 10000 or 10000.50")
        parser.add_argument("--added", required=True, metavar="DAY", help="first day of the added licence: 2026-07-01")
        asked.add_common_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"]):
            try:
                self._prorate(options)
            except pricing.PricingError as error:
                asked.refuse(self.stdout, error, as_json=options["json"])

    def _prorate(self, options: dict[str, Any]) -> None:
        starts_on, ends_on = asked.day(options["starts"], "--starts"), asked.day(options["ends"], "--ends")
        added_on, cost = asked.day(options["added"], "--added"), asked.money(options["cost"], "--cost")
        deployment = Deployment(options["deployment"])
        offered = asked.offer(options["package"], starts_on)
        price = pricing.prorate(
            offered.price(deployment),
            cost,
            deployment=deployment,
            starts_on=starts_on,
            ends_on=ends_on,
            added_on=added_on,
        )
        asked.answer(
            self.stdout,
            price,
            offered,
            as_json=options["json"],
            deployment=str(deployment),
            starts_on=starts_on.isoformat(),
            ends_on=ends_on.isoformat(),
            added_on=added_on.isoformat(),
            days=price.days,
        )
