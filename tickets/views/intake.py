"""A call or a chat is written down: who calls, what they may ask, what is promised, and then the request (§1.7.1)."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.access import desk_only, person
from accounts.models import User
from accounts.refusals import Refused
from contracts import entitlement
from contracts.entitlement import CONTRACT_ZONE, NotCovered
from contracts.models import Channel, Contract, CustomerMember
from sla import words
from sla.promises import promised_times
from tickets import callers, customer_card, workflow
from tickets.forms.intake import IntakeForm
from tickets.models import HeldRequest, State, Ticket
from tickets.views.answers import SeeOther
from tickets.views.customer_card import number_of

Reason = HeldRequest.Reason


@desk_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def intake(request: HttpRequest) -> HttpResponse:
    """`?q=` looks for the caller, `?caller=` shows what they may ask and the form, POST writes it down.

    `?follows=` is a closed request that goes on: its contact is the caller unless another one is named.
    """
    now = timezone.now()
    follows = _followed(request)
    chosen = number_of(request, "caller")
    if chosen is None and follows is not None:
        contact = follows.customer.contact_at(now)
        chosen = contact.pk if contact is not None else None
    if chosen is None:
        typed = request.GET.get("q", "")
        context = {"q": typed, "found": callers.callers(typed, now), "follows": follows}
        return render(request, "desk/intake.html", context)
    caller = callers.caller_of(chosen)
    if caller is None or (follows is not None and follows.customer_id != caller.customer_id):
        raise Http404
    return _of_caller(request, caller, follows, now)


def _followed(request: HttpRequest) -> Ticket | None:
    number = number_of(request, "follows")
    if number is None:
        return None
    closed = Ticket.objects.visible_to(person(request)).filter(state=State.CLOSED, merged_into__isnull=True)
    return get_object_or_404(closed.select_related("customer", "topic"), number=number)


def _of_caller(request: HttpRequest, caller: CustomerMember, follows: Ticket | None, now: datetime) -> HttpResponse:
    licences = caller.customer.licences.in_force(now.astimezone(CONTRACT_ZONE).date()).select_related(
        "product", "release"
    )
    initial: dict[str, Any] = {}
    if follows is not None:
        initial = {"subject": follows.subject, "topic": follows.topic_id, "priority": follows.priority}
    form = IntakeForm(
        request.POST if request.method == "POST" else None, customer=caller.customer, licences=licences, initial=initial
    )
    status, refusal = 200, None
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                return _write_down(request, caller, follows, form.cleaned_data, now)
            except Refused as refused:
                status, refusal = refused.status, refused
    contract, why_none = customer_card.contract_now(caller.customer, now)
    context = {
        "caller": caller,
        "is_contact": callers.is_contact(caller, now),
        "contact": caller.customer.contact_at(now),
        "contract": contract,
        "why_none": why_none,
        "days": customer_card.days_left(contract, now) if contract else 0,
        "services": customer_card.services(contract, now) if contract else [],
        "channels": _channels(contract, now) if contract else [],
        "promised": _promised(contract, now) if contract else [],
        "follows": follows,
        "form": form,
        "refusal": refusal,
    }
    return render(request, "desk/intake_form.html", context, status=status)


def _channels(contract: Contract, now: datetime) -> list[tuple[Channel, str]]:
    """Each live channel with why it is not open to them now, "" where it is."""
    live = Channel.objects.filter(is_live=True)
    return [(channel, entitlement.check(contract, channel=channel.pk, topic=None, at=now).words) for channel in live]


def _promised(contract: Contract, now: datetime) -> list[tuple[int, str, str]]:
    """(priority, reaction, resolution) as it would be promised to an incident of this moment; "" for no promise."""
    return [
        (
            times.priority,
            words.moment(times.reaction_due, words.MOSCOW, now) if times.reaction_due else "",
            words.moment(times.resolution_due, words.MOSCOW, now) if times.resolution_due else "",
        )
        for times in promised_times(contract, at=now)
    ]


def _write_down(
    request: HttpRequest, caller: CustomerMember, follows: Ticket | None, said: dict[str, Any], now: datetime
) -> HttpResponse:
    """The contact's words become a request; a colleague's wait for the contact, what has no contract for a person."""
    user = person(request)
    if not callers.is_contact(caller, now):
        held = _hold(user, caller, said, Reason.NOT_CONTACT, _words_for(caller, now), now)
        contact = caller.customer.contact_at(now)
        told = {"subject": held.subject, "name": contact.full_name if contact else "—"}
        messages.warning(request, _("“%(subject)s” is recorded and waits for %(name)s to confirm it") % told)
        return SeeOther(reverse("desk:customer", args=[caller.customer_id]))
    licence = said["licence"]
    try:
        with transaction.atomic():
            made = workflow.open_ticket(
                customer=caller.customer,
                by=user,
                subject=said["subject"],
                body=said["body"],
                at=now,
                channel=said["channel"].pk,
                topic=said["topic"],
                priority=said["priority"],
                product=licence.product if licence else None,
                release=licence.release if licence else None,
                follows=follows,
                key=said["key"] or None,
            )
            if said["minutes"]:
                workflow.log_time(made, minutes=said["minutes"], by=user, at=now, key=said["key"] or None)
    except NotCovered as refusal:
        if refusal.reason != "no_contract":
            raise
        held = _hold(user, caller, said, Reason.NO_CONTRACT, str(refusal.message), now)
        messages.warning(
            request, _("“%(subject)s” is recorded. %(words)s") % {"subject": held.subject, "words": held.words}
        )
        return SeeOther(reverse("desk:customer", args=[caller.customer_id]))
    messages.success(request, _("№ %(number)s is opened, the call is on its record") % {"number": made.number})
    return SeeOther(reverse("desk:ticket", args=[made.number]))


def _words_for(caller: CustomerMember, now: datetime) -> str:
    """What the colleague is told, in their language."""
    contact = caller.customer.contact_at(now)
    with translation.override(caller.user.language):
        return _(
            "Requests come from the responsible contact of your company: %(name)s. What you told us is recorded and "
            "passed on to them."
        ) % {"name": contact.full_name if contact else "—"}


def _hold(
    user: User, caller: CustomerMember, said: dict[str, Any], reason: str, told: str, now: datetime
) -> HeldRequest:
    return workflow.hold_call(
        customer=caller.customer,
        caller=caller.user,
        by=user,
        subject=said["subject"],
        body=said["body"],
        channel=said["channel"].pk,
        reason=reason,
        words=told,
        at=now,
    )
