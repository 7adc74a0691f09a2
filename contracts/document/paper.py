"""The paper that documents are drawn on: A4 in our look, fonts, escaped text, tables, page x of y (direction §19).

Knows nothing of contracts. The same story gives the same bytes: reportlab runs with `invariant`, and no clock is asked.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

FONTS = Path(__file__).parent.parent / "fonts"
REGULAR, BOLD = "GolosText", "GolosText-Bold"
# reportlab cuts the letters of a document out of one shared font, a step at a time: two threads that draw at once get
# each other's letters, or an IndexError.
DRAWING = Lock()

INK, MUTED, ACCENT = HexColor("#15202b"), HexColor("#53626f"), HexColor("#1551b0")
LINE, HAIRLINE, GHOST = HexColor("#aab6c1"), HexColor("#d5dce3"), HexColor("#edf0f3")

SIDE, TOP, BOTTOM = 20 * mm, 25 * mm, 22 * mm
WIDTH = A4[0] - 2 * SIDE

NO_SIGN = "□"  # stands for a sign that the font does not have: it must be seen that something was there
NO_BREAK = "\u00a0"
INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufeff") | {chr(code) for code in range(0xFE00, 0xFE10)}


@cache
def register_fonts() -> frozenset[int]:
    """Loads Golos Text once in a process; returns the code points that it can draw."""
    faces = {REGULAR: TTFont(REGULAR, FONTS / "golos-regular.ttf"), BOLD: TTFont(BOLD, FONTS / "golos-bold.ttf")}
    for face in faces.values():
        pdfmetrics.registerFont(face)
    pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)
    return frozenset.intersection(*(frozenset(face.face.charToGlyph) for face in faces.values()))


def shown(text: object) -> str:
    """Any text as it can be drawn: what the font lacks (emoji, other scripts, control signs) becomes a visible “□”.

    Line breaks stay, other white space becomes a space. Signs that direct the reading (right-to-left overrides) become
    “□” too: what is signed must read as it is printed.
    """
    known = register_fonts()
    lines = unicodedata.normalize("NFC", str(text)).replace("\r\n", "\n").replace("\r", "\n")
    return "".join(_sign(sign, known) for sign in lines if sign not in INVISIBLE)


def _sign(sign: str, known: frozenset[int]) -> str:
    if sign in "\n\u2028\u2029":
        return "\n"
    if sign in "\u00a0\u202f\u2007":
        return NO_BREAK
    if sign in "\t\v\f" or unicodedata.category(sign) == "Zs":
        return " "
    return sign if ord(sign) in known and ord(sign) >= ord(" ") else NO_SIGN


def marked(text: object) -> str:
    """Any text as reportlab's markup: nothing in it is read as a tag; line breaks are kept."""
    return escape(shown(text)).replace("\n", "<br/>")


# Text


def _style(name: str, size: float, leading: float, **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, **{"fontName": REGULAR, "fontSize": size, "leading": leading, "textColor": INK, **more})


BODY = _style("body", 9.5, 14, spaceAfter=2 * mm)
QUIET = _style("quiet", 8.5, 12, textColor=MUTED, spaceAfter=2 * mm)
QUIET_APART = _style("quiet apart", 8.5, 12, textColor=MUTED, spaceBefore=3 * mm, spaceAfter=2 * mm)  # below a table
TITLE = _style("title", 21, 27, fontName=BOLD)
SUBTITLE = _style("subtitle", 13, 18, spaceAfter=5 * mm)
HEADING = _style("heading", 13, 17, fontName=BOLD, spaceBefore=8 * mm, spaceAfter=2.5 * mm)
SUBHEADING = _style("subheading", 9.5, 13, fontName=BOLD, spaceBefore=6 * mm, spaceAfter=1.5 * mm)
CELL = _style("cell", 8.5, 11.5)
CELL_SMALL = _style("cell small", 8, 11)
CELL_BOLD = _style("cell bold", 8.5, 11.5, fontName=BOLD)
CELL_QUIET = _style("cell quiet", 8, 11, textColor=MUTED)
CELL_RIGHT = _style("cell right", 8.5, 11.5, alignment=TA_RIGHT)
LABEL = _style("label", 8, 11, textColor=MUTED)
VALUE = _style("value", 10.5, 14, fontName=BOLD)
NUMBERED = _style(
    "numbered", 9.5, 14, leftIndent=11 * mm, bulletFontName=REGULAR, bulletFontSize=9.5, spaceAfter=2 * mm
)


