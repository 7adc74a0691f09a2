"""A ticket and its table of moves (domain §3.1, §3.2). Only `tickets/workflow/` changes a ticket."""

import secrets
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Prefetch, Q, Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, FSMModelMixin, transition

from accounts.models import BOARD_ROLES, Role
from contracts.models import PromiseKind, TicketKind
from sla.models import Commitment

if TYPE_CHECKING:
    from accounts.models import User


class State(models.TextChoices):
    NEW = "new", pgettext_lazy("ticket", "new")
    IN_PROGRESS = "in_progress", pgettext_lazy("ticket", "in progress")
    AWAITING_CUSTOMER = "awaiting_customer", pgettext_lazy("ticket", "waiting for the customer")
    RESOLVED = "resolved", pgettext_lazy("ticket", "resolved")
    CLOSED = "closed", pgettext_lazy("ticket", "closed")
    DECLINED = "declined", pgettext_lazy("ticket", "declined")


# Nothing is owed any more in the other two: the work on these is not over (domain §3.2).
OPEN_STATES = (State.NEW, State.IN_PROGRESS, State.AWAITING_CUSTOMER)
WORKED_STATES = (State.IN_PROGRESS, State.AWAITING_CUSTOMER)


class Priority(models.IntegerChoices):
    """How an incident hurts (domain §1.6)."""

    ONE = 1, _("The system does not work at all")
    TWO = 2, _("Main functions cannot be performed, there is another way")
    THREE = 3, _("Auxiliary functions cannot be performed, there is another way")
    FOUR = 4, _("An error that does not affect the work")


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: "User") -> "TicketQuerySet":
        """What this person may see (domain §7): a customer's people their own company's, the vendor's people all.

        A CSM reads every ticket (they stand in for each other), the contract administrator and the administrator none
        of the conversation: they have no desk.
        """
        if user.role in BOARD_ROLES or user.role == Role.ENGINEER:
            return self.all()
        if user.role == Role.CUSTOMER:
            return self.filter(customer__members__user=user)
        return self.none()

    def open(self) -> "TicketQuerySet":
        return self.filter(state__in=OPEN_STATES)

    def by_deadline(self) -> "TicketQuerySet":
        """The one queue order: running clocks by their next deadline, then the ones that stand, then those without.

        `ticket_queue`, `ticket_line_queue` and `ticket_my_queue` are its indexes.
        """
        return self.order_by("clock_paused", F("due_at").asc(nulls_last=True), "pk")

    def with_clocks(self) -> "TicketQuerySet":
        """Everything that a row of a list shows, in a constant number of statements."""
        return self.select_related(
            "customer", "contact", "assignee", "owner", "terms__package", "topic", "line", "product"
        ).prefetch_related(
            Prefetch(
                "commitments",
                queryset=Commitment.objects.exclude(ending__in=["superseded", "cancelled"])
                .select_related("calendar_version")
                .order_by("started_at", "pk"),
                to_attr="clocks",
            )
        )


def new_token() -> str:
    """The secret half of a ticket's mail address and Message-IDs: who has it was written to by us."""
    return secrets.token_hex(8)


