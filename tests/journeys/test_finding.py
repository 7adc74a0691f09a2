"""Search in a real browser: a slip of the hand, word forms, filters, a number, and what a customer never finds."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.conftest import WIDTH, House
from tests.journeys.test_main_job import CONTACT, LINES, file_request

ENGINEER = LINES[1]


def learnt(house: House) -> None:
    """The vocabulary follows within a minute; the journey does not wait for it."""
    house.manage("shell", "-c", "from tickets.search_index import learn_words; learn_words(1000)")


def look_for(page: Page, words: str, address: str = "/w/search/") -> None:
    page.goto(address)
    page.fill("#q", words)
    page.press("#q", "Enter")
    page.wait_for_load_state()


def test_mistyped_and_inflected_words_are_found_filtered_and_opened(house: House) -> None:
    number = file_request(house.enter(CONTACT), "Выгрузка накладных останавливается", impact="2")
    learnt(house)
    page = house.enter(ENGINEER)

    look_for(page, "выгрузками")
    expect(page.locator(".hit")).to_contain_text(["Выгрузка накладных"])
    look_for(page, "накладнвх")
    expect(page.locator(".srch__n")).to_contain_text("накладн")
    expect(page.locator(".hit mark").first).to_have_text("накладных")

    page.goto("/w/search/?q=накладная&state=solved")
    expect(page.locator(".hit")).to_have_count(0)
    page.goto("/w/search/?q=накладная&state=open&line=1")
    page.locator(".hit a").first.click()
    page.wait_for_url(re.compile(rf"/w/t/{number}/"))


def test_suggestions_are_walked_through_by_arrows(house: House) -> None:
    contact = house.enter(CONTACT)
    numbers = [file_request(contact, f"Подсказка о накопителе {turn}", impact="3") for turn in range(2)]
    for page, field in ((house.enter(ENGINEER), "#top-search"), (contact, "#q")):
        page.goto("/w/" if field == "#top-search" else "/t/search/")
        page.locator(field).press_sequentially("накопител")
        expect(page.locator(".suggest a")).to_have_count(2)

        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(page.locator(".suggest a").nth(1)).to_be_focused()
        page.keyboard.press("ArrowDown")
        expect(page.locator(field)).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(rf"/t/{numbers[1]}/"))
        page.close()


def test_number_goes_straight_to_its_request_without_scripts_too(house: House) -> None:
    number = file_request(house.enter(CONTACT), "Печать ярлыков", impact="3")

    for scripts in (True, False):
        page = house.enter(ENGINEER, scripts=scripts)
        look_for(page, f"№ {number}")
        assert re.search(rf"/w/t/{number}/$", page.url)


def test_customer_never_finds_by_a_note_of_the_desk(house: House) -> None:
    number = file_request(house.enter(CONTACT), "Отчёт пуст", impact="3")
    desk = house.enter(ENGINEER)
    desk.goto(f"/w/t/{number}/")
    desk.locator("label.rt--int").click()
    desk.fill("#composer textarea", "Подозреваем неисправный концентратор")
    with desk.expect_response(lambda answer: answer.url.endswith("/messages/")):
        desk.locator("#composer .cmp-send > button").click()
    learnt(house)

    look_for(desk, "концентратор")
    expect(desk.locator(".hit")).to_have_count(1)
    contact = house.enter(CONTACT)
    for words in ("концентратор", "концентратр", "неисправный"):
        look_for(contact, words, "/t/search/")
        expect(contact.locator("main")).not_to_contain_text("Отчёт пуст")


def test_page_of_the_search_fits_a_phone(house: House) -> None:
    page = house.enter(ENGINEER, width=390)
    page.goto("/w/search/?q=ярлыки")

    assert page.evaluate(WIDTH) <= 390
