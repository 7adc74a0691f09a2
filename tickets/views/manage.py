"""The managers' pages: the board of deadlines, the escalations, the tickets behind a number (direction §8)."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.absences import STAND_INS, stood_in_for_by
from accounts.access import board_only, only, person
from accounts.models import User
from accounts.refusals import Refused
from accounts.said_once import said_once
from contracts.spreadsheets import csv_response
from sla import reports, troubles, words
from sla.models import Escalation, SweepTrouble, Whom
from sla.sweep import late_since
from tickets import board as boards
from tickets import board_tables, moves, workflow
from tickets.forecasting import will_be_missed
from tickets.major_page import open_majors
from tickets.models import Ticket
from tickets.queue.glance import glance

PAGE = 50
MISSING = 8  # of those that the board lists itself
REMINDERS = (Whom.LINE_QUEUE, Whom.ASSIGNEE)  # rungs that remind who works on it; nobody has to answer them


@board_only
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    edition = glance(person(request), now).edition
    kept = board_tables.kept_in_time(now, edition)
    missing, missing_count, looked_at = will_be_missed(now, MISSING, edition)
    return render(
        request,
        "manage/board.html",
        {
            "now": now,
            "late_since": late_since(now),
            "set_aside": troubles.how_many(),
            "majors": open_majors(),
            "facts": boards.facts(now),
            "departures": boards.departures(edition),
            "missing": missing,
            "missing_count": missing_count,
            "missing_of": looked_at,
            "packages": kept.packages,
            "matrix": [(priority, [_cell(cell) for cell in cells]) for priority, cells in kept.by_priority],
            "goal": reports.GOAL,
            "agreed": kept.agreed,
            "lines": [(line, _cell(weekly[-1]), _spark(weekly)) for line, weekly in kept.by_line],
            "weeks": board_tables.WEEKS,
            "weekly": [
                (week_from(monday), [weekly[number] for _line, weekly in kept.by_line])
                for number, monday in enumerate(kept.mondays)
            ],
            "ages": boards.ages(now),
            "satisfaction": boards.satisfaction(now),
        },
    )


@board_only
@require_safe
def table(request: HttpRequest, chart: str) -> HttpResponseBase:
    """What a chart of the board is drawn of, as a table for a spreadsheet."""
    if chart not in board_tables.TABLES:
        raise Http404
    now = timezone.now()
    headings, rows = board_tables.TABLES[chart](now)
    return csv_response(request, f"{chart}-{now.astimezone(words.MOSCOW):%Y-%m-%d}.csv", headings, [rows])


@said_once(64)
def week_from(monday: date) -> str:
    """«16 ноября», "16 November"."""
    return date_format(monday, "j E")


def _cell(kept: reports.Attainment | None) -> tuple[reports.Attainment | None, str]:
    """What was kept, and of how many in words."""
    return kept, "" if kept is None else _of_promises(kept.counted, kept.is_few)


@said_once(256)
def _of_promises(counted: int, few: bool) -> str:
    told = {"n": counted}
    return _("few: %(n)s") % told if few else ngettext("%(n)s promise", "%(n)s promises", counted) % told


def _spark(weeks: list[reports.Attainment]) -> str:
    """The points of a sparkline in a box of 100 × 30: 80 % is its foot, 100 % its head; empty weeks are left out.

    A single week is a line to itself: its round ends make a dot.
    """
    points = []
    for number, week in enumerate(weeks):
        if week.percent is not None:
            x = number * 100 / max(len(weeks) - 1, 1)
            y = 28 - (max(week.percent, 80) - 80) * 26 / 20
            points.append(f"{x:.1f},{y:.1f}")
    return " ".join(points * 2 if len(points) == 1 else points)


@board_only
@require_safe
def missing(request: HttpRequest) -> HttpResponse:
    """The promises that will be missed, with the reason of each: all of them among the nearest deadlines."""
    now = timezone.now()
    found, _count, looked_at = will_be_missed(now)
    return render(request, "manage/missing.html", {"now": now, "missing": found, "missing_of": looked_at})


look_after_only = only(troubles.LOOK_AFTER)


@look_after_only
@require_safe
def set_aside(request: HttpRequest) -> HttpResponse:
    """Promises that the sweep could not read: what, since when, how often, and why."""
    return _set_aside(request)


def _set_aside(request: HttpRequest, refusal: Refused | None = None) -> HttpResponse:
    found = troubles.standing()
    before = request.GET.get("before", "")
    if before:
        if not _is_number(before):
            raise BadRequest(_("This address is not complete."))
        found = found.filter(pk__lt=before)
    page = list(found[: PAGE + 1])
    return render(
        request,
        "manage/set_aside.html",
        {
            "now": timezone.now(),
            "rows": [
                (row, words.promise(row.commitment.kind), troubles.error_in_words(row.error)) for row in page[:PAGE]
            ],
            "older": f"?before={page[PAGE - 1].pk}" if len(page) > PAGE else "",
            "refusal": refusal,
        },
        status=refusal.status if refusal else 200,
    )


@look_after_only
@require_POST
def look_again(request: HttpRequest, pk: int) -> HttpResponse:
    """The promise is looked at now; whether it could be read is said on the page."""
    trouble = get_object_or_404(SweepTrouble, pk=pk)
    try:
        read = troubles.look_again(trouble, by=person(request), at=timezone.now())
    except Refused as refusal:
        return _set_aside(request, refusal)
    if read:
        messages.success(request, _("The promise was read: its ladder goes on."))
    else:
        messages.warning(request, _("The promise could still not be read; it is looked at again in an hour."))
    return redirect("manage:set_aside")


@board_only
@require_safe
def tickets(request: HttpRequest, slug: str) -> HttpResponse:
    """The tickets behind one number of the board, by deadline, paged by keyset."""
    now = timezone.now()
    try:
        found = boards.facts_of(slug, now)
    except KeyError as unknown:
        raise Http404 from unknown
    rows = found.with_clocks().order_by(F("due_at").asc(nulls_last=True), "pk")
    after = request.GET.get("after", "")
    if after:
        anchor = Ticket.objects.filter(number=after).first() if _is_number(after) else None
        if anchor is None:
            raise BadRequest(_("This address is not complete."))
        later = Q(due_at=anchor.due_at, pk__gt=anchor.pk) | Q(due_at__isnull=True)
        rows = rows.filter(
            Q(due_at__gt=anchor.due_at) | later if anchor.due_at else Q(due_at__isnull=True, pk__gt=anchor.pk)
        )
    page = list(rows[: PAGE + 1])
    return render(
        request,
        "manage/tickets.html",
        {
            "now": now,
            "label": boards.FACT_LABELS[slug],
            "departures": boards.with_ladders(page[:PAGE]),
            "older": f"?after={page[PAGE - 1].number}" if len(page) > PAGE else "",
        },
    )


def _is_number(text: str) -> bool:
    """Whether it may stand in an address for a row; longer ones Python itself refuses to read."""
    return text.isascii() and text.isdigit() and len(text) < 19


def _mine(user: User) -> Q:
    return Q(person=user) | Q(person__isnull=True, whom=user.role)


def _escalations(request: HttpRequest, **extra: Any) -> HttpResponse:
    now = timezone.now()
    user = person(request)
    waiting = boards.waiting_calls(now).exclude(whom__in=REMINDERS)
    mine = list(waiting.filter(_mine(user))[:PAGE])
    others = list(waiting.exclude(_mine(user))[:PAGE])
    away = stood_in_for_by(user, now)
    log = Escalation.objects.select_related("ticket__customer", "commitment", "person", "acknowledged_by", "closed_by")
    log = log.order_by("-reached_at", "-pk")
    before = request.GET.get("before", "")
    if before:
        anchor = Escalation.objects.filter(pk=before).first() if _is_number(before) else None
        if anchor is None:
            raise BadRequest(_("This address is not complete."))
        log = log.filter(Q(reached_at__lt=anchor.reached_at) | Q(reached_at=anchor.reached_at, pk__lt=anchor.pk))
    page = list(log[: PAGE + 1])
    context = {
        "now": now,
        "mine": mine,
        "others": [(call, workflow.may_answer(call, user, away=away)) for call in others],
        "log": page[:PAGE],
        "older": f"?before={page[PAGE - 1].pk}#log" if len(page) > PAGE else "",
        "newer": "?#log" if before else "",
        # A refused answer to what does not wait any more, or is further down, has no place in the lists.
        "refused_elsewhere": extra.get("refused") not in {None, *(call.pk for call in (*mine, *others))},
        **extra,
    }
    return render(request, "manage/escalations.html", context, status=extra.get("status", 200))


@board_only
@require_safe
def escalations(request: HttpRequest) -> HttpResponse:
    """Who was called in, by whom, when, and who has taken it: what waits for me first, then the whole log."""
    return _escalations(request)


called_only = only(STAND_INS)


@called_only
@require_safe
def escalation(request: HttpRequest, pk: int) -> HttpResponse:
    """One escalation, where its letter leads: what it is about, and one click to say “I have it”."""
    return _escalation(request, pk)


def _escalation(request: HttpRequest, pk: int, refusal: Refused | None = None) -> HttpResponse:
    user, now = person(request), timezone.now()
    call = get_object_or_404(
        boards.calls().filter(ticket__in=Ticket.objects.visible_to(user)).select_related("closed_by"), pk=pk
    )
    return render(
        request,
        "manage/escalation.html",
        {
            "now": now,
            "call": call,
            "promise": words.promise(call.commitment.kind) if call.commitment else "",
            "may_take": moves.may_acknowledge(call, user, away=stood_in_for_by(user, now)),
            "refusal": refusal,
        },
        status=refusal.status if refusal else 200,
    )


@called_only
@require_POST
def acknowledgement(request: HttpRequest, pk: int) -> HttpResponse:
    """“I have it.” From the list of the board, or from the page of the escalation itself (`page`)."""
    escalation = get_object_or_404(Escalation.objects.select_related("ticket"), pk=pk)
    user = person(request)
    from_page = "page" in request.POST or not user.sees_board
    try:
        workflow.acknowledge(escalation, by=user, at=timezone.now())
    except Refused as refusal:
        if from_page:
            return _escalation(request, pk, refusal)
        return _escalations(request, refusal=refusal, refused=pk, status=refusal.status)
    return redirect("manage:escalation", pk) if from_page else redirect("manage:escalations")


@board_only
@require_POST
def answer(request: HttpRequest, pk: int) -> HttpResponse:
    """The answer that closes it; the customer reads it where the customer called."""
    escalation = get_object_or_404(Escalation.objects.select_related("ticket"), pk=pk)
    words = request.POST.get("answer", "").replace("\0", "")  # PostgreSQL takes no NUL, and nobody sees one
    try:
        answered = workflow.answer_escalation(escalation, by=person(request), answer=words, at=timezone.now())
    except Refused as refusal:
        return _escalations(request, refusal=refusal, refused=pk, typed=words, status=refusal.status)
    to_customer = answered.cause == Escalation.Cause.CUSTOMER
    messages.success(request, _("Answered: the customer reads it") if to_customer else _("Answered: it is closed"))
    return redirect("manage:escalations")


@board_only
@require_safe
def ticket(request: HttpRequest, number: int) -> HttpResponse:
    """A ticket for reading: for those who answer for it and do not work at the desk."""
    if person(request).works_at_desk:
        return redirect("desk:ticket", number=number)
    found = get_object_or_404(Ticket.objects.visible_to(person(request)).with_clocks(), number=number)
    said = found.messages.select_related("author").prefetch_related("attachments")
    return render(
        request,
        "manage/ticket.html",
        {
            "now": timezone.now(),
            "ticket": found,
            "messages_of": said,
            "calls": found.escalations.select_related("person", "raised_by", "instead_of").order_by("reached_at"),
        },
    )
