"""Verbs of the ladder: a rung more or less, a ladder of its own for a package or a priority (domain §4.4, §7).

Only the administrator changes a ladder. A running clock keeps the rungs that it started with (`Commitment.rungs`), so
nothing here touches one; clocks that start later take the ladder as it is then. Every change is a `LadderChange`,
which is never altered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import STAFF_ROLES, Role, User
from accounts.refusals import Forbidden, Refused
from contracts.models import Package, PromiseKind
from sla.kept import as_step
from sla.ladder import MISSED, Step
from sla.models import Ladder, LadderChange, LadderStep, Whom

READERS = STAFF_ROLES  # who is called in may know by whom and when
ABOVE_THE_LINE = frozenset({Whom.CSM, Whom.SUPPORT_MANAGER, Whom.TOP_MANAGEMENT})
RUNGS = 12
WITHIN = 10_000  # minutes: a week of days and nights


@dataclass(frozen=True)
class Problem:
    """Why a ladder cannot stand: the rung (its place from 0; None: the whole), its field, and a sentence."""

    rung: int | None
    field: str
    message: str


class LadderRefused(Refused):
    """The ladder cannot stand as it is written; `problems` are all the reasons at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(dict.fromkeys(problem.message for problem in problems)), "4.4")
        self.problems = list(problems)


def problems_of(steps: Sequence[Step]) -> list[Problem]:
    """Everything that is wrong with these rungs, in words. Pure."""
    found: list[Problem] = []
    if len(steps) > RUNGS:
        found.append(Problem(None, "", _("A ladder has at most %(n)d rungs.") % {"n": RUNGS}))
    seen: set[tuple[int, str]] = set()
    highest = 0
    for number, step in enumerate(steps):
        if not 1 <= step.percent <= 1000:
            found.append(Problem(number, "percent", _("The percent of a rung lies between 1 and 1000.")))
        elif step.percent < highest:
            found.append(Problem(number, "percent", _("Rungs go up: a percent is not lower than the one before it.")))
        highest = max(highest, step.percent)
        if step.whom not in Whom.values:
            found.append(Problem(number, "whom", _("Choose whom the rung calls in.")))
        elif (step.percent, step.whom) in seen:
            found.append(Problem(number, "whom", _("The same rung stands here twice.")))
        seen.add((step.percent, step.whom))
        if step.within is not None and not 1 <= step.within <= WITHIN:
            found.append(
                Problem(
                    number,
                    "within",
                    _("The time to say “I have it” is 1 to %(most)d minutes; leave it empty where nobody waits.")
                    % {"most": WITHIN},
                )
            )
        if step.quiet is not None and step.quiet[0] == step.quiet[1]:
            found.append(Problem(number, "quiet_to", _("Quiet hours end at another hour than they begin.")))
    if not any(step.percent >= MISSED and step.whom in ABOVE_THE_LINE for step in steps):
        found.append(
            Problem(
                None,
                "",
                _(
                    "A missed promise must reach somebody above the line: a rung of 100% or more that calls the CSM, "
                    "the support manager or top management."
                ),
            )
        )
    return found


def remarks_of(steps: Sequence[Step], priority: int | None) -> list[str]:
    """What is allowed and has no effect: said before it is applied. Pure."""
    remarks = []
    if any(step.quiet is not None for step in steps) and priority == 1:
        remarks.append(_("Quiet hours have no effect here: priority 1 wakes people always."))
    elif any(step.quiet is not None and step.percent >= MISSED for step in steps):
        remarks.append(_("Quiet hours of a rung of 100% or more have no effect: a missed promise wakes people always."))
    if steps and steps[-1].within is not None:
        remarks.append(_("Nobody stands above the last rung: its time to say “I have it” calls nobody."))
    return remarks


def steps_of(ladder: Ladder) -> list[Step]:
    """The rungs of a ladder as plain values, from its foot."""
    return [as_step(row) for row in ladder.steps.all()]


def next_best(ladder: Ladder) -> Ladder | None:
    """The ladder that serves new clocks once this one is removed; None for the general one, which stays (§4.4).

    For a ladder of a package without a priority that is the one of a priority, where there is one, for these clocks.
    """
    if ladder.package_id is None and ladder.priority is None:
        return None
    others = Ladder.objects.filter(kind=ladder.kind).exclude(pk=ladder.pk).prefetch_related("steps")
    fitting = [
        other
        for other in others
        if other.package_id in {None, ladder.package_id} and other.priority in {None, ladder.priority}
    ]
    return max(fitting, key=lambda other: (other.package_id is not None, other.priority is not None), default=None)


