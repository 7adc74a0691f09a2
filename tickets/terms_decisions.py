"""A change of terms is decided and carried out: nothing older, from its first day on, or chosen ones (domain §1.1, §4).

What the decision takes are rows (`TermsItem`), applied one by one, each in a transaction of its own: a killed worker
repeats nothing and forgets nothing. Every item is looked at again first; what is not any more as the preview showed it
is left as it is, with the reason, and never moved unseen.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Refused
from contracts import catalogue, signing
from contracts.catalogue import TermsChange
from contracts.models import Contract
from tickets import workflow
from tickets.models import TermsDecision, TermsItem
from tickets.terms_preview import count, moves_of, requoted
from tickets.workflow.gates import NotAllowed
from tickets.workflow.terms import told

# Why an item was left as it is: codes in the row, words in `why_left`.
CLOSED, MOVED_ON, SIGNED, CHANGED = "closed", "other_terms", "signed", "changed"
INLINE_SECONDS = 2.0  # of a request; the job does the rest


@transaction.atomic
def choose(decision: TermsDecision, *, shown: Sequence[int], chosen: Sequence[int], by: User) -> None:
    """Of the items that a page showed, these are chosen and the others are not. Nothing once the change is decided."""
    catalogue.only_editors(by)
    decision = _locked(decision)
    if decision.state != TermsDecision.State.READY:
        raise NotAllowed(_("This change is decided already."), "4")
    items = decision.items.filter(pk__in=shown)
    items.filter(chosen=False, pk__in=chosen).update(chosen=True)
    items.filter(chosen=True).exclude(pk__in=chosen).update(chosen=False)


@transaction.atomic
def choose_all(decision: TermsDecision, *, drafts: bool, chosen: bool, by: User) -> None:
    """All drafts, or all tickets, of the preview are chosen, or none of them. `NotAllowed` once it is decided."""
    catalogue.only_editors(by)
    decision = _locked(decision)
    if decision.state != TermsDecision.State.READY:
        raise NotAllowed(_("This change is decided already."), "4")
    decision.items.filter(ticket__isnull=drafts, chosen=not chosen).update(chosen=chosen)


@transaction.atomic
def decide(decision: TermsDecision, *, scope: str, by: User, at: datetime) -> TermsDecision:
    """Makes the terms, if they are not there yet, and says what goes over to them; `advance` does it.

    Signed contracts keep their terms whatever is decided. Raises `NotAllowed` where it is decided already or nothing
    was chosen, `NotChanged` where the change cannot stand any more, `Forbidden`; nothing is written then.
    """
    catalogue.only_editors(by)
    decision = _locked(decision)
    if decision.state == TermsDecision.State.COUNTING:
        raise NotAllowed(_("The preview is still being counted: decide when you can see all of it."), "4")
    if decision.state != TermsDecision.State.READY:
        raise NotAllowed(_("This change is decided already."), "4")
    if scope not in TermsDecision.Scope.values:
        raise NotAllowed(_("Choose what the new terms apply to."), "4")
    taken = {
        TermsDecision.Scope.NEW: Q(pk__isnull=True),
        TermsDecision.Scope.DATED: Q(is_dated=True),
        TermsDecision.Scope.CHOSEN: Q(chosen=True),
    }[TermsDecision.Scope(scope)]
    if scope == TermsDecision.Scope.CHOSEN and not decision.items.filter(taken).exists():
        raise NotAllowed(_("Nothing is chosen: tick drafts or requests below, or decide otherwise."), "4")
    if decision.terms is None:
        decision.terms = catalogue.apply_change(TermsChange.from_json(decision.change), by=by, at=at)
    decision.items.filter(~taken, chosen=True).update(chosen=False)
    decision.items.filter(taken, chosen=False).update(chosen=True)
    decision.scope, decision.decided_by, decision.decided_at = scope, by, at
    decision.state = TermsDecision.State.APPLYING
    decision.save()
    return decision


def _locked(decision: TermsDecision) -> TermsDecision:
    return TermsDecision.objects.select_for_update().get(pk=decision.pk)


# The work


def advance(decision: TermsDecision, *, at: datetime, seconds: float | None = INLINE_SECONDS) -> None:
    """Counts or applies for so many seconds (None: to the end). Safe to run at once, again, and after a kill."""
    stop = None if seconds is None else time.monotonic() + seconds

    def may_go_on() -> bool:
        return stop is None or time.monotonic() < stop

    while count(decision):
        if not may_go_on():
            return
    while carry_out_one(decision, at=at):
        if not may_go_on():
            return


def at_work() -> Any:
    """Changes that are being counted or applied, oldest first; `terms_decision_at_work` is the index of it."""
    return TermsDecision.objects.filter(
        state__in=[TermsDecision.State.COUNTING, TermsDecision.State.APPLYING]
    ).order_by("pk")


@transaction.atomic
def carry_out_one(decision: TermsDecision, *, at: datetime) -> bool:
    """Applies the decision to the next item that nobody else is at; False when there is none. Writes its outcome."""
    waiting = decision.items.filter(chosen=True, outcome="", decision__state=TermsDecision.State.APPLYING)
    item = (
        waiting.select_for_update(of=("self",), skip_locked=True)
        .select_related("decision__terms__package", "decision__decided_by", "ticket", "contract__customer")
        .order_by("pk")
        .first()
    )
    if item is None:
        _finish(decision, at=at)
        return False
    item.why = _apply(item, at=at)
    item.outcome = TermsItem.Outcome.SKIPPED if item.why else TermsItem.Outcome.APPLIED
    item.done_at = at
    item.save(update_fields=["outcome", "why", "done_at"])
    return True


def _finish(decision: TermsDecision, *, at: datetime) -> None:
    decision = _locked(decision)
    if decision.state == TermsDecision.State.APPLYING and not decision.items.filter(chosen=True, outcome="").exists():
        decision.state, decision.finished_at = TermsDecision.State.DONE, at
        decision.save(update_fields=["state", "finished_at"])


def _apply(item: TermsItem, *, at: datetime) -> str:
    """ "" where it was applied, else the code or the words of why it was left."""
    decision = item.decision
    assert decision.terms is not None and decision.decided_by is not None
    try:
        with transaction.atomic():  # a refusal leaves nothing half done, and the item still gets its outcome
            if item.contract is not None:
                return _apply_to_draft(item, item.contract, at=at)
            assert item.ticket is not None
            ticket = workflow.lock(item.ticket)  # so that nothing moves between looking and doing
            if not ticket.is_open:
                return CLOSED
            if ticket.terms_id == decision.terms.pk or ticket.terms.package_id != decision.package_id:
                return MOVED_ON
            fresh = moves_of([ticket], TermsChange.from_json(decision.change), at=at)[ticket.pk]
            if [told(one) for one in fresh] != item.moves:
                return CHANGED
            workflow.apply_terms(ticket, decision.terms, by=decision.decided_by, at=at, reason=decision.reason)
    except Refused as refusal:
        return refusal.message[:500]
    return ""


def _apply_to_draft(item: TermsItem, draft: Contract, *, at: datetime) -> str:
    decision = item.decision
    assert decision.terms is not None and decision.decided_by is not None
    draft = Contract.objects.select_related("customer", "terms__package").get(pk=draft.pk)
    if draft.state != Contract.State.DRAFT:
        return SIGNED if draft.signed_at else CLOSED
    if draft.terms_id == decision.terms.pk or draft.terms.package_id != decision.package_id:
        return MOVED_ON
    fresh = requoted(draft, TermsChange.from_json(decision.change))
    if [fresh.get(key) for key in PRICES] != [item.moves.get(key) for key in PRICES]:
        return CHANGED
    signing.apply_terms_to_draft(draft, decision.terms, by=decision.decided_by, at=at)
    return ""


PRICES = ("yearly_from", "total_from", "yearly_to", "total_to")


def why_left(item: TermsItem) -> str:
    """Why the item was left as it is, in the active language; "" where it was not."""
    return {
        CLOSED: _("It was closed since the preview."),
        MOVED_ON: _("It stands on other terms since the preview."),
        SIGNED: _("It was signed since the preview and keeps its terms."),
        CHANGED: _("It is not as the preview showed it any more: other deadlines or another price would come out."),
    }.get(item.why, item.why)
