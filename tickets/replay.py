"""Replay: every commitment of a ticket recomputed from its events alone (domain §4.3).

What goes in: the events in the order in which they were written (append-only; each was written under the ticket's
lock), and what the ticket is pinned to: terms, contract with its clauses, calendar versions of the receipt. What comes
out: the rows as they should stand. `sla/clocks.py` and the verbs, which write those rows, are not called, or this
would prove nothing; the rules stand here a second time, as the domain has them. `tickets/verification.py` compares.

Shared with the clocks, and so not proven here: working-time arithmetic (`sla/business_time.py`, which has an oracle
of its own), the value `Promise`, and that a clause goes before the package (`promises.with_clauses`). Not told: the
rungs, which the sweep's own tests hold to the ladder, and the words of the evidence.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from accounts.models import Line
from contracts.models import ContractClause, PackageTerms, PromiseKind, TermsTarget, TicketKind
from sla import clocks
from sla.models import Calendar, CalendarVersion, Commitment
from sla.promises import Promise, with_clauses
from tickets.workflow.lines import FINISHED_ELSEWHERE, TAKEN_BACK

CHUNK = 500
Ending = Commitment.Ending
Span = tuple[datetime, datetime]

# What no clock hears. They are not read at all; any other verb that replay does not know is reported.
SILENT = frozenset(
    {
        "acknowledged",
        "called_in",
        "contact_changed",
        "deadline_lapsed",
        "deadline_proposed",
        "deadline_refused",
        "deadline_withdrawn",
        "defect_attached",
        "defect_released",
        "linked",
        "major_coordinator",
        "major_declared",
        "major_left",
        "major_linked",
        "noted",
        "priority_proposed",
        "rated",
        "time_corrected",
        "time_logged",
        "undelivered",
        "unlinked",
    }
)


class Happened(NamedTuple):
    """One event as replay reads it."""

    verb: str
    at: datetime
    by: int | None
    by_name: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pins:
    """What a ticket is tied to since its receipt. `terms` are those it stands on now, after all that were applied."""

    pk: int
    number: int
    opened_at: datetime
    terms: int
    contract: int
    priority: int = 4  # only for events of old that did not say
    kind: str = TicketKind.INCIDENT


@dataclass(slots=True)
class Row:
    """A commitment as both sides are compared: the stored row, or the one that the events give. Moments are UTC.

    `pauses` are merged where they touch: whether a wait was written down in one piece or in two says nothing.
    """

    kind: str
    priority: int
    amount: int
    unit: str
    target: timedelta
    terms: int | None
    clause: int | None
    calendar_version: int
    started_at: datetime
    agreed: bool = False
    pauses: tuple[Span, ...] = ()
    paused_at: datetime | None = None
    due_at: datetime | None = None
    ending: str = Ending.RUNNING
    stopped_at: datetime | None = None
    met_late_at: datetime | None = None
    why: str = ""

    @property
    def runs(self) -> bool:
        return self.stopped_at is None

    def is_late(self, at: datetime) -> bool:
        """ "At most" holds to the deadline's own instant; a clock that stands is not late (domain §4.1)."""
        return self.ending == Ending.MISSED or (self.paused_at is None and self.due_at is not None and at > self.due_at)


# The catalogue: what was promised under which terms


