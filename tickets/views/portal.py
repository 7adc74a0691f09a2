"""The customer's portal: find what the person may see, call one verb of the workflow, render one page (domain §6, §7).

Every change is a POST to a resource of the ticket. A refused one shows its page again with the reason and what was
typed: 422 for what was left out or misspelt, 409 for what a rule refuses. Somebody else's ticket is 404, like a
missing one; the vendor's people are shown the way to their own page of the ticket.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import person
from accounts.models import DESK_ROLES, Role, User
from accounts.refusals import Forbidden, Refused
from contracts import entitlement
from contracts.entitlement import NotCovered
from contracts.models import TicketKind, Topic
from contracts.signing import moscow_day
from sla import words
from sla.explain import explain
from sla.models import DeadlineProposal
from tickets import deadline_page, files, looking_first, portal_page, promise_words, request_draft, workflow
from tickets.forms.deadlines import AnswerForm, ProposalForm, RefusalForm
from tickets.forms.portal import (
    EscalateForm,
    NewRequestForm,
    PriorityForm,
    RateForm,
    ReasonForm,
    ReplyForm,
    clean_key,
)
from tickets.models import Defect, HeldRequest, Rating, State, Ticket

PAGE = 50
KNOWN_ERRORS = 5  # on the first page of the portal
HELD_ONCE_WITHIN = timedelta(days=1)
SENT_AGAIN_WITHIN = timedelta(minutes=15)  # the same words from the same person are the same request so long


# Who may come in


def customers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Only people of customers have a portal; for everybody else these pages do not exist."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if person(request).role != Role.CUSTOMER:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


def _found(request: HttpRequest, number: int) -> Ticket:
    """The ticket with everything its page shows, if this person may see it; else 404, whatever the reason."""
    tickets = Ticket.objects.visible_to(person(request)).with_clocks()
    return get_object_or_404(tickets.select_related("release", "contract", "merged_into", "follows"), number=number)


def resource(view: Callable[[HttpRequest, Ticket], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """A change of one ticket: POST makes it, GET leads back to the ticket's page (a reload after a refusal)."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @customers
    @wraps(view)
    def guarded(request: HttpRequest, number: int) -> HttpResponse:
        ticket = _found(request, number)
        return view(request, ticket) if request.method == "POST" else _to(ticket)

    return guarded


def _to(ticket: Ticket) -> HttpResponseRedirect:
    response = redirect("portal:ticket", number=ticket.number)
    response.status_code = 303
    return response


# Home and lists


