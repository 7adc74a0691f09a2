"""Beside the composer: the draft kept while one writes, its files, the macros, and how far the ticket was read.

A script asks for JSON; without one the same addresses answer with the ticket's page.
"""

from datetime import tzinfo
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import desk_only, person
from accounts.models import Line, User
from accounts.refusals import Refused
from sla import words
from tickets import drafts, files, macros, reading
from tickets.forms.desk import DraftForm
from tickets.models import Draft, Macro, PendingFile, Ticket
from tickets.queue import Queue
from tickets.ticket_page import macro_of
from tickets.views.answers import SeeOther
from tickets.views.desk import ticket_again, wants_pane


def of(user: User, number: int) -> Ticket:
    """The ticket, or 404 as for a missing one."""
    return get_object_or_404(Ticket.objects.visible_to(user), number=number)


def written_in(user: User, number: int) -> Ticket:
    """Where what is written on the page of this ticket goes on: merged meanwhile, in the one that stays."""
    ticket = of(user, number)
    return ticket.merged_into or ticket


def wants_json(request: HttpRequest) -> bool:
    return not request.accepts("text/html")


def as_json(kept: Draft | None, zone: tzinfo = words.MOSCOW) -> dict[str, Any]:
    """A draft for the script: the moment in UTC and as people in that zone write it."""
    if kept is None:
        return {"at": "", "clock": "", "kind": "", "body": "", "macro": ""}
    clock = words.moment(kept.updated_at, zone, timezone.now(), "time")
    chosen = kept.macro
    macro = {"pk": chosen.pk, "title": chosen.title, "does": _after_title(macros.does(chosen))} if chosen else ""
    return {"at": kept.updated_at.isoformat(), "clock": clock, "kind": kept.kind, "body": kept.body, "macro": macro}


def _after_title(does: list[str]) -> str:
    """What a macro does, as it stands behind its title."""
    return f": {', '.join(does)}" if does else ""


def keep(request: HttpRequest, ticket: Ticket, *, knows_base: bool) -> Draft | None:
    """Keeps what stands in the composer; nonsense in the form keeps nothing."""
    form = DraftForm(request.POST)
    if not form.is_valid():
        raise Refused(_("This cannot be kept as a draft."))
    said, user = form.cleaned_data, person(request)
    return drafts.keep(
        ticket,
        person=user,
        kind=said["kind"],
        body=said["body"],
        at=timezone.now(),
        key=said["key"],
        base=said["base"],
        knows_base=knows_base,
        macro=macro_of(user, str(said["macro"])) if said["macro"] else None,
    )


@desk_only
@require_POST
def draft(request: HttpRequest, number: int) -> HttpResponse:
    """Keeps the words; 409 with the other words where another window of the same person has kept some since."""
    ticket = written_in(person(request), number)
    try:
        kept = keep(request, ticket, knows_base="base" in request.POST)
    except drafts.Elsewhere as elsewhere:
        return JsonResponse({"detail": elsewhere.message, **as_json(elsewhere.draft)}, status=409)
    except Refused as refused:
        return JsonResponse({"detail": refused.message}, status=422)
    if wants_json(request):
        return JsonResponse(as_json(kept))
    messages.success(request, _("The draft is kept"))
    return ticket_again(request, ticket.number)


@desk_only
@require_POST
def uploads(request: HttpRequest, number: int) -> HttpResponse:
    """Takes in one file (`file`) for the message that is being written: 201 with its key, 422 with what is wrong."""
    return taken_in(request, written_in(person(request), number))


def taken_in(request: HttpRequest, ticket: Ticket | None) -> JsonResponse:
    """Takes in the file of this request for what the person is writing there; None: for a request not filed yet."""
    given = request.FILES.get("file")
    if given is None:
        return JsonResponse({"detail": _("No file came.")}, status=422)
    try:
        pending = drafts.upload(ticket, given, person=person(request), at=timezone.now())
    except Refused as refused:
        return JsonResponse({"detail": refused.message}, status=422)
    return JsonResponse({"pk": pending.pk, "name": pending.name, "size": pending.size}, status=201)


@desk_only
@require_POST
def upload_removal(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Takes a file away again; without scripts the words that were typed are kept along with it."""
    user = person(request)
    ticket = written_in(user, number)
    drafts.take_away(get_object_or_404(PendingFile, pk=pk, ticket=ticket, person=user))
    if wants_json(request):
        return JsonResponse({})
    keep(request, ticket, knows_base=False)
    return ticket_again(request, ticket.number)


@desk_only
@require_safe
def picture(request: HttpRequest, number: int, pk: int) -> FileResponse:
    """A small picture of the thread, in place."""
    return files.picture(person(request), number, pk)


@desk_only
@never_cache
@require_safe
def macro_picker(request: HttpRequest, number: int) -> HttpResponse:
    """The macros with what each would say in this ticket: a menu of the composer, or a page of its own."""
    user, now = person(request), timezone.now()
    prefetch_related_objects([user], Prefetch("lines", Line.objects.all()))
    ticket = get_object_or_404(
        Ticket.objects.visible_to(user).select_related("customer", "contact", "product"), number=number
    )
    values = macros.values_of(ticket, by=user, now=now)
    offered = []
    for macro in Macro.objects.offered_to(user):
        text = macros.substitute(macro.body(ticket.language), values)
        offered.append((macro, ", ".join(macros.does(macro)), text, "; ".join(macros.lacks(text))))
    tail = Queue.from_tail(request.GET.get("from", "")).tail
    page = "desk/_macro_picker.html" if wants_pane(request) else "desk/macro_picker.html"
    return render(request, page, {"ticket": ticket, "offered": offered, "from": tail})


@desk_only
@never_cache
@require_safe
def macro(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """One macro as it would be said in this ticket, for the script of the composer."""
    user = person(request)
    ticket = get_object_or_404(
        Ticket.objects.visible_to(user).select_related("customer", "contact", "product"), number=number
    )
    chosen = get_object_or_404(Macro.objects.visible_to(user), pk=pk)
    text = macros.rendered(chosen, ticket, by=user, now=timezone.now())
    does = _after_title([*macros.does(chosen), *macros.lacks(text)])
    return JsonResponse({"pk": chosen.pk, "title": chosen.title, "kind": chosen.kind, "body": text, "does": does})


@desk_only
@require_POST
def unread(request: HttpRequest, number: int) -> HttpResponse:
    """Marks the ticket unread and goes back to the queue: looking at it again would be reading it."""
    user = person(request)
    reading.mark_unread(of(user, number), person=user, at=timezone.now())
    messages.success(request, _("Marked as unread"))
    return SeeOther(reverse("desk:queue") + Queue.from_tail(request.GET.get("from", "")).tail)
