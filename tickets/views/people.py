"""Who speaks for a company: asked for in the portal, agreed by both sides, recorded by us (domain §1.7.1, §2, §7).

Every change is a POST; a refused one shows its page again with the reason and what was typed: 422 for what was left out
or misspelt, 409 for what a rule refuses. Another company's change is 404, like a missing one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import contract_readers_only, person, signers_only
from accounts.refusals import Refused
from contracts import signing
from contracts.models import ContactChange, Customer, ResponsibleContact
from sla import words as time_words
from tickets import people_page, portal_page, workflow
from tickets.forms.people import ChangeForm, VendorChangeForm, WordsForm
from tickets.views.portal_gate import customers

PAGE = 50
SETTLED_SHOWN = 10  # changes on a company's own page; the periods below are paged
FOUND_AT_MOST = 20
ASKED = ContactChange.State.ASKED


def number_of(request: HttpRequest, name: str) -> int | None:
    """The row that an address names, None for nothing or for what is no number."""
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def see_other(name: str, *args: Any) -> HttpResponseRedirect:
    """After a POST: to the page, so that a reload sends nothing again."""
    response = redirect(name, *args)
    response.status_code = 303
    return response


# The customer's page


@require_safe
@customers
def people(request: HttpRequest) -> HttpResponse:
    """Who speaks for the company now and since when, what is planned and asked, the people, the history."""
    return _people(request)


def _people(request: HttpRequest, **shown: Any) -> HttpResponse:
    now, zone = timezone.now(), timezone.get_current_timezone()
    user = person(request)
    company = portal_page.company_of(user, now=now)
    if company is None:
        return render(request, "portal/nowhere.html", status=404 if "status" in shown else 200)
    customer, contact = company.customer, company.contact
    speaks, planned = people_page.line_of_contacts(customer, now=now)
    changes = customer.contact_changes.select_related("user", "asked_by", "closed_by", "customer")
    open_change = changes.filter(state=ASKED).first()
    settled = list(changes.exclude(state=ASKED).order_by("-closed_at", "-pk")[:SETTLED_SHOWN])
    stood_in = people_page.stood_in_for(user)
    past, newer, older = _past_of(request, customer, now)
    context = {
        "now": now,
        "company": company,
        "speaks": speaks,
        "planned": planned,
        "open": people_page.told(open_change, user, contact, now=now, zone=zone) if open_change else None,
        "settled": [
            people_page.told(change, user, contact, now=now, zone=zone, stood_in=stood_in) for change in settled
        ],
        "members": customer.members.select_related("user").order_by("user__full_name", "pk")[:200],
        "past": past,
        "newer": newer,
        "older": older,
        "form": ChangeForm(people=people_page.people_to_choose(customer, now=now), now=now),
        "words_form": _refusal_form(),
        **shown,
    }
    return render(request, "portal/people.html", context, status=shown.get("status", 200))


def _past_of(request: HttpRequest, customer: Customer, now: datetime) -> tuple[list[Any], str, str]:
    """The periods that are over, newest first, by keyset; and the addresses of the neighbours ("": none)."""
    rows = customer.contacts.filter(ends_at__lte=now).select_related("user").order_by("-starts_at", "-pk")
    before = number_of(request, "before")
    if before is not None:
        anchor = get_object_or_404(customer.contacts, pk=before)
        rows = rows.filter(starts_at__lt=anchor.starts_at)
    page = list(rows[: PAGE + 1])
    older = f"?before={page[PAGE - 1].pk}#history" if len(page) > PAGE else ""
    return page[:PAGE], "?#history" if before is not None else "", older


def _refusal_form(data: Any = None, about: str = "refusal") -> WordsForm:
    return WordsForm(
        data,
        about=about,
        label=_("Why not"),
        error=_("Write why not: who asked for it reads that"),
        hint=_("Who asked for it reads that."),
    )


def own(view: Callable[[HttpRequest, ContactChange], HttpResponse]) -> Callable[..., HttpResponseBase]:
    """A step of a change of the own company: POST makes it, GET leads to the page; another company's is 404."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @customers
    def guarded(request: HttpRequest, pk: int) -> HttpResponse:
        change = get_object_or_404(ContactChange.objects.visible_to(person(request)), pk=pk)
        if request.method != "POST":
            return see_other("people:people")
        try:
            return view(request, change)
        except Refused as refusal:
            return _people(request, refusal=refusal, status=refusal.status)

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@customers
def ask(request: HttpRequest) -> HttpResponse:
    """Asks for another contact: by the contact it is the company's yes at once, by a colleague the contact is asked."""
    now = timezone.now()
    company = portal_page.company_of(person(request), now=now)
    if request.method != "POST" or company is None:
        return see_other("people:people")
    form = ChangeForm(request.POST, people=people_page.people_to_choose(company.customer, now=now), now=now)
    if not form.is_valid():
        return _people(request, form=form, status=422)
    sent = form.cleaned_data
    try:
        change = workflow.ask_contact_change(
            company.customer,
            user=sent["user"],
            starts_at=sent["starts_at"] or now,
            ends_at=sent["ends_at"],
            reason=sent["reason"],
            by=person(request),
            at=now,
        )
    except Refused as refusal:
        return _people(request, form=form, refusal=refusal, status=refusal.status)
    messages.success(
        request,
        _("Asked for. Our contract administrator has it now and answers you by letter.")
        if change.customer_agreed_at
        else _("Asked for. The responsible contact of your company is asked first."),
    )
    return see_other("people:people")


