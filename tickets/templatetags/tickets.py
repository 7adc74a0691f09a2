"""Marks of a ticket: the glyph of its priority, the circle of its line, a person's initials, an icon."""

import re
from functools import cache
from pathlib import Path

from django import template
from django.contrib.staticfiles import finders
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.addresses import sprite
from accounts.models import User
from accounts.said_once import said_once

register = template.Library()


@cache
def icon_names() -> frozenset[str]:
    """The names in the sprite `icons.svg`."""
    found = finders.find("icons.svg")
    if not isinstance(found, str):
        raise FileNotFoundError("icons.svg is not among the static files.")
    return frozenset(re.findall(r'<symbol id="([^"]+)"', Path(found).read_text(encoding="utf-8")))


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of the sprite, always beside words: `_icon.html`, forty times a page without a template's cost.

    Raises `ValueError` for a name that the sprite does not have.
    """
    return _drawn(name, sprite())


@cache
def _drawn(name: str, sprite: str) -> SafeString:
    if name not in icon_names():
        raise ValueError(f"icons.svg has no icon named {name!r}.")
    return format_html('<svg class="ic" aria-hidden="true"><use href="{}#{}"/></svg>', sprite, name)


@register.simple_tag
def priority(number: int) -> SafeString:
    """Priority 1 to 4 as a glyph whose weight is the urgency; never a colour: colour means time."""
    return _priority(number)


@said_once(16)
def _priority(number: int) -> SafeString:
    label = _("Priority %(number)d") % {"number": number}
    return format_html(
        '<span class="prio prio--{0}" title="{1}">'
        '<span class="sr">{1}</span><span aria-hidden="true">{0}</span></span>',
        number,
        label,
    )


@register.simple_tag
def line(number: int) -> SafeString:
    """A line of support as its number in a circle, a stop of the route."""
    return _line(number)


@said_once(16)
def _line(number: int) -> SafeString:
    label = _("Line %(number)d") % {"number": number}
    return format_html(
        '<span class="ln"><span class="sr">{}</span><span aria-hidden="true">{}</span></span>', label, number
    )


@register.inclusion_tag("tickets/_avatar.html")
def avatar(person: User | None, says: str = "") -> dict:
    """A person's initials, or a dashed frame for nobody.

    `says` is what a screen reader hears before the name ("Исполнитель"); without it the initials are silent, because
    the name stands beside them.
    """
    return {"person": person, "says": says}
