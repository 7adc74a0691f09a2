"""Clauses: what one contract says beyond its package, from a moment to a moment (domain §2)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import Contract, ContractClause
from contracts.signing.history import record
from contracts.signing.refusals import NotSigned, Reason, locked_contract, only_signers


@transaction.atomic
def add_clause(clause: ContractClause, *, by: User, at: datetime) -> ContractClause:
    """Writes a clause (unsaved and valid) into its contract.

    Into a draft it goes as one of the contract's own words; to a contract in force it is an amendment that holds from
    `at` on: what was received before keeps what it was promised (domain §4). Raises `NotSigned` for a contract that is
    over, without words in both languages, or where the clause changes nothing; `Forbidden`.
    """
    only_signers(by)
    contract = locked_contract(clause.contract)
    reasons = []
    if contract.state not in {Contract.State.DRAFT, Contract.State.ACTIVE}:
        reasons.append(
            Reason(
                _("This contract is “%(state)s”: nothing is added to it.") % {"state": contract.get_state_display()},
                "2",
            )
        )
    if not clause.text_ru.strip() or not clause.text_en.strip():
        reasons.append(Reason(_("A clause has its words in both languages: both sides sign them."), "1.7.2"))
    if reasons:
        raise NotSigned(reasons)
    clause.contract = contract
    clause.starts_at = None if contract.state == Contract.State.DRAFT else at
    clause.save()
    record(
        "clause_added",
        customer=contract.customer,
        contract=contract,
        by=by,
        at=at,
        ru=clause.text_ru,
        en=clause.text_en,
    )
    return clause


@transaction.atomic
def end_clause(clause: ContractClause, *, by: User, at: datetime) -> None:
    """Takes a clause out of a draft, or ends it from `at` on in a contract in force; its history stays (domain §2).

    Raises `NotSigned` where it has ended already or the contract is over, `Forbidden`.
    """
    only_signers(by)
    contract = locked_contract(clause.contract)
    clause = ContractClause.objects.select_for_update().get(pk=clause.pk)
    if contract.state not in {Contract.State.DRAFT, Contract.State.ACTIVE} or clause.ends_at is not None:
        raise NotSigned([Reason(_("This clause has ended already, or its contract is over."), "2")])
    record(
        "clause_ended",
        customer=contract.customer,
        contract=contract,
        by=by,
        at=at,
        ru=clause.text_ru,
        en=clause.text_en,
    )
    if contract.state == Contract.State.DRAFT:
        clause.delete()
        return
    clause.ends_at = at
    clause.save(update_fields=["ends_at"])
