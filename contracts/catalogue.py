"""The catalogue as it is edited: new terms of a package from a date (domain §1.1)."""

from datetime import date

from django.db import transaction

from contracts.models import Contract, Package, PackageTerms, TermsPrice, TermsTarget


def is_signed(terms: PackageTerms) -> bool:
    """Whether a contract was signed on these terms: then they stand as they are (domain §1.1, §4)."""
    return terms.contracts.exclude(state=Contract.State.DRAFT).exists()


@transaction.atomic
def new_terms(package: Package, *, starts_on: date) -> PackageTerms:
    """New terms of the package from a day on, a copy of its latest, to be edited before anybody signs on them.

    Raises `ValueError` where the package has no terms, or has terms from that day or a later one already.
    """
    latest = PackageTerms.objects.select_for_update().filter(package=package).order_by("starts_on").last()
    if latest is None or latest.starts_on >= starts_on:
        raise ValueError(f"{package.code}: new terms start after the latest, not on {starts_on}.")
    terms = PackageTerms.objects.create(package=package, starts_on=starts_on, calendar=latest.calendar)
    terms.services.set(latest.services.all())
    for price in latest.prices.all():
        TermsPrice.objects.create(
            terms=terms, deployment=price.deployment, percent=price.percent, minimum=price.minimum
        )
    for target in latest.targets.all():
        TermsTarget.objects.create(
            terms=terms,
            kind=target.kind,
            priority=target.priority,
            amount=target.amount,
            unit=target.unit,
            calendar=target.calendar,
        )
    return terms
