"""Customers: the list, one customer, and writing them down (domain §1.1, §2, §7).

Who reads contracts reads these pages; the contract administrator changes. A CSM's customers are the own portfolio:
anybody else's is 404, like one that is not there.
"""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import contract_readers_only, person, signers_only
from contracts import customer_page, customers, event_words, signing
from contracts.forms.customers import CustomerForm, releases_of, time_zones
from contracts.models import Customer, Package
from contracts.models.customers import CustomerQuerySet
from contracts.spreadsheets import csv_response

PAGE = 50
LONGEST_SEARCH = 100


def customer_of(request: HttpRequest, pk: int) -> Customer:
    """The customer, where this person may read it; else 404, whatever the reason."""
    return get_object_or_404(Customer.objects.visible_to(person(request)).select_related("csm"), pk=pk)


def to_customer(customer: Customer, part: str = "") -> HttpResponse:
    """Back to the page of the customer after something was written."""
    response = redirect(reverse("contracts:customer", args=[customer.pk]) + (f"#{part}" if part else ""))
    response.status_code = 303
    return response


def number(request: HttpRequest, name: str) -> int | None:
    """A number of the address; None where there is none. Raises `BadRequest` for what is no number."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(_("This address is not complete."))
    return int(text)


# The list


def _asked(request: HttpRequest, at: datetime) -> tuple[CustomerQuerySet, str, str]:
    """What the address asks for: the customers, the words of the search, the filter."""
    words = " ".join(request.GET.get("q", "").split())[:LONGEST_SEARCH]
    only = request.GET.get("only", "")
    only = only if only in {customer_page.GAP, customer_page.WITHOUT_CONTACT} else ""
    visible = Customer.objects.visible_to(person(request))
    return customer_page.found(visible, words=words, only=only, at=at), words, only


@contract_readers_only
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """All customers by name, fifty a page by keyset, so that nothing moves while one reads."""
    at = timezone.now()
    found, words, only = _asked(request, at)
    after, before = number(request, "after"), number(request, "before")
    anchor = Customer.objects.visible_to(person(request)).filter(pk=after or before or 0).first()
    if (after or before) and anchor is None:
        raise BadRequest(_("This address is not complete."))
    if anchor is not None and before:
        page = customer_page.rows(found.filter(name__lt=anchor.name).order_by("-name")[: PAGE + 1], at=at)
        has_newer, has_older = len(page) > PAGE, True
        page = page[:PAGE][::-1]
    else:
        if anchor is not None:
            found = found.filter(name__gt=anchor.name)
        page = customer_page.rows(found.order_by("name")[: PAGE + 1], at=at)
        has_newer, has_older = anchor is not None, len(page) > PAGE
        page = page[:PAGE]
    kept = {name: value for name, value in (("q", words), ("only", only)) if value}
    context = {
        "tab": "customers",
        "rows": page,
        "words": words,
        "only": only,
        "filters": [
            (name, label, _address({**({"q": words} if words else {}), **({"only": name} if name else {})}))
            for name, label in (
                ("", pgettext("customers", "All")),
                (customer_page.GAP, _("Coverage gap")),
                (customer_page.WITHOUT_CONTACT, _("Without a contact")),
            )
        ],
        "newer": _address({**kept, "before": page[0].customer.pk}) if page and has_newer else "",
        "older": _address({**kept, "after": page[-1].customer.pk}) if page and has_older else "",
        "turned": anchor is not None,
        "export": f"{reverse('contracts:customers_csv')}?{urlencode(kept)}".rstrip("?"),
    }
    return render(request, "contracts/customers.html", context)


def _address(asked: dict[str, Any]) -> str:
    return f"{reverse('contracts:customers')}?{urlencode(asked)}".rstrip("?")


@contract_readers_only
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The same customers as a file for a spreadsheet, all of them, sent while they are read."""
    at = timezone.now()
    found, _words, _only = _asked(request, at)
    headings = [
        _("Company"),
        _("City"),
        _("Contract"),
        _("Package"),
        _("Covered until"),
        _("Coverage gap since"),
        _("Responsible contact"),
        _("E-mail"),
        _("Customer Success Manager"),
        _("Licences in force"),
        _("Their cost, EUR"),
    ]
    chunks = ((_cells(row) for row in rows) for rows in customer_page.all_rows(found, at=at))
    return csv_response(request, "customers.csv", headings, chunks)


