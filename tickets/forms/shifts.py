"""Shifts, changes of single days and skills as forms; the rules are `accounts/planning.py`, the hours Moscow's."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Choosing, User
from accounts.one_of import OneOf
from contracts.models import Product
from sla.calendars import minute_of, weekday
from sla.forms.absences import WRITTEN, MoscowMoment
from tickets.models import Skill

DAY = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
WRITTEN_DAY = {"invalid": _("Write the day as 2027-01-31."), "required": _("Name the day.")}


class Clock(forms.CharField):
    """A minute of the day from "09:00"; "24:00" is midnight."""

    def clean(self, value: Any) -> int | None:
        found = minute_of(super().clean(value))
        if found is None:
            raise forms.ValidationError(_("Write the hours of a shift as 09:00–18:00."))
        return found


class OfLine(forms.Form):
    """A form about the people of a line."""

    use_required_attribute = False

    def __init__(self, *args: Any, people: Any, **kwargs: Any) -> None:
        kwargs["auto_id"] = f"{type(self).__name__.removesuffix('Form').lower()}_%s"
        super().__init__(*args, **kwargs)
        for name in ("person", "instead"):
            if name in self.fields:
                field: Any = self.fields[name]
                field.queryset = people


def somebody(label: Any, **more: Any) -> OneOf:
    return OneOf(User.objects.none(), label=label, error_messages={"required": _("Choose the person.")}, **more)


class PatternForm(OfLine):
    """Every week on these days from this hour to that one."""

    person = somebody(_("Who"))
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        coerce=int,
        choices=lambda: [(number, weekday(number)) for number in range(7)],
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose the weekdays.")},
    )
    starts = Clock(label=_("From, Moscow time"), initial="09:00", max_length=5)
    ends = Clock(
        label=_("Until, Moscow time"),
        initial="18:00",
        max_length=5,
        help_text=_("Not after the beginning: of the next day. 24:00 is midnight."),
    )
    since = forms.DateField(label=_("First day"), widget=DAY, error_messages=WRITTEN_DAY)
    until = forms.DateField(label=_("Last day"), widget=DAY, required=False, error_messages=WRITTEN_DAY)


class ExtraForm(OfLine):
    """One more shift."""

    person = somebody(_("Who"))
    starts_at = MoscowMoment(label=_("From, Moscow time"), error_messages=WRITTEN)
    ends_at = MoscowMoment(label=_("Until, Moscow time"), error_messages=WRITTEN)


class DayOffForm(OfLine):
    """A day not worked, or worked by a colleague."""

    person = somebody(_("Who"))
    on = forms.DateField(label=_("Day"), widget=DAY, error_messages=WRITTEN_DAY)
    instead = somebody(_("Works instead"), required=False, empty_label=_("nobody"))
    reason = forms.CharField(label=_("Reason"), required=False, max_length=120)

    def clean_reason(self) -> str:
        return self.cleaned_data["reason"].replace("\0", "").strip()


class ChoosingForm(forms.Form):
    """What the desk does about who is next on a line."""

    choosing = forms.ChoiceField(label=_("Who is next"), choices=Choosing.choices, widget=forms.RadioSelect)


class SkillsForm(forms.Form):
    """How well each person of a line knows each product: a choice for each pair, named by both keys."""

    LEVELS = [("0", pgettext_lazy("skill", "not yet")), *((str(code), label) for code, label in Skill.Level.choices)]

    def __init__(self, data: Any = None, *, people: list[User], products: list[Product], known: dict) -> None:
        super().__init__(data, auto_id="skill_%s")
        for person in people:
            for product in products:
                self.fields[f"{person.pk}_{product.pk}"] = forms.ChoiceField(
                    choices=self.LEVELS,
                    initial=str(known.get((person.pk, product.pk), 0)),
                    label=f"{person.full_name}, {product.name}",
                )