class Catalogue:
    """Terms, calendars and lines, read once for a whole run: they are few, and their editions never change."""

    def __init__(self) -> None:
        calendars = {row.pk: row for row in Calendar.objects.all()}
        self.versions: dict[int, list[CalendarVersion]] = defaultdict(list)
        self.version: dict[int, CalendarVersion] = {}
        for version in CalendarVersion.objects.order_by("valid_from"):
            self.versions[version.calendar_id].append(version)
            self.version[version.pk] = version
        self.targets: dict[int, dict[tuple[str, int], Promise]] = defaultdict(dict)
        for row in TermsTarget.objects.all():
            self.targets[row.terms_id][row.kind, row.priority] = Promise(
                row.kind, row.priority, row.amount, row.unit, calendars[row.calendar_id]
            )
        self.hours: dict[int, Calendar] = {}
        self.terms_on: dict[tuple[str, str], int] = {}
        self.package: dict[int, str] = {}
        for terms in PackageTerms.objects.select_related("package"):
            self.hours[terms.pk] = calendars[terms.calendar_id]
            self.package[terms.pk] = terms.package.code
            self.terms_on[terms.package.code, terms.starts_on.isoformat()] = terms.pk
        self.accept_within = {line.pk: int(line.accept_within.total_seconds() // 60) for line in Line.objects.all()}
        self._promised: dict[tuple[int, tuple[int, ...]], dict[tuple[str, int], Promise]] = {}

    def version_at(self, calendar: Calendar, at: datetime) -> CalendarVersion:
        """The edition of the calendar that a ticket received at this moment is pinned to (domain §4)."""
        versions = self.versions[calendar.pk]
        return versions[max(0, bisect_right(versions, at, key=lambda version: version.valid_from) - 1)]

    def promises(self, terms: int, clauses: Sequence[ContractClause]) -> Mapping[tuple[str, int], Promise]:
        key = (terms, tuple(clause.pk for clause in clauses))
        if key not in self._promised:
            self._promised[key] = with_clauses(self.targets[terms], self.hours[terms], clauses)
        return self._promised[key]


# The story of one ticket


class UnknownEvent(Exception):
    """The events hold something that replay has no rule for: it would have to guess."""


@dataclass
class Story:
    """A ticket as its events tell it, one after the other; `rows` are its commitments so far, as they came to be."""

    pins: Pins
    clauses: Sequence[ContractClause]
    catalogue: Catalogue
    terms: int
    priority: int = 4
    kind: str = TicketKind.INCIDENT
    rows: list[Row] = field(default_factory=list)
    is_new: bool = True
    # Who works on it; an event of old knows the name alone.
    assignee: int | str | None = None
    handed_over_by: int | None = None
    waits: list[Span] = field(default_factory=list)  # when it waited for its customer
    waits_since: datetime | None = None
    answers: dict[int, Row] = field(default_factory=dict)  # by the escalation that is to be answered
    pinned: dict[int, CalendarVersion] = field(default_factory=dict)  # by calendar, where another one was applied
    restored: Row | None = None  # what the last restore has met

    def hear(self, event: Happened) -> None:
        """Applies one event. Raises `UnknownEvent` for a verb that there is no rule for."""
        rule = RULES.get(event.verb)
        if rule is None:
            raise UnknownEvent(event.verb)
        rule(self, event)

    # What several events do

    def promised(self, kind: str) -> Promise | None:
        if kind == PromiseKind.RESOLUTION and self.kind != TicketKind.INCIDENT:
            return None  # only incidents are promised one (domain §1.5)
        return self.catalogue.promises(self.terms, self.clauses).get((kind, self.priority))

    def begin(
        self,
        promise: Promise | None,
        at: datetime,
        *,
        pauses: Sequence[Span] = (),
        paused_at: datetime | None = None,
    ) -> Row | None:
        """A clock on the calendar as it was at the receipt. One that was over before the wait began does not stand."""
        if promise is None:
            return None
        row = Row(
            kind=promise.kind,
            priority=promise.priority,
            amount=promise.amount,
            unit=promise.unit,
            target=promise.target,
            terms=self.terms,
            clause=promise.clause.pk if promise.clause else None,
            calendar_version=self.version_of(promise.calendar).pk,
            started_at=at,
            pauses=tuple(pauses),
            paused_at=paused_at,
        )
        self.add(row)
        return row

    def version_of(self, calendar: Calendar) -> CalendarVersion:
        """The edition that the ticket is pinned to: of its receipt, or one that was applied to it since."""
        return self.pinned.get(calendar.pk) or self.catalogue.version_at(calendar, self.pins.opened_at)

    def add(self, row: Row) -> None:
        self.count(row)
        assert row.due_at is not None
        if row.paused_at is not None and row.due_at < row.paused_at:
            row.paused_at = None
        self.rows.append(row)

    def count(self, row: Row) -> None:
        calendar = self.catalogue.version[row.calendar_version].working_calendar()
        row.due_at = (
            calendar.add_with_pauses(row.started_at, row.target, row.pauses)
            if row.pauses
            else calendar.add(row.started_at, row.target)
        )

    def running(self, *kinds: str) -> list[Row]:
        return sorted((row for row in self.rows if row.runs and row.kind in kinds), key=lambda row: row.started_at)

    def stop(self, row: Row, at: datetime, why: str) -> None:
        self.stand_no_more(row, at)
        row.stopped_at = at
        row.why = why

    def stand_no_more(self, row: Row, at: datetime) -> None:
        if row.paused_at is not None:
            if at > row.paused_at:
                row.pauses = joined([*row.pauses, (row.paused_at, at)])
                self.count(row)
            row.paused_at = None

    def fulfil(self, kind: str, at: datetime, why: str) -> list[Row]:
        kept = self.running(kind)
        for row in kept:
            self.fulfil_row(row, at, why)
        return kept

    def fulfil_row(self, row: Row, at: datetime, why: str) -> None:
        self.stand_no_more(row, at)
        if row.is_late(at):
            row.ending, row.met_late_at = Ending.MISSED, at
        else:
            row.ending = Ending.MET
        self.stop(row, at, why)

    def leave(self, row: Row, at: datetime, why: str, ending: str) -> None:
        """A clock ends without being fulfilled: what was late by then stays missed."""
        row.ending = Ending.MISSED if row.is_late(at) else ending
        self.stop(row, at, why)

    def react(self, at: datetime, why: str) -> None:
        self.fulfil(PromiseKind.REACTION, at, why)
        self.is_new = False

    def line_has_it(self, at: datetime) -> None:
        self.fulfil(PromiseKind.LINE_ACCEPTANCE, at, "accepted")

    def wait(self, at: datetime) -> None:
        self.waits_since = self.waits_since or at

    def wait_no_more(self, at: datetime) -> None:
        """The customer's turn is over: what stood goes on."""
        for row in self.running(PromiseKind.RESOLUTION):
            self.stand_no_more(row, at)
        if self.waits_since is not None and at > self.waits_since:
            self.waits.append((self.waits_since, at))
        self.waits_since = None

    def waited(self, since: datetime, until: datetime | None = None) -> list[Span]:
        """When it waited for the customer from `since` on; with `until`, the wait that goes on up to then included."""
        spans = list(self.waits)
        if until is not None and self.waits_since is not None:
            spans.append((self.waits_since, until))
        cut = [(max(first, since), min(last, until) if until else last) for first, last in spans]
        return [(first, last) for first, last in cut if first < last]

    def undo(self, row: Row, at: datetime, why: str) -> None:
        """What ended a promise is taken back: it goes on from its start, the customer's turns since then cut out."""
        assert row.stopped_at is not None
        pauses = joined([*row.pauses, *self.waited(row.stopped_at, at)])
        if row.ending == Ending.MISSED:
            row.met_late_at = row.stopped_at = None
            row.pauses, row.why = pauses, why
            self.count(row)
            return
        again = replace(row, pauses=pauses, ending=Ending.RUNNING, stopped_at=None, met_late_at=None, why="")
        row.ending, row.why = Ending.SUPERSEDED, why
        self.count(again)
        self.rows.append(again)

    def recount(self, at: datetime, why: str, *, only_changed: bool = False) -> None:
        """The running promises to the customer are counted anew from their true start, every wait cut out (§3.4)."""
        # Which the last one was, and how it had ended, is asked before anything is superseded.
        last = next((row for row in reversed(self.rows) if row.kind == PromiseKind.RESOLUTION), None)
        given_up = last is None or last.ending == Ending.SUPERSEDED
        running = self.running(PromiseKind.REACTION, PromiseKind.RESOLUTION)
        for row in running:
            promise = self.promised(row.kind)
            if only_changed and (row.agreed or self.is_same(row, promise)):
                continue
            self.leave(row, at, why, Ending.SUPERSEDED)
            if row.kind == PromiseKind.REACTION:
                self.begin(promise, row.started_at)
            else:
                self.begin_resolution(promise, row.started_at)
        if given_up and not any(row.kind == PromiseKind.RESOLUTION for row in running):
            self.begin_resolution(
                self.promised(PromiseKind.RESOLUTION), last.started_at if last else self.pins.opened_at
            )

    def begin_resolution(self, promise: Promise | None, began: datetime) -> None:
        since = max(self.waits_since, began) if self.waits_since else None
        self.begin(promise, began, pauses=joined(self.waited(began)), paused_at=since)

    def is_same(self, row: Row, promise: Promise | None) -> bool:
        if promise is None or self.catalogue.version[row.calendar_version].calendar_id != promise.calendar.pk:
            return False
        clause = promise.clause.pk if promise.clause else None
        runs_on = (row.priority, row.amount, row.unit, row.clause)
        return runs_on == (promise.priority, promise.amount, promise.unit, clause)


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans in order, those that touch or overlap made one."""
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return tuple(found)


# What each event means (domain §3.2–§3.4, §4.1)


def _opened(story: Story, event: Happened) -> None:
    story.priority = event.details.get("priority", story.priority)
    story.kind = event.details.get("kind", story.kind)
    story.begin(story.promised(PromiseKind.REACTION), event.at)
    story.begin(story.promised(PromiseKind.RESOLUTION), event.at)
    if event.details.get("call"):
        story.fulfil(PromiseKind.REACTION, event.at, clocks.CALL_LOGGED)


def _accepted(story: Story, event: Happened) -> None:
    story.assignee = event.by
    story.line_has_it(event.at)
    story.react(event.at, "accepted")


def _replied(story: Story, event: Happened) -> None:
    if story.is_new and _took(event):
        story.assignee = event.by
    if _works_on_it(story, event):
        story.line_has_it(event.at)
    story.react(event.at, "replied")


def _told(story: Story, event: Happened) -> None:
    """A message to the customers of many requests: the reaction ends, nobody takes the request by it."""
    story.react(event.at, "replied")


def _took(event: Happened) -> bool:
    """Whether who spoke took the ticket by it: not what waits for a line that is not theirs."""
    return event.details.get("took", True)


def _works_on_it(story: Story, event: Happened) -> bool:
    return story.assignee is not None and story.assignee in (event.by, event.by_name)


def _asked_customer(story: Story, event: Happened) -> None:
    if story.assignee is None and _took(event):
        story.assignee = event.by
    if _works_on_it(story, event):
        story.line_has_it(event.at)
    story.react(event.at, "replied")
    story.wait(event.at)
    for row in story.running(PromiseKind.RESOLUTION):
        if row.paused_at is None and not row.is_late(event.at):
            row.paused_at = event.at


def _heard(story: Story, event: Happened) -> None:
    story.wait_no_more(event.at)


def _resolved(story: Story, event: Happened) -> None:
    for row in story.running(PromiseKind.RESOLUTION):
        story.stand_no_more(row, event.at)
    if story.assignee is None:
        story.assignee = event.by
    _line_is_done(story, event)
    story.react(event.at, "replied")
    story.fulfil(PromiseKind.RESOLUTION, event.at, "resolved")
    story.wait(event.at)  # solved is the customer's turn too


def _reopened(story: Story, event: Happened) -> None:
    _undo_last(story, event, "resolved", "reopened")
    story.wait_no_more(event.at)


def _undo_last(story: Story, event: Happened, ended_by: str, why: str) -> None:
    ended = [row for row in story.rows if row.kind == PromiseKind.RESOLUTION and row.why == ended_by]
    if ended:
        story.undo(ended[-1], event.at, why)


def _line_is_done(story: Story, event: Happened) -> None:
    """The ticket is finished: the line has had it, unless somebody else finished it."""
    if event.details.get("line_took_it", True):
        story.line_has_it(event.at)
    for row in story.running(PromiseKind.LINE_ACCEPTANCE):
        story.leave(row, event.at, FINISHED_ELSEWHERE, Ending.CANCELLED)


def _declined(story: Story, event: Happened) -> None:
    _line_is_done(story, event)
    story.react(event.at, "replied")
    _end_all(story, event.at, "declined")


def _contested(story: Story, event: Happened) -> None:
    _undo_last(story, event, "declined", "decline contested")


def _ended(story: Story, event: Happened) -> None:
    _end_all(story, event.at, "closed")


def _end_all(story: Story, at: datetime, why: str) -> None:
    """The answer to an escalation is still owed; all else ends with the ticket."""
    for row in story.running(PromiseKind.REACTION, PromiseKind.RESOLUTION, PromiseKind.LINE_ACCEPTANCE):
        story.leave(row, at, why, Ending.CANCELLED)


def _merged(story: Story, event: Happened) -> None:
    """What goes on in the other ticket gives way to its clock there; all else ends here (domain §4.4)."""
    for row in story.running(*event.details["carried"]):
        story.leave(row, event.at, clocks.MERGED, Ending.SUPERSEDED)
    _end_all(story, event.at, clocks.MERGED)


def _merged_in(story: Story, event: Happened) -> None:
    """The stricter promises of the merged ticket go on in this one; the event holds them whole."""
    for one in event.details["promises"]:
        for row in story.running(one["kind"]):
            story.leave(row, event.at, clocks.MERGED, Ending.SUPERSEDED)
        version = story.catalogue.version[one["version"]]
        stands = story.waits_since is not None and one["kind"] == PromiseKind.RESOLUTION
        story.add(
            Row(
                kind=one["kind"],
                priority=one["priority"],
                amount=one["amount"],
                unit=one["unit"],
                target=timedelta(seconds=one["seconds"]),
                terms=one["terms"],
                clause=one["clause"],
                calendar_version=version.pk,
                started_at=datetime.fromisoformat(one["started"]),
                agreed=one["agreed"],
                pauses=joined((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in one["pauses"]),
                paused_at=event.at if stands else None,
            )
        )
        # A ticket counts on the youngest edition that a clock of it stands on (`clocks.pinned_version`).
        if version.valid_from > story.version_of(version.calendar).valid_from:
            story.pinned[version.calendar_id] = version


def _restored(story: Story, event: Happened) -> None:
    story.wait_no_more(event.at)
    story.restored = next(iter(story.fulfil(PromiseKind.RESOLUTION, event.at, "restored")), None)
    story.priority = event.details["to"]
    story.begin(story.promised(PromiseKind.RESOLUTION), event.at)
    story.react(event.at, "replied")


def _restore_contested(story: Story, event: Happened) -> None:
    story.priority = event.details["to"]
    if story.restored is None:  # it met nothing: there is only the priority to be put right
        story.recount(event.at, "restore contested")
    else:
        for row in story.running(PromiseKind.RESOLUTION):
            story.leave(row, event.at, "restore contested", Ending.SUPERSEDED)
        if story.kind == TicketKind.INCIDENT:
            story.undo(story.restored, event.at, "restore contested")
    story.restored = None
    story.wait_no_more(event.at)


def _reclassified(story: Story, event: Happened) -> None:
    story.priority = event.details["to"]
    story.kind = event.details.get("kind_to", story.kind)
    story.recount(event.at, "reclassified")


def _priority_set(story: Story, event: Happened) -> None:
    story.priority = event.details["to"]
    story.recount(event.at, "priority set by the customer")


def _terms_applied(story: Story, event: Happened) -> None:
    story.terms = story.catalogue.terms_on[event.details["package"], event.details["to"]]
    story.recount(event.at, "terms applied", only_changed=True)


def _deadline_agreed(story: Story, event: Happened) -> None:
    """Both sides signed another instant: the clock's target is what lies before it, less the waits (domain §4.2)."""
    due = datetime.fromisoformat(event.details["to"])
    for old in story.running(PromiseKind.RESOLUTION):
        story.leave(old, event.at, clocks.AGREED, Ending.SUPERSEDED)
        waits = joined(story.waited(old.started_at, event.at))
        calendar = story.catalogue.version[old.calendar_version].working_calendar()
        row = replace(
            old,
            target=calendar.between_with_pauses(old.started_at, due, waits),
            agreed=True,
            pauses=waits,
            paused_at=event.at if story.waits_since is not None else None,
            ending=Ending.RUNNING,
            stopped_at=None,
            met_late_at=None,
            why="",
        )
        story.count(row)
        story.rows.append(row)


def _calendar_applied(story: Story, event: Happened) -> None:
    """What runs on this calendar and is not late goes over to another version of it, and so does all that follows."""
    version = story.catalogue.version[event.details["version"]]
    story.pinned[version.calendar_id] = version
    kinds = (
        PromiseKind.REACTION,
        PromiseKind.RESOLUTION,
        PromiseKind.LINE_ACCEPTANCE,
        PromiseKind.ESCALATION_ANSWER,
    )
    for old in story.running(*kinds):
        stands_on = story.catalogue.version[old.calendar_version]
        if old.agreed or old.is_late(event.at) or stands_on.calendar_id != version.calendar_id or stands_on == version:
            continue
        row = replace(old, calendar_version=version.pk)
        story.leave(old, event.at, "calendar applied", Ending.SUPERSEDED)
        story.add(row)
        story.answers = {key: row if owed is old else owed for key, owed in story.answers.items()}


def _handed_over(story: Story, event: Happened) -> None:
    for row in story.running(PromiseKind.LINE_ACCEPTANCE):
        story.leave(row, event.at, "handed over again", Ending.CANCELLED)
    story.assignee, story.handed_over_by = None, event.by
    # An event of old does not say how long the line had: the line as it is now does.
    minutes = event.details.get("accept_within") or story.catalogue.accept_within[event.details["to"]]
    hours = story.catalogue.hours[story.terms]
    story.begin(
        Promise(PromiseKind.LINE_ACCEPTANCE, story.priority, minutes, TermsTarget.Unit.MINUTES, hours), event.at
    )


def _returned(story: Story, event: Happened) -> None:
    for row in story.running(PromiseKind.LINE_ACCEPTANCE):
        story.leave(row, event.at, "returned", Ending.CANCELLED)
    story.assignee = story.handed_over_by


def _taken_back(story: Story, event: Happened) -> None:
    for row in story.running(PromiseKind.LINE_ACCEPTANCE):
        story.leave(row, event.at, TAKEN_BACK, Ending.CANCELLED)
    story.assignee = event.by


def _assigned(story: Story, event: Happened) -> None:
    story.assignee = event.details.get("assignee") or event.details["to"]


def _assignment_undone(story: Story, event: Happened) -> None:
    story.assignee = event.details["assignee"]


def _escalated(story: Story, event: Happened) -> None:
    row = story.begin(story.promised(PromiseKind.ESCALATION_ANSWER), event.at)
    if row is not None:
        story.answers[event.details["escalation"]] = row


def _escalation_answered(story: Story, event: Happened) -> None:
    row = story.answers.get(event.details["escalation"])
    if row is not None and row.runs:
        story.fulfil_row(row, event.at, "answered")
    if event.details.get("in_public"):  # an answer to the customer is a reply; events of old did not say so
        _told(story, event)


RULES: dict[str, Callable[[Story, Happened], None]] = {
    "opened": _opened,
    "accepted": _accepted,
    "replied": _replied,
    "told": _told,
    "asked_customer": _asked_customer,
    "customer_replied": _heard,
    "stopped_waiting": _heard,
    "resolved": _resolved,
    "reopened": _reopened,
    "confirmed": _ended,
    "closed_silent": _ended,
    "withdrawn": _ended,
    "declined": _declined,
    "contested": _contested,
    "merged": _merged,
    "merged_in": _merged_in,
    "restored": _restored,
    "restore_contested": _restore_contested,
    "reclassified": _reclassified,
    "priority_set": _priority_set,
    "terms_applied": _terms_applied,
    "calendar_applied": _calendar_applied,
    "deadline_agreed": _deadline_agreed,
    "handed_over": _handed_over,
    "returned": _returned,
    "taken_back": _taken_back,
    "assigned": _assigned,
    "assignment_undone": _assignment_undone,
    "escalated": _escalated,
    "escalation_answered": _escalation_answered,
}


def replayed(
    pins: Pins, events: Sequence[Happened], clauses: Sequence[ContractClause], catalogue: Catalogue
) -> list[Row]:
    """The commitments that these events, oldest first, make of a ticket, in the order in which they came to be.

    A running one that is late is still "" here: when it is missed depends on the moment asked about. `clauses` are all
    of the contract. Raises `UnknownEvent`.
    """
    applied = [event for event in events if event.verb == "terms_applied"]
    terms = pins.terms
    if applied:
        terms = catalogue.terms_on[applied[0].details["package"], applied[0].details["from"]]
    reclassified = [event for event in events if event.verb in {"reclassified", "priority_set", "restored"}]
    story = Story(
        pins,
        [clause for clause in clauses if clause.kind and in_force(clause, pins.opened_at)],
        catalogue,
        terms,
        priority=reclassified[0].details["from"] if reclassified else pins.priority,
        kind=next((e.details["kind_from"] for e in reclassified if "kind_from" in e.details), pins.kind),
    )
    for event in events:
        story.hear(event)
    return story.rows


def in_force(clause: ContractClause, at: datetime) -> bool:
    return (clause.starts_at is None or clause.starts_at <= at) and (clause.ends_at is None or clause.ends_at > at)
