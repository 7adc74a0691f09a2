"""Moments of late 2026 in Moscow, as tests write them down. 17 November is a Tuesday; 4 November is a holiday."""

from datetime import datetime

from tests.factories import MOSCOW


def november(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, tzinfo=MOSCOW)


def december(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, second, tzinfo=MOSCOW)


def tuesday(hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Tuesday 17 November, on which tickets are opened at ten unless told otherwise."""
    return november(17, hour, minute, second)
