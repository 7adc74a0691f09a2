"""The log in words: every verb that is recorded has a sentence, in both languages (domain §2)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from contracts.event_words import WORDS, told
from contracts.models import ContractEvent
from helpdesk.embedded import BASE_DIR

RECORDERS = {"record", "_record", "happened", "_remind"}
FOLDERS = ("contracts/signing", "contracts/importing", "contracts/views", "contracts")


def recorded_verbs() -> dict[str, str]:
    """Every verb that code of the contracts writes into the log, and the file that does."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((BASE_DIR / folder).glob("*.py")):
            for verb in _verbs(path):
                found[verb] = path.name
    return found


def _verbs(path: Path) -> Iterator[str]:
    """The constant first arguments of the calls that record, both branches of a choice."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and _name(node.func) in RECORDERS:
            first = node.args[0]
            for part in [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def _name(called: ast.expr) -> str:
    return str(getattr(called, "id", "") or getattr(called, "attr", ""))


def test_every_recorded_verb_has_words() -> None:
    recorded = recorded_verbs()

    assert {"signed", "drafted", "renewal_offered", "contact_changed", "gap_opened"} <= set(recorded)
    assert {verb: file for verb, file in recorded.items() if verb not in WORDS} == {}


def test_no_words_are_kept_for_a_verb_that_nothing_records() -> None:
    assert set(WORDS) - set(recorded_verbs()) == set()


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("verb", sorted(WORDS))
def test_an_event_without_details_is_told_all_the_same(verb: str, language: str) -> None:
    with translation.override(language):
        words = told(ContractEvent(verb=verb, details={}))

    assert words.strip()
    assert "None" not in words
    assert "%" not in words


@pytest.mark.parametrize(
    ("verb", "details", "words"),
    [
        ("drafted", {"package": "premium"}, "Draft prepared: package “Premium”"),
        (
            "draft_changed",
            {"package": "business", "starts_on": "2026-01-01", "ends_on": "2027-01-31"},
            "Draft changed: package “Business”, from 1 Jan 2026 to 31 Jan 2027",
        ),
        (
            "terminated",
            {"reason": "They leave", "on": "2026-12-01"},
            "Terminated, covered to the end of 1 Dec 2026: They leave",
        ),
        (
            "licence_added",
            {"licence": "Sales, on-site", "amount": "1369.86", "starts_on": "2026-06-01"},
            "Licence added: Sales, on-site, from 1 Jun 2026, €1,369.86",
        ),
        (
            "renewal_offered",
            {"days_ahead": 90, "successor": "2027-0001-2", "total": "12000.00"},
            "Renewal offered 90 days ahead: draft 2027-0001-2, €12,000.00",
        ),
        (
            "renewal_declined",
            {"successor": "2027-0001-2", "words": "We want Basic"},
            "The customer declined the renewal, draft 2027-0001-2: “We want Basic”",
        ),
        (
            "contact_changed",
            {
                "was": "Anna",
                "to": "Boris",
                "starts": "2026-06-30 21:00:00+00:00",
                "ends": "",
                "reason": "a holiday",
            },
            "Responsible contact: Boris instead of Anna from 1 Jul 2026: a holiday",
        ),
        (
            "clause_added",
            {"ru": "Сети включены", "en": "Networks are included"},
            "Clause added: “Networks are included”",
        ),
        ("gap_closed", {"starts_on": "2026-01-02"}, "There was no coverage gap from 2 Jan 2026: a contract covers it"),
    ],
)
def test_an_event_is_told_with_its_days_money_and_names(verb: str, details: dict, words: str) -> None:
    with translation.override("en"):
        assert told(ContractEvent(verb=verb, details=details), {"premium": "Premium"}) == words


def test_a_clause_is_told_in_the_readers_language() -> None:
    event = ContractEvent(verb="clause_ended", details={"ru": "Сети включены", "en": "Networks are included"})

    with translation.override("ru"):
        assert "Сети включены" in told(event)
