"""The filters of a queue in words: what is on, each to be taken off alone, and everything that can be ticked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import DESK_ROLES, Line, User
from contracts.models import Channel, Customer, Package, Product, TicketKind, Topic
from tickets.queue.address import ME, NOBODY, PRIORITIES, STATES, Queue

CUSTOMERS_OFFERED = 20  # of those whose name fits what was typed


def labels() -> dict[str, str]:
    """What each filter is called."""
    return {
        "state": _("State"),
        "horizon": _("Deadline"),
        "line": _("Line"),
        "assignee": _("Assignee"),
        "priority": _("Priority"),
        "package": _("Package"),
        "product": _("Product"),
        "customer": _("Customer"),
        "kind": _("Kind"),
        "topic": _("Topic"),
        "channel": _("Channel"),
    }


def fixed() -> dict[str, dict[str, str]]:
    """The words of the values that are not in the catalogue."""
    return {
        "state": {code: str(label) for code, (label, _states) in STATES.items()},
        "horizon": {
            "late": _("Overdue"),
            "hour": _("Until the end of the hour"),
            "today": _("Today"),
            "later": _("Later"),
            "none": _("No deadline"),
            "stand": _("On hold"),
        },
        "assignee": {ME: pgettext("assignee", "me"), NOBODY: pgettext("assignee", "nobody")},
        "priority": {number: number for number in PRIORITIES},
        "line": {number: number for number in PRIORITIES},
        "kind": {code: str(label) for code, label in TicketKind.choices},
    }


@dataclass(frozen=True, slots=True)
class Chip:
    """A value of a filter that is on; `tail` is the queue without it."""

    label: str
    value: str
    tail: str


def chips_on(queue: Queue, names: Mapping[str, str]) -> list[Chip]:
    """What is on, in the order of the address. `names` are those of the glance; a code without a name stands alone."""
    if not queue.pairs:
        return []
    called, words = labels(), fixed()
    return [
        Chip(called[name], words.get(name, {}).get(value) or names.get(f"{name}={value}", value), off.tail)
        for name, value in queue.pairs
        for off in [queue.without(name, value)]
    ]


def place_words(queue: Queue, own: Sequence[int]) -> str:
    """Where a queue looks, as its tab is called; "" where its filter of lines says it. `own` are the person's lines."""
    if queue.place == "my":
        return pgettext("queue", "Mine")
    if queue.place:
        return f"{labels()['line']}: {queue.place}"
    return "" if queue.values("line") else pgettext("queue", "My lines") if own else pgettext("queue", "All")


def in_words(queue: Queue, own: Sequence[int], names: Mapping[str, str]) -> str:
    """A queue in one line: "Мои линии; Пакет: Премиум; Приоритет: 1, 2". `names` as `names_of` has them."""
    values: dict[str, list[str]] = {}
    for chip in chips_on(queue, names):
        values.setdefault(chip.label, []).append(chip.value)
    told = (f"{label}: {', '.join(of)}" for label, of in values.items())
    return "; ".join(part for part in (place_words(queue, own), *told) if part)


def names_of(queues: Iterable[Queue]) -> dict[str, str]:
    """The names of what several queues filter by, as the glance has those of one; six statements at most."""
    asked: dict[str, set[str]] = {}
    for name, value in (pair for queue in queues for pair in queue.pairs):
        asked.setdefault(name, set()).add(value)
    known = {}
    for name, table in CATALOGUE.items():
        if codes := asked.get(name, set()) - {ME, NOBODY}:
            for row in table.objects.filter(**{f"{KEYS.get(name, 'pk')}__in": codes}):
                label = row.full_name if isinstance(row, User) else row.name
                known[f"{name}={getattr(row, KEYS.get(name, 'pk'))}"] = label
    return known


CATALOGUE: dict[str, Any] = {
    "package": Package,
    "product": Product,
    "topic": Topic,
    "channel": Channel,
    "customer": Customer,
    "assignee": User,
}
KEYS = {"package": "code", "product": "code"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to tick."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter with its choices."""

    name: str
    label: str
    choices: list[Choice]


def panel(queue: Queue, user: User, customers: Iterable[Customer] = ()) -> list[Filter]:
    """Every filter that makes sense at this place; of customers those that are on and those that were looked for."""
    called, words = labels(), fixed()
    people = User.objects.filter(role__in=DESK_ROLES, is_active=True).exclude(pk=user.pk).order_by("full_name")
    on = Customer.objects.filter(pk__in=[int(value) for value in queue.values("customer")])
    options: dict[str, dict[str, str]] = {
        "horizon": words["horizon"],
        "state": {code: label for code, label in words["state"].items() if code != "open"},
        "priority": words["priority"],
        "line": {str(line.pk): f"{line.pk}. {line.name}" for line in Line.objects.order_by("number")},
        "assignee": words["assignee"] | {str(person.pk): person.full_name for person in people},
        "package": {row.code: row.name for row in Package.objects.all()},
        "customer": {str(row.pk): row.name for row in [*on, *customers]},
        "product": {row.code: row.name for row in Product.objects.all()},
        "kind": words["kind"],
        "topic": {row.pk: row.name for row in Topic.objects.all()},
        "channel": {row.pk: row.name for row in Channel.objects.all()},
    }
    if queue.place == "my":
        del options["assignee"]
    elif queue.place:
        del options["line"]
    return [
        Filter(
            name,
            called[name],
            [Choice(value, label, value in queue.values(name)) for value, label in choices.items()],
        )
        for name, choices in options.items()
    ]


def customers_named(text: str) -> list[Customer]:
    """Companies whose name holds what was typed, `CUSTOMERS_OFFERED` at most."""
    text = text.replace("\0", "").strip()[:80]
    return list(Customer.objects.filter(name__icontains=text).order_by("name")[:CUSTOMERS_OFFERED]) if text else []
