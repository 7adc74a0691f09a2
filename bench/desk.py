"""What the desk's pages cost at 10,000, 100,000 and 1,000,000 tickets: `python bench/desk.py` prints JSON.

In databases of its own. Every page is asked for through the whole of Django (session, person, middleware, templates),
DEBUG off, in this process: CPU of the web is this process's, CPU of the database that of its backend, as the kernel
counts both. `--peer FOLDER --peer-python PYTHON` measures django-helpdesk in the same run (desk_peer.py).
"""

import argparse
import json
import logging
import multiprocessing
import os
import platform
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import geometric_mean
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helpdesk.settings")
os.environ.update(DEBUG="0", SECRET_KEY="of the measurement", ALLOWED_HOSTS="testserver,127.0.0.1")

from page_cost import SECONDS, Looks  # noqa: E402

from tests.servers import start  # noqa: E402  a PostgreSQL of its own, unless DATABASE_URL names one

TURNS = 3  # of the sizes
SPECS_SIZE = "100000"
SPECS_MS = {"queue": 391, "search_rare": 2960, "board": 3600}  # django-helpdesk where the limits were set
HANDS = 4  # processes that receive requests at once


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--sizes", default="10000,100000,1000000", help="how many tickets stand")
    asked.add_argument("--keep", metavar="NAME", help="keep the databases NAME_SIZE, and use those that are there")
    asked.add_argument("--only", default="", help="pages to measure: queue,ticket,search,board,create")
    asked.add_argument("--peer", metavar="FOLDER", help="measure django-helpdesk, too: the specification's peers/")
    asked.add_argument("--peer-python", metavar="PYTHON", help="a Python with django-helpdesk==2.6.1, psycopg[binary]")
    asked.add_argument("--peer-sizes", default="10000,100000", help="how many tickets the peer has")
    asked.add_argument("--statements", action="store_true", help="print the statements of each page, too")
    options = asked.parse_args()
    with ExitStack() as stack:
        start(stack)
        in_django()
        sizes = [int(size) for size in options.sizes.split(",")]
        found: dict[str, Any] = {"python": platform.python_version()}
        found |= measure(sizes, options.keep, options.only.split(","), options.statements)
        if options.peer:
            at = [int(size) for size in options.peer_sizes.split(",")]
            found["django_helpdesk"] = peer(options.peer, options.peer_python, at)
            if SPECS_SIZE in found and SPECS_SIZE in found["django_helpdesk"]:
                found["as_where_the_limits_were_set"] = as_there(found, found["django_helpdesk"][SPECS_SIZE])
        print(json.dumps(found, indent=2))


def in_django() -> None:
    import django
    from django.conf import settings

    settings.STORAGES["staticfiles"]["BACKEND"] = "helpdesk.statics.Files"
    # Parallel workers are processes of their own: without them the backend's CPU is the whole of it.
    settings.DATABASES["default"]["OPTIONS"]["options"] = "-c max_parallel_workers_per_gather=0"
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None  # the connection stays, as it does in docker-compose.yml
    logging.disable(logging.WARNING)
    django.setup()


def measure(sizes: list[int], keep: str | None, only: list[str], statements: bool) -> dict[str, Any]:
    """Each size in a database of its own; they take turns, so that a machine that slows down slows down all of them."""
    found: dict[str, Any] = {}
    base = keep or f"bench_desk_{os.getpid()}"
    names = {size: f"{base}_{size}" for size in sizes}
    looks: dict[int, dict[str, Looks]] = {size: defaultdict(Looks) for size in sizes}
    weights: dict[int, dict[str, int]] = {size: {} for size in sizes}
    try:
        for size, name in names.items():
            found[str(size)] = {"filled_seconds": at_database(name, size)}
        for _turn in range(TURNS):
            for size, name in names.items():
                at_database(name, size)
                weights[size] = pages(only, looks[size])
        for size in sizes:
            for page, taken in looks[size].items():
                figures = taken.figures() | ({"said": taken.said} if statements else {})
                found[str(size)][page] = figures | ({"kilobytes": weights[size][page]} if page in weights[size] else {})
            if "create" in looks[size]:
                at_database(names[size], size)
                at_once = {"processes": HANDS, "per_second": received_at_once(HANDS)}
                found[str(size)]["create"] |= {"at_once": at_once}
        if len(sizes) > 1:
            found["largest_by_smallest"] = compared(found[str(sizes[0])], found[str(sizes[-1])])
        return found
    finally:
        if not keep:
            for name in names.values():
                drop(name)


