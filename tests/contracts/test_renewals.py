"""The successor is offered 90, 60 and 30 days ahead, once each, and answered by the responsible contact (domain §2)."""

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone, translation

from accounts.refusals import Forbidden
from contracts import signing, tasks
from contracts.models import Contract, ContractClause, ContractDocument, ContractEvent, Package, RenewalOffer
from contracts.signing import NotAnswered
from contracts.signing.renewals import step_due
from tests.factories import (
    MOSCOW,
    CustomerFactory,
    LicenceFactory,
    a_contract_admin,
    a_customer,
    contact_of,
    contract_of,
    observer_of,
    package,
)

pytestmark = pytest.mark.django_db

LAST_DAY = date(2026, 12, 31)


def morning(days_ahead: int) -> datetime:
    """9:00 in Moscow, so many days before the last day of the contracts of the tests."""
    return datetime.combine(LAST_DAY - timedelta(days=days_ahead), datetime.min.time(), MOSCOW).replace(hour=9)


def the_offer(customer, step: int = 90) -> RenewalOffer:
    return RenewalOffer.objects.get(contract=contract_of(customer), days_ahead=step)


def verbs(customer) -> list[str]:
    found = ContractEvent.objects.filter(customer=customer, verb__startswith="renewal_").order_by("pk")
    return [event.verb for event in found]


@pytest.fixture
def customer():
    """100,000 EUR on site, Premium to the end of 2026."""
    return a_customer()


@pytest.fixture
def offered(customer):
    signing.offer_renewals(at=morning(90))
    return customer


# Offering


@pytest.mark.parametrize(
    ("left", "step"),
    [(91, None), (90, 90), (61, 90), (60, 60), (31, 60), (30, 30), (1, 30), (0, 30), (-1, None)],
)
def test_step_is_the_last_whose_day_has_come(left, step):
    assert step_due(LAST_DAY, LAST_DAY - timedelta(days=left)) == step


def test_ninety_days_ahead_the_successor_is_drafted_and_offered_with_its_price(customer):
    clause = ContractClause(contract=contract_of(customer), text_ru="Сети", text_en="Networks")
    signing.add_clause(clause, by=a_contract_admin(), at=morning(200))

    assert signing.offer_renewals(at=morning(91)) == 0
    assert signing.offer_renewals(at=morning(90)) == 1

    offer = the_offer(customer)
    successor = offer.successor
    assert (successor.state, successor.predecessor) == (Contract.State.DRAFT, contract_of(customer))
    assert (successor.starts_on, successor.ends_on) == (date(2027, 1, 1), date(2027, 12, 31))
    assert successor.terms.package.code == "premium"
    assert [clause.text_en for clause in successor.clauses.all()] == ["Networks"]
    assert (offer.total, offer.offered_at) == (Decimal("25000.00"), morning(90))
    event = ContractEvent.objects.get(verb="renewal_offered")
    assert event.details == {"days_ahead": 90, "successor": successor.number, "total": "25000.00"}


def test_each_step_is_offered_once_however_often_the_job_runs(customer):
    counts = [signing.offer_renewals(at=morning(left)) for left in (90, 90, 89, 60, 59, 30, 30, 2, 0)]

    assert counts == [1, 0, 0, 1, 0, 1, 0, 0, 0]
    assert list(contract_of(customer).offers.values_list("days_ahead", flat=True)) == [90, 60, 30]
    assert Contract.objects.filter(predecessor=contract_of(customer)).count() == 1


def test_outage_of_weeks_skips_what_is_past_and_sends_one(customer):
    assert signing.offer_renewals(at=morning(45)) == 1

    assert list(contract_of(customer).offers.values_list("days_ahead", flat=True)) == [60]


def test_signed_successor_is_not_offered_again(offered):
    signing.activate(the_offer(offered).successor, by=a_contract_admin(), at=morning(80))

    assert signing.offer_renewals(at=morning(60)) == 0


def test_contract_drafted_by_hand_and_signed_for_the_next_year_needs_no_offer(customer):
    admin = a_contract_admin()
    following = signing.draft(customer, package=package("basic"), by=admin, starts_on=date(2027, 1, 1), at=morning(100))
    signing.activate(following, by=admin, at=morning(100))

    assert signing.offer_renewals(at=morning(90)) == 0


