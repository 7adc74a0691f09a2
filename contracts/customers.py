"""Customers, what they own and who works there: written down, changed, and put on record (domain §2, §7).

Verbs of the contract administrator. Each takes who (`by`) and when (`at`, aware), locks the customer's row and works in
one transaction with the row of what happened. What a signed contract covers stays as it was signed (`Licence.clean`).
"""

from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.refusals import Refused
from contracts import signing
from contracts.models import Contract, Customer, CustomerMember, Licence, ResponsibleContact
from contracts.signing.refusals import locked

CUSTOMER_FIELDS = ("name", "city", "language", "timezone", "csm")
LICENCE_FIELDS = ("product", "deployment", "seats", "cost", "starts_on", "ends_on", "release")
PRICED_FIELDS = {"deployment", "cost", "starts_on", "ends_on"}  # what a line is counted from
PERSON_FIELDS = ("full_name", "phone", "language", "timezone")


class NotWritten(Refused):
    """The registers cannot say this; the words are fit for the person who wrote it."""


# Companies


@transaction.atomic
def write_customer(customer: Customer, *, by: User, at: datetime) -> Customer:
    """Writes a new customer (unsaved and valid) down. Raises `NotWritten` for a name that is there, `Forbidden`."""
    signing.only_signers(by)
    _save_customer(customer)
    signing.record("customer_written", customer=customer, by=by, at=at, name=customer.name)
    return customer


@transaction.atomic
def change_customer(customer: Customer, *, by: User, at: datetime) -> dict[str, list[str]]:
    """Saves a changed customer; what changed, by field: [before, after]. Raises as `write_customer` does."""
    signing.only_signers(by)
    before = Customer.objects.select_related("csm").get(pk=locked(customer).pk)
    changes = _changes(before, customer, CUSTOMER_FIELDS)
    if changes:
        _save_customer(customer)
        signing.record("customer_changed", customer=customer, by=by, at=at, changes=changes)
    return changes


def _save_customer(customer: Customer) -> None:
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError as taken:
        raise NotWritten(_("There is a customer with this name already.")) from taken


# Licences


@transaction.atomic
def change_licence(licence: Licence, *, by: User, at: datetime) -> dict[str, list[str]]:
    """Saves a changed licence (valid: `full_clean`); what changed, by field: [before, after].

    Drafts are counted anew; a contract in force covers it where it now begins (domain §1.7.5). Raises `NotWritten`
    where it was signed for meanwhile, `pricing.PricingError` where its new days or cost cannot be priced, `Forbidden`;
    nothing is written then.
    """
    signing.only_signers(by)
    customer = locked(licence.customer)
    before = Licence.objects.select_related("product", "release__product").get(pk=licence.pk)
    changes = _changes(before, licence, LICENCE_FIELDS)
    if not changes:
        return changes
    try:
        licence.clean()  # once more, now that nobody can sign for it at the same moment
    except ValidationError as signed:
        raise NotWritten(" ".join(signed.messages), "1.7.5") from signed
    licence.save()
    signing.record("licence_changed", customer=customer, by=by, at=at, licence=str(licence), changes=changes)
    for draft in customer.contracts.filter(state=Contract.State.DRAFT):
        signing.refresh_lines(draft)
    today = signing.moscow_day(at)
    contract = customer.contracts.in_force(today).first()
    if contract is not None and PRICED_FIELDS & changes.keys():
        signing.cover_added_licences(contract, on=today, by=by, at=at)
    return changes


# People


@transaction.atomic
def add_person(
    customer: Customer, *, person: User, position: str, as_contact: bool, by: User, at: datetime
) -> CustomerMember:
    """Adds a person (unsaved) to the customer's people; with `as_contact` the first to speak for it (domain §1.7.1).

    The person has no password until they choose one (`accounts.invitation`). Raises `NotWritten` for an address that
    belongs to somebody, or where the customer has a contact already; `Forbidden`.
    """
    signing.only_signers(by)
    customer = locked(customer)
    person.email = person.email.lower()
    person.role = Role.CUSTOMER
    person.set_unusable_password()
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError as taken:
        raise NotWritten(_("This address belongs to somebody else.")) from taken
    member = CustomerMember.objects.create(customer=customer, user=person, position=position)
    signing.record("person_added", customer=customer, by=by, at=at, person=person.full_name, position=position)
    if as_contact:
        name_first_contact(customer, to=person, by=by, at=at)
    return member


