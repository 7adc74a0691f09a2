"""Who calls: people of customers by phone, name, company, contract or the number of a request (direction §4)."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, F, Func, Q, QuerySet, Value

from accounts.models import User
from contracts.models import CustomerMember, ResponsibleContact

SHOWN = 12
A_PHONE = 5  # digits; fewer are a number of something
TAIL = 10  # of a phone: +7 and 8 before it are the same


@dataclass(frozen=True)
class Caller:
    member: CustomerMember
    is_contact: bool


def callers(typed: str, at: datetime) -> list[Caller]:
    """The people that fit what was typed, contacts first; at most twelve. Two statements."""
    typed = " ".join(typed.replace("\0", " ").split())[:100]  # PostgreSQL keeps no NUL
    if len(typed) < 2:
        return []
    rows = _matching(typed).filter(user__is_active=True).select_related("user", "customer").distinct()
    members = list(rows.order_by("customer__name", "user__full_name", "pk")[: SHOWN * 2])
    contacts = set(
        ResponsibleContact.objects.holding(at)
        .filter(customer__in={member.customer_id for member in members})
        .values_list("user_id", flat=True)
    )
    found = [Caller(member, member.user_id in contacts) for member in members]
    return sorted(found, key=lambda caller: not caller.is_contact)[:SHOWN]


def _matching(typed: str) -> QuerySet[CustomerMember]:
    digits = re.sub(r"\D", "", typed)
    meant = Q(customer__name__icontains=typed) | Q(user__full_name__icontains=typed) | Q(user__email__iexact=typed)
    meant |= Q(customer__contracts__number__iexact=typed)
    only_number = bool(digits) and not re.search(r"[^\W\d]", typed)
    if only_number and len(digits) < 16:
        meant |= Q(customer__tickets__number=int(digits))
    rows = CustomerMember.objects.all()
    if only_number and len(digits) >= A_PHONE:
        only_digits = (F("user__phone"), Value(r"\D"), Value(""), Value("g"))
        rows = rows.annotate(plain=Func(*only_digits, function="regexp_replace", output_field=CharField()))
        meant |= Q(plain__contains=digits[-TAIL:])
    return rows.filter(meant)


def caller_of(pk: int) -> CustomerMember | None:
    return CustomerMember.objects.select_related("user", "customer__csm").filter(user=pk, user__is_active=True).first()


def is_contact(member: CustomerMember, at: datetime) -> bool:
    contact: User | None = member.customer.contact_at(at)
    return contact is not None and contact.pk == member.user_id
