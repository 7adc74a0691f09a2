"""What is sold and to whom: the catalogue of packages (domain §1), customers, licences and contracts (domain §2)."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from accounts.models import Bilingual, known_time_zone

if TYPE_CHECKING:
    from accounts.models import User
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


# The catalogue


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


# What customers own


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


class CustomerQuerySet(models.QuerySet["Customer"]):
    def without_cover(self, day: date) -> "CustomerQuerySet":
        """Customers with a licence in force and no contract in force on this day: coverage gaps (domain §1.1)."""
        licence = Licence.objects.in_force(day).filter(customer=models.OuterRef("pk"))
        contract = Contract.objects.in_force(day).filter(customer=models.OuterRef("pk"))
        return self.filter(models.Exists(licence)).exclude(models.Exists(contract))


class Customer(models.Model):
    """A company that uses the vendor's software."""

    name = models.CharField(_("company"), max_length=160)
    csm: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="portfolio",
        verbose_name=_("Customer Success Manager"),
        limit_choices_to={"role": "csm"},
    )
    timezone = models.CharField(_("time zone"), max_length=64, default="Europe/Moscow", validators=[known_time_zone])
    language = models.CharField(
        _("language"), max_length=2, choices=[("ru", "Русский"), ("en", "English")], default="ru"
    )
    city = models.CharField(_("city"), max_length=80, blank=True)

    objects: ClassVar = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["name"], name="customer_once")]

    def __str__(self) -> str:
        return self.name

    def contact_at(self, at: datetime) -> "User | None":
        """The one responsible contact at a moment (domain §1.7.1)."""
        row = self.contacts.holding(at).select_related("user").first()
        return row.user if row else None


