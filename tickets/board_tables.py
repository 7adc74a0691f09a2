"""What the board's charts are drawn of, and the same numbers as tables for a spreadsheet (direction §8).

The board's counts stop at a cap; who asks for a table gets them exact.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Line
from contracts.kept import catalogue
from contracts.models import Package
from sla import reports
from sla.reports import Attainment
from tickets import board, tally

WEEKS = 12

Table = tuple[list[str | Promise], list[list[object]]]  # headings, rows


@dataclass(frozen=True)
class KeptInTime:
    """What was kept in time: by priority and package in thirty days, by line in weeks; `agreed` is counted apart."""

    packages: list[Package]
    by_priority: list[tuple[int, list[Attainment | None]]]
    mondays: list[date]
    by_line: list[tuple[Line, list[Attainment]]]
    agreed: Attainment


def kept_in_time(now: datetime, edition: int | None) -> KeptInTime:
    """Read from the ledgers, in one statement. `edition` is the catalogue's, as `catalogue` takes it."""
    known = catalogue(edition)
    packages = sorted(known.packages, key=lambda package: -package.position)
    mondays = [monday.date() for monday in reports.mondays(now, WEEKS)]
    kept, nothing = tally.kept(now, mondays), Attainment()
    return KeptInTime(
        packages,
        [
            (priority, [kept.by_package.get((package.pk, priority)) for package in packages])
            for priority in (1, 2, 3, 4)
        ],
        mondays,
        [
            (line, [kept.by_line.get(line.pk, {}).get(monday, nothing) for monday in mondays])
            for line in known.lines.values()
        ],
        kept.agreed,
    )


def _by_package(now: datetime) -> Table:
    kept = kept_in_time(now, None)
    return [_("Priority"), _("Package"), *COUNTED], [
        [priority, package.name, *_counted(cell or Attainment())]
        for priority, cells in kept.by_priority
        for package, cell in zip(kept.packages, cells, strict=True)
    ]


def _by_line(now: datetime) -> Table:
    kept = kept_in_time(now, None)
    return [_("Week from"), _("Line"), *COUNTED], [
        [monday.isoformat(), line.number, *_counted(weeks[place])]
        for place, monday in enumerate(kept.mondays)
        for line, weeks in kept.by_line
    ]


def _by_age(now: datetime) -> Table:
    return [_("Age"), _("Open requests")], [list(row) for row in board.exact_ages(now)]


COUNTED = (_("Promises"), _("Kept in time"), _("Missed"), _("Kept, %"))


def _counted(kept: Attainment) -> list[object]:
    """Nothing was counted: no percentage, which is not nothing kept."""
    return [kept.counted, kept.met, kept.missed, "" if kept.percent is None else kept.percent]


TABLES: dict[str, Callable[[datetime], Table]] = {
    "kept-by-package": _by_package,
    "kept-by-line": _by_line,
    "age": _by_age,
}
