"""Who may enter what: every address of the URL configuration stands in addresses.txt with the answer to each role.

A new address fails here until a line says what it answers; a line without an address fails too. What a page shows, and
that a refused one changes nothing, is held by test_isolation.
"""

from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.factories import UserFactory, a_csm, a_customer, an_engineer, contact_of, observer_of
from tests.tickets.test_isolation import addresses, filled, foreign, letter, talked_about
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
__all__ = ["foreign", "letter", "talked_about"]  # fixtures

DOORS = ("/account/login/", "/dj-admin/login/")
ROLES = {
    "nobody": lambda ticket: None,
    "stranger": lambda ticket: contact_of(a_customer()),  # the responsible contact of another company
    "observer": lambda ticket: observer_of(ticket.customer),
    "partner": lambda ticket: UserFactory(partner=True),
    "engineer": lambda ticket: an_engineer(),
    "csm": lambda ticket: a_csm(),
}


def declared() -> dict[str, tuple[str, ...]]:
    """Address → method and the answers, in the order of the roles."""
    lines = (Path(__file__).parent / "addresses.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})  # each once, in order
    return {address: tuple(answers) for address, *answers in rows}


def of_the_admin() -> set[str]:
    """The administration by what it opens: a model with all its pages is one line, as one permission guards them."""
    found = set()
    for part in get_resolver().url_patterns:
        if isinstance(part, URLResolver) and part.app_name == "admin":
            for entry in part.url_patterns:
                if isinstance(entry, URLResolver):
                    found.add(f"/dj-admin/{entry.pattern}*")
                else:
                    found |= set(addresses([entry], "/dj-admin/"))
    return found


def everything() -> set[str]:
    return set(addresses()) | of_the_admin()


def answer_of(client: Client, method: str, path: str) -> str:
    """The status, or "door" where the person is sent to sign in. Whatever it did is taken back."""
    cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
    with transaction.atomic():
        answer = getattr(client, method.lower())(path)
        if answer.streaming:
            b"".join(answer.streaming_content)
        transaction.set_rollback(True)
    client.cookies = cookies
    return "door" if answer.get("Location", "").startswith(DOORS) else str(answer.status_code)


def test_every_address_is_declared():
    found, said = everything(), set(declared())

    assert (sorted(found - said), sorted(said - found)) == ([], [])


@pytest.mark.parametrize("who", ROLES)
def test_every_address_answers_each_role_as_declared(who, talked_about, letter):
    client, person = Client(), ROLES[who](talked_about)
    if person is not None:
        client.force_login(person)
    place = list(ROLES).index(who)
    wrong = []

    for address, (method, *answers) in declared().items():
        path = filled(address.removesuffix("*"), talked_about, letter=letter)
        answer = answer_of(client, method, path)
        if answer != answers[place]:
            wrong.append(f"{method} {path}: {answer}, declared {answers[place]}")

    assert wrong == []
    assert Ticket.objects.get(pk=talked_about.pk).state == talked_about.state
