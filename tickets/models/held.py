"""Requests that are not tickets yet (domain §2, §3.5)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models.conversation import attachment_path
from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class HeldRequestQuerySet(models.QuerySet["HeldRequest"]):
    def for_contact(self) -> "HeldRequestQuerySet":
        """Words of colleagues that wait for the yes or no of their company's contact (domain §1.7.1)."""
        return self.filter(
            settled_at__isnull=True, reason=HeldRequest.Reason.NOT_CONTACT, customer__isnull=False, sender__isnull=False
        )


class HeldRequest(models.Model):
    """A request that is not a ticket yet: recorded, answered why, and put before a person (domain §2, §3.5).

    No contract in force; the sender is not the responsible contact; not in the package; the address is not known.
    What a colleague of the contact wrote waits for the contact's confirmation; everything that the ticket will need
    then is kept here: `about` (the ticket that it answers), `quoted`, `language`, `message_id`, `files`.
    """

    class Reason(models.TextChoices):
        NO_CONTRACT = "no_contract", _("no contract in force")
        NOT_CONTACT = "not_contact", _("the sender is not the responsible contact")
        NOT_IN_PACKAGE = "not_in_package", _("not in the package")
        UNKNOWN_SENDER = "unknown_sender", _("the sender is not known")

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", pgettext_lazy("held request", "confirmed by the contact")
        DROPPED = "dropped", pgettext_lazy("held request", "not needed, says the contact")
        BY_HAND = "by_hand", pgettext_lazy("held request", "a request was opened by hand")
        ANSWERED = "answered", pgettext_lazy("held request", "answered")

    customer = models.ForeignKey(
        "contracts.Customer", models.PROTECT, null=True, blank=True, related_name="held", verbose_name=_("customer")
    )
    sender: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sender")
    )
    sender_address = models.CharField(_("address"), max_length=254, blank=True)
    channel = models.ForeignKey("contracts.Channel", models.PROTECT, related_name="+", verbose_name=_("channel"))
    reason = models.CharField(_("why"), max_length=20, choices=Reason.choices)
    words = models.TextField(_("what the sender was told"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), blank=True)
    quoted = models.TextField(_("quoted text"), blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=998, null=True, blank=True)
    about = models.ForeignKey(
        Ticket, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answer in the ticket")
    )
    received_at = models.DateTimeField(_("received"))
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("settled by")
    )
    outcome = models.CharField(_("how it was settled"), max_length=10, choices=Outcome.choices, blank=True)
    settled_words = models.CharField(_("settled, in words"), max_length=500, blank=True)
    ticket = models.ForeignKey(
        Ticket, models.PROTECT, null=True, blank=True, related_name="held_requests", verbose_name=_("ticket")
    )

    objects: ClassVar = HeldRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("held request")
        verbose_name_plural = _("held requests")
        ordering: ClassVar = ["-received_at"]
        indexes: ClassVar = [
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="held_outbox", condition=Q(notified_at__isnull=True)),
            # What waits, oldest first: WHERE settled_at IS NULL ORDER BY received_at, id (tickets/views/held.py).
            models.Index("received_at", "id", name="held_waiting", condition=Q(settled_at__isnull=True)),
            # What is settled, newest first: WHERE settled_at IS NOT NULL ORDER BY settled_at DESC, id DESC.
            models.Index(
                F("settled_at").desc(), F("id").desc(), name="held_settled", condition=Q(settled_at__isnull=False)
            ),
            # The portal's first page: a company's letters that wait for its contact, oldest first.
            models.Index(
                "customer",
                "received_at",
                "id",
                name="held_for_contact",
                condition=Q(settled_at__isnull=True, reason="not_contact"),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(outcome="confirmed") | Q(ticket__isnull=False, settled_at__isnull=False),
                name="held_confirmed_has_ticket",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def waits_for_contact(self) -> bool:
        """Whether a colleague's words wait for the contact's yes or no (domain §1.7.1)."""
        is_a_colleagues = self.customer_id is not None and self.sender_id is not None
        return self.settled_at is None and self.reason == self.Reason.NOT_CONTACT and is_a_colleagues


class HeldFile(models.Model):
    """A file of a request that waits for the contact; it moves into the ticket with the confirmation."""

    held = models.ForeignKey(HeldRequest, models.CASCADE, related_name="files", verbose_name=_("held request"))
    file = models.FileField(_("file"), upload_to=attachment_path, max_length=160)
    name = models.CharField(_("name"), max_length=160)
    content_type = models.CharField(_("type"), max_length=127, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"))

    class Meta:
        verbose_name = _("file of a held request")
        verbose_name_plural = _("files of held requests")

    def __str__(self) -> str:
        return self.name
