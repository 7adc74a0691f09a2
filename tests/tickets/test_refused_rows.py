"""What the database refuses of tickets, escalations, letters and people, whoever writes it (style: Errors).

Contracts and the catalogue: `tests/contracts/test_constraints.py`; clocks: `tests/sla/test_clocks.py`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, models, transaction

from accounts.models import Role, User
from contracts.models import Customer, TermsPrice
from mail.models import InboundLetter, OutgoingLetter
from sla.models import Commitment, Escalation, Ladder
from sla.sweep import sweep
from tests.factories import CustomerFactory, UserFactory, an_engineer, contact_of, open_ticket
from tests.moments import tuesday
from tickets import workflow
from tickets.models import Message, Rating, Ticket

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("model", "changes", "constraint"),
    [
        (Ticket, {"state": "lost", "resolved_at": tuesday(11)}, "ticket_state_known"),
        (Ticket, {"state": "resolved"}, "ticket_resolved_has_moment"),
        (Ticket, {"state": "closed"}, "ticket_closed_has_moment"),
        (Ticket, {"priority": 0}, "ticket_priority_1_to_4"),
        (Ticket, {"priority": 5}, "ticket_priority_1_to_4"),
        (Ticket, {"kind": "riddle"}, "ticket_kind_known"),
        (Ticket, {"subject": ""}, "ticket_has_subject"),
        (Message, {"kind": "whisper"}, "message_kind_known"),
        (Commitment, {"priority": 5}, "commitment_priority_1_to_4"),
        (Escalation, {"whom": "nobody"}, "escalation_whom_known"),
        (Escalation, {"cause": "weather"}, "escalation_cause_known"),
        (Escalation, {"state": "closed"}, "escalation_closed_has_moment"),
        (Ladder, {"priority": 5}, "ladder_priority_1_to_4"),
        (TermsPrice, {"deployment": "in-space"}, "price_deployment_known"),
        (User, {"role": "ghost"}, "user_role_known"),
    ],
)
def test_database_refuses_what_cannot_be(model: type[models.Model], changes: dict[str, Any], constraint: str) -> None:
    open_ticket(priority=1)
    sweep(tuesday(10, 20))  # the first rung of the reaction
    row = model._default_manager.earliest("pk")

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model._default_manager.filter(pk=row.pk).update(**changes)


def again(row: models.Model, **changes: Any) -> None:
    """The same row a second time."""
    row.pk = None
    row._state.adding = True
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def a_call() -> Escalation:
    open_ticket(priority=1)
    sweep(tuesday(10, 20))
    return Escalation.objects.get()


def a_message() -> Message:
    ticket = open_ticket(message_id="one@example.com")
    workflow.reply(ticket, by=an_engineer(), body="We look", at=tuesday(10, 5), key="k")
    return ticket.messages.get(message_id="one@example.com")


def a_letter() -> OutgoingLetter:
    return OutgoingLetter.objects.create(
        occasion="event:1", address="a@example.com", message_id="1@example.com", subject="1", text="1",
        written_at=tuesday(10),
    )  # fmt: skip


def a_received_letter() -> InboundLetter:
    return InboundLetter.objects.create(message_id="1@example.com", received_at=tuesday(10), raw=b"", outcome="failed")


@pytest.mark.parametrize(
    ("make", "changes", "constraint"),
    [
        (lambda: open_ticket(key="k"), {"number": 10**9}, "ticket_sent_once"),
        (a_message, {}, "message_id_once"),
        (lambda: Message.objects.get(pk=a_message().pk + 1), {}, "message_sent_once"),
        (a_call, {}, "escalation_once_a_rung"),
        (a_letter, {"message_id": "2@example.com"}, "letter_once_an_occasion"),
        (a_received_letter, {}, "inbound_letter_once"),
        (CustomerFactory, {}, "customer_once"),
        (lambda: UserFactory(email="one@example.com"), {"email": "ONE@example.com"}, "user_email_once"),
    ],
)
def test_database_refuses_it_twice(make: Callable[[], models.Model], changes: dict, constraint: str) -> None:
    row = make()

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        again(row, **changes)


@pytest.mark.parametrize("score", [0, 6])
def test_database_refuses_a_rating_that_is_not_one_to_five(score: int) -> None:
    ticket = open_ticket()

    with pytest.raises(IntegrityError, match="rating_1_to_5"), transaction.atomic():
        Rating.objects.create(ticket=ticket, score=score, by=contact_of(ticket.customer), at=tuesday(11))


def test_every_role_of_the_house_is_known_to_the_database() -> None:
    for role in Role.values:
        UserFactory(role=role)

    assert set(User.objects.values_list("role", flat=True)) == set(Role.values)
    assert not Customer.objects.exists()
