"""What the customer sees and decides: the first page, what is not in the package, the deadline, the escalation,
the solution, the rating, the contract, the month, who speaks, a release.

On a phone, once with scripts and once without: two companies do the same. Each page must fit the phone as it comes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, expect

from sla.words import MOSCOW
from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, CSM, LINES, MINE, accept, file_request, open_act, post

PHONE = 390
LEAD = "gordeev@veskora.example"
SIGNER = "savina@veskora.example"


@dataclass(frozen=True)
class Hand:
    """A contact, where and how they read."""

    email: str
    zone: ZoneInfo
    scripts: bool


HANDS = [
    pytest.param(Hand(CONTACT, ZoneInfo("Asia/Yekaterinburg"), True), id="with scripts"),
    pytest.param(Hand("melnik@severoluch.example", ZoneInfo("Europe/Moscow"), False), id="without scripts"),
]


@pytest.fixture
def page(house: House, hand: Hand) -> Iterator[Page]:
    page = house.enter(hand.email, width=PHONE, scripts=hand.scripts)
    yield page
    page.close()


def fits(page: Page) -> None:
    page.wait_for_load_state()  # without its style sheets a page is as wide as it likes
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE, page.url


def go(page: Page, address: str) -> None:
    page.goto(address)
    fits(page)


def send(page: Page, button: Locator) -> None:
    """Presses a button whose form is taken."""
    post(page, button)
    fits(page)


def refused(page: Page, button: Locator, words: str) -> None:
    """Presses a button whose form comes back with a sentence."""
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        button.click()
    assert answered.value.status == 422
    expect(page.locator(".err").first).to_contain_text(words)
    fits(page)


def folded(page: Page, action: str) -> Locator:
    """The form behind a summary, opened; one that came back with an error is open already."""
    form = page.locator(f"form[action$='{action}']")
    if not form.is_visible():
        page.locator("details", has=form).last.locator("summary").click()
    expect(form).to_be_visible()
    return form


# The first page, and a request outside the package (domain §3.5)


@pytest.mark.parametrize("hand", HANDS)
def test_our_question_stands_first_until_it_is_answered(house: House, hand: Hand, page: Page) -> None:
    number = file_request(page, "Не сходятся суммы в счёте", impact="3")
    desk = house.enter(LINES[1])
    accept(desk, number)
    desk.locator("#message_body").fill("Пришлите, пожалуйста, номер счёта.")
    with desk.expect_response(lambda it: it.request.method == "POST" and "/messages/" in it.url):
        desk.locator("#message_body").press("Control+Shift+Enter")  # send and wait
    desk.close()

    go(page, "/")
    question = page.locator("section[aria-labelledby=need-head] .needc", has_text=str(number))
    place, below = question.bounding_box(), page.locator("#open-head").bounding_box()
    assert place is not None and below is not None and place["y"] < below["y"]
    question.click()
    page.wait_for_url(re.compile(f"/t/{number}/"))
    expect(page.locator(".promise")).to_contain_text("ждём")
    page.fill("#reply textarea", "Счёт № 118 от пятницы.")
    send(page, page.locator("#reply .reply__f > .btn--p"))
    go(page, "/")
    expect(page.locator(".needc", has_text=str(number))).to_have_count(0)
    expect(page.locator(".pt", has_text=str(number)).first).to_contain_text(re.compile("Решим до"))


@pytest.mark.parametrize(
    ("who", "scripts"), [("loginov@kedrolesie.example", True), ("zimin@granitovets.example", False)]
)
def test_what_is_outside_the_package_is_said_and_goes_on_as_a_question(house: House, who: str, scripts: bool) -> None:
    page = house.enter(who, width=PHONE, scripts=scripts)
    go(page, "/t/new/")
    page.fill("input[name=subject]", "Настройте маршрутизатор в филиале")
    page.select_option("select[name=topic]", "network_os")
    if scripts:
        expect(page.locator("#entitlement")).to_contain_text("без обещанного срока")
    page.check("input[name=kind][value=consultation]")
    page.fill("textarea[name=body]", "Филиал не видит сервер.")
    with page.expect_response(lambda it: it.request.method == "POST" and it.url.endswith("/t/new/")) as answered:
        page.locator("#new > .row .btn--p").click()
    assert answered.value.status == 409
    expect(page.locator("[role=alert]").first).to_contain_text("§")
    expect(page.locator("textarea[name=body]")).to_have_value("Филиал не видит сервер.")
    fits(page)
    send(page, page.locator("button[name=hold]"))
    expect(page.locator("#messages")).to_contain_text("аписа")
    page.close()


# The deadline (domain §4.2)

WORKING_DAYS = """
from datetime import timedelta
from tickets.models import Ticket
clock = Ticket.objects.get(number={number}).commitments.get(kind="resolution", stopped_at=None)
day = clock.due_at
for turn in range(3):
    day = clock.calendar.next_opening(day + timedelta(days=2))
    print(day.isoformat())
