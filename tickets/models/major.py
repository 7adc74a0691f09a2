"""Major incidents: one disturbance, the requests that it caused, who leads the work, what was said and learned."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, FSMModelMixin, transition

from tickets.models.ticket import Ticket

if TYPE_CHECKING:
    from accounts.models import User


class MajorIncident(FSMModelMixin, models.Model):
    """An incident of priority 1 that hurts more than one customer. Only `tickets/workflow/major.py` changes it."""

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("major incident", "open")
        ENDED = "ended", pgettext_lazy("major incident", "over")

    head = models.OneToOneField(Ticket, models.PROTECT, related_name="major", verbose_name=_("head ticket"))
    title = models.CharField(_("title"), max_length=200)
    reason = models.TextField(_("why it is a major incident"))
    declared_at = models.DateTimeField(_("declared at"))
    declared_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("declared by")
    )
    coordinator: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("coordinator")
    )
    state = FSMField(_("state"), max_length=6, choices=State.choices, default=State.OPEN, protected=True)
    ended_at = models.DateTimeField(_("over since"), null=True, blank=True)
    what_happened = models.TextField(_("what happened"), blank=True)
    cause = models.TextField(_("cause"), blank=True)
    went_well = models.TextField(_("what went well"), blank=True)
    went_badly = models.TextField(_("what went badly"), blank=True)
    reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)
    reviewed_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reviewed by")
    )

    class Meta:
        verbose_name = _("major incident")
        verbose_name_plural = _("major incidents")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # The board and the list: WHERE state = 'open' ORDER BY id DESC (tickets/views/major.py, board.py).
            models.Index(F("id").desc(), name="major_open", condition=Q(state="open")),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="open", ended_at__isnull=True)
                | (Q(state="ended", ended_at__isnull=False) & ~Q(what_happened="")),
                name="major_ended_whole",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at__isnull=True) | Q(state="ended", reviewed_by__isnull=False),
                name="major_reviewed_at_the_end",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN

    @transition(state, source=State.OPEN, target=State.ENDED)
    def end(self) -> None: ...


class MajorChild(models.Model):
    """A request that the disturbance caused; the head is one of them. It is of one open incident at most.

    `is_open` repeats whether the incident is: the verb that ends it writes both.
    """

    incident = models.ForeignKey(
        MajorIncident, models.CASCADE, related_name="children", verbose_name=_("major incident")
    )
    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="majors", verbose_name=_("ticket"))
    is_head = models.BooleanField(_("head ticket"), default=False)
    is_open = models.BooleanField(_("the incident is open"), default=True)
    linked_at = models.DateTimeField(_("linked at"))
    linked_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("linked by")
    )

    class Meta:
        verbose_name = _("ticket of a major incident")
        verbose_name_plural = _("tickets of a major incident")
        ordering: ClassVar = ["-is_head", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["ticket"],
                condition=Q(is_open=True),
                name="major_one_open_a_ticket",
                violation_error_message=_("The request belongs to an open major incident already."),
            ),
            models.UniqueConstraint(fields=["incident", "ticket"], name="major_child_once"),
            models.UniqueConstraint(fields=["incident"], condition=Q(is_head=True), name="major_one_head"),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.ticket_id}"


class MajorNote(models.Model):
    """An entry of the timeline: words among ourselves, words to the customers, or a fact. Append-only.

    The words to the customers stand in the `broadcast`; a fact is a verb with details, as events of tickets are.
    """

    class Kind(models.TextChoices):
        INTERNAL = "internal", _("among ourselves")
        CUSTOMERS = "customers", _("to the customers")
        FACT = "fact", _("what happened")

    incident = models.ForeignKey(MajorIncident, models.CASCADE, related_name="notes", verbose_name=_("major incident"))
    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    at = models.DateTimeField(_("when"))
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    text = models.TextField(_("text"), blank=True)
    verb = models.CharField(_("what"), max_length=20, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)
    broadcast = models.OneToOneField(
        "tickets.Broadcast",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="note",
        verbose_name=_("message to many"),
    )

    class Meta:
        verbose_name = _("note of a major incident")
        verbose_name_plural = _("notes of a major incident")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [models.Index("incident", "at", "id", name="major_timeline")]  # The incident's page.
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(Q(kind="internal", verb="", broadcast__isnull=True) & ~Q(text=""))
                | Q(kind="customers", verb="", broadcast__isnull=False)
                | (Q(kind="fact", broadcast__isnull=True) & ~Q(verb="")),
                name="major_note_whole",
            ),
        ]

    def __str__(self) -> str:
        return self.text[:80] or self.verb


class MajorAction(models.Model):
    """What is to be done so that it does not happen again: who, by which day (the review)."""

    incident = models.ForeignKey(
        MajorIncident, models.CASCADE, related_name="actions", verbose_name=_("major incident")
    )
    text = models.CharField(_("what is to be done"), max_length=300)
    owner: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who does it")
    )
    due_on = models.DateField(_("by"))
    done_at = models.DateTimeField(_("done"), null=True, blank=True)

    class Meta:
        verbose_name = _("action of a review")
        verbose_name_plural = _("actions of a review")
        ordering: ClassVar = ["due_on", "pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(text=""), name="major_action_has_words")]

    def __str__(self) -> str:
        return self.text
