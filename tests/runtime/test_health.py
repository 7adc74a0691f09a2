"""`/healthz` and `/readyz`."""

from datetime import UTC, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from helpdesk import health
from tests.factories import open_ticket, top


def test_healthz_answers_without_asking_the_database(rf):
    answer = health.healthz(rf.get("/healthz"))

    assert (answer.status_code, answer.content) == (200, b"up\n")


@pytest.mark.django_db
def test_readyz_is_ok_when_every_part_answers(rf):
    answer = health.readyz(rf.get("/readyz"))

    assert (answer.status_code, answer.content) == (200, b"database: ok\nredis: ok\n")


@pytest.mark.django_db(transaction=True)
def test_readyz_names_each_part_that_does_not_answer(rf, settings, tmp_path):
    connection.close()
    real = connection.settings_dict["HOST"]
    connection.settings_dict["HOST"] = str(tmp_path)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{tmp_path}/nobody.sock"}}
    try:
        answer = health.readyz(rf.get("/readyz"))
    finally:
        connection.close()
        connection.settings_dict["HOST"] = real

    assert cache is not None
    assert answer.status_code == 503
    assert answer.content == b"database: does not answer\nredis: does not answer\n"


@pytest.mark.django_db
def test_clockz_is_ok_while_the_promises_are_watched(rf):
    open_ticket(at=timezone.now())

    answer = health.clockz(rf.get("/clockz"))

    assert (answer.status_code, answer.content) == (200, b"clocks: ok\n")


@pytest.mark.django_db
def test_clockz_says_since_when_nobody_has_looked_at_the_clocks(rf):
    ticket = open_ticket(at=timezone.now())
    since = timezone.now().replace(microsecond=0) - timedelta(minutes=2, seconds=1)
    ticket.commitments.update(next_check_at=since)

    answer = health.clockz(rf.get("/clockz"))

    assert answer.status_code == 503
    assert answer.content.decode() == f"clocks: not looked at since {since.astimezone(UTC).isoformat()}\n"


@pytest.mark.django_db
def test_board_says_that_nobody_looks_at_the_clocks(client):
    client.force_login(top())
    ticket = open_ticket(at=timezone.now())
    assert client.get("/m/").context["late_since"] is None

    ticket.commitments.update(next_check_at=timezone.now() - timedelta(minutes=3))

    assert client.get("/m/").context["late_since"] is not None
