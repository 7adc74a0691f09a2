"""The priority machine (domain §3.4): restore, contest, reclassify, set by the customer."""

import pytest
from django.utils import translation

from sla.sweep import sweep
from tests.factories import a_customer, an_engineer, contact_of, open_ticket
from tests.moments import december, november, tuesday
from tickets import workflow
from tickets.models import Ticket
from tickets.workflow import NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def in_work(customer=None, at=None, **fields):
    at = at or tuesday(10)
    return workflow.accept(open_ticket(customer, at=at, **fields), by=an_engineer(), at=at)


def promises(ticket, kind="resolution"):
    """(priority, started, due, ending) of each clock of a kind, in the order in which they were made."""
    return list(
        ticket.commitments.filter(kind=kind).order_by("pk").values_list("priority", "started_at", "due_at", "ending")
    )


def fresh(ticket):
    return Ticket.objects.get(pk=ticket.pk)


# Restore


@pytest.mark.parametrize(("to_priority", "due_at"), [(3, december(1, 11)), (4, december(15, 11))])
def test_restoring_meets_the_old_promise_and_starts_a_new_one_now(to_priority, due_at):
    ticket = in_work(priority=1)

    ticket = workflow.restore(
        ticket, by=ticket.assignee, workaround="Use the mirror", to_priority=to_priority, at=tuesday(11)
    )

    assert promises(ticket) == [
        (1, tuesday(10), tuesday(12), "met"),
        (to_priority, tuesday(11), due_at, ""),  # ten or twenty working days from now
    ]
    old = ticket.commitments.get(kind="resolution", ending="met")
    assert (old.why, old.evidence, old.stopped_at) == ("restored", "Use the mirror", tuesday(11))
    assert (ticket.priority, ticket.workaround, ticket.due_at) == (to_priority, "Use the mirror", due_at)
    event = ticket.events.latest("pk")
    assert (event.verb, event.details) == (
        "restored",
        {"from": 1, "to": to_priority, "workaround": "Use the mirror"},
    )
    assert ticket.messages.latest("pk").body == "Use the mirror"


def test_restoring_priority_two_outside_working_days():
    ticket = in_work(priority=2)

    ticket = workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=november(18, 20))

    assert promises(ticket) == [
        (2, tuesday(10), november(19, 10), "met"),
        (3, november(18, 20), december(2, 18), ""),  # from Thursday the 19th at nine: ten whole working days
    ]


def test_restoring_late_stays_missed():
    ticket = in_work(priority=1)

    ticket = workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=tuesday(12, 0, 1))

    missed = ticket.commitments.get(kind="resolution", priority=1)
    assert (missed.ending, missed.met_late_at) == ("missed", tuesday(12, 0, 1))
    assert promises(ticket)[1] == (3, tuesday(12, 0, 1), december(1, 12, 0, 1), "")


def test_restoring_while_waiting_goes_on_and_does_not_count_the_wait():
    ticket = in_work(priority=1)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(10, 30))

    ticket = workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=tuesday(12, 30))

    assert ticket.state == "in_progress"
    assert promises(ticket)[0] == (1, tuesday(10), tuesday(14), "met")  # it stood for two hours


@pytest.mark.parametrize(
    ("priority", "to_priority", "workaround", "words"),
    [
        (3, 4, "Mirror", "Restoring lowers priority 1 or 2 to 3 or 4."),
        (1, 2, "Mirror", "Restoring lowers priority 1 or 2 to 3 or 4."),
        (1, 3, " ", "Name the workaround: it is the evidence that service is back."),
    ],
)
def test_restoring_otherwise_is_refused(priority, to_priority, workaround, words):
    ticket = in_work(priority=priority)

    with pytest.raises(NotAllowed) as refusal:
        workflow.restore(ticket, by=ticket.assignee, workaround=workaround, to_priority=to_priority, at=tuesday(11))

    assert (refusal.value.message, refusal.value.section) == (words, "3.4")


def test_restoring_without_a_resolution_promise_lowers_the_priority_only():
    ticket = in_work(a_customer("basic"), priority=1)

    ticket = workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=tuesday(11))

    assert (ticket.priority, promises(ticket)) == (3, [])


# Contest the restore


def restored(at=None, **fields):
    ticket = in_work(**{"priority": 1, **fields})
    return workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=at or tuesday(11))


def contest(ticket, at):
    return workflow.contest_restore(ticket, by=contact_of(ticket.customer), reason="It is not back", at=at)


