"""A customer's account from the letter on: invited, signed in, made safer, looked after (domain §7)."""

import os
import re
import socket
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import House

CONTRACT_ADMIN = "savina@veskora.example"
SECRET = "очень длинный пароль 2026"
PHONE = 390


class PostOffice:
    """An SMTP server that keeps the letters that it took."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, server, session, envelope) -> str:  # aiosmtpd's name
        letter = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(letter, EmailMessage)
        self.letters.append(letter)
        return "250 OK"

    def newest_to(self, address: str, words: str) -> str:
        """The text of the letter to this person that holds the words; it may still be on its way."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for letter in reversed(self.letters):
                part = letter.get_body(("plain",))
                text = part.get_content() if part is not None else ""
                if address in str(letter["To"]) and re.search(words, text, re.M):
                    return text
            time.sleep(0.2)
        raise AssertionError(
            f"no letter to {address} with {words}: {[(it['To'], it['Subject']) for it in self.letters]}"
        )


# Before the house: its processes take the address of the mail server from the environment.
@pytest.fixture(scope="module", autouse=True)
def post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    controller = Controller(office, hostname="127.0.0.1", port=port)
    controller.start()
    said = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port), "EMAIL_USE_TLS": "0"}
    before = {name: os.environ.get(name) for name in said}
    os.environ.update(said)
    try:
        yield office
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        controller.stop()


def a_browser(house: House, *, width: int = PHONE, scripts: bool = True) -> BrowserContext:
    """Another device, on which nobody is signed in."""
    size = {"width": width, "height": 900}
    context = house.browser.new_context(
        base_url=house.address,
        viewport=size,  # type: ignore[arg-type]
        locale="ru-RU",
        java_script_enabled=scripts,
    )
    context.set_default_timeout(20_000)
    return context


def press(page: Page) -> None:
    """The one button of a page of the door."""
    page.click(".door form.frm button.btn--p")


def sign_in(page: Page, email: str, secret: str = SECRET) -> None:
    page.goto("/account/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", secret)
    press(page)


def fits(page: Page) -> bool:
    page.wait_for_load_state()  # without its style sheets a page is as wide as it likes
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def invited(house: House, post_office: PostOffice, email: str, name: str) -> str:
    """The vendor adds somebody to the people of a company; the link of the letter that they get."""
    find = "from contracts.models import Customer; print('PK', Customer.objects.get(name__contains='Ветролог').pk)"
    found = re.search(r"PK (\d+)", house.manage("shell", "-v0", "-c", find))
    assert found is not None
    page = house.enter(CONTRACT_ADMIN)
    page.goto(f"/c/customers/{found[1]}/people/new/")
    page.fill("input[name=full_name]", name)
    page.fill("input[name=email]", email)
    page.fill("input[name=timezone]", "Asia/Yekaterinburg")
    page.select_option("select[name=language]", "ru")
    page.click("main form button.btn--p")
    expect(page.locator("#messages")).to_contain_text(email)
    page.close()
    link = re.search(r"(http\S+/account/password/reset/key/\S+)", post_office.newest_to(email, "password/reset/key"))
    assert link is not None
    return link[1]


@pytest.fixture(scope="module")
def colleague(house: House, post_office: PostOffice) -> str:
    """Somebody who was invited, has chosen a password and is signed in nowhere."""
    email = "zaitseva@vetrolog.example"
    context = a_browser(house)
    page = context.new_page()
    page.goto(invited(house, post_office, email, "Ирина Зайцева"))
    choose_password(page)
    context.close()
    return email


def choose_password(page: Page) -> None:
    page.fill("input[name=password1]", SECRET)
    page.fill("input[name=password2]", SECRET)
    press(page)
    expect(page.locator(".door h1")).to_contain_text("Пароль")


@pytest.mark.parametrize(("width", "scripts"), [(PHONE, True), (1440, False)])
def test_an_invitation_is_accepted_from_the_letter_once(
    house: House, post_office: PostOffice, width: int, scripts: bool
) -> None:
    email = f"novikov{width}@vetrolog.example"
    link = invited(house, post_office, email, "Пётр Новиков")
    context = a_browser(house, width=width, scripts=scripts)
    page = context.new_page()

    page.goto(link)
    assert page.locator("html").get_attribute("lang") == "ru"
    page.fill("input[name=password1]", "123")
    page.fill("input[name=password2]", "123")
    press(page)
    expect(page.locator(".esum")).to_be_visible()
    choose_password(page)
    if scripts:
        assert fits(page)
    page.goto(link)
    expect(page.locator("h1")).to_have_text("Ссылка больше не действует")

    sign_in(page, email)
    page.wait_for_url(f"{house.address}/")
    expect(page.locator("h1")).to_contain_text("Пётр")
    context.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_code_from_a_letter_signs_in(house: House, post_office: PostOffice, colleague: str, scripts: bool) -> None:
    context = a_browser(house, scripts=scripts)
    page = context.new_page()
    page.goto("/account/login/")
    page.click("a[href='/account/login/code/']")
    post_office.letters.clear()
    page.fill("input[name=email]", colleague)
    press(page)
    code = re.search(r"^([A-Z0-9-]{6,9})\r?$", post_office.newest_to(colleague, r"^[A-Z0-9-]{6,9}\r?$"), re.M)
    assert code is not None

    page.fill("input[name=code]", "AAAA-0000")
    press(page)
    expect(page.locator(".esum")).to_be_visible()
    page.fill("input[name=code]", code[1])
    press(page)

    page.wait_for_url(f"{house.address}/")
    expect(page.locator("h1")).to_contain_text("Ирина")
    context.close()


