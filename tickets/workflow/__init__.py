"""What may be done with a ticket. The one gate: portal, desk, API, mail and jobs call these verbs (domain §3).

Each verb takes who (`by`) and when (`at`, aware), locks the ticket's row, makes the move, moves the clocks and writes
the event, in one transaction. A rule that says no raises `NotAllowed` (409) or `Forbidden` (403) with words fit for
the person; nothing is changed then.

One file for each body of knowledge; callers say `from tickets import workflow` and never ask which.
"""

from tickets.workflow.assignment import ASSIGNERS, assign_next, relieve
from tickets.workflow.calendars import apply_calendar
from tickets.workflow.composing import AFTER, send, send_reply, send_request
from tickets.workflow.contact import (
    agree_contact_change,
    ask_contact_change,
    follow_contact,
    hand_over_contact,
    withdraw_contact_change,
)
from tickets.workflow.conversation import Meanwhile, Upload
from tickets.workflow.customer import (
    LOW_RATING,
    RATING_MAY_CHANGE_FOR,
    close_silent,
    confirm,
    contest,
    customer_reply,
    rate,
    reopen,
    withdraw,
)
from tickets.workflow.deadlines import (
    accept_deadline,
    lapse_deadline,
    offers_deadline,
    only_open,
    only_signatory,
    propose_deadline,
    refuse_deadline,
    side_of,
    signs_for_us,
    withdraw_deadline,
)
from tickets.workflow.defects import (
    confirm_defect,
    edit_defect,
    fix_defect,
    hear_of_release,
    may_bring_the_fix,
    name_release,
    push_workaround,
    reject_defect,
    release_defect,
    reopen_defect,
    without_workaround,
    workaround_told,
)
from tickets.workflow.desk import accept, ask_customer, assign, decline, note, reply, resolve, stop_waiting
from tickets.workflow.escalations import (
    CALLED_BY_DESK,
    MAY_ANSWER,
    acknowledge,
    answer_escalation,
    call_in,
    escalate,
    may_answer,
)
from tickets.workflow.following import follow_up, may_follow_up
from tickets.workflow.gates import NotAllowed, lock
from tickets.workflow.held import confirm_held, drop_held, hold, hold_call, put_before_administrator, settle_held
from tickets.workflow.lines import attach_defect, hand_over, may_receive, receives, return_hand_over, take_back
from tickets.workflow.major import (
    add_major_action,
    change_coordinator,
    declare_major,
    end_major,
    finish_major_action,
    link_children,
    major_candidates,
    may_declare,
    review_major,
    solve_affected,
    tell_affected,
    unlink_child,
    write_major_note,
)
from tickets.workflow.meanwhile import ABOUT, ChangedMeanwhile
from tickets.workflow.merging import may_merge, merge
from tickets.workflow.own_words import TextsChanged
from tickets.workflow.priority import contest_restore, reclassify, restore, set_priority
from tickets.workflow.receipt import UNASKED_PRIORITY, only_product, open_ticket
from tickets.workflow.relations import link, unlink
from tickets.workflow.releases import publish_release
from tickets.workflow.splitting import split
from tickets.workflow.taking import Taken, take_most_urgent
from tickets.workflow.telling import tell
from tickets.workflow.terms import apply_terms
from tickets.workflow.time_spent import correct_time, log_time, may_correct
from tickets.workflow.undelivered import note_undelivered
from tickets.workflow.undone import put_back_assignee

__all__ = [
    "ABOUT",
    "AFTER",
    "ASSIGNERS",
    "CALLED_BY_DESK",
    "LOW_RATING",
    "MAY_ANSWER",
    "RATING_MAY_CHANGE_FOR",
    "UNASKED_PRIORITY",
    "ChangedMeanwhile",
    "Meanwhile",
    "NotAllowed",
    "Taken",
    "TextsChanged",
    "Upload",
    "accept",
    "accept_deadline",
    "acknowledge",
    "add_major_action",
    "agree_contact_change",
    "answer_escalation",
    "apply_calendar",
    "apply_terms",
    "ask_contact_change",
    "ask_customer",
    "assign",
    "assign_next",
    "attach_defect",
    "call_in",
    "change_coordinator",
    "close_silent",
    "confirm",
    "confirm_defect",
    "confirm_held",
    "contest",
    "contest_restore",
    "correct_time",
    "customer_reply",
    "declare_major",
    "decline",
    "drop_held",
    "edit_defect",
    "end_major",
    "escalate",
    "finish_major_action",
    "fix_defect",
    "follow_contact",
    "follow_up",
    "hand_over",
    "hand_over_contact",
    "hear_of_release",
    "hold",
    "hold_call",
    "lapse_deadline",
    "link",
    "link_children",
    "lock",
    "log_time",
    "major_candidates",
    "may_answer",
    "may_bring_the_fix",
    "may_correct",
    "may_declare",
    "may_follow_up",
    "may_merge",
    "may_receive",
    "merge",
    "name_release",
    "note",
    "note_undelivered",
    "offers_deadline",
    "only_open",
    "only_product",
    "only_signatory",
    "open_ticket",
    "propose_deadline",
    "publish_release",
    "push_workaround",
    "put_back_assignee",
    "put_before_administrator",
    "rate",
    "receives",
    "reclassify",
    "refuse_deadline",
    "reject_defect",
    "release_defect",
    "relieve",
    "reopen",
    "reopen_defect",
    "reply",
    "resolve",
    "restore",
    "return_hand_over",
    "review_major",
    "send",
    "send_reply",
    "send_request",
    "set_priority",
    "settle_held",
    "side_of",
    "signs_for_us",
    "solve_affected",
    "split",
    "stop_waiting",
    "take_back",
    "take_most_urgent",
    "tell",
    "tell_affected",
    "unlink",
    "unlink_child",
    "withdraw",
    "withdraw_contact_change",
    "withdraw_deadline",
    "without_workaround",
    "workaround_told",
    "write_major_note",
]
