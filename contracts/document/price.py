"""What the contract costs: every step, every licence, and sums that can be added up by hand (domain §1.1)."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer, Table

from contracts import pricing, terms
from contracts.document import paper
from contracts.document.paper import CELL, CELL_QUIET, QUIET, fitting, followed, heading, table, text, titled
from contracts.document.reading import PRICE, Reading
from contracts.document.words import day_short, is_english
from contracts.models import Contract, ContractLine, Deployment
from contracts.money import euro, percent
from contracts.price_words import line_words
from contracts.signing import prices_of


def price(reading: Reading) -> Iterator[Flowable]:
    yield from heading(PRICE, _("Price"))
    price = reading.quote
    if price is None:
        yield text(
            _(
                "There is no price yet: no licence of the customer is in force on the first day of the contract, or "
                "the package has no price for one of them."
            )
        )
        return
    yield from _arithmetic(reading, price)
    yield from titled(
        _("Licences covered from the first day"), _licences(reading.lines, _("Price of one year"), _("Per year"))
    )
    if any(line.kind == "minimum" for line in price.lines):
        yield Spacer(0, 2 * mm)
        yield text(
            _("What lifts the price to the package's minimum is spread over the licences by their share of the price."),
            QUIET,
        )
    if reading.added:
        yield from _added(reading, price)
    yield Spacer(0, 2 * mm)
    yield text(
        _(
            "Amounts are in euros. They are counted exactly and rounded to the cent, half a cent up, once, at the end; "
            "the lines add up to the sums to the cent. Days are days of Moscow, the first and the last included."
        ),
        QUIET,
    )


def _arithmetic(reading: Reading, price: pricing.Quote) -> Iterator[Flowable]:
    head = [_("What"), _("How it is calculated"), _("Amount")]
    rows: list[list[Any]] = []
    sums: list[int] = []

    def step(line: pricing.Line) -> None:
        rows.append([text(_step_name(line), CELL), text(line_words(line), CELL), euro(line.amount)])

    for line in price.lines:
        if line.adds_to == "yearly":
            step(line)
    rows.append([_("Price of one year"), "", euro(price.yearly)])
    sums.append(len(rows))
    for line in price.lines:
        if line.adds_to == "total":
            step(line)
    rows.append([_("Price of the term"), "", euro(price.total)])
    sums.append(len(rows))
    more = [style for row in sums for style in paper.total_row(row)]
    yield table(head, rows, [36 * mm, 106 * mm, 28 * mm], right=[2], more=more)


def _step_name(line: pricing.Line) -> str:
    if line.kind == "share" and line.deployment is not None:
        return _("Licences, %(deployment)s") % {"deployment": Deployment(line.deployment).label}
    if line.kind == "minimum":
        return _("Up to the minimum")
    if line.kind == "years":
        return _("Whole years")
    return _("Days beyond them")


LICENCE_COLUMNS = [8 * mm, 44 * mm, 23.5 * mm, 13 * mm, 26 * mm, 12 * mm, 19 * mm, 24.5 * mm]
NUMBERS = (3, 4, 5, 7)


def _licence_head(amount: str) -> list[str]:
    return [
        "№",
        _("Product, release"),
        _("Deployment"),
        pgettext("licence", "Users"),
        _("Licence cost"),
        "%",
        _("From day"),
        amount,
    ]


def _licence_row(number: int, line: ContractLine) -> list[Any]:
    licence = line.licence
    return [
        str(number),
        followed(licence.product.name, licence.release.version if licence.release else ""),
        licence.get_deployment_display(),
        f"{licence.seats:,}".replace(",", "," if is_english() else paper.NO_BREAK),
        fitting(euro(line.cost), LICENCE_COLUMNS[4]),
        percent(line.percent),
        day_short(line.starts_on),
        fitting(euro(line.amount), LICENCE_COLUMNS[7]),
    ]


def _licences(lines: Iterable[ContractLine], sum_words: str, amount: str) -> Table:
    lines = list(lines)
    rows = [_licence_row(number, line) for number, line in enumerate(lines, start=1)]
    cost = sum((line.cost for line in lines), Decimal(0))
    total = sum((line.amount for line in lines), Decimal(0))
    rows.append(["", sum_words, "", "", euro(cost), "", "", euro(total)])
    return table(_licence_head(amount), rows, LICENCE_COLUMNS, right=NUMBERS, more=_licence_style(len(rows)))


def _licence_style(sum_row: int) -> list[tuple]:
    last = sum_row
    return [
        ("FONTSIZE", (0, 1), (-1, -1), 8),
        *paper.total_row(last),
        ("FONTSIZE", (0, last), (-1, last), 8),
        # The sum never stands alone on a page.
        ("NOSPLIT", (0, max(last - 1, 1)), (-1, last)),
    ]


def _added(reading: Reading, price: pricing.Quote) -> Iterator[Flowable]:
    """Licences bought since: each with its part of the days left; the minimum is not applied again (domain §1.7.5)."""
    contract = reading.contract
    prices = prices_of(reading.terms)
    rows: list[list[Any]] = []
    style: list[tuple] = []
    for number, line in enumerate(reading.added, start=len(reading.lines) + 1):
        rows.append(_licence_row(number, line))
        rows.append(["", text(_prorated_words(contract, line, prices), CELL_QUIET), *[""] * 6])
        row = len(rows)
        style += [
            ("SPAN", (1, row), (-1, row)),
            ("NOSPLIT", (0, row - 1), (-1, row)),
            ("LINEBELOW", (0, row - 1), (-1, row - 1), 0.4, paper.HexColor("#ffffff")),
            ("TOPPADDING", (0, row), (-1, row), 0),
        ]
    together = sum((line.amount for line in reading.added), Decimal(0))
    cost = sum((line.cost for line in reading.added), Decimal(0))
    rows.append(["", _("Added licences together"), "", "", euro(cost), "", "", euro(together)])
    style += _licence_style(len(rows))
    yield from titled(
        _("Licences added after signing"),
        table(_licence_head(_("To the end")), rows, LICENCE_COLUMNS, right=NUMBERS, more=style),
    )
    whole = [
        [_("Price of the term"), euro(price.total)],
        [_("Added licences together"), euro(together)],
        [_("Whole price"), euro(price.total + together)],
    ]
    yield from titled(
        _("Price of the term with the added licences"),
        table([_("What"), _("Amount")], whole, [136 * mm, 34 * mm], right=[1], more=paper.total_row(len(whole))),
    )


def _prorated_words(contract: Contract, line: ContractLine, prices: dict[terms.Deployment, terms.Price]) -> str:
    deployment = terms.Deployment(line.licence.deployment)
    part = pricing.prorate(
        terms.Price(line.percent, prices[deployment].minimum),
        line.cost,
        deployment=deployment,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        added_on=line.starts_on,
    )
    return "; ".join(line_words(step) for step in part.lines)
