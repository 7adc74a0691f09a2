"""A webinar from its plan to the people in it: planned by the CSM, found on the first page, signed up for, counted."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from sla.words import MOSCOW
from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, CSM, post

OBSERVER = "fadeeva@vetrolog.example"
TITLE = "Разбор отчётов по воронке"


@pytest.fixture(scope="module")
def planned(house: House) -> str:
    """The address of a webinar that begins in half an hour: before every one of the demo."""
    page = house.enter(CSM)
    page.goto("/csm/webinars/")
    page.click("a[href='/csm/webinars/new/']")
    page.fill("input[name=title]", TITLE)
    page.fill("textarea[name=about]", "Строим отчёт и отвечаем на вопросы.")
    page.fill("input[name=starts_at]", f"{datetime.now(MOSCOW) + timedelta(minutes=30):%Y-%m-%dT%H:%M}")
    page.fill("input[name=join_url]", "https://meet.example.com/reports")
    page.fill("input[name=seats]", "2")
    page.click("main form button.btn--p")
    expect(page.locator("h1")).to_have_text(TITLE)
    address = page.url
    page.close()
    return address


def sign_up_on_the_first_page(page: Page) -> None:
    page.goto("/")
    card = page.locator("section[aria-labelledby=webinar-head]")
    expect(card).to_contain_text(TITLE)
    post(page, card.locator("form[action$='/registration/'] button"))
    expect(page.locator("#messages")).to_contain_text("Вы записаны")
    expect(page.locator("section[aria-labelledby=webinar-head]")).to_contain_text("Вы записаны")


def test_contact_on_a_phone_and_colleague_without_scripts_come_and_are_seen(house: House, planned: str) -> None:
    contact = house.enter(CONTACT, width=390)
    sign_up_on_the_first_page(contact)
    contact.click(f"section[aria-labelledby=webinar-head] a:has-text('{TITLE}')")
    expect(contact.locator("main")).to_contain_text("https://meet.example.com/reports")
    with contact.expect_download() as taken:
        contact.click("a[href$='/calendar.ics']")
    assert "BEGIN:VEVENT" in taken.value.path().read_text()

    plain = house.enter(OBSERVER, scripts=False)
    plain.goto("/")
    card = plain.locator("section[aria-labelledby=webinar-head]")
    card.locator("form[action$='/registration/'] button").click()
    expect(plain.locator("#messages")).to_contain_text("Вы записаны")

    csm = house.enter(CSM)
    csm.goto(planned)
    expect(csm.locator("#who")).to_contain_text("Андрей Воронцов")
    expect(csm.locator("#who")).to_contain_text("занято мест: 2 из 2")
    expect(csm.locator("#who li")).to_have_count(2)

    plain.goto("/webinars/")
    plain.locator("li", has_text=TITLE).locator("form[action$='/withdrawal/'] button").click()
    expect(plain.locator("#messages")).to_contain_text("Запись отменена")
    csm.reload()
    expect(csm.locator("#who li")).to_have_count(1)


def test_what_is_called_off_is_told_on_the_first_page_with_the_reason(house: House, planned: str) -> None:
    csm = house.enter(CSM)
    csm.goto(planned)
    csm.click("a[href$='/cancellation/']")
    csm.fill("input[name=reason]", "Ведущий заболел")
    post(csm, csm.locator("main form button.btn--p"))
    expect(csm.locator("main")).to_contain_text("Ведущий заболел")

    contact = house.enter(CONTACT, width=390)
    contact.goto("/")
    card = contact.locator("section[aria-labelledby=webinar-head]")
    expect(card).to_contain_text("Ведущий заболел")
    expect(card).to_contain_text("Записаться")  # the next one of the demo
