"""The customer's page of one ticket and what is done there: each calls one verb of the workflow (domain §3, §6, §7).

Every change is a POST to a resource of the ticket. A refused one shows its page again with the reason and what was
typed: 422 for what was left out or misspelt, 409 for what a rule refuses. The vendor's people are shown the way to
their own page of the ticket.
"""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import person
from accounts.models import DESK_ROLES, Role
from accounts.refusals import Forbidden, Refused
from contracts import entitlement
from contracts.entitlement import NotCovered
from contracts.models import TicketKind
from sla import words
from sla.explain import explain
from tickets import deadline_page, drafts, files, portal_page, promise_words, workflow
from tickets.forms.deadlines import ProposalForm, RefusalForm
from tickets.forms.portal import (
    PriorityForm,
    ReasonForm,
    ReplyForm,
    clean_key,
)
from tickets.models import Message, Rating, State, Ticket
from tickets.views.new_request import hold_once
from tickets.views.portal_gate import customers, resource, ticket_of, to


@require_safe
@login_required
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """The ticket's page. The vendor's people are led to theirs, if they may see it."""
    if person(request).role in DESK_ROLES:
        found = get_object_or_404(Ticket.objects.visible_to(person(request)), number=number)
        return redirect("desk:ticket", number=found.number)
    if person(request).role != Role.CUSTOMER:
        raise Http404
    found = ticket_of(request, number)
    if found.merged_into is not None:
        told = {"number": found.number, "into": found.merged_into.number}
        messages.info(request, _("№ %(number)s and № %(into)s are one request now: № %(into)s.") % told)
        return redirect("portal:ticket", number=found.merged_into.number)
    return ticket_page(request, found)


@require_safe
@login_required
def file(request: HttpRequest, number: int, pk: int) -> FileResponse:
    """A file of a message, as a download."""
    return files.download(person(request), number, pk)


def _reason_forms(ticket: Ticket) -> dict[str, ReasonForm]:
    """The texts that the page may ask for, each with the words of its own error."""
    return {
        "reopening": ReasonForm(
            about="reopening", label=_("What still does not work"), error=_("Write what still does not work")
        ),
        "contest": ReasonForm(
            about="contest",
            label=_("Why it is inside support") if ticket.state == State.DECLINED else _("What still does not work"),
            error=_("Write why the request is inside support")
            if ticket.state == State.DECLINED
            else _("Write what still does not work"),
        ),
    }


def _priority_form(ticket: Ticket, data: Any = None) -> PriorityForm:
    choices = [(number, promise_words.impact(number)) for number in (1, 2, 3, 4) if number != ticket.priority]
    return PriorityForm(data, choices=choices)


def _impact(ticket: Ticket) -> str:
    """How the incident hurts now; "" for what is no incident."""
    if ticket.kind != TicketKind.INCIDENT:
        return ""
    return _("Service is back, the solution follows") if ticket.workaround else promise_words.impact(ticket.priority)


def _follow_ups(ticket: Ticket) -> list[Ticket]:
    """What goes on from this request, oldest first. Only a closed one can have any: an open one costs no statement."""
    return [] if ticket.is_open else list(ticket.follow_ups.only("number").order_by("number"))


