"""Tickets in the back room: only looked at. What was said in them is read at the desk, by its people (domain §7)."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin import ReadOnly
from accounts.models import Role
from sla.models import Commitment
from tickets.models import Defect, Event, HandOver, HeldRequest, Rating, Ticket


class EventInline(ReadOnly, admin.TabularInline):
    model = Event
    fields = ("at", "verb", "by", "notified_at")
    extra = 0


class CommitmentInline(ReadOnly, admin.TabularInline):
    model = Commitment
    fields = ("kind", "priority", "amount", "unit", "started_at", "due_at", "ending", "stopped_at", "why")
    extra = 0


class HandOverInline(ReadOnly, admin.TabularInline):
    model = HandOver
    fields = ("at", "from_line", "to_line", "by", "accepted_by", "accepted_at", "returned_at")
    extra = 0


@admin.register(Ticket)
class TicketAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("number", "customer", "kind", "priority", "state", "line", "assignee", "opened_at", "due_at")
    list_filter = ("state", "priority", "line", "kind", "channel")
    list_select_related = ("customer", "line", "assignee")
    search_fields = ("=number", "customer__name")
    exclude = ("subject", "workaround", "idempotency_key")
    inlines = (CommitmentInline, HandOverInline, EventInline)
    show_full_result_count = False


@admin.register(Event)
class EventAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("at", "ticket", "verb", "by", "notified_at")
    list_filter = ("verb",)
    list_select_related = ("ticket", "by")
    search_fields = ("=ticket__number",)
    exclude = ("details", "message")
    ordering = ("-pk",)
    show_full_result_count = False


@admin.register(Defect)
class DefectAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("title", "product", "release", "state", "reported_at")
    list_filter = ("state", "product")
    list_select_related = ("product", "release__product")
    search_fields = ("title",)


@admin.register(Rating)
class RatingAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("ticket", "score", "by", "at")
    list_filter = ("score",)
    list_select_related = ("ticket", "by")
    exclude = ("comment",)


@admin.register(HeldRequest)
class HeldRequestAdmin(ReadOnly, admin.ModelAdmin):
    """Put before the contract administrator, who settles them with the customer (domain §2)."""

    seen_by = frozenset({Role.ADMIN, Role.CONTRACT_ADMIN})
    list_display = ("received_at", "customer", "sender_address", "reason", "subject", "settled_at")
    list_filter = ("reason", ("settled_at", admin.EmptyFieldListFilter))
    list_select_related = ("customer",)
    search_fields = ("subject", "sender_address", "customer__name")
    actions = ("settle",)

    @admin.action(description=_("Settled: the customer knows where it stands"), permissions=["view"])
    def settle(self, request: HttpRequest, held: QuerySet[HeldRequest]) -> None:
        done = held.filter(settled_at__isnull=True).update(settled_at=timezone.now(), settled_by=request.user)
        self.message_user(
            request,
            ngettext("%(count)s request is settled.", "%(count)s requests are settled.", done) % {"count": done},
            messages.SUCCESS,
        )
