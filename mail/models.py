"""Letters in and out: the raw letter as it came, and the outbox (domain §4.5; style: what happened is a row)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class LetterKind(models.TextChoices):
    """What a customer's person may choose about. A letter without a kind is demanded by the contract or the work."""

    ANSWERS = "answers", _("Answers")
    STATUS = "status", _("Where a request stands")
    PROMISES = "promises", _("Promised times")
    RELEASES = "releases", _("New releases")
    DIGEST = "digest", _("Daily digest")


class When(models.TextChoices):
    AT_ONCE = "now", _("At once")
    DIGEST = "digest", _("In the daily digest")
    NEVER = "never", _("Not at all")


class MailChoices(models.Model):
    """Which letters a person of a customer wants, and when. No row: every letter at once.

    `digest` is "" until the person chooses: an observer has it then, the responsible contact not (direction §17).
    `mail/choices.py` names the letters of each kind.
    """

    person: "models.OneToOneField[User]" = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="mail_choices", verbose_name=_("person")
    )
    answers = models.CharField(LetterKind.ANSWERS.label, max_length=6, choices=When.choices, default=When.AT_ONCE)
    status = models.CharField(LetterKind.STATUS.label, max_length=6, choices=When.choices, default=When.AT_ONCE)
    promises = models.CharField(LetterKind.PROMISES.label, max_length=6, choices=When.choices, default=When.AT_ONCE)
    releases = models.CharField(LetterKind.RELEASES.label, max_length=6, choices=When.choices, default=When.AT_ONCE)
    digest = models.CharField(LetterKind.DIGEST.label, max_length=6, choices=When.choices, blank=True, default="")
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("choices about mail")
        verbose_name_plural = _("choices about mail")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answers__in=["now", "digest", "never"])
                & Q(status__in=["now", "digest", "never"])
                & Q(releases__in=["now", "digest", "never"])
                & Q(digest__in=["", "digest", "never"]),
                name="mail_choices_known",
            ),
            # Another time than the promised one is never kept from the customer (domain §4.2).
            models.CheckConstraint(condition=Q(promises__in=["now", "digest"]), name="mail_choices_promises_told"),
            # What waits for the digest comes: nobody puts a letter into one that is never sent.
            models.CheckConstraint(
                condition=~Q(digest="never")
                | ~Q(answers="digest") & ~Q(status="digest") & ~Q(promises="digest") & ~Q(releases="digest"),
                name="mail_choices_digest_comes",
            ),
        ]

    def __str__(self) -> str:
        return str(self.person)


class Digest(models.Model):
    """One person's digest of one day of theirs: what happened in [since_at, until_at). No letter: nothing did."""

    person: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="digests", verbose_name=_("person")
    )
    day = models.DateField(_("day, in the person's zone"))
    since_at = models.DateTimeField(_("since"))
    until_at = models.DateTimeField(_("until"))
    letter: "models.ForeignKey[OutgoingLetter | None]" = models.ForeignKey(
        "mail.OutgoingLetter", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("letter")
    )

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        ordering: ClassVar = ["-day", "person"]
        constraints: ClassVar = [
            # Once a person and day, whoever sends; its index also finds the last one of a person (mail/digests.py).
            models.UniqueConstraint(fields=["person", "day"], name="digest_once_a_day"),
            models.CheckConstraint(condition=Q(until_at__gt=F("since_at")), name="digest_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.person}, {self.day}"


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
    # Of what may be turned off; "": of what always comes.
    kind = models.CharField(_("kind"), max_length=8, choices=LetterKind.choices, blank=True, default="", db_default="")
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
    # A sender holds it since then and has not noted an answer; at `next_try_at` it is free again (mail/outbound.py).
    in_hand_since = models.DateTimeField(_("being sent since"), null=True, blank=True)
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
            models.CheckConstraint(condition=Q(kind__in=["", *LetterKind.values]), name="letter_kind_known"),
            models.CheckConstraint(
                condition=Q(in_hand_since__isnull=True) | Q(sent_at__isnull=True, next_try_at__isnull=False),
                name="letter_in_hand_is_free_again",
            ),
        ]

    def __str__(self) -> str:
        return self.subject
