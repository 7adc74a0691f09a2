"""What keeps a workspace page true while it is open: the stream of events, and the fragments that it makes one fetch.

The fragments are those of the pages, with the reader's rights; the stream carries numbers only (direction §10).
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import desk_only, person
from accounts.models import STAFF_ROLES, Role, User
from sla import wire
from tickets import hub, presence, reading
from tickets.around import around
from tickets.forecasting import forecasts
from tickets.models import Ticket
from tickets.queue import Queue, glance, next_to_take, page_of, row, tabs, tickets_of
from tickets.reading import with_unread
from tickets.ticket_page import ticket_context
from tickets.views.desk import find, list_context

STREAMS_OF_A_PERSON = 8  # one for each browser is used


@never_cache
@require_safe
def stream(request: HttpRequest) -> HttpResponseBase:
    """Events for as long as the browser listens. `Last-Event-ID` or `?last=` is where it left off.

    204 where the page server cannot stream (WSGI), 503 while Valkey is away, 429 for too many: the browser then asks by
    itself. Who asks is looked up once, here; the stream itself never touches the database.
    """
    user = person(request)
    if not isinstance(request, ASGIRequest):
        return HttpResponse(status=204)
    if not wire.answers():
        return HttpResponse(status=503, headers={"Retry-After": "20"})
    if hub.streams_of(user.pk) >= STREAMS_OF_A_PERSON:
        return HttpResponse(status=429, headers={"Retry-After": "20"})
    last = request.headers.get("Last-Event-ID") or request.GET.get("last", "")
    events = hub.stream(hub.Watcher(user.pk, _customer_of(user)), last if hub.place(last) > (0, 0) else "")
    answer = StreamingHttpResponse(events, content_type="text/event-stream")
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


NOBODYS = 0  # hears nothing


def _customer_of(user: User) -> int | None:
    """Whose requests a person hears of: None for those of everybody, as `Ticket.objects.visible_to` has it."""
    if user.role in STAFF_ROLES - {Role.CONTRACT_ADMIN, Role.ADMIN}:
        return None
    membership = getattr(user, "membership", None) if user.role == Role.CUSTOMER else None
    return membership.customer_id if membership else NOBODYS


# The queue


@desk_only
@never_cache
@require_safe
def counters(request: HttpRequest) -> HttpResponse:
    """The tabs of the queue that the page came from (`?from=`) and the rail, with their counts."""
    user, now = person(request), timezone.now()
    return render(request, "desk/live/counters.html", {"tabs": tabs(user, _queue(request, user, now), now)})


@desk_only
@never_cache
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """The list of the queue as it is now, to be compared with the one on the screen."""
    user, now = person(request), timezone.now()
    open_number = _number(request.GET.get("open", ""))
    context = list_context(request, user, _queue(request, user, now), now, open_number=open_number)
    return render(request, "desk/_list.html", context)


@desk_only
@never_cache
@require_safe
def nearest(request: HttpRequest) -> HttpResponse:
    """What to take next, where nothing is open; 204 while it is what the page shows (`shown`)."""
    user, now = person(request), timezone.now()
    looked_at = _queue(request, user, now)
    page = page_of(looked_at, user, now)
    found = next_to_take(user, looked_at, page, now)
    if (found.number if found else None) == _number(request.GET.get("shown", "")):
        return HttpResponse(status=204)
    return render(request, "desk/_nearest.html", {"nearest": found, "page": page, "from": looked_at.way_back})


@desk_only
@never_cache
@require_safe
def one_row(request: HttpRequest, number: int) -> HttpResponse:
    """The row of a ticket; 204 where it is not in the queue that the page came from any more."""
    user, now = person(request), timezone.now()
    looked_at = _queue(request, user, now)
    found = with_unread(tickets_of(looked_at, user, now).with_clocks(), user).filter(number=number).first()
    if found is None:
        get_object_or_404(Ticket.objects.visible_to(user), number=number)
        return HttpResponse(status=204)
    context = {
        "row": row(found, now, forecasts(found.clocks, now), unread=bool(getattr(found, "unread", False))),
        "from": looked_at.way_back,
        "open_number": _number(request.GET.get("open", "")),
    }
    return render(request, "tickets/_row.html", context)


def _queue(request: HttpRequest, user: User, now: datetime) -> Queue:
    looked_at = Queue.from_tail(request.GET.get("from", ""))
    return looked_at.opened(glance(user, now, looked_at).tails)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


# The ticket


@desk_only
@never_cache
@require_safe
def thread(request: HttpRequest, number: int) -> HttpResponse:
    """The conversation after a message (`?after=`, its key): new messages, cards and what happened between them."""
    user, now = person(request), timezone.now()
    context = _context(request, user, number, now)
    after = _number(request.GET.get("after", "")) or 0
    entries = context["conversation"]
    seen = [place for place, entry in enumerate(entries) if entry.message is not None and entry.message.pk == after]
    context["conversation"] = entries[seen[0] + 1 :] if seen else entries
    return render(request, "desk/_ticket.html", context | {"part": "thread"})


@desk_only
@never_cache
@require_safe
def head(request: HttpRequest, number: int) -> HttpResponse:
    """The head of a ticket (status, what can be done, both promises, its way through the lines) and its context."""
    user, now = person(request), timezone.now()
    return render(request, "desk/_ticket.html", _context(request, user, number, now) | {"part": "head"})


def _context(request: HttpRequest, user: User, number: int, now: datetime) -> dict[str, Any]:
    looked_at = _queue(request, user, now)
    found = find(user, number)
    seen = glance(user, now, looked_at)
    beside = around(found, user, now=now, edition=seen.edition)
    return ticket_context(user, found, beside, now, forecasts(found.clocks, now), lines=seen.own) | {
        "from": looked_at.way_back,
        "back": reverse("desk:queue") + looked_at.way_back,
        "here": "?" + urlencode({"from": looked_at.way_back}) if looked_at.way_back else "",
    }


# Who is there


@desk_only
@require_POST
def heartbeat(request: HttpRequest, number: int) -> HttpResponse:
    """A browser says that its person looks at a ticket or writes in it (`state`); it answers who is where.

    `seen` is the key of a message that came while they looked and was really shown: that much they have read.
    """
    user = person(request)
    ticket = get_object_or_404(Ticket.objects.visible_to(user).only("number"), number=number)
    state = request.POST.get("state", "")
    if state not in presence.STATES:
        return HttpResponse(status=422)
    presence.heard(ticket.number, user, state)
    if seen := _number(request.POST.get("seen", "")):
        reading.mark_seen(ticket, person=user, upto=seen, at=timezone.now())
    return _present(user)


@desk_only
@never_cache
@require_safe
def here(request: HttpRequest) -> HttpResponse:
    """Who is at which ticket, without the reader: for a page that has no stream."""
    return _present(person(request))


def _present(user: User) -> HttpResponse:
    return JsonResponse({"here": [one.as_json() for one in presence.present() if one.by != user.pk]})