def test_a_session_elsewhere_is_ended_from_the_list(house: House, colleague: str) -> None:
    left, here = a_browser(house, width=1440), a_browser(house)
    forgotten, page = left.new_page(), here.new_page()
    sign_in(forgotten, colleague)
    forgotten.wait_for_url(f"{house.address}/")
    sign_in(page, colleague)
    page.goto("/me/sessions/")
    rows = page.locator("main ul.plain li.row")
    expect(rows.first).to_contain_text("это устройство")
    assert fits(page)
    before = rows.count()

    rows.nth(1).locator("button").click()

    expect(page.locator("#messages")).to_contain_text("Выход на том устройстве выполнен")
    expect(rows).to_have_count(before - 1)
    forgotten.goto("/me/")
    assert "/account/login/" in forgotten.url
    page.goto("/me/")
    expect(page.locator("h1")).to_have_text("Ваши настройки")
    left.close()
    here.close()


@pytest.mark.parametrize("scripts", [True, False])
def test_language_zone_and_theme_are_changed_and_kept(house: House, colleague: str, scripts: bool) -> None:
    context = a_browser(house, scripts=scripts)
    page = context.new_page()
    sign_in(page, colleague)
    page.goto("/me/")
    page.select_option("select[name=language]", "en")
    page.select_option("select[name=timezone]", "Asia/Vladivostok")
    page.select_option("select[name=theme]", "dark")
    page.click("form.me button.btn--p")
    expect(page.locator("#messages")).to_contain_text("Saved.")
    context.close()

    other = a_browser(house, width=1440)
    page = other.new_page()
    sign_in(page, colleague)
    page.wait_for_url(f"{house.address}/")
    html = page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("data-theme")) == ("en", "dark")
    expect(page.locator("time[data-clock='Asia/Vladivostok']")).to_be_visible()
    page.goto("/me/")
    expect(page.locator("select[name=timezone]")).to_have_value("Asia/Vladivostok")
    page.select_option("select[name=language]", "ru")
    page.select_option("select[name=theme]", "auto")
    page.click("form.me button.btn--p")
    expect(page.locator("#messages")).to_contain_text("Сохранили")
    other.close()


def test_a_second_factor_is_set_up_and_asked_for(house: House, colleague: str) -> None:
    context = a_browser(house)
    page = context.new_page()
    sign_in(page, colleague)
    page.goto("/me/")
    page.click("a[href='/account/second-factor/']")
    page.click("a[href='/account/second-factor/totp/activate/']")
    if page.locator("input[name=password]").count():  # asked once more, where the sign-in is not of a moment ago
        page.fill("input[name=password]", SECRET)
        press(page)
    expect(page.locator(".qr")).to_be_visible()
    assert fits(page)
    secret = page.locator("code").inner_text()
    page.fill("input[name=code]", "000000")
    press(page)
    expect(page.locator(".esum")).to_be_visible()
    secret = page.locator("code").inner_text()
    page.fill("input[name=code]", code_of_now(secret))
    press(page)
    page.goto("/account/second-factor/recovery-codes/")
    recovery = page.locator("main code").all_inner_texts()
    assert len(recovery) == 10
    context.close()

    for scripts, said in ((True, None), (False, recovery[0])):
        other = a_browser(house, scripts=scripts)
        page = other.new_page()
        sign_in(page, colleague)
        page.wait_for_url("**/account/second-factor/authenticate/**")
        page.goto("/me/")
        assert "/account/" in page.url  # the password alone opens nothing
        page.goto("/account/second-factor/authenticate/")
        page.fill("input[name=code]", said or code_of_now(secret))
        press(page)
        page.wait_for_url(f"{house.address}/")
        expect(page.locator("h1")).to_contain_text("Ирина")
        other.close()


def code_of_now(secret: str) -> str:
    return f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06d}"
