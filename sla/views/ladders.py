"""/a/ladder/: who is called in as a promise runs out; changed here after a look at last month (domain §4.4, §7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import only, person
from accounts.models import Role
from contracts.models import Package, PromiseKind
from sla import ladder_preview, ladders, words
from sla.forms.ladders import LadderForm, initial_of, without_row
from sla.ladder import MOSCOW, Step
from sla.ladder_preview import Preview, Scope
from sla.ladders import RUNGS, LadderRefused
from sla.models import Ladder, LadderChange, Whom

PAGE = 30
readers_only = only(ladders.READERS)
editors_only = only({Role.ADMIN})


@dataclass(frozen=True)
class RungCell:
    """A rung in words: whom, how long it waits, when it is quiet."""

    percent: int
    whom: str
    waits: str
    quiet: str


@dataclass(frozen=True)
class LadderRow:
    """A ladder of a promise: for whom it counts, and its rungs by percent."""

    ladder: Ladder
    scope: str
    cells: list[list[RungCell]]


@dataclass(frozen=True)
class LadderTable:
    """The ladders of one promise: the percents are its columns."""

    kind: str
    label: str
    percents: list[int]
    rows: list[LadderRow]


def scope_words(package: Package | None, priority: int | None) -> str:
    """For whom a ladder counts: "Premium, priority 1", "any package, any priority"."""
    of_package = package.name if package is not None else _("any package")
    of_priority = _("priority %(n)d") % {"n": priority} if priority is not None else _("any priority")
    return f"{of_package}, {of_priority}"


def rung_words(step: Step) -> RungCell:
    waits = ngettext("%(n)d minute to take it", "%(n)d minutes to take it", step.within or 0) % {"n": step.within or 0}
    quiet = ""
    if step.quiet is not None:
        quiet = _("quiet %(from)s–%(to)s") % {"from": f"{step.quiet[0]:%H:%M}", "to": f"{step.quiet[1]:%H:%M}"}
    return RungCell(step.percent, str(Whom(step.whom).label), waits if step.within else "", quiet)


def _table(kind: str, rows: Sequence[Ladder]) -> LadderTable:
    rungs = {row.pk: [rung_words(step) for step in ladders.steps_of(row)] for row in rows}
    percents = sorted({rung.percent for found in rungs.values() for rung in found})
    return LadderTable(
        kind,
        words.promise(kind),
        percents,
        [
            LadderRow(
                row,
                scope_words(row.package, row.priority),
                [[rung for rung in rungs[row.pk] if rung.percent == percent] for percent in percents],
            )
            for row in rows
        ],
    )


@readers_only
@require_safe
def all_ladders(request: HttpRequest) -> HttpResponse:
    """Every ladder as cells of percent and whom, and who changed which, when."""
    found = list(Ladder.objects.select_related("package").prefetch_related("steps"))
    found.sort(key=lambda row: (row.package.position if row.package else -1, row.priority or 0))
    log = LadderChange.objects.select_related("package", "made_by")
    if before := request.GET.get("before", ""):
        anchor = LadderChange.objects.filter(pk=before).first() if before.isdigit() and len(before) < 19 else None
        if anchor is None:
            raise BadRequest(_("This address is not complete."))
        log = log.filter(Q(made_at__lt=anchor.made_at) | Q(made_at=anchor.made_at, pk__lt=anchor.pk))
    page = list(log[: PAGE + 1])
    return render(
        request,
        "sla/ladders.html",
        {
            "tab": "ladders",
            "tables": [_table(kind, [row for row in found if row.kind == kind]) for kind in PromiseKind.values],
            "log": [_told(change) for change in page[:PAGE]],
            "older": f"?before={page[PAGE - 1].pk}#log" if len(page) > PAGE else "",
            "newer": "?#log" if before else "",
            "may_edit": person(request).role == Role.ADMIN,
        },
    )


def _told(change: LadderChange) -> dict[str, Any]:
    return {
        "change": change,
        "promise": words.promise(change.kind),
        "scope": scope_words(change.package, change.priority),
        "before": [_rung_told(rung) for rung in change.before],
        "after": [_rung_told(rung) for rung in change.after],
    }


def _rung_told(rung: Mapping[str, Any]) -> str:
    """A rung of the record, in short: "75% the line lead, 15 minutes to take it, quiet 22:00–08:00"."""
    whom = rung["whom"]
    parts = [f"{rung['percent']}% {Whom(whom).label if whom in Whom.values else whom}"]
    if rung["within"]:
        parts.append(
            ngettext("%(n)d minute to take it", "%(n)d minutes to take it", rung["within"]) % {"n": rung["within"]}
        )
    if rung["quiet"]:
        parts.append(_("quiet %(from)s–%(to)s") % {"from": rung["quiet"][0], "to": rung["quiet"][1]})
    return ", ".join(parts)


# One ladder


@editors_only
@require_http_methods(["GET", "HEAD", "POST"])
def ladder(request: HttpRequest, pk: int) -> HttpResponse:
    """The rungs of a ladder as rows; then the preview; then, if wanted, the change."""
    found = get_object_or_404(Ladder.objects.select_related("package").prefetch_related("steps"), pk=pk)
    return _edit(request, found, ladders.steps_of(found))


@editors_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A ladder of its own for a package or a priority; begins with the rungs of the general one of the kind."""
    kind = request.GET.get("kind", "")
    if kind not in PromiseKind.values:
        kind = PromiseKind.REACTION
    general = Ladder.objects.filter(kind=kind, package=None, priority=None).prefetch_related("steps").first()
    return _edit(request, None, ladders.steps_of(general) if general else [], {"kind": kind})


