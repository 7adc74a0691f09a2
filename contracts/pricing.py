"""What support costs (domain §1.1, §1.7). Pure: plain values in, a price with its whole arithmetic out.

Money is `Decimal` in EUR. Everything is counted in exact fractions and rounded half up to the cent once, at the end;
the lines of a result are rounded so that they add up to its figures, to the last cent. Both ends of a term are days of
it: 1 January to 31 December is one year.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from contracts.terms import Deployment, Price, in_whole_cents

DAY = timedelta(days=1)
DIGITS = 15  # of a cost before the point; more is a slip of the keyboard
LAST_YEAR = 2199


class PricingError(ValueError):
    """A price that cannot be counted; the text names the rule and is fit for the person who asked."""


class NotMoney(PricingError):
    """A cost that is not a decimal number of EUR."""


class NegativeCost(PricingError):
    """A licence cost below zero."""


class TooManyDecimals(PricingError):
    """A licence cost with parts of a cent."""


class NothingToPrice(PricingError):
    """No licences, or a deployment that the package has no price for."""


class ReversedDates(PricingError):
    """A term that ends before it starts."""


class ShortTerm(PricingError):
    """A term of less than a year."""


class OutsideTerm(PricingError):
    """A licence added before the contract starts or after it ends."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the arithmetic. `amount` is what it adds to the result's figure named by `adds_to`.

    `kind`: "share" (`percent` of `base` for one `deployment`) and "minimum" (what lifts the yearly total to `minimum`)
    add to "yearly"; "years" (`count` whole years), "days" (`count` of `out_of` days in the last year) and "remaining"
    (`count` of `out_of` days left in one contract year) add to "total". `words` tell it in English; the numbers let
    any other language tell it too.
    """

    kind: str
    adds_to: str
    amount: Decimal
    words: str
    deployment: Deployment | None = None
    percent: Decimal | None = None
    base: Decimal | None = None
    minimum: Decimal | None = None
    count: int | None = None
    out_of: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """What support costs: `yearly` and for the whole term (`total`), in EUR to the cent, and how it was counted.

    The lines that add to "yearly" sum to `yearly`, those that add to "total" sum to `total`, exactly.
    """

    yearly: Decimal
    total: Decimal
    starts_on: date
    ends_on: date
    years: int
    days: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Proration:
    """What an added licence costs: `yearly` at full length, and `total` for the days left to the contract's end."""

    yearly: Decimal
    total: Decimal
    added_on: date
    ends_on: date
    days: int
    lines: tuple[Line, ...]


def quote(
    prices: Mapping[Deployment, Price], costs: Mapping[Deployment, Decimal], *, starts_on: date, ends_on: date
) -> Quote:
    """The price of a contract from `starts_on` to `ends_on`, both days included (domain §1.1).

    `costs` is the cost of the licences by deployment, in EUR; each part uses its own percent, the minimum (the larger,
    of the deployments that cost anything) applies once, to the yearly total. The term costs the yearly price for each
    whole year, and for the days beyond them their part of the year that they begin. Raises the `PricingError` that
    names the broken rule.
    """
    yearly, lines = _yearly(prices, costs)
    years, days = term(starts_on, ends_on)
    last_year = anniversary(starts_on, years)
    length = (anniversary(starts_on, years + 1) - last_year).days
    year = _exact_euros(yearly)
    exact = [yearly * years, yearly * Fraction(days, length)]
    whole, part = _shared(exact)
    lines.append(
        Line(
            "years",
            "total",
            whole,
            f"{years} {'year' if years == 1 else 'years'} × {year} = €{_euros(whole)}",
            count=years,
            starts_on=starts_on,
            ends_on=last_year - DAY,
        )
    )
    if days:
        lines.append(
            Line(
                "days",
                "total",
                part,
                f"{days} of {length} days of the year from {last_year.isoformat()}: "
                f"{days}/{length} × {year} = €{_euros(part)}",
                count=days,
                out_of=length,
                starts_on=last_year,
                ends_on=ends_on,
            )
        )
    return Quote(_cents(yearly), whole + part, starts_on, ends_on, years, days, tuple(lines))


