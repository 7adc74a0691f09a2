"""The customer's own contract: what it promises, what it costs, what follows it (domain §1, §2, §6).

Contact and observers of the company read; only the contact answers an offer. Another company's contract, offer or
document is 404, like a missing one.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.access import customer_only, person
from accounts.refusals import Refused
from contracts import own_contract, pricing, signing
from contracts.document import LANGUAGES, contract_pdf
from contracts.forms.portal import AddedLicenceForm, AnswerForm, field_of
from contracts.models import Contract, RenewalOffer
from contracts.own_contract import Company, Renewal
from contracts.price_words import figures_words, proration_words, refusal_words
from contracts.signing.documents import document_of
from contracts.terms import Deployment


def _company(request: HttpRequest) -> Company:
    """The reader's company; 404 for a customer's person who belongs to none."""
    found = own_contract.company_of(person(request), at=timezone.now())
    if found is None:
        raise Http404
    return found


@customer_only
@require_safe
def contract(request: HttpRequest) -> HttpResponse:
    """The contract in force with everything it promises; without one, that there is none and what to do."""
    at, company = timezone.now(), _company(request)
    found = own_contract.in_force(company.customer, at=at)
    context: dict[str, Any] = {
        "company": company,
        "renewal": own_contract.renewal_of(company.customer, at=at),
        "signed": own_contract.signed_contracts(company.customer),
        "languages": LANGUAGES,
    }
    if found is None:
        return render(request, "portal/contract_none.html", context)
    form, part, status = _calculator(request, found)
    context |= {
        "own": own_contract.own_contract(found, at=at),
        "contract": found,
        "form": form,
        "part": part,
        "part_figures": figures_words(part) if part else "",
        "part_words": proration_words(part) if part else [],
    }
    return render(request, "portal/contract.html", context, status=status)


def _calculator(request: HttpRequest, found: Contract) -> tuple[AddedLicenceForm, pricing.Proration | None, int]:
    """What the licence in the address would cost to the contract's end; asks nothing of the database but prices."""
    prices = signing.prices_of(found.terms)
    today = signing.moscow_day(timezone.now())
    limits: dict[str, Any] = {
        "deployments": [one.value for one in prices],
        "starts_on": found.starts_on,
        "ends_on": found.ends_on,
    }
    if "cost" not in request.GET:
        return AddedLicenceForm(initial={"first": max(today, found.starts_on)}, **limits), None, 200
    form = AddedLicenceForm(request.GET, **limits)
    if not form.is_valid():
        return form, None, 422
    deployment = Deployment(form.cleaned_data["deployment"])
    try:
        part = pricing.prorate(
            prices[deployment],
            form.cleaned_data["cost"],
            deployment=deployment,
            starts_on=found.starts_on,
            ends_on=found.ends_on,
            added_on=form.cleaned_data["first"],
        )
    except pricing.PricingError as error:
        form.add_error(field_of(error), refusal_words(error))
        return form, None, 422
    return form, part, 200


@customer_only
@require_safe
def document(request: HttpRequest, pk: int, language: str) -> HttpResponse:
    """One of the company's contracts as PDF: as it was signed; of a draft that was offered, as it stands now."""
    found = own_contract.readable(_company(request).customer, pk)
    if found is None or language not in LANGUAGES:
        raise Http404
    if found.signed_at is None:
        body = contract_pdf(found, language=language, at=timezone.now())
    else:
        body = bytes(document_of(found, language=language).body)
    draft = "-draft" if found.signed_at is None else ""
    name = f"contract-{slugify(found.number) or found.pk}{draft}-{language}.pdf"
    response = HttpResponse(body, content_type="application/pdf")
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@customer_only
@require_http_methods(["GET", "HEAD", "POST"])
def renewals(request: HttpRequest) -> HttpResponse:
    """The offer for the next year: the contact accepts it or says no in their words; observers read."""
    at, company = timezone.now(), _company(request)
    if request.method == "POST":
        return _answer(request, company)
    return _renewals_page(request, company, own_contract.renewal_of(company.customer, at=at))


def _answer(request: HttpRequest, company: Company) -> HttpResponse:
    by, at = person(request), timezone.now()
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _renewals_page(request, company, own_contract.renewal_of(company.customer, at=at), form, status=422)
    asked = form.cleaned_data
    offer = RenewalOffer.objects.filter(contract__customer=company.customer, pk=asked["offer"]).first()
    if offer is None:
        raise Http404
    accepted = asked["answer"] == "accepted"
    try:
        signing.answer_renewal(offer, accepted=accepted, words=asked["words"], by=by, at=at, total=asked["total"])
    except Refused as refusal:
        form.add_error("words", refusal.message)
        renewal = own_contract.renewal_of(company.customer, at=at)
        return _renewals_page(request, company, renewal, form, status=refusal.status)
    if accepted:
        messages.success(request, _("You accepted the offer. Our contract administrator signs the contract now."))
    else:
        messages.success(request, _("We have your answer. Our contract administrator writes to you."))
    response = redirect("contract:renewals")
    response.status_code = 303
    return response


def _renewals_page(
    request: HttpRequest,
    company: Company,
    renewal: Renewal | None,
    form: AnswerForm | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    if form is None and renewal is not None and renewal.offer is not None and renewal.change is not None:
        form = AnswerForm(initial={"offer": renewal.offer.pk, "total": renewal.change.total})
    context = {"company": company, "renewal": renewal, "form": form, "languages": LANGUAGES}
    return render(request, "portal/contract_renewals.html", context, status=status)
