"""Databases of 10,000 to 1,000,000 tickets for `desk.py`: copies of tickets that the verbs made, with other words.

Every company gets a few tickets that went through the real verbs; the others are their copies, one statement for each
table, spread over the years, the lines and the engineers, with messages out of a stock of texts. The documents of the
search are put together as `manage.py index_search` would. One ticket in fourteen is open, whatever the size.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from tests.copies import copied

TEXTS, SUBJECTS, WORDS = 3000, 600, 4000
COMPANIES, ENGINEERS = 24, 24
RARE, RARE_WORD, COMMON_WORD = 7, "хайзенбаг", "ошибка"
SEED = 20261128
OPEN = ("new", "working", "waiting")
# Of 200 tickets so many stand so; 14 of them are open.
SHARES = {"new": 3, "working": 8, "waiting": 3, "solved": 2, "closed": 184}
LINES = (1,) * 70 + (2,) * 20 + (3,) * 7 + (4,) * 3


def seed(now: datetime) -> None:
    """People, companies and the tickets that are copied, all by the verbs; and the stock of words."""
    from django.db import transaction

    from accounts.models import Role, User
    from tests.factories import a_customer, a_lead, a_manager, an_engineer, contact_of
    from tickets import workflow

    began = now - timedelta(days=3)
    a_manager(email="manager@bench.example")
    for line in (1, 2, 3, 4):
        a_lead(line)
    engineers = [
        an_engineer(line=1 + number % 4, email=f"engineer{number}@bench.example") for number in range(ENGINEERS)
    ]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_model (id bigint, standing text)")
    for number in range(COMPANIES):
        starts_on = (now - timedelta(days=200)).date()
        customer = a_customer(("premium", "business", "basic")[number % 3], starts_on=starts_on)
        contact, worker = contact_of(customer, now), engineers[number % ENGINEERS]
        for place, standing in enumerate(SHARES):
            at = began + timedelta(minutes=place)
            with transaction.atomic():
                ticket = workflow.open_ticket(
                    customer=customer, by=contact, subject="Не открывается карточка", body="Пустая страница.",
                    kind="incident", priority=1 + (number + place) % 4, at=at,
                )  # fmt: skip
                lead(ticket, standing, contact, worker, at)
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO bench_model VALUES (%s, %s)", [ticket.pk, standing])
    stock()
    assert User.objects.filter(role=Role.ENGINEER).count() == ENGINEERS


def lead(ticket: Any, standing: str, contact: Any, worker: Any, at: datetime) -> None:
    """Leads a new ticket to where it shall stand."""
    from tickets import workflow

    def after(minutes: int) -> datetime:
        return at + timedelta(minutes=minutes)

    if standing == "new":
        workflow.note(ticket, by=worker, body="Похоже на прошлый раз.", at=after(5))
        return
    workflow.accept(ticket, by=worker, at=after(9))
    workflow.reply(ticket, by=worker, body="Смотрим.", at=after(12))
    workflow.note(ticket, by=worker, body="Журнал пуст.", at=after(14))
    if standing == "waiting":
        workflow.ask_customer(ticket, by=worker, body="Пришлите снимок экрана.", at=after(20))
    elif standing in {"solved", "closed"}:
        workflow.resolve(ticket, by=worker, body="Исправлено.", at=after(90))
    if standing == "closed":
        workflow.confirm(ticket, by=contact, at=after(120))
        workflow.rate(ticket, by=contact, score=2 + ticket.pk % 4, at=after(121))


def stock() -> None:
    """Texts and subjects with their words as the search reads them; their words are the vocabulary."""
    dice = random.Random(SEED)
    syllables = [consonant + vowel for consonant in "бвгдзклмнпрстф" for vowel in "аеиоу"]
    words = ["".join(dice.choices(syllables, k=dice.randint(2, 4))) for _number in range(WORDS)]
    everyday = ["карточка", "отчет", "контакт", "кнопка", "сервер", "обновление", "версия 7.8.4", "timeout", "лицензия"]

    def text(length: int) -> str:
        said = dice.choices(words, k=length) + dice.choices(everyday, k=3)
        if dice.random() < 0.15:
            said.append(COMMON_WORD)
        dice.shuffle(said)
        return " ".join(said).capitalize() + "."

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE bench_text (n int PRIMARY KEY, body text, public tsvector, note tsvector);"
            "CREATE TABLE bench_subject (n int PRIMARY KEY, subject text, words tsvector)"
        )
        cursor.executemany(
            "INSERT INTO bench_text SELECT %s, said, search_said(said, 'public', 'C'), search_said(said, 'note', 'C')"
            " FROM (SELECT %s::text AS said) one",
            [(n, text(dice.randint(12, 40))) for n in range(1, TEXTS + 1)],
        )
        cursor.executemany(
            "INSERT INTO bench_subject"
            " SELECT %s, said, setweight(search_vector(said), 'A') FROM (SELECT %s::text said) s",
            [(n, text(4)) for n in range(1, SUBJECTS + 1)],
        )
        cursor.execute(
            "INSERT INTO tickets_searchword SELECT DISTINCT word FROM"
            " (SELECT body FROM bench_text UNION ALL SELECT subject FROM bench_subject) t,"
            " regexp_split_to_table(translate(lower(body), 'ё', 'е'), '[^[:alpha:]]+') word"
            " WHERE length(word) BETWEEN 4 AND 40 ON CONFLICT DO NOTHING"
        )


def fill(count: int) -> None:
    """Copies the models until so many tickets stand, and tells PostgreSQL about it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.42); SET session_replication_role = replica")  # checked copies: no triggers
        cursor.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '128MB'; SET synchronous_commit = off")
        cursor.execute("SELECT count(*) FROM tickets_ticket")
        tickets(cursor, count - cursor.fetchone()[0])
        said(cursor)
        promises(cursor)
        documents(cursor)
        cursor.execute("DROP TABLE bench_copy, bench_said, bench_clock")
        cursor.execute("RESET ALL")
        cursor.execute("SELECT tickets_tally_anew()")  # the copies went past the triggers
        cursor.execute("VACUUM ANALYZE")
    rare_words()


