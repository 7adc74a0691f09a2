"""axe finds nothing, and nothing scrolls sideways: the main pages in both themes, on the desktop and the phone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, CSM, LINES, file_request

ENGINEER = LINES[2]


@pytest.fixture(scope="module")
def number(house: House) -> int:
    return file_request(house.enter(CONTACT), "Печатная форма счёта теряет подписи", impact="2")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize(
    ("who", "address"),
    [
        (CONTACT, "/"),
        (CONTACT, "/t/new/"),
        (CONTACT, "/t/{number}/"),
        (CONTACT, "/t/{number}/escalate/"),
        (CONTACT, "/t/"),
        (CONTACT, "/t/?q=печать&priority=2&since=2026-01-01"),
        (CONTACT, "/me/mail/"),
        (CONTACT, "/mail/off/nothing/"),
        (CONTACT, "/outbox/"),
        (ENGINEER, "/w/"),
        (ENGINEER, "/w/l/1/"),
        (ENGINEER, "/w/t/{number}/"),
        (ENGINEER, "/w/t/{number}/macros/"),
        (ENGINEER, "/w/macros/"),
        (ENGINEER, "/w/macros/new/"),
        (ENGINEER, "/w/keys/"),
        (ENGINEER, "/w/palette/?q=1"),
        (CSM, "/m/"),
        (CSM, "/m/escalations/"),
        (CSM, "/m/forecast/"),
        (CSM, "/m/set-aside/"),
        (CSM, "/m/late/"),
        (ENGINEER, "/a/style/"),
        (ENGINEER, "/w/search/?q=ошибка"),
        (CONTACT, "/t/search/?q=ошибка"),
        (CONTACT, "/kb/"),
        (ENGINEER, "/w/kb/"),
        (ENGINEER, "/w/kb/new/"),
    ],
)
def test_page_has_no_findings(house: House, number: int, who: str, address: str, width: int, theme: str) -> None:
    page = house.enter(who, width=width, theme=theme)
    page.goto(address.format(number=number))

    found = Axe().run(page)
    page_width = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in found.response["violations"]] == []
    assert page_width <= width


SIGNER, ADMIN, MANAGER = "savina@veskora.example", "admin@veskora.example", "larionov@veskora.example"


@pytest.fixture(scope="module")
def of_a_contract(house: House) -> dict[str, str]:
    """The keys of one contract and its customer, read from the pages as a person would."""
    page = house.enter(SIGNER)
    found = {}
    for key, address in (("contract", "/c/contracts/"), ("customer", "/c/customers/")):
        page.goto(address)
        links = page.locator("main a").evaluate_all("links => links.map(link => new URL(link.href).pathname)")
        found[key] = next(link.split("/")[3] for link in links if re.fullmatch(rf"{address}\d+/", link))
    page.close()
    return found


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize(
    ("who", "address"),
    [
        (SIGNER, "/c/"),
        (SIGNER, "/c/contracts/"),
        (SIGNER, "/c/contracts/new/?customer={customer}"),
        (SIGNER, "/c/contracts/{contract}/"),
        (SIGNER, "/c/contracts/{contract}/end/"),
        (SIGNER, "/c/contracts/{contract}/clauses/"),
        (SIGNER, "/c/customers/"),
        (SIGNER, "/c/customers/{customer}/"),
        (SIGNER, "/c/customers/{customer}/licences/new/"),
        (SIGNER, "/c/customers/{customer}/people/new/"),
        (SIGNER, "/c/renewals/"),
        (SIGNER, "/c/renewals/calendar/"),
        (SIGNER, "/c/gaps/"),
        (SIGNER, "/c/changes/"),
        (SIGNER, "/c/held/"),
        (SIGNER, "/c/import/"),
        (SIGNER, "/a/packages/"),
        (SIGNER, "/a/packages/premium/"),
        (CONTACT, "/contract/"),
        (CONTACT, "/contract/renewals/"),
        (CONTACT, "/contract/people/"),
        (CONTACT, "/report/"),
        (ADMIN, "/a/calendars/"),
        (ADMIN, "/a/calendars/working-days/"),
        (ADMIN, "/a/sla/"),
        (ADMIN, "/a/ladder/"),
        (ADMIN, "/a/absences/"),
        (MANAGER, "/m/statements/"),
    ],
)
def test_page_of_contracts_has_no_findings(
    house: House, of_a_contract: dict[str, str], who: str, address: str, width: int, theme: str
) -> None:
    page = house.enter(who, width=width, theme=theme)
    answer = page.goto(address.format(**of_a_contract))

    found = Axe().run(page)
    page_width = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert answer is not None and answer.status == 200
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in found.response["violations"]] == []
    assert page_width <= width


LINE_FOUR = LINES[4]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
@pytest.mark.parametrize(
    ("who", "address"),
    [
        (LINE_FOUR, "/w/major/"),
        (LINE_FOUR, "/w/major/1/"),
        (LINE_FOUR, "/w/defects/"),
        (LINE_FOUR, "/w/releases/"),
        (LINE_FOUR, "/w/releases/1/"),
        (LINE_FOUR, "/w/releases/3/"),
        (LINE_FOUR, "/w/releases/new/"),
        (LINE_FOUR, "/w/t/{number}/defects/"),
        (CONTACT, "/releases/"),
        (CONTACT, "/releases/1/"),
    ],
)
def test_page_of_line_four_has_no_findings(
    house: House, number: int, who: str, address: str, width: int, theme: str
) -> None:
    page = house.enter(who, width=width, theme=theme)
    answer = page.goto(address.format(number=number))
    page.evaluate("document.querySelectorAll('details.why').forEach((one) => { one.open = true })")

    found = Axe().run(page)
    page_width = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert answer is not None and answer.status == 200
    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in found.response["violations"]] == []
    assert page_width <= width


HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>' + "Ж" * 140
VERY_LONG = f"{HOSTILE} javascript:alert(3) https://example.com/{'a' * 2000} {'W' * 3000}"


@pytest.fixture(scope="module")
def hostile(house: House) -> int:
    """A request of code and of words that no line can hold, told to everybody that pages tell of."""
    contact, engineer = house.enter(CONTACT), house.enter(ENGINEER)
    made = file_request(contact, HOSTILE, impact="2")
    for page, address, field in (
        (engineer, f"/w/t/{made}/", "#message_body"),
        (contact, f"/t/{made}/", "#reply_body"),
        (contact, f"/t/{made}/escalate/", "#escalate_reason"),
    ):
        page.goto(address)
        if field == "#escalate_reason":
            page.locator("input[name=why]").first.check()
            page.locator("input[name=whom]").first.check()
        page.locator(field).fill(VERY_LONG)
        with page.expect_response(lambda answer: answer.request.method == "POST"):
            page.locator(f"form:has({field}) button.btn--p").first.click()
        page.wait_for_load_state()
    engineer.close()
    contact.close()
    return made


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize(
    ("who", "address"),
    [
        (CONTACT, "/"),
        (CONTACT, "/t/"),
        (CONTACT, "/t/{number}/"),
        (CONTACT, "/t/{number}/escalate/"),
        (CONTACT, "/t/{number}/withdrawal/"),
        (ENGINEER, "/w/"),
        (ENGINEER, "/w/t/{number}/"),
        (ENGINEER, "/w/t/{number}/macros/"),
        (ENGINEER, "/w/macros/"),
        (ENGINEER, "/w/macros/new/"),
        (CSM, "/m/"),
        (CSM, "/m/escalations/"),
    ],
)
def test_code_and_endless_words_are_shown_as_text_that_wraps(
    house: House, hostile: int, who: str, address: str, width: int
) -> None:
    page = house.enter(who, width=width)
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    page.goto(address.format(number=hostile))
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")

    page_width = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert said == []
    assert page_width <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sign_in_has_no_findings(house: House, theme: str) -> None:
    context = house.browser.new_context(base_url=house.address, color_scheme="dark" if theme == "dark" else "light")
    page = context.new_page()
    page.goto("/account/login/")

    found = Axe().run(page)
    context.close()

    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in found.response["violations"]] == []
