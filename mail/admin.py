"""Letters in and out in the back room: only whether they went. Their texts belong to the tickets (domain §7)."""

from django.contrib import admin

from accounts.admin import ReadOnly
from mail.models import InboundLetter, OutgoingLetter


@admin.register(OutgoingLetter)
class OutgoingLetterAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("written_at", "address", "occasion", "sent_at", "tries", "in_hand_since", "next_try_at", "error")
    list_filter = (("sent_at", admin.EmptyFieldListFilter),)
    search_fields = ("address", "occasion", "message_id")
    exclude = ("subject", "text", "html")
    show_full_result_count = False


@admin.register(InboundLetter)
class InboundLetterAdmin(ReadOnly, admin.ModelAdmin):
    list_display = ("received_at", "from_address", "outcome", "reason", "ticket")
    list_filter = ("outcome",)
    list_select_related = ("ticket",)
    search_fields = ("from_address", "message_id", "=ticket__number")
    exclude = ("subject",)
    show_full_result_count = False
