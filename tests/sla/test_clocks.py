"""The clocks of a ticket (`sla/clocks.py`): what is promised, when it is kept, what stops and starts it (domain §4.1).

Every due time is worked out by hand beside the case. Tickets are opened on Tuesday 17 November 2026 at 10:00 Moscow
unless a test says otherwise.
"""

from datetime import date, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from contracts.models import Package, PackageTerms, TermsTarget
from sla import clocks
from sla.ladder import Step
from sla.models import Calendar, Commitment, Escalation
from sla.promises import promised_times
from sla.sweep import sweep
from tests.factories import a_clause, a_customer, a_lead, an_engineer, contact_of, contract_of, open_ticket
from tests.moments import december, november, tuesday
from tickets import workflow

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def clock(ticket, kind):
    """The newest clock of a kind."""
    return ticket.commitments.filter(kind=kind).latest("pk")


def due(ticket, kind):
    row = ticket.commitments.filter(kind=kind).order_by("pk").last()
    return row.due_at if row else None


def rungs(commitment):
    return [(rung["percent"], datetime.fromisoformat(rung["at"])) for rung in commitment.rungs]


# What is promised at the receipt


@pytest.mark.parametrize(
    ("package", "priority", "reaction", "resolution"),
    [
        # §1.4 and §1.5, received on Tuesday at 10:00 when every package is open
        ("basic", 1, tuesday(14), None),
        ("basic", 2, tuesday(18), None),  # eight hours end at closing time itself
        ("basic", 3, tuesday(18), None),
        ("basic", 4, tuesday(18), None),
        ("business", 1, tuesday(11), None),
        ("business", 2, tuesday(14), None),
        ("business", 3, tuesday(14), None),
        ("business", 4, tuesday(14), None),
        ("premium", 1, tuesday(10, 30), tuesday(12)),
        ("premium", 2, tuesday(12), november(19, 10)),
        ("premium", 3, tuesday(12), december(1, 10)),  # ten working days: two weeks
        ("premium", 4, tuesday(12), december(15, 10)),  # twenty: four weeks
    ],
)
def test_opening_promises_what_the_package_and_priority_promise(package, priority, reaction, resolution):
    ticket = open_ticket(a_customer(package), priority=priority)

    assert (due(ticket, "reaction"), due(ticket, "resolution")) == (reaction, resolution)


JANUARY = december(31) + timedelta(days=1)  # 1 January 2027


@pytest.mark.parametrize(
    ("package", "priority", "received", "reaction", "resolution"),
    [
        # Friday 17:30: half an hour to closing, seven and a half on Monday from nine
        ("basic", 2, november(13, 17, 30), november(16, 16, 30), None),
        ("basic", 1, november(13, 17, 30), november(16, 12, 30), None),
        # Saturday: Basic is closed until Monday, Business is open
        ("basic", 1, november(21, 12), november(23, 13), None),
        ("business", 1, november(21, 12), november(21, 13), None),
        # Saturday at 20:00: Business opens on Sunday at nine
        ("business", 1, november(21, 20), november(22, 10), None),
        # Sunday at three in the night: Premium never closes
        ("premium", 1, november(22, 3), november(22, 3, 30), november(22, 5)),
        # "2 working days" = 18 working hours: Tuesday 10:30 to Thursday 10:30 (§1.5)
        ("premium", 2, tuesday(10, 30), tuesday(12, 30), november(19, 10, 30)),
        # Friday 17:30: half an hour, nine on Monday, eight and a half on Tuesday
        ("premium", 2, november(13, 17, 30), november(13, 19, 30), tuesday(17, 30)),
        # Tuesday 3 November 10:30: Wednesday the fourth is a holiday, so Friday 10:30
        ("premium", 2, november(3, 10, 30), november(3, 12, 30), november(6, 10, 30)),
        # Sunday: the reaction runs at once, the working days begin on Monday at nine
        ("premium", 2, november(22, 3), november(22, 5), november(24, 18)),
        # Half a minute before closing on the eve of the holiday: the seconds are kept
        ("premium", 2, november(3, 17, 59, 30), november(3, 19, 59, 30), november(6, 17, 59, 30)),
        # Half an hour to the New Year: due at midnight itself, 24:00 of the old year
        ("premium", 1, december(31, 23, 30), JANUARY, JANUARY + timedelta(minutes=90)),
        # One hour is left on the 30th; the 31st to the 10th are days off, so nine on the 11th and eight on the 12th
        ("premium", 2, december(30, 17), december(30, 19), JANUARY.replace(day=12, hour=17)),
    ],
)
def test_opening_outside_hours_counts_from_the_next_opening(package, priority, received, reaction, resolution):
    ticket = open_ticket(a_customer(package), priority=priority, at=received)

    assert (due(ticket, "reaction"), due(ticket, "resolution")) == (reaction, resolution)


