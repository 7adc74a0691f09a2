"""The frozen month: what was promised to a customer and kept, never changed in silence (domain §4.6).

Rows here are written once. The database refuses an edit of any of them (migration sla 0007), but for `notified_at`, the
mark of the outbox. Only `tickets/months.py` (closing, corrections) and `tickets/month_answers.py` write them.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from contracts.models import PromiseKind, TermsTarget

if TYPE_CHECKING:
    from accounts.models import User


class Outcome(models.TextChoices):
    """What became of a promise in the month. Running ones are listed and never counted (domain §4.6)."""

    KEPT = "kept", pgettext_lazy("promise", "kept")
    MISSED = "missed", pgettext_lazy("promise", "missed")
    RUNNING = "running", pgettext_lazy("promise", "still running")
    OUT = "out", pgettext_lazy("promise", "not counted")


class MonthlyStatement(models.Model):
    """One customer's month, closed. `figures` is what was counted then, `sha256` the digest of figures and lines.

    `month` is its first day; the month is that of Moscow, from midnight to midnight (domain §1.3).
    """

    customer = models.ForeignKey(
        "contracts.Customer", models.PROTECT, related_name="statements", verbose_name=_("customer")
    )
    month = models.DateField(_("month, its first day"))
    closed_at = models.DateTimeField(_("closed at"))
    figures = models.JSONField(_("figures"))
    sha256 = models.CharField(_("SHA-256 of figures and lines"), max_length=64)
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)

    class Meta:
        verbose_name = _("monthly statement")
        verbose_name_plural = _("monthly statements")
        ordering: ClassVar = ["-month", "customer"]
        indexes: ClassVar = [
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="statement_outbox", condition=Q(notified_at__isnull=True)),
            # Every customer's months, newest first, keyset by (month, id) (views/statements.py).
            models.Index(F("month").desc(), F("id").desc(), name="statement_list"),
        ]
        constraints: ClassVar = [
            # Whoever closes, and however often, a month of a customer is closed once. Also one customer's list.
            models.UniqueConstraint(fields=["customer", "month"], name="statement_once_a_month"),
            models.CheckConstraint(condition=Q(month__day=1), name="statement_month_begins"),
        ]

    def __str__(self) -> str:
        return f"{self.customer}: {self.month:%Y-%m}"

    @property
    def slug(self) -> str:
        """The month as addresses have it: "2026-11"."""
        return f"{self.month:%Y-%m}"


class StatementLine(models.Model):
    """One promise of a closed month, as it stood when the month was closed.

    Missed ones come first, then those still running, then the kept ones; `position` counts from 1. `late` is the
    business time from the deadline to the fulfilment of a missed promise, or to the end of the month where it was not
    fulfilled; `reason` says which (`Reason`), `restored` that a restore ended a resolution (domain §3.4).
    """

    class Reason(models.TextChoices):
        NONE = "", ""
        LATE = "late", _("fulfilled after the deadline")
        NOT_YET = "not_yet", _("not fulfilled when the month was closed")
        ENDED = "ended", _("the request ended after the deadline")
        AGREED = "agreed", _("another deadline was agreed after it")
        REPLACED = "replaced", _("another promise took its place after the deadline")

    statement = models.ForeignKey(
        MonthlyStatement, models.PROTECT, related_name="lines", verbose_name=_("monthly statement")
    )
    position = models.PositiveIntegerField(_("position"))
    commitment = models.ForeignKey(
        "sla.Commitment", models.PROTECT, related_name="statement_lines", verbose_name=_("promise")
    )
    number = models.PositiveBigIntegerField(_("number of the request"))
    subject = models.CharField(_("subject"), max_length=200)
    language = models.CharField(_("language"), max_length=2)
    kind = models.CharField(_("promise"), max_length=20, choices=PromiseKind.choices)
    priority = models.PositiveSmallIntegerField(_("priority"))
    amount = models.PositiveIntegerField(_("promised amount"))
    unit = models.CharField(_("promised in"), max_length=12, choices=TermsTarget.Unit.choices)
    started_at = models.DateTimeField(_("started"))
    due_at = models.DateTimeField(_("due"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices)
    reason = models.CharField(_("reason of the miss"), max_length=10, choices=Reason.choices, blank=True)
    late = models.DurationField(_("late by, business time"), null=True, blank=True)
    round_the_clock = models.BooleanField(_("counted round the clock"), default=False)
    agreed = models.BooleanField(_("agreed individually"), default=False)
    restored = models.BooleanField(_("ended by a restore"), default=False)

    class Meta:
        verbose_name = _("line of a monthly statement")
        verbose_name_plural = _("lines of monthly statements")
        ordering: ClassVar = ["statement", "position"]
        constraints: ClassVar = [
            # A page of the statement: WHERE statement = … AND position > … ORDER BY position.
            models.UniqueConstraint(fields=["statement", "position"], name="statement_line_position"),
            models.UniqueConstraint(fields=["statement", "commitment"], name="statement_line_once"),
            models.CheckConstraint(
                condition=Q(outcome__in=["kept", "missed", "running"]), name="statement_line_outcome_known"
            ),
            models.CheckConstraint(
                condition=Q(outcome="missed", late__isnull=False) & ~Q(reason="")
                | Q(outcome__in=["kept", "running"], late__isnull=True, reason=""),
                name="statement_line_miss_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"№ {self.number}: {self.get_kind_display()}, {self.get_outcome_display()}"

    @property
    def is_missed(self) -> bool:
        return self.outcome == Outcome.MISSED

    @property
    def late_or_nothing(self) -> timedelta:
        return self.late or timedelta(0)


class StatementCorrection(models.Model):
    """A closed month was wrong, or what it counted was taken back: a row beside the frozen figures (domain §4.6).

    `by` null: the daily check found that a promise has become another thing, `cause` says by what (the word on the
    commitment) and `happened_at` when. A person writes `why`. `line` is null for a promise that came to the month
    after it was closed; `number` is its request.
    """

    statement = models.ForeignKey(
        MonthlyStatement, models.PROTECT, related_name="corrections", verbose_name=_("monthly statement")
    )
    line = models.ForeignKey(
        StatementLine, models.PROTECT, null=True, blank=True, related_name="corrections", verbose_name=_("line")
    )
    commitment = models.ForeignKey("sla.Commitment", models.PROTECT, related_name="+", verbose_name=_("promise"))
    number = models.PositiveBigIntegerField(_("number of the request"))
    before = models.CharField(pgettext_lazy("correction", "before"), max_length=8, choices=Outcome.choices)
    after = models.CharField(pgettext_lazy("correction", "after"), max_length=8, choices=Outcome.choices)
    cause = models.CharField(_("cause"), max_length=40, blank=True)
    happened_at = models.DateTimeField(_("happened at"), null=True, blank=True)
    why = models.TextField(_("why"), blank=True)
    by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)

    class Meta:
        verbose_name = _("correction of a monthly statement")
        verbose_name_plural = _("corrections of monthly statements")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="statement_correction_outbox", condition=Q(notified_at__isnull=True)),
            # What a statement shows beneath its figures, oldest first.
            models.Index("statement", "at", "id", name="statement_corrections"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(before=F("after")), name="statement_correction_changes"),
            models.CheckConstraint(
                condition=Q(by__isnull=True) | ~Q(why=""), name="statement_correction_by_a_person_says_why"
            ),
        ]

    def __str__(self) -> str:
        return f"№ {self.number}: {self.before} → {self.after}"


class StatementAnswer(models.Model):
    """What was said about a closed month: the contact acknowledges it or disputes a line, the vendor answers."""

    class What(models.TextChoices):
        ACKNOWLEDGED = "acknowledged", pgettext_lazy("statement", "acknowledged")
        DISPUTED = "disputed", pgettext_lazy("statement", "disputed")
        ANSWERED = "answered", pgettext_lazy("statement", "answered")

    statement = models.ForeignKey(
        MonthlyStatement, models.PROTECT, related_name="answers", verbose_name=_("monthly statement")
    )
    what = models.CharField(_("what"), max_length=12, choices=What.choices)
    line = models.ForeignKey(
        StatementLine, models.PROTECT, null=True, blank=True, related_name="answers", verbose_name=_("line")
    )
    # The dispute that this answers: each is answered once.
    about = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="answer", verbose_name=_("answers the dispute")
    )
    words = models.TextField(_("words"), blank=True)
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)

    class Meta:
        verbose_name = _("answer to a monthly statement")
        verbose_name_plural = _("answers to monthly statements")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="statement_answer_outbox", condition=Q(notified_at__isnull=True)),
            # What was said about a statement, oldest first.
            models.Index("statement", "at", "id", name="statement_answers"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["statement"], name="statement_acknowledged_once", condition=Q(what="acknowledged")
            ),
            models.CheckConstraint(
                condition=Q(what="acknowledged", line__isnull=True, about__isnull=True)
                | (Q(what="disputed", line__isnull=False, about__isnull=True) & ~Q(words=""))
                | (Q(what="answered", line__isnull=False, about__isnull=False) & ~Q(words="")),
                name="statement_answer_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.statement}: {self.get_what_display()}"
