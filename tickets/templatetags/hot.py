"""Fragments of the fast engine (helpdesk/hot.py) within Django's templates."""

from functools import partial
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.addresses import sprite
from accounts.fragments import fragment
from sla.templatetags.clock import chip, lane, when
from tickets.templatetags.queue import queue_rows

register = template.Library()


@register.simple_tag(takes_context=True)
def hot(context: template.Context, name: str, **given: Any) -> SafeString:
    """`templates/hot/NAME.html` with everything that stands in the context, as an `include` has it.

    Besides: `csrf`, the hidden field of a form, `icons`, the address of the sprite, and `when`, `chip`, `lane` and
    `queue_rows` as the tags of these names. A name that may be missing has to be given: the engine takes a missing one
    for a mistake.
    """
    told: Any = context.flatten()
    told.update(
        given,
        when=partial(when, context),
        chip=partial(chip, context),
        lane=partial(lane, context),
        queue_rows=partial(queue_rows, context),
        csrf=_csrf(context),
        icons=sprite(),
    )
    return fragment(name, told)


def _csrf(context: template.Context) -> SafeString:
    """Of one context always the same: a page has a dozen forms in several fragments."""
    kept: Any = context.render_context
    if "csrf" not in kept:
        token = context.get("csrf_token")
        field = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token) if token else ""
        kept["csrf"] = SafeString(field)
    return kept["csrf"]
