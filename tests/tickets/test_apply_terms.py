"""Other terms for a running request (domain §4): the verb, what it moves and what it never touches."""

from datetime import date
from typing import Any

import pytest
from django.utils import translation

from accounts.refusals import Forbidden
from contracts import catalogue, signing
from contracts.catalogue import TermsChange, as_change
from contracts.models import ContractEvent, PackageTerms
from contracts.signing import NotSigned
from contracts.terms import Kind, Target, Unit
from mail.event_letters import of_event
from tests.factories import (
    TUESDAY_10,
    UserFactory,
    a_contract_admin,
    a_customer,
    a_draft,
    a_lead,
    an_engineer,
    contact_of,
    contract_of,
    open_ticket,
    package,
)
from tests.moments import december, november, tuesday
from tickets import workflow
from tickets.models import Ticket
from tickets.workflow import NotAllowed

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 17)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def an_admin(**fields: Any) -> Any:
    return UserFactory(admin=True, **fields)


def a_change(
    code: str = "premium", *, starts_on: date = TODAY, targets: dict | None = None, **other: Any
) -> TermsChange:
    """The package's terms with some targets replaced: {("resolution", 3): (5, "working_days") or None}."""
    change = as_change(package(code).terms.order_by("starts_on").last(), starts_on=starts_on)
    found = {(str(one.kind), one.priority): one for one in change.targets}
    for (kind, priority), target in (targets or {}).items():
        if target is None:
            found.pop((kind, priority), None)
        else:
            old = found.get((kind, priority))
            calendar = old.calendar if old else "working-days" if target[1] == "working_days" else ""
            found[kind, priority] = Target(Kind(kind), priority, target[0], Unit(target[1]), calendar)
    fields = {**change.__dict__, "targets": tuple(found.values()), **other}
    return TermsChange(**fields)


def terms_by(**fields: Any) -> PackageTerms:
    return catalogue.apply_change(a_change(**fields), by=an_admin(), at=tuesday(9))


def promises(ticket: Ticket, kind: str = "resolution") -> list[tuple]:
    return list(ticket.commitments.filter(kind=kind).order_by("pk").values_list("started_at", "due_at", "ending"))


def apply(
    ticket: Ticket, terms: PackageTerms, at: Any = None, by: Any = None, reason: str = "New price list"
) -> Ticket:
    return workflow.apply_terms(ticket, terms, by=by or an_admin(), at=at or tuesday(11), reason=reason)


def test_a_running_promise_is_counted_anew_from_the_receipt():
    ticket = open_ticket(priority=3)
    terms = terms_by(targets={("resolution", 3): (2, "working_days")})

    ticket = apply(ticket, terms)

    assert promises(ticket) == [
        (tuesday(10), december(1, 10), "superseded"),
        (tuesday(10), november(19, 10), ""),
    ]
    assert ticket.terms == terms
    assert ticket.commitments.get(kind="resolution", ending="").terms == terms


def test_a_promise_that_is_the_same_in_both_terms_goes_on():
    ticket = open_ticket(priority=3)

    ticket = apply(ticket, terms_by(targets={("resolution", 3): (2, "working_days")}))

    assert promises(ticket, "reaction") == [(tuesday(10), tuesday(12), "")]


def test_the_event_keeps_old_and_new_deadlines_and_the_reason():
    ticket = apply(open_ticket(priority=3), terms_by(targets={("resolution", 3): (2, "working_days")}))

    event = ticket.events.latest("pk")
    assert (event.verb, event.details["reason"]) == ("terms_applied", "New price list")
    assert (event.details["from"], event.details["to"]) == ("2020-01-01", "2026-11-17")
    assert event.details["promises"] == [
        {"kind": "resolution", "from": "2026-12-01T07:00:00+00:00", "to": "2026-11-19T07:00:00+00:00", "missed": False}
    ]


def test_all_pauses_are_kept():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10))
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which browser?", at=tuesday(11))
    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="Any", at=november(18, 11))

    ticket = apply(ticket, terms_by(targets={("resolution", 3): (2, "working_days")}), at=november(18, 12))

    assert promises(ticket)[-1] == (tuesday(10), november(20, 10), "")  # a working day later than without the wait


def test_a_clock_that_stands_goes_on_standing():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10))
    workflow.ask_customer(ticket, by=ticket.assignee, body="Which browser?", at=tuesday(11))

    ticket = apply(ticket, terms_by(targets={("resolution", 3): (1, "working_days")}), at=november(30, 12))
    clock = ticket.commitments.get(kind="resolution", ending="")
    assert (clock.paused_at, clock.next_check_at) == (tuesday(11), None)

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="Any", at=november(30, 12))
    clock.refresh_from_db()
    assert clock.due_at == december(1, 11)  # an hour was used before the question


def test_a_clock_that_becomes_late_at_once_is_missed_and_its_ladder_climbs():
    ticket = open_ticket(priority=3)
    terms = terms_by(targets={("resolution", 3): (60, "minutes")})

    ticket = apply(ticket, terms, at=november(18, 12))

    clock = ticket.commitments.filter(kind="resolution").latest("pk")
    assert (clock.ending, clock.stopped_at) == ("missed", None)
    assert clock.next_check_at is not None and clock.next_check_at <= november(18, 12)
    assert ticket.events.latest("pk").details["promises"][0]["missed"] is True


def test_what_was_missed_already_stays_on_the_record():
    ticket = open_ticket(priority=1)  # two hours

    ticket = apply(ticket, terms_by(targets={("resolution", 1): (600, "minutes")}), at=tuesday(13))

    assert promises(ticket) == [(tuesday(10), tuesday(12), "missed"), (tuesday(10), tuesday(20), "")]


