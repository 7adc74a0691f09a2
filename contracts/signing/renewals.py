"""Renewals: the successor of a contract, prepared and offered before the contract ends (domain §2)."""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import Contract, ContractClause, Package
from contracts.signing.drafts import draft
from contracts.signing.refusals import NotSigned, Reason, locked_contract, moscow_day, only_signers

DAY = timedelta(days=1)


@transaction.atomic
def renew(
    contract: Contract, *, by: User, at: datetime, package: Package | None = None, ends_on: date | None = None
) -> Contract:
    """Prepares the successor: a draft that starts the day after, of the same package unless another is named (§2).

    After a contract that has run out long ago the successor starts on the day of `at`. Clauses go along. Raises
    `NotSigned` where there is a successor already, or the contract was never in force.
    """
    only_signers(by)
    contract = locked_contract(contract)
    if contract.state not in {Contract.State.ACTIVE, Contract.State.EXPIRED}:
        raise NotSigned(
            [
                Reason(
                    _("A contract that is “%(state)s” is not renewed: draft a new one.")
                    % {"state": contract.get_state_display()},
                    "2",
                )
            ]
        )
    successor = Contract.objects.filter(predecessor=contract).first()
    if successor is not None:
        raise NotSigned([Reason(_("Contract %(number)s renews it already.") % {"number": successor.number}, "2")])
    following = draft(
        contract.customer,
        package=package or contract.terms.package,
        by=by,
        starts_on=max(contract.ends_on + DAY, moscow_day(at)),
        ends_on=ends_on,
        predecessor=contract,
        at=at,
    )
    for clause in contract.clauses.in_force(at):
        ContractClause.objects.create(
            contract=following,
            text_ru=clause.text_ru,
            text_en=clause.text_en,
            topic=clause.topic,
            service=clause.service,
            kind=clause.kind,
            priority=clause.priority,
            minutes=clause.minutes,
        )
    return following
