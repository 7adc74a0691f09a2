"""Who is told of an event of a ticket (direction §16, §17). Reads rows, writes nothing."""

from datetime import datetime

from accounts.models import Role, User
from sla.clocks import CUSTOMER_PROMISES
from sla.models import Escalation, Whom
from tickets.models import Event


def contact(event: Event, now: datetime) -> list[User]:
    """The customer's responsible contact as of now: open requests follow a new contact (domain §2)."""
    return active([event.ticket.customer.contact_at(now)])


def contact_of_ours(event: Event, now: datetime) -> list[User]:
    """The contact, told of what we did; they are not told of what they did themselves."""
    return contact(event, now) if event.by is None or event.by.is_vendor else []


def colleague(event: Event, now: datetime) -> list[User]:
    """Who wrote the words that the contact confirmed: they hear what became of their letter (domain §1.7.1)."""
    author = event.message.author if event.message is not None and not event.details.get("split_off") else None
    return [] if author is None or author.is_vendor or author == event.by else active([author])


def contact_whose_dates_move(event: Event, now: datetime) -> list[User]:
    """The contact, where a promised date moves by it: terms that leave every date as it is are nobody's news."""
    moves = any(one["from"] != one["to"] for one in event.details.get("promises", ()))
    return contact_of_ours(event, now) if moves else []


def contact_whose_promises_move(event: Event, now: datetime) -> list[User]:
    """The contact, where a date promised to the customer moves; the line's own clocks are no news of theirs."""
    return contact_of_ours(event, now) if moved_by_calendar(event) else []


def moved_by_calendar(event: Event) -> list[dict]:
    """The promises to the customer whose date another calendar moved, as the event keeps them."""
    promises = event.details.get("promises", ())
    return [one for one in promises if one["kind"] in CUSTOMER_PROMISES and one["from"] != one["to"]]


def worker(event: Event, now: datetime) -> list[User]:
    """Who works on it; without an assignee the owner; not who did it themselves."""
    return [person for person in active([event.ticket.assignee or event.ticket.owner]) if person != event.by]


def named_coordinator(event: Event, now: datetime) -> list[User]:
    """Who leads a major incident from now on; not who took it over themselves."""
    named = User.objects.filter(pk=event.details["person"]).first()
    return active([named if named != event.by else None])


def receiving_line(event: Event, now: datetime) -> list[User]:
    """Everybody of the line that a hand-over is for: whoever is free accepts it, before its clock runs out (§3.3)."""
    return [person for person in people_of_line(event.ticket.line_id) if person != event.by]


def people_of_line(line: int) -> list[User]:
    people = User.objects.filter(lines=line, role__in=[Role.ENGINEER, Role.LINE_LEAD], is_active=True)
    return list(people.order_by("pk"))


def called_in(escalation: Escalation) -> list[User]:
    """The person of the rung; where it names none, everybody of the line, or of the role (domain §4.4)."""
    if escalation.person is not None:
        return active([escalation.person])
    if escalation.whom in {Whom.LINE_QUEUE, Whom.ASSIGNEE}:
        return people_of_line(escalation.ticket.line_id)
    return list(User.objects.filter(role=escalation.whom, is_active=True).order_by("pk"))


def caller(event: Event, now: datetime) -> list[User]:
    """The colleague who called somebody in and is answered now; nobody where it was a rung or the customer (§4.4)."""
    asked_by = event.details.get("asked_by")
    return [person for person in User.objects.filter(pk=asked_by, is_active=True) if person != event.by]


def active(people: list[User | None]) -> list[User]:
    return [person for person in people if person is not None and person.is_active]
