"""The front door: an empty form says what is missing, in words that name the field (direction §11)."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Write your email address", "Write your password")),
        ("ru", ("Введите адрес электронной почты", "Введите пароль")),
    ],
)
def test_empty_sign_in_names_each_field_above_and_at_it(client: Client, language: str, words: tuple[str, str]) -> None:
    client.cookies["language"] = language
    page = client.post("/account/login/", {"login": "", "password": ""}).content.decode()

    for sentence in words:
        assert page.count(sentence) == 2
    assert "placeholder" not in page


@pytest.mark.parametrize("path", ["/account/login/"])
def test_pages_without_hx_attributes_go_without_htmx(client: Client, path: str) -> None:
    assert "htmx-2" not in client.get(path).content.decode()