class CustomerMember(models.Model):
    """A person of a customer. Who of them may file is `ResponsibleContact`; the rest observe (domain §2)."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="members", verbose_name=_("customer"))
    user: "models.OneToOneField[User]" = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="membership", verbose_name=_("person")
    )
    position = models.CharField(pgettext_lazy("person", "position"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("person of a customer")
        verbose_name_plural = _("people of customers")

    def __str__(self) -> str:
        return f"{self.user}, {self.customer}"


class ResponsibleContactQuerySet(models.QuerySet["ResponsibleContact"]):
    def holding(self, at: datetime) -> "ResponsibleContactQuerySet":
        return self.filter(starts_at__lte=at).filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at))


class ResponsibleContact(models.Model):
    """Who speaks for the customer, from a moment to a moment, [start, end). Exactly one at any moment (domain §2)."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contacts", verbose_name=_("customer"))
    user: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="contact_of", verbose_name=_("person")
    )
    starts_at = models.DateTimeField(pgettext_lazy("date", "from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    objects: ClassVar = ResponsibleContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("responsible contact")
        verbose_name_plural = _("responsible contacts")
        ordering: ClassVar = ["customer", "-starts_at"]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="contact_one_at_any_moment",
                expressions=[
                    (
                        Func(
                            "starts_at",
                            "ends_at",
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("customer", RangeOperators.EQUAL),
                ],
                violation_error_message=_(
                    "The customer already has a responsible contact at that time: there is exactly one (domain §1.7.1)."
                ),
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")), name="contact_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.customer}"


class LicenceQuerySet(models.QuerySet["Licence"]):
    def in_force(self, day: date) -> "LicenceQuerySet":
        return self.filter(starts_on__lte=day).filter(Q(ends_on__isnull=True) | Q(ends_on__gte=day))


class Licence(models.Model):
    """The right to use a product: deployment, cost in EUR, term (both days included), installed release (domain §2)."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="licences", verbose_name=_("customer"))
    product = models.ForeignKey(Product, models.PROTECT, related_name="licences", verbose_name=_("product"))
    deployment = models.CharField(_("deployment"), max_length=10, choices=Deployment.choices)
    seats = models.PositiveIntegerField(_("users"), default=1)
    cost = models.DecimalField(_("cost, EUR"), max_digits=12, decimal_places=2, validators=[NOT_NEGATIVE])
    starts_on = models.DateField(pgettext_lazy("date", "from"))
    ends_on = models.DateField(pgettext_lazy("date", "to"), null=True, blank=True)
    release = models.ForeignKey(
        Release, models.PROTECT, null=True, blank=True, related_name="licences", verbose_name=_("installed release")
    )

    objects: ClassVar = LicenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("licence")
        verbose_name_plural = _("licences")
        ordering: ClassVar = ["customer", "product"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(cost__gte=0), name="licence_cost_not_negative"),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")), name="licence_ends_after_start"
            ),
            models.CheckConstraint(condition=Q(deployment__in=Deployment.values), name="licence_deployment_known"),
        ]

    def __str__(self) -> str:
        return f"{self.product}, {self.get_deployment_display()}, {self.customer}"


# Contracts


class ContractQuerySet(models.QuerySet["Contract"]):
    def in_force(self, day: date) -> "ContractQuerySet":
        """Contracts that cover this day: activated, both ends of the term included."""
        # One that is over covered the days of its term, a terminated one those to its last day: a question about a day
        # that is past gets that day's answer, and no gap is left before the successor, which starts the day after.
        lasted = Q(state__in=[Contract.State.ACTIVE, Contract.State.EXPIRED]) | Q(
            state=Contract.State.TERMINATED, terminated_on__gte=day
        )
        return self.filter(lasted, starts_on__lte=day, ends_on__gte=day)


class LastDay(Func):
    """The first day on which a contract of one year may end: a year after its start, less a day."""

    template = "((%(expressions)s + interval '1 year' - interval '1 day')::date)"
    output_field = models.DateField()


class Contract(FSMModelMixin, models.Model):
    """A support contract (domain §2). Only `contracts/signing.py` changes its state."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("active")
        EXPIRED = "expired", _("expired")
        TERMINATED = "terminated", _("terminated")

    number = models.CharField(_("number"), max_length=40, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contracts", verbose_name=_("customer"))
    terms = models.ForeignKey(PackageTerms, models.PROTECT, related_name="contracts", verbose_name=_("terms"))
    starts_on = models.DateField(pgettext_lazy("date", "from"))
    ends_on = models.DateField(pgettext_lazy("date", "to"))
    state = FSMField(_("state"), max_length=12, choices=State.choices, default=State.DRAFT, protected=True)
    signed_at = models.DateTimeField(_("signed at"), null=True, blank=True)
    signed_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("signed by")
    )
    terminated_on = models.DateField(_("last day, when terminated"), null=True, blank=True)
    termination_reason = models.TextField(_("reason of termination"), blank=True)
    predecessor = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="successor", verbose_name=_("renews")
    )

    objects: ClassVar = ContractQuerySet.as_manager()

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        ordering: ClassVar = ["customer", "-starts_on"]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="contract_never_overlaps",
                expressions=[
                    (
                        Func(
                            F("starts_on"),
                            Coalesce("terminated_on", "ends_on"),
                            RangeBoundary(inclusive_lower=True, inclusive_upper=True),
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("customer", RangeOperators.EQUAL),
                ],
                # Of what was signed: a draft that was given up never covered a day.
                condition=Q(signed_at__isnull=False),
                violation_error_message=_("Two contracts of one customer never overlap in time (domain §2)."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__gte=LastDay(F("starts_on"))),
                name="contract_one_year_at_least",
                violation_error_message=_("A contract runs at least one year (domain §1.7.3)."),
            ),
            models.CheckConstraint(
                condition=Q(terminated_on__isnull=True) | Q(terminated_on__gte=F("starts_on")),
                name="contract_terminated_after_start",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(state="terminated") | Q(signed_at__isnull=False),
                name="contract_active_is_signed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "active", "expired", "terminated"]), name="contract_state_known"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(state, source=State.DRAFT, target=State.ACTIVE)
    def activate(self) -> None: ...

    @transition(state, source=State.ACTIVE, target=State.EXPIRED)
    def expire(self) -> None: ...

    @transition(state, source=[State.DRAFT, State.ACTIVE], target=State.TERMINATED)
    def terminate(self) -> None: ...


class ContractLine(models.Model):
    """What the contract covers and what that costs a year: one line for each licence, derived, never chosen (§2)."""

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="lines", verbose_name=_("contract"))
    licence = models.ForeignKey(Licence, models.PROTECT, related_name="contract_lines", verbose_name=_("licence"))
    starts_on = models.DateField(pgettext_lazy("date", "from"))
    percent = models.DecimalField(_("percent"), max_digits=5, decimal_places=2)
    amount = models.DecimalField(_("amount, EUR"), max_digits=12, decimal_places=2)
    arithmetic = models.TextField(_("how it was counted"))

    class Meta:
        verbose_name = _("line of a contract")
        verbose_name_plural = _("lines of a contract")
        ordering: ClassVar = ["contract", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contract", "licence"], name="contract_line_once_a_licence"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="contract_line_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.licence}: {self.amount}"


class ContractClause(models.Model):
    """An extra of one contract that overrides its package: a topic or a service included, or its own target (§2)."""

    contract = models.ForeignKey(Contract, models.CASCADE, related_name="clauses", verbose_name=_("contract"))
    text_ru = models.TextField(_("words of the clause, in Russian"))
    text_en = models.TextField(_("words of the clause, in English"))
    topic = models.ForeignKey(
        Topic, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("includes the topic")
    )
    service = models.ForeignKey(
        Service, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("includes the service")
    )
    kind = models.CharField(_("own target for"), max_length=20, choices=PromiseKind.choices, blank=True)
    priority = models.PositiveSmallIntegerField(_("priority"), null=True, blank=True)
    minutes = models.PositiveIntegerField(_("minutes of service time"), null=True, blank=True)

    class Meta:
        verbose_name = _("clause of a contract")
        verbose_name_plural = _("clauses of a contract")
        ordering: ClassVar = ["contract", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind="", priority__isnull=True, minutes__isnull=True)
                # Not null is said in so many words: a CHECK that is null lets the row through.
                | (
                    ~Q(kind="")
                    & Q(priority__isnull=False, priority__range=(1, 4), minutes__isnull=False, minutes__gt=0)
                ),
                name="clause_target_whole",
            )
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        return self.text_en if (get_language() or "ru").startswith("en") else self.text_ru
