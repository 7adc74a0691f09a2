"""The engineer's workspace: the queue, the ticket beside it, and everything that is done with a ticket.

A page finds what the person may see and shows it; an action fills its form, calls one verb of `workflow` and answers
with the ticket as it is then. A refusal answers with the same page: the sentence on top, everything typed kept.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from accounts.access import desk_only, only, person
from accounts.at_once import AtOnce, key
from accounts.models import BOARD_ROLES, DESK_ROLES, Line, User
from accounts.refusals import Refused
from sla.models import Escalation
from tickets import (
    event_words,
    files,
    reading,
    workflow,
)
from tickets.around import around, found
from tickets.bulk import bulk_acts, just_finished
from tickets.files import LARGEST_KEY
from tickets.forecasting import forecasts
from tickets.models import Ticket
from tickets.queue import (
    Queue,
    count_groups,
    glance,
    grouped,
    nearest_due,
    next_to_take,
    page_of,
    row,
    tabs,
)
from tickets.queue.filters import chips_on
from tickets.ticket_page import Offers, Sent, form_for, macro_of, ticket_context
from tickets.views.answers import SeeOther

# The queue

DENSITIES = ("usual", "dense", "roomy")


@desk_only
@require_safe
def queue(request: HttpRequest, place: str = "", view: str = "") -> HttpResponse:
    """Own lines, what is assigned to oneself, a line, or a saved view, by deadline.

    htmx that asks for more rows (`HX-Target: more`) gets these alone.
    """
    user, now = person(request), timezone.now()
    looked_at = Queue.read(place, request.GET, view)
    looked_at = looked_at.opened(glance(user, now, looked_at).tails)
    if view and not looked_at.view:
        raise Http404
    if wants_pane(request) and request.headers.get("HX-Target") == "more":
        return render(request, "desk/_more.html", rows_context(user, looked_at, now))
    context = list_context(request, user, looked_at, now)
    context["nearest"] = next_to_take(user, looked_at, context["page"], now)
    return render(request, "desk/queue.html", context)


@desk_only
@require_safe
def line_queue(request: HttpRequest, line: int) -> HttpResponse:
    """The queue of one line, whoever works on it."""
    if line not in {1, 2, 3, 4}:
        raise Http404
    return queue(request, place=str(line))


def density(request: HttpRequest) -> str:
    """How close the rows stand on this device: a cookie."""
    kept = request.COOKIES.get("density", "")
    return kept if kept in DENSITIES else DENSITIES[0]


def rows_context(user: User, looked_at: Queue, now: datetime) -> dict[str, Any]:
    """The rows of a page in their groups, and where the next page begins; two statements at most."""
    page = page_of(looked_at, user, now)
    groups = grouped(looked_at, page, now) if looked_at.runs_against_time else []
    total = count_groups(looked_at, user, page, groups, now)
    more = looked_at.but(after=page.more) if page.more else None
    return {
        "queue": looked_at,
        "from": looked_at.way_back,
        "page": page,
        "groups": groups,
        "rows": [] if looked_at.runs_against_time else page.rows,
        "total": total,
        "more": more,
    }


def list_context(
    request: HttpRequest, user: User, looked_at: Queue, now: datetime, open_number: int | None = None
) -> dict[str, Any]:
    """What `desk/_list.html` shows; a constant number of statements."""
    seen = glance(user, now, looked_at)
    rows = rows_context(user, looked_at, now)
    empty = not rows["page"].rows and not looked_at.after
    # The first row that there is ends the look: no table is read for it, and none at all while something is shown.
    never_any = empty and not looked_at.filters and not Ticket.objects.visible_to(user).exists()
    return rows | {
        "tabs": tabs(user, looked_at, now),
        "views": [(view, view.slug == looked_at.view) for view in seen.views],
        "view": next((view for view in seen.views if view.slug == looked_at.view), None),
        "filters": chips_on(looked_at, seen.names),
        "density": density(request),
        "densities": [(code, code == density(request)) for code in DENSITIES],
        "open_number": open_number,
        "last_run": just_finished(seen.last_run, now),
        "acts": bulk_acts(),
        "next_due": nearest_due(user, now) if empty and not never_any else None,
        "own_lines": seen.own,
        "never_any": never_any,
    }


@desk_only
@require_POST
def set_density(request: HttpRequest) -> HttpResponse:
    """How close the rows stand, kept on this device for a year; back to the queue that it was chosen on."""
    tail = Queue.from_tail(request.POST.get("from", "")).tail
    answer = SeeOther(reverse("desk:queue") + tail)
    chosen = request.POST.get("density", "")
    if chosen in DENSITIES:
        answer.set_cookie("density", chosen, max_age=365 * 24 * 3600, samesite="Lax", httponly=True)
    return answer


# The ticket


@desk_only
@never_cache
@require_safe
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """The ticket with its conversation, beside the queue that one came from (`?from=`)."""
    return show(request, number)


def find(user: User, number: int) -> Ticket:
    """The ticket, for `around`. `Http404` for one that this person, one of the desk, may not see."""
    if user.role not in DESK_ROLES:
        raise PermissionDenied
    if user.role not in _finding:
        seen = found(Ticket.objects.visible_to(user).filter(number=key("number")))
        _finding[user.role] = AtOnce(lambda: {"ticket": seen})
    rows = _finding[user.role].read(number=number)["ticket"] if number <= LARGEST_KEY else []
    if not rows:
        raise Http404
    return rows[0]


_finding: dict[str, AtOnce] = {}  # of the process: at the desk a role decides what is seen, and no person


def show(request: HttpRequest, number: int, sent: Sent | None = None, status: int = 200) -> HttpResponse:
    """The page of a ticket, or for htmx only the pane with what changed around it."""
    user, now = person(request), timezone.now()
    looked_at = replace(Queue.from_tail(request.GET.get("from", "")), after="")
    seen = glance(user, now, looked_at)
    looked_at = looked_at.opened(seen.tails)
    tail = looked_at.tail
    ticket = find(user, number)
    beside = around(ticket, user, now=now, edition=seen.edition)
    macro = macro_of(user, request.GET.get("macro", "")) if sent is None else None
    foreseen = forecasts(ticket.clocks, now)
    context = ticket_context(user, ticket, beside, now, foreseen, sent, macro, seen.own) | {
        "from": tail,
        "back": reverse("desk:queue") + tail,
        "here": "?" + urlencode({"from": tail}) if tail else "",
    }
    if context["new_from"] is not None or context["composing"].read_upto is None:  # what is shown is read
        reading.mark(ticket, person=user, upto=context["read_upto"], at=now)
    if wants_pane(request):
        return render(request, "desk/_answer.html", context | {"row": row(ticket, now, foreseen)}, status=status)
    context = list_context(request, user, looked_at, now, open_number=number) | context
    return render(request, "desk/ticket.html", context, status=status)


def wants_pane(request: HttpRequest) -> bool:
    """Whether htmx asks for the pane alone; a boosted link wants the whole page."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted


