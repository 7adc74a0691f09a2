"""Forms that are drawn once: on each ticket and in each language they are what they would be if drawn anew."""

import re
from typing import Any

import pytest
from django.utils import timezone, translation
from markupsafe import escape

from accounts.fragments import macros
from accounts.models import Line
from tests.factories import a_customer, an_engineer, open_ticket
from tickets import workflow
from tickets.blank_forms import blank, blank_composer
from tickets.forms.desk import MessageForm
from tickets.models import Defect, Ticket
from tickets.ticket_page import FORMS

pytestmark = pytest.mark.django_db

KEPT = (
    "handover",
    "return",
    "escalation",
    "defect",
    "major",
    "restoration",
    "classification",
    "resolution",
    "follow_up",
    "reopening",
    "decline",
)


@pytest.fixture
def tickets() -> list[Ticket]:
    """Two that differ in everything that a form may lean on."""
    company, now = a_customer(), timezone.now()
    first = open_ticket(company, subject="Печать <b>счёта</b>", kind="incident", priority=3, at=now)
    second = open_ticket(company, subject="Вход закрыт", kind="service_request", priority=4, at=now)
    workflow.hand_over(first, to_line=2, known="Очередь печати стоит.", asked="Посмотрите.", by=an_engineer(), at=now)
    return [Ticket.objects.get(pk=one.pk) for one in (first, second)]


def asks(name: str, ticket: Ticket) -> dict[str, Any]:
    known = [Defect(pk=7, title="Драйвер <i>не</i> отвечает")] if ticket.line_id == 2 else []
    return {"handover": {"lines": list(Line.objects.all())}, "defect": {"newest": known}}.get(name, {})


@pytest.mark.parametrize("name", KEPT)
def test_it_looks_as_if_it_were_drawn_for_this_ticket_alone(name: str, tickets: list[Ticket]) -> None:
    form = FORMS[name]

    for language in ("ru", "en"):
        for ticket in tickets:
            with translation.override(language):
                anew: Any = form(ticket=ticket, **asks(name, ticket))
                kept = [blank(form, ticket, **asks(name, ticket)) for _twice in range(2)]

                assert kept[0] is not None
                assert kept[0] is kept[1]
                assert kept[0].visible == macros("act").visible(anew)
                hidden = [one for one, _id in kept[0].hidden]
                assert hidden == [field.name for field in anew.hidden_fields()]
                assert set(hidden) <= {"seen", "key"}  # the only ones that the template knows to fill in


def test_what_leans_on_more_is_not_kept(tickets: list[Ticket]) -> None:
    kept = {name for name, form in FORMS.items() if form.leans_on(tickets[0], **asks(name, tickets[0])) is not None}

    assert kept == set(KEPT)


def test_a_page_of_a_ticket_has_a_new_key_in_each_of_its_forms(tickets: list[Ticket], client: Any) -> None:
    client.force_login(an_engineer())

    pages = [client.get(f"/w/t/{tickets[1].number}/").content.decode() for _twice in range(2)]

    keys = [part.split('"')[0] for page in pages for part in page.split('name="key" value="')[1:]]
    assert len(keys) >= 4
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("body", ["", 'Проверьте <b>счёт</b> & "итог"', "\n\nвторая строка"])
def test_the_composer_that_is_put_together_is_the_form_drawn_anew(language: str, body: str) -> None:
    with translation.override(language):
        blank_composer("what was written before")
        found, form = blank_composer(body), MessageForm(ticket=Ticket(), initial={"body": body, "key": "a key"})

        assert str(escape(found.body)) == str(form["body"])
        assert str(escape(found.attachments)) == str(form["attachments"])
        assert re.sub('value="[^"]+"', 'value="a key"', str(escape(found.key))) == str(form["key"])
        for name in ("body", "attachments"):
            field = getattr(found, name)
            assert (field.id_for_label, field.label) == (form[name].id_for_label, str(form[name].label))


def test_each_composer_has_a_key_of_its_own() -> None:
    assert str(escape(blank_composer("").key)) != str(escape(blank_composer("").key))
