"""/w/major/: major incidents, the requests that they caused, what their customers are told, the review."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.access import desk_only, only, person
from accounts.models import BOARD_ROLES, DESK_ROLES, User
from accounts.refusals import Refused
from tickets import broadcasts, workflow
from tickets.forms import line_four as forms
from tickets.major_page import (
    CHILDREN,
    PAGE,
    SUGGESTED,
    Affected,
    affected,
    still_open,
    timeline,
    with_counts_of_tickets,
)
from tickets.models import OPEN_STATES, Broadcast, BroadcastItem, MajorIncident, Ticket
from tickets.queue import row
from tickets.views.desk import SeeOther
from tickets.workflow.major import LEADERS

readers_only = only(DESK_ROLES | BOARD_ROLES)


def _link(incident: MajorIncident, *, by: User, at: datetime, found: list[Ticket], **_rest: Any) -> int:
    """What was ticked and what was typed is one list by now."""
    return workflow.link_children(incident, found, by=by, at=at)


ACTS: dict[str, tuple[Callable[..., Any], type[forms.MajorForm], Any]] = {
    "notes": (workflow.write_major_note, forms.MajorNoteForm, gettext_lazy("Note kept")),
    "messages": (workflow.tell_affected, forms.TellForm, gettext_lazy("The customers are told")),
    "solution": (workflow.solve_affected, forms.SolveForm, gettext_lazy("The requests are being solved")),
    "children": (_link, forms.LinkForm, gettext_lazy("Linked")),
    "coordinator": (workflow.change_coordinator, forms.CoordinatorForm, gettext_lazy("The coordinator is changed")),
    "end": (workflow.end_major, forms.EndForm, gettext_lazy("The major incident is over: write the review")),
    "review": (workflow.review_major, forms.ReviewForm, gettext_lazy("The review is kept")),
    "actions": (workflow.add_major_action, forms.ActionForm, pgettext_lazy("saved", "Kept")),
}


@readers_only
@require_safe
def majors(request: HttpRequest) -> HttpResponse:
    """All major incidents, newest first."""
    found = with_counts_of_tickets(MajorIncident.objects.order_by("-pk"))
    before = request.GET.get("before", "")
    if before:
        found = found.filter(pk__lt=_number(before))
    page = list(found[: PAGE + 1])
    context = {
        "rows": page[:PAGE],
        "older": f"?before={page[PAGE - 1].pk}" if len(page) > PAGE else "",
        "newer": "?" if before else "",
    }
    return render(request, "desk/majors.html", context)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(_("This address is not complete."))
    return int(text)


@readers_only
@require_safe
def major(request: HttpRequest, major: int) -> HttpResponse:
    """One incident: its requests with their clocks, the timeline, what can be done, the review."""
    return _page(request, _find(major))


def _find(pk: int) -> MajorIncident:
    found = MajorIncident.objects.select_related("head__product", "coordinator", "declared_by", "reviewed_by")
    return get_object_or_404(found, pk=pk)


def _page(
    request: HttpRequest,
    found: MajorIncident,
    sent: dict[str, forms.MajorForm] | None = None,
    status: int = 200,
    refusal: Refused | None = None,
) -> HttpResponse:
    user, now, sent = person(request), timezone.now(), sent or {}
    may = _may(user, found)
    after = request.GET.get("after", "")
    children = (
        found.children.order_by("-is_head", "pk")
        if not after
        else found.children.filter(pk__gt=_number(after), is_head=False).order_by("pk")
    )
    page = list(children[: CHILDREN + 1])
    tickets = {
        ticket.pk: ticket
        for ticket in Ticket.objects.filter(pk__in=[child.ticket_id for child in page[:CHILDREN]]).with_clocks()
    }
    suggested = (
        workflow.major_candidates(found).select_related("customer")[:SUGGESTED]
        if "children" in may
        else Ticket.objects.none()
    )
    counts = with_counts_of_tickets(MajorIncident.objects.filter(pk=found.pk)).get()
    told = affected(found)
    solved = still_open(told)
    return render(
        request,
        "desk/major.html",
        {
            "major": found,
            "counts": counts,
            "children": [
                (child, tickets[child.ticket_id], row(tickets[child.ticket_id], now)) for child in page[:CHILDREN]
            ],
            "older": f"?after={page[CHILDREN - 1].pk}" if len(page) > CHILDREN else "",
            "newer": "?" if after else "",
            "suggested": list(suggested),
            "told": told,
            "solved": solved,
            "head_open": found.head.state in OPEN_STATES,
            "timeline": timeline(found),
            "left": _left(found),
            "actions": list(found.actions.select_related("owner")) if not found.is_open else [],
            "may": may,
            "forms": {
                name: sent.get(name) or form(incident=found, by=user, readers=_readers(name, told, solved))
                for name, (_verb, form, _done) in ACTS.items()
                if name in may
            },
            "sent": next(iter(sent.values()), None),
            "refusal": refusal,
            "opened": next(iter(sent), ""),
            "offers_solution": "solution" in may and found.head.state not in OPEN_STATES and bool(solved.tickets),
        },
        status=status,
    )


def _readers(name: str, told: Affected, solved: Affected) -> dict[str, int]:
    return (solved if name == "solution" else told).readers


def _may(user: User, found: MajorIncident) -> set[str]:
    if user.role not in LEADERS:
        return set()
    if found.is_open:
        return {"notes", "messages", "solution", "children", "coordinator", "end"}
    return {"notes", "review", "actions"}


def _left(found: MajorIncident) -> list[BroadcastItem]:
    """Requests that the last message to many left as they were, with the reason."""
    last = found.broadcasts.order_by("-pk").first()
    return list(last.items.filter(outcome="skipped").select_related("ticket")[:50]) if last is not None else []


@desk_only
@require_POST
def act(request: HttpRequest, major: int, name: str) -> HttpResponse:
    """One verb of the incident, then its page.

    422 for words that are missing, 409 for what a rule refuses; both with everything that was typed.
    """
    user, now = person(request), timezone.now()
    found = _find(major)
    verb, form_class, done = ACTS[name]
    told = affected(found)
    form = form_class(request.POST, incident=found, by=user, readers=_readers(name, told, still_open(told)))
    if not form.is_valid():
        return _page(request, found, {name: form}, status=422)
    try:
        made = verb(found, by=user, at=now, **form.cleaned_data)
    except Refused as refusal:
        found = _find(major)
        if name not in _may(user, found):  # the form is not there any more: the edge gives back what was typed
            raise
        if isinstance(form, forms.SharedTextsForm) and isinstance(refusal, workflow.TextsChanged):
            form = form.beside(found, incident=found, by=user)
        return _page(request, found, {name: form}, status=refusal.status, refusal=refusal)
    messages.success(request, str(done))
    if isinstance(made, Broadcast):
        broadcasts.advance(made, at=now)
        _say_who_lacks_words(request, made)
    return SeeOther(reverse("desk:major_page", args=[found.pk]))


def _say_who_lacks_words(request: HttpRequest, sent: Broadcast) -> None:
    """It is sent all the same: that somebody gets it in the other language the sender is to know."""
    got = Affected([item.ticket for item in sent.items.select_related("ticket")]).readers
    if got.get("en") and not sent.text_en:
        said = ngettext(
            "%(n)d customer reads English, and there was no English text: they got the Russian one",
            "%(n)d customers read English, and there was no English text: they got the Russian one",
            got["en"],
        )
        messages.warning(request, said % {"n": got["en"]})
    if got.get("ru") and not sent.text_ru:
        said = ngettext(
            "%(n)d customer reads Russian, and there was no Russian text: they got the English one",
            "%(n)d customers read Russian, and there was no Russian text: they got the English one",
            got["ru"],
        )
        messages.warning(request, said % {"n": got["ru"]})


@desk_only
@require_POST
def unlink(request: HttpRequest, major: int, number: int) -> HttpResponse:
    """The request has another cause: it is taken out."""
    user = person(request)
    found = _find(major)
    ticket = get_object_or_404(Ticket.objects.visible_to(user), number=number)
    workflow.unlink_child(found, ticket, by=user, at=timezone.now())
    messages.success(request, _("Taken out of the major incident"))
    return SeeOther(reverse("desk:major_page", args=[found.pk]))


@desk_only
@require_POST
def action_done(request: HttpRequest, major: int, action: int) -> HttpResponse:
    """An action of the review is done."""
    found = _find(major)
    workflow.finish_major_action(get_object_or_404(found.actions, pk=action), by=person(request), at=timezone.now())
    return SeeOther(reverse("desk:major_page", args=[found.pk]) + "#review")
