"""/w/shift/, taking the most urgent and “why me” as pages: who sees them, who may edit, and what they cost."""

import re
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from accounts import planning
from accounts.models import Absence, Line, Shift
from accounts.refusals import Forbidden, Refused
from accounts.shifts import DayOff, ExtraShift
from tests.factories import (
    ProductFactory,
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    an_engineer,
    contact_of,
    open_ticket,
)
from tests.moments import november
from tickets import workflow
from tickets.models import Skill

pytestmark = pytest.mark.django_db

SINCE = date(2026, 11, 2)
ALL_DAYS = [0, 1, 2, 3, 4, 5, 6]


def plan(person, *, line=2, by=None, **fields):
    hours = {"weekdays": [0, 1], "starts": 540, "ends": 1080, "since": SINCE, **fields}
    return planning.plan_shift(person, line=Line.objects.get(pk=line), by=by or a_manager(), at=november(2), **hours)


# Planning, and what the database refuses by itself


def test_database_refuses_two_shifts_of_one_person_at_one_time():
    engineer = an_engineer(2)
    row = {"user": engineer, "line_id": 2, "weekday": 1, "starts": 540, "ends": 1080, "since": SINCE}
    Shift.objects.create(**row, until=date(2026, 11, 16))

    with pytest.raises(IntegrityError, match="shift_one_place_at_a_time"), transaction.atomic():
        Shift.objects.create(**{**row, "starts": 1079, "ends": 1440, "since": date(2026, 11, 16)})

    Shift.objects.create(**{**row, "since": date(2026, 11, 17)})  # goes on after it
    Shift.objects.create(**{**row, "starts": 1080, "ends": 1440})  # and [from, to) may touch


def test_database_refuses_two_extra_shifts_of_one_person_at_one_time():
    engineer = an_engineer(2)
    ExtraShift.objects.create(user=engineer, line_id=2, starts_at=november(21, 9), ends_at=november(21, 12))

    with pytest.raises(IntegrityError, match="extra_shift_one_place_at_a_time"), transaction.atomic():
        ExtraShift.objects.create(user=engineer, line_id=2, starts_at=november(21, 11), ends_at=november(21, 13))


def test_shift_past_midnight_is_refused_where_its_morning_overlaps():
    engineer = an_engineer(2)
    plan(engineer, weekdays=[1], starts=420)

    with pytest.raises(Refused, match="вт 3 ноября"):
        plan(engineer, weekdays=[0], starts=1320, ends=480)


def test_swapped_day_is_worked_by_the_colleague_and_undone_with_it():
    engineer, colleague, manager = an_engineer(2), an_engineer(2), a_manager()
    plan(engineer, by=manager)

    off = planning.take_day_off(engineer, on=date(2026, 11, 17), instead=colleague, by=manager, at=november(16))

    extra = ExtraShift.objects.get()
    assert (extra.user, extra.starts_at, extra.ends_at) == (colleague, november(17, 9), november(17, 18))
    planning.undo_change(off, by=manager, at=november(16))
    assert not DayOff.objects.exists()
    assert not ExtraShift.objects.exists()


def test_lead_plans_the_own_line_only():
    with pytest.raises(Forbidden):
        plan(an_engineer(2), by=a_lead(3))

    assert len(plan(an_engineer(2), by=a_lead(2))) == 2


# Pages


@pytest.mark.parametrize(
    ("who", "status"),
    [(an_engineer, 403), (lambda: a_lead(2), 200), (lambda: a_lead(3), 403), (a_csm, 403), (a_manager, 200)],
)
def test_line_is_planned_by_its_lead_and_the_support_manager(client, who, status):
    client.force_login(who())

    assert client.get("/w/shift/edit/2/").status_code == status
    assert client.post("/w/shift/edit/2/choosing/", {"choosing": "assign"}).status_code == (
        303 if status == 200 else 403
    )
    assert Line.objects.get(pk=2).choosing == ("assign" if status == 200 else "suggest")


@pytest.mark.parametrize("path", ["/w/shift/", "/w/shift/week/", "/w/shift/week/?from=2026-11-16&line=2"])
def test_shifts_are_read_by_the_desk_and_not_by_customers(client, path):
    client.force_login(an_engineer())
    assert client.get(path).status_code == 200

    client.force_login(contact_of(a_customer()))
    assert client.get(path).status_code == 403


def test_lead_plans_a_shift_and_writes_skills_on_the_page(client):
    engineer, product = an_engineer(2), ProductFactory()
    client.force_login(a_lead(2))
    said = {"person": engineer.pk, "weekdays": ["0"], "starts": "22:00", "ends": "08:00", "since": "2026-11-30"}

    answer = client.post("/w/shift/edit/2/", said)
    again = client.post("/w/shift/edit/2/", said)
    bad = client.post("/w/shift/edit/2/", {**said, "starts": "25:00"})

    assert (answer.status_code, again.status_code, bad.status_code) == (303, 409, 422)
    assert list(Shift.objects.order_by("pk").values_list("weekday", "starts", "ends")) == [(0, 1320, 1440), (1, 0, 480)]
    page = client.get("/w/shift/edit/2/").content.decode()
    assert "22:00–08:00" in page
    people = [row[0].pk for row in client.get("/w/shift/edit/2/").context["skills"]]
    levels = {f"{person}_{product.pk}": "0" for person in people}
    client.post("/w/shift/edit/2/skills/", {**levels, f"{engineer.pk}_{product.pk}": "3"})
    assert list(Skill.objects.values_list("user", "product", "level")) == [(engineer.pk, product.pk, 3)]


