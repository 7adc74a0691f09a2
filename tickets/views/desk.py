"""The engineer's workspace: the queue, the ticket beside it, and everything that is done with a ticket.

A page finds what the person may see and shows it; an action fills its form, calls one verb of `workflow` and answers
with the ticket as it is then. A refusal answers with the same page: the sentence on top, everything typed kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Prefetch, Q
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

from accounts.absences import stood_in_for_by
from accounts.access import desk_only, only, person
from accounts.models import BOARD_ROLES, DESK_ROLES, Choosing, Line, User
from accounts.refusals import Refused
from contracts import entitlement
from contracts.models import PromiseKind, Service
from sla import words
from sla.explain import explanations
from sla.forecast import Forecast
from sla.models import Escalation
from sla.words import MOSCOW
from tickets import (
    deadline_page,
    drafts,
    files,
    macros,
    major_page,
    moves,
    reading,
    relations_page,
    timeline,
    workflow,
)
from tickets.bulk import bulk_acts, just_finished
from tickets.forecasting import forecasts, shown
from tickets.forms import deadlines as deadline_forms
from tickets.forms import desk as forms
from tickets.models import Event, HandOver, Macro, Message, Ticket
from tickets.next_engineer import who_is_next
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
        "from": looked_at.tail,
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
    """The ticket with everything that its page shows. `Http404` for one that this person may not see."""
    found = (
        drafts.beside(Ticket.objects.visible_to(user), user)
        .with_clocks()
        .select_related(
            "customer__csm", "contract", "release", "channel", "topic__service", "defect", "follows", "merged_into"
        )
        .prefetch_related(
            Prefetch("hand_overs", HandOver.objects.select_related("from_line", "to_line", "by", "accepted_by")),
        )
    )
    return get_object_or_404(found, number=number)


@dataclass(frozen=True)
class Sent:
    """A form that was sent and not accepted: shown again as it was, with what is wrong."""

    name: str
    form: Any
    refusal: Refused | None = None


def show(request: HttpRequest, number: int, sent: Sent | None = None, status: int = 200) -> HttpResponse:
    """The page of a ticket, or for htmx only the pane with what changed around it."""
    user, now = person(request), timezone.now()
    looked_at = Queue.from_tail(request.GET.get("from", ""))
    looked_at = looked_at.opened(glance(user, now, looked_at).tails)
    found = find(user, number)
    macro = macro_of(user, request.GET.get("macro", "")) if sent is None else None
    foreseen = forecasts(found.clocks, now)
    context = ticket_context(user, found, now, foreseen, sent, macro) | {
        "from": looked_at.tail,
        "back": reverse("desk:queue") + looked_at.tail,
        "here": "?" + urlencode({"from": looked_at.tail}) if looked_at.tail else "",
    }
    if context["new_from"] is not None or context["composing"].read_upto is None:  # what is shown is read
        reading.mark(found, person=user, upto=context["read_upto"], at=now)
    if wants_pane(request):
        return render(request, "desk/_answer.html", context | {"row": row(found, now, foreseen)}, status=status)
    context = list_context(request, user, looked_at, now, open_number=number) | context
    return render(request, "desk/ticket.html", context, status=status)


def wants_pane(request: HttpRequest) -> bool:
    """Whether htmx asks for the pane alone; a boosted link wants the whole page."""
    htmx: HtmxDetails = request.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.boosted


def macro_of(user: User, key: str) -> Macro | None:
    """The macro that an address names, for who goes without scripts; None for none and for another person's own."""
    return Macro.objects.visible_to(user).filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None


