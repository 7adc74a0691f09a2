"""The main job, end to end: filed by a Premium contact, through four lines, restored, resolved and rated.

And the ticket that nobody accepts: the real beat and worker call in the CSM and then top management.
"""

import re
import time

from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import House

CONTACT = "vorontsov@vetrolog.example"
LINES = {
    1: "guseva@veskora.example",
    2: "klimov@veskora.example",
    3: "sorokina@veskora.example",
    4: "tihonov@veskora.example",
}
CSM = "belova@veskora.example"
TOP = "kim@veskora.example"
MINE = "section[aria-labelledby=h-mine]"  # what waits for the reader; the log below shows every rung to everybody


def file_request(page: Page, subject: str, *, impact: str) -> int:
    """Files an incident through the portal's form; the number of its ticket."""
    page.goto("/t/new/")
    page.fill("input[name=subject]", subject)
    page.check(f"input[name=impact][value='{impact}']")
    page.fill("textarea[name=body]", "С девяти утра не открывается ни одна страница, у всех трёхсот сотрудников.")
    page.click("#new button.btn--p")
    page.wait_for_url(re.compile(r"/t/\d+/$"))
    found = re.search(r"/t/(\d+)/$", page.url)
    assert found is not None
    return int(found[1])


def post(page: Page, button: Locator) -> None:
    """Presses a button that posts and waits for the answer to have come in."""
    # The page itself posts too, while somebody looks at it or writes.
    quiet = re.compile(r"/(presence|draft|here)/")
    with page.expect_response(lambda it: it.request.method == "POST" and not quiet.search(it.url)) as answered:
        button.click()
    assert answered.value.status < 400, answered.value.status
    page.wait_for_load_state()
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-settling")).to_have_count(0)


def open_act(page: Page, name: str) -> Locator:
    """Opens the form of a move, behind its button or in the menu of the rest."""
    act = page.locator(f"#act-{name}")
    if act.evaluate("node => node.parentElement.closest('details') !== null"):
        page.locator("#act-rest > summary").click()
    act.locator("summary").first.click()
    return act.locator("form")


def accept(page: Page, number: int) -> None:
    page.goto(f"/w/t/{number}/")
    post(page, page.locator(f"form[action*='/w/t/{number}/acceptance/'] button"))


def hand_over(page: Page, to_line: int, known: str, asked: str) -> None:
    form = open_act(page, "handover")
    form.locator(f"input[name=to_line][value='{to_line}']").check()
    form.locator("textarea[name=known]").fill(known)
    form.locator("textarea[name=asked]").fill(asked)
    post(page, form.locator("button.btn--p"))