@own
def agreement(request: HttpRequest, change: ContactChange) -> HttpResponse:
    """The contact says yes for the company."""
    change = workflow.agree_contact_change(change, by=person(request), at=timezone.now())
    messages.success(
        request,
        _("Agreed. It waits for our contract administrator now.")
        if change.state == ASKED
        else _("Agreed by both sides: %(name)s speaks for the company as dated.") % {"name": change.user.full_name},
    )
    return see_other("people:people")


@own
def refusal(request: HttpRequest, change: ContactChange) -> HttpResponse:
    """The contact says no, and why."""
    form = _refusal_form(request.POST)
    if not form.is_valid():
        return _people(request, words_form=form, status=422)
    signing.refuse_contact_change(change, by=person(request), at=timezone.now(), words=form.cleaned_data["words"])
    messages.success(request, _("Refused. Nothing has changed."))
    return see_other("people:people")


@own
def withdrawal(request: HttpRequest, change: ContactChange) -> HttpResponse:
    """Who asked takes it back; the contact, a planned change; and a substitution that runs ends now."""
    workflow.withdraw_contact_change(change, by=person(request), at=timezone.now())
    messages.success(request, _("Withdrawn. The page shows who speaks for the company now."))
    return see_other("people:people")


# The contract administrator's pages


@require_safe
@contract_readers_only
def changes(request: HttpRequest) -> HttpResponse:
    """What waits for an answer, oldest first; what is settled, newest first. Whoever reads contracts reads it."""
    return _changes(request)


def _changes(request: HttpRequest, **shown: Any) -> HttpResponse:
    now, user = timezone.now(), person(request)
    rows = ContactChange.objects.visible_to(user).select_related("customer", "user", "asked_by", "closed_by")
    waiting, later = _page(
        rows.filter(state=ASKED), "asked_at", number_of(request, "after"), newest_first=False, name="after"
    )
    settled, older = _page(
        rows.filter(closed_at__isnull=False),
        "closed_at",
        number_of(request, "before"),
        newest_first=True,
        name="before",
    )
    contacts = _contacts_of([change.customer_id for change in (*waiting, *settled)], now)
    context = {
        "tab": "changes",
        "now": now,
        "waiting": [_row(change, user, contacts, now, shown) for change in waiting],
        "settled": [_row(change, user, contacts, now, shown) for change in settled],
        "later": later,
        "first": "?" if number_of(request, "after") is not None else "",
        "older": older,
        "newer": "?#settled" if number_of(request, "before") is not None else "",
        "may_act": user.signs_contracts,
        "turned": number_of(request, "after") is not None,
        **shown,
    }
    listed = {change.pk for change in (*waiting, *settled)}
    context["refused_elsewhere"] = "refused" in shown and shown["refused"] not in listed
    return render(request, "contracts/changes.html", context, status=shown.get("status", 200))


