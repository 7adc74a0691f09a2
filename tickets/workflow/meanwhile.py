"""What somebody else did to a ticket after a person looked at it: nobody overwrites a colleague unknowingly (UX §11).

A form says the key of the last event that it was made from (`as_of`); the verb looks, under the ticket's lock, whether
anybody else has since changed what this act is about. What does not matter to the act is passed over.
Decided: an act over many is decided by its filter, not by a look at each ticket, and does not ask; its undo does not
touch what somebody has changed since. The API asks who says `as_of`, as it asks who says `seen` about words.
"""

from django.utils.translation import gettext as _

from accounts.models import User
from tickets import timeline
from tickets.models import Event, Ticket
from tickets.workflow.gates import NotAllowed

LINE = frozenset({"handed_over", "returned", "taken_back"})
PERSON = frozenset({"accepted", "assigned", "assignment_undone"})
PRIORITY = frozenset({"reclassified", "restored", "restore_contested", "priority_set"})
DEADLINE = frozenset({"deadline_proposed", "deadline_agreed", "deadline_refused", "deadline_withdrawn"})
WORDS = frozenset({"replied", "told", "asked_customer", "customer_replied", "reopened", "contested"})
TAKING = frozenset({"replied", "asked_customer", "resolved"})  # who says that may have taken the ticket by it

# What each act of the desk would overwrite, or was decided by.
ABOUT = {
    "acceptance": LINE,
    "handover": LINE | PERSON,
    "return": LINE | PERSON,
    "taking_back": LINE | PERSON,
    "assignment": LINE | PERSON,
    "classification": PRIORITY | {"priority_proposed", "deadline_agreed"},
    "restoration": PRIORITY,
    "resolution": LINE,
    "waiting": frozenset({"asked_customer", "stopped_waiting"}),
    "reopening": frozenset({"resolved", "reopened"}),
    "decline": LINE | PERSON | WORDS,
    "defect": frozenset({"defect_attached"}),
    "deadline": DEADLINE | PRIORITY,
}


class ChangedMeanwhile(NotAllowed):
    """Others changed what this act is about; nothing was done. `steps` are what they did, oldest first."""

    def __init__(self, events: list[Event]) -> None:
        self.steps = [timeline.desk_step(event) for event in events]
        self.as_of = events[-1].pk
        names = dict.fromkeys(event.by.full_name if event.by else _("the system") for event in events)
        super().__init__(
            _("Changed in the meantime (%(names)s): %(what)s. Look at it first; nothing was done.")
            % {"names": ", ".join(names), "what": "; ".join(step.what for step in self.steps)},
            "3.2",
        )


def unchanged_since(ticket: Ticket, as_of: int | None, act: str, *, by: User) -> None:
    """Raises `ChangedMeanwhile` if anybody but `by` did what matters to `act` after the event `as_of`.

    None: it is not said what they saw. The ticket is locked: nothing happens to it between this look and the act.
    """
    if as_of is None:
        return
    since = ticket.events.filter(pk__gt=as_of).exclude(by=by).select_related("by").order_by("pk")
    matters = ABOUT[act]
    changed = [event for event in since if event.verb in matters or (matters & PERSON and _took(event))]
    if changed:
        raise ChangedMeanwhile(changed)


def _took(event: Event) -> bool:
    return event.verb in TAKING and event.details.get("took") is True
