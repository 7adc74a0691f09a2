"""Letters about individually agreed deadlines: the other side is asked, both hear what came of it (domain §4.2).

Who is asked signs from the letter: its one button leads to a signed page for this person and this proposal, without a
sign-in, where the deadline is agreed or refused (tickets/letter_links.py). An answer to the letter is only words in the
request: anybody can write a sender's name. Agreements and refusals go to both sides, also to who signed: their copy.
"""

from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Role, User
from mail import customer_letters, desk_letters, event_letters
from mail.audiences import contact, worker
from mail.letters import Audience, Draft, Letter, Link, Reader, Wording, link
from sla.models import DeadlineProposal
from tickets import letter_links
from tickets.models import Event
from tickets.workflow.gates import PASSED

# Who


def signatories(event: Event, now: datetime) -> list[User]:
    """Who signs for us: the leads of the ticket's line and the customer's CSM; without them the support managers."""
    ticket = event.ticket
    leads = User.objects.filter(role=Role.LINE_LEAD, lines=ticket.line_id, is_active=True).order_by("pk")
    csm = ticket.customer.csm
    people = [*leads, *([csm] if csm is not None and csm.is_active else [])]
    return people or list(User.objects.filter(role=Role.SUPPORT_MANAGER, is_active=True).order_by("pk"))


def other_side(event: Event, now: datetime) -> list[User]:
    """Whose answer is asked, or no longer asked."""
    return contact(event, now) if event.details["side"] == "vendor" else signatories(event, now)


def still_asked(event: Event, now: datetime) -> list[User]:
    """The other side, while the proposal waits; what is answered or over by now asks nobody."""
    proposal = DeadlineProposal.objects.filter(pk=event.details["proposal"], state=DeadlineProposal.State.OPEN)
    return other_side(event, now) if proposal.exists() else []


def both_sides(event: Event, now: datetime) -> list[User]:
    """The contact; and of ours who signed, else who would, and who works on it."""
    proposal = DeadlineProposal.objects.select_related("proposed_by", "answered_by").get(pk=event.details["proposal"])
    signed = [proposal.proposed_by, proposal.answered_by]
    ours = [one for one in signed if one is not None and one.is_vendor and one.is_active]
    return list(dict.fromkeys([*contact(event, now), *(ours or signatories(event, now)), *worker(event, now)]))


def both_where_nobody_answered(event: Event, now: datetime) -> list[User]:
    """Both sides, where the moment passed; what lapsed with its promise, other letters tell."""
    return both_sides(event, now) if event.details["why"] == PASSED else []


# In what words


def proposed(event: Event, reader: Reader) -> Letter:
    lead = [_("Nothing changes without your yes. Until then the deadline stays as it is.")]
    title = (
        pgettext("letter", "The customer proposes another deadline")
        if event.details["side"] == "customer"
        else pgettext("letter", "We propose another deadline: your word is needed")
    )
    assert reader.person is not None
    answer = settings.SITE_URL + letter_links.deadline_address(event.details["proposal"], reader.person)
    return _letter(event, reader, title, lead=lead, button=Link(_("Agree or refuse"), answer))


def agreed(event: Event, reader: Reader) -> Letter:
    lead = [_("Both sides have agreed on the deadline for the solution.")]
    if event.details.get("missed"):
        lead.append(_("The deadline before it had been missed: that stays on the record."))
    return _letter(event, reader, pgettext("letter", "Another deadline is agreed"), lead=lead)


def refused(event: Event, reader: Reader) -> Letter:
    lead = [_("The proposed deadline is refused: the deadline stays as it was.")]
    return _letter(event, reader, pgettext("letter", "The proposed deadline is refused"), lead=lead)


def withdrawn(event: Event, reader: Reader) -> Letter:
    lead = [_("Your answer is not needed any more: the deadline stays as it was.")]
    return _letter(event, reader, pgettext("letter", "The proposed deadline is withdrawn"), lead=lead)


def lapsed(event: Event, reader: Reader) -> Letter:
    lead = [_("Nobody answered before the proposed moment: the deadline stays as it was.")]
    return _letter(event, reader, pgettext("letter", "The proposed deadline has lapsed"), lead=lead)


def _letter(event: Event, reader: Reader, title: str, *, lead: list[str], button: Link | None = None) -> Letter:
    ticket, is_ours = event.ticket, reader.person is not None and reader.person.is_vendor
    works_there = reader.person is not None and reader.person.works_at_desk
    name = "portal:ticket" if not is_ours else "desk:ticket" if works_there else "manage:ticket"
    page = Link(_("Open the request"), link(name, ticket.number))
    return Letter(
        title=title,
        heading=ticket.subject,
        state=desk_letters.state_told(ticket) if is_ours else customer_letters.state_told(ticket),
        lead=lead,
        facts=_facts(event, reader),
        button=button or page,
        links=[page] if button else [],
        why=desk_letters.no_replies() if is_ours else customer_letters.why_told(ticket),
        may_reply=not is_ours,
    )


def _facts(event: Event, reader: Reader) -> list[tuple[str, str]]:
    """Both deadlines, both names with their moments, and what was said."""
    told = event.details

    def moment(written: str) -> str:
        return reader.moment(datetime.fromisoformat(written), "date")

    def signed(side: str) -> str:
        return f"{told[f'{side}_by']}, {moment(told[f'{side}_at'])}"

    agreed = event.verb == "deadline_agreed"
    facts = [
        (_("Agreed deadline") if agreed else _("Proposed deadline"), moment(told["to"])),
        (_("Deadline before") if agreed else _("The deadline now"), moment(told["from"])),
        (_("Proposed by"), signed("proposed")),
    ]
    if "reason" in told:
        facts.append((_("Why"), told["reason"]))
    if event.verb in {"deadline_agreed", "deadline_refused"}:
        facts.append((_("Accepted by") if agreed else _("Refused by"), signed("answered")))
    if "words" in told:
        facts.append((_("Why not"), told["words"]))
    return facts


# The table

WHO_IS_TOLD: dict[str, tuple[Audience, Wording]] = {
    "deadline_proposed": (still_asked, proposed),
    "deadline_agreed": (both_sides, agreed),
    "deadline_refused": (both_sides, refused),
    "deadline_withdrawn": (other_side, withdrawn),
    "deadline_lapsed": (both_where_nobody_answered, lapsed),
}


def of_event(event: Event, now: datetime) -> list[Draft]:
    """The letters about an event of a ticket: about a deadline by this table, all others by `event_letters`."""
    if event.verb not in WHO_IS_TOLD:
        return event_letters.of_event(event, now)
    audience, wording = WHO_IS_TOLD[event.verb]
    return event_letters.drafts_of(event, audience, wording, now)