def tickets(cursor: Any, count: int) -> None:
    from tickets.models import Ticket

    cursor.execute("SELECT id, standing FROM bench_model")
    models: list[int] = []
    for key, standing in cursor.fetchall():
        models += [key] * SHARES[standing]
    cursor.execute(
        """
        CREATE UNLOGGED TABLE bench_copy AS
        SELECT nextval('tickets_ticket_id_seq') AS id, nextval('tickets_ticket_number') AS number, drawn.* FROM (
            SELECT picked.model_id, line, people[1 + floor(random() * array_length(people, 1))::int] AS assignee,
                CASE WHEN standing = 'closed' THEN floor(random() * 128)::int * interval '-7 days'
                     WHEN standing = 'solved' THEN random() * interval '-7 days'
                     ELSE (2 + random() * 20) * interval '-1 day' END AS back,
                CASE WHEN standing = ANY(%(open)s) THEN (random() * 17 - 1.5) * interval '1 day' END AS ahead,
                s, ARRAY[t1, t2, t3, t4] AS texts
            FROM (SELECT (%(models)s::bigint[])[1 + floor(random() * %(of)s)::int] AS model_id,
                         (%(lines)s::int[])[1 + floor(random() * 100)::int] AS line,
                         1 + floor(random() * %(subjects)s)::int AS s, 1 + floor(random() * %(texts)s)::int AS t1,
                         1 + floor(random() * %(texts)s)::int AS t2, 1 + floor(random() * %(texts)s)::int AS t3,
                         1 + floor(random() * %(texts)s)::int AS t4
                  FROM generate_series(1, %(count)s)) picked
            JOIN bench_model ON bench_model.id = picked.model_id
            JOIN (SELECT line_id, array_agg(user_id) AS people FROM accounts_user_lines
                  JOIN accounts_user ON accounts_user.id = user_id AND role = 'engineer' GROUP BY line_id) staff
                ON staff.line_id = picked.line
            ORDER BY 4) drawn
        """,
        {
            "open": list(OPEN), "models": models, "of": len(models), "lines": list(LINES), "subjects": SUBJECTS,
            "texts": TEXTS, "count": count,
        },
    )  # fmt: skip
    own = {
        "number": "copy.number",
        "token": "left(md5(copy.id::text), 16)",
        "idempotency_key": "NULL",
        "subject": "subject.subject",
        "line_id": "copy.line",
        "assignee_id": "CASE WHEN model.assignee_id IS NOT NULL THEN copy.assignee END",
        "due_at": "model.due_at + copy.ahead",
        **{
            column: f"model.{column} + copy.back"
            for column in ("opened_at", "changed_at", "awaiting_since", "resolved_at", "closed_at")
        },
    }
    insert(
        cursor,
        Ticket,
        own,
        "bench_copy copy JOIN tickets_ticket model ON model.id = copy.model_id"
        " JOIN bench_subject subject ON subject.n = copy.s ORDER BY copy.id",
    )
    cursor.execute("CREATE INDEX ON bench_copy (model_id); ANALYZE bench_copy")


def insert(cursor: Any, model: Any, own: dict[str, str], source: str) -> None:
    """Copies rows with their new keys."""
    parts = copied(model, own)
    table = model._meta.db_table
    cursor.execute(
        f"INSERT INTO {table} (id, {parts['columns']})"
        f" SELECT {own.get('id', 'copy.id')}, {parts['values']} FROM {source}"
    )


