"""Rows of customers: company, its CSM, time zone, language, city (domain §2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models.functions import Lower
from django.utils.translation import gettext_noop

from accounts.models import Role, User
from contracts.importing import values
from contracts.importing.cells import begin, companies, key, needed, refuse_repeats, value, words
from contracts.importing.reading import Row
from contracts.importing.verdicts import Checked
from contracts.models import Customer

FIELDS = ("csm", "timezone", "language", "city")


@dataclass
class Plan:
    """What an import of the good rows writes."""

    checked: list[Checked]
    new: list[Customer] = field(default_factory=list)
    changed: list[Customer] = field(default_factory=list)

    def write(self, *, by: User, at: datetime, reason: str) -> None:
        """Two statements, and one more for each 100 changed. Call it in the transaction of the check."""
        Customer.objects.bulk_create(self.new)
        if self.changed:
            Customer.objects.bulk_update(self.changed, FIELDS, batch_size=100)


def plan(rows: list[Row], *, at: datetime, lock: bool = False) -> Plan:
    """The verdict of each row against the database as it is. A constant number of statements, nothing is written."""
    read = []
    for row in rows:
        checked = begin(row)
        given = {
            "company": needed(checked, "company", words(160)),
            "csm": value(checked, "csm", values.address),
            "timezone": value(checked, "timezone", values.time_zone),
            "language": value(checked, "language", values.language),
            "city": value(checked, "city", words(80)),
        }
        read.append((checked, given))
    by_name = companies((given["company"] or "" for _checked, given in read), lock=lock)
    emails = {given["csm"] for _checked, given in read if given["csm"]}
    people = User.objects.annotate(address=Lower("email")).filter(address__in=emails).order_by("pk")
    managers = {user.email.lower(): user for user in people}
    refuse_repeats(((checked, _own(given), _says(given)) for checked, given in read), "company")
    made = Plan([checked for checked, _given in read])
    for checked, given in read:
        manager = _manager(checked, given["csm"], managers)
        name = given["company"] or ""
        found = by_name.get(key(name), []) if name else []
        if len(found) > 1:
            checked.refuse(
                "company", gettext_noop("%(count)d companies have this name but for case and spaces."), count=len(found)
            )
        given = {code: given[code] for code in FIELDS if code != "csm" and given[code]}
        if not found:
            checked.is_new = True
            if not checked.problems:
                made.new.append(Customer(name=name, csm=manager, **given))
            continue
        customer = found[0]
        if manager is not None:
            checked.change("csm", customer.csm.email if customer.csm else "", manager.email)
            customer.csm = manager
        for code, new in given.items():
            checked.change(code, getattr(customer, code), new)
            setattr(customer, code, new)
        if checked.is_good:
            made.changed.append(customer)
    return made


def _own(given: dict[str, str | None]) -> str | None:
    return key(given["company"]) if given["company"] else None


def _says(given: dict[str, str | None]) -> list[str | None]:
    return [given[code] for code in FIELDS]


def _manager(checked: Checked, email: str | None, managers: Mapping[str, User]) -> User | None:
    if email is None:
        return None
    user = managers.get(email)
    if user is None:
        checked.refuse("csm", gettext_noop("Nobody here has the address %(email)s."), email=email)
    elif user.role != Role.CSM or not user.is_active:
        checked.refuse(
            "csm", gettext_noop("%(name)s is not a Customer Success Manager who can sign in."), name=user.full_name
        )
    else:
        return user
    return None
