"""Who is next: ranked by shift, skill, load and what they know, with reasons; pure, and as verbs (domain §3.3)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import planning
from accounts.models import Absence, Line
from accounts.refusals import Forbidden
from tests.factories import ProductFactory, a_customer, a_lead, a_manager, an_engineer, open_ticket
from tests.moments import november, tuesday
from tickets import choosing, next_engineer, workflow
from tickets.choosing import Candidate, Load
from tickets.models import Skill
from tickets.workflow import NotAllowed

HERE = {"until": tuesday(18)}


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


# Pure


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"load": Load(open=1, weight=4)}, {"load": Load(open=2, weight=8)}),
        ({"skill": 3, "load": Load(open=5, weight=20)}, {"skill": 0}),
        ({"skill": 1, "load": Load(open=3, weight=12)}, {"load": Load(open=6, weight=24)}),
        ({}, {"skill": 1, "load": Load(open=3, weight=12)}),
        ({"worked_on_it": True, "load": Load(open=3, weight=18)}, {"skill": 0}),
        ({"of_customer": 3}, {"of_customer": 2}),
        ({}, {"last_assigned_at": tuesday(9)}),
        ({"last_assigned_at": tuesday(8)}, {"last_assigned_at": tuesday(9)}),
    ],
)
def test_better_candidate_comes_first(better, worse):
    first, second = Candidate(2, "A", **{**HERE, **better}), Candidate(1, "B", **{**HERE, **worse})

    assert [one.candidate for one in choosing.rank([second, first])] == [first, second]


def test_equals_are_told_apart_by_their_keys():
    people = [Candidate(number, "A", **HERE) for number in (3, 1, 2)]

    assert [one.candidate.person for one in choosing.rank(people)] == [1, 2, 3]


@pytest.mark.parametrize(
    ("priority", "due", "stands", "weight"),
    [
        (1, tuesday(18), False, 12),
        (4, None, False, 4),
        (4, tuesday(10, 59), False, 8),
        (4, tuesday(9), False, 12),
        (1, tuesday(9), True, 1),
    ],
)
def test_request_weighs_by_priority_and_nearness(priority, due, stands, weight):
    assert choosing.weight_of(priority, due, stands=stands, at=tuesday(10)) == weight


def test_reasons_are_said_in_words():
    idle = Candidate(2, "B", until=tuesday(18), load=Load(open=6, weight=24))
    busy = Candidate(
        1, "A", until=tuesday(18), skill=3, load=Load(4, 1, 0, 16), worked_on_it=True, of_customer=5, instead_of="C"
    )

    kept = choosing.facts(choosing.rank([idle, busy])[0], "Sales")

    assert choosing.reasons(kept, at=tuesday(10)) == [
        "on shift until 18:00",
        "stands in for C",
        "has worked on this request",
        "knows “Sales” (3 of 3)",
        "has solved 5 requests of this customer",
        "4 requests in work, 1 of them overdue, fewer than anybody",
    ]


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        person=st.integers(1, 50),
        name=st.just("A"),
        until=st.none() | st.just(tuesday(18)),
        away=st.booleans(),
        skill=st.integers(0, 3),
        load=st.builds(Load, open=st.integers(0, 9), weight=st.integers(0, 90)),
        worked_on_it=st.booleans(),
        of_customer=st.integers(0, 5),
        last_assigned_at=st.none() | st.sampled_from([tuesday(8), tuesday(9)]),
    ),
    max_size=6,
    unique_by=lambda one: one.person,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CANDIDATES, st.randoms())
def test_nobody_away_or_off_shift_is_chosen_and_the_order_asked_in_changes_nothing(candidates, random):
    ranked = choosing.rank(candidates)
    shuffled = list(candidates)
    random.shuffle(shuffled)

    assert all(one.candidate.may_be_next for one in ranked)
    assert {one.candidate.person for one in ranked} == {one.person for one in candidates if one.may_be_next}
    assert choosing.rank(shuffled) == ranked


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CANDIDATES)
def test_who_is_first_stays_first_with_less_to_do(candidates):
    ranked = choosing.rank(candidates)
    if ranked:
        best = ranked[0].candidate
        lighter = replace(best, load=replace(best.load, weight=0))
        others = [one for one in candidates if one.person != best.person]
        assert choosing.rank([*others, lighter])[0].candidate == lighter


# As verbs


def on_shift(*people, line=2, weekdays=(0, 1, 2, 3, 4)):
    manager = a_manager()
    for person in people:
        planning.plan_shift(
            person,
            line=Line.objects.get(pk=line),
            weekdays=weekdays,
            starts=540,
            ends=1080,
            since=date(2026, 11, 2),
            by=manager,
            at=november(2),
        )


def automatic(line, how="assign"):
    Line.objects.filter(pk=line).update(choosing=how)


@pytest.mark.django_db
def test_next_engineer_is_assigned_at_the_receipt_in_the_same_breath():
    automatic(2)
    product = ProductFactory()
    novice, expert = an_engineer(2), an_engineer(2)
    Skill.objects.create(user=expert, product=product, level=3)
    on_shift(novice, expert)

    ticket = open_ticket(topic="database", product=product)

    assert (ticket.assignee, ticket.owner, ticket.state) == (expert, None, "new")
    opened, assigned = ticket.events.order_by("pk")
    assert (opened.verb, assigned.verb, assigned.by, assigned.details["automatic"]) == (
        "opened",
        "assigned",
        None,
        True,
    )
    assert assigned.details["why"]["skill"] == 3
    assert [one["name"] for one in assigned.details["others"]] == [novice.short_name]
    assert [clock.kind for clock in ticket.commitments.running() if clock.kind == "reaction"] == ["reaction"]


@pytest.mark.django_db
def test_assigned_engineer_still_accepts_and_ends_the_reaction():
    automatic(2)
    engineer = an_engineer(2)
    on_shift(engineer)
    ticket = open_ticket(topic="database")

    ticket = workflow.accept(ticket, by=engineer, at=tuesday(10, 5))

    assert (ticket.state, ticket.owner) == ("in_progress", engineer)
    assert not ticket.commitments.running().filter(kind="reaction").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("how", ["off", "suggest"])
def test_nobody_is_assigned_by_itself_where_the_line_has_it_otherwise(how):
    automatic(2, how)
    on_shift(an_engineer(2))

    assert open_ticket(topic="database").assignee is None


@pytest.mark.django_db
def test_hand_over_assigns_the_next_of_the_receiving_line_and_not_who_handed_over():
    automatic(2)
    both, other = an_engineer(2), an_engineer(2)
    both.lines.add(1)
    on_shift(both, other)
    Skill.objects.create(user=both, product=ProductFactory(), level=3)
    ticket = workflow.accept(open_ticket(product=ProductFactory()), by=both, at=tuesday(10, 5))

    workflow.hand_over(ticket, by=both, to_line=2, known="The log", asked="Read it", at=tuesday(10, 10))

    ticket.refresh_from_db()
    assert ticket.assignee == other
    assert workflow.lines.hand_over_waiting(ticket) is not None


@pytest.mark.django_db
def test_nobody_on_shift_nobody_assigned_and_the_page_says_when_somebody_comes():
    automatic(2)
    engineer = an_engineer(2)
    on_shift(engineer)

    ticket = open_ticket(topic="database", at=tuesday(20))

    assert ticket.assignee is None
    assert next_engineer.who_is_next(ticket, at=tuesday(20)).nobody == (
        f"Nobody is on line 2 until Wed 09:00, then {engineer.short_name} comes."
    )
    with pytest.raises(NotAllowed) as refusal:
        workflow.assign_next(ticket, by=a_lead(2), at=tuesday(20))
    assert refusal.value.message.startswith("Nobody is on line 2 until Wed 09:00")


@pytest.mark.django_db
def test_engineer_does_not_assign_the_next():
    with pytest.raises(Forbidden):
        workflow.assign_next(open_ticket(), by=an_engineer(1), at=tuesday(11))


@pytest.mark.django_db
def test_tickets_of_who_is_away_go_to_the_stand_in():
    engineer, stand_in, lead = an_engineer(2), an_engineer(2), a_lead(2)
    ticket = workflow.accept(open_ticket(topic="database"), by=engineer, at=tuesday(10, 5))
    Absence.objects.create(user=engineer, starts_at=tuesday(11), ends_at=november(20), substitute=stand_in)

    workflow.relieve(ticket, by=lead, at=tuesday(12))

    ticket.refresh_from_db()
    assert ticket.assignee == stand_in
    assert ticket.events.latest("pk").details["away"] == engineer.full_name
    with pytest.raises(NotAllowed):
        workflow.relieve(ticket, by=lead, at=tuesday(12, 1))


@pytest.mark.django_db
def test_ranking_costs_the_same_for_one_engineer_and_for_three(django_assert_num_queries):
    ticket = open_ticket(a_customer(), topic="database")
    for count in (1, 2):
        on_shift(*(an_engineer(2) for _number in range(count)))
        with django_assert_num_queries(2):
            assert next_engineer.who_is_next(ticket, at=tuesday(10) + timedelta(minutes=5)).best
