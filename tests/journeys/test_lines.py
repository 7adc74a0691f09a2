"""Between the lines: a note in three parts, returned, the leads called, the most urgent taken, and why me."""

import re

from playwright.sync_api import expect

from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, LINES, accept, file_request, open_act, post

LEAD = "gordeev@veskora.example"


def test_hand_over_is_read_first_returned_and_the_third_bounce_calls_the_leads(house: House) -> None:
    number = file_request(house.enter(CONTACT), "Не открываются отчёты после обновления", impact="2")
    first, second = house.enter(LINES[1]), house.enter(LINES[2])
    accept(first, number)

    for turn in (1, 2):
        form = open_act(first, "handover")
        form.locator("input[name=to_line][value='2']").check()
        form.locator("textarea[name=known]").fill(f"Журнал пуст, раз {turn}")
        form.locator("textarea[name=tried]").fill("Перезапуск пула")
        form.locator("textarea[name=asked]").fill("Проверить права на папку")
        post(first, form.locator("button.btn--p"))

        second.goto(f"/w/t/{number}/")
        note = second.locator(".recv")
        expect(note).to_be_in_viewport()
        for words in (f"Журнал пуст, раз {turn}", "Перезапуск пула", "Проверить права на папку"):
            expect(note).to_contain_text(words)
        expect(note.locator("form[action*='/acceptance/'] button")).to_be_in_viewport()
        expect(second.locator(".lanes")).to_contain_text(re.compile("линией", re.I))
        note.locator(".recv__r > summary").click()
        note.locator("textarea[name=reason]").fill(f"Права в порядке, раз {turn}")
        post(second, note.locator(".recv__r button.btn--p"))
        first.goto(f"/w/t/{number}/")
        expect(first.locator(".route")).to_contain_text("возврат с линии 2")

    lead = house.enter(LEAD)
    lead.goto(f"/w/t/{number}/")
    expect(lead.locator(".calls").first).to_contain_text("Между линиями 1 и 2 оно вернулось 3 раза")


def test_most_urgent_is_taken_by_key_and_why_is_said(house: House) -> None:
    number = file_request(house.enter(CONTACT), "Система не отвечает ни у кого", impact="1")
    page = house.enter(LINES[1])
    page.goto("/w/")
    expect(page.locator(".nx")).to_contain_text(str(number))

    page.keyboard.press("t")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(rf"/w/t/{number}/"))

    expect(page.locator("#messages")).to_contain_text("ближайший срок")
    page.goto(f"/w/t/{number}/why/")
    expect(page.locator("h1")).to_have_text("Кто следующий и почему")
    expect(page.locator(".whypage")).to_contain_text(re.compile("на смене до|никого до|никого,"))
