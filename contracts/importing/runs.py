"""A dry run and what becomes of it: checked, then imported as shown or dropped, each once and whole (domain §2)."""

from dataclasses import asdict
from datetime import datetime
from enum import Enum
from types import ModuleType
from typing import Protocol

from django.db import IntegrityError, InternalError, connection, transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from contracts import signing
from contracts.importing import contacts, customers, licences
from contracts.importing.reading import UNICODE, Row, Table, read
from contracts.importing.verdicts import Checked, Verdict
from contracts.models import ImportRow, ImportRun

PLANS: dict[str, ModuleType] = {
    ImportRun.Kind.CUSTOMERS: customers,
    ImportRun.Kind.LICENCES: licences,
    ImportRun.Kind.CONTACTS: contacts,
}
ONE_AT_A_TIME = 2_410_771_003  # the number of the lock under which imports write, any of ours
BATCH = 2000


class NotImported(Refused):
    """The decision cannot be carried out; nothing was written."""


class Outcome(Enum):
    """What a decision to import came to."""

    IMPORTED = "imported"
    ALREADY = "already"  # by an earlier click: nothing was written twice
    READS_OTHERWISE = "reads otherwise"  # the database has changed since: shown anew, nothing was written


class Plan(Protocol):
    """What the modules of the three kinds make of a file: the verdicts, and how to write the good rows."""

    checked: list[Checked]

    def write(self, *, by: User, at: datetime, reason: str) -> None: ...


def check(table: Table, *, at: datetime) -> list[Checked]:
    """The dry run: the verdict of each row against the database as it is now. Nothing is written.

    A constant number of statements, however many rows.
    """
    return _plan(table.kind, table.rows, at=at).checked


@transaction.atomic
def keep(table: Table, *, file_name: str, by: User, at: datetime) -> ImportRun:
    """A dry run that is kept for a person's decision. Raises `Forbidden` for the wrong role (domain §7)."""
    signing.only_signers(by)
    run = ImportRun(
        kind=table.kind,
        file_name=file_name[-200:],
        checked_by=by,
        checked_at=at,
        ignored_columns=[heading[:80] for heading in table.ignored_columns],
        missing_columns=table.missing_columns,
        ignored_sheets=table.ignored_sheets[:20],
    )
    _write_verdicts(run, check(table, at=at))
    return run


def read_and_keep(
    content: bytes, file_name: str, *, kind: str, by: User, at: datetime, encoding: str = UNICODE
) -> ImportRun:
    """Reads a file and keeps its dry run. Raises `reading.NotReadable`, `Forbidden`; nothing is kept then."""
    signing.only_signers(by)
    return keep(read(content, file_name, kind=kind, encoding=encoding), file_name=file_name, by=by, at=at)


@transaction.atomic
def _carry_out(run: ImportRun, *, by: User, at: datetime) -> Outcome:
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    if run.state == ImportRun.State.IMPORTED:
        return Outcome.ALREADY
    if run.state == ImportRun.State.DROPPED:
        raise NotImported(_("This import was dropped: send the file again."))
    if not run.good:
        raise NotImported(_("There is no good row to import."))
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [ONE_AT_A_TIME])
    shown = {row.number: row for row in run.rows.order_by("number")}
    rows = [Row(row.number, row.cells, row.surplus) for row in shown.values()]
    plan = _plan(run.kind, rows, at=at, lock=True)
    if any(_differs(shown[checked.number], checked) for checked in plan.checked):
        run.rows.all().delete()
        run.checked_at = at
        _write_verdicts(run, plan.checked)
        return Outcome.READS_OTHERWISE
    plan.write(by=by, at=at, reason=_("Import of the file “%(name)s”") % {"name": run.file_name[:120]})
    run.state = ImportRun.State.IMPORTED
    run.decided_by, run.imported_at = by, at
    run.save()
    return Outcome.IMPORTED


def carry_out(run: ImportRun, *, by: User, at: datetime) -> Outcome:
    """Imports exactly the rows that were shown as good, in one transaction: all of them or none.

    Every row is checked again under locks. Where one reads otherwise than it was shown, nothing is written and the
    run carries the new verdicts. A second call imports nothing twice. Raises `NotImported`, `Forbidden`.
    """
    signing.only_signers(by)
    try:
        return _carry_out(run, by=by, at=at)
    except (IntegrityError, InternalError) as error:
        # Somebody wrote the same in the very moment between the check and the writing; all of it is taken back.
        raise NotImported(
            _("The database changed while the file was imported. Nothing was written: import once more.")
        ) from error


@transaction.atomic
def drop(run: ImportRun, *, by: User, at: datetime) -> bool:
    """Gives a dry run up and forgets its rows (they are people's data); whether it was not dropped before.

    Raises `NotImported` for one that is imported already, `Forbidden`.
    """
    signing.only_signers(by)
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    if run.state == ImportRun.State.IMPORTED:
        raise NotImported(_("This file is imported already: it cannot be dropped."))
    if run.state == ImportRun.State.DROPPED:
        return False
    run.rows.all().delete()
    run.state = ImportRun.State.DROPPED
    run.decided_by, run.dropped_at = by, at
    run.save()
    return True


def _plan(kind: str, rows: list[Row], *, at: datetime, lock: bool = False) -> Plan:
    made: Plan = PLANS[kind].plan(rows, at=at, lock=lock)
    return made


def _differs(shown: ImportRow, now: Checked) -> bool:
    """Whether the database has changed what the row would do. Reasons of a bad row may change: it is not written."""
    return shown.verdict != now.verdict or (
        now.verdict != Verdict.BAD and shown.changes != [asdict(change) for change in now.changes]
    )


def _write_verdicts(run: ImportRun, found: list[Checked]) -> None:
    verdicts = [checked.verdict for checked in found]
    run.new, run.changed = verdicts.count(Verdict.NEW), verdicts.count(Verdict.CHANGED)
    run.same, run.bad = verdicts.count(Verdict.SAME), verdicts.count(Verdict.BAD)
    run.warned = sum(bool(checked.warnings) and checked.is_good for checked in found)
    run.save()
    ImportRow.objects.bulk_create(
        (
            ImportRow(
                run=run,
                number=checked.number,
                verdict=verdict,
                cells=checked.cells,
                surplus=checked.surplus,
                problems=[problem.as_json() for problem in checked.problems],
                warnings=[warning.as_json() for warning in checked.warnings],
                changes=[asdict(change) for change in checked.changes],
            )
            for checked, verdict in zip(found, verdicts, strict=True)
        ),
        batch_size=BATCH,
    )
