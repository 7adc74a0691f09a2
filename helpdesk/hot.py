"""The fast engine (Jinja2) for what stands many times on a page: rows, messages, forms of the moves (templates/hot/).

Its templates say `{% translate "…" %}` and `{% translate "…" context "…" %}` as Django's do, so that `makemessages`
and the test of the catalogue find their words. The engine escapes everything; none of its templates has `|safe`.
"""

from typing import Any

from django.template.defaultfilters import capfirst, filesizeformat, linebreaks_filter, linebreaksbr, urlize
from django.utils.translation import get_language, gettext, pgettext
from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup

from accounts.addresses import address
from sla.templatetags.clock import moment, moscow
from tickets.templatetags.tickets import icon, line, priority


class Translate(Extension):
    """The tag `translate` with a text in quotes, and with a context where the text has one."""

    tags = {"translate"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        said: list[nodes.Expr] = [nodes.Const(parser.stream.expect("string").value)]
        if parser.stream.skip_if("name:context"):
            said.insert(0, nodes.Const(parser.stream.expect("string").value))
        return nodes.Output([self.call_method("words", said)]).set_lineno(line)

    def words(self, *said: str) -> Markup:
        """A text of the catalogue, which is ours and not escaped: as Django's tag has it."""
        return Markup(pgettext(*said) if len(said) == 2 else gettext(*said))


def environment(**options: Any) -> Environment:
    """What Django's backend asks for: the engine with our addresses, icons and words."""
    made = Environment(**options, extensions=[Translate])
    made.globals.update(url=address, icon=icon, line=line, priority=priority, language=get_language, _=gettext)
    made.filters.update(
        capfirst=capfirst,
        filesizeformat=filesizeformat,
        linebreaks=linebreaks_filter,
        linebreaksbr=linebreaksbr,
        moment=moment,
        moscow=moscow,
        urlize=urlize,
    )
    return made
