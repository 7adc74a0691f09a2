"""/a/sla/: type a moment, a package and a priority, see the deadlines and why (domain §4.3; direction §4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.access import person
from contracts.models import Contract, Package, TicketKind
from sla import words
from sla.business_time import NeverOpen
from sla.explain import impact
from sla.simulator import Simulated, contracts_with_clauses, simulate, terms_on
from sla.views.calendars import staff_only


class SimulatorForm(forms.Form):
    """A request that nobody sent. A shareable address: GET."""

    use_required_attribute = False

    at = forms.DateTimeField(
        label=gettext_lazy("Received, Moscow time"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %H:%M"],
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        error_messages={
            "required": gettext_lazy("Name the moment."),
            "invalid": gettext_lazy("Write the moment as 2027-01-31 17:30."),
        },
    )
    package = forms.ChoiceField(label=gettext_lazy("Package"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=TicketKind.choices, initial=TicketKind.INCIDENT)
    priority = forms.TypedChoiceField(label=gettext_lazy("Priority"), coerce=int)
    contract = forms.ChoiceField(
        label=gettext_lazy("Contract"),
        required=False,
        help_text=gettext_lazy("With its own terms and clauses; then the package above does not count."),
    )

    def __init__(self, *args: Any, contracts: Sequence[Contract], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["package"].choices = [(row.code, row.name) for row in Package.objects.all()]
        fields["priority"].choices = [(number, f"{number}: {impact(number)}") for number in (1, 2, 3, 4)]
        if contracts:
            named = [(str(row.pk), f"{row.customer.name}, {row.number}") for row in contracts]
            fields["contract"].choices = [("", _("none: the package alone")), *named]
        else:
            del fields["contract"]

    def clean_at(self) -> datetime:
        # Typed as Moscow time, whatever zone the person reads other pages in.
        at = self.cleaned_data["at"].replace(tzinfo=words.MOSCOW, second=0, microsecond=0)
        if not 2000 <= at.year <= 2100:
            raise forms.ValidationError(_("Days lie between %(first)d and %(last)d.") % {"first": 2000, "last": 2100})
        return at


@staff_only
@require_safe
def simulator(request: HttpRequest) -> HttpResponse:
    """The form, and below it each promise with its explanation and its ladder as moments."""
    now = timezone.now()
    contracts = contracts_with_clauses(person(request), now)
    moment = now.astimezone(words.MOSCOW).replace(second=0, microsecond=0, tzinfo=None)
    is_asked = bool(request.GET)
    form = SimulatorForm(
        request.GET if is_asked else None,
        contracts=contracts,
        initial={"at": moment, "package": "premium", "priority": 2},
    )
    found: list[Simulated] = []
    context: dict[str, Any] = {"tab": "simulator", "now": now, "form": form}
    status = 200
    if is_asked and form.is_valid():
        values = dict(form.cleaned_data)
        contract = next((row for row in contracts if str(row.pk) == values.get("contract")), None)
        terms = contract.terms if contract else terms_on(values["package"], values["at"])
        if terms is None:
            form.add_error("at", _("The package was not sold then: it has no terms of that day."))
        else:
            try:
                found = simulate(terms, contract, kind=values["kind"], priority=values["priority"], at=values["at"])
            except NeverOpen:
                form.add_error("at", _("The calendar never opens again after that moment."))
        context |= {"terms": terms, "contract": contract, "at": values["at"], "found": found}
    if is_asked and form.errors:
        status = 422
    return render(request, "sla/simulator.html", context, status=status)
