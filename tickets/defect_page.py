"""What the pages of defects show: rows with their counts, the history in words. Constant numbers of statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Case, Count, IntegerField, Max, Q, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tickets import workflow
from tickets.models import OPEN_STATES, Defect, DefectEvent, Ticket

PAGE = 50


@dataclass(frozen=True)
class Row:
    """A defect with how many requests and customers it hurts, and how many of the requests are open."""

    defect: Defect
    tickets: int
    open: int
    customers: int


def chosen(state: str, product: str) -> QuerySet[Defect]:
    """The defects of a state ("" for those that are not over) and a product, newest first."""
    found = Defect.objects.select_related("product", "release", "fixed_in").order_by("-pk")
    if state in Defect.State.values:
        found = found.filter(state=state)
    elif state != "all":
        found = found.filter(state__in=[Defect.State.REPORTED, Defect.State.CONFIRMED, Defect.State.FIXED])
    return found.filter(product__code=product) if product else found


def rows(defects: Sequence[Defect]) -> list[Row]:
    """The rows of a page, with one statement for all counts."""
    hurt = (
        Ticket.objects.filter(defect__in=[defect.pk for defect in defects])
        .order_by()
        .values("defect")
        .annotate(
            n=Count("pk"),
            still=Count("pk", filter=Q(state__in=OPEN_STATES)),
            companies=Count("customer", distinct=True),
        )
    )
    counts = {row["defect"]: (row["n"], row["still"], row["companies"]) for row in hurt}
    return [Row(defect, *counts.get(defect.pk, (0, 0, 0))) for defect in defects]


def matching(words: str, ticket: Ticket) -> list[Defect]:
    """Defects whose titles hold all the words, those of the ticket's product first, newest first; 30 at most."""
    found = Defect.objects.exclude(state=Defect.State.REJECTED).select_related("product", "fixed_in")
    for word in words.split()[:8]:
        found = found.filter(title__icontains=word)
    own = Case(When(product=ticket.product_id, then=Value(0)), default=Value(1), output_field=IntegerField())
    return list(found.order_by(own, "-pk")[:30])


class Push(NamedTuple):
    """Whom the workaround as it stands would go to, and who has had it.

    `foreign` of them read `lacks` ("ru", "en"), a language in which nothing is written; "" where both are, or none.
    """

    left: int
    had: int
    since: datetime | None
    lacks: str
    foreign: int


def push_of(defect: Defect) -> Push:
    """What the button that sends the workaround would do now."""
    counts = workflow.without_workaround(defect).aggregate(
        n=Count("pk"), ru=Count("pk", filter=Q(language="ru")), en=Count("pk", filter=Q(language="en"))
    )
    had = workflow.workaround_told(defect).filter(ticket__state__in=OPEN_STATES, ticket__defect=defect)
    told = had.aggregate(n=Count("ticket", distinct=True), since=Max("broadcast__at"))
    lacks = ""
    if bool(defect.workaround_ru) != bool(defect.workaround_en):
        lacks = "en" if defect.workaround_ru else "ru"
    return Push(counts["n"], told["n"], told["since"], lacks, counts.get(lacks, 0))


class Told(NamedTuple):
    """One line of the history: what happened, and the words that came with it."""

    event: DefectEvent
    what: str
    more: str


def history(events: Sequence[DefectEvent]) -> list[Told]:
    return [Told(event, *_words(event)) for event in events]


def _words(event: DefectEvent) -> tuple[str, str]:
    details = event.details
    if event.verb == "reported":
        return _("reported from request № %(number)s") % {"number": details.get("ticket", "")}, ""
    if event.verb == "fixed":
        release = details.get("release")
        return (_("fixed, goes out in %(release)s") % {"release": release} if release else _("fixed")), ""
    if event.verb == "release_named":
        return _("goes out in %(release)s") % {"release": details.get("release", "")}, ""
    if event.verb == "released":
        return _("the fix is out: %(release)s") % {"release": details.get("release", "")}, ""
    if event.verb == "workaround_sent":
        count = int(details.get("tickets", 0))
        told = ngettext("workaround sent to %(n)d request", "workaround sent to %(n)d requests", count) % {"n": count}
        return told, ""
    simple = {
        "confirmed": _("confirmed: a fault of the product"),
        "rejected": _("rejected: no fault of the product"),
        "reopened": _("looked at again"),
        "edited": _("texts changed"),
    }
    return simple.get(event.verb, event.verb), str(details.get("reason", ""))
