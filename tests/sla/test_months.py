"""A finished month is frozen once; what changes later is a row beside it (domain §4.6)."""

import threading
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from sla.models import Commitment
from sla.statements import MonthlyStatement, Outcome, StatementCorrection, StatementLine
from sla.sweep import sweep
from tests.factories import a_customer, a_manager, an_engineer, contact_of, observer_of, open_ticket
from tests.moments import december, november, tuesday
from tickets import month_answers, month_page, months, workflow

pytestmark = pytest.mark.django_db

NOVEMBER = date(2026, 11, 1)
FIRST = december(1, 6)  # when November is closed


def accepted(customer, *, opened, at, **fields):
    ticket = open_ticket(customer, at=opened, **{"priority": 1, "kind": "incident", **fields})
    return workflow.accept(ticket, by=an_engineer(), at=at)


def closed(customer, at=FIRST):
    return months.close_month(customer, NOVEMBER, at=at)


def counted(statement):
    return {
        (row["group"], row["kind"], row["priority"]): (row["met"], row["missed"])
        for row in statement.figures["counted"]
    }


# Figures


def test_figures_by_hand():
    customer = a_customer()  # Premium: 30 min and 2 h for priority 1, round the clock
    ticket = accepted(customer, opened=tuesday(10), at=tuesday(10, 10))
    workflow.restore(ticket, by=ticket.assignee, workaround="Use the mirror", at=tuesday(11))
    workflow.resolve(ticket, by=ticket.assignee, body="Mended", at=tuesday(15))
    workflow.rate(ticket, by=contact_of(customer), score=4, comment="Quick", at=tuesday(16))
    late = accepted(customer, opened=tuesday(10), at=tuesday(10, 45))  # a quarter of an hour late
    workflow.resolve(late, by=late.assignee, body="Mended", at=tuesday(13))  # an hour late
    open_ticket(customer, priority=4, at=november(30, 23, 30))  # its first answer is due in December

    statement = closed(customer)

    assert counted(statement) == {
        ("guaranteed", "reaction", 1): (1, 1),
        ("guaranteed", "resolution", 1): (0, 1),
        ("guaranteed", "resolution", 3): (1, 0),
        ("restored", "resolution", 1): (1, 0),
    }
    of = month_page.guaranteed(statement.figures)
    assert (of.met, of.missed, of.percent) == (3, 2, 60)
    assert statement.figures["running"] == 2
    assert (statement.figures["ratings"]["count"], statement.figures["ratings"]["sum"]) == (1, 4)
    lines = list(statement.lines.all())
    assert [line.outcome for line in lines] == ["missed"] * 2 + ["running"] * 2 + ["kept"] * 3
    assert {(line.kind, line.reason, line.late) for line in lines[:2]} == {
        ("reaction", "late", timedelta(minutes=15)),
        ("resolution", "late", timedelta(hours=1)),
    }
    assert months.is_intact(statement)


def test_month_is_moscows_and_half_open():
    customer = a_customer()
    accepted(customer, opened=november(1, 0, 0), at=november(1, 0, 10))  # 31 October, 21:00 UTC
    accepted(customer, opened=november(30, 23, 50), at=december(1, 0, 0))  # ended with the first instant of December

    kept = closed(customer).lines.filter(outcome="kept", kind="reaction")

    assert [line.ended_at for line in kept] == [november(1, 0, 10)]


def test_missed_without_an_end_says_how_long_it_was_over_at_the_end_of_the_month():
    customer = a_customer()
    open_ticket(customer, priority=1, at=november(30, 22, 0))  # an answer was due at 22:30
    sweep(december(1, 5))

    line = closed(customer).lines.get(kind="reaction", outcome="missed")

    assert (line.reason, line.late, line.ended_at) == ("not_yet", timedelta(minutes=90), None)


def test_deadline_that_passed_and_was_not_swept_yet_is_missed_all_the_same():
    customer = a_customer()
    open_ticket(customer, priority=1, at=november(30, 22, 0))

    assert closed(customer).lines.filter(outcome="missed").count() == 1


