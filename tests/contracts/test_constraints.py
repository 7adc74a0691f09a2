"""What the database itself refuses, whoever writes: past the forms, past the verbs (domain §2)."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from contracts.models import (
    Contract,
    ContractClause,
    ContractLine,
    Licence,
    PackageTerms,
    Release,
    ResponsibleContact,
    Service,
    TermsPrice,
    TermsTarget,
)
from sla.models import CalendarVersion, Ladder, LadderStep
from tests.factories import (
    FIRST_DAY,
    MOSCOW,
    TUESDAY_10,
    CustomerFactory,
    LicenceFactory,
    ReleaseFactory,
    UserFactory,
    a_clause,
    a_customer,
    a_draft,
    a_member,
    contract_of,
    package,
)

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
LAST_DAY = date(2026, 12, 31)


@pytest.fixture
def refused():
    """The statement inside is refused by the constraint of this name."""
    from contextlib import contextmanager

    @contextmanager
    def by(name: str):
        with pytest.raises(IntegrityError) as error, transaction.atomic():
            yield
        assert error.value.__cause__.diag.constraint_name == name

    return by


def a_row(customer, *, starts_on, ends_on, state="active", **fields):
    """A contract written past `signing`, as a careless script would."""
    if state != "draft":
        fields.setdefault("signed_at", TUESDAY_10)
    return Contract.objects.create(
        customer=customer,
        number=f"{customer.pk}/{Contract.objects.count()}",
        terms=package("basic").terms_on(FIRST_DAY),
        starts_on=starts_on,
        ends_on=ends_on,
        state=state,
        **fields,
    )


# Contracts


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (FIRST_DAY, LAST_DAY),
        (LAST_DAY, date(2027, 12, 31)),  # one common day
        (date(2025, 1, 2), FIRST_DAY),
        (date(2025, 1, 1), date(2027, 12, 31)),
    ],
)
def test_two_contracts_of_one_customer_never_overlap(refused, starts_on, ends_on):
    customer = a_customer("basic")

    with refused("contract_never_overlaps"):
        a_row(customer, starts_on=starts_on, ends_on=ends_on)


def test_contracts_that_only_touch_stand_beside_each_other():
    customer = a_customer("basic")

    a_row(customer, starts_on=date(2025, 1, 1), ends_on=FIRST_DAY - DAY, state="expired")
    a_row(customer, starts_on=LAST_DAY + DAY, ends_on=date(2027, 12, 31))

    assert customer.contracts.count() == 3


def test_drafts_and_other_customers_may_overlap():
    customer = a_customer("basic")

    a_row(customer, starts_on=FIRST_DAY, ends_on=LAST_DAY, state="draft")
    a_row(customer, starts_on=FIRST_DAY, ends_on=LAST_DAY, state="terminated", signed_at=None)
    a_row(CustomerFactory(), starts_on=FIRST_DAY, ends_on=LAST_DAY)


def test_a_terminated_contract_makes_room_after_its_last_day(refused):
    customer = CustomerFactory()
    a_row(customer, starts_on=FIRST_DAY, ends_on=LAST_DAY, state="terminated", terminated_on=date(2026, 6, 30))

    with refused("contract_never_overlaps"):
        a_row(customer, starts_on=date(2026, 6, 30), ends_on=date(2027, 6, 30))
    a_row(customer, starts_on=date(2026, 7, 1), ends_on=date(2027, 6, 30))


@pytest.mark.parametrize("days", [1, 30, 364])
def test_a_contract_of_less_than_a_year_is_refused(refused, days):
    with refused("contract_one_year_at_least"):
        a_row(CustomerFactory(), starts_on=FIRST_DAY, ends_on=FIRST_DAY + (days - 1) * DAY)


def test_a_leap_year_has_366_days(refused):
    with refused("contract_one_year_at_least"):
        a_row(CustomerFactory(), starts_on=date(2028, 1, 1), ends_on=date(2028, 12, 30))
    a_row(CustomerFactory(), starts_on=date(2028, 1, 1), ends_on=date(2028, 12, 31))


def test_a_contract_that_ends_before_it_starts_is_refused(refused):
    with refused("contract_one_year_at_least"):
        a_row(CustomerFactory(), starts_on=LAST_DAY, ends_on=FIRST_DAY, state="draft")


def test_an_active_contract_is_signed(refused):
    with refused("contract_active_is_signed"):
        a_row(CustomerFactory(), starts_on=FIRST_DAY, ends_on=LAST_DAY, signed_at=None)


def test_a_state_that_nobody_knows_is_refused(refused):
    with refused("contract_state_known"):
        Contract.objects.filter(pk=contract_of(a_customer("basic")).pk).update(state="paused")


def test_a_contract_is_not_terminated_before_it_starts(refused):
    with refused("contract_terminated_after_start"):
        a_row(
            CustomerFactory(),
            starts_on=FIRST_DAY,
            ends_on=LAST_DAY,
            state="terminated",
            terminated_on=FIRST_DAY - DAY,
        )


def test_a_licence_has_one_line_in_a_contract(refused):
    line = contract_of(a_customer("basic")).lines.get()

    with refused("contract_line_once_a_licence"):
        ContractLine.objects.create(
            contract=line.contract,
            licence=line.licence,
            starts_on=FIRST_DAY,
            cost=0,
            percent=15,
            amount=1,
            arithmetic="",
        )


def test_a_line_of_a_contract_is_not_negative(refused):
    with refused("contract_line_not_negative"):
        draft_of_2027().lines.update(amount=Decimal("-0.01"))


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "reaction", "priority": 1},
        {"kind": "reaction", "minutes": 15},
        {"priority": 1, "minutes": 15},
        {"kind": "reaction", "priority": 5, "minutes": 15},
        {"kind": "reaction", "priority": 1, "minutes": 0},
    ],
)
def test_a_clause_with_half_a_target_is_refused(refused, fields):
    contract = contract_of(a_customer("basic"))

    with refused("clause_target_whole"):
        a_clause(contract, text_ru="…", text_en="…", **fields)


def draft_of_2027() -> Contract:
    return a_draft(LicenceFactory().customer, "basic", starts_on=date(2027, 1, 1))


# What was signed stays (domain §1.1, §2)


@pytest.mark.parametrize(
    "edit",
    [
        lambda terms: PackageTerms.objects.filter(pk=terms.pk).update(starts_on=date(2019, 1, 1)),
        lambda terms: terms.prices.filter(deployment="on-site").update(percent=1),
        lambda terms: terms.prices.filter(deployment="on-site").update(minimum=7),
        lambda terms: terms.prices.first().delete(),
        lambda terms: terms.targets.update(amount=1),
        lambda terms: terms.targets.first().delete(),
        lambda terms: terms.targets.create(
            kind="resolution", priority=1, amount=9, unit="minutes", calendar=terms.calendar
        ),
        lambda terms: terms.services.clear(),
        lambda terms: terms.services.add(Service.objects.create(code="new", name_ru="Новая", name_en="New")),
        lambda terms: TermsPrice.objects.filter(terms=terms).update(terms=other_terms(terms)),
    ],
)
def test_terms_that_were_signed_are_never_edited(refused, edit):
    terms = contract_of(a_customer("basic")).terms

    with refused("terms_signed_stay"):
        edit(terms)


def other_terms(terms: PackageTerms) -> PackageTerms:
    return PackageTerms.objects.create(package=terms.package, starts_on=date(2031, 1, 1), calendar=terms.calendar)


def test_terms_that_nobody_signed_are_edited():
    terms = other_terms(package("basic").terms.get())

    terms.prices.create(deployment="on-site", percent=1)
    terms.prices.update(percent=2)
    terms.services.add("portal")
    terms.delete()

    assert not PackageTerms.objects.filter(starts_on=date(2031, 1, 1)).exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"starts_on": date(2025, 1, 1)},
        {"ends_on": date(2030, 1, 1)},
        {"number": "another"},
        {"signed_at": None},
        {"signed_at": TUESDAY_10},
    ],
)
def test_a_signed_contract_stays_as_it_was_signed(refused, fields):
    contract = contract_of(a_customer("basic"))

    with refused("contract_signed_stays"):
        Contract.objects.filter(pk=contract.pk).update(**fields)


def test_a_last_day_is_written_once(refused):
    contract = contract_of(a_customer("basic"))
    Contract.objects.filter(pk=contract.pk).update(state="terminated", terminated_on=date(2026, 6, 30))

    with refused("contract_signed_stays"):
        Contract.objects.filter(pk=contract.pk).update(terminated_on=date(2026, 7, 30))


@pytest.mark.parametrize("edit", [lambda lines: lines.update(amount=1), lambda lines: lines.all().delete()])
def test_a_line_of_a_signed_contract_stays(refused, edit):
    with refused("line_signed_stays"):
        edit(contract_of(a_customer("basic")).lines)


@pytest.mark.parametrize(
    "edit",
    [
        lambda clause: ContractClause.objects.filter(pk=clause.pk).update(text_en="Another"),
        lambda clause: ContractClause.objects.filter(pk=clause.pk).update(starts_at=None),
        lambda clause: clause.delete(),
        lambda clause: a_clause(clause.contract, starts_at=None),
    ],
)
def test_a_clause_of_a_signed_contract_stays(refused, edit):
    clause = a_clause(contract_of(a_customer("basic")), service_id="online")

    with refused("clause_signed_stays"):
        edit(clause)


def test_a_clause_of_a_signed_contract_ends_once(refused):
    clause = a_clause(contract_of(a_customer("basic")), service_id="online")
    ContractClause.objects.filter(pk=clause.pk).update(ends_at=TUESDAY_10)

    with refused("clause_signed_stays"):
        ContractClause.objects.filter(pk=clause.pk).update(ends_at=None)


@pytest.mark.parametrize("fields", [{"cost": 1}, {"deployment": "on-demand"}, {"starts_on": date(2020, 1, 1)}])
def test_a_licence_keeps_what_a_signed_price_was_counted_from(refused, fields):
    customer = a_customer("basic")

    with refused("licence_signed_for"):
        customer.licences.update(**fields)


def test_a_licence_that_is_signed_for_still_gets_releases_and_seats():
    customer = a_customer("basic")

    assert customer.licences.update(seats=7, release=None, ends_on=date(2040, 1, 1)) == 1


@pytest.mark.parametrize("edit", [lambda rows: rows.update(verb="other"), lambda rows: rows.all().delete()])
def test_what_happened_to_a_contract_is_never_rewritten(refused, edit):
    with refused("contract_event_append_only"):
        edit(contract_of(a_customer("basic")).events)


@pytest.mark.parametrize(
    ("starts_on", "first_end"),
    [
        (date(2024, 2, 29), date(2025, 2, 28)),
        (date(2023, 3, 1), date(2024, 2, 29)),
        (date(2024, 3, 1), date(2025, 2, 28)),
        (date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_year_ends_where_the_price_says(refused, starts_on, first_end):
    draft = a_draft(CustomerFactory(), "basic", starts_on=date(2027, 1, 1))
    rows = Contract.objects.filter(pk=draft.pk)

    assert rows.update(starts_on=starts_on, ends_on=first_end) == 1
    with refused("contract_one_year_at_least"):
        rows.update(ends_on=first_end - DAY)


# The responsible contact


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        (TUESDAY_10, None),
        (TUESDAY_10, TUESDAY_10 + timedelta(seconds=1)),
        (datetime(2025, 1, 1, tzinfo=MOSCOW), None),
        (datetime(2025, 1, 1, tzinfo=MOSCOW), datetime(2026, 1, 1, 9, 0, 1, tzinfo=MOSCOW)),
    ],
)
def test_there_is_no_second_contact_at_any_moment(refused, starts, ends):
    customer = a_customer("basic")
    colleague = a_member(customer)

    with refused("contact_one_at_any_moment"):
        ResponsibleContact.objects.create(customer=customer, user=colleague, starts_at=starts, ends_at=ends)


def test_one_contact_ends_where_the_next_begins():
    customer = a_customer("basic")
    customer.contacts.update(ends_at=TUESDAY_10)

    ResponsibleContact.objects.create(customer=customer, user=a_member(customer), starts_at=TUESDAY_10)

    assert customer.contacts.holding(TUESDAY_10).count() == 1


def test_a_contact_ends_after_the_start(refused):
    customer = CustomerFactory()

    with refused("contact_ends_after_start"):
        ResponsibleContact.objects.create(
            customer=customer, user=a_member(customer), starts_at=TUESDAY_10, ends_at=TUESDAY_10
        )


# Licences and releases


def test_a_licence_cost_is_not_negative(refused):
    with refused("licence_cost_not_negative"):
        LicenceFactory(cost=Decimal("-0.01"))


def test_a_licence_ends_after_it_starts(refused):
    with refused("licence_ends_after_start"):
        LicenceFactory(starts_on=LAST_DAY, ends_on=FIRST_DAY)


def test_a_licence_of_one_day_stands():
    assert LicenceFactory(starts_on=FIRST_DAY, ends_on=FIRST_DAY).pk


def test_a_deployment_that_nobody_knows_is_refused(refused):
    licence = LicenceFactory()

    with refused("licence_deployment_known"):
        Licence.objects.filter(pk=licence.pk).update(deployment="cloud")


def test_a_version_of_a_product_is_there_once(refused):
    release = ReleaseFactory()

    with refused("release_once"):
        Release.objects.create(product=release.product, version=release.version, released_on=FIRST_DAY)


# The catalogue


@pytest.mark.parametrize("fields", [{"percent": Decimal("-0.01")}, {"minimum": Decimal("-0.01")}])
def test_a_price_is_not_negative(refused, fields):
    with refused("price_not_negative"):
        TermsPrice.objects.filter(terms__package__code="premium").update(**fields)


def test_a_package_has_one_price_for_a_deployment(refused):
    terms = package("premium").terms_on(FIRST_DAY)

    with refused("price_once_a_deployment"):
        TermsPrice.objects.create(terms=terms, deployment="on-site", percent=1)


def test_a_package_has_one_edition_from_a_day(refused):
    terms = package("premium").terms_on(FIRST_DAY)

    with refused("terms_once_a_day"):
        PackageTerms.objects.create(package=terms.package, starts_on=terms.starts_on, calendar=terms.calendar)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"priority": 5}, "target_priority_1_to_4"),
        ({"priority": 0}, "target_priority_1_to_4"),
        ({"amount": 0}, "target_not_nothing"),
        ({"kind": "dinner"}, "target_kind_known"),
        ({"priority": 2}, "target_once_a_priority"),
    ],
)
def test_a_target_that_cannot_be_is_refused(refused, fields, constraint):
    target = TermsTarget.objects.get(terms__package__code="premium", kind="reaction", priority=1)

    with refused(constraint):
        TermsTarget.objects.filter(pk=target.pk).update(**fields)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"percent": 0}, "rung_percent_1_to_1000"),
        ({"percent": 1001}, "rung_percent_1_to_1000"),
        ({"whom": "nobody"}, "rung_whom_known"),
        ({"percent": 100, "whom": "csm"}, "rung_once"),
    ],
)
def test_a_rung_that_cannot_be_is_refused(refused, fields, constraint):
    rung = LadderStep.objects.filter(ladder__kind="reaction", ladder__priority=None).earliest("pk")

    with refused(constraint):
        LadderStep.objects.filter(pk=rung.pk).update(**fields)


def test_there_is_one_ladder_for_a_promise_also_for_any_package_and_priority(refused):
    with refused("ladder_once"):
        Ladder.objects.create(kind="resolution")


def test_a_calendar_has_one_version_from_a_moment(refused):
    version = CalendarVersion.objects.get(calendar__code="working-days")

    with refused("calendar_version_once_a_moment"):
        CalendarVersion.objects.create(calendar=version.calendar, valid_from=version.valid_from, weekly_hours={})


def test_an_address_belongs_to_one_person_in_any_spelling(refused):
    UserFactory(email="ann@example.com")

    with refused("user_email_once"):
        UserFactory._meta.model.objects.create(email="Ann@Example.com", full_name="Анна Климова")
