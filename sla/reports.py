"""Promises kept, by package, priority, line and week. Attainment = met / (met + missed) over clocks that ended or were
missed in the period; still running ones are not counted. Individually agreed deadlines are counted apart from the
guaranteed ones (domain §4.2, §4.6). Periods are half-open [since, until), UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, Count, F, Q, QuerySet, When
from django.db.models.functions import TruncWeek
from django.utils import timezone

from contracts.models import PromiseKind
from sla.models import Commitment

GOAL = 95  # percent; below it a figure is underlined (direction §8)
FEW = 20  # fewer than so many say little, and are shown so (direction §8)


@dataclass(frozen=True)
class Attainment:
    """How many promises were kept and missed."""

    met: int = 0
    missed: int = 0

    @property
    def counted(self) -> int:
        return self.met + self.missed

    @property
    def percent(self) -> int | None:
        """Rounded down, so that a single miss never shows as 100; None where nothing ended."""
        return self.met * 100 // self.counted if self.counted else None

    @property
    def is_few(self) -> bool:
        return self.counted < FEW

    @property
    def is_below(self) -> bool:
        return self.percent is not None and self.percent < GOAL


def ended(since: datetime, until: datetime, *, agreed: bool = False) -> QuerySet[Commitment]:
    """Promises to customers that were met, or fell due unmet, in the period: the guaranteed ones, or the agreed.

    A guaranteed deadline that was missed before another one was agreed is counted as missed (domain §4.2).
    """
    return Commitment.objects.filter(kind__in=[PromiseKind.REACTION, PromiseKind.RESOLUTION], agreed=agreed).filter(
        Q(ending="met", stopped_at__gte=since, stopped_at__lt=until)
        | Q(ending="missed", due_at__gte=since, due_at__lt=until)
    )


MET = Count("pk", filter=Q(ending="met"))
MISSED = Count("pk", filter=Q(ending="missed"))


def by_package_and_priority(since: datetime, until: datetime) -> dict[tuple[str, int], Attainment]:
    """Keyed by (code of the package, priority)."""
    rows = (
        ended(since, until)
        .values(code=F("ticket__terms__package__code"), of=F("priority"))
        .annotate(met=MET, missed=MISSED)
    )
    return {(row["code"], row["of"]): Attainment(row["met"], row["missed"]) for row in rows}


def agreed(since: datetime, until: datetime) -> Attainment:
    """How many individually agreed deadlines were kept and missed in the period."""
    return Attainment(**ended(since, until, agreed=True).aggregate(met=MET, missed=MISSED))


def mondays(until: datetime, weeks: int) -> list[datetime]:
    """The beginnings of so many weeks in the active zone, oldest first; `until` lies in the last of them."""
    today = timezone.localtime(until).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=today.weekday(), weeks=back) for back in reversed(range(weeks))]


def by_line_and_week(until: datetime, weeks: int) -> dict[int, list[Attainment]]:
    """For each line the `mondays` up to now, oldest first; keyed by the line's number.

    The last week is counted as far as it has come; a week in which nothing ended is empty.
    """
    begins = mondays(until, weeks)
    rows = (
        ended(begins[0], until)
        .annotate(week=TruncWeek(Case(When(ending="met", then=F("stopped_at")), default=F("due_at"))))
        .values("week", of=F("ticket__line"))
        .annotate(met=MET, missed=MISSED)
        .order_by("week")
    )
    found: dict[int, dict[datetime, Attainment]] = {}
    for row in rows:
        found.setdefault(row["of"], {})[row["week"]] = Attainment(row["met"], row["missed"])
    return {line: [weeks_of.get(monday, Attainment()) for monday in begins] for line, weeks_of in found.items()}
