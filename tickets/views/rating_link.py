"""Rating in one click from the letter. A GET changes nothing: machines open every link of a letter."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Refused
from tickets import rating_link, workflow
from tickets.forms.portal import RateForm
from tickets.models import Rating, State, Ticket


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, token: str) -> HttpResponse:
    """The page with the chosen mark (`?score=`) and one button; used again it shows what was said, to be changed."""
    try:
        ticket, person = rating_link.read(token)
    except rating_link.Expired:
        words = _("This link has expired. Sign in, open the request and rate it there.")
        return render(request, "portal/rate_link.html", {"words": words}, status=410)
    except rating_link.Altered:
        words = _("This link is not complete. Open it from the letter once more, or sign in and open the request.")
        return render(request, "portal/rate_link.html", {"words": words}, status=404)
    with translation.override(person.language), timezone.override(person.timezone):
        return _rate(request, ticket, person)


def _rate(request: HttpRequest, ticket: Ticket, person: User) -> HttpResponse:
    rating = Rating.objects.filter(ticket=ticket).first()
    if request.method != "POST":
        if ticket.state not in {State.RESOLVED, State.CLOSED}:
            words = _("The request is in work again: we ask once more when it is solved.")
            return render(request, "portal/rate_link.html", {"ticket": ticket, "words": words})
        score = request.GET.get("score") or (str(rating.score) if rating else "")
        initial = {"score": score, "comment": rating.comment if rating else ""}
        return _page(request, ticket, RateForm(initial=initial), rating)
    form = RateForm(request.POST)
    if not form.is_valid():
        return _page(request, ticket, form, rating, status=422)
    sent = form.cleaned_data
    try:
        workflow.rate(ticket, by=person, score=sent["score"], comment=sent["comment"], at=timezone.now())
    except Refused as refusal:
        return _page(request, ticket, form, rating, refusal=refusal, status=refusal.status)
    response = redirect(f"{request.path}?sent=1")
    response.status_code = 303
    return response


def _page(
    request: HttpRequest, ticket: Ticket, form: RateForm, rating: Rating | None, *, status: int = 200, **shown: Any
) -> HttpResponse:
    context = {
        "ticket": ticket,
        "form": form,
        "rating": rating,
        "score": str(form["score"].value() or ""),
        "changes_until": rating.at + workflow.RATING_MAY_CHANGE_FOR if rating else None,
        "sent": "sent" in request.GET,
        "low": bool(rating and rating.score <= workflow.LOW_RATING),
        **shown,
    }
    return render(request, "portal/rate_link.html", context, status=status)
