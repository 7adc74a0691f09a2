"""What was handed over and has no running promise to the customer stands in the queue by its line's own clock (§3.3)."""

from django.db import migrations

DUE = """
UPDATE tickets_ticket SET due_at = clock.due_at, due_kind = 'line_acceptance'
FROM (
    SELECT ticket_id, min(due_at) AS due_at FROM sla_commitment
    WHERE kind = 'line_acceptance' AND stopped_at IS NULL GROUP BY ticket_id
) clock
WHERE clock.ticket_id = tickets_ticket.id AND tickets_ticket.due_at IS NULL
    AND state IN ('new', 'in_progress', 'awaiting_customer')
"""
WAS = "UPDATE tickets_ticket SET due_at = NULL, due_kind = '' WHERE due_kind = 'line_acceptance'"


class Migration(migrations.Migration):
    dependencies = [("tickets", "0019_draft_macro"), ("sla", "0012_colleague_calls")]
    operations = [migrations.RunSQL(DUE, WAS)]