@only(DESK_ROLES | BOARD_ROLES)
@require_safe
def file(request: HttpRequest, number: int, pk: int) -> FileResponse:
    """A file of a message, as a download; top management reads what it was called in for, and has no desk."""
    return files.download(person(request), number, pk)


# What is done with a ticket


def _say(
    ticket: Ticket, *, by: User, at: datetime, attachments: list, macro: int | None, key: str, **said: Any
) -> None:
    chosen = macro_of(by, str(macro)) if macro else None
    if macro and chosen is None:
        raise workflow.NotAllowed(_("This macro is not there any more: nothing of it was done."))
    workflow.send(ticket, by=by, at=at, files=files.uploads(attachments), macro=chosen, key=key or None, **said)


ASK_FIRST = {*workflow.ABOUT, "messages"}  # acts that ask about what a colleague changed after the person looked


def _answer(verb: Callable[..., Any]) -> Callable[..., Any]:
    """A verb of the proposal that the person saw; one of another ticket is 404."""

    def answer(ticket: Ticket, *, by: User, at: datetime, proposal: int, **said: Any) -> None:
        verb(get_object_or_404(ticket.deadline_proposals.select_related("ticket"), pk=proposal), by=by, at=at, **said)

    return answer


VERBS: dict[str, Callable[..., Any]] = {
    "acceptance": workflow.accept,
    "messages": _say,
    "waiting": workflow.stop_waiting,
    "handover": workflow.hand_over,
    "return": workflow.return_hand_over,
    "escalation": workflow.call_in,
    "taking_back": workflow.take_back,
    "defect": workflow.attach_defect,
    "major": workflow.declare_major,
    "restoration": workflow.restore,
    "classification": workflow.reclassify,
    "resolution": lambda ticket, *, key, **said: workflow.resolve(ticket, key=key or None, **said),
    "follow_up": workflow.follow_up,
    "reopening": workflow.reopen,
    "decline": workflow.decline,
    "assignment": workflow.assign,
    "deadline": workflow.propose_deadline,
    "deadline_acceptance": _answer(workflow.accept_deadline),
    "deadline_refusal": _answer(workflow.refuse_deadline),
    "deadline_withdrawal": _answer(workflow.withdraw_deadline),
}

