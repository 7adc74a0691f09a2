"""The active language and zone: each thread and task has its own, as Django has them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import sync_to_async
from django.urls import base
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext, trans_real

from helpdesk.active import Active


def test_django_looks_where_we_look() -> None:
    assert all(isinstance(one, Active) for one in (timezone._active, base._prefixes, base._urlconfs))  # type: ignore[attr-defined]
    assert isinstance(trans_real._active, Active)  # type: ignore[attr-defined]


def test_threads_at_once_have_each_their_language_and_begin_with_none() -> None:
    together = Barrier(2)

    def read(language: str) -> tuple[str | None, str, str | None]:
        began = getattr(trans_real._active, "value", None)
        with translation.override(language):
            together.wait(10)
            word = gettext("Queue")
            together.wait(10)
            return began, word, get_language()

    with translation.override("en"), ThreadPoolExecutor(2) as threads:
        found = list(threads.map(read, ["ru", "en"]))

    assert found == [(None, "Очередь", "ru"), (None, "Queue", "en")]


def test_a_task_begins_with_the_language_of_its_caller_and_changes_only_its_own() -> None:
    async def turn(language: str) -> tuple[str | None, str | None, str | None]:
        before = get_language()
        translation.activate(language)
        await asyncio.sleep(0)
        return before, get_language(), await sync_to_async(get_language)()

    async def both() -> list[tuple[str | None, str | None, str | None]]:
        return await asyncio.gather(turn("ru"), turn("en"))

    with translation.override("en"):
        assert asyncio.run(both()) == [("en", "ru", "ru"), ("en", "en", "en")]
        assert get_language() == "en"


def test_what_was_active_comes_back_after_an_override_also_where_there_was_none() -> None:
    translation.deactivate()
    default = get_language()
    with pytest.raises(ZeroDivisionError), translation.override("en"), timezone.override("Asia/Novosibirsk"):
        assert timezone.get_current_timezone() == ZoneInfo("Asia/Novosibirsk")
        raise ZeroDivisionError
    assert get_language() == default
    assert timezone.get_current_timezone() == timezone.get_default_timezone()
