"""An absence as a form: who, from when until when, who stands in (domain §4.4). Moments are of Moscow."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.absences import AbsenceRefused, looked_after_by, stand_ins
from accounts.models import User
from accounts.one_of import OneOf
from sla.ladder import MOSCOW


class MoscowMoment(forms.DateTimeField):
    """A moment of Moscow's wall clock, whoever reads the page: the vendor's people count in it (direction §15)."""

    widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value.astimezone(MOSCOW).replace(tzinfo=None) if isinstance(value, datetime) else value

    def clean(self, value: Any) -> datetime | None:
        found = super().clean(value)
        return found.replace(tzinfo=MOSCOW) if found is not None else None

    def to_python(self, value: Any) -> datetime | None:
        """Naive, whatever the active zone is: `clean` says whose it is."""
        if value in self.empty_values:
            return None
        for pattern in self.input_formats or ():
            try:
                return datetime.strptime(str(value).strip(), str(pattern))  # noqa: DTZ007
            except ValueError:
                continue
        raise forms.ValidationError(self.error_messages["invalid"], code="invalid")


WRITTEN = {"invalid": _("Write the moment as 2027-01-31 09:00."), "required": _("Name the moment.")}


class PersonChoice(OneOf):
    def label_from_instance(self, person: User) -> str:
        return f"{person.full_name}, {person.get_role_display()}"


class AbsenceForm(forms.Form):
    """The rules are `accounts.absences.plan_absence`; nothing here is written."""

    use_required_attribute = False

    user = PersonChoice(
        queryset=User.objects.none(), label=_("Who is away"), error_messages={"required": _("Choose the person.")}
    )
    starts_at = MoscowMoment(label=_("From, Moscow time"), error_messages=WRITTEN)
    ends_at = MoscowMoment(label=_("Until, Moscow time"), error_messages=WRITTEN)
    substitute = PersonChoice(
        queryset=User.objects.none(),
        label=_("Stood in for by"),
        required=False,
        empty_label=_("another of the same role"),
        help_text=_("Is called in by the ladder instead, and may answer what the person away may."),
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=120)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people: Any = self.fields["user"]
        people.queryset = looked_after_by(by)
        substitutes: Any = self.fields["substitute"]
        substitutes.queryset = stand_ins()

    def clean_reason(self) -> str:
        return self.cleaned_data["reason"].replace("\0", "").strip()

    def refuse(self, refusal: AbsenceRefused) -> None:
        for problem in refusal.problems:
            self.add_error(problem.field or None, problem.message)
