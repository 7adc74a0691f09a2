"""Webinars and who has signed up for them (domain §5). Only `success/webinars.py` changes one."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Role
from contracts.models import Customer, CustomerMember, Licence, Product

if TYPE_CHECKING:
    from accounts.models import User

LONGEST = timedelta(hours=8)
HTTPS = r"^https://[^\s]+$"
# One address a line; behind a blank the words for it: "https://example.com/1.pdf Слайды".
MATERIALS = r"^https://[^\s]+( [^\n]+)?(\nhttps://[^\s]+( [^\n]+)?)*$"


class WebinarQuerySet(models.QuerySet["Webinar"]):
    def visible_to(self, user: "User", *, on: date) -> "WebinarQuerySet":
        """What a customer's person may know of on a day: their company's own webinars; of the others those for
        everybody, those about a product of the company's licences in force, and those they have signed up for."""
        if user.role != Role.CUSTOMER:
            return self.none()
        member = CustomerMember.objects.filter(user=user)
        about = Webinar.products.through.objects.filter(webinar=OuterRef("pk"))
        licences = Licence.objects.in_force(on).filter(customer__in=member.values("customer"))
        mine = Registration.objects.active().filter(webinar=OuterRef("pk"), person=user)
        for_us = ~Exists(about) | Exists(about.filter(product__in=licences.values("product"))) | Exists(mine)
        return self.filter(
            Q(customer__in=member.values("customer")) | (Q(customer__isnull=True) & Exists(member) & for_us)
        )

    def kept_by(self, user: "User") -> "WebinarQuerySet":
        """What who plans webinars works on: the support manager all, a CSM the shared and those of own customers."""
        if user.role == Role.SUPPORT_MANAGER:
            return self.all()
        if user.role == Role.CSM:
            return self.filter(Q(customer__isnull=True) | Q(customer__csm=user))
        return self.none()

    def upcoming(self, now: datetime) -> "WebinarQuerySet":
        """Not over yet, called off ones too. The first bound is for the index `webinar_by_start`."""
        return self.filter(starts_at__gt=now - LONGEST, ends_at__gt=now)

    def past(self, now: datetime) -> "WebinarQuerySet":
        return self.filter(starts_at__lt=now, ends_at__lte=now)

    def with_taken(self) -> "WebinarQuerySet":
        """`taken`: how many are signed up."""
        rows = Registration.objects.active().filter(webinar=OuterRef("pk")).order_by()
        counted = rows.values("webinar").annotate(n=models.Count("pk")).values("n")
        return self.annotate(taken=Coalesce(models.Subquery(counted), 0))

    def with_mine(self, user: "User") -> "WebinarQuerySet":
        """`mine`: whether this person is signed up."""
        return self.annotate(mine=Exists(Registration.objects.active().filter(webinar=OuterRef("pk"), person=user)))


