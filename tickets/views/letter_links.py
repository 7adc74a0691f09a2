"""What the links of letters lead to, without a sign-in: a rating, and the answer to a proposed deadline.

A GET changes nothing: machines open every link of a letter.
"""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.refusals import Forbidden, Refused
from sla.models import DeadlineProposal
from tickets import deadline_page, letter_links, workflow
from tickets.deadline_page import Deadlines
from tickets.forms.deadlines import RefusalForm
from tickets.forms.portal import RateForm
from tickets.models import Rating, State, Ticket


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def rate(request: HttpRequest, token: str) -> HttpResponse:
    """The page with the chosen mark (`?score=`) and one button; used again it shows what was said, to be changed."""
    try:
        ticket, person = letter_links.read_rating(token)
    except letter_links.Expired:
        words = _("This link has expired. Sign in, open the request and rate it there.")
        return render(request, "portal/rate_link.html", {"words": words}, status=410)
    except letter_links.Altered:
        return _altered(request, "portal/rate_link.html")
    with translation.override(person.language), timezone.override(person.timezone):
        return _rate(request, ticket, person)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def deadline(request: HttpRequest, token: str) -> HttpResponse:
    """The proposed deadline with its two answers, for the one who is asked (domain §4.2); later, what came of it."""
    try:
        proposal, person = letter_links.read_deadline(token)
    except (letter_links.Expired, letter_links.Altered):
        return _altered(request, "portal/deadline_link.html")
    with translation.override(person.language), timezone.override(person.timezone):
        return _answer(request, proposal, person)


def _altered(request: HttpRequest, template: str) -> HttpResponse:
    words = _("This link is not complete. Open it from the letter once more, or sign in and open the request.")
    return render(request, template, {"words": words}, status=404)


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
    return _sent(request)


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


def _answer(request: HttpRequest, proposal: DeadlineProposal, person: User) -> HttpResponse:
    now, said = timezone.now(), ""
    form = RefusalForm(initial={"proposal": proposal.pk})
    refusal: Refused | None = None
    status = 200
    try:
        if request.method != "POST":
            workflow.only_signatory(proposal.ticket, person, now)
        elif request.POST.get("answer") == "yes":
            workflow.accept_deadline(proposal, by=person, at=now, by_letter=True)
            return _sent(request)
        else:
            form = RefusalForm({"words": request.POST.get("words", ""), "proposal": proposal.pk})
            if form.is_valid():
                said = form.cleaned_data["words"]
                workflow.refuse_deadline(proposal, words=said, by=person, at=now, by_letter=True)
                return _sent(request)
            status = 422
    except Refused as error:
        refusal, status = error, error.status
    return _deadline_page(request, proposal, person, form, refusal=refusal, kept=said, status=status)


def _sent(request: HttpRequest) -> HttpResponse:
    response = redirect(f"{request.path}?sent=1")
    response.status_code = 303
    return response


def _deadline_page(
    request: HttpRequest,
    proposal: DeadlineProposal,
    person: User,
    form: RefusalForm,
    *,
    refusal: Refused | None,
    kept: str,
    status: int,
) -> HttpResponse:
    """The facts and the two answers for who may sign; for who may not, only the refusal."""
    if isinstance(refusal, Forbidden):
        return render(request, "portal/deadline_link.html", {"refusal": refusal}, status=status)
    ticket = Ticket.objects.with_clocks().get(pk=proposal.ticket_id)
    now, zone = timezone.now(), timezone.get_current_timezone()
    deadlines = deadline_page.of_ticket(ticket, person, signs=True, now=now, zone=zone)
    waits = deadlines.may_answer and deadlines.waiting == proposal
    context = {
        "ticket": ticket,
        "person": person,
        "page": reverse("desk:ticket" if person.works_at_desk else "portal:ticket", args=[ticket.number]),
        "deadlines": deadlines,
        "waits": waits,
        "form": form,
        "refusal": refusal,
        "kept": kept,
        "came": "" if waits else _what_came(proposal, person, deadlines, now),
        "sent": "sent" in request.GET,
    }
    return render(request, "portal/deadline_link.html", context, status=status)


def _what_came(proposal: DeadlineProposal, person: User, deadlines: Deadlines, now: datetime) -> str:
    """In a sentence, why a proposal waits no more."""
    signed = next((one.said for one in deadlines.signed if one.proposal == proposal), "")
    if signed:
        return signed
    if proposal.state == DeadlineProposal.State.REFUSED and proposal.answered_by_id == person.pk:
        return _("You did not agree: the deadline stays as it was, and the other side has your words.")
    try:
        workflow.only_open(proposal)
    except Refused as refusal:
        return refusal.message
    if proposal.due_at <= now:
        return _("The proposed moment has passed: the deadline stays as it was.")
    return _("Just now there is nothing to answer: open the request to see why.")
