"""Two tickets of one customer become one: clocks, words, mail, files, and the record (domain §4.4)."""

from io import BytesIO

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from accounts.refusals import Forbidden
from mail.models import OutgoingLetter
from mail.outbound import write_letters
from tests.factories import a_customer, an_engineer, contact_of, observer_of, open_ticket
from tests.moments import november, tuesday
from tickets import workflow
from tickets.models import Ticket
from tickets.verification import verify

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def again(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def differences() -> list[str]:
    return [one.words() for one in verify(Ticket.objects.all(), clock=lambda: november(20, 12))]


def clocks_of(ticket: Ticket) -> list[tuple[str, str, str]]:
    return [(one.kind, one.ending, one.why) for one in ticket.commitments.order_by("pk")]


def a_pair(**fields) -> tuple[Ticket, Ticket]:
    """An older request of priority 3 and a younger one of priority 2 of the same customer."""
    customer = a_customer()
    older = open_ticket(customer, priority=3)
    younger = open_ticket(customer, subject="The card again", at=tuesday(10, 20), **{"priority": 2, **fields})
    return older, younger


def test_merge_closes_one_and_moves_its_conversation_into_the_other():
    older, younger = a_pair()

    into = workflow.merge(younger, into=older, by=an_engineer(), at=tuesday(10, 30))

    younger = again(younger)
    assert (into.pk, younger.state, younger.merged_into_id, younger.closed_at) == (
        older.pk,
        "closed",
        older.pk,
        tuesday(10, 30),
    )
    assert (older.messages.count(), younger.messages.count()) == (2, 0)
    assert [event.verb for event in younger.events.all()] == ["opened", "merged"]
    assert [event.verb for event in older.events.all()] == ["opened", "merged_in"]


def test_stricter_promise_goes_on_in_the_remaining_ticket():
    older, younger = a_pair()
    strict = younger.commitments.get(kind="resolution").due_at

    workflow.merge(younger, into=older, by=an_engineer(), at=tuesday(10, 30))

    assert clocks_of(younger) == [("reaction", "cancelled", "merged"), ("resolution", "superseded", "merged")]
    assert clocks_of(older) == [("reaction", "", ""), ("resolution", "superseded", "merged"), ("resolution", "", "")]
    running = older.commitments.get(kind="resolution", stopped_at__isnull=True)
    assert (running.due_at, running.started_at, running.priority) == (strict, tuesday(10, 20), 2)
    assert differences() == []


def test_laxer_promise_ends_with_the_merged_ticket():
    older, younger = a_pair(priority=4)

    workflow.merge(younger, into=older, by=an_engineer(), at=tuesday(10, 30))

    assert clocks_of(younger) == [("reaction", "cancelled", "merged"), ("resolution", "cancelled", "merged")]
    assert clocks_of(older) == [("reaction", "", ""), ("resolution", "", "")]
    assert differences() == []


def test_reaction_that_is_still_owed_goes_on_and_merging_does_not_meet_it():
    older, younger = a_pair()
    engineer = an_engineer()
    workflow.accept(older, by=engineer, at=tuesday(10, 15))

    workflow.merge(younger, into=older, by=engineer, at=tuesday(10, 30))
    workflow.reply(older, by=engineer, body="Both are the same", at=tuesday(10, 40))

    reactions = older.commitments.filter(kind="reaction").order_by("pk")
    assert [(one.started_at, one.ending, one.stopped_at) for one in reactions] == [
        (tuesday(10), "met", tuesday(10, 15)),
        (tuesday(10, 20), "met", tuesday(10, 40)),
    ]
    assert differences() == []


def test_promise_that_was_missed_stays_a_miss_of_the_merged_ticket_alone():
    older, younger = a_pair()
    engineer = an_engineer()
    workflow.accept(older, by=engineer, at=tuesday(10, 15))

    workflow.merge(younger, into=older, by=engineer, at=tuesday(15))

    assert clocks_of(younger)[0] == ("reaction", "missed", "merged")
    assert [clock[:2] for clock in clocks_of(older) if clock[0] == "reaction"] == [("reaction", "met")]
    assert differences() == []


def test_clock_stands_in_a_ticket_that_waits_and_goes_on_with_the_answer():
    older, younger = a_pair()
    engineer = an_engineer()
    workflow.ask_customer(older, by=engineer, body="Which version?", at=tuesday(10, 25))
    workflow.merge(younger, into=older, by=engineer, at=tuesday(10, 30))
    assert older.commitments.get(kind="resolution", stopped_at__isnull=True).paused_at == tuesday(10, 30)

    workflow.customer_reply(younger, by=contact_of(older.customer), body="7.8", at=tuesday(11, 30))

    running = older.commitments.get(kind="resolution", stopped_at__isnull=True)
    assert [(span.lower, span.upper) for span in running.pauses] == [(tuesday(10, 30), tuesday(11, 30))]
    assert again(older).state == "in_progress"
    assert differences() == []


def test_remaining_ticket_is_reclassified_and_solved_with_a_clean_record():
    older, younger = a_pair()
    engineer = an_engineer()
    workflow.merge(younger, into=older, by=engineer, at=tuesday(10, 30))

    workflow.reclassify(older, by=engineer, priority=1, kind="incident", reason="All stand", at=tuesday(10, 40))
    workflow.resolve(older, by=engineer, body="Restarted", at=tuesday(11))
    workflow.reopen(older, by=engineer, reason="Not yet", at=tuesday(11, 30))

    assert differences() == []


def test_pointers_follow_when_the_remaining_ticket_is_merged_in_its_turn():
    older, younger = a_pair()
    third = open_ticket(older.customer, at=tuesday(10, 25))
    engineer = an_engineer()
    workflow.merge(younger, into=third, by=engineer, at=tuesday(10, 30))

    workflow.merge(third, into=older, by=engineer, at=tuesday(10, 31))

    assert {again(younger).merged_into_id, again(third).merged_into_id} == {older.pk}
    assert differences() == []


def test_second_click_merges_once():
    older, younger = a_pair()
    engineer = an_engineer()
    workflow.merge(younger, into=older, by=engineer, at=tuesday(10, 30))

    workflow.merge(younger, into=older, by=engineer, at=tuesday(10, 31))

    assert older.events.filter(verb="merged_in").count() == 1


def test_another_customers_ticket_is_refused_in_words():
    ticket, other = open_ticket(), open_ticket()

    with pytest.raises(workflow.NotAllowed) as refused:
        workflow.merge(ticket, into=other, by=an_engineer(), at=tuesday(11))

    assert str(refused.value.message).startswith(f"№ {other.number} is a request of another customer.")
    assert again(ticket).state == "new"


@pytest.mark.parametrize("which", ["itself", "solved", "closed"])
def test_merge_is_refused_into(which):
    older, younger = a_pair()
    engineer = an_engineer()
    into = younger if which == "itself" else older
    if which != "itself":
        workflow.resolve(older, by=engineer, body="Done", at=tuesday(10, 25))
    if which == "closed":
        workflow.confirm(older, by=contact_of(older.customer), at=tuesday(10, 26))

    with pytest.raises(workflow.NotAllowed):
        workflow.merge(younger, into=into, by=engineer, at=tuesday(10, 30))

    assert (again(younger).state, younger.messages.count()) == ("new", 1)


def test_customers_do_not_merge():
    older, younger = a_pair()

    with pytest.raises(Forbidden):
        workflow.merge(younger, into=older, by=contact_of(older.customer), at=tuesday(10, 30))


def test_answer_to_the_merged_ticket_is_said_in_the_remaining_one():
    older, younger = a_pair()
    workflow.merge(younger, into=older, by=an_engineer(), at=tuesday(10, 30))

    message = workflow.customer_reply(younger, by=contact_of(older.customer), body="And now?", at=tuesday(11))

    assert message.ticket_id == older.pk
    assert again(younger).state == "closed"


def test_nothing_is_noted_or_rated_in_the_merged_ticket():
    older, younger = a_pair()
    engineer = an_engineer()
    workflow.merge(younger, into=older, by=engineer, at=tuesday(10, 30))

    with pytest.raises(workflow.NotAllowed):
        workflow.note(younger, by=engineer, body="Here", at=tuesday(11))
    with pytest.raises(workflow.NotAllowed):
        workflow.rate(younger, by=contact_of(older.customer), score=1, at=tuesday(11))


def test_customer_is_told_where_the_conversation_goes_on():
    older, younger = a_pair()
    contact = contact_of(older.customer)
    contact.language = "en"
    contact.save()
    write_letters(tuesday(10, 29))
    OutgoingLetter.objects.all().delete()
    workflow.merge(younger, into=older, by=an_engineer(), at=tuesday(10, 30))

    write_letters(tuesday(10, 31))

    letter = OutgoingLetter.objects.get()
    assert (letter.address, letter.ticket_id) == (contact.email, older.pk)
    assert f"Your requests № {younger.number} and № {older.number} are about one thing" in letter.text
    assert reverse("portal:ticket", args=[older.number]) in letter.text


def test_file_is_still_given_out_under_the_number_that_letters_named(client):
    older, younger = a_pair(files=[workflow.Upload("log.txt", "text/plain", BytesIO(b"words"), 5)])
    attachment = younger.messages.get().attachments.get()
    workflow.merge(younger, into=older, by=an_engineer(), at=tuesday(10, 30))
    client.force_login(contact_of(older.customer))

    answers = [client.get(f"/t/{number}/files/{attachment.pk}/") for number in (younger.number, older.number)]

    assert [b"".join(answer.streaming_content) for answer in answers] == [b"words", b"words"]


def test_merged_address_leads_the_customer_to_the_remaining_one(client):
    older, younger = a_pair()
    workflow.merge(younger, into=older, by=an_engineer(), at=timezone.now())

    for person in (contact_of(older.customer), observer_of(older.customer)):
        client.force_login(person)
        answer = client.get(f"/t/{younger.number}/")
        assert (answer.status_code, answer["Location"]) == (302, f"/t/{older.number}/")


def test_merged_address_of_another_company_answers_as_a_missing_one(client):
    older, younger = a_pair()
    workflow.merge(younger, into=older, by=an_engineer(), at=timezone.now())
    client.force_login(contact_of(a_customer()))

    assert client.get(f"/t/{younger.number}/").status_code == 404


def test_table_of_the_promises_comes_with_its_style_sheet(client):
    older, younger = a_pair()
    client.force_login(an_engineer())

    page = client.get(reverse("desk:merge", args=[younger.number]), {"into": older.number}).content.decode()

    assert '<table class="cut relt">' in page
    assert "contracts.css" in page.split("</head>")[0]
