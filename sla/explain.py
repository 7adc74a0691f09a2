"""Why a deadline is where it is, in words, step by step (domain §4.3).

One function, `explain`, for the customer's page, the engineer's, the API, letters and `manage.py explain`: where the
target comes from, the hours it is counted in, every stretch that counted, every one that did not and why, the
deadline, what ended it and what took its place. It reads rows and changes nothing; `now`, the reader's zone and
language are given. The hours in words stand in `hours_words.py`, the steps in `way_words.py`.
"""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.said_once import said_once
from contracts.models import PromiseKind, TermsTarget
from sla import words
from sla.clocks import MERGED
from sla.hours_words import hours, working_day_of
from sla.models import CalendarVersion, Commitment
from sla.way_words import Told, way_told

if TYPE_CHECKING:
    from tickets.models import Ticket


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one promise came to its deadline, and what became of it.

    `due_at` is the deadline that the steps lead to; while the clock stands, the one that an answer now would give.
    `origin` is "package", "clause", "agreed" or "line". Empty words: there is nothing to say there.
    """

    commitment: int
    kind: str
    priority: int
    title: str
    origin: str
    rule: str
    terms: str
    hours: str
    calendar: str
    calendar_since: datetime
    steps: tuple[Told, ...]
    due_at: datetime
    ended: str
    successor: str

    @property
    def basis(self) -> tuple[str, ...]:
        """What stands before the steps: the rule, whose it is, and the hours."""
        return tuple(told for told in (self.rule, self.terms, self.hours) if told)

    @property
    def outcome(self) -> tuple[str, ...]:
        """What stands after the steps."""
        return tuple(told for told in (self.ended, self.successor) if told)

    @property
    def lines(self) -> list[str]:
        """All of it, a sentence a line, for plain text."""
        return [*self.basis, *(step.words for step in self.steps), *self.outcome]

    def as_json(self) -> dict[str, Any]:
        """Plain values: moments ISO 8601 in UTC, business time in seconds."""
        return {
            "commitment": self.commitment,
            "kind": self.kind,
            "priority": self.priority,
            "title": self.title,
            "origin": self.origin,
            "rule": self.rule,
            "terms": self.terms,
            "hours": self.hours,
            "calendar": self.calendar,
            "calendar_since": _iso(self.calendar_since),
            "steps": [
                {
                    "kind": step.kind,
                    "starts_at": _iso(step.starts_at),
                    "ends_at": _iso(step.ends_at),
                    "counted_seconds": int(step.counted.total_seconds()),
                    "dates": [day.isoformat() for day in step.dates],
                    "words": step.words,
                }
                for step in self.steps
            ],
            "due_at": _iso(self.due_at),
            "ended": self.ended,
            "successor": self.successor,
        }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()


def explain(
    commitment: Commitment,
    *,
    zone: tzinfo,
    now: datetime,
    language: str | None = None,
    for_customer: bool = True,
    siblings: Sequence[Commitment] | None = None,
) -> Explanation:
    """How the deadline of this promise was counted, for a reader in `zone` (domain §4.3).

    `now` is aware; `language` "ru" or "en", None for the active one; `for_customer` says "you" to the customer.
    `siblings` are the ticket's other commitments, where they are at hand: what took its place is one of them. Reads the
    row's `terms.package`, `clause`, `calendar_version.calendar` and `ticket`: fetch them with the row.
    """
    with translation.override(language) if language else nullcontext():
        return _explained(commitment, zone, now, for_customer, siblings)


AT_ONCE = 50  # of a ticket's promises, the youngest: one that was classified anew two hundred times


def explanations(
    ticket: "Ticket", *, zone: tzinfo, now: datetime, language: str | None = None, for_customer: bool = True
) -> list[Explanation]:
    """Every promise of the ticket explained, oldest first, also those that another one has replaced. One statement.

    The lines' own clocks are not the customer's business (domain §3.3): `for_customer` leaves them out.
    """
    rows = Commitment.objects.filter(ticket=ticket).select_related(
        "ticket",
        "terms__package",
        "clause",
        "calendar_version__calendar",
        "signed_as__proposed_by",
        "signed_as__answered_by",
    )
    if for_customer:
        rows = rows.exclude(kind=PromiseKind.LINE_ACCEPTANCE)
    return explanations_of(
        rows.order_by("-pk")[:AT_ONCE], zone=zone, now=now, language=language, for_customer=for_customer
    )


def explanations_of(
    rows: Iterable[Commitment],
    *,
    zone: tzinfo,
    now: datetime,
    language: str | None = None,
    for_customer: bool = True,
) -> list[Explanation]:
    """As `explanations`, of a ticket's promises that are at hand with all that `explain` reads of a row."""
    found = sorted(rows, key=lambda row: row.pk)[-AT_ONCE:]
    return [
        explain(row, zone=zone, now=now, language=language, for_customer=for_customer, siblings=found) for row in found
    ]


