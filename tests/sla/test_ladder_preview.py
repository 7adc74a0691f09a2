"""The preview of a ladder: equal to what the sweep writes with it, counted beside what was called (domain §4.4)."""

import random
from datetime import date, time, timedelta

import pytest
from django.utils import translation

from sla.ladder import Step
from sla.ladder_preview import Scope, last_month, preview, rehearsed, served
from sla.models import Commitment, Escalation, Ladder, LadderStep, Whom
from sla.sweep import sweep
from tests.factories import MOSCOW, a_customer, a_lead, a_manager, an_engineer, contact_of, open_ticket, package, top
from tests.moments import november, tuesday
from tickets import workflow
from tickets.models import State

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
FIRST, LAST = date(2026, 11, 16), date(2026, 11, 22)
NIGHT = (time(22), time(8))


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def the_ladder(kind, steps):
    """The only ladder of a promise, with these rungs."""
    Ladder.objects.filter(kind=kind).exclude(package=None, priority=None).delete()
    ladder = Ladder.objects.get(kind=kind)
    ladder.steps.all().delete()
    for step in steps:
        quiet_from, quiet_to = step.quiet or (None, None)
        LadderStep.objects.create(
            ladder=ladder, percent=step.percent, whom=step.whom, within=step.within,
            quiet_from=quiet_from, quiet_to=quiet_to,
        )  # fmt: skip


def sweep_until(moment):
    """The sweep at every second that asks for one, up to a moment."""
    while (due := Commitment.objects.due_for_check(moment).values_list("next_check_at", flat=True).first()) is not None:
        sweep(due)


def said(kind, steps, now, **days):
    """What the preview says of each promise, and what was written: (promise, rung, percent, when, before its time)."""
    days = {"first": FIRST, "last": LAST, **days}
    found, made = set(), set()
    for calls, written in rehearsed(Scope(kind), steps, now=now, **days):
        found |= {(call.key, call.position, call.step.percent, call.at, call.is_early) for call in calls}
        made |= {(row.commitment_id, row.position, row.percent, row.reached_at, row.is_early) for row in written}
    return found, made


WHOMS = list(Whom.values)


def random_steps(rng):
    percents = sorted(rng.sample(range(10, 260, 7), rng.randint(2, 5)))
    return [
        Step(percent, rng.choice(WHOMS), rng.choice([None, 7, 20, 45, 130]), rng.choice([None, None, NIGHT]))
        for percent in percents
    ]


def a_life(rng, customer, engineer, people):
    """A request from receipt to its end, with everything between that touches a clock; the sweeps run as they do."""
    at = november(16, 8) + timedelta(seconds=rng.randint(0, 4 * 86_400))
    ticket = open_ticket(customer, priority=rng.randint(1, 4), at=at, by=contact_of(customer, at))
    for _step in range(rng.randint(1, 9)):
        at += timedelta(seconds=rng.choice([90, 700, 1_900, 4_000, 15_000, 60_000]) + rng.randint(1, 59))
        sweep_until(at)
        ticket.refresh_from_db()
        verbs = {
            State.NEW: ["accept", "accept", "acknowledge", "wait"],
            State.IN_PROGRESS: ["ask", "resolve", "restore", "acknowledge", "acknowledge", "wait"],
            State.AWAITING_CUSTOMER: ["answer", "answer", "wait", "acknowledge"],
            State.RESOLVED: ["reopen", "wait"],
        }.get(ticket.state, ["wait"])
        verb = rng.choice(verbs)
        if verb == "accept":
            workflow.accept(ticket, by=engineer, at=at)
        elif verb == "ask":
            workflow.ask_customer(ticket, by=engineer, body="Which version?", at=at)
        elif verb == "answer":
            workflow.customer_reply(ticket, by=contact_of(customer, at), body="7.8.4", at=at)
        elif verb == "resolve":
            workflow.resolve(ticket, by=engineer, body="Restarted", at=at)
        elif verb == "reopen":
            workflow.reopen(ticket, by=contact_of(customer, at), reason="It is back", at=at)
        elif verb == "restore" and ticket.priority < 3:
            workflow.restore(ticket, by=engineer, to_priority=3, workaround="By hand", at=at)
        elif verb == "acknowledge":
            call = ticket.escalations.filter(state="open").order_by(rng.choice(["position", "-position"])).first()
            if call is not None:
                workflow.acknowledge(call, by=people, at=at)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["reaction", "resolution"])
def test_preview_is_what_the_sweep_writes(seed, kind):
    rng = random.Random(seed * 31 + len(kind))
    steps = random_steps(rng)
    the_ladder(kind, steps)
    manager, engineer = a_manager(), an_engineer()
    customers = [a_customer(code) for code in ("premium", "business", "basic")]
    end = november(22, 12)
    for _number in range(4):
        a_life(rng, rng.choice(customers), engineer, manager)
    sweep_until(end)

    found, made = said(kind, steps, end)

    assert found == made


# What is counted


def test_the_very_ladder_that_ran_would_have_called_as_often_as_it_did():
    a_lead(), a_manager(), top()
    customer = a_customer()
    for hour in (10, 11, 12):
        open_ticket(customer, priority=1, at=tuesday(hour))
    sweep_until(tuesday(16))
    steps = [Step(50, "line_queue"), Step(75, "line_lead"), Step(100, "csm"), Step(150, "top_management")]

    found = preview(Scope("reaction", priority=1), steps, first=FIRST, last=LAST, now=tuesday(16))

    assert found.promises == 3
    assert [(row.whom, row.was, row.would) for row in found.rows if row.was or row.would] == [
        ("line_queue", 3, 3),
        ("line_lead", 3, 3),
        ("csm", 3, 3),
        ("top_management", 3, 3),
    ]
    assert (found.was, found.would, found.a_day_was, found.a_day) == (12, 12, 1.7, 1.7)


