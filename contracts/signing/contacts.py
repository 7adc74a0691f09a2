"""Who speaks for the customer: exactly one person at any moment (domain §1.7.1, §2)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Role, User
from contracts.models import Customer, ResponsibleContact
from contracts.signing.refusals import NotHandedOver, locked, only_signers


@transaction.atomic
def hand_over_contact(customer: Customer, *, to: User, by: User, at: datetime, reason: str) -> ResponsibleContact:
    """Another person of the customer speaks for it from `at` on, a planned moment too (domain §1.7.1, §2).

    There is exactly one contact at any moment: the one before ends at `at`, the history stays, and a change that is
    planned for later stays as planned. Tickets follow by `tickets.workflow.hand_over_contact`, which calls this.
    Raises `NotHandedOver` for somebody who is not one of the customer's people or cannot sign in, `Forbidden`.
    """
    only_signers(by)
    customer = locked(customer)
    if to.role != Role.CUSTOMER or not customer.members.filter(user=to).exists():
        raise NotHandedOver(
            _("%(name)s is not one of the people of %(customer)s.") % {"name": to.full_name, "customer": customer},
            "1.7.1",
        )
    if not to.is_active:
        raise NotHandedOver(_("%(name)s cannot sign in.") % {"name": to.full_name}, "1.7.1")
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
    return ResponsibleContact.objects.create(
        customer=customer, user=to, starts_at=at, ends_at=ends_at, reason=reason.strip()
    )
