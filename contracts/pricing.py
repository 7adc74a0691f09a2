"""What support costs (domain §1.1, §1.7). Pure: plain values in, a price with its whole arithmetic out.

Money is `Decimal` in EUR. Everything is counted exactly, in whole `UNITS`, and rounded half up to the cent once, at the
end; the lines of a result are rounded so that they add up to its figures, to the last cent. Both ends of a term are
days of it: 1 January to 31 December is one year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from typing import NamedTuple

from contracts.terms import Deployment, Price, in_whole_cents

DAY = timedelta(days=1)
ZERO = Decimal("0.00")
DEPLOYMENTS = tuple(Deployment)  # in the order of the lines
DIGITS = 15  # of a cost before the point; more is a slip of the keyboard
LAST_YEAR = 2199
PERCENT_PLACES = 4  # the catalogue keeps two

# Exact money is a whole number of units. A cost in cents times a percent in ten-thousandths is one, so that integers
# carry every part of a cent: they are as exact as fractions, and ten times as fast.
UNITS_PLACES = 2 + 2 + PERCENT_PLACES  # of a EUR after the point: of the cent, of "per cent", of the percent itself
UNITS = 10 ** (UNITS_PLACES - 2)  # in one cent
COUNTING = Context(prec=60, traps=[])  # whatever precision the caller's thread counts in


class PricingError(ValueError):
    """A price that cannot be counted; the text names the rule and is fit for the person who asked.

    `values` are the numbers and days of the text, by name, for telling it in another language
    (`contracts.price_words.refusal_words`).
    """

    def __init__(self, words: str, **values: object) -> None:
        super().__init__(words)
        self.values = values


class NotMoney(PricingError):
    """A cost that is not a decimal number of EUR."""


class TooManyDigits(NotMoney):
    """A cost that no licence has: a slip of the keyboard."""


class NegativeCost(PricingError):
    """A licence cost below zero."""


class TooManyDecimals(PricingError):
    """A licence cost with parts of a cent."""


class NothingToPrice(PricingError):
    """No licences, or a deployment that the package has no price for."""


class NoLicences(NothingToPrice):
    """A contract for a customer who owns no licence."""


class NoPrice(NothingToPrice):
    """A deployment that the package has no price for."""


class WrongPrice(PricingError):
    """A package's price that cannot stand: see `contracts.terms.price_problems`."""


class NotADay(PricingError):
    """A day that is not a date, or lies too far ahead."""


class TooFarAhead(NotADay):
    """A day after the year `LAST_YEAR`."""


class ReversedDates(PricingError):
    """A term that ends before it starts."""


class ShortTerm(PricingError):
    """A term of less than a year."""


class OutsideTerm(PricingError):
    """A licence added before the contract starts or after it ends."""


