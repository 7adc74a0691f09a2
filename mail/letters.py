"""Who is told of what, and with what words (direction §16, §17). Reads rows, writes nothing.

The table `WHO_IS_TOLD` names every event of `tickets/workflow/`; escalations and missed promises have a function each,
held requests and changes of the contact a file each (`held_letters.py`, `contact_letters.py`). Words are in the
reader's language and time zone, say who does what by when, and never hold an internal note or an address of a person
of ours.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Role, User
from contracts.models import PromiseKind
from contracts.terms import WORKING_DAY
from mail import choices
from mail.models import OutgoingLetter
from sla import words
from sla.clocks import CALL_LOGGED, CUSTOMER_PROMISES, promises_of
from sla.explain import explain
from sla.models import Commitment, Escalation, Whom
from tickets import rating_link
from tickets.models import Event, HandOver, Message, State, Ticket
from tickets.timeline import why_assigned

NEXT_MESSAGE_WITHIN = {True: timedelta(hours=1), False: timedelta(hours=4)}  # priority 1 or not (domain §4.4)
QUOTED_LINES = 3  # of what a letter answers: none and all both confuse (direction §17)
MISSED = 100  # percent: from this rung on the deadline has passed

CALLED_WHEN_MISSED = (Whom.CSM, Whom.SUPPORT_MANAGER, Whom.TOP_MANAGEMENT)

# Written by a person in this very moment; everything else says that a machine generated it (RFC 3834).
BY_A_PERSON = frozenset({"replied", "asked_customer"})


class Reader(NamedTuple):
    """Whom a letter is for: their address, language and zone; `now` is when it is written. None: nobody we know."""

    person: User | None
    address: str
    language: str
    zone: ZoneInfo
    now: datetime

    def moment(self, at: datetime, style: str = "full") -> str:
        return words.both_zones(at, self.zone, self.now, style)


class Said(NamedTuple):
    """Somebody's words: who, what they are, when, and the text as written."""

    name: str
    role: str
    at: str
    text: str
    files: str = ""


class Link(NamedTuple):
    label: str
    url: str


class Hint(NamedTuple):
    """A quiet sentence at the foot, and the link that stands at its end."""

    sentence: str
    link: Link | None = None


@dataclass(frozen=True)
class Letter:
    """What a letter says, before it is laid out by `templates/emails/letter.txt` and `.html`."""

    title: str  # of the subject line: what happened, or what is asked of the reader
    heading: str
    state: str = ""
    promises: list[tuple[str, str]] = field(default_factory=list)  # a sentence, and what it means
    lead: list[str] = field(default_factory=list)
    said: Said | None = None
    facts: list[tuple[str, str]] = field(default_factory=list)
    answers: Said | None = None  # the customer's words that this answers, cut short; no name: the reader's own
    button: Link | None = None
    links: list[Link] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)
    why: str = ""
    may_reply: bool = False

    @property
    def preview(self) -> str:
        """What a list of letters shows beside the subject: first words and the deadline."""
        first = [self.said.text] if self.said and self.said.text else self.lead
        promised = [sentence for sentence, _meaning in self.promises]
        return " ".join(" ".join([*first[:1], *promised[:1]]).split())[:160]


@dataclass(frozen=True)
class Draft:
    """A letter to one reader about one occasion ("event:17"); the two together make it unique."""

    occasion: str
    reader: Reader
    letter: Letter
    ticket: Ticket | None = None
    kind: str = ""  # of `LetterKind`, where the reader may choose; "" always comes


Audience = Callable[[Event, datetime], list[User]]
Wording = Callable[[Event, Reader], Letter]


# Who


def contact(event: Event, now: datetime) -> list[User]:
    """The customer's responsible contact as of now: open requests follow a new contact (domain §2)."""
    return _active([event.ticket.customer.contact_at(now)])


def contact_of_ours(event: Event, now: datetime) -> list[User]:
    """The contact, told of what we did; they are not told of what they did themselves."""
    return contact(event, now) if event.by is None or event.by.is_vendor else []


