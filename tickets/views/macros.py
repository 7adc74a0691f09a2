"""The page of macros: one's own and the shared ones, each with its preview on a real request."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import desk_only, person
from accounts.models import User
from tickets import macros as variables
from tickets.forms.macros import MacroForm
from tickets.models import Macro, Ticket
from tickets.models.macros import KEEPERS
from tickets.views.answers import SeeOther


@desk_only
@require_safe
def macros(request: HttpRequest) -> HttpResponse:
    """All that this person may use: their own first, then the shared ones, with how often each was sent."""
    user = person(request)
    found = list(
        Macro.objects.visible_to(user).select_related("line", "owner").order_by("owner", "position", "title", "pk")
    )
    rows = [
        (macro, ", ".join(variables.does(macro)), macro.owner_id == user.pk or user.role in KEEPERS) for macro in found
    ]
    own = [row for row in rows if row[0].owner_id is not None]
    shared = [row for row in rows if row[0].owner_id is None]
    return render(request, "desk/macros.html", {"own": own, "shared": shared, "shares": user.role in KEEPERS})


@desk_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    return edited(request, Macro())


@desk_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The macro with its preview; who may not change it reads it as a missing one."""
    return edited(request, get_object_or_404(Macro.objects.editable_by(person(request)), pk=pk))


def edited(request: HttpRequest, macro: Macro) -> HttpResponse:
    """The form; `preview` names a request on which the words are shown, and saves nothing."""
    user = person(request)
    form = MacroForm(request.POST or None, instance=macro, user=user)
    previewed = "preview" in request.POST
    if request.method == "POST" and form.is_valid() and not previewed:
        kept = form.save()
        messages.success(request, _("Kept: %(title)s") % {"title": kept.title})
        return SeeOther(reverse("desk:macros"))
    number = request.POST.get("number", "")
    context = {
        "form": form,
        "macro": macro,
        "pk": macro.pk,
        "variables": variables.VARIABLES.items(),
        "number": number,
        "preview": preview(user, form, number) if previewed else None,
    }
    return render(request, "desk/macro.html", context, status=422 if form.errors and not previewed else 200)


def preview(user: User, form: MacroForm, number: str) -> dict[str, Any]:
    """What the words would say in the request of this number, in its language; without one in one's last own."""
    tickets = Ticket.objects.visible_to(user).select_related("customer", "contact", "product")
    if number.isdecimal() and len(number) < 19:
        ticket = tickets.filter(number=number).first()
    else:
        ticket = tickets.filter(assignee=user).order_by("-changed_at").first() or tickets.order_by("-pk").first()
    if ticket is None:
        return {"missing": True}
    said = {name: form.cleaned_data.get(name) or "" for name in ("body_ru", "body_en")}
    macro = Macro(**said)
    return {"ticket": ticket, "body": variables.rendered(macro, ticket, by=user, now=timezone.now())}


@desk_only
@require_POST
def removal(request: HttpRequest, pk: int) -> HttpResponse:
    """The macro is gone; what was said with it stays said."""
    macro = get_object_or_404(Macro.objects.editable_by(person(request)), pk=pk)
    macro.delete()
    messages.success(request, _("Deleted: %(title)s") % {"title": macro.title})
    return SeeOther(reverse("desk:macros"))
