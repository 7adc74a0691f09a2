"""The supervisor behind `make run`: everything up in order, looked after, and down in order.

PostgreSQL and Valkey, tables and catalogue and demo data, then the web server, a Celery worker and beat as processes
of their own, each with its log below `.run/log/`. Imports no Django: what needs it runs in a child.
"""

import argparse
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType
from typing import IO

from helpdesk.embedded import (
    BASE_DIR,
    CannotStart,
    Server,
    belongs_to_another,
    in_use,
    local_servers,
    make_private,
    needed,
    state_directory,
)
from helpdesk.processes import alone, command_of, end_with_parent, stop_stranger, try_lock, wait_until
from helpdesk.translations import compile_translations

PATIENCE = 8.0  # seconds that the processes have to end; Celery usually takes one to four
LARGEST_LOG = 5 * 1024 * 1024
LONGEST_PAUSE = 30.0  # seconds before a process that keeps dying is started again
STEADY = 60.0  # seconds after which a process that ran counts as healthy again
TRIES_BEFORE_READY = 3
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Leave(BaseException):
    """Ctrl-C, or the system asks us to end. Like KeyboardInterrupt no error, so not an Exception."""


class Leaving:
    """What a stop signal does: `Leave` comes at once, but not out of the middle of a look at a child.

    Out of `Popen.poll` it would leave that one's lock taken, and `wait` would wait for it for ever.
    """

    def __init__(self) -> None:
        self.looking = self.asked = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        ignore_stop_signals()
        self.asked = True
        if not self.looking:
            raise Leave

    def has_ended(self, child: subprocess.Popen[bytes]) -> bool:
        """Whether it is gone. Raises `Leave` after the look where that was asked for meanwhile."""
        self.looking = True
        try:
            ended = child.poll() is not None
        finally:
            self.looking = False
        if self.asked:
            raise Leave
        return ended


leave = Leaving()


def ignore_stop_signals() -> None:
    """`make` and the terminal both pass a Ctrl-C on, and people press it twice: one stop is enough."""
    for sig in STOP_SIGNALS:
        signal.signal(sig, signal.SIG_IGN)


def say(text: str) -> None:
    print(text, flush=True)


# One process


@dataclass
class Process:
    """A child of the supervisor: started, started again with growing pauses when it dies, stopped with all its own."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    passes: tuple[int, ...] = ()
    child: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0
    again_at: float = 0.0

    def start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                self.command,
                cwd=BASE_DIR,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self.passes,
                # Its own session: the terminal's Ctrl-C reaches the supervisor alone, and a stop reaches all of it.
                start_new_session=True,
                preexec_fn=end_with_parent(signal.SIGTERM),
            )
        self.started = time.monotonic()

    def look(self) -> bool:
        """Notice a death and start again when its pause is over; whether there was anything to do."""
        now = time.monotonic()
        if self.child is None:
            if now < self.again_at:
                return False
            self.start()
            return True
        if leave.has_ended(self.child):
            self.end_group()
            if now - self.started > STEADY:
                self.deaths = 0
            self.deaths += 1
            pause = min(2.0 ** (self.deaths - 1), LONGEST_PAUSE)
            say(
                f"The {self.name} process ended by itself ({how_it_ended(self.child.returncode)}); "
                f"it starts again in {pause:.0f} s. Its log: {shown(self.log)}"
            )
            self.again_at = now + pause
            self.child = None
            return True
        return False

    def ask_to_stop(self) -> None:
        if self.child is not None and self.child.poll() is None:
            self.child.terminate()

    def end(self, until: float) -> None:
        """Wait for it until that moment of the monotonic clock, then end it with all its children."""
        if self.child is None:
            return
        try:
            self.child.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(f"  the {self.name} process does not end; killed")
        self.end_group()
        self.child.wait()

    def end_group(self) -> None:
        """End whatever of its session is still there, such as a worker's pool."""
        if self.child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)


