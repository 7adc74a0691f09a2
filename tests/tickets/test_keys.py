"""The keyboard's one table, its sheet and switch, and the command palette (direction §9)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from tests.factories import (
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
from tests.tickets.test_desk import a_ticket, signed_in
from tickets import keys, palette, workflow
from tickets.models import Ticket

pytestmark = pytest.mark.django_db

SINGLE = "J K Enter Esc X Shift+J Shift+K R N Ctrl+Enter Ctrl+Shift+Enter T A S P L E M B I U / Ctrl+K C Z ?"
MAP = {*SINGLE.split(" "), "G 1", "G 2", "G 3", "G 4", "G M", "G E"}


def labels(found: list[palette.Found]) -> list[str]:
    return [one.label for one in found]


def test_table_is_the_map_of_the_direction() -> None:
    assert {key.key for key in keys.TABLE} == MAP
    assert len(keys.TABLE) == len(MAP)


def test_sheet_shows_every_key_that_leads_somewhere_for_the_person() -> None:
    lead, engineer = a_lead(language="en"), an_engineer(language="en")

    sheets = [signed_in(person).get(reverse("desk:keys")).content.decode() for person in (lead, engineer)]

    assert [sheet.count("<dt>") for sheet in sheets] == [len(keys.TABLE), len(keys.TABLE) - 1]  # G E is not theirs
    assert "escalations" not in keys.for_browser(engineer)["hints"]["G"]


def test_switch_is_kept_with_the_person() -> None:
    engineer = an_engineer()
    client = signed_in(engineer)

    answer = client.post(reverse("set_keys"), {"keys": "off", "next": "/w/keys/"})

    assert answer["Location"] == "/w/keys/"
    assert User.objects.get(pk=engineer.pk).single_keys is False
    assert '"on": false' in client.get("/w/").content.decode()
    client.post(reverse("set_keys"), {"keys": "on", "next": "//elsewhere.example/"})
    assert User.objects.get(pk=engineer.pk).single_keys is True


def test_palette_offers_what_is_legal_with_the_open_ticket() -> None:
    engineer = an_engineer(language="en")
    ticket = workflow.accept(a_ticket(), by=engineer, at=Ticket.objects.get().opened_at)

    found = palette.results(engineer, "", ticket)

    offered = {one.opens or one.presses for one in found}
    assert {"R", "N", "act-handover", "act-resolution"} <= offered
    assert "act-assignment" not in offered  # a lead's
    assert "act-reopening" not in offered


@pytest.mark.parametrize(("asked", "best"), [("линия 3", "Линия 3: Третья"), ("ТРЕТЬЯ", "Линия 3: Третья")])
def test_palette_finds_a_line_by_its_words(asked: str, best: str, settings: Any) -> None:
    assert labels(palette.results(an_engineer(), asked))[0] == best


def test_palette_finds_a_ticket_by_its_number_first() -> None:
    ticket = a_ticket()

    for asked in (str(ticket.number), f"№ {ticket.number}", f"#{ticket.number}"):
        assert palette.results(an_engineer(), asked)[0].url == reverse("desk:ticket", args=[ticket.number])


def test_palette_finds_a_customer_only_for_who_may_read_the_page() -> None:
    csm = a_csm()
    own, other = a_customer(csm=csm), a_customer()
    for customer, name in ((own, "Ветролог Север"), (other, "Ветролог Юг")):
        customer.name = name
        customer.save()
    open_ticket(other)

    assert "Ветролог Север" in labels(palette.results(csm, "ветролог"))
    assert "Ветролог Юг" not in labels(palette.results(csm, "ветролог"))
    of_engineer = palette.results(an_engineer(), "ветролог")
    assert [one.hint for one in of_engineer] == ["Ветролог Юг"]  # the customer's open ticket


def test_palette_gives_twelve_at_most_and_costs_the_same_for_one_and_three() -> None:
    engineer = a_lead()
    client, costs = signed_in(engineer), []
    customer = a_customer()
    for _ in range(2):
        open_ticket(customer)
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(reverse("desk:palette"), {"q": customer.name})
        costs.append(len(captured))
        open_ticket(customer)

    assert costs[0] == costs[1]
    assert len(palette.results(engineer, "", Ticket.objects.first())) == palette.AT_MOST
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["desk:keys", "desk:palette"])
def test_customers_have_neither(name: str) -> None:
    assert signed_in(contact_of(a_customer())).get(reverse(name)).status_code == 403
    assert signed_in(a_contract_admin()).get(reverse(name)).status_code == 200


def test_palette_of_who_has_no_desk_shows_no_ticket() -> None:
    ticket = a_ticket()

    assert palette.results(a_contract_admin(), str(ticket.number)) == []


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ("смены", "desk:shift"),
        ("дефект", "desk:defects"),
        ("релиз", "desk:releases"),
        ("сбои", "desk:majors"),
        ("статьи", "kb:articles"),
        ("новое обращение", "desk:intake"),
        ("тема", "me"),
        ("язык", "me"),
        ("отсутствия", "promises:absences"),
        ("макросы", "desk:macros"),
        ("массовые", "desk:bulk"),
        ("defects", "desk:defects"),
        ("ltatrns", "desk:defects"),  # дефекты on the Latin keyboard
        ("ыршаеы", "desk:shift"),  # shifts on the Russian one
    ],
)
def test_palette_finds_a_page_in_either_language_and_on_either_keyboard(asked: str, where: str) -> None:
    for language in ("ru", "en"):
        with translation.override(language):
            found = palette.results(an_engineer(language=language), asked)
        assert reverse(where) in [one.url for one in found[:3]]


@pytest.mark.parametrize("make", [an_engineer, a_lead, a_csm, a_manager, top, a_contract_admin])
def test_every_page_of_the_palette_opens_for_whom_it_is_offered(make: Any) -> None:
    user = make()
    client = signed_in(user)

    answers = {one.url: client.get(one.url).status_code for one in palette.pages(user)}

    assert set(answers.values()) == {200}, answers


def test_palette_calls_the_queue_as_its_tab_is_called() -> None:
    with translation.override("en"):
        assert palette.results(an_engineer(), "")[0].hint == "My lines"
        assert palette.results(a_manager(), "")[0].hint == "All"
