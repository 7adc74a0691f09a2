"""How a contract ends: terminated with a date and a reason, or over with its last day (domain §2)."""

from datetime import date, datetime, time, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import Contract
from contracts.signing.history import record
from contracts.signing.refusals import NotSigned, Reason, locked_contract, moscow_day, only_signers


@transaction.atomic
def terminate(contract: Contract, *, by: User, at: datetime, reason: str, on: date | None = None) -> Contract:
    """Ends a contract before its time, or gives up a draft (domain §2).

    `on` is its last day, covered to its end: the day of `at` where it is not given (the first day of the term, where
    it has not begun), never one that is past. Open tickets keep their promises. Raises `NotSigned` without a reason,
    with a day outside, or where the contract is over already; `Forbidden`.
    """
    only_signers(by)
    contract = locked_contract(contract)
    if contract.state not in {Contract.State.DRAFT, Contract.State.ACTIVE}:
        raise NotSigned(
            [Reason(_("This contract is “%(state)s” already.") % {"state": contract.get_state_display()}, "2")]
        )
    if not reason.strip():
        raise NotSigned([Reason(_("Write why the contract ends: the customer will ask."), "2")])
    if contract.state == Contract.State.ACTIVE:
        today = moscow_day(at)
        if on is not None and not max(today, contract.starts_on) <= on <= contract.ends_on:
            raise NotSigned(
                [
                    Reason(
                        _("The last day lies from %(first)s to %(last)s: what is past was covered, and is owed.")
                        % {
                            "first": f"{max(today, contract.starts_on):%d.%m.%Y}",
                            "last": f"{contract.ends_on:%d.%m.%Y}",
                        },
                        "2",
                    )
                ]
            )
        contract.terminated_on = on or min(max(today, contract.starts_on), contract.ends_on)
    contract.termination_reason = reason.strip()
    contract.terminate()
    contract.save()
    record(
        "terminated" if contract.signed_at else "draft_dropped",
        customer=contract.customer,
        contract=contract,
        by=by,
        at=at,
        reason=contract.termination_reason,
        **({"on": contract.terminated_on} if contract.terminated_on else {}),
    )
    return contract


@transaction.atomic
def expire(contract: Contract, *, on: date) -> bool:
    """Ends a contract whose last day lies before this day; whether it did. Safe to run twice (domain §2)."""
    contract = locked_contract(contract)
    if contract.state != Contract.State.ACTIVE or contract.ends_on >= on:
        return False
    contract.expire()
    contract.save()
    # The moment when its last day was over, however late the job came.
    over = datetime.combine(contract.ends_on + timedelta(days=1), time.min, CONTRACT_ZONE)
    record("expired", customer=contract.customer, contract=contract, by=None, at=over)
    return True
