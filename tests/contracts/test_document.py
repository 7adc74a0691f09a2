"""The contract as a document is read back from its PDF: arithmetic, matrix, times, clauses, people, hostile text."""

import re
import sys
import threading
import time
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from django.utils import translation
from pypdf import PdfReader
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Paragraph

from contracts import signing
from contracts.document import contract_pdf, paper
from contracts.document.paper import NO_SIGN, register_fonts, shown
from contracts.models import ContractClause, Service
from tests.factories import (
    MOSCOW,
    SIGNED_AT,
    CustomerFactory,
    LicenceFactory,
    ProductFactory,
    ReleaseFactory,
    a_contact,
    a_contract_admin,
    a_csm,
    a_customer,
    a_draft,
    a_member,
    contract_of,
    topic,
)

pytestmark = pytest.mark.django_db

LATER = datetime(2026, 9, 20, 12, 0, tzinfo=MOSCOW)


def pdf_of(contract, language="en", at=LATER) -> PdfReader:
    return PdfReader(BytesIO(contract_pdf(contract, language=language, at=at)))


def words_of(contract, language="en", at=LATER) -> str:
    """All words of the document on one line, running heads and feet left in place."""
    return flat("\n".join(page.extract_text() for page in pdf_of(contract, language, at).pages))


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def amounts(text: str) -> list[Decimal]:
    return [Decimal(found.replace(",", "")) for found in re.findall(r"€([\d,]+\.\d\d)(?!\d)", text)]


