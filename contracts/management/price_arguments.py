"""What `manage.py quote` and `manage.py prorate` share: reading strictly what was typed, answering people and scripts.

Nothing is guessed: "1,000", "1e5", "nan" and digits of other scripts are refused, because a price counted from a
misread number looks as good as a right one.
"""

import json
import re
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NoReturn

from django.conf import settings
from django.core.management.base import CommandError, OutputWrapper
from django.utils.translation import gettext as _

from contracts.models import Package, PackageTerms
from contracts.money import NO_BREAK
from contracts.price_words import day_words, figures_words, line_words, refusal_words
from contracts.pricing import Line, NoPrice, PricingError, Proration, Quote
from contracts.terms import Deployment, Price

MONEY = re.compile(r"-?[0-9]+(\.[0-9]+)?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SHOWN = 40  # characters of what was typed

FOR_SCRIPTS = (
    "With --json the answer is one JSON object on stdout: money and percents are strings of decimal digits, days are "
    'ISO dates. What cannot be priced ends with exit code 1, one sentence on stderr and, with --json, {"error": '
    '"the sentence", "rule": "short_term"} on stdout. A wrong usage of the options ends with exit code 2.'
)


class BadArgument(PricingError):
    """Something typed that cannot be read as what it stands for; the text names the option."""


class NotSold(PricingError):
    """A package that new contracts are no longer signed on."""


class UnknownPackage(PricingError):
    """A package that the catalogue does not have, or not on that day."""


@dataclass(frozen=True)
class Offer:
    """A package's terms on a day, with its prices as pricing takes them."""

    package: Package
    terms: PackageTerms
    prices: Mapping[Deployment, Price]

    def only_sold(self) -> None:
        """Refuses to offer what a draft would be refused for. Raises `NotSold`."""
        if not self.package.is_sold:
            raise NotSold(_("The package “%(package)s” is not sold (§1).") % {"package": self.package.name})

    def price(self, deployment: Deployment) -> Price:
        """The price of one deployment. Raises `pricing.NoPrice`."""
        if deployment not in self.prices:
            raise NoPrice(f"The package has no price for {deployment} licences (§1.1).", deployment=deployment)
        return self.prices[deployment]


def add_common_arguments(parser: ArgumentParser) -> None:
    """The options of both commands: the package, the term, the language, and how to answer."""
    parser.add_argument("--package", required=True, metavar="CODE", help="code of the package: premium")
    parser.add_argument("--starts", required=True, metavar="DAY", help="first day of the contract: 2026-01-01")
    parser.add_argument(
        "--ends", required=True, metavar="DAY", help="last day of the contract, a day of it: 2026-12-31"
    )
    parser.add_argument("--json", action="store_true", help="answer with JSON, for scripts")
    parser.add_argument(
        "--language",
        choices=[code for code, _name in settings.LANGUAGES],
        default="en",
        help="of the words; English, if not given, whatever the language of the pages is",
    )


def money(typed: str, option: str) -> Decimal:
    """An amount of EUR as it was typed: digits, and a point before the cents. Raises `BadArgument`."""
    if not MONEY.fullmatch(typed):
        raise BadArgument(
            _(
                "%(option)s is a cost in EUR written with digits and a point, like 38400 or 38400.50 (§1.1), "
                "not “%(typed)s”."
            )
            % {"option": option, "typed": typed[:SHOWN]}
        )
    return Decimal(typed)


def day(typed: str, option: str) -> date:
    """A day as it was typed: year-month-day. Raises `BadArgument`, also for 30 February."""
    try:
        if DAY.fullmatch(typed):
            return date.fromisoformat(typed)
    except ValueError as error:
        raise _no_day(typed, option) from error
    raise _no_day(typed, option)


def offer(code: str, starts_on: date) -> Offer:
    """What the package costs in contracts that start on this day (domain §1.1). Raises `UnknownPackage`."""
    package = Package.objects.filter(code=code).first()
    if package is None:
        known = ", ".join(Package.objects.values_list("code", flat=True))
        raise UnknownPackage(
            _("There is no package “%(code)s”; there are: %(known)s (§1).") % {"code": code[:SHOWN], "known": known}
        )
    offered = package.terms_on(starts_on)
    if offered is None:
        raise UnknownPackage(
            _("The package “%(package)s” has no terms on %(day)s yet (§1.1).")
            % {"package": package.name, "day": day_words(starts_on)}
        )
    prices = {Deployment(price.deployment): Price(price.percent, price.minimum) for price in offered.prices.all()}
    return Offer(package, offered, prices)


def answer(out: OutputWrapper, price: Quote | Proration, offered: Offer, *, as_json: bool, **more: object) -> None:
    """Writes the price: JSON for scripts (`more` are further members of it), or its arithmetic and figures in words."""
    if not as_json:
        out.write(
            plain(
                _("%(package)s, terms from %(day)s")
                % {"package": offered.package.name, "day": day_words(offered.terms.starts_on)}
            )
        )
        for line in price.lines:
            out.write(f"  {plain(line_words(line))}")
        out.write(plain(figures_words(price)))
        return
    told = {
        "package": offered.package.code,
        "terms_from": offered.terms.starts_on.isoformat(),
        **more,
        "yearly": str(price.yearly),
        "total": str(price.total),
        "lines": [_told(line) for line in price.lines],
    }
    out.write(json.dumps(told, ensure_ascii=False, indent=2))


def refuse(out: OutputWrapper, error: PricingError, *, as_json: bool) -> NoReturn:
    """Ends the command with exit code 1 and the sentence on stderr; for scripts on stdout too, as JSON."""
    sentence = plain(refusal_words(error))
    if as_json:
        rule = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
        out.write(json.dumps({"error": sentence, "rule": rule}, ensure_ascii=False))
    raise CommandError(sentence, returncode=1) from error


def plain(words: str) -> str:
    """With ordinary spaces: a terminal does not break lines at them, and people search for what they type."""
    return words.replace(NO_BREAK, " ")


def _told(line: Line) -> dict[str, object]:
    return {
        "kind": line.kind,
        "adds_to": line.adds_to,
        "amount": str(line.amount),
        "deployment": line.deployment and str(line.deployment),
        "percent": None if line.percent is None else f"{line.percent.normalize():f}",
        "base": None if line.base is None else f"{line.base:f}",
        "minimum": None if line.minimum is None else f"{line.minimum:f}",
        "exact": None if line.exact is None else f"{line.exact:f}",
        "count": line.count,
        "out_of": line.out_of,
        "starts_on": line.starts_on and line.starts_on.isoformat(),
        "ends_on": line.ends_on and line.ends_on.isoformat(),
        "words": plain(line_words(line)),
    }


def _no_day(typed: str, option: str) -> BadArgument:
    return BadArgument(
        _("%(option)s is a day of the calendar written like 2026-12-31 (§1.7.3), not “%(typed)s”.")
        % {"option": option, "typed": typed[:SHOWN]}
    )
