"""Pages, papers and letters of the closed months: who reads, who speaks, who answers (domain §4.6, §7)."""

from datetime import date
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pypdf import PdfReader

from mail import outbound
from mail.models import OutgoingLetter
from sla.statements import StatementAnswer, StatementCorrection
from tests.factories import (
    a_csm,
    a_customer,
    a_lead,
    a_manager,
    a_member,
    an_engineer,
    contact_of,
    observer_of,
    open_ticket,
    top,
)
from tests.moments import december, november
from tickets import month_answers, months, workflow
from tickets.month_paper import statement_pdf

pytestmark = pytest.mark.django_db

NOVEMBER = date(2026, 11, 1)
FIRST = december(1, 6)
REPORT = "/report/2026-11/"


def played(customer, subject="The card stays empty"):
    """A first answer a quarter of an hour late, a solution in time."""
    ticket = open_ticket(customer, subject=subject, priority=1, at=november(27, 10))
    ticket = workflow.accept(ticket, by=an_engineer(), at=november(27, 10, 45))
    workflow.resolve(ticket, by=ticket.assignee, body="Mended", at=november(27, 11))
    return ticket


@pytest.fixture
def statement():
    customer = a_customer(language="en")
    played(customer)
    return months.close_month(customer, NOVEMBER, at=FIRST)


@pytest.fixture
def contact(client, statement):
    person = contact_of(statement.customer)
    client.force_login(person)
    return person


def text_of(answer):
    return answer.content.decode()


# The customer


def test_contact_reads_the_month_with_the_reason_of_the_miss(client, contact, statement):
    listed, page = text_of(client.get("/report/")), text_of(client.get(REPORT))

    assert "November 2026" in listed
    assert "1 of 2 promises kept in time." in listed
    assert "Answered 15 min of service time after the deadline" in page
    assert "The card stays empty" in page
    assert statement.sha256 in page


def test_navigation_leads_to_the_reports(client, contact):
    assert 'href="/report/"' in text_of(client.get("/report/"))


def test_acknowledged_by_the_contact(client, contact, statement):
    answer = client.post(f"{REPORT}acknowledgement/")

    assert (answer.status_code, answer.url) == (303, REPORT)
    assert statement.answers.get().by == contact
    page = text_of(client.get(REPORT))
    assert f"Acknowledged by {contact.full_name}" in page
    assert "/lines/1/" not in page  # nothing is left to dispute


def test_line_is_disputed_with_words(client, contact, statement):
    empty = client.post(f"{REPORT}lines/1/", {"words": " "})
    sent = client.post(f"{REPORT}lines/1/", {"words": "Nobody called us"})

    assert empty.status_code == 422
    assert "Write what is wrong with this line" in text_of(empty)
    assert sent.status_code == 303
    assert statement.answers.get().words == "Nobody called us"
    page = text_of(client.get(REPORT))
    assert "Nobody called us" in page
    assert "Waits for our answer." in page
    assert "/lines/1/" not in page and "/lines/2/" in page  # the disputed line is not offered for it again
    again = client.post(f"{REPORT}lines/1/", {"words": "Still nobody"})
    assert again.status_code == 409
    assert "Still nobody" in text_of(again)
    assert client.post(f"{REPORT}acknowledgement/").status_code == 409


def test_observer_reads_and_does_not_speak(client, statement):
    client.force_login(observer_of(statement.customer))

    page = text_of(client.get(REPORT))
    assert "Answered 15 min" in page
    assert "acknowledgement/" not in page
    assert client.post(f"{REPORT}acknowledgement/").status_code == 403
    assert client.post(f"{REPORT}lines/1/", {"words": "No"}).status_code == 403
    assert not StatementAnswer.objects.exists()


@pytest.mark.parametrize("path", ["", "lines/1/", "document/en/", "table/"])
def test_another_companys_month_reads_as_a_missing_one(client, statement, path):
    stranger = a_customer(language="en")
    client.force_login(contact_of(stranger))

    assert client.get(REPORT + path).status_code == 404
    assert client.get(f"/report/2026-13/{path}").status_code == 404
    assert client.post(f"{REPORT}acknowledgement/").status_code == 404


