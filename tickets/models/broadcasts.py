"""One text for many requests: a workaround, a note about a major incident, a solution, a release (domain §3.3)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models.defects import Defect, in_language
from tickets.models.major import MajorIncident
from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class Broadcast(models.Model):
    """One thing that is said to the customers of many requests, and done to each of them once.

    Whom it concerns is written down as items when it is decided; a job takes them one by one (`tickets/broadcasts.py`)
    and, killed, goes on where it stopped. `finished_at` is null while an item waits.
    """

    class Kind(models.TextChoices):
        WORKAROUND = "workaround", _("workaround of a defect")
        RELEASED = "released", _("a defect is fixed in a release")
        NOTE = "note", _("note about a major incident")
        SOLUTION = "solution", _("solution of a major incident")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    defect = models.ForeignKey(
        Defect, models.CASCADE, null=True, blank=True, related_name="broadcasts", verbose_name=_("defect")
    )
    major = models.ForeignKey(
        MajorIncident,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="broadcasts",
        verbose_name=_("major incident"),
    )
    text_ru = models.TextField(_("text in Russian"), blank=True)
    text_en = models.TextField(_("text in English"), blank=True)
    restores = models.BooleanField(_("service is back by it"), default=False)
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))
    key = models.CharField(max_length=64, null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("message to many")
        verbose_name_plural = _("messages to many")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # The job: WHERE finished_at IS NULL ORDER BY id (tickets/broadcasts.py).
            models.Index("id", name="broadcast_at_work", condition=Q(finished_at__isnull=True)),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["workaround", "released"], defect__isnull=False, major__isnull=True)
                | Q(kind__in=["note", "solution"], defect__isnull=True, major__isnull=False),
                name="broadcast_of_one",
            ),
            models.CheckConstraint(
                condition=Q(kind="released") | ~Q(text_ru="", text_en=""), name="broadcast_has_words"
            ),
            models.UniqueConstraint(fields=["by", "key"], name="broadcast_sent_once", condition=Q(key__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"

    @property
    def text(self) -> str:
        """The words in the active language, where they are there."""
        return in_language(self.text_ru, self.text_en)[0]


class BroadcastItem(models.Model):
    """One request that a message to many is for, and what became of it there."""

    class Outcome(models.TextChoices):
        TOLD = "told", pgettext_lazy("message to many", "told")
        RESTORED = "restored", pgettext_lazy("message to many", "service is back")
        SOLVED = "solved", pgettext_lazy("message to many", "solved")
        SKIPPED = "skipped", pgettext_lazy("message to many", "not done")

    broadcast = models.ForeignKey(Broadcast, models.CASCADE, related_name="items", verbose_name=_("message to many"))
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", verbose_name=_("ticket"))
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, blank=True)
    why = models.CharField(_("why not"), max_length=500, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("item of a message to many")
        verbose_name_plural = _("items of a message to many")
        ordering: ClassVar = ["broadcast", "pk"]
        indexes: ClassVar = [
            # The job: what is not done yet, in order (tickets/broadcasts.py).
            models.Index("broadcast", "id", name="broadcast_item_waiting", condition=Q(outcome="")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["broadcast", "ticket"], name="broadcast_item_once"),
            models.CheckConstraint(
                condition=Q(outcome="", done_at__isnull=True)
                | Q(outcome__in=["told", "restored", "solved", "skipped"], done_at__isnull=False),
                name="broadcast_item_outcome_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.outcome}"
