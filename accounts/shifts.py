"""Shifts as they stand in the database: a weekly pattern per person and line, and changes of single days (§3.3).

Minutes and weekdays are Moscow's (direction §15). A shift past midnight is two rows, its evening and the morning
of the next day (`after_midnight`), so that the database itself can refuse every overlap of one person.
`accounts/roster.py` reads them as spans of time; `accounts/planning.py` writes them.
"""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import (
    DateRangeField,
    DateTimeRangeField,
    IntegerRangeField,
    RangeBoundary,
    RangeOperators,
)
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from accounts.models import User

DAY = 24 * 60  # minutes


class Shift(models.Model):
    """Every week on this weekday (0 is Monday) the person works a line, [starts, ends) in minutes of the day.

    `ends` may be 1440, midnight. In force on the days from `since` to `until`, both included; null is open.
    """

    user: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="shifts", verbose_name=_("person")
    )
    line = models.ForeignKey("accounts.Line", models.PROTECT, related_name="shifts", verbose_name=_("line of support"))
    weekday = models.PositiveSmallIntegerField(_("weekday"))
    starts = models.PositiveSmallIntegerField(_("from, minute of the day"))
    ends = models.PositiveSmallIntegerField(_("to, minute of the day"))
    since = models.DateField(_("first day"))
    until = models.DateField(_("last day"), null=True, blank=True)
    # The morning of a shift that began the day before goes where its evening goes.
    evening = models.OneToOneField(
        "self", models.CASCADE, null=True, blank=True, related_name="after_midnight", verbose_name=_("began as")
    )

    class Meta:
        verbose_name = _("shift")
        verbose_name_plural = _("shifts")
        ordering: ClassVar = ["weekday", "starts", "pk"]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="shift_one_place_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("weekday", RangeOperators.EQUAL),
                    (Func("starts", "ends", function="INT4RANGE", output_field=IntegerRangeField()), "&&"),
                    (
                        Func(
                            "since",
                            "until",
                            RangeBoundary(inclusive_lower=True, inclusive_upper=True),
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        "&&",
                    ),
                ],
                violation_error_message=_("A person is on one shift at a time."),
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="shift_weekday_known"),
            models.CheckConstraint(
                condition=Q(starts__lt=F("ends"), ends__lte=DAY), name="shift_ends_after_start_within_its_day"
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")), name="shift_last_day_after_first"
            ),
            models.CheckConstraint(condition=Q(evening__isnull=True) | Q(starts=0), name="shift_morning_from_midnight"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.weekday} {self.starts}–{self.ends}"


class DayOff(models.Model):
    """The shifts of a person that begin on this day (of Moscow) are not worked: off, or swapped with a colleague."""

    user: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="days_off", verbose_name=_("person")
    )
    on = models.DateField(pgettext_lazy("date", "on"))
    reason = models.CharField(_("reason"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("day off")
        verbose_name_plural = _("days off")
        ordering: ClassVar = ["on", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "on"], name="day_off_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.on}"


class ExtraShift(models.Model):
    """A shift of one day beside the pattern, [from, to); `instead_of` where it is worked for a colleague (a swap)."""

    user: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="extra_shifts", verbose_name=_("person")
    )
    line = models.ForeignKey("accounts.Line", models.PROTECT, related_name="+", verbose_name=_("line of support"))
    starts_at = models.DateTimeField(pgettext_lazy("date", "from"))
    ends_at = models.DateTimeField(_("until"))
    instead_of = models.ForeignKey(
        DayOff, models.CASCADE, null=True, blank=True, related_name="worked_by", verbose_name=_("instead of")
    )
    reason = models.CharField(_("reason"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("extra shift")
        verbose_name_plural = _("extra shifts")
        ordering: ClassVar = ["starts_at", "pk"]
        indexes: ClassVar = [
            # Who works more in this week: WHERE ends_at > … AND starts_at < … (accounts/roster.py).
            models.Index("ends_at", "starts_at", name="extra_shift_by_end"),
        ]
        constraints: ClassVar = [
            ExclusionConstraint(
                name="extra_shift_one_place_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    (
                        Func(
                            "starts_at",
                            "ends_at",
                            RangeBoundary(),
                            function="TSTZRANGE",
                            output_field=DateTimeRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message=_("A person is on one shift at a time."),
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="extra_shift_ends_after_start"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.starts_at:%Y-%m-%d %H:%M} – {self.ends_at:%Y-%m-%d %H:%M}"
