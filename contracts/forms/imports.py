"""What is filled in to send a file for import: shape only, the rules stand in `contracts.importing`."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from contracts.importing.reading import ENCODINGS, MAX_BYTES, UNICODE
from contracts.models import ImportRun


class ImportForm(forms.Form):
    """Which kind of rows, the file, and the encoding where it is not Unicode."""

    kind = forms.ChoiceField(
        label=_("What is in the file"),
        choices=ImportRun.Kind.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose what is in the file"),
            "invalid_choice": _("Choose what is in the file"),
        },
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or XLSX, up to 10 MB and 100,000 rows; the first row holds the headings."),
        allow_empty_file=True,  # `reading` says so in its own words
        error_messages={
            "required": _("Choose a file"),
            "invalid": _("Choose a file"),
            "missing": _("Choose a file"),
        },
    )
    encoding = forms.ChoiceField(
        label=_("Encoding of a CSV file"),
        choices=ENCODINGS,
        initial=UNICODE,
        help_text=_("Nothing is guessed: if the letters cannot be read, you are told in which line."),
        error_messages={
            "invalid_choice": _("Choose one of the encodings"),
            "required": _("Choose one of the encodings"),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("file", "encoding"):
            self.fields[name].widget.attrs["class"] = "in"
        self.fields["file"].widget.attrs["accept"] = ".csv,.xlsx,.txt,text/csv"

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 10 MB: split it into several."), code="too_big")
        return file