def yearly_price(prices: Mapping[Deployment, Price], costs: Mapping[Deployment, Decimal]) -> Decimal:
    """The price of one year, in EUR to the cent (domain §1.1). Raises as `quote` does."""
    return _cents(_yearly(prices, costs)[0])


def prorate(
    price: Price, cost: Decimal, *, deployment: Deployment, starts_on: date, ends_on: date, added_on: date
) -> Proration:
    """What a licence added on `added_on` costs to the contract's end (domain §1.1, §1.7.5).

    In proportion to the days left, the day of adding and the last day included; each contract year that they fall in
    counts them against its own 365 or 366 days. The minimum is not applied again. Raises the `PricingError` that names
    the broken rule.
    """
    _check_cost(cost, deployment)
    term(starts_on, ends_on)
    _check_day(added_on, "added")
    if not starts_on <= added_on <= ends_on:
        raise OutsideTerm(
            f"A licence is added on a day of the contract, {starts_on} to {ends_on}, not on {added_on} (§1.7.5)."
        )
    yearly = Fraction(cost) * Fraction(price.percent) / 100
    words = f"{_percent(price.percent)} of €{_euros(cost)} = €{_euros(_cents(yearly))}"
    lines = [
        Line("share", "yearly", _cents(yearly), words, deployment=deployment, percent=price.percent, base=cost),
    ]
    pieces = _remaining(starts_on, ends_on, added_on)
    amounts = _shared([yearly * Fraction(days, length) for _, _, days, length in pieces])
    for (first, last, days, length), amount in zip(pieces, amounts, strict=True):
        lines.append(
            Line(
                "remaining",
                "total",
                amount,
                f"{days} of {length} days of the contract year left ({first} to {last}): "
                f"{days}/{length} × {_exact_euros(yearly)} = €{_euros(amount)}",
                count=days,
                out_of=length,
                starts_on=first,
                ends_on=last,
            )
        )
    left = (ends_on - added_on).days + 1
    return Proration(_cents(yearly), sum(amounts, Decimal(0)), added_on, ends_on, left, tuple(lines))


def term(starts_on: date, ends_on: date) -> tuple[int, int]:
    """The whole years of a term and the days beyond them, both ends included.

    Raises `ReversedDates`, or `ShortTerm` when it is shorter than one year (domain §1.7.3).
    """
    _check_day(starts_on, "starts")
    _check_day(ends_on, "ends")
    if ends_on < starts_on:
        raise ReversedDates(f"The contract ends on {ends_on}, before it starts on {starts_on} (§1.7.3).")
    after = ends_on + DAY
    years = after.year - starts_on.year
    if anniversary(starts_on, years) > after:
        years -= 1
    if years < 1:
        raise ShortTerm(
            f"A contract runs at least one year (§1.7.3): from {starts_on} to {anniversary(starts_on, 1) - DAY} "
            f"or later; {ends_on} makes {(after - starts_on).days} days."
        )
    return years, (after - anniversary(starts_on, years)).days


def anniversary(starts_on: date, years: int) -> date:
    """The day on which the year after `years` whole contract years begins.

    A contract that starts on 29 February begins its other years on 1 March, so that 29 February to 28 February is
    one year, as it reads.
    """
    try:
        return starts_on.replace(year=starts_on.year + years)
    except ValueError:
        return date(starts_on.year + years, 3, 1)


