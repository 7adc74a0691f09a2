"""Fragments of the fast engine (helpdesk/hot.py) within Django's templates."""

from functools import partial
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from markupsafe import escape

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


_tops: dict[tuple[Any, ...], str] = {}  # of the process: one for each person and section, some 6 KB each
TOPS_KEPT = 512
CSRF, PATH = "\0csrf\0", "\0path\0"  # where the two go that are other ones with each page: no text has a NUL


@register.simple_tag(takes_context=True)
def top(context: template.Context) -> SafeString:
    """`templates/hot/top.html`, drawn once for all that it shows of a person, of the sections and of their counts."""
    request, user, frame = (context.get(name) for name in ("request", "user", "frame"))
    if request is None or user is None or not user.is_authenticated or not frame:
        return hot(context, "top", end=False, request=request, user=user, frame=frame)
    sections = (tuple(item.values()) for item in frame["nav"])
    shown = user.full_name, user.initials, user.role, user.is_vendor, user.single_keys
    key = (get_language(), sprite(), *shown, len(frame["nav_more"]), *sections)
    drawn = _tops.get(key)
    if drawn is None:
        if len(_tops) >= TOPS_KEPT:
            _tops.clear()
        told = {"end": False, "user": user, "frame": frame, "icons": sprite(), "csrf": mark_safe(CSRF)}  # a hole
        drawn = _tops[key] = fragment("top", told | {"request": _Somewhere()})
    # The engine has escaped what it drew.
    return mark_safe(drawn.replace(CSRF, _csrf(context)).replace(PATH, escape(request.get_full_path())))


class _Somewhere:
    """The request of a page that is drawn for all pages."""

    def get_full_path(self) -> str:
        return PATH


def _csrf(context: template.Context) -> SafeString:
    """Of one context always the same: a page has a dozen forms in several fragments."""
    kept: Any = context.render_context
    if "csrf" not in kept:
        token = context.get("csrf_token")
        field = format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', token) if token else ""
        kept["csrf"] = SafeString(field)
    return kept["csrf"]
