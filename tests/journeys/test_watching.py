"""The live workspace: what one does, the others see with no reload; and what happens when the wire is gone (issue 5.6).

The streams are those of a real uvicorn, the browsers real ones, and Valkey is really stopped.
"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.helpdesk.test_cache import a_server
from tests.journeys.conftest import House, _free_port, _start, wait_for
from tests.journeys.test_main_job import CONTACT, LINES, file_request

ANNA, PAVEL, LEAD = LINES[1], LINES[2], "gordeev@veskora.example"
STRANGER = "loginov@kedrolesie.example"
SESSIONS = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from accounts.models import User
for email in {emails!r}:
    user = User.objects.get(email=email)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    print("session", email, session.session_key)
"""
SAY = """
from django.utils import timezone
from accounts.models import User
from tickets import workflow
from tickets.models import Ticket
by = User.objects.get(email={by!r})
for number in {numbers!r}:
    ticket = Ticket.objects.get(number=number)
    workflow.{verb}(ticket, by=by, at=timezone.now(), body={body!r})
"""


def say(house: House, numbers: list[int], body: str, *, verb: str = "note", by: str = PAVEL) -> None:
    house.manage("shell", "-v0", "-c", SAY.format(by=by, numbers=numbers, verb=verb, body=body))


def sessions(house: House, emails: list[str]) -> dict[str, str]:
    said = house.manage("shell", "-v0", "-c", SESSIONS.format(emails=emails))
    return dict(line.split()[1:] for line in said.splitlines() if line.startswith("session "))


@dataclass
class Stream:
    """A stream of events as a program reads it."""

    connection: HTTPConnection
    answer: HTTPResponse

    def next(self, event: str, *, within: float = 10) -> tuple[str, Any]:
        """Id and data of the next event of this name. Raises TimeoutError."""
        until = time.monotonic() + within
        found: dict[str, str] = {}
        while time.monotonic() < until:
            line = self.answer.readline().decode().rstrip("\n")
            if not line:
                if found.get("event") == event:
                    return found.get("id", ""), json.loads(found["data"] or "null")
                found = {}
                continue
            name, _colon, value = line.partition(": ")
            found[name] = value
        raise TimeoutError(event)

    def close(self) -> None:
        if self.connection.sock is not None:
            self.connection.sock.close()
        self.answer.close()


def listen(address: str, session: str, last: str = "", *, timeout: float = 10) -> Stream:
    connection = HTTPConnection("127.0.0.1", int(address.rsplit(":", 1)[1]), timeout=timeout)
    headers = {"Cookie": f"sessionid={session}"} | ({"Last-Event-ID": last} if last else {})
    connection.request("GET", "/live/", headers=headers)
    return Stream(connection, connection.getresponse())


@pytest.fixture(scope="module")
def number(house: House) -> int:
    return file_request(house.enter(CONTACT), "Отчёт о продажах считает две недели вместо одной", impact="2")


@pytest.fixture(scope="module")
def known(house: House, number: int) -> dict[str, str]:
    return sessions(house, [ANNA, PAVEL, LEAD, CONTACT, STRANGER])


# The stream


def test_events_that_a_browser_missed_come_after_its_last_id(house: House, number: int, known: dict[str, str]) -> None:
    first = listen(house.address, known[ANNA])
    assert first.answer.headers["Content-Type"] == "text/event-stream"
    first.next("hello")
    say(house, [number], "Первая заметка")
    seen, data = first.next("ticket")
    first.close()
    assert (data["n"], data["line"], data["what"]) == (number, 1, "noted")

    say(house, [number, number], "Пока никто не слушал")
    again = listen(house.address, known[ANNA], last=seen)
    missed = [again.next("ticket")[1]["what"] for _ in range(2)]
    up_to, _nothing = again.next("hello")
    again.close()

    assert missed == ["noted", "noted"]
    assert up_to > seen


def test_id_that_the_wire_has_forgotten_says_to_fetch_anew(house: House, known: dict[str, str]) -> None:
    stream = listen(house.address, known[ANNA], last="1000-0")

    stream.next("reload")
    stream.close()


