"""The pages of webinars: customers sign up, those who plan see who comes, foreign ones are missing (domain §5, §7)."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from success import webinar_lists, webinars
from success.models import Webinar
from success.webinars import Plan
from tests.factories import (
    ProductFactory,
    UserFactory,
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    observer_of,
    top,
)

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VERBS = ["sign_up", "sign_off"]


def a_webinar(*, starts_in=DAY, by=None, **fields):
    """Planned before it begins, which may be long ago."""
    now = timezone.now()
    plain = {
        "title": "First steps",
        "about": "Cards and lists",
        "minutes": 60,
        "join_url": "https://meet.example.com/1",
    }
    told = Plan(**{**plain, "starts_at": now + starts_in, "host": fields.pop("host", None) or an_engineer(), **fields})
    return webinars.plan(told, by=by or a_manager(), at=min(now, told.starts_at - DAY))


def a_company(**fields):
    return a_customer(starts_on=(timezone.now() - 30 * DAY).date(), language="en", **fields)


@pytest.fixture
def company():
    return a_company()


@pytest.fixture
def contact(client, company):
    person = contact_of(company, timezone.now())
    client.force_login(person)
    return person


@pytest.fixture
def csm(client):
    person = a_csm(language="en")
    client.force_login(person)
    return person


def statements(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as found:
        assert client.get(address).status_code == 200
    return len(found)


def form_of(**fields):
    moscow = timezone.localtime(timezone.now() + DAY, webinar_lists.UTC) + 3 * HOUR
    plain = {
        "title": "Reports",
        "about": "How to build one",
        "language": "en",
        "starts_at": f"{moscow:%Y-%m-%dT%H:%M}",
        "minutes": "45",
        "host": an_engineer().pk,
        "customer": "",
        "join_url": "https://meet.example.com/9",
        "seats": "10",
    }
    return {**plain, **fields}


# The portal


def test_contact_signs_up_on_the_first_page_and_off_again(client, contact):
    webinar = a_webinar(seats=2)
    page = client.get("/").content.decode()
    assert "First steps" in page
    assert reverse("webinars:sign_up", args=[webinar.pk]) in page
    assert "https://meet.example.com" not in page

    answer = client.post(reverse("webinars:sign_up", args=[webinar.pk]), {"from": "home"}, follow=True)

    assert answer.redirect_chain == [("/", 303)]
    assert "You are signed up" in answer.content.decode()
    own = client.get(reverse("webinars:webinar", args=[webinar.pk])).content.decode()
    assert "https://meet.example.com/1" in own
    answer = client.post(reverse("webinars:sign_off", args=[webinar.pk]), follow=True)
    assert answer.redirect_chain == [(reverse("webinars:webinar", args=[webinar.pk]), 303)]
    assert not webinar.registrations.active().exists()


def test_first_page_shows_nothing_of_webinars_where_there_is_none(client, contact):
    a_webinar(starts_in=-DAY)
    webinars.call_off(a_webinar(), reason="Ill", by=a_manager(), at=timezone.now())
    a_webinar(customer=a_company())

    assert "webinar-head" not in client.get("/").content.decode()


def test_first_page_shows_the_next_and_what_was_called_off_of_those_signed_up_for(client, contact):
    off = a_webinar(starts_in=2 * HOUR, title="Taken away")
    webinars.sign_up(off, by=contact, at=timezone.now())
    webinars.call_off(off, reason="The host is ill", by=a_manager(), at=timezone.now())
    a_webinar(starts_in=2 * DAY, title="The one after")
    a_webinar(starts_in=DAY, title="The next one")

    page = client.get("/").content.decode()

    assert [words in page for words in ("The host is ill", "Taken away", "The next one", "The one after")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_first_page_costs_one_statement_more_for_webinars(client, contact):
    before = statements(client, "/")
    webinars.sign_up(a_webinar(products=(ProductFactory(),)), by=contact, at=timezone.now())
    one = statements(client, "/")
    for _ in range(3):
        a_webinar()

    assert (one, statements(client, "/")) == (before, before)
    with CaptureQueriesContext(connection) as found:
        client.get("/")
    assert len([row for row in found if "success_webinar" in row["sql"]]) == 1


@pytest.mark.parametrize("when", ["", "?when=past"])
def test_three_webinars_cost_as_many_statements_as_one(client, contact, when):
    starts_in = -DAY if when else DAY
    address = reverse("webinars:webinars") + when
    a_webinar(starts_in=starts_in, products=(ProductFactory(),))
    one = statements(client, address)
    for _ in range(2):
        a_webinar(starts_in=starts_in, products=(ProductFactory(),))

    assert statements(client, address) == one


def test_past_ones_show_recording_and_materials_called_off_ones_are_not_there(client, contact):
    over = a_webinar(starts_in=-2 * DAY, title="Recorded")
    webinars.publish_recording(
        over,
        recording_url="https://video.example.com/1",
        materials="https://example.com/1.pdf Slides",
        by=a_manager(),
        at=timezone.now(),
    )
    off = a_webinar(starts_in=-3 * DAY, title="Never took place")
    webinars.call_off(off, reason="Ill", by=a_manager(), at=timezone.now() - 4 * DAY)
    a_webinar(title="To come")

    page = client.get(reverse("webinars:webinars") + "?when=past").content.decode()

    assert 'href="https://video.example.com/1"' in page
    assert 'href="https://example.com/1.pdf"' in page
    assert [words in page for words in ("Recorded", "Never took place", "To come")] == [True, False, False]


def test_lists_turn_by_key_there_and_back(client, contact, monkeypatch):
    monkeypatch.setattr(webinar_lists, "PAGE", 2)
    titles = [f"Lesson {number}" for number in range(5)]
    for number, title in enumerate(titles):
        a_webinar(starts_in=DAY, title=title)  # at nearly the same moment
        a_webinar(starts_in=-(number + 1) * DAY, title=f"Past {number}")
    address = reverse("webinars:webinars")

    for past, wanted in ((False, titles), (True, [f"Past {number}" for number in range(5)])):
        page = client.get(address + ("?when=past" if past else "")).context["page"]
        there = [[row.title for row in page.rows]]
        while page.on:
            page = client.get(address + page.on).context["page"]
            there.append([row.title for row in page.rows])
        back = [there[-1]]
        while page.back:
            page = client.get(address + page.back).context["page"]
            back.insert(0, [row.title for row in page.rows])
        assert there == [wanted[:2], wanted[2:4], wanted[4:]]
        assert back == there


@pytest.mark.parametrize(
    "place", ["x", "2026-11-17T10:00:00_1", "2026-11-17T10:00:00Z_9999999999999999999", "_", "%00"]
)
def test_place_that_cannot_be_read_shows_the_first_page_and_says_so(client, contact, place):
    a_webinar()

    page = client.get(reverse("webinars:webinars") + f"?since={place}").content.decode()

    assert "First steps" in page
    assert "the list begins from its start" in page


def test_full_webinar_says_so_and_answers_409(client, company, contact):
    webinar = a_webinar(seats=1)
    webinars.sign_up(webinar, by=a_member(company), at=timezone.now())

    assert "All seats are taken" in client.get("/").content.decode()
    answer = client.post(reverse("webinars:sign_up", args=[webinar.pk]))

    assert answer.status_code == 409
    assert "All seats of this webinar are taken" in answer.content.decode()


def test_calendar_file_says_when_in_utc_and_where_to_whoever_signed_up(client, contact):
    webinar = a_webinar(title="Reports, and more; for all", about="Line one\nLine two")
    address = reverse("webinars:calendar", args=[webinar.pk])

    (before,) = Calendar.from_ical(client.get(address).content).walk("VEVENT")
    webinars.sign_up(webinar, by=contact, at=timezone.now())
    answer = client.get(address)
    calendar = Calendar.from_ical(answer.content)
    (event,) = calendar.walk("VEVENT")

    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert "METHOD" not in calendar
    assert "LOCATION" not in before
    assert "meet.example.com" not in str(before["DESCRIPTION"])
    assert event["DTSTART"].dt == webinar.starts_at.replace(microsecond=0)
    assert event["DTEND"].dt == webinar.ends_at.replace(microsecond=0)
    assert event["DTSTART"].to_ical().endswith(b"Z")
    assert str(event["SUMMARY"]) == "Reports, and more; for all"
    assert str(event["LOCATION"]) == "https://meet.example.com/1"
    assert str(event["DESCRIPTION"]).startswith("Line one\nLine two")
    assert (str(event["STATUS"]), event["SEQUENCE"]) == ("CONFIRMED", 0)
    assert before["UID"] == event["UID"]


def test_calendar_file_of_what_is_called_off_cancels_the_same_event(client, contact):
    webinar = a_webinar()
    webinars.call_off(webinar, reason="Ill", by=a_manager(), at=timezone.now())

    (event,) = Calendar.from_ical(client.get(reverse("webinars:calendar", args=[webinar.pk])).content).walk("VEVENT")

    assert (str(event["STATUS"]), event["SEQUENCE"], "LOCATION" in event) == ("CANCELLED", 1, False)


@pytest.mark.parametrize(
    ("hour", "told"),
    [(9, "17:00 (13:00 Moscow time)"), (16, "Thu 19 Nov, 00:00 (Wed 20:00 Moscow time)")],
    ids=["one day", "midnight between them"],
)
def test_moment_is_told_in_the_readers_zone_and_in_moscow(client, hour, told):
    with time_machine.travel(datetime(2026, 11, 18, hour, tzinfo=UTC), tick=False):
        observer = observer_of(a_company(), timezone.now())
        observer.timezone = "Asia/Novosibirsk"
        observer.save()
        client.force_login(observer)
        webinar = a_webinar(starts_in=HOUR)

        page = client.get(reverse("webinars:webinar", args=[webinar.pk])).content.decode()

    assert told in page


# Isolation


def test_individual_webinar_of_another_company_reads_as_a_missing_one(client, contact):
    foreign = a_webinar(customer=a_company(), title="Secret")

    for name in ("webinar", "calendar"):
        answers = [client.get(reverse(f"webinars:{name}", args=[pk])) for pk in (foreign.pk, 999_999)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert b"Secret" not in answers[0].content
    for name in VERBS:
        answers = [client.post(reverse(f"webinars:{name}", args=[pk])) for pk in (foreign.pk, 999_999)]
        assert [answer.status_code for answer in answers] == [404, 404]
    assert not foreign.registrations.exists()
    for address in ("/", reverse("webinars:webinars")):
        assert b"Secret" not in client.get(address).content


def test_observer_signs_up_too(client, company):
    client.force_login(observer_of(company, timezone.now()))
    webinar = a_webinar()

    assert client.post(reverse("webinars:sign_up", args=[webinar.pk])).status_code == 303
    assert webinar.registrations.active().count() == 1


def test_portal_pages_are_for_customers_and_planning_for_those_who_plan(client):
    webinar = a_webinar()
    portal = [reverse("webinars:webinars"), reverse("webinars:webinar", args=[webinar.pk])]
    planning = [
        reverse("csm:webinars"),
        reverse("csm:new_webinar"),
        *(reverse(f"csm:{name}", args=[webinar.pk]) for name in ("webinar", "edit_webinar", "call_off_webinar")),
        reverse("csm:webinar_people", args=[webinar.pk]),
    ]

    for person, opens in [
        *((one, "planning") for one in (a_csm(), a_manager())),
        (contact_of(a_company(), timezone.now()), "portal"),
        *((one, "") for one in (an_engineer(), a_lead(), top(), a_contract_admin(), UserFactory(partner=True))),
    ]:
        client.force_login(person)
        assert {client.get(address).status_code for address in portal} == {200 if opens == "portal" else 403}
        assert {client.get(address).status_code for address in planning} == {200 if opens == "planning" else 403}
    client.logout()
    assert {client.get(address).status_code for address in portal + planning} == {302}


# Planning


def test_csm_plans_changes_and_calls_off(client, csm):
    product = ProductFactory()
    answer = client.post(reverse("csm:new_webinar"), form_of(products=[product.pk]))
    webinar = Webinar.objects.get()
    assert (answer.status_code, answer.url) == (303, reverse("csm:webinar", args=[webinar.pk]))
    assert (webinar.title, webinar.minutes, webinar.seats, webinar.created_by) == ("Reports", 45, 10, csm)
    assert list(webinar.products.all()) == [product]

    edit = reverse("csm:edit_webinar", args=[webinar.pk])
    assert 'value="Reports"' in client.get(edit).content.decode()
    assert client.post(edit, form_of(title="Reports again", seats="")).status_code == 303
    off = reverse("csm:call_off_webinar", args=[webinar.pk])
    assert client.post(off, {"reason": ""}).status_code == 422
    assert client.post(off, {"reason": "The host is ill"}).status_code == 303

    webinar.refresh_from_db()
    assert (webinar.title, webinar.seats, webinar.reason) == ("Reports again", None, "The host is ill")
    assert client.post(off, {"reason": "Again"}).status_code == 409
    assert client.get(edit).url == reverse("csm:webinar", args=[webinar.pk])


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"title": ""}, 422),
        ({"starts_at": "yesterday"}, 422),
        ({"starts_at": "2020-01-01T10:00"}, 409),
        ({"minutes": "1000"}, 422),
        ({"join_url": "http://example.com"}, 422),
        ({"join_url": "javascript:alert(1)"}, 422),
        ({"seats": "0"}, 422),
        ({"seats": "9" * 30}, 422),
        ({"customer": "999999"}, 422),
        ({"host": "x"}, 422),
        ({"products": ["x"]}, 422),
    ],
)
def test_bad_input_is_named_and_nothing_is_planned(client, csm, fields, status):
    answer = client.post(reverse("csm:new_webinar"), form_of(**fields))

    assert answer.status_code == status
    assert "The webinar is not kept" in answer.content.decode()
    assert not Webinar.objects.exists()


def test_csm_chooses_among_own_customers_and_sees_no_others_webinars(client, csm):
    own, foreign = a_company(csm=csm, name="Own company"), a_company(name="Foreign company")
    theirs = a_webinar(customer=foreign, title="Secret")

    form = client.get(reverse("csm:new_webinar")).content.decode()

    assert ("Own company" in form, "Foreign company" in form) == (True, False)
    assert client.post(reverse("csm:new_webinar"), form_of(customer=own.pk)).status_code == 303
    assert "Secret" not in client.get(reverse("csm:webinars")).content.decode()
    assert client.get(reverse("csm:webinar", args=[theirs.pk])).status_code == 404
    assert client.get(reverse("csm:webinar_people", args=[theirs.pk])).status_code == 404


def test_who_has_signed_up_is_listed_and_taken_away_as_a_table(client, csm, company):
    webinar = a_webinar(seats=9)
    person = a_member(company, full_name="=Anna Orlova")
    webinars.sign_up(webinar, by=person, at=timezone.now())
    gone = a_member(company, full_name="Gone Away")
    webinars.sign_up(webinar, by=gone, at=timezone.now())
    webinars.sign_off(webinar, by=gone, at=timezone.now())

    page = client.get(reverse("csm:webinar", args=[webinar.pk])).content.decode()
    rows = b"".join(client.get(reverse("csm:webinar_people", args=[webinar.pk]))).decode("utf-8-sig").splitlines()

    assert ("Anna Orlova" in page, company.name in page, "1 of 9 seats taken" in page) == (True, True, True)
    assert "Gone Away" not in page
    assert len(rows) == 2
    assert rows[1].startswith(f"'=Anna Orlova;{company.name};{person.email};")


def test_three_who_come_cost_as_many_statements_as_one(client, csm, company):
    webinar = a_webinar()
    address = reverse("csm:webinar", args=[webinar.pk])
    webinars.sign_up(webinar, by=a_member(company), at=timezone.now())
    one, listed = statements(client, address), statements(client, reverse("csm:webinars"))
    for _ in range(2):
        webinars.sign_up(webinar, by=a_member(a_company()), at=timezone.now())
        a_webinar()

    assert statements(client, address) == one
    assert statements(client, reverse("csm:webinars")) == listed


def test_people_are_read_by_key(client, csm, company, monkeypatch):
    monkeypatch.setattr("success.views.planning.PEOPLE", 2)
    webinar = a_webinar()
    names = ["Anna A", "Boris B", "Clara C"]
    for name in names:
        webinars.sign_up(webinar, by=a_member(company, full_name=name), at=timezone.now())
    address = reverse("csm:webinar", args=[webinar.pk])

    first = client.get(address)
    second = client.get(address + first.context["more"].partition("#")[0])

    assert [row.person.full_name for row in first.context["people"]] == names[:2]
    assert [row.person.full_name for row in second.context["people"]] == names[2:]
    table = b"".join(client.get(reverse("csm:webinar_people", args=[webinar.pk]))).decode()
    assert [name in table for name in names] == [True] * 3


def test_recording_is_published_when_it_is_over(client, csm):
    over, to_come = a_webinar(starts_in=-DAY), a_webinar()
    said = {"recording_url": "https://video.example.com/1", "materials": "https://example.com/1.pdf Slides"}

    assert client.post(reverse("csm:webinar_recording", args=[over.pk]), said).status_code == 303
    assert client.post(reverse("csm:webinar_recording", args=[to_come.pk]), said).status_code == 409
    bad = client.post(reverse("csm:webinar_recording", args=[over.pk]), {"recording_url": "http://example.com"})

    assert bad.status_code == 422
    over.refresh_from_db()
    assert over.listed_materials == [("https://example.com/1.pdf", "Slides")]


def test_sections_of_both_sides_lead_there(client, contact):
    assert reverse("webinars:webinars") in client.get("/").content.decode()
    client.force_login(a_csm())
    assert reverse("csm:webinars") in client.get(reverse("manage:board")).content.decode()
    client.force_login(an_engineer())
    assert reverse("csm:webinars") not in client.get(reverse("desk:queue")).content.decode()