def said(cursor: Any) -> None:
    """Messages, what happened, ratings."""
    from tickets.models import Event, Message, Rating

    cursor.execute(
        """
        CREATE UNLOGGED TABLE bench_said AS
        SELECT nextval('tickets_message_id_seq') AS id, model.id AS model_id, copy.id AS ticket_id, copy.back,
               copy.texts[1 + (model.place - 1) %% 4] AS n, model.kind
        FROM bench_copy copy JOIN (
            SELECT *, row_number() OVER (PARTITION BY ticket_id ORDER BY id) AS place FROM tickets_message
            WHERE ticket_id IN (SELECT id FROM bench_model)) model ON model.ticket_id = copy.model_id
        """.replace("%%", "%")
    )
    cursor.execute("CREATE INDEX ON bench_said (ticket_id); ANALYZE bench_said")
    own = {
        "ticket_id": "copy.ticket_id",
        "body": "text.body",
        "created_at": "model.created_at + copy.back",
        "message_id": "NULL",
        "idempotency_key": "NULL",
    }
    insert(
        cursor,
        Message,
        own,
        "bench_said copy JOIN tickets_message model ON model.id = copy.model_id JOIN bench_text text USING (n)"
        " ORDER BY copy.id",
    )
    own = {
        "id": "nextval('tickets_event_id_seq')",
        "ticket_id": "copy.id",
        "at": "model.at + copy.back",
        "message_id": "said.id",
        "notified_at": "model.at + copy.back",
    }
    insert(
        cursor,
        Event,
        own,
        "bench_copy copy JOIN tickets_event model ON model.ticket_id = copy.model_id"
        " LEFT JOIN bench_said said ON said.model_id = model.message_id AND said.ticket_id = copy.id",
    )
    own = {"id": "nextval('tickets_rating_id_seq')", "ticket_id": "copy.id", "at": "model.at + copy.back"}
    insert(cursor, Rating, own, "bench_copy copy JOIN tickets_rating model ON model.ticket_id = copy.model_id")


def promises(cursor: Any) -> None:
    """Clocks, and who was called in."""
    from sla.models import Commitment

    cursor.execute(
        "CREATE UNLOGGED TABLE bench_clock AS SELECT nextval('sla_commitment_id_seq') AS id, model.id AS model_id,"
        " copy.id AS ticket_id, copy.back, copy.ahead"
        " FROM bench_copy copy JOIN sla_commitment model ON model.ticket_id = copy.model_id"
    )
    own = {
        "ticket_id": "copy.ticket_id",
        "due_at": "model.due_at + CASE WHEN model.stopped_at IS NULL THEN copy.ahead ELSE copy.back END",
        "next_check_at": "model.next_check_at + copy.ahead",
        **{
            column: f"model.{column} + copy.back" for column in ("started_at", "paused_at", "stopped_at", "met_late_at")
        },
    }
    insert(cursor, Commitment, own, "bench_clock copy JOIN sla_commitment model ON model.id = copy.model_id")


def documents(cursor: Any) -> None:
    """The documents of the search, out of the stock, with the index built at the end."""
    cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = 'search_document_words'")
    (index,) = cursor.fetchone()
    cursor.execute("DROP INDEX search_document_words")
    cursor.execute(
        """
        INSERT INTO tickets_searchdocument (ticket_id, document, learned)
        WITH head AS MATERIALIZED (
            SELECT model.id, setweight(search_vector(concat_ws(' ', customer.name, product.name, release.version)), 'B')
                || quote_literal('@c' || model.customer_id)::tsvector AS words
            FROM bench_model JOIN tickets_ticket model USING (id)
            JOIN contracts_customer customer ON customer.id = model.customer_id
            LEFT JOIN contracts_product product ON product.id = model.product_id
            LEFT JOIN contracts_release release ON release.id = model.release_id)
        SELECT copy.id, (quote_literal(copy.number) || ':1A')::tsvector || subject.words || head.words || spoken.words,
               true
        FROM bench_copy copy
        JOIN bench_subject subject ON subject.n = copy.s
        JOIN head ON head.id = copy.model_id
        JOIN (SELECT ticket_id, search_join(CASE kind WHEN 'public' THEN public ELSE note END ORDER BY bench_said.id)
                     AS words
              FROM bench_said JOIN bench_text USING (n) GROUP BY ticket_id) spoken ON spoken.ticket_id = copy.id
        """
    )
    cursor.execute(index)


def rare_words() -> None:
    """One word stands in seven conversations, whatever the size; the trigger reads them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tickets_message SET body = body || ' ' || %s WHERE id IN (SELECT (array_agg(m.id))[1]"
            " FROM (SELECT id FROM tickets_ticket ORDER BY token LIMIT %s) t JOIN tickets_message m"
            " ON m.ticket_id = t.id AND m.kind = 'public' GROUP BY t.id)",
            [RARE_WORD, RARE],
        )
        cursor.execute("VACUUM ANALYZE tickets_searchdocument, tickets_message")