def test_customer_hears_of_the_own_requests_only_and_never_of_a_note(
    house: House, number: int, known: dict[str, str]
) -> None:
    own, foreign = listen(house.address, known[CONTACT]), listen(house.address, known[STRANGER], timeout=3)
    own.next("hello")
    foreign.next("hello")

    say(house, [number], "Только между нами")
    say(house, [number], "Отвечаем клиенту", verb="reply")

    _id, heard = own.next("ticket")
    own.close()
    assert (heard["n"], heard["what"], sorted(heard)) == (number, "changed", ["message", "n", "what"])
    with pytest.raises(TimeoutError):
        foreign.next("ticket", within=3)
    foreign.close()


def test_nobody_signed_in_hears_nothing(house: House) -> None:
    assert listen(house.address, "nobody").answer.status == 403


def test_fifty_streams_hold_no_connection_to_the_database(house: House, known: dict[str, str]) -> None:
    people = [
        line.split()[1]
        for line in house.manage(
            "shell",
            "-v0",
            "-c",
            "from accounts.models import User\n"
            "for user in User.objects.filter(role__in=['engineer', 'line_lead', 'csm']): print('person', user.email)",
        ).splitlines()
        if line.startswith("person ")
    ]
    open_sessions = sessions(house, people)
    streams = []
    for turn in range(50):
        stream = listen(house.address, open_sessions[people[turn % len(people)]])
        assert stream.answer.status == 200, (turn, len(people))
        stream.next("hello")
        streams.append(stream)

    server = settings.DATABASES["default"]
    reach = {"host": server["HOST"], "port": server["PORT"], "user": server["USER"], "password": server["PASSWORD"]}
    name = house.environment["DATABASE_URL"].split("/")[3].split("?")[0]
    began = time.monotonic()
    connection = HTTPConnection("127.0.0.1", int(house.address.rsplit(":", 1)[1]), timeout=20)
    connection.request("GET", "/w/", headers={"Cookie": f"sessionid={known[ANNA]}"})
    page = connection.getresponse()
    with psycopg.connect(dbname="postgres", **{key: value for key, value in reach.items() if value}) as watching:
        held = watching.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = %s", [name]).fetchone()
    for stream in streams:
        stream.close()

    assert page.status == 200
    assert time.monotonic() - began < 10
    assert held is not None and held[0] <= 8  # web, worker and beat; not one for each stream


def test_ninth_stream_of_a_person_is_refused(house: House) -> None:
    [session] = sessions(house, ["tihonov@veskora.example"]).values()
    streams = [listen(house.address, session) for _ in range(8)]
    for stream in streams:
        stream.next("hello")

    refused = listen(house.address, session)
    for stream in streams:
        stream.close()

    assert refused.answer.status == 429


# Two browsers


@contextmanager
def beside(house: House, number: int, *, at: str = "") -> Iterator[tuple[Page, Page]]:
    """Anna and the lead, each at the same ticket in a browser of their own."""
    anna, lead = house.enter(ANNA), house.enter(LEAD)
    for page in (anna, lead):
        page.goto(f"/w/t/{number}/{at}")
    try:
        yield anna, lead
    finally:
        anna.close()
        lead.close()


def write(page: Page, words: str, *, note: bool = False) -> None:
    page.locator(".rt--int" if note else ".rt--pub").click()
    page.fill("#message_body", words)
    page.click("#composer .btn--p")


def test_answer_of_one_appears_at_the_other_and_leaves_the_draft_alone(house: House, number: int) -> None:
    with beside(house, number) as (anna, lead):
        lead.fill("#message_body", "Мой черновик")
        lead.locator("#message_body").evaluate("field => field.setSelectionRange(2, 5)")

        write(anna, "Нашли причину, готовим исправление")

        expect(lead.locator(".msgs")).to_contain_text("Нашли причину, готовим исправление")
        expect(lead.locator("#message_body")).to_have_value("Мой черновик")
        assert lead.evaluate("document.activeElement.id") == "message_body"
        assert lead.locator("#message_body").evaluate("field => [field.selectionStart, field.selectionEnd]") == [2, 5]
        expect(lead.locator("#said")).to_have_text(re.compile("Новое сообщение: "))
        lead.fill("#message_body", "")


