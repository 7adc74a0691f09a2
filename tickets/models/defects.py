"""Defects of the products: what line 4 confirms and fixes, and the tickets that each causes (domain §3.3)."""

from datetime import date
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, FSMModelMixin, transition

from contracts.models import Customer, Licence

if TYPE_CHECKING:
    from accounts.models import User


def in_language(ru: str, en: str, language: str | None = None) -> tuple[str, str]:
    """A text that may stand in two languages, in this one (default: the active one), else in the other; and which."""
    wanted = "en" if (language or get_language() or "ru").startswith("en") else "ru"
    texts = {"ru": ru, "en": en}
    other = "ru" if wanted == "en" else "en"
    return (texts[wanted], wanted) if texts[wanted] or not texts[other] else (texts[other], other)


class DefectQuerySet(models.QuerySet["Defect"]):
    def known_errors_for(self, customer: Customer, *, on: date) -> "DefectQuerySet":
        """What a customer may read: confirmed or fixed, with a known-error text, of products licensed on this day.

        `known` and `workaround` of a row are for the customer; steps and other tickets are the vendor's own.
        """
        licensed = Licence.objects.in_force(on).filter(customer=customer, product=OuterRef("product"))
        return (
            self.filter(Exists(licensed), state__in=[Defect.State.CONFIRMED, Defect.State.FIXED])
            .exclude(known_error_ru="", known_error_en="")
            .select_related("product", "fixed_in")
            .order_by("-pk")
        )


class Defect(FSMModelMixin, models.Model):
    """A fault of the product that gathers the tickets it causes; line 4 confirms and fixes it (domain §3.3).

    Only `tickets/workflow/defects.py` changes its state and its texts.
    """

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
    known_error_ru = models.TextField(_("known error, in Russian"), blank=True)
    known_error_en = models.TextField(_("known error, in English"), blank=True)
    workaround_ru = models.TextField(_("workaround, in Russian"), blank=True)
    workaround_en = models.TextField(_("workaround, in English"), blank=True)
    state = FSMField(_("state"), max_length=10, choices=State.choices, default=State.REPORTED, protected=True)
    fixed_in = models.ForeignKey(
        "contracts.Release", models.PROTECT, null=True, blank=True, related_name="fixes", verbose_name=_("fixed in")
    )
    reported_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("reported by")
    )
    reported_at = models.DateTimeField(_("reported at"))

    objects: ClassVar = DefectQuerySet.as_manager()

    class Meta:
        verbose_name = _("defect")
        verbose_name_plural = _("defects")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # The list of a state, newest first: WHERE state = … ORDER BY id DESC (tickets/views/defects.py).
            models.Index(F("state"), F("id").desc(), name="defect_of_state"),
            # The list of a product, the same order; the customer's known errors read it too.
            models.Index(F("product"), F("id").desc(), name="defect_of_product"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["reported", "confirmed", "fixed", "released", "rejected"]),
                name="defect_state_known",
            ),
            models.CheckConstraint(
                condition=~Q(state="released") | Q(fixed_in__isnull=False), name="defect_released_in_a_release"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def known_error(self) -> str:
        """What is known of it, in the active language where it is there."""
        return in_language(self.known_error_ru, self.known_error_en)[0]

    @property
    def workaround(self) -> str:
        """The way around it, in the active language where it is there."""
        return in_language(self.workaround_ru, self.workaround_en)[0]

    @property
    def known_error_language(self) -> str:
        """Which language `known_error` is in."""
        return in_language(self.known_error_ru, self.known_error_en)[1]

    @property
    def workaround_language(self) -> str:
        """Which language `workaround` is in."""
        return in_language(self.workaround_ru, self.workaround_en)[1]

    # The table of moves (domain §3.3). Bodies are empty: the meaning stands in the verb of workflow.

    @transition(state, source=State.REPORTED, target=State.CONFIRMED)
    def confirm(self) -> None: ...

    @transition(state, source=[State.REPORTED, State.CONFIRMED], target=State.REJECTED)
    def reject(self) -> None: ...

    @transition(state, source=State.CONFIRMED, target=State.FIXED)
    def fix(self) -> None: ...

    @transition(state, source=State.FIXED, target=State.RELEASED)
    def release_fix(self) -> None: ...

    @transition(state, source=[State.FIXED, State.RELEASED], target=State.CONFIRMED)
    def reopen(self) -> None: ...

    @transition(state, source=State.REJECTED, target=State.REPORTED)
    def reconsider(self) -> None: ...


class DefectEvent(models.Model):
    """What happened to a defect: who, what, when. Append-only: the database refuses a change."""

    defect = models.ForeignKey(Defect, models.CASCADE, related_name="events", verbose_name=_("defect"))
    verb = models.CharField(_("what"), max_length=30)
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    at = models.DateTimeField(_("when"))
    details = models.JSONField(_("details"), default=dict, blank=True)

    class Meta:
        verbose_name = _("event of a defect")
        verbose_name_plural = _("events of a defect")
        ordering: ClassVar = ["at", "pk"]
        indexes: ClassVar = [models.Index("defect", "at", "id", name="defect_history")]  # The defect's page.

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%Y-%m-%d %H:%M:%S %Z}"
