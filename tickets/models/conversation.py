"""What was said in a ticket and what happened to it: messages, files, events, ratings (domain §3.1, §6)."""

import secrets
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_lazy as _

from accounts.models import STAFF_ROLES
from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models.held import HeldFile


LONG_TEXT, LONG_LINES = 2400, 30  # characters, lines: more than a screen of the thread
RASTER_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
THUMBNAIL_AT_MOST = 8 * 1024 * 1024  # bytes: a bigger picture is a file to load down


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: "User") -> "MessageQuerySet":
        """Internal notes are the vendor's own: nobody else ever reads one."""
        return self.all() if user.role in STAFF_ROLES else self.filter(kind=Message.Kind.PUBLIC)


class Message(models.Model):
    """Something said in a ticket: to the customer or by them (public), or among the vendor's people (note)."""

    class Kind(models.TextChoices):
        PUBLIC = "public", _("reply")
        NOTE = "note", _("internal note")

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="messages", verbose_name=_("ticket"))
    author: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="messages", verbose_name=_("author")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.PUBLIC)
    by_vendor = models.BooleanField(_("by the vendor"))
    body = models.TextField(_("text"))
    quoted = models.TextField(_("quoted text"), blank=True)
    # Where the words are in another language than the ticket; "" where they are in its own.
    language = models.CharField(_("language"), max_length=2, blank=True)
    channel = models.ForeignKey("contracts.Channel", models.PROTECT, related_name="+", verbose_name=_("channel"))
    created_at = models.DateTimeField(_("written at"))
    message_id = models.CharField(_("Message-ID"), max_length=998, null=True, blank=True)
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, editable=False)

    objects: ClassVar = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering: ClassVar = ["created_at", "pk"]
        indexes: ClassVar = [
            # A ticket's conversation, oldest first.
            models.Index("ticket", "created_at", "id", name="message_thread"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message_id"], name="message_id_once", condition=Q(message_id__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["ticket", "author", "idempotency_key"],
                name="message_sent_once",
                condition=Q(idempotency_key__isnull=False),
            ),
            models.CheckConstraint(condition=Q(kind__in=["public", "note"]), name="message_kind_known"),
            models.CheckConstraint(condition=~Q(kind="note") | Q(by_vendor=True), name="message_note_by_vendor"),
        ]

    def __str__(self) -> str:
        return self.body[:80]

    @property
    def is_note(self) -> bool:
        return self.kind == self.Kind.NOTE

    @property
    def is_long(self) -> bool:
        """Whether the thread shows only its beginning until it is asked for the whole."""
        return len(self.body) > LONG_TEXT or self.body.count("\n") > LONG_LINES


def attachment_path(attachment: "Attachment | HeldFile", name: str) -> str:
    """Files lie under a random name; the name that people see is `Attachment.name`."""
    return f"attachments/{secrets.token_hex(2)}/{secrets.token_hex(16)}"


class Attachment(models.Model):
    """A file of a message. Served only to who may read the message, always as a download."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments", verbose_name=_("message"))
    file = models.FileField(_("file"), upload_to=attachment_path, max_length=160)
    name = models.CharField(_("name"), max_length=160)
    content_type = models.CharField(_("type"), max_length=127, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"))

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name

    @property
    def has_thumbnail(self) -> bool:
        """Whether it says of itself that it is a picture; whether it is one its first bytes say (`files.picture`)."""
        return self.content_type in RASTER_TYPES and 0 < self.size <= THUMBNAIL_AT_MOST


class Event(models.Model):
    """What happened to a ticket: who, what, when, from → to. Append-only; the timeline, the audit and the outbox.

    The database refuses a change of anything but `notified_at`, which is null until the mail app has dealt with it.
    `details` holds what the verb changed, as plain values ({"from": 1, "to": 3, "reason": "…"}).
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="events", verbose_name=_("ticket"))
    verb = models.CharField(_("what"), max_length=30)
    by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))
    details = models.JSONField(_("details"), default=dict, blank=True)
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("message")
    )
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [
            # A ticket's timeline.
            models.Index("ticket", "at", "id", name="event_timeline"),
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="event_outbox", condition=Q(notified_at__isnull=True)),
            # When a person was last assigned something: WHERE details->>'assignee' = … ORDER BY at DESC LIMIT 1
            # (tickets/next_engineer.py).
            models.Index(
                KeyTextTransform("assignee", "details"),
                F("at").desc(),
                name="event_assigned",
                condition=Q(verb="assigned"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%Y-%m-%d %H:%M:%S %Z}"


class Rating(models.Model):
    """What the customer thinks of the work, 1–5 and a comment, after resolution (domain §6)."""

    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="rating", verbose_name=_("ticket"))
    score = models.PositiveSmallIntegerField(_("score"), validators=[MinValueValidator(1), MaxValueValidator(5)])
    comment = models.TextField(_("comment"), blank=True)
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        ordering: ClassVar = ["-at"]
        indexes: ClassVar = [
            # The ratings of a span, newest first.
            models.Index("at", name="rating_recent"),
            # The board: the newest low ones, WHERE score <= 2 AND at >= … ORDER BY at DESC (tickets/board.py).
            models.Index("at", name="rating_low", condition=Q(score__lte=2)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(score__range=(1, 5)), name="rating_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"{self.score}"
