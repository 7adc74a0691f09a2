"""The tags that draw promises (`sla/templatetags/clock.py`), without a database: rows are built, never saved."""

from datetime import datetime, timedelta

import pytest
from django.template import Context, RequestContext, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from accounts.models import Role, User
from contracts.models import TermsTarget
from sla.models import CalendarVersion, Commitment
from sla.words import MOSCOW
from tests.factories import an_engineer

NOW = datetime(2026, 11, 18, 13, 28, tzinfo=MOSCOW)


@pytest.fixture(autouse=True)
def russian():
    with translation.override("ru"), timezone.override("Asia/Yekaterinburg"):
        yield


def commitment(**fields) -> Commitment:
    hours = {str(day): [["09:00", "18:00"]] for day in range(5)}
    calendar = CalendarVersion(pk=-1, timezone="Europe/Moscow", weekly_hours=hours)
    row = Commitment(
        kind="resolution",
        priority=2,
        target=timedelta(hours=18),
        amount=2,
        unit=TermsTarget.Unit.WORKING_DAYS,
        started_at=datetime(2026, 11, 17, 12, 10, tzinfo=MOSCOW),
        due_at=datetime(2026, 11, 19, 12, 10, tzinfo=MOSCOW),
        calendar_version=calendar,
    )
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def render(text: str, **context) -> str:
    return Template("{% load clock tickets %}" + text).render(Context({"frame": {"now": NOW}, **context}))


def test_chip_has_the_instant_the_hidden_words_and_the_numbers_to_count_on():
    html = render("{% chip clock %}", clock=commitment())

    assert 'class="sla sla--ok"' in html
    assert 'data-left="27720"' in html
    assert f'data-at="{int(NOW.timestamp())}"' in html
    assert 'data-open="16320"' in html
    assert "Решение: осталось 7 ч 42 мин" in html
    assert '<time datetime="2026-11-19T12:10:00+03:00">7 ч 42 мин</time>' in html


def test_chip_that_stands_is_not_counted_by_the_browser():
    paused = commitment(paused_at=datetime(2026, 11, 18, 12, tzinfo=MOSCOW))

    assert "data-left" not in render("{% chip clock %}", clock=paused)
    assert "data-left" not in render("{% chip clock %}", clock=None)


def test_lane_shows_moscow_to_the_vendor_and_own_time_to_the_customer():
    engineer, customer = User(role=Role.ENGINEER), User(role=Role.CUSTOMER)

    assert "обещано к чт 12:10 МСК · <span>цель 2 р.д.</span>" in render(
        "{% lane clock %}", clock=commitment(), user=engineer
    )
    assert "обещано к чт 14:10 · <span>цель 2 р.д.</span>" in render(
        "{% lane clock %}", clock=commitment(), user=customer
    )


@pytest.mark.django_db
def test_fragment_included_with_only_still_knows_who_reads():
    request = RequestFactory().get("/")
    request.user = an_engineer()
    fragment = Template("{% load clock %}{% when at 'short' %}")
    page = Template("{% include fragment with at=at only %}")

    at = datetime(2030, 11, 19, 12, 10, tzinfo=MOSCOW)
    html = page.render(RequestContext(request, {"fragment": fragment, "at": at}))

    assert "вт 19 ноя 2030, 12:10" in html


def test_lane_without_a_promise_says_so_with_the_package():
    html = render('{% lane clock kind="resolution" package="Бизнес" %}', clock=None)

    assert "Решение" in html
    assert "без срока (Бизнес)" in html


def test_track_writes_its_numbers_with_a_point_in_every_language():
    html = render("{% track clock %}", clock=commitment())

    assert 'width="57.22%"' in html
    assert "style=" not in html


def test_when_writes_the_moment_for_people_and_for_machines():
    at = datetime(2026, 11, 19, 12, 10, tzinfo=MOSCOW)

    assert render("{% when at %}", at=at) == '<time datetime="2026-11-19T12:10:00+03:00">чт 19 ноября, 14:10</time>'
    assert "чт 19 ноября, 14:10 (12:10 по Москве)" in render('{% when at "both" %}', at=at)
    assert "до четверга, 19 ноября, 14:10" in render('{% when at "until" %}', at=at)
    assert render("{% when at %}", at=None) == ""


def test_icon_refuses_a_name_that_the_sprite_does_not_have():
    assert "#clock" in render('{% icon "clock" %}')
    with pytest.raises(ValueError, match="no icon named 'alarm'"):
        render('{% icon "alarm" %}')


def test_priority_line_and_avatar_say_in_words_what_they_show():
    assert "Приоритет 1" in render("{% priority 1 %}")
    assert "Линия 2" in render("{% line 2 %}")
    person = User(full_name="Павел Климов")
    assert render('{% avatar person "Исполнитель" %}', person=person) == (
        '<span class="av" aria-hidden="true">ПК</span><span class="sr">Исполнитель: Павел Климов</span>'
    )
    assert "Не назначено" in render("{% avatar None %}")
