"""The active language, time zone and address prefix of a thread or task, found without a lock.

Django asks for the language with every word, nine hundred times for a page of the desk, and keeps it in an
`asgiref.local.Local`: a context variable behind a lock and three calls, a tenth of that page. Here it is the context
variable alone. Threads begin with an empty context, tasks and `sync_to_async` with a copy of their caller's: as there.
"""

from contextvars import ContextVar
from typing import Any

from django.urls import base
from django.utils import timezone
from django.utils.translation import trans_real

NOTHING = object()


class Active:
    """What Django uses of a `Local`: its attribute `value`, which is missing until it is set."""

    def __init__(self, name: str) -> None:
        self._held: ContextVar[Any] = ContextVar(name, default=NOTHING)

    @property
    def value(self) -> Any:
        """Raises `AttributeError` where nothing is active."""
        held = self._held.get()
        if held is NOTHING:
            raise AttributeError("value")
        return held

    @value.setter
    def value(self, one: Any) -> None:
        self._held.set(one)

    @value.deleter
    def value(self) -> None:
        self._held.set(NOTHING)


PLACES: tuple[tuple[Any, str], ...] = (
    (trans_real, "_active"),
    (timezone, "_active"),
    (base, "_prefixes"),
    (base, "_urlconfs"),
)


def find_fast() -> None:
    """For the start of a process. Another Django, which keeps them elsewhere, is told by an `AttributeError`."""
    for module, name in PLACES:
        getattr(module, name)
        setattr(module, name, Active(f"{module.__name__}.{name}"))