def test_contesting_undoes_the_restore_and_the_old_clock_goes_on():
    ticket = contest(restored(), tuesday(11, 30))

    assert promises(ticket) == [
        (1, tuesday(10), tuesday(12), "superseded"),
        (3, tuesday(11), december(1, 11), "superseded"),
        (1, tuesday(10), tuesday(12), ""),  # undone: a clock pauses while waiting or solved, and in nothing else
    ]
    assert (ticket.priority, ticket.workaround, ticket.due_at) == (1, "", tuesday(12))
    event = ticket.events.latest("pk")
    assert (event.verb, event.details["from"], event.details["to"]) == ("restore_contested", 3, 1)


def test_contesting_a_late_restore_leaves_the_miss_and_takes_back_its_fulfilment():
    ticket = contest(restored(at=tuesday(13)), tuesday(14))

    assert promises(ticket) == [
        (1, tuesday(10), tuesday(12), "missed"),
        (3, tuesday(13), december(1, 13), "superseded"),
    ]
    missed = ticket.commitments.get(kind="resolution", priority=1)
    assert (missed.stopped_at, missed.met_late_at) == (None, None)
    sweep(tuesday(14, 0, 1))
    assert ticket.escalations.filter(commitment=missed).count() == 6


def test_contesting_twice_is_refused_and_leaves_the_clock_alone():
    ticket = contest(restored(), tuesday(11, 30))
    before = promises(ticket)

    with pytest.raises(NotAllowed, match="Nothing was restored"):
        contest(ticket, tuesday(11, 40))

    assert promises(ticket) == before


def test_restoring_again_after_a_contest_can_be_contested_again():
    ticket = contest(restored(), tuesday(11, 30))
    ticket = workflow.restore(ticket, by=ticket.assignee, workaround="Another mirror", at=tuesday(11, 40))

    ticket = contest(ticket, tuesday(11, 50))

    assert promises(ticket)[-1] == (1, tuesday(10), tuesday(12), "")


def test_contesting_a_restore_that_held_for_longer_than_the_promise_misses_it():
    ticket = contest(restored(), tuesday(14))

    sweep(tuesday(14, 0, 1))

    assert promises(ticket)[-1] == (1, tuesday(10), tuesday(12), "missed")


def test_contesting_after_it_was_called_solved_leaves_that_time_out():
    ticket = restored()
    workflow.resolve(ticket, by=ticket.assignee, body="The cause is gone", at=tuesday(11, 10))
    workflow.reopen(ticket, by=contact_of(ticket.customer), reason="It falls again", at=tuesday(11, 40))

    ticket = contest(ticket, tuesday(11, 50))

    assert promises(ticket)[-1] == (1, tuesday(10), tuesday(12, 30), "")


def test_contesting_a_restore_of_what_was_no_incident_after_all_promises_no_resolution():
    ticket = restored()
    workflow.reclassify(ticket, by=ticket.assignee, reason="A question", kind="consultation", at=tuesday(11, 10))

    ticket = contest(ticket, tuesday(11, 20))

    assert (ticket.priority, ticket.due_at) == (1, None)
    assert [ending for _priority, _start, _due, ending in promises(ticket)] == ["met", "superseded"]


def test_contesting_while_waiting_for_the_customer_is_an_answer():
    ticket = restored()
    workflow.ask_customer(ticket, by=ticket.assignee, body="Does it work?", at=tuesday(11, 10))

    ticket = contest(ticket, tuesday(11, 30))

    assert (ticket.state, ticket.clock_paused) == ("in_progress", False)
    assert promises(ticket)[-1] == (1, tuesday(10), tuesday(12, 20), "")  # the wait is a pause


def test_contesting_without_a_resolution_promise_raises_the_priority_again():
    ticket = contest(restored(customer=a_customer("basic")), tuesday(11, 30))

    assert (ticket.priority, promises(ticket)) == (1, [])


# Reclassify


def test_reclassifying_counts_from_the_opening():
    ticket = open_ticket(priority=3)

    ticket = workflow.reclassify(ticket, by=an_engineer(), reason="Nothing works", priority=1, at=tuesday(10, 20))

    assert promises(ticket, "reaction") == [
        (3, tuesday(10), tuesday(12), "superseded"),
        (1, tuesday(10), tuesday(10, 30), ""),
    ]
    assert promises(ticket) == [
        (3, tuesday(10), december(1, 10), "superseded"),
        (1, tuesday(10), tuesday(12), ""),
    ]
    assert (ticket.priority, ticket.due_at) == (1, tuesday(10, 30))
    assert ticket.events.latest("pk").details == {"from": 3, "to": 1, "reason": "Nothing works"}


