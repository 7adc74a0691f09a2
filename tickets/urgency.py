"""The most urgent request that nobody works on: which one an engineer takes next, and why (direction §5).

The rule, in this order. What suits the person comes first: a product that they know, or no product named; who has no
skill on record suits everything. Then the nearest deadline. A request without a running clock (a logged call, a package
that promises no resolution) counts as due one working day after its receipt, so that it never sinks below what comes
in later with a clock. Among equals the older one.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from accounts.at_once import Given
from accounts.models import User
from sla import words
from tickets import routing
from tickets.models import Skill, State, Ticket, TicketQuerySet

LOOKED_AT = 40  # so many at once: two who take at the same moment go on to the next of them
SHOWN_OF = 6  # of so many heads the one is chosen that a page shows as the next: equal deadlines are few


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for somebody. `due_at` None: no clock runs; `suits`: its product is known to the person."""

    pk: int
    number: int
    opened_at: datetime
    due_at: datetime | None
    kind: str
    suits: bool
    product: str = ""
    own: bool = False  # assigned to the person already, not accepted yet


@dataclass(frozen=True, slots=True)
class Urgent:
    """One of the ranking, with the moment that it counts by."""

    waiting: Waiting
    counts_by: datetime

    def facts(self, skill: int) -> dict[str, Any]:
        """Why this one, as an event keeps it: read back by `reasons` in the reader's language."""
        return {
            "due": self.waiting.due_at.astimezone(UTC).isoformat() if self.waiting.due_at else "",
            "counts_by": self.counts_by.astimezone(UTC).isoformat(),
            "kind": self.waiting.kind,
            "product": self.waiting.product,
            "suits": self.waiting.suits,
            "skill": skill,
            "own": self.waiting.own,
        }

    def why(self, *, at: datetime, zone: tzinfo = words.MOSCOW) -> str:
        """In words, why this one."""
        one = self.waiting
        said = [_deadline_words(one.due_at, at)]
        if one.own:
            said.append(_("assigned to you"))
        if one.product and one.suits:
            said.append(_("you know “%(product)s”"))
        elif one.product:
            said.append(_("nothing that you know better waits"))
        filled = _filled(self.counts_by, one.kind, at, zone)
        return "; ".join(said) % {**filled, "product": one.product}


def reasons(kept: Mapping[str, Any], *, at: datetime, zone: tzinfo = words.MOSCOW) -> list[str]:
    """Why somebody has it who took it as the most urgent, of the `facts` that the event kept; `at`: when they did."""
    due = datetime.fromisoformat(kept["due"]) if kept.get("due") else None
    counts_by = datetime.fromisoformat(kept["counts_by"])
    said = [
        _("took it as the most urgent of what waited"),
        _deadline_words(due, at) % _filled(counts_by, kept.get("kind", ""), at, zone),
    ]
    if kept.get("own"):
        said.append(_("it had been assigned to them"))
    if kept.get("product"):
        known = {"product": kept["product"], "level": kept.get("skill", 0)}
        if known["level"]:
            said.append(_("knows “%(product)s” (%(level)s of 3)") % known)
        elif not kept.get("suits", True):
            said.append(_("nothing that they know better waited"))
    return said


def _deadline_words(due_at: datetime | None, at: datetime) -> str:
    if due_at is None:
        return _("no clock runs; it counts as due one working day after its receipt: %(moment)s")
    return _("overdue since %(moment)s") if due_at < at else _("the nearest deadline: %(promise)s by %(moment)s")


def _filled(counts_by: datetime, kind: str, at: datetime, zone: tzinfo) -> dict[str, str]:
    return {
        "moment": words.moment(counts_by, zone, at, "short"),
        "promise": words.promise(kind).lower() if kind else "",
    }


def rank(waiting: Iterable[Waiting], working_day_after: Callable[[datetime], datetime]) -> list[Urgent]:
    """The most urgent first. Pure; the same requests in any order give the same ranking."""
    found = [Urgent(one, one.due_at or working_day_after(one.opened_at)) for one in waiting]
    return sorted(found, key=lambda one: (not one.waiting.suits, one.counts_by, one.waiting.opened_at, one.waiting.pk))


def heads(among: TicketQuerySet, lines: Sequence[int], me: int | Given, many: int = LOOKED_AT) -> TicketQuerySet:
    """Of these tickets what can be among the first `many`; `lines` are theirs, none where lines do not say it.

    Of each line the nearest deadlines and the oldest without one, whatever the product; of who has skills, beside them
    the nearest and oldest that suit; and what is assigned to the person. `ticket_to_take` and `ticket_given` are read
    no further. The order is that of the index also where there is no deadline, and the keys are a list of rows and not
    `= ANY (…)`: otherwise all that is open, or all that waits on a line, may be gone through for it.
    """
    known = Skill.objects.filter(user=me)
    suits = Q(Exists(known)) & (Q(product__isnull=True) | Q(product__in=known.values("product")))
    waits = among.filter(assignee__isnull=True, state__in=[State.NEW, State.IN_PROGRESS])
    parts = [among.filter(assignee=me, state=State.NEW).order_by().values("pk")]
    for of_line in [waits.filter(line=line) for line in lines] or [waits]:
        for dated in (True, False):
            part = of_line.filter(due_at__isnull=not dated).order_by("due_at", "pk").values("pk")
            parts += [part[:many], part.filter(suits)[:many]]
    try:
        sql, params = parts[0].union(*parts[1:], all=True).query.sql_with_params()
    except EmptyResultSet:  # Django sees that nothing can be found
        return Ticket.objects.none()
    keys = RawSQL(f"tickets_ticket.id IN (SELECT unnest(ARRAY({sql})))", params, output_field=BooleanField())
    return Ticket.objects.filter(keys)


def most_urgent(among: TicketQuerySet, user: User, lines: Sequence[int] = ()) -> list[Urgent]:
    """What waits for somebody in these tickets, ranked for this person; one statement, and the working days if needed.

    `lines` as `heads` has them.
    """
    return ranked(columns_to_rank(heads(among, lines, user.pk), user.pk))


def ranked(rows: Iterable[tuple[Any, ...]]) -> list[Urgent]:
    """The ranking of what `columns_to_rank` finds."""
    waiting = [
        Waiting(pk, number, opened, due, kind, suits, product or "", assignee is not None)
        for pk, number, opened, due, kind, suits, product, assignee in rows
    ]
    return rank(waiting, _working_day_after)


def columns_to_rank(found: TicketQuerySet, me: int | Given) -> Any:
    """A `values_list` of `heads`, for a person at hand or for one that is given when it is run; in no order."""
    known = Skill.objects.filter(user=me)
    return (
        found.filter(is_waiting(me))
        .alias(any_skill=Exists(known), this_skill=Exists(known.filter(product=OuterRef("product"))))
        .annotate(
            suits=Case(
                When(Q(product__isnull=True) | Q(any_skill=False) | Q(this_skill=True), then=Value(True)),
                default=Value(False),
                output_field=BooleanField(),
            )
        )
        .values_list("pk", "number", "opened_at", "due_at", "due_kind", "suits", "product__name", "assignee")
    )


def _working_day_after(opened_at: datetime) -> datetime:
    return routing.working_days_after(opened_at, 1)


def is_waiting(me: int | Given) -> Q:
    """What may still be taken: looked at again under the lock."""
    nobody = Q(assignee__isnull=True, state__in=[State.NEW, State.IN_PROGRESS])
    return nobody | Q(assignee=me, state=State.NEW)
