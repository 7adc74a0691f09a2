"""A raw letter becomes a ticket, a reply, or a request held for a person. Never lost, never trusted (domain §2, §3.5).

What decides, in this order:

1. The raw letter is kept before anything else, and once: a letter is known by its Message-ID and its sender, or by a
   digest of its bytes where it has none.
2. Machines are not answered: automatic letters and bounces are set aside; a bounce is noted on the letter it returns.
3. Who wrote is the address in From, and that can be forged. So mail can do no more than the responsible contact's own
   words can: an engineer's letter never becomes a reply of ours, because it would be believed. It is held, and the
   engineer is told to answer at the desk. A letter that the sender's own domain disowns (DMARC) is held unanswered:
   the answer would go to the person whose name was abused.
4. Which ticket is meant is a claim as well: our token in a Message-ID or an address, or a number in the subject. It
   counts only for a ticket of the sender's own company; any other claim is as if it were not there, so that mail
   reveals nothing (domain §7).

No questions are asked by mail, so a new ticket is an incident of priority 3: an engineer reclassifies, which counts the
clocks anew from the receipt, so nothing is lost (§3.4); of the priorities that leave the reaction time as it is
(2, 3, 4 have the same, §1.4), 3 is the middle one. The letter that confirms the receipt asks how bad it is.
"""

import io
import logging
import re
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Lower
from django.template.defaultfilters import filesizeformat
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.refusals import Forbidden, Refused
from contracts.entitlement import NotCovered
from contracts.models import Customer
from mail.delivery_reports import read_report
from mail.language import guess_language
from mail.models import InboundLetter, OutgoingLetter
from mail.parsing import Letter, parse_letter
from mail.quoting import split_reply
from mail.undelivered import tell_the_desk
from tickets import workflow
from tickets.models import HeldRequest, Ticket
from tickets.workflow import Upload

log = logging.getLogger(__name__)

CHANNEL = "email"
OUR_IDS = re.compile(rb"<((?:ticket|desk|held)\.[A-Za-z0-9_.-]{6,120}@[A-Za-z0-9.-]{1,200})>")
DISOWNED = "DMARC failed"  # as mail/parsing.py words it

Reason = HeldRequest.Reason


def receive(raw: bytes, *, at: datetime) -> InboundLetter:
    """Keeps the letter and deals with it; returns what became of it. `at` is the moment of receipt, aware.

    Never raises for what a letter says: the unexpected is logged and is the outcome FAILED, with the raw letter kept.
    Receiving a failed letter again tries again; receiving any other again changes nothing. Safe to run at once in many
    processes: the row of the letter is locked while it is dealt with.
    """
    letter = parse_letter(raw)
    kept = _keep(raw, letter, at)
    try:
        with transaction.atomic(), translation.override(settings.LANGUAGE_CODE):
            kept = InboundLetter.objects.select_for_update().get(pk=kept.pk)
            if kept.outcome == InboundLetter.Outcome.FAILED:
                kept.reason = "; ".join(letter.problems)
                _settle(kept, letter, at=at)
                kept.save()
    except Exception as error:  # one bad letter never stops the rest
        log.exception("letter %s (%s) could not be dealt with", kept.pk, kept.message_id)
        kept.outcome, kept.ticket, kept.held = InboundLetter.Outcome.FAILED, None, None
        kept.reason = f"{type(error).__name__}: {error}"
        kept.save()
    return kept


def _keep(raw: bytes, letter: Letter, at: datetime) -> InboundLetter:
    """The row of this letter, the old one if it came before. Until it is dealt with it counts as failed."""
    digest = f"sha256:{letter.fingerprint}"
    kept = _row(letter.message_id or digest, raw, letter, at)
    if kept.from_address != letter.from_address:
        # Somebody else's letter under a Message-ID that is taken must not vanish behind it.
        kept = _row(f"{letter.message_id} {digest}", raw, letter, at)
    return kept


def _row(identity: str, raw: bytes, letter: Letter, at: datetime) -> InboundLetter:
    row, _new = InboundLetter.objects.get_or_create(
        message_id=identity,
        defaults={
            "received_at": at,
            "raw": raw,
            "from_address": letter.from_address,
            "subject": letter.subject[:200],
            "outcome": InboundLetter.Outcome.FAILED,
        },
    )
    return row


def _settle(kept: InboundLetter, letter: Letter, *, at: datetime) -> None:
    if letter.is_bounce:
        _set_aside(kept, _note_bounce(kept, letter))
    elif letter.is_automatic:
        _set_aside(kept, _("An automatic letter: nobody waits for an answer."))
    elif _is_ours(letter.from_address):
        _set_aside(kept, _("It comes from our own address."))
    else:
        _from_a_person(kept, letter, at=at)


def _set_aside(kept: InboundLetter, why: str) -> None:
    kept.outcome = InboundLetter.Outcome.IGNORED
    _add_reason(kept, why)


