"""What a customer is writing in a request: kept on the server, with its files, until it is sent (direction §6.6).

A script asks for JSON; without one the same addresses lead back to the page of the request.
"""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.access import person
from accounts.models import User
from tickets import drafts, portal_page
from tickets.forms.desk import DraftForm
from tickets.models import Draft, PendingFile, Ticket
from tickets.views.composer import as_json, taken_in, wants_json
from tickets.views.portal_gate import customers, ticket_of, to

AN_ANSWER = "reply"  # of the kinds of a draft, the one that a customer writes


def _answered_by(request: HttpRequest, number: int) -> Ticket:
    """The request that stays, if this person may answer in it; else 404: who only reads writes nothing."""
    ticket = ticket_of(request, number)
    company = portal_page.company_of(person(request), now=timezone.now())
    if company is None or not company.may_write:
        raise Http404
    return ticket.merged_into or ticket


def _keep(form: DraftForm, ticket: Ticket, user: User, *, knows_base: bool) -> Draft | None:
    said = {name: form.cleaned_data[name] for name in ("kind", "body", "key", "base")}
    return drafts.keep(ticket, person=user, at=timezone.now(), knows_base=knows_base, **said)


@require_POST
@customers
def draft(request: HttpRequest, number: int) -> HttpResponse:
    """Keeps the words; 409 with the other words where another window of the same person has kept some since.

    With `discard` the words and their files are thrown away.
    """
    user, ticket = person(request), _answered_by(request, number)
    if "discard" in request.POST:
        drafts.throw_away(ticket, user)
        messages.success(request, _("The draft is thrown away."))
        return to(ticket)
    form = DraftForm({**request.POST.dict(), "kind": AN_ANSWER})
    if not form.is_valid():
        return JsonResponse({"detail": _("This cannot be kept as a draft.")}, status=422)
    zone = timezone.get_current_timezone()
    try:
        kept = _keep(form, ticket, user, knows_base="base" in request.POST)
    except drafts.Elsewhere as elsewhere:
        return JsonResponse({"detail": elsewhere.message, **as_json(elsewhere.draft, zone)}, status=409)
    if wants_json(request):
        return JsonResponse(as_json(kept, zone))
    drafts.keep_files(ticket, request.FILES.getlist("files"), person=user, at=timezone.now())
    messages.success(request, _("The draft is kept"))
    return to(ticket)


@require_POST
@customers
def uploads(request: HttpRequest, number: int) -> HttpResponse:
    """Takes in one file (`file`) for the answer that is being written: 201 with its key, 422 with what is wrong."""
    return taken_in(request, _answered_by(request, number))


@require_POST
@customers
def upload_removal(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Takes a file away again; without scripts the words and the files that were chosen are kept along with it."""
    user, ticket = person(request), _answered_by(request, number)
    drafts.take_away(get_object_or_404(PendingFile, pk=pk, ticket=ticket, person=user))
    if wants_json(request):
        return JsonResponse({})
    form = DraftForm({**request.POST.dict(), "kind": AN_ANSWER})
    if form.is_valid():
        _keep(form, ticket, user, knows_base=False)
    drafts.keep_files(ticket, request.FILES.getlist("files"), person=user, at=timezone.now())
    return to(ticket)
