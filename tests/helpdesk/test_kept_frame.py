"""The frame of the desk is drawn once for what it shows, and nobody gets a piece of another's (templatetags/hot.py)."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from tests.factories import a_customer, an_engineer, open_ticket
from tickets.templatetags import hot

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    hot._tops.clear()


@pytest.fixture
def engineer() -> User:
    return an_engineer(line=1, full_name="Анна Ковалёва")


def desk(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


def frame_of(page: str) -> str:
    """From the tools to the end of the rail."""
    return page[page.index('<div class="tools') : page.index("</nav>", page.index('class="rail"'))]


def test_it_is_the_same_when_it_was_drawn_before(engineer):
    browser, address = desk(engineer), reverse("desk:queue")

    first, second = (frame_of(browser.get(address).content.decode()) for _look in range(2))

    assert len(hot._tops) == 1
    assert TOKEN.sub("", first) == TOKEN.sub("", second)
    assert "\0" not in second
    assert f'name="next" value="{address}"' in second


def test_its_forms_have_the_token_of_their_own_page(engineer):
    one, other = desk(engineer), desk(engineer)
    for browser in (one, other):
        page = browser.get(reverse("desk:queue")).content.decode()
        tokens = set(TOKEN.findall(page))
        assert len(tokens) == 1  # of one page one token

        strict = Client(enforce_csrf_checks=True)
        strict.cookies = browser.cookies
        told = {"theme": "dark", "next": "/w/", "csrfmiddlewaretoken": tokens.pop()}
        assert strict.post(reverse("set_theme"), told).status_code == 302
    assert len(hot._tops) == 1


@pytest.mark.parametrize(
    "change", [{"full_name": "Борис Новый"}, {"language": "en"}, {"single_keys": False}, {"role": "support_manager"}]
)
def test_whatever_it_shows_of_the_person_changes_it(engineer, change):
    browser, address = desk(engineer), reverse("desk:queue")
    before = frame_of(browser.get(address).content.decode())
    User.objects.filter(pk=engineer.pk).update(**change)

    after = frame_of(browser.get(address).content.decode())

    assert TOKEN.sub("", after) != TOKEN.sub("", before)
    if "full_name" in change:
        assert "Анна Ковалёва" not in after
        assert "Борис Новый" in after


def test_counts_and_the_section_are_those_of_the_page(engineer):
    browser = desk(engineer)
    queue, shift = reverse("desk:queue"), reverse("desk:shift")
    assert 'class="rail__n"' not in frame_of(browser.get(queue).content.decode())
    company = a_customer(starts_on=(timezone.now() - timedelta(days=60)).date())
    open_ticket(company, at=timezone.now() - timedelta(days=30))

    late, elsewhere = (frame_of(browser.get(address).content.decode()) for address in (queue, shift))

    assert '<b class="rail__n">1' in late
    assert re.search(rf'href="{queue}" aria-current="page"', late)
    assert re.search(rf'href="{shift}" aria-current="page"', elsewhere)
    assert not re.search(rf'href="{queue}" aria-current="page"', elsewhere)


def test_what_stands_in_the_address_is_escaped(engineer):
    page = (
        desk(engineer).get(reverse("desk:search") + "?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&x='\"").content.decode()
    )

    assert "<script>alert(1)" not in page
    assert 'value="/w/search/?q=' in frame_of(page)


def test_no_more_are_kept_than_it_says(engineer, monkeypatch):
    monkeypatch.setattr(hot, "TOPS_KEPT", 2)
    browser = desk(engineer)
    for address in ("desk:queue", "desk:shift", "desk:defects"):
        browser.get(reverse(address))

    assert len(hot._tops) <= 2
