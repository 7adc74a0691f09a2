"""A closed month in words, for its page, its PDF, its CSV and its letters (domain §4.6). Reads only.

`zone` is the reader's, `now` the moment at which the page is drawn; days of a month are Moscow's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from contracts.models import PromiseKind
from contracts.terms import WORKING_DAY
from sla import words
from sla.hours_words import language_of_tables
from sla.reports import Attainment
from sla.statements import MonthlyStatement, Outcome, StatementAnswer, StatementCorrection, StatementLine
from tickets import months
from tickets.workflow.calendars import WHY as CALENDAR_EDITED

Reason = StatementLine.Reason
What = StatementAnswer.What
LINES_SHOWN = 100
SAID_SHOWN = 100


def month_words(month: date) -> str:
    """A month as a heading: "November 2026"."""
    told = date_format(month, "F Y")
    return told[:1].upper() + told[1:]


def month_within(month: date) -> str:
    """A month within a sentence: "November 2026", in Russian with a small letter."""
    told = date_format(month, "F Y")
    return told if language_of_tables() == "en" else told[:1].lower() + told[1:]


def month_of(slug: str) -> date | None:
    """The month that an address names ("2026-11"); None for what names none."""
    year, dash, month = slug.partition("-")
    if not (dash and len(year) == 4 and len(month) == 2 and slug.isascii() and (year + month).isdigit()):
        return None
    try:
        return date(int(year), int(month), 1)
    except ValueError:
        return None


# Figures


@dataclass(frozen=True, slots=True)
class Section:
    """Promises of one sort: what they are, how many of each priority were kept, and of all together."""

    title: str
    rows: tuple[tuple[int, Attainment], ...]
    total: Attainment
    is_apart: bool


def sections(figures: dict[str, Any]) -> list[Section]:
    """The figures by sort of promise: reaction, solution, and apart from them restores and agreed deadlines."""
    titles = [
        (months.GUARANTEED, PromiseKind.REACTION, words.promise("reaction"), False),
        (months.GUARANTEED, PromiseKind.RESOLUTION, words.promise("resolution"), False),
        (months.RESTORED, PromiseKind.RESOLUTION, _("Solution by restoring the service"), True),
        (months.AGREED_APART, None, _("Individually agreed deadlines"), True),
    ]
    found = []
    for group, kind, title, is_apart in titles:
        counted = [row for row in figures["counted"] if row["group"] == group and (kind is None or row["kind"] == kind)]
        by_priority: dict[int, Attainment] = {}
        for row in counted:
            was = by_priority.get(row["priority"], Attainment())
            by_priority[row["priority"]] = Attainment(was.met + row["met"], was.missed + row["missed"])
        if counted:
            found.append(Section(title, tuple(sorted(by_priority.items())), _sum(by_priority.values()), is_apart))
    return found


def _sum(parts: Iterable[Attainment]) -> Attainment:
    parts = list(parts)
    return Attainment(sum(part.met for part in parts), sum(part.missed for part in parts))


def guaranteed(figures: dict[str, Any]) -> Attainment:
    """All that was promised by package or contract: reactions, solutions, restores; not what was agreed instead."""
    counted = [row for row in figures["counted"] if row["group"] != months.AGREED_APART]
    return Attainment(sum(row["met"] for row in counted), sum(row["missed"] for row in counted))


def average(figures: dict[str, Any]) -> str:
    """The mean rating with one digit behind the point; "" where nobody rated."""
    ratings = figures["ratings"]
    if not ratings["count"]:
        return ""
    return str(number_format(ratings["sum"] / ratings["count"], 1))


def headline(figures: dict[str, Any]) -> str:
    """The month in one sentence."""
    of = guaranteed(figures)
    if not of.counted:
        return _("No promise ended in this month.")
    return ngettext(
        "%(met)d of %(count)d promise kept in time.", "%(met)d of %(count)d promises kept in time.", of.counted
    ) % {"met": of.met, "count": of.counted}


# Lines


@dataclass(frozen=True, slots=True)
class Told:
    """A line in words."""

    line: StatementLine
    promise: str
    target: str
    due: str
    ended: str
    reason: str
    marks: str


def told(line: StatementLine, *, zone: tzinfo, now: datetime) -> Told:
    marks = []
    if line.agreed:
        marks.append(_("agreed individually"))
    if line.restored:
        marks.append(_("ended by a restore"))
    return Told(
        line=line,
        promise=words.promise(line.kind),
        target=words.target(line.amount, line.unit),
        due=words.moment(line.due_at, zone, now, "date"),
        ended=words.moment(line.ended_at, zone, now, "date") if line.ended_at else "",
        reason=reason_words(line),
        marks=", ".join(marks),
    )


def reason_words(line: StatementLine) -> str:
    """Why the promise was missed, in a sentence; "" for one that was not. Spans are service time."""
    if line.outcome != Outcome.MISSED:
        return ""
    late = {"span": words.span(line.late_or_nothing, None if line.round_the_clock else WORKING_DAY)}
    is_reaction = line.kind == PromiseKind.REACTION
    if line.reason == Reason.LATE:
        if is_reaction:
            return _("Answered %(span)s of service time after the deadline") % late
        if line.restored:
            return _("Service restored %(span)s of service time after the deadline") % late
        return _("Solved %(span)s of service time after the deadline") % late
    if line.reason == Reason.NOT_YET:
        if is_reaction:
            return _("Not answered by the end of the month: %(span)s of service time over the deadline") % late
        return _("Not solved by the end of the month: %(span)s of service time over the deadline") % late
    if line.reason == Reason.AGREED:
        return _("Another deadline was agreed %(span)s of service time after this one: the miss stays") % late
    if line.reason == Reason.ENDED:
        return _("The request ended %(span)s of service time after the deadline") % late
    return _("Another promise took its place %(span)s of service time after the deadline: the miss stays") % late


def outcome_words(outcome: str) -> str:
    return str(Outcome(outcome).label)


def page_of(statement: MonthlyStatement, after: int) -> tuple[list[StatementLine], int | None]:
    """Lines behind a position, and the position to go on from (None: that was all). One statement."""
    found = list(statement.lines.filter(position__gt=after).order_by("position")[: LINES_SHOWN + 1])
    more = found[LINES_SHOWN - 1].position if len(found) > LINES_SHOWN else None
    return found[:LINES_SHOWN], more


# Corrections and answers


@dataclass(frozen=True, slots=True)
class ToldCorrection:
    row: StatementCorrection
    change: str
    why: str


def corrections_of(statement: MonthlyStatement) -> list[StatementCorrection]:
    return list(statement.corrections.select_related("by", "line").order_by("pk"))


def told_correction(row: StatementCorrection, *, zone: tzinfo, now: datetime) -> ToldCorrection:
    """What a correction changes, and why; the daily check says by what event and when."""
    change = _("№ %(number)s: was “%(before)s”, counts now as “%(after)s”") % {
        "number": row.number,
        "before": outcome_words(row.before),
        "after": outcome_words(row.after),
    }
    if row.by is not None:
        return ToldCorrection(row, change, row.why)
    cause = {
        "reopened": _("The request was reopened"),
        "restore contested": _("The restore was contested"),
        "decline contested": _("The refusal was contested"),
        "reclassified": _("The request was classified anew"),
        "priority set by the customer": _("The customer set another priority"),
        "terms applied": _("Other terms were applied to the request"),
        CALENDAR_EDITED: _("An edit of the calendar was applied to the request"),
    }.get(row.cause, _("The records of the request changed"))
    if row.happened_at is None:
        return ToldCorrection(row, change, cause + ".")
    moment = {"what": cause, "moment": words.moment(row.happened_at, zone, now, "date")}
    return ToldCorrection(row, change, _("%(what)s: %(moment)s.") % moment)


def corrected(statement: MonthlyStatement, rows: Sequence[StatementCorrection]) -> Attainment:
    """Kept and missed with every correction, agreed deadlines included in neither number unless corrected into it."""
    of, change = guaranteed(statement.figures), months.finals(statement, [row for row in rows if not _is_apart(row)])
    return Attainment(of.met + change[Outcome.KEPT], of.missed + change[Outcome.MISSED])


def _is_apart(row: StatementCorrection) -> bool:
    return row.line is not None and row.line.agreed


@dataclass(frozen=True, slots=True)
class Said:
    """A dispute and what was answered to it (None: it waits)."""

    dispute: StatementAnswer
    answer: StatementAnswer | None


def said_about(statement: MonthlyStatement) -> tuple[StatementAnswer | None, list[Said]]:
    """Who acknowledged it (None: nobody so far), and the disputes with their answers, oldest first. One statement."""
    rows = list(statement.answers.select_related("by", "line").order_by("pk")[: 2 * SAID_SHOWN + 1])
    answers = {row.about_id: row for row in rows if row.what == What.ANSWERED}
    acknowledged = next((row for row in rows if row.what == What.ACKNOWLEDGED), None)
    return acknowledged, [Said(row, answers.get(row.pk)) for row in rows if row.what == What.DISPUTED]


def with_state(rows: QuerySet[MonthlyStatement]) -> QuerySet[Any]:
    """Statements with what a list says of each: `is_acknowledged`, `is_disputed`, `is_corrected`."""
    answers = StatementAnswer.objects.filter(statement=OuterRef("pk"))
    return rows.annotate(
        is_acknowledged=Exists(answers.filter(what=What.ACKNOWLEDGED)),
        is_disputed=Exists(answers.filter(what=What.DISPUTED, answer__isnull=True)),
        is_corrected=Exists(StatementCorrection.objects.filter(statement=OuterRef("pk"))),
    )


def state_words(statement: Any) -> str:
    """Where a statement of `with_state` stands."""
    if statement.is_disputed:
        return pgettext("statement", "disputed, waits for an answer")
    if statement.is_acknowledged:
        return pgettext("statement", "acknowledged")
    return pgettext("statement", "waits for the contact")
