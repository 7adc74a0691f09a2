"""Changes of terms and calendars that an administrator previews and applies to open tickets (domain §4)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class TermsDecision(models.Model):
    """A change of a package's terms, from its preview to what became of it (domain §1.1, §4).

    `change` is `contracts.catalogue.TermsChange.as_json()`; `terms` the terms that were made of it, null until somebody
    decides, and again when later ones replaced them before anybody stood on them. What it would move is counted into
    items, in order of receipt up to ticket `counted_to`, as of `counted_at`. The decision marks the items it takes;
    a job applies them one by one and, killed, goes on where it stopped.
    """

    class State(models.TextChoices):
        COUNTING = "counting", pgettext_lazy("change of terms", "being counted")
        READY = "ready", pgettext_lazy("change of terms", "preview, nothing is decided")
        APPLYING = "applying", pgettext_lazy("change of terms", "being applied")
        DONE = "done", pgettext_lazy("change of terms", "applied")

    class Scope(models.TextChoices):
        NEW = "new", _("new contracts only")
        DATED = "dated", _("from the first day on")
        CHOSEN = "chosen", _("the chosen ones")

    package = models.ForeignKey(
        "contracts.Package", models.PROTECT, related_name="decisions", verbose_name=_("package")
    )
    terms = models.ForeignKey(
        "contracts.PackageTerms",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="decisions",
        verbose_name=_("terms"),
    )
    change = models.JSONField(_("change"))
    reason = models.TextField(_("reason"))
    made_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.COUNTING)
    counted_to = models.BigIntegerField(_("counted up to the ticket"), default=0)
    counted_at = models.DateTimeField(_("counted as of"))
    scope = models.CharField(_("what it is applied to"), max_length=10, choices=Scope.choices, blank=True)
    decided_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("change of terms")
        verbose_name_plural = _("changes of terms")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # The job: WHERE state IN ('counting', 'applying') ORDER BY id (tickets/tasks.py).
            models.Index("id", name="terms_decision_at_work", condition=Q(state__in=["counting", "applying"])),
            # The page of a package: its last changes, newest first.
            models.Index("package", F("id").desc(), name="terms_decision_of_package"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["counting", "ready"], decided_at__isnull=True)
                | Q(
                    state__in=["applying", "done"],
                    scope__in=["new", "dated", "chosen"],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="terms_decision_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.package}, {self.change.get('starts_on', '')}"


class TermsItem(models.Model):
    """One draft or one open ticket that a change of terms would move: what the preview showed, and what became of it.

    `moves` of a ticket: [{"kind", "from", "to", "missed"}], as its event `terms_applied` has them; of a draft
    {"yearly_from", "yearly_to", "total_from", "total_to"} in EUR as decimal strings, and {"refusal_from",
    "refusal_to"}, why it has no price.
    """

    class Rank(models.IntegerChoices):
        MISSED = 0, _("becomes missed")
        MOVES = 1, _("moves")
        STAYS = 2, _("stays")

    class Outcome(models.TextChoices):
        APPLIED = "applied", pgettext_lazy("change of terms", "applied")
        SKIPPED = "skipped", _("left as it is")

    decision = models.ForeignKey(TermsDecision, models.CASCADE, related_name="items", verbose_name=_("change of terms"))
    contract = models.ForeignKey(
        "contracts.Contract", models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("draft")
    )
    ticket = models.ForeignKey(
        Ticket, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("ticket")
    )
    rank = models.PositiveSmallIntegerField(_("what happens"), choices=Rank.choices, default=Rank.STAYS)
    is_dated = models.BooleanField(_("on or after the first day"), default=False)
    moves = models.JSONField(_("what moves"), default=list)
    moved = models.PositiveSmallIntegerField(_("deadlines that move"), default=0)
    missed = models.PositiveSmallIntegerField(_("deadlines that become missed"), default=0)
    appear = models.PositiveSmallIntegerField(_("promises that appear"), default=0)
    vanish = models.PositiveSmallIntegerField(_("promises that vanish"), default=0)
    difference = models.DecimalField(
        _("difference of the price of the term, EUR"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    chosen = models.BooleanField(_("chosen"), default=False)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, blank=True)
    why = models.CharField(_("why it was left"), max_length=500, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("item of a change of terms")
        verbose_name_plural = _("items of a change of terms")
        ordering: ClassVar = ["decision", "rank", "pk"]
        indexes: ClassVar = [
            # The preview's tickets: what becomes missed first, keyset by (rank, id) (tickets/views/packages.py).
            models.Index("decision", "rank", "id", name="terms_item_list", condition=Q(ticket__isnull=False)),
            # The job: what is taken and not done yet, in order (tickets/terms_decisions.py).
            models.Index("decision", "id", name="terms_item_waiting", condition=Q(chosen=True, outcome="")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["decision", "ticket"], name="terms_item_ticket_once", condition=Q(ticket__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["decision", "contract"], name="terms_item_draft_once", condition=Q(contract__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(contract__isnull=True, ticket__isnull=False)
                | Q(contract__isnull=False, ticket__isnull=True),
                name="terms_item_of_one",
            ),
            models.CheckConstraint(
                condition=Q(outcome="", done_at__isnull=True)
                | Q(outcome__in=["applied", "skipped"], chosen=True, done_at__isnull=False),
                name="terms_item_outcome_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket or self.contract}"


class CalendarChange(models.Model):
    """An edit of a calendar, from its preview to what became of it (domain §4).

    `edit` is `sla.calendars.Edit.as_json()`; `version` what was made of it, null until somebody decides, and again when
    it was withdrawn before it held. What the edit would move is counted into items, in order of receipt up to ticket
    `counted_to`, as of `counted_at`; a job applies them one by one and, killed, goes on where it stopped.
    """

    class State(models.TextChoices):
        COUNTING = "counting", pgettext_lazy("change of a calendar", "being counted")
        READY = "ready", pgettext_lazy("change of a calendar", "preview, nothing is decided")
        APPLYING = "applying", pgettext_lazy("change of a calendar", "being applied")
        DONE = "done", pgettext_lazy("change of a calendar", "decided")

    class Scope(models.TextChoices):
        NEW = "new", _("new requests only")
        OPEN = "open", _("open requests too")

    calendar = models.ForeignKey("sla.Calendar", models.PROTECT, related_name="changes", verbose_name=_("calendar"))
    version = models.ForeignKey(
        "sla.CalendarVersion",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="changes",
        verbose_name=_("version of a calendar"),
    )
    edit = models.JSONField(_("edit"))
    reason = models.TextField(_("reason"))
    made_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    made_at = models.DateTimeField(_("made"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.COUNTING)
    counted_to = models.BigIntegerField(_("counted up to the ticket"), default=0)
    counted_at = models.DateTimeField(_("counted as of"))
    scope = models.CharField(_("what it is applied to"), max_length=10, choices=Scope.choices, blank=True)
    decided_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("change of a calendar")
        verbose_name_plural = _("changes of calendars")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # The job: WHERE state IN ('counting', 'applying') ORDER BY id (tickets/tasks.py).
            models.Index("id", name="calendar_change_at_work", condition=Q(state__in=["counting", "applying"])),
            # The page of a calendar: its last changes, newest first.
            models.Index("calendar", F("id").desc(), name="calendar_change_of_calendar"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["counting", "ready"], decided_at__isnull=True, version__isnull=True)
                | Q(
                    state__in=["applying", "done"],
                    scope__in=["new", "open"],
                    decided_at__isnull=False,
                    decided_by__isnull=False,
                ),
                name="calendar_change_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.calendar}, {self.made_at:%Y-%m-%d}"


class CalendarItem(models.Model):
    """One open ticket that stands on a calendar which is edited: what the preview showed, and what became of it.

    `moves`: [{"kind", "from", "to", "missed"}], as its event `calendar_applied` has them. `shift` is by how many
    seconds the promise moves that moves most, either way.
    """

    class Outcome(models.TextChoices):
        APPLIED = "applied", pgettext_lazy("change of terms", "applied")
        SKIPPED = "skipped", _("left as it is")

    change = models.ForeignKey(
        CalendarChange, models.CASCADE, related_name="items", verbose_name=_("change of a calendar")
    )
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", verbose_name=_("ticket"))
    moves = models.JSONField(_("what moves"), default=list)
    moved = models.PositiveSmallIntegerField(_("deadlines that move"), default=0)
    missed = models.PositiveSmallIntegerField(_("deadlines that become missed"), default=0)
    shift = models.PositiveBigIntegerField(_("moves by, seconds"), default=0)
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome.choices, blank=True)
    why = models.CharField(_("why it was left"), max_length=500, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("item of a change of a calendar")
        verbose_name_plural = _("items of a change of a calendar")
        ordering: ClassVar = ["change", "-missed", "-shift", "pk"]
        indexes: ClassVar = [
            # The preview's list: missed first, then the most moved, keyset by all three (tickets/views/calendars.py).
            models.Index("change", F("missed").desc(), F("shift").desc(), "id", name="calendar_item_list"),
            # The job: what is not done yet, in order (tickets/calendar_changes.py).
            models.Index("change", "id", name="calendar_item_waiting", condition=Q(outcome="")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["change", "ticket"], name="calendar_item_ticket_once"),
            models.CheckConstraint(
                condition=Q(outcome="", done_at__isnull=True)
                | Q(outcome__in=["applied", "skipped"], done_at__isnull=False),
                name="calendar_item_outcome_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket}"
