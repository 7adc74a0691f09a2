"""Rows of the queue, drawn by the fast engine (Jinja2): 50 of them cost a page a millisecond instead of seven."""

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString

from accounts.addresses import address, sprite
from accounts.fragments import fragment
from tickets.queue.rows import Row, row_words

register = template.Library()


@register.simple_tag(takes_context=True)
def queue_rows(context: template.Context, rows: Iterable[Row], changed: bool = False) -> SafeString:
    """Rows of a list: `from` and `open_number` are the page's; `changed` where they replace themselves."""
    tail = context.get("from", "")
    if "row_words" not in context.render_context:
        context.render_context["row_words"] = SimpleNamespace(
            **{name: escape(word) for name, word in row_words().items()}
        )
    page = SimpleNamespace(
        # Escaped once for the page and not with every row.
        base=escape(address("desk:queue") + "t/"),
        query=escape(f"?from={quote(tail, safe='')}" if tail else ""),
        open=context.get("open_number"),
        changed=changed,
        w=context.render_context["row_words"],
        icons=escape(sprite()),
    )
    return fragment("row", {"rows": rows, "page": page})


@register.simple_tag(takes_context=True)
def queue_row(context: template.Context, row: Row, changed: bool = False) -> SafeString:
    """One row, as `queue_rows` draws it."""
    return queue_rows(context, [row], changed)


@register.inclusion_tag("sla/_chip.html")
def chip_of_row(row: Row, big: bool = False) -> dict[str, Any]:
    """The chip of a row at hand; big where it stands beside the list."""
    return {**row.chip, "big": big}
