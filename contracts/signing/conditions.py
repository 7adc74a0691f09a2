"""The conditions of every contract (domain §1.7): all that fail are said, not the first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, prefetch_related_objects
from django.utils.translation import gettext as _

from accounts.models import User
from contracts import pricing, terms
from contracts.models import Contract, ContractClause, CustomerMember, Licence, ResponsibleContact
from contracts.signing.lines import covered_licences, prices_of
from contracts.signing.refusals import Reason, moscow_day

DAY = timedelta(days=1)


def conditions_that_fail(contract: Contract, *, at: datetime) -> list[Reason]:
    """Everything that stands between this draft and its signature at this moment; an empty list: it can be signed."""
    return what_fails([contract], at=at)[contract.pk]


def what_fails(contracts: Sequence[Contract], *, at: datetime) -> dict[int, list[Reason]]:
    """The same for many contracts, by their key, in as many questions to the database as for one (domain §1.7)."""
    facts = _Facts.of(contracts, at)
    return {contract.pk: _reasons(contract, facts, at) for contract in contracts}


def _reasons(contract: Contract, facts: "_Facts", at: datetime) -> list[Reason]:
    reasons = []
    if contract.state != Contract.State.DRAFT:
        reasons.append(
            Reason(
                _("Only a draft is activated; this contract is “%(state)s”.") % {"state": contract.get_state_display()},
                "2",
            )
        )
    reasons += _contact_reasons(contract.customer_id, facts)
    reasons += _clause_reasons(facts.wordless.get(contract.pk, []))
    reasons += term_reasons(contract.starts_on, contract.ends_on)
    if contract.ends_on < moscow_day(at):
        reasons.append(
            Reason(_("The contract ended on %(day)s already.") % {"day": f"{contract.ends_on:%d.%m.%Y}"}, "2")
        )
    licences = facts.licences_of(contract)
    reasons += price_reasons(contract, licences)
    reasons += _release_reasons(licences)
    reasons += _overlap_reasons(contract, facts.signed.get(contract.customer_id, []))
    return reasons


@dataclass(frozen=True)
class _Facts:
    """What the conditions ask about, by customer or contract."""

    contacts: dict[int, User]
    members: set[tuple[int, int]]
    wordless: dict[int, list[ContractClause]]
    licences: dict[int, list[Licence]]
    signed: dict[int, list[Contract]]

    @classmethod
    def of(cls, contracts: Sequence[Contract], at: datetime) -> "_Facts":
        prefetch_related_objects(list(contracts), "terms__prices")
        customers = {contract.customer_id for contract in contracts}
        holding = ResponsibleContact.objects.holding(at).filter(customer__in=customers).select_related("user")
        contacts = {row.customer_id: row.user for row in holding}
        people = CustomerMember.objects.filter(customer__in=customers, user__in=contacts.values())
        wordless: dict[int, list[ContractClause]] = {}
        clauses = ContractClause.objects.filter(
            Q(text_ru="") | Q(text_en=""), contract__in=contracts, topic__isnull=False, topic__service__isnull=True
        )
        for clause in clauses.select_related("topic"):
            wordless.setdefault(clause.contract_id, []).append(clause)
        licences: dict[int, list[Licence]] = {}
        owned = Licence.objects.filter(customer__in=customers).select_related("product", "release__product", "customer")
        for licence in owned.order_by("pk"):
            licences.setdefault(licence.customer_id, []).append(licence)
        signed: dict[int, list[Contract]] = {}
        for contract in Contract.objects.filter(customer__in=customers, signed_at__isnull=False).order_by("starts_on"):
            signed.setdefault(contract.customer_id, []).append(contract)
        return cls(contacts, set(people.values_list("customer_id", "user_id")), wordless, licences, signed)

    def licences_of(self, contract: Contract) -> list[Licence]:
        """As `covered_licences` has it."""
        if contract.signed_at is not None:
            return covered_licences(contract)
        day = contract.starts_on
        return [
            licence
            for licence in self.licences.get(contract.customer_id, [])
            if licence.starts_on <= day and (licence.ends_on is None or licence.ends_on >= day)
        ]


def _contact_reasons(customer_id: int, facts: _Facts) -> list[Reason]:
    contact = facts.contacts.get(customer_id)
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
    if (customer_id, contact.pk) not in facts.members:
        reasons.append(
            Reason(
                _("The responsible contact, %(name)s, is not one of the customer's people.")
                % {"name": contact.full_name},
                "1.7.1",
            )
        )
    return reasons


def _clause_reasons(wordless: list[ContractClause]) -> list[Reason]:
    """What lies outside support is included only by words of the contract (domain §1.7.2)."""
    return [
        Reason(
            _("The clause that includes “%(topic)s” has no words in both languages.") % {"topic": clause.topic.name},
            "1.7.2",
        )
        for clause in wordless
        if clause.topic is not None
    ]


def term_reasons(starts_on: date, ends_on: date) -> list[Reason]:
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


def price_reasons(contract: Contract, licences: list[Licence]) -> list[Reason]:
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


def _overlap_reasons(contract: Contract, signed: list[Contract]) -> list[Reason]:
    """In words what `contract_never_overlaps` would refuse."""
    return [
        Reason(
            _("Contract %(number)s covers the customer to %(day)s: two contracts never overlap.")
            % {"number": other.number, "day": f"{last_day(other):%d.%m.%Y}"},
            "2",
        )
        for other in signed
        if other.pk != contract.pk and other.starts_on <= contract.ends_on and last_day(other) >= contract.starts_on
    ]


def last_day(contract: Contract) -> date:
    """The last day that the contract covers or covered."""
    return contract.terminated_on or contract.ends_on
