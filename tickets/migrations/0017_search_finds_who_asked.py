"""The search finds a ticket by who asked (name, address) and by its contract's number, besides what was said.

What is there already gets those words in batches of its own, so that nobody waits for a million rows at once.
"""

from typing import Any

from django.db import migrations, transaction

HEAD = """
CREATE OR REPLACE FUNCTION search_ticket_head(asked bigint) RETURNS tsvector LANGUAGE sql STABLE AS $$
    SELECT setweight(search_vector(ticket.number::text || ' ' || ticket.subject), 'A')
        || setweight(search_vector(concat_ws(' ', {about})), 'B')
        || quote_literal('@c' || ticket.customer_id)::tsvector
    FROM tickets_ticket ticket
    JOIN contracts_customer customer ON customer.id = ticket.customer_id
    LEFT JOIN contracts_product product ON product.id = ticket.product_id
    LEFT JOIN contracts_release release ON release.id = ticket.release_id
    {joined}
    WHERE ticket.id = asked
$$;
"""
WAS = "customer.name, product.name, release.version"
WHO = "contact.full_name, contact.email, contract.number"
JOINED = """LEFT JOIN accounts_user contact ON contact.id = ticket.contact_id
    LEFT JOIN contracts_contract contract ON contract.id = ticket.contract_id"""

CHANGED = """
DROP TRIGGER search_ticket_changed ON tickets_ticket;
CREATE TRIGGER search_ticket_changed AFTER UPDATE ON tickets_ticket
    FOR EACH ROW WHEN (({old}) IS DISTINCT FROM ({new}))
    EXECUTE FUNCTION tickets_search_ticket();
"""
COLUMNS = ("number", "subject", "customer_id", "product_id", "release_id")
ALSO = ("contact_id", "contract_id")

RENAMED = """
CREATE FUNCTION tickets_search_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tickets_searchdocument SET document = search_ticket(ticket_id), learned = false
    FROM tickets_ticket ticket WHERE ticket.id = ticket_id AND ticket.contact_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER search_contact_renamed AFTER UPDATE ON accounts_user
    FOR EACH ROW WHEN ((OLD.full_name, OLD.email) IS DISTINCT FROM (NEW.full_name, NEW.email))
    EXECUTE FUNCTION tickets_search_contact();
"""
NO_LONGER = """
DROP TRIGGER search_contact_renamed ON accounts_user;
DROP FUNCTION tickets_search_contact();
"""

BATCH = 2000
ADD = f"""
WITH batch AS (
    SELECT ticket_id FROM tickets_searchdocument WHERE ticket_id > %s ORDER BY ticket_id LIMIT {BATCH}
)
UPDATE tickets_searchdocument
SET document = search_joined(document, setweight(search_vector(concat_ws(' ', {WHO})), 'B'))
FROM batch
JOIN tickets_ticket ticket ON ticket.id = batch.ticket_id
{JOINED}
WHERE tickets_searchdocument.ticket_id = batch.ticket_id
RETURNING tickets_searchdocument.ticket_id
"""


def changed(columns: tuple[str, ...]) -> str:
    old, new = (", ".join(f"{row}.{column}" for column in columns) for row in ("OLD", "NEW"))
    return CHANGED.format(old=old, new=new)


def add_who_asked(apps: Any, schema_editor: Any) -> None:
    last = 0
    while True:
        with transaction.atomic(using=schema_editor.connection.alias), schema_editor.connection.cursor() as cursor:
            cursor.execute(ADD, [last])
            keys = [row[0] for row in cursor.fetchall()]
        if not keys:
            return
        last = max(keys)


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction of its own
    dependencies = [
        ("accounts", "0004_single_keys"),
        ("contracts", "0013_catalogue_edition"),
        ("tickets", "0016_short_lists_of_what_waits"),
    ]
    operations = [
        migrations.RunSQL(
            HEAD.format(about=f"{WAS}, {WHO}", joined=JOINED) + changed(COLUMNS + ALSO) + RENAMED,
            NO_LONGER + changed(COLUMNS) + HEAD.format(about=WAS, joined=""),
        ),
        migrations.RunPython(add_who_asked, migrations.RunPython.noop),
    ]
