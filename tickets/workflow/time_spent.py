"""The time that people say they spent on a ticket. Nothing measures it, and no customer sees it (direction §8)."""

from datetime import date, datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.refusals import Forbidden
from contracts.entitlement import CONTRACT_ZONE
from tickets.models import Ticket, TimeEntry
from tickets.workflow.gates import NotAllowed, lock, only_desk, record

A_DAY = 24 * 60


def _sensible(minutes: int) -> int:
    if not 0 < minutes <= A_DAY:
        raise NotAllowed(_("Time spent is at least one minute and at most a day."))
    return minutes


@transaction.atomic
def log_time(
    ticket: Ticket,
    *,
    minutes: int,
    by: User,
    at: datetime,
    note: str = "",
    on_day: date | None = None,
    key: str | None = None,
) -> TimeEntry:
    """Writes down own minutes, of today (Moscow) unless a day is given; a repeated `key` returns the first entry."""
    only_desk(by)
    ticket = lock(ticket)
    if key and (earlier := ticket.time_entries.filter(person=by, idempotency_key=key).first()):
        return earlier
    today = at.astimezone(CONTRACT_ZONE).date()
    if on_day is not None and on_day > today:
        raise NotAllowed(_("Time of a day that has not come yet cannot be written down."))
    entry = TimeEntry.objects.create(
        ticket=ticket,
        person=by,
        minutes=_sensible(minutes),
        note=" ".join(note.split())[:200],
        on_day=on_day or today,
        at=at,
        idempotency_key=key or None,
    )
    record(ticket, "time_logged", by=by, at=at, details={"minutes": minutes, "note": entry.note})
    return entry


@transaction.atomic
def correct_time(entry: TimeEntry, *, minutes: int, by: User, at: datetime, note: str = "") -> TimeEntry:
    """Puts an entry right: its author or a lead does, and what it said before stays in the timeline."""
    only_desk(by)
    ticket = lock(entry.ticket)
    entry = TimeEntry.objects.select_for_update(of=("self",)).select_related("person").get(pk=entry.pk)
    if not may_correct(entry, by):
        raise Forbidden(_("Time is corrected by who wrote it down (%(name)s) or by a lead.") % {"name": entry.person})
    note = " ".join(note.split())[:200]
    if (entry.minutes, entry.note) == (_sensible(minutes), note):
        return entry
    details = {"from": entry.minutes, "to": minutes, "whose": entry.person.full_name, "was": entry.note, "note": note}
    entry.minutes, entry.note = minutes, note
    entry.save(update_fields=["minutes", "note"])
    record(ticket, "time_corrected", by=by, at=at, details=details)
    return entry


def may_correct(entry: TimeEntry, by: User) -> bool:
    return entry.person_id == by.pk or by.role in {Role.LINE_LEAD, Role.SUPPORT_MANAGER}
