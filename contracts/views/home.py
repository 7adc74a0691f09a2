"""/c/: what is to be done about contracts (domain §1.1, §2, §7)."""

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.access import contract_readers_only, person
from contracts.todo import todo

PILES = {"", "answered", "uncovered"}  # those without a list of their own can be shown whole


@contract_readers_only
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Drafts, answers, contracts that end, gaps, contact changes, licences without cover: the first of each."""
    whole = request.GET.get("whole", "")
    if whole not in PILES:
        raise BadRequest(_("This address is not complete."))
    found = todo(person(request), at=timezone.now(), whole=whole)
    return render(request, "contracts/home.html", {"tab": "home", "todo": found})