def test_reclassifying_keeps_the_pauses():
    ticket = in_work(priority=2, at=tuesday(10, 30))
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(12))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8.4", at=november(18, 11))

    workflow.reclassify(ticket, by=ticket.assignee, reason="A side function", priority=3, at=november(18, 12))

    # Ten working days from Tuesday 10:30 are 1 December 10:30; the eight hours that it stood: 7.5 to closing, 0.5 next
    assert promises(ticket)[-1] == (3, tuesday(10, 30), december(2, 9, 30), "")


def test_reclassifying_while_waiting_stays_waiting():
    ticket = in_work(priority=2)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(11, 30))

    ticket = workflow.reclassify(ticket, by=ticket.assignee, reason="Nothing works", priority=1, at=tuesday(13))

    running = ticket.commitments.get(kind="resolution", ending="")
    assert (running.paused_at, running.next_check_at, ticket.clock_paused) == (tuesday(11, 30), None, True)
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8.4", at=tuesday(14))
    running.refresh_from_db()
    assert running.due_at == tuesday(14, 30)  # an hour and a half of the two was used when it was asked


def test_reclassifying_leaves_a_kept_reaction_kept():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(11))

    workflow.reclassify(ticket, by=ticket.assignee, reason="Nothing works", priority=1, at=tuesday(11, 10))

    assert promises(ticket, "reaction") == [(3, tuesday(10), tuesday(12), "met")]


def test_reclassifying_does_not_wipe_out_a_miss():
    ticket = open_ticket(priority=1)

    workflow.reclassify(ticket, by=an_engineer(), reason="A side function", priority=3, at=tuesday(10, 40))

    assert promises(ticket, "reaction") == [
        (1, tuesday(10), tuesday(10, 30), "missed"),
        (3, tuesday(10), tuesday(12), ""),
    ]


def test_reclassifying_closes_the_calls_of_the_old_clocks():
    ticket = open_ticket(priority=1)
    sweep(tuesday(10, 25))

    workflow.reclassify(ticket, by=an_engineer(), reason="A side function", priority=3, at=tuesday(10, 26))

    assert set(ticket.escalations.values_list("state", flat=True)) == {"closed"}


def test_question_that_turns_out_to_be_an_incident_counts_from_the_receipt_less_the_waits():
    ticket = in_work(topic="how_to")
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(12))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8.4", at=november(18, 11))
    workflow.ask_customer(ticket, by=ticket.assignee, body="And the database?", at=november(18, 12))

    ticket = workflow.reclassify(
        ticket, by=ticket.assignee, reason="It is a fault", kind="incident", priority=2, at=november(18, 13)
    )

    running = ticket.commitments.get(kind="resolution")
    assert (running.started_at, running.paused_at) == (tuesday(10), november(18, 12))
    assert [(span.lower, span.upper) for span in running.pauses] == [(tuesday(12), november(18, 11))]
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="18", at=november(18, 15))
    # 18 hours: 2 on Tuesday, 1 on Wednesday from eleven, 3 from three, 9 on Thursday, 3 on Friday
    assert promises(ticket) == [(2, tuesday(10), november(20, 12), "")]


def test_incident_that_turns_out_to_be_a_question_has_no_resolution_promise():
    ticket = in_work(priority=2)

    ticket = workflow.reclassify(ticket, by=ticket.assignee, reason="A question", kind="consultation", at=tuesday(11))

    assert promises(ticket) == [(2, tuesday(10), november(19, 10), "superseded")]
    assert ticket.due_at is None
    assert ticket.events.latest("pk").details == {
        "from": 2,
        "to": 2,
        "reason": "A question",
        "kind_from": "incident",
        "kind_to": "consultation",
    }


def test_reclassifying_while_waiting_what_was_over_before_the_wait_does_not_stand():
    ticket = in_work(priority=3)
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which version?", at=tuesday(13))

    ticket = workflow.reclassify(ticket, by=ticket.assignee, reason="Nothing works", priority=1, at=tuesday(13, 30))

    sweep(tuesday(13, 31))
    assert promises(ticket)[-1] == (1, tuesday(10), tuesday(12), "missed")
    workflow.withdraw(ticket, by=contact_of(ticket.customer), at=tuesday(14))
    assert promises(ticket)[-1] == (1, tuesday(10), tuesday(12), "missed")