def home(request: HttpRequest) -> HttpResponse:
    """The customer's first page: what waits for them, what is promised, what their support is (direction §4)."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    company = portal_page.company_of(person(request), now=now)
    if company is None:
        return render(request, "portal/nowhere.html")
    tickets = Ticket.objects.visible_to(person(request))
    opened = list(portal_page.with_calls(tickets.open()).by_deadline()[: PAGE + 1])
    waiting = [ticket for ticket in opened if ticket.state == State.AWAITING_CUSTOMER]
    questions = portal_page.last_questions(waiting)
    to_check = tickets.filter(state=State.RESOLVED).count()
    context = {
        "company": company,
        "support": portal_page.support_of(company, now=now, zone=zone),
        "read_only": "" if company.may_write else portal_page.read_only_words(company),
        "proposals": portal_page.waiting_proposals(tickets, now=now, zone=zone),
        "waiting": [(ticket, questions.get(ticket.pk)) for ticket in waiting],
        "held": portal_page.waiting_letters(person(request), may_decide=company.may_write),
        "rows": portal_page.rows(opened[:PAGE], now=now, zone=zone),
        "more": len(opened) > PAGE,
        "known_errors": Defect.objects.known_errors_for(company.customer, on=moscow_day(now))[:KNOWN_ERRORS],
        "to_check": to_check,
        "to_check_words": ngettext(
            "%(count)d request is solved and waits for your check",
            "%(count)d requests are solved and wait for your check",
            to_check,
        )
        % {"count": to_check},
    }
    return render(request, "portal/home.html", context)


# The new request


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def new(request: HttpRequest) -> HttpResponse:
    """A new request: every choice shows its promise before it is sent; what is not included is said before, too."""
    now = timezone.now()
    company = portal_page.company_of(person(request), now=now)
    if company is None:
        return render(request, "portal/nowhere.html")
    if not company.may_write:
        return render(request, "portal/read_only.html", {"words": portal_page.read_only_words(company)}, status=403)
    if company.contract is None:
        return _new_without_contract(request, company)
    topics = portal_page.topics_of(company.contract, at=now)
    form_of: dict[str, Any] = {
        "topics": topics,
        "licences": portal_page.licences_of(company.customer, now=now),
        "groups": (
            _("Included in your support"),
            _("Not in your package (%(package)s)") % {"package": company.contract.terms.package.name},
            pgettext("topics", "Outside support"),
        ),
    }
    if request.method != "POST":
        draft = request_draft.of(person(request))
        return _new_page(request, company, NewRequestForm(initial=draft, **form_of), from_draft=bool(draft))
    form = NewRequestForm(request.POST, request.FILES, **form_of)
    if "look" in request.POST:
        return _looked(request, company, form_of)
    if not form.is_valid():
        return _new_page(request, company, form, status=422)
    try:
        if (again := _sent_just_now(person(request), company, form)) is not None:
            messages.info(request, _("You sent this already: it is request № %(number)s.") % {"number": again.number})
            return _to(again)
        with transaction.atomic():
            ticket = _open(person(request), company, form)
            request_draft.discard(person(request))
    except NotCovered as refusal:
        if "hold" in request.POST:
            return _held(request, company, form, refusal)
        return _new_page(request, company, form, status=refusal.status, refusal=refusal)
    except Forbidden:
        raise
    except Refused as refusal:
        return _new_page(request, company, form, status=refusal.status, refusal=refusal)
    told = promise_words.tell(_found(request, ticket.number), now=timezone.now(), zone=timezone.get_current_timezone())
    messages.success(
        request,
        _("Request № %(number)s is received. %(promise)s.") % {"number": ticket.number, "promise": told.sentence},
    )
    return _to(ticket)


def _looked(request: HttpRequest, company: portal_page.Company, form_of: dict[str, Any]) -> HttpResponse:
    """The same form with what may answer before it is sent, for who has no scripts. What was typed is kept."""
    request_draft.keep(person(request), request.POST.dict(), at=timezone.now())
    form = NewRequestForm(initial={**request.POST.dict()}, **form_of)
    answers = looking_first.find(request.POST.get("subject", ""), person(request), company.customer, at=timezone.now())
    return _new_page(request, company, form, answers=answers)


def _sent_just_now(user: User, company: portal_page.Company, form: NewRequestForm) -> Ticket | None:
    """The open request that says the same, sent a moment ago: somebody went back and sent it again.

    A form drawn anew has another key, so the words decide; a file that was not sent then makes it another request.
    """
    sent = form.cleaned_data
    names = {upload.name for upload in files.uploads(sent["files"])}
    alike = Ticket.objects.open().filter(
        customer=company.customer,
        contact=user,
        subject=sent["subject"],
        kind=sent["kind"],
        topic=sent["topic"],
        opened_at__gt=timezone.now() - SENT_AGAIN_WITHIN,
    )
    for ticket in alike.order_by("-pk")[:5]:
        first = ticket.messages.order_by("pk").first()
        if first is None or first.body != (sent["body"].strip() or sent["subject"]):
            continue
        if names <= set(first.attachments.values_list("name", flat=True)):
            return ticket
    return None


def _open(user: User, company: portal_page.Company, form: NewRequestForm) -> Ticket:
    """Opens the ticket of this form; the key makes two clicks on one form one ticket (`workflow.open_ticket`)."""
    sent = form.cleaned_data
    installation = sent["installation"]
    return workflow.open_ticket(
        customer=company.customer,
        by=user,
        subject=sent["subject"],
        body=sent["body"],
        at=timezone.now(),
        channel=portal_page.PORTAL,
        kind=sent["kind"],
        topic=sent["topic"],
        priority=form.priority,
        product=installation.product if installation else None,
        release=installation.release if installation else None,
        language=user.language,
        files=files.uploads(sent["files"]),
        key=clean_key(form),
    )


def _new_page(
    request: HttpRequest,
    company: portal_page.Company,
    form: NewRequestForm,
    *,
    status: int = 200,
    refusal: Refused | None = None,
    from_draft: bool = False,
    answers: looking_first.Answers | None = None,
) -> HttpResponse:
    now, zone = timezone.now(), timezone.get_current_timezone()
    assert company.contract is not None
    context = {
        "form": form,
        "company": company,
        "support": portal_page.support_of(company, now=now, zone=zone),
        "choices": portal_page.choices_of(company.contract, now=now, zone=zone),
        "question": portal_page.question_offer(company.contract, now=now, zone=zone),
        "impact": form["impact"].value() or "",
        "kind": form["kind"].value() or TicketKind.INCIDENT,
        "refusal": refusal,
        "may_hold": isinstance(refusal, NotCovered),
        "had_files": bool(request.FILES),
        "from_draft": from_draft,
        "answers": answers,
    }
    return render(request, "portal/new.html", context, status=status)


def _new_without_contract(request: HttpRequest, company: portal_page.Company) -> HttpResponse:
    """No contract is in force: the request is recorded and put before the contract administrator (domain §2)."""
    assert company.no_contract is not None
    context: dict[str, Any] = {"company": company, "refusal": company.no_contract}
    if request.method != "POST":
        return render(request, "portal/new_held.html", {**context, "form": NewRequestForm()})
    form = NewRequestForm({**request.POST.dict(), "kind": TicketKind.CONSULTATION}, request.FILES)
    if not form.is_valid():
        return render(request, "portal/new_held.html", {**context, "form": form}, status=422)
    return _held(request, company, form, company.no_contract)


def _held(
    request: HttpRequest, company: portal_page.Company, form: NewRequestForm, refusal: NotCovered
) -> HttpResponseRedirect:
    uploads = files.uploads(form.cleaned_data["files"])
    _hold_once(person(request), company, form.cleaned_data["subject"], form.cleaned_data["body"], refusal, uploads)
    request_draft.discard(person(request))
    said = {"subject": form.cleaned_data["subject"], "words": refusal.message}
    messages.warning(request, _("We have recorded “%(subject)s”. %(words)s") % said)
    response = redirect("home")
    response.status_code = 303
    return response


@transaction.atomic
def _hold_once(
    user: User,
    company: portal_page.Company,
    subject: str,
    body: str,
    refusal: NotCovered,
    uploads: Iterable[workflow.Upload] = (),
) -> HeldRequest:
    """Records a request that cannot become a ticket now. The same words twice within a day are one request.

    The person's row is locked meanwhile, so that two clicks at the same instant are told apart from two requests.
    """
    User.objects.select_for_update().get(pk=user.pk)
    now = timezone.now()
    earlier = HeldRequest.objects.filter(
        sender=user, subject=subject, body=body, settled_at__isnull=True, received_at__gt=now - HELD_ONCE_WITHIN
    ).first()
    if earlier is not None:
        return earlier
    reasons = HeldRequest.Reason
    return workflow.hold(
        reason=refusal.reason if refusal.reason in reasons.values else reasons.NOT_IN_PACKAGE,
        words=refusal.message,
        subject=subject,
        body=body,
        at=now,
        channel=portal_page.PORTAL,
        customer=company.customer,
        sender=user,
        files=uploads,
    )


@require_safe
@customers
def new_promises(request: HttpRequest) -> HttpResponse:
    """The promised times of every choice as they are now, for a page that stands open (htmx, once a minute)."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    company = portal_page.company_of(person(request), now=now)
    if company is None or company.contract is None or not company.may_write:
        raise Http404
    context = {
        "choices": portal_page.choices_of(company.contract, now=now, zone=zone),
        "question": portal_page.question_offer(company.contract, now=now, zone=zone),
        "oob": True,
    }
    return render(request, "portal/_promises.html", context)


