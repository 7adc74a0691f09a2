"""All requests of a company: the list with its filters, and the same list as a file (domain §6; direction §4)."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import person
from contracts.importing.exporting import TYPES
from contracts.spreadsheets import csv_response
from tickets import company_export, company_list, portal_page
from tickets.company_list import Filters
from tickets.models import Priority, Ticket
from tickets.views.portal_gate import customers

PAGE = 50


@require_safe
@customers
def company(request: HttpRequest) -> HttpResponse:
    """All requests of the company, newest first, fifty a page by number, so that nothing moves while one reads."""
    return _page(request)


def _page(request: HttpRequest, *, refusal: str = "", status: int = 200) -> HttpResponse:
    now, zone = timezone.now(), timezone.get_current_timezone()
    own = portal_page.company_of(person(request), now=now)
    if own is None:
        return render(request, "portal/nowhere.html")
    filters = Filters.read(request.GET)
    choices = company_list.choices_of(own.customer)
    tickets = filters.narrow(Ticket.objects.visible_to(person(request)), person(request), zone)
    before, after = _number(request, "before"), _number(request, "after")
    rows = portal_page.with_calls(tickets)
    if after is not None:
        page = list(rows.filter(number__gt=after).order_by("number")[: PAGE + 1])
        newer, older = len(page) > PAGE, True
        page = page[:PAGE][::-1]
    else:
        if before is not None:
            rows = rows.filter(number__lt=before)
        page = list(rows.order_by("-number")[: PAGE + 1])
        newer, older = before is not None, len(page) > PAGE
        page = page[:PAGE]
    address = reverse("portal:company")
    context = {
        "filters": filters,
        "choices": choices,
        "priorities": [(str(value), label) for value, label in Priority.choices],
        "on": company_list.in_words(filters, choices, now),
        "tabs": [(value, label, _tab(filters, value)) for value, label in company_list.STATE_WORDS.items()],
        "rows": portal_page.rows(page, now=now, zone=zone),
        "total": tickets.count(),
        "newer": address + filters.query(after=page[0].number) if page and newer else "",
        "older": address + filters.query(before=page[-1].number) if page and older else "",
        "turned": before is not None or after is not None,
        "asked": filters.query(),
        "refusal": refusal,
    }
    return render(request, "portal/company.html", context, status=status)


def _tab(filters: Filters, state: str) -> str:
    """The query of another state with every other filter kept."""
    bare = filters.without("state")
    return bare.query(state=state) if state else bare.query()


@require_safe
@customers
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """Exactly the filtered list, all its pages: CSV while it is read, XLSX up to a number of rows and said so."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    tickets = Filters.read(request.GET).narrow(Ticket.objects.visible_to(person(request)), person(request), zone)
    first, rows = company_export.headings(str(zone)), company_export.chunks(tickets, zone)
    name = f"requests-{now.astimezone(zone):%Y-%m-%d}.{form}"
    if form == "csv":
        return csv_response(request, name, first, rows)
    if tickets.count() > company_export.MOST_IN_A_WORKBOOK:
        words = _(
            "An XLSX file holds %(most)s requests at most. Narrow the list by a filter, or take CSV: it has no limit."
        ) % {"most": company_export.MOST_IN_A_WORKBOOK}
        return _page(request, refusal=words, status=409)
    return HttpResponse(
        company_export.workbook(_("Requests of the company"), first, rows),
        content_type=TYPES["xlsx"],
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
    )


def _number(request: HttpRequest, name: str) -> int | None:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None
