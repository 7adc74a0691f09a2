"""A person's own letters, and nobody else's (domain §7; direction §11, §17)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from mail.models import OutgoingLetter
from tests.factories import TUESDAY_10, UserFactory, a_customer, an_engineer, contact_of, observer_of

pytestmark = pytest.mark.django_db


def letters(person: User, count: int = 1, **fields: Any) -> list[OutgoingLetter]:
    return OutgoingLetter.objects.bulk_create(
        OutgoingLetter(
            **{
                "occasion": f"event:{number}",
                "person": person,
                "address": person.email,
                "message_id": f"{person.pk}.{number}@helpdesk.example",
                "subject": f"[№ {number}] Letter {number}.",
                "text": f"Text of letter {number}",
                "html": "<p>",
                "written_at": TUESDAY_10 + timedelta(minutes=number // 3),  # some in the same moment
                **fields,
            }
        )
        for number in range(count)
    )


def page(person: User, url: str = "/outbox/") -> Any:
    client = Client()
    client.force_login(person)
    return client.get(url)


@pytest.fixture
def contact() -> User:
    return contact_of(a_customer(language="en"))


def test_outbox_shows_the_persons_own_letters_newest_first(contact: User):
    letters(contact, 5)
    letters(observer_of(contact.membership.customer), 2, subject="Not for you")

    shown = page(contact)

    assert [letter.subject for letter in shown.context["letters"]] == [
        f"[№ {number}] Letter {number}." for number in (4, 3, 2, 1, 0)
    ]
    assert "Not for you" not in shown.content.decode()


def test_outbox_pages_forward_and_back_without_losing_a_letter(contact: User):
    letters(contact, 120)
    first = page(contact)
    second = page(contact, first.context["older"])
    third = page(contact, second.context["older"])
    again = page(contact, third.context["newer"])
    start = page(contact, again.context["newer"])

    numbers = [letter.pk for shown in (first, second, third) for letter in shown.context["letters"]]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 120
    assert list(again.context["letters"]) == list(second.context["letters"])
    assert list(start.context["letters"]) == list(first.context["letters"])
    assert (first.context["newer"], third.context["older"], start.context["newer"]) == ("", "", "")


def test_outbox_costs_the_same_for_1_and_30_letters(contact: User, django_assert_num_queries: Any):
    letters(contact, 1)
    client = Client()
    client.force_login(contact)
    client.get("/outbox/")
    with django_assert_num_queries(4, exact=False) as one:
        client.get("/outbox/")
    OutgoingLetter.objects.all().delete()
    letters(contact, 30)

    with django_assert_num_queries(len(one.captured_queries)):
        client.get("/outbox/")


@pytest.mark.parametrize("place", ["nonsense", "2026-11-17T10:00:00_5", "2026-11-17T10:00:00+03:00_x", "_"])
def test_outbox_place_that_does_not_exist_is_404(contact: User, place: str):
    assert page(contact, f"/outbox/?before={place}").status_code == 404


def test_empty_outbox_says_so(contact: User):
    assert "No letters yet" in page(contact).content.decode()


def test_outbox_says_that_no_mail_server_is_configured(contact: User, settings: Any):
    settings.EMAIL_HOST = ""
    without = page(contact).content.decode()
    settings.EMAIL_HOST = "mail.helpdesk.example"
    with_server = page(contact).content.decode()

    assert "No mail server is configured here" in without
    assert "No mail server is configured here" not in with_server


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Not sent: no mail server was configured"),
        ({"next_try_at": TUESDAY_10}, "Waits to be sent"),
        ({"next_try_at": TUESDAY_10, "error": "451 Later"}, "Will be tried again"),
        ({"error": "550 No such user"}, "Not delivered"),
        ({"sent_at": TUESDAY_10}, "Sent"),
        ({"sent_at": TUESDAY_10, "error": "Came back"}, "Came back"),
    ],
)
def test_outbox_says_what_became_of_a_letter(contact: User, settings: Any, fields: dict[str, Any], words: str):
    settings.EMAIL_HOST = "mail.helpdesk.example"
    letters(contact, 1, **fields)

    assert words in page(contact).content.decode()


def test_letter_page_shows_its_text_and_the_reason_of_a_refusal(contact: User):
    (letter,) = letters(contact, 1, text="Line <one>\nLine two", error="550 No such user")

    shown = page(contact, reverse("letter", args=[letter.pk])).content.decode()

    assert "Line &lt;one&gt;<br>Line two" in shown
    assert "550 No such user" in shown


def test_letter_of_another_person_is_404(contact: User):
    (letter,) = letters(observer_of(contact.membership.customer))

    assert page(contact, reverse("letter", args=[letter.pk])).status_code == 404
    assert page(contact, reverse("letter", args=[letter.pk + 1])).status_code == 404


@pytest.mark.parametrize("kind", ["customer", "engineer", "partner", "contract_admin"])
def test_outbox_stands_in_the_frame_of_its_reader(contact: User, kind: str):
    person = {
        "customer": lambda: contact,
        "engineer": an_engineer,
        "partner": lambda: UserFactory(partner=True),
        "contract_admin": lambda: UserFactory(contract_admin=True),
    }[kind]()
    letters(person)

    shown = page(person)

    assert shown.status_code == 200
    frame = "portal/base.html" if kind in {"customer", "partner"} else "desk/base.html"
    assert frame in [template.name for template in shown.templates]


def test_outbox_needs_a_sign_in():
    assert Client().get("/outbox/").status_code == 302
