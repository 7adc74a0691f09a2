"""Taking the most urgent, and why somebody is next: what the desk does by rule, shown in words (direction §5)."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.access import desk_only, person
from accounts.refusals import Refused
from tickets import choosing, timeline, urgency, workflow
from tickets.models import Event, Ticket
from tickets.next_engineer import who_is_next
from tickets.queue import Queue, glance, takeable
from tickets.views.answers import SeeOther
from tickets.views.desk import ticket_again, wants_pane


@desk_only
@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Accepts the most urgent of what is looked at (`?from=`; from "my" of one's lines) and opens it."""
    user, now = person(request), timezone.now()
    looked_at = Queue.from_tail(request.GET.get("from", ""))
    looked_at = looked_at.opened(glance(user, now, looked_at).tails)
    among, lines = takeable(looked_at, user, now)
    try:
        taken = workflow.take_most_urgent(by=user, at=now, among=among, lines=lines)
    except Refused as refusal:
        messages.warning(request, refusal.message)
        return SeeOther(reverse("desk:queue") + looked_at.tail)
    messages.success(request, _("Taken into work: %(why)s") % {"why": taken.why})
    query = "?" + urlencode({"from": looked_at.tail}) if looked_at.tail else ""
    return SeeOther(reverse("desk:ticket", args=[taken.ticket.number]) + query)


@desk_only
@never_cache
@require_safe
def why(request: HttpRequest, number: int) -> HttpResponse:
    """Why this assignee, and who would be next now, with the reasons; a page, and for htmx a fragment."""
    user, now = person(request), timezone.now()
    found = get_object_or_404(
        Ticket.objects.visible_to(user).select_related("line", "product", "assignee", "customer"), number=number
    )
    event = _given(found)
    now_next = who_is_next(found, at=now) if found.is_open else None
    ranking = now_next.facts() if now_next else []
    context = {
        "ticket": found,
        "event": event,
        "event_why": _reasons(event) if event else [],
        "event_line": timeline.desk_step(event) if event else None,
        "event_others": [
            (one["name"], choosing.sentence(one, at=event.at)) for one in (event.details.get("others") or [])
        ]
        if event
        else [],
        "ranking": [(one, choosing.reasons(one, at=now)) for one in ranking],
        "nobody": now_next.nobody if now_next else "",
        "may_assign": found.is_open and user.role in workflow.ASSIGNERS,
    }
    return render(request, "desk/_why.html" if wants_pane(request) else "desk/why.html", context)


# What gives a ticket to a person; one of these that gave it to somebody else ends the look.
GIVES = frozenset({"accepted", "assigned", "assignment_undone", "returned", "taken_back", "handed_over"})


def _given(ticket: Ticket) -> Event | None:
    """The event by which its assignee has it: of who accepted what was assigned to them, the assignment."""
    given = None
    for event in ticket.events.filter(verb__in=GIVES).select_related("by").order_by("-at", "-pk"):
        chosen = event.verb in {"assigned", "assignment_undone"}
        to = event.details.get("assignee") if chosen else event.by_id if event.verb == "accepted" else None
        if ticket.assignee_id is None or to != ticket.assignee_id:
            break
        if given is None or (given.verb == "accepted" and not given.details.get("why")):
            given = event
    return given


def _reasons(event: Event) -> list[str]:
    """Why the person has it, as the event kept it: chosen by rule, taken as the most urgent, or by their own choice."""
    why = event.details.get("why")
    if event.verb != "accepted":
        return choosing.reasons(why, at=event.at) if why else []
    return urgency.reasons(why, at=event.at) if why else [_("took it of their own choice")]


@desk_only
@require_POST
def assign_next(request: HttpRequest, number: int) -> HttpResponse:
    """A lead takes the suggestion: the best of the shift gets it."""
    user, now = person(request), timezone.now()
    found = get_object_or_404(Ticket.objects.visible_to(user), number=number)
    try:
        done = workflow.assign_next(found, by=user, at=now)
        messages.success(request, _("Assigned: %(name)s") % {"name": done.assignee.full_name if done.assignee else ""})
    except Refused as refusal:
        if refusal.status == 403:
            raise
        messages.warning(request, refusal.message)
    return ticket_again(request, number)
