"""The customer rates the work on the page of the ticket; by the link of the letter it is letter_links (domain §6)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import person
from accounts.refusals import Refused
from tickets import portal_page, workflow
from tickets.forms.portal import RateForm
from tickets.models import Rating, State, Ticket
from tickets.views.portal_gate import customers, resource, ticket_of, to
from tickets.views.portal_ticket import refused


def _rate_page(request: HttpRequest, ticket: Ticket, form: RateForm, *, status: int = 200) -> HttpResponse:
    rating = Rating.objects.filter(ticket=ticket).first()
    context = {
        "ticket": ticket,
        "form": form,
        "rating": rating,
        "changes_until": rating.at + workflow.RATING_MAY_CHANGE_FOR if rating else None,
        "score": str(form["score"].value() or ""),
    }
    return render(request, "portal/rate.html", context, status=status)


@require_safe
@customers
def rate(request: HttpRequest, number: int) -> HttpResponse:
    """1 to 5 and a comment; what was given already can be changed for seven days (domain §6)."""
    ticket = ticket_of(request, number)
    company = portal_page.company_of(person(request), now=timezone.now())
    if company is None or not company.may_write or ticket.state not in {State.RESOLVED, State.CLOSED}:
        return to(ticket)
    rating = Rating.objects.filter(ticket=ticket).first()
    initial = {"score": rating.score, "comment": rating.comment} if rating else {}
    return _rate_page(request, ticket, RateForm(initial=initial))


@resource
def rating(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Rates the work. A low score has the CSM write to the customer (domain §4.4)."""
    form = RateForm(request.POST)
    if not form.is_valid():
        return _rate_page(request, ticket, form, status=422)
    sent = form.cleaned_data
    try:
        workflow.rate(ticket, by=person(request), score=sent["score"], comment=sent["comment"], at=timezone.now())
    except Refused as refusal:
        return refused(request, ticket, refusal, kept=sent["comment"])
    if sent["score"] <= workflow.LOW_RATING:
        messages.success(request, _("Thank you for saying so. A manager has your words and will write to you."))
    else:
        messages.success(request, _("Thank you for the rating. You can change it for seven days."))
    return to(ticket)
