"""A customer's card for the desk: what is bought, who speaks, what runs, how it went (direction §4)."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.access import desk_only
from contracts.models import Customer
from tickets import customer_card
from tickets.queue import row


def number_of(request: HttpRequest, name: str) -> int | None:
    """A number of the address; None where there is none. Raises `BadRequest` for what is no number."""
    typed = request.GET.get(name, "")
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 16):
        raise BadRequest
    return int(typed)


@desk_only
@never_cache
@require_safe
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """The card; `?before=` goes on in the history."""
    now = timezone.now()
    customer = get_object_or_404(Customer.objects.select_related("csm"), pk=pk)
    contract, why_none = customer_card.contract_now(customer, now)
    past, older = customer_card.history(customer, number_of(request, "before"))
    context = {
        "customer": customer,
        "contract": contract,
        "why_none": why_none,
        "days": customer_card.days_left(contract, now) if contract else 0,
        "ends": (contract.terminated_on or contract.ends_on) if contract else None,
        "services": customer_card.services(contract, now) if contract else [],
        "people": customer_card.people_of(customer, now),
        "installed": customer_card.installed(customer, now),
        "record": customer_card.record_of(customer, now),
        "rows": [row(ticket, now) for ticket in customer_card.open_of(customer)],
        "past": past,
        "older": f"?before={older}" if older else "",
    }
    return render(request, "desk/customer.html", context)
