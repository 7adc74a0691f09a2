"""Drafts: prepared, changed, shown with their price; nothing is promised by one (domain §1.1, §2)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts import pricing
from contracts.models import Contract, Customer, Package, PackageTerms
from contracts.signing.conditions import price_reasons, term_reasons
from contracts.signing.history import record
from contracts.signing.lines import costs_of, prices_of, refresh_lines
from contracts.signing.refusals import NotSigned, Reason, locked, locked_contract, only_signers

DAY = timedelta(days=1)


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
    at: datetime,
) -> Contract:
    """Prepares a contract of one year, or to `ends_on`, on the terms that the package has on its first day (§1.1, §2).

    Nothing is promised by a draft: its lines only show what it would cover and cost. A draft without licences or
    without a contact may stand; `activate` asks. Raises `NotSigned` where the term is shorter than a year (§1.7.3) or
    the package is not sold then, or where the number is taken; `Forbidden` for the wrong role.
    """
    only_signers(by)
    return prepare(
        customer,
        package=package,
        by=by,
        starts_on=starts_on,
        ends_on=ends_on,
        number=number,
        predecessor=predecessor,
        at=at,
    )


def prepare(
    customer: Customer,
    *,
    package: Package,
    by: User | None,
    starts_on: date,
    ends_on: date | None = None,
    number: str = "",
    predecessor: Contract | None = None,
    at: datetime,
) -> Contract:
    """`draft` without asking who: for the job that offers renewals (`by` None). Inside a transaction."""
    customer = locked(customer)
    ends_on = ends_on or pricing.anniversary(starts_on, 1) - DAY
    offered = sold_terms(package, starts_on, ends_on)
    number = number.strip()
    if number and Contract.objects.filter(number=number).exists():
        raise NotSigned(
            [Reason(_("There is a contract with the number %(number)s already.") % {"number": number}, "2")]
        )
    contract = Contract.objects.create(
        number=number or _next_number(customer, starts_on),
        customer=customer,
        terms=offered,
        starts_on=starts_on,
        ends_on=ends_on,
        predecessor=predecessor,
    )
    refresh_lines(contract)
    record("drafted", customer=customer, contract=contract, by=by, at=at, package=package.code)
    return contract


def sold_terms(package: Package, starts_on: date, ends_on: date) -> PackageTerms:
    """The terms that such a contract would be signed on; raises `NotSigned` with all that stands against it."""
    offered = package.terms_on(starts_on)
    reasons = term_reasons(starts_on, ends_on)
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
    return offered


@transaction.atomic
def change_draft(
    contract: Contract, *, package: Package, starts_on: date, ends_on: date, by: User, at: datetime
) -> Contract:
    """Another package or another term for a draft; its lines and price follow (domain §1.1, §2).

    Raises `NotSigned` for what is no draft any more, a term under a year, a package not sold then; `Forbidden`.
    """
    only_signers(by)
    contract = locked_contract(contract)
    if contract.state != Contract.State.DRAFT:
        raise NotSigned(
            [
                Reason(
                    _("Only a draft is changed; this contract is “%(state)s” and stays as it was signed.")
                    % {"state": contract.get_state_display()},
                    "2",
                )
            ]
        )
    contract.terms = sold_terms(package, starts_on, ends_on)
    contract.starts_on, contract.ends_on = starts_on, ends_on
    contract.save()
    refresh_lines(contract)
    record(
        "draft_changed",
        customer=contract.customer,
        contract=contract,
        by=by,
        at=at,
        package=package.code,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    return contract


@transaction.atomic
def apply_terms_to_draft(contract: Contract, terms: PackageTerms, *, by: User, at: datetime) -> Contract:
    """Quotes a draft anew on other terms of its own package, after a preview (domain §1.1); days and number stay.

    Raises `NotSigned` for what is no draft any more (a signed contract keeps its terms for ever), for terms of another
    package, and where the draft stands on these terms already; `Forbidden` for the wrong role.
    """
    only_signers(by)
    contract = locked_contract(contract)
    if contract.state != Contract.State.DRAFT:
        raise NotSigned(
            [
                Reason(
                    _("This contract is “%(state)s” and keeps the terms that it was signed on.")
                    % {"state": contract.get_state_display()},
                    "1.1",
                )
            ]
        )
    was = contract.terms
    if was.package_id != terms.package_id:
        raise NotSigned([Reason(_("This draft is of another package now."), "1.1")])
    if was.pk == terms.pk:
        raise NotSigned([Reason(_("This draft is quoted on these terms already."), "1.1")])
    contract.terms = terms
    contract.save(update_fields=["terms"])
    refresh_lines(contract)
    record(
        "draft_changed",
        customer=contract.customer,
        contract=contract,
        by=by,
        at=at,
        package=terms.package.code,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        terms_from=was.starts_on,
        terms_to=terms.starts_on,
    )
    return contract


@dataclass(frozen=True)
class Offer:
    """What one package would cost a customer for a term, or in words why it cannot be had."""

    package: Package
    terms: PackageTerms | None
    quote: pricing.Quote | None
    refusals: tuple[str, ...] = ()


def offers(customer: Customer, *, starts_on: date, ends_on: date) -> list[Offer]:
    """The live quote: every package that is sold, side by side, for the licences in force on the first day (§1.1).

    Writes nothing. What cannot be priced says why; it never raises.
    """
    licences = list(customer.licences.in_force(starts_on).order_by("pk"))
    costs = costs_of(licences)
    found = []
    for package in Package.objects.filter(is_sold=True).order_by("position"):
        try:
            offered = sold_terms(package, starts_on, ends_on)
            counted = pricing.quote(prices_of(offered), costs, starts_on=starts_on, ends_on=ends_on)
        except NotSigned as refusal:
            found.append(Offer(package, None, None, tuple(reason.words for reason in refusal.reasons)))
        except pricing.PricingError:
            draft_like = Contract(customer=customer, terms=offered, starts_on=starts_on, ends_on=ends_on)
            found.append(Offer(package, offered, None, tuple(one.words for one in price_reasons(draft_like, licences))))
        else:
            found.append(Offer(package, offered, counted))
    return found


def _next_number(customer: Customer, starts_on: date) -> str:
    """“2026-0012-1”: year, customer, how many-th contract. The customer's row is locked, so nobody takes the same."""
    taken = set(customer.contracts.values_list("number", flat=True))
    count = len(taken) + 1
    while (number := f"{starts_on:%Y}-{customer.pk:04}-{count}") in taken:
        count += 1
    return number