def how_it_ended(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def shown(path: Path) -> str:
    """A path as short as one can type it from the checkout."""
    return str(path.relative_to(BASE_DIR) if path.is_relative_to(BASE_DIR) else path)


def last_lines(path: Path, count: int = 15) -> str:
    return "\n".join(f"    {line}" for line in path.read_text(errors="replace").splitlines()[-count:])


# One supervisor in a checkout


@contextmanager
def only_one(state: Path) -> Iterator[IO[str]]:
    """Hold the checkout's run lock; the file says who does. Raises CannotStart in a second start."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a+") as lock:
        if not try_lock(lock, fcntl.LOCK_EX):
            lock.seek(0)
            pid, _, address = lock.read().partition(" ")
            where = f"pid {pid}, {address}" if address else f"pid {pid or 'not known'}, still starting"
            raise CannotStart(f"Already running here ({where}). Stop it with Ctrl-C there, or with: kill {pid}")
        note(lock, f"{os.getpid()} ")
        yield lock
        note(lock, "")


def note(lock: IO[str], text: str) -> None:
    lock.truncate(0)
    lock.write(text)
    lock.flush()


def stop_leftovers(state: Path) -> None:
    """Stop the processes of a supervisor that was killed. Most end with it; a worker may still be finishing."""
    try:
        noted: dict[str, int] = json.loads((state / "processes").read_text())
    except (FileNotFoundError, ValueError):
        return
    for name, pid in noted.items():
        command = command_of(pid)
        # The number may belong to somebody else by now; ours run this interpreter on this application.
        if sys.executable in command and "helpdesk" in command:
            say(f"  left over from a killed start: the {name} process (pid {pid}), stopping it")
            stop_stranger(pid, gently=signal.SIGTERM, seconds=PATIENCE)


def listen(host: str, port: int) -> socket.socket:
    """Bind the web address here and now, so that no other process can get between a check and the start.

    Port 0 means any free one. Raises CannotStart for a busy port and for an address that is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as problem:
        listening.close()
        raise CannotStart(
            f"Port {port} on {host} cannot be used ({problem.strerror}). Choose another: make run PORT={another(port)}"
        ) from None
    return listening


def another(port: int) -> int:
    return port + 1000 if port + 1000 < 65536 else 9000


# Steps


def prepare(state: Path, environment: dict[str, str], *, demo: bool) -> list[list[str]]:
    """Texts, tables, catalogue and demo data, telling each step; the demo sign-ins. Raises CannotStart."""
    for source in compile_translations([BASE_DIR / "locale"]):
        say(f"  texts: compiled {shown(source)}")
    signins = state / "signins.json"
    log = state / "log" / "prepare.log"
    command = [sys.executable, "manage.py", "prepare", f"--signins={signins}", *([] if demo else ["--no-demo"])]
    with log.open("wb") as errors:
        child = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            preexec_fn=end_with_parent(signal.SIGTERM),
        )
    try:
        assert child.stdout is not None
        for line in child.stdout:
            say(f"  {line.rstrip()}")
        code = child.wait()
    except Leave:
        child.kill()  # a step is one transaction, or goes on where it was left
        child.wait()
        raise
    if code != 0:
        raise CannotStart(f"manage.py prepare failed ({how_it_ended(code)}):\n{last_lines(log)}")
    return json.loads(signins.read_text())


