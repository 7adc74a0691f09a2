"""Bad luck and bad input in the portal, in a real browser: it ends in words, nothing is lost, nothing sent twice."""

import re
from itertools import count
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Locator, Page, expect

from helpdesk.demo import PASSWORD
from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, LINES, file_request, post

PHONE = 390
REPORTS = count(1)
OTHER_CONTACT = "melnik@severoluch.example"
WRITE = """(area, text) => {
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}"""
WORD = """async () => {
  const html = "<html><body><p class=MsoNormal><b>Ошибка</b> 503<o:p></o:p></p></body></html>", kinds = {};
  const both = { "text/html": html, "text/plain": "Ошибка 503" };
  for (const kind in both) kinds[kind] = new Blob([both[kind]], { type: kind });
  await navigator.clipboard.write([new ClipboardItem(kinds)]);
}"""


@pytest.fixture
def number(house: House) -> int:
    # Each its own words: the same ones twice within a quarter of an hour are one request.
    return file_request(house.enter(CONTACT), f"Отчёт о складе № {next(REPORTS)} не строится", impact="3")


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """40 MB, of which nothing lies on the disk."""
    path = tmp_path / "dump.zip"
    with path.open("wb") as file:
        file.truncate(40 * 1024 * 1024)
    return path


def a_file(name: str, content: bytes = b"lines") -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def reply_of(page: Page, number: int) -> Locator:
    page.goto(f"/t/{number}/")
    return page.locator("#reply")


def send(page: Page) -> None:
    post(page, page.locator("#reply .reply__f > .btn--p"))


def said(page: Page) -> Locator:
    return page.locator(".msg--cust")


def fits(page: Page) -> bool:
    page.wait_for_load_state()  # without its style sheets a page is as wide as it likes
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


# Files


def test_files_come_in_with_progress_and_the_refused_ones_say_why(house: House, number: int, huge: Path) -> None:
    page = house.enter(CONTACT, width=PHONE)
    form = reply_of(page, number)
    page.fill("#reply textarea", "Журналы приложены.")
    rows = form.locator("[data-files] li")

    page.set_input_files("#reply_files", str(huge))
    expect(rows.nth(0)).to_contain_text(re.compile(r"не больше 25,0.МБ"))
    page.set_input_files("#reply_files", [a_file("setup.exe"), a_file("../../x"), a_file("server.log")])
    expect(rows.nth(1)).to_contain_text("программа, такие файлы мы не принимаем")
    expect(form.locator("input[name=pending]")).to_have_count(2)
    assert ".." not in rows.nth(2).inner_text()
    assert fits(page)
    form.locator(".reply__f > .btn--p").click()
    expect(form.locator("[data-held]")).to_contain_text(
        "Файл «dump.zip» приложить нельзя, поэтому ничего не отправлено"
    )
    expect(rows.nth(0).get_by_role("button", name=re.compile("Убрать"))).to_be_focused()
    assert fits(page)
    for refused in ("dump.zip", "setup.exe"):
        rows.filter(has_text=refused).get_by_role("button", name="Убрать").click()
    send(page)

    expect(said(page).last).to_contain_text("Журналы приложены.")
    expect(said(page).last.locator(".att a")).to_have_count(2)
    assert ".." not in said(page).last.inner_text()


