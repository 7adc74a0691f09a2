"""A change of the responsible contact as a process: asked for, agreed by both sides, dated (domain §1.7.1, §2).

The customer's side is the responsible contact of that moment, or a paper or letter that is named where the contact
cannot be reached; ours is the contract administrator. With the second yes the rows are made, in the same transaction.

Every step is a `ContractEvent` whose `details` are texts (moments in ISO, UTC; people by name), "" where not given:

    contact_asked      change, to, starts, ends, reason
    contact_agreed     change, to, side ("customer" or "vendor"), evidence
    contact_refused    change, to, side, words
    contact_withdrawn  change, to, starts, ends, agreed (true: both sides had agreed it), ended (true: it was running)
    contact_changed    change, was, to, starts, ends, reason
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import SIGNER_ROLES, Role, User
from accounts.refusals import Forbidden
from contracts.models import ContactChange, Customer
from contracts.signing.contacts import give_back, only_free_time, only_people_who_can, take_over
from contracts.signing.history import record
from contracts.signing.refusals import NotHandedOver, locked

ASKED_TWICE_WITHIN = timedelta(minutes=1)  # the same words from the same person so soon are a double click
CUSTOMER, VENDOR = "customer", "vendor"


@transaction.atomic
def ask_contact_change(
    customer: Customer,
    *,
    user: User,
    starts_at: datetime,
    ends_at: datetime | None = None,
    reason: str,
    by: User,
    at: datetime,
    evidence: str = "",
) -> ContactChange:
    """Asks that `user` speaks for the customer from `starts_at` on; with `ends_at` as a substitution (domain §2).

    Asked by the contact, the customer has agreed with that; by a colleague, the contact is asked; by the contract
    administrator, we have agreed, and with `evidence` (the paper or letter) so has a contact who cannot be reached.
    Asking the same again within a minute changes nothing. Raises `NotHandedOver` in words for whatever stands against
    it, `Forbidden` for anybody who is neither of the company nor the contract administrator.
    """
    customer = locked(customer)
    side = _side_of(customer, by)
    reason, evidence = reason.strip(), evidence.strip()
    if (twice := _asked_just_now(customer, user, starts_at, ends_at, reason, by, at)) is not None:
        return twice
    if not reason:
        raise NotHandedOver(_("Write why the contact changes (illness, leaving, a planned date)."), "2")
    if ends_at is not None and ends_at <= starts_at:
        raise NotHandedOver(_("The end is not after the beginning."), "2")
    if starts_at < at:
        raise NotHandedOver(_("The beginning has passed already: a change of the contact is never dated back."), "2")
    if customer.contact_changes.filter(state=ContactChange.State.ASKED).exists():
        raise NotHandedOver(
            _("A change of the contact waits for its answer already: settle it first, then ask for another."), "2"
        )
    only_people_who_can(customer, user)
    only_free_time(customer, user, starts_at, ends_at, at=at)
    change = ContactChange(
        customer=customer,
        user=user,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason,
        asked_by=by,
        asked_at=at,
    )
    if side == VENDOR:
        change.vendor_agreed_by, change.vendor_agreed_at = by, at
        if evidence:
            change.customer_agreed_at, change.customer_evidence = at, evidence
    elif customer.contact_at(at) == by:
        change.customer_agreed_by, change.customer_agreed_at = by, at
    change.save()
    _record("contact_asked", change, by=by, at=at, **_dates(change), reason=reason)
    if side == VENDOR and evidence:
        _record("contact_agreed", change, by=by, at=at, side=CUSTOMER, evidence=evidence)
    return _make_if_agreed(change, by=by, at=at)


def _asked_just_now(
    customer: Customer,
    user: User,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: str,
    by: User,
    at: datetime,
) -> ContactChange | None:
    asked = customer.contact_changes.filter(user=user, ends_at=ends_at, reason=reason, asked_by=by)
    asked = asked.filter(state__in=[ContactChange.State.ASKED, ContactChange.State.AGREED])
    change = asked.filter(asked_at__gt=at - ASKED_TWICE_WITHIN, asked_at__lte=at).first()
    if change is None:
        return None
    is_at_once = starts_at == at and change.starts_at == change.asked_at
    return change if is_at_once or change.starts_at == starts_at else None


@transaction.atomic
def agree_contact_change(change: ContactChange, *, by: User, at: datetime, evidence: str = "") -> ContactChange:
    """One side says yes: the contact of this moment for the customer, the contract administrator for us (domain §2).

    With `evidence` the contract administrator also writes down how the customer said yes whose contact cannot be
    reached. With the second yes the rows are made; a beginning that has passed by then becomes `at`. Saying yes twice
    changes nothing. Raises `NotHandedOver` where it is settled, over, or does not fit any more; `Forbidden`.
    """
    change = _locked(change)
    side = _side_of(change.customer, by)
    evidence = evidence.strip()
    if change.state == ContactChange.State.AGREED and by.pk in {
        change.vendor_agreed_by_id,
        change.customer_agreed_by_id,
    }:
        return change
    _only_open(change)
    if side == CUSTOMER:
        _only_contact(change.customer, by, at)
        if change.customer_agreed_at is None:
            change.customer_agreed_by, change.customer_agreed_at = by, at
            _record("contact_agreed", change, by=by, at=at, side=CUSTOMER, evidence="")
    else:
        if evidence and change.customer_agreed_at is None:
            change.customer_agreed_at, change.customer_evidence = at, evidence
            _record("contact_agreed", change, by=by, at=at, side=CUSTOMER, evidence=evidence)
        if change.vendor_agreed_at is None:
            change.vendor_agreed_by, change.vendor_agreed_at = by, at
            _record("contact_agreed", change, by=by, at=at, side=VENDOR, evidence="")
    change.save()
    return _make_if_agreed(change, by=by, at=at)


def _make_if_agreed(change: ContactChange, *, by: User, at: datetime) -> ContactChange:
    """Where both sides have agreed: the rows, dated, in the same transaction."""
    if change.customer_agreed_at is None or change.vendor_agreed_at is None:
        return change
    change.starts_at = max(change.starts_at, at)
    if change.ends_at is not None and change.ends_at <= change.starts_at:
        raise NotHandedOver(_("The time of this substitution is over: ask for another one."), "2")
    only_people_who_can(change.customer, change.user)
    only_free_time(change.customer, change.user, change.starts_at, change.ends_at, at=at)
    change.state, change.closed_by, change.closed_at = ContactChange.State.AGREED, by, at
    try:
        with transaction.atomic():
            change.save()
            was = take_over(change)
    except IntegrityError as error:
        # Somebody wrote a row past the customer's lock: the database has the last word (`contact_one_at_any_moment`).
        raise NotHandedOver(
            _("The contact has just been changed by somebody else: look at it as it is now."), "1.7.1"
        ) from error
    _record(
        "contact_changed",
        change,
        by=by,
        at=at,
        was=was.full_name if was else "",
        **_dates(change),
        reason=change.reason,
    )
    return change


@transaction.atomic
def refuse_contact_change(change: ContactChange, *, by: User, at: datetime, words: str) -> ContactChange:
    """The contact or the contract administrator says no, and why (domain §2). Saying no twice changes nothing.

    Raises `NotHandedOver` without words or where it is settled; who asked for it withdraws it instead; `Forbidden`.
    """
    change = _locked(change)
    side = _side_of(change.customer, by)
    if change.state == ContactChange.State.REFUSED and change.closed_by_id == by.pk:
        return change
    _only_open(change)
    if side == CUSTOMER:
        _only_contact(change.customer, by, at)
    if change.asked_by_id == by.pk:
        raise NotHandedOver(_("You asked for it yourself: withdraw it."), "2")
    if not words.strip():
        raise NotHandedOver(_("Write why not: who asked for it reads that."), "2")
    change.state, change.closed_by, change.closed_at = ContactChange.State.REFUSED, by, at
    change.words = words.strip()
    change.save()
    _record("contact_refused", change, by=by, at=at, side=side, words=change.words)
    return change


@transaction.atomic
def withdraw_contact_change(change: ContactChange, *, by: User, at: datetime) -> ContactChange:
    """Takes a change back: who asked, while it waits; the contact or the contract administrator once it is agreed.

    An agreed one that has not begun never happens; a substitution that runs ends now, and whoever was stood in for
    speaks again. Also that person may end it. Twice changes nothing. Raises `NotHandedOver` for what is over or for
    good, `Forbidden` for anybody else.
    """
    change = _locked(change)
    _side_of(change.customer, by)
    if change.state == ContactChange.State.WITHDRAWN and change.closed_by_id == by.pk:
        return change
    if change.state == ContactChange.State.AGREED:
        return _take_back(change, by=by, at=at)
    _only_open(change)
    if change.asked_by_id != by.pk:
        raise Forbidden(_("Who asked for the change withdraws it: %(name)s.") % {"name": change.asked_by.full_name})
    change.state, change.closed_by, change.closed_at = ContactChange.State.WITHDRAWN, by, at
    change.save()
    _record("contact_withdrawn", change, by=by, at=at, **_dates(change), agreed=False, ended=False)
    return change


def _take_back(change: ContactChange, *, by: User, at: datetime) -> ContactChange:
    if not may_take_back(change, by=by, at=at):
        raise Forbidden(
            _("The responsible contact or our contract administrator takes an agreed change back."), "1.7.1"
        )
    runs = change.starts_at <= at
    if runs and change.ends_at is None:
        raise NotHandedOver(
            _("%(name)s has taken over for good: ask for another change instead.") % {"name": change.user.full_name},
            "2",
        )
    if runs and change.ends_at is not None and change.ends_at <= at:
        raise NotHandedOver(_("This change is over: there is nothing left to take back."), "1.7.1")
    dates = _dates(change)
    give_back(change, at=at)
    if runs and change.starts_at < at:
        change.ends_at = at
    else:
        change.state, change.closed_by, change.closed_at = ContactChange.State.WITHDRAWN, by, at
    change.save()
    _record("contact_withdrawn", change, by=by, at=at, **dates, agreed=True, ended=runs)
    return change


def may_take_back(change: ContactChange, *, by: User, at: datetime) -> bool:
    """Whether this person may take an agreed change back: the contact now, who is stood in for, or we ourselves."""
    if by.role in SIGNER_ROLES:
        return True
    if change.customer.contact_at(at) == by:
        return True
    return change.rows.filter(user=by, starts_at=change.ends_at).exists() if change.ends_at else False


# Who, and the record


def _side_of(customer: Customer, by: User) -> str:
    """Whose side a person is on; refuses whoever is on neither (domain §7)."""
    if by.role in SIGNER_ROLES:
        return VENDOR
    if by.role == Role.CUSTOMER and customer.members.filter(user=by).exists():
        return CUSTOMER
    raise Forbidden(_("Only the company and our contract administrator change who speaks for it."))


def _only_contact(customer: Customer, by: User, at: datetime) -> None:
    contact = customer.contact_at(at)
    if contact is None or contact.pk != by.pk:
        raise Forbidden(
            _("The responsible contact (%(name)s) answers for your company.")
            % {"name": contact.full_name if contact else "—"},
            "1.7.1",
        )


def _only_open(change: ContactChange) -> None:
    if change.state != ContactChange.State.ASKED:
        raise NotHandedOver(
            _("This change is settled already: %(state)s.") % {"state": change.get_state_display()}, "2"
        )


def _locked(change: ContactChange) -> ContactChange:
    """The change as it is now; the customer's row is locked first, as every verb of contracts does."""
    locked(change.customer)
    return (
        ContactChange.objects.select_for_update(of=("self",))
        .select_related("customer", "user", "asked_by")
        .get(pk=change.pk)
    )


def _dates(change: ContactChange) -> dict[str, Any]:
    return {"starts": change.starts_at, "ends": change.ends_at or ""}


def _record(verb: str, change: ContactChange, *, by: User, at: datetime, **details: Any) -> None:
    record(verb, customer=change.customer, by=by, at=at, change=change.pk, to=change.user.full_name, **details)