"""


def afternoons(house: House, number: int) -> list[datetime]:
    """Two o'clock in Moscow on three working days after the deadline of now."""
    told = house.manage("shell", "-v0", "-c", WORKING_DAYS.format(number=number))
    days = [datetime.fromisoformat(line).astimezone(MOSCOW) for line in told.split()]
    return [day.replace(hour=14, minute=0, second=0, microsecond=0) for day in days]


def typed(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}"


def propose_for_us(lead: Page, number: int, moment: datetime) -> None:
    lead.goto(f"/w/t/{number}/")
    form = open_act(lead, "deadline")
    form.locator("input[name=due_at]").fill(typed(moment, MOSCOW))
    form.locator("textarea[name=reason]").fill("Поставщик отвечает к этому дню.")
    post(lead, form.locator("button.btn--p"))


@pytest.mark.parametrize("hand", HANDS)
def test_a_deadline_is_proposed_refused_and_agreed_from_both_sides(house: House, hand: Hand, page: Page) -> None:
    number = file_request(page, "Поменяйте подпись в письме", impact="4")
    first, second, third = afternoons(house, number)
    address = f"/t/{number}/"
    go(page, address)

    form = folded(page, "/deadline/")
    form.locator("textarea[name=reason]").fill("Раньше проверить некому.")
    refused(page, form.locator("button"), "Выберите день и час")
    form = folded(page, "/deadline/")
    expect(form.locator("textarea[name=reason]")).to_have_value("Раньше проверить некому.")
    form.locator("input[name=due_at]").fill(typed(first, hand.zone))
    send(page, form.locator("button"))
    expect(page.locator("#deadline")).to_contain_text("Предложение передано поддержке")

    lead = house.enter(LEAD)
    lead.goto(f"/w/t/{number}/")
    post(lead, lead.locator("#deadline form[action*='/deadline/acceptance/'] button"))
    go(page, address)
    expect(page.locator(".promise")).to_contain_text(f"{first.astimezone(hand.zone):%H:%M}")
    expect(page.locator("section[aria-labelledby=agreed-head] li")).to_have_count(1)

    propose_for_us(lead, number, second)
    go(page, address)
    form = folded(page, "/deadline/refusal/")
    refused(page, form.locator("button"), "Напишите, почему нет")
    form = folded(page, "/deadline/refusal/")
    form.locator("textarea[name=words]").fill("К этому дню уже отчёт.")
    send(page, form.locator("button"))
    expect(page.locator("main")).to_contain_text("К этому дню уже отчёт.")
    expect(page.locator("section[aria-labelledby=agreed-head] li")).to_have_count(1)

    propose_for_us(lead, number, third)
    go(page, address)
    send(page, page.locator("#deadline form[action$='/deadline/acceptance/'] button"))
    expect(page.locator("section[aria-labelledby=agreed-head] li")).to_have_count(2)
    expect(page.locator("#deadline")).to_have_count(0)
    lead.close()


