"""Lists of webinars by key: the upcoming, the first to begin first, and the past, the last one first."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.db.models import Q

from accounts.places import place_of
from success.models import Webinar, WebinarQuerySet

PAGE = 20


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of the list; `back` and `on` are the queries of the neighbouring pages, "" for none.

    `turned`: the page is not the first one. `lost`: the place asked for could not be read, so the list begins from its
    start.
    """

    rows: list[Webinar]
    is_past: bool
    back: str
    on: str
    turned: bool
    lost: bool

    @property
    def earlier(self) -> str:
        return self.on if self.is_past else self.back

    @property
    def later(self) -> str:
        return self.back if self.is_past else self.on


def page_of(found: WebinarQuerySet, *, past: bool, now: datetime, since: str = "", before: str = "") -> Page:
    """A page of the upcoming or of the past ones. Two statements: rows and their products."""
    found = found.past(now) if past else found.upcoming(now)
    place = place_of(since or before)
    backwards = bool(before) and not since and place is not None
    # Backwards the list is read from its other end.
    falling = past != backwards
    if place is not None:
        found = found.filter(after("starts_at", place, falling=falling))
    order = ("-starts_at", "-pk") if falling else ("starts_at", "pk")
    rows = list(found.select_related("host", "customer").prefetch_related("products").order_by(*order)[: PAGE + 1])
    more = len(rows) > PAGE
    rows = rows[:PAGE]
    if backwards:
        rows.reverse()
    asked = {"when": "past"} if past else {}
    has_back = more if backwards else place is not None
    has_on = True if backwards else more
    return Page(
        rows=rows,
        is_past=past,
        back="?" + urlencode({**asked, "before": mark(rows[0].starts_at, rows[0].pk)}) if rows and has_back else "",
        on="?" + urlencode({**asked, "since": mark(rows[-1].starts_at, rows[-1].pk)}) if rows and has_on else "",
        turned=place is not None,
        lost=bool(since or before) and place is None,
    )


def after(field: str, place: tuple[datetime, int], *, falling: bool = False) -> Q:
    """What stands behind a place in a list by (`field`, key)."""
    at, key = place
    way = "lt" if falling else "gt"
    return Q(**{f"{field}__{way}": at}) | Q(**{field: at, f"pk__{way}": key})


def mark(at: datetime, key: int) -> str:
    """A place as an address has it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}_{key}"
