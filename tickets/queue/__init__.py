"""The engineers' queue: its addresses, what is in it, its rows, its tabs, and how many there are (direction §5)."""

from tickets.queue.address import PAGE, Queue
from tickets.queue.glance import Glance, capped, glance
from tickets.queue.pages import (
    Group,
    Page,
    count_groups,
    grouped,
    horizon,
    nearest_due,
    next_to_take,
    page_key,
    page_of,
    takeable,
    tickets_of,
)
from tickets.queue.rows import Row, row, row_words, rows_of
from tickets.queue.tabs import Tab, tabs

__all__ = [
    "PAGE",
    "Glance",
    "Group",
    "Page",
    "Queue",
    "Row",
    "Tab",
    "capped",
    "count_groups",
    "glance",
    "grouped",
    "horizon",
    "nearest_due",
    "next_to_take",
    "page_key",
    "page_of",
    "row",
    "row_words",
    "rows_of",
    "tabs",
    "takeable",
    "tickets_of",
]
