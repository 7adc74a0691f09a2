"""`make run`: up, a second start, a busy port, deaths, down."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from helpdesk.embedded import PostgreSQL, Valkey
from helpdesk.processes import command_of, wait_until
from helpdesk.run import CannotStart, listen, stop_leftovers

pytestmark = pytest.mark.processes


# A supervisor whose look at a process takes long: it says when it is in the middle of it.
SLOW_LOOK = """
import signal, time
from pathlib import Path
from helpdesk import run
from tests.runtime.slow_look import Slow

process = run.Process("web", [], {}, Path("unused"), child=Slow(["sleep", "60"], start_new_session=True))
for sig in run.STOP_SIGNALS:
    signal.signal(sig, run.leave)
try:
    while True:
        run.look_after([process])
        time.sleep(0.5)
except run.Leave:
    run.stop([process])
"""


class Supervisor:
    """A running `make run`: its process, what it said so far, its address."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""
        assert process.stdout is not None
        for line in process.stdout:
            self.said += line
            if "READY" in line:
                break
        found = re.search(r"http://\S+", self.said)
        assert found, f"it did not get ready:\n{self.said}"
        self.address = found.group()

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.read().decode()

    def stop(self, *signals: signal.Signals) -> tuple[int, str, float]:
        """The exit code, what it said at the end, the seconds it took."""
        began = time.monotonic()
        for sig in signals:
            self.process.send_signal(sig)
            time.sleep(0.2)
        said, _ = self.process.communicate(timeout=90)
        return self.process.returncode, said, time.monotonic() - began


def pids(state: Path) -> dict[str, int]:
    return json.loads((state / "processes").read_text())


@pytest.fixture(scope="module")
def supervisor(python):
    running = Supervisor(python("-m", "helpdesk.run", "--port", "0", "--no-demo"))
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate()


def test_everything_is_up_when_it_says_ready(supervisor):
    assert supervisor.get("readyz") == (200, "database: ok\nredis: ok\n")


def test_second_start_says_where_the_first_one_is(supervisor, python):
    said, _ = python("-m", "helpdesk.run", "--port", "0").communicate(timeout=90)

    pid = supervisor.process.pid
    assert said == (
        f"Already running here (pid {pid}, {supervisor.address}). Stop it with Ctrl-C there, or with: kill {pid}\n"
    )


def test_command_joins_the_servers_that_are_up(supervisor, python, state):
    before = PostgreSQL(state).process_pid()

    command = python("manage.py", "migrate", "--check")
    said, _ = command.communicate(timeout=90)

    assert command.returncode == 0, said
    assert PostgreSQL(state).process_pid() == before
    assert supervisor.get("readyz")[0] == 200


def test_web_server_that_dies_comes_back_at_its_address(supervisor, state):
    died = pids(state)["web"]

    os.kill(died, signal.SIGKILL)

    assert wait_until(lambda: pids(state).get("web", died) != died, seconds=60)
    assert supervisor.get("healthz") == (200, "up\n")


def test_postgresql_that_dies_comes_back(supervisor, state):
    died = PostgreSQL(state).process_pid()

    os.kill(died, signal.SIGKILL)

    assert wait_until(lambda: PostgreSQL(state).process_pid() not in (None, died), seconds=60)
    assert wait_until(lambda: supervisor.get("readyz")[0] == 200, seconds=60)


def test_beat_and_worker_sweep_the_clocks(supervisor, state):
    log = state / "log" / "worker.log"

    assert wait_until(lambda: re.search(r"sla\.tasks\.sweep_clocks\S* succeeded", log.read_text()), seconds=90)


def test_kill_9_leaves_nothing_in_the_way_and_two_ctrl_c_stop_everything(supervisor, python, state):
    old = pids(state)
    supervisor.process.kill()
    supervisor.process.communicate()

    port = supervisor.address.rsplit(":", 1)[1].strip("/")
    again = Supervisor(python("-m", "helpdesk.run", "--port", port, "--no-demo"))
    new = pids(state)
    code, said, seconds = again.stop(signal.SIGINT, signal.SIGINT)

    assert again.address == supervisor.address
    assert [command_of(pid) for pid in (*old.values(), *new.values())] == [""] * 6
    assert (code, said.splitlines()[-1]) == (0, "Stopped. The data stay where they are.")
    assert seconds < 20  # eight for the processes, and a busy machine
    assert not PostgreSQL(state).is_kept()
    assert not Valkey(state).is_kept()


@pytest.mark.parametrize("pause", [0, 0.75], ids=["while it looks", "between two looks"])
def test_one_ctrl_c_stops_whenever_it_comes(python, pause):
    process = python("-c", SLOW_LOOK)
    assert process.stdout.readline() == "looking\n"
    time.sleep(pause)
    process.send_signal(signal.SIGINT)

    process.communicate(timeout=20)
    assert process.returncode == 0


def test_busy_port_is_one_sentence_that_names_another():
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(CannotStart) as refused:
            listen("127.0.0.1", port)

    other = port + 1000 if port + 1000 < 65536 else 9000
    assert str(refused.value) == (
        f"Port {port} on 127.0.0.1 cannot be used (Address already in use). Choose another: make run PORT={other}"
    )


def test_port_that_is_no_number_is_refused_before_anything_starts(python):
    process = python("-m", "helpdesk.run", "--port", "80a")
    said, _ = process.communicate(timeout=90)

    assert process.returncode == 2
    assert said.splitlines()[-1].endswith("PORT must be a number from 0 (any free one) to 65535; it is '80a'")


def test_leftover_whose_pid_belongs_to_somebody_else_by_now_is_left_alone(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (tmp_path / "processes").write_text(json.dumps({"worker": stranger.pid}))

        stop_leftovers(tmp_path)

        alive = stranger.poll() is None
        stranger.kill()
    assert alive
