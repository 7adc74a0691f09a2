"""A major incident: declared, its requests linked, the customers told, ended, reviewed.

The requests stay what they are, with their own promises; the incident ties them together.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.refusals import Forbidden
from contracts.models import TicketKind
from sla.words import MOSCOW
from tickets.models import (
    OPEN_STATES,
    Broadcast,
    BroadcastItem,
    MajorAction,
    MajorChild,
    MajorIncident,
    MajorNote,
    State,
    Ticket,
    TicketQuerySet,
    in_language,
)
from tickets.workflow.defects import broadcast, sent_already
from tickets.workflow.gates import NotAllowed, lock, needs_words, record
from tickets.workflow.own_words import only_mine

LEADERS = frozenset({Role.ENGINEER, Role.LINE_LEAD, Role.SUPPORT_MANAGER})
BEFORE = timedelta(hours=6)  # a disturbance is felt by some before it is reported by the one that becomes the head
SAID_LATELY = timedelta(hours=1)  # the same words within this time are the same note, sent once more by mistake
READS = (*OPEN_STATES, State.RESOLVED)  # states in which somebody reads what we write


def only_leaders(by: User) -> None:
    if by.role not in LEADERS:
        raise Forbidden(_("Engineers, line leads and the support manager lead a major incident."))


def lock_major(incident: MajorIncident) -> MajorIncident:
    """The incident's row, locked to the end of the transaction, as it is now."""
    return (
        MajorIncident.objects.select_for_update(of=("self",), no_key=True)
        .select_related("head", "coordinator")
        .get(pk=incident.pk)
    )


def _open(incident: MajorIncident) -> MajorIncident:
    incident = lock_major(incident)
    if not incident.is_open:
        raise NotAllowed(_("This major incident is over."), "3.4")
    return incident


def _fact(incident: MajorIncident, verb: str, *, by: User, at: datetime, **details: Any) -> None:
    MajorNote.objects.create(incident=incident, kind=MajorNote.Kind.FACT, verb=verb, by=by, at=at, details=details)


def may_declare(ticket: Ticket) -> bool:
    """Whether the request is such that a major incident can be declared of it; `declare_major` looks again."""
    return ticket.is_open and ticket.kind == TicketKind.INCIDENT and ticket.priority == 1


@transaction.atomic
def declare_major(
    ticket: Ticket, *, by: User, at: datetime, title: str, reason: str, coordinator: User | None = None
) -> MajorIncident:
    """An open incident of priority 1 becomes the head of a major incident; who declares it coordinates, or another."""
    only_leaders(by)
    ticket = lock(ticket)
    if not may_declare(ticket):
        raise NotAllowed(_("Only an open incident of priority 1 can be declared a major incident."), "1.6")
    title = needs_words(title, _("Name the disturbance in one line."))[:200]
    reason = needs_words(reason, _("Write why it is a major incident: who and what is affected."))
    if MajorIncident.objects.filter(head=ticket).exists():
        raise NotAllowed(_("This request is the head of a major incident already."))
    incident = MajorIncident.objects.create(
        head=ticket, title=title, reason=reason, declared_at=at, declared_by=by, coordinator=_leader(coordinator or by)
    )
    _link(incident, ticket, by=by, at=at, is_head=True)
    _fact(incident, "declared", by=by, at=at, coordinator=incident.coordinator.full_name, reason=reason)
    record(ticket, "major_declared", by=by, at=at, details={"major": incident.pk, "title": title})
    if incident.coordinator != by:
        _tell_coordinator(incident, ticket, by=by, at=at)
    return incident


def _leader(person: User) -> User:
    if person.role not in LEADERS or not person.is_active:
        raise NotAllowed(_("%(name)s cannot coordinate a major incident.") % {"name": person.full_name}, "7")
    return person


def _tell_coordinator(incident: MajorIncident, head: Ticket, *, by: User, at: datetime) -> None:
    """The head's log says who leads from now on, and by it their letter goes out."""
    details = {
        "major": incident.pk,
        "title": incident.title,
        "person": incident.coordinator_id,
        "name": incident.coordinator.full_name,
    }
    record(head, "major_coordinator", by=by, at=at, details=details)


def _link(incident: MajorIncident, ticket: Ticket, *, by: User, at: datetime, is_head: bool = False) -> None:
    try:
        with transaction.atomic():
            MajorChild.objects.create(incident=incident, ticket=ticket, is_head=is_head, linked_at=at, linked_by=by)
    except IntegrityError as taken:
        raise NotAllowed(
            _("№ %(number)s belongs to an open major incident already.") % {"number": ticket.number}
        ) from taken


def major_candidates(incident: MajorIncident) -> TicketQuerySet:
    """Open incidents of the head's product that came since shortly before it and belong to no major incident.

    A head without a product has none: that both name no product is nothing that they share.
    """
    if incident.head.product_id is None:
        return Ticket.objects.none()
    taken = MajorChild.objects.filter(ticket=OuterRef("pk"), is_open=True)
    return (
        Ticket.objects.open()
        .filter(
            kind=TicketKind.INCIDENT, product=incident.head.product_id, opened_at__gte=incident.head.opened_at - BEFORE
        )
        .filter(~Exists(taken))
        .order_by("opened_at", "pk")
    )


