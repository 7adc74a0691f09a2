"""Contracts: draft, activate, renew, terminate, expire; and who speaks for the customer (domain §1.7, §2).

The one writer of a contract's state and lines. Each verb takes who (`by`, the contract administrator) and when (`at`,
aware), locks the customer's row, so that two people cannot sign two contracts at once, and works in one transaction.
Days are days of Moscow, as the packages count them (§1.3). Money is EUR.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.refusals import Forbidden, Refused
from contracts import pricing, terms
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import (
    Contract,
    ContractClause,
    ContractLine,
    Customer,
    Licence,
    Package,
    PackageTerms,
    ResponsibleContact,
)

DAY = timedelta(days=1)
SIGNERS = frozenset({Role.CONTRACT_ADMIN, Role.ADMIN})


@dataclass(frozen=True)
class Reason:
    """One condition that fails: in words fit for the person who signs, and where it stands in the domain."""

    words: str
    section: str

    def __str__(self) -> str:
        return f"{self.words} (§{self.section})"


class NotSigned(Refused):
    """The contract cannot stand so. `reasons` are all the conditions that fail, not the first (domain §2)."""

    def __init__(self, reasons: Iterable[Reason]) -> None:
        self.reasons = list(reasons)
        words = " ".join(reason.words for reason in self.reasons)
        super().__init__(words, ", §".join(dict.fromkeys(reason.section for reason in self.reasons)))


class NotHandedOver(Refused):
    """The person cannot become the responsible contact (domain §1.7.1)."""


def moscow_day(at: datetime) -> date:
    """The day of a moment as contracts count days: Moscow's."""
    return at.astimezone(CONTRACT_ZONE).date()


def only_signers(by: User) -> None:
    """Refuses everybody but the contract administrator and the administrator (domain §7)."""
    if by.role not in SIGNERS:
        raise Forbidden(_("Only the contract administrator does this."))


# Draft


@transaction.atomic
def draft(
    customer: Customer,
    *,
    package: Package,
    by: User,
    starts_on: date,
    ends_on: date | None = None,
    number: str = "",
    predecessor: Contract | None = None,
) -> Contract:
    """Prepares a contract of one year, or to `ends_on`, on the terms that the package has on its first day (§1.1, §2).

    Nothing is promised by a draft: its lines only show what it would cover and cost. A draft without licences or
    without a contact may stand; `activate` asks. Raises `NotSigned` where the term is shorter than a year (§1.7.3) or
    the package is not sold then, `Forbidden` for the wrong role.
    """
    only_signers(by)
    customer = _locked(customer)
    ends_on = ends_on or pricing.anniversary(starts_on, 1) - DAY
    offered = package.terms_on(starts_on)
    reasons = _term_reasons(starts_on, ends_on)
    if offered is None or not package.is_sold:
        reasons.append(
            Reason(
                _("The package “%(package)s” is not sold from %(day)s.")
                % {"package": package.name, "day": f"{starts_on:%d.%m.%Y}"},
                "1",
            )
        )
    if reasons or offered is None:
        raise NotSigned(reasons)
    contract = Contract.objects.create(
        number=number or _next_number(customer, starts_on),
        customer=customer,
        terms=offered,
        starts_on=starts_on,
        ends_on=ends_on,
        predecessor=predecessor,
    )
    show_lines(contract)
    return contract


def show_lines(contract: Contract) -> None:
    """Derives the lines of a draft anew; it has none while its licences cannot be priced, and `activate` says why."""
    if contract.state != Contract.State.DRAFT:
        return
    contract.lines.all().delete()
    licences = covered_licences(contract)
    if not _price_reasons(contract, licences):
        ContractLine.objects.bulk_create(derived_lines(contract, licences))


def _next_number(customer: Customer, starts_on: date) -> str:
    """“2026-0012-1”: year, customer, how many-th contract. The customer's row is locked, so nobody takes the same."""
    taken = set(customer.contracts.values_list("number", flat=True))
    count = len(taken) + 1
    while (number := f"{starts_on:%Y}-{customer.pk:04}-{count}") in taken:
        count += 1
    return number


def _locked(customer: Customer) -> Customer:
    return Customer.objects.select_for_update().get(pk=customer.pk)


def _locked_contract(contract: Contract) -> Contract:
    _locked(contract.customer)
    return (
        Contract.objects.select_for_update(of=("self",))
        .select_related("customer", "terms__package", "terms__calendar")
        .get(pk=contract.pk)
    )


