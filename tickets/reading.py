"""How far a person has read a ticket: the rule «Новое» in the thread, and subjects in bold in the queue (§5, §6.5)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Least
from django.db.models.lookups import GreaterThan

from accounts.at_once import Given
from accounts.models import User
from tickets.models import LastRead, Message, Ticket, TicketQuerySet


def with_unread(tickets: TicketQuerySet, user: User | Given) -> TicketQuerySet:
    """Each ticket with `unread`: whether anybody else has written since this person looked at it.

    Looks into `message_thread` and `read_once`, for each row of the page; no statement of its own. The last of them is
    asked for and not whether there is one: for `EXISTS` PostgreSQL may read the messages of all tickets into a hash.
    """
    person: Any = user
    upto = LastRead.objects.filter(ticket=OuterRef("pk"), person=person).values("upto")[:1]
    others = Message.objects.filter(~Q(author=person), ticket=OuterRef("pk")).order_by().values("ticket")
    last = others.annotate(last=Max("pk")).values("last")
    return tickets.annotate(unread=GreaterThan(Coalesce(Subquery(last), 0), Coalesce(Subquery(upto), 0)))


def first_new(messages: Iterable[Message], user: User, upto: int | None) -> Message | None:
    """The first message of somebody else after what was read; None at the first visit: everything is new then."""
    if upto is None:
        return None
    return next((message for message in messages if message.pk > upto and message.author_id != user.pk), None)


def last_key(messages: Iterable[Message]) -> int:
    """The key of the newest of these messages, 0 for none: what a person who sees them has read."""
    return max((message.pk for message in messages), default=0)


def mark(ticket: Ticket, *, person: User, upto: int, at: datetime) -> None:
    """The person has read up to this message."""
    LastRead.objects.bulk_create(
        [LastRead(ticket=ticket, person=person, upto=upto, at=at)],
        update_conflicts=True,
        unique_fields=["ticket", "person"],
        update_fields=["upto", "at"],
    )


def mark_seen(ticket: Ticket, *, person: User, upto: int, at: datetime) -> None:
    """A message of this ticket came into sight while the person looked at it; nothing is taken back by it."""
    if ticket.messages.filter(pk=upto).exists():
        LastRead.objects.filter(ticket=ticket, person=person, upto__lt=upto).update(upto=upto, at=at)


def follow(ticket: Ticket, into: Ticket) -> None:
    """The conversation of `ticket` is about to move to `into`: there nobody has read more than they did in both.

    Keys are one row for all tickets. Who had read all that comes along keeps their place; who had not goes back to
    before the first message of it that they have not seen. Who never opened `into` finds everything new there.
    """
    keys = ticket.messages.aggregate(first=Min("pk"), last=Max("pk"))
    if keys["first"] is None:
        return
    there = LastRead.objects.filter(ticket=ticket, person=OuterRef("person")).values("upto")[:1]
    read = Coalesce(Subquery(there), keys["first"] - 1)
    rows = LastRead.objects.filter(ticket=into).annotate(read=read).filter(read__lt=keys["last"])
    rows.update(upto=Least(F("upto"), read))


def mark_unread(ticket: Ticket, *, person: User, at: datetime) -> None:
    """As if the last message of somebody else had not been read yet."""
    last = ticket.messages.exclude(author=person).order_by("-pk").values_list("pk", flat=True).first()
    mark(ticket, person=person, upto=(last or 1) - 1, at=at)
