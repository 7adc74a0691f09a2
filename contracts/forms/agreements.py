"""What is filled in for a contract: term and package, its end, its clauses. Shape here; the rules are `signing`'s."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.one_of import OneOf
from contracts import pricing
from contracts.models import ContractClause, Customer, Package, PromiseKind, Service, Topic
from contracts.price_words import refusal_words
from contracts.signing import Offer, offers

NOT_A_DAY = gettext_lazy("Write a day, such as 31.12.2026")


def day_field(label: Any, **more: Any) -> forms.DateField:
    """A day of the calendar: from the browser's own picker, or typed in either usual way."""
    return forms.DateField(
        label=label,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        widget=forms.DateInput(attrs={"type": "date", "class": "in"}, format="%Y-%m-%d"),
        error_messages={"invalid": NOT_A_DAY, "required": gettext_lazy("Choose a day")},
        **more,
    )


class TermForm(forms.Form):
    """The days and the package of a draft, with what every package would cost (`offers`) once the days are right."""

    starts_on = day_field(gettext_lazy("First day"))
    ends_on = day_field(gettext_lazy("Last day"))
    package = OneOf(
        label=gettext_lazy("Package"),
        queryset=Package.objects.none(),
        to_field_name="code",
        error_messages={
            "required": gettext_lazy("Choose a package"),
            "invalid_choice": gettext_lazy("Choose one of the packages that are sold"),
        },
    )

    def __init__(self, customer: Customer, *args: Any, only_asks: bool = False, **kwargs: Any) -> None:
        """`only_asks`: for a quote, where no package need be chosen yet."""
        super().__init__(*args, **kwargs)
        self.customer = customer
        self.offers: list[Offer] = []
        package = self.fields["package"]
        assert isinstance(package, forms.ModelChoiceField)
        package.queryset = Package.objects.filter(is_sold=True)
        package.required = not only_asks
        self.only_asks = only_asks

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_on, ends_on = cleaned.get("starts_on"), cleaned.get("ends_on")
        if starts_on is None or ends_on is None:
            return cleaned
        try:
            pricing.term(starts_on, ends_on)
        except pricing.PricingError as error:
            field = "starts_on" if error.values.get("day") == starts_on else "ends_on"
            self.add_error(field, refusal_words(error))
            return cleaned
        self.offers = offers(self.customer, starts_on=starts_on, ends_on=ends_on)
        chosen = next((offer for offer in self.offers if offer.package == cleaned.get("package")), None)
        if chosen is not None and chosen.quote is None and not self.only_asks:
            for words in chosen.refusals:
                self.add_error("package", words)
        return cleaned


class EndForm(forms.Form):
    """The last day and the reason of a termination; of a draft only the reason."""

    on = day_field(gettext_lazy("Last day, covered to its end"))
    reason = forms.CharField(
        label=gettext_lazy("Why it ends"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "class": "in"}),
        help_text=gettext_lazy("The customer reads it."),
        error_messages={"required": gettext_lazy("Write why the contract ends: the customer will ask.")},
    )

    def __init__(self, *args: Any, first: date, last: date, is_draft: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_draft:
            del self.fields["on"]
            self.fields["reason"].label = _("Why it is discarded")
            self.fields["reason"].help_text = ""
            self.fields["reason"].error_messages["required"] = _("Write why the draft is discarded.")
        else:
            self.fields["on"].widget.attrs.update(min=first.isoformat(), max=last.isoformat())


class ClauseForm(forms.ModelForm):
    """A clause: its words in both languages, and what it changes: a topic, a service, or a time of its own."""

    class Meta:
        model = ContractClause
        fields = ("text_ru", "text_en", "topic", "service", "kind", "priority", "minutes")
        labels = {
            "kind": gettext_lazy("Own time for"),
            "priority": gettext_lazy("At priority"),
            "minutes": gettext_lazy("At most, minutes of service time"),
        }

    priority = forms.TypedChoiceField(
        label=gettext_lazy("At priority"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", "—"), (1, "1"), (2, "2"), (3, "3"), (4, "4")],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = "in"
            if name in ("text_ru", "text_en"):
                field.widget.attrs["rows"] = 3
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            ("", "—"),
            (PromiseKind.REACTION.value, PromiseKind.REACTION.label),
            (PromiseKind.RESOLUTION.value, PromiseKind.RESOLUTION.label),
        ]
        for name, queryset in (("topic", Topic.objects.all()), ("service", Service.objects.all())):
            chosen = self.fields[name]
            assert isinstance(chosen, forms.ModelChoiceField)
            chosen.queryset = queryset
            chosen.empty_label = "—"
        self.fields["text_ru"].error_messages["required"] = _(
            "A clause has its words in both languages: both sides sign them."
        )
        self.fields["text_en"].error_messages["required"] = self.fields["text_ru"].error_messages["required"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        target = {name: cleaned.get(name) for name in ("kind", "priority", "minutes")}
        if any(target.values()):
            words = {
                "kind": _("Say what the time is promised for"),
                "priority": _("Say at which priority"),
                "minutes": _("Say how many minutes, one at least"),
            }
            for name, value in target.items():
                if not value and name not in self.errors:
                    self.add_error(name, words[name])
        return cleaned
