"""Which letters a customer's person wants: the page, the one place that queues, the link of RFC 8058 (§17)."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.utils import timezone

from accounts.models import User
from mail import choices, deadline_letters, event_letters, outbound
from mail.models import LetterKind, MailChoices, OutgoingLetter
from mail.outbound import write_letters
from sla.sweep import sweep
from tests.factories import TUESDAY_10, a_customer, a_manager, an_engineer, contact_of, observer_of, open_ticket
from tickets import workflow
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
SOON = TUESDAY_10 + timedelta(minutes=10)
AT_ONCE = {"answers": "now", "status": "now", "promises": "now", "releases": "now", "digest": "never"}


@pytest.fixture
def ticket() -> Ticket:
    """An incident of an English-speaking Premium customer, its receipt told of."""
    ticket = open_ticket(a_customer(language="en"), priority=1, subject="The journal does not open")
    write_letters(TUESDAY_10)
    OutgoingLetter.objects.all().delete()
    return ticket


def chosen(person: User, **of: str) -> MailChoices:
    return MailChoices.objects.create(person=person, changed_at=TUESDAY_10, **of)


def text(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


# What is queued


def test_every_event_that_a_customer_is_told_of_is_of_a_kind_or_always_comes():
    always = {"asked_customer", "declined", "deadline_proposed"}
    tables = {
        verb
        for verb, told in event_letters.WHO_IS_TOLD.items()
        if any(audience.__name__.startswith("contact") for audience, _wording in told)
    } | set(deadline_letters.WHO_IS_TOLD)

    assert tables - always == set(choices.KIND_OF)


@pytest.mark.parametrize("when", ["digest", "never"])
def test_answers_that_are_turned_off_are_not_written(ticket: Ticket, when: str):
    chosen(ticket.contact, answers=when)
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)

    assert write_letters(SOON) == 0


def test_other_kinds_still_come(ticket: Ticket):
    chosen(ticket.contact, answers="never", releases="never")
    workflow.resolve(ticket, by=an_engineer(), body="Done.", at=SOON)

    write_letters(SOON)

    assert OutgoingLetter.objects.get().kind == LetterKind.STATUS


def test_what_the_contract_demands_comes_whatever_is_chosen(ticket: Ticket):
    chosen(ticket.contact, answers="never", status="never", releases="never", digest="never")
    a_manager()
    engineer = an_engineer()
    workflow.ask_customer(ticket, by=engineer, body="Which file?", at=TUESDAY_10 + timedelta(minutes=1))
    write_letters(SOON)
    asked = OutgoingLetter.objects.get(person=ticket.contact)
    workflow.customer_reply(ticket, by=ticket.contact, body="This one.", at=SOON)
    late = TUESDAY_10 + timedelta(hours=5)
    sweep(late)

    write_letters(late)

    missed = OutgoingLetter.objects.filter(person=ticket.contact).exclude(pk=asked.pk).get()
    assert (asked.kind, missed.kind) == ("", "")
    assert "Not in time" in missed.subject
    assert "Turn such letters off" not in missed.text


def test_our_own_people_choose_nothing():
    assert choices.kind_of("replied", an_engineer()) == ""


@pytest.mark.parametrize(
    "of", [{"promises": "never"}, {"answers": "later"}, {"digest": "never", "status": "digest"}, {"digest": "now"}]
)
def test_database_refuses_what_cannot_be_chosen(of: dict[str, str]):
    with pytest.raises(IntegrityError):
        chosen(contact_of(a_customer()), **of)


# The page


def test_page_saves_and_says_what_always_comes(client: Client):
    contact = contact_of(a_customer(language="en"))
    client.force_login(contact)

    before = text(client.get("/me/mail/"))
    answer = client.post("/me/mail/", {**AT_ONCE, "answers": "digest", "digest": "digest"})

    assert "A promised time was missed: you hear it from us first" in before
    assert answer.status_code == 303
    row = MailChoices.objects.get(person=contact)
    assert (row.answers, row.status, row.digest) == ("digest", "now", "digest")
    assert 'value="digest" id="id_answers_1" checked' in " ".join(
        re.sub(r"\s+", " ", client.get("/me/mail/").content.decode()).replace("required ", "").split()
    )


def test_page_refuses_letters_into_a_digest_that_does_not_come(client: Client):
    client.force_login(contact_of(a_customer(language="en")))

    answer = client.post("/me/mail/", {**AT_ONCE, "answers": "digest"})

    assert answer.status_code == 422
    assert "Some letters wait for the digest" in text(answer)
    assert client.post("/me/mail/", {**AT_ONCE, "promises": "never"}).status_code == 422
    assert not MailChoices.objects.exists()


def test_digest_begins_on_for_an_observer_and_off_for_the_contact(client: Client):
    company = a_customer(starts_on=timezone.now().date() - timedelta(days=50), language="en")
    shown = []
    for person in (contact_of(company, timezone.now()), observer_of(company, timezone.now())):
        client.force_login(person)
        form = client.get("/me/mail/").context["form"]
        shown.append(form["digest"].value())

    assert shown == ["never", "digest"]


def test_page_is_no_page_of_ours(client: Client):
    client.force_login(an_engineer())

    assert client.get("/me/mail/").status_code == 404
    assert "/me/mail/" not in client.get("/me/").content.decode()


# The link


def test_letter_carries_the_headers_of_rfc_8058(ticket: Ticket):
    workflow.reply(ticket, by=an_engineer(), body="Restart it.", at=SOON)
    workflow.ask_customer(ticket, by=an_engineer(), body="Which file?", at=SOON)
    write_letters(SOON)

    answered, asked = (outbound._message(row).message() for row in OutgoingLetter.objects.order_by("pk"))

    address = choices.address_of(ticket.contact, "answers")
    assert answered["List-Unsubscribe"] == f"<http://127.0.0.1:8000{address}>"
    assert answered["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert asked["List-Unsubscribe"] is None


def test_link_turns_its_kind_off_by_a_post_without_a_sign_in(ticket: Ticket):
    client = Client(enforce_csrf_checks=True)
    address = choices.address_of(ticket.contact, "answers")

    looked = client.get(address)
    untouched = not MailChoices.objects.exists()
    done = client.post(address, {"List-Unsubscribe": "One-Click"})

    assert (looked.status_code, untouched, done.status_code) == (200, True, 200)
    assert "Turn these letters off?" in text(looked)
    assert "Done: these letters do not come any more" in text(done)
    assert MailChoices.objects.get(person=ticket.contact).answers == "never"
    client.post(address)
    assert MailChoices.objects.count() == 1


def test_link_to_the_digest_leaves_nothing_waiting_for_it(ticket: Ticket, client: Client):
    chosen(ticket.contact, answers="digest", promises="digest", digest="digest")

    client.post(choices.address_of(ticket.contact, "digest"))

    row = MailChoices.objects.get()
    assert (row.digest, row.answers, row.promises, row.status) == ("never", "never", "now", "now")


def test_altered_link_ends_in_words_and_changes_nothing(ticket: Ticket, client: Client):
    address = choices.address_of(ticket.contact, "answers")

    for altered in (address[:-3] + "ab/", "/mail/off/nothing/", choices.address_of(ticket.contact, "promises")):
        for answer in (client.get(altered), client.post(altered)):
            assert answer.status_code == 404
            assert "Nothing has changed" in text(answer) or "Ничего не изменилось" in text(answer)
    assert not MailChoices.objects.exists()


def test_only_one_place_queues_letters():
    places = [
        path.name
        for path in Path(outbound.__file__).parent.glob("*.py")
        if re.search(r"OutgoingLetter\.objects\.(bulk_)?create", path.read_text(encoding="utf-8"))
    ]

    assert places == ["outbound.py"]
