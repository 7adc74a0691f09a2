"""Licences of a customer: added with their price told before, changed, the installed release (domain §1.7.5)."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import person, signers_only
from contracts import added_licence, customers, pricing, signing
from contracts.forms.customers import LicenceForm, NewLicenceForm, SignedLicenceForm, alike
from contracts.models import Contract, ContractLine, Customer, Licence, Product, Release
from contracts.money import euro
from contracts.price_words import day_words, refusal_words
from contracts.signing.refusals import locked
from contracts.views.customers import customer_of, customer_page_of, to_customer

SAME_WITHIN = timedelta(minutes=15)  # the same licence once more so soon is asked about first
PRICED = ("deployment", "cost", "starts_on", "ends_on")  # what a price is counted from


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, pk: int) -> HttpResponse:
    """A licence that the customer bought: joins the contract in force with its prorated line (domain §1.1)."""
    at = timezone.now()
    customer = customer_of(request, pk)
    is_covered = _is_covered(customer, at)
    if request.method != "POST":
        return _new_page(
            request,
            customer,
            NewLicenceForm(initial={"starts_on": signing.moscow_day(at)}, is_covered=is_covered),
            at=at,
        )
    if "recalculate" in request.POST:
        return _new_page(
            request,
            customer,
            NewLicenceForm(initial=request.POST.dict(), is_covered=is_covered),
            at=at,
            typed=request.POST,
        )
    form = NewLicenceForm(request.POST, instance=Licence(customer=customer), is_covered=is_covered)
    if form.is_valid():
        for field, words in added_licence.prospect(form.instance, at=at).problems:
            form.add_error(field, words)
    if not form.is_valid():
        return _new_page(request, customer, form, at=at, typed=request.POST, status=422)
    key = form.cleaned_data["key"]
    if key and cache.get(f"licence:{key}") == customer.pk:
        messages.info(request, _("This licence is written down already: nothing was added twice."))
        return to_customer(customer, "licences")
    try:
        with transaction.atomic():
            if not form.cleaned_data["another"] and _written_just_now(customer, form, at):
                return _new_page(request, customer, form, at=at, typed=request.POST, status=409, asks=True)
            line = signing.add_licence(form.instance, by=person(request), at=at)
    except pricing.PricingError as refusal:
        form.add_error(None, refusal_words(refusal))
        return _new_page(request, customer, form, at=at, typed=request.POST, status=422)
    if key:
        cache.set(f"licence:{key}", customer.pk, SAME_WITHIN.total_seconds())
    messages.success(request, _told(form.instance, line, at))
    return to_customer(customer, "licences")


def _is_covered(customer: Customer, at: datetime) -> bool:
    """Whether a signed contract covers today or a day to come."""
    today = signing.moscow_day(at)
    running = Q(state=Contract.State.ACTIVE, ends_on__gte=today) | Q(terminated_on__gte=today)
    return customer.contracts.filter(running).exists()


def _written_just_now(customer: Customer, form: NewLicenceForm, at: datetime) -> bool:
    """Whether the same licence was written down a moment ago. The customer is locked: two clicks come one by one."""
    locked(customer)
    same = list(alike(customer.licences.all(), form)[:1])
    said = form.cleaned_data
    lately = customer.contract_events.filter(verb="licence_written", at__gt=at - SAME_WITHIN)
    return bool(same) and any(
        event.details.get("cost") == str(said["cost"]) and event.details.get("starts_on") == str(said["starts_on"])
        for event in lately
    )


def _told(licence: Licence, line: ContractLine | None, at: datetime) -> str:
    if line is not None:
        return _("%(product)s joined contract %(number)s: %(amount)s for the days to %(day)s.") % {
            "product": licence.product,
            "number": line.contract.number,
            "amount": euro(line.amount),
            "day": day_words(signing.last_day(line.contract)),
        }
    found = added_licence.prospect(licence, at=at, release_is_told=False)
    names = {"product": licence.product, "number": found.contract.number if found.contract else ""}
    if found.kind == added_licence.JOINS and found.contract is not None:
        first = max(licence.starts_on, found.contract.starts_on)
        return _("%(product)s is written down; it joins contract %(number)s on %(day)s by itself.") % {
            **names,
            "day": day_words(first),
        }
    if found.kind == added_licence.IN_DRAFT:
        return _("%(product)s is written down and counted in draft %(number)s.") % names
    if found.kind == added_licence.OVER:
        return _("%(product)s is written down; its last day is past, so nothing is counted.") % names
    return _("%(product)s is written down; no contract is in force, the next draft counts it.") % names


@signers_only
@require_http_methods(["GET", "POST"])
def price(request: HttpRequest, pk: int) -> HttpResponse:
    """The price of what is typed so far, for the form that asks while one types. Nothing is written."""
    customer = customer_of(request, pk)
    typed = request.POST if request.method == "POST" else request.GET
    return render(request, "contracts/_licence_price.html", _price(customer, typed, timezone.now()))


@signers_only
@require_safe
def releases(request: HttpRequest, pk: int) -> HttpResponse:
    """The field of the release for the product that was just chosen."""
    is_covered = _is_covered(customer_of(request, pk), timezone.now())
    form = NewLicenceForm(initial={"product": request.GET.get("product", "")}, is_covered=is_covered)
    return render(request, "contracts/_licence_release.html", {"form": form})


def _price(customer: Customer, typed: Any, at: datetime) -> dict[str, Any]:
    """What the price box shows: the prospect, or the sentences that stand against counting, or what is missing."""
    form = NewLicenceForm(typed, instance=Licence(customer=customer), is_covered=False)
    form.is_valid()
    wrong = [error for name in PRICED if str(typed.get(name, "")).strip() for error in form.errors.get(name, [])]
    if wrong or any(name not in form.cleaned_data for name in PRICED):
        return {"wrong": wrong, "today": signing.moscow_day(at)}
    licence = Licence(customer=customer, **{name: form.cleaned_data[name] for name in PRICED})
    licence.product = form.cleaned_data.get("product") or Product()
    found = added_licence.prospect(licence, at=at, release_is_told=False)
    return {
        "prospect": found,
        "wrong": [words for _field, words in found.problems],
        "today": signing.moscow_day(at),
        "begins_later": found.part is not None and found.part.added_on > signing.moscow_day(at),
    }


def _new_page(
    request: HttpRequest,
    customer: Customer,
    form: NewLicenceForm,
    *,
    at: datetime,
    typed: Any = None,
    status: int = 200,
    asks: bool = False,
) -> HttpResponse:
    context = {
        "tab": "customers",
        "customer": customer,
        "form": form,
        "chosen": form["deployment"].value(),
        "asks": asks,
        **_price(customer, typed or {}, at),
    }
    return render(request, "contracts/customer_licence_new.html", context, status=status)


# A licence that is there


def _licence_of(request: HttpRequest, pk: int, licence: int) -> Licence:
    customer = customer_of(request, pk)
    rows = Licence.objects.select_related("customer", "product", "release__product")
    return get_object_or_404(rows, pk=licence, customer=customer)


def _signed_line(licence: Licence) -> ContractLine | None:
    """The line of the latest signed contract that covers the licence."""
    lines = licence.contract_lines.filter(contract__signed_at__isnull=False).select_related("contract")
    return lines.order_by("-contract__starts_on").first()


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int, licence: int) -> HttpResponse:
    """A licence is corrected; of one that a signed contract covers only what its price does not stand on."""
    found = _licence_of(request, pk, licence)
    is_signed = found.is_signed_for
    fields: type[LicenceForm] = SignedLicenceForm if is_signed else LicenceForm
    form = fields(request.POST or None, instance=_licence_of(request, pk, licence))
    if request.method == "POST" and form.is_valid():
        try:
            changes = customers.change_licence(form.instance, by=person(request), at=timezone.now())
        except pricing.PricingError as refusal:
            form.add_error(None, refusal_words(refusal))
        except customers.NotWritten as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved.") if changes else _("Nothing was changed."))
            _warn_of_release(request, form.instance)
            return to_customer(found.customer, "licences")
    context = {
        "tab": "customers",
        "customer": found.customer,
        "licence": found,
        "form": form,
        "is_signed": is_signed,
        "line": _signed_line(found),
        "chosen": "" if is_signed else form["deployment"].value(),
    }
    return render(request, "contracts/customer_licence_edit.html", context, status=422 if form.errors else 200)


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, pk: int, licence: int) -> HttpResponse:
    """The installed release, straight from the customer's page: an everyday act. GET leads back there."""
    found = _licence_of(request, pk, licence)
    if request.method != "POST":
        return redirect("contracts:customer", pk=pk)
    chosen = request.POST.get("release", "")
    known = chosen.isascii() and chosen.isdigit() and len(chosen) < 19
    installed = Release.objects.filter(pk=int(chosen), product=found.product_id).first() if known else None
    if chosen and installed is None:
        words = _("Choose a release of %(product)s from the list.") % {"product": found.product}
        return customer_page_of(request, found.customer, at=timezone.now(), status=422, refusal=words)
    found.release = installed
    if customers.change_licence(found, by=person(request), at=timezone.now()):
        words = (
            _("%(product)s: %(release)s is installed.") if installed else _("%(product)s: the release is not known.")
        )
        messages.success(request, words % {"product": found.product, "release": installed.version if installed else ""})
    _warn_of_release(request, found)
    return to_customer(found.customer, "licences")


def _warn_of_release(request: HttpRequest, licence: Licence) -> None:
    if licence.release is not None and not licence.release.is_official:
        messages.warning(
            request,
            _("%(release)s is not an official release: the next contract cannot be signed with it (§1.7.4).")
            % {"release": licence.release},
        )
