"""What was asked before `0017` is found by who asked, too.

In batches of their own, so that nobody waits for a million rows at once; a migration that was broken off goes on where
it is run again: what has the words already is passed over.
"""

from typing import Any

from django.db import migrations, transaction

BATCH = 2000
NEXT = f"""
SELECT max(ticket_id) FROM (
    SELECT ticket_id FROM tickets_searchdocument WHERE ticket_id > %s ORDER BY ticket_id LIMIT {BATCH}
) batch
"""
ADD = """
WITH said AS (
    SELECT ticket.id, setweight(
        search_vector(concat_ws(' ', contact.full_name, contact.email, contract.number)), 'B'
    ) AS words
    FROM tickets_ticket ticket
    LEFT JOIN accounts_user contact ON contact.id = ticket.contact_id
    LEFT JOIN contracts_contract contract ON contract.id = ticket.contract_id
    WHERE ticket.id > %s AND ticket.id <= %s
)
UPDATE tickets_searchdocument
SET document = search_joined(document, said.words)
FROM said
WHERE ticket_id = said.id
    AND NOT tsvector_to_array(ts_filter(document, '{b}')) @> tsvector_to_array(said.words)
"""


def add_who_asked(apps: Any, schema_editor: Any) -> None:
    connection, last = schema_editor.connection, 0
    while True:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute(NEXT, [last])
            (upto,) = cursor.fetchone()
            if upto is None:
                return
            cursor.execute(ADD, [last, upto])
        last = upto


class Migration(migrations.Migration):
    atomic = False  # each batch is a transaction of its own
    dependencies = [("tickets", "0017_search_finds_who_asked")]
    operations = [migrations.RunPython(add_who_asked, migrations.RunPython.noop)]
