"""Who is told of what happens to contracts, once, and in what words (domain §1.1, §2; direction §16, §17)."""

import ast
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import User
from contracts import signing
from contracts.models import Contract, ContractClause, ContractEvent, Package, RenewalOffer
from mail import contract_letters
from mail.models import OutgoingLetter
from mail.outbound import mark_history_notified, write_letters
from tests.factories import (
    MOSCOW,
    CustomerFactory,
    LicenceFactory,
    a_contact,
    a_contract_admin,
    a_csm,
    a_customer,
    a_draft,
    a_manager,
    a_member,
    contact_of,
    contract_of,
    observer_of,
)

pytestmark = pytest.mark.django_db

LAST_DAY = date(2026, 12, 31)
RECORDERS = {"record", "happened", "_remind"}


def morning(days_ahead: int) -> datetime:
    day = LAST_DAY - timedelta(days=days_ahead)
    return datetime(day.year, day.month, day.day, 9, tzinfo=MOSCOW)


@pytest.fixture
def customer():
    return a_customer(language="en")


@pytest.fixture
def admin():
    return a_contract_admin(language="en")


def told(person: User) -> list[str]:
    """The titles of the letters to this person, oldest first: what stands before the colon of the subject."""
    return [letter.subject for letter in OutgoingLetter.objects.filter(person=person).order_by("pk")]


def letter_to(person: User) -> OutgoingLetter:
    return OutgoingLetter.objects.get(person=person)


