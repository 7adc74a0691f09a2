"""What is held for a person: a colleague's letter before the contact, the rest before us (domain §1.7.1, §2, §3.5).

A letter leads to a page with one button. A GET changes nothing, so a machine that opens every link of a letter opens
no request. Another company's letter is 404, like a missing one.
"""

from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import person, signers_only
from accounts.models import User
from accounts.refusals import Refused
from contracts.entitlement import NotCovered
from tickets import files, promise_words, workflow
from tickets.forms.people import SettleForm, WordsForm
from tickets.models import HeldRequest, HeldRequestQuerySet, Ticket
from tickets.views.people import number_of, see_other
from tickets.views.portal_gate import customers

PAGE = 50


# Before the responsible contact


def _visible_to(user: User) -> HeldRequestQuerySet:
    """A colleague's letter: the contact of this moment sees it, and who wrote it; to everybody else it is not there."""
    letters = HeldRequest.objects.filter(customer__members__user=user, sender__isnull=False)
    is_contact = Q(customer__contacts__in=user.contact_of.holding(timezone.now()))
    return letters.filter(is_contact | Q(sender=user)).distinct()


def _found(request: HttpRequest, pk: int) -> HeldRequest:
    rows = _visible_to(person(request)).select_related("customer", "sender", "about", "ticket", "settled_by")
    return get_object_or_404(rows, pk=pk)


def _page_of(request: HttpRequest, letter: HeldRequest, **shown: Any) -> HttpResponse:
    contact = letter.customer.contact_at(timezone.now()) if letter.customer else None
    context = {
        "held": letter,
        "contact": contact,
        "may_decide": contact is not None and contact.pk == person(request).pk,
        "files": letter.files.all(),
        "form": _drop_form(),
        **shown,
    }
    return render(request, "portal/people_held.html", context, status=shown.get("status", 200))


def _drop_form(data: Any = None) -> WordsForm:
    return WordsForm(
        data,
        about="drop",
        label=_("Why it is not needed"),
        hint=_("Your colleague reads it."),
        error=_("Write to your colleague why it is not needed"),
    )


@require_safe
@customers
def held(request: HttpRequest, pk: int) -> HttpResponse:
    """A colleague's words, and the one button; once it is a request, the request."""
    letter = _found(request, pk)
    if letter.ticket is not None:
        return redirect("portal:ticket", number=letter.ticket.number)
    return _page_of(request, letter)


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def confirmation(request: HttpRequest, pk: int) -> HttpResponse:
    """One click: the letter becomes a request, or an answer in one. Again it leads to the same request."""
    letter = _found(request, pk)
    if request.method != "POST":
        return see_other("people:held", pk)
    user = person(request)
    try:
        ticket = workflow.confirm_held(letter, by=user, at=timezone.now())
    except NotCovered as refusal:
        if refusal.reason != HeldRequest.Reason.NO_CONTRACT:
            return _page_of(request, letter, refusal=refusal, status=refusal.status)
        workflow.put_before_administrator(letter, by=user, at=timezone.now(), words=refusal.message)
        said = {"subject": letter.subject, "words": refusal.message}
        messages.warning(request, _("We have recorded “%(subject)s”. %(words)s") % said)
        return see_other("home")
    except Refused as refusal:
        return _page_of(request, letter, refusal=refusal, status=refusal.status)
    shown = Ticket.objects.visible_to(user).with_clocks().get(pk=ticket.pk)
    told = promise_words.tell(shown, now=timezone.now(), zone=timezone.get_current_timezone())
    messages.success(
        request,
        _("Confirmed: it is request № %(number)s. %(promise)s.") % {"number": ticket.number, "promise": told.sentence},
    )
    return see_other("portal:ticket", ticket.number)


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def refusal(request: HttpRequest, pk: int) -> HttpResponse:
    """Not needed, and why: the colleague is told."""
    letter = _found(request, pk)
    if request.method != "POST":
        return see_other("people:held", pk)
    form = _drop_form(request.POST)
    if not form.is_valid():
        return _page_of(request, letter, form=form, status=422)
    try:
        workflow.drop_held(letter, by=person(request), at=timezone.now(), words=form.cleaned_data["words"])
    except Refused as refusal:
        return _page_of(request, letter, refusal=refusal, form=form, status=refusal.status)
    messages.success(request, _("Not opened. Your colleague is told why."))
    return see_other("home")


@require_safe
@customers
def file(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """A file of a colleague's letter, as a download."""
    return files.given_out(get_object_or_404(_found(request, pk).files, pk=file))  # type: ignore[return-value]


# Before us


@require_safe
@signers_only
def held_list(request: HttpRequest) -> HttpResponse:
    """Requests that could not become tickets: who, why, their words. What waits oldest first, settled newest first."""
    return _list(request)


def _list(request: HttpRequest, **shown: Any) -> HttpResponse:
    settled = request.GET.get("state") == "settled"
    column, sign, beyond = ("settled_at", "-", "lt") if settled else ("received_at", "", "gt")
    rows = HeldRequest.objects.filter(settled_at__isnull=not settled).order_by(f"{sign}{column}", f"{sign}pk")
    after = number_of(request, "after")
    if after is not None:
        moment = HeldRequest.objects.filter(pk=after).values_list(column, flat=True).first()
        if moment is not None:
            rows = rows.filter(Q(**{f"{column}__{beyond}": moment}) | Q(**{column: moment, f"pk__{beyond}": after}))
    page = list(rows.select_related("customer", "sender", "ticket", "settled_by")[: PAGE + 1])
    state = "state=settled&" if settled else ""
    refused = shown.get("refused")
    context = {
        "tab": "changes",
        "settled": settled,
        "rows": [
            (row, shown["form"] if refused == row.pk and shown.get("form") else SettleForm(about=f"settle-{row.pk}"))
            for row in page[:PAGE]
        ],
        "next": f"?{state}after={page[PAGE - 1].pk}" if len(page) > PAGE else "",
        "first": (f"?{state}".rstrip("?&") or "?") if after is not None else "",
        "refused_elsewhere": refused is not None and refused not in {row.pk for row in page[:PAGE]},
        **shown,
    }
    return render(request, "contracts/changes_held.html", context, status=shown.get("status", 200))


@require_http_methods(["GET", "HEAD", "POST"])
@signers_only
def settlement(request: HttpRequest, pk: int) -> HttpResponse:
    """Done with it: answered, or a request opened by hand; with words for whoever asks next."""
    letter = get_object_or_404(HeldRequest, pk=pk)
    if request.method != "POST":
        return see_other("people:held_list")
    form = SettleForm(request.POST, about=f"settle-{pk}")
    if not form.is_valid():
        return _list(request, refused=pk, form=form, status=422)
    sent = form.cleaned_data
    try:
        workflow.settle_held(
            letter, by=person(request), at=timezone.now(), outcome=sent["outcome"], words=sent["words"]
        )
    except Refused as refusal:
        return _list(request, refused=pk, form=form, refusal=refusal, status=refusal.status)
    messages.success(request, _("Settled: “%(subject)s”.") % {"subject": letter.subject})
    return see_other("people:held_list")
