"""The conditions of every contract and the clauses of this one (domain §1.7, §2)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from reportlab.platypus import Flowable

from contracts.document import paper
from contracts.document.paper import QUIET, heading, numbered, text
from contracts.document.reading import CLAUSES, CONDITIONS, PEOPLE, NumberedClause, Reading
from contracts.document.words import duration, moscow_moment, target_words
from contracts.models import PromiseKind, Topic


def conditions(reading: Reading) -> Iterator[Flowable]:
    yield from heading(CONDITIONS, _("Conditions"))
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


def clauses(reading: Reading) -> Iterator[Flowable]:
    yield from heading(CLAUSES, _("Clauses of this contract"))
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
            yield _("Priority %(priority)d, %(kind)s: %(own)s (the package: %(usual)s).") % names
        else:
            yield _("Priority %(priority)d, %(kind)s: %(own)s; the package promises none.") % names
    if row.starts_at is not None:
        yield _("Holds from %(moment)s.") % {"moment": moscow_moment(row.starts_at)}
    if clause.until is not None:
        yield _("Held until %(moment)s.") % {"moment": moscow_moment(clause.until)}
