"""What a change of a package's terms would move, before anybody decides (domain §4). Writes only the preview itself.

`begin` keeps the change, `count` fills its items in chunks of constant statements, so that 50,000 open promises neither
fill the memory nor hold a page; `totals` adds them up in the database, exactly. The arithmetic is that of the clocks
(`sla.clocks.successions`, `prepared`), which `workflow.apply_terms` uses too: preview and application cannot differ.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, Sum

from accounts.models import User
from contracts import pricing, signing
from contracts.catalogue import NotChanged, TermsChange, as_change, only_editors, problems_of
from contracts.models import Contract, ContractClause, Package, PackageTerms
from contracts.price_words import refusal_words
from contracts.signing.lines import costs_of
from sla import clocks
from sla.clocks import CUSTOMER_PROMISES
from sla.models import Calendar, CalendarVersion, Commitment
from sla.promises import Promise, with_clauses
from tickets.models import Event, TermsDecision, TermsItem, Ticket
from tickets.workflow.terms import told
from tickets.workflow.waiting import GOES_ON, STANDS, stood_by

CHUNK = 500


@transaction.atomic
def begin(change: TermsChange, *, reason: str, by: User, at: datetime) -> TermsDecision:
    """Keeps a change for its preview; no terms are made. Raises `NotChanged` with all problems, and `Forbidden`."""
    only_editors(by)
    package = Package.objects.get(code=change.package)
    problems = problems_of(change, package, today=signing.moscow_day(at))
    if problems:
        raise NotChanged(problems)
    return TermsDecision.objects.create(
        package=package, change=change.as_json(), reason=reason, made_by=by, made_at=at, counted_at=at
    )


@transaction.atomic
def begin_with(terms: PackageTerms, *, reason: str, by: User, at: datetime) -> TermsDecision:
    """The preview of applying terms that are there already to more drafts and tickets. Raises `Forbidden`."""
    only_editors(by)
    return TermsDecision.objects.create(
        package=terms.package,
        terms=terms,
        change=as_change(terms).as_json(),
        reason=reason,
        made_by=by,
        made_at=at,
        counted_at=at,
    )


@transaction.atomic
def begin_again(decision: TermsDecision, *, by: User, at: datetime) -> None:
    """Counts anew, as of now; what was chosen is chosen no more. Nothing where the change is decided already."""
    only_editors(by)
    decision = TermsDecision.objects.select_for_update().get(pk=decision.pk)
    if decision.decided_at is not None:
        return
    decision.items.all().delete()
    decision.state = TermsDecision.State.COUNTING
    decision.counted_to = 0
    decision.counted_at = at
    decision.save(update_fields=["state", "counted_to", "counted_at"])


@transaction.atomic
def count(decision: TermsDecision, *, chunk: int = CHUNK) -> bool:
    """Counts the next tickets of the preview; True while there are more. Any number of jobs may do so at once."""
    decision = TermsDecision.objects.select_for_update().select_related("package").get(pk=decision.pk)
    if decision.state != TermsDecision.State.COUNTING:
        return False
    change = TermsChange.from_json(decision.change)
    if decision.counted_to == 0:
        _count_drafts(decision, change)
    tickets = list(
        Ticket.objects.open()
        .filter(terms__package=decision.package, pk__gt=decision.counted_to)
        .exclude(terms=decision.terms_id)
        .order_by("pk")[:chunk]
    )
    at = decision.counted_at
    moves = moves_of(tickets, change, at=at)
    TermsItem.objects.bulk_create(
        TermsItem(
            decision=decision,
            ticket=ticket,
            is_dated=signing.moscow_day(ticket.opened_at) >= change.starts_on,
            **_counts(moves[ticket.pk]),
        )
        for ticket in tickets
    )
    if tickets:
        decision.counted_to = tickets[-1].pk
    if len(tickets) < chunk:
        decision.state = TermsDecision.State.READY
    decision.save(update_fields=["counted_to", "state"])
    return decision.state == TermsDecision.State.COUNTING


# Tickets


def moves_of(tickets: Sequence[Ticket], change: TermsChange, *, at: datetime) -> dict[int, list[clocks.Moved]]:
    """What the change does to the running promises of these open tickets at a moment, by ticket. Writes nothing.

    Five statements, however many tickets. A promise that is the same under the new terms, or was agreed individually,
    is not among them; it goes on.
    """
    package, hours, versions = _promises(change)
    found = {ticket.pk: ticket for ticket in tickets}
    running: dict[int, list[Commitment]] = defaultdict(list)
    last: dict[int, Commitment] = {}
    applied: dict[tuple[int, int], CalendarVersion] = {}  # edits of calendars that were applied to the ticket (§4)
    rows = Commitment.objects.filter(ticket__in=found).select_related("calendar_version")
    for row in rows.order_by("started_at", "pk"):
        version = row.calendar_version
        latest = applied.get((row.ticket_id, version.calendar_id))
        if latest is None or version.valid_from > latest.valid_from:
            applied[row.ticket_id, version.calendar_id] = version
        if row.kind not in CUSTOMER_PROMISES:
            continue
        if row.is_running:
            running[row.ticket_id].append(row)
        if row.kind == CUSTOMER_PROMISES[1] and (row.ticket_id not in last or row.pk > last[row.ticket_id].pk):
            last[row.ticket_id] = row  # the one made last, as `clocks.last_resolution` has it
    waits: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    events = Event.objects.filter(ticket__in=found, verb__in=STANDS | GOES_ON).order_by("at", "pk")
    for key, verb, moment in events.values_list("ticket_id", "verb", "at"):
        waits[key].append((verb, moment))
    clauses: dict[int, list[ContractClause]] = defaultdict(list)
    agreed = ContractClause.objects.filter(contract__in={ticket.contract_id for ticket in tickets}).exclude(kind="")
    for clause in agreed.order_by("pk"):
        clauses[clause.contract_id].append(clause)

    def of(ticket: Ticket) -> list[clocks.Moved]:
        opened = ticket.opened_at
        held = [
            clause
            for clause in clauses[ticket.contract_id]
            if (clause.starts_at is None or clause.starts_at <= opened)
            and (clause.ends_at is None or clause.ends_at > opened)
        ]
        promises = with_clauses(package, hours, held)
        steps = clocks.successions(
            ticket, running[ticket.pk], last.get(ticket.pk), promises, stood=stood_by(waits[ticket.pk])
        )
        moved = []
        for step in clocks.moved_by(steps):
            new = None
            if step.promise is not None:
                version = _version_at(versions[step.promise.calendar.pk], opened)
                pinned = applied.get((ticket.pk, step.promise.calendar.pk), version)
                version = max(version, pinned, key=lambda one: one.valid_from)  # as `clocks.pinned_version`
                new = clocks.prepared(
                    ticket, step.promise, version, (), at=step.began, pauses=step.pauses, paused_at=step.paused_at
                )
            due, was_late = (step.old.due_at, clocks.is_late(step.old, at)) if step.old else (None, False)
            moved.append(clocks.moved_to(step, due, was_late, new, at=at))
        return moved

    return {key: of(ticket) for key, ticket in found.items()}


def _promises(
    change: TermsChange,
) -> tuple[dict[tuple[str, int], Promise], Calendar, dict[int, list[CalendarVersion]]]:
    """The promises of the change as the clocks read them, the service hours, and every version of the calendars."""
    calendars = {calendar.code: calendar for calendar in Calendar.objects.prefetch_related("versions")}
    promises = {
        (str(target.kind), target.priority): Promise(
            str(target.kind),
            target.priority,
            target.amount,
            str(target.unit),
            calendars[target.calendar or change.calendar],
        )
        for target in change.targets
    }
    versions = {
        calendar.pk: sorted(calendar.versions.all(), key=lambda version: version.valid_from)
        for calendar in calendars.values()
    }
    return promises, calendars[change.calendar], versions


def _version_at(versions: Iterable[CalendarVersion], at: datetime) -> CalendarVersion:
    """As `Calendar.version_at`, from rows that are there already, oldest first."""
    versions = list(versions)
    return next((version for version in reversed(versions) if version.valid_from <= at), versions[0])


def _counts(moves: Sequence[clocks.Moved]) -> dict[str, Any]:
    moved = sum(one.old_due is not None and one.new_due is not None and one.old_due != one.new_due for one in moves)
    missed = sum(one.missed for one in moves)
    appear = sum(one.old_due is None and one.new_due is not None for one in moves)
    vanish = sum(one.old_due is not None and one.new_due is None for one in moves)
    rank = TermsItem.Rank.STAYS
    if missed:
        rank = TermsItem.Rank.MISSED
    elif moved or appear or vanish:
        rank = TermsItem.Rank.MOVES
    return {
        "moves": [told(one) for one in moves],
        "rank": rank,
        "moved": moved,
        "missed": missed,
        "appear": appear,
        "vanish": vanish,
    }


# Drafts


def _count_drafts(decision: TermsDecision, change: TermsChange) -> None:
    drafts = drafts_of(decision.package).exclude(terms=decision.terms_id)
    items = []
    for draft in drafts.iterator(chunk_size=CHUNK):
        quoted = requoted(draft, change)
        items.append(
            TermsItem(
                decision=decision,
                contract=draft,
                rank=TermsItem.Rank.STAYS
                if quoted.get("total_from") == quoted.get("total_to")
                else TermsItem.Rank.MOVES,
                is_dated=draft.starts_on >= change.starts_on,
                moves=quoted,
                difference=difference_of(quoted),
            )
        )
    TermsItem.objects.bulk_create(items, batch_size=CHUNK)


def drafts_of(package: Package) -> Any:
    """The open drafts of a package, by their first day."""
    return (
        Contract.objects.filter(state=Contract.State.DRAFT, terms__package=package)
        .select_related("customer", "terms__package", "terms__calendar")
        .order_by("starts_on", "pk")
    )


def requoted(draft: Contract, change: TermsChange) -> dict[str, str]:
    """What the draft costs on its terms and on the new ones, EUR as decimal strings; or why it has no price.

    Keys: `yearly_from`, `total_from`, `yearly_to`, `total_to`; `refusal_from`, `refusal_to`.
    """
    licences = signing.covered_licences(draft)
    found = _quoted(signing.prices_of(draft.terms), draft, licences, "from")
    return found | _quoted(change.prices, draft, licences, "to")


def _quoted(prices: Mapping, draft: Contract, licences: Sequence, side: str) -> dict[str, str]:
    try:
        quote = pricing.quote(prices, costs_of(licences), starts_on=draft.starts_on, ends_on=draft.ends_on)
    except pricing.PricingError as refusal:
        return {f"refusal_{side}": refusal_words(refusal)}
    return {f"yearly_{side}": str(quote.yearly), f"total_{side}": str(quote.total)}


def difference_of(quoted: Mapping[str, str]) -> Decimal | None:
    """By how much the price of the draft's term changes, EUR; None where either has no price."""
    if "total_from" not in quoted or "total_to" not in quoted:
        return None
    return Decimal(quoted["total_to"]) - Decimal(quoted["total_from"])


# Adding up


@dataclass(frozen=True)
class Totals:
    """What a preview moves: drafts and their money, tickets, and promises by what happens to them."""

    drafts: int
    difference: Decimal
    tickets: int
    touched: int  # tickets with anything that moves
    moved: int
    missed: int
    appear: int
    vanish: int


def totals(decision: TermsDecision, only: Q | None = None) -> Totals:
    """The sums of the preview, exact, in one statement; `only` narrows the items, say to `Q(is_dated=True)`."""
    items = decision.items.filter(only) if only is not None else decision.items.all()
    found: dict[str, Any] = items.aggregate(
        drafts=Count("contract"),
        difference=Sum("difference"),
        tickets=Count("ticket"),
        touched=Count("ticket", filter=~Q(rank=TermsItem.Rank.STAYS)),
        moved=Sum("moved"),
        missed=Sum("missed"),
        appear=Sum("appear"),
        vanish=Sum("vanish"),
    )
    difference: Decimal = found.pop("difference") or Decimal(0)
    return Totals(difference=difference, **{name: int(value or 0) for name, value in found.items()})
