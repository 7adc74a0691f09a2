"""Search: word forms, numbers, addresses, versions, files, typos; nobody finds what they may not read (§6, §7)."""

import json
from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.factories import a_customer, an_engineer, contact_of, open_ticket
from tests.moments import tuesday
from tickets import workflow
from tickets.models import SearchDocument
from tickets.models.search import PENDING_KB
from tickets.search import Search, suggest
from tickets.search_index import learn_words, read_tickets

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
CASES = Path(__file__).resolve().parents[3] / "shared" / "cases" / "ru_search.json"


def finds(user, q, **filters):
    return Search(q=q, **filters).find(user, NOW).keys


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Очередь заявок стоит", "заявка"),
        ("Нет писем", "письмо"),
        ("Отчёт за месяц", "отчет"),
        ("Отчет за месяц", "отчёт"),
        ("Printing labels fails", "print label"),
        ("Версия 7.14.2.1045", "7.14.2"),
        ("Ошибка ORA-00942 при импорте", "ora-00942"),
        ("Письмо от ivan.petrov@example.ru", "ivan.petrov@example.ru"),
        ("Смотрите https://example.ru/help/page", "example.ru"),
        ("Файл отчет_2024.xlsx", "отчет"),
        ("Ошибка в on-site версии", "onsite"),
        ("Сбoй с латинской о", "сбой"),
        ("Все люди в отделе", "человек"),
        ("Не строится сводный отчет", '"сводный отчет"'),
        ("Обращение закрыто", "j,hfotybt"),
        ("Лицензия просрочена", "лицензя"),
        ("Импорт остановился", "импрот"),
        ("Сервер не отвечает", "сервре"),
        ("Выгрузка в Excel пуста", "exel"),
        ("Печать не идёт", "печтаь"),
    ],
)
def test_search_finds(text, query):
    ticket = open_ticket(subject="Тема", body=text)
    learn_words(10)

    assert finds(an_engineer(), query) == [ticket.pk]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Версия 7.14.21", "7.14.2"),
        ("Ошибка ORA-00942", "ORA-00943"),
        ("Отчет сводный", '"сводный отчет"'),
        ("Сводный отчет", "отчет -сводный"),
        ("Портал клиента", "порт"),
    ],
)
def test_search_does_not_find(text, query):
    open_ticket(subject="Тема", body=text)

    assert finds(an_engineer(), query) == []


def test_words_of_the_subject_and_of_a_reply_are_found_together():
    ticket = open_ticket(subject="Печать ярлыков", body="Не работает")
    workflow.reply(ticket, by=an_engineer(), at=tuesday(11), body="Обновите драйвер")

    assert finds(an_engineer(), "ярлык драйвер") == [ticket.pk]
    assert finds(an_engineer(), "драйвер", where="subject") == []


def test_file_is_found_by_its_name():
    ticket = open_ticket()
    upload = workflow.Upload("trace_log-77.zip", "application/zip", BytesIO(b"x"), 1)
    workflow.reply(ticket, by=an_engineer(), at=tuesday(11), body="Файл", files=[upload])

    assert finds(an_engineer(), "trace_log-77.zip", where="files") == [ticket.pk]


def test_customer_never_finds_by_an_internal_note():
    ticket = open_ticket()
    workflow.note(ticket, by=an_engineer(), at=tuesday(11), body="Клиент капризный, потерян сертификат 4.5.6")
    contact = contact_of(ticket.customer)

    assert finds(an_engineer(), "капризный сертификат 4.5.6") == [ticket.pk]
    for query in ("капризный", "~капризн", "4.5.6", "капризн", "капризнй"):
        learn_words(10)
        assert finds(contact, query) == []
        assert suggest(contact, query).tickets == []


def test_customer_never_finds_anothers_ticket_nor_learns_its_words(client):
    ticket = open_ticket(subject="Сверхсекретный слияние", body="Тайна проекта Гиперборея")
    learn_words(10)
    stranger = contact_of(a_customer())
    client.force_login(stranger)

    for query in ("слияние", "Гиперборея", "гипербрея", f"@c{ticket.customer_id}", str(ticket.number)):
        page = client.get(reverse("portal:search"), {"q": query})
        hints = client.get(reverse("portal:suggest"), {"q": query})
        assert (page.status_code, hints.status_code) == (200, 200)
        assert "сверхсекретный" not in (page.content + hints.content).decode().lower()
        assert finds(stranger, query) == []


def test_number_alone_leads_to_the_ticket(client):
    ticket = open_ticket()
    client.force_login(an_engineer())

    answer = client.get(reverse("desk:search"), {"q": f"№ {ticket.number}"})

    assert (answer.status_code, answer.url) == (302, reverse("desk:ticket", args=[ticket.number]))


@pytest.mark.parametrize(
    "query",
    [
        "'",
        '"',
        "'':*",
        "a & | !",
        "\0",
        "((((",
        "-",
        "-слово",
        "\\",
        "%",
        "~",
        "@c1",
        "слово" * 2000,
        "<->",
        "‘’",
        "☃",
        "\ud800",
    ],
)
@pytest.mark.parametrize("where", ["", "subject", "files"])
def test_whatever_is_typed_is_no_error(client, query, where):
    open_ticket()
    engineer = an_engineer()
    client.force_login(engineer)

    asked = urlencode({"q": query, "where": where, "after": query}, errors="surrogatepass")
    assert client.get(f"{reverse('desk:search')}?{asked}").status_code == 200
    assert client.get(f"{reverse('desk:suggest')}?{asked}").status_code == 200
    assert Search(q=query, where=where).find(engineer, NOW).count == 0


