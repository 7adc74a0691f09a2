"""A file as rows: CSV (comma, semicolon or tab) or XLSX, under the row numbers of the spreadsheet. Nothing is guessed.

tablib reads files with the same two parsers; it drops empty lines and with them the numbers, so they are called here
directly, and tablib writes what goes out (`exporting`).
"""

import csv
import io
import logging
import unicodedata
import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import zip_longest
from typing import Any

import openpyxl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.refusals import Refused
from contracts.importing import columns
from contracts.importing.values import UNCOUNTED

log = logging.getLogger(__name__)

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 100_000
MAX_COLUMNS = 100
MAX_UNPACKED = 150 * 1024 * 1024  # bytes of all parts of a workbook
MAX_PARTS = 1000
SHEET_ROWS = 1_048_576  # the last row of a spreadsheet

UNICODE, CYRILLIC = "unicode", "windows-1251"
ENCODINGS = [
    (UNICODE, gettext_lazy("Unicode (UTF-8, UTF-16 with its mark)")),
    (CYRILLIC, gettext_lazy("Windows-1251 (older spreadsheets)")),
]
UTF16 = (b"\xff\xfe", b"\xfe\xff")
UTF8_MARK = b"\xef\xbb\xbf"
DELIMITERS = "\t;,"  # where the headings do not tell them apart, the rarer one in names comes first


class NotReadable(Refused):
    """The file as a whole cannot be imported; the words say what to do about it."""

    status = 422


@dataclass(frozen=True)
class Row:
    """One row: its number in the spreadsheet, the texts of its cells by column, how many stand beyond the headings."""

    number: int
    cells: dict[str, str]
    surplus: int = 0


@dataclass(frozen=True)
class Table:
    """What was read: rows, and what of the file was left out."""

    kind: str
    rows: list[Row]
    ignored_columns: list[str] = field(default_factory=list)
    missing_columns: list[str] = field(default_factory=list)
    ignored_sheets: list[str] = field(default_factory=list)


def read(content: bytes, name: str, *, kind: str, encoding: str = UNICODE) -> Table:
    """Reads a file of this kind (`ImportRun.Kind`). Raises `NotReadable` with a sentence fit for the person."""
    if len(content) > MAX_BYTES:
        raise NotReadable(_("The file is larger than 10 MB: split it into several."))
    if not content.strip(b"\x00 \t\r\n" + UTF8_MARK):
        raise NotReadable(_("The file is empty."))
    sheets: list[str] = []
    rows: Iterable[tuple[int, list[str]]]
    if content.startswith(b"PK\x03\x04"):
        rows, sheets = _workbook(content)
    elif content.startswith(b"\xd0\xcf\x11\xe0"):
        raise NotReadable(
            _("This is an older workbook (.xls) or one with a password: save it as .xlsx without a password.")
        )
    elif name.lower().endswith((".xlsx", ".xlsm")):
        raise NotReadable(_("The file is named .xlsx, yet it is not a workbook: save it anew in the spreadsheet."))
    else:
        rows = _separated(_decoded(content, encoding), kind)
    return _table(rows, kind, sheets)


# Text


def _decoded(content: bytes, encoding: str) -> str:
    if encoding not in dict(ENCODINGS):
        raise NotReadable(_("There is no encoding “%(name)s” to choose.") % {"name": encoding})
    if encoding == CYRILLIC:
        return _cyrillic(content)
    if content.startswith(UTF16):
        try:
            text = content.decode("utf-16")
        except UnicodeDecodeError as error:
            read = content[: error.start].decode("utf-16", errors="ignore")
            raise NotReadable(
                _("Line %(line)d cannot be read as UTF-16: save the file as “CSV UTF-8”.") % {"line": _line(read)}
            ) from error
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise NotReadable(
                _(
                    "Line %(line)d cannot be read as UTF-8. Save the file as “CSV UTF-8”, or choose the encoding "
                    "Windows-1251 if an older spreadsheet wrote it."
                )
                % {"line": content[: error.start].count(b"\n") + 1}
            ) from error
    _refuse_zeros(text)
    return text


