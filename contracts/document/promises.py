"""What the contract includes and how soon: services, channels, hours, targets (domain §1.2 to §1.6)."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Spacer

from contracts import terms
from contracts.document import paper
from contracts.document.paper import CELL, CELL_BOLD, CELL_QUIET, numbered, section, stacked, table, text
from contracts.document.reading import HOURS, MATRIX, SOON, Reading
from contracts.document.words import duration, hours_words, target_words
from contracts.models import Channel, PromiseKind, Service, TermsTarget


def matrix(reading: Reading) -> Iterator[Flowable]:
    rows = []
    for service in Service.objects.all():
        clause = reading.services.get(service.pk)
        rows.append([text(service.name, CELL), *_verdict(clause)])
    services = table([_("Service"), "", ""], rows, [112 * mm, 8 * mm, 50 * mm], more=_marks(1))
    yield section(MATRIX, _("What the contract includes"), services)


def _verdict(clause: str | None) -> list[Any]:
    """The sign and the words: None is not included, "" by the package, else by the clause of that number."""
    if clause is None:
        return ["—", text(_("not included"), CELL_QUIET)]
    words = _("included by clause %(number)s") % {"number": clause} if clause else _("included")
    return ["✓", text(words, CELL_BOLD)]


def _marks(column: int) -> list[tuple]:
    return [("FONT", (column, 1), (column, -1), paper.BOLD, 9, 11.5), ("ALIGN", (column, 1), (column, -1), "CENTER")]


# 4. Hours and channels


def hours(reading: Reading) -> Iterator[Flowable]:
    version = reading.terms.calendar.version_at(reading.moment)
    hours = text(_("Service hours: %(hours)s.") % {"hours": hours_words(version)})
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
    channels = table(head, rows, [40 * mm, 8 * mm, 42 * mm, 80 * mm], more=_marks(1))
    yield section(HOURS, _("Service hours and channels"), hours, channels)


# 5. How soon


def _meanings() -> dict[int, str]:
    """What the priorities of an incident mean (domain §1.6)."""
    return {
        1: _("The system does not work at all."),
        2: _("Main functions cannot be performed, but there are other ways to perform them."),
        3: _("Auxiliary functions cannot be performed, but there are other ways to perform them."),
        4: _("An error that does not affect what the software does."),
    }


def targets(reading: Reading) -> Iterator[Flowable]:
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
    yield section(SOON, _("How soon"), table(head, rows, widths))
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
    words = _("by clause %(number)s (the package: %(usual)s)") if usual else _("by clause %(number)s")
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
    if "csm" in reading.services:
        yield _(
            "The responsible contact may escalate a request at any time, with a reason, to the Customer Success "
            "Manager or to top management."
        )
    else:
        yield _(
            "The responsible contact may escalate a request at any time, with a reason, to the support manager or to "
            "top management."
        )
