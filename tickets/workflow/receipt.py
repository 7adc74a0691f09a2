"""How a request comes in: a ticket pinned to its contract (domain §3, §3.5). What is held instead: `held.py`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.new_rows import insert
from accounts.refusals import Forbidden
from contracts import entitlement
from contracts.entitlement import CONTRACT_ZONE, Standing
from contracts.models import Customer, Product, Release, TicketKind, Topic
from sla import clocks
from sla.first_promises import first_promises, nearest_of, start_at_receipt
from tickets import routing
from tickets.models import Message, Ticket
from tickets.workflow.assignment import choose_at_once
from tickets.workflow.conversation import Upload, say
from tickets.workflow.gates import NotAllowed, happened, needs_words, only_desk, record

# Of what came without the questions of impact: of the priorities whose reaction is the same (2, 3, 4), the middle one.
UNASKED_PRIORITY = 3


@transaction.atomic
def open_ticket(
    *,
    customer: Customer,
    by: User,
    subject: str,
    body: str,
    at: datetime,
    channel: str = "portal",
    kind: str | None = None,
    topic: Topic | None = None,
    priority: int | None = None,
    product: Product | None = None,
    release: Release | None = None,
    language: str = "",
    files: Iterable[Upload] = (),
    message_id: str | None = None,
    quoted: str = "",
    follows: Ticket | None = None,
    key: str | None = None,
    author: User | None = None,
    split_off: Ticket | None = None,
) -> Ticket:
    """Receives a request: pins it to the contract and terms of this moment and starts its clocks (domain §3, §4).

    `by` is the responsible contact, or one of the desk who writes it down. Written down from a live channel (phone,
    chat, remote connection) it is a logged call: somebody spoke with the customer, so the reaction has ended (§4.1).
    `priority` is the answer to the impact questions (§1.6), which only incidents have: in another request a contact
    without priority management proposes it, and it has 4 until an engineer decides (§3.4).
    `author` is the colleague whose words the contact confirmed (`confirm_held`): theirs is the first message.
    `split_off` is the ticket whose message this is (`split`): the moment is that of the message.
    A repeated `key` returns the first ticket.

    Raises `Forbidden` for anybody else of the company, `entitlement.NotCovered` where the package does not include
    the channel or the topic, or no contract is in force: `hold` records such a request.
    """
    at = at.replace(microsecond=0)
    subject = needs_words(" ".join((subject or "").split()), _("Say in one line what happened."))[:200]
    standing = entitlement.standing_of(customer, at=at)
    contact = _contact_filing(standing.contact, by=by)
    if key and (earlier := Ticket.objects.filter(idempotency_key=key, contact=contact).first()):
        return earlier
    ticket = Ticket(
        customer=customer,
        contact=contact,
        product=product,
        release=release,
        kind=kind or (topic.kind if topic else TicketKind.INCIDENT),
        topic=topic,
        channel_id=channel,
        priority=priority or 4,
        subject=subject,
        language=language or customer.language,
        opened_at=at,
        changed_at=at,
        follows=follows,
        idempotency_key=key or None,
    )
    _pin(ticket, standing, by=by)
    if ticket.kind != TicketKind.INCIDENT and not by.is_vendor and follows is None and split_off is None:
        ticket.priority, ticket.proposed_priority = _priority_of_no_incident(standing, ticket.priority)
    if not _save_with_clocks(ticket, standing):
        return Ticket.objects.get(idempotency_key=key, contact=contact)
    words, writer = body.strip() or subject, author or by
    message = say(
        ticket, words, by=writer, at=at, channel=channel, files=files, message_id=message_id, quoted=quoted, key=key
    )
    _tell_opened(ticket, message, by=by, author=author, split_off=split_off, is_call=_is_call(ticket, standing, by=by))
    choose_at_once(ticket, at=at)
    return ticket


def _pin(ticket: Ticket, standing: Standing, *, by: User) -> None:
    """The contract and terms of this moment, if they include what is asked, and the line that it goes to (§3, §3.3)."""
    contract = standing.contract_or_refuse()
    asked = entitlement.check(
        contract,
        person=by,
        channel=ticket.channel_id,
        topic=ticket.topic,
        product=ticket.product,
        at=ticket.opened_at,
        standing=standing,
    )
    asked.or_refuse()
    ticket.contract, ticket.terms = contract, contract.terms
    ticket.line = ticket.topic.line if ticket.topic is not None else standing.catalogue.lines[routing.FIRST_LINE]
    # Who took the call keeps the customer informed, whoever works on it (§3.1).
    if _is_call(ticket, standing, by=by) and by.role in {Role.ENGINEER, Role.LINE_LEAD}:
        ticket.owner = by


def _is_call(ticket: Ticket, standing: Standing, *, by: User) -> bool:
    """Whether one of the desk writes down what was said in a live channel (§4.1)."""
    return by.is_vendor and standing.catalogue.channels[ticket.channel_id].is_live


def _save_with_clocks(ticket: Ticket, standing: Standing) -> bool:
    """Saves a new ticket and starts its clocks; False, and nothing, where another click was first (`_save_once`)."""
    rows = first_promises(ticket, standing, at=ticket.opened_at)
    ticket.due_at, ticket.due_kind = nearest_of(rows)
    if not _save_once(ticket):
        return False
    start_at_receipt(ticket, rows)
    return True


def _tell_opened(
    ticket: Ticket, message: Message, *, by: User, author: User | None, split_off: Ticket | None, is_call: bool
) -> None:
    """The event of the receipt; of a call that was written down the reaction has ended with it (§4.1)."""
    at = ticket.opened_at
    details: dict[str, Any] = {
        "line": ticket.line_id,
        "priority": ticket.priority,
        "kind": ticket.kind,
        "channel": ticket.channel_id,
    }
    if split_off is not None:
        details["split_off"] = split_off.number
    elif author is not None:
        details["colleague"] = author.full_name
    if is_call:
        clocks.meet_reaction(ticket, at=at, why=clocks.CALL_LOGGED)
        record(ticket, "opened", by=by, at=at, message=message, details={**details, "call": True})
    else:
        happened(ticket, "opened", by=by, at=at, message=message, details=details)


def _save_once(ticket: Ticket) -> bool:
    """Saves a new ticket; False where another click on the same button was first.

    Both clicks at the same moment: the other one is committed by the time the database says no (`ticket_sent_once`).
    """
    if ticket.idempotency_key is None:
        insert(ticket)
        return True
    try:
        with transaction.atomic():
            insert(ticket)
    except IntegrityError:
        if not Ticket.objects.filter(idempotency_key=ticket.idempotency_key, contact=ticket.contact_id).exists():
            raise
        return False
    return True


def _contact_filing(contact: User | None, *, by: User) -> User:
    """The responsible contact, for whom one of the desk may write it down; anybody else does not file (§1.7.1)."""
    if by.is_vendor:
        only_desk(by)
    elif contact is None or contact.pk != by.pk:
        raise Forbidden(
            _("Requests are filed by the responsible contact of your company (%(name)s); you can read.")
            % {"name": contact.full_name if contact else "—"},
            "1.7.1",
        )
    if contact is None:
        raise NotAllowed(_("The company has no responsible contact now: name one first."), "1.7.1")
    return contact


def _priority_of_no_incident(standing: Standing, wanted: int) -> tuple[int, int | None]:
    """(priority, proposal) of a consultation or service request whose contact wants this one (domain §3.4)."""
    if wanted == 4 or "priority_mgmt" in standing.services:
        return wanted, None
    return 4, wanted


def only_product(customer: Customer, at: datetime) -> tuple[Product | None, Release | None]:
    """What a request is about where nobody asked and there is nothing to choose: the customer's one product."""
    day = at.astimezone(CONTRACT_ZONE).date()
    owned = {
        (licence.product, licence.release)
        for licence in customer.licences.in_force(day).select_related("product", "release")
    }
    if len({product for product, _release in owned}) != 1:
        return None, None
    product = next(iter(owned))[0]
    return product, next(iter(owned))[1] if len(owned) == 1 else None
