"""/a/absences/: who is away now and soon, who stands in, and whom the ladder calls right now (domain §4.4, §7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.absences import (
    AbsenceRefused,
    end_absence,
    looked_after_by,
    now_and_soon,
    plan_absence,
    remove_absence,
)
from accounts.access import only, person
from accounts.models import STAFF_ROLES, Absence, Line, Role, User
from accounts.refusals import Refused
from sla import words
from sla.callees import Callees, Place
from sla.forms.absences import AbsenceForm
from sla.models import Whom

SHOWN = 200  # absences that are not over: more than that many people nobody has
staff_only = only(STAFF_ROLES)
NO_PLACE = Place(0, None, 0, 0, None)


@dataclass(frozen=True)
class Called:
    """A place of the ladder and whom it calls right now; `instead` says who is away, until when."""

    place: str
    person: User | None
    instead: User | None
    until: datetime | None
    reserve: bool = False  # the place has nobody of its own: the support manager stands in


def called_now(now: datetime) -> list[Called]:
    """Whom the ladder calls at this moment: the lead of each line, each CSM, the support manager, top management.

    By the rules of the sweep itself (`Callees`), in a constant number of statements.
    """
    callees = Callees(now)
    asked: list[tuple[str, str, Place]] = [
        (_("Lead of line %(n)d") % {"n": number}, Whom.LINE_LEAD, NO_PLACE._replace(line=number))
        for number in Line.objects.order_by("number").values_list("number", flat=True)
    ]
    csms = User.objects.filter(is_active=True, role=Role.CSM).order_by("full_name", "pk")
    # As the sweep has it for a CSM who is away: the substitute, else the support manager.
    asked += [
        (_("CSM %(name)s") % {"name": csm.short_name}, Whom.ASSIGNEE, NO_PLACE._replace(assignee=csm.pk))
        for csm in csms
    ]
    asked.append((_("Support manager"), Whom.SUPPORT_MANAGER, NO_PLACE))
    asked.append((str(Whom.TOP_MANAGEMENT.label).capitalize(), Whom.TOP_MANAGEMENT, NO_PLACE))
    found = [(place, whom, *callees.person(where, whom)) for place, whom, where in asked]
    keys = {key for _place, _whom, *pair in found for key in pair if key is not None}
    people = User.objects.in_bulk(keys)
    away = {absence.user_id: absence.ends_at for absence in Absence.objects.at(now)}
    return [
        Called(
            place,
            people.get(key) if key is not None else None,
            people.get(instead) if instead is not None else None,
            away.get(instead) if instead is not None else None,
            whom == Whom.LINE_LEAD and instead is None and key is not None and people[key].role == Role.SUPPORT_MANAGER,
        )
        for place, whom, key, instead in found
    ]


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def absences(request: HttpRequest) -> HttpResponse:
    """Who is away now and soon; plans one more."""
    user, now = person(request), timezone.now()
    if request.method != "POST":
        morning = (now.astimezone(words.MOSCOW) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        initial = {"user": user.pk, "starts_at": morning, "ends_at": morning + timedelta(days=1)}
        return _page(request, AbsenceForm(by=user, initial=initial), now)
    form = AbsenceForm(request.POST, by=user)
    if not form.is_valid():
        return _page(request, form, now, status=422)
    fields = form.cleaned_data
    try:
        planned = plan_absence(
            fields["user"],
            starts_at=fields["starts_at"],
            ends_at=fields["ends_at"],
            substitute=fields["substitute"],
            reason=fields["reason"],
            by=user,
            at=now,
        )
    except AbsenceRefused as refusal:
        form.refuse(refusal)
        return _page(request, form, now, status=refusal.status)
    messages.success(request, _("Planned: %(name)s is away") % {"name": planned.user.full_name})
    return redirect("promises:absences")


def _page(
    request: HttpRequest, form: AbsenceForm, now: datetime, status: int = 200, refusal: Refused | None = None
) -> HttpResponse:
    user = person(request)
    mine = set(looked_after_by(user).values_list("pk", flat=True))
    found = [(absence, absence.user_id in mine) for absence in now_and_soon(now)[:SHOWN]]
    return render(
        request,
        "sla/absences.html",
        {
            "tab": "absences",
            "now": now,
            "away": [(one, may) for one, may in found if one.starts_at <= now],
            "soon": [(one, may) for one, may in found if one.starts_at > now],
            "called": called_now(now),
            "form": form,
            "refusal": refusal,
        },
        status=status,
    )


@staff_only
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Back already."""
    absence = get_object_or_404(Absence, pk=pk)
    user, now = person(request), timezone.now()
    try:
        end_absence(absence, by=user, at=now)
    except Refused as refusal:
        return _page(request, AbsenceForm(by=user), now, refusal.status, refusal)
    messages.success(request, _("The absence is over: the person is called again"))
    return redirect("promises:absences")


@staff_only
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """A planned one is not taken."""
    absence = get_object_or_404(Absence, pk=pk)
    user, now = person(request), timezone.now()
    try:
        remove_absence(absence, by=user, at=now)
    except Refused as refusal:
        return _page(request, AbsenceForm(by=user), now, refusal.status, refusal)
    messages.success(request, _("The planned absence is removed"))
    return redirect("promises:absences")
