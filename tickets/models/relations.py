"""What ties tickets together, and the time that went into one. All of it is the desk's own (domain §3.1, §7)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class TicketLink(models.Model):
    """Two tickets have to do with each other, of one customer or of two; customers never learn of it (domain §7).

    Read from `source` to `target`: "source duplicates target". A pair has a kind once, whichever way round.
    """

    class Kind(models.TextChoices):
        RELATES = "relates", pgettext_lazy("link", "has to do with")
        DUPLICATES = "duplicates", pgettext_lazy("link", "repeats")
        BLOCKS = "blocks", pgettext_lazy("link", "blocks")
        CAUSED_BY = "caused_by", pgettext_lazy("link", "is caused by")
        SPLIT = "split", pgettext_lazy("link", "was split off from")
        PARENT = "parent", pgettext_lazy("link", "is part of the major incident")

    # What a person chooses; the others are written by the verbs that they belong to.
    CHOSEN: ClassVar = (Kind.RELATES, Kind.DUPLICATES, Kind.BLOCKS, Kind.CAUSED_BY)

    source = models.ForeignKey(Ticket, models.CASCADE, related_name="links_out", verbose_name=_("ticket"))
    target = models.ForeignKey(Ticket, models.CASCADE, related_name="links_in", verbose_name=_("other ticket"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("link of tickets")
        verbose_name_plural = _("links of tickets")
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(source=F("target")), name="link_to_another_ticket"),
            models.UniqueConstraint(Least("source", "target"), Greatest("source", "target"), "kind", name="link_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["relates", "duplicates", "blocks", "caused_by", "split", "parent"]),
                name="link_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} {self.kind} {self.target_id}"

    def other(self, ticket: Ticket) -> Ticket:
        return self.target if self.source_id == ticket.pk else self.source

    def words(self, ticket: Ticket) -> str | Promise:
        """What the link says, read from this ticket."""
        return link_words(self.kind, is_source=self.source_id == ticket.pk)


# The same, read from the target.
FROM_THE_TARGET: dict[str, Promise] = {
    "relates": pgettext_lazy("link", "has to do with"),
    "duplicates": pgettext_lazy("link", "is repeated by"),
    "blocks": pgettext_lazy("link", "is blocked by"),
    "caused_by": pgettext_lazy("link", "caused"),
    "split": pgettext_lazy("link", "was split into"),
    "parent": pgettext_lazy("link", "major incident of"),
}


def link_words(kind: str, *, is_source: bool) -> str | Promise:
    return TicketLink.Kind(kind).label if is_source else FROM_THE_TARGET[kind]


class TimeEntry(models.Model):
    """Minutes that a person spent on a ticket, as they say: nothing measures them. Never shown to customers."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="time_entries", verbose_name=_("ticket"))
    person: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    minutes = models.PositiveIntegerField(_("minutes"))
    note = models.CharField(_("what for"), max_length=200, blank=True)
    on_day = models.DateField(_("day"))
    at = models.DateTimeField(_("written at"))
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("time spent")
        verbose_name_plural = _("time spent")
        ordering: ClassVar = ["on_day", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(minutes__gt=0, minutes__lte=24 * 60), name="time_one_minute_to_a_day"),
            models.UniqueConstraint(
                fields=["ticket", "person", "idempotency_key"],
                name="time_written_once",
                condition=Q(idempotency_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.minutes} min, {self.on_day}"