def test_an_upload_that_broke_off_is_tried_again(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    form = reply_of(page, number)
    page.fill("#reply textarea", "Связь пропадает.")
    page.route("**/uploads/", lambda route: route.abort())
    page.set_input_files("#reply_files", a_file("server.log"))
    row = form.locator("[data-files] li")
    expect(row).to_contain_text("Файл не загрузился.")

    page.unroute("**/uploads/")
    row.get_by_role("button", name="Повторить").click()
    expect(row.locator("input[name=pending]")).to_be_attached()
    page.reload()

    expect(page.locator("#reply textarea")).to_have_value("Связь пропадает.")
    expect(page.locator("#reply input[name=pending]")).to_be_attached()
    send(page)
    expect(said(page).last.locator(".att a")).to_have_text("server.log")


def test_a_file_on_its_way_is_waited_for_and_the_draft_does_not_talk_over_it(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    form = reply_of(page, number)
    page.route("**/uploads/", lambda route: None)  # never answered
    page.set_input_files("#reply_files", a_file("server.log"))
    page.fill("#reply textarea", "Файл ещё в пути.")

    form.locator(".reply__f > .btn--p").click()

    expect(form.locator("[data-held]")).to_contain_text("дождитесь")
    expect(form.locator("[data-status]")).to_contain_text("Черновик сохранён в")
    expect(form.locator("[data-held]")).to_contain_text("дождитесь")
    form.get_by_role("button", name="Убрать server.log").click()
    expect(form.locator("[data-held]")).to_be_hidden()
    send(page)
    expect(said(page).last).to_contain_text("Файл ещё в пути.")


def test_without_scripts_a_refused_file_loses_neither_the_words_nor_the_other_file(house: House, huge: Path) -> None:
    page = house.enter(CONTACT, width=PHONE, scripts=False)
    page.goto("/t/new/")
    page.fill("input[name=subject]", "Не выгружается отчёт о продажах")
    page.check("input[name=impact][value='3']")
    page.fill("textarea[name=body]", "Журнал и дамп приложены.")
    log = huge.with_name("server.log")
    log.write_bytes(b"lines")
    page.set_input_files("#id_files", [str(huge), str(log)])

    page.click("#new button.btn--l")

    expect(page.locator(".esum")).to_contain_text(re.compile("«dump.zip».*40,0"))
    expect(page.locator("textarea[name=body]")).to_have_value("Журнал и дамп приложены.")
    expect(page.locator("[data-files] li")).to_contain_text("server.log")
    page.click("#new button.btn--l")
    page.wait_for_url(re.compile(r"/t/\d+/$"))
    expect(said(page).last.locator(".att a")).to_have_text("server.log")


# Words


def test_200000_characters_are_refused_in_words_and_kept(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    reply_of(page, number)
    page.locator("#reply textarea").evaluate(WRITE, "журнал, " * 25_000)

    page.locator("#reply .reply__f > .btn--p").click()

    expect(page.locator(".esum")).to_contain_text("остальное пришлите файлом")
    assert page.evaluate("document.querySelector('#reply textarea').value.length") == 200_000
    page.fill("#reply textarea", "Коротко.")
    send(page)
    expect(said(page).last).to_contain_text("Коротко.")


def test_what_word_puts_on_the_clipboard_comes_in_as_its_words(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    reply_of(page, number)
    page.evaluate(WORD)
    page.locator("#reply textarea").focus()
    page.keyboard.press("Control+V")
    expect(page.locator("#reply textarea")).to_have_value("Ошибка 503")
    page.keyboard.type(" <b>и</b> <script>alert(1)</script>")

    send(page)

    expect(said(page).last.locator("p").last).to_have_text("Ошибка 503 <b>и</b> <script>alert(1)</script>")


def test_emoji_and_right_to_left_words_stay_what_they_are_on_a_phone(house: House) -> None:
    page = house.enter(CONTACT, width=PHONE)
    words = "🙂👩‍💻 שלום עולם، مرحبا بالعالم " + "ъ" * 90

    number = file_request(page, words, impact="4")

    expect(page.locator("h1")).to_have_text(words)
    assert fits(page)
    page.goto("/")
    expect(page.locator(f"a[href='/t/{number}/']").first).to_contain_text("שלום עולם")
    assert fits(page)


# Twice


def test_a_double_click_and_going_back_send_one_request(house: House) -> None:
    page = house.enter(CONTACT)
    page.goto("/t/new/")
    page.fill("input[name=subject]", "Дважды нажатая кнопка")
    page.check("input[name=impact][value='4']")
    page.locator("#new button.btn--l").dblclick()
    page.wait_for_url(re.compile(r"/t/\d+/$"))
    first = page.url

    page.go_back()
    page.wait_for_load_state()
    page.fill("input[name=subject]", "Дважды нажатая кнопка")
    page.check("input[name=impact][value='4']")
    page.locator("#new button.btn--l").click()
    page.wait_for_url(re.compile(r"/t/\d+/$"))

    assert page.url == first
    page.goto("/t/?q=Дважды")
    expect(page.locator("main a", has_text="Дважды нажатая кнопка")).to_have_count(1)


def test_a_double_click_on_an_answer_says_it_once(house: House, number: int) -> None:
    page = house.enter(CONTACT, width=PHONE)
    reply_of(page, number)
    page.fill("#reply textarea", "Сказано один раз.")
    with page.expect_navigation():
        page.locator("#reply .reply__f > .btn--p").dblclick()

    expect(said(page).filter(has_text="Сказано один раз.")).to_have_count(1)
    expect(page.locator("#reply textarea")).to_have_value("")


def test_going_back_after_an_answer_finds_an_empty_box(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    reply_of(page, number)
    page.fill("#reply textarea", "Сказано, и назад.")
    page.locator("#reply textarea").blur()
    expect(page.locator("[data-status]")).to_contain_text("Черновик сохранён в")
    send(page)
    expect(said(page).filter(has_text="Сказано, и назад.")).to_have_count(1)

    page.go_back()
    page.wait_for_load_state()

    expect(page.locator("#reply textarea")).to_have_value("")
    page.fill("#reply textarea", "И ещё одно.")
    send(page)
    expect(said(page).filter(has_text="И ещё одно.")).to_have_count(1)


@pytest.mark.parametrize("scripts", [True, False])
def test_going_back_and_pressing_again_says_it_once(house: House, number: int, scripts: bool) -> None:
    page = house.enter(CONTACT, scripts=scripts)
    reply_of(page, number)
    page.fill("#reply textarea", "Сказано один раз, без повтора.")
    send(page)

    page.go_back()
    page.wait_for_load_state()
    if scripts:
        page.fill("#reply textarea", "Сказано один раз, без повтора.")
    page.locator("#reply .reply__f > .btn--p").click()
    page.wait_for_load_state()
    page.goto(f"/t/{number}/")

    expect(said(page).filter(has_text="Сказано один раз, без повтора.")).to_have_count(1)


@pytest.mark.parametrize("scripts", [True, False])
def test_going_back_after_a_new_request_makes_no_second_one(house: House, scripts: bool) -> None:
    page = house.enter(CONTACT, scripts=scripts)
    subject = f"Назад и ещё раз, {'со' if scripts else 'без'} скриптами"
    page.goto("/t/new/")
    page.fill("input[name=subject]", subject)
    page.check("input[name=impact][value='4']")
    page.select_option("select[name=topic]", index=1)
    page.fill("textarea[name=body]", "Первая строка.\nВторая строка.")
    page.click("#new button.btn--l")
    page.wait_for_url(re.compile(r"/t/\d+/$"))

    page.go_back()
    page.wait_for_load_state()
    if scripts:
        expect(page.locator("input[name=subject]")).to_have_value("")
    page.click("#new button.btn--l")
    page.wait_for_load_state()

    page.goto(f"/t/?q={subject}")
    expect(page.locator("main a.pt__t", has_text=subject)).to_have_count(1)


def test_without_a_link_it_is_said_that_nothing_was_sent(house: House, number: int) -> None:
    page = house.enter(CONTACT, width=PHONE)
    form = reply_of(page, number)
    page.fill("#reply textarea", "Написано в лифте.")
    page.context.set_offline(True)
    try:
        form.locator(".reply__f > .btn--p").click()
        expect(form.locator("[data-held]")).to_contain_text("Нет связи, поэтому не отправлено. Текст сохранён здесь")
        expect(page.locator("#reply textarea")).to_have_value("Написано в лифте.")
        assert fits(page)
    finally:
        page.context.set_offline(False)
    expect(form.locator("[data-held]")).to_contain_text("Связь появилась")

    send(page)

    expect(said(page).last).to_contain_text("Написано в лифте.")


def test_the_own_words_that_arrive_after_the_reload_are_no_other_draft(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    reply_of(page, number)
    page.fill("#reply textarea", "Начало")
    page.locator("#reply textarea").blur()
    expect(page.locator("[data-status]")).to_contain_text("Черновик сохранён в")
    page.route("**/draft/", lambda route: route.abort())  # the last saving arrives once the next page is drawn
    with page.expect_request("**/draft/") as last:
        page.locator("#reply textarea").press_sequentially(" и ещё")
        page.locator("#reply textarea").blur()
    page.reload()
    expect(page.locator("#reply textarea")).to_have_value("Начало и ещё")
    expect(page.locator("[data-other]")).to_be_hidden()
    page.request.post(
        f"/t/{number}/draft/",
        data=last.value.post_data,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
    )
    page.unroute("**/draft/")

    page.locator("#reply textarea").press_sequentially(", и дальше")

    expect(page.locator("[data-status]")).to_contain_text("Черновик сохранён в")
    page.wait_for_timeout(2500)
    expect(page.locator("[data-other]")).to_be_hidden()
    expect(page.locator("[data-status]")).not_to_contain_text("другой")
    page.reload()
    expect(page.locator("#reply textarea")).to_have_value("Начало и ещё, и дальше")


def test_the_second_of_two_tabs_is_told(house: House, number: int) -> None:
    first, second = house.enter(CONTACT), house.enter(CONTACT)
    reply_of(first, number)
    reply_of(second, number)
    first.fill("#reply textarea", "Написано в первой вкладке.")
    expect(first.locator("[data-status]")).to_contain_text(re.compile(r"Черновик сохранён в \d\d:\d\d"))

    second.fill("#reply textarea", "Написано во второй вкладке.")

    expect(second.locator("[data-status]")).to_contain_text("другой ваш черновик")
    second.get_by_role("button", name=re.compile("Показать другой черновик")).click()
    expect(second.locator("#reply textarea")).to_have_value("Написано в первой вкладке.")


def test_words_are_there_again_after_a_lost_connection_and_on_another_device(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    reply_of(page, number)
    page.route("**/draft/", lambda route: route.abort())
    page.fill("#reply textarea", "Связь пропала на полуслове.")
    expect(page.locator("[data-status]")).to_contain_text("текст цел в этом браузере")

    page.unroute("**/draft/")
    page.reload()
    expect(page.locator("#reply textarea")).to_have_value("Связь пропала на полуслове.")
    expect(page.locator("[data-status]")).to_contain_text("Черновик сохранён в")

    phone = house.enter(CONTACT, width=PHONE)
    reply_of(phone, number)
    expect(phone.locator("#reply textarea")).to_have_value("Связь пропала на полуслове.")


# The session


@pytest.mark.parametrize("scripts", [True, False])
def test_a_session_that_ended_while_writing_loses_nothing(house: House, number: int, scripts: bool) -> None:
    page = house.enter(CONTACT, width=PHONE, scripts=scripts)
    reply_of(page, number)
    page.fill("#reply textarea", "Написано, пока сессия ещё шла.")
    page.context.clear_cookies(name="sessionid")
    page.locator("#reply .reply__f > .btn--p").click()
    page.wait_for_url("**/account/login/**")

    page.fill("input[name=login]", CONTACT)
    page.fill("input[name=password]", PASSWORD)
    page.click("form.frm button.btn--p")

    page.wait_for_url("**/account/unsent/")
    expect(page.locator(".unsent__t")).to_have_text("Написано, пока сессия ещё шла.")
    assert fits(page)
    page.get_by_role("button", name="Отправить сейчас").click()
    page.wait_for_url(f"**/t/{number}/")
    expect(said(page).filter(has_text="Написано, пока сессия ещё шла.")).to_have_count(1)
    page.goto(f"/t/{number}/")
    expect(page.locator("#reply textarea")).to_have_value("")


@pytest.mark.parametrize(("width", "theme"), [(PHONE, "dark"), (1440, "light")])
def test_pages_of_bad_luck_have_no_findings(house: House, number: int, huge: Path, width: int, theme: str) -> None:
    page = house.enter(CONTACT, width=width, theme=theme)
    form = reply_of(page, number)
    page.fill("#reply textarea", "Журналы приложены, дамп не вошёл.")
    page.set_input_files("#reply_files", [str(huge)])
    page.set_input_files("#reply_files", a_file("server.log"))
    expect(form.locator("input[name=pending]")).to_be_attached()
    assert findings(page) == []

    form.locator("[data-files] li", has_text="dump.zip").get_by_role("button", name="Убрать").click()
    page.context.clear_cookies(name="sessionid")
    form.locator(".reply__f > .btn--p").click()
    page.wait_for_url("**/account/login/**")
    page.fill("input[name=login]", CONTACT)
    page.fill("input[name=password]", PASSWORD)
    page.click("form.frm button.btn--p")
    page.wait_for_url("**/account/unsent/")
    assert findings(page) == []

    page.goto("/t/new/draft/")
    assert findings(page) == []


def findings(page: Page) -> list[tuple[str, list[str]]]:
    """What axe finds, each with the places."""
    found = Axe().run(page).response["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


# Addresses


def test_a_link_of_another_company_is_404_and_an_address_without_a_page_says_so_in_words(
    house: House, number: int
) -> None:
    page = house.enter(OTHER_CONTACT, width=PHONE)

    there = page.goto(f"/t/{number}/")
    assert there is not None
    assert there.status == 404
    expect(page.locator("h1")).to_have_text("Такой страницы нет")

    there = page.goto("/t/new/draft/")
    assert there is not None
    assert there.status == 405
    expect(page.locator("h1")).to_have_text("Здесь нечего читать")


RESOLVED = """
from django.utils.timezone import now
from accounts.models import User
from tickets import letter_links, workflow
from tickets.models import Ticket
engineer = User.objects.get(email="{engineer}")
ticket = workflow.accept(Ticket.objects.get(number={number}), by=engineer, at=now())
workflow.resolve(ticket, by=engineer, body="Готово.", at=now())
print("ADDRESS", letter_links.rating_address(ticket, ticket.contact))
"""


def test_a_signed_link_works_twice_as_one_rating_and_not_at_all_when_altered(house: House, number: int) -> None:
    told = house.manage("shell", "-c", RESOLVED.format(number=number, engineer=LINES[1]))
    address = re.search(r"ADDRESS (\S+)", told)
    assert address is not None
    size = {"width": PHONE, "height": 900}
    context = house.browser.new_context(base_url=house.address, viewport=size, locale="ru-RU")  # type: ignore[arg-type]
    context.set_default_timeout(20_000)
    page = context.new_page()  # nobody is signed in

    for mark in ("4", "5"):
        page.goto(address[1])
        page.check(f"input[name=score][value='{mark}']")
        page.click("main button.btn--p")
        expect(page.locator("main")).to_contain_text(f"на {mark} из 5")
    altered = page.goto(address[1][:-4] + "xyz/")

    assert altered is not None
    assert altered.status == 404
    expect(page.locator("main")).to_contain_text("Ссылка неполная")
    assert fits(page)
    context.close()