def test_internal_clocks_and_cancelled_ones_are_not_in_it():
    customer = a_customer("business")
    ticket = accepted(customer, opened=tuesday(10), at=tuesday(10, 10))
    workflow.hand_over(ticket, by=ticket.assignee, to_line=2, known="The log", asked="Read it", at=tuesday(11))
    withdrawn = open_ticket(customer, priority=1, at=tuesday(14))
    workflow.withdraw(withdrawn, by=contact_of(customer), at=tuesday(14, 30))

    assert counted(closed(customer)) == {("guaranteed", "reaction", 1): (1, 0)}


def test_agreed_deadline_is_counted_apart_and_the_miss_before_it_stays():
    customer = a_customer()
    ticket = accepted(customer, opened=tuesday(10), at=tuesday(10, 10))
    Commitment.objects.filter(ticket=ticket, kind="resolution").update(agreed=True)
    workflow.resolve(ticket, by=ticket.assignee, body="Mended", at=tuesday(10, 30))

    statement = closed(customer)

    assert counted(statement) == {("guaranteed", "reaction", 1): (1, 0), ("agreed", "resolution", 1): (1, 0)}
    assert month_page.guaranteed(statement.figures).counted == 1


# Once


def test_month_is_closed_from_the_first_at_six_on_and_once():
    customer = a_customer()

    assert months.finished(FIRST - timedelta(seconds=1))[-1] == date(2026, 10, 1)
    assert months.finished(FIRST)[-1] == NOVEMBER
    months.close_months(at=FIRST)
    made = list(customer.statements.values_list("month", flat=True))
    assert sorted(made) == [date(2026, month, 1) for month in range(1, 12)]
    assert months.close_months(at=FIRST + timedelta(hours=1)) == 0
    assert closed(customer).closed_at == FIRST


def test_month_that_is_not_over_is_not_closed():
    with pytest.raises(ValueError, match="not over"):
        closed(a_customer(), at=november(30, 23, 59))


def test_empty_month_has_a_statement_too():
    assert closed(a_customer()).figures["counted"] == []


def test_batch_costs_the_same_for_one_customer_and_three():
    def cost(at):
        with CaptureQueriesContext(
            connection,
        ) as ran:
            months.close_months(at=at)
        return len(ran)

    a_customer(starts_on=date(2026, 10, 1))
    accepted(a_customer(starts_on=date(2026, 10, 1)), opened=tuesday(10), at=tuesday(10, 10))
    months.close_months(at=november(1, 6))
    alone = cost(FIRST)
    for _more in range(3):
        accepted(a_customer(starts_on=date(2026, 12, 1)), opened=december(2, 10), at=december(2, 10, 10))

    assert cost(december(31, 23) + timedelta(days=1)) == alone


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue_again")
def test_three_workers_at_once_close_a_month_once():
    customers = [a_customer() for _number in range(3)]
    accepted(customers[0], opened=tuesday(10), at=tuesday(10, 10))
    barrier, troubles = threading.Barrier(3), []

    def run():
        try:
            barrier.wait(5)
            months.close_months(at=FIRST)
            months.check_months(at=FIRST)
        except Exception as error:  # told to the test's own thread below
            troubles.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert troubles == []
    assert MonthlyStatement.objects.filter(month=NOVEMBER).count() == 3
    # One reaction that ended; the solution that it still owed is long missed.
    assert StatementLine.objects.filter(statement__month=NOVEMBER).count() == 2
    assert StatementCorrection.objects.count() == 0


# Frozen


@pytest.fixture
def solved():
    """A statement with one kept reaction and one kept solution of a ticket that is solved."""
    customer = a_customer()
    ticket = accepted(customer, opened=november(27, 10), at=november(27, 10, 10))
    workflow.resolve(ticket, by=ticket.assignee, body="Mended", at=november(27, 11))
    return closed(customer)


@pytest.mark.parametrize("change", [{"figures": {}}, {"sha256": "0" * 64}, {"closed_at": december(2)}])
def test_database_refuses_other_figures(solved, change):
    with pytest.raises(IntegrityError, match="never altered"), transaction.atomic():
        MonthlyStatement.objects.filter(pk=solved.pk).update(**change)
    with pytest.raises(IntegrityError, match="never altered"), transaction.atomic():
        StatementLine.objects.filter(statement=solved).update(outcome="missed", reason="late", late=timedelta(1))
    with pytest.raises(IntegrityError, match="never altered"), transaction.atomic():
        StatementLine.objects.filter(statement=solved).delete()
    MonthlyStatement.objects.filter(pk=solved.pk).update(notified_at=december(2))


