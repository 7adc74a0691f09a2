"""The local servers: joined, left, killed, moved."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from helpdesk import embedded
from helpdesk.embedded import BASE_DIR, PostgreSQL, Server, Valkey, in_use, servers_for_command
from helpdesk.processes import command_of, wait_until

USER = """
import sys, time
from pathlib import Path
from helpdesk.embedded import PostgreSQL, in_use
with in_use(PostgreSQL(Path(sys.argv[1]), disposable=True)) as server:
    print(server.process_pid(), flush=True)
    sys.stdin.read()
"""

# PostgreSQL as the keeper runs it, but nobody's child: as on a system where a child outlives its parent.
ORPHAN = """
import subprocess, sys
from pathlib import Path
from helpdesk.embedded import PostgreSQL
from helpdesk.keeper import account_for
server = PostgreSQL(Path(sys.argv[1]))
with server.log.open("a") as log:
    become = account_for(server).become
    child = subprocess.Popen(
        [*sys.argv[2:], "-c", "listen_addresses="], stdout=log, stderr=log, preexec_fn=become, start_new_session=True
    )
print(child.pid)
"""

# A keeper whose look at the server takes long: it says when it is in the middle of it.
SLOW_LOOK = """
import fcntl, signal, sys
from pathlib import Path
from helpdesk import keeper
from helpdesk.embedded import Valkey
from tests.runtime.slow_look import Slow

server = Valkey(Path(sys.argv[1]))
server.directory.mkdir(parents=True, exist_ok=True)
user = (server.directory / "users").open("a")
fcntl.flock(user, fcntl.LOCK_SH)
for sig in keeper.ASKING:
    signal.signal(sig, keeper.stop_asked)
