"""The customer's verbs: answer, reopen, confirm, withdraw, contest, rate; and closing after silence (§3.2, §6)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from contracts.models import PromiseKind
from sla import clocks
from sla.models import Escalation, Whom
from tickets import routing
from tickets.models import Message, Rating, State, Ticket
from tickets.workflow.conversation import Upload, said_already, say
from tickets.workflow.following import open_after
from tickets.workflow.gates import (
    ENDS_WITH_THE_TICKET,
    NotAllowed,
    lock,
    move,
    needs_words,
    only_contact,
    only_desk,
    record,
)
from tickets.workflow.meanwhile import unchanged_since
from tickets.workflow.merging import remaining
from tickets.workflow.waiting import stood_of

LOW_RATING = 2  # 1 or 2 opens a follow-up for the CSM (domain §4.4)

RATING_MAY_CHANGE_FOR = timedelta(days=7)


@transaction.atomic
def customer_reply(
    ticket: Ticket,
    *,
    by: User,
    body: str,
    at: datetime,
    channel: str = "portal",
    files: Iterable[Upload] = (),
    key: str | None = None,
    message_id: str | None = None,
    quoted: str = "",
    author: User | None = None,
) -> Message:
    """The contact writes: a standing clock goes on, a solved ticket reopens, a closed one gets a follow-up (§3.2).

    What is said to a merged ticket is said in the one that it was merged into.

    `author` is the colleague whose words the contact confirmed (`confirm_held`).
    Returns the message; `message.ticket` is the follow-up where one was made.
    """
    ticket = remaining(lock(ticket))
    only_contact(ticket, by, at)
    if earlier := said_already(ticket, author or by, key):
        return earlier
    body = needs_words(body, _("An empty reply says nothing: write a few words."))
    if ticket.state == State.CLOSED:
        follow_up = open_after(
            ticket,
            by=by,
            subject=ticket.subject,
            body=body,
            at=at,
            channel=channel,
            files=files,
            message_id=message_id,
            quoted=quoted,
            key=key,
            author=author,
        )
        return follow_up.messages.earliest("pk")
    if ticket.state == State.DECLINED:
        contested = contest(
            ticket,
            by=by,
            reason=body,
            at=at,
            channel=channel,
            files=files,
            message_id=message_id,
            key=key,
            author=author,
        )
        return contested.messages.latest("pk")
    message = say(
        ticket,
        body,
        by=author or by,
        at=at,
        channel=channel,
        files=files,
        message_id=message_id,
        quoted=quoted,
        key=key,
    )
    if ticket.state == State.AWAITING_CUSTOMER:
        move(ticket, "hear_customer")
        ticket.awaiting_since = None
        clocks.resume(ticket, at=at)
    elif ticket.state == State.RESOLVED:
        _reopen(ticket, at=at)
        record(ticket, "reopened", by=by, at=at, message=message)
        return message
    record(ticket, "customer_replied", by=by, at=at, message=message)
    return message


def _reopen(ticket: Ticket, *, at: datetime) -> None:
    move(ticket, "reopen")
    stood = stood_of(ticket)
    ended = (
        ticket.commitments.filter(kind=PromiseKind.RESOLUTION, why="resolved").order_by("-stopped_at", "-pk").first()
    )
    if ended is not None:
        clocks.reinstate(ended, at=at, why="reopened", stood=stood)
    ticket.resolved_at = None
    ticket.closes_at = None


@transaction.atomic
def reopen(ticket: Ticket, *, by: User, reason: str, at: datetime, as_of: int | None = None) -> Ticket:
    """Not solved after all: the clock goes on, the time as solved does not count (domain §3.2, §4.1).

    `as_of` is the key of the last event that the person saw (`ChangedMeanwhile`).
    """
    ticket = lock(ticket)
    if by.is_vendor:
        only_desk(by)
    else:
        only_contact(ticket, by, at)
    reason = needs_words(reason, _("Write what still does not work."), "3.2")
    if ticket.state == State.RESOLVED:
        unchanged_since(ticket, as_of, "reopening", by=by)
    _reopen(ticket, at=at)
    message = say(ticket, reason, by=by, at=at)
    record(ticket, "reopened", by=by, at=at, message=message)
    return ticket


@transaction.atomic
def confirm(ticket: Ticket, *, by: User, at: datetime, body: str = "") -> Ticket:
    """The contact agrees that it is solved, with a word or without: closed (domain §3.2)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    move(ticket, "close")
    message = say(ticket, body.strip(), by=by, at=at) if body.strip() else None
    _close(ticket, at=at)
    record(ticket, "confirmed", by=by, at=at, message=message)
    return ticket


