"""The arithmetic of a price in words, in the active language: steps, figures, and refusals (domain §1.1, §1.7).

The one place where pages, documents, letters and commands take them from. Numbers come from `contracts.pricing`; money
is written by `contracts.money`. Days have no time zone: "1 Jan 2028", in Russian "1 января 2028".
"""

from datetime import date
from decimal import Decimal

from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from contracts import pricing
from contracts.models import Deployment
from contracts.money import euro, exact_euro, percent
from contracts.pricing import Line, PricingError, Proration, Quote


def quote_words(quote: Quote) -> list[str]:
    """The whole arithmetic of a contract's price, one sentence for each line."""
    return [line_words(line) for line in quote.lines]


def proration_words(proration: Proration) -> list[str]:
    """The whole arithmetic of an added licence's price, one sentence for each line."""
    return [line_words(line) for line in proration.lines]


def figures_words(price: Quote | Proration) -> str:
    """The two figures: "€10,000.00 a year; €10,000.00 for the term of 1 Jan 2026 to 31 Dec 2026"."""
    if isinstance(price, Proration):
        words, first = _("%(yearly)s a year; %(total)s for the days from %(first)s to %(last)s"), price.added_on
    else:
        words, first = _("%(yearly)s a year; %(total)s for the term of %(first)s to %(last)s"), price.starts_on
    return words % {
        "yearly": euro(price.yearly),
        "total": euro(price.total),
        "first": day_words(first),
        "last": day_words(price.ends_on),
    }


def line_words(line: Line) -> str:
    """One step: "25 % of €38,400.00 = €9,600.00; minimum €10,000.00 applies".

    Raises `KeyError` for a kind that pricing does not make.
    """
    tell = {
        "share": _share,
        "minimum": _minimum,
        "years": _years,
        "days": _days,
        "remaining": _remaining,
    }[line.kind]
    return tell(line)


def refusal_words(error: PricingError) -> str:
    """Why a price cannot be counted, as a sentence for the person who asked; names the rule of the domain.

    A `PricingError` that others raise in words of their own is told in those.
    """
    words = {
        pricing.NotMoney: _("The %(deployment)s licence cost is a decimal number of EUR (§1.1)."),
        pricing.TooManyDigits: _(
            "The %(deployment)s licence cost has more than %(digits)s digits: not a cost in EUR (§1.1)."
        ),
        pricing.NegativeCost: _("The %(deployment)s licence cost is %(cost)s: a cost is not negative (§1.1)."),
        pricing.TooManyDecimals: _(
            "The %(deployment)s licence cost is %(cost)s: money is counted in whole cents (§1.1)."
        ),
        pricing.NoLicences: _(
            "A contract covers all products that the customer owns; there is no licence yet (§1.7.3)."
        ),
        pricing.NoPrice: _("The package has no price for %(deployment)s licences (§1.1)."),
        pricing.WrongPrice: _(
            "The package's price for %(deployment)s licences cannot stand: a percent lies between 0 and 100, "
            "a minimum is not negative and in whole cents (§1.1)."
        ),
        pricing.NotADay: _("This is not a day of the calendar (§1.7.3)."),
        pricing.TooFarAhead: _("%(day)s is too far ahead: no term reaches past the year %(year)s (§1.7.3)."),
        pricing.ReversedDates: _("The contract ends on %(ends_on)s, before it starts on %(starts_on)s (§1.7.3)."),
        pricing.OutsideTerm: _(
            "A licence is added on a day of the contract, %(starts_on)s to %(ends_on)s, not on %(day)s (§1.7.5)."
        ),
        pricing.ShortTerm: _short_term(error),
    }.get(type(error))
    return str(error) if words is None else words % {name: _value(name, value) for name, value in error.values.items()}


def day_words(day: date) -> str:
    """A day: "1 Jan 2028", in Russian "1 января 2028"."""
    return date_format(day, "j M Y" if (get_language() or "ru").startswith("en") else "j E Y")


def _share(line: Line) -> str:
    found = euro(line.amount)
    if line.exact is not None:
        found = f"{exact_euro(line.exact)} ≈ {found}"
    words = _("%(percent)s of %(cost)s = %(amount)s") % {
        "percent": percent(line.percent or Decimal(0)),
        "cost": _base(line),
        "amount": found,
    }
    if line.is_part:
        words = f"{_deployment(line.deployment)}: {words}"
    words = _carried(line, words)
    if line.minimum is not None:
        words = _("%(arithmetic)s; minimum %(minimum)s applies") % {
            "arithmetic": words,
            "minimum": euro(line.minimum),
        }
    return words


def _minimum(line: Line) -> str:
    numbers = {"counted": _base(line), "minimum": euro(line.minimum or Decimal(0)), "amount": euro(line.amount)}
    if line.is_part:
        return _("%(counted)s together; minimum %(minimum)s applies: %(amount)s more") % numbers
    return _("%(amount)s more, to the minimum of %(minimum)s") % numbers


def _years(line: Line) -> str:
    count = line.count or 0
    words = ngettext("%(count)d year × %(yearly)s = %(amount)s", "%(count)d years × %(yearly)s = %(amount)s", count)
    return _carried(line, words % {"count": count, "yearly": _base(line), "amount": euro(line.amount)})


def _days(line: Line) -> str:
    words = _("%(count)d of %(out_of)d days of the year from %(first)s: %(arithmetic)s") % _day_numbers(line)
    return _carried(line, words)


def _remaining(line: Line) -> str:
    words = _(
        "%(count)d of %(out_of)d days of the contract year left (%(first)s to %(last)s): %(arithmetic)s"
    ) % _day_numbers(line)
    return _carried(line, words)


def _day_numbers(line: Line) -> dict[str, object]:
    return {
        "count": line.count,
        "out_of": line.out_of,
        "first": day_words(line.starts_on) if line.starts_on else "",
        "last": day_words(line.ends_on) if line.ends_on else "",
        "arithmetic": f"{line.count}/{line.out_of} × {_base(line)} = {euro(line.amount)}",
    }


def _base(line: Line) -> str:
    return exact_euro(line.base or Decimal(0))


def _carried(line: Line, words: str) -> str:
    """A cent off its own rounding, so that the lines add up: said, or a reader who checks it would wonder."""
    return (
        _("%(arithmetic)s (rounded together with the lines before)") % {"arithmetic": words}
        if line.is_carried
        else words
    )


def _short_term(error: PricingError) -> str:
    days = error.values.get("days")
    return ngettext(
        "A contract runs at least one year (§1.7.3): from %(starts_on)s to %(first_end)s or later; "
        "%(ends_on)s makes %(days)s day.",
        "A contract runs at least one year (§1.7.3): from %(starts_on)s to %(first_end)s or later; "
        "%(ends_on)s makes %(days)s days.",
        days if isinstance(days, int) else 0,
    )


def _value(name: str, value: object) -> str:
    if name == "deployment":
        return _deployment(value)
    if isinstance(value, date):
        return day_words(value)
    if isinstance(value, Decimal) and value.is_finite() and -12 < value.adjusted() < pricing.DIGITS:
        return exact_euro(value)
    return str(value)  # as it was typed: nobody wants to read 1E-5000 in full


def _deployment(deployment: object) -> str:
    return str(Deployment(deployment).label) if deployment in Deployment.values else str(deployment)
