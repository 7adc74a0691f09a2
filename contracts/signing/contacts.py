"""Who speaks for the customer: exactly one person at any moment (domain §1.7.1, §2).

The rows of `ResponsibleContact` are one line of time without holes or overlaps; everything here only cuts and joins
it. How both sides come to agree on a change stands in `contact_changes.py`.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Role, User
from contracts.models import ContactChange, Customer, ResponsibleContact
from contracts.signing.history import record
from contracts.signing.refusals import NotHandedOver, locked, only_signers


@transaction.atomic
def hand_over_contact(customer: Customer, *, to: User, by: User, at: datetime, reason: str) -> ResponsibleContact:
    """Another person of the customer speaks for it from `at` on, a planned moment too (domain §1.7.1, §2).

    There is exactly one contact at any moment: the one before ends at `at`, the history stays, and a change that is
    planned for later stays as planned; where a planned substitution was to give back to the person before, it gives
    back to the new one. Tickets follow by `tickets.workflow.hand_over_contact`, which calls this.
    Raises `NotHandedOver` for somebody who is not one of the customer's people or cannot sign in, `Forbidden`.
    """
    only_signers(by)
    customer = locked(customer)
    only_people_who_can(customer, to)
    holding = customer.contacts.holding(at).first()
    if holding is None:
        planned = customer.contacts.filter(starts_at__gt=at).order_by("starts_at").first()
        ends_at = planned.starts_at if planned else None
        return ResponsibleContact.objects.create(
            customer=customer, user=to, starts_at=at, ends_at=ends_at, reason=reason.strip()
        )
    if holding.user_id == to.pk:
        raise NotHandedOver(_("%(name)s is the responsible contact then already.") % {"name": to.full_name}, "1.7.1")
    if not reason.strip():
        raise NotHandedOver(_("Write why the contact changes (illness, leaving, a planned date)."), "2")
    ends_at = holding.ends_at
    if holding.starts_at == at:
        holding.delete()  # planned for the same moment, and now replaced: it never spoke for the customer
    else:
        holding.ends_at = at
        holding.save(update_fields=["ends_at"])
    # Who left does not come back by itself when somebody's holiday ends.
    returns = customer.contacts.filter(starts_at__gt=at, user=holding.user, change__ends_at__isnull=False)
    returns.exclude(change__user=holding.user).update(user=to)
    row = ResponsibleContact.objects.create(
        customer=customer, user=to, starts_at=at, ends_at=ends_at, reason=reason.strip()
    )
    record(
        "contact_changed",
        customer=customer,
        by=by,
        at=at,
        was=holding.user.full_name,
        to=to.full_name,
        starts=at,
        ends="",
        reason=reason.strip(),
    )
    return row


def only_people_who_can(customer: Customer, person: User) -> None:
    """Refuses whoever is not one of the customer's people, or cannot sign in."""
    if person.role != Role.CUSTOMER or not customer.members.filter(user=person).exists():
        raise NotHandedOver(
            _("%(name)s is not one of the people of %(customer)s.") % {"name": person.full_name, "customer": customer},
            "1.7.1",
        )
    if not person.is_active:
        raise NotHandedOver(_("%(name)s cannot sign in.") % {"name": person.full_name}, "1.7.1")


def only_free_time(
    customer: Customer, person: User, starts_at: datetime, ends_at: datetime | None, *, at: datetime
) -> None:
    """Refuses a time [starts_at, ends_at) for this person that the line of contacts does not have free at `at`.

    Another planned change must neither begin in it nor be cut off by it, and a planned substitution has no other
    within it (one that runs may have: a substitute may fall ill). The person must not speak then already.
    """
    planned = customer.contacts.filter(starts_at__gt=starts_at)
    if ends_at is not None:
        planned = planned.filter(starts_at__lt=ends_at)
    holding = customer.contacts.holding(starts_at).select_related("user", "change").first()
    # Who was stood in for may give the same moment to another substitute; any other row that begins then is somebody's
    # planned change, which would vanish.
    stays = holding is not None and holding.is_return and ends_at is not None and holding.ends_at != ends_at
    is_replaced_whole = holding is not None and holding.starts_at == starts_at and not stays
    is_within_planned = holding is not None and holding.is_substitution and holding.starts_at > at
    if planned.exists() or is_replaced_whole or is_within_planned:
        raise NotHandedOver(
            _("Another change of the contact is planned for that time: withdraw it first, or choose another time."),
            "1.7.1",
        )
    if holding is None and ends_at is not None:
        raise NotHandedOver(
            _("The company has no responsible contact then, so there is nobody to stand in for: leave out the end."),
            "1.7.1",
        )
    if holding is not None and holding.user_id == person.pk:
        raise NotHandedOver(
            _("%(name)s is the responsible contact then already.") % {"name": person.full_name}, "1.7.1"
        )


def take_over(change: ContactChange) -> User | None:
    """Makes the rows of an agreed change: [.., start) who was, [start, end) who takes over, [end, ..) who was again.

    Returns who speaks until then. The caller holds the customer's lock and has asked `only_free_time`.
    """
    holding = change.customer.contacts.holding(change.starts_at).select_related("user").first()
    after = holding.ends_at if holding else None
    if holding is not None:
        if holding.starts_at == change.starts_at:
            holding.delete()  # a substitution of the same person ends where this one begins: not a moment in between
        else:
            holding.ends_at = change.starts_at
            holding.save(update_fields=["ends_at"])
    ends_at = change.ends_at or after
    _row(change, change.user, change.starts_at, ends_at)
    if holding is not None and change.ends_at is not None and change.ends_at != after:
        _row(change, holding.user, change.ends_at, after)
    return holding.user if holding else None


def give_back(change: ContactChange, *, at: datetime) -> User | None:
    """Takes the rest of an agreed change off the line, from `at` on: who was stood in for speaks then (domain §2).

    Returns that person; None where nobody was before. Raises `NotHandedOver` where the one who took over does not
    speak any more, or for good. The caller holds the customer's lock.
    """
    rows = change.customer.contacts.select_related("user")
    taken = rows.filter(change=change, user=change.user).order_by("starts_at").first()
    if taken is None or (taken.starts_at <= at and (taken.ends_at is None or taken.ends_at <= at)):
        raise NotHandedOver(_("This change is over: there is nothing left to take back."), "1.7.1")
    before = rows.filter(ends_at=taken.starts_at).first()
    # Who would have spoken afterwards: the row of this change that follows, if nobody has moved it since.
    after = rows.filter(change=change, starts_at=taken.ends_at).first() if taken.ends_at else None
    rests_from = max(taken.starts_at, at)
    person = after.user if after else before.user if before else None
    if person is None:
        raise NotHandedOver(_("Nobody spoke for the company before: name another contact instead."), "1.7.1")
    ends_at = after.ends_at if after else taken.ends_at
    if after is not None:
        after.delete()
    if rests_from > taken.starts_at:
        taken.ends_at = rests_from
        taken.save(update_fields=["ends_at"])
        _row(change, person, rests_from, ends_at)
        return person
    taken.delete()
    if before is not None and before.user_id == person.pk:
        before.ends_at = ends_at
        before.save(update_fields=["ends_at"])
    else:
        _row(change, person, rests_from, ends_at)
    return person


def _row(change: ContactChange, person: User, starts_at: datetime, ends_at: datetime | None) -> None:
    ResponsibleContact.objects.create(
        customer=change.customer, user=person, starts_at=starts_at, ends_at=ends_at, reason=change.reason, change=change
    )
