"""Reading files and judging rows: every bad input is a sentence, at the file or at the field of its row."""

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.models import User
from accounts.refusals import Forbidden
from contracts import signing
from contracts.importing import columns, exporting, runs, values
from contracts.importing.reading import CYRILLIC, MAX_ROWS, NotReadable, read
from contracts.importing.runs import Outcome
from contracts.importing.values import Unclear
from contracts.importing.verdicts import Checked
from contracts.models import Customer, CustomerMember, ImportRow, ImportRun, Licence, ResponsibleContact
from tests.factories import (
    TUESDAY_10,
    CustomerFactory,
    LicenceFactory,
    ProductFactory,
    ReleaseFactory,
    UserFactory,
    a_contact,
    a_contract_admin,
    a_csm,
    a_customer,
    a_draft,
    a_member,
    contact_of,
    contract_of,
    observer_of,
)

LICENCES = "company,product,deployment,users,cost,starts on,ends on,release"


@pytest.fixture(autouse=True)
def in_english() -> Any:
    with translation.override("en"):
        yield


def csv_of(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def check(kind: str, *lines: str) -> list[Checked]:
    return runs.check(read(csv_of(*lines), "rows.csv", kind=kind), at=TUESDAY_10)


def said(checked: Checked) -> list[tuple[str, str]]:
    return [(problem.field, problem.words) for problem in checked.problems]


def verdicts(found: list[Checked]) -> list[str]:
    return [str(checked.verdict) for checked in found]


def workbook(*rows: tuple[Any, ...], sheets: tuple[str, ...] = ()) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for title in sheets:
        book.create_sheet(title)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def imported(kind: str, *lines: str, by: User | None = None) -> ImportRun:
    by = by or a_contract_admin()
    run = runs.read_and_keep(csv_of(*lines), "rows.csv", kind=kind, by=by, at=TUESDAY_10)
    assert runs.carry_out(run, by=by, at=TUESDAY_10) is Outcome.IMPORTED
    run.refresh_from_db()
    return run


# Cells


@pytest.mark.parametrize(
    ("cell", "amount"),
    [
        ("38400", "38400.00"),
        ("38400.00", "38400.00"),
        ("38400,5", "38400.50"),
        ("38 400,00", "38400.00"),
        ("38\u00a0400,00", "38400.00"),
        ("38,400.00", "38400.00"),
        ("38.400,00", "38400.00"),
        ("1,234,567", "1234567.00"),
        ("€38,400.00", "38400.00"),
        ("38 400,00 €", "38400.00"),
        ("0", "0.00"),
        ("9999999999.99", "9999999999.99"),
    ],
)
def test_cost_is_read_as_people_write_it(cell: str, amount: str):
    assert values.money(cell) == Decimal(amount)


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("38400.000", "has more than two decimals"),
        ("100.125", "has more than two decimals"),
        ("1234,567", "has more than two decimals"),
        ("0,125", "has more than two decimals"),
        ("38.400", "has more than two decimals"),
        ("38,400", "thousands or as three decimals"),
        ("-1", "is negative"),
        ("−38 400,00", "is negative"),
        ("(100.00)", "is negative"),
        ("-38400.125", "is negative"),
        ("1e5", "is not an amount"),
        ("NaN", "is not an amount"),
        ("Infinity", "is not an amount"),
        ("38 40", "is not an amount"),
        ("1,23,456.00", "is not an amount"),
        ("много", "is not an amount"),
        ("٣٨٤٠٠", "is not an amount"),
        ("10000000000", "more than the register holds"),
        ("9" * 150, "more than the register holds"),
        ("#REF!", "the error #REF! of a formula"),
    ],
)
def test_cost_that_is_unclear_negative_or_finer_than_cents_is_refused_in_words(cell: str, reason: str):
    with pytest.raises(Unclear) as refused:
        values.money(cell)

    assert reason in refused.value.text % refused.value.values


@pytest.mark.parametrize("cell", ["2026-01-31", "31.01.2026", "2026-01-31 00:00:00"])
def test_day_is_read_in_two_notations(cell: str):
    assert values.day(cell) == date(2026, 1, 31)


@pytest.mark.parametrize(
    "cell", ["31/01/2026", "01-31-2026", "31.02.2026", "46023", "2026-01-31 09:30:00", "1.1.26", "0026-01-01"]
)
def test_day_in_another_notation_or_that_never_was_is_refused(cell: str):
    with pytest.raises(Unclear):
        values.day(cell)