def ticket_page(
    request: HttpRequest,
    ticket: Ticket,
    *,
    status: int = 200,
    refusal: Refused | None = None,
    kept: str = "",
    forms: dict[str, Any] | None = None,
) -> HttpResponse:
    """The page of a ticket; after a refusal with the reason on top, what was typed in its form or in `kept`."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    company = portal_page.company_of(person(request), now=now)
    if company is None:
        raise Http404
    events = list(ticket.events.select_related("by").order_by("at", "pk"))
    escalations = portal_page.escalations_of(ticket)
    ticket.calls = portal_page.open_calls(escalations)  # type: ignore[attr-defined]
    told = promise_words.tell(ticket, now=now, zone=zone)
    services = entitlement.services_of(ticket.contract, at=ticket.opened_at)
    deadlines = deadline_page.of_ticket(ticket, person(request), signs=company.may_write, now=now, zone=zone)
    composing = drafts.composing_of(ticket)
    shown = {
        "reply": ReplyForm(initial={"body": composing.body} if composing.body else {}),
        "priority": _priority_form(ticket),
        "proposal": ProposalForm(zone=zone, hint=deadlines.hint),
        "refusal": RefusalForm(),
        **_reason_forms(ticket),
        **(forms or {}),
    }
    clock = told.commitment if told.track else None
    talk = portal_page.talk_of(ticket, person(request))
    meanwhile = _meanwhile(talk, refusal)
    context = {
        "ticket": ticket,
        "company": company,
        "may_write": company.may_write,
        "read_only": "" if company.may_write else portal_page.read_only_words(company),
        "told": told,
        "status": promise_words.status(ticket),
        "impact": _impact(ticket),
        "clock": clock,
        "started": promise_words.started_told(clock, now=now, zone=zone) if clock else "",
        "pauses": promise_words.pauses_told(clock, now=now) if clock else "",
        "why": explain(clock, now=now, zone=zone) if clock else None,
        "kept_promises": promise_words.kept(ticket),
        "deadlines": deadlines,
        "talk": talk,
        "meanwhile": meanwhile,
        "seen": _seen(talk, shown["reply"], bool(meanwhile)),
        "way": portal_page.way_of(ticket, events, escalations, now=now, zone=zone),
        "calls": portal_page.calls_of(escalations, now=now, zone=zone),
        "restored_at": next((event.at for event in reversed(events) if event.verb == "restored"), None),
        "priority_mgmt": "priority_mgmt" in services,
        "answer_due": portal_page.answer_due(ticket, now=now, zone=zone) if company.may_write else "",
        "rating": Rating.objects.filter(ticket=ticket).first(),
        "follow_ups": _follow_ups(ticket),
        "forms": shown,
        "errors": next((form for form in (forms or {}).values() if form.errors), None),
        "refusal": refusal,
        "kept": kept,
        "composing": composing,
        "kept_at": words.moment(composing.updated_at, zone, now, "time") if composing.updated_at else "",
        "largest_file": settings.ATTACHMENT_MAX_BYTES,
    }
    return render(request, "portal/ticket.html", context, status=status)


def _meanwhile(talk: portal_page.Talk, refusal: Refused | None) -> list[Message]:
    """What was said while the answer that was just refused for it was being written."""
    keys = {message.pk for message in refusal.said} if isinstance(refusal, workflow.Meanwhile) else set()
    return [message for message in [*talk.older, *talk.newer] if message.pk in keys]


def _seen(talk: portal_page.Talk, reply: ReplyForm, conflict: bool) -> int:
    """The last message that the person has read when they send; a form that came back for another reason knows less."""
    last = talk.newer[-1].pk if talk.newer else 0
    return last if conflict else reply["seen"].value() or last


def refused(request: HttpRequest, ticket: Ticket, refusal: Refused, *, kept: str = "", **forms: Any) -> HttpResponse:
    """The page as it is now, with the rule that said no. `Forbidden` has a page of its own, which keeps the text."""
    if isinstance(refusal, Forbidden):
        raise refusal
    fresh = ticket_of(request, ticket.number)
    return ticket_page(request, fresh, status=refusal.status, refusal=refusal, kept=kept, forms=forms)


@resource
def replies(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact answers; a closed request gets a follow-up (domain §3.2)."""
    user, now = person(request), timezone.now()
    form = ReplyForm(request.POST, request.FILES)
    if not form.is_valid():
        drafts.keep_files(ticket, request.FILES.getlist("files"), person=user, at=now)
        return ticket_page(request, ticket_of(request, ticket.number), status=422, forms={"reply": form})
    said, key = form.cleaned_data, clean_key(form)
    try:
        message = workflow.send_reply(
            ticket,
            by=user,
            body=said["body"],
            at=now,
            files=files.uploads(said["files"]),
            pending=said["pending"],
            seen=said["seen"],
            key=key,
        )
    except NotCovered as refusal:
        company = portal_page.company_of(user, now=now)
        assert company is not None
        given = [*files.uploads(said["files"]), *drafts.as_uploads(ticket, said["pending"], person=user)]
        hold_once(user, company, ticket.subject, said["body"], refusal, given)
        drafts.throw_away(ticket, user)
        messages.warning(request, _("We have recorded your answer. %(words)s") % {"words": refusal.message})
        return to(ticket)
    except Refused as refusal:
        drafts.keep_files(ticket, request.FILES.getlist("files"), person=user, at=now)
        return refused(request, ticket, refusal, reply=form)
    if message.created_at != now and message.idempotency_key != key:
        messages.info(request, _("You sent this already: it stands in the conversation."))
        return to(message.ticket)
    if message.ticket_id == ticket.merged_into_id:
        messages.success(request, _("Your answer is sent."))
        return to(message.ticket)
    if message.ticket_id != ticket.pk:
        messages.success(
            request,
            _("The request was closed, so we opened № %(number)s, which follows it.")
            % {"number": message.ticket.number},
        )
        return to(message.ticket)
    messages.success(request, _("Your answer is sent."))
    return to(ticket)


