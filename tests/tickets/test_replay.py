"""Replay: the commitments that the events give are those that stand, and every tampering is named (domain §4.3)."""

import io
import json
from datetime import date, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts.models import Line
from contracts import catalogue
from contracts.catalogue import as_change
from contracts.models import ContractClause
from contracts.terms import Kind, Target, Unit
from sla.calendars import as_edit, edit_calendar
from sla.models import Calendar, Commitment
from sla.sweep import sweep
from tests.factories import (
    UserFactory,
    a_clause,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    contract_of,
    open_ticket,
    package,
    top,
)
from tests.moments import november, tuesday
from tickets import workflow
from tickets.models import Event, Ticket
from tickets.replay import RULES, SILENT
from tickets.verification import Difference, Verified, verify

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def differences(ticket: Ticket | None = None, *, at: datetime | None = None) -> list[Difference]:
    tickets = Ticket.objects.filter(pk=ticket.pk) if ticket else Ticket.objects.all()
    return list(verify(tickets, clock=lambda: at or november(20, 12)))


def fields(ticket: Ticket) -> list[tuple[str, str]]:
    return [(one.kind, one.field) for one in differences(ticket)]


def tampered(ticket: Ticket, kind: str, **values) -> list[tuple[str, str]]:
    """What is found after the last row of the kind was changed behind the verbs' back."""
    row = ticket.commitments.filter(kind=kind).latest("pk")
    Commitment.objects.filter(pk=row.pk).update(**values)
    return fields(ticket)


def asked_and_resolved() -> Ticket:
    """A question from 11:00 to 12:00, solved at 13:00: the reaction met, the resolution met with one pause."""
    ticket = open_ticket(priority=2)
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=tuesday(10, 30))
    workflow.ask_customer(ticket, by=engineer, body="Which version?", at=tuesday(11))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="7.8", at=tuesday(12))
    workflow.resolve(ticket, by=engineer, body="Restarted", at=tuesday(13))
    return ticket


# What the verbs write, the events give


def test_a_ticket_that_was_only_received_is_told_again():
    assert differences(open_ticket(priority=1), at=tuesday(10)) == []


def test_waits_solving_reopening_and_confirming_are_told_again():
    ticket = asked_and_resolved()
    contact = contact_of(ticket.customer)
    workflow.reopen(ticket, by=contact, reason="Still", at=november(18, 10))
    workflow.resolve(ticket, by=ticket.assignee or an_engineer(), body="Again", at=november(18, 12))
    workflow.confirm(ticket, by=contact, at=november(18, 13))

    assert differences(ticket) == []


def test_a_restore_its_contest_and_another_classification_are_told_again():
    ticket = open_ticket(priority=1)
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=tuesday(10, 10))
    workflow.restore(ticket, by=engineer, workaround="Mirror", at=tuesday(11))
    workflow.ask_customer(ticket, by=engineer, body="Well?", at=tuesday(12))
    workflow.contest_restore(ticket, by=contact_of(ticket.customer), reason="No", at=tuesday(14))
    workflow.reclassify(ticket, by=engineer, reason="Misread", priority=2, at=tuesday(15))
    workflow.reclassify(ticket, by=engineer, reason="A question", kind="consultation", at=tuesday(16))
    workflow.reclassify(ticket, by=engineer, reason="No, a fault", kind="incident", at=tuesday(17))

    assert differences(ticket) == []
    assert ticket.commitments.filter(kind="resolution").count() == 5


def test_a_decline_and_its_contest_are_told_again():
    ticket = open_ticket(priority=3)
    workflow.decline(ticket, by=an_engineer(), reason="Networks", at=tuesday(11))
    workflow.contest(ticket, by=contact_of(ticket.customer), reason="It is yours", at=tuesday(15))

    assert differences(ticket) == []