# Databases


def administration(sql: str) -> list[Any]:
    from django.db import connection

    connection.close()
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


def drop(name: str) -> None:
    administration(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def at_database(name: str, size: int) -> float:
    """Goes to the database, filled first where it is not there; seconds that it took."""
    import desk_data
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    began = time.perf_counter()
    there = bool(administration(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))
    if not there:
        administration(f"CREATE DATABASE {name}_new")
        connection.settings_dict["NAME"] = f"{name}_new"
        call_command("migrate", verbosity=0)
        desk_data.seed(timezone.now())
        desk_data.fill(size)
        administration(f"ALTER DATABASE {name}_new RENAME TO {name}")
    connection.close()
    connection.settings_dict["NAME"] = name
    call_command("migrate", verbosity=0)
    return round(time.perf_counter() - began, 1)


# Pages


def pages(only: list[str], looks: dict[str, Looks]) -> dict[str, int]:
    """Looks at each page for some seconds; their weights in kilobytes."""
    import desk_data
    from django.urls import reverse

    from accounts.models import User
    from tickets.models import Ticket

    engineer = User.objects.get(email="engineer0@bench.example")
    manager = User.objects.get(email="manager@bench.example")
    numbers = list(
        Ticket.objects.filter(state="in_progress", line=1).order_by("token").values_list("number", flat=True)[:200]
    )
    closed = list(Ticket.objects.filter(state="closed").order_by("-pk").values_list("number", flat=True)[:200])

    def ticket(of: list[int]) -> Callable[[int], str]:
        return lambda turn: reverse("desk:ticket", args=[of[turn % len(of)]])

    queue, search = reverse("desk:queue"), reverse("desk:search")
    pane = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "pane"}
    asked: dict[str, tuple[User, Callable[[int], str], dict[str, str]]] = {
        "queue": (engineer, lambda turn: queue, {}),
        "queue_mine": (engineer, lambda turn: queue + "my/", {}),
        "ticket": (engineer, ticket(numbers), {}),
        "ticket_pane": (engineer, ticket(numbers), pane),
        "ticket_closed": (engineer, ticket(closed), {}),
        "search_rare": (engineer, lambda turn: f"{search}?q={desk_data.RARE_WORD}", {}),
        "search_common": (engineer, lambda turn: f"{search}?q={desk_data.COMMON_WORD}", {}),
        "search_none": (engineer, lambda turn: f"{search}?q=qwertyuiop{turn}", {}),
        "board": (manager, lambda turn: reverse("manage:board"), {}),
    }

    def wanted(name: str) -> bool:
        return only == [""] or any(name.startswith(one) for one in only)

    weights = {
        name: page(user, address, headers, looks[name])
        for name, (user, address, headers) in asked.items()
        if wanted(name)
    }
    if wanted("create"):
        looks["create"].take(receiving(), SECONDS / TURNS)
    return weights


def peer(folder: str, python: str, sizes: list[int]) -> dict[str, Any]:
    """The peer at the same sizes, in databases of its own on the same server, after our pages."""
    from django.db import connection

    found = {}
    # Its package is called helpdesk, too: a path to this project would hide it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for size in sizes:
        name = f"bench_peer_{os.getpid()}_{size}"
        administration(f"CREATE DATABASE {name}")
        try:
            parts = urlsplit(os.environ["DATABASE_URL"])
            done = subprocess.run(
                [python, str(ROOT / "bench" / "desk_peer.py"), folder, str(size)],
                env={**environment, "DATABASE_URL": parts._replace(path=f"/{name}").geturl()},
                stdout=subprocess.PIPE,
                check=True,
            )
            found[str(size)] = json.loads(done.stdout.splitlines()[-1])
        finally:
            connection.close()
            drop(name)
    return found


