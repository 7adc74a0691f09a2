"""An edit of a calendar: what it would move, before anybody decides, and carrying out the decision (domain §4, §4.1).

As a change of terms (`terms_preview`, `terms_decisions`): `begin` keeps the edit, `count` fills its items in chunks of
constant statements, so that 60,000 open promises neither fill the memory nor hold a page; `decide` makes the version,
and where a person applies it to open requests too, each item is applied in a transaction of its own: a killed worker
repeats nothing and forgets nothing. The arithmetic is `sla.clocks.recounted`, for the preview and for the verb.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from sla import clocks
from sla.calendars import Edit, NotEdited, edit_calendar, only_editors, problems_of
from sla.models import Calendar, CalendarVersion, Commitment
from tickets import workflow
from tickets.models import CalendarChange, CalendarItem, Ticket
from tickets.workflow.gates import NotAllowed, needs_words
from tickets.workflow.terms import told

CHUNK = 500
INLINE_SECONDS = 2.0  # of a request; the job does the rest

# Why an item was left as it is: codes in the row, words in `why_left`.
CLOSED, DONE_ALREADY, CHANGED, WITHDRAWN = "closed", "nothing", "changed", "withdrawn"


# The preview


@transaction.atomic
def begin(calendar: Calendar, edit: Edit, *, reason: str, by: User, at: datetime) -> CalendarChange:
    """Keeps an edit for its preview; no version is made. Raises `NotEdited`, all problems in it, and `Forbidden`."""
    only_editors(by)
    problems = problems_of(edit, calendar, at=at)
    if problems:
        raise NotEdited(problems)
    reason = needs_words(reason, _("Write why the calendar changes: the customers read it."), "4")
    return CalendarChange.objects.create(
        calendar=calendar, edit=edit.as_json(), reason=reason, made_by=by, made_at=at, counted_at=at
    )


@transaction.atomic
def begin_again(change: CalendarChange, *, by: User, at: datetime) -> None:
    """Counts anew, as of now. Nothing where it is decided already."""
    only_editors(by)
    change = _locked(change)
    if change.decided_at is not None:
        return
    change.items.all().delete()
    change.state, change.counted_to, change.counted_at = CalendarChange.State.COUNTING, 0, at
    change.save(update_fields=["state", "counted_to", "counted_at"])


@transaction.atomic
def count(change: CalendarChange, *, chunk: int = CHUNK) -> bool:
    """Counts the next tickets of the preview; True while there are more. Any number of jobs may do so at once."""
    change = CalendarChange.objects.select_for_update(of=("self",)).select_related("calendar").get(pk=change.pk)
    if change.state != CalendarChange.State.COUNTING:
        return False
    at = change.counted_at
    affected = Commitment.objects.filter(clocks.recountable(change.calendar, None, at=at), ticket=OuterRef("pk"))
    open_tickets = Ticket.objects.open().filter(Exists(affected), pk__gt=change.counted_to)
    tickets = list(open_tickets.order_by("pk").values_list("pk", flat=True)[:chunk])
    version = Edit.from_json(change.edit).version(change.calendar, at=at)
    moves = moves_of(tickets, version, at=at)
    CalendarItem.objects.bulk_create(
        CalendarItem(change=change, ticket_id=ticket, **_counts(moves[ticket])) for ticket in tickets
    )
    if tickets:
        change.counted_to = tickets[-1]
    if len(tickets) < chunk:
        change.state = CalendarChange.State.READY
    change.save(update_fields=["counted_to", "state"])
    return change.state == CalendarChange.State.COUNTING


def moves_of(tickets: Sequence[int], version: CalendarVersion, *, at: datetime) -> dict[int, list[clocks.Moved]]:
    """What the version does to the running promises of these tickets at a moment, by ticket's key. Writes nothing.

    One statement, however many tickets; in the order in which `clocks.change_calendar` tells them.
    """
    moves: dict[int, list[clocks.Moved]] = defaultdict(list)
    saved = version if version.pk else None
    rows = Commitment.objects.filter(clocks.recountable(version.calendar, saved, at=at), ticket__in=tickets)
    for old in rows.order_by("started_at", "pk"):
        moves[old.ticket_id].append(clocks.recounted_to(clocks.recounted(old, version, at=at), old.due_at))
    return {ticket: moves[ticket] for ticket in tickets}


def _counts(moves: Sequence[clocks.Moved]) -> dict[str, Any]:
    shifts = [abs((one.new_due - one.old_due).total_seconds()) for one in moves if one.old_due and one.new_due]
    return {
        "moves": [told(one) for one in moves],
        "moved": sum(shift > 0 for shift in shifts),
        "missed": sum(one.missed for one in moves),
        "shift": int(max(shifts, default=0)),
    }


@dataclass(frozen=True)
class Totals:
    """What a preview moves: requests looked at, those with anything that moves, promises by what happens to them."""

    tickets: int
    touched: int
    moved: int
    missed: int


def totals(change: CalendarChange) -> Totals:
    """The sums of the preview, exact, in one statement."""
    found = change.items.aggregate(
        tickets=Count("pk"), touched=Count("pk", filter=Q(shift__gt=0)), moved=Sum("moved"), missed=Sum("missed")
    )
    return Totals(**{name: int(value or 0) for name, value in found.items()})


# The decision


@transaction.atomic
def decide(change: CalendarChange, *, scope: str, by: User, at: datetime) -> CalendarChange:
    """Makes the version and says whether open requests go over to it; `advance` does it.

    Raises `NotAllowed` where it is decided already or still counted, `NotEdited` where the edit cannot stand any more
    (another version was made since), `Forbidden`; nothing is written then.
    """
    only_editors(by)
    change = _locked(change)
    if change.state == CalendarChange.State.COUNTING:
        raise NotAllowed(_("The preview is still being counted: decide when you can see all of it."), "4")
    if change.state != CalendarChange.State.READY:
        raise NotAllowed(_("This change is decided already."), "4")
    if scope not in CalendarChange.Scope.values:
        raise NotAllowed(_("Choose what the new hours apply to."), "4")
    edit = Edit.from_json(change.edit)
    change.version = edit_calendar(
        change.calendar,
        timezone=edit.timezone,
        weekly_hours=edit.weekly_hours,
        holidays=edit.holidays,
        overrides=edit.overrides,
        valid_from=edit.valid_from if edit.valid_from and edit.valid_from > at else None,
        reason=change.reason,
        by=by,
        at=at,
    )
    change.scope, change.decided_by, change.decided_at = scope, by, at
    if scope == CalendarChange.Scope.OPEN:
        change.state = CalendarChange.State.APPLYING
    else:
        change.state, change.finished_at = CalendarChange.State.DONE, at
    change.save()
    return change


def _locked(change: CalendarChange) -> CalendarChange:
    return CalendarChange.objects.select_for_update(of=("self",)).select_related("calendar").get(pk=change.pk)


# The work


def advance(change: CalendarChange, *, at: datetime, seconds: float | None = INLINE_SECONDS) -> None:
    """Counts or applies for so many seconds (None: to the end). Safe to run at once, again, and after a kill."""
    stop = None if seconds is None else time.monotonic() + seconds

    def may_go_on() -> bool:
        return stop is None or time.monotonic() < stop

    while count(change):
        if not may_go_on():
            return
    while carry_out_one(change, at=at):
        if not may_go_on():
            return


def at_work() -> QuerySet[CalendarChange]:
    """Changes that are being counted or applied, oldest first; `calendar_change_at_work` is the index of it."""
    return CalendarChange.objects.filter(
        state__in=[CalendarChange.State.COUNTING, CalendarChange.State.APPLYING]
    ).order_by("pk")


@transaction.atomic
def carry_out_one(change: CalendarChange, *, at: datetime) -> bool:
    """Applies the edit to the next item that nobody else is at; False when there is none. Writes its outcome."""
    waiting = change.items.filter(outcome="", change__state=CalendarChange.State.APPLYING)
    item = (
        waiting.select_for_update(of=("self",), skip_locked=True)
        .select_related("change__version__calendar", "change__decided_by", "ticket")
        .order_by("pk")
        .first()
    )
    if item is None:
        _finish(change, at=at)
        return False
    item.why = _apply(item, at=at)
    item.outcome = CalendarItem.Outcome.SKIPPED if item.why else CalendarItem.Outcome.APPLIED
    item.done_at = at
    item.save(update_fields=["outcome", "why", "done_at"])
    return True


def _finish(change: CalendarChange, *, at: datetime) -> None:
    change = _locked(change)
    if change.state == CalendarChange.State.APPLYING and not change.items.filter(outcome="").exists():
        change.state, change.finished_at = CalendarChange.State.DONE, at
        change.save(update_fields=["state", "finished_at"])


def _apply(item: CalendarItem, *, at: datetime) -> str:
    """ "" where it was applied, else the code or the words of why it was left."""
    change = item.change
    if change.version is None or change.decided_by is None:
        return WITHDRAWN
    try:
        with transaction.atomic():  # a refusal leaves nothing half done, and the item still gets its outcome
            ticket = workflow.lock(item.ticket)  # so that nothing moves between looking and doing
            if not ticket.is_open:
                return CLOSED
            fresh = moves_of([ticket.pk], change.version, at=at)[ticket.pk]
            if not fresh:
                return DONE_ALREADY
            if [_without_lateness(told(one)) for one in fresh] != [_without_lateness(one) for one in item.moves]:
                return CHANGED
            workflow.apply_calendar(ticket, change.version, by=change.decided_by, at=at, reason=change.reason)
    except Refused as refusal:
        return refusal.message[:500]
    return ""


def _without_lateness(move: dict[str, Any]) -> dict[str, Any]:
    """Time goes on between the preview and the job: a deadline that passes meanwhile is the same deadline."""
    return {key: value for key, value in move.items() if key != "missed"}


def why_left(item: CalendarItem) -> str:
    """Why the item was left as it is, in the active language; "" where it was not."""
    return {
        CLOSED: _("It was closed since the preview."),
        DONE_ALREADY: _("Nothing in it runs by the old hours any more."),
        CHANGED: _("It changed since the preview: other figures than shown would have come out."),
        WITHDRAWN: _("The new hours were withdrawn."),
    }.get(item.why, item.why)