def test_terminated_contract_is_not_renewed(customer):
    signing.terminate(contract_of(customer), by=a_contract_admin(), at=morning(100), reason="Уходит", on=LAST_DAY)

    assert signing.offer_renewals(at=morning(90)) == 0


def test_package_that_is_not_sold_any_more_is_put_before_the_contract_administrator_once_a_step(customer):
    Package.objects.filter(code="premium").update(is_sold=False)

    assert [signing.offer_renewals(at=morning(left)) for left in (90, 90, 60)] == [0, 0, 0]

    assert verbs(customer) == ["renewal_stopped", "renewal_stopped"]
    assert not Contract.objects.filter(predecessor=contract_of(customer)).exists()


def test_successor_of_another_package_prepared_by_hand_is_offered(customer):
    Package.objects.filter(code="premium").update(is_sold=False)
    signing.offer_renewals(at=morning(90))
    signing.renew(contract_of(customer), by=a_contract_admin(), at=morning(85), package=package("business"))

    assert signing.offer_renewals(at=morning(84)) == 1
    assert the_offer(customer).total == Decimal("20000.00")


def test_successor_without_a_price_is_offered_without_one(customer):
    customer.licences.update(ends_on=LAST_DAY)

    assert signing.offer_renewals(at=morning(90)) == 1
    assert the_offer(customer).total is None


def test_draft_given_up_is_a_reminder_to_the_contract_administrator_and_makes_room_for_another(offered):
    admin = a_contract_admin()
    given_up = the_offer(offered).successor
    signing.terminate(given_up, by=admin, at=morning(80), reason="Не нужен")

    assert [signing.offer_renewals(at=morning(left)) for left in (60, 30, 30)] == [0, 0, 0]
    assert verbs(offered) == ["renewal_offered", "renewal_reminder"]

    another = signing.renew(contract_of(offered), by=admin, at=morning(29), package=package("basic"))
    assert another.predecessor == contract_of(offered)


def test_one_contract_that_cannot_be_renewed_does_not_stop_the_others(customer, caplog):
    broken = contract_of(customer)
    other = a_customer()
    Contract.objects.create(
        number=f"2027-{customer.pk:04}-2",
        customer=CustomerFactory(),
        terms=broken.terms,
        starts_on=date(2027, 1, 1),
        ends_on=LAST_DAY.replace(year=2027),
    )

    assert signing.offer_renewals(at=morning(90)) == 1
    assert "could not be offered" in caplog.text
    assert the_offer(other).days_ahead == 90


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("catalogue_again")
def test_jobs_at_once_offer_once():
    customer = a_customer()
    start = threading.Barrier(3)
    counts, troubles = [], []

    def run() -> None:
        try:
            start.wait()
            counts.append(signing.offer_renewals(at=morning(60)))
        except Exception as trouble:  # told below
            troubles.append(trouble)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (troubles, sum(counts)) == ([], 1)
    assert verbs(customer) == ["renewal_offered"]


# Answering


def test_contact_accepts_and_the_contract_administrator_signs(offered):
    offer = signing.answer_renewal(
        the_offer(offered), accepted=True, words="Согласны", by=contact_of(offered), at=morning(80)
    )

    assert (offer.answer, offer.answered_by, offer.words) == ("accepted", contact_of(offered), "Согласны")
    assert offer.successor.state == Contract.State.DRAFT
    assert verbs(offered) == ["renewal_offered", "renewal_accepted"]


def test_accepted_offer_is_not_offered_again_but_the_signature_is_reminded_of(offered):
    signing.answer_renewal(the_offer(offered), accepted=True, words="", by=contact_of(offered), at=morning(80))

    assert [signing.offer_renewals(at=morning(left)) for left in (60, 60, 30)] == [0, 0, 0]
    assert verbs(offered)[2:] == ["renewal_reminder", "renewal_reminder"]


def test_declined_offer_is_not_offered_again_and_reminded_of_at_thirty_days(offered):
    signing.answer_renewal(the_offer(offered), accepted=False, words="Дорого", by=contact_of(offered), at=morning(80))

    assert [signing.offer_renewals(at=morning(left)) for left in (60, 30, 29)] == [0, 0, 0]
    reminder = ContractEvent.objects.get(verb="renewal_reminder")
    assert (reminder.details["days_ahead"], reminder.details["why"]) == (30, "declined")


