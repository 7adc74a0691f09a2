"""The pure forecast: hours, load and pace, each with its reason; and what it never says."""

from datetime import datetime, time, timedelta

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from sla import forecast_words
from sla.business_time import WorkingCalendar
from sla.forecast import Forecast, LineNow, Reason, Running, Verdict, forecast
from sla.words import MOSCOW
from tests.moments import november, tuesday

OFFICE = WorkingCalendar("Europe/Moscow", {day: [(time(9), time(18))] for day in range(5)})
ALWAYS = WorkingCalendar("Europe/Moscow", {day: [(time(0), time(0))] for day in range(7)})
HOUR = timedelta(hours=1)
QUICK = [n / 40 for n in range(1, 41)]  # none of forty took longer than its target
SLOW = [0.1] * 20 + [1.5] * 20  # what is not done at once is late
HALF = [0.1] * 20 + [0.9] * 5 + [1.5] * 5


def clock(due: datetime, hours: float = 4, calendar: WorkingCalendar = ALWAYS, *, missed: bool = False) -> Running:
    return Running(due, HOUR * hours, calendar, missed=missed)


def line(**fields) -> LineNow:
    return LineNow(**{"hours": OFFICE, "people": 4, **fields})


CASES = [
    # what, clock, line, others, now → verdict, reason, expected
    ("past", clock(tuesday(10)), line(), [QUICK], tuesday(10, 0, 1), "missed", "past", None),
    ("missed before", clock(tuesday(10), missed=True), line(), [QUICK], tuesday(9), "missed", "past", None),
    ("at its own instant", clock(tuesday(10)), line(), [], tuesday(10), "at_risk", "nobody", tuesday(10)),
    ("night, planned", clock(tuesday(3)), line(planned=True), [], tuesday(1), "missed", "nobody", tuesday(9)),
    ("night, only usual", clock(tuesday(3)), line(), [], tuesday(1), "at_risk", "nobody", tuesday(9)),
    ("night, on call", clock(tuesday(3)), line(hours=ALWAYS), [], tuesday(1), "kept", "hours", tuesday(1)),
    (
        "all away until after it",
        clock(tuesday(12)),
        line(away=4, back_at=tuesday(14)),
        [],
        tuesday(10),
        "missed",
        "nobody",
        tuesday(14),
    ),
    (
        "all away, back before it",
        clock(tuesday(12)),
        line(away=4, back_at=tuesday(11)),
        [],
        tuesday(10),
        "kept",
        "hours",
        tuesday(11),
    ),
    ("nobody at all", clock(tuesday(12)), line(people=0), [], tuesday(10), "missed", "nobody", None),
    (
        "two days of work ahead",
        clock(tuesday(16)),
        line(ahead=20, best_day=10),
        [QUICK],
        tuesday(10),
        "missed",
        "ahead",
        november(19, 10),
    ),
    (
        "less ahead than in its best day",
        clock(tuesday(12)),
        line(ahead=9, best_day=10),
        [],
        tuesday(10),
        "kept",
        "hours",
        tuesday(10),
    ),
    (
        "half away make two days of one",
        clock(november(18, 18), hours=17, calendar=OFFICE),
        line(ahead=10, best_day=10, away=2),
        [],
        tuesday(10),
        "missed",
        "ahead",
        november(19, 10),
    ),
    (
        "its turn comes in the last quarter",
        clock(november(18, 11), hours=10, calendar=OFFICE),
        line(ahead=10, best_day=10),
        [QUICK],
        tuesday(10),
        "at_risk",
        "ahead",
        november(18, 10),
    ),
    ("as usual", clock(tuesday(14)), line(), [QUICK], tuesday(10), "kept", "usual", tuesday(12, 6)),
    ("slow as all", clock(tuesday(12)), line(), [SLOW], tuesday(10), "missed", "pace", tuesday(14)),
    ("every other", clock(tuesday(12)), line(), [HALF], tuesday(10), "at_risk", "pace", tuesday(14)),
    ("longer than all", clock(tuesday(12)), line(), [[0.1] * 20], tuesday(10), "at_risk", "slowest", None),
    ("few", clock(tuesday(12)), line(), [[0.1] * 5], tuesday(10), "kept", "hours", tuesday(10)),
    ("few like it, many others", clock(tuesday(12)), line(), [[0.1], SLOW], tuesday(10), "missed", "pace", tuesday(14)),
    ("few ran as long: wider", clock(tuesday(12)), line(), [[0.1] * 20, SLOW], tuesday(10), "missed", "pace",
     tuesday(14)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("running", "of_line", "others", "now", "verdict", "reason", "expected"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_verdict_reason_and_moment(running, of_line, others, now, verdict, reason, expected):
    found = forecast(running, of_line, others, now)

    assert (found.verdict, found.reason, found.expected) == (verdict, reason, expected)


def test_too_few_others_are_told():
    few = forecast(clock(tuesday(12)), line(), [[0.1] * 5], tuesday(10))
    enough = forecast(clock(tuesday(12)), line(), [QUICK], tuesday(10))
    past = forecast(clock(tuesday(12)), line(), [], tuesday(13))

    assert [found.is_by_hours_only for found in (few, enough, past)] == [True, False, False]


MINUTES = st.integers(-3000, 3000)
PARTS = st.lists(st.floats(0, 5), max_size=40).map(sorted)


@given(due=MINUTES, ahead=st.integers(0, 300), best=st.integers(0, 30), people=st.integers(0, 5),
       away=st.integers(0, 5), others=st.lists(PARTS, max_size=3), missed=st.booleans(),
       office=st.booleans())  # fmt: skip
def test_what_is_past_is_never_said_to_be_kept_and_what_is_kept_is_expected_in_time(
    due, ahead, best, people, away, others, missed, office
):
    now = tuesday(12)
    hours = OFFICE if office else ALWAYS
    running = Running(now + timedelta(minutes=due), HOUR * 4, ALWAYS, missed=missed)
    of_line = LineNow(hours=hours, people=people, away=min(away, people), ahead=ahead, best_day=best)

    found = forecast(running, of_line, others, now)

    if due < 0 or missed:
        assert found.verdict == Verdict.MISSED
    if found.verdict == Verdict.KEPT:
        assert found.expected is not None and found.expected <= running.due_at


@given(more=st.integers(0, 100), ahead=st.integers(0, 100))
def test_more_ahead_never_makes_it_sooner(more, ahead):
    running = clock(november(20, 18), hours=36, calendar=OFFICE)

    def expected(number):
        found = forecast(running, line(ahead=number, best_day=5), [QUICK], tuesday(10))
        assert found.expected is not None
        return found.expected

    assert expected(ahead) <= expected(ahead + more)


@pytest.mark.parametrize(
    ("found", "russian", "english"),
    [
        (
            Forecast(Verdict.MISSED, Reason.NOBODY, expected=tuesday(9), somebody_from=tuesday(9), seen=20),
            "Прогноз: не успеем, до 09:00 на линии никого нет.",
            "Forecast: will be missed: nobody is on the line until 09:00.",
        ),
        (
            Forecast(Verdict.MISSED, Reason.AHEAD, expected=tuesday(16, 40), ahead=7, seen=20),
            "Прогноз: не успеем, впереди 7 обращений, при нынешнем темпе дойдём к 16:40.",
            "Forecast: will be missed: 7 requests are ahead, at this pace its turn comes at 16:40.",
        ),
        (
            Forecast(Verdict.MISSED, Reason.PAST),
            "Прогноз: не успеем, срок уже прошёл.",
            "Forecast: will be missed: the deadline has passed already.",
        ),
        (
            Forecast(Verdict.AT_RISK, Reason.PACE, expected=tuesday(17), seen=30, longer=9, over=4),
            "Прогноз: под угрозой, из 9, что шли столько же, 4 не уложились в срок; ожидаем около 17:00.",
            "Forecast: at risk: of 9 that ran as long, 4 were not in time; it is expected at about 17:00.",
        ),
        (
            Forecast(Verdict.KEPT, Reason.HOURS, expected=tuesday(9), seen=3),
            "Прогноз: успеем, до срока на линии кто-то есть. "
            "Похожих обращений в последнее время мало: учтены только часы работы и очередь.",
            "Forecast: will be kept: somebody is on the line before the deadline. "
            "Too few requests like this one lately: only hours and queue are considered.",
        ),
    ],
)
def test_sentences(found, russian, english):
    with translation.override("ru"):
        assert forecast_words.sentence(found, MOSCOW, tuesday(8)) == russian
    with translation.override("en"):
        assert forecast_words.sentence(found, MOSCOW, tuesday(8)) == english
