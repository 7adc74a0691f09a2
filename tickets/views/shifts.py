"""/w/shift/: who is on which line, the week, and how a lead plans it; relieving somebody who is away (direction §4)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import planning, roster
from accounts.access import desk_only, person
from accounts.models import Absence, DayOff, ExtraShift, Line, Shift, User
from accounts.refusals import Refused
from accounts.roster import MOSCOW
from contracts.models import Product
from sla.calendars import weekday
from tickets import shift_page, workflow
from tickets.forms import shifts as forms
from tickets.models import Ticket
from tickets.next_engineer import load_of
from tickets.skills import known_by, set_skills
from tickets.views.desk import SeeOther

RELIEVED_AT_ONCE = 200


@desk_only
@require_safe
def shift(request: HttpRequest) -> HttpResponse:
    """Who is on which line now, who comes next, and what each person has open."""
    user, now = person(request), timezone.now()
    found, people = roster.read_at(now), shift_page.people_with_load(now)
    lines = list(Line.objects.order_by("number"))
    edits = set(planning.planned_by(user))
    there = {span.person: span for span in found.at(now)}
    away = list(Absence.objects.at(now).filter(user__in=list(people)).select_related("substitute").order_by("ends_at"))
    is_away = {one.user_id for one in away}
    return render(
        request,
        "desk/shift.html",
        {
            "place": "now",
            "lines": shift_page.lines_now(lines, found, people, edits, now),
            "load": [(one, load_of(one), pk in there, pk in is_away) for pk, one in people.items()],
            "away": [
                (one, people[one.user_id], load_of(people[one.user_id]), _leads(edits, people[one.user_id]))
                for one in away
            ],
            "now": now,
        },
    )


def _leads(edits: set[int], one: User) -> bool:
    return any(line.pk in edits for line in one.lines.all())


@desk_only
@require_safe
def week(request: HttpRequest) -> HttpResponse:
    """The week as it will be: `?from=2026-11-16`, `?line=2`."""
    now = timezone.now()
    monday = shift_page.monday_of(_day(request.GET.get("from", "")) or now.astimezone(MOSCOW).date())
    chosen = request.GET.get("line", "")
    line = int(chosen) if chosen in {"1", "2", "3", "4"} else None
    since = datetime(monday.year, monday.month, monday.day, tzinfo=MOSCOW)
    people = shift_page.people_with_load(now)
    days = shift_page.week_days(monday, now)
    until = since + timedelta(days=7)
    found = roster.read(since, until)
    absences = Absence.objects.filter(starts_at__lt=until, ends_at__gt=since, user__in=list(people))
    return render(
        request,
        "desk/shift_week.html",
        {
            "place": "week",
            "days": days,
            "rows": shift_page.week_of(
                days, found, absences.select_related("substitute").order_by("starts_at"), people, line
            ),
            "lines": list(Line.objects.order_by("number")),
            "line": line,
            "monday": monday,
            "before": monday - timedelta(days=7),
            "after": monday + timedelta(days=7),
            "edits": planning.planned_by(person(request)),
        },
    )


def _day(written: str) -> date | None:
    try:
        day = date.fromisoformat(written)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def _line(request: HttpRequest, number: int) -> Line:
    line = get_object_or_404(Line, pk=number)
    if line.pk not in planning.planned_by(person(request)):
        raise PermissionDenied(_("Shifts are planned by the lead of the line and by the support manager."))
    return line


def _form(kind: str, line: Line, now: datetime, *data: Any) -> Any:
    people = planning.people_of([line.pk])
    today = now.astimezone(MOSCOW).date()
    if kind == "extra":
        start = now.astimezone(MOSCOW).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        initial = {"starts_at": start, "ends_at": start + timedelta(hours=4)}
        return forms.ExtraForm(*data, people=people, initial=initial)
    if kind == "off":
        return forms.DayOffForm(*data, people=people, initial={"on": today + timedelta(days=1)})
    return forms.PatternForm(*data, people=people, initial={"since": today, "weekdays": [0, 1, 2, 3, 4]})


def _page(
    request: HttpRequest, line: Line, now: datetime, sent: Any = None, status: int = 200, refusal: Refused | None = None
) -> HttpResponse:
    kinds = {"pattern": forms.PatternForm, "extra": forms.ExtraForm, "off": forms.DayOffForm}
    shown = {kind: sent if isinstance(sent, made) else _form(kind, line, now) for kind, made in kinds.items()}
    today = now.astimezone(MOSCOW).date()
    people = list(planning.people_of([line.pk]))
    products = list(Product.objects.order_by("name", "pk"))
    skills_form = forms.SkillsForm(people=people, products=products, known=known_by(people))
    patterns = (
        Shift.objects.filter(line=line, evening__isnull=True)
        .exclude(until__lt=today)
        .select_related("user", "after_midnight")
        .order_by("user__full_name", "user", "weekday", "starts")
    )
    return render(
        request,
        "desk/shift_edit.html",
        {
            "line": line,
            "forms": shown,
            "patterns": [(row, _pattern_words(row)) for row in patterns],
            "extra": list(
                ExtraShift.objects.filter(line=line, ends_at__gt=now).select_related("user", "instead_of__user")
            ),
            "off": list(
                DayOff.objects.filter(user__in=people, on__gte=today)
                .select_related("user")
                .prefetch_related("worked_by__user")
            ),
            "products": products,
            "skills": [(one, [skills_form[f"{one.pk}_{product.pk}"] for product in products]) for one in people],
            "choosing": forms.ChoosingForm(initial={"choosing": line.choosing}),
            "refusal": refusal,
            "sent": sent,
        },
        status=status,
    )


def _pattern_words(row: Shift) -> str:
    morning = getattr(row, "after_midnight", None)
    hours = shift_page.minutes_words(row.starts, morning.ends if morning else row.ends)
    return f"{weekday(row.weekday)}, {hours}"


def _do(request: HttpRequest, line: Line, form: Any, verb: Callable[..., Any], said: str) -> HttpResponse:
    """One form, one verb, and the page again with what was typed where it was refused."""
    now = timezone.now()
    if not form.is_valid():
        return _page(request, line, now, form, 422)
    fields = dict(form.cleaned_data)
    try:
        verb(fields.pop("person"), by=person(request), at=now, **fields)
    except Refused as refusal:
        return _page(request, line, now, form, refusal.status, refusal)
    messages.success(request, said)
    return SeeOther(reverse("desk:shift_edit", args=[line.pk]))


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, line: int) -> HttpResponse:
    """The pattern of a line, and everything else about its people that a lead plans."""
    found, now = _line(request, line), timezone.now()
    if request.method != "POST":
        return _page(request, found, now)
    form = _form("pattern", found, now, request.POST)

    def plan(who: User, **fields: Any) -> None:
        planning.plan_shift(who, line=found, **fields)

    return _do(request, found, form, plan, _("The shift is planned"))


@desk_only
@require_POST
def change(request: HttpRequest, line: int) -> HttpResponse:
    """A single day: one shift more, or a day off with or without somebody instead."""
    found, now = _line(request, line), timezone.now()
    if request.POST.get("kind") == "extra":
        form = _form("extra", found, now, request.POST)
        return _do(
            request,
            found,
            form,
            lambda who, **said: planning.add_extra(who, line=found, **said),
            _("The shift is added"),
        )
    form = _form("off", found, now, request.POST)
    return _do(request, found, form, planning.take_day_off, _("The day is changed"))


@desk_only
@require_POST
def remove(request: HttpRequest, line: int) -> HttpResponse:
    """A pattern ends yesterday, or a change of one day is undone."""
    found, now = _line(request, line), timezone.now()
    kind, pk = request.POST.get("kind", ""), request.POST.get("pk", "")
    if not pk.isdecimal() or len(pk) > 18:
        raise Http404
    try:
        if kind == "pattern":
            row = get_object_or_404(Shift, pk=pk, line=found)
            yesterday = now.astimezone(MOSCOW).date() - timedelta(days=1)
            planning.end_shift(row, last_day=yesterday, by=person(request), at=now)
        elif kind == "off":
            off = get_object_or_404(DayOff, pk=pk, user__in=planning.people_of([found.pk]))
            planning.undo_change(off, by=person(request), at=now)
        else:
            planning.undo_change(get_object_or_404(ExtraShift, pk=pk, line=found), by=person(request), at=now)
    except Refused as refusal:
        return _page(request, found, now, None, refusal.status, refusal)
    messages.success(request, _("Removed"))
    return SeeOther(reverse("desk:shift_edit", args=[found.pk]))


@desk_only
@require_POST
def skills(request: HttpRequest, line: int) -> HttpResponse:
    """Which products the people of the line know, and how well."""
    found = _line(request, line)
    people, products = list(planning.people_of([found.pk])), list(Product.objects.order_by("name", "pk"))
    form = forms.SkillsForm(request.POST, people=people, products=products, known={})
    if not form.is_valid():
        return _page(request, found, timezone.now(), None, 422, Refused(_("Choose a level for each.")))
    pairs = {tuple(map(int, name.split("_"))): int(level) for name, level in form.cleaned_data.items()}
    set_skills(found.pk, {(who, product): level for (who, product), level in pairs.items()}, by=person(request))
    messages.success(request, _("The skills are kept"))
    return SeeOther(reverse("desk:shift_edit", args=[found.pk]))


@desk_only
@require_POST
def choosing_of_line(request: HttpRequest, line: int) -> HttpResponse:
    """Whether the next engineer is suggested, assigned at once, or neither."""
    found = _line(request, line)
    form = forms.ChoosingForm(request.POST)
    if not form.is_valid():
        return _page(request, found, timezone.now(), None, 422, Refused(_("Choose one of the three.")))
    Line.objects.filter(pk=found.pk).update(choosing=form.cleaned_data["choosing"])
    messages.success(request, pgettext("saved", "Kept"))
    return SeeOther(reverse("desk:shift_edit", args=[found.pk]))


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def away(request: HttpRequest, pk: int) -> HttpResponse:
    """The open tickets of who is away: shown, and by POST given to the stand-in or the next, each by its own verb."""
    user, now = person(request), timezone.now()
    absence = get_object_or_404(Absence.objects.at(now).select_related("user", "substitute"), pk=pk)
    lines = planning.planned_by(user)
    if not absence.user.lines.filter(pk__in=lines).exists():
        raise PermissionDenied(_("The lead of the line and the support manager relieve who is away."))
    held = Ticket.objects.visible_to(user).open().filter(assignee=absence.user_id)
    tickets = list(held.select_related("assignee", "customer").by_deadline()[:RELIEVED_AT_ONCE])
    results = [_relieved(one, by=user, at=now) for one in tickets] if request.method == "POST" else []
    if results:
        done = sum(1 for _ticket, _said, moved in results if moved)
        said = ngettext("%(count)d request has somebody new", "%(count)d requests have somebody new", done)
        messages.success(request, said % {"count": done})
    context = {"absence": absence, "tickets": tickets, "results": results}
    return render(request, "desk/shift_away.html", context)


def _relieved(ticket: Ticket, *, by: User, at: datetime) -> tuple[Ticket, str, bool]:
    try:
        moved = workflow.relieve(ticket, by=by, at=at)
    except Refused as refusal:
        return ticket, refusal.message, False
    return moved, moved.assignee.full_name if moved.assignee else "", True