@require_safe
@customers
def new_entitlement(request: HttpRequest) -> HttpResponse:
    """What the contract says of the chosen topic, before anything is sent (htmx, when the topic changes)."""
    now = timezone.now()
    company = portal_page.company_of(person(request), now=now)
    if company is None or company.contract is None or not company.may_write:
        raise Http404
    topic = Topic.objects.select_related("service").filter(pk=request.GET.get("topic", "")).first()
    answer = entitlement.check(company.contract, channel=portal_page.PORTAL, topic=topic, at=now) if topic else None
    return render(request, "portal/_entitlement.html", {"answer": answer})


# One ticket


@require_safe
@login_required
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """The ticket's page. The vendor's people are led to theirs, if they may see it."""
    if person(request).role in DESK_ROLES:
        found = get_object_or_404(Ticket.objects.visible_to(person(request)), number=number)
        return redirect("desk:ticket", number=found.number)
    if person(request).role != Role.CUSTOMER:
        raise Http404
    found = _found(request, number)
    if found.merged_into is not None:
        told = {"number": found.number, "into": found.merged_into.number}
        messages.info(request, _("№ %(number)s and № %(into)s are one request now: № %(into)s.") % told)
        return redirect("portal:ticket", number=found.merged_into.number)
    return _ticket_page(request, found)


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


