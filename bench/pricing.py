"""What a quote costs: `python bench/pricing.py` prints JSON (seconds, and microseconds of one quote).

The quotes differ: both deployments, costs from nothing to millions, with and without the minimum, terms of one to
eleven years and odd days; every fourth is the proration of an added licence. `--check N` counts N random ones (a
million, where nothing else is said; 0 leaves it out) and adds their lines up: `lost_cents` is what the lines and the
figures differ by, `wrong_cents` what the figures and the same rule counted here anew differ by; anything but 0 ends
with exit code 1. Pure Python, one process, no database.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from contracts.pricing import Proration, Quote, anniversary, prorate, quote
from contracts.terms import Deployment, Price

QUOTES = 100_000
CHECKED = 1_000_000
SEED = 2026
RUNS = 3

ON_SITE, ON_DEMAND = Deployment
# The price list (domain §1.1), and percents that leave parts of a cent.
PRICE_LISTS = [
    {ON_SITE: Price(Decimal(15)), ON_DEMAND: Price(Decimal(0))},
    {ON_SITE: Price(Decimal(20), Decimal(500)), ON_DEMAND: Price(Decimal(10), Decimal(500))},
    {ON_SITE: Price(Decimal(25), Decimal(10_000)), ON_DEMAND: Price(Decimal(15), Decimal(10_000))},
    {ON_SITE: Price(Decimal("17.35"), Decimal("123.45")), ON_DEMAND: Price(Decimal("12.5"), Decimal("99.99"))},
]
FIRST_DAY = date(2023, 1, 1)
DAY = timedelta(days=1)
CENTS = 100  # in one EUR
PARTS = 100 * 100  # of a cent: "per cent", and the percent's own two decimals
YEARS = 365 * 366  # both lengths of a year divide it

Question = partial[Quote] | partial[Proration]


def questions(chance: random.Random) -> Iterator[Question]:
    """Random quotes and prorations without end, each ready to be asked."""
    while True:
        prices = chance.choice(PRICE_LISTS)
        starts_on = FIRST_DAY + timedelta(days=chance.randrange(3653))
        over = chance.choice((0, 0, chance.randrange(3000)))
        ends_on = anniversary(starts_on, chance.randint(1, 3)) + timedelta(days=over - 1)
        if chance.random() < 0.25:
            deployment = chance.choice((ON_SITE, ON_DEMAND))
            yield partial(
                prorate,
                prices[deployment],
                some_cost(chance),
                deployment=deployment,
                starts_on=starts_on,
                ends_on=ends_on,
                added_on=starts_on + timedelta(days=chance.randint(0, (ends_on - starts_on).days)),
            )
        else:
            owned = chance.choice(([ON_SITE], [ON_DEMAND], [ON_SITE, ON_DEMAND]))
            costs = {each: some_cost(chance) for each in owned}
            yield partial(quote, prices, costs, starts_on=starts_on, ends_on=ends_on)


def some_cost(chance: random.Random) -> Decimal:
    """Small, usual and large costs, in whole cents; now and then nothing."""
    return Decimal(chance.randrange(chance.choice((1, 100, 10_000, 10_000_000, 1_000_000_000)))).scaleb(-2)


def lost_cents(price: Quote | Proration) -> int:
    """By how many cents the lines differ from the figures that they add to."""
    added = {"yearly": 0, "total": 0}
    for line in price.lines:
        added[line.adds_to] += int(line.amount * CENTS)
    return abs(added["yearly"] - int(price.yearly * CENTS)) + abs(added["total"] - int(price.total * CENTS))


def wrong_cents(price: Quote | Proration, question: Question) -> int:
    """By how many cents the figures differ from the rule of domain §1.1, counted here anew, in parts of a cent."""
    offered, costs = question.args
    days = question.keywords
    if isinstance(price, Proration):
        yearly, first_day = parts_of_cents(costs, offered), days["added_on"]
    else:
        shares = sum(parts_of_cents(cost, offered[each]) for each, cost in costs.items())
        paid = [offered[each].minimum for each, cost in costs.items() if cost]
        minimum = max(paid) if paid else min(offered[each].minimum for each in costs)
        yearly, first_day = max(shares, int(minimum * CENTS) * PARTS), days["starts_on"]
    years = parts_of_years(days["starts_on"], days["ends_on"], first_day)
    return abs(int(price.yearly * CENTS) - half_up(yearly, PARTS)) + abs(
        int(price.total * CENTS) - half_up(yearly * years, PARTS * YEARS)
    )


def parts_of_cents(cost: Decimal, price: Price) -> int:
    """The exact price of a year: cents times hundredths of a percent."""
    return int(cost * CENTS) * int(price.percent * 100)


def half_up(number: int, parts: int) -> int:
    """`number` divided by `parts`, rounded half up."""
    return (2 * number + parts) // (2 * parts)


def parts_of_years(starts_on: date, ends_on: date, first_day: date) -> int:
    """The days from the first to the last one, each as its part of its contract year, in `YEARS`-ths of a year."""
    parts = number = 0
    begins = starts_on
    while begins <= ends_on:
        number += 1
        following = anniversary(starts_on, number)
        days = (min(following, ends_on + DAY) - max(begins, first_day)).days
        parts += max(days, 0) * YEARS // (following - begins).days
        begins = following
    return parts


def seconds(asked: list[Question]) -> float:
    """Best time of several runs to ask all of them."""
    best = float("inf")
    for _run in range(RUNS):
        began = time.perf_counter()
        for question in asked:
            question()
        best = min(best, time.perf_counter() - began)
    return best


def check(count: int) -> dict[str, int | float]:
    """Counts that many random prices, what their lines lose, and where they are wrong. The same ones every time."""
    asked = questions(random.Random(SEED))
    began = time.perf_counter()
    lost = wrong = lines = 0
    for question in islice(asked, count):
        price = question()
        lost += lost_cents(price)
        wrong += wrong_cents(price, question)
        lines += len(price.lines)
    return {
        "checked": count,
        "checked_lines": lines,
        "lost_cents": lost,
        "wrong_cents": wrong,
        "check_seconds": round(time.perf_counter() - began, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="What a quote costs, and that none loses a cent.")
    parser.add_argument("--quotes", type=int, default=QUOTES, help=f"how many are timed ({QUOTES})")
    parser.add_argument("--check", type=int, default=CHECKED, help=f"how many are added up ({CHECKED}; 0: none)")
    options = parser.parse_args()
    asked = list(islice(questions(random.Random(SEED)), options.quotes))
    took = seconds(asked)
    figures: dict[str, int | float] = {
        "quotes": len(asked),
        "lines": sum(len(question().lines) for question in asked),
        "seconds": round(took, 3),
        "quote_us": round(took / len(asked) * 1e6, 2),
        "quotes_a_second": round(len(asked) / took),
    }
    if options.check:
        figures |= check(options.check)
    print(json.dumps(figures, indent=2))
    return 1 if figures.get("lost_cents") or figures.get("wrong_cents") else 0


if __name__ == "__main__":
    sys.exit(main())