def test_reopening_after_the_closing_is_a_correction_written_once(solved):
    ticket = solved.customer.tickets.get()
    figures, digest = solved.figures, solved.sha256
    workflow.reopen(ticket, by=contact_of(solved.customer), reason="Again", at=december(1, 9))

    assert months.check_months(at=december(2, 6, 30)) == 1
    assert months.check_months(at=december(3, 6, 30)) == 0

    correction = solved.corrections.get()
    assert (correction.before, correction.after, correction.by) == (Outcome.KEPT, Outcome.OUT, None)
    assert (correction.cause, correction.happened_at) == ("reopened", december(1, 9))
    solved.refresh_from_db()
    assert (solved.figures, solved.sha256) == (figures, digest)
    assert months.is_intact(solved)
    of = month_page.corrected(solved, month_page.corrections_of(solved))
    assert (of.met, of.missed) == (1, 0)


def test_promise_that_comes_to_the_month_later_is_a_correction_too(solved):
    """Classified anew in December: the new clock counts from the receipt, and was over in November."""
    ticket = accepted(solved.customer, opened=november(30, 10), at=november(30, 10, 10), priority=4)
    months.check_months(at=december(1, 7))  # it was not there when the month was closed
    before = StatementCorrection.objects.count()
    workflow.reclassify(ticket, by=ticket.assignee, priority=1, reason="It stands still", at=december(1, 9))
    sweep(december(1, 9, 1))

    assert months.check_months(at=december(2, 6, 30)) == 1

    correction = solved.corrections.latest("pk")
    assert before == 1
    assert (correction.line, correction.before, correction.after) == (None, Outcome.OUT, Outcome.MISSED)
    assert (correction.cause, correction.happened_at) == ("reclassified", december(1, 9))


def test_correction_by_a_person_has_words_and_stays_beside_the_daily_check(solved):
    line, manager = solved.lines.get(kind="resolution"), a_manager()
    month_answers.correct(solved, line, after="out", why="The desk was closed by a fire", by=manager, at=december(1, 9))

    assert months.check_months(at=december(2, 6, 30)) == 0
    correction = solved.corrections.get()
    assert (correction.by, correction.why) == (manager, "The desk was closed by a fire")
    with pytest.raises(month_answers.NotNow):
        month_answers.correct(solved, line, after="out", why="Again", by=manager, at=december(1, 10))


# What is said


def test_acknowledged_once_and_only_by_the_contact(solved):
    contact = contact_of(solved.customer)
    with pytest.raises(month_answers.Forbidden):
        month_answers.acknowledge(solved, by=observer_of(solved.customer), at=december(1, 9))

    first = month_answers.acknowledge(solved, by=contact, at=december(1, 9))

    assert month_answers.acknowledge(solved, by=contact, at=december(1, 10)) == first
    with pytest.raises(month_answers.NotNow):
        month_answers.dispute(solved, solved.lines.get(kind="reaction"), words="No", by=contact, at=december(1, 11))


def test_dispute_waits_for_its_answer_and_is_answered_once(solved):
    contact, csm = contact_of(solved.customer), solved.customer.csm
    line = solved.lines.get(kind="reaction")
    said = month_answers.dispute(solved, line, words="Nobody called", by=contact, at=december(1, 9))

    with pytest.raises(month_answers.NotNow):
        month_answers.dispute(solved, line, words="Still nobody", by=contact, at=december(1, 10))
    with pytest.raises(month_answers.NotNow):
        month_answers.acknowledge(solved, by=contact, at=december(1, 10))
    with pytest.raises(month_answers.Forbidden):
        month_answers.answer(said, words="We did", by=an_engineer(), at=december(1, 11))
    month_answers.answer(said, words="We did, at ten", by=csm, at=december(1, 11))
    with pytest.raises(month_answers.NotNow):
        month_answers.answer(said, words="Again", by=csm, at=december(1, 12))

    assert month_answers.acknowledge(solved, by=contact, at=december(1, 13)).by == contact
