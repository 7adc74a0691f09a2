"""The library `i18n` of every template: Django's, but a constant text is looked up once in each language.

Settings put it in the place of Django's, so that `{% load i18n %}` and `makemessages` stay as they are.
"""

from typing import Any

from django import template
from django.template.base import FilterExpression, Parser, Token, Variable
from django.templatetags import i18n
from django.templatetags.i18n import TranslateNode
from django.utils.translation import get_language

register = template.Library()
register.tags.update(i18n.register.tags)
register.filters.update(i18n.register.filters)


class ConstantNode(TranslateNode):
    """`{% translate "…" %}` with a text that stands in the template; a page of the desk has 130 of them.

    Django makes a lazy string of it, translates and escapes it every time, some ten times as dear. Kept are the words
    by the language they are in and whether the template escapes: nothing else goes into them, so no reader's page
    can have a word of another's.
    """

    def __init__(self, node: TranslateNode) -> None:
        super().__init__(node.filter_expression, node.noop, None, node.message_context)
        self.name = node.asvar
        self.known: dict[tuple[str | None, bool], str] = {}

    def render(self, context: Any) -> str:
        key = get_language(), context.autoescape
        words = self.known.get(key)
        if words is None:
            words = self.known[key] = super().render(context)
        if self.name:
            context[self.name] = words
            return ""
        return words


@register.tag("translate")
@register.tag("trans")
def translate(parser: Parser, token: Token) -> TranslateNode:
    node = i18n.do_translate(parser, token)
    constant = _is_constant(node.filter_expression) and _is_constant(node.message_context)
    return ConstantNode(node) if constant else node


def _is_constant(expression: FilterExpression | None) -> bool:
    """Whether it is a text in quotes without filters; no expression is one, too."""
    if expression is None:
        return True
    text = expression.var.literal if isinstance(expression.var, Variable) else expression.var
    return isinstance(text, str) and not expression.filters
