"""The customer's portal on a phone: a draft that comes back, and the same form without scripts."""

import re

from playwright.sync_api import expect

from tests.journeys.conftest import House

CONTACT = "vorontsov@vetrolog.example"


def test_what_was_written_comes_back_from_the_server_and_can_be_thrown_away(house: House) -> None:
    page = house.enter(CONTACT, width=390)
    page.goto("/t/new/")
    with page.expect_response(lambda answer: answer.url.endswith("/t/new/draft/")) as kept:
        page.fill("input[name=subject]", "Не приходят уведомления о счетах 🙂")
    assert kept.value.status == 204
    page.evaluate("localStorage.clear()")

    page.goto("/t/new/")

    expect(page.locator("input[name=subject]")).to_have_value("Не приходят уведомления о счетах 🙂")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click("button[name=discard]")
    expect(page.locator("input[name=subject]")).to_have_value("")


def test_without_scripts_one_looks_first_and_then_sends(house: House) -> None:
    page = house.enter("loginov@kedrolesie.example", width=390, scripts=False)
    page.goto("/t/new/")
    page.fill("input[name=subject]", "Не открывается карточка контакта")
    page.click("button[name=look]")
    expect(page.locator("#look")).to_contain_text(re.compile("С этими словами|Возможно, ответ"))
    expect(page.locator("input[name=subject]")).to_have_value("Не открывается карточка контакта")

    page.check("input[name=impact][value='3']")
    page.click("#new button.btn--l")

    page.wait_for_url(re.compile(r"/t/\d+/$"))
    expect(page.locator(".promise h2")).to_contain_text(re.compile(r"\d\d:\d\d"))
    page.goto("/t/new/")
    expect(page.locator("input[name=subject]")).to_have_value("")
