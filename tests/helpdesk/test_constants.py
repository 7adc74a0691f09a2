"""What templates find once and keep: words, addresses, files. Nothing of a reader, a language or a site is mixed."""

import pytest
from django.template import TemplateSyntaxError, engines
from django.test import override_settings
from django.urls import NoReverseMatch, reverse, set_script_prefix
from django.utils import translation

from accounts.addresses import address
from helpdesk.statics import Files


def drawn(text: str, **context: object) -> list[str]:
    """One template in Russian, in English and in Russian again."""
    template = engines["django"].from_string(text)
    found = []
    for language in ("ru", "en", "ru"):
        with translation.override(language):
            found.append(template.render(context))
    return found


def test_constant_words_are_those_of_the_language_of_the_moment() -> None:
    assert drawn('{% load i18n %}{% translate "Queue" %}') == ["Очередь", "Queue", "Очередь"]


def test_words_of_a_context_are_not_those_without() -> None:
    found = drawn('{% load i18n %}{% translate "Close" context "dialog" %} {% translate "Close" context "verb" %}')

    assert found[0] == found[2] != found[1] == "Close Close"


def test_words_under_a_name_are_those_of_the_language_too() -> None:
    assert drawn('{% load i18n %}{% translate "Queue" as word %}{{ word }}') == ["Очередь", "Queue", "Очередь"]


def test_words_that_a_reader_brings_are_never_kept() -> None:
    template = engines["django"].from_string("{% load i18n %}{% translate word %}")

    assert [template.render({"word": word}) for word in ("<a>", "b", "<a>")] == ["&lt;a&gt;", "b", "&lt;a&gt;"]


def test_address_is_that_of_its_arguments() -> None:
    template = engines["django"].from_string("{% url 'desk:ticket' number %}")

    found = [template.render({"number": number}) for number in (1, 2, "1")]

    assert found == ["/w/t/1/", "/w/t/2/", "/w/t/1/"]


def test_address_is_that_of_the_place_where_the_site_stands() -> None:
    first = address("desk:queue")
    set_script_prefix("/help/")
    try:
        assert address("desk:queue") == reverse("desk:queue") == "/help" + first
    finally:
        set_script_prefix("/")


def test_address_that_is_not_there_is_refused_as_ever() -> None:
    with pytest.raises(NoReverseMatch):
        address("desk:ticket", "no number")


@override_settings(STATIC_URL="/elsewhere/")
def test_file_has_the_address_that_django_gives_it() -> None:
    assert [Files().url("icons.svg") for _again in (1, 2)] == ["/elsewhere/icons.svg"] * 2


def test_what_is_put_together_once_is_that_of_the_language_and_the_place() -> None:
    said = """<a href="{% url 'desk:queue' %}">{% icon "x" %}{% translate "Queue" %}</a>"""
    text = "{% load i18n static tickets %}{% once %}" + said + "{% endonce %}"
    russian, english, again = drawn(text)

    assert russian == again and "Очередь" in russian and "Queue" in english
    template = engines["django"].from_string(text)
    first = template.render({})
    set_script_prefix("/help/")
    try:
        assert template.render({}) == first.replace('href="/w/', 'href="/help/w/')
    finally:
        set_script_prefix("/")


@pytest.mark.parametrize(
    "inside",
    [
        "{{ name }}",
        "{% translate name %}",
        '{% translate "Queue" as word %}',
        "{% url 'desk:ticket' number %}",
        "{% url 'desk:queue' as there %}",
        "{% static name %}",
        "{% icon name %}",
        "{% if name %}a{% endif %}",
        "{% csrf_token %}",
        '{% include "_clock.html" %}',
    ],
)
def test_what_may_differ_from_reader_to_reader_is_not_put_together_once(inside: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="never changes"):
        engines["django"].from_string("{% load i18n static tickets %}{% once %}" + inside + "{% endonce %}")
