"""Which tickets are in a queue, in which order, grouped by how near their deadline is, a page at a time.

Paging is by key, not by number, so that nothing moves while one reads. Each part of the order (running clocks by
deadline, without one, and the same for those that stand) is a range of an index and is fetched as such.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts import at_once
from accounts.at_once import Counts, Prepared
from accounts.models import User
from sla import words
from tickets.models import Ticket, TicketQuerySet
from tickets.queue.address import ME, NOBODY, Queue
from tickets.queue.glance import CAP, capped, glance
from tickets.queue.rows import Facts, Row, columns, drawn, rows_of, values_of
from tickets.urgency import SHOWN_OF, columns_to_rank, heads, most_urgent, ranked

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# The order


@dataclass(frozen=True, slots=True)
class Key:
    """The place of a ticket in the deadline order: the next page starts after it."""

    paused: bool
    due_at: datetime | None
    pk: int

    def __str__(self) -> str:
        due = "" if self.due_at is None else str((self.due_at - EPOCH) // MICROSECOND)
        return f"{int(self.paused)}.{due}.{self.pk}"

    @classmethod
    def read(cls, text: str) -> "Key | None":
        """From an address; None where it makes no sense."""
        try:
            paused, due, pk = text.split(".")
            return cls(paused == "1", EPOCH + int(due) * MICROSECOND if due else None, int(pk))
        except (ValueError, OverflowError):
            return None


def page_key(ticket: Ticket | Facts) -> str:
    """The key of a ticket, fit for an address."""
    return str(Key(ticket.clock_paused, ticket.due_at, ticket.pk))


def parts(found: TicketQuerySet, after: Key | None = None) -> list[TicketQuerySet]:
    """The order in its four parts, each an index range; with `after` only what comes after it."""
    ordered = []
    for paused in (False, True):
        for dated in (True, False):
            part = found.filter(clock_paused=paused, due_at__isnull=not dated)
            part = part.order_by("due_at", "pk")  # as the indexes have it, also where there is no moment
            if after is None or (paused, not dated) > (after.paused, after.due_at is None):
                ordered.append(part)
            elif (paused, not dated) == (after.paused, after.due_at is None):
                if after.due_at is None:
                    ordered.append(part.filter(pk__gt=after.pk))
                else:
                    later = Q(due_at__gt=after.due_at) | Q(pk__gt=after.pk)
                    ordered.append(part.filter(later, due_at__gte=after.due_at))
    return ordered


# Horizons


@lru_cache(maxsize=8)  # asked for each row of a page, which has one `now`
def borders(now: datetime) -> tuple[datetime, datetime]:
    """The end of this hour and of this day, in Moscow (direction §15)."""
    there = now.astimezone(words.MOSCOW)
    hour = there.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return hour, midnight


def horizons(now: datetime) -> dict[str, Q]:
    """The groups of the queue in their order, each as its filter."""
    hour, midnight = borders(now)
    return _horizons(now, hour, max(now, hour), midnight)


def _horizons(now: Any, hour: Any, later: Any, midnight: Any) -> dict[str, Q]:
    runs = Q(clock_paused=False)
    return {
        "late": runs & Q(due_at__lt=now),
        "hour": runs & Q(due_at__gte=now, due_at__lt=hour),
        "today": runs & Q(due_at__gte=later, due_at__lt=midnight),
        "later": runs & Q(due_at__gte=midnight),
        "none": runs & Q(due_at__isnull=True),
        "stand": Q(clock_paused=True),
    }


def horizon(ticket: Ticket | Facts | Key, now: datetime) -> str:
    """The group of one ticket: the same rule as `horizons`, for a row already at hand."""
    if ticket.paused if isinstance(ticket, Key) else ticket.clock_paused:
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
class Group:
    """Rows of one horizon; `count` is how many the whole queue has there, `count_words` that with "+" past the cap.

    `goes_on`: the rows before it, on the page before, are of this group.
    """

    code: str
    heading: str
    hint: str
    count: int = 0
    count_words: str = ""
    goes_on: bool = False
    rows: list[Row] = field(default_factory=list)


# What is in a queue


def tickets_of(queue: Queue, user: User, now: datetime, me: Any = None) -> TicketQuerySet:
    """Everything in this queue, in no order; `me` stands for the person where a statement is put together for all."""
    found: TicketQuerySet = Ticket.objects.visible_to(user).filter(state__in=queue.states)
    if queue.place == "my":
        found = found.filter(assignee=me or user)
    elif queue.place:
        found = found.filter(line=int(queue.place))
    elif not queue.values("line") and (own := glance(user, now).own):
        found = found.filter(line__in=own)
    for name, lookup in COLUMN_OF.items():
        if values := queue.values(name):
            found = found.filter(**{f"{lookup}__in": values})
    if values := queue.values("assignee"):
        people = {user.pk if value == ME else int(value) for value in values if value != NOBODY}
        chosen = Q(assignee__in=people) if people else Q(pk__in=())
        found = found.filter(chosen | Q(assignee__isnull=True) if NOBODY in values else chosen)
    if values := queue.values("horizon"):
        rules = horizons(now)
        near = rules[values[0]]
        for code in values[1:]:
            near |= rules[code]
        found = found.filter(near)
    return found


COLUMN_OF = {
    "line": "line",
    "priority": "priority",
    "package": "terms__package__code",
    "product": "product__code",
    "customer": "customer",
    "kind": "kind",
    "topic": "topic",
    "channel": "channel",
}


@dataclass(slots=True)
class Page:
    """Rows of a queue. `more` is the key after which the next page begins, "" for none; `all_here`: this is all."""

    rows: list[Row]
    more: str
    all_here: bool


def page_of(queue: Queue, user: User, now: datetime) -> Page:
    """One page, in one statement."""
    size = queue.show
    if queue.runs_against_time and _is_told_alike(queue) and not queue.after:
        return _cut(drawn(_first_page(queue, user, now).rows(me=user.pk), now), queue)
    found = tickets_of(queue, user, now)
    if queue.runs_against_time:
        after = Key.read(queue.after) if queue.after else None
        taken = columns(_after(found, size, after) if after else _first(found, _lines_of(queue, user, now), size), user)
    else:
        if queue.after.isascii() and queue.after.isdecimal():
            found = found.filter(number__lt=int(queue.after))
        taken = columns(found.order_by("-number")[: size + 1], user)
    return _cut(drawn(taken, now), queue)


def _lines_of(queue: Queue, user: User, now: datetime) -> Sequence[int]:
    """The lines whose tickets are in a queue; none where lines do not say it."""
    if queue.place:
        return () if queue.place == "my" else (int(queue.place),)
    return [int(line) for line in queue.values("line")] or glance(user, now).own


def _first(found: TicketQuerySet, lines: Sequence[int], size: int) -> TicketQuerySet:
    """The first page. The order of each line is an index; that of several is put together from the head of each."""
    if len(lines) > 1:
        first, *others = (found.filter(line=line).by_deadline().values("pk")[: size + 1] for line in lines)
        found = Ticket.objects.filter(pk__in=first.union(*others, all=True))
    return found.by_deadline()[: size + 1]


def _after(found: TicketQuerySet, size: int, after: Key) -> TicketQuerySet:
    first, *others = (part.values("pk")[: size + 1] for part in parts(found, after))
    keys = first.union(*others, all=True) if others else first
    return Ticket.objects.filter(pk__in=keys).by_deadline()[: size + 1]


_first_pages: dict[tuple[Any, ...], Prepared] = {}  # of the process: a few for each set of lines and filters
KINDS_KEPT = 256


def _is_told_alike(queue: Queue) -> bool:
    """Whether its statements are the same for whoever asks, whenever: no filter names the person or the hour."""
    return not queue.values("horizon") and ME not in queue.values("assignee")


def _room_for_one_more(kinds: dict[tuple[Any, ...], Any]) -> None:
    if len(kinds) >= KINDS_KEPT:
        kinds.clear()


def _first_page(queue: Queue, user: User, now: datetime) -> Prepared:
    """The statement of the first page: it differs by place, filters, lines and role, never by the person."""
    kind = (queue.place, *queue.filters.items(), glance(user, now).own, queue.show, user.role)
    statement = _first_pages.get(kind)
    if statement is None:
        _room_for_one_more(_first_pages)
        me = at_once.key("me")
        statement = _first_pages[kind] = Prepared(
            values_of(_first(tickets_of(queue, user, now, me), _lines_of(queue, user, now), queue.show), me)
        )
    return statement  # held here: another thread may make room in between


def _cut(rows: list[Row], queue: Queue) -> Page:
    """The page of one row more than are shown: whether there are more, and after which."""
    size = queue.show
    if len(rows) <= size:
        return Page(rows, "", all_here=not queue.after)
    last = rows[size - 1].facts
    return Page(rows[:size], page_key(last) if queue.runs_against_time else str(last.number), all_here=False)


# Counts


def counted(queries: Sequence[TicketQuerySet]) -> list[int]:
    """How many each finds, looking at no more than `CAP` + 1 of each; one statement, none for no query."""
    if not queries:
        return []
    told = [query.order_by().values("pk")[: CAP + 1].query.sql_with_params() for query in queries]
    sql = ", ".join(f"(SELECT count(*) FROM ({one}) few)" for one, _params in told)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {sql}", [value for _one, params in told for value in params])
        return list(cursor.fetchone())


def grouped(queue: Queue, page: Page, now: datetime) -> list[Group]:
    """The rows of a page under their horizons, still without counts."""
    before = horizon(key, now) if (key := Key.read(queue.after)) else ""
    groups: list[Group] = []
    for row in page.rows:
        code = horizon(row.facts, now)
        if not groups or groups[-1].code != code:
            groups.append(Group(code, *horizon_words(code, now), goes_on=not groups and code == before))
        groups[-1].rows.append(row)
    return groups


def count_groups(queue: Queue, user: User, page: Page, groups: Iterable[Group], now: datetime) -> str:
    """Counts each group; gives the count of the whole queue in words.

    A group that begins and ends on the page is counted by its rows; the others, and the whole, in one statement up to
    a cap, as far as the tabs have not counted them. It stops early for a common filter, and a rare one has all its rows
    on the page: no count reads the queue.
    """
    groups = list(groups)
    open_ended = []
    for place, group in enumerate(groups):
        group.count = len(group.rows)
        if group.goes_on or (page.more and place == len(groups) - 1):
            open_ended.append(group)
    total = len(page.rows)
    if not page.all_here:
        counts = _told_by_the_tabs(queue, user, now)
        missing = [code for code in (*(group.code for group in open_ended), ALL) if code not in counts]
        if missing:
            counts |= _counts_of(queue, user, now, missing)
        total = counts[ALL]
        for group in open_ended:
            group.count = counts[group.code]
    for group in groups:
        group.count_words = capped(group.count)
    return capped(total)


_counts: dict[tuple[Any, ...], Counts] = {}  # of the process, as `_first_pages`


ALL = "all"


def _told_by_the_tabs(queue: Queue, user: User, now: datetime) -> dict[str, int]:
    """Of a queue without filters, how many are overdue and in all."""
    if queue.filters:
        return {}
    seen = glance(user, now)
    if queue.place == "my":
        return {ALL: seen.mine, "late": seen.mine_late}
    here = (int(queue.place),) if queue.place else seen.own
    lines = [line for line in seen.lines if not here or line.number in here]
    return {ALL: sum(line.open for line in lines), "late": sum(line.late for line in lines)}


def _counts_of(queue: Queue, user: User, now: datetime, codes: Sequence[str]) -> dict[str, int]:
    """How many of the queue are in each of these horizons, and in `ALL`."""
    if not _is_told_alike(queue):
        found, rules = tickets_of(queue, user, now), horizons(now)
        counts = counted([found if code == ALL else found.filter(rules[code]) for code in codes])
        return dict(zip(codes, counts, strict=True))
    kind = (queue.place, *queue.filters.items(), glance(user, now).own, user.role, *codes)
    statement = _counts.get(kind)
    if statement is None:
        _room_for_one_more(_counts)
        found = tickets_of(queue, user, now, at_once.key("me"))
        rules = _horizons(*map(at_once.moment, ("now", "hour", "later", "midnight")))
        wanted = {code: found if code == ALL else found.filter(rules[code]) for code in codes}
        statement = _counts[kind] = Counts(lambda: wanted, CAP)
    hour, midnight = borders(now)
    return statement.read(me=user.pk, now=now, hour=hour, later=max(now, hour), midnight=midnight)


def takeable(queue: Queue, user: User, now: datetime) -> tuple[TicketQuerySet, Sequence[int]]:
    """Among what “take the most urgent” chooses here, and the lines of that."""
    looked_at = queue.to_take()
    return tickets_of(looked_at, user, now), _lines_to_take(looked_at, user, now)


def _lines_to_take(looked_at: Queue, user: User, now: datetime) -> Sequence[int]:
    """All where it is no matter which: of each the head is a range of `ticket_to_take`, of all together it is not."""
    return _lines_of(looked_at, user, now) or tuple(line.number for line in glance(user, now).lines)


def next_to_take(user: User, queue: Queue, page: Page, now: datetime) -> Row | None:
    """What “take the most urgent” would take here, from "my" in one's lines (direction §5, tickets/urgency.py).

    It mostly stands on the page that is shown; else it is one statement more.
    """
    if _is_told_alike(queue.to_take()):
        waiting = ranked(_to_take(queue, user, now).rows(me=user.pk))
    else:
        among, lines = takeable(queue, user, now)
        waiting = most_urgent(among, user, lines)
    if not waiting:
        return None
    wanted = waiting[0].waiting.pk
    found = next((row for row in page.rows if row.facts.pk == wanted), None)
    return found or rows_of([wanted], user, now, with_forecasts=True)[wanted]


_rankings: dict[tuple[Any, ...], Prepared] = {}  # of the process, as `_first_pages`


def _to_take(queue: Queue, user: User, now: datetime) -> Prepared:
    """The statement of `most_urgent`: to put it together takes a tenth of the page's CPU.

    It differs by place, filters, lines and role, never by the person, who is given when it is run.
    """
    looked_at = queue.to_take()
    lines = _lines_to_take(looked_at, user, now)
    kind = (looked_at.place, *looked_at.filters.items(), tuple(lines), glance(user, now).own, user.role)
    statement = _rankings.get(kind)
    if statement is None:
        _room_for_one_more(_rankings)
        me = at_once.key("me")
        found = tickets_of(looked_at, user, now, me)
        first = heads(found, lines, me, SHOWN_OF)
        statement = _rankings[kind] = Prepared(columns_to_rank(first, me))
    return statement


def nearest_due(user: User, now: datetime) -> datetime | None:
    """The next deadline that runs in the person's own lines: what an empty queue says (direction §11)."""
    found = tickets_of(Queue(), user, now).filter(clock_paused=False, due_at__gte=now)
    return found.order_by("due_at").values_list("due_at", flat=True).first()
