"""Between the four lines: hand-overs (domain §3.3). The defects that line 4 works on have a file of their own."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class HandOver(models.Model):
    """A ticket went from one line to another: what is known, what was tried, what is asked (domain §3.3)."""

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="hand_overs", verbose_name=_("ticket"))
    from_line = models.ForeignKey("accounts.Line", models.PROTECT, related_name="+", verbose_name=_("from line"))
    to_line = models.ForeignKey("accounts.Line", models.PROTECT, related_name="+", verbose_name=_("to line"))
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))
    known = models.TextField(_("what is known"))
    tried = models.TextField(_("what was tried"), blank=True)
    asked = models.TextField(_("what is asked"))
    accepted_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("accepted by")
    )
    accepted_at = models.DateTimeField(_("accepted at"), null=True, blank=True)
    returned_at = models.DateTimeField(_("returned at"), null=True, blank=True)
    return_reason = models.TextField(_("reason of the return"), blank=True)

    class Meta:
        verbose_name = _("hand-over")
        verbose_name_plural = _("hand-overs")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [
            # The route of a ticket through the lines.
            models.Index("ticket", "at", "id", name="handover_route"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(from_line=F("to_line")), name="handover_to_another_line"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(returned_at__isnull=True), name="handover_one_ending"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_line_id} → {self.to_line_id}"

    @property
    def was_taken_back(self) -> bool:
        """Whether who handed it over took it back: the line never had it. A return has its reason."""
        return self.returned_at is not None and not self.return_reason
