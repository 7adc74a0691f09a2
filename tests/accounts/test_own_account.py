"""A person's own account: settings, a code by mail, the second factor, sessions; what nobody is told (domain §7)."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

from accounts.devices import device
from accounts.models import User
from tests.factories import UserFactory, a_customer, an_engineer, contact_of

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough secret"


@pytest.fixture(autouse=True)
def attempts_are_counted_anew() -> None:
    """The limits of attempts count by address across tests."""
    cache.clear()


def test_code_is_not_sent_to_one_address_again_and_again(client, someone):
    for _attempt in range(5):
        Client().post("/account/login/code/", {"email": someone.email})

    assert len(mail.outbox) == 3


@pytest.fixture
def someone() -> User:
    user = UserFactory(email="klimova@vektor.example", language="en", timezone="Europe/Moscow")
    user.set_password(PASSWORD)
    user.save()
    return user


def code_of_now(secret: str) -> str:
    return f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06d}"


def sign_in(client: Client, user: User) -> None:
    assert client.post("/account/login/", {"login": user.email, "password": PASSWORD}).status_code == 302


def switch_on(client: Client) -> str:
    """Switches the second factor on, and confirms the password on the way; the key of the app."""
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    secret = re.search(r"<code>(\w+)</code>", client.get(reverse("mfa_activate_totp")).content.decode())[1]
    assert client.post(reverse("mfa_activate_totp"), {"code": code_of_now(secret)}).status_code == 302
    return secret


@pytest.mark.parametrize("make", [lambda: contact_of(a_customer()), an_engineer])
def test_settings_are_everybodys(client, make):
    client.force_login(make())

    assert client.get("/me/").status_code == 200
    assert client.get("/me/sessions/").status_code == 200


def test_settings_are_saved_and_the_theme_holds_for_this_device(client, someone):
    client.force_login(someone)
    client.cookies["theme"] = "light"
    said = {"full_name": "Anna Klimova", "phone": "", "language": "ru", "timezone": "Asia/Omsk", "theme": "dark"}

    answer = client.post("/me/", said)

    someone.refresh_from_db()
    assert answer.status_code == 303
    assert (someone.language, someone.timezone, someone.theme) == ("ru", "Asia/Omsk", "dark")
    assert client.cookies["theme"].value == ""


def test_unknown_zone_is_refused_with_the_page(client, someone):
    client.force_login(someone)
    said = {"full_name": "Anna", "language": "ru", "timezone": "Mars/Olympus", "theme": "dark"}

    assert client.post("/me/", said).status_code == 422
    assert User.objects.get(pk=someone.pk).timezone == "Europe/Moscow"


def test_code_from_a_letter_signs_in_in_the_readers_language(client, someone):
    client.cookies["language"] = "ru"
    client.post("/account/login/code/", {"email": someone.email})
    letter = mail.outbox[0]
    code = re.search(r"^([A-Z0-9-]{6,9})$", letter.body, re.M)[1]

    answer = client.post("/account/login/code/confirm/", {"code": code})

    assert letter.subject == "Your code to sign in"
    assert answer.status_code == 302
    assert client.get("/me/").status_code == 200


def test_address_without_an_account_gets_the_same_page_and_no_letter(client, someone):
    answers = [
        client.post("/account/login/code/", {"email": email}, follow=True) for email in (someone.email, "x@y.example")
    ]
    pages = [answer.content.decode().replace(someone.email, "x@y.example") for answer in answers]
    of_the_moment = r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"|data-now="\d+"|\b\d\d:\d\d\b'
    pages = [re.sub(of_the_moment, "", page) for page in pages]

    assert pages[0] == pages[1]
    assert [letter.to for letter in mail.outbox] == [[someone.email]]


def test_second_factor_is_asked_for_after_the_password_and_after_the_code(client, someone):
    sign_in(client, someone)
    secret = switch_on(client)

    for how in ("password", "code"):
        other = Client()
        if how == "password":
            other.post("/account/login/", {"login": someone.email, "password": PASSWORD})
        else:
            mail.outbox.clear()
            other.post("/account/login/code/", {"email": someone.email})
            code = re.search(r"^([A-Z0-9-]{6,9})$", mail.outbox[0].body, re.M)[1]
            other.post("/account/login/code/confirm/", {"code": code})
        assert other.get("/me/").status_code == 302
        assert other.get(reverse("mfa_authenticate")).status_code == 200
    recovery = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()[0]
    assert other.post(reverse("mfa_authenticate"), {"code": recovery}).status_code == 302
    assert other.get("/me/").status_code == 200
    assert secret


def test_sign_in_that_has_begun_is_ended_and_begun_again(client, someone):
    client.post("/account/login/code/", {"email": someone.email})
    assert client.get("/account/login/").status_code == 302

    client.post("/account/logout/", {"next": "/account/login/code/"})

    assert client.get("/account/login/").status_code == 200
    assert client.get("/account/login/code/").status_code == 200


def test_secrets_of_the_second_factor_are_sealed(client, someone):
    sign_in(client, someone)
    secret = switch_on(client)

    assert secret not in str(list(Authenticator.objects.values_list("data", flat=True)))


def test_one_other_session_is_ended_and_this_one_stays(client, someone):
    other = Client(HTTP_USER_AGENT="Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0")
    sign_in(other, someone)
    sign_in(client, someone)
    theirs = UserSession.objects.get(session_key=other.session.session_key)

    page = client.get("/me/sessions/").content.decode()
    client.post("/me/sessions/ending/", {"session": theirs.pk})

    assert "Firefox, Windows" in page
    assert other.get("/me/").status_code == 302
    assert client.get("/me/").status_code == 200


def test_anothers_session_is_not_ended(client, someone):
    other = Client()
    sign_in(other, someone)
    client.force_login(UserFactory())

    client.post("/me/sessions/ending/", {"session": UserSession.objects.get().pk})

    assert other.get("/me/").status_code == 200


def test_token_is_removed_by_its_owner_only(client, someone):
    Token.objects.create(user=someone)
    client.force_login(UserFactory())
    client.post("/me/token/removal/")
    assert Token.objects.count() == 1

    client.force_login(someone)
    client.post("/me/token/removal/")

    assert Token.objects.count() == 0


def test_door_of_the_catalogue_is_the_front_door(client):
    answer = client.get("/dj-admin/login/?next=/dj-admin/")

    assert (answer.status_code, answer.url) == (302, "/account/login/?next=%2Fdj-admin%2F")
    assert client.post("/dj-admin/login/", {"username": "a", "password": "b"}).status_code == 405


@pytest.mark.parametrize("path", ["/account/email/", "/account/confirm-email/", "/account/confirm-email/x/"])
def test_pages_of_the_library_that_we_do_not_use_are_closed(client, someone, path):
    client.force_login(someone)

    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("called", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome, Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 YaBrowser/25.8 Safari/537.36", "Yandex Browser, Windows"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_device_is_named_in_words(called, words):
    assert device(called) == words
