"""Lists as CSV for a spreadsheet: sent while they are read, and never run there as formulas."""

import csv
from collections.abc import AsyncIterator, Iterable, Iterator
from io import StringIO
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import translation

from contracts.importing.exporting import FORMULA


def guarded(cell: object) -> str:
    """A cell as text, with an apostrophe before what a spreadsheet would take for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(FORMULA["csv"]) else text


def csv_response(
    request: HttpRequest, name: str, headings: Iterable[object], chunks: Iterable[Iterable[Iterable[object]]]
) -> StreamingHttpResponse:
    """Rows as `name` (letters of ASCII), a chunk in memory at a time, in the language of the request.

    The mark and the semicolon are what spreadsheets of either language open by a double click.
    """
    language = translation.get_language() or "ru"
    parts = _parts(list(headings), chunks, language)
    # An asynchronous server streams only what is asynchronous; a plain iterator it would read to the end first.
    streamed: Any = _awaited(parts) if hasattr(request, "scope") else parts
    return StreamingHttpResponse(
        streamed,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"},
    )


def _parts(headings: list[object], chunks: Iterable[Iterable[Iterable[object]]], language: str) -> Iterator[bytes]:
    # The view has returned by now: the language is set for each chunk anew, as for the headings.
    with translation.override(language):
        head = "\ufeff" + _lines([headings])
    yield head.encode()
    chunks = iter(chunks)
    while True:
        with translation.override(language):
            rows = next(chunks, None)
            text = "" if rows is None else _lines(rows)
        if rows is None:
            return
        yield text.encode()


def _lines(rows: Iterable[Iterable[object]]) -> str:
    file = StringIO()
    csv.writer(file, delimiter=";", lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in rows)
    return file.getvalue()


async def _awaited(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    following = sync_to_async(lambda: next(parts, None))
    while (part := await following()) is not None:
        yield part
