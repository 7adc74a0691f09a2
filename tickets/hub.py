"""One reader of the wire in each web process, and the streams of events that it feeds (direction §10).

Asynchronous and without the database: ten streams that held connections once stopped a whole site. A stream begins
after the last id that its browser has seen, so that nothing is missed in a reconnect; where the wire does not reach
back so far, it says so and the browser fetches its page anew. It ends by itself after a while: who it belongs to is
looked up again then.
"""

import asyncio
import json
import logging
import re
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from time import monotonic
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connections
from redis import asyncio as redis
from redis.exceptions import RedisError

from sla import wire
from tickets import live, presence

log = logging.getLogger(__name__)

HEARTBEAT = 15.0  # seconds
RETRY = 3_000  # milliseconds that a browser waits before it comes again
LASTS = 600.0  # seconds, then a browser comes again and is asked anew who it is
WAITS = 5_000  # milliseconds of one question to Valkey
CATCH_UP = 1_000  # entries that are sent after a reconnect; more is a page to be fetched anew
BEHIND = 500  # entries a stream may lag behind before it is ended

Entry = tuple[str, str, wire.Fields]  # stream, id, fields


class Watcher:
    """One open stream: whose it is, and what it has still to send. `customer` is None for the vendor's people."""

    def __init__(self, person: int, customer: int | None) -> None:
        self.person = person
        self.customer = customer
        self.queue: asyncio.Queue[Entry | None] = asyncio.Queue(BEHIND)
        self.sent = "0-0"

    def put(self, entry: Entry | None) -> None:
        """Never waits: who does not keep up is ended, and reads on from the wire when it is back."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            entry = None
        self.queue.put_nowait(entry)

    def says(self, entry: Entry) -> bytes:
        """An entry as this person's browser hears it; nothing where it is not theirs."""
        stream, key, fields = entry
        if stream == wire.PRESENCE:
            return b"" if self.customer is not None else told("here", presence.read(fields).as_json())
        if place(key) <= place(self.sent):  # it came while the stream caught up
            return b""
        self.sent = key
        if fields.get("what") == wire.LOOK_AGAIN:
            return told("reload", {}, key)
        heard = fields if self.customer is None else live.for_customer(fields, self.customer)
        return told("ticket", plain(heard), key) if heard else b""


ID = re.compile(r"([0-9]{1,15})-([0-9]{1,9})")


def place(key: str) -> tuple[int, int]:
    """An id of the wire, fit to be compared; (0, 0) for what is none, whatever a browser sends."""
    found = ID.fullmatch(key)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def plain(fields: wire.Fields) -> dict[str, str | int]:
    """What the browser is told: numbers as numbers; whose company it is stays here."""
    numbers = {"n", "line", "left", "by", "message"}
    return {name: int(value) if name in numbers else value for name, value in fields.items() if name != "customer"}


def told(event: str, fields: Any, key: str = "") -> bytes:
    """One event of a stream (server-sent events)."""
    head = f"id: {key}\n" if key else ""
    return f"{head}event: {event}\ndata: {json.dumps(fields, ensure_ascii=False)}\n\n".encode()


class Hub:
    """All streams of this process, and the one task that reads the wire for them."""

    def __init__(self) -> None:
        self.watchers: set[Watcher] = set()
        self.reader: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        self.leaving = False
        end_with_the_server(self)

    def streams_of(self, person: int) -> int:
        return sum(watcher.person == person for watcher in list(self.watchers))

    async def join(self, watcher: Watcher) -> None:
        self.watchers.add(watcher)
        if self.reader is None or self.reader.done():
            self.ready = asyncio.Event()
            self.reader = asyncio.create_task(self.read())
        await self.ready.wait()

    def leave(self, watcher: Watcher) -> None:
        self.watchers.discard(watcher)
        if not self.watchers and self.reader is not None:
            self.reader.cancel()
            self.reader = None

    def end(self) -> None:
        """Ends every stream: the server stops, or the wire is gone."""
        for watcher in list(self.watchers):
            watcher.put(None)

    def stop(self) -> None:
        self.leaving = True
        self.end()

    async def read(self) -> None:
        """Reads the wire from now on and passes everything to everybody; each stream knows what is theirs."""
        try:
            async with connected() as client:
                seen: dict[str, str] = {}
                for stream in (wire.EVENTS, wire.PRESENCE):
                    newest = await client.xrevrange(stream, count=1)
                    seen[stream] = newest[0][0] if newest else "0-0"
                self.ready.set()
                while True:
                    for stream, entries in await client.xread(seen, block=WAITS) or ():
                        for key, fields in entries:
                            seen[stream] = key
                            for watcher in list(self.watchers):
                                watcher.put((stream, key, fields))
        except RedisError as problem:
            wire.outage.begin(problem)
        finally:
            self.ready.set()
            self.end()


