"""Forms about a closed month: words of a dispute, of an answer, of a correction (domain §4.6)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from sla.statements import Outcome

LONGEST = 2000


class MonthWordsForm(forms.Form):
    """Words that the other side reads; `about` makes its ids its own where a page has several."""

    words = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 3, "class": "in"}),
        error_messages={"max_length": _("At most %(limit_value)d characters")},
    )

    def __init__(self, *args: Any, about: str, label: Any, error: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"{about}_%s", **kwargs})
        field = self.fields["words"]
        field.label = label
        field.error_messages["required"] = error


class CorrectionForm(MonthWordsForm):
    """How a line counts from now on, and why."""

    after = forms.ChoiceField(
        label=_("How the line counts"),
        choices=[(one.value, one.label) for one in (Outcome.KEPT, Outcome.MISSED, Outcome.OUT)],
        widget=forms.Select(attrs={"class": "in"}),
        error_messages={"required": _("Choose how the line counts")},
    )
    field_order = ("after", "words")
