"""Rows of the queue, drawn by the fast engine (Jinja2): 50 of them cost a page a millisecond instead of seven."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import quote

from django import template
from django.utils.safestring import SafeString, mark_safe
from markupsafe import Markup, escape

from accounts.addresses import address, sprite
from accounts.fragments import macros
from sla.templatetags.clock import chip_drawn
from tickets.forecasting import Shown
from tickets.queue.rows import Row, row_words

register = template.Library()

_FIELDS = (
    *("number", "subject", "language", "priority", "priority_label", "state_label", "customer", "package"),
    *("package_code", "assignee", "initials", "unread"),
)
_facts = attrgetter(*_FIELDS)
PICTURES = 8  # of one row are kept: in so many lists, or with so many forecasts


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
    unread: bool
    by: str
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


def _around_chip(row: Row, around: Around, *besides: Any) -> tuple[Markup, Markup]:
    """What stands before and after the chip; kept with the facts of the row, which are of one language."""
    kept = row.facts.pictures
    key = (around, row.by, *besides)
    found = kept.get(key)
    if found is None:
        if len(kept) >= PICTURES:
            kept.clear()
        still, page = Still._make((*_facts(row.facts), row.by, *besides)), {**around._asdict(), "w": row_words()}
        found = kept[key] = macros("row").before(still, page), macros("row").after(still, page)
    return found


@register.simple_tag(takes_context=True)
def queue_rows(context: template.Context, rows: Iterable[Row], changed: bool = False) -> SafeString:
    """Rows of a list: `from` and `open_number` are the page's; `changed` where they replace themselves."""
    tail = context.get("from", "")
    query = f"?from={quote(tail, safe='')}" if tail else ""
    icons = escape(sprite())
    around = Around(escape(address("desk:queue") + "t/"), escape(query), changed, icons)
    opened = context.get("open_number")
    known: dict[Shown | None, tuple[str, str, str, str]] = {None: ("", "", "", "")}
    drawn: list[str] = []
    for row in rows:
        if row.forecast not in known:
            known[row.forecast] = _foretold(row.forecast)
        first, last = _around_chip(row, around, row.facts.number == opened, *known[row.forecast])
        drawn += (first, chip_drawn(row.chip, icons), last, "\n")
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
