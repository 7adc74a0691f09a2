"""The engineer's queue: which tickets, in which order, grouped by how near their deadline is.

An address of the queue is a place ("", "my/", "l/2/") and a query; both together are a `Queue`, which reads them,
writes them and fetches a page. Paging is by key, not by number, so that nothing moves while one reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from accounts.models import Line, User
from contracts.models import Package, Product
from sla import words
from sla.models import Commitment
from tickets.models import State, Ticket, TicketQuerySet
from tickets.urgency import most_urgent

PAGE = 50
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The filter "state": what each choice lets through. The first is the default and is not written in the address.
STATES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "open": (pgettext_lazy("requests", "Open"), (State.NEW, State.IN_PROGRESS, State.AWAITING_CUSTOMER)),
    "waiting": (pgettext_lazy("requests", "Waiting for the customer"), (State.AWAITING_CUSTOMER,)),
    "resolved": (pgettext_lazy("requests", "Solved"), (State.RESOLVED,)),
    "ended": (pgettext_lazy("requests", "Closed"), (State.CLOSED, State.DECLINED)),
    "all": (pgettext_lazy("requests", "All"), tuple(State.values)),
}
BY_DEADLINE = ("open", "waiting")  # these run against time; the others are read newest first


# The order


def page_key(ticket: Ticket) -> str:
    """The place of a ticket in the deadline order, fit for an address: the next page starts after it."""
    due = "" if ticket.due_at is None else str((ticket.due_at - EPOCH) // MICROSECOND)
    return f"{int(ticket.clock_paused)}.{due}.{ticket.pk}"


def after(key: str) -> Q:
    """What comes after a `page_key` in `TicketQuerySet.by_deadline`; everything where the key makes no sense."""
    try:
        paused, due, pk = key.split(".")
        at = EPOCH + int(due) * MICROSECOND if due else None
        last, stands = int(pk), paused == "1"
    except (ValueError, OverflowError):
        return Q()
    if at is None:
        rest = Q(due_at__isnull=True, pk__gt=last)
    else:
        rest = Q(due_at__gt=at) | Q(due_at__isnull=True) | Q(due_at=at, pk__gt=last)
    return Q(clock_paused=True) & rest if stands else Q(clock_paused=True) | rest


# Horizons


def borders(now: datetime) -> tuple[datetime, datetime]:
    """The end of this hour and of this day, in Moscow (direction §15)."""
    there = now.astimezone(words.MOSCOW)
    hour = there.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return hour, midnight


def horizons(now: datetime) -> dict[str, Q]:
    """The groups of the queue in their order, each as its filter."""
    hour, midnight = borders(now)
    runs = Q(clock_paused=False)
    return {
        "late": runs & Q(due_at__lt=now),
        "hour": runs & Q(due_at__gte=now, due_at__lt=hour),
        "today": runs & Q(due_at__gte=hour, due_at__lt=midnight),
        "later": runs & Q(due_at__gte=midnight),
        "none": runs & Q(due_at__isnull=True),
        "stand": Q(clock_paused=True),
    }


def horizon(ticket: Ticket, now: datetime) -> str:
    """The group of one ticket: the same rule as `horizons`, for a row already at hand."""
    if ticket.clock_paused:
        return "stand"
    if ticket.due_at is None:
        return "none"
    hour, midnight = borders(now)
    ends = (("late", now), ("hour", hour), ("today", midnight))
    return next((code for code, end in ends if ticket.due_at < end), "later")


def horizon_words(code: str, now: datetime) -> tuple[str, str]:
    """A group's heading and the hint beside it ("до 14:00")."""
    until_hour = _("until %(time)s") % {"time": words.moment(borders(now)[0], words.MOSCOW, now, "time")}
    return {
        "late": (_("Overdue"), ""),
        "hour": (_("Until the end of the hour"), until_hour),
        "today": (_("Today"), ""),
        "later": (_("Later"), ""),
        "none": (_("No deadline"), ""),
        "stand": (_("On hold"), _("waiting for the customer")),
    }[code]


@dataclass(slots=True)
class Row:
    """A ticket in a list: the one clock that its chip shows, and in words which promise that is and when."""

    ticket: Ticket
    clock: Commitment | None
    by: str


@dataclass(slots=True)
class Group:
    """Rows of one horizon; `count` is how many the whole queue has there, not only this page."""

    code: str
    heading: str
    hint: str
    count: int
    rows: list[Row] = field(default_factory=list)