@resource
def confirmation(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """“The problem is solved”: the request is closed, and a rating is asked for."""
    try:
        workflow.confirm(ticket, by=person(request), at=timezone.now())
    except Refused as refusal:
        return refused(request, ticket, refusal)
    messages.success(request, _("Thank you: the request is closed. How did we work?"))
    response = redirect("portal:rate", number=ticket.number)
    response.status_code = 303
    return response


@resource
def reopening(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """“Not solved”: in work again, with what still does not work."""
    form = ReasonForm(
        request.POST, about="reopening", label=_("What still does not work"), error=_("Write what still does not work")
    )
    if not form.is_valid():
        return ticket_page(request, ticket, status=422, forms={"reopening": form})
    try:
        workflow.reopen(ticket, by=person(request), reason=form.cleaned_data["reason"], at=timezone.now())
    except Refused as refusal:
        return refused(request, ticket, refusal, kept=form.cleaned_data["reason"])
    messages.success(request, _("The request is in work again, and so is its clock."))
    return to(ticket)


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def withdrawal(request: HttpRequest, number: int) -> HttpResponse:
    """Asks once, then withdraws the request: it is not needed any more."""
    ticket = ticket_of(request, number)
    form = ReasonForm(
        request.POST if request.method == "POST" else None,
        about="withdrawal",
        label=_("Why it is not needed any more"),
        error="",
        required=False,
    )
    if request.method != "POST" or not form.is_valid():
        company = portal_page.company_of(person(request), now=timezone.now())
        if company is None or not company.may_write or not (ticket.is_open or ticket.state == State.RESOLVED):
            return to(ticket)
        status = 422 if form.errors else 200
        return render(request, "portal/withdrawal.html", {"ticket": ticket, "form": form}, status=status)
    try:
        workflow.withdraw(ticket, by=person(request), at=timezone.now(), reason=form.cleaned_data["reason"])
    except Refused as refusal:
        return refused(request, ticket, refusal, kept=form.cleaned_data["reason"])
    messages.success(request, _("You withdrew the request: it is closed."))
    return to(ticket)


@resource
def contest(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Contests what we decided: that the request is outside support, or that service is back (domain §3.2, §3.4)."""
    declined = ticket.state == State.DECLINED
    form = _reason_forms(ticket)["contest"]
    label, error = form.fields["reason"].label, form.fields["reason"].error_messages["required"]
    form = ReasonForm(request.POST, about="contest", label=label, error=error)
    if not form.is_valid():
        return ticket_page(request, ticket, status=422, forms={"contest": form})
    reason = form.cleaned_data["reason"]
    try:
        if declined:
            workflow.contest(ticket, by=person(request), reason=reason, at=timezone.now())
        else:
            workflow.contest_restore(ticket, by=person(request), reason=reason, at=timezone.now())
    except Refused as refusal:
        return refused(request, ticket, refusal, kept=reason)
    if declined:
        messages.success(request, _("The request is in work again: we look at it once more."))
    else:
        messages.success(request, _("The earlier promise counts again, from where it stood."))
    return to(ticket)


@resource
def priority(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Another priority: at once where the package has priority management, else as a proposal (domain §3.4)."""
    form = _priority_form(ticket, request.POST)
    if not form.is_valid():
        return ticket_page(request, ticket, status=422, forms={"priority": form})
    sent = form.cleaned_data
    try:
        changed = workflow.set_priority(
            ticket, by=person(request), priority=sent["priority"], reason=sent["reason"], at=timezone.now()
        )
    except Refused as refusal:
        return refused(request, ticket, refusal, kept=sent["reason"])
    if changed.priority == sent["priority"]:
        messages.success(request, _("The priority is changed, the promised times are counted anew."))
    else:
        messages.success(request, _("We passed it on: an engineer decides and writes to you."))
    return to(ticket)
