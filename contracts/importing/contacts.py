"""Rows of people: who works at a customer and, where it has none yet, who speaks for it (domain §1.7.1, §2, §7)."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models.functions import Lower
from django.utils.translation import gettext_noop

from accounts.models import Role, User
from contracts import signing
from contracts.entitlement import CONTRACT_ZONE
from contracts.importing import values
from contracts.importing.cells import begin, companies, company, needed, refuse_repeats, value, words
from contracts.importing.reading import Row
from contracts.importing.verdicts import Checked
from contracts.models import Customer, CustomerMember, ResponsibleContact

PERSON_FIELDS = ("full_name", "phone", "language")
SAYS = ("company", "full_name", "position", "phone", "language", "responsible", "since")


@dataclass
class Plan:
    """What an import of the good rows writes."""

    checked: list[Checked]
    new_people: list[User] = field(default_factory=list)
    changed_people: list[User] = field(default_factory=list)
    new_members: list[CustomerMember] = field(default_factory=list)
    changed_members: list[CustomerMember] = field(default_factory=list)
    speakers: list[tuple[Customer, User, datetime]] = field(default_factory=list)

    def write(self, *, by: User, at: datetime, reason: str) -> None:
        """In bulk; then each responsible contact by `signing.hand_over_contact`. Call it in the check's transaction.

        New people have no password: they set one by “Forgot password”; no letter is sent here.
        """
        User.objects.bulk_create(self.new_people, batch_size=1000)
        if self.changed_people:
            User.objects.bulk_update(self.changed_people, PERSON_FIELDS, batch_size=100)
        CustomerMember.objects.bulk_create(self.new_members, batch_size=1000)
        if self.changed_members:
            CustomerMember.objects.bulk_update(self.changed_members, ["position"], batch_size=100)
        for customer, person, since in self.speakers:
            signing.hand_over_contact(customer, to=person, by=by, at=since, reason=reason)


@dataclass(frozen=True)
class Registers:
    """What rows are held against, each fetched by one statement."""

    customers: dict[str, list[Customer]]
    people: Mapping[str, User]
    members: dict[int, CustomerMember]  # by person
    contacts: dict[int, list[ResponsibleContact]]  # by customer, past, present and planned


def plan(rows: list[Row], *, at: datetime, lock: bool = False) -> Plan:
    """The verdict of each row against the database as it is. A constant number of statements, nothing is written."""
    read = []
    for row in rows:
        checked = begin(row)
        given: dict[str, Any] = {
            "company": needed(checked, "company", words(160)),
            "email": needed(checked, "email", values.address),
            "full_name": needed(checked, "full_name", words(160)),
            "position": value(checked, "position", words(120)),
            "phone": value(checked, "phone", words(40)),
            "language": value(checked, "language", values.language),
            "responsible": value(checked, "responsible", values.yes_or_no),
            "since": value(checked, "since", values.day),
        }
        read.append((checked, given))
    known = _registers([given for _checked, given in read], lock=lock)
    for checked, given in read:
        given["customer"] = company(checked, known.customers)
    refuse_repeats(
        ((checked, given["email"], [given[code] for code in SAYS]) for checked, given in read),
        "email",
    )
    _refuse_second_speakers(read, known, at)
    made = Plan([checked for checked, _given in read])
    for checked, given in read:
        _settle(checked, given, known, made, at)
    return made


def _registers(given: list[dict[str, Any]], *, lock: bool) -> Registers:
    customers = companies([row["company"] or "" for row in given], lock=lock)
    pks = [customer.pk for found in customers.values() for customer in found]
    emails = {row["email"] for row in given if row["email"]}
    people = {
        user.email.lower(): user
        for user in User.objects.annotate(address=Lower("email")).filter(address__in=emails).order_by("pk")
    }
    members = {
        member.user_id: member
        for member in CustomerMember.objects.filter(user__in=[user.pk for user in people.values()])
    }
    contacts: dict[int, list[ResponsibleContact]] = defaultdict(list)
    for row in ResponsibleContact.objects.filter(customer__in=pks).select_related("user").order_by("starts_at"):
        contacts[row.customer_id].append(row)
    return Registers(customers, people, members, contacts)


def _from(given: dict[str, Any], at: datetime) -> datetime:
    """The moment from which the row's person speaks: the first of the day in Moscow, or now."""
    if given["since"] is None:
        return at
    return datetime.combine(given["since"], time(), CONTRACT_ZONE)


def _holder(contacts: list[ResponsibleContact], at: datetime) -> ResponsibleContact | None:
    return next((row for row in contacts if row.starts_at <= at and (row.ends_at is None or row.ends_at > at)), None)


def _speaks_already(given: dict[str, Any], known: Registers, at: datetime) -> bool:
    person = known.people.get(given["email"] or "")
    if person is None or given["customer"] is None:
        return False
    holder = _holder(known.contacts.get(given["customer"].pk, []), _from(given, at))
    return holder is not None and holder.user_id == person.pk


