"""Beside the form of a new request: what may answer first, and the draft that survives a lost connection."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.access import person
from contracts.signing import moscow_day
from knowledge.models import Article
from tickets import looking_first, portal_page, request_draft
from tickets.models import Defect
from tickets.views.portal import customers


def _company(request: HttpRequest) -> portal_page.Company:
    company = portal_page.company_of(person(request), now=timezone.now())
    if company is None or not company.may_write:
        raise Http404
    return company


@require_safe
@customers
def look(request: HttpRequest) -> HttpResponse:
    """The list of what may answer (`?q=`), while somebody types: a fragment."""
    found = looking_first.find(request.GET.get("q", ""), person(request), _company(request).customer, at=timezone.now())
    return render(request, "portal/_look.html", {"answers": found})


@require_POST
@customers
def solved(request: HttpRequest) -> HttpResponse:
    """“This solved it”: counted, the draft is gone, no request is sent."""
    user, company, now = person(request), _company(request), timezone.now()
    kind, _sep, key = request.POST.get("solved", "").partition("-")
    if not (key.isascii() and key.isdigit() and len(key) < 18):
        raise Http404
    words = request.POST.get("subject", "")
    if kind == "article":
        found = get_object_or_404(
            Article.objects.readable_by(user).filter(audience=Article.Audience.PUBLIC), pk=int(key)
        )
        looking_first.solved(person=user, words=words, at=now, article=found)
    else:
        known = Defect.objects.known_errors_for(company.customer, on=moscow_day(now))
        looking_first.solved(person=user, words=words, at=now, defect=get_object_or_404(known, pk=int(key)))
    request_draft.discard(user)
    messages.success(request, _("Good: no request was sent. We counted that the answer helped."))
    response = redirect("home")
    response.status_code = 303
    return response


@require_POST
@customers
def draft(request: HttpRequest) -> HttpResponse:
    """Keeps what is being written (204), or with `discard` throws it away and shows an empty form."""
    _company(request)
    if "discard" in request.POST:
        request_draft.discard(person(request))
        messages.success(request, _("The draft is thrown away."))
        response = redirect("portal:new")
        response.status_code = 303
        return response
    request_draft.keep(person(request), request.POST.dict(), at=timezone.now())
    return HttpResponse(status=204)
