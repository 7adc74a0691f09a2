"""Files that were read to be imported: what a dry run said of each row, and what a person decided (domain §2)."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import User


class ImportRun(models.Model):
    """One file after its dry run. Nothing of it is in the registers before a person decides so, and then once."""

    class Kind(models.TextChoices):
        CUSTOMERS = "customers", _("customers")
        LICENCES = "licences", _("licences")
        CONTACTS = "contacts", pgettext_lazy("import", "contacts")

    class State(models.TextChoices):
        CHECKED = "checked", pgettext_lazy("import", "waits for a decision")
        IMPORTED = "imported", pgettext_lazy("import", "imported")
        DROPPED = "dropped", pgettext_lazy("import", "dropped")

    kind = models.CharField(_("what"), max_length=10, choices=Kind.choices)
    file_name = models.CharField(_("file"), max_length=200)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.CHECKED)
    checked_by: "models.ForeignKey[User]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who")
    )
    checked_at = models.DateTimeField(_("when"))
    decided_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    imported_at = models.DateTimeField(_("imported at"), null=True, blank=True)
    dropped_at = models.DateTimeField(_("dropped at"), null=True, blank=True)
    # How many rows the dry run found of each verdict, and how many of the good ones carry a warning.
    new = models.PositiveIntegerField(_("new rows"), default=0)
    changed = models.PositiveIntegerField(_("changed rows"), default=0)
    same = models.PositiveIntegerField(_("same rows"), default=0)
    bad = models.PositiveIntegerField(_("bad rows"), default=0)
    warned = models.PositiveIntegerField(_("rows with a warning"), default=0)
    # Headings as the file has them, codes of `contracts.importing.columns`, names of further sheets.
    ignored_columns = models.JSONField(_("columns left out"), default=list, blank=True)
    missing_columns = models.JSONField(_("columns that the file does not have"), default=list, blank=True)
    ignored_sheets = models.JSONField(_("sheets left out"), default=list, blank=True)

    class Meta:
        verbose_name = pgettext_lazy("file", "import")
        verbose_name_plural = _("imports")
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state="checked", imported_at__isnull=True, dropped_at__isnull=True)
                | Q(state="imported", imported_at__isnull=False, decided_by__isnull=False, dropped_at__isnull=True)
                | Q(state="dropped", dropped_at__isnull=False, decided_by__isnull=False, imported_at__isnull=True),
                name="import_decided_whole",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["customers", "licences", "contacts"]), name="import_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.file_name}"

    @property
    def waits(self) -> bool:
        """Whether a person has still to decide."""
        return self.state == self.State.CHECKED

    @property
    def good(self) -> int:
        """How many rows an import would write."""
        return self.new + self.changed

    @property
    def total(self) -> int:
        return self.new + self.changed + self.same + self.bad


class ImportRow(models.Model):
    """One row of a file, under the number that it has in the spreadsheet, with the verdict of the dry run.

    `problems` and `warnings` are lists of `contracts.importing.verdicts.Remark` as JSON: they read in either language.
    """

    class Verdict(models.TextChoices):
        NEW = "new", pgettext_lazy("row", "new")
        CHANGED = "changed", pgettext_lazy("row", "changed")
        SAME = "same", pgettext_lazy("row", "same")
        BAD = "bad", pgettext_lazy("row", "bad")

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="rows", verbose_name=_("import"))
    number = models.PositiveIntegerField(_("row of the file"))
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices)
    cells = models.JSONField(_("cells"), default=dict)
    surplus = models.PositiveSmallIntegerField(_("cells beyond the headings"), default=0)
    problems = models.JSONField(_("problems"), default=list, blank=True)
    warnings = models.JSONField(_("warnings"), default=list, blank=True)
    changes = models.JSONField(_("changes"), default=list, blank=True)

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of imports")
        ordering: ClassVar = ["run", "number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "number"], name="import_row_once")]
        indexes: ClassVar = [
            # views.imports: run=… and verdict=… and number > …, in the order of the file
            models.Index(fields=["run", "verdict", "number"], name="import_row_by_verdict"),
        ]

    def __str__(self) -> str:
        return f"{self.run}, {self.number}"
