"""Packages and their dated terms: read side by side, changed from a date, previewed, decided (domain §1, §4, §7)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Count, Max, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.access import contract_readers_only, only, person, signers_only
from accounts.models import Role
from accounts.refusals import Refused
from contracts import catalogue, signing
from contracts.catalogue import Difference, Names, NotChanged, TermsChange
from contracts.models import Contract, Package, PackageTerms, Service, TermsTarget
from contracts.terms import PRIORITIES, Deployment, Kind
from sla import words
from sla.models import CalendarVersion
from tickets import promise_words, terms_decisions, terms_preview
from tickets.forms.packages import TermsChangeForm, initial_of
from tickets.models import OPEN_STATES, TermsDecision, TermsItem
from tickets.terms_decisions import why_left
from tickets.terms_preview import totals

DAY = timedelta(days=1)
PAGE = 50
EDITIONS = 20  # of one package on its page; older ones one page further
LATEST = 10  # changes on the page of a package

editors_only = only({Role.ADMIN})


# Packages side by side


@dataclass
class Edition:
    """Dated terms as the pages show them: `state` is "now", "planned" or "past"."""

    terms: PackageTerms
    change: TermsChange
    state: str
    until: date | None = None
    differences: list[Difference] = field(default_factory=list)
    signed: int = 0
    drafts: int = 0
    open_tickets: int = 0


def _with_terms() -> QuerySet[Package]:
    """Packages with everything that their terms promise, in a constant number of statements."""
    found = PackageTerms.objects.select_related("package", "calendar").order_by("-starts_on")
    return Package.objects.prefetch_related(
        Prefetch(
            "terms",
            queryset=found.prefetch_related(
                "services",
                "prices",
                Prefetch("targets", queryset=TermsTarget.objects.select_related("calendar")),
                Prefetch("calendar__versions", queryset=CalendarVersion.objects.order_by("valid_from")),
            ),
        )
    ).order_by("position", "code")


def _editions(package: Package, today: date) -> list[Edition]:
    """The dated terms of a package, newest first, each with what it changed against the one before."""
    rows = list(package.terms.all())
    current = next((row for row in rows if row.starts_on <= today), None)
    found: list[Edition] = []
    for number, row in enumerate(rows):
        state = "now" if row is current else "planned" if row.starts_on > today else "past"
        later = rows[number - 1] if number else None
        until = later.starts_on - DAY if later else None
        found.append(Edition(row, catalogue.as_change(row), state, until))
    return found


def _hours(terms: PackageTerms, now: datetime) -> str:
    versions = [version for version in terms.calendar.versions.all() if version.valid_from <= now]
    version = versions[-1] if versions else terms.calendar.versions.all()[0]
    return promise_words.hours(version, zone=words.MOSCOW, now=now)


@dataclass(frozen=True)
class Row:
    """A row of the matrix: what, and what each package says; `mark` rows are yes or no."""

    label: str
    cells: list[Any]
    is_mark: bool = False


def _matrix(editions: Sequence[Edition | None], now: datetime) -> list[tuple[str, list[Row]]]:
    """The price list of domain §1.1 to §1.5 with a column for each package."""
    changes = [edition.change if edition else None for edition in editions]

    def row(label: str, cell: Any) -> Row:
        return Row(label, [cell(change) if change else "" for change in changes])

    prices = [
        row(catalogue.deployment_words(where), lambda one, where=where: catalogue.price_words(one.prices.get(where)))
        for where in Deployment
    ]
    hours = [Row(_("Moscow time"), [_hours(edition.terms, now) if edition else "" for edition in editions])]
    services = [
        Row(service.name, [change is not None and service.code in change.services for change in changes], True)
        for service in Service.objects.all()
    ]
    sections = [(_("Price a year, of the licence cost"), prices), (_("Service hours"), hours)]
    for kind in (Kind.REACTION, Kind.RESOLUTION, Kind.ESCALATION_ANSWER):
        rows = [
            row(
                _("Priority %(number)d") % {"number": number},
                lambda one, kind=kind, number=number: _target(one, kind, number),
            )
            for number in PRIORITIES
        ]
        sections.append((words.promise(kind), rows))
    return [*sections, (_("Services"), services)]


def _target(change: TermsChange, kind: Kind, priority: int) -> str:
    target = change.terms.target(kind, priority)
    return catalogue.target_words(target.amount, target.unit) if target else "–"


@contract_readers_only
@require_safe
def packages(request: HttpRequest) -> HttpResponse:
    """What is sold today, side by side, and from when which terms hold."""
    now = timezone.now()
    today = signing.moscow_day(now)
    found = [(package, _editions(package, today)) for package in _with_terms()]
    current = [next((one for one in editions if one.state == "now"), None) for _package, editions in found]
    return render(
        request,
        "packages/packages.html",
        {
            "tab": "packages",
            "today": today,
            "packages": [(package, editions[:EDITIONS]) for package, editions in found],
            "matrix": _matrix(current, now),
            "names": [package.name for package, _editions in found],
            "may_edit": person(request).role == Role.ADMIN,
        },
    )


@contract_readers_only
@require_safe
def package(request: HttpRequest, code: str) -> HttpResponse:
    """One package: its terms from the newest to the oldest, what each changed, and who stands on it."""
    now = timezone.now()
    found = get_object_or_404(_with_terms(), code=code)
    editions = _editions(found, signing.moscow_day(now))
    named = Names.read()
    for newer, older in pairwise(editions):
        newer.differences = catalogue.compared(older.change, newer.change, named)
    counted = {row["pk"]: row for row in _standing(found)}
    for edition in editions:
        row = counted[edition.terms.pk]
        edition.signed, edition.drafts, edition.open_tickets = row["signed"], row["drafts"], row["open_tickets"]
    current = next((one for one in editions if one.state == "now"), None)
    if before := request.GET.get("before", ""):
        editions = [one for one in editions if one.terms.starts_on.isoformat() < before]
    user = person(request)
    changes = found.decisions.select_related("decided_by", "made_by", "terms")[:LATEST] if user.signs_contracts else []
    return render(
        request,
        "packages/package.html",
        {
            "tab": "packages",
            "package": found,
            "editions": editions[:EDITIONS],
            "older": f"?before={editions[EDITIONS - 1].terms.starts_on}" if len(editions) > EDITIONS else "",
            "newer": "?" if before else "",
            "matrix": _matrix([current], now),
            "names": [found.name],
            "changes": [(change, TermsChange.from_json(change.change).starts_on) for change in changes],
            "may_edit": user.role == Role.ADMIN,
        },
    )


def _standing(package: Package) -> Any:
    """How many signed contracts, drafts and open tickets stand on each of the package's terms."""
    contracts = PackageTerms.objects.filter(package=package).annotate(
        signed=Count("contracts", filter=Q(contracts__signed_at__isnull=False)),
        drafts=Count("contracts", filter=Q(contracts__state=Contract.State.DRAFT)),
    )
    tickets = dict(
        PackageTerms.objects.filter(package=package)
        .annotate(open=Count("tickets", filter=Q(tickets__state__in=OPEN_STATES)))
        .values_list("pk", "open")
    )
    for row in contracts.values("pk", "signed", "drafts"):
        yield {**row, "open_tickets": tickets[row["pk"]]}


