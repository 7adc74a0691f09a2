"""The conditions of every contract (domain §1.7): all that fail are said, not the first."""

from datetime import date, datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from contracts import pricing, terms
from contracts.models import Contract, Customer, Licence
from contracts.signing.lines import covered_licences, prices_of
from contracts.signing.refusals import Reason, moscow_day

DAY = timedelta(days=1)


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
    reasons += term_reasons(contract.starts_on, contract.ends_on)
    if contract.ends_on < moscow_day(at):
        reasons.append(
            Reason(_("The contract ended on %(day)s already.") % {"day": f"{contract.ends_on:%d.%m.%Y}"}, "2")
        )
    licences = covered_licences(contract)
    reasons += price_reasons(contract, licences)
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
