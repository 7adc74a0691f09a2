"""Search for the desk, under /w/search/, and for a customer's own company, under /t/search/ (domain §6, §7)."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import desk_only, person
from accounts.at_once import Prepared
from contracts.kept import Catalogue, catalogue
from contracts.models import Customer, Product
from tickets import portal_page
from tickets.models import Ticket
from tickets.queue import glance, rows_of
from tickets.search import PERIODS, STATES, WHERE, Found, Search, count_words, hits, suggest
from tickets.views.portal_gate import customers


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter: what is chosen ("" for nothing), the search without it, and the searches of its choices."""

    label: str
    chosen: str
    without: Search
    choices: list[tuple[str, Search]]


def _filters(search: Search, options: list[tuple[str, str, list[tuple[str, str]]]]) -> list[Filter]:
    return [
        Filter(
            label,
            next((words for code, words in choices if code == getattr(search, name)), ""),
            search.but(**{name: ""}),
            [(words, search.but(**{name: code})) for code, words in choices],
        )
        for name, label, choices in options
    ]


@cache
def _products() -> Prepared:
    return Prepared(Product.objects.values_list("code", "name"))


def _common_options() -> list[tuple[str, str, list[tuple[str, str]]]]:
    return [
        ("state", _("State"), [(code, str(label)) for code, (label, _states) in STATES.items()]),
        ("product", _("Product"), _products().rows()),
        ("period", _("Received"), [(code, str(label)) for code, label in PERIODS.items()]),
        ("where", _("Where"), [(code, str(label)) for code, (label, _weight) in WHERE.items()]),
    ]


def _desk_options(search: Search, known: Catalogue) -> list[tuple[str, str, list[tuple[str, str]]]]:
    chosen = Customer.objects.filter(pk=int(search.customer)) if search.customer else []
    return [
        *_common_options(),
        ("line", _("Line"), [(str(line.pk), line.name) for line in known.lines.values()]),
        ("package", _("Package"), [(package.code, package.name) for package in known.packages]),
        ("customer", _("Customer"), [(str(customer.pk), customer.name) for customer in chosen]),
    ]


def _page(search: Search, found: Found) -> dict[str, Any]:
    return {
        "search": search,
        "found": found,
        "count": count_words(found),
        "more": search.but(q=found.shown_for or search.q, after=found.after) if found.after else None,
    }


@desk_only
@never_cache
@require_safe
def desk_search(request: HttpRequest) -> HttpResponse:
    """Everything that was ever asked and said. A ticket's number alone leads to that ticket."""
    user, now, search = person(request), timezone.now(), Search.read(request.GET)
    visible = Ticket.objects.visible_to(user)
    if search.number is not None and not search.filters and visible.filter(number=search.number).exists():
        return redirect("desk:ticket", number=search.number)
    found = search.find(user, now)
    edition = glance(user, now).edition
    rows = rows_of(found.keys, user, now) if found.keys else {}
    seen = hits(user, found, {key: row.subject for key, row in rows.items()}) if rows else []
    filters = [one for one in _filters(search, _desk_options(search, catalogue(edition))) if one.choices]
    page = _page(search, found) | {"hits": [(hit, rows[hit.key]) for hit in seen], "filters": filters}
    return render(request, "desk/search.html", page)


@desk_only
@never_cache
@require_safe
def desk_suggest(request: HttpRequest) -> HttpResponse:
    """What may be meant by what stands in the search field so far."""
    return render(request, "desk/_suggest.html", {"suggestions": suggest(person(request), request.GET.get("q", ""))})


@customers
@never_cache
@require_safe
def portal_search(request: HttpRequest) -> HttpResponse:
    """The own company's requests, found by what was written in them."""
    user, now, zone = person(request), timezone.now(), timezone.get_current_timezone()
    asked = Search.read(request.GET)
    search = Search(
        asked.q, state=asked.state, product=asked.product, period=asked.period, where=asked.where, after=asked.after
    )
    visible = Ticket.objects.visible_to(user)
    if search.number is not None and not search.filters and visible.filter(number=search.number).exists():
        return redirect("portal:ticket", number=search.number)
    found = search.find(user, now)
    tickets = list(portal_page.with_calls(visible).filter(pk__in=found.keys)) if found.keys else []
    drawn = portal_page.rows(tickets, now=now, zone=zone)
    rows = {ticket.pk: (ticket, row) for ticket, row in zip(tickets, drawn, strict=True)}
    seen = hits(user, found, {ticket.pk: ticket.subject for ticket in tickets}) if tickets else []
    page = _page(search, found) | {"hits": [(hit, *rows[hit.key]) for hit in seen]}
    return render(request, "portal/search.html", page | {"filters": _filters(search, _common_options())})


@customers
@never_cache
@require_safe
def portal_suggest(request: HttpRequest) -> HttpResponse:
    """The own company's requests that may be meant."""
    return render(request, "portal/_suggest.html", {"suggestions": suggest(person(request), request.GET.get("q", ""))})
