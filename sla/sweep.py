"""The sweep: every promise whose next look has come climbs its ladder (domain §4.4, §4.5).

Asks one index range, never the open tickets. Each batch of a thousand is one transaction of a few statements, however
many rows it holds: locked with SKIP LOCKED, looked at again, escalations and next looks written in bulk. Any number of
sweeps may run at once; a killed one leaves nothing half done and repeats nothing (row locks, and
`escalation_once_a_rung`). After an outage the missed rungs come in order. A rung that nobody acknowledges in its time
calls the next one; who is away is stood in for (sla/callees.py).

The rows are plain tuples and the writes are two statements over a JSON document: a thousand model instances and a
`bulk_update` cost five times as much (bench/sweep.py). `tests/sla/test_sweep.py` holds it equal to the state machine.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction

from accounts.at_once import Prepared, moment
from sla import wire
from sla.callees import Callees, Place
from sla.ladder import Reached, letter_after, next_rungs
from sla.models import CalendarVersion, Commitment, SweepTrouble

log = logging.getLogger(__name__)

BATCH = 1_000
SET_ASIDE_FOR = timedelta(hours=1)
LATE = timedelta(minutes=2)  # a sweep runs every few seconds: a clock that waits longer shows that none does
ON_TIME = timedelta(minutes=5)  # a rung written later than that (an outage) is waited for from now, not from its moment
NOT_UNDERSTOOD = (KeyError, TypeError, ValueError)


@dataclass
class Swept:
    """What a sweep did, for the log and for operators."""

    looked_at: int = 0
    missed: int = 0
    escalations: int = 0
    set_aside: int = 0


class Due(NamedTuple):
    """A commitment whose next look has come, with what decides whom its rungs call in; locked."""

    pk: int
    ticket: int
    number: int
    priority: int
    calendar: int
    ending: str
    due_at: datetime
    rungs: list[dict]
    done: int
    place: Place


class Called(NamedTuple):
    """One rung to be written as an escalation."""

    due: Due
    rung: Reached
    person: int | None
    instead_of: int | None
    acknowledge_by: datetime | None
    letter_after: datetime | None


class Looked(NamedTuple):
    """What becomes of a commitment after this look."""

    pk: int
    ending: str
    done: int
    next_check_at: datetime | None


@dataclass
class Batch:
    """What one batch writes, and the rows that could not be understood."""

    looked: list[Looked] = field(default_factory=list)
    called: list[Called] = field(default_factory=list)
    poison: list[tuple[int, str]] = field(default_factory=list)
    changed: dict[int, int] = field(default_factory=dict)  # number of the ticket: its line


def sweep(now: datetime, *, batch: int = BATCH) -> Swept:
    """Looks at every commitment whose next look has come by now, in batches, oldest first, until none is left."""
    swept = Swept()
    callees = Callees(now)
    while (oldest := _oldest_due(now)) is not None:
        if oldest < now - LATE and not swept.looked_at:
            log.error("sweep: clocks have waited to be looked at since %s; catching up", oldest.isoformat())
        try:
            found = _sweep_batch(now, batch, swept, callees)
        except DatabaseError:
            log.exception("sweep: a batch failed, its rows are tried one by one")
            found = _sweep_one_by_one(now, batch, swept, callees)
        if not found:  # what another sweep holds, it deals with
            break
    if swept.looked_at:
        log.info(
            "sweep: %s looked at, %s missed, %s escalations, %s set aside",
            swept.looked_at,
            swept.missed,
            swept.escalations,
            swept.set_aside,
        )
    return swept


# `commitment_next_check` is the index of this query, as of `CommitmentQuerySet.due_for_check`.
DUE = """
SELECT c.id, c.ticket_id, t.number, c.priority, c.calendar_version_id, c.ending, c.due_at, c.rungs::text, c.rungs_done,
       t.line_id, t.assignee_id, t.terms_id, t.contract_id, k.csm_id
FROM (
    SELECT * FROM sla_commitment WHERE next_check_at <= %s AND (%s::bigint IS NULL OR id = %s)
    ORDER BY next_check_at, id LIMIT %s FOR UPDATE SKIP LOCKED
) c
JOIN tickets_ticket t ON t.id = c.ticket_id
JOIN contracts_customer k ON k.id = t.customer_id
ORDER BY c.next_check_at, c.id
"""
# The rung that was called last, where it waits to be acknowledged still.
UNHEARD = """
SELECT commitment_id, acknowledge_by FROM (
    SELECT DISTINCT ON (commitment_id) commitment_id, acknowledge_by, state FROM sla_escalation
    WHERE commitment_id = ANY(%s) AND position IS NOT NULL ORDER BY commitment_id, position DESC
) latest
WHERE state = 'open' AND acknowledge_by IS NOT NULL
"""
# The writes of a batch come as one JSON document: an array of a thousand rows is read by the database in a millisecond,
# while a Python list for each column costs ten to be written down.
CALL = """
INSERT INTO sla_escalation (ticket_id, commitment_id, position, percent, whom, person_id, instead_of_id, is_early,
                            acknowledge_by, letter_after, reached_at, created_at, cause, reason, state, answer)
