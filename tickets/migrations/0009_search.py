"""The search's documents and vocabulary, written by triggers in the transaction of whoever writes a ticket or a message.

Only empty tables: tickets that were there before are read by `manage.py index_search`, or by the job of the same name.
"""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

FORWARD = r"""
ALTER TABLE tickets_searchdocument ALTER COLUMN document SET STATISTICS 1000;
ALTER TABLE tickets_searchdocument ALTER COLUMN learned SET DEFAULT false;

-- A ticket as it is found by its own columns; `~` and `@` never stand in what a person types (search_fold).
CREATE FUNCTION search_ticket_head(asked bigint) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT setweight(search_vector(ticket.number::text || ' ' || ticket.subject), 'A')
        || setweight(search_vector(concat_ws(' ', customer.name, product.name, release.version)), 'B')
        || quote_literal('@c' || ticket.customer_id)::tsvector
    FROM tickets_ticket ticket
    JOIN contracts_customer customer ON customer.id = ticket.customer_id
    LEFT JOIN contracts_product product ON product.id = ticket.product_id
    LEFT JOIN contracts_release release ON release.id = ticket.release_id
    WHERE ticket.id = asked
$$;

CREATE FUNCTION search_said(body text, kind text, weight "char") RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT setweight(CASE kind WHEN 'public' THEN search_vector(body)
                     ELSE search_inner(search_vector(body)::text)::tsvector END, weight)
$$;

-- A tsvector holds a megabyte. Beyond 6,000 different words a ticket is found by what was said so far.
CREATE FUNCTION search_joined(document tsvector, added tsvector) RETURNS tsvector LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN length(document) < 6000 THEN document || added ELSE document END
$$;

CREATE AGGREGATE search_join(tsvector) (SFUNC = search_joined, STYPE = tsvector, INITCOND = '');

-- The whole document of a ticket.
CREATE FUNCTION search_ticket(asked bigint) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT search_ticket_head(asked) || coalesce((
        SELECT search_join(said.words ORDER BY said.at, said.id) FROM (
            SELECT message.created_at AS at, message.id, search_said(message.body, message.kind, 'C') AS words
            FROM tickets_message message WHERE message.ticket_id = asked
            UNION ALL
            SELECT message.created_at, message.id, search_said(attachment.name, message.kind, 'D')
            FROM tickets_attachment attachment JOIN tickets_message message ON message.id = attachment.message_id
            WHERE message.ticket_id = asked
        ) said), '')
$$;

CREATE FUNCTION search_ticket_again(asked bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tickets_searchdocument (ticket_id, document)
    SELECT asked, search_ticket(asked) WHERE EXISTS (SELECT FROM tickets_ticket WHERE id = asked)
    ON CONFLICT (ticket_id) DO UPDATE SET document = EXCLUDED.document, learned = false
$$;

CREATE FUNCTION search_add(asked bigint, added tsvector) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tickets_searchdocument SET document = search_joined(document, added), learned = false
    WHERE ticket_id = asked;
    IF NOT FOUND THEN  -- a ticket from before the search: another may be reading it this very moment
        INSERT INTO tickets_searchdocument (ticket_id, document) VALUES (asked, search_ticket(asked))
        ON CONFLICT (ticket_id) DO UPDATE
            SET document = search_joined(tickets_searchdocument.document, added), learned = false;
    END IF;
END $$;

CREATE FUNCTION tickets_search_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tickets_searchdocument (ticket_id, document) VALUES (NEW.id, search_ticket_head(NEW.id));
    ELSE
        PERFORM search_ticket_again(NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER search_ticket_new AFTER INSERT ON tickets_ticket
    FOR EACH ROW EXECUTE FUNCTION tickets_search_ticket();
CREATE TRIGGER search_ticket_changed AFTER UPDATE ON tickets_ticket
    FOR EACH ROW WHEN ((OLD.number, OLD.subject, OLD.customer_id, OLD.product_id, OLD.release_id)
                       IS DISTINCT FROM (NEW.number, NEW.subject, NEW.customer_id, NEW.product_id, NEW.release_id))
    EXECUTE FUNCTION tickets_search_ticket();

CREATE FUNCTION tickets_search_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM search_add(NEW.ticket_id, search_said(NEW.body, NEW.kind, 'C'));
        RETURN NULL;
    END IF;
    UPDATE tickets_searchdocument SET document = search_ticket(OLD.ticket_id), learned = false
    WHERE ticket_id = OLD.ticket_id;  -- never a new row here: the ticket itself may be about to go
    IF TG_OP = 'UPDATE' AND NEW.ticket_id <> OLD.ticket_id THEN
        PERFORM search_ticket_again(NEW.ticket_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER search_message_new AFTER INSERT ON tickets_message
    FOR EACH ROW EXECUTE FUNCTION tickets_search_message();
CREATE TRIGGER search_message_changed AFTER UPDATE ON tickets_message
    FOR EACH ROW WHEN ((OLD.ticket_id, OLD.kind, OLD.body) IS DISTINCT FROM (NEW.ticket_id, NEW.kind, NEW.body))
    EXECUTE FUNCTION tickets_search_message();
CREATE TRIGGER search_message_gone AFTER DELETE ON tickets_message
    FOR EACH ROW EXECUTE FUNCTION tickets_search_message();

CREATE FUNCTION tickets_search_attachment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM search_add(message.ticket_id, search_said(NEW.name, message.kind, 'D'))
    FROM tickets_message message WHERE message.id = NEW.message_id;
    RETURN NULL;
END $$;
CREATE TRIGGER search_attachment_new AFTER INSERT ON tickets_attachment
    FOR EACH ROW EXECUTE FUNCTION tickets_search_attachment();
"""
BACKWARD = """
DROP TRIGGER search_attachment_new ON tickets_attachment;
DROP TRIGGER search_message_gone ON tickets_message;
DROP TRIGGER search_message_changed ON tickets_message;
DROP TRIGGER search_message_new ON tickets_message;
DROP TRIGGER search_ticket_changed ON tickets_ticket;
DROP TRIGGER search_ticket_new ON tickets_ticket;
DROP FUNCTION tickets_search_attachment();
DROP FUNCTION tickets_search_message();
DROP FUNCTION tickets_search_ticket();
DROP FUNCTION search_add(bigint, tsvector);
DROP FUNCTION search_ticket_again(bigint);
DROP FUNCTION search_ticket(bigint);
DROP AGGREGATE search_join(tsvector);
DROP FUNCTION search_joined(tsvector, tsvector);
DROP FUNCTION search_said(text, text, "char");
DROP FUNCTION search_ticket_head(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0008_line_pace"),
        ("contracts", "0011_search_text"),
    ]
    operations = [
        migrations.CreateModel(
            name="SearchDocument",
            fields=[
                (
                    "ticket",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="search_document",
                        serialize=False,
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
                ("document", django.contrib.postgres.search.SearchVectorField(verbose_name="words")),
                ("learned", models.BooleanField(default=False)),
            ],
            options={
                "verbose_name": "search document",
                "verbose_name_plural": "search documents",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(fields=["document"], name="search_document_words"),
                    models.Index(condition=models.Q(("learned", False)), fields=["ticket"], name="search_document_new"),
                ],
            },
        ),
        migrations.CreateModel(
            name="SearchWord",
            fields=[
                ("word", models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name="word")),
            ],
            options={
                "verbose_name": "word",
                "verbose_name_plural": "words",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass(models.F("word"), name="gin_trgm_ops"),
                        name="search_word_alike",
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
