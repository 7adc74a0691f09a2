"""What an engineer fills in. A form says which words are missing; whether a move is allowed the workflow says."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.forms.renderers import Jinja2
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import DESK_ROLES, Line, User
from contracts.models import TicketKind
from tickets import choosing
from tickets.files import LARGEST_KEY, FilesField, KeysField
from tickets.forms.colleagues import PersonField
from tickets.models import Defect, Priority, Ticket
from tickets.workflow import AFTER, CALLED_BY_DESK

DRAWN_FAST = Jinja2()
SUGGESTED = 15  # known defects beside a ticket


def new_key() -> str:
    """A key for one rendering of a form: sent twice, it says a thing once."""
    return str(uuid4())


class TicketForm(forms.Form):
    """A form beside a ticket. Its ids begin with its prefix, since many of them stand on one page."""

    use_required_attribute = False
    # Two dozen fields stand in the menus of a ticket: Django's own templates for Jinja2 draw the same for a third.
    default_renderer = DRAWN_FAST

    @classmethod
    def leans_on(cls, ticket: Ticket, **asks: Any) -> tuple[Any, ...] | None:
        """What the empty form follows from besides the language, as `blank_forms` asks; `asks`: its own arguments.

        Two of the same look the same. None where it follows from more than can be told, as from the time.
        """
        return None

    def __init__(self, data: Any = None, files: Any = None, *, ticket: Ticket, **kwargs: Any) -> None:
        self.ticket = ticket
        super().__init__(data, files, auto_id=f"{type(self).__name__.removesuffix('Form').lower()}_%s", **kwargs)


class PlainForm(TicketForm):
    """A form that is the same beside every ticket."""

    @classmethod
    def leans_on(cls, ticket: Ticket, **asks: Any) -> tuple[Any, ...]:
        return ()


def text(label: Any, missing: Any = None, **attrs: Any) -> forms.CharField:
    """A text of several lines; `missing` is what is said when it is empty, None where it may be."""
    return forms.CharField(
        label=label,
        required=missing is not None,
        error_messages={"required": missing} if missing else {},
        widget=forms.Textarea({"rows": 3, "class": "in", **attrs}),
    )


class MessageForm(TicketForm):
    """The composer: to the customer, a question to the customer, or a note among ourselves."""

    REPLY, NOTE, QUESTION = "reply", "note", "question"
    KINDS = [
        (REPLY, _("Reply to the customer")),
        (NOTE, _("Internal note")),
        (QUESTION, _("Ask the customer")),
    ]
    kind = forms.ChoiceField(
        choices=KINDS, initial=REPLY, error_messages={"required": _("Choose who will read it.")}, label=_("For whom")
    )
    body = text(_("Text"), _("Write a few words: an empty message says nothing."), placeholder=_("Your reply or note"))
    attachments = FilesField()
    pending = KeysField(required=False)
    then = forms.ChoiceField(choices=[(code, code) for code in ("", *AFTER)], required=False)
    macro = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_KEY)
    seen = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_KEY)
    key = forms.CharField(max_length=64, required=False, initial=new_key, widget=forms.HiddenInput)


class DraftForm(forms.Form):
    """The composer as it is kept from time to time; `base` is the draft that the window began from, "" for none."""

    kind = forms.ChoiceField(choices=MessageForm.KINDS)
    body = forms.CharField(max_length=200_000, required=False, strip=False)
    key = forms.CharField(max_length=64, required=False)
    base = forms.DateTimeField(required=False, input_formats=["iso8601"])
    macro = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_KEY)


class HandOverForm(TicketForm):
    """To another line: what is known, what was tried, what is asked (domain §3.3)."""

    to_line = forms.TypedChoiceField(
        label=_("To the line"), coerce=int, error_messages={"required": _("Choose the line.")}, widget=forms.RadioSelect
    )
    known = text(_("What is known"), _("Write what is known: the next line starts from it."), rows=2)
    tried = text(_("What was tried"), rows=2)
    asked = text(_("What is asked"), _("Write what you ask the next line to do."), rows=2)

    @classmethod
    def leans_on(cls, ticket: Ticket, **asks: Any) -> tuple[Any, ...]:
        return ticket.line_id, *((line.pk, line.name) for line in asks["lines"])

    def __init__(self, *args: Any, lines: list[Line], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["to_line"]
        field.choices = [(line.pk, f"{line.pk}. {line.name}") for line in lines if line.pk != self.ticket.line_id]


class CallInForm(PlainForm):
    """Somebody above is called in (direction §6.1)."""

    whom = forms.ChoiceField(
        label=_("Who is needed"),
        choices=[(whom.value, whom.label) for whom in CALLED_BY_DESK],
        error_messages={"required": _("Choose who is needed.")},
        widget=forms.RadioSelect,
    )
    reason = text(_("Why"), _("Write why: the person you call in reads it first."))


class ReturnForm(PlainForm):
    """The receiving line gives the request back (domain §3.3)."""

    reason = text(_("Why it goes back"), _("Write why the line returns the request."))


class DefectForm(TicketForm):
    """A known defect, or a new one with its steps (domain §3.3)."""

    defect = forms.ModelChoiceField(
        Defect.objects.none(), label=_("Known defect"), required=False, empty_label=_("a new one, described below")
    )
    title = forms.CharField(
        label=_("Title"), max_length=200, error_messages={"required": _("Give the defect a title.")}
    )
    steps = text(_("Steps"), _("Write the steps that show the defect."), rows=2)
    expected = text(_("What was expected"), _("Write what was expected."), rows=2)
    actual = text(_("What happened instead"), _("Write what happened instead."), rows=2)

    @classmethod
    def leans_on(cls, ticket: Ticket, **asks: Any) -> tuple[Any, ...] | None:
        return None if asks["newest"] is None else tuple((defect.pk, defect.title) for defect in asks["newest"])

    def __init__(self, *args: Any, newest: Iterable[Defect] | None = None, **kwargs: Any) -> None:
        """`newest` are the defects that are offered, where they are at hand."""
        super().__init__(*args, **kwargs)
        known: Any = self.fields["defect"]
        known.queryset = Defect.objects.exclude(state=Defect.State.REJECTED)
        # The newest of the ticket's product are offered here; a page of its own finds any other by its title.
        if newest is None:
            newest = known.queryset.filter(product=self.ticket.product_id).order_by("-pk")[:SUGGESTED]
        known.widget.choices = [("", known.empty_label), *((defect.pk, defect.title) for defect in newest)]
        if self.data.get("defect"):  # a known one is described already
            for name in ("title", "steps", "expected", "actual"):
                self.fields[name].required = False


class DeclareForm(TicketForm):
    """A major incident begins: its name, and why it is one."""

    title = forms.CharField(
        label=_("Name of the disturbance"),
        max_length=200,
        error_messages={"required": _("Name the disturbance in one line.")},
        widget=forms.TextInput({"class": "in"}),
    )
    reason = text(
        _("Why it is a major incident"), _("Write why it is a major incident: who and what is affected."), rows=2
    )

    @classmethod
    def leans_on(cls, ticket: Ticket, **asks: Any) -> tuple[Any, ...]:
        return (ticket.subject,)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, ticket=ticket, initial={"title": ticket.subject}, **kwargs)


class RestoreForm(PlainForm):
    """Service is back: priority 1 or 2 becomes 3 or 4 (domain §3.4)."""

    to_priority = forms.TypedChoiceField(
        label=_("Priority from now on"), coerce=int, choices=[(3, "3"), (4, "4")], initial=3, widget=forms.RadioSelect
    )
    workaround = text(_("How service came back"), _("Name the workaround: it is the evidence that service is back."))


class ReclassifyForm(TicketForm):
    """The classification was wrong (domain §3.4)."""

    priority = forms.TypedChoiceField(label=_("Priority"), coerce=int)
    kind = forms.ChoiceField(label=_("Kind"), choices=TicketKind.choices)
    reason = text(_("Why"), _("Write why the classification was wrong."))

    @classmethod
    def leans_on(cls, ticket: Ticket, **asks: Any) -> tuple[Any, ...]:
        return ticket.proposed_priority or ticket.priority, ticket.kind

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        # What the customer asks for is offered; else things as they are.
        initial = {"priority": ticket.proposed_priority or ticket.priority, "kind": ticket.kind}
        super().__init__(*args, ticket=ticket, initial=initial, **kwargs)
        field: Any = self.fields["priority"]
        field.choices = [(code, f"{code}. {label}") for code, label in Priority.choices]


class ResolveForm(PlainForm):
    """It is solved, and how: the customer confirms it by these words (domain §3.2)."""

    body = text(_("How it was solved"), _("Write how it was solved: the customer confirms it by that."))
    seen = forms.IntegerField(required=False, min_value=0, max_value=LARGEST_KEY, widget=forms.HiddenInput)
    key = forms.CharField(max_length=64, required=False, initial=new_key, widget=forms.HiddenInput)


class FollowUpForm(TicketForm):
    """What goes on after a closed request, in a new one (domain §3.2)."""

    subject = forms.CharField(
        label=_("What the new request is about"),
        max_length=200,
        error_messages={"required": _("Say in one line what the new request is about.")},
        widget=forms.TextInput({"class": "in"}),
    )
    body = text(_("To the customer"), _("Write what the follow-up is about: the customer reads it."))
    key = forms.CharField(max_length=64, required=False, initial=new_key, widget=forms.HiddenInput)

    @classmethod
    def leans_on(cls, ticket: Ticket, **asks: Any) -> tuple[Any, ...]:
        return (ticket.subject,)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, ticket=ticket, initial={"subject": ticket.subject}, **kwargs)


class DeclineForm(PlainForm):
    """Outside support, with the condition named (domain §1.7.2)."""

    reason = text(
        _("Which condition puts it outside support"),
        _("Name the condition that puts the request outside support."),
    )


class AssignForm(TicketForm):
    """A lead gives the request to a person (domain §7)."""

    to = PersonField(label=_("To whom"), error_messages={"required": _("Choose the person.")})

    def __init__(self, *args: Any, ranking: Sequence[dict] = (), **kwargs: Any) -> None:
        """`ranking` are the reasons of who may be next (`choosing.facts`), the best first: they stand on top."""
        super().__init__(*args, **kwargs)
        people: Any = self.fields["to"]
        people.offer(User.objects.filter(role__in=DESK_ROLES, is_active=True, lines=self.ticket.line_id).distinct())
        if not ranking:
            return
        now = timezone.now()
        best = {one["person"]: place for place, one in enumerate(ranking)}
        chosen = [(pk, label) for pk, label in people.choices if pk]
        known = {int(str(pk)) for pk, _label in chosen}
        label = {one["person"]: f"{one['name']}: {choosing.sentence(one, at=now)}" for one in ranking}
        chosen.sort(key=lambda choice: best.get(int(str(choice[0])), len(best)))
        people.choices = [(pk, label.get(int(str(pk)), name)) for pk, name in chosen]
        if ranking[0]["person"] in known:
            people.initial = ranking[0]["person"]
        people.help_text = _("Next: %(name)s. %(reasons)s") % {
            "name": ranking[0]["name"],
            "reasons": choosing.sentence(ranking[0], at=now),
        }


class ReopenForm(PlainForm):
    """Not solved after all (domain §3.2)."""

    reason = text(_("What still does not work"), _("Write what still does not work."))
