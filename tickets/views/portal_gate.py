"""Who may come into the portal and which ticket they mean (domain §7).

Somebody else's ticket is 404, like a missing one.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from accounts.access import person
from accounts.models import Role
from tickets import drafts
from tickets.models import Ticket


def customers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Only people of customers have a portal; for everybody else these pages do not exist."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if person(request).role != Role.CUSTOMER:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def ticket_of(request: HttpRequest, number: int) -> Ticket:
    """The ticket with everything its page shows, if this person may see it; else 404, whatever the reason."""
    user = person(request)
    tickets = drafts.beside(Ticket.objects.visible_to(user), user).with_clocks()
    return get_object_or_404(tickets.select_related("release", "contract", "merged_into", "follows"), number=number)


def resource(view: Callable[[HttpRequest, Ticket], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """A change of one ticket: POST makes it, GET leads back to the ticket's page (a reload after a refusal)."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @customers
    @wraps(view)
    def guarded(request: HttpRequest, number: int) -> HttpResponse:
        ticket = ticket_of(request, number)
        return view(request, ticket) if request.method == "POST" else to(ticket)

    return guarded


def to(ticket: Ticket) -> HttpResponseRedirect:
    response = redirect("portal:ticket", number=ticket.number)
    response.status_code = 303
    return response
