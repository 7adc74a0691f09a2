"""What is sent from the composer: a message, its files, and what is done along with it, all or nothing (§6.6)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.models import User
from tickets import drafts, macros
from tickets.models import Draft, Macro, Message, Ticket
from tickets.workflow.conversation import Upload, adopt, nobody_wrote_since, said_already
from tickets.workflow.customer import customer_reply
from tickets.workflow.desk import ask_customer, note, reply, resolve
from tickets.workflow.gates import NotAllowed, lock, only_desk
from tickets.workflow.lines import hand_over
from tickets.workflow.priority import reclassify
from tickets.workflow.receipt import open_ticket

WAIT, RESOLVE = "wait", "resolve"
AFTER = (WAIT, RESOLVE)  # “send and …”: wait for the customer, mark as solved
SENT_AGAIN_WITHIN = timedelta(minutes=15)  # the contact's same last words are the same message so long


@transaction.atomic
def send(
    ticket: Ticket,
    *,
    by: User,
    at: datetime,
    kind: str,
    body: str,
    then: str = "",
    macro: Macro | None = None,
    files: Iterable[Upload] = (),
    pending: Iterable[int] = (),
    seen: int | None = None,
    as_of: int | None = None,
    key: str | None = None,
) -> Message:
    """Says what was composed, with what a macro does, adopts the uploaded files and ends the draft.

    `kind` is "reply", "note" or "question"; `then` one of `AFTER` or "". `seen` is the key of the last message that
    the person saw; a note does not conflict with anybody's words. `as_of` is the key of the last event that they saw:
    what is done along with the words asks about a colleague's change as it does alone (`ChangedMeanwhile`). If one
    rule refuses, nothing of it happens.
    """
    only_desk(by)
    ticket = lock(ticket)
    if earlier := said_already(ticket, by, key):
        return earlier
    if macro is not None:
        _filled_in(body)
    resolves = then == RESOLVE or (macro is not None and macro.resolves)
    if kind == "note" and (resolves or then):
        raise NotAllowed(_("A note goes to nobody: it cannot wait for the customer or say that it is solved."), "3.2")
    if macro is not None:
        _classify(ticket, macro, by=by, at=at, as_of=as_of)
    message = _say(
        ticket,
        "resolve" if resolves else "question" if then == WAIT else kind,
        by=by,
        at=at,
        body=body,
        files=files,
        key=key,
        seen=seen,
        as_of=as_of,
    )
    adopt(message, pending, by=by)
    if macro is not None:
        _pass_on(ticket, macro, by=by, at=at, as_of=as_of)
        Macro.objects.filter(pk=macro.pk).update(used=F("used") + 1, used_at=at)
    Draft.objects.filter(ticket=ticket, person=by).delete()
    return message


@transaction.atomic
def send_reply(
    ticket: Ticket,
    *,
    by: User,
    at: datetime,
    body: str,
    files: Iterable[Upload] = (),
    pending: Iterable[int] = (),
    seen: int | None = None,
    key: str | None = None,
) -> Message:
    """The contact's words from the portal, with the files that came in for them; ends the draft. As `customer_reply`.

    A second click finds the files adopted and the message said: it gets the same message, also in a follow-up. So does
    who goes back and sends the same words anew. `seen` as for `reply`.
    """
    ticket = lock(ticket)
    if key and (earlier := Message.objects.filter(drafts.written_in(ticket), author=by, idempotency_key=key).first()):
        if _same(earlier.body, body):
            return earlier
        key = None  # written on a page that was gone back to: its key is used up, its words are not
    files, pending = list(files), list(pending)
    if not (files or pending) and (earlier := _just_said(ticket, body, by=by, at=at)):
        return earlier
    nobody_wrote_since(ticket, seen, by=by)
    message = customer_reply(ticket, by=by, body=body, at=at, files=files, key=key)
    both = {ticket.pk, message.ticket_id}  # what was written in a merged ticket may have gone along with it
    adopt(message, pending, by=by, written_for=Q(ticket__in=both))
    Draft.objects.filter(ticket__in=both, person=by).delete()
    return message


def _just_said(ticket: Ticket, body: str, *, by: User, at: datetime) -> Message | None:
    """The last thing that was said, if it is these words of this person, a moment ago: their form was drawn anew."""
    last = Message.objects.visible_to(by).filter(drafts.written_in(ticket)).order_by("pk").last()
    if last is None or last.author_id != by.pk or last.created_at <= at - SENT_AGAIN_WITHIN:
        return None
    return last if _same(last.body, body) else None


def _same(said: str, body: str) -> bool:
    return said.split() == body.split()


@transaction.atomic
def send_request(*, by: User, key: str | None = None, pending: Iterable[int] = (), **request: Any) -> Ticket:
    """The contact's new request from the portal, with the files that came in for it. As `open_ticket`."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # two clicks come one after the other
    if key and (earlier := Ticket.objects.filter(idempotency_key=key, contact=by).first()):
        return earlier
    ticket = open_ticket(by=by, key=key, **request)
    adopt(ticket.messages.earliest("pk"), pending, by=by, written_for=Q(ticket__isnull=True))
    return ticket


def _say(ticket: Ticket, what: str, *, by: User, seen: int | None, as_of: int | None, **words) -> Message:
    if what == "note":
        return note(ticket, by=by, **words)
    if what == "resolve":
        resolve(ticket, by=by, seen=seen, as_of=as_of, **words)
        return ticket.messages.filter(author=by).latest("pk")
    return (ask_customer if what == "question" else reply)(ticket, by=by, seen=seen, **words)


def _filled_in(text: str) -> None:
    """A variable that the ticket has no value for is written by hand before anything is sent."""
    left = [variable for variable in macros.variables(text) if variable.name in macros.VARIABLES]
    if left:
        raise NotAllowed(
            _("“%(name)s” is still in the text: write in its place what it stands for.") % {"name": left[0].whole}
        )


def _classify(ticket: Ticket, macro: Macro, *, by: User, at: datetime, as_of: int | None) -> None:
    if macro.priority is not None and macro.priority != ticket.priority:
        reclassify(ticket, by=by, priority=macro.priority, reason=_of(macro), at=at, as_of=as_of)


def _pass_on(ticket: Ticket, macro: Macro, *, by: User, at: datetime, as_of: int | None) -> None:
    """To the macro's line, unless the ticket is there already: then nothing is left to be passed on."""
    if macro.to_line_id is None or macro.to_line_id == ticket.line_id:
        return
    values = macros.values_of(ticket, by=by, now=at)
    known, asked = (macros.substitute(text, values) for text in (macro.known, macro.asked))
    _filled_in(known + asked)
    hand_over(ticket, by=by, to_line=macro.to_line_id, known=known, asked=asked, at=at, as_of=as_of)


def _of(macro: Macro) -> str:
    return _("Macro “%(title)s”") % {"title": macro.title}
