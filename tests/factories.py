"""People, customers and tickets for tests, made the way the product makes them: contracts are signed, tickets opened.

The catalogue (packages, lines, topics, ladders, calendars) is the one of the data migration.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import factory
from factory.django import DjangoModelFactory

from accounts.models import Role, User
from contracts import signing
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
from tickets import workflow
from tickets.models import Ticket

MOSCOW = ZoneInfo("Europe/Moscow")
TUESDAY_10 = datetime(2026, 11, 17, 10, 0, tzinfo=MOSCOW)  # a working day on which every package is open
FIRST_DAY = date(2026, 1, 1)
SIGNED_AT = datetime(2026, 1, 1, 9, 0, tzinfo=MOSCOW)

GIVEN_NAMES = ("Анна", "Пётр", "Мария", "Илья", "Ольга", "Сергей", "Юлия", "Артём")
FAMILY_NAMES = ("Климов", "Орлова", "Зайцев", "Белова", "Громов", "Лисина", "Соколов", "Ершова", "Носов")


class UserFactory(DjangoModelFactory):
    """A person; the traits give the role: `UserFactory(engineer=True, lines=[1])`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    class Params:
        engineer = factory.Trait(role=Role.ENGINEER)
        lead = factory.Trait(role=Role.LINE_LEAD)
        csm = factory.Trait(role=Role.CSM)
        manager = factory.Trait(role=Role.SUPPORT_MANAGER)
        top = factory.Trait(role=Role.TOP_MANAGEMENT)
        contract_admin = factory.Trait(role=Role.CONTRACT_ADMIN, is_staff=True)
        admin = factory.Trait(role=Role.ADMIN, is_staff=True, is_superuser=True)
        partner = factory.Trait(role=Role.PARTNER)

    email = factory.Sequence(lambda n: f"person{n}@example.com")
    full_name = factory.Sequence(lambda n: f"{GIVEN_NAMES[n % len(GIVEN_NAMES)]} {FAMILY_NAMES[n % len(FAMILY_NAMES)]}")
    role = Role.CUSTOMER
    language = "ru"

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        return model_class.objects.create_user(**fields)

    @factory.post_generation
    def lines(self, create: bool, numbers: list[int] | None, **kwargs: Any) -> None:
        if create and numbers:
            self.lines.set(numbers)


def an_engineer(line: int = 1, **fields: Any) -> User:
    return UserFactory(engineer=True, lines=[line], **fields)


def a_lead(line: int = 1, **fields: Any) -> User:
    return UserFactory(lead=True, lines=[line], **fields)


def a_csm(**fields: Any) -> User:
    return UserFactory(csm=True, **fields)


def a_manager(**fields: Any) -> User:
    return UserFactory(manager=True, **fields)


def top(**fields: Any) -> User:
    return UserFactory(top=True, **fields)


def a_contract_admin(**fields: Any) -> User:
    return UserFactory(contract_admin=True, **fields)


class ProductFactory(DjangoModelFactory):
    class Meta:
        model = Product
        django_get_or_create = ("code",)

    code = "sales"
    name = "Продажи"


class ReleaseFactory(DjangoModelFactory):
    """An official version."""

    class Meta:
        model = Release
        django_get_or_create = ("product", "version")

    product = factory.SubFactory(ProductFactory)
    version = "7.8.4"
    released_on = date(2025, 6, 2)


class CustomerFactory(DjangoModelFactory):
    """A company alone: no people, licences or contract. `a_customer` gives a whole one."""

    class Meta:
        model = Customer

    name = factory.Sequence(lambda n: f"ООО «Компания {n}»")


class LicenceFactory(DjangoModelFactory):
    class Meta:
        model = Licence

    customer = factory.SubFactory(CustomerFactory)
    release = factory.SubFactory(ReleaseFactory)
    product = factory.SelfAttribute("release.product")
    deployment = "on-site"
    seats = 25
    cost = Decimal("100000.00")
    starts_on = FIRST_DAY


def package(code: str) -> Package:
    return Package.objects.get(code=code)


def topic(code: str) -> Topic:
    return Topic.objects.get(pk=code)


