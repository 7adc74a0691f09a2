"""Links, splitting and time spent: the verbs, who may, and the record (domain §3.1, §4)."""

from io import BytesIO

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from accounts.refusals import Forbidden
from mail.models import OutgoingLetter
from mail.outbound import write_letters
from tests.factories import a_customer, a_lead, an_engineer, contact_of, open_ticket
from tests.moments import november, tuesday
from tickets import workflow
from tickets.durations import minutes_of, spent_words
from tickets.models import Ticket, TicketLink, TimeEntry
from tickets.timeline import customer_step, desk_step
from tickets.verification import verify

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


def differences() -> list[str]:
    return [one.words() for one in verify(Ticket.objects.all(), clock=lambda: november(20, 12))]


# Links


def test_link_is_told_in_both_timelines_and_to_no_customer():
    one, other = open_ticket(), open_ticket()

    workflow.link(one, to=other, kind="duplicates", by=an_engineer(), at=tuesday(11))

    steps = [ticket.events.latest("pk") for ticket in (one, other)]
    assert [desk_step(event).what for event in steps] == [
        f"link: repeats № {other.number}",
        f"link: is repeated by № {one.number}",
    ]
    assert [customer_step(event) for event in steps] == [None, None]
    assert differences() == []


def test_second_click_links_once():
    one, other = open_ticket(), open_ticket()
    engineer = an_engineer()
    made = workflow.link(one, to=other, kind="relates", by=engineer, at=tuesday(11))

    assert workflow.link(other, to=one, kind="relates", by=engineer, at=tuesday(11)) == made
    assert TicketLink.objects.count() == 1


@pytest.mark.parametrize("kind", ["split", "parent", "nonsense"])
def test_link_of_a_kind_that_nobody_chooses_is_refused(kind):
    with pytest.raises(workflow.NotAllowed):
        workflow.link(open_ticket(), to=open_ticket(), kind=kind, by=an_engineer(), at=tuesday(11))


def test_link_to_itself_or_the_other_way_round_is_refused():
    one, other = open_ticket(), open_ticket()
    engineer = an_engineer()
    workflow.link(one, to=other, kind="blocks", by=engineer, at=tuesday(11))

    for source, target in ((one, one), (other, one)):
        with pytest.raises(workflow.NotAllowed):
            workflow.link(source, to=target, kind="blocks", by=engineer, at=tuesday(11))


def test_database_refuses_a_link_to_itself_and_a_second_one():
    one, other = open_ticket(), open_ticket()
    by = an_engineer()
    TicketLink.objects.create(source=one, target=other, kind="relates", by=by, at=tuesday(11))

    for source, target in ((one, one), (other, one)):
        with pytest.raises(IntegrityError), transaction.atomic():
            TicketLink.objects.create(source=source, target=target, kind="relates", by=by, at=tuesday(11))


def test_link_is_removed_and_removing_again_changes_nothing():
    one, other = open_ticket(), open_ticket()
    engineer = an_engineer()
    made = workflow.link(one, to=other, kind="relates", by=engineer, at=tuesday(11))
    pk = made.pk

    workflow.unlink(made, by=engineer, at=tuesday(12))
    made.pk = pk
    workflow.unlink(made, by=engineer, at=tuesday(12))

    assert [event.verb for event in other.events.all()] == ["opened", "linked", "unlinked"]
    assert TicketLink.objects.count() == 0


def test_customers_do_not_link():
    one = open_ticket()

    with pytest.raises(Forbidden):
        workflow.link(one, to=open_ticket(one.customer), kind="relates", by=contact_of(one.customer), at=tuesday(11))


# Splitting


def two_questions() -> tuple[Ticket, list]:
    """Filed at ten; at eleven the contact asks another thing, with a file; answered at half past eleven."""
    ticket = open_ticket(a_customer(), priority=3)
    engineer = an_engineer()
    workflow.accept(ticket, by=engineer, at=tuesday(10, 5))
    upload = workflow.Upload("log.txt", "text/plain", BytesIO(b"words"), 5)
    asked = workflow.customer_reply(
        ticket, by=contact_of(ticket.customer), body="And the report is empty", at=tuesday(11), files=[upload]
    )
    answered = workflow.reply(ticket, by=engineer, body="We look at the report", at=tuesday(11, 30))
    return ticket, [asked, answered]


def test_split_is_received_when_the_customer_wrote_it():
    ticket, said = two_questions()

    made = workflow.split(ticket, messages=said[:1], subject="Empty report", by=an_engineer(), at=tuesday(12))

    assert (made.opened_at, made.customer_id, made.contract_id, made.subject) == (
        tuesday(11),
        ticket.customer_id,
        ticket.contract_id,
        "Empty report",
    )
    assert {clock.started_at for clock in made.commitments.all()} == {tuesday(11)}
    assert made.commitments.get(kind="reaction").due_at == tuesday(13)
    assert differences() == []


def test_split_copies_words_and_files_and_leaves_them_where_they_were():
    ticket, said = two_questions()

    made = workflow.split(ticket, messages=said[:1], subject="Empty report", by=an_engineer(), at=tuesday(12))

    assert ticket.messages.count() == 3
    copy = made.messages.get()
    assert (copy.body, copy.author, copy.created_at) == (said[0].body, said[0].author, said[0].created_at)
    assert [(file.name, file.file.read()) for file in copy.attachments.all()] == [("log.txt", b"words")]


