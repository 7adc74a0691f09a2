"""Renewals: the successor of a contract, prepared, offered 90, 60 and 30 days ahead, and answered (domain §2)."""

import logging
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.refusals import Forbidden, Refused
from contracts.models import Contract, ContractClause, ContractEvent, Package, RenewalOffer
from contracts.money import euro
from contracts.pricing import PricingError
from contracts.signing.drafts import draft, prepare
from contracts.signing.history import record
from contracts.signing.lines import quote, refresh_lines
from contracts.signing.refusals import NotSigned, Reason, locked_contract, moscow_day, only_signers

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
STEPS = (90, 60, 30)  # days before a contract's end on which its successor is offered (domain §2)
LAST_STEP = min(STEPS)


class NotAnswered(Refused):
    """The answer to an offer does not stand: not theirs to give, not this offer, or settled already (domain §2)."""


@transaction.atomic
def renew(
    contract: Contract, *, by: User, at: datetime, package: Package | None = None, ends_on: date | None = None
) -> Contract:
    """Prepares the successor: a draft that starts the day after, of the same package unless another is named (§2).

    After a contract that has run out long ago the successor starts on the day of `at`. Clauses go along. A draft that
    was given up makes room for this one. Raises `NotSigned` where there is a successor already, or the contract was
    never in force.
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
    if successor is not None and successor.state == Contract.State.TERMINATED and successor.signed_at is None:
        successor.predecessor = None
        successor.save(update_fields=["predecessor"])
    elif successor is not None:
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
    _carry_clauses(contract, following, at=at)
    return following


def _carry_clauses(contract: Contract, following: Contract, *, at: datetime) -> None:
    """What was agreed beyond the package goes on, as words of the new contract."""
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


# Offering


def step_due(ends_on: date, today: date) -> int | None:
    """Which of the offers is due: the last of 90, 60, 30 days ahead whose day has come. None before, and after the end.

    After an outage the steps that are past are left out, so that nobody gets two offers at once.
    """
    left = (ends_on - today).days
    return min((step for step in STEPS if left <= step), default=None) if left >= 0 else None


def offer_renewals(*, at: datetime) -> int:
    """Offers the successor of every contract that ends within 90 days; returns how many offers were written (§2).

    The draft is prepared where there is none: the same package, the day after, one year, clauses along. Where the
    package is not sold any more, or the customer said no, or their yes waits for the signature, the contract
    administrator hears of it instead. Days are Moscow's. Safe to run twice and at once: each offer stands once, and a
    contract that cannot be dealt with is logged and does not stop the others.
    """
    today = moscow_day(at)
    ending = Contract.objects.filter(
        state=Contract.State.ACTIVE, ends_on__gte=today, ends_on__lte=today + timedelta(days=max(STEPS))
    )
    ending = ending.exclude(is_followed()).prefetch_related("offers").order_by("ends_on", "pk")
    written = 0
    for contract in ending:
        step = step_due(contract.ends_on, today)
        if step is None or any(offer.days_ahead <= step for offer in contract.offers.all()):
            continue
        try:
            written += _offer(contract, step, at=at)
        except Exception:  # one contract that cannot be renewed never stops the rest
            log.exception("the renewal of contract %s could not be offered", contract.number)
    return written


def is_followed() -> Exists:
    """Whether a signed contract of the customer comes after: its successor, or one that was drafted by itself."""
    return Exists(
        Contract.objects.filter(
            customer=OuterRef("customer"), signed_at__isnull=False, starts_on__gt=OuterRef("ends_on")
        ).exclude(state=Contract.State.TERMINATED)
    )


@transaction.atomic
def _offer(contract: Contract, step: int, *, at: datetime) -> bool:
    """Writes the offer of one step, or tells the contract administrator why there is none; whether it was offered."""
    contract = locked_contract(contract)
    followed = Contract.objects.filter(is_followed(), pk=contract.pk).exists()
    offers = list(contract.offers.order_by("days_ahead"))
    if contract.state != Contract.State.ACTIVE or followed or any(offer.days_ahead <= step for offer in offers):
        return False  # somebody else was here between the list and the lock
    successor = Contract.objects.filter(predecessor=contract).first()
    if successor is None:
        starts_on, package = contract.ends_on + DAY, contract.terms.package
        try:
            with transaction.atomic():
                successor = prepare(
                    contract.customer, package=package, by=None, starts_on=starts_on, predecessor=contract, at=at
                )
        except NotSigned:
            _remind("renewal_stopped", contract, step, at=at, package=package.code, starts_on=starts_on)
            return False
        _carry_clauses(contract, successor, at=at)
    if successor.state != Contract.State.DRAFT:
        # Given up, or signed and terminated since: what comes next is for a person to say.
        if step == LAST_STEP:
            _remind("renewal_reminder", contract, step, at=at, why="dropped", successor=successor.number)
        return False
    last = offers[0] if offers else None
    if last is not None and last.answer and not _is_another(successor, last):
        if last.answer == RenewalOffer.Answer.ACCEPTED or step == LAST_STEP:
            _remind("renewal_reminder", contract, step, at=at, why=last.answer, successor=successor.number)
        return False
    refresh_lines(successor)
    total = total_of(successor)
    RenewalOffer.objects.create(
        contract=contract, successor=successor, days_ahead=step, offered_at=at, total=total, answer="", words=""
    )
    record(
        "renewal_offered",
        customer=contract.customer,
        contract=contract,
        by=None,
        at=at,
        days_ahead=step,
        successor=successor.number,
        total=total,
    )
    return True


def total_of(contract: Contract) -> Decimal | None:
    """What the term costs as of now, EUR; None where it cannot be priced."""
    try:
        return quote(contract).total
    except PricingError:
        return None


def _is_another(successor: Contract, offer: RenewalOffer) -> bool:
    """Whether this is not the draft that was answered, or it was changed since: then it is offered anew."""
    if offer.successor_id != successor.pk:
        return True
    changed = ContractEvent.objects.filter(
        contract=successor, verb__in=["draft_changed", "clause_added", "clause_ended"], at__gt=offer.answered_at
    )
    return changed.exists()


def _remind(verb: str, contract: Contract, step: int, *, at: datetime, **details: object) -> None:
    """Tells the contract administrator, once for each step. The contract is locked."""
    known = ContractEvent.objects.filter(contract=contract, verb=verb, details__days_ahead=step)
    if not known.exists():
        record(verb, customer=contract.customer, contract=contract, by=None, at=at, days_ahead=step, **details)


# Answering


def latest_offer(contract: Contract) -> RenewalOffer | None:
    """The offer to be answered: the last one made."""
    return contract.offers.select_related("successor", "answered_by").order_by("days_ahead").first()


@transaction.atomic
def answer_renewal(
    offer: RenewalOffer,
    *,
    accepted: bool,
    words: str,
    by: User,
    at: datetime,
    total: Decimal | None = None,
) -> RenewalOffer:
    """The responsible contact accepts the offer, or declines it in their words (another package, a talk) (domain §2).

    Nothing is signed by it: the contract administrator hears and signs. `total` is the price, EUR, that the person saw;
    where the draft costs something else by now the yes is not taken. The same answer given again changes nothing.
    Raises `Forbidden` for anybody but the contact, `NotAnswered` for an offer that is not the latest, answered
    otherwise before, signed or given up, and for a no without words.
    """
    contract = locked_contract(offer.contract)
    offer = RenewalOffer.objects.select_for_update(of=("self",)).select_related("successor").get(pk=offer.pk)
    if contract.customer.contact_at(at) != by:
        raise Forbidden(_("Only the responsible contact of the company answers an offer."), "1.7.1")
    words = words.strip()
    answer = RenewalOffer.Answer.ACCEPTED if accepted else RenewalOffer.Answer.DECLINED
    if (offer.answer, offer.answered_by_id, offer.words) == (answer, by.pk, words):
        return offer  # pressed twice
    _refuse_answer(contract, offer, accepted=accepted, words=words, total=total)
    now_costs = total_of(offer.successor)
    offer.answer, offer.answered_by, offer.answered_at, offer.words = answer, by, at, words
    if accepted:
        offer.total = now_costs
    offer.save(update_fields=["answer", "answered_by", "answered_at", "words", "total"])
    record(
        "renewal_accepted" if accepted else "renewal_declined",
        customer=contract.customer,
        contract=contract,
        by=by,
        at=at,
        successor=offer.successor.number,
        total=now_costs,
        words=words,
    )
    return offer


def _refuse_answer(
    contract: Contract, offer: RenewalOffer, *, accepted: bool, words: str, total: Decimal | None
) -> None:
    if contract.offers.filter(days_ahead__lt=offer.days_ahead).exists():
        raise NotAnswered(_("There is a newer offer: answer that one."), "2")
    if offer.answer:
        raise NotAnswered(
            _("This offer was answered already: %(answer)s. Write to your contract administrator to change it.")
            % {"answer": offer.get_answer_display()},
            "2",
        )
    if offer.successor.state != Contract.State.DRAFT or offer.successor.predecessor_id != contract.pk:
        raise NotAnswered(_("This offer is settled already: the contract is signed or was withdrawn."), "2")
    if contract.state == Contract.State.TERMINATED:
        raise NotAnswered(_("This offer is settled already: the contract is signed or was withdrawn."), "2")
    if not accepted and not words:
        raise NotAnswered(_("Write why, or what you would like instead: another package, a talk."), "2")
    if not accepted:
        return
    costs = total_of(offer.successor)
    if costs is None:
        raise NotAnswered(
            _("This offer has no price yet: our contract administrator is clearing it up and writes to you."), "1.1"
        )
    seen = offer.total if total is None else total
    if costs != seen:
        raise NotAnswered(
            _("The price has changed since you saw it: it is %(price)s now. Look at it again, please.")
            % {"price": euro(costs)},
            "1.1",
        )
