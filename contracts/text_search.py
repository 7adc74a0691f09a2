"""How a person's words become a query of the text search (contracts/migrations/0011_search_text.py).

What a person may type: words, numbers, addresses, versions, "a phrase", -without. Nothing that is typed is an error.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db import connection
from django.db.models import Lookup

LONGEST = 300  # characters of a query that are read: more than a line of a log, less than a log
MOST_TERMS = 16
TERM = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"?|«(?P<quoted>[^»]*)»?|(?P<word>[^\s"«]+))')
# Also halves of surrogate pairs: an address can carry them, no text of the database can.
CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

LATIN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`" + 'QWERTYUIOP{}ASDFGHJKL:"ZXCVBNM<>~'
CYRILLIC = "йцукенгшщзхъфывапролджэячсмитьбюё" + "ЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮЁ"
TO_CYRILLIC = str.maketrans(LATIN, CYRILLIC)
TO_LATIN = str.maketrans(CYRILLIC, LATIN)


@dataclass(frozen=True)
class Asked:
    """What was asked for: every term of `terms`, none of `without`; as it was typed in `text`."""

    text: str
    terms: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def with_term(self, old: str, new: str) -> "Asked":
        """The same with one word written otherwise."""
        terms = tuple(new if term == old else term for term in self.terms)
        return replace(self, text=self.text.replace(old, new), terms=terms)


def cleaned(text: str) -> str:
    """What was typed, as far as it is read; what no text can hold is a space."""
    return CONTROL.sub(" ", text[:LONGEST]).strip()


def read(text: str) -> Asked:
    """Reads what was typed. Control characters are spaces; what is beyond a query's length is left out."""
    text = cleaned(text)
    terms: list[str] = []
    without: list[str] = []
    for found in TERM.finditer(text):
        term = (found["phrase"] or found["quoted"] or found["word"] or "").strip()
        if any(sign.isalnum() for sign in term):
            (without if found["minus"] else terms).append(term.strip(".,;:!?()[]{}"))
    return Asked(text, tuple(terms[:MOST_TERMS]), tuple(without[:MOST_TERMS]))


def in_other_layout(text: str) -> str:
    """The same keys on the other keyboard: ghbdtn is привет. "" where the letters are of both alphabets."""
    latin, cyrillic = re.search("[a-z]", text, re.IGNORECASE), re.search("[а-яё]", text, re.IGNORECASE)
    if latin and not cyrillic:
        return text.translate(TO_CYRILLIC)
    if cyrillic and not latin:
        return text.translate(TO_LATIN)
    return ""


def prepare(asked: Asked, *, begins: bool = False, inner_too: bool = False) -> str:
    """The query in PostgreSQL's text form; "" where nothing is left to look for. One statement.

    `begins`: the last word may be only the beginning of one, as while somebody types. `inner_too`: words of internal
    notes count too, for the vendor's people only.
    """
    if not asked.terms:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT search_query(%s::text[], %s::text[], %s, %s)::text",
            [list(asked.terms), list(asked.without), begins, inner_too],
        )
        return cursor.fetchone()[0]


def weighted(query: str, weight: str) -> str:
    """The prepared query, fulfilled by words of one weight only (A to D, as the document was written)."""
    return re.sub(r"('(?:[^']|'')+')(:\*)?", lambda term: f"{term[1]}:{'*' if term[2] else ''}{weight}", query)


@SearchVectorField.register_lookup
class Finds(Lookup):
    """`filter(document__finds=query)` with a query that `prepare` made: Django's own would read it as words again."""

    lookup_name = "finds"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        document, of_document = self.process_lhs(compiler, connection)
        query, of_query = self.process_rhs(compiler, connection)
        return f"{document} @@ {query}::tsquery", (*of_document, *of_query)


# What was found, shown


@dataclass(frozen=True)
class Piece:
    """A piece of a text as it is shown: marked where the query found it."""

    text: str
    marked: bool = False


@lru_cache(maxsize=64)  # a page asks of each of its texts
def _stem_pattern(query: str) -> "re.Pattern[str] | None":
    """Words that the lexemes of a prepared query stand for, near enough to mark them."""
    alternatives = set()
    for lexeme in re.findall(r"'((?:[^']|'')+)'", query.split("!")[0]):
        plain = re.escape(lexeme.lstrip("~").replace("''", "'"))
        if plain == "йти":
            plain = "(?:[а-яё]*(?:йти|шел|шла|шло|шли)|идти)"
        # A fleeting vowel and ё come back: ошибк is also in «ошибок», письм in «писем», счет in «счёт».
        plain = re.sub(r"([а-я])ь?([кцнмлрг])$", r"\1ь?[оеё]?\2", plain)
        plain = plain.replace("е", "[её]").replace("[о[её]ё]", "[оеё]")
        alternatives.add(plain)
    if not alternatives:
        return None
    longest_first = sorted(alternatives, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(longest_first)})\w*", re.IGNORECASE)


def marked(text: str, query: str, *, around: int = 0) -> list[Piece]:
    """`text` in pieces, with what a prepared `query` finds marked.

    With `around` only that many characters before and after the first find, cut at words; nothing found: its start.
    """
    pattern = _stem_pattern(query)
    first = pattern.search(text) if pattern else None
    if around:
        middle = first.start() if first else 0
        start, end = max(0, middle - around), min(len(text), middle + around * 2)
        if start:
            start = text.find(" ", start, middle) + 1 or start
        if end < len(text):
            end = max(text.rfind(" ", middle + 1, end), middle + around)
        text = ("…" if start else "") + text[start:end].strip() + ("…" if end < len(text) else "")
    text = " ".join(text.split())
    pieces: list[Piece] = []
    place = 0
    for found in pattern.finditer(text) if pattern else ():
        pieces += [Piece(text[place : found.start()]), Piece(found[0], marked=True)]
        place = found.end()
    return [piece for piece in [*pieces, Piece(text[place:])] if piece.text]


def finds(text: str, query: str) -> bool:
    """Whether something of a prepared query can be marked in the text."""
    pattern = _stem_pattern(query)
    return bool(pattern and pattern.search(text))
