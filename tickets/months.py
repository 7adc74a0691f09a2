"""A finished month is frozen, once for each customer; what changes later becomes a row beside it (domain §4.6).

`close_months` and `check_months` are called by jobs and safe to run twice, late, or at once in many processes: the
customer's row (or the statement's) is locked, and the database holds one statement for a month. A batch of customers
costs the same statements whatever is in it. Months are Moscow's, from midnight to midnight (domain §1.3).

Attainment = met / (met + missed) over promises that ended or were missed in the month; those still running are listed
and not counted; agreed deadlines and resolutions that a restore ended are counted apart.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Role, User
from contracts.models import Contract, Customer
from sla.clocks import AGREED, CUSTOMER_PROMISES
from sla.models import Commitment
from sla.statements import MonthlyStatement, Outcome, StatementCorrection, StatementLine
from sla.words import MOSCOW
from tickets.models import Event, Rating

BATCH = 50  # customers at a time: their promises of a month are in memory together
MONTHS_BACK = 12  # what an installation that begins, or comes back, closes by itself
CLOSES = time(6, 0)  # on the first of the next month, Moscow: the sweep has seen the last deadlines by then
RATINGS_KEPT = 200

Reason = StatementLine.Reason
GUARANTEED, RESTORED, AGREED_APART = "guaranteed", "restored", "agreed"

# What takes a counted promise back, as the commitment has it, and the event that says when.
VERBS = {
    "reopened": "reopened",
    "restore contested": "restore_contested",
    "decline contested": "contested",
    "reclassified": "reclassified",
    "priority set by the customer": "priority_set",
}
ENDED_WITH_THE_REQUEST = frozenset({"closed", "declined", "withdrawn"})


# Months


def bounds(month: date) -> tuple[datetime, datetime]:
    """The month that begins on this day, half-open [since, until), of Moscow. Raises `ValueError` for another day."""
    if month.day != 1:
        raise ValueError(f"A month begins on its first day, not on {month}.")
    return (
        datetime.combine(month, time(0), MOSCOW),
        datetime.combine(following(month), time(0), MOSCOW),
    )


def following(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def closing(month: date) -> datetime:
    """When the month is closed: at 6:00 in Moscow on the first of the next."""
    return datetime.combine(following(month), CLOSES, MOSCOW)


def finished(at: datetime, count: int = MONTHS_BACK) -> list[date]:
    """The last months that may be closed at this moment, oldest first: each from the first of the next at 6:00."""
    month = before(at.astimezone(MOSCOW).date().replace(day=1))
    if at < closing(month):
        month = before(month)
    found = [month]
    while len(found) < count:
        found.append(before(found[-1]))
    return found[::-1]


# Closing


def close_months(*, at: datetime) -> int:
    """Closes every finished month of the last year that is not closed yet; returns how many statements it made."""
    made = 0
    for month in finished(at):
        while True:
            with transaction.atomic():
                taken = list(_unclosed(month).select_for_update(of=("self",), no_key=True, skip_locked=True)[:BATCH])
                closed = _close(taken, month, at=at)
            made += closed
            if len(taken) < BATCH or not closed:
                break
    return made


@transaction.atomic
def close_month(customer: Customer, month: date, *, at: datetime) -> MonthlyStatement:
    """The customer's statement of a month, closed now or long ago: the first closing counts.

    Raises `ValueError` where the month is not over at `at` (aware), or for a day that is not the first of a month.
    """
    if at < bounds(month)[1]:
        raise ValueError(f"{month:%Y-%m} is not over at {at.isoformat()}.")
    Customer.objects.select_for_update(of=("self",), no_key=True).get(pk=customer.pk)
    _close([customer], month, at=at)
    return MonthlyStatement.objects.get(customer=customer, month=month)


def _unclosed(month: date) -> QuerySet[Customer]:
    """Customers with a contract in the month, or a promise that ended in it, and no statement yet."""
    since, until = bounds(month)
    last = (until - timedelta(hours=1)).date()
    contracts = Contract.objects.filter(
        Q(terminated_on__isnull=True, ends_on__gte=month) | Q(terminated_on__gte=month),
        customer=OuterRef("pk"),
        signed_at__lt=until,
        starts_on__lte=last,
    )
    ended = Commitment.objects.filter(
        Q(ending="met", stopped_at__gte=since, stopped_at__lt=until)
        | Q(ending="missed", due_at__gte=since, due_at__lt=until),
        ticket__customer=OuterRef("pk"),
        kind__in=CUSTOMER_PROMISES,
    )
    closed = MonthlyStatement.objects.filter(customer=OuterRef("pk"), month=month)
    return Customer.objects.filter(~Exists(closed)).filter(Exists(contracts) | Exists(ended)).order_by("pk")


def _close(customers: Sequence[Customer], month: date, *, at: datetime) -> int:
    """Makes the statements of customers whose rows are locked; one that was closed meanwhile is left as it is."""
    done = set(
        MonthlyStatement.objects.filter(customer__in=customers, month=month).values_list("customer_id", flat=True)
    )
    taken = [customer for customer in customers if customer.pk not in done]
    if not taken:
        return 0
    since, until = bounds(month)
    lines = _lines(taken, since, until, at=at)
    ratings = _ratings(taken, since, until)
    statements = []
    for customer in taken:
        own = lines[customer.pk]
        figures = _figures(own, ratings[customer.pk])
        statements.append(
            MonthlyStatement(customer=customer, month=month, closed_at=at, figures=figures, sha256=digest(figures, own))
        )
    MonthlyStatement.objects.bulk_create(statements)
    for statement in statements:
        for line in lines[statement.customer_id]:
            line.statement = statement
    StatementLine.objects.bulk_create((line for own in lines.values() for line in own), batch_size=1000)
    return len(statements)


def _in_month(since: datetime, until: datetime) -> Q:
    """Promises that ended or were missed in the month; a late one that the sweep has not reached yet is missed too."""
    return (
        Q(ending="met", stopped_at__gte=since, stopped_at__lt=until)
        | Q(ending="missed", due_at__gte=since, due_at__lt=until)
        | Q(ending="", paused_at__isnull=True, due_at__gte=since, due_at__lt=until)
    )


def _promises(customers: Iterable[Customer | int]) -> QuerySet[Commitment]:
    return Commitment.objects.filter(ticket__customer__in=list(customers), kind__in=CUSTOMER_PROMISES)


def _lines(
    customers: Sequence[Customer], since: datetime, until: datetime, *, at: datetime
) -> dict[int, list[StatementLine]]:
    """The lines of each customer by primary key, in the order of a statement; unsaved and without their statement."""
    went_on = Q(started_at__lt=until) & (Q(stopped_at__isnull=True) | Q(stopped_at__gte=until))
    rows = (
        _promises(customers)
        .filter(_in_month(since, until) | (went_on & ~Q(ending="missed", due_at__lt=since)))
        .select_related("ticket", "calendar_version")
        .order_by("due_at", "pk")
    )
    found: dict[int, list[StatementLine]] = {customer.pk: [] for customer in customers}
    running: dict[tuple[int, str], StatementLine] = {}
    for row in rows:
        outcome = _outcome(row, since, until)
        if outcome == Outcome.RUNNING and _is_late(row, until):
            continue  # missed in a month before: it was counted there, and is no promise that still can be kept
        line = _line(row, outcome, until)
        if outcome == Outcome.RUNNING:
            # A clock that was counted anew after the month had ended stands twice in the records, and once here.
            other = running.get((row.ticket_id, row.kind))
            if other is None or other.commitment_id < row.pk:
                running[row.ticket_id, row.kind] = line
        else:
            found[row.ticket.customer_id].append(line)
    for line in running.values():
        found[line.commitment.ticket.customer_id].append(line)
    rank = {Outcome.MISSED: 0, Outcome.RUNNING: 1, Outcome.KEPT: 2}
    for own in found.values():
        own.sort(key=lambda line: (rank[Outcome(line.outcome)], line.due_at, line.commitment_id))
        for position, line in enumerate(own, start=1):
            line.position = position
    return found


def _is_late(row: Commitment, until: datetime) -> bool:
    return row.ending == Commitment.Ending.MISSED and row.due_at < until


def _outcome(row: Commitment, since: datetime, until: datetime) -> Outcome:
    if row.ending == Commitment.Ending.MET and row.stopped_at is not None and since <= row.stopped_at < until:
        return Outcome.KEPT
    is_late = row.ending == Commitment.Ending.MISSED or (row.ending == "" and row.paused_at is None)
    return Outcome.MISSED if is_late and since <= row.due_at < until else Outcome.RUNNING


def _line(row: Commitment, outcome: Outcome, until: datetime) -> StatementLine:
    reason, late = _reason(row, until) if outcome == Outcome.MISSED else (Reason.NONE, None)
    ended = row.stopped_at if outcome == Outcome.KEPT else row.met_late_at if outcome == Outcome.MISSED else None
    return StatementLine(
        commitment=row,
        number=row.ticket.number,
        subject=row.ticket.subject,
        language=row.ticket.language,
        kind=row.kind,
        priority=row.priority,
        amount=row.amount,
        unit=row.unit,
        started_at=row.started_at,
        due_at=row.due_at,
        ended_at=ended,
        outcome=outcome,
        reason=reason,
        late=late,
        round_the_clock=row.calendar_version.is_round_the_clock,
        agreed=row.agreed,
        restored=row.why == "restored",
    )


def _reason(row: Commitment, until: datetime) -> tuple[Reason, timedelta]:
    """Why a promise counts as missed, and by how much business time."""
    end = row.met_late_at or row.stopped_at or until
    late = row.calendar.between(row.due_at, max(end, row.due_at))
    if row.met_late_at is not None:
        return Reason.LATE, late
    if row.stopped_at is None:
        return Reason.NOT_YET, late
    if row.why == AGREED:
        return Reason.AGREED, late
    return (Reason.ENDED if row.why in ENDED_WITH_THE_REQUEST else Reason.REPLACED), late


def group_of(line: StatementLine) -> str:
    """Where a line is counted: guaranteed, ended by a restore, or individually agreed (domain §4.6)."""
    if line.agreed:
        return AGREED_APART
    return RESTORED if line.restored else GUARANTEED


def _ratings(customers: Sequence[Customer], since: datetime, until: datetime) -> dict[int, list[Rating]]:
    found: dict[int, list[Rating]] = defaultdict(list)
    rows = Rating.objects.filter(ticket__customer__in=customers, at__gte=since, at__lt=until)
    for rating in rows.select_related("ticket").order_by("at", "pk"):
        found[rating.ticket.customer_id].append(rating)
    return found


def _figures(lines: Iterable[StatementLine], ratings: Sequence[Rating]) -> dict[str, Any]:
    counted: dict[tuple[str, str, int], Counter[str]] = defaultdict(Counter)
    running = 0
    for line in lines:
        if line.outcome == Outcome.RUNNING:
            running += 1
        else:
            counted[group_of(line), line.kind, line.priority][line.outcome] += 1
    return {
        "counted": [
            {"group": group, "kind": kind, "priority": priority, "met": of["kept"], "missed": of["missed"]}
            for (group, kind, priority), of in sorted(counted.items())
        ],
        "running": running,
        "ratings": {
            "count": len(ratings),
            "sum": sum(rating.score for rating in ratings),
            "each": [
                {
                    "number": rating.ticket.number,
                    "subject": rating.ticket.subject,
                    "language": rating.ticket.language,
                    "score": rating.score,
                    "comment": rating.comment,
                }
                for rating in ratings[:RATINGS_KEPT]
            ],
        },
    }


SIGNED_FIELDS = (
    "position", "commitment_id", "number", "subject", "language", "kind", "priority", "amount", "unit", "started_at",
    "due_at", "ended_at", "outcome", "reason", "late", "round_the_clock", "agreed", "restored",
)  # fmt: skip


def digest(figures: dict[str, Any], lines: Iterable[StatementLine]) -> str:
    """SHA-256, in hexadecimal, of the figures and every line, as canonical JSON with moments in UTC."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat()
        return value.total_seconds() if isinstance(value, timedelta) else value

    rows = [[plain(getattr(line, name)) for name in SIGNED_FIELDS] for line in lines]
    body = json.dumps({"figures": figures, "lines": rows}, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(body.encode()).hexdigest()


def is_intact(statement: MonthlyStatement) -> bool:
    """Whether figures and lines are what the digest was made of."""
    return digest(statement.figures, statement.lines.order_by("position")) == statement.sha256


# What changes after the closing


def check_months(*, at: datetime) -> int:
    """Compares the closed months of the last year with the records as they are now; returns how many corrections.

    The figures stay as they were closed. A promise that became another thing since then (a reopening took a kept one
    back, a recount brought a missed one) is written down beside them, once.
    """
    written = 0
    for month in finished(at):
        last = 0
        while True:
            with transaction.atomic():
                rows = MonthlyStatement.objects.filter(month=month, pk__gt=last).order_by("pk")
                batch = list(rows.select_for_update(of=("self",), no_key=True)[:BATCH])
                if batch:
                    written += _check(batch, month, at=at)
                    last = batch[-1].pk
            if len(batch) < BATCH:
                break
    return written


def _check(statements: Sequence[MonthlyStatement], month: date, *, at: datetime) -> int:
    since, until = bounds(month)
    by_customer = {statement.customer_id: statement for statement in statements}
    lines = {
        line.commitment_id: line
        for line in StatementLine.objects.filter(statement__in=statements).select_related("statement")
    }
    known = {pk: line.outcome for pk, line in lines.items() if line.outcome != Outcome.RUNNING}
    for row in StatementCorrection.objects.filter(statement__in=statements, by__isnull=True).order_by("pk"):
        known[row.commitment_id] = row.after
    rows = {
        row.pk: row
        for row in _promises(by_customer).filter(_in_month(since, until)).select_related("ticket").order_by("pk")
    }
    now = {pk: _outcome(row, since, until) for pk, row in rows.items()}
    changed = [pk for pk in sorted({*known, *now}) if known.get(pk, Outcome.OUT) != now.get(pk, Outcome.OUT)]
    if not changed:
        return 0
    gone = Commitment.objects.select_related("ticket").in_bulk([pk for pk in changed if pk not in rows])
    causes = _causes([rows.get(pk) or gone[pk] for pk in changed], now, lines)
    corrections = []
    for pk in changed:
        commitment, line = rows.get(pk) or gone[pk], lines.get(pk)
        cause, happened = causes[pk]
        was = known.get(pk, line.outcome if line else Outcome.OUT)
        corrections.append(
            StatementCorrection(
                statement=by_customer[commitment.ticket.customer_id],
                line=line,
                commitment=commitment,
                number=commitment.ticket.number,
                before=was,
                after=now.get(pk, Outcome.OUT),
                cause=cause,
                happened_at=happened,
                at=at,
            )
        )
    StatementCorrection.objects.bulk_create(corrections)
    return len(corrections)


def _causes(
    changed: Sequence[Commitment], now: dict[int, Outcome], lines: dict[int, StatementLine]
) -> dict[int, tuple[str, datetime | None]]:
    """By what each promise changed, as the records have it, and when; ("", None) where they do not say."""
    tickets = {row.ticket_id for row in changed}
    family: dict[tuple[int, str], list[Commitment]] = defaultdict(list)
    for row in Commitment.objects.filter(ticket__in=tickets, kind__in=CUSTOMER_PROMISES).order_by("pk"):
        family[row.ticket_id, row.kind].append(row)
    events: dict[tuple[int, str], list[datetime]] = defaultdict(list)
    for ticket, verb, moment in (
        Event.objects.filter(ticket__in=tickets, verb__in=VERBS.values())
        .order_by("at", "pk")
        .values_list("ticket_id", "verb", "at")
    ):
        events[ticket, verb].append(moment)
    found: dict[int, tuple[str, datetime | None]] = {}
    for row in changed:
        # A promise that left says itself why; one that came took the place of the one before it.
        earlier = [other for other in family[row.ticket_id, row.kind] if other.pk < row.pk]
        told = row if row.pk not in now or not earlier else earlier[-1]
        line = lines.get(row.pk)
        after = line.ended_at if line is not None and line.ended_at is not None else told.started_at
        moments = [moment for moment in events[row.ticket_id, VERBS.get(told.why, "")] if moment >= after]
        found[row.pk] = (told.why, moments[0] if moments else told.stopped_at if told is not row else None)
    return found


def finals(statement: MonthlyStatement, corrections: Iterable[StatementCorrection]) -> Counter[str]:
    """How the corrections change the counts: outcome → more or fewer. The last word on each promise holds."""
    first: dict[int, str] = {}
    last: dict[int, str] = {}
    for row in corrections:
        first.setdefault(row.commitment_id, row.before)
        last[row.commitment_id] = row.after
    change: Counter[str] = Counter()
    for pk, was in first.items():
        change[was] -= 1
        change[last[pk]] += 1
    return change


# Who reads


def visible_to(user: User) -> QuerySet[MonthlyStatement]:
    """A customer's people their own company's, a CSM those of own customers, managers all (domain §7)."""
    rows = MonthlyStatement.objects.all()
    if user.role == Role.CUSTOMER:
        return rows.filter(customer__members__user=user)
    if user.role == Role.CSM:
        return rows.filter(customer__csm=user)
    return rows if user.role in {Role.SUPPORT_MANAGER, Role.TOP_MANAGEMENT} else rows.none()
