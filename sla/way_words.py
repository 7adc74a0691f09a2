"""The way to a deadline, step by step: what counted, what did not and why, in the reader's zone and language (§4.3)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from django.utils.translation import gettext as _

from sla import business_time, words
from sla.hours_words import days_off, working_day_of
from sla.models import CalendarVersion, Commitment

MANY_STEPS = 9  # a longer way to a deadline is told with its plain working days drawn together
AT_MOST = 24  # steps of the way, however often it stood: what lies in the middle is told in one


@dataclass(frozen=True, slots=True)
class Told:
    """One step: what it is, as values in UTC, and its sentence in the reader's language and zone.

    `kind` is "start", "counted", "closed" (a night), "weekend", "holiday", "paused", "days" (plain working days drawn
    together), "more" (a long middle drawn together) or "deadline". `counted` is business time.
    """

    kind: str
    words: str
    starts_at: datetime
    ends_at: datetime
    counted: timedelta = timedelta(0)
    dates: tuple[date, ...] = ()

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class _Reader:
    """For whom the steps are told, and what they need to be told."""

    zone: tzinfo
    now: datetime
    is_customer: bool
    working_day: timedelta | None
    version: CalendarVersion
    solved: set[datetime]  # when it was solved, before it was reopened


def way_told(
    commitment: Commitment, solved: set[datetime], *, zone: tzinfo, now: datetime, for_customer: bool
) -> tuple[tuple[Told, ...], datetime]:
    """Every step from the start to the deadline, and that deadline: while the clock stands, as if it went on now.

    `solved` is when the ticket was solved, before it was reopened.
    """
    way = _way(commitment, now)
    due = way[-1].ends_at if way else commitment.due_at
    version = commitment.calendar_version
    start, way = _start(commitment, way, zone, now)
    reader = _Reader(zone, now, for_customer, working_day_of(commitment), version, solved)
    told, so_far = [], timedelta(0)
    for step in _bounded(_drawn_together(way, version)):
        told.append(_step(step, reader, so_far))
        so_far += step.counted
    return (start, *told, _deadline(commitment, due, zone, now)), due


def _way(commitment: Commitment, now: datetime) -> list[business_time.Step]:
    pauses = [(pause.lower, pause.upper) for pause in commitment.pauses]
    if commitment.paused_at is not None and commitment.paused_at < now:
        pauses.append((commitment.paused_at, now))
    return commitment.calendar.explain(commitment.started_at, commitment.target, pauses)


def _start(
    commitment: Commitment, way: list[business_time.Step], zone: tzinfo, now: datetime
) -> tuple[Told, list[business_time.Step]]:
    """The first sentence, and the rest of the way: hours closed at the receipt belong to that sentence."""
    began = commitment.started_at
    shown = {"moment": date_told(began, zone, now)}
    at_receipt = commitment.ticket.opened_at == began
    if way and way[0].kind in {"closed", "holiday"}:
        opens, until = way[0].ends_at, {"opens": date_told(way[0].ends_at, zone, now)}
        told = (
            _("Received %(moment)s, outside service hours: counted from %(opens)s.")
            if at_receipt
            else _("Began %(moment)s, outside service hours: counted from %(opens)s.")
        )
        return Told("start", told % (shown | until), began, opens, dates=way[0].dates), way[1:]
    told = _("Received %(moment)s, counted from then on.") if at_receipt else _("Counted from %(moment)s.")
    return Told("start", told % shown, began, began), way


def _drawn_together(steps: Iterable[business_time.Step], version: CalendarVersion) -> list[business_time.Step]:
    """The way as told: plain days in a row become one step where it is long; pauses and holidays stay apart."""
    steps = [replace(step, kind="weekend") if _is_weekend(step, version) else step for step in steps]
    if len(steps) <= MANY_STEPS:
        return steps
    told: list[business_time.Step] = []
    for step in steps:
        before = told[-1] if told else None
        plain = step.kind in {"counted", "closed", "weekend"}
        if before is not None and plain and before.kind in {"counted", "closed", "weekend", "days"}:
            told[-1] = business_time.Step("days", before.starts_at, step.ends_at, before.counted + step.counted)
        else:
            told.append(step)
    return told


def _is_weekend(step: business_time.Step, version: CalendarVersion) -> bool:
    """Whether a closed stretch holds a whole day on which the week is never open."""
    if step.kind != "closed":
        return False
    first, last = step.starts_at.astimezone(version.zone), step.ends_at.astimezone(version.zone)
    day = first.date() if first.time() == datetime.min.time() else first.date() + timedelta(1)
    while day < last.date():
        if not version.weekly_hours.get(str(day.weekday())):
            return True
        day += timedelta(1)
    return False


def _bounded(steps: list[business_time.Step]) -> list[business_time.Step]:
    """However often it stood: the first and the last steps, and all between them in one."""
    if len(steps) <= AT_MOST:
        return steps
    half = AT_MOST // 2
    middle = steps[half:-half]
    counted = sum((step.counted for step in middle), timedelta(0))
    return [
        *steps[:half],
        business_time.Step("more", middle[0].starts_at, middle[-1].ends_at, counted),
        *steps[-half:],
    ]


def _step(step: business_time.Step, reader: _Reader, so_far: timedelta) -> Told:
    """`so_far` was counted before: minutes are told so that they add up, whatever the seconds are."""
    minutes = (so_far + step.counted) // words.MINUTE - so_far // words.MINUTE
    counted = minutes * words.MINUTE
    span = {
        "from": date_told(step.starts_at, reader.zone, reader.now),
        "to": date_told(step.ends_at, reader.zone, reader.now, step.starts_at),
        # To the minute: a reader adds the steps up.
        "counted": words.span_long(counted, reader.working_day, exact=True)
        if step.kind in {"days", "more"}
        else words.span_long(counted),
        "days": days_off(step.dates, reader.version, reader.now) if step.dates else "",
    }
    told = {
        "counted": _("%(from)s – %(to)s: counted %(counted)s."),
        "days": _("%(from)s – %(to)s: counted %(counted)s in working hours."),
        "more": _("%(from)s – %(to)s: it stood and went on several times, counted %(counted)s."),
        "paused": _paused(step, reader),
        "holiday": _("%(from)s – %(to)s: closed, days off among them: %(days)s."),
        "weekend": _("%(from)s – %(to)s: closed for the weekend."),
        "closed": _("%(from)s – %(to)s: closed."),
    }[step.kind]
    return Told(step.kind, told % span, step.starts_at, step.ends_at, step.counted, step.dates)


def _paused(step: business_time.Step, reader: _Reader) -> str:
    """Who waited for whom: for an answer, or, solved, for the customer's word that it is."""
    if step.starts_at in {at.replace(microsecond=0) for at in reader.solved}:
        if reader.is_customer:
            return _("%(from)s – %(to)s: the clock stood, it was solved and we waited for your word.")
        return _("%(from)s – %(to)s: the clock stood, it was solved and we waited for the customer's word.")
    if reader.is_customer:
        return _("%(from)s – %(to)s: the clock stood, we waited for your answer.")
    return _("%(from)s – %(to)s: the clock stood, we waited for the customer's answer.")


def _deadline(commitment: Commitment, due: datetime, zone: tzinfo, now: datetime) -> Told:
    shown = {"moment": words.both_zones(due, zone, now, "date")}
    if commitment.paused_at is not None:
        told = _("The clock stands; if it went on now, the deadline would be %(moment)s.") % shown
    else:
        told = _("The deadline: %(moment)s.") % shown
    return Told("deadline", told, due, due)


def date_told(at: datetime, zone: tzinfo, now: datetime, after: datetime | None = None) -> str:
    """A moment with its date; only the time when `after`, told just before, lies on the same date."""
    if after is not None and after.astimezone(zone).date() == at.astimezone(zone).date():
        return words.moment(at, zone, now, "time")
    return words.moment(at, zone, now, "date")
