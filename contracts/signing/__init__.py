"""Contracts: draft, activate, renew, terminate, expire; and who speaks for the customer (domain §1.7, §2).

The one writer of a contract's state and lines, a file for each body of knowledge. Each verb takes who (`by`, the
contract administrator) and when (`at`, aware), locks the customer's row, so that two people cannot sign two contracts
at once, and works in one transaction with the row of what happened. Days are days of Moscow, as the packages count them
(§1.3). Money is EUR.
"""

from contracts.signing.clauses import add_clause, end_clause
from contracts.signing.conditions import conditions_that_fail, last_day, what_fails
from contracts.signing.contact_changes import (
    agree_contact_change,
    ask_contact_change,
    may_take_back,
    refuse_contact_change,
    withdraw_contact_change,
)
from contracts.signing.contacts import hand_over_contact
from contracts.signing.coverage import notice_gaps
from contracts.signing.drafts import Offer, apply_terms_to_draft, change_draft, draft, offers
from contracts.signing.ending import expire, terminate
from contracts.signing.history import record
from contracts.signing.lines import (
    add_licence,
    cover_added_licences,
    covered_licences,
    derived_lines,
    prices_of,
    prorated_line,
    quote,
    refresh_lines,
)
from contracts.signing.refusals import (
    SIGNERS,
    NotHandedOver,
    NotSigned,
    Reason,
    moscow_day,
    only_signers,
)
from contracts.signing.renewals import NotAnswered, answer_renewal, latest_offer, offer_renewals, renew
from contracts.signing.signature import activate, as_shown

__all__ = [
    "SIGNERS",
    "NotAnswered",
    "NotHandedOver",
    "NotSigned",
    "Offer",
    "Reason",
    "activate",
    "add_clause",
    "add_licence",
    "agree_contact_change",
    "answer_renewal",
    "apply_terms_to_draft",
    "as_shown",
    "ask_contact_change",
    "change_draft",
    "conditions_that_fail",
    "cover_added_licences",
    "covered_licences",
    "derived_lines",
    "draft",
    "end_clause",
    "expire",
    "hand_over_contact",
    "last_day",
    "latest_offer",
    "may_take_back",
    "moscow_day",
    "notice_gaps",
    "offer_renewals",
    "offers",
    "only_signers",
    "prices_of",
    "prorated_line",
    "quote",
    "record",
    "refresh_lines",
    "refuse_contact_change",
    "renew",
    "terminate",
    "what_fails",
    "withdraw_contact_change",
]
