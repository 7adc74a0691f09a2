"""Who plans shifts, and the verbs that do: the weekly pattern, an extra shift, a day off, a swap (domain §3.3, §7).

The lead of a line plans it, the support manager all of them. One person is in one place at a time: the verb looks at
the real days under a lock of the person, the database refuses what overlaps in spite of that.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import roster
from accounts.absences import FOR_ALL
from accounts.days import day_words
from accounts.models import Line, Role, User
from accounts.refusals import Forbidden, Refused
from accounts.roster import MOSCOW, ONE_DAY, Span
from accounts.shifts import DAY, DayOff, ExtraShift, Shift

WORKS_SHIFTS = frozenset({Role.ENGINEER, Role.LINE_LEAD})
LOOKED_AHEAD = timedelta(days=56)  # a pattern repeats each week: what overlaps does so within this time
LONGEST_AHEAD = timedelta(days=366)


def planned_by(user: User) -> list[int]:
    """The numbers of the lines whose shifts this person plans."""
    if user.role in FOR_ALL:
        return list(Line.objects.order_by("number").values_list("number", flat=True))
    return sorted(user.lines.values_list("number", flat=True)) if user.role == Role.LINE_LEAD else []


def people_of(lines: Iterable[int]) -> QuerySet[User]:
    """Who may be put on a shift of one of these lines, by name."""
    people = User.objects.filter(is_active=True, role__in=WORKS_SHIFTS, lines__in=list(lines))
    return people.distinct().order_by("full_name", "pk")


@transaction.atomic
def plan_shift(
    person: User,
    *,
    line: Line,
    weekdays: Sequence[int],
    starts: int,
    ends: int,
    since: date,
    until: date | None = None,
    by: User,
    at: datetime,
) -> list[Shift]:
    """The person works the line each week on these days (0 is Monday), minutes of the day [starts, ends) of Moscow.

    `ends` not after `starts` is of the next day: 22:00–08:00; 1440 is midnight. `since` and `until` are the first and
    the last day on which such a shift begins. Raises `Refused` where it overlaps another shift of this person.
    """
    _only_planner(line, by)
    _only_of_line(person, line)
    if not (0 <= starts < DAY and 0 < ends <= DAY) or (starts == ends % DAY == 0 and ends != DAY):
        raise Refused(_("Write the hours of a shift as 09:00–18:00."), "3.3")
    if not weekdays or not set(weekdays) <= set(range(7)):
        raise Refused(_("Choose the weekdays."), "3.3")
    if until is not None and until < since:
        raise Refused(_("The last day comes before the first."), "3.3")
    _lock(person)
    parts = [(starts, ends, 0)] if ends > starts else [(starts, DAY, 0), (0, ends, 1)]
    had = _real_spans(person, since, until)
    made: list[Shift] = []
    for weekday in sorted(set(weekdays)):
        evening: Shift | None = None
        for begins, stops, later in parts:
            row = Shift(
                user=person,
                line=line,
                weekday=(weekday + later) % 7,
                starts=begins,
                ends=stops,
                since=since + timedelta(days=later),
                until=None if until is None else until + timedelta(days=later),
                evening=evening,
            )
            _refuse_overlap(_spans_of([row], since, until), had, at)
            row.save()
            made.append(row)
            had += _spans_of([row], since, until)
            evening = row
    return made


@transaction.atomic
def end_shift(shift: Shift, *, last_day: date | None, by: User, at: datetime) -> None:
    """The pattern ends after this day; without a day, or before it ever began, it is gone. The morning goes with it."""
    row = Shift.objects.select_for_update(of=("self",)).select_related("line", "evening").filter(pk=shift.pk).first()
    if row is None:
        raise Refused(_("This shift is not planned any more."), "3.3")
    _only_planner(row.line, by)
    row = row.evening or row
    if last_day is None or last_day < row.since:
        row.delete()
        return
    row.until = last_day
    row.save(update_fields=["until"])
    Shift.objects.filter(evening=row).update(until=last_day + ONE_DAY)


@transaction.atomic
def add_extra(
    person: User, *, line: Line, starts_at: datetime, ends_at: datetime, reason: str = "", by: User, at: datetime
) -> ExtraShift:
    """One more shift, of one day. Raises `Refused` where the person works then already."""
    _only_planner(line, by)
    _only_of_line(person, line)
    if not starts_at < ends_at <= starts_at + ONE_DAY:
        raise Refused(_("A shift ends after it begins, and lasts a day at most."), "3.3")
    if ends_at <= at:
        raise Refused(_("This shift is over already."), "3.3")
    if starts_at > at + LONGEST_AHEAD:
        raise Refused(_("At most a year ahead."), "3.3")
    _lock(person)
    first = starts_at.astimezone(MOSCOW).date()
    _refuse_overlap([Span(starts_at, ends_at, line.pk, person.pk)], _real_spans(person, first, first + ONE_DAY), at)
    return ExtraShift.objects.create(
        user=person, line=line, starts_at=starts_at, ends_at=ends_at, reason=reason.strip()[:120]
    )


@transaction.atomic
def take_day_off(
    person: User, *, on: date, instead: User | None = None, reason: str = "", by: User, at: datetime
) -> DayOff:
    """The person does not work the shifts that begin on this day; `instead` works them, on the same lines and hours."""
    worked = [span for span in _pattern_spans(person, on, on) if span.starts_at.astimezone(MOSCOW).date() == on]
    if not worked:
        raise Refused(_("%(name)s has no shift on this day.") % {"name": person.full_name}, "3.3")
    lines = Line.objects.in_bulk({span.line for span in worked})
    for line in lines.values():
        _only_planner(line, by)
    if on < at.astimezone(MOSCOW).date():
        raise Refused(_("This day is over already."), "3.3")
    _lock(person, *([instead] if instead else []))
    if DayOff.objects.filter(user=person, on=on).exists():
        raise Refused(_("%(name)s has this day off already.") % {"name": person.full_name}, "3.3")
    off = DayOff.objects.create(user=person, on=on, reason=reason.strip()[:120])
    if instead is not None:
        if instead.pk == person.pk:
            raise Refused(_("Choose somebody else."), "3.3")
        _refuse_overlap(worked, _real_spans(instead, on, on + ONE_DAY), at)
        for span in worked:
            _only_of_line(instead, lines[span.line])
            ExtraShift.objects.create(
                user=instead, line=lines[span.line], starts_at=span.starts_at, ends_at=span.ends_at, instead_of=off
            )
    return off


@transaction.atomic
def undo_change(change: DayOff | ExtraShift, *, by: User, at: datetime) -> None:
    """A day off is worked after all (whoever stood in does not), an extra shift is not."""
    found = type(change).objects.select_for_update(of=("self",)).filter(pk=change.pk).first()
    if found is None:
        raise Refused(_("This shift is not planned any more."), "3.3")
    if isinstance(found, ExtraShift):
        if found.instead_of is not None:
            raise Refused(_("It is worked instead of a colleague: end the colleague's day off."), "3.3")
        _only_planner(found.line, by)
    else:
        for line in Line.objects.filter(shifts__user=found.user).distinct():
            _only_planner(line, by)
        _lock(found.user)
        worked = [span for span in _pattern_spans(found.user, found.on, found.on) if _begins(span) == found.on]
        found.delete()
        others = [span for span in _real_spans(found.user, found.on, found.on + ONE_DAY) if span not in worked]
        _refuse_overlap(worked, others, at)
        return
    found.delete()


def _only_planner(line: Line, by: User) -> None:
    if line.pk not in planned_by(by):
        raise Forbidden(_("Shifts are planned by the lead of the line and by the support manager."))


def _only_of_line(person: User, line: Line) -> None:
    if not people_of([line.pk]).filter(pk=person.pk).exists():
        raise Refused(_("%(name)s does not work on line %(n)d.") % {"name": person.full_name, "n": line.pk}, "3.3")


def _lock(*people: User) -> None:
    """In one order, so that two plans about the same people come one after the other."""
    list(User.objects.select_for_update(of=("self",)).filter(pk__in=[one.pk for one in people]).order_by("pk"))


def _begins(span: Span) -> date:
    return span.starts_at.astimezone(MOSCOW).date()


def _rows(person: User) -> list[Shift]:
    return list(Shift.objects.filter(user=person))


def _spans_of(
    rows: Iterable[Shift], since: date, until: date | None, *changes: roster.Off | roster.Extra
) -> list[Span]:
    """The shifts of these rows on the days from `since` to `until`, or for eight weeks."""
    last = min(until or date.max, since + LOOKED_AHEAD)
    weekly = [roster.weekly(row) for row in rows]
    since_at = datetime(since.year, since.month, since.day, tzinfo=MOSCOW)
    until_at = datetime(last.year, last.month, last.day, tzinfo=MOSCOW) + 2 * ONE_DAY
    return roster.spans(weekly, changes, [], since_at, until_at)


def _pattern_spans(person: User, since: date, until: date | None) -> list[Span]:
    return _spans_of(_rows(person), since, until)


def _real_spans(person: User, since: date, until: date | None) -> list[Span]:
    """What the person works then, with the changes of single days; absences do not count: they may end early."""
    off = [roster.Off(row.user_id, row.on) for row in DayOff.objects.filter(user=person)]
    extra = [
        roster.Extra(row.user_id, row.line_id, row.starts_at, row.ends_at)
        for row in ExtraShift.objects.filter(user=person)
    ]
    return _spans_of(_rows(person), since, until, *off, *extra)


def _refuse_overlap(wanted: Iterable[Span], had: Sequence[Span], at: datetime) -> None:
    for span in wanted:
        for other in had:
            if span.starts_at < other.ends_at and other.starts_at < span.ends_at and span.ends_at > at:
                raise Refused(
                    _("At that time this person is on line %(n)d already: %(day)s, %(from)s–%(to)s.")
                    % {
                        "n": other.line,
                        "day": day_words(_begins(other), at.astimezone(MOSCOW).date()),
                        "from": f"{other.starts_at.astimezone(MOSCOW):%H:%M}",
                        "to": f"{other.ends_at.astimezone(MOSCOW):%H:%M}",
                    },
                    "3.3",
                )
