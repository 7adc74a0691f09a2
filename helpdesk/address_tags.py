"""The tag `url` of every template: Django's, but an address that was found once is remembered.

It is a builtin of the engine (settings), so that no template has to load it.
"""

from typing import Any

from django import template
from django.template.base import Parser, Token
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as djangos
from django.utils.html import conditional_escape

from accounts.addresses import address

register = template.Library()


class AddressNode(URLNode):
    """`{% url name … %}` that prints; with `as`, or with arguments by name, it is Django's own."""

    def render(self, context: template.Context) -> str:
        args = [one.resolve(context) for one in self.args]
        found = address(self.view_name.resolve(context), *args, under=_application(context))
        return conditional_escape(found) if context.autoescape else found


def _application(context: Any) -> str | None:
    """The `current_app` of the request, as Django's tag takes it."""
    request = getattr(context, "request", None)
    match = getattr(request, "resolver_match", None)
    return getattr(request, "current_app", getattr(match, "namespace", None))


@register.tag
def url(parser: Parser, token: Token) -> URLNode:
    node = djangos(parser, token)
    if node.asvar or node.kwargs:
        return node
    return AddressNode(node.view_name, node.args, node.kwargs, None)