def test_head_context_and_row_follow_what_another_does(house: House, number: int) -> None:
    with beside(house, number, at="?from=l/1/") as (anna, lead):
        expect(lead.locator(".route")).not_to_contain_text("А. Гусева")

        with anna.expect_response(lambda answer: answer.request.method == "POST" and "acceptance" in answer.url):
            anna.locator(f"form[action*='/w/t/{number}/acceptance/'] button").click()

        expect(lead.locator(".route")).to_contain_text("А. Гусева")
        expect(lead.locator(".ctx .kv").nth(1)).to_contain_text("Анна Гусева")
        expect(lead.locator(f"#row-{number} .av").first).to_have_text("АГ")


def test_open_menu_is_not_taken_away(house: House, number: int) -> None:
    with beside(house, number) as (anna, lead):
        lead.locator("#act-handover > summary").click()
        lead.fill("#handover_known", "Знаем, что")

        write(anna, "Ещё одна заметка", note=True)

        expect(lead.locator(".msgs")).to_contain_text("Ещё одна заметка")
        expect(lead.locator("#handover_known")).to_have_value("Знаем, что")
        lead.fill("#handover_known", "")


def test_presence_says_who_looks_and_who_writes_never_oneself(house: House, number: int) -> None:
    with beside(house, number, at="?from=l/1/") as (anna, lead):
        expect(lead.locator("#who")).to_have_text("смотрит Анна")

        anna.locator("#message_body").press_sequentially("Пишу")

        expect(lead.locator("#who")).to_have_text("Анна пишет")
        expect(lead.locator(f"#row-{number} .q__pen")).to_have_text("Анна пишет")
        expect(anna.locator("#who")).not_to_contain_text("Анна")
        expect(anna.locator(f"#row-{number} .q__pen")).to_have_count(0)

        anna.fill("#message_body", "")
        anna.goto("/w/")
        expect(lead.locator("#who")).to_be_hidden()


def test_pill_shows_what_came_below_and_the_text_does_not_jump(house: House, number: int) -> None:
    with beside(house, number) as (anna, lead):
        for turn in range(3):
            write(anna, f"Длинная заметка {turn} " + "и ещё строка\n" * 14, note=True)
            expect(lead.locator(".msgs")).to_contain_text(f"Длинная заметка {turn}")
            expect(anna.locator("#message_body")).to_have_value("")
        lead.locator(".msgs").evaluate("box => { box.scrollTop = 0 }")

        write(anna, "Самое новое", note=True)

        pill = lead.locator("#newer")
        expect(pill).to_have_text("1 новое ↓")
        assert lead.locator(".msgs").evaluate("box => box.scrollTop") == 0
        foot, top = (lead.locator(css).bounding_box() for css in ("#newer", "#composer"))
        assert foot["y"] + foot["height"] <= top["y"]  # type: ignore[index]  # over the messages, not over the composer
        pill.click()
        expect(pill).to_be_hidden()
        expect(lead.locator(".msgs").get_by_text("Самое новое")).to_be_in_viewport()


def test_order_waits_under_the_pointer_and_counters_do_not(house: House) -> None:
    contact, anna = house.enter(CONTACT), house.enter(ANNA)
    file_request(contact, "Обычный вопрос, на который смотрят", impact="3")
    anna.goto("/w/l/1/")
    anna.locator(".rows .q").first.hover()
    before = anna.locator(".rows .q").evaluate_all("rows => rows.map((row) => row.id)")
    count = int(anna.locator(".lines a[aria-current] .cnt").first.inner_text())

    new = file_request(contact, "Пришло, пока указатель над списком", impact="1")

    expect(anna.locator(".lines a[aria-current] .cnt").first).to_have_text(str(count + 1))
    expect(anna.locator("#fresh")).to_contain_text("1 новое")
    assert anna.locator(".rows .q").evaluate_all("rows => rows.map((row) => row.id)") == before
    anna.click("#fresh button")
    expect(anna.locator(f"#row-{new}")).to_be_visible()
    expect(anna.locator("#fresh")).to_be_hidden()

    anna.mouse.move(1200, 600)
    anna.evaluate("document.activeElement.blur()")
    another = file_request(contact, "Пришло, пока никто не смотрит на список", impact="1")
    expect(anna.locator(f"#row-{another}")).to_be_visible()
    contact.close()
    anna.close()


