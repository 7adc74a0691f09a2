"""The signature: every condition asked, the lines derived (domain §1.7, §2)."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from contracts.models import Contract
from contracts.signing.conditions import conditions_that_fail
from contracts.signing.history import record
from contracts.signing.lines import refresh_lines
from contracts.signing.refusals import NotSigned, locked_contract, only_signers


@transaction.atomic
def activate(contract: Contract, *, by: User, at: datetime) -> Contract:
    """Signs a draft: checks every condition of §1.7 and derives the lines (domain §2).

    Raises `NotSigned` with all the conditions that fail, `Forbidden` for the wrong role; nothing is changed then.
    """
    only_signers(by)
    contract = locked_contract(contract)
    reasons = conditions_that_fail(contract, at=at)
    if reasons:
        raise NotSigned(reasons)
    refresh_lines(contract)
    contract.activate()
    contract.signed_at = at
    contract.signed_by = by
    contract.save()
    record("signed", customer=contract.customer, contract=contract, by=by, at=at)
    return contract
