"""The most urgent request that nobody works on: which one an engineer takes next, and why (direction §5).

The rule, in this order. What suits the person comes first: a product that they know, or no product named; who has no
skill on record suits everything. Then the nearest deadline. A request without a running clock (a logged call, a package
that promises no resolution) counts as due one working day after its receipt, so that it never sinks below what comes
in later with a clock. Among equals the older one.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import BooleanField, Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.at_once import Given
from accounts.models import User
from contracts.terms import WORKING_DAY
from sla import words
from tickets import routing
from tickets.models import Skill, State, TicketQuerySet

WITHOUT_CLOCK = WORKING_DAY  # nine working hours after the receipt
LOOKED_AT = 40  # so many at once: two who take at the same moment go on to the next of them
SHOWN_OF = 6  # of so many the one is chosen that a page shows as the next: equal deadlines are few


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

    def why(self, *, at: datetime, zone: tzinfo = words.MOSCOW) -> str:
        """In words, why this one."""
        one = self.waiting
        moment = words.moment(self.counts_by, zone, at, "short")
        if one.due_at is None:
            said = [_("no clock runs; it counts as due one working day after its receipt: %(moment)s")]
        elif one.due_at < at:
            said = [_("overdue since %(moment)s")]
        else:
            said = [_("the nearest deadline: %(promise)s by %(moment)s")]
        if one.own:
            said.append(_("assigned to you"))
        if one.product and one.suits:
            said.append(_("you know “%(product)s”"))
        elif one.product:
            said.append(_("nothing that you know better waits"))
        promise = words.promise(one.kind).lower() if one.kind else ""
        return "; ".join(said) % {"moment": moment, "promise": promise, "product": one.product}


def rank(waiting: Iterable[Waiting], working_day_after: Callable[[datetime], datetime]) -> list[Urgent]:
    """The most urgent first. Pure; the same requests in any order give the same ranking."""
    found = [Urgent(one, one.due_at or working_day_after(one.opened_at)) for one in waiting]
    return sorted(found, key=lambda one: (not one.waiting.suits, one.counts_by, one.waiting.opened_at, one.waiting.pk))


# The heads of what waits, of each line, and what is assigned to the person: what is ranked first lies among these.
# Of a line the nearest deadlines, whatever the product; of who has skills, beside them the nearest that suit. The order
# is that of the index also where there is no deadline, and the keys are a list of rows and not `= ANY (…)`: otherwise
# all that is open, or all that waits on a line, may be gone through for it.
HEADS = """
tickets_ticket.id IN (SELECT unnest(ARRAY(SELECT head.id FROM accounts_line line CROSS JOIN LATERAL (
        (SELECT t.id FROM tickets_ticket t WHERE t.line_id = line.number AND {waits} AND t.due_at IS NOT NULL
            ORDER BY t.due_at, t.id LIMIT %(n)s)
        UNION ALL (SELECT t.id FROM tickets_ticket t WHERE t.line_id = line.number AND {waits} AND t.due_at IS NULL
            ORDER BY t.due_at, t.id LIMIT %(n)s)
        UNION ALL (SELECT t.id FROM tickets_ticket t WHERE t.line_id = line.number AND {waits} AND t.due_at IS NOT NULL
            AND {suits} ORDER BY t.due_at, t.id LIMIT %(n)s)
        UNION ALL (SELECT t.id FROM tickets_ticket t WHERE t.line_id = line.number AND {waits} AND t.due_at IS NULL
            AND {suits} ORDER BY t.due_at, t.id LIMIT %(n)s)
    ) head WHERE %(lines)s
    UNION ALL SELECT t.id FROM tickets_ticket t WHERE t.assignee_id = %(me)s AND t.state = 'new')))
""".format(
    waits="t.assignee_id IS NULL AND t.state IN ('new', 'in_progress')",
    suits="EXISTS (SELECT FROM tickets_skill WHERE user_id = %(me)s) AND (t.product_id IS NULL"
    " OR t.product_id IN (SELECT product_id FROM tickets_skill WHERE user_id = %(me)s))",
)


def heads(among: TicketQuerySet, lines: Sequence[int], me: int | Given, many: int = LOOKED_AT) -> TicketQuerySet:
    """Of all that is open on these lines (none: on all) only what can be among the first `many`; `ticket_to_take`,
    `ticket_given` are read no further.

    Not for tickets that are chosen by anything but their line: what is first among those may lie deep in the line.
    """
    on_lines = f"line.number IN ({', '.join(map(str, map(int, lines)))})" if lines else "true"
    sql = HEADS % {"n": many, "me": "%s", "lines": on_lines}
    return among.filter(RawSQL(sql, [me] * sql.count("%s"), output_field=BooleanField()))


def most_urgent(among: TicketQuerySet, user: User) -> list[Urgent]:
    """What waits for somebody in these tickets, ranked for this person; one statement, and the working days if needed.

    `ticket_to_take` is its index.
    """
    return ranked(columns_to_rank(among, user.pk))


def ranked(rows: Iterable[tuple[Any, ...]]) -> list[Urgent]:
    """The ranking of what `columns_to_rank` finds."""
    waiting = [
        Waiting(pk, number, opened, due, kind, suits, product or "", assignee is not None)
        for pk, number, opened, due, kind, suits, product, assignee in rows
    ]
    return rank(waiting, _working_day_after)


def columns_to_rank(among: TicketQuerySet, me: int | Given, many: int = LOOKED_AT) -> Any:
    """A `values_list` of what waits for a person at hand, or for one that is given when it is run."""
    known = Skill.objects.filter(user=me)
    return (
        among.filter(is_waiting(me))
        .alias(any_skill=Exists(known), this_skill=Exists(known.filter(product=OuterRef("product"))))
        .annotate(
            suits=Case(
                When(Q(product__isnull=True) | Q(any_skill=False) | Q(this_skill=True), then=Value(True)),
                default=Value(False),
                output_field=BooleanField(),
            )
        )
        # Nine working hours after the receipt are never earlier than nine hours: nothing nearer is left out.
        .order_by("-suits", Coalesce("due_at", F("opened_at") + WITHOUT_CLOCK), "opened_at", "pk")
        .values_list("pk", "number", "opened_at", "due_at", "due_kind", "suits", "product__name", "assignee")[:many]
    )


def _working_day_after(opened_at: datetime) -> datetime:
    return routing.working_days_after(opened_at, 1)


def is_waiting(me: int | Given) -> Q:
    """What may still be taken: looked at again under the lock."""
    nobody = Q(assignee__isnull=True, state__in=[State.NEW, State.IN_PROGRESS])
    return nobody | Q(assignee=me, state=State.NEW)
