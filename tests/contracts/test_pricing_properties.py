"""Laws of prices that hold for every input: days sum to their year, no cent is lost, one minimum (domain §1.1)."""

from datetime import date, timedelta
from decimal import Decimal, localcontext
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.pricing import check
from contracts.models import Contract, Licence, PackageTerms
from contracts.pricing import (
    DAY,
    NotMoney,
    PricingError,
    WrongPrice,
    anniversary,
    prorate,
    quote,
    term,
    yearly_price,
)
from contracts.signing import derived_lines
from contracts.signing import quote as quote_of
from contracts.terms import Deployment, Price
from tests.factories import package

ON_SITE, ON_DEMAND = Deployment.ON_SITE, Deployment.ON_DEMAND
CENT = Decimal("0.01")
D = Decimal

cents = st.one_of(st.integers(0, 10**4), st.integers(0, 10**10)).map(lambda count: D(count).scaleb(-2))
percents = st.integers(0, 10_000).map(lambda count: D(count).scaleb(-2))
minima = st.sampled_from([D(0), D(500), D(10_000), D("123.45")])
prices = st.builds(Price, percents, minima)
packages = st.builds(lambda on_site, on_demand: {ON_SITE: on_site, ON_DEMAND: on_demand}, prices, prices)
owned = st.dictionaries(st.sampled_from([ON_SITE, ON_DEMAND]), cents, min_size=1)
days = st.one_of(
    st.dates(date(1999, 1, 1), date(2099, 12, 31)),
    st.sampled_from([date(2028, 2, 28), date(2028, 2, 29), date(2027, 3, 1), date(2028, 3, 1), date(2099, 3, 1)]),
)
law = settings(max_examples=150, deadline=None)


def whole_years(starts_on: date, years: int) -> dict[str, date]:
    return {"starts_on": starts_on, "ends_on": anniversary(starts_on, years) - DAY}


@st.composite
def terms_of_a_contract(draw) -> dict[str, date]:
    dates = whole_years(draw(days), draw(st.integers(1, 4)))
    return dates | {"ends_on": dates["ends_on"] + timedelta(days=draw(st.integers(0, 400)))}


def added(price: Price, cost: Decimal, dates: dict[str, date], added_on: date):
    return prorate(price, cost, deployment=ON_SITE, **dates, added_on=added_on)


def amounts(price, kind: str) -> list[Decimal]:
    return [line.amount for line in price.lines if line.kind == kind]


def years_of(part) -> Decimal:
    """What an added licence pays for, in contract years."""
    return sum((D(line.count) / line.out_of for line in part.lines if line.kind == "remaining"), D(0))


def figures(price) -> dict[str, Decimal]:
    return {
        name: sum((line.amount for line in price.lines if line.adds_to == name), D(0)) for name in ("yearly", "total")
    }


# Lines and figures


@law
@given(packages, owned, terms_of_a_contract())
def test_the_lines_of_a_quote_add_up_to_its_figures_to_the_cent(offered, costs, dates):
    price = quote(offered, costs, **dates)

    assert figures(price) == {"yearly": price.yearly, "total": price.total}
    assert price.yearly == yearly_price(offered, costs)
    assert all(line.amount.as_tuple().exponent == -2 and line.amount >= 0 for line in price.lines)


@law
@given(prices, cents, terms_of_a_contract(), st.data())
def test_the_lines_of_an_added_licence_add_up_to_its_figures_to_the_cent(price, cost, dates, data):
    added_on = data.draw(st.dates(dates["starts_on"], dates["ends_on"]))

    part = added(price, cost, dates, added_on)

    assert figures(part) == {"yearly": part.yearly, "total": part.total}


@law
@given(packages, owned, terms_of_a_contract())
def test_a_line_is_at_most_a_cent_off_its_own_rounding_and_says_so(offered, costs, dates):
    for line in quote(offered, costs, **dates).lines:
        if line.kind == "share":
            own = line.base * line.percent / 100
        elif line.kind == "years":
            own = line.base * line.count
        elif line.kind == "days":
            own = line.base * line.count / line.out_of
        else:
            continue
        assert abs(line.amount - own) <= (CENT if line.is_carried else CENT / 2)


def test_twenty_thousand_random_prices_lose_no_cent_and_are_right():
    checked = check(20_000)

    assert (checked["lost_cents"], checked["wrong_cents"]) == (0, 0)


@law
@given(packages, owned, terms_of_a_contract())
def test_the_price_does_not_depend_on_the_precision_that_the_caller_counts_in(offered, costs, dates):
    exact = quote(offered, costs, **dates)

    with localcontext(prec=3):
        assert quote(offered, costs, **dates) == exact


# Years and days


@law
@given(packages, owned, days, st.integers(1, 6))
def test_a_term_of_whole_years_costs_the_yearly_price_for_each(offered, costs, starts_on, years):
    price = quote(offered, costs, **whole_years(starts_on, years))

    assert (price.years, price.days) == (years, 0)
    # Rounded once, at the end: the parts of a cent of the years may add up to a cent, never more.
    assert abs(price.total - years * price.yearly) <= years * CENT / 2
    assert years > 1 or price.total == price.yearly


@settings(max_examples=8, deadline=None)
@given(prices, cents, days)
def test_the_days_of_a_year_sum_to_the_year_within_a_cent_per_line(price, cost, starts_on):
    dates = whole_years(starts_on, 1)
    year = added(price, cost, dates, starts_on)
    each_day = [starts_on + timedelta(days=n) for n in range(year.days)]
    left = [added(price, cost, dates, day).total for day in each_day] + [D(0)]

    parts = [today - tomorrow for today, tomorrow in pairwise(left)]

    assert year.total == year.yearly == sum(parts)
    exact_day = cost * price.percent / 100 / year.days
    assert all(abs(part - exact_day) <= CENT for part in parts)


