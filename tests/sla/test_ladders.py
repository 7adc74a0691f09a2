"""Verbs of the ladder (`sla/ladders.py`): who may, what is refused and in which words, what is recorded (§4.4)."""

from datetime import time

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from accounts.models import Role
from accounts.refusals import Forbidden, Refused
from sla import clocks
from sla.ladder import Step
from sla.ladders import (
    LadderRefused,
    change_ladder,
    new_ladder,
    next_best,
    problems_of,
    remarks_of,
    remove_ladder,
    steps_of,
)
from sla.models import Ladder, LadderChange
from tests.factories import UserFactory, open_ticket, package
from tests.moments import tuesday

pytestmark = pytest.mark.django_db
GOOD = [Step(50, "assignee"), Step(80, "line_lead", 30, (time(22), time(8))), Step(100, "csm")]
NIGHT = (time(22), time(8))


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def admin():
    return UserFactory(admin=True)


def general(kind="resolution"):
    return Ladder.objects.get(kind=kind, package=None, priority=None)


# What is refused


@pytest.mark.parametrize(
    ("steps", "problems"),
    [
        ([Step(0, "csm"), Step(100, "csm")], [(0, "percent", "The percent of a rung lies between 1 and 1000.")]),
        ([Step(100, "csm"), Step(1001, "csm")], [(1, "percent", "The percent of a rung lies between 1 and 1000.")]),
        (
            [Step(100, "csm"), Step(90, "line_lead")],
            [(1, "percent", "Rungs go up: a percent is not lower than the one before it.")],
        ),
        ([Step(90, "the cat"), Step(100, "csm")], [(0, "whom", "Choose whom the rung calls in.")]),
        ([Step(100, "csm"), Step(100, "csm")], [(1, "whom", "The same rung stands here twice.")]),
        (
            [Step(100, "csm", 0)],
            [(0, "within", "The time to say “I have it” is 1 to 10000 minutes; leave it empty where nobody waits.")],
        ),
        (
            [Step(50, "csm", None, (time(8), time(8))), Step(100, "csm")],
            [(0, "quiet_to", "Quiet hours end at another hour than they begin.")],
        ),
    ],
)
def test_a_rung_that_cannot_be_is_named(steps, problems):
    assert [(problem.rung, problem.field, problem.message) for problem in problems_of(steps)] == problems


@pytest.mark.parametrize("steps", [[], [Step(99, "top_management")], [Step(100, "line_lead"), Step(200, "line_queue")]])
def test_a_missed_promise_reaches_somebody_above_the_line(steps):
    (problem,) = problems_of(steps)

    assert problem.rung is None
    assert problem.message.startswith("A missed promise must reach somebody above the line")


@pytest.mark.parametrize("whom", ["csm", "support_manager", "top_management"])
def test_these_stand_above_the_line(whom):
    assert problems_of([Step(100, whom)]) == []


def test_two_may_be_called_at_one_percent():
    assert problems_of([Step(100, "csm"), Step(100, "support_manager")]) == []


def test_a_ladder_has_at_most_twelve_rungs():
    steps = [Step(100 + number, "csm") for number in range(13)]

    assert [problem.message for problem in problems_of(steps)] == ["A ladder has at most 12 rungs."]


@pytest.mark.parametrize(
    ("steps", "priority", "remarks"),
    [
        (GOOD, 2, []),
        (GOOD, 1, ["Quiet hours have no effect here: priority 1 wakes people always."]),
        (
            [Step(100, "csm", None, NIGHT)],
            None,
            ["Quiet hours of a rung of 100% or more have no effect: a missed promise wakes people always."],
        ),
        (
            [Step(100, "csm", 30)],
            None,
            ["Nobody stands above the last rung: its time to say “I have it” calls nobody."],
        ),
    ],
)
def test_what_has_no_effect_is_said(steps, priority, remarks):
    assert remarks_of(steps, priority) == remarks


# Verbs


