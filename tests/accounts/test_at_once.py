"""Querysets read by one statement give the same objects as each would alone (`accounts/at_once.py`)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.at_once import AtOnce, Counts, OneOf, Prepared, day, key, keys, moment
from contracts.models import Contract, ContractLine, Customer, Licence
from sla.models import Commitment, LadderStep
from tests.factories import a_customer, contract_of, open_ticket
from tests.moments import tuesday
from tickets.models import Event, Message, Ticket

pytestmark = pytest.mark.django_db


def values(one: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(one, field.attname) for field in one._meta.concrete_fields}


@pytest.mark.parametrize(
    "model", [Contract, ContractLine, Commitment, Customer, Event, LadderStep, Licence, Message, Ticket]
)
def test_objects_are_those_of_the_querysets(model):
    ticket = open_ticket(priority=1)
    pause = DateTimeTZRange(tuesday(10), tuesday(10, 30), "[)")
    Commitment.objects.filter(ticket=ticket, kind="resolution").update(
        pauses=[pause], target=timedelta(days=3, hours=1)
    )
    Event.objects.create(
        ticket=ticket, verb="noted", at=tuesday(11), details={"цена": 1.5, "many": [None, True, '"x"']}
    )

    found = AtOnce(lambda: {"rows": model.objects.order_by("pk")}).read()["rows"]

    assert [values(one) for one in found] == [values(one) for one in model.objects.order_by("pk")]
    assert found


def test_several_cost_one_statement_and_keep_their_order():
    first, second = a_customer(), a_customer()
    both = AtOnce(
        lambda: {
            "customers": Customer.objects.order_by("-pk"),
            "licences": Licence.objects.filter(customer=key("customer")).select_related("product"),
            "contracts": Contract.objects.filter(starts_on__lte=day("on"), customer=key("customer")),
        }
    )
    starts_on = contract_of(second).starts_on
    both.read(customer=first.pk, on=starts_on)

    with CaptureQueriesContext(connection) as statements:
        found = both.read(customer=second.pk, on=starts_on)
        products = [licence.product.name for licence in found["licences"]]

    assert len(statements) == 1
    assert found["customers"] == [second, first]
    assert products == [licence.product.name for licence in second.licences.all()]
    assert found["contracts"] == [contract_of(second)]
    assert both.read(customer=second.pk, on=datetime(2000, 1, 1, tzinfo=UTC).date())["contracts"] == []


def test_money_stays_exact():
    customer = a_customer(cost="12345.67")

    (found,) = AtOnce(lambda: {"rows": Licence.objects.filter(customer=key("customer"))}).read(customer=customer.pk)[
        "rows"
    ]

    assert found.cost == Decimal("12345.67")
    assert isinstance(found.cost, Decimal)


def test_on_a_connection_that_stays_the_server_keeps_plans_and_says_the_same(monkeypatch):
    ticket, other = open_ticket(subject='100 % "it\'s"'), open_ticket()
    reads = AtOnce(
        lambda: {"rows": Ticket.objects.filter(pk=key("one")), "like": Ticket.objects.filter(subject='100 % "it\'s"')}
    )
    told = Prepared(Ticket.objects.filter(opened_at__lte=moment("at")).order_by("pk").values_list("pk"))
    counts = Counts(lambda: {"open": Ticket.objects.open(), "of": Ticket.objects.values("customer").distinct()}, 1)

    def ask(one: Ticket) -> Any:
        found = reads.read(one=one.pk)
        return found["rows"], found["like"], told.rows(at=one.opened_at), counts.read()

    def plans() -> tuple[int, int]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), coalesce(sum(generic_plans), 0) FROM pg_prepared_statements")
            return cursor.fetchone()

    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    before = [ask(ticket), ask(other)]
    kept, generic = plans()  # of tests before this one: the connection is theirs, too
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    with CaptureQueriesContext(connection) as statements:
        after = [ask(ticket), ask(other)]
    for _turn in range(6):
        ask(ticket)

    assert after == before
    assert before[0][:2] == ([ticket], [ticket])
    assert before[0][3] == {"open": 2, "of": 2}
    assert len(statements) == 6
    now_kept, now_generic = plans()
    assert now_kept == kept + 3
    assert now_generic > generic


@pytest.mark.parametrize("stays", [False, True])
def test_what_can_find_nothing_is_no_error(monkeypatch, stays):
    customer = a_customer()
    if stays:
        monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    nobody = Customer.objects.filter(pk__in=[])

    assert Prepared(nobody.values_list("pk")).rows() == []
    assert Counts(lambda: {"none": nobody, "all": Customer.objects.all()}).read() == {"none": 0, "all": 1}
    assert Counts(lambda: {"none": nobody}, 5).read() == {"none": 0}
    assert AtOnce(lambda: {"all": Customer.objects.all()}).read()["all"] == [customer]


def test_many_keys_are_given_at_once():
    first, second, third = a_customer(), a_customer(), a_customer()
    some = Prepared(Customer.objects.filter(OneOf(F("pk"), keys("some"))).order_by("pk").values_list("name"))

    assert some.rows(some=[third.pk, first.pk]) == [(first.name,), (third.name,)]
    assert some.rows(some=[second.pk]) == [(second.name,)]
    assert some.rows(some=[]) == []
