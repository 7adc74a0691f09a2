"""The one gate of webinars (domain §5): plan, change, call off, sign up, sign off, publish the recording.

CSMs and the support manager plan them (domain §7); a CSM's individual webinars are for own customers. Everybody of a
customer may sign up, observers too: a lesson is no request. A webinar's row is locked while its seats are counted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Role, User
from accounts.refusals import Forbidden, Refused
from contracts.models import Customer, Product
from contracts.signing import moscow_day
from success.models import HTTPS, LONGEST, MATERIALS, Registration, Webinar

KEEPERS = frozenset({Role.CSM, Role.SUPPORT_MANAGER})
SECTION = "5"


class NotAllowed(Refused):
    """A rule of webinars says no; the message is fit for the person who asked."""

    def __init__(self, message: str) -> None:
        super().__init__(message, SECTION)


class Full(NotAllowed):
    """All seats are taken."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is told of a webinar beforehand; `products` empty and `customer` None: it is for everybody."""

    title: str
    about: str
    starts_at: datetime
    minutes: int
    host: User
    language: str = "ru"
    products: tuple[Product, ...] = ()
    customer: Customer | None = None
    join_url: str = ""
    seats: int | None = None

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)


@transaction.atomic
def plan(told: Plan, *, by: User, at: datetime) -> Webinar:
    """A new webinar, open for signing up at once. Raises `NotAllowed`, `Forbidden`."""
    _of_keepers(by, told.customer)
    _sound(told)
    if told.starts_at <= at:
        raise NotAllowed(_("A webinar is planned for a moment that is still to come."))
    webinar = Webinar(created_by=by, created_at=at)
    _write(webinar, told)
    return webinar


@transaction.atomic
def change(webinar: Webinar, told: Plan, *, by: User, at: datetime) -> Webinar:
    """Writes it anew; who has signed up stays signed up. Raises `NotAllowed`, `Forbidden`.

    For whom it is stays as it is once somebody has signed up, and there are never fewer seats than people.
    """
    webinar = _kept(webinar, by)
    _of_keepers(by, told.customer)
    _still_on(webinar, at)
    _sound(told)
    if told.starts_at != webinar.starts_at and (told.starts_at <= at or webinar.starts_at <= at):
        raise NotAllowed(_("A webinar is moved before it begins, and to a moment that is still to come."))
    if told.ends_at <= at:
        raise NotAllowed(_("So it would be over already."))
    taken = webinar.registrations.active().count()
    if taken and (
        told.customer != webinar.customer
        or {one.pk for one in told.products} != {one.pk for one in webinar.products.all()}
    ):
        raise NotAllowed(
            _("Somebody has signed up: for whom the webinar is stays as it is. Call it off and plan another.")
        )
    if told.seats is not None and told.seats < taken:
        raise NotAllowed(
            ngettext(
                "%(n)d person has signed up: there cannot be fewer seats.",
                "%(n)d people have signed up: there cannot be fewer seats.",
                taken,
            )
            % {"n": taken}
        )
    webinar.edition += 1
    _write(webinar, told)
    return webinar


@transaction.atomic
def call_off(webinar: Webinar, *, reason: str, by: User, at: datetime) -> Webinar:
    """It does not take place; those who signed up read the reason. Raises `NotAllowed`, `Forbidden`."""
    webinar = _kept(webinar, by)
    _still_on(webinar, at)
    reason = reason.strip()
    if not reason:
        raise NotAllowed(_("Write why: everybody who has signed up reads it."))
    webinar.cancelled_at, webinar.cancelled_by, webinar.reason = at, by, reason[:300]
    webinar.edition += 1
    webinar.save(update_fields=["cancelled_at", "cancelled_by", "reason", "edition"])
    return webinar


@transaction.atomic
def sign_up(webinar: Webinar, *, by: User, at: datetime) -> Registration:
    """A seat for the person; said twice, it is one. Raises `Full`, `NotAllowed`, `Forbidden`.

    The webinar's row is locked first: of two who want the last seat at one moment, the second finds it taken.
    """
    webinar = _seen(webinar, by, at)
    _still_on(webinar, at)
    found = webinar.registrations.active().filter(person=by).first()
    if found is not None:
        return found
    if webinar.seats is not None and webinar.registrations.active().count() >= webinar.seats:
        raise Full(_("All seats of this webinar are taken. When somebody signs off, a seat is free again."))
    return Registration.objects.create(webinar=webinar, person=by, at=at)


