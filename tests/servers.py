"""pytest plugin: a real PostgreSQL and a real Valkey for the run, up before Django reads its settings.

Loaded by `-p tests.servers`. Where DATABASE_URL or REDIS_URL is given, that server is used instead. The processes of
pytest-xdist inherit the addresses. Two runs in one checkout take a state folder each; a killed run leaves no server.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import pytest

from helpdesk.embedded import BASE_DIR, CannotStart, in_use, local_servers, state_directory
from helpdesk.processes import try_lock
from helpdesk.translations import compile_translations
from tests.chromium import HOW_TO_GET_IT, chromium

VARIABLES = {"postgresql": "DATABASE_URL", "valkey": "REDIS_URL"}


@pytest.hookimpl(wrapper=True, tryfirst=True)  # a wrapper: pytest-django's hook, tryfirst too, reads the settings
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    if "PYTEST_XDIST_WORKER" not in os.environ and not early_config.known_args_namespace.help:
        compile_translations([BASE_DIR / "locale"])
        stack = ExitStack()
        early_config.add_cleanup(stack.close)
        try:
            chromium()
            start(stack)
        except (CannotStart, FileNotFoundError) as problem:
            stack.close()
            raise pytest.UsageError(str(problem)) from problem
    return (yield)


def start(stack: ExitStack) -> None:
    if not local_servers():
        return
    state, lock = free_state(state_directory())
    stack.enter_context(lock)
    for server in local_servers(state, disposable=True):
        stack.enter_context(in_use(server))
        os.environ[VARIABLES[server.name]] = server.url
        stack.callback(os.environ.pop, VARIABLES[server.name])


def free_state(parent: Path) -> tuple[Path, IO[str]]:
    """A state folder that no other run has, and its lock: `test`, or `test-2` and so on."""
    for number in range(1, 100):
        state = parent / ("test" if number == 1 else f"test-{number}")
        state.mkdir(parents=True, exist_ok=True)
        lock = (state / "lock").open("a")
        if try_lock(lock, fcntl.LOCK_EX):
            return state, lock
        lock.close()
    raise CannotStart(f"A hundred test runs at once in {parent}?")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if chromium() is None and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line(f"The journeys were skipped: there is no browser. To run them {HOW_TO_GET_IT}.")
