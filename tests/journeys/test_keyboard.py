"""The keyboard of the workspace, as a Russian layout sends it; the palette, the sheet and the switch (direction §9)."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, LINES, file_request

ENGINEER = LINES[1]
PALETTE, SHEET = "#palette", "#sheet"


@pytest.fixture(scope="module")
def numbers(house: House) -> list[int]:
    contact = house.enter(CONTACT)
    return [file_request(contact, f"Вопрос с клавиатуры номер {turn}", impact="3") for turn in range(3)]


@pytest.fixture
def page(house: House, numbers: list[int]) -> Page:
    opened = house.enter(ENGINEER)
    opened.goto("/w/l/1/")
    yield opened
    opened.close()


def typed(page: Page, key: str, code: str, **held: bool) -> None:
    """A key as a layout sends it: the character, and the place on the keyboard."""
    page.evaluate(
        """([key, code, held]) => (document.activeElement || document.body).dispatchEvent(
            new KeyboardEvent("keydown", { key, code, bubbles: true, cancelable: true, ...held }))""",
        [key, code, held],
    )


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.closest('.q')?.id || document.activeElement.id")


# ЙЦУКЕН: the letter is Cyrillic, so the place counts; Dvorak and AZERTY: the letter is Latin, so the letter counts.
NEXT = [("о", "KeyJ"), ("О", "KeyJ"), ("j", "KeyJ"), ("j", "KeyC"), ("ArrowDown", "ArrowDown")]


@pytest.mark.parametrize(("key", "code"), NEXT)
def test_rows_are_walked_through_on_every_layout(page: Page, key: str, code: str) -> None:
    rows = page.locator(".rows .q").evaluate_all("rows => rows.map((row) => row.id)")

    if key == "О":  # capital by Caps Lock: no Shift is held
        typed(page, "о", "KeyJ")
        typed(page, key, code)
        typed(page, "л", "KeyK")
    else:
        typed(page, key, code)
        assert focused(page) == rows[0]
        typed(page, key, code)
        assert focused(page) == rows[1]
        typed(page, "л", "KeyK")

    assert focused(page) == rows[0]


def test_row_is_opened_answered_and_left_without_a_mouse(page: Page, numbers: list[int]) -> None:
    page.locator(f"#row-{numbers[0]} .q__s").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tk__t")).to_have_text("Вопрос с клавиатуры номер 0")

    typed(page, "т", "KeyN")
    assert focused(page) == "message_body"
    page.keyboard.type("о ж л т")  # while one types, letters are letters
    with page.expect_response(lambda answer: answer.request.method == "POST" and "messages" in answer.url):
        page.keyboard.press("Control+Enter")
    expect(page.locator(".msg--note").last).to_contain_text("о ж л т")

    page.locator("#message_body").focus()
    page.keyboard.press("Escape")
    assert focused(page) == "pane"
    page.keyboard.press("Escape")
    assert focused(page) == f"row-{numbers[0]}"


def test_take_status_priority_and_hand_over(page: Page, numbers: list[int]) -> None:
    page.goto(f"/w/t/{numbers[1]}/?from=l/1/")

    with page.expect_response(lambda answer: answer.request.method == "POST" and "acceptance" in answer.url):
        typed(page, "е", "KeyT")
    expect(page.locator(".stbtn")).to_have_text("В работе")

    typed(page, "ы", "KeyS")
    expect(page.locator("#act-status")).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    typed(page, "з", "KeyP")
    expect(page.locator("#act-classification")).to_have_attribute("open", "")
    page.keyboard.press("Escape")

    typed(page, "д", "KeyL")
    expect(page.locator("#hint")).to_have_text("На какую линию? 1–4")
    typed(page, "3", "Digit3")
    expect(page.locator("#act-handover input[name=to_line][value='3']")).to_be_checked()
    expect(page.locator("#hint")).to_be_hidden()


def test_send_and_wait_asks_the_customer(page: Page, numbers: list[int]) -> None:
    page.goto(f"/w/t/{numbers[2]}/")
    typed(page, "к", "KeyR")
    page.keyboard.type("Какая у вас версия?")

    with page.expect_response(lambda answer: answer.request.method == "POST" and "messages" in answer.url):
        page.keyboard.press("Control+Shift+Enter")

    expect(page.locator(".stbtn")).to_have_text("Ждём клиента")


def test_g_leads_to_queues_and_forgets_itself(page: Page) -> None:
    typed(page, "п", "KeyG")
    expect(page.locator("#hint")).to_contain_text("Перейти")
    expect(page.locator("#hint")).to_be_hidden()
    typed(page, "3", "Digit3")
    assert page.url.endswith("/w/l/1/")

    typed(page, "п", "KeyG")
    typed(page, "é", "Digit2")  # AZERTY has no digit without Shift
    page.wait_for_url("**/w/l/2/")
    typed(page, "п", "KeyG")
    typed(page, "ь", "KeyM")
    page.wait_for_url("**/w/my/")


def test_key_of_what_is_not_there_does_nothing(page: Page) -> None:
    for key, code in (("ь", "KeyM"), ("я", "KeyZ"), ("г", "KeyU"), ("ч", "KeyX"), ("у", "KeyE")):
        typed(page, key, code)

    assert page.url.endswith("/w/l/1/")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_e_calls_in_somebody_above_and_the_customer_reads_no_reason(
    house: House, page: Page, numbers: list[int]
) -> None:
    page.goto(f"/w/t/{numbers[2]}/?from=l/1/")
    typed(page, "у", "KeyE")
    form = page.locator("#act-escalation form")
    expect(form).to_be_visible()
    form.locator("button").click()
    refused = page.locator(".sent")
    expect(refused).to_contain_text("Выберите, кого позвать")
    refused.get_by_text("Customer Success Manager").click()
    refused.locator("textarea").fill("Просят дату, которой у нас нет.")
    refused.locator("form button").click()

    expect(page.locator("#messages")).to_contain_text("Позвали: Customer Success Manager")
    expect(page.locator("#context .calls")).to_contain_text("Просят дату, которой у нас нет.")
    portal = house.enter(CONTACT)
    portal.goto(f"/t/{numbers[2]}/")
    expect(portal.locator("main")).to_contain_text("Подключили: Customer Success Manager")
    expect(portal.locator("main")).not_to_contain_text("Просят дату")


def test_composing_and_modifiers_are_left_alone(page: Page) -> None:
    typed(page, "о", "KeyJ", isComposing=True)
    typed(page, "j", "KeyJ", altKey=True)
    typed(page, "j", "KeyJ", ctrlKey=True)

    assert focused(page) == ""


def test_palette_finds_moves_and_goes(page: Page, numbers: list[int]) -> None:
    page.goto(f"/w/t/{numbers[1]}/?from=l/1/")
    typed(page, "л", "KeyK", ctrlKey=True)
    expect(page.locator(PALETTE)).to_be_visible()
    found = page.locator("#palette-found a")
    expect(found.first).to_contain_text("Ответ клиенту")
    findings = Axe().run(page, context=PALETTE).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in findings] == []

    page.keyboard.type("передать")
    expect(found.first).to_contain_text("Передать")
    page.keyboard.press("Enter")
    expect(page.locator(PALETTE)).to_be_hidden()
    expect(page.locator("#act-handover")).to_have_attribute("open", "")
    page.keyboard.press("Escape")

    page.keyboard.press("Control+k")
    page.keyboard.type(str(numbers[0]))
    expect(found.first).to_contain_text(f"№ {numbers[0]}")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/w/t/{numbers[0]}/")


def test_sheet_opens_by_the_key_of_a_russian_layout_and_by_the_menu(page: Page) -> None:
    typed(page, ",", "Slash", shiftKey=True)
    expect(page.locator(SHEET)).to_contain_text("следующая строка")
    findings = Axe().run(page, context=SHEET).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in findings] == []
    typed(page, "о", "KeyJ")  # keys are silent while a dialog is open
    expect(page.locator(SHEET)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(SHEET)).to_be_hidden()

    page.locator(".tools details.menu summary").click()
    page.locator("[data-sheet]").click()
    expect(page.locator(SHEET)).to_be_visible()


def test_switch_turns_single_keys_off_on_every_page_and_on_again(page: Page) -> None:
    page.keyboard.press("?")
    page.locator(f"{SHEET} button", has_text="Выключить").click()
    page.wait_for_load_state()

    typed(page, "о", "KeyJ")
    assert focused(page) == ""
    typed(page, "л", "KeyK", ctrlKey=True)  # those with Ctrl stay
    expect(page.locator(PALETTE)).to_be_visible()

    page.goto("/w/keys/")
    page.locator(".kbs__f button").click()
    expect(page.locator(".kbs__f")).to_contain_text("включены")


def test_sheet_and_palette_are_pages_without_scripts(house: House, numbers: list[int]) -> None:
    page = house.enter(ENGINEER, scripts=False)
    page.goto("/w/keys/")
    expect(page.locator("h1")).to_have_text("Клавиатура")
    page.goto("/w/palette/")

    page.fill("#palette_q", str(numbers[0]))
    page.locator("form.pal button").click()
    page.get_by_role("link", name=re.compile(f"№ {numbers[0]}")).click()

    expect(page.locator(".tk__t")).to_have_text("Вопрос с клавиатуры номер 0")
    page.close()


def test_key_of_a_request_means_the_row_that_one_is_at(house: House) -> None:
    contact = house.enter(CONTACT)
    urgent, other = (
        file_request(contact, f"Строка под клавишей, приоритет {impact}", impact=impact) for impact in ("1", "4")
    )
    contact.close()
    page = house.enter(ENGINEER)
    page.goto("/w/l/1/")
    expect(page.locator(".nx [data-key=T]")).to_be_visible()  # what is most urgent is offered, and is another one
    taken = []
    page.on("request", lambda sent: taken.append(sent.url) if sent.method == "POST" else None)

    page.locator(f"#row-{other} .q__s").focus()
    with page.expect_response(lambda answer: answer.request.method == "POST" and "acceptance" in answer.url):
        typed(page, "е", "KeyT")
    expect(page.locator(".tk .num").first).to_have_text(f"№ {other}")
    expect(page.locator(".stbtn")).to_have_text("В работе")
    assert not [url for url in taken if f"/{urgent}/acceptance/" in url or "/w/take/" in url]

    # Beside an open request, too; and what cannot be done is said with the reason.
    page.locator(f"#row-{urgent} .q__s").focus()
    typed(page, "т", "KeyN")
    expect(page.locator(".tk .num").first).to_have_text(f"№ {urgent}")
    expect(page.locator("#message_body")).to_be_focused()
    page.locator(f"#row-{other} .q__s").focus()
    typed(page, "е", "KeyT")
    expect(page.locator("#hint")).to_contain_text(f"№ {other}: «взять в работу» сейчас нельзя (В работе)")
    expect(page.locator("#said")).to_contain_text("сейчас нельзя")
    page.close()


def test_row_that_comes_late_is_not_taken_for_the_open_one(house: House) -> None:
    """It says what was open when it was asked for: a key that is meant for it acted on the open request instead."""
    contact = house.enter(CONTACT)
    opened, late = (file_request(contact, f"Строка, которая опоздала, {turn}", impact="3") for turn in range(2))
    page = house.enter(ENGINEER)
    page.goto("/w/l/1/")
    held: list[Route] = []
    page.route(f"**/w/t/{late}/row/**", lambda route: held.append(route))
    page.locator(f"#row-{late} .q__s").click()
    expect(page.locator(".tk .num").first).to_have_text(f"№ {late}")
    contact.goto(f"/t/{late}/")
    contact.fill("#message_body, main textarea[name=body]", "Появился ещё один случай.")
    contact.locator("form[data-composer] button.btn--p").click()
    contact.wait_for_load_state()
    contact.close()
    while not held:
        page.wait_for_timeout(100)

    page.locator(f"#row-{opened} .q__s").click()
    expect(page.locator(".tk .num").first).to_have_text(f"№ {opened}")
    for route in held:
        with page.expect_response(f"**/w/t/{late}/row/**"):
            route.continue_()
    page.wait_for_timeout(300)

    assert page.locator(".q.is-open").evaluate_all("rows => rows.map((row) => row.id)") == [f"row-{opened}"]
    page.locator(f"#row-{late} .q__s").focus()
    with page.expect_response(lambda answer: answer.request.method == "POST" and "acceptance" in answer.url) as taken:
        typed(page, "е", "KeyT")
    assert f"/w/t/{late}/acceptance/" in taken.value.url
    page.close()


def test_keys_mean_all_that_are_ticked_and_opening_one_unticks_none(page: Page, numbers: list[int]) -> None:
    typed(page, "о", "KeyJ")
    typed(page, "ч", "KeyX")
    typed(page, "О", "KeyJ", shiftKey=True)
    ticked = page.locator(".q__c:checked").evaluate_all("boxes => boxes.map((box) => box.value)")
    assert len(ticked) == 2

    with page.expect_response(re.compile(r"/w/t/\d+/")):
        page.locator(".q__s").nth(1).click()
    expect(page.locator(".tk")).to_be_visible()
    expect(page.locator("#bulk [data-n]")).to_have_text(re.compile(" 2$"))
    assert page.locator(".q__c:checked").evaluate_all("boxes => boxes.map((box) => box.value)") == ticked

    page.locator(".q__s").first.focus()
    typed(page, "ф", "KeyA")
    page.wait_for_url(re.compile(r"/w/bulk/new/"))
    expect(page.locator(".blist li")).to_have_count(2)


def test_key_of_a_request_says_that_none_is_chosen(page: Page) -> None:
    typed(page, "д", "KeyL")

    expect(page.locator("#hint")).to_have_text("Сначала выберите обращение: J и K ведут по строкам.")
    assert page.url.endswith("/w/l/1/")


def test_palette_acts_on_the_row_and_on_the_frame(page: Page, numbers: list[int]) -> None:
    page.locator(f"#row-{numbers[0]} .q__s").focus()
    page.keyboard.press("Control+k")
    page.keyboard.type("передать")
    expect(page.locator("#palette-found a").first).to_contain_text("Передать")
    page.keyboard.press("Enter")
    expect(page.locator(".tk .num").first).to_have_text(f"№ {numbers[0]}")
    expect(page.locator("#act-handover")).to_have_attribute("open", "")

    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("тёмная")
    expect(page.locator("#palette-found a").first).to_contain_text("Тёмная или светлая тема")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.context.clear_cookies(name="theme")
