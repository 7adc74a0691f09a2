"""The one responsible contact as a process: asked, agreed by both, dated; one contact at any moment (§1.7.1, §2)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from accounts.models import User
from accounts.refusals import Forbidden, Refused
from contracts import signing
from contracts.models import ContactChange, ContractEvent, Customer, ResponsibleContact
from contracts.signing import NotHandedOver
from tests.factories import a_contract_admin, a_customer, a_member, an_engineer, contact_of, observer_of
from tests.moments import december, november, tuesday

pytestmark = pytest.mark.django_db

NOW = tuesday(10)
State = ContactChange.State


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def customer(db: None) -> Customer:
    return a_customer()


@pytest.fixture
def admin(db: None) -> User:
    return a_contract_admin()


def ask(customer: Customer, **fields: Any) -> ContactChange:
    """The contact asks for the observer's turn from 1 December on, unless told otherwise."""
    return signing.ask_contact_change(
        customer,
        **{
            "user": observer_of(customer),
            "starts_at": december(1),
            "reason": "Leaves the company",
            "by": contact_of(customer),
            "at": NOW,
            **fields,
        },
    )


def line(customer: Customer) -> list[tuple[User, datetime, datetime | None]]:
    """Who speaks from when until when, in order of time."""
    rows = customer.contacts.select_related("user").order_by("starts_at")
    return [(row.user, row.starts_at, row.ends_at) for row in rows]


def told(customer: Customer) -> list[str]:
    events = ContractEvent.objects.filter(customer=customer, verb__startswith="contact_")
    return [event.verb for event in events.order_by("pk")]


# Who asks, and whose word is missing then


def test_the_contact_asks_and_the_company_has_agreed_with_that(customer):
    change = ask(customer)

    assert (change.state, change.customer_agreed_by, change.vendor_agreed_by) == (
        State.ASKED,
        contact_of(customer),
        None,
    )
    assert len(line(customer)) == 1


def test_a_colleague_asks_and_the_contact_is_asked_first(customer, admin):
    change = ask(customer, by=observer_of(customer))
    assert (change.customer_agreed_at, change.vendor_agreed_at) == (None, None)

    signing.agree_contact_change(change, by=contact_of(customer), at=tuesday(11))
    change = signing.agree_contact_change(change, by=admin, at=tuesday(12))

    assert change.state == State.AGREED
    assert told(customer) == ["contact_asked", "contact_agreed", "contact_agreed", "contact_changed"]


def test_the_contract_administrator_asks_and_the_contact_agrees(customer, admin):
    change = ask(customer, by=admin)
    assert (change.customer_agreed_at, change.vendor_agreed_by) == (None, admin)

    change = signing.agree_contact_change(change, by=contact_of(customer), at=tuesday(11))

    assert change.state == State.AGREED


def test_a_contact_who_cannot_be_reached_is_replaced_by_paper_that_is_named(customer, admin):
    was, to = contact_of(customer), observer_of(customer)

    change = ask(customer, by=admin, starts_at=NOW, evidence="Letter of the director, 16 November")

    assert (change.state, change.customer_agreed_by, change.customer_evidence) == (
        State.AGREED,
        None,
        "Letter of the director, 16 November",
    )
    assert [(user, ends) for user, _starts, ends in line(customer)] == [(was, NOW), (to, None)]


def test_the_contract_administrator_records_the_companys_yes_later(customer, admin):
    change = ask(customer, by=observer_of(customer))

    change = signing.agree_contact_change(change, by=admin, at=tuesday(11), evidence="Power of attorney 7")

    assert (change.state, change.customer_evidence) == (State.AGREED, "Power of attorney 7")


def test_our_yes_alone_makes_no_change(customer, admin):
    change = signing.agree_contact_change(ask(customer, by=observer_of(customer)), by=admin, at=tuesday(11))

    assert change.state == State.ASKED
    assert len(line(customer)) == 1


@pytest.mark.parametrize("whose", ["engineer", "foreign contact", "foreign observer"])
def test_nobody_else_asks_agrees_refuses_or_withdraws(customer, whose):
    other = a_customer()
    by = {
        "engineer": an_engineer(),
        "foreign contact": contact_of(other),
        "foreign observer": observer_of(other),
    }[whose]
    change = ask(customer)

    for verb in (
        lambda: ask(customer, by=by),
        lambda: signing.agree_contact_change(change, by=by, at=NOW),
        lambda: signing.refuse_contact_change(change, by=by, at=NOW, words="No"),
        lambda: signing.withdraw_contact_change(change, by=by, at=NOW),
    ):
        with pytest.raises(Forbidden):
            verb()


