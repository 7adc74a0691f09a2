"""Requests that are not tickets: held for a person, then confirmed, dropped or settled (domain §1.7.1, §2, §3.5)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.files import File
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import SIGNER_ROLES, User
from accounts.refusals import Forbidden
from contracts.models import Customer
from tickets.models import HeldFile, HeldRequest, Ticket
from tickets.workflow.conversation import Upload
from tickets.workflow.customer import customer_reply
from tickets.workflow.gates import NotAllowed, needs_words, only_desk
from tickets.workflow.receipt import UNASKED_PRIORITY, only_product, open_ticket

Outcome = HeldRequest.Outcome


@transaction.atomic
def hold(
    *,
    reason: str,
    words: str,
    subject: str,
    body: str,
    at: datetime,
    channel: str,
    customer: Customer | None = None,
    sender: User | None = None,
    sender_address: str = "",
    quoted: str = "",
    language: str = "",
    message_id: str | None = None,
    about: Ticket | None = None,
    files: Iterable[Upload] = (),
) -> HeldRequest:
    """Records a request that cannot become a ticket now, with what its sender was told (domain §2, §3.5).

    `about` is the ticket that a colleague's words answer; it, `quoted`, `language`, `message_id` and `files` are what
    `confirm_held` makes the ticket or the answer of.
    """
    held = HeldRequest.objects.create(
        customer=customer,
        sender=sender,
        sender_address=sender_address or (sender.email if sender else ""),
        channel_id=channel,
        reason=reason,
        words=words,
        subject=(" ".join(subject.split()) or _("(no subject)"))[:200],
        body=body,
        quoted=quoted,
        language=language,
        message_id=message_id or None,
        about=about,
        received_at=at,
    )
    for upload in files:
        name = upload.name.replace("\0", "") or "file"  # PostgreSQL takes no NUL in a text
        HeldFile.objects.create(
            held=held,
            file=File(upload.content, name=name),
            name=name,
            content_type=upload.content_type.replace("\0", "")[:127],
            size=upload.size,
        )
    return held


@transaction.atomic
def hold_call(
    *,
    customer: Customer,
    caller: User,
    by: User,
    subject: str,
    body: str,
    channel: str,
    reason: str,
    words: str,
    at: datetime,
) -> HeldRequest:
    """What somebody said on the phone or in a chat and the desk cannot open: recorded with what they were told.

    Of a colleague of the contact it waits for the contact's yes (§1.7.1). The same words of a day are one request: the
    caller's row is locked meanwhile, so that two clicks come one after the other. Raises `Forbidden`, `NotAllowed`.
    """
    only_desk(by)
    subject = needs_words(" ".join(subject.split()), _("Say in one line what happened."))[:200]
    User.objects.select_for_update(no_key=True).get(pk=caller.pk)
    earlier = HeldRequest.objects.filter(
        sender=caller, subject=subject, body=body, settled_at__isnull=True, received_at__gt=at - timedelta(days=1)
    ).first()
    if earlier is not None:
        return earlier
    return hold(
        reason=reason,
        words=words,
        subject=subject,
        body=body,
        at=at,
        channel=channel,
        customer=customer,
        sender=caller,
        language=caller.language,
    )


@transaction.atomic
def confirm_held(held: HeldRequest, *, by: User, at: datetime) -> Ticket:
    """The responsible contact says yes to a colleague's words: they become a ticket, or an answer in theirs (§1.7.1).

    The contact of this moment decides, whoever it was when the letter came. The contact is the ticket's contact, the
    colleague the author of its first message; files come along. *Decision*: its clocks start with the confirmation,
    not with the letter, because consultations come from the one contact: until the contact asks nobody has asked.
    Confirming again returns the same ticket. Raises as `open_ticket` (the contract may not include it: nothing is
    changed then), `NotAllowed` where it was settled otherwise, `Forbidden` for anybody but the contact.
    """
    held = _locked(held)
    _only_contact_of(held, by, at)
    if held.outcome == Outcome.CONFIRMED and held.ticket is not None:
        return held.ticket
    _only_waiting(held)
    assert held.customer is not None
    kept = list(held.files.all())
    files = [Upload(file.name, file.content_type, file.file.open("rb"), file.size) for file in kept]
    try:
        held.ticket = _made_of(held, by=by, at=at, files=files)
    finally:
        for file in files:
            file.content.close()
    _settle(held, Outcome.CONFIRMED, by=by, at=at)
    for row in kept:
        row.delete()
        transaction.on_commit(lambda storage=row.file.storage, name=row.file.name: storage.delete(name))  # type: ignore[misc]
    return held.ticket


def _made_of(held: HeldRequest, *, by: User, at: datetime, files: list[Upload]) -> Ticket:
    assert held.customer is not None
    if held.about is not None and held.about.customer_id == held.customer_id:
        message = customer_reply(
            held.about,
            by=by,
            author=held.sender,
            body=held.body,
            at=at,
            channel=held.channel_id,
            files=files,
            message_id=held.message_id,
            quoted=held.quoted,
            key=f"held-{held.pk}",
        )
        return message.ticket
    product, release = only_product(held.customer, at)
    return open_ticket(
        customer=held.customer,
        by=by,
        author=held.sender,
        subject=held.subject,
        body=held.body,
        at=at,
        channel=held.channel_id,
        priority=UNASKED_PRIORITY,
        product=product,
        release=release,
        language=held.language,
        files=files,
        message_id=held.message_id,
        quoted=held.quoted,
        key=f"held-{held.pk}",
    )


@transaction.atomic
def drop_held(held: HeldRequest, *, by: User, at: datetime, words: str) -> HeldRequest:
    """The responsible contact says no, and why: the colleague reads those words (domain §1.7.1). Twice is once.

    Raises `NotAllowed` without words or where it was settled otherwise, `Forbidden` for anybody but the contact.
    """
    held = _locked(held)
    _only_contact_of(held, by, at)
    if held.outcome == Outcome.DROPPED:
        return held
    _only_waiting(held)
    held.settled_words = needs_words(words, _("Write to your colleague why it is not needed."))
    held.notified_at = None  # the colleague hears of it
    _settle(held, Outcome.DROPPED, by=by, at=at)
    return held


@transaction.atomic
def put_before_administrator(held: HeldRequest, *, by: User, at: datetime, words: str) -> HeldRequest:
    """A contact confirmed it and no contract is in force: recorded, and put before the contract administrator (§2).

    `words` is what the contact was told. Raises as `confirm_held`.
    """
    held = _locked(held)
    _only_contact_of(held, by, at)
    _only_waiting(held)
    held.reason, held.words, held.notified_at = HeldRequest.Reason.NO_CONTRACT, words, None
    held.save()
    return held


@transaction.atomic
def settle_held(held: HeldRequest, *, by: User, at: datetime, outcome: str, words: str) -> HeldRequest:
    """The contract administrator is done with it: a request was opened by hand, or the sender answered (domain §2).

    `words` say how; they stay on the record and go to nobody. Raises `NotAllowed` without words, where it was settled
    otherwise, and for words of a colleague that wait for the company's contact; `Forbidden`.
    """
    if by.role not in SIGNER_ROLES:
        raise Forbidden(_("Only the contract administrator does this."))
    held = _locked(held)
    if held.settled_at is not None and held.outcome == outcome and held.settled_by_id == by.pk:
        return held
    if held.settled_at is not None:
        raise NotAllowed(_("This is settled already: %(outcome)s.") % {"outcome": held.get_outcome_display() or "—"})
    contact = held.customer.contact_at(at) if held.waits_for_contact and held.customer else None
    if contact is not None:
        raise NotAllowed(
            _("It waits for the responsible contact of the company (%(name)s).") % {"name": contact.full_name}, "1.7.1"
        )
    if outcome not in {Outcome.BY_HAND, Outcome.ANSWERED}:
        raise NotAllowed(_("Choose how it was settled."))
    held.settled_words = needs_words(words, _("Write how it was settled: the next who asks reads that."))
    _settle(held, outcome, by=by, at=at)
    return held


def _settle(held: HeldRequest, outcome: str, *, by: User, at: datetime) -> None:
    held.outcome, held.settled_by, held.settled_at = outcome, by, at
    held.save()


def _locked(held: HeldRequest) -> HeldRequest:
    """The row as it is now, locked to the end of the transaction: two clicks come one after the other.

    Without joins: after a wait PostgreSQL reads the locked row anew, but not the rows that were joined to it, and the
    second click would not find the ticket that the first one made.
    """
    return HeldRequest.objects.select_for_update().get(pk=held.pk)


def _only_contact_of(held: HeldRequest, by: User, at: datetime) -> None:
    contact = held.customer.contact_at(at) if held.customer is not None else None
    if contact is None or contact.pk != by.pk:
        raise Forbidden(
            _("The responsible contact of the company (%(name)s) decides on it.")
            % {"name": contact.full_name if contact else "—"},
            "1.7.1",
        )


def _only_waiting(held: HeldRequest) -> None:
    if not held.waits_for_contact:
        raise NotAllowed(
            _("This letter does not wait any more: %(outcome)s.")
            % {"outcome": held.get_outcome_display() if held.outcome else held.get_reason_display()}
        )