class Ticket(FSMModelMixin, models.Model):
    """A request of a customer, from receipt to closing (domain §3.1).

    Pinned to the contract and terms of its receipt. `due_at` repeats the nearest running deadline of its customer
    promises (null: none runs), `clock_paused` whether it stands; both are written by the verb that moved the clock.
    """

    number = models.PositiveBigIntegerField(
        _("number"),
        unique=True,
        editable=False,
        db_default=Func(Value("tickets_ticket_number"), function="nextval", output_field=models.BigIntegerField()),
    )
    token = models.CharField(max_length=16, default=new_token, editable=False)
    customer = models.ForeignKey(
        "contracts.Customer", models.PROTECT, related_name="tickets", verbose_name=_("customer")
    )
    contract = models.ForeignKey(
        "contracts.Contract", models.PROTECT, related_name="tickets", verbose_name=_("contract")
    )
    terms = models.ForeignKey("contracts.PackageTerms", models.PROTECT, related_name="tickets", verbose_name=_("terms"))
    contact: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="filed", verbose_name=_("responsible contact")
    )
    product = models.ForeignKey(
        "contracts.Product", models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("product")
    )
    release = models.ForeignKey(
        "contracts.Release", models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("release")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=TicketKind.choices, default=TicketKind.INCIDENT)
    topic = models.ForeignKey(
        "contracts.Topic", models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("topic")
    )
    channel = models.ForeignKey("contracts.Channel", models.PROTECT, related_name="tickets", verbose_name=_("channel"))
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority.choices, default=Priority.FOUR)
    proposed_priority = models.PositiveSmallIntegerField(
        _("priority that the customer asks for"), choices=Priority.choices, null=True, blank=True
    )
    state = FSMField(_("state"), max_length=20, choices=State.choices, default=State.NEW, protected=True)
    line = models.ForeignKey("accounts.Line", models.PROTECT, related_name="tickets", verbose_name=_("line"))
    owner: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="owned", verbose_name=_("owner")
    )
    assignee: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="assigned",
        verbose_name=_("assignee"),
    )
    defect = models.ForeignKey(
        "tickets.Defect", models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("defect")
    )
    follows = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="follow_ups", verbose_name=_("follow-up of")
    )
    # Always the last one: where that is merged in its turn, the pointers follow (workflow/merging.py).
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged", verbose_name=_("merged into")
    )
    subject = models.CharField(_("subject"), max_length=200)
    language = models.CharField(_("language"), max_length=2, default="ru")
    workaround = models.TextField(_("workaround"), blank=True)
    opened_at = models.DateTimeField(_("received"))
    changed_at = models.DateTimeField(_("last change"))
    awaiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes by itself at"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    due_at = models.DateTimeField(_("next deadline"), null=True, blank=True)
    due_kind = models.CharField(_("next deadline of"), max_length=20, choices=PromiseKind.choices, blank=True)
    clock_paused = models.BooleanField(_("clocks stand"), default=False)
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, editable=False)

    clocks: list[Commitment]  # there after `with_clocks`

    objects: ClassVar = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering: ClassVar = ["-number"]
        indexes: ClassVar = [
            # The queue of everybody: open tickets by next deadline (TicketQuerySet.by_deadline).
            models.Index(
                F("clock_paused"),
                F("due_at").asc(nulls_last=True),
                "id",
                name="ticket_queue",
                condition=Q(state__in=["new", "in_progress", "awaiting_customer"]),
            ),
            # The queue of a line, the same order.
            models.Index(
                F("line"),
                F("clock_paused"),
                F("due_at").asc(nulls_last=True),
                F("id"),
                name="ticket_line_queue",
                condition=Q(state__in=["new", "in_progress", "awaiting_customer"]),
            ),
            # "My" queue, the same order.
            models.Index(
                F("assignee"),
                F("clock_paused"),
                F("due_at").asc(nulls_last=True),
                F("id"),
                name="ticket_my_queue",
                condition=Q(state__in=["new", "in_progress", "awaiting_customer"]),
            ),
            # What nobody works on, of some lines: the most urgent is taken (tickets/urgency.py).
            models.Index(
                "line",
                "due_at",
                "id",
                name="ticket_to_take",
                condition=Q(assignee__isnull=True, state__in=["new", "in_progress"]),
            ),
            # What was given to a person and is not accepted yet: WHERE assignee AND state = 'new' (tickets/urgency.py).
            models.Index("assignee", "id", name="ticket_given", condition=Q(assignee__isnull=False, state="new")),
            # A company's tickets, newest first, keyset by number (views/company.py).
            models.Index("customer", F("number").desc(), name="ticket_of_customer"),
            # What a change of terms moves: open tickets in order of receipt, WHERE id > … (tickets/terms_preview.py).
            models.Index("id", name="ticket_open", condition=Q(state__in=["new", "in_progress", "awaiting_customer"])),
            # What may belong to a major incident: open ones of its product, WHERE opened_at >= … (workflow/major.py).
            models.Index(
                "product",
                "opened_at",
                name="ticket_of_product",
                condition=Q(state__in=["new", "in_progress", "awaiting_customer"]),
            ),
            # The board: open ones received within a span (tickets/board.py::ages).
            models.Index(
                "opened_at",
                name="ticket_age",
                condition=Q(state__in=["new", "in_progress", "awaiting_customer"]),
            ),
            # The board: open ones of priority 1 that nobody has (tickets/board.py::facts).
            models.Index(
                "priority",
                name="ticket_nobodys",
                condition=Q(assignee__isnull=True, state__in=["new", "in_progress", "awaiting_customer"]),
            ),
            # The job that closes after silence: WHERE closes_at <= now (tickets/tasks.py).
            models.Index("closes_at", name="ticket_closes", condition=Q(state="resolved")),
            # The newest solved ones about the same thing: WHERE product, topic ORDER BY id DESC (tickets/similar.py).
            models.Index(
                F("product"),
                F("topic"),
                F("id").desc(),
                name="ticket_solved_like",
                condition=Q(state__in=["resolved", "closed"], merged_into__isnull=True),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="ticket_state_known"),
            models.CheckConstraint(condition=Q(priority__range=(1, 4)), name="ticket_priority_1_to_4"),
            models.CheckConstraint(condition=Q(kind__in=TicketKind.values), name="ticket_kind_known"),
            models.CheckConstraint(condition=~Q(subject=""), name="ticket_has_subject"),
            models.CheckConstraint(
                condition=Q(state__in=["new", "in_progress", "awaiting_customer", "declined"])
                | Q(resolved_at__isnull=False)
                | Q(state="closed"),
                name="ticket_resolved_has_moment",
            ),
            models.CheckConstraint(
                condition=~Q(state="closed") | Q(closed_at__isnull=False), name="ticket_closed_has_moment"
            ),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(state="closed") & ~Q(merged_into=F("id")),
                name="ticket_merged_is_closed",
            ),
            models.UniqueConstraint(
                fields=["contact", "idempotency_key"],
                name="ticket_sent_once",
                condition=Q(idempotency_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"№ {self.number} {self.subject}"

    def get_state_display(self) -> str:  # type: ignore[no-redef]
        """Django's own looks every state up to say one; a page says several."""
        return str(State(self.state).label)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    # The table of moves (domain §3.2). Bodies are empty: the meaning stands in the verb of workflow.

    @transition(state, source=State.NEW, target=State.IN_PROGRESS)
    def accept(self) -> None: ...

    @transition(state, source=State.IN_PROGRESS, target=State.AWAITING_CUSTOMER)
    def ask_customer(self) -> None: ...

    @transition(state, source=State.AWAITING_CUSTOMER, target=State.IN_PROGRESS)
    def hear_customer(self) -> None: ...

    @transition(state, source=WORKED_STATES, target=State.RESOLVED)
    def resolve(self) -> None: ...

    @transition(state, source=State.RESOLVED, target=State.CLOSED)
    def close(self) -> None: ...

    @transition(state, source=State.RESOLVED, target=State.IN_PROGRESS)
    def reopen(self) -> None: ...

    @transition(state, source=[*OPEN_STATES, State.RESOLVED], target=State.CLOSED)
    def withdraw(self) -> None: ...

    @transition(state, source=[State.NEW, State.IN_PROGRESS], target=State.DECLINED)
    def decline(self) -> None: ...

    @transition(state, source=State.DECLINED, target=State.IN_PROGRESS)
    def contest(self) -> None: ...

    @transition(state, source=OPEN_STATES, target=State.CLOSED)
    def merge(self) -> None: ...
