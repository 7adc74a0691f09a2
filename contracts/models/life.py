"""What happens to contracts: the log, offers to renew, coverage gaps, signed documents (domain §1.1, §2)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contracts.models.contract import Contract
from contracts.models.customers import Customer

if TYPE_CHECKING:
    from accounts.models import User


class ContractEvent(models.Model):
    """What happened to a customer's contracts, licences or contact: who, when, what. Append-only, and the outbox."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contract_events", verbose_name=_("customer"))
    contract = models.ForeignKey(
        Contract, models.PROTECT, null=True, blank=True, related_name="events", verbose_name=_("contract")
    )
    verb = models.CharField(_("what"), max_length=30)
    by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))
    details = models.JSONField(_("details"), default=dict, blank=True)
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)

    class Meta:
        verbose_name = _("event of a contract")
        verbose_name_plural = _("events of contracts")
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="contract_event_outbox", condition=Q(notified_at__isnull=True)),
            # The log of a customer's page, newest first: WHERE customer = … ORDER BY at DESC, id DESC.
            models.Index("customer", F("at").desc(), F("id").desc(), name="contract_event_log"),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.verb}"


class RenewalOffer(models.Model):
    """The successor was offered so many days ahead of a contract's end: 90, 60, 30 (domain §2). Each once."""

    class Answer(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        DECLINED = "declined", _("declined")

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="offers", verbose_name=_("contract that ends"))
    successor = models.ForeignKey(Contract, models.PROTECT, related_name="offered_by", verbose_name=_("successor"))
    days_ahead = models.PositiveSmallIntegerField(_("days ahead"))
    offered_at = models.DateTimeField(_("offered"))
    # As offered; null where the successor could not be priced, and the contract administrator is told why.
    total = models.DecimalField(_("price of the term, EUR"), max_digits=14, decimal_places=2, null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=8, choices=Answer.choices, blank=True)
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    answered_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    words = models.CharField(_("in their words"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("offer to renew")
        verbose_name_plural = _("offers to renew")
        ordering: ClassVar = ["contract", "-days_ahead"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["contract", "days_ahead"], name="renewal_offered_once"),
            models.CheckConstraint(
                condition=Q(answer="", answered_at__isnull=True)
                | Q(answer__in=["accepted", "declined"], answered_at__isnull=False),
                name="renewal_answer_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract}: {self.days_ahead}"


class CoverageGap(models.Model):
    """A customer used the software without a contract from a day to a day, both included (domain §1.1)."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="gaps", verbose_name=_("customer"))
    starts_on = models.DateField(pgettext_lazy("date", "from"))
    ended_on = models.DateField(_("last day"), null=True, blank=True)
    noticed_at = models.DateTimeField(_("noticed"))

    class Meta:
        verbose_name = _("coverage gap")
        verbose_name_plural = _("coverage gaps")
        ordering: ClassVar = ["starts_on", "pk"]
        indexes: ClassVar = [
            # The open gaps, oldest first: WHERE ended_on IS NULL ORDER BY starts_on, id (contracts/views/renewals.py).
            models.Index("starts_on", "id", name="gap_open_by_start", condition=Q(ended_on__isnull=True)),
            # The ended ones, latest first: WHERE ended_on IS NOT NULL ORDER BY ended_on DESC, id DESC.
            models.Index(
                F("ended_on").desc(), F("id").desc(), name="gap_ended_latest", condition=Q(ended_on__isnull=False)
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["customer"], condition=Q(ended_on__isnull=True), name="gap_one_open"),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("starts_on")), name="gap_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.starts_on}"


class ContractDocument(models.Model):
    """The document as it was signed, in one language, kept byte for byte; `sha256` lets anybody check a copy."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="documents", verbose_name=_("contract"))
    language = models.CharField(_("language"), max_length=2)
    body = models.BinaryField(_("PDF"))
    sha256 = models.CharField("SHA-256", max_length=64)
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("document of a contract")
        verbose_name_plural = _("documents of contracts")
        constraints: ClassVar = [models.UniqueConstraint(fields=["contract", "language"], name="document_once")]

    def __str__(self) -> str:
        return f"{self.contract}, {self.language}"
