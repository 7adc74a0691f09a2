"""Markdown as safe HTML, and as the first plain words of a text. Pure."""

import html

import nh3
from markdown_it import MarkdownIt

# No raw HTML and no pictures: an article shows nothing from elsewhere.
READER = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
TAGS = {
    "p", "br", "hr", "h2", "h3", "h4", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "a",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def to_html(text: str) -> str:
    """Safe HTML: headings begin at the second level, links lead to http, https and mailto."""
    drawn = READER.render(text)
    for level in (3, 2, 1):
        drawn = drawn.replace(f"<h{level}>", f"<h{level + 1}>").replace(f"</h{level}>", f"</h{level + 1}>")
    return nh3.clean(
        drawn, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}, link_rel="noopener"
    )


def beginning(text: str, length: int = 240) -> str:
    """The first words of the text without its marks."""
    plain = " ".join(html.unescape(nh3.clean(READER.render(text), tags=set())).split())
    return plain if len(plain) <= length else plain[:length].rsplit(" ", 1)[0] + "…"