@transaction.atomic
def name_first_contact(customer: Customer, *, to: User, by: User, at: datetime) -> ResponsibleContact:
    """Names who speaks for a customer that has nobody (domain §1.7.1). Every later change is agreed by both sides.

    Raises `NotWritten` where somebody speaks for it now, `NotHandedOver`, `Forbidden`.
    """
    signing.only_signers(by)
    customer = locked(customer)
    speaks = customer.contact_at(at)
    if speaks is not None:
        raise NotWritten(
            _("%(name)s speaks for the customer: a change is asked for and agreed by both sides.")
            % {"name": speaks.full_name},
            "2",
        )
    contact = signing.hand_over_contact(customer, to=to, by=by, at=at, reason="")
    # On record with the details of every change of the contact (`signing.contact_changes`).
    told: dict[str, Any] = {"was": "", "to": to.full_name, "starts": at, "ends": "", "reason": ""}
    signing.record("contact_changed", customer=customer, by=by, at=at, **told)
    return contact


@transaction.atomic
def change_person(member: CustomerMember, *, by: User, at: datetime) -> dict[str, list[str]]:
    """Saves a changed person and their position; what changed, by field: [before, after]. Raises `Forbidden`."""
    signing.only_signers(by)
    customer = locked(member.customer)
    before = CustomerMember.objects.select_related("user").get(pk=member.pk)
    changes = {
        **_changes(before.user, member.user, PERSON_FIELDS),
        **_changes(before, member, ("position",)),
    }
    if changes:
        member.user.save(update_fields=PERSON_FIELDS)
        member.save(update_fields=["position"])
        signing.record("person_changed", customer=customer, by=by, at=at, person=member.user.full_name, changes=changes)
    return changes


@transaction.atomic
def let_go(member: CustomerMember, *, by: User, at: datetime) -> None:
    """The person has left the company and signs in no more; what they wrote stays.

    Raises `NotWritten` for who speaks for the customer, now or by a plan, or is named in a change that waits for its
    answer: the customer would be without a contact (domain §1.7.1). `Forbidden`.
    """
    signing.only_signers(by)
    customer = locked(member.customer)
    person = User.objects.select_for_update().get(pk=member.user_id)
    if customer.contacts.filter(user=person).exclude(ends_at__lte=at).exists():
        raise NotWritten(
            _("%(name)s is the responsible contact, now or by a plan: hand that over first.")
            % {"name": person.full_name},
            "1.7.1",
        )
    if customer.contact_changes.filter(state="asked", user=person).exists():
        raise NotWritten(
            _("%(name)s is to become the responsible contact: settle that change first.") % {"name": person.full_name},
            "1.7.1",
        )
    if person.is_active:
        person.is_active = False
        person.save(update_fields=["is_active"])
        signing.record("person_left", customer=customer, by=by, at=at, person=person.full_name)


@transaction.atomic
def take_back(member: CustomerMember, *, by: User, at: datetime) -> None:
    """The person may sign in again. Raises `Forbidden`."""
    signing.only_signers(by)
    customer = locked(member.customer)
    person = User.objects.select_for_update().get(pk=member.user_id)
    if not person.is_active:
        person.is_active = True
        person.save(update_fields=["is_active"])
        signing.record("person_back", customer=customer, by=by, at=at, person=person.full_name)


def _changes(before: Any, after: Any, fields: tuple[str, ...]) -> dict[str, list[str]]:
    """What differs, by field, as it is put on record."""
    return {
        name: [_plain(getattr(before, name)), _plain(getattr(after, name))]
        for name in fields
        if getattr(before, name) != getattr(after, name)
    }


def _plain(value: Any) -> str:
    return "" if value is None else str(value)
