"""What the scripts of the workspace are given: the table of keys, and the words that live.js says."""

from functools import lru_cache
from typing import Any

from django import template
from django.urls import get_script_prefix, reverse
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import keys

register = template.Library()


@register.simple_tag(takes_context=True)
def workspace_settings(context: template.Context) -> SafeString:
    """A data block that scripts read (`application/json`: the strict policy lets no code in)."""
    user = context.get("user")
    if not isinstance(user, User) or not user.is_vendor:
        return SafeString("")
    reader = keys.Reader(user.single_keys, user.works_at_desk, user.sees_board)
    return _written(get_language(), get_script_prefix(), reader)


@lru_cache(maxsize=64)
def _written(_language: str | None, _prefix: str, reader: keys.Reader) -> SafeString:
    """Kept by language, place of the site and what it asks of a reader: 1 to 2 ms of each page."""
    settings: dict[str, Any] = {"keys": keys.for_browser(reader)}
    if reader.works_at_desk:
        settings["live"] = live_words()
    return json_script(settings, "workspace")


def forms(one: str, many: str) -> list[str]:
    """The forms of a counted phrase for 1, 2 and 5; the browser chooses, by its `Intl.PluralRules`."""
    return [ngettext(one, many, number).replace("%(n)d", "{n}") for number in (1, 2, 5)]


def live_words() -> dict[str, Any]:
    return {
        "stream": reverse("live"),
        "desk": reverse("desk:queue"),
        "late": forms("%(n)d overdue", "%(n)d overdue"),
        "new": forms("%(n)d new", "%(n)d new"),
        "sooner": forms("%(n)d more urgent", "%(n)d more urgent"),
        "left": forms("%(n)d has left the list", "%(n)d have left the list"),
        "moved": _("The order has changed"),
        "unread": forms("%(n)d new message", "%(n)d new messages"),
        "message": _("New message: {name}"),
        "left15": _("15 minutes left: {promise}"),
        "left0": _("Time is up: {promise}"),
        "looking": [_("{name} is looking"), _("{name} are looking")],
        "writing": [_("{name} is writing"), _("{name} are writing")],
        "gone": _("not in this list any more"),
    }
