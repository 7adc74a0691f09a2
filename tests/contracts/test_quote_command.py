"""`manage.py quote` and `manage.py prorate`: for scripts and people, and one sentence for a refusal."""

import json
from datetime import date
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from contracts.models import Package, PackageTerms, TermsPrice
from tests.factories import package

pytestmark = pytest.mark.django_db

YEAR_2026 = ["--starts", "2026-01-01", "--ends", "2026-12-31"]


def run(command: str, *options: str) -> str:
    out = StringIO()
    call_command(command, *options, stdout=out)
    return out.getvalue()


def refused(command: str, *options: str) -> tuple[str, int, str]:
    out = StringIO()
    with pytest.raises(CommandError) as error:
        call_command(command, *options, stdout=out)
    return str(error.value), error.value.returncode, out.getvalue()


def test_quote_answers_a_script_with_decimal_strings():
    costs = ["--on-site", "38400", "--on-demand", "0"]

    told = json.loads(run("quote", "--package", "premium", *costs, *YEAR_2026, "--json"))

    lines = told.pop("lines")
    assert told == {
        "package": "premium",
        "terms_from": "2020-01-01",
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "years": 1,
        "days": 0,
        "yearly": "10000.00",
        "total": "10000.00",
    }
    assert lines[0] == {
        "kind": "share",
        "adds_to": "yearly",
        "amount": "9600.00",
        "deployment": "on-site",
        "percent": "25",
        "base": "38400.00",
        "minimum": "10000.00",
        "exact": None,
        "count": None,
        "out_of": None,
        "starts_on": None,
        "ends_on": None,
        "words": "25 % of €38,400.00 = €9,600.00; minimum €10,000.00 applies",
    }
    assert [(line["kind"], line["amount"], line["words"]) for line in lines[1:]] == [
        ("minimum", "400.00", "€400.00 more, to the minimum of €10,000.00"),
        ("years", "10000.00", "1 year × €10,000.00 = €10,000.00"),
    ]


def test_quote_tells_a_person_the_arithmetic_and_the_figures():
    told = run(
        "quote", "--package", "business", "--on-site", "1500.50", "--starts", "2026-01-01", "--ends", "2028-06-30"
    )

    assert told.splitlines() == [
        "Business, terms from 1 Jan 2020",
        "  20 % of €1,500.50 = €300.10; minimum €500.00 applies",
        "  €199.90 more, to the minimum of €500.00",
        "  2 years × €500.00 = €1,000.00",
        "  182 of 366 days of the year from 1 Jan 2028: 182/366 × €500.00 = €248.63",
        "€500.00 a year; €1,248.63 for the term of 1 Jan 2026 to 30 Jun 2028",
    ]


def test_words_are_english_unless_another_language_is_asked_for():
    asked = ["quote", "--package", "basic", "--on-site", "100.03", *YEAR_2026]

    with translation.override("ru"):
        assert "15 % of €100.03 = €15.0045 ≈ €15.00" in run(*asked)
    assert "15 % от €100,03 = €15,0045 ≈ €15,00" in run(*asked, "--language", "ru")


def test_basic_on_demand_is_included_in_the_subscription():
    told = json.loads(run("quote", "--package", "basic", "--on-demand", "100000", *YEAR_2026, "--json"))

    assert (told["yearly"], told["total"]) == ("0.00", "0.00")


def test_an_omitted_cost_means_no_licence_and_zero_a_licence_that_is_free():
    free = json.loads(run("quote", "--package", "business", "--on-demand", "0", *YEAR_2026, "--json"))

    assert (free["yearly"], free["lines"][0]["deployment"]) == ("500.00", "on-demand")
    assert refused("quote", "--package", "business", *YEAR_2026)[0] == (
        "A contract covers all products that the customer owns; there is no licence yet (§1.7.3)."
    )


