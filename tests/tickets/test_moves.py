"""Every verb in every state (domain §3.2): where it leads, or in which words it is refused, nothing changed then."""

import pytest
from django.utils import translation

from accounts.refusals import Refused
from tests.factories import a_customer, a_lead, an_engineer, contact_of, open_ticket
from tests.moments import tuesday
from tickets import workflow
from tickets.models import State, Ticket

pytestmark = pytest.mark.django_db

NEW, IN_WORK, AWAITING, RESOLVED, CLOSED, DECLINED = (
    "new",
    "in_progress",
    "awaiting_customer",
    "resolved",
    "closed",
    "declined",
)


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


def in_state(state):
    """A Premium incident of priority 1, brought to the state by the product's own verbs."""
    ticket = open_ticket(a_customer(), priority=1)
    contact, engineer = contact_of(ticket.customer), an_engineer()
    if state != NEW:
        ticket = workflow.accept(ticket, by=engineer, at=tuesday(10, 5))
    if state == AWAITING:
        workflow.ask_customer(ticket, by=engineer, body="Which version?", at=tuesday(10, 6))
    if state in {RESOLVED, CLOSED}:
        workflow.resolve(ticket, by=engineer, body="Restarted", at=tuesday(10, 6))
    if state == CLOSED:
        workflow.confirm(ticket, by=contact, at=tuesday(10, 7))
    if state == DECLINED:
        workflow.decline(ticket, by=engineer, reason="Networks are outside support", at=tuesday(10, 6))
    return Ticket.objects.get(pk=ticket.pk)


CONTACT = {"confirm", "contest", "contest_restore", "customer_reply", "escalate", "rate", "set_priority", "withdraw"}
WORDS = {
    "accept": {},
    "ask_customer": {"body": "Which version?"},
    "attach_defect": {"title": "t", "steps": "s", "expected": "e", "actual": "a"},
    "confirm": {},
    "contest": {"reason": "It is your service"},
    "contest_restore": {"reason": "It is not back"},
    "customer_reply": {"body": "Still nothing"},
    "decline": {"reason": "Networks are outside support"},
    "escalate": {"whom": "csm", "reason": "Slow"},
    "hand_over": {"to_line": 2, "known": "The log", "asked": "Read it"},
    "note": {"body": "It is their proxy"},
    "rate": {"score": 5},
    "reclassify": {"priority": 2, "reason": "Some of it works"},
    "reopen": {"reason": "It is back"},
    "reply": {"body": "Looking at it"},
    "resolve": {"body": "Restarted"},
    "restore": {"workaround": "Use the mirror"},
    "return_hand_over": {"reason": "Ours no more"},
    "set_priority": {"priority": 2, "reason": "Some of it works"},
    "stop_waiting": {},
    "withdraw": {},
}


def now(state):
    return f"This request is “{state}”: that cannot be done with it now."


def over(state):
    return f"This request is “{state}”: that cannot be done with it any more."


def passing(state):
    return f"A request that is “{state}” cannot be handed over."


NOW_NEW, NOW_IN_WORK, NOW_AWAITING = now("new"), now("in progress"), now("waiting for the customer")
NOW_RESOLVED, OVER_CLOSED, OVER_DECLINED = now("resolved"), over("closed"), over("declined")
NOTHING_TO_TAKE = "This request is not open any more: nothing is left to take."
NOBODY_READS = "This request is closed: a reply would reach nobody. Open a follow-up instead."
TAKE_FIRST = "Only a request in work can be restored: take it first."
NOT_ANEW = "Only an open request can be classified anew."
OF_OPEN_ONLY = "Only the priority of an open request can be changed."
NOT_SOLVED = "A request is rated once it is solved."
NO_DEFECT = "A defect is attached to an open request."
NOTHING_WAITS = "There is no hand-over waiting to be accepted."
NOT_RESTORED = "Nothing was restored in this request that could be contested now."
NOT_ASSIGNED = "Only an open request can be assigned."