def test_there_and_back_is_the_same_promise():
    ticket = in_work(priority=1)
    ticket = workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=tuesday(11))
    ticket = workflow.reclassify(ticket, by=ticket.assignee, reason="A question", kind="consultation", at=tuesday(12))

    ticket = workflow.reclassify(ticket, by=ticket.assignee, reason="A fault", kind="incident", at=tuesday(13))

    assert promises(ticket) == [
        (1, tuesday(10), tuesday(12), "met"),
        (3, tuesday(11), december(1, 11), "superseded"),
        (3, tuesday(11), december(1, 11), ""),
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"priority": 3}, "Nothing changes: choose another priority or kind."),
        ({"priority": 5}, "There are priorities 1 to 4."),
        ({"kind": "riddle"}, "There is no such kind of request."),
        ({"priority": 1, "reason": " "}, "Write why the classification was wrong."),
    ],
)
def test_reclassifying_otherwise_is_refused(words, sentence):
    ticket = in_work(priority=3)

    with pytest.raises(NotAllowed) as refusal:
        workflow.reclassify(ticket, by=ticket.assignee, at=tuesday(11), **{"reason": "Wrong", **words})

    assert refusal.value.message == sentence
    assert fresh(ticket).priority == 3


# Set by the customer


def set_priority(ticket, priority, reason="Nobody can work"):
    return workflow.set_priority(
        ticket, by=contact_of(ticket.customer), priority=priority, reason=reason, at=tuesday(10, 20)
    )


def test_customer_with_priority_management_sets_it():
    ticket = set_priority(open_ticket(priority=3), 1)

    assert (ticket.priority, ticket.proposed_priority) == (1, None)
    assert promises(ticket)[-1] == (1, tuesday(10), tuesday(12), "")
    assert promises(ticket, "reaction")[-1] == (1, tuesday(10), tuesday(10, 30), "")
    event = ticket.events.latest("pk")
    assert (event.verb, event.details) == ("priority_set", {"from": 3, "to": 1, "reason": "Nobody can work"})


@pytest.mark.parametrize("package", ["basic", "business"])
def test_customer_without_it_proposes_and_the_engineer_decides(package):
    ticket = set_priority(open_ticket(a_customer(package), priority=3), 1)

    assert (ticket.priority, ticket.proposed_priority) == (3, 1)
    assert len(promises(ticket, "reaction")) == 1
    assert ticket.events.latest("pk").verb == "priority_proposed"

    ticket = workflow.reclassify(ticket, by=an_engineer(), reason="Agreed", priority=1, at=tuesday(10, 25))

    assert (ticket.priority, ticket.proposed_priority) == (1, None)


@pytest.mark.parametrize(
    ("priority", "reason", "sentence"),
    [
        (3, "Worse", "Choose another priority, 1 to 4."),
        (0, "Worse", "Choose another priority, 1 to 4."),
        (5, "Worse", "Choose another priority, 1 to 4."),
        (1, " ", "Write what has changed: the engineer reads it."),
    ],
)
def test_setting_otherwise_is_refused(priority, reason, sentence):
    ticket = open_ticket(priority=3)

    with pytest.raises(NotAllowed) as refusal:
        set_priority(ticket, priority, reason)

    assert refusal.value.message == sentence
    assert ticket.messages.count() == 1


def test_after_a_contested_restore_another_classification_counts_from_the_receipt_again():
    ticket = in_work(priority=1)
    workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=tuesday(10, 30))
    workflow.contest_restore(ticket, by=contact_of(ticket.customer), reason="It is not back", at=tuesday(10, 40))
    workflow.reclassify(ticket, by=ticket.assignee, reason="A question", kind="consultation", at=tuesday(10, 50))

    workflow.reclassify(ticket, by=ticket.assignee, reason="No, a fault", kind="incident", at=tuesday(11))

    assert promises(ticket)[-1] == (1, tuesday(10), tuesday(12), "")


def test_contesting_a_restore_that_met_nothing_undoes_no_earlier_one():
    ticket = in_work(priority=1)
    by = ticket.assignee
    workflow.restore(ticket, by=by, workaround="Use the mirror", at=tuesday(10, 30))
    workflow.reclassify(ticket, by=by, reason="A question", kind="consultation", priority=2, at=tuesday(11))
    workflow.restore(ticket, by=by, workaround="See the manual", at=tuesday(11, 10))  # no incident: it meets nothing
    workflow.reclassify(ticket, by=by, reason="No, a fault", kind="incident", at=tuesday(11, 20))

    ticket = workflow.contest_restore(ticket, by=contact_of(ticket.customer), reason="Not back", at=tuesday(11, 30))

    assert ticket.priority == 2
    assert promises(ticket) == [
        (1, tuesday(10), tuesday(12), "met"),
        (3, tuesday(10, 30), december(1, 10, 30), "superseded"),
        (3, tuesday(10, 30), december(1, 10, 30), "superseded"),
        (2, tuesday(10, 30), november(19, 10, 30), ""),
    ]