def _cyrillic(content: bytes) -> str:
    """Windows-1251 takes nearly every byte: Unicode would turn into gibberish, so it is refused first."""
    marked = content.startswith((*UTF16, UTF8_MARK))
    if not marked and not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            pass  # as it should be: letters of Windows-1251 are no UTF-8
        else:
            marked = True
    if marked:
        raise NotReadable(_("The file is Unicode, not Windows-1251: choose the encoding “Unicode”."))
    try:
        text = content.decode("cp1251")
    except UnicodeDecodeError as error:
        raise NotReadable(
            _("Line %(line)d cannot be read as Windows-1251: save the file as “CSV UTF-8”.")
            % {"line": content[: error.start].count(b"\n") + 1}
        ) from error
    _refuse_zeros(text)
    return text


def _refuse_zeros(text: str) -> None:
    if (found := text.find("\x00")) >= 0:
        raise NotReadable(
            _("Line %(line)d holds zero characters: this is not a text table. Save the file as “CSV UTF-8” or as XLSX.")
            % {"line": _line(text[:found])}
        )


def _line(before: str) -> int:
    return before.count("\n") + 1


def _separated(text: str, kind: str) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV file with their numbers; the delimiter is the one by which most headings are known."""
    return _records(text, max(DELIMITERS, key=lambda delimiter: _known_headings(text, delimiter, kind)))


def _known_headings(text: str, delimiter: str, kind: str) -> int:
    first = next((cells for _number, cells in _records(text, delimiter) if any(cells)), [])
    return sum(bool(columns.column_of(kind, cell)) for cell in first)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            # The quotation marks are the usual reason; the other, a cell of more than 128 KB, comes of them too.
            raise NotReadable(
                _(
                    "Line %(line)d cannot be read: a cell that holds quotation marks stands in quotation marks, and "
                    "those inside are doubled."
                )
                % {"line": max(reader.line_num, 1)}
            ) from error
        number += 1
        yield number, [cell.strip() for cell in cells]


# Workbooks


def _workbook(content: bytes) -> tuple[list[tuple[int, list[str]]], list[str]]:
    """The rows of the first sheet, and the names of the others. Values of formulas as they were counted last."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            _refuse_bombs(package)
            has_formulas = any(
                b"<f>" in part or b"<f " in part or b"<f/>" in part
                for name in package.namelist()
                if name.startswith("xl/worksheets/")
                for part in [package.read(name)]
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of looks that it does not carry over
            found, others = _sheet(content, data_only=True)
            if has_formulas:
                written, _others = _sheet(content, data_only=False)
                found = {
                    number: _uncounted(found.get(number, ()), written.get(number, ()))
                    for number in sorted(found.keys() | written.keys())
                }
    except NotReadable:
        raise
    except Exception as error:
        # A hostile or broken file makes the parsers raise whatever comes: for the person it is one and the same.
        log.info("a workbook could not be read: %r", error)
        raise NotReadable(
            _("The workbook is damaged or is not an XLSX file: open it in a spreadsheet and save it anew as .xlsx.")
        ) from error
    return [(number, [_text(cell) for cell in cells]) for number, cells in found.items()], others


def _refuse_bombs(package: zipfile.ZipFile) -> None:
    """Before anything is unpacked: what the parts come to, and no part with entities of its own (`zipfile` itself
    holds a part to the size that the list of parts names)."""
    parts = package.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise NotReadable(_("Unpacked, the workbook is too large: save only the table, without pictures, or as CSV."))
    for part in parts:
        with package.open(part) as stream:
            head = stream.read(2048)
        if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
            raise NotReadable(_("The workbook is not one that a spreadsheet wrote: save it anew as .xlsx."))


def _sheet(content: bytes, *, data_only: bool) -> tuple[dict[int, tuple[Any, ...]], list[str]]:
    """The rows that are not empty, by their numbers, without the empty cells at their ends; names of further sheets."""
    workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=data_only, keep_links=False)
    try:
        sheet, *others = workbook.worksheets
        sheet.reset_dimensions()  # what the file claims of its size is not to be trusted
        rows: dict[int, tuple[Any, ...]] = {}
        # One column more than allowed, so that it is seen and refused, never dropped in silence.
        found = sheet.iter_rows(max_row=SHEET_ROWS, max_col=MAX_COLUMNS + 1, values_only=True)
        for number, cells in enumerate(found, start=1):
            length = max((place for place, cell in enumerate(cells, start=1) if cell is not None), default=0)
            if length:
                rows[number] = cells[:length]
            if len(rows) > MAX_ROWS + 1:
                raise NotReadable(_too_many())
        return rows, [str(other.title) for other in others]
    finally:
        workbook.close()