def text(words: object, style: ParagraphStyle = BODY) -> Paragraph:
    """A paragraph of plain words, whatever is in them."""
    return Paragraph(marked(words), style)


def stacked(*parts: tuple[object, ParagraphStyle]) -> list[Paragraph]:
    """Paragraphs in one cell, under each other; empty ones are left out."""
    return [text(words, style) for words, style in parts if str(words)]


def numbered(number: str, words: object) -> Paragraph:
    """A numbered paragraph that others can refer to: “6.2 …”."""
    return Paragraph(marked(words), NUMBERED, bulletText=number)


def heading(number: int, words: object) -> list[Flowable]:
    """The numbered heading of a section that may be long; a page ends before it rather than right after."""
    return [CondPageBreak(45 * mm), numbered_heading(number, words)]


def section(number: int, words: object, *parts: Flowable) -> KeepTogether:
    """A section that stays on one page where it fits on one."""
    return KeepTogether([numbered_heading(number, words), *parts])


def numbered_heading(number: int, words: object) -> Paragraph:
    """The heading alone, for a section that is kept together by other means."""
    tint = ACCENT.hexval().replace("0x", "#")
    return Paragraph(f'<font color="{tint}">{number}</font>&nbsp;&nbsp;{marked(words)}', HEADING)


def titled(words: object, rows: Table) -> list[Flowable]:
    """A table with a heading of its own, which never ends a page; a short table is not torn apart."""
    title = text(words, SUBHEADING)
    if len(rows._cellvalues) <= SHORT:
        return [KeepTogether([title, rows])]
    return [CondPageBreak(45 * mm), title, rows]


def followed(words: object, more: object) -> Paragraph:
    """A name and, quieter, what belongs to it: “Product 7.8.4”."""
    tint = MUTED.hexval().replace("0x", "#")
    return Paragraph(f'{marked(words)} <font color="{tint}">{marked(more)}</font>', CELL_SMALL)


def fitting(words: str, width: float) -> str | Paragraph:
    """A number for a column of `width` points, in smaller type where it is too long for it."""
    room = width - 8
    length = pdfmetrics.stringWidth(words, REGULAR, 8)
    if length <= room:
        return words
    size = max(5, 8 * room / length)
    return Paragraph(marked(words), ParagraphStyle("fitting", parent=CELL_RIGHT, fontSize=size - 0.05))


def cut(words: str, width: float, size: float) -> str:
    """One line of plain words, shortened with “…” to a width in points."""
    words = shown(words).replace("\n", " ")[:300]
    if pdfmetrics.stringWidth(words, REGULAR, size) <= width:
        return words
    while words and pdfmetrics.stringWidth(words + "…", REGULAR, size) > width:
        words = words[:-1]
    return words.rstrip() + "…"


# Tables

Row = Sequence[Any]
SHORT = 8  # rows with the head: kept on one page
GRID = [
    ("FONT", (0, 0), (-1, -1), REGULAR, 8.5, 11.5),
    ("TEXTCOLOR", (0, 0), (-1, -1), INK),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (0, -1), 0),
    ("RIGHTPADDING", (-1, 0), (-1, -1), 0),
    ("LEFTPADDING", (1, 0), (-1, -1), 4),
    ("RIGHTPADDING", (0, 0), (-2, -1), 4),
    ("TOPPADDING", (0, 0), (-1, -1), 3.5),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
]


