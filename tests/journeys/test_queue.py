"""The engineers' queue as a day goes: filters that add up, views that are shared, many at once (direction §5)."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import WIDTH, House
from tests.journeys.test_main_job import LINES, post

ENGINEER, COLLEAGUE, LEAD = LINES[1], LINES[2], "morozova@veskora.example"
OF_WIND, OF_BANK = 52, 5

MANY = f"""
from django.utils import timezone
from contracts.models import Customer
from tickets import workflow
for name, count, priority in (("Ветролог", {OF_WIND}, 3), ("Северолучье", {OF_BANK}, 2)):
    customer, now = Customer.objects.get(name__contains=name), timezone.now()
    for n in range(count):
        workflow.open_ticket(customer=customer, by=customer.contact_at(now), subject=f"{{name}}: вопрос {{n + 1}}",
            body="Подробности в письме.", at=timezone.now(), priority=priority)
"""
CLOSE_ONE = """
from django.utils import timezone
from tickets import workflow
from tickets.models import Ticket
ticket = Ticket.objects.filter(subject="Северолучье: вопрос 1").get()
workflow.withdraw(ticket, by=ticket.contact, reason="Уже не нужно", at=timezone.now())
print(ticket.number)
"""


@pytest.fixture(scope="module")
def full(house: House) -> House:
    """A first line with more than a page of requests, of two customers."""
    house.manage("shell", "-c", MANY)
    return house


def choose(page: Page, **values: str) -> None:
    """Ticks values in the panel of filters and shows the queue with them."""
    page.locator("#filter").click()
    form = page.locator("form.fpanel")
    for name, value in values.items():
        form.locator(f"input[name={name}][value='{value}']").check()
    with page.expect_navigation():
        form.locator("button[name=apply]").click()


def rows(page: Page) -> Locator:
    return page.locator(".rows .q")


def chips(page: Page) -> Locator:
    return page.locator(".filters > .is-on")


@pytest.mark.parametrize(("width", "scripts"), [(1440, True), (390, True), (1440, False)])
def test_filters_add_up_and_live_in_the_address(full: House, width: int, scripts: bool) -> None:
    page = full.enter(ENGINEER, width=width, scripts=scripts)
    page.goto("/w/l/1/")
    expect(page.locator("nav.lines a")).to_have_count(6)  # all of mine, my own, four lines

    choose(page, priority="2")
    expect(chips(page)).to_have_count(1)
    expect(rows(page)).to_have_count(OF_BANK)
    choose(page, state="new", channel="portal")
    expect(chips(page)).to_have_count(3)
    assert re.search(r"/w/l/1/\?", page.url)
    assert {"state=new", "channel=portal", "priority=2"} <= set(page.url.partition("?")[2].split("&"))
    page.reload()
    expect(chips(page)).to_have_count(3)

    page.locator(".filters > .is-on", has_text="Канал").click()
    expect(chips(page)).to_have_count(2)
    expect(rows(page)).to_have_count(OF_BANK)
    filtered = page.url
    rows(page).first.locator(".q__s").click()
    page.wait_for_url(re.compile(r"/w/t/\d+/\?from="))
    expect(page.locator("#pane")).to_contain_text("Северолучье: вопрос")
    page.go_back()
    page.wait_for_url(filtered)
    expect(chips(page)).to_have_count(2)
    expect(rows(page)).to_have_count(OF_BANK)

    # Another tab keeps what is on.
    page.locator("nav.lines a").nth(3).click()
    page.wait_for_url(re.compile(r"/w/l/2/\?state=new&priority=2"))
    expect(chips(page)).to_have_count(2)
    assert page.evaluate(WIDTH) <= width
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_view_is_saved_shared_and_seen_by_a_colleague(full: House, scripts: bool) -> None:
    name = "Банк, второй приоритет" + ("" if scripts else ", без скриптов")
    page = full.enter(ENGINEER, scripts=scripts)
    page.goto("/w/l/1/?priority=2&state=new")
    page.locator(".filters > a", has_text="Сохранить вид").click()
    page.fill("input[name=name]", name)
    page.select_option("select[name=shared]", "desk")
    page.click("main form.frm button.btn--p")
    page.wait_for_url(re.compile(r"/w/v/[^/]+/$"))
    expect(rows(page)).to_have_count(OF_BANK)
    address = page.url
    page.close()

    colleague = full.enter(COLLEAGUE, scripts=scripts)
    colleague.goto("/w/l/2/")
    if scripts:
        colleague.locator("details.qview > summary").click()
        colleague.locator("details.qview a", has_text=re.compile(rf"^{name}")).first.click()
    else:
        colleague.goto("/w/v/")
        colleague.locator(".vlist a", has_text=re.compile(f"^{name}$")).click()
    colleague.wait_for_url(address)
    expect(chips(colleague)).to_have_count(2)
    expect(rows(colleague)).to_have_count(OF_BANK)
    colleague.goto("/w/v/")
    mine = colleague.locator(".vlist li", has=colleague.locator("b", has_text=re.compile(f"^{name}$")))
    expect(mine).to_contain_text("Анна Гусева")
    expect(mine.locator("a.btn")).to_have_count(0)  # only its owner changes it
    colleague.close()


def test_rows_stand_as_close_as_one_likes_on_this_device(full: House) -> None:
    page = full.enter(ENGINEER)
    heights = {}
    for code in ("dense", "roomy", "usual"):
        page.goto("/w/l/1/?priority=2")
        page.locator("details.qview > summary").click()
        page.locator(f"button[name=density][value={code}]").click()
        expect(page.locator(f".rows--{code}")).to_have_count(1)
        assert page.url.endswith("/w/l/1/?priority=2")
        page.reload()
        heights[code] = rows(page).first.bounding_box()
    tall = [heights[code]["height"] for code in ("dense", "usual", "roomy")]  # type: ignore[index]
    assert tall[0] < tall[1] <= tall[2]
    page.close()


def test_fifty_more_are_added_and_stay_in_the_address(full: House) -> None:
    page = full.enter(ENGINEER)
    page.goto("/w/l/1/")
    expect(rows(page)).to_have_count(50)

    page.locator("#more a").click()
    expect(rows(page)).to_have_count(OF_WIND + OF_BANK)
    expect(page.locator("#more")).to_have_count(0)
    numbers = [row.get_attribute("id") for row in rows(page).all()]
    assert len(set(numbers)) == len(numbers)
    page.wait_for_url(re.compile(r"show=100"))
    page.reload()
    expect(rows(page)).to_have_count(OF_WIND + OF_BANK)

    # A request of the second fifty leads back to all of them, from the first on.
    page.goto("/w/l/1/")
    page.locator("#more a").click()
    page.wait_for_url(re.compile(r"show=100"))
    rows(page).last.locator(".q__s").click()
    page.wait_for_url(re.compile(r"/w/t/\d+/\?from="))
    page.reload()
    expect(rows(page)).to_have_count(OF_WIND + OF_BANK)
    assert "after" not in page.url
    page.close()

    plain = full.enter(ENGINEER, scripts=False)
    plain.goto("/w/l/1/")
    plain.locator("#more a").click()
    expect(rows(plain)).to_have_count(OF_WIND + OF_BANK - 50)
    plain.close()


def begin(page: Page, act: str) -> Locator:
    """Opens the form of an act over everything of the filter."""
    page.locator("#bulk input[name=all]").check()
    page.locator(f"#bulk button[value={act}]").click()
    page.wait_for_url(re.compile(r"/w/bulk/new/"))
    return page.locator("main form.frm")


def finished(page: Page, *, done: int, failed: int) -> None:
    """Waits on the page of a run until the worker has been through."""
    page.wait_for_url(re.compile(r"/w/bulk/\d+/"))
    expect(page.locator("#bulk-run [role=status]")).to_contain_text("Закончено", timeout=60_000)
    expect(page.locator(".bkv dd").nth(0)).to_have_text(str(done))
    expect(page.locator(".bkv dd").nth(1)).to_have_text(str(failed))


def test_whole_filter_is_assigned_with_progress_and_taken_back(full: House) -> None:
    page = full.enter(LEAD)
    page.goto("/w/l/1/?priority=3")
    form = begin(page, "assign")
    form.locator("select[name=to]").select_option(label="Тимур Ермаков")
    form.locator("button.btn--p").click()
    finished(page, done=OF_WIND, failed=0)
    page.goto("/w/l/1/?priority=3&assignee=nobody")
    expect(rows(page)).to_have_count(0)

    page.go_back()
    page.locator("#bulk-run form[action$='/undo/'] button").click()
    page.wait_for_load_state()
    if "/w/bulk/" in page.url:
        expect(page.locator("#bulk-run [role=status]")).to_contain_text("Закончено", timeout=60_000)
    page.goto("/w/l/1/?priority=3&assignee=nobody&show=100")
    expect(rows(page)).to_have_count(OF_WIND)
    page.close()


def test_what_fails_is_named_with_its_rule_and_stops_no_other(full: House) -> None:
    closed = full.manage("shell", "-c", CLOSE_ONE).split()[-1]
    page = full.enter(LEAD)
    page.goto("/w/l/1/?state=all&priority=2")
    expect(rows(page)).to_have_count(OF_BANK)
    for box in page.locator(".q__c").all():
        box.check()
    expect(page.locator("#bulk [data-n]")).to_contain_text(str(OF_BANK))
    page.locator("#bulk button[value=handover]").click()
    form = page.locator("main form.frm")
    form.locator("select[name=to_line]").select_option("2")
    form.locator("textarea[name=known]").fill("Вопросы об одной настройке.")
    form.locator("textarea[name=asked]").fill("Ответьте одним ответом.")
    form.locator("button.btn--p").click()

    finished(page, done=OF_BANK - 1, failed=1)
    expect(page.locator(".bfail li")).to_have_count(1)
    expect(page.locator(".bfail li")).to_contain_text(closed)
    expect(page.locator(".bfail li p")).not_to_be_empty()
    page.close()


def test_ticked_ones_are_done_without_scripts(full: House) -> None:
    page = full.enter(LEAD, scripts=False)
    page.goto("/w/l/1/?priority=3")
    for box in page.locator(".q__c").all()[:2]:
        box.check()
    page.locator("#bulk button[value=priority]").click()
    form = page.locator("main form.frm")
    form.locator("select[name=priority]").select_option("4")
    form.locator("textarea[name=reason]").fill("Вопросы, а не сбои.")
    form.locator("button.btn--p").click()

    page.wait_for_url(re.compile(r"/w/l/1/\?priority=3$|/w/bulk/\d+/$"))
    if "/w/bulk/" in page.url:  # the worker, who looks every few seconds, has taken it up in this very moment
        for _look in range(60):
            if "Закончено" in page.locator("#bulk-run [role=status]").inner_text():
                break
            page.wait_for_timeout(1000)
            page.reload()
        finished(page, done=2, failed=0)
    else:
        expect(page.locator("#messages")).to_contain_text("2")
    page.goto("/w/l/1/?priority=4")
    expect(rows(page)).to_have_count(2)

    page.goto("/w/bulk/")
    page.locator("main a[href*='/w/bulk/']").first.click()
    post(page, page.locator("#bulk-run form[action$='/undo/'] button"))
    page.goto("/w/l/1/?priority=4")
    expect(rows(page)).to_have_count(0)
    page.close()


def test_nothing_of_a_row_shows_over_the_heading_of_its_group(full: House) -> None:
    page = full.enter(ENGINEER)
    page.goto("/w/l/1/")

    over = page.evaluate(
        """() => {
            const box = document.querySelectorAll(".q__c")[3], rows = document.querySelector(".rows");
            const all = [...document.querySelectorAll(".grp")];
            const heading = all.filter((one) => one.compareDocumentPosition(box) & 4).pop();
            rows.scrollTop += box.getBoundingClientRect().top - rows.getBoundingClientRect().top - 6;
            const at = box.getBoundingClientRect();
            return heading.contains(document.elementFromPoint(at.left + at.width / 2, at.top + at.height / 2));
        }"""
    )

    assert over
    page.close()


def test_row_of_a_phone_says_status_target_and_moment(full: House) -> None:
    page = full.enter(ENGINEER, width=390)
    page.goto("/w/l/1/")
    row = rows(page).first

    for part in (".q__st", ".q__by", ".sla"):
        expect(row.locator(part)).to_be_visible()
    assert re.search(r"\d\d:\d\d", row.locator(".q__by").inner_text())
    cut = row.locator(".q__by").evaluate("by => by.scrollWidth > by.clientWidth + 1")
    chip, by = row.locator(".sla").bounding_box(), row.locator(".q__by").bounding_box()
    assert not cut
    assert abs(chip["y"] - by["y"]) < 12  # type: ignore[index]  # one line
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


def test_company_that_nobody_has_and_the_search_among_many(full: House) -> None:
    page = full.enter(ENGINEER)
    page.goto("/w/l/1/")
    page.locator("#filter").click()
    people = page.locator("form.fpanel fieldset", has=page.locator("legend", has_text="Исполнитель"))
    people.locator("[data-narrow]").fill("ЕРМАК")
    expect(people.locator(".ckl:visible")).to_have_text([re.compile("Ермаков")])
    assert page.locator("form.fpanel .fpanel__c").evaluate_all(
        "boxes => boxes.every((box) => box.scrollHeight <= box.clientHeight + 1)"
    )

    page.fill("#company", "Нет такой компании")
    with page.expect_navigation():
        page.locator("form.fpanel button[name=apply]").click()
    expect(page.locator("form.fpanel .err")).to_contain_text("Нет такой компании")
    expect(page.locator("#company")).to_be_in_viewport()
    expect(rows(page)).to_have_count(50)
    page.close()
