"""What happened to a contract is a row, written with the change: its log, its audit and the outbox at once."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from accounts.models import User
from contracts.models import Contract, ContractEvent, Customer


def record(
    verb: str,
    *,
    customer: Customer,
    by: User | None,
    at: datetime,
    contract: Contract | None = None,
    **details: Any,
) -> ContractEvent:
    """Writes what happened, in the transaction of the change. `by` None: a job did it. Days and money become text."""
    event = happened(verb, customer=customer, by=by, at=at, contract=contract, **details)
    event.save(force_insert=True)
    return event


def happened(
    verb: str,
    *,
    customer: Customer,
    by: User | None,
    at: datetime,
    contract: Contract | None = None,
    **details: Any,
) -> ContractEvent:
    """The row of `record`, not saved yet: for jobs that write many at once."""
    plain = {key: str(value) if isinstance(value, date | Decimal) else value for key, value in details.items()}
    return ContractEvent(customer=customer, contract=contract, verb=verb, by=by, at=at, details=plain)
