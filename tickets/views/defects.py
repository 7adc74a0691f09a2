"""/w/defects/: the defects of the products, line 4's work on them, what their requests are told (domain §3.3)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django_fsm import can_proceed

from accounts.access import desk_only, person
from contracts.models import Product
from tickets import broadcasts, workflow
from tickets.defect_page import PAGE, chosen, history, matching, push_of, rows
from tickets.forms import line_four as forms
from tickets.models import OPEN_STATES, Broadcast, Defect, Ticket
from tickets.views.desk import SeeOther

TICKETS = 100  # of one defect on its page, newest first
STATES = [
    ("", gettext_lazy("Not over")),
    *[(state.value, state.label) for state in Defect.State],
    ("all", gettext_lazy("All")),
]

ACTS: dict[str, tuple[Callable[..., Any], type[forms.DefectForm] | None, Any]] = {
    "confirmation": (workflow.confirm_defect, None, gettext_lazy("Confirmed")),
    "rejection": (workflow.reject_defect, forms.RejectForm, gettext_lazy("Rejected")),
    "fix": (workflow.fix_defect, forms.FixForm, gettext_lazy("Fixed")),
    "fixed_in": (workflow.name_release, forms.NameReleaseForm, pgettext_lazy("saved", "Kept")),
    "release": (workflow.release_defect, None, gettext_lazy("Released: the linked requests are told")),
    "reopening": (workflow.reopen_defect, forms.ReopenDefectForm, gettext_lazy("Looked at again")),
    "texts": (workflow.edit_defect, forms.DefectTextsForm, pgettext_lazy("saved", "Kept")),
    "workaround": (workflow.push_workaround, forms.PushForm, gettext_lazy("The workaround is on its way")),
}


@desk_only
@require_safe
def defects(request: HttpRequest) -> HttpResponse:
    """Defects by state and product, newest first, with how many requests and customers each hurts."""
    state, product = request.GET.get("state", ""), request.GET.get("product", "")
    found = chosen(state, product)
    before = request.GET.get("before", "")
    if before:
        if not (before.isascii() and before.isdigit() and len(before) < 19):
            raise BadRequest(_("This address is not complete."))
        found = found.filter(pk__lt=int(before))
    page = list(found[: PAGE + 1])

    def at(**change: str) -> str:
        asked = {name: value for name, value in {"state": state, "product": product, **change}.items() if value}
        return "?" + urlencode(asked)

    return render(
        request,
        "desk/defects.html",
        {
            "rows": rows(page[:PAGE]),
            "states": [(label, at(state=value), value == state) for value, label in STATES],
            "products": [
                (label, at(product=value), value == product)
                for value, label in [("", _("All products")), *Product.objects.values_list("code", "name")]
            ],
            "is_filtered": bool(state or product),
            "older": at(before=str(page[PAGE - 1].pk)) if len(page) > PAGE else "",
            "newer": at() if before else "",
        },
    )


@desk_only
@require_safe
def defect(request: HttpRequest, defect: int) -> HttpResponse:
    """One defect: what it is, what is known, its requests, what was sent to them, its history."""
    return _page(request, _find(defect))


def _find(pk: int) -> Defect:
    found = Defect.objects.select_related("product", "release", "fixed_in__publication", "reported_by")
    return get_object_or_404(found, pk=pk)


def _page(
    request: HttpRequest,
    found: Defect,
    sent: dict[str, forms.DefectForm] | None = None,
    *,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    user, sent = person(request), sent or {}
    edits = user.works_on_products
    possible = {
        "confirmation": can_proceed(found.confirm),
        "fix": can_proceed(found.fix),
        "fixed_in": found.state == Defect.State.FIXED,
        "release": can_proceed(found.release_fix) and _is_out(found),
        "reopening": can_proceed(found.reopen) or can_proceed(found.reconsider),
        "rejection": can_proceed(found.reject),
        "texts": True,
        "workaround": found.state != Defect.State.REJECTED,
    }
    may = {name for name, can in possible.items() if can and edits}
    tickets = list(
        found.tickets.select_related("customer", "terms__package", "assignee").order_by("-opened_at", "-pk")[
            : TICKETS + 1
        ]
    )
    return render(
        request,
        "desk/defect.html",
        {
            "defect": found,
            "may": may,
            "forms": {
                name: sent.get(name) or form(defect=found)
                for name, (_verb, form, _done) in ACTS.items()
                if form is not None and name in may
            },
            "sent": next(iter(sent.values()), None),
            "opened": next(iter(sent), ""),
            "counts": rows([found])[0],
            "push": push_of(found),
            "refusal": refusal,
            "tickets": tickets[:TICKETS],
            "has_more": len(tickets) > TICKETS,
            "broadcasts": broadcasts.with_counts(found.broadcasts.order_by("-pk"))[:20],
            "left": _left(found),
            "history": history(list(found.events.select_related("by").order_by("-at", "-pk"))),
        },
        status=status,
    )


def _is_out(found: Defect) -> bool:
    publication = getattr(found.fixed_in, "publication", None)
    return publication is not None and publication.published_at is not None


def _left(found: Defect) -> list[Any]:
    """Requests that the last message left as they were, with the reason."""
    last = found.broadcasts.order_by("-pk").first()
    return list(last.items.filter(outcome="skipped").select_related("ticket")[:50]) if last is not None else []


@desk_only
@require_POST
def act(request: HttpRequest, defect: int, name: str) -> HttpResponse:
    """One verb of the defect, then its page. 422 for words that are missing; a rule that says no stands on the page."""
    user, now = person(request), timezone.now()
    found = _find(defect)
    verb, form_class, done = ACTS[name]
    form = form_class(request.POST, defect=found) if form_class is not None else None
    if form is not None and not form.is_valid():
        return _page(request, found, {name: form}, status=422)
    try:
        made = verb(found, by=user, at=now, **(form.cleaned_data if form is not None else {}))
    except workflow.NotAllowed as refused:
        found = _find(defect)
        if isinstance(form, forms.SharedTextsForm) and isinstance(refused, workflow.TextsChanged):
            form = form.beside(found, defect=found)
        kept = {name: form} if form is not None else {}
        return _page(request, found, kept, refusal=refused.message, status=refused.status)
    if isinstance(made, Broadcast):
        broadcasts.advance(made, at=now)
    messages.success(request, str(done))
    return SeeOther(reverse("desk:defect_page", args=[found.pk]))


@desk_only
@require_safe
def find(request: HttpRequest, number: int) -> HttpResponse:
    """Looks for a known defect to attach to a ticket, by words of its title; those of its product first."""
    user = person(request)
    ticket = get_object_or_404(Ticket.objects.visible_to(user).select_related("product"), number=number)
    words = request.GET.get("q", "").strip()[:200]
    found = matching(words, ticket)
    context = {
        "ticket": ticket,
        "words": words,
        "rows": rows(found),
        "may_attach": ticket.state in OPEN_STATES,
    }
    return render(request, "desk/find_defect.html", context)
