"""What asking for a page costs: wall time, CPU of this process and of its database backend, statements.

Knows Django alone, so that `desk.py` measures our pages and `desk_peer.py` another product's by the same clock.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROUNDS, SECONDS, WARM = 120, 6.0, 8


class Looks:
    """What each asking has cost, as often as `take` was called."""

    def __init__(self) -> None:
        self.walls: list[float] = []
        self.webs: list[float] = []
        self.databases: list[float] = []
        self.paces: list[float] = []
        self.said: list[str] = []

    def take(self, ask: Callable[[int], Any], seconds: float = SECONDS) -> None:
        """Asks `ask(turn)` again and again, after some turns to get warm."""
        from django.db import connection

        for turn in range(WARM):
            ask(turn)
        heard: list[str] = []

        def listen(execute: Any, sql: str, *rest: Any) -> Any:
            heard.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(listen):
            ask(WARM)
        self.said = heard
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            backend = cursor.fetchone()[0]
        until = time.perf_counter() + seconds
        for turn in range(WARM + 1, WARM + 1 + ROUNDS):
            self.paces.append(pace())
            began, web, database = time.perf_counter(), time.process_time(), cpu_of(backend)
            ask(turn)
            self.walls.append(time.perf_counter() - began)
            self.webs.append(time.process_time() - web)
            self.databases.append(cpu_of(backend) - database)
            if time.perf_counter() > until:
                break

    def figures(self) -> dict[str, Any]:
        walls = sorted(self.walls)
        return {
            "p50_ms": ms(walls[len(walls) // 2]),
            "p95_ms": ms(walls[int(len(walls) * 0.95)]),
            "cpu_ms": ms(median(self.webs) + median(self.databases)),
            "cpu_least_ms": ms(min(map(sum, zip(self.webs, self.databases, strict=True)))),
            "cpu_web_ms": ms(median(self.webs)),
            "cpu_db_ms": ms(median(self.databases)),
            "pace_ms": round(median(self.paces) * 1e3, 3),
            "statements": len(self.said),
        }


def cost(ask: Callable[[int], Any], seconds: float = SECONDS) -> dict[str, Any]:
    """The figures of `ask(turn)`."""
    looks = Looks()
    looks.take(ask, seconds)
    return looks.figures()


def pace() -> float:
    """Seconds of CPU for a piece of work that is always the same: how fast the machine is at this moment."""
    began, words = time.process_time(), {}
    for number in range(700):
        words[f"k{number % 97}"] = f"{number}x"
    assert len("".join(words.values())) > 97
    return time.process_time() - began


def ms(seconds: float) -> float:
    return round(seconds * 1e3, 2)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has had, to the nanosecond."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
