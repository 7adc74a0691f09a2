"""Words that are said often, with what is done along with them (direction §6.6)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Line, Role
from tickets.models.ticket import Priority

if TYPE_CHECKING:
    from accounts.models import User

KEEPERS = frozenset({Role.LINE_LEAD, Role.SUPPORT_MANAGER})  # who writes what everybody says


class MacroQuerySet(models.QuerySet["Macro"]):
    def visible_to(self, user: "User") -> "MacroQuerySet":
        """One's own and the shared ones; another person's own macro is nobody else's business."""
        return self.filter(Q(owner=user) | Q(owner__isnull=True))

    def editable_by(self, user: "User") -> "MacroQuerySet":
        return self.visible_to(user) if user.role in KEEPERS else self.filter(owner=user)

    def offered_to(self, user: "User") -> "MacroQuerySet":
        """What the picker of the composer offers: active ones, one's own and those of one's lines or of all."""
        lines = [line.pk for line in user.lines.all()]
        found = self.visible_to(user).filter(is_active=True)
        if user.role not in KEEPERS:
            found = found.filter(Q(line__isnull=True) | Q(line__in=lines) | Q(owner=user))
        return found.select_related("owner", "line").order_by("position", "title", "pk")


class Macro(models.Model):
    """A prepared message in both languages, with variables, and what happens to the ticket when it is sent.

    The priority changes before it is said, the state with it, the line after it: one transaction, all or nothing.
    """

    class Kind(models.TextChoices):
        REPLY = "reply", pgettext_lazy("macro", "reply to the customer")
        NOTE = "note", pgettext_lazy("macro", "internal note")
        QUESTION = "question", pgettext_lazy("macro", "question: we wait for the customer")

    title = models.CharField(_("title"), max_length=80)
    kind = models.CharField(_("what it is"), max_length=8, choices=Kind.choices, default=Kind.REPLY)
    body_ru = models.TextField(_("text in Russian"))
    body_en = models.TextField(_("text in English"), blank=True)
    priority = models.PositiveSmallIntegerField(_("set the priority"), choices=Priority.choices, null=True, blank=True)
    to_line = models.ForeignKey(
        Line, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("hand over to the line")
    )
    known = models.TextField(_("what is known"), blank=True)
    asked = models.TextField(_("what is asked"), blank=True)
    resolves = models.BooleanField(_("mark as solved"), default=False)
    owner: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="macros",
        verbose_name=_("whose own"),
    )
    line = models.ForeignKey(
        Line, models.PROTECT, null=True, blank=True, related_name="macros", verbose_name=_("for the line")
    )
    position = models.PositiveSmallIntegerField(_("place in the list"), default=100)
    is_active = models.BooleanField(pgettext_lazy("macro", "offered"), default=True)
    used = models.PositiveIntegerField(_("times sent"), default=0, editable=False)
    used_at = models.DateTimeField(_("last sent"), null=True, editable=False)

    objects: ClassVar = MacroQuerySet.as_manager()

    class Meta:
        verbose_name = _("macro")
        verbose_name_plural = _("macros")
        ordering: ClassVar = ["position", "title", "pk"]
        indexes: ClassVar = [
            # The picker and the page of macros: own and shared, in their order.
            models.Index("owner", "position", F("title"), "id", name="macro_list"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=["reply", "note", "question"]), name="macro_kind_known"),
            models.CheckConstraint(
                condition=Q(priority__isnull=True) | Q(priority__range=(1, 4)), name="macro_priority_1_to_4"
            ),
            models.CheckConstraint(condition=Q(owner__isnull=True) | Q(line__isnull=True), name="macro_own_or_of_line"),
            # Solved is said to the customer; and what waits or is solved is not handed over (domain §3.2, §3.3).
            models.CheckConstraint(condition=Q(resolves=False) | Q(kind="reply"), name="macro_solved_by_reply"),
            models.CheckConstraint(
                condition=Q(to_line__isnull=True) | (Q(resolves=False) & ~Q(kind="question")),
                name="macro_hands_over_what_goes_on",
            ),
            models.CheckConstraint(
                condition=Q(to_line__isnull=True) | (~Q(known="") & ~Q(asked="")), name="macro_hand_over_says_why"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def body(self, language: str) -> str:
        """The text in this language; the Russian one where the English was not written."""
        return (self.body_en if language == "en" else "") or self.body_ru
