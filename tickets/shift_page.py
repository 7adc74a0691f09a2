"""What /w/shift/ shows: who is on which line now, who comes, gaps, load of each person, the week (direction §4)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from accounts import roster
from accounts.models import Absence, Line, User
from accounts.planning import WORKS_SHIFTS
from accounts.roster import MOSCOW, ONE_DAY, Roster, Span
from sla import words
from sla.models import Calendar
from tickets.choosing import Load
from tickets.next_engineer import load_of, nobody_words, with_load
from tickets.routing import WORKING_DAYS


@dataclass(frozen=True)
class There:
    """A person on shift now, to when; `instead_of` is the name of who is stood in for."""

    person: User
    until: str
    instead_of: str
    load: Load


@dataclass(frozen=True)
class OnLine:
    """A line now: who is there, who comes next and when, and in a sentence where nobody is."""

    line: Line
    there: list[There]
    nobody: str
    comes: str
    gap: str
    edits: bool


def moment(at: datetime, now: datetime) -> str:
    return words.moment(at, MOSCOW, now, "short")


def people_with_load(now: datetime) -> dict[int, Any]:
    """Everybody who works shifts, with what they have open; one statement, and one for their lines."""
    people = with_load(User.objects.filter(is_active=True, role__in=WORKS_SHIFTS), now).prefetch_related("lines")
    return {one.pk: one for one in people}


def lines_now(
    lines: Iterable[Line], found: Roster, people: dict[int, Any], edits: set[int], now: datetime
) -> list[OnLine]:
    rows = []
    for line in lines:
        spans = [span for span in found.at(now, line.pk) if span.person in people]
        there = [
            There(
                people[one.person], moment(one.ends_at, now), _name(people, one.instead_of), load_of(people[one.person])
            )
            for one in sorted(spans, key=lambda one: (people[one.person].full_name, one.person))
        ]
        comes = found.comes_next(line.pk, now)
        name = _name(people, comes.person if comes else None)
        rows.append(
            OnLine(
                line,
                there,
                "" if there else nobody_words(line.pk, comes, name, now),
                _("%(name)s from %(moment)s") % {"name": name, "moment": moment(comes.starts_at, now)} if comes else "",
                _gap(found, line.pk, now) if there else "",
                line.pk in edits,
            )
        )
    return rows


def _name(people: dict[int, Any], person: int | None) -> str:
    return people[person].short_name if person in people else ""


def _gap(found: Roster, line: int, now: datetime) -> str:
    """The next time of nobody: “nobody from 18:00 until Mon 09:00”."""
    empty = roster.gaps(found.found, line, now, now + roster.HORIZON)
    if not empty:
        return ""
    since, until = empty[0]
    if until >= now + roster.HORIZON:
        return _("Nobody from %(since)s on.") % {"since": moment(since, now)}
    return _("Nobody from %(since)s until %(until)s.") % {"since": moment(since, now), "until": moment(until, now)}


# The week


@dataclass
class Day:
    """A day of the week view. `holiday`: no working day of the country; shifts stand as planned all the same."""

    on: date
    label: str
    holiday: bool
    today: bool


@dataclass(frozen=True)
class Absent:
    """A day on which somebody is away: which hours, "" for all of it, and who stands in, "" for nobody named."""

    hours: str
    stand_in: str


@dataclass
class PersonWeek:
    """A person's week: for each day the words of their shifts, with the line's number, and whether they are away."""

    person: User
    days: list[tuple[Day, list[tuple[int, str, str]], Absent | None]] = field(default_factory=list)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def week_days(monday: date, now: datetime) -> list[Day]:
    today = now.astimezone(MOSCOW).date()
    version = Calendar.objects.get(code=WORKING_DAYS).version_at(now)
    off = set(version.holidays)
    days = [monday + number * ONE_DAY for number in range(7)]
    return [
        Day(
            day,
            words.moment(datetime(day.year, day.month, day.day, 12, tzinfo=MOSCOW), MOSCOW, now, "day"),
            day.isoformat() in off,
            day == today,
        )
        for day in days
    ]


def week_of(
    days: list[Day], found: Roster, absences: Iterable[Absence], people: dict[int, Any], line: int | None
) -> list[PersonWeek]:
    """Everybody of the line (or of all): their shifts, each on the day on which it begins, and when they are away."""
    away: dict[int, list[Absence]] = defaultdict(list)
    for absence in absences:
        away[absence.user_id].append(absence)
    by_person: dict[int, dict[date, list[Span]]] = defaultdict(lambda: defaultdict(list))
    for span in found.found:
        if line in {None, span.line}:
            by_person[span.person][span.starts_at.astimezone(MOSCOW).date()].append(span)
    rows = []
    for pk, person in people.items():
        if line is None or pk in by_person or any(one.pk == line for one in person.lines.all()):
            row = PersonWeek(person)
            for day in days:
                shown = [(one.line, _hours(one), _name(people, one.instead_of)) for one in by_person[pk][day.on]]
                row.days.append((day, shown, _absent(away[pk], day.on)))
            rows.append(row)
    return rows


def _absent(absences: Iterable[Absence], on: date) -> Absent | None:
    """The absence of this day; two of one person never overlap, and of two in one day the first is named."""
    since = datetime(on.year, on.month, on.day, tzinfo=MOSCOW)
    until = since + ONE_DAY
    for one in absences:
        starts_at, ends_at = max(one.starts_at, since), min(one.ends_at, until)
        if starts_at < ends_at:
            hours = "" if (starts_at, ends_at) == (since, until) else _clocks(starts_at, ends_at)
            return Absent(hours, one.substitute.short_name if one.substitute else "")
    return None


def _hours(span: Span) -> str:
    return _clocks(span.starts_at, span.ends_at)


def _clocks(starts_at: datetime, ends_at: datetime) -> str:
    start, end = starts_at.astimezone(MOSCOW), ends_at.astimezone(MOSCOW)
    midnight = end.hour == end.minute == 0
    return f"{start:%H:%M}–{'24:00' if midnight and end.date() > start.date() else f'{end:%H:%M}'}"


def minutes_words(starts: int, ends: int) -> str:
    """“09:00–18:00” of minutes of the day."""
    return f"{starts // 60:02d}:{starts % 60:02d}–{ends // 60:02d}:{ends % 60:02d}"