def page(user: Any, address: Callable[[int], str], headers: dict[str, str], looks: Looks) -> int:
    from allauth.usersessions.models import UserSession
    from django.test import Client

    client = Client(**headers)
    client.force_login(user)
    UserSession.objects.create(user=user, session_key=client.session.session_key, ip="127.0.0.1")  # as signing in does

    def ask(turn: int) -> Any:
        answer = client.get(address(turn), secure=True)
        assert answer.status_code == 200, (address(turn), answer.status_code)
        return answer

    looks.take(ask, SECONDS / TURNS)
    return round(len(ask(0).content) / 1024)


def receiving() -> Callable[[int], None]:
    """Receives a request of one of 24 companies, in a transaction of its own, in words as the others are."""
    from django.db import connection
    from django.utils import timezone

    from accounts.models import Role, User
    from tickets import workflow

    contacts = list(User.objects.filter(role=Role.CUSTOMER, contact_of__isnull=False).distinct()[:24])
    companies = [contact.membership.customer for contact in contacts]
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject, body FROM bench_subject JOIN bench_text USING (n) ORDER BY n")
        said = cursor.fetchall()

    def ask(turn: int) -> None:
        contact = contacts[turn % len(contacts)]
        subject, body = said[turn % len(said)]
        workflow.open_ticket(
            customer=companies[turn % len(contacts)], by=contact, subject=f"{subject} {turn}",
            body=body, kind="incident", priority=1 + turn % 4, at=timezone.now(),
        )  # fmt: skip

    return ask


def received_at_once(hands: int, seconds: float = 6.0) -> int:
    """Requests a second that so many processes receive together, as those of a web server do: each its own commit."""
    from django.db import connection

    connection.close()  # a connection is not shared with a child
    context = multiprocessing.get_context("fork")
    ready, counts = context.Barrier(hands), context.SimpleQueue()

    def work(hand: int) -> None:
        ask, turn = receiving(), hand * 7
        for _warm in range(8):
            ask(turn)
        ready.wait()
        until, done = time.perf_counter() + seconds, 0
        while time.perf_counter() < until:
            ask(turn + done)
            done += 1
        counts.put(done)

    children = [context.Process(target=work, args=(hand,)) for hand in range(hands)]
    for child in children:
        child.start()
    for child in children:
        child.join()
        assert child.exitcode == 0, child.exitcode
    return round(sum(counts.get() for _child in children) / seconds)


def as_there(found: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    """`cpu_ms` of our pages as they would be where django-helpdesk takes what the specification says.

    By the middle (geometric) of three of its pages, and by the pace beside each look, so that it does not matter that
    the machine was another one a minute later.
    """
    times = [theirs[name]["cpu_ms"] / theirs[name]["pace_ms"] / spec for name, spec in SPECS_MS.items()]
    theirs_at = geometric_mean(times)
    told: dict[str, Any] = {}
    for size, measured in found.items():
        if size.isdecimal():
            pages = {name: page for name, page in measured.items() if isinstance(page, dict) and "pace_ms" in page}
            told[size] = {name: round(page["cpu_ms"] / page["pace_ms"] / theirs_at, 1) for name, page in pages.items()}
            if create := pages.get("create"):
                told[size]["received_a_second"] = round(create["at_once"]["per_second"] * create["pace_ms"] * theirs_at)
    return told


def compared(small: dict[str, Any], large: dict[str, Any]) -> dict[str, float]:
    """How many times the CPU of the smallest each page costs at the largest."""
    return {
        name: round(large[name]["cpu_ms"] / small[name]["cpu_ms"], 2)
        for name in small
        if isinstance(small[name], dict) and "cpu_ms" in small[name]
    }


if __name__ == "__main__":
    main()
