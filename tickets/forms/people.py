"""What is filled in to change the responsible contact, and to settle what is held. The rules stand in the verbs."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from tickets.forms.portal import DescribedForm
from tickets.models import HeldRequest

AHEAD = timedelta(days=3 * 365)  # further off nobody plans a holiday: it is a slip of the pen


class MomentInput(forms.DateTimeInput):
    """The browser's own choice of a day and an hour."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


def moment_field(label: Any, hint: Any) -> forms.DateTimeField:
    """A moment that may be left out; read in the time zone that is active."""
    return forms.DateTimeField(
        label=label,
        help_text=hint,
        required=False,
        widget=MomentInput(),
        error_messages={"invalid": _("Write a day and an hour, for example 2026-12-07 09:00")},
    )


class ChangeForm(DescribedForm):
    """Another responsible contact: who, from when, until when, and why (domain §2)."""

    user = forms.ModelChoiceField(
        label=_("Who takes over"),
        queryset=User.objects.none(),
        empty_label=_("Choose a person"),
        error_messages={
            "required": _("Choose who takes over"),
            "invalid_choice": _("Choose one of the company's people from the list"),
        },
    )
    starts_at = moment_field(_("From when"), _("Leave it empty for: at once, as soon as both sides agree."))
    ends_at = moment_field(
        _("Until when"), _("For a holiday or an illness: the contact before comes back then by itself.")
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("For example: a holiday, leaves the company. Both sides read it."),
        max_length=200,
        error_messages={
            "required": _("Write why the contact changes"),
            "max_length": _("The reason is at most %(limit_value)d characters"),
        },
    )

    def __init__(self, *args: Any, people: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now
        self.fields["user"].queryset = people  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts, ends = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts and starts < self.now:
            self.add_error("starts_at", _("This moment has passed: choose a later one, or leave it empty"))
        if ends and ends <= (starts or self.now):
            self.add_error("ends_at", _("The end must be after the beginning"))
        for name, moment in (("starts_at", starts), ("ends_at", ends)):
            if moment and moment > self.now + AHEAD and name not in self.errors:
                self.add_error(name, _("This is more than three years ahead: check the year"))
        return cleaned


class VendorChangeForm(ChangeForm):
    """The contract administrator asks; with evidence where the contact cannot be reached."""

    evidence = forms.CharField(
        label=_("How the company said yes, where the contact cannot be reached"),
        help_text=_("The paper or letter: its date and who signed it. With it the change is made now."),
        max_length=300,
        required=False,
        error_messages={"max_length": _("At most %(limit_value)d characters")},
    )


class WordsForm(DescribedForm):
    """One line of words; `about` makes its id its own where a page has several."""

    words = forms.CharField(max_length=300)

    def __init__(
        self, *args: Any, about: str, label: Any, error: Any, hint: Any = "", required: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"auto_id": f"{about}_%s", **kwargs})
        field = self.fields["words"]
        field.label, field.help_text, field.required = label, hint, required
        field.error_messages.update({"required": error, "max_length": _("At most %(limit_value)d characters")})


class SettleForm(DescribedForm):
    """How a held request was settled, and the words of it (domain §2)."""

    outcome = forms.ChoiceField(
        label=_("How it was settled"),
        choices=[
            (HeldRequest.Outcome.ANSWERED, _("The sender was answered")),
            (HeldRequest.Outcome.BY_HAND, _("A request was opened by hand")),
        ],
        widget=forms.RadioSelect,
        initial=HeldRequest.Outcome.ANSWERED,
        error_messages={
            "required": _("Choose how it was settled"),
            "invalid_choice": _("Choose how it was settled"),
        },
    )
    words = forms.CharField(
        label=_("In words"),
        help_text=_("Whoever asks next reads it; it goes to nobody."),
        max_length=500,
        error_messages={
            "required": _("Write how it was settled"),
            "max_length": _("At most %(limit_value)d characters"),
        },
    )

    def __init__(self, *args: Any, about: str, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"{about}_%s", **kwargs})