def shown_clock(ticket: Ticket) -> Commitment | None:
    """The customer promise with the nearest deadline; where none runs, the one that ended last. Needs `with_clocks`."""
    promises = [clock for clock in ticket.clocks if clock.kind in {"reaction", "resolution"}]
    running = [clock for clock in promises if clock.is_running]
    if running:
        return min(running, key=lambda clock: (clock.due_at, clock.pk))
    return max(promises, key=lambda clock: (clock.stopped_at or clock.started_at, clock.pk), default=None)


def row(ticket: Ticket, now: datetime) -> Row:
    clock = shown_clock(ticket)
    if ticket.clock_paused and ticket.awaiting_since is not None:
        by = _("on hold since %(moment)s") % {"moment": words.moment(ticket.awaiting_since, words.MOSCOW, now, "short")}
    elif clock is not None and clock.is_running:
        by = f"{clock.get_kind_display()} {words.moment(clock.due_at, words.MOSCOW, now, 'short')}"
    elif ticket.is_open:
        by = _("resolution without a deadline")
    else:
        by = words.moment(ticket.closed_at or ticket.resolved_at or ticket.changed_at, words.MOSCOW, now, "short")
    return Row(ticket, clock, by)


# Addresses


@dataclass(frozen=True)
class Queue:
    """What the person looks at: `place` "" (own lines), "my" or a line's number, and the filters of the query."""

    place: str = ""
    state: str = "open"
    package: str = ""
    priority: str = ""
    product: str = ""
    after: str = ""

    @classmethod
    def read(cls, place: str, query: QueryDict) -> "Queue":
        """From an address. What makes no sense there is left out: an old link still shows a queue."""
        state, priority = query.get("state", ""), query.get("priority", "")
        return cls(
            place=place,
            state=state if state in STATES else "open",
            package=query.get("package", "").replace("\0", "")[:40],
            priority=priority if priority in {"1", "2", "3", "4"} else "",
            product=query.get("product", "").replace("\0", "")[:40],
            after=query.get("after", "")[:80],
        )

    @classmethod
    def from_tail(cls, tail: str) -> "Queue":
        """From what stands in `?from=` of a ticket: "l/2/?package=premium"."""
        path, _mark, query = tail.partition("?")
        parts = path.strip("/").split("/")
        place = ""
        if parts == ["my"]:
            place = "my"
        elif len(parts) == 2 and parts[0] == "l" and parts[1] in {"1", "2", "3", "4"}:
            place = parts[1]
        return cls.read(place, QueryDict(query))

    @property
    def filters(self) -> dict[str, str]:
        """The filters that are on, as they stand in the address."""
        chosen = {"package": self.package, "priority": self.priority, "product": self.product}
        state = {} if self.state == "open" else {"state": self.state}
        return state | {name: value for name, value in chosen.items() if value}

    @property
    def tail(self) -> str:
        """The address after `/w/`, without the page: what a ticket carries in `?from=`."""
        path = "my/" if self.place == "my" else f"l/{self.place}/" if self.place else ""
        query = self.filters | ({"after": self.after} if self.after else {})
        return path + (f"?{urlencode(query)}" if query else "")

    def but(self, **changes: str) -> "Queue":
        """The same with something else, from its first page."""
        return replace(self, **{"after": "", **changes})

    @property
    def bare(self) -> "Queue":
        """The same place without any filter."""
        return Queue(self.place)

    # What it fetches

    @property
    def runs_against_time(self) -> bool:
        return self.state in BY_DEADLINE

    def tickets(self, user: User) -> TicketQuerySet:
        """Everything in this queue, in no order."""
        found = Ticket.objects.visible_to(user).filter(state__in=STATES[self.state][1])
        if self.place == "my":
            found = found.filter(assignee=user)
        elif self.place:
            found = found.filter(line=int(self.place))
        elif lines := [line.pk for line in user.lines.all()]:
            found = found.filter(line__in=lines)
        if self.package:
            found = found.filter(terms__package__code=self.package)
        if self.priority:
            found = found.filter(priority=int(self.priority))
        if self.product:
            found = found.filter(product__code=self.product)
        return found

    def page(self, user: User) -> tuple[list[Ticket], str]:
        """One page of it with its clocks, and the key of the next page ("" for none)."""
        found = self.tickets(user).with_clocks()
        if self.runs_against_time:
            found = found.filter(after(self.after)).by_deadline() if self.after else found.by_deadline()
        else:
            found = found.order_by("-number")
            if self.after.isdecimal():
                found = found.filter(number__lt=int(self.after))
        tickets = list(found[: PAGE + 1])
        if len(tickets) <= PAGE:
            return tickets, ""
        last = tickets[PAGE - 1]
        return tickets[:PAGE], page_key(last) if self.runs_against_time else str(last.number)

    def groups(self, user: User, tickets: Iterable[Ticket], now: datetime) -> list[Group]:
        """The rows of a page under their horizons, with each horizon's count in the whole queue (one statement)."""
        counts = self.tickets(user).aggregate(
            **{code: Count("pk", filter=rule) for code, rule in horizons(now).items()}
        )
        groups: list[Group] = []
        for ticket in tickets:
            code = horizon(ticket, now)
            if not groups or groups[-1].code != code:
                heading, hint = horizon_words(code, now)
                groups.append(Group(code, heading, hint, counts[code]))
            groups[-1].rows.append(row(ticket, now))
        return groups


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of the queue. `line` is its number where it is one."""

    queue: Queue
    label: str
    count: int
    late: int
    current: bool
    line: int | None = None


def tabs(user: User, queue: Queue, now: datetime) -> list[Tab]:
    """Own lines, my own, and each line, with how many are open and overdue: two statements whatever is in them."""
    late = Q(due_at__lt=now, clock_paused=False)
    mine = Q(assignee=user)
    counted = {
        found["line"]: cast("dict[str, int]", found)
        for found in Ticket.objects.visible_to(user)
        .open()
        .values("line")
        .annotate(
            n=Count("pk"),
            late=Count("pk", filter=late),
            mine=Count("pk", filter=mine),
            mine_late=Count("pk", filter=mine & late),
        )
        .order_by()
    }
    own = {line.pk for line in user.lines.all()} or set(counted)

    def tab(place: str, label: str, lines: Iterable[int], n: str = "n", late: str = "late") -> Tab:
        rows = [counted[number] for number in lines if number in counted]
        return Tab(
            queue.but(place=place),  # the filters stay on: they add up, and never get lost on the way (direction §5)
            label,
            sum(found[n] for found in rows),
            sum(found[late] for found in rows),
            queue.place == place,
            int(place) if place.isdecimal() else None,
        )

    return [
        tab("", pgettext("queue", "All"), own),
        tab("my", pgettext("queue", "Mine"), counted, "mine", "mine_late"),
        *(tab(str(line.pk), line.name, [line.pk]) for line in Line.objects.order_by("number")),
    ]


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice of a filter: its label and the queue that it leads to."""

    label: str
    queue: Queue
    chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter of the queue: what is chosen ("" for nothing), and where its choices lead."""

    name: str
    label: str
    chosen: str
    without: Queue
    choices: list[Choice]


def filters(queue: Queue) -> list[Filter]:
    """State, package, priority and product as links: they add up, and each can be taken off alone."""
    options: list[tuple[str, str, list[tuple[str, str]], str]] = [
        ("state", _("State"), [(code, str(label)) for code, (label, _states) in STATES.items()], "open"),
        ("package", _("Package"), [(row.code, row.name) for row in Package.objects.all()], ""),
        ("priority", _("Priority"), [(str(number), str(number)) for number in (1, 2, 3, 4)], ""),
        ("product", _("Product"), [(row.code, row.name) for row in Product.objects.all()], ""),
    ]
    found = []
    for name, label, choices, empty in options:
        value = getattr(queue, name)
        chosen = next((words for code, words in choices if code == value), "") if value != empty else ""
        found.append(
            Filter(
                name,
                label,
                chosen,
                queue.but(**{name: empty}),
                [Choice(words, queue.but(**{name: code}), code == value) for code, words in choices],
            )
        )
    return found


def next_to_take(user: User, queue: Queue, groups: list[Group], now: datetime) -> Row | None:
    """What “take the most urgent” would take here, from "my" in one's lines (direction §5, tickets/urgency.py).

    It mostly stands on the page that is shown.
    """
    elsewhere = queue.but(state="open", place="" if queue.place == "my" else queue.place)
    ranked = most_urgent(elsewhere.tickets(user), user)
    if not ranked:
        return None
    wanted = ranked[0].waiting.pk
    shown = (row for group in groups for row in group.rows if row.ticket.pk == wanted)
    found = next(shown, None)
    return found or row(Ticket.objects.with_clocks().get(pk=wanted), now)
