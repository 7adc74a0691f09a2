"""Tickets, what is said in them and what happened to them (domain §3). Only `tickets/workflow/` changes a ticket."""

import secrets
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Func, Prefetch, Q, Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_fsm import FSMField, FSMModelMixin, transition

from accounts.models import BOARD_ROLES, STAFF_ROLES, Role
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
            # A company's tickets, newest first, keyset by number (views/portal.py).
            models.Index("customer", F("number").desc(), name="ticket_of_customer"),
            # What a change of terms moves: open tickets in order of receipt, WHERE id > … (tickets/terms_preview.py).
            models.Index("id", name="ticket_open", condition=Q(state__in=["new", "in_progress", "awaiting_customer"])),
            # The job that closes after silence: WHERE closes_at <= now (tickets/tasks.py).
            models.Index("closes_at", name="ticket_closes", condition=Q(state="resolved")),
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
            models.UniqueConstraint(
                fields=["contact", "idempotency_key"],
                name="ticket_sent_once",
                condition=Q(idempotency_key__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"№ {self.number} {self.subject}"

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


class MessageQuerySet(models.QuerySet["Message"]):
    def visible_to(self, user: "User") -> "MessageQuerySet":
        """Internal notes are the vendor's own: nobody else ever reads one."""
        return self.all() if user.role in STAFF_ROLES else self.filter(kind=Message.Kind.PUBLIC)


class Message(models.Model):
    """Something said in a ticket: to the customer or by them (public), or among the vendor's people (note)."""

    class Kind(models.TextChoices):
        PUBLIC = "public", _("reply")
        NOTE = "note", _("internal note")

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="messages", verbose_name=_("ticket"))
    author: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="messages", verbose_name=_("author")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.PUBLIC)
    by_vendor = models.BooleanField(_("by the vendor"))
    body = models.TextField(_("text"))
    quoted = models.TextField(_("quoted text"), blank=True)
    channel = models.ForeignKey("contracts.Channel", models.PROTECT, related_name="+", verbose_name=_("channel"))
    created_at = models.DateTimeField(_("written at"))
    message_id = models.CharField(_("Message-ID"), max_length=998, null=True, blank=True)
    idempotency_key = models.CharField(max_length=64, null=True, blank=True, editable=False)

    objects: ClassVar = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        ordering: ClassVar = ["created_at", "pk"]
        indexes: ClassVar = [
            # A ticket's conversation, oldest first.
            models.Index("ticket", "created_at", "id", name="message_thread"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["message_id"], name="message_id_once", condition=Q(message_id__isnull=False)
            ),
            models.UniqueConstraint(
                fields=["ticket", "author", "idempotency_key"],
                name="message_sent_once",
                condition=Q(idempotency_key__isnull=False),
            ),
            models.CheckConstraint(condition=Q(kind__in=["public", "note"]), name="message_kind_known"),
            models.CheckConstraint(condition=~Q(kind="note") | Q(by_vendor=True), name="message_note_by_vendor"),
        ]

    def __str__(self) -> str:
        return self.body[:80]

    @property
    def is_note(self) -> bool:
        return self.kind == self.Kind.NOTE


def attachment_path(attachment: "Attachment | HeldFile", name: str) -> str:
    """Files lie under a random name; the name that people see is `Attachment.name`."""
    return f"attachments/{secrets.token_hex(2)}/{secrets.token_hex(16)}"


class Attachment(models.Model):
    """A file of a message. Served only to who may read the message, always as a download."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="attachments", verbose_name=_("message"))
    file = models.FileField(_("file"), upload_to=attachment_path, max_length=160)
    name = models.CharField(_("name"), max_length=160)
    content_type = models.CharField(_("type"), max_length=127, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"))

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """What happened to a ticket: who, what, when, from → to. Append-only; the timeline, the audit and the outbox.

    The database refuses a change of anything but `notified_at`, which is null until the mail app has dealt with it.
    `details` holds what the verb changed, as plain values ({"from": 1, "to": 3, "reason": "…"}).
    """

    ticket = models.ForeignKey(Ticket, models.CASCADE, related_name="events", verbose_name=_("ticket"))
    verb = models.CharField(_("what"), max_length=30)
    by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))
    details = models.JSONField(_("details"), default=dict, blank=True)
    message = models.ForeignKey(
        Message, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("message")
    )
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [
            # A ticket's timeline.
            models.Index("ticket", "at", "id", name="event_timeline"),
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="event_outbox", condition=Q(notified_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%Y-%m-%d %H:%M:%S %Z}"


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


class Defect(models.Model):
    """A fault of the product that gathers the tickets it causes; line 4 confirms and fixes it (domain §3.3)."""

    class State(models.TextChoices):
        REPORTED = "reported", pgettext_lazy("defect", "reported")
        CONFIRMED = "confirmed", pgettext_lazy("defect", "confirmed")
        FIXED = "fixed", pgettext_lazy("defect", "fixed")
        RELEASED = "released", pgettext_lazy("defect", "released")
        REJECTED = "rejected", pgettext_lazy("defect", "rejected")

    title = models.CharField(_("title"), max_length=200)
    product = models.ForeignKey(
        "contracts.Product", models.PROTECT, null=True, blank=True, related_name="defects", verbose_name=_("product")
    )
    release = models.ForeignKey(
        "contracts.Release", models.PROTECT, null=True, blank=True, related_name="defects", verbose_name=_("release")
    )
    steps = models.TextField(_("steps"))
    expected = models.TextField(_("expected"))
    actual = models.TextField(_("actual"))
    known_error = models.TextField(_("known error and workaround"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.REPORTED)
    reported_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reported by")
    )
    reported_at = models.DateTimeField(_("reported at"))

    class Meta:
        verbose_name = _("defect")
        verbose_name_plural = _("defects")
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.title


class Rating(models.Model):
    """What the customer thinks of the work, 1–5 and a comment, after resolution (domain §6)."""

    ticket = models.OneToOneField(Ticket, models.CASCADE, related_name="rating", verbose_name=_("ticket"))
    score = models.PositiveSmallIntegerField(_("score"), validators=[MinValueValidator(1), MaxValueValidator(5)])
    comment = models.TextField(_("comment"), blank=True)
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("rating")
        verbose_name_plural = _("ratings")
        ordering: ClassVar = ["-at"]
        indexes: ClassVar = [models.Index("at", name="rating_recent")]  # The board: ratings of 30 days.
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(score__range=(1, 5)), name="rating_1_to_5"),
        ]

    def __str__(self) -> str:
        return f"{self.score}"


class HeldRequestQuerySet(models.QuerySet["HeldRequest"]):
    def for_contact(self) -> "HeldRequestQuerySet":
        """Words of colleagues that wait for the yes or no of their company's contact (domain §1.7.1)."""
        return self.filter(
            settled_at__isnull=True, reason=HeldRequest.Reason.NOT_CONTACT, customer__isnull=False, sender__isnull=False
        )


