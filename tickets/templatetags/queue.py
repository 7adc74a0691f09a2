"""Rows of the queue, drawn by the fast engine (Jinja2): 50 of them cost a page a millisecond instead of seven."""

from collections.abc import Iterable
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import quote

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from markupsafe import Markup, escape

from accounts.addresses import address, sprite
from accounts.fragments import macros
from tickets.forecasting import Shown
from tickets.queue.rows import Row, row_words

register = template.Library()

_FIELDS = (
    *("number", "subject", "language", "priority", "priority_label", "state_label", "customer", "package"),
    *("package_code", "assignee", "initials", "by", "unread"),
)
_still = attrgetter(*_FIELDS)


class Still(NamedTuple):
    """What of a row does not change by itself from second to second: all but its chip. In words of one language."""

    number: int
    subject: str
    language: str
    priority: int
    priority_label: str
    state_label: str
    customer: str
    package: str
    package_code: str
    assignee: str
    initials: str
    by: str
    unread: bool
    is_open: bool
    mark: str
    verdict: str
    sentence: str
    reason: str


class Around(NamedTuple):
    """What a list gives to each of its rows, escaped; `changed` where they replace themselves."""

    base: Markup
    query: Markup
    changed: bool
    icons: Markup


@lru_cache(maxsize=4096)  # of some 2 KB each: rows are looked at again and again while nothing happens to them
def _around_chip(_language: str | None, row: tuple[Any, ...], around: Around) -> tuple[Markup, Markup]:
    drawn = macros("row")
    page = {**around._asdict(), "w": row_words()}
    return drawn.before(Still._make(row), page), drawn.after(Still._make(row), page)


@register.simple_tag(takes_context=True)
def queue_rows(context: template.Context, rows: Iterable[Row], changed: bool = False) -> SafeString:
    """Rows of a list: `from` and `open_number` are the page's; `changed` where they replace themselves."""
    tail = context.get("from", "")
    query = f"?from={quote(tail, safe='')}" if tail else ""
    icons = escape(sprite())
    around = Around(escape(address("desk:queue") + "t/"), escape(query), changed, icons)
    language, opened, draw = get_language(), context.get("open_number"), macros("chip").draw
    known: dict[Shown | None, tuple[str, str, str, str]] = {None: ("", "", "", "")}
    drawn: list[str] = []
    for row in rows:
        if row.forecast not in known:
            known[row.forecast] = _foretold(row.forecast)
        still = (*_still(row), row.number == opened, *known[row.forecast])
        first, last = _around_chip(language, still, around)
        drawn += (first, draw(row.chip, icons), last, "\n")
    return mark_safe("".join(drawn))  # of what the engine has escaped


def _foretold(told: Shown | None) -> tuple[str, str, str, str]:
    return (told.mark, told.verdict, told.sentence, told.reason) if told and told.mark else ("", "", "", "")


@register.simple_tag(takes_context=True)
def queue_row(context: template.Context, row: Row, changed: bool = False) -> SafeString:
    """One row, as `queue_rows` draws it."""
    return queue_rows(context, [row], changed)


@register.inclusion_tag("sla/_chip.html")
def chip_of_row(row: Row, big: bool = False) -> dict[str, Any]:
    """The chip of a row at hand; big where it stands beside the list."""
    return {**row.chip, "big": big}
