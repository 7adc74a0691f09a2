"""The contract as a document: A4 pages with its whole arithmetic, what it includes, how soon, who (domain §1, §2).

`contract_pdf` only reads. The look and the safety of text is `contracts.paper`; here stands what a contract says.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.conf import settings
from django.utils import translation
from django.utils.dates import WEEKDAYS_ABBR
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _
from reportlab.lib.units import mm
from reportlab.platypus import CondPageBreak, Flowable, KeepTogether, Spacer, Table, TableStyle

from contracts import paper, pricing, terms
from contracts.entitlement import CONTRACT_ZONE
from contracts.models import (
    Channel,
    Contract,
    ContractClause,
    ContractLine,
    Deployment,
    PromiseKind,
    ResponsibleContact,
    Service,
    TermsTarget,
    Topic,
)
from contracts.money import euro, percent
from contracts.paper import (
    CELL,
    CELL_BOLD,
    CELL_QUIET,
    QUIET,
    SUBHEADING,
    heading,
    numbered,
    stacked,
    table,
    text,
)
from contracts.price_words import day_words as day
from contracts.price_words import line_words
from contracts.signing import covered_licences, derived_lines, last_day, moscow_day, prices_of, quote

LANGUAGES = ("ru", "en")
PRICE, MATRIX, HOURS, SOON, CONDITIONS, CLAUSES, PEOPLE, SIGNATURES = range(2, 10)


def contract_pdf(contract: Contract, *, language: str, at: datetime) -> bytes:
    """The contract in one language, "ru" or "en", as a PDF; money in EUR, days and moments of Moscow.

    A signed contract with `at` no later than its signature is the document that was signed: its first lines and clauses
    only, and no later end. With a later `at` it holds all that was added since, and how it ended. Otherwise `at` tells
    only as of when a draft is shown. The same rows give the same bytes. Raises `ValueError` for another language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"Contracts are written in {', '.join(LANGUAGES)}, not in {language!r}.")
    with translation.override(language):
        reading = Reading(contract, at)
        name = _("Support contract № %(number)s") % {"number": contract.number}
        sheet = paper.Sheet(settings.VENDOR_NAME, name, contract.customer.name, reading.mark, reading.ghost)
        story = [
            *_head(reading, name),
            *_subject(reading),
            *_price(reading),
            *_matrix(reading),
            *_hours(reading),
            *_targets(reading),
            *_conditions(reading),
            *_clauses(reading),
            *_people(reading),
            *_signatures(reading),
        ]
        return paper.pdf(story, sheet, language=language, subject=contract.customer.name)