def test_start_is_the_receipt_itself_also_while_closed():
    ticket = open_ticket(a_customer("basic"), priority=1, at=november(21, 12))

    assert clock(ticket, "reaction").started_at == november(21, 12)


def test_opening_drops_the_fraction_of_a_second():
    ticket = open_ticket(priority=1, at=tuesday(10).replace(microsecond=999_999))

    assert (ticket.opened_at, due(ticket, "reaction")) == (tuesday(10), tuesday(10, 30))


@pytest.mark.parametrize("kind", ["consultation", "service_request", "wish"])
def test_only_incidents_have_a_resolution_promise(kind):
    ticket = open_ticket(kind=kind, priority=None)

    assert ticket.priority == 4
    assert list(ticket.commitments.values_list("kind", "due_at")) == [("reaction", tuesday(12))]


def test_ticket_shows_its_nearest_deadline():
    ticket = open_ticket(priority=1)

    assert (ticket.due_at, ticket.due_kind, ticket.clock_paused) == (tuesday(10, 30), "reaction", False)

    ticket = workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 5))

    assert (ticket.due_at, ticket.due_kind) == (tuesday(12), "resolution")


# Clauses, and terms that change later (domain §2, §4)


def test_clause_overrides_the_target_of_the_package_and_is_named():
    customer = a_customer("premium")
    clause = a_clause(
        contract_of(customer),
        text_ru="45 минут",
        text_en="45 minutes",
        kind="reaction",
        priority=3,
        minutes=45,
    )

    ticket = open_ticket(customer, priority=3)

    reaction = clock(ticket, "reaction")
    assert (reaction.due_at, reaction.clause, reaction.amount, reaction.unit) == (
        tuesday(10, 45),
        clause,
        45,
        "minutes",
    )
    assert clock(ticket, "resolution").clause is None


def test_clause_promises_what_the_package_does_not_in_the_service_hours():
    customer = a_customer("basic")
    a_clause(contract_of(customer), text_ru="5 ч", text_en="5 h", kind="resolution", priority=2, minutes=300)

    ticket = open_ticket(customer, priority=2, at=tuesday(16))

    assert due(ticket, "resolution") == november(18, 12)  # two hours on Tuesday, three on Wednesday from nine


def new_terms(code, starts_on, minutes):
    """Terms that promise a reaction of so many minutes at every priority."""
    package = Package.objects.get(code=code)
    calendar = Calendar.objects.get(code="round-the-clock")
    terms = PackageTerms.objects.create(package=package, starts_on=starts_on, calendar=calendar)
    for priority in (1, 2, 3, 4):
        TermsTarget.objects.create(
            terms=terms, kind="reaction", priority=priority, amount=minutes, unit="minutes", calendar=calendar
        )
    return terms


def test_contract_and_ticket_keep_their_terms_when_the_package_gets_new_ones():
    customer = a_customer("premium")
    ticket = open_ticket(customer, priority=3)
    new_terms("premium", date(2026, 6, 1), 5)

    workflow.reclassify(ticket, by=an_engineer(), reason="Nothing works", priority=1, at=tuesday(10, 10))
    later = open_ticket(customer, priority=1, at=november(18, 10))

    assert due(ticket, "reaction") == tuesday(10, 30)
    assert due(later, "reaction") == november(18, 10, 30)
    assert later.terms == ticket.terms == contract_of(customer).terms


