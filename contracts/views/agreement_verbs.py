"""What is done with a contract: signed, ended, renewed, amended. One verb of `signing` each (domain §2)."""

from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import person, signers_only
from contracts import signing
from contracts.forms.agreements import ClauseForm, EndForm
from contracts.models import Contract, ContractClause
from contracts.views.agreements import contract_page, found_for

NOTHING_OWED = ("closed", "declined")  # the states of a request whose work is over (domain §3.2)


@signers_only
@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Signs a draft, or shows every condition that fails. Pressed twice it signs once."""
    contract, by = found_for(request, pk), person(request)
    try:
        signing.activate(contract, by=by, at=timezone.now(), seen=request.POST.get("seen", ""))
    except signing.NotSigned as refused:
        contract = found_for(request, pk)
        if contract.state == Contract.State.ACTIVE and contract.signed_by_id == by.pk:
            messages.info(request, _("You have signed this contract already."))
            return redirect("contracts:contract", pk)
        refusals = [str(reason) for reason in refused.reasons]
        return contract_page(request, contract, refusals=refusals, status=refused.status)
    messages.success(request, _("Signed. The contract covers every licence of the customer."))
    return redirect("contracts:contract", pk)


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Terminates a contract with its last day and a reason, after a sentence that says what that means; or a draft."""
    contract = found_for(request, pk)
    first, last = _days(contract)
    is_draft = contract.signed_at is None
    if request.method != "POST":
        form = EndForm(initial={"on": min(first, last)}, first=first, last=last, is_draft=is_draft)
        return _end_page(request, contract, form, on=min(first, last))
    if "recalculate" in request.POST:  # only asks what the day means; what was typed stays
        typed = {name: request.POST.get(name, "") for name in ("on", "reason")}
        form = EndForm(initial=typed, first=first, last=last, is_draft=is_draft)
        return _end_page(request, contract, form, on=_day(typed["on"]))
    form = EndForm(request.POST, first=first, last=last, is_draft=is_draft)
    if not form.is_valid():
        return _end_page(request, contract, form, on=form.cleaned_data.get("on"), status=422)
    on = form.cleaned_data.get("on")
    try:
        signing.terminate(contract, by=person(request), at=timezone.now(), reason=form.cleaned_data["reason"], on=on)
    except signing.NotSigned as refused:
        form.add_error("on" if on and contract.state == Contract.State.ACTIVE else None, refused.message)
        return _end_page(request, contract, form, on=on, status=refused.status)
    messages.success(
        request, _("The draft is given up.") if is_draft else _("Terminated. The reason stands in the log.")
    )
    return redirect("contracts:contract", pk)


@signers_only
@require_safe
def ending(request: HttpRequest, pk: int) -> HttpResponse:
    """The sentence that says what a last day means, for the form while it is filled in."""
    contract = found_for(request, pk)
    return render(request, "contracts/_ending.html", _ending(contract, _day(request.GET.get("on", ""))))


def _day(text: str) -> date | None:
    """A day as the browser writes it; None for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _end_page(
    request: HttpRequest, contract: Contract, form: EndForm, *, on: date | None, status: int = 200
) -> HttpResponse:
    asked = {"tab": "contracts", "contract": contract, "form": form, **_ending(contract, on)}
    return render(request, "contracts/end.html", asked, status=status)


def _ending(contract: Contract, on: date | None) -> dict[str, object]:
    """What the day means; nothing for a day outside, or a draft that never covered one."""
    first, last = _days(contract)
    if on is None or contract.signed_at is None or not first <= on <= last:
        return {"contract": contract, "on": None}
    after = on + timedelta(days=1)
    follows = contract.customer.contracts.filter(signed_at__isnull=False, starts_on=after).exists()
    return {
        "contract": contract,
        "on": on,
        "after": after,
        # Requests are the next part of the house: contracts know them by the relation only.
        "open_requests": contract.tickets.exclude(state__in=NOTHING_OWED).count(),
        "makes_gap": not follows and contract.customer.licences.in_force(after).exists(),
    }


def _days(contract: Contract) -> tuple[date, date]:
    """From when to when the last day may lie (`signing.terminate`)."""
    today = signing.moscow_day(timezone.now())
    return max(today, contract.starts_on), contract.ends_on


@signers_only
@require_POST
def renew(request: HttpRequest, pk: int) -> HttpResponse:
    """Prepares the successor, and shows it. Pressed twice it is prepared once."""
    contract = found_for(request, pk)
    try:
        successor = signing.renew(contract, by=person(request), at=timezone.now())
    except signing.NotSigned as refused:
        known = Contract.objects.filter(predecessor=contract).first()
        if known is None:
            refusals = [str(reason) for reason in refused.reasons]
            return contract_page(request, contract, refusals=refusals, status=refused.status)
        messages.info(request, refused.message)
        return redirect("contracts:contract", known.pk)
    messages.success(
        request, _("The successor of %(number)s is prepared: look at it and sign it.") % {"number": contract.number}
    )
    return redirect("contracts:contract", successor.pk)


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def add_clause(request: HttpRequest, pk: int) -> HttpResponse:
    """A clause: words of a draft, or an amendment of a contract in force from now on."""
    contract = found_for(request, pk)
    form = ClauseForm(request.POST or None, instance=ContractClause(contract=contract))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                signing.add_clause(form.save(commit=False), by=person(request), at=timezone.now())
            except signing.NotSigned as refused:
                form.add_error(None, refused.message)
                status = refused.status
            else:
                messages.success(request, _("The clause is written."))
                return redirect("contracts:contract", pk)
    asked = {"tab": "contracts", "contract": contract, "form": form}
    return render(request, "contracts/clause.html", asked, status=status)


@signers_only
@require_POST
def end_clause(request: HttpRequest, pk: int, clause: int) -> HttpResponse:
    """Takes a clause out of a draft, or ends it from now on. Pressed twice it ends once."""
    contract = found_for(request, pk)
    found = get_object_or_404(ContractClause, pk=clause, contract=contract)
    try:
        signing.end_clause(found, by=person(request), at=timezone.now())
    except signing.NotSigned as refused:
        refusals = [str(reason) for reason in refused.reasons]
        return contract_page(request, contract, refusals=refusals, status=refused.status)
    messages.success(request, _("The clause is ended."))
    return redirect("contracts:contract", pk)
