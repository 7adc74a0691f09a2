"""A new contract and a draft that is changed: term and package with a live quote of all packages (domain §1.1, §2)."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import person, signers_only
from contracts import pricing, signing
from contracts.forms.agreements import TermForm
from contracts.models import Contract, Customer
from contracts.todo import ending_of, gaps_of
from contracts.views.agreements import found_for

FOUND = 20
DAY = timedelta(days=1)


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """First the customer is found, then days and package are chosen; sent, it becomes a draft."""
    chosen = request.POST.get("customer") or request.GET.get("customer", "")
    if not chosen:
        return _search_page(request)
    customer = _customer(request, chosen)
    if request.method != "POST":
        form = TermForm(customer, _first_term(customer), only_asks=True)
        form.is_valid()
        return _term_page(request, form)
    if "recalculate" in request.POST:
        form = TermForm(customer, request.POST, only_asks=True)
        form.is_valid()
        return _term_page(request, form)
    form = TermForm(customer, request.POST)
    if form.is_valid():
        try:
            made, is_new = _draft_once(form, request)
        except signing.NotSigned as refused:
            form.add_error(None, refused.message)
        else:
            if not is_new:
                messages.info(request, _("This draft is there already: the same days and package. No second was made."))
            return redirect("contracts:contract", made.pk)
    return _term_page(request, form, status=422)


@transaction.atomic
def _draft_once(form: TermForm, request: HttpRequest) -> tuple[Contract, bool]:
    """The draft, and whether it is new: sent twice it is made once. The customer's row is locked meanwhile."""
    customer = Customer.objects.select_for_update().get(pk=form.customer.pk)
    asked = form.cleaned_data
    days = {"starts_on": asked["starts_on"], "ends_on": asked["ends_on"]}
    same = customer.contracts.filter(state=Contract.State.DRAFT, terms__package=asked["package"], **days).first()
    if same is not None:
        return same, False
    return signing.draft(customer, package=asked["package"], by=person(request), at=timezone.now(), **days), True


@signers_only
@require_safe
def quote(request: HttpRequest) -> HttpResponse:
    """The part of the form that follows the days: what every package costs, for the licences of the first day."""
    customer = _customer(request, request.GET.get("customer", ""))
    form = TermForm(customer, request.GET, only_asks=True)
    form.is_valid()
    return render(request, "contracts/_quote.html", {**_term_context(form), "is_fragment": True})


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another package or other days for a draft, with the same live quote."""
    contract = found_for(request, pk)
    if request.method != "POST":
        form = TermForm(
            contract.customer,
            {
                "starts_on": contract.starts_on.isoformat(),
                "ends_on": contract.ends_on.isoformat(),
                "package": contract.terms.package.code,
            },
            only_asks=True,
        )
        form.is_valid()
        return _term_page(request, form, contract)
    if "recalculate" in request.POST:
        form = TermForm(contract.customer, request.POST, only_asks=True)
        form.is_valid()
        return _term_page(request, form, contract)
    form = TermForm(contract.customer, request.POST)
    if not form.is_valid():
        return _term_page(request, form, contract, status=422)
    try:
        signing.change_draft(
            contract,
            package=form.cleaned_data["package"],
            starts_on=form.cleaned_data["starts_on"],
            ends_on=form.cleaned_data["ends_on"],
            by=person(request),
            at=timezone.now(),
        )
    except signing.NotSigned as refused:
        form.add_error(None, refused.message)
        return _term_page(request, form, contract, status=refused.status)
    messages.success(request, _("The draft is changed; its price follows."))
    return redirect("contracts:contract", pk)


def _search_page(request: HttpRequest) -> HttpResponse:
    """Customers whose name has the words, the first twenty; before a search those who need a contract."""
    words = request.GET.get("q", "").strip()
    mine = Customer.objects.visible_to(person(request))
    rows = list(mine.filter(name__icontains=words).order_by("name", "pk")[: FOUND + 1]) if words else []
    asked = {"tab": "contracts", "words": words, "rows": rows[:FOUND], "has_more": len(rows) > FOUND, "most": FOUND}
    if not words:
        today = signing.moscow_day(timezone.now())
        asked["gaps"] = gaps_of(mine)[:FOUND]
        asked["ending"] = ending_of(mine, today).filter(successor__isnull=True)[:FOUND]
    return render(request, "contracts/new_for.html", asked)


def _term_page(
    request: HttpRequest, form: TermForm, contract: Contract | None = None, *, status: int = 200
) -> HttpResponse:
    asked = {**_term_context(form), "tab": "contracts", "contract": contract}
    return render(request, "contracts/new.html", asked, status=status)


def _term_context(form: TermForm) -> dict[str, Any]:
    starts_on = getattr(form, "cleaned_data", {}).get("starts_on")
    licences = form.customer.licences.in_force(starts_on) if starts_on else form.customer.licences.none()
    return {
        "form": form,
        "customer": form.customer,
        "chosen": form["package"].value() or "",
        "starts_on": starts_on,
        "licences": list(licences.select_related("product", "release").order_by("pk")),
    }


def _first_term(customer: Customer) -> dict[str, str]:
    """One year from today on, or from the day after what is signed already: two contracts never overlap."""
    first = signing.moscow_day(timezone.now())
    signed = customer.contracts.filter(signed_at__isnull=False)
    for contract in signed.order_by("starts_on"):
        if signing.last_day(contract) >= first:
            first = signing.last_day(contract) + DAY
    return {"starts_on": first.isoformat(), "ends_on": (pricing.anniversary(first, 1) - DAY).isoformat()}


def _customer(request: HttpRequest, text: str) -> Customer:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(_("This address is not complete."))
    return get_object_or_404(Customer.objects.visible_to(person(request)), pk=int(text))
