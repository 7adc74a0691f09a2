"""One ticket in which two things are asked becomes two (domain §3.1, §4).

*Decisions*. The new ticket is received at the moment of the customer's first message that is chosen: the promises count
from when the customer wrote it, on the contract and terms of that moment, as if it had been a request of its own. Our
public replies that are chosen with it were answers to it: they end its reaction when they were written. Messages are
copied with their files, so the first conversation stays whole.
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from sla import clocks
from tickets.models import Event, Message, Ticket, TicketLink
from tickets.workflow.conversation import Upload, say
from tickets.workflow.desk import take
from tickets.workflow.gates import NotAllowed, lock, move, needs_words, only_desk, record
from tickets.workflow.receipt import open_ticket
from tickets.workflow.relations import tie


@transaction.atomic
def split(
    ticket: Ticket,
    *,
    messages: Iterable[Message],
    subject: str,
    by: User,
    at: datetime,
    priority: int | None = None,
    key: str | None = None,
) -> Ticket:
    """Makes a ticket of the same customer from messages of this one; a repeated `key` returns the first one.

    Raises `NotAllowed` where no message of the customer is chosen, `entitlement.NotCovered` as `open_ticket`,
    `Forbidden` for anybody but the desk.
    """
    only_desk(by)
    ticket = lock(ticket)
    chosen = list(
        Message.objects.filter(pk__in=[message.pk for message in messages], ticket=ticket)
        .select_related("author")
        .prefetch_related("attachments")
        .order_by("created_at", "pk")
    )
    first = next((message for message in chosen if not message.by_vendor), None)
    if first is None:
        raise NotAllowed(
            _("Choose a message of the customer: the promises of the new request count from when it was written."), "4"
        )
    subject = needs_words(subject, _("Say in one line what the new request is about."))
    with ExitStack() as opened:
        made = _opened(ticket, first, subject=subject, by=by, priority=priority, key=key, files=_files(first, opened))
    if made.links_out.filter(kind=TicketLink.Kind.SPLIT).exists():
        return made  # the second click of two
    made = _copied(made, [message for message in chosen if message.pk != first.pk])
    contact = ticket.customer.contact_at(at)
    if contact is not None:
        made.contact = contact  # open requests follow the contact, whoever wrote it then (domain §2)
    tie(made, ticket, TicketLink.Kind.SPLIT, by=by, at=at)
    return made


def _opened(
    ticket: Ticket,
    first: Message,
    *,
    subject: str,
    by: User,
    priority: int | None,
    key: str | None,
    files: Sequence[Upload],
) -> Ticket:
    return open_ticket(
        customer=ticket.customer,
        by=by,
        author=first.author,
        subject=subject,
        body=first.body,
        at=first.created_at,
        channel=first.channel_id,
        kind=ticket.kind,
        topic=ticket.topic,
        priority=priority or ticket.priority,
        product=ticket.product,
        release=ticket.release,
        language=ticket.language,
        files=files,
        quoted=first.quoted,
        key=key,
        split_off=ticket,
    )


def _copied(made: Ticket, chosen: Iterable[Message]) -> Ticket:
    """The rest of what was chosen, as it was written then; nobody is told of it again."""
    made = lock(made)
    for message in chosen:
        with ExitStack() as opened:
            copy = say(
                made,
                message.body,
                by=message.author,
                at=message.created_at,
                kind=message.kind,
                channel=message.channel_id,
                files=_files(message, opened),
                quoted=message.quoted,
            )
        if message.created_at < made.opened_at:
            continue  # what led up to it is there to be read, and answers nothing
        if copy.is_note or not copy.by_vendor:
            verb = "noted" if copy.is_note else "customer_replied"
        else:
            verb = "replied"
            if made.assignee_id is None:
                move(made, "accept")
                take(made, by=message.author, at=message.created_at)
            clocks.meet_reaction(made, at=message.created_at, why="replied")
        event = record(made, verb, by=message.author, at=message.created_at, message=copy)
        Event.objects.filter(pk=event.pk).update(notified_at=message.created_at)
    return made


def _files(message: Message, opened: ExitStack) -> list[Upload]:
    """The files of a message, open for reading until `opened` closes them."""
    return [
        Upload(row.name, row.content_type, opened.enter_context(row.file.open("rb")), row.size)
        for row in message.attachments.all()
    ]
