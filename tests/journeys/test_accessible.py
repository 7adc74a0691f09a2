"""axe finds nothing, and nothing scrolls sideways: the main pages in both themes, on the desktop and the phone."""

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
        (CONTACT, "/outbox/"),
        (ENGINEER, "/w/"),
        (ENGINEER, "/w/l/1/"),
        (ENGINEER, "/w/t/{number}/"),
        (CSM, "/m/"),
        (CSM, "/m/escalations/"),
        (CSM, "/m/late/"),
        (ENGINEER, "/a/style/"),
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sign_in_has_no_findings(house: House, theme: str) -> None:
    context = house.browser.new_context(base_url=house.address, color_scheme="dark" if theme == "dark" else "light")
    page = context.new_page()
    page.goto("/account/login/")

    found = Axe().run(page)
    context.close()

    assert [(v["id"], [node["html"] for node in v["nodes"]]) for v in found.response["violations"]] == []