def ticket_context(
    user: User,
    found: Ticket,
    now: datetime,
    foreseen: Mapping[int, Forecast],
    sent: Sent | None = None,
    macro: Macro | None = None,
) -> dict[str, Any]:
    """What `desk/_ticket.html` shows; a constant number of statements."""
    said = list(
        found.messages.visible_to(user).select_related("author").prefetch_related("attachments").order_by("created_at")
    )
    # What was merged into it is read here too: its events stay where they happened (workflow/merging.py).
    whole = Ticket.objects.filter(Q(pk=found.pk) | Q(merged_into=found.pk)).values("pk")
    everything = list(Event.objects.filter(ticket__in=whole).select_related("by", "ticket").order_by("at", "pk"))
    events = [event for event in everything if event.ticket_id == found.pk]
    calls = Escalation.objects.filter(ticket__in=whole)
    escalations = list(
        calls.select_related("person", "instead_of", "raised_by", "acknowledged_by", "closed_by").order_by(
            "reached_at", "pk"
        )
    )
    hand_overs = list(found.hand_overs.all())
    lines = list(Line.objects.order_by("number"))
    waiting = next(
        (passed for passed in reversed(hand_overs) if passed.accepted_at is None and passed.returned_at is None), None
    )
    promises = [clock for clock in found.clocks if clock.kind in {PromiseKind.REACTION, PromiseKind.RESOLUTION}]
    own = [clock for clock in found.clocks if clock not in promises and clock.is_running]
    major = major_page.of_ticket(found)
    may = moves.offered(found, user, waiting=waiting, belongs_to_major=major is not None)
    waits = any(call.state == Escalation.State.OPEN for call in escalations)
    away = stood_in_for_by(user, now) if waits else []
    contact = found.customer.contact_at(now)
    signs = workflow.signs_for_us(found, user)
    composing = drafts.composing_of(found)
    deadlines = deadline_page.of_ticket(found, user, signs=signs, now=now, zone=words.MOSCOW)
    if deadlines.may_propose:
        may.add("deadline")
    suggests = "assignment" in may and found.line.choosing != Choosing.OFF
    ranking = who_is_next(found, at=now).facts() if suggests else []
    return {
        "ticket": found,
        "promises": [
            (clock, shown(foreseen.get(clock.pk), now))
            for clock in sorted(promises, key=lambda clock: (clock.kind != PromiseKind.REACTION, clock.started_at))
        ],
        "own_clocks": own,
        "explanations": explanations(found, zone=MOSCOW, now=now, for_customer=False),
        "no_resolution": found.is_open and not any(clock.kind == PromiseKind.RESOLUTION for clock in promises),
        "route": timeline.route(found, lines, hand_overs, events),
        "major": major,
        "called_in": timeline.called_in(escalations),
        "escalations": [
            (call, moves.may_acknowledge(call, user, away=away))
            for call in reversed(escalations)
            if call.state != Escalation.State.CLOSED
        ],
        "conversation": timeline.conversation(
            said,
            timeline.desk_steps(everything, escalations, ticket=found),
            [passed for passed in hand_overs if passed is not waiting],  # that one stands above the conversation
        ),
        "waiting": waiting,
        "returning": next(iter(acts(["return"], found, may, lines, sent)), None),
        "bounces": timeline.bounces(hand_overs, waiting.from_line_id, waiting.to_line_id) if waiting else 0,
        "contact": contact,
        "may": may,
        "next_line": found.line_id + 1,
        "asks": "messages" in may and "question" in moves.says(found),
        "buttons": acts(moves.BUTTONS, found, may, lines, sent),
        "of_status": acts(moves.OF_STATUS, found, may, lines, sent),
        "rest": acts([name for name in moves.REST if name != "return"], found, may, lines, sent, ranking),
        "sent_act": None if sent is None else Act(moves.MOVES[sent.name], found, sent.form, sent.refusal),
        "relations": relations_page.relations_of(found, user),
        "deadlines": deadlines,
        "deadline_refusal": form_for("deadline_refusal", found, lines) if deadlines.may_answer else None,
        "composer_sent": sent is not None and sent.name == "messages",
        "sent": sent,
        "composing": composing,
        "read_upto": reading.last_key(said),
        "new_from": reading.first_new(said, user, composing.read_upto),
        "composer": composer(found, sent, composing, said=said, macro=macro, user=user, now=now)
        if "messages" in may
        else None,
        **facts(found, now),
    }