def test_hand_overs_and_who_accepted_them_are_told_again():
    first, second, lead = an_engineer(1), an_engineer(2), a_lead(2)
    ticket = open_ticket(priority=3)
    workflow.accept(ticket, by=first, at=tuesday(10, 10))
    workflow.hand_over(ticket, by=first, to_line=2, known="It falls", asked="Look", at=tuesday(11))
    workflow.reply(ticket, by=first, body="We look", at=tuesday(11, 5))  # not who has it: nothing is accepted by that
    workflow.assign(ticket, by=lead, to=second, at=tuesday(11, 10))
    workflow.reply(ticket, by=second, body="Seen", at=tuesday(11, 20))
    workflow.hand_over(ticket, by=second, to_line=3, known="Deeper", asked="Look", at=tuesday(12))
    workflow.return_hand_over(ticket, by=an_engineer(3), reason="Not ours", at=tuesday(12, 30))

    assert differences(ticket) == []
    assert list(ticket.commitments.filter(kind="line_acceptance").order_by("pk").values_list("ending", "why")) == [
        ("met", "accepted"),
        ("cancelled", "returned"),
    ]


def test_the_line_had_as_long_as_it_had_then():
    ticket = open_ticket(priority=3)
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=tuesday(10, 10))
    workflow.hand_over(ticket, by=engineer, to_line=2, known="It falls", asked="Look", at=tuesday(11))

    Line.objects.filter(pk=2).update(accept_within=timedelta(minutes=7))

    assert differences(ticket, at=tuesday(11)) == []


def test_a_call_written_down_is_told_again():
    customer = a_customer("premium")
    ticket = open_ticket(customer, by=an_engineer(), channel="phone", priority=1)

    assert differences(ticket, at=tuesday(10)) == []
    assert ticket.commitments.get(kind="reaction").why == "call logged"


def test_the_answers_that_are_owed_are_told_again_each_by_its_own_escalation():
    manager = a_manager()
    top()
    ticket = open_ticket(priority=1)
    contact = contact_of(ticket.customer)
    first = workflow.escalate(ticket, by=contact, whom="csm", reason="Nobody answers", at=tuesday(10, 5))
    workflow.escalate(ticket, by=contact, whom="top_management", reason="Nobody at all", at=tuesday(10, 6))
    workflow.answer_escalation(first, by=manager, answer="We see to it", at=tuesday(10, 30))

    assert differences(ticket, at=tuesday(10, 40)) == []


def test_a_clause_of_the_contract_is_told_again_as_it_was_at_the_receipt():
    customer = a_customer()
    clause = a_clause(contract_of(customer), kind="reaction", priority=3, minutes=5)
    ticket = open_ticket(customer, priority=3)
    assert ticket.commitments.get(kind="reaction").clause == clause

    ContractClause.objects.filter(pk=clause.pk).update(ends_at=november(18))  # ended since: the ticket keeps it
    a_clause(contract_of(customer), kind="resolution", priority=3, minutes=60, starts_at=november(19))

    assert differences(ticket) == []


def test_other_terms_that_were_applied_are_told_again():
    admin = UserFactory(admin=True)
    change = as_change(package("premium").terms.latest("starts_on"), starts_on=date(2026, 11, 17))
    targets = [one for one in change.targets if (one.kind, one.priority) != (Kind.RESOLUTION, 3)]
    other = type(change)(
        **{
            **change.__dict__,
            "targets": (*targets, Target(Kind.RESOLUTION, 3, 2, Unit.WORKING_DAYS, "working-days")),
        }
    )
    ticket = open_ticket(priority=3)
    engineer = an_engineer()
    workflow.ask_customer(ticket, by=engineer, body="Which version?", at=tuesday(11))
    terms = catalogue.apply_change(other, by=admin, at=tuesday(9))
    workflow.apply_terms(ticket, terms, by=admin, at=tuesday(12), reason="New price list")
    workflow.stop_waiting(ticket, by=engineer, at=tuesday(13))

    assert differences(ticket) == []
    assert ticket.commitments.filter(kind="resolution").count() == 2


