"""A customer as the desk needs it in a conversation: what is bought, who speaks, what runs and how it went (§6.7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, Q, Sum

from contracts import entitlement
from contracts.entitlement import CONTRACT_ZONE, NotCovered
from contracts.models import Contract, Customer, Licence, Release, Service
from sla.clocks import CUSTOMER_PROMISES
from sla.models import Commitment
from tickets.durations import spent_words
from tickets.models import OPEN_STATES, Rating, Ticket, TimeEntry

DAYS = 90
OPEN_SHOWN = 20
PAGE = 20


@dataclass(frozen=True)
class Person:
    name: str
    position: str
    phone: str
    email: str
    local_time: str
    is_contact: bool


@dataclass(frozen=True)
class Installed:
    """A licence in force; `newer` is the newest official release where it is not the installed one, "" else."""

    licence: Licence
    newer: str


@dataclass(frozen=True)
class Record:
    """The last ninety days: promises kept and missed, ratings, time."""

    kept: int
    missed: int
    ratings: int
    score: float | None
    time: str


def contract_now(customer: Customer, at: datetime) -> tuple[Contract | None, str]:
    """(contract in force, ""), or (None, why there is none)."""
    try:
        return entitlement.contract_of(customer, at=at), ""
    except NotCovered as refusal:
        return None, str(refusal.message)


def days_left(contract: Contract, at: datetime) -> int:
    """Days of the contract from today on, today and the last one counted."""
    return ((contract.terminated_on or contract.ends_on) - at.astimezone(CONTRACT_ZONE).date()).days + 1


def services(contract: Contract, at: datetime) -> list[tuple[Service, bool]]:
    """Every service and whether the contract includes it; three statements."""
    included = entitlement.services_of(contract, at=at)
    return [(service, service.pk in included) for service in Service.objects.all()]


def people_of(customer: Customer, at: datetime) -> list[Person]:
    """The contact first, then the observers, each with the time of day where they are."""
    contact = customer.contact_at(at)
    members = customer.members.select_related("user").filter(user__is_active=True).order_by("user__full_name", "pk")
    people = [
        Person(
            row.user.full_name,
            row.position,
            row.user.phone,
            row.user.email,
            f"{at.astimezone(ZoneInfo(row.user.timezone)):%H:%M}",
            contact is not None and row.user_id == contact.pk,
        )
        for row in members
    ]
    return sorted(people, key=lambda person: not person.is_contact)


def installed(customer: Customer, at: datetime) -> list[Installed]:
    """Licences in force with what is installed, and whether newer official releases exist; two statements."""
    day = at.astimezone(CONTRACT_ZONE).date()
    licences = list(customer.licences.in_force(day).select_related("product", "release").order_by("product", "pk"))
    newest: dict[int, Release] = {}
    official = Release.objects.filter(
        product__in={licence.product_id for licence in licences}, is_official=True, released_on__lte=day
    )
    for release in official.order_by("released_on", "pk"):
        newest[release.product_id] = release
    found = []
    for licence in licences:
        last, has = newest.get(licence.product_id), licence.release
        is_newer = last is not None and (has is None or last.released_on > has.released_on)
        found.append(Installed(licence, last.version if last is not None and is_newer else ""))
    return found


def record_of(customer: Customer, at: datetime) -> Record:
    """Three statements over the customer's own rows."""
    since = at - timedelta(days=DAYS)
    promises = Commitment.objects.filter(ticket__customer=customer, kind__in=CUSTOMER_PROMISES).aggregate(
        kept=Count("pk", filter=Q(ending="met", stopped_at__gte=since)),
        missed=Count("pk", filter=Q(ending="missed", due_at__gte=since)),
    )
    ratings = Rating.objects.filter(ticket__customer=customer, at__gte=since).aggregate(
        n=Count("pk"), score=Avg("score")
    )
    spent = TimeEntry.objects.filter(ticket__customer=customer, at__gte=since).aggregate(minutes=Sum("minutes"))
    minutes = spent["minutes"] or 0
    return Record(
        promises["kept"],
        promises["missed"],
        ratings["n"],
        ratings["score"],
        spent_words(minutes) if minutes else "",
    )


def open_of(customer: Customer) -> list[Ticket]:
    """The customer's open tickets by deadline, the first twenty."""
    return list(Ticket.objects.open().filter(customer=customer).with_clocks().by_deadline()[:OPEN_SHOWN])


def history(customer: Customer, before: int | None) -> tuple[list[Ticket], int | None]:
    """A page of what is over, newest first (`ticket_of_customer`), and where the next one begins."""
    rows = Ticket.objects.filter(customer=customer).exclude(state__in=OPEN_STATES).select_related("product", "rating")
    if before is not None:
        rows = rows.filter(number__lt=before)
    found = list(rows.order_by("-number")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].number if len(found) > PAGE else None
