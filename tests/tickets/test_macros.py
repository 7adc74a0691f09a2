"""Macros: their variables, who sees and writes them, and what happens along with their words (direction §6.6)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.factories import a_customer, a_lead, an_engineer, open_ticket
from tickets import macros, workflow
from tickets.models import Draft, Macro, State, Ticket

FIELDS = {"title": "Greeting", "kind": "reply", "body_ru": "Здравствуйте", "scope": "mine", "position": "1"}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def engineer() -> User:
    return an_engineer(1, language="en", full_name="Pavel Klimov")


@pytest.fixture
def desk(engineer: User) -> Client:
    return signed_in(engineer)


@pytest.fixture
def ticket(engineer: User) -> Ticket:
    opened = open_ticket(a_customer(language="en", name="Larkfield"), at=timezone.now() - timedelta(minutes=5))
    return workflow.accept(opened, by=engineer, at=timezone.now())


def a_macro(**fields: Any) -> Macro:
    return Macro.objects.create(**{"title": "Ask", "body_ru": "Привет", "body_en": "Hello", **fields})


def sent(client: Client, ticket: Ticket, macro: Macro, **more: Any) -> Any:
    said = {"kind": macro.kind, "body": "Said.", "key": "k", "macro": macro.pk, **more}
    return client.post(reverse("desk:messages", args=[ticket.number]), said)


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


# Variables: pure


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello {{ name }}", "Hello Anna"),
        ("{{name}} {{  name  }}", "Anna Anna"),
        ("{{ empty }} stays", "{{ empty }} stays"),
        ("{{ other }} stays", "{{ other }} stays"),
        ("{{ loop }}", "{{ name }}"),
        ("{ name } {{ }} {% if %}", "{ name } {{ }} {% if %}"),
    ],
)
def test_substitute_fills_in_what_it_knows_once(text: str, expected: str) -> None:
    assert macros.substitute(text, {"name": "Anna", "empty": "", "loop": "{{ name }}"}) == expected


def test_unknown_variables_are_named_as_they_are_written() -> None:
    found = macros.unknown("{{ customer }} {{ Customer }} {{ x.y }} {{}} {{ x.y }}")

    assert [variable.whole for variable in found] == ["{{ Customer }}", "{{ x.y }}", "{{}}"]


@pytest.mark.django_db
def test_values_are_in_the_language_of_the_ticket(ticket: Ticket, engineer: User) -> None:
    macro = a_macro(body_en="{{ customer }}, {{ contact }}: № {{ number }}, {{ engineer }}, {{ product }}")

    text = macros.rendered(macro, ticket, by=engineer, now=timezone.now())

    product = ticket.product.name if ticket.product else "{{ product }}"
    assert text == f"Larkfield, {ticket.contact.full_name}: № {ticket.number}, Pavel Klimov, {product}"


@pytest.mark.django_db
def test_russian_words_are_said_where_there_are_no_english_ones(ticket: Ticket, engineer: User) -> None:
    assert macros.rendered(a_macro(body_en=""), ticket, by=engineer, now=timezone.now()) == "Привет"


# What happens with it


@pytest.mark.django_db
def test_macro_changes_priority_and_line_with_its_words(desk: Client, ticket: Ticket, engineer: User) -> None:
    Draft.objects.create(person=engineer, ticket=ticket, kind="reply", body="Said.", updated_at=timezone.now())
    macro = a_macro(priority=2, to_line_id=2, known="From {{ customer }}", asked="Look at № {{ number }}")

    answer = sent(desk, ticket, macro)

    now, passed, macro = again(ticket), ticket.hand_overs.get(), Macro.objects.get()
    assert answer.status_code == 303
    assert (now.priority, now.line_id) == (2, 2)
    assert (passed.known, passed.asked) == ("From Larkfield", f"Look at № {ticket.number}")
    assert [event.verb for event in ticket.events.order_by("pk")][-3:] == ["reclassified", "replied", "handed_over"]
    assert (macro.used, Draft.objects.count()) == (1, 0)


@pytest.mark.django_db
def test_if_one_part_refuses_nothing_of_it_happens(desk: Client, ticket: Ticket) -> None:
    macro = a_macro(priority=2, to_line_id=4, known="k", asked="a")  # line 4 takes it only with a defect

    answer = sent(desk, ticket, macro, body="Kept words")
    shown = answer.content.decode()

    assert answer.status_code == 409
    assert "Line 4 takes a request only with a defect" in shown
    assert "Kept words</textarea>" in shown
    assert f'name="macro" data-macro-pk value="{macro.pk}"' in shown
    assert (again(ticket).priority, again(ticket).line_id) == (ticket.priority, ticket.line_id)
    assert not ticket.messages.filter(body="Kept words").exists()
    assert Macro.objects.get().used == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "state"), [({"kind": "question"}, State.AWAITING_CUSTOMER), ({"resolves": True}, State.RESOLVED)]
)
def test_macro_moves_the_state(fields: dict, state: str, desk: Client, ticket: Ticket) -> None:
    sent(desk, ticket, a_macro(**fields))

    assert again(ticket).state == state


@pytest.mark.django_db
def test_macro_for_the_line_where_the_ticket_is_hands_nothing_over(desk: Client, ticket: Ticket) -> None:
    answer = sent(desk, ticket, a_macro(to_line_id=1, known="k", asked="a"))

    assert (answer.status_code, ticket.hand_overs.count()) == (303, 0)


@pytest.mark.django_db
def test_variable_left_in_the_text_is_not_sent(desk: Client, ticket: Ticket) -> None:
    answer = sent(desk, ticket, a_macro(), body="By {{ due }}")

    assert answer.status_code == 409
    assert "“{{ due }}” is still in the text" in answer.content.decode()


@pytest.mark.django_db
def test_braces_without_a_macro_are_anybodys_words(desk: Client, ticket: Ticket) -> None:
    said = {"kind": "reply", "body": "Write {{ due }} into the template", "key": "k"}

    assert desk.post(reverse("desk:messages", args=[ticket.number]), said).status_code == 303


@pytest.mark.django_db
def test_macro_of_another_person_or_a_deleted_one_is_refused(desk: Client, ticket: Ticket) -> None:
    theirs, gone = a_macro(owner=an_engineer()), a_macro()
    Macro.objects.filter(pk=gone.pk).delete()

    answers = [sent(desk, ticket, macro).status_code for macro in (theirs, gone)]

    assert answers == [409, 409]


# The picker and the pages


@pytest.mark.django_db
def test_picker_offers_own_shared_and_those_of_the_lines(desk: Client, ticket: Ticket, engineer: User) -> None:
    a_macro(title="Own one", owner=engineer)
    a_macro(title="For all")
    a_macro(title="Of line one", line_id=1)
    a_macro(title="Of line two", line_id=2)
    a_macro(title="Put away", is_active=False)
    a_macro(title="Of a colleague", owner=an_engineer())

    offered = desk.get(reverse("desk:macro_picker", args=[ticket.number])).context["offered"]

    assert [macro.title for macro, _does, _text, _lacks in offered] == ["For all", "Of line one", "Own one"]


@pytest.mark.django_db
def test_picker_says_what_the_request_has_no_value_for(desk: Client, ticket: Ticket) -> None:
    a_macro(title="Promise", body_en="We answer by {{ due }} about {{ product }}.")
    a_macro(title="Thanks", body_en="Thank you, {{ contact }}.")
    Ticket.objects.filter(pk=ticket.pk).update(due_at=None, product=None)

    offered = desk.get(reverse("desk:macro_picker", args=[ticket.number])).context["offered"]
    chosen = desk.get(reverse("desk:macro_text", args=[ticket.number, offered[0][0].pk])).json()

    lacks = "no deadline runs for the request: write something in place of {{ due }}"
    product = "the request names no product: write something in place of {{ product }}"
    assert [(macro.title, said) for macro, _does, _text, said in offered] == [
        ("Promise", f"{lacks}; {product}"),
        ("Thanks", ""),
    ]
    assert chosen["does"] == f": {lacks}, {product}"


@pytest.mark.django_db
def test_picker_costs_the_same_for_one_and_for_three(desk: Client, ticket: Ticket) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.get(reverse("desk:macro_picker", args=[ticket.number]))
        return len(captured)

    a_macro()
    desk.get(reverse("desk:macro_picker", args=[ticket.number]))
    one = statements()
    for _more in range(2):
        a_macro(line_id=1)

    assert statements() == one


@pytest.mark.django_db
def test_macro_without_scripts_is_put_into_the_composer(desk: Client, ticket: Ticket) -> None:
    macro = a_macro(kind="note", body_en="For {{ customer }}")

    shown = desk.get(reverse("desk:ticket", args=[ticket.number]) + f"?macro={macro.pk}").content.decode()

    assert "For Larkfield</textarea>" in shown
    assert 'value="note" checked' in shown
    assert f'name="macro" data-macro-pk value="{macro.pk}"' in shown


@pytest.mark.django_db
def test_macro_as_json_for_the_script(desk: Client, ticket: Ticket) -> None:
    macro = a_macro(priority=2, body_en="For {{ customer }}")

    answer = desk.get(reverse("desk:macro_text", args=[ticket.number, macro.pk]))

    assert answer.json() == {
        "pk": macro.pk,
        "title": "Ask",
        "kind": "reply",
        "body": "For Larkfield",
        "does": ": sets priority 2",
    }


@pytest.mark.django_db
def test_engineer_writes_an_own_macro(desk: Client, engineer: User) -> None:
    answer = desk.post(reverse("desk:macro_new"), {**FIELDS, "is_active": "on"})

    macro = Macro.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, reverse("desk:macros"))
    assert (macro.title, macro.owner, macro.is_active) == ("Greeting", engineer, True)
    assert "Greeting" in desk.get(reverse("desk:macros")).content.decode()


@pytest.mark.django_db
def test_only_leads_and_the_manager_share(desk: Client) -> None:
    refused = desk.post(reverse("desk:macro_new"), {**FIELDS, "scope": "all"})
    shared = signed_in(a_lead(1)).post(reverse("desk:macro_new"), {**FIELDS, "scope": "2"})

    macro = Macro.objects.get()
    assert (refused.status_code, shared.status_code) == (422, 303)
    assert (macro.owner, macro.line_id) == (None, 2)


@pytest.mark.django_db
def test_macro_of_another_person_reads_as_a_missing_one(desk: Client) -> None:
    theirs, shared = a_macro(owner=an_engineer(), title="Secret"), a_macro()
    addresses = [
        reverse(name, args=[macro.pk]) for macro in (theirs, shared) for name in ("desk:macro", "desk:macro_removal")
    ]

    answers = [desk.post(address, FIELDS).status_code for address in addresses]

    assert answers == [404, 404, 404, 404]
    assert "Secret" not in desk.get(reverse("desk:macros")).content.decode()
    assert Macro.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"body_ru": "{{ costumer }}"}, "There is no variable “{{ costumer }}”"),
        ({"body_ru": ""}, "Write what the macro says."),
        ({"title": ""}, "Give the macro a title."),
        ({"kind": "note", "resolves": "on"}, "Only a reply to the customer can say that it is solved."),
        ({"to_line": "2"}, "The next line needs it"),
        ({"to_line": "2", "known": "k", "asked": "a", "kind": "question"}, "is not handed over"),
    ],
)
def test_macro_that_could_not_work_is_422_in_words(fields: dict, words: str, desk: Client) -> None:
    answer = desk.post(reverse("desk:macro_new"), {**FIELDS, **fields})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Macro.objects.exists()


@pytest.mark.django_db
def test_preview_shows_a_real_ticket_and_saves_nothing(desk: Client, ticket: Ticket) -> None:
    said = {**FIELDS, "body_en": "For {{ customer }}", "preview": "1", "number": str(ticket.number)}

    answer = desk.post(reverse("desk:macro_new"), said)
    missing = desk.post(reverse("desk:macro_new"), {**said, "number": "99999999"})

    assert "For Larkfield" in answer.content.decode()
    assert "There is no such request." in missing.content.decode()
    assert not Macro.objects.exists()


@pytest.mark.django_db
def test_macro_is_changed_and_deleted(desk: Client, engineer: User) -> None:
    macro = a_macro(owner=engineer)

    desk.post(reverse("desk:macro", args=[macro.pk]), {**FIELDS, "title": "Changed"})
    changed = Macro.objects.get().title
    desk.post(reverse("desk:macro_removal", args=[macro.pk]))

    assert (changed, Macro.objects.count()) == ("Changed", 0)


@pytest.mark.django_db
def test_list_costs_the_same_for_one_and_for_three(desk: Client, engineer: User) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            desk.get(reverse("desk:macros"))
        return len(captured)

    a_macro(owner=engineer)
    desk.get(reverse("desk:macros"))
    one = statements()
    for _more in range(2):
        a_macro(line_id=1)

    assert statements() == one
