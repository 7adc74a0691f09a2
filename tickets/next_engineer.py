"""Who is next on a line for a ticket, from the database: the roster, and each person's skill, load and history.

Three statements whatever the number of people: the roster, the people with everything counted beside them, and the
names of those who are stood in for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, Subquery, Sum, TextField, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from accounts import roster
from accounts.models import User
from accounts.planning import WORKS_SHIFTS
from accounts.roster import Roster, Span
from sla import words
from tickets import choosing
from tickets.choosing import Candidate, Load, Ranked
from tickets.models import OPEN_STATES, Event, Skill, State, Ticket

KNOWN_FOR = timedelta(days=180)  # what somebody solved before that, they do not remember


@dataclass(frozen=True)
class Next:
    """The ranking of a ticket's line at a moment, best first; who comes next where nobody is there."""

    ranking: list[Ranked]
    product: str
    comes: Span | None
    comes_name: str
    line: int
    at: datetime

    @property
    def best(self) -> Ranked | None:
        return self.ranking[0] if self.ranking else None

    def facts(self) -> list[dict[str, Any]]:
        return [choosing.facts(one, self.product) for one in self.ranking]

    @property
    def nobody(self) -> str:
        """“Nobody is on line 3 until Mon 9:00, then O. Zueva”; "" while somebody is there."""
        return "" if self.ranking else nobody_words(self.line, self.comes, self.comes_name, self.at)


def nobody_words(line: int, comes: Span | None, name: str, at: datetime) -> str:
    """In a sentence that nobody is on the line now, and when somebody comes."""
    if comes is None:
        return _("Nobody is on line %(n)d, and no shift is planned for five weeks.") % {"n": line}
    moment = words.moment(comes.starts_at, words.MOSCOW, at, "short")
    return _("Nobody is on line %(n)d until %(moment)s, then %(name)s comes.") % {
        "n": line,
        "moment": moment,
        "name": name,
    }


def who_is_next(ticket: Ticket, *, at: datetime, but: Iterable[int] = ()) -> Next:
    """The ranking for this ticket's line as it is now; `but` are people who are not asked (who handed it over)."""
    found = roster.read_at(at)
    product = ticket.product
    there = {span.person: span for span in found.at(at, ticket.line_id)}
    candidates = _candidates(ticket, found, there, at=at, but=set(but))
    comes = None if there else found.comes_next(ticket.line_id, at)
    name = ""
    if comes is not None:
        name = User.objects.get(pk=comes.person).short_name
    return Next(choosing.rank(candidates), product.name if product else "", comes, name, ticket.line_id, at)


def _candidates(
    ticket: Ticket, found: Roster, there: dict[int, Span], *, at: datetime, but: set[int]
) -> list[Candidate]:
    away = found.away(at)
    people = with_load(User.objects.filter(pk__in=there.keys() - but, is_active=True, role__in=WORKS_SHIFTS), at)
    own = Event.objects.filter(ticket=ticket.pk, by=OuterRef("pk"))
    solved = (
        Ticket.objects.filter(
            assignee=OuterRef("pk"), customer=ticket.customer_id, resolved_at__gte=at - KNOWN_FOR, resolved_at__lte=at
        )
        .order_by()
        .values("assignee")
        .annotate(n=Count("pk"))
        .values("n")
    )
    skill = Skill.objects.filter(user=OuterRef("pk"), product=ticket.product_id).values("level")
    last = (
        Event.objects.alias(to=KeyTextTransform("assignee", "details"))
        .filter(verb="assigned", to=Cast(OuterRef("pk"), TextField()))
        .order_by("-at")
        .values("at")[:1]
    )
    people = people.annotate(
        worked_on_it=Exists(own),
        of_customer=Coalesce(Subquery(solved), 0),
        skill=Coalesce(Subquery(skill), 0),
        last_assigned_at=Subquery(last),
    )
    names = _names(span.instead_of for span in there.values())
    return [
        Candidate(
            person=one.pk,
            name=one.short_name,
            until=there[one.pk].ends_at,
            away=one.pk in away,
            instead_of=names.get(there[one.pk].instead_of or 0, ""),
            skill=one.skill,
            load=load_of(one),
            worked_on_it=one.worked_on_it,
            of_customer=one.of_customer,
            last_assigned_at=one.last_assigned_at,
        )
        for one in people
    ]


def _names(people: Iterable[int | None]) -> dict[int, str]:
    wanted = {one for one in people if one is not None}
    return {one.pk: one.short_name for one in User.objects.filter(pk__in=wanted)} if wanted else {}


def with_load(people: Any, at: datetime) -> Any:
    """The people with what they have open (n_open, n_late, n_waiting, weight), by `ticket_my_queue`."""
    late = Q(due_at__lt=at)
    near = Q(due_at__lt=at + choosing.NEAR_IS)
    weight = Case(
        When(state=State.AWAITING_CUSTOMER, then=Value(choosing.WAITING)),
        default=Case(
            *(When(priority=number, then=Value(weight)) for number, weight in choosing.BY_PRIORITY.items()),
            default=Value(choosing.BY_PRIORITY[4]),
        )
        + Case(When(late, then=Value(choosing.LATE)), When(near, then=Value(choosing.NEAR)), default=Value(0)),
        output_field=IntegerField(),
    )
    mine = Ticket.objects.filter(assignee=OuterRef("pk"), state__in=OPEN_STATES).order_by().values("assignee")

    def counted(what: Any) -> Any:
        return Coalesce(Subquery(mine.annotate(n=what).values("n"), output_field=IntegerField()), 0)

    return people.annotate(
        n_open=counted(Count("pk")),
        n_late=counted(Count("pk", filter=late & Q(clock_paused=False))),
        n_waiting=counted(Count("pk", filter=Q(state=State.AWAITING_CUSTOMER))),
        weight=counted(Sum(weight)),
    ).order_by("full_name", "pk")


def load_of(person: Any) -> Load:
    """The load of one of `with_load`."""
    return Load(person.n_open, person.n_late, person.n_waiting, person.weight)
