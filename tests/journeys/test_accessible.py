"""Every page of the project: axe finds nothing, nothing scrolls sideways, and no link leads to a closed door.

The pages are not listed: each role walks the links from its first page, and one page of every address is looked at. A
new page is found by itself; an address that no link leads to has to stand in `WITHOUT_A_PAGE` with its reason, or in
`BY_HAND`.

Language, width and theme are laid out as an orthogonal array: every page is seen in both languages, both widths and
both themes, and every pair of them comes together on it. `EVERY_LOOK=1` looks at all eight, by all rules.
"""

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve
from playwright.sync_api import BrowserContext, Page

from helpdesk.demo import PASSWORD
from tests.journeys.conftest import WIDTH, House
from tests.journeys.test_main_job import CONTACT, CSM, LINES, file_request
from tests.tickets.test_addresses import declared
from tests.tickets.test_isolation import template_of

ENGINEER, LINE_FOUR, LEAD = LINES[2], LINES[4], "gordeev@veskora.example"
OBSERVER, PARTNER = "fadeeva@vetrolog.example", "partner@ladointegra.example"
SIGNER, ADMIN, MANAGER = "savina@veskora.example", "admin@veskora.example", "larionov@veskora.example"
VISITOR = ""

# Who walks, in this order: a page is looked at as the first one who comes to it, at all pages of the others' own.
WALKERS = (VISITOR, CONTACT, OBSERVER, PARTNER, ENGINEER, LINE_FOUR, LEAD, CSM, MANAGER, SIGNER, ADMIN)
SEEN_BY_EACH = {"", "t/", "t/<int:number>/", "w/", "w/t/<int:number>/", "m/", "c/"}  # one page, other contents

# Pages that no link of somebody's leads to, with what they answer: also those that only say no.
BY_HAND: dict[str, dict[str, int]] = {
    VISITOR: {
        "/account/login/": 200,
        "/account/login/code/": 200,
        "/account/password/reset/": 200,
        "/account/password/reset/done/": 200,
        "/account/password/reset/key/1-1/": 200,
        "/account/password/reset/key/done/": 200,
        "/account/signup/": 200,
        "/account/inactive/": 200,
        "/mail/off/nothing/": 404,
        "/t/rate/nothing/": 404,
        "/t/deadline/nothing/": 404,
    },
    CONTACT: {
        "/account/logout/": 200,
        "/t/?q=печать&priority=2&since=2026-01-01": 200,
        "/t/search/?q=ошибка": 200,
        "/webinars/?when=past": 200,
    },
    ENGINEER: {
        "/a/style/": 200,
        "/w/palette/?q=1": 200,
        "/w/search/?q=ошибка": 200,
        "/c/": 403,  # the page of a closed door
    },
    CSM: {"/m/forecast/": 200, "/m/set-aside/": 200, "/csm/webinars/?when=past": 200},
}

# Addresses of GET without a page of their own, by what they are instead.
WITHOUT_A_PAGE = {
    "files and tables to take away": r".*\.(csv|ics|xlsx)|.*/(document/ru|table|csv)/|.*/files/\{\w+\}/(picture/)?|"
    r".*/recovery-codes/download/",
    "pieces of a page, for htmx and the scripts": r"/w/live/.*|/w/t/\{number\}/(head|row|thread)/|.*/suggest/|"
    r"/t/new/(entitlement|look|promises)/|/w/palette/|/w/t/\{number\}/macros/\{pk\}/|.*/(quote|price|releases|preview)/|/live/",
    "a line of a month, where the walked year has none": r".*/lines/1/",
    "a form that met the end of its session (test_answering)": r"/account/unsent/",
    "for machines": r"/(clockz|healthz|readyz)|/api/.*",
    "forms that are sent, whose address leads back to the page that they stand on": r".*/\{pk\}/(agreement|refusal|"
    r"withdrawal|decision|settlement|confirmation|removal|more)/|/t/\{number\}/\w+/|/t/\{number\}/deadline/\w+/|"
    r"/contract/people/changes/|/report/2026-11/acknowledgement/|/c/contracts/\{pk\}/(signature|successor)/|"
    r"/c/customers/\{pk\}/.*/(release|contact|leaving)/|.*/clauses/\{clause\}/end/|/w/bulk/new/|.*/withdraw/\{pk\}/|"
    r"/csm/webinars/\{pk\}/recording/|/m/t/\{number\}/|/m/escalations/\{pk\}/|/w/v/late/removal/",
    "of the sign-in's library, closed here or asked for in the middle of a sign-in (tests/accounts)": r"/account/("
    r"confirm-email/(1/)?|email/|login/code/confirm/|reauthenticate/|second-factor/(authenticate|reauthenticate|"
    r"recovery-codes|recovery-codes/generate|totp/activate|totp/deactivate)/|password/(change|set)/)",
}


