"""What is missing or makes no sense is said in our own words, on a developer's machine too (direction §11)."""

from typing import Any

import pytest
from django.test import Client

from tests.factories import a_contract_admin, a_customer, a_manager, an_engineer, contact_of, open_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[True, False], ids=["DEBUG", "in production"])
def debug(request: Any, settings: Any) -> None:
    settings.DEBUG = request.param


def page(client: Client, address: str) -> tuple[int, str]:
    answer = client.get(address)
    return answer.status_code, answer.content.decode()


def test_missing_page_and_anothers_request_say_the_same_and_offer_the_search(debug: None) -> None:
    stranger, client = contact_of(a_customer()), Client()
    stranger.language = "en"
    stranger.save()
    client.force_login(stranger)

    for address in ("/nowhere/", f"/t/{open_ticket().number}/", "/t/999999/"):
        status, text = page(client, address)
        assert status == 404, address
        assert "<h1>There is no such page</h1>" in text, address
        assert 'role="search" method="get" action="/t/search/"' in text, address


@pytest.mark.parametrize(("make", "search"), [(an_engineer, "/w/search/"), (a_contract_admin, None)])
def test_search_is_offered_to_whom_it_is_open(debug: None, make: Any, search: str | None) -> None:
    client = Client()
    client.force_login(make())

    status, text = page(client, "/w/t/999999/" if search else "/nowhere/")

    assert status == 404
    assert (f'action="{search}"' in text) is bool(search)
    assert ('class="row oops__f"' in text) is bool(search)


def test_address_that_makes_no_sense_is_said_so(debug: None) -> None:
    client = Client()
    client.force_login(a_manager(language="en"))

    status, text = page(client, "/m/late/?after=x")

    assert status == 400
    assert '<div class="oops">' in text
    assert "Traceback" not in text


def test_slash_is_still_put_at_the_end(debug: None) -> None:
    client = Client()
    client.force_login(an_engineer())

    answer = client.get("/w/search")

    assert (answer.status_code, answer.headers["Location"]) == (301, "/w/search/")