def test_preview_says_how_often_each_would_have_been_called():
    customer = a_customer()
    quick = open_ticket(customer, priority=1)  # reaction in 30 minutes
    open_ticket(customer, priority=1, at=tuesday(11))
    sweep_until(tuesday(10, 20))
    workflow.accept(quick, by=an_engineer(), at=tuesday(10, 20))
    sweep_until(tuesday(16))

    found = preview(
        Scope("reaction", priority=1),
        [Step(60, "top_management"), Step(110, "csm")],
        first=FIRST, last=LAST, now=tuesday(16),
    )  # fmt: skip

    assert (found.top.was, found.top.would) == (1, 2)
    assert {row.whom: (row.was, row.would) for row in found.rows} == {
        "line_queue": (2, 0),
        "assignee": (0, 0),
        "line_lead": (1, 0),
        "csm": (1, 1),
        "support_manager": (0, 0),
        "top_management": (1, 2),
    }


def test_letters_that_wait_for_the_morning_wake_nobody():
    customer = a_customer()
    open_ticket(customer, priority=2, at=tuesday(21, 30))  # 2 hours: half at 22:30, missed at 23:30
    now = november(18, 12)
    scope = Scope("reaction")

    loud = preview(scope, [Step(50, "csm"), Step(100, "csm")], first=FIRST, last=LAST, now=now)
    quiet = preview(
        scope, [Step(50, "csm", None, NIGHT), Step(100, "csm", None, NIGHT)], first=FIRST, last=LAST, now=now
    )

    assert (loud.wakes, quiet.wakes) == (2, 1)  # a missed promise wakes people always


def test_preview_ends_where_we_are_now():
    customer = a_customer()
    open_ticket(customer, priority=1)

    found = preview(Scope("reaction"), [Step(50, "csm"), Step(100, "csm")], first=FIRST, last=LAST, now=tuesday(10, 20))

    assert found.promises == 0  # priority 1 has a ladder of its own
    found = preview(
        Scope("reaction", priority=1), [Step(50, "csm"), Step(100, "csm")], first=FIRST, last=LAST, now=tuesday(10, 20)
    )
    assert (found.promises, found.would) == (1, 1)


def test_only_promises_that_began_on_these_days_count():
    customer = a_customer()
    open_ticket(customer, priority=3, at=november(15, 23, 59))
    open_ticket(customer, priority=3, at=november(16))
    open_ticket(customer, priority=3, at=november(22, 23, 59))
    open_ticket(customer, priority=3, at=november(23))

    found = preview(Scope("reaction"), [Step(100, "csm")], first=FIRST, last=LAST, now=november(29))

    assert (found.promises, found.would, found.days) == (2, 2, 7)


def test_acknowledgements_count_as_they_were_made():
    the_ladder("reaction", [Step(50, "line_lead"), Step(100, "csm")])
    lead = a_lead()
    open_ticket(priority=1)
    sweep_until(tuesday(10, 15))
    workflow.acknowledge(Escalation.objects.get(), by=lead, at=tuesday(10, 18))
    sweep_until(tuesday(10, 45))

    def calls(within):
        steps = [Step(50, "line_lead", within), Step(100, "csm"), Step(200, "top_management")]
        found, _made = said("reaction", steps, tuesday(10, 45))
        return [(percent, at.astimezone(MOSCOW), early) for _key, _place, percent, at, early in sorted(found)]

    assert calls(10) == [(50, tuesday(10, 15), False), (100, tuesday(10, 30), False)]
    assert calls(2) == [(50, tuesday(10, 15), False), (100, tuesday(10, 17), True)]


# Whom a ladder serves


def test_a_general_ladder_serves_what_no_particular_one_does():
    premium, basic, business = (package(code).pk for code in ("premium", "basic", "business"))
    Ladder.objects.create(kind="reaction", package_id=basic)
    Ladder.objects.create(kind="reaction", package_id=premium, priority=2)

    assert set(served(Scope("reaction"))) == {(premium, 3), (premium, 4), (business, 2), (business, 3), (business, 4)}
    assert set(served(Scope("reaction", priority=1))) == {(premium, 1), (business, 1)}
    assert set(served(Scope("reaction", basic))) == {(basic, priority) for priority in (1, 2, 3, 4)}
    assert served(Scope("reaction", premium, 2)) == [(premium, 2)]


def test_a_ladder_that_is_only_proposed_takes_its_own_from_the_general_one():
    business = package("business").pk

    assert served(Scope("resolution", business, 4)) == [(business, 4)]


def test_last_month_is_the_last_whole_one_of_moscow():
    assert last_month(tuesday(10)) == (date(2026, 10, 1), date(2026, 10, 31))
    assert last_month(november(1, 0, 30)) == (date(2026, 10, 1), date(2026, 10, 31))  # in UTC it is October still


# Cost


@pytest.mark.parametrize("tickets", [1, 3])
def test_preview_of_three_promises_costs_what_one_costs(tickets, django_assert_num_queries):
    customer = a_customer()
    for _number in range(tickets):
        open_ticket(customer, priority=3)
    sweep_until(tuesday(13))

    with django_assert_num_queries(6):  # ladders, packages, calendars; promises, escalations, no further promises
        preview(Scope("reaction"), [Step(100, "csm")], first=FIRST, last=LAST, now=tuesday(14))
