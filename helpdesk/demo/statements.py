"""What was said about the closed months of the demo: acknowledged, disputed, answered (domain §4.6).

Contacts acknowledge a month some days after it was closed; now and then they dispute a missed promise first, and are
answered. The last month waits for them still, but for one customer who disputes a line of it and waits for us.
"""

from datetime import datetime, timedelta
from random import Random

from accounts.models import Role, User
from sla.statements import MonthlyStatement, Outcome, StatementAnswer
from tickets import month_answers, months

SPEAKS_AFTER = timedelta(days=2, hours=5)  # the closing
ANSWERED_AFTER = timedelta(hours=20)
ACKNOWLEDGED_AFTER = timedelta(days=2)  # the dispute
DISPUTED = 0.4  # of the months with a missed promise

SAID = {
    "ru": (
        "В нашем журнале первый звонок раньше этого срока. Проверьте, пожалуйста, эту строку.",
        "Проверили: звонок был по другому обращению, первый ответ по этому пришёл после срока. Строка остаётся.",
    ),
    "en": (
        "Our log has a call from you before this deadline. Please look at this line again.",
        "We looked again: the call was about another request, the first answer here came late. The line stays.",
    ),
}


def statement_answers(now: datetime) -> None:
    """Says what is to be said about every closed month by now; nothing where something was said already."""
    last = months.finished(now)[-1]
    unsaid = MonthlyStatement.objects.filter(answers__isnull=True).select_related("customer__csm").order_by("pk")
    is_disputed = MonthlyStatement.objects.filter(month=last, answers__isnull=False).exists()
    for statement in unsaid:
        at = statement.closed_at + SPEAKS_AFTER
        contact = statement.customer.contact_at(at)
        if contact is None or at + ACKNOWLEDGED_AFTER > now:
            continue
        if statement.month == last:
            is_disputed = is_disputed or _dispute(statement, by=contact, at=at) is not None
            continue
        if Random(f"{statement.customer_id}:{statement.slug}").random() < DISPUTED:
            said = _dispute(statement, by=contact, at=at)
            if said is not None:
                _answer(said, at=at + ANSWERED_AFTER)
                at += ACKNOWLEDGED_AFTER
                contact = statement.customer.contact_at(at) or contact
        month_answers.acknowledge(statement, by=contact, at=at)


def _dispute(statement: MonthlyStatement, *, by: User, at: datetime) -> StatementAnswer | None:
    """The first missed reaction of the month is disputed; None where there is none."""
    line = statement.lines.filter(outcome=Outcome.MISSED, kind="reaction").order_by("position").first()
    if line is None:
        return None
    return month_answers.dispute(statement, line, words=SAID[statement.customer.language][0], by=by, at=at)


def _answer(said: StatementAnswer, *, at: datetime) -> None:
    customer = said.statement.customer
    manager = User.objects.filter(role=Role.SUPPORT_MANAGER, is_active=True).earliest("pk")
    month_answers.answer(said, words=SAID[customer.language][1], by=customer.csm or manager, at=at)
