"""Time spent as people type it and as it is shown. Pure."""

import re

from django.utils.translation import gettext as _

CLOCK = re.compile(r"(\d{1,2}):([0-5]?\d)")
HOURS = re.compile(
    r"(?:(\d{1,2}(?:[.,]\d{1,2})?)\s*(?:hours?|часов|часа|час|ч|h)\.?)?\s*"
    r"(?:(\d{1,4})\s*(?:minutes?|мин\w*|min|м|m)?\.?)?"
)


def minutes_of(typed: str) -> int | None:
    """Minutes of "12", "1:30", "1 ч 20 мин", "1h20", "1,5 ч"; None for what is no time. A bare number is minutes."""
    typed = " ".join(typed.lower().split())
    if found := CLOCK.fullmatch(typed):
        return int(found[1]) * 60 + int(found[2])
    found = HOURS.fullmatch(typed)
    if not typed or found is None:
        return None
    hours = float((found[1] or "0").replace(",", "."))
    return round(hours * 60) + int(found[2] or 0)


def spent_words(minutes: int) -> str:
    """ "1 h 20 min": without the half that is nothing."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return _("%(minutes)d min") % {"minutes": rest}
    if not rest:
        return _("%(hours)d h") % {"hours": hours}
    return _("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
