"""While Redis is away the cache is empty and the pages work; when it is back, it is used again (issue 2)."""

import logging
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest
import redis
from django.core.cache import caches
from django.urls import reverse

from helpdesk import cache as dispensable
from helpdesk.cache import DispensableCache
from helpdesk.embedded import Valkey
from helpdesk.processes import wait_until
from tests.factories import a_customer, an_engineer, contact_of, open_ticket

PASSWORD = "a long enough sentence"


@contextmanager
def a_server(socket: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A real Valkey at that socket, up and answering."""
    binary = Valkey(socket.parent).binary()
    command = [binary, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", socket.parent]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            assert wait_until(lambda: is_up(socket), seconds=10)
            yield process
        finally:
            process.kill()


def is_up(socket: Path) -> bool:
    try:
        with redis.Redis(unix_socket_path=str(socket)) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def a_cache(socket: Path) -> DispensableCache:
    return DispensableCache(f"unix://{socket}?db=0", {"OPTIONS": {"socket_timeout": 1}})


@pytest.fixture
def socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("r") / "s"


@pytest.fixture
def gone(socket: Path, settings) -> Path:
    """The house's cache was on a server that is stopped now."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": f"unix://{socket}?db=0"}}
    with a_server(socket):
        caches["default"].set("known", "value")
        assert caches["default"].get("known") == "value"
    return socket


def test_every_question_to_a_server_that_is_gone_has_an_answer(socket):
    cache = a_cache(socket)
    with a_server(socket):
        cache.set("known", 1)
        assert cache.get("known") == 1

    assert cache.get("known", "default") == "default"
    assert cache.add("lock", True) is True
    assert cache.set("known", 2) is None
    assert cache.touch("known") is False
    assert cache.delete("known") is False
    assert cache.get_many(["known"]) == {}
    assert cache.set_many({"known": 3}) == ["known"]
    assert cache.delete_many(["known"]) is None
    assert cache.has_key("known") is False
    assert cache.clear() is None
    assert cache.get_or_set("known", lambda: 4) == 4
    with pytest.raises(ValueError, match="known"):
        cache.incr("known")


def test_the_server_is_used_again_when_it_is_back(socket, monkeypatch):
    monkeypatch.setattr(dispensable, "ASKED_AGAIN_AFTER", 0.0)
    cache = a_cache(socket)
    assert cache.get("key", "nothing") == "nothing"

    with a_server(socket):
        cache.set("key", "kept")

        assert cache.get("key") == "kept"


def test_an_outage_is_one_line_of_the_log_and_is_not_asked_about_all_the_time(socket, caplog):
    cache, of_another_thread = a_cache(socket), a_cache(socket)

    with caplog.at_level(logging.WARNING, "helpdesk.cache"):
        for _ in range(5):
            cache.get("key")
            of_another_thread.get("key")

    assert [record.message.split(":")[0] for record in caplog.records] == [
        "Redis does not answer; the pages go on without a cache"
    ]


def test_a_server_that_hangs_costs_one_wait_not_one_for_each_question(socket):
    cache = a_cache(socket)
    with a_server(socket) as process:
        process.send_signal(signal.SIGSTOP)
        started = monotonic()
        for _ in range(20):
            cache.get("key")

        assert monotonic() - started < 3


@pytest.mark.django_db
def test_people_sign_in_while_redis_is_away(client, gone):
    person = contact_of(a_customer())
    person.set_password(PASSWORD)
    person.save()

    answer = client.post(reverse("account_login"), {"login": person.email, "password": PASSWORD})

    assert (answer.status_code, answer.url) == (302, "/")


@pytest.mark.django_db
def test_pages_open_and_words_are_kept_while_redis_is_away(client, gone):
    ticket = open_ticket()
    client.force_login(an_engineer())

    said = client.post(reverse("desk:messages", args=[ticket.number]), {"kind": "reply", "body": "We look at it."})

    assert said.status_code == 303
    assert ticket.messages.latest("pk").body == "We look at it."
    assert [client.get(address).status_code for address in (reverse("desk:queue"), said.url, reverse("outbox"))] == [
        200,
        200,
        200,
    ]
