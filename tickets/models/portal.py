"""What a customer is about to ask, and what answered before it was asked (direction §4, domain §6)."""

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tickets.models.defects import Defect

if TYPE_CHECKING:
    from accounts.models import User


class RequestDraft(models.Model):
    """A new request that was not sent yet: one a person, kept on the server, read by nobody else.

    `key` is the one that the request will be sent with: words that come late, after their request, are no draft.
    """

    person: "models.OneToOneField[User]" = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="request_draft", verbose_name=_("person")
    )
    fields = models.JSONField(_("what was filled in"), default=dict)
    updated_at = models.DateTimeField(_("written at"))

    class Meta:
        verbose_name = pgettext_lazy("portal", "draft of a request")
        verbose_name_plural = pgettext_lazy("portal", "drafts of requests")
        indexes: ClassVar = [
            # The job that forgets old ones: WHERE updated_at < … (tickets/request_draft.py).
            models.Index("updated_at", name="request_draft_by_age"),
        ]

    def __str__(self) -> str:
        return str(self.fields.get("subject", ""))[:80]


class SolvedFirst(models.Model):
    """ "This solved it": an article or a known error answered before a request was sent. Once a person and answer."""

    person: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person")
    )
    article = models.ForeignKey(
        "knowledge.Article",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="solved_first",
        verbose_name=_("article"),
    )
    defect = models.ForeignKey(
        Defect, models.CASCADE, null=True, blank=True, related_name="solved_first", verbose_name=_("defect")
    )
    words = models.CharField(_("what was asked"), max_length=200, blank=True)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("request that was not needed")
        verbose_name_plural = _("requests that were not needed")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(article__isnull=False, defect__isnull=True) | Q(article__isnull=True, defect__isnull=False),
                name="solved_first_by_one",
            ),
            models.UniqueConstraint(fields=["person", "article"], name="solved_first_once_article"),
            models.UniqueConstraint(fields=["person", "defect"], name="solved_first_once_defect"),
        ]

    def __str__(self) -> str:
        return self.words
