"""A file that is sent while it is read, by a server of either kind (WSGI, ASGI)."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header


def streamed(request: HttpRequest, parts: Iterator[Any], *, name: str, content_type: str) -> StreamingHttpResponse:
    """The parts (texts or bytes) as a download.

    Under ASGI each is fetched in the thread of the database: Django would read them all.
    """
    content: Iterable[Any] | AsyncIterator[Any] = _apart(parts) if isinstance(request, ASGIRequest) else parts
    response = StreamingHttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response


async def _apart(parts: Iterator[Any]) -> AsyncIterator[Any]:
    take = sync_to_async(lambda: next(parts, None))
    while (part := await take()) is not None:
        yield part
