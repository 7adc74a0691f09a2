"""Fragments of pages that the fast engine draws (helpdesk/hot.py), in the active language."""

from collections.abc import Mapping
from typing import Any

from django.template import engines
from django.utils.safestring import SafeString, mark_safe


def fragment(name: str, told: Mapping[str, Any]) -> SafeString:
    """`templates/hot/NAME.html` with what is told."""
    engine: Any = engines["hot"]
    # The engine escapes; its templates have no |safe.
    return mark_safe(engine.env.spoken().get_template(f"hot/{name}.html").render(told))


def macros(name: str) -> Any:
    """The macros of `templates/hot/NAME.html`, to be called by name."""
    engine: Any = engines["hot"]
    return engine.env.spoken().get_template(f"hot/{name}.html").module
