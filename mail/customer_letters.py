"""What a customer reads of their request: a function for each occasion (direction §16, §17).

Reads rows, writes nothing. Words are in the reader's language and time zone, say who does what by when, and never hold
an internal note or an address of a person of ours.
"""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from mail.audiences import moved_by_calendar
from mail.letters import Hint, Letter, Link, Reader, Said, link
from mail.promises_told import counted, promised, running
from sla import words
from tickets import letter_links
from tickets.event_words import unreached
from tickets.models import Event, Message, State, Ticket

QUOTED_LINES = 3  # of what a letter answers: none and all both confuse (direction §17)


def received(event: Event, reader: Reader) -> Letter:
    ticket = event.ticket
    lead = [_("We have your request. We count the time from %(moment)s.") % {"moment": reader.moment(ticket.opened_at)}]
    if event.details.get("split_off"):
        lead.append(
            _("You asked it in request № %(number)s; it is a request of its own now, with times of its own.")
            % {"number": event.details["split_off"]}
        )
    if ticket.follows is not None:
        lead.append(_("It goes on from request № %(number)s, which is closed.") % {"number": ticket.follows.number})
    hints = []
    if ticket.channel_id == "email":
        hints.append(
            Hint(
                _(
                    "The request came by mail, so nobody asked how the work suffers. If the system does not work, or "
                    "main functions cannot be performed, tell us in the request: the time is then counted anew from "
                    "the receipt."
                )
            )
        )
    return _to_customer(
        event, reader, pgettext("letter", "Request received"), lead=lead, hints=hints, promises=promised(event, reader)
    )


def confirmed(event: Event, reader: Reader) -> Letter:
    """The colleague whose letter waited hears that the contact confirmed it, and which request it is now (§1.7.1)."""
    ticket = event.ticket
    number = {"name": event.by.full_name if event.by else "—", "number": ticket.number}
    said = (
        _("%(name)s confirmed your letter: it is request № %(number)s now.")
        if event.verb == "opened"
        else _("%(name)s confirmed your letter: it is an answer in request № %(number)s now.")
    )
    return Letter(
        title=pgettext("letter", "Your letter is confirmed"),
        heading=ticket.subject,
        state=state_told(ticket),
        lead=[said % number, _("You can read the request; our answers go to the responsible contact.")],
        button=open_request(ticket),
        why=_("You get this letter because you wrote to support."),
    )


def answered(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event, reader, pgettext("letter", "Answer"), said=said_in(event, reader), answers=_answers(event, reader)
    )


def asked(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event,
        reader,
        pgettext("letter", "We need your answer"),
        said=said_in(event, reader),
        answers=_answers(event, reader),
        hints=[to_management(event.ticket)],
    )


def restored(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event,
        reader,
        pgettext("letter", "Service is back"),
        lead=[_("There is a way to work until the cause is removed. The request stays open, with a time of its own.")],
        said=said_in(event, reader),
        hints=[
            Hint(
                _("If it still does not work, say so in the request: the earlier time goes on."),
                open_request(event.ticket),
            )
        ],
    )


def classified(event: Event, reader: Reader) -> Letter:
    ticket = event.ticket
    lead = []
    if event.details.get("from") != event.details.get("to"):
        lead.append(
            _("We classified the request anew: “%(impact)s”. The times are counted anew from the receipt.")
            % {"impact": ticket.get_priority_display()}
        )
    if "kind_to" in event.details:
        lead.append(_("We treat the request as: %(kind)s.") % {"kind": ticket.get_kind_display()})
    return _to_customer(event, reader, pgettext("letter", "Other times"), lead=lead, facts=counted(ticket, reader))


