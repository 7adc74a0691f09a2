"""`/healthz` and `/readyz`."""

import pytest
from django.core.cache import cache
from django.db import connection

from helpdesk import health


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