def test_an_agreed_deadline_is_told_again_through_waits_and_another_classification():
    ticket = open_ticket(priority=3)
    engineer, lead, contact = an_engineer(), a_lead(), contact_of(ticket.customer)
    workflow.ask_customer(ticket, by=engineer, body="Which version?", at=tuesday(11))
    proposal = workflow.propose_deadline(
        ticket, due_at=november(26, 12), reason="Stock-taking", by=contact, at=tuesday(12)
    )
    workflow.accept_deadline(proposal, by=lead, at=tuesday(13))
    workflow.customer_reply(ticket, by=contact, body="7.8", at=tuesday(15))
    assert differences(ticket) == []

    workflow.reclassify(ticket, by=engineer, reason="Misread", priority=4, at=november(18, 10))

    assert differences(ticket) == []
    rows = ticket.commitments.filter(kind="resolution").order_by("pk")
    assert list(rows.values_list("why", "agreed")) == [
        ("another deadline agreed", False),
        ("reclassified", True),
        ("", False),
    ]


def test_an_edit_of_a_calendar_that_was_applied_is_told_again_with_what_follows():
    admin = UserFactory(admin=True)
    ticket = open_ticket(priority=3)
    engineer = an_engineer()
    workflow.ask_customer(ticket, by=engineer, body="Which version?", at=tuesday(11))
    calendar = Calendar.objects.get(code="working-days")
    edit = as_edit(calendar.version_at(tuesday(11)))
    version = edit_calendar(
        calendar,
        timezone=edit.timezone,
        weekly_hours=edit.weekly_hours,
        holidays=[*edit.holidays, "2026-11-20"],
        overrides=edit.overrides,
        reason="A day off",
        by=admin,
        at=tuesday(12),
    )
    workflow.apply_calendar(ticket, version, by=admin, at=tuesday(13), reason="A day off")
    workflow.stop_waiting(ticket, by=engineer, at=tuesday(14))
    workflow.reclassify(ticket, by=engineer, reason="Misread", priority=4, at=tuesday(15))

    assert differences(ticket) == []
    rows = ticket.commitments.filter(kind="resolution").order_by("pk")
    assert [row.calendar_version == version for row in rows] == [False, True, True]


def test_what_the_sweep_has_missed_and_what_came_late_is_told_again():
    ticket = open_ticket(priority=1)
    sweep(tuesday(13))
    engineer = an_engineer()
    workflow.reply(ticket, by=engineer, body="Sorry", at=tuesday(13, 1))
    workflow.resolve(ticket, by=engineer, body="Restarted", at=tuesday(14))

    assert list(ticket.commitments.values_list("ending", flat=True)) == ["missed", "missed"]
    assert differences(ticket) == []


def test_a_row_that_waits_for_the_sweep_is_counted_apart():
    open_ticket(priority=1)
    verified = Verified()

    assert list(verify(Ticket.objects.all(), clock=lambda: tuesday(10, 31), verified=verified)) == []
    assert (verified.tickets, verified.commitments, verified.unswept) == (1, 2, 1)


def test_a_missed_row_whose_deadline_has_not_come_is_a_difference():
    ticket = open_ticket(priority=1)
    ticket.commitments.filter(kind="reaction").update(ending="missed")

    assert [(one.field, one.stored, one.recomputed) for one in differences(ticket, at=tuesday(10, 20))] == [
        ("ending", "missed", "")
    ]


def test_every_verb_of_the_workflow_has_a_rule_or_is_silent():
    """A new verb that clocks hear must come with its rule; one that they don't is named as silent."""
    assert not set(RULES) & SILENT
    ticket = open_ticket(priority=3)
    Event.objects.create(ticket=ticket, verb="enchanted", at=tuesday(11))

    (found,) = differences(ticket, at=tuesday(11))

    assert found.words() == (
        f"№ {ticket.number}: there is no rule for the event “enchanted”; the ticket was not recomputed."
    )


