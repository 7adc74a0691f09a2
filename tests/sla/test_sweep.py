"""The sweep (`sla/sweep.py`): the ladder at its exact moments, once each, whoever and however many sweep (§4.4, §4.5).

Tickets are of Premium and opened on Tuesday 17 November 2026 at 10:00 Moscow unless a test says otherwise.
"""

import threading
from collections import Counter
from datetime import time, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import translation

from accounts.models import Absence
from sla.ladder import next_rungs
from sla.models import Commitment, Escalation, Ladder, LadderStep, SweepTrouble
from sla.sweep import _calendar, sweep
from tests.factories import (
    MOSCOW,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tests.moments import december, november, tuesday
from tickets import workflow

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def called(ticket, kind):
    """The rungs reached so far, in the order in which they were written."""
    return list(
        ticket.escalations.filter(commitment__kind=kind).order_by("pk").values_list("percent", "whom", "reached_at")
    )


def everybody_answers():
    """Who was called in says “I have it” at once, so that no rung is called before its own time."""
    Escalation.objects.filter(state="open").update(state="acknowledged")


def in_work(**fields):
    ticket = open_ticket(**fields)
    return workflow.accept(ticket, by=an_engineer(), at=ticket.opened_at)


# Pure


def test_next_rungs_are_those_reached_and_the_moment_of_the_next():
    rungs = [
        {"percent": 50, "whom": "assignee", "at": tuesday(11).isoformat()},
        {"percent": 75, "whom": "line_lead", "at": tuesday(11, 30).isoformat()},
        {"percent": 100, "whom": "csm", "at": tuesday(12).isoformat()},
    ]

    def reached(done, now):
        found, following = next_rungs(rungs, done, now)
        return [rung.position for rung in found], following

    assert reached(0, tuesday(10, 59, 59)) == ([], tuesday(11))
    assert reached(0, tuesday(11)) == ([0], tuesday(11, 30))
    assert reached(1, tuesday(11)) == ([], tuesday(11, 30))
    assert reached(0, tuesday(12)) == ([0, 1], tuesday(12))  # "at most" holds to the deadline's own instant
    assert reached(0, tuesday(12, 0, 1)) == ([0, 1, 2], None)
    assert reached(3, tuesday(18)) == ([], None)


# The ladder of §4.4


LADDERS = [
    # package, priority, promise, rungs: percent, whom, when it falls due
    (
        "premium", 1, "reaction",  # 30 min
        [
            (50, "line_queue", tuesday(10, 15)),
            (75, "line_lead", tuesday(10, 22, 30)),
            (100, "csm", tuesday(10, 30)),
            (150, "top_management", tuesday(10, 45)),
        ],
    ),
    (
        "premium", 3, "reaction",  # 2 h
        [
            (50, "line_queue", tuesday(11)),
            (75, "line_lead", tuesday(11, 30)),
            (100, "csm", tuesday(12)),
            (200, "top_management", tuesday(14)),
        ],
    ),
    (
        "basic", 2, "reaction",  # 8 h, Mon–Fri 9–18
        [
            (50, "line_queue", tuesday(14)),
            (75, "line_lead", tuesday(16)),
            (100, "csm", tuesday(18)),
            (200, "top_management", november(18, 17)),  # 16 h: eight more on Wednesday from nine
        ],
    ),
    (
        "premium", 1, "resolution",  # 2 h
        [
            (50, "assignee", tuesday(11)),
            (75, "line_lead", tuesday(11, 30)),
            (90, "csm", tuesday(11, 48)),
            (100, "csm", tuesday(12)),
            (100, "support_manager", tuesday(12)),
            (125, "top_management", tuesday(12, 30)),
        ],
    ),
    (
        "premium", 2, "resolution",  # 18 working hours from Tuesday 10:00: eight today, nine a day after
        [
            (50, "assignee", november(18, 10)),
            (75, "line_lead", november(18, 14, 30)),
            (90, "csm", november(18, 17, 12)),
            (100, "csm", november(19, 10)),
            (100, "support_manager", november(19, 10)),
            (125, "top_management", november(19, 14, 30)),
        ],
    ),
    (
        "premium", 3, "resolution",  # 90 working hours
        [
            (50, "assignee", november(24, 10)),  # 45 h: five working days
            (75, "line_lead", november(26, 14, 30)),  # 67.5 h
            (90, "csm", november(30, 10)),  # 81 h: nine working days
            (100, "csm", december(1, 10)),
            (100, "support_manager", december(1, 10)),
            (125, "top_management", december(3, 14, 30)),  # 112.5 h: twelve days and a half
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("package", "priority", "kind", "rungs"), LADDERS)
def test_sweep_climbs_each_rung_at_its_moment_and_not_a_second_before(package, priority, kind, rungs):
    ticket = open_ticket(a_customer(package), priority=priority)
    if kind == "resolution":
        workflow.accept(ticket, by=an_engineer(), at=tuesday(10))

    for moment in sorted({moment for _percent, _whom, moment in rungs}):
        sweep(moment - SECOND)
        assert called(ticket, kind) == [rung for rung in rungs if rung[2] < moment]
        everybody_answers()

        sweep(moment)
        everybody_answers()
        on_time = [rung for rung in rungs if rung[2] < moment or (rung[2] == moment and rung[0] < 100)]
        assert called(ticket, kind) == on_time  # from the deadline on a rung is reached only after its instant

        sweep(moment + SECOND)
        assert called(ticket, kind) == [rung for rung in rungs if rung[2] <= moment]
        everybody_answers()

    assert ticket.commitments.get(kind=kind).next_check_at is None


def test_sweep_calls_the_person_behind_each_rung():
    lead, manager, boss, csm, engineer = a_lead(line=1), a_manager(), top(), a_csm(), an_engineer()
    a_lead(line=2)
    ticket = open_ticket(a_customer(csm=csm), priority=1)
    sweep(tuesday(10, 50))
    workflow.accept(ticket, by=engineer, at=tuesday(10, 50))

    sweep(tuesday(13))

    assert list(ticket.escalations.order_by("pk").values_list("whom", "person")) == [
        ("line_queue", None),
        ("line_lead", lead.pk),
        ("csm", csm.pk),
        ("top_management", boss.pk),
        ("assignee", engineer.pk),
        ("line_lead", lead.pk),
        ("csm", csm.pk),
        ("csm", csm.pk),
        ("support_manager", manager.pk),
        ("top_management", boss.pk),
    ]


def test_support_manager_stands_in_where_there_is_no_csm_or_lead():
    manager = a_manager()
    ticket = open_ticket(a_customer("business"), priority=1)

    sweep(tuesday(11, 1))

    assert list(ticket.escalations.order_by("pk").values_list("percent", "whom", "person")) == [
        (50, "line_queue", None),
        (75, "line_lead", manager.pk),
        (100, "csm", manager.pk),
    ]


def test_support_manager_stands_in_for_a_csm_who_has_left():
    manager, csm = a_manager(), a_csm()
    ticket = open_ticket(a_customer(csm=csm), priority=1)
    csm.is_active = False
    csm.save()

    sweep(tuesday(10, 31))

    assert ticket.escalations.get(whom="csm").person == manager


@pytest.mark.parametrize(("package", "stands_in"), [("premium", False), ("basic", True)])
def test_csm_is_called_only_where_the_package_has_a_dedicated_one(package, stands_in):
    manager, csm = a_manager(), a_csm()
    ticket = open_ticket(a_customer(package, csm=csm), priority=1)

    sweep(tuesday(14, 0, 1))

    assert ticket.escalations.get(commitment__kind="reaction", whom="csm").person == (manager if stands_in else csm)


# Missed


def test_sweep_marks_a_promise_missed_after_its_instant():
    ticket = open_ticket(priority=1)
    reaction = ticket.commitments.get(kind="reaction")

    assert sweep(tuesday(10, 30)).missed == 0
    reaction.refresh_from_db()
    assert (reaction.ending, reaction.next_check_at) == ("", tuesday(10, 30, 1))

    assert sweep(tuesday(10, 30, 1)).missed == 1
    reaction.refresh_from_db()
    assert (reaction.ending, reaction.stopped_at, reaction.next_check_at) == ("missed", None, tuesday(10, 45))


def test_sweep_without_a_ladder_still_marks_a_miss():
    ticket = open_ticket(priority=1)
    Commitment.objects.filter(ticket=ticket).update(rungs=[], next_check_at=tuesday(10, 30))

    swept = sweep(tuesday(10, 31))

    assert (swept.missed, swept.escalations) == (1, 0)
    assert ticket.commitments.get(kind="reaction").next_check_at is None


# Once, in order, and no longer than needed


def test_sweep_again_does_nothing_again():
    ticket = open_ticket(priority=1)
    sweep(tuesday(11, 50))
    before = list(ticket.escalations.order_by("pk").values())

    again = sweep(tuesday(11, 50))

    assert (again.looked_at, again.escalations) == (0, 0)
    assert list(ticket.escalations.order_by("pk").values()) == before


def test_sweep_after_an_outage_catches_up_in_order_at_once():
    ticket = open_ticket(priority=1)

    swept = sweep(november(18, 10))

    assert called(ticket, "reaction") == LADDERS[0][3]
    assert called(ticket, "resolution") == LADDERS[3][3]
    assert set(ticket.escalations.values_list("created_at", flat=True)) == {november(18, 10)}
    assert (swept.looked_at, swept.missed, swept.escalations, swept.set_aside) == (2, 2, 10, 0)


def test_sweep_ignores_a_clock_met_in_between():
    ticket = open_ticket(priority=1)
    sweep(tuesday(10, 20))
    workflow.reply(ticket, by=an_engineer(), body="Looking at it", at=tuesday(10, 21))

    sweep(tuesday(10, 59))

    assert called(ticket, "reaction") == [(50, "line_queue", tuesday(10, 15))]


def test_sweep_leaves_a_standing_clock_alone():
    ticket = in_work(priority=1)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(10, 20))

    assert sweep(november(18, 10)).looked_at == 0

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8.4", at=november(18, 10))
    sweep(november(18, 10, 40))

    assert called(ticket, "resolution") == [(50, "assignee", november(18, 10, 40))]


@pytest.mark.parametrize("verb", ["withdraw", "decline", "resolve"])
def test_sweep_has_nothing_to_do_once_the_ticket_has_ended(verb):
    ticket = in_work(priority=1)
    by = contact_of(ticket.customer) if verb == "withdraw" else ticket.assignee
    words = {"withdraw": {}, "decline": {"reason": "Networks are outside"}, "resolve": {"body": "Restarted"}}[verb]

    getattr(workflow, verb)(ticket, by=by, at=tuesday(10, 30), **words)

    assert sweep(december(31)).looked_at == 0


def test_sweep_of_nothing_is_one_statement(django_assert_num_queries):
    open_ticket(priority=1)

    with django_assert_num_queries(1):  # the index range
        assert sweep(tuesday(10, 1)).looked_at == 0


@pytest.mark.parametrize("tickets", [1, 3])
def test_sweep_of_three_costs_what_one_costs(tickets, django_assert_num_queries):
    customer = a_customer()
    for _number in range(tickets):
        open_ticket(customer, priority=1)
    _calendar(Commitment.objects.filter(kind="reaction").earliest("pk").calendar_version_id)  # once in a process

    for minute, statements in ((16, 7), (23, 12), (31, 12)):  # a queue, a person, a miss
        with django_assert_num_queries(statements):
            assert sweep(tuesday(10, minute)).looked_at == tickets


def test_sweep_takes_every_row_however_small_its_batch():
    customer = a_customer()
    for _number in range(5):
        open_ticket(customer, priority=1)

    assert sweep(tuesday(10, 16), batch=2).looked_at == 5


# Lines and answers have ladders too


def test_late_acceptance_of_a_hand_over_calls_the_lead_of_the_receiving_line():
    lead, manager = a_lead(line=2), a_manager()
    ticket = in_work(priority=3)
    workflow.hand_over(ticket, by=ticket.assignee, to_line=2, known="The log", asked="Read it", at=tuesday(10))

    sweep(tuesday(11))
    assert called(ticket, "line_acceptance") == []

    sweep(tuesday(12, 0, 1))
    assert list(
        ticket.escalations.filter(commitment__kind="line_acceptance").order_by("pk").values_list("whom", "person")
    ) == [("line_lead", lead.pk), ("support_manager", manager.pk)]


def test_late_answer_to_an_escalation_calls_top_management():
    boss = top()
    ticket = in_work(priority=1)
    workflow.escalate(ticket, by=contact_of(ticket.customer), whom="csm", reason="Too slow", at=tuesday(10))

    sweep(tuesday(11, 0, 1))

    assert called(ticket, "escalation_answer") == [(75, "csm", tuesday(10, 45)), (100, "top_management", tuesday(11))]
    assert ticket.escalations.get(whom="top_management").person == boss


# Poison


@pytest.mark.parametrize(
    "rungs",
    [
        [{"percent": 50}],
        [{"percent": 50, "whom": "line_queue", "at": "yesterday"}],
        [{"percent": 50, "whom": "the cat", "at": tuesday(10, 15).isoformat()}],
        [{"percent": 99_999, "whom": "line_queue", "at": tuesday(10, 15).isoformat()}],  # the database refuses that
        ["50"],
        {"percent": 50},
    ],
)
def test_poisoned_row_is_set_aside_for_an_hour_and_the_rest_goes_on(rungs):
    customer = a_customer()
    poisoned = open_ticket(customer, priority=1).commitments.get(kind="reaction")
    fine = [open_ticket(customer, priority=1) for _number in range(2)]
    Commitment.objects.filter(pk=poisoned.pk).update(rungs=rungs, next_check_at=tuesday(10, 14))

    swept = sweep(tuesday(10, 16))

    assert (swept.looked_at, swept.escalations, swept.set_aside) == (2, 2, 1)
    for ticket in fine:
        assert called(ticket, "reaction") == [(50, "line_queue", tuesday(10, 15))]
    trouble = SweepTrouble.objects.get()
    assert (trouble.commitment, trouble.happened_at, trouble.times) == (poisoned, tuesday(10, 16), 1)
    assert trouble.error
    poisoned.refresh_from_db()
    assert poisoned.next_check_at == tuesday(11, 16)

    sweep(tuesday(11, 17))

    trouble.refresh_from_db()
    assert (trouble.times, trouble.happened_at) == (2, tuesday(11, 17))


# By hand


def test_command_sweeps_at_the_moment_given_and_says_what_it_did():
    open_ticket(priority=1)
    out = StringIO()

    call_command("sweep", at="2026-11-17T10:31:00+03:00", stdout=out)

    assert out.getvalue() == "looked at 1, missed 1, called in 3, set aside 0\n"


def test_command_reads_a_moment_without_an_offset_as_moscow_time():
    open_ticket(priority=1)
    out = StringIO()

    call_command("sweep", at="2026-11-17T10:14:59", stdout=out)
    call_command("sweep", at="2026-11-17T10:15:00", stdout=out)

    assert out.getvalue().splitlines() == [
        "looked at 0, missed 0, called in 0, set aside 0",
        "looked at 1, missed 0, called in 1, set aside 0",
    ]


def test_command_shows_what_was_set_aside():
    row = open_ticket(priority=1).commitments.get(kind="reaction")
    Commitment.objects.filter(pk=row.pk).update(rungs=[{"percent": 50}])
    out = StringIO()

    call_command("sweep", at="2026-11-17T10:15:00+03:00", stdout=out)

    assert out.getvalue().splitlines() == [
        "looked at 0, missed 0, called in 0, set aside 1",
        f"set aside: commitment {row.pk}, 1×, last at 2026-11-17T07:15:00+00:00: KeyError('at')",
    ]


def test_command_is_silent_about_what_could_be_read_since():
    row = open_ticket(a_customer("business"), priority=1).commitments.get(kind="reaction")
    whole = row.rungs
    Commitment.objects.filter(pk=row.pk).update(rungs=[{"percent": 50}])
    sweep(tuesday(10, 30))
    Commitment.objects.filter(pk=row.pk).update(rungs=whole)
    out = StringIO()

    call_command("sweep", at="2026-11-17T11:30:00+03:00", stdout=out)

    assert out.getvalue() == "looked at 1, missed 1, called in 3, set aside 0\n"


@pytest.mark.parametrize("words", ["yesterday", "2026-13-01T00:00:00", ""])
def test_command_says_what_a_moment_looks_like(words):
    with pytest.raises(CommandError, match="moment"):
        call_command("sweep", at=words)


# At once


def together(*calls):
    """Runs the calls in threads with connections of their own, all at the same moment; raises what any raised."""
    barrier = threading.Barrier(len(calls))
    results, errors = [], []

    def run(call):
        try:
            barrier.wait(timeout=30)
            results.append(call())
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[call]) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    if errors:
        raise errors[0]
    assert len(results) == len(calls), "a call did not come back"
    return results


@pytest.mark.django_db(transaction=True)
def test_four_sweeps_at_once_over_300_due_commitments_make_exactly_the_rungs_due(catalogue_again):
    customer = a_customer()
    tickets = [open_ticket(customer, priority=1) for _number in range(150)]
    now = tuesday(11, 0, 30)
    assert Commitment.objects.due_for_check(now).count() == 300

    swept = together(*[lambda: sweep(now, batch=20)] * 4)

    # Of each ticket the four rungs of its reaction (the last was at 10:45) and the first of its resolution (11:00)
    due = {
        (ticket.pk, kind, position)
        for ticket in tickets
        for kind, rungs in (("reaction", 4), ("resolution", 1))
        for position in range(rungs)
    }
    made = Counter(Escalation.objects.values_list("ticket", "commitment__kind", "position"))
    assert set(made) == due
    assert set(made.values()) == {1}
    assert sum(one.looked_at for one in swept) == 300
    assert sum(one.escalations for one in swept) == 750
    assert sum(one.missed for one in swept) == 150
    assert not Commitment.objects.due_for_check(now).exists()
    assert not SweepTrouble.objects.exists()
    order = list(Escalation.objects.filter(ticket=tickets[0]).order_by("pk").values_list("reached_at", flat=True))
    assert order[:4] == sorted(order[:4])


@pytest.mark.django_db(transaction=True)
def test_sweep_does_not_wait_for_a_verb_that_holds_the_ticket(catalogue_again):
    ticket = open_ticket(priority=1)

    # A verb holds the ticket and will want its clocks; the sweep holds the clocks and writes rows that point at the
    # ticket. Were that to need the ticket's lock, the two would wait for each other for ever.
    with transaction.atomic():
        workflow.lock(ticket)
        (swept,) = together(lambda: sweep(tuesday(10, 16)))

    assert swept.escalations == 1


@pytest.mark.django_db(transaction=True)
def test_sweep_passes_over_a_clock_that_a_verb_is_stopping(catalogue_again):
    ticket = open_ticket(priority=1)

    with transaction.atomic():
        workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 15))
        (swept,) = together(lambda: sweep(tuesday(10, 31)))

    assert swept.looked_at == 0
    assert sweep(tuesday(10, 31)).looked_at == 0
    assert ticket.commitments.get(kind="reaction").ending == "met"


