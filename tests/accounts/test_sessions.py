"""Whose a session is: one statement with the session, and never somebody else (accounts/sessions.py)."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from accounts.sessions import SessionStore, person_at_hand, whose
from tests.factories import an_engineer

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough secret"


@pytest.fixture
def someone() -> User:
    user = an_engineer()
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def browser(client: Client, someone: User) -> Client:
    client.post("/account/login/", {"login": someone.email, "password": PASSWORD})
    return client


def test_session_and_person_are_one_statement(browser):
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(reverse("desk:queue")).status_code == 200

    first, *others = (query["sql"] for query in asked)
    assert '"django_session"' in first
    assert '"accounts_user"."password"' in first
    assert not [sql for sql in others if '"accounts_user"."password"' in sql or '"django_session"' in sql]


def test_session_alone_says_whose_it_is(browser, someone):
    other = an_engineer()
    UserSession.objects.update(user=other)

    answer = browser.get("/me/")

    assert answer.wsgi_request.user == someone


def test_session_without_a_record_is_its_persons(client, someone):
    client.force_login(someone)
    assert not UserSession.objects.exists()

    assert client.get("/me/").wsgi_request.user == someone


def test_who_was_shut_out_is_out_with_the_next_page(browser, someone):
    assert browser.get("/me/").status_code == 200
    User.objects.filter(pk=someone.pk).update(is_active=False)

    assert browser.get("/me/").status_code == 302


def test_whoever_changes_the_password_elsewhere_ends_this_session(browser, someone):
    someone.set_password("another long secret")
    someone.save()

    assert browser.get("/me/").status_code == 302


def test_person_is_known_only_while_it_is_asked_whose_the_session_is(browser, someone):
    session = SessionStore(browser.session.session_key)
    assert session[SESSION_KEY] == str(someone.pk)
    assert person_at_hand(someone.pk) is None

    with whose(session):
        assert person_at_hand(someone.pk + 1) is None
        assert person_at_hand(str(someone.pk)) == someone
        assert person_at_hand(someone.pk) is None  # given once: who asks again reads anew
    assert person_at_hand(someone.pk) is None


def test_a_session_that_ran_out_is_nobodys(browser):
    Session.objects.update(expire_date="2020-01-01T00:00:00Z")

    assert browser.get("/me/").status_code == 302