class Webinar(models.Model):
    """A lesson on the screen at a moment, [starts_at, ends_at): for all, for users of some products, for one customer.

    Without `products` it is for everybody; with a `customer` it is theirs alone. `seats` None: as many as come.
    `edition` counts the changes of what stands in calendars (RFC 5545 SEQUENCE).
    """

    title = models.CharField(_("title"), max_length=200)
    about = models.TextField(_("what it is about"), max_length=5000)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="ru")
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    host: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("host")
    )
    products: "models.ManyToManyField[Product, Any]" = models.ManyToManyField(
        Product, blank=True, related_name="webinars", verbose_name=_("products")
    )
    customer: "models.ForeignKey[Customer | None]" = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="webinars", verbose_name=_("customer")
    )
    join_url = models.URLField(_("address to join"), max_length=500, blank=True)
    recording_url = models.URLField(_("recording"), max_length=500, blank=True)
    materials = models.TextField(_("materials"), max_length=4000, blank=True)
    # Set by `with_taken` and `with_mine`.
    taken: int
    mine: bool

    seats = models.PositiveIntegerField(_("seats"), null=True, blank=True)
    edition = models.PositiveIntegerField(_("edition"), default=0)
    cancelled_at = models.DateTimeField(_("called off at"), null=True, blank=True)
    cancelled_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    created_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("planned by")
    )
    created_at = models.DateTimeField(_("planned at"))

    objects: ClassVar = WebinarQuerySet.as_manager()

    class Meta:
        verbose_name = _("webinar")
        verbose_name_plural = _("webinars")
        ordering: ClassVar = ["-starts_at", "-pk"]
        indexes: ClassVar = [
            # Both lists by key: WHERE starts_at > … ORDER BY starts_at, id, and backwards for the past
            # (success/webinar_lists.py); the next one of the portal's first page is the head of the first.
            models.Index("starts_at", "id", name="webinar_by_start"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="webinar_ends_after_start"),
            models.CheckConstraint(
                condition=Q(ends_at__lte=F("starts_at") + LONGEST), name="webinar_within_eight_hours"
            ),
            models.CheckConstraint(condition=~Q(title="") & ~Q(about=""), name="webinar_says_something"),
            models.CheckConstraint(condition=Q(language__in=["ru", "en"]), name="webinar_language_known"),
            models.CheckConstraint(condition=Q(seats__isnull=True) | Q(seats__gte=1), name="webinar_seats_positive"),
            models.CheckConstraint(condition=Q(join_url="") | Q(join_url__regex=HTTPS), name="webinar_joined_by_https"),
            models.CheckConstraint(
                condition=Q(recording_url="") | Q(recording_url__regex=HTTPS), name="webinar_recording_by_https"
            ),
            models.CheckConstraint(
                condition=Q(materials="") | Q(materials__regex=MATERIALS), name="webinar_materials_by_https"
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True, cancelled_by__isnull=True, reason="")
                | (Q(cancelled_at__isnull=False, cancelled_by__isnull=False) & ~Q(reason="")),
                name="webinar_called_off_with_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def minutes(self) -> int:
        return (self.ends_at - self.starts_at) // timedelta(minutes=1)

    @property
    def free(self) -> int | None:
        """Seats left, of a row `with_taken`; None: no limit."""
        return None if self.seats is None else max(self.seats - self.taken, 0)

    @property
    def listed_materials(self) -> list[tuple[str, str]]:
        """(address, words for it) of each material; the words are the address where none were written."""
        parts = (line.partition(" ") for line in self.materials.splitlines())
        return [(address, words or address) for address, _blank, words in parts if address]


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def active(self) -> "RegistrationQuerySet":
        return self.filter(cancelled_at__isnull=True)


class Registration(models.Model):
    """A person has signed up for a webinar; signed off again, the row stays with the moment."""

    webinar = models.ForeignKey(Webinar, models.PROTECT, related_name="registrations", verbose_name=_("webinar"))
    person: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="webinar_registrations", verbose_name=_("person")
    )
    at = models.DateTimeField(_("signed up at"))
    cancelled_at = models.DateTimeField(_("signed off at"), null=True, blank=True)

    objects: ClassVar = RegistrationQuerySet.as_manager()

    class Meta:
        verbose_name = pgettext_lazy("webinar", "registration")
        verbose_name_plural = pgettext_lazy("webinar", "registrations")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [
            # Who comes, by key: WHERE webinar = … AND cancelled_at IS NULL ORDER BY at, id (success/views/planning.py).
            models.Index("webinar", "at", "id", name="registration_list", condition=Q(cancelled_at__isnull=True)),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["webinar", "person"], condition=Q(cancelled_at__isnull=True), name="registration_once"
            ),
            models.CheckConstraint(
                condition=Q(cancelled_at__isnull=True) | Q(cancelled_at__gte=F("at")), name="registration_off_after_on"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.webinar}: {self.person}"
