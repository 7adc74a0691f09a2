"""Readable text out of an HTML body, in time linear to its length. Pure."""

import re
from html import unescape

from mail.charsets import clean

MAX_TEXT = 1_000_000  # characters, of the text and of the HTML
_PARAGRAPHS = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "pre"}
_LINES = {"div", "tr", "li", "dt", "dd", "section", "article", "header", "footer", "address", "center", "caption"}
_DROPPED = {"script", "style", "title", "template", "object", "svg", "math", "iframe", "select", "textarea"}
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,20})")
_ATTRIBUTE = re.compile(r"""\b(href|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.I)
MAX_QUOTE_MARKS = 10


def html_to_text(html: str) -> str:
    """Readable text of an HTML body: paragraphs, lists, links as `text (address)`, quotes as `> ` lines. For reading
    and for `quoting.split_reply`; it is not safe to show as HTML.

    Written out because both parsers at hand are quadratic on hostile HTML: the standard one on unclosed tags, nh3 in
    the depth of nesting (200 000 open tags: five minutes). Every step here goes forward.
    """
    html = html[:MAX_TEXT]
    writer = _TextWriter()
    absent: set[str] = set()  # dropped elements that are never closed below
    at = 0
    while at < len(html):
        start = html.find("<", at)
        if start < 0:
            start = len(html)
        writer.add(html[at:start])
        if start == len(html):
            break
        tag = _TAG.match(html, start)
        if html.startswith("<!--", start):
            end = html.find("-->", start)
            at = end + 3 if end >= 0 else len(html)
        elif not tag and html[start + 1 : start + 2] not in ("!", "?", "/"):
            writer.add("<")
            at = start + 1
        else:
            end = html.find(">", start)
            if end < 0:
                break
            at = end + 1
            if tag:
                at = _read_tag(html, tag, at, writer, absent)
    return clean(writer.text())


def _read_tag(html: str, tag: re.Match[str], after: int, writer: "_TextWriter", absent: set[str]) -> int:
    """Writes what the tag means; the position to go on from."""
    name = tag[2].lower()
    if tag[1]:
        writer.close(name)
    elif name in _DROPPED:
        if name not in absent:
            closing = re.compile(f"</{name}", re.I).search(html, after)
            if closing:
                return closing.start()
            absent.add(name)
    else:
        writer.open(name, html[tag.end() : after - 1][:4000] if name in ("a", "img") else "")
    return after


def _unescape(content: str) -> str:
    # The library raises on a character number of more than 4300 digits.
    return unescape(re.sub(r"&#[xX]?[0-9A-Fa-f]{9,}", "", content))


class _TextWriter:
    def __init__(self) -> None:
        self.lines: list[tuple[int, str]] = []  # quote depth, text
        self.line: list[str] = []
        self.depth = 0
        self.preformatted = 0
        self.link: tuple[str, int] | None = None  # address, where its text begins in the line

    def open(self, tag: str, attributes: str) -> None:
        if tag == "br":
            self.end_line(keep_empty=True)
        elif tag == "hr":
            self.end_line()
            self.line.append("----------")
            self.end_line()
        elif tag == "blockquote":
            self.end_line()
            self.depth += 1
        elif tag in _PARAGRAPHS:
            self.blank_line()
            self.preformatted += tag == "pre"
        elif tag in _LINES:
            self.end_line()
            if tag == "li":
                self.line.append("- ")
        elif tag in ("td", "th"):
            if self.line:
                self.line.append(" ")
        elif tag in ("a", "img"):
            found = {
                match[1].lower(): match[2] or match[3] or match[4] or "" for match in _ATTRIBUTE.finditer(attributes)
            }
            if tag == "a":
                self.link = (_unescape(found.get("href", "")).strip(), len(self.line))
            elif _unescape(found.get("alt", "")).strip():
                self.line.append(f"[{' '.join(_unescape(found['alt']).split())}]")

    def close(self, tag: str) -> None:
        if tag == "blockquote":
            self.end_line()
            self.depth = max(0, self.depth - 1)
        elif tag in _PARAGRAPHS:
            self.blank_line()
            self.preformatted = max(0, self.preformatted - (tag == "pre"))
        elif tag in _LINES:
            self.end_line()
        elif tag == "a" and self.link:
            address, start = self.link
            self.link = None
            label = "".join(self.line[start:]).strip()
            if address.lower().startswith(("http://", "https://")) and (not label or label.rstrip("/") not in address):
                self.line.append(f" ({address})" if label else address)

    def add(self, content: str) -> None:
        content = _unescape(content)
        if self.preformatted:
            *whole, last = content.replace("\r\n", "\n").split("\n")
            for line in whole:
                self.line.append(line)
                self.end_line(keep_empty=True)
            self.line.append(last)
            return
        content = re.sub(r"[ \t\n\r\f]+", " ", content)
        if content.startswith(" ") and (not self.line or self.line[-1].endswith(" ")):
            content = content[1:]
        if content:
            self.line.append(content)

    def end_line(self, *, keep_empty: bool = False) -> None:
        text = "".join(self.line).replace("\xa0", " ").rstrip()
        if text or keep_empty:
            self.lines.append((min(self.depth, MAX_QUOTE_MARKS), text))
        self.line.clear()
        if self.link:
            self.link = (self.link[0], 0)

    def blank_line(self) -> None:
        self.end_line()
        if self.lines and self.lines[-1][1]:
            self.lines.append((min(self.depth, MAX_QUOTE_MARKS), ""))

    def text(self) -> str:
        self.end_line()
        text = "\n".join((">" * depth + " " + line).rstrip() if depth else line for depth, line in self.lines)
        return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")
