"""A row of the queue is drawn once for what it shows; whatever of it changes, another picture comes."""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.template import Context
from django.utils import timezone, translation

from accounts.models import User
from contracts.models import Customer
from sla import words
from sla.forecast import Forecast, Reason, Verdict
from tests.factories import a_customer, an_engineer, open_ticket
from tickets import reading, workflow
from tickets.forecasting import Shown, shown
from tickets.models import Ticket
from tickets.queue import Row, rows, rows_of
from tickets.queue.rows import Facts
from tickets.templatetags.queue import _FIELDS, queue_rows

pytestmark = pytest.mark.django_db

OTHER = {"number": 4711, "priority": 1, "unread": False}  # what is asked for is unread, of priority 3


@pytest.fixture
def row() -> Row:
    ticket = open_ticket(a_customer(), subject="Печать <b>счёта</b>", at=timezone.now())
    return rows_of([ticket.pk], an_engineer(), timezone.now())[ticket.pk]


def drawn(*rows: Row, **page: Any) -> str:
    return str(queue_rows(Context(page), rows))


def at_risk(expected: str = "") -> Shown | None:
    found = Forecast(Verdict.MISSED if expected else Verdict.AT_RISK, Reason.NOBODY)
    return shown(found, timezone.now())


def but(row: Row, **changes: Any) -> Row:
    """The row of a ticket of which something else is told."""
    return replace(row, facts=replace(row.facts, said={}, pictures={}, **changes))


@pytest.mark.parametrize("name", _FIELDS)
def test_each_thing_that_it_shows_makes_another_picture(row: Row, name: str) -> None:
    before = drawn(row)

    after = drawn(but(row, **{name: OTHER.get(name, "en")}))

    assert before == drawn(row)
    if name != "initials":  # shown for somebody only
        assert after != before


def test_so_do_the_list_the_language_the_forecast_and_the_time_left(row: Row) -> None:
    taken = but(row, assignee="Анна Гусева", initials="АГ")
    pictures = [
        drawn(row),
        drawn(replace(row, by="Решение завтра")),
        drawn(row, open_number=row.facts.number),
        drawn(row, **{"from": "?line=2"}),
        drawn(replace(row, forecast=at_risk())),
        drawn(replace(row, forecast=at_risk("missed"))),
        drawn(replace(row, chip={**row.chip, "left": 17})),
        drawn(taken),
        drawn(but(taken, initials="АГ.")),
        str(queue_rows(Context(), [row], changed=True)),
    ]

    assert len(set(pictures)) == len(pictures)
    assert all("&lt;b&gt;счёта&lt;/b&gt;" in picture for picture in pictures)


def test_what_is_kept_of_a_row_is_what_its_columns_say_now(row: Row) -> None:
    reader, now = an_engineer(), timezone.now()
    ticket = Ticket.objects.get()

    def facts(language: str = "ru") -> Facts:
        with translation.override(language):
            return rows_of([ticket.pk], reader, now)[ticket.pk].facts

    first = facts()
    assert facts() is first
    assert facts("en").state_label == "new" != first.state_label
    workflow.accept(ticket, by=reader, at=now)
    taken = facts()
    assert (first.assignee, taken.assignee) == ("", reader.full_name)
    User.objects.filter(pk=reader.pk).update(full_name="Вера Иная")
    assert facts().assignee == "Вера Иная"
    Customer.objects.update(name="ООО «Иное»")
    assert facts().customer == "ООО «Иное»"
    assert facts().unread
    reading.mark(ticket, person=reader, upto=ticket.messages.latest("pk").pk, at=now)
    assert not facts().unread


def test_what_a_row_says_of_its_day_is_said_anew_the_next_day(row: Row) -> None:
    due = row.facts.due_at
    assert due is not None
    that_day, before = words.moment(due, words.MOSCOW, due, "short"), due - timedelta(days=3)

    assert row.facts.by(due).endswith(" " + that_day)
    assert row.facts.by(before).endswith(words.moment(due, words.MOSCOW, before, "short"))
    assert row.facts.by(due) != row.facts.by(before)


def test_more_rows_than_are_kept_push_the_old_ones_out(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS_KEPT", 3)
    customer = a_customer()
    keys = [open_ticket(customer, subject=f"Запрос {number}", at=timezone.now()).pk for number in range(5)]

    found = rows_of(keys, an_engineer(), timezone.now())

    assert [found[key].facts.subject for key in keys] == [f"Запрос {number}" for number in range(5)]


def test_threads_that_make_room_for_each_other_lose_no_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a web server, whose threads keep rows in one place."""
    monkeypatch.setattr(rows, "ROWS_KEPT", 2)
    told = dict.fromkeys(rows.COLUMNS) | {"priority": 3, "state": "new", "changed_at": timezone.now()}
    lists = [[tuple((told | {"pk": n, "number": n}).values()) for n in range(first, first + 20)] for first in (0, 20)]

    def numbers(turn: int) -> list[int]:
        return [one.number for one in rows.facts_of(lists[turn % 2])]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # seconds: threads take turns in the middle of everything
    try:
        with ThreadPoolExecutor(4) as threads:
            pages = list(threads.map(numbers, range(400)))
    finally:
        sys.setswitchinterval(before)

    assert pages == [list(range(20)), list(range(20, 40))] * 200
