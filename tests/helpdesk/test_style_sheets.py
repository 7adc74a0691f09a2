"""Style sheets are whole: a brace lost in a merge puts half a sheet into a rule for phones, and nothing says so."""

import re
from pathlib import Path

import pytest
from django.conf import settings

SHEETS = sorted((Path(settings.BASE_DIR) / "static").glob("*.css"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_every_rule_that_begins_a_line_stands_in_no_other(sheet: Path) -> None:
    """What is nested is indented in our sheets: a rule at the edge of the file inside another is a lost brace."""
    without_comments = re.sub(
        r"/\*.*?\*/", lambda comment: "\n" * comment[0].count("\n"), sheet.read_text(encoding="utf-8"), flags=re.S
    )
    depth = 0
    caught = []

    for number, line in enumerate(without_comments.splitlines(), 1):
        if depth and re.match(r"[.#@\w:*\[]", line) and line.rstrip().endswith(("{", "}")):
            caught.append((number, line[:60]))
        depth += line.count("{") - line.count("}")
        assert depth >= 0, number

    assert (caught, depth) == ([], 0)