def _explained(
    commitment: Commitment, zone: tzinfo, now: datetime, for_customer: bool, siblings: Sequence[Commitment] | None
) -> Explanation:
    if siblings is None:
        # Asked for only where they are spoken of: what was solved before it was reopened, under whose signatures an
        # agreed one goes on, and what took its place.
        is_told = commitment.pauses or commitment.agreed or commitment.ending == Commitment.Ending.SUPERSEDED
        siblings = list(commitment.ticket.commitments.filter(kind=commitment.kind)) if is_told else []
    siblings = [row for row in siblings if row.kind == commitment.kind and row.pk != commitment.pk]
    version = commitment.calendar_version
    solved = {row.stopped_at for row in siblings if row.why == "reopened" and row.stopped_at is not None}
    steps, due = way_told(commitment, solved, zone=zone, now=now, for_customer=for_customer)
    return Explanation(
        commitment=commitment.pk,
        kind=commitment.kind,
        priority=commitment.priority,
        title=_title(commitment),
        origin=_origin(commitment),
        rule=_rule(commitment, for_customer),
        terms=_terms(commitment, siblings, zone, now, for_customer),
        hours=_hours_rule(version, now),
        calendar=version.calendar.code,
        calendar_since=version.valid_from,
        steps=steps,
        due_at=due,
        ended=_ended(commitment, zone, now),
        successor=_successor(commitment, siblings, zone, now),
    )


def _title(commitment: Commitment) -> str:
    return _("%(promise)s, priority %(priority)d") % {
        "promise": words.promise(commitment.kind),
        "priority": commitment.priority,
    }


# Where it comes from


def _origin(commitment: Commitment) -> str:
    if commitment.agreed:
        return "agreed"
    if commitment.clause_id is not None:
        return "clause"
    return "line" if commitment.kind == PromiseKind.LINE_ACCEPTANCE else "package"


