"""Contracts: what covers a customer, from when to when, on which terms, with which clauses (domain §2)."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from contracts.models.catalogue import PackageTerms, PromiseKind, Service, Topic
from contracts.models.customers import Customer, Licence

if TYPE_CHECKING:
    from accounts.models import User


class ContractQuerySet(models.QuerySet["Contract"]):
    def visible_to(self, user: "User") -> "ContractQuerySet":
        """The contracts that this person may read (domain §7)."""
        return self.filter(customer__in=Customer.objects.visible_to(user))

    def in_force(self, day: date) -> "ContractQuerySet":
        """Contracts that cover this day: activated, both ends of the term included."""
        # One that is over covered the days of its term, a terminated one those to its last day: a question about a day
        # that is past gets that day's answer, and no gap is left before the successor, which starts the day after.
        lasted = Q(state__in=[Contract.State.ACTIVE, Contract.State.EXPIRED]) | Q(
            state=Contract.State.TERMINATED, terminated_on__gte=day
        )
        return self.filter(lasted, starts_on__lte=day, ends_on__gte=day)


class LastDay(Func):
    """The first day on which a contract of one year may end: a year after its start, less a day.

    As `pricing.anniversary` has it: a year from 29 February is over on the next 28 February, not on the 27th.
    """

    template = (
        "((%(expressions)s + interval '1 year')::date - CASE WHEN EXTRACT(MONTH FROM %(expressions)s) = 2"
        " AND EXTRACT(DAY FROM %(expressions)s) = 29 THEN 0 ELSE 1 END)"
    )
    output_field = models.DateField()

    def as_sql(self, compiler: Any, connection: Any, *arguments: Any, **context: Any) -> tuple[str, Any]:
        """The day stands three times in the template, so its parameter does too."""
        sql, params = super().as_sql(compiler, connection, *arguments, **context)
        return sql, [*params] * 3


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
        indexes: ClassVar = [
            # The list of contracts: WHERE state = … ORDER BY ends_on, id (contracts/views/contracts.py), the work list
            # of the renewals: WHERE state = 'active' AND ends_on <= … (contracts/signing/renewals.py).
            models.Index("state", "ends_on", "id", name="contract_by_end"),
            # The list of contracts of every state: ORDER BY ends_on, id.
            models.Index("ends_on", "id", name="contract_by_any_end"),
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
    # As counted: what the licence cost when it was covered.
    cost = models.DecimalField(_("licence cost, EUR"), max_digits=12, decimal_places=2)
    is_added = models.BooleanField(_("added after the signing"), default=False)
    percent = models.DecimalField(_("percent"), max_digits=5, decimal_places=2)
    amount = models.DecimalField(_("amount, EUR"), max_digits=12, decimal_places=2)
    arithmetic = models.TextField(_("how it was counted"))

    class Meta:
        verbose_name = _("line of a contract")
        verbose_name_plural = _("lines of a contract")
        ordering: ClassVar = ["contract", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contract", "licence"], name="contract_line_once_a_licence"),
            models.CheckConstraint(condition=Q(amount__gte=0, cost__gte=0), name="contract_line_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.licence}: {self.amount}"


class ContractClauseQuerySet(models.QuerySet["ContractClause"]):
    def in_force(self, at: datetime) -> "ContractClauseQuerySet":
        """The clauses that hold at this moment; those of the contract's first words have no moment of their own."""
        return self.filter(
            Q(starts_at__isnull=True) | Q(starts_at__lte=at), Q(ends_at__isnull=True) | Q(ends_at__gt=at)
        )


class ContractClause(models.Model):
    """An extra of one contract that overrides its package: a topic or a service included, or its own target (§2).

    Written into a draft it holds with the contract (`starts_at` null); agreed later it holds from its moment on, so
    that a ticket received before keeps what it was promised (domain §4).
    """

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
    starts_at = models.DateTimeField(pgettext_lazy("date", "from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)

    objects: ClassVar = ContractClauseQuerySet.as_manager()

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
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(starts_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="clause_ends_after_start",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        return self.text_en if (get_language() or "ru").startswith("en") else self.text_ru