def test_new_version_of_a_calendar_moves_no_old_ticket():
    customer = a_customer("basic")
    ticket = open_ticket(customer, priority=2)
    Calendar.objects.get(code="basic-hours").versions.create(
        valid_from=tuesday(11), weekly_hours={"0": [["10:00", "12:00"]]}
    )

    workflow.reclassify(ticket, by=an_engineer(), reason="Nothing works", priority=1, at=tuesday(12))
    later = open_ticket(customer, priority=1, at=tuesday(12))

    assert due(ticket, "reaction") == tuesday(14)
    assert due(later, "reaction") == november(30, 12)  # two hours a Monday: the second Monday


# Reaction


@pytest.mark.parametrize(
    ("moment", "ending", "late"),
    [
        (tuesday(10, 29, 59), "met", None),
        (tuesday(10, 30, 0), "met", None),  # "at most 30 minutes" holds to its own instant
        (tuesday(10, 30, 1), "missed", tuesday(10, 30, 1)),
    ],
)
def test_reaction_is_met_to_the_second(moment, ending, late):
    ticket = open_ticket(priority=1)

    workflow.accept(ticket, by=an_engineer(), at=moment)

    reaction = clock(ticket, "reaction")
    assert (reaction.ending, reaction.met_late_at, reaction.stopped_at) == (ending, late, moment)


def test_reaction_missed_stays_missed_when_it_is_met_late():
    ticket = open_ticket(priority=1)
    sweep(tuesday(10, 31))
    assert (clock(ticket, "reaction").ending, clock(ticket, "reaction").stopped_at) == ("missed", None)

    workflow.accept(ticket, by=an_engineer(), at=tuesday(10, 40))

    reaction = clock(ticket, "reaction")
    assert (reaction.ending, reaction.met_late_at, reaction.why) == ("missed", tuesday(10, 40), "accepted")


@pytest.mark.parametrize(
    ("verb", "ends"),
    [
        ("accept", True),
        ("reply", True),
        ("ask_customer", True),
        ("resolve", True),
        ("decline", True),
        ("note", False),
        ("customer_reply", False),
        ("hand_over", False),
        ("attach_defect", False),
        ("assign", False),
    ],
)
def test_reaction_ends_when_a_person_accepts_or_replies_in_public(verb, ends):
    ticket = open_ticket(priority=1)
    engineer, moment = an_engineer(), tuesday(10, 10)

    match verb:
        case "accept":
            workflow.accept(ticket, by=engineer, at=moment)
        case "reply" | "ask_customer" | "resolve" | "note":
            getattr(workflow, verb)(ticket, by=engineer, body="Look at the log", at=moment)
        case "decline":
            workflow.decline(ticket, by=engineer, reason="Networks are outside support", at=moment)
        case "customer_reply":
            workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="Still nothing", at=moment)
        case "hand_over":
            workflow.hand_over(ticket, by=engineer, to_line=2, known="The log", asked="Read it", at=moment)
        case "attach_defect":
            workflow.attach_defect(ticket, by=engineer, title="t", steps="s", expected="e", actual="a", at=moment)
        case "assign":
            workflow.assign(ticket, by=a_lead(), to=engineer, at=moment)

    assert clock(ticket, "reaction").ending == ("met" if ends else "")


def test_reaction_never_pauses_in_the_database_either():
    reaction = clock(open_ticket(priority=1), "reaction")

    with pytest.raises(IntegrityError, match="commitment_reaction_never_pauses"), transaction.atomic():
        Commitment.objects.filter(pk=reaction.pk).update(paused_at=tuesday(10, 5), next_check_at=None)


# Resolution: pauses


def in_work(at=None, **fields):
    at = at or tuesday(10)
    ticket = open_ticket(at=at, **fields)
    return workflow.accept(ticket, by=an_engineer(), at=at)