class Reading:
    """The rows of one contract, each read once, as they stood for a document of the moment `at`."""

    def __init__(self, contract: Contract, at: datetime) -> None:
        self.contract = contract
        self.terms = contract.terms
        self.at = at
        self.signed_at = contract.signed_at
        self.as_signed = contract.signed_at is not None and at <= contract.signed_at
        self.moment = contract.signed_at or at  # whose calendars and contact are meant

    @cached_property
    def mark(self) -> str:
        """What stands on every page of a contract that is not in force; "" for one that is."""
        state = self.contract.state
        if self.signed_at is None:
            return _("Draft, not signed") if state == Contract.State.DRAFT else _("Given up, not signed")
        if self.as_signed or state == Contract.State.ACTIVE:
            return ""
        words = _("Terminated, last day %(day)s") if state == Contract.State.TERMINATED else _("Expired on %(day)s")
        return words % {"day": day_short(last_day(self.contract))}

    @cached_property
    def ghost(self) -> str:
        return self.mark if self.signed_at is None else ""

    @cached_property
    def state(self) -> str:
        return str(Contract.State.ACTIVE.label) if self.as_signed else self.contract.get_state_display()

    @cached_property
    def quote(self) -> pricing.Quote | None:
        """The price; None where it cannot be counted: a draft without licences, or without a price for them."""
        try:
            return quote(self.contract)
        except pricing.PricingError:
            return None

    @cached_property
    def lines(self) -> list[ContractLine]:
        """The lines of the first day, which make the yearly price."""
        if self.signed_at is not None:
            return [line for line in self._signed_lines if not line.is_added]
        licences = covered_licences(self.contract)
        return derived_lines(self.contract, licences) if self.quote else []

    @cached_property
    def added(self) -> list[ContractLine]:
        return [] if self.as_signed else [line for line in self._signed_lines if line.is_added]

    @cached_property
    def _signed_lines(self) -> list[ContractLine]:
        if self.signed_at is None:
            return []
        rows = self.contract.lines.select_related("licence__product", "licence__release")
        return list(rows.order_by("licence_id"))

    @cached_property
    def clauses(self) -> list["NumberedClause"]:
        rows = self.contract.clauses.select_related("topic", "service").order_by("pk")
        if self.as_signed:
            rows = rows.filter(starts_at__isnull=True)
        return [NumberedClause(f"{CLAUSES}.{number}", row, self.as_signed) for number, row in enumerate(rows, start=1)]

    @cached_property
    def standing(self) -> list["NumberedClause"]:
        """The clauses that were not ended: what they include counts beside the package."""
        return [clause for clause in self.clauses if clause.until is None]

    @cached_property
    def services(self) -> dict[str, str]:
        """Each service included: its code, with the number of the clause that adds it, "" where the package does."""
        by_clause = {c.row.service_id: c.number for c in reversed(self.standing) if c.row.service_id is not None}
        return by_clause | dict.fromkeys(self.terms.services.values_list("code", flat=True), "")

    @cached_property
    def promises(self) -> dict[tuple[str, int], TermsTarget]:
        """What the package promises, by (kind, priority)."""
        targets = self.terms.targets.select_related("calendar")
        return {(target.kind, target.priority): target for target in targets}

    @cached_property
    def own_promises(self) -> dict[tuple[str, int], "NumberedClause"]:
        """What clauses promise instead; of two the later counts, as for the clocks."""
        return {(c.row.kind, c.row.priority): c for c in self.standing if c.row.kind and c.row.priority}

    @cached_property
    def contacts(self) -> list[ResponsibleContact]:
        """Who speaks for the customer: at the signing (of a draft: at `at`), then everybody to the contract's end."""
        rows = self.contract.customer.contacts.select_related("user").order_by("starts_at")
        if self.as_signed or self.signed_at is None:
            return list(rows.holding(self.moment))
        ends = last_day(self.contract)
        held = rows.exclude(ends_at__lte=self.moment)
        return [row for row in held if row.starts_at <= self.moment or moscow_day(row.starts_at) <= ends]


@dataclass(frozen=True, slots=True)
class NumberedClause:
    """A clause with its number in the document."""

    number: str
    row: ContractClause
    as_signed: bool

    @property
    def words(self) -> str:
        """In the document's language; in the other one rather than none."""
        return self.row.text.strip() or self.row.text_en.strip() or self.row.text_ru.strip()

    @property
    def until(self) -> datetime | None:
        return None if self.as_signed else self.row.ends_at


# Words


def day_short(value: date) -> str:
    """A day for a column of a table: “18 Nov 2026”, “18.11.2026”."""
    return day(value) if _english() else f"{value:%d.%m.%Y}"


def moscow_moment(at: datetime) -> str:
    """“18 November 2026, 14:10 Moscow time (UTC+03:00)”."""
    there = at.astimezone(CONTRACT_ZONE)
    offset = f"{there:%z}"
    return _("%(day)s, %(time)s Moscow time (UTC%(offset)s)") % {
        "day": day(there.date()),
        "time": f"{there:%H:%M}",
        "offset": f"{offset[:3]}:{offset[3:]}",
    }


def duration(minutes: int) -> str:
    """“30 minutes”, “4 hours”, “1 hour 30 minutes”; never days, whose length depends on the calendar."""
    hours, rest = divmod(minutes, 60)
    words = []
    if hours:
        words.append(ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours})
    if rest:
        words.append(ngettext("%(count)d minute", "%(count)d minutes", rest) % {"count": rest})
    return " ".join(words)