def _page(
    rows: QuerySet[ContactChange], column: str, anchor_pk: int | None, *, newest_first: bool, name: str
) -> tuple[list[ContactChange], str]:
    """One page by keyset after the row that the address names, and the query of the next one ("": none)."""
    sign, beyond = ("-", "lt") if newest_first else ("", "gt")
    rows = rows.order_by(f"{sign}{column}", f"{sign}pk")
    if anchor_pk is not None:
        moment = ContactChange.objects.filter(pk=anchor_pk).values_list(column, flat=True).first()
        if moment is None:
            # Settled since the page was drawn, or never there: the list from its beginning is the honest answer.
            anchor_pk = None
        else:
            rows = rows.filter(Q(**{f"{column}__{beyond}": moment}) | Q(**{column: moment, f"pk__{beyond}": anchor_pk}))
    found = list(rows[: PAGE + 1])
    more = f"?{name}={found[PAGE - 1].pk}" if len(found) > PAGE else ""
    return found[:PAGE], more


def _contacts_of(customer_pks: list[int], now: datetime) -> dict[int, Any]:
    """Who speaks for each of these customers now, in one statement."""
    rows = ResponsibleContact.objects.holding(now).filter(customer__in=customer_pks).select_related("user")
    return {row.customer_id: row.user for row in rows}


def _row(change: ContactChange, user: Any, contacts: dict[int, Any], now: datetime, shown: dict[str, Any]) -> Any:
    """The change in words with its forms; the one that was refused just now keeps what was typed."""
    told = people_page.told(change, user, contacts.get(change.customer_id), now=now, zone=time_words.MOSCOW)
    is_refused = shown.get("refused") == change.pk
    return {
        "told": told,
        "refuse": shown["form"]
        if is_refused and shown.get("about") == "refusal"
        else _refusal_form(about=f"refusal-{change.pk}"),
        "agree": shown["form"]
        if is_refused and shown.get("about") == "agreement"
        else _evidence_form(about=f"agreement-{change.pk}"),
        "opened": shown.get("about") if is_refused else "",
    }


def _evidence_form(data: Any = None, *, about: str) -> WordsForm:
    return WordsForm(
        data,
        about=about,
        label=_("How the company said yes"),
        hint=_("Where the contact cannot be reached: the paper or letter, its date and who signed it."),
        error=_("Name the paper or letter by which the company said yes"),
    )


def acting(view: Callable[[HttpRequest, ContactChange], HttpResponse]) -> Callable[..., HttpResponse]:
    """A step of the contract administrator: POST makes it, GET leads to the list; a refusal shows the list again."""

    @require_http_methods(["GET", "HEAD", "POST"])
    @signers_only
    def guarded(request: HttpRequest, pk: int) -> HttpResponse:
        change = get_object_or_404(ContactChange.objects.visible_to(person(request)), pk=pk)
        if request.method != "POST":
            return see_other("people:changes")
        try:
            return view(request, change)
        except Refused as refusal:
            return _changes(request, refusal=refusal, refused=pk, form=None, status=refusal.status)

    return guarded