@pytest.mark.django_db(transaction=True)
def test_sweeps_and_verbs_at_once_end_every_clock_once(catalogue_again):
    customer, engineer = a_customer(), an_engineer()
    tickets = [open_ticket(customer, priority=1) for _number in range(30)]

    def accept_all():
        for ticket in tickets:
            workflow.accept(ticket, by=engineer, at=tuesday(10, 29))

    together(accept_all, *[lambda: sweep(tuesday(10, 20), batch=7)] * 3)

    reactions = Commitment.objects.filter(kind="reaction")
    assert set(reactions.values_list("ending", "stopped_at", "next_check_at")) == {("met", tuesday(10, 29), None)}
    assert not Escalation.objects.open().exists()
    assert max(Counter(Escalation.objects.values_list("commitment", "position")).values(), default=1) == 1


# Acknowledged in time, or the next one is called (domain §4.4)


@pytest.mark.parametrize(
    ("package", "priority", "rungs"),
    [
        # The lead has 20 minutes at priority 1, else 45; the CSM 45 and 150.
        ("premium", 1, [(75, tuesday(10, 22, 30)), (100, tuesday(10, 30)), (150, tuesday(10, 45))]),
        ("premium", 3, [(75, tuesday(11, 30)), (100, tuesday(12)), (200, tuesday(14))]),
        ("business", 1, [(75, tuesday(10, 45)), (100, tuesday(11)), (150, tuesday(11, 30))]),
        ("business", 3, [(75, tuesday(13)), (100, tuesday(13, 45)), (200, tuesday(16, 15))]),
        ("basic", 1, [(75, tuesday(13)), (100, tuesday(13, 20)), (150, tuesday(14, 5))]),
        ("basic", 3, [(75, tuesday(16)), (100, tuesday(16, 45)), (200, november(18, 10, 15))]),
    ],
)
def test_the_ladder_of_a_reaction_that_nobody_answers(package, priority, rungs):
    ticket = open_ticket(a_customer(package), priority=priority)

    while due := Commitment.objects.due_for_check(november(19)).filter(ticket=ticket, kind="reaction").first():
        sweep(due.next_check_at)

    assert [(percent, at) for percent, _whom, at in called(ticket, "reaction")][1:] == rungs


