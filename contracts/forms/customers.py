"""What is filled in about customers, their licences and their people. Shape and words here; rules in `contracts`."""

import secrets
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.db.models import Q
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Role, User
from contracts.importing.cells import companies
from contracts.importing.values import Unclear, money
from contracts.models import Customer, CustomerMember, Deployment, Licence, Product, Release
from contracts.models.customers import LicenceQuerySet
from contracts.price_words import day_words

LANGUAGES = [("ru", "Русский"), ("en", "English")]
EARLIEST, LATEST = date(1990, 1, 1), date(2199, 12, 31)  # of a licence; the rest is a slip of the keyboard


@cache
def time_zones() -> tuple[str, ...]:
    """The zones that people name: Area/City, by name."""
    areas = ("Africa/", "America/", "Antarctica/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/")
    return tuple(sorted(name for name in available_timezones() if name.startswith(areas)))


class OneLine(forms.CharField):
    """Words in one line, however many spaces were typed."""

    def clean(self, value: Any) -> str:
        words: str = super().clean(" ".join(str(value).split()) if value else value)
        return words


class Money(forms.Field):
    """EUR as people write them: 38400 · 38400.00 · 38 400,00; nothing is rounded or guessed (domain §1.1)."""

    def to_python(self, value: Any) -> Any:
        typed = str(value or "").strip()
        if not typed:
            return None
        try:
            return money(typed)
        except Unclear as unclear:
            raise forms.ValidationError(gettext(unclear.text) % unclear.values, code="unclear") from unclear

    def prepare_value(self, value: Any) -> Any:
        return f"{value:.2f}" if isinstance(value, Decimal) else value


class Day(forms.DateField):
    """A day without a time zone."""

    def __init__(self, **kwargs: Any) -> None:
        wrong = gettext_lazy("This is not a day of the calendar.")
        messages = {"invalid": wrong, **kwargs.pop("error_messages", {})}
        super().__init__(
            widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            input_formats=["%Y-%m-%d", "%d.%m.%Y"],
            error_messages=messages,
            **kwargs,
        )

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value is not None and not EARLIEST <= value <= LATEST:
            raise forms.ValidationError(
                gettext("%(year)d is not the year of a licence: look at the date again."),
                params={"year": value.year},
                code="year",
            )


