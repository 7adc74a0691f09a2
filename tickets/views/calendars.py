"""An edit of a calendar: the form with its proposals, the preview, the decision, what became of it (domain §4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import only, person
from accounts.models import STAFF_ROLES, Role
from accounts.refusals import Refused
from sla import calendars, ics, words
from sla.calendars import Edit, NotEdited, Proposal, as_edit
from sla.forms.calendars import CalendarForm, ToolsForm, days_words, initial_of
from sla.models import Calendar
from tickets import calendar_changes
from tickets.calendar_changes import totals, why_left
from tickets.models import CalendarChange, CalendarItem

PAGE = 50

editors_only = only({Role.ADMIN})
staff_only = only(STAFF_ROLES)


# The form


@dataclass(frozen=True)
class Notice:
    """What a button of the form did to the days, before anything is written."""

    title: str
    days: list[str]
    remarks: list[str]


@editors_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, code: str) -> HttpResponse:
    """A calendar as a form. Its buttons propose days into it; nothing is written but the preview that follows."""
    found = get_object_or_404(Calendar, code=code)
    now = timezone.now()
    latest = found.versions.latest("valid_from")
    notice: Notice | None = None
    status = 200
    tools = ToolsForm(initial={"year": now.astimezone(words.MOSCOW).year + 1})
    if request.method == "POST":
        form = CalendarForm(request.POST)
        go = request.POST.get("go", "preview")
        if go == "preview":
            change = _begun(request, found, form, now)
            if change is not None:
                return redirect("calendar_changes:change", change.pk)
            status = 422
        else:
            tools = ToolsForm(request.POST, request.FILES)
            form, notice = _proposed(form, tools, go)
            status = 200 if notice else 422
    else:
        form = CalendarForm(initial=_initial(request, found, latest))
    context = {
        "tab": "calendars",
        "calendar": found,
        "latest": latest,
        "form": form,
        "tools": tools,
        "notice": notice,
        "is_planned": latest.valid_from > now,
    }
    return render(request, "sla/calendar_edit.html", context, status=status)


def _initial(request: HttpRequest, calendar: Calendar, latest: Any) -> dict[str, Any]:
    """The latest version; or what was typed before a preview that the person went back from."""
    if earlier := request.GET.get("from", ""):
        change = get_object_or_404(calendar.changes, pk=_number(earlier))
        return initial_of(Edit.from_json(change.edit), change.reason)
    return initial_of(as_edit(latest))


def _begun(request: HttpRequest, calendar: Calendar, form: CalendarForm, now: datetime) -> CalendarChange | None:
    if not form.is_valid():
        return None
    try:
        change = calendar_changes.begin(
            calendar, form.as_edit(), reason=form.cleaned_data["reason"], by=person(request), at=now
        )
    except NotEdited as refusal:
        form.add_problems(refusal.problems)
        return None
    calendar_changes.advance(change, at=now)
    return change


def _proposed(form: CalendarForm, tools: ToolsForm, go: str) -> tuple[CalendarForm, Notice | None]:
    """The form with what the button did to its days; no notice where it was refused, then the words are in `tools`."""
    form.is_valid()
    typed = form.as_edit()
    tools.is_valid()
    if tools.errors:
        return form, None
    try:
        changed, notice = _pressed(typed, tools, go)
    except NotEdited as refusal:
        tools.add_problems(refusal.problems)
        return CalendarForm(initial=_as_typed(form)), None
    except ics.NotRead as refusal:
        tools.add_error("file", refusal.message)
        return CalendarForm(initial=_as_typed(form)), None
    days = initial_of(changed)
    return CalendarForm(initial=_as_typed(form) | {name: days[name] for name in ("holidays", "overrides")}), notice


def _as_typed(form: CalendarForm) -> dict[str, Any]:
    return {name: form.data.get(name, "") for name in form.fields}


def _pressed(typed: Edit, tools: ToolsForm, go: str) -> tuple[Edit, Notice]:
    if go in {"off", "plain"}:
        first, last = tools.range()
        changed = calendars.with_range(typed, first, last, off=go == "off")
        told = calendars.range_words(first.isoformat(), last.isoformat())
        title = _("Days off: %(days)s.") if go == "off" else _("Days like every week: %(days)s.")
        return changed, Notice(title % {"days": told}, [], [])
    if go not in {"russia", "forget", "ics"}:
        raise BadRequest(_("This address is not complete."))
    year = tools.chosen_year()
    if go == "forget":
        changed = calendars.without_year(typed, year)
        count = len(typed.holidays) - len(changed.holidays) + len(typed.overrides or {}) - len(changed.overrides or {})
        title = ngettext("%(n)d day of %(year)d taken out.", "%(n)d days of %(year)d taken out.", count)
        return changed, Notice(title % {"n": count, "year": year}, [], [])
    proposal = calendars.holidays_of_russia(year) if go == "russia" else ics.read(tools.data_of_file(), {year})
    accepted = calendars.accept(typed, proposal)
    return accepted.edit, _proposal_notice(proposal, accepted)


def _proposal_notice(proposal: Proposal, accepted: calendars.Accepted) -> Notice:
    count = len(accepted.added)
    title = ngettext("%(n)d day off is new below.", "%(n)d days off are new below.", count) % {"n": count}
    if accepted.opened:
        worked = len(accepted.opened)
        title += " " + ngettext(
            "%(n)d weekend day is worked instead.", "%(n)d weekend days are worked instead.", worked
        ) % {"n": worked}
    new = set(accepted.added)
    days = days_words([(day, name) for day, name in proposal.days if day.isoformat() in new])
    return Notice(title, days, list(proposal.remarks))


@editors_only
@require_POST
def withdraw(request: HttpRequest, code: str, pk: int) -> HttpResponse:
    """A version that does not hold yet is taken back."""
    found = get_object_or_404(Calendar, code=code)
    version = get_object_or_404(found.versions, pk=pk)
    try:
        calendars.withdraw(version, by=person(request), at=timezone.now())
    except NotEdited as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, _("The planned version was withdrawn."))
    return redirect("promises:calendar", code)


# The preview, the decision, what became of it


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """What the edit moves; the administrator decides here. Afterwards: how far it is, and what was left."""
    rows = CalendarChange.objects.select_related("calendar", "version", "made_by", "decided_by")
    found = get_object_or_404(rows, pk=pk)
    if request.method == "POST":
        return _decided(request, found)
    return _page(request, found)


def _decided(request: HttpRequest, found: CalendarChange) -> HttpResponse:
    user, now = person(request), timezone.now()
    go = request.POST.get("go", "")
    try:
        if go == "again":
            calendar_changes.begin_again(found, by=user, at=now)
        elif go == "apply":
            calendar_changes.decide(found, scope=request.POST.get("scope", ""), by=user, at=now)
        else:
            raise BadRequest(_("This address is not complete."))
    except Refused as refusal:
        if refusal.status == 403:
            raise
        found.refresh_from_db()
        return _page(request, found, refusal=refusal)
    found.refresh_from_db()
    calendar_changes.advance(found, at=now)
    return redirect(request.path)


@dataclass(frozen=True)
class Move:
    """One promise of a ticket as the pages show it (templates/packages/_moves.html)."""

    promise: str
    old: str
    new: str
    is_missed: bool


def _moves(item: CalendarItem, now: datetime) -> list[Move]:
    def moment(written: str) -> str:
        return words.moment(datetime.fromisoformat(written), words.MOSCOW, now, "date")

    return [
        Move(words.promise(one["kind"]), moment(one["from"]), moment(one["to"]), one["missed"])
        for one in item.moves
        if one["from"] != one["to"]
    ]


def _page(request: HttpRequest, found: CalendarChange, *, refusal: Refused | None = None) -> HttpResponse:
    now = timezone.now()
    edit = Edit.from_json(found.edit)
    before = found.calendar.versions.order_by("-valid_from")
    base = (before.filter(valid_from__lt=found.version.valid_from) if found.version else before).first()
    context: dict[str, Any] = {
        "tab": "calendars",
        "now": now,
        "change": found,
        "edit": edit,
        "differences": calendars.differences(as_edit(base), edit) if base else [],
        "may_edit": person(request).role == Role.ADMIN,
        "refusal": refusal,
    }
    status = refusal.status if refusal else 200
    if found.state == CalendarChange.State.COUNTING:
        context["counted"] = found.items.count()
        return render(request, "sla/calendar_counting.html", context, status=status)
    items = found.items.select_related("ticket__customer").order_by("-missed", "-shift", "pk")
    if found.decided_at is not None:
        return _result(request, found, items, context)
    items = items.filter(shift__gt=0)
    page, after = _paged(request, items)
    whole = totals(found)
    context |= {
        "totals": whole,
        "headline": headline(whole.moved, whole.missed),
        "rows": [(item, _moves(item, now)) for item in page],
        "after": after,
        "is_further": "after" in request.GET,
        "scope": request.POST.get("scope") or "new",
    }
    return render(request, "sla/calendar_preview.html", context, status=status)


def _result(
    request: HttpRequest, found: CalendarChange, items: QuerySet[CalendarItem], context: dict[str, Any]
) -> HttpResponse:
    is_open = found.scope == CalendarChange.Scope.OPEN
    counted = found.items.aggregate(
        applied=Count("pk", filter=Q(outcome="applied")),
        left=Count("pk", filter=Q(outcome="skipped")),
        waiting=Count("pk", filter=Q(outcome="")),
    )
    shown = "skipped" if request.GET.get("show") == "skipped" else "applied"
    page, after = _paged(request, items.filter(outcome=shown)) if is_open else ([], "")
    context |= {
        "counted": counted,
        "is_open": is_open,
        "waiting": counted["waiting"] if is_open else 0,
        "shown": shown,
        "rows": [(item, _moves(item, context["now"]), why_left(item)) for item in page],
        "after": after,
        "is_further": "after" in request.GET,
    }
    return render(request, "sla/calendar_result.html", context)


def _paged(request: HttpRequest, items: QuerySet[CalendarItem]) -> tuple[list[CalendarItem], str]:
    """A page by keyset (missed, shift, id); `calendar_item_list` is the index. And the key of the next, "" for none."""
    if after := request.GET.get("after", ""):
        parts = after.split("-")
        if len(parts) != 3:
            raise BadRequest(_("This address is not complete."))
        missed, shift, key = (_number(part) for part in parts)
        items = items.filter(
            Q(missed__lt=missed) | Q(missed=missed, shift__lt=shift) | Q(missed=missed, shift=shift, pk__gt=key)
        )
    page = list(items[: PAGE + 1])
    last = page[PAGE - 1] if len(page) > PAGE else None
    return page[:PAGE], f"{last.missed}-{last.shift}-{last.pk}" if last else ""


def headline(moved: int, missed: int) -> str:
    """“37 deadlines move, 4 become missed” (domain §4)."""
    moves = ngettext("%(count)d deadline moves", "%(count)d deadlines move", moved) % {"count": moved}
    become = ngettext("%(count)d becomes missed", "%(count)d become missed", missed) % {"count": missed}
    return _("%(moves)s, %(missed)s") % {"moves": moves, "missed": become}


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(_("This address is not complete."))
    return int(text)
