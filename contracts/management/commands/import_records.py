"""The dry run of an import in a terminal; with --apply also the decision to import the good rows."""

import argparse
import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from contracts import signing
from contracts.importing import columns, runs
from contracts.importing.exporting import reasons
from contracts.importing.reading import CYRILLIC, UNICODE, NotReadable, Table, read
from contracts.importing.verdicts import Checked, Verdict
from contracts.models import ImportRun

SHOWN = 200  # good rows that are printed one by one; the bad ones are all printed


class Command(BaseCommand):
    help = "Checks a CSV or XLSX file of customers, licences or contacts, row by row. Writes nothing without --apply."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("kind", choices=ImportRun.Kind.values)
        parser.add_argument("file", metavar="FILE", help="CSV or XLSX; - is the standard input")
        parser.add_argument("--encoding", choices=[UNICODE, CYRILLIC], default=UNICODE, help="of a CSV file")
        parser.add_argument("--apply", action="store_true", help="imports the good rows, all of them or none")
        parser.add_argument("--by", metavar="EMAIL", help="who decides: a contract administrator; needed by --apply")

    def handle(
        self, *, kind: str, file: str, encoding: str, apply: bool, by: str | None, verbosity: int, **options: object
    ) -> None:
        """Exit code 1 where the file cannot be read, a row is bad, or the import is refused."""
        signer = self._signer(by) if apply else None
        try:
            content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as error:
            raise CommandError(
                _("%(file)s: cannot be read: %(why)s") % {"file": file, "why": error.strerror}
            ) from error
        try:
            table = read(content, file, kind=kind, encoding=encoding)
        except NotReadable as refused:
            raise CommandError(refused.message) from refused
        now = timezone.now()
        found = runs.check(table, at=now)
        self._print(table, found, everything=verbosity > 1)
        if signer is not None:
            self._apply(runs.keep(table, file_name=Path(file).name, by=signer, at=now), signer)
        bad = sum(checked.verdict == Verdict.BAD for checked in found)
        if bad:
            raise CommandError(_("%(count)d bad rows.") % {"count": bad})

    def _signer(self, email: str | None) -> User:
        if not email:
            raise CommandError(_("Say who decides: --by EMAIL of a contract administrator."))
        user = User.objects.filter(email__iexact=email, is_active=True).first()
        if user is None or user.role not in signing.SIGNERS:
            raise CommandError(_("%(email)s is not a contract administrator who can sign in.") % {"email": email})
        return user

    def _print(self, table: Table, found: list[Checked], *, everything: bool) -> None:
        left = None if everything else SHOWN
        for checked in found:
            if checked.verdict == Verdict.SAME and not everything:
                continue
            if checked.verdict != Verdict.BAD and left is not None:
                left -= 1
                if left < 0:
                    continue
            self.stdout.write(
                f"{checked.number:>7}  {Verdict(checked.verdict).label:<10}  {_words(table.kind, checked)}"
            )
        if left is not None and left < 0:
            self.stdout.write(_("… and %(count)d good rows more (all of them with -v 2)") % {"count": -left})
        if table.ignored_columns:
            self.stdout.write(_("Left out: %(columns)s") % {"columns": ", ".join(table.ignored_columns)})
        if table.missing_columns:
            self.stdout.write(
                _("Not in the file: %(columns)s") % {"columns": columns.labels_of(table.kind, table.missing_columns)}
            )
        if table.ignored_sheets:
            self.stdout.write(_("Sheets left out: %(names)s") % {"names": ", ".join(table.ignored_sheets)})
        verdicts = [checked.verdict for checked in found]
        self.stdout.write(
            _("%(rows)d rows: new %(new)d, changed %(changed)d, same %(same)d, bad %(bad)d")
            % {"rows": len(found), **{verdict: verdicts.count(verdict) for verdict in Verdict.values}}
        )

    def _apply(self, run: ImportRun, signer: User) -> None:
        if not run.good:
            self.stdout.write(_("There is no good row to import."))
            return
        try:
            outcome = runs.carry_out(run, by=signer, at=timezone.now())
        except Refused as refused:
            raise CommandError(refused.message) from refused
        if outcome is not runs.Outcome.IMPORTED:
            raise CommandError(_("The database has changed since the dry run. Nothing was written."))
        self.stdout.write(_("Imported: %(count)d") % {"count": run.good})


def _words(kind: str, checked: Checked) -> str:
    """What the table says of a row: who or what it is, then the reasons, or what changes, then warnings."""
    name = checked.cells.get("email") or checked.cells.get("company", "")
    said = [reasons(kind, checked.problems)] if checked.problems else []
    if not checked.problems:
        said += [
            f"{columns.label_of(kind, change.field)}: {change.old or '–'} → {change.new}" for change in checked.changes
        ]
    said += [f"! {warning.words}" for warning in checked.warnings]
    return " | ".join([name, *said])