def _close(ticket: Ticket, *, at: datetime) -> None:
    ticket.closed_at = at
    ticket.closes_at = None
    ticket.awaiting_since = None
    clocks.cancel(ticket, at=at, why="closed", kinds=ENDS_WITH_THE_TICKET)


@transaction.atomic
def close_silent(ticket: Ticket, *, at: datetime) -> bool:
    """Closes a solved ticket whose customer was silent for five working days; whether it did (domain §3.2)."""
    ticket = lock(ticket)
    if ticket.state != State.RESOLVED or ticket.closes_at is None or ticket.closes_at > at:
        return False
    move(ticket, "close")
    _close(ticket, at=at)
    record(ticket, "closed_silent", by=None, at=at)
    return True


@transaction.atomic
def withdraw(ticket: Ticket, *, by: User, at: datetime, reason: str = "") -> Ticket:
    """The customer does not need it any more: closed, its clocks cancelled (domain §3.2)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    move(ticket, "withdraw")
    message = say(ticket, reason.strip(), by=by, at=at) if reason.strip() else None
    _close(ticket, at=at)
    record(ticket, "withdrawn", by=by, at=at, message=message)
    return ticket


@transaction.atomic
def contest(
    ticket: Ticket,
    *,
    by: User,
    reason: str,
    at: datetime,
    channel: str = "portal",
    files: Iterable[Upload] = (),
    message_id: str | None = None,
    key: str | None = None,
    author: User | None = None,
) -> Ticket:
    """The customer contests a decline: in work again, and the time as declined counts too (domain §3.2, §4.1)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    reason = needs_words(reason, _("Write why the request is inside support."), "3.2")
    move(ticket, "contest")
    message = say(ticket, reason, by=author or by, at=at, channel=channel, files=files, message_id=message_id, key=key)
    cancelled = (
        ticket.commitments.filter(kind=PromiseKind.RESOLUTION, why="declined").order_by("-stopped_at", "-pk").first()
    )
    if cancelled is not None:
        clocks.reinstate(cancelled, at=at, why="decline contested", stood=stood_of(ticket))
    record(ticket, "contested", by=by, at=at, message=message, details={"reason": reason})
    return ticket


@transaction.atomic
def rate(ticket: Ticket, *, by: User, score: int, at: datetime, comment: str = "") -> Rating:
    """1–5 and a comment, after resolution; changed for seven days. A 1 or 2 opens a follow-up of the CSM (§4.4, §6)."""
    ticket = lock(ticket)
    only_contact(ticket, by, at)
    if ticket.state not in {State.RESOLVED, State.CLOSED}:
        raise NotAllowed(_("A request is rated once it is solved."), "6")
    if ticket.merged_into is not None:
        raise NotAllowed(
            _("This request was merged into № %(number)s: rate that one.") % {"number": ticket.merged_into.number}, "6"
        )
    if score not in {1, 2, 3, 4, 5}:
        raise NotAllowed(_("A rating is a number from 1 to 5."), "6")
    rating = Rating.objects.filter(ticket=ticket).first()
    if rating is not None and at - rating.at > RATING_MAY_CHANGE_FOR:
        raise NotAllowed(_("A rating can be changed for seven days."), "6")
    if rating is not None and (rating.score, rating.comment) == (score, comment.strip()):
        return rating  # the second click of two: nothing changes
    was = rating.score if rating else None
    if rating is None:
        rating = Rating(ticket=ticket, at=at)
    rating.score = score
    rating.comment = comment.strip()
    rating.by = by
    rating.save()
    record(ticket, "rated", by=by, at=at, details={"score": score, "was": was, "comment": rating.comment})
    if score <= LOW_RATING and (was is None or was > LOW_RATING):
        person, instead_of = routing.person_here(ticket, Whom.CSM, at)
        Escalation.objects.create(
            ticket=ticket,
            cause=Escalation.Cause.LOW_RATING,
            whom=Whom.CSM,
            person=person,
            instead_of=instead_of,
            raised_by=by,
            reached_at=at,
            created_at=at,
            reason=rating.comment,
        )
    return rating
