"""The calendars and ladders as a process keeps them: every version of the hours, every rung (contracts/kept.py)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.at_once import AtOnce
from contracts.kept import Kept
from sla.ladder import Step
from sla.models import CalendarVersion, Ladder, LadderStep


@dataclass(frozen=True, slots=True)
class Rules:
    """`versions` of each calendar, the oldest first; `ladders` with their rungs from the foot."""

    versions: Mapping[int, tuple[CalendarVersion, ...]]
    ladders: tuple[tuple[Ladder, tuple[Step, ...]], ...]

    def version_at(self, calendar: int, at: datetime, also: Iterable[int] = ()) -> CalendarVersion:
        """The version of a calendar (its key) at a moment, or one of `also` (keys) that is younger; else the first.

        As `Calendar.version_at` says of a receipt.
        """
        versions, also = self.versions[calendar], set(also)
        standing = [one for one in versions if one.valid_from <= at or one.pk in also]
        return standing[-1] if standing else versions[0]

    def version(self, pk: int) -> CalendarVersion:
        return next(one for versions in self.versions.values() for one in versions if one.pk == pk)

    def version_of(self, code: str, at: datetime) -> CalendarVersion:
        """The same of a calendar by its code. Raises `LookupError` for one that the catalogue does not have."""
        for key, versions in self.versions.items():
            if versions[0].calendar.code == code:
                return self.version_at(key, at)
        raise LookupError(f"The catalogue has no calendar {code!r}.")

    def steps(self, kind: str, package: int, priority: int) -> list[Step]:
        """The rungs of the most particular ladder, in order (domain §4.4); none where there is no ladder."""
        fitting = [
            (ladder, steps)
            for ladder, steps in self.ladders
            if ladder.kind == kind and ladder.package_id in {None, package} and ladder.priority in {None, priority}
        ]
        if not fitting:
            return []
        best = max(fitting, key=lambda one: (one[0].package_id is not None, one[0].priority is not None))
        return list(best[1])


def rules(edition: int | None) -> Rules:
    """The calendars and ladders of this edition of the catalogue; one statement for each edition of a process."""
    return _kept.at(edition)


def as_step(row: LadderStep) -> Step:
    """The rung of the catalogue as a plain value."""
    quiet = (row.quiet_from, row.quiet_to) if row.quiet_from is not None and row.quiet_to is not None else None
    return Step(row.percent, row.whom, row.within, quiet)


def _reads() -> dict[str, Any]:
    return {
        "versions": CalendarVersion.objects.select_related("calendar").order_by("calendar", "valid_from"),
        "ladders": Ladder.objects.all(),
        "steps": LadderStep.objects.order_by("ladder", "percent", "pk"),
    }


_all = AtOnce(_reads)


def _whole() -> Rules:
    found = _all.read()
    versions: dict[int, list[CalendarVersion]] = {}
    for version in found["versions"]:
        versions.setdefault(version.calendar_id, []).append(version)
    steps: dict[int, list[Step]] = {}
    for row in found["steps"]:
        steps.setdefault(row.ladder_id, []).append(as_step(row))
    return Rules(
        {calendar: tuple(rows) for calendar, rows in versions.items()},
        tuple((ladder, tuple(steps.get(ladder.pk, ()))) for ladder in found["ladders"]),
    )


_kept = Kept(_whole)