DONE: dict[str, str | Promise] = {
    "acceptance": gettext_lazy("Taken into work"),
    "accepted_hand_over": gettext_lazy("Hand-over accepted: the request is yours"),
    "reply": gettext_lazy("Sent to the customer"),
    "note": gettext_lazy("Note kept"),
    "question": gettext_lazy("Asked the customer: we wait for the answer"),
    "waiting": gettext_lazy("We go on without the answer"),
    "handover": gettext_lazy("Handed over %(line)s"),
    "return": gettext_lazy("Given back"),
    "escalation": gettext_lazy("Called in: %(whom)s"),
    "taking_back": gettext_lazy("The hand-over is taken back: the request is yours again"),
    "defect": gettext_lazy("Defect attached"),
    "major": gettext_lazy("A major incident is declared: link the requests that it caused"),
    "restoration": gettext_lazy("Service is back, the customer is told"),
    "classification": gettext_lazy("Classified anew, the deadlines are counted again"),
    "resolution": gettext_lazy("Solved: the customer is asked to confirm"),
    "follow_up": gettext_lazy("A follow-up is open, the customer is told"),
    "reopening": gettext_lazy("In work again"),
    "decline": gettext_lazy("Declined, the customer is told why"),
    "assignment": gettext_lazy("Assigned: %(name)s"),
    "deadline": gettext_lazy("The deadline is proposed, the customer is asked"),
    "deadline_acceptance": gettext_lazy("Agreed, the deadline holds for both sides"),
    "deadline_refusal": gettext_lazy("Refused, the customer has your words"),
    "deadline_withdrawal": gettext_lazy("The proposal is withdrawn"),
}


def _key(text: str) -> int | None:
    """A key of the page as it comes back, None for anything else."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def done(name: str, said: dict[str, Any]) -> str:
    """What the desk has done, in the words of the button's verb (direction §16)."""
    words = {"line": event_words.to_line(said["to_line"])} if name == "handover" else {}
    if name == "escalation":
        words = {"whom": event_words.whom(said["whom"])}
    if name == "assignment":
        words = {"name": said["to"].full_name}
    if name == "messages":
        name = {"wait": "question", "resolve": "resolution"}.get(said["then"], said["kind"])
    return str(DONE[name]) % words


@desk_only
@require_POST
def act(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """One move: the form's words, one verb, and the ticket as it is then.

    422 for words that are missing, 409 (or 403) for a move that a rule refuses; both with everything that was typed.
    """
    user, now = person(request), timezone.now()
    seen = Ticket.objects.visible_to(user).select_related("line", "merged_into")
    ticket = get_object_or_404(seen, number=number)
    if name == "messages" and ticket.merged_into is not None:
        return _merged_meanwhile(request, ticket, ticket.merged_into)
    offers = Offers(list(Line.objects.order_by("number"))) if name == "handover" else None
    form = form_for(name, ticket, request.POST, request.FILES, offers=offers)
    as_of = _key(request.POST.get("as_of", ""))
    sent = Sent(name, form, as_of=as_of, seen=request.POST.get("seen", ""))
    if form is not None and not form.is_valid():
        return show(request, number, sent, status=422)
    said = form.cleaned_data if form is not None else {}
    if name == "acceptance":
        said = {"seen": request.POST.get("seen")}
    try:
        result = VERBS[name](ticket, by=user, at=now, **said, **({"as_of": as_of} if name in ASK_FIRST else {}))
    except Refused as refusal:
        return show(request, number, replace(sent, refusal=refusal), status=refusal.status)
    if name == "acceptance" and ticket.hand_overs.filter(accepted_by=user, accepted_at=now).exists():
        name = "accepted_hand_over"
    messages.success(request, done(name, said))
    return ticket_again(request, result.number if name == "follow_up" else number)


def _merged_meanwhile(request: HttpRequest, ticket: Ticket, into: Ticket) -> HttpResponse:
    """The words that were to be sent in a ticket that was merged stand in the one that stays, to be sent there."""
    typed = request.POST.copy()
    typed.pop("seen", None)  # of the conversation that stays the person sees all now
    refusal = workflow.NotAllowed(
        _("№ %(number)s was merged into № %(into)s in the meantime. Your words are here: read on, then send them.")
        % {"number": ticket.number, "into": into.number}
    )
    sent = Sent("messages", form_for("messages", into, typed, request.FILES), refusal)
    answer = show(request, into.number, sent, status=refusal.status)
    answer["HX-Push-Url"] = _page_of(request, into.number)
    return answer


@desk_only
@require_POST
def acknowledgement(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """“I have it”: who was called in says so (domain §4.4). Their answers are given on the page of escalations."""
    user = person(request)
    escalation = get_object_or_404(
        Escalation.objects.select_related("ticket"),
        pk=pk,
        ticket__in=Ticket.objects.visible_to(user).filter(Q(number=number) | Q(merged_into__number=number)),
    )
    workflow.acknowledge(escalation, by=user, at=timezone.now())
    messages.success(request, _("The escalation is yours"))
    return ticket_again(request, number)


def ticket_again(request: HttpRequest, number: int) -> HttpResponse:
    """The ticket as it is after what was done: its pane for htmx, else a redirect to its page."""
    if wants_pane(request):
        return show(request, number)
    return SeeOther(_page_of(request, number))


def _page_of(request: HttpRequest, number: int) -> str:
    """The address of a ticket's page beside the queue that one came from."""
    tail = Queue.from_tail(request.GET.get("from", "")).way_back
    return reverse("desk:ticket", args=[number]) + ("?" + urlencode({"from": tail}) if tail else "")
