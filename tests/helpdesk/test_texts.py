"""Every text is there in Russian (msgids are the English): nothing missing, nothing fuzzy, placeholders whole."""

import re

import polib
from django.conf import settings

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