@transaction.atomic
def sign_off(webinar: Webinar, *, by: User, at: datetime) -> Webinar:
    """The seat is free again; said twice, nothing more happens. Raises `NotAllowed`, `Forbidden`."""
    webinar = _seen(webinar, by, at)
    if webinar.ends_at <= at:
        raise NotAllowed(_("This webinar is over."))
    webinar.registrations.active().filter(person=by).update(cancelled_at=at)
    return webinar


@transaction.atomic
def publish_recording(webinar: Webinar, *, recording_url: str, materials: str, by: User, at: datetime) -> Webinar:
    """The addresses of the recording and the materials (one a line, behind a blank its name), for all who see it.

    Materials may be there beforehand, a recording once it is over; empty ones take away what was there. Raises
    `NotAllowed`, `Forbidden`.
    """
    webinar = _kept(webinar, by)
    recording_url, materials = recording_url.strip(), tidy(materials)
    if webinar.cancelled_at:
        raise NotAllowed(_("This webinar was called off."))
    if recording_url and webinar.ends_at > at:
        raise NotAllowed(_("The recording is published when the webinar is over."))
    _https(recording_url)
    if materials and not re.fullmatch(MATERIALS, materials):
        raise NotAllowed(_("Materials are addresses that begin with https://, one a line."))
    webinar.recording_url, webinar.materials = recording_url, materials
    webinar.save(update_fields=["recording_url", "materials"])
    return webinar


def tidy(materials: str) -> str:
    """Lines without blanks around them, empty ones left out, one blank between an address and its words."""
    lines = (line.split(None, 1) for line in materials.splitlines())
    return "\n".join(" ".join(part.strip() for part in parts) for parts in lines if parts)


def _of_keepers(by: User, customer: Customer | None) -> None:
    if by.role not in KEEPERS:
        raise Forbidden(_("Webinars are planned by Customer Success Managers and the support manager."))
    if customer is not None and not Customer.objects.visible_to(by).filter(pk=customer.pk).exists():
        raise Forbidden(_("An individual webinar is for a customer of your own portfolio."))


def _sound(told: Plan) -> None:
    """What the form says first and the database last."""
    if not told.title.strip() or not told.about.strip():
        raise NotAllowed(_("A webinar has a title and words about what it is about."))
    if not timedelta(0) < timedelta(minutes=told.minutes) <= LONGEST:
        raise NotAllowed(_("A webinar takes between a minute and eight hours."))
    if told.seats is not None and told.seats < 1:
        raise NotAllowed(_("A webinar has at least one seat, or no limit."))
    if not told.host.is_active or not told.host.is_vendor:
        raise NotAllowed(_("The host is somebody of ours who still works here."))
    _https(told.join_url)


def _audience(customer: Customer | None, products: Iterable[Product]) -> tuple[int | None, frozenset[int]]:
    return (customer.pk if customer else None), frozenset(product.pk for product in products)


def _https(address: str) -> None:
    if address and not re.fullmatch(HTTPS, address):
        raise NotAllowed(_("An address begins with https://."))


def _still_on(webinar: Webinar, at: datetime) -> None:
    if webinar.cancelled_at:
        raise NotAllowed(_("This webinar was called off."))
    if webinar.ends_at <= at:
        raise NotAllowed(_("This webinar is over."))


def _kept(webinar: Webinar, by: User) -> Webinar:
    """The row, locked, for one who keeps it."""
    _of_keepers(by, None)
    found = Webinar.objects.kept_by(by).select_for_update(of=("self",)).filter(pk=webinar.pk).first()
    if found is None:
        raise Forbidden(_("An individual webinar is for a customer of your own portfolio."))
    return found


def _seen(webinar: Webinar, by: User, at: datetime) -> Webinar:
    """The row, locked, for a customer's person who sees it."""
    seen = Webinar.objects.visible_to(by, on=moscow_day(at))
    found = seen.select_for_update(of=("self",)).filter(pk=webinar.pk).first()
    if found is None:
        raise Forbidden(_("This webinar is not for your company."))
    return found


def _write(webinar: Webinar, told: Plan) -> None:
    webinar.title, webinar.about, webinar.language = told.title.strip(), told.about.strip(), told.language
    webinar.starts_at, webinar.ends_at = told.starts_at, told.ends_at
    webinar.host, webinar.customer = told.host, told.customer
    webinar.join_url, webinar.seats = told.join_url, told.seats
    webinar.save()
    webinar.products.set(told.products)