def _add_reason(kept: InboundLetter, why: str) -> None:
    kept.reason = "; ".join(part for part in (kept.reason, why) if part)


def _is_ours(address: str) -> bool:
    name, _at, domain = settings.SUPPORT_ADDRESS.lower().rpartition("@")
    sender, _at, sender_domain = address.rpartition("@")
    return sender_domain == domain and sender.partition("+")[0] == name


def _note_bounce(kept: InboundLetter, letter: Letter) -> str:
    """A letter of ours that came back says so on its page and in its ticket, once.

    Its Message-ID is random, so nobody else can name it. A server that still tries is no news yet.
    """
    report = read_report(bytes(kept.raw))
    if not report.is_final:
        return _("A mail server still tries to deliver a letter of ours.")
    named = {found.decode("ascii") for found in OUR_IDS.findall(bytes(kept.raw))}
    said = letter.text.strip()[:2000] or letter.subject
    came_back = OutgoingLetter.objects.filter(message_id__in=named, sent_at__isnull=False, error="")
    ours = list(came_back.select_for_update(of=("self",)).select_related("person", "ticket"))
    for sent in ours:
        sent.error = _("Came back undelivered: %(said)s") % {"said": said}
        sent.save(update_fields=["error"])
        tell_the_desk(sent, report.said or " ".join(said.split()), at=kept.received_at)
    return _("A letter of ours came back.") if ours else _("Something came back that we did not send.")


# Who wrote


def _from_a_person(kept: InboundLetter, letter: Letter, *, at: datetime) -> None:
    sender = _sender(letter)
    disowned = any(DISOWNED in problem for problem in letter.problems)
    if sender is None or disowned or not letter.from_address:
        _hold_stranger(kept, letter, at=at, answer=bool(letter.from_address) and not disowned)
        return
    with translation.override(sender.language):
        customer = Customer.objects.filter(members__user=sender).first() if sender.role == Role.CUSTOMER else None
        if sender.is_vendor:
            words = _(
                "Letters of our own people are not taken into requests, because the sender of a letter can be forged. "
                "Sign in and answer at the desk."
            )
            _hold(kept, letter, reason=Reason.NOT_CONTACT, words=words, sender=sender, customer=None)
        elif customer is None:
            words = _("Requests are filed by the responsible contact of a company with a support contract.")
            _hold(kept, letter, reason=Reason.NOT_CONTACT, words=words, sender=sender, customer=None)
        else:
            _from_a_customer(kept, letter, sender=sender, customer=customer, at=at)


def _sender(letter: Letter) -> User | None:
    """The person of this address, compared as the database keeps it unique.

    Not `iexact`: that compares in upper case, where a dotless i of a stranger's address becomes an I.
    """
    if not letter.from_address:
        return None
    people = User.objects.annotate(address=Lower("email"))
    return people.filter(address=letter.from_address, is_active=True).first()


def _hold_stranger(kept: InboundLetter, letter: Letter, *, at: datetime, answer: bool) -> None:
    """Nobody we know: recorded, and answered in words that tell nothing about anybody."""
    with translation.override(guess_language(f"{letter.subject}\n{letter.text}", settings.LANGUAGE_CODE)):
        words = _(
            "We do not know the address that you wrote from, so no request was opened. Requests are filed by the "
            "responsible contact of a company with a support contract, from the address that we know or in the portal."
        )
        held = _hold(kept, letter, reason=Reason.UNKNOWN_SENDER, words=words, sender=None, customer=None)
    if not answer:
        held.notified_at = at
        held.save(update_fields=["notified_at"])
        _add_reason(kept, _("Not answered: nobody can be sure who wrote it."))


def _hold(
    kept: InboundLetter,
    letter: Letter,
    *,
    reason: str,
    words: str,
    sender: User | None,
    customer: Customer | None,
    for_contact: dict[str, Any] | None = None,
) -> HeldRequest:
    held = workflow.hold(
        **{
            "reason": reason,
            "words": words,
            "subject": letter.subject,
            "body": letter.text,
            "at": kept.received_at,
            "channel": CHANNEL,
            "customer": customer,
            "sender": sender,
            "sender_address": letter.from_address,
            **(for_contact or {}),
        }
    )
    kept.held = held
    kept.outcome = InboundLetter.Outcome.HELD
    _add_reason(kept, str(held.get_reason_display()))
    return held


# A customer's letter


def _from_a_customer(kept: InboundLetter, letter: Letter, *, sender: User, customer: Customer, at: datetime) -> None:
    ticket = _ticket_meant(letter, sender)
    try:
        with transaction.atomic():
            if ticket is None:
                _open(kept, letter, sender=sender, customer=customer)
            else:
                _reply(kept, letter, ticket=ticket, sender=sender, at=at)
    except Refused as refusal:
        words = str(refusal.message)
        reason, for_contact = _reason_of(refusal), None
        if reason == Reason.NOT_CONTACT:
            words += " " + _("Your letter is recorded and passed on to them.")
            for_contact = _for_contact(kept, letter, ticket=ticket, customer=customer)
        _hold(kept, letter, reason=reason, words=words, sender=sender, customer=customer, for_contact=for_contact)


