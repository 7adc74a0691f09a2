"""A cache that the house can do without: while Redis is away it is empty, and every page works."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

ASKED_AGAIN_AFTER = 5.0  # seconds; a page does not wait for a silent server again and again
SAID_AGAIN_AFTER = 60.0  # seconds between two lines of the log
LONG_AGO = float("-inf")

Answer = TypeVar("Answer")


class Outage:
    """Since when a server is away, on the monotonic clock; one for all threads of the process."""

    def __init__(self) -> None:
        self.lasts_until = self.said_until = LONG_AGO

    def begin(self, problem: RedisError) -> None:
        now = monotonic()
        self.lasts_until = now + ASKED_AGAIN_AFTER
        if now >= self.said_until:
            self.said_until = now + SAID_AGAIN_AFTER
            log.warning("Redis does not answer; the pages go on without a cache: %s", problem)

    def end(self) -> None:
        self.lasts_until = LONG_AGO


OUTAGES: dict[str, Outage] = {}  # by address: Django makes a cache object for each thread


class DispensableCache(RedisCache):
    """Django's Redis cache whose server may be lost: nothing is found in it then, and nothing is kept.

    Whoever counts with it (the rate limits of the sign-in) counts from zero: better no limit than no sign-in. What
    must not be lost is in the database, never here.
    """

    def __init__(self, server: str | list[str], params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self.outage = OUTAGES.setdefault(str(server), Outage())

    def answers(self) -> bool:
        """Whether the server is there now: asks it, whatever was found a moment ago."""
        try:
            self._cache.get_client().ping()
        except RedisError as problem:
            self.outage.begin(problem)
            return False
        self.outage.end()
        return True

    def unless_away(self, ask: Callable[[], Answer], otherwise: Answer) -> Answer:
        """The server's answer, or `otherwise` while it is away."""
        if monotonic() < self.outage.lasts_until:
            return otherwise
        try:
            return ask()
        except RedisError as problem:
            self.outage.begin(problem)
            return otherwise

    def add(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        # True: a lock made by `add` is free, since nobody can hold it.
        return self.unless_away(lambda: super(DispensableCache, self).add(key, value, timeout, version), True)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self.unless_away(lambda: super(DispensableCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self.unless_away(lambda: super(DispensableCache, self).set(key, value, timeout, version), None)

    def touch(self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self.unless_away(lambda: super(DispensableCache, self).touch(key, timeout, version), False)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self.unless_away(lambda: super(DispensableCache, self).delete(key, version), False)

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return self.unless_away(lambda: super(DispensableCache, self).get_many(keys, version), {})

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self.unless_away(lambda: super(DispensableCache, self).has_key(key, version), False)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """Raises `ValueError` for a key that is not there, as every cache of Django does: also while it is away."""
        number = self.unless_away(lambda: super(DispensableCache, self).incr(key, delta, version), None)
        if number is None:
            raise ValueError(f"Key {key!r} not found")
        return number

    def set_many(self, data: dict[Any, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> list[Any]:
        # The keys that were not kept.
        return self.unless_away(lambda: super(DispensableCache, self).set_many(data, timeout, version), [*data])

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        self.unless_away(lambda: super(DispensableCache, self).delete_many(keys, version), None)

    def clear(self) -> None:
        self.unless_away(super().clear, None)