def _uncounted(values: tuple[Any, ...], written: tuple[Any, ...]) -> tuple[Any, ...]:
    """Where a formula has no counted value, a mark that every column refuses; an empty cell would be a silent loss."""
    return tuple(
        UNCOUNTED if value is None and there is not None else value for value, there in zip_longest(values, written)
    )


def _text(cell: object) -> str:
    """A cell as people read it in the spreadsheet: whole numbers without “.0”, dates as 2026-01-31."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.15g}"  # spreadsheets show 15 digits; the rest is how computers keep numbers
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date):
        return cell.isoformat()
    words = str(cell).strip()
    if "\x00" in words or any(unicodedata.category(letter) == "Cs" for letter in words):
        raise NotReadable(_("The workbook holds characters that are no text: save it anew as .xlsx."))
    return words


# Either


def _table(found: Iterable[tuple[int, list[str]]], kind: str, sheets: list[str]) -> Table:
    rows = iter(found)
    headings = next((cells for _number, cells in rows if any(cells)), None)
    if headings is None:
        raise NotReadable(_("The file is empty."))
    if len(headings) > MAX_COLUMNS:
        raise NotReadable(_("The table has more than %(limit)d columns.") % {"limit": MAX_COLUMNS})
    codes = [columns.column_of(kind, heading) if heading else "" for heading in headings]
    _refuse_headings(kind, headings, codes)
    read: list[Row] = []
    for number, cells in rows:
        if not any(cells):
            continue
        if len(read) == MAX_ROWS:
            raise NotReadable(_too_many())
        by_code = {
            code: _unguarded(cell) for code, cell in zip(codes, cells, strict=False) if code and code != columns.REASON
        }
        read.append(Row(number, by_code, sum(bool(cell) for cell in cells[len(headings) :])))
    if not read:
        raise NotReadable(_("The file has headings and no rows: there is nothing to import."))
    return Table(
        kind,
        read,
        ignored_columns=[heading for heading, code in zip(headings, codes, strict=True) if heading and not code],
        missing_columns=[column.code for column in columns.COLUMNS[kind] if column.code not in codes],
        ignored_sheets=sheets,
    )


def _refuse_headings(kind: str, headings: list[str], codes: list[str]) -> None:
    known = [code for code in codes if code]
    expected = columns.labels_of(kind, (column.code for column in columns.COLUMNS[kind]))
    if not known:
        raise NotReadable(
            _("The first row holds no heading that is known. Expected: %(columns)s.") % {"columns": expected}
        )
    twice = [code for code in dict.fromkeys(known) if known.count(code) > 1]
    if twice:
        raise NotReadable(
            _("More than one column is %(columns)s: leave one of them.") % {"columns": columns.labels_of(kind, twice)}
        )
    needed = [column.code for column in columns.COLUMNS[kind] if column.required and column.code not in known]
    if needed:
        raise NotReadable(
            _("The file has no column %(columns)s. Known columns: %(expected)s.")
            % {"columns": columns.labels_of(kind, needed), "expected": expected}
        )


def _too_many() -> str:
    return _("The file has more than %(limit)s rows: split it into several.") % {"limit": f"{MAX_ROWS:,}"}


def _unguarded(cell: str) -> str:
    """Without the apostrophe that `exporting` (or a person) puts before what a spreadsheet would take for a formula."""
    return cell[1:].strip() if len(cell) > 1 and cell[0] == "'" and cell[1] in "=+-@" else cell