def colleague(event: Event, now: datetime) -> list[User]:
    """Who wrote the words that the contact confirmed: they hear what became of their letter (domain §1.7.1)."""
    author = event.message.author if event.message is not None and not event.details.get("split_off") else None
    return [] if author is None or author.is_vendor or author == event.by else _active([author])


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
    return [person for person in _active([event.ticket.assignee or event.ticket.owner]) if person != event.by]


def receiving_line(event: Event, now: datetime) -> list[User]:
    """Everybody of the line that a hand-over is for: whoever is free accepts it, before its clock runs out (§3.3)."""
    return [person for person in people_of_line(event.ticket.line_id) if person != event.by]


def people_of_line(line: int) -> list[User]:
    people = User.objects.filter(lines=line, role__in=[Role.ENGINEER, Role.LINE_LEAD], is_active=True)
    return list(people.order_by("pk"))


def called_in(escalation: Escalation) -> list[User]:
    """The person of the rung; where it names none, everybody of the line, or of the role (domain §4.4)."""
    if escalation.person is not None:
        return _active([escalation.person])
    if escalation.whom in {Whom.LINE_QUEUE, Whom.ASSIGNEE}:
        return people_of_line(escalation.ticket.line_id)
    return list(User.objects.filter(role=escalation.whom, is_active=True).order_by("pk"))


def _active(people: list[User | None]) -> list[User]:
    return [person for person in people if person is not None and person.is_active]


# What a customer reads


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
        event, reader, pgettext("letter", "Request received"), lead=lead, hints=hints, promises=_promised(event, reader)
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
        state=_state(ticket),
        lead=[said % number, _("You can read the request; our answers go to the responsible contact.")],
        button=_open(ticket),
        why=_("You get this letter because you wrote to support."),
    )


def answered(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event, reader, pgettext("letter", "Answer"), said=_said(event, reader), answers=_answers(event, reader)
    )


def asked(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event,
        reader,
        pgettext("letter", "We need your answer"),
        said=_said(event, reader),
        answers=_answers(event, reader),
        hints=[_to_management(event.ticket)],
    )


