"""The page budget of direction §14, measured where it counts: a first visit of a real browser with an empty cache."""

import gzip
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import find
from playwright.sync_api import Page, Request, Response, Route

from helpdesk import bundles
from tests.journeys.conftest import House
from tests.journeys.test_main_job import CONTACT, LINES, file_request

MANAGER, CONTRACT_ADMIN = "larionov@veskora.example", "savina@veskora.example"
KB = 1024
LATE = 400  # milliseconds
LAYOUT_SHIFT = """
window.shifted = 0;
new PerformanceObserver((seen) => {
  for (const entry of seen.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({type: "layout-shift", buffered: true});
"""


@dataclass(frozen=True)
class Budget:
    """What a first visit may cost: requests, bytes of everything, bytes of our own scripts (gzip)."""

    requests: int
    bytes: int
    scripts: int
    shift: float = 0.02


WORKSPACE = Budget(9, 130 * KB, 15 * KB)
PORTAL = Budget(7, 90 * KB, 10 * KB)


@dataclass
class Visit:
    """What a browser asked for on a first visit: address and gzipped bytes; how far the page jumped."""

    cost: dict[str, int] = field(default_factory=dict)
    shift: float = 0.0

    @property
    def scripts(self) -> int:
        """Our own: what is joined with htmx counts without it."""
        return sum(_own_script(path) for path in self.cost if path.endswith(".js"))

    def over(self, budget: Budget) -> list[str]:
        """Each broken limit in words, with what it was spent on."""
        spent = {
            "requests": (len(self.cost), budget.requests),
            "bytes": (sum(self.cost.values()), budget.bytes),
            "bytes of scripts": (self.scripts, budget.scripts),
            "layout shift": (self.shift, budget.shift),
        }
        return [f"{name}: {is_:.3f} > {may:.3f}, {self.cost}" for name, (is_, may) in spent.items() if is_ > may]


def _own_script(path: str) -> int:
    name = path.rpartition("/static/")[2]
    sources = bundles.sources(name) if name in bundles.BUNDLES else [Path(str(find(name)))]
    own = [bundles.shortened(source) for source in sources if not source.name.endswith(".min.js")]
    return len(gzip.compress("\n".join(own).encode()))


def first_visit(house: House, email: str, address: str) -> Visit:
    """The page as a new browser gets it while nothing happens: where news come in between, it is looked at anew."""
    for _try in range(5):
        visit = _visit(house, email, address)
        if not any("/w/live/" in path for path in visit.cost):
            break
    return visit


def _visit(house: House, email: str, address: str) -> Visit:
    """Opens the page as this person in a browser that has never been here but for the session's cookie."""
    signed_in = house.enter(email)
    context = house.browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=house.address, storage_state=signed_in.context.storage_state()
    )
    signed_in.close()
    try:
        page = context.new_page()
        page.add_init_script(LAYOUT_SHIFT)
        page.route(re.compile(r"\.(woff2|js)(\?|$)"), _late)
        return _measured(page, address)
    finally:
        context.close()


def _late(route: Route) -> None:
    """Fonts and scripts come after the first picture of the page, as on a slow line: it must not jump for them."""
    route.request.frame.page.wait_for_timeout(LATE)
    route.continue_()


def _measured(page: Page, address: str) -> Visit:
    visit = Visit()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(address, wait_until="load")
    page.evaluate("document.fonts.ready.then(() => true)")
    page.wait_for_timeout(1500)  # what scripts ask for after the page stands
    for request in asked:
        visit.cost[request.url] = _bytes(request)
    icon = page.locator("link[rel=icon]").get_attribute("href") or "/favicon.ico"
    if not icon.startswith("data:"):  # a browser with a window asks for it; the one without does not
        answer = page.request.get(icon)
        visit.cost.setdefault(answer.url, len(gzip.compress(answer.body())))
    visit.shift = page.evaluate("window.shifted")
    return visit


def _bytes(request: Request) -> int:
    """Gzipped, as WhiteNoise and the proxy send it; a font is packed already, a stream has no end to weigh."""
    if request.url.endswith("/live/") or request.resource_type == "eventsource":
        return 0
    response: Response | None = request.response()
    assert response is not None, request.url
    if response.status == 304:  # asked again, for news: it is here
        return 0
    body = response.body()
    return len(body) if request.url.endswith(".woff2") else len(gzip.compress(body))


@pytest.fixture(scope="module")
def number(house: House) -> int:
    """A request to look at."""
    return file_request(house.enter(CONTACT), "Не открывается отчёт по продажам", impact="2")


@pytest.mark.parametrize(
    ("email", "address"), [(LINES[1], "/w/"), (LINES[1], "/w/t/{number}/"), (MANAGER, "/m/"), (CONTRACT_ADMIN, "/c/")]
)
def test_first_visit_of_the_workspace_is_within_the_budget(house: House, number: int, email: str, address: str) -> None:
    visit = first_visit(house, email, address.format(number=number))

    assert visit.over(WORKSPACE) == []


@pytest.mark.parametrize("address", ["/", "/t/", "/t/{number}/", "/t/new/", "/t/search/", "/contract/", "/kb/"])
def test_first_visit_of_the_portal_is_within_the_budget(house: House, number: int, address: str) -> None:
    visit = first_visit(house, CONTACT, address.format(number=number))

    assert visit.over(PORTAL) == []
