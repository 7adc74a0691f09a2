"""Another deadline for the solution, agreed by both sides, as the customer has it (domain §4.2)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.access import person
from accounts.refusals import Refused
from sla import words
from sla.models import DeadlineProposal
from tickets import deadline_page, workflow
from tickets.forms.deadlines import AnswerForm, ProposalForm, RefusalForm
from tickets.models import Ticket
from tickets.views.portal_gate import resource, to
from tickets.views.portal_ticket import refused, ticket_page


@resource
def deadline(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact proposes another deadline for the solution; support is asked."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    clock = deadline_page.running_resolution(ticket.clocks)
    hint = deadline_page.hint(clock, now=now, zone=zone) if clock is not None else ""
    form = ProposalForm(request.POST, zone=zone, hint=hint)
    if not form.is_valid():
        return ticket_page(request, ticket, status=422, forms={"proposal": form})
    try:
        proposal = workflow.propose_deadline(ticket, by=person(request), at=now, **form.cleaned_data)
    except Refused as refusal:
        return refused(request, ticket, refusal, proposal=form)
    due = words.both_zones(proposal.due_at, zone, now, "date")
    messages.success(request, _("Proposed to support: %(moment)s. You will hear from us.") % {"moment": due})
    return to(ticket)


def _proposal(ticket: Ticket, form: AnswerForm) -> DeadlineProposal:
    """The proposal that the person saw, of this very request; else 404."""
    return get_object_or_404(ticket.deadline_proposals.select_related("ticket"), pk=form.cleaned_data["proposal"])


@resource
def deadline_acceptance(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact signs what support proposed."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return to(ticket)
    now, zone = timezone.now(), timezone.get_current_timezone()
    try:
        proposal = workflow.accept_deadline(_proposal(ticket, form), by=person(request), at=now)
    except Refused as refusal:
        return refused(request, ticket, refusal)
    due = words.both_zones(proposal.due_at, zone, now, "date")
    messages.success(request, _("Agreed: we solve it by %(moment)s.") % {"moment": due})
    return to(ticket)


@resource
def deadline_refusal(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact does not agree, and says why: the deadline stays."""
    form = RefusalForm(request.POST)
    if not form.is_valid():
        return ticket_page(request, ticket, status=422, forms={"refusal": form})
    said = form.cleaned_data["words"]
    try:
        workflow.refuse_deadline(_proposal(ticket, form), words=said, by=person(request), at=timezone.now())
    except Refused as refusal:
        return refused(request, ticket, refusal, kept=said)
    messages.success(request, _("Refused: the deadline stays as it was. Support has your words."))
    return to(ticket)


@resource
def deadline_withdrawal(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact takes the own proposal back."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return to(ticket)
    try:
        workflow.withdraw_deadline(_proposal(ticket, form), by=person(request), at=timezone.now())
    except Refused as refusal:
        return refused(request, ticket, refusal)
    messages.success(request, _("Your proposal is withdrawn: the deadline stays as it was."))
    return to(ticket)
