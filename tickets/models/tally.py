"""What the board counts, kept by the database: a ledger of steps, so that no page counts what happened (direction §8).

Triggers write a step into the ledger in the transaction of the change (migration tickets 0014): the sum of a ledger is
at any moment what counting the rows would give. Steps are only added, so that two changes never wait for each other;
a job puts those of one day together (tickets/tally.py).
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class PromiseTally(models.Model):
    """Promises to customers that ended: kept by the day of their end, missed by the day of their deadline, in Moscow.

    By the line and the package of their ticket as they are now: where a ticket moves, its promises move along.
    """

    day = models.DateField(_("day"))
    line = models.ForeignKey("accounts.Line", models.CASCADE, related_name="+", db_index=False, verbose_name=_("line"))
    package = models.ForeignKey(
        "contracts.Package", models.CASCADE, related_name="+", db_index=False, verbose_name=_("package")
    )
    priority = models.PositiveSmallIntegerField(_("priority"))
    agreed = models.BooleanField(_("agreed individually"))
    met = models.IntegerField(_("kept"))
    missed = models.IntegerField(_("missed"))

    class Meta:
        verbose_name = _("step of the promises' tally")
        verbose_name_plural = _("tally of promises")
        indexes: ClassVar = [
            # The board: WHERE day >= … (tickets/tally.py).
            models.Index("day", name="promise_tally_day"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(met=0, missed=0), name="promise_tally_counts"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.met:+d}, {self.missed:+d}"


class RatingTally(models.Model):
    """Ratings by the day on which they were given, in Moscow: how many, and the sum of their scores."""

    day = models.DateField(_("day"))
    ratings = models.IntegerField(_("ratings"))
    score = models.IntegerField(_("sum of the scores"))

    class Meta:
        verbose_name = _("step of the ratings' tally")
        verbose_name_plural = _("tally of ratings")
        indexes: ClassVar = [
            # The board: WHERE day >= … (tickets/tally.py).
            models.Index("day", name="rating_tally_day"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.ratings:+d}, {self.score:+d}"
