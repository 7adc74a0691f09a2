"""What no browser sends and somebody will: addresses made up, characters PostgreSQL does not take, a button twice."""

import base64
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from mail.models import OutgoingLetter
from tests.factories import a_csm, a_customer, a_lead, a_manager, an_engineer, contact_of, open_ticket
from tests.moments import tuesday
from tickets import workflow
from tickets.models import Defect

pytestmark = pytest.mark.django_db

TOO_LONG = "9" * 5000  # Python refuses to read it as a number
NUL = "\0"


def cursor(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("desk:queue", {"package": NUL}),
        ("desk:my", {"product": NUL}),
        ("admin:tickets_ticket_changelist", {"state": NUL, "q": NUL}),
    ],
)
def test_nul_in_the_address_of_a_list_finds_nothing(client, admin_client, name, query):
    client.force_login(an_engineer())
    asks = admin_client if name.startswith("admin:") else client

    assert asks.get(reverse(name), query, follow=True).status_code == 200


def test_nul_in_where_one_came_from_is_left_out(client):
    client.force_login(an_engineer())

    page = client.get(reverse("desk:ticket", args=[open_ticket().number]), {"from": "l/2/?package=%00"})

    assert page.status_code == 200


def test_nul_in_a_topic_is_no_topic(client):
    client.force_login(contact_of(a_customer()))

    assert client.get(reverse("portal:new_entitlement"), {"topic": NUL}).status_code == 200


@pytest.mark.parametrize("before", [TOO_LONG, "²"])
def test_page_of_the_escalations_that_makes_no_sense_is_400(client, before):
    client.force_login(a_lead())

    assert client.get(reverse("manage:escalations"), {"before": before}).status_code == 400


def test_page_of_a_list_that_makes_no_sense_is_400(client):
    client.force_login(a_manager())

    assert client.get(reverse("manage:tickets", args=["late"]), {"after": TOO_LONG}).status_code == 400


@pytest.mark.parametrize("query", [{"after": "0001-01-01T00:00:00+23:59_1"}, {"before": "9999-12-31T23:59:59-23:59_1"}])
def test_letters_of_a_moment_outside_the_calendar_are_404(client, query):
    client.force_login(an_engineer())

    assert client.get(reverse("outbox"), query).status_code == 404
    assert OutgoingLetter.objects.count() == 0


@pytest.mark.parametrize("text", ["p=abc", f"p={TOO_LONG}", "p=%00"])
def test_made_up_cursor_of_the_api_is_404(client, text):
    client.force_login(an_engineer())

    assert client.get("/api/tickets/", {"cursor": cursor(text)}).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [("topic", '"\\u0000"'), ("product", '"\\u0000"'), ("release", "1e400"), ("subject", '"\\ud800"')],
)
def test_value_that_the_database_cannot_take_is_400_in_the_api(client, field, value):
    client.force_login(contact_of(a_customer()))

    answer = client.post(
        "/api/tickets/", f'{{"subject": "a", "body": "b", "{field}": {value}}}', content_type="application/json"
    )

    assert answer.status_code == 400
    assert list(answer.json()) == [field]


def test_answer_to_an_escalation_may_hold_any_character(client):
    manager = a_manager()
    ticket = open_ticket()
    call = workflow.escalate(
        ticket, by=contact_of(ticket.customer), whom="csm", reason="It takes too long", at=tuesday(10, 5)
    )
    client.force_login(manager)

    answer = client.post(reverse("manage:answer", args=[call.pk]), {"answer": "We are\0 on it"})

    assert answer.status_code == 302
    call.refresh_from_db()
    assert call.answer == "We are on it"


@pytest.mark.parametrize(
    ("name", "content_type", "kept_as"),
    [
        ("../../x", "text/plain", "x"),
        ("..\\..\\y.sql", "text/html", "y.sql"),
        ("zero.txt", "text/\0plain", "zero.txt"),
        ("<img src=x onerror=alert(1)>.png", "image/png", "<img src=x onerror=alert(1)>.png"),
    ],
)
def test_file_of_any_name_and_type_is_kept_and_given_out_as_a_download(client, name, content_type, kept_as):
    ticket = open_ticket()
    client.force_login(contact_of(ticket.customer))
    file = SimpleUploadedFile("file", b"abc", content_type)
    file._name = name  # as a browser never sends it

    answer = client.post(reverse("portal:replies", args=[ticket.number]), {"body": "With a file", "files": file})

    assert answer.status_code == 303
    kept = ticket.messages.latest("pk").attachments.get()
    assert kept.name == kept_as
    given = client.get(reverse("portal:file", args=[ticket.number, kept.pk]))
    assert given["Content-Disposition"].startswith("attachment;")
    assert b"".join(given.streaming_content) == b"abc"


def test_name_of_a_file_from_anywhere_loses_its_nul():
    ticket = open_ticket()
    upload = workflow.Upload("a\0b.txt", "text/plain\0", BytesIO(b"abc"), 3)

    message = workflow.note(ticket, by=an_engineer(), body="With a file", at=tuesday(10, 5), files=[upload])

    assert list(message.attachments.values_list("name", "content_type")) == [("ab.txt", "text/plain")]


# A button twice


def test_attaching_a_new_defect_twice_makes_one():
    ticket = workflow.accept(open_ticket(), by=an_engineer(), at=tuesday(10, 5))
    words = {"title": "Import fails", "steps": "Import a file", "expected": "Rows", "actual": "An error"}

    first, again = (
        workflow.attach_defect(ticket, by=ticket.assignee, at=tuesday(10, 6 + click), **words) for click in (0, 1)
    )

    assert first == again
    assert Defect.objects.count() == 1
    assert ticket.events.filter(verb="defect_attached").count() == 1


def test_assigning_twice_to_the_same_person_happens_once():
    ticket, engineer, lead = open_ticket(), an_engineer(), a_lead()

    for click in (0, 1):
        workflow.assign(ticket, by=lead, to=engineer, at=tuesday(10, 5 + click))

    assert ticket.events.filter(verb="assigned").count() == 1


def test_rating_twice_alike_happens_once_and_calls_the_csm_once():
    ticket = workflow.resolve(open_ticket(), by=an_engineer(), body="Restarted", at=tuesday(11))
    csm = a_csm()
    assert csm is not None

    for click in (0, 1):
        workflow.rate(ticket, by=contact_of(ticket.customer), score=1, comment="Slow", at=tuesday(12, click))

    assert ticket.events.filter(verb="rated").count() == 1
    assert ticket.escalations.count() == 1


def test_of_two_who_take_it_at_once_the_second_is_told_who_has_it(client):
    ticket, quicker, slower = open_ticket(), an_engineer(), an_engineer()
    client.force_login(slower)
    address = reverse("desk:ticket", args=[ticket.number])
    assert 'name="seen" data-who value=""' in client.get(address).content.decode()
    workflow.accept(ticket, by=quicker, at=tuesday(10, 5), seen="")

    refused = client.post(reverse("desk:acceptance", args=[ticket.number]), {"seen": ""})

    ticket.refresh_from_db()
    assert (refused.status_code, ticket.assignee) == (409, quicker)
    assert quicker.full_name in refused.content.decode()
    assert f'name="seen" data-who value="{quicker.pk}"' in refused.content.decode()

    taken = client.post(reverse("desk:acceptance", args=[ticket.number]), {"seen": str(quicker.pk)})

    ticket.refresh_from_db()
    assert (taken.status_code, ticket.assignee) == (303, slower)