# The escalation (domain §4.4) and the priority


@pytest.mark.parametrize("hand", HANDS)
def test_the_management_is_called_in_and_its_answer_is_read(house: House, hand: Hand, page: Page) -> None:
    number = file_request(page, "Третий день без ответа по сути", impact="3")
    go(page, f"/t/{number}/")
    form = folded(page, "/priority/")
    form.locator("input[name=priority][value='2']").check()
    form.locator("textarea[name=reason]").fill("Стоит целый отдел.")
    send(page, form.locator("button"))
    expect(page.locator(".ptmeta")).to_contain_text("риоритет 2")

    page.locator("a[href$='/escalate/']").click()
    form = page.locator("form[action$='/escalations/']")
    form.locator("textarea[name=reason]").fill("Отвечают не на то, о чём спросили.")
    refused(page, form.locator("button"), "Выберите")
    expect(form.locator("textarea[name=reason]")).to_have_value("Отвечают не на то, о чём спросили.")
    form.locator("input[name=why]").first.check()
    form.locator("input[name=whom][value=csm]").check()
    send(page, form.locator("button"))
    expect(page.locator("#messages")).to_contain_text("Вам ответят до")
    expect(page.locator("aside")).to_contain_text("Отвечают не на то, о чём спросили.")

    csm = house.enter(CSM)
    csm.goto("/m/escalations/")
    call = csm.locator(f"{MINE} .call", has_text=str(number))
    call.locator("summary").click()
    call.locator("textarea[name=answer]").fill("Передала ведущему инженеру, позвоню сегодня.")
    post(csm, call.locator("form[action$='/answer/'] button"))
    csm.close()
    go(page, f"/t/{number}/")
    expect(page.locator("aside")).to_contain_text("Передала ведущему инженеру, позвоню сегодня.")


# The solution, the rating and what comes after


def solve(desk: Page, number: int, words: str) -> None:
    desk.goto(f"/w/t/{number}/")
    form = open_act(desk, "resolution")
    form.locator("textarea[name=body]").fill(words)
    post(desk, form.locator("button.btn--p"))


@pytest.mark.parametrize("hand", HANDS)
def test_what_is_not_solved_is_said_and_what_is_solved_is_rated(house: House, hand: Hand, page: Page) -> None:
    number = file_request(page, "Звонки не соединяются ни у кого", impact="1")
    address = f"/t/{number}/"
    desk = house.enter(LINES[1])
    accept(desk, number)
    form = open_act(desk, "restoration")
    form.locator("textarea[name=workaround]").fill("Звоните через запасной узел.")
    post(desk, form.locator("button.btn--p"))

    go(page, address)
    expect(page.locator(".restored")).to_contain_text("Звоните через запасной узел.")
    form = folded(page, "/contest/")
    refused(page, form.locator("button"), "Напишите")
    form = folded(page, "/contest/")
    form.locator("textarea[name=reason]").fill("Запасной узел тоже молчит.")
    send(page, form.locator("button"))
    expect(page.locator(".restored")).to_have_count(0)
    expect(page.locator(".ptmeta")).to_contain_text("риоритет 1")

    solve(desk, number, "Заменили плату узла.")
    go(page, address)
    form = folded(page, "/reopening/")
    form.locator("textarea[name=reason]").fill("Соединяется, но рвётся через минуту.")
    send(page, form.locator("button"))
    expect(page.locator("section[aria-labelledby=talk-head]")).to_contain_text("рвётся через минуту")

    solve(desk, number, "Обновили и прошивку узла.")
    desk.close()
    go(page, address)
    send(page, page.locator("form[action$='/confirmation/'] button"))

    page.wait_for_url(re.compile("/rate/$"))  # a rating is asked for at once
    page.check("input[name=score][value='2']")
    page.fill("textarea[name=comment]", "Чинили трижды.")
    send(page, page.locator("form[action$='/rating/'] button.btn--p"))
    expect(page.locator("#messages")).to_contain_text("Ваши слова получил менеджер")
    go(page, f"{address}rate/")
    expect(page.locator("main")).to_contain_text("Оценку можно изменить до")
    page.check("input[name=score][value='4']")
    send(page, page.locator("form[action$='/rating/'] button.btn--p"))
    go(page, address)
    expect(page.locator("aside")).to_contain_text("4 из 5")

    page.fill("#reply textarea", "Снова рвётся, с утра.")
    page.locator("#reply .reply__f > .btn--p").click()
    page.wait_for_url(lambda url: re.search(r"/t/\d+/$", url) is not None and address not in url)
    fits(page)
    expect(page.locator("section[aria-labelledby=talk-head]")).to_contain_text("Снова рвётся, с утра.")
    page.locator(".ptmeta a", has_text=str(number)).click()  # and back to the closed one, which leads here again
    page.wait_for_url(re.compile(f"{address}$"))
    expect(page.locator(".ptmeta")).to_contain_text("Продолжено в")
    expect(page.locator("#reply textarea")).to_have_value("")