def restored(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event,
        reader,
        pgettext("letter", "Service is back"),
        lead=[_("There is a way to work until the cause is removed. The request stays open, with a time of its own.")],
        said=_said(event, reader),
        hints=[
            Hint(_("If it still does not work, say so in the request: the earlier time goes on."), _open(event.ticket))
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
    return _to_customer(event, reader, pgettext("letter", "Other times"), lead=lead, facts=_counted(ticket, reader))


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
        said=_said(event, reader),
        answers=_answers(event, reader),
        button=Link(_("Rate the work, 1 to 5"), _rating(ticket, reader)),
        links=[_open(ticket)],
        hints=hints,
    )


def _rating(ticket: Ticket, reader: Reader) -> str:
    """The address that rates without a sign-in; for a reader whom we do not know, the page behind one."""
    if reader.person is None:
        return link("portal:rate", ticket.number)
    return settings.SITE_URL + rating_link.address(ticket, reader.person)


def fix_is_out(event: Event, reader: Reader) -> Letter:
    """The release that fixes the defect of this request is published (domain §3.3)."""
    release = {"release": event.details.get("release", "")}
    return _to_customer(
        event,
        reader,
        pgettext("letter", "The defect is fixed"),
        lead=[_("The defect behind this request is fixed in %(release)s, which is published now.") % release],
        button=Link(_("Releases for your company"), link("releases:releases")),
        links=[_open(event.ticket)],
    )


def declined(event: Event, reader: Reader) -> Letter:
    return _to_customer(
        event,
        reader,
        pgettext("letter", "Outside support"),
        lead=[_("We do not take this request into work, and this is why:")],
        said=_said(event, reader),
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
        button=_open(event.ticket),
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
    return _to_customer(event, reader, pgettext("letter", "Open again"), said=_said(event, reader))


def escalation_answered(event: Event, reader: Reader) -> Letter:
    return _to_customer(event, reader, pgettext("letter", "Answer of the management"), said=_said(event, reader))


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
    sentences.append(" ".join([_("Next message from us %(until)s.") % until, *_moscow_beside(following, reader)]))
    return Letter(
        title=pgettext("letter", "Not in time"),
        heading=ticket.subject,
        state=_state(ticket),
        lead=sentences,
        button=_open(ticket),
        hints=[_to_management(ticket)],
        why=_why(ticket),
        may_reply=True,
    )


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
        state=_state(ticket),
        facts=facts or [],
        promises=_running(ticket, reader) if promises is None else promises,
        lead=lead or [],
        said=said,
        answers=answers,
        button=button or Link(_("Answer in the portal"), link("portal:ticket", ticket.number)),
        links=links or [],
        hints=hints or [],
        why=_why(ticket),
        may_reply=True,
    )


def _state(ticket: Ticket) -> str:
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


def _why(ticket: Ticket) -> str:
    return _("You get this letter as the responsible contact of %(company)s.") % {"company": ticket.customer.name}


def _to_management(ticket: Ticket) -> Hint:
    return Hint(
        _("If you are not content with the course of the work:"),
        Link(_("pass the question to the management"), link("portal:escalate", ticket.number)),
    )


def _open(ticket: Ticket) -> Link:
    return Link(_("Open the request"), link("portal:ticket", ticket.number))


def _promised(event: Event, reader: Reader) -> list[tuple[str, str]]:
    """What was promised at the receipt, whatever has become of it since; no answer to whom we spoke with then."""
    clocks = event.ticket.commitments.filter(kind__in=CUSTOMER_PROMISES, started_at=event.ticket.opened_at)
    clocks = clocks.exclude(why=CALL_LOGGED)
    first: dict[str, Commitment] = {}
    for clock in clocks.select_related("calendar_version").order_by("pk"):
        first.setdefault(clock.kind, clock)
    return [_promise(clock, reader) for clock in sorted(first.values(), key=lambda clock: clock.due_at)]


def _running(ticket: Ticket, reader: Reader) -> list[tuple[str, str]]:
    clocks = Commitment.objects.running().filter(ticket=ticket, kind__in=CUSTOMER_PROMISES, ending="")
    return [
        _promise(clock, reader)
        for clock in clocks.select_related("calendar_version").order_by("due_at", "pk")
        if clock.paused_at is not None or clock.due_at > reader.now
    ]


def _counted(ticket: Ticket, reader: Reader) -> list[tuple[str, str]]:
    """How the deadlines that run were counted: the promise, and the way to its deadline (domain §4.3)."""
    clocks = Commitment.objects.running().filter(ticket=ticket, kind__in=CUSTOMER_PROMISES, ending="")
    rows = clocks.select_related("ticket", "terms__package", "clause", "calendar_version__calendar")
    found = [explain(row, zone=reader.zone, now=reader.now) for row in rows.order_by("due_at", "pk")]
    return [(one.title, " ".join(step.words for step in one.steps)) for one in found]


def _promise(clock: Commitment, reader: Reader) -> tuple[str, str]:
    if clock.paused_at is not None:
        return _("The time to solve it stands"), _("It goes on when you answer.")
    by = words.until(clock.due_at, reader.zone, reader.now)
    if clock.kind == PromiseKind.REACTION:
        sentence = _("We answer %(until)s") % {"until": by}
    else:
        sentence = _("We solve it %(until)s") % {"until": by}
    meaning = _moscow_beside(clock.due_at, reader)
    if clock.due_at > reader.now:
        left = clock.calendar.between(reader.now, clock.due_at)
        day = None if clock.calendar_version.is_round_the_clock else WORKING_DAY
        meaning.append(_("%(span)s of service time left.") % {"span": words.span_long(left, day)})
    return sentence, " ".join(meaning)


def _moscow_beside(at: datetime, reader: Reader) -> list[str]:
    """The same moment by Moscow's clock, where the reader's shows another (direction §15)."""
    there, moscow = at.astimezone(reader.zone), at.astimezone(words.MOSCOW)
    if there.utcoffset() == moscow.utcoffset():
        return []
    style = "time" if there.date() == moscow.date() else "short"
    return [_("%(moment)s Moscow time.") % {"moment": words.moment(at, words.MOSCOW, reader.now, style)}]


def _said(event: Event, reader: Reader) -> Said | None:
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


# What our people read


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
    lead = [_("Assigned by: %(name)s.") % {"name": _name(event.by)}] if event.by else []
    if why := why_assigned(event):
        lead.append(_("Why you: %(reasons)s.") % {"reasons": why})
    return _to_staff(
        event,
        reader,
        pgettext("letter", "Assigned to you"),
        lead=lead,
        promises=_running(event.ticket, reader),
    )


def handed_over(event: Event, reader: Reader) -> Letter:
    passed = _hand_over(event)
    title = pgettext("letter", "Handed over to line %(line)s") % {"line": event.details["to"]}
    facts = []
    if passed is not None:
        facts = [(_("Known"), passed.known), (_("Tried"), passed.tried), (_("Asked"), passed.asked)]
    lead = [_("From line %(line)s, by: %(name)s.") % {"line": event.details["from"], "name": _name(event.by)}]
    return _to_staff(event, reader, title, lead=lead, facts=[fact for fact in facts if fact[1]])


def returned(event: Event, reader: Reader) -> Letter:
    title = pgettext("letter", "Returned by line %(line)s") % {"line": event.details["from"]}
    return _to_staff(event, reader, title, facts=[(_("Reason"), event.details["reason"])])


def _hand_over(event: Event) -> HandOver | None:
    passed = event.ticket.hand_overs.filter(at=event.at, to_line=event.details["to"])
    return passed.order_by("-pk").first()


def _name(person: User | None) -> str:
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
        state=_state_for_staff(ticket),
        promises=promises or [],
        lead=lead or [],
        said=_said(event, reader),
        facts=facts or [],
        button=_at_the_desk(ticket, reader),
        why=_no_replies(),
    )