SELECT ticket, commitment, position, percent, whom, person, instead_of, is_early,
       acknowledge_by, letter_after, reached_at, %s, 'ladder', '', 'open', ''
FROM json_to_recordset(%s::json) called(
    ticket bigint, commitment bigint, position smallint, percent smallint, whom varchar, person bigint,
    instead_of bigint, is_early boolean, acknowledge_by timestamptz, letter_after timestamptz, reached_at timestamptz)
ON CONFLICT DO NOTHING
"""
LOOK_AGAIN = """
UPDATE sla_commitment SET ending = looked.ending, rungs_done = looked.done, next_check_at = looked.next_check_at
FROM json_to_recordset(%s::json) looked(pk bigint, ending varchar, done smallint, next_check_at timestamptz)
WHERE sla_commitment.id = looked.pk
"""


def late_since(now: datetime) -> datetime | None:
    """Since when a clock has waited to be looked at, where that is longer than a sweep may take; else None.

    The alarm of the engine itself: no worker sweeps, or the sweeps do not keep up (`/clockz`, the board).
    """
    oldest = _oldest_due(now)
    return oldest if oldest is not None and oldest < now - LATE else None


def _oldest_due(now: datetime) -> datetime | None:
    """The head of the sweep's index. Asked before a batch is opened: an idle pass is this one statement."""
    found = _oldest().rows(now=now)
    return found[0][0] if found else None


@cache
def _oldest() -> Prepared:
    due = Commitment.objects.due_for_check(moment("now"))  # type: ignore[arg-type]  # given when it is run
    return Prepared(due.values_list("next_check_at")[:1])


def _sweep_batch(now: datetime, limit: int, swept: Swept, callees: Callees) -> int:
    with transaction.atomic():
        due, unread = _locked(now, limit)
        if not due and not unread:
            return 0
        batch = _climb(due, now, callees)
        _write(batch, now)
    _count(batch, swept)
    for key, error in [*unread, *batch.poison]:
        _set_aside(key, now, error, swept)
    return len(due) + len(unread)


def _sweep_one_by_one(now: datetime, limit: int, swept: Swept, callees: Callees) -> int:
    keys = list(Commitment.objects.due_for_check(now).values_list("pk", flat=True)[:limit])
    for key in keys:
        sweep_one(key, now, swept, callees)
    return len(keys)


def sweep_one(key: int, now: datetime, swept: Swept, callees: Callees | None = None) -> None:
    """Looks at one commitment whose next look has come, in a transaction of its own; sets it aside where it fails."""
    try:
        with transaction.atomic():
            due, unread = _locked(now, 1, key)
            batch = _climb(due, now, callees or Callees(now))
            if unread or batch.poison:
                raise DatabaseError((unread or batch.poison)[0][1])
            _write(batch, now)
        _count(batch, swept)
    except DatabaseError as error:
        _set_aside(key, now, str(error), swept)


def _locked(now: datetime, limit: int, key: int | None = None) -> tuple[list[Due], list[tuple[int, str]]]:
    """The rows to look at, locked; and those whose rungs cannot be read, with the reason."""
    due, unread = [], []
    with connection.cursor() as cursor:
        cursor.execute(DUE, [now, key, key, limit])
        for pk, ticket, number, priority, calendar, ending, due_at, rungs, done, *place in cursor.fetchall():
            try:
                read, where = json.loads(rungs), Place(*place)
                due.append(Due(pk, ticket, number, priority, calendar, ending, due_at, read, done, where))
            except NOT_UNDERSTOOD as error:
                unread.append((pk, repr(error)))
    return due, unread


def _unheard(due: Sequence[Due]) -> dict[int, datetime]:
    """Until when the last rung of each commitment is to be acknowledged, where nobody has yet."""
    waiting = [row.pk for row in due if row.done]
    if not waiting:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(UNHEARD, [waiting])
        return dict(cursor.fetchall())


