"""What a contract covers and costs: one line for each licence, derived and never chosen (domain §1.1, §1.7.5, §2)."""

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts import pricing, terms
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import Contract, ContractLine, Licence, PackageTerms
from contracts.signing.history import record
from contracts.signing.refusals import locked, locked_contract, moscow_day, only_signers


def covered_licences(contract: Contract) -> list[Licence]:
    """The licences in force on the contract's first day: all of them, never a choice (domain §1.7.3, §2).

    Of a signed contract those that it was signed for, whatever was written down later.
    """
    if contract.signed_at is not None:
        lines = contract.lines.filter(is_added=False).select_related("licence__product", "licence__release")
        return [line.licence for line in lines.order_by("licence_id")]
    return list(
        contract.customer.licences.in_force(contract.starts_on).select_related("product", "release").order_by("pk")
    )


def prices_of(offered: PackageTerms) -> dict[terms.Deployment, terms.Price]:
    """The prices of these terms as plain values for `contracts.pricing`."""
    return {
        terms.Deployment(price.deployment): terms.Price(price.percent, price.minimum) for price in offered.prices.all()
    }


def quote(contract: Contract, licences: Iterable[Licence] | None = None) -> pricing.Quote:
    """What the contract costs a year and for its term, with the whole arithmetic (domain §1.1).

    Licences added later are not in it: their lines have their own prorated amounts. Raises `pricing.PricingError`.
    """
    costs = costs_of(covered_licences(contract) if licences is None else licences)
    return pricing.quote(prices_of(contract.terms), costs, starts_on=contract.starts_on, ends_on=contract.ends_on)


def costs_of(licences: Iterable[Licence]) -> dict[terms.Deployment, Decimal]:
    """What the licences cost together, by deployment, EUR."""
    costs: dict[terms.Deployment, Decimal] = {}
    for licence in licences:
        deployment = terms.Deployment(licence.deployment)
        costs[deployment] = costs.get(deployment, Decimal(0)) + licence.cost
    return costs


def derived_lines(contract: Contract, licences: Iterable[Licence]) -> list[ContractLine]:
    """One unsaved line for each licence; together they are the yearly price, to the last cent (domain §1.1, §2).

    What lifts the price to the package's minimum is spread over the licences by their share, and told in the line.
    Raises `pricing.PricingError`.
    """
    licences = list(licences)
    prices = prices_of(contract.terms)
    minimum = next((line.minimum for line in quote(contract, licences).lines if line.kind == "minimum"), None)
    shares = [
        Fraction(licence.cost) * Fraction(prices[terms.Deployment(licence.deployment)].percent) / 100
        for licence in licences
    ]
    together = sum(shares, Fraction(0))
    yearly = together if minimum is None else Fraction(minimum)
    # Where nothing costs anything (free licences, yet a minimum) the licences carry it in equal parts.
    weights = shares if together else [Fraction(1)] * len(licences)
    whole = sum(weights, Fraction(0))
    lines, running, shown = [], Fraction(0), Decimal(0)
    for licence, share, weight in zip(licences, shares, weights, strict=True):
        # Each line is what it moves the rounded running total by, so that they add up to the last cent.
        running += yearly * weight / whole
        amount = _cents(running) - shown
        shown += amount
        percent = prices[terms.Deployment(licence.deployment)].percent
        told = f"{licence.cost:,.2f} € × {percent.normalize():f} % = {_cents(share):,.2f} €"
        if minimum is not None:
            told += f"; ≥ {minimum:,.2f} €: {amount:,.2f} €"
        lines.append(
            ContractLine(
                contract=contract,
                licence=licence,
                starts_on=contract.starts_on,
                cost=licence.cost,
                percent=percent,
                amount=amount,
                arithmetic=told,
            )
        )
    return lines


