"""The preview of a change of terms and its decision (domain §4): what is shown happens, or it is said why not."""

import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.refusals import Forbidden
from contracts import signing
from contracts.catalogue import NotChanged, TermsChange, as_change
from contracts.models import Contract, Licence, PackageTerms
from contracts.terms import Kind, Price, Target, Unit
from tests.factories import (
    LicenceFactory,
    UserFactory,
    a_contract_admin,
    a_customer,
    a_draft,
    an_engineer,
    contact_of,
    contract_of,
    open_ticket,
    package,
)
from tests.moments import november, tuesday
from tickets import terms_decisions, workflow
from tickets.models import TermsDecision, TermsItem, Ticket
from tickets.tasks import apply_terms_changes
from tickets.terms_decisions import advance, choose, choose_all, decide, why_left
from tickets.terms_preview import begin, begin_again, begin_with, count, moves_of, totals
from tickets.workflow import NotAllowed
from tickets.workflow.terms import told

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 17)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def admin():
    return UserFactory(admin=True)


def tighter(code: str = "premium", starts_on: date = TODAY, **fields) -> TermsChange:
    """Half of every time, and a percent more; new promises are not made."""
    change = as_change(package(code).terms.order_by("starts_on").last(), starts_on=starts_on)
    targets = tuple(replace(target, amount=max(target.amount // 2, 1)) for target in change.targets)
    prices = {where: Price(price.percent + 1, price.minimum) for where, price in change.prices.items()}
    return replace(change, **{"targets": targets, "prices": prices, **fields})


def previewed(change: TermsChange, by, at=None) -> TermsDecision:
    at = at or tuesday(11, 1)
    decision = begin(change, reason="New price list", by=by, at=at)
    advance(decision, at=at, seconds=None)
    decision.refresh_from_db()
    return decision


def decided(decision: TermsDecision, scope: str, by, at=None) -> TermsDecision:
    at = at or tuesday(11, 30)
    decision = decide(decision, scope=scope, by=by, at=at)
    advance(decision, at=at, seconds=None)
    decision.refresh_from_db()
    return decision


def item_of(decision: TermsDecision, ticket: Ticket) -> TermsItem:
    return decision.items.get(ticket=ticket)


# What the preview shows


def test_the_preview_counts_what_moves_and_what_becomes_missed(admin):
    late, moves = open_ticket(priority=1), open_ticket(priority=3)

    decision = previewed(tighter(), admin, at=tuesday(11, 5))

    found = totals(decision)
    assert (found.tickets, found.touched) == (2, 2)
    assert (found.moved, found.missed) == (4, 2)  # the hour of priority 1, and the reaction of priority 3
    assert item_of(decision, late).rank == TermsItem.Rank.MISSED
    assert item_of(decision, moves).moves == [
        {"kind": "reaction", "from": "2026-11-17T09:00:00+00:00", "to": "2026-11-17T08:00:00+00:00", "missed": True},
        {"kind": "resolution", "from": "2026-12-01T07:00:00+00:00", "to": "2026-11-24T07:00:00+00:00", "missed": False},
    ]


def test_a_preview_writes_neither_terms_nor_tickets(admin):
    ticket = open_ticket(priority=3)
    before = list(ticket.commitments.values_list("pk", "due_at", "ending"))

    decision = previewed(tighter(), admin)

    assert PackageTerms.objects.count() == 3
    assert list(ticket.commitments.values_list("pk", "due_at", "ending")) == before
    assert decision.state == TermsDecision.State.READY


def test_promises_that_appear_and_vanish_are_counted(admin):
    open_ticket(a_customer("premium"), priority=3)
    open_ticket(a_customer("business"), priority=2)
    premium = as_change(package("premium").terms.get(), starts_on=TODAY)
    without = replace(premium, targets=tuple(one for one in premium.targets if one.kind != Kind.RESOLUTION))
    business = as_change(package("business").terms.get(), starts_on=TODAY)
    more = replace(business, targets=(*business.targets, Target(Kind.RESOLUTION, 2, 3, Unit.WORKING_DAYS)))

    assert totals(previewed(without, admin)).vanish == 1
    assert totals(previewed(more, admin)).appear == 1


def test_drafts_are_priced_on_both_terms(admin):
    draft = a_draft(a_customer(cost="100000.00"), starts_on=date(2027, 1, 1))

    decision = previewed(tighter(), admin)

    item = decision.items.get(contract=draft)
    assert item.moves == {
        "yearly_from": "25000.00",
        "total_from": "25000.00",
        "yearly_to": "26000.00",
        "total_to": "26000.00",
    }
    assert (item.difference, item.is_dated, totals(decision).difference) == (Decimal(1000), True, Decimal(1000))


def test_only_open_tickets_and_drafts_of_the_package_are_in_it(admin):
    closed = open_ticket(priority=3)
    workflow.withdraw(closed, by=contact_of(closed.customer), reason="Found it", at=tuesday(10, 30))
    open_ticket(a_customer("basic"), priority=3)

    assert not previewed(tighter(), admin).items.exists()


def test_totals_are_exact_over_many_chunks(admin):
    customer = a_customer()
    for number in range(7):
        open_ticket(customer, priority=3, subject=f"№ {number}")
    decision = begin(tighter(), reason="New price list", by=admin, at=tuesday(10, 30))

    rounds = 1
    while count(decision, chunk=2):
        rounds += 1

    assert (rounds, totals(decision).tickets, totals(decision).moved) == (4, 7, 14)


def test_counting_asks_as_many_statements_for_many_tickets_as_for_one(admin):
    customer = a_customer()

    def statements() -> int:
        decision = begin(tighter(), reason="New price list", by=admin, at=tuesday(10, 30))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            count(decision)
        return len(asked)

    open_ticket(customer, priority=3)
    one = statements()
    for number in range(5):
        open_ticket(customer, priority=2, subject=f"№ {number}")

    assert statements() == one


def test_counting_again_starts_from_nothing(admin):
    ticket = open_ticket(priority=1)
    decision = previewed(tighter(), admin, at=tuesday(10, 5))
    assert totals(decision).missed == 0

    begin_again(decision, by=admin, at=tuesday(10, 20))
    advance(decision, at=tuesday(10, 20), seconds=None)

    assert item_of(decision, ticket).missed == 1


@pytest.mark.parametrize("person", [a_contract_admin, an_engineer])
def test_only_the_administrator_previews_chooses_and_decides(admin, person):
    by = person()
    decision = previewed(tighter(), admin)

    with pytest.raises(Forbidden):
        begin(tighter(), reason="New price list", by=by, at=tuesday(11))
    with pytest.raises(Forbidden):
        choose(decision, shown=[], chosen=[], by=by)
    with pytest.raises(Forbidden):
        decide(decision, scope="new", by=by, at=tuesday(11))
    with pytest.raises(Forbidden):
        begin_again(decision, by=by, at=tuesday(11))


# The preview is what happens


@pytest.mark.parametrize("seed", range(6))
def test_the_previewed_deadline_is_the_applied_one_to_the_second(admin, seed):
    """Random tickets with random histories: waits, restores, answers; every deadline comes out as it was shown."""
    dice = random.Random(seed)
    engineer = an_engineer()
    customers = [a_customer("premium"), a_customer("premium")]
    contract_of(customers[1]).clauses.create(
        text_ru="Своё время",
        text_en="Own time",
        kind="resolution",
        priority=2,
        minutes=700,
        starts_at=november(1),
    )
    for number in range(10):
        a_ticket_with_a_past(customers[number % 2], engineer, dice)
    targets = tuple(
        replace(target, amount=dice.randint(1, 12) if target.unit == Unit.WORKING_DAYS else dice.randint(5, 4000))
        for target in as_change(package("premium").terms.get()).targets
        if target.kind != Kind.RESOLUTION or dice.random() < 0.8
    )
    at = november(dice.randint(20, 27), dice.randint(0, 23), dice.randint(0, 59), dice.randint(0, 59))
    decision = previewed(tighter(targets=targets), admin, at=at)
    choose_all(decision, drafts=False, chosen=True, by=admin)

    decision = decided(decision, "chosen", admin, at=at)

    assert {item.why for item in decision.items.all()} == {""}
    for item in decision.items.select_related("ticket"):
        event = item.ticket.events.latest("pk")
        assert (event.verb, event.details["promises"]) == ("terms_applied", item.moves)
        running = {
            clock.kind: clock.due_at.isoformat()
            for clock in item.ticket.commitments.running().filter(terms=decision.terms)
        }
        assert running == {one["kind"]: one["to"] for one in item.moves if one["to"]}


def a_ticket_with_a_past(customer, engineer, dice: random.Random) -> Ticket:
    at = november(dice.randint(9, 18), dice.randint(0, 23), dice.randint(0, 59), dice.randint(0, 59))
    kind = "incident" if dice.random() < 0.8 else "consultation"
    ticket = open_ticket(customer, priority=dice.randint(1, 4), kind=kind, at=at)

    def later() -> object:
        nonlocal at
        at += timedelta(seconds=dice.randint(60, 90_000))
        return at

    if dice.random() < 0.7:
        ticket = workflow.accept(ticket, by=engineer, at=later())
        if dice.random() < 0.3 and ticket.priority < 3:
            ticket = workflow.restore(ticket, by=engineer, workaround="A mirror", at=later())
        for _round in range(dice.randint(0, 2)):
            workflow.ask_customer(ticket, by=engineer, body="Which browser?", at=later())
            if dice.random() < 0.7:
                workflow.customer_reply(ticket, by=contact_of(customer), body="Any", at=later())
            else:
                break
    return Ticket.objects.get(pk=ticket.pk)


# The decision


def test_new_contracts_only_moves_nothing_older(admin):
    ticket, draft = open_ticket(priority=3), a_draft(a_customer(), starts_on=date(2027, 1, 1))
    was = ticket.terms

    decision = decided(previewed(tighter(), admin), "new", admin)

    assert (decision.state, decision.terms.starts_on) == ("done", TODAY)
    assert Ticket.objects.get(pk=ticket.pk).terms == was
    assert Contract.objects.get(pk=draft.pk).terms == was
    assert package("premium").terms_on(TODAY) == decision.terms


def test_from_the_first_day_on(admin):
    before, after = open_ticket(priority=3, at=november(16, 10)), open_ticket(priority=3, at=tuesday(0, 0))
    customer = a_customer(ends_on=date(2027, 6, 30))
    old, new = a_draft(a_customer(), starts_on=date(2026, 11, 16)), a_draft(customer, starts_on=date(2027, 7, 1))

    decision = decided(previewed(tighter(), admin), "dated", admin)

    assert set(Ticket.objects.filter(terms=decision.terms)) == {after}
    assert set(Contract.objects.filter(terms=decision.terms)) == {new}
    assert before.pk and old.pk


def test_chosen_ones(admin):
    taken, left = open_ticket(priority=3), open_ticket(priority=3)
    decision = previewed(tighter(), admin)
    shown = list(decision.items.values_list("pk", flat=True))
    choose(decision, shown=shown, chosen=[item_of(decision, taken).pk], by=admin)

    decided(decision, "chosen", admin)

    assert set(Ticket.objects.filter(terms__starts_on=TODAY)) == {taken}
    assert left.pk


def test_choosing_touches_only_what_the_page_showed(admin):
    open_ticket(priority=3)
    open_ticket(priority=3)
    decision = previewed(tighter(), admin)
    first, second = decision.items.values_list("pk", flat=True)

    choose(decision, shown=[first], chosen=[first], by=admin)
    choose(decision, shown=[second], chosen=[], by=admin)

    assert list(decision.items.filter(chosen=True).values_list("pk", flat=True)) == [first]


def test_signed_contracts_keep_their_terms_whatever_is_decided(admin):
    contract = contract_of(a_customer())
    open_ticket(contract.customer, priority=3)

    decided(previewed(tighter(), admin), "dated", admin)

    assert Contract.objects.get(pk=contract.pk).terms == contract.terms


@pytest.mark.parametrize(
    ("scope", "words"), [("chosen", "Nothing is chosen"), ("everything", "Choose what"), ("", "Choose what")]
)
def test_a_decision_that_cannot_be_writes_nothing(admin, scope, words):
    decision = previewed(tighter(), admin)

    with pytest.raises(NotAllowed, match=words):
        decide(decision, scope=scope, by=admin, at=tuesday(12))

    assert PackageTerms.objects.count() == 3


def test_it_is_decided_once(admin):
    decision = decided(previewed(tighter(), admin), "new", admin)

    with pytest.raises(NotAllowed, match="decided already"):
        decide(decision, scope="dated", by=admin, at=tuesday(12))
    with pytest.raises(NotAllowed, match="decided already"):
        choose_all(decision, drafts=True, chosen=True, by=admin)


def test_it_is_not_decided_while_it_is_counted(admin):
    decision = begin(tighter(), reason="New price list", by=admin, at=tuesday(11))

    with pytest.raises(NotAllowed, match="still being counted"):
        decide(decision, scope="new", by=admin, at=tuesday(12))


def test_a_change_that_another_one_overtook_is_refused(admin):
    decision = previewed(tighter(), admin)
    decided(previewed(tighter(starts_on=date(2026, 11, 18)), admin), "new", admin)
    a_draft(a_customer(), starts_on=date(2026, 12, 1))

    with pytest.raises(NotChanged):
        decide(decision, scope="new", by=admin, at=tuesday(12))


# What changed since the preview is said, not moved unseen


def test_what_changed_since_the_preview_is_left_with_the_reason(admin):
    engineer = an_engineer()
    closed, waits, fine = (open_ticket(priority=3) for _each in range(3))
    customer = a_customer(starts_on=date(2025, 1, 1), ends_on=date(2026, 11, 30))
    signed, dearer = a_draft(customer, starts_on=date(2026, 12, 1)), a_draft(a_customer(), starts_on=date(2027, 1, 1))
    bought = LicenceFactory(customer=dearer.customer, starts_on=date(2026, 12, 1))
    decision = previewed(tighter(), admin)
    choose_all(decision, drafts=False, chosen=True, by=admin)
    choose_all(decision, drafts=True, chosen=True, by=admin)
    workflow.withdraw(closed, by=contact_of(closed.customer), reason="Found it", at=tuesday(11, 10))
    waits = workflow.accept(waits, by=engineer, at=tuesday(11, 10))  # its reaction is met: it would not move any more
    signing.activate(signed, by=a_contract_admin(), at=tuesday(11, 10))
    Licence.objects.filter(pk=bought.pk).update(cost=Decimal(900_000))

    decided(decision, "chosen", admin)

    assert {(item.ticket or item.contract).pk: why_left(item) for item in decision.items.filter(outcome="skipped")} == {
        closed.pk: "It was closed since the preview.",
        waits.pk: "It is not as the preview showed it any more: other deadlines or another price would come out.",
        signed.pk: "It was signed since the preview and keeps its terms.",
        dearer.pk: "It is not as the preview showed it any more: other deadlines or another price would come out.",
    }
    assert item_of(decision, fine).outcome == "applied"
    assert Contract.objects.get(pk=signed.pk).terms.starts_on == date(2020, 1, 1)


def test_a_deadline_that_only_now_would_be_missed_is_not_moved_unseen(admin):
    ticket = open_ticket(priority=1)
    decision = previewed(tighter(), admin, at=tuesday(10, 5))

    decided(decision, "dated", admin, at=tuesday(10, 20))

    assert item_of(decision, ticket).why == terms_decisions.CHANGED


# A killed worker repeats nothing and forgets nothing


def test_the_job_goes_on_where_it_was_stopped(admin):
    for _each in range(4):
        open_ticket(priority=3)
    decision = decide(previewed(tighter(), admin), scope="dated", by=admin, at=tuesday(11, 2))
    terms_decisions.carry_out_one(decision, at=tuesday(11, 2))

    advance(decision, at=tuesday(11, 5), seconds=None)
    advance(decision, at=tuesday(11, 10), seconds=None)

    decision.refresh_from_db()
    assert (decision.state, decision.finished_at) == ("done", tuesday(11, 5))
    assert decision.items.filter(outcome="applied").count() == 4
    for ticket in Ticket.objects.all():
        assert ticket.events.filter(verb="terms_applied").count() == 1


def test_the_timetable_does_what_a_page_did_not_wait_for(admin):
    open_ticket(priority=3)
    decision = begin(tighter(), reason="New price list", by=admin, at=tuesday(11))

    assert apply_terms_changes() == 1

    decision.refresh_from_db()
    assert (decision.state, apply_terms_changes()) == ("ready", 0)


# Terms that are there already


def test_terms_can_be_applied_to_more_later(admin):
    ticket = open_ticket(priority=3)
    terms = decided(previewed(tighter(), admin), "new", admin).terms

    later = begin_with(terms, reason="Asked for", by=admin, at=tuesday(12))
    advance(later, at=tuesday(12), seconds=None)
    later.refresh_from_db()
    choose_all(later, drafts=False, chosen=True, by=admin)
    decided(later, "chosen", admin, at=tuesday(12))

    assert Ticket.objects.get(pk=ticket.pk).terms == terms
    assert package("premium").terms.count() == 2


def test_moves_of_one_ticket_are_those_of_its_item(admin):
    ticket = open_ticket(priority=3)
    decision = previewed(tighter(), admin)

    found = moves_of([ticket], TermsChange.from_json(decision.change), at=tuesday(11, 1))

    assert [told(one) for one in found[ticket.pk]] == item_of(decision, ticket).moves