def target_words(target: TermsTarget) -> str:
    """A promised time in words: “30 minutes”, “2 working days”."""
    if target.unit == TermsTarget.Unit.WORKING_DAYS:
        return ngettext("%(count)d working day", "%(count)d working days", target.amount) % {"count": target.amount}
    return duration(target.amount)


def hours_words(version: Any) -> str:
    """The hours of a `sla.CalendarVersion` in its own time zone: “Mon–Fri 09:00–18:00, Moscow time (UTC+03:00)”."""
    if version.is_round_the_clock:
        return _("round the clock, every day of the year")
    groups: list[tuple[int, int, str]] = []
    for weekday in range(7):
        times = ", ".join(f"{start}–{end}" for start, end in version.weekly_hours.get(str(weekday), []))
        if groups and groups[-1][1:] == (weekday - 1, times):
            groups[-1] = (groups[-1][0], weekday, times)
        else:
            groups.append((weekday, weekday, times))
    told = "; ".join(f"{_weekdays(first, last)} {times}" for first, last, times in groups if times)
    zone = _("Moscow time (UTC+03:00)") if version.timezone == CONTRACT_ZONE.key else version.timezone
    if version.holidays:
        return _("%(hours)s, %(zone)s, except public holidays, with the working days transferred by law") % {
            "hours": told,
            "zone": zone,
        }
    return f"{told}, {zone}"


def _weekdays(first: int, last: int) -> str:
    names = [str(WEEKDAYS_ABBR[weekday]) for weekday in (first, last)]
    if not _english():
        names = [name.lower() for name in names]
    return names[0] if first == last else "–".join(names)


def _english() -> bool:
    return (get_language() or "ru").startswith("en")


# 1. Head and subject


def _head(reading: Reading, name: str) -> Iterator[Flowable]:
    contract, price = reading.contract, reading.quote
    yield text(name, paper.TITLE)
    yield text(contract.customer.name, paper.SUBTITLE)
    yield from _notice(reading)
    total = price.total + sum((line.amount for line in reading.added), Decimal(0)) if price else None
    signed = day(moscow_day(reading.signed_at)) if reading.signed_at else _("not signed")
    until = _("%(start)s to %(end)s") % {"start": day(contract.starts_on), "end": day(contract.ends_on)}
    yield paper.facts(
        [
            [
                (_("Package"), reading.terms.package.name),
                (_("Term, both days included"), until),
                (_("State"), reading.state),
            ],
            [
                (_("Price of one year"), euro(price.yearly) if price else "—"),
                (_("Price of the term"), euro(total) if total is not None else "—"),
                (pgettext("contract", "Signed"), signed),
            ],
        ]
    )


def _notice(reading: Reading) -> list[Flowable]:
    contract = reading.contract
    if not reading.mark:
        return []
    if contract.state == Contract.State.DRAFT:
        as_of = _("As of %(moment)s. A draft promises nothing: prices and terms hold once it is signed.")
        return paper.notice(reading.mark, as_of % {"moment": moscow_moment(reading.at)})
    reason = contract.termination_reason.strip()
    words = _("Reason: %(reason)s") % {"reason": reason} if reason else ""
    if contract.state == Contract.State.TERMINATED and contract.terminated_on:
        ended = _("Terminated: the last day is %(day)s") % {"day": day(contract.terminated_on)}
        return paper.notice(ended, words)
    if contract.state == Contract.State.EXPIRED:
        return paper.notice(_("Expired: the last day was %(day)s") % {"day": day(contract.ends_on)})
    return paper.notice(reading.mark, words)