def test_prorate_answers_a_script_without_the_minimum():
    asked = ["--package", "business", "--deployment", "on-site", "--cost", "1000", "--added", "2026-07-01"]

    told = json.loads(run("prorate", *asked, *YEAR_2026, "--json"))

    lines = told.pop("lines")
    assert told == {
        "package": "business",
        "terms_from": "2020-01-01",
        "deployment": "on-site",
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "added_on": "2026-07-01",
        "days": 184,
        "yearly": "200.00",
        "total": "100.82",
    }
    assert [line["words"] for line in lines] == [
        "20 % of €1,000.00 = €200.00",
        "184 of 365 days of the contract year left (1 Jul 2026 to 31 Dec 2026): 184/365 × €200.00 = €100.82",
    ]
    assert (lines[1]["count"], lines[1]["out_of"], lines[1]["starts_on"]) == (184, 365, "2026-07-01")


def test_prorate_tells_a_person_the_arithmetic_and_the_figures():
    asked = ["--package", "premium", "--deployment", "on-demand", "--cost", "10000", "--added", "2028-12-31"]

    assert run("prorate", *asked, "--starts", "2028-01-01", "--ends", "2028-12-31").splitlines() == [
        "Premium, terms from 1 Jan 2020",
        "  15 % of €10,000.00 = €1,500.00",
        "  1 of 366 days of the contract year left (31 Dec 2028 to 31 Dec 2028): 1/366 × €1,500.00 = €4.10",
        "€1,500.00 a year; €4.10 for the days from 31 Dec 2028 to 31 Dec 2028",
    ]


def test_the_terms_are_those_of_the_first_day():
    dearer = PackageTerms.objects.create(
        package=package("basic"), starts_on=date(2026, 7, 1), calendar=package("basic").terms.get().calendar
    )
    TermsPrice.objects.create(terms=dearer, deployment="on-site", percent=Decimal("17.5"))
    costs = ["--package", "basic", "--on-site", "1000", "--json"]
    asked = ["--package", "basic", "--deployment", "on-site", "--cost", "1000", "--json"]

    before = json.loads(run("quote", *costs, "--starts", "2026-06-30", "--ends", "2027-06-29"))
    after = json.loads(run("quote", *costs, "--starts", "2026-07-01", "--ends", "2027-06-30"))
    added = json.loads(
        run("prorate", *asked, "--starts", "2026-06-30", "--ends", "2027-06-29", "--added", "2026-08-01")
    )

    assert [(told["terms_from"], told["yearly"]) for told in (before, after, added)] == [
        ("2020-01-01", "150.00"),
        ("2026-07-01", "175.00"),
        ("2020-01-01", "150.00"),
    ]
    assert after["lines"][0]["percent"] == "17.5"
    assert refused("quote", "--package", "basic", "--on-demand", "0", "--starts", "2026-07-01", "--ends", "2027-06-30")[
        0
    ] == ("The package has no price for on-demand licences (§1.1).")


# Refusals: one sentence that names the rule, exit code 1


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"ends": "2025-12-31"},
            "The contract ends on 31 Dec 2025, before it starts on 1 Jan 2026 (§1.7.3).",
        ),
        (
            {"ends": "2026-12-30"},
            "A contract runs at least one year (§1.7.3): from 1 Jan 2026 to 31 Dec 2026 or later; "
            "30 Dec 2026 makes 364 days.",
        ),
        ({"on-site": "38400.001"}, "The on-site licence cost is €38,400.001: money is counted in whole cents (§1.1)."),
        ({"on-site": "-1"}, "The on-site licence cost is −€1.00: a cost is not negative (§1.1)."),
        ({"on-site": "9" * 16}, "The on-site licence cost has more than 15 digits: not a cost in EUR (§1.1)."),
        ({"package": "gold"}, "There is no package “gold”; there are: basic, business, premium (§1)."),
        ({"starts": "2019-12-31"}, "The package “Premium” has no terms on 31 Dec 2019 yet (§1.1)."),
        ({"ends": "2300-01-01"}, "1 Jan 2300 is too far ahead: no term reaches past the year 2199 (§1.7.3)."),
    ],
)  # fmt: skip
def test_quote_refuses_what_cannot_be_priced(options, says):
    asked = {"package": "premium", "on-site": "38400", "starts": "2026-01-01", "ends": "2026-12-31"} | options
    words = [f"--{name}={value}" for name, value in asked.items()]

    assert refused("quote", *words) == (says, 1, "")


