"""Taking the most urgent: suits first, then the nearest deadline, nothing starves, two get two (direction §5)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import LicenceFactory, ProductFactory, a_customer, a_lead, an_engineer, open_ticket
from tests.moments import tuesday
from tickets import urgency, workflow
from tickets.models import Skill, Ticket
from tickets.queue import Queue, takeable
from tickets.urgency import Waiting
from tickets.workflow import NotAllowed


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


NINE = tuesday(9)
MORNING = [tuesday(hour) for hour in (8, 9, 10)]


def a_day_after(at):
    return at + timedelta(days=1)


def waits(pk, *, due=None, opened=NINE, suits=True):
    return Waiting(pk, 10_000 + pk, opened, due, "reaction" if due else "", suits)


@pytest.mark.parametrize(
    ("waiting", "order"),
    [
        ([waits(1, due=tuesday(12)), waits(2, due=tuesday(11))], [2, 1]),
        ([waits(1, due=tuesday(11), suits=False), waits(2, due=tuesday(18))], [2, 1]),
        # No clock: one working day after the receipt, before what is due later than that.
        ([waits(1, opened=tuesday(9)), waits(2, due=tuesday(9) + timedelta(days=2))], [1, 2]),
        ([waits(1, opened=tuesday(9)), waits(2, due=tuesday(12))], [2, 1]),
        ([waits(2, opened=tuesday(9)), waits(1, opened=tuesday(9))], [1, 2]),
    ],
)
def test_most_urgent_comes_first(waiting, order):
    assert [one.waiting.pk for one in urgency.rank(waiting, a_day_after)] == order


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.builds(
            Waiting,
            pk=st.integers(1, 99),
            number=st.just(1),
            opened_at=st.sampled_from(MORNING),
            due_at=st.none() | st.sampled_from(MORNING),
            kind=st.just("reaction"),
            suits=st.booleans(),
        ),
        max_size=6,
        unique_by=lambda one: one.pk,
    ),
    st.randoms(),
)
def test_order_asked_in_changes_nothing(waiting, random):
    ranked = urgency.rank(waiting, a_day_after)
    random.shuffle(waiting)

    assert urgency.rank(waiting, a_day_after) == ranked


@pytest.mark.django_db
def test_what_suits_is_taken_before_a_nearer_deadline_and_says_so():
    engineer, customer = an_engineer(), a_customer()
    Skill.objects.create(user=engineer, product=ProductFactory(code="other", name="Other"), level=2)
    open_ticket(customer, product=ProductFactory(), priority=1)
    later = open_ticket(customer, priority=4)

    first = workflow.take_most_urgent(by=engineer, at=tuesday(10, 5), among=Ticket.objects.all())
    second = workflow.take_most_urgent(by=engineer, at=tuesday(10, 6), among=Ticket.objects.all())

    assert (first.ticket, first.ticket.assignee, first.ticket.state) == (later, engineer, "in_progress")
    assert first.why == "the nearest deadline: reaction by 12:00"
    assert second.why.endswith("; nothing that you know better waits")


@pytest.mark.django_db
def test_why_it_is_theirs_says_that_they_took_it_as_the_most_urgent(client):
    engineer, customer = an_engineer(language="en"), a_customer()
    Skill.objects.create(user=engineer, product=ProductFactory(), level=2)
    now = timezone.now()
    known = open_ticket(customer, product=ProductFactory(), at=now)
    own_other = LicenceFactory(customer=customer, release__product=ProductFactory(code="other", name="Other"))
    other = open_ticket(customer, product=own_other.product, at=now)
    picked = workflow.accept(open_ticket(customer, at=now), by=engineer, at=now)
    for _twice in range(2):
        workflow.take_most_urgent(by=engineer, at=now, among=Ticket.objects.filter(pk__in=[known.pk, other.pk]))
    client.force_login(engineer)

    why = [
        client.get(reverse("desk:why", args=[ticket.number])).context["event_why"] for ticket in (known, other, picked)
    ]

    assert [reasons[0] for reasons in why] == [
        "took it as the most urgent of what waited",
        "took it as the most urgent of what waited",
        "took it of their own choice",
    ]
    assert why[0][1].startswith("the nearest deadline: reaction by ")
    assert why[0][2:] == ["knows “Продажи” (2 of 3)"]
    assert why[1][2:] == ["nothing that they know better waited"]


@pytest.mark.django_db
def test_who_accepted_what_the_lead_gave_them_has_it_by_that(client):
    lead, engineer = a_lead(), an_engineer()
    ticket = open_ticket(at=timezone.now())
    workflow.assign(ticket, by=lead, to=engineer, at=timezone.now())
    workflow.accept(ticket, by=engineer, at=timezone.now())
    client.force_login(engineer)

    assert client.get(reverse("desk:why", args=[ticket.number])).context["event"].verb == "assigned"


@pytest.mark.django_db
def test_what_waits_for_another_line_is_not_taken_as_the_most_urgent():
    ticket = open_ticket(priority=1)
    workflow.hand_over(ticket, by=an_engineer(), to_line=2, known="K", asked="A", at=tuesday(10, 1))
    free = open_ticket(priority=4)

    taken = workflow.take_most_urgent(by=an_engineer(3), at=tuesday(10, 5), among=Ticket.objects.all())

    assert taken.ticket == free
    with pytest.raises(NotAllowed):
        workflow.take_most_urgent(by=an_engineer(3), at=tuesday(10, 6), among=Ticket.objects.all())
    assert workflow.take_most_urgent(by=an_engineer(2), at=tuesday(10, 7), among=Ticket.objects.all()).ticket == ticket


@pytest.mark.django_db
def test_logged_call_without_a_clock_is_not_starved():
    customer, engineer, other = a_customer("business"), an_engineer(), an_engineer()
    call = open_ticket(customer, by=other, channel="phone", at=tuesday(10))
    fresh = [open_ticket(customer, at=tuesday(10) + timedelta(days=2)) for _number in range(2)]

    taken = workflow.take_most_urgent(by=engineer, at=tuesday(10) + timedelta(days=2), among=Ticket.objects.all())

    assert call.due_at is None
    assert taken.ticket == call
    assert [one.assignee for one in fresh] == [None, None]


@pytest.mark.django_db
@pytest.mark.parametrize("filtered", [False, True])
def test_a_weekend_of_calls_does_not_hide_a_deadline(client, filtered):
    """Nine hours after Friday evening lie before Monday's deadline, nine working hours behind it."""
    customer, engineer, other = a_customer("business"), an_engineer(line=1), an_engineer()
    friday, monday = tuesday(17, 50) + timedelta(days=3), tuesday(9, 5) + timedelta(days=6)
    for _number in range(urgency.LOOKED_AT + 1):
        open_ticket(customer, by=other, channel="phone", at=friday)
    due = open_ticket(customer, at=monday)
    now = monday + timedelta(minutes=5)
    tail = "?priority=1&priority=2&priority=3&priority=4" if filtered else ""
    client.force_login(engineer)

    with time_machine.travel(now, tick=False):
        shown = client.get(reverse("desk:queue") + tail).context["nearest"]
        among, lines = takeable(Queue.from_tail(tail), engineer, now)
        taken = workflow.take_most_urgent(by=engineer, at=now, among=among, lines=lines)

    assert shown.number == due.number
    assert taken.ticket == due


