"""One act over many tickets: started once, done ticket by ticket, told of, and undone where that can be (direction §5).

A run's items are rows, done one by one through the same verbs as by hand, each in a transaction of its own: a killed
worker repeats nothing and forgets nothing, two workers share the work. A rule that refuses one ticket stops no other;
its words stay with the item.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import DESK_ROLES, Role, User
from accounts.refusals import Forbidden, Refused
from tickets import workflow
from tickets.models import BulkItem, BulkRun, Event, State, Ticket
from tickets.queue import Queue, tickets_of
from tickets.workflow import NotAllowed

GATHERED = 500  # tickets a batch
TICKED_AT_MOST = 500  # by hand; more is a filter
INLINE_SECONDS = 1.5  # of a request; the job does the rest
UNDO_SHOWN_FOR = timedelta(seconds=10)  # beside the queue; on the run's page for good

Act = BulkRun.Act
Outcome = BulkItem.Outcome
UNDOABLE = (Act.ASSIGN, Act.HAND_OVER, Act.PRIORITY)


@dataclass(frozen=True, slots=True)
class BulkAct:
    """An act as it is offered: `does` says what it does to each request, `key` is its key where rows are ticked."""

    code: str
    label: str | Promise
    icon: str
    does: str | Promise
    key: str = ""


ACTS = (
    BulkAct(
        Act.ASSIGN,
        Act.ASSIGN.label,
        "user",
        gettext_lazy("No clock changes: the reaction waits for that person."),
        "A",
    ),
    BulkAct(
        Act.HAND_OVER,
        Act.HAND_OVER.label,
        "route",
        gettext_lazy("The promises to the customer go on; the receiving line gets its own clock to accept."),
        "L",
    ),
    BulkAct(
        Act.PRIORITY,
        Act.PRIORITY.label,
        "flag",
        gettext_lazy("The clocks are counted anew from the receipt; their pauses stay."),
        "P",
    ),
    BulkAct(
        Act.NOTE,
        Act.NOTE.label,
        "message-square",
        gettext_lazy("Customers never see it, and no clock hears it."),
        "N",
    ),
    BulkAct(
        Act.ASK,
        Act.ASK.label,
        "pause",
        gettext_lazy("Every customer gets this question; the resolution clocks stand until they answer."),
    ),
    BulkAct(
        Act.RESOLVE,
        Act.RESOLVE.label,
        "circle-check",
        gettext_lazy("Every customer gets these words and is asked to confirm."),
    ),
)


def bulk_acts() -> tuple[BulkAct, ...]:
    """What can be done with many tickets at once, in the order of the bar."""
    return ACTS


# Starting


@transaction.atomic
def start(
    *,
    by: User,
    at: datetime,
    act: str,
    said: Mapping[str, Any],
    key: str,
    numbers: Iterable[int] = (),
    queue: Queue,
    whole: bool = False,
) -> BulkRun:
    """A run over the ticked tickets, or over the whole filter. The second click of two gives the first one's run.

    The filter is gathered by `advance`; no ticket that is received after this moment is in it.
    """
    if by.role not in DESK_ROLES:
        raise Forbidden(_("Only the support desk does this."))
    if act not in Act.values or act == Act.UNDO:
        raise NotAllowed(_("Choose what to do."))
    if whole:
        refuse_unknown(queue)
    picked = [] if whole else list(Ticket.objects.visible_to(by).filter(number__in=list(numbers)).order_by("pk"))
    if not whole and not picked:
        raise NotAllowed(_("Nothing is ticked: tick requests first."))
    if len(picked) > TICKED_AT_MOST:
        words = _("%(number)d at most are ticked by hand: take everything of a filter instead.")
        raise NotAllowed(words % {"number": TICKED_AT_MOST})
    last = Ticket.objects.aggregate(last=Max("pk"))["last"] or 0
    run, made = _begin(
        BulkRun(
            by=by,
            act=act,
            said=dict(said),
            tail=queue.whole.tail,
            whole=whole,
            state=BulkRun.State.GATHERING if whole else BulkRun.State.RUNNING,
            gather_until=last if whole else 0,
            key=key,
            started_at=at,
        )
    )
    if made:
        BulkItem.objects.bulk_create(BulkItem(run=run, ticket=ticket) for ticket in picked)
    return run


def refuse_unknown(queue: Queue) -> None:
    """All of a filter that is not understood would be more than was asked for: nothing is done. Raises `NotAllowed`."""
    if queue.unknown:
        asked = ", ".join(f"{name}={value}" for name, value in queue.unknown)
        words = _("The address asks for something that is no filter here (%(asked)s): all of it would be too much.")
        raise NotAllowed(words % {"asked": asked})


def _begin(run: BulkRun) -> tuple[BulkRun, bool]:
    try:
        with transaction.atomic():
            run.save()
    except IntegrityError as error:
        if "bulk_run_started_once" not in str(error):
            raise
        return BulkRun.objects.get(by=run.by, key=run.key), False
    return run, True


@transaction.atomic
def undo(run: BulkRun, *, by: User, at: datetime) -> BulkRun:
    """A run that takes back what this one did, the last first. Only who started it; the second click starts nothing.

    What cannot be undone is said: people have read notes, questions and solutions.
    """
    run = _own(run, by)
    found = BulkRun.objects.filter(undoes=run).first()
    if found is not None:
        return found
    if run.act not in UNDOABLE:
        raise NotAllowed(_("This cannot be undone: people have read it already."))
    if run.state != BulkRun.State.DONE:
        raise NotAllowed(_("It is still at work: undo it when it has finished."))
    taken = list(run.items.filter(outcome=Outcome.DONE, event__isnull=False).order_by("-pk").values_list("ticket"))
    if not taken:
        raise NotAllowed(_("Nothing was changed, so there is nothing to undo."))
    back = BulkRun.objects.create(by=by, act=Act.UNDO, undoes=run, tail=run.tail, key=f"undo-{run.pk}", started_at=at)
    BulkItem.objects.bulk_create((BulkItem(run=back, ticket_id=pk) for (pk,) in taken), batch_size=GATHERED)
    return back


@transaction.atomic
def try_again(run: BulkRun, *, by: User) -> int:
    """The failed ones wait again; gives how many. Only who started it."""
    run = _own(run, by)
    if run.state != BulkRun.State.DONE:
        return 0
    waiting = run.items.filter(outcome=Outcome.FAILED).update(outcome="", why="", done_at=None)
    if waiting:
        run.state, run.finished_at = BulkRun.State.RUNNING, None
        run.save(update_fields=["state", "finished_at"])
    return waiting


def _own(run: BulkRun, by: User) -> BulkRun:
    run = _locked(run)
    if run.by_id != by.pk:
        raise Forbidden(_("Only who started it does this."), "")
    return run


def _locked(run: BulkRun) -> BulkRun:
    return BulkRun.objects.select_for_update(of=("self",)).select_related("by").get(pk=run.pk)


def may_look(run: BulkRun, user: User) -> bool:
    """Who started it, line leads and the support manager."""
    return run.by_id == user.pk or user.role in {Role.LINE_LEAD, Role.SUPPORT_MANAGER}


# The work


def at_work() -> Any:
    """Runs that are not finished, oldest first; `bulk_run_at_work` is the index of it."""
    return BulkRun.objects.exclude(state=BulkRun.State.DONE).order_by("pk")


def advance(run: BulkRun, *, at: datetime, seconds: float | None = INLINE_SECONDS) -> None:
    """Gathers and does for so many seconds (None: to the end). Safe to run at once, again, and after a kill."""
    stop = None if seconds is None else time.monotonic() + seconds

    def may_go_on() -> bool:
        return stop is None or time.monotonic() < stop

    while gather(run, at=at):
        if not may_go_on():
            return
    while do_one(run, at=at):
        if not may_go_on():
            return


@transaction.atomic
def gather(run: BulkRun, *, at: datetime) -> bool:
    """The next batch of the filter becomes items; False when all of it is gathered."""
    run = _locked(run)
    if run.state != BulkRun.State.GATHERING:
        return False
    found = tickets_of(Queue.from_tail(run.tail), run.by, run.started_at).filter(
        pk__gt=run.gathered_to, pk__lte=run.gather_until
    )
    keys = list(found.order_by("pk").values_list("pk", flat=True)[:GATHERED])
    BulkItem.objects.bulk_create(BulkItem(run=run, ticket_id=pk) for pk in keys)
    if keys:
        run.gathered_to = keys[-1]
    if len(keys) < GATHERED:
        run.state = BulkRun.State.RUNNING
    run.save(update_fields=["gathered_to", "state"])
    return run.state == BulkRun.State.GATHERING


@transaction.atomic
def do_one(run: BulkRun, *, at: datetime) -> bool:
    """Does the next item that nobody else is at; False when there is none. Writes what became of it."""
    item = (
        run.items.filter(outcome="", run__state=BulkRun.State.RUNNING)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("run__by", "run__undoes", "ticket")
        .order_by("pk")
        .first()
    )
    if item is None:
        _finish(run, at=at)
        return False
    with translation.override(item.run.by.language):  # the words of a refusal are for who started it
        item.why = _do(item, at=at)
    item.outcome = Outcome.FAILED if item.why else Outcome.DONE
    item.done_at = at
    item.save()
    return True


def _finish(run: BulkRun, *, at: datetime) -> None:
    run = _locked(run)
    if run.state == BulkRun.State.RUNNING and not run.items.filter(outcome="").exists():
        run.state, run.finished_at = BulkRun.State.DONE, at
        run.save(update_fields=["state", "finished_at"])


def _do(item: BulkItem, *, at: datetime) -> str:
    """ "" where it was done, else the words of why not."""
    try:
        with transaction.atomic():  # a refusal leaves nothing half done, and the item still gets its outcome
            ticket = workflow.lock(item.ticket)  # so that nothing moves between looking and doing
            item.before = _standing(ticket)
            last = _last_event(ticket)
            if item.run.act == Act.UNDO:
                assert item.run.undoes is not None
                _take_back(item.run.undoes, ticket, by=item.run.by, at=at)
            else:
                VERBS[item.run.act](ticket, item, at)
            event = _last_event(ticket)
            item.event = event if event != last else None
            item.after = _standing(Ticket.objects.get(pk=ticket.pk))
    except Refused as refusal:
        item.before, item.after, item.event = {}, {}, None
        return str(refusal.message)[:500] or _("A rule refuses it.")
    return ""


def _standing(ticket: Ticket) -> dict[str, Any]:
    return {
        "assignee": ticket.assignee_id,
        "owner": ticket.owner_id,
        "line": ticket.line_id,
        "priority": ticket.priority,
        "kind": ticket.kind,
    }


def _last_event(ticket: Ticket) -> Event | None:
    return Event.objects.filter(ticket=ticket).order_by("-pk").first()


def _assign(ticket: Ticket, item: BulkItem, at: datetime) -> None:
    to = User.objects.filter(pk=item.run.said["to"], is_active=True).first()
    if to is None:
        raise NotAllowed(_("This person is not here any more."))
    if to.pk == item.run.by_id and ticket.state == State.NEW:
        workflow.accept(ticket, by=item.run.by, at=at)
    else:
        workflow.assign(ticket, by=item.run.by, to=to, at=at)


def _hand_over(ticket: Ticket, item: BulkItem, at: datetime) -> None:
    said = item.run.said
    workflow.hand_over(
        ticket,
        by=item.run.by,
        to_line=said["to_line"],
        known=said["known"],
        tried=said.get("tried", ""),
        asked=said["asked"],
        at=at,
    )


def _priority(ticket: Ticket, item: BulkItem, at: datetime) -> None:
    said = item.run.said
    workflow.reclassify(ticket, by=item.run.by, reason=said["reason"], priority=said["priority"], at=at)


def _saying(verb: Callable[..., Any]) -> Callable[[Ticket, BulkItem, datetime], None]:
    def say(ticket: Ticket, item: BulkItem, at: datetime) -> None:
        verb(ticket, by=item.run.by, body=item.run.said["body"], at=at, key=f"bulk-{item.pk}")

    return say


VERBS: dict[str, Callable[[Ticket, BulkItem, datetime], None]] = {
    Act.ASSIGN: _assign,
    Act.HAND_OVER: _hand_over,
    Act.PRIORITY: _priority,
    Act.NOTE: _saying(workflow.note),
    Act.ASK: _saying(workflow.ask_customer),
    Act.RESOLVE: _saying(workflow.resolve),
}


# Back again


def _take_back(run: BulkRun, ticket: Ticket, *, by: User, at: datetime) -> None:
    """Puts one ticket back as it stood before the run; `NotAllowed` where somebody has changed it since."""
    done = run.items.select_related("event").get(ticket=ticket)
    assert done.event is not None
    since = Event.objects.filter(ticket=ticket, pk__gt=done.event.pk).exclude(by=by).select_related("by").first()
    if since is not None:
        name = since.by.full_name if since.by else _("the system")
        raise NotAllowed(_("%(name)s has changed it since: it stays as it is.") % {"name": name})
    if _standing(ticket) != done.after:
        raise NotAllowed(_("You have changed it since: it stays as it is."))
    if run.act == Act.HAND_OVER:
        workflow.take_back(ticket, by=by, at=at)
    elif run.act == Act.PRIORITY:
        workflow.reclassify(
            ticket,
            by=by,
            priority=done.before["priority"],
            kind=done.before["kind"],
            reason=_("Changed by mistake, taken back."),
            at=at,
        )
        return
    workflow.put_back_assignee(
        ticket, by=by, to=_person(done.before["assignee"]), owner=_person(done.before["owner"]), at=at
    )


def _person(pk: int | None) -> User | None:
    return None if pk is None else User.objects.get(pk=pk)


# What is shown


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    items: int
    done: int
    failed: int

    @property
    def finished(self) -> int:
        return self.done + self.failed

    @property
    def percent(self) -> int:
        return 100 * self.finished // self.items if self.items else 0


def progress(run: BulkRun) -> Progress:
    """Counted by the index `bulk_item_outcome`, one statement."""
    counts = dict(run.items.order_by().values_list("outcome").annotate(n=Count("pk")))
    done, failed = counts.get(Outcome.DONE, 0), counts.get(Outcome.FAILED, 0)
    return Progress(sum(counts.values()), done, failed)


def words_of(run: BulkRun) -> str:
    """What a run does, in a few words: "Назначить: Анна Орлова"."""
    said = run.said
    if run.act == Act.ASSIGN:
        person = User.objects.filter(pk=said.get("to")).first()
        return _("Assign: %(name)s") % {"name": person.full_name if person else "—"}
    if run.act == Act.HAND_OVER:
        return _("Hand over to line %(line)s") % {"line": said.get("to_line")}
    if run.act == Act.PRIORITY:
        return _("Priority %(number)s") % {"number": said.get("priority")}
    if run.act == Act.UNDO and run.undoes is not None:
        return _("Undo: %(what)s") % {"what": words_of(run.undoes)}
    return str(run.get_act_display())


def just_finished(last: Mapping[str, Any] | None, now: datetime) -> dict[str, Any] | None:
    """The person's last run for the strip of the queue (`Glance.last_run`): at work, or finished within 10 seconds."""
    if last is None:
        return None
    if last["state"] != BulkRun.State.DONE:
        return {**last, "at_work": True, "may_undo": False}
    if now - datetime.fromisoformat(last["finished_at"]) > UNDO_SHOWN_FOR:
        return None
    may_undo = last["act"] in UNDOABLE and last["undone"] is None and last["done"] > 0
    return {**last, "at_work": False, "failed": last["items"] - last["done"], "may_undo": may_undo}
