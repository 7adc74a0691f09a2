"""The tables of words: each verb that the workflow records is there, and none that it does not (domain §6)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from tests.factories import TUESDAY_10
from tickets import timeline, workflow
from tickets.event_words import CUSTOMER_WORDS, DESK_WORDS, for_customer, for_desk
from tickets.models import Event

RECORDERS = {"record", "happened"}
# Its `happened` writes the history of a defect, which is no event of a ticket.
OTHERS = {("defects.py", "happened")}


def recorded_verbs() -> dict[str, str]:
    """Every verb that the workflow writes into the log of a ticket, and the file that does."""
    return {verb: path.name for path in sorted(Path(workflow.__file__).parent.glob("*.py")) for verb in _verbs(path)}


def _verbs(path: Path) -> Iterator[str]:
    """The constant second arguments of the calls that record, both branches of a choice."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or len(node.args) < 2:
            continue
        name = getattr(node.func, "id", "")
        if name in RECORDERS and (path.name, name) not in OTHERS:
            verb = node.args[1]
            for part in [verb.body, verb.orelse] if isinstance(verb, ast.IfExp) else [verb]:
                if isinstance(part, ast.Constant):
                    yield part.value


def test_every_verb_of_the_workflow_has_words_for_the_desk() -> None:
    """A new verb must get its words; what the message beside it says needs none."""
    recorded = recorded_verbs()

    assert {"opened", "resolved", "returned", "deadline_lapsed", "undelivered"} < set(recorded)
    assert {verb: file for verb, file in recorded.items() if verb not in set(DESK_WORDS) | timeline.SAID} == {}


def test_no_words_are_kept_for_a_verb_that_nothing_records() -> None:
    assert (set(DESK_WORDS) | set(CUSTOMER_WORDS)) - set(recorded_verbs()) == set()


def test_customers_are_told_of_no_verb_that_the_desk_is_not() -> None:
    assert set(CUSTOMER_WORDS) - set(DESK_WORDS) == set()


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("verb", sorted(DESK_WORDS))
def test_event_without_details_is_told_all_the_same(verb: str, language: str) -> None:
    event = Event(verb=verb, by=None, at=TUESDAY_10, details={})

    with translation.override(language):
        desk, customer = for_desk(event), for_customer(event)

    assert desk.what.strip()
    assert customer is None or customer.what.strip()


def test_verb_without_words_is_shown_to_the_desk_by_its_name() -> None:
    event = Event(verb="sung", by=None, at=TUESDAY_10, details={"reason": "For joy"})

    assert for_desk(event) == ("sung", "For joy")
    assert for_customer(event) is None