def a_member(customer: Customer, **fields: Any) -> User:
    """A person of the company: an observer, unless made the contact."""
    person = UserFactory(**{"language": customer.language, **fields})
    CustomerMember.objects.create(customer=customer, user=person)
    return person


def a_contact(customer: Customer, *, since: datetime = SIGNED_AT, **fields: Any) -> User:
    """A person of the company who is its responsible contact from a moment on."""
    person = a_member(customer, **fields)
    ResponsibleContact.objects.create(customer=customer, user=person, starts_at=since)
    return person


def a_draft(customer: Customer, code: str = "premium", **fields: Any) -> Contract:
    """A draft of 2026."""
    return signing.draft(
        customer, package=package(code), **{"by": a_contract_admin(), "starts_on": FIRST_DAY, "at": SIGNED_AT, **fields}
    )


def a_clause(contract: Contract, **fields: Any) -> ContractClause:
    """A clause in force; of a signed contract an amendment from its signature on, as the database asks."""
    words = {"text_ru": "Особое условие.", "text_en": "A special condition."}
    return ContractClause.objects.create(contract=contract, **{**words, "starts_at": contract.signed_at, **fields})


def a_customer(
    package: str = "premium",
    *,
    csm: User | None = None,
    deployment: str = "on-site",
    cost: Decimal | str = "100000.00",
    starts_on: date = FIRST_DAY,
    ends_on: date | None = None,
    **fields: Any,
) -> Customer:
    """A company with a licence of an official release, an active contract of 2026, a contact and an observer.

    Its people and contract are `contact_of`, `observer_of`, `contract_of`. Premium has a dedicated CSM.
    """
    if package == "premium" and csm is None:
        csm = a_csm()
    since = datetime(starts_on.year, starts_on.month, starts_on.day, 9, tzinfo=MOSCOW)
    customer = CustomerFactory(csm=csm, **fields)
    a_contact(customer, since=since)
    a_member(customer)
    LicenceFactory(customer=customer, deployment=deployment, cost=Decimal(cost), starts_on=starts_on)
    by = a_contract_admin()
    contract = a_draft(customer, package, by=by, starts_on=starts_on, ends_on=ends_on)
    signing.activate(contract, by=by, at=since)
    customer.contract_events.update(notified_at=since)  # signed long ago: everybody was told of it then
    return customer


def contact_of(customer: Customer, at: datetime = TUESDAY_10) -> User:
    """The responsible contact at the moment."""
    person = customer.contact_at(at)
    assert person is not None
    return person


def observer_of(customer: Customer, at: datetime = TUESDAY_10) -> User:
    """The first of the customer's people who is not the contact."""
    return customer.members.exclude(user=contact_of(customer, at)).select_related("user").earliest("pk").user


def contract_of(customer: Customer) -> Contract:
    """The customer's active contract."""
    return customer.contracts.get(state=Contract.State.ACTIVE)


def open_ticket(customer: Customer | None = None, **fields: Any) -> Ticket:
    """An incident that the contact files on the portal on Tuesday at 10, unless told otherwise; `topic` by its code.

    `open_ticket(priority=1)` makes a Premium customer of its own.
    """
    customer = customer or a_customer()
    at = fields.pop("at", TUESDAY_10)
    by = fields.pop("by", None) or contact_of(customer, at)
    if isinstance(fields.get("topic"), str):
        fields["topic"] = topic(fields["topic"])
    fields = {
        "subject": "Не открывается карточка контакта",
        "body": "При открытии карточки появляется пустая страница.",
        "kind": None if fields.get("topic") else "incident",
        "priority": 3,
        **fields,
    }
    return workflow.open_ticket(customer=customer, by=by, at=at, **fields)


class TicketFactory(factory.Factory):
    """`open_ticket` for those who want a batch: no test lives in a state that the product cannot reach."""

    class Meta:
        model = Ticket

    customer = factory.LazyFunction(a_customer)
    subject = factory.Sequence(lambda n: f"Не сохраняется заказ № {n}")
    body = "При сохранении появляется сообщение об ошибке."

    @classmethod
    def _create(cls, model_class: type[Ticket], *args: Any, **fields: Any) -> Ticket:
        return open_ticket(**fields)
