"""A choice of people of the desk: by their lines, and with a word about who is away and who stands in (domain §4.4)."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.absences import with_absence
from accounts.models import Line, User
from accounts.one_of import OneOf
from sla import words


class PersonField(OneOf):
    """A person of the desk; whoever is away now says until when, and who stands in."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(User.objects.none(), **kwargs)

    def offer(self, people: QuerySet[User]) -> None:
        """Those who may be chosen, by name; who is there comes before who is away."""
        there_first = F("away_until").asc(nulls_first=True)
        self.queryset = with_absence(people, timezone.now()).order_by(there_first, "full_name", "pk")

    def offer_by_line(self, people: QuerySet[User], first: Sequence[int]) -> None:
        """The same, each under a line of theirs: the lines `first`, then the others; nobody stands there twice."""
        self.offer(people)
        names = {line.pk: f"{line.pk}. {line.name}" for line in Line.objects.order_by("number")}
        order = [*(line for line in first if line in names), *(line for line in names if line not in first)]
        groups: dict[int | None, list[tuple[int, str]]] = {line: [] for line in [*order, None]}
        offered: Any = self.queryset
        for person in offered.prefetch_related("lines"):
            own = {line.pk for line in person.lines.all()}
            under = next((line for line in order if line in own), None)
            groups[under].append((person.pk, self.label_from_instance(person)))
        self.choices = [
            ("", self.empty_label or ""),
            *((names[line] if line else _("Of no line"), chosen) for line, chosen in groups.items() if chosen),
        ]

    def label_from_instance(self, obj: Any) -> str:
        until = getattr(obj, "away_until", None)
        if until is None:
            return str(obj.full_name)
        away = {"name": obj.full_name, "until": words.moment(until, words.MOSCOW, timezone.now(), "short")}
        if obj.stood_in_by:
            return _("%(name)s: away until %(until)s, %(other)s stands in") % {**away, "other": obj.stood_in_by}
        return _("%(name)s: away until %(until)s") % away