def waiting_ladder(**first: object) -> None:
    """Reactions of the package: half way the line lead, with so many minutes to say “I have it”; then the manager."""
    LadderStep.objects.filter(ladder__kind="reaction").delete()
    ladder = Ladder.objects.get(kind="reaction", priority=None)
    Ladder.objects.filter(kind="reaction", priority=1).delete()
    LadderStep.objects.create(ladder=ladder, percent=50, whom="line_lead", **{"within": 10, **first})
    LadderStep.objects.create(ladder=ladder, percent=90, whom="support_manager", within=10)
    LadderStep.objects.create(ladder=ladder, percent=150, whom="top_management")


def calls() -> list[tuple[str, object, bool]]:
    rows = Escalation.objects.order_by("position")
    return [(row.whom, row.reached_at.astimezone(MOSCOW), row.is_early) for row in rows]


def test_a_rung_that_nobody_acknowledges_calls_the_next_one():
    waiting_ladder()
    a_lead(1)
    open_ticket(priority=1)  # reaction in 30 minutes: half at 10:15, 90 % at 10:27

    sweep(tuesday(10, 15))
    sweep(tuesday(10, 24, 59))
    assert calls() == [("line_lead", tuesday(10, 15), False)]

    sweep(tuesday(10, 25))
    sweep(tuesday(10, 29))
    assert calls() == [("line_lead", tuesday(10, 15), False), ("support_manager", tuesday(10, 25), True)]