sys.exit(keeper.keep(server, Slow(["sleep", "60"])))
"""


def another_user(state: Path) -> tuple[subprocess.Popen[str], int]:
    """A process that uses the PostgreSQL of that folder until its input ends, and the pid of what it got."""
    user = subprocess.Popen([sys.executable, "-c", USER, str(state)], cwd=BASE_DIR, stdin=-1, stdout=-1, text=True)
    assert user.stdout is not None
    return user, int(user.stdout.readline())


def rows(server: Server, *statements: str) -> list[tuple[object, ...]]:
    """The rows of the last of the statements."""
    with psycopg.connect(host=str(server.socket_directory), user="helpdesk", dbname="helpdesk") as connection:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


@pytest.fixture(scope="module")
def postgresql(state: Path) -> PostgreSQL:
    """Its cluster is made once for the tests of this file; it is not up."""
    return PostgreSQL(state, disposable=True)


@pytest.mark.processes
def test_postgresql_is_up_inside_and_down_outside(postgresql):
    with in_use(postgresql):
        pid = postgresql.process_pid()
        answered = rows(postgresql, "SELECT to_tsvector('russian', 'не работают отчёты')::text, lower('ЁЖ')")

    assert answered == [("'отчет':3 'работа':2", "ёж")] or answered == [("'отчёт':3 'работа':2", "ёж")]
    assert pid is not None and command_of(pid) == ""
    assert not postgresql.is_kept()


@pytest.mark.processes
def test_second_user_joins_and_the_last_one_stops(postgresql):
    other, first = another_user(postgresql.state)
    with in_use(postgresql):
        joined = postgresql.process_pid()
        other.communicate("")
        left_alone = rows(postgresql, "SELECT 1")

    assert joined == first
    assert left_alone == [(1,)]
    assert command_of(first) == ""


@pytest.mark.processes
def test_users_who_come_at_once_share_one_server(postgresql):
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", USER, str(postgresql.state)], cwd=BASE_DIR, stdin=-1, stdout=-1, text=True
        )
        for _ in range(4)
    ]
    pids = {user.stdout.readline() for user in starting}
    codes = [user.communicate("") and user.returncode for user in starting]

    assert len(pids) == 1
    assert codes == [0, 0, 0, 0]
    assert not postgresql.is_kept()


@pytest.mark.processes
def test_server_of_a_killed_user_stops_by_itself(postgresql):
    user, pid = another_user(postgresql.state)

    user.kill()
    user.communicate()

    assert wait_until(lambda: command_of(pid) == "", seconds=60)


@pytest.mark.processes
def test_killed_keeper_and_server_leave_a_cluster_that_starts_again(postgresql):
    user, pid = another_user(postgresql.state)
    rows(
        postgresql, "SET synchronous_commit = on", "CREATE TABLE kept AS SELECT 7 AS number", "SELECT number FROM kept"
    )
    os.kill(postgresql.keeper_pid(), signal.SIGSTOP)  # so that it cannot tidy up
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not postgresql.is_kept() or command_of(pid) == "", seconds=5)
    os.kill(postgresql.keeper_pid(), signal.SIGKILL)
    user.kill()
    user.communicate()
    assert wait_until(lambda: not postgresql.is_kept(), seconds=30)  # a killed process holds its lock until it is gone
    left = postgresql.pid_file.exists()

    with in_use(postgresql):
        after = rows(postgresql, "SELECT number FROM kept")

    assert left
    assert after == [(7,)]


@pytest.mark.processes
def test_pid_file_of_another_process_does_not_keep_the_server_down(postgresql):
    with in_use(postgresql):
        content = postgresql.pid_file.read_text().splitlines()
    postgresql.pid_file.write_text("\n".join([str(os.getpid()), *content[1:]]) + "\n")

    with in_use(postgresql):
        answered = rows(postgresql, "SELECT 1")

    assert answered == [(1,)]


@pytest.mark.processes
def test_server_without_a_keeper_is_recognised_and_replaced(postgresql):
    with in_use(postgresql):
        command = command_of(postgresql.process_pid()).split(" -c ")[0].split()
    started = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(postgresql.state), *command],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    orphan = int(started.stdout)
    assert wait_until(lambda: postgresql.process_pid() == orphan, seconds=60)

    with in_use(postgresql):
        pid = postgresql.process_pid()

    assert pid != orphan
    assert command_of(orphan) == ""


@pytest.mark.processes
def test_long_path_with_blanks_gets_a_short_private_socket_folder(tmp_path):
    state = tmp_path / "a place with blanks" / ("и" * 60)
    server = Valkey(state, disposable=True)

    with in_use(server):
        answered = redis.Redis.from_url(server.url).ping()
        mode = server.socket_directory.stat().st_mode & 0o777

    assert answered
    assert server.socket_directory.parent == Path("/tmp")
    assert mode == 0o700
    assert not server.socket_directory.exists()


@pytest.mark.processes
@pytest.mark.parametrize("asking", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_keeper_that_is_asked_to_stop_while_it_looks_stops_after_its_look(tmp_path, asking):
    keeper = subprocess.Popen([sys.executable, "-c", SLOW_LOOK, str(tmp_path)], cwd=BASE_DIR, stdout=-1, text=True)
    assert keeper.stdout is not None
    try:
        assert keeper.stdout.readline() == "looking\n"
        keeper.send_signal(asking)
        assert keeper.wait(10) == 0
    finally:
        keeper.kill()
        keeper.wait()


@pytest.mark.processes
def test_server_that_cannot_start_says_why(tmp_path):
    server = PostgreSQL(tmp_path)
    server.data.mkdir(parents=True)
    (server.data / "postgresql.conf").write_text("no setting at all\n")

    with pytest.raises(embedded.CannotStart) as refused, in_use(server):
        raise AssertionError("it is up")

    assert str(refused.value).startswith(f"PostgreSQL does not start: the last lines of {server.log} are:\n")
    assert "postgresql.conf" in str(refused.value)


@pytest.mark.processes
def test_broken_disposable_server_is_made_anew(tmp_path):
    server = PostgreSQL(tmp_path, disposable=True)
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("9\n")

    with in_use(server):
        answered = rows(server, "SELECT 1")

    assert answered == [(1,)]


@pytest.mark.parametrize("command", [[], ["help"], ["migrate", "--help"], ["check"], ["compile_translations"]])
def test_command_that_needs_no_server_starts_none(command, tmp_path, monkeypatch):
    monkeypatch.setenv("HELPDESK_STATE", str(tmp_path))
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.delenv("REDIS_URL")

    with servers_for_command(["manage.py", *command]):
        pass

    assert list(tmp_path.iterdir()) == []


def test_given_addresses_mean_that_no_local_server_is_needed(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somewhere/else")
    monkeypatch.setenv("REDIS_URL", "redis://somewhere:6379/0")

    assert embedded.local_servers() == []


@pytest.mark.parametrize(
    ("ours", "celerys"),
    [
        ("unix:///a%20place/valkey.sock?db=3", "redis+socket:///a%20place/valkey.sock?virtual_host=3"),
        ("unix:///run/valkey.sock", "redis+socket:///run/valkey.sock?virtual_host=0"),
        ("redis://:secret@host:6379/2", "redis://:secret@host:6379/2"),
        ("rediss://host/0", "rediss://host/0"),
    ],
)
def test_celery_url_is_the_same_server(ours, celerys):
    assert embedded.celery_url(ours) == celerys


def test_development_secret_is_made_once_and_private(tmp_path, monkeypatch):
    monkeypatch.setenv("HELPDESK_STATE", str(tmp_path))

    first, again, other = (embedded.development_secret(name) for name in ("SECRET_KEY", "SECRET_KEY", "OTHER"))

    assert first == again
    assert first != other
    assert (tmp_path / "secrets" / "SECRET_KEY").stat().st_mode & 0o777 == 0o600
