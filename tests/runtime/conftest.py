"""State folders of the test's own, and processes of the project that use them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.embedded import BASE_DIR


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def environment(state: Path) -> dict[str, str]:
    """That of a person's shell: no addresses, but the state folder of this test."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return {**inherited, "HELPDESK_STATE": str(state), "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def python(environment: dict[str, str]) -> Callable[..., subprocess.Popen[str]]:
    """Start this interpreter in the checkout with these arguments; what it says comes by its `stdout`."""

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start
