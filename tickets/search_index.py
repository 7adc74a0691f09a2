"""What the search has not read yet: tickets from before it, and words that its vocabulary does not have.

Everything new is read by triggers (migration 0009_search); the vocabulary follows within a minute. Both are counted
from what is left to do, so a run that was killed goes on where it stopped, and two at once do no harm.
"""

from django.db import connection, transaction

# Tickets without a document. What is said meanwhile waits for this row and is joined to it (search_add).
READ = """
INSERT INTO tickets_searchdocument (ticket_id, document)
SELECT id, search_ticket(id) FROM tickets_ticket ticket
WHERE NOT EXISTS (SELECT FROM tickets_searchdocument WHERE ticket_id = ticket.id) AND id > %s ORDER BY id LIMIT %s
ON CONFLICT DO NOTHING RETURNING ticket_id
"""
AGAIN = """
UPDATE tickets_searchdocument SET document = search_ticket(ticket_id), learned = false
WHERE ticket_id IN (SELECT ticket_id FROM tickets_searchdocument WHERE ticket_id > %s ORDER BY ticket_id LIMIT %s)
RETURNING ticket_id
"""
NEW_WORDS = """
WITH read AS (
    SELECT ticket_id FROM tickets_searchdocument WHERE NOT learned ORDER BY ticket_id LIMIT %s FOR UPDATE SKIP LOCKED
), marked AS (
    UPDATE tickets_searchdocument SET learned = true FROM read WHERE tickets_searchdocument.ticket_id = read.ticket_id
), texts AS (
    SELECT subject AS said FROM tickets_ticket WHERE id IN (SELECT ticket_id FROM read)
    UNION ALL
    SELECT left(body, 50000) FROM tickets_message WHERE kind = 'public' AND ticket_id IN (SELECT ticket_id FROM read)
), learned AS (
    INSERT INTO tickets_searchword (word)
    SELECT DISTINCT word FROM texts, regexp_split_to_table(translate(lower(said), 'ё', 'е'), '[^[:alpha:]]+') word
    WHERE length(word) BETWEEN 4 AND 40 ORDER BY word
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM read), (SELECT count(*) FROM learned)
"""


def read_tickets(after: int, batch: int, *, again: bool = False) -> list[int]:
    """Reads the next tickets that have no document, or with `again` those that have one. Their keys, [] at the end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(AGAIN if again else READ, [after, batch])
        return sorted(row[0] for row in cursor.fetchall())


def learn_words(batch: int) -> tuple[int, int]:
    """Puts the words of the next documents into the vocabulary: how many documents, how many new words.

    Words of internal notes are not learned: a vocabulary knows nobody's rights.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(NEW_WORDS, [batch])
        return cursor.fetchone()