def test_change_replaces_the_rungs_and_records_both(admin):
    before = steps_of(general())

    ladder = change_ladder(general(), steps=GOOD, by=admin, at=tuesday(12))

    assert steps_of(ladder) == GOOD
    record = LadderChange.objects.get()
    assert (record.what, record.kind, record.package, record.priority) == ("changed", "resolution", None, None)
    assert (record.made_by, record.made_at, len(record.before)) == (admin, tuesday(12), len(before))
    assert record.after[1] == {"percent": 80, "whom": "line_lead", "within": 30, "quiet": ["22:00", "08:00"]}


def test_running_clocks_keep_their_ladder_and_new_ones_take_the_new(admin):
    old = open_ticket(priority=3)

    change_ladder(general(), steps=GOOD, by=admin, at=tuesday(10, 30))
    new = open_ticket(old.customer, priority=3, at=tuesday(11))

    def percents(ticket):
        return [rung["percent"] for rung in ticket.commitments.get(kind="resolution").rungs]

    assert (percents(old), percents(new)) == ([50, 75, 90, 100, 100, 125], [50, 80, 100])


def test_change_into_the_same_is_refused(admin):
    with pytest.raises(LadderRefused, match="Nothing changes"):
        change_ladder(general(), steps=steps_of(general()), by=admin, at=tuesday(12))

    assert not LadderChange.objects.exists()


def test_refused_change_leaves_everything_as_it_was(admin):
    before = steps_of(general())

    with pytest.raises(LadderRefused):
        change_ladder(general(), steps=[Step(50, "csm")], by=admin, at=tuesday(12))

    assert steps_of(general()) == before


def test_new_ladder_counts_before_the_general_one(admin):
    premium = package("premium")

    new_ladder("resolution", premium, 2, GOOD, by=admin, at=tuesday(12))

    assert clocks.ladder_steps("resolution", premium.pk, 2) == GOOD
    assert clocks.ladder_steps("resolution", premium.pk, 3) == steps_of(general())
    assert LadderChange.objects.get().what == "made"


@pytest.mark.parametrize(
    ("kind", "priority", "words"),
    [
        ("resolution", None, "Choose a package or a priority: the general ladder is there."),
        ("reaction", 1, "There is a ladder for exactly this: change that one."),
        ("friendship", 1, "Choose the promise."),
        ("resolution", 5, "A priority is 1 to 4."),
    ],
)
def test_new_ladder_is_refused(admin, kind, priority, words):
    with pytest.raises(LadderRefused) as refusal:
        new_ladder(kind, None, priority, GOOD, by=admin, at=tuesday(12))

    assert [problem.message for problem in refusal.value.problems] == [words]


def test_remove_leaves_the_more_general_one(admin):
    particular = Ladder.objects.get(kind="reaction", priority=1)
    assert next_best(particular) == general("reaction")

    remove_ladder(particular, by=admin, at=tuesday(12))

    assert clocks.ladder_steps("reaction", package("basic").pk, 1) == steps_of(general("reaction"))
    record = LadderChange.objects.get()
    assert (record.what, record.priority, record.after) == ("removed", 1, [])
    assert [rung["percent"] for rung in record.before] == [50, 75, 100, 150]


def test_the_general_ladder_is_never_removed(admin):
    with pytest.raises(Refused, match="stays"):
        remove_ladder(general(), by=admin, at=tuesday(12))

    assert next_best(general()) is None


@pytest.mark.parametrize("role", [role for role in Role.values if role != "admin"])
def test_only_the_administrator_changes_ladders(role):
    by = UserFactory(role=role)

    with pytest.raises(Forbidden):
        change_ladder(general(), steps=GOOD, by=by, at=tuesday(12))
    with pytest.raises(Forbidden):
        new_ladder("resolution", None, 1, GOOD, by=by, at=tuesday(12))
    with pytest.raises(Forbidden):
        remove_ladder(Ladder.objects.get(kind="reaction", priority=1), by=by, at=tuesday(12))


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_record_is_never_altered(admin, verb):
    change_ladder(general(), steps=GOOD, by=admin, at=tuesday(12))

    with pytest.raises(IntegrityError, match="never altered"), transaction.atomic():
        rows = LadderChange.objects.all()
        rows.update(what="made") if verb == "update" else rows.delete()
