"""Every stored commitment compared with the one that its ticket's events give (domain §4.3): `verify_commitments`.

A promise is missed from the instant after its deadline, its row says so from the next sweep on. A row that still waits
for that sweep is no difference; it is counted apart.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contracts.models import ContractClause
from sla import words
from sla.models import Commitment
from tickets.models import Event, Ticket
from tickets.replay import SILENT, Catalogue, Happened, Pins, Row, UnknownEvent, joined, replayed

CHUNK = 500
Ending = Commitment.Ending

FIELDS = tuple(one.name for one in fields(Row))
NAMES = {
    "kind": gettext_lazy("kind"),
    "priority": gettext_lazy("priority"),
    "amount": gettext_lazy("promised amount"),
    "unit": gettext_lazy("promised in"),
    "target": gettext_lazy("target"),
    "terms": gettext_lazy("terms"),
    "clause": gettext_lazy("clause"),
    "calendar_version": gettext_lazy("version of the calendar"),
    "started_at": gettext_lazy("started"),
    "agreed": gettext_lazy("agreed individually"),
    "pauses": gettext_lazy("pauses"),
    "paused_at": gettext_lazy("paused since"),
    "due_at": gettext_lazy("due"),
    "ending": gettext_lazy("ending"),
    "stopped_at": gettext_lazy("stopped"),
    "met_late_at": gettext_lazy("met late"),
    "why": gettext_lazy("how it ended"),
}


# Comparing


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the events and the stored rows do not agree on.

    `commitment` is the stored row's key, None where it is missing; `field` is "row" for a row missing or one too many.
    """

    ticket: int
    kind: str
    commitment: int | None
    field: str
    stored: Any
    recomputed: Any

    def words(self) -> str:
        """The difference as a sentence in the active language; moments in UTC, to the second and below."""
        names = {
            "ticket": self.ticket,
            "promise": words.promise(self.kind) if self.kind else "",
            "row": self.commitment,
        }
        if self.field == "events":
            return _("№ %(ticket)s: there is no rule for the event “%(verb)s”; the ticket was not recomputed.") % {
                **names,
                "verb": self.stored,
            }
        if self.field == "row":
            if self.commitment is None:
                return _("№ %(ticket)s, %(promise)s: the row is missing that the events give: %(row)s.") % {
                    **names,
                    "row": _row_told(self.recomputed),
                }
            return _("№ %(ticket)s, %(promise)s (row %(row)s): the events do not give this row: %(stored)s.") % {
                **names,
                "stored": _row_told(self.stored),
            }
        return _(
            "№ %(ticket)s, %(promise)s (row %(row)s), %(field)s: stored %(stored)s, recomputed %(recomputed)s."
        ) % {
            **names,
            "field": NAMES[self.field],
            "stored": told(self.stored),
            "recomputed": told(self.recomputed),
        }

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON: moments ISO 8601 in UTC, spans of time in seconds."""
        return {
            "ticket": self.ticket,
            "kind": self.kind,
            "commitment": self.commitment,
            "field": self.field,
            "stored": _plain(self.stored),
            "recomputed": _plain(self.recomputed),
        }


def told(value: Any) -> str:
    """A value of a row in words."""
    if value is None or value == "" or value == ():
        return _("nothing")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(sep=" ").replace("+00:00", " UTC")
    if isinstance(value, tuple):
        return ", ".join(f"{told(first)} – {told(last)}" for first, last in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


def _row_told(row: Row) -> str:
    return _("priority %(priority)s, started %(started)s, due %(due)s") % {
        "priority": row.priority,
        "started": told(row.started_at),
        "due": told(row.due_at),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Row):
        return {name: _plain(getattr(value, name)) for name in FIELDS}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


class Stored(NamedTuple):
    """A row of the database: its key, whether it waits for the sweep, and what is compared."""

    pk: int
    next_check_at: datetime | None
    row: Row


def compare(number: int, expected: Sequence[Row], stored: Sequence[Stored], *, now: datetime) -> list[Difference]:
    """What differs between the rows that the events give and those that stand, as of `now`. Changes `expected`.

    Rows that agree in everything find each other first; of the rest, those of a kind that agree in most.
    """
    for row in expected:
        if row.runs and row.is_late(now):
            row.ending = Ending.MISSED
    if [one.row for one in stored] == list(expected):  # nearly every ticket
        return []
    found: list[Difference] = []
    for kind in dict.fromkeys([*(row.kind for row in expected), *(one.row.kind for one in stored)]):
        left = [row for row in expected if row.kind == kind]
        unmatched = []
        for one in (one for one in stored if one.row.kind == kind):
            same = next((row for row in left if not _unlike(row, one)), None)
            if same is None:
                unmatched.append(one)
            else:
                left = [row for row in left if row is not same]
        pairs = sorted(
            ((len(_unlike(row, one)), i, j) for i, row in enumerate(left) for j, one in enumerate(unmatched)),
        )
        rows_taken: set[int] = set()
        stored_taken: set[int] = set()
        for _count, i, j in pairs:
            if i in rows_taken or j in stored_taken:
                continue
            rows_taken.add(i)
            stored_taken.add(j)
            row, one = left[i], unmatched[j]
            found += [
                Difference(number, kind, one.pk, name, getattr(one.row, name), getattr(row, name))
                for name in _unlike(row, one)
            ]
        found += [Difference(number, kind, None, "row", None, row) for i, row in enumerate(left) if i not in rows_taken]
        found += [
            Difference(number, kind, one.pk, "row", one.row, None)
            for j, one in enumerate(unmatched)
            if j not in stored_taken
        ]
    return found


def _unlike(row: Row, one: Stored) -> list[str]:
    return [
        name
        for name in FIELDS
        if getattr(row, name) != getattr(one.row, name) and not (name == "ending" and waits_for_the_sweep(row, one))
    ]


def waits_for_the_sweep(row: Row, one: Stored) -> bool:
    """Whether the row is late and will be called missed by the next sweep, which has it on its list."""
    return (
        row.runs
        and (row.ending, one.row.ending) == (Ending.MISSED, Ending.RUNNING)
        and one.next_check_at is not None
        and row.due_at is not None
        and one.next_check_at <= row.due_at + timedelta(seconds=1)
    )


# Reading, in chunks


@dataclass
class Verified:
    """What a run looked at, and what of it waits for the sweep."""

    tickets: int = 0
    commitments: int = 0
    unswept: int = 0
    differences: int = 0
    stopped: bool = False  # before the end, at a limit of differences


def verify(
    tickets: QuerySet[Ticket], *, clock: Callable[[], datetime], verified: Verified | None = None, chunk: int = CHUNK
) -> Iterator[Difference]:
    """Compares every commitment of these tickets with what their events give; yields each difference (domain §4.3).

    `clock` tells the moment of each chunk (aware). Reads four statements for each `chunk` tickets, in constant memory,
    and locks nothing but a ticket that differs: it is looked at once more under its lock, since a verb may have changed
    it between two of the reads. Counts into `verified`.
    """
    verified = verified if verified is not None else Verified()
    catalogue = Catalogue()
    last = 0
    while True:
        now = clock()
        pins = [Pins(*row) for row in tickets.filter(pk__gt=last).order_by("pk").values_list(*PINS)[:chunk]]
        if not pins:
            return
        last = pins[-1].pk
        for ticket, found, stored in _differences(pins, catalogue, now):
            verified.tickets += 1
            if found:
                with transaction.atomic():
                    Ticket.objects.select_for_update(of=("self",), no_key=True).get(pk=ticket.pk)
                    # The terms and the calendars too may be newer than the catalogue of this run.
                    catalogue = Catalogue()
                    again = [Pins(*row) for row in Ticket.objects.filter(pk=ticket.pk).values_list(*PINS)]
                    ((_ticket, found, stored),) = _differences(again, catalogue, clock())
            verified.commitments += len(stored)
            verified.differences += len(found)
            verified.unswept += sum(
                one.row.runs and one.row.ending == Ending.RUNNING and one.row.is_late(now) for one in stored
            )
            yield from found


COLUMNS = tuple(f"{name}_id" if name in {"terms", "clause", "calendar_version"} else name for name in FIELDS)
PINS = ("pk", "number", "opened_at", "terms_id", "contract_id", "priority", "kind")


def _differences(
    pins: Sequence[Pins], catalogue: Catalogue, now: datetime
) -> Iterator[tuple[Pins, list[Difference], list[Stored]]]:
    keys = [one.pk for one in pins]
    events: dict[int, list[Happened]] = defaultdict(list)
    heard = Event.objects.filter(ticket__in=keys).exclude(verb__in=SILENT).order_by("pk")
    for ticket, *event in heard.values_list("ticket_id", "verb", "at", "by_id", "by__full_name", "details"):
        events[ticket].append(Happened(*event))
    stored: dict[int, list[Stored]] = defaultdict(list)
    rows = Commitment.objects.filter(ticket__in=keys).order_by("pk")
    for pk, ticket, next_check_at, *values in rows.values_list("pk", "ticket_id", "next_check_at", *COLUMNS):
        row = Row(*values)
        row.pauses = joined((span.lower, span.upper) for span in row.pauses)  # type: ignore[attr-defined]
        stored[ticket].append(Stored(pk, next_check_at, row))
    clauses: dict[int, list[ContractClause]] = defaultdict(list)
    for clause in ContractClause.objects.filter(contract__in={one.contract for one in pins}).order_by("contract", "pk"):
        clauses[clause.contract_id].append(clause)
    for one in pins:
        try:
            expected = replayed(one, events[one.pk], clauses[one.contract], catalogue)
        except UnknownEvent as unknown:
            yield one, [Difference(one.number, "", None, "events", str(unknown), None)], stored[one.pk]
        else:
            yield one, compare(one.number, expected, stored[one.pk], now=now), stored[one.pk]
