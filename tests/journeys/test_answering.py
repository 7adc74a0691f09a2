"""The composer in a real browser: text that comes back, two who answer at once, a pasted picture, a macro's line."""

import base64
import re
from itertools import count

import pytest
from playwright.sync_api import Page, expect

from helpdesk.demo import PASSWORD
from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, LINES, accept, file_request

LEAD = "gordeev@veskora.example"
REPORTS = count(1)
FIRST, SECOND = LINES[1], LINES[2]
PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d4944415478"
        "9c6360f8cf500f0003010180a5d6d2b80000000049454e44ae426082"
    )
).decode()
PASTE = """(encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0)), given = new DataTransfer();
  given.items.add(new File([bytes], "screen.png", { type: "image/png" }));
  const area = document.querySelector("#composer textarea");
  area.dispatchEvent(new ClipboardEvent("paste", { clipboardData: given, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def number(house: House) -> int:
    # Each its own words: the same ones twice within a quarter of an hour are one request.
    return file_request(house.enter(CONTACT), f"Отчёт о продажах № {next(REPORTS)} строится двадцать минут", impact="3")


def composer(page: Page, number: int) -> Page:
    page.goto(f"/w/t/{number}/")
    return page


def send(page: Page, status: int = 200) -> None:
    with page.expect_response(lambda answer: answer.url.endswith("/messages/")) as answered:
        page.locator("#composer .cmp-send > button").click()
    assert answered.value.status == status


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize(("who", "form"), [(CONTACT, "reply"), (FIRST, "composer")])
def test_a_button_stays_under_the_finger_while_the_draft_is_kept(
    house: House, number: int, who: str, form: str, width: int
) -> None:
    page = house.enter(who, width=width)
    page.goto(f"/t/{number}/#reply" if form == "reply" else f"/w/t/{number}/")
    area, button = page.locator(f"#{form} textarea"), page.locator(f"#{form} .reply__f .btn--p").first
    area.press_sequentially("Ещё не помогло")
    button.hover()
    words = area.bounding_box()

    page.mouse.down()  # leaving the words keeps them, before the finger is up again
    expect(page.locator(f"#{form} [data-status]")).to_contain_text("Черновик сохранён")
    assert area.bounding_box() == words
    with page.expect_response(lambda it: it.request.method == "POST" and re.search("/(replies|messages)/", it.url)):
        page.mouse.up()


def test_text_comes_back_after_a_reload_and_on_another_device(house: House, number: int) -> None:
    page = composer(house.enter(FIRST), number)
    page.locator("label.rt--int").click()
    page.fill("#composer textarea", "Похоже на индекс: проверить план запроса.")
    expect(page.locator("[data-status]")).to_contain_text(re.compile(r"Черновик сохранён в \d\d:\d\d"))

    page.reload()
    phone = composer(house.enter(FIRST, width=390), number)

    for there in (page, phone):
        expect(there.locator("#composer textarea")).to_have_value("Похоже на индекс: проверить план запроса.")
        expect(there.locator("#composer [value=note]")).to_be_checked()
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft:'))") == []


def test_text_is_safe_in_the_browser_while_the_server_cannot_be_reached(house: House, number: int) -> None:
    page = composer(house.enter(FIRST), number)
    page.route("**/draft/", lambda route: route.abort())
    page.fill("#composer textarea", "Связь пропала на полуслове.")
    expect(page.locator("[data-status]")).to_contain_text("текст цел в этом браузере")

    page.unroute("**/draft/")
    page.reload()

    expect(page.locator("#composer textarea")).to_have_value("Связь пропала на полуслове.")
    expect(page.locator("[data-status]")).to_contain_text("Черновик сохранён в")


def signed_out_while_writing(page: Page, number: int, words: str) -> None:
    """Somebody of the second line signs in, writes in the composer, loses the session, presses, and signs in anew."""
    page.goto(f"/account/login/?next=/w/t/{number}/")
    sign_in(page)
    page.wait_for_url(f"**/w/t/{number}/")
    page.wait_for_load_state("load")
    page.fill("#composer textarea", words)
    page.context.clear_cookies(name="sessionid")
    page.locator("#composer .cmp-send > button").click()
    page.wait_for_url("**/account/login/**")
    sign_in(page)


def sign_in(page: Page) -> None:
    page.fill("input[name=login]", SECOND)
    page.fill("input[name=password]", PASSWORD)
    page.click("form.frm button.btn--p")


def test_session_that_ended_gives_the_text_back_after_the_sign_in(house: House, number: int) -> None:
    context = house.browser.new_context(base_url=house.address)
    page = context.new_page()

    signed_out_while_writing(page, number, "Написано, пока сессия ещё шла.")

    page.wait_for_url(f"**/w/t/{number}/")
    expect(page.locator("#composer textarea")).to_have_value("Написано, пока сессия ещё шла.")
    context.close()


def test_without_scripts_the_text_is_shown_after_the_sign_in_and_sent_once(house: House, number: int) -> None:
    context = house.browser.new_context(base_url=house.address, java_script_enabled=False)
    page = context.new_page()

    signed_out_while_writing(page, number, "Написано без скриптов, пока сессия ещё шла.")

    page.wait_for_url("**/account/unsent/")
    expect(page.locator(".unsent__t")).to_have_text("Написано без скриптов, пока сессия ещё шла.")
    page.get_by_role("button", name="Отправить сейчас").click()
    expect(page.locator(".msgs")).to_contain_text("Написано без скриптов, пока сессия ещё шла.")
    page.goto("/account/unsent/")
    page.wait_for_url("**/w/")
    context.close()


def test_of_two_who_answer_at_once_the_second_reads_first(house: House, number: int) -> None:
    first, second = composer(house.enter(FIRST), number), composer(house.enter(SECOND), number)
    second.route(re.compile("/thread/"), lambda route: route.abort())  # a slow link: the first's words come in later
    first.fill("#composer textarea", "Отключили лишний пересчёт, проверьте.")
    second.fill("#composer textarea", "Пришлите, пожалуйста, журнал.")

    send(first)
    send(second, status=409)

    conflict = second.locator(".cmp-mean")
    expect(conflict).to_contain_text("Отключили лишний пересчёт, проверьте.")
    expect(second.locator("#composer textarea")).to_have_value("Пришлите, пожалуйста, журнал.")
    with second.expect_response(lambda answer: answer.url.endswith("/messages/")) as answered:
        conflict.get_by_role("button", name="Всё равно отправить").click()
    assert answered.value.status == 200
    expect(second.locator(".msgs")).to_contain_text("Пришлите, пожалуйста, журнал.")
    second.reload()
    expect(second.locator("#composer textarea")).to_have_value("")


def test_pasted_picture_comes_in_fails_is_tried_again_and_is_sent(house: House, number: int) -> None:
    page = composer(house.enter(FIRST), number)
    page.fill("#composer textarea", "Так это выглядит у нас.")
    page.route("**/uploads/", lambda route: route.abort())
    page.evaluate(PASTE, PNG)
    row = page.locator("[data-files] li")
    expect(row).to_contain_text("Файл не загрузился.")

    page.locator("#composer .cmp-send > button").click()
    expect(page.locator("[data-held]")).to_contain_text("Файл «screen.png» не загрузился, поэтому ничего не отправлено")
    expect(row.get_by_role("button", name="Повторить")).to_be_focused()
    page.unroute("**/uploads/")
    row.get_by_role("button", name="Повторить").click()
    expect(row.locator("input[name=pending]")).to_be_attached()
    send(page)

    picture = page.locator(".msgs .thumb img")
    expect(picture).to_have_attribute("alt", "screen.png")
    assert picture.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 1


def test_files_dropped_on_the_composer_come_in_and_are_sent(house: House, number: int) -> None:
    page = composer(house.enter(FIRST), number)
    page.fill("#composer textarea", "Два файла перетащены.")
    files = page.evaluate_handle(
        """() => {
            const given = new DataTransfer();
            for (const name of ["trace.log", "plan.txt"]) given.items.add(new File(["x"], name));
            return given;
        }"""
    )
    page.dispatch_event("#composer", "dragover", {"dataTransfer": files})
    expect(page.locator("#composer")).to_have_class(re.compile(r"\bis-over\b"))
    page.dispatch_event("#composer", "drop", {"dataTransfer": files})

    expect(page.locator("#composer")).not_to_have_class(re.compile(r"\bis-over\b"))
    expect(page.locator("[data-files] li input[name=pending]")).to_have_count(2)
    send(page)
    sent = page.locator(".msgs").last
    for name in ("trace.log", "plan.txt"):
        expect(sent).to_contain_text(name)


def test_without_a_link_the_button_says_that_nothing_was_sent(house: House, number: int) -> None:
    page = composer(house.enter(FIRST), number)
    page.fill("#composer textarea", "Написано без связи.")
    page.context.set_offline(True)
    try:
        page.locator("#composer textarea").press("Control+Enter")
        expect(page.locator("[data-held]")).to_contain_text("Нет связи, поэтому не отправлено. Текст сохранён здесь")
        expect(page.locator("#composer textarea")).to_have_value("Написано без связи.")
    finally:
        page.context.set_offline(False)
    expect(page.locator("[data-held]")).to_contain_text("Связь появилась")

    send(page)

    expect(page.locator(".msgs")).to_contain_text("Написано без связи.")
    expect(page.locator("#composer [data-held]")).to_have_count(0)


def test_server_that_does_not_answer_is_said_at_the_button(house: House, number: int) -> None:
    page = composer(house.enter(FIRST), number)
    page.route("**/messages/", lambda route: route.abort())
    page.fill("#composer textarea", "Сервер молчит.")

    page.locator("#composer .cmp-send > button").click()

    expect(page.locator("[data-held]")).to_contain_text("не отправлено")
    expect(page.locator("#composer textarea")).to_have_value("Сервер молчит.")


def test_macro_is_written_picked_and_hands_the_request_over(house: House, number: int) -> None:
    lead = house.enter(LEAD)
    lead.goto("/w/macros/new/")
    lead.fill("input[name=title]", f"Во вторую линию {number}")
    lead.select_option("select[name=scope]", "all")
    lead.fill("textarea[name=body_ru]", "{{ contact }}, передаём № {{ number }} во вторую линию.")
    lead.select_option("select[name=to_line]", "2")
    lead.fill("textarea[name=known]", "{{ customer }} ждёт отчёт.")
    lead.fill("textarea[name=asked]", "Посмотрите план запроса.")
    lead.locator("main form .btn--p").click()
    lead.wait_for_url("**/w/macros/")

    page = house.enter(FIRST)
    accept(page, number)
    page.goto(f"/w/t/{number}/")
    page.locator(".tk__t").click()
    page.keyboard.press("M")
    page.fill("#composer #macro-find", f"Во вторую линию {number}")  # in the menu: the ticket stays where it is
    page.locator("#composer .cmp-macros li:visible a").click()
    expect(page.locator("#composer textarea")).to_have_value(re.compile(rf"передаём № {number} во вторую линию"))
    expect(page.locator("[data-macro-chip]")).to_contain_text("передаёт на линию 2")
    send(page)

    expect(page.locator(".stop--now")).to_contain_text("Вторая")
    expect(page.locator(".recv")).to_contain_text("Посмотрите план запроса.")


def test_article_is_put_where_the_caret_stands_and_reaches_the_customer(house: House, number: int) -> None:
    page = composer(house.enter(FIRST), number)
    text = page.locator("#composer textarea")
    text.fill("Здравствуйте! Похоже, дело в памяти.")
    page.locator(".tk__t").click()  # out of the field: what follows is a key of the desk
    page.keyboard.press("B")
    expect(page.locator("[data-articles-q]")).to_be_focused()
    page.keyboard.type("предел памяти пула")
    found = page.locator("#articles-found li", has_text="Пул приложений перезапускается по памяти")
    found.locator("[data-article]").click()

    expect(page.locator("[data-articles]")).not_to_have_attribute("open", "")
    expect(text).to_be_focused()
    expect(text).to_have_value(re.compile(r"^Здравствуйте! Похоже, дело в памяти\.\n\n.*Пул приложений", re.DOTALL))
    send(page)
    contact = house.enter(CONTACT)
    contact.goto(f"/t/{number}/")
    contact.locator(".msg a[href*='/kb/']").first.click()
    expect(contact.locator("h1")).to_have_text("Пул приложений перезапускается по памяти")


def test_enter_beside_the_text_sends_nothing_and_takes_the_macro_that_was_found(house: House, number: int) -> None:
    lead = house.enter(LEAD)
    lead.goto("/w/macros/new/")
    lead.fill("input[name=title]", f"Приняли {number}")
    lead.fill("textarea[name=body_ru]", "Приняли № {{ number }}.")
    lead.locator("main form .btn--p").click()
    lead.wait_for_url("**/w/macros/")
    page = composer(lead, number)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/messages/") else None)
    page.fill("#composer textarea", "Ещё не дописано.")

    page.locator("#composer [name=kind]:checked").press("Enter")
    page.locator("[data-macros] > summary").click()
    expect(page.locator("#macro-find")).to_be_focused()
    page.keyboard.press("Enter")
    page.fill("#macro-find", "такого нет")
    page.press("#macro-find", "Enter")
    page.fill("#macro-find", f"Приняли {number}")
    page.press("#macro-find", "Enter")

    expect(page.locator("#composer textarea")).to_have_value(re.compile(f"Приняли № {number}"))
    assert sent == []


def test_what_a_macro_does_is_there_again_after_a_reload_and_on_another_device(house: House, number: int) -> None:
    lead = house.enter(LEAD)
    lead.goto("/w/macros/new/")
    lead.fill("input[name=title]", f"Мелочь {number}")
    lead.select_option("select[name=priority]", "4")
    lead.fill("textarea[name=body_ru]", "Приоритет теперь 4.")
    lead.locator("main form .btn--p").click()
    lead.wait_for_url("**/w/macros/")
    page = composer(lead, number)
    page.locator("[data-macros] > summary").click()
    page.fill("#macro-find", f"Мелочь {number}")
    page.press("#macro-find", "Enter")
    expect(page.locator("[data-status]")).to_contain_text("Черновик сохранён")

    page.reload()
    phone = composer(house.enter(LEAD, width=390), number)

    for there in (page, phone):
        expect(there.locator("[data-macro-chip]")).to_contain_text(f"Мелочь {number}: ставит приоритет 4")
        expect(there.locator("#composer textarea")).to_have_value("Приоритет теперь 4.")
    with phone.expect_response(lambda answer: answer.url.endswith("/draft/")):
        phone.locator("[data-macro-off]").click()
    phone.reload()
    expect(phone.locator("#composer textarea")).to_have_value("Приоритет теперь 4.")
    expect(phone.locator("[data-macro-chip]")).to_be_hidden()


def test_ctrl_shift_enter_sends_and_waits(house: House, number: int) -> None:
    page = house.enter(FIRST)
    accept(page, number)
    page.goto(f"/w/t/{number}/")
    page.fill("#composer textarea", "Какая у вас версия?")

    with page.expect_response(lambda answer: answer.url.endswith("/messages/")) as answered:
        page.locator("#composer textarea").press("Control+Shift+Enter")

    assert answered.value.status == 200
    expect(page.locator(".tk__top")).to_contain_text("Ждём клиента", ignore_case=True)


def test_composer_without_scripts_keeps_a_draft_and_sends_a_file(house: House, number: int) -> None:
    page = composer(house.enter(FIRST, scripts=False), number)
    page.fill("#composer textarea", "Без скриптов тоже пишут.")
    page.get_by_role("button", name="Сохранить черновик").click()
    page.goto(f"/w/t/{number}/")
    assert page.input_value("#composer textarea") == "Без скриптов тоже пишут."

    page.set_input_files("#composer [type=file]", {"name": "log.txt", "mimeType": "text/plain", "buffer": b"lines"})
    page.locator("#composer .cmp-send > button").click()

    expect(page.locator(".msgs")).to_contain_text("log.txt")
    assert page.input_value("#composer textarea") == ""
