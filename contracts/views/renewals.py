"""Renewals and coverage gaps: what ends, what was offered, who is not covered; the calendar (domain §1.1, §2, §7).

Everybody who reads contracts reads these pages, a CSM those of own customers. What changes a contract is done on its
own page (`agreement_verbs`).
"""

from collections.abc import Callable, Iterator
from datetime import MAXYEAR, date, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import BadRequest
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_safe
from icalendar import Calendar, Event

from accounts.access import contract_readers_only, person
from contracts import expiring, signing
from contracts.expiring import Ending
from contracts.models import Contract, CoverageGap
from contracts.spreadsheets import csv_response

PAGE = 50

Row = TypeVar("Row", bound=Model)


@contract_readers_only
@require_safe
def renewals(request: HttpRequest) -> HttpResponse:
    """The contracts that end, first those that end first; fifty a page by (last day, key)."""
    by, today = person(request), signing.moscow_day(timezone.now())
    month = _month(request.GET.get("month", ""))
    found = expiring.with_prices(expiring.ending(by, today=today, month=month))
    asked = {"month": f"{month:%Y-%m}"} if month else {}
    page, newer, older = _page(request, found, "ends_on", asked)
    return render(
        request,
        "contracts/renewals.html",
        {
            "tab": "renewals",
            "rows": expiring.rows(page, today=today),
            "month": month,
            "newer": newer,
            "older": older,
            "turned": bool(newer),
            "export": "?" + urlencode(asked) if asked else "",
        },
    )


@contract_readers_only
@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """Twelve months from the current one: on which day which contract ends."""
    by, today = person(request), signing.moscow_day(timezone.now())
    months = expiring.months(by, today=today)
    context = {
        "tab": "renewals",
        "months": months,
        "today": today,
        "total": sum(month.count for month in months),
        "weekdays": [date(2024, 1, day) for day in range(1, 8)],  # a week that begins on Monday
    }
    return render(request, "contracts/renewals_calendar.html", context)


@contract_readers_only
@require_safe
def renewals_csv(request: HttpRequest) -> HttpResponseBase:
    """The same choice as the list for a spreadsheet, every row; money in EUR, days as ISO 8601."""
    by, today = person(request), signing.moscow_day(timezone.now())
    found = expiring.ending(by, today=today, month=_month(request.GET.get("month", "")))
    headings = [
        _("Contract"), _("Customer"), _("Package"), _("Last day"), _("Days left"), _("A year, EUR"), _("Successor"),
        _("A year of the successor, EUR"), _("90 days"), _("60 days"), _("30 days"), pgettext("to an offer", "Answer"),
    ]  # fmt: skip
    chunks = (
        [_cells(row) for row in expiring.rows(chunk, today=today)]
        for chunk in _in_chunks(expiring.with_prices(found).order_by("ends_on", "pk"))
    )
    return csv_response(request, f"renewals-{today.isoformat()}.csv", headings, chunks)


def _cells(row: Ending) -> list[object]:
    return [
        row.contract.number,
        row.contract.customer.name,
        row.contract.terms.package.name,
        row.contract.ends_on.isoformat(),
        row.left,
        row.yearly,
        row.successor.number if row.successor else "",
        row.yearly_next,
        *(signing.moscow_day(offer.offered_at).isoformat() if offer else "" for _days, offer in row.steps),
        row.answered.get_answer_display() if row.answered else "",
    ]


def _in_chunks(found: QuerySet[Contract]) -> Iterator[list[Contract]]:
    """The rows, so many at a time, each read from where the last ended."""
    rows = list(found[: expiring.AT_A_TIME])
    while rows:
        yield rows
        last = rows[-1]
        rows = list(found.filter(_after("ends_on", last.ends_on, last.pk))[: expiring.AT_A_TIME])


