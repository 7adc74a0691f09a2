"""What working-time arithmetic costs: `python bench/business_time.py` prints JSON (microseconds and milliseconds).

Each figure is the best of several runs over starts spread across a year, aware datetimes in and out. With
`BENCH_PEERS=/path/to/python`, a Python that has `businesstimedelta` and `business-duration` installed (a throw-away
environment: they are no dependencies), the same 20 working days are asked of them in the same run.
"""

import json
import os
import subprocess
import sys
import timeit
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sla.business_time import WorkingCalendar
from sla.ladder import Step, rung_of

NINE_TO_SIX = [(time(9), time(18))]
HOLIDAYS = [date(year, month, day) for year in range(2015, 2036) for month, day in ((1, 1), (1, 2), (5, 1), (6, 12))]
STARTS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=7 * i, seconds=i) for i in range(1_000)]
RUNS = 5


def working_days() -> WorkingCalendar:
    """Mon-Fri 9:00-18:00 Moscow time with holidays, the calendar of domain §1.5."""
    return WorkingCalendar("Europe/Moscow", dict.fromkeys(range(5), NINE_TO_SIX), holidays=HOLIDAYS)


def microseconds(question) -> float:
    """Best time of one call of `question(start)` over all starts."""

    def every_start():
        for start in STARTS:
            question(start)

    every_start()
    return round(min(timeit.repeat(every_start, number=1, repeat=RUNS)) / len(STARTS) * 1e6, 2)


def build(calendar_of) -> float:
    """Best time to lay out 16 years, in milliseconds."""
    return round(min(timeit.repeat(lambda: calendar_of().prepare(2020, 2035), number=1, repeat=RUNS)) * 1e3, 1)


def berlin_split() -> WorkingCalendar:
    """A heavier calendar: two shifts a day and daylight saving time."""
    shifts = [(time(8), time(12)), (time(13), time(17, 30))]
    return WorkingCalendar("Europe/Berlin", dict.fromkeys(range(7), shifts), holidays=HOLIDAYS)


OPEN_COMMITMENTS = 60_000
LADDER = [Step(percent, "csm") for percent in (50, 75, 90, 100, 100, 125)]  # of a resolution (domain §4.4)
PERCENTS = {100, *(step.percent for step in LADDER)}  # as `sla.clocks.lay_out` counts them, each once


def redate(calendar: WorkingCalendar) -> float:
    """Seconds to date 60,000 open commitments again: deadline and six rungs each, every tenth with two pauses."""
    target = 10 * timedelta(hours=9)
    rows = []
    for number in range(OPEN_COMMITMENTS):
        start = STARTS[number % len(STARTS)] + timedelta(seconds=number)
        waits = [(start + timedelta(hours=h), start + timedelta(hours=h + 5)) for h in (20, 60)]
        rows.append((start, waits if number % 10 == 0 else []))

    def every_row() -> None:
        for start, pauses in rows:
            amounts = [target * percent / 100 for percent in PERCENTS]
            moments = dict(zip(PERCENTS, calendar.add_each(start, amounts, pauses), strict=True))
            for step in LADDER:
                rung_of(step, moments[step.percent])

    return round(min(timeit.repeat(every_row, number=1, repeat=3)), 2)


# Runs in the peers' own environment: prints µs per question, and what it came to for one start.
PEERS = """
import datetime as d, json, sys, timeit
holidays = [d.date.fromisoformat(day) for day in json.load(sys.stdin)]
starts = [d.datetime(2026, 1, 5, 9) + d.timedelta(hours=7 * i) for i in range(20)]
found = {}
def measure(question):
    question(starts[0])
    return round(min(timeit.repeat(lambda: [question(s) for s in starts], number=1, repeat=3)) / len(starts) * 1e6, 1)
try:
    import businesstimedelta as b
    free = {day: "off" for day in holidays}
    work = b.WorkDayRule(start_time=d.time(9), end_time=d.time(18), working_days=[0, 1, 2, 3, 4])
    rules = b.Rules([work, b.HolidayRule(free)])
    hours = b.BusinessTimeDelta(rules, hours=180)
    found["businesstimedelta_add_20_working_days_us"] = measure(lambda s: s + hours)
except Exception as error:
    found["businesstimedelta_add_20_working_days_us"] = None
    found["businesstimedelta_why"] = repr(error)[:200]
try:
    from business_duration import businessDuration
    free = {day: "off" for day in holidays}
    month = d.timedelta(days=30)
    found["business_duration_between_one_month_us"] = measure(
        lambda s: businessDuration(
            s, s + month, d.time(9), d.time(18), weekendlist=[5, 6], holidaylist=free, unit="min"))
except Exception as error:
    found["business_duration_between_one_month_us"] = None
    found["business_duration_why"] = repr(error)[:200]
print(json.dumps(found))
"""


def peers() -> dict:
    """The peers' figures; null with the reason where they are not to be had."""
    python = os.environ.get("BENCH_PEERS", "")
    if not python:
        why = "set BENCH_PEERS to a Python that has businesstimedelta and business-duration"
        return {
            "businesstimedelta_add_20_working_days_us": None,
            "business_duration_between_one_month_us": None,
            "peers_why": why,
        }
    days = json.dumps([day.isoformat() for day in HOLIDAYS])
    ran = subprocess.run([python, "-c", PEERS], input=days, capture_output=True, text=True, timeout=300, check=False)
    return json.loads(ran.stdout) if ran.returncode == 0 else {"peers_why": ran.stderr[-300:]}


def main() -> None:
    calendar = working_days()
    calendar.prepare(2020, 2035)
    two_hours, twenty_days, two_years = timedelta(hours=2), 20 * timedelta(hours=9), 494 * timedelta(hours=9)
    pause, month = timedelta(hours=30), timedelta(days=30)
    figures = {
        "add_2_hours_us": microseconds(lambda start: calendar.add(start, two_hours)),
        "add_20_working_days_us": microseconds(lambda start: calendar.add(start, twenty_days)),
        "add_2_years_us": microseconds(lambda start: calendar.add(start, two_years)),
        "add_20_working_days_one_pause_us": microseconds(
            lambda start: calendar.add_with_pauses(start, twenty_days, [(start + pause, start + 2 * pause)])
        ),
        "between_one_month_us": microseconds(lambda start: calendar.between(start, start + month)),
        "is_open_us": microseconds(calendar.is_open),
        "explain_20_working_days_us": microseconds(lambda start: calendar.explain(start, twenty_days)),
        "build_16_years_ms": build(working_days),
        "build_16_years_two_shifts_daylight_saving_ms": build(berlin_split),
        "redate_60000_open_commitments_seconds": redate(calendar),
        **peers(),
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