def terms_changed(event: Event, reader: Reader) -> Letter:
    """The old and the new date of every promise that other terms of the package moved (domain §4)."""
    facts = []
    for one in event.details["promises"]:
        old, new = (
            reader.moment(datetime.fromisoformat(one[side]), "date") if one[side] else _("no deadline")
            for side in ("from", "to")
        )
        if old != new:
            change = _("was: %(old)s; now: %(new)s") % {"old": old, "new": new}
            facts.append((words.promise(one["kind"]), change))
    lead = [_("The terms of your package were changed, and the times of this request are counted by the new ones.")]
    if any(one["missed"] for one in event.details["promises"]):
        lead.append(_("By the new terms a time that we promised has passed already: it counts as missed."))
    facts.append((_("Reason"), event.details["reason"]))
    return _to_customer(event, reader, pgettext("letter", "Term changed"), lead=lead, facts=facts)


def calendar_changed(event: Event, reader: Reader) -> Letter:
    """The old and the new date of every promise to the customer that another calendar moved (domain §4.1)."""
    facts = []
    for one in moved_by_calendar(event):
        old, new = (reader.moment(datetime.fromisoformat(one[side]), "date") for side in ("from", "to"))
        facts.append((words.promise(one["kind"]), _("was: %(old)s; now: %(new)s") % {"old": old, "new": new}))
    lead = [
        _("The calendar of the service hours was changed, and the times of this request are counted by the new one.")
    ]
    if any(one["missed"] for one in moved_by_calendar(event)):
        lead.append(_("By the new hours a time that we promised has passed already: it counts as missed."))
    facts.append((_("Reason"), event.details["reason"]))
    return _to_customer(event, reader, pgettext("letter", "Term changed"), lead=lead, facts=facts)


def solved(event: Event, reader: Reader) -> Letter:
    ticket = event.ticket
    hints = [Hint(_("If it is not solved, answer this letter: the request opens again."))]
    if ticket.closes_at is not None and ticket.state == State.RESOLVED:
        by = words.until(ticket.closes_at, reader.zone, reader.now)
        hints.append(Hint(_("If we hear nothing %(until)s, the request closes by itself.") % {"until": by}))
    return _to_customer(
        event,
        reader,
        pgettext("letter", "Solved"),
        said=said_in(event, reader),
        answers=_answers(event, reader),
        button=Link(_("Rate the work, 1 to 5"), _rating(ticket, reader)),
        links=[open_request(ticket)],
        hints=hints,
    )


def _rating(ticket: Ticket, reader: Reader) -> str:
    """The address that rates without a sign-in; for a reader whom we do not know, the page behind one."""
    if reader.person is None:
        return link("portal:rate", ticket.number)
    return settings.SITE_URL + letter_links.rating_address(ticket, reader.person)


def fix_is_out(event: Event, reader: Reader) -> Letter:
    """The release that fixes the defect of this request is published (domain §3.3).

    Who stands in its register is led to it. The others read why it is not there for them and how to get there: their
    pages do not show it, so no letter says that they do.
    """
    release = {"release": event.details.get("release", "")}
    out = _("The defect behind this request is fixed in %(release)s, which is published now.") % release
    title = pgettext("letter", "The defect is fixed")
    publication = event.details.get("publication")
    if publication is None or event.details.get("beyond"):
        return _to_customer(event, reader, title, lead=[out, *unreached(event.details)])
    return _to_customer(
        event,
        reader,
        title,
        lead=[out],
        button=Link(_("Read and download"), link("releases:release", publication)),
        links=[open_request(event.ticket)],
    )


def declined(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event,
        reader,
        pgettext("letter", "Outside support"),
        lead=[_("We do not take this request into work, and this is why:")],
        said=said_in(event, reader),
        hints=[Hint(_("If you do not agree, answer this letter and say why: the request goes back into work."))],
    )


def merged(event: Event, reader: Reader) -> Letter:
    """Two requests about one thing are one now: where the conversation goes on, and by when (domain §4.4)."""
    told = {"number": event.details["number"], "into": event.ticket.number}
    return _to_customer(
        event,
        reader,
        pgettext("letter", "Two requests became one"),
        lead=[
            _(
                "Your requests № %(number)s and № %(into)s are about one thing, so we have merged them. Everything "
                "that was written in № %(number)s is in № %(into)s now, and the work goes on there. No promise is "
                "lost: the earlier of the promised times holds."
            )
            % told,
            _("You can answer letters of either number: your words come to № %(into)s.") % told,
        ],
        button=open_request(event.ticket),
    )