@contract_readers_only
@require_safe
def renewals_ics(request: HttpRequest) -> HttpResponse:
    """The twelve months as iCalendar: an all-day event on the last day of each contract."""
    by, now = person(request), timezone.now()
    host = settings.SUPPORT_ADDRESS.rpartition("@")[2]
    feed = Calendar()
    feed.add("prodid", "-//Liniya//Renewals//EN")
    feed.add("version", "2.0")
    feed.add("x-wr-calname", _("Renewals of contracts"))
    found = expiring.in_calendar(by, today=signing.moscow_day(now)).select_related("customer", "terms__package")
    for contract in found.order_by("ends_on", "pk").iterator(chunk_size=expiring.AT_A_TIME):
        event = Event()
        event.add("uid", f"contract-{contract.pk}-end@{host}")
        event.add("dtstamp", now)
        event.add("dtstart", contract.ends_on)
        event.add("dtend", contract.ends_on + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        event.add(
            "summary",
            _("Last day of contract %(number)s: %(company)s")
            % {"number": contract.number, "company": contract.customer.name},
        )
        event.add("description", contract.terms.package.name)
        event.add("url", settings.SITE_URL + reverse("contracts:contract", args=[contract.pk]))
        feed.add_component(event)
    return HttpResponse(
        feed.to_ical(),
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="renewals.ics"', "Cache-Control": "private, no-store"},
    )


# Coverage gaps


@contract_readers_only
@require_safe
def gaps(request: HttpRequest) -> HttpResponse:
    """Customers without a contract in force, the longest uncovered first; below, what has ended, newest first."""
    by, today = person(request), signing.moscow_day(timezone.now())
    found = expiring.gaps(by)
    still_open, newer, older = _page(request, found.filter(ended_on__isnull=True), "starts_on", {})
    ended = found.filter(ended_on__isnull=False).order_by("-ended_on", "-pk")
    before = request.GET.get("ended", "")
    if before:
        day, pk = _mark(before)
        ended = ended.filter(Q(ended_on__lt=day) | Q(ended_on=day, pk__lt=pk))
    past = list(ended[: PAGE + 1])
    return render(
        request,
        "contracts/gaps.html",
        {
            "tab": "gaps",
            "rows": expiring.uncovered(still_open, today=today),
            "ended": [(gap, _length(gap)) for gap in past[:PAGE]],
            "newer": newer,
            "older": older,
            "earlier": f"?ended={past[PAGE - 1].ended_on}_{past[PAGE - 1].pk}#ended" if len(past) > PAGE else "",
            "turned": bool(newer),
        },
    )


def _length(gap: CoverageGap) -> int:
    assert gap.ended_on is not None
    return (gap.ended_on - gap.starts_on).days + 1


# Pages by key


def _page(request: HttpRequest, found: QuerySet[Row], field: str, asked: dict[str, str]) -> tuple[list[Row], str, str]:
    """The rows of a page and its neighbours' addresses, by (`field`, key): nothing moves while one reads."""
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if before:
        day, pk = _mark(before)
        earlier = found.filter(Q(**{f"{field}__lt": day}) | Q(**{field: day, "pk__lt": pk}))
        rows = list(earlier.order_by(f"-{field}", "-pk")[: PAGE + 1])
        has_newer, has_older = len(rows) > PAGE, True
        rows = rows[:PAGE][::-1]
    else:
        if after:
            found = found.filter(_after(field, *_mark(after)))
        rows = list(found.order_by(field, "pk")[: PAGE + 1])
        has_newer, has_older = bool(after), len(rows) > PAGE
        rows = rows[:PAGE]

    def at(row: Row) -> str:
        return f"{getattr(row, field).isoformat()}_{row.pk}"

    newer = "?" + urlencode({**asked, "before": at(rows[0])}) if rows and has_newer else ""
    older = "?" + urlencode({**asked, "after": at(rows[-1])}) if rows and has_older else ""
    return rows, newer, older


def _after(field: str, day: date, pk: int) -> Q:
    return Q(**{f"{field}__gt": day}) | Q(**{field: day, "pk__gt": pk})


def _mark(text: str) -> tuple[date, int]:
    """The place where a page begins. Raises `BadRequest` for what is none."""
    day, _between, pk = text.partition("_")
    return _read(lambda: (date.fromisoformat(day), _key(pk)))


def _month(text: str) -> date | None:
    """The first day of "2026-12"; None for no month. Raises `BadRequest` for what is none."""
    if text.startswith(str(MAXYEAR)):
        raise BadRequest(_("This address is not complete."))  # no month comes after its last
    return _read(lambda: datetime.strptime(text, "%Y-%m").date()) if text else None  # noqa: DTZ007 (a day)


def _key(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError(text)
    return int(text)


def _read(parse: Callable[[], Any]) -> Any:
    try:
        return parse()
    except ValueError as error:
        raise BadRequest(_("This address is not complete.")) from error
