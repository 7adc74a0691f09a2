"""Files of messages: taken in by forms, given out as downloads to who may read the message."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import FileResponse, Http404
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from tickets.models import Attachment, HeldFile, Message, Ticket
from tickets.workflow import Upload


class FilesInput(forms.ClearableFileInput):
    """A file input that takes several files."""

    template_name = "django/forms/widgets/file.html"
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each at most `settings.ATTACHMENT_MAX_BYTES`; cleaned to a list, empty for none."""

    widget = FilesInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"required": False, "label": gettext_lazy("Files"), "allow_empty_file": True, **kwargs}
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        files = [super(FilesField, self).clean(file, initial) for file in given]
        too_big = [file for file in files if file.size > settings.ATTACHMENT_MAX_BYTES]
        if too_big:
            raise forms.ValidationError(
                _("“%(name)s” is %(size)s. A file can be at most %(limit)s: split it or give us a link to it.")
                % {
                    "name": too_big[0].name,
                    "size": filesizeformat(too_big[0].size),
                    "limit": filesizeformat(settings.ATTACHMENT_MAX_BYTES),
                },
                code="too_big",
            )
        return files


def uploads(files: Iterable[UploadedFile]) -> list[Upload]:
    """The files of a form as the verbs of the workflow take them."""
    return [
        Upload((file.name or "file")[-160:], file.content_type or "application/octet-stream", file, file.size or 0)
        for file in files
    ]


def download(user: User, number: int, pk: int) -> FileResponse:
    """A file as a download, never shown in place. Raises `Http404` for a file that this person may not see.

    A foreign ticket's file, an internal note's file for a customer and a missing file answer alike (domain §7).
    """
    # The number of a merged ticket stands in letters for good; its files are in the ticket that remains.
    meant = Q(number=number) | Q(merged__number=number)
    attachment = Attachment.objects.filter(
        pk=pk,
        message__in=Message.objects.visible_to(user).filter(ticket__in=Ticket.objects.visible_to(user).filter(meant)),
    ).first()
    if attachment is None:
        raise Http404
    return given_out(attachment)


def given_out(attachment: Attachment | HeldFile) -> FileResponse:
    """The file of a row that the caller may read; `Http404` where the storage has it no more."""
    try:
        content = attachment.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(
        content, as_attachment=True, filename=attachment.name, content_type="application/octet-stream"
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response
