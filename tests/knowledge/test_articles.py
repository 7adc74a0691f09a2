"""The life of an article and who reads it (domain §6, §7)."""

import pytest
from django.urls import reverse

from accounts.refusals import Forbidden
from knowledge import editing, search
from knowledge.markdown import to_html
from knowledge.models import Article
from tests.factories import UserFactory, a_customer, an_engineer, contact_of, open_ticket
from tests.moments import tuesday
from tickets import workflow
from tickets.article_draft import draft_of

pytestmark = pytest.mark.django_db


def an_article(*, published=True, **fields):
    writer = an_engineer()
    article = Article(**{"title": "Нет писем с утра", "body": "Проверьте **службу** почты.", **fields})
    article = editing.write(article, by=writer, at=tuesday(10))
    if published:
        article = editing.send_to_review(article, by=writer, at=tuesday(11))
        article = editing.publish(article, by=an_engineer(), at=tuesday(12))
    return article


def test_article_is_published_by_somebody_else_only():
    article = an_article(published=False)
    editing.send_to_review(article, by=article.author, at=tuesday(11))

    with pytest.raises(editing.NotPublished):
        editing.publish(article, by=article.author, at=tuesday(12))

    assert editing.publish(article, by=an_engineer(), at=tuesday(12)).published.number == 1


def test_published_text_stays_until_another_is_published():
    article = editing.revise(an_article(), by=an_engineer(), at=tuesday(13))
    article.title = "Другой заголовок"
    article = editing.rewrite(article, by=an_engineer(), at=tuesday(14))

    assert article.published.title == "Нет писем с утра"
    assert search.find("письмо", an_engineer())[0] == [article]


def test_customer_writes_nothing():
    with pytest.raises(Forbidden):
        editing.write(Article(title="T", body="B"), by=contact_of(a_customer()), at=tuesday(10))


@pytest.mark.parametrize("who", ["customer", "partner"])
def test_internal_draft_and_archived_articles_are_missing_for_others(client, who):
    person = contact_of(a_customer()) if who == "customer" else UserFactory(partner=True)
    hidden = [an_article(audience="internal"), an_article(published=False)]
    hidden.append(editing.archive(an_article(), by=an_engineer(), at=tuesday(13)))
    client.force_login(person)

    assert [client.get(reverse("kb:article", args=[one.slug])).status_code for one in hidden] == [404, 404, 404]
    assert search.find("письмо", person)[0] == []
    assert client.get(reverse("kb_desk:articles")).status_code == 403


@pytest.mark.parametrize("after", ["nonsense", "2026-11-24T10:00:00_7", "2026-11-24T10:00:00+03:00_x", "_", "\0"])
def test_broken_link_shows_the_first_page_and_says_so(client, after):
    article = an_article()
    writer = article.author
    writer.language = "en"
    writer.save()
    client.force_login(writer)

    page = client.get(reverse("kb_desk:articles"), {"after": after}).content.decode()

    assert article.title in page
    assert "The link does not say where the list goes on: this is its first page." in page


def test_list_goes_on_from_a_place_and_says_nothing(client):
    article = an_article()
    client.force_login(article.author)

    page = client.get(reverse("kb_desk:articles"), {"after": "2026-01-01T10:00:00+03:00_7"})

    assert (list(page.context["articles"]), page.context["from_start"]) == ([], False)


def test_person_counts_once(client):
    article = an_article()
    client.force_login(contact_of(a_customer()))

    for said in ("yes", "no", "no"):
        client.post(reverse("kb:vote", args=[article.slug]), {"helped": said})

    assert list(article.votes.values_list("helped", flat=True)) == [False]


def test_html_of_an_article_is_harmless():
    html = to_html("# H <script>alert(1)</script> [x](javascript:alert(1)) ![i](https://example.com/i.png)")

    assert "<script" not in html and "javascript:" not in html.replace("(javascript:", "") and "<img" not in html


def test_articles_for_an_answer_are_those_that_the_customer_may_read(client):
    public, internal = an_article(), an_article(audience="internal")
    ticket = open_ticket(subject="Нет писем")
    client.force_login(an_engineer())

    page = client.get(reverse("desk:articles", args=[ticket.number]), {"kind": "reply"}).content.decode()
    note = client.get(reverse("desk:articles", args=[ticket.number]), {"kind": "note"}).content.decode()

    assert (public.slug in page, f"{internal.slug}/" in page) == (True, False)
    assert f"{internal.slug}/" in note


def test_draft_of_a_solved_ticket_tells_nothing_of_the_customer():
    customer = a_customer(name="ООО «Кедролесье»")
    contact = contact_of(customer)
    ticket = open_ticket(
        customer, body=f"Я {contact.full_name}, Кедролесье, a@b.example, 192.168.0.7, +7 495 000-00-00"
    )
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=tuesday(11))
    ticket = workflow.resolve(ticket, by=engineer, at=tuesday(12), body="Перезапустите службу")

    article = draft_of(ticket)

    assert article.audience == "internal"
    assert "Перезапустите службу" in article.body
    for word in ("Кедролесье", "a@b.example", "192.168.0.7", "495", *contact.full_name.split()):
        assert word not in article.body
