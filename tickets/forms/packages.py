"""A change of a package's terms as a form: all of it on one page, filled in from its latest terms (domain §1)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contracts.catalogue import MINIMUM_BELOW, TermsChange, calendars, deployment_words
from contracts.models import Service
from contracts.terms import PRIORITIES, Deployment, Kind, Price, Problem, Target, Unit
from sla import words

KINDS = (Kind.REACTION, Kind.RESOLUTION, Kind.ESCALATION_ANSWER)
HOURS = "hours"  # for people; kept as minutes
UNITS = [
    (Unit.MINUTES.value, _("minutes")),
    (HOURS, _("hours")),
    (Unit.WORKING_DAYS.value, _("working days")),
]


class AmountField(forms.DecimalField):
    """A decimal number as people write it: "12,5" and "10 000" too. What is typed wrong is kept as typed."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(",", ".").replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
        return super().to_python(value)


@dataclass
class PriceRow:
    label: str
    percent: forms.BoundField
    minimum: forms.BoundField


@dataclass
class TargetRow:
    priority: int
    amount: forms.BoundField
    unit: forms.BoundField
    calendar: forms.BoundField


@dataclass
class TargetGroup:
    kind: str
    label: str
    hint: str
    rows: list[TargetRow]


class TermsChangeForm(forms.Form):
    """What a package promises from a day on. `as_change` is its value; the rules are `catalogue.problems_of`."""

    use_required_attribute = False

    starts_on = forms.DateField(
        label=_("First day of the new terms"),
        help_text=_("In Moscow. What was signed or received before keeps its terms, unless you decide otherwise next."),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": _("Name the first day."), "invalid": _("Write the day as 2027-01-31.")},
    )
    reason = forms.CharField(
        label=_("Why the terms change"),
        help_text=_("Customers whose running requests you move read it."),
        max_length=1000,
        widget=forms.Textarea({"rows": 2}),
        error_messages={"required": _("Write why the terms change: the customers read it.")},
    )
    calendar = forms.ChoiceField(label=_("Service hours"), error_messages={"required": _("Choose the service hours.")})
    services = forms.MultipleChoiceField(label=_("Services"), widget=forms.CheckboxSelectMultiple, required=False)

    def __init__(self, *args: Any, base: TermsChange, **kwargs: Any) -> None:
        self.base = base
        kwargs.setdefault("initial", initial_of(base))
        super().__init__(*args, **kwargs)
        hours = [(calendar.code, calendar.name) for calendar in calendars().order_by("pk")]
        fields: Any = self.fields
        fields["calendar"].choices = hours
        fields["services"].choices = [(service.code, service.name) for service in Service.objects.all()]
        for where in Deployment:
            named = {"where": deployment_words(where)}
            self.fields[f"price_{where}_percent"] = _amount(
                gettext("Percent of the licence cost, %(where)s") % named,
                most=100,
                outside=gettext("The percent lies between 0 and 100 (§1.1)."),
                too_fine=gettext("A percent has at most two decimals (§1.1)."),
            )
            self.fields[f"price_{where}_minimum"] = _amount(
                gettext("At least, EUR a year, %(where)s") % named,
                most=MINIMUM_BELOW,
                outside=gettext("The minimum is not negative (§1.1)."),
                too_fine=gettext("The minimum is in whole cents (§1.1)."),
            )
        for kind in KINDS:
            for priority in PRIORITIES:
                self._add_target(kind, priority, hours)

    def _add_target(self, kind: Kind, priority: int, hours: list[tuple[str, str]]) -> None:
        named = {"promise": words.promise(kind), "priority": priority}
        name = f"target_{kind}_{priority}"
        required = kind == Kind.REACTION
        self.fields[f"{name}_amount"] = forms.IntegerField(
            label=gettext("%(promise)s, priority %(priority)s") % named,
            required=required,
            widget=forms.TextInput({"inputmode": "numeric", "class": "in"}),
            error_messages={
                "required": _("The reaction is promised at every priority (§1.4)."),
                "invalid": gettext("%(promise)s, priority %(priority)s: write a whole number.") % named,
            },
        )
        self.fields[f"{name}_unit"] = forms.ChoiceField(
            label=gettext("%(promise)s, priority %(priority)s: counted in") % named,
            choices=UNITS,
            required=False,
            widget=forms.Select({"class": "in"}),
        )
        self.fields[f"{name}_calendar"] = forms.ChoiceField(
            label=gettext("%(promise)s, priority %(priority)s: counted on") % named,
            choices=[("", _("the package's hours")), *hours],
            required=False,
            widget=forms.Select({"class": "in"}),
        )

    # For the template

    def price_rows(self) -> Iterator[PriceRow]:
        for where in Deployment:
            yield PriceRow(deployment_words(where), self[f"price_{where}_percent"], self[f"price_{where}_minimum"])

    def target_groups(self) -> Iterator[TargetGroup]:
        hints = {
            Kind.REACTION: gettext("How soon somebody reacts. It is promised at every priority."),
            Kind.RESOLUTION: gettext("By when an incident is solved. Empty: no promise."),
            Kind.ESCALATION_ANSWER: gettext("How soon a customer's escalation is answered. Empty: no promise."),
        }
        for kind in KINDS:
            rows = [
                TargetRow(number, *(self[f"target_{kind}_{number}_{part}"] for part in ("amount", "unit", "calendar")))
                for number in PRIORITIES
            ]
            yield TargetGroup(str(kind), words.promise(kind), hints[kind], rows)

    # The value

    def as_change(self) -> TermsChange:
        """The change that a valid form describes; targets of kinds that it does not show stay as they are."""
        found = self.cleaned_data
        return TermsChange(
            package=self.base.package,
            starts_on=found["starts_on"],
            calendar=found["calendar"],
            services=frozenset(found["services"]),
            prices={
                where: Price(found[f"price_{where}_percent"], found[f"price_{where}_minimum"]) for where in Deployment
            },
            targets=(*self._targets(), *(target for target in self.base.targets if target.kind not in KINDS)),
        )

    def _targets(self) -> Iterator[Target]:
        for kind in KINDS:
            for priority in PRIORITIES:
                name = f"target_{kind}_{priority}"
                amount = self.cleaned_data[f"{name}_amount"]
                if amount is None:
                    continue
                unit = self.cleaned_data[f"{name}_unit"] or Unit.MINUTES
                if unit == HOURS:
                    unit, amount = Unit.MINUTES, amount * 60
                calendar = self.cleaned_data[f"{name}_calendar"]
                own = "" if calendar == self.cleaned_data["calendar"] else calendar
                yield Target(kind, priority, amount, Unit(unit), own)

    def add_problems(self, problems: list[Problem]) -> None:
        """Puts each problem at the field that it is of."""
        shown = list(self._targets())
        for problem in problems:
            field: str | None = problem.field.replace("prices.", "price_").replace(".", "_")
            if problem.field.startswith("targets."):
                number = int(problem.field.split(".")[1])
                field = f"target_{shown[number].kind}_{shown[number].priority}_amount" if number < len(shown) else None
            self.add_error(field if field in self.fields else None, problem.words)


