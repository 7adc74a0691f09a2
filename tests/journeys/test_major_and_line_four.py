"""A major incident from its declaration to its review, and line 4: a workaround for all, a release, its register."""

import re

from playwright.sync_api import expect

from tests.journeys.conftest import WIDTH, House
from tests.journeys.test_main_job import CONTACT, LINES, accept, file_request, open_act, post

LINE_FOUR = LINES[4]


def test_a_major_incident_is_declared_told_solved_and_reviewed(house: House) -> None:
    contact, desk = house.enter(CONTACT), house.enter(LINE_FOUR)
    head = file_request(contact, "Вход не работает ни у кого", impact="1")
    child = file_request(contact, "Не открывается и второй контур", impact="1")
    accept(desk, head)

    form = open_act(desk, "major")
    form.locator("textarea[name=reason]").fill("Затронуты оба контура")
    post(desk, form.locator("button.btn--p"))
    desk.locator(".mjbanner a").first.click()
    desk.wait_for_url(re.compile(r"/w/major/\d+/$"))
    page = desk.url
    desk.locator("input[name=numbers]").fill(str(child))
    post(desk, desk.locator("form[action$='/children/'] button.btn"))
    tell = desk.locator("form[action$='/messages/'] button.btn--p")
    desk.set_viewport_size({"width": 320, "height": 900})
    tell.evaluate("button => { button.lastChild.textContent = 'Сообщить всем 12 затронутым клиентам' }")
    assert desk.evaluate(WIDTH) == 320
    desk.set_viewport_size({"width": 1440, "height": 900})
    desk.locator("form[action$='/messages/'] textarea[name=text_ru]").fill("Видим сбой, восстанавливаем вход")
    tell.click()
    expect(desk.locator("#confirm h2")).to_have_text("Отправить эти слова 1 клиенту? Вернуть их будет нельзя.")
    post(desk, desk.locator("dialog button.btn--p"))

    for number in (head, child):
        contact.goto(f"/t/{number}/")
        expect(contact.locator(".msg--us")).to_contain_text("Видим сбой, восстанавливаем вход")
        expect(contact.locator("main")).not_to_contain_text("крупн")

    desk.locator("#solution summary").click()
    desk.locator("form[action$='/solution/'] textarea[name=text_ru]").fill("Заменили сертификат, вход работает")
    desk.locator("form[action$='/solution/'] button.btn--p").click()
    expect(desk.locator("#confirm h2")).to_contain_text("Решить 2 открытых обращения этими словами?")
    post(desk, desk.locator("dialog button.btn--p"))
    contact.goto(f"/t/{child}/")
    expect(contact.locator(".msg--us").last).to_contain_text("Заменили сертификат")

    desk.goto(page)
    desk.locator("summary", has_text="Завершить крупный сбой").click()
    desk.locator("textarea[name=what_happened]").fill("Истёк сертификат")
    desk.locator("form[action$='/end/'] button.btn--p").click()
    post(desk, desk.locator("dialog button.btn--p"))
    desk.locator("textarea[name=cause]").fill("Срок не стоял в календаре")
    post(desk, desk.locator("form[action$='/review/'] button.btn--p"))
    expect(desk.locator("#review")).to_contain_text("Срок не стоял в календаре")
    contact.close()
    desk.close()


def test_a_workaround_reaches_the_customer_and_a_release_goes_to_its_register(house: House) -> None:
    contact, desk = house.enter(CONTACT), house.enter(LINE_FOUR)
    number = file_request(contact, "Отчёт теряет итоги", impact="2")
    accept(desk, number)
    form = open_act(desk, "defect")
    form.locator("input[name=title]").fill("Отчёт теряет итоги при группировке")
    for name in ("steps", "expected", "actual"):
        form.locator(f"textarea[name={name}]").fill("Как в обращении")
    post(desk, form.locator("button.btn--p"))
    desk.locator("a", has_text="Отчёт теряет итоги при группировке").click()
    desk.wait_for_url(re.compile(r"/w/defects/\d+/$"))
    post(desk, desk.locator("form[action$='/confirmation/'] button"))
    desk.locator("summary", has_text="Изменить тексты").click()
    desk.locator("textarea[name=workaround_ru]").fill("Уберите группировку и постройте отчёт заново")
    post(desk, desk.locator("form[action$='/texts/'] button.btn--p"))
    for width in (390, 320):
        desk.set_viewport_size({"width": width, "height": 900})
        assert desk.evaluate(WIDTH) == width
    desk.set_viewport_size({"width": 1440, "height": 900})
    desk.locator("form[action$='/workaround/'] button").click()
    post(desk, desk.locator("dialog button.btn--p"))
    expect(desk.locator("section[aria-labelledby=h-known]")).to_contain_text("Этот текст есть во всех открытых")
    contact.goto(f"/t/{number}/")
    expect(contact.locator(".msg--us").last).to_contain_text("Уберите группировку и постройте отчёт заново")

    desk.goto("/w/releases/new/")
    desk.locator("select[name=product]").select_option(label="Veskora Sales")
    desk.fill("input[name=version]", "9.0")
    desk.fill("textarea[name=notes_ru]", "Отчёты сохраняют итоги")
    post(desk, desk.locator("form.panel button.btn--p"))
    desk.set_input_files("input[type=file]", {"name": "sales-9.0.zip", "mimeType": "application/zip", "buffer": b"zip"})
    post(desk, desk.locator("form[action$='/files/'] button"))
    desk.locator("form[action$='/publication/'] button").click()
    post(desk, desk.locator("dialog button.btn--p"))
    register = desk.url
    expect(desk.locator("section[aria-labelledby=h-reg]")).to_contain_text("Ветролог")

    contact.goto("/releases/")
    contact.locator("a", has_text="Veskora Sales 9.0").click()
    with contact.expect_download() as download:
        contact.locator(".l4files a").first.click()
    assert download.value.suggested_filename == "sales-9.0.zip"
    post(contact, contact.locator("form[action$='/installed/'] button"))
    desk.goto(register)
    desk.locator("a.chipf", has_text="Установлено").click()
    expect(desk.locator("section[aria-labelledby=h-reg]")).to_contain_text("Ветролог")
    contact.close()
    desk.close()