@pytest.mark.django_db
def test_emptiness_is_said_in_words():
    engineer = an_engineer()
    with pytest.raises(NotAllowed, match="There is no open request here"):
        workflow.take_most_urgent(by=engineer, at=tuesday(10), among=Ticket.objects.all())

    workflow.accept(open_ticket(), by=engineer, at=tuesday(10, 1))

    with pytest.raises(NotAllowed, match=r"Somebody works on every request here\. The nearest deadline: "):
        workflow.take_most_urgent(by=engineer, at=tuesday(10, 2), among=Ticket.objects.all())


@pytest.mark.django_db
@pytest.mark.parametrize("tail", ["", "?priority=3", "?line=1"])
def test_emptiness_of_a_queue_is_said_on_its_page(client, tail):
    engineer, ticket = an_engineer(line=1, language="en"), open_ticket(priority=3)
    workflow.accept(ticket, by=engineer, at=tuesday(10, 1))
    client.force_login(engineer)

    answer = client.post(reverse("desk:take") + f"?from={quote(tail)}", follow=True)

    assert "Somebody works on every request here." in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_once_get_two_requests(catalogue_again):
    customer = a_customer()
    for _number in range(3):
        open_ticket(customer)
    engineers = [an_engineer(), an_engineer(), an_engineer()]
    together = Barrier(3)

    def take(engineer):
        try:
            together.wait(timeout=20)
            taken = workflow.take_most_urgent(by=engineer, at=tuesday(10, 5), among=Ticket.objects.all())
            return taken.ticket.number
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as hands:
        numbers = list(hands.map(take, engineers))

    assert len(set(numbers)) == 3
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {one.pk for one in engineers}


@pytest.mark.django_db
def test_looking_costs_the_same_for_one_request_and_for_three(django_assert_num_queries):
    customer, engineer = a_customer(), an_engineer()
    for count in (1, 2):
        for _number in range(count):
            open_ticket(customer)
        with django_assert_num_queries(1):
            assert urgency.most_urgent(Ticket.objects.all(), engineer)