def test_a_colleague_does_not_agree_for_the_company(customer):
    change = ask(customer, by=observer_of(customer))

    with pytest.raises(Forbidden):
        signing.agree_contact_change(change, by=observer_of(customer), at=NOW)
    with pytest.raises(Forbidden):
        signing.refuse_contact_change(change, by=observer_of(customer), at=NOW, words="No")


# The rows


def test_a_change_for_good_is_dated(customer, admin):
    was, to = contact_of(customer), observer_of(customer)

    change = signing.agree_contact_change(ask(customer), by=admin, at=tuesday(11))

    assert [(user, ends) for user, _starts, ends in line(customer)] == [(was, december(1)), (to, None)]
    assert [row.user for row in change.rows.all()] == [to]


def test_a_substitution_ends_by_itself(customer, admin):
    was, to = contact_of(customer), observer_of(customer)
    since = line(customer)[0][1]

    signing.agree_contact_change(ask(customer, ends_at=december(14)), by=admin, at=tuesday(11))

    assert line(customer) == [
        (was, since, december(1)),
        (to, december(1), december(14)),
        (was, december(14), None),
    ]
    assert customer.contact_at(december(14) - timedelta(microseconds=1)) == to
    assert customer.contact_at(december(14)) == was


def test_a_beginning_that_passed_while_it_waited_becomes_the_moment_of_the_second_yes(customer, admin):
    change = signing.agree_contact_change(ask(customer, starts_at=NOW), by=admin, at=tuesday(15))

    assert (change.starts_at, customer.contact_at(tuesday(14)), customer.contact_at(tuesday(15))) == (
        tuesday(15),
        contact_of(customer),
        change.user,
    )


def test_a_substitution_that_was_over_before_the_second_yes_is_refused(customer, admin):
    change = ask(customer, ends_at=december(2))

    with pytest.raises(NotHandedOver, match="is over"):
        signing.agree_contact_change(change, by=admin, at=december(3))

    assert ContactChange.objects.get().state == State.ASKED
    assert ContactChange.objects.get().vendor_agreed_at is None


def test_two_substitutes_one_after_the_other_without_a_moment_between(customer, admin):
    was, first = contact_of(customer), observer_of(customer)
    second = a_member(customer)
    signing.agree_contact_change(ask(customer, ends_at=december(7)), by=admin, at=NOW)
    change = ask(customer, user=second, starts_at=december(7), ends_at=december(14))

    signing.agree_contact_change(change, by=admin, at=NOW)

    assert [(user, ends) for user, _starts, ends in line(customer)] == [
        (was, december(1)),
        (first, december(7)),
        (second, december(14)),
        (was, None),
    ]
    signing.withdraw_contact_change(change, by=admin, at=NOW)
    assert [(user, ends) for user, _starts, ends in line(customer)] == [
        (was, december(1)),
        (first, december(7)),
        (was, None),
    ]


def test_who_left_does_not_come_back_when_a_planned_holiday_ends(customer, admin):
    signing.agree_contact_change(ask(customer, ends_at=december(14)), by=admin, at=NOW)
    new = a_member(customer)

    signing.hand_over_contact(customer, to=new, by=admin, at=tuesday(12), reason="Left")

    assert customer.contact_at(december(15)) == new


# What stands against it


def test_what_stands_against_a_change_is_said_in_words(customer, admin):
    stranger = observer_of(a_customer())
    asleep = a_member(customer, is_active=False)
    refusals = {
        "not one of the people": {"user": stranger},
        "not one of the people of": {"user": an_engineer()},
        "cannot sign in": {"user": asleep},
        "is the responsible contact then already": {"user": contact_of(customer)},
        "not after the beginning": {"ends_at": december(1)},
        "never dated back": {"starts_at": tuesday(9, 59)},
        "Write why": {"reason": "  "},
    }
    for words, fields in refusals.items():
        with pytest.raises(NotHandedOver, match=words):
            ask(customer, **fields)
    assert not ContactChange.objects.exists()
    assert not ContractEvent.objects.filter(verb__startswith="contact_").exists()


