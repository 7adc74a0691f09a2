"""The monthly statement as a document: A4 pages in the look of the contract (domain §4.6, direction §19).

Days and moments are Moscow's, as a paper is read by anybody. The same rows give the same bytes: no clock is asked.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from reportlab.lib.units import mm
from reportlab.platypus import Flowable

from contracts.document import paper
from contracts.document.paper import CELL, CELL_BOLD, CELL_QUIET, CELL_SMALL, QUIET, QUIET_APART, stacked, table, text
from sla.reports import Attainment
from sla.statements import MonthlyStatement, Outcome, StatementLine
from sla.words import MOSCOW
from tickets import month_page

LANGUAGES = ("ru", "en")
EACH_AT_MOST = 2000  # lines of a sort on paper; all of them are in the CSV


def statement_pdf(statement: MonthlyStatement, *, language: str) -> bytes:
    """The statement in "ru" or "en" as a PDF, corrections and answers so far included.

    Raises `ValueError` for another language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"Statements are written in {', '.join(LANGUAGES)}, not in {language!r}.")
    with translation.override(language):
        name = _("Monthly service statement, %(month)s") % {"month": month_page.month_within(statement.month)}
        sheet = paper.Sheet(settings.VENDOR_NAME, name, statement.customer.name)
        numbers = count(5)  # of the headings that only some months have
        story = [
            *_head(statement, name),
            *_figures(statement),
            *_lines(statement),
            *_ratings(statement, numbers),
            *_after(statement, numbers),
            text(_("SHA-256 of figures and lines: %(digest)s") % {"digest": statement.sha256}, QUIET_APART),
        ]
        return paper.pdf(story, sheet, language=language, subject=statement.customer.name)


def _long_ago(statement: MonthlyStatement) -> datetime:
    """A "now" for words of moments that lies in another year, so that each of them names its year."""
    return statement.closed_at + timedelta(days=800)


def _moment(statement: MonthlyStatement, at: datetime | None) -> str:
    return month_page.words.moment(at, MOSCOW, _long_ago(statement), "date") if at else "—"


def _percent(of: Attainment) -> str:
    return f"{of.percent}%" if of.percent is not None else "—"


def _head(statement: MonthlyStatement, name: str) -> Iterator[Flowable]:
    figures, of = statement.figures, month_page.guaranteed(statement.figures)
    yield text(name, paper.TITLE)
    yield text(statement.customer.name, paper.SUBTITLE)
    rated = month_page.average(figures)
    yield paper.facts(
        [43 * mm, 43 * mm, 42 * mm, 42 * mm],
        [
            [
                (_("Kept in time"), _percent(of)),
                (pgettext("statement", "Kept"), str(of.met)),
                (_("Missed"), str(of.missed)),
                (_("Ratings, mean"), rated or "—"),
            ]
        ],
    )
    closed = _("Closed %(moment)s, Moscow time. Figures and lines do not change after that.")
    yield text(closed % {"moment": _moment(statement, statement.closed_at)}, QUIET_APART)


def _figures(statement: MonthlyStatement) -> Iterator[Flowable]:
    yield from paper.heading(1, _("Promises kept and missed"))
    yield text(
        _("Kept in time = kept / (kept + missed) of the promises that ended or were missed in the month."), QUIET
    )
    found = month_page.sections(statement.figures)
    if not found:
        yield text(_("No promise ended in this month."))
    head = [_("Promise"), _("Priority"), pgettext("statement", "Kept"), _("Missed"), _("Kept in time")]
    rows = [
        [text(section.title, CELL), str(priority), str(of.met), str(of.missed), _percent(of)]
        for section in found
        for priority, of in section.rows
    ]
    if rows:
        yield table(head, rows, [70 * mm, 25 * mm, 22 * mm, 23 * mm, 30 * mm], right=(1, 2, 3, 4))


