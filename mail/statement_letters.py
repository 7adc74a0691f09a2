"""Letters about closed months: ready, disputed, answered, corrected (domain §4.6). Reads rows only.

An occasion has no ticket: these letters are conversations of their own (`mail/outbound.py`).
"""

from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Role, User
from mail.letters import Draft, Letter, Link, Reader, Said, drafts_to, link
from sla.statements import MonthlyStatement, StatementAnswer, StatementCorrection
from tickets import month_page, months

STATEMENT, ANSWER, CORRECTION = "statement:", "statement_answer:", "statement_correction:"
OCCASIONS = (STATEMENT, ANSWER, CORRECTION)
OLD_NEWS = timedelta(days=31)  # a month that was made up for so long after its end is nobody's letter


def contact(statement: MonthlyStatement, now: datetime) -> list[User]:
    """The customer's responsible contact as of now."""
    person = statement.customer.contact_at(now)
    return [person] if person is not None and person.is_active else []


def ours(statement: MonthlyStatement) -> list[User]:
    """Who answers for us: the customer's CSM, else the support managers."""
    csm = statement.customer.csm
    if csm is not None and csm.is_active:
        return [csm]
    return list(User.objects.filter(role=Role.SUPPORT_MANAGER, is_active=True).order_by("pk"))


def of_statement(statement: MonthlyStatement, now: datetime) -> list[Draft]:
    """The month is closed: the contact reads it and says their word."""
    if statement.closed_at > months.bounds(statement.month)[1] + OLD_NEWS:
        return []
    return drafts_to(contact(statement, now), f"{STATEMENT}{statement.pk}", partial(_ready, statement), now=now)


def _ready(statement: MonthlyStatement, reader: Reader) -> Letter:
    of = month_page.guaranteed(statement.figures)
    facts = [
        (_("Kept in time"), f"{of.percent}%" if of.percent is not None else "—"),
        (_("Missed"), str(of.missed)),
        (_("Still running: listed, not counted"), str(statement.figures["running"])),
    ]
    return _to_contact(
        statement,
        pgettext("letter", "The monthly service statement is ready"),
        lead=[
            month_page.headline(statement.figures),
            _("Acknowledge the month, or dispute a line: we answer each dispute."),
        ],
        facts=facts,
    )


def of_answer(row: StatementAnswer, now: datetime) -> list[Draft]:
    """A dispute goes to whoever answers for us, the answer to the contact; an acknowledgement asks nobody."""
    What = StatementAnswer.What
    if row.what == What.ACKNOWLEDGED:
        return []
    statement = row.statement
    if row.what == What.DISPUTED:
        return drafts_to(ours(statement), f"{ANSWER}{row.pk}", partial(_disputed, row), now=now)
    return drafts_to(contact(statement, now), f"{ANSWER}{row.pk}", partial(_answered, row), now=now)


def _disputed(row: StatementAnswer, reader: Reader) -> Letter:
    statement = row.statement
    return Letter(
        title=pgettext("letter", "A line of a monthly statement is disputed"),
        heading=f"{statement.customer.name}, {month_page.month_words(statement.month)}",
        lead=[_line_of(row)],
        said=_said(row, reader),
        button=Link(_("Answer the dispute"), link("manage:statement", statement.pk)),
        why=_("You get this letter because you answer for the statements of %(company)s.")
        % {"company": statement.customer.name},
    )


def _answered(row: StatementAnswer, reader: Reader) -> Letter:
    return _to_contact(
        row.statement,
        pgettext("letter", "Your dispute is answered"),
        lead=[_line_of(row)],
        said=_said(row, reader),
    )


def of_correction(row: StatementCorrection, now: datetime) -> list[Draft]:
    """A closed month is corrected: never in silence."""
    return drafts_to(contact(row.statement, now), f"{CORRECTION}{row.pk}", partial(_corrected, row), now=now)


def _corrected(row: StatementCorrection, reader: Reader) -> Letter:
    told = month_page.told_correction(row, zone=reader.zone, now=reader.now)
    return _to_contact(
        row.statement,
        pgettext("letter", "A monthly statement is corrected"),
        lead=[
            f"{told.change}. {told.why}",
            _("The figures of the closing stay as they were; the correction stands beside them."),
        ],
    )


def _line_of(row: StatementAnswer) -> str:
    line = row.line
    assert line is not None  # the database keeps it so: `statement_answer_whole`
    told = {"number": line.number, "promise": month_page.words.promise(line.kind), "subject": line.subject}
    return _("№ %(number)s “%(subject)s”, %(promise)s.") % told


def _said(row: StatementAnswer, reader: Reader) -> Said:
    return Said(row.by.full_name, "", reader.moment(row.at, "date"), row.words)


def _to_contact(
    statement: MonthlyStatement,
    title: str,
    *,
    lead: list[str],
    facts: list[tuple[str, str]] | None = None,
    said: Said | None = None,
) -> Letter:
    return Letter(
        title=title,
        heading=month_page.month_words(statement.month),
        lead=lead,
        facts=facts or [],
        said=said,
        button=Link(_("Open the month"), link("report:report", statement.slug)),
        why=_("You get this letter as the responsible contact of %(company)s.") % {"company": statement.customer.name},
    )