def _ticket_page(
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
    shown = {
        "reply": ReplyForm(),
        "priority": _priority_form(ticket),
        "proposal": ProposalForm(zone=zone, hint=deadlines.hint),
        "refusal": RefusalForm(),
        **_reason_forms(ticket),
        **(forms or {}),
    }
    clock = told.commitment if told.track else None
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
        "talk": portal_page.talk_of(ticket, person(request)),
        "way": portal_page.way_of(ticket, events, escalations, now=now, zone=zone),
        "calls": portal_page.calls_of(escalations, now=now, zone=zone),
        "restored_at": next((event.at for event in reversed(events) if event.verb == "restored"), None),
        "priority_mgmt": "priority_mgmt" in services,
        "answer_due": portal_page.answer_due(ticket, now=now, zone=zone) if company.may_write else "",
        "rating": Rating.objects.filter(ticket=ticket).first(),
        "forms": shown,
        "errors": next((form for form in (forms or {}).values() if form.errors), None),
        "refusal": refusal,
        "kept": kept,
        "had_files": bool(request.FILES),
    }
    return render(request, "portal/ticket.html", context, status=status)


def _refused(request: HttpRequest, ticket: Ticket, refusal: Refused, *, kept: str = "", **forms: Any) -> HttpResponse:
    """The page as it is now, with the rule that said no. `Forbidden` has a page of its own, which keeps the text."""
    if isinstance(refusal, Forbidden):
        raise refusal
    fresh = _found(request, ticket.number)
    return _ticket_page(request, fresh, status=refusal.status, refusal=refusal, kept=kept, forms=forms)


