"""The arithmetic of prices in words of two languages, and every refusal as a sentence that names its rule."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.utils import translation
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts import pricing
from contracts.money import NO_BREAK
from contracts.price_words import day_words, figures_words, line_words, proration_words, quote_words, refusal_words
from contracts.pricing import PricingError, prorate, quote
from contracts.terms import Deployment, Price

ON_SITE, ON_DEMAND = Deployment.ON_SITE, Deployment.ON_DEMAND
D = Decimal
PREMIUM = {ON_SITE: Price(D(25), D(10_000)), ON_DEMAND: Price(D(15), D(10_000))}
BUSINESS = {ON_SITE: Price(D(20), D(500)), ON_DEMAND: Price(D(10), D(500))}
YEAR_2026 = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 12, 31)}


def in_language(language: str, tell, *asked) -> list[str]:
    with translation.override(language):
        told = tell(*asked)
    return [words.replace(NO_BREAK, " ") for words in ([told] if isinstance(told, str) else told)]


def test_quote_is_told_in_english_and_in_russian():
    price = quote(PREMIUM, {ON_SITE: D(38_400)}, **YEAR_2026)

    assert in_language("en", quote_words, price) == [
        "25 % of €38,400.00 = €9,600.00; minimum €10,000.00 applies",
        "€400.00 more, to the minimum of €10,000.00",
        "1 year × €10,000.00 = €10,000.00",
    ]
    assert in_language("ru", quote_words, price) == [
        "25 % от €38 400,00 = €9 600,00; действует минимум €10 000,00",
        "ещё €400,00, до минимума €10 000,00",
        "1 год × €10 000,00 = €10 000,00",
    ]


def test_mixed_licences_and_odd_days_are_told_in_english_and_in_russian():
    costs = {ON_SITE: D("1500.00"), ON_DEMAND: D("1000.00")}
    price = quote(BUSINESS, costs, starts_on=date(2026, 1, 1), ends_on=date(2028, 6, 30))

    assert in_language("en", quote_words, price) == [
        "on-site: 20 % of €1,500.00 = €300.00",
        "on-demand: 10 % of €1,000.00 = €100.00",
        "€400.00 together; minimum €500.00 applies: €100.00 more",
        "2 years × €500.00 = €1,000.00",
        "182 of 366 days of the year from 1 Jan 2028: 182/366 × €500.00 = €248.63",
    ]
    assert in_language("ru", quote_words, price)[2:] == [
        "вместе €400,00; действует минимум €500,00: ещё €100,00",
        "2 года × €500,00 = €1 000,00",
        "182 из 366 дней года с 1 января 2028: 182/366 × €500,00 = €248,63",
    ]


def test_an_added_licence_is_told_in_english_and_in_russian():
    price = prorate(BUSINESS[ON_SITE], D(1000), deployment=ON_SITE, **YEAR_2026, added_on=date(2026, 7, 1))

    assert in_language("en", proration_words, price) == [
        "20 % of €1,000.00 = €200.00",
        "184 of 365 days of the contract year left (1 Jul 2026 to 31 Dec 2026): 184/365 × €200.00 = €100.82",
    ]
    assert in_language("ru", proration_words, price)[1:] == [
        "осталось 184 из 365 дней года договора (с 1 июля 2026 по 31 декабря 2026): 184/365 × €200,00 = €100,82",
    ]
    assert in_language("en", figures_words, price) == [
        "€200.00 a year; €100.82 for the days from 1 Jul 2026 to 31 Dec 2026"
    ]


def test_figures_are_one_sentence():
    price = quote(PREMIUM, {ON_SITE: D(80_000)}, **YEAR_2026)

    assert in_language("en", figures_words, price) == [
        "€20,000.00 a year; €20,000.00 for the term of 1 Jan 2026 to 31 Dec 2026"
    ]
    assert in_language("ru", figures_words, price) == [
        "€20 000,00 в год; €20 000,00 за срок с 1 января 2026 по 31 декабря 2026"
    ]


def test_parts_of_a_cent_are_told_and_so_is_a_line_that_carries_them():
    prices = {ON_SITE: Price(D(15)), ON_DEMAND: Price(D(15))}
    price = quote(prices, {ON_SITE: D("0.10"), ON_DEMAND: D("0.10")}, **YEAR_2026)

    assert price.yearly == D("0.03")
    assert in_language("en", quote_words, price) == [
        "on-site: 15 % of €0.10 = €0.015 ≈ €0.02",
        "on-demand: 15 % of €0.10 = €0.015 ≈ €0.01 (rounded together with the lines before)",
        "1 year × €0.03 = €0.03",
    ]


cents = st.integers(0, 10**9).map(lambda count: D(count).scaleb(-2))
percents = st.integers(0, 10_000).map(lambda count: D(count).scaleb(-2))
prices = st.builds(Price, percents, st.sampled_from([D(0), D(500), D("123.45")]))


@settings(max_examples=100, deadline=None)
@given(prices, prices, cents, cents, st.integers(0, 900))
def test_english_words_say_the_same_as_the_plain_words_of_pricing(on_site, on_demand, first, second, over):
    starts_on = date(2027, 3, 15)
    price = quote(
        {ON_SITE: on_site, ON_DEMAND: on_demand},
        {ON_SITE: first, ON_DEMAND: second},
        starts_on=starts_on,
        ends_on=date.fromordinal(date(2028, 3, 14).toordinal() + over),
    )
    added = prorate(
        on_site, first, deployment=ON_SITE, starts_on=starts_on, ends_on=price.ends_on, added_on=date(2027, 9, 1)
    )

    with translation.override("en"):
        for line in price.lines + added.lines:
            plain = line.words
            for day in (line.starts_on, line.ends_on):
                plain = plain.replace(str(day), day_words(day)) if day else plain
            assert line_words(line).replace(NO_BREAK, " ") == plain


# Refusals


def refusal(ask) -> PricingError:
    with pytest.raises(PricingError) as refused:
        ask()
    return refused.value


def a_year(cost, **dates):
    return quote(PREMIUM, {ON_SITE: cost}, **YEAR_2026 | dates)


@pytest.mark.parametrize(
    ("ask", "english", "russian"),
    [
        (
            lambda: a_year(D("-0.01")),
            "The on-site licence cost is −€0.01: a cost is not negative (§1.1).",
            "Стоимость лицензии on-site — −€0,01: она не бывает отрицательной (§1.1).",
        ),
        (
            lambda: a_year(D("1.001")),
            "The on-site licence cost is €1.001: money is counted in whole cents (§1.1).",
            "Стоимость лицензии on-site — €1,001: деньги считаются в целых центах (§1.1).",
        ),
        (
            lambda: a_year(D("1E-5000")),
            "The on-site licence cost is 1E-5000: money is counted in whole cents (§1.1).",
            "Стоимость лицензии on-site — 1E-5000: деньги считаются в целых центах (§1.1).",
        ),
        (
            lambda: a_year(D("NaN")),
            "The on-site licence cost is a decimal number of EUR (§1.1).",
            "Стоимость лицензии on-site пишется числом в евро (§1.1).",
        ),
        (
            lambda: a_year(D("1E+15")),
            "The on-site licence cost has more than 15 digits: not a cost in EUR (§1.1).",
            "В стоимости лицензии on-site больше 15 цифр: это не сумма в евро (§1.1).",
        ),
        (
            lambda: quote(PREMIUM, {}, **YEAR_2026),
            "A contract covers all products that the customer owns; there is no licence yet (§1.7.3).",
            "Договор охватывает все продукты, которыми владеет клиент; лицензий пока нет (§1.7.3).",
        ),
        (
            lambda: quote({ON_SITE: Price(D(15))}, {ON_DEMAND: D(0)}, **YEAR_2026),
            "The package has no price for on-demand licences (§1.1).",
            "У пакета нет цены для лицензий on-demand (§1.1).",
        ),
        (
            lambda: quote({ON_SITE: Price(D(101))}, {ON_SITE: D(1)}, **YEAR_2026),
            "The package's price for on-site licences cannot stand: a percent lies between 0 and 100, "
            "a minimum is not negative and in whole cents (§1.1).",
            "Цена пакета для лицензий on-site задана неверно: процент — от 0 до 100, минимум — не меньше нуля и в "
            "целых центах (§1.1).",
        ),
        (
            lambda: a_year(D(1), ends_on=date(2025, 12, 31)),
            "The contract ends on 31 Dec 2025, before it starts on 1 Jan 2026 (§1.7.3).",
            "Договор заканчивается 31 декабря 2025, раньше, чем начинается, 1 января 2026 (§1.7.3).",
        ),
        (
            lambda: a_year(D(1), ends_on=date(2026, 12, 30)),
            "A contract runs at least one year (§1.7.3): from 1 Jan 2026 to 31 Dec 2026 or later; "
            "30 Dec 2026 makes 364 days.",
            "Договор действует не меньше года (§1.7.3): с 1 января 2026 по 31 декабря 2026 или дольше; "
            "до 30 декабря 2026 выходит 364 дня.",
        ),
        (
            lambda: a_year(D(1), ends_on=date(2200, 1, 1)),
            "1 Jan 2200 is too far ahead: no term reaches past the year 2199 (§1.7.3).",
            "1 января 2200 — слишком далеко: срок договора не выходит за 2199 год (§1.7.3).",
        ),
        (
            lambda: a_year(D(1), ends_on=datetime(2026, 12, 31)),  # noqa: DTZ001
            "This is not a day of the calendar (§1.7.3).",
            "Такого дня в календаре нет (§1.7.3).",
        ),
        (
            lambda: prorate(PREMIUM[ON_SITE], D(1), deployment=ON_SITE, **YEAR_2026, added_on=date(2027, 1, 1)),
            "A licence is added on a day of the contract, 1 Jan 2026 to 31 Dec 2026, not on 1 Jan 2027 (§1.7.5).",
            "Лицензию добавляют в один из дней договора, с 1 января 2026 по 31 декабря 2026, а не 1 января 2027 "
            "(§1.7.5).",
        ),
    ],
    ids=[
        "negative", "three decimals", "far too fine", "not a number", "sixteen digits", "no licences", "no price",
        "wrong price", "reversed dates", "364 days", "far ahead", "a moment", "added outside",
    ],
)  # fmt: skip
def test_a_refusal_is_a_sentence_that_names_the_rule(ask, english, russian):
    error = refusal(ask)

    assert in_language("en", refusal_words, error) == [english]
    assert in_language("ru", refusal_words, error) == [russian]


def test_a_refusal_that_came_later_is_told_in_its_own_words():
    class Unheard(PricingError):
        pass

    assert refusal_words(Unheard("The words of it.")) == "The words of it."


def test_every_refusal_of_pricing_has_words_of_its_own():
    known = {
        pricing.NotMoney, pricing.TooManyDigits, pricing.NegativeCost, pricing.TooManyDecimals, pricing.NoLicences,
        pricing.NoPrice, pricing.WrongPrice, pricing.NotADay, pricing.TooFarAhead, pricing.ReversedDates,
        pricing.OutsideTerm, pricing.ShortTerm,
    }  # fmt: skip
    values = {
        "deployment": ON_SITE, "digits": 15, "cost": D(1), "day": date(2026, 1, 1), "year": 2199, "days": 3,
        "starts_on": date(2026, 1, 1), "ends_on": date(2026, 1, 1), "first_end": date(2026, 1, 1),
    }  # fmt: skip

    refusals = {each for each in vars(pricing).values() if isinstance(each, type) and issubclass(each, PricingError)}

    assert refusals - {PricingError, pricing.NothingToPrice} == known
    assert all(refusal_words(each("plain", **values)) != "plain" for each in known)