def closed_silent(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event,
        reader,
        pgettext("letter", "Closed"),
        lead=[_("We heard nothing for five working days after the solution, so the request is closed.")],
        hints=[Hint(_("If it comes back, answer this letter: a new request goes on from this one."))],
    )


def reopened_by_us(event: Event, reader: Reader) -> Letter:
    return _to_customer(event, reader, pgettext("letter", "Open again"), said=said_in(event, reader))


def escalation_answered(event: Event, reader: Reader) -> Letter:
    return _to_customer(event, reader, pgettext("letter", "Answer of the management"), said=said_in(event, reader))


def _to_customer(
    event: Event,
    reader: Reader,
    title: str,
    *,
    lead: list[str] | None = None,
    said: Said | None = None,
    answers: Said | None = None,
    promises: list[tuple[str, str]] | None = None,
    button: Link | None = None,
    links: list[Link] | None = None,
    hints: list[Hint] | None = None,
    facts: list[tuple[str, str]] | None = None,
) -> Letter:
    ticket = event.ticket
    return Letter(
        title=title,
        heading=ticket.subject,
        state=state_told(ticket),
        facts=facts or [],
        promises=running(ticket, reader) if promises is None else promises,
        lead=lead or [],
        said=said,
        answers=answers,
        button=button or Link(_("Answer in the portal"), link("portal:ticket", ticket.number)),
        links=links or [],
        hints=hints or [],
        why=why_told(ticket),
        may_reply=True,
    )


def said_in(event: Event, reader: Reader) -> Said | None:
    """The words of the event, if they were said in public."""
    message = event.message
    if message is None or message.kind != Message.Kind.PUBLIC:
        return None
    files = ", ".join(attachment.name for attachment in message.attachments.all())
    return Said(
        message.author.full_name,
        str(message.author.get_role_display()) if message.by_vendor else "",
        reader.moment(message.created_at),
        message.body,
        files,
    )


def _answers(event: Event, reader: Reader) -> Said | None:
    """The customer's last words before this answer, three lines of them."""
    if event.message is None:
        return None
    before = event.ticket.messages.filter(kind=Message.Kind.PUBLIC, by_vendor=False, pk__lt=event.message.pk)
    message = before.order_by("-pk").first()
    if message is None:
        return None
    lines = [" ".join(line.split()) for line in message.body.splitlines() if line.strip()]
    text = "\n".join(line if len(line) <= 160 else line[:159].rstrip() + "…" for line in lines[:QUOTED_LINES])
    if len(lines) > QUOTED_LINES:
        text += " …"
    name = "" if message.author == reader.person else message.author.full_name  # "" is "you"
    return Said(name, "", reader.moment(message.created_at), text)


def state_told(ticket: Ticket) -> str:
    """Where it stands, in words for the customer: never our names of states (direction §16)."""
    stands = {
        State.NEW: pgettext("to the customer", "received"),
        State.IN_PROGRESS: pgettext("to the customer", "in work"),
        State.AWAITING_CUSTOMER: pgettext("to the customer", "waiting for your answer"),
        State.RESOLVED: pgettext("to the customer", "solved"),
        State.CLOSED: pgettext("to the customer", "closed"),
        State.DECLINED: pgettext("to the customer", "outside support"),
    }
    return f"№ {ticket.number}, {stands[State(ticket.state)]}"


def why_told(ticket: Ticket) -> str:
    return _("You get this letter as the responsible contact of %(company)s.") % {"company": ticket.customer.name}


def to_management(ticket: Ticket) -> Hint:
    return Hint(
        _("If you are not content with the course of the work:"),
        Link(_("pass the question to the management"), link("portal:escalate", ticket.number)),
    )


def open_request(ticket: Ticket) -> Link:
    return Link(_("Open the request"), link("portal:ticket", ticket.number))
