"""Whose contract it is, who speaks for whom, who signed (domain §1.7.1, §2)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Table, TableStyle

from contracts.document import paper
from contracts.document.paper import CELL, CELL_BOLD, CELL_QUIET, heading, numbered_heading, stacked, table, text
from contracts.document.reading import CLAUSES, PEOPLE, PRICE, SIGNATURES, Reading
from contracts.document.words import moscow_moment
from contracts.models import Contract
from contracts.money import euro
from contracts.price_words import day_words as day
from contracts.signing import moscow_day


def head(reading: Reading, name: str) -> Iterator[Flowable]:
    contract, price = reading.contract, reading.quote
    yield text(name, paper.TITLE)
    yield text(contract.customer.name, paper.SUBTITLE)
    yield from _notice(reading)
    total = price.total + sum((line.amount for line in reading.added), Decimal(0)) if price else None
    total_words = _("Whole price") if reading.added else _("Price of the term")
    signed = day(moscow_day(reading.signed_at)) if reading.signed_at else _("not signed")
    until = _("%(start)s to %(end)s") % {"start": day(contract.starts_on), "end": day(contract.ends_on)}
    yield paper.facts(
        [46 * mm, 80 * mm, 44 * mm],
        [
            [
                (_("Package"), reading.terms.package.name),
                (_("Term, both days included"), until),
                (_("State"), reading.state[:1].upper() + reading.state[1:]),
            ],
            [
                (_("Price of one year"), euro(price.yearly) if price else "—"),
                (total_words, euro(total) if total is not None else "—"),
                (pgettext("contract", "Signed"), signed),
            ],
        ],
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


def subject(reading: Reading) -> Iterator[Flowable]:
    contract = reading.contract
    yield from heading(1, _("Subject"))
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


def people_and_signatures(reading: Reading) -> Flowable:
    """Both on one page where they fit on one: signatures do not stand alone."""
    return KeepTogether([*_people(reading), *_signatures(reading)])


def _people(reading: Reading) -> Iterator[Flowable]:
    rows: list[list[Any]] = []
    for contact in reading.contacts:
        since = _("since %(moment)s") % {"moment": moscow_moment(contact.starts_at)}
        if contact.ends_at is not None and not reading.as_signed:
            since += ", " + _("until %(moment)s") % {"moment": moscow_moment(contact.ends_at)}
        named = stacked((contact.user.full_name, CELL_BOLD), (since, CELL_QUIET))
        rows.append([text(_("Responsible contact"), CELL), named])
    if not rows:
        words = _("none yet: a contract is not signed without one")
        rows.append([text(_("Responsible contact"), CELL), text(words, CELL_QUIET)])
    if "csm" in reading.services:
        csm = reading.contract.customer.csm
        absent = _("not named yet; the support manager stands in")
        manager = text(csm.full_name, CELL_BOLD) if csm else text(absent, CELL_QUIET)
        rows.append([text(_("Customer Success Manager"), CELL), manager])
    yield numbered_heading(PEOPLE, _("People"))
    yield table([_("Who"), _("Name")], rows, [56 * mm, 114 * mm])


def _signatures(reading: Reading) -> Iterator[Flowable]:
    contract = reading.contract
    below: Any = text(_("Name, signature, day"), CELL_QUIET)
    vendor = below
    if reading.signed_at is not None:
        name = contract.signed_by.full_name if contract.signed_by else "—"
        vendor = stacked(
            (_("Signed by %(name)s") % {"name": name}, CELL), (moscow_moment(reading.signed_at), CELL_QUIET)
        )
    sides = [text(_("For %(side)s") % {"side": side}, CELL_BOLD) for side in (settings.VENDOR_NAME, contract.customer)]
    style = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("BOTTOMPADDING", (0, 0), (-1, 0), 16 * mm),
        ("LINEABOVE", (0, 1), (0, 1), 0.6, paper.INK),
        ("LINEABOVE", (2, 1), (2, 1), 0.6, paper.INK),
    ]
    cells = [[sides[0], "", sides[1]], [vendor, "", below]]
    yield numbered_heading(SIGNATURES, _("Signatures"))
    yield Table(cells, colWidths=[80 * mm, 10 * mm, 80 * mm], style=TableStyle(style), hAlign="LEFT")