@transaction.atomic
def link_children(incident: MajorIncident, tickets: Iterable[Ticket], *, by: User, at: datetime) -> int:
    """Requests that the disturbance caused; how many. One that belongs to an open incident already is refused."""
    only_leaders(by)
    incident = _open(incident)
    numbers = []
    for ticket in sorted(tickets, key=lambda one: one.pk):  # one order of locks for all who link
        ticket = lock(ticket)
        if ticket.state in {State.CLOSED, State.DECLINED}:
            raise NotAllowed(_("№ %(number)s is closed: nobody would read the notes.") % {"number": ticket.number})
        _link(incident, ticket, by=by, at=at)
        record(ticket, "major_linked", by=by, at=at, details={"major": incident.pk, "title": incident.title})
        numbers.append(ticket.number)
    if not numbers:
        raise NotAllowed(_("Choose at least one request."))
    _fact(incident, "linked", by=by, at=at, numbers=numbers)
    return len(numbers)


@transaction.atomic
def unlink_child(incident: MajorIncident, ticket: Ticket, *, by: User, at: datetime) -> None:
    """The request has another cause. What its customer was told stays told."""
    only_leaders(by)
    incident = _open(incident)
    ticket = lock(ticket)
    child = incident.children.filter(ticket=ticket).first()
    if child is None:
        raise NotAllowed(_("№ %(number)s does not belong to this incident.") % {"number": ticket.number})
    if child.is_head:
        raise NotAllowed(_("The head of the incident stays in it."))
    child.delete()
    record(ticket, "major_left", by=by, at=at, details={"major": incident.pk, "title": incident.title})
    _fact(incident, "unlinked", by=by, at=at, numbers=[ticket.number])


@transaction.atomic
def write_major_note(incident: MajorIncident, *, by: User, text: str, at: datetime) -> MajorNote:
    """A line of the timeline, among ourselves; also after the end, for the review."""
    only_leaders(by)
    incident = lock_major(incident)
    text = needs_words(text, _("An empty note says nothing: write a few words."))
    return MajorNote.objects.create(incident=incident, kind=MajorNote.Kind.INTERNAL, by=by, at=at, text=text)


@transaction.atomic
def tell_affected(
    incident: MajorIncident,
    *,
    by: User,
    at: datetime,
    text_ru: str = "",
    text_en: str = "",
    key: str | None = None,
) -> Broadcast:
    """One note becomes a public message in the head and every child, in the language of each where it is there.

    It is a person's public reply: it ends the reaction of a child that nobody has answered (domain §4.1). Writes down
    which requests; `tickets.broadcasts.advance` does them one by one. A request that has these words lately is left
    out, whoever sent them: pressed again from another copy of the page, a note goes to nobody twice.
    """
    only_leaders(by)
    incident = _open(incident)
    if earlier := sent_already(by, key):
        return earlier
    text_ru, text_en = text_ru.strip(), text_en.strip()
    needs_words(text_ru or text_en, _("Write what the customers are to know."))
    made = Broadcast(
        kind=Broadcast.Kind.NOTE, major=incident, text_ru=text_ru, text_en=text_en, by=by, at=at, key=key or None
    )
    readers = list(_tickets(incident, READS))
    if not readers:
        raise NotAllowed(_("All requests of the incident are closed: nobody would read it."))
    sent = broadcast(made, _without_words(made, readers))
    if sent is None:
        raise NotAllowed(_("All of them got these words within the last hour: write what is new."))
    MajorNote.objects.create(incident=incident, kind=MajorNote.Kind.CUSTOMERS, by=by, at=at, broadcast=sent)
    return sent


@transaction.atomic
def solve_affected(
    incident: MajorIncident,
    *,
    by: User,
    at: datetime,
    text_ru: str = "",
    text_en: str = "",
    key: str | None = None,
) -> Broadcast:
    """The head and all open children are solved with the same words, one by one; each customer confirms their own."""
    only_leaders(by)
    incident = lock_major(incident)
    if earlier := sent_already(by, key):
        return earlier
    text_ru, text_en = text_ru.strip(), text_en.strip()
    needs_words(text_ru or text_en, _("Write how it was solved: the customer confirms it by that."))
    made = Broadcast(
        kind=Broadcast.Kind.SOLUTION, major=incident, text_ru=text_ru, text_en=text_en, by=by, at=at, key=key or None
    )
    sent = broadcast(made, _tickets(incident, OPEN_STATES))
    if sent is None:
        raise NotAllowed(_("No request of the incident is open."))
    MajorNote.objects.create(incident=incident, kind=MajorNote.Kind.CUSTOMERS, by=by, at=at, broadcast=sent)
    return sent


