"""What somebody wrote while their session ended: kept over the sign-in, shown in words, sent once (direction §6.6).

Every page that writes keeps its text by a script of its own. This is for who has no scripts, or sent before they had
come: a form that meets the sign-in page is kept in the session of the visitor, which the sign-in carries on, and lies
ready at `/account/unsent/`. A form whose token is of an earlier session is shown again at once.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlsplit

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.csrf import csrf_failure as plain_csrf_failure
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import person
from helpdesk.me import base_of

KEPT_FOR = 60 * 60  # seconds
AT_MOST = 300_000  # characters in all: what a session carries along with every page until it is sent
KEPT = "unsent"  # in the session, and the field that says which of the kept ones this POST is
WHOSE = "whose"  # the cookie that says whose browser this was, so that another person is not shown the text
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
# The sign-in itself holds passwords, and its forms are not worth keeping; the API keeps nothing for anybody.
NOT_OURS = ("/account/", "/api/")
TECHNICAL = re.compile(r"[a-z0-9_.:+-]*")  # a key, a choice, a number, a moment


@dataclass(frozen=True, slots=True)
class Unsent:
    """A form that did not arrive: its fields in order, where it went, from where, and the second it was kept at."""

    id: str
    at: float
    path: str
    back: str
    fields: list[list[str]]
    had_files: bool
    whose: str

    @property
    def texts(self) -> list[str]:
        """What a person wrote, without what the form itself put in: keys, choices, numbers."""
        return [value for _name, value in self.fields if value.strip() and not TECHNICAL.fullmatch(value)]

    @property
    def length(self) -> int:
        return sum(len(name) + len(value) for name, value in self.fields)


class UnsentMiddleware:
    """Keeps a form that was answered with the sign-in page; forgets one that arrived after all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.user.is_authenticated:
            if is_sent_by_a_page(request) and is_the_door(request, response):
                return to_the_door(request)
            return response
        mark = mark_of(request.user.pk)
        if request.COOKIES.get(WHOSE) != mark:
            age = settings.SESSION_COOKIE_AGE
            secure = settings.SESSION_COOKIE_SECURE
            response.set_cookie(WHOSE, mark, max_age=age, httponly=True, secure=secure, samesite="Lax")
        if KEPT in request.session:
            tidy(request, response)
        return response


def mark_of(pk: int) -> str:
    """A person as a cookie may name them: nobody reads from it who it is."""
    return salted_hmac("helpdesk.unsent", str(pk)).hexdigest()[:32]


def is_sent_by_a_page(request: HttpRequest) -> bool:
    """Whether a form went off by itself. What a script sends (htmx, fetch, JSON) keeps its own text."""
    return (
        request.method == "POST"
        and request.content_type in FORMS
        and not request.path.startswith(NOT_OURS)
        and "HX-Request" not in request.headers
        and request.headers.get("Sec-Fetch-Mode", "navigate") == "navigate"
        and "text/html" in request.headers.get("Accept", "")
    )


def is_the_door(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether the answer asks to sign in for this very address."""
    if not isinstance(response, HttpResponseRedirect):
        return False
    parts = urlsplit(response.url)
    doors = (reverse("account_login"), reverse("admin:login"))
    return parts.path in doors and parse_qs(parts.query).get("next") == [request.get_full_path()]


def is_from_here(request: HttpRequest) -> bool:
    """Whether the browser says that one of our own pages sent it: another site's form is never offered to be sent."""
    origin = request.headers.get("Origin") or request.headers.get("Referer", "")
    return urlsplit(origin).netloc == request.get_host()


def back_of(request: HttpRequest) -> str:
    """The page before, if it is one of ours; else the first page."""
    before = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(before, {request.get_host()}) or not urlsplit(before).netloc:
        return "/"
    parts = urlsplit(before)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"


def of(request: HttpRequest) -> Unsent:
    """The form of this request. No password is ever kept, nor the token that the new session has another of."""
    fields = [
        [name, value]
        for name, values in request.POST.lists()
        for value in values
        if name not in {"csrfmiddlewaretoken", KEPT} and "password" not in name
    ]
    return Unsent(
        id=token_urlsafe(9),
        at=timezone.now().timestamp(),
        path=request.get_full_path(),
        back=back_of(request),
        fields=fields,
        had_files=bool(request.FILES),
        whose=request.COOKIES.get(WHOSE, ""),
    )


def kept(request: HttpRequest) -> list[Unsent]:
    """What lies in this session and is not too old, oldest first."""
    after = timezone.now().timestamp() - KEPT_FOR
    return [Unsent(**row) for row in request.session.get(KEPT, ()) if row["at"] > after]


def put(request: HttpRequest, rows: list[Unsent]) -> None:
    if rows:
        request.session[KEPT] = [asdict(row) for row in rows]
    else:
        request.session.pop(KEPT, None)


def tidy(request: HttpRequest, response: HttpResponse) -> None:
    """Forgets the kept form that arrived with this request, and the ones that nobody came back to."""
    arrived = request.POST.get(KEPT, "") if is_sent_by_a_page(request) and response.status_code < 400 else ""
    rows = [row for row in kept(request) if row.id != arrived]
    if len(rows) != len(request.session[KEPT]):
        put(request, rows)


def to_the_door(request: HttpRequest) -> HttpResponse:
    """Keeps the form and sends to the sign-in; what is too much to keep is shown, to be copied before."""
    form = of(request)
    rows = [row for row in kept(request) if (row.path, row.fields) != (form.path, form.fields)]  # pressed twice
    too_much = sum(row.length for row in [*rows, form]) > AT_MOST
    # Who is not signed in makes us keep something: not without end (ACCOUNT_RATE_LIMITS).
    if too_much or not ratelimit.consume(request, action="unsent"):
        inside = f"{reverse('account_login')}?{urlencode({'next': form.back})}"
        return render(request, "unsent_copy.html", {"form": form, "inside": inside}, status=403)
    put(request, [*rows, form])
    return redirect(f"{reverse('account_login')}?{urlencode({'next': reverse('unsent')})}")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """What was kept, with the ways to send it, to go back and to throw it away (POST `discard`)."""
    user = person(request)
    mine = [row for row in kept(request) if row.whose in {"", mark_of(user.pk)}]
    put(request, mine)
    if request.method == "POST":
        chosen = next((row for row in mine if row.id == request.POST.get("discard")), None)
        put(request, [row for row in mine if row is not chosen])
        if chosen is not None:
            messages.success(request, _("Thrown away: nothing was sent."))
        response = redirect(chosen.back if chosen is not None else "home")
        response.status_code = 303
        return response
    if not mine:
        return redirect("home")
    return render(request, "unsent.html", {"base": base_of(user), "forms": mine, "kept": True})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form of an earlier session: who signed in meanwhile sees it again and sends it with one press."""
    if not is_sent_by_a_page(request) or not is_from_here(request):
        return plain_csrf_failure(request, reason)
    if not request.user.is_authenticated:
        return to_the_door(request)
    context: dict[str, Any] = {"base": base_of(person(request)), "forms": [of(request)], "kept": False}
    return render(request, "unsent.html", context, status=403)
