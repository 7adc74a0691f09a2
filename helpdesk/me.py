"""A person's own page, for customers and staff alike: name, language, zone, theme, and how they sign in (domain §7)."""

from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from allauth.mfa.adapter import get_adapter as second_factor
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from rest_framework.authtoken.models import Token

from accounts.access import person
from accounts.devices import device
from accounts.models import User
from contracts.forms.customers import time_zones


def zones_by_area(at: Any) -> list[tuple[str, list[tuple[str, str]]]]:
    """The zones of a select, by part of the world, each with its hours from UTC at this moment."""

    def named(zone: str) -> tuple[str, str]:
        offset = at.astimezone(ZoneInfo(zone)).strftime("%z")
        return zone, f"{zone.partition('/')[2].replace('_', ' ')} (UTC{offset[:3]}:{offset[3:]})"

    return [
        (area, [named(zone) for zone in zones])
        for area, zones in groupby(time_zones(), key=lambda zone: zone.partition("/")[0])
    ]


class PersonalForm(forms.ModelForm):
    """What a person says of themselves. The address is no part of it: it is how they sign in."""

    class Meta:
        model = User
        fields = ("full_name", "phone", "language", "timezone", "theme")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones: Any = zones_by_area(timezone.now())
        own = self.instance.timezone
        if own not in time_zones():  # an old name, or UTC: it stays until another is chosen
            zones = [(own, own), *zones]
        self.fields["timezone"].widget = forms.Select(choices=zones)
        self.fields["full_name"].widget.attrs["autocomplete"] = "name"
        self.fields["phone"].widget.attrs["autocomplete"] = "tel"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Shows and saves the personal settings; the theme then holds for this device too."""
    user = person(request)
    form = PersonalForm(request.POST or None, instance=User.objects.get(pk=user.pk))
    if request.method == "POST" and form.is_valid():
        form.save()
        with translation.override(form.instance.language):  # in the language that was chosen just now
            messages.success(request, _("Saved."))
        response = redirect("me")
        response.status_code = 303
        response.delete_cookie("theme", samesite="Lax")
        return response
    context = {
        "form": form,
        "base": base_of(user),
        "has_password": user.has_usable_password(),
        "second_factor": second_factor().is_mfa_enabled(user),
        "token": Token.objects.filter(user=user).first(),
    }
    return render(request, "me/page.html", context, status=422 if form.errors else 200)


def base_of(user: User) -> str:
    """The frame of the person's own part of the house."""
    return "desk/base.html" if user.is_vendor else "portal/base.html"


@require_safe
@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Where the person is signed in, this device first; sessions that are over are left out."""
    user = person(request)
    found = UserSession.objects.purge_and_list(user)
    found.sort(key=lambda one: (not one.is_current(), -one.created_at.timestamp()))
    rows = [
        {"row": one, "device": device(one.user_agent) or _("Unknown device"), "is_this": one.is_current()}
        for one in found
    ]
    others = sum(not row["is_this"] for row in rows)
    return render(request, "me/sessions.html", {"base": base_of(user), "rows": rows, "others": others})


@require_POST
@login_required
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Ends one other session of the person (`session`), or all the others; this one stays."""
    found = UserSession.objects.filter(user=person(request))
    chosen = request.POST.get("session", "")
    if chosen:
        found = found.filter(pk=int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else 0)
    ended = [one for one in found if not one.is_current()]
    for one in ended:
        one.end()
    messages.success(request, _("Signed out there.") if ended else _("That session is over already."))
    response = redirect("me_sessions")
    response.status_code = 303
    return response


@require_POST
@login_required
def remove_token(request: HttpRequest) -> HttpResponse:
    """The person's token of the API stops working at once."""
    Token.objects.filter(user=person(request)).delete()
    messages.success(request, _("The token does not work any more."))
    response = redirect("me")
    response.status_code = 303
    return response
