"""The demo company in the database: people, products, customers, licences, contracts. Made once, found again later."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts.models import Role, User
from contracts import entitlement, signing
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import (
    Contract,
    ContractClause,
    Customer,
    CustomerMember,
    Licence,
    Package,
    Product,
    Release,
    ResponsibleContact,
    Topic,
)
from helpdesk.demo import PASSWORD
from helpdesk.demo.people import CUSTOMERS, PARTNERS, PRODUCTS, RELEASES, STAFF, CustomerPlan, Person
from tickets import workflow
from tickets.models import HeldRequest


@dataclass(frozen=True)
class Company:
    """What the year is played with: rows by the keys of the plans."""

    today: date
    people: dict[str, User]
    customers: dict[str, Customer]
    products: dict[str, Product]
    releases: dict[tuple[str, str], Release]


def moment(day: date, hour: int = 9) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=CONTRACT_ZONE)


def company(today: date) -> Company:
    """Makes the company where it is missing. Contracts are drafted and signed by the contract administrator."""
    products = {
        plan.code: Product.objects.get_or_create(code=plan.code, defaults={"name": plan.name})[0] for plan in PRODUCTS
    }
    releases = {
        (code, plan.version): Release.objects.get_or_create(
            product=product, version=plan.version, defaults={"released_on": today + timedelta(days=plan.day)}
        )[0]
        for code, product in products.items()
        for plan in RELEASES
    }
    people = _people([*STAFF, *PARTNERS, *(person for plan in CUSTOMERS for person in plan.people)])
    made = Company(today, people, {}, products, releases)
    for plan in CUSTOMERS:
        made.customers[plan.code] = _customer(plan, made)
    return made


def _people(plans: list[Person]) -> dict[str, User]:
    password = make_password(PASSWORD)  # one hash for all: hashing is made to be slow
    people = {}
    for plan in plans:
        user, is_new = User.objects.get_or_create(
            email=plan.email,
            defaults={
                "full_name": plan.full_name,
                "role": plan.role,
                "language": plan.language,
                "timezone": plan.timezone,
                "phone": plan.phone,
                "password": password,
                "is_staff": plan.role in {Role.ADMIN, Role.CONTRACT_ADMIN},
                "is_superuser": plan.role == Role.ADMIN,
            },
        )
        if is_new:
            user.lines.set(plan.lines)
        people[plan.email] = user
    return people


def _customer(plan: CustomerPlan, made: Company) -> Customer:
    customer, is_new = Customer.objects.get_or_create(
        name=plan.name,
        defaults={
            "csm": made.people[plan.csm] if plan.csm else None,
            "timezone": plan.timezone,
            "language": plan.language,
            "city": plan.city,
        },
    )
    if not is_new:
        return customer
    for person in plan.people:
        CustomerMember.objects.create(customer=customer, user=made.people[person.email], position=person.position)
    for tenure in plan.contacts:
        ResponsibleContact.objects.create(
            customer=customer,
            user=made.people[tenure.person.email],
            starts_at=moment(made.today + timedelta(days=tenure.since)),
            ends_at=None if tenure.until is None else moment(made.today + timedelta(days=tenure.until)),
            reason=tenure.reason,
        )
    _contracts(plan, customer, made)
    return customer


def _contracts(plan: CustomerPlan, customer: Customer, made: Company) -> None:
    """Each licence stands before the first contract that covers it is signed; one bought within a term joins it."""
    signer = User.objects.filter(role=Role.CONTRACT_ADMIN).earliest("pk")
    waiting = [
        (
            made.today + timedelta(days=licence.since),
            Licence(
                customer=customer,
                product=made.products[licence.product],
                deployment=licence.deployment,
                seats=licence.seats,
                cost=licence.cost,
                starts_on=made.today + timedelta(days=licence.since),
                release=made.releases[licence.product, licence.version_on(0)],
            ),
        )
        for licence in plan.licences
    ]
    predecessor: Contract | None = None
    for contract_plan, first, last in plan.contract_terms(made.today):
        for since, licence in waiting:
            if licence.pk is None and since <= first:
                licence.save()
        contract = signing.draft(
            customer,
            package=Package.objects.get(code=contract_plan.package),
            by=signer,
            starts_on=first,
            ends_on=last,
            number=contract_plan.number,
            predecessor=predecessor,
            at=moment(first),
        )
        if contract_plan is plan.contracts[-1]:
            for clause in plan.clauses:
                ContractClause.objects.create(
                    contract=contract,
                    topic=Topic.objects.get(pk=clause.topic),
                    text_ru=clause.text_ru,
                    text_en=clause.text_en,
                )
        signing.activate(contract, by=signer, at=moment(first))
        for since, licence in waiting:
            if licence.pk is None and first < since <= last:
                licence.save()
                signing.cover_added_licences(contract, on=since)
        predecessor = contract


def expire_past_contracts() -> None:
    """After the year is played: contracts whose last day is over end as the nightly job ends them."""
    today = timezone.localtime(timezone.now(), CONTRACT_ZONE).date()
    for contract in Contract.objects.filter(state=Contract.State.ACTIVE, ends_on__lt=today):
        signing.expire(contract, on=today)


def contract_life(made: Company, now: datetime) -> None:
    """What the contract administrator finds this morning: offers to renew, a gap, a holiday that waits for a yes."""
    signing.offer_renewals(at=now)
    signing.notice_gaps(at=now)
    customer = made.customers["vetrolog"]
    contact = customer.contact_at(now)
    colleague = customer.members.exclude(user=contact).order_by("pk").first()
    if contact is None or colleague is None or customer.contact_changes.exists():
        return
    day = moment(made.today + timedelta(days=15))
    workflow.ask_contact_change(
        customer,
        user=colleague.user,
        starts_at=day,
        ends_at=day + timedelta(days=14),
        reason="Отпуск",
        by=contact,
        at=now - timedelta(hours=2),
    )
    workflow.hold(
        reason=HeldRequest.Reason.NOT_CONTACT,
        words=entitlement.check(
            entitlement.contract_of(customer, at=now), person=colleague.user, channel="email", topic=None, at=now
        ).words,
        subject="Не печатается накладная со склада",
        body="Добрый день. Второй день при печати накладной пустой лист, остальные формы печатаются. Посмотрите.",
        channel="email",
        at=now - timedelta(hours=3),
        customer=customer,
        sender=colleague.user,
        sender_address=colleague.user.email,
    )