def _rule(commitment: Commitment, for_customer: bool) -> str:
    shown = {
        "package": commitment.terms.package.name if commitment.terms else "",
        "impact": impact(commitment.priority),
        "priority": commitment.priority,
        "target": words.target_long(commitment.amount, commitment.unit),
    }
    if commitment.kind == PromiseKind.LINE_ACCEPTANCE:
        return _("Between the lines: a request that is handed over is accepted within %(target)s.") % shown
    if commitment.agreed:
        return (
            _("The deadline was agreed with you individually.")
            if for_customer
            else _("The deadline was agreed with the customer individually.")
        )
    if commitment.kind == PromiseKind.REACTION:
        rule = _("%(package)s, “%(impact)s”: the first answer within %(target)s.") % shown
    elif commitment.kind == PromiseKind.ESCALATION_ANSWER:
        rule = _("%(package)s, priority %(priority)d: an escalation is answered within %(target)s.") % shown
    else:
        rule = _("%(package)s, “%(impact)s”: the solution within %(target)s.") % shown
    if commitment.unit == TermsTarget.Unit.WORKING_DAYS:
        hours = int(commitment.target.total_seconds() // 3600)
        rule += " " + ngettext(
            "A working day is 9 working hours, so that is %(hours)d working hour.",
            "A working day is 9 working hours, so that is %(hours)d working hours.",
            hours,
        ) % {"hours": hours}
    return rule


def _terms(
    commitment: Commitment, siblings: Sequence[Commitment], zone: tzinfo, now: datetime, for_customer: bool
) -> str:
    """Whose promise it is: the package's by its terms of a day, a clause of the contract, or both signatures."""
    if commitment.agreed:
        return _signatures(commitment, siblings, zone, now)
    if commitment.clause is not None:
        named = {"clause": commitment.clause.text}
        if for_customer:
            return _("Your contract has its own condition: %(clause)s") % named
        return _("The contract has its own condition: %(clause)s") % named
    if commitment.terms is None or commitment.kind == PromiseKind.LINE_ACCEPTANCE:
        return ""
    day = date_format(commitment.terms.starts_on, "j E Y")
    return _("By the terms of the package from %(day)s.") % {"day": day}


def _signatures(commitment: Commitment, siblings: Sequence[Commitment], zone: tzinfo, now: datetime) -> str:
    """Who signed: this row, or the latest agreed one before it, which it goes on from (a request was reopened)."""
    before = (row for row in reversed(siblings) if row.agreed and row.pk < commitment.pk)
    signed = (getattr(row, "signed_as", None) for row in (commitment, *before))
    proposal = next((one for one in signed if one is not None), None)  # none where it was signed in a merged request
    if proposal is None or proposal.answered_at is None or proposal.answered_by is None:
        return ""
    return _("Proposed by %(proposer)s, %(proposed)s; accepted by %(other)s, %(accepted)s. Before it was %(old)s.") % {
        "proposer": proposal.proposed_by.full_name,
        "proposed": words.moment(proposal.proposed_at, zone, now, "date"),
        "other": proposal.answered_by.full_name,
        "accepted": words.moment(proposal.answered_at, zone, now, "date"),
        "old": words.moment(proposal.old_due, zone, now, "date"),
    }


def impact(priority: int) -> str:
    """A priority by its effect, never by its number alone; what has no other way counts one higher (domain §1.6)."""
    return {
        1: _("The system or a main function does not work at all"),
        2: _("A main function works only in another way, or an auxiliary one not at all"),
        3: _("An auxiliary function works only in another way"),
        4: _("It does not get in the way of the work"),
    }[priority]


# The hours


def _hours_rule(version: CalendarVersion, now: datetime) -> str:
    if version.is_round_the_clock:
        return _("Counted round the clock, without days off.")
    told = _("Counted in these hours, Moscow time: %(hours)s.") % {"hours": hours(version, zone=words.MOSCOW, now=now)}
    if version.made_at is None:
        return told
    since = words.moment(version.valid_from, words.MOSCOW, now, "date")
    return told + " " + _("The calendar is that of %(moment)s.") % {"moment": since}


# What became of it


def _ended(commitment: Commitment, zone: tzinfo, now: datetime) -> str:
    how = how_it_ended(commitment)
    shown = {
        "how": how,
        "moment": words.moment(commitment.stopped_at, zone, now, "date") if commitment.stopped_at else "",
    }
    if commitment.ending == Commitment.Ending.MET:
        return _("Kept, %(moment)s: %(how)s.") % shown
    if commitment.ending == Commitment.Ending.CANCELLED:
        return _("Not owed any more, %(moment)s: %(how)s.") % shown
    if commitment.ending == Commitment.Ending.SUPERSEDED and _was_undone(commitment):
        return _("It had ended %(moment)s; then %(how)s, and it goes on as another promise.") % shown
    if commitment.ending == Commitment.Ending.SUPERSEDED:
        return _("Another promise took its place, %(moment)s: %(how)s.") % shown
    is_late = commitment.ending == Commitment.Ending.MISSED or (
        commitment.paused_at is None and now > commitment.due_at
    )
    if not is_late:
        return ""
    if commitment.met_late_at is not None:
        late = commitment.calendar.between(commitment.due_at, commitment.met_late_at)
        span = words.span_long(max(late, words.MINUTE), working_day_of(commitment), exact=True)
        moment = words.moment(commitment.met_late_at, zone, now, "date")
        return _("Missed. Fulfilled late, %(moment)s (%(late)s of counted time after the deadline): %(how)s.") % {
            "moment": moment,
            "late": span,
            "how": how,
        }
    if commitment.stopped_at is not None:
        return _("Missed. It ended %(moment)s: %(how)s.") % shown
    return _("Missed: the deadline has passed.")


def _was_undone(commitment: Commitment) -> bool:
    """Whether it had ended before, and that was taken back: of a contested restore, the row that the restore met."""
    return commitment.why in {"reopened", "decline contested"} or (
        commitment.why == "restore contested" and bool(commitment.evidence)
    )


def how_it_ended(commitment: Commitment) -> str:
    """The code in `why` as the end of a sentence; the code itself where there are no words for it."""
    return _ending(commitment.why, commitment.kind == PromiseKind.LINE_ACCEPTANCE)


@said_once(64)
def _ending(why: str, line: bool) -> str:
    return {
        "accepted": pgettext("ending", "the line took it")
        if line
        else pgettext("ending", "an engineer took the request"),
        "replied": pgettext("ending", "an engineer answered"),
        "call logged": pgettext("ending", "the request was taken down while talking"),
        "resolved": pgettext("ending", "the request was solved"),
        "restored": pgettext("ending", "service was back, with a way to work until the cause is removed"),
        "answered": pgettext("ending", "the escalation was answered"),
        "declined": pgettext("ending", "the request is outside support"),
        "closed": pgettext("ending", "the request was closed"),
        "returned": pgettext("ending", "the line gave it back"),
        "taken back": pgettext("ending", "who handed it over took it back"),
        "finished elsewhere": pgettext("ending", "somebody else finished the request"),
        "handed over again": pgettext("ending", "the request was handed over again"),
        "reclassified": pgettext("ending", "the request was classified anew"),
        "priority set by the customer": pgettext("ending", "the customer set another priority"),
        "restore contested": pgettext("ending", "the customer said that service was not back"),
        "reopened": pgettext("ending", "the request was reopened"),
        "decline contested": pgettext("ending", "the customer contested that it is outside support"),
        "terms applied": pgettext("ending", "other terms of the package were applied"),
        "calendar applied": pgettext("ending", "the calendar was edited"),
        "another deadline agreed": pgettext("ending", "both sides agreed on another deadline"),
        MERGED: pgettext("ending", "the request was merged with another one"),
    }.get(why, why)


def _successor(commitment: Commitment, siblings: Sequence[Commitment], zone: tzinfo, now: datetime) -> str:
    """What took the place of a superseded promise: the next row of its kind, here or in the request merged into."""
    if commitment.ending != Commitment.Ending.SUPERSEDED:
        return ""
    later = [row for row in siblings if row.pk > commitment.pk]
    if commitment.kind == PromiseKind.ESCALATION_ANSWER:  # of several that are owed at once, each has its own start
        later = [row for row in later if row.started_at == commitment.started_at]
    if not later and commitment.why == MERGED and commitment.ticket.merged_into is not None:
        return _("It goes on in request № %(number)s.") % {"number": commitment.ticket.merged_into.number}
    if not later:
        return _("Nothing is promised in its place.")
    row = min(later, key=lambda row: row.pk)
    return _("In its place: priority %(priority)d, %(target)s, deadline %(due)s.") % {
        "priority": row.priority,
        "target": _("agreed individually") if row.agreed else words.target_long(row.amount, row.unit),
        "due": words.moment(row.due_at, zone, now, "date"),
    }
