"""The forms of a ticket's moves before anything is written in them, drawn once for what they lean on.

A dozen of them lie in the menus of a ticket's page, and most look alike on every ticket: their fields cost the page an
eighth of its time. What differs with every look at the page, its hidden fields, is not kept.
"""

from typing import Any, NamedTuple

from django.utils.translation import get_language
from markupsafe import Markup, escape

from accounts.fragments import macros
from accounts.said_once import said_once
from tickets.forms.desk import MessageForm, TicketForm, new_key
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


# The composer, in which nothing was refused


class BlankField(NamedTuple):
    """A field of the composer, drawn."""

    id_for_label: str
    label: str
    drawn: Markup
    errors: tuple[str, ...] = ()

    def __html__(self) -> Markup:
        return self.drawn


class BlankComposer(NamedTuple):
    """What `hot/composer.html` asks of a `MessageForm` that nobody has sent."""

    body: BlankField
    key: BlankField
    attachments: BlankField
    is_bound: bool = False
    files: None = None
    errors: tuple[str, ...] = ()


HERE = "\ue000"  # stands where a value will; nobody types it


def blank_composer(body: str) -> BlankComposer:
    """The composer with the text that was begun, and a key of its own."""
    text, key, attachments = _composer()
    return BlankComposer(_with(text, body), _with(key, new_key()), attachments)


@said_once(8)
def _composer() -> tuple[BlankField, BlankField, BlankField]:
    form = MessageForm(ticket=Ticket(), initial={"body": HERE, "key": HERE})
    fields = (form[name] for name in ("body", "key", "attachments"))
    text, key, attachments = (BlankField(of.id_for_label, str(of.label), Markup(str(of))) for of in fields)
    return text, key, attachments


def _with(field: BlankField, value: str) -> BlankField:
    return field._replace(drawn=field.drawn.replace(HERE, escape(value)))