BY_HAND = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from tickets import workflow
from tickets.models import Ticket
now, ticket = timezone.now(), Ticket.objects.get(number={number})
pavel, lead = (User.objects.get(email=email) for email in {people!r})
{act}
"""


def test_list_that_nobody_moves_fills_and_follows_the_time(house: House, number: int) -> None:
    """The first row of an empty list can be ticked; time alone takes a row over to another horizon."""

    def by_hand(act: str) -> None:
        house.manage("shell", "-v0", "-c", BY_HAND.format(number=watched, people=[PAVEL, LEAD], act=act))

    watched = file_request(house.enter(CONTACT), "Срок этого вопроса пройдёт, пока на него смотрят", impact="4")
    pavel = house.enter(PAVEL)
    pavel.goto("/w/my/?priority=4")
    expect(pavel.locator(".empty")).to_be_visible()
    expect(pavel.locator("#bulk")).to_be_hidden()

    by_hand("workflow.assign(ticket, by=lead, to=pavel, at=now)")
    expect(pavel.locator(f"#row-{watched}")).to_be_visible()
    expect(pavel.locator("#bulk")).to_be_visible()

    by_hand("Ticket.objects.filter(pk=ticket.pk).update(due_at=now - timedelta(minutes=1))")
    say(house, [number], "Что-то случилось в другом обращении")
    expect(pavel.locator(".rows .grp--late")).to_be_visible()
    expect(pavel.locator(".rows .grp")).to_have_count(1)
    pavel.close()


def test_ticks_are_counted_anew_once_a_ticked_row_has_left(house: House) -> None:
    contact, anna = house.enter(CONTACT), house.enter(ANNA)
    left, stays = (file_request(contact, f"Отмеченное обращение {turn}", impact="3") for turn in range(2))
    anna.goto("/w/l/1/")
    for number in (left, stays):
        anna.locator(f"#row-{number} .q__c").check()

    act = 'workflow.resolve(ticket, by=lead, at=now, body="Готово")'
    house.manage("shell", "-v0", "-c", BY_HAND.format(number=left, people=[PAVEL, LEAD], act=act))
    anna.click("#fresh button")

    expect(anna.locator(f"#row-{left}")).to_have_count(0)
    expect(anna.locator(f"#row-{stays} .q__c")).to_be_checked()
    expect(anna.locator("#bulk [data-n]")).to_have_text(re.compile(" 1$"))
    contact.close()
    anna.close()


def test_what_to_take_next_is_another_once_somebody_has_taken_it(house: House) -> None:
    file_request(house.enter(CONTACT), "Следующее, если первое возьмут", impact="4")
    anna = house.enter(ANNA)
    anna.goto("/w/l/1/")
    offered = anna.locator(".nx__t a")
    number = int(re.findall(r"/w/t/(\d+)/", str(offered.get_attribute("href")))[0])

    act = f"workflow.accept(Ticket.objects.get(number={number}), by=pavel, at=now)"
    house.manage("shell", "-v0", "-c", BY_HAND.format(number=number, people=[PAVEL, LEAD], act=act))

    expect(offered).not_to_contain_text(f"№ {number} ")
    expect(anna.locator("#messages .flash--error")).to_have_count(0)
    anna.close()


def test_title_tells_more_than_the_counters_count(house: House, number: int) -> None:
    anna = house.enter(ANNA)
    many = '<span class="cnt cnt--late"><span class="sr">просрочено </span>199+</span></a>'

    def counters(route: Any) -> None:
        answer = route.fetch()
        tabs = re.sub(r"(aria-current=.*?)(<span class=.cnt cnt--late.*?)?</a>", rf"\1{many}", answer.text(), count=1)
        route.fulfill(response=answer, body=tabs)

    anna.route("**/w/live/counters/**", counters)
    anna.goto("/w/l/1/")
    for turn in range(2):
        say(house, [number], f"Счётчики спрошены: {turn}")
        expect(anna).to_have_title(re.compile(r"^\(199\+ просрочено\) Очередь"))
    anna.close()


def test_two_tabs_of_a_browser_share_one_stream(house: House, number: int) -> None:
    one, two = house.enter(PAVEL), house.enter(PAVEL)
    asked: list[str] = []
    for page in (one, two):
        page.on("request", lambda request: asked.append(request.url) if "/live/?" in request.url else None)
        page.goto(f"/w/t/{number}/")
    expect(two.locator("#composer")).to_be_visible()

    say(house, [number], "Для обеих вкладок", by=ANNA)

    for page in (one, two):
        expect(page.locator(".msgs")).to_contain_text("Для обеих вкладок")
    assert len([url for url in asked if re.search(r"/live/\?last", url)]) == 1
    one.close()
    two.close()


# The customer's page


def test_customers_page_shows_the_answer_and_leaves_the_words_alone(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    page.goto(f"/t/{number}/")
    page.evaluate("window.same = true")
    page.locator(".promise .why summary").click()
    words = page.locator("#reply textarea")
    words.fill("Пишу и не мешайте")
    words.evaluate("field => { field.setSelectionRange(2, 5); field.scrollIntoView({ block: 'center' }); }")
    place = words.bounding_box()

    say(house, [number], "Перезапустите службу отчётов, пожалуйста.\n\nОстальное сделаем сами.", verb="ask_customer")

    expect(page.locator("[data-part=talk] .msg--us").last).to_contain_text("Перезапустите службу отчётов")
    expect(page.locator(".promise h2")).to_contain_text("ждём")
    expect(page.locator(".ptmeta .status")).to_have_text("Ждём вас")
    expect(page.locator("[data-live]")).to_have_text("Новое сообщение от поддержки")
    expect(words).to_have_value("Пишу и не мешайте")
    assert page.evaluate("document.activeElement.id") == "reply_body"
    assert words.evaluate("field => [field.selectionStart, field.selectionEnd]") == [2, 5]
    now = words.bounding_box()
    assert place is not None and now is not None
    assert abs(now["y"] - place["y"]) <= 1
    assert page.locator(".promise .why").get_attribute("open") is not None
    assert page.evaluate("window.same")
    page.close()


def test_customers_page_asks_by_itself_while_there_is_no_stream(house: House, number: int) -> None:
    page = house.enter(CONTACT)
    page.route("**/live/?*", lambda route: route.fulfill(status=503))
    page.clock.install()
    page.goto(f"/t/{number}/")

    say(house, [number], "Сказано без потока", verb="reply")
    page.clock.run_for(60_000)

    expect(page.locator("[data-part=talk]")).to_contain_text("Сказано без потока")
    page.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_answer_from_a_stale_page_reopens_nothing_before_it_is_read(house: House, scripts: bool) -> None:
    page = house.enter(CONTACT, width=390, scripts=scripts)
    number = file_request(page, f"Отчёт о возвратах пуст, {'со' if scripts else 'без'} скриптами", impact="3")
    page.route("**/live/?*", lambda route: route.abort())
    page.goto(f"/t/{number}/")
    say(house, [number], "Исправили, проверьте.", verb="resolve")
    page.fill("#reply textarea", "Есть новости?")

    with page.expect_response(lambda answer: answer.url.endswith("/replies/")) as answered:
        page.locator("#reply .reply__f > .btn--p").click()

    assert answered.value.status == 409
    expect(page.locator("#reply .esum")).to_contain_text("Исправили, проверьте.")
    expect(page.locator("#reply textarea")).to_have_value("Есть новости?")
    expect(page.locator(".ptmeta .status")).to_contain_text("Решено")
    page.wait_for_load_state()  # without its style sheets a page is as wide as it likes
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator("#reply .esum").get_by_role("button", name="Всё равно отправить").click()
    expect(page.locator(".msg--cust").last).to_contain_text("Есть новости?")
    page.goto(f"/t/{number}/")
    expect(page.locator(".ptmeta .status")).to_have_text("В работе")
    page.close()


# Without the wire


@pytest.fixture
def apart(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Any]]:
    """The same house served with a Valkey of its own, which can be stopped."""
    place = tmp_path_factory.mktemp("v")
    port = _free_port()
    with ExitStack() as stack:
        process = stack.enter_context(a_server(place / "s"))
        environment = {
            **house.environment,
            "REDIS_URL": f"unix://{place / 's'}?db=0",
            "SITE_URL": f"http://127.0.0.1:{port}",
        }
        web = _start(stack, place, environment, "uvicorn", "helpdesk.asgi:application", "--port", str(port))
        wait_for(port, web, Path(place / "uvicorn-helpdesk.asgi:application.log"))
        other = replace(house, address=f"http://127.0.0.1:{port}", environment=environment, contexts={})
        yield other, process
        for context in other.contexts.values():
            context.close()


def test_without_valkey_pages_work_and_ask_by_themselves(apart: tuple[House, Any], number: int) -> None:
    house, valkey = apart
    anna, lead = house.enter(ANNA), house.enter(LEAD)
    lead.goto(f"/w/t/{number}/")
    anna.goto(f"/w/t/{number}/")
    expect(lead.locator("#who")).to_have_text("смотрит Анна")

    valkey.kill()
    valkey.wait()
    write(anna, "Без провода тоже доходит", note=True)

    expect(anna.locator(".msgs")).to_contain_text("Без провода тоже доходит")
    expect(lead.locator(".msgs")).to_contain_text("Без провода тоже доходит", timeout=45_000)
    assert lead.locator("body.is-offline").count() == 0


def test_lost_link_is_said_and_comes_back(house: House, number: int) -> None:
    lead = house.enter(LEAD)
    lead.goto(f"/w/t/{number}/?from=l/1/")
    strip = lead.locator("#offline")

    lead.context.set_offline(True)
    expect(strip).to_contain_text(re.compile(r"Нет связи, показаны данные на \d\d:\d\d"))
    shown = lead.locator(".sla[data-left] use").evaluate_all("uses => uses.map((use) => use.getAttribute('href'))")
    spoken = lead.locator(".sla[data-left] .sr").all_text_contents()
    lead.context.set_offline(False)

    assert set(shown) == {"#cloud-off"}  # of the page itself: nothing has to be fetched
    assert all(re.search(r": нет связи, данные на \d\d:\d\d$", words) for words in spoken), spoken
    expect(strip).to_be_hidden()
    icons = lead.locator(".sla[data-left] use").first
    expect(icons).to_have_attribute("href", re.compile(r"icons.*\.svg#"))

    # An answer replaces what was said before it; the strip of the next loss is still there.
    write(lead, "Связь вернулась", note=True)
    expect(lead.locator(".msgs")).to_contain_text("Связь вернулась")
    lead.context.set_offline(True)
    expect(strip).to_be_visible()
    lead.context.set_offline(False)
    expect(strip).to_be_hidden()
    lead.close()


def test_what_was_done_lies_over_the_page_and_leaves(house: House, number: int) -> None:
    lead = house.enter(LEAD)
    errors: list[str] = []
    lead.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    lead.goto(f"/w/t/{number}/")  # the list of the lead's own lines need not hold its row
    lead.locator(".q").evaluate_all("rows => rows.forEach((row) => row.remove())")
    before = lead.locator("#pane").bounding_box()

    write(lead, "Сказано поверх страницы", note=True)
    told = lead.locator("#messages .flash--success")
    expect(told).to_be_visible()
    assert lead.locator("#pane").bounding_box() == before
    button = lead.locator("#composer .btn--p").first.bounding_box()
    strip = told.bounding_box()
    assert strip["y"] >= button["y"] + button["height"] or strip["x"] + strip["width"] <= button["x"]  # type: ignore[index]
    told.hover()
    lead.wait_for_timeout(7_000)
    expect(told).to_be_visible()  # while one points at it
    lead.mouse.move(900, 300)
    expect(told).to_be_hidden()

    write(lead, "Закрыто рукой", note=True)
    lead.locator("#messages [data-close]").click()
    expect(lead.locator("#messages .flash")).to_be_hidden()
    assert not [text for text in errors if "oob" in text]
    lead.close()


def test_phone_opens_a_request_at_what_was_said_last(house: House, number: int) -> None:
    phone = house.enter(PAVEL, width=390)
    say(house, [number], "Последнее слово", by=LEAD)

    phone.goto(f"/w/t/{number}/")
    expect(phone.locator(".msgs").get_by_text("Последнее слово")).to_be_in_viewport()

    phone.goto(f"/w/t/{number}/#ticket-subject")
    expect(phone.locator("#ticket-subject")).to_be_in_viewport()
    phone.close()


def test_streams_end_when_the_server_is_asked_to_stop(
    house: House, known: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    port, place = _free_port(), tmp_path_factory.mktemp("w")
    with ExitStack() as stack:
        web = _start(stack, place, house.environment, "uvicorn", "helpdesk.asgi:application", "--port", str(port))
        wait_for(port, web, place / "uvicorn-helpdesk.asgi:application.log")
        stream = listen(f"http://127.0.0.1:{port}", known[ANNA])
        stream.next("hello")

        began = time.monotonic()
        web.terminate()
        web.wait(timeout=8)
        stream.close()

    assert time.monotonic() - began < 4