# One row a verb; the columns are the states it is called in. A state: there it leads. A sentence: so it is refused.
TABLE = {
    #                   new       in_progress  awaiting_customer  resolved      closed       declined
    "accept":           (IN_WORK, IN_WORK, AWAITING, NOTHING_TO_TAKE, NOTHING_TO_TAKE, NOTHING_TO_TAKE),
    "reply":            (IN_WORK, IN_WORK, AWAITING, RESOLVED, NOBODY_READS, NOBODY_READS),
    "note":             (NEW, IN_WORK, AWAITING, RESOLVED, CLOSED, DECLINED),
    "ask_customer":     (AWAITING, AWAITING, NOW_AWAITING, NOW_RESOLVED, OVER_CLOSED, OVER_DECLINED),
    "stop_waiting":     (NOW_NEW, NOW_IN_WORK, IN_WORK, NOW_RESOLVED, OVER_CLOSED, OVER_DECLINED),
    "customer_reply":   (NEW, IN_WORK, IN_WORK, IN_WORK, CLOSED, IN_WORK),  # closed: a follow-up is opened beside it
    "hand_over":        (NEW, IN_WORK, passing("waiting for the customer"), passing("resolved"), passing("closed"),
                         passing("declined")),
    "return_hand_over": (NOTHING_WAITS,) * 6,
    "attach_defect":    (NEW, IN_WORK, AWAITING, NO_DEFECT, NO_DEFECT, NO_DEFECT),
    "restore":          (TAKE_FIRST, IN_WORK, IN_WORK, TAKE_FIRST, TAKE_FIRST, TAKE_FIRST),
    "contest_restore":  (NOT_RESTORED,) * 6,
    "reclassify":       (NEW, IN_WORK, AWAITING, NOT_ANEW, NOT_ANEW, NOT_ANEW),
    "set_priority":     (NEW, IN_WORK, AWAITING, OF_OPEN_ONLY, OF_OPEN_ONLY, OF_OPEN_ONLY),
    "resolve":          (RESOLVED, RESOLVED, RESOLVED, NOW_RESOLVED, OVER_CLOSED, OVER_DECLINED),
    "decline":          (DECLINED, DECLINED, NOW_AWAITING, NOW_RESOLVED, OVER_CLOSED, OVER_DECLINED),
    "contest":          (NOW_NEW, NOW_IN_WORK, NOW_AWAITING, NOW_RESOLVED, OVER_CLOSED, IN_WORK),
    "confirm":          (NOW_NEW, NOW_IN_WORK, NOW_AWAITING, CLOSED, OVER_CLOSED, OVER_DECLINED),
    "reopen":           (NOW_NEW, NOW_IN_WORK, NOW_AWAITING, IN_WORK, OVER_CLOSED, OVER_DECLINED),
    "withdraw":         (CLOSED, CLOSED, CLOSED, CLOSED, OVER_CLOSED, OVER_DECLINED),
    "escalate":         (NEW, IN_WORK, AWAITING, RESOLVED, CLOSED, DECLINED),
    "rate":             (NOT_SOLVED, NOT_SOLVED, NOT_SOLVED, RESOLVED, CLOSED, NOT_SOLVED),
}  # fmt: skip
STATES = (NEW, IN_WORK, AWAITING, RESOLVED, CLOSED, DECLINED)
CELLS = [(verb, state, outcome) for verb, row in TABLE.items() for state, outcome in zip(STATES, row, strict=True)]


def everything(ticket):
    """All that a verb could change."""
    return [
        list(Ticket.objects.filter(pk=ticket.pk).values()),
        *(
            list(getattr(ticket, rows).order_by("pk").values())
            for rows in ("commitments", "messages", "events", "escalations", "hand_overs")
        ),
        Ticket.objects.count(),
    ]


@pytest.mark.parametrize(("verb", "state", "outcome"), CELLS, ids=[f"{verb}-{state}" for verb, state, _o in CELLS])
def test_move(verb, state, outcome):
    ticket = in_state(state)
    by = contact_of(ticket.customer) if verb in CONTACT else an_engineer()
    before = everything(ticket)

    if outcome in STATES:
        getattr(workflow, verb)(ticket, by=by, at=tuesday(10, 10), **WORDS[verb])

        assert Ticket.objects.get(pk=ticket.pk).state == outcome
    else:
        with pytest.raises(workflow.NotAllowed) as refusal:
            getattr(workflow, verb)(ticket, by=by, at=tuesday(10, 10), **WORDS[verb])

        assert refusal.value.message == outcome
        assert refusal.value.section
        assert everything(ticket) == before


def test_table_has_a_column_for_every_state():
    assert set(STATES) == set(State.values)


@pytest.mark.parametrize(
    ("state", "assigned"),
    [(NEW, True), (IN_WORK, True), (AWAITING, True), (RESOLVED, False), (CLOSED, False), (DECLINED, False)],
)
def test_assigning_is_for_open_requests(state, assigned):
    ticket, engineer = in_state(state), an_engineer()

    if assigned:
        assert workflow.assign(ticket, by=a_lead(), to=engineer, at=tuesday(10, 10)).assignee == engineer
    else:
        with pytest.raises(workflow.NotAllowed, match=NOT_ASSIGNED):
            workflow.assign(ticket, by=a_lead(), to=engineer, at=tuesday(10, 10))


@pytest.mark.parametrize("state", STATES)
def test_silence_closes_only_what_is_solved(state):
    ticket = in_state(state)

    assert workflow.close_silent(ticket, at=tuesday(10).replace(year=2027)) is (state == RESOLVED)


def test_wrong_person_is_refused_before_the_state_is_looked_at():
    ticket = in_state(CLOSED)

    with pytest.raises(Refused) as refusal:
        workflow.resolve(ticket, by=contact_of(ticket.customer), body="Restarted", at=tuesday(10, 10))

    assert refusal.value.status == 403


def test_state_is_changed_by_moves_only():
    ticket = in_state(NEW)

    with pytest.raises(AttributeError):
        ticket.state = CLOSED