@dataclass(frozen=True)
class Act:
    """A move with its form where it needs words, and the rule that refused it where one did."""

    move: moves.Move
    ticket: Ticket
    form: Any = None
    refusal: Refused | None = None

    @property
    def address(self) -> str:
        return reverse(f"desk:{self.move.name}", args=[self.ticket.number])


def acts(
    names: Iterable[str],
    found: Ticket,
    may: set[str],
    lines: list[Line],
    sent: Sent | None,
    ranking: Sequence[dict] = (),
) -> list[Act]:
    """The moves of a menu that are offered; one that was just refused stands above the conversation instead."""
    shown = [name for name in names if name in may and (sent is None or sent.name != name)]
    return [Act(moves.MOVES[name], found, form_for(name, found, lines, ranking=ranking)) for name in shown]


def form_for(name: str, found: Ticket, lines: list[Line], *sent: Any, ranking: Sequence[dict] = ()) -> Any:
    """The form of a move, empty or filled with what was `sent`; None where a move needs no words."""
    if name not in FORMS:
        return None
    asks: dict[str, dict[str, Any]] = {"handover": {"lines": lines}, "assignment": {"ranking": ranking}}
    more = asks.get(name, {})
    return FORMS[name](*sent, ticket=found, **more)


def composer(
    found: Ticket,
    sent: Sent | None,
    composing: drafts.Composing,
    *,
    said: list[Message],
    macro: Macro | None,
    user: User,
    now: datetime,
) -> dict[str, Any]:
    """The composer with the kinds of message that are possible now: the one just refused, else the person's draft.

    `seen` is the last message that the person has read when they send: of a conflict theirs who wrote meanwhile.
    """
    kinds = moves.says(found)
    refused = sent if sent is not None and sent.name == "messages" else None
    refusal = refused.refusal if refused is not None else None
    meanwhile = refusal.said if isinstance(refusal, workflow.Meanwhile) else []
    seen = reading.last_key(meanwhile or said)
    if refused is not None:
        form = refused.form
        if not meanwhile:
            seen = form["seen"].value() or seen
        key = str(form["macro"].value() or "")
        macro = macro_of(user, key) if key else None
    else:
        begun = {"kind": composing.kind or kinds[0], "body": composing.body}
        if macro is not None:
            text = macros.rendered(macro, found, by=user, now=now)
            begun = {"kind": macro.kind, "body": "\n\n".join(part for part in (composing.body, text) if part)}
        form = forms.MessageForm(ticket=found, initial=begun)
    chosen = form["kind"].value()
    if not form.is_bound and chosen not in kinds:
        chosen = kinds[0]
    return {
        "form": form,
        "kinds": [(code, label, code == chosen) for code, label in form.KINDS if code in {*kinds, chosen}],
        "refusal": refusal,
        "meanwhile": meanwhile,
        "seen": seen,
        "files": composing.files,
        "macro": macro,
        "macro_does": ", ".join(macros.does(macro)) if macro is not None else "",
        "may_wait": "question" in kinds,
        "may_resolve": found.is_open,
        "draft_at": composing.updated_at if refused is None else None,
        "clock_stands": moves.stands_while_asked(found.clocks),
    }


def facts(found: Ticket, now: datetime) -> dict[str, Any]:
    """The customer's side: local time, the contract's days, what it includes (direction §6.7)."""
    contract = found.contract
    included = entitlement.services_of(contract, at=found.opened_at)
    today = now.astimezone(entitlement.CONTRACT_ZONE).date()
    licence = found.customer.licences.in_force(today).filter(product=found.product_id).first()
    last_day = contract.terminated_on or contract.ends_on
    there = now.astimezone(ZoneInfo(found.customer.timezone))
    return {
        "local_time": f"{there:%H:%M}",
        "contract_ends": last_day,
        "contract_days": (last_day - today).days + 1,  # both days counted, as the customer reads it
        "licence": licence,
        "services": [(service, service.pk in included) for service in Service.objects.all()],
        "clauses": list(contract.clauses.in_force(found.opened_at)),
    }


@only(DESK_ROLES | BOARD_ROLES)
@require_safe
def file(request: HttpRequest, number: int, pk: int) -> FileResponse:
    """A file of a message, as a download; top management reads what it was called in for, and has no desk."""
    return files.download(person(request), number, pk)


