"""One act over many tickets: a run, and what became of each ticket (direction §5)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models.conversation import Event
from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class BulkRun(models.Model):
    """An act over the ticked tickets, or over a whole filter. Only `tickets/bulk.py` writes runs and items.

    `said` is what the form said ({"to": 7}, {"to_line": 2, "known": …}), `tail` the queue's address it came from.
    A filter is gathered into items in order of receipt, up to ticket `gathered_to`, none received after the start
    (`gather_until`). A run that undoes another points at it; its items are what that one did.
    """

    class State(models.TextChoices):
        GATHERING = "gathering", pgettext_lazy("bulk run", "being gathered")
        RUNNING = "running", pgettext_lazy("bulk run", "at work")
        DONE = "done", pgettext_lazy("bulk run", "finished")

    class Act(models.TextChoices):
        ASSIGN = "assign", pgettext_lazy("bulk", "Assign")
        HAND_OVER = "handover", pgettext_lazy("bulk", "Hand over")
        PRIORITY = "priority", pgettext_lazy("bulk", "Priority")
        NOTE = "note", pgettext_lazy("bulk", "Note")
        ASK = "question", pgettext_lazy("bulk", "Ask the customers")
        RESOLVE = "resolve", pgettext_lazy("bulk", "Solved")
        UNDO = "undo", pgettext_lazy("bulk", "Undo")

    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="bulk_runs", verbose_name=_("who")
    )
    act = models.CharField(_("what"), max_length=10, choices=Act.choices)
    said = models.JSONField(_("words"), default=dict)
    tail = models.CharField(_("queue"), max_length=2000, blank=True)
    whole = models.BooleanField(_("the whole filter"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.RUNNING)
    gathered_to = models.BigIntegerField(_("gathered up to the ticket"), default=0)
    gather_until = models.BigIntegerField(_("last ticket of the start"), default=0)
    undoes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="undone_by", verbose_name=_("undoes")
    )
    key = models.CharField(_("key of the form"), max_length=64)
    started_at = models.DateTimeField(_("started"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("bulk run")
        verbose_name_plural = _("bulk runs")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # The job: WHERE state IN ('gathering', 'running') ORDER BY id (tickets/tasks.py).
            models.Index("id", name="bulk_run_at_work", condition=Q(state__in=["gathering", "running"])),
            # A person's last run: WHERE by_id = … ORDER BY id DESC LIMIT 1 (tickets/queue/glance.py).
            models.Index("by", F("id").desc(), name="bulk_run_of_person"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["by", "key"], name="bulk_run_started_once"),
            models.CheckConstraint(
                condition=Q(act="undo", undoes__isnull=False) | (~Q(act="undo") & Q(undoes__isnull=True)),
                name="bulk_run_undo_of_a_run",
            ),
            models.CheckConstraint(
                condition=Q(state="done", finished_at__isnull=False)
                | Q(state__in=["gathering", "running"], finished_at__isnull=True),
                name="bulk_run_done_has_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()}, {self.pk}"


class BulkItem(models.Model):
    """One ticket of a run. `before` and `after` are what the act may change: assignee, owner, line, priority, kind."""

    class Outcome(models.TextChoices):
        DONE = "done", pgettext_lazy("bulk item", "done")
        FAILED = "failed", pgettext_lazy("bulk item", "not done")

    run = models.ForeignKey(BulkRun, models.CASCADE, related_name="items", verbose_name=_("bulk run"))
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="+", verbose_name=_("ticket"))
    outcome = models.CharField(_("outcome"), max_length=6, choices=Outcome.choices, blank=True)
    why = models.CharField(_("why not"), max_length=500, blank=True)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    event = models.ForeignKey(Event, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("event"))
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("item of a bulk run")
        verbose_name_plural = _("items of a bulk run")
        ordering: ClassVar = ["run", "pk"]
        indexes: ClassVar = [
            # The job: what is not done yet, in order; the page: how many of each outcome, and the failed ones.
            models.Index("run", "outcome", "id", name="bulk_item_outcome"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "ticket"], name="bulk_item_ticket_once"),
            models.CheckConstraint(
                condition=Q(outcome="", done_at__isnull=True) | (~Q(outcome="") & Q(done_at__isnull=False)),
                name="bulk_item_outcome_has_moment",
            ),
            models.CheckConstraint(condition=~Q(outcome="failed") | ~Q(why=""), name="bulk_item_failed_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.ticket_id}"