def _climb(due: Sequence[Due], now: datetime, callees: Callees) -> Batch:
    """Applies the ladder to locked rows. Writes nothing."""
    batch = Batch()
    unheard = _unheard(due)
    for row in due:
        try:
            looked, called = _look(row, now, unheard.get(row.pk), callees)
        except NOT_UNDERSTOOD as error:
            log.exception("sweep: commitment %s could not be read and is set aside", row.pk)
            batch.poison.append((row.pk, repr(error)))
            continue
        batch.looked.append(looked)
        batch.called += called
        if called or looked.ending != row.ending:
            batch.changed[row.number] = row.place.line
    return batch


def _look(row: Due, now: datetime, until: datetime | None, callees: Callees) -> tuple[Looked, list[Called]]:
    """One commitment: the rungs reached, whom each calls, and when to look again.

    `until`: by when its last rung is to be acknowledged, where nobody has.
    """
    is_unheard = until is not None and until <= now
    reached, next_at = next_rungs(row.rungs, row.done, now, unheard_since=until if is_unheard else None)
    called = [_call(row, rung, now, callees) for rung in reached]
    done = row.done + len(reached)
    moments = [next_at]
    ending = row.ending
    if ending == Commitment.Ending.RUNNING:
        if now > row.due_at:
            ending = Commitment.Ending.MISSED
        else:
            moments.append(row.due_at)
    if done < len(row.rungs):  # a rung above is left to call, where nobody acknowledges this one
        moments.append(called[-1].acknowledge_by if called else None if is_unheard else until)
    look_again = min((moment for moment in moments if moment is not None), default=None)
    # A rung or deadline that falls on this very second is looked at again just after it.
    if look_again is not None and look_again <= now:
        look_again = now + timedelta(seconds=1)
    return Looked(row.pk, ending, done, look_again), called


def _call(row: Due, rung: Reached, now: datetime, callees: Callees) -> Called:
    person, instead_of = callees.person(row.place, rung.step.whom)
    by = None
    if rung.step.within is not None:
        since = rung.at if now - rung.at <= ON_TIME else now
        by = _calendar(row.calendar).add(since, timedelta(minutes=rung.step.within))
    return Called(row, rung, person, instead_of, by, letter_after(rung.step, row.priority, now))


def _calendar(version: int) -> Any:
    """The working calendar of a version that never changes; read once in the life of the process."""
    if version not in _versions:
        _versions[version] = CalendarVersion.objects.get(pk=version)
    return _versions[version].working_calendar()


_versions: dict[int, CalendarVersion] = {}


def _write(batch: Batch, now: datetime) -> None:
    with connection.cursor() as cursor:
        if batch.called:
            cursor.execute(CALL, [now, json.dumps([_called_row(call) for call in batch.called])])
        if batch.looked:
            cursor.execute(LOOK_AGAIN, [json.dumps([_looked_row(looked) for looked in batch.looked])])
    told: list[wire.Fields] = [{"n": number, "line": line, "what": "clock"} for number, line in batch.changed.items()]
    transaction.on_commit(lambda: wire.tell(told), robust=True)


def _called_row(call: Called) -> dict[str, Any]:
    """The escalation of a rung, by the names that `CALL` reads."""
    return {
        "ticket": call.due.ticket,
        "commitment": call.due.pk,
        "position": call.rung.position,
        "percent": call.rung.step.percent,
        "whom": call.rung.step.whom,
        "person": call.person,
        "instead_of": call.instead_of,
        "is_early": call.rung.is_early,
        "acknowledge_by": _iso(call.acknowledge_by),
        "letter_after": _iso(call.letter_after),
        "reached_at": _iso(call.rung.at),
    }


def _looked_row(looked: Looked) -> dict[str, Any]:
    """What `LOOK_AGAIN` writes of a commitment, by the names that it reads."""
    return {
        "pk": looked.pk,
        "ending": looked.ending,
        "done": looked.done,
        "next_check_at": _iso(looked.next_check_at),
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _count(batch: Batch, swept: Swept) -> None:
    swept.looked_at += len(batch.looked)
    swept.escalations += len(batch.called)
    swept.missed += sum(looked.ending == Commitment.Ending.MISSED for looked in batch.looked)


def _set_aside(key: int, now: datetime, error: str, swept: Swept) -> None:
    """A row that fails alone neither stops the rest nor comes first every minute: looked at again in an hour."""
    with transaction.atomic():
        # Unless a verb has stopped it in between: then nobody looks at it again anyhow.
        Commitment.objects.running().filter(pk=key, paused_at__isnull=True).update(next_check_at=now + SET_ASIDE_FOR)
        trouble, new = SweepTrouble.objects.get_or_create(
            commitment_id=key, defaults={"since": now, "happened_at": now, "error": error}
        )
        if not new:
            trouble.happened_at, trouble.error, trouble.times = now, error, trouble.times + 1
            trouble.save()
    swept.set_aside += 1