# What a contract covers and costs


def covered_licences(contract: Contract) -> list[Licence]:
    """The licences in force on the contract's first day: all of them, never a choice (domain §1.7.3, §2)."""
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
    costs: dict[terms.Deployment, Decimal] = {}
    for licence in covered_licences(contract) if licences is None else licences:
        deployment = terms.Deployment(licence.deployment)
        costs[deployment] = costs.get(deployment, Decimal(0)) + licence.cost
    return pricing.quote(prices_of(contract.terms), costs, starts_on=contract.starts_on, ends_on=contract.ends_on)


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
                percent=percent,
                amount=amount,
                arithmetic=told,
            )
        )
    return lines


def _cents(exact: Fraction) -> Decimal:
    """Rounded half up to the cent, as `contracts.pricing` rounds."""
    return Decimal((200 * exact.numerator + exact.denominator) // (2 * exact.denominator)).scaleb(-2)


@transaction.atomic
def cover_added_licences(contract: Contract, *, on: date) -> list[ContractLine]:
    """Licences bought since the signing, in force on this day, join the contract by themselves (domain §1.7.5, §2).

    Each adds a line that costs its part of the days left; the minimum is not applied again. Safe to run twice.
    Raises `pricing.PricingError` where the package has no price for the licence's deployment.
    """
    contract = _locked_contract(contract)
    if contract.state != Contract.State.ACTIVE or not contract.starts_on <= on <= contract.ends_on:
        return []
    prices = prices_of(contract.terms)
    added = []
    missing = contract.customer.licences.in_force(on).exclude(contract_lines__contract=contract)
    for licence in missing.select_related("product").order_by("starts_on", "pk"):
        deployment = terms.Deployment(licence.deployment)
        if deployment not in prices:
            raise pricing.NothingToPrice(f"The package has no price for {deployment} licences (§1.1).")
        added_on = max(licence.starts_on, contract.starts_on)
        part = pricing.prorate(
            prices[deployment],
            licence.cost,
            deployment=deployment,
            starts_on=contract.starts_on,
            ends_on=contract.ends_on,
            added_on=added_on,
        )
        added.append(
            ContractLine.objects.create(
                contract=contract,
                licence=licence,
                starts_on=added_on,
                percent=prices[deployment].percent,
                amount=part.total,
                arithmetic=_prorated_words(part),
            )
        )
    return added


def _prorated_words(part: pricing.Proration) -> str:
    """“10,000.00 € × 25 % = 2,500.00 €; 200/365 = 1,369.86 €”: numbers only, so that it reads in any language."""
    words = []
    for line in part.lines:
        if line.kind == "share" and line.base is not None and line.percent is not None:
            words.append(f"{line.base:,.2f} € × {line.percent.normalize():f} % = {line.amount:,.2f} €")
        else:
            words.append(f"{line.count}/{line.out_of} = {line.amount:,.2f} €")
    return "; ".join(words)


# Activate


@transaction.atomic
def activate(contract: Contract, *, by: User, at: datetime) -> Contract:
    """Signs a draft: checks every condition of §1.7 and derives the lines (domain §2).

    Raises `NotSigned` with all the conditions that fail, `Forbidden` for the wrong role; nothing is changed then.
    """
    only_signers(by)
    contract = _locked_contract(contract)
    reasons = conditions_that_fail(contract, at=at)
    if reasons:
        raise NotSigned(reasons)
    show_lines(contract)
    contract.activate()
    contract.signed_at = at
    contract.signed_by = by
    contract.save()
    return contract


def conditions_that_fail(contract: Contract, *, at: datetime) -> list[Reason]:
    """Everything that stands between this draft and its signature at this moment; an empty list: it can be signed."""
    reasons = []
    if contract.state != Contract.State.DRAFT:
        reasons.append(
            Reason(
                _("Only a draft is activated; this contract is “%(state)s”.") % {"state": contract.get_state_display()},
                "2",
            )
        )
    reasons += _contact_reasons(contract.customer, at)
    reasons += _clause_reasons(contract)
    reasons += _term_reasons(contract.starts_on, contract.ends_on)
    if contract.ends_on < moscow_day(at):
        reasons.append(
            Reason(_("The contract ended on %(day)s already.") % {"day": f"{contract.ends_on:%d.%m.%Y}"}, "2")
        )
    licences = covered_licences(contract)
    reasons += _price_reasons(contract, licences)
    reasons += _release_reasons(licences)
    reasons += _overlap_reasons(contract)
    return reasons


def _contact_reasons(customer: Customer, at: datetime) -> list[Reason]:
    contact = customer.contact_at(at)
    if contact is None:
        return [
            Reason(
                _("The customer has no responsible contact: all consultations go to exactly one person."),
                "1.7.1",
            )
        ]
    reasons = []
    if not contact.is_active:
        reasons.append(
            Reason(_("The responsible contact, %(name)s, cannot sign in.") % {"name": contact.full_name}, "1.7.1")
        )
    if not customer.members.filter(user=contact).exists():
        reasons.append(
            Reason(
                _("The responsible contact, %(name)s, is not one of the customer's people.")
                % {"name": contact.full_name},
                "1.7.1",
            )
        )
    return reasons


def _clause_reasons(contract: Contract) -> list[Reason]:
    """What lies outside support is included only by words of the contract (domain §1.7.2)."""
    wordless = contract.clauses.filter(topic__isnull=False, topic__service__isnull=True).filter(
        Q(text_ru="") | Q(text_en="")
    )
    return [
        Reason(
            _("The clause that includes “%(topic)s” has no words in both languages.") % {"topic": clause.topic.name},
            "1.7.2",
        )
        for clause in wordless.select_related("topic")
        if clause.topic is not None
    ]


def _term_reasons(starts_on: date, ends_on: date) -> list[Reason]:
    try:
        pricing.term(starts_on, ends_on)
    except pricing.PricingError:
        return [
            Reason(
                _("A contract runs at least one year: from %(start)s to %(end)s or later.")
                % {
                    "start": f"{starts_on:%d.%m.%Y}",
                    "end": f"{pricing.anniversary(starts_on, 1) - DAY:%d.%m.%Y}",
                },
                "1.7.3",
            )
        ]
    return []


def _price_reasons(contract: Contract, licences: list[Licence]) -> list[Reason]:
    if not licences:
        return [
            Reason(
                _("The customer has no licence in force on %(day)s: there is nothing to support.")
                % {"day": f"{contract.starts_on:%d.%m.%Y}"},
                "1.7.3",
            )
        ]
    prices = prices_of(contract.terms)
    return [
        Reason(
            _("The package has no price for the licence “%(licence)s”, and support for a part is not sold.")
            % {"licence": licence},
            "1.7.3",
        )
        for licence in licences
        if terms.Deployment(licence.deployment) not in prices
    ]


def _release_reasons(licences: list[Licence]) -> list[Reason]:
    """When support is bought, each product must be there in an official version (domain §1.7.4)."""
    reasons = []
    for licence in licences:
        if licence.release is None:
            words = _("The installed version of %(product)s is not known: it must be an official one.")
        elif licence.release.product_id != licence.product_id:
            words = _("The version written down for %(product)s is one of another product: %(release)s.")
        elif not licence.release.is_official:
            words = _("The installed version of %(product)s is not an official one: %(release)s.")
        else:
            continue
        reasons.append(Reason(words % {"product": licence.product, "release": licence.release}, "1.7.4"))
    return reasons


def _overlap_reasons(contract: Contract) -> list[Reason]:
    """In words what `contract_never_overlaps` would refuse."""
    others = contract.customer.contracts.filter(signed_at__isnull=False).exclude(pk=contract.pk)
    return [
        Reason(
            _("Contract %(number)s covers the customer to %(day)s: two contracts never overlap.")
            % {"number": other.number, "day": f"{last_day(other):%d.%m.%Y}"},
            "2",
        )
        for other in others.order_by("starts_on")
        if other.starts_on <= contract.ends_on and last_day(other) >= contract.starts_on
    ]


def last_day(contract: Contract) -> date:
    """The last day that the contract covers or covered."""
    return contract.terminated_on or contract.ends_on


# Renew, terminate, expire


@transaction.atomic
def renew(
    contract: Contract, *, by: User, at: datetime, package: Package | None = None, ends_on: date | None = None
) -> Contract:
    """Prepares the successor: a draft that starts the day after, of the same package unless another is named (§2).

    After a contract that has run out long ago the successor starts on the day of `at`. Clauses go along. Raises
    `NotSigned` where there is a successor already, or the contract was never in force.
    """
    only_signers(by)
    contract = _locked_contract(contract)
    if contract.state not in {Contract.State.ACTIVE, Contract.State.EXPIRED}:
        raise NotSigned(
            [
                Reason(
                    _("A contract that is “%(state)s” is not renewed: draft a new one.")
                    % {"state": contract.get_state_display()},
                    "2",
                )
            ]
        )
    successor = Contract.objects.filter(predecessor=contract).first()
    if successor is not None:
        raise NotSigned([Reason(_("Contract %(number)s renews it already.") % {"number": successor.number}, "2")])
    following = draft(
        contract.customer,
        package=package or contract.terms.package,
        by=by,
        starts_on=max(contract.ends_on + DAY, moscow_day(at)),
        ends_on=ends_on,
        predecessor=contract,
    )
    for clause in contract.clauses.all():
        ContractClause.objects.create(
            contract=following,
            text_ru=clause.text_ru,
            text_en=clause.text_en,
            topic=clause.topic,
            service=clause.service,
            kind=clause.kind,
            priority=clause.priority,
            minutes=clause.minutes,
        )
    return following


@transaction.atomic
def terminate(contract: Contract, *, by: User, at: datetime, reason: str) -> Contract:
    """Ends a contract before its time, from this moment, or gives up a draft (domain §2).

    The day of `at` is its last one (the first day of the term, where it has not begun). Open tickets keep their
    promises. Raises `NotSigned` without a reason or where the contract is over already.
    """
    only_signers(by)
    contract = _locked_contract(contract)
    if contract.state not in {Contract.State.DRAFT, Contract.State.ACTIVE}:
        raise NotSigned(
            [Reason(_("This contract is “%(state)s” already.") % {"state": contract.get_state_display()}, "2")]
        )
    if not reason.strip():
        raise NotSigned([Reason(_("Write why the contract ends: the customer will ask."), "2")])
    if contract.state == Contract.State.ACTIVE:
        contract.terminated_on = min(max(moscow_day(at), contract.starts_on), contract.ends_on)
    contract.termination_reason = reason.strip()
    contract.terminate()
    contract.save()
    return contract


@transaction.atomic
def expire(contract: Contract, *, on: date) -> bool:
    """Ends a contract whose last day lies before this day; whether it did. Safe to run twice (domain §2)."""
    contract = _locked_contract(contract)
    if contract.state != Contract.State.ACTIVE or contract.ends_on >= on:
        return False
    contract.expire()
    contract.save()
    return True


# The responsible contact


@transaction.atomic
def hand_over_contact(customer: Customer, *, to: User, by: User, at: datetime, reason: str) -> ResponsibleContact:
    """Another person of the customer speaks for it from `at` on, a planned moment too (domain §1.7.1, §2).

    There is exactly one contact at any moment: the one before ends at `at`, the history stays, and a change that is
    planned for later stays as planned. Tickets follow by `tickets.workflow.hand_over_contact`, which calls this.
    Raises `NotHandedOver` for somebody who is not one of the customer's people or cannot sign in, `Forbidden`.
    """
    only_signers(by)
    customer = _locked(customer)
    if to.role != Role.CUSTOMER or not customer.members.filter(user=to).exists():
        raise NotHandedOver(
            _("%(name)s is not one of the people of %(customer)s.") % {"name": to.full_name, "customer": customer},
            "1.7.1",
        )
    if not to.is_active:
        raise NotHandedOver(_("%(name)s cannot sign in.") % {"name": to.full_name}, "1.7.1")
    holding = customer.contacts.holding(at).first()
    if holding is None:
        planned = customer.contacts.filter(starts_at__gt=at).order_by("starts_at").first()
        ends_at = planned.starts_at if planned else None
        return ResponsibleContact.objects.create(
            customer=customer, user=to, starts_at=at, ends_at=ends_at, reason=reason.strip()
        )
    if holding.user_id == to.pk:
        raise NotHandedOver(_("%(name)s is the responsible contact then already.") % {"name": to.full_name}, "1.7.1")
    if not reason.strip():
        raise NotHandedOver(_("Write why the contact changes (illness, leaving, a planned date)."), "2")
    ends_at = holding.ends_at
    if holding.starts_at == at:
        holding.delete()  # planned for the same moment, and now replaced: it never spoke for the customer
    else:
        holding.ends_at = at
        holding.save(update_fields=["ends_at"])
    return ResponsibleContact.objects.create(
        customer=customer, user=to, starts_at=at, ends_at=ends_at, reason=reason.strip()
    )
