"""New terms of a package from a date (domain §1.1): the value, its rules in words, its differences, and the verb."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from accounts.models import Role
from accounts.refusals import Forbidden
from contracts import catalogue
from contracts.catalogue import NotChanged, TermsChange, as_change
from contracts.models import Contract, Package, PackageTerms
from contracts.terms import Deployment, Kind, Price, Target, Unit
from tests.factories import UserFactory, a_customer, a_draft, contract_of, package
from tests.moments import tuesday

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 17)
NEXT_YEAR = date(2027, 1, 1)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture
def admin():
    return UserFactory(admin=True)


def a_change(code: str = "premium", **fields) -> TermsChange:
    change = as_change(package(code).terms_on(TODAY), starts_on=NEXT_YEAR)
    return replace(change, **fields)


def dearer(percent: str = "30", minimum: str = "12000", code: str = "premium", **fields) -> TermsChange:
    prices = {**a_change(code).prices, Deployment.ON_SITE: Price(Decimal(percent), Decimal(minimum))}
    return a_change(code, prices=prices, **fields)


def with_target(*targets: Target) -> TermsChange:
    change = a_change()
    changed = {(target.kind, target.priority) for target in targets}
    kept = [target for target in change.targets if (target.kind, target.priority) not in changed]
    return replace(change, targets=(*kept, *targets))


def problems(change: TermsChange) -> list[tuple[str, str]]:
    return [(one.field, one.words) for one in catalogue.problems_of(change, package(change.package), today=TODAY)]


def test_a_change_survives_being_kept_in_a_row():
    change = dearer("27.50", "10000.50")

    assert TermsChange.from_json(change.as_json()) == change


# The rules


@pytest.mark.parametrize(
    ("percent", "minimum", "field", "words"),
    [
        ("100.01", "0", "prices.on-site.percent", "between 0 and 100"),
        ("-1", "0", "prices.on-site.percent", "between 0 and 100"),
        ("12.345", "0", "prices.on-site.percent", "at most two decimals"),
        ("10", "-0.01", "prices.on-site.minimum", "not negative"),
        ("10", "1.005", "prices.on-site.minimum", "whole cents"),
        ("10", "10000000000", "prices.on-site.minimum", "more than any contract"),
    ],
)
def test_a_price_that_cannot_stand(percent, minimum, field, words):
    ((found, told),) = problems(dearer(percent, minimum))

    assert found == field
    assert words in told


@pytest.mark.parametrize(("percent", "minimum"), [("0", "0"), ("100", "0.01"), ("12.50", "9999999999.99")])
def test_a_price_at_its_bounds(percent, minimum):
    assert problems(dearer(percent, minimum)) == []


@pytest.mark.parametrize("amount", [0, -5, 100_000])
def test_a_target_that_cannot_stand(amount):
    ((field, _words),) = problems(with_target(Target(Kind.REACTION, 1, amount)))

    assert field.startswith("targets.") and field.endswith(".amount")


def test_the_reaction_is_promised_at_every_priority():
    change = a_change()

    found = problems(
        replace(change, targets=tuple(t for t in change.targets if (t.kind, t.priority) != (Kind.REACTION, 2)))
    )

    assert found == [("targets", "The reaction is promised at every priority (§1.4).")]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2020, 1, 1), "choose a later day"),
        (date(2019, 12, 31), "choose a later day"),
        (date(2025, 11, 1), "at the earliest"),
        (date(2200, 1, 1), "too far ahead"),
    ],
)
def test_a_day_that_cannot_be(day, words):
    ((field, told),) = problems(dearer(starts_on=day))

    assert (field, words in told) == ("starts_on", True)


@pytest.mark.parametrize("day", [date(2025, 12, 1), TODAY, NEXT_YEAR])
def test_a_day_of_the_last_year_today_or_later_can_be(day):
    assert problems(dearer(starts_on=day)) == []


def test_a_change_that_changes_nothing_is_no_change():
    assert problems(a_change()) == [("", "Nothing changes: these are the terms from 1 Jan 2020.")]


def test_every_problem_is_told_at_once():
    change = replace(dearer("101", "-1"), services=frozenset({"tea"}), calendar="nowhere", starts_on=date(2019, 1, 1))

    assert {field for field, _words in problems(change)} == {
        "prices.on-site.percent",
        "prices.on-site.minimum",
        "services",
        "calendar",
        "starts_on",
    }


# The differences


def test_differences_are_told_old_and_new():
    change = replace(
        with_target(
            Target(Kind.REACTION, 1, 20),
            Target(Kind.RESOLUTION, 2, 1, Unit.WORKING_DAYS, "working-days"),
            Target(Kind.RESOLUTION, 1, 120, Unit.MINUTES, "working-days"),
        ),
        prices=dearer("27.5").prices,
    )
    change = replace(change, services=change.services - {"csm"})

    found = [(one.what, one.old, one.new) for one in catalogue.differences(package("premium").terms_on(TODAY), change)]

    assert found == [
        ("Price, on-site", "25\u00a0%, at least €10,000.00", "27.5\u00a0%, at least €12,000.00"),
        ("Dedicated Customer Success Manager", "included", "not included"),
        ("Reaction, priority 1", "30 minutes", "20 minutes"),
        ("Resolution, priority 1", "2 hours, Round the clock, 24×7", "2 hours, Working days"),
        ("Resolution, priority 2", "2 working days", "1 working day"),
    ]


def test_a_promise_appears_and_vanishes_in_words():
    basic = package("basic").terms_on(TODAY)
    change = replace(
        as_change(basic), targets=(*as_change(basic).targets, Target(Kind.RESOLUTION, 1, 1, Unit.WORKING_DAYS))
    )

    (appears,) = catalogue.differences(basic, change)
    assert (appears.old, appears.new) == ("not promised", "1 working day")


# The verb


def test_new_terms_are_written_and_the_old_ones_stay(admin):
    contract = contract_of(a_customer())
    old = contract.terms
    before = as_change(old)

    terms = catalogue.apply_change(dearer(), by=admin, at=tuesday(10))

    assert as_change(terms).prices == dearer().prices
    assert (terms.starts_on, terms.services.count(), terms.targets.count()) == (NEXT_YEAR, 13, 12)
    assert as_change(PackageTerms.objects.get(pk=old.pk)) == before
    assert Contract.objects.get(pk=contract.pk).terms == old
    assert package("premium").terms_on(date(2026, 12, 31)) == old
    assert package("premium").terms_on(NEXT_YEAR) == terms


def test_targets_of_the_package_hours_follow_other_hours(admin):
    terms = catalogue.apply_change(a_change("basic", calendar="round-the-clock"), by=admin, at=tuesday(10))

    assert set(terms.targets.filter(kind="reaction").values_list("calendar__code", flat=True)) == {"round-the-clock"}


def test_terms_that_nobody_stands_on_are_replaced(admin):
    planned = catalogue.apply_change(dearer(), by=admin, at=tuesday(10))

    terms = catalogue.apply_change(dearer("31", starts_on=date(2026, 12, 1)), by=admin, at=tuesday(11))

    assert not PackageTerms.objects.filter(pk=planned.pk).exists()
    assert list(package("premium").terms.values_list("starts_on", flat=True)) == [terms.starts_on, date(2020, 1, 1)]


def test_terms_that_a_draft_is_quoted_on_are_not_replaced(admin):
    catalogue.apply_change(dearer(), by=admin, at=tuesday(10))
    a_draft(a_customer(), starts_on=NEXT_YEAR)

    with pytest.raises(NotChanged, match="choose a later day"):
        catalogue.apply_change(dearer("31", starts_on=date(2026, 12, 1)), by=admin, at=tuesday(11))


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMIN])
def test_only_the_administrator_changes_terms(role):
    with pytest.raises(Forbidden):
        catalogue.apply_change(dearer(), by=UserFactory(role=role), at=tuesday(10))

    assert PackageTerms.objects.count() == Package.objects.count()


def test_a_refused_change_writes_nothing(admin):
    with pytest.raises(NotChanged):
        catalogue.apply_change(dearer("101"), by=admin, at=tuesday(10))

    assert PackageTerms.objects.count() == Package.objects.count()
