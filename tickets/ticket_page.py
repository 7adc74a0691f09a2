"""What the page of a ticket shows the desk, part by part, of rows that are at hand (tickets/around.py).

Each part is one body of knowledge: the promises, the conversation, who was called in, what may be done, the customer's
side. Nothing here asks the database, but for a macro that an address names and for whom a lead may assign.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.addresses import address
from accounts.models import Choosing, Line, User
from accounts.refusals import Refused
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import PromiseKind
from sla import words
from sla.explain import explanations_of
from sla.forecast import Forecast
from sla.models import Escalation
from sla.words import MOSCOW
from tickets import (
    deadline_page,
    macros,
    major_page,
    moves,
    reading,
    relations_page,
    timeline,
    workflow,
)
from tickets.around import HISTORY, Around
from tickets.blank_forms import Blank, blank, blank_composer
from tickets.forecasting import shown
from tickets.forms import deadlines as deadline_forms
from tickets.forms import desk as forms
from tickets.models import Defect, HandOver, Macro, Message, Ticket
from tickets.next_engineer import who_is_next


@dataclass(frozen=True)
class Sent:
    """A form that was sent and not accepted: shown again as it was, with what is wrong."""

    name: str
    form: Any
    refusal: Refused | None = None
    as_of: int | None = None  # the last event that its person saw
    seen: str = ""  # the last message that they saw, as it was sent

    @property
    def seen_upto(self) -> int | None:
        """The last event that the person has seen when the form stands before them again."""
        return self.refusal.as_of if isinstance(self.refusal, workflow.ChangedMeanwhile) else self.as_of


def ticket_context(
    user: User,
    found: Ticket,
    around: Around,
    now: datetime,
    foreseen: Mapping[int, Forecast],
    sent: Sent | None = None,
    macro: Macro | None = None,
    lines: Collection[int] = (),
) -> dict[str, Any]:
    """What `desk/_ticket.html` shows. `lines` are the reader's own."""
    waiting = next(
        (row for row in reversed(around.hand_overs) if row.accepted_at is None and row.returned_at is None), None
    )
    own = [event for event in around.events if event.ticket_id == found.pk]
    return {
        "ticket": found,
        "sent": sent,
        "route": timeline.route(found, around.lines, around.hand_overs, own),
        "relations": relations_page.tied(
            found,
            user,
            links=around.links,
            merged=around.merged,
            follow_ups=around.follow_ups,
            time=around.time,
        ),
        **_promises(found, around, now, foreseen),
        **_thread(found, user, around, waiting),
        **_calls(user, around),
        **_moves(found, user, around, now, sent, waiting, lines),
        **_customer(found, around, now),
        "composer": composer(found, sent, around, macro=macro, user=user, now=now) if _may_say(found, user) else None,
        "composer_sent": sent is not None and sent.name == "messages",
        "composing": around.composing,
    }


def _promises(found: Ticket, around: Around, now: datetime, foreseen: Mapping[int, Forecast]) -> dict[str, Any]:
    """The lanes of the promises with their forecasts, the lines' own clocks, and how each time was counted.

    A promise that came along with a merged request says whose it was.
    """
    came = {
        one.get("clock"): event.details["number"]
        for event in around.events
        if event.verb == "merged_in" and event.ticket_id == found.pk
        for one in event.details.get("promises", ())
    }
    promises = [clock for clock in found.clocks if clock.kind in {PromiseKind.REACTION, PromiseKind.RESOLUTION}]
    return {
        "promises": [
            (clock, shown(foreseen.get(clock.pk), now), came.get(clock.pk))
            for clock in sorted(promises, key=lambda clock: (clock.kind != PromiseKind.REACTION, clock.started_at))
        ],
        "own_clocks": [clock for clock in found.clocks if clock not in promises and clock.is_running],
        "explanations": explanations_of(around.promises, zone=MOSCOW, now=now, for_customer=False),
        "no_resolution": found.is_open and not any(clock.kind == PromiseKind.RESOLUTION for clock in promises),
    }


def _thread(found: Ticket, user: User, around: Around, waiting: HandOver | None) -> dict[str, Any]:
    """The conversation with the cards of hand-overs and what happened between, and how far it was read."""
    upto = around.composing.read_upto
    return {
        "conversation": timeline.conversation(
            around.messages,
            timeline.desk_steps(around.events, around.escalations, ticket=found),
            [passed for passed in around.hand_overs if passed is not waiting],  # that one stands above it
        ),
        "read_upto": reading.last_key(around.messages),
        "new_from": reading.first_new(around.messages, user, upto),
    }


def _calls(user: User, around: Around) -> dict[str, Any]:
    """Who was called in, and which of these calls the person may answer for."""
    return {
        "called_in": timeline.called_in(around.escalations),
        "escalations": [
            (call, moves.may_acknowledge(call, user, away=around.away))
            for call in reversed(around.escalations)
            if call.state != Escalation.State.CLOSED
        ],
    }


def _may_say(found: Ticket, user: User) -> bool:
    return "messages" in moves.offered(found, user, waiting=None)


