"""Contracts: the list with its export, one contract, its document (domain §2, §7). `agreement_verbs` changes one."""

import csv
from collections.abc import Iterator
from datetime import date
from io import StringIO
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import contract_readers_only, person
from accounts.models import User
from contracts import signing
from contracts.agreement_page import page_of
from contracts.document import LANGUAGES, contract_pdf
from contracts.models import Contract, Customer
from contracts.signing.documents import document_of
from contracts.todo import ending_of
from contracts.views.streaming import streamed

PAGE = 50
BATCH = 500
# What a spreadsheet may take for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@contract_readers_only
@require_safe
def contracts(request: HttpRequest) -> HttpResponse:
    """The contracts of one state, or all, that the words find; the ones that end first first, 50 on a page."""
    by, today = person(request), signing.moscow_day(timezone.now())
    state, words = _state(request), request.GET.get("q", "").strip()
    found = chosen(by, state, words, today).order_by("ends_on", "pk")
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if before:
        day, pk = _mark(before)
        earlier = found.filter(Q(ends_on__lt=day) | Q(ends_on=day, pk__lt=pk)).order_by("-ends_on", "-pk")
        rows = list(earlier[: PAGE + 1])
        has_earlier, has_later = len(rows) > PAGE, True
        rows = rows[:PAGE][::-1]
    else:
        if after:
            day, pk = _mark(after)
            found = found.filter(Q(ends_on__gt=day) | Q(ends_on=day, pk__gt=pk))
        rows = list(found[: PAGE + 1])
        has_earlier, has_later = bool(after), len(rows) > PAGE
        rows = rows[:PAGE]
    asked = {"state": state, **({"q": words} if words else {})}
    return render(
        request,
        "contracts/contracts.html",
        {
            "tab": "contracts",
            "rows": [(contract, days_left(contract, today)) for contract in rows],
            "state": state,
            "is_chosen": "state" in request.GET,
            "words": words,
            "states": [
                (value, label, "?" + urlencode({"state": value, "q": words} if words else {"state": value}))
                for value, label in _states()
            ],
            "turned": bool(after or before),
            "earlier": "?" + urlencode({**asked, "before": _at(rows[0])}) if rows and has_earlier else "",
            "later": "?" + urlencode({**asked, "after": _at(rows[-1])}) if rows and has_later else "",
            "export": "?" + urlencode(asked),
        },
    )


def chosen(by: User, state: str, words: str, today: date) -> QuerySet[Contract]:
    """What this person sees of a state, by the number or the customer's name; with the yearly price of its lines."""
    if state == "ending":
        found = ending_of(Customer.objects.visible_to(by), today)
    else:
        found = Contract.objects.visible_to(by).select_related("customer", "terms__package")
    if state in Contract.State.values:
        found = found.filter(state=state)
    if words:
        found = found.filter(Q(number__icontains=words) | Q(customer__name__icontains=words))
    return found.annotate(yearly=Sum("lines__amount", filter=Q(lines__is_added=False)))


def days_left(contract: Contract, today: date) -> int | None:
    """Days of cover left, the last one counted; None where nothing runs."""
    if contract.state != Contract.State.ACTIVE:
        return None
    return (signing.last_day(contract) - max(today, contract.starts_on)).days + 1


