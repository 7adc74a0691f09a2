"""The page's title says that a form was refused, whatever page it is (direction §11). Built into all templates."""

from typing import Any

from django import template
from django.forms import BaseForm
from django.template.base import NodeList, Parser, Token
from django.utils.translation import gettext as _

from accounts.refusals import Refused
from tickets.ticket_page import Sent

register = template.Library()


class TitleNode(template.Node):
    """`{% titled %}…{% endtitled %}`: what stands within, after "Error:" where the page gives a form back."""

    child_nodelists = ("nodelist",)

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: template.Context) -> str:
        title = self.nodelist.render(context)
        error = f"{_('Error')}: "
        return f"{error}{title}" if was_refused(context) and not title.startswith(error) else title


@register.tag
def titled(parser: Parser, token: Token) -> TitleNode:
    nodelist = parser.parse(("endtitled",))
    parser.delete_first_token()
    return TitleNode(nodelist)


def was_refused(context: template.Context) -> bool:
    """Whether what was sent is given back: a form with errors, or a rule's refusal, is among what the page shows."""
    request = context.get("request")
    if request is None or request.method != "POST":
        return False
    return any(_is_refused(value) for layer in context.dicts for value in layer.values())


def _is_refused(value: Any) -> bool:
    kind = type(value)  # not `isinstance`: it would ask what is lazy to be worked out
    if issubclass(kind, Refused | Sent):
        return True
    return issubclass(kind, BaseForm) and value.is_bound and bool(value.errors)