@pytest.fixture
def often_interrupted():
    """Threads take turns every few instructions, so that what they share by mistake shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def admin():
    return a_contract_admin(full_name="Ирина Савина")


@pytest.fixture
def customer():
    """On-site and on-demand licences that stay below the minimum of Premium."""
    company = CustomerFactory(name="ООО «Ветролог»", csm=a_csm(full_name="Анна Белова"))
    a_contact(company, full_name="Андрей Воронцов")
    LicenceFactory(customer=company, cost=Decimal("30000.00"))
    LicenceFactory(customer=company, cost=Decimal("8333.33"), deployment="on-demand")
    return company


@pytest.fixture
def draft(customer, admin):
    return a_draft(customer, "premium", by=admin, ends_on=date(2027, 3, 31))


@pytest.fixture
def signed(draft, admin):
    return signing.activate(draft, by=admin, at=SIGNED_AT)


# Price


def test_arithmetic_stands_line_by_line():
    words = words_of(contract_of(a_customer("premium", cost="38400.00")))

    assert "25 % of €38,400.00 = €9,600.00; minimum €10,000.00 applies" in words
    assert "€400.00 more, to the minimum of €10,000.00 €400.00" in words
    assert "Price of one year €10,000.00" in words
    assert "1 year × €10,000.00 = €10,000.00" in words
    assert "Price of the term €10,000.00" in words


def test_lines_of_licences_add_up_to_the_year_to_the_cent(signed):
    words = words_of(signed)
    licences = words.split("Licences covered from the first day")[1].split("What lifts the price")[0]

    *lines, total = amounts(licences)
    assert sum(lines[1::2]) == total == Decimal("10000.00")
    assert sum(lines[:-1:2]) == lines[-1] == Decimal("38333.33")


def test_added_licences_stand_apart_with_their_days(signed, customer):
    LicenceFactory(customer=customer, cost=Decimal("10000.00"), starts_on=date(2026, 6, 15))
    signing.cover_added_licences(signed, on=date(2026, 6, 15))

    words = words_of(signed)

    assert "200 of 365 days of the contract year left (15 Jun 2026 to 31 Dec 2026)" in words
    assert "200/365 × €2,500.00 = €1,369.86" in words
    assert "90/365 × €2,500.00 = €616.44" in words
    assert "Added licences together €10,000.00 €1,986.30" in words
    assert "Price of the term €12,465.75 Added licences together €1,986.30 Whole price €14,452.05" in words


def test_draft_without_licences_says_that_it_has_no_price(admin):
    company = CustomerFactory()

    assert "There is no price yet" in words_of(a_draft(company, by=admin))


# What it includes, how soon


@pytest.mark.parametrize("package", ["basic", "business", "premium"])
def test_matrix_tells_every_service_by_sign_and_words(package):
    contract = contract_of(a_customer(package))
    included = set(contract.terms.services.values_list("pk", flat=True))
    words = words_of(contract)

    for service in Service.objects.all():
        verdict = "✓ included" if service.pk in included else "— not included"
        assert f"{service.name_en} {verdict}" in words, service.pk


def test_service_hours_and_channels_are_told():
    words = words_of(contract_of(a_customer("basic")))

    assert "Service hours: Mon–Fri 09:00–18:00, Moscow time (UTC+03:00)." in words
    assert "Phone — not included needs the service “Online support: phone, chat, remote connection”" in words
    assert "Portal ✓ included at any time; promised times are counted in service hours" in words


def test_premium_promises_reaction_and_resolution():
    words = words_of(contract_of(a_customer("premium")))

    assert "The system does not work at all. 30 minutes 2 hours 1 hour" in words
    assert re.search(r"Main functions cannot be performed.{,80}2 hours 2 working days 4 hours", words)
    assert re.search(r"affect what the software does.{,40}20 working days|20 working days.{,40}software does", words)
    assert "service is restored so that the priority drops to 3 or 4" in words
    assert "N working days are N × 9 working hours" in words


def test_basic_guarantees_no_resolution_and_says_so():
    words = words_of(contract_of(a_customer("basic")))

    assert "Resolution, guaranteed" not in words
    assert "it guarantees no time of resolution" in words


# Clauses


def test_clauses_say_where_they_override_the_package(draft, admin):
    clause = ContractClause.objects.create
    clause(contract=draft, topic=topic("network_os"), text_ru="Сети включены.", text_en="Networks are included.")
    clause(contract=draft, kind="reaction", priority=1, minutes=15, text_ru="За 15 минут.", text_en="In 15 minutes.")
    words = words_of(signing.activate(draft, by=admin, at=SIGNED_AT))

    assert "“Network and operating system” is included by clause 7.1." in words
    assert "7.1 Networks are included. Overrides the package. Includes the topic" in words
    assert "15 minutes by clause 7.2 (the package: 30 minutes)" in words
    assert "Priority 1, reaction: 15 minutes (the package: 30 minutes)." in words


def test_service_of_a_clause_is_in_the_matrix(admin):
    company = CustomerFactory()
    a_contact(company)
    LicenceFactory(customer=company)
    draft = a_draft(company, "basic", by=admin)
    ContractClause.objects.create(contract=draft, service_id="csm", text_ru="Свой CSM.", text_en="")

    words = words_of(draft)

    assert "Dedicated Customer Success Manager ✓ included by clause 7.1" in words
    assert "7.1 Свой CSM." in words  # in the other language rather than not at all


def test_without_clauses_outside_support_is_named(signed):
    words = words_of(signed)

    assert "Outside support are: Network and operating system." in words
    assert "There are none: the package applies as it is." in words


# Who, when, which state


def test_people_and_signature_stand_with_their_moments(signed):
    words = words_of(signed)

    assert "Responsible contact Андрей Воронцов since 1 Jan 2026, 09:00 Moscow time (UTC+03:00)" in words
    assert "Customer Success Manager Анна Белова" in words
    assert "Signed by Ирина Савина 1 Jan 2026, 09:00 Moscow time (UTC+03:00)" in words


def test_draft_is_marked_on_every_page(draft):
    pages = [flat(page.extract_text()) for page in pdf_of(draft).pages]

    assert all(page.count("Draft, not signed") >= 2 for page in pages)
    assert "As of 20 Sep 2026, 12:00 Moscow time (UTC+03:00)" in pages[0]


def test_signed_contract_bears_no_mark(signed):
    assert "Draft" not in words_of(signed)


def test_terminated_contract_says_when_and_why(signed, admin):
    signing.terminate(signed, by=admin, at=LATER, reason="Компания ликвидируется.")
    pages = [flat(page.extract_text()) for page in pdf_of(type(signed).objects.get(pk=signed.pk)).pages]

    assert all("Terminated, last day 20 Sep 2026" in page for page in pages)
    assert "Terminated: the last day is 20 Sep 2026 Reason: Компания ликвидируется." in pages[0]


def test_number_and_pages_stand_at_the_foot(signed):
    pages = pdf_of(signed).pages

    for number, page in enumerate(pages, start=1):
        words = flat(page.extract_text())
        assert f"Page {number} of {len(pages)}" in words
        assert f"Support contract № {signed.number} · ООО «Ветролог»" in words


# As it was signed


def test_document_of_the_signing_stays_the_same_whatever_comes_later(signed, customer, admin):
    at_once = contract_pdf(signed, language="ru", at=SIGNED_AT)

    LicenceFactory(customer=customer, cost=Decimal("10000.00"), starts_on=date(2026, 6, 15))
    signing.cover_added_licences(signed, on=date(2026, 6, 15))
    moment = datetime(2026, 7, 1, 12, tzinfo=MOSCOW)
    ContractClause.objects.create(contract=signed, text_ru="Позже.", text_en="Later.", starts_at=moment)
    successor = a_member(customer, full_name="Вера Фадеева")
    signing.hand_over_contact(customer, to=successor, by=admin, at=moment, reason="Отпуск")
    signing.terminate(signed, by=admin, at=LATER, reason="Конец.")
    later = type(signed).objects.get(pk=signed.pk)

    assert contract_pdf(later, language="ru", at=SIGNED_AT) == at_once
    assert "Вера Фадеева" in words_of(later)


def test_same_rows_give_the_same_bytes(signed):
    again = type(signed).objects.get(pk=signed.pk)

    assert contract_pdf(signed, language="en", at=LATER) == contract_pdf(again, language="en", at=datetime.now(MOSCOW))


# Languages


def test_russian_document_reads_in_cyrillic(signed):
    document = pdf_of(signed, "ru")
    words = flat("\n".join(page.extract_text() for page in document.pages))

    assert "ООО «Ветролог»" in words
    assert "€10 000,00" in words
    assert "Онлайн-поддержка: телефон, чат, удалённое подключение ✓" in words
    assert document.trailer["/Root"]["/Lang"] == "ru"
    assert document.metadata.author == "Veskora"
    assert signed.number in document.metadata.title


def test_language_is_not_that_of_the_reader(signed):
    with translation.override("ru"):
        russian_reader = contract_pdf(signed, language="en", at=LATER)
    with translation.override("en"):
        assert contract_pdf(signed, language="en", at=LATER) == russian_reader


def test_other_languages_are_refused(signed):
    with pytest.raises(ValueError, match="'de'"):
        contract_pdf(signed, language="de", at=LATER)


# Hostile and long


@pytest.mark.parametrize(
    ("typed", "drawn"),
    [
        ("<b>x</b> & y", "<b>x</b> & y"),
        ("a\x00b\x07", f"a{NO_SIGN}b{NO_SIGN}"),
        ("да 😀", f"да {NO_SIGN}"),
        ("evil\u202etxt", f"evil{NO_SIGN}txt"),
        ("שלום", NO_SIGN * 4),
        ("и\u0306", "й"),
        ("one\r\ntwo\tthree", "one\ntwo three"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
    ],
)
def test_signs_that_cannot_be_drawn_are_seen(typed, drawn):
    assert shown(typed) == drawn


def test_fonts_draw_every_sign_that_contracts_use():
    alphabet = "".join(chr(code) for code in range(ord("А"), ord("я") + 1))
    assert {ord(sign) for sign in f"€✓—№×·«»“”–…≈≥−□Ёё{alphabet}"} <= register_fonts()


def test_hostile_and_long_text_is_printed_as_it_is(admin):
    company = CustomerFactory(name="<b>ООО & «Рога»</b> 😀 " + "Ы" * 120)
    a_contact(company, full_name="<script>alert(1)</script>")
    product = ProductFactory(code="long", name="W" * 120)
    LicenceFactory(customer=company, cost=Decimal("9999999999.99"), release=ReleaseFactory(product=product))
    draft = a_draft(company, "business", by=admin, number="<i>&" + "8" * 36)
    ContractClause.objects.create(
        contract=draft, text_ru="<para>&amp; " + "слово " * 3000 + "я" * 5000, text_en="<img src='x'/> مرحبا\nline"
    )
    signing.activate(draft, by=admin, at=SIGNED_AT)
    signing.terminate(draft, by=admin, at=LATER, reason="Причина " * 2000)

    for language in ("ru", "en"):
        words = words_of(type(draft).objects.get(pk=draft.pk), language)
        assert "<b>ООО & «Рога»</b> □" in words
        assert "<script>alert(1)</script>" in words
    assert "<img src='x'/> □□□□□ line" in words


def test_two_hundred_licences_run_over_pages_with_the_head_repeated(admin):
    company = CustomerFactory()
    a_contact(company)
    release = ReleaseFactory()
    for number in range(200):
        LicenceFactory(customer=company, release=release, cost=Decimal("1234.56") + number)
    contract = signing.activate(a_draft(company, "business", by=admin), by=admin, at=SIGNED_AT)

    contract_pdf(contract, language="en", at=LATER)
    began = time.process_time()
    document = pdf_of(contract)
    assert time.process_time() - began < 1.5  # 0.25 s here; the limit only catches a slip into minutes

    pages = [flat(page.extract_text()) for page in document.pages]
    of_licences = [page for page in pages if "Продажи 7.8.4" in page]
    assert len(of_licences) > 3
    assert all("Licence cost" in page for page in of_licences)
    assert sum(page.count("Продажи 7.8.4") for page in pages) == 200
    total = sum((line.amount for line in contract.lines.all()), Decimal(0))
    assert f"€{total:,.2f}" in pages[0]


def test_licences_cost_no_more_statements(admin, django_assert_max_num_queries):
    company = CustomerFactory()
    a_contact(company)
    for _number in range(5):
        LicenceFactory(customer=company)
    contract = signing.activate(a_draft(company, "business", by=admin), by=admin, at=SIGNED_AT)

    with django_assert_max_num_queries(20):
        contract_pdf(type(contract).objects.get(pk=contract.pk), language="en", at=LATER)


def test_documents_that_are_drawn_at_once_keep_their_own_letters(often_interrupted):
    register_fonts()
    texts = ["абвгдежз", "ийклмноп", "рстуфхцч", "шщъыьэюя"]
    start, drawn, troubles = threading.Barrier(len(texts)), [], []

    def draw(text: str) -> None:
        start.wait()
        try:
            for _ in range(30):
                story = [Paragraph(text, ParagraphStyle("plain", fontName=paper.REGULAR))]
                sheet = paper.Sheet("Veskora", text, text, "", "")
                drawn.append((text, paper.pdf(story, sheet, language="ru", subject=text)))
        except Exception as trouble:  # told below
            troubles.append(trouble)

    threads = [threading.Thread(target=draw, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (troubles, len(drawn)) == ([], 120)
    assert all(text in PdfReader(BytesIO(body)).pages[0].extract_text() for text, body in drawn[::5])
