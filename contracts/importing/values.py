"""Cells as values. Nothing is guessed: what reads in two ways is refused with a sentence that says how to write it.

Pure but for the words. Every function takes the text of a cell that is not empty and raises `Unclear`.
"""

import re
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_noop

from contracts.models import Deployment

SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u202f]+")
ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#ССЫЛКА!", "#Н/Д", "#ЗНАЧ!"})
UNCOUNTED = "#FORMULA?"  # what `reading` puts where a formula has no counted value

FIRST_YEAR, LAST_YEAR = 1990, 2200
MOST = Decimal("9999999999.99")  # what the register holds: 12 digits, 2 of them decimals
MOST_USERS = 2_147_483_647

PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]{1,2})?")
SPACED = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]{1,2})?")
ENGLISH = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,2}|[0-9]{1,3}(?:,[0-9]{3}){2,}")
GERMAN = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,2}|[0-9]{1,3}(?:\.[0-9]{3}){2,}")
TWO_WAYS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
MANY_DECIMALS = re.compile(r"[0-9][0-9 ,]*\.[0-9]{3,}|[0-9][0-9 .]*,[0-9]{3,}")

ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]00:00(?::00)?)?")
DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")

YES = frozenset({"yes", "y", "true", "1", "+", "да", "истина"})
NO = frozenset({"no", "n", "false", "0", "-", "–", "—", "нет", "ложь"})
LANGUAGES = {
    "ru": {"ru", "rus", "russian", "русский", "рус"},
    "en": {"en", "eng", "english", "английский", "англ"},
}
DEPLOYMENTS = {
    Deployment.ON_SITE: {"on-site", "on site", "onsite", "on_site", "on-premise", "on-premises", "локально"},
    Deployment.ON_DEMAND: {"on-demand", "on demand", "ondemand", "on_demand", "cloud", "облако", "saas"},
}


class Unclear(Exception):
    """A cell cannot be read. `text` is a msgid, `values` go into it."""

    def __init__(self, text: str, **values: Any) -> None:
        super().__init__(text)
        self.text, self.values = text, values


def text(cell: str, *, at_most: int) -> str:
    """Words in one line; raises `Unclear` where they are longer than the register holds."""
    words = SPACES.sub(" ", cell).strip()
    if words in ERRORS:
        raise Unclear(gettext_noop("The cell holds the error %(cell)s of a formula, not a value."), cell=words)
    if words == UNCOUNTED:
        raise Unclear(
            gettext_noop(
                "The cell holds a formula whose value is not in the file: open the file in a spreadsheet and save it, "
                "or paste the value."
            )
        )
    if len(words) > at_most:
        raise Unclear(
            gettext_noop("%(length)d characters are too many: at most %(limit)d."), length=len(words), limit=at_most
        )
    return words


def shown(cell: str) -> str:
    """A cell as it may stand in a sentence."""
    return cell if len(cell) <= 60 else f"{cell[:59]}…"


def money(cell: str) -> Decimal:
    """An amount of EUR, not negative, in whole cents: 38400 · 38400.00 · 38 400,00 · 38,400.00 · 38.400,00 (§1.1)."""
    words = text(cell, at_most=200)
    bare = re.sub(r"^(?:€|EUR)\s*|\s*(?:€|EUR|евро)$", "", words, flags=re.IGNORECASE).replace("'", " ")
    if re.fullmatch(r"(?:[-−–]\s*(?:€\s*)?|\()[0-9][0-9 .,]*\)?", bare):
        raise Unclear(gettext_noop("“%(cell)s” is negative: a cost is not."), cell=shown(words))
    if TWO_WAYS.fullmatch(bare):
        raise Unclear(
            gettext_noop(
                "“%(cell)s” can be read as thousands or as three decimals. A cost is counted in whole cents, with at "
                "most two decimals: write 38400.00."
            ),
            cell=shown(words),
        )
    if GERMAN.fullmatch(bare) or (PLAIN.fullmatch(bare) and "," in bare):
        digits = bare.replace(".", "").replace(",", ".")
    elif SPACED.fullmatch(bare):
        digits = bare.replace(" ", "").replace(",", ".")
    elif ENGLISH.fullmatch(bare) or PLAIN.fullmatch(bare):
        digits = bare.replace(",", "")
    elif MANY_DECIMALS.fullmatch(bare):
        raise Unclear(
            gettext_noop(
                "“%(cell)s” has more than two decimals: a cost is counted in whole cents, nothing is rounded here."
            ),
            cell=shown(words),
        )
    else:
        raise Unclear(gettext_noop("“%(cell)s” is not an amount: write 38400.00 or 38 400,00."), cell=shown(words))
    if len(digits) > 30 or Decimal(digits) > MOST:
        raise Unclear(
            gettext_noop("“%(cell)s” is more than the register holds: at most 9,999,999,999.99."), cell=shown(words)
        )
    return Decimal(digits).quantize(Decimal("0.01"))


