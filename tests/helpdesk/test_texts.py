"""Every text is there in Russian (msgids are the English): nothing missing, nothing fuzzy, placeholders whole."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib
from django.conf import settings
from django.utils.translation.template import templatize

CATALOGUE = polib.pofile(str(settings.BASE_DIR / "locale" / "ru" / "LC_MESSAGES" / "django.po"))
PLACEHOLDER = re.compile(r"%\((\w+)\)[sdr]|%[sd]|\{(\w*)\}")


def placeholders(text: str) -> set[str]:
    return {found.group(0) for found in PLACEHOLDER.finditer(text)}


def test_no_text_is_missing_or_fuzzy() -> None:
    unfinished = [entry.msgid for entry in CATALOGUE if not entry.translated() or "fuzzy" in entry.flags]

    assert unfinished == []


def test_placeholders_are_those_of_the_english() -> None:
    differing = [
        (entry.msgid, entry.msgstr)
        for entry in CATALOGUE
        if not entry.msgid_plural and placeholders(entry.msgstr) != placeholders(entry.msgid)
    ]

    assert differing == []


def test_plurals_have_their_three_russian_forms() -> None:
    for entry in CATALOGUE:
        if entry.msgid_plural:
            assert sorted(entry.msgstr_plural) == [0, 1, 2], entry.msgid
            for text in entry.msgstr_plural.values():  # a form for one thing may leave the number out
                assert placeholders(text) <= placeholders(entry.msgid) | placeholders(entry.msgid_plural), entry.msgid


# A string of the sources as `templatize` writes it: one of Python's four kinds of quotes.
LITERAL = r"""('''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
CALL = re.compile(rf"\b(n?p?gettext)\(\s*u?{LITERAL}(?:\s*,\s*u?{LITERAL})?", re.S)
OURS = ("accounts", "contracts", "helpdesk", "knowledge", "mail", "sla", "success", "tickets")


def of_template(text: str) -> Iterator[tuple[str | None, str]]:
    """(context, text) of everything that a template says through gettext."""
    for found in CALL.finditer(templatize(text)):
        first, second = ast.literal_eval(found[2]), ast.literal_eval(found[3]) if found[3] else ""
        yield (first, second) if "p" in found[1].removesuffix("gettext") else (None, first)


def of_code(text: str) -> Iterator[tuple[str | None, str]]:
    """(context, text) of everything that a module says through gettext; texts that are put together are not found."""
    tree = ast.parse(text)
    names = {
        name.asname or name.name: name.name.removesuffix("_lazy")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "") == "django.utils.translation"
        for name in node.names
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            continue
        called = names.get(call.func.id, "")
        said = [word.value if isinstance(word, ast.Constant) else None for word in call.args]
        if called in {"gettext", "ngettext", "gettext_noop"} and isinstance(said[0], str):
            yield None, said[0]
        if called in {"pgettext", "npgettext"} and isinstance(said[0], str) and isinstance(said[1], str):
            yield said[0], said[1]


def test_every_text_of_the_sources_is_in_the_catalogue() -> None:
    known = {(entry.msgctxt, entry.msgid) for entry in CATALOGUE}
    root = Path(settings.BASE_DIR)
    said = {
        (str(path.relative_to(root)), one)
        for path in (root / "templates").rglob("*")
        if path.suffix in {".html", ".txt"} and path.parent.name != "hot"
        for one in of_template(path.read_text(encoding="utf-8"))
    } | {
        (str(path.relative_to(root)), one)
        for part in OURS
        for path in (root / part).rglob("*.py")
        for one in of_code(path.read_text(encoding="utf-8"))
    }

    assert len(said) > 2000
    assert sorted((place, one) for place, one in said if one not in known and one[1]) == []