def _cents(exact: Fraction) -> Decimal:
    """Rounded half up to the cent, as `contracts.pricing` rounds."""
    return Decimal((200 * exact.numerator + exact.denominator) // (2 * exact.denominator)).scaleb(-2)


def prorated_line(contract: Contract, licence: Licence) -> tuple[ContractLine, pricing.Proration]:
    """The unsaved line of a licence that joins this contract later, and how it was counted (domain §1.1, §1.7.5).

    It costs its part of the days left; the minimum is not applied again. Raises `pricing.PricingError` where the
    package has no price for the deployment, or the licence begins after the contract's end.
    """
    prices = prices_of(contract.terms)
    deployment = terms.Deployment(licence.deployment)
    if deployment not in prices:
        raise pricing.NothingToPrice(
            _("The package has no price for the licence “%(licence)s”, and support for a part is not sold.")
            % {"licence": licence}
        )
    added_on = max(licence.starts_on, contract.starts_on)
    part = pricing.prorate(
        prices[deployment],
        licence.cost,
        deployment=deployment,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        added_on=added_on,
        last_on=contract.terminated_on,
    )
    line = ContractLine(
        contract=contract,
        licence=licence,
        starts_on=added_on,
        cost=licence.cost,
        is_added=True,
        percent=prices[deployment].percent,
        amount=part.total,
        arithmetic=_prorated_words(part),
    )
    return line, part


@transaction.atomic
def cover_added_licences(
    contract: Contract, *, on: date, by: User | None = None, at: datetime | None = None
) -> list[ContractLine]:
    """Licences bought since the signing, in force on this day, join the contract by themselves (domain §1.7.5, §2).

    Safe to run twice. `at` is the moment of the record, the start of the day where it is not given. Raises
    `pricing.PricingError` where the package has no price for the licence's deployment.
    """
    contract = locked_contract(contract)
    # One that is terminated with notice covers all that the customer owns to its last day (domain §1.7.3).
    covers_still = contract.state == Contract.State.ACTIVE or contract.terminated_on is not None
    if not covers_still or not contract.starts_on <= on <= (contract.terminated_on or contract.ends_on):
        return []
    added = []
    missing = contract.customer.licences.in_force(on).exclude(contract_lines__contract=contract)
    for licence in missing.select_related("product").order_by("starts_on", "pk"):
        line, _part = prorated_line(contract, licence)
        line.save()
        record(
            "licence_added",
            customer=contract.customer,
            contract=contract,
            by=by,
            at=at or datetime.combine(on, time.min, CONTRACT_ZONE),
            licence=str(licence),
            licence_id=licence.pk,
            amount=line.amount,
            arithmetic=line.arithmetic,
            starts_on=line.starts_on,
        )
        added.append(line)
    return added


@transaction.atomic
def add_licence(licence: Licence, *, by: User, at: datetime) -> ContractLine | None:
    """Writes a licence down; where the customer has a contract in force on its first day it joins it at once (§1.7.5).

    `licence` is unsaved and valid (`full_clean`). Returns its line; None where no contract is in force then, or where
    it begins later: `cover_added_licences` covers it on its first day. Raises `pricing.PricingError`, `Forbidden`;
    nothing is written then.
    """
    only_signers(by)
    customer = locked(licence.customer)
    licence.save()
    record(
        "licence_written",
        customer=customer,
        by=by,
        at=at,
        licence=str(licence),
        cost=licence.cost,
        starts_on=licence.starts_on,
    )
    for draft in customer.contracts.filter(state=Contract.State.DRAFT):
        refresh_lines(draft)
    today = moscow_day(at)
    contract = customer.contracts.in_force(today).first()
    if contract is None or licence.starts_on > today:
        return None
    added = cover_added_licences(contract, on=today, by=by, at=at)
    return next((line for line in added if line.licence_id == licence.pk), None)


def refresh_lines(contract: Contract) -> None:
    """Derives the lines of a draft anew; it has none while its licences cannot be priced, and `activate` says why."""
    if contract.state != Contract.State.DRAFT:
        return
    contract.lines.all().delete()
    licences = covered_licences(contract)
    prices = prices_of(contract.terms)
    if licences and all(terms.Deployment(licence.deployment) in prices for licence in licences):
        ContractLine.objects.bulk_create(derived_lines(contract, licences))


def _prorated_words(part: pricing.Proration) -> str:
    """“10,000.00 € × 25 % = 2,500.00 €; 200/365 = 1,369.86 €”: numbers only, so that it reads in any language."""
    words = []
    for line in part.lines:
        if line.kind == "share" and line.base is not None and line.percent is not None:
            words.append(f"{line.base:,.2f} € × {line.percent.normalize():f} % = {line.amount:,.2f} €")
        else:
            words.append(f"{line.count}/{line.out_of} = {line.amount:,.2f} €")
    return "; ".join(words)
