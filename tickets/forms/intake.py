"""What the desk writes down of a call: the same questions as the portal asks, in the words of the desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts.models import Channel, Customer, Licence, Topic
from tickets.forms.desk import new_key, text
from tickets.forms.relations import MinutesField
from tickets.models import Priority


class IntakeForm(forms.Form):
    use_required_attribute = False

    channel = forms.ModelChoiceField(Channel.objects.none(), label=_("How they reached us"), empty_label=None)
    subject = forms.CharField(
        label=_("What happened, in one line"),
        max_length=200,
        error_messages={"required": _("Say in one line what happened.")},
        widget=forms.TextInput({"class": "in", "autocomplete": "off"}),
    )
    body = text(_("What was said"), rows=5)
    topic = forms.ModelChoiceField(
        Topic.objects.none(), label=_("Topic"), required=False, empty_label=_("not clear yet: an incident")
    )
    priority = forms.TypedChoiceField(label=_("How it hinders the work"), coerce=int, initial=3)
    licence = forms.ModelChoiceField(
        Licence.objects.none(), label=_("Product"), required=False, empty_label=_("not named")
    )
    minutes = MinutesField(required=False)
    key = forms.CharField(max_length=64, required=False, initial=new_key, widget=forms.HiddenInput)

    def __init__(self, *args: Any, customer: Customer, licences: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["channel"].queryset = Channel.objects.filter(is_live=True)
        fields["topic"].queryset = Topic.objects.order_by("position", "pk")
        fields["licence"].queryset = licences
        fields["licence"].label_from_instance = lambda licence: " ".join(
            part for part in (licence.product.name, licence.release.version if licence.release else "") if part
        )
        fields["priority"].choices = [(code, f"{code}. {label}") for code, label in Priority.choices]
