"""What is filled in to agree on another deadline (domain §4.2). The rules stand in the verbs."""

from datetime import datetime, tzinfo
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sla import words
from tickets import deadline_page
from tickets.forms.desk import TicketForm
from tickets.forms.people import MomentInput
from tickets.forms.portal import DescribedForm
from tickets.models import Ticket

SLIP = _("Write a day and an hour, for example 2026-12-07 09:00")


class ZonedMomentField(forms.DateTimeField):
    """A moment on the clocks of one zone, whatever zone is active: the vendor's people write Moscow time."""

    zone: tzinfo | None = None

    def prepare_value(self, value: Any) -> Any:
        with timezone.override(self.zone):
            return super().prepare_value(value)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(self.zone):
            return super().to_python(value)


class ProposalForm(DescribedForm):
    """Another deadline and why. `hint` tells the present one and the hours it may lie in."""

    due_at = ZonedMomentField(
        label=_("New deadline"),
        widget=MomentInput(),
        error_messages={"required": _("Choose a day and an hour"), "invalid": SLIP},
    )
    reason = forms.CharField(
        label=_("Why"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2_000,
        error_messages={
            "required": _("Write why: the other side decides by it."),
            "max_length": _("The reason is at most %(limit_value)d characters"),
        },
    )

    def __init__(self, *args: Any, zone: tzinfo, hint: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "deadline_%s", **kwargs})
        field: Any = self.fields["due_at"]
        field.zone = zone
        field.help_text = hint


class AnswerForm(DescribedForm):
    """A yes, or taking it back: which proposal the person saw."""

    proposal = forms.IntegerField(widget=forms.HiddenInput, min_value=1)


class RefusalForm(AnswerForm):
    """A no, with words."""

    words = forms.CharField(
        label=_("Why not"),
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=2_000,
        error_messages={
            "required": _("Write why not: the other side reads it."),
            "max_length": _("At most %(limit_value)d characters"),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "refusal_%s", **kwargs})


class ProposeDeadlineForm(TicketForm, ProposalForm):
    """The same beside a ticket at the desk, in Moscow time."""

    def __init__(self, data: Any = None, files: Any = None, *, ticket: Ticket) -> None:
        self.ticket = ticket
        now = timezone.now()
        clock = deadline_page.clock_of(ticket)
        hint = deadline_page.hint(clock, now=now, zone=words.MOSCOW) if clock is not None else ""
        ProposalForm.__init__(self, data, zone=words.MOSCOW, hint=hint)


class AnswerDeadlineForm(TicketForm, AnswerForm):
    """Our yes, or taking our own proposal back."""


class RefuseDeadlineForm(TicketForm, RefusalForm):
    """Our no, with words."""

    def __init__(self, data: Any = None, files: Any = None, *, ticket: Ticket) -> None:
        self.ticket = ticket
        RefusalForm.__init__(self, data)
