"""The signature: every condition asked, the lines derived (domain §1.7, §2)."""

import hashlib
import json
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import Contract
from contracts.pricing import PricingError
from contracts.signing.conditions import conditions_that_fail
from contracts.signing.history import record
from contracts.signing.lines import covered_licences, derived_lines, refresh_lines
from contracts.signing.refusals import NotSigned, Reason, locked_contract, only_signers


@transaction.atomic
def activate(contract: Contract, *, by: User, at: datetime, seen: str = "") -> Contract:
    """Signs a draft: checks every condition of §1.7 and derives the lines (domain §2).

    `seen` is what the signer had on the screen (`as_shown`), where there was one: a draft that somebody has changed
    since is not signed unseen. Raises `NotSigned` with all the conditions that fail, `Forbidden` for the wrong role;
    nothing is changed then.
    """
    only_signers(by)
    contract = locked_contract(contract)
    reasons = conditions_that_fail(contract, at=at)
    if seen and not reasons and seen != as_shown(contract):
        reasons.append(
            Reason(_("The draft has changed since you opened this page. Look at it as it is now, then sign."), "2")
        )
    if reasons:
        raise NotSigned(reasons)
    refresh_lines(contract)
    contract.activate()
    contract.signed_at = at
    contract.signed_by = by
    contract.save()
    record("signed", customer=contract.customer, contract=contract, by=by, at=at)
    return contract


def as_shown(contract: Contract) -> str:
    """A short sign of all that a signature would fix: terms, days, what each licence costs, clauses. "" if no price."""
    try:
        lines = derived_lines(contract, covered_licences(contract))
    except PricingError:
        return ""
    clauses = contract.clauses.order_by("pk").values_list("pk", "text_ru", "text_en")
    shown = [
        contract.number,
        contract.terms_id,
        contract.starts_on.isoformat(),
        contract.ends_on.isoformat(),
        [(line.licence_id, str(line.amount)) for line in lines],
        list(clauses),
    ]
    return hashlib.sha256(json.dumps(shown, default=str).encode()).hexdigest()[:20]