@pytest.mark.parametrize(
    "typed",
    ["nan", "1e5", "1,000", "1 000", "1_000", "٣٨٤", "３８４", "З84", "+5", ".5", "5.", "", "0x10", "inf", "5€", "5\n"],
)  # fmt: skip
def test_a_cost_that_can_be_misread_is_refused(typed):
    says = (
        "is a cost in EUR written with digits and a point, like 38400 or 38400.50 (§1.1), "
        f"not “{typed}”."
    )  # fmt: skip

    assert refused("quote", "--package=premium", f"--on-demand={typed}", *YEAR_2026)[:2] == (f"--on-demand {says}", 1)
    asked = ["--package=premium", "--deployment=on-site", f"--cost={typed}", "--added=2026-05-01"]
    assert refused("prorate", *asked, *YEAR_2026)[:2] == (f"--cost {says}", 1)


@pytest.mark.parametrize("typed", ["2026-02-30", "20260101", "2026-W01-1", "01.01.2026", "today", "", "٢٠٢٦-٠١-٠١"])
def test_a_day_that_is_none_is_refused(typed):
    says = f"is a day of the calendar written like 2026-12-31 (§1.7.3), not “{typed}”."

    for option in ("starts", "ends"):
        asked = [
            f"--{option}={typed}" if option in words else words
            for words in ("--starts=2026-01-01", "--ends=2026-12-31")
        ]
        assert refused("quote", "--package=premium", "--on-site=1", *asked)[:2] == (f"--{option} {says}", 1)
    asked = ["--package=premium", "--deployment=on-site", "--cost=1", f"--added={typed}"]
    assert refused("prorate", *asked, *YEAR_2026)[:2] == (f"--added {says}", 1)


@pytest.mark.parametrize("added", ["2025-12-31", "2027-01-01"])
def test_prorate_refuses_a_licence_added_outside_the_term(added):
    asked = ["--package=basic", "--deployment=on-site", "--cost=1", f"--added={added}"]

    sentence, code, _ = refused("prorate", *asked, *YEAR_2026)

    assert code == 1
    assert sentence.startswith("A licence is added on a day of the contract, 1 Jan 2026 to 31 Dec 2026, not on ")


def test_a_package_that_is_no_longer_sold_is_not_quoted_but_its_contracts_are_prorated():
    Package.objects.filter(code="basic").update(is_sold=False)
    asked = ["--package=basic", "--deployment=on-site", "--cost=1000", "--added=2026-01-01"]

    assert refused("quote", "--package=basic", "--on-site=1000", *YEAR_2026) == (
        "The package “Basic” is not sold (§1).",
        1,
        "",
    )
    assert json.loads(run("prorate", *asked, *YEAR_2026, "--json"))["total"] == "150.00"


def test_prorate_refuses_a_deployment_that_the_package_has_no_price_for():
    TermsPrice.objects.filter(terms__package__code="basic", deployment="on-demand").delete()
    asked = ["--package=basic", "--deployment=on-demand", "--cost=0", "--added=2026-02-01"]

    assert refused("prorate", *asked, *YEAR_2026)[0] == "The package has no price for on-demand licences (§1.1)."


def test_a_script_gets_the_refusal_as_json_too():
    sentence, code, out = refused(
        "quote", "--package=premium", "--on-site=1", "--starts=2026-01-01", "--ends=2026-12-30", "--json"
    )

    assert code == 1
    assert json.loads(out) == {"error": sentence, "rule": "short_term"}
    assert "\n" not in sentence


def test_a_refusal_is_in_the_language_asked_for():
    sentence = refused("quote", "--package=gold", "--on-site=1", *YEAR_2026, "--language=ru")[0]

    assert sentence == "Пакета «gold» нет; есть: basic, business, premium (§1)."


def test_a_wrong_use_of_the_options_is_refused_by_them():
    assert "required" in refused("quote", "--package", "premium")[0]
    assert "invalid choice" in refused("prorate", "--deployment=cloud", "--package=basic", "--cost=1", *YEAR_2026)[0]
