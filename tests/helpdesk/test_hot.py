"""The fast engine: every text from outside is escaped, and a template keeps nothing of one reader for the next."""

import re
from datetime import timedelta

import pytest
from django.template import engines
from django.urls import reverse
from django.utils import timezone, translation

from helpdesk.hot import Engine
from tests.factories import a_customer, an_engineer, contact_of, open_ticket
from tickets import workflow
from tickets.models import Ticket
from tickets.templatetags.tickets import icon

HOSTILE = """<script>alert('1')</script>"><img src=x onerror="alert(2)">{{ 7 }}{% if %}"""


def harmless(html: str) -> bool:
    return "<script>alert" not in html and "<img src=x" not in html and HOSTILE[:8] not in html


@pytest.mark.django_db
def test_hostile_subject_name_and_company_are_escaped_in_rows_thread_and_forms(client):
    now = timezone.now()
    customer = a_customer("premium", starts_on=(now - timedelta(days=30)).date())
    contact, engineer = contact_of(customer, now), an_engineer()
    type(customer).objects.filter(pk=customer.pk).update(name=HOSTILE[:80])
    for person in (contact, engineer):
        type(person).objects.filter(pk=person.pk).update(full_name=HOSTILE[:80])
        person.refresh_from_db()
    customer.refresh_from_db()
    ticket = workflow.accept(open_ticket(customer, at=now, subject=HOSTILE, body=HOSTILE), by=engineer, at=now)
    workflow.reply(ticket, by=engineer, body=HOSTILE, at=now)
    workflow.note(ticket, by=engineer, body=HOSTILE, at=now)
    client.force_login(engineer)

    page = client.get(reverse("desk:ticket", args=[ticket.number])).content.decode()
    queue = client.get(reverse("desk:queue")).content.decode()

    assert harmless(page)
    assert harmless(queue)
    row = re.search(rf'<li class="q[^>]* id="row-{ticket.number}".*?</li>', queue, re.S)
    assert row is not None
    assert row[0].count("&lt;script&gt;") >= 2
    assert page.count("&lt;script&gt;") > 5
    assert "{{ 7 }}" in page  # a text is never a template


@pytest.mark.django_db
def test_two_readers_and_two_languages_one_after_the_other_have_each_their_own_page(client):
    ticket: Ticket = open_ticket(at=timezone.now())
    first, second = an_engineer(language="ru"), an_engineer(language="en", single_keys=False)
    address = reverse("desk:ticket", args=[ticket.number])
    seen = []
    for person in (first, second, first):
        client.force_login(person)
        seen.append(client.get(address).content.decode())

    for person, html, word, other in ((first, seen[0], "Взять в работу", "Take into work"),
                                      (second, seen[1], "Take into work", "Взять в работу"),
                                      (first, seen[2], "Взять в работу", "Take into work")):  # fmt: skip
        assert word in html
        assert other not in html
        assert f'data-person="{person.pk}"' in html
        assert f'"on": {"true" if person.single_keys else "false"}' in html


def test_words_are_looked_up_anew_each_time_and_escaped_where_they_are_not_ours() -> None:
    template = engines["hot"].from_string(
        '{% translate "Close" context "dialog" %}|{% translate "Queue" %}|{{ word }}|'
        '{{ _("Line %(number)d")|format(number=1) }}'
    )
    found = []
    for language in ("en", "ru", "en"):
        with translation.override(language):
            found.append(template.render({"word": "<b>"}))

    assert found[0] == found[2] == "Close|Queue|&lt;b&gt;|Line 1"
    assert found[1].split("|")[1:] == ["Очередь", "&lt;b&gt;", "Линия 1"]


def test_constant_words_and_icons_stand_in_the_template_of_each_language() -> None:
    engine: Engine = engines["hot"].env
    text = '{% translate "Queue" %}|{{ icon("lock") }}|{{ word }}'
    found = {}
    for language in ("en", "ru", "en"):
        with translation.override(language):
            spoken = engine.spoken()
            assert spoken.language == language
            assert engine.spoken() is spoken
            found[language] = spoken.from_string(text).render(word="<b>")
            compiled = spoken.compile(text, raw=True)
            assert ("Очередь" in compiled, "Queue" in compiled) == (language == "ru", language == "en")
            assert "icons.svg" in compiled

    assert found["en"].split("|") == ["Queue", icon("lock"), "&lt;b&gt;"]
    assert found["ru"].split("|")[0] == "Очередь"