def test_a_second_open_change_is_refused(customer, admin):
    ask(customer)

    with pytest.raises(NotHandedOver, match="waits for its answer already"):
        ask(customer, by=admin, starts_at=december(5))


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        (november(20), None),  # for good, past a planned holiday
        (november(20), december(5)),
        (december(3), december(5)),
        (december(3), december(20)),
        (december(1), december(14)),
        (december(14), None),  # for good, exactly where the person stood in for comes back
    ],
)
def test_a_time_that_overlaps_another_planned_change_is_refused(customer, admin, starts, ends):
    signing.agree_contact_change(ask(customer, ends_at=december(14)), by=admin, at=NOW)

    with pytest.raises(NotHandedOver, match="planned for that time"):
        ask(customer, user=a_member(customer), starts_at=starts, ends_at=ends)


def test_a_substitute_who_falls_ill_is_stood_in_for(customer, admin):
    was, to, third = contact_of(customer), observer_of(customer), a_member(customer)
    signing.agree_contact_change(ask(customer, ends_at=december(14)), by=admin, at=NOW)

    change = ask(customer, user=third, starts_at=december(3), ends_at=december(14), by=to, at=december(3))
    signing.agree_contact_change(change, by=admin, at=december(3))

    assert [(user, ends) for user, _starts, ends in line(customer)] == [
        (was, december(1)),
        (to, december(3)),
        (third, december(14)),
        (was, None),
    ]


def test_a_holiday_after_the_planned_one_is_possible(customer, admin):
    signing.agree_contact_change(ask(customer, ends_at=december(14)), by=admin, at=NOW)

    change = ask(customer, starts_at=december(20), ends_at=december(25))

    assert signing.agree_contact_change(change, by=admin, at=NOW).state == State.AGREED
    assert len(line(customer)) == 5


def test_what_changed_while_it_waited_is_asked_again_at_the_second_yes(customer, admin):
    to = observer_of(customer)
    change = ask(customer)
    to.is_active = False
    to.save()

    with pytest.raises(NotHandedOver, match="cannot sign in"):
        signing.agree_contact_change(change, by=admin, at=tuesday(11))

    assert len(line(customer)) == 1


# No, and taken back


def test_a_refusal_has_words_and_changes_nothing(customer, admin):
    change = ask(customer)
    with pytest.raises(NotHandedOver, match="Write why not"):
        signing.refuse_contact_change(change, by=admin, at=NOW, words=" ")

    change = signing.refuse_contact_change(change, by=admin, at=NOW, words="Not on the list")

    assert (change.state, change.words, change.closed_by) == (State.REFUSED, "Not on the list", admin)
    with pytest.raises(NotHandedOver, match="settled already"):
        signing.agree_contact_change(change, by=admin, at=NOW)
    with pytest.raises(NotHandedOver, match="settled already"):
        signing.withdraw_contact_change(change, by=contact_of(customer), at=NOW)


def test_who_asked_withdraws_and_nobody_else_does(customer, admin):
    change = ask(customer, by=observer_of(customer))
    with pytest.raises(Forbidden):
        signing.withdraw_contact_change(change, by=contact_of(customer), at=NOW)

    change = signing.withdraw_contact_change(change, by=observer_of(customer), at=NOW)

    assert change.state == State.WITHDRAWN
    assert ask(customer).state == State.ASKED


def test_an_agreed_change_that_has_not_begun_never_happens(customer, admin):
    before = line(customer)
    change = signing.agree_contact_change(ask(customer, ends_at=december(14)), by=admin, at=NOW)

    change = signing.withdraw_contact_change(change, by=contact_of(customer), at=tuesday(15))

    assert change.state == State.WITHDRAWN
    assert line(customer) == before


def test_a_substitution_is_ended_now_by_whoever_was_stood_in_for(customer, admin):
    was, to = contact_of(customer), observer_of(customer)
    since = line(customer)[0][1]
    change = signing.agree_contact_change(ask(customer, ends_at=december(14)), by=admin, at=NOW)

    change = signing.withdraw_contact_change(change, by=was, at=december(5))

    assert line(customer) == [(was, since, december(1)), (to, december(1), december(5)), (was, december(5), None)]
    assert (change.state, change.ends_at) == (State.AGREED, december(5))
    with pytest.raises(NotHandedOver, match="over"):
        signing.withdraw_contact_change(change, by=was, at=december(6))


def test_a_change_for_good_that_has_begun_is_not_taken_back(customer, admin):
    change = signing.agree_contact_change(ask(customer), by=admin, at=NOW)

    with pytest.raises(NotHandedOver, match="for good"):
        signing.withdraw_contact_change(change, by=admin, at=december(2))