def test_answer_that_is_chosen_too_ends_the_reaction_when_it_was_written():
    ticket, said = two_questions()

    made = workflow.split(ticket, messages=said, subject="Empty report", by=an_engineer(), at=tuesday(12))

    reaction = made.commitments.get(kind="reaction")
    assert (reaction.ending, reaction.stopped_at) == ("met", tuesday(11, 30))
    assert (made.state, made.assignee) == ("in_progress", said[1].author)
    assert differences() == []


def test_split_links_both_and_tells_the_customer_once():
    ticket, said = two_questions()
    write_letters(tuesday(11, 40))
    OutgoingLetter.objects.all().delete()
    made = workflow.split(ticket, messages=said, subject="Empty report", by=an_engineer(), at=tuesday(12))

    write_letters(tuesday(12, 1))

    letter = OutgoingLetter.objects.get()
    assert (letter.address, letter.ticket_id) == (contact_of(ticket.customer).email, made.pk)
    assert f"№ {ticket.number}" in letter.text
    assert [desk_step(one.events.latest("pk")).what for one in (made, ticket)] == [
        f"link: was split off from № {ticket.number}",
        f"link: was split into № {made.number}",
    ]


def test_second_click_splits_once():
    ticket, said = two_questions()
    engineer = an_engineer()
    words = {"messages": said, "subject": "Empty report", "by": engineer, "at": tuesday(12), "key": "k"}

    made = workflow.split(ticket, **words)

    assert workflow.split(ticket, **words).pk == made.pk
    assert made.messages.count() == 2


def test_split_without_words_of_the_customer_is_refused():
    ticket, said = two_questions()

    with pytest.raises(workflow.NotAllowed):
        workflow.split(ticket, messages=said[1:], subject="Report", by=an_engineer(), at=tuesday(12))
    with pytest.raises(Forbidden):
        workflow.split(ticket, messages=said, subject="Report", by=contact_of(ticket.customer), at=tuesday(12))
    assert Ticket.objects.count() == 1


def test_split_is_of_the_contact_of_now():
    ticket, said = two_questions()
    made = workflow.split(ticket, messages=said[:1], subject="Report", by=an_engineer(), at=tuesday(12))

    assert made.contact == contact_of(ticket.customer, tuesday(12))


# Time


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("12", 12),
        ("1:30", 90),
        ("1 ч 20 мин", 80),
        ("1h20", 80),
        ("2ч", 120),
        ("1,5 ч", 90),
        ("45 min", 45),
        ("1 h 20 min", 80),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1:75", None),
    ],
)
def test_time_is_read_as_people_type_it(typed, minutes):
    assert minutes_of(typed) == minutes


def test_time_in_words_is_read_back():
    assert [minutes_of(spent_words(minutes)) for minutes in (5, 60, 85)] == [5, 60, 85]


def test_time_is_written_down_once_and_told_to_the_desk_alone():
    ticket = open_ticket()
    engineer = an_engineer()

    for _click in range(2):
        workflow.log_time(ticket, minutes=80, note="Log read", by=engineer, at=tuesday(11), key="k")

    entry = ticket.time_entries.get()
    event = ticket.events.latest("pk")
    assert (entry.minutes, entry.person, entry.on_day.isoformat()) == (80, engineer, "2026-11-17")
    assert (desk_step(event).what, customer_step(event)) == ("time spent: 1 h 20 min", None)
    assert differences() == []


@pytest.mark.parametrize("minutes", [0, -5, 24 * 60 + 1])
def test_time_that_cannot_be_is_refused(minutes):
    with pytest.raises(workflow.NotAllowed):
        workflow.log_time(open_ticket(), minutes=minutes, by=an_engineer(), at=tuesday(11))


def test_database_refuses_no_time():
    ticket, by = open_ticket(), an_engineer()

    with pytest.raises(IntegrityError), transaction.atomic():
        TimeEntry.objects.create(ticket=ticket, person=by, minutes=0, on_day=tuesday(11).date(), at=tuesday(11))


def test_time_is_corrected_by_its_author_or_a_lead_with_a_trace():
    ticket = open_ticket()
    author = an_engineer()
    entry = workflow.log_time(ticket, minutes=80, by=author, at=tuesday(11))

    workflow.correct_time(entry, minutes=20, note="Typo", by=author, at=tuesday(12))
    workflow.correct_time(entry, minutes=25, note="Typo", by=a_lead(), at=tuesday(13))

    with pytest.raises(Forbidden):
        workflow.correct_time(entry, minutes=1, by=an_engineer(), at=tuesday(14))
    changes = [event.details for event in ticket.events.filter(verb="time_corrected")]
    assert [(change["from"], change["to"]) for change in changes] == [(80, 20), (20, 25)]
    assert ticket.time_entries.get().minutes == 25


def test_time_goes_along_when_a_ticket_is_merged():
    customer = a_customer()
    older, younger = open_ticket(customer), open_ticket(customer)
    engineer = an_engineer()
    workflow.log_time(younger, minutes=10, by=engineer, at=tuesday(11))

    workflow.merge(younger, into=older, by=engineer, at=tuesday(12))

    assert older.time_entries.get().minutes == 10
