"""Many tickets and clocks at once: copies of one that the verbs made, by one statement for each table."""

from typing import Any

TICKETS = """
INSERT INTO tickets_ticket ({columns})
SELECT {values} FROM tickets_ticket model, generate_series(1, %s) n WHERE model.id = %s
"""
CLOCKS = """
INSERT INTO sla_commitment ({columns})
SELECT {values} FROM sla_commitment model, tickets_ticket ticket WHERE model.id = %s AND ticket.id > %s
"""


def copied(model: Any, own: dict[str, str]) -> dict[str, str]:
    """The columns of a copy and where their values come from: `own` ones by SQL, the others from the model row."""
    columns = [field.column for field in model._meta.concrete_fields if field.column != "id"]
    return {
        "columns": ", ".join(f'"{column}"' for column in columns),
        "values": ", ".join(own.get(column, f'model."{column}"') for column in columns),
    }
