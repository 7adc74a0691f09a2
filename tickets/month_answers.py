"""What is said about a closed month: the contact acknowledges it or disputes a line, the vendor answers and corrects.

Each verb locks the statement, writes one row and changes none (domain §4.6).
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Role, User
from accounts.refusals import Forbidden, Refused
from sla.statements import MonthlyStatement, Outcome, StatementAnswer, StatementCorrection, StatementLine
from tickets.workflow.gates import needs_words

What = StatementAnswer.What
SECTION = "4.6"


class NotNow(Refused):
    """The statement is not in a state in which that can be said."""


def may_speak(statement: MonthlyStatement, user: User, *, at: datetime) -> bool:
    """Whether this person speaks for the customer at the moment (domain §1.7.1)."""
    contact = statement.customer.contact_at(at)
    return contact is not None and contact.pk == user.pk


def may_answer(statement: MonthlyStatement, user: User) -> bool:
    """Whether this person answers for the vendor: the support manager, or the customer's own CSM."""
    return user.role == Role.SUPPORT_MANAGER or (user.role == Role.CSM and statement.customer.csm_id == user.pk)


def _lock(statement: MonthlyStatement) -> MonthlyStatement:
    rows = MonthlyStatement.objects.select_for_update(of=("self",), no_key=True).select_related("customer__csm")
    return rows.get(pk=statement.pk)


def _only_contact(statement: MonthlyStatement, by: User, at: datetime) -> None:
    if not may_speak(statement, by, at=at):
        raise Forbidden(_("Only the responsible contact answers a monthly statement."), "1.7.1")


def _only_vendor(statement: MonthlyStatement, by: User) -> None:
    if not may_answer(statement, by):
        raise Forbidden(_("Only the support manager and the customer's own CSM answer for a monthly statement."))


@transaction.atomic
def acknowledge(statement: MonthlyStatement, *, by: User, at: datetime) -> StatementAnswer:
    """The contact takes note of the month. Said twice it is said once; not while a dispute waits for its answer."""
    statement = _lock(statement)
    _only_contact(statement, by, at)
    said = statement.answers.filter(what=What.ACKNOWLEDGED).first()
    if said is not None:
        return said
    if open_disputes(statement).exists():
        raise NotNow(_("A line is disputed and waits for our answer: acknowledge the month after it."), SECTION)
    return StatementAnswer.objects.create(statement=statement, what=What.ACKNOWLEDGED, by=by, at=at)


@transaction.atomic
def dispute(statement: MonthlyStatement, line: StatementLine, *, words: str, by: User, at: datetime) -> StatementAnswer:
    """The contact says what is wrong with a line; again only after it was answered, and not once acknowledged."""
    statement = _lock(statement)
    _only_contact(statement, by, at)
    if line.statement_id != statement.pk:
        raise NotNow(_("This line is not of this month."), SECTION)
    words = needs_words(words, _("Write what is wrong with this line: we answer that."), SECTION)
    if statement.answers.filter(what=What.ACKNOWLEDGED).exists():
        raise NotNow(_("The month is acknowledged: it cannot be disputed any more."), SECTION)
    if open_disputes(statement).filter(line=line).exists():
        raise NotNow(_("This line is disputed already and waits for our answer."), SECTION)
    return StatementAnswer.objects.create(statement=statement, what=What.DISPUTED, line=line, words=words, by=by, at=at)


@transaction.atomic
def answer(said: StatementAnswer, *, words: str, by: User, at: datetime) -> StatementAnswer:
    """The vendor answers a dispute, once."""
    statement = _lock(said.statement)
    _only_vendor(statement, by)
    words = needs_words(words, _("Write the answer: the customer reads it."), SECTION)
    if said.what != What.DISPUTED or StatementAnswer.objects.filter(about=said).exists():
        raise NotNow(_("This dispute has been answered already."), SECTION)
    return StatementAnswer.objects.create(
        statement=statement, what=What.ANSWERED, line=said.line, about=said, words=words, by=by, at=at
    )


@transaction.atomic
def correct(
    statement: MonthlyStatement, line: StatementLine, *, after: str, why: str, by: User, at: datetime
) -> StatementCorrection:
    """A line counts as another outcome from now on: a new row with who and why; the frozen figures stay as closed."""
    statement = _lock(statement)
    _only_vendor(statement, by)
    if line.statement_id != statement.pk:
        raise NotNow(_("This line is not of this month."), SECTION)
    why = needs_words(why, _("Write why the line is corrected: the customer reads it."), SECTION)
    if after not in {Outcome.KEPT, Outcome.MISSED, Outcome.OUT}:
        raise NotNow(_("A line is corrected to kept, missed or not counted."), SECTION)
    last = line.corrections.order_by("-pk").first()
    before = last.after if last else line.outcome
    if before == after:
        raise NotNow(_("Nothing changes: the line counts so already."), SECTION)
    return StatementCorrection.objects.create(
        statement=statement,
        line=line,
        commitment_id=line.commitment_id,
        number=line.number,
        before=before,
        after=after,
        why=why,
        by=by,
        at=at,
    )


def open_disputes(statement: MonthlyStatement):
    """Disputes of the statement that nobody has answered yet, oldest first."""
    return statement.answers.filter(what=What.DISPUTED, answer__isnull=True)