# A change: the form


@editors_only
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, code: str) -> HttpResponse:
    """New terms from a day on, on one page; nothing is written but the preview that follows."""
    found = get_object_or_404(Package, code=code)
    now = timezone.now()
    try:
        base, replaced = catalogue.base_of(found, signing.moscow_day(now))
    except NotChanged as refusal:
        messages.error(request, refusal.message)
        return redirect("packages:package", code)
    latest = catalogue.as_change(replaced[0] if replaced else base)
    status = 200
    if request.method == "POST":
        form = TermsChangeForm(request.POST, base=latest)
        if form.is_valid():
            try:
                decision = terms_preview.begin(
                    form.as_change(), reason=form.cleaned_data["reason"], by=person(request), at=now
                )
            except NotChanged as refusal:
                form.add_problems(refusal.problems)
            else:
                terms_decisions.advance(decision, at=now)
                return redirect("packages:decision", decision.pk)
        status = 422
    else:
        form = TermsChangeForm(base=latest, initial=_initial(request, found, latest, bool(replaced)))
    return render(
        request,
        "packages/change.html",
        {
            "tab": "packages",
            "package": found,
            "form": form,
            "base": base,
            "replaced": replaced[0] if replaced else None,
        },
        status=status,
    )


def _initial(request: HttpRequest, package: Package, latest: TermsChange, is_planned: bool) -> dict[str, Any]:
    """The latest terms; or what was typed before a preview that the person went back from."""
    if earlier := request.GET.get("from", ""):
        decision = get_object_or_404(package.decisions, pk=_number(earlier))
        typed = TermsChange.from_json(decision.change)
        return initial_of(typed, decision.reason, typed.starts_on)
    return initial_of(latest, starts_on=latest.starts_on if is_planned else None)


