"""Closed months: the customer reads, acknowledges and disputes; the vendor answers and corrects (domain §4.6, §7).

Another company's month is 404, like a missing one. A refused POST shows its page again with the reason and what was
typed: 422 for what was left out, 403 and 409 for what a rule refuses.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import only, person
from accounts.models import Role
from accounts.refusals import Refused
from contracts.spreadsheets import csv_response
from sla.statements import MonthlyStatement, Outcome, StatementAnswer, StatementLine
from sla.words import MOSCOW
from tickets import month_answers, month_page, months
from tickets.forms.months import CorrectionForm, MonthWordsForm
from tickets.month_paper import LANGUAGES, statement_pdf
from tickets.views.portal_gate import customers

PAGE = 50
CSV_CHUNK = 500

readers_only = only({Role.CSM, Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT})


def _number(request: HttpRequest, name: str) -> int:
    """A row or position that the address names; 0 for none. Raises `BadRequest` for what is no number."""
    value = request.GET.get(name, "")
    if not value:
        return 0
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise BadRequest(_("This address is not complete."))
    return int(value)


def _see_other(name: str, *args: Any) -> HttpResponseRedirect:
    response = redirect(name, *args)
    response.status_code = 303
    return response


def _context(request: HttpRequest, statement: MonthlyStatement) -> dict[str, Any]:
    """What both sides see of a month, in a constant number of statements."""
    now = timezone.now()
    zone = timezone.get_current_timezone() if person(request).role == Role.CUSTOMER else MOSCOW
    lines, more = month_page.page_of(statement, _number(request, "after"))
    corrections = month_page.corrections_of(statement)
    acknowledged, said = month_page.said_about(statement)
    return {
        "now": now,
        "statement": statement,
        "month": month_page.month_words(statement.month),
        "headline": month_page.headline(statement.figures),
        "kept": month_page.guaranteed(statement.figures),
        "average": month_page.average(statement.figures),
        "sections": month_page.sections(statement.figures),
        "ratings": statement.figures["ratings"],
        "lines": [month_page.told(line, zone=zone, now=now) for line in lines],
        "older": f"?after={more}#lines" if more else "",
        "newer": "?#lines" if request.GET.get("after") else "",
        "corrections": [month_page.told_correction(row, zone=zone, now=now) for row in corrections],
        "corrected": month_page.corrected(statement, corrections) if corrections else None,
        "acknowledged": acknowledged,
        "said": said,
        "waiting": {one.dispute.line_id for one in said if one.answer is None},
        "languages": LANGUAGES,
    }


# The customer


def _own(request: HttpRequest, slug: str) -> MonthlyStatement:
    month = month_page.month_of(slug)
    if month is None:
        raise Http404
    return get_object_or_404(months.visible_to(person(request)).select_related("customer__csm"), month=month)


def _line(statement: MonthlyStatement, position: int) -> StatementLine:
    return get_object_or_404(statement.lines, position=position)


@require_safe
@customers
def reports(request: HttpRequest) -> HttpResponse:
    """The company's closed months, newest first, paged by keyset."""
    rows = month_page.with_state(months.visible_to(person(request))).order_by("-month")
    before = request.GET.get("before", "")
    if before:
        month = month_page.month_of(before)
        if month is None:
            raise BadRequest(_("This address is not complete."))
        rows = rows.filter(month__lt=month)
    found = list(rows[: PAGE + 1])
    context = {
        "rows": [_listed(row) for row in found[:PAGE]],
        "older": f"?before={found[PAGE - 1].slug}" if len(found) > PAGE else "",
        "newer": "?" if before else "",
    }
    return render(request, "portal/reports.html", context)


def _listed(row: MonthlyStatement) -> dict[str, Any]:
    return {
        "statement": row,
        "month": month_page.month_words(row.month),
        "headline": month_page.headline(row.figures),
        "kept": month_page.guaranteed(row.figures),
        "running": row.figures["running"],
        "state": month_page.state_words(row),
    }


@require_safe
@customers
def report(request: HttpRequest, month: str) -> HttpResponse:
    return _report(request, _own(request, month))


