"""Promises that are set aside: listed while they wait, looked at again by a person, and after a pause (domain §4.5)."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.refusals import Forbidden, Refused
from sla import troubles
from sla.models import Commitment, Escalation, SweepTrouble
from sla.sweep import sweep
from tests.factories import (
    UserFactory,
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tests.moments import tuesday
from tickets import workflow

pytestmark = pytest.mark.django_db


def poisoned(at=None):
    """A trouble: a promise whose ladder lacks a moment, set aside by the sweep a minute ago."""
    at = at or timezone.now()
    ticket = open_ticket(a_customer(), priority=1)
    row = ticket.commitments.get(kind="reaction")
    ticket.commitments.exclude(pk=row.pk).update(next_check_at=None)
    whole = row.rungs
    Commitment.objects.filter(pk=row.pk).update(rungs=[{"percent": 50}], next_check_at=at)
    sweep(at)
    return SweepTrouble.objects.get(commitment=row), whole


def test_it_is_listed_while_its_promise_waits_and_keeps_since_when():
    trouble, _whole = poisoned(tuesday(10, 16))

    assert list(troubles.standing()) == [trouble]
    sweep(tuesday(11, 17))
    trouble.refresh_from_db()
    assert (trouble.since, trouble.happened_at, trouble.times) == (tuesday(10, 16), tuesday(11, 17), 2)
    assert list(troubles.standing()) == [trouble]


def test_once_the_promise_ends_it_is_over():
    trouble, _whole = poisoned(tuesday(10, 16))
    workflow.accept(trouble.commitment.ticket, by=an_engineer(), at=tuesday(10, 20))

    assert list(troubles.standing()) == []


def test_looked_at_again_it_is_read_or_set_aside_anew():
    manager = a_manager()
    trouble, whole = poisoned(tuesday(10, 16))

    assert troubles.look_again(trouble, by=manager, at=tuesday(10, 20)) is False
    trouble.refresh_from_db()
    assert (trouble.times, trouble.happened_at) == (2, tuesday(10, 20))

    Commitment.objects.filter(pk=trouble.commitment_id).update(rungs=whole)
    assert troubles.look_again(trouble, by=manager, at=tuesday(10, 21)) is True
    assert not SweepTrouble.objects.exists()
    assert Escalation.objects.filter(commitment=trouble.commitment_id).count() == 1
    with pytest.raises(Refused):
        troubles.look_again(trouble, by=manager, at=tuesday(10, 22))


@pytest.mark.parametrize("make", [an_engineer, a_contract_admin])
def test_who_does_not_look_after_the_clocks_is_refused(make):
    trouble, _whole = poisoned(tuesday(10, 16))

    with pytest.raises(Forbidden):
        troubles.look_again(trouble, by=make(), at=tuesday(10, 20))


# The page


@pytest.mark.parametrize(
    ("make", "status"),
    [(a_lead, 200), (a_csm, 200), (a_manager, 200), (top, 200), (lambda: UserFactory(admin=True), 200),
     (an_engineer, 403), (a_contract_admin, 403)],
)  # fmt: skip
def test_who_sees_the_page(client, make, status):
    trouble, _whole = poisoned()
    client.force_login(make())

    assert client.get(reverse("manage:set_aside")).status_code == status
    assert client.post(reverse("manage:look_again", args=[trouble.pk])).status_code in {302 if status == 200 else 403}


def test_a_contact_sees_neither_the_page_nor_the_button(client):
    trouble, _whole = poisoned()
    client.force_login(contact_of(trouble.commitment.ticket.customer))

    assert client.get(reverse("manage:set_aside")).status_code == 403
    assert client.post(reverse("manage:look_again", args=[trouble.pk])).status_code == 403


def test_the_page_says_what_since_when_how_often_and_why(client):
    trouble, _whole = poisoned()
    client.force_login(a_manager())

    page = client.get(reverse("manage:set_aside")).content.decode()

    number = trouble.commitment.ticket.number
    assert f'href="{reverse("manage:ticket", args=[number])}"' in page
    assert "В ступени лестницы этого обещания не хватает того, что в ней должно быть." in page
    assert "KeyError" in page
    assert "1 раз с " in page


def test_the_board_links_to_it_only_where_there_is_one(client):
    client.force_login(a_manager())
    link = f'href="{reverse("manage:set_aside")}"'

    assert link not in client.get(reverse("manage:board")).content.decode()
    poisoned()
    assert link in client.get(reverse("manage:board")).content.decode()


def test_the_button_tells_whether_it_could_be_read(client):
    trouble, whole = poisoned()
    client.force_login(a_manager())
    address = reverse("manage:look_again", args=[trouble.pk])

    still = client.post(address, follow=True).content.decode()
    Commitment.objects.filter(pk=trouble.commitment_id).update(rungs=whole)
    read = client.post(address, follow=True).content.decode()

    assert "по-прежнему не читается" in still
    assert "Обещание прочитано" in read
    assert client.post(address).status_code == 404


@pytest.mark.parametrize("before", ["x", "9" * 30])
def test_half_an_address_is_refused(client, before):
    client.force_login(a_manager())

    assert client.get(reverse("manage:set_aside"), {"before": before}).status_code == 400


def test_one_and_three_cost_the_same(client):
    client.force_login(a_manager())
    poisoned()
    client.get(reverse("manage:set_aside"))
    with CaptureQueriesContext(connection) as one:
        client.get(reverse("manage:set_aside"))
    poisoned()
    poisoned()
    client.get(reverse("manage:set_aside"))

    with CaptureQueriesContext(connection) as three:
        client.get(reverse("manage:set_aside"))

    assert len(three) == len(one)


# After a pause


def unheard():
    """A Premium request whose solution has called the line lead, who has not said “I have it” yet."""
    engineer = an_engineer()
    a_lead()
    ticket = workflow.accept(open_ticket(a_customer(), priority=1), by=engineer, at=tuesday(10))
    row = ticket.commitments.get(kind="resolution")
    rungs = [{**rung, "within": 20} for rung in row.rungs]
    Commitment.objects.filter(pk=row.pk).update(rungs=rungs)
    first = row.started_at + row.target / 2
    sweep(first)
    call = Escalation.objects.filter(commitment=row).latest("position")
    assert call.acknowledge_by == first + timedelta(minutes=20)
    return ticket, engineer, row, call, first


def test_after_a_pause_an_unacknowledged_rung_is_looked_at_with_the_time_that_was_left():
    ticket, engineer, row, call, first = unheard()
    workflow.ask_customer(ticket, by=engineer, body="Which?", at=first + timedelta(minutes=10))

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="8.0", at=first + timedelta(hours=5))

    call.refresh_from_db()
    row.refresh_from_db()
    assert call.acknowledge_by == first + timedelta(hours=5, minutes=10)
    assert row.next_check_at == call.acknowledge_by
    sweep(call.acknowledge_by)
    assert Escalation.objects.filter(commitment=row, is_early=True).count() == 1


def test_after_a_pause_an_acknowledged_rung_calls_nobody():
    ticket, engineer, row, call, first = unheard()
    Escalation.objects.filter(pk=call.pk).update(state="acknowledged")
    workflow.ask_customer(ticket, by=engineer, body="Which?", at=first + timedelta(minutes=10))

    workflow.customer_reply(ticket, by=contact_of(ticket.customer), body="8.0", at=first + timedelta(hours=5))

    row.refresh_from_db()
    assert row.next_check_at == row.started_at + timedelta(hours=4, minutes=50) + row.target * 3 / 4
