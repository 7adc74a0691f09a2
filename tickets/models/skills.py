"""Which products an engineer knows, and how well: what decides who is next (domain §3.3)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from accounts.models import User


class Skill(models.Model):
    """A person knows a product: 1 a little, 2 well, 3 in depth. No row: not yet."""

    class Level(models.IntegerChoices):
        A_LITTLE = 1, pgettext_lazy("skill", "a little")
        WELL = 2, pgettext_lazy("skill", "well")
        IN_DEPTH = 3, pgettext_lazy("skill", "in depth")

    user: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="skills", verbose_name=_("person")
    )
    product = models.ForeignKey("contracts.Product", models.CASCADE, related_name="known_by", verbose_name=_("product"))
    level = models.PositiveSmallIntegerField(_("level"), choices=Level.choices)

    class Meta:
        verbose_name = _("skill")
        verbose_name_plural = _("skills")
        ordering: ClassVar = ["product", "-level", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "product"], name="skill_once"),
            models.CheckConstraint(condition=Q(level__range=(1, 3)), name="skill_level_1_to_3"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.product} {self.level}"