@contract_readers_only
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The same choice as CSV: every row, read and sent in parts."""
    by, today = person(request), signing.moscow_day(timezone.now())
    found = chosen(by, _state(request), request.GET.get("q", "").strip(), today).order_by("ends_on", "pk")
    head = [
        _("Number"), _("Customer"), _("Package"), _("State"), _("First day"), _("Last day"), _("Signed"),
        _("Yearly price, EUR"),
    ]  # fmt: skip
    states = {state.value: str(state.label) for state in Contract.State}
    name = f"contracts-{today.isoformat()}.csv"
    return streamed(request, _csv(head, found, states), name=name, content_type="text/csv; charset=utf-8")


def _csv(head: list[str], found: QuerySet[Contract], states: dict[str, str]) -> Iterator[str]:
    """Parts of the file. The words come in ready: the language of the request is gone when the later parts are made."""
    yield "\ufeff" + _written([head])
    rows = found.iterator(chunk_size=BATCH)
    while some := list(islice(rows, BATCH)):
        yield _written(
            [
                contract.number,
                contract.customer.name,
                contract.terms.package.code,
                states[contract.state],
                contract.starts_on.isoformat(),
                signing.last_day(contract).isoformat(),
                signing.moscow_day(contract.signed_at).isoformat() if contract.signed_at else "",
                str(getattr(contract, "yearly", None) or ""),
            ]
            for contract in some
        )


def _written(rows: Any) -> str:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerows([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row] for row in rows)
    return text.getvalue()


@contract_readers_only
@require_safe
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    """One contract whole: term, price, licences, checklist, clauses, documents, log."""
    return contract_page(request, found_for(request, pk))


def found_for(request: HttpRequest, pk: int) -> Contract:
    """The contract of an address, if the person may read it; a foreign one answers as a missing one (domain §7)."""
    rows = Contract.objects.visible_to(person(request)).select_related(
        "customer", "terms__package", "terms__calendar", "signed_by", "predecessor"
    )
    return get_object_or_404(rows, pk=pk)


def contract_page(
    request: HttpRequest, found: Contract, *, refusals: list[str] | None = None, status: int = 200
) -> HttpResponse:
    """The page of a contract; `refusals` are all the reasons why it was not signed."""
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) < 19):
        raise BadRequest(_("This address is not complete."))
    page = page_of(found, at=timezone.now(), log_before=int(before) if before else None)
    asked = {"tab": "contracts", "page": page, "contract": found, "refusals": refusals or []}
    if found.state == Contract.State.DRAFT:
        asked["seen"] = signing.as_shown(found)
    return render(request, "contracts/contract.html", asked, status=status)


@contract_readers_only
@require_safe
def document(request: HttpRequest, pk: int, language: str) -> HttpResponse:
    """The contract as PDF: as it was signed, byte for byte; what was never signed as it stands now, with its mark."""
    if language not in LANGUAGES:
        raise Http404
    found = found_for(request, pk)
    if found.signed_at is None:
        body = contract_pdf(found, language=language, at=timezone.now())
    else:
        body = bytes(document_of(found, language=language).body)
    response = HttpResponse(body, content_type="application/pdf")
    number = slugify(found.number) or str(found.pk)
    draft = "-draft" if found.signed_at is None else ""
    response["Content-Disposition"] = content_disposition_header(True, f"contract-{number}{draft}-{language}.pdf") or ""
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _states() -> list[tuple[str, str]]:
    return [
        ("", _("All")),
        (Contract.State.DRAFT, _("Drafts")),
        (Contract.State.ACTIVE, _("In force")),
        ("ending", _("Ending within 90 days, no successor signed")),
        (Contract.State.EXPIRED, _("Expired")),
        (Contract.State.TERMINATED, _("Terminated or given up")),
    ]


def _state(request: HttpRequest) -> str:
    # What is in force comes first; whoever looks for a number or a name looks among all, as "" does.
    state = request.GET.get("state", "" if request.GET.get("q", "").strip() else Contract.State.ACTIVE)
    if state not in {value for value, _label in _states()}:
        raise BadRequest(_("This address is not complete."))
    return state


def _at(contract: Contract) -> str:
    return f"{contract.ends_on.isoformat()}_{contract.pk}"


def _mark(text: str) -> tuple[date, int]:
    """The place in the list where a page begins; raises `BadRequest` for what is none."""
    day, _under, pk = text.partition("_")
    try:
        if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
            raise ValueError(pk)
        return date.fromisoformat(day), int(pk)
    except ValueError:
        raise BadRequest(_("This address is not complete.")) from None
