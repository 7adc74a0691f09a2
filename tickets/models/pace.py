"""How fast each line lately was: what the forecast of a promise is made from (tickets/pace.py)."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class LinePace(models.Model):
    """One row for a line, written anew every few minutes by a job, so that no page counts it.

    `parts` {"reaction:1": [0.125, …]}: by promise and priority, how long the latest took as parts of their targets, in
    order. `best_day`: the most promises that the line ended in one day. `days_outside`: on how many days somebody of it
    was seen to act outside office hours. All within `tickets.pace.WINDOW` before `counted_at`.
    """

    line = models.OneToOneField(
        "accounts.Line", models.CASCADE, primary_key=True, related_name="pace", verbose_name=_("line of support")
    )
    parts = models.JSONField(_("parts of the target"), default=dict)
    best_day = models.PositiveIntegerField(_("most in one day"), default=0)
    days_outside = models.PositiveIntegerField(_("days with work outside office hours"), default=0)
    counted_at = models.DateTimeField(_("counted as of"))

    class Meta:
        verbose_name = _("pace of a line")
        verbose_name_plural = _("paces of the lines")
        ordering: ClassVar = ["line"]

    def __str__(self) -> str:
        return f"{self.line_id}: {self.counted_at:%Y-%m-%d %H:%M}"
