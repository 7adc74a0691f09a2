"""A choice of one row, for the forms of all parts."""

from typing import Any

from django import forms
from django.utils.translation import pgettext_lazy

NOT_CHOSEN = pgettext_lazy("nothing in a list", "not chosen")


class OneOf(forms.ModelChoiceField):
    """One of what there is. Nothing chosen yet is said in words: a row of dashes says nothing, read aloud or not."""

    def __init__(self, queryset: Any, *, empty_label: Any = NOT_CHOSEN, **more: Any) -> None:
        super().__init__(queryset, empty_label=empty_label, **more)
