"""The ledgers of the board say what counting would say, after whatever was done (`tickets/tally.py`)."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.db import connection
from django.db.models import Sum

from sla import reports
from sla.sweep import sweep
from sla.words import MOSCOW
from tests.factories import a_customer, a_lead, an_engineer, contact_of, open_ticket
from tests.moments import november, tuesday
from tickets import tally, workflow
from tickets.models import PromiseTally, Rating, RatingTally, Ticket

pytestmark = pytest.mark.django_db

KEY = ("day", "line", "package", "priority", "agreed")


def summed() -> dict[tuple, tuple[int, int]]:
    rows = PromiseTally.objects.order_by().values_list(*KEY).annotate(Sum("met"), Sum("missed"))
    return {row[:5]: row[5:] for row in rows if row[5:] != (0, 0)}


def counted() -> dict[tuple, tuple[int, int]]:
    found: Counter[tuple] = Counter()
    for agreed in (False, True):
        for row in reports.ended(november(1), november(1) + timedelta(days=400), agreed=agreed).select_related(
            "ticket__terms"
        ):
            at = row.stopped_at if row.ending == "met" else row.due_at
            key = (at.astimezone(MOSCOW).date(), row.ticket.line_id, row.ticket.terms.package_id, row.priority, agreed)
            found[(*key, row.ending)] += 1
    keys = {key[:5] for key in found}
    return {key: (found[(*key, "met")], found[(*key, "missed")]) for key in keys}


def a_walk(number: int) -> Ticket:
    """A request that is worked on, handed over, reclassified, solved, late and rated as the dice say."""
    dice = Random(number)
    customer = a_customer(dice.choice(("basic", "business", "premium")))
    ticket = open_ticket(customer, priority=dice.randint(1, 4))
    engineer, at = an_engineer(), tuesday(10)
    if dice.random() < 0.5:
        at += timedelta(days=dice.randint(0, 3))
        sweep(at)
    ticket = workflow.accept(ticket, by=engineer, at=at)
    if dice.random() < 0.6:
        lines = {"to_line": 2, "known": "x", "tried": "", "asked": "y"}
        workflow.hand_over(ticket, by=engineer, at=at + timedelta(minutes=10), **lines)
    if dice.random() < 0.5:
        ticket = workflow.reclassify(
            ticket, by=a_lead(), priority=dice.randint(1, 4), kind="incident", reason="x", at=at + timedelta(minutes=20)
        )
    if dice.random() < 0.7:
        ticket = workflow.resolve(ticket, by=engineer, body="Done", at=at + timedelta(days=dice.randint(0, 30)))
        workflow.rate(ticket, by=contact_of(customer), score=dice.randint(1, 5), at=at + timedelta(days=31))
    return ticket


def test_ledger_is_what_counting_gives_after_any_walk():
    for number in range(8):
        a_walk(number)
        assert summed() == counted()
    Ticket.objects.filter(pk=open_ticket().pk).delete()
    assert summed() == counted() != {}


def test_ratings_are_summed_also_when_they_change():
    customer = a_customer()
    ticket = workflow.accept(open_ticket(customer), by=an_engineer(), at=tuesday(10, 1))
    workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=tuesday(11))
    for score in (1, 5):
        workflow.rate(ticket, by=contact_of(customer), score=score, at=tuesday(12))

    assert tally.rated(tuesday(13)) == (1, 5)
    assert tally.rated(tuesday(13) + timedelta(days=31)) == (0, 0)
    Rating.objects.all().delete()
    assert tally.rated(tuesday(13)) == (0, 0)


def test_putting_together_and_counting_anew_change_no_sum():
    for number in range(6):
        a_walk(number)
    before, ratings = summed(), tally.rated(november(30))

    tally.fold()

    assert summed() == before
    assert tally.rated(november(30)) == ratings
    assert PromiseTally.objects.count() == len(before)
    assert RatingTally.objects.count() == RatingTally.objects.values("day").distinct().count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT tickets_tally_anew()")
    assert summed() == before


def test_board_reads_the_ledger_by_package_and_by_line():
    customer = a_customer("premium")
    ticket = workflow.accept(open_ticket(customer, priority=2), by=an_engineer(), at=tuesday(10, 5))
    workflow.resolve(ticket, by=ticket.assignee, body="Done", at=tuesday(11))
    mondays = [monday.date() for monday in reports.mondays(tuesday(12), 4)]

    kept = tally.kept(tuesday(12), mondays)

    package = ticket.terms.package_id
    assert kept.by_package == {(package, 2): reports.Attainment(2, 0)}
    assert kept.by_line == {1: {mondays[-1]: reports.Attainment(2, 0)}}
    assert kept.agreed == reports.Attainment()
    assert tally.kept(tuesday(12) + timedelta(days=40), mondays).by_package == {}
