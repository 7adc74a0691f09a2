"""Addresses of the queue: a place ("", "my", a line's number, a saved view) and the filters that add up.

What stands in an address is read leniently, so that an old link always shows a queue, and written in one way only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import pgettext_lazy

from contracts.models import TicketKind
from tickets.models import OPEN_STATES, State

PAGE = 50
SHOWN_AT_MOST = 500  # rows that one page gives back after "50 more" was pressed again and again
VALUES_AT_MOST = 40  # of one filter; nobody ticks more, and an address stays an address

# The filter "state": what each choice lets through. Without any, the open ones are shown.
STATES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "open": (pgettext_lazy("requests", "Open"), OPEN_STATES),
    "new": (pgettext_lazy("requests", "New"), (State.NEW,)),
    "work": (pgettext_lazy("requests", "In progress"), (State.IN_PROGRESS,)),
    "waiting": (pgettext_lazy("requests", "Waiting for the customer"), (State.AWAITING_CUSTOMER,)),
    "resolved": (pgettext_lazy("requests", "Solved"), (State.RESOLVED,)),
    "ended": (pgettext_lazy("requests", "Closed"), (State.CLOSED, State.DECLINED)),
    "all": (pgettext_lazy("requests", "All"), tuple(State.values)),
}
HORIZONS = ("late", "hour", "today", "later", "none", "stand")
PRIORITIES = ("1", "2", "3", "4")
LINES = ("1", "2", "3", "4")
ME, NOBODY = "me", "nobody"

# The filters in the order of the address. None: any code; what does not exist lets nothing through.
KNOWN: dict[str, tuple[str, ...] | None] = {
    "state": tuple(STATES),
    "horizon": HORIZONS,
    "line": LINES,
    "assignee": None,
    "package": None,
    "priority": PRIORITIES,
    "product": None,
    "customer": None,
    "kind": tuple(TicketKind.values),
    "topic": None,
    "channel": None,
}
OF_KEYS = ("assignee", "customer")  # their values are primary keys, but for "me" and "nobody"

PLACING = ("after", "show")  # what else an address says: where the list begins, and how long it is
UNKNOWN_AT_MOST, UNKNOWN_LONGEST = 5, 60  # of what an address says and the queue does not know

Filters = Mapping[str, tuple[str, ...]]


def _fits(name: str, value: str) -> bool:
    known = KNOWN[name]
    if known is not None:
        return value in known
    if name in OF_KEYS:
        number = value.isascii() and value.isdecimal() and 0 < len(value) <= 12 and value[0] != "0"
        return number or (name == "assignee" and value in {ME, NOBODY})
    return 0 < len(value) <= 40 and "\0" not in value


def tidy(given: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """The filters that make sense, each value once and in order; "open" alone is what is shown anyway."""
    kept = {}
    for name in KNOWN:
        values = tuple(sorted({value for value in given.get(name, ()) if _fits(name, value)})[:VALUES_AT_MOST])
        if values and not (name == "state" and values == ("open",)):
            kept[name] = values
    return kept


def _not_understood(query: QueryDict, known: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """What an address asks for and does not get: a name that is no filter here, or a value that it cannot have."""
    found = [
        (name[:UNKNOWN_LONGEST], value[:UNKNOWN_LONGEST])
        for name, values in query.lists()
        if name not in PLACING
        for value in values
        if value and not (name in known and _fits(name, value))
    ]
    return tuple(sorted(set(found))[:UNKNOWN_AT_MOST])


@dataclass(frozen=True)
class Queue:
    """What the person looks at: `place` "" (own lines), "my" or a line's number, and the filters of the query.

    `view` is the slug of the saved view that it was opened by; any change of the filters leaves the view.
    `pages` is how many pages' rows are shown at once ("show=100" in the address); `after` is the key after which it
    begins. `unknown` is what its address asks for and does not get: the page says so, and nothing is done to "all".
    """

    place: str = ""
    filters: Filters = field(default_factory=dict)
    after: str = ""
    pages: int = 1
    view: str = ""
    unknown: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @classmethod
    def read(cls, place: str, query: QueryDict, view: str = "") -> "Queue":
        """From an address. What makes no sense there is left out: an old link still shows a queue."""
        shown = query.get("show", "")
        pages = int(shown) // PAGE if shown.isascii() and shown.isdecimal() and len(shown) <= 4 else 1
        return cls(
            place=place,
            filters={} if view else tidy({name: query.getlist(name) for name in KNOWN}),
            after=query.get("after", "").replace("\0", "")[:80],
            pages=min(max(pages, 1), SHOWN_AT_MOST // PAGE),
            view=view,
            unknown=_not_understood(query, () if view else KNOWN) if query else (),
        )

    @classmethod
    def from_tail(cls, tail: str) -> "Queue":
        """From what stands in `?from=` of a ticket: "l/2/?package=premium". A view is still to be `opened`."""
        path, _mark, query = tail.partition("?")
        parts = path.strip("/").split("/")
        place, view = "", ""
        if parts == ["my"]:
            place = "my"
        elif len(parts) == 2 and parts[0] == "l" and parts[1] in LINES:
            place = parts[1]
        elif len(parts) == 2 and parts[0] == "v":
            view = parts[1][:80]
        return cls.read(place, QueryDict(query), view)

    def opened(self, views: Mapping[str, str]) -> "Queue":
        """A saved view with its filters; `views` are the tails of those that the person sees, by slug.

        One that is not there any more leaves the plain queue.
        """
        if not self.view:
            return self
        if self.view not in views:
            return replace(self, view="")
        saved = Queue.from_tail(views[self.view])
        return replace(self, place=saved.place, filters=saved.filters)

    # What it is

    def values(self, name: str) -> tuple[str, ...]:
        return self.filters.get(name, ())

    @property
    def state(self) -> str:
        """The filter of states as one word where it is one: "open" where none is on."""
        return ",".join(self.values("state")) or "open"

    @property
    def show(self) -> int:
        """How many rows stand on the page."""
        return self.pages * PAGE

    @property
    def states(self) -> tuple[str, ...]:
        """The states that are let through."""
        return tuple(dict.fromkeys(state for code in self.values("state") or ("open",) for state in STATES[code][1]))

    @property
    def runs_against_time(self) -> bool:
        """Whether everything in it is open, and so has its place in the order of deadlines."""
        return set(self.states) <= set(OPEN_STATES)

    # Addresses

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The filters as they stand in an address."""
        return [(name, value) for name in KNOWN for value in self.values(name)]

    @property
    def path(self) -> str:
        if self.view:
            return f"v/{self.view}/"
        return "my/" if self.place == "my" else f"l/{self.place}/" if self.place else ""

    @property
    def tail(self) -> str:
        """The address after `/w/`."""
        query = [*([] if self.view else self.pairs), *self.unknown]
        if self.pages != 1:
            query.append(("show", str(self.show)))
        if self.after:
            query.append(("after", self.after))
        return self.path + (f"?{urlencode(query)}" if query else "")

    @property
    def way_back(self) -> str:
        """What a ticket carries in `?from=`: one comes back to the first row of the list, never into its middle."""
        return replace(self, after="").tail if self.after else self.tail

    def but(self, *, place: str | None = None, state: str | None = None, after: str = "") -> "Queue":
        """The same at another place, with another state, or after a key; from its first page where none is said."""
        found = replace(self, after=after, pages=1)
        if place is not None and place != self.place:
            found = replace(found, place=place, view="", filters=self._for_place(place), unknown=())
        if state is not None:
            found = found.having("state", (state,))
        return found

    def _for_place(self, place: str) -> Filters:
        """A line's own queue has no filter of lines, and one's own none of assignees: they would contradict."""
        drop = {"my": ("assignee",), "": ()}.get(place, ("line",))
        return {name: values for name, values in self.filters.items() if name not in drop}

    def having(self, name: str, values: Iterable[str]) -> "Queue":
        """The same with this filter as given, the others as they are; a view becomes a plain address."""
        filters = tidy({**self.filters, name: tuple(values)})
        return replace(self, filters=filters, after="", pages=1, view="", unknown=())

    def without(self, name: str, value: str | None = None) -> "Queue":
        """The same without one value of a filter, or without the whole filter."""
        return self.having(name, () if value is None else (kept for kept in self.values(name) if kept != value))

    def to_take(self) -> "Queue":
        """Where “take the most urgent” looks: all that is open here; from "my", in one's own lines."""
        return self.but(place="" if self.place == "my" else self.place).having("state", ()).without("assignee")

    @property
    def understood(self) -> "Queue":
        """The same without what its address asks for in vain."""
        return replace(self, unknown=())

    @property
    def bare(self) -> "Queue":
        """The same place without any filter."""
        return Queue(self.place)

    @property
    def whole(self) -> "Queue":
        """The same from its first row, in plain words: what a saved view keeps and a bulk run goes over."""
        return Queue(self.place, self.filters)
