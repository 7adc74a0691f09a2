"""Who is next: candidates ranked by shift, skill, load and what they know of the request, with reasons (domain §3.3).

Pure. Only who is on the line's shift and not away is chosen. Among them the fewest points win, and points are ordinary
requests: what a person has open counts by priority and by how near its deadline is, and what they know is taken off.
Whoever was assigned something longest ago comes first among equals, then the older hand (the smaller key).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sla import words

# Quarters of an ordinary request (priority 4, its deadline far away).
BY_PRIORITY = {1: 12, 2: 8, 3: 6, 4: 4}
LATE, NEAR, WAITING = 8, 4, 1  # more for an overdue one, more for one due within the hour, all of one that waits
NEAR_IS = timedelta(hours=1)
SKILL_IS_WORTH = 8  # a level of skill in the product: as if two requests fewer were open
WORKED_ON_IT = 24  # who worked on this very request need not read it again
KNOWS_CUSTOMER = 4
FROM_SO_MANY = 3  # solved requests of the customer that count as knowing them


@dataclass(frozen=True, slots=True)
class Load:
    """What a person has open: all of it, of that overdue and waiting for the customer, and its weight in quarters."""

    open: int = 0
    late: int = 0
    waiting: int = 0
    weight: int = 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person of the line at one moment. `until`: on shift to then, None: not on shift; `skill` 0 to 3."""

    person: int
    name: str
    until: datetime | None = None
    away: bool = False
    instead_of: str = ""
    skill: int = 0
    load: Load = Load()
    worked_on_it: bool = False
    of_customer: int = 0
    last_assigned_at: datetime | None = None

    @property
    def may_be_next(self) -> bool:
        return self.until is not None and not self.away


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with their points (quarters of a request; fewer is better) and whether nobody here has less open."""

    candidate: Candidate
    points: int
    least_loaded: bool


def weight_of(priority: int, due_at: datetime | None, *, stands: bool, at: datetime) -> int:
    """What an open request weighs: more by priority, more when its deadline is near or over, little while it waits."""
    if stands:
        return WAITING
    weight = BY_PRIORITY[priority]
    if due_at is not None and due_at < at:
        return weight + LATE
    return weight + NEAR if due_at is not None and due_at < at + NEAR_IS else weight


def points(candidate: Candidate) -> int:
    taken_off = candidate.skill * SKILL_IS_WORTH
    taken_off += WORKED_ON_IT if candidate.worked_on_it else 0
    taken_off += KNOWS_CUSTOMER if candidate.of_customer >= FROM_SO_MANY else 0
    return candidate.load.weight - taken_off


def rank(candidates: Iterable[Candidate]) -> list[Ranked]:
    """Who may be next, the best first. The same candidates in any order give the same ranking."""
    here = [one for one in candidates if one.may_be_next]
    least = min((one.load.open for one in here), default=0)
    ranked = [Ranked(one, points(one), len(here) > 1 and one.load.open == least) for one in here]
    return sorted(ranked, key=lambda one: (one.points, _last(one.candidate), one.candidate.person))


def _last(candidate: Candidate) -> datetime:
    return candidate.last_assigned_at or datetime.min.replace(tzinfo=UTC)


# In words, and as an event keeps it


def facts(ranked: Ranked, product: str) -> dict[str, Any]:
    """The reasons as plain values, fit for an event: read back by `reasons` in the reader's language."""
    one = ranked.candidate
    return {
        "person": one.person,
        "name": one.name,
        "until": one.until.astimezone(UTC).isoformat() if one.until else "",
        "instead_of": one.instead_of,
        "product": product,
        "skill": one.skill,
        "open": one.load.open,
        "late": one.load.late,
        "least": ranked.least_loaded,
        "worked_on_it": one.worked_on_it,
        "of_customer": one.of_customer,
        "points": ranked.points,
    }


def reasons(kept: Mapping[str, Any], *, at: datetime, zone: tzinfo = words.MOSCOW) -> list[str]:
    """“on shift until 18:00”, “knows Sales (3 of 3)”, “4 requests in work, fewer than anybody”, in this order."""
    said = []
    if kept.get("until"):
        until = words.moment(datetime.fromisoformat(kept["until"]), zone, at, "short")
        said.append(_("on shift until %(moment)s") % {"moment": until})
    if kept.get("instead_of"):
        said.append(_("stands in for %(name)s") % {"name": kept["instead_of"]})
    if kept.get("worked_on_it"):
        said.append(_("has worked on this request"))
    if kept.get("product"):
        known = {"product": kept["product"], "level": kept.get("skill", 0)}
        said.append(
            _("knows “%(product)s” (%(level)s of 3)") % known if known["level"] else _("new to “%(product)s”") % known
        )
    if kept.get("of_customer", 0) >= FROM_SO_MANY:
        count = kept["of_customer"]
        said.append(
            ngettext(
                "has solved %(count)d request of this customer", "has solved %(count)d requests of this customer", count
            )
            % {"count": count}
        )
    said.append(_load_words(kept))
    return said


def _load_words(kept: Mapping[str, Any]) -> str:
    count = kept.get("open", 0)
    if not count:
        return _("nothing in work")
    text = ngettext("%(count)d request in work", "%(count)d requests in work", count) % {"count": count}
    if late := kept.get("late", 0):
        text += ngettext(", %(count)d of them overdue", ", %(count)d of them overdue", late) % {"count": late}
    return text + _(", fewer than anybody") if kept.get("least") else text


def sentence(kept: Mapping[str, Any], *, at: datetime) -> str:
    """All the reasons in one line."""
    return "; ".join(reasons(kept, at=at))
