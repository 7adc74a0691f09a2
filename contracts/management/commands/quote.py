"""`manage.py quote`: what a contract costs, from a terminal or a script (domain §1.1)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import translation

from contracts import pricing
from contracts.management import price_arguments as asked
from contracts.terms import Deployment


class Command(BaseCommand):
    help = (
        "Prices a contract on the terms that the package has on its first day, with the whole arithmetic. "
        "An omitted --on-site or --on-demand means that the customer has no such licence; 0 means a licence that costs "
        "nothing, so that the package's minimum still applies. " + asked.FOR_SCRIPTS
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--on-site", metavar="EUR", help="cost of all on-site licences: 38400 or 38400.50")
        parser.add_argument("--on-demand", metavar="EUR", help="cost of all on-demand licences")
        asked.add_common_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override(options["language"]):
            try:
                self._quote(options)
            except pricing.PricingError as error:
                asked.refuse(self.stdout, error, as_json=options["json"])

    def _quote(self, options: dict[str, Any]) -> None:
        starts_on, ends_on = asked.day(options["starts"], "--starts"), asked.day(options["ends"], "--ends")
        typed = {Deployment.ON_SITE: options["on_site"], Deployment.ON_DEMAND: options["on_demand"]}
        costs = {
            deployment: asked.money(cost, f"--{deployment}") for deployment, cost in typed.items() if cost is not None
        }
        offered = asked.offer(options["package"], starts_on)
        offered.only_sold()
        price = pricing.quote(offered.prices, costs, starts_on=starts_on, ends_on=ends_on)
        asked.answer(
            self.stdout,
            price,
            offered,
            as_json=options["json"],
            starts_on=starts_on.isoformat(),
            ends_on=ends_on.isoformat(),
            years=price.years,
            days=price.days,
        )