class Links(HTMLParser):
    """The addresses of a page's links within the house."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag == "a" and re.match(r"/(?!/|static/|dj-admin/|api/)", href):
            self.found.append(re.split("[?#]", href)[0])


@pytest.fixture(scope="module")
def lived_in(house: House) -> House:
    """A house in which something has happened: two dozen requests of the demo year, a letter held, a month closed."""
    house.manage("demo", "--tickets=24")
    return house


@pytest.fixture(scope="module")
def filed(lived_in: House) -> int:
    """The later of two open requests of one customer: it can be merged into the other."""
    page = lived_in.enter(CONTACT)
    file_request(page, "Печатная форма счёта теряет подписи", impact="2")
    return file_request(page, "Печатная форма счёта без логотипа", impact="3")


OF_LETTERS = """
from datetime import timedelta
from django.utils.timezone import now
from accounts.models import User
from tickets import letter_links, workflow
from tickets.models import Ticket
lead = User.objects.get(email="{lead}")
contact = User.objects.get(email="{contact}")
asked = Ticket.objects.get(number={number})
clock = asked.commitments.get(kind="resolution", stopped_at=None)
due = clock.calendar.add(clock.due_at, timedelta(hours=9))
proposal = workflow.propose_deadline(asked, due_at=due, reason="Ждём поставщика", by=lead, at=now())
solved = Ticket.objects.filter(customer=asked.customer, state="resolved").exclude(contact=None).first()
if solved is None:
    solved = workflow.resolve(Ticket.objects.filter(customer=asked.customer).exclude(pk=asked.pk).first(), by=lead,
        body="Готово.", at=now())
print(letter_links.deadline_address(proposal.pk, contact) + "?of=letter")
print(letter_links.rating_address(solved, contact) + "?score=4")
"""


@pytest.fixture(scope="module")
def linked(lived_in: House, filed: int) -> dict[str, int]:
    """What the signed links of two letters lead to: a proposed deadline, and a rating."""
    told = lived_in.manage("shell", "-v0", "-c", OF_LETTERS.format(number=filed, lead=LEAD, contact=CONTACT))
    return dict.fromkeys(told.split(), 200)


UNDER_WAY = """
from dataclasses import replace
from datetime import timedelta
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils.timezone import localdate, now
from accounts.models import Absence, User
from contracts.models import ImportRun, PackageTerms
from sla.calendars import as_edit
from sla.models import Calendar
from sla.statements import StatementLine
from tickets import bulk, calendar_changes, terms_preview, workflow
from tickets.models import Ticket
from tickets.queue import Queue
people = ("{admin}", "{signer}", "{engineer}", "{lead}", "{line_four}")
admin, signer, engineer, lead, line_four = (User.objects.get(email=who) for who in people)
working = Calendar.objects.get(code="working-days")
edit = as_edit(working.versions.latest("valid_from"))
off = (localdate() + timedelta(days=30)).isoformat()
edit = replace(edit, holidays=[*edit.holidays, off], valid_from=None)
change = calendar_changes.begin(working, edit, reason="Ещё один выходной", by=admin, at=now())
decision = terms_preview.begin_with(PackageTerms.objects.latest("pk"), reason="Новые условия", by=admin, at=now())
run = bulk.start(by=engineer, at=now(), act="note", said={{"body": "Одна причина."}}, key="walk", numbers=[{number}],
    queue=Queue())