@pytest.mark.parametrize("make", [an_engineer, a_lead, a_manager])
def test_the_vendors_people_have_no_portal(client, statement, make):
    client.force_login(make())

    assert client.get(REPORT).status_code == 404


def test_csv_has_every_line_and_never_runs_as_a_formula(client):
    customer = a_customer(language="en")
    played(customer, subject="=1+1")
    months.close_month(customer, NOVEMBER, at=FIRST)
    client.force_login(contact_of(customer))

    answer = client.get(f"{REPORT}table/")
    rows = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()

    assert len(rows) == 3
    assert "'=1+1" in rows[1]
    assert "2026-11-27 10:30:00;2026-11-27 10:45:00;missed;Answered 15 min" in rows[1]


def test_page_costs_the_same_for_one_line_and_three(client):
    def cost(number):
        customer = a_customer(language="en")
        for _line in range(number):
            played(customer)
        statement = months.close_month(customer, NOVEMBER, at=FIRST)
        person = contact_of(customer)
        for line in list(statement.lines.all())[:number]:
            month_answers.dispute(statement, line, words="No", by=person, at=december(1, 9))
        client.force_login(person)
        client.get(REPORT)
        with CaptureQueriesContext(connection) as ran:
            client.get(REPORT)
        return len(ran)

    assert cost(1) == cost(3)


def test_lists_cost_the_same_for_one_row_and_three(client):
    manager = a_manager(language="en")
    client.force_login(manager)

    def cost():
        played(customer := a_customer(language="en"))
        months.close_month(customer, NOVEMBER, at=FIRST)
        client.get("/m/statements/")
        with CaptureQueriesContext(connection) as ran:
            assert client.get("/m/statements/").status_code == 200
        return len(ran)

    alone = cost()
    cost()
    assert cost() == alone


# On paper


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ["Monthly service statement, November 2026", "Answered 15 min of service time after the deadline", "50%"],
        ),
        ("ru", ["2026", "50%", "№"]),
    ],
)
def test_paper_holds_figures_reasons_and_the_digest(client, contact, statement, language, words):
    answer = client.get(f"{REPORT}document/{language}/")

    assert answer["Content-Type"] == "application/pdf"
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages).split())
    assert all(part in text for part in words), text
    assert statement.sha256 in text.replace(" ", "")
    assert answer.content == statement_pdf(statement, language=language)


def test_paper_knows_two_languages(client, contact, statement):
    assert client.get(f"{REPORT}document/de/").status_code == 404
    with pytest.raises(ValueError, match="de"):
        statement_pdf(statement, language="de")


# The vendor


@pytest.mark.parametrize(
    ("make", "status"), [(a_manager, 200), (top, 200), (a_csm, 404), (a_lead, 403), (an_engineer, 403)]
)
def test_who_of_the_vendor_reads(client, statement, make, status):
    client.force_login(make())

    assert client.get(f"/m/statements/{statement.pk}/").status_code == status


def test_csm_answers_the_dispute_of_an_own_customer(client, statement):
    csm = statement.customer.csm
    said = month_answers.dispute(
        statement,
        statement.lines.get(position=1),
        words="Nobody called us",
        by=contact_of(statement.customer),
        at=december(1, 9),
    )
    client.force_login(csm)

    page = f"/m/statements/{statement.pk}/"
    assert "Nobody called us" in text_of(client.get(page))
    assert client.get("/m/statements/?show=disputed").content.count(page.encode()) == 1
    assert client.post(f"{page}answers/{said.pk}/", {"words": ""}).status_code == 422
    assert client.post(f"{page}answers/{said.pk}/", {"words": "We did, at ten"}).status_code == 303
    assert client.post(f"{page}answers/{said.pk}/", {"words": "Once more"}).status_code == 409
    assert said.answer.words == "We did, at ten"
    assert client.get("/m/statements/?show=disputed").content.count(page.encode()) == 0


