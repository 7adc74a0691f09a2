"""The tabs of the queue: own lines, my own, each line, and the saved views."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import pgettext

from accounts.models import User
from tickets.queue.address import Queue
from tickets.queue.glance import CAP, LineCount, ViewName, capped, glance


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of the queue. `line` is its number where it is one; counts are capped (`count_words`)."""

    queue: Queue
    label: str
    count: int
    late: int
    current: bool
    line: int | None = None

    @property
    def tail(self) -> str:
        return self.queue.tail

    @property
    def count_words(self) -> str:
        return capped(self.count, CAP)

    @property
    def late_words(self) -> str:
        return capped(self.late, CAP)


def tabs(user: User, queue: Queue, now: datetime) -> list[Tab]:
    """Own lines, my own, and each line, with how many are open and overdue; nothing beyond the glance is read."""
    seen = glance(user, now)

    def tab(place: str, label: str, lines: Iterable[LineCount], counts: tuple[int, int] | None = None) -> Tab:
        lines = list(lines)
        n, late = counts or (sum(line.open for line in lines), sum(line.late for line in lines))
        return Tab(
            queue.but(place=place),  # the filters stay on: they add up, and never get lost on the way (direction §5)
            label,
            n,
            late,
            queue.place == place and not queue.view,
            int(place) if place.isdecimal() else None,
        )

    own = (line for line in seen.lines if not seen.own or line.number in seen.own)
    return [
        tab("", pgettext("queue", "My lines") if seen.own else pgettext("queue", "All"), own),
        tab("my", pgettext("queue", "Mine"), (), (seen.mine, seen.mine_late)),
        *(tab(str(line.number), line.name, [line]) for line in seen.lines),
    ]


def views(user: User, now: datetime) -> tuple[ViewName, ...]:
    """The saved views that this person sees, own ones first."""
    return glance(user, now).views