def _moves(
    found: Ticket,
    user: User,
    around: Around,
    now: datetime,
    sent: Sent | None,
    waiting: HandOver | None,
    lines: Collection[int],
) -> dict[str, Any]:
    """What may be done with it now, each move with its form, in the menus where they lie."""
    major = major_page.of_ticket(around.major)
    receives = waiting is None or workflow.may_receive(found, waiting, user, lines=lines, away=around.away)
    may = moves.offered(found, user, waiting=waiting, receives=receives, belongs_to_major=major is not None)
    deadlines = deadline_page.deadlines_of(
        found,
        user,
        around.proposals,
        signs=workflow.signs_for_us(found, user),
        now=now,
        zone=words.MOSCOW,
    )
    if deadlines.may_propose:
        may.add("deadline")
    suggests = "assignment" in may and found.line.choosing != Choosing.OFF
    as_of = _last_event(found, around)
    offers = Offers(around.lines, around.defects, who_is_next(found, at=now).facts() if suggests else [], as_of)
    return {
        "major": major,
        "may": may,
        "deadlines": deadlines,
        "deadline_refusal": form_for("deadline_refusal", found) if deadlines.may_answer else None,
        "waiting": waiting,
        "as_of": as_of,
        "receives": receives,
        "returning": next(iter(acts(["return"], found, may, offers, sent)), None),
        "bounces": timeline.bounces(around.hand_overs, waiting.from_line_id, waiting.to_line_id) if waiting else 0,
        "next_line": found.line_id + 1,
        "asks": "messages" in may and "question" in moves.says(found),
        "buttons": acts(moves.BUTTONS, found, may, offers, sent),
        "of_status": acts(moves.OF_STATUS, found, may, offers, sent),
        "rest": acts([name for name in moves.REST if name != "return"], found, may, offers, sent),
        "sent_act": None if sent is None else _sent_act(sent, found, around),
    }


def _last_event(found: Ticket, around: Around) -> int:
    """The key of the last event that the page shows: what is done from it says that it saw so much."""
    return max((event.pk for event in around.events if event.ticket_id == found.pk), default=0)


def _customer(found: Ticket, around: Around, now: datetime) -> dict[str, Any]:
    """The customer's side: who asks, local time, the contract's days, what it includes (direction §6.7)."""
    contract = found.contract
    today = now.astimezone(CONTRACT_ZONE).date()
    last_day = contract.terminated_on or contract.ends_on
    days = (last_day - today).days + 1  # both days counted, as the customer reads it
    told = {"day": dateformat.format(last_day, "j E Y"), "days": days}
    until = ngettext("until %(day)s, %(days)s day", "until %(day)s, %(days)s days", days)
    there = now.astimezone(ZoneInfo(found.customer.timezone))
    return {
        "contact": around.contact,
        "local_time": f"{there:%H:%M}",
        "contract_words": (until if days > 0 else _("ended on %(day)s")) % told,
        "licence": next((one for one in around.licences if one.product_id == found.product_id), None),
        "licences": around.licences,
        "history": around.history,
        "history_words": _history_words(around.history),
        "services": [(service, service.pk in around.included) for service in around.services],
        "clauses": around.clauses,
    }


def _history_words(history: Sequence[Ticket]) -> str:
    """The customer's other requests in one line: how many of the newest are open (direction §6.7)."""
    if not history:
        return _("the first request")
    counts = {"open": sum(one.is_open for one in history), "count": len(history)}
    if len(history) < HISTORY:
        return _("%(open)s open of %(count)s others") % counts
    return _("%(open)s open of the newest %(count)s") % counts


# What may be done, with its forms


@dataclass(frozen=True, slots=True)
class Offers:
    """What the forms of the moves offer: lines, defects of the product, who is next on the line and why.

    `as_of` is the key of the last event that they are made from.
    """

    lines: Sequence[Line] = ()
    defects: Sequence[Defect] | None = None
    ranking: Sequence[dict] = ()
    as_of: int | None = None


@dataclass(frozen=True)
class Act:
    """A move with its form where it needs words, or that form's empty fields; and the rule that refused it."""

    move: moves.Move
    ticket: Ticket
    form: Any = None
    refusal: Refused | None = None
    blank: Blank | None = None
    as_of: int | None = None
    seen: str | None = None  # None: as far as the page is read

    @property
    def meanwhile(self) -> list[Message]:
        """What others wrote while this was being written; it may be sent all the same."""
        return self.refusal.said if isinstance(self.refusal, workflow.Meanwhile) else []

    @property
    def steps(self) -> list[timeline.Step]:
        """What others did in the meantime; the act may be done all the same."""
        return _steps(self.refusal)

    @property
    def asks(self) -> bool:
        """Whether it needs words."""
        return self.blank is not None or self.form is not None

    @property
    def new_key(self) -> str:
        return forms.new_key()

    @property
    def address(self) -> str:
        return address(f"desk:{self.move.name}", self.ticket.number)


def _steps(refusal: Refused | None) -> list[timeline.Step]:
    return refusal.steps if isinstance(refusal, workflow.ChangedMeanwhile) else []


