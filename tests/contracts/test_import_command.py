"""`manage.py import_records`: the same dry run in a terminal."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from contracts.models import Customer, ImportRun
from tests.factories import CustomerFactory, a_contract_admin, an_engineer


@pytest.fixture(autouse=True)
def in_english(db: None) -> Any:
    with translation.override("en"):
        yield


def run(tmp_path: Path, content: str | bytes, *options: str, kind: str = "customers") -> str:
    file = tmp_path / "rows.csv"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    out = StringIO()
    try:
        call_command("import_records", kind, str(file), *options, stdout=out)
    except CommandError as error:
        out.write(f"exit {error.returncode}: {error}")
    return out.getvalue()


def test_dry_run_prints_each_row_and_the_totals_and_writes_nothing(tmp_path: Path):
    CustomerFactory(name="A", city="Riga")
    CustomerFactory(name="B", city="Riga")

    printed = run(tmp_path, "company,city\nA,Tartu\nB,Riga\nC,Riga\n")

    assert printed.splitlines() == [
        "      2  changed     A | City: Riga → Tartu",
        "      4  new         C",
        "Not in the file: “CSM e-mail”, “Time zone”, “Language”",
        "3 rows: new 1, changed 1, same 1, bad 0",
    ]
    assert (Customer.objects.count(), ImportRun.objects.count()) == (2, 0)


def test_bad_rows_are_named_with_their_reasons_and_the_exit_code_is_1(tmp_path: Path):
    printed = run(tmp_path, "company,time zone\nA,Mars/Olympus\nB,\n")

    assert "2  bad         A | Time zone: There is no time zone named “Mars/Olympus”" in printed
    assert printed.endswith("exit 1: 1 bad rows.")


def test_apply_imports_the_good_rows_in_the_name_of_a_contract_administrator(tmp_path: Path):
    savina = a_contract_admin(email="savina@vendor.example")

    printed = run(tmp_path, "company\nA\nB\n", "--apply", "--by", "Savina@vendor.example")

    assert printed.endswith("Imported: 2\n")
    assert Customer.objects.count() == 2
    assert ImportRun.objects.get().decided_by == savina


def test_apply_beside_bad_rows_imports_the_good_ones_and_still_exits_with_1(tmp_path: Path):
    a_contract_admin(email="savina@vendor.example")

    printed = run(tmp_path, "company,language\nA,xx\nB,en\n", "--apply", "--by", "savina@vendor.example")

    assert "Imported: 1" in printed and printed.endswith("exit 1: 1 bad rows.")
    assert Customer.objects.get().name == "B"


def test_apply_needs_a_contract_administrator(tmp_path: Path):
    an_engineer(email="eng@vendor.example")

    assert "Say who decides" in run(tmp_path, "company\nA\n", "--apply")
    assert "is not a contract administrator" in run(tmp_path, "company\nA\n", "--apply", "--by", "eng@vendor.example")
    assert Customer.objects.count() == 0


def test_file_that_cannot_be_read_is_a_sentence_and_exit_code_1(tmp_path: Path):
    content = "company\nРога\n".encode("cp1251")

    assert run(tmp_path, content).startswith("exit 1: Line 2 cannot be read as UTF-8.")
    assert "1 rows: new 1" in run(tmp_path, content, "--encoding", "windows-1251")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_records", "customers", str(tmp_path / "nowhere.csv"))