@law
@given(prices, cents, terms_of_a_contract(), st.data())
def test_a_licence_added_and_one_that_leaves_the_day_before_cost_one_licence(price, cost, dates, data):
    added_on = data.draw(st.dates(dates["starts_on"], dates["ends_on"]))
    whole = added(price, cost, dates, dates["starts_on"])

    rest = added(price, cost, dates, added_on)

    gone = years_of(whole) - years_of(rest)
    assert abs(whole.total - rest.total - cost * price.percent / 100 * gone) <= CENT
    assert rest.total <= whole.total


@given(days, st.integers(0, 2000))
def test_a_term_is_told_apart_into_years_and_fewer_days_than_a_year(starts_on, over):
    ends_on = anniversary(starts_on, 1) - DAY + timedelta(days=over)

    years, odd = term(starts_on, ends_on)

    begun = anniversary(starts_on, years)
    assert begun + timedelta(days=odd) == ends_on + DAY
    assert 0 <= odd < (anniversary(starts_on, years + 1) - begun).days
    with pytest.raises(PricingError):
        term(starts_on, anniversary(starts_on, 1) - 2 * DAY)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "length"),
    [
        (date(2027, 1, 1), date(2027, 12, 31), 365),
        (date(2028, 1, 1), date(2028, 12, 31), 366),
        (date(2027, 3, 1), date(2028, 2, 29), 366),
        (date(2028, 2, 29), date(2029, 2, 28), 366),
        (date(2028, 3, 1), date(2029, 2, 28), 365),
        (date(2027, 2, 28), date(2028, 2, 27), 365),
        (date(2099, 3, 1), date(2100, 2, 28), 365),
    ],
)
def test_a_contract_year_has_its_own_days(starts_on, ends_on, length):
    dates = {"starts_on": starts_on, "ends_on": ends_on}
    price = Price(D(10))

    assert term(starts_on, ends_on) == (1, 0)
    assert added(price, D(3650), dates, starts_on).days == length
    assert added(price, D(3650 if length == 365 else 3660), dates, ends_on).total == D("1.00")


# Monotone


@law
@given(packages, owned, terms_of_a_contract(), st.data())
def test_the_price_never_falls_when_a_cost_rises(offered, costs, dates, data):
    dearer = {each: cost + data.draw(cents) for each, cost in costs.items()}

    cheap, dear = quote(offered, costs, **dates), quote(offered, dearer, **dates)

    assert (cheap.yearly <= dear.yearly, cheap.total <= dear.total) == (True, True)


@law
@given(prices, cents, cents, terms_of_a_contract(), st.data())
def test_an_added_licence_never_costs_less_when_it_is_dearer(price, cost, more, dates, data):
    added_on = data.draw(st.dates(dates["starts_on"], dates["ends_on"]))

    assert added(price, cost, dates, added_on).total <= added(price, cost + more, dates, added_on).total


# The minimum


@law
@given(packages, owned, terms_of_a_contract())
def test_the_minimum_is_applied_once_at_most_whatever_the_licences_and_the_years(offered, costs, dates):
    price = quote(offered, costs, **dates)
    lifts, shares = amounts(price, "minimum"), sum(amounts(price, "share"), D(0))

    assert len(lifts) <= 1
    assert price.yearly == max(shares, next((line.minimum for line in price.lines if line.kind == "minimum"), shares))
    assert price.yearly <= max([shares, *(offered[each].minimum for each in costs)])


@law
@given(percents, minima, cents, terms_of_a_contract(), st.data())
def test_the_minimum_is_never_applied_to_an_added_licence(percent, minimum, cost, dates, data):
    added_on = data.draw(st.dates(dates["starts_on"], dates["ends_on"]))

    assert added(Price(percent, minimum), cost, dates, added_on) == added(Price(percent), cost, dates, added_on)


# Prices that cannot stand


@pytest.mark.parametrize(
    "price",
    [
        Price(D(101)),
        Price(D("-0.01")),
        Price(D("NaN")),
        Price(D("12.34567")),
        Price(D(15), D("-1")),
        Price(D(15), D("0.001")),
        Price(D(15), D("Infinity")),
    ],
)
def test_a_price_that_cannot_stand_is_refused(price):
    with pytest.raises(WrongPrice, match=r"\(§1\.1\)"):
        quote({ON_SITE: price}, {ON_SITE: D(1)}, **whole_years(date(2026, 1, 1), 1))


@pytest.mark.parametrize("cost", [True, "38400", None, D("Infinity"), D("sNaN"), D("9" * 16)])
def test_what_is_no_cost_is_refused(cost):
    with pytest.raises(NotMoney, match=r"\(§1\.1\)"):
        quote({ON_SITE: Price(D(15))}, {ON_SITE: cost}, **whole_years(date(2026, 1, 1), 1))


# What a contract derives from its licences


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["basic", "business", "premium"]),
    st.lists(st.tuples(st.sampled_from([ON_SITE, ON_DEMAND]), cents), min_size=1, max_size=7),
    terms_of_a_contract(),
)
def test_the_lines_derived_from_the_licences_sum_to_the_yearly_price(code, bought, dates):
    offered: PackageTerms = package(code).terms_on(date(2026, 1, 1))
    contract = Contract(terms=offered, **dates)
    licences = [Licence(deployment=str(deployment), cost=cost) for deployment, cost in bought]

    derived = derived_lines(contract, licences)

    assert sum(line.amount for line in derived) == quote_of(contract, licences).yearly
    assert len(derived) == len(licences)
    assert all(line.amount >= 0 for line in derived)
