"""A company's filtered requests as a file for a spreadsheet: what its own people see in the list and on the pages."""

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

import tablib
from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from contracts.importing.exporting import FORMULA
from contracts.models import PromiseKind
from sla.models import Commitment
from tickets import promise_words
from tickets.company_list import with_asker
from tickets.models import Ticket, TicketQuerySet

CHUNK = 500
MOST_IN_A_WORKBOOK = 10_000  # rows: a workbook is built in memory before its first byte is sent; CSV has no limit

Cell = str | int | datetime | None


def headings(zone: str) -> list[str]:
    """The first row; the zone of its times stands in it once."""
    return [
        _("Number"),
        _("Subject"),
        pgettext("request", "Where it stands"),
        pgettext("ticket", "Kind"),
        _("Priority"),
        _("Product"),
        _("Release"),
        _("Who asked"),
        _("Received, %(zone)s") % {"zone": zone},
        _("Answer promised by"),
        _("Answer: what became of it"),
        _("Solution promised by"),
        _("Solution: what became of it"),
        pgettext("request", "Closed on"),
        _("Page of the request"),
    ]


def chunks(tickets: TicketQuerySet, zone: tzinfo) -> Iterator[list[list[Cell]]]:
    """Rows newest first, five hundred at a time by number: three statements a chunk, nothing read twice or lost."""
    rows = with_asker(tickets).select_related("release__product").with_clocks()
    below: int | None = None
    while True:
        page = list((rows if below is None else rows.filter(number__lt=below)).order_by("-number")[:CHUNK])
        if page:
            asked = User.objects.in_bulk({ticket.asker for ticket in page})  # type: ignore[attr-defined]
            yield [_row(ticket, asked[ticket.asker].full_name, zone) for ticket in page]  # type: ignore[attr-defined]
        if len(page) < CHUNK:
            return
        below = page[-1].number


def workbook(title: str, first: list[str], rows: Iterable[Iterable[list[Cell]]]) -> bytes:
    """The same as XLSX. Texts are no formulas; times are times of the reader's zone, as a workbook knows no zones."""
    table = tablib.Dataset(headers=first, title=title[:31])
    for chunk in rows:
        for row in chunk:
            table.append([_guarded(cell) for cell in row])
    made: bytes = table.export("xlsx", column_width=22)
    return made


def _guarded(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA["xlsx"]) else cell


def _row(ticket: Ticket, asker: str, zone: tzinfo) -> list[Cell]:
    reaction = _last(ticket, PromiseKind.REACTION)
    resolution = _last(ticket, PromiseKind.RESOLUTION)
    return [
        ticket.number,
        ticket.subject,
        promise_words.status(ticket),
        str(ticket.get_kind_display()),
        ticket.priority,
        str(ticket.product) if ticket.product else "",
        str(ticket.release) if ticket.release else "",
        asker,
        _moment(ticket.opened_at, zone),
        _moment(reaction.due_at, zone) if reaction else None,
        _outcome(reaction),
        _moment(resolution.due_at, zone) if resolution else None,
        _outcome(resolution),
        _moment(ticket.closed_at, zone) if ticket.closed_at else None,
        settings.SITE_URL + reverse("portal:ticket", args=[ticket.number]),
    ]


def _last(ticket: Ticket, kind: str) -> Commitment | None:
    return next((clock for clock in reversed(ticket.clocks) if clock.kind == kind), None)


def _outcome(clock: Commitment | None) -> str:
    """What became of a promise; nothing where none was made."""
    if clock is None:
        return ""
    if clock.ending == Commitment.Ending.MISSED:
        return _("not in time")
    if clock.ending == Commitment.Ending.MET:
        return _("in time")
    return _("stands, waits for you") if clock.paused_at is not None else pgettext("promise", "still running")


def _moment(at: datetime, zone: tzinfo) -> datetime:
    """To the minute in the reader's zone, without its name: the heading has it."""
    return at.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
