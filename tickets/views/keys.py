"""The sheet of keys and the command palette: pages that work without a script, fragments for the dialogs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import only, person
from accounts.models import STAFF_ROLES
from tickets import keys
from tickets import palette as commands
from tickets.models import Ticket
from tickets.views.desk import wants_pane

staff_only = only(STAFF_ROLES)


@staff_only
@require_safe
def sheet(request: HttpRequest) -> HttpResponse:
    """Every key with what it does, and the switch of the single ones."""
    context = {"places": keys.by_place(keys.of(person(request)))}
    return render(request, "desk/live/_keys.html" if wants_pane(request) else "desk/live/keys.html", context)


@staff_only
@never_cache
@require_safe
def palette(request: HttpRequest) -> HttpResponse:
    """What answers the question `q`; `ticket` is the number of the one that is open."""
    user = person(request)
    number = request.GET.get("ticket", "")
    ticket = None
    if number.isdecimal() and len(number) < 19:
        ticket = Ticket.objects.visible_to(user).filter(number=int(number)).first()
    question = request.GET.get("q", "")
    context = {"results": commands.results(user, question, ticket), "q": question, "ticket_number": number}
    return render(request, "desk/live/_palette.html" if wants_pane(request) else "desk/live/palette.html", context)
