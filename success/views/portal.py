"""/webinars/: what a customer's person may come to, signing up and off, the calendar file, recordings (domain §5)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import customer_only, person
from accounts.refusals import Refused
from contracts.signing import moscow_day
from sla import words
from success import webinars
from success.calendar_file import calendar_file
from success.models import Webinar, WebinarQuerySet
from success.webinar_lists import page_of

HOME = "home"


def _visible(request: HttpRequest) -> WebinarQuerySet:
    user = person(request)
    return Webinar.objects.visible_to(user, on=moscow_day(timezone.now())).with_taken().with_mine(user)


def _found(request: HttpRequest, pk: int) -> Webinar:
    return get_object_or_404(_visible(request).select_related("host", "customer").prefetch_related("products"), pk=pk)


@customer_only
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """The upcoming ones; `?when=past` those that took place, with recording and materials."""
    past = request.GET.get("when") == "past"
    found = _visible(request)
    if past:
        found = found.filter(cancelled_at__isnull=True)
    turn = {name: request.GET.get(name, "") for name in ("since", "before")}
    context = {"page": page_of(found, past=past, now=timezone.now(), **turn)}
    return render(request, "success/webinars.html", context)


@customer_only
@require_safe
def webinar(request: HttpRequest, pk: int) -> HttpResponse:
    """One webinar."""
    return _show(request, pk)


def _show(request: HttpRequest, pk: int, refusal: Refused | None = None) -> HttpResponse:
    found = _found(request, pk)
    context = {"webinar": found, "is_over": found.ends_at <= timezone.now(), "refusal": refusal}
    return render(request, "success/webinar.html", context, status=refusal.status if refusal else 200)


@customer_only
@require_safe
def calendar(request: HttpRequest, pk: int) -> HttpResponse:
    """The webinar for the reader's calendar."""
    found = _found(request, pk)
    return HttpResponse(
        calendar_file(found, signed_up=found.mine, now=timezone.now()),
        content_type="text/calendar; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="webinar-{found.pk}.ics"',
            "Cache-Control": "private, no-store",
        },
    )


@require_POST
@customer_only
def sign_up(request: HttpRequest, pk: int) -> HttpResponse:
    """A seat for the reader; where all are taken, the page says so."""
    found, user, now = _found(request, pk), person(request), timezone.now()
    try:
        webinars.sign_up(found, by=user, at=now)
    except webinars.NotAllowed as refusal:
        return _show(request, pk, refusal)
    when = words.both_zones(found.starts_at, timezone.get_current_timezone(), now)
    messages.success(request, _("You are signed up: %(title)s, %(when)s") % {"title": found.title, "when": when})
    return _back(request, found)


@require_POST
@customer_only
def sign_off(request: HttpRequest, pk: int) -> HttpResponse:
    """The reader does not come."""
    found = _found(request, pk)
    try:
        webinars.sign_off(found, by=person(request), at=timezone.now())
    except webinars.NotAllowed as refusal:
        return _show(request, pk, refusal)
    messages.success(request, _("You are signed off: %(title)s") % {"title": found.title})
    return _back(request, found)


def _back(request: HttpRequest, found: Webinar) -> HttpResponse:
    """To where the button was pressed: the first page, or the webinar's own."""
    response = redirect("home") if request.POST.get("from") == HOME else redirect("webinars:webinar", pk=found.pk)
    response.status_code = 303
    return response
