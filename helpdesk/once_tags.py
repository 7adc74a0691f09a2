"""The tag `once` of every template: what no reader, no page and no hour changes is put together once in each language.

A builtin of the engine (settings). `{% once %}…{% endonce %}` holds texts, constant words, addresses, files and icons
only; anything else is refused when the template is compiled, so no reader's page can have a thing of another's.
"""

from django import template
from django.template.base import FilterExpression, Node, NodeList, Parser, TextNode, Token, Variable
from django.template.defaulttags import CommentNode, LoadNode
from django.template.library import SimpleNode
from django.templatetags.static import StaticNode
from django.urls import get_script_prefix
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from helpdesk.address_tags import AddressNode
from helpdesk.word_tags import ConstantNode
from sla.templatetags.clock import clock_units
from tickets.templatetags.tickets import icon

register = template.Library()

CONSTANT_TAGS = (icon, clock_units)  # simple tags that answer by their arguments and the language alone


class OnceNode(Node):
    """What stands in it, by the language, the place of the site, and whether the template escapes."""

    child_nodelists = ("nodelist",)

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist
        self.known: dict[tuple[str | None, str, bool], SafeString] = {}

    def render(self, context: template.Context) -> SafeString:
        key = get_language(), get_script_prefix(), context.autoescape
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = self.nodelist.render(context)
        return found


@register.tag
def once(parser: Parser, token: Token) -> OnceNode:
    """Raises `TemplateSyntaxError` for anything that is not the same for everybody."""
    nodelist = parser.parse(("endonce",))
    parser.delete_first_token()
    for node in nodelist:
        if not _is_constant(node):
            what = node.token.contents if node.token else type(node).__name__
            raise template.TemplateSyntaxError(f"“once” holds what never changes; this may: {what}")
    return OnceNode(nodelist)


def _is_constant(node: Node) -> bool:
    if isinstance(node, ConstantNode):
        return not node.name
    if isinstance(node, AddressNode):
        return all(_is_text(one) for one in (node.view_name, *node.args))
    if isinstance(node, StaticNode):
        return node.varname is None and _is_text(node.path)
    if isinstance(node, SimpleNode):
        return node.func in CONSTANT_TAGS and not node.target_var and all(map(_is_text, node.args)) and not node.kwargs
    return isinstance(node, TextNode | CommentNode | LoadNode)


def _is_text(expression: FilterExpression) -> bool:
    """Whether it is a text in quotes without filters."""
    told = expression.var.literal if isinstance(expression.var, Variable) else expression.var
    return isinstance(told, str | int) and not expression.filters