def processes_of(environment: dict[str, str], listening: socket.socket, logs: Path) -> list[Process]:
    """The three processes in the order in which they are stopped: nothing new is put before a worker that leaves."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app", "helpdesk.celery"]
    # A broker of one worker has nobody to gossip with.
    alone_at_work = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    web = [*python, "uvicorn", "helpdesk.asgi:application", "--fd", str(listening.fileno())]
    web += ["--timeout-graceful-shutdown", "3"]  # open streams would hold it for ever
    commands = {
        "beat": [*celery, "beat", "--scheduler", "celery.beat:Scheduler", "--pidfile=", "--loglevel", "INFO"],
        "web": web,
        "worker": [*celery, "worker", "--pool", "prefork", "--concurrency", "2", "--loglevel", "INFO", *alone_at_work],
    }
    return [
        Process(name, command, environment, logs / f"{name}.log", (listening.fileno(),) if name == "web" else ())
        for name, command in commands.items()
    ]


def answers(listening: socket.socket) -> bool:
    """Whether the web server answers `/healthz`."""
    host, port = listening.getsockname()[:2]
    connection = HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def wait_until_ready(processes: list[Process], listening: socket.socket) -> None:
    """Raises CannotStart when a process cannot live or the web server stays silent for two minutes."""

    def decided() -> bool:
        look_after(processes)
        return any(process.deaths >= TRIES_BEFORE_READY for process in processes) or answers(listening)

    in_time = wait_until(decided, seconds=120, step=0.1)
    for process in processes:
        if process.deaths >= TRIES_BEFORE_READY:
            raise CannotStart(f"The {process.name} process does not start:\n{last_lines(process.log)}")
    if not in_time:
        web = next(process for process in processes if process.name == "web")
        raise CannotStart(f"The web server does not answer:\n{last_lines(web.log)}")


def look_after(processes: Iterable[Process]) -> bool:
    """Whether any of them died or was started again."""
    changed = False
    for process in processes:
        changed |= process.look()
    return changed


def look_after_servers(servers: Iterable[Server]) -> None:
    """A local server that died comes back; PostgreSQL recovers by itself, Valkey reads its log of commands."""
    for server in servers:
        if server.is_kept():
            continue
        with alone(server.directory / "turn"):
            if server.ensure():
                say(f"{server.title} had ended by itself; it is up again. Its log: {shown(server.log)}")


def stop(processes: list[Process]) -> None:
    """Ask all, in order; wait for all; then end what is left."""
    for process in processes:
        process.ask_to_stop()
    until = time.monotonic() + PATIENCE
    for process in processes:
        process.end(until)


# The whole


def up(stack: ExitStack, *, host: str, port: int, demo: bool) -> tuple[list[Process], list[Server]]:
    """Bring everything up, each step told in a line; `stack` takes it down in the opposite order."""
    state = state_directory()
    began = time.monotonic()
    lock = stack.enter_context(only_one(state))
    stop_leftovers(state)
    listening = stack.enter_context(listen(host, port))
    host, port = listening.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    note(lock, f"{os.getpid()} {address}")
    say(f"Starting in {shown(state)} (Ctrl-C stops)")
    servers = local_servers(state)
    for server in servers:
        stack.enter_context(in_use(server))
        say(f"  {server.title} {server.version()}: up, data in {shown(server.home)}")
    for variable in ("DATABASE_URL", "REDIS_URL"):
        if not needed(variable):
            say(f"  {variable}: the server of your own is used")
    environment = {
        "SITE_URL": address.rstrip("/"),
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "PYTHONUNBUFFERED": "1",
    }
    logs = state / "log"
    make_private(logs)
    (state / "static").mkdir(exist_ok=True)  # whitenoise warns where it is missing
    signins = prepare(state, environment, demo=demo)
    processes = processes_of(environment, listening, logs)
    stack.callback(stop, processes)
    for process in processes:
        process.start()
    note_processes(state, processes)
    wait_until_ready(processes, listening)
    say(f"  web, worker, beat: up; logs in {shown(logs)}/")
    say(f"\nREADY in {time.monotonic() - began:.1f} s:  {address}\n")
    say_signins(signins)
    return processes, servers


def note_processes(state: Path, processes: list[Process]) -> None:
    """For the next supervisor, if this one is killed."""
    pids = {process.name: process.child.pid for process in processes if process.child is not None}
    draft = state / "processes.new"
    draft.write_text(json.dumps(pids))
    draft.replace(state / "processes")


def say_signins(signins: list[list[str]]) -> None:
    if not signins:
        return
    widths = [max(len(row[column]) for row in signins) for column in (0, 1)]
    say("Sign in as (role, e-mail, password):")
    for role, email, password in signins:
        say(f"  {role:{widths[0]}}  {email:{widths[1]}}  {password}")
    say("")


def run(*, host: str, port: int, demo: bool) -> int:
    """Until Ctrl-C; the exit code is 0 then, and 1 with one sentence where something cannot start."""
    for sig in STOP_SIGNALS:
        signal.signal(sig, leave)
    code = 0
    with ExitStack() as stack:
        try:
            processes, servers = up(stack, host=host, port=port, demo=demo)
            while True:
                time.sleep(0.5)
                look_after_servers(servers)
                if look_after(processes):
                    note_processes(state_directory(), processes)
        except Leave:
            say("\nStopping")
        except CannotStart as problem:
            say(str(problem))
            code = 1
        except PermissionError as problem:
            say(belongs_to_another(problem))
            code = 1
        ignore_stop_signals()
    if code == 0:
        say("Stopped. The data stay where they are.")
    return code


def port_number(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"PORT must be a number from 0 (any free one) to 65535; it is {text!r}")
    return int(text)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make run", description=__doc__)
    arguments.add_argument("--listen", default=os.environ.get("LISTEN", "") or "127.0.0.1")
    arguments.add_argument("--port", type=port_number, default=os.environ.get("PORT", "") or "8000")
    arguments.add_argument("--no-demo", action="store_true", default=os.environ.get("DEMO", "") == "0")
    asked = arguments.parse_args()
    return run(host=asked.listen, port=asked.port, demo=not asked.no_demo)


if __name__ == "__main__":
    sys.exit(main())
