"""The forms of a ticket's moves before anything is written in them, drawn once for what they lean on.

A dozen of them lie in the menus of a ticket's page, and most look alike on every ticket: their fields cost the page an
eighth of its time. What differs with every look at the page, its hidden fields, is not kept.
"""

from typing import Any, NamedTuple

from django.utils.translation import get_language
from markupsafe import Markup

from accounts.fragments import macros
from tickets.forms.desk import TicketForm
from tickets.models import Ticket

AT_MOST = 2048  # of some 3 KB each

_kept: dict[tuple[Any, ...], "Blank"] = {}  # of the process


class Blank(NamedTuple):
    """An empty form: its hidden fields as (name, id), and the visible ones drawn."""

    hidden: tuple[tuple[str, str], ...]
    visible: Markup


def blank(form: type[TicketForm], ticket: Ticket, **asks: Any) -> Blank | None:
    """The empty form in the active language; None where it leans on more than can be told. `asks`: its arguments."""
    facts = form.leans_on(ticket, **asks)
    if facts is None:
        return None
    key = (get_language(), form, facts)
    found = _kept.get(key)
    if found is None:
        if len(_kept) >= AT_MOST:
            _kept.clear()
        found = _kept[key] = _drawn(form(ticket=ticket, **asks))
    return found


def _drawn(form: TicketForm) -> Blank:
    hidden = tuple((field.name, field.id_for_label) for field in form.hidden_fields())
    return Blank(hidden, macros("act").visible(form))