def test_events_of_old_that_lack_a_detail_are_told_again():
    first, second, lead = an_engineer(1), an_engineer(2), a_lead(2)
    ticket = open_ticket(priority=3)
    workflow.accept(ticket, by=first, at=tuesday(10, 10))
    workflow.hand_over(ticket, by=first, to_line=2, known="It falls", asked="Look", at=tuesday(11))
    workflow.assign(ticket, by=lead, to=second, at=tuesday(11, 10))
    workflow.reply(ticket, by=second, body="Seen", at=tuesday(11, 20))
    with connection.cursor() as cursor:  # events are append-only: only the owner of the table can play the past
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE tickets_event DISABLE TRIGGER USER")
        cursor.execute("UPDATE tickets_event SET details = details - 'assignee' - 'accept_within'")
        cursor.execute("ALTER TABLE tickets_event ENABLE TRIGGER USER")

    assert differences(ticket) == []


# Tampering


def test_a_moved_deadline_is_named():
    ticket = asked_and_resolved()

    assert tampered(ticket, "resolution", due_at=november(20)) == [("resolution", "due_at")]


def test_a_pause_that_nobody_waited_is_named():
    ticket = asked_and_resolved()
    pauses = [DateTimeTZRange(tuesday(11), tuesday(12, 30))]

    assert tampered(ticket, "resolution", pauses=pauses) == [("resolution", "pauses")]


def test_a_pause_written_in_two_pieces_is_the_same_pause():
    ticket = asked_and_resolved()
    pauses = [DateTimeTZRange(tuesday(11), tuesday(11, 30)), DateTimeTZRange(tuesday(11, 30), tuesday(12))]

    assert tampered(ticket, "resolution", pauses=pauses) == []


def test_a_pause_that_was_lost_is_named():
    assert tampered(asked_and_resolved(), "resolution", pauses=[]) == [("resolution", "pauses")]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"ending": "cancelled"}, ["ending"]),
        ({"ending": "missed", "met_late_at": tuesday(13)}, ["ending", "met_late_at"]),
        ({"stopped_at": tuesday(12, 59)}, ["stopped_at"]),
        ({"started_at": tuesday(9)}, ["started_at"]),
        ({"priority": 1}, ["priority"]),
        ({"amount": 20}, ["amount"]),
        ({"unit": "minutes"}, ["unit"]),
        ({"target": timedelta(hours=19)}, ["target"]),
        ({"agreed": True}, ["agreed"]),
        ({"why": "closed"}, ["why"]),
        ({"terms": None}, ["terms"]),
    ],
)
def test_a_field_that_was_changed_is_named_and_nothing_else(values, named):
    assert tampered(asked_and_resolved(), "resolution", **values) == [("resolution", name) for name in named]


def test_a_missing_row_is_named_and_the_others_are_not():
    ticket = asked_and_resolved()
    ticket.commitments.get(kind="reaction").delete()

    (found,) = differences(ticket)

    assert (found.kind, found.field, found.commitment) == ("reaction", "row", None)
    assert found.words() == (
        f"№ {ticket.number}, Reaction: the row is missing that the events give: priority 2, "
        "started 2026-11-17 07:00:00 UTC, due 2026-11-17 09:00:00 UTC."
    )


def test_a_missing_row_among_several_of_its_kind_is_named_alone():
    ticket = asked_and_resolved()
    workflow.reopen(ticket, by=contact_of(ticket.customer), reason="Still", at=november(18, 10))
    ticket.commitments.filter(kind="resolution").earliest("pk").delete()

    (found,) = differences(ticket)

    assert (found.field, found.recomputed.ending, found.recomputed.why) == ("row", "superseded", "reopened")


