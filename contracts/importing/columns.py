"""The columns of the files that can be imported, and the headings by which they are known, in Russian and English."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from contracts.models import ImportRun

REASON = "reason"  # the column of our own file of bad rows: neither read nor named when the file comes back
REASON_LABEL = _("Why it was not imported")


@dataclass(frozen=True)
class Column:
    """One column: its code, its heading in the reader's language, what else it may be called, whether it is needed."""

    code: str
    label: str | Promise
    names: tuple[str, ...]
    required: bool = False


COMPANY = Column(
    "company",
    _("Company"),
    ("company", "company name", "customer", "компания", "клиент", "название компании", "организация"),
    True,
)
LANGUAGE = Column("language", _("Language"), ("language", "язык"))

COLUMNS: dict[str, tuple[Column, ...]] = {
    ImportRun.Kind.CUSTOMERS: (
        COMPANY,
        Column(
            "csm",
            _("CSM e-mail"),
            ("csm", "csm e mail", "csm email", "customer success manager", "почта csm", "e mail csm", "менеджер"),
        ),
        Column("timezone", _("Time zone"), ("time zone", "timezone", "часовой пояс", "пояс")),
        LANGUAGE,
        Column("city", _("City"), ("city", "город")),
    ),
    ImportRun.Kind.LICENCES: (
        COMPANY,
        Column("product", _("Product"), ("product", "product code", "product name", "продукт", "код продукта"), True),
        Column("deployment", _("Deployment"), ("deployment", "размещение", "развертывание", "тип размещения"), True),
        Column(
            "seats",
            _("Users"),
            ("users", "seats", "user count", "пользователи", "пользователей", "число пользователей", "места"),
        ),
        Column(
            "cost",
            _("Cost, EUR"),
            (
                "cost",
                "cost, eur",
                "cost eur",
                "licence cost",
                "license cost",
                "price",
                "стоимость",
                "стоимость, eur",
                "стоимость, евро",
                "стоимость eur",
                "стоимость лицензии",
                "цена",
            ),
            True,
        ),
        Column(
            "starts_on",
            _("Starts on"),
            ("starts on", "starts", "start", "start date", "from", "начало", "дата начала", "с", "действует с"),
            True,
        ),
        Column(
            "ends_on",
            _("Ends on"),
            (
                "ends on",
                "ends",
                "end",
                "end date",
                "to",
                "until",
                "окончание",
                "конец",
                "дата окончания",
                "по",
                "до",
                "действует по",
                "действует до",
            ),
        ),
        Column(
            "release",
            _("Installed release"),
            (
                "installed release",
                "release",
                "version",
                "installed version",
                "release version",
                "installed release version",
                "установленная версия",
                "версия",
                "релиз",
            ),
        ),
    ),
    ImportRun.Kind.CONTACTS: (
        COMPANY,
        Column(
            "email",
            _("E-mail"),
            ("e mail", "email", "mail", "e mail address", "почта", "электронная почта", "адрес почты", "эл. почта"),
            True,
        ),
        Column("full_name", _("Full name"), ("full name", "name", "имя", "фио", "полное имя", "имя и фамилия"), True),
        Column("position", pgettext_lazy("person", "Position"), ("position", "job title", "title", "должность")),
        Column("phone", _("Phone"), ("phone", "phone number", "телефон")),
        LANGUAGE,
        Column(
            "responsible",
            _("Responsible contact (yes/no)"),
            (
                "responsible contact (yes/no)",
                "responsible",
                "responsible contact",
                "responsible yes/no",
                "ответственное лицо (да/нет)",
                "ответственное лицо",
                "ответственный",
                "ответственное",
            ),
        ),
        Column(
            "since",
            _("Responsible from"),
            (
                "responsible from",
                "from",
                "since",
                "from when",
                "responsible since",
                "ответственное лицо с",
                "ответственный с",
                "с",
                "с какого дня",
                "с даты",
            ),
        ),
    ),
}
REASON_NAMES = ("reason", "причина")


def plain(heading: str) -> str:
    """A heading as headings are compared: no case, no double spaces, underscores and hyphens as spaces, ё as е."""
    words = re.sub(r"[\s_\-‑–]+", " ", heading.replace("\ufeff", "")).strip(" *:").casefold()
    return words.replace("ё", "е")


def column_of(kind: str, heading: str) -> str:
    """The code of the column that this heading names, "" for one that is not known."""
    return _names_of(kind).get(plain(heading), "")


@cache
def _names_of(kind: str) -> dict[str, str]:
    """Every name of the kind's columns with its code: our headings in each language, so that our files come back."""
    known = {}
    for column in COLUMNS[kind]:
        for name in (column.code, *column.names, *_in_each_language(column.label)):
            known[plain(name)] = column.code
    for name in (*REASON_NAMES, *_in_each_language(REASON_LABEL)):
        known[plain(name)] = REASON
    return known


def _in_each_language(label: str | Promise) -> list[str]:
    headings = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            headings.append(str(label))
    return headings


def label_of(kind: str, code: str) -> str:
    """The heading of a column in the active language; the code itself for what is no column."""
    return next((str(column.label) for column in COLUMNS[kind] if column.code == code), code)


def labels_of(kind: str, codes: Iterable[str]) -> str:
    """Headings in a sentence: “Company”, “Cost, EUR”."""
    return quoted(label_of(kind, code) for code in codes)


def quoted(names: Iterable[str]) -> str:
    """Names one after the other, each in the quotation marks of the active language."""
    return ", ".join(gettext("“%(name)s”") % {"name": name} for name in names)