def _for_contact(kept: InboundLetter, letter: Letter, *, ticket: Ticket | None, customer: Customer) -> dict[str, Any]:
    """Everything of a colleague's letter that `workflow.confirm_held` makes a ticket or an answer of."""
    said, quoted = split_reply(letter.text) if ticket is not None else (letter.text, "")
    if not said.strip():
        said, quoted = letter.text, ""
    language = ticket.language if ticket else guess_language(f"{letter.subject}\n{letter.text}", customer.language)
    with translation.override(language):
        files, left_out = _files(letter)
        body = _text(said, files, left_out)
    return {
        "body": body,
        "quoted": quoted,
        "language": language,
        "message_id": _own_id(kept, letter),
        "about": ticket,
        "files": files,
    }


def _reason_of(refusal: Refused) -> str:
    if isinstance(refusal, NotCovered) and refusal.reason == "no_contract":
        return Reason.NO_CONTRACT
    return Reason.NOT_CONTACT if isinstance(refusal, Forbidden) else Reason.NOT_IN_PACKAGE


def _ticket_meant(letter: Letter, sender: User) -> Ticket | None:
    """The ticket that the letter answers, among those that its sender may see; a claim on any other says nothing."""
    visible = Ticket.objects.visible_to(sender)
    for claim in letter.ticket_tokens:
        ticket = visible.filter(number=claim.number).first()
        if ticket is not None and constant_time_compare(ticket.token.lower(), claim.token):
            return ticket
    if letter.subject_number is not None:
        return visible.filter(number=letter.subject_number).first()
    return None


def _open(kept: InboundLetter, letter: Letter, *, sender: User, customer: Customer) -> None:
    language = guess_language(f"{letter.subject}\n{letter.text}", customer.language)
    # What is written into the ticket is in its language; a refusal of the verb is in the sender's.
    with translation.override(language):
        files, left_out = _files(letter)
        body = _text(letter.text, files, left_out)
        subject = letter.subject or _("(no subject)")
    product, release = workflow.only_product(customer, kept.received_at)
    kept.ticket = workflow.open_ticket(
        customer=customer,
        by=sender,
        subject=subject,
        body=body,
        at=kept.received_at,
        channel=CHANNEL,
        priority=workflow.UNASKED_PRIORITY,
        product=product,
        release=release,
        language=language,
        files=files,
        message_id=_own_id(kept, letter),
    )
    kept.outcome = InboundLetter.Outcome.TICKET
    _add_reason(kept, " ".join(left_out))


def _reply(kept: InboundLetter, letter: Letter, *, ticket: Ticket, sender: User, at: datetime) -> None:
    said, quoted = split_reply(letter.text)
    with translation.override(ticket.language):
        files, left_out = _files(letter)
        body = _text(said, files, left_out)
    message = workflow.customer_reply(
        ticket,
        by=sender,
        body=body,
        at=at,
        channel=CHANNEL,
        files=files,
        message_id=_own_id(kept, letter),
        quoted=quoted,
    )
    kept.ticket = message.ticket
    is_follow_up = message.ticket_id != (ticket.merged_into_id or ticket.pk)
    kept.outcome = InboundLetter.Outcome.TICKET if is_follow_up else InboundLetter.Outcome.REPLY
    _add_reason(kept, " ".join(left_out))


def _own_id(kept: InboundLetter, letter: Letter) -> str | None:
    """The Message-ID for the conversation; None where the letter has none of its own."""
    return letter.message_id if letter.message_id and kept.message_id == letter.message_id else None


def _files(letter: Letter) -> tuple[list[Upload], list[str]]:
    """The attachments that are small enough, and a sentence for each that is not: that one stays in the raw letter."""
    files, left_out = [], []
    for attachment in letter.attachments:
        size = len(attachment.payload)
        if size > settings.ATTACHMENT_MAX_BYTES:
            left_out.append(
                _("The file “%(name)s” (%(size)s) is larger than %(limit)s and was left out.")
                % {
                    "name": attachment.filename,
                    "size": filesizeformat(size),
                    "limit": filesizeformat(settings.ATTACHMENT_MAX_BYTES),
                }
            )
        else:
            files.append(Upload(attachment.filename, attachment.content_type, io.BytesIO(attachment.payload), size))
    return files, left_out


def _text(text: str, files: list[Upload], left_out: list[str]) -> str:
    """What was written; where files came without a word, that is said instead."""
    text = text.strip()
    if not text and files:
        text = _("(a letter without text, see its files)")
    return "\n\n".join(part for part in (text, *left_out) if part)