def connected() -> Any:
    """A connection of a task's own; a server that hangs is a failure after ten seconds."""
    return redis.from_url(settings.REDIS_URL, decode_responses=True, socket_connect_timeout=2, socket_timeout=10)


def end_with_the_server(hub: Hub) -> None:
    """uvicorn waits for open answers before it ends: ours end at once when it is asked to."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        if not callable(before):
            continue

        def leave(number: int, frame: Any, before: Any = before) -> None:
            loop.call_soon_threadsafe(hub.stop)
            before(number, frame)

        signal.signal(number, leave)


_hubs: dict[int, Hub] = {}  # by event loop: a process of the web server has one


def hub() -> Hub:
    """The hub of the running event loop."""
    key = id(asyncio.get_running_loop())
    if key not in _hubs:
        _hubs.clear()
        _hubs[key] = Hub()
    return _hubs[key]


def streams_of(person: int) -> int:
    """How many streams of this person are open in this process; from any thread."""
    return sum(one.streams_of(person) for one in list(_hubs.values()))


async def stream(watcher: Watcher, last: str) -> AsyncIterator[bytes]:
    """The answer of `/live/`: what happens from now on, after `last` where a browser comes again."""
    await sync_to_async(connections.close_all)()  # whoever asked for the session holds no connection from here on
    here = hub()
    until = monotonic() + LASTS
    try:
        await here.join(watcher)
        yield f"retry: {RETRY}\n\n".encode()
        async for chunk in caught_up(watcher, last):
            yield chunk
        while not here.leaving and monotonic() < until:
            try:
                entry = await asyncio.wait_for(watcher.queue.get(), HEARTBEAT)
            except TimeoutError:
                # A comment keeps proxies patient; the event beside it is what a script can hear.
                yield b": beat\n\nevent: beat\ndata: \n\n"
                continue
            if entry is None:
                return
            if said := watcher.says(entry):
                yield said
    except RedisError as problem:
        wire.outage.begin(problem)
    finally:
        here.leave(watcher)


async def caught_up(watcher: Watcher, last: str) -> AsyncIterator[bytes]:
    """What was missed since `last`, or where the wire stands now; and for the vendor's people who is where."""
    async with connected() as client:
        oldest = await client.xrange(wire.EVENTS, count=1)
        newest = await client.xrevrange(wire.EVENTS, count=1)
        now = newest[0][0] if newest else "0-0"
        if not last:
            watcher.sent = now
            yield told("hello", {}, now)
        elif oldest and place(last) < place(oldest[0][0]):
            watcher.sent = now
            yield told("reload", {}, now)
        else:
            watcher.sent = min(last, now, key=place)  # the clock of a page may be ahead of that of the wire
            missed = await client.xrange(wire.EVENTS, min=f"({last}", count=CATCH_UP + 1)
            if len(missed) > CATCH_UP:
                watcher.sent = now
                yield told("reload", {}, now)
                missed = []
            for key, fields in missed:
                if said := watcher.says((wire.EVENTS, key, fields)):
                    yield said
            yield told("hello", {}, watcher.sent)
    if watcher.customer is None:
        with suppress(RedisError):
            for one in await sync_to_async(presence.present)():
                yield told("here", one.as_json())