def table(
    head: Row, rows: Sequence[Row], widths: Sequence[float], *, right: Sequence[int] = (), more: Any = ()
) -> Table:
    """A timetable: hairlines, a head that is repeated on every page; `widths` in points, `right` are number columns."""
    style = [
        *GRID,
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, HAIRLINE),
        *(("ALIGN", (column, 0), (column, -1), "RIGHT") for column in right),
        *more,
    ]
    quiet_right = ParagraphStyle("label right", parent=LABEL, alignment=TA_RIGHT)
    first = [text(words, quiet_right if column in right else LABEL) for column, words in enumerate(head)]
    return Table([first, *rows], colWidths=list(widths), repeatRows=1, style=TableStyle(style), hAlign="LEFT")


def total_row(row: int) -> list[tuple]:
    """The style of a row that sums up those above it."""
    return [
        ("FONT", (0, row), (-1, row), BOLD, 8.5, 11.5),
        ("LINEABOVE", (0, row), (-1, row), 0.8, INK),
        ("LINEBELOW", (0, row), (-1, row), 0.4, LINE),
    ]


def facts(widths: Sequence[float], rows: Sequence[Sequence[tuple[str, str]]]) -> Table:
    """A box of label and value, as the board has it; `widths` of the columns in points."""
    cells = [[stacked((label, LABEL), (value, VALUE)) for label, value in row] for row in rows]
    style = [
        ("BOX", (0, 0), (-1, -1), 0.6, LINE),
        ("INNERGRID", (0, 0), (-1, -1), 0.4, HAIRLINE),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("TOPPADDING", (0, 0), (-1, -1), 6),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
        ("LEFTPADDING", (0, 0), (-1, -1), 9),
        ("RIGHTPADDING", (0, 0), (-1, -1), 6),
    ]
    return Table(cells, colWidths=list(widths), style=TableStyle(style), hAlign="LEFT")


def notice(words: str, more: str = "") -> list[Flowable]:
    """What must be seen first, with a bar at its side; long words run over pages."""
    strong = _style("notice", 10.5, 14, fontName=BOLD, leftIndent=3 * mm, borderPadding=0)
    plain = _style("notice more", 9.5, 14, leftIndent=3 * mm)
    parts: list[Flowable] = [text(words, strong)]
    if more:
        parts.append(text(more, plain))
    return [*(Barred(part) for part in parts), Spacer(0, 4 * mm)]


class Barred(Flowable):
    """A flowable with an ink bar at its left side."""

    def __init__(self, inner: Flowable) -> None:
        super().__init__()
        self.inner = inner

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        self.width, self.height = self.inner.wrap(width, height)
        return self.width, self.height

    def split(self, width: float, height: float) -> list[Flowable]:
        return [Barred(part) for part in self.inner.split(width, height)]

    def draw(self) -> None:
        self.canv.setFillColor(INK)
        self.canv.rect(0, 0, 2, self.height, stroke=0, fill=1)
        self.inner.drawOn(self.canv, 0, 0)


class PriorityMark(Flowable):
    """The glyph of a priority: its weight falls from 1 to 4, as on the screen (direction §1)."""

    def __init__(self, priority: int) -> None:
        super().__init__()
        self.priority = priority
        self.width = self.height = 13

    def wrap(self, width: float, height: float) -> tuple[float, float]:
        return self.width, self.height

    def draw(self) -> None:
        pen = self.canv
        pen.setStrokeColor(INK if self.priority < 3 else MUTED)
        pen.setLineWidth({1: 1, 2: 1.2, 3: 0.6}.get(self.priority, 0.6))
        if self.priority == 4:
            pen.setDash(1, 1)
        pen.setFillColor(INK)
        pen.roundRect(0.5, 0.5, 12, 12, 2, stroke=1, fill=int(self.priority == 1))
        pen.setFillColor(HexColor("#ffffff") if self.priority == 1 else INK)
        pen.setFont(BOLD, 8.5)
        pen.drawCentredString(6.5, 3.6, str(self.priority))