def _refuse_second_speakers(read: list[tuple[Checked, dict[str, Any]]], known: Registers, at: datetime) -> None:
    """Two rows that name a contact of one company: exactly one speaks, and a change is agreed elsewhere."""
    named: dict[int, list[tuple[Checked, str]]] = defaultdict(list)
    for checked, given in read:
        if given["responsible"] and given["customer"] and not _speaks_already(given, known, at):
            named[given["customer"].pk].append((checked, given["email"]))
    for rows in named.values():
        if len({email for _checked, email in rows}) < 2:
            continue  # one person twice: `refuse_repeats` has said so
        for checked, _email in rows:
            checked.refuse(
                "responsible",
                gettext_noop(
                    "The file names another responsible contact of this company in row %(row)d: there is exactly one."
                ),
                row=next(other.number for other, _ in rows if other is not checked),
            )


def _settle(checked: Checked, given: dict[str, Any], known: Registers, made: Plan, at: datetime) -> None:
    customer, email = given["customer"], given["email"]
    if given["since"] is not None and not given["responsible"]:
        checked.refuse(
            "since", gettext_noop("A date stands here, but the person is not named the responsible contact.")
        )
    person = known.people.get(email) if email else None
    member = known.members.get(person.pk) if person else None
    if person is not None:
        _refuse_others(checked, person, member, customer)
    contacts = known.contacts.get(customer.pk, []) if customer else []
    since = _from(given, at)
    speaks = _settle_speaker(checked, given, person, contacts, since, at)
    if person is None:
        checked.is_new = True
        if checked.problems or customer is None:
            return
        person = User(
            email=email,
            full_name=given["full_name"],
            role=Role.CUSTOMER,
            phone=given["phone"] or "",
            language=given["language"] or customer.language,
            timezone=customer.timezone,
            password=make_password(None),
        )
        made.new_people.append(person)
        made.new_members.append(CustomerMember(customer=customer, user=person, position=given["position"] or ""))
    else:
        _settle_person(checked, given, person, member, made)
    if speaks and not checked.problems and customer is not None:
        made.speakers.append((customer, person, since))


def _settle_person(
    checked: Checked, given: dict[str, Any], person: User, member: CustomerMember | None, made: Plan
) -> None:
    """What the row changes of somebody who is known here."""
    before = len(checked.changes)
    for code in PERSON_FIELDS:
        if given[code]:
            checked.change(code, getattr(person, code), given[code])
            setattr(person, code, given[code])
    changes_person = len(checked.changes) > before
    before = len(checked.changes)
    customer = given["customer"]
    if member is None and customer is not None:
        checked.change("company", "", customer.name)
        member = CustomerMember(customer=customer, user=person, position=given["position"] or "")
        if not checked.problems:
            made.new_members.append(member)
    elif member is not None and given["position"]:
        checked.change("position", member.position, given["position"])
        member.position = given["position"]
        if len(checked.changes) > before and not checked.problems:
            made.changed_members.append(member)
    if changes_person and not checked.problems:
        made.changed_people.append(person)


def _refuse_others(checked: Checked, person: User, member: CustomerMember | None, customer: Customer | None) -> None:
    """Somebody of the vendor, a partner, a person of another company: their address is not this customer's."""
    if person.role != Role.CUSTOMER:
        checked.refuse(
            "email",
            gettext_noop("%(email)s belongs to somebody who is not of a customer: such a person is not imported."),
            email=person.email,
        )
    elif member is not None and customer is not None and member.customer_id != customer.pk:
        checked.refuse("email", gettext_noop("%(email)s belongs to a person of another company."), email=person.email)


def _settle_speaker(
    checked: Checked,
    given: dict[str, Any],
    person: User | None,
    contacts: list[ResponsibleContact],
    since: datetime,
    at: datetime,
) -> bool:
    """Whether the row makes the person the responsible contact; refuses a second one at one moment (domain §1.7.1)."""
    if given["responsible"] is None:
        return False
    if not given["responsible"]:
        holder = _holder(contacts, at)
        if person is not None and holder is not None and holder.user_id == person.pk:
            checked.refuse(
                "responsible",
                gettext_noop(
                    "%(name)s is the responsible contact, and there is exactly one: hand over to somebody else first."
                ),
                name=person.full_name,
            )
        return False
    holder = _holder(contacts, since)
    if holder is not None and person is not None and holder.user_id == person.pk:
        return False
    if holder is not None:
        checked.refuse(
            "responsible",
            gettext_noop(
                "%(name)s is the responsible contact of this company then: a second one cannot be, and a change is "
                "agreed by both sides on its own page."
            ),
            name=holder.user.full_name,
        )
        return False
    if person is not None and not person.is_active:
        checked.refuse("email", gettext_noop("%(name)s cannot sign in."), name=person.full_name)
        return False
    planned = next((row for row in contacts if row.starts_at > since), None)
    if planned is not None:
        checked.warn(
            "responsible",
            gettext_noop("%(name)s takes over on %(day)s, as planned."),
            name=planned.user.full_name,
            day=f"{planned.starts_at.astimezone(CONTRACT_ZONE):%d.%m.%Y}",
        )
    if person is not None:
        checked.change("responsible", "no", "yes")
    return True