def acts(names: Iterable[str], found: Ticket, may: set[str], offers: Offers, sent: Sent | None) -> list[Act]:
    """The moves of a menu that are offered; one that was just refused stands above the conversation instead."""
    offered = [name for name in names if name in may and (sent is None or sent.name != name)]
    return [_act(name, found, offers) for name in offered]


def _act(name: str, found: Ticket, offers: Offers) -> Act:
    fields = blank(FORMS[name], found, **_asks(name, offers)) if name in FORMS else None
    form = None if fields else form_for(name, found, offers=offers)
    return Act(moves.MOVES[name], found, form, blank=fields, as_of=offers.as_of)


def _sent_act(sent: Sent, found: Ticket, around: Around) -> Act:
    """The refused act again: what others did in the meantime is seen then, all else as the person saw it."""
    seen = sent.seen
    if isinstance(sent.refusal, workflow.Meanwhile):
        seen = str(reading.last_key(sent.refusal.said))
    return Act(moves.MOVES[sent.name], found, sent.form, sent.refusal, as_of=sent.seen_upto, seen=seen)


def form_for(name: str, found: Ticket, *sent: Any, offers: Offers | None = None) -> Any:
    """The form of a move, empty or filled with what was `sent`; None where a move needs no words."""
    if name not in FORMS:
        return None
    return FORMS[name](*sent, ticket=found, **_asks(name, offers or Offers()))


def _asks(name: str, offers: Offers) -> dict[str, Any]:
    """What the form of a move is given besides the ticket."""
    asks: dict[str, dict[str, Any]] = {
        "handover": {"lines": offers.lines},
        "defect": {"newest": offers.defects},
        "assignment": {"ranking": offers.ranking},
    }
    return asks.get(name, {})


FORMS: dict[str, type[forms.TicketForm]] = {
    "messages": forms.MessageForm,
    "handover": forms.HandOverForm,
    "return": forms.ReturnForm,
    "escalation": forms.CallInForm,
    "defect": forms.DefectForm,
    "major": forms.DeclareForm,
    "restoration": forms.RestoreForm,
    "classification": forms.ReclassifyForm,
    "resolution": forms.ResolveForm,
    "follow_up": forms.FollowUpForm,
    "reopening": forms.ReopenForm,
    "decline": forms.DeclineForm,
    "assignment": forms.AssignForm,
    "deadline": deadline_forms.ProposeDeadlineForm,
    "deadline_acceptance": deadline_forms.AnswerDeadlineForm,
    "deadline_refusal": deadline_forms.RefuseDeadlineForm,
    "deadline_withdrawal": deadline_forms.AnswerDeadlineForm,
}


# What is written


def macro_of(user: User, key: str) -> Macro | None:
    """The macro that an address names, for who goes without scripts; None for none and for another person's own."""
    return Macro.objects.visible_to(user).filter(pk=key).first() if key.isdecimal() and len(key) < 19 else None


def composer(
    found: Ticket,
    sent: Sent | None,
    around: Around,
    *,
    macro: Macro | None,
    user: User,
    now: datetime,
) -> dict[str, Any]:
    """The composer with the kinds of message that are possible now: the one just refused, else the person's draft.

    `seen` is the last message that the person has read when they send, of a conflict theirs who wrote meanwhile;
    `as_of` the last event, of a conflict the last of what others did.
    """
    kinds, composing = moves.says(found), around.composing
    refused = sent if sent is not None and sent.name == "messages" else None
    refusal = refused.refusal if refused is not None else None
    meanwhile = refusal.said if isinstance(refusal, workflow.Meanwhile) else []
    seen = reading.last_key(meanwhile or around.messages)
    lacks: list[str] = []
    if refused is not None:
        form = refused.form
        chosen = form["kind"].value()
        if not meanwhile:
            seen = form["seen"].value() or seen
        key = str(form["macro"].value() or "")
        macro = macro_of(user, key) if key else None
    else:
        chosen, body = composing.kind or kinds[0], composing.body
        if macro is None and composing.macro is not None:  # the words are there already
            macro = macro_of(user, str(composing.macro))
            lacks = macros.lacks(body) if macro is not None else []
        elif macro is not None:
            text = macros.rendered(macro, found, by=user, now=now)
            lacks = macros.lacks(text)
            chosen, body = macro.kind, "\n\n".join(part for part in (composing.body, text) if part)
        if chosen not in kinds:
            chosen = kinds[0]
        form = blank_composer(body)
    return {
        "form": form,
        "kinds": [(code, label, code == chosen) for code, label in forms.MessageForm.KINDS if code in {*kinds, chosen}],
        "refusal": refusal,
        "meanwhile": meanwhile,
        "steps": _steps(refusal),
        "then": form["then"].value() if refused is not None else "",
        "seen": seen,
        "as_of": (refused.seen_upto if refused is not None else None) or _last_event(found, around),
        "files": composing.files,
        "macro": macro,
        "macro_does": ", ".join([*macros.does(macro), *lacks]) if macro is not None else "",
        "may_wait": "question" in kinds,
        "may_resolve": found.is_open,
        "draft_at": composing.updated_at if refused is None else None,
        "clock_stands": moves.stands_while_asked(found.clocks),
    }