def recorded_verbs() -> set[str]:
    """Every verb that the verbs of a contract write down, read from their source."""
    found = set()
    for path in Path(signing.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RECORDERS:
                words = ast.walk(node.args[0])
                found |= {one.value for one in words if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return found


def test_every_verb_of_a_contract_stands_in_the_table():
    verbs = {verb for verb in recorded_verbs() if not verb.startswith("contact_")}

    assert verbs == set(contract_letters.WHO_IS_TOLD)


# The customer


def test_offer_tells_the_contact_the_price_and_what_changes_with_one_button(customer):
    signing.offer_renewals(at=morning(90))
    write_letters(morning(90))

    letter = letter_to(contact_of(customer))
    number = contract_of(customer).number
    assert letter.subject == f"Renewal of your contract: Contract {number}"
    assert (
        letter.text
        == f"""Contract {number}

Contract {number} ends on 31 Dec 2026. This is what the next year would be.

Nothing changes: the same package, the same licences, the same price.

Package: Premium

Term: from 1 Jan 2027 to 31 Dec 2027

Price of the term: €25,000.00

A year so far: €25,000.00

Accept or answer: http://127.0.0.1:8000/contract/renewals/

--
You get this letter as the responsible contact of {customer.name}.
"""
    )
    assert (letter.ticket, letter.in_reply_to) == (None, "")
    assert letter.message_id.startswith("contract.")


def test_offer_informs_the_contract_administrator_and_the_dedicated_csm_and_no_observer(customer, admin):
    User.objects.filter(pk=customer.csm.pk).update(language="en")
    signing.offer_renewals(at=morning(90))
    write_letters(morning(90))

    assert told(admin) == [f"Renewal offered, 90 days ahead: {customer.name}"]
    assert told(customer.csm) == told(admin)
    assert told(observer_of(customer)) == []


def test_csm_of_a_package_without_one_is_not_told(admin):
    customer = a_customer("business", csm=a_csm())

    signing.offer_renewals(at=morning(90))
    write_letters(morning(90))

    assert told(customer.csm) == []


def test_offer_of_a_dearer_year_says_what_makes_it_dearer(customer, admin):
    first = customer.licences.first()
    added = LicenceFactory.build(
        customer=customer,
        product=first.product,
        release=first.release,
        deployment="on-demand",
        cost=Decimal("20000.00"),
        starts_on=date(2026, 7, 1),
    )
    signing.add_licence(added, by=admin, at=datetime(2026, 7, 1, 12, tzinfo=MOSCOW))
    signing.offer_renewals(at=morning(90))
    write_letters(morning(90))

    joined, offered = OutgoingLetter.objects.filter(person=contact_of(customer)).order_by("pk")
    assert "A licence joined the contract" in joined.subject
    assert "20,000.00" in joined.text
    assert "184 of 365 days of the contract year left" in joined.text
    assert "To the end of the contract: €1,512.33" in joined.text
    assert "1 licence added since is covered for the whole year" in offered.text
    assert "A year costs €28,000.00; it was €25,000.00." in offered.text


def test_answers_reach_the_contract_administrator_in_the_customers_words(customer, admin):
    signing.offer_renewals(at=morning(90))
    write_letters(morning(90))
    OutgoingLetter.objects.all().delete()
    signing.answer_renewal(
        RenewalOffer.objects.get(), accepted=False, words="Business is enough", by=contact_of(customer), at=morning(80)
    )

    write_letters(morning(80))

    letter = letter_to(admin)
    assert letter.subject == f"Renewal declined: {customer.name}"
    assert "In their words: Business is enough" in letter.text
    assert told(contact_of(customer)) == []


def test_acceptance_waits_for_the_signature_and_is_reminded_of(customer, admin):
    signing.offer_renewals(at=morning(90))
    signing.answer_renewal(RenewalOffer.objects.get(), accepted=True, words="", by=contact_of(customer), at=morning(80))
    signing.offer_renewals(at=morning(60))
    write_letters(morning(60))

    assert told(admin)[1:] == [f"Renewal accepted: {customer.name}", f"A renewal needs you: {customer.name}"]
    assert (
        "has accepted the offer, and it is not signed yet"
        in OutgoingLetter.objects.filter(person=admin).latest("pk").text
    )


def test_package_not_sold_is_told_with_the_reason(customer, admin):
    Package.objects.filter(code="premium").update(is_sold=False)
    signing.offer_renewals(at=morning(90))
    write_letters(morning(90))

    assert "the package “Premium” is not sold from 1 Jan 2027" in letter_to(admin).text
    assert told(contact_of(customer)) == []


def test_signature_is_told_to_the_contact_and_the_csm(admin):
    customer = CustomerFactory(language="en", csm=a_csm(language="en"))
    contact = a_contact(customer)
    a_member(customer)
    LicenceFactory(customer=customer)
    signing.activate(a_draft(customer, by=admin), by=admin, at=datetime(2026, 1, 1, 9, tzinfo=MOSCOW))

    write_letters(datetime(2026, 1, 1, 10, tzinfo=MOSCOW))

    assert "Support is in force from 1 Jan 2026 to 31 Dec 2026." in letter_to(contact).text
    assert "Price of the term: €25,000.00" in letter_to(contact).text
    assert told(customer.csm) == [f"A contract of your customer is signed: {customer.name}"]
    assert OutgoingLetter.objects.count() == 2


def test_termination_says_the_last_day_and_that_open_requests_keep_their_promises(customer, admin):
    at = datetime(2026, 6, 1, 9, tzinfo=MOSCOW)
    signing.terminate(contract_of(customer), by=admin, at=at, reason="Sold the company", on=date(2026, 6, 30))
    write_letters(at)

    text = letter_to(contact_of(customer)).text
    assert "Last day: 30 Jun 2026" in text
    assert "Requests that are open then keep the times that were promised." in text
    assert "Reason: Sold the company" in text


def test_clause_of_a_contract_in_force_is_told_and_of_a_draft_is_not(customer, admin):
    at = datetime(2026, 6, 1, 9, tzinfo=MOSCOW)
    draft = signing.renew(contract_of(customer), by=admin, at=at)
    for contract in (contract_of(customer), draft):
        clause = ContractClause(contract=contract, text_ru="Сети включены.", text_en="Networks are included.")
        signing.add_clause(clause, by=admin, at=at)
    signing.end_clause(contract_of(customer).clauses.get(), by=admin, at=at + timedelta(days=1))
    write_letters(at)

    added, ended = OutgoingLetter.objects.filter(person=contact_of(customer)).order_by("pk")
    assert "Networks are included." in added.text
    assert "requests received before keep what it promised" in ended.text


def test_end_without_a_successor_is_told_to_the_contact_and_the_contract_administrator(customer, admin):
    at = datetime(2027, 1, 1, 0, 5, tzinfo=MOSCOW)
    signing.expire(contract_of(customer), on=date(2027, 1, 1))
    write_letters(at)

    assert "The last day was 31 Dec 2026, and no contract follows." in letter_to(contact_of(customer)).text
    assert told(admin) == [f"Ended without a successor: {customer.name}"]


def test_end_with_a_successor_is_told_to_nobody(customer, admin):
    following = signing.renew(contract_of(customer), by=admin, at=morning(90))
    signing.activate(following, by=admin, at=morning(80))
    ContractEvent.objects.update(notified_at=morning(80))
    signing.expire(Contract.objects.get(predecessor=None, customer=customer), on=date(2027, 1, 1))
    write_letters(datetime(2027, 1, 1, 0, 5, tzinfo=MOSCOW))

    assert not OutgoingLetter.objects.exists()


def test_gap_is_told_to_the_contract_administrator_and_the_manager(admin):
    manager = a_manager(language="en")
    customer = CustomerFactory()
    contact = a_contact(customer)
    LicenceFactory(customer=customer)
    at = datetime(2026, 6, 1, 12, tzinfo=MOSCOW)
    signing.notice_gaps(at=at)
    write_letters(at)

    assert told(manager) == told(admin) == [f"Coverage gap: {customer.name}"]
    assert "no contract in force since 1 Jan 2026" in letter_to(admin).text
    assert told(contact) == []


# Once


def test_second_round_writes_nothing(customer, admin):
    signing.offer_renewals(at=morning(90))
    first = write_letters(morning(90))

    assert (first, write_letters(morning(90))) == (OutgoingLetter.objects.count(), 0)
    ContractEvent.objects.filter(verb="renewal_offered").update(notified_at=None)
    write_letters(morning(89))
    assert OutgoingLetter.objects.count() == first


def test_history_is_marked_without_letters(customer, admin):
    signing.offer_renewals(at=morning(90))

    assert mark_history_notified(morning(89)) >= 1
    assert write_letters(morning(89)) == 0
