"""The import in the browser: who may, what a file says, the decision, the files that go out."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from contracts.models import Customer, ImportRun
from tests.factories import CustomerFactory, UserFactory, a_contract_admin, a_csm, an_engineer

IMPORTS = "/c/import/"


@pytest.fixture
def savina(db: None) -> User:
    return a_contract_admin(language="en", full_name="Vera Savina")


@pytest.fixture
def client(client: Client, savina: User) -> Client:
    client.force_login(savina)
    return client


def sent(client: Client, content: bytes, *, kind: str = "customers", name: str = "rows.csv", **fields: Any) -> Any:
    return client.post(
        IMPORTS, {"kind": kind, "encoding": "unicode", "file": SimpleUploadedFile(name, content), **fields}
    )


def checked(client: Client, *lines: str, kind: str = "customers") -> ImportRun:
    answer = sent(client, "\n".join(lines).encode(), kind=kind)
    assert answer.status_code == 302, answer.content.decode()
    return ImportRun.objects.latest("pk")


def page_of(client: Client, run: ImportRun, query: str = "") -> str:
    answer = client.get(reverse("contracts:import_run", args=[run.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def decided(client: Client, run: ImportRun, decision: str) -> str:
    answer = client.post(reverse("contracts:import_decision", args=[run.pk]), {"decision": decision}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


# Who may


@pytest.mark.parametrize(
    "role", [{}, {"partner": True}, {"engineer": True}, {"csm": True}, {"manager": True}, {"top": True}]
)
def test_import_is_for_the_contract_administrator_only(client: Client, role: dict):
    run = checked(client, "company", "A")
    client.force_login(UserFactory(**role))

    answers = [
        client.get(IMPORTS),
        sent(client, b"company\nB\n"),
        client.get(reverse("contracts:import_run", args=[run.pk])),
        client.post(reverse("contracts:import_decision", args=[run.pk]), {"decision": "import"}),
        client.get(reverse("contracts:import_bad_rows", args=[run.pk, "csv"])),
        client.get(reverse("contracts:import_example", args=["customers", "csv"])),
    ]

    assert [answer.status_code for answer in answers] == [403] * 6
    assert Customer.objects.count() == 0


def test_administrator_imports_too_and_a_visitor_signs_in_first(client: Client):
    client.force_login(UserFactory(admin=True))
    assert client.get(IMPORTS).status_code == 200

    client.logout()
    assert client.get(IMPORTS).status_code == 302


# The file


def test_page_without_files_says_what_to_do(client: Client):
    page = client.get(IMPORTS).content.decode()

    assert "No file was sent so far" in page
    assert reverse("contracts:import_example", args=["licences", "xlsx"]) in page


def test_file_becomes_a_dry_run_and_nothing_is_written(client: Client):
    run = checked(client, "company,city,INN", "A,Riga,77", "B,Tartu,78")

    page = page_of(client, run)

    assert (run.new, run.bad, run.waits) == (2, 0, True)
    assert "Import 2 good rows" in page
    assert "left out: “INN”" in page
    assert "what is recorded stays: “CSM e-mail”, “Time zone”, “Language”" in page
    assert Customer.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ("company\nРога\n".encode("cp1251"), "x.csv", "Line 2 cannot be read as UTF-8."),
        (b"", "x.csv", "The file is empty."),
        (b"PK\x03\x04broken", "x.xlsx", "The workbook is damaged"),
        (b"x" * (10 * 1024 * 1024 + 1), "x.csv", "The file is larger than 10 MB"),
    ],
)
def test_file_that_cannot_be_read_is_a_sentence_at_its_field_and_above(
    client: Client, content: bytes, name: str, words: str
):
    answer = sent(client, content, name=name)

    assert answer.status_code == 422
    assert answer.content.decode().count(words) == 2
    assert 'value="customers" id="kind-customers" checked' in answer.content.decode()
    assert ImportRun.objects.count() == 0


def test_windows_1251_is_the_way_out_that_the_form_offers(client: Client):
    answer = sent(client, "Компания;Город\nРога;Тверь\n".encode("cp1251"), encoding="windows-1251")

    assert answer.status_code == 302
    assert ImportRun.objects.get().rows.get().cells == {"company": "Рога", "city": "Тверь"}


def test_form_without_a_kind_or_a_file_says_so(client: Client):
    answer = client.post(IMPORTS, {"encoding": "koi8"})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert ("Choose what is in the file" in page, "Choose a file" in page, "Choose one of the encodings" in page) == (
        True,
        True,
        True,
    )


# The result


def test_bad_rows_come_first_each_reason_at_its_field(client: Client):
    an_engineer(email="eng@vendor.example", full_name="Olga Guseva")
    run = checked(client, "company,csm,time zone", "A,,", "B,eng@vendor.example,Mars/Olympus")

    page = page_of(client, run)

    assert "<b>Time zone:</b> There is no time zone named “Mars/Olympus”: write one like Europe/Moscow." in page
    assert "<b>CSM e-mail:</b> Olga Guseva is not a Customer Success Manager who can sign in." in page
    assert "Row 3" in page and "Row 2" not in page
    assert "Row 2" in page_of(client, run, "?verdict=new")


def test_changes_are_shown_old_and_new(client: Client):
    CustomerFactory(name="A", city="Riga")
    run = checked(client, "company,city", "A,Tartu")

    assert "<b>City:</b> Riga → Tartu" in page_of(client, run)


def test_result_reads_in_the_language_of_the_reader(client: Client, savina: User):
    run = checked(client, "company,time zone", "A,Mars/Olympus")
    english = page_of(client, run)
    savina.language = "ru"
    savina.save()
    client.cookies["django_language"] = "ru"

    russian = page_of(client, run)

    assert "There is no time zone" in english
    assert "There is no time zone" not in russian
    assert "Mars/Olympus" in russian


def test_rows_are_paged_by_their_number(client: Client):
    run = checked(client, "company", *(f"Company {number}" for number in range(120)))

    first = page_of(client, run)
    second = page_of(client, run, "?verdict=new&after=51")

    assert first.count('id="row-') == 50 and 'id="row-51"' in first
    assert "?verdict=new&amp;after=51#rows" in first
    assert second.count('id="row-') == 50 and 'id="row-52"' in second
    assert page_of(client, run, "?verdict=new&after=101").count('id="row-') == 20


@pytest.mark.parametrize("query", ["?after=x", "?verdict=ugly", "?after=" + "9" * 30])
def test_address_that_is_not_complete_is_refused(client: Client, query: str):
    run = checked(client, "company", "A")

    assert client.get(reverse("contracts:import_run", args=[run.pk]) + query).status_code == 400


def test_unknown_run_is_not_found(client: Client):
    assert client.get(reverse("contracts:import_run", args=[999999])).status_code == 404
    assert client.post(reverse("contracts:import_decision", args=[999999]), {"decision": "drop"}).status_code == 404


def test_result_costs_the_same_for_1_and_30_rows(client: Client, django_assert_num_queries: Any):
    a_csm(email="belova@vendor.example")
    few = checked(client, "company,csm", "A,belova@vendor.example")
    many = checked(client, "company,csm", *(f"B{number},belova@vendor.example" for number in range(30)))

    with django_assert_num_queries(20, exact=False) as one:
        page_of(client, few)
    cost = len(one.captured_queries)
    with django_assert_num_queries(cost):
        page_of(client, many)


def test_list_of_files_costs_the_same_for_1_and_5(client: Client, django_assert_num_queries: Any):
    checked(client, "company", "A")
    with django_assert_num_queries(20, exact=False) as one:
        client.get(IMPORTS)
    cost = len(one.captured_queries)  # the log is emptied by the next request
    for number in range(4):
        checked(client, "company", f"B{number}")

    with django_assert_num_queries(cost):
        assert client.get(IMPORTS).content.decode().count("implist__t") == 5


# The decision


def test_import_writes_the_good_rows_and_a_second_click_writes_nothing_and_says_so(client: Client):
    run = checked(client, "company,time zone", "A,", "B,Mars/Olympus", "C,")

    first = decided(client, run, "import")
    second = decided(client, run, "import")

    assert "2 rows imported" in first
    assert "This file was imported already. Nothing was imported twice." in second
    assert "Imported: 2 rows, by V. Savina" in second
    assert sorted(Customer.objects.values_list("name", flat=True)) == ["A", "C"]


def test_drop_writes_nothing(client: Client):
    run = checked(client, "company", "A")

    page = decided(client, run, "drop")

    assert "Dropped. Nothing was imported, the rows are forgotten." in page
    assert (Customer.objects.count(), run.rows.count()) == (0, 0)
    assert "This import was dropped: send the file again." in decided(client, run, "import")


def test_database_that_changed_between_is_said_and_shown(client: Client):
    run = checked(client, "company,city", "A,Riga")
    CustomerFactory(name="a", city="Tartu")

    page = decided(client, run, "import")

    assert "The database has changed since the dry run. Nothing was written" in page
    assert "<b>City:</b> Tartu → Riga" in page
    assert Customer.objects.get().city == "Tartu"


def test_decision_that_is_none_is_refused(client: Client):
    run = checked(client, "company", "A")

    assert client.post(reverse("contracts:import_decision", args=[run.pk]), {"decision": "maybe"}).status_code == 400
    assert client.get(reverse("contracts:import_decision", args=[run.pk])).status_code == 405


def test_people_imported_are_told_to_set_a_password(client: Client):
    CustomerFactory(name="Ruta")
    run = checked(client, "company,e-mail,full name", "Ruta,a@ruta.example,Anna Lis", kind="contacts")

    assert "Forgot password" in decided(client, run, "import")


# Files that go out


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_bad_rows_are_downloaded_mended_and_sent_again(client: Client, form: str):
    run = checked(client, "company,city,time zone", "A,Riga,Mars/Olympus", "B,Tartu,")

    answer = client.get(reverse("contracts:import_bad_rows", args=[run.pk, form]))

    assert answer.headers["Content-Disposition"] == f'attachment; filename="bad-rows-{run.pk}.{form}"'
    assert sent(client, answer.content, name=f"bad.{form}").status_code == 302
    again = ImportRun.objects.latest("pk")
    assert (again.bad, again.ignored_columns) == (1, [])
    assert again.rows.get().cells["city"] == "Riga"


@pytest.mark.parametrize("kind", ["customers", "licences", "contacts"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_examples_are_downloaded(client: Client, kind: str, form: str):
    answer = client.get(reverse("contracts:import_example", args=[kind, form]))

    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == f'attachment; filename="example-{kind}.{form}"'