def _subject(reading: Reading) -> Iterator[Flowable]:
    contract = reading.contract
    yield heading(1, _("Subject"))
    days = (contract.ends_on - contract.starts_on).days + 1
    yield text(
        _(
            "%(vendor)s supports %(customer)s in using the products listed in section %(price)d, as the package "
            "“%(package)s” has it on the terms in force from %(terms)s, and as the clauses of section %(clauses)d say."
        )
        % {
            "vendor": settings.VENDOR_NAME,
            "customer": contract.customer.name,
            "package": reading.terms.package.name,
            "terms": day(reading.terms.starts_on),
            "price": PRICE,
            "clauses": CLAUSES,
        }
    )
    term = ngettext(
        "The contract runs from %(start)s to %(end)s, both days included: %(count)d day.",
        "The contract runs from %(start)s to %(end)s, both days included: %(count)d days.",
        days,
    )
    words = term % {"start": day(contract.starts_on), "end": day(contract.ends_on), "count": days}
    if contract.predecessor is not None:
        words += " " + _("It renews contract № %(number)s.") % {"number": contract.predecessor.number}
    yield text(words)


# 2. Price


def _price(reading: Reading) -> Iterator[Flowable]:
    yield heading(PRICE, _("Price"))
    price = reading.quote
    if price is None:
        yield text(
            _(
                "There is no price yet: no licence of the customer is in force on the first day of the contract, or "
                "the package has no price for one of them."
            )
        )
        return
    yield from _arithmetic(reading, price)
    yield text(_("Licences covered from the first day"), SUBHEADING)
    yield _licences(reading.lines, _("Price of one year"), _("A year"))
    if any(line.kind == "minimum" for line in price.lines):
        yield Spacer(0, 2 * mm)
        yield text(
            _("What lifts the price to the package's minimum is spread over the licences by their share of the price."),
            QUIET,
        )
    if reading.added:
        yield from _added(reading, price)
    yield Spacer(0, 2 * mm)
    yield text(
        _(
            "Amounts are in euros. They are counted exactly and rounded to the cent, half a cent up, once, at the end; "
            "the lines add up to the sums to the cent. Days are days of Moscow, the first and the last included."
        ),
        QUIET,
    )


def _arithmetic(reading: Reading, price: pricing.Quote) -> Iterator[Flowable]:
    head = [_("What"), _("How it is counted"), _("Amount")]
    rows: list[list[Any]] = []
    sums: list[int] = []

    def step(line: pricing.Line) -> None:
        rows.append([text(_step_name(line), CELL), text(line_words(line), CELL), euro(line.amount)])

    for line in price.lines:
        if line.adds_to == "yearly":
            step(line)
    rows.append([_("Price of one year"), "", euro(price.yearly)])
    sums.append(len(rows))
    for line in price.lines:
        if line.adds_to == "total":
            step(line)
    rows.append([_("Price of the term"), "", euro(price.total)])
    sums.append(len(rows))
    more = [style for row in sums for style in paper.total_row(row)]
    yield table(head, rows, [45 * mm, 91 * mm, 34 * mm], right=[2], more=more)


def _step_name(line: pricing.Line) -> str:
    if line.kind == "share" and line.deployment is not None:
        return _("%(deployment)s licences") % {"deployment": Deployment(line.deployment).label}
    if line.kind == "minimum":
        return _("Up to the package's minimum")
    if line.kind == "years":
        return _("Whole years")
    return _("Days beyond them")


LICENCE_COLUMNS = [8 * mm, 43 * mm, 20 * mm, 15 * mm, 27 * mm, 13 * mm, 19 * mm, 25 * mm]
NUMBERS = (3, 4, 5, 7)


def _licence_head(amount: str) -> list[str]:
    return [
        "№",
        _("Product, release"),
        _("Deployment"),
        pgettext("licence", "Users"),
        _("Licence cost"),
        "%",
        _("From day"),
        amount,
    ]


def _licence_row(number: int, line: ContractLine) -> list[Any]:
    licence = line.licence
    return [
        str(number),
        stacked((licence.product.name, CELL), (licence.release.version if licence.release else "", CELL_QUIET)),
        licence.get_deployment_display(),
        f"{licence.seats:,}".replace(",", "," if _english() else paper.NO_BREAK),
        euro(line.cost),
        percent(line.percent),
        day_short(line.starts_on),
        euro(line.amount),
    ]


