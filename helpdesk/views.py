"""The front door: where each role begins, what frames every page, and a person's own switches (domain §7)."""

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import person
from accounts.addresses import address
from accounts.models import Role, User
from helpdesk.hours import hours_line
from success.webinars import KEEPERS
from tickets.navigation import desk_counts, edition_for
from tickets.views.portal import home as portal_home

MOSCOW = ZoneInfo("Europe/Moscow")
# Sections that the bottom bar of a phone holds; with more of them the last place is "More" (direction §16).
BAR_OF_A_PHONE = 5
A_YEAR = 365 * 24 * 3600
# Who sees to calendars, the ladder and absences day by day; everybody of the vendor may read them.
PROMISE_KEEPERS = frozenset({Role.LINE_LEAD, Role.SUPPORT_MANAGER, Role.ADMIN})


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The customer's portal for customers; for everybody else the part of the house where their day begins."""
    user = person(request)
    if user.role == Role.CUSTOMER:
        return portal_home(request)
    return redirect(first_page(user))


def first_page(user: User) -> str:
    if user.role in {Role.ENGINEER, Role.LINE_LEAD}:
        return reverse("desk:queue")
    if user.role in {Role.CSM, Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT}:
        return reverse("manage:board")
    if user.role in {Role.CONTRACT_ADMIN, Role.ADMIN}:
        return reverse("contracts:home")
    return reverse("outbox")


def frame(request: HttpRequest) -> dict[str, Any]:
    """What every page shows around its content: clocks, navigation, theme (context processor)."""
    now = timezone.now()
    user = getattr(request, "user", None)
    theme = request.COOKIES.get("theme", "")
    around: dict[str, Any] = {
        "now": now,
        "moscow_clock": f"{now.astimezone(MOSCOW):%H:%M}",
        "theme": theme if theme in {"light", "dark"} else "",
        "support_phone": settings.SUPPORT_PHONE,
        "nav": [],
    }
    if user is None or not user.is_authenticated:
        return {"frame": around}
    if not around["theme"] and user.theme != User.Theme.AUTO:
        around["theme"] = user.theme
    zone = ZoneInfo(user.timezone)
    if now.astimezone(zone).utcoffset() != now.astimezone(MOSCOW).utcoffset():
        around["local_clock"] = f"{now.astimezone(zone):%H:%M}"
    around["nav"] = navigation(request, user)
    around["nav_more"] = around["nav"][BAR_OF_A_PHONE - 1 :] if len(around["nav"]) > BAR_OF_A_PHONE else []
    if user.is_vendor:
        around["hours_line"] = hours_line(now, edition_for(user))
    return {"frame": around}


