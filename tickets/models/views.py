"""Saved views of the queue: filters with a name and an address of their own (direction §4)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from accounts.models import User


class SavedView(models.Model):
    """A queue under a name, at /w/v/<slug>/. `tail` is the queue's address after /w/ ("l/2/?package=premium").

    Only `tickets/saved_views.py` writes them. `line` is whom it is shared with where a line is.
    """

    class Shared(models.TextChoices):
        ME = "me", pgettext_lazy("view", "only me")
        LINE = "line", pgettext_lazy("view", "a line")
        DESK = "desk", pgettext_lazy("view", "the whole desk")

    owner: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_views", verbose_name=_("owner")
    )
    name = models.CharField(_("name"), max_length=60)
    slug = models.SlugField(_("address"), max_length=80, unique=True)
    tail = models.CharField(_("filters"), max_length=2000, blank=True)
    shared = models.CharField(_("who sees it"), max_length=4, choices=Shared.choices, default=Shared.ME)
    line = models.ForeignKey(
        "accounts.Line", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("line")
    )
    position = models.PositiveSmallIntegerField(_("place in the list"), default=0)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering: ClassVar = ["position", "name", "pk"]
        indexes: ClassVar = [
            # Views shared with everybody or with one's lines (tickets/queue/glance.py).
            models.Index("shared", "line", name="saved_view_shared", condition=~Q(shared="me")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(F("owner"), Lower("name"), name="saved_view_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_view_has_name"),
            models.CheckConstraint(
                condition=Q(shared="line", line__isnull=False) | Q(shared__in=["me", "desk"], line__isnull=True),
                name="saved_view_line_where_shared",
            ),
        ]

    def __str__(self) -> str:
        return self.name
