"""The ledgers of the board (tickets/models/tally.py) read and put together.

What is read is the sum of the days of the period: by the lines, packages and priorities that there are, however many
requests they stand for.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from sla.reports import Attainment
from sla.words import MOSCOW

DAYS = 30  # of the matrix and of the ratings, besides today

# Both views of one look at the ledger: by line and week, and by package and priority of the last thirty days.
KEPT = """
SELECT grouping(line_id), week, line_id, package_id, priority, agreed, sum(met), sum(missed),
    coalesce(sum(met) FILTER (WHERE lately), 0), coalesce(sum(missed) FILTER (WHERE lately), 0)
FROM (SELECT *, date_trunc('week', day::timestamp)::date AS week, day >= %(month)s AS lately
    FROM tickets_promisetally WHERE day >= %(since)s AND day <= %(today)s) steps
GROUP BY GROUPING SETS ((week, line_id, agreed), (package_id, priority, agreed))
"""

RATED = "SELECT coalesce(sum(ratings), 0), coalesce(sum(score), 0) FROM tickets_ratingtally WHERE day >= %s"

# The steps of each day that lie there apart become one for each key; what cancels out goes.
FOLD = """
WITH gone AS (DELETE FROM tickets_promisetally WHERE day IN
        (SELECT day FROM tickets_promisetally GROUP BY day, line_id, package_id, priority, agreed HAVING count(*) > 1)
    RETURNING *)
INSERT INTO tickets_promisetally (day, line_id, package_id, priority, agreed, met, missed)
SELECT day, line_id, package_id, priority, agreed, sum(met), sum(missed) FROM gone GROUP BY 1, 2, 3, 4, 5
HAVING sum(met) <> 0 OR sum(missed) <> 0
"""
FOLD_RATINGS = """
WITH gone AS (DELETE FROM tickets_ratingtally WHERE day IN
        (SELECT day FROM tickets_ratingtally GROUP BY day HAVING count(*) > 1) RETURNING *)
INSERT INTO tickets_ratingtally (day, ratings, score)
SELECT day, sum(ratings), sum(score) FROM gone GROUP BY 1 HAVING sum(ratings) <> 0 OR sum(score) <> 0
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Promises kept: by (package, priority) and the agreed ones since thirty days, by line for each Monday."""

    by_package: dict[tuple[int, int], Attainment]
    agreed: Attainment
    by_line: dict[int, dict[date, Attainment]]


def first_day(now: datetime) -> date:
    """The first of the thirty days before today, in Moscow."""
    return now.astimezone(MOSCOW).date() - timedelta(days=DAYS)


def kept(now: datetime, mondays: list[date]) -> Kept:
    """One statement. `mondays` are the first days of the weeks, oldest first."""
    today, month = now.astimezone(MOSCOW).date(), first_day(now)
    with connection.cursor() as cursor:
        cursor.execute(KEPT, {"month": month, "since": min(month, mondays[0]), "today": today})
        rows = cursor.fetchall()
    by_package: dict[tuple[int, int], Attainment] = {}
    by_line: dict[int, dict[date, Attainment]] = {}
    agreed = Attainment()
    for of_package, week, line, package, priority, is_agreed, met, missed, met_lately, missed_lately in rows:
        if not of_package:
            if not is_agreed and met + missed:
                by_line.setdefault(line, {})[week] = Attainment(met, missed)
        elif is_agreed:
            agreed = Attainment(agreed.met + met_lately, agreed.missed + missed_lately)
        elif met_lately + missed_lately:
            by_package[package, priority] = Attainment(met_lately, missed_lately)
    return Kept(by_package, agreed, by_line)


def rated(now: datetime) -> tuple[int, int]:
    """(ratings, the sum of their scores) since thirty days. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(RATED, [first_day(now)])
        ratings, score = cursor.fetchone()
    return ratings, score


def fold() -> None:
    """Puts the steps of a day together. Safe while others write, and twice at once: each step is taken by one."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FOLD)
        cursor.execute(FOLD_RATINGS)
