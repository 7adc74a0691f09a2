"""Acts over many tickets: the form, the start, the page of a run with its progress and what failed."""

import logging
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from kombu.exceptions import OperationalError

from accounts.access import desk_only, person
from accounts.models import User
from accounts.refusals import Refused
from tickets import bulk
from tickets.forms.bulk import FORMS, BulkForm
from tickets.models import BulkItem, BulkRun, Ticket
from tickets.queue import Queue, glance, tickets_of
from tickets.queue.filters import in_words, names_of
from tickets.tasks import advance_bulk_runs
from tickets.views.answers import SeeOther

log = logging.getLogger(__name__)
FAILED_SHOWN = 50


def _ticked(values: list[str]) -> list[int]:
    return sorted({int(value) for value in values if value.isascii() and value.isdecimal() and len(value) < 12})


def _queue(tail: str, user: User) -> Queue:
    queue = Queue.from_tail(tail)
    return queue.opened(glance(user, timezone.now(), queue).tails)


def _lines(asked: Any, user: User) -> list[int]:
    """The lines of what is ticked, or of the whole filter."""
    if asked.get("all") == "1":
        found = tickets_of(_queue(asked.get("from", ""), user), user, timezone.now())
    else:
        found = Ticket.objects.visible_to(user).filter(number__in=_ticked(asked.getlist("n")))
    return list(found.order_by("line_id").values_list("line_id", flat=True).distinct())


@desk_only
@require_safe
def new(request: HttpRequest) -> HttpResponse:
    """The form of an act over what is ticked (`n`), or over the whole filter (`all`). Nothing is changed yet."""
    user = person(request)
    act = request.GET.get("act", "")
    if act not in FORMS:
        raise Http404
    refusal = None
    if request.GET.get("all") == "1":
        try:
            bulk.refuse_unknown(Queue.from_tail(request.GET.get("from", "")))
        except Refused as refused:
            refusal = refused
    status = refusal.status if refusal else 200
    form = FORMS[act](by=user, lines=_lines(request.GET, user))
    return _form_page(request, user, form, act, request.GET, key=str(uuid4()), refusal=refusal, status=status)


def _form_page(
    request: HttpRequest,
    user: User,
    form: BulkForm,
    act: str,
    asked: Any,
    *,
    key: str,
    refusal: Refused | None = None,
    status: int = 200,
) -> HttpResponse:
    queue = _queue(asked.get("from", ""), user)
    whole = asked.get("all") == "1"
    numbers = [] if whole else _ticked(asked.getlist("n"))
    # Exactly, and not "199+": so many customers may get a letter of it.
    count = tickets_of(queue, user, timezone.now()).order_by().count() if whole else len(numbers)
    tickets = Ticket.objects.visible_to(user).filter(number__in=numbers[:10]).only("number", "subject", "language")
    context = {
        "form": form,
        "act": next(one for one in bulk.bulk_acts() if one.code == act),
        "numbers": numbers,
        "whole": whole,
        "count": count,
        "barred": whole and bool(queue.unknown),
        "tickets": tickets.order_by("number"),
        "others": max(0, len(numbers) - 10),
        "queue": queue,
        "filter": in_words(queue, glance(user, timezone.now()).own, names_of([queue])) if whole else "",
        "from": queue.tail,
        "key": key,
        "refusal": refusal,
    }
    return render(request, "desk/bulk_new.html", context, status=status)


@desk_only
@require_http_methods(["GET", "HEAD", "POST"])
def runs(request: HttpRequest) -> HttpResponse:
    """POST begins a run; GET shows the person's last ones."""
    user = person(request)
    if request.method == "POST":
        return _start(request, user)
    found = BulkRun.objects.filter(by=user).select_related("undoes")[:30]
    return render(request, "desk/bulk_runs.html", {"runs": [(one, bulk.words_of(one)) for one in found]})


