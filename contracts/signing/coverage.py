"""Coverage gaps: support is mandatory for as long as the software is used (domain §1.1).

A day is uncovered where a licence of the customer is in force and no signed contract is. Days are Moscow's.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models.functions import Coalesce

from contracts.models import Contract, CoverageGap, Customer, Licence
from contracts.signing.history import happened
from contracts.signing.refusals import moscow_day

DAY = timedelta(days=1)


class Span(NamedTuple):
    """Days from the first to the last, both included; no last day: for good."""

    first: date
    last: date | None

    def holds(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


def first_uncovered_day(licences: Iterable[Span], contracts: Iterable[Span], day: date) -> date | None:
    """The first of the uncovered days in a row that this day belongs to; None where it is covered or unlicensed.

    That is the later of the day on which the licences in force began, one after another, and the day after the last
    covered one.
    """
    licences, contracts = list(licences), list(contracts)
    if any(span.holds(day) for span in contracts) or not any(span.holds(day) for span in licences):
        return None
    begun = min(span.first for span in licences if span.holds(day))
    while (before := min((one.first for one in licences if one.holds(begun - DAY)), default=begun)) < begun:
        begun = before
    covered = [span.last for span in contracts if span.last is not None and span.last < day]
    return max(begun, max(covered) + DAY) if covered else begun


def last_uncovered_day(licences: Iterable[Span], contracts: Iterable[Span], starts_on: date, day: date) -> date:
    """The last uncovered day of the gap that began on `starts_on`, looked at on this day; `day` while it goes on.

    The day before `starts_on` says that there was no gap: a contract was signed, or a licence put right, for then.
    """
    licences, contracts = list(licences), list(contracts)
    covered = min(
        (max(span.first, starts_on) for span in contracts if span.last is None or span.last >= starts_on),
        default=date.max,
    )
    used = starts_on - DAY
    while (reach := [one for one in licences if one.holds(used + DAY)]) and used < day:
        ends = [one.last for one in reach if one.last is not None]
        used = day if len(ends) < len(reach) else max(ends)
    return min(covered - DAY, used, day)


def notice_gaps(*, at: datetime) -> tuple[int, int]:
    """Opens the gaps that have begun and closes those that have ended; how many of each (domain §1.1).

    A constant number of statements, however many customers. The customers are locked meanwhile, so that a contract
    being signed is waited for. Safe to run twice and at once.
    """
    closed = _close_gaps(at)
    return _open_gaps(at), closed


@transaction.atomic
def _open_gaps(at: datetime) -> int:
    today = moscow_day(at)
    waiting = Customer.objects.without_cover(today).exclude(gaps__in=CoverageGap.objects.filter(ended_on__isnull=True))
    found = _locked(waiting.values_list("pk", flat=True))
    # Read anew behind the locks: somebody may have signed, or another job opened it, while this one waited.
    customers = {customer.pk: customer for customer in waiting.filter(pk__in=found)} if found else {}
    licences, contracts = _spans(customers)
    gaps = []
    for pk, customer in customers.items():
        starts_on = first_uncovered_day(licences[pk], contracts[pk], today)
        if starts_on is not None:
            gaps.append(CoverageGap(customer=customer, starts_on=starts_on, noticed_at=at))
    CoverageGap.objects.bulk_create(gaps, batch_size=1000)
    _record([happened("gap_opened", customer=gap.customer, by=None, at=at, starts_on=gap.starts_on) for gap in gaps])
    return len(gaps)


@transaction.atomic
def _close_gaps(at: datetime) -> int:
    today = moscow_day(at)
    still_open = CoverageGap.objects.filter(ended_on__isnull=True)
    candidates = {gap.customer_id: gap for gap in still_open}
    licences, contracts = _spans(candidates)
    over = [pk for pk, gap in candidates.items() if _ending(gap, licences, contracts, today) < today]
    if not over:
        return 0
    locked = _locked(over)
    gaps = list(still_open.filter(customer__in=locked).select_related("customer").select_for_update(of=("self",)))
    licences, contracts = _spans(locked)
    ended, never = [], []
    for gap in gaps:
        last = _ending(gap, licences, contracts, today)
        if gap.starts_on <= last < today:
            gap.ended_on = last
            ended.append(gap)
        elif last < today:
            never.append(gap)
    CoverageGap.objects.bulk_update(ended, ["ended_on"], batch_size=1000)
    # A contract signed for the very first day: the customer was covered, and the log says what was thought before.
    CoverageGap.objects.filter(pk__in=[gap.pk for gap in never]).delete()
    _record(
        [
            happened(
                "gap_closed",
                customer=gap.customer,
                by=None,
                at=at,
                starts_on=gap.starts_on,
                **_ended(gap),
            )
            for gap in [*ended, *never]
        ]
    )
    return len(ended) + len(never)


def _ending(gap: CoverageGap, licences: dict[int, list[Span]], contracts: dict[int, list[Span]], today: date) -> date:
    pk = gap.customer_id
    return last_uncovered_day(licences[pk], contracts[pk], gap.starts_on, today)


def _locked(customers: Iterable[int]) -> list[int]:
    """These customers' rows, locked in the order of their keys, as every verb of a contract locks them first."""
    rows = Customer.objects.filter(pk__in=list(customers)).order_by("pk").select_for_update(of=("self",))
    return list(rows.values_list("pk", flat=True))


def _spans(customers: Iterable[int]) -> tuple[dict[int, list[Span]], dict[int, list[Span]]]:
    """The days of licences and of signed contracts, by customer: two statements."""
    wanted = list(customers)
    licences, contracts = defaultdict(list), defaultdict(list)
    if wanted:
        for pk, first, last in Licence.objects.filter(customer__in=wanted).values_list(
            "customer_id", "starts_on", "ends_on"
        ):
            licences[pk].append(Span(first, last))
        signed = Contract.objects.filter(customer__in=wanted, signed_at__isnull=False)
        ended = Coalesce("terminated_on", "ends_on")
        for pk, first, last in signed.annotate(last_day=ended).values_list("customer_id", "starts_on", "last_day"):
            contracts[pk].append(Span(first, last))
    return licences, contracts


def _ended(gap: CoverageGap) -> dict[str, Any]:
    return {"ended_on": gap.ended_on} if gap.ended_on else {}


def _record(events: list) -> None:
    if events:
        type(events[0])._default_manager.bulk_create(events, batch_size=1000)
