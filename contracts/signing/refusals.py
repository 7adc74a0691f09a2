"""What refuses a contract, in words fit for the person; who may sign; and the day that contracts count by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from accounts.models import SIGNER_ROLES, User
from accounts.refusals import Forbidden, Refused
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import Contract, Customer

SIGNERS = SIGNER_ROLES


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


def locked(customer: Customer) -> Customer:
    """The customer's row, locked: two people cannot sign two contracts of one customer at once."""
    return Customer.objects.select_for_update().get(pk=customer.pk)


def locked_contract(contract: Contract) -> Contract:
    """The contract and its customer, locked in that order, read anew."""
    locked(contract.customer)
    return (
        Contract.objects.select_for_update(of=("self",))
        .select_related("customer", "terms__package", "terms__calendar")
        .get(pk=contract.pk)
    )
