"""The document as it was signed: made once from the rows that were signed, then kept byte for byte."""

import hashlib
from datetime import datetime

from django.db.models import Count

from contracts.document import LANGUAGES, contract_pdf
from contracts.models import Contract, ContractDocument


def document_of(contract: Contract, *, language: str) -> ContractDocument:
    """The signed document in this language ("ru", "en"); the first to ask has it made, from rows that never change.

    The job of the minute asks for every new contract, so it rarely is a person who waits. Safe to run twice and at
    once. Raises `ValueError` for a contract that was never signed: a draft is shown, not kept.
    """
    if contract.signed_at is None:
        raise ValueError(f"contract {contract.number} was never signed")
    kept = ContractDocument.objects.filter(contract=contract, language=language).first()
    if kept is not None:
        return kept
    body = contract_pdf(contract, language=language, at=contract.signed_at)
    kept, _is_new = ContractDocument.objects.get_or_create(
        contract=contract,
        language=language,
        defaults={"body": body, "sha256": hashlib.sha256(body).hexdigest(), "made_at": contract.signed_at},
    )
    return kept


def without_documents(signed_before: datetime) -> "list[Contract]":
    """Signed contracts in force whose document is not kept yet in every language."""
    return list(
        Contract.objects.filter(state=Contract.State.ACTIVE, signed_at__lte=signed_before)
        .annotate(kept=Count("documents"))
        .filter(kept__lt=len(LANGUAGES))
        .order_by("pk")[:100]
    )