# What is done with a ticket

FORMS: dict[str, type[forms.TicketForm]] = {
    "messages": forms.MessageForm,
    "handover": forms.HandOverForm,
    "return": forms.ReturnForm,
    "defect": forms.DefectForm,
    "major": forms.DeclareForm,
    "restoration": forms.RestoreForm,
    "classification": forms.ReclassifyForm,
    "resolution": forms.ResolveForm,
    "reopening": forms.ReopenForm,
    "decline": forms.DeclineForm,
    "assignment": forms.AssignForm,
    "deadline": deadline_forms.ProposeDeadlineForm,
    "deadline_acceptance": deadline_forms.AnswerDeadlineForm,
    "deadline_refusal": deadline_forms.RefuseDeadlineForm,
    "deadline_withdrawal": deadline_forms.AnswerDeadlineForm,
}


def _say(
    ticket: Ticket, *, by: User, at: datetime, attachments: list, macro: int | None, key: str, **said: Any
) -> None:
    chosen = macro_of(by, str(macro)) if macro else None
    if macro and chosen is None:
        raise workflow.NotAllowed(_("This macro is not there any more: nothing of it was done."))
    workflow.send(ticket, by=by, at=at, files=files.uploads(attachments), macro=chosen, key=key or None, **said)


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
    "defect": workflow.attach_defect,
    "major": workflow.declare_major,
    "restoration": workflow.restore,
    "classification": workflow.reclassify,
    "resolution": lambda ticket, *, by, at, body, key, seen=None: workflow.resolve(
        ticket, by=by, at=at, body=body, key=key or None, seen=seen
    ),
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
    "reply": gettext_lazy("Sent to the customer"),
    "note": gettext_lazy("Note kept"),
    "question": gettext_lazy("Asked the customer: we wait for the answer"),
    "waiting": gettext_lazy("We go on without the answer"),
    "handover": gettext_lazy("Handed over %(line)s"),
    "return": gettext_lazy("Given back"),
    "defect": gettext_lazy("Defect attached"),
    "major": gettext_lazy("A major incident is declared: link the requests that it caused"),
    "restoration": gettext_lazy("Service is back, the customer is told"),
    "classification": gettext_lazy("Classified anew, the deadlines are counted again"),
    "resolution": gettext_lazy("Solved: the customer is asked to confirm"),
    "reopening": gettext_lazy("In work again"),
    "decline": gettext_lazy("Declined, the customer is told why"),
    "assignment": gettext_lazy("Assigned: %(name)s"),
    "deadline": gettext_lazy("The deadline is proposed, the customer is asked"),
    "deadline_acceptance": gettext_lazy("Agreed, the deadline holds for both sides"),
    "deadline_refusal": gettext_lazy("Refused, the customer has your words"),
    "deadline_withdrawal": gettext_lazy("The proposal is withdrawn"),
}


def done(name: str, said: dict[str, Any]) -> str:
    """What the desk has done, in the words of the button's verb (direction §16)."""
    words = {"line": timeline.to_line(said["to_line"])} if name == "handover" else {}
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
    found = get_object_or_404(Ticket.objects.visible_to(user).select_related("line"), number=number)
    lines = list(Line.objects.order_by("number")) if name == "handover" else []
    form = form_for(name, found, lines, request.POST, request.FILES)
    if form is not None and not form.is_valid():
        return show(request, number, Sent(name, form), status=422)
    said = form.cleaned_data if form is not None else {}
    if name == "acceptance":
        said = {"seen": request.POST.get("seen")}
    try:
        VERBS[name](found, by=user, at=now, **said)
    except Refused as refusal:
        return show(request, number, Sent(name, form, refusal), status=refusal.status)
    messages.success(request, done(name, said))
    return ticket_again(request, number)


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
    tail = Queue.from_tail(request.GET.get("from", "")).tail
    query = "?" + urlencode({"from": tail}) if tail else ""
    return SeeOther(reverse("desk:ticket", args=[number]) + query)