@editors_only
@require_POST
def more(request: HttpRequest, pk: int) -> HttpResponse:
    """Terms that are there already are previewed for the drafts and requests that do not stand on them."""
    terms = get_object_or_404(PackageTerms.objects.select_related("package", "calendar"), pk=pk)
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:1000]
    if not reason:
        messages.error(request, _("Write why the terms change: the customers read it."))
        return redirect("packages:package", terms.package.code)
    now = timezone.now()
    decision = terms_preview.begin_with(terms, reason=reason, by=person(request), at=now)
    terms_decisions.advance(decision, at=now)
    return redirect("packages:decision", decision.pk)


# A change: the preview, the decision, what became of it

LISTS = ("tickets", "drafts")


@signers_only
@require_http_methods(["GET", "HEAD", "POST"])
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    """What the change moves; who may edit chooses and decides here. Afterwards: how far it is, and what was left."""
    found = get_object_or_404(TermsDecision.objects.select_related("package", "terms", "decided_by", "made_by"), pk=pk)
    if request.method == "POST":
        return _posted(request, found)
    return _decision_page(request, found)


def _posted(request: HttpRequest, found: TermsDecision) -> HttpResponse:
    """One form: whatever button it was, what is ticked on the page is kept first."""
    user, now = person(request), timezone.now()
    go = request.POST.get("go", "")
    listed = request.POST.get("list", LISTS[0])
    if listed not in LISTS:
        raise BadRequest(_("This address is not complete."))
    here = f"{request.path}?list={listed}"
    if go == "again":
        terms_preview.begin_again(found, by=user, at=now)
        found.refresh_from_db()
        terms_decisions.advance(found, at=now)
        return redirect(here)
    try:
        shown = [_number(key) for key in request.POST.getlist("shown")[: PAGE * 2]]
        terms_decisions.choose(
            found, shown=shown, chosen=[_number(key) for key in request.POST.getlist("chosen")[: PAGE * 2]], by=user
        )
        if go in {"all", "none"}:
            terms_decisions.choose_all(found, drafts=listed == "drafts", chosen=go == "all", by=user)
        if go == "apply":
            decided = terms_decisions.decide(found, scope=request.POST.get("scope", ""), by=user, at=now)
            terms_decisions.advance(decided, at=now)
            return redirect(request.path)
    except NotChanged as refusal:
        return _decision_page(request, found, refusal=refusal, status=refusal.status, listed=listed)
    except Refused as refusal:
        if refusal.status == 403:
            raise
        found.refresh_from_db()
        return _decision_page(request, found, refusal=refusal, status=refusal.status, listed=listed)
    if go.startswith("after:"):
        return redirect(f"{here}&after={go.removeprefix('after:')}#list")
    if go in LISTS:
        return redirect(f"{request.path}?list={go}#list")
    return redirect(f"{here}#list")


@dataclass(frozen=True)
class Move:
    """One promise of a ticket as the preview shows it; old or new "" where there is none."""

    promise: str
    old: str
    new: str
    is_missed: bool


def _moves(item: TermsItem, now: datetime) -> list[Move]:
    def moment(written: str | None) -> str:
        return words.moment(datetime.fromisoformat(written), words.MOSCOW, now, "date") if written else ""

    return [
        Move(words.promise(one["kind"]), moment(one["from"]), moment(one["to"]), one["missed"])
        for one in item.moves
        if one["from"] != one["to"]
    ]


