"""What working-time arithmetic costs: `python bench/business_time.py` prints JSON (microseconds and milliseconds).

Each figure is the best of several runs over starts spread across a year, aware datetimes in and out.
"""

import json
import sys
import timeit
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sla.business_time import WorkingCalendar

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
    }
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