def _lines(statement: MonthlyStatement) -> Iterator[Flowable]:
    titles = [
        (Outcome.MISSED, _("Missed, and why")),
        (Outcome.RUNNING, _("Still running: listed, not counted")),
        (Outcome.KEPT, pgettext("statement", "Kept")),
    ]
    for number, (outcome, title) in enumerate(titles, start=2):
        yield from paper.heading(number, title)
        rows = list(statement.lines.filter(outcome=outcome).order_by("position")[:EACH_AT_MOST])
        if not rows:
            yield text(_("None."))
            continue
        head = [_("Request"), _("Promise"), _("Due, Moscow"), _("Ended, Moscow")]
        yield table(head, [_row(statement, line) for line in rows], [66 * mm, 38 * mm, 33 * mm, 33 * mm])


def _row(statement: MonthlyStatement, line: StatementLine) -> list:
    told = month_page.told(line, zone=MOSCOW, now=_long_ago(statement))
    what = _("%(promise)s, priority %(priority)d") % {"promise": told.promise, "priority": line.priority}
    return [
        stacked((f"№ {line.number} {line.subject}", CELL_SMALL), (told.reason, CELL_BOLD), (told.marks, CELL_QUIET)),
        stacked((what, CELL_SMALL), (told.target, CELL_QUIET)),
        text(told.due, CELL_SMALL),
        text(told.ended or "—", CELL_SMALL),
    ]


def _ratings(statement: MonthlyStatement, numbers: Iterator[int]) -> Iterator[Flowable]:
    each = statement.figures["ratings"]["each"]
    if not each:
        return
    yield from paper.heading(next(numbers), _("Ratings"))
    rows = [
        [text(f"№ {one['number']} {one['subject']}", CELL_SMALL), str(one["score"]), text(one["comment"], CELL_SMALL)]
        for one in each
    ]
    yield table([_("Request"), _("Rating"), _("Comment")], rows, [75 * mm, 20 * mm, 75 * mm], right=(1,))


def _after(statement: MonthlyStatement, numbers: Iterator[int]) -> Iterator[Flowable]:
    """What was corrected and said since the month was closed."""
    corrections = month_page.corrections_of(statement)
    acknowledged, said = month_page.said_about(statement)
    if corrections:
        yield from paper.heading(next(numbers), _("Corrections"))
        of = month_page.corrected(statement, corrections)
        both = _("With the corrections: %(met)d kept, %(missed)d missed. The figures above stay as they were closed.")
        yield text(both % {"met": of.met, "missed": of.missed})
        rows = []
        for row in corrections:
            told = month_page.told_correction(row, zone=MOSCOW, now=_long_ago(statement))
            who = row.by.full_name if row.by else _("daily check")
            rows.append(
                [
                    stacked((told.change, CELL_SMALL), (told.why, CELL_QUIET)),
                    text(f"{who}, {_moment(statement, row.at)}", CELL_SMALL),
                ]
            )
        yield table([_("What"), _("Who, when")], rows, [110 * mm, 60 * mm])
    if said:
        yield from paper.heading(next(numbers), _("Disputed lines"))
        rows = []
        for one in said:
            number = one.dispute.line.number if one.dispute.line else ""
            asked = f"{one.dispute.by.full_name}, {_moment(statement, one.dispute.at)}"
            given = (
                stacked(
                    (one.answer.words, CELL_SMALL),
                    (f"{one.answer.by.full_name}, {_moment(statement, one.answer.at)}", CELL_QUIET),
                )
                if one.answer
                else text("—", CELL)
            )
            rows.append(
                [stacked((f"№ {number}", CELL_BOLD), (one.dispute.words, CELL_SMALL), (asked, CELL_QUIET)), given]
            )
        yield table([_("Dispute"), pgettext("statement", "Answer")], rows, [85 * mm, 85 * mm])
    if acknowledged is not None:
        told_by = _("Acknowledged by %(name)s, %(moment)s.")
        yield text(told_by % {"name": acknowledged.by.full_name, "moment": _moment(statement, acknowledged.at)})