def test_end_of_a_weekly_shift_is_asked_about_by_whose_and_which_it_is(client):
    engineer = an_engineer(2, full_name="Anna First")
    client.force_login(a_lead(2, language="en"))
    said = {"person": engineer.pk, "weekdays": ["0"], "starts": "09:00", "ends": "18:00", "since": "2026-11-30"}
    client.post("/w/shift/edit/2/", said)

    page = client.get("/w/shift/edit/2/").content.decode()

    assert 'data-confirm="From today on A. First has no shift “Monday, 09:00–18:00”. End it?"' in page


def test_lead_gives_away_the_requests_of_who_is_away(client):
    engineer, stand_in, lead = an_engineer(2), an_engineer(2), a_lead(2)
    now = timezone.now()
    customer = a_customer()
    tickets = [
        workflow.accept(open_ticket(customer, topic="database", at=now), by=engineer, at=now) for _number in range(2)
    ]
    absence = Absence.objects.create(
        user=engineer, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(days=1), substitute=stand_in
    )
    client.force_login(engineer)
    assert client.post(f"/w/shift/away/{absence.pk}/").status_code == 403
    client.force_login(lead)

    assert client.get("/w/shift/").status_code == 200
    answer = client.post(f"/w/shift/away/{absence.pk}/")

    assert [moved for _ticket, _said, moved in answer.context["results"]] == [True, True]
    for ticket in tickets:
        ticket.refresh_from_db()
        assert ticket.assignee == stand_in


def test_shift_page_costs_the_same_for_one_person_and_for_three(client, django_assert_num_queries):
    manager = a_manager()
    client.force_login(manager)
    plan(an_engineer(2), by=manager, weekdays=ALL_DAYS, starts=0, ends=1440)
    client.get("/w/shift/")
    with CaptureQueriesContext(connection) as one:
        client.get("/w/shift/")
    for _number in range(2):
        plan(an_engineer(2), by=manager, weekdays=ALL_DAYS, starts=0, ends=1440)

    with django_assert_num_queries(len(one)):
        client.get("/w/shift/")


def test_most_urgent_is_taken_with_one_press_and_why_is_said(client):
    engineer = an_engineer()
    ticket = open_ticket(at=timezone.now())
    client.force_login(engineer)

    answer = client.post("/w/take/", follow=True)
    empty = client.post("/w/take/", follow=True)

    ticket.refresh_from_db()
    assert answer.redirect_chain == [(f"/w/t/{ticket.number}/", 303)]
    assert ticket.assignee == engineer
    assert empty.redirect_chain == [("/w/", 303)]


def test_why_me_is_a_page_and_a_fragment(client):
    engineer, lead = an_engineer(2), a_lead(2)
    plan(engineer, weekdays=ALL_DAYS, starts=0, ends=1440)
    ticket = open_ticket(topic="database", at=timezone.now())
    client.force_login(lead)

    page = client.get(f"/w/t/{ticket.number}/why/")
    fragment = client.get(f"/w/t/{ticket.number}/why/", headers={"HX-Request": "true"})
    form = client.get(f"/w/t/{ticket.number}/")
    client.post(f"/w/t/{ticket.number}/next/")

    ticket.refresh_from_db()
    assert engineer.short_name in page.content.decode()
    assert b"<html" not in fragment.content
    assert f'<option value="{engineer.pk}" selected' in form.content.decode()
    assert ticket.assignee == engineer
    assert client.get(f"/w/t/{ticket.number}/why/").context["event_why"]


# What the pages say


def test_week_shows_who_is_absent_and_who_stands_in(client):
    engineer, stand_in = an_engineer(2), a_manager()
    plan(engineer, weekdays=[0, 1])
    Absence.objects.create(
        user=engineer, starts_at=november(17), ends_at=november(18, 13), substitute=stand_in, reason="holiday"
    )
    client.force_login(a_lead(2, language="en"))

    page = client.get("/w/shift/week/?from=2026-11-16&line=2").content.decode()

    cells = page.split(f">{engineer.short_name}</th>")[1].split("</tr>")[0].split("<td")[1:]
    said = [" ".join(re.sub("<[^>]*>", " ", cell.partition(">")[2]).split()) for cell in cells]
    absent = f"{stand_in.short_name} stands in"
    assert said == ["Line 2 2 09:00–18:00", f"absent {absent}", f"absent 00:00–13:00 {absent}", *["–"] * 4]


@pytest.mark.parametrize(("path", "current"), [("/w/shift/", "Now"), ("/w/shift/week/", "Week")])
def test_pages_mark_the_current_one_and_lead_to_planning_an_absence(client, path, current):
    client.force_login(an_engineer(language="en"))

    links = client.get(path).content.decode().split('<nav class="sub"')[1].split("</nav>")[0]

    assert re.findall(r'aria-current="page">([^<]*)<', links) == [current]
    assert '<a href="/a/absences/">Plan an absence</a>' in links


def test_overlap_names_the_day_in_words():
    engineer = an_engineer(2)
    plan(engineer, weekdays=[0])

    with translation.override("ru"), pytest.raises(Refused, match="пн 30 ноября, 09:00–18:00"):
        plan(engineer, weekdays=[0], since=date(2026, 11, 30))


def test_nothing_chosen_yet_is_said_in_words(client):
    manager = a_manager(language="ru")
    client.force_login(manager)

    pages = [client.get(path).content.decode() for path in ("/w/shift/edit/2/", "/a/absences/", "/w/releases/new/")]

    assert [page.count("---------") for page in pages] == [0, 0, 0]
    assert all('<option value="" selected>не выбрано</option>' in page for page in (pages[0], pages[2]))
