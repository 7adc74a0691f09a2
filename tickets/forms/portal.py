"""What a customer fills in on the portal. Forms check the shape of what was typed; the rules stand in the workflow.

Errors are the sentences that both the summary on top and the field show (direction §11). Nothing typed is lost: a
refused form is shown again as it came, except for files, which a browser never gives back.
"""

import secrets
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contracts.models import Licence, TicketKind, Topic
from tickets.files import LARGEST_KEY, FilesField, KeysField

SUBJECT_LENGTH = 200


def new_key() -> str:
    """The key of one form on one page: sent twice (a double click, Back and once more), it acts once."""
    return secrets.token_hex(16)


def clean_key(form: forms.Form) -> str:
    """The key that came with the form; a new one where it was lost, so that nothing is refused for it."""
    return form.cleaned_data.get("key") or new_key()


class DescribedForm(forms.Form):
    """A form whose fields look alike and tell a screen reader their hint and error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.RadioSelect | forms.CheckboxInput | forms.HiddenInput):
                field.widget.attrs.setdefault("class", "in")


IMPACTS = [
    ("1", _("The system does not work at all")),
    ("2", _("Main functions do not work")),
    ("3", _("Auxiliary functions do not work")),
    ("4", _("It does not get in the way of the work")),
]


class NewRequestForm(DescribedForm):
    """A new request: what happened, of which kind, how it hurts (domain §1.6 in plain words), about what."""

    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))
    subject = forms.CharField(
        label=_("What happened"),
        help_text=_("One line. For example: “Notices of new invoices do not arrive”"),
        max_length=SUBJECT_LENGTH,
        error_messages={
            "required": _("Write in one line what happened"),
            "max_length": _("One line is at most %(limit_value)d characters; put the rest into the details"),
        },
    )
    kind = forms.ChoiceField(
        label=_("What is it"),
        choices=[
            (TicketKind.INCIDENT, _("Something does not work")),
            (TicketKind.CONSULTATION, _("A question: how to do it")),
            (TicketKind.SERVICE_REQUEST, _("A request for a link, access or documentation")),
            (TicketKind.WISH, _("A wish for the product")),
        ],
        widget=forms.RadioSelect,
        initial=TicketKind.INCIDENT,
        error_messages={"required": _("Choose what it is"), "invalid_choice": _("Choose what it is")},
    )
    impact = forms.ChoiceField(
        label=_("How it gets in the way of the work"),
        choices=IMPACTS,
        widget=forms.RadioSelect,
        required=False,
        error_messages={"invalid_choice": _("Choose how it gets in the way of the work")},
    )
    no_other_way = forms.BooleanField(label=_("There is no other way to do it"), required=False)
    topic = forms.ModelChoiceField(
        label=_("What is it about"),
        queryset=Topic.objects.none(),
        required=False,
        empty_label=_("I do not know, decide for me"),
        error_messages={"invalid_choice": _("Choose what it is about from the list")},
    )
    installation = forms.ModelChoiceField(
        label=_("Product and version"),
        queryset=Licence.objects.none(),
        required=False,
        empty_label=_("Another, or I do not know"),
        error_messages={"invalid_choice": _("Choose the product from the list")},
    )
    body = forms.CharField(
        label=_("Details"),
        help_text=_("What you did, what you expected, what you saw. The whole text of the error."),
        widget=forms.Textarea(attrs={"rows": 7}),
        required=False,
        max_length=50_000,
        error_messages={"max_length": _("The details are too long: send the rest as a file")},
    )
    files = FilesField()  # type: ignore[assignment]
    pending = KeysField(required=False)

    def __init__(
        self,
        *args: Any,
        topics: Iterable[tuple[Topic, str]] = (),
        licences: Iterable[Licence] = (),
        groups: tuple[str, str, str] = ("", "", ""),
        **kwargs: Any,
    ) -> None:
        """`topics` each with the reason why it is not included ("" for included).

        `groups` name the included, the ones of a larger package, and those outside support.
        """
        super().__init__(*args, **kwargs)
        topics = list(topics)
        licences = list(licences)
        if not self.is_bound:
            self.initial.setdefault("key", new_key())
            if len(licences) == 1:
                self.initial.setdefault("installation", licences[0].pk)
        topic = self.fields["topic"]
        topic.widget.attrs["aria-describedby"] = "entitlement"
        topic.queryset = Topic.objects.filter(pk__in=[row.pk for row, _reason in topics])  # type: ignore[attr-defined]
        topic.choices = self._topic_choices(topic.empty_label, topics, groups)  # type: ignore[attr-defined]
        installation = self.fields["installation"]
        installation.queryset = Licence.objects.filter(pk__in=[row.pk for row in licences]).select_related(  # type: ignore[attr-defined]
            "product", "release__product"
        )
        installation.choices = [  # type: ignore[attr-defined]
            ("", installation.empty_label),  # type: ignore[attr-defined]
            *((row.pk, f"{row.product} {row.release.version if row.release else ''}".strip()) for row in licences),
        ]

    @staticmethod
    def _topic_choices(
        empty: Any, topics: list[tuple[Topic, str]], groups: tuple[str, str, str]
    ) -> list[tuple[Any, Any]]:
        included = [(row.pk, row.name) for row, reason in topics if not reason]
        missing = [(row.pk, row.name) for row, reason in topics if reason == "not_in_package"]
        outside = [(row.pk, row.name) for row, reason in topics if reason == "outside_support"]
        named = zip(groups, (included, missing, outside), strict=True)
        return [("", empty), *((name, rows) for name, rows in named if rows)]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("kind") == TicketKind.INCIDENT and "impact" not in self.errors and not cleaned.get("impact"):
            self.add_error("impact", _("Choose how it gets in the way of the work"))
        return cleaned

    @property
    def priority(self) -> int | None:
        """The answer as a priority: an incident only; one higher where there is no other way (domain §1.6)."""
        if self.cleaned_data["kind"] != TicketKind.INCIDENT:
            return None
        return priority_of(int(self.cleaned_data["impact"]), self.cleaned_data["no_other_way"])


def priority_of(impact: int, no_other_way: bool) -> int:
    """The priority of an effect; a function that cannot be performed in any other way counts one higher (§1.6)."""
    return impact - 1 if no_other_way and impact in {2, 3} else impact


class ReplyForm(DescribedForm):
    """The contact's answer in a request; `seen` is the last message that they saw."""

    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput(attrs={"autocomplete": "off"}))
    seen = forms.IntegerField(
        required=False, min_value=0, max_value=LARGEST_KEY, widget=forms.HiddenInput(attrs={"autocomplete": "off"})
    )
    body = forms.CharField(
        label=_("Your answer"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=50_000,
        error_messages={
            "required": _("Write a few words: an empty answer says nothing"),
            "max_length": _("The answer is too long: send the rest as a file"),
        },
    )
    files = FilesField()  # type: ignore[assignment]
    pending = KeysField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "reply_%s", **kwargs})
        if not self.is_bound:
            self.initial.setdefault("key", new_key())