def _cells(row: customer_page.Row) -> list[object]:
    cover = row.cover
    gap = (cover.since.isoformat() if cover.since else _("yes")) if cover.is_gap else ""
    return [
        row.customer.name,
        row.customer.city,
        cover.contract.number if cover.contract else "",
        cover.contract.terms.package.name if cover.contract else "",
        cover.last_day.isoformat() if cover.last_day else "",
        gap,
        row.contact.full_name if row.contact else "",
        row.contact.email if row.contact else "",
        row.customer.csm.full_name if row.customer.csm else "",
        row.licences,
        f"{row.cost:.2f}",
    ]


# One customer


@contract_readers_only
@require_safe
def customer(request: HttpRequest, pk: int) -> HttpResponse:
    """Everything of one customer: cover, licences, people, contracts, gaps, and what happened."""
    at = timezone.now()
    return customer_page_of(request, customer_of(request, pk), at=at)


def customer_page_of(
    request: HttpRequest, found: Customer, *, at: datetime, status: int = 200, **extra: Any
) -> HttpResponse:
    """The customer's page; `extra` says what was refused."""
    cover = customer_page.cover_of(found, at=at)
    before = number(request, "before")
    events, more = customer_page.log(found, before=before)
    contracts = list(
        found.contracts.select_related("terms__package").order_by("-starts_on", "-pk")[: customer_page.SHOWN]
    )
    owned = customer_page.owned(found, cover, at=at)
    signs = person(request).signs_contracts
    packages = {package.code: package.name for package in Package.objects.all()} if events else {}
    context = {
        "tab": "customers",
        "customer": found,
        "cover": cover,
        "today": signing.moscow_day(at),
        "owned": owned,
        "shown": customer_page.SHOWN,
        "releases": _releases(owned) if signs else {},
        "people": customer_page.people(found, at=at),
        "contracts": contracts,
        "gaps": found.gaps.order_by("-starts_on")[: customer_page.SHOWN],
        "log": [(event, event_words.told(event, packages)) for event in events],
        "log_older": f"?before={more}#log" if more else "",
        "log_newer": "?#log" if before else "",
        "signs": signs,
        **extra,
    }
    return render(request, "contracts/customer.html", context, status=status)


def _releases(owned: list[customer_page.Owned]) -> dict[int, list[Any]]:
    """The releases to choose from, by product: one statement for all licences."""
    by_product: dict[int, list[Any]] = {}
    products = {row.licence.product_id for row in owned}
    for release in releases_of(None) if products else []:
        if release.product_id in products:
            by_product.setdefault(release.product_id, []).append(release)
    return by_product


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A customer is written down; licences and people come next, on its page."""
    form = CustomerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = customers.write_customer(form.save(commit=False), by=person(request), at=timezone.now())
        except customers.NotWritten as refusal:
            form.add_error("name", refusal.message)
        else:
            messages.success(request, _("“%(name)s” is written down. Now its licences and people.") % {"name": made})
            return to_customer(made)
    return _form_page(request, form, None)


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The company's own card: name, city, time zone, language, CSM."""
    found = customer_of(request, pk)
    form = CustomerForm(request.POST or None, instance=Customer.objects.get(pk=found.pk))
    if request.method == "POST" and form.is_valid():
        try:
            changes = customers.change_customer(form.save(commit=False), by=person(request), at=timezone.now())
        except customers.NotWritten as refusal:
            form.add_error("name", refusal.message)
        else:
            messages.success(request, _("Saved.") if changes else _("Nothing was changed."))
            return to_customer(found)
    return _form_page(request, form, found)


def _form_page(request: HttpRequest, form: CustomerForm, found: Customer | None) -> HttpResponse:
    context = {"tab": "customers", "form": form, "customer": found, "zones": time_zones()}
    return render(request, "contracts/customer_form.html", context, status=422 if form.errors else 200)