def _state_for_staff(ticket: Ticket) -> str:
    return _("№ %(number)s, priority %(priority)s, line %(line)s, %(state)s. %(company)s") % {
        "number": ticket.number,
        "priority": ticket.priority,
        "line": ticket.line_id,
        "state": ticket.get_state_display(),
        "company": ticket.customer.name,
    }


def state_for(ticket: Ticket, *, is_ours: bool) -> str:
    """Where the request stands, in the words of either side."""
    return _state_for_staff(ticket) if is_ours else _state(ticket)


def why_for(ticket: Ticket, *, is_ours: bool) -> str:
    """Why the letter came, and whether an answer to it is read."""
    return _no_replies() if is_ours else _why(ticket)


def _at_the_desk(ticket: Ticket, reader: Reader) -> Link:
    works_there = reader.person is not None and reader.person.works_at_desk
    return Link(_("Open the request"), link("desk:ticket" if works_there else "manage:ticket", ticket.number))


def _no_replies() -> str:
    return _("An answer to this letter reaches nobody: work on the request at the desk.")


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
        facts.append((_("Reason"), call.reason))
    if call.instead_of is not None:
        facts.append((_("You stand in for"), call.instead_of.full_name))
    if call.acknowledge_by is not None and call.state == Escalation.State.OPEN:
        facts.append((_("Say “I have it” by"), reader.moment(call.acknowledge_by)))
    facts.append((_("Works on it"), _name(ticket.assignee)))
    waits = call.state == Escalation.State.OPEN
    button = Link(_("I have it"), link("manage:escalation", call.pk)) if waits else _at_the_desk(ticket, reader)
    return Letter(
        title=title,
        heading=ticket.subject,
        state=_state_for_staff(ticket),
        facts=facts,
        button=button,
        links=[_at_the_desk(ticket, reader)] if waits else [],
        why=_no_replies(),
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


# The table

WHO_IS_TOLD: dict[str, tuple[tuple[Audience, Wording], ...]] = {
    # what happened         who is told         in what words
    "opened": ((contact, received), (colleague, confirmed)),
    "replied": ((contact_of_ours, answered),),
    "told": ((contact_of_ours, answered),),
    "asked_customer": ((contact_of_ours, asked),),
    "restored": ((contact_of_ours, restored),),
    "reclassified": ((contact_of_ours, classified),),
    "terms_applied": ((contact_whose_dates_move, terms_changed),),
    "calendar_applied": ((contact_whose_promises_move, calendar_changed),),
    "resolved": ((contact_of_ours, solved),),
    "defect_released": ((contact_of_ours, fix_is_out),),
    "declined": ((contact_of_ours, declined),),
    "closed_silent": ((contact_of_ours, closed_silent),),
    "merged_in": ((contact_of_ours, merged),),
    "reopened": ((worker, reopened), (contact_of_ours, reopened_by_us), (colleague, confirmed)),
    "customer_replied": ((worker, customer_wrote), (colleague, confirmed)),
    "contested": ((worker, contested), (colleague, confirmed)),
    "restore_contested": ((worker, restore_contested),),
    "withdrawn": ((worker, withdrawn),),
    "priority_proposed": ((worker, priority_asked),),
    "priority_set": ((worker, priority_asked),),
    "assigned": ((worker, assigned),),
    "handed_over": ((receiving_line, handed_over),),
    "returned": ((worker, returned),),
    # Both sides of an agreement: `deadline_letters.py` has the table.
    "deadline_proposed": (),
    "deadline_agreed": (),
    "deadline_refused": (),
    "deadline_withdrawn": (),
    "deadline_lapsed": (),
    # Nobody: they are on the pages, or an Escalation of its own tells whom they concern.
    "accepted": (),
    "assignment_undone": (),
    "noted": (),
    "stopped_waiting": (),
    "defect_attached": (),
    "major_declared": (),
    "major_linked": (),
    "major_left": (),
    "confirmed": (),
    "contact_changed": (),
    "escalated": (),
    "acknowledged": (),
    "escalation_answered": (),  # only the customer's own: see of_event
    "rated": (),
    "merged": (),  # told by the event of the request that remains
    "linked": (),
    "unlinked": (),
    "time_logged": (),
    "time_corrected": (),
}


def of_event(event: Event, now: datetime) -> list[Draft]:
    """The letters about an event; none for a verb that the table does not know."""
    told = WHO_IS_TOLD.get(event.verb, ())
    if event.verb == "escalation_answered" and event.message is not None:
        told = ((contact_of_ours, escalation_answered),)
    drafts = []
    for audience, wording in told:
        for person in audience(event, now):
            reader = reader_of(person, now)
            with translation.override(reader.language):
                kind = choices.kind_of(event.verb, person)
                drafts.append(Draft(f"event:{event.pk}", reader, wording(event, reader), event.ticket, kind))
    return drafts


def of_escalation(call: Escalation, now: datetime) -> list[Draft]:
    """Who is called in; and, once the deadline has passed, the customer hears that the promise was not kept.

    Nobody is called for an escalation that is closed by now: its clock has stopped (domain §4.4).
    """
    if call.state == Escalation.State.CLOSED:
        return []
    drafts = []
    for person in called_in(call):
        reader = reader_of(person, now)
        with translation.override(reader.language):
            drafts.append(Draft(f"escalation:{call.pk}", reader, escalation(call, reader), call.ticket))
    return drafts + of_missed(call, now)


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
    drafts = []
    for person in _active([call.ticket.customer.contact_at(now)]):
        reader = reader_of(person, now)
        with translation.override(reader.language):
            letter = missed_promise(commitment, reader)
            drafts.append(Draft(f"missed:{commitment.pk}", reader, letter, call.ticket))
    return drafts


def reader_of(person: User, now: datetime) -> Reader:
    return Reader(person, person.email, person.language, ZoneInfo(person.timezone), now)


def link(name: str, *arguments: object) -> str:
    """The whole address of one of our pages, for a letter."""
    return settings.SITE_URL + reverse(name, args=arguments)
