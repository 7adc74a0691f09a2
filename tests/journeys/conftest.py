"""A whole house for the journeys: its own database, a real web server, a real worker and beat, and a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from helpdesk.demo import PASSWORD
from helpdesk.embedded import BASE_DIR
from tests.chromium import HOW_TO_GET_IT, chromium
from tests.migrated import elsewhere, migrated, reach

READY_WITHIN = 60

expect.set_options(timeout=20_000)  # a machine that is busy with other tests is slow, not wrong


# How wide a page is: the desk's pages scroll within <main>, and the document alone says nothing of it.
WIDTH = """Math.max(
  document.documentElement.scrollWidth,
  ...Array.from(document.querySelectorAll("main"), (main) => innerWidth + main.scrollWidth - main.clientWidth))"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.xdist_group("journeys"))


@dataclass
class House:
    """Everything up; `enter` opens the browser as somebody."""

    address: str
    environment: dict[str, str]
    browser: Browser
    contexts: dict[tuple, BrowserContext] = field(default_factory=dict)

    def manage(self, *words: str, stdin: str | None = None) -> str:
        """A management command in this house."""
        return manage(self.environment, *words, stdin=stdin)

    def enter(self, email: str, *, width: int = 1440, scripts: bool = True, theme: str = "light") -> Page:
        """A page of this person, signed in through the sign-in form; a second call reuses the session."""
        key = (email, width, scripts, theme)
        if key not in self.contexts:
            context = self.browser.new_context(
                viewport={"width": width, "height": 900},
                java_script_enabled=scripts,
                color_scheme="dark" if theme == "dark" else "light",
                base_url=self.address,
            )
            context.set_default_timeout(20_000)
            page = context.new_page()
            page.goto("/account/login/")
            page.fill("input[name=login]", email)
            page.fill("input[name=password]", PASSWORD)
            page.click("form.frm button.btn--p")
            page.wait_for_url(lambda url: "/account/login/" not in url)
            page.close()
            self.contexts[key] = context
        return self.contexts[key].new_page()


def manage(environment: dict[str, str], *words: str, stdin: str | None = None) -> str:
    """A management command, and what it says; it has to succeed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=BASE_DIR,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,  # the migrations of a machine that is busy with other things
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def keyspace(url: str, number: int) -> str:
    """The same Valkey, another of its sixteen numbered key spaces."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={number}"
    return parts._replace(path=f"/{number}").geturl()


# The first ones are for the tests that are no journeys; two processes of pytest-xdist take from either half.
KEYSPACES = cycle(range(2, 9) if os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0" else range(9, 16))


def empty_keyspace(url: str) -> str:
    """A key space that no house uses now; what an earlier one left in it is gone."""
    address = keyspace(url, next(KEYSPACES))
    with redis.Redis.from_url(address) as client:
        client.flushdb()
    return address


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The web server did not answer within {READY_WITHIN} s: {log.read_text()[-3000:]}")


@dataclass
class Furnished:
    """A database with the demo's people and contracts and what they keep in files; houses are copies of it."""

    name: str
    media: Path
    reach: dict[str, Any]


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Furnished]:
    """Made once for a process of the run: half a minute that every file would wait anew."""
    server = reach(settings.DATABASES["default"])
    made = Furnished(f"furnished_{os.getpid()}", tmp_path_factory.mktemp("furnished"), server)
    environment = {
        **os.environ,
        "DATABASE_URL": elsewhere(os.environ["DATABASE_URL"], made.name),
        "REDIS_URL": empty_keyspace(os.environ["REDIS_URL"]),
        "DEBUG": "1",
        "MEDIA_ROOT": str(made.media),
        "SECRET_KEY": "journeys",
    }
    environment.pop("PYTEST_CURRENT_TEST", None)
    with psycopg.connect(dbname="postgres", autocommit=True, **server) as connection:
        connection.execute(f'CREATE DATABASE "{made.name}" TEMPLATE "{migrated(server)}"')
    try:
        manage(environment, "demo", "--tickets=0")
        yield made
    finally:
        _drop(made.name, server)


# A file long, not longer: while Playwright is open an event loop runs, and Django refuses the tests of other files.
@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, furnished: Furnished) -> Iterator[House]:
    program = chromium()
    if program is None:
        pytest.skip(f"no browser: {HOW_TO_GET_IT}")
    place = tmp_path_factory.mktemp("house")
    name = f"journeys_{os.getpid()}"
    shutil.copytree(furnished.media, place / "media")
    with psycopg.connect(dbname="postgres", autocommit=True, **furnished.reach) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{furnished.name}"')
    port = _free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": elsewhere(os.environ["DATABASE_URL"], name),
        # A queue of its own: the worker of another house would take the jobs and find another database.
        "REDIS_URL": empty_keyspace(os.environ["REDIS_URL"]),
        "DEBUG": "1",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "MEDIA_ROOT": str(place / "media"),
        "SECRET_KEY": "journeys",
    }
    environment.pop("PYTEST_CURRENT_TEST", None)
    with ExitStack() as stack:
        stack.callback(_drop, name, furnished.reach)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        stack.callback(browser.close)
        made = House(f"http://127.0.0.1:{port}", environment, browser)
        web = _start(stack, place, environment, "uvicorn", "helpdesk.asgi:application", "--port", str(port))
        _start(stack, place, environment, "celery", "--app=helpdesk.celery", "worker", "--concurrency=1", "-l", "INFO")
        _start(
            stack,
            place,
            environment,
            *("celery", "--app=helpdesk.celery", "beat", "--scheduler=celery.beat:Scheduler", "--pidfile="),
        )
        wait_for(port, web, place / "uvicorn-helpdesk.asgi:application.log")
        yield made


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def _start(stack: ExitStack, place: Path, environment: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    log = (place / f"{'-'.join(words[:2]).replace('/', '_')}.log").open("ab")
    stack.callback(log.close)
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=BASE_DIR,
        env=environment,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    """At once, with its children: a worker that says goodbye takes seconds, and its database is dropped next."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _drop(name: str, reach: dict[str, str]) -> None:
    with psycopg.connect(dbname="postgres", autocommit=True, **reach) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
