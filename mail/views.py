"""A person's own letters: what we wrote to them, whether or not a mail server has taken it yet."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.access import person
from accounts.models import User
from mail.models import OutgoingLetter

PAGE = 50


@require_safe
@login_required
def outbox(request: HttpRequest) -> HttpResponse:
    """The signed-in person's letters, newest first. `?before=` and `?after=` name the letter that a page ends at."""
    own = OutgoingLetter.objects.filter(person=person(request)).select_related("ticket").defer("html")
    page, newer, older = _page(own, request)
    context = {
        "letters": page,
        "newer": newer and f"{reverse('outbox')}?{newer}",
        "older": older and f"{reverse('outbox')}?{older}",
    }
    return render(request, "mail/outbox.html", {**context, **_frame(person(request))})


@require_safe
@login_required
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """One letter; another person's is as if it did not exist."""
    own = OutgoingLetter.objects.filter(person=person(request)).select_related("ticket")
    return render(request, "mail/letter.html", {"letter": get_object_or_404(own, pk=pk), **_frame(person(request))})


def _frame(user: User) -> dict[str, Any]:
    return {
        "base": "desk/base.html" if user.is_vendor else "portal/base.html",
        "sends_mail": bool(settings.EMAIL_HOST),
        "address": user.email,
        "now": timezone.now(),
    }


def _page(letters: QuerySet[OutgoingLetter], request: HttpRequest) -> tuple[list[OutgoingLetter], str, str]:
    """One page by keyset, so that nothing moves while one reads; and the queries of the two neighbours ("": none)."""
    after, before = request.GET.get("after"), request.GET.get("before")
    if after:
        at, pk = _key(after)
        rows = letters.filter(Q(written_at__gt=at) | Q(written_at=at, pk__gt=pk)).order_by("written_at", "pk")
        found = list(rows[: PAGE + 1])
        page, has_newer, has_older = found[:PAGE][::-1], len(found) > PAGE, True
    else:
        rows = letters.order_by("-written_at", "-pk")
        if before:
            at, pk = _key(before)
            rows = rows.filter(Q(written_at__lt=at) | Q(written_at=at, pk__lt=pk))
        found = list(rows[: PAGE + 1])
        page, has_newer, has_older = found[:PAGE], bool(before), len(found) > PAGE
    if not page:
        return [], "", ""
    newer = urlencode({"after": _named(page[0])}) if has_newer else ""
    older = urlencode({"before": _named(page[-1])}) if has_older else ""
    return page, newer, older


def _named(letter: OutgoingLetter) -> str:
    return f"{letter.written_at.isoformat()}_{letter.pk}"


def _key(name: str) -> tuple[datetime, int]:
    """The place that `_named` wrote. Raises `Http404` for anything else."""
    moment, _underscore, pk = name.partition("_")
    try:
        at = datetime.fromisoformat(moment)
        key = int(pk)
        if at.tzinfo is None or not 0 < key < 2**63:
            raise Http404
        return at.astimezone(UTC), key  # OverflowError: a zone that leads out of the calendar
    except (ValueError, OverflowError) as error:
        raise Http404 from error
