"""What the desk fills in to tie tickets together, and to write down time."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets.durations import minutes_of
from tickets.forms.desk import TicketForm, new_key
from tickets.models import Message, Priority, Ticket, TicketLink


class NumberField(forms.CharField):
    """The number of a ticket, "№ 10 471" or plain; cleaned to the ticket. Another company's is one like any other."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput({"class": "in", "inputmode": "numeric", "autocomplete": "off"})
        super().__init__(max_length=40, widget=widget, **{"label": gettext_lazy("Number of the request"), **kwargs})

    def clean(self, value: Any) -> Ticket:
        typed = super().clean(value)
        digits = "".join(sign for sign in typed if sign.isascii() and sign.isdigit())
        found = Ticket.objects.filter(number=int(digits)).first() if 0 < len(digits) < 16 else None
        if found is None:
            raise forms.ValidationError(_("There is no request with this number."), code="missing")
        return found


MISSING_NUMBER = {"required": gettext_lazy("Write the number of the other request.")}


class LinkForm(TicketForm):
    kind = forms.ChoiceField(label=gettext_lazy("This request"))
    to = NumberField(error_messages=MISSING_NUMBER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["kind"]
        field.choices = [(kind.value, kind.label) for kind in TicketLink.CHOSEN]


class MergeForm(TicketForm):
    into = NumberField(error_messages=MISSING_NUMBER)


class MinutesField(forms.CharField):
    """Time as people type it, cleaned to minutes (`durations.minutes_of`); 0 where it may be left empty and was."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=20,
            label=gettext_lazy("Time spent"),
            error_messages={"required": gettext_lazy("Write how long it took.")},
            widget=forms.TextInput({"class": "in", "autocomplete": "off", "placeholder": "1:30"}),
            **kwargs,
        )

    def clean(self, value: Any) -> int:
        typed = super().clean(value)
        if not typed:
            return 0
        minutes = minutes_of(typed)
        if not minutes:
            raise forms.ValidationError(_("Write the time as 12, 1:30 or 1 h 20 min."), code="no_time")
        return minutes


class TimeForm(TicketForm):
    minutes = MinutesField()
    note = forms.CharField(
        label=gettext_lazy("What for"), required=False, max_length=200, widget=forms.TextInput({"class": "in"})
    )
    key = forms.CharField(max_length=64, required=False, initial=new_key, widget=forms.HiddenInput)


class SplitForm(TicketForm):
    """Which messages, what the new request is about, and how it hinders."""

    messages = forms.ModelMultipleChoiceField(
        Message.objects.none(), error_messages={"required": gettext_lazy("Choose at least one message.")}
    )
    subject = forms.CharField(
        label=gettext_lazy("What the new request is about"),
        max_length=200,
        error_messages={"required": gettext_lazy("Say in one line what the new request is about.")},
        widget=forms.TextInput({"class": "in"}),
    )
    priority = forms.TypedChoiceField(label=gettext_lazy("Priority"), coerce=int)
    key = forms.CharField(max_length=64, required=False, initial=new_key, widget=forms.HiddenInput)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, ticket=ticket, initial={"priority": ticket.priority}, **kwargs)
        priority: Any = self.fields["priority"]
        priority.choices = [(code, f"{code}. {label}") for code, label in Priority.choices]
        chosen: Any = self.fields["messages"]
        chosen.queryset = ticket.messages.all()
