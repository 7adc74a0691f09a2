"""A webinar as an iCalendar file (RFC 5545) that any calendar takes: one event, in UTC, with no METHOD.

The same UID and a SEQUENCE that grows with each change: taken again, it moves the event instead of adding another.
"""

from datetime import UTC, datetime

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from icalendar import Calendar, Event

from success.models import Webinar


def calendar_file(webinar: Webinar, *, signed_up: bool, now: datetime) -> bytes:
    """The event; the address to join stands in it for who has signed up."""
    page = settings.SITE_URL + reverse("webinars:webinar", args=[webinar.pk])
    join = webinar.join_url if signed_up and not webinar.cancelled_at else ""
    calendar = Calendar()
    calendar.add("prodid", "-//Liniya//Webinars//EN")
    calendar.add("version", "2.0")
    event = Event()
    event.add("uid", f"webinar-{webinar.pk}@{settings.SUPPORT_ADDRESS.rpartition('@')[2]}")
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", webinar.starts_at.astimezone(UTC))
    event.add("dtend", webinar.ends_at.astimezone(UTC))
    event.add("sequence", webinar.edition)
    event.add("status", "CANCELLED" if webinar.cancelled_at else "CONFIRMED")
    event.add("summary", webinar.title)
    about = [webinar.about, _("To join: %(address)s") % {"address": join} if join else "", page]
    event.add("description", "\n\n".join(part for part in about if part))
    if join:
        event.add("location", join)
    event.add("url", page)
    calendar.add_component(event)
    return calendar.to_ical()
