"""What is written in a macro."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Line, User
from tickets import macros
from tickets.models import Macro
from tickets.models.macros import KEEPERS

MINE, ALL = "mine", "all"


class MacroForm(forms.ModelForm):
    """A macro; `scope` says whose it is: one's own, everybody's, or a line's. Only leads and the manager share."""

    use_required_attribute = False
    scope = forms.ChoiceField(label=gettext_lazy("Who is offered it"))

    class Meta:
        model = Macro
        fields = (
            "title",
            "kind",
            "body_ru",
            "body_en",
            "priority",
            "resolves",
            "to_line",
            "known",
            "asked",
            "position",
            "is_active",
        )
        widgets = {
            "title": forms.TextInput({"class": "in"}),
            "body_ru": forms.Textarea({"rows": 7, "class": "in"}),
            "body_en": forms.Textarea({"rows": 7, "class": "in"}),
            "known": forms.Textarea({"rows": 2, "class": "in"}),
            "asked": forms.Textarea({"rows": 2, "class": "in"}),
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        choices = [(MINE, _("only me"))]
        if user.role in KEEPERS:
            lines = [
                (str(line.pk), _("line %(line)d: %(name)s") % {"line": line.pk, "name": line.name})
                for line in Line.objects.order_by("number")
            ]
            choices = [(ALL, _("everybody")), *lines, *choices]
        scope: Any = self.fields["scope"]
        scope.choices = choices
        if self.instance.pk and self.instance.owner_id is None:
            scope.initial = str(self.instance.line_id or ALL)
        priority: Any = self.fields["priority"]
        priority.choices = [("", _("leave it")), *((code, label) for code, label in priority.choices if code)]
        to_line: Any = self.fields["to_line"]
        to_line.empty_label = _("nowhere")
        self.fields["title"].error_messages["required"] = _("Give the macro a title.")
        self.fields["body_ru"].error_messages["required"] = _("Write what the macro says.")

    def _known_variables(self, name: str) -> str:
        text = self.cleaned_data[name]
        if wrong := macros.unknown(text):
            raise forms.ValidationError(
                _("There is no variable “%(name)s”. There are: %(known)s.")
                % {"name": wrong[0].whole, "known": ", ".join(macros.VARIABLES)}
            )
        return text

    def clean_body_ru(self) -> str:
        return self._known_variables("body_ru")

    def clean_body_en(self) -> str:
        return self._known_variables("body_en")

    def clean_known(self) -> str:
        return self._known_variables("known")

    def clean_asked(self) -> str:
        return self._known_variables("asked")

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if said.get("resolves") and said.get("kind") != Macro.Kind.REPLY:
            self.add_error("resolves", _("Only a reply to the customer can say that it is solved."))
        if said.get("to_line") is not None:
            if said.get("resolves") or said.get("kind") == Macro.Kind.QUESTION:
                self.add_error("to_line", _("What is solved or waits for the customer is not handed over."))
            for name in ("known", "asked"):
                if not said.get(name) and name not in self.errors:
                    self.add_error(name, _("The next line needs it: a hand-over says what is known and what is asked."))
        return said

    def save(self, commit: bool = True) -> Macro:
        macro: Macro = super().save(commit=False)
        scope = self.cleaned_data["scope"]
        if scope == MINE:
            # A macro that was everybody's becomes the own one of who says so; another person's own is never seen here.
            macro.owner, macro.line = self.user, None
        else:
            macro.owner, macro.line_id = None, None if scope == ALL else int(scope)
        if commit:
            macro.save()
        return macro
