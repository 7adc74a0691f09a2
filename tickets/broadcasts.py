"""A message to many is carried out: each request in a transaction of its own, with what became of it (domain §3.3).

The rows are the job (`BroadcastItem`): a killed worker repeats nothing and forgets nothing, two at once do not meet.
A request that a rule refuses is left as it is, with the rule's words, and never stops the rest.
"""

import time
from datetime import datetime

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from accounts.refusals import Refused
from tickets import workflow
from tickets.models import Broadcast, BroadcastItem, State, Ticket, in_language

INLINE_SECONDS = 2.0  # of a request; the job does the rest
Kind, Outcome = Broadcast.Kind, BroadcastItem.Outcome


def at_work() -> QuerySet[Broadcast]:
    """Messages with requests that wait, oldest first; `broadcast_at_work` is the index of it."""
    return Broadcast.objects.filter(finished_at__isnull=True).order_by("pk")


def with_counts(broadcasts: QuerySet[Broadcast]) -> QuerySet[Broadcast]:
    """With `total`, `done` and `skipped`, as pages show how far a message is."""
    return broadcasts.select_related("by").annotate(
        total=Count("items"),
        done=Count("items", filter=~Q(items__outcome="")),
        skipped=Count("items", filter=Q(items__outcome="skipped")),
    )


def advance(broadcast: Broadcast, *, at: datetime, seconds: float | None = INLINE_SECONDS) -> None:
    """Goes on for so many seconds (None: to the end). Safe to run at once, again, and after a kill."""
    stop = None if seconds is None else time.monotonic() + seconds
    while carry_out_one(broadcast, at=at):
        if stop is not None and time.monotonic() >= stop:
            return


@transaction.atomic
def carry_out_one(broadcast: Broadcast, *, at: datetime) -> bool:
    """Does the next request that nobody else is at and writes its outcome; False when there is none."""
    item = (
        broadcast.items.filter(outcome="")
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("broadcast__defect__fixed_in__product", "broadcast__by", "ticket")
        .order_by("pk")
        .first()
    )
    if item is None:
        _finish(broadcast, at=at)
        return False
    try:
        with transaction.atomic():  # a refusal leaves nothing half done, and the item still gets its outcome
            item.outcome = _do(item.broadcast, item.ticket, at=at)
    except Refused as refusal:
        item.outcome, item.why = Outcome.SKIPPED, refusal.message[:500]
    item.done_at = at
    item.save(update_fields=["outcome", "why", "done_at"])
    return True


def _finish(broadcast: Broadcast, *, at: datetime) -> None:
    broadcast = Broadcast.objects.select_for_update().get(pk=broadcast.pk)
    if broadcast.finished_at is None and not broadcast.items.filter(outcome="").exists():
        broadcast.finished_at = at
        broadcast.save(update_fields=["finished_at"])


def _do(broadcast: Broadcast, ticket: Ticket, *, at: datetime) -> str:
    """One request: the verb that the message stands for, in the language of the request. Raises `Refused`."""
    by = broadcast.by
    if broadcast.kind == Kind.RELEASED:
        assert broadcast.defect is not None  # the database keeps it so: `broadcast_of_one`
        workflow.hear_of_release(ticket, defect=broadcast.defect, by=by, at=at)
        return Outcome.TOLD
    body, language = in_language(broadcast.text_ru, broadcast.text_en, ticket.language)
    key = f"broadcast-{broadcast.pk}"
    if broadcast.kind == Kind.SOLUTION:
        workflow.resolve(ticket, by=by, body=body, at=at, key=key)
        return Outcome.SOLVED
    if (
        broadcast.restores
        and ticket.priority in {1, 2}
        and ticket.state in {State.IN_PROGRESS, State.AWAITING_CUSTOMER}
    ):
        workflow.restore(ticket, by=by, workaround=body, at=at)
        return Outcome.RESTORED
    workflow.tell(ticket, by=by, body=body, at=at, language=language, key=key)
    return Outcome.TOLD
