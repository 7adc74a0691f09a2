"""Promises with a time on them: service calendars, commitments, ladders and escalations (domain §4)."""

import re
from datetime import date, datetime, time
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from accounts.models import Bilingual, known_time_zone
from contracts.models import PromiseKind, TermsTarget
from sla.business_time import WorkingCalendar
from sla.statements import MonthlyStatement, StatementAnswer, StatementCorrection, StatementLine  # noqa: F401

if TYPE_CHECKING:
    from accounts.models import User
    from tickets.models import Ticket


class Calendar(Bilingual):
    """Service hours or working days. What they are is a `CalendarVersion`: an edit makes a new one (domain §4)."""

    code = models.SlugField(_("code"), max_length=40, unique=True)

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering: ClassVar = ["code"]

    def version_at(self, at: datetime) -> "CalendarVersion":
        """The version that a ticket received at this moment is pinned to."""
        version = self.versions.filter(valid_from__lte=at).order_by("-valid_from").first()
        return version or self.versions.earliest("valid_from")


def _times(pair: list[str]) -> tuple[time, time]:
    start, end = pair
    return time.fromisoformat(start), time(0, 0) if end in {"24:00", "00:00"} else time.fromisoformat(end)


def valid_hours(hours: dict) -> None:
    """Refuses weekly hours that are not {"0": [["09:00", "18:00"], …], …} with 0 for Monday."""
    try:
        for day, pairs in hours.items():
            if int(day) not in range(7):
                raise ValueError(day)
            for pair in pairs:
                _times(pair)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValidationError(
            _("Hours are written as {“0”: [[“09:00”, “18:00”]], …} with 0 for Monday; this was not understood: %(e)s"),
            params={"e": error},
        ) from error


class CalendarVersion(models.Model):
    """The whole of a calendar from a moment on; never edited, so that old tickets keep the hours of their receipt.

    The database refuses an edit itself (migration sla 0005). Only `sla/calendars.py` writes versions.

    `weekly_hours` {"0": [["09:00", "18:00"]]} by weekday (0 is Monday; an end of "24:00" is midnight),
    `holidays` ["2026-01-01", …], `overrides` {"2026-12-31": [["09:00", "17:00"]]} (transferred and short days).
    """

    calendar = models.ForeignKey(Calendar, models.PROTECT, related_name="versions", verbose_name=_("calendar"))
    valid_from = models.DateTimeField(_("valid from"))
    timezone = models.CharField(_("time zone"), max_length=64, default="Europe/Moscow", validators=[known_time_zone])
    weekly_hours = models.JSONField(_("hours of a week"), validators=[valid_hours])
    holidays = models.JSONField(_("holidays"), default=list, blank=True)
    overrides = models.JSONField(_("days with own hours"), default=dict, blank=True)
    # Who made it, when and why; null and "" for the versions that the house began with.
    made_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made"), null=True, blank=True)
    reason = models.TextField(_("reason"), blank=True)

    class Meta:
        verbose_name = _("version of a calendar")
        verbose_name_plural = _("versions of a calendar")
        ordering: ClassVar = ["calendar", "-valid_from"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["calendar", "valid_from"], name="calendar_version_once_a_moment")
        ]

    _unsaved: WorkingCalendar | None = None

    def __str__(self) -> str:
        return f"{self.calendar} ({self.valid_from:%Y-%m-%d})"

    def working_calendar(self) -> WorkingCalendar:
        """The pure calendar; kept by primary key in the process, since a version never changes.

        One that is not saved (a preview) has no key and is laid out once for the instance.
        """
        if self.pk is None:
            if self._unsaved is None:
                self._unsaved = self._build()
            return self._unsaved
        if self.pk not in _calendars:
            _calendars[self.pk] = self._build()
        return _calendars[self.pk]

    def _build(self) -> WorkingCalendar:
        return WorkingCalendar(
            self.timezone,
            {int(day): [_times(pair) for pair in pairs] for day, pairs in self.weekly_hours.items()},
            holidays=[date.fromisoformat(day) for day in self.holidays],
            overrides={
                date.fromisoformat(day): [_times(pair) for pair in pairs] for day, pairs in self.overrides.items()
            },
        )

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def is_round_the_clock(self) -> bool:
        whole = [["00:00", "24:00"]]
        return (
            not self.holidays
            and not self.overrides
            and all(self.weekly_hours.get(str(day)) == whole for day in range(7))
        )