def test_a_doubled_row_is_named():
    ticket = asked_and_resolved()
    row = ticket.commitments.get(kind="resolution")
    original, row.pk = row.pk, None
    row.save(force_insert=True)

    (found,) = differences(ticket)

    assert (found.kind, found.field) == ("resolution", "row")
    assert found.commitment is not None and found.commitment >= original
    assert "the events do not give this row" in found.words()


def test_the_words_name_ticket_promise_field_and_both_values():
    ticket = asked_and_resolved()
    row = ticket.commitments.get(kind="resolution")
    Commitment.objects.filter(pk=row.pk).update(due_at=november(20, 12))

    (found,) = differences(ticket)

    assert found.words() == (
        f"№ {ticket.number}, Resolution (row {row.pk}), due: "
        "stored 2026-11-20 09:00:00 UTC, recomputed 2026-11-19 08:00:00 UTC."
    )


# Reading


def test_one_and_many_tickets_cost_the_same_statements():
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert differences(at=tuesday(10)) == []
        return len(asked)

    customer = a_customer()
    open_ticket(customer)
    one = statements()
    for _number in range(4):
        open_ticket(customer)

    assert statements() == one


def test_chunks_leave_nobody_out():
    customer = a_customer()
    for _number in range(5):
        open_ticket(customer)
    verified = Verified()

    assert list(verify(Ticket.objects.all(), clock=lambda: tuesday(10), verified=verified, chunk=2)) == []
    assert verified.tickets == 5


# The command


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("verify_commitments", *words, stdout=out)
    return out.getvalue()


def test_the_command_sums_up_and_ends_well_where_all_agrees():
    asked_and_resolved()

    assert run().startswith("1 tickets, 2 commitments: 0 differences; 0 wait for the sweep; ")


def test_the_command_prints_each_difference_and_ends_with_1():
    ticket = asked_and_resolved()
    ticket.commitments.update(due_at=november(20, 12))
    out = io.StringIO()

    with pytest.raises(CommandError) as ended:
        call_command("verify_commitments", stdout=out)

    assert ended.value.returncode == 1
    lines = out.getvalue().splitlines()
    assert [line.split(", ")[1].split(" ")[0] for line in lines[:2]] == ["Reaction", "Resolution"]
    assert "2 differences" in lines[2]


def test_the_command_speaks_json():
    ticket = asked_and_resolved()
    row = ticket.commitments.get(kind="resolution")
    Commitment.objects.filter(pk=row.pk).update(due_at=november(20, 12))
    out = io.StringIO()

    with pytest.raises(CommandError):
        call_command("verify_commitments", "--json", stdout=out)

    found, counts = (json.loads(line) for line in out.getvalue().splitlines())
    assert found == {
        "ticket": ticket.number,
        "kind": "resolution",
        "commitment": row.pk,
        "field": "due_at",
        "stored": "2026-11-20T09:00:00+00:00",
        "recomputed": "2026-11-19T08:00:00+00:00",
    }
    assert (counts["tickets"], counts["commitments"], counts["differences"]) == (1, 2, 1)


def test_the_command_looks_at_one_ticket_at_a_day_and_stops_at_a_limit():
    ticket, other = asked_and_resolved(), asked_and_resolved()
    Commitment.objects.all().update(due_at=november(20, 12))

    with pytest.raises(CommandError):
        run("--ticket", str(ticket.number))
    assert run("--since", "2027-01-01").startswith("0 tickets")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_commitments", "--limit", "1", stdout=out)
    assert len(out.getvalue().splitlines()) == 2
    assert "1 differences and more (--limit)" in out.getvalue()
    assert other.number != ticket.number


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--ticket", "1"), "There is no ticket 1."),
        (("--since", "yesterday"), "is not a date"),
        (("--limit", "0"), "1 or more"),
    ],
)
def test_the_command_refuses_what_it_cannot_do(words, message):
    assert timezone.now() > tuesday(10)

    with pytest.raises(CommandError, match=message):
        run(*words)
