"""Calendars and ladders are edited here; promises and escalations are only looked at (domain §4)."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.admin import ByRole, ReadOnly
from sla.models import Calendar, CalendarVersion, Commitment, Escalation, Ladder, LadderStep, SweepTrouble

OF_A_VERSION = ("valid_from", "timezone", "weekly_hours", "holidays", "overrides")


class NewVersion(forms.ModelForm):
    """A whole new version: refused where the hours cannot be understood or never come."""

    class Meta:
        model = CalendarVersion
        fields = OF_A_VERSION

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and not self.errors:
            version = CalendarVersion(**{name: cleaned[name] for name in OF_A_VERSION})
            try:
                version._build().next_opening(timezone.now())
            except (ValueError, TypeError, AttributeError) as error:
                raise ValidationError(_("These hours make no calendar: %(e)s"), params={"e": error}) from error
        return cleaned


class VersionInline(ByRole, admin.StackedInline):
    """Versions are added, never edited: old tickets keep the hours of their receipt (domain §4)."""

    model = CalendarVersion
    form = NewVersion
    extra = 0
    ordering = ("-valid_from",)
    verbose_name = _("version, valid from a moment on; the earlier ones stay as they are")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Calendar)
class CalendarAdmin(ByRole, admin.ModelAdmin):
    list_display = ("name", "code", "name_ru", "name_en")
    inlines = (VersionInline,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any | None = None) -> tuple[str, ...]:
        return ("code",) if obj else ()


class StepInline(ReadOnly, admin.TabularInline):
    model = LadderStep
    extra = 0


@admin.register(Ladder)
class LadderAdmin(ReadOnly, admin.ModelAdmin):
    """Only looked at: ladders are changed under /a/ladder/, after a preview and with a record (`sla/ladders.py`)."""

    list_display = ("kind", "package", "priority", "rungs")
    list_filter = ("kind", "package")
    inlines = (StepInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Ladder]:
        return super().get_queryset(request).select_related("package").prefetch_related("steps")

    @admin.display(description=_("rungs"))
    def rungs(self, ladder: Ladder) -> str:
        return " · ".join(str(step) for step in ladder.steps.all())


@admin.register(Commitment)
class CommitmentAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("ticket", "kind", "priority", "started_at", "due_at", "ending", "stopped_at", "why")
    list_filter = ("kind", "priority", "ending", "agreed")
    list_select_related = ("ticket",)
    search_fields = ("=ticket__number",)
    ordering = ("-pk",)
    show_full_result_count = False


@admin.register(Escalation)
class EscalationAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("ticket", "whom", "person", "percent", "reached_at", "state", "notified_at")
    list_filter = ("whom", "state")
    list_select_related = ("ticket", "person")
    search_fields = ("=ticket__number",)
    # What was said in a ticket is read at the desk, by those who work there (domain §7).
    exclude = ("reason", "answer")
    show_full_result_count = False


@admin.register(SweepTrouble)
class SweepTroubleAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("commitment", "happened_at", "times", "error")
    ordering = ("-happened_at",)