@pytest.mark.parametrize("cell", ["0", "-5", "2.5", "99999999999", "десять"])
def test_users_are_a_whole_number_from_1(cell: str):
    with pytest.raises(Unclear):
        values.users(cell)


# Files


def test_rows_keep_the_numbers_of_the_spreadsheet_over_empty_lines_and_cells_of_several_lines():
    content = csv_of("", "Компания;Город", "", '"ООО', 'Вектор";Тверь', ";", "Рута;Рига")

    table = read(content, "rows.csv", kind="customers")

    assert [(row.number, row.cells) for row in table.rows] == [
        (4, {"company": "ООО\nВектор", "city": "Тверь"}),
        (6, {"company": "Рута", "city": "Рига"}),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("headings", [("city", "COMPANY", "Time_Zone"), ("Город", "Компания", "Часовой пояс")])
def test_headings_are_known_in_both_languages_in_any_order(delimiter: str, headings: tuple[str, ...]):
    content = csv_of(delimiter.join(headings), delimiter.join(("Riga", "Ruta", "Europe/Riga")))

    table = read(content, "x.csv", kind="customers")

    assert table.rows[0].cells == {"company": "Ruta", "city": "Riga", "timezone": "Europe/Riga"}
    assert table.missing_columns == ["csm", "language"]


def test_unknown_columns_are_named_and_left_out():
    table = read(csv_of("company,ИНН,Notes", "Ruta,77,x"), "x.csv", kind="customers")

    assert table.ignored_columns == ["ИНН", "Notes"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf\r\n \r\n", "The file is empty."),
        (b"company,city\n", "The file has headings and no rows: there is nothing to import."),
        (b"a,b\n1,2\n", "The first row holds no heading that is known."),
        (b"city\nRiga\n", "The file has no column “Company”."),
        (b"company,customer\nA,B\n", "More than one column is “Company”: leave one of them."),
        (b'company,city\nA,B\n"A,B\n', "Line 3 cannot be read: a cell that holds quotation marks"),
        (b'company,city\n"A" B,C\n', "Line 2 cannot be read: a cell that holds quotation marks"),
        (b"company,city\nA\x00B,C\n", "Line 2 holds zero characters: this is not a text table."),
        ("company,city\nA,B\n".encode("utf-16-le"), "Line 1 holds zero characters"),
        ("company,city\nРога,Тверь\n".encode("cp1251"), "Line 2 cannot be read as UTF-8."),
        (b"\xff\xfec\x00\x00\xd8a\x00", "cannot be read as UTF-16"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This is an older workbook (.xls)"),
        (b"company\n" + b"x" * 10 * 1024 * 1024, "The file is larger than 10 MB: split it into several."),
    ],
)
def test_file_that_cannot_be_read_is_refused_in_a_sentence(content: bytes, words: str):
    with pytest.raises(NotReadable) as refused:
        read(content, "rows.csv", kind="customers")

    assert words in refused.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_read_with_and_without_its_mark(encoding: str):
    content = "Компания,Город\nРога и копыта,Тверь\n".encode(encoding)

    assert read(content, "x.csv", kind="customers").rows[0].cells["company"] == "Рога и копыта"


def test_windows_1251_is_read_where_it_is_chosen():
    content = "Компания;Город\nРога и копыта;Тверь\n".encode("cp1251")

    assert read(content, "x.csv", kind="customers", encoding=CYRILLIC).rows[0].cells["city"] == "Тверь"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_is_never_read_as_windows_1251(encoding: str):
    with pytest.raises(NotReadable, match="is Unicode, not Windows-1251"):
        read("Компания\nРога\n".encode(encoding), "x.csv", kind="customers", encoding=CYRILLIC)


def test_letter_that_windows_1251_does_not_have_names_the_line():
    with pytest.raises(NotReadable, match="Line 3 cannot be read as Windows-1251"):
        read(b"company\nA\n\x98\n", "x.csv", kind="customers", encoding=CYRILLIC)


def test_file_of_too_many_rows_is_refused():
    content = b"company\n" + b"x\n" * (MAX_ROWS + 1)

    with pytest.raises(NotReadable, match="more than 100,000 rows"):
        read(content, "x.csv", kind="customers")


# Workbooks


def test_workbook_gives_dates_numbers_and_yes_as_people_read_them():
    content = workbook(
        ("Company", "E-mail", "Full name", "Phone", "Responsible", "Responsible from"),
        (None,),
        ("Ruta", "a@ruta.example", "Anna Lis", 37120000001, True, date(2026, 1, 1)),
        sheets=("Второй",),
    )

    table = read(content, "people.xlsx", kind="contacts")

    assert [(row.number, row.cells) for row in table.rows] == [
        (
            3,
            {
                "company": "Ruta",
                "email": "a@ruta.example",
                "full_name": "Anna Lis",
                "phone": "37120000001",
                "responsible": "true",
                "since": "2026-01-01",
            },
        )
    ]
    assert table.ignored_sheets == ["Второй"]


def test_formula_without_a_counted_value_is_bad_and_not_silently_empty(db: None):
    content = workbook(("company", "city"), ("Ruta", "=A2"), ("=A2", None))

    found = runs.check(read(content, "x.xlsx", kind="customers"), at=TUESDAY_10)

    assert [[field for field, _words in said(checked)] for checked in found] == [["city"], ["company"]]
    assert "holds a formula whose value is not in the file" in said(found[0])[0][1]


def test_formula_gives_the_value_that_was_counted_last():
    content = workbook(("company", "city"), ("Ruta", "=CITY"))
    counted = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(counted, "w") as new:
        for part in old.namelist():
            body = old.read(part)
            if part == "xl/worksheets/sheet1.xml":
                body = body.replace(
                    b'<c r="B2"><f>CITY</f><v></v></c>', b'<c r="B2" t="str"><f>CITY</f><v>Riga</v></c>'
                )
                body = body.replace(b'<c r="B2"><f>CITY</f><v /></c>', b'<c r="B2" t="str"><f>CITY</f><v>Riga</v></c>')
            new.writestr(part, body)

    table = read(counted.getvalue(), "x.xlsx", kind="customers")

    assert table.rows[0].cells["city"] == "Riga"


@pytest.mark.parametrize("content", [b"PK\x03\x04 and nothing more", workbook(("company",), ("A",))[:-200]])
def test_broken_workbook_is_refused_in_a_sentence(content: bytes):
    with pytest.raises(NotReadable, match="damaged or is not an XLSX file"):
        read(content, "x.xlsx", kind="customers")


def test_archive_that_is_no_workbook_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr("hello.txt", "hello")

    with pytest.raises(NotReadable, match="damaged or is not an XLSX file"):
        read(stream.getvalue(), "x.xlsx", kind="customers")


def test_text_that_calls_itself_a_workbook_is_refused():
    with pytest.raises(NotReadable, match="it is not a workbook"):
        read(b"company\nA\n", "x.xlsx", kind="customers")


def test_zip_bomb_is_refused_before_it_is_unpacked():
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package,
        package.open("xl/worksheets/sheet1.xml", "w") as part,
    ):
        for _chunk in range(160):
            part.write(b" " * 1024 * 1024)
    assert len(stream.getvalue()) < 1024 * 1024

    with pytest.raises(NotReadable, match="Unpacked, the workbook is too large"):
        read(stream.getvalue(), "x.xlsx", kind="customers")