def _licences(lines: Iterable[ContractLine], sum_words: str, amount: str) -> Table:
    lines = list(lines)
    rows = [_licence_row(number, line) for number, line in enumerate(lines, start=1)]
    cost = sum((line.cost for line in lines), Decimal(0))
    total = sum((line.amount for line in lines), Decimal(0))
    rows.append(["", sum_words, "", "", euro(cost), "", "", euro(total)])
    return table(_licence_head(amount), rows, LICENCE_COLUMNS, right=NUMBERS, more=_licence_style(len(rows)))


def _licence_style(sum_row: int) -> list[tuple]:
    last = sum_row
    return [
        ("FONTSIZE", (0, 1), (-1, -1), 8),
        *paper.total_row(last),
        ("FONTSIZE", (0, last), (-1, last), 8),
        # The sum never stands alone on a page.
        ("NOSPLIT", (0, max(last - 1, 1)), (-1, last)),
    ]


def _added(reading: Reading, price: pricing.Quote) -> Iterator[Flowable]:
    """Licences bought since: each with its part of the days left; the minimum is not applied again (domain §1.7.5)."""
    contract = reading.contract
    prices = prices_of(reading.terms)
    rows: list[list[Any]] = []
    style: list[tuple] = []
    for number, line in enumerate(reading.added, start=len(reading.lines) + 1):
        rows.append(_licence_row(number, line))
        rows.append(["", text(_prorated_words(contract, line, prices), CELL_QUIET), *[""] * 6])
        row = len(rows)
        style += [
            ("SPAN", (1, row), (-1, row)),
            ("NOSPLIT", (0, row - 1), (-1, row)),
            ("LINEBELOW", (0, row - 1), (-1, row - 1), 0.4, paper.HexColor("#ffffff")),
            ("TOPPADDING", (0, row), (-1, row), 0),
        ]
    together = sum((line.amount for line in reading.added), Decimal(0))
    cost = sum((line.cost for line in reading.added), Decimal(0))
    rows.append(["", _("Added licences together"), "", "", euro(cost), "", "", euro(together)])
    style += _licence_style(len(rows))
    yield text(_("Licences added since the signing"), SUBHEADING)
    yield table(_licence_head(_("To the end")), rows, LICENCE_COLUMNS, right=NUMBERS, more=style)
    yield Spacer(0, 2 * mm)
    yield text(_("Price of the term with the added licences"), SUBHEADING)
    whole = [
        [_("Price of the term"), euro(price.total)],
        [_("Added licences together"), euro(together)],
        [_("Whole price"), euro(price.total + together)],
    ]
    yield KeepTogether(
        table([_("What"), _("Amount")], whole, [136 * mm, 34 * mm], right=[1], more=paper.total_row(len(whole)))
    )


def _prorated_words(contract: Contract, line: ContractLine, prices: dict[terms.Deployment, terms.Price]) -> str:
    deployment = terms.Deployment(line.licence.deployment)
    part = pricing.prorate(
        terms.Price(line.percent, prices[deployment].minimum),
        line.cost,
        deployment=deployment,
        starts_on=contract.starts_on,
        ends_on=contract.ends_on,
        added_on=line.starts_on,
    )
    return "; ".join(line_words(step) for step in part.lines)


# 3. What is included


def _matrix(reading: Reading) -> Iterator[Flowable]:
    yield heading(MATRIX, _("What the contract includes"))
    rows = []
    for service in Service.objects.all():
        clause = reading.services.get(service.pk)
        rows.append([text(service.name, CELL), *_verdict(clause)])
    yield table([_("Service"), "", ""], rows, [112 * mm, 8 * mm, 50 * mm], more=_marks(1))


def _verdict(clause: str | None) -> list[Any]:
    """The sign and the words: None is not included, "" by the package, else by the clause of that number."""
    if clause is None:
        return ["—", text(_("not included"), CELL_QUIET)]
    words = _("included by clause %(number)s") % {"number": clause} if clause else _("included")
    return ["✓", text(words, CELL_BOLD)]


