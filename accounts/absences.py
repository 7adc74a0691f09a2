"""Who is away, from when to when, and who stands in (domain §4.4, §7).

Everybody says so for themselves, a line lead for the people of own lines, the support manager and the administrator for
all. Spans are [start, end); two of one person never overlap, so that there is always one answer to who stands in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext as _

from accounts.models import BOARD_ROLES, DESK_ROLES, STAFF_ROLES, Absence, Role, User
from accounts.refusals import Forbidden, Refused

# Who may be called in the stead of another: those who work requests, and those who answer for them.
STAND_INS = DESK_ROLES | BOARD_ROLES
FOR_ALL = frozenset({Role.SUPPORT_MANAGER, Role.ADMIN})
LONGEST = timedelta(days=366)


@dataclass(frozen=True)
class Problem:
    """Why an absence cannot stand: its field ("" for the whole), and a sentence."""

    field: str
    message: str


class AbsenceRefused(Refused):
    """The absence cannot stand as it is written; `problems` are all the reasons at once."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.message for problem in problems), "4.4")
        self.problems = list(problems)


def looked_after_by(user: User) -> QuerySet[User]:
    """The people whose absences this person plans and ends, by name."""
    people = User.objects.filter(is_active=True, role__in=STAFF_ROLES)
    if user.role in FOR_ALL:
        return people.order_by("full_name", "pk")
    own = Q(pk=user.pk)
    if user.role == Role.LINE_LEAD:
        of_lines = User.objects.filter(lines__in=user.lines.all(), role__in=[Role.ENGINEER, Role.LINE_LEAD])
        own |= Q(pk__in=of_lines.values("pk"))
    return people.filter(own).order_by("full_name", "pk")


def stand_ins() -> QuerySet[User]:
    """Who may stand in for somebody, by name."""
    return User.objects.filter(is_active=True, role__in=STAND_INS).order_by("full_name", "pk")


def now_and_soon(at: datetime) -> QuerySet[Absence]:
    """Absences that are not over, the nearest first; `absence_by_end` is the index of this query."""
    return (
        Absence.objects.filter(ends_at__gt=at)
        .select_related("user", "substitute")
        .order_by("starts_at", "ends_at", "pk")
    )


def with_absence(people: QuerySet[User], at: datetime) -> Any:
    """The people, each with `away_until` and `stood_in_by` (a full name), None for who is there; no statement more."""
    away = Absence.objects.at(at).filter(user=OuterRef("pk")).order_by("-ends_at")
    return people.annotate(
        away_until=Subquery(away.values("ends_at")[:1]), stood_in_by=Subquery(away.values("substitute__full_name")[:1])
    )


def stood_in_for_by(user: User, at: datetime) -> list[User]:
    """The people who are away at this moment and named this person to stand in for them."""
    return [absence.user for absence in Absence.objects.at(at).filter(substitute=user).select_related("user")]


@transaction.atomic
def plan_absence(
    person: User,
    *,
    starts_at: datetime,
    ends_at: datetime,
    substitute: User | None = None,
    reason: str = "",
    by: User,
    at: datetime,
) -> Absence:
    """The person is away in [starts_at, ends_at), aware moments. Raises `AbsenceRefused`, and `Forbidden` (§7)."""
    _only_who_looks_after(person, by)
    people = [person.pk, *([substitute.pk] if substitute else [])]
    # Locked in one order, so that two plans about the same people come one after the other.
    list(User.objects.select_for_update(of=("self",)).filter(pk__in=people).order_by("pk").values_list("pk"))
    problems = _problems_of_span(person, starts_at, ends_at, at)
    if substitute is not None:
        problems += _problems_of_substitute(person, substitute, starts_at, ends_at)
    if problems:
        raise AbsenceRefused(problems)
    return Absence.objects.create(
        user=person, starts_at=starts_at, ends_at=ends_at, substitute=substitute, reason=reason.strip()[:120]
    )


@transaction.atomic
def end_absence(absence: Absence, *, by: User, at: datetime) -> None:
    """Back already: who is away now is called again from this moment. Raises `Refused` where it is not going on."""
    absence = _locked(absence, by)
    if not absence.starts_at <= at < absence.ends_at:
        raise Refused(_("This absence is not going on now."), "4.4")
    if absence.starts_at == at:  # of no length: it never was
        absence.delete()
        return
    absence.ends_at = at
    absence.save(update_fields=["ends_at"])


@transaction.atomic
def remove_absence(absence: Absence, *, by: User, at: datetime) -> None:
    """A planned absence is not taken. Raises `Refused` once it has begun: then it is ended, and stays on record."""
    absence = _locked(absence, by)
    if absence.starts_at <= at:
        raise Refused(_("This absence has begun: end it instead."), "4.4")
    absence.delete()


def _locked(absence: Absence, by: User) -> Absence:
    found = Absence.objects.select_for_update(of=("self",)).select_related("user").filter(pk=absence.pk).first()
    if found is None:
        raise Refused(_("This absence is not planned any more."), "4.4")
    _only_who_looks_after(found.user, by)
    return found


def _only_who_looks_after(person: User, by: User) -> None:
    if not looked_after_by(by).filter(pk=person.pk).exists():
        raise Forbidden(_("Absences are planned by oneself, by the lead of the line and by the support manager."))


def _problems_of_span(person: User, starts_at: datetime, ends_at: datetime, at: datetime) -> list[Problem]:
    if ends_at <= starts_at:
        return [Problem("ends_at", _("The absence ends after it begins."))]
    if ends_at <= at:
        return [Problem("ends_at", _("This absence is over already."))]
    if ends_at - starts_at > LONGEST:
        return [Problem("ends_at", _("At most a year at once."))]
    other = Absence.objects.filter(user=person, starts_at__lt=ends_at, ends_at__gt=starts_at).first()
    if other is not None:
        return [Problem("starts_at", _("An absence of this person is planned in this time already."))]
    return []


def _problems_of_substitute(person: User, substitute: User, starts_at: datetime, ends_at: datetime) -> list[Problem]:
    if substitute.pk == person.pk:
        return [Problem("substitute", _("Nobody stands in for themselves."))]
    if not substitute.is_active or substitute.role not in STAND_INS:
        return [Problem("substitute", _("Choose somebody of the desk or of the management."))]
    if Absence.objects.filter(user=substitute, starts_at__lt=ends_at, ends_at__gt=starts_at).exists():
        away = {"name": substitute.full_name}
        return [Problem("substitute", _("%(name)s is away in this time too: choose somebody else.") % away)]
    return []
