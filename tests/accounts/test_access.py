"""Who may enter which part of the house, and how people are named (domain §7)."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse

from accounts.access import board_only, customer_only, desk_only
from accounts.models import BOARD_ROLES, DESK_ROLES, Role, User, known_time_zone
from accounts.refusals import Forbidden, Refused
from tests.factories import (
    UserFactory,
    a_customer,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
)
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db

YES, NO = True, False


@pytest.mark.parametrize(
    ("role", "portal", "desk", "board", "sees_all_tickets"),
    [
        ("customer", YES, NO, NO, NO),
        ("partner", NO, NO, NO, NO),
        ("engineer", NO, YES, NO, YES),
        ("line_lead", NO, YES, YES, YES),
        ("csm", NO, YES, YES, YES),
        ("support_manager", NO, YES, YES, YES),
        ("top_management", NO, NO, YES, YES),
        ("contract_admin", NO, NO, NO, NO),
        ("admin", NO, NO, NO, NO),
    ],
)
def test_a_role_enters_its_own_parts(rf, role, portal, desk, board, sees_all_tickets):
    person = UserFactory(role=role)
    request = rf.get("/")
    request.user = person
    open_ticket(a_customer("basic"))

    def enters(gate) -> bool:
        try:
            return gate(lambda request: HttpResponse())(request).status_code == 200
        except PermissionDenied:
            return False

    assert (enters(customer_only), enters(desk_only), enters(board_only)) == (portal, desk, board)
    assert (person.works_at_desk, person.sees_board) == (desk, board)
    assert Ticket.objects.visible_to(person).exists() == sees_all_tickets


def test_the_table_has_every_role():
    assert len(Role.values) == 9
    assert {role for role in Role.values if role in DESK_ROLES | BOARD_ROLES} == {
        "engineer",
        "line_lead",
        "csm",
        "support_manager",
        "top_management",
    }


def test_a_stranger_is_asked_to_sign_in(rf):
    request = rf.get("/w/")
    request.user = AnonymousUser()

    answer = desk_only(lambda request: HttpResponse())(request)

    assert (answer.status_code, answer.url) == (302, "/account/login/?next=/w/")


def test_a_company_sees_its_own_tickets_only():
    ours, theirs = a_customer("basic"), a_customer("basic")
    ticket = open_ticket(ours)
    open_ticket(theirs)

    for person in (contact_of(ours), observer_of(ours)):
        assert list(Ticket.objects.visible_to(person)) == [ticket]


def test_internal_notes_are_for_the_vendor():
    from tests.factories import TUESDAY_10
    from tickets import workflow

    customer = a_customer("basic")
    ticket, engineer = open_ticket(customer), an_engineer()
    workflow.note(ticket, by=engineer, body="Похоже на известный дефект.", at=TUESDAY_10)

    assert Message.objects.visible_to(engineer).filter(kind="note").count() == 1
    assert Message.objects.visible_to(contact_of(customer)).filter(kind="note").count() == 0
    assert Message.objects.visible_to(UserFactory(partner=True)).filter(kind="note").count() == 0


# People


@pytest.mark.parametrize(
    ("full_name", "short_name", "given_name", "initials"),
    [
        ("Пётр Климов", "П. Климов", "Пётр", "ПК"),
        ("Anna Maria Berg", "A. Berg", "Anna", "AB"),
        ("Мадонна", "Мадонна", "Мадонна", "М"),
    ],
)
def test_a_person_has_short_names(full_name, short_name, given_name, initials):
    person = User(full_name=full_name)

    assert (person.short_name, person.given_name, person.initials) == (short_name, given_name, initials)


def test_people_are_found_by_their_address_in_any_spelling():
    person = UserFactory(email="Anna@Example.com")

    assert person.email == "anna@example.com"
    assert User.objects.get_by_natural_key("ANNA@example.COM") == person


def test_the_first_administrator_opens_everything():
    person = User.objects.create_superuser("root@example.com", "a long password", full_name="Root")

    assert (person.role, person.is_staff, person.is_superuser) == ("admin", True, True)


def test_a_time_zone_must_exist():
    known_time_zone("Asia/Novosibirsk")
    with pytest.raises(ValidationError):
        known_time_zone("Moscow/Europe")


def test_a_refusal_names_its_section():
    assert str(Refused("No.", "4.2")) == "No. (§4.2)"
    assert (Refused("No.").status, Forbidden().status, Forbidden().section) == (409, 403, "7")
