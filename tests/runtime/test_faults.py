"""Faults that really happen, on real processes: workers, beats, Valkey, PostgreSQL and an SMTP server that counts.

After each of them: every rung that was due exists exactly once and in order, none that was not; every letter of it is
written once and comes to the mail server exactly once. One case SMTP leaves open: a sender that is killed between the
server's "yes" and its note. Its letter goes out again under the same Message-ID, by which mailboxes know it; so where
senders are killed, a letter may come twice only if the killed one had it in its hands at that moment, and by name.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.conf import settings

from helpdesk.embedded import BASE_DIR, PostgreSQL, Valkey, in_use
from helpdesk.processes import wait_until
from mail.outbound import IN_HAND
from tests.migrated import copy_to, reach

pytestmark = pytest.mark.processes

CLOCKS = 150
RUNGS_DUE = 2  # of each clock; due_clocks.py
PATIENCE = 150  # seconds for a busy machine to catch up
KEYSPACES = count(1)


class CountingServer:
    """An SMTP server that keeps the Message-ID of each letter that it took."""

    def __init__(self) -> None:
        self.took: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        head = envelope.content.split(b"\r\n\r\n", 1)[0].decode()
        self.took += [
            line.split(":", 1)[1].strip(" <>") for line in head.splitlines() if line.lower().startswith("message-id:")
        ]
        return "250 OK"


class Machines:
    """One database and the processes that work on it."""

    def __init__(self, place: Path, servers: tuple[PostgreSQL, Valkey], stack: ExitStack) -> None:
        self.place, (self.postgresql, self.valkey), self.stack = place, servers, stack
        self.name = f"faults_{place.name.strip('_')}"
        self.mail = CountingServer()
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            port = door.getsockname()[1]
        controller = Controller(self.mail, hostname="127.0.0.1", port=port)
        controller.start()
        stack.callback(controller.stop)
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"},
            "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
            "DATABASE_URL": self.postgresql.url.replace("/helpdesk?", "/{}?").format(self.name),
            "REDIS_URL": self.valkey.url.replace("db=0", f"db={next(KEYSPACES)}"),
            "SECRET_KEY": "faults",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(port),
            "EMAIL_USE_TLS": "0",
        }
        with self.connect("postgres") as admin:
            admin.execute(f'CREATE DATABASE "{self.name}" TEMPLATE faults_model')

    def connect(self, database: str = "") -> psycopg.Connection:
        where = str(self.postgresql.socket_directory)
        return psycopg.connect(host=where, user="helpdesk", dbname=database or self.name, autocommit=True)

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words], cwd=BASE_DIR, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def clocks_due(self, hours: float = 1) -> None:
        self.run("tests/runtime/due_clocks.py", str(CLOCKS), str(hours))

    def start(self, *words: str, name: str) -> subprocess.Popen[bytes]:
        log = (self.place / f"{name}.log").open("ab")
        self.stack.callback(log.close)
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=BASE_DIR,
            env=self.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.stack.callback(kill, process)
        return process

    def worker(self, name: str = "worker", off: int | None = None) -> subprocess.Popen[bytes]:
        start = ["-m"] if off is None else ["tests/runtime/wrong_clock.py", str(off)]
        return self.start(*start, "celery", "-A", "helpdesk.celery", "worker", "-c", "2", "-l", "INFO", name=name)

    def beat(self, name: str = "beat", off: int | None = None) -> subprocess.Popen[bytes]:
        start = ["-m"] if off is None else ["tests/runtime/wrong_clock.py", str(off)]
        keeps_nothing = ("--scheduler=celery.beat:Scheduler", "--pidfile=")
        return self.start(*start, "celery", "-A", "helpdesk.celery", "beat", *keeps_nothing, name=name)

    def value(self, statement: str) -> Any:
        with self.connect() as connection:
            row = connection.execute(statement).fetchone()
            assert row is not None
            return row[0]

    def escalations(self) -> int:
        return self.value("SELECT count(*) FROM sla_escalation")

    def is_settled(self) -> bool:
        """Whether all has been done: every due rung written, every letter of it written, and none left to send."""
        try:
            return (
                self.escalations() >= CLOCKS * RUNGS_DUE
                and self.value("SELECT count(*) FROM sla_escalation WHERE notified_at IS NULL") == 0
                and self.value("SELECT count(*) FROM mail_outgoingletter WHERE sent_at IS NULL") == 0
            )
        except psycopg.OperationalError:  # the database itself is down or starting: that is one of the faults
            return False

    def logs(self) -> str:
        return "\n".join(f"--- {log.name}\n{log.read_text()[-1500:]}" for log in sorted(self.place.glob("*.log")))

    def wait_until_settled(self, seconds: float = PATIENCE) -> None:
        assert wait_until(self.is_settled, seconds=seconds, step=0.3), self.logs()

    def in_hand(self) -> set[str]:
        """The Message-IDs of the letters that a sender holds now."""
        held = "FROM mail_outgoingletter WHERE in_hand_since IS NOT NULL"
        return set(self.value(f"SELECT array_agg(btrim(message_id, '<>')) {held}") or ())

    def let_time_in_hand_pass(self) -> None:
        """As if the three minutes were over in which a letter is its sender's; only where that sender is dead."""
        with self.connect() as connection:
            connection.execute(
                "UPDATE mail_outgoingletter SET next_try_at = next_try_at - %s WHERE in_hand_since IS NOT NULL",
                [IN_HAND],
            )

    def assert_exactly_once(self, *, in_doubt: Collection[str] = ()) -> None:
        due = CLOCKS * RUNGS_DUE
        assert self.escalations() == due
        assert self.value("SELECT count(DISTINCT (commitment_id, position)) FROM sla_escalation") == due
        # The letters of the rungs alone: a job of the full hour may have written one of its own meanwhile.
        of_rungs = "FROM mail_outgoingletter WHERE occasion LIKE 'escalation:%'"
        assert self.value(f"SELECT count(*) {of_rungs}") == due
        assert self.value(f"SELECT count(DISTINCT occasion) {of_rungs}") == due
        written = set(self.value(f"SELECT array_agg(btrim(message_id, '<>')) {of_rungs}"))
        took = [name for name in self.mail.took if name in written]
        assert set(took) == written
        assert {name for name, times in Counter(took).items() if times > 1} <= set(in_doubt)
        assert all(times <= 2 for times in Counter(took).values())
        # In order: what was reached earlier stands first, for each clock.
        assert (
            self.value("""
            SELECT count(*) FROM sla_escalation lower JOIN sla_escalation upper USING (commitment_id)
            WHERE lower.position < upper.position AND (lower.reached_at > upper.reached_at OR lower.id > upper.id)
            """)
            == 0
        )
        # And nothing was forgotten: each clock is looked at again when its third rung comes.
        assert (
            self.value("SELECT count(*) FROM sla_commitment WHERE rungs_done = 2 AND next_check_at > now()") == CLOCKS
        )


