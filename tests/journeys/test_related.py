"""Requests tied together, and a call written down: link, merge, split, time, the customer's card (§6.7)."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, LINES, accept, file_request, open_act, post

ENGINEER = LINES[1]
OBSERVER = "usoltsev@vetrolog.example"


def number_in(address: str) -> int:
    found = re.search(r"/t/(\d+)/", address)
    assert found is not None, address
    return int(found[1])


def reply(contact: Page, number: int, words: str) -> None:
    contact.goto(f"/t/{number}/")
    form = contact.locator("form[action$='/replies/']")
    form.locator("textarea[name=body]").fill(words)
    post(contact, form.locator("button.btn--p"))


def test_duplicate_is_linked_and_merged_and_its_customer_lands_on_the_right_one(house: House) -> None:
    contact, desk = house.enter(CONTACT), house.enter(ENGINEER)
    kept = file_request(contact, "Отчёт по складу открывается пустым", impact="3")
    double = file_request(contact, "Пустой отчёт по складу, второй раз", impact="3")
    reply(contact, double, "Добавлю: пусто только за ноябрь.")

    desk.goto(f"/w/t/{double}/relations/")
    form = desk.locator("form#link")
    form.locator("select[name=kind]").select_option("duplicates")
    form.locator("input[name=to]").fill(f"№ {kept}")
    post(desk, form.locator("button"))
    expect(desk.locator(".relw").first).to_contain_text(f"№ {kept}")
    desk.goto(f"/w/t/{kept}/")
    expect(desk.locator("#relations")).to_contain_text(f"№ {double}")
    contact.goto(f"/t/{kept}/")
    expect(contact.locator("main")).not_to_contain_text(str(double))  # links are the desk's own

    desk.goto(f"/w/t/{double}/relations/")
    desk.locator("form#merge input[name=into]").fill(str(kept))
    desk.locator("form#merge button").click()
    expect(desk.locator("h1")).to_contain_text(f"{double}")
    expect(desk.locator("table.relt tbody tr")).not_to_have_count(0)  # which promise holds, before it is done
    post(desk, desk.locator("form[action$='/merge/'] button.btn--p"))
    assert number_in(desk.url) == kept
    expect(desk.locator(".msgs")).to_contain_text("пусто только за ноябрь")

    desk.goto(f"/w/t/{double}/")
    desk.locator(f"#context a[href='/w/t/{kept}/']").first.click()
    assert number_in(desk.url) == kept
    contact.goto(f"/t/{double}/")
    assert number_in(contact.url) == kept
    expect(contact.locator("main")).to_contain_text("пусто только за ноябрь")
    reply(contact, kept, "Да, это одно и то же.")
    desk.goto(f"/w/t/{kept}/")
    expect(desk.locator(".msgs")).to_contain_text("это одно и то же")


def test_second_question_becomes_a_request_of_its_own_and_time_is_written_down(house: House) -> None:
    contact, desk = house.enter(CONTACT), house.enter(ENGINEER)
    first = file_request(contact, "Не печатается накладная", impact="3")
    reply(contact, first, "И ещё: как выгрузить остатки в таблицу?")

    desk.goto(f"/w/t/{first}/split/")
    desk.locator(".relmsg", has_text="выгрузить остатки").locator("input").check()
    desk.fill("input[name=subject]", "Выгрузка остатков в таблицу")
    desk.select_option("select[name=priority]", "4")
    post(desk, desk.locator("form.relsplit button.btn--p"))
    second = number_in(desk.url)
    assert second != first
    expect(desk.locator(".msgs")).to_contain_text("выгрузить остатки")
    expect(desk.locator("#relations")).to_contain_text(f"№ {first}")
    contact.goto(f"/t/{second}/")
    expect(contact.locator("h1")).to_contain_text("Выгрузка остатков")
    contact.goto(f"/t/{first}/")
    expect(contact.locator("main")).to_contain_text("выгрузить остатки")  # it stays where it was said

    desk.goto(f"/w/t/{second}/relations/")
    form = desk.locator("form#time")
    form.locator("input[name=minutes]").fill("скоро")
    post_wrong(desk, "form#time button")
    expect(desk.locator("form#time .err")).to_be_visible()
    desk.locator("form#time input[name=minutes]").fill("1:30")
    desk.locator("form#time input[name=note]").fill("Собрал выгрузку")
    post(desk, desk.locator("form#time button"))
    expect(desk.locator("#h-time")).to_contain_text(re.compile(r"1.ч.30.мин"))
    desk.goto(f"/w/t/{second}/")
    expect(desk.locator("#relations")).to_contain_text(re.compile(r"1.ч.30.мин"))
    contact.goto(f"/t/{second}/")
    expect(contact.locator("main")).not_to_contain_text("Собрал выгрузку")


def post_wrong(page: Page, button: str) -> None:
    """Sends a form that is refused: the page comes back with what is missing."""
    with page.expect_response(lambda it: it.request.method == "POST" and it.status == 422):
        page.locator(button).click()
    page.wait_for_load_state()


def test_customers_card_is_one_click_from_the_request_and_shows_what_is_alike(house: House) -> None:
    contact, desk = house.enter(CONTACT), house.enter(ENGINEER)
    solved = file_request(contact, "Не приходит письмо с кодом", impact="3")
    accept(desk, solved)
    form = open_act(desk, "resolution")
    form.locator("textarea[name=body]").fill("Добавили адрес отправителя в разрешённые.")
    post(desk, form.locator("button.btn--p"))
    again = file_request(contact, "Опять не приходит письмо с кодом", impact="3")

    desk.goto(f"/w/t/{again}/")
    desk.locator("#context summary", has_text="Как решали похожее").click()
    expect(desk.locator("#similar")).to_contain_text(f"№ {solved}")
    desk.locator("#similar details summary").first.click()
    expect(desk.locator("#similar")).to_contain_text("в разрешённые")

    desk.locator("#context").get_by_role("link", name="Ветролог").click()
    expect(desk.locator("h1")).to_contain_text("Ветролог")
    card = desk.locator("main")
    for words in ("Егор Усольцев", "Опять не приходит письмо с кодом", "Не приходит письмо с кодом"):
        expect(card).to_contain_text(words)


def test_call_of_a_colleague_is_recorded_and_waits_for_the_contact(house: House) -> None:
    desk = house.enter(ENGINEER)
    desk.goto("/w/new/")
    desk.fill("#id_q", "Усольцев")
    desk.locator("main form[role=search] button").click()
    found = desk.locator(".relw li", has_text="Егор Усольцев")
    expect(found).to_contain_text("наблюдатель")
    found.locator("a").first.click()
    expect(desk.locator("#call .flash--warning")).to_contain_text("Не ответственное лицо")
    desk.fill("#call input[name=subject]", "Звонок: не входит бухгалтерия")
    desk.fill("#call textarea[name=body]", "С утра у бухгалтерии не открывается вход.")
    post(desk, desk.locator("#call button.btn--p"))
    desk.wait_for_url(re.compile(r"/w/c/\d+/"))
    expect(desk.locator("#messages")).to_contain_text("ждёт")

    observer = house.enter(OBSERVER)
    observer.goto("/t/")
    expect(observer.locator("main")).not_to_contain_text("не входит бухгалтерия")
    contact = house.enter(CONTACT)
    contact.goto("/")
    waiting = contact.locator(".needc", has_text="не входит бухгалтерия")
    post(contact, waiting.locator("form[action$='/confirmation/'] button"))
    desk.goto("/w/l/1/")
    expect(desk.locator(".rows")).to_contain_text("не входит бухгалтерия")


def test_call_of_the_contact_becomes_a_request_and_a_closed_one_goes_on(house: House) -> None:
    contact, desk = house.enter(CONTACT), house.enter(ENGINEER)
    desk.goto("/w/new/?q=Ветролог")
    desk.locator(".relw li", has_text="ответственное лицо").locator("a").first.click()
    expect(desk.locator("#call .flash--warning")).to_have_count(0)
    desk.fill("#call input[name=subject]", "Звонок: сменить часовой пояс отчётов")
    desk.fill("#call textarea[name=body]", "Отчёты приходят по Москве, нужно по Екатеринбургу.")
    desk.fill("#call input[name=minutes]", "12")
    post(desk, desk.locator("#call button.btn--p"))
    number = number_in(desk.url)
    expect(desk.locator("#relations")).to_contain_text(re.compile(r"12.мин"))

    contact.goto(f"/t/{number}/withdrawal/")
    post(contact, contact.locator("form[action$='/withdrawal/'] button.btn--p"))

    desk.goto(f"/w/t/{number}/relations/")
    desk.locator("a[href*='follows=']").click()
    expect(desk.locator("#call input[name=subject]")).to_have_value("Звонок: сменить часовой пояс отчётов")
    desk.fill("#call textarea[name=body]", "Просят вернуться к вопросу.")
    post(desk, desk.locator("#call button.btn--p"))
    next_one = number_in(desk.url)
    assert next_one != number
    expect(desk.locator("#context")).to_contain_text(f"№ {number}")
    desk.goto(f"/w/t/{number}/")
    expect(desk.locator("#relations")).to_contain_text(f"№ {next_one}")
