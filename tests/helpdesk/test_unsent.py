"""A session that ended while somebody was writing: the form is kept over the sign-in, shown, and sent once."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import User
from helpdesk import unsent
from helpdesk.tasks import forget_sessions
from tests.factories import a_customer, an_engineer, contact_of, open_ticket
from tickets.models import Message, Ticket

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough secret"
BROWSER = {"accept": "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate"}
WORDS = "The invoice list stays empty.\nSince nine o'clock, <b>for all</b> of us. Это так, 🙂 שלום"


@pytest.fixture(autouse=True)
def attempts_are_counted_anew() -> None:
    cache.clear()


@pytest.fixture
def ticket() -> Ticket:
    now = timezone.now()
    company = a_customer("premium", starts_on=(now - timedelta(days=100)).date(), language="en")
    return open_ticket(company, at=now - timedelta(minutes=30))


@pytest.fixture
def contact(ticket: Ticket) -> User:
    return with_password(contact_of(ticket.customer))


def with_password(person: User) -> User:
    person.set_password(PASSWORD)
    person.save()
    return person


def sign_in(client: Client, person: User, **extra: Any) -> Any:
    said = {"login": person.email, "password": PASSWORD, **extra}
    return client.post("/account/login/", said, headers=BROWSER)


def write(client: Client, ticket: Ticket, headers: dict[str, str] = BROWSER, **fields: Any) -> Any:
    said = {"body": WORDS, "key": "k" * 32, **fields}
    referer = {"referer": f"http://testserver/t/{ticket.number}/"}
    return client.post(f"/t/{ticket.number}/replies/", said, headers={**headers, **referer})


def form_of(page: str) -> tuple[str, dict[str, str]]:
    """The form that sends it: its address and its fields."""
    found = re.search(r'<form method="post" action="(/t/[^"]+)".*?</form>', page, re.S)
    assert found is not None
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0])
    return found[1], {name: unescape(value) for name, value in fields}


def test_a_form_that_meets_the_sign_in_is_kept_shown_and_sent_once(client, ticket, contact):
    answer = write(client, ticket)
    assert (answer.status_code, answer["Location"]) == (302, "/account/login/?next=%2Faccount%2Funsent%2F")

    inside = sign_in(client, contact, next="/account/unsent/")
    assert inside["Location"] == "/account/unsent/"
    page = client.get("/account/unsent/").content.decode()
    assert "The invoice list stays empty." in page
    assert "&lt;b&gt;for all&lt;/b&gt;" in page
    assert f'href="/t/{ticket.number}/"' in page
    address, fields = form_of(page)
    assert fields["body"] == WORDS

    for _click in (1, 2):
        sent = client.post(address, fields, headers=BROWSER)
        assert sent.status_code == 303

    assert list(
        Message.objects.filter(author=contact, body__startswith="The invoice").values_list("body", flat=True)
    ) == [WORDS]
    assert client.get("/account/unsent/")["Location"] == "/"


@pytest.mark.parametrize("how", ["second factor", "code"])
def test_it_outlasts_every_way_of_signing_in(client, ticket, contact, how, mailoutbox):
    write(client, ticket)
    if how == "code":
        client.post("/account/login/code/", {"email": contact.email, "next": "/account/unsent/"})
        code = re.search(r"^([A-Z0-9-]{6,9})$", mailoutbox[0].body, re.M)
        assert code is not None
        client.post("/account/login/code/confirm/", {"code": code[1]})
    else:
        secret = generate_totp_secret()
        TOTP.activate(contact, secret)
        assert sign_in(client, contact, next="/account/unsent/")["Location"].startswith("/account/second-factor/")
        digits = f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06d}"
        assert client.post("/account/second-factor/authenticate/", {"code": digits})["Location"] == "/account/unsent/"

    assert "The invoice list stays empty." in client.get("/account/unsent/").content.decode()


def test_two_forms_are_both_kept_and_one_pressed_twice_is_kept_once(client, ticket, contact):
    for words in ("The first of the two windows", "The second of the two windows", "The second of the two windows"):
        write(client, ticket, body=words)

    sign_in(client, contact)

    page = client.get("/account/unsent/").content.decode()
    assert re.findall(r"The \w+ of the two windows", re.sub(r"<input[^>]*>", "", page)) == [
        "The first of the two windows",
        "The second of the two windows",
    ]


def test_files_are_said_to_be_chosen_again(client, ticket, contact):
    write(client, ticket, files=SimpleUploadedFile("log.txt", b"lines"))
    sign_in(client, contact)

    page = client.get("/account/unsent/").content.decode()

    assert "The files are not here" in page
    assert "log.txt" not in page


def test_thrown_away_it_is_gone_and_the_page_before_comes(client, ticket, contact):
    write(client, ticket)
    sign_in(client, contact)
    key = re.search(r'name="discard" value="([^"]+)"', client.get("/account/unsent/").content.decode())
    assert key is not None

    answer = client.post("/account/unsent/", {"discard": key[1]})

    assert (answer.status_code, answer["Location"]) == (303, f"/t/{ticket.number}/")
    assert client.get("/account/unsent/")["Location"] == "/"


def test_after_an_hour_nothing_is_there(client, ticket, contact, monkeypatch):
    write(client, ticket)
    sign_in(client, contact)
    monkeypatch.setattr(unsent, "KEPT_FOR", -1)

    assert client.get("/account/unsent/")["Location"] == "/"
    assert unsent.KEPT not in client.session


def test_who_signs_in_as_another_is_not_shown_the_text(client, ticket, contact):
    sign_in(client, contact)
    client.get("/")
    del client.cookies["sessionid"]
    write(client, ticket)

    sign_in(client, with_password(an_engineer()))

    assert client.get("/account/unsent/")["Location"] == "/"


def test_a_foreign_page_before_is_no_way_back(client, ticket, contact):
    client.post(
        f"/t/{ticket.number}/replies/", {"body": WORDS}, headers={**BROWSER, "referer": "https://elsewhere.example/x"}
    )
    sign_in(client, contact)

    page = client.get("/account/unsent/").content.decode()

    assert "elsewhere.example" not in page
    assert '<a class="btn" href="/">' in page


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "text/html", "hx-request": "true"},
        {"accept": "*/*", "sec-fetch-mode": "cors"},
        {"accept": "text/html", "sec-fetch-mode": "same-origin"},
        {"accept": "application/json"},
    ],
)
def test_what_a_script_sends_is_led_to_the_sign_in_as_ever(client, ticket, headers):
    answer = write(client, ticket, headers=headers)

    assert answer["Location"] == f"/account/login/?next=/t/{ticket.number}/replies/"
    assert unsent.KEPT not in client.session


def test_passwords_and_the_token_are_never_kept(rf):
    request = rf.post("/c/1/", {"password1": "x", "old_password": "y", "csrfmiddlewaretoken": "z", "name": "Anna"})

    assert unsent.of(request).fields == [["name", "Anna"]]


def test_the_forms_of_the_door_are_not_kept(client):
    answer = client.post("/account/password/change/", {"oldpassword": "x"}, headers=BROWSER)

    assert answer["Location"].endswith("?next=/account/password/change/")
    assert unsent.KEPT not in client.session


@pytest.mark.parametrize("why", ["too much", "too often"])
def test_what_is_not_kept_is_shown_to_be_copied(client, ticket, why, settings, monkeypatch):
    if why == "too much":
        monkeypatch.setattr(unsent, "AT_MOST", 20)
    else:
        settings.ACCOUNT_RATE_LIMITS = {"unsent": "1/h/ip"}
        write(Client(), ticket)

    answer = write(client, ticket)

    assert answer.status_code == 403
    assert "The invoice list stays empty." in unescape(answer.content.decode())
    assert unsent.KEPT not in client.session


def test_200000_characters_are_kept(client, ticket, contact):
    write(client, ticket, body="ж" * 200_000)
    sign_in(client, contact)

    assert "ж" * 200_000 in client.get("/account/unsent/").content.decode()


def test_sessions_that_are_over_are_deleted_at_night(client, ticket):
    write(client, ticket)
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))

    forget_sessions()

    assert Session.objects.count() == 0


# The token of an earlier session


@pytest.fixture
def strict() -> Client:
    return Client(enforce_csrf_checks=True)


def other_token(client: Client) -> None:
    client.get("/")
    client.cookies["csrftoken"] = "a" * 32


def test_a_form_of_an_earlier_session_is_shown_again_and_sent(strict, ticket, contact):
    strict.force_login(contact)
    other_token(strict)

    refused = write(strict, ticket, {**BROWSER, "origin": "http://testserver"}, csrfmiddlewaretoken="b" * 32)

    page = refused.content.decode()
    assert refused.status_code == 403
    address, fields = form_of(page)
    assert fields.pop("body") == WORDS
    sent = strict.post(address, {**fields, "body": WORDS}, headers={**BROWSER, "origin": "http://testserver"})
    assert sent.status_code == 303
    assert ticket.messages.filter(body=WORDS).count() == 1


def test_a_form_of_an_earlier_session_of_who_is_signed_out_is_kept(strict, ticket):
    other_token(strict)

    answer = write(strict, ticket, {**BROWSER, "origin": "http://testserver"}, csrfmiddlewaretoken="b" * 32)

    assert answer["Location"] == "/account/login/?next=%2Faccount%2Funsent%2F"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_a_form_of_another_site_is_never_offered_to_be_sent(strict, ticket, contact, origin):
    strict.force_login(contact)
    other_token(strict)

    refused = write(strict, ticket, {**BROWSER, "origin": origin})

    assert refused.status_code == 403
    assert "The invoice list" not in refused.content.decode()


# An address that only takes in


@pytest.mark.parametrize("make", [lambda ticket: contact_of(ticket.customer), lambda ticket: an_engineer()])
def test_an_address_without_a_page_says_so_in_words(client, ticket, make: Callable[[Ticket], User]):
    client.force_login(make(ticket))

    page = client.get("/me/keys/", headers={"referer": "http://testserver/me/"})

    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert '<a class="btn" href="/me/">' in page.content.decode()