def _start(request: HttpRequest, user: User) -> HttpResponse:
    now, act = timezone.now(), request.POST.get("act", "")
    if act not in FORMS:
        raise Http404
    form = FORMS[act](request.POST, by=user, lines=_lines(request.POST, user))
    key = request.POST.get("key", "")[:64] or str(uuid4())
    if not form.is_valid():
        return _form_page(request, user, form, act, request.POST, key=key, status=422)
    queue = _queue(request.POST.get("from", ""), user)
    whole = request.POST.get("all") == "1"
    try:
        run = bulk.start(
            by=user,
            at=now,
            act=act,
            said=form.said,
            key=key,
            numbers=_ticked(request.POST.getlist("n")),
            queue=queue,
            whole=whole,
        )
    except Refused as refusal:
        return _form_page(request, user, form, act, request.POST, key=key, refusal=refusal, status=refusal.status)
    return _after(request, run, queue, inline=not whole)


def _after(request: HttpRequest, run: BulkRun, queue: Queue, *, inline: bool) -> HttpResponse:
    """A few are done while one waits, and the queue is shown again; of many, or of failures, the page of the run."""
    if inline:
        bulk.advance(run, at=timezone.now())
    run.refresh_from_db()
    if run.state != BulkRun.State.DONE:
        transaction.on_commit(begin_job)
        return SeeOther(reverse("desk:bulk_run", args=[run.pk]))
    told = bulk.progress(run)
    if told.failed:
        return SeeOther(reverse("desk:bulk_run", args=[run.pk]))
    words = ngettext("%(what)s: %(count)d request", "%(what)s: %(count)d requests", told.done)
    messages.success(request, words % {"what": bulk.words_of(run), "count": told.done})
    return SeeOther(reverse("desk:queue") + queue.tail)


def begin_job() -> None:
    """Wakes a worker now; where the broker is away, the timetable does it in a few seconds."""
    try:
        advance_bulk_runs.apply_async(expires=30, retry=False)
    except OperationalError:
        log.warning("No broker: the bulk run begins with the timetable.")


def _run(user: User, pk: int) -> BulkRun:
    run = get_object_or_404(BulkRun.objects.select_related("by", "undoes", "undone_by"), pk=pk)
    if not bulk.may_look(run, user):
        raise Http404
    return run


@desk_only
@never_cache
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, what failed and why. htmx asks for its part every second while it is at work."""
    user = person(request)
    found = _run(user, pk)
    told = bulk.progress(found)
    after = request.GET.get("after", "")
    items = found.items.filter(outcome=BulkItem.Outcome.FAILED).select_related("ticket").order_by("pk")
    if after.isascii() and after.isdecimal() and len(after) < 18:
        items = items.filter(pk__gt=int(after))
    else:
        after = ""
    failed = list(items[: FAILED_SHOWN + 1])
    own = found.by_id == user.pk
    undone = getattr(found, "undone_by", None)
    done = found.state == BulkRun.State.DONE
    context = {
        "run": found,
        "what": bulk.words_of(found),
        "told": told,
        "at_work": not done,
        "gathering": found.state == BulkRun.State.GATHERING,
        "failed": failed[:FAILED_SHOWN],
        "more": "?" + urlencode({"after": failed[FAILED_SHOWN - 1].pk}) if len(failed) > FAILED_SHOWN else "",
        "here": f"?after={after}" if after else "",
        "back": reverse("desk:queue") + Queue.from_tail(found.tail).tail,
        "from": found.tail,
        "own": own,
        "undone": undone,
        "may_undo": own and done and found.act in bulk.UNDOABLE and undone is None and told.done > 0,
        "never_undone": done and found.act not in bulk.UNDOABLE and found.act != BulkRun.Act.UNDO,
        "may_try_again": own and done and told.failed > 0,
    }
    part = bool(request.htmx) and not request.htmx.boosted  # type: ignore[attr-defined]
    return render(request, "desk/_bulk_run.html" if part else "desk/bulk_run.html", context)


@desk_only
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes back what can be taken back: a run of its own."""
    user = person(request)
    back = bulk.undo(_run(user, pk), by=user, at=timezone.now())
    return _after(request, back, _queue(request.POST.get("from", back.tail), user), inline=True)


@desk_only
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """The failed ones once more."""
    found = _run(person(request), pk)
    bulk.try_again(found, by=person(request))
    bulk.advance(found, at=timezone.now())
    transaction.on_commit(begin_job)
    return SeeOther(reverse("desk:bulk_run", args=[found.pk]))
