"""A row of the queue is drawn once for what it shows; whatever of it changes, another picture comes."""

from dataclasses import replace
from typing import Any

import pytest
from django.template import Context
from django.utils import timezone, translation

from sla.forecast import Forecast, Reason, Verdict
from tests.factories import a_customer, an_engineer, open_ticket
from tickets.forecasting import Shown, shown
from tickets.queue import Row, rows_of
from tickets.templatetags.queue import _FIELDS, queue_rows

pytestmark = pytest.mark.django_db

OTHER = {"number": 4711, "priority": 1, "unread": False}  # what is asked for is unread, of priority 3


@pytest.fixture
def row() -> Row:
    ticket = open_ticket(a_customer(), subject="Печать <b>счёта</b>", at=timezone.now())
    return rows_of([ticket.pk], an_engineer(), timezone.now())[ticket.pk]


def drawn(*rows: Row, language: str = "ru", **page: Any) -> str:
    with translation.override(language):
        return str(queue_rows(Context(page), rows))


def at_risk(expected: str = "") -> Shown | None:
    found = Forecast(Verdict.MISSED if expected else Verdict.AT_RISK, Reason.NOBODY)
    return shown(found, timezone.now())


@pytest.mark.parametrize("name", _FIELDS)
def test_each_thing_that_it_shows_makes_another_picture(row: Row, name: str) -> None:
    before = drawn(row)

    after = drawn(replace(row, **{name: OTHER.get(name, "en")}))

    assert before == drawn(row)
    if name != "initials":  # shown for somebody only
        assert after != before


def test_so_do_the_list_the_language_the_forecast_and_the_time_left(row: Row) -> None:
    taken = replace(row, assignee="Анна Гусева", initials="АГ")
    pictures = [
        drawn(row),
        drawn(row, language="en"),
        drawn(row, open_number=row.number),
        drawn(row, **{"from": "?line=2"}),
        drawn(replace(row, forecast=at_risk())),
        drawn(replace(row, forecast=at_risk("missed"))),
        drawn(replace(row, chip={**row.chip, "left": 17})),
        drawn(taken),
        drawn(replace(taken, initials="АГ.")),
        str(queue_rows(Context(), [row], changed=True)),
    ]

    assert len(set(pictures)) == len(pictures)
    assert all("&lt;b&gt;счёта&lt;/b&gt;" in picture for picture in pictures)
