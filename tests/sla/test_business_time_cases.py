"""Every case collected from the peers' own suites and from the slow minute stepper, to the second.

The cases lie beside the project (`../shared/cases`); without them these tests are skipped and say so.
"""

import json
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from sla.business_time import WorkingCalendar

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the collected cases (../shared/cases) are not here")


def clock(text: str) -> time:
    return time(0, 0) if text.startswith("24:") else time.fromisoformat(text)


def pairs(listed: list) -> list[tuple[time, time]]:
    return [(clock(start), clock(end)) for start, end in listed]


def less(hours: list, breaks: list) -> list:
    """The hours of one day with its breaks cut out, as "HH:MM" pairs."""
    for pause_start, pause_end in breaks:
        hours = [
            piece
            for start, end in hours
            for piece in ([start, min(end, pause_start)], [max(start, pause_end), end])
            if piece[0] < piece[1]
        ]
    return hours


def calendar_of(described: dict) -> WorkingCalendar:
    hours, overrides = described["hours"], dict(described.get("overrides", {}))
    for on, breaks in described.get("breaks", {}).items():
        weekday = DAYS[date.fromisoformat(on).weekday()]
        overrides[on] = less(overrides.get(on, hours.get(weekday, [])), breaks)
    return WorkingCalendar(
        described["timezone"],
        {DAYS.index(day): pairs(listed) for day, listed in hours.items()},
        holidays=[date.fromisoformat(on) for on in described.get("holidays", [])],
        overrides={date.fromisoformat(on): pairs(listed) for on, listed in overrides.items()},
    )


def moments(pauses: list) -> list[tuple[datetime, datetime]]:
    return [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in pauses]


def disagreements(name: str) -> tuple[int, list[str]]:
    wrong, count = [], 0
    for line in (CASES / name).read_text(encoding="utf-8").splitlines():
        case, count = json.loads(line), count + 1
        calendar, start = calendar_of(case["calendar"]), datetime.fromisoformat(case["start"])
        pauses = moments(case.get("pauses", []))
        if case["op"] == "add":
            amount, expected = timedelta(seconds=case["seconds"]), datetime.fromisoformat(case["expected"])
            answers = [calendar.add_with_pauses(start, amount, pauses)]
            answers += [] if pauses else [calendar.add(start, amount), calendar.add(start, amount)]
            steps = calendar.explain(start, amount, pauses)
            answers += [steps[-1].ends_at] if steps else []
        else:
            end, expected = datetime.fromisoformat(case["end"]), timedelta(seconds=case["expected_seconds"])
            answers = [calendar.between_with_pauses(start, end, pauses)]
            answers += [] if pauses else [calendar.between(start, end)]
        wrong += [f"{case['id']}: expected {expected}, got {answer}" for answer in answers if answer != expected]
    return count, wrong


def test_every_case_of_the_peers_comes_out_to_the_second():
    count, wrong = disagreements("sla_cases.jsonl")

    assert wrong == []
    assert count >= 456


def test_every_generated_case_comes_out_to_the_second():
    count, wrong = disagreements("sla_generated.jsonl")

    assert wrong == []
    assert count >= 281
