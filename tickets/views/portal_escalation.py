"""The customer calls in the management: why, whom, and by when they answer (domain §4.4)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import person
from accounts.refusals import Refused
from tickets import portal_page, promise_words, workflow
from tickets.forms.portal import EscalateForm
from tickets.models import Ticket
from tickets.views.portal_gate import customers, resource, ticket_of, to
from tickets.views.portal_ticket import refused


def _escalate_form(callees: list[portal_page.Callee], data: Any = None) -> EscalateForm:
    return EscalateForm(data, choices=[(callee.value, callee.label) for callee in callees])


def _escalate_page(
    request: HttpRequest, ticket: Ticket, form: EscalateForm, callees: list[portal_page.Callee], *, status: int = 200
) -> HttpResponse:
    now, zone = timezone.now(), timezone.get_current_timezone()
    context = {
        "ticket": ticket,
        "form": form,
        "callees": callees,
        "answer_due": portal_page.answer_due(ticket, now=now, zone=zone),
    }
    return render(request, "portal/escalate.html", context, status=status)


@require_safe
@customers
def escalate(request: HttpRequest, number: int) -> HttpResponse:
    """Asks why and whom, and says who will see it and by when they answer (domain §4.4)."""
    ticket = ticket_of(request, number)
    company = portal_page.company_of(person(request), now=timezone.now())
    if company is None or not company.may_write:
        return to(ticket)
    callees = portal_page.callees_of(ticket)
    return _escalate_page(request, ticket, _escalate_form(callees), callees)


@resource
def escalations(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Calls in the CSM (or who stands in) or top management."""
    callees = portal_page.callees_of(ticket)
    form = _escalate_form(callees, request.POST)
    if not form.is_valid():
        return _escalate_page(request, ticket, form, callees, status=422)
    now, zone = timezone.now(), timezone.get_current_timezone()
    try:
        called = workflow.escalate(
            ticket, by=person(request), whom=form.cleaned_data["whom"], reason=form.words, at=now
        )
    except Refused as refusal:
        return refused(request, ticket, refusal, kept=form.cleaned_data["reason"])
    said = _("Passed on to: %(whom)s.") % {"whom": portal_page.whom_words(called)}
    if called.answer_clock is not None:
        due = promise_words.dated(called.answer_clock.due_at, zone, now)
        said += " " + _("You will have an answer by %(moment)s.") % {"moment": due}
    messages.success(request, said)
    return to(ticket)
