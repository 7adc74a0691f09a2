"""Letters in and out: the raw letter as it came, and the outbox (domain §4.5; style: what happened is a row)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class InboundLetter(models.Model):
    """A letter as it came, kept raw, and what became of it. The same Message-ID twice is one letter."""

    class Outcome(models.TextChoices):
        TICKET = "ticket", _("became a ticket")
        REPLY = "reply", _("became a reply")
        HELD = "held", _("held for a person")
        IGNORED = "ignored", _("set aside: automatic")
        FAILED = "failed", _("could not be dealt with")

    message_id = models.CharField(_("Message-ID"), max_length=998)
    received_at = models.DateTimeField(_("received"))
    raw = models.BinaryField(_("raw letter"))
    from_address = models.CharField(_("from"), max_length=254, blank=True)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    outcome = models.CharField(_("what became of it"), max_length=8, choices=Outcome.choices)
    reason = models.TextField(_("why"), blank=True)
    ticket = models.ForeignKey(
        "tickets.Ticket", models.SET_NULL, null=True, blank=True, related_name="letters", verbose_name=_("ticket")
    )
    held = models.ForeignKey(
        "tickets.HeldRequest",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="letters",
        verbose_name=_("held request"),
    )

    class Meta:
        verbose_name = _("letter received")
        verbose_name_plural = _("letters received")
        ordering: ClassVar = ["-received_at"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["message_id"], name="inbound_letter_once")]

    def __str__(self) -> str:
        return self.subject or self.message_id


class OutgoingLetter(models.Model):
    """A letter to one person about one occasion; written in the transaction that marks the occasion as notified.

    `occasion` ("event:17", "escalation:4") and the person make it unique: a repeated drain writes nothing twice.
    `sent_at` is null until the mail server has taken it.
    """

    occasion = models.CharField(_("occasion"), max_length=60)
    person: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="letters",
        verbose_name=_("person"),
    )
    address = models.CharField(_("to"), max_length=254)
    ticket = models.ForeignKey(
        "tickets.Ticket", models.CASCADE, null=True, blank=True, related_name="sent_letters", verbose_name=_("ticket")
    )
    message_id = models.CharField(_("Message-ID"), max_length=255, unique=True)
    in_reply_to = models.CharField(_("in reply to"), max_length=998, blank=True)
    references = models.TextField(_("references"), blank=True)
    subject = models.CharField(_("subject"), max_length=255)
    text = models.TextField(_("text"))
    html = models.TextField(_("HTML"), blank=True)
    written_at = models.DateTimeField(_("written"))
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    next_try_at = models.DateTimeField(_("next try"), null=True, blank=True)
    error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("letter sent")
        verbose_name_plural = _("letters sent")
        ordering: ClassVar = ["-written_at", "-pk"]
        indexes: ClassVar = [
            # The post round: WHERE sent_at IS NULL AND next_try_at <= now ORDER BY next_try_at (mail/outbound.py).
            models.Index("next_try_at", "id", name="letter_to_send", condition=Q(sent_at__isnull=True)),
            # A person's own outbox page, newest first.
            models.Index("person", F("written_at").desc(), F("id").desc(), name="letter_of_person"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["occasion", "address"], name="letter_once_an_occasion"),
        ]

    def __str__(self) -> str:
        return self.subject
