"""Letters of the ladder: who is called in, and the customer whose promise was not kept (domain §4.4).

Reads rows, writes nothing.
"""

from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from contracts.models import PromiseKind
from mail import customer_letters, desk_letters
from mail.audiences import active, called_in
from mail.letters import Draft, Letter, Link, Reader, drafts_to, link
from mail.models import OutgoingLetter
from mail.promises_told import moscow_beside
from sla import words
from sla.clocks import CUSTOMER_PROMISES
from sla.models import Commitment, Escalation, Whom
from sla.promises import promises_of

NEXT_MESSAGE_WITHIN = {True: timedelta(hours=1), False: timedelta(hours=4)}  # priority 1 or not (domain §4.4)
MISSED = 100  # percent: from this rung on the deadline has passed
CALLED_WHEN_MISSED = (Whom.CSM, Whom.SUPPORT_MANAGER, Whom.TOP_MANAGEMENT)


def of_escalation(call: Escalation, now: datetime) -> list[Draft]:
    """Who is called in; and, once the deadline has passed, the customer hears that the promise was not kept.

    Nobody is called for an escalation that is closed by now: its clock has stopped (domain §4.4).
    """
    if call.state == Escalation.State.CLOSED:
        return []
    called = drafts_to(called_in(call), f"escalation:{call.pk}", partial(escalation, call), now=now, ticket=call.ticket)
    return called + of_missed(call, now)


def is_told_missed(call: Escalation) -> bool:
    """Whether this rung says to the customer that a promise to them was not kept, while it still is not."""
    clock = call.commitment
    return (
        clock is not None
        and clock.kind in CUSTOMER_PROMISES
        and (call.percent or 0) >= MISSED
        and clock.ending == Commitment.Ending.MISSED
        and clock.is_running
    )


def of_missed(call: Escalation, now: datetime) -> list[Draft]:
    """One occasion for all rungs from 100 % on, so that the customer hears it once; nobody can turn it off (§4.4)."""
    commitment = call.commitment
    if commitment is None or not is_told_missed(call):
        return []
    contact = active([call.ticket.customer.contact_at(now)])
    words = partial(missed_promise, commitment)
    return drafts_to(contact, f"missed:{commitment.pk}", words, now=now, ticket=call.ticket)


def next_message_by(commitment: Commitment, now: datetime) -> datetime:
    """By when the customer hears from us again after a missed promise: the contract's time to answer an escalation.

    Counted from `now` in the hours of the promise; an hour for priority 1, else four (domain §4.4), where the terms
    name no time.
    """
    ticket = commitment.ticket
    told = promises_of(ticket.terms, ticket.contract, at=now).get((PromiseKind.ESCALATION_ANSWER, ticket.priority))
    span = told.target if told is not None else NEXT_MESSAGE_WITHIN[ticket.priority == 1]
    return commitment.calendar.add(now, span)


def _told_at(commitment: Commitment, reader: Reader) -> datetime:
    """When the customer was told that this promise was missed; they are being told now, where no letter is written."""
    told = OutgoingLetter.objects.filter(occasion=f"missed:{commitment.pk}")
    return told.values_list("written_at", flat=True).first() or reader.now


def missed_promise(commitment: Commitment, reader: Reader) -> Letter:
    """Said before the customer notices: what was promised, that it was not kept, and who deals with it (§16)."""
    ticket = commitment.ticket
    by = words.until(commitment.due_at, reader.zone, reader.now)
    if commitment.kind == PromiseKind.REACTION:
        lead = _("We promised to answer %(until)s and did not.") % {"until": by}
    else:
        lead = _("We promised to solve it %(until)s and did not.") % {"until": by}
    people = [str(whom.label) for whom in CALLED_WHEN_MISSED if commitment.escalations.filter(whom=whom).exists()]
    called = {"people": ", ".join(people)}
    if commitment.kind == PromiseKind.RESOLUTION:
        sentences = [lead, _("We go on working on it.")]
        if people:
            sentences[1] = _("We go on working on it; called in: %(people)s.") % called
    else:
        sentences = [lead, _("Called in: %(people)s.") % called] if people else [lead]
    following = next_message_by(commitment, reader.now)
    until = {"until": words.until(following, reader.zone, reader.now)}
    sentences.append(" ".join([_("Next message from us %(until)s.") % until, *moscow_beside(following, reader)]))
    return Letter(
        title=pgettext("letter", "Not in time"),
        heading=ticket.subject,
        state=customer_letters.state_told(ticket),
        lead=sentences,
        button=customer_letters.open_request(ticket),
        hints=[customer_letters.to_management(ticket)],
        why=customer_letters.why_told(ticket),
        may_reply=True,
    )


