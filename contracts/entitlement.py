"""Who may ask about what, through which channel, and why not (domain §3.5). The one place that is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from accounts.at_once import AtOnce, day, key, moment
from accounts.models import User
from accounts.refusals import Refused
from contracts.kept import Catalogue, catalogue, edition_now
from contracts.models import (
    CatalogueEdition,
    Contract,
    ContractClause,
    Customer,
    Package,
    PackageTerms,
    Product,
    ResponsibleContact,
    Service,
    Topic,
)

CONTRACT_ZONE = ZoneInfo("Europe/Moscow")  # contracts count days as the vendor's calendar does (domain §1.3)


class NotCovered(Refused):
    """The contract does not include this, or none is in force. The request is recorded, never lost (domain §2)."""

    def __init__(self, message: str, section: str, reason: str) -> None:
        super().__init__(message, section)
        self.reason = reason


@dataclass(frozen=True)
class Entitlement:
    """The answer for one (contract, person, channel, topic, product, moment): allowed, or why not, in words.

    `reason`: "" (allowed), "not_in_package" (`service` and the `packages` that have it), "outside_support" (a topic of
    §1.7.2, or a product that the contract does not cover), "not_contact" (§1.7.1), "closed_now" (§3.5). `clause` holds
    the words of the contract's clause that allows what the package does not.
    """

    allowed: bool
    reason: str = ""
    words: str = ""
    section: str = ""
    service: Service | None = None
    packages: tuple[Package, ...] = ()
    clause: str = ""

    def or_refuse(self) -> "Entitlement":
        """Raises `NotCovered` unless allowed."""
        if not self.allowed:
            raise NotCovered(self.words, self.section, self.reason)
        return self


@dataclass(frozen=True, slots=True)
class Standing:
    """How a customer stands with us at a moment: who speaks for them, what covers them, what their contract adds.

    `contact` and `contract` None: there is none. `clauses` are those of the contract that are in force then.
    """

    contact: User | None
    contract: Contract | None
    clauses: tuple[ContractClause, ...]
    edition: int | None

    @property
    def catalogue(self) -> Catalogue:
        return catalogue(self.edition)

    @property
    def services(self) -> set[str]:
        """As `services_of`."""
        if self.contract is None:
            return set()
        added = {clause.service_id for clause in self.clauses if clause.service_id is not None}
        return {*self.catalogue.included.get(self.contract.terms_id, ()), *added}

    def contract_or_refuse(self) -> Contract:
        """As `contract_of`."""
        if self.contract is None:
            raise _no_contract()
        return self.contract


def _of_standing() -> dict[str, Any]:
    at: Any = moment("at")
    on: Any = day("day")
    covering = Contract.objects.in_force(on).filter(customer=key("customer"))
    contacts = ResponsibleContact.objects.holding(at)
    clauses = ContractClause.objects.in_force(at)
    return {
        "contacts": contacts.filter(customer=key("customer")).select_related("user"),
        "contracts": covering.order_by("-starts_on"),
        "clauses": clauses.filter(contract__in=covering.order_by().values("pk")).order_by("pk"),
        "editions": CatalogueEdition.objects.all(),
    }


_standing = AtOnce(_of_standing)


def standing_of(customer: Customer, *, at: datetime) -> Standing:
    """Everything that receiving a request asks about a customer. One statement; one more for a new catalogue."""
    found = _standing.read(customer=customer.pk, at=at, day=at.astimezone(CONTRACT_ZONE).date())
    edition = found["editions"][0].number if found["editions"] else None
    contract = found["contracts"][0] if found["contracts"] else None
    clauses = []
    if contract is not None:
        contract.customer = customer
        contract.terms = catalogue(edition).terms[contract.terms_id]
        clauses = [clause for clause in found["clauses"] if clause.contract_id == contract.pk]
    contact = found["contacts"][0].user if found["contacts"] else None
    return Standing(contact, contract, tuple(clauses), edition)


def contract_of(customer: Customer, *, at: datetime) -> Contract:
    """The contract in force at this moment, by the day in the contract's zone (Moscow).

    Raises `NotCovered` ("no_contract") where there is none: support is mandatory, yet not silently given (§1.1, §2).
    """
    day = at.astimezone(CONTRACT_ZONE).date()
    contract = (
        customer.contracts.in_force(day).select_related("terms__package", "terms__calendar", "customer__csm").first()
    )
    if contract is None:
        raise _no_contract()
    return contract


def _no_contract() -> NotCovered:
    return NotCovered(
        _(
            "Your company has no support contract in force today. The request is recorded and put before our "
            "contract administrator, who will write to you."
        ),
        "2",
        "no_contract",
    )


def services_of(contract: Contract, *, at: datetime) -> set[str]:
    """The codes of the services that the contract includes at a moment: its package's, and those that a clause adds.

    For a ticket the moment is its receipt: what was included then stays included for it (domain §4).
    """
    return set(contract.terms.services.values_list("code", flat=True)) | set(
        contract.clauses.in_force(at).filter(service__isnull=False).values_list("service_id", flat=True)
    )


def includes(contract: Contract, service: str, *, at: datetime) -> bool:
    return service in services_of(contract, at=at)


def packages_with(service: str, at: datetime) -> tuple[Package, ...]:
    """The packages sold at this moment whose terms include the service, in their order."""
    day = at.astimezone(CONTRACT_ZONE).date()
    latest: dict[int, PackageTerms] = {}
    for terms in PackageTerms.objects.filter(starts_on__lte=day, package__is_sold=True).order_by("starts_on"):
        latest[terms.package_id] = terms
    having = PackageTerms.objects.filter(pk__in=[terms.pk for terms in latest.values()], services=service)
    return tuple(Package.objects.filter(terms__in=having).order_by("position"))


def reasons(contract: Contract, topics: Iterable[Topic], *, at: datetime) -> list[tuple[Topic, str]]:
    """Each topic with the reason why the contract does not include it, "" where it does: as `check` decides, at once.

    For lists of choices; the sentence that goes with a reason is `check`'s.
    """
    included = services_of(contract, at=at)
    by_clause = set(contract.clauses.in_force(at).filter(topic__isnull=False).values_list("topic_id", flat=True))
    found = []
    for topic in topics:
        if topic.pk in by_clause or topic.service_id in included:
            found.append((topic, ""))
        else:
            found.append((topic, "outside_support" if topic.is_outside_support else "not_in_package"))
    return found


def check(
    contract: Contract,
    *,
    channel: str,
    topic: Topic | None,
    at: datetime,
    person: User | None = None,
    product: Product | None = None,
    standing: Standing | None = None,
) -> Entitlement:
    """Whether the contract lets this person ask about this topic and product through this channel now (domain §3.5).

    `person` is who asks on the customer's side; one of the vendor's people writes down what the contact said, and None
    asks what the contact may. `topic` and `product` None: not said yet, so nothing speaks against them. `standing`:
    what is known already of the customer of this contract at this moment (`standing_of`).
    """
    if standing is None:
        clauses = tuple(contract.clauses.in_force(at))
        standing = Standing(contract.customer.contact_at(at) if person else None, contract, clauses, edition_now())
    if person is not None and not person.is_vendor and standing.contact != person:
        return _not_contact(standing)
    if product is not None and not covers(contract, product, at=at):
        return Entitlement(
            False,
            "outside_support",
            _("“%(product)s” is not among the products that contract %(number)s covers.")
            % {"product": product, "number": contract.number},
            "1.7.3",
        )
    if topic is not None and topic.is_outside_support:
        clause = next((clause for clause in standing.clauses if clause.topic_id == topic.pk), None)
        if clause is None:
            return Entitlement(
                False,
                "outside_support",
                _("“%(topic)s” is outside support, unless the contract says otherwise: yours does not.")
                % {"topic": topic.name},
                "1.7.2",
            )
        return _check_channel(contract, standing, channel, at, clause.text)
    by_clause = topic is not None and any(clause.topic_id == topic.pk for clause in standing.clauses)
    if topic is not None and topic.service_id not in standing.services and not by_clause:
        return _not_in_package(contract, topic.service, at)
    clause_words = next((clause.text for clause in standing.clauses if topic and clause.topic_id == topic.pk), "")
    return _check_channel(contract, standing, channel, at, clause_words)


def covers(contract: Contract, product: Product, *, at: datetime) -> bool:
    """Whether the contract covers the product: it covers all that the customer owns, derived and never chosen (§2).

    A licence that is in force counts before the hourly job has written its line; a line, as long as the contract does.
    """
    day = at.astimezone(CONTRACT_ZONE).date()
    return (
        contract.lines.filter(licence__product=product).exists()
        or contract.customer.licences.in_force(day).filter(product=product).exists()
    )


def _not_contact(standing: Standing) -> Entitlement:
    contact = standing.contact
    if contact is None:
        words = _("Your company has no responsible contact now: our contract administrator helps to name one.")
    else:
        words = _("Requests come from the responsible contact of your company: %(name)s.") % {"name": contact.full_name}
    return Entitlement(False, "not_contact", words, "1.7.1")


def _check_channel(contract: Contract, standing: Standing, code: str, at: datetime, clause: str) -> Entitlement:
    channel = standing.catalogue.channels[code]
    if channel.service_id not in standing.services:
        return _not_in_package(contract, channel.service, at)
    if channel.is_live:
        calendar = contract.terms.calendar.version_at(at).working_calendar()
        if not calendar.is_open(at):
            opens = calendar.next_opening(at).astimezone(CONTRACT_ZONE)
            return Entitlement(
                False,
                "closed_now",
                _("The %(channel)s channel is closed now; it opens on %(day)s at %(time)s Moscow time.")
                % {"channel": channel.name, "day": f"{opens:%d.%m.%Y}", "time": f"{opens:%H:%M}"},
                "3.5",
                channel.service,
            )
    return Entitlement(True, service=channel.service, clause=clause)


def _not_in_package(contract: Contract, service: Service | None, at: datetime) -> Entitlement:
    if service is None:
        raise ValueError("A topic without a service is outside support, not in another package.")
    packages = packages_with(service.pk, at)
    names = ", ".join(package.name for package in packages)
    words = _("“%(service)s” is not in your package (%(package)s).") % {
        "service": service.name,
        "package": contract.terms.package.name,
    }
    if names:
        words += " " + _("It is in: %(packages)s.") % {"packages": names}
    return Entitlement(False, "not_in_package", words, "1.2", service, packages)
