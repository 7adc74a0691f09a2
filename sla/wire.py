"""The wire to the browsers that watch: what has just happened, kept for a few minutes in short streams of Valkey.

Only numbers and names go over it; a browser that hears of a ticket fetches the fragment, with its own rights. Nothing
depends on it: while Valkey is away nothing is told, one line of the log says so, and the browsers ask by themselves.
A stream, not pub/sub: who was away for a moment reads on from the last id it has seen.
"""

import logging
from functools import cache
from time import monotonic, time

import redis
from django.conf import settings
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

EVENTS, PRESENCE = "live:events", "live:presence"
KEPT = 4_000  # entries: many minutes of the busiest desk
ASKED_AGAIN_AFTER = 5.0  # seconds; a verb does not wait for a silent server again and again
MANY = 100  # changes at once that are told as one "look again": browsers could not fetch so many fragments anyway
LOOK_AGAIN = "many"  # what such an entry says
SAID_AGAIN_AFTER = 60.0  # seconds between two lines of the log

Fields = dict[str, str | int]


class Outage:
    """Until when a server is taken for gone, on the monotonic clock; one for all threads of the process."""

    lasts_until = said_until = float("-inf")

    @property
    def is_on(self) -> bool:
        return monotonic() < self.lasts_until

    def begin(self, problem: Exception) -> None:
        now = monotonic()
        self.lasts_until = now + ASKED_AGAIN_AFTER
        if now >= self.said_until:
            self.said_until = now + SAID_AGAIN_AFTER
            log.warning("Valkey does not answer; pages are not told what happens, they ask by themselves: %s", problem)


outage = Outage()


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, decode_responses=True, socket_connect_timeout=1, socket_timeout=2)


def client() -> redis.Redis:
    """The connection of this process, safe for threads and after a fork."""
    return _client(settings.REDIS_URL)


def answers() -> bool:
    """Whether the server is there; within five seconds of a failure it is not asked again."""
    if outage.is_on:
        return False
    try:
        client().ping()
    except RedisError as problem:
        outage.begin(problem)
        return False
    return True


def tell(entries: list[Fields]) -> None:
    """Puts these on the wire, in order; more than `MANY` as one entry that asks every page to look again.

    Never raises: what happened is in the database already.
    """
    if len(entries) > MANY:
        entries = [{"what": LOOK_AGAIN}]
    _add(EVENTS, entries, {"maxlen": KEPT, "approximate": True})


def tell_presence(fields: Fields, *, kept_for: float) -> None:
    """Who looks at what; what is older than `kept_for` seconds is forgotten. Never raises."""
    _add(PRESENCE, [fields], {"minid": moment(kept_for), "approximate": False})


def recent_presence(*, within: float) -> list[Fields]:
    """What was told about presence in the last `within` seconds, oldest first; nothing while the server is away."""
    if outage.is_on:
        return []
    try:
        return [fields for _id, fields in client().xrange(PRESENCE, min=moment(within))]  # type: ignore[misc, union-attr]
    except RedisError as problem:
        outage.begin(problem)
        return []


def moment(seconds_ago: float) -> str:
    """The id of an entry that was put on the wire so long ago: milliseconds since 1970."""
    return str(int((time() - seconds_ago) * 1000))


def _add(stream: str, entries: list[Fields], kept: dict) -> None:
    if not entries or outage.is_on:
        return
    try:
        with client().pipeline(transaction=False) as pipe:
            for fields in entries:
                pipe.xadd(stream, fields, **kept)  # type: ignore[arg-type]
            pipe.execute()
    except RedisError as problem:
        outage.begin(problem)