def escalation(call: Escalation, reader: Reader) -> Letter:
    """Who is called in reads: the request, the clock, the step, and one button (direction §17)."""
    ticket = call.ticket
    by_customer = call.raised_by is not None and not call.raised_by.is_vendor
    facts = []
    if by_customer and call.answer_clock is not None:
        title = pgettext("letter", "The customer calls you in")
        due = reader.moment(call.answer_clock.due_at)
        facts.append((_("Answer due"), due))
    elif call.commitment is not None:
        title = _clock_title(call)
        facts.append((_("Promise"), _clock_words(call.commitment, reader)))
        facts.append((_("Step"), _("%(percent)s%% of the time: %(whom)s") % _step(call)))
        if is_told_missed(call):
            until = words.until(
                next_message_by(call.commitment, _told_at(call.commitment, reader)), reader.zone, reader.now
            )
            facts.append((_("Promised to the customer"), _("the next message %(until)s") % {"until": until}))
    else:
        title = pgettext("letter", "Your attention is needed")
    if call.cause != Escalation.Cause.LADDER:
        facts.append((_("Why"), call.get_cause_display()))
    elif call.is_early:
        facts.append((_("Why"), _("before its time: nobody took the rung below")))
    if call.raised_by is not None:
        facts.append((_("Called by"), call.raised_by.full_name))
    if call.reason:
        facts.append((_("Reason"), call.why))
    if call.instead_of is not None:
        facts.append((_("You stand in for"), call.instead_of.full_name))
    if call.acknowledge_by is not None and call.state == Escalation.State.OPEN:
        facts.append((_("Say “I have it” by"), reader.moment(call.acknowledge_by)))
    facts.append((_("Works on it"), desk_letters.name_of(ticket.assignee)))
    waits = call.state == Escalation.State.OPEN
    button = (
        Link(_("I have it"), link("manage:escalation", call.pk)) if waits else desk_letters.at_the_desk(ticket, reader)
    )
    return Letter(
        title=title,
        heading=ticket.subject,
        state=desk_letters.state_told(ticket),
        facts=facts,
        button=button,
        links=[desk_letters.at_the_desk(ticket, reader)] if waits else [],
        why=desk_letters.no_replies(),
    )


def _step(call: Escalation) -> dict[str, object]:
    return {"percent": call.percent, "whom": call.get_whom_display()}


def _clock_title(call: Escalation) -> str:
    assert call.commitment is not None
    kind = words.promise(call.commitment.kind)
    if call.is_early:
        return pgettext("letter", "%(promise)s: nobody has taken the warning") % {"promise": kind}
    if (call.percent or 0) >= MISSED:
        return pgettext("letter", "%(promise)s is overdue") % {"promise": kind}
    return pgettext("letter", "%(promise)s: %(percent)s%% of the time is used") % {
        "promise": kind,
        "percent": call.percent,
    }


def _clock_words(clock: Commitment, reader: Reader) -> str:
    due = reader.moment(clock.due_at)
    return _("%(promise)s within %(target)s, due %(moment)s") % {
        "promise": words.promise(clock.kind),
        "target": words.target_long(clock.amount, clock.unit),
        "moment": due,
    }
