"""Files of messages: taken in by forms, given out as downloads to who may read the message."""

from collections.abc import Iterable, Iterator
from typing import IO, Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, StreamingHttpResponse
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from contracts.models import ReleaseFile
from contracts.views.streaming import streamed
from tickets.models import Attachment, HeldFile, Message, Ticket
from tickets.workflow.conversation import Upload

PART = 256 * 1024  # bytes of a release's file in memory at a time


class FilesInput(forms.ClearableFileInput):
    """A file input that takes several files."""

    template_name = "django/forms/widgets/file.html"
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files, each one that `refused_words` has nothing against; cleaned to a list, empty for none."""

    widget = FilesInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"required": False, "label": gettext_lazy("Files"), "allow_empty_file": True, **kwargs}
        super().__init__(**kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        files = [super(FilesField, self).clean(file, initial) for file in given]
        if refused := [words for file in files if (words := refused_words(file.name or "", file.size or 0))]:
            raise forms.ValidationError([forms.ValidationError(words, code="refused") for words in refused])
        return files


LARGEST_KEY = 2**63 - 1


class KeysField(forms.Field):
    """Keys of files that came in before, as many hidden inputs of one name; cleaned to a list of numbers."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> list[int]:
        try:
            keys = [int(key) for key in value or []]
        except ValueError as error:
            raise forms.ValidationError(_("That is no file of this message.")) from error
        if any(not 0 < key <= LARGEST_KEY for key in keys):
            raise forms.ValidationError(_("That is no file of this message."))
        return keys


def refused_words(name: str, size: int) -> str:
    """What is said of a file that may not come, by its name and bytes; "" for one that may."""
    kind = name.rpartition(".")[2].strip().lower() if "." in name else ""
    if kind in settings.ATTACHMENT_REFUSED_TYPES:
        return _("“%(name)s” is a program, which we do not take: put it into an archive with a password.") % {
            "name": name
        }
    if size <= settings.ATTACHMENT_MAX_BYTES:
        return ""
    return _("“%(name)s” is %(size)s. A file can be at most %(limit)s: split it or give us a link to it.") % {
        "name": name,
        "size": filesizeformat(size),
        "limit": filesizeformat(settings.ATTACHMENT_MAX_BYTES),
    }


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
    return given_out(_found(user, number, pk))


def picture(user: User, number: int, pk: int) -> FileResponse:
    """A picture of a message, shown in place: only what begins as a PNG, JPEG, GIF or WebP does, whatever it is called.

    Raises `Http404` for anything else (a drawing in SVG is a program) and for what this person may not see.
    """
    attachment = _found(user, number, pk)
    try:
        with attachment.file.open("rb") as content:
            content_type = raster_type(content.read(16))
    except FileNotFoundError as error:
        raise Http404 from error
    if not content_type:
        raise Http404
    return given_out(attachment, inline_as=content_type)


def raster_type(head: bytes) -> str:
    """The type of a picture by its first 16 bytes, one of `RASTER_TYPES`; "" for anything else. Pure."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return ""


def _found(user: User, number: int, pk: int) -> Attachment:
    # The number of a merged ticket stands in letters for good; its files are in the ticket that remains.
    meant = Q(number=number) | Q(merged__number=number)
    attachment = Attachment.objects.filter(
        pk=pk,
        message__in=Message.objects.visible_to(user).filter(ticket__in=Ticket.objects.visible_to(user).filter(meant)),
    ).first()
    if attachment is None:
        raise Http404
    return attachment


def given_out(attachment: Attachment | HeldFile, *, inline_as: str = "") -> FileResponse:
    """The file of a row that the caller may read; `Http404` where the storage has it no more.

    `inline_as`: the type that its first bytes proved, for a picture that may be shown in place.
    """
    try:
        content = attachment.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(
        content,
        as_attachment=not inline_as,
        filename=attachment.name,
        content_type=inline_as or "application/octet-stream",
    )
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def release_file(request: HttpRequest, file: ReleaseFile) -> StreamingHttpResponse:
    """A file of a release that the caller may read, a part in memory at a time; `Http404` where it is there no more.

    A distribution is large: under ASGI a `FileResponse` would be read into memory whole before it is sent.
    """
    try:
        content = file.file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = streamed(request, _parts(content), name=file.name, content_type="application/octet-stream")
    response["Content-Length"] = str(file.size)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def _parts(content: IO[bytes]) -> Iterator[bytes]:
    with content:
        while part := content.read(PART):
            yield part