def _without_words(made: Broadcast, readers: Iterable[Ticket]) -> list[Ticket]:
    """Those of the requests that did not get what they would read now, in their language, within `SAID_LATELY`."""
    assert made.major is not None  # the database keeps it so: `broadcast_of_one`
    lately = BroadcastItem.objects.filter(
        broadcast__major=made.major, broadcast__kind=made.kind, broadcast__at__gt=made.at - SAID_LATELY
    )
    said = {
        (ticket, in_language(ru, en, language)[0])
        for ticket, language, ru, en in lately.exclude(outcome=BroadcastItem.Outcome.SKIPPED).values_list(
            "ticket", "ticket__language", "broadcast__text_ru", "broadcast__text_en"
        )
    }
    return [
        ticket
        for ticket in readers
        if (ticket.pk, in_language(made.text_ru, made.text_en, ticket.language)[0]) not in said
    ]


def _tickets(incident: MajorIncident, states: Iterable[str]) -> TicketQuerySet:
    return Ticket.objects.filter(Q(majors__incident=incident), state__in=states).order_by("pk")


@transaction.atomic
def change_coordinator(incident: MajorIncident, *, by: User, to: User, at: datetime) -> MajorIncident:
    """Another person leads from now on, and hears of it by letter, unless they took it over themselves."""
    only_leaders(by)
    incident = _open(incident)
    if incident.coordinator_id == to.pk:
        return incident
    was, incident.coordinator = incident.coordinator, _leader(to)
    incident.save()
    _fact(incident, "coordinator", by=by, at=at, was=was.full_name, to=to.full_name)
    _tell_coordinator(incident, lock(incident.head), by=by, at=at)
    return incident


@transaction.atomic
def end_major(incident: MajorIncident, *, by: User, what_happened: str, at: datetime) -> MajorIncident:
    """The disturbance is over, and what it was. Its requests are free for another incident; the review follows.

    Not while the head is open: the disturbance is what it asks about. Other requests may stay open, each with its own.
    """
    only_leaders(by)
    incident = _open(incident)
    if lock(incident.head).is_open:
        raise NotAllowed(
            _("The head, № %(number)s, is still open: solve it, then end the major incident.")
            % {"number": incident.head.number}
        )
    incident.what_happened = needs_words(what_happened, _("Write what happened: the review starts from it."))
    incident.end()
    incident.ended_at = at
    incident.save()
    incident.children.update(is_open=False)
    still = _tickets(incident, OPEN_STATES).values_list("number", flat=True)
    _fact(incident, "ended", by=by, at=at, still_open=list(still))
    return incident


@transaction.atomic
def review_major(
    incident: MajorIncident,
    *,
    by: User,
    at: datetime,
    cause: str,
    went_well: str = "",
    went_badly: str = "",
    was: Mapping[str, str] | None = None,
) -> MajorIncident:
    """The review at the end: the cause, what went well and badly. Written again, the last words stand.

    `was` are the marks of the texts that the person saw (`own_words.marks`).
    """
    only_leaders(by)
    incident = lock_major(incident)
    if incident.is_open:
        raise NotAllowed(_("The review follows the end: end the incident first."))
    cause = needs_words(cause, _("Name the cause, or what is known of it."))
    said = {"cause": cause, "went_well": went_well.strip(), "went_badly": went_badly.strip()}
    if was:
        now = {name: getattr(incident, name) for name in said}
        said = only_mine(said, was, now, changed_by=incident.reviewed_by)
    for name, words in said.items():
        setattr(incident, name, words)
    incident.reviewed_at, incident.reviewed_by = at, by
    incident.save()
    _fact(incident, "reviewed", by=by, at=at)
    return incident


@transaction.atomic
def add_major_action(
    incident: MajorIncident, *, by: User, text: str, owner: User, due_on: date, at: datetime
) -> MajorAction:
    """What is to be done so that it does not happen again: who, and by which day."""
    only_leaders(by)
    incident = lock_major(incident)
    if incident.is_open:
        raise NotAllowed(_("The review follows the end: end the incident first."))
    text = needs_words(text, _("Write what is to be done."))[:300]
    if due_on < at.astimezone(MOSCOW).date():
        raise NotAllowed(_("This day is over already: choose a day to come."))
    if not owner.is_vendor or not owner.is_active:
        raise NotAllowed(_("%(name)s does not work at the desk.") % {"name": owner.full_name}, "7")
    action = MajorAction.objects.create(incident=incident, text=text, owner=owner, due_on=due_on)
    _fact(incident, "action", by=by, at=at, text=text, owner=owner.full_name, due=due_on.isoformat())
    return action


@transaction.atomic
def finish_major_action(action: MajorAction, *, by: User, at: datetime) -> MajorAction:
    """The action is done."""
    only_leaders(by)
    incident = lock_major(action.incident)
    action.refresh_from_db()
    if action.done_at is None:
        action.done_at = at
        action.save(update_fields=["done_at"])
        _fact(incident, "action_done", by=by, at=at, text=action.text)
    return action
