"""What a customer's own contract page shows (domain §1, §2, §6). Reads only; all of it is fit for a customer's eyes."""

from dataclasses import dataclass
from datetime import date, datetime

from accounts.models import User
from contracts import entitlement, pricing
from contracts.entitlement import NotCovered
from contracts.models import (
    Channel,
    Contract,
    ContractClause,
    ContractLine,
    Customer,
    CustomerMember,
    Package,
    PackageTerms,
    RenewalOffer,
    Service,
)
from contracts.renewing import Change, change_of
from contracts.signing import last_day, latest_offer, moscow_day, quote


@dataclass(frozen=True)
class Company:
    """The reader's company now, and whether the reader speaks for it (domain §1.7.1)."""

    customer: Customer
    contact: User | None
    speaks: bool


def company_of(person: User, *, at: datetime) -> Company | None:
    """The company of a customer's person; None for somebody who belongs to none."""
    member = CustomerMember.objects.select_related("customer__csm").filter(user=person).first()
    if member is None:
        return None
    contact = member.customer.contact_at(at)
    return Company(member.customer, contact, contact is not None and contact.pk == person.pk)


@dataclass(frozen=True)
class Included:
    """A service or a channel: included by the package, by a clause (its words), or in which packages it is."""

    name: str
    is_included: bool
    clause: str = ""
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class OwnContract:
    """The contract in force, whole: prices in EUR, days of Moscow."""

    contract: Contract
    left: int
    last_day: date
    quote: pricing.Quote | None
    lines: tuple[ContractLine, ...]
    added: tuple[ContractLine, ...]
    services: tuple[Included, ...]
    channels: tuple[Included, ...]
    clauses: tuple[ContractClause, ...]


def own_contract(contract: Contract, *, at: datetime) -> OwnContract:
    """Everything that the page of a contract in force tells."""
    lines = list(contract.lines.select_related("licence__product", "licence__release").order_by("licence_id"))
    clauses = list(contract.clauses.in_force(at).select_related("topic", "service"))
    services, channels = _included(contract, clauses, at)
    try:
        price = quote(contract)
    except pricing.PricingError:
        price = None
    ends = last_day(contract)
    return OwnContract(
        contract=contract,
        left=(ends - moscow_day(at)).days + 1,
        last_day=ends,
        quote=price,
        lines=tuple(line for line in lines if not line.is_added),
        added=tuple(line for line in lines if line.is_added),
        services=services,
        channels=channels,
        clauses=tuple(clauses),
    )


def _included(
    contract: Contract, clauses: list[ContractClause], at: datetime
) -> tuple[tuple[Included, ...], tuple[Included, ...]]:
    """The entitlement matrix: every service and every channel, included or not, and who has what is missing."""
    own = set(contract.terms.services.values_list("code", flat=True))
    by_clause = {clause.service_id: clause.text for clause in clauses if clause.service_id}
    having = _packages_by_service(at)

    def verdict(name: str, service: str) -> Included:
        if service in own:
            return Included(name, True)
        if service in by_clause:
            return Included(name, True, by_clause[service])
        return Included(name, False, packages=having.get(service, ()))

    services = tuple(verdict(service.name, service.pk) for service in Service.objects.all())
    channels = tuple(verdict(channel.name, channel.service_id) for channel in Channel.objects.all())
    return services, channels


def _packages_by_service(at: datetime) -> dict[str, tuple[str, ...]]:
    """The names of the packages sold today that include each service, by its code."""
    latest = (
        PackageTerms.objects.filter(package__is_sold=True, starts_on__lte=moscow_day(at))
        .order_by("package_id", "-starts_on")
        .distinct("package_id")
        .select_related("package")
        .prefetch_related("services")
    )
    found: dict[str, list[Package]] = {}
    for terms in sorted(latest, key=lambda one: one.package.position):
        for service in terms.services.all():
            found.setdefault(service.pk, []).append(terms.package)
    return {code: tuple(package.name for package in packages) for code, packages in found.items()}


# What is over, what comes


def in_force(customer: Customer, *, at: datetime) -> Contract | None:
    """The contract in force now; None where there is none."""
    try:
        return entitlement.contract_of(customer, at=at)
    except NotCovered:
        return None


def signed_contracts(customer: Customer) -> list[Contract]:
    """The last signed contracts of the company, newest first: each can be downloaded."""
    rows = customer.contracts.filter(signed_at__isnull=False).select_related("terms__package")
    return list(rows.order_by("-starts_on", "-pk")[:20])


@dataclass(frozen=True)
class Renewal:
    """What follows the contract: the offer with its change of price, or the contract signed already, or nothing yet."""

    contract: Contract
    following: Contract | None
    offer: RenewalOffer | None
    change: Change | None
    steps: tuple[RenewalOffer, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether it waits for the contact's answer."""
        return (
            self.following is None
            and self.contract.state != Contract.State.TERMINATED
            and self.offer is not None
            and not self.offer.answer
            and self.offer.successor.state == Contract.State.DRAFT
            and self.offer.successor.predecessor_id == self.contract.pk
        )

    @property
    def is_withdrawn(self) -> bool:
        """Whether the draft that was offered was given up."""
        return self.offer is not None and (
            self.offer.successor.state == Contract.State.TERMINATED
            or self.offer.successor.predecessor_id != self.contract.pk
        )


def renewal_of(customer: Customer, *, at: datetime) -> Renewal | None:
    """The renewal of the contract in force, or of the last one where none is; None where there never was one."""
    contract = in_force(customer, at=at)
    if contract is None:
        past = customer.contracts.filter(signed_at__isnull=False, starts_on__lte=moscow_day(at))
        contract = past.select_related("terms__package").order_by("-starts_on").first()
    if contract is None:
        return None
    after = customer.contracts.filter(signed_at__isnull=False, starts_on__gt=contract.ends_on)
    following = after.exclude(state=Contract.State.TERMINATED).select_related("terms__package").first()
    offer = latest_offer(contract)
    change = change_of(contract, offer.successor) if offer is not None else None
    return Renewal(contract, following, offer, change, tuple(contract.offers.order_by("-days_ahead")))


def readable(customer: Customer, pk: int) -> Contract | None:
    """A contract whose document the company may read: signed, or a draft that was offered to it."""
    contract = customer.contracts.filter(pk=pk).select_related("customer", "terms__package", "terms__calendar").first()
    if contract is None or (contract.signed_at is None and not contract.offered_by.exists()):
        return None
    return contract
