"""Who is served and what they own: customers, their people and the one who speaks for them, licences (domain §2)."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Role, known_time_zone
from contracts.models.catalogue import NOT_NEGATIVE, Deployment, Product, Release

if TYPE_CHECKING:
    from accounts.models import User


class CustomerQuerySet(models.QuerySet["Customer"]):
    def visible_to(self, user: "User") -> "CustomerQuerySet":
        """The customers whose contracts this person may read: a CSM's are the own portfolio (domain §7)."""
        if not user.reads_contracts:
            return self.none()
        return self.filter(csm=user) if user.role == Role.CSM else self.all()

    def without_cover(self, day: date) -> "CustomerQuerySet":
        """Customers with a licence in force and no contract in force on this day: coverage gaps (domain §1.1)."""
        licence = Licence.objects.in_force(day).filter(customer=models.OuterRef("pk"))
        # By name: contracts know customers, not the other way round.
        contracts: Any = apps.get_model("contracts", "Contract").objects
        contract = contracts.in_force(day).filter(customer=models.OuterRef("pk"))
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
        indexes: ClassVar = [
            # The search of the list: WHERE upper(name) LIKE upper('%…%') for each word (contracts/customer_page.py).
            # Its order and pages, ORDER BY name and WHERE name > …, go by the index of `customer_once`.
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="customer_name_search"),
        ]

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
    change = models.ForeignKey(
        "contracts.ContactChange",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rows",
        verbose_name=_("change of the contact"),
    )

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

    @property
    def is_substitution(self) -> bool:
        """Whether the person stands in for somebody who speaks again afterwards (domain §2)."""
        return self.change is not None and self.change.ends_at is not None and self.user_id == self.change.user_id

    @property
    def is_return(self) -> bool:
        """Whether this is the row after a substitution: who was stood in for speaks again (domain §2)."""
        return self.change is not None and self.change.ends_at is not None and self.user_id != self.change.user_id


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

    @property
    def is_signed_for(self) -> bool:
        """Whether a signed contract covers it: its price stands as it was signed, so what it was counted from does."""
        return self.pk is not None and self.contract_lines.filter(contract__signed_at__isnull=False).exists()

    def clean(self) -> None:
        """In words what the database's `licence_signed_for` refuses."""
        super().clean()
        if not self.is_signed_for:
            return
        was = Licence.objects.get(pk=self.pk)
        kept = ("customer_id", "product_id", "deployment", "cost", "starts_on")
        if any(getattr(was, name) != getattr(self, name) for name in kept):
            raise ValidationError(
                _(
                    "A signed contract covers this licence: its product, deployment, cost and first day stay as they "
                    "were signed. Write down an added licence instead (domain §1.7.5)."
                )
            )


class ContactChangeQuerySet(models.QuerySet["ContactChange"]):
    def visible_to(self, user: "User") -> "ContactChangeQuerySet":
        """A customer's people see their own company's, who reads contracts those of the customers they read (§7)."""
        if user.role == Role.CUSTOMER:
            return self.filter(customer__members__user=user)
        return self.filter(customer__in=Customer.objects.visible_to(user)) if user.reads_contracts else self.none()


class ContactChange(models.Model):
    """A change of the responsible contact as a process: asked for, agreed by both sides, dated (domain §1.7.1, §2).

    With `ends_at` it is a substitution: the contact before speaks again from then on, by itself. The rows of
    `ResponsibleContact` that come of it point back here.
    """

    class State(models.TextChoices):
        ASKED = "asked", _("waits for both sides")
        AGREED = "agreed", _("agreed")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contact_changes", verbose_name=_("customer"))
    user: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who takes over")
    )
    starts_at = models.DateTimeField(pgettext_lazy("date", "from"))
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.ASKED)
    asked_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"))
    customer_agreed_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("agreed for the customer"),
    )
    customer_agreed_at = models.DateTimeField(_("the customer agreed"), null=True, blank=True)
    # Where the contact cannot be reached any more: the paper or letter by which the company said yes.
    customer_evidence = models.CharField(_("how the customer agreed"), max_length=300, blank=True)
    vendor_agreed_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("agreed for us"),
    )
    vendor_agreed_at = models.DateTimeField(_("we agreed"), null=True, blank=True)
    closed_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("settled by")
    )
    closed_at = models.DateTimeField(_("settled"), null=True, blank=True)
    words = models.CharField(_("why not"), max_length=300, blank=True)

    objects: ClassVar = ContactChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of the responsible contact")
        verbose_name_plural = _("changes of responsible contacts")
        ordering: ClassVar = ["-asked_at", "-pk"]
        indexes: ClassVar = [
            # What waits, oldest first: WHERE state = 'asked' ORDER BY asked_at, id (tickets/views/people.py).
            models.Index("asked_at", "id", name="contact_change_waiting", condition=Q(state="asked")),
            # What is settled, newest first: WHERE closed_at IS NOT NULL ORDER BY closed_at DESC, id DESC.
            models.Index(
                F("closed_at").desc(),
                F("id").desc(),
                name="contact_change_settled",
                condition=Q(closed_at__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["customer"],
                condition=Q(state="asked"),
                name="contact_change_one_open",
                violation_error_message=_("A change of the contact waits for its answer already."),
            ),
            models.CheckConstraint(
                condition=~Q(state="agreed")
                | Q(customer_agreed_at__isnull=False, vendor_agreed_at__isnull=False, closed_at__isnull=False),
                name="contact_change_agreed_by_both",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="contact_change_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "agreed", "refused", "withdrawn"]), name="contact_change_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.user}"
