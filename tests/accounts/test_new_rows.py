"""Rows that the hot verbs write are those that Django's own `save` writes (accounts/new_rows.py)."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, models, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F
from django.db.models.expressions import DatabaseDefault
from django.test.utils import CaptureQueriesContext

from accounts.new_rows import MOST_ROWS, insert
from sla.models import Commitment
from tests.factories import open_ticket
from tests.moments import tuesday
from tickets.models import Event, Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[0, None], ids=["connection of one request", "connection that stays"])
def connected(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", request.param)


def values(one: models.Model) -> dict[str, Any]:
    names = [field.attname for field in one._meta.concrete_fields if not field.primary_key]
    return {name: getattr(one, name) for name in names}


def unsaved(one: models.Model, **changes: Any) -> Any:
    new = copy.copy(one)
    new._state = copy.copy(one._state)
    new.pk, new._state.adding = None, True
    for name, value in changes.items():
        setattr(new, name, value)
    return new


PAUSE = DateTimeTZRange(tuesday(10), tuesday(10, 30), "[)")
ENDED = {"ending": "superseded", "stopped_at": tuesday(11), "next_check_at": None}
OWN = {
    Ticket: {"number": 900_001, "token": "another", "subject": "Счёт «А\\Б» 100 %s %(v0_0)s"},
    Commitment: {"kind": "resolution", "pauses": [PAUSE, PAUSE], "target": timedelta(days=3, hours=1), **ENDED},
    Message: {"body": "'; DROP TABLE tickets_message; --"},
    Event: {"details": {"цена": 1.5, "many": [None, True, '"x"', "%(v0_0)s"]}},
}


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize("model", list(OWN))
def test_rows_are_those_that_save_writes(model):
    open_ticket(priority=1)
    first = model.objects.order_by("pk").first()
    saved, inserted = unsaved(first, **OWN[model]), unsaved(first, **OWN[model])

    with transaction.atomic():
        saved.save(force_insert=True)
        expected = values(model.objects.get(pk=saved.pk))
        transaction.set_rollback(True)
    assert insert(inserted) is inserted

    assert values(model.objects.get(pk=inserted.pk)) == expected
    assert (inserted._state.adding, inserted._state.db) == (False, "default")


@pytest.mark.usefixtures("connected")
def test_database_fills_in_what_it_does():
    ticket = unsaved(
        open_ticket(), token="another", number=DatabaseDefault(Ticket._meta.get_field("number").db_default)
    )

    insert(ticket)

    assert ticket.number == Ticket.objects.get(pk=ticket.pk).number


@pytest.mark.usefixtures("connected")
def test_rows_are_written_together_and_keep_their_order():
    ticket = open_ticket()
    rows = [Event(ticket=ticket, verb="noted", at=tuesday(11), details={"n": n}) for n in range(MOST_ROWS + 2)]

    with CaptureQueriesContext(connection) as asked:
        insert(*rows)

    assert len(asked) == 2
    assert [row.details["n"] for row in ticket.events.filter(verb="noted").order_by("pk")] == list(range(len(rows)))
    assert [row.pk for row in rows] == sorted(row.pk for row in rows)


@pytest.mark.usefixtures("connected")
@pytest.mark.parametrize(
    ("wrong", "error"), [({"subject": "я" * 201}, DataError), ({"priority": 9}, IntegrityError)], ids=["long", "check"]
)
def test_what_the_database_refuses_is_refused_and_nothing_is_cut(wrong, error):
    ticket = unsaved(open_ticket(), number=900_002, token="another", **wrong)

    with pytest.raises(error), transaction.atomic():
        insert(ticket)

    assert Ticket.objects.count() == 1


def test_an_expression_is_no_value():
    ticket = unsaved(open_ticket(), number=900_003, token="another", priority=F("line"))

    with pytest.raises(TypeError, match="priority"):
        insert(ticket)
