"""Forms of the customer's own contract: the price of an added licence, the answer to an offer (domain §1.1, §2)."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts import pricing
from contracts.models import Deployment, Product


class AddedLicenceForm(forms.Form):
    """A licence that is thought of; nothing is ordered by it."""

    product = forms.ModelChoiceField(Product.objects.order_by("name"), label=_("Product"), empty_label=_("Choose…"))
    deployment = forms.ChoiceField(label=_("Deployment"))
    cost = forms.CharField(
        label=_("Licence cost, EUR"),
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    first = forms.DateField(label=_("First day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))

    def __init__(self, *args: object, deployments: Iterable[str], starts_on: date, ends_on: date, **kwargs: object):
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        priced = set(deployments)
        self.fields["deployment"].choices = [  # type: ignore[attr-defined]
            (value, label) for value, label in Deployment.choices if value in priced
        ]
        self.fields["first"].widget.attrs |= {"min": starts_on.isoformat(), "max": ends_on.isoformat()}

    def clean_cost(self) -> Decimal:
        """An amount as people write it: "10 000,50" and "10,000.50" are both one."""
        text = "".join(self.cleaned_data["cost"].split()).lstrip("€").replace("\u00a0", "")
        if text.count(",") == 1 and "." not in text and len(text.rpartition(",")[2]) != 3:
            text = text.replace(",", ".")
        text = text.replace(",", "")
        try:
            amount = Decimal(text)
        except ArithmeticError:
            amount = Decimal("NaN")
        if not amount.is_finite() or not text.isascii():
            raise forms.ValidationError(_("Write the cost as a number of EUR, such as 10000 or 10 000,50."))
        return amount


class AnswerForm(forms.Form):
    """The contact's yes or no to an offer; `total` is the price that they saw."""

    offer = forms.IntegerField(widget=forms.HiddenInput)
    total = forms.DecimalField(widget=forms.HiddenInput, required=False)
    answer = forms.ChoiceField(choices=[("accepted", "accepted"), ("declined", "declined")], widget=forms.HiddenInput)
    words = forms.CharField(
        label=_("In your words"),
        help_text=_(
            "With a no: why, or what you would like instead, another package or a talk. With a yes, if you wish."
        ),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


PRICING_FIELDS: dict[type[pricing.PricingError], str] = {
    pricing.OutsideTerm: "first",
    pricing.NotADay: "first",
    pricing.TooFarAhead: "first",
    pricing.NoPrice: "deployment",
}


def field_of(error: pricing.PricingError) -> str:
    """The field at which a price that cannot be counted is told."""
    return PRICING_FIELDS.get(type(error), "cost")