def test_asking_the_customer_stops_the_resolution_and_the_answer_goes_on_with_it():
    ticket = in_work(priority=2, at=tuesday(10, 30))
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(12))

    standing = clock(ticket, "resolution")
    ticket.refresh_from_db()
    assert (standing.paused_at, standing.next_check_at) == (tuesday(12), None)
    assert (ticket.clock_paused, ticket.awaiting_since) == (True, tuesday(12))

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8.4", at=november(18, 11))

    # 1.5 of 18 hours were used; the other 16.5 from Wednesday 11:00: 7 on Wednesday, 9 on Thursday, 0.5 on Friday
    resolution = clock(ticket, "resolution")
    ticket.refresh_from_db()
    assert resolution.due_at == november(20, 9, 30)
    assert resolution.paused_at is None
    assert [(span.lower, span.upper) for span in resolution.pauses] == [(tuesday(12), november(18, 11))]
    assert rungs(resolution) == [
        (50, november(19, 9, 30)),  # 9 h: 7.5 from Wednesday 11:00
        (75, november(19, 14)),  # 13.5 h: 12 more
        (90, november(19, 16, 42)),  # 16.2 h: 14.7 more
        (100, november(20, 9, 30)),
        (100, november(20, 9, 30)),
        (125, november(20, 14)),  # 22.5 h: 21 more
    ]
    assert resolution.next_check_at == november(19, 9, 30)
    assert (ticket.due_at, ticket.clock_paused, ticket.awaiting_since) == (november(20, 9, 30), False, None)


def test_resolution_round_the_clock_is_later_by_what_it_stood_each_time():
    ticket = in_work(priority=1)
    contact = contact_of(ticket.customer)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(10, 20))
    workflow.customer_reply(ticket, by=contact, body="7.8.4", at=tuesday(11, 5))
    workflow.ask_customer(ticket, by=ticket.assignee, body="And the database?", at=tuesday(11, 10))
    workflow.stop_waiting(ticket, by=ticket.assignee, at=tuesday(11, 25, 30))

    assert due(ticket, "resolution") == tuesday(13, 0, 30)  # 12:00 + 45 min + 15 min 30 s


def test_resolving_while_waiting_does_not_count_the_wait():
    ticket = in_work(priority=1)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(10, 20))

    workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=tuesday(13))

    resolution = clock(ticket, "resolution")
    assert (resolution.ending, resolution.due_at) == ("met", tuesday(14, 40))  # 12:00 + 2 h 40 min


def test_missed_resolution_does_not_stand():
    ticket = in_work(priority=1)

    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(12, 0, 1))

    assert clock(ticket, "resolution").paused_at is None


def test_pause_of_no_length_leaves_no_span():
    ticket = in_work(priority=1)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(10, 20))
    workflow.withdraw(ticket, by=contact_of(ticket.customer), at=tuesday(10, 20))

    assert clock(ticket, "resolution").pauses == []


# Resolution: solved, reopened, closed, withdrawn, declined


@pytest.mark.parametrize(
    ("moment", "ending", "late"),
    [(tuesday(12), "met", None), (tuesday(12, 0, 1), "missed", tuesday(12, 0, 1))],
)
def test_resolution_is_met_to_the_second(moment, ending, late):
    ticket = in_work(priority=1)

    workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=moment)

    resolution = clock(ticket, "resolution")
    assert (resolution.ending, resolution.met_late_at, resolution.why) == (ending, late, "resolved")


def test_reopening_does_not_count_the_time_as_solved():
    ticket = in_work(priority=2, at=tuesday(10, 30))
    workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=tuesday(17))
    workflow.reopen(ticket, by=contact_of(ticket.customer), reason="It is back", at=november(19, 9, 30))

    # 6.5 of 18 hours were used; 11.5 from Thursday 9:30: 8.5 on Thursday, 3 on Friday
    met, again = ticket.commitments.filter(kind="resolution").order_by("pk")
    assert (met.ending, met.why, met.stopped_at) == ("superseded", "reopened", tuesday(17))
    assert (again.ending, again.started_at, again.due_at) == ("", tuesday(10, 30), november(20, 12))


