"""Beside a ticket: what it is tied to, merging and splitting, time spent, and how the like was solved.

What is tied and the time stand in the context of the ticket from the first; how the like was solved is asked for there,
and the same address is a page without scripts.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import desk_only, person
from accounts.models import User
from accounts.refusals import Refused
from tickets import relations_page, workflow
from tickets.durations import spent_words
from tickets.forms.relations import LinkForm, MergeForm, SplitForm, TimeForm
from tickets.models import Ticket, TicketLink, TimeEntry
from tickets.similar import similar_to
from tickets.views.answers import SeeOther
from tickets.views.desk import wants_pane


def of(user: User, number: int) -> Ticket:
    """The ticket, or 404 as for a missing one."""
    found = Ticket.objects.visible_to(user).select_related("customer", "follows", "merged_into", "product")
    return get_object_or_404(found, number=number)


def back(ticket: Ticket, part: str = "") -> HttpResponse:
    return SeeOther(reverse("desk:relations", args=[ticket.number]) + (f"#{part}" if part else ""))


def page(request: HttpRequest, ticket: Ticket, status: int = 200, refusal: Refused | None = None, **sent: Any):
    """The whole page with its forms, one of them as it was sent."""
    context = {
        "ticket": ticket,
        "relations": relations_page.relations_of(ticket, person(request)),
        "link_form": LinkForm(ticket=ticket),
        "merge_form": MergeForm(ticket=ticket),
        "time_form": TimeForm(ticket=ticket),
        "alike": relations_page.alike(ticket) if ticket.is_open else [],
        "refusal": refusal,
        **sent,
    }
    return render(request, "desk/relations.html", context, status=status)


@desk_only
@never_cache
@require_safe
def relations(request: HttpRequest, number: int) -> HttpResponse:
    """What the ticket is tied to and the time spent on it, with all the forms."""
    return page(request, of(person(request), number))


@desk_only
@never_cache
@require_safe
def similar(request: HttpRequest, number: int) -> HttpResponse:
    """Solved tickets like this one: a part of the context, or a page."""
    ticket = of(person(request), number)
    name = "desk/_similar.html" if wants_pane(request) else "desk/similar.html"
    return render(request, name, {"ticket": ticket, "similar": similar_to(ticket)})


def _sent(
    request: HttpRequest, ticket: Ticket, name: str, form: Any, verb: Callable[[dict[str, Any]], str]
) -> HttpResponse:
    """A form of the page: 422 with what is missing, 409 or 403 with the rule, else done in the words of `verb`."""
    if not form.is_valid():
        return page(request, ticket, 422, **{name: form})
    try:
        told = verb(form.cleaned_data)
    except Refused as refusal:
        return page(request, ticket, refusal.status, refusal, **{name: form})
    messages.success(request, told)
    return back(ticket)


@desk_only
@require_POST
def link(request: HttpRequest, number: int) -> HttpResponse:
    """Ties the ticket to another one."""
    user = person(request)
    ticket = of(user, number)

    def tie(said: dict[str, Any]) -> str:
        workflow.link(ticket, to=said["to"], kind=said["kind"], by=user, at=timezone.now())
        return _("Linked to № %(number)s") % {"number": said["to"].number}

    return _sent(request, ticket, "link_form", LinkForm(request.POST, ticket=ticket), tie)


@desk_only
@require_POST
def link_removal(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Takes a link away; one that is gone already is 404."""
    user = person(request)
    ticket = of(user, number)
    made = get_object_or_404(TicketLink.objects.filter(source=ticket) | TicketLink.objects.filter(target=ticket), pk=pk)
    try:
        workflow.unlink(made, by=user, at=timezone.now())
    except Refused as refusal:
        return page(request, ticket, refusal.status, refusal)
    messages.success(request, _("The link is removed"))
    return back(ticket)


@desk_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, number: int) -> HttpResponse:
    """First shows what merging will do (`?into=`), then does it: it cannot be undone."""
    user, now = person(request), timezone.now()
    ticket = of(user, number)
    form = MergeForm(request.POST if request.method == "POST" else request.GET, ticket=ticket)
    if not form.is_valid():
        return page(request, ticket, 422 if request.method == "POST" or request.GET else 200, merge_form=form)
    into = form.cleaned_data["into"]
    try:
        if request.method == "POST":
            workflow.merge(ticket, into=into, by=user, at=now)
            told = {"number": ticket.number, "into": into.number}
            messages.success(request, _("№ %(number)s is merged into № %(into)s, the customer is told") % told)
            return SeeOther(reverse("desk:ticket", args=[into.number]))
        workflow.may_merge(ticket, into)
    except Refused as refusal:
        return page(request, ticket, refusal.status, refusal, merge_form=form)
    context = {"ticket": ticket, "into": into, "lanes": relations_page.lanes_after(ticket, into, now)}
    return render(request, "desk/merge.html", context)


@desk_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def split(request: HttpRequest, number: int) -> HttpResponse:
    """Makes a ticket of its own of the chosen messages."""
    user = person(request)
    ticket = of(user, number)
    form = SplitForm(request.POST if request.method == "POST" else None, ticket=ticket)
    status, refusal = 200, None
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            made = workflow.split(
                ticket,
                messages=said["messages"],
                subject=said["subject"],
                priority=said["priority"],
                by=user,
                at=timezone.now(),
                key=said["key"] or None,
            )
        except Refused as refused:
            status, refusal = refused.status, refused
        else:
            told = _("№ %(number)s is split off, the customer is told") % {"number": made.number}
            messages.success(request, told)
            return SeeOther(reverse("desk:ticket", args=[made.number]))
    elif form.is_bound:
        status = 422
    asked = request.POST if form.is_bound else request.GET
    context = {
        "ticket": ticket,
        "form": form,
        "refusal": refusal,
        "said": relations_page.messages_to_split(ticket),
        "chosen": {int(pk) for pk in asked.getlist("messages") if pk.isascii() and pk.isdigit()},
    }
    return render(request, "desk/split.html", context, status=status)


@desk_only
@require_POST
def time(request: HttpRequest, number: int) -> HttpResponse:
    """Writes down own time."""
    user = person(request)
    ticket = of(user, number)

    def write(said: dict[str, Any]) -> str:
        key = said["key"] or None
        workflow.log_time(ticket, minutes=said["minutes"], note=said["note"], key=key, by=user, at=timezone.now())
        return _("Time written down: %(time)s") % {"time": spent_words(said["minutes"])}

    return _sent(request, ticket, "time_form", TimeForm(request.POST, ticket=ticket), write)


@desk_only
@require_POST
def time_correction(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Puts an entry right: its author or a lead."""
    user = person(request)
    ticket = of(user, number)
    entry = get_object_or_404(TimeEntry.objects.select_related("ticket", "person"), pk=pk, ticket=ticket)

    def correct(said: dict[str, Any]) -> str:
        workflow.correct_time(entry, minutes=said["minutes"], note=said["note"], by=user, at=timezone.now())
        return _("Corrected: %(time)s") % {"time": spent_words(said["minutes"])}

    return _sent(request, ticket, "time_form", TimeForm(request.POST, ticket=ticket), correct)
