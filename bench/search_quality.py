"""How well the search finds: `python bench/search_quality.py [FILE]` prints JSON. Needs no running server of yours.

FILE holds pairs (document, query, match or no_match; `soft` ones are wishes), by default
`../shared/cases/ru_search.json` beside the checkout. Every document becomes a real ticket, opened by the workflow in a
database of its own; every query is asked by an engineer through `tickets.search`, as the page does it, the other
keyboard and mistyped words included. A ticket is found where it is among the finds, on whatever page of them.
"""

import argparse
import json
import logging
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")

from tests.servers import start  # noqa: E402  a PostgreSQL of its own, unless DATABASE_URL names one

CASES = ROOT.parent / "shared" / "cases" / "ru_search.json"


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("file", nargs="?", type=Path, default=CASES)
    pairs = json.loads(asked.parse_args().file.read_text("utf-8"))["pairs"]
    with ExitStack() as stack:
        start(stack)
        import django

        logging.disable(logging.INFO)
        django.setup()
        from django.test.utils import setup_databases, teardown_databases

        made = setup_databases(verbosity=0, interactive=False)
        try:
            print(json.dumps(measure(pairs), ensure_ascii=False, indent=2))
        finally:
            teardown_databases(made, verbosity=0)


def measure(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Opens a ticket for every document, asks every query, and counts both kinds of errors."""
    from tests.factories import a_customer, an_engineer, open_ticket
    from tickets.search_index import learn_words

    customer, engineer = a_customer(name="Search"), an_engineer()
    keys = {
        text: open_ticket(customer, subject="№", body=text).pk for text in dict.fromkeys(pair["doc"] for pair in pairs)
    }
    while learn_words(500)[0]:
        pass
    wrong: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for pair in pairs:
        found = keys[pair["doc"]] in finds(engineer, pair["query"])
        if found != (pair["expect"] == "match"):
            kept = ("id", "doc", "query", "expect", "kind")
            wrong[bool(pair.get("soft"))].append({name: pair[name] for name in kept if name in pair})
    hard = sum(not pair.get("soft") for pair in pairs)
    return {
        "pairs": len(pairs),
        "not_soft": hard,
        "right_of_not_soft": round((hard - len(wrong[False])) / hard, 4) if hard else 1.0,
        "misses": [pair for pair in wrong[False] if pair["expect"] == "match"],
        "false_hits": [pair for pair in wrong[False] if pair["expect"] != "match"],
        "soft": len(pairs) - hard,
        "soft_right": len(pairs) - hard - len(wrong[True]),
        "soft_misses": [pair for pair in wrong[True] if pair["expect"] == "match"],
        "soft_false_hits": [pair for pair in wrong[True] if pair["expect"] != "match"],
    }


def finds(user: Any, query: str) -> set[int]:
    """Every page of what the person finds."""
    from django.utils import timezone

    from tickets.search import Search

    keys: set[int] = set()
    search = Search(q=query)
    while True:
        page = search.find(user, timezone.now())
        keys |= set(page.keys)
        if not page.after:
            return keys
        # What was meant is looked for on, as the page's own link does.
        search = Search(q=page.shown_for or search.q, after=page.after)


if __name__ == "__main__":
    main()
