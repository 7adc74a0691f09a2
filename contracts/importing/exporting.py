"""Files that go out: the bad rows with their reasons, to mend and send again, and an example of each kind."""

from collections.abc import Iterable

import tablib

from contracts.importing import columns
from contracts.importing.verdicts import Remark, Verdict
from contracts.models import ImportRun

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# What a spreadsheet may take for a formula; a tab or a line break before it hides it.
FORMULA = {"csv": ("=", "+", "-", "@", "\t", "\r", "\n"), "xlsx": ("=",)}

EXAMPLES: dict[str, list[dict[str, str]]] = {
    ImportRun.Kind.CUSTOMERS: [
        {"company": "ООО «Вектор»", "timezone": "Europe/Moscow", "language": "ru", "city": "Тверь"},
        {"company": "Northlake OÜ", "timezone": "Europe/Tallinn", "language": "en", "city": "Tallinn"},
    ],
    ImportRun.Kind.LICENCES: [
        {
            "company": "ООО «Вектор»",
            "product": "sales",
            "deployment": "on-site",
            "seats": "25",
            "cost": "38400.00",
            "starts_on": "2026-01-01",
            "ends_on": "",
            "release": "",
        },
        {
            "company": "Northlake OÜ",
            "product": "sales",
            "deployment": "on-demand",
            "seats": "10",
            "cost": "12000.00",
            "starts_on": "01.03.2026",
            "ends_on": "28.02.2027",
            "release": "",
        },
    ],
    ImportRun.Kind.CONTACTS: [
        {
            "company": "ООО «Вектор»",
            "email": "klimova@vektor.example",
            "full_name": "Анна Климова",
            "position": "Руководитель ИТ",
            "phone": "8 (4822) 55-01-10",
            "language": "ru",
            "responsible": "yes",
            "since": "2026-01-01",
        },
        {"company": "ООО «Вектор»", "email": "nosov@vektor.example", "full_name": "Пётр Носов", "responsible": "no"},
    ],
}


def bad_rows(run: ImportRun, form: str) -> bytes:
    """The bad rows of a run as `csv` or `xlsx`: our headings, the cells as they came, the reasons last."""
    found = run.rows.filter(verdict=Verdict.BAD).order_by("number")
    rows = (
        (row.cells, reasons(run.kind, [Remark.of_json(problem) for problem in row.problems]))
        for row in found.iterator()
    )
    return _file(run.kind, form, rows, with_reason=True)


def reasons(kind: str, problems: Iterable[Remark]) -> str:
    """All the reasons against a row in one cell, each after the heading of its field."""
    return " ".join(
        f"{columns.label_of(kind, problem.field)}: {problem.words}" if problem.field else problem.words
        for problem in problems
    )


def example(kind: str, form: str) -> bytes:
    """A file of two rows with every column, as one may fill it in."""
    return _file(kind, form, ((row, "") for row in EXAMPLES[kind]), with_reason=False)


def _file(kind: str, form: str, rows: Iterable[tuple[dict[str, str], str]], *, with_reason: bool) -> bytes:
    headings = [str(column.label) for column in columns.COLUMNS[kind]]
    if with_reason:
        headings.append(str(columns.REASON_LABEL))
    table = tablib.Dataset(headers=headings, title=str(ImportRun.Kind(kind).label))
    for cells, reason in rows:
        texts = [cells.get(column.code, "") for column in columns.COLUMNS[kind]]
        if with_reason:
            texts.append(reason)
        table.append([_guarded(text, form) for text in texts])
    if form == "xlsx":
        workbook: bytes = table.export("xlsx", column_width=24)
        return workbook
    # The mark and the semicolon are what spreadsheets of either language open by a double click.
    return ("\ufeff" + table.export("csv", delimiter=";")).encode()


def _guarded(text: str, form: str) -> str:
    """An apostrophe before what would be a formula; `reading` takes it off when the file comes back."""
    return f"'{text}" if text.startswith(FORMULA[form]) else text


def file_name(run: ImportRun, form: str) -> str:
    """“bad-rows-17.csv”: names of files stay in English letters."""
    return f"bad-rows-{run.pk}.{form}"


def example_name(kind: str, form: str) -> str:
    return f"example-{kind}.{form}"
