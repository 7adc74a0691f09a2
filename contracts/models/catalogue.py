"""What is sold: packages with their dated terms, services, channels and topics (domain §1). Data, edited by people."""

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Bilingual

if TYPE_CHECKING:
    from sla.models import Calendar

NOT_NEGATIVE = MinValueValidator(Decimal("0"))


class Deployment(models.TextChoices):
    ON_SITE = "on-site", _("on-site")
    ON_DEMAND = "on-demand", _("on-demand")


class TicketKind(models.TextChoices):
    """What a request is (domain §3.1). Stands here because topics and clauses of contracts speak of it too."""

    INCIDENT = "incident", _("incident")
    SERVICE_REQUEST = "service_request", _("service request")
    CONSULTATION = "consultation", _("consultation")
    WISH = "wish", _("improvement wish")


class PromiseKind(models.TextChoices):
    """What a promise is about (domain §4.1)."""

    REACTION = "reaction", _("reaction")
    RESOLUTION = "resolution", _("resolution")
    LINE_ACCEPTANCE = "line_acceptance", _("line acceptance")
    ESCALATION_ANSWER = "escalation_answer", _("answer to an escalation")


class Service(Bilingual):
    """Something that a package entitles to (domain §1.2)."""

    code = models.SlugField(_("code"), max_length=40, primary_key=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("service")
        verbose_name_plural = _("services")
        ordering: ClassVar = ["position", "code"]


class Channel(Bilingual):
    """A way to reach support and the service that it needs (domain §3.5).

    A `live` channel (phone, chat, remote connection) also needs the package's calendar to be open now.
    """

    code = models.SlugField(_("code"), max_length=20, primary_key=True)
    service = models.ForeignKey(Service, models.PROTECT, related_name="channels", verbose_name=_("service"))
    is_live = models.BooleanField(_("needs open hours"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering: ClassVar = ["position", "code"]


class Topic(Bilingual):
    """What a request is about: decides the line that it enters and the service that it needs (domain §3.3).

    Without a service the topic is outside support (domain §1.7.2), unless a clause of the contract includes it.
    """

    code = models.SlugField(_("code"), max_length=40, primary_key=True)
    line = models.ForeignKey("accounts.Line", models.PROTECT, related_name="topics", verbose_name=_("line"))
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="topics", verbose_name=_("service")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=TicketKind.choices, default=TicketKind.INCIDENT)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering: ClassVar = ["position", "code"]

    @property
    def is_outside_support(self) -> bool:
        return self.service_id is None


class Package(Bilingual):
    """A support package: Basic, Business, Premium (domain §1)."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_sold = models.BooleanField(_("is sold"), default=True)

    class Meta:
        verbose_name = _("package")
        verbose_name_plural = _("packages")
        ordering: ClassVar = ["position", "code"]

    def terms_on(self, day: date) -> "PackageTerms | None":
        """The terms that a contract signed on this day is signed on."""
        return self.terms.filter(starts_on__lte=day).order_by("-starts_on").first()


class PackageTerms(models.Model):
    """What a package promises from a date on. Editing a package makes new terms; a contract keeps its own (§1.1)."""

    package = models.ForeignKey(Package, models.PROTECT, related_name="terms", verbose_name=_("package"))
    starts_on = models.DateField(pgettext_lazy("date", "from"))
    calendar: "models.ForeignKey[Calendar]" = models.ForeignKey(
        "sla.Calendar", models.PROTECT, related_name="terms", verbose_name=_("service hours")
    )
    services = models.ManyToManyField(Service, blank=True, related_name="terms", verbose_name=_("services"))

    class Meta:
        verbose_name = _("terms of a package")
        verbose_name_plural = _("terms of packages")
        ordering: ClassVar = ["package", "-starts_on"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["package", "starts_on"], name="terms_once_a_day")]

    def __str__(self) -> str:
        return _("%(package)s from %(day)s") % {"package": self.package, "day": self.starts_on}


class TermsPrice(models.Model):
    """The yearly price of support: percent of the licence cost, and the least it can be, in EUR (domain §1.1)."""

    terms = models.ForeignKey(PackageTerms, models.CASCADE, related_name="prices", verbose_name=_("terms"))
    deployment = models.CharField(_("deployment"), max_length=10, choices=Deployment.choices)
    percent = models.DecimalField(_("percent"), max_digits=5, decimal_places=2, validators=[NOT_NEGATIVE])
    minimum = models.DecimalField(
        _("at least, EUR a year"), max_digits=12, decimal_places=2, default=Decimal(0), validators=[NOT_NEGATIVE]
    )

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering: ClassVar = ["terms", "-deployment"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["terms", "deployment"], name="price_once_a_deployment"),
            models.CheckConstraint(condition=Q(percent__gte=0, minimum__gte=0), name="price_not_negative"),
            models.CheckConstraint(condition=Q(deployment__in=Deployment.values), name="price_deployment_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_deployment_display()}: {self.percent} %"


class TermsTarget(models.Model):
    """How soon: the target of one promise at one priority (domain §1.4, §1.5, §4.4)."""

    class Unit(models.TextChoices):
        MINUTES = "minutes", _("minutes of service time")
        WORKING_DAYS = "working_days", _("working days")

    terms = models.ForeignKey(PackageTerms, models.CASCADE, related_name="targets", verbose_name=_("terms"))
    kind = models.CharField(_("promise"), max_length=20, choices=PromiseKind.choices)
    priority = models.PositiveSmallIntegerField(_("priority"))
    amount = models.PositiveIntegerField(_("at most"))
    unit = models.CharField(_("counted in"), max_length=12, choices=Unit.choices, default=Unit.MINUTES)
    calendar: "models.ForeignKey[Calendar]" = models.ForeignKey(
        "sla.Calendar", models.PROTECT, related_name="targets", verbose_name=_("counted on")
    )

    class Meta:
        verbose_name = _("target")
        verbose_name_plural = _("targets")
        ordering: ClassVar = ["terms", "kind", "priority"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["terms", "kind", "priority"], name="target_once_a_priority"),
            models.CheckConstraint(condition=Q(priority__range=(1, 4)), name="target_priority_1_to_4"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="target_not_nothing"),
            models.CheckConstraint(condition=Q(kind__in=PromiseKind.values), name="target_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.priority}: {self.amount} {self.get_unit_display()}"


class Product(models.Model):
    """A product of the vendor."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Release(models.Model):
    """A version of a product; only an official one can be supported (domain §1.7.4)."""

    product = models.ForeignKey(Product, models.PROTECT, related_name="releases", verbose_name=_("product"))
    version = models.CharField(_("version"), max_length=40)
    released_on = models.DateField(_("released on"))
    is_official = models.BooleanField(_("official"), default=True)

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering: ClassVar = ["product", "-released_on"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["product", "version"], name="release_once")]

    def __str__(self) -> str:
        return f"{self.product} {self.version}"