def test_a_premium_incident_goes_through_four_lines_and_is_rated(house: House) -> None:
    contact = house.enter(CONTACT)
    contact.goto("/t/new/")
    nothing_works = contact.locator("label.rad", has=contact.locator("input[name=impact][value='1']"))
    # The promised answer and the promised solution, before anything is sent.
    expect(nothing_works.locator(".by")).to_contain_text(
        re.compile(r"ответим.*\d\d:\d\d.*решим.*\d\d:\d\d", re.S | re.I)
    )
    number = file_request(contact, "Система не работает совсем: страница входа не открывается", impact="1")
    expect(contact.locator(".promise h2")).to_contain_text(re.compile(r"\d\d:\d\d"))

    first = house.enter(LINES[1])
    first.goto("/w/l/1/")
    expect(first.locator(".q").first).to_contain_text(str(number))
    accept(first, number)
    first.locator("#composer textarea").fill("Андрей, вижу остановку пула. Смотрим сервер, ответ через 10 минут.")
    post(first, first.locator("#composer button.btn--p"))
    expect(first.locator(".msgs")).to_contain_text("Смотрим сервер")
    hand_over(first, 2, "Пул IIS остановлен, памяти 92 %.", "Найдите причину и верните вход.")

    second = house.enter(LINES[2])
    accept(second, number)
    hand_over(second, 3, "Память съедает пользовательский пакет.", "Проверьте код пакета.")

    third = house.enter(LINES[3])
    accept(third, number)
    form = open_act(third, "defect")
    form.locator("input[name=title]").fill("Кэш схем не освобождается при обновлении пакета")
    form.locator("textarea[name=steps]").fill("Обновить пакет дважды подряд под нагрузкой.")
    form.locator("textarea[name=expected]").fill("Память возвращается.")
    form.locator("textarea[name=actual]").fill("Память растёт до остановки пула.")
    post(third, form.locator("button.btn--p"))
    hand_over(third, 4, "Дефект записан, воспроизводится.", "Подтвердите и дайте обходное решение.")

    fourth = house.enter(LINES[4])
    accept(fourth, number)
    form = open_act(fourth, "restoration")
    form.locator("textarea[name=workaround]").fill("Откатили пакет и перезапустили пул: вход работает.")
    post(fourth, form.locator("button.btn--p"))
    fourth.goto(f"/w/t/{number}/")
    expect(fourth.locator(".tk__top .prio--3")).to_be_visible()
    expect(fourth.locator(".lane--met")).to_have_count(2)  # the reaction, and the resolution of priority 1
    expect(fourth.locator(".lane:not(.lane--met) .sla")).to_have_count(1)  # the new promise of priority 3 runs

    contact.goto(f"/t/{number}/")
    expect(contact.locator(".restored")).to_contain_text("Откатили пакет")

    form = open_act(fourth, "resolution")
    form.locator("textarea[name=body]").fill("Исправление пакета установлено, память стабильна два часа.")
    post(fourth, form.locator("button.btn--p"))

    contact.goto(f"/t/{number}/")
    post(contact, contact.locator("form[action$='/confirmation/'] button"))
    contact.goto(f"/t/{number}/rate/")
    contact.check("input[name=score][value='5']")
    contact.fill("textarea[name=comment]", "Быстро и по делу.")
    post(contact, contact.locator("form[action$='/rating/'] button.btn--p"))
    contact.goto(f"/t/{number}/")
    expect(contact.locator("aside")).to_contain_text("5")


SHORTEN = """
from contracts.models import ContractClause, Customer
contract = Customer.objects.get(name__contains="Северолучье").contracts.get(state="active")
ContractClause.objects.create(contract=contract, starts_at=contract.signed_at, kind="reaction", priority=1, minutes=1,
    text_ru="Реакция на приоритет 1 за одну минуту.", text_en="Reaction to priority 1 within a minute.")
"""


def wait_until_shown(page: Page, address: str, words: str, *, within: float, where: str = "main") -> None:
    """Looks at a page again and again, as a person would, until that part of it shows the words."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        page.goto(address)
        if words in page.locator(where).inner_text():
            return
        page.wait_for_timeout(1500)
    shown = page.locator(where).inner_text()
    raise AssertionError(f"{address} did not show {words!r} within {within} s, but: {shown[:600]!r}")


def test_a_ticket_that_nobody_accepts_climbs_the_ladder_by_beat_and_worker(house: House) -> None:
    house.manage("shell", "-c", SHORTEN)  # the target is shortened in the contract; no clock is faked
    contact = house.enter("melnik@severoluch.example")
    number = file_request(contact, "Ничего не работает: сервер не отвечает филиалам", impact="1")

    csm = house.enter(CSM)
    wait_until_shown(csm, "/m/escalations/", str(number), within=120, where=MINE)
    top = house.enter(TOP)
    wait_until_shown(top, "/m/escalations/", str(number), within=90, where=MINE)
    csm.goto("/m/")
    expect(csm.locator(".bt")).to_contain_text("Ничего не работает")
    wait_until_shown(csm, "/outbox/", str(number), within=40)
    wait_until_shown(top, "/outbox/", str(number), within=40)

    top.goto("/m/escalations/")
    call = top.locator(".call", has_text=str(number)).first
    post(top, call.locator("form[action$='/acknowledgement/'] button"))
    expect(top.locator(".call", has_text=str(number)).first).to_be_visible()
