"""A company's people: the contact filters and takes a file, turns answers off; an observer reads the same."""

import csv
import io
import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, LINES, accept, file_request, post

OBSERVER = "fadeeva@vetrolog.example"


def listed(page: Page) -> list[str]:
    return page.locator(".pt__m > a").all_inner_texts()


@pytest.mark.parametrize("width", [1440, 390])
def test_contact_filters_and_takes_exactly_that_list_as_a_file(house: House, width: int) -> None:
    page = house.enter(CONTACT, width=width)
    name = f"Журнал звонков {width}"
    file_request(page, f"{name}: не печатается", impact="2")
    file_request(page, f"{name}: печатается медленно", impact="3")
    page.goto("/t/")
    page.locator("details.narrow > summary").click()
    page.fill("#f_q", f"звонков {width}")
    page.select_option("#f_priority", "2")
    page.click(".narrow__f button")
    page.wait_for_url(re.compile("priority=2"))
    assert listed(page) == [f"{name}: не печатается"]

    page.locator(".sub--page a", has_text="Ждут нас").click()
    page.wait_for_url(re.compile("state=ours"))
    assert listed(page) == [f"{name}: не печатается"]
    assert page.evaluate("document.documentElement.scrollWidth") == width
    with page.expect_download() as taken:
        page.click("a[href*='export.csv']")
    rows = list(csv.reader(io.StringIO(taken.value.path().read_text("utf-8-sig")), delimiter=";"))
    assert [row[1] for row in rows[1:]] == [f"{name}: не печатается"]
    with page.expect_download() as taken:
        page.click("a[href*='export.xlsx']")
    assert taken.value.path().read_bytes()[:2] == b"PK"

    page.locator(".narrow__on a[href*='q=']:not([href*='priority='])").click()
    expect(page.locator(".pt__m")).to_have_count(2)
    page.goto("/t/?q=нетакогослова")
    expect(page.locator("main")).to_contain_text("По этим фильтрам пусто")
    page.close()


def test_observer_reads_the_same_list_and_has_the_digest(house: House) -> None:
    number = file_request(house.enter(CONTACT), "Видно и наблюдателю", impact="4")
    page = house.enter(OBSERVER, width=390)
    page.goto(f"/t/?q={number}")
    assert listed(page) == ["Видно и наблюдателю"]
    with page.expect_download() as taken:
        page.click("a[href*='export.csv']")
    assert str(number) in taken.value.path().read_text("utf-8-sig")

    page.goto("/me/")
    page.click("a[href='/me/mail/']")
    expect(page.locator("input[name=digest][value=digest]")).to_be_checked()
    page.wait_for_load_state()  # without its style sheets a page is as wide as it likes
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()


def test_contact_turns_answers_off_and_still_hears_our_question(house: House) -> None:
    page = house.enter(CONTACT, width=390)
    number = file_request(page, "Ответы читаем в сводке", impact="4")
    page.goto("/me/mail/")
    page.check("input[name=answers][value=digest]")
    page.click("form.frm button.btn--p")
    expect(page.locator("#id_digest .err")).to_have_text(
        "Часть писем ждёт сводки: оставьте её или выберите для них другое время."
    )
    page.check("input[name=digest][value=digest]")
    page.click("form.frm button.btn--p")
    page.wait_for_load_state()
    page.goto("/me/mail/")
    expect(page.locator("input[name=answers][value=digest]")).to_be_checked()

    engineer = house.enter(LINES[1])
    accept(engineer, number)
    engineer.goto(f"/w/t/{number}/")
    engineer.locator("#message_body").fill("Перезапустите службу журнала.")
    post(engineer, engineer.locator("form:has(#message_body) button.btn--p").first)
    engineer.close()
    house.manage("shell", "-c", "from mail.tasks import deliver; deliver()")

    page.goto("/outbox/")
    subjects = [text for text in page.locator(".pt__t").all_inner_texts() if f"№ {number}]" in text]
    assert len(subjects) == 1, subjects  # the receipt; the answer waits for the digest
    page.click(f".pt__t:has-text('№ {number}]')")
    found = re.search(r"/mail/off/[^\s\"<]+/", page.content())
    assert found is not None
    page.close()

    stranger = house.browser.new_context(base_url=house.address, locale="ru-RU", viewport={"width": 390, "height": 900})
    quiet = stranger.new_page()
    quiet.goto(found[0])
    expect(quiet.locator("h1")).to_have_text("Больше не присылать такие письма?")
    quiet.click("main button")
    expect(quiet.locator("h1")).to_have_text("Готово: такие письма больше не приходят")
    quiet.goto(found[0][:-3] + "/")
    expect(quiet.locator("h1")).to_have_text(re.compile("Ссылка неполная|This link is not complete"))
    stranger.close()
    page = house.enter(CONTACT, width=390)
    page.goto("/me/mail/")
    expect(page.locator("input[name=status][value=never]")).to_be_checked()
    page.close()