class Described(forms.ModelForm):
    """A form whose fields look alike; `required` is said in words, by the server."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs.setdefault("class", "ck")
            elif not isinstance(field.widget, forms.HiddenInput | forms.RadioSelect):
                field.widget.attrs.setdefault("class", "in")


def _time_zone() -> forms.CharField:
    return forms.CharField(
        label=_("Time zone"),
        help_text=_("Begin to type a city: Moscow, Yekaterinburg, Tallinn."),
        widget=forms.TextInput({"list": "zones", "autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": _("Choose the time zone.")},
        max_length=64,
    )


class ZoneMixin:
    """A time zone as it is found: by its whole name, or by the city alone."""

    cleaned_data: dict[str, Any]

    def clean_timezone(self) -> str:
        typed = self.cleaned_data["timezone"].strip().replace(" ", "_")
        for name in (*time_zones(), *sorted(available_timezones())):
            if typed.casefold() in {name.casefold(), name.rpartition("/")[2].casefold()}:
                return name
        raise forms.ValidationError(
            gettext("There is no time zone named “%(name)s”."), params={"name": typed}, code="unknown"
        )


class CustomerForm(ZoneMixin, Described):
    """A company: its name, once; where it is; who looks after it."""

    name = OneLine(
        label=_("Company"),
        max_length=160,
        error_messages={
            "required": _("Write the name of the company."),
            "max_length": _("A name is at most %(limit_value)d characters."),
        },
    )
    city = OneLine(
        label=_("City"),
        max_length=80,
        required=False,
        error_messages={"max_length": _("A city is at most %(limit_value)d characters.")},
    )
    timezone = _time_zone()
    language = forms.ChoiceField(
        label=_("Language of letters and documents"),
        choices=LANGUAGES,
        error_messages={"required": _("Choose the language."), "invalid_choice": _("Choose the language.")},
    )
    csm = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Customer Success Manager"),
        required=False,
        empty_label=_("nobody"),
        error_messages={"invalid_choice": _("Choose a Customer Success Manager who can sign in.")},
    )

    class Meta:
        model = Customer
        fields = ("name", "city", "timezone", "language", "csm")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        managers: Any = self.fields["csm"]
        # Who looks after the company stays to be chosen, also when gone: an edit of the city changes nothing else.
        managers.queryset = User.objects.filter(Q(role=Role.CSM, is_active=True) | Q(pk=self.instance.csm_id)).order_by(
            "full_name"
        )

    def clean_name(self) -> str:
        """A company once, whatever its case and spaces."""
        name: str = self.cleaned_data["name"]
        others = [row for found in companies([name], lock=False).values() for row in found if row != self.instance]
        if others:
            raise forms.ValidationError(
                gettext("There is a customer “%(name)s” already."), params={"name": others[0].name}, code="twice"
            )
        return name


# Licences


class ReleaseField(forms.ModelChoiceField):
    """Releases by product, official ones first, the newest of them on top."""

    def label_from_instance(self, release: Any) -> str:
        words = str(release.version)
        return words if release.is_official else f"{words} — {gettext('not official')}"

    def group(self, releases: list[Release]) -> None:
        """Draws the choice: of one product a plain list, of several a group for each."""
        groups: dict[str, list[tuple[Any, str]]] = {}
        for release in releases:
            groups.setdefault(str(release.product), []).append((release.pk, self.label_from_instance(release)))
        rows: list[Any] = list(groups.items()) if len(groups) > 1 else [row for own in groups.values() for row in own]
        self.choices = [("", self.empty_label), *rows]


def releases_of(product: Product | None) -> list[Release]:
    """The releases to choose from: of the product, or of all where it is not chosen yet."""
    known = Release.objects.select_related("product").order_by(
        "product__name", "-is_official", "-released_on", "-version"
    )
    return list(known.filter(product=product) if product else known)


class LicenceForm(Described):
    """A licence as it is written down. For one that a signed contract covers see `SignedLicenceForm`."""

    product = forms.ModelChoiceField(
        Product.objects.order_by("name"),
        label=_("Product"),
        empty_label=_("Choose…"),
        error_messages={"required": _("Choose the product."), "invalid_choice": _("Choose the product.")},
    )
    deployment = forms.ChoiceField(
        label=_("Deployment"),
        choices=Deployment.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the deployment."), "invalid_choice": _("Choose the deployment.")},
    )
    seats = forms.IntegerField(
        label=_("Users"),
        min_value=1,
        max_value=2_147_483_647,
        error_messages={
            "required": _("Write how many users it is for."),
            "invalid": _("Write how many users it is for: a whole number from 1."),
            "min_value": _("A licence is for at least one user."),
            "max_value": _("These are more users than there are people: look at the number again."),
        },
    )
    cost = Money(
        label=_("Cost, EUR"),
        help_text=_("What the licence cost without support: 38400.00 or 38 400,00."),
        widget=forms.TextInput({"inputmode": "decimal", "autocomplete": "off"}),
        error_messages={"required": _("Write what the licence cost; 0 for a free one.")},
    )
    starts_on = Day(label=_("First day"), error_messages={"required": _("Write the first day.")})
    ends_on = Day(label=_("Last day"), help_text=_("Empty: without an end."), required=False)
    release = ReleaseField(
        Release.objects.all(),
        label=_("Installed release"),
        required=False,
        empty_label=_("not known"),
        error_messages={"invalid_choice": _("Choose the installed release from the list.")},
    )

    class Meta:
        model = Licence
        fields: tuple[str, ...] = ("product", "deployment", "cost", "seats", "starts_on", "ends_on", "release")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_releases()

    def offer_releases(self) -> None:
        """The releases of the chosen product, or of all products."""
        releases: Any = self.fields["release"]
        releases.group(releases_of(self.chosen_product()))

    def chosen_product(self) -> Product | None:
        if "product" not in self.fields:
            return self.instance.product
        typed = str(self["product"].value() or "")
        known = typed.isascii() and typed.isdigit() and len(typed) < 19
        return Product.objects.filter(pk=int(typed)).first() if known else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_on = cleaned.get("starts_on") or self.instance.starts_on
        ends_on, release = cleaned.get("ends_on"), cleaned.get("release")
        product = cleaned.get("product") or (self.instance.product_id and self.instance.product)
        if starts_on and ends_on and ends_on < starts_on:
            self.add_error(
                "ends_on",
                gettext("The last day is before the first, %(day)s.") % {"day": day_words(starts_on)},
            )
        if release is not None and product and release.product_id != product.pk:
            self.add_error(
                "release",
                gettext("%(release)s is a release of another product.") % {"release": release},
            )
        return cleaned


class NewLicenceForm(LicenceForm):
    """A licence that is bought now; `key` tells two clicks on one form from two licences."""

    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    another = forms.BooleanField(
        label=_("It is another licence, just like the one that was written down a moment ago"), required=False
    )

    class Meta(LicenceForm.Meta):
        pass

    def __init__(self, *args: Any, is_covered: bool, **kwargs: Any) -> None:
        """`is_covered`: the licence joins a signed contract, so its release must be known (domain §1.7.4)."""
        super().__init__(*args, **kwargs)
        release: Any = self.fields["release"]
        if is_covered:
            release.required, release.empty_label = True, gettext("Choose…")
            release.error_messages["required"] = gettext(
                "Choose the installed release: support is bought for an official one (§1.7.4)."
            )
            self.offer_releases()
        if not self.is_bound:
            self.initial.setdefault("key", secrets.token_hex(16))
            self.initial["seats"] = None  # nobody means the 1 that stands in the register for want of a number


class SignedLicenceForm(LicenceForm):
    """What may still change of a licence that a signed contract covers: its price stands (domain §1.1, §1.7.5)."""

    class Meta(LicenceForm.Meta):
        fields = ("release", "seats", "ends_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - set(self.Meta.fields):
            del self.fields[name]
        self.order_fields(self.Meta.fields)
        self.offer_releases()


def alike(licences: LicenceQuerySet, form: LicenceForm) -> LicenceQuerySet:
    """The licences that say the same as a valid form: product, deployment, cost and first day."""
    said = form.cleaned_data
    return licences.filter(**{name: said[name] for name in ("product", "deployment", "cost", "starts_on")})


# People


class PersonForm(ZoneMixin, Described):
    """A person of a customer. The address is how they sign in: it is given once."""

    full_name = OneLine(
        label=_("Full name"),
        max_length=160,
        error_messages={
            "required": _("Write the person's name."),
            "max_length": _("A name is at most %(limit_value)d characters."),
        },
    )
    position = OneLine(
        label=_("Position"),
        max_length=120,
        required=False,
        error_messages={"max_length": _("A position is at most %(limit_value)d characters.")},
    )
    phone = OneLine(
        label=_("Phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput({"type": "tel", "autocomplete": "off"}),
        error_messages={"max_length": _("A phone number is at most %(limit_value)d characters.")},
    )
    language = forms.ChoiceField(
        label=_("Language"),
        choices=LANGUAGES,
        error_messages={"required": _("Choose the language."), "invalid_choice": _("Choose the language.")},
    )
    timezone = _time_zone()

    class Meta:
        model = User
        fields: tuple[str, ...] = ("full_name", "phone", "language", "timezone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["full_name", "email", "position", "phone", "language", "timezone"])


class NewPersonForm(PersonForm):
    """Somebody to add to the people of `customer`; `as_contact` where nobody speaks for it yet."""

    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("It is how the person signs in and where letters go."),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off"}),
        error_messages={
            "required": _("Write the e-mail address."),
            "invalid": _("This is not an e-mail address."),
            "max_length": _("An address is at most %(limit_value)d characters."),
        },
    )
    as_contact = forms.BooleanField(label=_("Speaks for the customer: is its responsible contact"), required=False)

    class Meta(PersonForm.Meta):
        fields = ("full_name", "email", "phone", "language", "timezone")

    def __init__(self, *args: Any, customer: Customer, without_contact: bool, **kwargs: Any) -> None:
        self.customer = customer
        kwargs.setdefault("initial", {"language": customer.language, "timezone": customer.timezone, "as_contact": True})
        super().__init__(*args, **kwargs)
        if not without_contact:
            del self.fields["as_contact"]

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()
        taken = User.objects.filter(email__iexact=email).first()
        if taken is None:
            return email
        if CustomerMember.objects.filter(customer=self.customer, user=taken).exists():
            raise forms.ValidationError(
                gettext("%(name)s of this company has this address."), params={"name": taken.full_name}, code="member"
            )
        # Who and where is another company's own affair (domain §7).
        raise forms.ValidationError(gettext("This address belongs to somebody else."), code="taken")
