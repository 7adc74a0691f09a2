"""Before a request is sent and after it is solved: what answers first, the draft, the rating from the letter."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from knowledge import editing
from knowledge.models import Article
from tests.factories import a_customer, a_lead, an_engineer, contact_of, observer_of, open_ticket
from tickets import letter_links, request_draft, workflow
from tickets.models import Rating, RequestDraft, SolvedFirst, Ticket

pytestmark = pytest.mark.django_db


def a_company():
    return a_customer("premium", starts_on=(timezone.now() - timedelta(days=100)).date(), language="en")


def an_article():
    now = timezone.now()
    article = editing.write(
        Article(title="Notices do not arrive", body="Restart the mail service.", language="en"),
        by=(writer := an_engineer()),
        at=now,
    )
    editing.send_to_review(article, by=writer, at=now)
    return editing.publish(article, by=a_lead(), at=now)


@pytest.fixture
def contact(client):
    person = contact_of(a_company())
    client.force_login(person)
    return person


def test_an_article_answers_while_one_types(client, contact):
    article = an_article()

    found = client.get(reverse("portal:look"), {"q": "notices do not arrive"})

    assert f'value="article-{article.pk}"' in found.content.decode()


def test_without_scripts_the_button_shows_the_same_and_keeps_what_was_typed(client, contact):
    article = an_article()

    page = client.post(reverse("portal:new"), {"subject": "Notices do not arrive", "body": "Since nine", "look": "1"})

    shown = page.content.decode()
    assert (page.status_code, Ticket.objects.count()) == (200, 0)
    assert f'value="article-{article.pk}"' in shown
    assert "Since nine" in shown


def test_this_solved_it_is_counted_once_and_sends_nothing(client, contact):
    article = an_article()

    for _click in (1, 2):
        answer = client.post(
            reverse("portal:solved"), {"solved": f"article-{article.pk}", "subject": "Notices do not arrive"}
        )

    assert (answer.status_code, Ticket.objects.count()) == (303, 0)
    assert list(SolvedFirst.objects.values_list("person", "article", "words")) == [
        (contact.pk, article.pk, "Notices do not arrive")
    ]


@pytest.mark.parametrize("value", ["", "article-0", "article-x", "defect-999999", f"article-{'9' * 5000}"])
def test_what_does_not_exist_solved_nothing(client, contact, value):
    assert client.post(reverse("portal:solved"), {"solved": value}).status_code == 404
    assert SolvedFirst.objects.count() == 0


def test_the_draft_of_a_request_comes_back_and_can_be_thrown_away(client, contact):
    client.post(reverse("portal:new_draft"), {"subject": "Pasted 🙂 עברית", "body": "<p class=MsoNormal>x\0</p>"})

    page = client.get(reverse("portal:new")).content.decode()
    assert 'value="Pasted 🙂 עברית"' in page
    assert "&lt;p class=MsoNormal&gt;x&lt;/p&gt;" in page

    client.post(reverse("portal:new_draft"), {"discard": "1"})
    assert RequestDraft.objects.count() == 0


def test_a_sent_request_leaves_no_draft_and_a_late_one_is_not_kept(client, contact):
    sent = {"subject": "No mail", "kind": "incident", "impact": "3", "body": "x", "key": "k" * 32}
    client.post(reverse("portal:new_draft"), sent)

    client.post(reverse("portal:new"), sent)
    client.post(reverse("portal:new_draft"), sent)

    assert (Ticket.objects.count(), RequestDraft.objects.count()) == (1, 0)


def test_a_draft_of_200000_characters_is_kept_as_far_as_the_form_takes_it(client, contact):
    client.post(reverse("portal:new_draft"), {"subject": "Log", "body": "x" * 200_000})

    assert len(request_draft.of(contact)[0]["body"]) == request_draft.AT_MOST


def test_the_second_of_two_windows_is_told_and_overwrites_nothing(client, contact):
    address = reverse("portal:new_draft")
    first = client.post(address, {"subject": "In the first", "base": ""})

    told = client.post(address, {"subject": "In the second", "base": ""})

    assert (told.status_code, told.content.decode()) == (
        409,
        "There is another draft of yours, kept in another window.",
    )
    assert f'data-at="{first["Draft-At"]}"' in client.get(reverse("portal:new")).content.decode()
    assert client.post(address, {"subject": "In the second", "base": first["Draft-At"]}).status_code == 204
    assert request_draft.of(contact)[0] == {"subject": "In the second"}


@pytest.mark.parametrize("base", ["x", "2026-13-45T00:00:00Z", "2026-11-29T00:00:00"])
def test_nonsense_for_the_moment_of_a_draft_overwrites_nothing(client, contact, base):
    client.post(reverse("portal:new_draft"), {"subject": "In the first"})

    assert client.post(reverse("portal:new_draft"), {"subject": "x", "base": base}).status_code == 409


@pytest.mark.parametrize("name", ["portal:new_draft", "portal:solved"])
def test_an_observer_keeps_and_counts_nothing(client, name):
    client.force_login(observer_of(a_company()))

    assert client.post(reverse(name), {"subject": "x"}).status_code == 404


# The rating from the letter


@pytest.fixture
def solved():
    now = timezone.now()
    ticket = open_ticket(customer=a_company(), at=now - timedelta(hours=2))
    return workflow.resolve(ticket, by=an_engineer(), body="Restarted", at=now - timedelta(hours=1))


def test_the_link_of_the_letter_rates_without_a_sign_in_and_only_by_its_button(client, solved):
    address = letter_links.rating_address(solved, contact_of(solved.customer))

    page = client.get(address, {"score": "4"})
    assert (page.status_code, Rating.objects.count()) == (200, 0)
    assert 'value="4" checked' in page.content.decode()

    for _click in (1, 2):
        answer = client.post(address, {"score": "4", "comment": "Good"})

    assert (answer.status_code, Rating.objects.get().score) == (303, 4)
    assert "You rated the work 4 of 5." in client.get(answer["Location"]).content.decode()


def test_a_low_mark_is_told_what_happens(client, solved):
    address = letter_links.rating_address(solved, contact_of(solved.customer))

    page = client.post(address, {"score": "1"}, follow=True).content.decode()

    assert "A manager has your words and will write to you." in page


def test_an_altered_link_is_told_so(client, solved):
    address = letter_links.rating_address(solved, contact_of(solved.customer))

    page = client.post(address[:-3] + "xx/", {"score": "1"})

    assert (page.status_code, Rating.objects.count()) == (404, 0)
    assert "Ссылка неполная" in page.content.decode()


def test_an_expired_link_is_told_so(client, solved, monkeypatch):
    monkeypatch.setattr(letter_links, "RATING", letter_links.RATING._replace(holds_for=timedelta(0)))

    page = client.get(letter_links.rating_address(solved, contact_of(solved.customer)))

    assert page.status_code == 410


def test_a_link_of_who_is_no_contact_is_refused_in_words(client, solved):
    address = letter_links.rating_address(solved, observer_of(solved.customer))

    page = client.post(address, {"score": "5"})

    assert (page.status_code, Rating.objects.count()) == (403, 0)
    assert "responsible contact" in page.content.decode()
