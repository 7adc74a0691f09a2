"""What every test has: the catalogue of the data migration, and a folder of its own for attachments."""

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from pytest_django.plugin import blocking_manager_key

from tests.migrated import migrated, reach

DATA_MIGRATIONS = (
    import_module("contracts.migrations.0003_catalogue").load,
    lambda apps: import_module("sla.migrations.0008_time_to_acknowledge").say(apps, None),
)


def load_catalogue(apps: Any) -> None:
    """All that the data migrations put there; each leaves alone what it finds."""
    for put in DATA_MIGRATIONS:
        put(apps)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """The test's database is a copy of a migrated one, on a server of our own (`tests/migrated.py`)."""
    server = connection.settings_dict
    if os.environ.get("DATABASE_URL", "").startswith("postgres"):
        server["TEST"]["TEMPLATE"] = migrated(reach(server))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """The catalogue is there, also in a kept test database that a transactional test of the run before has emptied."""
    with django_db_blocker.unblock():
        load_catalogue(apps)


@pytest.fixture
def catalogue_again(transactional_db: None) -> None:
    """For tests that commit: each empties the database after itself, so the next loads the catalogue anew."""
    load_catalogue(apps)


def commits(item: pytest.Item) -> bool:
    """Whether a test commits, so that the whole database is emptied after it."""
    marker = item.get_closest_marker("django_db")
    by_marker = marker is not None and bool(marker.kwargs.get("transaction"))
    return by_marker or "transactional_db" in getattr(item, "fixturenames", ())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A test that commits takes the catalogue away with everything else: it is put back for the tests that follow."""
    yield
    if commits(item) and nextitem is not None:  # after the last one the database is gone
        with item.config.stash[blocking_manager_key].unblock():
            load_catalogue(apps)
            connection.close()


@pytest.fixture(autouse=True)
def attachments_apart(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def no_static_folder_needed(settings: Any, tmp_path: Path) -> None:
    """WhiteNoise warns of a folder that `collectstatic` has not made, and a warning stops a test."""
    settings.STATIC_ROOT = tmp_path


@pytest.fixture(autouse=True)
def lines_looked_at_anew() -> None:
    """What a process knows of the lines for some seconds is of the test before."""
    import_module("tickets.forecasting").forget_lines()  # by name: no models before Django is set up