def _yearly(prices: Mapping[Deployment, Price], costs: Mapping[Deployment, Decimal]) -> tuple[Fraction, list[Line]]:
    """The exact yearly price and the lines that lead to it."""
    if not costs:
        raise NothingToPrice("A contract covers all products that the customer owns; there is no licence yet (§1.7.3).")
    for deployment, cost in costs.items():
        _check_cost(cost, deployment)
        if deployment not in prices:
            raise NothingToPrice(f"The package has no price for {deployment} licences (§1.1).")
    given = sorted((Deployment(d) for d in costs), key=list(Deployment).index)
    owned = [d for d in given if costs[d] > 0]
    # Where all licences are free, the smaller minimum: one cent more of cost must never make the price fall.
    minimum = max(prices[d].minimum for d in owned) if owned else min(prices[d].minimum for d in given)
    owned = owned or given
    exact = [Fraction(costs[d]) * Fraction(prices[d].percent) / 100 for d in owned]
    together = sum(exact, Fraction(0))
    yearly = max(together, Fraction(minimum))
    # The part that lifts the total to the minimum comes last; it is nothing when the minimum is reached.
    *shares, lift = _shared([*exact, yearly - together])
    lines = []
    applies = yearly > together
    for deployment, amount in zip(owned, shares, strict=True):
        percent, cost = prices[deployment].percent, costs[deployment]
        words = f"{_percent(percent)} of €{_euros(cost)} = €{_euros(amount)}"
        if len(owned) > 1:
            words = f"{deployment}: {words}"
        elif applies:
            words = f"{words}; minimum €{_euros(minimum)} applies"
        lines.append(Line("share", "yearly", amount, words, deployment=deployment, percent=percent, base=cost))
    if applies:
        counted = sum(shares, Decimal(0))
        words = f"€{_euros(lift)} more, to the minimum of €{_euros(minimum)}"
        if len(owned) > 1:
            words = f"€{_euros(counted)} together; minimum €{_euros(minimum)} applies: €{_euros(lift)} more"
        lines.append(Line("minimum", "yearly", lift, words, base=counted, minimum=minimum))
    return yearly, lines


def _remaining(starts_on: date, ends_on: date, added_on: date) -> list[tuple[date, date, int, int]]:
    """The days left, cut at the contract's years: (first day, last day, days, days of that contract year)."""
    pieces = []
    years = max(0, added_on.year - starts_on.year - 1)
    first = added_on
    while first <= ends_on:
        begins, ends = anniversary(starts_on, years), anniversary(starts_on, years + 1)
        years += 1
        if ends <= first:
            continue
        last = min(ends - DAY, ends_on)
        pieces.append((first, last, (last - first).days + 1, (ends - begins).days))
        first = ends
    return pieces


def _check_cost(cost: Decimal, deployment: Deployment) -> None:
    if isinstance(cost, float) or not isinstance(cost, Decimal | int) or not Decimal(cost).is_finite():
        raise NotMoney(f"The {deployment} licence cost is a decimal number of EUR, not {cost!r} (§1.1).")
    if Decimal(cost).adjusted() >= DIGITS:
        raise NotMoney(f"The {deployment} licence cost has more than {DIGITS} digits: not a cost in EUR (§1.1).")
    if cost < 0:
        raise NegativeCost(f"The {deployment} licence cost is {cost}: a cost is not negative (§1.1).")
    if not in_whole_cents(Decimal(cost)):
        raise TooManyDecimals(f"The {deployment} licence cost is {cost}: money is counted in whole cents (§1.1).")


def _check_day(day: date, name: str) -> None:
    if isinstance(day, datetime) or not isinstance(day, date):
        raise PricingError(f"The day on which it {name} is a date, not {day!r} (§1.7.3).")
    if day.year > LAST_YEAR:
        raise PricingError(f"The day on which it {name} is {day}: no term reaches past the year {LAST_YEAR} (§1.7.3).")


def _cents(exact: Fraction) -> Decimal:
    """Rounded half up to the cent; prices are never negative."""
    return Decimal((2 * 100 * exact.numerator + exact.denominator) // (2 * exact.denominator)).scaleb(-2)


def _shared(exact: list[Fraction]) -> list[Decimal]:
    """Amounts in cents that add up to the rounded sum: each is what it moves the rounded running total by."""
    amounts, running, shown = [], Fraction(0), Decimal(0)
    for part in exact:
        running += part
        amounts.append(_cents(running) - shown)
        shown += amounts[-1]
    return amounts


def _euros(amount: Decimal) -> str:
    return f"{amount:,.2f}"


def _exact_euros(exact: Fraction) -> str:
    """With parts of a cent where it has them, so that the multiplication beside it can be checked by hand."""
    amount = Decimal(exact.numerator) / Decimal(exact.denominator)
    return f"€{_euros(amount)}" if in_whole_cents(amount) else f"€{amount.normalize():,f}"


def _percent(percent: Decimal) -> str:
    return f"{percent.normalize():f} %"
