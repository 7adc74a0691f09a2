"""What one of the desk may do with a ticket now, in the words of the buttons, and what each does to the clock.

For offering only: `workflow` decides again, under the ticket's lock.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django_fsm import can_proceed

from accounts.models import Role, User
from contracts.models import PromiseKind
from sla.models import Commitment, Escalation
from tickets.models import HandOver, State, Ticket
from tickets.workflow import may_answer, may_declare, may_follow_up
from tickets.workflow.major import LEADERS


@dataclass(frozen=True, slots=True)
class Move:
    """A move: `name` is its resource, `label` what opens it, `does` what it does to the clock, `submit` its button."""

    name: str
    label: str | Promise
    icon: str
    does: str | Promise = ""
    submit: str | Promise = ""
    key: str = ""
    elsewhere: bool = False  # another page follows it, so a script does not exchange this one's parts


MOVES = {
    move.name: move
    for move in (
        Move("acceptance", _("Take into work"), "user-plus", _("You become the assignee; the reaction is met.")),
        Move("messages", _("Write"), "message-square"),
        Move(
            "handover",
            _("Hand over"),
            "route",
            _("The promises to the customer go on; the receiving line gets its own clock to accept."),
            _("Hand over"),
            key="L",
        ),
        Move(
            "return",
            _("Give back"),
            "corner-up-left",
            _("Back to the line that it came from; the promises to the customer go on."),
            _("Give back"),
        ),
        Move(
            "taking_back",
            _("Take back"),
            "corner-up-left",
            _("It is yours again; the receiving line's clock ends, the promises to the customer go on."),
        ),
        Move(
            "resolution",
            _("Solved"),
            "circle-check",
            _("A promised resolution is met. The customer confirms; five working days of silence close the request."),
            _("Mark as solved"),
        ),
        Move(
            "follow_up",
            _("Open a follow-up"),
            "corner-up-right",
            _("This request stays closed. The new one is linked to it and has promises of its own from now on."),
            _("Open the follow-up: the customer is told"),
            elsewhere=True,
        ),
        Move("waiting", _("Go on without the answer"), "timer", _("A clock that stood goes on.")),
        Move("reopening", _("Reopen"), "rotate-ccw", _("The clock goes on from where it stood."), _("Reopen")),
        Move(
            "decline",
            _("Decline: outside support"),
            "circle-x",
            _("The clocks stop. The customer gets your words and can contest them."),
            _("Decline"),
        ),
        Move(
            "restoration",
            _("Service is back"),
            "wrench",
            _("A promised resolution of this priority is met, one for the lower priority starts."),
            _("Service is back"),
        ),
        Move(
            "classification",
            _("Priority and kind"),
            "flag",
            _("The clocks are counted anew from the receipt; their pauses stay."),
            _("Change"),
            key="P",
        ),
        Move(
            "defect",
            _("Attach a defect"),
            "bug",
            _("No clock changes. Line 4 takes a request only with a defect."),
            _("Attach the defect"),
        ),
        Move(
            "major",
            _("Declare a major incident"),
            "zap",
            _("No clock changes. Other requests can be linked, and one note tells all their customers."),
            _("Declare a major incident"),
        ),
        Move(
            "escalation",
            _("Escalate"),
            "siren",
            _("No clock changes. Who is called in gets a letter at once; the customer does not see the reason."),
            _("Call in"),
            key="E",
        ),
        Move(
            "assignment",
            _("Assign"),
            "user",
            _("No clock changes: the reaction waits for that person."),
            _("Assign"),
            key="A",
        ),
        Move(
            "deadline",
            _("Another deadline"),
            "handshake",
            _("No clock changes until the customer agrees; then the resolution is due at the moment agreed."),
            _("Propose the deadline"),
        ),
        Move(
            "deadline_acceptance",
            _("Agree to this deadline"),
            "handshake",
            _("The resolution is due at the moment agreed; what was missed stays missed."),
            _("Agree to this deadline"),
        ),
        Move(
            "deadline_refusal",
            _("Do not agree"),
            "circle-x",
            _("No clock changes. The customer gets your words."),
            _("Refuse: the deadline stays"),
        ),
        Move("deadline_withdrawal", _("Withdraw the proposal"), "corner-up-left", submit=_("Withdraw the proposal")),
    )
}

# Beside the ticket as buttons; the rest lie in the menus of the status and of everything else.
BUTTONS = ("handover", "escalation", "resolution", "follow_up")
OF_STATUS = ("waiting", "reopening", "decline")
REST = ("return", "restoration", "classification", "defect", "major", "assignment", "deadline")


def offered(
    ticket: Ticket, user: User, *, waiting: HandOver | None, receives: bool = True, belongs_to_major: bool = False
) -> set[str]:
    """The names of the moves that are open to this person now. `waiting` is the hand-over not yet accepted, `receives`
    whether the person accepts for its line (`workflow.may_receive`).

    Those of a deadline depend on what was proposed: `deadline_page.of_ticket` knows.
    """
    if not user.works_at_desk:
        return set()
    rules = {
        # What was assigned is not yet accepted: the reaction waits for the person.
        "acceptance": ticket.is_open
        and (receives if waiting is not None else ticket.assignee_id != user.pk or ticket.state == State.NEW),
        "messages": ticket.merged_into_id is None,
        "handover": ticket.state in {State.NEW, State.IN_PROGRESS},
        "return": ticket.is_open and waiting is not None and receives,
        "taking_back": ticket.is_open and waiting is not None and waiting.by_id == user.pk,
        "resolution": ticket.is_open,
        "follow_up": may_follow_up(ticket),
        "waiting": can_proceed(ticket.hear_customer),
        "reopening": can_proceed(ticket.reopen),
        "decline": can_proceed(ticket.decline),
        "restoration": ticket.is_open and ticket.state != State.NEW and ticket.priority in {1, 2},
        "classification": ticket.is_open,
        "defect": ticket.is_open,
        "major": may_declare(ticket) and user.role in LEADERS and not belongs_to_major,
        "escalation": ticket.is_open,
        "assignment": ticket.is_open and user.role in {Role.LINE_LEAD, Role.SUPPORT_MANAGER},
    }
    return {name for name, may in rules.items() if may}


def says(ticket: Ticket) -> list[str]:
    """What the composer may say now: a note always, a reply while somebody would read it, a question while in work."""
    kinds = []
    if ticket.is_open or ticket.state == State.RESOLVED:
        kinds.append("reply")
    kinds.append("note")
    if ticket.state in {State.NEW, State.IN_PROGRESS}:
        kinds.append("question")
    return kinds


def may_acknowledge(escalation: Escalation, user: User, *, away: Iterable[User] = ()) -> bool:
    """Whether the person may say “I have it”: nobody has yet, and they were called in or stand above (domain §4.4).

    `away`: whom they stand in for.
    """
    return escalation.state == Escalation.State.OPEN and may_answer(escalation, user, away=away)


def stands_while_asked(clocks: list[Commitment]) -> bool:
    """Whether a clock would stand for a question: only a running resolution does (domain §4.1)."""
    return any(clock.kind == PromiseKind.RESOLUTION and clock.is_running for clock in clocks)