class ReasonForm(DescribedForm):
    """One text: why. `about` makes its ids its own, where a page has several."""

    reason = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), max_length=10_000)

    def __init__(self, *args: Any, about: str, label: Any, error: Any, required: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"{about}_%s", **kwargs})
        field = self.fields["reason"]
        field.label, field.required = label, required
        field.error_messages["required"] = error


class PriorityForm(DescribedForm):
    """Another priority, said by its effect, and what has changed."""

    priority = forms.TypedChoiceField(
        label=_("How it gets in the way of the work now"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how it gets in the way of the work now"),
            "invalid_choice": _("Choose how it gets in the way of the work now"),
        },
    )
    reason = forms.CharField(
        label=_("What has changed"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=10_000,
        error_messages={"required": _("Write what has changed: the engineer reads it")},
    )

    def __init__(self, *args: Any, choices: Iterable[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "priority_%s", **kwargs})
        self.fields["priority"].choices = list(choices)  # type: ignore[attr-defined]


WHY = [
    ("slow", _("It takes too long")),
    ("help", _("The answers do not help")),
    ("harm", _("The damage to our business grows")),
]


class EscalateForm(DescribedForm):
    """Calling in the management: why, in one of three words and the customer's own, and whom (domain §4.4)."""

    why = forms.ChoiceField(
        label=_("What is wrong"),
        choices=WHY,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what is wrong"), "invalid_choice": _("Choose what is wrong")},
    )
    reason = forms.CharField(
        label=_("In your words"),
        help_text=_("Who you call in reads this first."),
        widget=forms.Textarea(attrs={"rows": 5}),
        max_length=10_000,
        error_messages={"required": _("Write in your words what is wrong: who you call in reads this first")},
    )
    whom = forms.ChoiceField(
        label=_("Whom to call in"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whom to call in"), "invalid_choice": _("Choose whom to call in")},
    )

    def __init__(self, *args: Any, choices: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "escalate_%s", **kwargs})
        self.fields["whom"].choices = list(choices)  # type: ignore[attr-defined]

    @property
    def words(self) -> str:
        """The reason as one text: the chosen words, then the customer's own."""
        return f"{dict(WHY)[self.cleaned_data['why']]}. {self.cleaned_data['reason']}"


class RateForm(DescribedForm):
    """The customer's rating of the work, 1 to 5, and a comment (domain §6)."""

    score = forms.TypedChoiceField(
        label=_("Your mark"),
        choices=[(number, str(number)) for number in range(1, 6)],
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose a number from 1 to 5"),
            "invalid_choice": _("Choose a number from 1 to 5"),
        },
    )
    comment = forms.CharField(
        label=_("What was good, what was not"),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        max_length=10_000,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "rate_%s", **kwargs})
