"""Texts compile without GNU gettext."""

import gettext
import os
from pathlib import Path

import pytest

from helpdesk.translations import compile_translations

TEXTS = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; "
"plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

msgid "%(n)s ticket"
msgid_plural "%(n)s tickets"
msgstr[0] "%(n)s обращение"
msgstr[1] "%(n)s обращения"
msgstr[2] "%(n)s обращений"
"""


@pytest.fixture
def po(tmp_path: Path) -> Path:
    path = tmp_path / "ru" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text(TEXTS, encoding="utf-8")
    return path


def test_compiled_texts_have_the_three_russian_plurals(po, tmp_path):
    compile_translations([tmp_path])

    with po.with_suffix(".mo").open("rb") as compiled:
        russian = gettext.GNUTranslations(compiled)
    spoken = [russian.ngettext("%(n)s ticket", "%(n)s tickets", n) % {"n": n} for n in (1, 3, 11)]
    assert spoken == ["1 обращение", "3 обращения", "11 обращений"]


def test_only_what_changed_is_compiled(po, tmp_path):
    first = compile_translations([tmp_path])
    second = compile_translations([tmp_path])
    later = po.with_suffix(".mo").stat().st_mtime + 5
    os.utime(po, (later, later))
    third = compile_translations([tmp_path])

    assert (first, second, third) == ([po], [], [po])