def _marks(column: int) -> list[tuple]:
    return [("FONT", (column, 1), (column, -1), paper.BOLD, 9, 11.5), ("ALIGN", (column, 1), (column, -1), "CENTER")]


# 4. Hours and channels


def _hours(reading: Reading) -> Iterator[Flowable]:
    yield heading(HOURS, _("Service hours and channels"))
    version = reading.terms.calendar.version_at(reading.moment)
    yield text(_("Service hours: %(hours)s.") % {"hours": hours_words(version)})
    rows = []
    for channel in Channel.objects.select_related("service"):
        clause = reading.services.get(channel.service_id)
        if clause is None:
            when = _("needs the service “%(service)s”") % {"service": channel.service.name}
        elif channel.is_live:
            when = _("in service hours")
        else:
            when = _("at any time; promised times are counted in service hours")
        rows.append([text(channel.name, CELL), *_verdict(clause), text(when, CELL_QUIET)])
    head = [_("Channel"), "", "", pgettext("channel", "When")]
    yield table(head, rows, [44 * mm, 8 * mm, 46 * mm, 72 * mm], more=_marks(1))


# 5. How soon


def _meanings() -> dict[int, str]:
    """What the priorities of an incident mean (domain §1.6)."""
    return {
        1: _("The system does not work at all."),
        2: _("Main functions cannot be performed, but there are other ways to perform them."),
        3: _("Auxiliary functions cannot be performed, but there are other ways to perform them."),
        4: _("An error that does not affect what the software does."),
    }


def _targets(reading: Reading) -> Iterator[Flowable]:
    yield heading(SOON, _("How soon"))
    kinds = [PromiseKind.REACTION, PromiseKind.RESOLUTION, PromiseKind.ESCALATION_ANSWER]
    promised = {kind for kind, _priority in (*reading.promises, *reading.own_promises)}
    kinds = [kind for kind in kinds if kind in promised]
    titles = {
        PromiseKind.REACTION: _("Reaction, at most"),
        PromiseKind.RESOLUTION: _("Resolution, guaranteed"),
        PromiseKind.ESCALATION_ANSWER: _("Answer to your escalation, at most"),
    }
    meanings = _meanings()
    rows = []
    for priority in terms.PRIORITIES:
        cells = [_promise(reading, kind, priority) for kind in kinds]
        rows.append([paper.PriorityMark(priority), text(meanings[priority], CELL), *cells])
    width = 34 * mm if len(kinds) > 2 else 40 * mm
    widths = [10 * mm, paper.WIDTH - 10 * mm - width * len(kinds), *[width] * len(kinds)]
    head = ["", _("Priority of an incident"), *(titles[kind] for kind in kinds)]
    yield table(head, rows, widths, more=[("VALIGN", (0, 1), (0, -1), "TOP")])
    yield Spacer(0, 3 * mm)
    for number, words in enumerate(_how_counted(reading, PromiseKind.RESOLUTION in promised), start=1):
        yield numbered(f"{SOON}.{number}", words)


def _promise(reading: Reading, kind: str, priority: int) -> Any:
    """What is promised in one cell; a clause's own time says what it stands instead of."""
    target, own = reading.promises.get((kind, priority)), reading.own_promises.get((kind, priority))
    usual = _target_told(reading, target) if target else ""
    if own is None or own.row.minutes is None:
        return text(usual, CELL_BOLD) if usual else text("— " + _("not promised"), CELL_QUIET)
    names = {"number": own.number, "usual": usual}
    words = _("by clause %(number)s, instead of %(usual)s") if usual else _("by clause %(number)s")
    return stacked((duration(own.row.minutes), CELL_BOLD), (words % names, CELL_QUIET))


def _target_told(reading: Reading, target: TermsTarget) -> str:
    words = target_words(target)
    if target.unit == TermsTarget.Unit.MINUTES and target.calendar_id != reading.terms.calendar_id:
        return f"{words} ({target.calendar.name})"
    return words


