"""The checklist of a draft: every condition of a contract, met or with what stands against it (domain §1.7)."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from contracts.models import Contract
from contracts.signing.conditions import term_reasons, what_fails
from contracts.signing.refusals import Reason


@dataclass
class Condition:
    """One condition; `mend` names the place where it is put right: people, licences, clauses, term or contracts."""

    title: str
    section: str
    mend: str
    reasons: list[str] = field(default_factory=list)

    @property
    def is_met(self) -> bool:
        return not self.reasons


def checklist(contract: Contract, *, at: datetime) -> list[Condition]:
    """Every condition in the order of the domain; those that fail say why. Where none does, it can be signed."""
    found = sorted_out(contract, what_fails([contract], at=at)[contract.pk])
    return list(found.values())


def sorted_out(contract: Contract, reasons: list[Reason]) -> dict[str, Condition]:
    """The reasons under the conditions that they belong to; one of a section not listed stands under the last."""
    conditions = {
        "1.7.1": Condition(_("One responsible contact speaks for the customer"), "1.7.1", "people"),
        "1.7.2": Condition(_("What lies outside support is included only in words"), "1.7.2", "clauses"),
        "term": Condition(_("It runs one year at least"), "1.7.3", "term"),
        "1.7.3": Condition(_("It covers all licences of the customer, and each has its price"), "1.7.3", "licences"),
        "1.7.4": Condition(_("Each product is there in an official version"), "1.7.4", "licences"),
        "2": Condition(_("No other contract covers these days, and they are not over"), "2", "term"),
    }
    too_short = {reason.words for reason in term_reasons(contract.starts_on, contract.ends_on)}
    for reason in reasons:
        key = "term" if reason.words in too_short else reason.section
        conditions.get(key, conditions["2"]).reasons.append(reason.words)
    return conditions