# The contract (domain §1)


@pytest.mark.parametrize("hand", HANDS)
def test_the_contract_says_what_is_included_and_what_one_more_licence_costs(hand: Hand, page: Page) -> None:
    go(page, "/contract/")
    expect(page.locator("section[aria-labelledby=included]")).to_contain_text("Управление приоритетами: входит")
    form = page.locator("#calculator form")
    form.locator("select[name=product]").select_option(index=1)
    form.locator("input[name=cost]").fill("10000,00")
    form.locator("button").click()
    page.wait_for_url(re.compile("cost=10000"))
    expect(page.locator("#calculator [role=status]")).to_contain_text("2 500,00")  # a quarter of the cost a year
    fits(page)
    with page.expect_download() as taken:
        page.locator("a[href*='/document/']").first.click()
    assert taken.value.path().read_bytes()[:5] == b"%PDF-"


# The month (domain §4.6)

A_LATE_MONTH = """
from datetime import timedelta
from accounts.models import User
from sla.statements import MonthlyStatement
from tickets import months, workflow
customer = User.objects.get(email="{contact}").membership.customer
month = months.before(MonthlyStatement.objects.filter(customer=customer).earliest("month").month)
since, until = months.bounds(month)
at = since + timedelta(days=12, hours=10)
ticket = workflow.open_ticket(customer=customer, by=customer.contact_at(at), subject="Карточка пуста", body="Пусто.",
    priority=1, kind="incident", at=at)
engineer = User.objects.get(email="{engineer}")
ticket = workflow.accept(ticket, by=engineer, at=at + timedelta(days=5))
workflow.resolve(ticket, by=engineer, body="Готово.", at=at + timedelta(days=5, hours=1))
print(customer.name)
print(months.close_month(customer, month, at=months.closing(month)).slug)
"""