def test_ended_clocks_are_never_touched():
    ticket = workflow.accept(open_ticket(priority=3), by=an_engineer(), at=tuesday(10, 30))

    ticket = apply(ticket, terms_by(targets={("reaction", 3): (10, "minutes")}))

    assert promises(ticket, "reaction") == [(tuesday(10), tuesday(12), "met")]


def test_a_promise_that_the_terms_make_for_the_first_time_begins_at_the_receipt():
    ticket = open_ticket(a_customer("business"), priority=2)

    ticket = apply(ticket, terms_by(code="business", targets={("resolution", 2): (1, "working_days")}))

    assert promises(ticket) == [(tuesday(10), november(18, 10), "")]
    assert ticket.events.latest("pk").details["promises"][0]["from"] is None


def test_a_promise_that_the_terms_do_not_make_any_more_is_superseded():
    ticket = open_ticket(priority=3)

    ticket = apply(ticket, terms_by(targets={("resolution", 3): None}))

    assert promises(ticket) == [(tuesday(10), december(1, 10), "superseded")]
    assert ticket.due_kind == "reaction"


def test_a_clause_of_the_contract_goes_before_the_new_terms():
    customer = a_customer()
    contract_of(customer).clauses.create(
        text_ru="Реакция 5 минут", text_en="5 minutes", kind="reaction", priority=3, minutes=5, starts_at=november(1)
    )
    ticket = open_ticket(customer, priority=3)

    ticket = apply(ticket, terms_by(targets={("reaction", 3): (10, "minutes")}))

    assert promises(ticket, "reaction") == [(tuesday(10), tuesday(10, 5), "")]


def test_an_individually_agreed_deadline_stays():
    ticket = open_ticket(priority=3)
    ticket.commitments.filter(kind="resolution").update(agreed=True)

    ticket = apply(ticket, terms_by(targets={("resolution", 3): (2, "working_days")}))

    assert promises(ticket) == [(tuesday(10), december(1, 10), "")]


def test_the_contract_keeps_its_terms():
    ticket = open_ticket(priority=3)
    before = ticket.contract.terms

    apply(ticket, terms_by(targets={("resolution", 3): (2, "working_days")}))

    ticket.contract.refresh_from_db()
    assert ticket.contract.terms == before


@pytest.mark.parametrize(
    ("state", "words"),
    [("closed", "only open requests"), ("same", "already"), ("other", "another package"), ("silent", "Write why")],
)
def test_refusals_change_nothing(state, words):
    ticket = open_ticket(priority=3)
    terms = terms_by(targets={("resolution", 3): (2, "working_days")})
    reason = "New price list"
    if state == "closed":
        workflow.withdraw(ticket, by=contact_of(ticket.customer), reason="Found it", at=tuesday(10, 30))
    if state == "same":
        terms = ticket.terms
    if state == "other":
        terms = package("basic").terms.get()
    if state == "silent":
        reason = "  "
    was, events = Ticket.objects.get(pk=ticket.pk).terms, ticket.events.count()

    with pytest.raises(NotAllowed, match=words):
        apply(ticket, terms, reason=reason)

    assert (Ticket.objects.get(pk=ticket.pk).terms, ticket.events.count()) == (was, events)


@pytest.mark.parametrize("person", [a_contract_admin, a_lead, an_engineer])
def test_only_the_administrator_applies_terms(person):
    ticket = open_ticket(priority=3)
    terms = terms_by(targets={("resolution", 3): (2, "working_days")})

    with pytest.raises(Forbidden):
        apply(ticket, terms, by=person())


# What the customer hears


def test_the_contact_hears_the_old_and_the_new_date():
    ticket = apply(
        open_ticket(a_customer(language="en"), priority=3), terms_by(targets={("resolution", 3): (2, "working_days")})
    )

    (draft,) = of_event(ticket.events.latest("pk"), tuesday(11))

    assert draft.reader.person == contact_of(ticket.customer)
    assert draft.letter.title == "Term changed"
    assert ("Resolution", "was: Tue 1 Dec, 10:00; now: Thu 19 Nov, 10:00") in draft.letter.facts
    assert ("Reason", "New price list") in draft.letter.facts


def test_nobody_is_written_to_where_no_date_moves():
    ticket = apply(open_ticket(priority=3), terms_by(targets={("resolution", 1): (60, "minutes")}))

    assert of_event(ticket.events.latest("pk"), tuesday(11)) == []


# Drafts


def test_a_draft_is_quoted_anew_and_says_so():
    customer = a_customer()
    draft = a_draft(customer, starts_on=date(2027, 1, 1))
    change = a_change(starts_on=date(2026, 12, 1))
    dear = {where: type(price)(price.percent * 2, price.minimum) for where, price in change.prices.items()}
    terms = catalogue.apply_change(a_change(starts_on=date(2026, 12, 1), prices=dear), by=an_admin(), at=tuesday(9))

    signing.apply_terms_to_draft(draft, terms, by=an_admin(), at=tuesday(10))

    draft.refresh_from_db()
    assert draft.terms == terms
    assert [line.amount for line in draft.lines.all()] == [50000]
    event = ContractEvent.objects.filter(contract=draft).latest("pk")
    assert (event.verb, event.details["terms_to"]) == ("draft_changed", "2026-12-01")


def test_a_signed_contract_keeps_its_terms_for_ever():
    contract = contract_of(a_customer())
    terms = terms_by(targets={("resolution", 3): (2, "working_days")})

    with pytest.raises(NotSigned, match="keeps the terms that it was signed on"):
        signing.apply_terms_to_draft(contract, terms, by=an_admin(), at=TUESDAY_10)