_calendars: dict[int, WorkingCalendar] = {}


class Whom(models.TextChoices):
    """Whom a rung of the ladder calls in (domain §4.4)."""

    LINE_QUEUE = "line_queue", _("the line's queue")
    ASSIGNEE = "assignee", _("the assignee")
    LINE_LEAD = "line_lead", _("the line lead")
    CSM = "csm", _("the Customer Success Manager")
    SUPPORT_MANAGER = "support_manager", _("the support manager")
    TOP_MANAGEMENT = "top_management", _("top management")


class Ladder(models.Model):
    """Who is called in as a promise runs out. The most particular ladder counts: package and priority before either."""

    kind = models.CharField(_("promise"), max_length=20, choices=PromiseKind.choices)
    package = models.ForeignKey(
        "contracts.Package", models.PROTECT, null=True, blank=True, related_name="ladders", verbose_name=_("package")
    )
    priority = models.PositiveSmallIntegerField(_("priority"), null=True, blank=True)

    class Meta:
        verbose_name = _("ladder")
        verbose_name_plural = _("ladders")
        ordering: ClassVar = ["kind", "package", "priority"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "package", "priority"], name="ladder_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(priority__isnull=True) | Q(priority__range=(1, 4)), name="ladder_priority_1_to_4"
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(
            str(part) for part in (self.get_kind_display(), self.package or "", self.priority or "") if part
        )