bulk.advance(run, at=now())
hand = Client(headers={{"host": "127.0.0.1"}})
hand.force_login(signer)
rows = SimpleUploadedFile("rows.csv", "company,city\\nООО Ромашка,Тула\\n,Рига".encode())
sent = hand.post("/c/import/", {{"kind": "customers", "encoding": "unicode", "file": rows}})
defect = workflow.attach_defect(Ticket.objects.get(number={number}), by=engineer, at=now(),
    title="Подписи теряются при печати", steps="Открыть счёт и напечатать его.", expected="Две подписи.", actual="Нет.")
away = Absence.objects.create(user=engineer, starts_at=now() - timedelta(hours=1), ends_at=now() + timedelta(days=1))
line = StatementLine.objects.select_related("statement").first()
for who, address in (
    (admin, reverse("calendar_changes:change", args=[change.pk])),
    (admin, reverse("packages:decision", args=[decision.pk])),
    (engineer, reverse("desk:bulk_run", args=[run.pk])),
    (signer, reverse("contracts:import_run", args=[ImportRun.objects.latest("pk").pk])),
    (lead, reverse("desk:shift_away", args=[away.pk])),
    (line_four, reverse("desk:defect_page", args=[defect.pk])),
):
    print(who.email, address)
if line is not None:
    print("{manager}", reverse("manage:statement_line", args=[line.statement.pk, line.position]))