# Twice, at once, and past the verbs


def test_a_double_click_asks_and_agrees_once(customer, admin):
    first = ask(customer, starts_at=NOW)
    again = ask(customer, starts_at=NOW + timedelta(seconds=1), at=NOW + timedelta(seconds=1))
    signing.agree_contact_change(first, by=admin, at=tuesday(11))
    signing.agree_contact_change(first, by=admin, at=tuesday(11, 0, 1))

    assert again == first
    assert told(customer) == ["contact_asked", "contact_agreed", "contact_changed"]


@pytest.mark.django_db(transaction=True)
def test_two_administrators_at_once_make_one_change_and_one_sentence():
    customer = a_customer()
    change = ask(customer)
    admins = [a_contract_admin(), a_contract_admin()]

    def agree(by: User) -> str:
        try:
            with translation.override("en"):
                signing.agree_contact_change(change, by=by, at=tuesday(11))
            return "agreed"
        except Refused as refusal:
            return str(refusal.message)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(agree, admins))

    assert said == ["This change is settled already: agreed.", "agreed"]
    assert len(line(customer)) == 2


def test_the_database_refuses_a_second_contact_and_a_second_open_change(customer):
    with pytest.raises(IntegrityError, match="contact_one_at_any_moment"), transaction.atomic():
        ResponsibleContact.objects.create(customer=customer, user=observer_of(customer), starts_at=december(1))
    change = ask(customer)
    with pytest.raises(IntegrityError, match="contact_change_one_open"), transaction.atomic():
        ContactChange.objects.create(
            customer=customer,
            user=change.user,
            starts_at=december(1),
            reason="Again",
            asked_by=change.asked_by,
            asked_at=NOW,
        )
    with pytest.raises(IntegrityError, match="contact_change_agreed_by_both"), transaction.atomic():
        ContactChange.objects.filter(pk=change.pk).update(state=State.AGREED)


def a_random_step(rng: Random, customer: Customer, admin: User, people: list[User], now: datetime) -> None:
    """One verb with random people and moments; raises what the verb raises."""
    change = customer.contact_changes.order_by("?").first() if rng.random() < 0.3 else None
    change = change or customer.contact_changes.filter(state=State.ASKED).first()
    by = rng.choice([*people, admin, admin, customer.contact_at(now)])
    starts = now + timedelta(hours=rng.choice([0, 0, 5, 48, 300]))
    ends = rng.choice([None, starts + timedelta(hours=rng.choice([1, 24, 400]))])
    evidence = rng.choice(["", "Letter 5"])
    to = rng.choice(people)
    verbs: list[Any] = [
        lambda: signing.ask_contact_change(
            customer, user=to, starts_at=starts, ends_at=ends, reason="Why not", by=by, at=now, evidence=evidence
        ),
        lambda: signing.hand_over_contact(customer, to=to, by=admin, at=rng.choice([now, starts]), reason="By hand"),
    ]
    if change is not None:
        verbs += [
            lambda: signing.agree_contact_change(change, by=by, at=now, evidence=evidence),
            lambda: signing.agree_contact_change(change, by=admin, at=now),
            lambda: signing.withdraw_contact_change(change, by=by, at=now),
            lambda: signing.withdraw_contact_change(change, by=admin, at=now),
            lambda: signing.refuse_contact_change(change, by=by, at=now, words="No"),
        ]
    rng.choice(verbs)()


@pytest.mark.parametrize("seed", range(12))
def test_there_is_exactly_one_contact_at_every_moment_whatever_is_asked(seed):
    """A walk of random verbs by random people: the line of contacts never has a hole, an overlap or a second row."""
    rng = Random(seed)
    customer, admin = a_customer("basic"), a_contract_admin()
    people = [row.user for row in customer.members.select_related("user")] + [a_member(customer) for _ in range(3)]
    since = line(customer)[0][1]
    now, done = NOW, 0
    for _ in range(60):
        now += timedelta(hours=rng.choice([0, 1, 7, 30, 200]))
        try:
            with transaction.atomic():
                a_random_step(rng, customer, admin, people, now)
            done += 1
        except Refused:
            pass
        rows = line(customer)
        assert rows[0][1] == since
        assert rows[-1][2] is None
        assert all(earlier[2] == later[1] for earlier, later in pairwise(rows))
    assert done > 10