def users(cell: str) -> int:
    """How many users a licence is for: a whole number from 1."""
    words = text(cell, at_most=200)
    digits = words.replace(" ", "")
    if not re.fullmatch(r"[0-9]{1,10}", digits) or not 1 <= int(digits) <= MOST_USERS:
        raise Unclear(
            gettext_noop("“%(cell)s” is not a number of users: write a whole number from 1."), cell=shown(words)
        )
    return int(digits)


def day(cell: str) -> date:
    """A day: 2026-01-31, 31.01.2026, or a date of the spreadsheet."""
    words = text(cell, at_most=200)
    if found := ISO.fullmatch(words):
        year, month, number = (int(part) for part in found.groups())
    elif found := DOTTED.fullmatch(words):
        number, month, year = (int(part) for part in found.groups())
    else:
        raise Unclear(gettext_noop("“%(cell)s” is not a date: write 2026-01-31 or 31.01.2026."), cell=shown(words))
    try:
        read = date(year, month, number)
    except ValueError:
        raise Unclear(gettext_noop("There is no such day: “%(cell)s”."), cell=shown(words)) from None
    if not FIRST_YEAR <= read.year <= LAST_YEAR:
        raise Unclear(
            gettext_noop("The year %(year)d is not one of a licence: from %(first)d to %(last)d."),
            year=read.year,
            first=FIRST_YEAR,
            last=LAST_YEAR,
        )
    return read


def deployment(cell: str) -> Deployment:
    words = text(cell, at_most=200)
    for value, names in DEPLOYMENTS.items():
        if words.casefold() in names:
            return value
    raise Unclear(gettext_noop("“%(cell)s” is not a deployment: write on-site or on-demand."), cell=shown(words))


def language(cell: str) -> str:
    """`ru` or `en`."""
    words = text(cell, at_most=200)
    for value, names in LANGUAGES.items():
        if words.casefold() in names:
            return value
    raise Unclear(gettext_noop("“%(cell)s” is not a language of ours: write ru or en."), cell=shown(words))


def time_zone(cell: str) -> str:
    words = text(cell, at_most=200)
    if words not in _time_zones():
        raise Unclear(
            gettext_noop("There is no time zone named “%(cell)s”: write one like Europe/Moscow."), cell=shown(words)
        )
    return words


@cache
def _time_zones() -> frozenset[str]:
    """Read once: the standard library walks the whole tz database each time that it is asked."""
    return frozenset(available_timezones())


def yes_or_no(cell: str) -> bool:
    words = text(cell, at_most=200)
    if words.casefold() in YES:
        return True
    if words.casefold() in NO:
        return False
    raise Unclear(gettext_noop("“%(cell)s” is neither yes nor no."), cell=shown(words))


def address(cell: str) -> str:
    """An e-mail address, in small letters."""
    words = text(cell, at_most=254)
    try:
        validate_email(words)
    except ValidationError:
        raise Unclear(gettext_noop("“%(cell)s” is not an e-mail address."), cell=shown(words)) from None
    return words.lower()
