"""What is told of a webinar, as forms; the rules are those of `success/webinars.py`. Moments are of Moscow."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import STAFF_ROLES, User
from accounts.one_of import OneOf
from contracts.models import Customer, Product
from sla.forms.absences import WRITTEN, MoscowMoment
from sla.ladder import MOSCOW
from success.models import LONGEST, Webinar
from success.webinars import Plan

USUAL_HOUR = 11  # of Moscow
USUAL_MINUTES = 60
HTTPS_HINT = _("It begins with https://.")
NO_ADDRESS = {"invalid": _("Write the whole address, from https:// on.")}


class HostChoice(OneOf):
    def label_from_instance(self, person: User) -> str:
        return f"{person.full_name}, {person.get_role_display()}"


class Text(forms.CharField):
    """Without NUL, which PostgreSQL does not take."""

    def to_python(self, value: Any) -> str:
        return super().to_python(str(value or "").replace("\0", "").replace("\r\n", "\n")) or ""


class WebinarForm(forms.Form):
    """Nothing here is written: `told()` is what the verbs take."""

    use_required_attribute = False

    title = Text(label=_("Title"), max_length=200, error_messages={"required": _("Give it a title.")})
    about = Text(
        label=_("What it is about"),
        max_length=5000,
        widget=forms.Textarea({"rows": 5}),
        error_messages={"required": _("Write what it is about.")},
    )
    language = forms.ChoiceField(label=_("Language of the webinar"), choices=settings.LANGUAGES)
    starts_at = MoscowMoment(label=_("Begins, Moscow time"), error_messages=WRITTEN)
    minutes = forms.IntegerField(
        label=_("Minutes"),
        min_value=1,
        max_value=LONGEST // timedelta(minutes=1),
        error_messages={"required": _("Write how many minutes it takes.")},
    )
    host = HostChoice(
        queryset=User.objects.none(), label=_("Host"), error_messages={"required": _("Choose the person.")}
    )
    customer = forms.ModelChoiceField(
        queryset=Customer.objects.none(),
        label=_("Customer"),
        required=False,
        empty_label=_("a webinar for many"),
        help_text=_("An individual webinar is seen by the people of this customer only."),
    )
    products = forms.ModelMultipleChoiceField(
        queryset=Product.objects.none(),
        label=_("Products"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Customers with a licence of one of them see it; without a product everybody does."),
    )
    join_url = forms.URLField(
        label=_("Address to join"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=HTTPS_HINT,
        error_messages=NO_ADDRESS,
    )
    seats = forms.IntegerField(
        label=_("Seats"), required=False, min_value=1, max_value=100_000, help_text=_("Without a number: no limit.")
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["host"].queryset = User.objects.filter(is_active=True, role__in=STAFF_ROLES).order_by("full_name", "pk")
        fields["customer"].queryset = Customer.objects.visible_to(by).order_by("name")
        fields["products"].queryset = Product.objects.order_by("name")

    def clean_join_url(self) -> str:
        return _only_https(self.cleaned_data["join_url"])

    def told(self) -> Plan:
        fields = self.cleaned_data
        return Plan(**{**fields, "products": tuple(fields["products"])})


class RecordingForm(forms.Form):
    """Addresses that everybody who sees the webinar may open."""

    use_required_attribute = False

    recording_url = forms.URLField(
        label=_("Recording"),
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text=HTTPS_HINT,
        error_messages=NO_ADDRESS,
    )
    materials = Text(
        label=_("Materials"),
        required=False,
        max_length=4000,
        widget=forms.Textarea({"rows": 3}),
        help_text=_("One address a line; behind a blank, its name: https://example.com/1.pdf Slides"),
    )

    def clean_recording_url(self) -> str:
        return _only_https(self.cleaned_data["recording_url"])


class CallOffForm(forms.Form):
    use_required_attribute = False

    reason = Text(
        label=_("Why"),
        max_length=300,
        help_text=_("Everybody who has signed up reads it."),
        error_messages={"required": _("Write why: everybody who has signed up reads it.")},
    )


def initial_of(webinar: Webinar) -> dict[str, Any]:
    """A planned webinar as the form has it."""
    same = ("title", "about", "language", "starts_at", "minutes", "join_url", "seats")
    return {
        **{name: getattr(webinar, name) for name in same},
        "host": webinar.host_id,
        "customer": webinar.customer_id,
        "products": [product.pk for product in webinar.products.all()],
    }


def usual(by: User, now: datetime) -> dict[str, Any]:
    """What a new one begins with: tomorrow in the morning, for an hour, held by the person who plans it."""
    tomorrow = now.astimezone(MOSCOW) + timedelta(days=1)
    return {
        "starts_at": tomorrow.replace(hour=USUAL_HOUR, minute=0, second=0, microsecond=0),
        "minutes": USUAL_MINUTES,
        "host": by.pk,
        "language": by.language,
    }


def _only_https(address: str) -> str:
    if address and not address.startswith("https://"):
        raise forms.ValidationError(_("An address begins with https://."))
    return address
