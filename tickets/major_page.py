"""What the pages of major incidents show: rows, the timeline in words, the banner. Constant numbers of statements."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.db.models import Count, Prefetch, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.at_once import AtOnce
from contracts.price_words import day_words
from tickets.broadcasts import with_counts
from tickets.models import OPEN_STATES, Broadcast, MajorChild, MajorIncident, MajorNote, Ticket, in_language
from tickets.workflow.major import READS

PAGE = 50
OF_THE_BOARD = 5
CHILDREN = 100
SUGGESTED = 30
LISTED = 50  # requests that a message to many names before it is sent


def with_counts_of_tickets(incidents: QuerySet[MajorIncident]) -> QuerySet[MajorIncident]:
    """With `tickets`, `still_open` and `customers`, as lists show how large an incident is."""
    return incidents.select_related("coordinator", "head__product").annotate(
        tickets=Count("children", distinct=True),
        still_open=Count("children", filter=Q(children__ticket__state__in=OPEN_STATES), distinct=True),
        customers=Count("children__ticket__customer", distinct=True),
    )


@dataclass(frozen=True)
class Affected:
    """Requests that words to all would reach, as the page names them before they are sent."""

    tickets: list[Ticket]

    @property
    def listed(self) -> list[Ticket]:
        return self.tickets[:LISTED]

    @property
    def more(self) -> int:
        return max(len(self.tickets) - LISTED, 0)

    @property
    def customers(self) -> int:
        return len({ticket.customer_id for ticket in self.tickets})

    @property
    def readers(self) -> dict[str, int]:
        """How many customers read which language: each request is answered in its own."""
        read = {(reads(ticket.language), ticket.customer_id) for ticket in self.tickets}
        return Counter(language for language, _customer in read)

    @property
    def untaken(self) -> int:
        """How many nobody works on."""
        return sum(1 for ticket in self.tickets if ticket.assignee_id is None)


def affected(incident: MajorIncident) -> Affected:
    """The requests in which somebody still reads what we write; one statement."""
    found = Ticket.objects.filter(majors__incident=incident, state__in=READS)
    return Affected(list(found.select_related("customer", "assignee").order_by("pk")))


def still_open(found: Affected) -> Affected:
    return Affected([ticket for ticket in found.tickets if ticket.is_open])


def reads(language: str) -> str:
    """In which of the two languages of our texts a request of this language is answered."""
    return in_language("ru", "en", language)[1]


def open_majors() -> list[MajorIncident]:
    """The newest open ones, for the board; few at any time. One statement."""
    return _open.read()["majors"]


def _open_ones() -> dict[str, QuerySet[MajorIncident]]:
    found = MajorIncident.objects.filter(state=MajorIncident.State.OPEN).order_by("-pk")
    return {"majors": with_counts_of_tickets(found)[:OF_THE_BOARD]}


_open = AtOnce(_open_ones)


@dataclass(frozen=True)
class Belongs:
    """What the banner of a ticket says: which incident it is of, and whether it is the head."""

    incident: MajorIncident
    is_head: bool


def of_ticket(child: MajorChild | None) -> Belongs | None:
    """The open incident that the ticket belongs to, else the last one (tickets/around.py); None for most tickets."""
    return Belongs(child.incident, child.is_head) if child is not None else None


class Told(NamedTuple):
    """One entry of the timeline: the note, what happened in words, and how far a message to many is."""

    note: MajorNote
    what: str
    broadcast: Broadcast | None


def timeline(incident: MajorIncident) -> list[Told]:
    """The whole timeline, newest first; three statements."""
    notes = (
        incident.notes.select_related("by")
        .prefetch_related(Prefetch("broadcast", queryset=with_counts(Broadcast.objects.all())))
        .order_by("-at", "-pk")
    )
    return [Told(note, _words(note), note.broadcast) for note in notes]


def _words(note: MajorNote) -> str:
    details = note.details
    if note.kind != MajorNote.Kind.FACT:
        return ""
    if note.verb == "declared":
        return _("declared; coordinator: %(name)s") % {"name": details.get("coordinator", "")}
    if note.verb == "coordinator":
        return _("coordinator: %(was)s → %(to)s") % {"was": details.get("was", ""), "to": details.get("to", "")}
    if note.verb == "linked":
        return _("linked: %(numbers)s") % {"numbers": _numbers(details.get("numbers", ()))}
    if note.verb == "unlinked":
        return _("taken out: %(numbers)s") % {"numbers": _numbers(details.get("numbers", ()))}
    if note.verb == "action":
        due = day_words(date.fromisoformat(details["due"]))
        words = {"text": details.get("text", ""), "name": details.get("owner", ""), "day": due}
        return _("to be done: %(text)s (%(name)s, by %(day)s)") % words
    if note.verb == "action_done":
        return _("done: %(text)s") % {"text": details.get("text", "")}
    if note.verb == "ended" and details.get("still_open"):
        return _("over; still open: %(numbers)s") % {"numbers": _numbers(details["still_open"])}
    return {"ended": _("over"), "reviewed": _("review written")}.get(note.verb, note.verb)


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(f"№ {number}" for number in numbers)