@transaction.atomic
def change_ladder(ladder: Ladder, *, steps: Sequence[Step], by: User, at: datetime) -> Ladder:
    """Other rungs for clocks that start from now on. Raises `LadderRefused`, and `Forbidden` for other roles."""
    only_administrator(by)
    _refuse(problems_of(steps))
    ladder = Ladder.objects.select_for_update(of=("self",)).get(pk=ladder.pk)
    before = steps_of(ladder)
    if before == list(steps):
        _refuse([Problem(None, "", _("Nothing changes: the ladder is like this already."))])
    ladder.steps.all().delete()
    _write(ladder, steps)
    _record(ladder, LadderChange.What.CHANGED, before, steps, by=by, at=at)
    return ladder


@transaction.atomic
def new_ladder(
    kind: str, package: Package | None, priority: int | None, steps: Sequence[Step], *, by: User, at: datetime
) -> Ladder:
    """A particular ladder: for one package, one priority, or both. Raises `LadderRefused`, and `Forbidden`."""
    only_administrator(by)
    problems = problems_of(steps)
    if kind not in PromiseKind.values:
        problems.append(Problem(None, "kind", _("Choose the promise.")))
    if priority is not None and not 1 <= priority <= 4:
        problems.append(Problem(None, "priority", _("A priority is 1 to 4.")))
    if package is None and priority is None:
        problems.append(Problem(None, "package", _("Choose a package or a priority: the general ladder is there.")))
    _refuse(problems)
    there = Problem(None, "package", _("There is a ladder for exactly this: change that one."))
    if Ladder.objects.filter(kind=kind, package=package, priority=priority).exists():
        _refuse([there])
    try:
        with transaction.atomic():  # two at once: `ladder_once`
            ladder = Ladder.objects.create(kind=kind, package=package, priority=priority)
    except IntegrityError as error:
        raise LadderRefused([there]) from error
    _write(ladder, steps)
    _record(ladder, LadderChange.What.MADE, [], steps, by=by, at=at)
    return ladder


@transaction.atomic
def remove_ladder(ladder: Ladder, *, by: User, at: datetime) -> None:
    """A particular ladder goes, a more general one serves its clocks; the general one of a kind never goes."""
    only_administrator(by)
    ladder = Ladder.objects.select_for_update(of=("self",)).get(pk=ladder.pk)
    if ladder.package_id is None and ladder.priority is None:
        raise Refused(_("The general ladder of a promise stays: change its rungs."), "4.4")
    _record(ladder, LadderChange.What.REMOVED, steps_of(ladder), [], by=by, at=at)
    ladder.delete()


def only_administrator(by: User) -> None:
    if by.role != Role.ADMIN:
        raise Forbidden(_("Ladders are changed by the administrator."))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise LadderRefused(problems)


def _write(ladder: Ladder, steps: Sequence[Step]) -> None:
    for step in steps:
        # One by one: rungs of the same percent are climbed in the order of their keys.
        quiet_from, quiet_to = step.quiet or (None, None)
        LadderStep.objects.create(
            ladder=ladder,
            percent=step.percent,
            whom=step.whom,
            within=step.within,
            quiet_from=quiet_from,
            quiet_to=quiet_to,
        )


def _record(
    ladder: Ladder, what: str, before: Sequence[Step], after: Sequence[Step], *, by: User, at: datetime
) -> LadderChange:
    return LadderChange.objects.create(
        kind=ladder.kind,
        package=ladder.package,
        priority=ladder.priority,
        what=what,
        before=[as_json(step) for step in before],
        after=[as_json(step) for step in after],
        made_by=by,
        made_at=at,
    )


def as_json(step: Step) -> dict[str, Any]:
    """A rung for the record: its values, whatever becomes of the catalogue."""
    quiet = [f"{hour:%H:%M}" for hour in step.quiet] if step.quiet else None
    return {"percent": step.percent, "whom": step.whom, "within": step.within, "quiet": quiet}