def kill(process: subprocess.Popen[bytes]) -> None:
    """As kill -9 of the whole machine would: parent and children, no time for anything."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # dead already, and its children with it
    finally:
        process.wait()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PostgreSQL, Valkey]]:
    """A PostgreSQL that really writes to disk and a Valkey, both of these tests alone; a migrated database to copy."""
    state = tmp_path_factory.mktemp("servers")
    with in_use(PostgreSQL(state)) as postgresql, in_use(Valkey(state)) as valkey:
        assert isinstance(postgresql, PostgreSQL)
        assert isinstance(valkey, Valkey)
        where = str(postgresql.socket_directory)
        with psycopg.connect(host=where, user="helpdesk", dbname="postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE faults_model")
        copy_to(postgresql.url.replace("/helpdesk?", "/faults_model?"), reach(settings.DATABASES["default"]))
        yield postgresql, valkey


@pytest.fixture
def machines(tmp_path: Path, servers: tuple[PostgreSQL, Valkey]) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path, servers, stack)


def test_worker_killed_in_the_middle_of_a_batch_loses_and_repeats_nothing(machines: Machines):
    machines.clocks_due()
    with machines.connect() as holding:
        holding.autocommit = False
        # The batch's commit asks for this ticket: there it stands, half done, for as long as we hold it.
        holding.execute("SELECT 1 FROM tickets_ticket ORDER BY id DESC LIMIT 1 FOR UPDATE")
        first = machines.worker("killed")
        machines.beat()
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        assert wait_until(lambda: machines.value(waits) > 0, seconds=PATIENCE, step=0.1), machines.logs()

        kill(first)
        # On a slow machine two runs share what is due: the one that does not hold this ticket may have done its part.
        assert machines.escalations() < CLOCKS * RUNGS_DUE

    machines.worker("second")
    machines.wait_until_settled()
    machines.assert_exactly_once()


def test_worker_killed_while_it_sends_letters_loses_none(machines: Machines):
    machines.clocks_due()
    first = machines.worker("killed")
    machines.beat()
    assert wait_until(lambda: len(machines.mail.took) > 20, seconds=PATIENCE), machines.logs()

    kill(first)

    assert len(machines.mail.took) < CLOCKS * RUNGS_DUE
    in_doubt = machines.in_hand()
    assert len(in_doubt) <= 2  # one for each of the two processes of the worker
    machines.let_time_in_hand_pass()
    machines.worker("second")
    machines.wait_until_settled()
    machines.assert_exactly_once(in_doubt=in_doubt)


def test_two_beats_and_two_workers_at_once_do_everything_once(machines: Machines):
    machines.clocks_due()

    for name in ("one", "other"):
        machines.worker(f"worker-{name}")
        machines.beat(f"beat-{name}")

    machines.wait_until_settled()
    machines.assert_exactly_once()


def test_redis_stopped_for_a_minute_loses_nothing(machines: Machines):
    machines.worker()
    machines.beat()
    assert wait_until(lambda: "sweep_clocks" in machines.logs(), seconds=PATIENCE, step=0.3), machines.logs()
    valkey = machines.valkey.process_pid()
    assert valkey is not None

    os.kill(valkey, signal.SIGSTOP)
    try:
        machines.clocks_due()
        time.sleep(60)  # the fault itself lasts so long
        meanwhile = machines.escalations()
    finally:
        os.kill(valkey, signal.SIGCONT)

    machines.wait_until_settled()
    assert meanwhile in {0, CLOCKS * RUNGS_DUE}  # one batch: a run that was under way did all of it, or none did
    machines.assert_exactly_once()


def test_postgresql_restarted_under_load_loses_nothing(machines: Machines):
    machines.clocks_due()
    machines.worker()
    machines.beat()
    over = threading.Event()
    asked, failed = count(), count()

    def load() -> None:
        while not over.wait(0.02):
            next(asked)
            try:
                machines.value("SELECT count(*) FROM tickets_ticket")
            except psycopg.OperationalError:
                next(failed)

    readers = [threading.Thread(target=load) for _number in range(4)]
    for reader in readers:
        reader.start()
    try:
        assert wait_until(lambda: len(machines.mail.took) > 20, seconds=PATIENCE), machines.logs()
        for sign in (signal.SIGKILL, signal.SIGINT):  # a crash, and an operator's fast restart
            before = machines.postgresql.process_pid()
            assert before is not None
            os.kill(before, sign)
            assert wait_until(lambda: not machines.postgresql.is_kept(), seconds=60)
            machines.postgresql.ensure()  # as the supervisor of `make run` does when it sees it gone
        # A crash in the very moment of taking a letter may leave it in hand without a holder: that time is waited for.
        machines.wait_until_settled(seconds=PATIENCE + IN_HAND.total_seconds())
    finally:
        over.set()
        for reader in readers:
            reader.join()

    assert next(failed) > 0
    machines.assert_exactly_once()


def test_machine_whose_clock_is_an_hour_ahead_calls_nobody_early(machines: Machines):
    machines.clocks_due()

    machines.worker("ahead", off=3600)
    machines.beat("beat", off=3600)

    machines.wait_until_settled()
    machines.assert_exactly_once()
    assert machines.value("SELECT count(*) FROM sla_commitment WHERE ending = 'missed'") == 0
    assert "the job goes by the database's" in (machines.place / "ahead.log").read_text()


def test_worker_an_hour_ahead_of_its_beat_still_works(machines: Machines):
    machines.clocks_due()

    machines.worker("ahead", off=3600)
    machines.beat("beat")

    machines.wait_until_settled()
    machines.assert_exactly_once()


def test_a_day_without_a_sweep_is_made_up_in_order(machines: Machines):
    machines.clocks_due(hours=24)
    watched = (
        "from django.test import RequestFactory; from helpdesk import health;"
        "print(health.clockz(RequestFactory().get('/clockz')).content.decode())"
    )
    alarm = machines.run("manage.py", "shell", "-c", watched)

    machines.worker()
    machines.beat()

    machines.wait_until_settled()
    machines.assert_exactly_once()
    assert "clocks: not looked at since" in alarm
    assert "clocks: ok" in machines.run("manage.py", "shell", "-c", watched)
