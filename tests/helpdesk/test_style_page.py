"""The page of the look and the pages that say no: they stand on `base.html` and keep to the strict policy."""

import re

import pytest
from django.template.loader import render_to_string
from django.test import Client

from accounts.models import Role, User
from sla.chip import ICONS

FORBIDDEN = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)


@pytest.fixture
def sign_in(db):
    def sign_in(role: Role) -> Client:
        person = User.objects.create_user(f"{role}@helpdesk.example", full_name="Павел Климов", role=role)
        client = Client()
        client.force_login(person)
        return client

    return sign_in


def test_style_page_draws_every_state_of_the_chip(sign_in):
    page = sign_in(Role.ENGINEER).get("/a/style/")

    assert page.status_code == 200
    drawn = set(re.findall(r"sla--([a-z]+)", page.content.decode()))
    assert drawn == {*ICONS, "big"}


def test_style_page_has_nothing_inline(sign_in):
    assert FORBIDDEN.findall(sign_in(Role.ENGINEER).get("/a/style/").content.decode()) == []


def test_style_page_is_not_for_customers(sign_in):
    page = sign_in(Role.CUSTOMER).get("/a/style/")

    assert page.status_code == 403
    assert FORBIDDEN.findall(page.content.decode()) == []


def test_theme_of_the_page_is_the_choice_of_the_device_and_else_of_the_person(sign_in):
    client = sign_in(Role.ENGINEER)

    assert "data-theme" not in client.get("/a/style/").content.decode().split(">")[1]
    User.objects.update(theme=User.Theme.DARK)
    assert '<html lang="ru" data-theme="dark">' in client.get("/a/style/").content.decode()
    client.post("/me/theme/", {"theme": "light", "next": "/a/style/"})
    assert '<html lang="ru" data-theme="light">' in client.get("/a/style/").content.decode()


def test_page_in_english_says_so(sign_in):
    client = sign_in(Role.ENGINEER)

    client.post("/me/language/", {"language": "en", "next": "/a/style/"})

    assert '<html lang="en"' in client.get("/a/style/").content.decode()


@pytest.mark.parametrize(
    "name", ["400.html", "403.html", "403_csrf.html", "404.html", "405.html", "409.html", "429.html", "500.html"]
)
def test_page_that_says_no_needs_neither_request_nor_database(name):
    page = render_to_string(name)

    assert "<h1" in page
    assert FORBIDDEN.findall(page) == []


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["login/", "password/reset/", "password/reset/done/", "signup/", "inactive/"])
def test_page_of_the_door_stands_on_the_base(path, client):
    page = client.get(f"/account/{path}")

    assert page.status_code == 200
    assert 'class="door"' in page.content.decode()
    assert FORBIDDEN.findall(page.content.decode()) == []