def _how_counted(reading: Reading, resolves: bool) -> Iterator[str]:
    yield _(
        "Reaction is counted in service hours from the receipt of a request, outside them from the next opening. A "
        "person reacts: an automatic receipt does not count."
    )
    if resolves:
        yield _(
            "Resolution is guaranteed for incidents. At priority 1 and 2 the promise is met when the incident is "
            "solved completely, or when service is restored so that the priority drops to 3 or 4; a new promise then "
            "starts for that priority."
        )
        yield _(
            "At priority 3 and 4 the promise is met when the incident is solved. The deadline may be agreed "
            "individually between the responsible representatives of both sides."
        )
        yield _("The time of resolution stands still while an answer of the customer is awaited.")
    else:
        yield _("This contract promises how soon we react; it guarantees no time of resolution.")
    working = next((t for t in reading.promises.values() if t.unit == TermsTarget.Unit.WORKING_DAYS), None)
    if working is not None:
        hours = int(terms.WORKING_DAY.total_seconds() // 3600)
        yield (
            _("A working day is %(hours)s. N working days are N × %(count)d working hours.")
            % {
                "hours": hours_words(working.calendar.version_at(reading.moment)),
                "count": hours,
            }
            + " "
            + _("A request received on Tuesday at 10:30 with 2 working days is due on Thursday at 10:30.")
        )
    yield _(
        "Where a main or an auxiliary function cannot be performed and there is no other way, the priority is one "
        "higher: 1 or 2. Consultations and service requests have priority 4 unless it is changed."
    )
    if "online" in reading.services:
        yield _("At priority 1 it is better to call or to write in the chat while they are open.")
    yield _(
        "The responsible contact may escalate a request at any time, with a reason, to the Customer Success Manager or "
        "to top management."
    )


# 6. Conditions


def _conditions(reading: Reading) -> Iterator[Flowable]:
    yield heading(CONDITIONS, _("Conditions"))
    for number, words in enumerate(_condition_words(reading), start=1):
        yield numbered(f"{CONDITIONS}.{number}", words)


def _condition_words(reading: Reading) -> Iterator[str]:
    yield _("All consultations go to one responsible contact on the customer's side, named in section %(people)d.") % {
        "people": PEOPLE
    }
    yield _outside_words(reading)
    yield _(
        "The contract runs at least one year and covers all products that the customer owns. Support for a part of "
        "them is not sold."
    )
    yield _("The customer has an official version of each product when support is bought.")
    yield _(
        "A licence added during the term joins the contract by itself. It costs the percent of its cost in proportion "
        "to the days remaining to the contract's end; the package's minimum is not applied again."
    )
    yield _("Support is mandatory for as long as the customer uses the software.")
    yield _(
        "A later change of the package does not change this contract. Requests open at its end keep their promises."
    )


def _outside_words(reading: Reading) -> str:
    """What lies outside support, and the clauses that include some of it all the same (domain §1.7.2)."""
    by_clause = {c.row.topic_id: c.number for c in reversed(reading.standing) if c.row.topic_id is not None}
    outside = Topic.objects.filter(service__isnull=True)
    excluded = [topic.name for topic in outside if topic.pk not in by_clause]
    words = _("Questions outside support are not included, except where section %(clauses)d says so.") % {
        "clauses": CLAUSES
    }
    if excluded:
        words += " " + _("Outside support are: %(topics)s.") % {"topics": ", ".join(excluded)}
    for topic in outside:
        if topic.pk in by_clause:
            words += " " + _("“%(topic)s” is included by clause %(number)s.") % {
                "topic": topic.name,
                "number": by_clause[topic.pk],
            }
    return words


# 7. Clauses


def _clauses(reading: Reading) -> Iterator[Flowable]:
    yield heading(CLAUSES, _("Clauses of this contract"))
    if not reading.clauses:
        yield text(_("There are none: the package applies as it is."))
        return
    yield text(_("These clauses override the package wherever they differ from it."))
    for clause in reading.clauses:
        yield numbered(clause.number, clause.words)
        indented = paper.ParagraphStyle("clause effect", parent=QUIET, leftIndent=paper.NUMBERED.leftIndent)
        yield text(" ".join(_effects(reading, clause)), indented)


def _effects(reading: Reading, clause: NumberedClause) -> Iterator[str]:
    row = clause.row
    yield _("Overrides the package.") if row.topic or row.service or row.kind else _("Adds to the package.")
    if row.topic is not None:
        yield _("Includes the topic “%(topic)s”.") % {"topic": row.topic.name}
    if row.service is not None:
        yield _("Includes the service “%(service)s”.") % {"service": row.service.name}
    if row.kind and row.priority and row.minutes:
        usual = reading.promises.get((row.kind, row.priority))
        names = {
            "kind": PromiseKind(row.kind).label,
            "priority": row.priority,
            "own": duration(row.minutes),
            "usual": target_words(usual) if usual else "",
        }
        if usual:
            yield _("Priority %(priority)d, %(kind)s: %(own)s instead of %(usual)s.") % names
        else:
            yield _("Priority %(priority)d, %(kind)s: %(own)s; the package promises none.") % names
    if row.starts_at is not None:
        yield _("Holds from %(moment)s.") % {"moment": moscow_moment(row.starts_at)}
    if clause.until is not None:
        yield _("Held until %(moment)s.") % {"moment": moscow_moment(clause.until)}


# 8. People


def _people(reading: Reading) -> Iterator[Flowable]:
    rows: list[list[Any]] = []
    for contact in reading.contacts:
        since = _("since %(moment)s") % {"moment": moscow_moment(contact.starts_at)}
        if contact.ends_at is not None and not reading.as_signed:
            since += ", " + _("until %(moment)s") % {"moment": moscow_moment(contact.ends_at)}
        rows.append(
            [text(_("Responsible contact"), CELL), stacked((contact.user.full_name, CELL_BOLD), (since, CELL_QUIET))]
        )
    if not rows:
        words = _("none yet: a contract is not signed without one")
        rows.append([text(_("Responsible contact"), CELL), text(words, CELL_QUIET)])
    csm = reading.contract.customer.csm
    if "csm" in reading.services:
        title = text(_("Customer Success Manager"), CELL)
        named = (
            text(csm.full_name, CELL_BOLD)
            if csm
            else text(_("not named yet; the support manager stands in"), CELL_QUIET)
        )
        rows.append([title, named])
    yield CondPageBreak(40 * mm)
    yield heading(PEOPLE, _("People"))
    yield table([_("Who"), _("Name")], rows, [56 * mm, 114 * mm])


# 9. Signatures


def _signatures(reading: Reading) -> Iterator[Flowable]:
    contract = reading.contract
    vendor: list[Flowable] = [
        *stacked((_("For %(side)s") % {"side": settings.VENDOR_NAME}, CELL_BOLD)),
        Spacer(0, 12 * mm),
    ]
    if reading.signed_at is not None:
        name = contract.signed_by.full_name if contract.signed_by else "—"
        vendor += stacked(
            (_("Signed by %(name)s") % {"name": name}, CELL),
            (moscow_moment(reading.signed_at), CELL),
        )
    customer = stacked((_("For %(side)s") % {"side": contract.customer.name}, CELL_BOLD))
    below = text(_("Name, signature, day"), CELL_QUIET)
    cells = [[vendor, "", customer], [text("", CELL_QUIET) if reading.signed_at else below, "", below]]
    lines = [("LINEABOVE", (2, 1), (2, 1), 0.6, paper.INK)]
    if reading.signed_at is None:
        lines.append(("LINEABOVE", (0, 1), (0, 1), 0.6, paper.INK))
    block = Table(
        cells,
        colWidths=[80 * mm, 10 * mm, 80 * mm],
        rowHeights=[None, None],
        style=TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
                ("BOTTOMPADDING", (0, 0), (-1, 0), 14 * mm),
                *lines,
            ]
        ),
        hAlign="LEFT",
    )
    yield KeepTogether([heading(SIGNATURES, _("Signatures")), block])