class HeldRequest(models.Model):
    """A request that is not a ticket yet: recorded, answered why, and put before a person (domain §2, §3.5).

    No contract in force; the sender is not the responsible contact; not in the package; the address is not known.
    What a colleague of the contact wrote waits for the contact's confirmation; everything that the ticket will need
    then is kept here: `about` (the ticket that it answers), `quoted`, `language`, `message_id`, `files`.
    """

    class Reason(models.TextChoices):
        NO_CONTRACT = "no_contract", _("no contract in force")
        NOT_CONTACT = "not_contact", _("the sender is not the responsible contact")
        NOT_IN_PACKAGE = "not_in_package", _("not in the package")
        UNKNOWN_SENDER = "unknown_sender", _("the sender is not known")

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", pgettext_lazy("held request", "confirmed by the contact")
        DROPPED = "dropped", pgettext_lazy("held request", "not needed, says the contact")
        BY_HAND = "by_hand", pgettext_lazy("held request", "a request was opened by hand")
        ANSWERED = "answered", pgettext_lazy("held request", "answered")

    customer = models.ForeignKey(
        "contracts.Customer", models.PROTECT, null=True, blank=True, related_name="held", verbose_name=_("customer")
    )
    sender: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sender")
    )
    sender_address = models.CharField(_("address"), max_length=254, blank=True)
    channel = models.ForeignKey("contracts.Channel", models.PROTECT, related_name="+", verbose_name=_("channel"))
    reason = models.CharField(_("why"), max_length=20, choices=Reason.choices)
    words = models.TextField(_("what the sender was told"))
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"), blank=True)
    quoted = models.TextField(_("quoted text"), blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=998, null=True, blank=True)
    about = models.ForeignKey(
        Ticket, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("answer in the ticket")
    )
    received_at = models.DateTimeField(_("received"))
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("settled by")
    )
    outcome = models.CharField(_("how it was settled"), max_length=10, choices=Outcome.choices, blank=True)
    settled_words = models.CharField(_("settled, in words"), max_length=500, blank=True)
    ticket = models.ForeignKey(
        Ticket, models.PROTECT, null=True, blank=True, related_name="held_requests", verbose_name=_("ticket")
    )

    objects: ClassVar = HeldRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("held request")
        verbose_name_plural = _("held requests")
        ordering: ClassVar = ["-received_at"]
        indexes: ClassVar = [
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="held_outbox", condition=Q(notified_at__isnull=True)),
            # What waits, oldest first: WHERE settled_at IS NULL ORDER BY received_at, id (tickets/views/held.py).
            models.Index("received_at", "id", name="held_waiting", condition=Q(settled_at__isnull=True)),
            # What is settled, newest first: WHERE settled_at IS NOT NULL ORDER BY settled_at DESC, id DESC.
            models.Index(
                F("settled_at").desc(), F("id").desc(), name="held_settled", condition=Q(settled_at__isnull=False)
            ),
            # The portal's first page: a company's letters that wait for its contact, oldest first.
            models.Index(
                "customer",
                "received_at",
                "id",
                name="held_for_contact",
                condition=Q(settled_at__isnull=True, reason="not_contact"),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(outcome="confirmed") | Q(ticket__isnull=False, settled_at__isnull=False),
                name="held_confirmed_has_ticket",
            ),
        ]

    def __str__(self) -> str:
        return self.subject

    @property
    def waits_for_contact(self) -> bool:
        """Whether a colleague's words wait for the contact's yes or no (domain §1.7.1)."""
        is_a_colleagues = self.customer_id is not None and self.sender_id is not None
        return self.settled_at is None and self.reason == self.Reason.NOT_CONTACT and is_a_colleagues


class HeldFile(models.Model):
    """A file of a request that waits for the contact; it moves into the ticket with the confirmation."""

    held = models.ForeignKey(HeldRequest, models.CASCADE, related_name="files", verbose_name=_("held request"))
    file = models.FileField(_("file"), upload_to=attachment_path, max_length=160)
    name = models.CharField(_("name"), max_length=160)
    content_type = models.CharField(_("type"), max_length=127, blank=True)
    size = models.PositiveBigIntegerField(_("bytes"))

    class Meta:
        verbose_name = _("file of a held request")
        verbose_name_plural = _("files of held requests")

    def __str__(self) -> str:
        return self.name


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
