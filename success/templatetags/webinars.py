"""The next webinar on the customer's first page.

The page belongs to `tickets`, which knows nothing of webinars: its template asks for this tag (as the pages of
contracts ask for `own_support`), so that no import goes upwards.
"""

from datetime import datetime
from typing import Any

from django import template
from django.db.models import Q

from accounts.models import User
from contracts.signing import moscow_day
from success.models import Webinar

register = template.Library()

LOOKED_AT = 5  # called off ones before the next that takes place: more than that nobody signs up for


@register.inclusion_tag("success/_next.html", takes_context=True)
def next_webinar(context: template.Context) -> dict[str, Any]:
    """The next one that takes place, and those before it that the reader signed up for and that were called off.

    One statement. `now` is the page's moment.
    """
    now, user = context["frame"]["now"], context["user"]
    called_off: list[Webinar] = []
    found = None
    for webinar in _candidates(user, now):
        if webinar.cancelled_at is None:
            found = webinar
            break
        called_off.append(webinar)
    return {**_around(context), "webinar": found, "called_off": called_off}


def _candidates(user: User, now: datetime) -> list[Webinar]:
    seen = Webinar.objects.visible_to(user, on=moscow_day(now)).upcoming(now).with_taken().with_mine(user)
    wanted = seen.filter(Q(cancelled_at__isnull=True) | Q(mine=True))
    return list(wanted.select_related("host").order_by("starts_at", "pk")[:LOOKED_AT])


def _around(context: template.Context) -> dict[str, Any]:
    """What the fragment needs of its page."""
    return {name: context.get(name) for name in ("frame", "user", "request", "csrf_token")}