def test_line_is_corrected_with_words_and_both_sides_see_it(client, statement):
    client.force_login(a_manager(language="en"))
    page = f"/m/statements/{statement.pk}/lines/1/"

    assert client.post(page, {"after": "kept", "words": ""}).status_code == 422
    assert client.post(page, {"after": "missed", "words": "The same"}).status_code == 409
    assert client.post(page, {"after": "kept", "words": "The answer was by phone"}).status_code == 303

    client.force_login(contact_of(statement.customer))
    told = text_of(client.get(REPORT))
    assert "The answer was by phone" in told
    assert "With the corrections: 2 kept, 0 missed" in told
    assert "1 of 2 promises kept in time." in told  # as it was closed


def test_top_management_reads_and_changes_nothing(client, statement):
    client.force_login(top())

    answer = client.post(f"/m/statements/{statement.pk}/lines/1/", {"after": "kept", "words": "Please"})

    assert answer.status_code == 403
    assert not StatementCorrection.objects.exists()


@pytest.mark.parametrize("query", ["?show=all", "?before=x", "?before=999999"])
def test_spoilt_address_is_400(client, query):
    client.force_login(a_manager())

    assert client.get(f"/m/statements/{query}").status_code == 400


# Letters


@pytest.fixture
def told(statement):
    """Everybody was told of all that led here."""
    outbound.mark_history_notified(december(1, 5))
    return statement


def letters_of(person):
    return list(OutgoingLetter.objects.filter(person=person).order_by("pk"))


def test_letter_of_a_closed_month_goes_to_the_contact_once(told):
    outbound.write_letters(december(1, 6, 1))
    outbound.write_letters(december(1, 6, 2))

    (letter,) = letters_of(contact_of(told.customer))
    assert letter.subject == "The monthly service statement is ready: November 2026"
    assert "1 of 2 promises kept in time." in letter.text
    assert reverse("report:report", args=["2026-11"]) in letter.text
    assert letters_of(observer_of(told.customer)) == []


def test_old_month_that_is_made_up_for_writes_no_letter():
    customer = a_customer()
    customer.contract_events.update(notified_at=FIRST)
    months.close_month(customer, date(2026, 5, 1), at=FIRST)

    assert outbound.write_letters(FIRST) == 0


def test_dispute_is_told_to_the_csm_the_answer_to_the_contact(told):
    contact, csm = contact_of(told.customer), told.customer.csm
    outbound.mark_history_notified(december(1, 7))
    said = month_answers.dispute(
        told, told.lines.get(position=1), words="Nobody called us", by=contact, at=december(1, 9)
    )
    outbound.write_letters(december(1, 9, 1))
    (asked,) = letters_of(csm)
    month_answers.answer(said, words="We did, at ten", by=csm, at=december(1, 10))
    month_answers.acknowledge(told, by=contact, at=december(1, 11))
    outbound.write_letters(december(1, 11, 1))

    assert "Nobody called us" in asked.text
    (given,) = letters_of(contact)
    assert given.subject == "Your dispute is answered: November 2026"
    assert "We did, at ten" in given.text
    assert given.message_id.startswith("month.")
    assert letters_of(csm) == [asked]


def test_correction_by_the_daily_check_is_told_to_the_contact(told):
    outbound.mark_history_notified(december(1, 7))
    ticket = told.customer.tickets.get()
    workflow.reopen(ticket, by=contact_of(told.customer), reason="Again", at=december(1, 9))
    outbound.mark_history_notified(december(1, 10))
    months.check_months(at=december(2, 6, 30))
    outbound.write_letters(december(2, 6, 31))

    (letter,) = letters_of(contact_of(told.customer))
    assert letter.subject == "A monthly statement is corrected: November 2026"
    assert "The request was reopened" in letter.text


def test_list_holds_the_own_company_only(client, statement):
    other = a_customer(language="en")
    client.force_login(a_member(other))

    assert "November 2026" not in text_of(client.get("/report/"))