class LadderStep(models.Model):
    """A rung: at so many percent of the business time somebody is called in."""

    ladder = models.ForeignKey(Ladder, models.CASCADE, related_name="steps", verbose_name=_("ladder"))
    percent = models.PositiveSmallIntegerField(_("percent of the time"))
    whom = models.CharField(_("calls in"), max_length=20, choices=Whom.choices)
    within = models.PositiveSmallIntegerField(
        _("to be acknowledged within, minutes of service time"),
        null=True,
        blank=True,
        help_text=_("Nobody says “I have it” in this time: the next rung is called at once. Empty: nobody waits."),
    )
    quiet_from = models.TimeField(_("letters are quiet from, Moscow time"), null=True, blank=True)
    quiet_to = models.TimeField(_("letters are quiet until, Moscow time"), null=True, blank=True)

    class Meta:
        verbose_name = _("rung")
        verbose_name_plural = _("rungs")
        ordering: ClassVar = ["ladder", "percent", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ladder", "percent", "whom"], name="rung_once"),
            models.CheckConstraint(condition=Q(percent__range=(1, 1000)), name="rung_percent_1_to_1000"),
            models.CheckConstraint(condition=Q(whom__in=Whom.values), name="rung_whom_known"),
            models.CheckConstraint(condition=Q(within__isnull=True) | Q(within__gt=0), name="rung_within_positive"),
            models.CheckConstraint(
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | (Q(quiet_from__isnull=False, quiet_to__isnull=False) & ~Q(quiet_from=F("quiet_to"))),
                name="rung_quiet_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.percent} %: {self.get_whom_display()}"


class LadderChange(models.Model):
    """Who changed which ladder, when, and its rungs before and after ([{"percent", "whom", "within", "quiet"}]).

    Append-only: the database refuses an edit (migration sla 0006). Only `sla/ladders.py` writes it.
    """

    class What(models.TextChoices):
        MADE = "made", pgettext_lazy("ladder", "made")
        CHANGED = "changed", pgettext_lazy("ladder", "changed")
        REMOVED = "removed", pgettext_lazy("ladder", "removed")

    kind = models.CharField(_("promise"), max_length=20, choices=PromiseKind.choices)
    package = models.ForeignKey(
        "contracts.Package", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("package")
    )
    priority = models.PositiveSmallIntegerField(_("priority"), null=True, blank=True)
    what = models.CharField(_("what"), max_length=8, choices=What.choices)
    before = models.JSONField(_("rungs before"), default=list, blank=True)
    after = models.JSONField(_("rungs after"), default=list, blank=True)
    made_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made"))

    class Meta:
        verbose_name = _("change of a ladder")
        verbose_name_plural = _("changes of ladders")
        ordering: ClassVar = ["-made_at", "-pk"]
        indexes: ClassVar = [
            # The log, newest first, and keyset paging of it (views/ladders.py).
            models.Index(F("made_at").desc(), F("id").desc(), name="ladder_change_log"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(what__in=["made", "changed", "removed"]), name="ladder_change_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_what_display()}, {self.made_at:%Y-%m-%d %H:%M}"


class CommitmentQuerySet(models.QuerySet["Commitment"]):
    def running(self) -> "CommitmentQuerySet":
        """Clocks that still matter: not met, cancelled or superseded; a missed one runs until it is fulfilled."""
        return self.filter(stopped_at__isnull=True)

    def due_for_check(self, now: datetime) -> "CommitmentQuerySet":
        """What the sweep looks at, oldest first; `commitment_next_check` is the index of this query."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at", "pk")


class Commitment(models.Model):
    """One promise of one ticket (domain §4.1). Only `sla/clocks.py` and `sla/sweep.py` change it.

    Rows are never rewritten to another promise: a change supersedes the row and says why.
    `target` is business time; a working day is 9 hours of it (§1.5). `pauses` are closed spans [start, end);
    `paused_at` the start of the one that goes on. `rungs` is the ladder as it was when the clock started, with the
    moment of each rung ([{"percent", "whom", "at", "within", "quiet"}]), so that neither an edit of a ladder nor
    arithmetic over a calendar happens in the sweep (but for rungs that nobody acknowledged).
    """

    class Ending(models.TextChoices):
        RUNNING = "", _("running")
        MET = "met", _("met")
        MISSED = "missed", _("missed")
        CANCELLED = "cancelled", _("cancelled")
        SUPERSEDED = "superseded", _("superseded")

    ticket: "models.ForeignKey[Ticket]" = models.ForeignKey(
        "tickets.Ticket", models.CASCADE, related_name="commitments", verbose_name=_("ticket")
    )
    kind = models.CharField(_("promise"), max_length=20, choices=PromiseKind.choices)
    priority = models.PositiveSmallIntegerField(_("priority"))
    # Read from the row, never searched by: an index would cost every look of the sweep.
    terms = models.ForeignKey(
        "contracts.PackageTerms",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("terms"),
    )
    clause = models.ForeignKey(
        "contracts.ContractClause",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("clause"),
    )
    calendar_version = models.ForeignKey(CalendarVersion, models.PROTECT, related_name="+", verbose_name=_("calendar"))
    target = models.DurationField(_("target, business time"))
    amount = models.PositiveIntegerField(_("promised amount"))
    unit = models.CharField(_("promised in"), max_length=12, choices=TermsTarget.Unit.choices)
    started_at = models.DateTimeField(_("started"))
    due_at = models.DateTimeField(_("due"))
    paused_at = models.DateTimeField(_("paused since"), null=True, blank=True)
    pauses = ArrayField(DateTimeRangeField(), verbose_name=_("pauses"), default=list, blank=True)
    ending = models.CharField(_("ending"), max_length=10, choices=Ending.choices, default="", blank=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    met_late_at = models.DateTimeField(_("met late"), null=True, blank=True)
    agreed = models.BooleanField(_("agreed individually"), default=False)
    why = models.CharField(_("how it ended"), max_length=40, blank=True)
    evidence = models.TextField(_("evidence"), blank=True)
    rungs = models.JSONField(_("rungs"), default=list, blank=True)
    rungs_done = models.PositiveSmallIntegerField(_("rungs reached"), default=0)
    next_check_at = models.DateTimeField(_("next look"), null=True, blank=True)

    objects: ClassVar = CommitmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("commitment")
        verbose_name_plural = _("commitments")
        ordering: ClassVar = ["ticket", "started_at", "pk"]
        indexes: ClassVar = [
            # The sweep: WHERE next_check_at <= now ORDER BY next_check_at, id (CommitmentQuerySet.due_for_check).
            models.Index("next_check_at", "id", name="commitment_next_check", condition=Q(next_check_at__isnull=False)),
            # Board and queue counts: running clocks by their deadline.
            models.Index("due_at", name="commitment_running_due", condition=Q(stopped_at__isnull=True)),
            # The recent pace: WHERE kind IN (…) AND stopped_at >= since ORDER BY stopped_at DESC (tickets/pace.py).
            models.Index(
                F("stopped_at").desc(),
                name="commitment_ended_lately",
                condition=Q(stopped_at__isnull=False, kind__in=["reaction", "resolution"]),
            ),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["ticket", "kind"],
                name="commitment_one_running",
                condition=Q(stopped_at__isnull=True) & ~Q(kind="escalation_answer"),
            ),
            models.CheckConstraint(condition=Q(priority__range=(1, 4)), name="commitment_priority_1_to_4"),
            models.CheckConstraint(condition=Q(due_at__gte=F("started_at")), name="commitment_due_after_start"),
            models.CheckConstraint(
                condition=Q(ending__in=["", "missed"]) | Q(stopped_at__isnull=False), name="commitment_ended_is_stopped"
            ),
            models.CheckConstraint(
                condition=~Q(ending="") | Q(stopped_at__isnull=True), name="commitment_stopped_has_ending"
            ),
            models.CheckConstraint(
                condition=Q(met_late_at__isnull=True) | Q(ending="missed"), name="commitment_late_was_missed"
            ),
            models.CheckConstraint(
                condition=~Q(kind="reaction") | Q(paused_at__isnull=True, pauses=[]),
                name="commitment_reaction_never_pauses",
            ),
            models.CheckConstraint(
                condition=Q(next_check_at__isnull=True) | Q(stopped_at__isnull=True, paused_at__isnull=True),
                name="commitment_only_running_is_watched",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.priority}: {self.due_at:%Y-%m-%d %H:%M:%S %Z}"

    def get_kind_display(self) -> str:  # type: ignore[no-redef]
        """Django's own looks every kind up to say one; a board says many."""
        return str(PromiseKind(self.kind).label)

    @property
    def is_running(self) -> bool:
        return self.stopped_at is None

    @property
    def calendar(self) -> WorkingCalendar:
        return self.calendar_version.working_calendar()


class EscalationQuerySet(models.QuerySet["Escalation"]):
    def open(self) -> "EscalationQuerySet":
        return self.exclude(state=Escalation.State.CLOSED)


class Escalation(models.Model):
    """Somebody was called in: by a rung of the ladder, by the customer, or by a colleague (domain §4.4).

    Also the outbox of its own letter: `notified_at` is null until the mail app has written it.
    """

    class Cause(models.TextChoices):
        LADDER = "ladder", _("a rung of the ladder")
        CUSTOMER = "customer", _("the customer calls")
        COLLEAGUE = "colleague", _("a colleague calls")
        LOW_RATING = "low_rating", _("a low rating")
        BOUNCES = "bounces", _("came back between two lines")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("escalation", "open")
        ACKNOWLEDGED = "acknowledged", pgettext_lazy("escalation", "acknowledged")
        CLOSED = "closed", pgettext_lazy("escalation", "closed")

    ticket: "models.ForeignKey[Ticket]" = models.ForeignKey(
        "tickets.Ticket", models.CASCADE, related_name="escalations", verbose_name=_("ticket")
    )
    commitment = models.ForeignKey(
        Commitment,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="escalations",
        db_index=False,  # `escalation_once_a_rung` begins with it
        verbose_name=_("promise"),
    )
    answer_clock = models.OneToOneField(
        Commitment, models.SET_NULL, null=True, blank=True, related_name="answers", verbose_name=_("answer clock")
    )
    position = models.PositiveSmallIntegerField(_("rung"), null=True, blank=True)
    percent = models.PositiveSmallIntegerField(_("percent of the time"), null=True, blank=True)
    cause = models.CharField(_("cause"), max_length=12, choices=Cause.choices, default=Cause.LADDER)
    whom = models.CharField(_("calls in"), max_length=20, choices=Whom.choices)
    person: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="called_in",
        verbose_name=_("person"),
    )
    # These references to people are read from the row and never searched by: an index of each would cost every rung.
    # Who was away when the rung was reached: `person` stands in for them.
    instead_of: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("instead of"),
    )
    # Called before its time, because nobody acknowledged the rung below.
    is_early = models.BooleanField(_("before its time"), default=False)
    acknowledge_by = models.DateTimeField(_("to be acknowledged by"), null=True, blank=True)
    # Quiet hours: the escalation stands at once, its letter waits for this moment.
    letter_after = models.DateTimeField(_("letter not before"), null=True, blank=True)
    reached_at = models.DateTimeField(_("reached at"))
    created_at = models.DateTimeField(_("written at"))
    reason = models.TextField(_("reason"), blank=True)
    raised_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="raised",
        db_index=False,
        verbose_name=_("raised by"),
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.OPEN)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True, blank=True)
    acknowledged_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("acknowledged by"),
    )
    answer = models.TextField(_("answer"), blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    closed_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("closed by"),
    )
    notified_at = models.DateTimeField(_("letter written at"), null=True, blank=True)

    objects: ClassVar = EscalationQuerySet.as_manager()

    class Meta:
        verbose_name = _("escalation")
        verbose_name_plural = _("escalations")
        ordering: ClassVar = ["-reached_at", "-pk"]
        indexes: ClassVar = [
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="escalation_outbox", condition=Q(notified_at__isnull=True)),
            # The ladder log, newest first, and keyset paging of it (views/manage.py).
            models.Index(F("reached_at").desc(), F("id").desc(), name="escalation_log"),
            # Open escalations, on the board (views/manage.py).
            models.Index("ticket", name="escalation_not_closed", condition=~Q(state="closed")),
        ]
        constraints: ClassVar = [
            # The ladder never sends the same step twice for one commitment, whoever sweeps (domain §4.4).
            models.UniqueConstraint(fields=["commitment", "position"], name="escalation_once_a_rung"),
            models.CheckConstraint(
                condition=Q(commitment__isnull=False, position__isnull=False) | Q(raised_by__isnull=False),
                name="escalation_by_rung_or_person",
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(closed_at__isnull=False), name="escalation_closed_has_moment"
            ),
            models.CheckConstraint(condition=Q(whom__in=Whom.values), name="escalation_whom_known"),
            models.CheckConstraint(
                condition=Q(cause__in=["ladder", "customer", "colleague", "low_rating", "bounces"]),
                name="escalation_cause_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.get_whom_display()}"

    @property
    def why(self) -> str:
        """The reason in words. That of a bounce is kept as the lines and how often, in no language (domain §3.3)."""
        bounced = BOUNCED.fullmatch(self.reason) if self.cause == Escalation.Cause.BOUNCES else None
        if bounced is None:
            return self.reason
        first, second, times = bounced.groups()
        return ngettext(
            "Between the lines %(first)s and %(second)s it came back %(times)s time.",
            "Between the lines %(first)s and %(second)s it came back %(times)s times.",
            int(times),
        ) % {"first": first, "second": second, "times": times}


BOUNCED = re.compile(r"(\d+) ⇄ (\d+) × (\d+)")


class DeadlineProposalQuerySet(models.QuerySet["DeadlineProposal"]):
    def open(self) -> "DeadlineProposalQuerySet":
        """Those that the other side has not answered yet."""
        return self.filter(state=DeadlineProposal.State.OPEN)


class DeadlineProposal(models.Model):
    """One side proposes another deadline for a running resolution, the other side answers (domain §4.2).

    `commitment` is the clock that it would replace; a proposal lapses with it, and when the proposed instant passes.
    `made` is the clock that an accepted one started. `old_due` is the deadline that stood when it was proposed; once
    accepted, the one that it replaced. Both signatures stay: `proposed_by` and, once accepted, `answered_by`.
    """

    class Side(models.TextChoices):
        CUSTOMER = "customer", pgettext_lazy("side of an agreement", "the customer")
        VENDOR = "vendor", pgettext_lazy("side of an agreement", "support")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("proposal", "waits for an answer")
        ACCEPTED = "accepted", pgettext_lazy("proposal", "accepted")
        REFUSED = "refused", pgettext_lazy("proposal", "refused")
        WITHDRAWN = "withdrawn", pgettext_lazy("proposal", "withdrawn")
        LAPSED = "lapsed", pgettext_lazy("proposal", "lapsed")

    ticket: "models.ForeignKey[Ticket]" = models.ForeignKey(
        "tickets.Ticket", models.CASCADE, related_name="deadline_proposals", verbose_name=_("ticket")
    )
    commitment = models.ForeignKey(
        Commitment, models.CASCADE, related_name="deadline_proposals", verbose_name=_("promise")
    )
    made = models.OneToOneField(
        Commitment,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="signed_as",
        verbose_name=_("promise that it made"),
    )
    side = models.CharField(_("proposed by the side"), max_length=8, choices=Side.choices)
    proposed_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    proposed_at = models.DateTimeField(_("proposed at"))
    due_at = models.DateTimeField(_("proposed deadline"))
    old_due = models.DateTimeField(_("deadline before"))
    reason = models.TextField(_("reason"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    answered_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answered by")
    )
    answered_at = models.DateTimeField(_("answered at"), null=True, blank=True)
    words = models.TextField(_("words of the answer"), blank=True)

    objects: ClassVar = DeadlineProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal of a deadline")
        verbose_name_plural = _("proposals of deadlines")
        ordering: ClassVar = ["-proposed_at", "-pk"]
        indexes: ClassVar = [
            # The job that lets them lapse: WHERE state = 'open' AND due_at <= now ORDER BY due_at, id.
            models.Index("due_at", "id", name="deadline_lapses", condition=Q(state="open")),
            # A ticket's proposals, newest first (tickets/deadline_page.py).
            models.Index("ticket", F("proposed_at").desc(), F("id").desc(), name="deadline_of_ticket"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ticket"], name="deadline_one_open", condition=Q(state="open")),
            models.CheckConstraint(
                condition=Q(state="open", answered_by__isnull=True, answered_at__isnull=True, made__isnull=True)
                | Q(state="accepted", answered_by__isnull=False, answered_at__isnull=False, made__isnull=False)
                | (
                    Q(state="refused", answered_by__isnull=False, answered_at__isnull=False, made__isnull=True)
                    & ~Q(words="")
                )
                | Q(state="withdrawn", answered_by__isnull=False, answered_at__isnull=False, made__isnull=True)
                | Q(state="lapsed", answered_by__isnull=True, answered_at__isnull=False, made__isnull=True),
                name="deadline_answered_whole",
            ),
            models.CheckConstraint(condition=Q(side__in=["customer", "vendor"]), name="deadline_side_known"),
            models.CheckConstraint(condition=Q(due_at__gt=F("proposed_at")), name="deadline_lies_ahead"),
            models.CheckConstraint(condition=~Q(reason=""), name="deadline_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id}: {self.due_at:%Y-%m-%d %H:%M:%S %Z}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @property
    def is_by_vendor(self) -> bool:
        return self.side == self.Side.VENDOR


class SweepTrouble(models.Model):
    """A commitment that could not be swept: set aside for an hour so that it stops nobody, and shown to operators."""

    commitment = models.OneToOneField(Commitment, models.CASCADE, related_name="trouble", verbose_name=_("commitment"))
    since = models.DateTimeField(_("first happened at"))
    happened_at = models.DateTimeField(_("happened at"))
    error = models.TextField(_("error"))
    times = models.PositiveIntegerField(_("times"), default=1)

    class Meta:
        verbose_name = _("trouble of the sweep")
        verbose_name_plural = _("troubles of the sweep")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(happened_at__gte=F("since")), name="trouble_last_after_first"),
        ]

    def __str__(self) -> str:
        return f"{self.commitment_id}: {self.error[:80]}"