@acting
def vendor_agreement(request: HttpRequest, change: ContactChange) -> HttpResponse:
    """We agree; or write down how the company agreed whose contact cannot be reached (`evidence` is sent then)."""
    evidence = ""
    if "words" in request.POST:
        form = _evidence_form(request.POST, about=f"agreement-{change.pk}")
        if not form.is_valid():
            return _changes(request, refused=change.pk, about="agreement", form=form, status=422)
        evidence = form.cleaned_data["words"]
    change = workflow.agree_contact_change(change, by=person(request), at=timezone.now(), evidence=evidence)
    messages.success(
        request,
        _("Agreed for us. It waits for the company's contact now.")
        if change.state == ASKED
        else _("Agreed by both sides: %(name)s speaks for the company as dated.") % {"name": change.user.full_name},
    )
    return see_other("people:changes")


@acting
def vendor_refusal(request: HttpRequest, change: ContactChange) -> HttpResponse:
    form = _refusal_form(request.POST, about=f"refusal-{change.pk}")
    if not form.is_valid():
        return _changes(request, refused=change.pk, about="refusal", form=form, status=422)
    signing.refuse_contact_change(change, by=person(request), at=timezone.now(), words=form.cleaned_data["words"])
    messages.success(request, _("Refused. Who asked for it is told why."))
    return see_other("people:changes")


@acting
def vendor_withdrawal(request: HttpRequest, change: ContactChange) -> HttpResponse:
    workflow.withdraw_contact_change(change, by=person(request), at=timezone.now())
    messages.success(request, _("Withdrawn. Both sides are told."))
    return see_other("people:changes")


@require_safe
@signers_only
def choose_customer(request: HttpRequest) -> HttpResponse:
    """Whose contact changes: the first companies, or those with a part of the name."""
    asked = request.GET.get("q", "").strip()[:160]
    found = Customer.objects.filter(name__icontains=asked).order_by("name")
    names = list(found[: FOUND_AT_MOST + 1])
    context = {"tab": "changes", "q": asked, "found": names[:FOUND_AT_MOST], "more": len(names) > FOUND_AT_MOST}
    return render(request, "contracts/changes_choose.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@signers_only
def new_change(request: HttpRequest, pk: int) -> HttpResponse:
    """The contract administrator asks: it waits for the company's contact, or is made at once with the evidence."""
    company = get_object_or_404(Customer.objects.visible_to(person(request)), pk=pk)
    with timezone.override(time_words.MOSCOW):  # our people read and write Moscow time
        return _new_change(request, company)


def _new_change(request: HttpRequest, company: Customer) -> HttpResponse:
    now = timezone.now()
    choice: dict[str, Any] = {"people": people_page.people_to_choose(company, now=now), "now": now}
    if request.method != "POST":
        return _new_change_page(request, company, VendorChangeForm(**choice), now)
    form = VendorChangeForm(request.POST, **choice)
    if not form.is_valid():
        return _new_change_page(request, company, form, now, status=422)
    sent = form.cleaned_data
    try:
        change = workflow.ask_contact_change(
            company,
            user=sent["user"],
            starts_at=sent["starts_at"] or now,
            ends_at=sent["ends_at"],
            reason=sent["reason"],
            by=person(request),
            at=now,
            evidence=sent["evidence"],
        )
    except Refused as refusal:
        return _new_change_page(request, company, form, now, refusal=refusal, status=refusal.status)
    messages.success(
        request,
        _("Asked for. It waits for the company's contact now.")
        if change.state == ASKED
        else _("Agreed by both sides: %(name)s speaks for the company as dated.") % {"name": change.user.full_name},
    )
    return see_other("people:changes")


def _new_change_page(
    request: HttpRequest,
    company: Customer,
    form: VendorChangeForm,
    now: datetime,
    *,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    speaks, planned = people_page.line_of_contacts(company, now=now)
    context = {
        "tab": "changes",
        "customer": company,
        "form": form,
        "speaks": speaks,
        "planned": planned,
        "refusal": refusal,
    }
    return render(request, "contracts/changes_new.html", context, status=status)
