"""Import of customers, licences and contacts: the file, its dry run, a person's decision (domain §2, §7)."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import only, person
from accounts.models import Role, User
from accounts.refusals import Refused
from contracts.forms.imports import ImportForm
from contracts.importing import columns, exporting
from contracts.importing import runs as verbs
from contracts.importing.reading import NotReadable
from contracts.importing.runs import Outcome
from contracts.importing.verdicts import Remark, Verdict
from contracts.models import ImportRow, ImportRun
from contracts.money import euro

PAGE = 50
importers_only = only({Role.CONTRACT_ADMIN, Role.ADMIN})


@dataclass(frozen=True)
class Line:
    """A row of the file as the page shows it."""

    number: int
    title: str
    cells: list[tuple[str, str]]
    problems: list[tuple[str, str]]
    warnings: list[tuple[str, str]]
    changes: list[tuple[str, str, str]]


@importers_only
@require_http_methods(["GET", "HEAD", "POST"])
def runs(request: HttpRequest) -> HttpResponse:
    """The form for a file and the files sent before, newest first. A file that can be read becomes a dry run."""
    if request.method != "POST":
        return _runs_page(request, ImportForm())
    form = ImportForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            run = verbs.read_and_keep(
                file.read(),
                file.name or "file",
                kind=form.cleaned_data["kind"],
                by=person(request),
                at=timezone.now(),
                encoding=form.cleaned_data["encoding"],
            )
        except NotReadable as refused:
            form.add_error("file", refused.message)
        else:
            return redirect("contracts:import_run", run.pk)
    return _runs_page(request, form, status=422)


def _runs_page(request: HttpRequest, form: ImportForm, status: int = 200) -> HttpResponse:
    found = ImportRun.objects.select_related("checked_by", "decided_by").order_by("-pk")
    before = request.GET.get("before", "")
    if before:
        found = found.filter(pk__lt=_number(before))
    page = list(found[: PAGE + 1])
    return render(
        request,
        "contracts/imports.html",
        {
            "tab": "imports",
            "form": form,
            "chosen": form["kind"].value() or "",
            "kinds": [
                (kind, label, " · ".join(str(column.label) for column in columns.COLUMNS[kind]))
                for kind, label in ImportRun.Kind.choices
            ],
            "runs": page[:PAGE],
            "older": f"?before={page[PAGE - 1].pk}" if len(page) > PAGE else "",
            "newer": "?" if before else "",
        },
        status=status,
    )


@importers_only
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """What the dry run found: the totals, then the rows of one verdict, the bad ones first; paged by row number."""
    found = get_object_or_404(ImportRun.objects.select_related("checked_by", "decided_by"), pk=pk)
    verdicts = [
        (verdict, label, getattr(found, verdict)) for verdict, label in _verdict_labels() if getattr(found, verdict)
    ]
    chosen = request.GET.get("verdict", "") or (verdicts[0][0] if verdicts else "")
    if chosen and chosen not in Verdict.values:
        raise BadRequest(_("This address is not complete."))
    after = request.GET.get("after", "")
    rows = found.rows.filter(verdict=chosen).order_by("number")
    if after:
        rows = rows.filter(number__gt=_number(after))
    page = list(rows[: PAGE + 1])
    return render(
        request,
        "contracts/import.html",
        {
            "tab": "imports",
            "run": found,
            "verdicts": verdicts,
            "verdict": chosen,
            "lines": [_line(found.kind, row) for row in page[:PAGE]],
            "first": f"?verdict={chosen}#rows" if after else "",
            "next": f"?verdict={chosen}&after={page[PAGE - 1].number}#rows" if len(page) > PAGE else "",
            "missing": columns.labels_of(found.kind, found.missing_columns),
            "ignored": columns.quoted(found.ignored_columns),
            "sheets": columns.quoted(found.ignored_sheets),
        },
    )


@importers_only
@require_POST
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    """A person decides: import what was shown as good, or drop it. Sent twice, it acts once and says so."""
    found = get_object_or_404(ImportRun, pk=pk)
    by = person(request)
    chosen = request.POST.get("decision", "")
    if chosen not in {"import", "drop"}:
        raise BadRequest(_("This address is not complete."))
    try:
        if chosen == "drop":
            return _dropped(request, found, by)
        _tell(request, found, verbs.carry_out(found, by=by, at=timezone.now()))
    except verbs.NotImported as refused:
        messages.error(request, refused.message)
    except Refused as refused:
        # A rule of the house stopped one row (a contact handed over in this very moment): all of it is taken back.
        messages.error(request, f"{refused.message} {_('Nothing was written.')}")
    return redirect("contracts:import_run", pk)


def _tell(request: HttpRequest, found: ImportRun, outcome: Outcome) -> None:
    if outcome is Outcome.ALREADY:
        messages.info(request, _("This file was imported already. Nothing was imported twice."))
    elif outcome is Outcome.READS_OTHERWISE:
        messages.warning(
            request,
            _("The database has changed since the dry run. Nothing was written: look at the new result and decide."),
        )
    else:
        messages.success(
            request, ngettext("%(count)d row imported", "%(count)d rows imported", found.good) % {"count": found.good}
        )


def _dropped(request: HttpRequest, found: ImportRun, by: User) -> HttpResponseRedirect:
    if verbs.drop(found, by=by, at=timezone.now()):
        messages.success(request, _("Dropped. Nothing was imported, the rows are forgotten."))
    else:
        messages.info(request, _("This file was dropped already."))
    return redirect("contracts:imports")


@importers_only
@require_safe
def bad_rows(request: HttpRequest, pk: str, form: str) -> HttpResponse:
    """The bad rows with their reasons as a file, to mend and send again."""
    found = get_object_or_404(ImportRun, pk=pk)
    return _download(exporting.bad_rows(found, form), exporting.file_name(found, form), form)


@importers_only
@require_safe
def example(request: HttpRequest, kind: str, form: str) -> HttpResponse:
    """A file of two rows to begin with."""
    return _download(exporting.example(kind, form), exporting.example_name(kind, form), form)


def _download(content: bytes, name: str, form: str) -> HttpResponse:
    response = HttpResponse(content, content_type=exporting.TYPES[form])
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _number(text: str) -> int:
    """A number from an address; raises `BadRequest` for what cannot be one."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(_("This address is not complete."))
    return int(text)


