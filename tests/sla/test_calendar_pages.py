"""/a/calendars/ and /a/sla/ in the browser's place: who reads, who edits, what the buttons do (domain §4, §7)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation

from sla.calendars import as_edit, edit_calendar
from sla.forms.calendars import initial_of, read_days, read_hours, read_own_days
from sla.models import Calendar, CalendarVersion
from tests.factories import (
    MOSCOW,
    UserFactory,
    a_contract_admin,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
    top,
)
from tests.sla.test_ics import day as ics_day
from tests.sla.test_ics import ics
from tickets.models import CalendarChange

pytestmark = pytest.mark.django_db

PAGES = ["/a/calendars/", "/a/calendars/working-days/", "/a/sla/"]
EDIT = "/a/calendars/working-days/edit/"


def as_person(person: Any) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def admin() -> Client:
    return as_person(UserFactory(admin=True, language="en"))


def calendar(code: str = "working-days") -> Calendar:
    return Calendar.objects.get(code=code)


def typed(code: str = "working-days", **fields: Any) -> dict[str, Any]:
    """What the form holds when it is opened, with some of it typed over."""
    latest = calendar(code).versions.latest("valid_from")
    values = initial_of(as_edit(latest), "Decree") | fields
    return {name: "" if value is None else value for name, value in values.items()}


def page_of(client: Client, address: str, **data: Any) -> str:
    response = client.get(address, data)
    assert response.status_code == 200, response.content
    return response.content.decode()


# Who


@pytest.mark.parametrize("person", [an_engineer, a_lead, a_csm, a_manager, top, a_contract_admin])
@pytest.mark.parametrize("address", PAGES)
def test_the_vendors_people_read(person, address):
    assert as_person(person()).get(address).status_code == 200


@pytest.mark.parametrize("address", [*PAGES, EDIT])
def test_customers_do_not(address):
    assert as_person(contact_of(a_customer())).get(address).status_code == 403


@pytest.mark.parametrize("person", [an_engineer, a_lead, a_manager, a_contract_admin])
def test_only_the_administrator_edits(person):
    client = as_person(person())

    assert client.get(EDIT).status_code == 403
    assert client.post(EDIT, typed()).status_code == 403
    assert "/edit/" not in page_of(client, "/a/calendars/working-days/")


# Reading


def test_the_list_shows_hours_zone_and_the_next_days_off(admin):
    text = page_of(admin, "/a/calendars/")

    assert "Working days" in text and "Europe/Moscow" in text and "09:00–18:00" in text
    assert "open now, never closes" in text  # round the clock


def test_the_list_asks_a_constant_number_of_statements(admin, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        page_of(admin, "/a/calendars/")


def test_the_year_names_special_days_in_words(admin):
    text = page_of(admin, "/a/calendars/working-days/", year="2027")

    assert "12 Jun 2027, Russia Day" in text
    assert "20 Feb 2027: 09:00–18:00" in text
    assert "cald--worked" in text and "worked, 09:00–18:00" in text


def test_a_year_without_days_off_says_so(admin):
    assert "No day off of 2040 is known yet" in page_of(admin, "/a/calendars/working-days/", year="2040")


@pytest.mark.parametrize("query", ["year=1800", "year=abc", "year=99999", "version=x"])
def test_addresses_that_cannot_be_are_refused(admin, query):
    assert admin.get(f"/a/calendars/working-days/?{query}").status_code == 400


def test_an_unknown_calendar_or_version_is_not_found(admin):
    assert admin.get("/a/calendars/none/").status_code == 404
    assert admin.get("/a/calendars/working-days/?version=999999").status_code == 404


# Editing


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("9:00-13:00, 14:00–18:00", [["09:00", "13:00"], ["14:00", "18:00"]]),
        ("9-18", [["09:00", "18:00"]]),
        ("00:00–24:00", [["00:00", "24:00"]]),
        ("", []),
    ],
)
def test_hours_are_read_as_people_write_them(text, hours):
    assert read_hours(text) == hours


def test_days_are_read_as_people_write_them():
    assert read_days("2027-01-01 – 2027-01-03\n09.05.2027, 2027-01-02\nnever") == [
        "2027-01-01",
        "2027-01-02",
        "2027-01-03",
        "2027-05-09",
        "never",
    ]
    assert read_own_days("20.02.2027 9:00–18:00\n2027-03-01") == {"2027-02-20": [["09:00", "18:00"]], "2027-03-01": []}


def test_what_the_form_shows_is_what_it_reads():
    latest = calendar().versions.get()
    values = initial_of(as_edit(latest))

    assert read_days(values["holidays"]) == sorted(latest.holidays)
    assert read_own_days(values["overrides"]) == latest.overrides


def test_problems_stand_at_their_fields_and_what_was_typed_is_kept(admin):
    response = admin.post(EDIT, typed(day_0="18:00–09:00", timezone="Mars", reason=""))

    text = response.content.decode()
    assert response.status_code == 422
    assert "Write why the calendar changes: the customers read it." in text
    response = admin.post(EDIT, typed(day_0="18:00–09:00", timezone="Mars"))
    text = response.content.decode()
    assert "ends before it begins" in text and "There is no time zone “Mars”" in text and 'value="18:00–09:00"' in text
    assert not CalendarChange.objects.exists()


def test_the_holidays_of_russia_are_proposed_and_nothing_is_written(admin):
    values = typed(holidays="2026-12-31", overrides="") | {"year": "2027", "go": "russia"}

    response = admin.post(EDIT, values)

    text = response.content.decode()
    assert response.status_code == 200
    assert "20 days off are new below. 1 weekend day is worked instead." in text
    assert "2027-02-20 09:00–18:00" in text and "2026-12-31" in text and "12 Jun 2027, Russia Day" in text
    assert not CalendarChange.objects.exists() and calendar().versions.count() == 1


def test_a_year_that_is_not_decreed_says_so(admin):
    text = admin.post(EDIT, typed(holidays="") | {"year": "2028", "go": "russia"}).content.decode()

    assert "The transfers of 2028 are not announced yet" in text


def test_a_year_is_forgotten(admin):
    text = admin.post(EDIT, typed() | {"year": "2027", "go": "forget"}).content.decode()

    assert "of 2027 taken out." in text and "2027-11-05" not in text and "2026-12-31" in text


def test_a_range_becomes_free(admin):
    values = typed(holidays="") | {"first": "2027-07-01", "last": "2027-07-03", "go": "off"}

    assert "2027-07-01 – 2027-07-03" in admin.post(EDIT, values).content.decode()


def test_days_of_a_file_are_proposed(admin):
    sent = SimpleUploadedFile("days.ics", ics(ics_day("20270301")), "text/calendar")

    text = admin.post(EDIT, typed(holidays="") | {"year": "2027", "go": "ics", "file": sent}).content.decode()

    assert "1 day off is new below." in text and "2027-03-01" in text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"go": "ics", "year": "2027"}, "Choose an .ics file."),
        ({"go": "russia", "year": ""}, "Write the year as 2027."),
        ({"go": "off"}, "Name the first day."),
        ({"go": "off", "first": "2027-07-03", "last": "2027-07-01"}, "The last day lies before the first."),
        ({"go": "off", "first": "x"}, "Write the day as 2027-01-31."),
    ],
)
def test_a_button_without_what_it_needs_says_so(admin, data, words):
    response = admin.post(EDIT, typed(reason="Kept words") | data)

    assert response.status_code == 422
    assert words in response.content.decode() and "Kept words" in response.content.decode()


def test_a_file_that_is_no_calendar_is_refused_in_words(admin):
    sent = SimpleUploadedFile("days.ics", b"\x89PNG", "text/calendar")

    response = admin.post(EDIT, typed() | {"year": "2027", "go": "ics", "file": sent})

    assert (response.status_code, "no BEGIN:VCALENDAR" in response.content.decode()) == (422, True)


# The preview and the decision


def previewed(client: Client, days: int = 1) -> CalendarChange:
    now = timezone.now().astimezone(MOSCOW)
    soon = now.date() + timedelta(days)
    while soon.weekday() > 4 or soon.isoformat() in calendar().versions.latest("valid_from").holidays:
        soon += timedelta(1)
    values = typed()
    response = client.post(EDIT, values | {"holidays": f"{values['holidays']}\n{soon}"})
    assert response.status_code == 302, response.content.decode()
    return CalendarChange.objects.latest("pk")


@pytest.fixture
def ticket():
    return open_ticket(priority=4, at=timezone.now())


def test_the_preview_says_how_many_deadlines_move(admin, ticket):
    change = previewed(admin)

    text = page_of(admin, f"/a/calendars/changes/{change.pk}/")

    assert "1 deadline moves, 0 become missed" in text and str(ticket.number) in text
    assert "New days off" in text and calendar().versions.count() == 1


def test_new_requests_only(admin, ticket):
    change, due = previewed(admin), ticket.commitments.get(kind="resolution").due_at

    response = admin.post(f"/a/calendars/changes/{change.pk}/", {"go": "apply", "scope": "new"}, follow=True)

    assert "No open request was touched" in response.content.decode()
    assert ticket.commitments.get(kind="resolution").due_at == due
    assert calendar().versions.count() == 2


def test_open_requests_too(admin, ticket):
    change, due = previewed(admin), ticket.commitments.get(kind="resolution").due_at

    response = admin.post(f"/a/calendars/changes/{change.pk}/", {"go": "apply", "scope": "open"}, follow=True)

    text = response.content.decode()
    assert "The new hours stand" in text and "Resolution" in text
    assert ticket.commitments.get(kind="resolution", ending="").due_at > due
    timeline = page_of(as_person(an_engineer(language="en")), f"/w/t/{ticket.number}/")
    assert "counted by the changed calendar" in timeline


def test_a_decision_needs_a_choice(admin):
    change = previewed(admin)

    response = admin.post(f"/a/calendars/changes/{change.pk}/", {"go": "apply"})

    assert (response.status_code, "Choose what the new hours apply to." in response.content.decode()) == (409, True)


def test_others_read_the_preview_and_decide_nothing(admin):
    change = previewed(admin)
    client = as_person(an_engineer())

    assert 'name="scope"' not in page_of(client, f"/a/calendars/changes/{change.pk}/")
    response = client.post(f"/a/calendars/changes/{change.pk}/", {"go": "apply", "scope": "new"})
    assert (response.status_code, calendar().versions.count()) == (403, 1)


@pytest.mark.parametrize("query", ["after=x", "after=1-2", "after=1-2-x"])
def test_a_page_that_cannot_be_is_refused(admin, query):
    change = previewed(admin)

    assert admin.get(f"/a/calendars/changes/{change.pk}/?{query}").status_code == 400


def test_the_list_is_paged_by_key(admin, monkeypatch):
    from tickets.views import calendars

    for _n in range(3):
        open_ticket(priority=4, at=timezone.now())
    change = previewed(admin)
    monkeypatch.setattr(calendars, "PAGE", 2)

    first = page_of(admin, f"/a/calendars/changes/{change.pk}/")
    after = first.split("?after=")[1].split("#")[0]
    second = page_of(admin, f"/a/calendars/changes/{change.pk}/", after=after)

    assert (first.count("№ "), second.count("№ ")) == (2, 1)


def test_going_back_from_the_preview_keeps_what_was_typed(admin):
    change = previewed(admin)

    assert "Decree" in page_of(admin, EDIT, **{"from": change.pk})


def test_a_planned_version_is_withdrawn(admin):
    found = calendar()
    later = timezone.now() + timedelta(30)
    values = as_edit(found.versions.get()).__dict__ | {"holidays": [], "valid_from": later}
    with translation.override("en"):
        version = edit_calendar(found, by=UserFactory(admin=True), at=timezone.now(), **values)
    assert "Withdraw" in page_of(admin, "/a/calendars/working-days/")

    admin.post(f"/a/calendars/working-days/withdraw/{version.pk}/")

    assert not CalendarVersion.objects.filter(pk=version.pk).exists()


def test_the_page_has_no_inline_style_or_script(admin):
    for address in [*PAGES, EDIT]:
        text = page_of(admin, address)
        assert " style=" not in text and "onclick" not in text


def test_russian_is_the_default_language():
    text = page_of(as_person(an_engineer(language="ru")), "/a/calendars/working-days/", year="2027")

    assert "День России" in text


def test_the_moment_of_a_version_is_told_in_moscow(admin):
    assert datetime(2020, 1, 1, tzinfo=MOSCOW) == calendar().versions.get().valid_from
    assert "Wed 1 Jan 2020, 00:00" in page_of(admin, "/a/calendars/working-days/")
