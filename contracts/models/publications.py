"""Published releases and critical patches: what they are, their files, and the register of who was told (§1.2, §6)."""

import secrets
from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import Role
from contracts.models.catalogue import Deployment, Release
from contracts.models.customers import Customer

if TYPE_CHECKING:
    from accounts.models import User


class ReleasePublication(models.Model):
    """A release as it is given to customers. A draft until `published_at`; only `contracts/publishing.py` changes it.

    `deployment` "" concerns every licence; `from_versions` empty every older version.
    """

    class Kind(models.TextChoices):
        RELEASE = "release", pgettext_lazy("publication", "release")
        PATCH = "patch", _("critical patch")

    release = models.OneToOneField(Release, models.PROTECT, related_name="publication", verbose_name=_("release"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.RELEASE)
    deployment = models.CharField(_("deployment"), max_length=10, choices=Deployment.choices, blank=True)
    from_versions = models.ManyToManyField(
        Release, blank=True, related_name="updated_by", verbose_name=_("from which versions")
    )
    notes_ru = models.TextField(_("what is new, in Russian"))
    notes_en = models.TextField(_("what is new, in English"), blank=True)
    prepared_at = models.DateTimeField(_("prepared at"))
    prepared_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("prepared by")
    )
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)
    published_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )

    class Meta:
        verbose_name = _("published release")
        verbose_name_plural = _("published releases")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=["release", "patch"]), name="publication_kind_known"),
            models.CheckConstraint(
                condition=Q(deployment__in=["", "on-site", "on-demand"]), name="publication_deployment_known"
            ),
            models.CheckConstraint(
                condition=Q(published_at__isnull=True, published_by__isnull=True)
                | Q(published_at__isnull=False, published_by__isnull=False),
                name="publication_published_whole",
            ),
        ]

    def __str__(self) -> str:
        return str(self.release)

    @property
    def notes(self) -> str:
        english = (get_language() or "ru").startswith("en") and self.notes_en
        return self.notes_en if english else self.notes_ru

    @property
    def notes_language(self) -> str:
        return "en" if (get_language() or "ru").startswith("en") and self.notes_en else "ru"


def release_path(file: "ReleaseFile", name: str) -> str:
    """Files lie under a random name; the name that people see is `ReleaseFile.name`."""
    return f"releases/{secrets.token_hex(2)}/{secrets.token_hex(16)}"


class ReleaseFile(models.Model):
    """A file of a release: the distribution, or documentation. Served only to whom the release concerns."""

    class Kind(models.TextChoices):
        PROGRAM = "program", _("distribution")
        PAPERS = "papers", _("documentation")

    publication = models.ForeignKey(
        ReleasePublication, models.CASCADE, related_name="files", verbose_name=_("published release")
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices, default=Kind.PROGRAM)
    file = models.FileField(_("file"), upload_to=release_path, max_length=160)
    name = models.CharField(_("name"), max_length=160)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField("SHA-256", max_length=64)

    class Meta:
        verbose_name = _("file of a release")
        verbose_name_plural = _("files of a release")
        ordering: ClassVar = ["-kind", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="release_file_sum_whole"),
        ]

    def __str__(self) -> str:
        return self.name


class ReleaseNoticeQuerySet(models.QuerySet["ReleaseNotice"]):
    def visible_to(self, user: "User") -> "ReleaseNoticeQuerySet":
        """A customer's people see what concerns their own company; the vendor's, who work at the desk, all (§7)."""
        if user.role == Role.CUSTOMER:
            return self.filter(customer__members__user=user)
        return self.all() if user.works_at_desk or user.sees_board else self.none()


class ReleaseNotice(models.Model):
    """The register: this customer was told of this release, downloaded it, installed it. Once a release and customer.

    The outbox at once: `notified_at` is null until the mail app has dealt with it.
    """

    publication = models.ForeignKey(
        ReleasePublication, models.CASCADE, related_name="notices", verbose_name=_("published release")
    )
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="release_notices", verbose_name=_("customer"))
    contact: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("responsible contact")
    )
    told_at = models.DateTimeField(_("told at"))
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)
    downloads = models.PositiveIntegerField(_("downloads"), default=0)
    first_downloaded_at = models.DateTimeField(_("downloaded at"), null=True, blank=True)
    first_downloaded_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    installed_at = models.DateTimeField(_("installed at"), null=True, blank=True)
    installed_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )

    objects: ClassVar = ReleaseNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice of a release")
        verbose_name_plural = _("notices of a release")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # A company's releases, newest first: WHERE customer = … ORDER BY id DESC (tickets/views/releases.py).
            models.Index(F("customer"), F("id").desc(), name="release_notice_of_customer"),
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="release_notice_outbox", condition=Q(notified_at__isnull=True)),
        ]
        constraints: ClassVar = [
            # Also the register of one release in its order: WHERE publication = … ORDER BY customer.
            models.UniqueConstraint(fields=["publication", "customer"], name="release_notice_once"),
            models.CheckConstraint(
                condition=Q(downloads=0, first_downloaded_at__isnull=True, first_downloaded_by__isnull=True)
                | Q(downloads__gt=0, first_downloaded_at__isnull=False, first_downloaded_by__isnull=False),
                name="release_notice_downloads_whole",
            ),
            models.CheckConstraint(
                condition=Q(installed_at__isnull=True, installed_by__isnull=True)
                | Q(installed_at__isnull=False, installed_by__isnull=False),
                name="release_notice_installed_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.publication_id}: {self.customer_id}"


class ReleaseReminder(models.Model):
    """A second letter to who was told and has not downloaded or installed; an outbox row like the notice."""

    notice = models.ForeignKey(ReleaseNotice, models.CASCADE, related_name="reminders", verbose_name=_("notice"))
    at = models.DateTimeField(_("when"))
    by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    notified_at = models.DateTimeField(_("letters written at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reminder of a release")
        verbose_name_plural = _("reminders of a release")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            # The outbox: WHERE notified_at IS NULL ORDER BY id (mail/outbound.py).
            models.Index("id", name="release_reminder_outbox", condition=Q(notified_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.at:%Y-%m-%d}"