def _decision_page(
    request: HttpRequest,
    found: TermsDecision,
    *,
    refusal: Refused | None = None,
    status: int = 200,
    listed: str = "",
) -> HttpResponse:
    now = timezone.now()
    change = TermsChange.from_json(found.change)
    base = _base(found, change)
    context: dict[str, Any] = {
        "tab": "packages",
        "now": now,
        "decision": found,
        "change": change,
        "base": base,
        "differences": catalogue.differences(base, change) if base else [],
        "may_edit": person(request).role == Role.ADMIN,
        "refusal": refusal,
    }
    if found.state == TermsDecision.State.COUNTING:
        context["counted"] = found.items.filter(ticket__isnull=False).count()
        return render(request, "packages/counting.html", context, status=status)
    if found.decided_at is not None:
        return _result_page(request, found, context, now, status)
    listed = listed or request.GET.get("list", "")
    if listed not in LISTS:
        listed = "drafts" if request.GET.get("list") is None and not _has_tickets(found) else "tickets"
    items = _listed(found, listed)
    if after := request.GET.get("after", ""):
        rank, _dash, key = after.partition("-")
        items = items.filter(Q(rank__gt=_number(rank)) | Q(rank=_number(rank), pk__gt=_number(key)))
    page = list(items[: PAGE + 1])
    chosen = found.items.filter(chosen=True).aggregate(drafts=Count("contract"), tickets=Count("ticket"))
    whole, dated = totals(found), totals(found, Q(is_dated=True))
    scope = request.POST.get("scope") or (
        TermsDecision.Scope.CHOSEN if any(chosen.values()) else TermsDecision.Scope.NEW
    )
    context |= {
        "totals": whole,
        "dated": dated,
        "chosen": chosen,
        "headline": headline(whole.moved, whole.missed),
        "scope": scope,
        "listed": listed,
        "rows": [(item, _moves(item, now) if item.ticket_id else _money(item)) for item in page[:PAGE]],
        "after": f"{page[PAGE - 1].rank}-{page[PAGE - 1].pk}" if len(page) > PAGE else "",
        "is_further": bool(after),
    }
    return render(request, "packages/preview.html", context, status=status)


def headline(moved: int, missed: int) -> str:
    """“37 deadlines move, 4 become missed” (domain §4)."""
    moves = ngettext("%(count)d deadline moves", "%(count)d deadlines move", moved) % {"count": moved}
    become = ngettext("%(count)d becomes missed", "%(count)d become missed", missed) % {"count": missed}
    return _("%(moves)s, %(missed)s") % {"moves": moves, "missed": become}


def _base(found: TermsDecision, change: TermsChange) -> PackageTerms | None:
    """The terms before the change: what it is compared with."""
    before = found.package.terms.select_related("package", "calendar").filter(starts_on__lt=change.starts_on)
    return before.order_by("-starts_on").first()


def _has_tickets(found: TermsDecision) -> bool:
    return found.items.filter(ticket__isnull=False).exists()


def _listed(found: TermsDecision, listed: str) -> Any:
    if listed == "drafts":
        rows = found.items.filter(contract__isnull=False).select_related("contract__customer")
    else:
        rows = found.items.filter(ticket__isnull=False).select_related("ticket__customer")
    return rows.order_by("rank", "pk")


def _money(item: TermsItem) -> dict[str, Any]:
    """The prices of a draft before and after, as money for the template."""
    return {
        name: Decimal(value) if name.startswith(("yearly", "total")) else value for name, value in item.moves.items()
    }


def _result_page(
    request: HttpRequest, found: TermsDecision, context: dict[str, Any], now: datetime, status: int
) -> HttpResponse:
    counted = found.items.filter(chosen=True).aggregate(
        all=Count("pk"),
        applied=Count("pk", filter=Q(outcome=TermsItem.Outcome.APPLIED)),
        left=Count("pk", filter=Q(outcome=TermsItem.Outcome.SKIPPED)),
        last=Max("done_at"),
    )
    shown = request.GET.get("show", "")
    if shown not in TermsItem.Outcome.values:
        shown = TermsItem.Outcome.SKIPPED if counted["left"] or not counted["applied"] else TermsItem.Outcome.APPLIED
    items = found.items.filter(outcome=shown).select_related("ticket__customer", "contract__customer").order_by("pk")
    if after := request.GET.get("after", ""):
        items = items.filter(pk__gt=_number(after))
    page = list(items[: PAGE + 1])
    rows = [
        (item, _moves(item, now) if item.ticket_id else _money(item), why_left(item) if item.why else "")
        for item in page[:PAGE]
    ]
    context |= {
        "counted": counted,
        "waiting": counted["all"] - counted["applied"] - counted["left"],
        "shown": shown,
        "rows": rows,
        "older": f"?show={shown}&after={page[PAGE - 1].pk}#list" if len(page) > PAGE else "",
        "newer": f"?show={shown}#list" if after else "",
    }
    return render(request, "packages/result.html", context, status=status)


def _number(text: str) -> int:
    """A number of an address or a form; longer ones Python itself refuses to read."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadRequest(_("This address is not complete."))
    return int(text)