def test_draft_changed_after_a_no_is_offered_anew(offered):
    signing.answer_renewal(
        the_offer(offered), accepted=False, words="Хватит Business", by=contact_of(offered), at=morning(80)
    )
    successor = the_offer(offered).successor
    signing.change_draft(
        successor,
        package=package("business"),
        starts_on=successor.starts_on,
        ends_on=successor.ends_on,
        by=a_contract_admin(),
        at=morning(70),
    )

    assert signing.offer_renewals(at=morning(60)) == 1
    assert the_offer(offered, 60).total == Decimal("20000.00")


def test_an_offer_is_not_accepted_once_its_contract_is_terminated(offered):
    offer = the_offer(offered)
    signing.terminate(contract_of(offered), by=a_contract_admin(), at=morning(85), reason="Переходят на другое")

    with pytest.raises(NotAnswered, match="settled already"), translation.override("en"):
        signing.answer_renewal(offer, accepted=True, words="", by=contact_of(offered), at=morning(80))

    assert verbs(offered) == ["renewal_offered"]


def test_pressing_twice_is_one_answer(offered):
    for _ in range(2):
        signing.answer_renewal(the_offer(offered), accepted=True, words="", by=contact_of(offered), at=morning(80))

    assert verbs(offered) == ["renewal_offered", "renewal_accepted"]


def test_another_answer_is_refused_in_words(offered):
    signing.answer_renewal(the_offer(offered), accepted=True, words="", by=contact_of(offered), at=morning(80))

    with pytest.raises(NotAnswered, match=r"уже|already"):
        signing.answer_renewal(
            the_offer(offered), accepted=False, words="Передумали", by=contact_of(offered), at=morning(79)
        )


def test_nobody_but_the_contact_answers(offered):
    others = [observer_of(offered), contact_of(a_customer()), a_contract_admin(), offered.csm]
    for person in others:
        with pytest.raises(Forbidden):
            signing.answer_renewal(the_offer(offered), accepted=True, words="", by=person, at=morning(80))

    assert the_offer(offered).answer == ""


def test_older_offer_is_not_answered(offered):
    signing.offer_renewals(at=morning(60))

    with pytest.raises(NotAnswered):
        signing.answer_renewal(the_offer(offered, 90), accepted=True, words="", by=contact_of(offered), at=morning(59))


def test_no_says_why(offered):
    with pytest.raises(NotAnswered):
        signing.answer_renewal(the_offer(offered), accepted=False, words="  ", by=contact_of(offered), at=morning(80))


def test_yes_to_a_price_that_has_changed_meanwhile_is_not_taken(offered):
    signing.add_licence(
        LicenceFactory.build(
            customer=offered,
            product=product_of(offered),
            release=offered.licences.first().release,
            cost=Decimal("20000.00"),
            starts_on=date(2026, 11, 1),
        ),
        by=a_contract_admin(),
        at=morning(60),
    )
    offer = the_offer(offered)

    with pytest.raises(NotAnswered):
        signing.answer_renewal(
            offer, accepted=True, words="", by=contact_of(offered), at=morning(59), total=Decimal("25000.00")
        )

    accepted = signing.answer_renewal(
        offer, accepted=True, words="", by=contact_of(offered), at=morning(59), total=Decimal("30000.00")
    )
    assert accepted.total == Decimal("30000.00")


def product_of(customer):
    return customer.licences.first().product


def test_offer_without_a_price_cannot_be_accepted_yet_can_be_declined(customer):
    customer.licences.update(ends_on=LAST_DAY)
    signing.offer_renewals(at=morning(90))

    with pytest.raises(NotAnswered):
        signing.answer_renewal(the_offer(customer), accepted=True, words="", by=contact_of(customer), at=morning(80))
    signing.answer_renewal(the_offer(customer), accepted=False, words="Уходим", by=contact_of(customer), at=morning(80))


def test_signed_offer_is_settled(offered):
    offer = the_offer(offered)
    signing.activate(offer.successor, by=a_contract_admin(), at=morning(80))

    with pytest.raises(NotAnswered):
        signing.answer_renewal(offer, accepted=True, words="", by=contact_of(offered), at=morning(79))


# Jobs


def test_documents_of_signed_contracts_are_made_by_the_job_in_both_languages():
    a_customer(starts_on=timezone.now().date() - timedelta(days=2))

    assert (tasks.keep_documents(), tasks.keep_documents()) == (2, 0)
    assert sorted(ContractDocument.objects.values_list("language", flat=True)) == ["en", "ru"]