"""


@pytest.fixture(scope="module")
def under_way(lived_in: House, filed: int) -> dict[str, dict[str, int]]:
    """Pages of what lasts for some minutes or days, made by the same verbs and forms: walker → address → answer."""
    people = {"admin": ADMIN, "signer": SIGNER, "engineer": ENGINEER, "lead": LEAD, "manager": MANAGER}
    people["line_four"] = LINE_FOUR
    told = lived_in.manage("shell", "-v0", "-c", UNDER_WAY.format(number=filed, **people))
    pages: dict[str, dict[str, int]] = {}
    for line in told.splitlines():
        who, address = line.split()
        pages.setdefault(who, {})[address] = 200
    return pages


def enter(house: House, who: str, language: str = "ru") -> BrowserContext:
    """A browser of this person; of nobody for VISITOR, who reads the language of the browser."""
    context = house.browser.new_context(base_url=house.address, locale=language)
    context.set_default_timeout(30_000)
    if who != VISITOR:
        page = context.new_page()
        page.goto("/account/login/")
        page.fill("input[name=login]", who)
        page.fill("input[name=password]", PASSWORD)
        page.click("form.frm button.btn--p")
        page.wait_for_url(lambda url: "/account/login/" not in url)
        page.close()
    return context


@pytest.fixture(scope="module")
def walked(
    lived_in: House, filed: int, linked: dict[str, int], under_way: dict[str, dict[str, int]]
) -> dict[str, dict[str, str]]:
    """Of each walker the pages to look at: route → one address of it. Fails where a link leads to a closed door."""
    taken: set[str] = set()
    pages: dict[str, dict[str, str]] = {}
    closed: list[str] = []
    for who in WALKERS:
        context = enter(lived_in, who)
        pages[who] = {}
        gone: set[str] = set()
        by_hand = BY_HAND.get(who, {}) | {VISITOR: linked, ENGINEER: {f"/w/t/{filed}/merge/": 200}}.get(who, {})
        by_hand |= under_way.get(who, {})
        waiting = [("", address) for address in (*by_hand, *(("/", "/me/") if who != VISITOR else ()))]
        while waiting:
            before, address = waiting.pop(0)
            try:
                route = resolve(re.split("[?#]", address)[0]).route
            except Resolver404:
                route = address
            key = address if "?" in address else route
            if key in gone:
                continue
            gone.add(key)
            answer = context.request.get(address)
            landed = urlsplit(answer.url).path
            if landed != unquote(re.split("[?#]", address)[0]):
                waiting += [(before, landed)] if who != VISITOR else []
                continue
            text = answer.text() if answer.headers.get("content-type", "").startswith("text/html") else ""
            if answer.status != by_hand.get(address, 200):
                closed.append(f"{who or 'visitor'}: {before} → {address}: {answer.status}")
            if "<html" not in text:
                continue
            if key not in taken or (route in SEEN_BY_EACH and route == key):
                taken.add(key)
                pages[who][key] = address
            waiting += [(address, link) for link in Links(text).found]
        context.close()
    assert closed == [], "\n".join(closed)
    return pages


def test_every_address_is_walked_or_has_no_page(walked: dict[str, dict[str, str]]) -> None:
    seen = {
        template_of(f"/{route.removeprefix('^').removesuffix('$')}") for pages in walked.values() for route in pages
    }
    asked = {address for address, (method, *_answers) in declared().items() if method == "GET"}
    left = {address for address in asked - seen if not address.startswith("/dj-admin/")}

    unknown = {address for address in left if not any(re.fullmatch(kind, address) for kind in WITHOUT_A_PAGE.values())}

    assert sorted(unknown) == [], "\n".join(sorted(unknown))
    assert len(seen) > 90


# The first look goes through all rules, the others through those that another theme, width or language can break.
LOOKS = {"ru": [(1440, "light"), (390, "dark")], "en": [(390, "light"), (1440, "dark")]}
OF_LOOKS = ["color-contrast", "link-in-text-block", "scrollable-region-focusable"]
OF_WORDS = ["button-name", "html-has-lang", "html-lang-valid", "label", "landmark-unique", "link-name", "valid-lang"]
EVERY_LOOK = bool(os.environ.get("EVERY_LOOK"))
if EVERY_LOOK:
    LOOKS = {language: [*product((1440, 390), ("light", "dark"))] for language in LOOKS}


@pytest.fixture
def speaking(lived_in: House) -> Iterator[object]:
    """Makes everybody read a language; Russian again afterwards, but for those who had another."""
    with psycopg.connect(lived_in.environment["DATABASE_URL"], autocommit=True) as connection:
        before = connection.execute("SELECT id, language FROM accounts_user").fetchall()
        yield lambda language: connection.execute("UPDATE accounts_user SET language = %s", [language])
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE accounts_user SET language = %s WHERE id = %s", [row[::-1] for row in before])


def findings(page: Page, address: str, width: int, theme: str, rules: list[str] | None) -> list[str]:
    """What is wrong with the open page at this width, in this theme; by all rules of axe where `rules` is None."""
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    look = f"{address} {width} {theme}"
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    if page.evaluate("!window.axe"):  # half a megabyte, brought once for a page and not once for a look
        page.evaluate(Axe().axe_script)
    found = page.evaluate("(options) => axe.run(document, options).then((told) => told.violations)", options)
    said = [f"{look}: {one['id']}: {[node['html'][:200] for node in one['nodes'][:3]]}" for one in found]
    for narrow in {width, 320} if width < 1000 else {width}:
        page.set_viewport_size({"width": narrow, "height": 900})
        if (wide := page.evaluate(WIDTH)) > narrow:
            said.append(f"{look}: {wide} px wide at {narrow}")
    return said


@pytest.mark.parametrize("language", LOOKS)
@pytest.mark.parametrize("who", WALKERS, ids=lambda who: who.partition("@")[0] or "visitor")
def test_pages_have_no_findings(
    lived_in: House, walked: dict[str, dict[str, str]], speaking: object, who: str, language: str
) -> None:
    speaking(language)
    context = enter(lived_in, who, language)
    page = context.new_page()
    said = []

    for address in walked[who].values():
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address)
        spoken = page.evaluate("document.documentElement.lang")
        if spoken != language:
            said.append(f"{address} speaks {spoken}, not {language}")
        page.evaluate("document.querySelectorAll('details.why').forEach((one) => { one.open = true })")
        for place, (width, theme) in enumerate(LOOKS[language]):
            rules = OF_LOOKS if place else None if language == "ru" else OF_LOOKS + OF_WORDS
            said += findings(page, address, width, theme, None if EVERY_LOOK else rules)
    context.close()

    assert said == [], "\n".join(said)


@pytest.fixture(scope="module")
def number(house: House) -> int:
    return file_request(house.enter(CONTACT), "Печатная форма счёта теряет подписи", impact="2")


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

    page_width = page.evaluate(WIDTH)
    page.close()

    assert said == []
    assert page_width <= width
