"""The fast engine (Jinja2) for what stands many times on a page: rows, messages, forms of the moves (templates/hot/).

Its templates say `{% translate "…" %}` and `{% translate "…" context "…" %}` as Django's do, so that `makemessages`
and the test of the catalogue find their words. The engine escapes everything; none of its templates has `|safe`.
"""

from functools import lru_cache
from typing import Any

from django.template.defaultfilters import (
    capfirst,
    date,
    filesizeformat,
    linebreaks_filter,
    linebreaksbr,
    truncatechars,
    urlize,
)
from django.utils.translation import get_language, gettext, pgettext
from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from accounts.addresses import address
from sla.templatetags.clock import chip_drawn, moment, moscow
from tickets.templatetags.tickets import icon, line, priority

KEPT_UP_TO = 4096  # characters: a letter is shorter, a log is not looked at again and again


def told(text: str) -> Markup:
    """What somebody wrote, as paragraphs, with links where it names addresses. Once said it stays as it is."""
    return _told(text) if len(text) <= KEPT_UP_TO else _told.__wrapped__(text)


@lru_cache(maxsize=2048, typed=True)  # a text that is safe already is another one than the same letters
def _told(text: str) -> Markup:
    return Markup(linebreaks_filter(urlize(text, autoescape=True), autoescape=True))


class Translate(Extension):
    """The tag `translate` with a text in quotes, and with a context where the text has one."""

    tags = {"translate"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        said = [parser.stream.expect("string").value]
        if parser.stream.skip_if("name:context"):
            said.insert(0, parser.stream.expect("string").value)
        if self.environment.language is not None:  # type: ignore[attr-defined]
            return nodes.Output([nodes.TemplateData(self.words(*said))]).set_lineno(line)
        return nodes.Output([self.call_method("words", [nodes.Const(one) for one in said])]).set_lineno(line)

    def words(self, *said: str) -> Markup:
        """A text of the catalogue, which is ours and not escaped: as Django's tag has it."""
        return Markup(pgettext(*said) if len(said) == 2 else gettext(*said))


class Drawn(NodeTransformer):
    """Icons with a name in quotes, which no reader changes, are drawn when the template is compiled."""

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        name, args = node.node, node.args
        if isinstance(name, nodes.Name) and name.name == "icon" and len(args) == 1 and isinstance(args[0], nodes.Const):
            return nodes.Const(Markup(icon(args[0].value)), lineno=node.lineno, environment=node.environment)
        return self.generic_visit(node)


class Engine(Environment):
    """Jinja2, and for each language a sister of it in whose compiled templates the constant words stand as text."""

    language: str | None = None  # whose words; None: they are looked up each time

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._spoken: dict[str, Engine] = {}

    def spoken(self) -> "Engine":
        """The engine of the active language. Its templates are compiled while that language is active: here."""
        language = get_language()
        if language is None:
            return self
        if language not in self._spoken:
            sister: Any = self.overlay()
            sister.language = language
            self._spoken[language] = sister
        return self._spoken[language]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return Drawn().visit(super()._parse(source, name, filename))


def environment(**options: Any) -> Environment:
    """What Django's backend asks for: the engine with our addresses, icons and words."""
    made = Engine(**options, extensions=[Translate])
    made.globals.update(
        url=address, icon=icon, line=line, priority=priority, draw_chip=chip_drawn, language=get_language, _=gettext
    )
    made.filters.update(
        capfirst=capfirst,
        date=date,
        filesizeformat=filesizeformat,
        linebreaks=linebreaks_filter,
        linebreaksbr=linebreaksbr,
        moment=moment,
        moscow=moscow,
        told=told,
        truncatechars=truncatechars,
    )
    return made