@pytest.mark.parametrize("hand", HANDS)
def test_a_line_of_the_month_is_disputed_answered_and_the_month_acknowledged(
    house: House, hand: Hand, page: Page
) -> None:
    script = A_LATE_MONTH.format(contact=hand.email, engineer=LINES[1])
    company, slug = house.manage("shell", "-v0", "-c", script).splitlines()
    month = f"/report/{slug}/"
    go(page, "/report/")
    go(page, month)
    page.locator(f"a[href^='{month}lines/']").first.click()
    page.wait_for_url(re.compile("/lines/"))
    form = page.locator("main form.frm")
    refused(page, form.locator("button"), "Напишите")
    form.locator("textarea[name=words]").fill("Нам позвонили в тот же день.")
    send(page, form.locator("button"))
    go(page, month)
    expect(page.locator("section[aria-labelledby=h-ack]")).to_contain_text("ждёт нашего ответа")
    expect(page.locator("form[action$='/acknowledgement/']")).to_have_count(0)

    csm = house.enter(CSM)
    csm.goto("/m/statements/?show=disputed")
    csm.locator(".stmt a[href^='/m/statements/']", has_text=company).first.click()
    form = csm.locator("form[action*='/answers/']")
    form.locator("textarea").fill("Звонок записан.")
    post(csm, form.locator("button"))
    csm.close()

    go(page, month)
    expect(page.locator("section[aria-labelledby=h-ack]")).to_contain_text("Звонок записан.")
    send(page, page.locator("form[action$='/acknowledgement/'] button"))
    expect(page.locator("section[aria-labelledby=h-ack]")).to_contain_text("Отчёт принят")
    with page.expect_download() as taken:
        page.locator("a[href*='/document/']").first.click()
    assert taken.value.path().read_bytes()[:5] == b"%PDF-"


# Releases


@pytest.mark.parametrize("hand", HANDS)
def test_a_release_is_downloaded_with_its_documentation(hand: Hand, page: Page) -> None:
    go(page, "/releases/")
    if hand.scripts:  # without them the menu stands at its beginning
        where = page.locator(".pnav [aria-current]").bounding_box()
        assert where is not None and where["x"] + where["width"] <= PHONE
    page.locator("a.pt__t").first.click()
    page.wait_for_url(re.compile(r"/releases/\d+/$"))
    fits(page)
    files = page.locator(".l4files a")
    expect(files).to_have_count(2)
    for file in files.all():
        with page.expect_download() as taken:
            file.click()
        assert taken.value.path().stat().st_size > 0


# Who speaks for the company (domain §2)

SUCCESSIONS = [
    pytest.param("gavrilova@zaboron.example", "bychkov@zaboron.example", "Олег Бычков", True, id="with scripts"),
    pytest.param("rudenko@farmasvod.example", "akimova@farmasvod.example", "Полина Акимова", False, id="without"),
]


@pytest.mark.parametrize(("contact", "successor", "name", "scripts"), SUCCESSIONS)
def test_the_contact_hands_over_and_reads_from_then_on(
    house: House, contact: str, successor: str, name: str, scripts: bool
) -> None:
    leaving = house.enter(contact, width=PHONE, scripts=scripts)
    number = file_request(leaving, "Открыто до смены", impact="4")
    go(leaving, "/contract/")
    leaving.locator("nav.sub a[href='/people/'], nav.sub a[href*='people']").first.click()
    form = leaving.locator("form:has(select[name=user])")
    refused(leaving, form.locator("button.btn--p"), "Выберите, кто")
    form.locator("select[name=user]").select_option(label=name)
    form.locator("[name=reason]").fill("Перехожу в другой отдел")
    send(leaving, form.locator("button.btn--p"))
    expect(leaving.locator("main")).to_contain_text("Перехожу в другой отдел")

    signer = house.enter(SIGNER)
    signer.goto("/c/changes/")
    asked = signer.locator("section[aria-labelledby=h-waiting] .call", has_text=name)
    post(signer, asked.locator("form[action$='/agreement/'] button").first)
    signer.close()

    follows = house.enter(successor, width=PHONE, scripts=scripts)
    go(follows, f"/t/{number}/")
    follows.fill("#reply textarea", "Теперь отвечаю я.")
    follows.locator("#reply .reply__f > .btn--p").click()
    expect(follows.locator("section[aria-labelledby=talk-head]")).to_contain_text("Теперь отвечаю я.")
    go(leaving, f"/t/{number}/")
    expect(leaving.locator("#reply")).to_have_count(0)
    expect(leaving.locator("section[aria-labelledby=talk-head]")).to_contain_text("Теперь отвечаю я.")
    follows.close()
    leaving.close()
