"""Money and percents as people write them: two languages, no float, no lost cent, and the filters of templates."""

from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from contracts.money import euro, exact_euro, percent
from contracts.pricing import Line
from contracts.terms import Deployment

D = Decimal


@pytest.mark.parametrize(
    ("amount", "english", "russian"),
    [
        (D("38400.00"), "€38,400.00", "€38\u00a0400,00"),
        (D("38400"), "€38,400.00", "€38\u00a0400,00"),
        (D("1E+3"), "€1,000.00", "€1\u00a0000,00"),
        (D("0"), "€0.00", "€0,00"),
        (D("-0.00"), "€0.00", "€0,00"),
        (D("-0.004"), "€0.00", "€0,00"),
        (D("0.005"), "€0.01", "€0,01"),
        (D("-0.5"), "−€0.50", "−€0,50"),
        (D("-1234567.89"), "−€1,234,567.89", "−€1\u00a0234\u00a0567,89"),
        (D("999999999999999.99"), "€999,999,999,999,999.99", "€999\u00a0999\u00a0999\u00a0999\u00a0999,99"),
        (12, "€12.00", "€12,00"),
    ],
)
def test_euro_writes_an_amount_to_the_cent_in_the_active_language(amount, english, russian):
    with translation.override("en"):
        assert euro(amount) == english
    with translation.override("ru"):
        assert euro(amount) == russian


def test_exact_euro_keeps_the_parts_of_a_cent():
    with translation.override("en"):
        assert [exact_euro(D(amount)) for amount in ("15.0045", "15.00450", "15.1", "15", "0.00000001")] == [
            "€15.0045",
            "€15.0045",
            "€15.10",
            "€15.00",
            "€0.00000001",
        ]
    with translation.override("ru"):
        assert exact_euro(D("1015.0045")) == "€1\u00a0015,0045"


@pytest.mark.parametrize(
    ("share", "english", "russian"),
    [
        (D("25.00"), "25\u00a0%", "25\u00a0%"),
        (D("12.50"), "12.5\u00a0%", "12,5\u00a0%"),
        (D("0"), "0\u00a0%", "0\u00a0%"),
        (D("1E+2"), "100\u00a0%", "100\u00a0%"),
        (D("0.05"), "0.05\u00a0%", "0,05\u00a0%"),
    ],
)
def test_percent_has_no_needless_zeros(share, english, russian):
    with translation.override("en"):
        assert percent(share) == english
    with translation.override("ru"):
        assert percent(share) == russian


@pytest.mark.parametrize("write", [euro, exact_euro, percent])
def test_a_float_is_never_money(write):
    with pytest.raises(TypeError, match="Money and percents are Decimal"):
        write(0.1)
    with pytest.raises(TypeError):
        write(True)
    with pytest.raises(ValueError, match="NaN is not an amount"):
        write(D("NaN"))


def test_filters_write_money_percents_and_arithmetic_in_a_template():
    line = Line(
        "share", "yearly", D("9600.00"), deployment=Deployment.ON_SITE, percent=D("25.00"), base=D("38400.00")
    )  # fmt: skip
    page = Template("{% load money %}{{ cost|euro }}|{{ none|euro }}|{{ share|percent }}|{{ line|price_words }}")
    values = Context({"cost": D("38400"), "none": None, "share": D("12.5"), "line": line})

    with translation.override("en"):
        assert page.render(values) == "€38,400.00||12.5\u00a0%|25\u00a0% of €38,400.00 = €9,600.00"