def test_workbook_with_entities_of_its_own_is_refused():
    content = io.BytesIO(workbook(("company",), ("A",)))
    with zipfile.ZipFile(content, "a") as package:
        package.writestr("xl/more.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')

    with pytest.raises(NotReadable, match="not one that a spreadsheet wrote"):
        read(content.getvalue(), "x.xlsx", kind="customers")


# Customers


def test_customers_are_new_changed_or_the_same_by_name_whatever_its_case_and_spaces(db: None):
    csm = a_csm(email="belova@vendor.example")
    CustomerFactory(name="ООО «Вектор»", city="Тверь")
    CustomerFactory(name="Northlake OÜ", csm=csm, city="Tallinn", language="en", timezone="Europe/Tallinn")

    found = check(
        "customers",
        "company,csm,time zone,language,city",
        "ооо  «вектор»,belova@vendor.example,,,Псков",
        "Northlake OÜ,Belova@vendor.example,Europe/Tallinn,english,Tallinn",
        "Ruta,,Europe/Riga,en,Riga",
    )

    assert verdicts(found) == ["changed", "same", "new"]
    assert [(change.field, change.old, change.new) for change in found[0].changes] == [
        ("csm", "", "belova@vendor.example"),
        ("city", "Тверь", "Псков"),
    ]


def test_bad_customer_names_all_its_reasons_each_at_its_field(db: None):
    UserFactory(engineer=True, email="guseva@vendor.example", full_name="Ольга Гусева")

    found = check(
        "customers",
        "company,csm,time zone,language,city",
        f",guseva@vendor.example,UTC+3,немецкий,{'x' * 81}",
        "A,nobody@vendor.example,,,",
        "B,,,,,surplus",
    )

    assert said(found[0]) == [
        ("company", "The cell is empty and must not be."),
        ("timezone", "There is no time zone named “UTC+3”: write one like Europe/Moscow."),
        ("language", "“немецкий” is not a language of ours: write ru or en."),
        ("city", "81 characters are too many: at most 80."),
        ("csm", "Ольга Гусева is not a Customer Success Manager who can sign in."),
    ]
    assert said(found[1]) == [("csm", "Nobody here has the address nobody@vendor.example.")]
    assert said(found[2]) == [
        ("", "The row has more cells than the table has headings: a delimiter stands inside a cell.")
    ]


def test_repeated_company_is_bad_and_contradicting_rows_are_all_bad(db: None):
    found = check("customers", "company,city", "A,Riga", " a ,Riga", "B,Riga", "B,Tartu")

    assert [said(checked) for checked in found] == [
        [],
        [("company", "Row 2 says the same already.")],
        [("company", "The file says something else of this in row 5: leave the one that is right.")],
        [("company", "The file says something else of this in row 4: leave the one that is right.")],
    ]


def test_empty_cell_never_erases_what_is_recorded(db: None):
    CustomerFactory(name="A", city="Riga")

    assert verdicts(check("customers", "company,city", "A,")) == ["same"]


# Licences


@pytest.fixture
def owner(db: None) -> Customer:
    ReleaseFactory()
    return CustomerFactory(name="Ruta")


def test_new_licence_is_written_as_the_row_says(owner: Customer):
    imported("licences", LICENCES, 'ruta,Продажи,on-site,25,"38 400,00",01.01.2026,31.12.2027,7.8.4')

    licence = Licence.objects.get(customer=owner)
    assert (licence.product.code, licence.deployment, licence.seats, licence.cost) == (
        "sales",
        "on-site",
        25,
        Decimal("38400.00"),
    )
    assert (licence.starts_on, licence.ends_on, str(licence.release)) == (
        date(2026, 1, 1),
        date(2027, 12, 31),
        "Продажи 7.8.4",
    )


def test_bad_licence_names_all_its_reasons_each_at_its_field(owner: Customer):
    ReleaseFactory(version="8.0-rc1", is_official=False)

    found = check(
        "licences",
        LICENCES,
        "Nobody,none,hybrid,0,-1,2026-31-01,yesterday,1",
        "Ruta,sales,on-site,1,100.125,2026-12-31,2026-01-01,8.0-rc1",
        "Ruta,sales,on-site,1,,2026-01-01,,9.9",
    )

    assert [field for field, _words in said(found[0])] == [
        "deployment",
        "seats",
        "cost",
        "starts_on",
        "ends_on",
        "company",
        "product",
    ]
    assert said(found[1]) == [
        ("cost", "“100.125” has more than two decimals: a cost is counted in whole cents, nothing is rounded here."),
        ("ends_on", "The licence ends on 01.01.2026, before it starts on 31.12.2026."),
        ("release", "Продажи 8.0-rc1 is not an official version: a licence is supported in an official one."),
    ]
    assert said(found[2]) == [
        ("cost", "The cell is empty and must not be."),
        ("release", "Продажи has no version “9.9”: a licence is supported in an official version."),
    ]


def test_licence_without_a_release_is_good_with_a_warning_that_activation_will_ask(owner: Customer):
    (checked,) = check("licences", LICENCES, "Ruta,sales,on-site,1,100,2026-01-01,,")

    assert checked.verdict == "new"
    assert [warning.words for warning in checked.warnings] == [
        "The installed version is not named: activating a contract will ask for it."
    ]


def test_known_licence_is_changed_or_the_same(owner: Customer):
    LicenceFactory(customer=owner, cost=Decimal("38400.00"), starts_on=date(2026, 1, 1))

    found = check(
        "licences",
        LICENCES,
        "Ruta,sales,on-site,30,40000,2026-01-01,,",
        "Ruta,sales,on-demand,30,40000,2026-01-01,,7.8.4",
    )

    assert verdicts(found) == ["changed", "new"]
    assert [(change.field, change.old, change.new) for change in found[0].changes] == [
        ("cost", "38400.00", "40000.00"),
        ("seats", "25", "30"),
    ]
    assert verdicts(check("licences", LICENCES, "Ruta,sales,on-site,25,38400,2026-01-01,,7.8.4")) == ["same"]


def test_licence_that_a_signed_contract_covers_keeps_its_cost(db: None):
    customer = a_customer(name="Ruta")
    number = contract_of(customer).number

    found = check("licences", LICENCES, "Ruta,sales,on-site,26,40000,2026-01-01,2025-12-31,")

    assert said(found[0]) == [
        ("ends_on", "The licence ends on 31.12.2025, before it starts on 01.01.2026."),
        ("cost", f"Contract {number} was signed for this licence at €100,000.00: its cost stays. Add a licence."),
        ("ends_on", f"Contract {number} covers this licence from 01.01.2026: it cannot end before."),
    ]
    assert verdicts(check("licences", LICENCES, "Ruta,sales,on-site,26,100000,2026-01-01,,")) == ["changed"]


def test_other_deployment_beside_a_signed_one_warns_that_it_is_a_second_licence(db: None):
    customer = a_customer(name="Ruta")
    number = contract_of(customer).number

    (checked,) = check("licences", LICENCES, "Ruta,sales,on-demand,1,100,2026-01-01,,7.8.4")

    assert checked.verdict == "new"
    assert [warning.words for warning in checked.warnings] == [
        f"Contract {number} was signed for this product with the other deployment, and that stays: this row adds a "
        "second licence.",
        f"Contract {number} will cover this licence by itself, with a line for the days left.",
    ]


def test_two_licences_alike_in_the_register_are_left_to_a_person(owner: Customer):
    LicenceFactory.create_batch(2, customer=owner)

    (checked,) = check("licences", LICENCES, "Ruta,sales,on-site,1,100,2026-01-01,,")

    assert said(checked) == [
        ("company", "2 such licences are written down: change the right one on the company's page.")
    ]


def test_drafts_derive_their_lines_anew_from_imported_licences(owner: Customer):
    draft = a_draft(owner, "business", starts_on=date(2026, 1, 1))
    assert draft.lines.count() == 0

    imported("licences", LICENCES, "Ruta,sales,on-site,25,38400,2026-01-01,,7.8.4")

    assert [line.amount for line in draft.lines.all()] == [Decimal("7680.00")]


# Contacts

PEOPLE = "company,e-mail,full name,position,phone,language,responsible,from"


@pytest.fixture
def company(db: None) -> Customer:
    return CustomerFactory(name="Ruta", language="en", timezone="Europe/Riga")


def test_new_people_cannot_sign_in_before_they_set_a_password_and_get_no_letter(company: Customer, mailoutbox: list):
    imported(
        "contacts",
        PEOPLE,
        "Ruta,Anna.Lis@ruta.example,Anna Lis,CIO,+371 2000,ru,yes,2026-01-01",
        "Ruta,ivo@ruta.example,Ivo Kalns,,,,no,",
    )

    anna, ivo = User.objects.filter(email__endswith="@ruta.example").order_by("email")
    assert (anna.email, anna.full_name, anna.role, anna.phone, anna.language) == (
        "anna.lis@ruta.example",
        "Anna Lis",
        "customer",
        "+371 2000",
        "ru",
    )
    assert (ivo.language, ivo.timezone) == ("en", "Europe/Riga")
    assert not anna.has_usable_password()
    assert anna.membership.customer == company and anna.membership.position == "CIO"
    contact = ResponsibleContact.objects.get()
    assert contact.user == anna
    assert contact.starts_at == datetime(2026, 1, 1, tzinfo=TUESDAY_10.tzinfo)
    assert mailoutbox == []


def test_bad_person_names_all_its_reasons_each_at_its_field(company: Customer):
    found = check(
        "contacts",
        PEOPLE,
        "Nobody,not an address,,x,y,klingon,maybe,tomorrow",
        "Ruta,ivo@ruta.example,Ivo Kalns,,,,no,2026-01-01",
    )

    assert [field for field, _words in said(found[0])] == [
        "email",
        "full_name",
        "language",
        "responsible",
        "since",
        "company",
    ]
    assert said(found[1]) == [("since", "A date stands here, but the person is not named the responsible contact.")]


def test_person_of_another_company_of_the_vendor_or_a_partner_is_refused(company: Customer):
    a_member(CustomerFactory(), email="else@other.example")
    UserFactory(engineer=True, email="engineer@vendor.example")
    UserFactory(partner=True, email="partner@p.example")

    found = check(
        "contacts",
        PEOPLE,
        "Ruta,else@other.example,A B,,,,,",
        "Ruta,Engineer@vendor.example,A B,,,,,",
        "Ruta,partner@p.example,A B,,,,,",
    )

    of_the_house = "%s belongs to somebody who is not of a customer: such a person is not imported."
    assert [said(checked) for checked in found] == [
        [("email", "else@other.example belongs to a person of another company.")],
        [("email", of_the_house % "engineer@vendor.example")],
        [("email", of_the_house % "partner@p.example")],
    ]


def test_known_person_is_changed_or_the_same(company: Customer):
    anna = a_contact(company, email="anna@ruta.example", full_name="Anna Lis", phone="1")

    found = check("contacts", PEOPLE, "Ruta,anna@ruta.example,Anna Liepa,CIO,2,,yes,")

    assert [(change.field, change.old, change.new) for change in found[0].changes] == [
        ("full_name", "Anna Lis", "Anna Liepa"),
        ("phone", "1", "2"),
        ("position", "", "CIO"),
    ]
    assert verdicts(check("contacts", PEOPLE, f"Ruta,{anna.email},Anna Lis,,1,,yes,2026-02-01")) == ["same"]


def test_person_without_a_company_joins_the_one_that_the_row_names(company: Customer):
    person = UserFactory(email="anna@ruta.example", full_name="Anna Lis")

    imported("contacts", PEOPLE, "Ruta,anna@ruta.example,Anna Lis,CIO,,,,")

    assert CustomerMember.objects.get(user=person).customer == company


def test_second_responsible_contact_at_one_moment_is_refused_in_words(db: None):
    customer = a_customer(name="Ruta")
    other = observer_of(customer)
    name = contact_of(customer).full_name

    found = check("contacts", PEOPLE, f"Ruta,{other.email},{other.full_name},,,,yes,2027-01-01")

    assert said(found[0]) == [
        (
            "responsible",
            f"{name} is the responsible contact of this company then: a second one cannot be, and a change is "
            "agreed by both sides on its own page.",
        )
    ]


def test_two_responsible_contacts_of_one_company_in_the_file_are_both_refused(company: Customer):
    found = check(
        "contacts",
        PEOPLE,
        "Ruta,anna@ruta.example,Anna Lis,,,,yes,2026-01-01",
        "Ruta,ivo@ruta.example,Ivo Kalns,,,,да,2026-06-01",
    )

    assert [said(checked) for checked in found] == [
        [
            (
                "responsible",
                f"The file names another responsible contact of this company in row {row}: there is exactly one.",
            )
        ]
        for row in (3, 2)
    ]


def test_responsible_contact_is_not_taken_away_by_a_no(db: None):
    customer = a_customer(name="Ruta")
    person = contact_of(customer)

    (checked,) = check("contacts", PEOPLE, f"Ruta,{person.email},{person.full_name},,,,no,")

    assert said(checked) == [
        (
            "responsible",
            f"{person.full_name} is the responsible contact, and there is exactly one: hand over to somebody else "
            "first.",
        )
    ]


def test_contact_speaks_until_the_planned_one(company: Customer):
    later = datetime(2027, 1, 1, tzinfo=TUESDAY_10.tzinfo)
    a_contact(company, since=later, full_name="Ivo Kalns")

    run = imported("contacts", PEOPLE, "Ruta,anna@ruta.example,Anna Lis,,,,yes,")

    first, _second = ResponsibleContact.objects.order_by("starts_at")
    assert (first.user.email, first.starts_at, first.ends_at) == ("anna@ruta.example", TUESDAY_10, later)
    assert run.warned == 1


# The dry run and the decision


def many(good: int, bad: int) -> list[str]:
    lines = ["company,time zone,city"]
    for number in range(good + bad):
        zone = "Mars/Olympus" if number % 270 == 17 and number // 270 < bad else "Europe/Moscow"
        lines.append(f"Company {number},{zone},Тверь")
    return lines


def test_10000_rows_with_37_bad_ones_name_exactly_37_and_the_others_wait(db: None):
    by = a_contract_admin()

    run = runs.read_and_keep(csv_of(*many(9_963, 37)), "many.csv", kind="customers", by=by, at=TUESDAY_10)

    assert (run.new, run.changed, run.same, run.bad) == (9_963, 0, 0, 37)
    bad = run.rows.filter(verdict="bad")
    assert list(bad.values_list("number", flat=True)) == [270 * number + 17 + 2 for number in range(37)]
    assert {(row.problems[0]["field"], len(row.problems)) for row in bad} == {("timezone", 1)}
    assert Customer.objects.count() == 0

    assert runs.carry_out(run, by=by, at=TUESDAY_10) is Outcome.IMPORTED
    assert Customer.objects.count() == 9_963
    assert runs.carry_out(run, by=by, at=TUESDAY_10) is Outcome.ALREADY
    assert Customer.objects.count() == 9_963


def _rows_of(kind: str, count: int) -> list[str]:
    numbers = range(count)
    if kind == "customers":
        return ["company,csm,city", *(f"Ruta {number},belova@vendor.example,Riga" for number in numbers)]
    if kind == "licences":
        return [
            LICENCES,
            *(f"Ruta,sales,on-site,1,100,{date(2026, 1, 1).replace(year=2000 + number)},,7.8.4" for number in numbers),
        ]
    return [PEOPLE, *(f"Ruta,p{number}@ruta.example,Person {number},,,,," for number in numbers)]


@pytest.mark.parametrize("kind", ["customers", "licences", "contacts"])
def test_dry_run_and_import_cost_the_same_statements_for_10_and_100_rows(db: None, kind: str):
    customer = a_customer(name="Ruta")
    a_csm(email="belova@vendor.example")
    by = a_contract_admin()
    assert customer.pk

    costs = []
    for count in (3, 10, 100):  # the first fills the registers: an empty one saves its statement
        with CaptureQueriesContext(connection) as dry:
            run = runs.read_and_keep(csv_of(*_rows_of(kind, count)), "x.csv", kind=kind, by=by, at=TUESDAY_10)
        with CaptureQueriesContext(connection) as writing:
            assert runs.carry_out(run, by=by, at=TUESDAY_10) is Outcome.IMPORTED
        costs.append((len(dry), len(writing)))

    assert costs[1] == costs[2]


def test_dry_run_alone_writes_nothing_to_the_registers(company: Customer):
    by = a_contract_admin()
    before = (Customer.objects.count(), User.objects.count(), CustomerMember.objects.count())

    runs.read_and_keep(
        csv_of(PEOPLE, "Ruta,anna@ruta.example,Anna Lis,,,,yes,"), "p.csv", kind="contacts", by=by, at=TUESDAY_10
    )

    assert (Customer.objects.count(), User.objects.count(), CustomerMember.objects.count()) == before
    assert ResponsibleContact.objects.count() == 0


def test_database_that_changed_between_is_shown_anew_and_nothing_is_written(db: None):
    by = a_contract_admin()
    CustomerFactory(name="A", city="Riga")
    run = runs.read_and_keep(
        csv_of("company,city", "A,Tartu", "B,Tartu"), "x.csv", kind="customers", by=by, at=TUESDAY_10
    )
    Customer.objects.filter(name="A").update(city="Pärnu")

    assert runs.carry_out(run, by=by, at=TUESDAY_10) is Outcome.READS_OTHERWISE

    run.refresh_from_db()
    assert run.waits and list(Customer.objects.values_list("name", "city")) == [("A", "Pärnu")]
    assert run.rows.get(number=2).changes == [{"field": "city", "old": "Pärnu", "new": "Tartu"}]
    assert runs.carry_out(run, by=by, at=TUESDAY_10) is Outcome.IMPORTED
    assert list(Customer.objects.order_by("name").values_list("name", "city")) == [("A", "Tartu"), ("B", "Tartu")]


def test_row_that_became_bad_between_stops_the_whole_import(company: Customer):
    by = a_contract_admin()
    run = runs.read_and_keep(
        csv_of(PEOPLE, "Ruta,anna@ruta.example,Anna Lis,,,,yes,", "Ruta,ivo@ruta.example,Ivo Kalns,,,,,"),
        "p.csv",
        kind="contacts",
        by=by,
        at=TUESDAY_10,
    )
    a_contact(company)

    assert runs.carry_out(run, by=by, at=TUESDAY_10) is Outcome.READS_OTHERWISE

    run.refresh_from_db()
    assert (run.new, run.bad) == (1, 1)
    assert not User.objects.filter(email__endswith="@ruta.example").exists()


def test_licence_signed_for_between_the_dry_run_and_the_import_keeps_its_cost(owner: Customer):
    by = a_contract_admin()
    LicenceFactory(customer=owner, cost=Decimal("38400.00"))
    a_contact(owner)
    run = runs.read_and_keep(
        csv_of(LICENCES, "Ruta,sales,on-site,25,40000,2026-01-01,,"), "l.csv", kind="licences", by=by, at=TUESDAY_10
    )
    signing.activate(a_draft(owner, "business", by=by), by=by, at=TUESDAY_10)

    assert runs.carry_out(run, by=by, at=TUESDAY_10) is Outcome.READS_OTHERWISE
    assert Licence.objects.get().cost == Decimal("38400.00")


def test_dropped_run_forgets_its_rows_and_is_not_imported(db: None):
    by = a_contract_admin()
    run = runs.read_and_keep(csv_of("company", "A"), "x.csv", kind="customers", by=by, at=TUESDAY_10)

    assert (runs.drop(run, by=by, at=TUESDAY_10), runs.drop(run, by=by, at=TUESDAY_10)) == (True, False)

    assert ImportRow.objects.count() == 0
    with pytest.raises(runs.NotImported, match="was dropped"):
        runs.carry_out(run, by=by, at=TUESDAY_10)
    assert Customer.objects.count() == 0


def test_imported_run_cannot_be_dropped_and_one_without_good_rows_not_imported(db: None):
    by = a_contract_admin()
    done = imported("customers", "company", "A", by=by)
    nothing = runs.read_and_keep(csv_of("company", "A"), "x.csv", kind="customers", by=by, at=TUESDAY_10)

    with pytest.raises(runs.NotImported, match="imported already"):
        runs.drop(done, by=by, at=TUESDAY_10)
    with pytest.raises(runs.NotImported, match="no good row"):
        runs.carry_out(nothing, by=by, at=TUESDAY_10)


@pytest.mark.parametrize("role", ["csm", "manager", "engineer"])
def test_only_the_contract_administrator_imports(db: None, role: str):
    with pytest.raises(Forbidden):
        runs.read_and_keep(
            csv_of("company", "A"), "x.csv", kind="customers", by=UserFactory(**{role: True}), at=TUESDAY_10
        )


# Files that go out


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_bad_rows_come_back_mended_with_their_own_text(company: Customer, form: str, language: str):
    by = a_contract_admin()
    line = "Ruta,anna@ruta.example,=HYPERLINK(),-x,+371 2000,klingon,,"
    run = runs.read_and_keep(csv_of(PEOPLE, line), "p.csv", kind="contacts", by=by, at=TUESDAY_10)

    with translation.override(language):
        content = exporting.bad_rows(run, form)

    again = read(content, f"bad.{form}", kind="contacts")
    assert again.rows[0].cells == {
        column.code: run.rows.get().cells.get(column.code, "") for column in columns.COLUMNS["contacts"]
    }
    assert again.ignored_columns == []


def test_formulas_in_the_file_of_bad_rows_are_disarmed(company: Customer):
    by = a_contract_admin()
    line = "Ruta,anna@ruta.example,=1+1,@SUM,+371,klingon,,"
    run = runs.read_and_keep(csv_of(PEOPLE, line), "p.csv", kind="contacts", by=by, at=TUESDAY_10)

    text = exporting.bad_rows(run, "csv").decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(exporting.bad_rows(run, "xlsx")))

    assert "Ruta;anna@ruta.example;'=1+1;'@SUM;'+371;klingon;;;Language: “klingon” is not a language" in text
    assert {cell.data_type for row in book.active.iter_rows(min_row=2) for cell in row if cell.value} == {"s"}


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "ru"])
def test_examples_are_good_files(db: None, form: str, language: str):
    ProductFactory()
    for kind in ("customers", "licences", "contacts"):
        with translation.override(language):
            content = exporting.example(kind, form)
        table = read(content, f"example.{form}", kind=kind)
        found = runs.check(table, at=TUESDAY_10)

        assert (verdicts(found), table.ignored_columns, table.missing_columns) == (["new", "new"], [], [])
        run = runs.keep(table, file_name="example", by=a_contract_admin(), at=TUESDAY_10)
        assert runs.carry_out(run, by=a_contract_admin(), at=TUESDAY_10) is Outcome.IMPORTED
