"""Moments come from the database as Django has them, only faster."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import DataError, connection

from helpdesk.moments import MomentLoader

pytestmark = pytest.mark.django_db

MOMENTS = [
    datetime(2026, 11, 17, 7, 0, tzinfo=UTC),
    datetime(2026, 11, 17, 7, 0, 0, 5, tzinfo=UTC),
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]


def read(expression: str, *params: object) -> object:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}", params)
        return cursor.fetchone()[0]


def test_every_connection_reads_with_it():
    connection.ensure_connection()

    assert connection.connection.adapters.get_loader(psycopg.adapters.types["timestamptz"].oid, 0) is MomentLoader


@pytest.mark.parametrize("moment", MOMENTS)
def test_moment_comes_back_as_it_was_written(moment):
    came = read("%s::timestamptz", moment)

    assert came == moment
    assert came.tzinfo is UTC


@pytest.mark.parametrize("said", ["infinity", "0044-03-15 12:00:00+00 BC"])
def test_moment_that_python_does_not_know_is_refused_as_before(said):
    with pytest.raises(DataError):
        read("%s::timestamptz", said)


def test_moments_in_a_range_are_read_too():
    came = read("ARRAY[tstzrange(%s, %s)]::tstzrange[]", MOMENTS[0], MOMENTS[0] + timedelta(hours=1))

    assert [(pause.lower, pause.upper) for pause in came] == [(MOMENTS[0], MOMENTS[0] + timedelta(hours=1))]
