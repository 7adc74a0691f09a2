"""What a saved view is called and who sees it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Line
from tickets.models import SavedView


class ViewForm(forms.Form):
    """A saved view: its name, its readers, its place among one's own."""

    use_required_attribute = False
    name = forms.CharField(label=_("Name"), max_length=60, error_messages={"required": _("Give the view a name.")})
    shared = forms.ChoiceField(label=_("Who sees it"), choices=SavedView.Shared.choices, initial=SavedView.Shared.ME)
    line = forms.TypedChoiceField(label=_("Line"), coerce=int, required=False, empty_value=None)
    position = forms.IntegerField(label=_("Place in the list"), min_value=0, max_value=999, required=False, initial=0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["line"]
        field.choices = [("", "—")] + [(line.pk, f"{line.pk}. {line.name}") for line in Line.objects.order_by("number")]

    def clean_position(self) -> int:
        return self.cleaned_data["position"] or 0

    def clean(self) -> dict[str, Any] | None:
        said = super().clean()
        if said and said.get("shared") == SavedView.Shared.LINE and said.get("line") is None:
            self.add_error("line", _("Choose the line that sees the view."))
        return said