# Pages


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on each page: who, which document, whose, and a mark that it is not what it may seem ("" for none).

    `ghost` is written across the page, for what is not signed.
    """

    vendor: str
    name: str
    owner: str
    mark: str = ""
    ghost: str = ""


class Pages(Canvas):
    """A canvas that knows how many pages there are before it writes the first."""

    sheet: Sheet

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kept: list[dict] = []

    def showPage(self) -> None:
        self.kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self.kept, start=1):
            self.__dict__.update(page)
            self._frame(number, len(self.kept))
            super().showPage()
        super().save()

    def _frame(self, number: int, count: int) -> None:
        sheet, (width, height) = self.sheet, A4
        baseline = height - 15 * mm
        self.setFillColor(INK)
        self.setFont(BOLD, 9.5)
        vendor = cut(sheet.vendor, WIDTH / 2, 9.5)
        self.drawString(SIDE, baseline, vendor)
        if number > 1:
            self.setFillColor(MUTED)
            self.setFont(REGULAR, 8.5)
            after = SIDE + pdfmetrics.stringWidth(vendor, BOLD, 9.5) + 4 * mm
            self.drawString(after, baseline, cut(sheet.name, width / 2 + 10 * mm - after, 8.5))
        if sheet.mark:
            self._tag(shown(sheet.mark), width - SIDE, baseline)
        self.setStrokeColor(INK)
        self.setLineWidth(0.8)
        self.line(SIDE, height - 19 * mm, width - SIDE, height - 19 * mm)
        self.setFillColor(ACCENT)
        self.rect(SIDE, height - 19 * mm - 0.4, 14 * mm, 2.2, stroke=0, fill=1)
        self._foot(number, count)

    def _tag(self, words: str, right: float, baseline: float) -> None:
        size, pad = 8.5, 5
        width = pdfmetrics.stringWidth(words, BOLD, size)
        self.setFont(BOLD, size)
        self.setFillColor(INK)
        self.setStrokeColor(INK)
        self.setLineWidth(0.8)
        self.roundRect(right - width - 2 * pad, baseline - 4.2, width + 2 * pad, 14, 2, stroke=1, fill=0)
        self.drawString(right - width - pad, baseline, words)

    def _foot(self, number: int, count: int) -> None:
        width = A4[0]
        self.setStrokeColor(HAIRLINE)
        self.setLineWidth(0.4)
        self.line(SIDE, 16 * mm, width - SIDE, 16 * mm)
        self.setFillColor(MUTED)
        self.setFont(REGULAR, 8)
        page = _("Page %(number)d of %(count)d") % {"number": number, "count": count}
        self.drawRightString(width - SIDE, 11.5 * mm, page)
        self.drawString(SIDE, 11.5 * mm, cut(f"{self.sheet.name} · {self.sheet.owner}", WIDTH - 40 * mm, 8))


def pdf(story: list[Flowable], sheet: Sheet, *, language: str, subject: str) -> bytes:
    """The story as a PDF of A4 pages with `sheet` around them; `language` as in "ru"."""
    register_fonts()
    pages = type("SheetPages", (Pages,), {"sheet": sheet})
    body = BytesIO()
    document = BaseDocTemplate(
        body,
        pagesize=A4,
        title=shown(sheet.name),
        author=shown(sheet.vendor),
        subject=shown(subject),
        creator=shown(sheet.vendor),
        lang=language,
        invariant=1,
        pageCompression=1,
    )
    frame = Frame(
        SIDE, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM, leftPadding=0, rightPadding=0, topPadding=0, bottomPadding=0
    )

    def ghost(canvas: Canvas, _document: BaseDocTemplate) -> None:
        if not sheet.ghost:
            return
        words = shown(sheet.ghost)
        size = min(64.0, 64 * 235 * mm / pdfmetrics.stringWidth(words, BOLD, 64))
        canvas.saveState()
        canvas.translate(A4[0] / 2, A4[1] / 2)
        canvas.rotate(54)
        canvas.setFillColor(GHOST)
        canvas.setFont(BOLD, size)
        canvas.drawCentredString(0, -size / 3, words)
        canvas.restoreState()

    document.addPageTemplates([PageTemplate(frames=[frame], onPage=ghost)])
    with DRAWING:
        document.build(story, canvasmaker=pages)
    return body.getvalue()