def test_reopening_keeps_the_rungs_that_were_climbed():
    ticket = in_work(priority=1)
    sweep(tuesday(11, 10))  # 50 %
    workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=tuesday(11, 15))
    workflow.reopen(ticket, by=contact_of(ticket.customer), reason="It is back", at=tuesday(12, 15))

    sweep(tuesday(12, 20))

    assert clock(ticket, "resolution").rungs_done == 1
    assert list(ticket.escalations.values_list("percent", "commitment__kind")) == [(50, "resolution")]
    assert clock(ticket, "resolution").next_check_at == tuesday(12, 30)  # 75 % was 11:30, an hour later now


def test_reopening_a_missed_one_leaves_it_missed_and_not_yet_fulfilled():
    ticket = in_work(priority=1)
    workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=tuesday(13))
    workflow.reopen(ticket, by=contact_of(ticket.customer), reason="It is back", at=tuesday(14))

    resolution = ticket.commitments.get(kind="resolution")
    assert (resolution.ending, resolution.met_late_at, resolution.stopped_at) == ("missed", None, None)

    workflow.resolve(ticket, by=ticket.assignee, body="Replaced the disk", at=tuesday(15))

    resolution.refresh_from_db()
    assert (resolution.ending, resolution.met_late_at) == ("missed", tuesday(15))


def test_withdrawing_cancels_what_runs():
    ticket = open_ticket(priority=1)

    workflow.withdraw(ticket, by=contact_of(ticket.customer), at=tuesday(10, 20))

    assert list(ticket.commitments.values_list("kind", "ending", "next_check_at").order_by("kind")) == [
        ("reaction", "cancelled", None),
        ("resolution", "cancelled", None),
    ]


def test_withdrawing_does_not_wipe_out_a_miss_that_no_sweep_has_seen_yet():
    ticket = open_ticket(priority=1)

    workflow.withdraw(ticket, by=contact_of(ticket.customer), at=tuesday(11))

    assert list(ticket.commitments.values_list("kind", "ending").order_by("kind")) == [
        ("reaction", "missed"),
        ("resolution", "cancelled"),
    ]


def test_contesting_a_decline_goes_on_from_the_receipt_and_the_time_as_declined_counts():
    ticket = in_work(priority=1)
    workflow.decline(ticket, by=ticket.assignee, reason="Networks are outside support", at=tuesday(10, 40))
    assert clock(ticket, "resolution").ending == "cancelled"

    workflow.contest(ticket, by=contact_of(ticket.customer), reason="It is your service", at=tuesday(11, 10))

    resolution = clock(ticket, "resolution")
    assert (resolution.ending, resolution.started_at, resolution.due_at) == ("", tuesday(10), tuesday(12))
    assert resolution.pauses == []


def test_reopening_what_was_late_calls_the_next_in_as_late_as_it_was_solved():
    ticket = in_work(priority=1)
    sweep(tuesday(12, 0, 1))
    workflow.resolve(ticket, by=ticket.assignee, body="Restarted", at=tuesday(12, 10))

    workflow.reopen(ticket, by=contact_of(ticket.customer), reason="It falls again", at=november(19, 12, 10))

    resolution = clock(ticket, "resolution")
    assert (resolution.ending, resolution.due_at) == ("missed", tuesday(12))
    # 125 % is half an hour after the deadline: ten minutes were gone, two days as solved do not count.
    assert resolution.next_check_at == november(19, 12, 30)


def test_stopping_a_clock_closes_the_calls_of_its_ladder_and_no_others():
    ticket = open_ticket(priority=1)
    sweep(tuesday(11))  # the reaction's whole ladder, and 50 % of the resolution
    mine = workflow.escalate(
        ticket, by=contact_of(ticket.customer), whom="csm", reason="Nobody answers", at=tuesday(11, 1)
    )

    workflow.accept(ticket, by=an_engineer(), at=tuesday(11, 5))

    assert set(ticket.escalations.filter(commitment__kind="reaction").values_list("state", "closed_at")) == {
        ("closed", tuesday(11, 5))
    }
    assert ticket.escalations.get(commitment__kind="resolution").state == "open"
    mine.refresh_from_db()
    assert mine.state == "open"


