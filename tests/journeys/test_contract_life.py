"""A contract's life in a browser: draft, quote, refused with three reasons, corrected, signed, PDF, added, renewed."""

import io
import re
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from django.utils import timezone, translation
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from contracts import pricing
from contracts.money import euro
from contracts.signing import moscow_day
from tests.journeys.conftest import House

SIGNER = "savina@veskora.example"
OVER = (date(2021, 1, 1), date(2021, 12, 31))


def set_term(page: Page, starts_on: date, ends_on: date) -> None:
    page.fill("input[name=starts_on]", starts_on.isoformat())
    page.fill("input[name=ends_on]", ends_on.isoformat())
    page.locator("input[name=ends_on]").dispatch_event("change")


def send(page: Page) -> None:
    """Sends the form of the page; the answer is the next page."""
    with page.expect_navigation():
        page.locator("main form[method=post] button.btn--p").first.click()


def a_customer_with_a_licence(page: Page, name: str) -> str:
    """Written down through the pages; the address of the customer. Nobody speaks for it, the version is not known."""
    page.goto("/c/customers/new/")
    page.fill("input[name=name]", name)
    page.fill("input[name=timezone]", "Europe/Moscow")
    page.select_option("select[name=language]", "ru")
    send(page)
    address = re.sub(r"[?#].*", "", page.url)
    add_licence(page, address, "38400,00", date(2020, 1, 1))
    return address


def add_licence(page: Page, customer: str, cost: str, starts_on: date, *, release: bool = False) -> None:
    page.goto(f"{customer}licences/new/")
    page.select_option("select[name=product]", index=1)
    page.check("input[name=deployment][value=on-site]")
    page.fill("input[name=cost]", cost)
    page.fill("input[name=seats]", "10")
    page.fill("input[name=starts_on]", starts_on.isoformat())
    page.wait_for_load_state("networkidle")
    if release:
        page.select_option("select[name=release]", index=1)
    with page.expect_navigation():
        page.locator("#licence button.btn--p").click()


def ask_for_prices(page: Page, customer: str, scripts: bool) -> None:
    """The form of a draft, with a quote that follows the days."""
    page.goto(f"/c/contracts/new/?customer={customer.rstrip('/').rsplit('/', 1)[1]}")
    if scripts:
        set_term(page, OVER[0], OVER[1] - timedelta(days=1))
        expect(page.locator("#id_ends_on_error")).to_contain_text("364")
        set_term(page, *OVER)
        expect(page.locator("#quote .offer")).to_have_count(3)
        expect(page.locator("#id_ends_on_error .err")).to_have_count(0)
    else:
        page.fill("input[name=starts_on]", OVER[0].isoformat())
        page.fill("input[name=ends_on]", OVER[1].isoformat())
        with page.expect_navigation():
            page.click("button[name=recalculate]")


def correct_person_and_release(page: Page, contract: str, customer: str, scripts: bool) -> None:
    """Two of what the signature missed, each where its condition points to."""
    page.goto(contract)
    with page.expect_navigation():
        page.locator(".conds a[href$='#people']").click()
    page.goto(f"{customer}people/new/")
    page.fill("input[name=full_name]", "Вера Ладожская")
    page.fill("input[name=email]", f"ladozhskaya{int(scripts)}@example.com")
    page.fill("input[name=timezone]", "Europe/Moscow")
    page.select_option("select[name=language]", "ru")
    page.check("input[name=as_contact]")
    send(page)
    page.goto(f"{customer}#licences")
    page.locator("#licences details summary").first.click()
    page.locator("#licences details select[name=release]").first.select_option(index=1)
    with page.expect_navigation():
        page.locator("#licences details form button").first.click()


def change_term(page: Page, contract: str, starts_on: date, ends_on: date, scripts: bool) -> None:
    """The third: other days, written one after the other."""
    page.goto(f"{contract}term/")
    page.fill("input[name=starts_on]", starts_on.isoformat())
    if scripts:  # for a moment the last day is before the first: no price, but the package stays chosen
        page.locator("input[name=starts_on]").dispatch_event("change")
        expect(page.locator("#quote .offer")).to_have_count(0)
    page.fill("input[name=ends_on]", ends_on.isoformat())
    if scripts:
        page.locator("input[name=ends_on]").dispatch_event("change")
        expect(page.locator("input[type=radio][value=premium]")).to_be_checked()
    with page.expect_navigation():
        page.locator("form.termf button.btn--p").last.click()
    expect(page).to_have_url(contract)
    expect(page.locator(".conds")).to_have_count(1)


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_the_draft_to_the_renewal_offer(house: House, scripts: bool) -> None:
    today = moscow_day(timezone.now())
    page = house.enter(SIGNER, scripts=scripts)
    customer = a_customer_with_a_licence(page, f"ООО «Ладога {'с' if scripts else 'без'} JavaScript»")

    ask_for_prices(page, customer, scripts)
    premium = page.locator(".offer", has=page.locator("input[value=premium]"))
    expect(premium).to_contain_text(_money("10000.00"))
    expect(premium).to_contain_text(_money("9600.00"))
    page.check("input[name=package][value=premium]")
    send(page)
    contract = page.url
    number = page.locator("h1").inner_text()

    # Refused with all three reasons; nothing is signed.
    sign(page, scripts)
    expect(page.locator(".esum li")).to_have_count(3)
    for section in ("1.7.1", "1.7.4", "§2"):
        expect(page.locator(".esum")).to_contain_text(section)

    correct_person_and_release(page, contract, customer, scripts)
    starts_on = today - timedelta(days=300)
    ends_on = pricing.anniversary(starts_on, 1) - timedelta(days=1)
    change_term(page, contract, starts_on, ends_on, scripts)
    expect(page.locator(".conds__no")).to_have_count(0)

    # Signed, once; the button is gone.
    sign(page, scripts)
    expect(page.locator("form[action$='/signature/']")).to_have_count(0)
    expect(page.locator(".conds__t", has_text="§1.7.1")).to_have_count(0)

    # The document says the number and the total.
    for language, total in (("ru", _money("10000.00")), ("en", "€10,000.00")):
        answer = page.request.get(f"{contract}document/{language}/")
        text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.body())).pages)
        assert answer.headers["content-type"] == "application/pdf"
        assert number in text
        assert " ".join(total.split()) in " ".join(text.split())

    # A licence bought now joins by itself with its part of the days left.
    add_licence(page, customer, "10000,00", today, release=True)
    page.goto(contract)
    year, left = (ends_on - starts_on).days + 1, (ends_on - today).days + 1
    part = (Decimal("2500.00") * left / year).quantize(Decimal("0.01"), ROUND_HALF_UP)
    expect(page.locator("main")).to_contain_text(f"{left}/{year} × {_money('2500.00')} = {_money(str(part))}")

    # 65 days ahead the job has offered the renewal: it stands on the page, and its draft waits on the first one.
    house.manage("shell", "-v0", "-c", "from contracts.tasks import offer_renewals; offer_renewals()")
    page.goto(contract)
    with page.expect_navigation():
        page.locator("section[aria-labelledby=offers] a").first.click()
    assert page.url != contract
    expect(page.locator("main")).to_contain_text(_money("12100.00"))
    page.goto("/c/")
    expect(page.locator("main")).to_contain_text(number)


def sign(page: Page, scripts: bool) -> None:
    """Presses “Sign”; with scripts the dialog asks once more."""
    with page.expect_navigation():
        page.locator("form[action$='/signature/'] button").click()
        if scripts:
            page.locator("#confirm [value=yes]").click()


def _money(amount: str) -> str:
    with translation.override("ru"):
        return euro(Decimal(amount))
