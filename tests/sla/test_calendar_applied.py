"""An edit of a calendar applied to open requests: preview, effect, and what it never touches (domain §4.1)."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from accounts.refusals import Forbidden
from mail.event_letters import of_event
from sla.calendars import Edit, NotEdited, as_edit, edit_calendar
from sla.models import Calendar, CalendarVersion, Escalation
from sla.sweep import sweep
from tests.factories import (
    UserFactory,
    a_contract_admin,
    a_customer,
    a_lead,
    an_engineer,
    contact_of,
    open_ticket,
)
from tests.moments import december, november, tuesday
from tickets import calendar_changes, terms_preview, workflow
from tickets.calendar_changes import advance, begin, carry_out_one, decide, totals, why_left
from tickets.models import CalendarChange, CalendarItem, Ticket
from tickets.workflow import NotAllowed

pytestmark = pytest.mark.django_db

WEDNESDAY_OFF = ["2026-11-18"]


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def an_admin() -> Any:
    return UserFactory(admin=True)


def calendar(code: str = "working-days") -> Calendar:
    return Calendar.objects.get(code=code)


def the_edit(code: str = "working-days", **fields: Any) -> Edit:
    latest = as_edit(calendar(code).versions.latest("valid_from"))
    days_off = [*latest.holidays, *fields.pop("more", [])]
    return Edit(**latest.__dict__ | {"holidays": days_off} | fields)


def version(code: str = "working-days", *, at: Any = None, **fields: Any) -> CalendarVersion:
    found = the_edit(code, **(fields or {"more": WEDNESDAY_OFF})).__dict__
    return edit_calendar(calendar(code), by=an_admin(), at=at or tuesday(11), **found)


def apply(ticket: Ticket, to: CalendarVersion | None = None, at: Any = None, by: Any = None) -> Ticket:
    return workflow.apply_calendar(
        ticket, to or version(), by=by or an_admin(), at=at or tuesday(12), reason="A day off was decreed"
    )


def previewed(code: str = "working-days", *, at: Any = None, **fields: Any) -> CalendarChange:
    edit = the_edit(code, **(fields or {"more": WEDNESDAY_OFF}))
    change = begin(calendar(code), edit, reason="A day off was decreed", by=an_admin(), at=at or tuesday(11))
    advance(change, at=at or tuesday(11), seconds=None)
    change.refresh_from_db()
    return change


def applied(change: CalendarChange, *, at: Any = None) -> CalendarChange:
    change = decide(change, scope="open", by=an_admin(), at=at or tuesday(11, 5))
    advance(change, at=at or tuesday(11, 5), seconds=None)
    change.refresh_from_db()
    return change


def promises(ticket: Ticket, kind: str = "resolution") -> list[tuple]:
    return list(ticket.commitments.filter(kind=kind).order_by("pk").values_list("started_at", "due_at", "ending"))


# The verb


def test_a_running_promise_is_counted_anew_by_the_version():
    ticket = apply(open_ticket(priority=3))

    assert promises(ticket) == [
        (tuesday(10), december(1, 10), "superseded"),
        (tuesday(10), december(2, 10), ""),
    ]
    assert ticket.commitments.latest("pk").calendar_version == calendar().versions.latest("valid_from")


def test_the_event_keeps_old_and_new_deadlines_the_version_and_the_reason():
    ticket = apply(open_ticket(priority=3))

    event = ticket.events.latest("pk")
    newest = calendar().versions.latest("valid_from")
    assert (event.verb, event.details["calendar"], event.details["version"]) == (
        "calendar_applied",
        "working-days",
        newest.pk,
    )
    assert event.details["reason"] == "A day off was decreed"
    assert event.details["promises"] == [
        {"kind": "resolution", "from": "2026-12-01T07:00:00+00:00", "to": "2026-12-02T07:00:00+00:00", "missed": False}
    ]


def test_a_promise_on_another_calendar_goes_on():
    ticket = apply(open_ticket(priority=3))

    assert promises(ticket, "reaction") == [(tuesday(10), tuesday(12), "")]


def test_all_pauses_are_kept():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10))
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which browser?", at=tuesday(11))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="Any", at=november(19, 11))
    assert promises(ticket)[-1][1] == december(3, 10)
    held = list(ticket.commitments.get(kind="resolution").pauses)

    # Wednesday lay in the wait: as a day off it takes nothing from it and adds nothing.
    ticket = apply(ticket, version(at=november(19, 11, 30)), at=november(19, 12))

    assert promises(ticket)[-1] == (tuesday(10), december(3, 10), "")
    assert ticket.commitments.latest("pk").pauses == held


def test_a_clock_that_stands_goes_on_standing():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10))
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which browser?", at=tuesday(11))

    ticket = apply(ticket, version(at=tuesday(12)), at=tuesday(13))
    clock = ticket.commitments.get(kind="resolution", ending="")
    assert (clock.paused_at, clock.next_check_at) == (tuesday(11), None)

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="Any", at=november(19, 9))
    clock.refresh_from_db()
    assert clock.due_at == december(2, 17)  # an hour was used, seven of Tuesday were waited, Wednesday is off


def test_a_clock_that_becomes_late_at_once_is_missed_and_its_ladder_climbs():
    ticket = open_ticket(priority=2)  # two working days: to Thursday 10:00
    longer = version(
        "working-days", at=november(18, 19), weekly_hours={str(day): [["09:00", "24:00"]] for day in range(7)}
    )

    ticket = apply(ticket, longer, at=november(18, 20))

    clock = ticket.commitments.get(kind="resolution", stopped_at=None)
    assert (clock.ending, clock.due_at) == ("missed", november(18, 13))
    assert ticket.events.latest("pk").details["promises"][0]["missed"] is True
    sweep(november(18, 20, 1))
    assert clock.escalations.filter(percent=100).exists()


def test_what_was_missed_already_stays_as_it_was():
    ticket = open_ticket(priority=2)

    with pytest.raises(NotAllowed, match="No promise of this request"):
        apply(ticket, version(at=november(20, 9)), at=november(20, 10))

    assert [due for _start, due, _ending in promises(ticket)] == [november(19, 10)]


def test_an_individually_agreed_deadline_stays():
    ticket = open_ticket(priority=3)
    ticket.commitments.filter(kind="resolution").update(agreed=True)

    with pytest.raises(NotAllowed, match="No promise of this request"):
        apply(ticket)


def test_ended_clocks_are_never_touched():
    ticket = workflow.accept(open_ticket(a_customer("basic"), priority=3), by=an_engineer(), at=tuesday(10, 30))

    with pytest.raises(NotAllowed, match="No promise"):
        apply(ticket, version("basic-hours", more=WEDNESDAY_OFF))

    assert promises(ticket, "reaction")[0][2] == "met"


def test_the_lines_clock_and_the_escalations_answer_are_counted_too():
    ticket = open_ticket(a_customer("basic"), priority=3, at=tuesday(17, 30))
    workflow.escalate(
        ticket, by=contact_of(ticket.customer), whom="top_management", reason="It stands", at=tuesday(17, 40)
    )
    answer = Escalation.objects.get(ticket=ticket)

    ticket = apply(ticket, version("basic-hours", more=WEDNESDAY_OFF, at=tuesday(17, 50)), at=tuesday(17, 55))

    answer.refresh_from_db()
    assert answer.answer_clock.calendar_version == calendar("basic-hours").versions.latest("valid_from")
    assert answer.answer_clock.due_at == november(19, 12, 40)
    assert promises(ticket, "escalation_answer")[0][2] == "superseded"


def test_rungs_that_were_called_are_not_called_again():
    ticket = open_ticket(priority=3)  # 90 hours: 50 % on 24 November at 10:00
    sweep(november(24, 10, 1))
    (call,) = Escalation.objects.filter(commitment__kind="resolution")
    assert call.percent == 50

    # Friday the 27th is ahead: half of the time has passed by both calendars.
    ticket = apply(ticket, version(more=["2026-11-27"], at=november(24, 11)), at=november(24, 12))
    sweep(november(24, 12, 1))

    clock = ticket.commitments.get(kind="resolution", ending="")
    assert list(Escalation.objects.filter(commitment__kind="resolution")) == [call]
    call.refresh_from_db()
    assert (call.commitment, call.state, clock.rungs_done) == (clock, "open", 1)


def test_rungs_whose_moment_moves_ahead_again_are_let_go_and_called_then():
    ticket = open_ticket(priority=3)
    sweep(november(24, 10, 1))

    ticket = apply(ticket, version(more=["2026-11-18"], at=november(24, 11)), at=november(24, 12))

    clock = ticket.commitments.get(kind="resolution", ending="")
    assert (clock.rungs_done, clock.next_check_at) == (0, november(25, 10))
    assert Escalation.objects.get(commitment__kind="resolution").state == "closed"


def test_a_later_clock_of_the_ticket_counts_by_the_applied_version():
    ticket = workflow.accept(open_ticket(priority=2), by=an_engineer(), at=tuesday(10))
    newest = version()
    ticket = apply(ticket, newest)

    workflow.reclassify(ticket, by=ticket.assignee, priority=3, reason="Auxiliary", at=tuesday(13))

    clock = ticket.commitments.get(kind="resolution", ending="")
    assert (clock.calendar_version, clock.due_at) == (newest, december(2, 10))


def test_a_ticket_that_nobody_applied_it_to_stays_on_its_own_version():
    ticket = workflow.accept(open_ticket(priority=2), by=an_engineer(), at=tuesday(10))
    version()

    workflow.reclassify(ticket, by=ticket.assignee, priority=3, reason="Auxiliary", at=tuesday(13))

    assert ticket.commitments.get(kind="resolution", ending="").due_at == december(1, 10)


@pytest.mark.parametrize("person", [a_contract_admin, a_lead, an_engineer])
def test_only_the_administrator_applies(person):
    ticket, newest = open_ticket(priority=3), version()

    with pytest.raises(Forbidden):
        apply(ticket, newest, by=person())


def test_a_closed_request_is_left():
    ticket = open_ticket(priority=3)
    workflow.withdraw(ticket, by=contact_of(ticket.customer), reason="Found it", at=tuesday(10, 30))

    with pytest.raises(NotAllowed, match="only open requests"):
        apply(ticket)


def test_applied_twice_it_moves_once():
    ticket, newest = open_ticket(priority=3), version()
    apply(ticket, newest)

    with pytest.raises(NotAllowed):
        apply(ticket, newest)

    assert len(promises(ticket)) == 2


# What the customer hears


def test_the_contact_hears_the_old_and_the_new_date():
    ticket = apply(open_ticket(a_customer(language="en"), priority=3))

    (draft,) = of_event(ticket.events.latest("pk"), tuesday(12))

    assert draft.reader.person == contact_of(ticket.customer)
    assert ("Resolution", "was: Tue 1 Dec, 10:00; now: Wed 2 Dec, 10:00") in draft.letter.facts
    assert ("Reason", "A day off was decreed") in draft.letter.facts


def test_nobody_is_written_to_where_no_promised_date_moves():
    ticket = apply(open_ticket(priority=3), version(more=["2027-07-07"]))

    assert of_event(ticket.events.latest("pk"), tuesday(12)) == []


# The preview


def test_the_preview_counts_what_moves_and_writes_nothing_else():
    tickets = [open_ticket(priority=priority) for priority in (1, 2, 3)]
    before = [(promises(ticket), ticket.events.count()) for ticket in tickets]

    change = previewed()

    assert (totals(change).tickets, totals(change).touched, totals(change).moved, totals(change).missed) == (2, 2, 2, 0)
    assert [(promises(ticket), ticket.events.count()) for ticket in tickets] == before
    assert calendar().versions.count() == 1


def test_the_preview_is_what_applying_does():
    tickets = [open_ticket(priority=priority) for priority in (2, 3, 4)]
    worked = workflow.accept(tickets[1], by=an_engineer(), at=tuesday(10, 10))
    workflow.ask_customer(worked, by=worked.assignee, body="Which?", at=tuesday(10, 30))
    change = previewed()
    shown = {item.ticket_id: item.moves for item in change.items.all()}

    change = applied(change)

    assert (change.state, change.items.filter(outcome="applied").count()) == ("done", 3)
    for ticket in tickets:
        event = ticket.events.latest("pk")
        assert (event.verb, event.details["promises"]) == ("calendar_applied", shown[ticket.pk])


def test_deadlines_that_become_missed_are_counted_exactly():
    tickets = [open_ticket(priority=2) for _n in range(3)] + [open_ticket(priority=4)]
    longer = {str(day): [["00:00", "24:00"]] for day in range(7)}

    change = previewed(at=november(18, 12), weekly_hours=longer)

    assert (totals(change).moved, totals(change).missed) == (4, 3)
    change = applied(change, at=november(18, 12, 1))
    missed = [ticket for ticket in tickets if ticket.commitments.get(kind="resolution", stopped_at=None).ending]
    assert len(missed) == 3


def test_the_most_moved_comes_first_after_what_becomes_missed():
    open_ticket(priority=2)
    long = open_ticket(priority=4)

    change = previewed(more=["2026-11-18", "2026-12-07"])

    assert change.items.first().ticket_id == long.pk
    assert change.items.first().shift == timedelta(days=2).total_seconds()


def test_new_tickets_only_moves_nothing():
    ticket = open_ticket(priority=3)
    change = decide(previewed(), scope="new", by=an_admin(), at=tuesday(11, 5))
    advance(change, at=tuesday(11, 6), seconds=None)

    assert (change.state, promises(ticket)) == ("done", [(tuesday(10), december(1, 10), "")])
    assert calendar().version_at(tuesday(12)) == change.version


def test_an_item_that_changed_since_the_preview_is_left_with_the_reason():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10, 10))
    closed = open_ticket(priority=3)
    change = previewed()
    workflow.reclassify(ticket, by=ticket.assignee, priority=4, reason="Small", at=tuesday(11, 1))
    workflow.withdraw(closed, by=contact_of(closed.customer), reason="Found it", at=tuesday(11, 1))

    applied(change)

    left = {item.ticket_id: why_left(item) for item in CalendarItem.objects.all()}
    assert left == {
        ticket.pk: "It changed since the preview: other figures than shown would have come out.",
        closed.pk: "It was closed since the preview.",
    }
    assert not ticket.events.filter(verb="calendar_applied").exists()


def test_a_job_that_was_killed_goes_on_and_repeats_nothing():
    tickets = [open_ticket(priority=3) for _n in range(3)]
    change = decide(previewed(), scope="open", by=an_admin(), at=tuesday(11, 5))

    assert carry_out_one(change, at=tuesday(11, 5))
    change.refresh_from_db()
    assert change.state == "applying"
    from tickets.tasks import apply_calendar_changes

    apply_calendar_changes()
    change.refresh_from_db()

    assert change.state == "done"
    assert [ticket.events.filter(verb="calendar_applied").count() for ticket in tickets] == [1, 1, 1]


def test_it_is_decided_once():
    change = applied(previewed())

    with pytest.raises(NotAllowed, match="decided already"):
        decide(change, scope="open", by=an_admin(), at=tuesday(12))


def test_an_edit_that_another_one_overtook_is_refused():
    change = previewed()
    version(more=["2026-12-30"], valid_from=december(1))

    with pytest.raises(NotEdited, match="begins after it"):
        decide(change, scope="new", by=an_admin(), at=tuesday(12))


def test_an_edit_needs_a_reason():
    with pytest.raises(NotAllowed, match="Write why"):
        begin(calendar(), the_edit(more=WEDNESDAY_OFF), reason=" ", by=an_admin(), at=tuesday(11))


def test_counting_asks_a_constant_number_of_statements(django_assert_num_queries):
    def counted(n: int) -> None:
        change = begin(calendar(), the_edit(more=WEDNESDAY_OFF), reason="x", by=admin, at=tuesday(11))
        with django_assert_num_queries(7):  # savepoints, change, tickets, clocks, items, change
            calendar_changes.count(change)
        assert totals(change).tickets == n

    admin = an_admin()
    open_ticket(priority=3)
    counted(1)
    for _n in range(3):
        open_ticket(priority=3)
    counted(4)


def test_a_change_of_terms_counts_by_the_applied_calendar():
    from tests.tickets.test_apply_terms import a_change

    ticket = open_ticket(priority=3)
    apply(ticket, version(more=WEDNESDAY_OFF))

    change = a_change(targets={("resolution", 3): (2, "working_days")})
    (moved,) = terms_preview.moves_of([Ticket.objects.get(pk=ticket.pk)], change, at=tuesday(13))[ticket.pk]

    assert moved.new_due == november(20, 10)
