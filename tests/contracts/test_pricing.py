"""What support costs: the table of the price list, terms, added licences, refusals, and laws on random quotes."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import pricing
from contracts.pricing import prorate, quote, term, yearly_price
from contracts.terms import (
    WORKING_DAY,
    Deployment,
    Kind,
    Price,
    Target,
    Terms,
    Unit,
    in_whole_cents,
    price_problems,
    target_problems,
    terms_problems,
)

ON_SITE, ON_DEMAND = Deployment.ON_SITE, Deployment.ON_DEMAND
D = Decimal

PRICES = {
    "basic": {ON_SITE: Price(D(15)), ON_DEMAND: Price(D(0))},
    "business": {ON_SITE: Price(D(20), D(500)), ON_DEMAND: Price(D(10), D(500))},
    "premium": {ON_SITE: Price(D(25), D(10_000)), ON_DEMAND: Price(D(15), D(10_000))},
}
YEAR_2026 = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}


def words(result) -> list[str]:
    return [line.words for line in result.lines]


# The table of domain §1.1, one row per cell


@pytest.mark.parametrize(
    ("package", "deployment", "cost", "yearly"),
    [
        ("basic", ON_SITE, "100000.00", "15000.00"),
        ("basic", ON_SITE, "1.00", "0.15"),
        ("basic", ON_DEMAND, "100000.00", "0.00"),
        ("business", ON_SITE, "100000.00", "20000.00"),
        ("business", ON_SITE, "2500.00", "500.00"),
        ("business", ON_SITE, "2499.99", "500.00"),
        ("business", ON_DEMAND, "100000.00", "10000.00"),
        ("business", ON_DEMAND, "4999.90", "500.00"),
        ("premium", ON_SITE, "100000.00", "25000.00"),
        ("premium", ON_SITE, "38400.00", "10000.00"),
        ("premium", ON_DEMAND, "100000.00", "15000.00"),
        ("premium", ON_DEMAND, "1.00", "10000.00"),
    ],
)
def test_yearly_price_follows_the_price_list(package, deployment, cost, yearly):
    result = quote(PRICES[package], {deployment: D(cost)}, **YEAR_2026)

    assert result.yearly == result.total == yearly_price(PRICES[package], {deployment: D(cost)}) == D(yearly)


def test_quote_shows_its_arithmetic():
    result = quote(PRICES["premium"], {ON_SITE: D("38400.00")}, **YEAR_2026)

    assert words(result) == [
        "25 % of €38,400.00 = €9,600.00; minimum €10,000.00 applies",
        "€400.00 more, to the minimum of €10,000.00",
        "1 year × €10,000.00 = €10,000.00",
    ]
    assert [(line.kind, line.adds_to, str(line.amount)) for line in result.lines] == [
        ("share", "yearly", "9600.00"),
        ("minimum", "yearly", "400.00"),
        ("years", "total", "10000.00"),
    ]


def test_quote_uses_each_percent_and_the_minimum_once_for_mixed_licences():
    result = quote(PRICES["business"], {ON_DEMAND: D("1000.00"), ON_SITE: D("1500.00")}, **YEAR_2026)

    assert result.yearly == D("500.00")
    assert words(result)[:3] == [
        "on-site: 20 % of €1,500.00 = €300.00",
        "on-demand: 10 % of €1,000.00 = €100.00",
        "€400.00 together; minimum €500.00 applies: €100.00 more",
    ]


def test_quote_leaves_out_a_deployment_that_costs_nothing():
    result = quote(PRICES["premium"], {ON_SITE: D(80_000), ON_DEMAND: D(0)}, **YEAR_2026)

    assert words(result) == ["25 % of €80,000.00 = €20,000.00", "1 year × €20,000.00 = €20,000.00"]


def test_quote_of_free_licences_is_still_the_minimum():
    assert quote(PRICES["premium"], {ON_SITE: D(0), ON_DEMAND: D(0)}, **YEAR_2026).yearly == D(10_000)


def test_quote_rounds_half_up():
    assert yearly_price({ON_SITE: Price(D(15))}, {ON_SITE: D("0.10")}) == D("0.02")
    assert yearly_price({ON_SITE: Price(D("12.5"))}, {ON_SITE: D("0.36")}) == D("0.05")


def test_quote_rounds_once_at_the_end_and_shows_the_parts_of_a_cent():
    result = quote(PRICES["basic"], {ON_SITE: D("100.03")}, starts_on=date(2026, 1, 1), ends_on=date(2027, 12, 31))

    assert (result.yearly, result.total) == (D("15.00"), D("30.01"))
    assert words(result)[-1] == "2 years × €15.0045 = €30.01"


# Terms


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "years", "days"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), 1, 0),
        (date(2026, 1, 1), date(2027, 1, 1), 1, 1),
        (date(2026, 3, 15), date(2028, 3, 14), 2, 0),
        (date(2026, 3, 15), date(2028, 3, 13), 1, 365),
        (date(2027, 3, 1), date(2028, 2, 29), 1, 0),
        (date(2028, 2, 29), date(2029, 2, 28), 1, 0),
        (date(2028, 2, 29), date(2032, 2, 28), 4, 0),
        (date(2026, 7, 1), date(2036, 12, 31), 10, 184),
    ],
)
def test_term_counts_whole_years_and_days_with_both_ends(starts_on, ends_on, years, days):
    assert term(starts_on, ends_on) == (years, days)


def test_term_beyond_whole_years_costs_its_part_of_the_last_year():
    result = quote(PRICES["premium"], {ON_SITE: D(80_000)}, starts_on=date(2026, 1, 1), ends_on=date(2028, 6, 30))

    assert result.total == D("49945.36")  # 2 × 20,000 + 20,000 × 182 / 366
    assert words(result)[1:] == [
        "2 years × €20,000.00 = €40,000.00",
        "182 of 366 days of the year from 2028-01-01: 182/366 × €20,000.00 = €9,945.36",
    ]
    assert (result.lines[-1].count, result.lines[-1].out_of) == (182, 366)


# Added licences


def test_prorate_charges_the_days_left_with_both_ends_and_no_minimum():
    result = prorate(PRICES["business"][ON_SITE], D(1000), deployment=ON_SITE, **YEAR_2026, added_on=date(2026, 7, 1))

    assert (result.yearly, result.total, result.days) == (D("200.00"), D("100.82"), 184)
    assert words(result) == [
        "20 % of €1,000.00 = €200.00",
        "184 of 365 days of the contract year left (2026-07-01 to 2026-12-31): 184/365 × €200.00 = €100.82",
    ]


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "added_on", "total"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), date(2026, 1, 1), "3660.00"),
        (date(2026, 1, 1), date(2026, 12, 31), date(2026, 12, 31), "10.03"),
        (date(2028, 1, 1), date(2028, 12, 31), date(2028, 12, 31), "10.00"),
        (date(2027, 3, 1), date(2028, 2, 29), date(2028, 2, 29), "10.00"),
        (date(2027, 1, 1), date(2028, 12, 31), date(2027, 12, 31), "3670.03"),
        (date(2027, 1, 1), date(2028, 6, 30), date(2028, 6, 30), "10.00"),
    ],
)
def test_prorate_counts_each_contract_year_in_its_own_days(starts_on, ends_on, added_on, total):
    price = Price(D(10), D(500))

    result = prorate(price, D(36_600), deployment=ON_DEMAND, starts_on=starts_on, ends_on=ends_on, added_on=added_on)

    assert result.total == D(total)


# Refusals


@pytest.mark.parametrize(
    ("cost", "error", "says"),
    [
        (D("-0.01"), pricing.NegativeCost, "The on-site licence cost is -0.01: a cost is not negative (§1.1)."),
        (
            D("1.001"),
            pricing.TooManyDecimals,
            "The on-site licence cost is 1.001: money is counted in whole cents (§1.1).",
        ),
        (D("NaN"), pricing.NotMoney, "The on-site licence cost is a decimal number of EUR, not Decimal('NaN') (§1.1)."),
        (0.1, pricing.NotMoney, "The on-site licence cost is a decimal number of EUR, not 0.1 (§1.1)."),
        (D("1e15"), pricing.NotMoney, "The on-site licence cost has more than 15 digits: not a cost in EUR (§1.1)."),
    ],
)
def test_a_cost_that_is_no_cost_is_refused(cost, error, says):
    with pytest.raises(error) as quoted:
        quote(PRICES["basic"], {ON_SITE: cost}, **YEAR_2026)
    with pytest.raises(error) as prorated:
        prorate(PRICES["basic"][ON_SITE], cost, deployment=ON_SITE, **YEAR_2026, added_on=date(2026, 2, 1))

    assert str(quoted.value) == str(prorated.value) == says
    assert isinstance(quoted.value, ValueError)


def test_trailing_zeros_are_not_decimals():
    assert in_whole_cents(D("10.500"))
    assert in_whole_cents(D("1E+3"))
    assert not in_whole_cents(D("0.0001"))


@pytest.mark.parametrize(
    ("ends_on", "error", "says"),
    [
        (date(2025, 12, 31), pricing.ReversedDates, "The contract ends on 2025-12-31, before it starts on 2026-01-01"),
        (
            date(2026, 12, 30),
            pricing.ShortTerm,
            "at least one year .* from 2026-01-01 to 2026-12-31 or later; .* 364 days",
        ),
        (date(9999, 12, 31), pricing.PricingError, "no term reaches past the year 2199"),
        (datetime(2026, 12, 31), pricing.PricingError, "is a date, not"),  # noqa: DTZ001
    ],
)
def test_a_term_that_cannot_be_is_refused(ends_on, error, says):
    with pytest.raises(error, match=says):
        quote(PRICES["basic"], {ON_SITE: D(1)}, starts_on=date(2026, 1, 1), ends_on=ends_on)


@pytest.mark.parametrize("added_on", [date(2025, 12, 31), date(2027, 1, 1)])
def test_a_licence_added_outside_the_term_is_refused(added_on):
    with pytest.raises(pricing.OutsideTerm, match="a day of the contract, 2026-01-01 to 2026-12-31"):
        prorate(PRICES["basic"][ON_SITE], D(1), deployment=ON_SITE, **YEAR_2026, added_on=added_on)


def test_a_contract_without_licences_is_refused():
    with pytest.raises(pricing.NothingToPrice, match="there is no licence yet"):
        quote(PRICES["basic"], {}, **YEAR_2026)


def test_a_deployment_that_the_package_has_no_price_for_is_refused():
    with pytest.raises(pricing.NothingToPrice, match="no price for on-demand licences"):
        quote({ON_SITE: Price(D(15))}, {ON_DEMAND: D(1)}, **YEAR_2026)


# Laws

cents = st.one_of(st.integers(0, 10**5), st.integers(0, 10**10)).map(lambda count: D(count).scaleb(-2))
percents = st.integers(0, 10_000).map(lambda count: D(count).scaleb(-2))
prices = st.builds(Price, percents, st.sampled_from([D(0), D(500), D(10_000), D("123.45")]))
days = st.dates(date(2023, 1, 1), date(2032, 12, 31))
law = settings(max_examples=200, deadline=None)


@st.composite
def terms_of_a_contract(draw):
    starts_on = draw(days)
    return {
        "starts_on": starts_on,
        "ends_on": pricing.anniversary(starts_on, 1) + timedelta(days=draw(st.integers(-1, 1500))),
    }


@law
@given(prices, prices, cents, cents, terms_of_a_contract())
def test_no_cent_is_lost_between_the_lines_and_the_figures(on_site, on_demand, first, second, dates):
    result = quote({ON_SITE: on_site, ON_DEMAND: on_demand}, {ON_SITE: first, ON_DEMAND: second}, **dates)

    assert sum(line.amount for line in result.lines if line.adds_to == "yearly") == result.yearly
    assert sum(line.amount for line in result.lines if line.adds_to == "total") == result.total
    assert all(line.amount >= 0 and line.amount.as_tuple().exponent == -2 for line in result.lines)


@law
@given(prices, prices, cents, cents, terms_of_a_contract())
def test_the_total_is_the_exact_price_rounded_once(on_site, on_demand, first, second, dates):
    result = quote({ON_SITE: on_site, ON_DEMAND: on_demand}, {ON_SITE: first, ON_DEMAND: second}, **dates)

    counted = Fraction(first) * Fraction(on_site.percent) / 100 + Fraction(second) * Fraction(on_demand.percent) / 100
    minima = [price.minimum for price, cost in ((on_site, first), (on_demand, second)) if cost]
    minimum = max(minima) if minima else min(on_site.minimum, on_demand.minimum)
    yearly = max(counted, Fraction(minimum))
    begun = pricing.anniversary(dates["starts_on"], result.years)
    length = (pricing.anniversary(dates["starts_on"], result.years + 1) - begun).days
    exact = yearly * (result.years + Fraction(result.days, length))
    assert Fraction(-1, 200) < exact - Fraction(result.total) <= 0 or 0 <= exact - Fraction(result.total) < Fraction(
        1, 200
    )
    assert result.days == (dates["ends_on"] - begun).days + 1 < length


@law
@given(prices, prices, st.one_of(cents, st.just(D("0.00"))), cents, cents, terms_of_a_contract())
def test_the_price_never_falls_when_the_cost_rises(on_site, on_demand, other, first, second, dates):
    low, high = sorted((first, second))
    package = {ON_SITE: on_site, ON_DEMAND: on_demand}

    cheap, dear = (quote(package, {ON_SITE: cost, ON_DEMAND: other}, **dates) for cost in (low, high))

    assert cheap.yearly <= dear.yearly
    assert cheap.total <= dear.total


@law
@given(prices, cents, terms_of_a_contract(), st.data())
def test_a_longer_term_never_costs_less(price, cost, dates, data):
    longer = dates | {"ends_on": dates["ends_on"] + timedelta(days=data.draw(st.integers(0, 800)))}

    assert (
        quote({ON_SITE: price}, {ON_SITE: cost}, **dates).total
        <= quote({ON_SITE: price}, {ON_SITE: cost}, **longer).total
    )


@law
@given(percents, cents, terms_of_a_contract())
def test_a_licence_added_on_the_first_day_costs_what_the_contract_would(percent, cost, dates):
    price = Price(percent, D(10_000))
    added = prorate(price, cost, deployment=ON_SITE, **dates, added_on=dates["starts_on"])

    assert added.total == quote({ON_SITE: Price(percent)}, {ON_SITE: cost}, **dates).total
    assert added.days == (dates["ends_on"] - dates["starts_on"]).days + 1


@law
@given(percents, cents, terms_of_a_contract(), st.data())
def test_the_lines_of_an_added_licence_sum_to_its_total_and_a_later_day_never_costs_more(percent, cost, dates, data):
    length = (dates["ends_on"] - dates["starts_on"]).days
    early, late = sorted(data.draw(st.integers(0, length)) for _ in range(2))

    first, second = (
        prorate(Price(percent), cost, deployment=ON_SITE, **dates, added_on=dates["starts_on"] + timedelta(days=n))
        for n in (early, late)
    )

    assert sum(line.amount for line in first.lines if line.adds_to == "total") == first.total >= second.total
    assert sum(line.count for line in first.lines if line.count) == first.days


@settings(max_examples=10, deadline=None)
@given(percents, cents, days)
def test_the_days_of_a_year_sum_to_the_year_within_a_cent_per_line(percent, cost, starts_on):
    ends_on = pricing.anniversary(starts_on, 1) - timedelta(days=1)
    length = (ends_on - starts_on).days + 1
    left = [
        prorate(
            Price(percent), cost, deployment=ON_SITE, starts_on=starts_on, ends_on=ends_on,
            added_on=starts_on + timedelta(days=n),
        ).total
        for n in range(length)
    ] + [D(0)]  # fmt: skip
    each_day = [today - tomorrow for today, tomorrow in pairwise(left)]

    assert (
        sum(each_day) == quote({ON_SITE: Price(percent)}, {ON_SITE: cost}, starts_on=starts_on, ends_on=ends_on).total
    )
    exact_day = Fraction(cost) * Fraction(percent) / 100 / length
    assert all(abs(Fraction(day) - exact_day) <= Fraction(1, 100) for day in each_day)


# Terms as values

PREMIUM = Terms(
    code="premium",
    services=frozenset({"offline", "online", "csm"}),
    prices=PRICES["premium"],
    targets=(
        Target(Kind.REACTION, 1, 30),
        *(Target(Kind.REACTION, priority, 120) for priority in (2, 3, 4)),
        Target(Kind.RESOLUTION, 1, 120),
        Target(Kind.RESOLUTION, 2, 2, Unit.WORKING_DAYS, calendar="working_days"),
    ),
)


def test_terms_name_what_they_promise():
    assert PREMIUM.reaction(1).business_time() == timedelta(minutes=30)
    assert PREMIUM.resolution(2).business_time() == timedelta(hours=18) == 2 * WORKING_DAY
    assert PREMIUM.resolution(3) is None
    assert PREMIUM.escalation_answer(1) is None
    assert PREMIUM.includes("csm")
    assert not PREMIUM.includes("priority_mgmt")
    assert terms_problems(PREMIUM) == []


def test_terms_cannot_be_changed_after_they_are_made():
    with pytest.raises(TypeError):
        PREMIUM.prices[ON_SITE] = Price(D(1))
    with pytest.raises(AttributeError):
        PREMIUM.code = "other"


def test_terms_problems_are_all_named_not_only_the_first():
    broken = Terms(
        code="",
        services=frozenset(),
        prices={ON_SITE: Price(D(101), D("-1"))},
        targets=(
            Target(Kind.REACTION, 1, 0),
            Target(Kind.REACTION, 1, 5),
            Target(Kind.REACTION, 2, 5),
            Target("visit", 5, 1),
        ),
    )

    assert [(problem.field, problem.rule) for problem in terms_problems(broken)] == [
        ("code", "code_missing"),
        ("services", "services_missing"),
        ("prices.on-demand", "price_missing"),
        ("prices.on-site.percent", "percent_range"),
        ("prices.on-site.minimum", "minimum_negative"),
        ("targets.0.amount", "amount_positive"),
        ("targets.3.kind", "kind_unknown"),
        ("targets.3.priority", "priority_range"),
        ("targets", "target_twice"),
        ("targets", "reaction_missing"),
        ("targets", "reaction_missing"),
    ]


def test_a_minimum_with_parts_of_a_cent_and_an_unknown_unit_are_problems():
    assert [p.words for p in price_problems(Price(D(5), D("0.001")))] == ["The minimum is in whole cents (§1.1)."]
    assert [p.rule for p in target_problems(Target(Kind.REACTION, 1, 5, "weeks"))] == ["unit_unknown"]
