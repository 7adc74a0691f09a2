"""What is filled in once for many tickets: which words are missing; each ticket's rules the workflow says."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import DESK_ROLES, Line, Role, User
from tickets.forms.colleagues import PersonField
from tickets.forms.desk import text
from tickets.models import BulkRun, Priority

Act = BulkRun.Act


class BulkForm(forms.Form):
    """A form of an act; `said` is what the run keeps of it. `lines` are those of the requests that it is done to."""

    use_required_attribute = False

    def __init__(self, data: Any = None, *, by: User, lines: Sequence[int] = ()) -> None:
        self.by, self.lines = by, lines
        super().__init__(data, auto_id="bulk_%s")

    @property
    def said(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class AssignManyForm(BulkForm):
    """A lead or the manager gives requests to a person; an engineer takes them."""

    to = PersonField(label=_("To whom"), error_messages={"required": _("Choose the person.")})

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.filter(role__in=DESK_ROLES, is_active=True)
        if self.by.role not in {Role.LINE_LEAD, Role.SUPPORT_MANAGER}:
            people = people.filter(pk=self.by.pk)
        field: Any = self.fields["to"]
        field.offer_by_line(people, self.lines)
        field.initial = self.by.pk

    @property
    def said(self) -> dict[str, Any]:
        return {"to": self.cleaned_data["to"].pk}


class HandManyOverForm(BulkForm):
    """To another line: what is known, what was tried, what is asked (domain §3.3)."""

    to_line = forms.TypedChoiceField(
        label=_("To the line"), coerce=int, error_messages={"required": _("Choose the line.")}
    )
    known = text(_("What is known"), _("Write what is known: the next line starts from it."), rows=2)
    tried = text(_("What was tried"), rows=2)
    asked = text(_("What is asked"), _("Write what you ask the next line to do."), rows=2)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to_line"]
        field.choices = [(line.pk, f"{line.pk}. {line.name}") for line in Line.objects.order_by("number")]


class PriorityOfManyForm(BulkForm):
    """The classification was wrong (domain §3.4)."""

    priority = forms.TypedChoiceField(
        label=_("Priority"), coerce=int, choices=[(code, f"{code}. {label}") for code, label in Priority.choices]
    )
    reason = text(_("Why"), _("Write why the classification was wrong."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["priority"]
        field.choices = [(code, f"{code}. {label}") for code, label in Priority.choices]


class NoteManyForm(BulkForm):
    body = text(_("Internal note"), _("Write a few words: an empty message says nothing."))


class AskManyForm(BulkForm):
    body = text(_("Question to the customers"), _("Write a few words: an empty message says nothing."))


class ResolveManyForm(BulkForm):
    body = text(_("How it was solved"), _("Write how it was solved: the customer confirms it by that."))


FORMS: dict[str, type[BulkForm]] = {
    Act.ASSIGN: AssignManyForm,
    Act.HAND_OVER: HandManyOverForm,
    Act.PRIORITY: PriorityOfManyForm,
    Act.NOTE: NoteManyForm,
    Act.ASK: AskManyForm,
    Act.RESOLVE: ResolveManyForm,
}
