"""What our people read of a request: a function for each occasion (direction §17). Reads rows, writes nothing."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import User
from mail.customer_letters import said_in
from mail.letters import Letter, Link, Reader, link
from mail.promises_told import running
from tickets import event_words
from tickets.event_words import why_assigned
from tickets.models import Event, HandOver, MajorIncident, Ticket


def customer_wrote(event: Event, reader: Reader) -> Letter:
    return _to_staff(event, reader, pgettext("letter", "The customer wrote"))


def reopened(event: Event, reader: Reader) -> Letter:
    return _to_staff(event, reader, pgettext("letter", "Not solved, open again"))


def contested(event: Event, reader: Reader) -> Letter:
    return _to_staff(event, reader, pgettext("letter", "The customer contests the refusal"))


def restore_contested(event: Event, reader: Reader) -> Letter:
    return _to_staff(event, reader, pgettext("letter", "The customer says that service is not back"))


def withdrawn(event: Event, reader: Reader) -> Letter:
    return _to_staff(event, reader, pgettext("letter", "Withdrawn by the customer"))


def priority_asked(event: Event, reader: Reader) -> Letter:
    title = (
        pgettext("letter", "The customer set another priority")
        if event.verb == "priority_set"
        else pgettext("letter", "The customer asks for another priority")
    )
    change = _("Priority %(was)s → %(new)s") % {"was": event.details["from"], "new": event.details["to"]}
    return _to_staff(event, reader, title, lead=[change])


def assigned(event: Event, reader: Reader) -> Letter:
    lead = [_("Assigned by: %(name)s.") % {"name": name_of(event.by)}] if event.by else []
    if why := why_assigned(event.details, at=event.at):
        lead.append(_("Why you: %(reasons)s.") % {"reasons": why})
    return _to_staff(
        event,
        reader,
        pgettext("letter", "Assigned to you"),
        lead=lead,
        promises=running(event.ticket, reader),
    )


def handed_over(event: Event, reader: Reader) -> Letter:
    passed = _hand_over(event)
    title = pgettext("letter", "Handed over to line %(line)s") % {"line": event.details["to"]}
    facts = []
    if passed is not None:
        facts = [(_("Known"), passed.known), (_("Tried"), passed.tried), (_("Asked"), passed.asked)]
    lead = [_("From line %(line)s, by: %(name)s.") % {"line": event.details["from"], "name": name_of(event.by)}]
    return _to_staff(event, reader, title, lead=lead, facts=[fact for fact in facts if fact[1]])


def returned(event: Event, reader: Reader) -> Letter:
    title = pgettext("letter", "Returned by line %(line)s") % {"line": event.details["from"]}
    return _to_staff(event, reader, title, facts=[(_("Reason"), event.details["reason"])])


def escalated(event: Event, reader: Reader) -> Letter:
    whom = event_words.whom(event.details["whom"])
    title = pgettext("letter", "The customer called in: %(whom)s") % {"whom": whom}
    return _to_staff(event, reader, title, facts=[(_("Reason"), event.details["reason"])])


def call_answered(event: Event, reader: Reader) -> Letter:
    title = pgettext("letter", "Your escalation is answered")
    facts = [(_("Answered by"), name_of(event.by)), (_("Answer"), event.details.get("answer", ""))]
    return _to_staff(event, reader, title, facts=facts)


def coordinates(event: Event, reader: Reader) -> Letter:
    """The button leads to the incident: it is led there, and the head is one of its requests."""
    incident = MajorIncident.objects.get(pk=event.details["major"])
    return Letter(
        title=pgettext("letter", "You coordinate a major incident"),
        heading=incident.title,
        state=state_told(event.ticket),
        lead=[_("Named by: %(name)s.") % {"name": name_of(event.by)}],
        facts=[(_("Why it is a major incident"), incident.reason)],
        button=Link(_("Open the major incident"), link("desk:major_page", incident.pk)),
        links=[at_the_desk(event.ticket, reader)],
        why=no_replies(),
    )


def _hand_over(event: Event) -> HandOver | None:
    passed = event.ticket.hand_overs.filter(at=event.at, to_line=event.details["to"])
    return passed.order_by("-pk").first()


def name_of(person: User | None) -> str:
    return person.full_name if person else "—"


def _to_staff(
    event: Event,
    reader: Reader,
    title: str,
    *,
    lead: list[str] | None = None,
    facts: list[tuple[str, str]] | None = None,
    promises: list[tuple[str, str]] | None = None,
) -> Letter:
    ticket = event.ticket
    return Letter(
        title=title,
        heading=ticket.subject,
        state=state_told(ticket),
        promises=promises or [],
        lead=lead or [],
        said=said_in(event, reader),
        facts=facts or [],
        button=at_the_desk(ticket, reader),
        why=no_replies(),
    )


def state_told(ticket: Ticket) -> str:
    return _("№ %(number)s, priority %(priority)s, line %(line)s, %(state)s. %(company)s") % {
        "number": ticket.number,
        "priority": ticket.priority,
        "line": ticket.line_id,
        "state": ticket.get_state_display(),
        "company": ticket.customer.name,
    }


def at_the_desk(ticket: Ticket, reader: Reader) -> Link:
    works_there = reader.person is not None and reader.person.works_at_desk
    return Link(_("Open the request"), link("desk:ticket" if works_there else "manage:ticket", ticket.number))


def no_replies() -> str:
    return _("An answer to this letter reaches nobody: work on the request at the desk.")