def _report(request: HttpRequest, statement: MonthlyStatement, refusal: Refused | None = None) -> HttpResponse:
    context = _context(request, statement)
    context |= {
        "may_speak": month_answers.may_speak(statement, person(request), at=context["now"]),
        "refusal": refusal,
    }
    return render(request, "portal/report.html", context, status=refusal.status if refusal else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def acknowledgement(request: HttpRequest, month: str) -> HttpResponse:
    """The contact takes note of the month."""
    statement = _own(request, month)
    if request.method != "POST":
        return _see_other("report:report", month)
    try:
        month_answers.acknowledge(statement, by=person(request), at=timezone.now())
    except Refused as refusal:
        return _report(request, statement, refusal)
    messages.success(request, _("The month is acknowledged."))
    return _see_other("report:report", month)


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def line(request: HttpRequest, month: str, position: int) -> HttpResponse:
    """One line of the month, and the words of a dispute about it."""
    statement = _own(request, month)
    found, at = _line(statement, position), timezone.now()
    may_speak = month_answers.may_speak(statement, person(request), at=at)
    form = MonthWordsForm(
        request.POST if request.method == "POST" else None,
        about="dispute",
        label=_("What is wrong with this line"),
        error=_("Write what is wrong with this line: we answer that."),
    )
    refusal, status = None, 200
    if request.method == "POST":
        try:
            if not may_speak or form.is_valid():
                words = form.cleaned_data["words"] if may_speak else "—"
                month_answers.dispute(statement, found, words=words, by=person(request), at=at)
                messages.success(request, _("Your words are with us. The answer comes by letter and stands here."))
                return _see_other("report:report", month)
            status = 422
        except Refused as said:
            refusal, status = said, said.status
    context = {
        "statement": statement,
        "month": month_page.month_words(statement.month),
        "told": month_page.told(found, zone=timezone.get_current_timezone(), now=at),
        "may_speak": may_speak,
        "form": form,
        "refusal": refusal,
    }
    return render(request, "portal/report_line.html", context, status=status)


@require_safe
@customers
def document(request: HttpRequest, month: str, language: str) -> HttpResponse:
    return _document(_own(request, month), language)


@require_safe
@customers
def table(request: HttpRequest, month: str) -> HttpResponse:
    return _csv(request, _own(request, month))


def _document(statement: MonthlyStatement, language: str) -> HttpResponse:
    if language not in LANGUAGES:
        raise Http404
    response = HttpResponse(statement_pdf(statement, language=language), content_type="application/pdf")
    name = f"statement-{statement.slug}-{language}.pdf"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _csv(request: HttpRequest, statement: MonthlyStatement) -> HttpResponse:
    """Every line of the month; moments in Moscow time."""
    headings = [
        _("Request"), _("Subject"), _("Promise"), _("Priority"), _("Target"), _("Started, Moscow"), _("Due, Moscow"),
        _("Ended, Moscow"), _("Outcome"), _("Reason of the miss"), _("Agreed individually"), _("Ended by a restore"),
    ]  # fmt: skip
    streamed: Any = csv_response(request, f"statement-{statement.slug}.csv", headings, _chunks(statement))
    return streamed


def _chunks(statement: MonthlyStatement) -> Iterator[list[list[object]]]:
    after = 0
    while rows := list(statement.lines.filter(position__gt=after).order_by("position")[:CSV_CHUNK]):
        yield [_cells(row) for row in rows]
        after = rows[-1].position


def _cells(row: StatementLine) -> list[object]:
    told = month_page.told(row, zone=MOSCOW, now=row.due_at)
    yes = {True: _("yes"), False: ""}
    moments = [
        f"{at.astimezone(MOSCOW):%Y-%m-%d %H:%M:%S}" if at else "" for at in (row.started_at, row.due_at, row.ended_at)
    ]
    named = [row.number, row.subject, told.promise, row.priority, told.target]
    return [*named, *moments, month_page.outcome_words(row.outcome), told.reason, yes[row.agreed], yes[row.restored]]


# The vendor

SHOWN = ("", "open", "disputed")


@require_safe
@readers_only
def statements(request: HttpRequest) -> HttpResponse:
    """Closed months of the customers that this person answers for: what is disputed, what nobody acknowledged."""
    show = request.GET.get("show", "")
    if show not in SHOWN:
        raise BadRequest(_("This address is not complete."))
    own = months.visible_to(person(request))
    rows = month_page.with_state(own).select_related("customer").order_by("-month", "-pk")
    if show == "open":
        rows = rows.filter(is_acknowledged=False)
    elif show == "disputed":
        rows = rows.filter(is_disputed=True)
    before = _number(request, "before")
    if before:
        anchor = own.filter(pk=before).first()
        if anchor is None:
            raise BadRequest(_("This address is not complete."))
        rows = rows.filter(Q(month__lt=anchor.month) | Q(month=anchor.month, pk__lt=anchor.pk))
    found = list(rows[: PAGE + 1])
    query = f"show={show}&" if show else ""
    context = {
        "rows": [_listed(row) for row in found[:PAGE]],
        "show": show,
        "tabs": [
            ("", _("All")),
            ("open", _("Not acknowledged")),
            ("disputed", _("Disputed")),
        ],
        "older": f"?{query}before={found[PAGE - 1].pk}" if len(found) > PAGE else "",
        "newer": f"?{query}" if before else "",
    }
    return render(request, "manage/statements.html", context)


def _theirs(request: HttpRequest, pk: int) -> MonthlyStatement:
    return get_object_or_404(months.visible_to(person(request)).select_related("customer__csm"), pk=pk)


@require_safe
@readers_only
def statement(request: HttpRequest, pk: int) -> HttpResponse:
    return _statement(request, _theirs(request, pk))


def _answer_form(said: StatementAnswer, data: Any = None) -> MonthWordsForm:
    return MonthWordsForm(
        data,
        about=f"answer_{said.pk}",
        label=_("Answer: the customer reads it"),
        error=_("Write the answer: the customer reads it."),
    )


def _statement(
    request: HttpRequest,
    found: MonthlyStatement,
    *,
    form: MonthWordsForm | None = None,
    about: int = 0,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    context = _context(request, found)
    context["said"] = [
        (one, form if form is not None and one.dispute.pk == about else _answer_form(one.dispute))
        for one in context["said"]
    ]
    may_answer = month_answers.may_answer(found, person(request))
    context |= {"may_answer": may_answer, "form": form, "refusal": refusal}
    return render(request, "manage/statement.html", context, status=status)


@require_POST
@readers_only
def answer(request: HttpRequest, pk: int, said: int) -> HttpResponse:
    """The vendor's answer to a dispute."""
    found = _theirs(request, pk)
    dispute = get_object_or_404(found.answers.filter(what=StatementAnswer.What.DISPUTED), pk=said)
    form = _answer_form(dispute, request.POST)
    if not form.is_valid() and month_answers.may_answer(found, person(request)):
        return _statement(request, found, form=form, about=said, status=422)
    try:
        words = form.cleaned_data.get("words", "—")
        month_answers.answer(dispute, words=words, by=person(request), at=timezone.now())
    except Refused as refusal:
        return _statement(request, found, form=form, about=said, refusal=refusal, status=refusal.status)
    messages.success(request, _("Answered. The contact gets a letter."))
    return _see_other("manage:statement", pk)


@require_http_methods(["GET", "HEAD", "POST"])
@readers_only
def correction(request: HttpRequest, pk: int, position: int) -> HttpResponse:
    """One line of a month, and how it counts from now on: a new row, with words."""
    found = _theirs(request, pk)
    row, at = _line(found, position), timezone.now()
    may_answer = month_answers.may_answer(found, person(request))
    form = CorrectionForm(
        request.POST if request.method == "POST" else None,
        about="correction",
        label=_("Why: the customer reads it"),
        error=_("Write why the line is corrected: the customer reads it."),
        initial={"after": Outcome.OUT},
    )
    refusal, status = None, 200
    if request.method == "POST":
        try:
            if not form.is_valid() and may_answer:
                status = 422
            else:
                sent = form.cleaned_data
                after, why = sent.get("after", Outcome.OUT), sent.get("words", "—")
                month_answers.correct(found, row, after=after, why=why, by=person(request), at=at)
                messages.success(request, _("Corrected beside the frozen figures. The contact gets a letter."))
                return _see_other("manage:statement", pk)
        except Refused as said:
            refusal, status = said, said.status
    context = {
        "statement": found,
        "month": month_page.month_words(found.month),
        "told": month_page.told(row, zone=MOSCOW, now=at),
        "may_answer": may_answer,
        "form": form,
        "refusal": refusal,
    }
    return render(request, "manage/statement_line.html", context, status=status)


@require_safe
@readers_only
def statement_document(request: HttpRequest, pk: int, language: str) -> HttpResponse:
    return _document(_theirs(request, pk), language)


@require_safe
@readers_only
def statement_table(request: HttpRequest, pk: int) -> HttpResponse:
    return _csv(request, _theirs(request, pk))
