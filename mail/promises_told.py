"""The promises of a request as a letter tells them: until when, what that means, how it was counted (domain §4.3)."""

from datetime import datetime

from django.utils.translation import gettext as _

from contracts.models import PromiseKind
from contracts.terms import WORKING_DAY
from mail.letters import Reader
from sla import words
from sla.clocks import CALL_LOGGED, CUSTOMER_PROMISES
from sla.explain import explain
from sla.models import Commitment
from tickets.models import Event, Ticket


def promised(event: Event, reader: Reader) -> list[tuple[str, str]]:
    """What was promised at the receipt, whatever has become of it since; no answer to whom we spoke with then."""
    clocks = event.ticket.commitments.filter(kind__in=CUSTOMER_PROMISES, started_at=event.ticket.opened_at)
    clocks = clocks.exclude(why=CALL_LOGGED)
    first: dict[str, Commitment] = {}
    for clock in clocks.select_related("calendar_version").order_by("pk"):
        first.setdefault(clock.kind, clock)
    return [_promise(clock, reader) for clock in sorted(first.values(), key=lambda clock: clock.due_at)]


def running(ticket: Ticket, reader: Reader) -> list[tuple[str, str]]:
    clocks = Commitment.objects.running().filter(ticket=ticket, kind__in=CUSTOMER_PROMISES, ending="")
    return [
        _promise(clock, reader)
        for clock in clocks.select_related("calendar_version").order_by("due_at", "pk")
        if clock.paused_at is not None or clock.due_at > reader.now
    ]


def counted(ticket: Ticket, reader: Reader) -> list[tuple[str, str]]:
    """How the deadlines that run were counted: the promise, and the way to its deadline (domain §4.3)."""
    clocks = Commitment.objects.running().filter(ticket=ticket, kind__in=CUSTOMER_PROMISES, ending="")
    rows = clocks.select_related("ticket", "terms__package", "clause", "calendar_version__calendar")
    found = [explain(row, zone=reader.zone, now=reader.now) for row in rows.order_by("due_at", "pk")]
    return [(one.title, " ".join(step.words for step in one.steps)) for one in found]


def _promise(clock: Commitment, reader: Reader) -> tuple[str, str]:
    if clock.paused_at is not None:
        return _("The time to solve it stands"), _("It goes on when you answer.")
    by = words.until(clock.due_at, reader.zone, reader.now)
    if clock.kind == PromiseKind.REACTION:
        sentence = _("We answer %(until)s") % {"until": by}
    else:
        sentence = _("We solve it %(until)s") % {"until": by}
    meaning = moscow_beside(clock.due_at, reader)
    if clock.due_at > reader.now:
        left = clock.calendar.between(reader.now, clock.due_at)
        day = None if clock.calendar_version.is_round_the_clock else WORKING_DAY
        meaning.append(_("%(span)s of service time left.") % {"span": words.span_long(left, day)})
    return sentence, " ".join(meaning)


def moscow_beside(at: datetime, reader: Reader) -> list[str]:
    """The same moment by Moscow's clock, where the reader's shows another (direction §15)."""
    there, moscow = at.astimezone(reader.zone), at.astimezone(words.MOSCOW)
    if there.utcoffset() == moscow.utcoffset():
        return []
    style = "time" if there.date() == moscow.date() else "short"
    return [_("%(moment)s Moscow time.") % {"moment": words.moment(at, words.MOSCOW, reader.now, style)}]
