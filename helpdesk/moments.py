"""Moments as they come from the database: a `timestamptz` read in well under a microsecond.

Django reads each by a regular expression of psycopg's and a `replace`, some ten times dearer; a page of fifty tickets
holds hundreds of moments, a batch of the sweep a thousand. Our connections speak UTC, so the standard library's ISO
parser, which is written in C, understands what PostgreSQL sends.
"""

from datetime import UTC, datetime
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.psycopg_any import BaseTzLoader


class MomentLoader(BaseTzLoader):
    """A `timestamptz` as an aware datetime in UTC; what is no ISO moment (infinity, before Christ) as Django has it."""

    timezone = UTC

    def load(self, data: Any) -> datetime:
        """Raises psycopg's `DataError` for a moment that Python does not know."""
        try:
            return datetime.fromisoformat(bytes(data).decode())
        except ValueError:
            return super().load(data)


def read_moments_fast(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """For the signal `connection_created`: our loader, where the connection speaks UTC as ours do."""
    if connection.vendor == "postgresql" and connection.timezone == UTC:
        connection.connection.adapters.register_loader("timestamptz", MomentLoader)