# Escalation answers


@pytest.mark.parametrize(
    ("package", "priority", "raised", "due_at"),
    [
        ("premium", 1, tuesday(20), tuesday(21)),  # one hour, round the clock
        ("premium", 3, tuesday(20), november(18, 0)),  # four hours
        ("business", 2, tuesday(16), november(18, 11)),  # two on Tuesday, two on Wednesday from nine
        ("basic", 1, november(20, 17, 30), november(23, 9, 30)),  # Friday 17:30: half an hour, then Monday
    ],
)
def test_answer_to_an_escalation_has_its_own_clock(package, priority, raised, due_at):
    ticket = open_ticket(a_customer(package), priority=priority)

    escalation = workflow.escalate(
        ticket, by=contact_of(ticket.customer), whom="top_management", reason="Nobody answers", at=raised
    )

    assert (escalation.answer_clock.kind, escalation.answer_clock.due_at) == ("escalation_answer", due_at)


# The database's own word


def test_database_refuses_two_running_clocks_of_one_kind():
    ticket = open_ticket(priority=1)
    twin = clock(ticket, "resolution")
    twin.pk = None

    with pytest.raises(IntegrityError, match="commitment_one_running"), transaction.atomic():
        twin.save(force_insert=True)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"ending": "met"}, "commitment_ended_is_stopped"),
        ({"stopped_at": tuesday(11), "next_check_at": None}, "commitment_stopped_has_ending"),
        ({"ending": "met", "stopped_at": tuesday(11)}, "commitment_only_running_is_watched"),
        (
            {"ending": "met", "stopped_at": tuesday(11), "next_check_at": None, "met_late_at": tuesday(11)},
            "commitment_late_was_missed",
        ),
        ({"due_at": tuesday(9)}, "commitment_due_after_start"),
    ],
)
def test_database_refuses_a_clock_that_contradicts_itself(changes, constraint):
    row = clock(open_ticket(priority=1), "resolution")

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Commitment.objects.filter(pk=row.pk).update(**changes)


# Before it is sent


def test_promised_times_are_those_that_opening_gives():
    customer = a_customer("premium")

    shown = promised_times(contract_of(customer), at=tuesday(10, 30))

    for times in shown:
        ticket = open_ticket(customer, priority=times.priority, at=tuesday(10, 30))
        assert (times.reaction_due, times.resolution_due) == (due(ticket, "reaction"), due(ticket, "resolution"))
    assert [times.priority for times in shown] == [1, 2, 3, 4]


def test_promised_times_of_a_consultation_name_no_resolution():
    (times,) = promised_times(contract_of(a_customer("premium")), at=tuesday(10), kind="consultation", priorities=[4])

    assert (times.reaction_due, times.resolution_due, times.resolution) == (tuesday(12), None, None)
    assert times.reaction.target == timedelta(hours=2)


def test_most_particular_ladder_counts():
    ticket = open_ticket(priority=1)
    own = Package.objects.get(code="premium")
    ladder = own.ladders.create(kind="reaction")
    ladder.steps.create(percent=10, whom="top_management")

    assert clocks.ladder_steps("reaction", own.pk, 1) == [Step(10, "top_management")]
    assert clocks.ladder_steps("reaction", Package.objects.get(code="basic").pk, 1)[-1] == Step(150, "top_management")
    assert [percent for percent, _at in rungs(clock(ticket, "reaction"))] == [50, 75, 100, 150]  # as when it started


def test_escalation_needs_a_rung_or_a_person_in_the_database():
    ticket = open_ticket(priority=1)

    with pytest.raises(IntegrityError, match="escalation_by_rung_or_person"), transaction.atomic():
        Escalation.objects.create(ticket=ticket, whom="csm", reached_at=tuesday(11), created_at=tuesday(11))
