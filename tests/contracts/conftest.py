"""A day of their own for tests whose figures follow from the day: midnight in the middle of a run changes none."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest
import time_machine

TODAY = date(2026, 11, 17)


@pytest.fixture
def today() -> Iterator[date]:
    """It is noon of `TODAY`, in Moscow three o'clock, and time goes on."""
    with time_machine.travel(datetime.combine(TODAY, time(12), UTC), tick=True):
        yield TODAY