def test_an_unheard_ladder_is_climbed_to_its_top():
    waiting_ladder()
    open_ticket(priority=1)

    for minute in range(15, 46):
        sweep(tuesday(10, minute))

    assert calls() == [
        ("line_lead", tuesday(10, 15), False),
        ("support_manager", tuesday(10, 25), True),
        ("top_management", tuesday(10, 35), True),
    ]


def test_a_rung_that_was_acknowledged_calls_nobody_early():
    waiting_ladder()
    lead = a_lead(1)
    open_ticket(priority=1)
    sweep(tuesday(10, 15))

    workflow.acknowledge(Escalation.objects.get(), by=lead, at=tuesday(10, 20))
    sweep(tuesday(10, 25))
    sweep(tuesday(10, 27))

    assert calls() == [("line_lead", tuesday(10, 15), False), ("support_manager", tuesday(10, 27), False)]


def test_after_an_outage_people_get_their_time_from_now_on():
    waiting_ladder()
    open_ticket(priority=1)

    sweep(tuesday(10, 22))  # seven minutes late
    assert Escalation.objects.get().acknowledge_by == tuesday(10, 32)

    sweep(tuesday(10, 27))
    assert [row[0] for row in calls()] == ["line_lead", "support_manager"]


def test_the_time_to_acknowledge_is_service_time():
    waiting_ladder(within=60)
    customer = a_customer("basic")
    open_ticket(customer, priority=2, at=tuesday(13, 30))  # 8 hours, to Wednesday 12:30; half at 17:30

    sweep(tuesday(17, 30))

    assert Escalation.objects.get().acknowledge_by == tuesday(9, 30) + timedelta(days=1)


