"""A Basic customer sees no phone, no priority buttons and no promised solution; another company's ticket is 404."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, LINES, file_request

BASIC = "zimin@granitovets.example"


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_basic_is_promised_a_reaction_only(house: House, scripts: bool) -> None:
    page = house.enter(BASIC, scripts=scripts)
    page.goto("/t/new/")

    for number in (1, 2, 3, 4):
        choice = page.locator("label.rad", has=page.locator(f"input[name=impact][value='{number}']"))
        promised = choice.locator(".by").inner_text()
        assert len(re.findall(r"\d\d:\d\d", promised)) == 1, promised
    expect(page.locator("main")).not_to_contain_text("8 800")
    number = file_request(page, f"Не печатаются счета ({'с' if scripts else 'без'} JavaScript)", impact="3")

    expect(page.locator("form[action$='/priority/']")).to_have_count(0)
    expect(page.locator("main")).not_to_contain_text("8 800")
    assert f"/t/{number}/" in page.url


def _words(text: str, number: int) -> str:
    """An answer without its number, its moment and its token of a form."""
    return re.sub(r"\b[A-Za-z0-9]{64}\b|\b\d{10}\b|\b\d\d:\d\d\b", "…", text.replace(str(number), "N"))


def test_another_companys_ticket_is_not_there(house: House) -> None:
    mine = house.enter(CONTACT)
    number = file_request(mine, "Отчёт по продажам строится двадцать минут", impact="3")
    other = house.enter(BASIC)

    for address in (f"/t/{number}/", f"/t/{number}/rate/", f"/t/{number}/escalate/", f"/api/tickets/{number}/"):
        theirs = other.request.get(address)
        missing = other.request.get(address.replace(str(number), "99999999"))
        assert (theirs.status, missing.status) == (404, 404), address
        assert _words(theirs.text(), number) == _words(missing.text(), 99999999), address
    for address in (f"/w/t/{number}/", f"/m/t/{number}/"):
        assert other.request.get(address).status == other.request.get(address.replace(str(number), "99999999")).status


def test_an_illegal_move_is_409_from_page_and_api_alike(house: House) -> None:
    contact = house.enter(CONTACT)
    number = file_request(contact, "Дубли контактов при повторном импорте", impact="4")
    cookies = {cookie["name"]: cookie["value"] for cookie in contact.context.cookies()}
    headers = {"X-CSRFToken": cookies["csrftoken"], "Referer": house.address}

    page = contact.request.post(f"/t/{number}/confirmation/", headers=headers)
    api = contact.request.post(f"/api/tickets/{number}/confirmation/", headers=headers)

    assert (page.status, api.status) == (409, 409)
    assert api.json()["section"] == "3.2"
    assert "§3.2" in page.text() or "3.2" in page.text()


def test_what_was_typed_is_kept_when_a_form_is_refused(house: House) -> None:
    contact = house.enter(CONTACT)
    number = file_request(contact, "Права на раздел не применяются", impact="4")
    engineer = house.enter(LINES[1])
    engineer.goto(f"/w/t/{number}/")
    engineer.locator("form[action*='/acceptance/'] button").first.click()
    engineer.wait_for_timeout(500)
    engineer.goto(f"/w/t/{number}/")
    form = engineer.locator("#act-handover form")
    engineer.locator("#act-handover > summary").click()
    form.locator("input[name=to_line][value='4']").check()
    form.locator("textarea[name=known]").fill("Похоже на дефект прав.")
    form.locator("textarea[name=asked]").fill("Подтвердите.")
    with engineer.expect_response(lambda answer: answer.request.method == "POST") as answered:
        form.locator("button.btn--p").click()

    assert answered.value.status == 409
    expect(engineer.locator("textarea[name=known]").first).to_have_value("Похоже на дефект прав.")
    expect(engineer.locator("[role=alert]").first).to_contain_text("3.3")