def _verdict_labels() -> list[tuple[str, str]]:
    """In the order of the page: what a person has to look at first."""
    return [
        (Verdict.BAD, pgettext("rows", "Bad")),
        (Verdict.CHANGED, pgettext("rows", "Changed")),
        (Verdict.NEW, pgettext("rows", "New")),
        (Verdict.SAME, pgettext("rows", "Same as recorded")),
    ]


def _line(kind: str, row: ImportRow) -> Line:
    titles = {"customers": ("company",), "licences": ("company", "product"), "contacts": ("full_name", "company")}[kind]
    title = " · ".join(row.cells[code] for code in titles if row.cells.get(code))
    return Line(
        number=row.number,
        title=title,
        cells=[
            (columns.label_of(kind, column.code), row.cells[column.code])
            for column in columns.COLUMNS[kind]
            if row.cells.get(column.code) and column.code not in titles
        ],
        problems=_remarks(kind, row.problems),
        warnings=_remarks(kind, row.warnings),
        changes=[
            (
                columns.label_of(kind, change["field"]),
                _shown(change["field"], change["old"]),
                _shown(change["field"], change["new"]),
            )
            for change in row.changes
        ],
    )


def _remarks(kind: str, kept: list[dict]) -> list[tuple[str, str]]:
    remarks = [Remark.of_json(remark) for remark in kept]
    return [(columns.label_of(kind, remark.field) if remark.field else "", remark.words) for remark in remarks]


def _shown(code: str, value: str) -> str:
    """An old or new value as people read it; a dash for none."""
    if not value:
        return "–"
    if code == "cost":
        return euro(Decimal(value))
    if code == "ends_on":
        return date_format(date.fromisoformat(value), "j E Y")
    if code == "responsible":
        return _("yes") if value == "yes" else _("no")
    return value