# Who is away


def test_who_is_away_is_stood_in_for_by_the_substitute():
    lead, substitute = a_lead(1), an_engineer(1)
    Absence.objects.create(user=lead, substitute=substitute, starts_at=tuesday(0), ends_at=tuesday(18))
    open_ticket(priority=1)

    sweep(tuesday(10, 24))

    row = Escalation.objects.get(whom="line_lead")
    assert (row.person, row.instead_of) == (substitute, lead)


@pytest.mark.parametrize("is_other_away", [False, True])
def test_without_a_substitute_another_of_the_place_stands_in(is_other_away):
    manager, lead, other = a_manager(), a_lead(1), a_lead(1)
    for person in [lead, other] if is_other_away else [lead]:
        Absence.objects.create(user=person, starts_at=tuesday(0), ends_at=tuesday(18))
    open_ticket(priority=1)

    sweep(tuesday(10, 24))

    row = Escalation.objects.get(whom="line_lead")
    assert (row.person, row.instead_of) == (manager if is_other_away else other, lead)


def test_where_everybody_is_away_the_person_wanted_is_called():
    lead = a_lead(1)
    Absence.objects.create(user=lead, starts_at=tuesday(0), ends_at=tuesday(18))
    open_ticket(priority=1)

    sweep(tuesday(10, 24))

    row = Escalation.objects.get(whom="line_lead")
    assert (row.person, row.instead_of) == (lead, None)


def test_who_came_back_is_called_again():
    lead = a_lead(1)
    Absence.objects.create(user=lead, starts_at=tuesday(0), ends_at=tuesday(10, 22))
    a_lead(1)
    open_ticket(priority=1)

    sweep(tuesday(10, 23))

    assert Escalation.objects.get(whom="line_lead").person == lead


# Quiet hours


def test_a_letter_waits_for_the_end_of_quiet_hours_and_the_escalation_does_not():
    waiting_ladder(quiet_from=time(22), quiet_to=time(8))
    open_ticket(priority=2, at=tuesday(21, 30))  # Premium: 2 hours; half at 22:30

    sweep(tuesday(22, 30))

    row = Escalation.objects.get()
    assert (row.created_at, row.letter_after) == (tuesday(22, 30), tuesday(8) + timedelta(days=1))


def test_priority_1_has_no_quiet_hours():
    waiting_ladder(quiet_from=time(22), quiet_to=time(8))
    open_ticket(priority=1, at=tuesday(22))

    sweep(tuesday(22, 15))

    assert Escalation.objects.get().letter_after is None
