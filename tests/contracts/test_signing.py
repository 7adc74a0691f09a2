"""Contracts are drafted, signed on every condition of §1.7, renewed and ended; the contact changes hands (§2)."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from accounts.refusals import Forbidden
from contracts import signing
from contracts.models import Contract, Customer, PackageTerms, TermsPrice
from contracts.signing import NotHandedOver, NotSigned
from tests.factories import (
    FIRST_DAY,
    MOSCOW,
    SIGNED_AT,
    TUESDAY_10,
    CustomerFactory,
    LicenceFactory,
    ProductFactory,
    ReleaseFactory,
    UserFactory,
    a_clause,
    a_contact,
    a_contract_admin,
    a_csm,
    a_customer,
    a_draft,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    contract_of,
    observer_of,
    open_ticket,
    package,
    topic,
)
from tickets import workflow
from tickets.tasks import follow_contacts

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LAST_DAY = date(2026, 12, 31)


@pytest.fixture
def admin():
    return a_contract_admin()


@pytest.fixture
def customer():
    """With a contact and one licence of 100,000 EUR on site, and no contract yet."""
    company = CustomerFactory()
    a_contact(company)
    LicenceFactory(customer=company)
    return company


def sections(refusal) -> list[str]:
    return [reason.section for reason in refusal.value.reasons]


def lines(contract) -> list[tuple[str, str]]:
    return [(str(line.amount), line.arithmetic) for line in contract.lines.order_by("pk")]


# Draft


def test_draft_is_of_one_year_on_the_terms_of_its_first_day(customer, admin):
    old = package("basic").terms_on(FIRST_DAY)
    new = PackageTerms.objects.create(package=old.package, starts_on=date(2026, 7, 1), calendar=old.calendar)

    spring = signing.draft(customer, package=old.package, by=admin, starts_on=date(2026, 6, 30), at=SIGNED_AT)
    autumn = signing.draft(customer, package=old.package, by=admin, starts_on=date(2026, 7, 1), at=SIGNED_AT)

    assert (spring.state, spring.ends_on, spring.terms) == ("draft", date(2027, 6, 29), old)
    assert (autumn.ends_on, autumn.terms) == (date(2027, 6, 30), new)


def test_drafts_have_numbers_of_their_own(customer, admin):
    numbers = [a_draft(customer, by=admin).number for _ in range(3)]

    assert numbers == [f"2026-{customer.pk:04}-{count}" for count in (1, 2, 3)]
    assert a_draft(customer, by=admin, number="П-17").number == "П-17"


def test_draft_shows_what_it_would_cover_and_cost(customer, admin):
    draft = a_draft(customer, "premium", by=admin)

    assert lines(draft) == [("25000.00", "100,000.00 € × 25 % = 25,000.00 €")]
    assert draft.signed_at is None


def test_draft_of_364_days_is_refused_in_words(customer, admin):
    with translation.override("en"), pytest.raises(NotSigned) as refusal:
        a_draft(customer, by=admin, ends_on=LAST_DAY - DAY)

    assert [str(reason) for reason in refusal.value.reasons] == [
        "A contract runs at least one year: from 01.01.2026 to 31.12.2026 or later. (§1.7.3)"
    ]
    assert not customer.contracts.exists()


@pytest.mark.parametrize("starts_on", [date(2019, 12, 31), FIRST_DAY])
def test_draft_of_a_package_that_is_not_sold_is_refused(customer, admin, starts_on):
    basic = package("basic")
    basic.is_sold = starts_on != FIRST_DAY

    with pytest.raises(NotSigned) as refusal:
        signing.draft(customer, package=basic, by=admin, starts_on=starts_on, at=SIGNED_AT)

    assert sections(refusal) == ["1"]


@pytest.mark.parametrize("who", [an_engineer, a_csm, a_manager, UserFactory])
def test_only_the_contract_administrator_signs(customer, admin, who):
    draft, by = a_draft(customer, by=admin), who()

    for verb in (
        lambda: a_draft(customer, by=by),
        lambda: signing.activate(draft, by=by, at=SIGNED_AT),
        lambda: signing.renew(draft, by=by, at=SIGNED_AT),
        lambda: signing.terminate(draft, by=by, at=SIGNED_AT, reason="…"),
        lambda: signing.hand_over_contact(customer, to=a_member(customer), by=by, at=TUESDAY_10, reason="…"),
    ):
        with pytest.raises(Forbidden):
            verb()


# Activate


def test_activate_signs(customer, admin):
    contract = signing.activate(a_draft(customer, by=admin), by=admin, at=SIGNED_AT)

    contract = Contract.objects.get(pk=contract.pk)
    assert (contract.state, contract.signed_at, contract.signed_by) == ("active", SIGNED_AT, admin)


def test_activate_says_all_the_conditions_that_fail(admin):
    company = CustomerFactory()
    unofficial = ReleaseFactory(version="7.9-beta", is_official=False)
    LicenceFactory(customer=company, release=None, product=unofficial.product)
    LicenceFactory(customer=company, release=unofficial)
    draft = a_draft(company, by=admin)
    a_clause(draft, topic=topic("network_os"), text_ru="Сети включены.", text_en="")
    other = a_draft(company, by=admin)
    Contract.objects.filter(pk=other.pk).update(state="active", signed_at=SIGNED_AT)

    with translation.override("en"), pytest.raises(NotSigned) as refusal:
        signing.activate(draft, by=admin, at=datetime(2027, 1, 1, 12, tzinfo=MOSCOW))

    product = unofficial.product.name
    assert [str(reason) for reason in refusal.value.reasons] == [
        "The customer has no responsible contact: all consultations go to exactly one person. (§1.7.1)",
        "The clause that includes “Network and operating system” has no words in both languages. (§1.7.2)",
        "The contract ended on 31.12.2026 already. (§2)",
        f"The installed version of {product} is not known: it must be an official one. (§1.7.4)",
        f"The installed version of {product} is not an official one: {product} 7.9-beta. (§1.7.4)",
        f"Contract {other.number} covers the customer to 31.12.2026: two contracts never overlap. (§2)",
    ]
    assert (refusal.value.status, refusal.value.section) == (409, "1.7.1, §1.7.2, §2, §1.7.4")
    assert Contract.objects.get(pk=draft.pk).state == "draft"


def test_activate_wants_a_contact(customer, admin):
    customer.contacts.update(ends_at=TUESDAY_10)
    draft = a_draft(customer, by=admin)

    with pytest.raises(NotSigned) as refusal:
        signing.activate(draft, by=admin, at=TUESDAY_10)

    assert sections(refusal) == ["1.7.1"]


def test_activate_wants_a_contact_who_can_sign_in_and_belongs_to_the_customer(customer, admin):
    contact = contact_of(customer)
    contact.is_active = False
    contact.save()
    contact.membership.delete()

    with pytest.raises(NotSigned) as refusal:
        signing.activate(a_draft(customer, by=admin), by=admin, at=TUESDAY_10)

    assert sections(refusal) == ["1.7.1", "1.7.1"]


def test_activate_wants_a_licence_in_force(admin):
    company = CustomerFactory()
    a_contact(company)
    LicenceFactory(customer=company, starts_on=date(2025, 1, 1), ends_on=FIRST_DAY - DAY)

    with pytest.raises(NotSigned) as refusal:
        signing.activate(a_draft(company, by=admin), by=admin, at=SIGNED_AT)

    assert sections(refusal) == ["1.7.3"]


def test_activate_wants_a_price_for_every_product(customer, admin):
    LicenceFactory(customer=customer, deployment="on-demand")
    TermsPrice.objects.filter(terms__package__code="premium", deployment="on-demand").delete()
    draft = a_draft(customer, by=admin)

    with pytest.raises(NotSigned) as refusal:
        signing.activate(draft, by=admin, at=SIGNED_AT)

    assert (sections(refusal), lines(draft)) == (["1.7.3"], [])


def test_activate_wants_the_official_version_of_the_same_product(customer, admin):
    other = ReleaseFactory(product=ProductFactory(code="service", name="Сервис"))
    customer.licences.update(release=other)

    with pytest.raises(NotSigned) as refusal:
        signing.activate(a_draft(customer, by=admin), by=admin, at=SIGNED_AT)

    assert sections(refusal) == ["1.7.4"]


def test_activate_makes_a_draft_once(customer, admin):
    contract = signing.activate(a_draft(customer, by=admin), by=admin, at=SIGNED_AT)

    with pytest.raises(NotSigned) as refusal:
        signing.activate(contract, by=admin, at=SIGNED_AT)

    assert sections(refusal) == ["2"]


# What it covers and costs


def test_activate_covers_every_licence_in_force_as_it_is_then(customer, admin):
    draft = a_draft(customer, "basic", by=admin)
    LicenceFactory(customer=customer, cost=Decimal("1000.00"))
    LicenceFactory(customer=customer, cost=Decimal("9.99"), ends_on=FIRST_DAY)
    LicenceFactory(customer=customer, starts_on=FIRST_DAY + DAY)
    LicenceFactory(customer=customer, starts_on=date(2025, 1, 1), ends_on=FIRST_DAY - DAY)

    contract = signing.activate(draft, by=admin, at=SIGNED_AT)

    assert lines(contract) == [
        ("15000.00", "100,000.00 € × 15 % = 15,000.00 €"),
        ("150.00", "1,000.00 € × 15 % = 150.00 €"),
        ("1.50", "9.99 € × 15 % = 1.50 €"),
    ]


@pytest.mark.parametrize(
    ("code", "costs", "amounts"),
    [
        ("basic", {"on-demand": ["50000"]}, ["0.00"]),
        ("business", {"on-site": ["100000"]}, ["20000.00"]),
        ("business", {"on-site": ["1000"]}, ["500.00"]),
        ("business", {"on-site": ["1000", "500"]}, ["333.33", "166.67"]),
        ("business", {"on-site": ["10000"], "on-demand": ["10000"]}, ["2000.00", "1000.00"]),
        ("premium", {"on-site": ["10000"], "on-demand": ["10000"]}, ["6250.00", "3750.00"]),
        ("premium", {"on-site": ["0", "0", "0"]}, ["3333.33", "3333.34", "3333.33"]),
        ("basic", {"on-site": ["0.10", "0.10", "0.10"]}, ["0.02", "0.01", "0.02"]),
    ],
)
def test_the_lines_add_up_to_the_yearly_price(admin, code, costs, amounts):
    """The minimum applies once, to the total, and is spread by the shares (domain §1.1)."""
    company = CustomerFactory()
    for deployment, each in costs.items():
        for cost in each:
            LicenceFactory(customer=company, deployment=deployment, cost=Decimal(cost))

    draft = a_draft(company, code, by=admin)

    assert [amount for amount, _ in lines(draft)] == amounts
    assert sum(Decimal(amount) for amount in amounts) == signing.quote(draft).yearly


def test_a_line_tells_that_the_minimum_applies(admin):
    company = CustomerFactory()
    LicenceFactory(customer=company, cost=Decimal("38400.00"))

    assert lines(a_draft(company, "premium", by=admin)) == [
        ("10000.00", "38,400.00 € × 25 % = 9,600.00 €; ≥ 10,000.00 €: 10,000.00 €")
    ]


def test_a_longer_term_costs_its_years_and_days(customer, admin):
    draft = a_draft(customer, "basic", by=admin, ends_on=date(2028, 1, 31))

    assert (signing.quote(draft).yearly, signing.quote(draft).total) == (
        Decimal("15000.00"),
        Decimal("31270.49"),  # 2 × 15,000 + 31/366 × 15,000
    )


def test_a_licence_bought_later_adds_its_prorated_line_by_itself(customer, admin):
    contract = signing.activate(a_draft(customer, "premium", by=admin), by=admin, at=SIGNED_AT)
    LicenceFactory(customer=customer, cost=Decimal("10000.00"), starts_on=date(2026, 7, 1))

    before = signing.cover_added_licences(contract, on=date(2026, 6, 30))
    added = signing.cover_added_licences(contract, on=date(2026, 7, 1))
    again = signing.cover_added_licences(contract, on=date(2026, 7, 2))

    assert (before, len(added), again) == ([], 1, [])
    assert lines(contract)[1] == ("1260.27", "10,000.00 € × 25 % = 2,500.00 €; 184/365 = 1,260.27 €")
    assert added[0].starts_on == date(2026, 7, 1)


def test_a_contract_terminated_with_notice_takes_licences_in_to_its_last_day(admin):
    customer = a_customer()
    contract, last = contract_of(customer), date(2026, 7, 10)
    signing.terminate(contract, by=admin, at=datetime(2026, 6, 1, 9, tzinfo=MOSCOW), reason="Уходят", on=last)
    LicenceFactory(customer=customer, cost=Decimal(10_000), starts_on=date(2026, 7, 1))

    added = signing.cover_added_licences(contract, on=date(2026, 7, 1))
    LicenceFactory(customer=customer, starts_on=date(2026, 7, 2))

    # The ten days that are left of it, not those to the end of the term that was agreed once.
    assert [line.arithmetic for line in added] == ["10,000.00 € × 25 % = 2,500.00 €; 10/365 = 68.49 €"]
    assert signing.cover_added_licences(contract, on=last + DAY) == []


def test_only_an_active_contract_takes_licences_in(customer, admin):
    draft = a_draft(customer, by=admin)
    LicenceFactory(customer=customer, starts_on=date(2026, 7, 1))

    assert signing.cover_added_licences(draft, on=date(2026, 7, 1)) == []


# Renew


def test_renew_drafts_the_next_year_with_the_clauses(admin):
    contract = contract_of(a_customer("business"))
    a_clause(contract, topic=topic("network_os"), text_ru="Сети включены.", text_en="Networks are included.")

    following = signing.renew(contract, by=admin, at=TUESDAY_10)

    assert (following.state, following.starts_on, following.ends_on) == ("draft", date(2027, 1, 1), date(2027, 12, 31))
    assert (following.predecessor, following.terms) == (contract, contract.terms)
    assert [clause.topic_id for clause in following.clauses.all()] == ["network_os"]


def test_renew_may_name_another_package(admin):
    following = signing.renew(contract_of(a_customer("basic")), by=admin, at=TUESDAY_10, package=package("premium"))

    assert following.terms.package.code == "premium"


def test_a_renewal_is_signed_ahead_and_does_not_overlap(admin):
    customer = a_customer("basic")
    following = signing.renew(contract_of(customer), by=admin, at=TUESDAY_10)

    signing.activate(following, by=admin, at=TUESDAY_10)

    assert [c.number for c in customer.contracts.in_force(LAST_DAY)] != [
        c.number for c in customer.contracts.in_force(LAST_DAY + DAY)
    ]
    assert not Customer.objects.without_cover(LAST_DAY + DAY).exists()


def test_renew_after_a_gap_starts_today(admin):
    contract = contract_of(a_customer("basic"))
    signing.expire(contract, on=LAST_DAY + DAY)

    following = signing.renew(contract, by=admin, at=datetime(2027, 3, 10, 12, tzinfo=MOSCOW))

    assert (following.starts_on, following.ends_on) == (date(2027, 3, 10), date(2028, 3, 9))


def test_renew_makes_one_successor(admin):
    contract = contract_of(a_customer("basic"))
    signing.renew(contract, by=admin, at=TUESDAY_10)

    with pytest.raises(NotSigned) as refusal:
        signing.renew(contract, by=admin, at=TUESDAY_10)

    assert sections(refusal) == ["2"]


@pytest.mark.parametrize("state", ["draft", "terminated"])
def test_only_a_contract_that_was_in_force_is_renewed(admin, customer, state):
    draft = a_draft(customer, by=admin)
    if state == "terminated":
        draft = signing.terminate(draft, by=admin, at=TUESDAY_10, reason="Клиент передумал.")

    with pytest.raises(NotSigned):
        signing.renew(draft, by=admin, at=TUESDAY_10)


# Terminate, expire


def test_terminate_ends_the_cover_today_and_makes_room(admin):
    customer = a_customer("basic")

    ended = signing.terminate(contract_of(customer), by=admin, at=TUESDAY_10, reason="Клиент уходит.")
    following = a_draft(customer, "premium", by=admin, starts_on=date(2026, 11, 18))
    signing.activate(following, by=admin, at=TUESDAY_10)

    assert (ended.state, ended.terminated_on, ended.termination_reason) == (
        "terminated",
        date(2026, 11, 17),
        "Клиент уходит.",
    )
    assert contract_of(customer) == following


def test_terminated_contract_covers_its_last_day_and_no_other(admin):
    customer = a_customer("basic")
    ended = signing.terminate(contract_of(customer), by=admin, at=TUESDAY_10, reason="Клиент уходит.")

    covered = [list(customer.contracts.in_force(date(2026, 11, day))) for day in (16, 17, 18)]

    assert covered == [[ended], [ended], []]
    assert not Customer.objects.without_cover(date(2026, 11, 17)).exists()
    assert list(Customer.objects.without_cover(date(2026, 11, 18))) == [customer]


def test_a_draft_that_is_given_up_takes_no_room(admin):
    customer = a_customer("basic")
    draft = a_draft(customer, "premium", by=admin)

    ended = signing.terminate(draft, by=admin, at=TUESDAY_10, reason="Клиент остался на базовом.")

    assert (ended.state, ended.terminated_on) == ("terminated", None)
    assert contract_of(customer).terms.package.code == "basic"


def test_terminate_wants_a_reason_and_something_to_end(admin):
    contract = contract_of(a_customer("basic"))

    with pytest.raises(NotSigned):
        signing.terminate(contract, by=admin, at=TUESDAY_10, reason="  ")
    ended = signing.terminate(contract, by=admin, at=TUESDAY_10, reason="Клиент уходит.")
    with pytest.raises(NotSigned):
        signing.terminate(ended, by=admin, at=TUESDAY_10, reason="Ещё раз.")


def test_open_tickets_keep_their_promises_when_the_contract_ends(admin):
    ticket = open_ticket(priority=2)
    due = ticket.due_at

    signing.terminate(ticket.contract, by=admin, at=TUESDAY_10, reason="Клиент уходит.")

    ticket.refresh_from_db()
    assert (ticket.state, ticket.due_at) == ("new", due)


def test_expire_ends_a_contract_after_its_last_day_and_leaves_a_gap():
    customer = a_customer("basic")
    contract = contract_of(customer)

    assert signing.expire(contract, on=LAST_DAY) is False
    assert signing.expire(contract, on=LAST_DAY + DAY) is True
    assert signing.expire(contract, on=LAST_DAY + DAY) is False
    assert Contract.objects.get(pk=contract.pk).state == "expired"
    assert list(Customer.objects.without_cover(LAST_DAY + DAY)) == [customer]


def test_the_nightly_job_ends_what_is_over_by_the_moscow_calendar():
    from django.utils import timezone

    from contracts.tasks import cover_added_licences, expire_contracts

    today = signing.moscow_day(timezone.now())
    over = contract_of(a_customer("basic", starts_on=date(2022, 1, 1)))
    lasts = contract_of(a_customer("basic", starts_on=today - 200 * DAY))
    LicenceFactory(customer=lasts.customer, starts_on=today)

    assert (expire_contracts(), expire_contracts()) == (1, 0)
    assert (cover_added_licences(), cover_added_licences()) == (1, 0)
    assert Contract.objects.get(pk=over.pk).state == "expired"
    assert (Contract.objects.get(pk=lasts.pk).state, lasts.lines.count()) == ("active", 2)


# The responsible contact


def test_handing_over_the_contact_keeps_exactly_one_at_any_moment(admin):
    customer = a_customer("basic")
    old, new = contact_of(customer), observer_of(customer)

    signing.hand_over_contact(customer, to=new, by=admin, at=TUESDAY_10, reason="Прежний контакт болен.")

    assert [customer.contact_at(at) for at in (TUESDAY_10 - timedelta(seconds=1), TUESDAY_10)] == [old, new]
    assert list(customer.contacts.order_by("starts_at").values_list("user", "ends_at", "reason")) == [
        (old.pk, TUESDAY_10, ""),
        (new.pk, None, "Прежний контакт болен."),
    ]


def test_the_first_contact_needs_no_reason(admin):
    customer = CustomerFactory()
    person = a_member(customer)

    signing.hand_over_contact(customer, to=person, by=admin, at=TUESDAY_10, reason="")

    assert customer.contact_at(TUESDAY_10) == person


def test_a_planned_change_stays_as_planned(admin):
    customer = a_customer("basic")
    old, later, now = contact_of(customer), observer_of(customer), a_member(customer)
    monday = TUESDAY_10 + 6 * DAY

    signing.hand_over_contact(customer, to=later, by=admin, at=monday, reason="С понедельника.")
    signing.hand_over_contact(customer, to=now, by=admin, at=TUESDAY_10, reason="До понедельника.")

    found = [customer.contact_at(at) for at in (TUESDAY_10 - DAY, TUESDAY_10, monday - DAY, monday, monday + DAY)]
    assert found == [old, now, now, later, later]


def test_a_change_planned_for_the_same_moment_is_replaced(admin):
    customer = a_customer("basic")
    first, second = observer_of(customer), a_member(customer)

    signing.hand_over_contact(customer, to=first, by=admin, at=TUESDAY_10, reason="План.")
    signing.hand_over_contact(customer, to=second, by=admin, at=TUESDAY_10, reason="Другой план.")

    assert (customer.contact_at(TUESDAY_10), customer.contacts.count()) == (second, 2)


def test_a_gap_before_a_planned_contact_is_filled_to_its_start(admin):
    customer = CustomerFactory()
    later = a_contact(customer, since=TUESDAY_10)
    earlier = a_member(customer)

    signing.hand_over_contact(customer, to=earlier, by=admin, at=TUESDAY_10 - DAY, reason="")

    assert [customer.contact_at(at) for at in (TUESDAY_10 - DAY, TUESDAY_10)] == [earlier, later]


def test_only_one_of_the_customers_people_becomes_the_contact(admin):
    customer = a_customer("basic")
    gone = a_member(customer, is_active=False)

    for person in (contact_of(a_customer("basic")), an_engineer(), UserFactory(), gone, contact_of(customer)):
        with pytest.raises(NotHandedOver) as refusal:
            signing.hand_over_contact(customer, to=person, by=admin, at=TUESDAY_10, reason="…")
        assert refusal.value.section == "1.7.1"


def test_a_change_of_the_contact_wants_a_reason(admin):
    customer = a_customer("basic")

    with pytest.raises(NotHandedOver) as refusal:
        signing.hand_over_contact(customer, to=observer_of(customer), by=admin, at=TUESDAY_10, reason=" ")

    assert refusal.value.section == "2"


def test_open_tickets_follow_the_new_contact(admin):
    customer = a_customer()
    old, new = contact_of(customer), observer_of(customer)
    waiting, withdrawn = open_ticket(customer), open_ticket(customer)
    workflow.withdraw(withdrawn, by=old, at=TUESDAY_10)
    later = TUESDAY_10 + timedelta(hours=1)

    workflow.hand_over_contact(customer, to=new, by=admin, at=later, reason="Отпуск.")

    waiting.refresh_from_db()
    withdrawn.refresh_from_db()
    assert (waiting.contact, withdrawn.contact) == (new, old)
    event = waiting.events.latest("pk")
    assert (event.verb, event.by, event.at, event.details) == (
        "contact_changed",
        admin,
        later,
        {"from": old.full_name, "to": new.full_name, "reason": "Отпуск."},
    )
    workflow.customer_reply(waiting, by=new, body="Теперь отвечаю я.", at=later)


def test_tickets_follow_a_planned_change_when_its_moment_comes(admin):
    customer = a_customer()
    old, new = contact_of(customer), observer_of(customer)
    ticket = open_ticket(customer)
    monday = TUESDAY_10 + 6 * DAY

    workflow.hand_over_contact(customer, to=new, by=admin, at=TUESDAY_10, starts_at=monday, reason="С понедельника.")
    before = workflow.follow_contact(customer, by=None, at=monday - DAY)
    after = workflow.follow_contact(customer, by=None, at=monday)

    assert (before, after) == ([], [ticket])
    ticket.refresh_from_db()
    assert ticket.contact == new != old


def test_the_job_finds_the_tickets_that_were_left_behind(admin):
    from django.utils import timezone

    customer = a_customer("premium", starts_on=date(2026, 1, 1), ends_on=date(2030, 12, 31))
    new = observer_of(customer)
    ticket, elsewhere = open_ticket(customer), open_ticket()
    moment = timezone.now() - timedelta(minutes=1)
    signing.hand_over_contact(customer, to=new, by=admin, at=moment, reason="Отпуск.")

    assert (follow_contacts(), follow_contacts()) == (1, 0)
    ticket.refresh_from_db()
    assert ticket.contact == new
    assert elsewhere.events.filter(verb="contact_changed").count() == 0
