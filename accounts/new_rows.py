"""New rows by a statement that is put together once in a process, and planned once on a connection that stays.

For what the hot verbs write. Django's `save` and `bulk_create` make and compile it anew for each row.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.contrib.postgres.fields import ArrayField
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.expressions import DatabaseDefault

from accounts.at_once import execute

_Model = TypeVar("_Model", bound=models.Model)

_statements: dict[tuple[Any, ...], str] = {}  # of the process: by model, number of rows and what the database fills in
MOST_ROWS = 8  # of one statement: there is one for each number of rows


def insert(*rows: _Model) -> _Model:
    """Saves new rows of one model, as `bulk_create` does: no signals, and values as they stand, without `full_clean`.

    Gives the first back. Keys and what the database fills in (`db_default`) are set. `MOST_ROWS` are one statement.
    Raises what the database raises, `TypeError` for a column that is an expression.
    """
    model = type(rows[0])
    columns = [field for field in model._meta.concrete_fields if field is not model._meta.auto_field]
    for first in range(0, len(rows), MOST_ROWS):
        _insert(model, columns, rows[first : first + MOST_ROWS])
    return rows[0]


def _insert(model: type[models.Model], columns: Sequence[Any], rows: Sequence[models.Model]) -> None:
    filled = [field for field in columns if isinstance(getattr(rows[0], field.attname), DatabaseDefault)]
    given = [field for field in columns if field not in filled] if filled else columns
    kind = (model, len(rows), *(field.attname for field in filled))
    sql = _statements.get(kind)
    if sql is None:
        sql = _statements[kind] = _put_together(model, given, filled, len(rows))
    values = {}
    for number, row in enumerate(rows):
        for place, field in enumerate(given):
            value = field.pre_save(row, True)
            if hasattr(value, "resolve_expression"):
                raise TypeError(f"{model.__name__}.{field.name} is {value!r}: only values are inserted so.")
            values[f"v{number}_{place}"] = field.get_db_prep_save(value, connection)
    for row, (key, *found) in zip(rows, execute(sql, values), strict=True):
        row.pk = key
        for field, value in zip(filled, found, strict=True):
            setattr(row, field.attname, value)
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def _put_together(model: type[models.Model], given: Sequence[Any], filled: Sequence[Any], rows: int) -> str:
    quoted = connection.ops.quote_name
    types = [f"::{field.db_type(connection)}" if isinstance(field, ArrayField) else "" for field in given]
    values = (
        "(" + ", ".join(f"%(v{number}_{place})s{cast}" for place, cast in enumerate(types)) + ")"
        for number in range(rows)
    )
    return (
        f"INSERT INTO {quoted(model._meta.db_table)} ({', '.join(quoted(field.column) for field in given)})"
        f" VALUES {', '.join(values)}"
        f" RETURNING {', '.join(quoted(field.column) for field in (model._meta.pk, *filled))}"
    )