def _edit(
    request: HttpRequest, found: Ladder | None, steps: Sequence[Step], more: Mapping[str, Any] | None = None
) -> HttpResponse:
    now = timezone.now()
    today = now.astimezone(MOSCOW).date()
    made: dict[str, Any] = {"today": today, "is_new": found is None}
    if request.method != "POST":
        first, last = ladder_preview.last_month(now)
        initial = {**initial_of(steps), "first": first, "last": last, **(more or {})}
        return _form(request, found, LadderForm(initial=initial, rows=max(len(steps), 1), **made))
    go = request.POST.get("go", "")
    # PostgreSQL takes no NUL, and nobody sees one.
    typed = {name: str(value).replace("\0", "") for name, value in request.POST.items()}
    written = typed.get("rows", "")
    rows = min(int(written), RUNGS) if written.isdigit() and len(written) < 4 else max(len(steps), 1)
    if go == "add":
        return _form(request, found, _typed(typed, rows + 1, made))
    if go.startswith("remove:") and go[7:].isdigit() and len(go) < 12:
        return _form(request, found, _typed(without_row(typed, rows, int(go[7:])), max(rows - 1, 1), made))
    if go == "back":
        return _form(request, found, _typed(typed, rows, made))
    form = LadderForm(typed, rows=rows, **made)
    if not form.is_valid():
        return _form(request, found, form, status=422)
    if go != "apply":
        return _preview(request, found, form, now)
    try:
        if found is not None:
            ladders.change_ladder(found, steps=form.steps, by=person(request), at=now)
        else:
            ladders.new_ladder(
                form.cleaned_data["kind"], form.package, form.priority, form.steps, by=person(request), at=now
            )
    except LadderRefused as refusal:
        form.refuse(refusal)
        return _form(request, found, form, status=refusal.status)
    messages.success(request, _("The ladder is changed: promises that begin from now on climb it"))
    return redirect("promises:ladders")


def _typed(typed: Mapping[str, str], rows: int, made: Mapping[str, Any]) -> LadderForm:
    """What was typed as first values: a row more or less is no reason to say what is wrong."""
    return LadderForm(initial=typed, rows=rows, **made)


def _form(request: HttpRequest, found: Ladder | None, form: LadderForm, status: int = 200) -> HttpResponse:
    context = {
        "tab": "ladders",
        "ladder": found,
        "scope": scope_words(found.package, found.priority) if found else "",
        "promise": words.promise(found.kind) if found else "",
        "form": form,
        "may_remove": found is not None and (found.package_id is not None or found.priority is not None),
        "is_full": form.rows >= RUNGS,
    }
    return render(request, "sla/ladder_form.html", context, status=status)


def _preview(request: HttpRequest, found: Ladder | None, form: LadderForm, now: datetime) -> HttpResponse:
    package, priority = (found.package, found.priority) if found else (form.package, form.priority)
    kind = found.kind if found else form.cleaned_data["kind"]
    scope = Scope(kind, package.pk if package else None, priority)
    if found is None:
        taken = Ladder.objects.filter(kind=kind, package=package, priority=priority).exists()
        if taken or (package is None and priority is None):
            problem = (
                _("There is a ladder for exactly this: change that one.")
                if taken and (package or priority)
                else _("Choose a package or a priority: the general ladder is there.")
            )
            form.add_error("package", problem)
            return _form(request, found, form, status=422)
    last = form.cleaned_data["last"]
    counted = ladder_preview.preview(scope, form.steps, first=form.cleaned_data["first"], last=last, now=now)
    return render(
        request,
        "sla/ladder_preview.html",
        {
            "tab": "ladders",
            "ladder": found,
            "promise": words.promise(kind),
            "scope": scope_words(package, priority),
            "form": form,
            "steps": [rung_words(step) for step in form.steps],
            "remarks": ladders.remarks_of(form.steps, priority),
            "is_same": found is not None and ladders.steps_of(found) == form.steps,
            **_counted(counted, now),
        },
    )


def _counted(counted: Preview, now: datetime) -> dict[str, Any]:
    return {
        "counted": counted,
        "headline": headline(counted, now),
        "is_going_on": counted.last >= now.astimezone(MOSCOW).date(),
    }


def headline(counted: Preview, now: datetime) -> str:
    """ "With this ladder, last month would have called top management 7 times (it was 4)"."""
    times = {
        "would": ngettext("%(n)d time", "%(n)d times", counted.top.would) % {"n": counted.top.would},
        "was": counted.top.was,
    }
    if (counted.first, counted.last) == ladder_preview.last_month(now):
        return _("With this ladder, last month would have called top management %(would)s (it was %(was)d)") % times
    return _("With this ladder, these days would have called top management %(would)s (it was %(was)d)") % times


@editors_only
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """A particular ladder goes: what last month would have been with the one that serves instead; then the removal."""
    found = get_object_or_404(Ladder.objects.select_related("package").prefetch_related("steps"), pk=pk)
    now = timezone.now()
    if request.method == "POST":
        ladders.remove_ladder(found, by=person(request), at=now)
        messages.success(request, _("The ladder is removed: promises that begin from now on climb a more general one"))
        return redirect("promises:ladders")
    instead = ladders.next_best(found)
    steps = ladders.steps_of(instead) if instead else []
    first, last = ladder_preview.last_month(now)
    counted = ladder_preview.preview(ladder_preview.scope_of(found), steps, first=first, last=last, now=now)
    return render(
        request,
        "sla/ladder_remove.html",
        {
            "tab": "ladders",
            "ladder": found,
            "is_general": found.package_id is None and found.priority is None,
            "promise": words.promise(found.kind),
            "scope": scope_words(found.package, found.priority),
            "instead": scope_words(instead.package, instead.priority) if instead else "",
            "steps": [rung_words(step) for step in steps],
            **_counted(counted, now),
        },
    )