def navigation(request: HttpRequest, user: User) -> list[dict[str, Any]]:
    """The sections that this person may enter, the daily ones first, with what asks for attention there."""

    def entry(label: str, name: str, icon: str, under: str, count: int = 0) -> dict[str, Any]:
        url = address(name)
        path = request.path
        current = path == url if under == "/" else path.startswith(under)
        return {"label": label, "url": url, "icon": icon, "count": count, "current": current}

    if user.role == Role.CUSTOMER:
        requests = entry(_("Requests"), "home", "inbox", "/t/")
        requests["current"] = request.path == "/" or request.path.startswith("/t/")
        contract = entry(_("Contract"), "contract:contract", "handshake", "/contract/")
        reports = entry(_("Reports"), "report:reports", "chart-column", "/report/")
        releases = entry(_("Releases"), "releases:releases", "package", "/releases/")
        articles = entry(_("Articles"), "kb:articles", "book-open", "/kb/")
        lessons = entry(_("Webinars"), "webinars:webinars", "presentation", "/webinars/")
        letters = entry(_("Letters"), "outbox", "mail", "/outbox/")
        return [requests, articles, lessons, contract, releases, reports, letters]
    entries = []
    counts = desk_counts(user)
    aside = [
        entry(_("Major"), "desk:majors", "zap", "/w/major/"),
        entry(_("Shifts"), "desk:shift", "users", "/w/shift/"),
        entry(_("Defects"), "desk:defects", "bug", "/w/defects/"),
        entry(_("Releases"), "desk:releases", "package", "/w/releases/"),
    ]
    if user.works_at_desk:
        queue = entry(_("Queue"), "desk:queue", "inbox", "/w/", counts["late"])
        elsewhere = request.path.startswith(address("kb_desk:articles"))
        queue["current"] &= not elsewhere and not any(one["current"] for one in aside)
        entries.append(queue)
    if user.sees_board:
        entries.append(entry(_("Board"), "manage:board", "gauge", "/m/"))
        entries[-1]["current"] = request.path == address("manage:board")
        entries.append(entry(_("Escalations"), "manage:escalations", "siren", "/m/escalations/", counts["escalations"]))
    if user.works_at_desk:
        entries += aside
    if user.reads_contracts:
        entries.append(entry(_("Contracts"), "contracts:home", "handshake", "/c/"))
        entries[-1]["current"] |= request.path.startswith(address("packages:packages"))  # a section of it
    if user.role in KEEPERS:
        entries.append(entry(_("Webinars"), "csm:webinars", "presentation", "/csm/webinars/"))
    if user.role in PROMISE_KEEPERS:
        entries.append(entry(_("Hours"), "promises:calendars", "calendar-clock", "/a/"))
        entries[-1]["current"] &= not request.path.startswith(address("packages:packages"))
    entries.append(entry(_("Articles"), "kb:articles", "book-open", "/kb/"))
    entries[-1]["current"] |= request.path.startswith(address("kb_desk:articles"))
    entries.append(entry(_("Letters"), "outbox", "mail", "/outbox/"))
    if user.is_staff:
        entries.append(entry(_("Catalogue"), "admin:index", "settings", "/dj-admin/"))
    return entries


def _back(request: HttpRequest) -> HttpResponseRedirect:
    target = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return redirect(target if safe else "/")


def no_such_page(request: HttpRequest, **_asked: str) -> HttpResponse:
    """An address of the sign-in library that this house has no use for."""
    raise Http404


@require_safe
def to_the_door(request: HttpRequest) -> HttpResponse:
    """The catalogue is entered by the one front door; who is inside and may not open the catalogue is told so."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionDenied(_("This page belongs to another part of the support desk (domain §7)."))
    target = request.GET.get("next", "")
    safe = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    inside = target if safe else reverse("admin:index")
    if request.user.is_authenticated:
        return redirect(inside)
    return redirect(f"{reverse('account_login')}?{urlencode({'next': inside})}")


@require_safe
def to_the_password(request: HttpRequest) -> HttpResponse:
    """The catalogue's own page of the password knows neither our rules nor the letter that tells of the change."""
    return redirect("account_change_password")


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """The language of the pages: kept with the person, and in a cookie for the pages before sign-in."""
    response = _back(request)
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        if request.user.is_authenticated:
            request.user.language = chosen
            request.user.save(update_fields=["language"])
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, chosen, max_age=A_YEAR, samesite="Lax")
    return response


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Light, dark, or as the device has it: a cookie, so that it holds for this device only."""
    response = _back(request)
    chosen = request.POST.get("theme", "")
    if chosen in {"light", "dark"}:
        response.set_cookie("theme", chosen, max_age=A_YEAR, samesite="Lax")
    else:
        response.delete_cookie("theme", samesite="Lax")
    return response


@require_POST
@login_required
def set_keys(request: HttpRequest) -> HttpResponse:
    """Whether single keys act in the workspace: kept with the person, on every device (WCAG 2.1.4)."""
    user = person(request)
    user.single_keys = request.POST.get("keys") != "off"
    user.save(update_fields=["single_keys"])
    return _back(request)
