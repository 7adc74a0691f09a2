"""Money in templates, in the reader's language: `{{ cost|euro }}`, `{{ share|percent }}`, `{{ line|price_words }}`."""

from decimal import Decimal

from django import template

from contracts import money
from contracts.price_words import line_words
from contracts.pricing import Line

register = template.Library()


@register.filter
def euro(amount: Decimal | None) -> str:
    """An amount of EUR to the cent: "€38,400.00", in Russian "€38 400,00"; "" for none. A float raises `TypeError`."""
    return "" if amount in (None, "") else money.euro(amount)


@register.filter
def percent(share: Decimal | None) -> str:
    """A percent: "25 %", "12.5 %", in Russian "12,5 %"; "" for none."""
    return "" if share in (None, "") else money.percent(share)


@register.filter
def price_words(line: Line) -> str:
    """One step of a price's arithmetic as a sentence: "25 % of €38,400.00 = €9,600.00"."""
    return line_words(line)