@resource
def replies(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact answers; a closed request gets a follow-up (domain §3.2)."""
    form = ReplyForm(request.POST, request.FILES)
    if not form.is_valid():
        return _ticket_page(request, ticket, status=422, forms={"reply": form})
    try:
        message = workflow.customer_reply(
            ticket,
            by=person(request),
            body=form.cleaned_data["body"],
            at=timezone.now(),
            files=files.uploads(form.cleaned_data["files"]),
            key=clean_key(form),
        )
    except NotCovered as refusal:
        company = portal_page.company_of(person(request), now=timezone.now())
        assert company is not None
        _hold_once(
            person(request),
            company,
            ticket.subject,
            form.cleaned_data["body"],
            refusal,
            files.uploads(form.cleaned_data["files"]),
        )
        messages.warning(request, _("We have recorded your answer. %(words)s") % {"words": refusal.message})
        return _to(ticket)
    except Refused as refusal:
        return _refused(request, ticket, refusal, reply=form)
    if message.ticket_id == ticket.merged_into_id:
        messages.success(request, _("Your answer is sent."))
        return _to(message.ticket)
    if message.ticket_id != ticket.pk:
        messages.success(
            request,
            _("The request was closed, so we opened № %(number)s, which follows it.")
            % {"number": message.ticket.number},
        )
        return _to(message.ticket)
    messages.success(request, _("Your answer is sent."))
    return _to(ticket)


@resource
def confirmation(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """“The problem is solved”: the request is closed, and a rating is asked for."""
    try:
        workflow.confirm(ticket, by=person(request), at=timezone.now())
    except Refused as refusal:
        return _refused(request, ticket, refusal)
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
        return _ticket_page(request, ticket, status=422, forms={"reopening": form})
    try:
        workflow.reopen(ticket, by=person(request), reason=form.cleaned_data["reason"], at=timezone.now())
    except Refused as refusal:
        return _refused(request, ticket, refusal, kept=form.cleaned_data["reason"])
    messages.success(request, _("The request is in work again, and so is its clock."))
    return _to(ticket)


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def withdrawal(request: HttpRequest, number: int) -> HttpResponse:
    """Asks once, then withdraws the request: it is not needed any more."""
    ticket = _found(request, number)
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
            return _to(ticket)
        status = 422 if form.errors else 200
        return render(request, "portal/withdrawal.html", {"ticket": ticket, "form": form}, status=status)
    try:
        workflow.withdraw(ticket, by=person(request), at=timezone.now(), reason=form.cleaned_data["reason"])
    except Refused as refusal:
        return _refused(request, ticket, refusal, kept=form.cleaned_data["reason"])
    messages.success(request, _("You withdrew the request: it is closed."))
    return _to(ticket)


@resource
def contest(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Contests what we decided: that the request is outside support, or that service is back (domain §3.2, §3.4)."""
    declined = ticket.state == State.DECLINED
    form = _reason_forms(ticket)["contest"]
    label, error = form.fields["reason"].label, form.fields["reason"].error_messages["required"]
    form = ReasonForm(request.POST, about="contest", label=label, error=error)
    if not form.is_valid():
        return _ticket_page(request, ticket, status=422, forms={"contest": form})
    reason = form.cleaned_data["reason"]
    try:
        if declined:
            workflow.contest(ticket, by=person(request), reason=reason, at=timezone.now())
        else:
            workflow.contest_restore(ticket, by=person(request), reason=reason, at=timezone.now())
    except Refused as refusal:
        return _refused(request, ticket, refusal, kept=reason)
    if declined:
        messages.success(request, _("The request is in work again: we look at it once more."))
    else:
        messages.success(request, _("The earlier promise counts again, from where it stood."))
    return _to(ticket)


@resource
def priority(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """Another priority: at once where the package has priority management, else as a proposal (domain §3.4)."""
    form = _priority_form(ticket, request.POST)
    if not form.is_valid():
        return _ticket_page(request, ticket, status=422, forms={"priority": form})
    sent = form.cleaned_data
    try:
        changed = workflow.set_priority(
            ticket, by=person(request), priority=sent["priority"], reason=sent["reason"], at=timezone.now()
        )
    except Refused as refusal:
        return _refused(request, ticket, refusal, kept=sent["reason"])
    if changed.priority == sent["priority"]:
        messages.success(request, _("The priority is changed, the promised times are counted anew."))
    else:
        messages.success(request, _("We passed it on: an engineer decides and writes to you."))
    return _to(ticket)


# Another deadline, agreed by both sides (domain §4.2)


@resource
def deadline(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact proposes another deadline for the solution; support is asked."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    clock = deadline_page.running_resolution(ticket.clocks)
    hint = deadline_page.hint(clock, now=now, zone=zone) if clock is not None else ""
    form = ProposalForm(request.POST, zone=zone, hint=hint)
    if not form.is_valid():
        return _ticket_page(request, ticket, status=422, forms={"proposal": form})
    try:
        proposal = workflow.propose_deadline(ticket, by=person(request), at=now, **form.cleaned_data)
    except Refused as refusal:
        return _refused(request, ticket, refusal, proposal=form)
    due = words.both_zones(proposal.due_at, zone, now, "date")
    messages.success(request, _("Proposed to support: %(moment)s. You will hear from us.") % {"moment": due})
    return _to(ticket)


def _proposal(ticket: Ticket, form: AnswerForm) -> DeadlineProposal:
    """The proposal that the person saw, of this very request; else 404."""
    return get_object_or_404(ticket.deadline_proposals.select_related("ticket"), pk=form.cleaned_data["proposal"])


@resource
def deadline_acceptance(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact signs what support proposed."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _to(ticket)
    now, zone = timezone.now(), timezone.get_current_timezone()
    try:
        proposal = workflow.accept_deadline(_proposal(ticket, form), by=person(request), at=now)
    except Refused as refusal:
        return _refused(request, ticket, refusal)
    due = words.both_zones(proposal.due_at, zone, now, "date")
    messages.success(request, _("Agreed: we solve it by %(moment)s.") % {"moment": due})
    return _to(ticket)


@resource
def deadline_refusal(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact does not agree, and says why: the deadline stays."""
    form = RefusalForm(request.POST)
    if not form.is_valid():
        return _ticket_page(request, ticket, status=422, forms={"refusal": form})
    said = form.cleaned_data["words"]
    try:
        workflow.refuse_deadline(_proposal(ticket, form), words=said, by=person(request), at=timezone.now())
    except Refused as refusal:
        return _refused(request, ticket, refusal, kept=said)
    messages.success(request, _("Refused: the deadline stays as it was. Support has your words."))
    return _to(ticket)


@resource
def deadline_withdrawal(request: HttpRequest, ticket: Ticket) -> HttpResponse:
    """The contact takes the own proposal back."""
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _to(ticket)
    try:
        workflow.withdraw_deadline(_proposal(ticket, form), by=person(request), at=timezone.now())
    except Refused as refusal:
        return _refused(request, ticket, refusal)
    messages.success(request, _("Your proposal is withdrawn: the deadline stays as it was."))
    return _to(ticket)


# Escalation


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
    ticket = _found(request, number)
    company = portal_page.company_of(person(request), now=timezone.now())
    if company is None or not company.may_write:
        return _to(ticket)
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
        return _refused(request, ticket, refusal, kept=form.cleaned_data["reason"])
    said = _("Passed on to: %(whom)s.") % {"whom": portal_page.whom_words(called)}
    if called.answer_clock is not None:
        due = promise_words.dated(called.answer_clock.due_at, zone, now)
        said += " " + _("You will have an answer by %(moment)s.") % {"moment": due}
    messages.success(request, said)
    return _to(ticket)


# Rating


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
    ticket = _found(request, number)
    company = portal_page.company_of(person(request), now=timezone.now())
    if company is None or not company.may_write or ticket.state not in {State.RESOLVED, State.CLOSED}:
        return _to(ticket)
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
        return _refused(request, ticket, refusal, kept=sent["comment"])
    if sent["score"] <= workflow.LOW_RATING:
        messages.success(request, _("Thank you for saying so. A manager has your words and will write to you."))
    else:
        messages.success(request, _("Thank you for the rating. You can change it for seven days."))
    return _to(ticket)