@dataclass(frozen=True, slots=True)
class Line:
    """One step of the arithmetic. `amount`, in EUR, is what it adds to the result's figure named by `adds_to`.

    `kind`: "share" (`percent` of `base` for one `deployment`) and "minimum" (what lifts the yearly total from `base` to
    `minimum`) add to "yearly"; "years" (`count` whole years), "days" (`count` of `out_of` days in the last year) and
    "remaining" (`count` of `out_of` days left in one contract year) add to "total": each times `base`, the exact
    yearly price. `words` tell it in English, `contracts.price_words.line_words` in the reader's language.

    `exact` is there where a share has parts of a cent. `is_part` says that the figure has several shares, and a share's
    `minimum` that this one alone does not reach it. `is_carried` says that the amount is not its own rounding, but a
    cent off, so that the lines together are exact.
    """

    kind: str
    adds_to: str
    amount: Decimal
    deployment: Deployment | None = None
    percent: Decimal | None = None
    base: Decimal | None = None
    minimum: Decimal | None = None
    count: int | None = None
    out_of: int | None = None
    starts_on: date | None = None
    ends_on: date | None = None
    exact: Decimal | None = None
    is_part: bool = False
    is_carried: bool = False

    @property
    def words(self) -> str:
        """The step in English, in plain characters: "25 % of €38,400.00 = €9,600.00; minimum €10,000.00 applies"."""
        amount, base = _euros(self.amount), _euros(self.base or ZERO)
        if self.kind == "share":
            found = amount if self.exact is None else f"{_euros(self.exact)} ≈ {amount}"
            words = f"{_percent(self.percent or ZERO)} of {base} = {found}"
            if self.is_part:
                words = f"{self.deployment}: {words}"
        elif self.kind == "minimum":
            minimum = _euros(self.minimum or ZERO)
            if self.is_part:
                return f"{base} together; minimum {minimum} applies: {amount} more"
            return f"{amount} more, to the minimum of {minimum}"
        elif self.kind == "years":
            words = f"{self.count} {'year' if self.count == 1 else 'years'} × {base} = {amount}"
        else:
            counted = f"{self.count}/{self.out_of} × {base} = {amount}"
            of_days = f"{self.count} of {self.out_of} days of the"
            words = f"{of_days} year from {self.starts_on}: {counted}"
            if self.kind == "remaining":
                words = f"{of_days} contract year left ({self.starts_on} to {self.ends_on}): {counted}"
        if self.is_carried:
            words += " (rounded together with the lines before)"
        if self.kind == "share" and self.minimum is not None:
            words += f"; minimum {_euros(self.minimum)} applies"
        return words


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
    """What an added licence costs: `yearly` at full length, and `total` for the days left to the contract's end.

    Both in EUR to the cent; the lines add up as those of a `Quote` do.
    """

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
    of the deployments that cost anything) applies once, to the yearly total. A deployment with a cost of 0 has
    licences that are free, so the minimum holds for them; one without licences is not in `costs`. The term costs the
    yearly price for each whole year, and for the days beyond them their part of the year that they begin. Raises the
    `PricingError` that names the broken rule.
    """
    yearly, lines = _yearly(prices, costs)
    years, days = term(starts_on, ends_on)
    last_year = anniversary(starts_on, years)
    length = (anniversary(starts_on, years + 1) - last_year).days
    base = _exact(yearly)
    (whole, _), (part, is_carried) = _shared([yearly * years * length, yearly * days], length)
    lines.append(
        Line("years", "total", _euro(whole), base=base, count=years, starts_on=starts_on, ends_on=last_year - DAY)
    )
    if days:
        lines.append(
            Line(
                "days",
                "total",
                _euro(part),
                base=base,
                count=days,
                out_of=length,
                starts_on=last_year,
                ends_on=ends_on,
                is_carried=is_carried,
            )
        )
    return Quote(_euro(_cents(yearly)), _euro(whole + part), starts_on, ends_on, years, days, tuple(lines))


def yearly_price(prices: Mapping[Deployment, Price], costs: Mapping[Deployment, Decimal]) -> Decimal:
    """The price of one year, in EUR to the cent (domain §1.1). Raises as `quote` does."""
    return _euro(_cents(_yearly(prices, costs)[0]))


def prorate(
    price: Price,
    cost: Decimal,
    *,
    deployment: Deployment,
    starts_on: date,
    ends_on: date,
    added_on: date,
    last_on: date | None = None,
) -> Proration:
    """What a licence added on `added_on` costs to the contract's end (domain §1.1, §1.7.5).

    In proportion to the days left, the day of adding and the last day included; each contract year that they fall in
    counts them against its own 365 or 366 days. The minimum is not applied again. `last_on` is the last day of a
    contract that is terminated before its term is over. Raises the `PricingError` that names the broken rule.
    """
    licence = _part({deployment: price}, deployment, cost)
    yearly, base = licence.exact, _exact(licence.exact)
    term(starts_on, ends_on)
    if last_on is not None:
        ends_on = min(last_on, ends_on)
    _check_day(added_on, "added")
    if not starts_on <= added_on <= ends_on:
        raise OutsideTerm(
            f"A licence is added on a day of the contract, {starts_on} to {ends_on}, not on {added_on} (§1.7.5).",
            starts_on=starts_on,
            ends_on=ends_on,
            day=added_on,
        )
    lines = [_share(licence, _cents(yearly))]
    pieces = _remaining(starts_on, ends_on, added_on)
    # Years of 365 and of 366 days have one denominator, so that the parts of a cent of all add up exactly.
    together = 365 * 366
    shared = _shared((yearly * days * (together // length) for _, _, days, length in pieces), together)
    total = 0
    for (first, last, days, length), (amount, is_carried) in zip(pieces, shared, strict=True):
        total += amount
        lines.append(
            Line(
                "remaining",
                "total",
                _euro(amount),
                base=base,
                count=days,
                out_of=length,
                starts_on=first,
                ends_on=last,
                is_carried=is_carried,
            )
        )
    left = (ends_on - added_on).days + 1
    return Proration(_euro(_cents(yearly)), _euro(total), added_on, ends_on, left, tuple(lines))


def term(starts_on: date, ends_on: date) -> tuple[int, int]:
    """The whole years of a term and the days beyond them, both ends included.

    Raises `ReversedDates`, or `ShortTerm` when it is shorter than one year (domain §1.7.3).
    """
    _check_day(starts_on, "starts")
    _check_day(ends_on, "ends")
    if ends_on < starts_on:
        raise ReversedDates(
            f"The contract ends on {ends_on}, before it starts on {starts_on} (§1.7.3).",
            starts_on=starts_on,
            ends_on=ends_on,
        )
    after = ends_on + DAY
    years = after.year - starts_on.year
    begun = anniversary(starts_on, years)
    if begun > after:
        years -= 1
        begun = anniversary(starts_on, years)
    if years < 1:
        first_end, days = anniversary(starts_on, 1) - DAY, (after - starts_on).days
        raise ShortTerm(
            f"A contract runs at least one year (§1.7.3): from {starts_on} to {first_end} "
            f"or later; {ends_on} makes {days} {'day' if days == 1 else 'days'}.",
            starts_on=starts_on,
            first_end=first_end,
            ends_on=ends_on,
            days=days,
        )
    return years, (after - begun).days


def anniversary(starts_on: date, years: int) -> date:
    """The day on which the year after `years` whole contract years begins.

    A contract that starts on 29 February begins its other years on 1 March, so that 29 February to 28 February is
    one year, as it reads.
    """
    try:
        return starts_on.replace(year=starts_on.year + years)
    except ValueError:
        return date(starts_on.year + years, 3, 1)


def _yearly(prices: Mapping[Deployment, Price], costs: Mapping[Deployment, Decimal]) -> tuple[int, list[Line]]:
    """The exact yearly price, in units, and the lines that lead to it."""
    if not costs:
        raise NoLicences("A contract covers all products that the customer owns; there is no licence yet (§1.7.3).")
    parts = [_part(prices, deployment, cost) for deployment, cost in costs.items()]
    parts.sort(key=lambda part: DEPLOYMENTS.index(part.deployment))
    owned = [part for part in parts if part.cents]
    minima = [_minimum(part.price, part.deployment) for part in owned or parts]
    # Where all licences are free, the smaller minimum: one cent more of cost must never make the price fall.
    minimum = max(minima) if owned else min(minima)
    owned = owned or parts
    together = sum(part.exact for part in owned)
    yearly = max(together, minimum * UNITS)
    several, least = len(owned) > 1, _euro(minimum) if yearly > together else None
    # The part that lifts the total to the minimum comes last; it is nothing when the minimum is reached.
    *shares, (lift, _) = _shared([*(part.exact for part in owned), yearly - together])
    lines = [
        _share(part, amount, minimum=None if several else least, is_part=several, is_carried=is_carried)
        for part, (amount, is_carried) in zip(owned, shares, strict=True)
    ]
    if least is not None:
        counted = _euro(minimum - lift)
        lines.append(Line("minimum", "yearly", _euro(lift), base=counted, minimum=least, is_part=several))
    return yearly, lines


class _Part(NamedTuple):
    """The licences of one deployment: their cost in cents, and the exact price of their year in units."""

    deployment: Deployment
    price: Price
    cents: int
    exact: int


def _part(prices: Mapping[Deployment, Price], deployment: Deployment, cost: Decimal) -> _Part:
    cents = _cost(cost, deployment)
    price = prices.get(deployment)
    if price is None:
        raise NoPrice(f"The package has no price for {deployment} licences (§1.1).", deployment=deployment)
    return _Part(Deployment(deployment), price, cents, cents * _rate(price, deployment))


def _share(
    part: _Part, amount: int, *, minimum: Decimal | None = None, is_part: bool = False, is_carried: bool = False
) -> Line:
    return Line(
        "share",
        "yearly",
        _euro(amount),
        deployment=part.deployment,
        percent=part.price.percent,
        base=_euro(part.cents),
        minimum=minimum,
        exact=_exact(part.exact) if part.exact % UNITS else None,
        is_part=is_part,
        is_carried=is_carried,
    )


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


def _cost(cost: Decimal, deployment: Deployment) -> int:
    """A licence cost in cents."""
    if isinstance(cost, bool) or not isinstance(cost, Decimal | int):
        raise _not_money(cost, deployment)
    exact = Decimal(cost)
    if not exact.is_finite():
        raise _not_money(cost, deployment)
    if exact.adjusted() >= DIGITS:
        raise TooManyDigits(
            f"The {deployment} licence cost has more than {DIGITS} digits: not a cost in EUR (§1.1).",
            deployment=deployment,
            digits=DIGITS,
        )
    if exact < 0:
        raise NegativeCost(
            f"The {deployment} licence cost is {cost}: a cost is not negative (§1.1).", deployment=deployment, cost=cost
        )
    if not in_whole_cents(exact):
        raise TooManyDecimals(
            f"The {deployment} licence cost is {cost}: money is counted in whole cents (§1.1).",
            deployment=deployment,
            cost=cost,
        )
    return int(COUNTING.scaleb(exact, 2))


def _not_money(cost: object, deployment: Deployment) -> NotMoney:
    return NotMoney(
        f"The {deployment} licence cost is a decimal number of EUR, not {cost!r} (§1.1).",
        deployment=deployment,
        cost=cost,
    )


def _rate(price: Price, deployment: Deployment) -> int:
    """What one cent of cost adds to the exact price, in units."""
    percent = price.percent
    scaled = COUNTING.scaleb(percent, PERCENT_PLACES)
    if not scaled.is_finite() or not 0 <= scaled <= 100 * 10**PERCENT_PLACES or scaled != int(scaled):
        raise WrongPrice(
            f"The percent for {deployment} licences is {percent}: it lies between 0 and 100 and has at most "
            f"{PERCENT_PLACES} decimals (§1.1).",
            deployment=deployment,
            percent=percent,
            places=PERCENT_PLACES,
        )
    return int(scaled)


def _minimum(price: Price, deployment: Deployment) -> int:
    """The least that a year costs, in cents."""
    minimum = price.minimum
    scaled = COUNTING.scaleb(minimum, 2)
    if not scaled.is_finite() or scaled < 0 or scaled.adjusted() > DIGITS + 2 or scaled != int(scaled):
        raise WrongPrice(
            f"The minimum for {deployment} licences is {minimum}: it is not negative and in whole cents (§1.1).",
            deployment=deployment,
            minimum=minimum,
        )
    return int(scaled)


def _check_day(day: date, name: str) -> None:
    if isinstance(day, datetime) or not isinstance(day, date):
        raise NotADay(f"The day on which it {name} is a date, not {day!r} (§1.7.3).", day=day)
    if day.year > LAST_YEAR:
        raise TooFarAhead(
            f"The day on which it {name} is {day}: no term reaches past the year {LAST_YEAR} (§1.7.3).",
            day=day,
            year=LAST_YEAR,
        )


def _cents(exact: int, parts: int = 1) -> int:
    """Units, or `parts`-ths of units, rounded half up to the cent; prices are never negative."""
    cent = UNITS * parts
    return (2 * exact + cent) // (2 * cent)


def _shared(exact: Iterable[int], parts: int = 1) -> list[tuple[int, bool]]:
    """Amounts in cents that add up to the rounded sum: each is what it moves the rounded running total by.

    With each: whether that differs from rounding it alone.
    """
    amounts, running, shown = [], 0, 0
    for part in exact:
        running += part
        amount = _cents(running, parts) - shown
        shown += amount
        amounts.append((amount, amount != _cents(part, parts)))
    return amounts


def _euro(cents: int) -> Decimal:
    return Decimal(f"{cents}E-2")


def _exact(units: int) -> Decimal:
    """Units as EUR: to the cent, with the parts of a cent where there are any."""
    cents, rest = divmod(units, UNITS)
    return _euro(cents) if not rest else Decimal(f"{units}E-{UNITS_PLACES}").normalize(COUNTING)


def _euros(amount: Decimal) -> str:
    return f"€{amount:,f}"


def _percent(percent: Decimal) -> str:
    return f"{percent.normalize():f} %"