def _amount(label: str, *, most: int | Decimal, outside: str, too_fine: str) -> AmountField:
    """A field of a price: from 0 to `most`, with two decimals, as the catalogue keeps it."""
    return AmountField(
        label=label,
        min_value=Decimal(0),
        max_value=Decimal(most),
        decimal_places=2,
        widget=forms.TextInput({"inputmode": "decimal", "class": "in"}),
        error_messages={
            "required": _("Write a number; 0 for none."),
            "invalid": _("Write a number like 12.5."),
            "min_value": outside,
            "max_value": outside if most == 100 else _("That is more than any contract."),
            "max_decimal_places": too_fine,
        },
    )


def initial_of(change: TermsChange, reason: str = "", starts_on: date | None = None) -> dict[str, Any]:
    """What the fields hold for this value; amounts of whole hours are shown in hours."""
    initial: dict[str, Any] = {
        "starts_on": starts_on,
        "reason": reason,
        "calendar": change.calendar,
        "services": sorted(change.services),
    }
    for where, price in change.prices.items():
        initial[f"price_{where}_percent"] = f"{price.percent.normalize():f}"
        initial[f"price_{where}_minimum"] = f"{price.minimum:.2f}" if price.minimum % 1 else f"{price.minimum:.0f}"
    for target in change.targets:
        name = f"target_{target.kind}_{target.priority}"
        whole_hours = target.unit == Unit.MINUTES and target.amount % 60 == 0
        initial[f"{name}_amount"] = target.amount // 60 if whole_hours else target.amount
        initial[f"{name}_unit"] = HOURS if whole_hours else str(target.unit)
        initial[f"{name}_calendar"] = target.calendar
    return initial
