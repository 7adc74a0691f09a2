"""What a person of the desk is about to say, and how far they have read: theirs alone, kept on the server (§6.6)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models.conversation import attachment_path
from tickets.models.macros import Macro
from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class Draft(models.Model):
    """Words that were not sent yet: one text a person and ticket, whoever has the ticket, on whatever device.

    Deleted in the transaction of the message that says them; old ones by a job (`tickets.drafts.KEPT_FOR`).
    """

    person: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts", verbose_name=_("person")
    )
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="drafts", verbose_name=_("ticket"))
    kind = models.CharField(_("for whom"), max_length=8)
    body = models.TextField(_("text"))
    # What is done along with the words: they may say so ("the priority is 3 now").
    macro = models.ForeignKey(Macro, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("macro"))
    updated_at = models.DateTimeField(_("written at"))

    class Meta:
        verbose_name = pgettext_lazy("composer", "draft")
        verbose_name_plural = pgettext_lazy("composer", "drafts")
        indexes: ClassVar = [
            # The job that forgets old ones: WHERE updated_at < … (tickets/drafts.py).
            models.Index("updated_at", name="draft_by_age"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "ticket"], name="draft_once"),
            models.CheckConstraint(condition=Q(kind__in=["reply", "note", "question"]), name="draft_kind_known"),
        ]

    def __str__(self) -> str:
        return self.body[:80]


class PendingFile(models.Model):
    """A file that was uploaded while its message is still being written; the message adopts it when it is sent.

    Without a ticket it belongs to a request that is not filed yet: one a person, as `RequestDraft`.
    """

    person: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="pending_files", verbose_name=_("person")
    )
    ticket = models.ForeignKey(
        Ticket, models.CASCADE, null=True, blank=True, related_name="pending_files", verbose_name=_("ticket")
    )
    file = models.FileField(_("file"), upload_to=attachment_path, max_length=160)
    name = models.CharField(_("name"), max_length=160)
    content_type = models.CharField(_("type"), max_length=127, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"))
    created_at = models.DateTimeField(_("uploaded at"))

    class Meta:
        verbose_name = _("file of a draft")
        verbose_name_plural = _("files of drafts")
        indexes: ClassVar = [
            # The files of one composer, as they were added.
            models.Index("ticket", "person", "id", name="pending_of_composer"),
            # The job that forgets old ones: WHERE created_at < … (tickets/drafts.py).
            models.Index("created_at", name="pending_by_age"),
        ]

    def __str__(self) -> str:
        return self.name


class LastRead(models.Model):
    """How far a person has read a ticket: `upto` is the key of the last message that they saw, 0 for none.

    Keys of one ticket's messages grow in the order in which they were said, since every verb locks the ticket first.
    """

    person: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="reading", verbose_name=_("person")
    )
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="readers", verbose_name=_("ticket"))
    upto = models.PositiveBigIntegerField(_("last message read"))
    at = models.DateTimeField(_("read at"))

    class Meta:
        verbose_name = _("place of reading")
        verbose_name_plural = _("places of reading")
        constraints: ClassVar = [
            # Also the index of “what is unread for me” (TicketQuerySet.with_unread) and of the rule in the thread.
            models.UniqueConstraint(fields=["person", "ticket"], name="read_once"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} · {self.upto}"
