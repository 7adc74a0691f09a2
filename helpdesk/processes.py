"""Processes of the operating system: who a pid is, what ends with its parent, how one is stopped, files that lock."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def command_of(pid: int) -> str:
    """The command line of a living process, its arguments parted by blanks; "" where there is none."""
    proc = Path("/proc")
    if (proc / "self").exists():
        try:
            raw = (proc / str(pid) / "cmdline").read_bytes()
        except OSError:
            return ""
        return raw.replace(b"\0", b" ").decode(errors="replace").strip()
    shown = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def wait_until(true: Callable[[], bool], *, seconds: float, step: float = 0.03) -> bool:
    """Ask again and again until the answer is yes (True) or the seconds are over (False)."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


def stop_stranger(pid: int, *, gently: signal.Signals, seconds: float) -> None:
    """Stop a process that is not our child: ask first, and end it when the seconds are over."""
    for ask, patience in ((gently, seconds), (signal.SIGKILL, 5.0)):
        try:
            os.kill(pid, ask)
        except ProcessLookupError:
            return
        if wait_until(lambda: not command_of(pid), seconds=patience):
            return


def end_with_parent(sig: signal.Signals) -> Callable[[], None]:
    """What a child does before exec so that it gets `sig` when its parent dies, even by kill -9 (Linux only)."""
    parent = os.getpid()

    def before_exec() -> None:
        if LIBC is not None:
            LIBC.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)
            if os.getppid() != parent:  # the parent died between fork and here
                os.kill(os.getpid(), sig)

    return before_exec


def enter_namespace_as(uid: int, gid: int) -> None:
    """In a child, before exec: be `uid` in one's own eyes while every file still belongs to who we really are.

    PostgreSQL refuses uid 0. A user namespace needs no second account and no chown, and works below a folder
    that only root may enter. Raises OSError where the system refuses (Docker's default profile does).
    """
    real_uid, real_gid = os.geteuid(), os.getegid()
    if LIBC is None or LIBC.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {real_uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {real_gid} 1")


def try_lock(file: IO[str], kind: int) -> bool:
    """Take a lock (fcntl.LOCK_SH or LOCK_EX) on an open file if nobody is in the way; it ends with the process."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait for one's turn: only one process at a time is inside for the same path."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