def test_snippets_mark_the_words_and_escape_the_rest(client):
    open_ticket(subject="Сбой <b>", body="<script>alert(1)</script> нет писем с утра")
    client.force_login(an_engineer())

    page = client.get(reverse("desk:search"), {"q": "письмо"}).content.decode()

    assert "<mark>писем</mark>" in page and "&lt;script&gt;" in page
    assert "<script>alert" not in page


def test_one_and_three_finds_cost_the_same(client):
    customer = a_customer()
    client.force_login(an_engineer())

    def statements():
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert client.get(reverse("desk:search"), {"q": "карточка"}).status_code == 200
        return len(found)

    open_ticket(customer)
    statements()
    one = statements()
    open_ticket(customer)
    open_ticket(customer)

    assert statements() == one


def test_pages_follow_each_other_and_lose_nothing(monkeypatch):
    monkeypatch.setattr("tickets.search.PAGE", 2)
    customer = a_customer()
    tickets = [open_ticket(customer, subject=f"Сбой {n}").pk for n in range(3)]
    engineer = an_engineer()

    first = Search(q="сбой").find(engineer, NOW)
    second = Search(q="сбой", after=first.after).find(engineer, NOW)

    assert (first.keys + second.keys, second.after) == (tickets[::-1], "")


def test_tickets_from_before_the_search_are_read_by_the_job():
    ticket = open_ticket(subject="Старое обращение")
    workflow.reply(ticket, by=an_engineer(), at=tuesday(11), body="Перезагрузите сервер")
    whole = SearchDocument.objects.values_list("document", flat=True).get()
    SearchDocument.objects.all().delete()

    assert read_tickets(0, 10) == [ticket.pk]
    assert read_tickets(0, 10) == []
    assert SearchDocument.objects.values_list("document", flat=True).get() == whole


def test_changed_message_is_found_by_its_new_words_only():
    ticket = open_ticket(body="Ярлыки")
    ticket.messages.update(body="Накладные")

    assert finds(an_engineer(), "ярлык") == []
    assert finds(an_engineer(), "накладная") == [ticket.pk]


def test_a_ticket_is_found_by_who_asked_and_by_its_contract():
    ticket, other = open_ticket(), open_ticket()
    contact = ticket.contact
    contact.full_name, contact.email = "Игорь Руденко", "rudenko@pharma.example"
    contact.save()
    engineer = an_engineer()

    for words in ("Руденко", "игорь руденко", "rudenko@pharma.example", ticket.contract.number):
        assert finds(engineer, words) == [ticket.pk], words
        assert finds(other.contact, words) == [], words
    assert finds(contact, "Руденко") == [ticket.pk]
    contact.full_name = "Игорь Савченко"
    contact.save()
    assert finds(engineer, "Руденко") == []


def test_requests_from_before_are_found_by_who_asked_also_where_the_migration_was_broken_off():
    tickets = [open_ticket(subject=f"Заявка {number}") for number in range(3)]
    whole = dict(SearchDocument.objects.values_list("pk", "document"))
    with connection.cursor() as cursor:  # as they were: the last one was done when it broke off
        cursor.execute(
            "UPDATE tickets_searchdocument SET document = ts_delete(document, tsvector_to_array(search_vector("
            "concat_ws(' ', contact.full_name, contact.email, contract.number)))) FROM tickets_ticket ticket"
            " JOIN accounts_user contact ON contact.id = ticket.contact_id"
            " JOIN contracts_contract contract ON contract.id = ticket.contract_id"
            " WHERE ticket.id = ticket_id AND ticket.id <> %s",
            [tickets[-1].pk],
        )
    engineer = an_engineer()
    assert [finds(engineer, ticket.contact.email) for ticket in tickets] == [[], [], [tickets[-1].pk]]
    learn = import_module("tickets.migrations.0018_learn_who_asked")

    learn.add_who_asked(apps, SimpleNamespace(connection=connection))

    assert [finds(engineer, ticket.contact.email) for ticket in tickets] == [[ticket.pk] for ticket in tickets]
    once = dict(SearchDocument.objects.values_list("pk", "document"))
    assert once[tickets[-1].pk] == whole[tickets[-1].pk]
    learn.add_who_asked(apps, SimpleNamespace(connection=connection))
    assert dict(SearchDocument.objects.values_list("pk", "document")) == once


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases are not beside this checkout")
def test_nine_of_ten_cases_that_nobody_here_wrote_are_right():
    from bench.search_quality import measure

    assert measure(json.loads(CASES.read_text("utf-8"))["pairs"])["right_of_not_soft"] >= 0.9


def test_what_waits_for_the_indexes_of_the_search_stays_short():
    """Each search reads it whole, so the migration has to say to the database what the models say."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reloptions FROM pg_class WHERE relname IN ('search_document_words', 'search_word_alike')"
        )
        told = dict(cursor.fetchall())

    short = [f"gin_pending_list_limit={PENDING_KB}"]
    assert told == {"search_document_words": short, "search_word_alike": short}
